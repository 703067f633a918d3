"""Ladders: which rung of which clock is due, in what order, and how late.

A rung stands at a share of its clock's budget (1 is the deadline itself, 1.5 half a budget beyond),
measured on the clock's own time: working seconds for a working clock. Levels fire in order, one
after the other; after downtime each missed one fires once and says how late it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from gridsvc.domain.calendar import Calendar, Reach
from gridsvc.domain.deadline import Budget, Pause, reach_share


class Effect(StrEnum):
    """What a rung does."""

    WARNING = "warning"  # the limit comes near
    OVERDUE = "overdue"  # the limit has passed
    CLIMB = "climb"  # the next level up hears
    MOVE_ON = "move_on"  # not acknowledged: routing looks for another


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step of a ladder. `role` 'owner' is the case's own; others at `division_level`."""

    ladder: str
    level: int
    share: float
    effect: Effect
    role: str
    division_level: str | None


@dataclass(frozen=True)
class NextRung:
    """The rung that fires next, and when."""

    level: int
    at: datetime


def next_rung(
    rungs: Sequence[Rung],
    fired_level: int,
    started: datetime,
    budget: Budget,
    calendar: Calendar | None,
    pauses: Sequence[Pause],
) -> NextRung | None:
    """The lowest rung above `fired_level` and its moment; None at the top of the ladder."""
    above = [rung for rung in rungs if rung.level > fired_level]
    if not above:
        return None
    rung = min(above, key=lambda r: r.level)
    return NextRung(rung.level, reach_share(calendar, started, budget, rung.share, pauses).at)


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
