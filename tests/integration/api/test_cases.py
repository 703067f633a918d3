"""Cases over HTTP: found by what they are, explained, and moved by whoever may on what he saw."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from gridsvc.actions.assign_case import assign_cases
from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import INSIDE, STEP
from tests.integration.stories.conftest import Town

__all__ = ["desk"]  # the fixture


@pytest.fixture
async def routed(desk: Desk) -> Any:
    """A case that the desk's officer answers for (the other officers are off duty)."""
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("UPDATE officers SET on_duty = (user_id = $1)", desk.officer.user_id)
    said = await desk.officer.post("/api/v1/reports", desk.said())
    case_id = said.body["case"]["id"]
    town = Town(desk.city, desk.api.pool, None)  # type: ignore[arg-type]  # routing takes no numbers
    [filed] = await town.told(UUID(case_id))
    async with transaction(desk.api.pool) as (conn, now):
        await assign_cases(conn, [filed], now)
    return (await desk.officer.get(f"/api/v1/cases/{case_id}")).body["case"]


async def move(by: Client, case: dict[str, Any], name: str, body: object = None, version: int | None = None) -> Any:
    return await by.post(f"/api/v1/cases/{case['id']}/{name}", body, If_Match=f'"{version or case["version"]}"')


async def test_one_case_comes_with_owner_clocks_and_what_can_be_done(desk: Desk, routed: dict[str, Any]) -> None:
    told = await desk.officer.get(f"/api/v1/cases/{routed['id']}")
    assert told.headers["ETag"] == f'"{routed["version"]}"'
    assert told.body["assignment"]["officer"] == str(desk.officer.user_id)
    assert {clock["kind"] for clock in told.body["clocks"]} == {"acknowledge", "handling"}
    assert "accept" in told.body["moves"]


async def test_the_owner_accepts_and_the_case_moves_on_a_version(desk: Desk, routed: dict[str, Any]) -> None:
    said = await move(desk.officer, routed, "accept")
    assert said.status == 200, said.body
    assert (said.body["state"], said.body["version"]) == ("accepted", routed["version"] + 1)


async def test_a_move_without_a_version_is_refused(desk: Desk, routed: dict[str, Any]) -> None:
    said = await desk.officer.post(f"/api/v1/cases/{routed['id']}/accept")
    assert (said.status, said.code) == (428, "version_required")


async def test_a_move_on_an_old_version_is_told_the_new_one(desk: Desk, routed: dict[str, Any]) -> None:
    said = await move(desk.officer, routed, "accept", version=1)
    assert (said.status, said.code, said.body["current_version"]) == (409, "version_conflict", routed["version"])


async def test_twenty_presses_at_once_make_one_winner(desk: Desk, routed: dict[str, Any]) -> None:
    answers = await asyncio.gather(*(move(desk.officer, routed, "accept") for _ in range(20)))
    assert sorted(answer.status for answer in answers) == [200] + [409] * 19


async def test_a_move_needs_what_the_table_says(desk: Desk, routed: dict[str, Any]) -> None:
    said = await move(desk.officer, routed, "return")
    assert (said.status, said.code, said.body["field"]) == (400, "bad_request", "reason")


async def test_a_move_at_the_wrong_moment_names_those_that_are_right(desk: Desk, routed: dict[str, Any]) -> None:
    said = await move(desk.officer, routed, "start")
    assert (said.status, said.code) == (409, "wrong_moment")
    assert "accept" in said.body["allowed"]


async def test_a_role_that_may_never_do_it_is_told_so(desk: Desk, routed: dict[str, Any]) -> None:
    assert (await move(desk.officer, routed, "cancel", {"reason": "x"})).status == 403


async def test_the_clocks_are_explained_without_a_gap(desk: Desk, routed: dict[str, Any]) -> None:
    told = await desk.officer.get(f"/api/v1/cases/{routed['id']}/clocks")
    for clock in told.body["items"]:
        stretches = clock["intervals"]
        assert stretches[0]["start"] == clock["started_at"]
        assert [a["end"] for a in stretches[:-1]] == [b["start"] for b in stretches[1:]]


async def test_the_routing_names_every_candidate(desk: Desk, routed: dict[str, Any]) -> None:
    [told] = (await desk.officer.get(f"/api/v1/cases/{routed['id']}/routing")).body["items"]
    lost = [c["lost_because"] for c in told["reasons"]["candidates"]]
    assert sorted(lost, key=str) == [None, "off duty", "off duty", "off duty"]


async def test_the_history_is_chained_and_paged(desk: Desk, routed: dict[str, Any]) -> None:
    first = await desk.officer.get(f"/api/v1/cases/{routed['id']}/history?limit=1")
    assert [row["move"] for row in first.body["items"]] == ["file"]
    rest = await desk.officer.get(f"/api/v1/cases/{routed['id']}/history?limit=5&cursor={first.body['next']}")
    assert [row["move"] for row in rest.body["items"]] == ["assign"]
    assert rest.body["next"] is None


async def test_cases_are_paged_newest_first_without_repeat_or_gap(desk: Desk) -> None:
    sent = [(await desk.officer.post("/api/v1/reports", desk.said())).body["case"]["id"] for _ in range(7)]
    seen: list[str] = []
    cursor = ""
    while True:
        page = (await desk.officer.get(f"/api/v1/cases?limit=3{cursor}")).body
        seen += [case["id"] for case in page["items"]]
        if page["next"] is None:
            break
        cursor = f"&cursor={page['next']}"
    assert seen == sent[::-1]


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("state=filed", 2),
        ("state=filed&state=closed", 2),
        ("state=closed", 0),
        ("cell=620102001001001", 1),
        ("division=620102001", 2),
        ("division=620103", 0),
        ("beat=B1", 2),
        ("pool=routing", 2),
        ("source=officer", 2),
        ("severity=high", 2),
        ("severity=emergency", 0),
        ("overdue=true", 0),
        ("overdue=false", 2),
        (f"bbox={INSIDE.lon - 1e-4},{INSIDE.lat - 1e-4},{INSIDE.lon + 1e-4},{INSIDE.lat + 1e-4}", 1),
        ("q=%E4%BA%95%E7%9B%96", 2),
        ("q=%25", 0),
        ("updated_after=2020-01-01T00:00:00Z", 2),
        ("updated_after=2099-01-01T00:00:00Z", 0),
    ],
)
async def test_a_list_is_narrowed_by(desk: Desk, query: str, found: int) -> None:
    await desk.officer.post("/api/v1/reports", desk.said())
    next_cell = {"lon": INSIDE.lon + STEP, "lat": INSIDE.lat, "datum": "wgs84"}
    await desk.officer.post("/api/v1/reports", desk.said(location=next_cell))
    told = await desk.officer.get(f"/api/v1/cases?{query}")
    assert told.status == 200, told.body
    assert len(told.body["items"]) == found


@pytest.mark.parametrize(
    "query", ["state=nonsense", "severity=grave", "bbox=1,2,3", "bbox=5,5,1,1", "limit=0", "cursor=%00", "colour=red"]
)
async def test_a_filter_that_is_none_is_refused(desk: Desk, query: str) -> None:
    told = await desk.officer.get(f"/api/v1/cases?{query}")
    assert (told.status, told.code) == (400, "bad_request")


async def test_what_lies_outside_the_callers_area_is_not_there(desk: Desk, routed: dict[str, Any]) -> None:
    stranger = await desk.api.somebody(Grant(role=Role.DISPATCHER, division="620103"))
    assert (await stranger.get("/api/v1/cases")).body["items"] == []
    for path in ("", "/history", "/clocks", "/routing"):
        assert (await stranger.get(f"/api/v1/cases/{routed['id']}{path}")).status == 404
    assert (await move(stranger, routed, "cancel", {"reason": "x"})).status == 404
