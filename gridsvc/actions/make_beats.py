"""Group the cells of a draft into beats of one duty line, where nobody has drawn them."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from geo.beats import group_cells
from geo.codes import beat_code
from gridsvc.actions.grid_drafts import need_draft, need_duty_line
from gridsvc.db import ConnPool, transaction
from gridsvc.errors import SetupError
from gridsvc.store import grids
from gridsvc.store.grids import Told, untold


@dataclass(frozen=True, kw_only=True)
class BeatOrder:
    """Which set and duty line, and about how many cells one officer answers for (Beijing began with 12)."""

    set_name: str
    duty_line: str
    cells_per_beat: int = 12


async def make_beats(pool: ConnPool, order: BeatOrder, told: Told = untold) -> int:
    """Group neighbouring cells of each division and keep the beats in one transaction; return how many.

    No beat crosses the division its cells belong to. Codes are the division's, B, and a number, in
    the order of the cells. Raises SetupError where the set is no draft, has no cells, or has beats
    of this duty line already.
    """
    async with transaction(pool) as (conn, _):
        known = await grids.set_named(conn, order.set_name)
        if known is None:
            raise SetupError(f"there is no set {order.set_name!r}; grid import begins one")
        need_draft(known)
        await need_duty_line(conn, order.duty_line)
        if await grids.beat_codes(conn, known.id, order.duty_line):
            raise SetupError(f"{order.set_name} has beats of {order.duty_line} already")
        cells = await grids.cells_of(conn, known.id)
        names = {d.code: d.name for d in await grids.divisions_of(conn, known.id)}
    if not cells:
        raise SetupError(f"{order.set_name} has no cells yet; import or make them first")
    beats = await asyncio.to_thread(_group, cells, names, order.cells_per_beat, told)
    async with transaction(pool) as (conn, now):
        await grids.lock(conn)
        if await grids.set_named(conn, order.set_name) != known:
            raise SetupError(f"{order.set_name} was changed by somebody else meanwhile; run it again")
        await grids.add_beats(conn, known.id, order.duty_line, beats, told)
        what = {"what": "make beats", "duty_line": order.duty_line, "cells_per_beat": order.cells_per_beat}
        await grids.note_change(conn, known.id, {**what, "beats": len(beats), "at": now.isoformat()})
    return len(beats)


def _group(cells: Sequence[grids.Cell], names: dict[str, str], most: int, told: Told) -> list[grids.Beat]:
    by_division: dict[str, list[grids.Cell]] = {}
    for cell in cells:
        by_division.setdefault(cell.division_code, []).append(cell)
    beats = []
    for done, (division, own) in enumerate(by_division.items(), start=1):
        groups = group_cells([cell.outline for cell in own], most)
        for number, group in enumerate(sorted(groups), start=1):
            codes = [own[i].code for i in group]
            beats.append(grids.Beat(beat_code(division, number), f"{names[division]} {number}", division, codes))
        told("group divisions", done, len(by_division))
    return beats
