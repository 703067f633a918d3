"""Which cells officers were in, and when (`cell_stays`); what of it must be reckoned anew (`stays_due`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

import numpy as np

from geo.locator import BORDER_DEG, search_reach
from geo.place import Place
from geo.projection import east_shrink
from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.stays import LOOK_BACK, UNKNOWN_AFTER, Fix, Located, Stay, margin_m


@dataclass(frozen=True)
class Due:
    """Between which slots an officer's way has changed since his stays were reckoned, and in how many batches."""

    officer_id: UUID
    from_at: datetime
    until_at: datetime
    changes: int


@dataclass(frozen=True)
class _Turn:
    mine: bool


TURN = Statement(_Turn, "SELECT pg_try_advisory_xact_lock(hashtext('stays of officers')) AS mine")

# Nothing is locked: who sends positions does not wait for whoever reckons.
DUE = Statement(
    Due,
    """
    SELECT officer_id, from_at, until_at, changes
      FROM stays_due
     WHERE $1::uuid IS NULL OR officer_id > $1::uuid
     ORDER BY officer_id
     LIMIT $2::integer
    """,
)

# What came while it was reckoned stays due.
DONE = Statement(
    Nothing,
    """
    DELETE FROM stays_due d
     USING unnest($1::uuid[], $2::bigint[]) AS w (officer_id, changes)
     WHERE d.officer_id = w.officer_id
       AND d.changes = w.changes
    """,
)

EARLIER = Statement(
    Nothing,
    """
    UPDATE stays_due
       SET from_at = least(from_at, $2::timestamptz), changes = changes + 1
     WHERE officer_id = $1::uuid
    """,
)


async def my_turn(conn: Conn) -> bool:
    """Whether nobody else reckons stays now; while this transaction lasts nobody else does."""
    found = await TURN.one(conn)
    return found is not None and found.mine


@dataclass(frozen=True)
class _FixRow:
    officer_id: UUID
    before: bool
    taken_at: datetime
    lon: float
    lat: float
    accuracy_m: float | None


# The last fixes before the first change, then all until the first long silence after the last change.
FIXES = Statement(
    _FixRow,
    """
    SELECT d.officer_id, f.slot_at < d.from_at AS before, f.taken_at, ST_X(f.place) AS lon, ST_Y(f.place) AS lat,
           f.accuracy_m
      FROM unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS d (officer_id, from_at, until_at)
     CROSS JOIN LATERAL (
           (SELECT * FROM officer_trails b
             WHERE b.officer_id = d.officer_id AND b.slot_at < d.from_at AND NOT b.mocked
               AND b.slot_at >= d.from_at - interval '1 day'
             ORDER BY b.slot_at DESC LIMIT $4::integer)
           UNION ALL
           SELECT *
             FROM officer_trails a
            WHERE a.officer_id = d.officer_id
              AND NOT a.mocked
              AND a.slot_at >= d.from_at
              AND a.slot_at < coalesce(
                    (SELECT g.slot_at
                       FROM officer_trails g
                      WHERE g.officer_id = d.officer_id AND g.slot_at > d.until_at AND NOT g.mocked
                        AND NOT EXISTS (SELECT FROM officer_trails p
                                         WHERE p.officer_id = g.officer_id AND NOT p.mocked
                                           AND p.slot_at < g.slot_at AND p.slot_at > g.slot_at - 2 * $5::interval
                                           AND p.taken_at >= g.taken_at - $5::interval)
                      ORDER BY g.slot_at LIMIT 1), 'infinity')
           ) f
     ORDER BY d.officer_id, f.slot_at
    """,
)


@dataclass
class Way:
    """The part of an officer's way that is reckoned anew: the last fixes `before` the first change, and from there."""

    before: list[Fix] = field(default_factory=list)
    after: list[Fix] = field(default_factory=list)


async def ways(conn: Conn, due: Sequence[Due]) -> dict[UUID, Way]:
    """Of each officer whose way has changed the part that the change can touch."""
    found = {each.officer_id: Way() for each in due}
    rows = await FIXES.all(
        conn, list(found), [each.from_at for each in due], [each.until_at for each in due], LOOK_BACK, UNKNOWN_AFTER
    )  # fmt: skip
    for row in rows:
        way = found[row.officer_id]
        (way.before if row.before else way.after).append(Fix(row.taken_at, Place(row.lon, row.lat, row.accuracy_m)))
    return found


@dataclass(frozen=True)
class _At:
    officer_id: UUID
    cell: str
    entered_at: datetime
    fixes: int


AT = Statement(
    _At,
    """
    SELECT w.officer_id, s.cell_code AS cell, s.entered_at,
           (SELECT count(*)::integer FROM officer_trails t
             WHERE t.officer_id = w.officer_id AND NOT t.mocked
               AND t.slot_at > s.entered_at - interval '20 seconds' AND t.slot_at <= w.at
               AND t.taken_at BETWEEN s.entered_at AND w.at) AS fixes
      FROM unnest($1::uuid[], $2::timestamptz[]) AS w (officer_id, at)
     CROSS JOIN LATERAL (SELECT * FROM cell_stays c
                          WHERE c.officer_id = w.officer_id AND c.entered_at <= w.at
                            AND c.entered_at > w.at - interval '7 days'
                          ORDER BY c.entered_at DESC LIMIT 1) s
     WHERE s.left_at >= w.at
    """,
)


async def at(conn: Conn, moments: Sequence[tuple[UUID, datetime]]) -> dict[UUID, Stay]:
    """The stay that each officer's fix of a moment belongs to, as if that were its last; None of who was in none."""
    rows = await AT.all(conn, [who for who, _ in moments], [moment for _, moment in moments])
    until = dict(moments)
    return {row.officer_id: Stay(row.cell, row.entered_at, until[row.officer_id], row.fixes) for row in rows}


@dataclass(frozen=True)
class _LocatedRow:
    cell: str | None
    near: list[str]


# As in gridsvc/store/cells.py: first a box, for the index, then metres on the ellipsoid to the closest point.
LOCATE = Statement(
    _LocatedRow,
    """
    SELECT (array_agg(c.code ORDER BY c.code) FILTER (WHERE ST_DWithin(c.outline, c.place, $8::float8)))[1] AS cell,
           coalesce(array_agg(c.code ORDER BY c.code) FILTER (WHERE c.code IS NOT NULL), '{}') AS near
      FROM unnest($1::timestamptz[], $2::float8[], $3::float8[], $4::float8[], $5::float8[], $6::float8[], $7::float8[])
           WITH ORDINALITY AS w (at, lon, lat, margin_m, reach_lon, reach_lat, shrink, ordinal)
      LEFT JOIN LATERAL (
           SELECT c.code, c.outline, p.place
             FROM (SELECT ST_SetSRID(ST_MakePoint(w.lon, w.lat), 4326) AS place) p
                  JOIN cells c ON c.outline && ST_Expand(p.place, w.reach_lon, w.reach_lat)
            WHERE c.grid_set_id + 0 = grid_set_at(w.at)
              AND ST_Distance(p.place::geography,
                              ST_Scale(
                                ST_ClosestPoint(ST_Scale(c.outline, w.shrink, 1), ST_Scale(p.place, w.shrink, 1)),
                                1 / w.shrink, 1)::geography) <= w.margin_m
           ) c ON true
     GROUP BY w.ordinal
     ORDER BY w.ordinal
    """,
)


async def locate(conn: Conn, fixes: Sequence[Fix]) -> list[Located]:
    """Which cell covers each fix, and which it may be in; by the grid set in force when it was taken."""
    if not fixes:
        return []
    lats = np.array([fix.place.lat for fix in fixes], np.float64)
    margins = np.array([margin_m(fix.place.accuracy_m) for fix in fixes], np.float64)
    across, up = search_reach(lats, margins)
    rows = await LOCATE.all(
        conn, [fix.taken_at for fix in fixes], [fix.place.lon for fix in fixes], lats.tolist(), margins.tolist(),
        across.tolist(), up.tolist(), east_shrink(lats).tolist(), BORDER_DEG,
    )  # fmt: skip
    return [Located(row.cell, frozenset(row.near)) for row in rows]


# A stay that begins where one began before takes its place; what else began in the time is gone.
CLEAR = Statement(
    Nothing,
    """
    DELETE FROM cell_stays s
     USING unnest($1::uuid[], $2::timestamptz[], $3::timestamptz[]) AS w (officer_id, since, until)
     WHERE s.officer_id = w.officer_id
       AND s.entered_at >= w.since
       AND s.entered_at < w.until
    """,
)

ADD = Statement(
    Nothing,
    """
    INSERT INTO cell_stays (officer_id, cell_code, entered_at, left_at, fixes)
    SELECT * FROM unnest($1::uuid[], $2::text[], $3::timestamptz[], $4::timestamptz[], $5::integer[])
    """,
)


async def replace(
    conn: Conn, spans: Sequence[tuple[UUID, datetime, datetime]], found: Sequence[tuple[UUID, Stay]]
) -> None:
    """Keep `found` instead of all stays of these officers that began from the first to before the second moment."""
    await CLEAR.run(conn, [who for who, _, _ in spans], [since for _, since, _ in spans], [to for _, _, to in spans])
    await ADD.run(
        conn, [who for who, _ in found], [stay.cell for _, stay in found], [stay.entered_at for _, stay in found],
        [stay.left_at for _, stay in found], [stay.fixes for _, stay in found],
    )  # fmt: skip


OLD = Statement(
    Nothing,
    """
    DELETE FROM cell_stays
     WHERE (officer_id, entered_at) IN (SELECT officer_id, entered_at FROM cell_stays
                                         WHERE entered_at < $1::timestamptz ORDER BY entered_at LIMIT $2::integer)
    """,
)
