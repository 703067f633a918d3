"""One running clock of a case, and what each thing that happens makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridsvc.domain.calendar import Calendar
from gridsvc.domain.captured import judged_at
from gridsvc.domain.case_state import Clock
from gridsvc.domain.category import Category
from gridsvc.domain.deadline import Budget, ClockUnit, Pause
from gridsvc.domain.escalation import Last, Rung, deadline, next_rung
from gridsvc.domain.rulebook import Limit, Rulebook


@dataclass(frozen=True, kw_only=True)
class CaseClock:
    """A clock as it stands. `due_at` and `next_fire_at` are derived, never set by hand."""

    id: UUID
    case_id: UUID
    cycle: int
    kind: Clock
    ladder: str
    unit: ClockUnit
    budget_seconds: int
    calendar: str | None
    edition: int | None
    state: str  # running | paused | stopped
    started_at: datetime
    stopped_at: datetime | None
    due_at: datetime
    provisional: bool
    fired_level: int
    next_level: int | None
    next_fire_at: datetime | None
    co_handling_id: UUID | None = None  # the part of a further department whose clock it is
    ladder_edition: int = 1
    rung_calendar: str | None = None  # of a natural clock whose rungs wait in working time
    rung_at: datetime | None = None  # when the last rung fired
    plain_due_at: datetime | None = None  # when it was due had no outage been; None: no outage moved it
    judged_at: datetime | None = None  # when what stopped it was done, where a phone could tell it only later

    @property
    def ended_at(self) -> datetime | None:
        """By which moment it was in time or late; None while it has not stopped."""
        return self.judged_at or self.stopped_at

    @property
    def budget(self) -> Budget:
        """What it may use up."""
        return Budget(self.unit, self.budget_seconds)


def start_clock(
    clock_id: UUID, case_id: UUID, cycle: int, kind: Clock, limit: Limit, rungs: Sequence[Rung], now: datetime
) -> CaseClock:
    """A clock that begins to run at `now`."""
    due = deadline(now, limit.budget, limit.calendar, ())
    waits_by = _waits_by(rungs, limit.calendar, limit.case_calendar)
    upcoming = next_rung(rungs, 0, now, limit.budget, limit.calendar, (), Last(None, waits_by))
    runs_by = limit.calendar or waits_by
    return CaseClock(
        id=clock_id,
        case_id=case_id,
        cycle=cycle,
        kind=kind,
        ladder=limit.ladder,
        unit=limit.budget.unit,
        budget_seconds=limit.budget.seconds,
        calendar=limit.calendar.code if limit.calendar else None,
        edition=runs_by.edition if runs_by else None,
        state="running",
        started_at=now,
        stopped_at=None,
        due_at=due.at,
        provisional=due.provisional,
        fired_level=0,
        next_level=upcoming.level if upcoming else None,
        next_fire_at=upcoming.at if upcoming else None,
        ladder_edition=limit.ladder_edition,
        rung_calendar=waits_by.code if waits_by else None,
    )


def _waits_by(rungs: Sequence[Rung], runs_by: Calendar | None, of_case: Calendar | None) -> Calendar | None:
    """The calendar by which rungs wait where the clock itself has none; None where none of them has to."""
    return of_case if runs_by is None and any(rung.waits_in_working_time for rung in rungs) else None


def stop_clock(clock: CaseClock, now: datetime, captured_at: datetime | None = None) -> CaseClock:
    """The clock has done its work; it never fires again. Stopping twice changes nothing.

    `captured_at` is when a phone says, and is believed, that it was done: late or in time is judged by that.
    """
    if clock.state == "stopped":
        return clock
    judged = judged_at(clock.kind, clock.started_at, captured_at, now)
    return replace(clock, state="stopped", stopped_at=now, judged_at=judged, next_level=None, next_fire_at=None)


def pause_clock(clock: CaseClock) -> CaseClock:
    """The clock stands still; what it will be due at is asked again when it goes on."""
    return replace(clock, state="paused", next_fire_at=None)


def go_on(clock: CaseClock, book: Rulebook, pauses: Sequence[Pause]) -> CaseClock:
    """The clock after a change of its pauses, budget, calendar or fired level: all instants anew.

    It runs, unless one of its pauses has not ended: then it stands still.
    """
    calendar, waits_by = book.calendar(clock.calendar), book.calendar(clock.rung_calendar)
    due = deadline(clock.started_at, clock.budget, calendar, pauses)
    upcoming = next_rung(
        book.ladder(clock.ladder), clock.fired_level, clock.started_at, clock.budget, calendar, pauses,
        Last(clock.rung_at, waits_by),
    )  # fmt: skip
    runs_by = calendar or waits_by
    anew = replace(
        clock,
        state="running",
        edition=runs_by.edition if runs_by else None,
        due_at=due.at,
        provisional=due.provisional,
        next_level=upcoming.level if upcoming else None,
        next_fire_at=upcoming.at if upcoming else None,
        plain_due_at=_plain_due(clock, calendar, pauses, due.at),
    )
    return pause_clock(anew) if any(each.end is None for each in pauses) else anew


def judged_anew(clock: CaseClock, calendar: Calendar | None, pauses: Sequence[Pause]) -> CaseClock:
    """A stopped clock by pauses that were approved, or taken back, after it had stopped.

    `calendar` is the edition by which it was computed. What it was due by without outages stays beside the new
    deadline.
    """
    due = deadline(clock.started_at, clock.budget, calendar, pauses)
    return replace(clock, due_at=due.at, plain_due_at=_plain_due(clock, calendar, pauses, due.at))


def _plain_due(
    clock: CaseClock, calendar: Calendar | None, pauses: Sequence[Pause], due: datetime
) -> datetime | None:
    if not any(each.outage for each in pauses):
        return None
    plain = deadline(clock.started_at, clock.budget, calendar, [each for each in pauses if each.outage is None]).at
    return None if plain == due else plain


def outdated(clock: CaseClock, book: Rulebook) -> bool:
    """Whether an open clock was computed with another edition of its calendar, or of the ladders, than is in force."""
    if clock.state == "stopped":
        return False
    calendar = book.calendar(clock.calendar or clock.rung_calendar)
    return clock.ladder_edition != book.ladder_edition or (calendar is not None and clock.edition != calendar.edition)


def follow_ladders(
    clock: CaseClock, book: Rulebook, category: Category, divisions: Sequence[str], department: str | None
) -> CaseClock:
    """The clock on the ladder that the edition in force has for it; its next rung is still to be asked for.

    A call-back keeps the ladder that the rule of its level named. The same edition changes nothing.
    """
    if clock.ladder_edition == book.ladder_edition:
        return clock
    ladder = clock.ladder
    if clock.kind is not Clock.CALL_BACK:
        ladder = book.ladder_for(clock.kind, category, divisions, department)
    of_case = book.calendar_for(category, divisions, department)
    waits_by = _waits_by(book.ladder(ladder), book.calendar(clock.calendar), of_case)
    return replace(
        clock,
        ladder=ladder,
        ladder_edition=book.ladder_edition,
        rung_calendar=waits_by.code if waits_by else None,
    )


def recomputed(clock: CaseClock, book: Rulebook, pauses: Sequence[Pause]) -> CaseClock:
    """An open clock by the editions of its calendar and its ladder that are in force now.

    Rungs that fired stay fired, whatever the new edition says of them; a paused clock stays paused.
    """
    anew = go_on(clock, book, pauses)
    return pause_clock(anew) if clock.state == "paused" else anew
