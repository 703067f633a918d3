"""A voice note says something and shows nothing: where a photograph is wanted, one must be among the files."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from gridsvc.db import transaction
from tests.integration.api.conftest import Client
from tests.integration.api.test_cases import routed
from tests.integration.api.test_checks import move
from tests.integration.api.test_reports import Desk, desk
from tests.integration.api.test_self_handling import photograph

__all__ = ["desk", "routed"]  # the fixtures


async def voice_note(desk: Desk, by: Client) -> str:
    spoken = await photograph(desk, by)
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("UPDATE attachments SET kind = 'sound' WHERE id = $1", UUID(spoken))
    return spoken


async def wants(desk: Desk, *moments: str) -> None:
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute("UPDATE categories SET evidence = $1", list(moments))


async def test_an_officers_report_wants_a_photograph_and_may_have_a_voice_note_beside_it(desk: Desk) -> None:
    await wants(desk, "report")
    spoken = await voice_note(desk, desk.officer)
    alone = await desk.officer.post("/api/v1/reports", desk.said(attachments=[spoken]))
    assert (alone.status, alone.code, alone.body["field"]) == (400, "bad_request", "attachments")
    both = await desk.officer.post(
        "/api/v1/reports", desk.said(attachments=[spoken, await photograph(desk, desk.officer)])
    )
    assert both.status == 201, both.body


async def test_work_is_handed_in_with_photographs_and_not_with_words(desk: Desk, routed: dict[str, Any]) -> None:
    await wants(desk, "before")
    case = (await move(desk.officer, routed, "accept")).body
    case = (await move(desk.officer, case, "start")).body
    spoken, shown = await voice_note(desk, desk.officer), await photograph(desk, desk.officer)
    after = await move(desk.officer, case, "hand_in", {"before": [shown], "evidence": [spoken]})
    assert (after.status, after.code, after.body["guard"]) == (422, "guard_failed", "brings_evidence")
    before = await move(desk.officer, case, "hand_in", {"before": [spoken], "evidence": [shown]})
    assert (before.status, before.code, before.body["field"]) == (400, "bad_request", "before")
    last = await photograph(desk, desk.officer)
    done = await move(desk.officer, case, "hand_in", {"before": [shown], "evidence": [last, spoken]})
    assert done.status == 200, done.body
