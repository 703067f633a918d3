"""One running clock of a case, and what each thing that happens makes of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from gridsvc.domain.calendar import Calendar
from gridsvc.domain.case import Clock
from gridsvc.domain.deadline import Budget, ClockUnit, Pause
from gridsvc.domain.escalation import Rung, deadline, next_rung
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
    plain_due_at: datetime | None = None  # when it was due had no outage been; None: no outage moved it

    @property
    def budget(self) -> Budget:
        """What it may use up."""
        return Budget(self.unit, self.budget_seconds)


def start_clock(
    clock_id: UUID, case_id: UUID, cycle: int, kind: Clock, limit: Limit, rungs: Sequence[Rung], now: datetime
) -> CaseClock:
    """A clock that begins to run at `now`."""
    due = deadline(now, limit.budget, limit.calendar, ())
    upcoming = next_rung(rungs, 0, now, limit.budget, limit.calendar, ())
    return CaseClock(
        id=clock_id,
        case_id=case_id,
        cycle=cycle,
        kind=kind,
        ladder=limit.ladder,
        unit=limit.budget.unit,
        budget_seconds=limit.budget.seconds,
        calendar=limit.calendar.code if limit.calendar else None,
        edition=limit.calendar.edition if limit.calendar else None,
        state="running",
        started_at=now,
        stopped_at=None,
        due_at=due.at,
        provisional=due.provisional,
        fired_level=0,
        next_level=upcoming.level if upcoming else None,
        next_fire_at=upcoming.at if upcoming else None,
    )


def stop_clock(clock: CaseClock, now: datetime) -> CaseClock:
    """The clock has done its work; it never fires again. Stopping twice changes nothing."""
    if clock.state == "stopped":
        return clock
    return replace(clock, state="stopped", stopped_at=now, next_level=None, next_fire_at=None)


def pause_clock(clock: CaseClock) -> CaseClock:
    """The clock stands still; what it will be due at is asked again when it goes on."""
    return replace(clock, state="paused", next_fire_at=None)


def go_on(clock: CaseClock, book: Rulebook, pauses: Sequence[Pause]) -> CaseClock:
    """The clock after a change of its pauses, budget, calendar or fired level: all instants anew.

    It runs, unless one of its pauses has not ended: then it stands still.
    """
    calendar = book.calendar(clock.calendar)
    due = deadline(clock.started_at, clock.budget, calendar, pauses)
    upcoming = next_rung(book.ladder(clock.ladder), clock.fired_level, clock.started_at, clock.budget, calendar, pauses)
    anew = replace(
        clock,
        state="running",
        edition=calendar.edition if calendar else None,
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
    """Whether the calendar of an open clock has a newer edition than the one it was computed with."""
    calendar = book.calendar(clock.calendar)
    return clock.state != "stopped" and calendar is not None and clock.edition != calendar.edition


def recomputed(clock: CaseClock, book: Rulebook, pauses: Sequence[Pause]) -> CaseClock:
    """An open clock by the edition of its calendar that is in force now.

    Rungs that fired stay fired, whatever the new edition says of them; a paused clock stays paused.
    """
    anew = go_on(clock, book, pauses)
    return pause_clock(anew) if clock.state == "paused" else anew
