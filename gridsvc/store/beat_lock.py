"""One choice at a time per beat: a lock that lasts as long as the transaction."""

from __future__ import annotations

from dataclasses import dataclass

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class _Held:
    held: str


_HOLD = Statement(
    _Held,
    """
    SELECT pg_advisory_xact_lock(hashtextextended($1::text || '/' || $2::text, 0))::text AS held
    """,
)


async def hold_beat(conn: Conn, duty_line: str, beat_code: str) -> None:
    """Wait for and hold the beat until the transaction ends. Take it after the case, never before."""
    await _HOLD.one(conn, duty_line, beat_code)
