"""One choice at a time per beat: a lock that lasts as long as the transaction."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from gridsvc.db import Conn, Statement


@dataclass(frozen=True)
class _Held:
    held: int


# In one order, so that two batches never wait for each other.
_HOLD = Statement(
    _Held,
    """
    SELECT count(pg_advisory_xact_lock(key))::integer AS held
      FROM (SELECT DISTINCT hashtextextended(line || '/' || beat, 0) AS key
              FROM unnest($1::text[], $2::text[]) AS b (line, beat)
             ORDER BY key) AS keys
    """,
)


async def hold_beats(conn: Conn, beats: Iterable[tuple[str, str]]) -> None:
    """Wait for and hold these beats (duty line, code) until the transaction ends. Take them after the cases."""
    wanted = sorted(set(beats))
    if wanted:
        await _HOLD.one(conn, [line for line, _ in wanted], [beat for _, beat in wanted])
