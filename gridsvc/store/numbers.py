"""Case and acceptance numbers, handed out in blocks: gaps are allowed, repeats never.

A block is taken in a transaction of its own that commits at once, so no writer ever waits for
another's commit (a counter updated inside the filing transaction would serialise all of them).
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Final

from gridsvc.db import ConnPool, Statement, transaction

FIRST_BLOCK: Final = {"case": 10, "acceptance": 50}
"""How many numbers a process takes first: what it may leave unused when it ends, per place and day."""

MOST: Final = 400  # each further block of a day is twice as large, up to this: some seconds of the heaviest load


@dataclass(frozen=True)
class _Taken:
    place: str
    taken: int


_TAKE = Statement(
    _Taken,
    """
    INSERT INTO number_blocks AS b (series, place, day, taken)
    SELECT $1::text, w.place, $2::date, w.size
      FROM unnest($3::text[], $4::integer[]) AS w (place, size)
     ORDER BY w.place   -- two processes take their locks in the same order
        ON CONFLICT (series, place, day) DO UPDATE SET taken = b.taken + EXCLUDED.taken
    RETURNING place, taken
    """,
)


class NumberBlocks:
    """The numbers that one process may give out without asking again.

    `pool` should be a small one of its own: a caller usually holds a transaction of another pool
    while it waits here, and must not compete with itself for connections.
    """

    def __init__(self, pool: ConnPool) -> None:
        self._pool = pool
        self._kept: dict[tuple[str, str, date], deque[int]] = {}
        self._size: dict[tuple[str, str, date], int] = {}
        self._lock = asyncio.Lock()

    async def take(self, series: str, place: str, day: date, count: int = 1) -> list[int]:
        """`count` numbers of a series that nobody else has or will have, ascending, from 1 each day."""
        return (await self.take_many(series, {place: count}, day))[place]

    async def take_many(self, series: str, wanted: Mapping[str, int], day: date) -> dict[str, list[int]]:
        """As many numbers for each place as `wanted` says; what is missing comes in one round trip for all of them."""
        async with self._lock:
            missing = {
                place: count - kept
                for place, count in wanted.items()
                if (kept := len(self._kept.get((series, place, day), ()))) < count
            }
            if missing:
                await self._fetch(series, missing, day)
            return {
                place: [self._kept[series, place, day].popleft() for _ in range(count)]
                for place, count in wanted.items()
            }

    async def _fetch(self, series: str, missing: Mapping[str, int], day: date) -> None:
        sizes = {place: max(self._next_size(series, place, day), least) for place, least in missing.items()}
        async with transaction(self._pool) as (conn, _):
            rows = await _TAKE.all(conn, series, day, list(sizes), list(sizes.values()))
        for row in rows:
            kept = self._kept.setdefault((series, row.place, day), deque())
            kept.extend(range(row.taken - sizes[row.place] + 1, row.taken + 1))
        self._forget_before(day)

    def _next_size(self, series: str, place: str, day: date) -> int:
        last = self._size.get((series, place, day))
        size = FIRST_BLOCK[series] if last is None else min(2 * last, MOST)
        self._size[series, place, day] = size
        return size

    def _forget_before(self, day: date) -> None:
        for key in [key for key in self._kept if (day - key[2]).days > 1]:
            del self._kept[key], self._size[key]
