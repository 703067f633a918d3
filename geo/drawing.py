"""How shapes are drawn small: the metres of web maps, and outlines with fewer corners that still fit together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.tile import NORTHERNMOST

RADIUS_M: Final = 6378137.0
"""Of the sphere of Web Mercator (EPSG:3857)."""


def web_mercator(shapes: Sequence[shapely.Geometry]) -> NDArray[Any]:
    """Shapes in WGS-84 degrees as shapes in EPSG:3857; what lies beyond the ends of the map lies on them."""
    projected: NDArray[Any] = shapely.transform(np.array(shapes, dtype=object), _project)
    return projected


def _project(degrees: NDArray[np.float64]) -> NDArray[np.float64]:
    lats = np.radians(np.clip(degrees[:, 1], -NORTHERNMOST, NORTHERNMOST))
    return np.column_stack([RADIUS_M * np.radians(degrees[:, 0]), RADIUS_M * np.arcsinh(np.tan(lats))])


def simplified(shapes: NDArray[Any], tolerance: float) -> NDArray[Any]:
    """The shapes with fewer corners, in their order; an edge that two of them share is simplified once, for both.

    `tolerance` is in the units of the shapes: corners go whose triangle with their neighbours is smaller than its
    square (Visvalingam and Whyatt). None vanishes. Where shapes overlap or leave slivers each keeps its own edge.
    """
    if len(shapes) == 0:
        return shapes
    fewer: NDArray[Any] = shapely.coverage_simplify(shapes, tolerance)
    lost = shapely.is_empty(fewer)
    fewer[lost] = shapes[lost]
    return fewer


def united(shapes: NDArray[Any]) -> shapely.Geometry:
    """One shape of shapes that lie edge to edge; the slow way where they overlap."""
    try:
        whole = shapely.coverage_union_all(shapes)
    except shapely.GEOSException:
        return shapely.union_all(shapes)
    return whole if shapely.is_valid(whole) else shapely.union_all(shapes)


def label_points(shapes: NDArray[Any]) -> NDArray[Any]:
    """A point inside each shape, to write its name at."""
    points: NDArray[Any] = shapely.point_on_surface(shapes)
    return points
