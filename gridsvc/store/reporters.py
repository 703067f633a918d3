"""Who reported: shown masked, opened to one person for a short while, each opening on record."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.masking import masked_name, masked_phone


@dataclass(frozen=True)
class Reporter:
    """What is shown of whoever made one report."""

    report_id: UUID
    name: str
    phone: str


@dataclass(frozen=True)
class _OfCase:
    report_id: UUID | None
    name: str | None
    phone: str | None


# A case without reporters is one row of nulls, so that it can be told from a case that is not there.
OF_CASE = Statement(
    _OfCase,
    """
    WITH RECURSIVE family (id) AS (
      SELECT c.id
        FROM cases c
       WHERE c.id = $1::uuid
         AND c.seen_by && $2::text[]
       UNION ALL
      SELECT c.id FROM cases c JOIN family f ON c.merged_into = f.id
    )
    SELECT p.report_id, p.name, p.phone
      FROM family f
           JOIN cases c ON c.id = f.id AND c.seen_by && $2::text[]
           LEFT JOIN (reports r JOIN reporters p ON p.report_id = r.id) ON r.case_id = c.id
     ORDER BY r.received_at, r.id
    """,
)


async def masked(conn: Conn, case_id: UUID, keys: Sequence[str]) -> list[Reporter] | None:
    """The reporters of a case and of those merged into it, masked, oldest report first; None: not for these keys."""
    rows = await OF_CASE.all(conn, case_id, list(keys))
    if not rows:
        return None
    return [
        Reporter(row.report_id, masked_name(row.name or ""), masked_phone(row.phone or ""))
        for row in rows
        if row.report_id is not None
    ]


OPEN = Statement(
    Nothing,
    """
    INSERT INTO reporter_openings (id, report_id, opened_by, reason, opened_at)
    SELECT $1::uuid, p.report_id, $3::uuid, $4::text, $5::timestamptz
      FROM reporters p
           JOIN reports r ON r.id = p.report_id
           JOIN cases c ON c.id = r.case_id
     WHERE p.report_id = $2::uuid
       AND c.seen_by && $6::text[]
    """,
)


@dataclass(frozen=True, kw_only=True)
class Opening:
    """Somebody opens the reporter of one report, and says why."""

    id: UUID
    report_id: UUID
    opened_by: UUID
    reason: str


async def open_reporter(conn: Conn, opening: Opening, keys: Sequence[str], now: datetime) -> bool:
    """Put an opening on record; False when there is no such reporter, or `keys` do not open the case."""
    return await OPEN.run(
        conn, opening.id, opening.report_id, opening.opened_by, opening.reason, now, list(keys)
    ) > 0  # fmt: skip


@dataclass(frozen=True)
class Opened:
    """The data of one opening, unmasked."""

    report_id: UUID
    name: str
    phone: str
    opened_at: datetime


OPENED = Statement(
    Opened,
    """
    SELECT o.report_id, p.name, p.phone, o.opened_at
      FROM reporter_openings o
           JOIN reporters p ON p.report_id = o.report_id
     WHERE o.id = $1::uuid
       AND o.opened_by = $2::uuid
       AND o.opened_at > $3::timestamptz
    """,
)


async def opened(conn: Conn, opening_id: UUID, opened_by: UUID, since: datetime) -> Opened | None:
    """What an opening shows to the person who made it, if that was after `since`; else None."""
    return await OPENED.one(conn, opening_id, opened_by, since)
