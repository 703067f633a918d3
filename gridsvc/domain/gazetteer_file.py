"""Landmarks and house numbers as a file brings them (docs/rules/places.md)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from geo.datum import Datum
from geo.place import BadPlace, Bounds, Place, read_place
from gridsvc.domain.component import in_degrees
from gridsvc.domain.gazetteer import PlaceKind
from gridsvc.domain.roster import Fault, decoded


@dataclass(frozen=True, kw_only=True)
class Point:
    """One row: a landmark with its other names, or a house number of a road. `given` is in `frame`."""

    kind: PlaceKind
    name: str
    aliases: tuple[str, ...]
    road: str
    house: int | None
    place: Place
    given: tuple[float, float]
    frame: str


@dataclass(frozen=True, kw_only=True)
class Points:
    """What a file holds without the rows at fault, and the faults."""

    points: tuple[Point, ...]
    faults: tuple[Fault, ...]


_NAMES: Final = {
    "name": "name", "名称": "name", "aliases": "aliases", "别名": "aliases", "road": "road", "道路": "road",
    "house": "house", "门牌号": "house",
    "x": "x", "lon": "x", "经度": "x", "y": "y", "lat": "y", "纬度": "y",
}  # fmt: skip
_HOUSE: Final = re.compile(r"([0-9]{1,5})号?")


class _Wrong(ValueError):
    def __init__(self, field: str, given: str, wanted: str) -> None:
        super().__init__(field)
        self.field, self.given, self.wanted = field, given, wanted


def read_points(file: str, content: bytes, frame: str, city: Bounds) -> Points:
    """Read every row of a comma-separated file; one at fault is left out and named. The header is row 1.

    `frame` says what the coordinates are: a name of geo.datum.Datum, or EPSG:… for metres of a survey.
    """
    text = decoded(content)
    if text is None:
        return _nothing(file, None, "bytes that are no such text", "UTF-8 (with or without BOM) or GB18030")
    try:
        lines = list(csv.reader(io.StringIO(text, newline=""), strict=True))
    except csv.Error as error:
        return _nothing(file, None, f"text that is no CSV ({error})", "comma-separated values")
    header = [cell.strip() for cell in lines[0]] if lines else []
    columns = {_NAMES[name.lower()]: at for at, name in enumerate(header) if name.lower() in _NAMES}
    missing = [name for name in ("name", "x", "y") if name not in columns]
    if missing:
        return _nothing(file, 1, f"no column {missing[0]!r}", "at least name, x and y (lon and lat, 经度 and 纬度)")
    points: list[Point] = []
    faults: list[Fault] = []
    for row, line in enumerate(lines[1:], start=2):
        if not any(cell.strip() for cell in line):
            continue
        try:
            if len(line) != len(header):
                raise _Wrong("row", f"{len(line)} cells", f"{len(header)}, as the header")
            points.append(_point({name: line[at].strip() for name, at in columns.items()}, frame, city))
        except _Wrong as wrong:
            faults.append(Fault(file=file, row=row, field=wrong.field, given=wrong.given, wanted=wrong.wanted))
    return Points(points=tuple(points), faults=tuple(faults))


def _nothing(file: str, row: int | None, given: str, wanted: str) -> Points:
    return Points(points=(), faults=(Fault(file=file, row=row, field=None, given=given, wanted=wanted),))


def _point(cells: Mapping[str, str], frame: str, city: Bounds) -> Point:
    road, house = cells.get("road", ""), _house(cells)
    name = cells["name"] or (f"{road}{house}号" if road and house is not None else "")
    if not 1 <= len(name) <= 128 or not name.isprintable():
        raise _Wrong("name", repr(name[:40]), "1 to 128 printable characters, or road and house number")
    given, place = _place(cells, frame, city)
    return Point(
        kind=PlaceKind.LANDMARK if house is None else PlaceKind.ADDRESS,
        name=name,
        aliases=tuple(other for each in re.split("[;；]", cells.get("aliases", "")) if (other := each.strip())),
        road=road,
        house=house,
        place=place,
        given=given,
        frame=frame,
    )


def _house(cells: Mapping[str, str]) -> int | None:
    text = cells.get("house", "")
    if not text:
        return None
    found = _HOUSE.fullmatch(text)
    if found is None:
        raise _Wrong("house", repr(text[:40]), "a house number of up to five digits, with or without 号")
    if not cells.get("road", ""):
        raise _Wrong("road", "''", f"the road of number {text}")
    return int(found[1])


def _place(cells: Mapping[str, str], frame: str, city: Bounds) -> tuple[tuple[float, float], Place]:
    try:
        given = (float(cells["x"]), float(cells["y"]))
    except ValueError:
        raise _Wrong("x, y", f"{cells['x']!r}, {cells['y']!r}", "two numbers") from None
    ((lon, lat),) = in_degrees([given], frame)
    try:
        return given, read_place(lon, lat, frame if frame in list(Datum) else "wgs84", None, city)
    except BadPlace as bad:
        raise _Wrong("place", f"{bad.given} ({bad.reason})", bad.wanted) from None
