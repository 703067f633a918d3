"""Calls over HTTP: what rings with me, how it is answered, who was called, and the alert for other systems."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

import pytest

from events.codec import decode
from gridsvc.actions.assign_case import assign_cases
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.store import outbox
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import DISTRICT

__all__ = ["desk"]  # the fixture

NAMESPACE = "{urn:oasis:names:tc:emergency:cap:1.2}"


async def heard(desk: Desk) -> None:
    """Let routing hear whatever was filed."""
    async with transaction(desk.api.pool, SERVICE) as (conn, now):
        rows = await outbox.claim(conn, now, 100)
        await assign_cases(conn, [decode(row.body) for row in rows if row.type == "case.filed"], now)  # type: ignore[misc]


@pytest.fixture
async def rings(desk: Desk) -> dict[str, Any]:
    """An emergency that officers handle, filed and called; three of them are on duty, and nobody sees where."""
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("UPDATE officers SET on_duty = false WHERE user_id = $1", desk.city.officers[0].user_id)
    case: dict[str, Any] = (await desk.dispatcher.post("/api/v1/reports", desk.said(category="300401"))).body["case"]
    await heard(desk)
    return case


async def say(by: Client, case: str, move: str, call: str, body: object = None) -> Any:
    return await by.post(f"/api/v1/cases/{case}/{move}", body, If_Match=f'"c:{call}"')


async def test_what_rings_with_me_says_how_to_answer_and_whoever_is_second_is_told_that_it_is_taken(
    desk: Desk, rings: dict[str, Any]
) -> None:
    [mine] = (await desk.officer.get("/api/v1/me/calls")).body["items"]
    assert (mine["case_id"], mine["move"], mine["round"]) == (rings["id"], "answer", 1)
    assert {"too_far", "other"} <= {each["code"] for each in mine["decline"]}
    [told] = (await desk.dispatcher.get(f"/api/v1/cases/{rings['id']}/calls")).body["items"]
    others = [each["officer"] for each in told["called"] if each["officer"] != str(desk.officer.user_id)]
    assert (told["id"], told["wanted"], told["ended_why"], len(others)) == (mine["id"], "owner", None, 2)
    assert "gridsvc_calls_ringing 1.0" in (await desk.api.nobody.get("/metrics")).body
    taken = await say(desk.officer, rings["id"], "answer", mine["id"], {"note": "马上到"})
    assert (taken.status, taken.body["state"], taken.body["officer"]) == (200, "accepted", str(desk.officer.user_id))
    again = await say(desk.officer, rings["id"], "answer", mine["id"])
    assert (again.status, again.code, again.body["by_you"]) == (409, "call_over", True)
    [told] = (await desk.dispatcher.get(f"/api/v1/cases/{rings['id']}/calls")).body["items"]
    assert (told["ended_why"], told["answered_by"], told["next_round_at"]) == (
        "answered", str(desk.officer.user_id), None,
    )  # fmt: skip
    assert (await desk.officer.get("/api/v1/me/calls")).body["items"] == []


async def test_a_call_is_declined_with_a_reason_of_the_list(desk: Desk, rings: dict[str, Any]) -> None:
    [mine] = (await desk.officer.get("/api/v1/me/calls")).body["items"]
    refused = await say(desk.officer, rings["id"], "decline", mine["id"], {"reason_code": "no_time"})
    assert (refused.status, refused.body["field"]) == (400, "reason_code")
    declined = await say(desk.officer, rings["id"], "decline", mine["id"], {"reason_code": "too_far"})
    assert (declined.status, declined.body["pool"]) == (200, "call")


async def test_who_was_never_called_does_not_answer(desk: Desk, rings: dict[str, Any]) -> None:
    [mine] = (await desk.officer.get("/api/v1/me/calls")).body["items"]
    stranger = await desk.api.somebody(Grant(role=Role.OFFICER, division=DISTRICT, duty_line="social"))
    assert (await say(stranger, rings["id"], "answer", mine["id"])).code == "not_allowed"


async def test_an_emergency_is_an_alert_without_a_word_that_was_typed(desk: Desk, rings: dict[str, Any]) -> None:
    told = await desk.dispatcher.get(f"/api/v1/cases/{rings['id']}/cap")
    assert told.status == 200
    assert told.headers["Content-Type"] == "application/cap+xml; charset=utf-8"
    root = ET.fromstring(told.body.encode())  # noqa: S314 - our own
    assert root.findtext(f"{NAMESPACE}incidents") == rings["number"]
    assert root.findtext(f"{NAMESPACE}scope") == "Restricted"
    polygon = root.findtext(f"{NAMESPACE}info/{NAMESPACE}area/{NAMESPACE}polygon") or ""
    assert polygon.split()[0] == polygon.split()[-1]
    assert 36 < float(polygon.split(",")[0]) < 37, "latitude first"
    assert root.findtext(f"{NAMESPACE}info/{NAMESPACE}area/{NAMESPACE}areaDesc") == (
        f"兰州市 城关区 张掖路街道 大众巷社区 {rings['cell']}"
    )
    detail = (await desk.dispatcher.get(f"/api/v1/cases/{rings['id']}")).body
    assert detail["case"]["description"] not in told.body
    elsewhere = await desk.api.somebody(Grant(role=Role.DISPATCHER, division="620199"))
    assert (await elsewhere.get(f"/api/v1/cases/{rings['id']}/cap")).status == 404


async def test_what_is_no_emergency_is_no_alert(desk: Desk) -> None:
    case = (await desk.dispatcher.post("/api/v1/reports", desk.said())).body["case"]
    refused = await desk.dispatcher.get(f"/api/v1/cases/{case['id']}/cap")
    assert (refused.status, refused.code, refused.body["wanted"]) == (422, "not_an_emergency", "emergency")
