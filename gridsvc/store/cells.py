"""Which cell owns a place, and what there is to know about a cell.

The rule is that of geo/locator.py, in SQL; docs/rules/place.md writes it down, a test holds the two together.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
import shapely

from geo.locator import BORDER_DEG, Locator, Method, search_reach, tolerance_m
from geo.place import Bounds, Place
from geo.projection import east_shrink
from gridsvc.db import Conn, Statement


@dataclass(frozen=True, slots=True)
class Wanted:
    """A place whose owner is asked for, and the duty line whose beat is meant."""

    place: Place
    duty_line: str


@dataclass(frozen=True, slots=True)
class Owner:
    """The cell that answers for a place, with all that a case keeps of it.

    `divisions` are codes from the top down to `division_code`. `beat_code` is None where the duty line
    has no beat there. `neighbours` are the other cells on whose border the place lies. `distance_m` is 0
    where the cell covers the place, else metres on the ellipsoid to its outline.
    """

    grid_set_id: int
    cell_code: str
    division_code: str
    divisions: tuple[str, ...]
    management_level: str
    beat_code: str | None
    method: Method
    border: bool
    neighbours: tuple[str, ...]
    distance_m: float


@dataclass(frozen=True)
class _OwnerRow:
    grid_set_id: int | None
    cell_code: str | None
    division_code: str
    divisions: list[str]
    management_level: str
    beat_code: str | None
    covering: list[str] | None
    distance_m: float


# One round trip for a whole batch. The nearest cell is looked for only where none covers the place:
# with a gist index that is a box of some hundred metres. Distances are rounded to a millimetre, so that
# cells which share the nearest corner tie and the lower code wins. `grid_set_id + 0` keeps the planner
# from the primary key: until a new set is analysed it takes a whole set for a few rows and reads all of
# it (18 ms a place among 100 000 cells instead of 0.1).
# $2 to $7, one element per place: lon, lat, tolerance m, half box east and north in degrees, east_shrink.
# $8: duty lines. $9: geo.locator.BORDER_DEG. $10: a set to look in whatever is in force, or NULL.
_OWNERS = Statement(
    _OwnerRow,
    """
    WITH the_set AS MATERIALIZED (
      SELECT coalesce($10::integer, grid_set_at($1::timestamptz)) AS id
    )
    SELECT o.grid_set_id, o.code AS cell_code, o.division_code, d.path AS divisions,
           o.management_level, b.beat_code, covering.codes AS covering,
           coalesce(nearest.distance_m, 0) AS distance_m
      FROM unnest($2::float8[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[], $8::text[])
           WITH ORDINALITY AS w (lon, lat, tolerance_m, reach_lon, reach_lat, shrink, duty_line, ordinal)
     CROSS JOIN LATERAL (SELECT ST_SetSRID(ST_MakePoint(w.lon, w.lat), 4326) AS place) p
      LEFT JOIN LATERAL (
           SELECT array_agg(c.code ORDER BY c.code) AS codes
             FROM cells c
            WHERE c.grid_set_id + 0 = (SELECT id FROM the_set)
              AND ST_DWithin(c.outline, p.place, $9::float8)
           ) covering ON true
      LEFT JOIN LATERAL (
           SELECT near.code, near.distance_m
             FROM (SELECT c.code,
                          round(1000 * ST_Distance(
                            p.place::geography,
                            ST_Scale(
                              ST_ClosestPoint(ST_Scale(c.outline, w.shrink, 1), ST_Scale(p.place, w.shrink, 1)),
                              1 / w.shrink, 1)::geography)) / 1000 AS distance_m
                     FROM cells c
                    WHERE covering.codes IS NULL
                      AND c.grid_set_id + 0 = (SELECT id FROM the_set)
                      AND c.outline && ST_Expand(p.place, w.reach_lon, w.reach_lat)
                      AND ST_DWithin(c.outline, p.place, w.reach_lon)
                  ) near
            WHERE near.distance_m <= w.tolerance_m
            ORDER BY near.distance_m, near.code
            LIMIT 1
           ) nearest ON true
      LEFT JOIN cells o
             ON o.grid_set_id = (SELECT id FROM the_set) AND o.code = coalesce(covering.codes[1], nearest.code)
      LEFT JOIN divisions d
             ON d.grid_set_id = o.grid_set_id AND d.code = o.division_code
      LEFT JOIN beat_cells b
             ON b.grid_set_id = o.grid_set_id AND b.duty_line = w.duty_line AND b.cell_code = o.code
     ORDER BY w.ordinal
    """,
)


async def owners_of(
    conn: Conn, wanted: Sequence[Wanted], at: datetime, *, in_set: int | None = None
) -> list[Owner | None]:
    """Who owns each place at the moment `at`, in order; None where no cell covers it or lies near enough.

    One round trip for all of them. All None where no grid set is in force. `in_set`: who would own it by that
    set, in force or not. Reads only.
    """
    if not wanted:
        return []
    lats = np.array([w.place.lat for w in wanted], np.float64)
    tolerances = np.array([tolerance_m(w.place.accuracy_m) for w in wanted], np.float64)
    across, up = search_reach(lats, tolerances)
    rows = await _OWNERS.all(
        conn, at, [w.place.lon for w in wanted], lats.tolist(), tolerances.tolist(), across.tolist(), up.tolist(),
        east_shrink(lats).tolist(), [w.duty_line for w in wanted], BORDER_DEG, in_set,
    )  # fmt: skip
    return [_owner(row) for row in rows]


def _owner(row: _OwnerRow) -> Owner | None:
    if row.grid_set_id is None or row.cell_code is None:
        return None
    others = tuple(row.covering[1:]) if row.covering else ()
    return Owner(
        row.grid_set_id, row.cell_code, row.division_code, tuple(row.divisions), row.management_level, row.beat_code,
        "covers" if row.covering else "snapped", bool(others), others, row.distance_m,
    )  # fmt: skip


@dataclass(frozen=True)
class _InForce:
    grid_set_id: int
    west: float
    south: float
    east: float
    north: float


_IN_FORCE = Statement(
    _InForce,
    """
    SELECT s.id AS grid_set_id, coalesce(s.west, ST_XMin(measured.box)) AS west,
           coalesce(s.south, ST_YMin(measured.box)) AS south, coalesce(s.east, ST_XMax(measured.box)) AS east,
           coalesce(s.north, ST_YMax(measured.box)) AS north
      FROM grid_sets s
     -- Publishing writes the box down; a set that was made by hand is measured here, each time.
      LEFT JOIN LATERAL (
           SELECT ST_Extent(c.outline) AS box
             FROM cells c
            WHERE s.west IS NULL AND c.grid_set_id = s.id
           ) measured ON true
     WHERE s.id = grid_set_at($1::timestamptz)
       AND coalesce(s.west, ST_XMin(measured.box)) IS NOT NULL
    """,
)


async def bounds_at(conn: Conn, at: datetime) -> tuple[int, Bounds] | None:
    """The grid set in force at `at` and the box of its cells, or None where none is.

    None too where it has no cells. The box of a published set is written down with it: one row by its key.
    """
    row = await _IN_FORCE.one(conn, at)
    return None if row is None else (row.grid_set_id, Bounds(row.west, row.south, row.east, row.north))


@dataclass(frozen=True)
class _Name:
    code: str
    name: str
    level: str


_NAMES = Statement(
    _Name,
    """
    SELECT code, name, level
      FROM divisions
     WHERE grid_set_id = $1::integer
       AND code = ANY ($2::text[])
    """,
)


async def division_names(conn: Conn, grid_set_id: int, codes: Sequence[str]) -> dict[str, tuple[str, str]]:
    """Name and level of each division of `codes` that the set knows."""
    return {row.code: (row.name, row.level) for row in await _NAMES.all(conn, grid_set_id, list(codes))}


@dataclass(frozen=True)
class _Path:
    path: list[str]


_PATH = Statement(
    _Path,
    """
    SELECT path
      FROM divisions
     WHERE grid_set_id = grid_set_at($2::timestamptz)
       AND code = $1::text
    """,
)


async def division_path(conn: Conn, code: str, at: datetime) -> list[str] | None:
    """The codes from the top down to a division of the set in force at `at`; None where it has no such division."""
    found = await _PATH.one(conn, code, at)
    return None if found is None else found.path


@dataclass(frozen=True)
class _Top:
    code: str


_TOPS = Statement(
    _Top,
    """
    SELECT code
      FROM divisions
     WHERE grid_set_id = grid_set_at($1::timestamptz)
       AND parent_code IS NULL
     ORDER BY code
    """,
)


async def top_divisions(conn: Conn, at: datetime) -> list[str]:
    """The codes of the divisions of the set in force at `at` that lie in no other: the city, where there is one."""
    return [row.code for row in await _TOPS.all(conn, at)]


@dataclass(frozen=True)
class CellDetail:
    """All that is known of one cell; `beats` maps duty lines to beat codes, `outline` is a GeoJSON geometry."""

    grid_set_id: int
    code: str
    name: str
    division_code: str
    divisions: list[str]
    management_level: str
    area_m2: float
    beats: dict[str, str]
    outline: dict[str, Any]


_CELL = Statement(
    CellDetail,
    """
    SELECT c.grid_set_id, c.code, c.name, c.division_code, d.path AS divisions, c.management_level, c.area_m2,
           coalesce((SELECT jsonb_object_agg(b.duty_line, b.beat_code)
                       FROM beat_cells b
                      WHERE b.grid_set_id = c.grid_set_id AND b.cell_code = c.code), '{}') AS beats,
           ST_AsGeoJSON(c.outline, 7)::jsonb AS outline
      FROM cells c
      JOIN divisions d ON d.grid_set_id = c.grid_set_id AND d.code = c.division_code
     WHERE c.grid_set_id = grid_set_at($2::timestamptz)
       AND c.code = $1::text
    """,
)


async def cell(conn: Conn, code: str, at: datetime) -> CellDetail | None:
    """The cell of that code in the set in force at `at`, or None."""
    return await _CELL.one(conn, code, at)


@dataclass(frozen=True)
class CellOutline:
    """A cell as it is drawn; `outline` is GeoJSON in WGS-84."""

    code: str
    outline: dict[str, Any]


OUTLINES_OF = Statement(
    CellOutline,
    """
    SELECT code, ST_AsGeoJSON(outline, 7)::jsonb AS outline
      FROM cells
     WHERE grid_set_id = grid_set_at($2::timestamptz)
       AND code = ANY ($1::text[])
     ORDER BY code
    """,
)


@dataclass(frozen=True)
class _Outline:
    code: str
    outline: shapely.Geometry


_OUTLINES = Statement(
    _Outline,
    """
    SELECT code, outline
      FROM cells
     WHERE grid_set_id = $1::integer
     ORDER BY code
    """,
)


async def locator_for(conn: Conn, grid_set_id: int) -> Locator:
    """The cells of one set, ready to be asked in memory: for bulk work and offline maps.

    105 000 cells take about 2 s and 130 MB; empty where the set has no cells.
    """
    rows = await _OUTLINES.all(conn, grid_set_id)
    return Locator([row.code for row in rows], [row.outline for row in rows])
