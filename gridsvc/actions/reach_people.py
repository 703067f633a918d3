"""Notices that nobody acknowledges go on: to the next channel of their person, and at last the desk hears (触达)."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from events.catalog import CaseNotReached
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.domain.pushing import CODE as PUSH
from gridsvc.domain.reaching import LEASE, Channel, Next, Outcome, again_at, next_channel, rests_until
from gridsvc.ids import new_id
from gridsvc.store import cases, channels, outbox
from gridsvc.store.channels import Going, Try
from gridsvc.store.rows import rows_text

_WORKER = "worker:notices"


async def go_on(conn: Conn, now: datetime, limit: int) -> int:
    """Send up to `limit` notices whose time has come to their next channel, or end them; how many that were.

    As the service, in the caller's transaction. Others skip what this one holds.
    """
    due = await channels.LOCK_DUE.all(conn, now, limit)
    if not due:
        return 0
    ways = await channels.ways(conn, sorted({each.user_id for each in due}), now)
    after: list[dict[str, Any]] = []
    tries: list[dict[str, Any]] = []
    lost: list[Going] = []
    for each in due:
        further = next_channel(
            ways.get(each.user_id, ()), each.place, now, acknowledged=each.acknowledged, over=each.over
        )
        if isinstance(further, Channel):
            tries.append({"id": new_id(), "notice_id": each.notice_id, "channel": further.code})
            waits = now + timedelta(seconds=each.after_s)
            after.append(
                {"notice_id": each.notice_id, "place": further.place, "next_at": waits, "state": "waiting"}
            )
            continue
        after.append({"notice_id": each.notice_id, "place": each.place, "next_at": None, "state": str(further)})
        if further is Next.NOT_REACHED:
            lost.append(each)
    await channels.GO_ON.run(conn, rows_text(after), now)
    if tries:
        await channels.ADD_TRIES.run(conn, rows_text(tries), now)
    await _tell_desks(conn, lost, now)
    return len(due)


async def _tell_desks(conn: Conn, lost: list[Going], now: datetime) -> None:
    news = []
    for each in lost:
        case = await cases.read(conn, each.case_id) if each.case_id is not None else None
        if case is None:
            continue
        common = news_of(case, _WORKER, now)
        news.append(CaseNotReached(**common, user_id=each.user_id, notice_id=each.notice_id, kind=each.kind))
    await outbox.append(conn, news, now)


async def claim_tries(conn: Conn, now: datetime, limit: int) -> list[Try]:
    """Tries that are due, for this worker until the lease ends; committed before any of them is sent."""
    return await channels.CLAIM.all(conn, now, now + LEASE, limit)


async def settle_try(conn: Conn, sent: Try, outcome: Outcome, now: datetime) -> None:
    """Keep what became of a try that was sent.

    A gateway that fails too often in a row rests; what it could not send goes on to the next one at once. Push does
    not rest: it is as many services as phones have, and one of them says nothing of another.
    """
    if outcome.good:
        await channels.SETTLE.run(conn, sent.id, "sent", None, outcome.said, now)
        await channels.WORKS.run(conn, sent.channel)
        return
    again = None if outcome.hopeless else again_at(sent.tries, now)
    if again is not None and outcome.not_before is not None:
        again = max(again, outcome.not_before)
    await channels.SETTLE.run(conn, sent.id, "failed" if again is None else "waiting", again, outcome.said, now)
    if again is None:
        await channels.HURRY.run(conn, sent.notice_id, now)
    if outcome.hopeless or sent.channel == PUSH:
        return
    counted = await channels.COUNT_FAILURE.one(conn, sent.channel)
    rest = None if counted is None else rests_until(counted.failures, now)
    if rest is not None:
        await channels.REST.run(conn, sent.channel, rest)
