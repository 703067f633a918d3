"""The working calendar: which minutes of a city count, and how far a budget of them reaches.

Civil times of a zone; every moment that goes in or out is an aware datetime. Days off and make-up
workdays (调休) come from the State Council's yearly notice; a year whose notice nobody has imported
makes an answer provisional.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

Slots = tuple[tuple[time, time], ...]
_DAYS_AHEAD: Final = 3 * 366  # a budget that reaches further is a mistake in the calendar, not a limit


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """One edition of a working calendar.

    `slots` by ISO weekday (1 Monday); a day without slots does not work. `days` overrides single
    days: False a day off, True a make-up workday, which has the slots of the first working weekday.
    `years` are those whose days off are published.
    """

    code: str
    edition: int
    zone: ZoneInfo
    slots: Mapping[int, Slots]
    days: Mapping[date, bool] = field(default_factory=dict)
    years: frozenset[int] = frozenset()

    def slots_of(self, day: date) -> Slots:
        """The working slots of `day`, in order; empty when nobody works."""
        override = self.days.get(day)
        if override is False:
            return ()
        own = self.slots.get(day.isoweekday(), ())
        if override and not own:
            return next((self.slots[weekday] for weekday in sorted(self.slots) if self.slots[weekday]), ())
        return own

    def spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working stretches between two moments, in UTC, in order, without overlap."""
        start, end = start.astimezone(UTC), end.astimezone(UTC)
        day = start.astimezone(self.zone).date()
        last = end.astimezone(self.zone).date()
        while day <= last:
            for opens, closes in self.slots_of(day):
                begin = max(start, self._moment(day, opens))
                finish = min(end, self._moment(day, closes))
                if begin < finish:
                    yield begin, finish
            day += timedelta(days=1)

    def _moment(self, day: date, at: time) -> datetime:
        # Through UTC, so that differences are true seconds also across a change of the clocks.
        return datetime.combine(day, at, self.zone).astimezone(UTC)


@dataclass(frozen=True)
class Reach:
    """Where a budget ends. `provisional`: it crosses into a year whose calendar is not published."""

    at: datetime
    provisional: bool = False


def advance(calendar: Calendar | None, start: datetime, seconds: float) -> Reach:
    """The moment at which `seconds` have been used up since `start`.

    Without a calendar every second counts. A budget that is used up exactly at the end of a slot
    ends there, not at the start of the next one; nothing to use up ends at `start`.
    Raises ValueError for a calendar that never works.
    """
    start = start.astimezone(UTC)  # Python adds and subtracts within one zone by the wall, not by the second
    if calendar is None or seconds <= 0:
        return Reach(start + timedelta(seconds=max(seconds, 0.0)))
    left = timedelta(seconds=seconds)
    for begin, finish in calendar.spans(start, start + timedelta(days=_DAYS_AHEAD)):
        if finish - begin >= left:
            return Reach(begin + left, _crosses_unpublished(calendar, start, begin + left))
        left -= finish - begin
    raise ValueError(f"calendar {calendar.code} has less than {seconds:.0f} working seconds in three years")


def worked_seconds(calendar: Calendar | None, start: datetime, end: datetime) -> float:
    """How many seconds between two moments count; 0 when `end` is not after `start`."""
    if end <= start:
        return 0.0
    if calendar is None:
        return (end.astimezone(UTC) - start.astimezone(UTC)).total_seconds()
    return sum((finish - begin).total_seconds() for begin, finish in calendar.spans(start, end))


def _crosses_unpublished(calendar: Calendar, start: datetime, end: datetime) -> bool:
    first, last = start.astimezone(calendar.zone).year, end.astimezone(calendar.zone).year
    return any(year not in calendar.years for year in range(first, last + 1))
