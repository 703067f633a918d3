"""Tiles of cases, open and ended: single ones near by, how many there are per cell or division from afar."""

from __future__ import annotations

import math
from typing import Final

from geo.tile import Tile
from gridsvc.db import Conn, Statement
from gridsvc.store.ground_tiles import Made

FIRST_POINTS: Final = 13
"""From this zoom on every case is drawn; a tile is then about 16 square kilometres."""

FIRST_CELLS: Final = 12
"""On the zooms from this one to the first points each cell says how many cases it has; below it divisions do."""

_LEVELS: Final = ((9, ("city", "district")), (11, ("city", "district", "street")))
"""Down to which level divisions are counted below a zoom; on the others down to communities."""

_ALL_LEVELS: Final = ("city", "district", "street", "community")

_BOX: Final = "ST_TileEnvelope($1::integer, $2::integer, $3::integer)"

# By columns of `square`, a thousandth of a degree wide: under row-level security PostgreSQL may use an index only for
# comparisons that cannot leak, so not the one on `place` (28 ms a tile among 20 000 cases, all of them read; now 1).
POINTS: Final = Statement(
    Made,
    f"""
    SELECT coalesce(ST_AsMVT(t.*, 'cases', 4096, 'geom'), ''::bytea) AS tile
      FROM (SELECT c.id::text AS id, c.state, c.severity, c.category,
                   extract(epoch FROM c.reported_at)::bigint AS reported_at,
                   extract(epoch FROM c.closed_at)::bigint AS closed_at,
                   ST_AsMVTGeom(ST_Transform(c.place, 3857), {_BOX}, 4096, 64, true) AS geom
              FROM generate_series($4::bigint, $5::bigint) AS west
             CROSS JOIN LATERAL (
                   SELECT *
                     FROM cases
                    WHERE square BETWEEN west * 1000000 + $6::bigint AND west * 1000000 + $7::bigint
                      AND NOT exercise
                   OFFSET 0) c
             ORDER BY c.reported_at, c.id) t
     WHERE t.geom IS NOT NULL
    """,  # noqa: S608 - made of constants of this file
)

_INSIDE: Final = f"""ST_X(m.label) >= ST_XMin({_BOX}) AND ST_X(m.label) < ST_XMax({_BOX})
                       AND ST_Y(m.label) > ST_YMin({_BOX}) AND ST_Y(m.label) <= ST_YMax({_BOX})"""

# OFFSET 0 keeps the planner to one look by index for each division: it guesses one of them, and read all counters
# for each (1.6 s a tile among 105 000 cells; now 0.06). So do points with columns of squares.
# Each cell counts in the one tile that its label lies in. Ended cases may name a cell that is no more: those of a
# community that are in none of today's cells stand at the community's label.
CELL_COUNTS: Final = Statement(
    Made,
    f"""
    WITH counted AS (
      SELECT m.code, m.label, c.cases
        FROM map_cells m
        JOIN cell_counts c ON c.cell_code = m.code
       WHERE m.grid_set_id + 0 = $4::integer AND m.shape && {_BOX} AND {_INSIDE}
       UNION ALL
      SELECT m.code, m.label, c.cases
        FROM map_divisions m
       CROSS JOIN LATERAL (SELECT * FROM cell_counts WHERE division_code = m.code OFFSET 0) c
       WHERE m.grid_set_id + 0 = $4::integer AND m.shape && {_BOX} AND {_INSIDE}
         AND NOT EXISTS (SELECT FROM map_cells n WHERE n.grid_set_id = $4::integer AND n.code = c.cell_code)
    )
    SELECT coalesce(ST_AsMVT(t.*, 'cases', 4096, 'geom'), ''::bytea) AS tile
      FROM (SELECT code, sum(cases)::integer AS point_count, ST_AsMVTGeom(label, {_BOX}, 4096, 0, true) AS geom
              FROM counted
             GROUP BY code, label
            HAVING sum(cases) > 0
             ORDER BY code) t
     WHERE t.geom IS NOT NULL
    """,  # noqa: S608 - made of constants of this file
)

# Where a division is no more, the one above it that is there has its cases.
DIVISION_COUNTS: Final = Statement(
    Made,
    f"""
    WITH grouped AS MATERIALIZED (
      SELECT divisions, sum(cases) AS cases
        FROM division_counts
       GROUP BY divisions
    )
    SELECT coalesce(ST_AsMVT(t.*, 'cases', 4096, 'geom'), ''::bytea) AS tile
      FROM (SELECT m.code, m.level, sum(g.cases)::integer AS point_count,
                   ST_AsMVTGeom(m.label, {_BOX}, 4096, 0, true) AS geom
              FROM grouped g
             CROSS JOIN LATERAL (
                   SELECT d.code, d.level, d.label
                     FROM map_divisions d
                    WHERE d.grid_set_id = $4::integer
                      AND d.code = ANY (g.divisions COLLATE "C")
                      AND d.level = ANY ($5::text[])
                    ORDER BY array_position(g.divisions COLLATE "C", d.code) DESC
                    LIMIT 1) m
             WHERE {_INSIDE}
             GROUP BY m.code, m.level, m.label
            HAVING sum(g.cases) > 0
             ORDER BY m.code) t
     WHERE t.geom IS NOT NULL
    """,  # noqa: S608 - made of constants of this file
)


async def cases_tile(conn: Conn, tile: Tile, grid_set_id: int) -> bytes:
    """Cases that the transaction's scope opens: points from zoom 13 on, below counters with `point_count`.

    A counter names its cell, or its division and level; those of the grid set say where it stands.
    """
    if tile.z >= FIRST_POINTS:
        box = tile.bounds(margin=64 / 4096)
        squares = [math.floor(side * 1000) for side in (box.west, box.east, box.south, box.north)]
        made = await POINTS.one(conn, tile.z, tile.x, tile.y, *squares)
    elif tile.z >= FIRST_CELLS:
        made = await CELL_COUNTS.one(conn, tile.z, tile.x, tile.y, grid_set_id)
    else:
        levels = next((levels for below, levels in _LEVELS if tile.z < below), _ALL_LEVELS)
        made = await DIVISION_COUNTS.one(conn, tile.z, tile.x, tile.y, grid_set_id, ["province", *levels])
    assert made is not None  # noqa: S101 - one row by construction
    return made.tile
