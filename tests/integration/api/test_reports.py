"""POST /api/v1/reports: acknowledged means one commit, once, and every refusal says what was given and wanted."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import pytest
from aiohttp import ClientSession

from gridsvc.db import ConnPool, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.ids import new_id
from tests.integration.api.conftest import Api, Client, running, settings_for
from tests.integration.small_city import (
    BEAT,
    DISTRICT,
    INSIDE,
    SOUTH,
    STREET,
    WEST,
    SmallCity,
    category,
    found_small_city,
)


@dataclass(frozen=True)
class Desk:
    """The service on the small city, people signed in, and a category that officers handle."""

    api: Api
    city: SmallCity
    officer: Client
    acceptor: Client
    dispatcher: Client
    code: str

    def said(self, **changes: Any) -> dict[str, Any]:
        return {
            "category": self.code,
            "description": "井盖缺失",
            "location": {"lon": INSIDE.lon, "lat": INSIDE.lat, "datum": "wgs84", "accuracy_m": 5},
            **changes,
        }

    async def count(self, table: str) -> int:
        async with transaction(self.api.pool) as (conn, _):
            return int(await conn.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - a word of this file


@pytest.fixture
async def desk(database: str, pool: ConnPool, http: ClientSession) -> AsyncIterator[Desk]:
    async with transaction(pool) as (conn, _):
        city = await found_small_city(conn)
        code = await category(conn, handled_by="officer")
    async with running(settings_for(database)) as (app, url):
        api = Api(app, http, url, pool)
        officer = await api.somebody(Grant(role=Role.OFFICER, division=STREET, duty_line="social"))
        async with transaction(pool) as (conn, _):
            await conn.execute("INSERT INTO officer_beats VALUES ($1, 'social', $2)", officer.user_id, BEAT)
            await conn.execute("UPDATE officers SET on_duty = true WHERE user_id = $1", officer.user_id)
        yield Desk(
            api,
            city,
            officer,
            await api.somebody(Grant(role=Role.ACCEPTOR, division=DISTRICT)),
            await api.somebody(Grant(role=Role.DISPATCHER, division=DISTRICT)),
            code,
        )


async def test_the_answer_is_the_contract(desk: Desk) -> None:
    said = await desk.officer.post("/api/v1/reports", desk.said())
    assert said.status == 201, said.body
    case = said.body["case"]
    assert {"id", "case"} <= said.body.keys()
    assert {"id", "number", "state", "category", "cell", "beat", "divisions", "due_at", "version"} <= case.keys()
    assert (case["state"], case["cell"], case["beat"], case["version"]) == ("filed", "620102001001001", BEAT, 1)
    assert case["due_at"] is None
    assert case["divisions"] == [
        {"code": "620100", "name": "兰州市", "level": "city"},
        {"code": "620102", "name": "城关区", "level": "district"},
        {"code": "620102001", "name": "张掖路街道", "level": "street"},
        {"code": "620102001001", "name": "大众巷社区", "level": "community"},
    ]
    assert said.headers["Location"] == f"/api/v1/cases/{case['id']}"


async def test_what_people_type_is_kept_as_typed(desk: Desk) -> None:
    typed = "<script>alert('1')</script> '; DROP TABLE cases; -- \U0001f573\ufe0f 井盖\t\n  "
    said = await desk.officer.post("/api/v1/reports", desk.said(description=typed))
    told = await desk.officer.get(f"/api/v1/cases/{said.body['case']['id']}")
    assert told.body["case"]["description"] == typed


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ({"lon": 36.06, "lat": 103.8, "datum": "wgs84"}, "swapped_axes"),
        ({"lon": 0.0001, "lat": 0, "datum": "wgs84"}, "null_island"),
        ({"lon": 116.4, "lat": 39.9, "datum": "wgs84"}, "far_away"),
        ({"lon": 103.8, "lat": 36.06}, "datum_missing"),
        ({"lon": 103.8, "lat": 36.06, "datum": "utm"}, "datum_missing"),
        ({"lon": 1e6, "lat": 1e6, "datum": "wgs84"}, "out_of_range"),
    ],
)
async def test_a_place_that_cannot_be_one_says_why(desk: Desk, location: dict[str, Any], reason: str) -> None:
    said = await desk.officer.post("/api/v1/reports", desk.said(location=location))
    assert (said.status, said.code, said.body["reason"]) == (422, "bad_location", reason)
    assert await desk.count("reports") == 0


@pytest.mark.parametrize(
    ("changes", "status", "code"),
    [
        ({"location": {"lon": WEST - 0.1, "lat": SOUTH, "datum": "wgs84"}}, 422, "outside_the_grid"),
        ({"category": "nonsense"}, 422, "unknown_category"),
        ({"category": ""}, 400, "bad_request"),
        ({"description": "x" * 4001}, 400, "bad_request"),
        ({"description": "a\u0000b"}, 400, "bad_request"),
        ({"surprise": 1}, 400, "bad_request"),
        ({"location": None}, 400, "bad_request"),
        ({"occurred_at": "2026-11-23T10:00:00"}, 400, "bad_request"),
        ({"occurred_at": "2099-01-01T00:00:00+08:00"}, 400, "bad_request"),
        ({"attachments": ["01890000-0000-7000-8000-000000000001"]}, 404, "unknown"),
    ],
)
async def test_a_refused_report_leaves_nothing(desk: Desk, changes: dict[str, Any], status: int, code: str) -> None:
    said = await desk.officer.post("/api/v1/reports", desk.said(**changes))
    assert (said.status, said.code) == (status, code), said.body
    assert await desk.count("reports") == 0
    assert await desk.count("idempotency_keys") == 0


async def test_gcj02_is_brought_home(desk: Desk) -> None:
    """The same spot as a domestic map writes it: missed, it would lie two cells away."""
    from geo.datum import Datum, from_wgs84

    lon, lat = from_wgs84(INSIDE.lon, INSIDE.lat, Datum.GCJ02)
    said = await desk.officer.post("/api/v1/reports", desk.said(location={"lon": lon, "lat": lat, "datum": "gcj02"}))
    assert said.body["case"]["cell"] == "620102001001001"


async def test_same_key_and_body_is_the_same_answer_and_one_case(desk: Desk) -> None:
    key = str(new_id())
    first = await desk.officer.post("/api/v1/reports", desk.said(), Idempotency_Key=key)
    again = await desk.officer.post("/api/v1/reports", desk.said(), Idempotency_Key=key)
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    assert await desk.count("cases") == 1


async def test_same_key_with_another_body_is_refused(desk: Desk) -> None:
    key = str(new_id())
    await desk.officer.post("/api/v1/reports", desk.said(), Idempotency_Key=key)
    other = await desk.officer.post("/api/v1/reports", desk.said(description="别的"), Idempotency_Key=key)
    assert (other.status, other.code) == (409, "idempotency_key_reused")


async def test_a_refused_report_may_be_sent_again_under_its_key(desk: Desk) -> None:
    key = str(new_id())
    refused = await desk.officer.post("/api/v1/reports", desk.said(category="nonsense"), Idempotency_Key=key)
    assert refused.status == 422
    assert (await desk.officer.post("/api/v1/reports", desk.said(), Idempotency_Key=key)).status == 201


async def test_a_hundred_at_once_with_every_tenth_twice_and_every_seventh_bad(desk: Desk) -> None:
    keys = [str(new_id()) for _ in range(100)]
    sent = [(key, desk.said(category="nonsense") if n % 7 == 0 else desk.said()) for n, key in enumerate(keys)]
    sent += sent[::10]
    answers = await asyncio.gather(
        *(desk.officer.post("/api/v1/reports", body, Idempotency_Key=key) for key, body in sent)
    )
    bad = len([n for n in range(100) if n % 7 == 0])
    assert [a.status for a in answers[:100]] == [422 if n % 7 == 0 else 201 for n in range(100)]
    for n, answer in enumerate(answers[100:]):
        assert answer.status == answers[n * 10].status
        if answer.status == 201:
            assert answer.body == answers[n * 10].body
    assert await desk.count("cases") == 100 - bad


async def test_staff_file_for_somebody_without_coordinates(desk: Desk) -> None:
    said = await desk.acceptor.post(
        "/api/v1/reports",
        {
            "category": desk.code,
            "description": "来电",
            "address": "张掖路 12 号门前",
            "source": "hotline",
            "reporter": {"name": "王女士", "phone": "13900000000"},
        },
    )
    assert said.status == 201, said.body
    assert (said.body["case"]["state"], said.body["case"]["pool"]) == ("reported", "locate")
    told = await desk.acceptor.get(f"/api/v1/cases/{said.body['case']['id']}")
    assert told.body["reports"][0]["has_reporter"] is True
    assert "王女士" not in str(told.body)
    assert "13900000000" not in str(told.body)


async def test_an_officer_always_says_where(desk: Desk) -> None:
    said = await desk.officer.post("/api/v1/reports", {"category": desk.code, "address": "那边"})
    assert (said.status, said.code, said.body["field"]) == (400, "bad_request", "location")
