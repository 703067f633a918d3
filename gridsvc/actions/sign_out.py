"""End a session at its user's wish."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.store import sessions


async def sign_out(conn: Conn, session_id: UUID, now: datetime) -> bool:
    """End the session; return whether it still stood. Twice does no harm."""
    return await sessions.END.run(conn, session_id, now, "signed out") == 1
