"""How work is judged (综合评价): what is counted, the formulas as data, and the periods (docs/rules/evaluation.md).

A count is a number of things that each have one moment, and the period in which that moment lies has the thing.
An indicator is one sum of counts by another. The counts come from gridsvc/store/evaluation.py, and once more from
the history alone (gridsvc/domain/recount.py).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case import Moved
from gridsvc.domain.case_state import Move
from gridsvc.domain.sheet import Cell
from gridsvc.errors import BadRequest


class Subject(StrEnum):
    """Whose work is judged."""

    AREA = "area"
    DEPARTMENT = "department"
    POST = "post"
    OFFICER = "officer"


class Post(StrEnum):
    """A desk's post (岗位)."""

    ACCEPTOR = "acceptor"
    DISPATCHER = "dispatcher"
    SUPERVISOR = "supervisor"


class Belongs(StrEnum):
    """Which moment of a thing decides its period."""

    REPORTED = "reported"
    FILED = "filed"
    RECEIVED = "received"  # when its owner was given it
    HANDED_IN = "handed_in"
    DUE = "due"  # only what was due before the moment of asking
    CLOSED = "closed"
    HAPPENED = "happened"


_AREA: Final = frozenset({Subject.AREA})
_OWNERS: Final = frozenset({Subject.AREA, Subject.DEPARTMENT, Subject.OFFICER})
_DESKS: Final = frozenset({Subject.AREA, Subject.POST})
_OFFICERS: Final = frozenset({Subject.AREA, Subject.OFFICER})


@dataclass(frozen=True)
class Count:
    """Something that is counted, and when it counts."""

    code: str
    name: str
    name_en: str
    belongs: Belongs
    subjects: frozenset[Subject]
    unit: str = "cases"


COUNTS: Final[dict[str, Count]] = {
    each.code: each
    for each in (
        Count("reported", "上报数", "reported", Belongs.REPORTED, _OFFICERS),
        Count("reported_by_officers", "采集员上报数", "of them by officers", Belongs.REPORTED, _OFFICERS),
        Count("reported_filed", "上报中立案数", "of the reported, filed", Belongs.REPORTED, _OFFICERS),
        Count("reported_valid", "有效上报数", "of the reported, filed and neither called off nor merged",
              Belongs.REPORTED, _OFFICERS),
        Count("reported_merged", "重复上报数", "of the reported, merged into another", Belongs.REPORTED, _OFFICERS),
        Count("self_handled", "自行处置数", "self-handled", Belongs.REPORTED, _OFFICERS),
        Count("filed", "立案数", "filed", Belongs.FILED, _AREA),
        Count("received", "接收数", "given to an owner", Belongs.RECEIVED, _OWNERS),
        Count("received_returned", "回退数", "of them given back", Belongs.RECEIVED, _OWNERS),
        Count("dispatched", "人工派遣数", "dispatched by hand", Belongs.RECEIVED, _DESKS),
        Count("dispatched_returned", "人工派遣被退回数", "of them given back", Belongs.RECEIVED, _DESKS),
        Count("handed_in", "处置反馈数", "handed in", Belongs.HANDED_IN, _OWNERS),
        Count("handed_in_passed", "核查通过数", "of them closed", Belongs.HANDED_IN, _OWNERS),
        Count("handed_in_reworked", "返工数", "of them sent back", Belongs.HANDED_IN, _OWNERS),
        Count("handling_seconds", "处置用时", "time from assignment to hand-in", Belongs.HANDED_IN, _OWNERS, "seconds"),
        Count("due", "应结案数", "due", Belongs.DUE, _OWNERS),
        Count("due_suspended", "应结案中挂账数", "of the due, suspended now", Belongs.DUE, _OWNERS),
        Count("due_handled", "处置数", "of the due, handed in", Belongs.DUE, _OWNERS),
        Count("due_handled_in_time", "按期处置数", "of the due, handed in in time", Belongs.DUE, _OWNERS),
        Count("due_closed", "应结案中结案数", "of the due, closed", Belongs.DUE, _OWNERS),
        Count("due_closed_in_time", "按期结案数", "of the due, closed and not late", Belongs.DUE, _OWNERS),
        Count("due_extended", "延期案卷数", "of the due, extended", Belongs.DUE, _OWNERS),
        Count("late", "超时数", "of the due, late", Belongs.DUE, _OWNERS),
        Count("late_open", "超时未处置数", "of the late, not handed in", Belongs.DUE, _OWNERS),
        Count("late_exempt", "申诉通过免计数", "of the late, left out by a granted appeal", Belongs.DUE, _OWNERS),
        Count("late_outage", "停机免计数", "of the late, in time but for an outage", Belongs.DUE, _OWNERS),
        Count("closed", "结案数", "closed", Belongs.CLOSED, _OWNERS),
        Count("extended", "延期次数", "extensions", Belongs.HAPPENED, _OWNERS, "times"),
        Count("suspended", "挂账次数", "suspensions", Belongs.HAPPENED, _OWNERS, "times"),
        Count("appealed", "申诉数", "appeals", Belongs.HAPPENED, _OWNERS, "times"),
        Count("appeals_granted", "申诉通过数", "appeals granted", Belongs.HAPPENED, _OWNERS, "times"),
        Count("reopened", "重启数", "reopened", Belongs.HAPPENED, _OWNERS, "times"),
        Count("filing_due", "应立案数", "filings due", Belongs.DUE, _DESKS),
        Count("filing_in_time", "按时立案数", "of them in time", Belongs.DUE, _DESKS),
        Count("pool_due", "应派遣数", "dispatches due", Belongs.DUE, _DESKS),
        Count("pool_in_time", "按时派遣数", "of them in time", Belongs.DUE, _DESKS),
        Count("checking_due", "应核查数", "closing checks due", Belongs.DUE, _DESKS),
        Count("checking_in_time", "按时核查数", "of them in time", Belongs.DUE, _DESKS),
        Count("orders_due", "督办应回复数", "supervision orders due", Belongs.DUE, _DESKS),
        Count("orders_in_time", "督办按时回复数", "of them replied to in time", Belongs.DUE, _DESKS),
        Count("checks_due", "现场核查应完成数", "checks on the spot due", Belongs.DUE, _OFFICERS),
        Count("checks_done", "现场核查完成数", "of them done", Belongs.DUE, _OFFICERS),
        Count("checks_in_time", "现场核查按时数", "of them in time", Belongs.DUE, _OFFICERS),
    )
}  # fmt: skip
"""Everything that is counted, in the order of a case's life and then of the desks."""

POSTS: Final = {
    "dispatched": Post.DISPATCHER, "dispatched_returned": Post.DISPATCHER,
    "filing_due": Post.ACCEPTOR, "filing_in_time": Post.ACCEPTOR,
    "pool_due": Post.DISPATCHER, "pool_in_time": Post.DISPATCHER,
    "checking_due": Post.ACCEPTOR, "checking_in_time": Post.ACCEPTOR,
    "orders_due": Post.SUPERVISOR, "orders_in_time": Post.SUPERVISOR,
}  # fmt: skip
"""Whose desk a count belongs to."""

MARKED: Final = {
    Move.REWORK: "reworked", Move.SEND_BACK: "reworked", Move.EXTEND: "extended", Move.SUSPEND: "suspended",
    Move.APPEAL: "appealed", Move.SETTLE_APPEAL: "granted", Move.REOPEN: "reopened", Move.UNDO: "undone",
}  # fmt: skip
"""Moves that leave a mark, because no other table than the history would still tell that they were made."""


TAKES_BACK: Final = frozenset({Move.SUSPEND, Move.EXTEND})
"""Moves whose mark is taken back where they are undone: `undone` always follows at the very next version."""


def mark_of(moved: Moved, undone: str | None = None) -> str | None:
    """The mark that a move leaves; None for most, for an appeal that was refused, and where no mark is undone."""
    if moved.rule.move is Move.SETTLE_APPEAL and moved.appeal != "granted":
        return None
    if moved.rule.move is Move.UNDO and undone not in TAKES_BACK:
        return None
    return MARKED.get(moved.rule.move)


class Profile(StrEnum):
    """Whether what is suspended now counts as due."""

    SUSPENDED_LEFT_OUT = "suspended_left_out"
    SUSPENDED_COUNTED = "suspended_counted"


@dataclass(frozen=True)
class Sum:
    """Counts that are added and counts that are taken off."""

    plus: tuple[str, ...]
    minus: tuple[str, ...] = ()

    def under(self, profile: Profile) -> Sum:
        """The sum as the profile has it."""
        if profile is Profile.SUSPENDED_LEFT_OUT:
            return self
        return Sum(self.plus, tuple(code for code in self.minus if code != "due_suspended"))

    def of(self, counts: Mapping[str, int]) -> int:
        """Its value; what is not counted is nought."""
        return sum(counts.get(code, 0) for code in self.plus) - sum(counts.get(code, 0) for code in self.minus)

    def __str__(self) -> str:
        return " + ".join(self.plus) + "".join(f" - {code}" for code in self.minus)


@dataclass(frozen=True)
class Indicator:
    """A formula: `numerator` by `denominator`, as a percentage or, from seconds, in hours."""

    code: str
    name: str
    name_en: str
    numerator: Sum
    denominator: Sum
    belongs: Belongs
    subjects: frozenset[Subject]
    source: str
    unit: str = "percent"


_DUE: Final = Sum(("due",), ("due_suspended",))
_JUDGED: Final = Sum(("due",), ("due_suspended", "late_exempt"))
_TIANMEN: Final = "天门市 2016-12: 结案数 / 应结案数"
_JINHUA: Final = "金华市: 按期结案 / (应结案 - 缓办)"
_YUNCHENG: Final = "运城市指标表"
_OURS: Final = "ours"


def _one(code: str) -> Sum:
    return Sum((code,))


INDICATORS: Final[dict[str, Indicator]] = {
    each.code: each
    for each in (
        Indicator("filing_rate", "立案率", "filed of reported", _one("reported_filed"), _one("reported"),
                  Belongs.REPORTED, _OFFICERS, _YUNCHENG),
        Indicator("valid_report_rate", "有效上报率", "valid reports", _one("reported_valid"), _one("reported"),
                  Belongs.REPORTED, _OFFICERS, _YUNCHENG),
        Indicator("duplicate_rate", "重复案件率", "duplicates", _one("reported_merged"), _one("reported"),
                  Belongs.REPORTED, _OFFICERS, _YUNCHENG),
        Indicator("self_handling_rate", "自行处置率", "self-handled of what officers found", _one("self_handled"),
                  Sum(("self_handled", "reported_by_officers")), Belongs.REPORTED, _OFFICERS, _OURS),
        Indicator("closing_rate", "结案率", "closed of due", _one("due_closed"), _DUE, Belongs.DUE, _OWNERS, _TIANMEN),
        Indicator("closing_in_time_rate", "按期结案率", "closed in time of due", _one("due_closed_in_time"), _JUDGED,
                  Belongs.DUE, _OWNERS, _JINHUA),
        Indicator("handling_rate", "处置率", "handled of due", _one("due_handled"), _DUE, Belongs.DUE, _OWNERS,
                  _YUNCHENG),
        Indicator("handling_in_time_rate", "按期处置率", "handled in time of due", _one("due_handled_in_time"), _JUDGED,
                  Belongs.DUE, _OWNERS, _YUNCHENG),
        Indicator("extension_rate", "延期率", "extended of due", _one("due_extended"), _one("due"), Belongs.DUE,
                  _OWNERS, "福州市城市管理通报"),
        Indicator("return_rate", "回退率", "given back of received", _one("received_returned"), _one("received"),
                  Belongs.RECEIVED, _OWNERS, _YUNCHENG),
        Indicator("rework_rate", "返工率", "sent back of handed in", _one("handed_in_reworked"), _one("handed_in"),
                  Belongs.HANDED_IN, _OWNERS, _YUNCHENG),
        Indicator("pass_rate", "核查通过率", "passed of judged", _one("handed_in_passed"),
                  Sum(("handed_in_passed", "handed_in_reworked")), Belongs.HANDED_IN, _OWNERS, _YUNCHENG),
        Indicator("mean_handling_hours", "平均处置用时", "mean hours to hand-in", _one("handling_seconds"),
                  _one("handed_in"), Belongs.HANDED_IN, _OWNERS, _YUNCHENG, "hours"),
        Indicator("filing_in_time_rate", "按时立案率", "filings in time", _one("filing_in_time"), _one("filing_due"),
                  Belongs.DUE, _DESKS, _YUNCHENG),
        Indicator("dispatch_in_time_rate", "按时派遣率", "dispatches in time", _one("pool_in_time"), _one("pool_due"),
                  Belongs.DUE, _DESKS, _YUNCHENG),
        Indicator("accurate_dispatch_rate", "准确派遣率", "dispatched and not given back",
                  Sum(("dispatched",), ("dispatched_returned",)), _one("dispatched"), Belongs.RECEIVED, _DESKS,
                  _YUNCHENG),
        Indicator("checking_in_time_rate", "按时核查率", "closing checks in time", _one("checking_in_time"),
                  _one("checking_due"), Belongs.DUE, _DESKS, _YUNCHENG),
        Indicator("order_in_time_rate", "督办按时回复率", "supervision orders replied to in time",
                  _one("orders_in_time"), _one("orders_due"), Belongs.DUE, _DESKS, _OURS),
        Indicator("check_rate", "现场核查完成率", "checks on the spot done", _one("checks_done"), _one("checks_due"),
                  Belongs.DUE, _OFFICERS, _YUNCHENG),
        Indicator("check_in_time_rate", "现场核查按时率", "checks on the spot in time", _one("checks_in_time"),
                  _one("checks_due"), Belongs.DUE, _OFFICERS, _YUNCHENG),
    )
}  # fmt: skip
"""Every formula. The source says who counts so; `ours` where no city's text is known."""


@dataclass(frozen=True)
class Value:
    """What a formula gives: None where there was nothing to judge, which is neither nought nor all of it."""

    indicator: str
    value: float | None
    numerator: int
    denominator: int


def value_of(indicator: Indicator, counts: Mapping[str, int], profile: Profile) -> Value:
    """The indicator in hundredths of a per cent or of an hour; halves are rounded up (四舍五入), exactly."""
    numerator = indicator.numerator.under(profile).of(counts)
    denominator = indicator.denominator.under(profile).of(counts)
    if denominator <= 0:
        return Value(indicator.code, None, numerator, denominator)
    scale = (10_000, 1) if indicator.unit == "percent" else (100, 3_600)
    hundredths = (2 * numerator * scale[0] + denominator * scale[1]) // (2 * denominator * scale[1])
    return Value(indicator.code, hundredths / 100, numerator, denominator)


# -- periods ------------------------------------------------------------------------------------------


class Period(StrEnum):
    """Into what a stretch is cut; the first and the last piece may be parts of one."""

    WHOLE = "whole"
    DAY = "day"
    WEEK = "week"  # from Monday
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


MOST_PERIODS: Final = 400
"""A year of days and some; more is another question."""


def cut(first: date, end: date, period: Period, zone: ZoneInfo) -> list[datetime]:
    """The edges of the pieces of [`first`, `end`), midnights in `zone`: one more than there are pieces.

    Raises BadRequest for an end that is not after the first day, and for more than MOST_PERIODS pieces.
    """
    if end <= first:
        raise BadRequest(
            f"to is {end}, from is {first}; want a day after it: to itself is not counted",
            field="to", given=str(end), wanted=f"a day after {first}",
        )  # fmt: skip
    days = [first]
    while (after := _next(days[-1], end, period)) < end:
        days.append(after)
        if len(days) > MOST_PERIODS:
            raise BadRequest(
                f"from {first} to {end} are more than {MOST_PERIODS} pieces of a {period}",
                field="period", given=str(period), wanted="longer pieces, or a shorter stretch",
            )  # fmt: skip
    return [datetime.combine(day, time(), zone).astimezone(UTC) for day in [*days, end]]


def _next(day: date, end: date, period: Period) -> date:
    match period:
        case Period.WHOLE:
            return end
        case Period.DAY:
            return day + timedelta(days=1)
        case Period.WEEK:
            return day + timedelta(days=7 - day.weekday())
        case Period.MONTH:
            return _months_on(day, 1)
        case Period.QUARTER:
            return _months_on(day, 3 - (day.month - 1) % 3)
        case Period.YEAR:
            return date(day.year + 1, 1, 1)


def _months_on(day: date, months: int) -> date:
    years, month = divmod(day.month - 1 + months, 12)
    return date(day.year + years, month + 1, 1)


# -- who may see which figures ------------------------------------------------------------------------


@dataclass(frozen=True)
class Scope:
    """What figures somebody may see: those of his areas and departments, an officer's own, or (a command) all."""

    grants: tuple[Grant, ...] = ()
    own: UUID | None = None
    everything: bool = False


EVALUATORS: Final = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR})


def scope_of(caller: Caller) -> Scope:
    """The figures that `caller` may see: supervisors, administrators and auditors their part, an officer himself."""
    grants = tuple(grant for grant in caller.grants if grant.role in EVALUATORS)
    return Scope(grants, caller.user_id if Role.OFFICER in caller.roles else None)


def scope_names(scope: Scope) -> list[str]:
    """The scope in words: `620102`, `620102/dept:water`, `620102/line:city`, `user:…`, or `*`."""
    if scope.everything:
        return ["*"]
    areas = {
        f"{grant.division}/dept:{grant.department}" if grant.department
        else f"{grant.division}/line:{grant.duty_line}" if grant.duty_line
        else grant.division
        for grant in scope.grants
    }  # fmt: skip
    return sorted(areas) + ([f"user:{scope.own}"] if scope.own else [])


@dataclass(frozen=True, kw_only=True)
class Whose:
    """Whose figure something is. `path` are the divisions from the top down to where the case lies."""

    path: tuple[str, ...]
    duty_line: str
    department: str | None = None
    officer: UUID | None = None
    post: str | None = None


def sees(scope: Scope, whose: Whose) -> bool:
    """Whether the figure is within the scope. The desks of an area are not those of a department's head."""
    if scope.everything or (scope.own is not None and whose.officer == scope.own):
        return True
    return any(
        grant.division in whose.path
        and grant.department in {None, whose.department}
        and grant.duty_line in {None, whose.duty_line}
        for grant in scope.grants
    )


# -- from counted rows to items -----------------------------------------------------------------------


class By(StrEnum):
    """How figures are grouped. `area`: every level at once, the deepest first."""

    AREA = "area"
    COMMUNITY = "community"
    STREET = "street"
    DISTRICT = "district"
    CITY = "city"
    DEPARTMENT = "department"
    POST = "post"
    OFFICER = "officer"

    @property
    def subject(self) -> Subject:
        """Whose work that judges."""
        return Subject.AREA if self in LEVELS else Subject(str(self))


LEVELS: Final = ("community", "street", "district", "city", "province")
"""Levels of divisions, the deepest first."""


@dataclass(frozen=True)
class Figure:
    """A number as it is counted: of the piece (from 1) of `key`; for an area the path of codes joined by slashes."""

    piece: int
    key: str
    what: str
    number: int


@dataclass(frozen=True)
class Named:
    """What a code is called."""

    name: str
    name_en: str
    level: str  # of a division; else the subject


@dataclass(frozen=True)
class Item:
    """One group in one piece, with what was counted and what that gives."""

    code: str
    level: str
    name: str
    name_en: str
    start: datetime
    end: datetime
    counts: Mapping[str, int]
    values: Sequence[Value]


@dataclass(frozen=True, kw_only=True)
class Asked:
    """One report: the edges of its pieces, how it is grouped, and what it is narrowed to."""

    edges: Sequence[datetime]
    by: By
    profile: Profile = Profile.SUSPENDED_LEFT_OUT
    division: str | None = None
    scope: Scope = field(default_factory=Scope)
    now: datetime


def items_of(asked: Asked, figures: Iterable[Figure], names: Mapping[str, Named]) -> list[Item]:
    """The report: by piece, then the deepest level first, then by code. A group in which nothing happened is not told.

    A division is told only where all of it may be seen and was asked for: never the sum of a part under its name.
    """
    sums: dict[tuple[int, str], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for figure in figures:
        for code in _codes_of(asked, figure.key, names):
            sums[figure.piece, code][figure.what] += figure.number
    unnamed = Named("", "", asked.by.subject)
    found = [
        Item(
            code=code, level=named.level, name=named.name, name_en=named.name_en,
            start=asked.edges[piece - 1], end=asked.edges[piece],
            counts=whole, values=values_of(asked.by.subject, whole, asked.profile),
        )
        for (piece, code), counts in sums.items()
        for named in [names.get(code, unnamed)]
        for whole in [counts_of(asked.by.subject, counts)]
    ]  # fmt: skip
    return sorted(found, key=lambda item: (item.start, _depth(item.level), item.code))


def _codes_of(asked: Asked, key: str, names: Mapping[str, Named]) -> list[str]:
    if asked.by.subject is not Subject.AREA:
        return [key]
    path = key.split("/")
    tops = [asked.division] if asked.division is not None else path[:1]
    begins = path.index(tops[0]) if tops[0] in path else len(path)
    if not asked.scope.everything:
        mine = [path.index(grant.division) for grant in asked.scope.grants if grant.division in path]
        begins = max(begins, min(mine, default=len(path)))
    whole = path[begins:]
    if asked.by is By.AREA:
        return whole
    return [code for code in whole if code in names and names[code].level == asked.by]


def _depth(level: str) -> int:
    return LEVELS.index(level) if level in LEVELS else -1


def counts_of(subject: Subject, counts: Mapping[str, int]) -> dict[str, int]:
    """Every count that this subject has, in order; nought where nothing was counted."""
    return {each.code: counts.get(each.code, 0) for each in COUNTS.values() if subject in each.subjects}


def values_of(subject: Subject, counts: Mapping[str, int], profile: Profile) -> list[Value]:
    """Every indicator that this subject has, in order."""
    return [value_of(each, counts, profile) for each in INDICATORS.values() if subject in each.subjects]


# -- as a table ---------------------------------------------------------------------------------------

CODES: Final = frozenset({0})
"""The columns of the table that hold codes."""


def table(asked: Asked, items: Sequence[Item], zone: ZoneInfo, *, chinese: bool) -> list[list[Cell]]:
    """The report as rows under a row of headings; the code first, days in the city's zone, `to` not counted."""
    subject = asked.by.subject
    counts = [each for each in COUNTS.values() if subject in each.subjects]
    indicators = [each for each in INDICATORS.values() if subject in each.subjects]
    first = ["代码", "级别", "名称", "起", "止（不含）"] if chinese else ["code", "level", "name", "from", "to"]
    units = {"percent": "（%）", "hours": "（小时）"} if chinese else {"percent": ", %", "hours": ", h"}
    head: list[Cell] = [*first]
    head += [each.name if chinese else each.code for each in counts]
    head += [(each.name if chinese else each.code) + units[each.unit] for each in indicators]
    rows: list[list[Cell]] = [head]
    for item in items:
        name = item.name if chinese or not item.name_en else item.name_en
        days = [str(moment.astimezone(zone).date()) for moment in (item.start, item.end)]
        rows.append(
            [item.code, item.level, name, *days, *item.counts.values(), *(each.value for each in item.values)]
        )
    return rows
