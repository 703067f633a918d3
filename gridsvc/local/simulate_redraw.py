"""The day on which the grid is redrawn: some busy cells go to the neighbouring beat, and at its end come back."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Final

from gridsvc.actions.preview_grid import preview_grid
from gridsvc.actions.publish_grid import publish_grid, rollback_grid
from gridsvc.actions.redraw_grid import copy_grid, give_cells
from gridsvc.db import ConnPool, transaction
from gridsvc.errors import SetupError
from gridsvc.store import grids, regrid

CELLS: Final = 5
LOOK_S: Final = 0.5
PATIENCE_S: Final = 60.0


@dataclass(frozen=True)
class Redrawn:
    """What was drawn, what the preview said of it, and how many open cases followed there."""

    name: str
    cells: int
    foretold: int
    foretold_rerouted: int
    followed: int
    rerouted: int

    def line(self) -> str:
        """For whoever reads how the day was."""
        return (
            f"{self.cells} cells to the neighbouring beat in {self.name}: foretold {self.foretold} cases that change "
            f"and {self.foretold_rerouted} for routing; {self.followed} open cases followed, {self.rerouted} to routing"
        )


async def redraw(pool: ConnPool) -> Redrawn | None:
    """Draw, preview and publish a set in which busy border cells change their beat; wait until all cases followed.

    None where no open case lies in such a cell. Raises SetupError where nobody lets the cases follow.
    """
    async with transaction(pool) as (conn, now):
        force = await grids.in_force(conn, now)
        source = next((each for each in await grids.every_set(conn) if each.id == force), None)
        if source is None:
            return None
        border = await grids.BORDER_CELLS.all(conn, source.id, CELLS)
        if not border:
            return None
        name = f"simulated-{now:%Y%m%d-%H%M%S}"
        await copy_grid(conn, name, source.name, now.isoformat())
        for each in border:
            await give_cells(conn, name, each.duty_line, each.neighbour, [each.cell], now.isoformat())
    async with transaction(pool, snapshot=True) as (conn, now):
        preview = await preview_grid(conn, name, now)
    published = await publish_grid(pool, name, accept_lost=True)
    await _until_followed(pool)
    async with transaction(pool) as (conn, _):
        done = await regrid.followed(conn, published.grid_set_id)
    return Redrawn(
        name=name,
        cells=len(border),
        foretold=len(preview.changes),
        foretold_rerouted=sum(each.follows.loses_owner for each in preview.changes),
        followed=done.cases,
        rerouted=done.rerouted,
    )


async def take_back(pool: ConnPool, name: str) -> None:
    """Withdraw the set again, unless somebody has published another since; wait until all cases followed."""
    async with transaction(pool) as (conn, now):
        published = [each for each in await grids.every_set(conn) if each.state == "published"]
        last = max(published, key=lambda each: (each.valid_from or now, each.id))
        if last.name != name:
            return
        await rollback_grid(conn, now)
    await _until_followed(pool)


async def _until_followed(pool: ConnPool) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_S
    while await _waiting(pool):
        if loop.time() > deadline:
            raise SetupError(f"open cases did not follow within {PATIENCE_S:.0f} s; does gridsvc worker sweep run?")
        await asyncio.sleep(LOOK_S)


async def _waiting(pool: ConnPool) -> int:
    async with transaction(pool) as (conn, now):
        force = await grids.in_force(conn, now)
        return 0 if force is None else (await regrid.waiting(conn, force)).to_follow


async def redraw_by_day(pool: ConnPool, reached: Callable[[float], Awaitable[None]]) -> Redrawn | None:
    """Redraw after a third of the day, and take it back after two; `reached` waits until that share has passed.

    Where no open case lies in a border cell just then, as in a quiet night, it is tried again until half of it is over.
    """
    for share in (1 / 3, 3 / 8, 5 / 12, 11 / 24, 1 / 2):
        await reached(share)
        redrawn = await redraw(pool)
        if redrawn is not None:
            await reached(2 / 3)
            await take_back(pool, redrawn.name)
            return redrawn
    return None
