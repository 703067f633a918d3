"""The latest place of each officer, the way he has come, and the trackers that may report it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.position import TRAIL_APART, Judged


@dataclass(frozen=True)
class Before:
    """What was known before a batch. `is_officer` False: nothing can be kept for this user."""

    is_officer: bool
    taken_at: datetime | None


# The reading sees the row as it was before the write beside it: both work on one snapshot. Of two batches
# at once the WHERE of the update, looked at again under the row's lock, keeps the newer fix.
# $7 to $10: what the way is made of, while he is on duty, unless a fix close to it in time is kept already.
KEEP = Statement(
    Before,
    """
    WITH kept AS (
      INSERT INTO officer_positions AS p (officer_id, place, accuracy_m, taken_at, received_at)
      SELECT user_id, ST_SetSRID(ST_MakePoint($2::float8, $3::float8), 4326), $4::float8,
             $5::timestamptz, $6::timestamptz
        FROM officers
       WHERE user_id = $1::uuid
          ON CONFLICT (officer_id) DO UPDATE
         SET place = excluded.place, accuracy_m = excluded.accuracy_m,
             taken_at = excluded.taken_at, received_at = excluded.received_at
       WHERE p.taken_at < excluded.taken_at
    ), went AS (
      INSERT INTO officer_trails (officer_id, taken_at, place, accuracy_m)
      SELECT o.user_id, f.taken_at, ST_SetSRID(ST_MakePoint(f.lon, f.lat), 4326), f.accuracy_m
        FROM officers o,
             unnest($7::timestamptz[], $8::float8[], $9::float8[], $10::float8[]) AS f (taken_at, lon, lat, accuracy_m)
       WHERE o.user_id = $1::uuid
         AND o.on_duty
         AND NOT EXISTS (SELECT FROM officer_trails t
                          WHERE t.officer_id = $1::uuid
                            AND t.taken_at > f.taken_at - $11::interval AND t.taken_at < f.taken_at + $11::interval)
          ON CONFLICT DO NOTHING
    )
    SELECT EXISTS (SELECT FROM officers WHERE user_id = $1::uuid) AS is_officer,
           (SELECT taken_at FROM officer_positions WHERE officer_id = $1::uuid) AS taken_at
    """,
)


async def keep(conn: Conn, officer_id: UUID, fix: Judged, way: Sequence[Judged], now: datetime) -> Before:
    """Make `fix` the officer's latest place unless a newer one is known; say what was known before.

    `way`: what is added to his trail. All were judged good.
    """
    place = fix.place
    assert place is not None  # noqa: S101 - only a fix that was judged good is kept
    went = [(each.taken_at, each.place) for each in way if each.place is not None]
    before = await KEEP.one(
        conn, officer_id, place.lon, place.lat, place.accuracy_m, fix.taken_at, now, [at for at, _ in went],
        [at.lon for _, at in went], [at.lat for _, at in went], [at.accuracy_m for _, at in went], TRAIL_APART,
    )  # fmt: skip
    assert before is not None  # noqa: S101 - one row by construction
    return before


@dataclass(frozen=True)
class Step:
    """Where an officer was at a moment; WGS-84 degrees."""

    taken_at: datetime
    lon: float
    lat: float
    accuracy_m: float | None


# The newest first, so that what a limit cuts off is the oldest.
TRAIL = Statement(
    Step,
    """
    SELECT taken_at, ST_X(place) AS lon, ST_Y(place) AS lat, accuracy_m
      FROM officer_trails
     WHERE officer_id = $1::uuid
       AND taken_at >= $2::timestamptz
     ORDER BY taken_at DESC
     LIMIT $3::integer
    """,
)

OLD_TRAILS = Statement(
    Nothing,
    """
    DELETE FROM officer_trails
     WHERE (officer_id, taken_at) IN (SELECT officer_id, taken_at FROM officer_trails
                                       WHERE taken_at < $1::timestamptz ORDER BY taken_at LIMIT $2::integer)
    """,
)


@dataclass(frozen=True)
class _Officer:
    officer_id: UUID


OFFICER_OF_DEVICE = Statement(
    _Officer,
    """
    SELECT d.officer_id
      FROM devices d
           JOIN users u ON u.id = d.officer_id AND u.active
     WHERE d.secret_hash = $1::bytea
       AND d.revoked_at IS NULL
    """,
)


async def officer_of_device(conn: Conn, secret_hash: bytes) -> UUID | None:
    """Whose tracker this is, or None: unknown, revoked, or the officer may not sign in any more."""
    row = await OFFICER_OF_DEVICE.one(conn, secret_hash)
    return None if row is None else row.officer_id


ADD_DEVICE = Statement(
    _Officer,
    """
    INSERT INTO devices (secret_hash, officer_id, label, created_at)
    SELECT $1::bytea, user_id, $3::text, $4::timestamptz
      FROM officers
     WHERE user_id = $2::uuid
    RETURNING officer_id
    """,
)


async def add_device(conn: Conn, secret_hash: bytes, officer_id: UUID, label: str, now: datetime) -> bool:
    """Register a tracker by the SHA-256 of its secret id; False when the user is no officer."""
    return await ADD_DEVICE.one(conn, secret_hash, officer_id, label, now) is not None
