"""Cases that may be the same thing as another, and cases that were merged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Statement

AT_MOST: Final = 5
"""So many are offered, the nearest first. Offered, never acted upon: only a person can see whether two bins are one."""


@dataclass(frozen=True, kw_only=True)
class Sought:
    """A case for which others like it are sought, among those that the scope keys open. WGS-84 degrees."""

    case_id: UUID
    edition: str
    category: str
    lon: float | None
    lat: float | None
    reported_at: datetime
    keys: Sequence[str]


@dataclass(frozen=True)
class _Near:
    ordinal: int
    id: UUID
    number: str | None
    state: str
    description: str
    distance_m: float
    reported_at: datetime


@dataclass(frozen=True, kw_only=True)
class Duplicate:
    """A case that may be the same thing, and how far away it lies."""

    id: UUID
    number: str | None
    state: str
    description: str
    distance_m: float
    reported_at: datetime


# The index finds by square (a thousandth of a degree) and category, then comes what is cheap to ask, the ellipsoid
# last. The square is a column and not an expression: behind row-level security an index is not asked with functions
# that might tell what they saw. 64 questions where 12,800 cases of one day lie in nine cells took 1,500 ms by the index
# of places, and take 40 ms so.
NEAR = Statement(
    _Near,
    """
    WITH asked AS MATERIALIZED (   -- computed once for a question, not for each row
      SELECT ordinal, case_id, edition, category, string_to_array(keys, ',') AS keys,
             ST_SetSRID(ST_MakePoint(lon, lat), 4326)::geography AS here,
             lon - east AS west, lon + east AS east, lat - north AS south, lat + north AS north,
             ARRAY(SELECT (x * 1000000 + y)::bigint
                     FROM generate_series(floor((lon - east) * 1000)::bigint, floor((lon + east) * 1000)::bigint) AS x,
                          generate_series(floor((lat - north) * 1000)::bigint, floor((lat + north) * 1000)::bigint) AS y
                  ) AS squares,
             reported_at - within AS since, reported_at + within AS until, radius_m
        FROM (SELECT u.*, g.duplicate_radius_m AS radius_m, g.duplicate_window_h * interval '1 hour' AS within,
                     g.duplicate_radius_m / 110000 AS north,
                     g.duplicate_radius_m / (110000 * cos(radians(u.lat))) AS east
                FROM unnest($1::uuid[], $2::text[], $3::text[], $4::float8[], $5::float8[], $6::timestamptz[],
                            $7::text[])
                     WITH ORDINALITY AS u (case_id, edition, category, lon, lat, reported_at, keys, ordinal)
                JOIN categories g ON g.edition = u.edition AND g.code = u.category) AS u
    )
    SELECT w.ordinal::integer AS ordinal, d.id, d.number, d.state, d.description, d.distance_m, d.reported_at
      FROM asked w
     CROSS JOIN LATERAL (
           SELECT n.*
             FROM (SELECT c.id, c.number, c.state, c.description, c.reported_at,
                          ST_Distance(c.place::geography, w.here) AS distance_m
                     FROM cases c
                    WHERE c.category = w.category
                      AND c.square = ANY (w.squares)
                      AND c.reported_at BETWEEN w.since AND w.until
                      AND ST_X(c.place) BETWEEN w.west AND w.east
                      AND ST_Y(c.place) BETWEEN w.south AND w.north
                      AND c.edition = w.edition
                      AND c.id <> w.case_id
                      AND c.state NOT IN ('rejected', 'cancelled', 'merged')
                      AND c.seen_by && w.keys
                   OFFSET 0) AS n   -- a fence: the distance is computed once, and for these only
            WHERE n.distance_m <= w.radius_m
            ORDER BY n.distance_m, n.id
            LIMIT $8::integer) AS d
     ORDER BY w.ordinal, d.distance_m, d.id
    """,
)


@dataclass(frozen=True, kw_only=True)
class Linked:
    """A case that another one was merged into, or that was merged into it; `depth` 1: directly."""

    id: UUID
    number: str | None
    state: str
    merged_into: UUID | None
    depth: int


# What was merged into a case that was itself merged later belongs to the last one too.
MERGED = Statement(
    Linked,
    """
    WITH RECURSIVE family (id, number, state, merged_into, depth) AS (
      SELECT c.id, c.number, c.state, c.merged_into, 1
        FROM cases c
       WHERE c.merged_into = $1::uuid
       UNION ALL
      SELECT c.id, c.number, c.state, c.merged_into, f.depth + 1
        FROM cases c
        JOIN family f ON c.merged_into = f.id
    )
    SELECT f.id, f.number, f.state, f.merged_into, f.depth
      FROM family f
      JOIN cases c ON c.id = f.id AND c.seen_by && $2::text[]
     ORDER BY f.depth, f.id
    """,
)

MAIN = Statement(
    Linked,
    """
    WITH RECURSIVE line (id, number, state, merged_into, depth) AS (
      SELECT m.id, m.number, m.state, m.merged_into, 1
        FROM cases c
        JOIN cases m ON m.id = c.merged_into
       WHERE c.id = $1::uuid
       UNION ALL
      SELECT m.id, m.number, m.state, m.merged_into, l.depth + 1
        FROM line l
        JOIN cases m ON m.id = l.merged_into
    )
    SELECT l.id, l.number, l.state, l.merged_into, l.depth
      FROM line l
      JOIN cases c ON c.id = l.id AND c.seen_by && $2::text[]
     ORDER BY l.depth DESC
     LIMIT 1
    """,
)


async def near(conn: Conn, sought: Sequence[Sought]) -> list[list[Duplicate]]:
    """For each the others that may be the same thing, the nearest first, in one round trip for all.

    The same category, within its radius (metres on the ellipsoid) and its window (docs/rules/duplicates.md).
    A case without a place is like no other.
    """
    found: list[list[Duplicate]] = [[] for _ in sought]
    placed = [(index, each) for index, each in enumerate(sought) if each.lon is not None]
    if not placed:
        return found
    rows = await NEAR.all(
        conn,
        [each.case_id for _, each in placed],
        [each.edition for _, each in placed],
        [each.category for _, each in placed],
        [each.lon for _, each in placed],
        [each.lat for _, each in placed],
        [each.reported_at for _, each in placed],
        [",".join(each.keys) for _, each in placed],
        AT_MOST,
    )
    for row in rows:
        told = {name: value for name, value in vars(row).items() if name != "ordinal"}
        found[placed[row.ordinal - 1][0]].append(Duplicate(**told))
    return found


async def merged_into(conn: Conn, case_id: UUID, keys: Sequence[str]) -> list[Linked]:
    """What was merged into the case, directly or through another, as far as these scope keys open it."""
    return await MERGED.all(conn, case_id, list(keys))


async def main_of(conn: Conn, case_id: UUID, keys: Sequence[str]) -> Linked | None:
    """The case that goes on for a merged one, as far as these scope keys open it; None for one that was not merged."""
    return await MAIN.one(conn, case_id, list(keys))
