"""The tables `camera_events` and `camera_counts`: what cameras have said, and what became of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import NamedTuple
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store import camera_pictures
from gridsvc.store.day_partitions import days_of


class NewEvent(NamedTuple):
    """One event on its way into the table, in the order of its columns. `outcome` is set where it is decided already.

    A tuple, since thousands at once are turned from rows into columns.
    """

    id: UUID
    camera: str
    protocol: str
    key: str
    kind: str
    phase: str
    at: datetime
    zone: str
    target: str
    score: float | None
    lon: float | None
    lat: float | None
    stands_for: int  # observations
    taken_back: bool
    snapshots: str  # addresses, one to a line
    digest: UUID
    raw: bytes
    sent_by: str
    outcome: str | None = None
    outcome_reason: str = ""


# Columns, not JSON text: 10 µs a row less, and bytes stay bytes. The addresses travel as one text each, since an
# array of arrays must be a rectangle. COPY is refused to a role that row-level security binds.
_ADD = Statement(
    Nothing,
    """
    INSERT INTO camera_events (
           id, camera, protocol, key, kind, phase, at, received_at, zone, target, score, lon, lat, count, taken_back,
           snapshots, digest, raw, sent_by, outcome, outcome_reason)
    SELECT id, camera, protocol, key, kind, phase, at, $1::timestamptz, zone, target, score, lon, lat, count,
           taken_back, string_to_array(snapshots, E'\\n'), digest, raw, sent_by, outcome, outcome_reason
      FROM unnest($2::uuid[], $3::text[], $4::text[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
                  $9::text[], $10::text[], $11::float8[], $12::float8[], $13::float8[], $14::integer[],
                  $15::boolean[], $16::text[], $17::uuid[], $18::bytea[], $19::text[], $20::text[], $21::text[])
        AS u (id, camera, protocol, key, kind, phase, at, zone, target, score, lon, lat, count, taken_back,
              snapshots, digest, raw, sent_by, outcome, outcome_reason)
    """,
)


async def add(conn: Conn, events: Sequence[NewEvent], now: datetime) -> None:
    """Keep new events, received `now`."""
    if not events:
        return
    await _ADD.run(conn, now, *zip(*events, strict=True))


@dataclass(frozen=True)
class _Digest:
    digest: UUID


# One look for each digest, whatever the planner believes: as `digest = ANY (…)` it may hold a new day for so small that
# it reads all of it instead, and stays with that plan while the day fills (seen: three times the cost of all the rest).
KNOWN = Statement(
    _Digest,
    """
    SELECT u.digest
      FROM unnest($1::uuid[]) AS u (digest)
     CROSS JOIN LATERAL (SELECT
                           FROM camera_events e
                          WHERE e.digest = u.digest
                            AND e.received_at > $2::timestamptz
                          LIMIT 1) AS before
    """,
)


async def known(conn: Conn, digests: Sequence[UUID], since: datetime) -> set[UUID]:
    """Which of `digests` were received after `since`."""
    return {row.digest for row in await KNOWN.all(conn, digests, since)}


# -- counts ------------------------------------------------------------------------------------------

_COUNT = Statement(
    Nothing,
    """
    INSERT INTO camera_counts AS c (camera, hour, outcome, reason, events)
    SELECT u.camera, date_trunc('hour', $1::timestamptz, 'UTC'), u.outcome, u.reason, u.events
      FROM unnest($2::text[], $3::text[], $4::text[], $5::bigint[]) AS u (camera, outcome, reason, events)
     ORDER BY u.camera, u.outcome, u.reason
        ON CONFLICT (camera, hour, outcome, reason) DO UPDATE SET events = c.events + excluded.events
    """,
)

Count = tuple[str, str, str]
"""Camera ('' where nobody knows which), outcome, reason."""


async def count(conn: Conn, counted: Counter[Count], now: datetime) -> None:
    """Add to the counts of the hour of `now`; in one order, so that two never wait for each other."""
    if counted:
        names = sorted(counted)
        await _COUNT.run(
            conn, now, [n[0] for n in names], [n[1] for n in names], [n[2] for n in names], [counted[n] for n in names]
        )


# -- the worker's side -------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Camera:
    camera: str


# Two statements: what another worker has just decided is seen only by a snapshot that is taken after the lock.
_CLAIM = Statement(
    _Camera,
    """
    WITH waiting AS MATERIALIZED (
      SELECT DISTINCT camera
        FROM (SELECT camera
                FROM camera_events
               WHERE outcome IS NULL AND incident_id IS NULL
               ORDER BY received_at
               LIMIT $1::integer) AS oldest
    )
    SELECT camera
      FROM waiting
     WHERE pg_try_advisory_xact_lock(hashtext('camera events'), hashtext(camera))
     ORDER BY camera
    """,
)


@dataclass(frozen=True)
class NewlyKept:
    """An event that nobody has looked at yet."""

    id: UUID
    camera: str
    key: str
    kind: str
    phase: str
    at: datetime
    received_at: datetime
    zone: str
    target: str
    lon: float | None
    lat: float | None
    taken_back: bool


_NEW = Statement(
    NewlyKept,
    """
    SELECT id, camera, key, kind, phase, at, received_at, zone, target, lon, lat, taken_back
      FROM camera_events
     WHERE outcome IS NULL
       AND incident_id IS NULL
       AND camera = ANY ($1::text[])
     ORDER BY received_at, id
     LIMIT $2::integer
    """,
)


async def claim_new(conn: Conn, limit: int) -> list[NewlyKept]:
    """Up to `limit` events that nobody has looked at, the oldest first, of cameras that are this transaction's alone.

    What other workers hold is passed over.
    """
    cameras = [row.camera for row in await _CLAIM.all(conn, limit)]
    return await _NEW.all(conn, cameras, limit) if cameras else []


@dataclass(frozen=True, kw_only=True)
class Decided:
    """What became of an event, or where it waits."""

    id: UUID
    received_at: datetime
    outcome: str | None = None
    reason: str = ""
    incident_id: UUID | None = None
    review_id: UUID | None = None
    case_id: UUID | None = None


_DECIDE = Statement(
    Nothing,
    """
    UPDATE camera_events AS e
       SET outcome = u.outcome, outcome_reason = u.reason, incident_id = u.incident_id, review_id = u.review_id,
           case_id = u.case_id
      FROM unnest($1::uuid[], $2::timestamptz[], $3::text[], $4::text[], $5::uuid[], $6::uuid[], $7::uuid[])
        AS u (id, received_at, outcome, reason, incident_id, review_id, case_id)
     WHERE e.received_at = u.received_at
       AND e.id = u.id
    """,
)


async def decide(conn: Conn, decided: Sequence[Decided]) -> None:
    """Write what became of events."""
    if decided:
        await _DECIDE.run(
            conn, [d.id for d in decided], [d.received_at for d in decided], [d.outcome for d in decided],
            [d.reason for d in decided], [d.incident_id for d in decided], [d.review_id for d in decided],
            [d.case_id for d in decided],
        )  # fmt: skip
        await camera_pictures.follow(
            conn, [(d.id, d.case_id, d.review_id) for d in decided if d.case_id is not None or d.review_id is not None]
        )


@dataclass(frozen=True)
class WithItsGroup:
    """An event that waits with its incident; `taken_back` where its device has said so in any message."""

    id: UUID
    camera: str
    key: str
    phase: str
    kind: str
    zone: str
    target: str
    at: datetime
    received_at: datetime
    incident_id: UUID
    taken_back: bool
    came_to_nothing: str | None  # of what its device has told before of the same


OF_INCIDENTS = Statement(
    WithItsGroup,
    """
    SELECT e.id, e.camera, e.key, e.phase, e.kind, e.zone, e.target, e.at, e.received_at, e.incident_id,
           e.taken_back OR coalesce(s.taken_back, false) AS taken_back, s.came_to_nothing
      FROM camera_events e
      LEFT JOIN camera_sightings s ON s.camera = e.camera AND s.key = e.key
     WHERE e.outcome IS NULL
       AND e.incident_id = ANY ($1::uuid[])
     ORDER BY e.at, e.id
    """,
)

# What a person has judged: it goes on to its incident, or nothing comes of it.
JUDGED = Statement(
    Nothing,
    """
    UPDATE camera_events
       SET outcome = $2::text, outcome_reason = $3::text, incident_id = $4::uuid
     WHERE review_id = $1::uuid
       AND outcome = 'review'
    """,
)


@dataclass(frozen=True)
class Evidence:
    """An event that led to a case."""

    id: UUID
    camera: str
    kind: str
    phase: str
    zone: str
    target: str
    score: float | None
    at: datetime
    received_at: datetime
    outcome: str
    snapshots: list[str]


OF_CASE = Statement(
    Evidence,
    """
    SELECT e.id, e.camera, e.kind, e.phase, e.zone, e.target, e.score, e.at, e.received_at, e.outcome, e.snapshots
      FROM camera_events e
      JOIN cases c ON c.id = e.case_id
     WHERE e.case_id = $1::uuid
       AND c.seen_by && $2::text[]
       AND ($3::timestamptz IS NULL OR (e.at, e.id) > ($3::timestamptz, $4::uuid))
     ORDER BY e.at, e.id
     LIMIT $5::integer
    """,
)

# -- days --------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Made:
    made: bool


_MAKE_DAY = Statement(_Made, "SELECT camera_events_make_day($1::date) AS made")
_DROP_DAY = Statement(_Made, "SELECT camera_events_drop_day($1::date) AS made")


async def days(conn: Conn) -> list[date]:
    """The days that have a partition, the oldest first."""
    return await days_of(conn, "camera_events")


async def make_day(conn: Conn, day: date) -> bool:
    """Make the partition of a day (UTC); False where it is there."""
    row = await _MAKE_DAY.one(conn, day)
    return row is not None and row.made


async def drop_day(conn: Conn, day: date) -> bool:
    """Count what became of the events of a day, and drop them; False where some are undecided."""
    row = await _DROP_DAY.one(conn, day)
    return row is not None and row.made


# -- the ledger --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Balance:
    """One camera and hour: how much came, and what became of it. `waiting` is not decided yet."""

    camera: str
    hour: datetime
    received: int
    duplicate: int
    opened: int
    joined: int
    suppressed: int
    rejected: int
    review: int
    quarantined: int
    waiting: int


BALANCES = Statement(
    Balance,
    """
    WITH said AS (
      SELECT camera, hour, outcome, events FROM camera_counts WHERE hour >= $1::timestamptz
       UNION ALL
      SELECT camera, date_trunc('hour', received_at, 'UTC'), coalesce(outcome, 'waiting'), count(*)
        FROM camera_events
       WHERE received_at >= $1::timestamptz
       GROUP BY 1, 2, 3
    )
    SELECT camera, hour,
           coalesce(sum(events) FILTER (WHERE outcome = 'received'), 0)::bigint AS received,
           coalesce(sum(events) FILTER (WHERE outcome = 'duplicate'), 0)::bigint AS duplicate,
           coalesce(sum(events) FILTER (WHERE outcome = 'opened'), 0)::bigint AS opened,
           coalesce(sum(events) FILTER (WHERE outcome = 'joined'), 0)::bigint AS joined,
           coalesce(sum(events) FILTER (WHERE outcome = 'suppressed'), 0)::bigint AS suppressed,
           coalesce(sum(events) FILTER (WHERE outcome = 'rejected'), 0)::bigint AS rejected,
           coalesce(sum(events) FILTER (WHERE outcome = 'review'), 0)::bigint AS review,
           coalesce(sum(events) FILTER (WHERE outcome = 'quarantined'), 0)::bigint AS quarantined,
           coalesce(sum(events) FILTER (WHERE outcome = 'waiting'), 0)::bigint AS waiting
      FROM said
     GROUP BY camera, hour
     ORDER BY hour, camera
    """,
)


def totals(balances: Sequence[Balance]) -> Mapping[str, int]:
    """The sum of every column, by name."""
    names = ("received", "duplicate", "opened", "joined", "suppressed", "rejected", "review", "quarantined", "waiting")
    return {name: sum(getattr(each, name) for each in balances) for name in names}


def balances(each: Balance) -> bool:
    """Whether what came is what became of it."""
    return each.received == (
        each.duplicate + each.opened + each.joined + each.suppressed + each.rejected + each.review
        + each.quarantined + each.waiting
    )  # fmt: skip
