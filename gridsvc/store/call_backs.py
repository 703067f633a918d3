"""The table `call_backs` (回访): which reporters of a closed case are asked, by whose desk, and what they say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.domain.access import Whereabouts
from gridsvc.domain.call_back import CallBack
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class CallBackRow:
    """One call-back. Ended without a result: it was called off, because the case runs again."""

    id: UUID
    case_id: UUID
    cycle: int
    report_id: UUID
    clock_id: UUID
    level: str
    division_code: str
    asked_by: list[str]
    opened_at: datetime
    tries: list[datetime]
    ended_at: datetime | None
    result: str | None
    satisfaction: int | None
    note: str
    made_by: str | None

    def call_back(self) -> CallBack:
        """The call-back as decisions see it."""
        return CallBack(
            id=self.id, case_id=self.case_id, level=self.level, division=self.division_code, tries=tuple(self.tries)
        )


_ADD = Statement(
    Nothing,
    """
    INSERT INTO call_backs (
           id, case_id, cycle, report_id, clock_id, level, division_code, asked_by, opened_at)
    SELECT id, case_id, cycle, report_id, clock_id, level, division_code, asked_by, opened_at
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, case_id uuid, cycle integer, report_id uuid, clock_id uuid, level text, division_code text,
           asked_by text[], opened_at timestamptz)
    """,
)

_COLUMNS: Final = """
    SELECT id, case_id, cycle, report_id, clock_id, level, division_code, asked_by, opened_at, tries, ended_at,
           result, satisfaction, note, made_by
      FROM call_backs
"""

OPEN_OF_CASE = Statement(
    CallBackRow,
    f"""
{_COLUMNS}     WHERE case_id = $1::uuid
       AND ended_at IS NULL
     ORDER BY opened_at, id
    """,
)

OF_CASE = Statement(
    CallBackRow,
    f"""
{_COLUMNS}     WHERE case_id = $1::uuid
     ORDER BY opened_at, id
    """,
)

_TRIED = Statement(
    Nothing,
    """
    UPDATE call_backs
       SET tries = tries || $2::timestamptz
     WHERE id = $1::uuid
    """,
)

_END = Statement(
    Nothing,
    """
    UPDATE call_backs
       SET ended_at = $2::timestamptz, result = $3::text, satisfaction = $4::integer, note = $5::text,
           made_by = $6::text
     WHERE id = $1::uuid
       AND ended_at IS NULL
    """,
)

_CALL_OFF = Statement(
    Nothing,
    """
    UPDATE call_backs
       SET ended_at = $2::timestamptz
     WHERE case_id = ANY ($1::uuid[])
       AND ended_at IS NULL
    """,
)


@dataclass(frozen=True, kw_only=True)
class Reporter:
    """A report whose reporter can be asked, and what decides who sees that report: its own case's whereabouts."""

    report_id: UUID
    divisions: list[str]
    duty_line: str
    desk_path: list[str]
    held_by: str | None

    def whereabouts(self) -> Whereabouts:
        """Where the case lies that the report was made about."""
        return Whereabouts(
            divisions=self.divisions, duty_line=self.duty_line, desk_path=self.desk_path, held_by=self.held_by
        )


# Who sent two reports is asked once, after the first of them. Digits, because people write one number in many ways.
TO_ASK = Statement(
    Reporter,
    """
    WITH RECURSIVE family (id) AS (   -- the case and all that was merged into it
      SELECT $1::uuid
       UNION ALL
      SELECT c.id FROM cases c JOIN family f ON c.merged_into = f.id
    ), asked AS (
      SELECT DISTINCT ON (digits) r.id AS report_id, r.received_at, c.divisions, c.duty_line, c.desk_path, c.held_by
        FROM family f
        JOIN cases c ON c.id = f.id
        JOIN reports r ON r.case_id = c.id
        JOIN reporters p ON p.report_id = r.id
       CROSS JOIN LATERAL regexp_replace(p.phone, '[^0-9]', '', 'g') AS digits
       WHERE digits <> ''
       ORDER BY digits, r.received_at, r.id
    )
    SELECT report_id, divisions, duty_line, desk_path, held_by
      FROM asked
     ORDER BY received_at, report_id
    """,
)


@dataclass(frozen=True)
class _Main:
    id: UUID


_LINE_UP = Statement(
    _Main,
    """
    WITH RECURSIVE line (id) AS (
      SELECT merged_into FROM cases WHERE id = $1::uuid AND merged_into IS NOT NULL
       UNION ALL
      SELECT c.merged_into FROM cases c JOIN line l ON c.id = l.id WHERE c.merged_into IS NOT NULL
    )
    SELECT id FROM line
    """,
)


@dataclass(frozen=True)
class _Ended:
    clock_id: UUID


# As the caller saw it: of the cases above it in the line of merges, what asks for its own reports and those below.
_CALL_OFF_OF_FAMILY = Statement(
    _Ended,
    """
    WITH RECURSIVE family (id) AS (
      SELECT $1::uuid
       UNION ALL
      SELECT c.id FROM cases c JOIN family f ON c.merged_into = f.id
    )
    UPDATE call_backs b
       SET ended_at = $3::timestamptz
      FROM reports r
      JOIN family f ON f.id = r.case_id
     WHERE b.report_id = r.id
       AND b.case_id = ANY ($2::uuid[])
       AND b.ended_at IS NULL
 RETURNING b.clock_id
    """,
)


@dataclass(frozen=True, kw_only=True)
class ToMake:
    """A call-back that waits for a desk, with what must be known to make it; nothing of the reporter."""

    id: UUID
    level: str
    division_code: str
    report_id: UUID
    acceptance_number: str
    case_id: UUID
    number: str | None
    version: int
    cycle: int
    edition: str
    category: str
    category_name: str
    category_name_en: str
    description: str
    address: str
    closed_at: datetime | None
    opened_at: datetime
    due_at: datetime
    tries: list[datetime]


# Whoever handled the case, and whoever is of its department, does not ask (监管分离).
TO_MAKE = Statement(
    ToMake,
    """
    SELECT b.id, b.level, b.division_code, b.report_id, r.acceptance_number, b.case_id, c.number, c.version, c.cycle,
           c.edition, c.category, g.name AS category_name, g.name_en AS category_name_en, r.description, r.address,
           c.closed_at, b.opened_at, k.due_at, b.tries
      FROM call_backs b
      JOIN cases c ON c.id = b.case_id AND c.seen_by && $1::text[]
      JOIN clocks k ON k.id = b.clock_id
      JOIN reports r ON r.id = b.report_id
      JOIN categories g ON g.edition = c.edition AND g.code = c.category
     WHERE b.ended_at IS NULL
       AND b.asked_by && $2::text[]
       AND (c.officer_id = $3::uuid OR c.handler_id = $3::uuid) IS NOT TRUE
       AND (c.department = ANY ($4::text[])) IS NOT TRUE
       AND ($5::text IS NULL OR b.level = $5::text)
       AND ($6::boolean IS NULL OR (k.due_at < $7::timestamptz) = $6::boolean)
       AND ($8::timestamptz IS NULL OR (k.due_at, b.id) > ($8::timestamptz, $9::uuid))
     ORDER BY k.due_at, b.id
     LIMIT $10::integer
    """,
)


async def add(conn: Conn, rows: Sequence[CallBackRow]) -> None:
    """Keep call-backs that begin; their clocks must be there."""
    if rows:
        await _ADD.run(conn, rows_text([vars(row) for row in rows]))


async def to_ask(conn: Conn, case_id: UUID) -> list[Reporter]:
    """Reports of the case, and of all that was merged into it, whose reporters left a number; each number once."""
    return await TO_ASK.all(conn, case_id)


async def tried(conn: Conn, call_back_id: UUID, now: datetime) -> None:
    """A try that counts found nobody."""
    await _TRIED.run(conn, call_back_id, now)


async def end(conn: Conn, row: CallBackRow) -> None:
    """Keep how a call-back ended."""
    await _END.run(conn, row.id, row.ended_at, row.result, row.satisfaction, row.note, row.made_by)


async def call_off(conn: Conn, case_ids: Sequence[UUID], now: datetime) -> None:
    """Whatever is still asked of these cases is asked no more."""
    if case_ids:
        await _CALL_OFF.run(conn, list(case_ids), now)


async def line_up(conn: Conn, case_id: UUID) -> list[UUID]:
    """The cases that this one was merged into, directly and further on. Sees all only as SERVICE."""
    return [row.id for row in await _LINE_UP.all(conn, case_id)]


async def call_off_of_family(conn: Conn, case_id: UUID, mains: Sequence[UUID], now: datetime) -> list[UUID]:
    """What `mains` still ask the reporters of this case and of those merged into it is asked no more; its clocks."""
    return [row.clock_id for row in await _CALL_OFF_OF_FAMILY.all(conn, case_id, list(mains), now)]
