"""Categories over HTTP: all that an edition says of them, and what a report's condition does to its case."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest
from aiohttp import ClientSession

from gridsvc.db import ConnPool, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.local.starter_categories import CATEGORIES, EDITION
from tests.integration.api.conftest import Api, Client, Said, running, settings_for
from tests.integration.small_city import DISTRICT, INSIDE, found_small_city


@dataclass(frozen=True)
class Desk:
    """The service on the small city under the starter rules, and somebody at the desk."""

    acceptor: Client
    pool: ConnPool

    async def report(self, **changes: object) -> Said:
        said = {
            "category": "100101",
            "location": {"lon": INSIDE.lon, "lat": INSIDE.lat, "datum": "wgs84"},
            **changes,
        }
        return await self.acceptor.post("/api/v1/reports", said)


@pytest.fixture
async def desk(database: str, pool: ConnPool, http: ClientSession) -> AsyncIterator[Desk]:
    async with transaction(pool) as (conn, _):
        await found_small_city(conn)
    async with running(settings_for(database)) as (app, url):
        acceptor = await Api(app, http, url, pool).somebody(Grant(role=Role.ACCEPTOR, division=DISTRICT))
        yield Desk(acceptor, pool)


async def test_an_edition_is_told_whole(desk: Desk) -> None:
    items = (await desk.acceptor.get("/api/v1/categories")).body["items"]
    assert [item["ref"] for item in items] == [category.code for category in CATEGORIES]
    [cover] = [item for item in items if item["ref"] == "100101"]
    assert (cover["major"], cover["major_name"], cover["major_name_en"]) == ("1001", "公用设施", "Public utilities")
    assert (cover["department"], cover["handled_by"], cover["severity"]) == ("water", "department", "high")
    assert (cover["files_itself"], cover["dispatches_itself"], cover["evidence"]) == (True, True, [])
    assert (cover["duplicate_radius_m"], cover["duplicate_window_h"]) == (50, 24)
    assert cover["limit"] == {"amount": 2.0, "unit": "urgent_hour"}
    assert cover["limits"][1] == {
        "condition": "2", "management_level": None, "stage": "handling", "amount": 4.0, "unit": "work_hour"
    }  # fmt: skip
    assert cover["conditions"][0] == {
        "code": "1", "says": "井盖缺失、移位或开裂，危及行人车辆", "closing": "恢复原状", "is_default": True
    }  # fmt: skip


async def test_one_category_is_found_by_its_code_or_by_edition_and_code(desk: Desk) -> None:
    by_code = (await desk.acceptor.get("/api/v1/categories/100101")).body
    by_edition = (await desk.acceptor.get(f"/api/v1/categories/{EDITION}:100101")).body
    assert by_code == by_edition
    assert by_code["ref"] == "100101"
    for nothing in ("100199", "2007:100101"):
        assert (await desk.acceptor.get(f"/api/v1/categories/{nothing}")).code == "unknown"


async def test_the_editions_are_listed_with_the_one_in_force_first(desk: Desk) -> None:
    async with transaction(desk.pool) as (conn, _):
        await conn.execute("INSERT INTO category_editions (code, name) VALUES ('2007', 'CJ/T 214-2007')")
    items = (await desk.acceptor.get("/api/v1/category-editions")).body["items"]
    assert [(each["code"], each["is_default"], each["categories"]) for each in items] == [
        (EDITION, True, len(CATEGORIES)), ("2007", False, 0)
    ]  # fmt: skip


async def test_a_report_may_name_its_condition_and_the_case_says_which_limit_that_gives(desk: Desk) -> None:
    said = await desk.report(condition="2")
    assert said.status == 201
    case = said.body["case"]
    assert case["condition"] == "2"
    detail = (await desk.acceptor.get(f"/api/v1/cases/{case['id']}")).body
    assert (detail["case"]["condition"], detail["case"]["management_level"]) == ("2", "A")
    assert detail["limit"] == {"amount": 4.0, "unit": "work_hour", "condition": "2", "management_level": None}


async def test_without_a_condition_the_default_one_s_limit_holds(desk: Desk) -> None:
    said = await desk.report(category="100104")
    detail = (await desk.acceptor.get(f"/api/v1/cases/{said.body['case']['id']}")).body
    assert detail["case"]["condition"] is None
    assert detail["limit"] == {"amount": 1.0, "unit": "work_day", "condition": "2", "management_level": None}


async def test_an_unknown_condition_is_refused_with_what_is_wanted(desk: Desk) -> None:
    said = await desk.report(condition="9")
    assert (said.status, said.code) == (422, "unknown_condition")
    assert said.body["wanted"][0].startswith("1: 井盖缺失")
    none = await desk.report(category="100137", condition="1")
    assert none.body["wanted"] == "none: leave it out"
