"""Hours of their own in the demo city: a department that works every day, and a district with summer hours."""

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
_SHIFTS: Final[Slots] = ((time(7), time(22)),)
_WEEKDAYS: Final = range(1, 6)
_EVERY_DAY: Final = range(1, 8)

HEATING: Final = Edition(
    code="heating", number=1, name="供热值班日历", slots=dict.fromkeys(_EVERY_DAY, _SHIFTS),
    years=frozenset(CHINA.years),
)  # fmt: skip
"""Whoever keeps a city warm works through weekends and holidays."""

SEASONAL: Final = Edition(
    code="seasonal", number=1, name="夏冬作息日历", slots=dict.fromkeys(_WEEKDAYS, _OFFICE),
    seasons=(Season(name="夏季作息", first=(5, 1), last=(9, 30), slots=dict.fromkeys(_WEEKDAYS, _SUMMER)),),
    years=frozenset(CHINA.years),
    days=tuple(
        CalendarDay(day=each.day, works=each.works, name=each.name, notice=each.day.year) for each in CHINA.days
    ),
)  # fmt: skip
"""The State Council's days, and a long noon in the summer."""

BY_DEPARTMENT: Final = {"heating": HEATING}
BY_DISTRICT: Final = {"620104": SEASONAL}


async def load_hours(conn: Conn, now: datetime) -> None:
    """Write the calendars, and where they hold, into a city that has the starter rules."""
    for department, edition in BY_DEPARTMENT.items():
        await calendars.put_in_force(conn, edition, "command:up", now)
        await calendars.use_for_department(conn, department, edition.code)
    for district, edition in BY_DISTRICT.items():
        await calendars.put_in_force(conn, edition, "command:up", now)
        await calendars.use_for_division(conn, district, edition.code)
