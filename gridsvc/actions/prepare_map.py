"""Make the shapes of a grid set that the map draws: projected once, simplified so that neighbours fit together."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from geo.drawing import label_points, simplified, united, web_mercator
from gridsvc.db import Conn
from gridsvc.store import grids, map_shapes
from gridsvc.store.grids import Told, untold
from gridsvc.store.map_shapes import BeatGround, Drawn, MapBeat, MapCell, MapDivision, MapShapes, NamedDivision

# In metres of EPSG:3857. A pixel of a screen is 306 m wide on zoom 8, 38 m on 11, 5 m on 14.
CELLS: Final = (5.0, 25.0)
"""Tolerances of a cell's coarse shape (zooms 13, 14) and of its coarsest (11, 12)."""

AREAS: Final = (15.0, 150.0)
"""Tolerances of divisions and beats: coarse (zooms 10 to 12), coarsest (below)."""


@dataclass(frozen=True)
class Ground:
    """What a set's map is made from."""

    divisions: Sequence[NamedDivision]
    cells: Sequence[grids.Cell]
    beats: Sequence[BeatGround]


async def prepare_map(conn: Conn, grid_set_id: int, now: datetime, told: Told = untold) -> None:
    """Make and keep the shapes of one set, in the caller's transaction.

    105 000 cells in three duty lines take about 20 s, most of it to write them. Twice gives the same.
    """
    ground = await _look(conn, grid_set_id)
    shapes = await asyncio.to_thread(drawn_shapes, ground, told)
    await map_shapes.keep(conn, grid_set_id, shapes, now, told)


async def prepare_missing(conn: Conn, now: datetime) -> int:
    """Make the first map that is missing of a set in force, or to be; let go of old ones. 1 where there was one.

    One transaction for each: a city that has just been migrated has one. Two workers do not make it twice.
    """
    missing = await map_shapes.unprepared(conn, now)
    if not missing:
        await map_shapes.forget_old(conn, now)
        return 0
    await grids.lock(conn)
    if missing[0] not in await map_shapes.unprepared(conn, now):
        return 0
    await prepare_map(conn, missing[0], now)
    return 1


async def _look(conn: Conn, grid_set_id: int) -> Ground:
    return Ground(
        await map_shapes.NAMED_DIVISIONS.all(conn, grid_set_id),
        await grids.cells_of(conn, grid_set_id),
        await map_shapes.BEAT_GROUNDS.all(conn, grid_set_id),
    )


def drawn_shapes(ground: Ground, told: Told = untold) -> MapShapes:
    """The shapes of one set: cells, divisions level by level, beats duty line by duty line, each a coverage."""
    told("draw", 0, 3)
    exact = web_mercator([cell.outline for cell in ground.cells])
    cells = [
        MapCell(cell.code, cell.name, cell.division_code, drawn)
        for cell, drawn in zip(ground.cells, _drawn(exact, CELLS), strict=True)
    ]
    told("draw", 1, 3)
    divisions = [each for level in _levels(ground) for each in _divisions(level)]
    told("draw", 2, 3)
    index = {cell.code: n for n, cell in enumerate(ground.cells)}
    lines = sorted({beat.duty_line for beat in ground.beats})
    beats = [each for line in lines for each in _beats([b for b in ground.beats if b.duty_line == line], exact, index)]
    told("draw", 3, 3)
    return MapShapes(divisions, cells, beats)


def _levels(ground: Ground) -> list[list[NamedDivision]]:
    levels: dict[str, list[NamedDivision]] = {}
    for division in ground.divisions:
        levels.setdefault(division.level, []).append(division)
    return list(levels.values())


def _divisions(level: list[NamedDivision]) -> list[MapDivision]:
    drawn = _drawn(web_mercator([d.outline for d in level]), AREAS)
    return [MapDivision(d.code, d.name, d.name_en, d.level, one) for d, one in zip(level, drawn, strict=True)]


def _beats(line: list[BeatGround], cells: NDArray[Any], index: dict[str, int]) -> list[MapBeat]:
    outlines = np.empty(len(line), dtype=object)
    outlines[:] = [united(cells[[index[code] for code in beat.cells]]) for beat in line]
    drawn = _drawn(outlines, AREAS)
    return [MapBeat(b.duty_line, b.code, b.name, one) for b, one in zip(line, drawn, strict=True)]


def _drawn(exact: NDArray[Any], tolerances: tuple[float, float]) -> list[Drawn]:
    coarse, coarsest = (simplified(exact, tolerance) for tolerance in tolerances)
    labels: NDArray[Any] = label_points(exact)
    return [Drawn(*four) for four in zip(exact, coarse, coarsest, labels, strict=True)]

