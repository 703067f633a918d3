"""What each queue has already acted on, so that news which comes twice has its effect once."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class Heard:
    """One event that one queue has acted on."""

    event_id: UUID


# A second transaction with the same pair waits here until the first has committed or rolled back; in one
# order, so that two of them never wait for each other.
HEAR = Statement(
    Heard,
    """
    INSERT INTO inbox (queue, event_id, heard_at)
    SELECT $1::text, event_id, $3::timestamptz
      FROM unnest($2::uuid[]) AS news (event_id)
     ORDER BY event_id
        ON CONFLICT DO NOTHING
    RETURNING event_id
    """,
)


async def first_times(conn: Conn, queue: str, event_ids: Sequence[UUID], now: datetime) -> set[UUID]:
    """Which of these events `queue` hears for the first time; noted in the caller's transaction, beside the effect.

    The others were acted on: do nothing and acknowledge. Rows are kept 30 days (gridsvc/store/keeping.py).
    """
    return {row.event_id for row in await HEAR.all(conn, queue, list(event_ids), now)}
