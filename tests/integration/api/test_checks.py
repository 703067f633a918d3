"""GET /api/v1/me/checks, and what a case tells of checks and orders."""

from __future__ import annotations

from typing import Any

import pytest

from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.api.test_self_handling import photograph
from tests.integration.small_city import DISTRICT

__all__ = ["desk"]  # the fixture


async def move(by: Client, case: dict[str, Any], name: str, body: object = None) -> Any:
    return await by.post(f"/api/v1/cases/{case['id']}/{name}", body, If_Match=f'"{case["version"]}"')


@pytest.fixture
async def waiting(desk: Desk) -> dict[str, Any]:
    """A case that a desk must file, and the desk's officer the only one on duty."""
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("UPDATE officers SET on_duty = (user_id = $1)", desk.officer.user_id)
        wanted = await conn.fetchval("SELECT code FROM categories WHERE duty_line = 'social' AND NOT files_itself")
    case: dict[str, Any] = (await desk.acceptor.post("/api/v1/reports", desk.said(category=wanted))).body["case"]
    return case


async def test_a_check_is_a_task_with_all_that_is_needed_to_do_it(desk: Desk, waiting: dict[str, Any]) -> None:
    assert (await desk.officer.get("/api/v1/me/checks")).body == {"items": [], "next": None}
    sent = await move(desk.acceptor, waiting, "send_check", {"note": "看三单元"})
    assert sent.status == 200, sent.body
    [task] = (await desk.officer.get("/api/v1/me/checks")).body["items"]
    assert (task["case_id"], task["kind"], task["note"]) == (waiting["id"], "pre_filing_check", "看三单元")
    assert [each["code"] for each in task["results"]] == ["confirmed", "elsewhere", "not_found"]
    done = await move(
        desk.officer, {"id": task["case_id"], "version": task["version"]}, "check",
        {"result": "not_found", "evidence": [await photograph(desk, desk.officer)]},
    )  # fmt: skip
    assert done.status == 200, done.body
    assert (await desk.officer.get("/api/v1/me/checks")).body["items"] == []
    told = (await desk.acceptor.get(f"/api/v1/cases/{waiting['id']}")).body
    [check] = told["checks"]
    assert (check["result"], check["rule"], told["case"]["checker"]) == ("not_found", "of_the_beat", None)


async def test_a_result_without_a_photograph_is_none(desk: Desk, waiting: dict[str, Any]) -> None:
    sent = (await move(desk.acceptor, waiting, "send_check")).body
    refused = await move(desk.officer, sent, "check", {"result": "confirmed"})
    assert (refused.status, refused.body["field"]) == (400, "evidence")


async def test_another_officer_has_no_such_task(desk: Desk, waiting: dict[str, Any]) -> None:
    await move(desk.acceptor, waiting, "send_check")
    other = await desk.api.somebody(Grant(role=Role.OFFICER, division=DISTRICT, duty_line="social"))
    assert (await other.get("/api/v1/me/checks")).body["items"] == []


async def test_an_order_and_its_reply_stand_on_the_case(desk: Desk, waiting: dict[str, Any]) -> None:
    supervisor = await desk.api.somebody(Grant(role=Role.SUPERVISOR, division=DISTRICT))
    ordered = await move(supervisor, waiting, "supervise", {"reason": "超时", "level": "urgent", "wanted": "何时立案"})
    assert ordered.status == 200, ordered.body
    replied = await move(desk.dispatcher, ordered.body, "reply", {"reply": "马上"})
    assert replied.status == 200, replied.body
    [order] = (await supervisor.get(f"/api/v1/cases/{waiting['id']}")).body["orders"]
    assert (order["level"], order["wanted"], order["reply"]) == ("urgent", "何时立案", "马上")
