"""Time limits: from a category's limit to a budget, from a budget and its pauses to a deadline.

Units: `urgent_hour` and `urgent_day` run on the natural clock, through nights and holidays;
`day` is a natural day; `work_hour` and `work_day` (8 working hours) run on the working calendar.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import Final

from gridsvc.domain.calendar import Calendar, Reach, advance, worked_seconds

HOUR: Final = 3_600
WORK_DAY_HOURS: Final = 8  # 工作日 = 8 working hours, not "the end of the next working day"


class LimitUnit(StrEnum):
    """What a category's limit counts."""

    URGENT_HOUR = "urgent_hour"  # 紧急工作时
    URGENT_DAY = "urgent_day"  # 紧急工作日, 24 h
    WORK_HOUR = "work_hour"  # 工作时
    WORK_DAY = "work_day"  # 工作日
    DAY = "day"  # 自然日


class ClockUnit(StrEnum):
    """What a clock counts."""

    NATURAL = "natural"
    WORK = "work"


@dataclass(frozen=True)
class Budget:
    """So many seconds on one kind of clock."""

    unit: ClockUnit
    seconds: int


_SECONDS: Final[dict[LimitUnit, tuple[ClockUnit, int]]] = {
    LimitUnit.URGENT_HOUR: (ClockUnit.NATURAL, HOUR),
    LimitUnit.URGENT_DAY: (ClockUnit.NATURAL, 24 * HOUR),
    LimitUnit.DAY: (ClockUnit.NATURAL, 24 * HOUR),
    LimitUnit.WORK_HOUR: (ClockUnit.WORK, HOUR),
    LimitUnit.WORK_DAY: (ClockUnit.WORK, WORK_DAY_HOURS * HOUR),
}


def budget_of(amount: float, unit: LimitUnit) -> Budget:
    """The budget that a limit of `amount` `unit`s gives, in whole seconds."""
    clock, seconds = _SECONDS[unit]
    return Budget(clock, round(amount * seconds))


@dataclass(frozen=True)
class Pause:
    """A stretch in which a clock stood still; `to` None: it still does."""

    start: datetime
    end: datetime | None
    reason: str


@dataclass(frozen=True)
class Interval:
    """A stretch of a clock's life: whether it counted, and why or why not."""

    start: datetime
    end: datetime
    counted: bool
    why: str


def reach(calendar: Calendar | None, started: datetime, seconds: float, pauses: Sequence[Pause]) -> Reach:
    """When a clock that started at `started` has used up `seconds`, its ended pauses left out.

    A pause that has not ended yet is not counted on: the clock is asked again when it ends.
    A pause in non-working time adds nothing, since nothing would have counted.
    """
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


def intervals(calendar: Calendar | None, started: datetime, until: datetime, pauses: Sequence[Pause]) -> list[Interval]:
    """Every stretch between `started` and `until`, in order, without gap: counted, or why not.

    Nothing when `until` is not after `started`. Where pauses overlap the first of them is the reason.
    """
    if until <= started:
        return []
    edges = {started, until}
    paused = [(max(p.start, started), min(p.end or until, until), p.reason) for p in pauses]
    working = [(started, until)] if calendar is None else list(calendar.spans(started, until))
    for begin, finish in [*working, *((begin, finish) for begin, finish, _ in paused)]:
        edges.update(edge for edge in (begin, finish) if started <= edge <= until)
    found: list[Interval] = []
    points = sorted(edges)
    for begin, finish in pairwise(points):
        why = next((f"paused: {reason}" for start, end, reason in paused if start <= begin < end), None)
        counted = why is None and any(start <= begin < end for start, end in working)
        why = why or ("counted" if counted else "outside working hours")
        if found and found[-1].why == why:
            found[-1] = Interval(found[-1].start, finish, counted, why)
        else:
            found.append(Interval(begin, finish, counted, why))
    return found
