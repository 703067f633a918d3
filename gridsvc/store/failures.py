"""Messages whose action failed: what to try again and when, and what is dead and waits for a person."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement

# Longer than any pause between attempts: a row that waits longer was dated by a clock that has gone back.
LONGEST_WAIT: Final = timedelta(minutes=15)


@dataclass(frozen=True)
class Message:
    """A message as one queue got it."""

    queue: str
    event_id: UUID
    type: str
    body: str


@dataclass(frozen=True)
class Failure:
    """One message of one queue. `next_attempt_at` None: dead."""

    queue: str
    event_id: UUID
    type: str
    body: str
    attempts: int
    next_attempt_at: datetime | None
    last_error: str
    first_failed_at: datetime

    @property
    def message(self) -> Message:
        """The message itself."""
        return Message(self.queue, self.event_id, self.type, self.body)


GET = Statement(
    Failure,
    """
    SELECT queue, event_id, type, body, attempts, next_attempt_at, last_error, first_failed_at
      FROM failures
     WHERE queue = $1::text AND event_id = $2::uuid
       FOR UPDATE   -- an attempt is counted once
    """,
)

NEXT_DUE = Statement(
    Failure,
    """
    SELECT queue, event_id, type, body, attempts, next_attempt_at, last_error, first_failed_at
      FROM failures
     WHERE queue = $1::text AND next_attempt_at <= $2::timestamptz
     ORDER BY next_attempt_at
     LIMIT 1
       FOR UPDATE SKIP LOCKED   -- another process is taking that one
    """,
)

PUT = Statement(
    Nothing,
    """
    INSERT INTO failures (queue, event_id, type, body, attempts, next_attempt_at, last_error, first_failed_at)
    VALUES ($1::text, $2::uuid, $3::text, $4::text, $5::integer, $6::timestamptz, $7::text, $8::timestamptz)
        ON CONFLICT (queue, event_id) DO UPDATE
       SET attempts = EXCLUDED.attempts,
           next_attempt_at = EXCLUDED.next_attempt_at,
           last_error = EXCLUDED.last_error
    """,
)

REMOVE = Statement(Nothing, "DELETE FROM failures WHERE queue = $1::text AND event_id = $2::uuid")


async def get(conn: Conn, queue: str, event_id: UUID) -> Failure | None:
    """The row, locked to the end of the transaction, or None where nothing has failed."""
    return await GET.one(conn, queue, event_id)


async def next_due(conn: Conn, queue: str, now: datetime) -> Failure | None:
    """The row that has waited longest for its next attempt, locked; None when none is due."""
    return await NEXT_DUE.one(conn, queue, now)


async def put(
    conn: Conn, message: Message, attempts: int, next_attempt_at: datetime | None, error: str, now: datetime
) -> None:
    """Keep how `message` stands; None: dead. The message itself and its first failure stay as they were kept first."""
    await PUT.run(
        conn, message.queue, message.event_id, message.type, message.body, attempts, next_attempt_at, error, now
    )


async def remove(conn: Conn, queue: str, event_id: UUID) -> None:
    """It has succeeded: forget that it failed. Nothing there: nothing happens."""
    await REMOVE.run(conn, queue, event_id)


@dataclass(frozen=True)
class Count:
    """How many messages of one queue are tried again, and how many are dead."""

    queue: str
    waiting: int
    dead: int


COUNTS = Statement(
    Count,
    """
    SELECT queue,
           (count(*) FILTER (WHERE next_attempt_at IS NOT NULL))::integer AS waiting,
           (count(*) FILTER (WHERE next_attempt_at IS NULL))::integer AS dead
      FROM failures
     GROUP BY queue
     ORDER BY queue
    """,
)

DEAD = Statement(
    Failure,
    """
    SELECT queue, event_id, type, body, attempts, next_attempt_at, last_error, first_failed_at
      FROM failures
     WHERE next_attempt_at IS NULL
     ORDER BY first_failed_at, event_id
     LIMIT $1::integer
    """,
)

REVIVE = Statement(
    Nothing,
    """
    UPDATE failures
       SET next_attempt_at = $3::timestamptz, attempts = 0
     WHERE queue = $1::text
       AND next_attempt_at IS NULL
       AND ($2::uuid IS NULL OR event_id = $2::uuid)
    """,
)

RECALL = Statement(
    Nothing,
    """
    UPDATE failures
       SET next_attempt_at = $1::timestamptz
     WHERE next_attempt_at > $2::timestamptz
    """,
)


async def counts(conn: Conn) -> list[Count]:
    """Every queue with failures; empty when there are none."""
    return await COUNTS.all(conn)


async def dead(conn: Conn, limit: int) -> list[Failure]:
    """Dead rows, those that failed first in front."""
    return await DEAD.all(conn, limit)


async def revive(conn: Conn, queue: str, event_id: UUID | None, now: datetime) -> int:
    """Let one dead row of `queue`, or all (None), be tried again from now, with all its attempts; return how many."""
    return await REVIVE.run(conn, queue, event_id, now)


async def recall_stranded(conn: Conn, now: datetime) -> int:
    """Free rows that wait beyond LONGEST_WAIT, as they do when the clock went back; return how many."""
    return await RECALL.run(conn, now, now + LONGEST_WAIT)
