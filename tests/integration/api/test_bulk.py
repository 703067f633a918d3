"""POST /api/v1/bulk/{move}: many cases in one call, each moved or refused for itself."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import uuid4

import pytest

from gridsvc.domain.access import Grant, Role
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import CITY, DISTRICT

__all__ = ["desk"]  # the fixture


@pytest.fixture
async def three(desk: Desk) -> list[dict[str, Any]]:
    """Three filed cases, the oldest first."""
    return [(await desk.officer.post("/api/v1/reports", desk.said())).body["case"] for _ in range(3)]


def items(cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"case": case["id"], "version": case["version"]} for case in cases]


async def bulk(by: Client, move: str, cases: list[dict[str, Any]], **said: Any) -> Any:
    return await by.post(f"/api/v1/bulk/{move}", {"items": items(cases), **said})


async def assigned(desk: Desk, cases: list[dict[str, Any]]) -> list[dict[str, Any]]:
    said = await bulk(desk.dispatcher, "assign", cases, department="water")
    assert (said.status, said.body["moved"]) == (200, len(cases)), said.body
    return [each["moved"] for each in said.body["items"]]


async def test_a_page_of_cases_is_dispatched_in_one_call(desk: Desk, three: list[dict[str, Any]]) -> None:
    moved = await assigned(desk, three[::-1])
    assert [each["id"] for each in moved] == [case["id"] for case in three[::-1]], "in the order they were named"
    assert {(each["state"], each["department"]) for each in moved} == {("assigned", "water")}


async def test_one_that_is_refused_keeps_the_others(desk: Desk, three: list[dict[str, Any]]) -> None:
    one, two, three_ = three
    stale, unknown = {**two, "version": 9}, {"id": str(uuid4()), "version": 1}
    said = await bulk(desk.dispatcher, "assign", [one, stale, unknown, three_], department="water")
    assert (said.status, said.body["moved"], said.body["refused"]) == (200, 2, 2)
    assert [each["refused"] and each["refused"]["code"] for each in said.body["items"]] == [
        None, "version_conflict", "unknown", None,
    ]  # fmt: skip
    assert said.body["items"][1]["refused"]["facts"]["current_version"] == 1
    states = {case["id"]: case["state"] for case in (await desk.dispatcher.get("/api/v1/cases")).body["items"]}
    assert states == {one["id"]: "assigned", two["id"]: "filed", three_["id"]: "assigned"}


async def test_what_lies_outside_the_callers_area_stays_outside_after_a_move_that_was_made(
    desk: Desk, three: list[dict[str, Any]]
) -> None:
    """Each move ends as the service; the next item must not inherit that."""
    both = await desk.api.somebody(
        Grant(role=Role.DISPATCHER, division=DISTRICT, duty_line="social"),
        Grant(role=Role.OFFICER, division="620103", duty_line="social"),
    )
    foreign = (await desk.acceptor.post("/api/v1/reports", desk.said(category="100101"))).body["case"]
    assert foreign["divisions"][0]["code"] == CITY
    order = sorted([*three, foreign], key=lambda case: str(case["id"]))
    said = await bulk(both, "assign", order, department="water")
    assert order[-1]["id"] == foreign["id"], "it comes last, after three moves that were made"
    codes = [each["refused"] and each["refused"]["code"] for each in said.body["items"]]
    assert codes == [None, None, None, "unknown"], "not even that there is such a case"


async def test_suspending_extending_and_reminding_many(desk: Desk, three: list[dict[str, Any]]) -> None:
    moved = await assigned(desk, three)
    extended = (await bulk(desk.dispatcher, "extend", moved, reason_code="parts")).body
    assert extended["moved"] == 3
    reminded = (await bulk(desk.acceptor, "remind", [each["moved"] for each in extended["items"]], note="请尽快")).body
    assert reminded["moved"] == 3
    now = [each["moved"] for each in reminded["items"]]
    until = {"until": "2020-01-01T00:00:00+08:00", "reason_code": "weather"}
    past = (await bulk(desk.dispatcher, "suspend", now, **until)).body
    assert [each["refused"]["facts"]["guard"] for each in past["items"]] == ["ends_within_a_year"] * 3


async def test_an_assignment_may_be_named_instead_of_a_version(desk: Desk, three: list[dict[str, Any]]) -> None:
    [one, *_] = await assigned(desk, three)
    named = [{"case": one["id"], "assignment": one["assignment"]}]
    said = await desk.dispatcher.post("/api/v1/bulk/remind", {"items": named})
    assert said.body["moved"] == 1
    for wrong in ({"case": one["id"]}, {**named[0], "version": 1}):
        refused = await desk.dispatcher.post("/api/v1/bulk/remind", {"items": [wrong]})
        assert (refused.status, refused.body["field"]) == (400, "items[0]")


async def test_one_named_twice_moves_once(desk: Desk, three: list[dict[str, Any]]) -> None:
    said = (await bulk(desk.dispatcher, "assign", [three[0], three[0]], department="water")).body
    assert [each["refused"] and each["refused"]["code"] for each in said["items"]] == [None, "version_conflict"]


async def test_sent_again_with_its_key_it_gets_the_first_answer(desk: Desk, three: list[dict[str, Any]]) -> None:
    body = {"items": items([*three, {"id": str(uuid4()), "version": 1}]), "department": "water"}
    first = await desk.dispatcher.post("/api/v1/bulk/assign", body, Idempotency_Key="page-one")
    again = await desk.dispatcher.post("/api/v1/bulk/assign", body, Idempotency_Key="page-one")
    assert again.body == first.body
    assert (first.body["moved"], first.body["refused"]) == (3, 1)


async def test_two_dispatchers_with_the_same_page_in_opposite_orders_make_one_winner_each(
    desk: Desk, three: list[dict[str, Any]]
) -> None:
    other = await desk.api.somebody(Grant(role=Role.DISPATCHER, division=DISTRICT))
    one, two = await asyncio.gather(
        bulk(desk.dispatcher, "assign", three, department="water"),
        bulk(other, "assign", three[::-1], department="drainage"),
    )
    assert (one.status, two.status) == (200, 200)
    assert one.body["moved"] + two.body["moved"] == 3


async def test_nobody_closes_a_page_of_cases_unseen(desk: Desk, three: list[dict[str, Any]]) -> None:
    assert (await bulk(desk.acceptor, "merge", three)).status == 404
    said = (await bulk(desk.acceptor, "close", three)).body
    assert {each["refused"]["facts"]["guard"] for each in said["items"]} == {"handled_with_its_cause"}


async def test_a_page_is_undone_by_its_id_and_what_was_touched_since_is_left_alone(
    desk: Desk, three: list[dict[str, Any]]
) -> None:
    made = (await bulk(desk.dispatcher, "assign", three, officer=str(desk.officer.user_id))).body
    one = made["items"][0]["moved"]
    touched = await desk.officer.post(f"/api/v1/cases/{one['id']}/accept", If_Match=f'"{one["version"]}"')
    assert touched.status == 200, touched.body
    path = f"/api/v1/bulk/{made['id']}/undo"
    said = await desk.dispatcher.post(path)
    assert (said.status, said.body["move"], said.body["undone"], said.body["refused"]) == (200, "assign", 2, 1)
    by_case = {each["case"]: each for each in said.body["items"]}
    assert by_case[one["id"]]["refused"]["code"] == "version_conflict"
    cases = (await desk.dispatcher.get("/api/v1/cases")).body["items"]
    assert sorted((case["state"], case["pool"]) for case in cases) == [
        ("accepted", None), ("filed", "routing"), ("filed", "routing"),
    ]  # fmt: skip
    again = await desk.dispatcher.post(path)
    assert again.body == said.body, "twice changes nothing"
    history = (await desk.dispatcher.get(f"/api/v1/cases/{three[1]['id']}/history")).body["items"]
    assert [(row["move"], row["facts"].get("undone")) for row in history][-2:] == [("assign", None), ("undo", "assign")]


async def test_nobody_else_finds_the_page_to_undo(desk: Desk, three: list[dict[str, Any]]) -> None:
    made = (await bulk(desk.dispatcher, "remind", await assigned(desk, three))).body
    path = f"/api/v1/bulk/{made['id']}/undo"
    stranger = await desk.api.somebody(Grant(role=Role.SUPERVISOR, division="620103"))
    assert ((await stranger.post(path)).status, (await desk.officer.post(path)).status) == (404, 403)
    above = await desk.api.somebody(Grant(role=Role.SUPERVISOR, division=CITY))
    assert (await above.post(path)).body["undone"] == 3
    assert (await above.post(f"/api/v1/bulk/{uuid4()}/undo")).status == 404
