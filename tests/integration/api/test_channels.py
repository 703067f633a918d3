"""My channels are mine, masked; who was not reached is seen by the desk in whose area the case lies."""

from __future__ import annotations

from typing import Any

from gridsvc.db import transaction
from gridsvc.domain.access import Role
from tests.integration.api.conftest import SOUTH, a
from tests.integration.api.test_cases import routed
from tests.integration.api.test_reports import Desk, desk

__all__ = ["desk", "routed"]  # the fixtures

NOT_REACHED = """
WITH told AS (
  INSERT INTO notices (id, user_id, event_id, case_id, kind, body, created_at)
  SELECT gen_random_uuid(), $1, gen_random_uuid(), $2, 'case.assigned', '{}', now() RETURNING id
), gone AS (
  INSERT INTO reachings (notice_id, after_s, place, state, ended_at)
  SELECT id, 60, 1, 'not_reached', now() FROM told RETURNING notice_id
)
INSERT INTO channel_tries (id, notice_id, channel, made_at, state, outcome, ended_at)
SELECT gen_random_uuid(), notice_id, 'sms', now(), 'failed', '500', now() FROM gone
"""


async def test_a_person_sees_his_channels_masked_and_the_desk_whom_nothing_reached(
    desk: Desk, routed: dict[str, Any]
) -> None:
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("INSERT INTO channels (code, place, url, template) VALUES ('sms', 1, 'http://x/', '{}')")
        await conn.execute(
            "INSERT INTO channel_addresses VALUES ($1, 'sms', 'x', '138******78', now())", desk.officer.user_id
        )
        await conn.execute(NOT_REACHED, desk.officer.user_id, routed["id"])
    [mine] = (await desk.officer.get("/api/v1/me/channels")).body["items"]
    assert (mine["code"], mine["place"], mine["address"]) == ("sms", 1, "138******78")
    near = desk.dispatcher
    told = await near.get("/api/v1/notices/not-reached")
    assert told.status == 200, told.body
    [listed] = told.body["items"]
    assert (listed["case_id"], listed["user_id"]) == (routed["id"], str(desk.officer.user_id))
    assert (listed["kind"], listed["channels"]) == ("case.assigned", ["sms:failed"])
    far = await desk.api.somebody(a(Role.DISPATCHER, SOUTH))
    assert (await far.get("/api/v1/notices/not-reached")).body["items"] == []
    assert (await near.get("/api/v1/me/channels")).body["items"] == []
