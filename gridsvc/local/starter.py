"""The starter rules of a city: duty lines, departments, a working calendar, categories, ladders and stage limits.

A small, honest selection to begin with, in force until the city imports its own edition. Component and
event codes follow the numbering of GB/T 30428.2-2013 (four digits) behind a prefix that tells the two
apart, since both start at 0101: 10 component (部件), 20 event (事件). Prefix 30 is ours, for social
governance (综治), which that standard does not number. Limits are those of a deployed city in Shanxi,
which is where the kind of unit (urgent hours beside working days) comes from too.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from datetime import date, timedelta
from typing import Final

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.errors import SetupError

EDITION: Final = "starter-2026"
EDITION_NAME: Final = "起步类别 2026 (GB/T 30428.2-2013 编号)"
CALENDAR: Final = "city"


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
class Category:
    """A class of component or event and its rules; see the table `categories`."""

    code: str
    kind: str
    name: str
    name_en: str
    duty_line: str
    department: str | None
    handled_by: str
    severity: str
    files_itself: bool
    limit_amount: float
    limit_unit: str


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
    """How long a desk or an officer may take, where no category says so."""

    kind: str
    budget_seconds: int
    ladder: str


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
    Department(code="traffic", name="公安交通管理支队", name_en="Traffic police", duty_line="city"),
    Department(code="justice", name="司法所", name_en="Justice office", duty_line="social"),
    Department(code="fire", name="消防救援大队", name_en="Fire and rescue", duty_line="social"),
)


def _component(
    number: str, name: str, name_en: str, department: str, amount: float, unit: str, severity: str = "normal"
) -> Category:
    return Category(
        code=f"10{number}", kind="component", name=name, name_en=name_en, duty_line="city", department=department,
        handled_by="department", severity=severity, files_itself=True, limit_amount=amount, limit_unit=unit,
    )  # fmt: skip


def _event(
    number: str, name: str, name_en: str, department: str, amount: float, unit: str,
    severity: str = "normal", *, files_itself: bool = True,
) -> Category:  # fmt: skip
    return Category(
        code=f"20{number}", kind="event", name=name, name_en=name_en, duty_line="city", department=department,
        handled_by="department", severity=severity, files_itself=files_itself, limit_amount=amount, limit_unit=unit,
    )  # fmt: skip


def _clean_up(number: str, name: str, name_en: str, amount: float, unit: str, severity: str = "normal") -> Category:
    return Category(
        code=f"20{number}", kind="event", name=name, name_en=name_en, duty_line="sanitation", department=None,
        handled_by="officer", severity=severity, files_itself=True, limit_amount=amount, limit_unit=unit,
    )  # fmt: skip


def _social(
    number: str, name: str, name_en: str, amount: float, unit: str, severity: str = "normal", *,
    department: str | None = None, files_itself: bool = True,
) -> Category:  # fmt: skip
    return Category(
        code=f"30{number}", kind="event", name=name, name_en=name_en, duty_line="social", department=department,
        handled_by="officer" if department is None else "department", severity=severity, files_itself=files_itself,
        limit_amount=amount, limit_unit=unit,
    )  # fmt: skip


CATEGORIES: Final = (
    _component("0101", "上水井盖", "Water-supply manhole cover", "water", 2, "urgent_hour", "high"),
    _component("0102", "污水井盖", "Sewage manhole cover", "drainage", 2, "urgent_hour", "high"),
    _component("0104", "雨水箅子", "Gully grate", "drainage", 1, "work_day"),
    _component("0130", "电力立杆", "Power pole", "power", 2, "work_day"),
    _component("0137", "路灯", "Street lamp", "lighting", 1, "work_day"),
    _component("0217", "交通护栏", "Traffic guardrail", "traffic", 1, "work_day"),
    _component("0220", "人行横道桩", "Crosswalk bollard", "roads", 3, "work_day", "low"),
    _component("0402", "行道树", "Street tree", "greening", 1, "work_day"),
    _component("0507", "水域护栏", "Waterside railing", "roads", 3, "work_day"),
    _event("0101", "私搭乱建", "Illegal structure under way", "enforcement", 2, "urgent_day", files_itself=False),
    _event("0113", "道路破损", "Road damage", "roads", 5, "work_day"),
    _event("0201", "非法小广告", "Illegal bills", "enforcement", 1, "work_day", "low"),
    _event("0206", "违规牌匾标识", "Sign against the rules", "enforcement", 2, "work_day", "low", files_itself=False),
    _event("0301", "施工扰民", "Construction noise", "enforcement", 2, "urgent_hour", files_itself=False),
    _event("0304", "工地扬尘", "Dust from a building site", "enforcement", 2, "work_hour"),
    _event("0401", "无照经营游商", "Unlicensed street vendor", "enforcement", 2, "urgent_hour"),
    _event("0410", "非机动车乱停放", "Bicycles parked in the way", "enforcement", 2, "work_hour", "low"),
    _event("0501", "供水管道破裂", "Burst water main", "water", 1, "urgent_hour", "emergency"),
    _event("0502", "燃气管道破裂", "Burst gas pipe", "gas", 1, "urgent_hour", "emergency"),
    _event("0505", "路面塌陷", "Road collapse", "roads", 2, "urgent_hour", "emergency"),
    _event("0506", "道路积水", "Flooded road", "drainage", 2, "urgent_hour", "high"),
    _clean_up("0110", "暴露生活垃圾", "Exposed household refuse", 4, "work_hour"),
    _clean_up("0112", "道路不洁", "Dirty road", 2, "work_hour", "low"),
    _clean_up("0135", "废弃家具设备", "Abandoned furniture", 2, "work_day", "low"),
    _clean_up("0192", "垃圾满溢", "Overflowing bin", 4, "work_hour"),
    _social("0101", "邻里纠纷", "Dispute between neighbours", 3, "work_day", files_itself=False),
    _social("0102", "劳资纠纷", "Dispute over wages", 5, "work_day", department="justice", files_itself=False),
    _social("0201", "独居老人探访", "Visit to an old person living alone", 1, "day", "high"),
    _social("0301", "楼道堆物", "Stairway blocked by belongings", 1, "day"),
    _social("0302", "占用消防通道", "Fire lane blocked", 2, "urgent_hour", "high", department="fire"),
    _social("0303", "电动自行车违规充电", "Electric bicycle charged indoors", 4, "urgent_hour", "high"),
    _social("0401", "洪道与边坡险情", "Danger at a flood channel or slope", 1, "urgent_hour", "emergency"),
)  # fmt: skip

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

_ADD_EDITION = Statement(
    Nothing,
    """
    INSERT INTO category_editions (code, name, is_default)
    VALUES ($1::text, $2::text, true)
    """,
)

_ADD_CATEGORIES = Statement(
    Nothing,
    """
    INSERT INTO categories (edition, code, kind, name, name_en, duty_line, department, handled_by,
                            severity, files_itself, limit_amount, limit_unit, calendar, ladder)
    SELECT $1::text, r.code, r.kind, r.name, r.name_en, r.duty_line, r.department, r.handled_by,
           r.severity, r.files_itself, r.limit_amount, r.limit_unit, $2::text, 'handling'
      FROM jsonb_to_recordset($3::jsonb)
             AS r(code text, kind text, name text, name_en text, duty_line text, department text, handled_by text,
                  severity text, files_itself boolean, limit_amount double precision, limit_unit text)
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
    INSERT INTO stage_limits (kind, budget_seconds, ladder)
    SELECT r.kind, r.budget_seconds, r.ladder
      FROM jsonb_to_recordset($1::jsonb) AS r(kind text, budget_seconds integer, ladder text)
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
    await _ADD_EDITION.run(conn, EDITION, EDITION_NAME)
    await _ADD_CATEGORIES.run(conn, EDITION, CALENDAR, _rows(categories))
    await _ADD_RUNGS.run(conn, _rows(RUNGS))
    await _ADD_STAGE_LIMITS.run(conn, _rows(STAGE_LIMITS))
    return len(categories)


def _chosen(duty_lines: Iterable[str]) -> frozenset[str]:
    known = frozenset(line.code for line in DUTY_LINES)
    wanted = frozenset(duty_lines) or known
    if strangers := sorted(wanted - known):
        raise SetupError(f"no starter duty line {', '.join(strangers)}; want of {', '.join(sorted(known))}")
    return wanted


def _rows(
    things: Iterable[DutyLine | Department | Category | Rung | StageLimit],
) -> Sequence[dict[str, object]]:
    return [asdict(thing) for thing in things]
