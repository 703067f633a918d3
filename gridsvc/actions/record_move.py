"""Keep and tell what a decided move makes of a case: row, clocks, assignment, history, outbox.

The last two beats of every story about an existing case; the stories differ in how they look and decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from events.catalog import CaseAssigned, CaseNews
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.domain.case import FINAL, Clock, Move, Moved, State
from gridsvc.domain.clock import CaseClock, go_on, pause_clock, start_clock, stop_clock
from gridsvc.domain.history import Entry, chained
from gridsvc.domain.rulebook import Rulebook
from gridsvc.ids import new_id
from gridsvc.store import assignments, cases, clocks, history, outbox
from gridsvc.store.assignments import AssignmentRow
from gridsvc.store.cases import CaseRow


@dataclass(frozen=True, kw_only=True)
class NewOwner:
    """Who answers for the case from now on, by which rule and why."""

    officer_id: UUID | None
    department: str | None
    rule: str
    edition: int
    reasons: Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Recorded:
    """The move, as it is to be kept beside the case's own columns."""

    moved: Moved
    actor: str
    facts: Mapping[str, object]
    owner: NewOwner | None = None
    ended_why: str | None = None  # set: the current assignment ends, for this reason
    changes: Mapping[str, Any] | None = None  # further columns that the move sets
    told: Mapping[str, Any] | None = None  # further fields of the announcement


async def record_move(conn: Conn, book: Rulebook, locked: CaseRow, what: Recorded, now: datetime) -> CaseRow:
    """Write all that `what` makes of the locked case, in the caller's transaction; return the case after."""
    rule = what.moved.rule
    after, assignment = _row_after(locked, what, now)
    if what.ended_why is not None:
        await assignments.end(conn, locked.id, now, what.ended_why)
    if assignment is not None:
        await assignments.add(conn, assignment)
    due = await _turn_clocks(conn, book, after, what, now)
    if Clock.HANDLING in rule.starts or rule.move in {Move.RESUME, Move.EXTEND}:
        after = replace(after, due_at=due)
    elif Clock.HANDLING in rule.stops and after.state == State.FILED:
        after = replace(after, due_at=None)  # nobody handles it: the next owner gets a limit of its own
    entry = _entry(locked, after, what, now)
    after = replace(after.keyed(), head=entry.hash)
    await cases.change(conn, [after])
    await history.add(conn, [entry])
    await outbox.append(conn, [_news(after, what, now)], now)
    return after


def _news(after: CaseRow, what: Recorded, now: datetime) -> CaseNews:
    told = {**news_of(after, what.actor, now), **(what.told or {})}
    if what.moved.rule.tells is CaseAssigned:
        told |= {
            "assignment_id": after.assignment_id,
            "officer_id": after.officer_id,
            "department": after.department,
        }
    return what.moved.rule.tells(**told)


def _row_after(before: CaseRow, what: Recorded, now: datetime) -> tuple[CaseRow, AssignmentRow | None]:
    moved, owner = what.moved, what.owner
    after = replace(
        before,
        state=moved.state,
        version=moved.version,
        cycle=moved.cycle,
        suspended=moved.suspended,
        extensions=moved.extensions,
        pool=moved.pool,
        route_again_at=None,
        closed_at=now if moved.state is State.CLOSED else None,
        updated_at=now,
    )
    if moved.pool is not None:
        after = replace(after, assignment_id=None, officer_id=None, department=None, handler_id=None)
    after = replace(after, **(what.changes or {}))
    if owner is None:
        return after, None
    row = AssignmentRow(
        id=new_id(),
        case_id=before.id,
        cycle=moved.cycle,
        officer_id=owner.officer_id,
        department=owner.department,
        rule=owner.rule,
        edition=owner.edition,
        reasons=owner.reasons,
        assigned_by=what.actor,
        assigned_at=now,
    )
    after = replace(
        after, assignment_id=row.id, officer_id=owner.officer_id, department=owner.department, handler_id=None
    )
    return after, row


async def _turn_clocks(conn: Conn, book: Rulebook, after: CaseRow, what: Recorded, now: datetime) -> datetime | None:
    """Stop, pause, resume, extend and start what the move says; answer when handling is due."""
    rule = what.moved.rule
    live = await clocks.live(conn, [after.id])
    stopping = [clock for clock in live if clock.kind in rule.stops or after.state in FINAL]
    going = [clock for clock in live if clock not in stopping]
    await clocks.change(conn, [stop_clock(clock, now) for clock in stopping])
    going = await _pause_or_go_on(conn, book, after, going, what, now)
    category = book.categories[(after.edition, after.category)]
    running = {clock.kind for clock in going}
    started = [
        start_clock(new_id(), after.id, after.cycle, kind, limit, book.ladder(limit.ladder), now)
        for kind in rule.starts
        if kind not in running  # handed on from officer to officer, the city's limit goes on
        for limit in [book.limit(kind, category)]
    ]
    await clocks.add(conn, started)
    return _handling_due([*going, *started])


async def _pause_or_go_on(
    conn: Conn, book: Rulebook, after: CaseRow, going: list[CaseClock], what: Recorded, now: datetime
) -> list[CaseClock]:
    move = what.moved.rule.move
    if move not in {Move.SUSPEND, Move.RESUME, Move.EXTEND} or not going:
        return going
    ids = [clock.id for clock in going]
    if move is Move.SUSPEND:
        await clocks.begin_pause(conn, ids, now, "suspended")
        changed = [pause_clock(clock) for clock in going]
    else:
        if move is Move.RESUME:
            await clocks.end_pauses(conn, ids, now)
        stood_still = await clocks.pauses(conn, ids)
        changed = [go_on(_extended(clock, after, book, what), book, stood_still.get(clock.id, ())) for clock in going]
    await clocks.change(conn, changed)
    return changed


def _extended(clock: CaseClock, after: CaseRow, book: Rulebook, what: Recorded) -> CaseClock:
    """One more original limit on the handling clock; the other clocks as they are."""
    if what.moved.rule.move is not Move.EXTEND or clock.kind is not Clock.HANDLING:
        return clock
    original = book.limit(Clock.HANDLING, book.categories[(after.edition, after.category)]).budget.seconds
    return replace(clock, budget_seconds=clock.budget_seconds + original)


def _handling_due(going: Iterable[CaseClock]) -> datetime | None:
    return next((clock.due_at for clock in going if clock.kind is Clock.HANDLING), None)


def _entry(locked: CaseRow, after: CaseRow, what: Recorded, now: datetime) -> Entry:
    return chained(
        Entry(
            case_id=after.id,
            version=after.version,
            move=what.moved.rule.move,
            from_state=locked.state,
            to_state=after.state,
            actor=what.actor,
            at=now,
            facts=what.facts,
            before=locked.head,
        )
    )
