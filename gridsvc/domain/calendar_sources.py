"""Days off and make-up workdays as others publish them: holiday-cn files, iCalendar files, Python packages.

Each reader answers a `Source`, or names in `faults` what it cannot take: nothing is guessed, and a year
that a source does not really know is refused rather than taken as a year without holidays.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from datetime import date, datetime, timedelta
from typing import Any, Final

import chinese_calendar.constants
import holidays
import icalendar

from gridsvc.domain.calendar_edition import CalendarDay, Source
from gridsvc.domain.calendar_notice import each_once, read_holiday_cn
from gridsvc.domain.roster import Fault

PACKAGES: Final = ("chinesecalendar", "holidays")
"""What may be named instead of a file: `chinesecalendar`, or `holidays:CN`, `holidays:DE-BY`."""

_LONGEST: Final = timedelta(days=31)  # of one event of an iCalendar file; a longer one is no holiday


def read_source(name: str, content: bytes | None, years: Sequence[int], faults: list[Fault]) -> Source | None:
    """A source of whichever kind: a package where it has no content, else a file."""
    if content is None:
        return read_package(name, years, faults)
    if content.lstrip(b"\xef\xbb\xbf \r\n").upper().startswith(b"BEGIN:VCALENDAR"):
        return read_icalendar(name, content, years, faults)
    return read_holiday_cn(name, content, faults)


# --- iCalendar --------------------------------------------------------------------------------------

_WORKS: Final = re.compile(r"班|make-?up (?:work)?day|working day", re.IGNORECASE)
_MARKED: Final = re.compile(r"[休班假]")
_AROUND_THE_NAME: Final = re.compile(r"^上班[（(]补|[（(][休班][)）]|假期[)）]?$|补班$|[)）]$")


def read_icalendar(file: str, content: bytes, years: Sequence[int], faults: list[Fault]) -> Source | None:
    """The all-day events of an iCalendar file that lie in `years`.

    A summary with 班 (or "make-up day", "working day") is a make-up workday, any other a day off. Where
    summaries are marked with 休, 假 or 班, those without a mark are ordinary days (妇女节, 冬至) and left out.
    """
    before = len(faults)
    if not _named_years(file, years, faults):
        return None
    try:
        events = icalendar.Calendar.from_ical(content).walk("VEVENT")
    except ValueError as error:
        faults.append(Fault(file=file, row=None, field=None, given=str(error)[:80], wanted="an iCalendar file"))
        return None
    told = [(row, str(event.get("SUMMARY", "")), event) for row, event in enumerate(events, 1)]
    marks = any(_MARKED.search(summary) for _, summary, _ in told)
    days = [
        CalendarDay(day=day, works=_WORKS.search(summary) is not None, name=_name_in(summary), notice=day.year)
        for row, summary, event in told
        if str(event.get("STATUS", "")) != "CANCELLED" and (_MARKED.search(summary) or not marks)
        for day in _days_of(file, row, event, faults)
        if day.year in years
    ]
    return _source(file, years, days, faults, before)


def _name_in(summary: str) -> str:
    return _AROUND_THE_NAME.sub("", summary)


def _days_of(file: str, row: int, event: Any, faults: list[Fault]) -> list[date]:
    def refuse(field: str, given: object, wanted: str) -> list[date]:
        faults.append(Fault(file=file, row=row, field=field, given=str(given), wanted=wanted))
        return []

    if "RRULE" in event:
        return refuse("RRULE", event["RRULE"].to_ical().decode(), "single days: holidays move from year to year")
    if "DTSTART" not in event:
        return refuse("DTSTART", "nothing", "a day")
    first = event.decoded("DTSTART")
    end = event.decoded("DTEND") if "DTEND" in event else first + timedelta(days=1)
    for field, given in (("DTSTART", first), ("DTEND", end)):
        if isinstance(given, datetime) or not isinstance(given, date):
            return refuse(field, given, "a whole day (VALUE=DATE)")
    if not timedelta(days=1) <= end - first <= _LONGEST:
        return refuse("DTEND", end, f"a day after {first}, at most {_LONGEST.days} later; it is not included")
    return [first + timedelta(days=n) for n in range((end - first).days)]


# --- packages ---------------------------------------------------------------------------------------


def read_package(name: str, years: Sequence[int], faults: list[Fault]) -> Source | None:
    """What an installed package says of `years`: `chinesecalendar`, or `holidays:` with a country, perhaps a part."""
    if not _named_years(name, years, faults):
        return None
    package, _, place = name.partition(":")
    if package == "chinesecalendar":
        return _chinesecalendar(name, years, faults)
    return _holidays(name, place, years, faults)


def _chinesecalendar(name: str, years: Sequence[int], faults: list[Fault]) -> Source | None:
    known = chinese_calendar.constants
    before = len(faults)
    covered = {day.year for day in known.workdays}
    for year in sorted(set(years) - covered):
        wanted = f"years from {min(covered)} to {max(covered)}, or a newer release of the package"
        faults.append(Fault(file=name, row=None, field="years", given=str(year), wanted=wanted))
    days = [
        CalendarDay(day=day, works=works, name=called, notice=day.year)
        for works, listed in ((False, known.holidays), (True, known.workdays))
        for day, called in listed.items()
        if day.year in years
    ]
    return _source(name, years, days, faults, before)


def _holidays(name: str, place: str, years: Sequence[int], faults: list[Fault]) -> Source | None:
    before = len(faults)
    country, _, part = place.partition("-")
    try:
        # In the country's own language; without one named it is that of the machine.
        language = holidays.country_holidays(country).default_language
        found = holidays.country_holidays(country, subdiv=part or None, years=years, expand=False, language=language)
    except NotImplementedError as error:
        wanted = f"a country that the package knows, such as holidays:CN or holidays:DE-BY ({error})"
        faults.append(Fault(file=name, row=None, field="country", given=place or "none", wanted=wanted))
        return None
    made_up = {day for day in getattr(found, "weekend_workdays", ()) if day.year in years}
    for year in years:
        # The package foretells China's festivals of any year; without a make-up day the notice is not in it.
        unknown = country == "CN" and not any(day.year == year for day in made_up)
        if unknown or not found.start_year <= year <= found.end_year:
            wanted = "a year whose notice the package has; a newer release may"
            faults.append(Fault(file=name, row=None, field="years", given=str(year), wanted=wanted))
    days = [CalendarDay(day=day, works=False, name=called, notice=day.year) for day, called in found.items()]
    days = [each for each in days if each.day.year in years and each.day not in made_up]
    days += [CalendarDay(day=day, works=True, name="", notice=day.year) for day in made_up]
    return _source(name, years, days, faults, before)


def _named_years(name: str, years: Sequence[int], faults: list[Fault]) -> bool:
    if not years:
        wanted = "the years that it publishes, as --years 2026,2027: it does not say so itself"
        faults.append(Fault(file=name, row=None, field="years", given="none", wanted=wanted))
    return bool(years)


def _source(
    name: str, years: Sequence[int], days: Iterable[CalendarDay], faults: list[Fault], before: int
) -> Source | None:
    """The source, unless something was wrong with it since `before`; each year must have at least one day."""
    found = each_once(name, days, faults)
    for year in years:
        if len(faults) == before and not any(each.notice == year for each in found):
            faults.append(Fault(file=name, row=None, field="years", given=f"no day of {year}", wanted="at least one"))
    return None if len(faults) > before else Source(name=name, years=frozenset(years), days=found)
