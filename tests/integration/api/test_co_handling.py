"""Parts of further departments and effects of a cause over HTTP: told to whoever sees them, and to nobody else."""

from __future__ import annotations

from typing import Any

import pytest

from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from tests.integration.api.conftest import Client
from tests.integration.api.test_checks import move
from tests.integration.api.test_reports import Desk, desk
from tests.integration.api.test_self_handling import photograph
from tests.integration.small_city import DISTRICT, category

__all__ = ["desk"]  # the fixture


async def handler(desk: Desk, department: str) -> Client:
    return await desk.api.somebody(Grant(role=Role.HANDLER, division=DISTRICT, department=department))


@pytest.fixture
async def main(desk: Desk) -> dict[str, Any]:
    """A case that the water company leads; `by` is its handler."""
    async with transaction(desk.api.pool) as (conn, _):
        code = await category(conn, handled_by="department")
    case = (await desk.officer.post("/api/v1/reports", desk.said(category=code))).body["case"]
    case = (await move(desk.dispatcher, case, "assign", {"department": "water"})).body
    water = await handler(desk, "water")
    return {**(await move(water, case, "accept")).body, "by": water}


async def test_a_part_is_asked_for_done_and_told(desk: Desk, main: dict[str, Any]) -> None:
    roads, gas = await handler(desk, "roads"), await handler(desk, "gas")
    path = f"/api/v1/cases/{main['id']}"
    assert (await roads.get(path)).code == "unknown"
    asked = await move(main["by"], main, "co_assign", {"department": "roads", "wanted": "围挡"})
    assert asked.status == 200, asked.body
    [task] = (await roads.get("/api/v1/me/parts")).body["items"]
    assert (task["case_id"], task["department"], task["wanted"], task["lead_department"], task["overdue"]) == (
        main["id"], "roads", "围挡", "water", False,
    )  # fmt: skip
    assert (await gas.get("/api/v1/me/parts")).body["items"] == []
    for client, filtered, many in (
        (roads, "co_department=roads", 1),
        (desk.dispatcher, "co_department=roads", 1),
        (desk.dispatcher, "co_department=gas", 0),
        (gas, "co_department=roads", 0),
    ):
        assert len((await client.get(f"/api/v1/cases?{filtered}")).body["items"]) == many

    clocks = (await desk.dispatcher.get(f"{path}/clocks")).body["items"]
    assert {(each["kind"], each["department"]) for each in clocks if each["state"] == "running"} == {
        ("handling", None),
        ("co_handling", "roads"),
    }
    [clock] = [each for each in clocks if each["part"] == task["id"]]
    assert (clock["due_at"], clock["ladder"], clock["budget_s"] > 0) == (task["due_at"], "co_handling", True)

    shown = [await photograph(desk, roads)]
    done = await move(roads, asked.body, "co_hand_in", {"reply": "已围挡", "evidence": shown})
    assert done.status == 200, done.body
    told = (await roads.get(path)).body
    [part] = told["parts"]
    assert (part["result"], part["reply"], part["evidence"], part["late"]) == ("done", "已围挡", shown, False)
    assert told["case"]["co_departments"] == []
    assert (await roads.get("/api/v1/me/parts")).body["items"] == []
    assert (await gas.get(path)).code == "unknown"


async def test_a_category_that_wants_photographs_wants_them_of_parts_too(desk: Desk, main: dict[str, Any]) -> None:
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("UPDATE categories SET evidence = '{before,after}'")
    roads = await handler(desk, "roads")
    asked = (await move(desk.dispatcher, main, "co_assign", {"department": "roads", "wanted": "围挡"})).body
    shown = [await photograph(desk, roads), await photograph(desk, roads)]
    for said, field in (({"before": shown[:1]}, "evidence"), ({"evidence": shown[:1]}, "before")):
        refused = await move(roads, asked, "co_hand_in", {"reply": "完成", **said})
        assert (refused.status, refused.body["field"]) == (400, field)
    done = await move(roads, asked, "co_hand_in", {"reply": "完成", "before": shown[:1], "evidence": shown[1:]})
    assert done.status == 200, done.body


async def test_a_cause_and_its_effects_are_shown_as_far_as_the_reader_sees_them(
    desk: Desk, main: dict[str, Any]
) -> None:
    effects = [(await desk.officer.post("/api/v1/reports", desk.said())).body["case"] for _ in range(3)]
    items = [{"case": each["id"], "version": each["version"]} for each in effects]
    said = await desk.dispatcher.post("/api/v1/bulk/link", {"items": items, "cause": main["id"]})
    assert (said.status, said.body["moved"]) == (200, 3), said.body
    seen = (await desk.dispatcher.get(f"/api/v1/cases/{main['id']}")).body["effects"]
    assert (seen["count"], [each["id"] for each in seen["items"]]) == (3, sorted(each["id"] for each in effects))
    assert {each["pool"] for each in seen["items"]} == {"cause"}
    effect = (await desk.dispatcher.get(f"/api/v1/cases/{effects[0]['id']}")).body
    assert (effect["cause"]["id"], effect["cause"]["state"], effect["clocks"]) == (main["id"], "accepted", [])
    listed = (await desk.dispatcher.get(f"/api/v1/cases?cause={main['id']}&pool=cause")).body["items"]
    assert len(listed) == 3

    assert (await main["by"].get(f"/api/v1/cases/{main['id']}")).body["effects"] == {"count": 0, "items": []}
    of_one_line = await desk.api.somebody(Grant(role=Role.DISPATCHER, division=DISTRICT, duty_line="social"))
    narrow = (await of_one_line.get(f"/api/v1/cases/{effects[0]['id']}")).body
    assert (narrow["cause"], narrow["case"]["cause"]) == (None, main["id"]), "its id, and nothing more"

    done = await move(main["by"], main, "hand_in", {"evidence": [await photograph(desk, main["by"])]})
    assert (await move(desk.acceptor, done.body, "close")).status == 200
    handled = (await desk.acceptor.get(f"/api/v1/cases?cause={main['id']}&state=handled")).body["items"]
    items = [{"case": each["id"], "version": each["version"]} for each in handled]
    said = await desk.acceptor.post("/api/v1/bulk/close", {"items": items, "note": "回访三户均已恢复"})
    assert (said.status, said.body["moved"], said.body["refused"]) == (200, 3, 0), said.body
