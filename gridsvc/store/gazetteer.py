"""Every place that has a name: divisions, roads and their crossings, imported points, components."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.gazetteer import Named, PlaceKind
from gridsvc.domain.gazetteer_file import Point
from gridsvc.store.rows import rows_text


@dataclass(frozen=True)
class Edition:
    """Which state of the names this is: what is held in memory is today's as long as this is the same."""

    revision: int
    grid_set_id: int | None


_EDITION = Statement(Edition, "SELECT revision, grid_set_at($1::timestamptz) AS grid_set_id FROM place_names")


async def edition(conn: Conn, now: datetime) -> Edition:
    """The state of the names at `now`; one round trip."""
    found = await _EDITION.one(conn, now)
    assert found is not None  # noqa: S101 - the table has one row by its own constraint
    return found


@dataclass(frozen=True)
class _Row:
    kind: str
    name: str
    lon: float
    lat: float
    code: str | None
    aliases: list[str]
    roads: list[str]
    house: int | None
    path: list[str]


# The deepest division around each place says where it is; of two on whose border it lies the lower code.
_WHERE: Final = """
      LEFT JOIN LATERAL (
           SELECT d.path
             FROM divisions d
            WHERE d.grid_set_id = $1::integer
              AND ST_Covers(d.outline, p.place)
            ORDER BY cardinality(d.path) DESC, d.code
            LIMIT 1
           ) around ON true
"""

_DIVISIONS = Statement(
    _Row,
    """
    SELECT 'division' AS kind, d.name, ST_X(ST_PointOnSurface(d.outline)) AS lon,
           ST_Y(ST_PointOnSurface(d.outline)) AS lat, d.code,
           CASE WHEN d.name_en = '' THEN '{}'::text[] ELSE ARRAY[d.name_en] END AS aliases,
           '{}'::text[] AS roads, NULL::integer AS house, d.path
      FROM divisions d
     WHERE d.grid_set_id = $1::integer
       AND d.outline IS NOT NULL
     ORDER BY d.code
    """,
)

# A road is drawn in pieces that may be far apart and have one name: each is a place of its own.
_ROADS = Statement(
    _Row,
    f"""
    SELECT 'road' AS kind, r.name, ST_X(p.place) AS lon, ST_Y(p.place) AS lat, NULL::text AS code,
           '{{}}'::text[] AS aliases, '{{}}'::text[] AS roads, NULL::integer AS house, around.path
      FROM basemap_features r
     CROSS JOIN LATERAL (SELECT ST_PointOnSurface(r.outline) AS place) p
{_WHERE}     WHERE r.layer = 'roads'
       AND r.name <> ''
     ORDER BY r.id
    """,  # noqa: S608 - joined from constants
)

# Where two roads run on one another for a while, the crossing is a point of that stretch.
_CROSSINGS = Statement(
    _Row,
    f"""
    SELECT 'crossing' AS kind, a.name || '/' || b.name AS name, ST_X(p.place) AS lon, ST_Y(p.place) AS lat,
           NULL::text AS code, '{{}}'::text[] AS aliases, ARRAY[a.name, b.name] AS roads, NULL::integer AS house,
           around.path
      FROM basemap_features a
      JOIN basemap_features b ON b.layer = 'roads' AND b.name > a.name AND ST_Intersects(a.outline, b.outline)
     CROSS JOIN LATERAL ST_Dump(ST_Intersection(a.outline, b.outline)) AS met
     CROSS JOIN LATERAL (SELECT ST_PointOnSurface(met.geom) AS place) p
{_WHERE}     WHERE a.layer = 'roads'
       AND a.name <> ''
     ORDER BY a.id, b.id, met.path
    """,  # noqa: S608 - joined from constants
)

_POINTS = Statement(
    _Row,
    f"""
    SELECT g.kind, g.name, ST_X(p.place) AS lon, ST_Y(p.place) AS lat, NULL::text AS code, g.aliases,
           CASE WHEN g.road = '' THEN '{{}}'::text[] ELSE ARRAY[g.road] END AS roads, g.house, around.path
      FROM gazetteer_points g
     CROSS JOIN LATERAL (SELECT g.place) p
{_WHERE}     ORDER BY g.id
    """,  # noqa: S608 - joined from constants
)

MOST_COMPONENTS: Final = 200_000
"""Names of components held in memory, about 2 kB each; those beyond it are found by code, near by, or on the map."""

_COMPONENTS = Statement(
    _Row,
    f"""
    SELECT 'component' AS kind, c.name, ST_X(p.place) AS lon, ST_Y(p.place) AS lat, c.code,
           ARRAY[c.code] AS aliases, '{{}}'::text[] AS roads, NULL::integer AS house, around.path
      FROM (SELECT code, name, place FROM components ORDER BY code LIMIT $2::integer) c
     CROSS JOIN LATERAL (SELECT c.place) p
{_WHERE}     ORDER BY c.code
    """,  # noqa: S608 - joined from constants
)


@dataclass(frozen=True)
class _Name:
    code: str
    name: str


_NAMES = Statement(_Name, "SELECT code, name FROM divisions WHERE grid_set_id = $1::integer")


async def named_places(conn: Conn, grid_set_id: int | None) -> list[Named]:
    """Every named place, with the names of the divisions it lies in; none where no grid set is in force."""
    if grid_set_id is None:
        return []
    names = {row.code: row.name for row in await _NAMES.all(conn, grid_set_id)}
    rows = [row for each in (_DIVISIONS, _ROADS, _CROSSINGS, _POINTS) for row in await each.all(conn, grid_set_id)]
    rows += await _COMPONENTS.all(conn, grid_set_id, MOST_COMPONENTS)
    return [_named(row, names) for row in rows]


def _named(row: _Row, names: Mapping[str, str]) -> Named:
    place = Named(
        kind=PlaceKind(row.kind),
        name=row.name,
        lon=row.lon,
        lat=row.lat,
        code=row.code,
        divisions=tuple(names[code] for code in row.path or () if code in names),
        aliases=tuple(row.aliases),
        roads=tuple(row.roads),
        house=row.house,
    )
    # A division does not stand in itself: what is named beside it is what lies above.
    return replace(place, divisions=place.divisions[:-1]) if place.kind is PlaceKind.DIVISION else place


_FORGET = Statement(
    Nothing,
    """
    DELETE FROM gazetteer_points
     WHERE source = $1::text
    """,
)

_ADD = Statement(
    Nothing,
    """
    INSERT INTO gazetteer_points (source, kind, name, aliases, road, house, place, given_x, given_y, given_frame)
    SELECT $2::text, kind, name, aliases, road, house, ST_SetSRID(ST_MakePoint(lon, lat), 4326), given_x, given_y,
           given_frame
      FROM json_to_recordset($1::text::json) AS r (
           kind text, name text, aliases text[], road text, house integer, lon float8, lat float8, given_x float8,
           given_y float8, given_frame text)
    """,
)


async def replace_points(conn: Conn, source: str, points: Sequence[Point]) -> int:
    """Let `points` be all that `source` knows; return how many it knew before."""
    before = await _FORGET.run(conn, source)
    await _ADD.run(conn, rows_text([_fields(point) for point in points]), source)
    return before


def _fields(point: Point) -> dict[str, object]:
    return {
        "kind": point.kind,
        "name": point.name,
        "aliases": list(point.aliases),
        "road": point.road,
        "house": point.house,
        "lon": point.place.lon,
        "lat": point.place.lat,
        "given_x": point.given[0],
        "given_y": point.given[1],
        "given_frame": point.frame,
    }
