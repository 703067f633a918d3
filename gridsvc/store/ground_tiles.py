"""Tiles of what lies on the ground and changes seldom: divisions, cells and beats of a grid set, and the base map.

Every statement takes z, x, y first, then `(set)` where it draws a grid set. All read EPSG:3857 copies, so that only
the box of the tile is ever computed. They draw the same for everybody who is signed in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geo.tile import Tile
from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class Made:
    """One tile as it goes to the map; empty where nothing is drawn."""

    tile: bytes


_BOX: Final = "ST_TileEnvelope($1::integer, $2::integer, $3::integer)"

# An edge's line is drawn beyond the tile by 64 of its 4096 units, so that its end is not seen.
_WIDE: Final = "ST_TileEnvelope($1::integer, $2::integer, $3::integer, margin => 0.015625)"


def _layer(name: str, columns: str, geometry: str, source: str, order: str) -> str:
    """SQL of one layer of a tile: bytes, never NULL."""
    return f"""coalesce((
             SELECT ST_AsMVT(t.*, '{name}', 4096, 'geom')
               FROM (SELECT {columns},
                            ST_AsMVTGeom({geometry}, {_BOX}, 4096, 64, true) AS geom
                       FROM {source}
                      ORDER BY {order}) t
              WHERE t.geom IS NOT NULL), ''::bytea)"""  # noqa: S608 - made of constants of this file


def _labels(columns: str, source: str, order: str) -> str:
    """SQL of the layer `labels`: each name stands in one tile alone, the one that its point lies in."""
    return f"""coalesce((
             SELECT ST_AsMVT(t.*, 'labels', 4096, 'geom')
               FROM (SELECT {columns}, ST_AsMVTGeom(m.label, {_BOX}, 4096, 0, true) AS geom
                       FROM {source}
                        AND ST_X(m.label) >= ST_XMin({_BOX}) AND ST_X(m.label) < ST_XMax({_BOX})
                        AND ST_Y(m.label) > ST_YMin({_BOX}) AND ST_Y(m.label) <= ST_YMax({_BOX})
                      ORDER BY {order}) t
              WHERE t.geom IS NOT NULL), ''::bytea)"""  # noqa: S608 - made of constants of this file


def _tile(*layers: str) -> Statement[Made]:
    return Statement(Made, "SELECT " + " || ".join(layers) + " AS tile")


# `grid_set_id + 0`: the box finds few rows, the primary key a whole set.
def _of_set(table: str, also: str = "") -> str:
    return f"{table} m WHERE m.grid_set_id + 0 = $4::integer AND m.shape && {_WIDE}{also}"


# ---- divisions ----------------------------------------------------------------------------------

_UPPER: Final = " AND m.level IN ('province', 'city', 'district')"
_STREETS: Final = " AND m.level IN ('province', 'city', 'district', 'street')"


def _divisions(shape: str, levels: str) -> Statement[Made]:
    source = _of_set("map_divisions", levels)
    columns = "m.code, m.name, m.name_en, m.level"
    return _tile(
        _layer("divisions", columns, f"m.{shape}", source, "m.code"), _labels(columns, source, "m.code")
    )  # fmt: skip


DIVISIONS_FAR: Final = _divisions("coarsest", _UPPER)
DIVISIONS_MIDDLE: Final = _divisions("coarse", _STREETS)
DIVISIONS_NEAR: Final = _divisions("shape", "")


async def divisions_tile(conn: Conn, tile: Tile, grid_set_id: int) -> bytes:
    """Outlines and names of divisions: districts and above, from zoom 10 streets too, from zoom 13 communities."""
    statement = DIVISIONS_FAR if tile.z < 10 else DIVISIONS_MIDDLE if tile.z < 13 else DIVISIONS_NEAR
    return await _made(conn, statement, tile, grid_set_id)


# ---- cells --------------------------------------------------------------------------------------

FIRST_CELLS: Final = 11
"""Below this zoom a cell is thinner than two pixels, and the layer is empty."""

_CELLS: Final = _of_set("map_cells")


def _cells(shape: str) -> str:
    return _layer("cells", "m.code, m.division_code AS division", f"m.{shape}", _CELLS, "m.code")


CELLS_FAR: Final = _tile(_cells("coarsest"))
CELLS_MIDDLE: Final = _tile(_cells("coarse"))
CELLS_NEAR: Final = _tile(_cells("shape"), _labels("m.code, m.name", _CELLS, "m.code"))


async def cells_tile(conn: Conn, tile: Tile, grid_set_id: int) -> bytes:
    """Outlines of cells, from zoom 15 on with their names."""
    if tile.z < FIRST_CELLS:
        return b""
    statement = CELLS_FAR if tile.z < 13 else CELLS_MIDDLE if tile.z < 15 else CELLS_NEAR
    return await _made(conn, statement, tile, grid_set_id)


# ---- beats --------------------------------------------------------------------------------------

FIRST_BEATS: Final = 10


def _beats(shape: str) -> Statement[Made]:
    order = "m.duty_line, m.code"
    return _tile(_layer("beats", "m.code, m.name, m.duty_line", f"m.{shape}", _of_set("map_beats"), order))


BEATS_MIDDLE: Final = _beats("coarse")
BEATS_NEAR: Final = _beats("shape")


async def beats_tile(conn: Conn, tile: Tile, grid_set_id: int) -> bytes:
    """Outlines of the beats of every duty line."""
    if tile.z < FIRST_BEATS:
        return b""
    return await _made(conn, BEATS_MIDDLE if tile.z < 13 else BEATS_NEAR, tile, grid_set_id)


# ---- the base map -------------------------------------------------------------------------------

FIRST_BUILDINGS: Final = 14
FIRST_ROADS: Final = 7
FIRST_WATER: Final = 5

# What is thinner than half a unit of the tile is drawn straight; a shape must stay whole, a line need not.
_UNIT: Final = "40075016.6856::float8 / (4096 * power(2, $1::integer))"


def _ground(layer: str, columns: str, geometry: str, also: str = "") -> Statement[Made]:
    source = f"basemap_features f WHERE f.layer = '{layer}' AND f.shape && {_WIDE}{also}"
    return _tile(_layer(layer, columns, geometry, source, "f.id"))


_ROADS: Final = "f.kind AS class, f.name"
MAIN_ROADS: Final = _ground(
    "roads", _ROADS, f"ST_Simplify(f.shape, {_UNIT}, true)", " AND f.kind IN ('motorway', 'primary')"
)
LARGER_ROADS: Final = _ground(
    "roads", _ROADS, f"ST_Simplify(f.shape, {_UNIT}, true)", " AND f.kind IN ('motorway', 'primary', 'secondary')"
)
STREETS: Final = _ground("roads", _ROADS, "f.shape", " AND f.kind <> 'path'")
ROADS: Final = _ground("roads", _ROADS, "f.shape")

# From afar, water that is smaller than two pixels of a screen is left out.
WATER_FAR: Final = _ground(
    "water", "f.kind AS class, f.name", f"ST_SimplifyPreserveTopology(f.shape, {_UNIT})",
    f" AND greatest(ST_XMax(f.shape) - ST_XMin(f.shape), ST_YMax(f.shape) - ST_YMin(f.shape)) > 16 * {_UNIT}",
)  # fmt: skip
WATER: Final = _ground("water", "f.kind AS class, f.name", "f.shape")

BUILDINGS: Final = _ground("buildings", "f.height_m, f.levels, nullif(f.name, '') AS name", "f.shape")


async def roads_tile(conn: Conn, tile: Tile) -> bytes:
    """Roads by class: the main ones from zoom 7, secondary from 11, residential from 13, paths from 15."""
    if tile.z < FIRST_ROADS:
        return b""
    far = MAIN_ROADS if tile.z < 11 else LARGER_ROADS
    near = STREETS if tile.z < 15 else ROADS
    return await _made(conn, far if tile.z < 13 else near, tile)


async def water_tile(conn: Conn, tile: Tile) -> bytes:
    """Rivers, lakes, channels."""
    if tile.z < FIRST_WATER:
        return b""
    return await _made(conn, WATER_FAR if tile.z < 13 else WATER, tile)


async def buildings_tile(conn: Conn, tile: Tile) -> bytes:
    """Outlines of buildings with their height in metres."""
    return b"" if tile.z < FIRST_BUILDINGS else await _made(conn, BUILDINGS, tile)


async def _made(conn: Conn, statement: Statement[Made], tile: Tile, *more: object) -> bytes:
    made = await statement.one(conn, tile.z, tile.x, tile.y, *more)
    assert made is not None  # noqa: S101 - one row by construction
    return made.tile
