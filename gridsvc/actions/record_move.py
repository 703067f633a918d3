"""Keep and tell what a decided move makes of a case: row, clocks, assignment, history, outbox.

The last two beats of every story about an existing case; the stories differ in how they look and decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from events.catalog import CaseAssigned, CaseNews
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.domain.case import FINAL, Clock, Move, Moved, State
from gridsvc.domain.clock import CaseClock, go_on, pause_clock, start_clock, stop_clock
from gridsvc.domain.deadline import Budget, ClockUnit
from gridsvc.domain.history import Entry, chained
from gridsvc.domain.rulebook import Limit, Rulebook
from gridsvc.domain.undoing import Undoing
from gridsvc.ids import new_id
from gridsvc.store import assignments, call_backs, cases, checks, clocks, history, outbox, supervision_orders
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
    handler_id: UUID | None = None  # of the department; only where he had it before


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
    pauses_end_at: datetime | None = None  # set: a suspension ended then, and not only now
    check_result: str | None = None  # what the officer found who was sent to look
    reply: str | None = None  # to the supervision order
    budgets: Mapping[Clock, timedelta] = field(default_factory=dict)  # where the move itself says how long
    undone: Undoing | None = None  # what the move undoes

    @property
    def to_clocks(self) -> Move:
        """The move as clocks see it: who undoes a suspension resumes, who undoes an extension sets the budget too."""
        if self.undone is not None and self.undone.move == Move.SUSPEND:
            return Move.RESUME
        if self.undone is not None and self.undone.move == Move.EXTEND:
            return Move.EXTEND
        return self.moved.rule.move


async def record_move(conn: Conn, book: Rulebook, locked: CaseRow, what: Recorded, now: datetime) -> CaseRow:
    """Write all that `what` makes of the locked case, in the caller's transaction; return the case after."""
    [after] = await record_moves(conn, book, [(locked, what)], now)
    return after


async def record_moves(
    conn: Conn, book: Rulebook, moves: Sequence[tuple[CaseRow, Recorded]], now: datetime
) -> list[CaseRow]:
    """The same for moves of different cases, in as many round trips as for one; the cases after, in their order."""
    if not moves:
        return []
    drafts = [_row_after(locked, what, now) for locked, what in moves]
    await assignments.end(
        conn, {locked.id: what.ended_why for locked, what in moves if what.ended_why is not None}, now
    )
    await assignments.add(conn, [assignment for _, assignment in drafts if assignment is not None])
    await _end_tasks(conn, moves, now)
    turned = [(row, what) for (row, _), (_, what) in zip(drafts, moves, strict=True)]
    due, late = await _turn_clocks(conn, book, turned, now)
    kept: list[CaseRow] = []
    entries: list[Entry] = []
    for (locked, what), (draft, _) in zip(moves, drafts, strict=True):
        row = _with_due(draft, what, due.get(draft.id))
        row = replace(row, late=row.late or row.id in late)
        entries.append(_entry(locked, row, what, now))
        kept.append(replace(row.keyed(), head=entries[-1].hash))
    await cases.change(conn, kept)
    await history.add(conn, entries)
    await outbox.append(conn, [_news(row, what, now) for row, (_, what) in zip(kept, moves, strict=True)], now)
    return kept


async def _end_tasks(conn: Conn, moves: Sequence[tuple[CaseRow, Recorded]], now: datetime) -> None:
    """What was asked of somebody ends with its clock: replied to, or called off because the case went on."""
    ended = {
        locked.id: what.check_result
        for locked, what in moves
        if locked.checker_id is not None and Clock.ON_SITE in what.moved.rule.stops
    }
    await checks.end(conn, ended, now)
    again = [locked.id for locked, what in moves if what.moved.rule.move is Move.REOPEN]
    await call_backs.call_off(conn, again, now)
    for locked, what in moves:
        if locked.order_id is not None and Clock.SUPERVISION in what.moved.rule.stops:
            replied_by = what.actor if what.reply is not None else None
            await supervision_orders.end(conn, locked.order_id, what.reply, replied_by, now)


def _with_due(row: CaseRow, what: Recorded, due: datetime | None) -> CaseRow:
    rule = what.moved.rule
    if Clock.HANDLING in rule.starts or what.to_clocks in {Move.RESUME, Move.EXTEND}:
        return replace(row, due_at=due)
    if Clock.HANDLING in rule.stops and row.state == State.FILED:
        return replace(row, due_at=None)  # nobody handles it: the next owner gets a limit of its own
    return row


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
        suspended_until=before.suspended_until if moved.suspended else None,
        suspensions=moved.suspensions,
        held_by=moved.held_by,
        returned_by=moved.returned_by,
        late=before.late and moved.rule.move is not Move.REOPEN,
        appeal=moved.appeal,
        checker_id=None if Clock.ON_SITE in moved.rule.stops else before.checker_id,
        order_id=None if Clock.SUPERVISION in moved.rule.stops else before.order_id,
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
        after,
        assignment_id=row.id,
        officer_id=owner.officer_id,
        department=owner.department,
        handler_id=owner.handler_id,
    )
    return after, row


async def _turn_clocks(
    conn: Conn, book: Rulebook, moves: Sequence[tuple[CaseRow, Recorded]], now: datetime
) -> tuple[dict[UUID, datetime], set[UUID]]:
    """Stop, pause, resume, extend and start what the moves say.

    Answers when handling is due, by case, and of which cases it ended too late.
    """
    live: dict[UUID, list[CaseClock]] = {row.id: [] for row, _ in moves}
    for clock in await clocks.live(conn, list(live)):
        live[clock.case_id].append(clock)
    stopped: list[CaseClock] = []
    started: list[CaseClock] = []
    going: list[CaseClock] = []
    for row, what in moves:
        ending = [clock for clock in live[row.id] if _ends(clock, row, what)]
        stopped += [stop_clock(clock, now) for clock in ending]
        staying = [clock for clock in live[row.id] if clock not in ending]
        staying = await _pause_or_go_on(conn, book, row, staying, what, now)
        fresh = _started(book, row, what, {clock.kind for clock in staying}, now)
        going += [*staying, *fresh]
        started += fresh
    await clocks.change(conn, stopped)
    await clocks.add(conn, started)
    due = {clock.case_id: clock.due_at for clock in going if clock.kind is Clock.HANDLING}
    late = {clock.case_id for clock in stopped if clock.kind is Clock.HANDLING and now > clock.due_at}
    return due, late


def _ends(clock: CaseClock, row: CaseRow, what: Recorded) -> bool:
    # What is asked after closing goes on whatever is noted on the closed case; each ends with its own answer.
    return clock.kind in what.moved.rule.stops or (row.state in FINAL and clock.kind is not Clock.CALL_BACK)


def _started(book: Rulebook, row: CaseRow, what: Recorded, running: set[Clock], now: datetime) -> list[CaseClock]:
    """The clocks that begin. One that runs already goes on: handed from officer to officer, the city's limit stays."""
    return [
        start_clock(new_id(), row.id, row.cycle, kind, limit, book.ladder(limit.ladder), now)
        for kind in what.moved.rule.starts
        if kind not in running
        for limit in [_limit(book, kind, row, what)]
    ]


def _limit(book: Rulebook, kind: Clock, row: CaseRow, what: Recorded) -> Limit:
    limit = row.limit(book, kind)
    if kind not in what.budgets:
        return limit
    return Limit(Budget(ClockUnit.NATURAL, round(what.budgets[kind].total_seconds())), limit.ladder, None)


async def _pause_or_go_on(
    conn: Conn, book: Rulebook, after: CaseRow, going: list[CaseClock], what: Recorded, now: datetime
) -> list[CaseClock]:
    move = what.to_clocks
    if move not in {Move.SUSPEND, Move.RESUME, Move.EXTEND} or not going:
        return going
    ids = [clock.id for clock in going]
    if move is Move.SUSPEND:
        await clocks.begin_pause(conn, ids, now, "suspended")
        changed = [pause_clock(clock) for clock in going]
    else:
        if move is Move.RESUME:
            await clocks.end_pauses(conn, ids, what.pauses_end_at or now)
        stood_still = await clocks.pauses(conn, ids)
        changed = [go_on(_extended(clock, after, book, what), book, stood_still.get(clock.id, ())) for clock in going]
    await clocks.change(conn, changed)
    return changed


def _extended(clock: CaseClock, after: CaseRow, book: Rulebook, what: Recorded) -> CaseClock:
    """One more original limit on the handling clock, or the budget before it; the other clocks as they are."""
    if what.to_clocks is not Move.EXTEND or clock.kind is not Clock.HANDLING:
        return clock
    if what.undone is not None:
        return replace(clock, budget_seconds=what.undone.budget_seconds or clock.budget_seconds)
    original = after.limit(book, Clock.HANDLING).budget.seconds
    return replace(clock, budget_seconds=clock.budget_seconds + original)


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
