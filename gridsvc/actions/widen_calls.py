"""Calls that nobody accepts in time go further and to more; after the last round the city hears, and they ring on."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from events.catalog import CaseAlarm
from gridsvc.actions.call_officers import facts_of, ring, told_of
from gridsvc.actions.news import news_of
from gridsvc.actions.record_move import Recorded, record_move
from gridsvc.actions.sound_alarms import sound_alarms
from gridsvc.db import Conn
from gridsvc.domain.calling import Ringing, next_ringing
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Party, Pool
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import calls, cases, outbox
from gridsvc.store.calls import CallRow
from gridsvc.store.cases import CaseRow
from gridsvc.store.rulebook import rulebook

SWEEPER: Final = Actor(worker=Party.SWEEPER)

NOBODY: Final = "nobody_answered"


async def widen_calls(conn: Conn, now: datetime, limit: int) -> int:
    """Ring the next round of up to `limit` calls whose time has come; how many. What somebody holds comes next time.

    Any number of sweepers may run: the case is locked, the call is read again behind the lock, and the key of a
    round refuses a second one. After downtime one round rings, not all that were missed: who is called has his
    time. Runs in the caller's transaction as the service.
    """
    locked = await cases.LOCK_TO_WIDEN.all(conn, now, limit)
    if not locked:
        return 0
    book = await rulebook(conn)
    ringing = await calls.open_of_cases(conn, [row.id for row in locked])
    due = [(row, ringing[row.id]) for row in locked if row.id in ringing and ringing[row.id].next_round_at <= now]
    for row, call in due:
        await _widen(conn, book, row, call, now)
    return len(due)


async def _widen(conn: Conn, book: Rulebook, row: CaseRow, call: CallRow, now: datetime) -> None:
    following = next_ringing(book.call_rounds, call.round, await calls.reachable(conn, row.id, now))
    if following.is_over and row.pool == Pool.CALL:
        row = await record_move(conn, book, row, _pooled(row, now), now)
        alarm = CaseAlarm(**news_of(row, SWEEPER.id, now), why=NOBODY)
        await outbox.append(conn, [alarm], now)
        await sound_alarms(conn, [alarm], [row], now)
    await ring(conn, call, following, call.next_round_at, now)
    await record_move(conn, book, row, _widened(row, call, following, now), now)


def _pooled(row: CaseRow, now: datetime) -> Recorded:
    """In sight of the whole desk, as what has no owner; it rings on all the same."""
    why = "nobody who was called has accepted"
    return Recorded(
        moved=decide(row.case(), Move.POOL, SWEEPER, Particulars(reason=why), now),
        actor=SWEEPER.id,
        facts={"why": why, "call": str(row.call_id)},
        told={"why": why},
    )


def _widened(row: CaseRow, call: CallRow, following: Ringing, now: datetime) -> Recorded:
    called = list(dict.fromkeys([*row.called, *(each.officer_id for each in following.picked)]))
    return Recorded(
        moved=decide(row.case(), Move.WIDEN, SWEEPER, Particulars(), now),
        actor=SWEEPER.id,
        facts=facts_of(call.id, call.wanted, following),
        changes={"called": called},
        told=told_of(call.id, call.wanted, following),
    )
