"""Categories, calendars and ladders of a small invented city, as the rules' tests need them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from gridsvc.domain.calendar import Calendar
from gridsvc.domain.case_state import Clock
from gridsvc.domain.category import Category
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.escalation import Effect, Rung
from gridsvc.domain.rulebook import Rulebook

SHANGHAI: Final = ZoneInfo("Asia/Shanghai")
OFFICE_HOURS: Final = ((time(8), time(12)), (time(14), time(18)))


def category(**changes: Any) -> Category:
    """Exposed household refuse (暴露生活垃圾): four working hours, files itself, an officer handles it."""
    refuse = Category(
        edition="2026",
        code="0110",
        kind="event",
        name="暴露生活垃圾",
        name_en="Exposed household refuse",
        duty_line="city",
        department=None,
        handled_by="officer",
        severity="normal",
        files_itself=True,
        limit_amount=4,
        limit_unit=LimitUnit.WORK_HOUR,
        calendar="city",
        ladder="handling",
        active=True,
    )
    return replace(refuse, **changes)


def office(**changes: Any) -> Calendar:
    """Monday to Friday, 08:00 to 12:00 and 14:00 to 18:00 in Shanghai; 2026 is published and has no day off."""
    weekdays = Calendar(
        code="city",
        edition=1,
        zone=SHANGHAI,
        slots=dict.fromkeys(range(1, 6), OFFICE_HOURS),
        years=frozenset({2026}),
    )
    return replace(weekdays, **changes)


def published(folder: Path, *years: int) -> Calendar:
    """The same hours with the State Council's days off of `years`, from the sample data."""
    days: dict[date, bool] = {}
    for year in years:
        notice = json.loads((folder / f"calendar/{year}.json").read_text(encoding="utf-8"))
        days |= {date.fromisoformat(day["date"]): not day["isOffDay"] for day in notice["days"]}
    return office(days=days, years=frozenset(years))


def rung(level: int, share: float, effect: Effect = Effect.CLIMB, ladder: str = "handling") -> Rung:
    """One rung that the street's supervisor hears."""
    return Rung(ladder=ladder, level=level, share=share, effect=effect, role="supervisor", division_level="street")


HANDLING: Final = (rung(1, 0.75, Effect.WARNING), rung(2, 1.0, Effect.OVERDUE), rung(3, 1.5), rung(4, 2.0))


def rulebook(**changes: Any) -> Rulebook:
    """The rules in force: two editions that disagree, one calendar, one ladder, 15 minutes for each desk."""
    contradicts = category(edition="2007", code="0110", name="道路破损", limit_amount=5, limit_unit=LimitUnit.WORK_DAY)
    gone = category(code="0999", active=False)
    book = Rulebook(
        revision=1,
        zone=SHANGHAI,
        default_edition="2026",
        categories={(each.edition, each.code): each for each in (category(), contradicts, gone)},
        calendars={"city": office()},
        ladders={"handling": HANDLING},
        stage_limits={clock: (900, "desk") for clock in Clock if clock is not Clock.HANDLING},
    )
    return replace(book, **changes)
