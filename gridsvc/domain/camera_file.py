"""Files that bring cameras: tables, map files, and the lists of devices of GA/T 1400 (APE).

Columns, examples and rules for whoever writes such a file: docs/cameras/registry.md.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from geo import direction
from gridsvc.domain.camera import BadCamera
from gridsvc.domain.component import Line, Sheet
from gridsvc.domain.roster import Fault, decoded

MOST_ROWS: Final = 200_000  # a city of ten million has about that many

COLUMNS: Final = (
    "code", "name", "x", "y", "height_m", "bearing_deg", "field_deg", "near_m", "far_m", "protocol", "state",
    "vendor", "model", "codes", "serials", "macs", "channels", "device_names", "owning", "maintaining", "ptz",
    "streams", "silent_after_s",
)  # fmt: skip

_NAMES: Final = {
    **{name: name for name in COLUMNS},
    "国标编码": "code", "设备编码": "code", "摄像机编码": "code", "apeid": "code", "deviceid": "code",
    "名称": "name", "设备名称": "name",
    "经度": "x", "lon": "x", "lng": "x", "longitude": "x", "纬度": "y", "lat": "y", "latitude": "y",
    "安装高度": "height_m", "height": "height_m",
    "方位角": "bearing_deg", "朝向": "bearing_deg", "bearing": "bearing_deg", "azimuth": "bearing_deg",
    "视场角": "field_deg", "fov": "field_deg", "最近距离": "near_m", "最远距离": "far_m",
    "协议": "protocol", "状态": "state", "厂商": "vendor", "manufacturer": "vendor", "型号": "model",
    "序列号": "serials", "serial": "serials", "mac": "macs", "mac地址": "macs", "通道": "channels",
    "channel": "channels", "device_name": "device_names",
    "权属单位": "owning", "养护单位": "maintaining", "维护单位": "maintaining",
    "云台": "ptz", "视频流": "streams", "stream": "streams",
    "monitordirection": "MonitorDirection", "监视方向": "MonitorDirection",
    "directiontype": "DirectionType", "监视方位": "DirectionType",
}  # fmt: skip

_YES: Final = frozenset({"1", "true", "yes", "y", "是", "有"})
_NO: Final = frozenset({"", "0", "false", "no", "n", "否", "无"})
_STATES: Final = {"启用": "active", "停用": "off", "维护": "maintenance"}

# Numbers instead of degrees, each by the standard whose column it is; 0 and 9 are "other": nothing is said.
_NUMBERED: Final = {"MonitorDirection": direction.GAT1400, "DirectionType": direction.GB28181}
_NOT_SAID: Final = frozenset({"", "0", "9"})
_EIGHTH_DEG: Final = 45.0

_APE: Final = {"ApeID": "code", "Name": "name", "Longitude": "x", "Latitude": "y", "Model": "model"}
_APE_READ: Final = frozenset({*_APE, *_NUMBERED, "PlaceCode", "IsOnline"})


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What one row says of a camera: `said` by the fields of the registry.

    `protocol` is that of a camera which is new, where the row names none; `division` the one that a list names.
    """

    row: int
    code: str
    said: Mapping[str, Any]
    protocol: str | None = None
    division: str = ""


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
    columns = _columns(file, header, ("code", "x", "y"))
    if isinstance(columns, Fault):
        return columns
    rows, faults = [], []
    for row, line in enumerate(lines[1:], start=2):
        cells = [cell.strip() for cell in line]
        if len(cells) != len(header) and any(cells):
            faults.append(_whole(file, f"{len(cells)} cells", f"{len(header)}, as the header", row=row))
        elif any(cells):
            rows.append(Line(row, {name: cells[at] for at, name in columns.items()}))
    ignored = [name for at, name in enumerate(header) if at not in columns and name]
    return _sheet(file, rows, ignored, faults)


def read_features(
    file: str, columns: Mapping[str, Sequence[str]], at: Sequence[tuple[float, float] | None], shapes: Sequence[str]
) -> Sheet | Fault:
    """The same for the features of a map file, counted from 1."""
    header = list(columns)
    named = _columns(file, header, ("code",))
    if isinstance(named, Fault):
        return named
    wanted = {name: columns[header[i]] for i, name in named.items() if name not in {"x", "y"}}
    lines = [
        Line(row, {name: values[row - 1].strip() for name, values in wanted.items()}, point, shape or "nothing")
        for row, (point, shape) in enumerate(zip(at, shapes, strict=True), start=1)
    ]
    return _sheet(file, lines, [name for i, name in enumerate(header) if i not in named], ())


def read_ape(file: str, document: Any) -> Sheet | Fault:
    """The devices of a GA/T 1400 list (APEListObject, or however its sender wraps it), counted from 1.

    Addresses, user names and passwords in it are not read.
    """
    found = _ape_list(document)
    if found is None:
        return _whole(file, "JSON without devices", "a list of objects with ApeID, as APEListObject")
    lines, ignored = [], set()
    for row, ape in enumerate(found, start=1):
        ignored |= {name for name, value in ape.items() if name not in _APE_READ and value not in (None, "")}
        cells = {ours: _plain(ape[theirs]) for theirs, ours in _APE.items() if theirs in ape}
        cells |= {name: _plain(ape[name]) for name in _NUMBERED if name in ape}
        division, online = _plain(ape.get("PlaceCode", "")), _plain(ape.get("IsOnline", ""))
        lines.append(Line(row, {**cells, "PlaceCode": division, "IsOnline": online, "if new": "gat1400"}))
    return _sheet(file, lines, sorted(ignored), ())


def _ape_list(document: Any) -> list[dict[str, Any]] | None:
    if isinstance(document, list) and document and all(isinstance(each, dict) and "ApeID" in each for each in document):
        return document
    if isinstance(document, dict):
        for value in document.values():
            found = _ape_list(value)
            if found is not None:
                return found
        if "ApeID" in document:
            return [document]
    return None


def _plain(value: Any) -> str:
    return "" if value is None else str(value).strip()


def _columns(file: str, header: Sequence[str], needed: Sequence[str]) -> dict[int, str] | Fault:
    found = {i: _NAMES[name.lower()] for i, name in enumerate(header) if name.lower() in _NAMES}
    names = list(found.values())
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        return _whole(file, f"two columns that mean {twice[0]}", "each once", row=1)
    missing = [name for name in needed if name not in names]
    if missing:
        return _whole(file, f"no column {missing[0]!r}", f"at least {', '.join(needed)}", row=1)
    return found


def _sheet(file: str, lines: Sequence[Line], ignored: Sequence[str], faults: Sequence[Fault]) -> Sheet | Fault:
    if len(lines) > MOST_ROWS:
        return _whole(file, f"{len(lines)} rows", f"at most {MOST_ROWS}: divide the file")
    if not lines and not faults:
        return _whole(file, "no rows", "one camera or more")
    return Sheet(file=file, lines=tuple(lines), ignored=tuple(ignored), faults=tuple(faults))


def _whole(file: str, given: str, wanted: str, row: int | None = None) -> Fault:
    return Fault(file=file, row=row, field=None, given=given, wanted=wanted)


# -- the rows ----------------------------------------------------------------------------------


def read_rows(sheet: Sheet, frame: str, protocol: str | None = None) -> tuple[list[Wanted], list[Fault]]:
    """What the rows say, and what cannot be read; a cell that is blank says nothing.

    `frame` is whose coordinates they are, `protocol` that of new cameras whose rows name none.
    """
    found: dict[str, Wanted] = {}
    faults = list(sheet.faults)
    for line in sheet.lines:
        code = line.cells.get("code", "")
        try:
            if code in found:
                raise BadCamera("code", code, f"each once; row {found[code].row} has it too")
            found[code] = Wanted(
                row=line.row, code=code, said=_said(line, frame), protocol=protocol or line.cells.get("if new"),
                division=line.cells.get("PlaceCode", ""),
            )  # fmt: skip
            if line.cells.get("IsOnline") == "2":
                faults.append(_warning(sheet.file, line.row, "IsOnline", "2 (offline)", "a camera that is heard"))
        except BadCamera as bad:
            faults.append(fault_of(sheet.file, line.row, bad))
    return list(found.values()), faults


def fault_of(file: str, row: int, bad: BadCamera) -> Fault:
    """A camera that cannot be, as a fault of the row that says so."""
    return Fault(file=file, row=row, field=bad.field, given=repr(bad.given), wanted=bad.wanted)


def _warning(file: str, row: int, field: str, given: str, wanted: str) -> Fault:
    return Fault(file=file, row=row, field=field, given=given, wanted=wanted, refuses=False)


def doubts(file: str, wanted: Iterable[Wanted], path_of: Mapping[str, Sequence[str]]) -> list[Fault]:
    """Warnings that take the row: a list that names one division, and a place in another. `path_of` goes by code."""
    return [
        _warning(file, each.row, "PlaceCode", f"{each.division!r}, which stands in {path_of[each.code][-1]}",
                 f"a place in {each.division}")
        for each in wanted
        if each.division and path_of.get(each.code) and each.division not in path_of[each.code]
    ]  # fmt: skip


def _said(line: Line, frame: str) -> dict[str, Any]:
    said: dict[str, Any] = {}
    if line.at is not None:
        said["given"] = (*line.at, frame)
    elif line.shape:
        raise BadCamera("place", line.shape, "a point")
    else:
        pair = line.cells.get("x", ""), line.cells.get("y", "")
        try:
            said["given"] = (float(pair[0]), float(pair[1]), frame)
        except ValueError:
            raise BadCamera("x, y", ", ".join(pair), "two numbers") from None
    for name, text in line.cells.items():
        if text and name in _READERS:
            said[name] = _READERS[name](name, text)
    return _with_bearing(said, line.cells)


def _with_bearing(said: dict[str, Any], cells: Mapping[str, str]) -> dict[str, Any]:
    """The same with the degrees of a numbered direction, where none are said.

    What is said twice and differs by more than an eighth of the circle is refused: nobody knows which is meant.
    """
    for name, degrees in _NUMBERED.items():
        number = cells.get(name, "")
        if number in _NOT_SAID:
            continue
        if number not in degrees:
            raise BadCamera(name, number[:80], "1 to 8, or 9: other")
        other = said.setdefault("bearing_deg", degrees[number])
        if abs((degrees[number] - other + 180) % 360 - 180) > _EIGHTH_DEG:
            raise BadCamera(name, f"{number}, which is {degrees[number]:g} degrees", f"the {other:g} said beside it")
    return said


def _as_text(name: str, text: str) -> str:
    return text


def _as_number(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise BadCamera(name, text[:80], "a number") from None


def _as_seconds(name: str, text: str) -> int:
    if not text.isdecimal():
        raise BadCamera(name, text[:80], "a whole number of seconds")
    return int(text)


def _as_list(name: str, text: str) -> list[str]:
    return text.replace("|", " ").split()


def _as_flag(name: str, text: str) -> bool:
    if text.lower() in _YES | _NO:
        return text.lower() in _YES
    raise BadCamera(name, text[:80], "true or false")


def _as_state(name: str, text: str) -> str:
    return _STATES.get(text, text.lower())


_READERS: Final[Mapping[str, Callable[[str, str], Any]]] = {
    **dict.fromkeys(("name", "vendor", "model", "owning", "maintaining"), _as_text),
    **dict.fromkeys(("height_m", "bearing_deg", "field_deg", "near_m", "far_m"), _as_number),
    **dict.fromkeys(("codes", "serials", "macs", "channels", "device_names", "streams"), _as_list),
    "protocol": lambda name, text: text.lower(),
    "state": _as_state,
    "ptz": _as_flag,
    "silent_after_s": _as_seconds,
}


def table_of(rows: Iterable[Mapping[str, Any]]) -> str:
    """Cameras as the CSV that read_csv takes: `rows` by COLUMNS, lists already joined by blanks."""
    out = io.StringIO(newline="")
    writer = csv.DictWriter(out, COLUMNS, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def opened(file: str, content: bytes) -> Any:
    """The JSON of a file, or a Fault that says it is none."""
    text = decoded(content)
    try:
        return json.loads(text or "")
    except (ValueError, RecursionError) as wrong:
        return _whole(file, f"text that is no JSON ({type(wrong).__name__})", "a GeoJSON or an APE list")
