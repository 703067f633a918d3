"""An area that somebody drew on a map, as the text of an address: a box, a circle, or a ring of corners, in WGS-84."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Final

import shapely

MOST_CORNERS: Final = 100
MOST_METRES: Final = 100_000.0

_NUMBER: Final = re.compile(r"-?[0-9]{1,6}(\.[0-9]{1,15})?")

WANTED: Final = (
    "box,west,south,east,north, or circle,lon,lat,metres, or ring,lon,lat,lon,lat,… with 3 to "
    f"{MOST_CORNERS} corners whose edges do not cross"
)


@dataclass(frozen=True)
class Outlined:
    """What lies within an outline whose edges are straight in degrees; the edge belongs to it."""

    wkt: str


@dataclass(frozen=True)
class Around:
    """What lies within so many metres of a place, on the ellipsoid."""

    lon: float
    lat: float
    metres: float


def read_sketch(text: str) -> Outlined | Around | None:
    """The area that a text says; None where it says none. The pages read the same (gridsvc/web/centre/area.js)."""
    kind, *said = text.split(",")
    if not all(_NUMBER.fullmatch(each) for each in said):
        return None
    given = [float(each) for each in said]
    places = list(zip(given[0::2], given[1::2], strict=False))
    if kind == "circle" and len(given) == 3:
        lon, lat, metres = given
        return Around(lon, lat, metres) if _on_earth([(lon, lat)]) and 0 < metres <= MOST_METRES else None
    if kind == "box" and len(given) == 4:
        (west, south), (east, north) = places
        fits = _on_earth(places) and west < east and south < north
        return Outlined(shapely.box(west, south, east, north).wkt) if fits else None
    corners = len(given) / 2
    if kind != "ring" or corners != math.floor(corners) or not 3 <= corners <= MOST_CORNERS or not _on_earth(places):
        return None
    ring = shapely.Polygon(places)
    return Outlined(ring.wkt) if ring.is_valid and ring.area > 0 else None


def _on_earth(places: list[tuple[float, float]]) -> bool:
    return all(abs(lon) <= 180 and abs(lat) <= 90 for lon, lat in places)
