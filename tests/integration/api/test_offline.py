"""How a phone says when it did what it sends later, and what it hears where the case has gone on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gridsvc.ids import new_id
from tests.integration.api.test_cases import routed
from tests.integration.api.test_reports import Desk, desk

__all__ = ["desk", "routed"]  # the fixtures


async def test_a_phone_measures_its_clock_without_signing_in(desk: Desk) -> None:
    told = await desk.api.nobody.get("/api/v1/time")
    async with desk.api.pool.acquire() as conn:
        now = await conn.fetchval("SELECT city_now()")
    assert (told.status, told.headers["Cache-Control"]) == (200, "no-store")
    assert 0 <= now.timestamp() * 1_000 - told.body["ms"] < 60_000


async def test_a_move_says_when_it_was_made_and_sent_again_gets_the_same_answer(
    desk: Desk, routed: dict[str, Any]
) -> None:
    path, key = f"/api/v1/cases/{routed['id']}/accept", str(new_id())
    phone = {
        "Idempotency-Key": key, "If-Match": f'"a:{routed["assignment"]}"', "Clock-Skew-Ms": "-1500",
        "Captured-At": datetime.now(UTC).isoformat(), "Last-Contact": routed["updated_at"],
    }  # fmt: skip
    first = await desk.officer.ask("POST", path, headers=phone)
    assert first.status == 200, first.body
    again = await desk.officer.ask("POST", path, headers={**phone, "Clock-Skew-Ms": "700"})
    assert (again.status, again.body, again.headers["Idempotent-Replayed"]) == (200, first.body, "true")
    [_, _, row] = (await desk.officer.get(f"/api/v1/cases/{routed['id']}/history")).body["items"]
    assert row["facts"]["captured"]["skew_ms"] == -1500


async def test_what_is_doubted_is_told_with_the_case(desk: Desk, routed: dict[str, Any]) -> None:
    later = (datetime.now(UTC) + timedelta(hours=2)).isoformat()
    said = await desk.officer.post(
        f"/api/v1/cases/{routed['id']}/accept", If_Match=f'"{routed["version"]}"', Captured_At=later
    )
    assert said.status == 200, said.body
    told = (await desk.officer.get(f"/api/v1/cases/{routed['id']}")).body
    assert [(each["move"], each["doubts"]) for each in told["doubted"]] == [
        ("accept", ["skew_unknown", "in_the_future"])
    ]


async def test_a_move_that_comes_too_late_hears_who_did_what(desk: Desk, routed: dict[str, Any]) -> None:
    path = f"/api/v1/cases/{routed['id']}/accept"
    said = await desk.officer.post(path, If_Match=f'"{routed["version"]}"')
    late = await desk.officer.post(path, If_Match=f'"{routed["version"]}"')
    assert (late.status, late.code, said.status) == (409, "version_conflict", 200)
    assert [(each["version"], each["move"]) for each in late.body["meanwhile"]] == [(said.body["version"], "accept")]
    assert late.body["meanwhile"][0]["actor_name"]


@pytest.mark.parametrize(
    ("headers", "field"),
    [
        ({"Captured-At": "yesterday"}, "Captured-At"),
        ({"Captured-At": "2026-11-23T10:00:00"}, "Captured-At"),
        ({"Captured-At": "0001-01-01T00:00:00Z"}, "Captured-At"),
        ({"Captured-At": "2026-11-23T10:00:00Z", "Clock-Skew-Ms": "1.5"}, "Clock-Skew-Ms"),
        ({"Captured-At": "2026-11-23T10:00:00Z", "Last-Contact": "now"}, "Last-Contact"),
        ({"Clock-Skew-Ms": "10"}, "Captured-At"),
    ],
    ids=["words", "no offset", "before phones", "a part of a millisecond", "a word", "of nothing"],
)
async def test_a_header_that_says_nothing_is_refused_by_name(desk: Desk, headers: dict[str, str], field: str) -> None:
    said = await desk.officer.ask("POST", "/api/v1/reports", json=desk.said(), headers=headers)
    assert (said.status, said.code, said.body["field"]) == (400, "bad_request", field)
