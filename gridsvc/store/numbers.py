"""Case and acceptance numbers, handed out in blocks: gaps are allowed, repeats never.

A block is taken in a transaction of its own that commits at once, so no writer ever waits for
another's commit (a counter updated inside the filing transaction would serialise all of them).
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from typing import Final

from gridsvc.db import ConnPool, Statement, transaction

_BLOCK: Final = {"case": 10, "acceptance": 50}  # what a process that dies may leave unused, per place and day


@dataclass(frozen=True)
class _Taken:
    taken: int


_TAKE = Statement(
    _Taken,
    """
    INSERT INTO number_blocks AS b (series, place, day, taken)
    VALUES ($1::text, $2::text, $3::date, $4::integer)
    ON CONFLICT (series, place, day) DO UPDATE SET taken = b.taken + EXCLUDED.taken
    RETURNING taken
    """,
)


class NumberBlocks:
    """The numbers that one process may give out without asking again.

    `pool` should be a small one of its own: a caller usually holds a transaction of another pool
    while it waits here, and must not compete with itself for connections.
    """

    def __init__(self, pool: ConnPool) -> None:
        self._pool = pool
        self._kept: dict[tuple[str, str, date], list[int]] = defaultdict(list)
        self._lock = asyncio.Lock()

    async def take(self, series: str, place: str, day: date, count: int = 1) -> list[int]:
        """`count` numbers of a series that nobody else has or will have, ascending, from 1 each day."""
        async with self._lock:
            kept = self._kept[(series, place, day)]
            if len(kept) < count:
                kept += await self._block(series, place, day, max(_BLOCK[series], count - len(kept)))
            taken, self._kept[(series, place, day)] = kept[:count], kept[count:]
            self._forget_before(day)
            return taken

    async def _block(self, series: str, place: str, day: date, size: int) -> list[int]:
        async with transaction(self._pool) as (conn, _):
            row = await _TAKE.one(conn, series, place, day, size)
        assert row is not None  # noqa: S101 - RETURNING gives the one row
        return list(range(row.taken - size + 1, row.taken + 1))

    def _forget_before(self, day: date) -> None:
        for key in [key for key in self._kept if (day - key[2]).days > 1]:
            del self._kept[key]
