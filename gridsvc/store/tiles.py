"""What the map draws, as vector tiles that PostGIS makes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from geo.tile import Tile
from gridsvc.db import Conn, Statement

FIRST_SINGLE: Final = 15
"""From this zoom on every component is drawn; a tile is then about a square kilometre."""

FIRST_CLUSTERS: Final = 11
"""From this zoom on squares say how many stand in them; below it the layer is empty."""

SQUARES: Final = 8  # a side of a tile; so a square is 32 pixels wide

_EXTENT: Final = 4096  # of a tile's own units
_BUFFER: Final = 64  # of them beyond each edge, so that no symbol is cut


@dataclass(frozen=True)
class _Made:
    tile: bytes | None


# The box is that of the tile with its buffer, in degrees, so that the index on `place` finds them.
COMPONENTS = Statement(
    _Made,
    """
    SELECT ST_AsMVT(t.*, 'components', $8::integer, 'geom') AS tile
      FROM (SELECT c.code, c.class, c.name, c.state, c.owner_unknown,
                   ST_AsMVTGeom(ST_Transform(c.place, 3857), ST_TileEnvelope($1::integer, $2::integer, $3::integer),
                                $8::integer, $9::integer, true) AS geom
              FROM components c
             WHERE c.place && ST_MakeEnvelope($4::float8, $5::float8, $6::float8, $7::float8, 4326)
             ORDER BY c.code) t
     WHERE t.geom IS NOT NULL
    """,
)

# Each component counts in one square of one tile: western and southern edges belong to a square, the others do not.
COMPONENT_SQUARES = Statement(
    _Made,
    """
    SELECT ST_AsMVT(t.*, 'components', $9::integer, 'geom') AS tile
      FROM (SELECT s.many AS point_count,
                   ST_AsMVTGeom(ST_Transform(ST_SetSRID(ST_MakePoint(s.lon, s.lat), 4326), 3857),
                                ST_TileEnvelope($1::integer, $2::integer, $3::integer),
                                $9::integer, 0, true) AS geom
              FROM (SELECT count(*)::integer AS many, avg(ST_X(c.place)) AS lon, avg(ST_Y(c.place)) AS lat,
                           floor((ST_X(c.place) - $4::float8) / ($6::float8 - $4::float8) * $8::integer) AS column,
                           floor((ST_Y(c.place) - $5::float8) / ($7::float8 - $5::float8) * $8::integer) AS row
                      FROM components c
                     WHERE c.place && ST_MakeEnvelope($4::float8, $5::float8, $6::float8, $7::float8, 4326)
                       AND ST_X(c.place) < $6::float8
                       AND ST_Y(c.place) < $7::float8
                     GROUP BY 4, 5
                     ORDER BY 5, 4) s) t
     WHERE t.geom IS NOT NULL
    """,
)


async def components_tile(conn: Conn, tile: Tile) -> bytes:
    """The layer `components` of one tile; empty where nothing is to be drawn.

    Features are single components (code, class, name, state, owner_unknown), on middle zooms squares with
    their `point_count`.
    """
    if tile.z < FIRST_CLUSTERS:
        return b""
    if tile.z < FIRST_SINGLE:
        box = tile.bounds()
        made = await COMPONENT_SQUARES.one(
            conn, tile.z, tile.x, tile.y, box.west, box.south, box.east, box.north, SQUARES, _EXTENT
        )
    else:
        box = tile.bounds(margin=_BUFFER / _EXTENT)
        made = await COMPONENTS.one(
            conn, tile.z, tile.x, tile.y, box.west, box.south, box.east, box.north, _EXTENT, _BUFFER
        )
    return made.tile if made is not None and made.tile is not None else b""
