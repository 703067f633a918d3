"""The tables `camera_rules` and `camera_meters`: how much is asked of cameras, and how much each may still send."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from events.storm import Bucket, Rules, full_bucket
from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class _RulesRow:
    wait_s: float
    interval_s: float
    repeat_s: float
    resolve_s: float
    rate_per_s: float
    burst: int
    sample_every: int
    storm_after: int
    storm_category: str | None
    blinding: list[str]
    repeats_s: float
    keep_days: int
    mute_after: int
    mute_below: float


_RULES = Statement(
    _RulesRow,
    """
    SELECT wait_s, interval_s, repeat_s, resolve_s, rate_per_s, burst, sample_every, storm_after, storm_category,
           blinding, repeats_s, keep_days, mute_after, mute_below
      FROM camera_rules
    """,
)


async def rules(conn: Conn) -> Rules:
    """The rules in force."""
    return (await rules_and_keeping(conn))[0]


async def rules_and_keeping(conn: Conn) -> tuple[Rules, int]:
    """The rules in force, and for how many days events are kept."""
    row = await _RULES.one(conn)
    assert row is not None  # noqa: S101 - the migration puts the one row there, and nothing removes it
    return Rules(
        wait=timedelta(seconds=row.wait_s),
        interval=timedelta(seconds=row.interval_s),
        repeat=timedelta(seconds=row.repeat_s),
        resolve=timedelta(seconds=row.resolve_s),
        rate_per_s=row.rate_per_s,
        burst=row.burst,
        sample_every=row.sample_every,
        storm_after=row.storm_after,
        storm_category=row.storm_category,
        blinding=frozenset(row.blinding),
        repeats=timedelta(seconds=row.repeats_s),
        mute_after=row.mute_after,
        mute_below=row.mute_below,
    ), row.keep_days


SET_STORM_CATEGORY = Statement(Nothing, "UPDATE camera_rules SET storm_category = $1::text")

_BEGIN = Statement(
    Nothing,
    """
    INSERT INTO camera_meters (camera, tokens, filled_at, heard_at)
    SELECT camera, $2::float8, $3::timestamptz, $3::timestamptz
      FROM unnest($1::text[]) AS u (camera)
     ORDER BY camera
        ON CONFLICT (camera) DO NOTHING
    """,
)


@dataclass(frozen=True)
class _Meter:
    camera: str
    tokens: float
    filled_at: datetime
    over: int


_LOCK = Statement(
    _Meter,
    """
    SELECT camera, tokens, filled_at, over
      FROM camera_meters
     WHERE camera = ANY ($1::text[])
     ORDER BY camera
       FOR UPDATE
    """,
)


async def lock(conn: Conn, cameras: Sequence[str], asked: Rules, now: datetime) -> dict[str, Bucket]:
    """The buckets of these cameras, locked until the transaction ends, in the order of their codes."""
    found = await _LOCK.all(conn, cameras)
    if len(found) < len(cameras):  # some are heard for the first time
        fresh = full_bucket(asked, now)
        await _BEGIN.run(conn, cameras, fresh.tokens, now)
        found = await _LOCK.all(conn, cameras)
    return {row.camera: Bucket(tokens=row.tokens, filled_at=row.filled_at, over=row.over) for row in found}


_KEEP = Statement(
    Nothing,
    """
    UPDATE camera_meters AS m
       SET tokens = u.tokens, filled_at = u.filled_at, over = u.over, heard_at = greatest(m.heard_at, $5::timestamptz)
      FROM unnest($1::text[], $2::float8[], $3::timestamptz[], $4::bigint[]) AS u (camera, tokens, filled_at, over)
     WHERE m.camera = u.camera
    """,
)


async def keep(conn: Conn, buckets: Mapping[str, Bucket], now: datetime) -> None:
    """Write what is left in locked buckets; their cameras were heard."""
    await _KEEP.run(
        conn, list(buckets), [b.tokens for b in buckets.values()], [b.filled_at for b in buckets.values()],
        [b.over for b in buckets.values()], now,
    )  # fmt: skip


@dataclass(frozen=True)
class Storming:
    """A camera that sends far too much."""

    camera: str
    over: int


# A bucket that would be full by now is over its storm, though nothing has come that would have written so.
STORMING = Statement(
    Storming,
    """
    SELECT m.camera, m.over
      FROM camera_meters m
     CROSS JOIN camera_rules r
     WHERE m.over >= r.storm_after
       AND m.tokens + extract(epoch FROM $1::timestamptz - m.filled_at) * r.rate_per_s < r.burst
     ORDER BY m.camera
    """,
)
