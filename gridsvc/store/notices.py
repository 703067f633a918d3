"""What each person must be told: rows that stay until that person's device has acknowledged them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gridsvc.db import Conn, Statement
from gridsvc.store.rows import rows_text

CHANNEL: Final = "notices"
"""NOTIFY channel; the payload is user ids, comma between. A hint that may be lost: the rows are the truth."""

IDS_PER_HINT: Final = 200  # 37 bytes each; a payload must stay under 8,000


@dataclass(frozen=True)
class Told:
    """Somebody for whom a new notice was kept."""

    user_id: UUID


# Each row locks its case a little (the foreign key), in the order of the news; everybody else locks cases in the
# order of their ids. So they are locked in that order first: the sub-select runs before the first row is written.
KEEP = Statement(
    Told,
    """
    WITH told AS MATERIALIZED (
      SELECT id, user_id, event_id, case_id, kind, body
        FROM json_to_recordset($1::text::json) AS r (
             id uuid, user_id uuid, event_id uuid, case_id uuid, kind text, body jsonb)
    ), held AS MATERIALIZED (
      SELECT id
        FROM cases
       WHERE id IN (SELECT case_id FROM told)
       ORDER BY id
         FOR KEY SHARE
    ), kept AS (
      INSERT INTO notices (id, user_id, event_id, case_id, kind, body, created_at)
      SELECT id, user_id, event_id, case_id, kind, body, $2::timestamptz
        FROM told
       WHERE (SELECT count(*) FROM held) >= 0
          ON CONFLICT (user_id, event_id, kind) DO NOTHING
      RETURNING id, user_id, kind, body
    ), going AS (   -- by the first rule that fits; who was told that somebody is not reached is not pursued himself
      INSERT INTO reachings (notice_id, after_s, next_at)
      SELECT k.id, r.after_s, $2::timestamptz + make_interval(secs => r.after_s)
        FROM kept k
       CROSS JOIN LATERAL (
             SELECT after_s
               FROM reach_rules
              WHERE (kinds = '{}' OR k.kind = ANY (kinds))
                AND (severities = '{}' OR k.body ->> 'severity' = ANY (severities))
                AND (NOT urgent OR k.body -> 'urgent' = 'true')
              ORDER BY number
              LIMIT 1) r
       WHERE k.kind <> 'case.not_reached'
    )
    SELECT user_id FROM kept
    """,
)


@dataclass(frozen=True)
class _Held:
    id: UUID


HOLD_CASES = Statement(
    _Held,
    """
    SELECT id
      FROM cases
     WHERE id = ANY ($1::uuid[])
     ORDER BY id
       FOR KEY SHARE
    """,
)


async def hold_cases(conn: Conn, case_ids: Sequence[UUID]) -> None:
    """Hold these cases as notices do that name them, in the order of their ids: for who keeps them in several steps."""
    await HOLD_CASES.all(conn, case_ids)


@dataclass(frozen=True)
class Hinted:
    """How many hints were left for the end of the transaction."""

    hints: int


HINT = Statement(
    Hinted,
    """
    SELECT count(pg_notify($1::text, payload))::integer AS hints
      FROM unnest($2::text[]) AS hint (payload)
    """,
)


@dataclass(frozen=True, kw_only=True)
class Message:
    """One thing to be told. `kind` is the announcement's type; `body` holds ids, codes and times only."""

    event_id: UUID
    case_id: UUID | None
    kind: str
    body: Mapping[str, Any]


async def keep(conn: Conn, message: Message, hearers: Mapping[UUID, UUID], now: datetime) -> list[UUID]:
    """Keep `message` for each hearer (user -> id of the notice); return those who had not been told it before."""
    return await keep_all(conn, [(message, hearers)], now)


async def keep_all(conn: Conn, told: Sequence[tuple[Message, Mapping[UUID, UUID]]], now: datetime) -> list[UUID]:
    """Keep each message for its hearers, in one round trip; return those who have something new to hear.

    The same message twice to the same person is kept once. Open sockets get a hint when the
    transaction commits.
    """
    rows = [
        {**vars(message), "id": notice_id, "user_id": user_id}
        for message, hearers in told
        for user_id, notice_id in hearers.items()
    ]
    if not rows:
        return []
    users = sorted({row.user_id for row in await KEEP.all(conn, rows_text(rows), now)})
    await hint(conn, users)
    return users


# A new number where something was added, so that sockets that had it are given it again, and it rings.
KEEP_GROWING = Statement(
    Told,
    """
    INSERT INTO notices AS n (id, user_id, event_id, kind, body, created_at)
    SELECT id, user_id, event_id, kind, body, $2::timestamptz
      FROM json_to_recordset($1::text::json) AS r (id uuid, user_id uuid, event_id uuid, kind text, body jsonb)
     ORDER BY user_id, event_id, kind
        ON CONFLICT (user_id, event_id, kind) DO UPDATE
       SET body = n.body || jsonb_build_object('cameras',
                  (SELECT jsonb_agg(each ORDER BY each ->> 'camera')
                     FROM (SELECT DISTINCT each
                             FROM jsonb_array_elements((n.body -> 'cameras') || (excluded.body -> 'cameras')) AS each
                          ) AS all_of_them)),
           seq = DEFAULT, acknowledged_at = NULL
     WHERE NOT (n.body -> 'cameras') @> (excluded.body -> 'cameras')
    RETURNING user_id
    """,
)


async def keep_growing(conn: Conn, told: Sequence[tuple[Message, Mapping[UUID, UUID]]], now: datetime) -> list[UUID]:
    """Keep notices that list `cameras` for their hearers; one that is there takes those that it lacks, and waits anew.

    Returns those who have something new to hear. The same cameras twice are told once.
    """
    rows = [
        {**vars(message), "id": notice_id, "user_id": user_id}
        for message, hearers in told
        for user_id, notice_id in hearers.items()
    ]
    if not rows:
        return []
    users = sorted({row.user_id for row in await KEEP_GROWING.all(conn, rows_text(rows), now)})
    await hint(conn, users)
    return users


async def hint(conn: Conn, users: Sequence[UUID]) -> None:
    """Let the open sockets of these people look when the transaction commits."""
    if users:
        await HINT.one(conn, CHANNEL, _payloads(users))


def _payloads(users: Sequence[UUID]) -> list[str]:
    pages = (users[at : at + IDS_PER_HINT] for at in range(0, len(users), IDS_PER_HINT))
    return [",".join(str(user) for user in page) for page in pages]


@dataclass(frozen=True)
class Notice:
    """One notice as the person's device gets it. `held_until`: it waits, and is told then."""

    seq: int
    id: UUID
    event_id: UUID
    case_id: UUID | None
    kind: str
    body: dict[str, Any]
    created_at: datetime
    told_at: datetime | None
    held_until: datetime | None


WAITING = Statement(
    Notice,
    """
    SELECT seq, id, event_id, case_id, kind, body, created_at,
           CASE WHEN held_until IS NULL THEN coalesce(told_at, created_at) END AS told_at, held_until
      FROM notices
     WHERE user_id = $1::uuid
       AND acknowledged_at IS NULL
       AND digest_id IS NULL
       AND seq > $2::bigint
     ORDER BY seq
     LIMIT $3::integer
    """,
)


@dataclass(frozen=True)
class _Acknowledged:
    notices: int


# A digest takes all in it along; one of which the last is acknowledged by itself is acknowledged too.
ACKNOWLEDGE = Statement(
    _Acknowledged,
    """
    WITH had AS (
      UPDATE notices n
         SET acknowledged_at = $3::timestamptz
        FROM unnest($1::uuid[], $2::bigint[]) AS a (user_id, seq)
       WHERE n.user_id = a.user_id
         AND n.seq = a.seq
         AND n.acknowledged_at IS NULL
      RETURNING n.id, n.kind, n.digest_id
    ), inside AS (
      UPDATE notices i
         SET acknowledged_at = $3::timestamptz
        FROM had
       WHERE had.kind = 'digest'
         AND i.digest_id = had.id
         AND i.acknowledged_at IS NULL
         AND NOT EXISTS (SELECT FROM had h WHERE h.id = i.id)
    ), emptied AS (
      UPDATE notices d
         SET acknowledged_at = $3::timestamptz
        FROM notices was
       WHERE was.id = d.id
         AND was.seq = d.seq   -- not one that has grown while we waited for it
         AND d.id IN (SELECT digest_id FROM had)
         AND d.acknowledged_at IS NULL
         AND NOT EXISTS (SELECT FROM had h WHERE h.id = d.id)
         AND NOT EXISTS (SELECT FROM notices i
                          WHERE i.digest_id = d.id
                            AND i.acknowledged_at IS NULL
                            AND NOT EXISTS (SELECT FROM had h WHERE h.id = i.id))
    )
    SELECT count(*)::integer AS notices FROM had
    """,
)


async def waiting(conn: Conn, user_id: UUID, after_seq: int, limit: int) -> list[Notice]:
    """What `user_id` has not acknowledged, oldest first, from beyond `after_seq` (0: from the beginning).

    What a digest gathers is not told beside it; what waits for the end of quiet hours is.

    `after_seq` turns the pages of one reading. Between readings begin at 0 again and leave out what the
    socket has sent already: a lower seq may be committed after a higher one, and a reader that only ever
    goes forward would never show it.
    """
    return await WAITING.all(conn, user_id, after_seq, limit)


async def acknowledge(conn: Conn, had: Sequence[tuple[UUID, int]], now: datetime) -> int:
    """Devices have these (user, seq); how many were new. Another person's, or acknowledged before: passed over."""
    done = await ACKNOWLEDGE.one(conn, [user for user, _ in had], [seq for _, seq in had], now)
    assert done is not None  # noqa: S101 - one row by construction
    return done.notices
