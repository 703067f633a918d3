"""Hours of their own in the demo city: a department that works on Saturdays, and a district with summer hours."""

from __future__ import annotations

from datetime import datetime, time
from typing import Final

from gridsvc.db import Conn
from gridsvc.domain.calendar import Season, Slots
from gridsvc.domain.calendar_edition import CalendarDay, Edition
from gridsvc.local.starter import CHINA
from gridsvc.store import calendars

_OFFICE: Final[Slots] = ((time(8), time(12)), (time(14), time(18)))
_SUMMER: Final[Slots] = ((time(8, 30), time(12)), (time(15), time(18, 30)))
_EARLY: Final[Slots] = ((time(7), time(11)), (time(15), time(19)))
_WEEKDAYS: Final = range(1, 6)
_WITH_SATURDAYS: Final = range(1, 7)
_YEARS: Final = frozenset(CHINA.years)
_DAYS: Final = tuple(
    CalendarDay(day=each.day, works=each.works, name=each.name, notice=each.day.year) for each in CHINA.days
)

GARDENS: Final = Edition(
    code="gardens", number=1, name="园林作业日历", slots=dict.fromkeys(_WITH_SATURDAYS, _EARLY), years=_YEARS,
    days=_DAYS,
)  # fmt: skip
"""Gardeners begin early, rest at noon, and work on Saturdays that are no holiday."""

SEASONAL: Final = Edition(
    code="seasonal", number=1, name="夏冬作息日历", slots=dict.fromkeys(_WEEKDAYS, _OFFICE),
    seasons=(Season(name="夏季作息", first=(5, 1), last=(9, 30), slots=dict.fromkeys(_WEEKDAYS, _SUMMER)),),
    years=_YEARS, days=_DAYS,
)  # fmt: skip
"""The State Council's days, and a long noon in the summer."""

BY_DEPARTMENT: Final = {"greening": GARDENS}
BY_DISTRICT: Final = {"620104": SEASONAL}


async def load_hours(conn: Conn, now: datetime) -> None:
    """Write the calendars, and where they hold, into a city that has the starter rules."""
    for department, edition in BY_DEPARTMENT.items():
        await calendars.put_in_force(conn, edition, "command:up", now)
        await calendars.use_for_department(conn, department, edition.code)
    for district, edition in BY_DISTRICT.items():
        await calendars.put_in_force(conn, edition, "command:up", now)
        await calendars.use_for_division(conn, district, edition.code)
