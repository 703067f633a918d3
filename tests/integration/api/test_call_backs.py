"""GET /api/v1/call-backs: each desk sees whom it has to ask, and never a name or a number."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gridsvc.domain.access import Grant, Role
from tests.conftest import CityClock
from tests.integration.api.conftest import Client
from tests.integration.api.test_checks import move
from tests.integration.api.test_reports import Desk, desk
from tests.integration.api.test_self_handling import photograph
from tests.integration.small_city import CITY, DISTRICT

__all__ = ["desk"]  # the fixture


@pytest.fixture
async def closed(desk: Desk) -> list[dict[str, Any]]:
    """Two closed cases whose reporters left a number, the first closed first."""
    return [await close(desk, phone) for phone in ("13812341234", "13956785678")]


async def close(desk: Desk, phone: str) -> dict[str, Any]:
    said = desk.said(source="hotline", reporter={"name": "张三丰", "phone": phone})
    case = (await desk.acceptor.post("/api/v1/reports", said)).body["case"]
    case = (await move(desk.dispatcher, case, "assign", {"officer": str(desk.officer.user_id)})).body
    case = (await move(desk.officer, case, "accept")).body
    case = (await move(desk.officer, case, "hand_in", {"evidence": [await photograph(desk, desk.officer)]})).body
    done: dict[str, Any] = (await move(desk.acceptor, case, "close")).body
    assert done["state"] == "closed", done
    return done


async def to_make(by: Client, query: str = "") -> list[dict[str, Any]]:
    told = await by.get(f"/api/v1/call-backs{query}")
    assert told.status == 200, told.body
    items: list[dict[str, Any]] = told.body["items"]
    return items


async def test_the_desk_sees_whom_to_ask_asks_and_the_case_tells_it(desk: Desk, closed: list[dict[str, Any]]) -> None:
    items = await to_make(desk.acceptor)
    assert [item["case_id"] for item in items] == [case["id"] for case in closed], "the first closed is due first"
    assert {(item["level"], item["division"], item["overdue"]) for item in items} == {("district", DISTRICT, False)}
    assert [each["code"] for each in items[0]["results"]] == ["solved", "not_solved", "unreachable", "no_wish"]
    assert not any(word in str(items) for word in ("张三丰", "13812341234")), "the number is opened, never listed"
    why = {"reason": "回访一次"}
    assert (await desk.acceptor.post(f"/api/v1/reports/{items[0]['report']}/reporter-openings", why)).status == 201
    said = {"call_back": items[0]["id"], "result": "solved", "satisfaction": 4, "note": "已修好"}
    done = await move(desk.acceptor, {"id": items[0]["case_id"], "version": items[0]["version"]}, "call_back", said)
    assert (done.status, done.body["state"]) == (200, "closed"), done.body
    told = (await desk.acceptor.get(f"/api/v1/cases/{closed[0]['id']}")).body
    assert [(each["level"], each["result"], each["satisfaction"]) for each in told["call_backs"]] == [
        ("district", "solved", 4), ("city", None, None),
    ]  # fmt: skip
    assert [clock["kind"] for clock in told["clocks"]] == ["call_back"]
    clocks = (await desk.acceptor.get(f"/api/v1/cases/{closed[0]['id']}/clocks")).body["items"]
    assert [clock["state"] for clock in clocks if clock["kind"] == "call_back"] == ["stopped", "running"]
    assert len(await to_make(desk.acceptor)) == 1
    refused = await move(desk.acceptor, {"id": closed[0]["id"], "version": done.body["version"]}, "call_back", said)
    assert (refused.status, refused.body["guard"]) == (422, "call_back_waits")


async def test_the_citys_desk_sees_both_levels_and_the_districts_only_its_own(
    desk: Desk, closed: list[dict[str, Any]]
) -> None:
    city = await desk.api.somebody(Grant(role=Role.ACCEPTOR, division=CITY))
    [first, _] = await to_make(desk.acceptor)
    case = {"id": first["case_id"], "version": first["version"]}
    assert (await move(desk.acceptor, case, "call_back", {"call_back": first["id"], "result": "solved"})).status == 200
    assert sorted(item["level"] for item in await to_make(city)) == ["city", "district"]
    assert [item["level"] for item in await to_make(city, "?level=city")] == ["city"]
    assert [item["level"] for item in await to_make(desk.acceptor)] == ["district"]
    assert await to_make(desk.acceptor, "?level=city") == []
    assert (await desk.dispatcher.get("/api/v1/call-backs")).status == 403
    assert (await city.get("/api/v1/call-backs?level=street")).status == 400
    offered = {
        name: (await by.get(f"/api/v1/cases/{case['id']}")).body["moves"]
        for name, by in (("district", desk.acceptor), ("city", city))
    }
    assert ["call_back" in offered[name] for name in ("district", "city")] == [False, True]


async def test_the_list_goes_on_where_it_ended_and_tells_what_is_late(
    desk: Desk, closed: list[dict[str, Any]], city_clock: CityClock
) -> None:
    page = (await desk.acceptor.get("/api/v1/call-backs?limit=1")).body
    rest = (await desk.acceptor.get(f"/api/v1/call-backs?limit=1&cursor={page['next']}")).body
    assert [each["case_id"] for each in (*page["items"], *rest["items"])] == [case["id"] for case in closed]
    assert await to_make(desk.acceptor, "?overdue=true") == []
    await city_clock.forward(timedelta(days=4))
    fresh = await desk.api.somebody(Grant(role=Role.ACCEPTOR, division=DISTRICT))
    assert len(await to_make(fresh, "?overdue=true")) == 2
    assert await to_make(fresh, "?overdue=false") == []
