"""Degrees to metres and back, in a frame that fits where the shapes lie; areas on the ellipsoid.

A projected plane is for drawing straight lines and comparing lengths nearby. Areas never come from it:
in EPSG:3857 a cell of 10 000 m2 in Lanzhou reads 15 300.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray
from pyproj import Geod, Transformer

from geo.place import Place

Numbers = NDArray[np.float64]

ELLIPSOID: Final = Geod(ellps="WGS84")

_A: Final = 6378137.0  # metres
_E2: Final = 0.0066943799901413165  # first eccentricity of WGS-84, squared

# Area of use of CGCS2000 in the EPSG register. The frame is as good in a neighbouring country.
_CHINA: Final = (73.62, 16.70, 134.77, 53.56)


@dataclass(frozen=True)
class Plane:
    """One projected frame in metres, east first."""

    epsg: int

    @cached_property
    def _transformer(self) -> Transformer:
        # always_xy: the register's own order is north first for CGCS2000 zones, latitude first for 4326.
        return Transformer.from_crs("EPSG:4326", f"EPSG:{self.epsg}", always_xy=True)

    def to_metres(self, lons: Numbers, lats: Numbers) -> tuple[Numbers, Numbers]:
        """Eastings and northings of WGS-84 degrees."""
        x, y = self._transformer.transform(lons, lats)
        return np.asarray(x, np.float64), np.asarray(y, np.float64)

    def to_degrees(self, eastings: Numbers, northings: Numbers) -> tuple[Numbers, Numbers]:
        """WGS-84 degrees of eastings and northings."""
        lon, lat = self._transformer.transform(eastings, northings, direction="INVERSE")
        return np.asarray(lon, np.float64), np.asarray(lat, np.float64)


def fitting_plane(lon: float, lat: float) -> Plane:
    """The frame for shapes around a point: CGCS2000 in 3-degree zones in China, WGS-84 UTM elsewhere.

    The CGCS2000 zones without prefix, EPSG 4534 (75 degrees east) to 4554 (135 degrees east). Lengths
    are true to about 0.6 parts in a thousand over one city.
    """
    west, south, east, north = _CHINA
    if west <= lon <= east and south <= lat <= north:
        return Plane(4534 + min(20, max(0, round((lon - 75) / 3))))
    zone = min(60, max(1, math.floor((lon + 180) / 6) + 1))
    return Plane((32600 if lat >= 0 else 32700) + zone)


def metres_between(here: Place, there: Place) -> float:
    """Metres on the ellipsoid from one place to the other."""
    _, _, metres = ELLIPSOID.inv(here.lon, here.lat, there.lon, there.lat)
    return float(metres)


def area_m2(shape: shapely.Geometry) -> float:
    """Square metres of a polygon or multipolygon in WGS-84 degrees, on the ellipsoid; holes do not count."""
    return float(areas_m2(np.array([shape], dtype=object))[0])


def areas_m2(shapes: NDArray[Any]) -> Numbers:
    """`area_m2` of each shape; 0 for points and lines.

    Edges are straight in degrees, as they are stored and as PostGIS sees them. Taken as geodesics, as
    pyproj's Geod does, two outlines that share a border of 10 km, one with a corner more, would seem to
    overlap by 9 000 m2.
    """
    parts, shape = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    at, ring = shapely.get_coordinates(rings, return_index=True)
    within = ring[:-1] == ring[1:]
    here, there = at[:-1][within], at[1:][within]
    strips = np.radians(there[:, 0] - here[:, 0]) * _mean_strip(np.radians(here[:, 1]), np.radians(there[:, 1]))
    ring_areas = np.abs(np.bincount(ring[:-1][within], strips, len(rings)))
    is_hole = np.concatenate([[False], part[1:] == part[:-1]]) if len(rings) else np.empty(0, bool)
    signed = np.where(is_hole, -ring_areas, ring_areas)
    return np.asarray(np.bincount(shape[part], signed, len(shapes)), np.float64)


def _mean_strip(phi: Numbers, other: Numbers) -> Numbers:
    """Mean over an edge of the area, per radian of longitude, between the equator and the edge: Gauss, 3 points."""
    middle, half = (phi + other) / 2, (other - phi) / 2
    reach = math.sqrt(0.6) * half
    return np.asarray((5 * _strip(middle - reach) + 8 * _strip(middle) + 5 * _strip(middle + reach)) / 18, np.float64)


def _strip(phi: Numbers) -> Numbers:
    """Area between the equator and a parallel for one radian of longitude (Snyder 1987, 3-12, times a squared / 2)."""
    e, sin = math.sqrt(_E2), np.sin(phi)
    zone = sin / (1 - _E2 * sin**2) + np.arctanh(e * sin) / e
    return np.asarray(_A**2 * (1 - _E2) / 2 * zone, np.float64)


def east_shrink(lats: Numbers) -> Numbers:
    """By how much a degree of longitude is shorter than one of latitude, at these latitudes.

    Multiplying longitudes by it makes a plane in which, for some hundred metres around, the nearest
    point is the nearest on the ellipsoid.
    """
    phi = np.radians(lats)
    return np.asarray(np.cos(phi) * (1.0 - _E2 * np.sin(phi) ** 2) / (1.0 - _E2), np.float64)
