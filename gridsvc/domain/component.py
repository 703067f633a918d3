"""Components (部件): the register as files bring it, and which department answers for one.

Columns, examples and rules for whoever writes such a file: docs/components-import.md.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from geo.datum import Datum
from geo.place import BadPlace, Bounds, Place, read_place
from geo.projection import Plane
from gridsvc.domain.roster import Fault, decoded

UNKNOWN: Final = "不明"
"""How a register says that nobody knows. It is kept as such: an unknown owner never becomes a guess."""

MOST_ROWS: Final = 2_000_000  # a city of ten million has about that many; beyond it the file is a mistake

FAR_FROM_COMPONENT_M: Final = 100.0
"""How far from the surveyed place a report may lie that names the component, beside its own accuracy."""

_MOST_ACCURACY_M: Final = 100.0  # more than this a phone may claim, and it does not widen the limit any further


class ComponentState(StrEnum):
    """How a component stands, by the register."""

    INTACT = "intact"
    DAMAGED = "damaged"
    LOST = "lost"
    ABANDONED = "abandoned"
    UNKNOWN = "unknown"


@dataclass(frozen=True, kw_only=True)
class Component:
    """One component as the register has it.

    `owning` None and `owner_unknown`: the register says that nobody knows; None alone: it does not say.
    `place` is WGS-84; `surveyed` is the pair of numbers as the file wrote it, in `frame`.
    """

    code: str
    name: str
    state: ComponentState
    supervising: str | None
    owning: str | None
    owner_unknown: bool
    maintaining: str | None
    note: str
    place: Place
    surveyed: tuple[float, float]
    frame: str

    @property
    def district(self) -> str:
        """The district that the code was given in; where the component stands says its cell."""
        return self.code[:6]


@dataclass(frozen=True, kw_only=True)
class Answering:
    """Which departments the register names for a component."""

    code: str
    owning: str | None
    owner_unknown: bool
    maintaining: str | None


def class_of(code: str) -> str:
    """Major and minor class of a component code: digits 7 to 10."""
    return code[6:10]


def farthest_m(accuracy_m: float | None) -> float:
    """How far from its component a report may lie, metres: the limit and what the report's own accuracy adds."""
    return FAR_FROM_COMPONENT_M + min(accuracy_m or 0.0, _MOST_ACCURACY_M)


# -- what a file says --------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One row as the file has it. `at` is its point; None: look into the columns x and y."""

    row: int
    cells: Mapping[str, str]
    at: tuple[float, float] | None = None
    shape: str = ""  # what its geometry is, where that is no point


@dataclass(frozen=True, kw_only=True)
class Sheet:
    """A file that was opened: its rows, the columns that nobody reads, and rows that are none."""

    file: str
    lines: tuple[Line, ...]
    ignored: tuple[str, ...]
    faults: tuple[Fault, ...] = ()


@dataclass(frozen=True, kw_only=True)
class KnownDepartments:
    """Departments by code, and the codes by name where a name is one department's alone."""

    codes: frozenset[str]
    by_name: Mapping[str, str]


@dataclass(frozen=True)
class Found:
    """A row that is right."""

    row: int
    component: Component


@dataclass(frozen=True, kw_only=True)
class Register:
    """What a file holds without the rows at fault, and the faults."""

    found: tuple[Found, ...]
    faults: tuple[Fault, ...]


COLUMNS: Final = ("code", "name", "state", "supervising", "owning", "maintaining", "note", "x", "y")

# As registers in use call them; the ObjID family is that of the exchange tables of GB/T 30428.2.
_NAMES: Final = {
    **{name: name for name in COLUMNS},
    "标识码": "code", "部件标识码": "code", "部件编码": "code", "objid": "code",
    "名称": "name", "部件名称": "name", "objname": "name",
    "状态": "state", "objstate": "state",
    "主管部门": "supervising", "deptcode1": "supervising",
    "权属单位": "owning", "deptcode2": "owning",
    "养护单位": "maintaining", "deptcode3": "maintaining",
    "备注": "note",
    "经度": "x", "lon": "x", "lng": "x", "longitude": "x",
    "纬度": "y", "lat": "y", "latitude": "y",
}  # fmt: skip

_STATES: Final = {
    **{str(state): state for state in ComponentState},
    "完好": ComponentState.INTACT, "破损": ComponentState.DAMAGED, "丢失": ComponentState.LOST,
    "废弃": ComponentState.ABANDONED, UNKNOWN: ComponentState.UNKNOWN,
}  # fmt: skip

_CODE: Final = re.compile(r"[1-9][0-9]{15}")
_SCIENTIFIC: Final = re.compile(r"[0-9]+(\.[0-9]+)?[eE]\+?[0-9]+")


class _Wrong(ValueError):
    def __init__(self, field: str, given: str, wanted: str) -> None:
        super().__init__(field)
        self.field, self.given, self.wanted = field, given, wanted


def read_csv(file: str, content: bytes) -> Sheet | Fault:
    """The rows of a comma-separated file, or what is wrong with it as a whole. The header is row 1."""
    text = decoded(content)
    if text is None:
        return _whole(file, "bytes that are no such text", "UTF-8 (with or without BOM) or GB18030")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return _whole(file, f"text that is no CSV ({error})", "comma-separated values")
    header = [cell.strip() for cell in lines[0]] if lines else []
    columns = _columns(file, header)
    if isinstance(columns, Fault):
        return columns
    missing = sorted({"x", "y"} - set(columns.values()))
    if missing:
        return _whole(file, f"no column {missing[0]!r}", "x and y (lon and lat, 经度 and 纬度)", row=1)
    rows, faults = [], []
    for row, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line]
        if len(cells) != len(header) and any(cells):
            faults.append(_whole(file, f"{len(cells)} cells", f"{len(header)}, as the header", row=row))
        elif any(cells):
            rows.append(Line(row, {name: cells[at] for at, name in columns.items()}))
    return _sheet(file, rows, [name for at, name in enumerate(header) if at not in columns], faults)


def read_features(
    file: str, columns: Mapping[str, Sequence[str]], at: Sequence[tuple[float, float] | None], shapes: Sequence[str]
) -> Sheet | Fault:
    """The same for the features of a map file, counted from 1."""
    header = list(columns)
    named = _columns(file, header)
    if isinstance(named, Fault):
        return named
    wanted = {name: columns[header[i]] for i, name in named.items() if name not in {"x", "y"}}
    lines = [
        Line(row, {name: values[row - 1].strip() for name, values in wanted.items()}, point, shape or "nothing")
        for row, (point, shape) in enumerate(zip(at, shapes, strict=True), start=1)
    ]
    return _sheet(file, lines, [name for i, name in enumerate(header) if i not in named])


def _columns(file: str, header: Sequence[str]) -> dict[int, str] | Fault:
    found = {i: _NAMES[name.lower()] for i, name in enumerate(header) if name.lower() in _NAMES}
    names = list(found.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return _whole(file, f"two columns that mean {twice[0]}", "each once", row=1)
    missing = [name for name in ("code", "name", "state") if name not in names]
    if missing:
        return _whole(file, f"no column {missing[0]!r}", "at least code, name and state", row=1)
    return found


def _sheet(file: str, lines: Sequence[Line], ignored: Sequence[str], faults: Sequence[Fault] = ()) -> Sheet | Fault:
    if len(lines) > MOST_ROWS:
        return _whole(file, f"{len(lines)} rows", f"at most {MOST_ROWS}: divide the file")
    if not lines and not faults:
        return _whole(file, "no rows", "one component or more")
    return Sheet(file=file, lines=tuple(lines), ignored=tuple(filter(None, ignored)), faults=tuple(faults))


def _whole(file: str, given: str, wanted: str, row: int | None = None) -> Fault:
    return Fault(file=file, row=row, field=None, given=given, wanted=wanted)


# -- the rows ----------------------------------------------------------------------------------


def read_register(sheet: Sheet, frame: str, known: KnownDepartments, city: Bounds) -> Register:
    """Read every row of `sheet`; one at fault is left out and named.

    `frame` says what the coordinates are: a name of geo.datum.Datum, or EPSG:… for metres of a survey.
    """
    faults = list(sheet.faults)
    found: dict[str, Found] = {}
    points = [_numbers(line) for line in sheet.lines]
    degrees = in_degrees([point if isinstance(point, tuple) else (0.0, 0.0) for point in points], frame)
    datum = frame if frame in list(Datum) else "wgs84"
    for line, point, (lon, lat) in zip(sheet.lines, points, degrees, strict=True):
        try:
            if isinstance(point, _Wrong):
                raise point
            component = _component(line, point, frame, _place(lon, lat, datum, city), known)
            if component.code in found:
                raise _Wrong("code", repr(component.code), f"each once; row {found[component.code].row} has it too")
            found[component.code] = Found(line.row, component)
        except _Wrong as wrong:
            faults.append(
                Fault(file=sheet.file, row=line.row, field=wrong.field, given=wrong.given, wanted=wrong.wanted)
            )
    return Register(found=tuple(found.values()), faults=tuple(faults))


def in_degrees(points: Sequence[tuple[float, float]], frame: str) -> list[tuple[float, float]]:
    """Points of a datum as they are; those of EPSG:… as degrees of WGS-84. `frame` has been checked."""
    if not frame.startswith("EPSG:") or not points:
        return list(points)
    x, y = np.array(points, np.float64).T
    lons, lats = Plane(int(frame.removeprefix("EPSG:"))).to_degrees(x, y)
    return list(zip(lons.tolist(), lats.tolist(), strict=True))


def _numbers(line: Line) -> tuple[float, float] | _Wrong:
    if line.at is not None:
        return line.at
    if line.shape:
        return _Wrong("place", line.shape, "a point")
    try:
        return float(line.cells["x"]), float(line.cells["y"])
    except ValueError:
        return _Wrong("x, y", f"{line.cells['x']!r}, {line.cells['y']!r}", "two numbers")


def _place(lon: float, lat: float, datum: str, city: Bounds) -> Place:
    try:
        return read_place(lon, lat, datum, None, city)
    except BadPlace as bad:
        raise _Wrong("place", f"{bad.given} ({bad.reason})", bad.wanted) from None


def _component(line: Line, point: tuple[float, float], frame: str, place: Place, known: KnownDepartments) -> Component:
    cells = line.cells
    owning = cells.get("owning", "")
    return Component(
        code=_code(cells["code"]),
        name=_text(cells, "name", 1, 128),
        state=_state(cells["state"]),
        supervising=_department(cells, "supervising", known),
        owning=_department(cells, "owning", known),
        owner_unknown=owning == UNKNOWN,
        maintaining=_department(cells, "maintaining", known),
        note=_text(cells, "note", 0, 400),
        place=place,
        surveyed=point,
        frame=frame,
    )


def _code(text: str) -> str:
    if _CODE.fullmatch(text):
        return text
    if _SCIENTIFIC.fullmatch(text):
        raise _Wrong("code", repr(text), "all 16 digits: a spreadsheet has rounded them; format the column as text")
    raise _Wrong("code", repr(text[:40]), "16 digits: 6 of the district, 2 and 2 of the class, 6 of the number")


def _text(cells: Mapping[str, str], field: str, least: int, most: int) -> str:
    value = cells.get(field, "")
    if not least <= len(value) <= most or not value.isprintable():
        raise _Wrong(field, repr(value[:40]), f"{least} to {most} printable characters")
    return value


def _state(text: str) -> ComponentState:
    state = _STATES.get(text.lower())
    if state is None:
        raise _Wrong("state", repr(text[:40]), f"one of {', '.join(_STATES)}")
    return state


def _department(cells: Mapping[str, str], field: str, known: KnownDepartments) -> str | None:
    """The department that a cell names by code or by its exact name; None for a blank and for 不明."""
    text = cells.get(field, "")
    if text in {"", UNKNOWN}:
        return None
    if text in known.codes:
        return text
    if text in known.by_name:
        return known.by_name[text]
    raise _Wrong(field, repr(text[:40]), f"code or name of a department, {UNKNOWN}, or blank")


# -- a newer word of the register -----------------------------------------------------------------


def facts_of(component: Component) -> dict[str, object]:
    """Everything that the register says of a component, as its history keeps it (JSON's own types)."""
    return {
        "name": component.name,
        "state": str(component.state),
        "supervising": component.supervising,
        "owning": UNKNOWN if component.owner_unknown else component.owning,
        "maintaining": component.maintaining,
        "note": component.note,
        "surveyed": [*component.surveyed, component.frame],
    }


def what_is_new(before: Component | None, now: Component) -> dict[str, object]:
    """What `now` says that `before` did not; all of it where there was nothing before."""
    said = facts_of(now)
    if before is None:
        return said
    known = facts_of(before)
    return {name: value for name, value in said.items() if value != known[name]}


def doubts(found: Iterable[Found], file: str, district_of: Mapping[str, str]) -> list[Fault]:
    """Warnings that take the row: a code of one district on the ground of another. `district_of` goes by code."""
    return [
        Fault(
            file=file,
            row=each.row,
            field="code",
            given=f"{each.component.code!r}, which stands in {district_of[each.component.code]}",
            wanted=f"a place in {each.component.district}, the district of its code",
            refuses=False,
        )
        for each in found
        if district_of[each.component.code] != each.component.district
    ]
