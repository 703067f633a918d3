"""Outline and point files as cities have them: polygons in WGS-84 with every defect named, points as written.

With geo/features.py the only module that loads GDAL: the running service never does.
"""

from __future__ import annotations

import json
import re
import tempfile
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

import geopandas
import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataSourceError
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geo.codes import LEVEL_WORDS, Level
from geo.coverage import polygons_of
from geo.datum import Datum, all_to_wgs84
from geo.defects import Defect, Kind
from geo.place import FAR_M, Bounds
from geo.projection import area_m2


@dataclass(frozen=True, kw_only=True)
class Reading:
    """How a file is to be read.

    Fields name columns; `parent_field` None: parents come from the codes. `crs` (`EPSG:…`) overrides
    what the file says of itself, `datum` says that its degrees are of that system; at most one of them
    is needed. `encoding` is that of a Shapefile's table. `table` chooses among the layers of a file.
    `near` is where the grid set lies already: a layer elsewhere is refused.
    """

    code_field: str
    name_field: str | None = None
    level_field: str | None = None
    parent_field: str | None = None
    crs: str | None = None
    datum: Datum | None = None
    encoding: str | None = None
    table: str | None = None
    repair: bool = False
    near: Bounds | None = None
    code_fault: Callable[[str], str | None] = lambda code: None


@dataclass(frozen=True)
class Outline:
    """One row: a valid multipolygon in WGS-84 degrees. `row` counts features from 1."""

    row: int
    code: str
    name: str
    level: Level | None
    parent: str | None
    shape: shapely.MultiPolygon


@dataclass(frozen=True)
class Outlines:
    """What a file holds. Where a defect refuses, `rows` holds only what could be read."""

    rows: list[Outline]
    defects: list[Defect]
    frame: str  # what its coordinates were taken as, for the record

    @property
    def refused(self) -> bool:
        """Whether any defect refuses the file."""
        return any(defect.refuses for defect in self.defects)


@dataclass(frozen=True)
class _Table:
    shapes: NDArray[Any]
    columns: dict[str, list[Any]]
    crs: CRS | None
    defects: list[Defect] = field(default_factory=list)


class _Refused(Exception):
    """The file cannot be read any further."""

    def __init__(self, kind: Kind, message: str, **where: Any) -> None:
        super().__init__(message)
        self.defect = Defect(kind, message, **where)


def read_outlines(path: Path, reading: Reading) -> Outlines:
    """Read GeoJSON, GeoPackage or Shapefile, bare or in a zip; also JSON records with a geometry among their fields.

    Never raises for what is wrong with the file: that is in `defects`. Coordinates are converted once,
    corner by corner. Heights are dropped with a warning. An invalid polygon is refused; with
    `repair` it is mended and the change of its area told.
    """
    try:
        with _data_file(path) as data:
            table = _read_table(data, reading)
        _need_fields(table, reading)
        shapes, frame, found = _in_degrees(table, reading)
    except _Refused as refused:
        return Outlines([], [refused.defect], "unknown")
    defects = [*table.defects, *found]
    rows = []
    seen: dict[str, int] = {}
    for number, shape in enumerate(shapes, start=1):
        row, found = _read_row(number, shape, table, reading, seen)
        defects += found
        if row is not None:
            rows.append(row)
    return Outlines(rows, defects, frame)


@dataclass(frozen=True)
class Points:
    """The points of a file as it writes them, all lists in the order of its features.

    `at` is east or longitude first, None where a feature has no point; `shapes` names the kind of its geometry
    ('' for none). `columns` holds every field as text. `frame` is what the file says of its coordinates.
    """

    at: list[tuple[float, float] | None]
    shapes: list[str]
    columns: dict[str, list[str]]
    frame: str | None


class UnreadablePoints(ValueError):
    """A file whose points cannot be read at all; the message says why."""


def read_points(path: Path, encoding: str | None = None, table: str | None = None) -> Points:
    """Read GeoJSON, GeoPackage or Shapefile, bare or in a zip; nothing is converted.

    Raises UnreadablePoints for a file that is none of these, or whose letters are in an unknown encoding.
    """
    reading = Reading(code_field="", encoding=encoding, table=table)
    try:
        with _data_file(path) as data:
            read = _read_table(data, reading)
    except _Refused as refused:
        raise UnreadablePoints(f"{refused.defect.kind}: {refused.defect.message}") from refused
    columns = {name: [_text(read, name, row) for row in range(1, len(read.shapes) + 1)] for name in read.columns}
    return Points(
        at=[_point(shape) for shape in read.shapes],
        shapes=["" if shape is None else shape.geom_type for shape in read.shapes],
        columns=columns,
        frame=None if read.crs is None else _short(read.crs),
    )


def _point(shape: shapely.Geometry | None) -> tuple[float, float] | None:
    return (shape.x, shape.y) if isinstance(shape, shapely.Point) and not shape.is_empty else None


# ------------------------------------------------------------------------------------------ files

MOST_UNPACKED: Final = 2 << 30
"""Bytes that a zip may unpack to. Measured while unpacking: what its directory says may be a lie."""

_MOST_MEMBERS: Final = 1_000
_DATA: Final = (".geojson", ".json", ".gpkg", ".shp")
_BESIDE: Final = (".shx", ".dbf", ".prj", ".cpg", ".qix", ".sbn", ".sbx")


@contextmanager
def _data_file(path: Path) -> Iterator[Path]:
    if not path.is_file():
        raise _Refused(Kind.UNREADABLE, f"{path} is not a file")
    if not zipfile.is_zipfile(path):
        yield path
        return
    with tempfile.TemporaryDirectory(prefix="gridsvc-zip-") as directory:
        yield _unpack(path, Path(directory))


def _unpack(path: Path, directory: Path) -> Path:
    """Write the members that make one data set into `directory`, by their bare names; return its main file."""
    left = MOST_UNPACKED
    try:
        with zipfile.ZipFile(path) as archive:
            members = [m for m in archive.infolist() if Path(m.filename).suffix.lower() in _DATA + _BESIDE]
            members = [m for m in members if not m.is_dir() and "__MACOSX" not in m.filename]
            if len(members) > _MOST_MEMBERS:
                raise _Refused(Kind.UNREADABLE, f"{path.name} holds {len(members)} files; want at most {_MOST_MEMBERS}")
            for member in members:
                with archive.open(member) as source, (directory / Path(member.filename).name).open("wb") as target:
                    while chunk := source.read(1 << 20):
                        left -= len(chunk)
                        if left < 0:
                            raise _Refused(
                                Kind.UNREADABLE, f"{path.name} unpacks to more than {MOST_UNPACKED >> 20} MB"
                            )
                        target.write(chunk)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError) as error:  # damaged, odd method, password
        raise _Refused(Kind.UNREADABLE, f"{path.name} cannot be unpacked: {error}") from error
    found = sorted(p for p in directory.iterdir() if p.suffix.lower() in _DATA)
    if len(found) != 1:
        names = ", ".join(p.name for p in found) or "none"
        raise _Refused(Kind.UNREADABLE, f"{path.name} holds these data files: {names}; want exactly one of {_DATA}")
    return found[0]


def _read_table(path: Path, reading: Reading) -> _Table:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            table = _one_layer(path, reading)
            frame = geopandas.read_file(path, engine="pyogrio", layer=table, encoding=reading.encoding)
        except (DataSourceError, ValueError, UnicodeDecodeError) as error:
            records = _records(path)
            if records is None:
                raise _Refused(Kind.UNREADABLE, f"{path.name} cannot be read as outlines: {error}") from error
            return records
    notes = [Defect(Kind.READER_WARNING, str(w.message), False) for w in said if w.category is RuntimeWarning]
    if not isinstance(frame, geopandas.GeoDataFrame):
        raise _Refused(Kind.NO_ROWS, f"{path.name} is a table without outlines")
    columns = {str(name): list(frame[name]) for name in frame.columns if name != frame.geometry.name}
    _need_known_encoding(path, columns, reading)
    if not len(frame):
        raise _Refused(Kind.NO_ROWS, f"{path.name} holds no rows")
    crs = None if frame.crs is None else CRS.from_user_input(frame.crs)
    return _Table(np.asarray(frame.geometry.array, dtype=object), columns, crs, notes)


def _one_layer(path: Path, reading: Reading) -> str:
    layers = [str(name) for name, kind in pyogrio.list_layers(path) if kind is not None]
    if reading.table is not None and reading.table in layers:
        return reading.table
    if reading.table is None and len(layers) == 1:
        return layers[0]
    given = "none named" if reading.table is None else f"given {reading.table!r}"
    raise _Refused(Kind.UNREADABLE, f"{path.name} holds the layers {', '.join(layers) or 'none'}; {given}, want one")


def _need_known_encoding(path: Path, columns: dict[str, list[Any]], reading: Reading) -> None:
    """A Shapefile without .cpg is read as Latin-1, which turns Chinese into accents without any error."""
    if path.suffix.lower() != ".shp" or reading.encoding or any(path.parent.glob(f"{path.stem}.[cC][pP][gG]")):
        return
    for values in columns.values():
        for row, value in enumerate(values, start=1):
            if isinstance(value, str) and not value.isascii():
                guesses = ", ".join(f"{name} gives {text!r}" for name, text in _guesses(value))
                raise _Refused(
                    Kind.ENCODING_UNKNOWN,
                    f"{path.name} has no .cpg, so the encoding of {value!r} is unknown; "
                    f"say --encoding{f' ({guesses})' if guesses else ''}",
                    row=row,
                )


def _guesses(value: str) -> list[tuple[str, str]]:
    found = []
    for name in ("utf-8", "gb18030", "big5"):
        try:
            found.append((name, value.encode("latin-1").decode(name)))
        except UnicodeError:
            continue
    return found


def _records(path: Path) -> _Table | None:
    """A JSON record or list of records, each with one GeoJSON geometry among its fields, as web services answer.

    Such a file says nothing of its frame. None where the file is something else.
    """
    try:
        content = json.loads(path.read_bytes())
    except (ValueError, RecursionError):
        return None
    records = content if isinstance(content, list) else [content]
    if not records or not all(isinstance(r, dict) for r in records):
        return None
    shapes = []
    for record in records:
        geometries = [v for v in record.values() if isinstance(v, dict) and "coordinates" in v and "type" in v]
        if len(geometries) != 1:
            return None
        try:
            shapes.append(shapely.from_geojson(json.dumps(geometries[0])))
        except shapely.GEOSException:
            return None
    names = {name for record in records for name, value in record.items() if not isinstance(value, (dict, list))}
    columns = {name: [record.get(name) for record in records] for name in sorted(names)}
    return _Table(np.array(shapes, dtype=object), columns, None)


def _need_fields(table: _Table, reading: Reading) -> None:
    for wanted in (reading.code_field, reading.name_field, reading.level_field, reading.parent_field):
        if wanted is not None and wanted not in table.columns:
            has = ", ".join(table.columns) or "no fields"
            raise _Refused(Kind.MISSING_FIELD, f"there is no field {wanted!r}; the file has {has}")


# ----------------------------------------------------------------------------------------- frames


def _in_degrees(table: _Table, reading: Reading) -> tuple[NDArray[Any], str, list[Defect]]:
    """The shapes in WGS-84 degrees, what they were taken as, and what is to be said about that."""
    crs, frame = _stated_frame(table, reading)
    shapes = np.array([None if s is None else shapely.force_2d(s) for s in table.shapes], dtype=object)
    high = np.flatnonzero(shapely.has_z(table.shapes)) + 1
    found = []
    if high.size:
        rows = f"row {high[0]}" if high.size == 1 else f"{high.size} rows from row {high[0]} on"
        found.append(Defect(Kind.THREE_D, f"{rows}: heights are dropped", False, row=int(high[0])))
    _need_plausible(shapes, crs, table, reading)
    shapes = _converted(shapes, crs, reading.datum)
    _need_nearby(shapes, reading)
    return shapes, frame, found


def _stated_frame(table: _Table, reading: Reading) -> tuple[CRS, str]:
    given = table.crs
    frame = "none stated" if given is None else f"{_short(given)} as the file says"
    if reading.crs is not None:
        try:
            given, frame = CRS.from_user_input(reading.crs), f"{reading.crs} as told"
        except CRSError as error:
            raise _Refused(Kind.WRONG_CRS, f"{reading.crs!r} is no frame that is known; want e.g. EPSG:4490") from error
    if reading.datum is not None:
        if given is not None and not given.is_geographic:
            raise _Refused(
                Kind.WRONG_CRS, f"the frame is {_short(given)}, in metres; --datum {reading.datum} is for degrees"
            )
        given, frame = CRS.from_epsg(4326), f"degrees of {reading.datum} as told"
    if given is None:
        box = _box(table.shapes)
        raise _Refused(
            Kind.MISSING_CRS,
            f"the file does not say in which frame its coordinates are ({_span(box)}); {_likely(box)}",
        )
    return given, frame


def _need_plausible(shapes: NDArray[Any], crs: CRS, table: _Table, reading: Reading) -> None:
    if not crs.is_geographic:
        return
    west, south, east, north = box = _box(shapes)
    if not np.isfinite(box).all():
        return  # every row is empty or not finite: the rows say so
    if max(abs(west), abs(east)) <= 180 and max(abs(south), abs(north)) <= 90:
        return
    if max(abs(west), abs(east)) <= 90 and max(abs(south), abs(north)) <= 180:
        raise _Refused(
            Kind.SWAPPED_AXES,
            f"the first numbers are latitudes ({_span(box)}); want longitude first",
        )
    raise _Refused(
        Kind.WRONG_CRS,
        f"the frame is {_short(crs)}, in degrees, but the coordinates are not ({_span(box)}); {_likely(box)}",
    )


def _need_nearby(shapes: NDArray[Any], reading: Reading) -> None:
    near = reading.near
    box = _box(shapes)
    if near is None or not np.isfinite(box).all():
        return
    lon, lat = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    if near.reaches(lon, lat, FAR_M):
        return
    if near.reaches(lat, lon, FAR_M):
        raise _Refused(
            Kind.SWAPPED_AXES,
            f"the first numbers are latitudes ({_span(box)}); want longitude first",
            place=(float(lon), float(lat)),
        )
    raise _Refused(
        Kind.FAR_FROM_THE_SET,
        f"the outlines lie around {lon:.4f},{lat:.4f}, more than {FAR_M / 1000:.0f} km from the set "
        f"({near.west:.4f} to {near.east:.4f}, {near.south:.4f} to {near.north:.4f}): another city or another frame",
        place=(float(lon), float(lat)),
    )


def _converted(shapes: NDArray[Any], crs: CRS, datum: Datum | None) -> NDArray[Any]:
    at = shapely.get_coordinates(shapes)
    if datum is not None:
        lon, lat = all_to_wgs84(at[:, 0], at[:, 1], datum)
    elif crs.to_epsg() in _SAME_AS_WGS84:
        return shapes
    else:
        # always_xy: the register writes latitude or northing first for many frames, files write east first.
        lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(at[:, 0], at[:, 1])
    return np.asarray(shapely.set_coordinates(shapes, np.column_stack([lon, lat])))


_SAME_AS_WGS84: Final = frozenset({4326, 4490})  # CGCS2000 counts as WGS-84, see geo/datum.py

# National grids that outline files come in; told apart by where their numbers land.
_CANDIDATES: Final = (
    28992, 27700, 2154, 31370, 2056, 3006, 25831, 25832, 25833, 2180, 3763, 25830,
    2229, 2263, 2230, 2227, 3435, 2249, 26985, 2039, 2193, 3414, 2326, 3826,
)  # fmt: skip


def _likely(box: NDArray[np.float64]) -> str:
    """What to try, from where the numbers would land in frames in common use."""
    if not np.isfinite(box).all():
        return "no coordinate is a finite number"
    if max(abs(box[[0, 2]])) <= 180 and max(abs(box[[1, 3]])) <= 90:
        return "these look like degrees: say --crs EPSG:4326, or --datum gcj02 or bd09 for a domestic Chinese map"
    words = [_chinese_zone(box)] if _chinese_zone(box) else []
    words += [f"EPSG:{epsg} ({CRS.from_epsg(epsg).name})" for epsg in _CANDIDATES if _lands(epsg, box)][:4]
    if max(abs(box)) <= 20_037_509:
        words.append("EPSG:3857 if it comes from a web map")
    return f"likely metres of a national grid without its name: say --crs, e.g. {'; '.join(words)}"


def _chinese_zone(box: NDArray[np.float64]) -> str:
    """The CGCS2000 frame that eastings and northings look like; the zone's number may be their first two digits."""
    west, south, _, north = box
    if not (1_800_000 <= south <= north <= 6_000_000):
        return ""
    zone = int(west // 1_000_000)
    if 13 <= zone <= 23:
        return f"EPSG:{4491 + zone - 13} (CGCS2000, 6-degree zone {zone})"
    if 25 <= zone <= 45:
        return f"EPSG:{4513 + zone - 25} (CGCS2000, 3-degree zone {zone})"
    return "one of EPSG:4534 to 4554 (CGCS2000, 3-degree zones; the city's survey knows which)" if zone == 0 else ""


def _lands(epsg: int, box: NDArray[np.float64]) -> bool:
    crs = CRS.from_epsg(epsg)
    area = crs.area_of_use
    back = Transformer.from_crs(crs, "EPSG:4326", always_xy=True)
    lon, lat = back.transform([box[0], box[2]], [box[1], box[3]])
    return area is not None and all(
        area.west <= x <= area.east and area.south <= y <= area.north for x, y in zip(lon, lat, strict=True)
    )


def _short(crs: CRS) -> str:
    code = crs.to_epsg()
    return f"EPSG:{code}" if code else crs.name


def _box(shapes: NDArray[Any]) -> NDArray[np.float64]:
    at = shapely.get_coordinates(shapes)
    at = at[np.isfinite(at).all(axis=1)]
    return np.array([*at.min(axis=0), *at.max(axis=0)]) if len(at) else np.full(4, np.nan)


def _span(box: NDArray[np.float64]) -> str:
    return f"x {box[0]:.10g} to {box[2]:.10g}, y {box[1]:.10g} to {box[3]:.10g}"


# ------------------------------------------------------------------------------------------- rows


def _read_row(
    number: int, shape: shapely.Geometry | None, table: _Table, reading: Reading, seen: dict[str, int]
) -> tuple[Outline | None, list[Defect]]:
    code, defects = _read_code(number, table, reading, seen)
    level, parent, found = _read_relations(number, code, table, reading)
    polygon, wrong = _read_shape(number, code, shape, reading)
    defects = [*defects, *found, *wrong]
    if code is None or polygon is None:
        return None, defects
    name = _text(table, reading.name_field, number) or code
    return Outline(number, code, name, level, parent, polygon), defects


def _read_code(
    number: int, table: _Table, reading: Reading, seen: dict[str, int]
) -> tuple[str | None, list[Defect]]:
    code = _text(table, reading.code_field, number)
    if not code:
        return None, [Defect(Kind.MISSING_CODE, f"{reading.code_field} is empty", row=number)]
    fault = reading.code_fault(code)
    if fault is not None:
        return None, [Defect(Kind.MALFORMED_CODE, f"{reading.code_field}: {fault}", row=number, code=code)]
    if code in seen:
        words = f"{reading.code_field} {code} is that of row {seen[code]} too"
        return code, [Defect(Kind.DUPLICATE_CODE, words, row=number, code=code)]
    seen[code] = number
    return code, []


def _read_relations(
    number: int, code: str | None, table: _Table, reading: Reading
) -> tuple[Level | None, str | None, list[Defect]]:
    word = _text(table, reading.level_field, number)
    level = LEVEL_WORDS.get(word.lower()) if word else None
    if word and level is None:
        wanted = f"level {word!r}; want province, city, district, street or community"
        return None, None, [Defect(Kind.UNKNOWN_LEVEL, wanted, row=number, code=code)]
    return level, _text(table, reading.parent_field, number) or None, []


def _text(table: _Table, name: str | None, number: int) -> str:
    """A field as text: 620102 and 620102.0 are the same code."""
    value = table.columns[name][number - 1] if name is not None else None
    # AutoNavi writes a parent as {"adcode": 620100}: the one value of a record is what it stands for.
    if isinstance(value, dict) and len(value) == 1:
        value = next(iter(value.values()))
    if value is None or (isinstance(value, float) and not np.isfinite(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value).strip()


def _read_shape(
    number: int, code: str | None, shape: shapely.Geometry | None, reading: Reading
) -> tuple[shapely.MultiPolygon | None, list[Defect]]:
    def defect(kind: Kind, message: str, **more: Any) -> Defect:
        return Defect(kind, message, **{"row": number, "code": code, **more})

    if shape is None or shapely.is_empty(shape):
        return None, [defect(Kind.EMPTY, "there is no outline")]
    if not np.isfinite(shapely.get_coordinates(shape)).all():
        return None, [defect(Kind.NOT_FINITE, "a coordinate is not a finite number")]
    if not isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        return None, [defect(Kind.NOT_A_POLYGON, f"a {type(shape).__name__}; want Polygon or MultiPolygon")]
    if shapely.is_valid(shape):
        return polygons_of(shape), []
    why = shapely.is_valid_reason(shape)
    wrong = defect(Kind.INVALID, f"{why}; --repair would mend it", place=_place_of(why), shape=_point_of(why))
    mended = polygons_of(shapely.make_valid(shape))
    if not reading.repair:
        return None, [wrong]
    if mended.is_empty:
        return None, [replace(wrong, message=f"{why}; nothing is left of it when it is mended")]
    told = f"{why}; mended: {area_m2(shape):,.0f} m2 became {area_m2(mended):,.0f} m2 in {len(mended.geoms)} parts"
    return mended, [defect(Kind.REPAIRED, told, refuses=False, place=_place_of(why), shape=_point_of(why))]


def _place_of(reason: str) -> tuple[float, float] | None:
    at = re.search(r"\[(\S+) (\S+)\]", reason)
    return None if at is None else (float(at.group(1)), float(at.group(2)))


def _point_of(reason: str) -> shapely.Point | None:
    at = _place_of(reason)
    return None if at is None else shapely.Point(at)


