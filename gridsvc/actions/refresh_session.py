"""Give a session its next refresh token, and end it when a spent one comes back."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.store import sessions, users

GRACE: Final = timedelta(seconds=30)
"""For so long the token just spent gives the same successor again: the answer may have been lost on the way."""


@dataclass(frozen=True)
class Refreshed:
    """The successor may be handed out, again or for the first time."""

    person: users.Person


@dataclass(frozen=True)
class Reused:
    """A token of this session that was spent before, or never was its own: the session is ended."""


@dataclass(frozen=True)
class NoSession:
    """There is no such session any more, or its user is deactivated."""


async def refresh_session(
    conn: Conn, session_id: UUID, given: bytes, successor: bytes, now: datetime
) -> Refreshed | Reused | NoSession:
    """Decide on the refresh token whose SHA-256 is `given`; `successor` is the SHA-256 of the one that follows it.

    The successor is a function of the token (gridsvc/api/tokens.py), so a repeated refresh
    within GRACE gets the same one and the two askers cannot part ways. Reused is committed too:
    the caller must not roll back.
    """
    kept = await sessions.FOR_REFRESH.one(conn, session_id)
    if kept is None or kept.ended_at is not None or kept.expires_at <= now:
        return NoSession()
    person = await users.PERSON.one(conn, kept.user_id)
    if person is None:
        return NoSession()
    if hmac.compare_digest(kept.refresh_hash, given):
        await sessions.ROTATE.run(conn, session_id, successor, now)
        return Refreshed(person)
    lost_answer = kept.used_hash is not None and hmac.compare_digest(kept.used_hash, given)
    if lost_answer and now - kept.rotated_at <= GRACE:
        return Refreshed(person)
    await sessions.END.run(conn, session_id, now, "reuse of a refresh token")
    return Reused()
