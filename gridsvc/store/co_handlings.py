"""The table `co_handlings` (协办): which further department was asked for what, how it ended, and whether late.

When a part is due is said by its clock (`clocks.co_handling_id`): a suspension or a new calendar moves it there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class AskedPart:
    """A part that a department is asked for."""

    id: UUID
    case_id: UUID
    cycle: int
    department: str
    wanted: str
    asked_by: str
    asked_at: datetime


@dataclass(frozen=True, kw_only=True)
class EndedPart:
    """How the open part of a department ends: `done`, `declined` or `called_off`."""

    case_id: UUID
    department: str
    result: str
    ended_by: str
    reason_code: str | None = None
    reply: str | None = None
    before: tuple[UUID, ...] = ()
    evidence: tuple[UUID, ...] = ()
    judged_at: datetime | None = None  # when it was done, where a phone could tell it only later


@dataclass(frozen=True, kw_only=True)
class PartRow:
    """A part as it stands. `state` is its clock's: running, paused or stopped; `late` is decided when it ends."""

    id: UUID
    case_id: UUID
    cycle: int
    department: str
    wanted: str
    asked_by: str
    asked_at: datetime
    due_at: datetime
    state: str
    ended_at: datetime | None
    ended_by: str | None
    result: str | None
    reason_code: str | None
    reply: str | None
    before: list[UUID]
    evidence: list[UUID]
    late: bool


@dataclass(frozen=True)
class PartName:
    """Which part it is, and whose."""

    id: UUID
    case_id: UUID
    department: str


_ADD = Statement(
    Nothing,
    """
    INSERT INTO co_handlings (id, case_id, cycle, department, wanted, asked_by, asked_at)
    SELECT id, case_id, cycle, department, wanted, asked_by, asked_at
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, case_id uuid, cycle integer, department text, wanted text, asked_by text, asked_at timestamptz)
    """,
)

# Late by its own clock, as that stands before it stops; one that stands still is not late.
_END = Statement(
    PartName,
    """
    UPDATE co_handlings p
       SET ended_at = $2::timestamptz, ended_by = r.ended_by, result = r.result, reason_code = r.reason_code,
           reply = r.reply, before = r.before, evidence = r.evidence,
           late = k.state = 'running' AND k.due_at < coalesce(r.judged_at, $2::timestamptz)
      FROM json_to_recordset($1::text::json) AS r (
           case_id uuid, department text, result text, ended_by text, reason_code text, reply text, before uuid[],
           evidence uuid[], judged_at timestamptz),
           clocks k
     WHERE p.case_id = r.case_id
       AND p.department = r.department
       AND p.ended_at IS NULL
       AND k.co_handling_id = p.id
    RETURNING p.id, p.case_id, p.department
    """,
)

OF_CASE = Statement(
    PartRow,
    """
    SELECT p.id, p.case_id, p.cycle, p.department, p.wanted, p.asked_by, p.asked_at, k.due_at, k.state, p.ended_at,
           p.ended_by, p.result, p.reason_code, p.reply, p.before, p.evidence, p.late
      FROM co_handlings p
      JOIN clocks k ON k.co_handling_id = p.id
     WHERE p.case_id = $1::uuid
     ORDER BY p.asked_at, p.id
    """,
)

OPEN_PART = Statement(
    PartName,
    """
    SELECT id, case_id, department
      FROM co_handlings
     WHERE case_id = $1::uuid
       AND department = $2::text
       AND ended_at IS NULL
    """,
)

NAMES = Statement(
    PartName,
    """
    SELECT id, case_id, department
      FROM co_handlings
     WHERE id = ANY ($1::uuid[])
    """,
)


@dataclass(frozen=True, kw_only=True)
class PartTask:
    """A part that a handler has before him, with what he must know of the case. WGS-84 degrees."""

    id: UUID
    department: str
    case_id: UUID
    number: str | None
    version: int
    state: str
    edition: str
    category: str
    category_name: str
    category_name_en: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    lead_department: str | None
    lead_officer: UUID | None
    wanted: str
    asked_at: datetime
    due_at: datetime
    overdue: bool


TASKS = Statement(
    PartTask,
    """
    SELECT p.id, p.department, p.case_id, c.number, c.version, c.state, c.edition, c.category,
           g.name AS category_name, g.name_en AS category_name_en, c.description, c.address,
           ST_X(c.place) AS lon, ST_Y(c.place) AS lat, c.department AS lead_department, c.officer_id AS lead_officer,
           p.wanted, p.asked_at, k.due_at, k.state = 'running' AND k.due_at < $3::timestamptz AS overdue
      FROM co_handlings p
      JOIN cases c ON c.id = p.case_id AND c.seen_by && $1::text[]
      JOIN clocks k ON k.co_handling_id = p.id
      JOIN categories g ON g.edition = c.edition AND g.code = c.category
     WHERE p.department = ANY ($2::text[])
       AND p.ended_at IS NULL
     ORDER BY k.due_at, p.id
     LIMIT $4::integer
    """,
)


async def add(conn: Conn, rows: Sequence[AskedPart]) -> None:
    """Keep parts that were asked for; no department of them has an open one in the same case."""
    if rows:
        await _ADD.run(conn, rows_text([vars(row) for row in rows]))


async def end(conn: Conn, ended: Sequence[EndedPart], now: datetime) -> list[PartName]:
    """End these open parts, and keep whether they were late; which they are. Their clocks must not have stopped yet."""
    if not ended:
        return []
    return await _END.all(conn, rows_text([vars(row) for row in ended]), now)


async def of_case(conn: Conn, case_id: UUID) -> Sequence[PartRow]:
    """Every part of a case, oldest first."""
    return await OF_CASE.all(conn, case_id)


async def open_part(conn: Conn, case_id: UUID, department: str) -> PartName | None:
    """The open part of the department, or None where it has none."""
    return await OPEN_PART.one(conn, case_id, department)


async def departments(conn: Conn, part_ids: Sequence[UUID]) -> dict[UUID, str]:
    """Whose these parts are; asks nothing for none."""
    if not part_ids:
        return {}
    return {row.id: row.department for row in await NAMES.all(conn, list(part_ids))}
