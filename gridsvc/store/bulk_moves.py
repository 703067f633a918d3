"""The tables `bulk_moves` and `bulk_items`: one move on many cases, and what each was like before."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store.rows import rows_text


@dataclass(frozen=True, kw_only=True)
class BulkRow:
    """A bulk move as it was made."""

    id: UUID
    move: str
    made_by: str
    made_at: datetime


@dataclass(frozen=True, kw_only=True)
class ItemRow:
    """One case that it moved: the version it made, and how the case stood before. Undone or not."""

    bulk_id: UUID
    case_id: UUID
    version: int
    state: str
    pool: str | None
    officer_id: UUID | None
    department: str | None
    handler_id: UUID | None
    budget_seconds: int | None
    undone_version: int | None = None
    undone_by: str | None = None
    undone_at: datetime | None = None


_ADD = Statement(
    Nothing,
    """
    INSERT INTO bulk_moves (id, move, made_by, made_at)
    VALUES ($1::uuid, $2::text, $3::text, $4::timestamptz)
    """,
)

_ADD_ITEMS = Statement(
    Nothing,
    """
    INSERT INTO bulk_items (
           bulk_id, case_id, version, state, pool, officer_id, department, handler_id, budget_seconds)
    SELECT bulk_id, case_id, version, state, pool, officer_id, department, handler_id, budget_seconds
      FROM json_to_recordset($1::text::json) AS r (
           bulk_id uuid, case_id uuid, version integer, state text, pool text, officer_id uuid, department text,
           handler_id uuid, budget_seconds integer)
    """,
)

# Two who undo at once come one after the other, and the second finds everything undone.
LOCK = Statement(
    BulkRow,
    """
    SELECT id, move, made_by, made_at
      FROM bulk_moves
     WHERE id = $1::uuid
       FOR UPDATE
    """,
)

ITEMS = Statement(
    ItemRow,
    """
    SELECT bulk_id, case_id, version, state, pool, officer_id, department, handler_id, budget_seconds, undone_version,
           undone_by, undone_at
      FROM bulk_items
     WHERE bulk_id = $1::uuid
     ORDER BY case_id
    """,
)

_UNDONE = Statement(
    Nothing,
    """
    UPDATE bulk_items
       SET undone_version = $3::integer, undone_by = $4::text, undone_at = $5::timestamptz
     WHERE bulk_id = $1::uuid
       AND case_id = $2::uuid
       AND undone_version IS NULL
    """,
)


async def add(conn: Conn, bulk: BulkRow, items: Sequence[ItemRow]) -> None:
    """Keep a bulk move with the cases that it moved."""
    await _ADD.run(conn, bulk.id, bulk.move, bulk.made_by, bulk.made_at)
    if items:
        await _ADD_ITEMS.run(conn, rows_text([vars(item) for item in items]))


async def lock(conn: Conn, bulk_id: UUID) -> BulkRow | None:
    """The bulk move, held until the transaction ends; None when it is not there for this scope."""
    return await LOCK.one(conn, bulk_id)


async def items_of(conn: Conn, bulk_id: UUID) -> list[ItemRow]:
    """Every case that it moved, in the order of their ids. Sees all only as SERVICE."""
    return await ITEMS.all(conn, bulk_id)


async def undone(conn: Conn, item: ItemRow) -> None:
    """Keep that one case was set back."""
    await _UNDONE.run(conn, item.bulk_id, item.case_id, item.undone_version, item.undone_by, item.undone_at)
