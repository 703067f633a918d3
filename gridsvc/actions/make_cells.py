"""Cut unit cells inside the divisions of a draft, where nobody has drawn them by hand."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import shapely

from geo.cells import cut_cells
from geo.codes import Scheme, scheme_named
from geo.coverage import box_around
from geo.projection import Plane, areas_m2, fitting_plane
from gridsvc.actions.grid_drafts import need_draft
from gridsvc.db import ConnPool, transaction
from gridsvc.errors import SetupError
from gridsvc.store import grids
from gridsvc.store.grids import Told, untold


@dataclass(frozen=True, kw_only=True)
class CellOrder:
    """Where to cut cells: inside all divisions of a level, or those of `codes`; `side_m` metres a side."""

    set_name: str
    inside: Literal["district", "community"]
    codes: Sequence[str] = ()
    side_m: float = 100.0


@dataclass(frozen=True)
class MadeCells:
    """How many cells each division received, and the frame their lines follow."""

    by_division: dict[str, int]
    epsg: int


async def make_cells(pool: ConnPool, order: CellOrder, told: Told = untold) -> MadeCells:
    """Cut the cells and keep them in one transaction; nothing is kept where one division cannot be cut.

    Lines of the grid are shared by all divisions of one call. Opens its own transactions: cutting takes
    about a second for 10 000 cells, and none is open meanwhile. Raises SetupError where the set is no
    draft, a division is unknown, has no outline or cells already, or holds more cells than its codes count.
    """
    async with transaction(pool) as (conn, _):
        known = await grids.set_named(conn, order.set_name)
        if known is None:
            raise SetupError(f"there is no set {order.set_name!r}; grid import begins one")
        need_draft(known)
        divisions = _chosen(await grids.divisions_of(conn, known.id), order)
        used = {cell.division_code for cell in await grids.cells_of(conn, known.id)} if known.cells else set()
    _need_uncut(divisions, used)
    plane, cells = await asyncio.to_thread(_cut, divisions, scheme_named(known.cell_scheme), order.side_m, told)
    async with transaction(pool) as (conn, now):
        await grids.lock(conn)
        if await grids.set_named(conn, order.set_name) != known:
            raise SetupError(f"{order.set_name} was changed by somebody else meanwhile; run it again")
        await grids.add_cells(conn, known.id, [cell for made in cells.values() for cell in made], told)
        counts = {code: len(made) for code, made in cells.items()}
        what = {"what": "make cells", "side_m": order.side_m, "epsg": plane.epsg, "cells": counts}
        await grids.note_change(conn, known.id, {**what, "at": now.isoformat()})
    return MadeCells(counts, plane.epsg)


def _chosen(divisions: Sequence[grids.Division], order: CellOrder) -> list[grids.Division]:
    of_level = {d.code: d for d in divisions if d.level == order.inside}
    unknown = [code for code in order.codes if code not in of_level]
    if unknown:
        raise SetupError(f"{', '.join(unknown)}: no {order.inside} of {order.set_name}; it has {', '.join(of_level)}")
    chosen = [of_level[code] for code in dict.fromkeys(order.codes)] or list(of_level.values())
    if not chosen:
        raise SetupError(f"{order.set_name} has no {order.inside}; import the divisions first")
    without = [d.code for d in chosen if d.outline is None]
    if without:
        raise SetupError(f"{', '.join(without)}: known by code only; cells need an outline")
    return chosen


def _need_uncut(divisions: Sequence[grids.Division], used: set[str]) -> None:
    cut = [d.code for d in divisions if d.code in used]
    if cut:
        raise SetupError(f"{', '.join(cut)}: has cells already; leave it out of --codes")


def _cut(
    divisions: Sequence[grids.Division], scheme: Scheme, side_m: float, told: Told
) -> tuple[Plane, dict[str, list[grids.Cell]]]:
    box = box_around(d.outline for d in divisions if d.outline is not None)
    assert box is not None  # noqa: S101 - every chosen division has an outline
    plane = fitting_plane((box.west + box.east) / 2, (box.south + box.north) / 2)
    made = {}
    for number, division in enumerate(divisions, start=1):
        assert division.outline is not None  # noqa: S101
        made[division.code] = _cells_of(division, division.outline, plane, scheme, side_m)
        told("cut divisions", number, len(divisions))
    return plane, made


def _cells_of(
    division: grids.Division, outline: shapely.Geometry, plane: Plane, scheme: Scheme, side_m: float
) -> list[grids.Cell]:
    try:
        shapes = [cell.shape for cell in cut_cells(outline, plane, side_m)]
        codes = list(scheme.next_codes(division.code))[: len(shapes)] if len(shapes) <= scheme.most_cells else []
    except ValueError as error:
        raise SetupError(f"{division.code}: {error}") from error
    if len(codes) < len(shapes):
        raise SetupError(
            f"{division.code} would have {len(shapes):,} cells of {side_m:g} m; "
            f"{scheme.name} counts to {scheme.most_cells:,}: larger cells, or another scheme"
        )
    areas = areas_m2(np.array(shapes, dtype=object)).tolist()
    return [
        grids.Cell(code, "", division.code, area, shape)
        for code, area, shape in zip(codes, areas, shapes, strict=True)
    ]
