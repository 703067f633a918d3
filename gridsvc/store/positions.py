"""The latest place of each officer, and the trackers that may report it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Statement
from gridsvc.domain.position import Judged


@dataclass(frozen=True)
class Before:
    """What was known before a batch. `is_officer` False: nothing can be kept for this user."""

    is_officer: bool
    taken_at: datetime | None


# The reading sees the row as it was before the write beside it: both work on one snapshot. Of two batches
# at once the WHERE of the update, looked at again under the row's lock, keeps the newer fix.
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
    )
    SELECT EXISTS (SELECT FROM officers WHERE user_id = $1::uuid) AS is_officer,
           (SELECT taken_at FROM officer_positions WHERE officer_id = $1::uuid) AS taken_at
    """,
)


async def keep(conn: Conn, officer_id: UUID, fix: Judged, now: datetime) -> Before:
    """Make `fix` the officer's latest place unless a newer one is known; say what was known before."""
    place = fix.place
    assert place is not None  # noqa: S101 - only a fix that was judged good is kept
    before = await KEEP.one(conn, officer_id, place.lon, place.lat, place.accuracy_m, fix.taken_at, now)
    assert before is not None  # noqa: S101 - one row by construction
    return before


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
