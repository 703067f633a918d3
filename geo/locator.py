"""Which cell owns a place, decided in memory by the same rule as in SQL (gridsvc/store/cells.py).

The rule is written in docs/rules/place.md: a cell covers what lies in it or within BORDER_DEG of it,
the lowest code owns what several cover, and what none covers goes to the nearest within tolerance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.place import Place
from geo.projection import ELLIPSOID, Numbers, east_shrink

BORDER_DEG: Final = 1e-8
"""About a millimetre. Two programs that compute with 64-bit degrees (1e-14) cannot be of two minds about it,
as they are about a point "exactly" on a line that leans."""

LEAST_TOLERANCE_M: Final = 20.0
MOST_TOLERANCE_M: Final = 100.0

_PLACES_AT_ONCE: Final = 50_000  # bounds the memory of one round of candidate pairs
_DEGREE_M: Final = 110_000.0  # less than any degree of latitude: a search box may be too large, not too small
_MANY_CORNERS: Final = 32  # from here an index of the outline's edges is faster than walking them

Method = Literal["covers", "snapped"]


@dataclass(frozen=True, slots=True)
class Found:
    """The cell that owns a place, and how that was decided.

    `border`: more than one cell covers the place; `neighbours` are the others, by code. `distance_m` is
    0 where the cell covers the place, else metres on the ellipsoid to the nearest point of its outline.
    """

    code: str
    method: Method
    border: bool
    neighbours: tuple[str, ...]
    distance_m: float


def tolerance_m(accuracy_m: float | None) -> float:
    """How far outside every cell a place may lie and still belong to the nearest: 20 m to 100 m."""
    return min(MOST_TOLERANCE_M, max(LEAST_TOLERANCE_M, accuracy_m or 0.0))


def search_reach(lats: Numbers, tolerances: Numbers) -> tuple[Numbers, Numbers]:
    """Half width and half height, in degrees, of a box that holds all within `tolerances` metres."""
    up = tolerances / _DEGREE_M
    return up / np.maximum(0.01, east_shrink(lats)), up


class Locator:
    """The cells of one grid set, indexed. Finds nothing where there are no cells."""

    def __init__(self, codes: Sequence[str], outlines: Sequence[shapely.Geometry]) -> None:
        """`outlines` are polygons or multipolygons in WGS-84 degrees, one for each of `codes`."""
        if len(codes) != len(outlines):
            raise ValueError(f"given {len(codes)} codes and {len(outlines)} outlines; want as many of each")
        order = sorted(range(len(codes)), key=codes.__getitem__)  # code points sort as their UTF-8 bytes do
        self._codes = [codes[i] for i in order]
        self._shapes: NDArray[Any] = np.array([outlines[i] for i in order], dtype=object)
        shapely.prepare(self._shapes[shapely.get_num_coordinates(self._shapes) > _MANY_CORNERS])
        self._tree = shapely.STRtree(self._shapes)

    def __len__(self) -> int:
        return len(self._codes)

    def locate(self, place: Place) -> Found | None:
        """The owner of `place`, or None where no cell covers it or lies within its tolerance."""
        return self.locate_many([place.lon], [place.lat], [place.accuracy_m])[0]

    def locate_many(
        self,
        lons: Sequence[float] | Numbers,
        lats: Sequence[float] | Numbers,
        accuracies: Sequence[float | None] | None = None,
    ) -> list[Found | None]:
        """`locate` for many places at once, in their order; `accuracies` in metres, None where unknown."""
        lon, lat = np.asarray(lons, np.float64), np.asarray(lats, np.float64)
        tolerance = np.array([tolerance_m(a) for a in accuracies or [None] * len(lon)], np.float64)
        found: list[Found | None] = []
        for start in range(0, len(lon), _PLACES_AT_ONCE):
            part = slice(start, start + _PLACES_AT_ONCE)
            found += self._locate_some(lon[part], lat[part], tolerance[part])
        return found

    def _locate_some(self, lon: Numbers, lat: Numbers, tolerance: Numbers) -> list[Found | None]:
        found: list[Found | None] = [None] * len(lon)
        covering = self._covering(lon, lat)
        for index, cells in covering.items():
            codes = tuple(self._codes[cell] for cell in sorted(cells))
            found[index] = Found(codes[0], "covers", len(codes) > 1, codes[1:], 0.0)
        left = np.array([i for i in range(len(lon)) if i not in covering], np.intp)
        for index, (cell, distance) in self._nearest(left, lon, lat, tolerance).items():
            found[index] = Found(self._codes[cell], "snapped", False, (), distance)
        return found

    def _covering(self, lon: Numbers, lat: Numbers) -> dict[int, list[int]]:
        boxes = shapely.box(lon - BORDER_DEG, lat - BORDER_DEG, lon + BORDER_DEG, lat + BORDER_DEG)
        place, cell = self._tree.query(boxes)
        near = shapely.dwithin(self._shapes[cell], shapely.points(lon[place], lat[place]), BORDER_DEG)
        covering: dict[int, list[int]] = {}
        for index, one in zip(place[near].tolist(), cell[near].tolist(), strict=True):
            covering.setdefault(index, []).append(one)
        return covering

    def _nearest(
        self, left: NDArray[np.intp], lon: Numbers, lat: Numbers, tolerance: Numbers
    ) -> dict[int, tuple[int, float]]:
        across, up = search_reach(lat[left], tolerance[left])
        boxes = shapely.box(lon[left] - across, lat[left] - up, lon[left] + across, lat[left] + up)
        box, cell = self._tree.query(boxes)
        # Copying a large outline to measure it is dear: first the cheap question, never too narrow (across >= up).
        points = shapely.points(lon[left[box]], lat[left[box]])
        near = shapely.dwithin(self._shapes[cell], points, across[box])
        place, cell = left[box[near]], cell[near]
        distance = _distances_m(self._shapes[cell], lon[place], lat[place])
        nearest: dict[int, tuple[int, float]] = {}
        for index, one, metres in zip(place.tolist(), cell.tolist(), distance.tolist(), strict=True):
            if metres <= tolerance[index] and (index not in nearest or (metres, one) < nearest[index][::-1]):
                nearest[index] = (one, metres)
        return nearest


def _distances_m(shapes: NDArray[Any], lon: Numbers, lat: Numbers) -> Numbers:
    """Metres on the ellipsoid from each point to the nearest of its shape, rounded to a millimetre.

    Rounded, so that two cells that share the nearest corner tie, and the lower code wins.
    """
    if not len(shapes):
        return np.empty(0)
    shrink = east_shrink(lat)
    flat = np.asarray(shapely.boundary(shapes))  # new geometries: the shapes themselves are shared
    at, whose = shapely.get_coordinates(flat, return_index=True)
    at[:, 0] *= shrink[whose]
    flat = shapely.set_coordinates(flat, at)
    lines = shapely.shortest_line(flat, shapely.points(lon * shrink, lat))
    nearest = shapely.get_coordinates(lines)[::2]
    _, _, metres = ELLIPSOID.inv(lon, lat, nearest[:, 0] / shrink, nearest[:, 1])
    return np.asarray(np.rint(np.asarray(metres) * 1000) / 1000, np.float64)
