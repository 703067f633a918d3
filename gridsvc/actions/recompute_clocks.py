"""Open clocks follow calendar and ladders: whatever was computed with another edition is computed anew, and says so.

The one place where it happens. It is asked after a publication, by the sweeper in every round, because a move
that was under way may still have started a clock on the older edition, and before rungs fire.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

from events.catalog import CaseRescheduled
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.domain.case_state import Actor, Clock, Party
from gridsvc.domain.clock import CaseClock, follow_ladders, outdated, recomputed
from gridsvc.domain.deadline import Pause
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import cases, clocks, co_handlings, outbox
from gridsvc.store.cases import CaseRow
from gridsvc.store.clocks import ClockChange
from gridsvc.store.rulebook import rulebook

_SWEEPER: Final = Actor(worker=Party.SWEEPER)


async def recompute_clocks(conn: Conn, now: datetime, limit: int) -> int:
    """Bring the clocks of up to `limit` cases to the editions in force; how many cases that were.

    Cases that somebody else holds are skipped and taken next time. Runs in the caller's transaction
    as the service. 0: all are up to date, or held.
    """
    locked = await cases.LOCK_OUTDATED.all(conn, limit)
    if not locked:
        return 0
    book = await rulebook(conn)
    live = await clocks.live(conn, [case.id for case in locked])
    await bring_up_to_date(conn, book, locked, live, await clocks.pauses(conn, [clock.id for clock in live]), now)
    return len(locked)


async def bring_up_to_date(
    conn: Conn,
    book: Rulebook,
    locked: Sequence[CaseRow],
    live: Sequence[CaseClock],
    stood_still: Mapping[UUID, Sequence[Pause]],
    now: datetime,
) -> tuple[list[CaseRow], list[CaseClock]]:
    """The locked cases and their live clocks by the editions in force, those that changed kept and told.

    A rung that fired stays fired. The next one is at its moment under the new edition, so none fires early.
    """
    old = [clock for clock in live if outdated(clock, book)]
    rows = {row.id: row for row in locked}
    parts = await co_handlings.departments(conn, [c.co_handling_id for c in old if c.co_handling_id is not None])
    anew = {
        clock.id: recomputed(_followed(clock, book, rows[clock.case_id], parts), book, stood_still.get(clock.id, ()))
        for clock in old
    }
    if not anew:
        return list(locked), list(live)
    await clocks.change(conn, list(anew.values()))
    changes = [_change(clock, anew[clock.id], now) for clock in live if clock.id in anew]
    await clocks.add_changes(conn, [change for change in changes if change is not None])
    due = {clock.case_id: clock.due_at for clock in anew.values() if clock.kind is Clock.HANDLING}
    moved = {
        row.id: replace(row, due_at=due[row.id], updated_at=now)
        for row in locked
        if row.due_at is not None and row.due_at != due.get(row.id, row.due_at)
    }
    await cases.due_anew(conn, list(moved.values()))
    news = [CaseRescheduled(**news_of(row, _SWEEPER.id, now), due_at=due[row.id]) for row in moved.values()]
    await outbox.append(conn, news, now)
    return [moved.get(row.id, row) for row in locked], [anew.get(clock.id, clock) for clock in live]


def _followed(clock: CaseClock, book: Rulebook, row: CaseRow, parts: Mapping[UUID, str]) -> CaseClock:
    department = row.department if clock.co_handling_id is None else parts[clock.co_handling_id]
    return follow_ladders(clock, book, book.categories[(row.edition, row.category)], row.divisions, department)


def _change(before: CaseClock, after: CaseClock, now: datetime) -> ClockChange | None:
    """What is kept of a clock that another edition moved or made certain; None where it did neither."""
    if (before.due_at, before.provisional) == (after.due_at, after.provisional):
        return None
    assert before.edition is not None  # noqa: S101 - it has a calendar
    assert after.edition is not None  # noqa: S101
    return ClockChange(
        clock_id=after.id,
        edition=after.edition,
        before_edition=before.edition,
        changed_at=now,
        due_at=after.due_at,
        before_due_at=before.due_at,
        provisional=after.provisional,
        before_provisional=before.provisional,
    )
