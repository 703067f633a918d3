"""Say again what routing should have heard: no case depends on the broker having kept a message."""

from __future__ import annotations

from datetime import datetime

from events.catalog import CaseNews, CaseUnacknowledged, CaseWaiting
from gridsvc.actions.assign_case import TRY_AGAIN
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.domain.case_state import State
from gridsvc.store import cases, outbox
from gridsvc.store.cases import CaseRow

RECONCILER = "worker:reconciler"


async def emit_again(conn: Conn, now: datetime, limit: int) -> int:
    """Send up to `limit` cases that have waited too long to routing again; how many.

    Each gets a fresh announcement, since readers drop repeats, and is looked at again later. Cases
    that routing holds this instant are left alone. Runs in the caller's transaction.
    """
    waiting = await cases.LOCK_WAITING.all(conn, now, limit)
    if not waiting:
        return 0
    await outbox.append(conn, [_news(case, now) for case in waiting], now)
    await cases.route_again(conn, [case.id for case in waiting], now + TRY_AGAIN)
    return len(waiting)


def _news(case: CaseRow, now: datetime) -> CaseNews:
    common = news_of(case, RECONCILER, now)
    if case.state == State.ASSIGNED and case.assignment_id is not None:
        return CaseUnacknowledged(**common, assignment_id=case.assignment_id)
    return CaseWaiting(**common)
