"""Say again where somebody should look: no check depends on the broker having kept a message."""

from __future__ import annotations

from datetime import datetime

from events.catalog import CaseCheckWanted
from gridsvc.actions.assign_case import TRY_AGAIN
from gridsvc.actions.emit_again import RECONCILER
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.store import cases, outbox


async def want_checks(conn: Conn, now: datetime, limit: int) -> int:
    """Announce up to `limit` cases again that want a check and have waited too long for one; how many.

    Cases that somebody holds this instant are left alone. Runs in the caller's transaction.
    """
    waiting = await cases.LOCK_UNCHECKED.all(conn, now, limit)
    if not waiting:
        return 0
    await outbox.append(conn, [CaseCheckWanted(**news_of(case, RECONCILER, now)) for case in waiting], now)
    await cases.check_again(conn, [case.id for case in waiting], now + TRY_AGAIN)
    return len(waiting)
