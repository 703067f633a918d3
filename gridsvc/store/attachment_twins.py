"""Photographs that were used before: which are to be compared, what they are like, and what was found."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class ToCompare:
    """A photograph that became evidence and was not compared yet."""

    id: UUID
    case_id: UUID
    purpose: str
    original: bytes
    look: int | None


LOCK_TO_COMPARE = Statement(
    ToCompare,
    """
    SELECT id, case_id, purpose, original, look
      FROM attachments
     WHERE case_id IS NOT NULL
       AND compared_at IS NULL
       AND kind = 'picture'
       AND removed_at IS NULL
     ORDER BY uploaded_at
     LIMIT $1::integer
       FOR UPDATE SKIP LOCKED
    """,
)


@dataclass(frozen=True)
class Candidate:
    """An earlier photograph that may be the same."""

    id: UUID
    case_id: UUID
    purpose: str
    original: bytes
    look: int | None


# Merged cases are one case: `of` is the case that stands for each.
CANDIDATES = Statement(
    Candidate,
    """
    SELECT a.id, coalesce(c.merged_into, a.case_id) AS case_id, a.purpose, a.original, a.look
      FROM attachment_looks l
      JOIN attachments a ON a.id = l.attachment_id
      JOIN cases c ON c.id = a.case_id
     WHERE (l.parts && $1::integer[] OR l.original = $2::bytea)
       AND a.id <> $3::uuid
     ORDER BY a.uploaded_at, a.id
     LIMIT 1000
    """,
)


@dataclass(frozen=True)
class _Case:
    case_id: UUID


_STANDS_FOR = Statement(_Case, "SELECT coalesce(merged_into, id) AS case_id FROM cases WHERE id = $1::uuid")


async def stands_for(conn: Conn, case_id: UUID) -> UUID:
    """The case that a case was merged into, or itself."""
    row = await _STANDS_FOR.one(conn, case_id)
    return case_id if row is None else row.case_id


ADD_LOOK = Statement(
    Nothing,
    """
    INSERT INTO attachment_looks (attachment_id, original, parts)
    VALUES ($1::uuid, $2::bytea, $3::integer[])
        ON CONFLICT (attachment_id) DO NOTHING
    """,
)

ADD_TWIN = Statement(
    Nothing,
    """
    INSERT INTO attachment_twins (attachment_id, earlier_id, distance, same_file, found_at)
    VALUES ($1::uuid, $2::uuid, $3::integer, $4::boolean, $5::timestamptz)
        ON CONFLICT (attachment_id, earlier_id) DO NOTHING
    """,
)

COMPARED = Statement(Nothing, "UPDATE attachments SET compared_at = $2::timestamptz WHERE id = $1::uuid")


@dataclass(frozen=True)
class TwinOfCase:
    """That a photograph of a case was used before; the other case's id and the picture's only where they are seen."""

    attachment_id: UUID
    earlier_id: UUID | None
    case_id: UUID | None
    purpose: str | None
    distance: int
    same_file: bool
    found_at: datetime


_OF_CASE = Statement(
    TwinOfCase,
    """
    SELECT t.attachment_id, o.id AS earlier_id, o.case_id, o.purpose, t.distance, t.same_file, t.found_at
      FROM attachments a
      JOIN attachment_twins t ON t.attachment_id = a.id
      LEFT JOIN (SELECT e.id, e.case_id, e.purpose
                   FROM attachments e
                   JOIN cases c ON c.id = e.case_id
                  WHERE c.seen_by && $2::text[]) o ON o.id = t.earlier_id
     WHERE a.case_id = $1::uuid
     ORDER BY t.found_at, t.attachment_id, t.earlier_id
    """,
)


async def of_case(conn: Conn, case_id: UUID, keys: Sequence[str]) -> list[TwinOfCase]:
    """What photographs of a case were used before, as a caller with these scope keys may know it."""
    return await _OF_CASE.all(conn, case_id, list(keys))
