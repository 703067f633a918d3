"""The tables `camera_incidents` and `camera_sightings`: what goes on, and how each device tells it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from events.storm import Sighting
from gridsvc.db import Conn, Nothing, Statement

# -- sightings ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SightingRow:
    """One incident as a device tells it. `incident_id` None: nothing has come of it yet.

    `came_to_nothing` is why nothing came of it, and is written by a function of its own.
    """

    camera: str
    key: str
    kind: str
    zone: str
    target: str
    first_at: datetime
    last_at: datetime
    heard_at: datetime
    ended: bool
    taken_back: bool
    messages: int
    incident_id: UUID | None
    came_to_nothing: str | None = None

    def sighting(self) -> Sighting:
        """As decisions know it."""
        return Sighting(
            first_at=self.first_at, last_at=self.last_at, heard_at=self.heard_at, ended=self.ended,
            taken_back=self.taken_back, messages=self.messages,
        )  # fmt: skip


_SIGHTINGS = Statement(
    SightingRow,
    """
    SELECT s.camera, s.key, s.kind, s.zone, s.target, s.first_at, s.last_at, s.heard_at, s.ended, s.taken_back,
           s.messages, s.incident_id, s.came_to_nothing
      FROM unnest($1::text[], $2::text[]) AS u (camera, key)
      JOIN camera_sightings s ON s.camera = u.camera AND s.key = u.key
    """,
)

# '0' is the letter after '/': all keys that begin with the lane's and a slash, by the primary key.
_IN_LANES = Statement(
    SightingRow,
    """
    SELECT s.camera, s.key, s.kind, s.zone, s.target, s.first_at, s.last_at, s.heard_at, s.ended, s.taken_back,
           s.messages, s.incident_id, s.came_to_nothing
      FROM unnest($1::text[], $2::text[]) AS u (camera, key)
      JOIN camera_sightings s ON s.camera = u.camera AND s.key > u.key || '/' AND s.key < u.key || '0'
    """,
)


async def sightings(conn: Conn, wanted: Sequence[tuple[str, str]]) -> dict[tuple[str, str], SightingRow]:
    """Those of `wanted` (camera and key) that are known."""
    rows = await _SIGHTINGS.all(conn, [camera for camera, _ in wanted], [key for _, key in wanted])
    return {(row.camera, row.key): row for row in rows}


async def in_lanes(conn: Conn, lanes: Sequence[tuple[str, str]]) -> dict[tuple[str, str], SightingRow]:
    """What is known of each zone of these lanes (camera and key of the whole lane)."""
    rows = await _IN_LANES.all(conn, [camera for camera, _ in lanes], [key for _, key in lanes]) if lanes else []
    return {(row.camera, row.key): row for row in rows}


_KEEP_SIGHTINGS = Statement(
    Nothing,
    """
    INSERT INTO camera_sightings (camera, key, kind, zone, target, first_at, last_at, heard_at, ended, taken_back,
                                  messages, incident_id)
    SELECT camera, key, kind, zone, target, first_at, last_at, heard_at, ended, taken_back, messages, incident_id
      FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::timestamptz[], $7::timestamptz[],
                  $8::timestamptz[], $9::boolean[], $10::boolean[], $11::bigint[], $12::uuid[])
        AS u (camera, key, kind, zone, target, first_at, last_at, heard_at, ended, taken_back, messages, incident_id)
     ORDER BY camera, key
        ON CONFLICT (camera, key) DO UPDATE
       SET first_at = excluded.first_at, last_at = excluded.last_at, heard_at = excluded.heard_at,
           ended = excluded.ended, taken_back = excluded.taken_back, messages = excluded.messages,
           incident_id = excluded.incident_id
    """,
)


async def keep_sightings(conn: Conn, rows: Sequence[SightingRow]) -> None:
    """Write sightings of cameras that this transaction has claimed."""
    if rows:
        await _KEEP_SIGHTINGS.run(
            conn, [r.camera for r in rows], [r.key for r in rows], [r.kind for r in rows], [r.zone for r in rows],
            [r.target for r in rows], [r.first_at for r in rows], [r.last_at for r in rows],
            [r.heard_at for r in rows], [r.ended for r in rows], [r.taken_back for r in rows],
            [r.messages for r in rows], [r.incident_id for r in rows],
        )  # fmt: skip


_CAME_TO_NOTHING = Statement(
    Nothing,
    """
    WITH held AS (
      SELECT s.camera, s.key, u.why
        FROM unnest($1::text[], $2::text[], $3::text[]) AS u (camera, key, why)
        JOIN camera_sightings s ON s.camera = u.camera AND s.key = u.key
       ORDER BY s.camera, s.key
         FOR UPDATE OF s
    )
    UPDATE camera_sightings AS s
       SET came_to_nothing = nullif(held.why, '')
      FROM held
     WHERE s.camera = held.camera
       AND s.key = held.key
    """,
)


async def came_to_nothing(conn: Conn, why: Mapping[tuple[str, str], str]) -> None:
    """Write why nothing came of these sightings (camera and key); "" where something does after all."""
    if why:
        names = sorted(why)
        await _CAME_TO_NOTHING.run(conn, [n[0] for n in names], [n[1] for n in names], [why[n] for n in names])


@dataclass(frozen=True)
class Blinded:
    """A camera of which something still says that it cannot see."""

    camera: str
    kind: str
    ended: bool
    heard_at: datetime


BLINDED = Statement(
    Blinded,
    """
    SELECT camera, kind, ended, heard_at
      FROM camera_sightings
     WHERE camera = ANY ($1::text[])
       AND kind = ANY ($2::text[])
       AND NOT ended
    """,
)

# -- incidents ---------------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Touch:
    """Something that goes on was seen, or seen again."""

    id: UUID  # of the incident, should it be a new one
    group_key: str
    camera: str
    edition: str
    category: str
    cell_code: str
    lon: float
    lat: float
    first_at: datetime
    last_at: datetime
    due_at: datetime


@dataclass(frozen=True)
class IncidentRow:
    """What goes on at a place. `due_at` None: it is decided; `case_id` None then: nothing came of it."""

    id: UUID
    group_key: str
    camera: str
    edition: str
    category: str
    cell_code: str
    lon: float
    lat: float
    first_at: datetime
    last_at: datetime
    due_at: datetime | None
    events: int
    cameras: list[str]
    case_id: UUID | None
    decided_at: datetime | None
    told_at: datetime | None
    case_state: str | None


_TOUCH = Statement(
    IncidentRow,
    """
    WITH touched AS (
      INSERT INTO camera_incidents AS i (id, group_key, camera, edition, category, cell_code, lon, lat, first_at,
                                         last_at, heard_at, due_at)
      SELECT id, group_key, camera, edition, category, cell_code, lon, lat, first_at, last_at, $1::timestamptz, due_at
        FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::float8[],
                    $9::float8[], $10::timestamptz[], $11::timestamptz[], $12::timestamptz[])
          AS u (id, group_key, camera, edition, category, cell_code, lon, lat, first_at, last_at, due_at)
       ORDER BY group_key
          ON CONFLICT (group_key) WHERE over_at IS NULL DO UPDATE
         SET first_at = least(i.first_at, excluded.first_at), last_at = greatest(i.last_at, excluded.last_at),
             heard_at = $1::timestamptz
      RETURNING i.*
    )
    SELECT t.id, t.group_key, t.camera, t.edition, t.category, t.cell_code, t.lon, t.lat, t.first_at, t.last_at,
           t.due_at, t.events, t.cameras, t.case_id, t.decided_at, t.told_at, c.state AS case_state
      FROM touched t
      LEFT JOIN cases c ON c.id = t.case_id
    """,
)


async def touch(conn: Conn, touches: Sequence[Touch], now: datetime) -> dict[str, IncidentRow]:
    """What goes on under these keys, begun or continued; by key. One touch per key. Locked until the end."""
    if not touches:
        return {}
    rows = await _TOUCH.all(
        conn, now, [t.id for t in touches], [t.group_key for t in touches], [t.camera for t in touches],
        [t.edition for t in touches], [t.category for t in touches], [t.cell_code for t in touches],
        [t.lon for t in touches], [t.lat for t in touches], [t.first_at for t in touches],
        [t.last_at for t in touches], [t.due_at for t in touches],
    )  # fmt: skip
    return {row.group_key: row for row in rows}


_BY_ID = Statement(
    IncidentRow,
    """
    SELECT i.id, i.group_key, i.camera, i.edition, i.category, i.cell_code, i.lon, i.lat, i.first_at, i.last_at,
           i.due_at, i.events, i.cameras, i.case_id, i.decided_at, i.told_at, c.state AS case_state
      FROM camera_incidents i
      LEFT JOIN cases c ON c.id = i.case_id
     WHERE i.id = ANY ($1::uuid[])
    """,
)


async def by_id(conn: Conn, ids: Sequence[UUID]) -> dict[UUID, IncidentRow]:
    """Incidents by their ids, those that are over too; not locked."""
    return {row.id: row for row in await _BY_ID.all(conn, ids)} if ids else {}


LOCK_DUE = Statement(
    IncidentRow,
    """
    SELECT i.id, i.group_key, i.camera, i.edition, i.category, i.cell_code, i.lon, i.lat, i.first_at, i.last_at,
           i.due_at, i.events, i.cameras, i.case_id, i.decided_at, i.told_at,
           (SELECT c.state FROM cases c WHERE c.id = i.case_id) AS case_state
      FROM camera_incidents i
     WHERE i.due_at <= $1::timestamptz
     ORDER BY i.due_at, i.id
     LIMIT $2::integer
       FOR UPDATE SKIP LOCKED
    """,
)

# Cases of one category are opened by one worker at a time: two that see one thing in two cells must not open two.
LOCK_CATEGORIES = Statement(
    Nothing,
    """
    SELECT pg_advisory_xact_lock(hashtext('camera cases'), hashtext(category))
      FROM (SELECT unnest($1::text[]) AS category ORDER BY 1) AS sorted
    """,
)


@dataclass(frozen=True)
class _OpenNear:
    incident_id: UUID
    case_id: UUID


OPEN_NEAR = Statement(
    _OpenNear,
    """
    WITH asked AS MATERIALIZED (
      SELECT u.*, ST_SetSRID(ST_MakePoint(u.lon, u.lat), 4326)::geography AS here, g.duplicate_radius_m AS radius_m,
             ARRAY(SELECT (x * 1000000 + y)::bigint
                     FROM generate_series(floor((u.lon - s.east) * 1000)::bigint,
                                          floor((u.lon + s.east) * 1000)::bigint) AS x,
                          generate_series(floor((u.lat - s.north) * 1000)::bigint,
                                          floor((u.lat + s.north) * 1000)::bigint) AS y) AS squares
        FROM unnest($1::uuid[], $2::text[], $3::text[], $4::float8[], $5::float8[])
               AS u (incident_id, edition, category, lon, lat)
        JOIN categories g ON g.edition = u.edition AND g.code = u.category
       CROSS JOIN LATERAL (SELECT g.duplicate_radius_m / 110000 AS north,
                                  g.duplicate_radius_m / (110000 * cos(radians(u.lat))) AS east) s
    )
    SELECT w.incident_id, near.id AS case_id
      FROM asked w
     CROSS JOIN LATERAL (
           SELECT c.id
             FROM cases c
            WHERE c.category = w.category
              AND c.square = ANY (w.squares)
              AND c.edition = w.edition
              AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
              AND NOT c.exercise
              AND ST_DWithin(c.place::geography, w.here, w.radius_m)
            ORDER BY ST_Distance(c.place::geography, w.here), c.reported_at, c.id
            LIMIT 1
           ) near
    """,
)


async def open_near(conn: Conn, incidents: Sequence[IncidentRow]) -> dict[UUID, UUID]:
    """The nearest open case of the same category within the category's radius of duplicates, by incident."""
    rows = await OPEN_NEAR.all(
        conn, [i.id for i in incidents], [i.edition for i in incidents], [i.category for i in incidents],
        [i.lon for i in incidents], [i.lat for i in incidents],
    )  # fmt: skip
    return {row.incident_id: row.case_id for row in rows}


@dataclass(frozen=True, kw_only=True)
class Change:
    """What becomes of a locked incident: decided, to be decided anew (`due_at`), told of, or over."""

    id: UUID
    due_at: datetime | None
    events: int
    cameras: Sequence[str]
    case_id: UUID | None
    decided_at: datetime | None
    told_at: datetime | None
    over_at: datetime | None = None


_CHANGE = Statement(
    Nothing,
    """
    UPDATE camera_incidents AS i
       SET due_at = u.due_at, events = u.events, cameras = string_to_array(u.cameras, ','), case_id = u.case_id,
           decided_at = u.decided_at, told_at = u.told_at, over_at = u.over_at
      FROM unnest($1::uuid[], $2::timestamptz[], $3::bigint[], $4::text[], $5::uuid[], $6::timestamptz[],
                  $7::timestamptz[], $8::timestamptz[])
        AS u (id, due_at, events, cameras, case_id, decided_at, told_at, over_at)
     WHERE i.id = u.id
    """,
)


async def change(conn: Conn, changes: Sequence[Change]) -> None:
    """Write what became of locked incidents."""
    if changes:
        await _CHANGE.run(
            conn, [c.id for c in changes], [c.due_at for c in changes], [c.events for c in changes],
            [",".join(c.cameras) for c in changes], [c.case_id for c in changes], [c.decided_at for c in changes],
            [c.told_at for c in changes], [c.over_at for c in changes],
        )  # fmt: skip


@dataclass(frozen=True, kw_only=True)
class MoreEvents:
    """So many events more led to the case of an incident; its cameras now."""

    id: UUID
    events: int
    cameras: Sequence[str]
    told_at: datetime | None


_ADD_EVENTS = Statement(
    Nothing,
    """
    UPDATE camera_incidents AS i
       SET events = i.events + u.events, cameras = string_to_array(u.cameras, ','), told_at = u.told_at
      FROM unnest($1::uuid[], $2::bigint[], $3::text[], $4::timestamptz[]) AS u (id, events, cameras, told_at)
     WHERE i.id = u.id
    """,
)


async def add_events(conn: Conn, more: Sequence[MoreEvents]) -> None:
    """Count events that joined."""
    if more:
        await _ADD_EVENTS.run(
            conn, [m.id for m in more], [m.events for m in more], [",".join(m.cameras) for m in more],
            [m.told_at for m in more],
        )  # fmt: skip


_DUE_NOW = Statement(
    Nothing, "UPDATE camera_incidents SET due_at = $2::timestamptz WHERE id = ANY ($1::uuid[]) AND due_at IS NULL"
)


async def due_now(conn: Conn, ids: Sequence[UUID], now: datetime) -> None:
    """Let these be decided anew."""
    if ids:
        await _DUE_NOW.run(conn, ids, now)


END_SILENT = Statement(
    Nothing,
    """
    UPDATE camera_incidents
       SET over_at = $1::timestamptz
     WHERE id IN (SELECT id
                    FROM camera_incidents
                   WHERE over_at IS NULL
                     AND due_at IS NULL
                     AND heard_at < $2::timestamptz
                   ORDER BY id
                     FOR UPDATE SKIP LOCKED)
    """,
)


@dataclass(frozen=True)
class SeenOfCase:
    """One incident that led to a case."""

    id: UUID
    cameras: list[str]
    events: int
    first_at: datetime
    last_at: datetime
    over_at: datetime | None


OF_CASE = Statement(
    SeenOfCase,
    """
    SELECT i.id, i.cameras, i.events, i.first_at, i.last_at, i.over_at
      FROM camera_incidents i
      JOIN cases c ON c.id = i.case_id
     WHERE i.case_id = $1::uuid
       AND c.seen_by && $2::text[]
     ORDER BY i.first_at, i.id
    """,
)


