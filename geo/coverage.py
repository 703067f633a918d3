"""How outlines lie together: where they overlap, where they leave holes, where one leaves another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.defects import Defect, Kind
from geo.place import Bounds
from geo.projection import area_m2

SLIVER_M2: Final = 2.0
"""Up to this area an overlap or a gap comes from rounding while drawing, not from two owners (design, section 5)."""

NOISE_M2: Final = 1e-4
"""A square centimetre: what is left where two lines that are meant to be one were computed twice."""


def overlaps(
    codes: Sequence[str], shapes: Sequence[shapely.Geometry], rows: Sequence[int | None] | None = None
) -> list[Defect]:
    """Each pair of valid outlines that share ground, by code: overlap above 2 m2 refuses, a sliver only warns.

    Areas on the ellipsoid. `rows` are the rows in the file, for the defects' sake. 105 000 cells: about 8 s.
    """
    array: NDArray[Any] = np.array(shapes, dtype=object)
    one, other = _neighbours(array)
    shared = shapely.intersection(array[one], array[other])
    found = []
    for i, j, common in zip(one.tolist(), other.tolist(), shared, strict=True):
        if shapely.get_dimensions(common) < 2:
            continue
        area = area_m2(polygons_of(common))
        if area < NOISE_M2:
            continue
        sliver = area <= SLIVER_M2
        kind = Kind.SLIVER_OVERLAP if sliver else Kind.OVERLAP
        words = f"{codes[i]} and {codes[j]}{_row(rows, j)} share {_size(area)}"
        row = None if rows is None else rows[i]
        found.append(Defect(kind, words, not sliver, row, codes[i], _inside(common), polygons_of(common), area))
    return sorted(found, key=lambda d: (not d.refuses, -(d.area_m2 or 0)))


def holes(shapes: Sequence[shapely.Geometry]) -> list[Defect]:
    """Each area that the outlines enclose and none of them covers: a warning, by size.

    A place there belongs to nobody, unless it is within tolerance of a neighbour.
    """
    together = shapely.union_all(np.array(shapes, dtype=object))
    found = []
    for part in shapely.get_parts(together):
        for ring in shapely.get_rings(part)[1:]:
            hole = shapely.polygons(ring)
            area = area_m2(hole)
            if area < NOISE_M2:
                continue
            kind = Kind.SLIVER_GAP if area <= SLIVER_M2 else Kind.HOLE
            words = f"{_size(area)} that no outline covers"
            found.append(Defect(kind, words, False, place=_inside(hole), shape=hole, area_m2=area))
    return sorted(found, key=lambda d: -(d.area_m2 or 0))


def strays(
    codes: Sequence[str], shapes: Sequence[shapely.Geometry], owners: Sequence[str],
    divisions: dict[str, shapely.Geometry], rows: Sequence[int | None] | None = None,
) -> list[Defect]:  # fmt: skip
    """Each cell of which more than 2 m2 lies outside the division it belongs to: a warning.

    `owners` are division codes, one for each cell; a division without outline cannot be left.
    """
    array: NDArray[Any] = np.array(shapes, dtype=object)
    found = []
    for division, outline in divisions.items():
        own = np.flatnonzero(np.array([owner == division for owner in owners], bool))
        shapely.prepare(outline)
        outside = own[~shapely.covers(outline, array[own])]
        for i, rest in zip(outside.tolist(), shapely.difference(array[outside], outline), strict=True):
            area = area_m2(polygons_of(rest))
            if area > SLIVER_M2:
                words = f"{codes[i]} lies {_size(area)} outside {division}"
                row = None if rows is None else rows[i]
                place, shape = _inside(rest), polygons_of(rest)
                found.append(Defect(Kind.OUTSIDE_ITS_DIVISION, words, False, row, codes[i], place, shape, area))
    return sorted(found, key=lambda d: -(d.area_m2 or 0))


def adjacent(shapes: Sequence[shapely.Geometry]) -> list[tuple[int, int]]:
    """Pairs (i < j) of outlines that share a stretch of border or ground; a shared corner is not enough."""
    array: NDArray[Any] = np.array(shapes, dtype=object)
    one, other = _neighbours(array)
    shared = shapely.length(shapely.intersection(array[one], array[other])) > 0
    return list(zip(one[shared].tolist(), other[shared].tolist(), strict=True))


def box_around(shapes: Iterable[shapely.Geometry]) -> Bounds | None:
    """The box around outlines in WGS-84 degrees, or None around nothing."""
    given = list(shapes)
    return Bounds(*shapely.total_bounds(given).tolist()) if given else None


def polygons_of(shape: shapely.Geometry) -> shapely.MultiPolygon:
    """The areas of any geometry: what an intersection or a repair leaves beside points and lines."""
    flat = shapely.get_parts(shapely.get_parts(shape))
    polygons = [part for part in flat if isinstance(part, shapely.Polygon) and not part.is_empty]
    return shapely.MultiPolygon(polygons)


def _neighbours(array: NDArray[Any]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    one, other = shapely.STRtree(array).query(array, predicate="intersects")
    each_once = one < other
    order = np.lexsort((other[each_once], one[each_once]))
    return one[each_once][order], other[each_once][order]


def _row(rows: Sequence[int | None] | None, index: int) -> str:
    return "" if rows is None or rows[index] is None else f" (row {rows[index]})"


def _size(area: float) -> str:
    return f"{area:,.0f} m2" if area >= 100 else f"{area:.4f} m2"


def _inside(shape: shapely.Geometry) -> tuple[float, float]:
    point = shapely.point_on_surface(shape)
    return float(shapely.get_x(point)), float(shapely.get_y(point))
