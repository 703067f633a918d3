"""The datums a place may be told in, and the way from each to WGS-84 and back.

GCJ-02 is what domestic Chinese maps show (AutoNavi, Tencent), BD-09 is Baidu's further offset on it.
Neither has an official text; the formulas are the ones in public use since 2013 (eviltransform).
CGCS2000 counts as WGS-84: the two differ by centimetres to decimetres, less than any phone.
"""

from __future__ import annotations

import math
from enum import StrEnum
from types import ModuleType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]


class Datum(StrEnum):
    """In which system a pair of degrees was written."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"


# Krasovsky 1940, which the published GCJ-02 formula uses.
_A: Final = 6378245.0
_E2: Final = 0.00669342162296594323

# Outside this rough box around China maps are not shifted.
_WEST, _EAST, _SOUTH, _NORTH = 72.004, 137.8347, 0.8293, 55.8271
# No shift of either system is larger: beyond it a place cannot come from inside the box.
_MOST_SHIFT: Final = 0.05

_RIM: Final = 1e-9  # a place on the rim of the box comes back within rounding of it

# A step gains more than two digits (100 m are bent by at most 0.46 m), so four steps reach 1e-9 degrees.
_STEPS: Final = 12
_CLOSE: Final = 1e-12  # degrees, a tenth of a micrometre


def to_wgs84(lon: float, lat: float, datum: Datum) -> tuple[float, float]:
    """The WGS-84 degrees of a place told in `datum`, exact to far less than 1 mm.

    Takes finite degrees. Within about 1 km outside the rough box of China two places share one pair of
    shifted degrees; the one inside the box is told.
    """
    if datum in _PLAIN or not _in_box(lon, lat, _MOST_SHIFT):
        return lon, lat
    guess_lon, guess_lat = lon, lat
    for _ in range(_STEPS):
        seen_lon, seen_lat = _shift(guess_lon, guess_lat, datum, math)
        off_lon, off_lat = seen_lon - lon, seen_lat - lat
        guess_lon, guess_lat = guess_lon - off_lon, guess_lat - off_lat
        if abs(off_lon) < _CLOSE and abs(off_lat) < _CLOSE:
            break
    if _in_box(guess_lon, guess_lat, _RIM):
        return float(guess_lon), float(guess_lat)
    return lon, lat


def from_wgs84(lon: float, lat: float, datum: Datum) -> tuple[float, float]:
    """How a place in WGS-84 degrees is written in `datum`; outside the rough box of China as it is."""
    if datum in _PLAIN or not _in_box(lon, lat):
        return lon, lat
    there_lon, there_lat = _shift(lon, lat, datum, math)
    return float(there_lon), float(there_lat)


def all_to_wgs84(lons: Degrees, lats: Degrees, datum: Datum) -> tuple[Degrees, Degrees]:
    """`to_wgs84` for whole arrays of equal shape; the arrays given are left as they are."""
    out_lons, out_lats = np.array(lons, np.float64), np.array(lats, np.float64)
    if datum in _PLAIN:
        return out_lons, out_lats
    near = _in_box(out_lons, out_lats, _MOST_SHIFT)
    lon, lat = out_lons[near], out_lats[near]
    guess_lon, guess_lat = lon.copy(), lat.copy()
    for _ in range(_STEPS):
        seen_lon, seen_lat = _shift(guess_lon, guess_lat, datum, np)
        off_lon, off_lat = seen_lon - lon, seen_lat - lat
        guess_lon -= off_lon
        guess_lat -= off_lat
        if not lon.size or max(np.abs(off_lon).max(), np.abs(off_lat).max()) < _CLOSE:
            break
    inside = _in_box(guess_lon, guess_lat, _RIM)
    out_lons[near] = np.where(inside, guess_lon, lon)
    out_lats[near] = np.where(inside, guess_lat, lat)
    return out_lons, out_lats


def all_from_wgs84(lons: Degrees, lats: Degrees, datum: Datum) -> tuple[Degrees, Degrees]:
    """`from_wgs84` for whole arrays of equal shape; the arrays given are left as they are."""
    out_lons, out_lats = np.array(lons, np.float64), np.array(lats, np.float64)
    if datum in _PLAIN:
        return out_lons, out_lats
    inside = _in_box(out_lons, out_lats)
    out_lons[inside], out_lats[inside] = _shift(out_lons[inside], out_lats[inside], datum, np)
    return out_lons, out_lats


_PLAIN: Final = frozenset({Datum.WGS84, Datum.CGCS2000})


def _in_box(lon: Any, lat: Any, wider: float = 0.0) -> Any:
    east_of_west, west_of_east = lon >= _WEST - wider, lon <= _EAST + wider
    return east_of_west & west_of_east & (lat >= _SOUTH - wider) & (lat <= _NORTH + wider)


# The formulas are written once, for numbers (`m` is math) and for arrays (`m` is numpy).
def _shift(lon: Any, lat: Any, datum: Datum, m: ModuleType) -> tuple[Any, Any]:
    lon, lat = _gcj02(lon, lat, m)
    return _bd09(lon, lat, m) if datum is Datum.BD09 else (lon, lat)


def _gcj02(lon: Any, lat: Any, m: ModuleType) -> tuple[Any, Any]:
    x, y = lon - 105.0, lat - 35.0
    root = m.sqrt(abs(x))
    both = 20.0 * m.sin(6.0 * x * m.pi) + 20.0 * m.sin(2.0 * x * m.pi)
    north = -100.0 + 2.0 * x + 3.0 * y + 0.2 * y * y + 0.1 * x * y + 0.2 * root
    north = north + (both + 20.0 * m.sin(y * m.pi) + 40.0 * m.sin(y / 3.0 * m.pi)) * 2.0 / 3.0
    north = north + (160.0 * m.sin(y / 12.0 * m.pi) + 320.0 * m.sin(y * m.pi / 30.0)) * 2.0 / 3.0
    east = 300.0 + x + 2.0 * y + 0.1 * x * x + 0.1 * x * y + 0.1 * root
    east = east + (both + 20.0 * m.sin(x * m.pi) + 40.0 * m.sin(x / 3.0 * m.pi)) * 2.0 / 3.0
    east = east + (150.0 * m.sin(x / 12.0 * m.pi) + 300.0 * m.sin(x / 30.0 * m.pi)) * 2.0 / 3.0
    phi = lat / 180.0 * m.pi
    magic = 1.0 - _E2 * m.sin(phi) ** 2
    meridian = _A * (1.0 - _E2) / (magic * m.sqrt(magic)) * m.pi / 180.0
    parallel = _A / m.sqrt(magic) * m.cos(phi) * m.pi / 180.0
    return lon + east / parallel, lat + north / meridian


_BD_PI: Final = math.pi * 3000.0 / 180.0


def _bd09(lon: Any, lat: Any, m: ModuleType) -> tuple[Any, Any]:
    radius = m.sqrt(lon * lon + lat * lat) + 0.00002 * m.sin(lat * _BD_PI)
    angle = m.atan2(lat, lon) + 0.000003 * m.cos(lon * _BD_PI)
    return radius * m.cos(angle) + 0.0065, radius * m.sin(angle) + 0.006
