"""Suspensions end by themselves: at the time that was granted, whoever remembers it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from gridsvc.actions.record_move import Recorded, record_moves
from gridsvc.db import Conn
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Party
from gridsvc.store import cases
from gridsvc.store.rulebook import rulebook

SWEEPER: Final = Actor(worker=Party.SWEEPER)


async def resume_cases(conn: Conn, now: datetime, limit: int) -> int:
    """Resume up to `limit` cases whose suspension is over; how many. Cases that somebody holds come next time.

    Their clocks go on from the moment that was granted, not from the one at which this round came by:
    a sweeper that was down gives nobody time, and takes none. Runs in the caller's transaction as the service.
    """
    over = await cases.LOCK_OVER_SUSPENDED.all(conn, now, limit)
    if not over:
        return 0
    moves = [
        (
            row,
            Recorded(
                moved=decide(row.case(), Move.RESUME, SWEEPER, Particulars(), now),
                actor=SWEEPER.id,
                facts={"until": row.suspended_until.isoformat() if row.suspended_until else None},
                pauses_end_at=row.suspended_until,
            ),
        )
        for row in over
    ]
    await record_moves(conn, await rulebook(conn), moves, now)
    return len(over)
