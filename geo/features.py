"""Lines and areas of vector files, OpenStreetMap's among them, in WGS-84 with their fields as text.

Loads GDAL: only an import does.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyogrio
import shapely
from numpy.typing import NDArray
from pyogrio.errors import DataLayerError, DataSourceError
from pyproj import CRS, Transformer
from pyproj.exceptions import CRSError

from geo.coverage import polygons_of
from geo.datum import Datum, all_to_wgs84
from geo.place import Bounds

OSM: Final = (".pbf", ".osm")
"""How the name of a file of OpenStreetMap's own formats ends."""

_OSM_LAYERS: Final = ("lines", "multipolygons")
_SAME_AS_WGS84: Final = frozenset({4326, 4490})  # CGCS2000 counts as WGS-84, see geo/datum.py
_AT_ONCE: Final = 20_000  # features read before progress is told


class UnreadableFeatures(ValueError):
    """The file, a layer of it, or its frame cannot be read."""


@dataclass(frozen=True)
class Feature:
    """One line or area. `row` counts the features of its layer from 1; in OpenStreetMap's files those in the box."""

    layer: str
    row: int
    shape: shapely.Geometry
    area: bool
    fields: dict[str, str]


@dataclass(frozen=True)
class Unfit:
    """A feature that is left out, and why."""

    layer: str
    row: int
    why: str


@dataclass(frozen=True, kw_only=True)
class FeatureReading:
    """How a file is to be read: `crs` overrides what it says of itself, `datum` says whose degrees they are.

    `box` leaves out what lies beyond it, `table` chooses one layer of a file that has several.
    """

    crs: str | None = None
    datum: Datum | None = None
    box: Bounds | None = None
    table: str | None = None


def read_features(
    path: Path, reading: FeatureReading, told: Callable[[int, int], None]
) -> Iterator[Feature | Unfit]:
    """Every line and area of a file: GeoJSON, GeoPackage, Shapefile, .osm, .osm.pbf; also in .gz or .zip.

    Points are passed over. `told` hears how many features were read, of how many (0: not known).
    Raises UnreadableFeatures.
    """
    source = _source(path)
    for layer in _layers(path, source, reading):
        yield from _read_layer(source, layer, reading, told)


def _source(path: Path) -> str:
    if not path.is_file():
        raise UnreadableFeatures(f"{path} is not there, or is no file")
    prefix = {".gz": "/vsigzip/", ".zip": "/vsizip/"}.get(path.suffix.lower(), "")
    return f"{prefix}{path.resolve()}" if prefix else str(path)


def _layers(path: Path, source: str, reading: FeatureReading) -> list[str]:
    try:
        known = [str(name) for name, _ in pyogrio.list_layers(source)]
    except DataSourceError as error:
        raise UnreadableFeatures(
            f"{path.name} cannot be read: {error}; want GeoJSON, GeoPackage, Shapefile, .osm or .osm.pbf"
        ) from error
    if reading.table is not None:
        if reading.table not in known:
            raise UnreadableFeatures(f"{path.name} has no layer {reading.table!r}; want one of {', '.join(known)}")
        return [reading.table]
    return [name for name in known if name in _OSM_LAYERS] if path.suffix.lower() in OSM else known


def _read_layer(
    source: str, layer: str, reading: FeatureReading, told: Callable[[int, int], None]
) -> Iterator[Feature | Unfit]:
    try:
        info = pyogrio.read_info(source, layer=layer)
        crs = _frame(info["crs"], reading, layer)
        box = reading.box if info["driver"] == "OSM" else None  # a country's extract would not fit into memory
        inside = None if box is None else (box.west, box.south, box.east, box.north)
        with warnings.catch_warnings():
            # GDAL says that features share an id, which nobody reads: on some threads on stderr, on others as this.
            warnings.simplefilter("ignore", RuntimeWarning)
            meta, _, shapes, values = pyogrio.raw.read(source, layer=layer, bbox=inside)
    except (DataSourceError, DataLayerError) as error:
        raise UnreadableFeatures(f"layer {layer}: {error}") from error
    names = [str(name) for name in meta["fields"]]
    of = len(shapes)
    for start in range(0, of, _AT_ONCE):
        part = slice(start, start + _AT_ONCE)
        drawn = _in_degrees(shapely.from_wkb(shapes[part], on_invalid="fix"), crs, reading.datum)
        for offset, shape in enumerate(drawn):
            row = start + offset
            read = _feature(layer, row + 1, shape, reading.box)
            if isinstance(read, shapely.Geometry):
                fields = _fields(names, [column[row] for column in values])
                yield Feature(layer, row + 1, read, isinstance(read, shapely.MultiPolygon), fields)
            elif read is not None:
                yield read
        told(min(of, start + _AT_ONCE), of)


def _frame(stated: str | None, reading: FeatureReading, layer: str) -> CRS:
    if reading.datum is not None:
        return CRS.from_epsg(4326)
    if reading.crs is None and not stated:
        raise UnreadableFeatures(f"layer {layer} does not say in which frame its coordinates are; say --crs or --datum")
    try:
        return CRS.from_user_input(reading.crs or stated)
    except CRSError as error:
        raise UnreadableFeatures(f"{reading.crs or stated!r} is no frame that is known; want e.g. EPSG:4490") from error


def _in_degrees(shapes: NDArray[Any], crs: CRS, datum: Datum | None) -> NDArray[Any]:
    shapes = shapely.force_2d(shapes)
    if datum is None and crs.to_epsg() in _SAME_AS_WGS84:
        return np.asarray(shapes)
    at = shapely.get_coordinates(shapes)
    if datum is not None:
        lon, lat = all_to_wgs84(at[:, 0], at[:, 1], datum)
    else:
        lon, lat = Transformer.from_crs(crs, "EPSG:4326", always_xy=True).transform(at[:, 0], at[:, 1])
    return np.asarray(shapely.set_coordinates(shapes, np.column_stack([lon, lat])))


def _feature(
    layer: str, row: int, shape: shapely.Geometry | None, box: Bounds | None
) -> shapely.Geometry | Unfit | None:
    """The line or area in degrees; None for a point, and for what lies beyond the box."""
    if shape is None or shapely.is_empty(shape):
        return Unfit(layer, row, "it has no shape")
    at = shapely.get_coordinates(shape)
    if not np.isfinite(at).all() or (np.abs(at[:, 0]) > 180).any() or (np.abs(at[:, 1]) > 90).any():
        return Unfit(layer, row, "a coordinate is not a number of degrees: another frame? say --crs or --datum")
    if box is not None and not shapely.intersects(shape, shapely.box(box.west, box.south, box.east, box.north)):
        return None
    if isinstance(shape, shapely.Polygon | shapely.MultiPolygon):
        whole = polygons_of(shape if shapely.is_valid(shape) else shapely.make_valid(shape))
        return Unfit(layer, row, "nothing is left of its area when it is mended") if whole.is_empty else whole
    if isinstance(shape, shapely.LineString | shapely.MultiLineString):
        return shape
    if isinstance(shape, shapely.Point | shapely.MultiPoint):
        return None
    return Unfit(layer, row, f"a {type(shape).__name__}; want a line or an area")


# GDAL writes the tags without a column of their own as "key"=>"value","key"=>"value".
_OTHER: Final = re.compile(r'"((?:[^"\\]|\\.)*)"=>"((?:[^"\\]|\\.)*)"')


def _fields(names: list[str], values: list[Any]) -> dict[str, str]:
    fields = {name: text for name, value in zip(names, values, strict=True) if (text := _text(value))}
    for key, value in _OTHER.findall(fields.pop("other_tags", "")):
        fields.setdefault(re.sub(r"\\(.)", r"\1", key), re.sub(r"\\(.)", r"\1", value))
    nested = fields.get("tags", "")
    if nested.startswith("{"):  # as some exports of OpenStreetMap write them
        try:
            found = json.loads(nested)
        except ValueError:
            return fields
        fields = {**{str(key): _text(value) for key, value in found.items()}, **fields}
    return fields


def _text(value: object) -> str:
    if value is None or (isinstance(value, float | np.floating) and not np.isfinite(value)):
        return ""
    if isinstance(value, float | np.floating) and float(value).is_integer():
        value = int(value)
    return str(value).strip()
