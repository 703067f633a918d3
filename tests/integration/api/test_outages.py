"""Outages over HTTP: declared, approved by another, ended, withdrawn; each refusal with its code."""

from __future__ import annotations

import argparse
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from gridsvc.actions.follow_outages import follow_outages
from gridsvc.commands import outage as outage_command
from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.ids import new_id
from tests.conftest import CityClock
from tests.integration.api.conftest import Client, settings_for
from tests.integration.api.test_clocks import clock_of, routed
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import CITY, DISTRICT

__all__ = ["desk"]  # the fixture


async def leader(desk: Desk, division: str = DISTRICT, role: Role = Role.SUPERVISOR, **axis: str) -> Client:
    return await desk.api.somebody(Grant(role=role, division=division, **axis))


async def now(desk: Desk) -> datetime:
    async with transaction(desk.api.pool) as (_, moment):
        return moment


async def step(by: Client, outage: dict[str, Any], what: str, **said: Any) -> Any:
    etag = f'"{outage["version"]}"'
    return await by.post(f"/api/v1/outages/{outage['id']}/{what}", said, If_Match=etag)


async def followed(desk: Desk) -> None:
    async with transaction(desk.api.pool) as (conn, moment):
        await follow_outages(conn, moment, 100)


async def test_a_morning_without_a_network_moves_a_working_deadline_by_its_working_time(
    desk: Desk, city_clock: CityClock, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Assigned on Monday at nine, sixteen working hours; the network is away from eleven until half past two."""
    declarer, chief = await leader(desk), await leader(desk, CITY, Role.ADMIN)
    _, case = await routed(desk, city_clock, "2026-11-09T09:00+08:00")
    due = datetime.fromisoformat((await clock_of(desk, case))["due_at"])
    await city_clock.forward(timedelta(hours=8))
    said = {"reason": "network_down", "division": DISTRICT, "from": "2026-11-09T11:00:00+08:00",
            "until": "2026-11-09T14:30:00+08:00", "words": "光缆被挖断"}  # fmt: skip
    key = str(new_id())
    made = await declarer.post("/api/v1/outages", said, Idempotency_Key=key)
    assert (made.status, made.body["state"], made.headers["ETag"]) == (201, "declared", '"1"'), made.body
    assert (await declarer.post("/api/v1/outages", said, Idempotency_Key=key)).body == made.body, "once"

    assert (await step(declarer, made.body, "approve")).code == "not_allowed", "a district does not approve"
    done = await step(chief, made.body, "approve", note="属实")
    assert (done.status, done.body["state"], done.body["approved_by"]) == (200, "approved", f"user:{chief.user_id}")
    await followed(desk)
    clock = await clock_of(desk, case)
    assert datetime.fromisoformat(clock["due_at"]) == due + timedelta(minutes=90), "an hour before lunch, half after"
    assert datetime.fromisoformat(clock["plain_due_at"]) == due
    assert [each["outage"] for each in clock["outages"]] == [made.body["id"]]
    assert [each["what"] for each in clock["outage_changes"]] == ["moved"]
    paused = [each for each in clock["intervals"] if each["name"] == "outage"]
    assert {each["why"] for each in paused} == {"paused"}
    history = (await desk.dispatcher.get(f"/api/v1/cases/{case.id}/history")).body["items"]
    assert (history[-1]["move"], history[-1]["facts"]["clocks"][0]["outage"]) == ("adjust", made.body["id"])

    told = (await desk.dispatcher.get(f"/api/v1/outages/{made.body['id']}")).body
    assert (told["deadlines_moved"], [each["step"] for each in told["steps"]]) == (1, ["declare", "approve"])
    listed = (await desk.dispatcher.get("/api/v1/outages?state=approved")).body["items"]
    assert [each["id"] for each in listed] == [made.body["id"]]
    parser = argparse.ArgumentParser()
    outage_command.add(parser.add_subparsers())
    assert await outage_command.run(parser.parse_args(["outage", "list"]), settings_for(database)) == 0
    assert "2026-11-09 11:00 – 2026-11-09 14:30" in capsys.readouterr().out

    gone = await step(declarer, told, "withdraw", note="误报")
    assert (gone.status, gone.body["state"]) == (200, "withdrawn")
    await followed(desk)
    assert datetime.fromisoformat((await clock_of(desk, case))["due_at"]) == due


async def test_what_cannot_be_is_refused_with_its_code(desk: Desk) -> None:
    both = await leader(desk, CITY)
    start = (await now(desk) - timedelta(hours=1)).isoformat()
    for wrong, code in (
        ({"reason": "holiday", "from": start}, "bad_request"),
        ({"reason": "other", "from": start}, "bad_request"),
        ({"reason": "flood", "from": start, "division": "999999"}, "bad_request"),
        ({"reason": "flood", "from": start, "department": "nobody"}, "bad_request"),
        ({"reason": "flood", "from": start, "duty_line": "none"}, "bad_request"),
        ({"reason": "flood", "from": start, "clocks": ["lunch"]}, "bad_request"),
        ({"reason": "flood", "from": start, "until": start}, "bad_request"),
        ({"reason": "flood"}, "bad_request"),
    ):
        assert (await both.post("/api/v1/outages", wrong)).code == code, wrong
    foreign = await leader(desk, "620103")
    said = {"reason": "flood", "from": start}
    assert (await foreign.post("/api/v1/outages", said)).code == "not_allowed", "the whole city is not a district's"
    made = (await both.post("/api/v1/outages", said)).body
    assert (await step(both, made, "approve")).code == "guard_failed", "who declared it does not approve it"
    assert (await both.post(f"/api/v1/outages/{made['id']}/approve", {})).code == "version_required"
    other = await leader(desk, CITY, Role.ADMIN)
    assert (await step(other, {**made, "version": 9}, "approve")).body["current_version"] == 1
    assert (await step(other, {**made, "id": str(UUID(int=1))}, "approve")).code == "unknown"
    assert (await step(other, made, "refuse")).code == "bad_request", "a refusal says why"
    refused = (await step(other, made, "refuse", note="没有影响")).body
    assert (refused["state"], refused["steps"][-1]["note"]) == ("refused", "没有影响")
    assert (await step(other, refused, "withdraw")).code == "wrong_moment"
    again = (await both.post("/api/v1/outages", said)).body
    ended = await step(both, again, "end", until=(await now(desk)).isoformat())
    assert (ended.status, ended.body["state"], ended.body["version"]) == (200, "declared", 2), "before it is approved"
