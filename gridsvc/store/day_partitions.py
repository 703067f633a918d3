"""Tables that are kept by the day, a partition each: which days have one."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class _Day:
    day: date


DAYS = Statement(
    _Day,
    """
    SELECT to_date(right(c.relname, 8), 'YYYYMMDD') AS day
      FROM pg_inherits i
      JOIN pg_class c ON c.oid = i.inhrelid
     WHERE i.inhparent = $1::text::regclass
       AND c.relname ~ ('^' || $1::text || '_[0-9]{8}$')
     ORDER BY 1
    """,
)


async def days_of(conn: Conn, table: str) -> list[date]:
    """The days of a table that have a partition, the oldest first."""
    return [row.day for row in await DAYS.all(conn, table)]
