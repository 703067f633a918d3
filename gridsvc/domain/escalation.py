"""Ladders: which rung of which clock is due, in what order, and how late.

A rung stands at a share of its clock's budget (1 is the deadline itself, 1.5 half a budget beyond),
measured on the clock's own time: working seconds for a working clock; or so long after the rung before
it fired, in a unit of its own. Levels fire in order, one after the other; after downtime each missed one
fires once and says how late it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from gridsvc.domain.calendar import Calendar, Reach, WorkDay
from gridsvc.domain.deadline import Budget, ClockUnit, LimitUnit, Pause, budget_of, reach_share

OWNER = "owner"
"""Not a role but whoever answers for the case, or for the part, at the moment."""


class Effect(StrEnum):
    """What a rung does."""

    WARNING = "warning"  # the limit comes near
    OVERDUE = "overdue"  # the limit has passed
    CLIMB = "climb"  # the next level up hears
    MOVE_ON = "move_on"  # not acknowledged: routing looks for another


class Axis(StrEnum):
    """Along which chain a rung is heard (条块)."""

    BLOCK = "block"  # 块: whoever holds the role in the division
    LINE = "line"  # 条: whoever holds it for the case's department, or for its duty line where it has none
    BOTH = "both"


@dataclass(frozen=True, kw_only=True)
class Hearing:
    """Who hears: a role at a level of divisions, along one axis or both; or the owner."""

    role: str
    division_level: str | None = None
    axis: Axis = Axis.BLOCK


@dataclass(frozen=True, kw_only=True)
class After:
    """So long after the rung before it fired, or after the clock's start where none did."""

    amount: float
    unit: LimitUnit

    def budget(self, calendar: Calendar | None) -> Budget:
        """The same as the budget of a clock on `calendar`."""
        return budget_of(self.amount, self.unit, calendar.work_day if calendar else WorkDay.EIGHT_HOURS)


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step of a ladder, at a `share` or `after` the one before. `role` 'owner' is the case's own.

    `repeats`: how often it fires again, each time as a level of its own. `also`: who hears beside the role.
    """

    ladder: str
    level: int
    share: float | None
    effect: Effect
    role: str
    division_level: str | None
    axis: Axis = Axis.BLOCK
    after: After | None = None
    repeats: int = 0
    also: tuple[Hearing, ...] = ()

    @property
    def last_level(self) -> int:
        """The level of its last repetition; its own where it has none."""
        return self.level + self.repeats

    @property
    def hearings(self) -> tuple[Hearing, ...]:
        """Everybody whom it names."""
        return (Hearing(role=self.role, division_level=self.division_level, axis=self.axis), *self.also)

    @property
    def waits_in_working_time(self) -> bool:
        """Whether it needs a calendar even on a clock that runs by nature."""
        return self.after is not None and self.after.budget(None).unit is not ClockUnit.NATURAL


@dataclass(frozen=True)
class NextRung:
    """The rung that fires next, and when."""

    level: int
    at: datetime


@dataclass(frozen=True)
class Last:
    """What fired last on a clock, and what its rungs wait by."""

    fired_at: datetime | None = None  # None: nothing yet
    calendar: Calendar | None = None  # for rungs that wait in working time


_NOTHING_YET = Last()


def step(rungs: Sequence[Rung], level: int | None) -> Rung | None:
    """The rung that fires as `level`, a repetition as a rung of its own; None where the ladder has none there."""
    found = next((rung for rung in rungs if level is not None and rung.level <= level <= rung.last_level), None)
    return None if found is None or level is None else replace(found, level=level)


def next_rung(
    rungs: Sequence[Rung],
    fired_level: int,
    started: datetime,
    budget: Budget,
    calendar: Calendar | None,
    pauses: Sequence[Pause],
    last: Last = _NOTHING_YET,
) -> NextRung | None:
    """The lowest level above `fired_level` and its moment; None at the top of the ladder.

    A rung that waits for the one before counts from when that fired, not from when it should have: after a
    downtime nobody hears three repetitions at once.
    """
    levels = [max(rung.level, fired_level + 1) for rung in rungs if rung.last_level > fired_level]
    rung = step(rungs, min(levels, default=None))
    if rung is None:
        return None
    if rung.after is None:
        return NextRung(rung.level, reach_share(calendar, started, budget, rung.share or 0, pauses).at)
    since = last.fired_at or started
    waits_by = last.calendar or calendar
    wait = rung.after.budget(waits_by)
    at = reach_share(None if wait.unit is ClockUnit.NATURAL else waits_by, since, wait, 1, pauses).at
    return NextRung(rung.level, at)


def deadline(started: datetime, budget: Budget, calendar: Calendar | None, pauses: Sequence[Pause]) -> Reach:
    """When the clock's whole budget is used up."""
    return reach_share(calendar, started, budget, 1, pauses)


def division_at(level: str | None, divisions: Sequence[tuple[str, str]]) -> str | None:
    """The division of the case at `level`, from (code, level) pairs top down.

    Where the case has none at that level, the nearest above; the topmost where there is none above.
    None for a rung without a level, or a case without divisions.
    """
    if level is None or not divisions:
        return None
    order = ["province", "city", "district", "street", "community"]
    wanted = order.index(level)
    fitting = [code for code, own in divisions if order.index(own) <= wanted]
    return fitting[-1] if fitting else divisions[0][0]
