"""Visits (走访): who or what is visited how often, and when next. docs/rules/visits.md says it with examples.

A visit that is due is a case of its plan's category; nothing here knows of clocks, ladders or owners.
"""

from __future__ import annotations

import re
from calendar import monthrange
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Final

from gridsvc.domain.calendar import Calendar

VISIT: Final = "visit"
"""The source of cases that come of visit plans."""

WANT_SOMEBODY: Final = frozenset({"trouble", "gone"})
"""Results of which the desk hears: something must be done, or a plan has ended."""

AGAIN_DAYS: Final = 3
"""When nobody was met, the visit is tried again so many days later."""

SUBJECT_FORM: Final = "2 to 32 capital letters, digits and dashes, without seven digits in a row"
"""What names who or what is visited. Never a name, a phone or an identity number: those have seven digits and more."""

_SUBJECT: Final = re.compile(r"(?!.*[0-9]{7})[A-Z0-9][A-Z0-9-]{1,31}", re.ASCII)
_DAY: Final = timedelta(days=1)
_MOST: Final = {"day": 366, "week": 53, "month": 24}
_IDLE_DAYS: Final = 40  # longer without a working day: the calendar is not to be followed


class Unit(StrEnum):
    """What an interval counts."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"


@dataclass(frozen=True)
class Every:
    """How often: every `count` days, weeks or months, counted from the plan's first day."""

    count: int
    unit: Unit

    @property
    def is_sane(self) -> bool:
        """Whether it is at least daily and at most every other year."""
        return 1 <= self.count <= _MOST[self.unit]


@dataclass(frozen=True)
class Rhythm:
    """When a plan's visits are: from `first_on` on, every so often; where wanted, on working days alone."""

    first_on: date
    every: Every
    working_days: bool = True


def is_subject(text: str) -> bool:
    """Whether `text` may stand for who or what is visited (SUBJECT_FORM)."""
    return _SUBJECT.fullmatch(text) is not None


def next_on(rhythm: Rhythm, after: date, calendar: Calendar) -> date:
    """The first day of the rhythm later than `after`.

    A day on which nobody works gives way to the next on which somebody does, also into the following month.
    """
    times = _times_before(rhythm, after)
    while (day := _moved(rhythm, _nth(rhythm, times), calendar)) <= after:
        times += 1
    return day


def next_after(rhythm: Rhythm, visited_on: date, due_on: date, result: str, calendar: Calendar) -> date | None:
    """When the next visit is, after one that was due on `due_on` and ended like this; None: the plan has ended.

    One that was made early or late changes no later day; days that passed meanwhile are not made up for. Where
    nobody was met it is tried again soon, unless the rhythm brings it sooner.
    """
    if result == "gone":
        return None
    regular = next_on(rhythm, max(visited_on, due_on), calendar)
    if result != "not_met":
        return regular
    again = visited_on + AGAIN_DAYS * _DAY
    return min(regular, _at_work(again, calendar) if rhythm.working_days else again)


def _times_before(rhythm: Rhythm, after: date) -> int:
    """A number of intervals that does not reach beyond `after`, and nearly does."""
    passed = max((after - rhythm.first_on).days - _IDLE_DAYS, 0)
    most_days = {Unit.DAY: 1, Unit.WEEK: 7, Unit.MONTH: 31}[rhythm.every.unit] * rhythm.every.count
    return passed // most_days


def _nth(rhythm: Rhythm, times: int) -> date:
    """The day `times` intervals after the first; in a month that lacks it, the last of the month."""
    first, count = rhythm.first_on, rhythm.every.count * times
    if rhythm.every.unit is Unit.DAY:
        return first + count * _DAY
    if rhythm.every.unit is Unit.WEEK:
        return first + 7 * count * _DAY
    years, month = divmod(first.month - 1 + count, 12)
    year, month = first.year + years, month + 1
    return date(year, month, min(first.day, monthrange(year, month)[1]))


def _moved(rhythm: Rhythm, day: date, calendar: Calendar) -> date:
    return _at_work(day, calendar) if rhythm.working_days else day


def _at_work(day: date, calendar: Calendar) -> date:
    """The day itself or the first after it on which somebody works; itself where nobody does for weeks."""
    days = (day + n * _DAY for n in range(_IDLE_DAYS))
    return next((each for each in days if calendar.slots_of(each)), day)
