"""The table `supervision_orders` (督办): what was ordered on a case, which reply was wanted, and which came."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True, kw_only=True)
class OrderRow:
    """One order. Ended without a reply: the case was over before anybody replied."""

    id: UUID
    case_id: UUID
    cycle: int
    kind: str
    level: str
    reason: str
    wanted: str
    ordered_by: str
    ordered_at: datetime
    due_at: datetime
    ended_at: datetime | None = None
    reply: str | None = None
    replied_by: str | None = None


_ADD = Statement(
    Nothing,
    """
    INSERT INTO supervision_orders (
           id, case_id, cycle, kind, level, reason, wanted, ordered_by, ordered_at, due_at)
    VALUES ($1::uuid, $2::uuid, $3::integer, $4::text, $5::text, $6::text, $7::text, $8::text,
            $9::timestamptz, $10::timestamptz)
    """,
)

_END = Statement(
    Nothing,
    """
    UPDATE supervision_orders
       SET ended_at = $2::timestamptz, reply = $3::text, replied_by = $4::text
     WHERE id = $1::uuid
       AND ended_at IS NULL
    """,
)

OF_CASE = Statement(
    OrderRow,
    """
    SELECT id, case_id, cycle, kind, level, reason, wanted, ordered_by, ordered_at, due_at, ended_at, reply,
           replied_by
      FROM supervision_orders
     WHERE case_id = $1::uuid
     ORDER BY ordered_at, id
    """,
)


async def add(conn: Conn, row: OrderRow) -> None:
    """Keep a new order; the one before it must have ended."""
    await _ADD.run(
        conn, row.id, row.case_id, row.cycle, row.kind, row.level, row.reason, row.wanted, row.ordered_by,
        row.ordered_at, row.due_at,
    )  # fmt: skip


async def end(conn: Conn, order_id: UUID, reply: str | None, by: str | None, now: datetime) -> None:
    """The order was replied to, or (no reply) the case is over."""
    await _END.run(conn, order_id, now, reply, by)


async def of_case(conn: Conn, case_id: UUID) -> Sequence[OrderRow]:
    """Every order on a case, oldest first."""
    return await OF_CASE.all(conn, case_id)
