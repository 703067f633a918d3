"""The table `assignments`: who answered for a case, when, by which rule and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store.rows import rows_text


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
    SELECT id, case_id, cycle, officer_id, department, rule, edition, reasons, assigned_by, assigned_at
      FROM json_to_recordset($1::text::json) AS r (
           id uuid, case_id uuid, cycle integer, officer_id uuid, department text, rule text, edition integer,
           reasons jsonb, assigned_by text, assigned_at timestamptz)
    """,
)

_END = Statement(
    Nothing,
    """
    UPDATE assignments a
       SET ended_at = $2::timestamptz, ended_why = e.why
      FROM unnest($1::uuid[], $3::text[]) AS e (case_id, why)
     WHERE a.case_id = e.case_id
       AND a.ended_at IS NULL
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


ONE = Statement(
    AssignmentRow,
    """
    SELECT id, case_id, cycle, officer_id, department, rule, edition, reasons, assigned_by, assigned_at,
           ended_at, ended_why
      FROM assignments
     WHERE id = $1::uuid
       AND case_id = $2::uuid
    """,
)


@dataclass(frozen=True, kw_only=True)
class PoolingRow:
    """One time that routing found nobody: why, and everything that was weighed."""

    version: int
    at: datetime
    why: str
    reasons: Mapping[str, object]


POOLINGS_OF_CASE = Statement(
    PoolingRow,
    """
    SELECT version, at, facts ->> 'why' AS why, coalesce(facts -> 'reasons', '{}') AS reasons
      FROM history
     WHERE case_id = $1::uuid
       AND move = 'pool'
       AND actor = 'worker:router'
     ORDER BY version
    """,
)


async def add(conn: Conn, rows: Sequence[AssignmentRow]) -> None:
    """Keep new assignments; those before them must have ended."""
    if rows:
        await _ADD.run(conn, rows_text([vars(row) for row in rows]))


async def end(conn: Conn, ended: Mapping[UUID, str], now: datetime) -> None:
    """End the current assignment of each of these cases, where there is one, and keep why (case -> why)."""
    if ended:
        await _END.run(conn, list(ended), now, list(ended.values()))


async def of_case(conn: Conn, case_id: UUID) -> Sequence[AssignmentRow]:
    """Every assignment of a case, oldest first."""
    return await OF_CASE.all(conn, case_id)
