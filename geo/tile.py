"""The squares of web maps: zoom, column and row to the degrees they cover, and back.

Web Mercator (EPSG:3857), columns counted from 180 degrees west, rows from the north, as every map library asks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from geo.place import Bounds

MOST_ZOOM: Final = 22
"""A tile of zoom 22 is about 10 m wide: nothing is surveyed more finely than it can show."""

NORTHERNMOST: Final = math.degrees(math.atan(math.sinh(math.pi)))
"""Where the square world of Web Mercator ends: 85.05 degrees."""


@dataclass(frozen=True, slots=True)
class Tile:
    """One square; `x` counts eastward, `y` southward, both below 2^z."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not (0 <= self.z <= MOST_ZOOM and 0 <= self.x < 1 << self.z and 0 <= self.y < 1 << self.z):
            raise ValueError(f"{self.z}/{self.x}/{self.y} is no tile; want z to {MOST_ZOOM}, x and y below 2^z")

    def bounds(self, margin: float = 0.0) -> Bounds:
        """The degrees it covers, and beyond each side `margin` of its width (height) more."""
        return Bounds(
            west=_lon(self.x - margin, self.z),
            south=_lat(self.y + 1 + margin, self.z),
            east=_lon(self.x + 1 + margin, self.z),
            north=_lat(self.y - margin, self.z),
        )


def tile_of(lon: float, lat: float, z: int) -> Tile:
    """The tile of zoom `z` that holds a place in WGS-84 degrees; beyond the ends of the map the nearest one.

    A place on the line between two tiles belongs to the eastern, or southern, of them.
    """
    many = 1 << z
    lat = max(-NORTHERNMOST, min(NORTHERNMOST, lat))
    x = math.floor((lon + 180) / 360 * many)
    y = math.floor((1 - math.asinh(math.tan(math.radians(lat))) / math.pi) / 2 * many)
    return Tile(z, max(0, min(many - 1, x)), max(0, min(many - 1, y)))


def _lon(x: float, z: int) -> float:
    return x / (1 << z) * 360 - 180


def _lat(y: float, z: int) -> float:
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * y / (1 << z)))))
