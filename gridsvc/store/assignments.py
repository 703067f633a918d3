"""The table `assignments`: who answered for a case, when, by which rule and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True, kw_only=True)
class AssignmentRow:
    """One assignment. `reasons` are everything that was weighed, in JSON's own types."""

    id: UUID
    case_id: UUID
    cycle: int
    officer_id: UUID | None
    department: str | None
    rule: str
    edition: int
    reasons: Mapping[str, object]
    assigned_by: str
    assigned_at: datetime
    ended_at: datetime | None = None
    ended_why: str | None = None


_ADD = Statement(
    Nothing,
    """
    INSERT INTO assignments (
           id, case_id, cycle, officer_id, department, rule, edition, reasons, assigned_by, assigned_at)
    VALUES ($1::uuid, $2::uuid, $3::integer, $4::uuid, $5::text,
            $6::text, $7::integer, $8::jsonb, $9::text, $10::timestamptz)
    """,
)

_END = Statement(
    Nothing,
    """
    UPDATE assignments
       SET ended_at = $2::timestamptz, ended_why = $3::text
     WHERE case_id = $1::uuid
       AND ended_at IS NULL
    """,
)

OF_CASE = Statement(
    AssignmentRow,
    """
    SELECT id, case_id, cycle, officer_id, department, rule, edition, reasons, assigned_by, assigned_at,
           ended_at, ended_why
      FROM assignments
     WHERE case_id = $1::uuid
     ORDER BY assigned_at, id
    """,
)


async def add(conn: Conn, row: AssignmentRow) -> None:
    """Keep a new assignment; the one before must have ended."""
    await _ADD.run(
        conn, row.id, row.case_id, row.cycle, row.officer_id, row.department, row.rule, row.edition,
        row.reasons, row.assigned_by, row.assigned_at,
    )  # fmt: skip


async def end(conn: Conn, case_id: UUID, now: datetime, why: str) -> None:
    """End the current assignment of a case, if there is one."""
    await _END.run(conn, case_id, now, why)


async def of_case(conn: Conn, case_id: UUID) -> Sequence[AssignmentRow]:
    """Every assignment of a case, oldest first."""
    return await OF_CASE.all(conn, case_id)
