"""What a clock would do if it began at some moment: by when, who hears, and which stretches count."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gridsvc.domain.calendar import Reach
from gridsvc.domain.deadline import Interval, intervals
from gridsvc.domain.escalation import Last, Rung, deadline, next_rung
from gridsvc.domain.rulebook import Limit


@dataclass(frozen=True)
class RungAhead:
    """A rung of the ladder, and when it would fire if nobody acted."""

    rung: Rung
    at: datetime


@dataclass(frozen=True)
class Foretold:
    """The deadline, the rungs on the way and beyond, and every stretch up to the deadline."""

    due: Reach
    rungs: Sequence[RungAhead]
    intervals: Sequence[Interval]


def foretell(begins: datetime, limit: Limit, ladder: Sequence[Rung]) -> Foretold:
    """The life of a clock of this limit that begins at `begins`, never pauses and is never stopped."""
    calendar, budget = limit.calendar, limit.budget
    due = deadline(begins, budget, calendar, ())
    return Foretold(
        due=due,
        rungs=_rungs(begins, limit, ladder),
        intervals=intervals(calendar, begins, due.at, (), budget.unit),
    )


def _rungs(begins: datetime, limit: Limit, ladder: Sequence[Rung]) -> list[RungAhead]:
    """Each rung once, in order, as if the one before had fired on time; repetitions are not told one by one."""
    ahead: list[RungAhead] = []
    waits_by = limit.calendar or limit.case_calendar
    for rung in sorted(ladder, key=lambda each: each.level):
        last = Last(ahead[-1].at if ahead else None, waits_by)
        coming = next_rung(ladder, rung.level - 1, begins, limit.budget, limit.calendar, (), last)
        if coming is not None:
            ahead.append(RungAhead(rung, coming.at))
    return ahead
