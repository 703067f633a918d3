"""News that has been decided and not yet confirmed by the broker: one row per announcement.

Read by the state of the row, never by a last id seen: ids are taken before commits, so a lower one
can appear after a higher one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from events.catalog import Announcement, CaseNews
from events.codec import encode
from gridsvc.db import Conn, Nothing, Statement

LEASE: Final = timedelta(seconds=30)  # three times what a relay may take for a batch; a dead relay holds rows this long

HEAD_START: Final = timedelta(days=1)
"""Urgent news may go since a day ago, so it is claimed before all that waits: a backlog of an hour is overtaken."""

# Longer than any lease or pause between attempts: a row that waits longer was dated by a clock that has gone back.
LONGEST_WAIT: Final = timedelta(minutes=15)

APPEND = Statement(
    Nothing,
    """
    INSERT INTO outbox (event_id, type, case_id, body, created_at, available_at)
    SELECT event_id, type, case_id, body, $5::timestamptz, available_at
      FROM unnest($1::uuid[], $2::text[], $3::uuid[], $4::text[], $6::timestamptz[]) WITH ORDINALITY
           AS news (event_id, type, case_id, body, available_at, place)
     ORDER BY place
    """,
)


async def append(conn: Conn, announcements: Sequence[Announcement], now: datetime) -> None:
    """Leave word of `announcements` in the caller's transaction, in one round trip; none: nothing happens.

    They go out if and only if the transaction commits, in their order unless a relay fails on the way; urgent
    ones first.
    """
    if announcements:
        await APPEND.run(
            conn,
            [news.event_id for news in announcements],
            [news.TYPE for news in announcements],
            [news.case_id if isinstance(news, CaseNews) else None for news in announcements],
            [encode(news) for news in announcements],
            now,
            [now - HEAD_START if news.URGENT else now for news in announcements],
        )


@dataclass(frozen=True)
class Leased:
    """A row that this relay may send until its lease ends."""

    seq: int
    event_id: UUID
    type: str
    body: str
    attempts: int


CLAIM = Statement(
    Leased,
    """
    WITH due AS MATERIALIZED (   -- a fence: inlined into the UPDATE, the planner may claim more than the limit
      SELECT seq
        FROM outbox
       WHERE available_at <= $1::timestamptz
       ORDER BY available_at, seq
       LIMIT $3::integer
         FOR UPDATE SKIP LOCKED   -- another relay is claiming these
    ), leased AS (
      UPDATE outbox
         SET available_at = $2::timestamptz
        FROM due
       WHERE outbox.seq = due.seq
      RETURNING outbox.seq, outbox.event_id, outbox.type, outbox.body, outbox.attempts
    )
    SELECT seq, event_id, type, body, attempts
      FROM leased
     ORDER BY seq
    """,
)


async def claim(conn: Conn, now: datetime, limit: int) -> list[Leased]:
    """Lease up to `limit` rows for LEASE, oldest first; no other relay sees them until it ends.

    Commit before sending: the lease is the row's, not the transaction's.
    """
    return await CLAIM.all(conn, now, now + LEASE, limit)


CONFIRM = Statement(Nothing, "DELETE FROM outbox WHERE seq = ANY ($1::bigint[])")

RELEASE = Statement(
    Nothing,
    """
    UPDATE outbox
       SET available_at = $2::timestamptz
     WHERE seq = ANY ($1::bigint[])
    """,
)

FAIL = Statement(
    Nothing,
    """
    UPDATE outbox
       SET attempts = attempts + 1, last_error = word, available_at = again_at
      FROM unnest($1::bigint[], $2::text[], $3::timestamptz[]) AS refused (refused_seq, word, again_at)
     WHERE seq = refused_seq
    """,
)


async def confirm(conn: Conn, seqs: Sequence[int]) -> None:
    """The broker has these: forget them. Twice does no harm."""
    await CONFIRM.run(conn, seqs)


async def release(conn: Conn, seqs: Sequence[int], now: datetime) -> None:
    """Nobody knows whether the broker has these: let them go out again at once. Readers drop repeats."""
    await RELEASE.run(conn, seqs, now)


@dataclass(frozen=True)
class Setback:
    """A row that the broker refused: its word, and when to try again."""

    seq: int
    word: str
    again_at: datetime


async def fail(conn: Conn, setbacks: Sequence[Setback]) -> None:
    """Count an attempt. A row is tried for ever: news that the city was promised is never dropped."""
    await FAIL.run(
        conn,
        [setback.seq for setback in setbacks],
        [setback.word for setback in setbacks],
        [setback.again_at for setback in setbacks],
    )


RECALL = Statement(
    Nothing,
    """
    UPDATE outbox
       SET available_at = $1::timestamptz
     WHERE available_at > $2::timestamptz
    """,
)


async def recall_stranded(conn: Conn, now: datetime) -> int:
    """Free rows that wait beyond LONGEST_WAIT, as they do when the clock went back; return how many."""
    return await RECALL.run(conn, now, now + LONGEST_WAIT)


@dataclass(frozen=True)
class Backlog:
    """What has not gone out. `oldest_at` is None when nothing waits."""

    waiting: int
    refused: int
    oldest_at: datetime | None


BACKLOG = Statement(
    Backlog,
    """
    SELECT count(*)::integer AS waiting,
           (count(*) FILTER (WHERE attempts > 0))::integer AS refused,
           min(created_at) AS oldest_at
      FROM outbox
    """,
)


async def waiting(conn: Conn) -> Backlog:
    """How many rows wait, how many of them were refused before, and since when the oldest does."""
    backlog = await BACKLOG.one(conn)
    assert backlog is not None  # noqa: S101 - one row by construction
    return backlog


async def oldest_age(conn: Conn, now: datetime) -> timedelta:
    """How long the oldest row has waited; nothing waits: zero."""
    backlog = await waiting(conn)
    return timedelta(0) if backlog.oldest_at is None else max(timedelta(0), now - backlog.oldest_at)
