"""The table `case_marks`: moves that evaluation counts and that no other table than the history would still tell."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class Mark:
    """One such move of a case; `version` is that of its history row, `assignment_id` whose case it was."""

    case_id: UUID
    version: int
    cycle: int
    mark: str
    at: datetime
    assignment_id: UUID | None


_ADD = Statement(
    Nothing,
    """
    INSERT INTO case_marks (case_id, version, cycle, mark, at, assignment_id)
    SELECT case_id, version, cycle, mark, at, assignment_id
      FROM json_to_recordset($1::text::json) AS r (
           case_id uuid, version integer, cycle integer, mark text, at timestamptz, assignment_id uuid)
    """,
)


async def add(conn: Conn, marks: Sequence[Mark]) -> None:
    """Keep marks; most moves leave none, and then nothing is asked of the database."""
    if marks:
        await _ADD.run(conn, rows_text([vars(mark) for mark in marks]))
