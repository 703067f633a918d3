"""Editions of a calendar: what people write of one, what a new one changes, and where its sources disagree.

How a file of hours is written and which source wins: docs/rules/calendars.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from gridsvc.domain.calendar import Calendar, MonthDay, Season, Slots, WorkDay
from gridsvc.domain.roster import Fault
from gridsvc.domain.shift import BadShift, read_shifts

Week = Mapping[int, Slots]


@dataclass(frozen=True, kw_only=True)
class CalendarDay:
    """A day off, or (works) a make-up workday, and the year whose notice says so (at New Year not always its own)."""

    day: date
    works: bool
    name: str
    notice: int


@dataclass(frozen=True, kw_only=True)
class Edition:
    """One edition of a calendar, whole."""

    code: str
    number: int
    name: str
    slots: Week
    seasons: tuple[Season, ...] = ()
    work_day: WorkDay = WorkDay.EIGHT_HOURS
    years: frozenset[int] = frozenset()
    days: tuple[CalendarDay, ...] = ()
    sources: tuple[str, ...] = ()

    def calendar(self, zone: ZoneInfo) -> Calendar:
        """What deadlines are computed with."""
        return Calendar(
            code=self.code,
            edition=self.number,
            zone=zone,
            slots=self.slots,
            seasons=self.seasons,
            days={each.day: each.works for each in self.days},
            names={each.day: each.name for each in self.days},
            years=self.years,
            work_day=self.work_day,
        )


@dataclass(frozen=True, kw_only=True)
class Source:
    """What one file or package says of the years that it publishes."""

    name: str
    years: frozenset[int]
    days: tuple[CalendarDay, ...]


@dataclass(frozen=True, kw_only=True)
class Hours:
    """What a file of hours says; None where it is silent."""

    name: str | None = None
    slots: Week | None = None
    seasons: tuple[Season, ...] | None = None
    work_day: WorkDay | None = None


@dataclass(frozen=True)
class Disagreement:
    """A day that sources see differently: what each of them makes of it."""

    day: date
    said: Mapping[str, str]


@dataclass(frozen=True)
class DayChange:
    """A day that a new edition makes another of."""

    day: date
    before: str
    after: str


# --- a new edition ----------------------------------------------------------------------------------


def next_edition(base: Edition, hours: Hours, sources: Sequence[Source], follow: str | None) -> Edition:
    """`base` with other hours, and with the days of the years that `sources` publish, as they have them.

    Of each year the source that is named in `follow` gives the days, else the first that publishes it;
    whether they agree is asked by `disagreements`. Days that the notice of another year set stay.
    """
    leads: dict[int, Source] = {}
    for source in sorted(sources, key=lambda each: each.name != follow):  # stable: the order given, the followed first
        for year in source.years:
            leads.setdefault(year, source)
    days = {each.day: each for each in base.days if each.notice not in leads}
    for year, lead in sorted(leads.items()):
        days |= {each.day: each for each in lead.days if each.notice == year}
    return replace(
        base,
        number=base.number + 1,
        name=hours.name or base.name,
        slots=base.slots if hours.slots is None else hours.slots,
        seasons=base.seasons if hours.seasons is None else hours.seasons,
        work_day=hours.work_day or base.work_day,
        years=base.years | leads.keys(),
        days=tuple(days[day] for day in sorted(days)),
        sources=tuple(source.name for source in sources),
    )


def disagreements(edition: Edition, sources: Sequence[Source]) -> list[Disagreement]:
    """The days of which two sources that publish their year make a working day and none, under the edition's hours.

    A Saturday in the middle of a holiday may be listed or not: nobody works either way.
    """
    found = []
    for year in sorted({year for source in sources for year in source.years}):
        asked = [source for source in sources if year in source.years]
        if len(asked) < 2:
            continue
        views = {
            source.name: replace(edition, days=tuple(each for each in source.days if each.notice == year))
            for source in asked
        }
        calendars = {name: view.calendar(ZoneInfo("UTC")) for name, view in views.items()}  # any: days alone are asked
        listed = {each.day for view in views.values() for each in view.days}
        found += [
            Disagreement(day, {name: _what(calendar, day) for name, calendar in calendars.items()})
            for day in sorted(listed)
            if len({bool(calendar.slots_of(day)) for calendar in calendars.values()}) > 1
        ]
    return found


def changes(before: Calendar | None, after: Calendar) -> list[DayChange]:
    """The days that are listed in one of two editions and are not the same in both, names too."""
    listed = after.days.keys() | (before.days.keys() if before else set())
    told = [(day, _what(before or replace(after, days={}, names={}), day), _what(after, day)) for day in sorted(listed)]
    return [DayChange(day, was, now) for day, was, now in told if was != now]


def _what(calendar: Calendar, day: date) -> str:
    """A day in words."""
    listed = calendar.days.get(day)
    if listed is None:
        return "working day" if calendar.slots_of(day) else "weekend"
    return " ".join(["make-up workday" if listed else "day off", calendar.names.get(day, "")]).strip()


TOLD_FROM: Final[MonthDay] = (11, 1)
"""From this day on the calendar of the next year is missed; the State Council's notice comes out about then."""


def missing_years(published: frozenset[int], today: date) -> list[int]:
    """The years whose calendar should be published on `today`, and is not."""
    wanted = [today.year, today.year + 1] if (today.month, today.day) >= TOLD_FROM else [today.year]
    return [year for year in wanted if year not in published]


# --- a file of hours --------------------------------------------------------------------------------

_KEYS: Final = ("name", "work_day", "slots", "seasons")
_SEASON_KEYS: Final = ("name", "first", "last", "slots")
_SLOTS: Final = "text such as '1-5 08:00-12:00 14:00-18:00; 6 09:00-12:00' (1 is Monday), each slot within its day"
_A_LEAP_YEAR: Final = 2028


class _Wrong(ValueError):
    def __init__(self, key: str, given: object, wanted: str) -> None:
        super().__init__(key)
        self.key, self.given, self.wanted = key, given, wanted


def read_hours(file: str, content: bytes, faults: list[Fault]) -> Hours:
    """What the JSON file `content` says of slots, seasons and the profile; what is wrong with it goes to `faults`."""
    try:
        said = json.loads(content.decode("utf-8-sig"))
        if not isinstance(said, dict):
            raise _Wrong("", said, f"an object with some of {', '.join(_KEYS)}")
        _refuse_strangers(said, _KEYS, "")
        return Hours(
            name=_text(said["name"], "name") if "name" in said else None,
            work_day=_work_day(said["work_day"]) if "work_day" in said else None,
            slots=_week(said["slots"], "slots") if "slots" in said else None,
            seasons=_seasons(said["seasons"]) if "seasons" in said else None,
        )
    except ValueError as error:
        wrong = error if isinstance(error, _Wrong) else _Wrong("", str(error), "JSON in UTF-8")
        field, given = wrong.key or None, _short(wrong.given)
        faults.append(Fault(file=file, row=None, field=field, given=given, wanted=wrong.wanted))
        return Hours()


def _seasons(given: object) -> tuple[Season, ...]:
    if not isinstance(given, list):
        raise _Wrong("seasons", given, "a list")
    found: list[Season] = []
    for index, each in enumerate(given):
        at = f"seasons[{index}]"
        if not isinstance(each, dict):
            raise _Wrong(at, each, f"an object with {', '.join(_SEASON_KEYS)}")
        _refuse_strangers(each, _SEASON_KEYS, f"{at}.")
        for key in _SEASON_KEYS:
            if key not in each:
                raise _Wrong(f"{at}.{key}", "nothing", "a value")
        season = Season(
            name=_text(each["name"], f"{at}.name"),
            first=_month_day(each["first"], f"{at}.first"),
            last=_month_day(each["last"], f"{at}.last"),
            slots=_week(each["slots"], f"{at}.slots"),
        )
        other = next((other for other in found if _overlap(season, other)), None)
        if other is not None:
            raise _Wrong(at, season.name, f"seasons that do not overlap; {other.name} is there already")
        found.append(season)
    return tuple(found)


def _overlap(one: Season, other: Season) -> bool:
    days = (date(_A_LEAP_YEAR, 1, 1) + timedelta(days=n) for n in range(366))
    return any(one.holds(day) and other.holds(day) for day in days)


def _week(given: object, key: str) -> Week:
    """Slots by weekday. A slot may end at 24:00, and may not pass it."""
    try:
        # The text is that of shifts, and no shift lasts a whole day.
        shifts = read_shifts(_text(given, key).replace("00:00-24:00", "00:00-12:00 12:00-24:00"))
    except BadShift as error:
        raise _Wrong(key, error.given, error.wanted) from None
    week: dict[int, list[tuple[time, time]]] = {}
    for shift in shifts:
        if time() < shift.ends_at < shift.starts_at:
            raise _Wrong(key, f"{shift.weekday} {shift.starts_at:%H:%M}-{shift.ends_at:%H:%M}", _SLOTS)
        week.setdefault(shift.weekday, []).append((shift.starts_at, shift.ends_at))
    if not week:
        raise _Wrong(key, given, "at least one weekday on which somebody works")
    return {weekday: tuple(slots) for weekday, slots in week.items()}


def _work_day(given: object) -> WorkDay:
    if given not in set(WorkDay):
        raise _Wrong("work_day", given, " or ".join(WorkDay))
    return WorkDay(str(given))


def _month_day(given: object, key: str) -> MonthDay:
    try:
        day = date.fromisoformat(f"{_A_LEAP_YEAR}-{given}")
    except ValueError:
        raise _Wrong(key, given, "a day of the year such as 05-01") from None
    return day.month, day.day


def _text(given: object, key: str) -> str:
    if not isinstance(given, str) or not given.strip():
        raise _Wrong(key, given, _SLOTS if key.endswith("slots") else "text")
    return given.strip()


def _refuse_strangers(said: Mapping[str, Any], known: Sequence[str], before: str) -> None:
    for key in said:
        if key not in known:
            raise _Wrong(f"{before}{key}", said[key], f"one of {', '.join(known)}")


def _short(given: object) -> str:
    text = given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str)
    return text if len(text) <= 80 else text[:77] + "…"
