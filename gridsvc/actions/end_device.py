"""End one of one's own sessions from another device: a phone is lost."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.store import sessions


async def end_device(conn: Conn, user_id: UUID, session_id: UUID, now: datetime) -> bool:
    """End the session if it is this user's; return whether it is his. Twice does no harm."""
    owner = await sessions.OWNER.one(conn, session_id)
    if owner is None or owner.user_id != user_id:
        return False
    await sessions.END.run(conn, session_id, now, "signed out from another device")
    return True
