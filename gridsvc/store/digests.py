"""Notices that gather others: who has one open, what goes into it, and when those that wait are told."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.notice import DIGEST
from gridsvc.store.notices import hint
from gridsvc.store.rows import rows_text


@dataclass(frozen=True)
class _Locked:
    id: UUID


# In the order of ids, so that two who gather for the same people never wait for each other in a ring.
_LOCK_PEOPLE = Statement(
    _Locked,
    """
    SELECT id
      FROM users
     WHERE id = ANY ($1::uuid[])
     ORDER BY id
       FOR NO KEY UPDATE
    """,
)


@dataclass(frozen=True)
class Digest:
    """A digest that is not acknowledged: the one that was told, or the one that waits."""

    id: UUID
    user_id: UUID
    waits: bool
    body: dict[str, Any]
    grown_at: datetime


_OPEN = Statement(
    Digest,
    """
    SELECT id, user_id, held_until IS NOT NULL AS waits, body, created_at AS grown_at
      FROM notices
     WHERE user_id = ANY ($1::uuid[])
       AND kind = 'digest'
       AND acknowledged_at IS NULL
     ORDER BY user_id, seq
       FOR UPDATE
    """,
)


async def lock_people(conn: Conn, users: Collection[UUID]) -> None:
    """Let nobody else gather for these people, until the transaction ends."""
    await _LOCK_PEOPLE.all(conn, sorted(users))


async def open_digests(conn: Conn, users: Collection[UUID]) -> dict[tuple[UUID, bool], Digest]:
    """The newest open digest of each of these (locked) people, by person and whether it waits."""
    return {(row.user_id, row.waits): row for row in await _OPEN.all(conn, list(users))}


_ADD = Statement(
    Nothing,
    """
    INSERT INTO notices (id, user_id, event_id, kind, body, created_at, held_until, told_at)
    SELECT id, user_id, id, 'digest', '{}', $2::timestamptz, held_until,
           CASE WHEN held_until IS NULL THEN $2::timestamptz END
      FROM json_to_recordset($1::text::json) AS r (id uuid, user_id uuid, held_until timestamptz)
    """,
)


@dataclass(frozen=True)
class Gathered:
    """A notice that was put into a digest just now."""

    digest_id: UUID
    kind: str
    body: dict[str, Any]


_PUT = Statement(
    Gathered,
    """
    INSERT INTO notices (id, user_id, event_id, case_id, kind, body, created_at, digest_id, told_at)
    SELECT id, user_id, event_id, case_id, kind, body, $2::timestamptz, digest_id,
           CASE WHEN told THEN $2::timestamptz END
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, user_id uuid, event_id uuid, case_id uuid, kind text, body jsonb, digest_id uuid, told boolean)
        ON CONFLICT (user_id, event_id, kind) DO NOTHING
    RETURNING digest_id, kind, body
    """,
)

_REMOVE_EMPTY = Statement(
    Nothing,
    """
    DELETE FROM notices d
     WHERE d.id = ANY ($1::uuid[])
       AND NOT EXISTS (SELECT FROM notices i WHERE i.digest_id = d.id)
    """,
)

# A new number, so that sockets that had it are given it again.
_GROW = Statement(
    Nothing,
    """
    UPDATE notices AS d
       SET body = r.body, created_at = $2::timestamptz, seq = DEFAULT,
           held_until = CASE WHEN d.held_until IS NOT NULL THEN least(d.held_until, r.held_until) END,
           told_at = CASE WHEN r.rings THEN $2::timestamptz ELSE d.told_at END
      FROM json_to_recordset($1::text::json) AS r (id uuid, body jsonb, held_until timestamptz, rings boolean)
     WHERE d.id = r.id
    """,
)


async def add(conn: Conn, digests: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """Keep new digests, empty yet: `id`, `user_id`, `held_until` (None: told at once)."""
    if digests:
        await _ADD.run(conn, rows_text(digests), now)


async def put(conn: Conn, items: Sequence[Mapping[str, Any]], now: datetime) -> list[Gathered]:
    """Keep notices within digests; those that were kept now. What the person was told before is passed over."""
    return await _PUT.all(conn, rows_text(items), now)


async def remove_empty(conn: Conn, digest_ids: Sequence[UUID]) -> None:
    """Those of these digests into which nothing went."""
    if digest_ids:
        await _REMOVE_EMPTY.run(conn, list(digest_ids))


async def grow(conn: Conn, digests: Sequence[Mapping[str, Any]], now: datetime) -> None:
    """What digests say from now on: `id`, `body`, `held_until`, `rings`."""
    if digests:
        await _GROW.run(conn, rows_text(digests), now)


@dataclass(frozen=True)
class _Released:
    id: UUID
    user_id: UUID


# A digest that somebody fills at this moment is skipped and told in the next round.
_RELEASE = Statement(
    _Released,
    """
    WITH over AS MATERIALIZED (
      SELECT n.id
        FROM notices n
        LEFT JOIN officers o ON o.user_id = n.user_id
       WHERE n.held_until IS NOT NULL
         AND n.acknowledged_at IS NULL
         AND (n.held_until <= $1::timestamptz OR o.on_duty)
       ORDER BY n.held_until
       LIMIT $2::integer
         FOR UPDATE OF n SKIP LOCKED
    )
    UPDATE notices d
       SET held_until = NULL, told_at = $1::timestamptz, created_at = $1::timestamptz, seq = DEFAULT,
           body = d.body || '{"rings": true}'
      FROM over
     WHERE d.id = over.id
    RETURNING d.id, d.user_id
    """,
)

_TELL_ITEMS = Statement(
    Nothing,
    """
    UPDATE notices
       SET told_at = $2::timestamptz
     WHERE digest_id = ANY ($1::uuid[])
       AND told_at IS NULL
    """,
)


async def release(conn: Conn, now: datetime, limit: int) -> int:
    """Tell up to `limit` digests whose person's quiet hours are over, or who has come on duty; how many."""
    over = await _RELEASE.all(conn, now, limit)
    if over:
        await _TELL_ITEMS.run(conn, [row.id for row in over], now)
        await hint(conn, sorted({row.user_id for row in over}))
    return len(over)


@dataclass(frozen=True)
class Item:
    """One notice within a digest. `told_at` None: it waits with its digest."""

    seq: int
    id: UUID
    case_id: UUID | None
    kind: str
    body: dict[str, Any]
    created_at: datetime
    told_at: datetime | None
    acknowledged_at: datetime | None


ITEMS = Statement(
    Item,
    """
    SELECT seq, id, case_id, kind, body, created_at, told_at, acknowledged_at
      FROM notices
     WHERE user_id = $1::uuid
       AND digest_id = $2::uuid
       AND seq > $3::bigint
     ORDER BY seq
     LIMIT $4::integer
    """,
)


@dataclass(frozen=True)
class _Known:
    kind: str


_MINE = Statement(_Known, "SELECT kind FROM notices WHERE user_id = $1::uuid AND id = $2::uuid")


async def is_digest(conn: Conn, user_id: UUID, notice_id: UUID) -> bool | None:
    """Whether this notice of the person gathers others; None where he has no such notice."""
    row = await _MINE.one(conn, user_id, notice_id)
    return None if row is None else row.kind == DIGEST
