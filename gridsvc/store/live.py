"""The live feed: what has changed gets its number after its commit, is read by number, and is whole in a snapshot.

A number is given under the lock of one row and belongs to the transaction that gives it, so that numbers
become visible in their order and without a gap (docs/decisions/0185).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement, act_as_service

LOG_ROWS: Final = 50_000
"""So many of the last deltas are kept for processes that start or stood still; a day of a large city has more."""

LOG_FOR: Final = timedelta(minutes=30)

# What the feed shows of a case, for delta and snapshot alike; $1 is now.
_CASE: Final = """
    json_build_object(
      'id', c.id, 'number', c.number,
      'acceptance_number', (SELECT r.acceptance_number FROM reports r WHERE r.case_id = c.id
                             ORDER BY r.received_at, r.id LIMIT 1),
      'state', c.state, 'severity', c.severity, 'category', c.category, 'edition', c.edition, 'source', c.source,
      'lon', ST_X(c.place), 'lat', ST_Y(c.place), 'cell', c.cell_code, 'division', c.division_code,
      'beats', (SELECT json_object_agg(b.duty_line, b.beat_code ORDER BY b.duty_line)
                  FROM duty_lines l   -- each by its key: of a cell alone there is no index
                       JOIN beat_cells b ON b.grid_set_id = c.grid_set_id AND b.duty_line = l.code
                                        AND b.cell_code = c.cell_code),
      'duty_line', c.duty_line,
      'officer', (SELECT json_build_object('id', u.id, 'name', u.display_name) FROM users u WHERE u.id = c.officer_id),
      'department', c.department, 'pool', c.pool, 'due_at', c.due_at,
      'provisional', EXISTS (SELECT FROM clocks k WHERE k.case_id = c.id AND k.state <> 'stopped' AND k.provisional),
      'paused', c.suspended,
      'overdue', (c.due_at < $1::timestamptz AND c.state IN ('assigned', 'accepted', 'in_progress')) IS TRUE,
      'warned', EXISTS (SELECT FROM clocks k WHERE k.case_id = c.id AND k.state <> 'stopped' AND k.fired_level > 0),
      'exercise', c.exercise, 'version', c.version, 'assignment_id', c.assignment_id,
      'occurred_at', c.occurred_at, 'updated_at', c.updated_at)::text"""

_OFFICER: Final = """
    json_build_object(
      'id', o.user_id, 'name', u.display_name, 'duty_line', o.duty_line,
      'beat', (SELECT min(b.beat_code) FROM officer_beats b WHERE b.officer_id = o.user_id),
      'on_duty', o.on_duty, 'lon', ST_X(p.place), 'lat', ST_Y(p.place), 'accuracy_m', p.accuracy_m, 'at', p.taken_at,
      'open_cases', (SELECT count(*) FROM cases c
                      WHERE c.officer_id = o.user_id AND c.state IN ('assigned', 'accepted', 'in_progress')))::text"""

# Where an officer is, is shown while he is on duty.
_OFFICERS: Final = """
      officers o
      JOIN users u ON u.id = o.user_id AND u.active
      LEFT JOIN officer_positions p ON p.officer_id = o.user_id AND o.on_duty"""

# What live_officer_keys() gives for each of his grants, written out: called for each place of each officer, the
# function took two thirds of the time of numbering it (0.14 of 0.20 ms). A test holds the two together.
_OFFICER_KEYS: Final = """
    ARRAY(SELECT DISTINCT keys.key
            FROM grants g
           CROSS JOIN LATERAL (
                 SELECT g.division_code
                  UNION
                 SELECT unnest(d.path)
                   FROM divisions d
                  WHERE d.grid_set_id = (SELECT grid_set_at(city_now())) AND d.code = g.division_code) AS above (code)
           CROSS JOIN LATERAL (
                 VALUES ('officers@' || code), ('officers@' || code || '/line:' || o.duty_line)) AS keys (key)
           WHERE g.user_id = o.user_id AND g.role = 'officer')"""

_CAMERA: Final = """
    json_build_object(
      'code', k.code, 'name', k.name, 'lon', ST_X(k.place), 'lat', ST_Y(k.place), 'bearing_deg', k.bearing_deg,
      'state', CASE WHEN k.state = 'active' THEN camera_stands(h.heard_at, h.offline_since) ELSE k.state END,
      'heard_at', h.heard_at)::text"""

_ALARM: Final = """
    json_build_object(
      'id', a.id, 'kind', a.kind, 'case', a.case_id, 'camera', a.camera, 'severity', a.severity,
      'says', json_build_object('zh-CN', a.says, 'en', a.says_en), 'at', a.raised_at,
      'acknowledged', CASE WHEN a.acknowledged_at IS NOT NULL THEN
        (SELECT json_build_object('id', u.id, 'name', u.display_name, 'at', a.acknowledged_at)
           FROM users u WHERE u.id = a.acknowledged_by) END)::text"""


# Who wrote the verdict stands as user:<id>; a program writes none.
_REVIEW: Final = """
    json_build_object(
      'id', r.id, 'camera', r.camera, 'kind', r.kind, 'verdict', r.verdict, 'events', r.events,
      'opened_at', r.opened_at, 'verdict_by', CASE WHEN r.verdict IS NOT NULL THEN json_build_object(
        'id', r.verdict_by,
        'name', (SELECT u.display_name FROM users u WHERE 'user:' || u.id = r.verdict_by)) END)::text"""


# -- numbering ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Held:
    seq: int


# Whoever finds the row locked leaves it: another process gives the numbers at this moment.
HOLD = Statement(
    _Held,
    """
    SELECT seq
      FROM live_position
     WHERE EXISTS (SELECT FROM live_changes)
       FOR UPDATE SKIP LOCKED
    """,
)


@dataclass(frozen=True)
class Numbered:
    """How many changes were taken, and how many deltas they became."""

    changes: int
    deltas: int


# One statement, so that what is taken and what is read of it are of one moment. What several changes of one thing
# were taken for is told once, as it stands; who could see it at any time between is told that it is gone. Grants come
# first: nobody hears of a change that was committed after his grant was taken away.
NUMBER = Statement(
    Numbered,
    f"""
    WITH taken AS (
      DELETE FROM live_changes
       WHERE id IN (SELECT id FROM live_changes ORDER BY id LIMIT $3::integer)
      RETURNING id, kind, ref, was_keys, was_areas
    ), named AS (
      SELECT kind, ref, max(id) AS last_id FROM taken GROUP BY kind, ref
    ), opened AS (
      SELECT kind, ref, array_agg(DISTINCT key) AS keys FROM taken, unnest(was_keys) AS key GROUP BY kind, ref
    ), lay AS (
      SELECT kind, ref, array_agg(DISTINCT area) AS areas FROM taken, unnest(was_areas) AS area GROUP BY kind, ref
    ), numbered AS (
      SELECT kind, ref, coalesce(opened.keys, '{{}}') AS was_keys, coalesce(lay.areas, '{{}}') AS was_areas,
             $2::bigint + row_number() OVER (ORDER BY kind NOT IN ('scope', 'session'), last_id) AS seq,
             CASE WHEN kind IN ('case', 'officer', 'alarm', 'review') THEN ref::uuid END AS id
        FROM named
             LEFT JOIN opened USING (kind, ref)
             LEFT JOIN lay USING (kind, ref)
    ), told AS (
      INSERT INTO live_log (seq, at, kind, ref, keys, areas, was_keys, was_areas, body)
      SELECT n.seq, $1::timestamptz, n.kind, n.ref, coalesce(now_is.keys, '{{}}'), coalesce(now_is.areas, '{{}}'),
             n.was_keys, n.was_areas, now_is.body
        FROM numbered n
             LEFT JOIN LATERAL (
               SELECT c.seen_by AS keys, live_case_areas(c.divisions, c.desk_path, c.cell_code) AS areas,
                      {_CASE} AS body
                 FROM cases c
                WHERE n.kind = 'case' AND c.id = n.id
               UNION ALL
               SELECT {_OFFICER_KEYS}, '{{}}', {_OFFICER}
                 FROM {_OFFICERS}
                WHERE n.kind = 'officer' AND o.user_id = n.id
               UNION ALL
               SELECT live_camera_keys(k.divisions), k.divisions, {_CAMERA}
                 FROM cameras k
                      LEFT JOIN camera_health h ON h.camera = k.code
                WHERE n.kind = 'camera' AND k.code = n.ref
               UNION ALL
               SELECT coalesce(c.seen_by, live_camera_keys(k.divisions)),
                      coalesce(live_case_areas(c.divisions, c.desk_path, c.cell_code), k.divisions), {_ALARM}
                 FROM alarms a
                      LEFT JOIN cases c ON c.id = a.case_id
                      LEFT JOIN cameras k ON k.code = a.camera
                WHERE n.kind = 'alarm' AND a.id = n.id
               UNION ALL
               SELECT ARRAY(SELECT 'reviews@' || key FROM unnest(r.seen_by) AS key), '{{}}', {_REVIEW}
                 FROM camera_reviews r
                WHERE n.kind = 'review' AND r.id = n.id
             ) AS now_is ON true
      RETURNING seq
    ), moved AS (
      UPDATE live_position SET seq = seq + (SELECT count(*) FROM told) RETURNING seq
    )
    SELECT (SELECT count(*) FROM taken)::integer AS changes,
           (SELECT count(*) FROM told)::integer AS deltas
      FROM moved
    """,  # noqa: S608 - constants of ours
)

PRUNE = Statement(
    Nothing,
    """
    DELETE FROM live_log
     WHERE seq <= $1::bigint
        OR at < $2::timestamptz
    """,
)


async def number(conn: Conn, now: datetime, limit: int) -> int:
    """Give numbers to up to `limit` changes that were committed; how many were taken.

    0: there is none, or another process is at it. In a transaction of its own, as the service: whatever else
    holds the lock delays the feed.
    """
    held = await HOLD.one(conn)
    if held is None:
        return 0
    done = await NUMBER.one(conn, now, held.seq, limit)
    return 0 if done is None else done.changes


async def prune(conn: Conn, seq: int, now: datetime) -> None:
    """Forget what is older than the last LOG_ROWS before `seq`, or than LOG_FOR."""
    await PRUNE.run(conn, seq - LOG_ROWS, now - LOG_FOR)


# -- reading -----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Position:
    """How far the feed is. `pending`: something was committed that has no number yet."""

    epoch: str
    seq: int
    at: datetime
    pending: bool


# The epoch is another one wherever numbers could mean something else than before: in a restored dump (the table's
# file, the database), on another server, after a recovery to a point in time or on a promoted standby (the timeline).
POSITION = Statement(
    Position,
    """
    SELECT left(md5(concat_ws(' ', p.epoch, s.system_identifier, left(pg_walfile_name(pg_current_wal_lsn()), 8), d.oid,
                              pg_relation_filenode('live_log'))), 16) AS epoch,
           p.seq, city_now() AS at, EXISTS (SELECT FROM live_changes) AS pending
      FROM live_position p, pg_control_system() s, pg_database d
     WHERE d.datname = current_database()
    """,
)


async def position(conn: Conn) -> Position:
    """How far the feed is, and the city's now."""
    found = await POSITION.one(conn)
    assert found is not None  # noqa: S101 - one row by constraint
    return found


@dataclass(frozen=True)
class LogRow:
    """One delta of the feed; `body` is the JSON that clients get, None for what is there no more, and for grants."""

    seq: int
    at: datetime
    kind: str
    ref: str
    keys: list[str]
    areas: list[str]
    was_keys: list[str]
    was_areas: list[str]
    body: str | None


AFTER = Statement(
    LogRow,
    """
    SELECT seq, at, kind, ref, keys, areas, was_keys, was_areas, body
      FROM live_log
     WHERE seq > $1::bigint
       AND seq <= $2::bigint
     ORDER BY seq
     LIMIT $3::integer
    """,
)


# -- a snapshot --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Body:
    """One thing as clients get it: JSON."""

    body: str


CASES_OPEN = Statement(
    Body,
    f"""
    SELECT {_CASE} AS body
      FROM cases c
     WHERE c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
       AND c.seen_by && $2::text[]
     ORDER BY c.id
    """,  # noqa: S608 - constants of ours
)

CASES_OF_ONES_OWN = Statement(
    Body,
    f"""
    SELECT {_CASE} AS body
      FROM cases c
     WHERE c.seen_by && ARRAY[$2::text]
       AND NOT c.seen_by && $3::text[]
       AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
     ORDER BY c.id
    """,  # noqa: S608 - constants of ours
)

OFFICERS_SEEN = Statement(
    Body,
    f"""
    SELECT {_OFFICER} AS body
      FROM {_OFFICERS}
     WHERE {_OFFICER_KEYS} && $1::text[]
     ORDER BY o.user_id
    """,  # noqa: S608 - constants of ours
)

CAMERAS_SEEN = Statement(
    Body,
    f"""
    SELECT {_CAMERA} AS body
      FROM cameras k
           LEFT JOIN camera_health h ON h.camera = k.code
     WHERE live_camera_keys(k.divisions) && $1::text[]
     ORDER BY k.code
    """,  # noqa: S608 - constants of ours
)


@dataclass(frozen=True)
class Snapshot:
    """All that somebody may see, of one moment; bodies are JSON."""

    position: Position
    cases: list[str]
    officers: list[str]
    cameras: list[str]


async def snapshot(conn: Conn, keys: Collection[str], now: datetime) -> Snapshot:
    """Everything that `keys` open, with the number up to which it is told at least.

    In a transaction that sees one moment, under the scope of whoever has these keys; it ends as the service's. Whatever
    was committed and not numbered then is in it already, and comes again as a delta.
    """
    wanted = sorted(keys)
    at = await position(conn)
    cases = [row.body for row in await CASES_OPEN.all(conn, now, wanted)]
    cameras = [row.body for row in await CAMERAS_SEEN.all(conn, wanted)]
    await act_as_service(conn)  # what an officer has in hand is counted whole, as in the feed
    officers = [row.body for row in await OFFICERS_SEEN.all(conn, wanted)]
    return Snapshot(position=at, cases=cases, officers=officers, cameras=cameras)


async def cases_of_ones_own(conn: Conn, own: str, keys: Collection[str], now: datetime) -> list[str]:
    """Open cases that the key `own` opens and none of `keys` does: JSON."""
    return [row.body for row in await CASES_OF_ONES_OWN.all(conn, now, own, sorted(keys))]


# -- who watches -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WatcherRow:
    """An active user's grants, as parallel lists."""

    user_id: UUID
    roles: list[str]
    divisions: list[str]
    departments: list[str | None]
    duty_lines: list[str | None]


GRANTS_OF = Statement(
    WatcherRow,
    """
    SELECT u.id AS user_id,
           coalesce(array_agg(g.role) FILTER (WHERE g.role IS NOT NULL), '{}') AS roles,
           coalesce(array_agg(g.division_code) FILTER (WHERE g.role IS NOT NULL), '{}') AS divisions,
           coalesce(array_agg(g.department) FILTER (WHERE g.role IS NOT NULL), '{}') AS departments,
           coalesce(array_agg(g.duty_line) FILTER (WHERE g.role IS NOT NULL), '{}') AS duty_lines
      FROM users u
           LEFT JOIN grants g ON g.user_id = u.id
     WHERE u.id = ANY ($1::uuid[])
       AND u.active
     GROUP BY u.id
    """,
)


async def grants_of(conn: Conn, users: Sequence[UUID]) -> list[WatcherRow]:
    """What each of `users` is granted; who is not active is not among them."""
    return await GRANTS_OF.all(conn, users)
