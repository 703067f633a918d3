"""Let a session's cookie count, and end the session when one comes that a newer one has replaced."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.turning import Standing, standing_of
from gridsvc.store import sessions


@dataclass(frozen=True)
class Copied:
    """Somebody holds a copy: the session has ended for both."""


async def use_cookie(conn: Conn, session_id: UUID, turn: int, now: datetime) -> sessions.Standing | Copied | None:
    """Whose session it is; None for one that has ended. In the caller's transaction, which must be committed.

    The first use of a newer cookie ends the one before, 60 s later (gridsvc/domain/turning.py). Two that come first at
    once are one.
    """
    standing = await sessions.STANDING.one(conn, session_id)
    if standing is None:
        return None
    match standing_of(turn, standing.cookie_turn, standing.cookie_turned_at, now):
        case Standing.FIRST_USE:
            await sessions.TURN_COOKIE.run(conn, session_id, turn, now)
        case Standing.SPENT:
            await sessions.END.run(conn, session_id, now, "reuse of a cookie")
            return Copied()
        case Standing.GOOD:
            pass
    return standing
