"""The latest place of each officer, the way he has come, and the trackers that may report it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.position import Judged, Span
from gridsvc.store.day_partitions import days_of


@dataclass(frozen=True)
class Before:
    """What was known before a batch. `is_officer` False: nothing can be kept for this user.

    `since` and `until` are his times on duty that meet the batch, side by side; None: it lasts.
    """

    is_officer: bool
    taken_at: datetime | None
    since: list[datetime]
    until: list[datetime | None]

    @property
    def on_duty(self) -> list[Span]:
        """His times on duty that meet the batch."""
        return [Span(since, until) for since, until in zip(self.since, self.until, strict=True)]


BEFORE = Statement(
    Before,
    """
    SELECT EXISTS (SELECT FROM officers WHERE user_id = $1::uuid) AS is_officer,
           (SELECT taken_at FROM officer_positions WHERE officer_id = $1::uuid) AS taken_at,
           coalesce(array_agg(s.from_at ORDER BY s.from_at), '{}') AS since,
           coalesce(array_agg(s.until_at ORDER BY s.from_at), '{}') AS until
      FROM duty_spans s
     WHERE s.officer_id = $1::uuid
       AND s.from_at <= $3::timestamptz
       AND (s.until_at IS NULL OR s.until_at > $2::timestamptz)
    """,
)

# Of two batches at once the WHERE of each update, looked at again under the row's lock, keeps the better fix; the
# orders are those of gridsvc/domain/position.py. $5 is NULL where no fix may be the latest.
# $7 to $12: what the way is made of, a fix for each slot. Where a slot has changed the stays are reckoned anew.
KEEP = Statement(
    Nothing,
    """
    WITH kept AS (
      INSERT INTO officer_positions AS p (officer_id, place, accuracy_m, taken_at, received_at)
      SELECT $1::uuid, ST_SetSRID(ST_MakePoint($2::float8, $3::float8), 4326), $4::float8,
             $5::timestamptz, $6::timestamptz
       WHERE $5::timestamptz IS NOT NULL
          ON CONFLICT (officer_id) DO UPDATE
         SET place = excluded.place, accuracy_m = excluded.accuracy_m,
             taken_at = excluded.taken_at, received_at = excluded.received_at
       WHERE (p.taken_at, -coalesce(p.accuracy_m, 'infinity'), ST_X(p.place), ST_Y(p.place))
           < (excluded.taken_at, -coalesce(excluded.accuracy_m, 'infinity'), ST_X(excluded.place), ST_Y(excluded.place))
    ), went AS (
      INSERT INTO officer_trails AS t (officer_id, slot_at, taken_at, place, accuracy_m, mocked)
      SELECT $1::uuid, f.slot_at, f.taken_at, ST_SetSRID(ST_MakePoint(f.lon, f.lat), 4326), f.accuracy_m, f.mocked
        FROM unnest($7::timestamptz[], $8::timestamptz[], $9::float8[], $10::float8[], $11::float8[], $12::boolean[])
             AS f (slot_at, taken_at, lon, lat, accuracy_m, mocked)
          ON CONFLICT (officer_id, slot_at) DO UPDATE
         SET taken_at = excluded.taken_at, place = excluded.place, accuracy_m = excluded.accuracy_m,
             mocked = excluded.mocked
       WHERE (excluded.mocked, excluded.taken_at, coalesce(excluded.accuracy_m, 'infinity'), ST_X(excluded.place),
              ST_Y(excluded.place))
           < (t.mocked, t.taken_at, coalesce(t.accuracy_m, 'infinity'), ST_X(t.place), ST_Y(t.place))
      RETURNING slot_at
    )
    INSERT INTO stays_due AS d (officer_id, from_at, until_at)
    SELECT $1::uuid, min(slot_at), max(slot_at)
      FROM went
    HAVING count(*) > 0
        ON CONFLICT (officer_id) DO UPDATE
       SET from_at = least(d.from_at, excluded.from_at), until_at = greatest(d.until_at, excluded.until_at),
           changes = d.changes + 1
    """,
)


async def before(conn: Conn, officer_id: UUID, first: datetime, last: datetime) -> Before:
    """What is known of this user before a batch whose fixes were taken from `first` to `last`."""
    found = await BEFORE.one(conn, officer_id, first, last)
    assert found is not None  # noqa: S101 - one row by construction
    return found


async def keep(
    conn: Conn, officer_id: UUID, latest: Judged | None, way: Mapping[datetime, Judged], now: datetime
) -> None:
    """Make `latest` the officer's latest place unless a later one is known, and add `way` to his trail.

    `way` has the beginnings of slots for keys. All were judged good, and were taken on duty.
    """
    at = None if latest is None else latest.place
    went = [(slot, fix, fix.place) for slot, fix in way.items() if fix.place is not None]
    await KEEP.run(
        conn, officer_id, *((None, None, None) if at is None else (at.lon, at.lat, at.accuracy_m)),
        None if latest is None else latest.taken_at, now,
        [slot for slot, _, _ in went], [fix.taken_at for _, fix, _ in went], [place.lon for _, _, place in went],
        [place.lat for _, _, place in went], [place.accuracy_m for _, _, place in went],
        [fix.mocked for _, fix, _ in went],
    )  # fmt: skip


@dataclass(frozen=True)
class Step:
    """Where an officer was at a moment; WGS-84 degrees."""

    taken_at: datetime
    lon: float
    lat: float
    accuracy_m: float | None
    mocked: bool


# The newest first, so that what a limit cuts off is the oldest.
TRAIL = Statement(
    Step,
    """
    SELECT taken_at, ST_X(place) AS lon, ST_Y(place) AS lat, accuracy_m, mocked
      FROM officer_trails
     WHERE officer_id = $1::uuid
       AND slot_at > $2::timestamptz - interval '20 seconds'
       AND taken_at >= $2::timestamptz
     ORDER BY slot_at DESC
     LIMIT $3::integer
    """,
)

# -- what is past its time ---------------------------------------------------------------------------

# Days go whole; what no day was made for goes by row.
OLD_TRAILS = Statement(
    Nothing,
    """
    DELETE FROM officer_trails
     WHERE (officer_id, slot_at) IN (SELECT officer_id, slot_at FROM officer_trails
                                      WHERE slot_at < $1::timestamptz ORDER BY slot_at LIMIT $2::integer)
    """,
)

OLD_PLACES = Statement(
    Nothing,
    """
    DELETE FROM officer_positions
     WHERE officer_id IN (SELECT officer_id FROM officer_positions WHERE taken_at < $1::timestamptz LIMIT $2::integer)
    """,
)

OLD_DUTY = Statement(
    Nothing,
    """
    DELETE FROM duty_spans
     WHERE (officer_id, from_at) IN (SELECT officer_id, from_at FROM duty_spans
                                      WHERE until_at < $1::timestamptz ORDER BY until_at LIMIT $2::integer)
    """,
)


@dataclass(frozen=True)
class _Done:
    done: bool


_MAKE_DAY = Statement(_Done, "SELECT trail_days_make($1::date) AS done")
_DROP_DAY = Statement(_Done, "SELECT trail_days_drop($1::date) AS done")


async def days(conn: Conn) -> list[date]:
    """The days whose ways and stays have a partition, the oldest first."""
    return await days_of(conn, "officer_trails")


async def make_day(conn: Conn, day: date) -> bool:
    """Make the partitions of a day (UTC); False where they are there."""
    row = await _MAKE_DAY.one(conn, day)
    return row is not None and row.done


async def drop_day(conn: Conn, day: date) -> bool:
    """Drop all that is known of where officers were on a day (UTC); False where nothing is."""
    row = await _DROP_DAY.one(conn, day)
    return row is not None and row.done


# -- trackers ----------------------------------------------------------------------------------------


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
