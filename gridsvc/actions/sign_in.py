"""Let a person in by name and password: two short steps, with the slow look at the password between them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.store import login_failures, sessions, users

WINDOW: Final = timedelta(minutes=15)

ADDRESS_SHARE: Final = 5
"""Tries of one address, as a multiple of one name's: a whole shift signs in behind one carrier address."""


@dataclass(frozen=True)
class Throttled:
    """Too many tries failed lately; `by` is 'user' or 'from'."""

    by: str
    retry_after_s: float


@dataclass(frozen=True)
class Candidate:
    """Whoever has this name, to be compared with the password. `user_id` None: nobody has it."""

    user_id: UUID | None
    password_hash: str | None


async def knock(conn: Conn, username: str, address: str, most_failures: int, now: datetime) -> Throttled | Candidate:
    """Count a try before it is looked at, and find whose it would be.

    The try counts as failed until `sign_in` forgets it, so that many at once cannot all slip
    through before the first has failed. A throttled try is not counted: the wait ends.
    """
    most = {f"user:{username}": most_failures, f"from:{address}": most_failures * ADDRESS_SHARE}
    full = await login_failures.full(conn, most, now - WINDOW)
    if full:
        last = max(full, key=lambda subject: subject.counted_at)
        return Throttled(last.subject.partition(":")[0], (last.counted_at + WINDOW - now).total_seconds())
    await login_failures.ADD.run(conn, sorted(most), now)
    found = await users.BY_NAME.one(conn, username)
    return Candidate(None, None) if found is None else Candidate(found.id, found.password_hash)


@dataclass(frozen=True, kw_only=True)
class NewSession:
    """The session that a sign-in opens; `refresh_hash` is the SHA-256 of its first refresh token."""

    id: UUID
    kind: str  # 'browser' or 'app'
    label: str
    refresh_hash: bytes
    lasts: timedelta


async def sign_in(
    conn: Conn, user_id: UUID, session: NewSession, knocked: tuple[str, datetime], now: datetime
) -> users.Person | None:
    """Open a session for a user whose password was right; None if he was deactivated meanwhile.

    `knocked` is the address of the try and the moment it was counted: it and the name's failures
    are forgotten, other tries from that address are not.
    """
    person = await users.PERSON.one(conn, user_id)
    if person is None:
        return None
    address, tried_at = knocked
    await login_failures.FORGET_ALL.run(conn, f"user:{person.username}")
    await login_failures.FORGET_ONE.run(conn, f"from:{address}", tried_at)
    await sessions.ADD.run(
        conn, session.id, user_id, session.kind, session.label, session.refresh_hash, now, now + session.lasts
    )
    return person
