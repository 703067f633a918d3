"""Keep and tell what a decided move makes of a case: row, clocks, assignment, history, outbox.

The last two beats of every story about an existing case; the stories differ in how they look and decide.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from events.catalog import Announcement, CaseAlarm, CaseAssigned, CaseCallEnded, CaseHandedOver, CaseNews
from gridsvc.actions.end_parts import called_off, end_parts, with_parts
from gridsvc.actions.news import news_of
from gridsvc.actions.sound_alarms import sound_alarms
from gridsvc.actions.stop_clocks import stop_clocks
from gridsvc.db import Conn
from gridsvc.domain.calling import EMERGENCY
from gridsvc.domain.case import Moved
from gridsvc.domain.case_state import BESIDE, FINAL, RUN_ON_CLOSED, Clock, Move, State
from gridsvc.domain.clock import CaseClock, go_on, pause_clock, start_clock
from gridsvc.domain.deadline import Budget, ClockUnit
from gridsvc.domain.evaluation import mark_of
from gridsvc.domain.history import Entry, chained
from gridsvc.domain.rulebook import Limit, Rulebook
from gridsvc.domain.undoing import Undoing
from gridsvc.ids import new_id
from gridsvc.store import (
    assignments,
    call_backs,
    calls,
    case_marks,
    cases,
    checks,
    clocks,
    co_handlings,
    history,
    outbox,
    supervision_orders,
)
from gridsvc.store.assignments import AssignmentRow
from gridsvc.store.case_marks import Mark
from gridsvc.store.cases import CaseRow
from gridsvc.store.co_handlings import AskedPart, EndedPart


@dataclass(frozen=True, kw_only=True)
class NewOwner:
    """Who answers for the case from now on, by which rule and why."""

    officer_id: UUID | None
    department: str | None
    rule: str
    edition: int
    reasons: Mapping[str, object]
    handler_id: UUID | None = None  # where it is known already who of the department it was


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
    answered_by: UUID | None = None  # who accepted the call that rang
    budgets: Mapping[Clock, timedelta] = field(default_factory=dict)  # where the move itself says how long
    asks_part: AskedPart | None = None  # a further department is asked for a part
    ends_part: EndedPart | None = None  # a part ends by this very move
    undone: Undoing | None = None  # what the move undoes
    captured_at: datetime | None = None  # when it was done out there, where that judges its clocks

    @property
    def to_clocks(self) -> Move:
        """The move as clocks see it: who undoes a suspension resumes, who undoes an extension sets the budget too."""
        if self.undone is not None and self.undone.move == Move.SUSPEND:
            return Move.RESUME
        if self.undone is not None and self.undone.move == Move.EXTEND:
            return Move.EXTEND
        return self.moved.rule.move


async def record_move(
    conn: Conn,
    book: Rulebook,
    locked: CaseRow,
    what: Recorded,
    now: datetime,
    carried: Sequence[tuple[CaseRow, Recorded]] = (),
) -> CaseRow:
    """Write all that `what` makes of the locked case, and what that makes of others; return the case after."""
    [after, *_] = await record_moves(conn, book, [(locked, what), *carried], now)
    return after


async def record_moves(
    conn: Conn, book: Rulebook, moves: Sequence[tuple[CaseRow, Recorded]], now: datetime
) -> list[CaseRow]:
    """Write all that moves make of their locked cases, in the caller's transaction; the cases after, in their order.

    For many cases, each of which moves once, in as many round trips as for one.
    """
    if not moves:
        return []
    drafts = [_row_after(locked, what, now) for locked, what in moves]
    await assignments.end(
        conn, {locked.id: what.ended_why for locked, what in moves if what.ended_why is not None}, now
    )
    await assignments.add(conn, [assignment for _, assignment in drafts if assignment is not None])
    await _end_tasks(conn, moves, now)
    turned = [(row, what, locked.state) for (row, _), (locked, what) in zip(drafts, moves, strict=True)]
    await co_handlings.add(conn, [what.asks_part for _, what in moves if what.asks_part is not None])
    parts, told_besides = await end_parts(
        conn,
        [(locked, row, what.ends_part) for (locked, what), (row, _) in zip(moves, drafts, strict=True)],
        [what.actor for _, what in moves],
        now,
    )
    due, late = await _turn_clocks(conn, book, turned, {part.id for part in parts}, now)
    kept: list[CaseRow] = []
    entries: list[Entry] = []
    for (locked, what), (draft, _) in zip(moves, drafts, strict=True):
        row = _with_due(draft, what, due.get(draft.id))
        row = replace(row, late=row.late or row.id in late)
        entries.append(_entry(locked, row, what, now))
        kept.append(replace(row.keyed(), head=entries[-1].hash))
    await cases.change(conn, kept)
    await history.add(conn, entries)
    await case_marks.add(conn, _marks(moves, now))
    news: list[Announcement] = [_news(row, what, now) for row, (_, what) in zip(kept, moves, strict=True)]
    also = [each for row, (locked, what) in zip(kept, moves, strict=True) for each in _also(locked, row, what, now)]
    await outbox.append(conn, [*news, *also, *told_besides], now)
    await sound_alarms(conn, also, kept, now)
    return kept


def _marks(moves: Sequence[tuple[CaseRow, Recorded]], now: datetime) -> list[Mark]:
    """What evaluation will want to know of the cycle in which the move was made, and of whose case it was."""
    return [
        Mark(
            case_id=locked.id,
            version=what.moved.version,
            cycle=locked.cycle,
            mark=mark,
            at=now,
            assignment_id=locked.assignment_id,
        )
        for locked, what in moves
        for mark in [mark_of(what.moved, what.undone.move if what.undone is not None else None)]
        if mark is not None
    ]


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
        if locked.call_id is not None and Clock.CALL in what.moved.rule.stops:
            await calls.end(conn, locked.call_id, _why_over(what), what.answered_by, now)


def _why_over(what: Recorded) -> str:
    return "answered" if what.answered_by is not None else str(what.moved.rule.move)


_ALARMING: Final = frozenset({Move.FILE, Move.CORRECT, Move.REOPEN, Move.UNMERGE})
"""Moves by which an emergency looks for somebody: its alarm overtakes whatever waits."""


def _also(locked: CaseRow, after: CaseRow, what: Recorded, now: datetime) -> list[CaseNews]:
    """What is announced besides the move: an alarm, and for those with whom it rang that it rings no more."""
    found: list[CaseNews] = []
    if after.severity == EMERGENCY and what.moved.rule.move in _ALARMING:
        found.append(CaseAlarm(**news_of(after, what.actor, now), why=str(what.moved.rule.move)))
    others = tuple(each for each in locked.called if each != what.answered_by)
    if locked.call_id is not None and Clock.CALL in what.moved.rule.stops and others:
        common = news_of(after, what.actor, now)
        found.append(CaseCallEnded(**common, call_id=locked.call_id, why=_why_over(what), officers=others))
    return found


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
    if what.moved.rule.tells is CaseHandedOver:
        told |= {"assignment_id": after.assignment_id, "officer_id": after.officer_id}
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
        cause_id=moved.cause_id,
        checker_id=None if Clock.ON_SITE in moved.rule.stops else before.checker_id,
        order_id=None if Clock.SUPERVISION in moved.rule.stops else before.order_id,
        call_id=None if Clock.CALL in moved.rule.stops else before.call_id,
        call_for=None if Clock.CALL in moved.rule.stops else before.call_for,
        called=[] if Clock.CALL in moved.rule.stops else before.called,
        responder_id=None if moved.rule.move is Move.REOPEN else before.responder_id,
        extensions=moved.extensions,
        pool=moved.pool,
        route_again_at=None,
        check_again_at=None if Clock.ON_SITE in moved.rule.stops else before.check_again_at,
        check_unmanned=before.check_unmanned and Clock.ON_SITE not in moved.rule.stops,
        closed_at=(before.closed_at or now) if moved.state is State.CLOSED else None,
        updated_at=now,
    )
    if moved.pool is not None:
        after = replace(after, assignment_id=None, officer_id=None, department=None, handler_id=None)
    after = replace(after, **(what.changes or {}))
    if owner is None:
        return with_parts(after, what.asks_part, what.ends_part), None
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
    return with_parts(after, what.asks_part, what.ends_part), row


async def _turn_clocks(
    conn: Conn,
    book: Rulebook,
    moves: Sequence[tuple[CaseRow, Recorded, str]],
    ended_parts: set[UUID],
    now: datetime,
) -> tuple[dict[UUID, datetime], set[UUID]]:
    """Stop, pause, resume, extend and start what the moves say: each with the case after it and its state before.

    Of the parts' clocks those of `ended_parts` stop.

    Answers when handling is due, by case, and of which cases it ended too late.
    """
    live: dict[UUID, list[CaseClock]] = {row.id: [] for row, _, _ in moves}
    for clock in await clocks.live(conn, list(live)):
        live[clock.case_id].append(clock)
    stopped: list[CaseClock] = []
    started: list[CaseClock] = []
    going: list[CaseClock] = []
    for row, what, before in moves:
        ending = [clock for clock in live[row.id] if _ends(clock, row, what, ended_parts)]
        stopped += ending
        staying = [clock for clock in live[row.id] if clock not in ending]
        staying = await _pause_or_go_on(conn, book, row, staying, what, now)
        running = {clock.kind for clock in staying} | {kind for kind in BESIDE if not _begins(book, kind, row, before)}
        fresh = _started(book, row, what, running, now)
        going += [*staying, *fresh]
        started += fresh
    captured = {row.id: what.captured_at for row, what, _ in moves if what.captured_at is not None}
    stopped = await stop_clocks(conn, book, stopped, now, captured)
    await clocks.change(conn, stopped)
    await clocks.add(conn, started)
    due = {clock.case_id: clock.due_at for clock in going if clock.kind is Clock.HANDLING}
    late = {
        clock.case_id for clock in stopped if clock.kind is Clock.HANDLING and (clock.ended_at or now) > clock.due_at
    }
    return due, late


def _ends(clock: CaseClock, row: CaseRow, what: Recorded, ended_parts: set[UUID]) -> bool:
    if clock.co_handling_id is not None:
        return clock.co_handling_id in ended_parts
    return clock.kind in what.moved.rule.stops or (row.state in FINAL and clock.kind not in RUN_ON_CLOSED)


def _begins(book: Rulebook, kind: Clock, row: CaseRow, before: str) -> bool:
    """Whether a clock that runs beside another begins: for a new owner, where a limit is set for such a case.

    Who takes the case over from another has what is left; what was stopped once is not asked for again.
    """
    category = book.categories[(row.edition, row.category)]
    return before == State.FILED and book.runs(kind, category, row.condition, row.management_level)


def _started(book: Rulebook, row: CaseRow, what: Recorded, running: set[Clock], now: datetime) -> list[CaseClock]:
    """The clocks that begin. One that runs already goes on: handed from officer to officer, the city's limit stays."""
    started = [
        start_clock(new_id(), row.id, row.cycle, kind, limit, book.ladder(limit.ladder), now)
        for kind in what.moved.rule.starts
        if kind not in running and kind is not Clock.CO_HANDLING
        for limit in [_limit(book, kind, row, what)]
    ]
    if what.asks_part is not None:  # each part has a clock of its own, on its department's calendar
        limit = row.limit(book, Clock.CO_HANDLING, what.asks_part.department)
        clock = start_clock(new_id(), row.id, row.cycle, Clock.CO_HANDLING, limit, book.ladder(limit.ladder), now)
        started.append(replace(clock, co_handling_id=what.asks_part.id))
    return started


def _limit(book: Rulebook, kind: Clock, row: CaseRow, what: Recorded) -> Limit:
    limit = row.limit(book, kind)
    if kind not in what.budgets:
        return limit
    return replace(limit, budget=Budget(ClockUnit.NATURAL, round(what.budgets[kind].total_seconds())), calendar=None)


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
    unsaid = called_off(locked, after, what.ends_part)
    return chained(
        Entry(
            case_id=after.id,
            version=after.version,
            move=what.moved.rule.move,
            from_state=locked.state,
            to_state=after.state,
            actor=what.actor,
            at=now,
            facts={**what.facts, "called_off": unsaid} if unsaid else what.facts,
            before=locked.head,
        )
    )
