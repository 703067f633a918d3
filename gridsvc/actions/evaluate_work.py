"""Judge the work of a stretch of time (综合评价): by the tables, and once more by the history alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from gridsvc.db import Conn
from gridsvc.domain.evaluation import Asked, By, Figure, Item, items_of
from gridsvc.domain.recount import figures_of, happened_in
from gridsvc.store import evaluation


async def evaluate(conn: Conn, asked: Asked) -> list[Item]:
    """The report that is asked for. As the service: the scope stands in the query, see docs/decisions/0115."""
    figures = await evaluation.counted(conn, asked)
    return items_of(asked, figures, await evaluation.names(conn, asked, figures))


async def recount(conn: Conn, asked: Asked, told: Callable[[int], object] = lambda _: None) -> list[Figure]:
    """The same figures from the history of every case; `told` hears how many cases each step has read."""
    found: Counter[tuple[int, str, str]] = Counter()
    async for histories, known in evaluation.histories(conn):
        for entries in histories:
            for each in figures_of(asked, happened_in(entries, known, asked.now)):
                found[each.piece, each.key, each.what] += each.number
        told(len(histories))
    return [Figure(piece, key, what, number) for (piece, key, what), number in sorted(found.items())]


async def disagreements(conn: Conn, asked: Asked, told: Callable[[int], object] = lambda _: None) -> list[str]:
    """Every figure that the tables and the history count differently, in words; none in a sound city.

    Areas are compared at the deepest level, of which the others are sums.
    """
    asked = replace(asked, by=By(asked.by.subject))
    tables = {(each.piece, each.key, each.what): each.number for each in await evaluation.counted(conn, asked)}
    history = {(each.piece, each.key, each.what): each.number for each in await recount(conn, asked, told)}
    return [
        f"{what} of {key} from {asked.edges[piece - 1]:%Y-%m-%d %H:%M} UTC: "
        f"{tables.get((piece, key, what), 0)} in the tables, {history.get((piece, key, what), 0)} in the history"
        for piece, key, what in sorted({*tables, *history})
        if tables.get((piece, key, what), 0) != history.get((piece, key, what), 0)
    ]
