"""What all open sockets of one process need to know, in one reading each: what waits, and whose session stands."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class Waiting:
    """One notice that its person has not acknowledged."""

    user_id: UUID
    seq: int
    id: UUID
    case_id: UUID | None
    kind: str
    body: dict[str, Any]
    created_at: datetime


WAITING = Statement(
    Waiting,
    """
    SELECT w.user_id, n.seq, n.id, n.case_id, n.kind, n.body, n.created_at
      FROM unnest($1::uuid[], $2::bigint[]) AS w (user_id, after_seq)
     CROSS JOIN LATERAL (
           SELECT seq, id, case_id, kind, body, created_at
             FROM notices
            WHERE user_id = w.user_id
              AND acknowledged_at IS NULL
              AND digest_id IS NULL
              AND held_until IS NULL
              AND seq > w.after_seq
            ORDER BY seq
            LIMIT $3::integer
           ) n
     ORDER BY w.user_id, n.seq
    """,
)


async def waiting(conn: Conn, after: Mapping[UUID, int], limit: int) -> list[Waiting]:
    """Up to `limit` unacknowledged notices of each user beyond his own seq in `after`; by user, then seq."""
    return await WAITING.all(conn, list(after), list(after.values()), limit)


@dataclass(frozen=True)
class _Session:
    id: UUID


STANDING = Statement(
    _Session,
    """
    SELECT s.id
      FROM sessions s
           JOIN users u ON u.id = s.user_id AND u.active
     WHERE s.id = ANY ($1::uuid[])
       AND s.ended_at IS NULL
       AND s.expires_at > $2::timestamptz
    """,
)


async def standing(conn: Conn, sessions: Collection[UUID], now: datetime) -> set[UUID]:
    """Those of `sessions` that are neither ended nor expired, of users who are active."""
    return {row.id for row in await STANDING.all(conn, list(sessions), now)}
