"""Cut an outline into unit cells (单元网格) on a metric grid, and number them as people read.

The lines run along whole multiples of the cell's side in one projected frame, so that neighbouring
outlines share them. They are drawn and cut in degrees, where the cells will be kept: all lines are
noded at once, so cells that touch have every corner in common, and together they are the outline again.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.projection import ELLIPSOID, Plane

REMAINDER_SHARE: Final = 0.25
"""A piece below this share of a full square is too small to be answered for alone and joins a neighbour."""

_MOST_SQUARES: Final = 4_000_000  # in the box of one outline: 200 km by 200 km at 100 m; about 3 GB of memory


@dataclass(frozen=True)
class UnitCell:
    """One cell: a valid polygon in WGS-84 degrees and the row and column of the grid that it is numbered by."""

    shape: shapely.Polygon
    row: int
    column: int


def cut_cells(outline: shapely.Geometry, plane: Plane, side_m: float) -> list[UnitCell]:
    """Tile a valid outline (WGS-84) with squares of `side_m` metres, cut off at its border; numbering order.

    A piece smaller than a quarter of a square joins the neighbour with which it shares the longest
    border, the smallest pieces first; a piece without neighbours inside the outline stays as it is. The
    cells cover the outline without gap or overlap (to the rounding of degrees, 1e-14). Order: rows of
    the grid from north to south, in a row from west to east, by the largest piece of each cell.

    Raises ValueError where the outline is too large for cells of this side.
    """
    pieces = _pieces(outline, plane, side_m)
    rows, columns = _squares_of(pieces, plane, side_m)
    areas = shapely.area(pieces)
    groups = _joined(pieces, areas, side_m)
    cells = []
    for members in groups:
        main = max(members, key=lambda i: (areas[i], -i))
        shape = pieces[main] if len(members) == 1 else shapely.coverage_union_all(pieces[members])
        cells.append(UnitCell(_one_polygon(shape), int(rows[main]), int(columns[main])))
    return reading_order(cells)


def reading_order(cells: Sequence[UnitCell]) -> list[UnitCell]:
    """From north to south by rows of the grid, in a row from west to east (GB/T 30428.1).

    Several cells of one square (a river cuts it) go by their western, then their southern edge.
    """
    return sorted(cells, key=lambda c: (-c.row, c.column, *shapely.bounds(c.shape)[:2].tolist()))


def _pieces(outline: shapely.Geometry, plane: Plane, side_m: float) -> NDArray[Any]:
    """Every part of the outline between the lines of the grid."""
    at = shapely.get_coordinates(outline)
    x, y = plane.to_metres(at[:, 0], at[:, 1])
    # One square more on each side: an edge that is straight in degrees is bent in metres, and may leave the box.
    columns = np.arange(np.floor(x.min() / side_m) - 1, np.ceil(x.max() / side_m) + 2)
    rows = np.arange(np.floor(y.min() / side_m) - 1, np.ceil(y.max() / side_m) + 2)
    squares = len(columns) * len(rows)
    if squares > _MOST_SQUARES:
        raise ValueError(f"{squares:,} squares of {side_m:g} m; want at most {_MOST_SQUARES:,} at once")
    lon, lat = plane.to_degrees(*np.meshgrid(columns * side_m, rows * side_m))
    corners = np.stack([lon, lat], axis=-1)
    lines = np.concatenate([
        np.asarray(shapely.linestrings(corners)), np.asarray(shapely.linestrings(corners.swapaxes(0, 1))),
        np.array([shapely.boundary(outline)], dtype=object),
    ])  # fmt: skip
    faces = shapely.get_parts(shapely.polygonize([shapely.union_all(lines)]))
    shapely.prepare(outline)
    return np.asarray(faces[shapely.intersects(outline, shapely.point_on_surface(faces))])


def _squares_of(pieces: NDArray[Any], plane: Plane, side_m: float) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Row and column of the grid in which each piece lies."""
    at = shapely.get_coordinates(shapely.point_on_surface(pieces))
    x, y = plane.to_metres(at[:, 0], at[:, 1])
    return np.floor(y / side_m).astype(np.intp), np.floor(x / side_m).astype(np.intp)


def _joined(pieces: NDArray[Any], areas: NDArray[np.float64], side_m: float) -> list[list[int]]:
    """Pieces grouped into cells: each that is too small with the neighbour of the longest common border."""
    size = areas * _m2_per_square_degree(pieces)
    least = REMAINDER_SHARE * side_m * side_m
    borders = _borders(pieces)
    members = {i: [i] for i in range(len(pieces))}
    waiting = sorted((float(size[i]), i) for i in range(len(pieces)) if size[i] < least)
    for _, i in waiting:
        if size[i] >= least or not borders[i]:
            continue
        into = max(borders[i], key=lambda j: (borders[i][j], -size[j], -j))
        members[into] += members.pop(i)
        size[into] += size[i]
        for j, length in borders.pop(i).items():
            del borders[j][i]
            if j != into:
                borders[into][j] = borders[j][into] = borders[into].get(j, 0.0) + length
    return list(members.values())


def _m2_per_square_degree(pieces: NDArray[Any]) -> NDArray[np.float64]:
    """Good to a few parts in a thousand, which is enough to tell what is small."""
    _, south, _, north = shapely.bounds(pieces).T
    middle = np.radians((south + north) / 2)
    return np.asarray(111_195.0**2 * np.cos(middle))


def _borders(pieces: NDArray[Any]) -> dict[int, dict[int, float]]:
    """How long a border, in metres, each piece has with each of its neighbours: the edges with equal ends."""
    rings, whose = shapely.get_rings(pieces, return_index=True)
    at, ring = shapely.get_coordinates(rings, return_index=True)
    same_ring = ring[:-1] == ring[1:]
    ends = np.stack([at[:-1][same_ring], at[1:][same_ring]], axis=1)
    owner = whose[ring[:-1][same_ring]]
    backwards = (ends[:, 0, 0] > ends[:, 1, 0]) | ((ends[:, 0, 0] == ends[:, 1, 0]) & (ends[:, 0, 1] > ends[:, 1, 1]))
    ends[backwards] = ends[backwards][:, ::-1]
    edges = ends.reshape(-1, 4)
    order = np.lexsort(edges.T)
    edges, owner = edges[order], owner[order]
    twice = np.flatnonzero((edges[:-1] == edges[1:]).all(axis=1))
    _, _, metres = ELLIPSOID.inv(*edges[twice].T)
    borders: dict[int, dict[int, float]] = defaultdict(dict)
    for i, j, length in zip(owner[twice].tolist(), owner[twice + 1].tolist(), np.asarray(metres).tolist(), strict=True):
        borders[i][j] = borders[j][i] = borders[i].get(j, 0.0) + length
    return borders


def _one_polygon(shape: shapely.Geometry) -> shapely.Polygon:
    part = shapely.get_geometry(shape, 0) if isinstance(shape, shapely.MultiPolygon) else shape
    assert isinstance(part, shapely.Polygon)  # noqa: S101 - pieces that share an edge make one polygon
    assert shapely.get_num_geometries(shape) == 1  # noqa: S101
    return part
