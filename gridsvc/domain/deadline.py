"""Time limits: from a category's limit to a budget, from a budget and its pauses to a deadline.

Units: `urgent_minute`, `urgent_hour` and `urgent_day` run on the natural clock, through nights and holidays;
`day` is a natural day; `work_hour` and `work_day` run on the working calendar. A working day is
8 working hours, or, where the calendar's profile says so, the n-th end of a working day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import pairwise
from typing import Final
from uuid import UUID

from gridsvc.domain.calendar import Calendar, Reach, Why, WorkDay, advance, hours_of, worked_seconds

MINUTE: Final = 60
HOUR: Final = 3_600
WORK_DAY_HOURS: Final = 8  # 工作日 = 8 working hours, unless the calendar's profile says otherwise


class LimitUnit(StrEnum):
    """What a category's limit counts."""

    URGENT_MINUTE = "urgent_minute"  # 紧急分钟
    URGENT_HOUR = "urgent_hour"  # 紧急工作时
    URGENT_DAY = "urgent_day"  # 紧急工作日, 24 h
    WORK_HOUR = "work_hour"  # 工作时
    WORK_DAY = "work_day"  # 工作日
    DAY = "day"  # 自然日


class ClockUnit(StrEnum):
    """What a clock counts."""

    NATURAL = "natural"
    WORK = "work"
    WORK_DAY = "work_day"  # ends of working days; its budget is written as 8 hours for each of them


@dataclass(frozen=True)
class Budget:
    """So many seconds on one kind of clock."""

    unit: ClockUnit
    seconds: int

    @property
    def days(self) -> int:
        """How many working days a budget of ends of days has; a part of one counts as one."""
        return -(-self.seconds // (WORK_DAY_HOURS * HOUR))


_SECONDS: Final[dict[LimitUnit, tuple[ClockUnit, int]]] = {
    LimitUnit.URGENT_MINUTE: (ClockUnit.NATURAL, MINUTE),
    LimitUnit.URGENT_HOUR: (ClockUnit.NATURAL, HOUR),
    LimitUnit.URGENT_DAY: (ClockUnit.NATURAL, 24 * HOUR),
    LimitUnit.DAY: (ClockUnit.NATURAL, 24 * HOUR),
    LimitUnit.WORK_HOUR: (ClockUnit.WORK, HOUR),
    LimitUnit.WORK_DAY: (ClockUnit.WORK, WORK_DAY_HOURS * HOUR),
}


def budget_of(amount: float, unit: LimitUnit, work_day: WorkDay = WorkDay.EIGHT_HOURS) -> Budget:
    """The budget that a limit of `amount` `unit`s gives, in whole seconds, where a working day means `work_day`."""
    clock, seconds = _SECONDS[unit]
    if unit is LimitUnit.WORK_DAY and work_day is WorkDay.END_OF_DAY:
        clock = ClockUnit.WORK_DAY
    return Budget(clock, round(amount * seconds))


LONGEST_WEEKS: Final = 156
"""No limit is longer than three years, counted in weeks of the calendar's own hours."""


def longest_limits(calendars: Iterable[Calendar]) -> dict[LimitUnit, float]:
    """How much of each unit three years hold; of working time, what they hold in the emptiest of `calendars`."""
    days = 7 * LONGEST_WEEKS
    natural = {LimitUnit.URGENT_HOUR: 24 * days, LimitUnit.URGENT_DAY: days, LimitUnit.DAY: days}
    weeks = [(each.work_day, [hours_of(slots) for slots in each.slots.values() if slots]) for each in calendars]
    hours = min((sum(week) for _, week in weeks), default=0.0) * LONGEST_WEEKS
    full = (len(week) if profile is WorkDay.END_OF_DAY else sum(week) / WORK_DAY_HOURS for profile, week in weeks)
    work = {LimitUnit.WORK_HOUR: hours, LimitUnit.WORK_DAY: min(full, default=0.0) * LONGEST_WEEKS}
    return {**natural, **work}


@dataclass(frozen=True)
class Pause:
    """A stretch in which a clock stood still; `to` None: it still does."""

    start: datetime
    end: datetime | None
    reason: str
    outage: UUID | None = None  # the one that it is of


@dataclass(frozen=True)
class Interval:
    """A stretch of a clock's life: whether it counted, and why or why not.

    `name` is that of the day off or make-up workday, or the reason of the pause.
    """

    start: datetime
    end: datetime
    counted: bool
    why: Why
    name: str = ""


def reach(calendar: Calendar | None, started: datetime, seconds: float, pauses: Sequence[Pause]) -> Reach:
    """When a clock that started at `started` has used up `seconds`, its ended pauses left out.

    A pause that has not ended yet is not counted on: the clock is asked again when it ends.
    A pause in non-working time adds nothing, since nothing would have counted.
    """
    if not pauses:
        return advance(calendar, started, seconds)
    at, left, provisional = started, seconds, False
    for pause in sorted((p for p in pauses if p.end is not None), key=lambda p: p.start):
        goal = advance(calendar, at, left)
        if goal.at <= pause.start:
            return goal
        left -= worked_seconds(calendar, at, pause.start)
        provisional = provisional or goal.provisional
        at = max(at, pause.end or at)
    goal = advance(calendar, at, left)
    return Reach(goal.at, goal.provisional or provisional)


def reach_share(
    calendar: Calendar | None, started: datetime, budget: Budget, share: float, pauses: Sequence[Pause]
) -> Reach:
    """When a clock has used up `share` of its budget: 1 is its deadline.

    On a clock of ends of days nothing counts on the day it began; the deadline is the close of its last
    day, and where pauses move it, the close of the day that they move it to. A share below 1 stands in
    the working time up to there, one above in the working time after it.
    """
    if budget.unit is not ClockUnit.WORK_DAY or calendar is None:
        return reach(calendar, started, budget.seconds * share, pauses)
    whole = calendar.end_of_work_day(started, budget.days)
    if share == 1 and not pauses:
        return whole
    begins = first_counted(calendar, started)
    seconds = worked_seconds(calendar, begins, whole.at)
    if share < 1:
        return reach(calendar, begins, seconds * share, pauses)
    moved = reach(calendar, begins, seconds, pauses)
    due = Reach(calendar.close_of(moved.at), moved.provisional)
    if share == 1:
        return due
    beyond = reach(calendar, due.at, seconds * (share - 1), [p for p in pauses if p.end and p.end > due.at])
    return Reach(beyond.at, beyond.provisional or due.provisional)


def first_counted(calendar: Calendar, started: datetime) -> datetime:
    """From when on a clock of ends of days counts: the midnight after its first day."""
    return calendar.midnight(started.astimezone(calendar.zone).date() + timedelta(days=1))


def intervals(
    calendar: Calendar | None,
    started: datetime,
    until: datetime,
    pauses: Sequence[Pause],
    unit: ClockUnit = ClockUnit.WORK,
) -> list[Interval]:
    """Every stretch between `started` and `until`, in order, without gap: counted, or why not.

    Nothing when `until` is not after `started`. Where pauses overlap the first of them is the reason.
    """
    if until <= started:
        return []
    paused = [(max(p.start, started), min(p.end or until, until), p.reason) for p in pauses]
    plain = list(_unpaused(calendar, started, until, unit))
    edges = {started, until, *(each.start for each in plain)}
    edges.update(edge for begin, finish, _ in paused for edge in (begin, finish) if started <= edge <= until)
    found: list[Interval] = []
    stretches = iter(plain)
    here = next(stretches)
    for begin, finish in pairwise(sorted(edges)):
        while here.end <= begin:
            here = next(stretches)
        reason = next((reason for since, to, reason in paused if since <= begin < to), None)
        if reason is None:
            piece = Interval(begin, finish, here.counted, here.why, here.name)
        else:
            piece = Interval(begin, finish, False, Why.PAUSED, reason)
        if found and (found[-1].why, found[-1].name) == (piece.why, piece.name):
            piece = Interval(found.pop().start, finish, piece.counted, piece.why, piece.name)
        found.append(piece)
    return found


def _unpaused(calendar: Calendar | None, started: datetime, until: datetime, unit: ClockUnit) -> Iterator[Interval]:
    """The stretches as if the clock had never paused: working time, and the idle time of each day with its reason."""
    if calendar is None:
        yield Interval(started, until, True, Why.COUNTED)
        return
    if unit is ClockUnit.WORK_DAY:
        begins = min(first_counted(calendar, started), until)
        yield Interval(started, begins, False, Why.FIRST_DAY)
        started = begins
    at = started
    for opens, closes in [*calendar.spans(started, until), (until, until)]:
        for begin, finish in pairwise([at, *calendar.midnights(at, opens), opens]):
            if begin < finish:
                why, name = calendar.why_idle(begin.astimezone(calendar.zone).date())
                yield Interval(begin, finish, False, why, name)
        for begin, finish in pairwise([opens, *calendar.midnights(opens, closes), closes]):
            if begin < finish:
                day = begin.astimezone(calendar.zone).date()
                name = calendar.names.get(day, "") if calendar.days.get(day) else ""
                yield Interval(begin, finish, True, Why.COUNTED, name)
        at = closes
