"""A list of categories as a city's office keeps it: what a file may say, and everything wrong with one.

One row per limit. Columns, rules and examples for whoever writes such a file: docs/categories-import.md.
What cannot be read by those rules is refused where it stands; an unknown limit never becomes a default.
"""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from gridsvc.domain.attribute import SYNTAX, Attribute, read_attribute
from gridsvc.domain.category import (
    CHECKS,
    DUPLICATE_RADIUS_M,
    DUPLICATE_WINDOW_H,
    EVIDENCE,
    HANDLING,
    LEVELS,
    STAGES,
    Category,
    CategoryLimit,
    Condition,
)
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.sheet import Sheet, tidy

PREFIXES: Final = {"component": "10", "event": "20"}
"""What stands before major and minor class, since components and events both start at 0101."""

COLUMNS: Final = {
    "code": ("类别代码", "代码"), "kind": ("类型",),
    "major": ("大类代码",), "major_name": ("大类名称",), "major_name_en": ("大类英文名称",),
    "minor": ("小类代码",), "name": ("小类名称", "名称"), "name_en": ("小类英文名称", "英文名称"),
    "handler": ("处置单位",), "department": ("责任单位",), "duty_line": ("条线",),
    "severity": ("紧急程度",), "files_itself": ("自动立案",), "dispatches_itself": ("自动派遣",),
    "attributes": ("必填属性",), "evidence": ("证据",), "checks": ("自动核查",),
    "duplicate_radius_m": ("重复半径米",), "duplicate_window_h": ("重复时限小时",),
    "calendar": ("日历",), "ladder": ("升级阶梯",), "active": ("启用",),
    "condition": ("条件代码",), "condition_text": ("立案条件",), "closing": ("结案条件",), "is_default": ("默认条件",),
    "management_level": ("管理级别",), "stage": ("阶段",), "limit": ("处置时限", "时限"),
}  # fmt: skip
"""Every column with its Chinese headings; the first one is written."""

_NOT_KEPT: Final = frozenset({"主管部门"})  # who supervises whom is not the city's grid's to say
_COLUMN_OF: Final = {
    **{name: name for name in COLUMNS}, **{word: name for name, words in COLUMNS.items() for word in words}
}  # fmt: skip
_WRITTEN: Final = tuple(name for name in COLUMNS if name not in {"minor", "handler"})
_CODES: Final = frozenset(_WRITTEN.index(name) for name in ("code", "major", "condition"))
_MAJOR: Final = ("kind", "major", "major_name", "major_name_en")
_MINOR: Final = (*_MAJOR, "code", "minor", "name", "name_en")
# What all rows of a category say alike, where they say it.
_OF_ALL: Final = (
    "kind", "major", "major_name", "major_name_en", "name", "name_en", "handler", "department", "duty_line",
    "severity", "files_itself", "dispatches_itself", "attributes", "evidence", "checks", "duplicate_radius_m",
    "duplicate_window_h", "calendar", "ladder", "active",
)  # fmt: skip
_HEADER_WITHIN: Final = 10  # rows: a title and a note may stand above it

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_SHORTENED: Final = re.compile(r"\d(\.\d+)?E\+?\d+", re.IGNORECASE)
_LIMIT: Final = re.compile(r"(?P<before>\D*?)(?P<amount>\d+(?:\.\d+)?)(?P<rest>\D.*)?")
_SEPARATORS: Final = re.compile(r"[、，,；;\n]")
_KINDS: Final = {"component": "component", "部件": "component", "event": "event", "事件": "event"}
_SEVERITIES: Final = {
    "low": "low", "低": "low", "normal": "normal", "一般": "normal", "high": "high", "高": "high",
    "emergency": "emergency", "紧急": "emergency",
}  # fmt: skip
_YES_NO: Final = {"yes": True, "是": True, "no": False, "否": False}
_EVIDENCE: Final = {**{word: word for word in EVIDENCE}, "上报": "report", "处置前": "before", "处置后": "after"}
_CHECKS: Final = {**{word: word for word in CHECKS}, "立案前": "pre_filing_check", "结案前": "closing_check"}
_STAGES: Final = {
    **{stage: stage for stage in STAGES}, "处置": HANDLING, "查处": HANDLING, "制止": "stop_it", "立案": "filing",
    "派遣": "dispatch", "待派遣": "pool", "接收": "acknowledge", "核查": "checking", "现场核查": "on_site",
}  # fmt: skip
_STOPPING: Final = "制止"  # behind a limit: by then it must be stopped
_UNITS: Final = {
    "紧急分钟": LimitUnit.URGENT_MINUTE,
    "紧急工作时": LimitUnit.URGENT_HOUR, "紧急工作日": LimitUnit.URGENT_DAY, "工作时": LimitUnit.WORK_HOUR,
    "工作日": LimitUnit.WORK_DAY, "自然日": LimitUnit.DAY, **{str(unit): unit for unit in LimitUnit},
}  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class Known:
    """What rows may name; departments by code, with their duty lines."""

    duty_lines: frozenset[str]
    departments: Mapping[str, str]
    calendars: frozenset[str]
    ladders: frozenset[str]
    longest: Mapping[LimitUnit, float] = field(default_factory=dict)  # amounts that three years hold; none: not asked


@dataclass(frozen=True, kw_only=True)
class Handler:
    """Who is meant by a name of the file: a department, or (None) the officers of the duty line."""

    department: str | None
    duty_line: str


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How to read what a file leaves open. `handlers` by the file's names, `units` by words of its limits."""

    edition: str
    handlers: Mapping[str, Handler] = field(default_factory=dict)
    units: Mapping[str, LimitUnit] = field(default_factory=dict)
    calendar: str | None = None


@dataclass(frozen=True, kw_only=True)
class Fault:
    """One thing wrong with a file, and where."""

    where: str
    field: str | None
    given: str
    wanted: str

    def __str__(self) -> str:
        named = f", field {self.field}" if self.field else ""
        return f"{self.where}{named}: given {self.given}; want {self.wanted}"


@dataclass(frozen=True, kw_only=True)
class Listing:
    """What a file holds without the categories at fault, by code, and the faults."""

    categories: tuple[Category, ...]
    faults: tuple[Fault, ...]


class _UnknownUnit(ValueError):
    """A word behind a number that may mean natural or working time, or nothing."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


class _Wrong(ValueError):
    def __init__(self, field: str, given: str, wanted: str) -> None:
        super().__init__(field)
        self.field, self.given, self.wanted = field, given, wanted


@dataclass(frozen=True)
class _Row:
    """One row under its header; `columns` says where each field stands."""

    sheet: Sheet
    number: int
    columns: Mapping[str, int]
    cells: Mapping[str, str]
    said_by: Mapping[str, _Row] = field(default_factory=dict)  # where each field stands, if not here

    def __getitem__(self, name: str) -> str:
        return self.cells.get(name, "")

    def fault(self, wrong: _Wrong) -> Fault:
        by = self.said_by.get(wrong.field, self)
        where = by.sheet.where(by.number, by.columns.get(wrong.field))
        return Fault(where=where, field=wrong.field, given=wrong.given, wanted=wrong.wanted)


@dataclass
class _Group:
    """The rows of one category, in order."""

    code: str
    rows: list[_Row] = field(default_factory=list)
    at_fault: bool = False


def read_categories(sheets: Sequence[Sheet], reading: Reading, known: Known) -> Listing:
    """Read every sheet; a category of which one row is at fault is left out whole, and every fault is named.

    Half of a category's limits would be neither what was nor what is meant. A handler whom nobody has
    mapped, and a unit that nobody has explained, is named once, with the number of rows.
    """
    faults: list[Fault] = []
    groups: dict[str, _Group] = {}
    for row in (row for sheet in sheets for row in _rows(sheet, faults)):
        try:
            code = _code(row)
        except _Wrong as wrong:
            faults.append(row.fault(wrong))
            continue
        groups.setdefault(code, _Group(code)).rows.append(row)
    majors = _major_names(groups.values(), faults)
    unmapped: dict[str, list[_Row]] = defaultdict(list)
    unexplained: dict[str, list[_Row]] = defaultdict(list)
    made = [_read_group(group, reading, known, majors, unmapped, unexplained, faults) for group in groups.values()]
    for name, rows in unmapped.items():
        faults.append(rows[0].fault(_Wrong("handler", _counted(name, rows), "a row for it in the --departments file")))
    for word, rows in unexplained.items():
        wanted = f"one of {', '.join(_UNITS)}; or say what it means with --unit {word}=UNIT"
        faults.append(rows[0].fault(_Wrong("limit", f"the unit {_counted(word, rows)}", wanted)))
    if not groups and not faults:
        faults.append(Fault(where=sheets[0].file, field=None, given="no row", wanted="at least one category"))
    found = sorted((each for each in made if each is not None), key=lambda each: each.code)
    return Listing(categories=tuple(found), faults=tuple(faults))


def _counted(word: str, rows: Sequence[_Row]) -> str:
    return f"{word!r}, in {len(rows)} row{'s' if len(rows) > 1 else ''}"


def read_handlers(sheet: Sheet, known: Known) -> tuple[dict[str, Handler], list[Fault]]:
    """The mapping of a file's names to this city's departments or officers: columns name, department, duty_line."""
    words = {"name": "name", "名称": "name", "处置单位": "name", "department": "department", "责任单位": "department",
             "duty_line": "duty_line", "条线": "duty_line"}  # fmt: skip
    header = [words.get(tidy(cell).lower(), "") for cell in sheet.rows[0]] if sheet.rows else []
    if not {"name", "department"} <= set(header):
        wanted = "a header of name (名称), department (责任单位) and, for officers, duty_line (条线)"
        return {}, [Fault(where=sheet.where(0), field=None, given=", ".join(sheet.rows[:1][0]) if header else "no row",
                          wanted=wanted)]  # fmt: skip
    handlers: dict[str, Handler] = {}
    faults: list[Fault] = []
    columns = {name: header.index(name) for name in header if name}
    for number in range(1, len(sheet.rows)):
        row = _Row(sheet, number, columns, {name: tidy(sheet.text(number, at)) for name, at in columns.items()})
        if not any(row.cells.values()):
            continue
        try:
            name = row["name"]
            if not name or name in handlers:
                raise _Wrong("name", repr(name), "a name that stands in no other row")
            handlers[name] = _handler(row, known)
        except _Wrong as wrong:
            faults.append(row.fault(wrong))
    return handlers, faults


def _handler(row: _Row, known: Known) -> Handler:
    department, duty_line = row["department"], row["duty_line"]
    if department:
        line = known.departments[_one_of(row, "department", known.departments)]
        if duty_line and duty_line != line:
            raise _Wrong("duty_line", repr(duty_line), f"{line}, the department's, or blank")
        return Handler(department=department, duty_line=line)
    if duty_line not in known.duty_lines:
        wanted = f"one of {_some(known.duty_lines)}, or a department"
        raise _Wrong("duty_line", repr(duty_line), wanted)
    return Handler(department=None, duty_line=duty_line)


# -- rows --------------------------------------------------------------------------------------


def _rows(sheet: Sheet, faults: list[Fault]) -> Iterator[_Row]:
    """The rows below the header, with what merged and blank class cells stand for."""
    if not any(any(cell.strip() for cell in row) for row in sheet.rows):
        return
    header = _header(sheet, faults)
    if header is None:
        return
    at, columns = header
    above: Mapping[str, str] = {}
    for number in range(at + 1, len(sheet.rows)):
        own = {name: sheet.rows[number][column] if column < len(sheet.rows[number]) else ""
               for name, column in columns.items()}  # fmt: skip
        if not any(cell.strip() for cell in own.values()):
            continue  # blank, or the rest of a range that is merged over several rows: it says nothing of its own
        cells = {name: _cell(name, sheet.text(number, column)) for name, column in columns.items()}
        names_a_class = any(cells.get(name) for name in ("code", "minor"))
        for name in _MAJOR if names_a_class else _MINOR:
            # A new major class does not take its name from the one above.
            if not cells.get(name) and (name in {"kind", "major"} or cells.get("major") == above.get("major")):
                cells[name] = above.get(name, "")
        above = cells
        yield _Row(sheet, number, columns, cells)


def _cell(name: str, text: str) -> str:
    """The words of a cell; in that of the handlers a line break stands between two of them."""
    return tidy(re.sub(r"\n+", "、", text.strip()) if name == "handler" else text)


def _header(sheet: Sheet, faults: list[Fault]) -> tuple[int, dict[str, int]] | None:
    for number, row in enumerate(sheet.rows[:_HEADER_WITHIN]):
        heads = [tidy(cell).lower() for cell in row]
        names = [_COLUMN_OF.get(head, "") for head in heads]
        if "name" not in names or not ("code" in names or {"major", "minor"} <= set(names)):
            continue
        for column, head in enumerate(heads):
            if head and not names[column] and head not in _NOT_KEPT:
                wanted = f"a column of {', '.join(COLUMNS)}"
                faults.append(Fault(where=sheet.where(number, column), field=None, given=repr(head), wanted=wanted))
                return None
            if names[column] and names.index(names[column]) != column:
                faults.append(
                    Fault(where=sheet.where(number, column), field=None, given=repr(head), wanted="each column once")
                )
                return None
        return number, {name: column for column, name in enumerate(names) if name}
    wanted = (
        f"name (小类名称), and code (类别代码) or major and minor (大类代码, 小类代码), within {_HEADER_WITHIN} rows"
    )
    faults.append(Fault(where=sheet.where(0), field=None, given="no header", wanted=wanted))
    return None


def _code(row: _Row) -> str:
    for name in ("code", "major", "minor", "condition"):
        if _SHORTENED.fullmatch(row[name]):
            wanted = "the code as text: Excel has shortened it; format the column as text and type it again"
            raise _Wrong(name, repr(row[name]), wanted)
    if row["code"]:
        return _matching(row, "code")
    return PREFIXES[_kind(row)] + _two_digits(row, "major") + _two_digits(row, "minor")


def _matching(row: _Row, name: str) -> str:
    if not _CODE.fullmatch(row[name]):
        raise _Wrong(name, repr(row[name]), "1 to 32 letters, digits, - or _")
    return row[name]


def _two_digits(row: _Row, name: str) -> str:
    given = row[name]
    if not given.isascii() or not given.isdigit() or len(given) > 2:
        raise _Wrong(name, repr(given), "one or two digits")
    return given.zfill(2)


def _kind(row: _Row) -> str:
    if row["kind"]:
        return _KINDS[_one_of(row, "kind", _KINDS)]
    named = {kind for word, kind in _KINDS.items() if word in (row.sheet.name or "")}
    if len(named) != 1:
        raise _Wrong("kind", "''", "component (部件) or event (事件), in the column or in the sheet's name")
    return named.pop()


def _major(row: _Row) -> str | None:
    given = row["major"]
    if not given:
        return None
    return PREFIXES[_kind(row)] + _two_digits(row, "major") if len(given) <= 2 else _matching(row, "major")


def _major_names(groups: Iterable[_Group], faults: list[Fault]) -> dict[str, tuple[str, str]]:
    """Name and English name of each major class; a category that names it otherwise is at fault."""
    names: dict[str, tuple[str, str]] = {}
    for group in groups:
        for row in group.rows:
            try:
                major = _major(row)
            except _Wrong:
                continue  # told with the category
            if major is None or not row["major_name"]:
                continue
            name, name_en = names.setdefault(major, (row["major_name"], row["major_name_en"]))
            if row["major_name"] != name or (row["major_name_en"] and row["major_name_en"] != name_en):
                faults.append(row.fault(_Wrong("major_name", repr(row["major_name"]), f"{name!r}, as above")))
                group.at_fault = True
    return names


# -- categories --------------------------------------------------------------------------------


def _read_group(
    group: _Group,
    reading: Reading,
    known: Known,
    majors: Mapping[str, tuple[str, str]],
    unmapped: dict[str, list[_Row]],
    unexplained: dict[str, list[_Row]],
    faults: list[Fault],
) -> Category | None:
    before = len(faults)
    rules = _rules(group, reading, known, unexplained, faults)
    said = _agreed(group, faults)
    try:
        handler = _who_handles(said, group, reading, known, unmapped)
        category = None if rules is None or handler is None else _category(group, said, handler, rules, reading, known,
                                                                           majors)  # fmt: skip
    except _Wrong as wrong:
        faults.append(said.fault(wrong))
        return None
    return None if group.at_fault or len(faults) > before else category


def _agreed(group: _Group, faults: list[Fault]) -> _Row:
    """What the rows of a category say alike, as one row; blanks agree with everything."""
    first = group.rows[0]
    said_by: dict[str, _Row] = {}
    for row in group.rows:
        for name in _OF_ALL:
            if not row[name]:
                continue
            agreed = said_by.setdefault(name, row)
            if agreed[name] != row[name]:
                wanted = f"{agreed[name]!r}, as in the other rows of category {group.code}, or blank"
                faults.append(row.fault(_Wrong(name, repr(row[name]), wanted)))
    return _Row(first.sheet, first.number, first.columns, {name: by[name] for name, by in said_by.items()}, said_by)


def _who_handles(
    said: _Row, group: _Group, reading: Reading, known: Known, unmapped: dict[str, list[_Row]]
) -> Handler | None:
    """The department or the officers; None: a name that nobody has mapped, which is told once for all rows.

    Of several names in one cell the whole cell is looked up, then the name that stands first (主办).
    """
    if said["department"] or not said["handler"]:
        return _handler(said, known)
    names = [name.strip() for name in _SEPARATORS.split(said["handler"]) if name.strip()]
    for name in (said["handler"], *names[:1]):
        if name in reading.handlers:
            return reading.handlers[name]
    unmapped[names[0] if names else said["handler"]].extend(group.rows)
    return None


_Rules = tuple[CategoryLimit, tuple[Condition, ...], tuple[CategoryLimit, ...]]


def _category(
    group: _Group,
    said: _Row,
    handler: Handler,
    rules: _Rules,
    reading: Reading,
    known: Known,
    majors: Mapping[str, tuple[str, str]],
) -> Category:
    own, conditions, limits = rules
    major = _major(said)
    major_name, major_name_en = majors.get(major or "", ("", ""))
    if major is not None and not major_name:
        raise _Wrong("major_name", "''", f"a name of major class {major}")
    calendar = reading.calendar or (min(known.calendars) if len(known.calendars) == 1 else "")
    return Category(
        edition=reading.edition,
        code=group.code,
        kind=_kind(said),
        name=_words(said, "name", 1),
        name_en=_words(said, "name_en", 0),
        duty_line=handler.duty_line,
        department=handler.department,
        handled_by="officer" if handler.department is None else "department",
        severity=_SEVERITIES[_one_of(said, "severity", _SEVERITIES, "normal")],
        files_itself=_YES_NO[_one_of(said, "files_itself", _YES_NO, "yes")],
        limit_amount=own.amount,
        limit_unit=own.unit,
        calendar=_one_of(said, "calendar", known.calendars, calendar),
        ladder=_one_of(said, "ladder", known.ladders, HANDLING),
        active=_YES_NO[_one_of(said, "active", _YES_NO, "yes")],
        major=major,
        major_name=major_name,
        major_name_en=major_name_en,
        dispatches_itself=_YES_NO[_one_of(said, "dispatches_itself", _YES_NO, "yes")],
        attributes=_attributes(said),
        evidence=_of(said, "evidence", _EVIDENCE, EVIDENCE),
        checks=_of(said, "checks", _CHECKS, CHECKS),
        duplicate_radius_m=_number(said, "duplicate_radius_m", DUPLICATE_RADIUS_M),
        duplicate_window_h=_number(said, "duplicate_window_h", DUPLICATE_WINDOW_H),
        conditions=conditions,
        limits=limits,
    )


def _one_of(row: _Row, name: str, choices: Iterable[str], otherwise: str = "") -> str:
    given = row[name] or otherwise
    if given not in choices:
        raise _Wrong(name, repr(given), f"one of {_some(choices)}")
    return given


def _some(choices: Iterable[str]) -> str:
    ordered = sorted(choices)
    if not ordered:
        return "those that exist, and there are none yet"
    return ", ".join(ordered[:12]) + (f" … ({len(ordered)} in all)" if len(ordered) > 12 else "")


def _words(row: _Row, name: str, least: int) -> str:
    given = row[name]
    if not least <= len(given) <= 128 or not given.isprintable():
        raise _Wrong(name, repr(given[:40]), f"{least} to 128 printable characters")
    return given


def _listed(given: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.strip() for each in _SEPARATORS.split(given) if each.strip()))


def _attributes(row: _Row) -> tuple[Attribute, ...]:
    found: dict[str, Attribute] = {}
    for spec in _listed(row["attributes"]):
        attribute = read_attribute(spec)
        if attribute is None or attribute.name in found:
            raise _Wrong("attributes", repr(spec), f"each once, as {SYNTAX}")
        found[attribute.name] = attribute
    return tuple(found.values())


def _of(row: _Row, name: str, words: Mapping[str, str], order: Sequence[str]) -> tuple[str, ...]:
    """What the cell lists of `words`, in the order of what they mean."""
    given = _listed(row[name])
    for each in given:
        if each not in words:
            raise _Wrong(name, repr(each), f"of {_some(words)}")
    asked = {words[each] for each in given}
    return tuple(each for each in order if each in asked)


def _number(row: _Row, name: str, otherwise: float) -> float:
    given = row[name]
    if not given:
        return otherwise
    if not re.fullmatch(r"\d{1,6}(\.\d{1,3})?", given, re.ASCII):
        raise _Wrong(name, repr(given), "a number from 0 to 999999, or blank")
    return float(given)


# -- conditions and limits ---------------------------------------------------------------------


def _rules(
    group: _Group, reading: Reading, known: Known, unexplained: dict[str, list[_Row]], faults: list[Fault]
) -> _Rules | None:
    """The category's own limit, its conditions and its more exact limits; None where a row is at fault."""
    before = len(faults)
    conditions: dict[str, _Row] = {}
    defaults: list[str] = []
    limits: dict[tuple[str | None, str | None, str], CategoryLimit] = {}
    for row in group.rows:
        try:
            condition = _condition(row, conditions)
            if condition is not None and _YES_NO[_one_of(row, "is_default", _YES_NO, "no")]:
                defaults.append(condition)
            for limit in _limits_of(row, condition, reading, known):
                holds_for = (limit.condition, limit.management_level, limit.stage)
                if holds_for in limits:
                    raise _Wrong("limit", repr(row["limit"]), "one limit for a condition, management level and stage")
                limits[holds_for] = limit
        except _UnknownUnit as unit:
            unexplained[unit.word].append(row)
            group.at_fault = True
        except _Wrong as wrong:
            faults.append(row.fault(wrong))
    if len(set(defaults)) > 1:
        wanted = f"one default condition of category {group.code}"
        faults.append(group.rows[0].fault(_Wrong("is_default", ", ".join(sorted(set(defaults))), wanted)))
    if group.at_fault or len(faults) > before:
        return None
    default = defaults[0] if defaults else next(iter(conditions), None)
    own = limits.pop((None, None, HANDLING), None)
    faults.extend(_uncovered(conditions, limits, own, default))
    own = own or limits.get((default, None, HANDLING))
    if own is None or len(faults) > before:
        if len(faults) == before:
            wanted = "a limit for every condition and management level"
            faults.append(group.rows[0].fault(_Wrong("limit", "none that always holds", wanted)))
        return None
    places = {code: place for place, code in enumerate(conditions)}
    ordered = sorted(
        limits.values(),
        key=lambda each: (places.get(each.condition or "", -1), each.stage, each.management_level or ""),
    )
    return (
        own,
        tuple(
            Condition(code=code, says=row["condition_text"], closing=row["closing"], is_default=code == default)
            for code, row in conditions.items()
        ),
        tuple(ordered),
    )


def _condition(row: _Row, conditions: dict[str, _Row]) -> str | None:
    """The code of the row's condition, added if it is new; None: the row speaks of every condition.

    Without a code the conditions are counted from 1; the same words again are the same condition.
    """
    code, says = row["condition"], row["condition_text"]
    if not code and not says:
        if row["closing"]:
            raise _Wrong("closing", repr(row["closing"][:40]), "a filing condition beside it")
        return None
    if not code:
        same = next((known for known, by in conditions.items() if by["condition_text"] == says), None)
        code = same or next(str(n) for n in range(1, len(conditions) + 2) if str(n) not in conditions)
    else:
        _matching(row, "condition")
    first = conditions.setdefault(code, row)
    if says and says != first["condition_text"]:
        raise _Wrong("condition_text", repr(says[:40]), f"the words of condition {code} above, or another code")
    if row["closing"] and row["closing"] != first["closing"]:
        raise _Wrong("closing", repr(row["closing"][:40]), f"the closing condition of condition {code} above")
    if not first["condition_text"]:
        raise _Wrong("condition_text", "''", f"the words of condition {code}")
    return code


def _limits_of(row: _Row, condition: str | None, reading: Reading, known: Known) -> tuple[CategoryLimit, ...]:
    """The row's limit; none where it only names a condition, two where stopping it is all that closes the case."""
    level = row["management_level"]
    if level and level not in LEVELS:
        raise _Wrong("management_level", repr(level), f"{', '.join(LEVELS)}, or blank for every level")
    if row["stage"] and row["stage"] not in _STAGES:
        raise _Wrong("stage", repr(row["stage"][:40]), f"one of {', '.join(_STAGES)}, or blank for the handling")
    stage = _STAGES[row["stage"]] if row["stage"] else HANDLING
    if not row["limit"]:
        if condition is None or level or stage != HANDLING:
            raise _Wrong("limit", "''", "how long it may take")
        return ()
    amount, unit, behind = _read_limit(row["limit"], row["closing"], reading.units)
    if amount > known.longest.get(unit, amount):
        wanted = f"at most {_plain(known.longest[unit])} {_unit_word(unit)}: no limit is longer than three years"
        raise _Wrong("limit", repr(row["limit"]), wanted)
    stages = [stage]
    if behind == _STOPPING and not row["stage"]:  # where nothing else closes the case, the handling is the stopping
        stages = [_STAGES[behind], HANDLING] if row["closing"] == behind else [_STAGES[behind]]
    return tuple(
        CategoryLimit(amount=amount, unit=unit, condition=condition, management_level=level or None, stage=each)
        for each in stages
    )


def _read_limit(given: str, closing: str, units: Mapping[str, LimitUnit]) -> tuple[float, LimitUnit, str]:
    """Amount and unit of a limit such as `2紧急工作时`, and the word behind; `units` are those the reader was told.

    Behind the unit may stand words of the closing condition (1紧急工作时制止, to be closed when 制止). Raises
    _Wrong for anything else, and _UnknownUnit: what may be natural or working time is asked for, never guessed.
    """
    text = unicodedata.normalize("NFKC", given).replace(" ", "")
    found = _LIMIT.fullmatch(text)
    if found is None:
        raise _Wrong("limit", repr(given), "a number and a unit")
    if found["before"]:
        wanted = "a number and a unit, nothing before them"
        if "季" in found["before"]:
            wanted = "a limit that holds all the year: for a season write a condition of its own"
        raise _Wrong("limit", repr(given), wanted)
    rest = found["rest"] or ""
    words = {**_UNITS, **units}
    unit = max((word for word in words if rest.startswith(word)), key=len, default=None)
    if unit is None:
        if not rest:
            raise _Wrong("limit", repr(given), f"a unit behind the number: {', '.join(_UNITS)}")
        raise _UnknownUnit(rest)
    behind = rest[len(unit) :]
    if behind and behind not in {each.strip() for each in _SEPARATORS.split(closing)}:
        raise _Wrong("limit", repr(given), "nothing behind the unit but words of the closing condition")
    if float(found["amount"]) == 0:
        raise _Wrong("limit", repr(given), "more than nothing")
    return float(found["amount"]), words[unit], behind


def _uncovered(
    conditions: Mapping[str, _Row],
    limits: Mapping[tuple[str | None, str | None, str], CategoryLimit],
    own: CategoryLimit | None,
    default: str | None,
) -> Iterator[Fault]:
    """The conditions under which some area would have no limit of its own: the default's must not stand in for it."""
    if own is not None:
        return
    for code, row in conditions.items():
        levels = {level for condition, level, stage in limits if condition in {code, None} and stage == HANDLING}
        if None not in levels and (code == default or not levels >= set(LEVELS)):
            yield row.fault(
                _Wrong("limit", f"none of condition {code} that holds on every management level", "one, in a row of it")
            )


# -- writing -----------------------------------------------------------------------------------


def listed(categories: Sequence[Category], *, chinese: bool = True) -> tuple[list[list[str]], frozenset[int]]:
    """The rows of a file that reads as exactly these categories, header first, and which columns hold codes."""
    header = [COLUMNS[name][0] if chinese else name for name in _WRITTEN]
    return [header, *(row for each in categories for row in _written(each))], _CODES


def _written(category: Category) -> Iterator[list[str]]:
    of_all = {
        "code": category.code, "kind": category.kind, "major": category.major or "",
        "major_name": category.major_name, "major_name_en": category.major_name_en, "name": category.name,
        "name_en": category.name_en, "department": category.department or "", "duty_line": category.duty_line,
        "severity": category.severity, "files_itself": _yes(category.files_itself),
        "dispatches_itself": _yes(category.dispatches_itself),
        "attributes": "; ".join(each.spec for each in category.attributes),
        "evidence": "; ".join(category.evidence), "checks": "; ".join(category.checks),
        "duplicate_radius_m": _plain(category.duplicate_radius_m),
        "duplicate_window_h": _plain(category.duplicate_window_h), "calendar": category.calendar,
        "ladder": category.ladder, "active": _yes(category.active),
    }  # fmt: skip
    own = CategoryLimit(amount=category.limit_amount, unit=category.limit_unit)
    for limit in (own, *(each for each in category.limits if each.condition is None)):
        yield _row_of(of_all, None, limit)
    for condition in category.conditions:
        exact = [each for each in category.limits if each.condition == condition.code]
        for limit_or_none in exact or (None,):
            yield _row_of(of_all, condition, limit_or_none)


def _row_of(of_all: Mapping[str, str], condition: Condition | None, limit: CategoryLimit | None) -> list[str]:
    cells = dict(of_all)
    if condition is not None:
        cells |= {"condition": condition.code, "condition_text": condition.says, "closing": condition.closing,
                  "is_default": _yes(condition.is_default)}  # fmt: skip
    if limit is not None:
        cells |= {"management_level": limit.management_level or "", "stage": limit.stage,
                  "limit": f"{_plain(limit.amount)}{_unit_word(limit.unit)}"}  # fmt: skip
    return [cells.get(name, "") for name in _WRITTEN]


def _yes(value: bool) -> str:
    return "yes" if value else "no"


def _plain(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def _unit_word(unit: LimitUnit) -> str:
    return next(word for word, known in _UNITS.items() if known is unit)
