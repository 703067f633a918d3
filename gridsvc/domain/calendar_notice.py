"""The notice of one year's days off as a file of holiday-cn. Needs no packages, so that a service may read it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date
from typing import Any

from gridsvc.domain.calendar_edition import CalendarDay, Source
from gridsvc.domain.roster import Fault


def read_holiday_cn(file: str, content: bytes, faults: list[Fault]) -> Source | None:
    """A yearly file of holiday-cn: `year` and `days` of `name`, `date`, `isOffDay`.

    A year's notice may set days at the turn of the year before. A file without days is one of a year
    that is not published yet.
    """
    before = len(faults)
    try:
        said = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        faults.append(Fault(file=file, row=None, field=None, given=str(error), wanted="JSON in UTF-8"))
        return None
    year, listed = (said.get("year"), said.get("days")) if isinstance(said, dict) else (None, None)
    if not isinstance(year, int) or not isinstance(listed, list):
        given = f"year {year!r}" if not isinstance(year, int) else f"days {listed!r}"
        faults.append(Fault(file=file, row=None, field=None, given=given, wanted="an object with year and days"))
        return None
    if not listed:
        wanted = f"the days of {year}, once published"
        faults.append(Fault(file=file, row=None, field="days", given="none", wanted=wanted))
        return None
    days = [_holiday_cn_day(file, index, each, year, faults) for index, each in enumerate(listed)]
    found = each_once(file, [day for day in days if day is not None], faults)
    return None if len(faults) > before else Source(name=file, years=frozenset({year}), days=found)


def _holiday_cn_day(file: str, index: int, said: Any, year: int, faults: list[Fault]) -> CalendarDay | None:
    def refuse(key: str, given: object, wanted: str) -> CalendarDay | None:
        faults.append(Fault(file=file, row=index + 1, field=f"days[{index}]{key}", given=repr(given), wanted=wanted))
        return None

    if not isinstance(said, dict):
        return refuse("", said, "an object with name, date and isOffDay")
    try:
        day = date.fromisoformat(said.get("date", ""))
    except (TypeError, ValueError):
        return refuse(".date", said.get("date"), f"a day such as {year}-10-01")
    if not date(year - 1, 12, 1) <= day <= date(year + 1, 1, 31):
        return refuse(".date", said["date"], f"a day of {year}, or of the month before or after it")
    if not isinstance(said.get("isOffDay"), bool):
        return refuse(".isOffDay", said.get("isOffDay"), "true or false")
    if not isinstance(said.get("name"), str):
        return refuse(".name", said.get("name"), "text")
    return CalendarDay(day=day, works=not said["isOffDay"], name=said["name"], notice=year)


def each_once(name: str, days: Iterable[CalendarDay], faults: list[Fault]) -> tuple[CalendarDay, ...]:
    """The days in their order; one that is said to be both, off and not, is a fault."""
    found: dict[date, CalendarDay] = {}
    for each in days:
        other = found.setdefault(each.day, each)
        if other.works != each.works:
            given, wanted = f"{each.day}: {other.name} and {each.name}", "a day off or a workday, not both"
            faults.append(Fault(file=name, row=None, field="date", given=given, wanted=wanted))
    return tuple(found[day] for day in sorted(found))
