"""Sockets stay open for hours: whoever signs out, or whose token runs out, is sent away from his."""

from __future__ import annotations

from collections.abc import Collection
from typing import Protocol
from uuid import UUID

from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.store import open_sockets


class SignedIn(Protocol):
    """A place that is held by a session."""

    session_id: UUID
    token_ends: float | None  # seconds since the epoch by the city's clock; None for a cookie

    def end(self, why: str) -> None:
        """Close it."""
        ...


async def end_signed_out(pool: ConnPool, seats: Collection[SignedIn]) -> None:
    """End the seats whose session or token has ended."""
    if not seats:
        return
    async with transaction(pool, SERVICE) as (conn, now):
        standing = await open_sockets.standing(conn, {seat.session_id for seat in seats}, now)
    for seat in seats:
        run_out = seat.token_ends is not None and seat.token_ends <= now.timestamp()
        if run_out or seat.session_id not in standing:
            seat.end("signed_out")
