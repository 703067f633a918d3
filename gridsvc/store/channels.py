"""The tables of channels: ways to people beside the app, notices that go on, and each try of a channel."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.reaching import Channel, Reach
from gridsvc.store.rows import rows_text

# -- gateways and addresses ----------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class GatewayRow:
    """An HTTP gateway: SMS, WeCom and the like."""

    code: str
    place: int
    url: str
    template: str
    headers_sealed: bytes | None
    secret_sealed: bytes | None
    failures: int
    rests_until: datetime | None


GATEWAYS = Statement(
    GatewayRow,
    """
    SELECT code, place, url, template, headers_sealed, secret_sealed, failures, rests_until
      FROM channels
     ORDER BY place, code
    """,
)

PUT_GATEWAY = Statement(
    Nothing,
    """
    INSERT INTO channels (code, place, url, template, headers_sealed, secret_sealed)
    VALUES ($1::text, $2::integer, $3::text, $4::text, $5::bytea, $6::bytea)
        ON CONFLICT (code) DO UPDATE
       SET place = excluded.place, url = excluded.url, template = excluded.template,
           headers_sealed = excluded.headers_sealed, secret_sealed = excluded.secret_sealed, failures = 0,
           rests_until = NULL
    """,
)

REMOVE_GATEWAY = Statement(Nothing, "DELETE FROM channels WHERE code = $1::text")


@dataclass(frozen=True)
class _UserId:
    id: UUID


SET_ADDRESS = Statement(
    _UserId,
    """
    INSERT INTO channel_addresses (user_id, channel, address_sealed, masked, set_at)
    VALUES ($1::uuid, $2::text, $3::bytea, $4::text, $5::timestamptz)
        ON CONFLICT (user_id, channel) DO UPDATE
       SET address_sealed = excluded.address_sealed, masked = excluded.masked, set_at = excluded.set_at
    RETURNING user_id AS id
    """,
)

FORGET_ADDRESS = Statement(
    Nothing, "DELETE FROM channel_addresses WHERE user_id = $1::uuid AND channel = $2::text"
)


@dataclass(frozen=True, kw_only=True)
class MyChannel:
    """A channel of a person, with what may be shown of his address: of Web Push the name of the phone."""

    code: str
    place: int
    masked: str
    set_at: datetime


MINE = Statement(
    MyChannel,
    """
    SELECT c.code, c.place, a.masked, a.set_at
      FROM channel_addresses a
      JOIN channels c ON c.code = a.channel
     WHERE a.user_id = $1::uuid
     UNION ALL
    SELECT c.code, c.place, s.label, p.made_at
      FROM push_subscriptions p
      JOIN channels c ON c.code = p.channel
      JOIN sessions s ON s.id = p.session_id AND s.ended_at IS NULL AND s.expires_at > $2::timestamptz
     WHERE p.user_id = $1::uuid
     ORDER BY place, code, set_at
    """,
)


# -- rules ---------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _ReachRow:
    kinds: list[str]
    severities: list[str]
    urgent: bool
    after_s: int


_RULES = Statement(_ReachRow, "SELECT kinds, severities, urgent, after_s FROM reach_rules ORDER BY number")

_CLEAR_RULES = Statement(Nothing, "DELETE FROM reach_rules")

_ADD_RULES = Statement(
    Nothing,
    """
    INSERT INTO reach_rules (number, kinds, severities, urgent, after_s)
    SELECT number, kinds, severities, urgent, after_s
      FROM json_to_recordset($1::text::json) AS r (
           number integer, kinds text[], severities text[], urgent boolean, after_s integer)
    """,
)


async def rules(conn: Conn) -> tuple[Reach, ...]:
    """Which notices go on, the first that fits first."""
    return tuple(
        Reach(kinds=tuple(row.kinds), severities=tuple(row.severities), urgent=row.urgent, after_s=row.after_s)
        for row in await _RULES.all(conn)
    )


async def replace_rules(conn: Conn, wanted: Sequence[Reach]) -> None:
    """These and no others; what goes on already goes on as it does."""
    await _CLEAR_RULES.run(conn)
    if wanted:
        await _ADD_RULES.run(conn, rows_text([{"number": at, **vars(each)} for at, each in enumerate(wanted, 1)]))


# -- notices that go on --------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class Going:
    """A notice whose time has come, locked."""

    notice_id: UUID
    user_id: UUID
    case_id: UUID | None
    kind: str
    after_s: int
    place: int
    acknowledged: bool
    over: bool


LOCK_DUE = Statement(
    Going,
    """
    SELECT r.notice_id, n.user_id, n.case_id, n.kind, r.after_s, r.place,
           n.acknowledged_at IS NOT NULL AS acknowledged,
           coalesce(c.state IN ('closed', 'rejected', 'cancelled', 'merged'), false) AS over
      FROM reachings r
      JOIN notices n ON n.id = r.notice_id
      LEFT JOIN cases c ON c.id = n.case_id
     WHERE r.next_at <= $1::timestamptz
     ORDER BY r.next_at
     LIMIT $2::integer
       FOR UPDATE OF r SKIP LOCKED
    """,
)


@dataclass(frozen=True)
class _Way:
    user_id: UUID
    code: str
    place: int
    rests_until: datetime | None


_WAYS = Statement(
    _Way,
    """
    SELECT a.user_id, c.code, c.place, c.rests_until
      FROM channel_addresses a
      JOIN channels c ON c.code = a.channel
     WHERE a.user_id = ANY ($1::uuid[])
     UNION
    SELECT p.user_id, c.code, c.place, c.rests_until
      FROM push_subscriptions p
      JOIN channels c ON c.code = p.channel
      JOIN sessions s ON s.id = p.session_id AND s.ended_at IS NULL AND s.expires_at > $2::timestamptz
     WHERE p.user_id = ANY ($1::uuid[])
    """,
)


async def ways(conn: Conn, users: Sequence[UUID], now: datetime) -> dict[UUID, list[Channel]]:
    """The channels of these people at `now`; no entry for one who has none."""
    found: dict[UUID, list[Channel]] = {}
    for row in await _WAYS.all(conn, list(users), now):
        found.setdefault(row.user_id, []).append(Channel(code=row.code, place=row.place, rests_until=row.rests_until))
    return found


GO_ON = Statement(
    Nothing,
    """
    UPDATE reachings AS r
       SET place = g.place, next_at = g.next_at, state = g.state,
           ended_at = CASE WHEN g.state <> 'waiting' THEN $2::timestamptz END
      FROM json_to_recordset($1::text::json) AS g (notice_id uuid, place integer, next_at timestamptz, state text)
     WHERE r.notice_id = g.notice_id
    """,
)

ADD_TRIES = Statement(
    Nothing,
    """
    INSERT INTO channel_tries (id, notice_id, channel, made_at, next_at)
    SELECT id, notice_id, channel, $2::timestamptz, $2::timestamptz
      FROM json_to_recordset($1::text::json) AS r (id uuid, notice_id uuid, channel text)
        ON CONFLICT (notice_id, channel) DO NOTHING
    """,
)


@dataclass(frozen=True, kw_only=True)
class Try:
    """A try to be sent, with all that sending it takes. What is sealed is opened by whoever sends."""

    id: UUID
    notice_id: UUID
    user_id: UUID
    channel: str
    tries: int  # this one counted
    kind: str
    body: dict[str, Any]
    url: str
    template: str
    headers_sealed: bytes | None
    secret_sealed: bytes | None
    address_sealed: bytes | None
    unheard: bool  # nobody has acknowledged it


# What was acknowledged, or whose address is gone, is sent to nobody; the sender says so.
CLAIM = Statement(
    Try,
    """
    WITH due AS MATERIALIZED (
      SELECT w.id
        FROM channel_tries w
        JOIN channels g ON g.code = w.channel AND (g.rests_until IS NULL OR g.rests_until <= $1::timestamptz)
       WHERE w.next_at <= $1::timestamptz
       ORDER BY w.next_at
       LIMIT $3::integer
         FOR UPDATE OF w SKIP LOCKED
    )
    UPDATE channel_tries t
       SET tries = t.tries + 1, next_at = $2::timestamptz
      FROM due, notices n, channels c
     WHERE t.id = due.id
       AND n.id = t.notice_id
       AND c.code = t.channel
    RETURNING t.id, t.notice_id, n.user_id, t.channel, t.tries, n.kind, n.body, c.url, c.template, c.headers_sealed,
              c.secret_sealed,
              (SELECT a.address_sealed FROM channel_addresses a
                WHERE a.user_id = n.user_id AND a.channel = t.channel AND n.acknowledged_at IS NULL) AS address_sealed,
              n.acknowledged_at IS NULL AS unheard
    """,
)

SETTLE = Statement(
    Nothing,
    """
    UPDATE channel_tries
       SET state = $2::text, next_at = $3::timestamptz, outcome = $4::text,
           ended_at = CASE WHEN $2::text <> 'waiting' THEN $5::timestamptz END
     WHERE id = $1::uuid
       AND state = 'waiting'
    """,
)

# What could not be sent by this channel goes on to the next one at once.
HURRY = Statement(
    Nothing,
    "UPDATE reachings SET next_at = $2::timestamptz WHERE notice_id = $1::uuid AND state = 'waiting'",
)


@dataclass(frozen=True)
class _Failures:
    failures: int


COUNT_FAILURE = Statement(
    _Failures, "UPDATE channels SET failures = failures + 1 WHERE code = $1::text RETURNING failures"
)

REST = Statement(Nothing, "UPDATE channels SET rests_until = $2::timestamptz WHERE code = $1::text")

WORKS = Statement(
    Nothing, "UPDATE channels SET failures = 0, rests_until = NULL WHERE code = $1::text AND failures > 0"
)


# -- who was not reached -------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class NotReached:
    """A notice that nobody acknowledged on any of its person's channels."""

    notice: UUID
    user_id: UUID
    name: str
    case_id: UUID
    number: str | None
    kind: str
    told_at: datetime
    not_reached_at: datetime
    channels: list[str]


# Until it is acknowledged after all, or its case is over.
NOT_REACHED = Statement(
    NotReached,
    """
    SELECT n.id AS notice, n.user_id, u.display_name AS name, c.id AS case_id, c.number, n.kind,
           n.created_at AS told_at, r.ended_at AS not_reached_at,
           ARRAY(SELECT t.channel || ':' || t.state FROM channel_tries t WHERE t.notice_id = n.id
                  ORDER BY t.made_at, t.id) AS channels
      FROM reachings r
      JOIN notices n ON n.id = r.notice_id
      JOIN users u ON u.id = n.user_id
      JOIN cases c ON c.id = n.case_id
     WHERE r.state = 'not_reached'
       AND n.acknowledged_at IS NULL
       AND c.state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
       AND c.seen_by && $1::text[]
       AND (r.ended_at, n.id) < ($2::timestamptz, $3::uuid)
     ORDER BY r.ended_at DESC, n.id DESC
     LIMIT $4::integer
    """,
)
