"""Whoever comes signs for what was left to him: from then on the shift is his."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.shift_log import check_taking
from gridsvc.errors import Unknown
from gridsvc.store import shift_log
from gridsvc.store.shift_log import Entry


async def take_shift(conn: Conn, entry_id: UUID, by: UUID, now: datetime) -> Entry:
    """Sign for a hand-over unless somebody has; return it with whoever was first. Raises Unknown, GuardFailed."""
    entry = await shift_log.one(conn, entry_id)
    if entry is None:
        raise Unknown(f"no entry {entry_id} in the book of the shift", entry=str(entry_id))
    check_taking(hand_over=entry.hand_over, written_by=entry.written_by, by=by)
    await shift_log.take(conn, entry_id, by, now)
    return await shift_log.one(conn, entry_id) or entry
