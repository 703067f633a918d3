"""The tables `history` and `history_heads`: append-only, chained per case, folded and signed per day."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.history import Entry
from gridsvc.store.rows import bytea_text, rows_text

_ADD = Statement(
    Nothing,
    """
    INSERT INTO history (case_id, version, move, from_state, to_state, actor, at, facts, before, hash)
    SELECT case_id, version, move, from_state, to_state, actor, at, facts, before, hash
      FROM json_to_recordset($1::text::json) AS r (
           case_id uuid, version integer, move text, from_state text, to_state text, actor text,
           at timestamptz, facts jsonb, before bytea, hash bytea)
    """,
)

# The field names of Entry are the columns, in the same order.
OF_CASE = Statement(
    Entry,
    """
    SELECT case_id, version, move, from_state, to_state, actor, at, facts, before, hash
      FROM history
     WHERE case_id = $1::uuid
       AND version > $2::integer
     ORDER BY version
     LIMIT $3::integer
    """,
)


@dataclass(frozen=True)
class Last:
    """When somebody last did something to a case: captured then, or else received."""

    at: datetime


LAST_OF_ACTOR = Statement(
    Last,
    """
    SELECT coalesce((facts -> 'captured' ->> 'at')::timestamptz, at) AS at
      FROM history
     WHERE case_id = $1::uuid
       AND actor = $2::text
     ORDER BY version DESC
     LIMIT 1
    """,
)


@dataclass(frozen=True)
class Meanwhile:
    """One row of a history, as somebody reads it whose own move came too late: who, which move, when."""

    version: int
    move: str
    actor: str
    at: datetime


MEANWHILE = Statement(
    Meanwhile,
    """
    SELECT version, move, actor, at
      FROM (SELECT version, move, actor, at
              FROM history
             WHERE case_id = $1::uuid
               AND version > $2::integer
               AND at >= $3::timestamptz
               AND at <= $4::timestamptz
             ORDER BY version DESC
             LIMIT $5::integer) AS newest
     ORDER BY version
    """,
)


@dataclass(frozen=True)
class Doubted:
    """A move that the desk should look at twice, and why (gridsvc/domain/captured.py)."""

    version: int
    move: str
    actor: str
    at: datetime
    doubts: list[str]


DOUBTED = Statement(
    Doubted,
    """
    SELECT version, move, actor, at, ARRAY(SELECT jsonb_array_elements_text(facts -> 'doubts')) AS doubts
      FROM history
     WHERE case_id = $1::uuid
       AND facts ? 'doubts'
     ORDER BY version
    """,
)


@dataclass(frozen=True)
class LastVersion:
    """How far a case says its history goes, and the hash it says it ends with."""

    case_id: UUID
    version: int
    head: bytes


CASES_AFTER = Statement(
    LastVersion,
    """
    SELECT id AS case_id, version, head
      FROM cases
     WHERE id > $1::uuid
     ORDER BY id
     LIMIT $2::integer
    """,
)

OF_CASES = Statement(
    Entry,
    """
    SELECT case_id, version, move, from_state, to_state, actor, at, facts, before, hash
      FROM history
     WHERE case_id = ANY ($1::uuid[])
     ORDER BY case_id, version
    """,
)


@dataclass(frozen=True)
class DayHead:
    """The last hash of one case on one day."""

    case_id: UUID
    hash: bytes
    rows: int


HEADS_OF_DAY = Statement(
    DayHead,
    """
    SELECT DISTINCT ON (case_id) case_id, hash, count(*) OVER (PARTITION BY case_id) AS rows
      FROM history
     WHERE at >= $1::timestamptz
       AND at < $2::timestamptz
     ORDER BY case_id, version DESC
    """,
)


@dataclass(frozen=True)
class SignedHead:
    """What was signed for one day."""

    day: date
    rows: int
    digest: bytes
    signature: bytes
    signed_at: datetime


ADD_HEAD = Statement(
    Nothing,
    """
    INSERT INTO history_heads (day, rows, digest, signature, signed_at)
    VALUES ($1::date, $2::bigint, $3::bytea, $4::bytea, $5::timestamptz)
    ON CONFLICT (day) DO NOTHING   -- another worker signed it; both computed the same
    """,
)

HEADS = Statement(SignedHead, "SELECT day, rows, digest, signature, signed_at FROM history_heads ORDER BY day")


@dataclass(frozen=True)
class UnsignedDays:
    """The first and last day whose head is still to be signed; None where all are."""

    first: date | None
    last: date | None


UNSIGNED = Statement(
    UnsignedDays,
    """
    SELECT min(day) AS first, max(day) AS last
      FROM (SELECT DISTINCT (at AT TIME ZONE $1::text)::date AS day
              FROM history
             WHERE at < $2::timestamptz
               AND at >= coalesce((SELECT (max(day) + 1)::timestamp AT TIME ZONE $1::text FROM history_heads),
                                  '-infinity')) AS days
    """,
)


async def add(conn: Conn, entries: Sequence[Entry]) -> None:
    """Append rows; each must follow the row before it (gridsvc/domain/history.py `chained`)."""
    rows = [{**vars(e), "before": bytea_text(e.before), "hash": bytea_text(e.hash)} for e in entries]
    await _ADD.run(conn, rows_text(rows))
