"""The starter rules of a city: duty lines, departments, a working calendar, categories, ladders and stage limits.

Enough to work on the first day, in force until the city imports its own. The categories and where their
codes and limits come from: gridsvc/local/starter_categories.py.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

from gridsvc.db import Conn, Nothing, Statement, city_now
from gridsvc.domain.call_back import CallBackRule
from gridsvc.errors import SetupError
from gridsvc.local.starter_categories import CALENDAR, CAMERA_CATEGORY, EDITION, EDITION_NAME
from gridsvc.local.starter_categories import CATEGORIES as CATEGORIES
from gridsvc.store import camera_meters
from gridsvc.store.categories import add_edition


@dataclass(frozen=True, kw_only=True)
class DutyLine:
    """A line of duty (条线) and who handles in it: `city_management` departments, `social_governance` officers."""

    code: str
    name: str
    name_en: str
    profile: str


@dataclass(frozen=True, kw_only=True)
class Department:
    """Who handles what officers only report (责任单位)."""

    code: str
    name: str
    name_en: str
    duty_line: str


@dataclass(frozen=True, kw_only=True)
class Rung:
    """One step of a ladder, at a share of the clock's budget; see the table `rungs`."""

    ladder: str
    level: int
    share: float
    effect: str
    role: str
    division_level: str | None


@dataclass(frozen=True, kw_only=True)
class StageLimit:
    """How long a desk or an officer may take, where no category says so; for one severity, or for all others."""

    kind: str
    budget_seconds: int
    ladder: str
    severity: str | None = None


@dataclass(frozen=True, kw_only=True)
class CallRound:
    """How far, how many and how long a round of a call goes; see the table `call_rounds`."""

    round: int
    radius_m: float | None
    most: int | None
    wait_seconds: int


@dataclass(frozen=True, kw_only=True)
class CalendarDay:
    """A day off, or (works) a weekend day that is worked instead (调休)."""

    day: date
    works: bool
    name: str


@dataclass(frozen=True, kw_only=True)
class WorkingCalendar:
    """Working slots by ISO weekday, the days that differ, and the years for which those days are published."""

    name: str
    slots: dict[str, list[list[str]]]
    years: tuple[int, ...]
    days: tuple[CalendarDay, ...]


DUTY_LINES: Final = (
    DutyLine(code="city", name="城市管理", name_en="City management", profile="city_management"),
    DutyLine(code="social", name="综合治理", name_en="Social governance", profile="social_governance"),
    # Sanitation officers clean up themselves, so the workflow is that of officers who handle.
    DutyLine(code="sanitation", name="环境卫生", name_en="Sanitation", profile="social_governance"),
)

DEPARTMENTS: Final = (
    Department(code="roads", name="市政设施管护中心", name_en="Roads and pavements", duty_line="city"),
    Department(code="water", name="供水公司", name_en="Water supply", duty_line="city"),
    Department(code="drainage", name="排水服务中心", name_en="Drainage", duty_line="city"),
    Department(code="gas", name="燃气公司", name_en="Gas supply", duty_line="city"),
    Department(code="power", name="供电公司", name_en="Power supply", duty_line="city"),
    Department(code="lighting", name="路灯管理所", name_en="Street lighting", duty_line="city"),
    Department(code="greening", name="园林绿化局", name_en="Parks and trees", duty_line="city"),
    Department(code="enforcement", name="城市管理综合行政执法队", name_en="City law enforcement", duty_line="city"),
    Department(code="heating", name="供热公司", name_en="District heating", duty_line="city"),
    Department(code="telecom", name="通信运营企业", name_en="Telecoms", duty_line="city"),
    Department(code="cleansing", name="市容环境卫生中心", name_en="Public cleansing", duty_line="city"),
    Department(code="transit", name="公交公司", name_en="Public transport", duty_line="city"),
    Department(code="traffic", name="公安交通管理支队", name_en="Traffic police", duty_line="city"),
    Department(code="justice", name="司法所", name_en="Justice office", duty_line="social"),
    Department(code="fire", name="消防救援大队", name_en="Fire and rescue", duty_line="social"),
)



def _unaccepted(ladder: str) -> tuple[Rung, ...]:
    """An owner who has not accepted an emergency: everybody above hears before it is moved on."""
    return (
        Rung(ladder=ladder, level=1, share=0.5, effect="warning", role="owner", division_level=None),
        Rung(ladder=ladder, level=2, share=1.0, effect="overdue", role="dispatcher", division_level="district"),
        Rung(ladder=ladder, level=3, share=1.5, effect="climb", role="supervisor", division_level="district"),
        Rung(ladder=ladder, level=4, share=2.0, effect="climb", role="supervisor", division_level="city"),
        Rung(ladder=ladder, level=5, share=3.0, effect="move_on", role="dispatcher", division_level="district"),
    )


RUNGS: Final = (
    Rung(ladder="handling", level=1, share=0.75, effect="warning", role="owner", division_level=None),
    Rung(ladder="handling", level=2, share=1.0, effect="overdue", role="dispatcher", division_level="street"),
    Rung(ladder="handling", level=3, share=1.25, effect="climb", role="supervisor", division_level="street"),
    Rung(ladder="handling", level=4, share=1.5, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="handling", level=5, share=2.0, effect="climb", role="supervisor", division_level="city"),
    Rung(ladder="acknowledge", level=1, share=0.5, effect="warning", role="owner", division_level=None),
    Rung(ladder="acknowledge", level=2, share=1.0, effect="move_on", role="dispatcher", division_level="street"),
    # Share 0: whoever dispatches hears the moment a case has no owner.
    Rung(ladder="pool", level=1, share=0.0, effect="warning", role="dispatcher", division_level="district"),
    Rung(ladder="pool", level=2, share=1.0, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="pool", level=3, share=2.0, effect="climb", role="supervisor", division_level="city"),
    Rung(ladder="dispatch", level=1, share=1.0, effect="climb", role="dispatcher", division_level="district"),
    Rung(ladder="dispatch", level=2, share=2.0, effect="climb", role="supervisor", division_level="city"),
    Rung(ladder="filing", level=1, share=1.0, effect="overdue", role="acceptor", division_level="district"),
    Rung(ladder="filing", level=2, share=2.0, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="checking", level=1, share=1.0, effect="overdue", role="acceptor", division_level="district"),
    Rung(ladder="checking", level=2, share=2.0, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="on_site", level=1, share=1.0, effect="overdue", role="acceptor", division_level="district"),
    Rung(ladder="on_site", level=2, share=2.0, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="supervision", level=1, share=0.75, effect="warning", role="owner", division_level=None),
    Rung(ladder="supervision", level=2, share=1.0, effect="overdue", role="supervisor", division_level="district"),
    Rung(ladder="supervision", level=3, share=2.0, effect="climb", role="supervisor", division_level="city"),
    Rung(ladder="co_handling", level=1, share=0.75, effect="warning", role="owner", division_level=None),
    Rung(ladder="co_handling", level=2, share=1.0, effect="overdue", role="owner", division_level=None),
    Rung(ladder="co_handling", level=3, share=1.5, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="co_handling", level=4, share=2.0, effect="climb", role="supervisor", division_level="city"),
    # Its limits are the categories' alone: no city gives every case an hour to be stopped in.
    Rung(ladder="stop_it", level=1, share=0.5, effect="warning", role="owner", division_level=None),
    Rung(ladder="stop_it", level=2, share=1.0, effect="overdue", role="dispatcher", division_level="street"),
    Rung(ladder="stop_it", level=3, share=2.0, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="call", level=1, share=1.0, effect="overdue", role="dispatcher", division_level="district"),
    Rung(ladder="call", level=2, share=2.0, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="call", level=3, share=3.0, effect="climb", role="supervisor", division_level="city"),
    # What an emergency's desks have is minutes, and the alarm told them at once.
    Rung(ladder="emergency", level=1, share=1.0, effect="overdue", role="dispatcher", division_level="district"),
    Rung(ladder="emergency", level=2, share=2.0, effect="climb", role="supervisor", division_level="district"),
    Rung(ladder="emergency", level=3, share=3.0, effect="climb", role="supervisor", division_level="city"),
    *_unaccepted("emergency_acknowledge"),
    Rung(ladder="call_back", level=1, share=0.5, effect="warning", role="acceptor", division_level="district"),
    Rung(ladder="call_back", level=2, share=1.0, effect="overdue", role="supervisor", division_level="district"),
    Rung(ladder="call_back", level=3, share=2.0, effect="climb", role="supervisor", division_level="city"),
    Rung(ladder="call_back_city", level=1, share=0.5, effect="warning", role="acceptor", division_level="city"),
    Rung(ladder="call_back_city", level=2, share=1.0, effect="overdue", role="supervisor", division_level="city"),
)

# A deployed city gives its acceptor and its dispatcher 15 minutes each and a check 30.
STAGE_LIMITS: Final = (
    StageLimit(kind="filing", budget_seconds=900, ladder="filing"),
    StageLimit(kind="dispatch", budget_seconds=900, ladder="dispatch"),
    StageLimit(kind="pool", budget_seconds=900, ladder="pool"),
    StageLimit(kind="acknowledge", budget_seconds=900, ladder="acknowledge"),
    StageLimit(kind="checking", budget_seconds=1_800, ladder="checking"),
    StageLimit(kind="on_site", budget_seconds=1_800, ladder="on_site"),
    StageLimit(kind="supervision", budget_seconds=86_400, ladder="supervision"),
    StageLimit(kind="call_back", budget_seconds=259_200, ladder="call_back"),  # three days: a weekend is two of them
    StageLimit(kind="call", budget_seconds=180, ladder="call"),
    StageLimit(kind="filing", budget_seconds=120, ladder="emergency", severity="emergency"),
    StageLimit(kind="dispatch", budget_seconds=120, ladder="emergency", severity="emergency"),
    StageLimit(kind="pool", budget_seconds=120, ladder="emergency", severity="emergency"),
    StageLimit(kind="acknowledge", budget_seconds=180, ladder="emergency_acknowledge", severity="emergency"),
)

# Three on foot within five minutes' run; then who comes by bicycle, by car; then everybody.
CALL_ROUNDS: Final = (
    CallRound(round=1, radius_m=500, most=3, wait_seconds=60),
    CallRound(round=2, radius_m=1_500, most=5, wait_seconds=60),
    CallRound(round=3, radius_m=5_000, most=10, wait_seconds=120),
    CallRound(round=4, radius_m=None, most=None, wait_seconds=300),
)

# 双回访: Lanzhou asks about every case, the district first and then the city.
CALL_BACKS: Final = (
    CallBackRule(level="district", share=1.0, ladder=None),
    CallBackRule(level="city", share=1.0, ladder="call_back_city"),
)


def _off(name: str, first: date, last: date) -> tuple[CalendarDay, ...]:
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return tuple(CalendarDay(day=day, works=False, name=name) for day in days)


def _made_up(name: str, *days: date) -> tuple[CalendarDay, ...]:
    return tuple(CalendarDay(day=day, works=True, name=name) for day in days)


_OFFICE_HOURS: Final[dict[str, list[list[str]]]] = {
    str(weekday): [["08:00", "12:00"], ["14:00", "18:00"]] for weekday in range(1, 6)
}

# 国务院办公厅关于2026年部分节假日安排的通知 (November 2025). The notice for 2027 is not out,
# so 2027 is not among the years and a deadline that reaches into it is provisional.
CHINA: Final = WorkingCalendar(
    name="城市工作日历",
    slots=_OFFICE_HOURS,
    years=(2026,),
    days=(
        *_off("元旦", date(2026, 1, 1), date(2026, 1, 3)),
        *_made_up("元旦", date(2026, 1, 4)),
        *_off("春节", date(2026, 2, 15), date(2026, 2, 23)),
        *_made_up("春节", date(2026, 2, 14), date(2026, 2, 28)),
        *_off("清明节", date(2026, 4, 4), date(2026, 4, 6)),
        *_off("劳动节", date(2026, 5, 1), date(2026, 5, 5)),
        *_made_up("劳动节", date(2026, 5, 9)),
        *_off("端午节", date(2026, 6, 19), date(2026, 6, 21)),
        *_off("中秋节", date(2026, 9, 25), date(2026, 9, 27)),
        *_off("国庆节", date(2026, 10, 1), date(2026, 10, 7)),
        *_made_up("国庆节", date(2026, 9, 20), date(2026, 10, 10)),
    ),
)

# For a city elsewhere: Monday to Friday. No year is published, so every deadline in working time is provisional.
WEEKDAYS: Final = WorkingCalendar(name="Weekdays", slots=_OFFICE_HOURS, years=(), days=())

CALENDARS: Final = {"china": CHINA, "weekdays": WEEKDAYS}


@dataclass(frozen=True)
class _Any:
    any: bool


_ANY_RULES = Statement(
    _Any,
    """
    SELECT EXISTS (SELECT FROM category_editions)
        OR EXISTS (SELECT FROM duty_lines)
        OR EXISTS (SELECT FROM calendars)
        OR EXISTS (SELECT FROM rungs) AS any
    """,
)

_ADD_DUTY_LINES = Statement(
    Nothing,
    """
    INSERT INTO duty_lines (code, name, name_en, profile)
    SELECT r.code, r.name, r.name_en, r.profile
      FROM jsonb_to_recordset($1::jsonb) AS r(code text, name text, name_en text, profile text)
    """,
)

_ADD_DEPARTMENTS = Statement(
    Nothing,
    """
    INSERT INTO departments (code, name, name_en, duty_line)
    SELECT r.code, r.name, r.name_en, r.duty_line
      FROM jsonb_to_recordset($1::jsonb) AS r(code text, name text, name_en text, duty_line text)
    """,
)

_ADD_CALENDAR = Statement(
    Nothing,
    """
    INSERT INTO calendars (code, name, slots, years)
    VALUES ($1::text, $2::text, $3::jsonb, $4::integer[])
    """,
)

_ADD_CALENDAR_DAYS = Statement(
    Nothing,
    """
    INSERT INTO calendar_days (calendar, day, works, name)
    SELECT $1::text, r.day, r.works, r.name
      FROM unnest($2::date[], $3::boolean[], $4::text[]) AS r(day, works, name)
    """,
)

_ADD_RUNGS = Statement(
    Nothing,
    """
    INSERT INTO rungs (ladder, level, share, effect, role, division_level)
    SELECT r.ladder, r.level, r.share, r.effect, r.role, r.division_level
      FROM jsonb_to_recordset($1::jsonb)
             AS r(ladder text, level integer, share double precision, effect text, role text, division_level text)
    """,
)

_ADD_STAGE_LIMITS = Statement(
    Nothing,
    """
    INSERT INTO stage_limits (kind, budget_seconds, ladder, severity)
    SELECT r.kind, r.budget_seconds, r.ladder, r.severity
      FROM jsonb_to_recordset($1::jsonb) AS r(kind text, budget_seconds integer, ladder text, severity text)
    """,
)

_ADD_CALL_ROUNDS = Statement(
    Nothing,
    """
    INSERT INTO call_rounds (round, radius_m, most, wait_seconds)
    SELECT r.round, r.radius_m, r.most, r.wait_seconds
      FROM jsonb_to_recordset($1::jsonb)
             AS r(round integer, radius_m double precision, most integer, wait_seconds integer)
    """,
)


_ADD_CALL_BACKS = Statement(
    Nothing,
    """
    INSERT INTO call_back_rules (level, share, ladder)
    SELECT r.level, r.share, r.ladder
      FROM jsonb_to_recordset($1::jsonb) AS r(level text, share double precision, ladder text)
    """,
)


async def load_starter(conn: Conn, calendar: WorkingCalendar = CHINA, duty_lines: Iterable[str] = ()) -> int:
    """Write the starter rules into an instance that has none; return how many categories there are now.

    Inside the caller's transaction. `duty_lines` keeps only those lines, their departments and their
    categories; none named means all. Raises SetupError where rules exist already (so twice is refused,
    and nothing a city has set is ever overwritten) and for a duty line that the starter does not have.
    """
    lines = _chosen(duty_lines)
    found = await _ANY_RULES.one(conn)
    if found is not None and found.any:
        raise SetupError("this instance has duty lines, calendars, categories or ladders already; starter adds none")
    categories = [category for category in CATEGORIES if category.duty_line in lines]
    await _ADD_DUTY_LINES.run(conn, _rows(line for line in DUTY_LINES if line.code in lines))
    await _ADD_DEPARTMENTS.run(conn, _rows(one for one in DEPARTMENTS if one.duty_line in lines))
    await _ADD_CALENDAR.run(conn, CALENDAR, calendar.name, calendar.slots, list(calendar.years))
    await _ADD_CALENDAR_DAYS.run(
        conn,
        CALENDAR,
        [day.day for day in calendar.days],
        [day.works for day in calendar.days],
        [day.name for day in calendar.days],
    )
    await add_edition(conn, EDITION, EDITION_NAME, "gridsvc starter", categories, await city_now(conn), default=True)
    await _ADD_RUNGS.run(conn, _rows(RUNGS))
    await _ADD_STAGE_LIMITS.run(conn, _rows(STAGE_LIMITS))
    await _ADD_CALL_ROUNDS.run(conn, _rows(CALL_ROUNDS))
    await _ADD_CALL_BACKS.run(conn, _rows(CALL_BACKS))
    if CAMERA_CATEGORY in {category.code for category in categories}:
        await camera_meters.SET_STORM_CATEGORY.run(conn, f"{EDITION}:{CAMERA_CATEGORY}")
    return len(categories)


def _chosen(duty_lines: Iterable[str]) -> frozenset[str]:
    known = frozenset(line.code for line in DUTY_LINES)
    wanted = frozenset(duty_lines) or known
    if strangers := sorted(wanted - known):
        raise SetupError(f"no starter duty line {', '.join(strangers)}; want of {', '.join(sorted(known))}")
    return wanted


def _rows(
    things: Iterable[DutyLine | Department | Rung | StageLimit | CallRound | CallBackRule],
) -> Sequence[dict[str, object]]:
    return [asdict(thing) for thing in things]
