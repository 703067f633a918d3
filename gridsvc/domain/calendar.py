"""The working calendar: which minutes of a city count, and how far a budget of them reaches.

Civil times of a zone; every moment that goes in or out is an aware datetime. Days off and make-up
workdays (调休) come from the State Council's yearly notice; a year whose notice nobody has imported
makes an answer provisional.

A calendar is compiled year by year, when first asked, into the sums of its working stretches: an
answer is two binary searches whatever its length (2 µs, where walking over days took 18: bench/deadlines.py).
Inside, moments are whole microseconds since 1970, so nothing is rounded.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from calendar import isleap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from itertools import accumulate, pairwise
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

Slots = tuple[tuple[time, time], ...]
"""Working hours of a day, in order. One that closes at 00:00 closes at the midnight that ends the day."""

MonthDay = tuple[int, int]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_SECOND: Final = 1_000_000
_DAY: Final = timedelta(days=1)
_DAY_MICROS: Final = 86_400 * _SECOND
_MEAN_YEAR: Final = 31_556_952 * _SECOND
# A limit has at most three years, an extended one nine (two more limits), and the last rungs of its ladder stand at
# twice that; what reaches further, or over three years without an hour, is a mistake in the calendar.
_YEARS_AHEAD: Final = 20
_IDLE_YEARS: Final = 3


class WorkDay(StrEnum):
    """What a limit of n working days means in a city (a profile of its calendar)."""

    EIGHT_HOURS = "eight_hours"  # n times 8 working hours
    END_OF_DAY = "end_of_day"  # the end of the n-th working day after the day it began on (截止到第n个工作日下班)


class Why(StrEnum):
    """Why a stretch of time counts, or does not."""

    COUNTED = "counted"
    OUTSIDE_HOURS = "outside_hours"  # a working day, before, between or after its slots
    WEEKEND = "weekend"  # a weekday that never works
    DAY_OFF = "day_off"  # a day off, by its name
    FIRST_DAY = "first_day"  # end of the n-th working day: the day it began on is not one of them
    PAUSED = "paused"


@dataclass(frozen=True, kw_only=True)
class Season:
    """Other slots between two days of every year, both included (夏/冬季作息). `last` before `first`: over New Year."""

    name: str
    first: MonthDay
    last: MonthDay
    slots: Mapping[int, Slots]

    def holds(self, day: date) -> bool:
        """Whether the season is on."""
        on = (day.month, day.day)
        if self.first <= self.last:
            return self.first <= on <= self.last
        return on >= self.first or on <= self.last


@dataclass(frozen=True, slots=True)
class _Year:
    """The working stretches of one civil year, and the sums of them before and after each. Microseconds."""

    year: int
    published: bool
    begins: int
    ends: int
    opens: list[int]
    closes: list[int]
    before: list[int]
    after: list[int]
    total: int
    midnights: list[int]  # of each day
    worked_days: list[int]  # how many working days there are up to the end of each day
    day_closes: list[int]  # when the last slot of each working day closes

    def worked_until(self, at: int) -> int:
        """How much of the year's working time lies before `at`."""
        index = bisect_right(self.opens, at) - 1
        return 0 if index < 0 else self.before[index] + min(at, self.closes[index]) - self.opens[index]


@dataclass(frozen=True, kw_only=True)
class Calendar:
    """One edition of a working calendar.

    `slots` by ISO weekday (1 Monday); a day without slots does not work. Of `seasons` the first that is on
    has its own. `days` overrides single days: False a day off, True a make-up workday, which has the slots
    of the first working weekday unless its own weekday works; `names` says what they are called. `years`
    are those whose days off are published.
    """

    code: str
    edition: int
    zone: ZoneInfo
    slots: Mapping[int, Slots]
    seasons: tuple[Season, ...] = ()
    days: Mapping[date, bool] = field(default_factory=dict)
    names: Mapping[date, str] = field(default_factory=dict)
    years: frozenset[int] = frozenset()
    work_day: WorkDay = WorkDay.EIGHT_HOURS
    _compiled: dict[int, _Year] = field(default_factory=dict, init=False, repr=False, compare=False)

    def slots_of(self, day: date) -> Slots:
        """The working slots of `day`, in order; empty when nobody works."""
        override = self.days.get(day)
        if override is False:
            return ()
        week = next((season.slots for season in self.seasons if season.holds(day)), self.slots)
        own = week.get(day.isoweekday(), ())
        if override and not own:
            return next((week[weekday] for weekday in sorted(week) if week[weekday]), ())
        return own

    def why_idle(self, day: date) -> tuple[Why, str]:
        """Why the idle hours of `day` do not count, and the name of a day off."""
        if self.days.get(day) is False:
            return Why.DAY_OFF, self.names.get(day, "")
        return (Why.OUTSIDE_HOURS if self.slots_of(day) else Why.WEEKEND), ""

    def spans(self, start: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working stretches between two moments, in UTC, in order, without overlap."""
        since, until = micros(start), micros(end)
        if since >= until:
            return
        table = self._at(since)
        while table.begins < until:
            index = max(bisect_right(table.opens, since) - 1, 0)
            for opens, closes in zip(table.opens[index:], table.closes[index:], strict=True):
                if opens >= until:
                    return
                if closes > since:
                    yield _moment(max(opens, since)), _moment(min(closes, until))
            table = self._year(table.year + 1)

    def midnights(self, start: datetime, end: datetime) -> Iterator[datetime]:
        """Where the days of the zone begin, after `start` and before `end`, in UTC."""
        day = start.astimezone(self.zone).date() + _DAY
        while (at := self.midnight(day)) < end:
            if at > start:
                yield at
            day += _DAY

    def midnight(self, day: date) -> datetime:
        """When `day` begins, in UTC; where the clocks skip midnight, the moment at which they do."""
        return datetime.combine(day, time(), self.zone).astimezone(UTC)

    def end_of_work_day(self, start: datetime, days: int) -> Reach:
        """The close of the `days`-th working day after the day of `start`. Raises ValueError as `advance` does."""
        since = micros(start)
        table = first = self._at(since)
        index = table.worked_days[bisect_right(table.midnights, since) - 1] + days - 1
        while index >= len(table.day_closes):
            index -= len(table.day_closes)
            table = self._after(table, first, f"{days} working days")
        return Reach(_moment(table.day_closes[index]), self._unpublished(first, table))

    def close_of(self, at: datetime) -> datetime:
        """The close of the working day that `at` falls into; `at` itself on a day that does not work, or later."""
        since = micros(at)
        table = self._at(since)
        day = bisect_right(table.midnights, since) - 1
        worked = table.worked_days[day]
        if worked == (table.worked_days[day - 1] if day else 0):
            return at
        return max(at, _moment(table.day_closes[worked - 1]))

    def _after(self, table: _Year, first: _Year, wanted: str) -> _Year:
        idle = table.year - first.year >= _IDLE_YEARS and not any(
            self._year(table.year - n).total for n in range(_IDLE_YEARS)
        )
        if idle or table.year >= first.year + _YEARS_AHEAD:
            raise ValueError(f"calendar {self.code} has less than {wanted} up to {table.year}")
        return self._year(table.year + 1)

    def _unpublished(self, first: _Year, last: _Year) -> bool:
        if first is last:
            return not first.published
        return any(year not in self.years for year in range(first.year, last.year + 1))

    def _at(self, at: int) -> _Year:
        """The year that holds a moment."""
        table = self._year(1970 + at // _MEAN_YEAR)  # at New Year it may be the one beside
        if at < table.begins:
            return self._year(table.year - 1)
        return self._year(table.year + 1) if at >= table.ends else table

    def _year(self, year: int) -> _Year:
        table = self._compiled.get(year)
        if table is None:
            table = self._compiled[year] = self._compile(year)
        return table

    def _compile(self, year: int) -> _Year:
        """What the wall clock says is what counts: an hour that strikes twice counts twice, one left out not at all."""
        every_day = [date(year, 1, 1) + timedelta(days=n) for n in range(366 if isleap(year) else 365)]
        midnights = [micros(self.midnight(day)) for day in every_day]
        begins, ends = midnights[0], micros(self.midnight(date(year + 1, 1, 1)))
        found: list[tuple[int, int]] = []
        day_closes: dict[date, int] = {}
        for since, until in pairwise([begins, *self._clock_changes(begins, ends), ends]):
            offset = _offset(self.zone, since)
            first, last = _moment(since + offset).date(), _moment(until + offset).date()
            for day in (each for each in every_day if first <= each <= last):
                midnight = (day.toordinal() - _EPOCH.toordinal()) * _DAY_MICROS - offset
                for opens, closes in self.slots_of(day):
                    begin = max(since, midnight + _into_day(opens))
                    finish = min(until, midnight + (_into_day(closes) or _DAY_MICROS))
                    if begin < finish:
                        found.append((begin, finish))
                        day_closes[day] = finish
        found = _joined(found)
        after = list(accumulate(closes - opens for opens, closes in found))
        return _Year(
            year=year,
            published=year in self.years,
            begins=begins,
            ends=ends,
            opens=[opens for opens, _ in found],
            closes=[closes for _, closes in found],
            before=[0, *after[:-1]],
            after=after,
            total=after[-1] if after else 0,
            midnights=midnights,
            worked_days=list(accumulate(day in day_closes for day in every_day)),
            day_closes=[day_closes[day] for day in sorted(day_closes)],
        )

    def _clock_changes(self, begins: int, ends: int) -> list[int]:
        """When the zone's offset changes, to the second; two changes within one day would be missed (none is known)."""
        found = []
        for since in range(begins, ends, _DAY_MICROS):
            low, high = since, min(since + _DAY_MICROS, ends - _SECOND)
            before = _offset(self.zone, low)
            if _offset(self.zone, high) == before:
                continue
            while high - low > _SECOND:
                middle = low + (high - low) // (2 * _SECOND) * _SECOND
                low, high = (middle, high) if _offset(self.zone, middle) == before else (low, middle)
            found.append(high)
        return found


class Reach(NamedTuple):
    """Where a budget ends. `provisional`: it crosses into a year whose calendar is not published."""

    at: datetime
    provisional: bool = False


def advance(calendar: Calendar | None, start: datetime, seconds: float) -> Reach:
    """The moment at which `seconds` have been used up since `start`.

    Without a calendar every second counts. A budget that is used up exactly at the end of a slot
    ends there, not at the start of the next one; nothing to use up ends at `start`.
    Raises ValueError for a calendar that never works.
    """
    if calendar is None or seconds <= 0:  # Python adds within one zone by the wall, not by the second
        return Reach(start.astimezone(UTC) + timedelta(seconds=max(seconds, 0.0)))
    since = micros(start)
    table = first = calendar._at(since)
    goal = table.worked_until(since) + round(seconds * _SECOND)
    while goal > table.total:
        goal -= table.total
        table = calendar._after(table, first, f"{seconds:.0f} working seconds")
    index = bisect_left(table.after, goal)
    return Reach(_moment(table.closes[index] - table.after[index] + goal), calendar._unpublished(first, table))


def worked_seconds(calendar: Calendar | None, start: datetime, end: datetime) -> float:
    """How many seconds between two moments count; 0 when `end` is not after `start`."""
    since, until = micros(start), micros(end)
    if until <= since:
        return 0.0
    if calendar is None:
        return (until - since) / _SECOND
    first, last = calendar._at(since), calendar._at(until)
    worked = last.worked_until(until) - first.worked_until(since)
    return (worked + sum(calendar._year(each).total for each in range(first.year, last.year))) / _SECOND


def hours_of(slots: Slots) -> float:
    """How many hours the slots of a day have."""
    return sum((_into_day(closes) or _DAY_MICROS) - _into_day(opens) for opens, closes in slots) / (3_600 * _SECOND)


def micros(at: datetime) -> int:
    """Whole microseconds since 1970."""
    return (at - _EPOCH) // _MICROSECOND


def _moment(at: int) -> datetime:
    return _EPOCH + at * _MICROSECOND


def _offset(zone: ZoneInfo, at: int) -> int:
    offset = _moment(at).astimezone(zone).utcoffset()
    assert offset is not None  # noqa: S101 - the moment is aware
    return offset // _MICROSECOND


def _into_day(at: time) -> int:
    return ((at.hour * 60 + at.minute) * 60 + at.second) * _SECOND


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same stretches in order, those that touch made one."""
    found: list[tuple[int, int]] = []
    for opens, closes in sorted(spans):
        if found and opens <= found[-1][1]:
            found[-1] = (found[-1][0], max(closes, found[-1][1]))
        else:
            found.append((opens, closes))
    return found
