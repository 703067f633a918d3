"""What each queue has already acted on, so that news which comes twice has its effect once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class Heard:
    """One event that one queue has acted on."""

    event_id: UUID


# A second transaction with the same pair waits here until the first has committed or rolled back.
HEAR = Statement(
    Heard,
    """
    INSERT INTO inbox (queue, event_id, heard_at)
    VALUES ($1::text, $2::uuid, $3::timestamptz)
        ON CONFLICT DO NOTHING
    RETURNING event_id
    """,
)


async def first_time(conn: Conn, queue: str, event_id: UUID, now: datetime) -> bool:
    """Whether `queue` hears this event for the first time; noted in the caller's transaction, beside the effect.

    False: it was acted on, do nothing and acknowledge. Rows are kept 30 days (gridsvc/store/keeping.py).
    """
    return await HEAR.one(conn, queue, event_id, now) is not None
