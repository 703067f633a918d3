"""What a camera sees of the ground: a sector of a ring around its foot, and the cells that lie in it, by share."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.place import Place
from geo.projection import ELLIPSOID, Numbers, areas_m2

ARC_POINTS: Final = 24
"""Points of an arc, both ends included. A chord of 90 degrees lies 0.06 % of the range inside its arc."""

ALL_AROUND_DEG: Final = 359.9
"""From so wide a field on there is no gap: a narrower one touches itself in doubles, and is no figure any more."""

MOST_FAR_M: Final = 20_000.0
"""More than any lens of a city sees; beyond it somebody has written millimetres."""

_LEAST_NEAR_M: Final = 0.01
"""Nearer than this is the foot itself: points a hair's breadth apart make a figure that crosses itself."""

LEAST_SHARE: Final = 1e-6
"""Less of a view than this is where two outlines touch and no ground: it is left out."""


class BadView(ValueError):
    """A direction, lens or range that no camera has; the message says what was given and what is wanted."""

    def __init__(self, field: str, given: object, wanted: str) -> None:
        super().__init__(f"{field}: given {given}; want {wanted}")
        self.field = field
        self.given = given
        self.wanted = wanted


@dataclass(frozen=True, slots=True)
class Look:
    """A direction and a lens: the ground from `near_m` to `far_m` from the foot. Raises BadView.

    `bearing_deg` is clockwise from true north to the middle of the picture, `field_deg` its horizontal width
    (from ALL_AROUND_DEG on: all around).
    """

    bearing_deg: float
    field_deg: float
    near_m: float
    far_m: float

    def __post_init__(self) -> None:
        if not 0 <= self.bearing_deg < 360:  # NaN fails every one of these
            raise BadView("bearing_deg", self.bearing_deg, "0 or more and less than 360")
        if not 0 < self.field_deg <= 360:
            raise BadView("field_deg", self.field_deg, "more than 0, at most 360")
        if not 0 <= self.near_m < math.inf:
            raise BadView("near_m", self.near_m, "0 or more")
        if not self.near_m < self.far_m <= MOST_FAR_M:
            raise BadView("far_m", self.far_m, f"more than near_m ({self.near_m:g}), at most {MOST_FAR_M:g}")

    def around(self) -> Look:
        """The same lens turned through the whole circle: wherever the camera may look."""
        return Look(0.0, 360.0, self.near_m, self.far_m)


@dataclass(frozen=True, slots=True)
class Share:
    """One cell in view: `share` is its part of the whole view (0 to 1), `spot` a point that lies in both."""

    code: str
    share: float
    spot: Place


def outline(foot: Place, look: Look) -> shapely.Polygon:
    """The ground in view, as a polygon in WGS-84 degrees.

    Drawn by geodesics: metres and bearings are true at the camera, where a projected frame would turn north
    by its convergence (0.7 degrees at Lanzhou) and stretch lengths.
    """
    if look.field_deg >= ALL_AROUND_DEG:
        angles = np.linspace(0.0, 360.0, ARC_POINTS, endpoint=False)
        holes = [_arc(foot, angles, look.near_m)] if look.near_m > _LEAST_NEAR_M else []
        return shapely.Polygon(_arc(foot, angles, look.far_m), holes)
    half = look.field_deg / 2
    angles = np.linspace(look.bearing_deg - half, look.bearing_deg + half, ARC_POINTS)
    outer = _arc(foot, angles, look.far_m)
    near = look.near_m > _LEAST_NEAR_M
    inner = _arc(foot, angles[::-1], look.near_m) if near else np.array([[foot.lon, foot.lat]])
    return shapely.Polygon(np.concatenate([outer, inner]))


def _arc(foot: Place, angles: Numbers, metres: float) -> Numbers:
    n = len(angles)
    lons, lats, _ = ELLIPSOID.fwd(
        np.full(n, foot.lon), np.full(n, foot.lat), (angles + 180.0) % 360.0 - 180.0, np.full(n, metres)
    )
    return np.column_stack([np.asarray(lons, np.float64), np.asarray(lats, np.float64)])


class Ground:
    """Cells, indexed, to be asked what lies in view."""

    def __init__(self, codes: Sequence[str], outlines: Sequence[shapely.Geometry]) -> None:
        """`outlines` are polygons or multipolygons in WGS-84 degrees, one for each of `codes`."""
        if len(codes) != len(outlines):
            raise ValueError(f"given {len(codes)} codes and {len(outlines)} outlines; want as many of each")
        self._codes = list(codes)
        self._shapes: NDArray[Any] = np.array(list(outlines), dtype=object)
        self._tree = shapely.STRtree(self._shapes)

    def shares(self, seen: shapely.Geometry) -> list[Share]:
        """The cells that `seen` (WGS-84 degrees) lies in, the largest share first; equal ones by code.

        The shares of a polygon sum to the part of it that lies in the cells; a point has at most one cell, of share
        1, and of several that it lies on the border of that of the lowest code. Nothing in view: empty.
        """
        found = self._tree.query(seen, predicate="intersects")
        if not len(found):
            return []
        if isinstance(seen, shapely.Point):
            return [Share(min(self._codes[i] for i in found), 1.0, Place(seen.x, seen.y))]
        parts = shapely.intersection(self._shapes[found], seen)
        shares = areas_m2(parts) / areas_m2(np.array([seen], dtype=object))[0]
        spots = shapely.get_coordinates(shapely.point_on_surface(parts))
        ordered = sorted(
            (
                Share(self._codes[i], share, Place(lon, lat))
                for i, share, (lon, lat) in zip(found.tolist(), shares.tolist(), spots.tolist(), strict=True)
                if share > LEAST_SHARE
            ),
            key=lambda each: (-each.share, each.code),
        )
        return ordered
