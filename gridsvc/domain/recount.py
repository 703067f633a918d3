"""The counts of an evaluation once more, from the histories of cases alone: how the fast ones are checked.

Walks the moves of one case in their order and starts and stops its clocks by the table of moves. Of the tables that
the fast counts are made from it knows only what no history tells: when each clock was due, and when it would have
been but for outages.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gridsvc.domain.captured import judged_at
from gridsvc.domain.case import MOVES
from gridsvc.domain.case_state import FINAL, RUN_ON_CLOSED, Clock, Move, Pool, State
from gridsvc.domain.evaluation import MARKED, POSTS, Asked, Figure, Subject, Whose, sees
from gridsvc.domain.history import Entry

DueOf = Callable[[UUID, Clock, datetime], tuple[datetime, datetime]]
"""When the clock of a case that started then was due, as it stood in the end, and when without outages."""


@dataclass(frozen=True, kw_only=True)
class Known:
    """What the history names and does not spell out."""

    due_of: DueOf
    paths: Mapping[tuple[int, str], tuple[str, ...]]  # (grid set, cell) -> divisions from the top down
    lines: Mapping[str, str]  # edition:code of a category -> its duty line
    sources: Mapping[str, str]  # report -> who told


@dataclass(frozen=True)
class Happened:
    """One thing that counts, at its moment."""

    what: str
    at: datetime
    whose: Whose
    number: int = 1


@dataclass
class _Owned:
    """One assignment, as the history tells it."""

    department: str | None
    officer: UUID | None
    by_hand: bool
    since: datetime
    returned: bool = False
    received: bool = True  # not by whom the case was handled for, with its cause


@dataclass
class _Ran:
    """One run of a clock."""

    kind: Clock
    began: datetime
    due: datetime
    plain_due: datetime
    stopped: datetime | None = None
    held: dict[str, datetime] = field(default_factory=dict)  # outages without an end, and since when each holds it
    asked_of: str | None = None  # who was sent to look
    answered: bool = False
    judged: datetime | None = None  # when what stopped it was done, where a phone could tell it only later

    @property
    def ended(self) -> datetime | None:
        """By which moment it was in time or late."""
        return self.judged or self.stopped

    @property
    def waits(self) -> bool:
        """Whether an outage that began before it was due holds it: then nobody knows yet when it is due."""
        return self.stopped is None and any(since < self.due for since in self.held.values())


@dataclass
class _HandIn:
    at: datetime
    owner: _Owned | None
    seconds: int
    passed: bool = False
    reworked: bool = False


@dataclass
class _Turn:
    """One cycle of the case."""

    runs: list[_Ran] = field(default_factory=list)  # of the handling clock
    owned: list[_Owned] = field(default_factory=list)
    closed: datetime | None = None
    extensions: int = 0
    exempt: bool = False

    @property
    def owner(self) -> _Owned | None:
        """Who has it, or had it last."""
        return self.owned[-1] if self.owned else None


@dataclass
class _Told:
    """What is known of the case after the moves so far."""

    born: Entry
    path: tuple[str, ...] = ()
    duty_line: str = ""
    state: State = State.REPORTED
    filed: datetime | None = None
    suspended: bool = False
    turns: list[_Turn] = field(default_factory=lambda: [_Turn()])
    live: dict[Clock, _Ran] = field(default_factory=dict)
    over: list[_Ran] = field(default_factory=list)
    hand_ins: list[_HandIn] = field(default_factory=list)
    waits: _HandIn | None = None  # for its check
    marks: list[tuple[str, datetime, _Owned | None]] = field(default_factory=list)


def happened_in(entries: Sequence[Entry], known: Known, now: datetime) -> Iterator[Happened]:
    """Everything that counts in the history of one case, in no order.

    Nothing for a case that has no place yet, and for an exercise.
    """
    if entries[0].facts.get("exercise"):
        return iter(())
    told = _Told(born=entries[0])
    for entry in entries:
        _take(told, entry, known)
    return _counted(told, known, now) if told.path else iter(())


def _take(told: _Told, entry: Entry, known: Known) -> None:
    move, facts, turn = Move(entry.move), entry.facts, told.turns[-1]
    _place(told, facts, known)
    _turn_clocks(told, entry, known)
    if move is Move.ADJUST:
        _adjust(told, facts)
    told.state = State(entry.to_state)
    if (told.state is State.FILED and told.filed is None) or move is Move.SELF_HANDLE:
        told.filed = entry.at
    if move is Move.UNDO:
        _undo(told, entry)
        return
    if move in _GIVES:
        turn.owned.append(_given(entry))
    owner = turn.owner
    if move is Move.RETURN and owner is not None:
        owner.returned = True
    if move is Move.HAND_IN:
        handled = next(run for run in reversed(turn.runs) if run.stopped == entry.at)
        told.waits = _HandIn(entry.at, owner, _seconds(handled.began, handled.ended or entry.at))
        told.hand_ins.append(told.waits)
    if move in {Move.CLOSE, Move.VISIT}:
        turn.closed = entry.at
    if told.waits is not None:
        told.waits.passed = move is Move.CLOSE
        told.waits.reworked = MARKED.get(move) == "reworked"
    if told.state is not State.HANDLED:
        told.waits = None
    if move in {Move.SUSPEND, Move.RESUME} or told.state in FINAL:
        told.suspended = move is Move.SUSPEND
    turn.extensions += move is Move.EXTEND
    granted = move is Move.SETTLE_APPEAL and facts.get("result") == "granted"
    turn.exempt = turn.exempt or granted
    if move in MARKED and (granted or move is not Move.SETTLE_APPEAL):
        told.marks.append((MARKED[move], entry.at, owner))
    if move is Move.REOPEN:
        told.turns.append(_Turn())


def _adjust(told: _Told, facts: Mapping[str, Any]) -> None:
    for each in facts["clocks"]:
        run = told.live.get(Clock(each["clock"]))
        if run is not None and each["what"] == "stands":
            run.held[each["outage"]] = datetime.fromisoformat(each["since"])
        elif run is not None:
            run.held.pop(each["outage"], None)


_GIVES: Final = frozenset({Move.ASSIGN, Move.FORWARD, Move.HAND_OVER, Move.TAKE_OVER, Move.ANSWER, Move.FOLLOW})
"""Moves by which somebody has the case."""


def _given(entry: Entry) -> _Owned:
    """Whose the case is from now on: who answers a call is the actor himself, all others are named."""
    move, officer = Move(entry.move), entry.facts.get("officer")
    if move is Move.ANSWER:
        officer = entry.actor.removeprefix("user:")
    return _Owned(
        department=_text(entry.facts.get("department")),
        officer=UUID(str(officer)) if officer else None,
        by_hand=move in {Move.ASSIGN, Move.FORWARD}
        and not entry.actor.startswith("worker:")
        and entry.facts.get("rule", "by_hand") == "by_hand",  # who replaces an officer dispatches nothing
        since=entry.at,
        received=move is not Move.FOLLOW,
    )


def _undo(told: _Told, entry: Entry) -> None:
    """Nothing has happened since the move that is undone: it is the last of what was noted."""
    turn = told.turns[-1]
    match Move(str(entry.facts["undone"])):
        case Move.ASSIGN:
            turn.owned.pop()
            turn.runs = [run for run in turn.runs if run.stopped != entry.at]  # nobody's limit
        case Move.SUSPEND:
            told.marks.pop()
            told.suspended = False
        case Move.EXTEND:
            told.marks.pop()
            turn.extensions -= 1


def _place(told: _Told, facts: Mapping[str, Any], known: Known) -> None:
    if facts.get("cell") is not None:
        told.path = known.paths[int(facts["grid_set"]), str(facts["cell"])]
    if facts.get("category") is not None:
        told.duty_line = known.lines[str(facts["category"])]
    corrected = facts.get("corrected") or {}
    if "duty_line" in corrected:
        told.duty_line = str(corrected["duty_line"][1])


COUNTED: Final = frozenset(
    {Clock.FILING, Clock.POOL, Clock.HANDLING, Clock.CHECKING, Clock.ON_SITE, Clock.SUPERVISION}
)
"""The clocks that count. Some of the others run only for some cases, or several at once: the moves do not tell."""


def _turn_clocks(told: _Told, entry: Entry, known: Known) -> None:
    starts, stops = _starts_and_stops(entry)
    for kind in list(told.live):
        if kind in stops or (entry.to_state in FINAL and kind not in RUN_ON_CLOSED):
            run = told.live.pop(kind)
            run.stopped = entry.at
            run.judged = judged_at(kind, run.began, _captured(entry), entry.at)
            told.over.append(run)
            run.answered = entry.move in {Move.CHECK, Move.REPLY}
    turn = told.turns[-1]
    for kind in starts:
        if kind in COUNTED and kind not in told.live:
            run = _Ran(kind, entry.at, *known.due_of(entry.case_id, kind, entry.at))
            run.asked_of = _text(entry.facts.get("officer")) if kind is Clock.ON_SITE else None
            told.live[kind] = run
            if kind is Clock.HANDLING:
                turn.runs.append(run)


def _captured(entry: Entry) -> datetime | None:
    captured = entry.facts.get("captured")
    if not isinstance(captured, Mapping) or not captured.get("counts"):
        return None
    return datetime.fromisoformat(str(captured["at"]))


def _starts_and_stops(entry: Entry) -> tuple[tuple[Clock, ...], tuple[Clock, ...]]:
    """By the table; an assignment that is undone puts the case back where it waited, if it waited."""
    rule, pool = MOVES[Move(entry.move)], entry.facts.get("pool")
    if rule.move is Move.UNDO and pool is not None:  # what rang goes to routing, which lets it ring anew
        return ((Clock.POOL,) if pool == Pool.DISPATCH else ()), (Clock.HANDLING,)
    return rule.starts, rule.stops


_DESKS: Final = {Clock.FILING: "filing", Clock.POOL: "pool", Clock.CHECKING: "checking"}


def _counted(told: _Told, known: Known, now: datetime) -> Iterator[Happened]:
    yield from _reported(told, known)
    for owned in (each for turn in told.turns for each in turn.owned if each.received):
        whose = _whose(told, owned)
        yield Happened("received", owned.since, whose)
        if owned.returned:
            yield Happened("received_returned", owned.since, whose)
        if owned.by_hand:
            yield Happened("dispatched", owned.since, _at_post(told, "dispatched"))
        if owned.by_hand and owned.returned:
            yield Happened("dispatched_returned", owned.since, _at_post(told, "dispatched_returned"))
    for hand_in in told.hand_ins:
        whose = _whose(told, hand_in.owner)
        yield Happened("handed_in", hand_in.at, whose)
        yield Happened("handling_seconds", hand_in.at, whose, hand_in.seconds)
        if hand_in.passed:
            yield Happened("handed_in_passed", hand_in.at, whose)
        if hand_in.reworked:
            yield Happened("handed_in_reworked", hand_in.at, whose)
    for turn in told.turns:
        yield from _due(told, turn, now)
    for mark, at, owned_then in told.marks:
        if mark != "reworked":
            yield Happened("appeals_granted" if mark == "granted" else mark, at, _whose(told, owned_then))
    for run in (*told.over, *told.live.values()):
        yield from _at_desk(told, run, now)


def _reported(told: _Told, known: Known) -> Iterator[Happened]:
    born = told.born
    by_officer = known.sources[str(born.facts["report"])] == "officer"
    person = born.actor.removeprefix("user:")
    whose = Whose(
        path=told.path, duty_line=told.duty_line, officer=UUID(person) if by_officer and person != born.actor else None
    )
    if born.move == Move.SELF_HANDLE:
        yield Happened("self_handled", born.at, whose)
        return
    yield Happened("reported", born.at, whose)
    if by_officer:
        yield Happened("reported_by_officers", born.at, whose)
    if told.filed is not None:
        yield Happened("reported_filed", born.at, whose)
        yield Happened("filed", told.filed, _whose(told, None))
        if told.state not in {State.REJECTED, State.CANCELLED, State.MERGED}:
            yield Happened("reported_valid", born.at, whose)
    if told.state is State.MERGED:
        yield Happened("reported_merged", born.at, whose)


def _due(told: _Told, turn: _Turn, now: datetime) -> Iterator[Happened]:
    """What one cycle counts: once, when the last of its handling clocks was due."""
    whose = _whose(told, turn.owner)
    if turn.closed is not None:
        yield Happened("closed", turn.closed, whose)
    current = turn is told.turns[-1]
    if not turn.runs or (current and told.state in FINAL and told.state is not State.CLOSED):
        return
    last = turn.runs[-1]
    if last.due >= now or (last.waits and not (current and told.suspended)):
        return
    stands = current and told.suspended
    handled = turn.closed is not None or (current and told.state is State.HANDLED)
    runs_on = last.stopped is None and not stands
    late = runs_on or any(run.ended is not None and run.ended > run.plain_due for run in turn.runs)
    all_the_same = runs_on or any(run.ended is not None and run.ended > run.due for run in turn.runs)
    counts = {
        "due": True, "due_suspended": stands, "due_handled": handled,
        "due_handled_in_time": handled and not all_the_same, "due_closed": turn.closed is not None,
        "due_closed_in_time": turn.closed is not None and not all_the_same,
        "due_extended": turn.extensions > 0, "late": late, "late_open": late and not handled,
        "late_exempt": all_the_same and turn.exempt, "late_outage": late and not all_the_same,
    }  # fmt: skip
    yield from (Happened(what, last.due, whose) for what, holds in counts.items() if holds)


def _at_desk(told: _Told, run: _Ran, now: datetime) -> Iterator[Happened]:
    if run.due >= now or run.waits:
        return
    in_time = run.ended is not None and run.ended <= run.due
    if run.kind in _DESKS:
        yield Happened(f"{_DESKS[run.kind]}_due", run.due, _at_post(told, f"{_DESKS[run.kind]}_due"))
        if in_time:
            yield Happened(f"{_DESKS[run.kind]}_in_time", run.due, _at_post(told, f"{_DESKS[run.kind]}_in_time"))
    called_off = run.stopped is not None and not run.answered
    if run.kind is Clock.SUPERVISION and not called_off:
        yield Happened("orders_due", run.due, _at_post(told, "orders_due"))
        if in_time:
            yield Happened("orders_in_time", run.due, _at_post(told, "orders_in_time"))
    if run.kind is Clock.ON_SITE and not called_off:
        whose = Whose(path=told.path, duty_line=told.duty_line, officer=UUID(run.asked_of) if run.asked_of else None)
        yield Happened("checks_due", run.due, whose)
        if run.answered:
            yield Happened("checks_done", run.due, whose)
        if in_time:
            yield Happened("checks_in_time", run.due, whose)


def _whose(told: _Told, owned: _Owned | None) -> Whose:
    return Whose(
        path=told.path,
        duty_line=told.duty_line,
        department=owned.department if owned else None,
        officer=owned.officer if owned else None,
    )


def _at_post(told: _Told, what: str) -> Whose:
    return Whose(path=told.path, duty_line=told.duty_line, post=POSTS[what])


def _seconds(began: datetime, ended: datetime) -> int:
    """Whole seconds; the rest of one is dropped."""
    return int((ended - began).total_seconds())


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def figures_of(asked: Asked, happened: Iterable[Happened]) -> list[Figure]:
    """What lies in the pieces, the division and the scope that are asked for, summed up by what it is grouped by."""
    found: Counter[tuple[int, str, str]] = Counter()
    for each in happened:
        piece = bisect_right(asked.edges, each.at)
        key = _key(asked.by.subject, each.whose)
        narrowed = asked.division is None or asked.division in each.whose.path
        if 0 < piece < len(asked.edges) and key is not None and narrowed and sees(asked.scope, each.whose):
            found[piece, key, each.what] += each.number
    return [Figure(piece, key, what, number) for (piece, key, what), number in found.items() if number]


def _key(subject: Subject, whose: Whose) -> str | None:
    match subject:
        case Subject.AREA:
            return "/".join(whose.path)
        case Subject.DEPARTMENT:
            return whose.department
        case Subject.POST:
            return whose.post
        case Subject.OFFICER:
            return str(whose.officer) if whose.officer else None
