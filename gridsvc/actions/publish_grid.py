"""Put a draft of the grid in force, or go back to the one before. Open cases follow (follow_grid.py)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from geo.codes import scheme_named
from geo.coverage import box_around, holes, overlaps, strays
from geo.defects import Defect, Kind
from geo.place import Bounds
from gridsvc.actions.grid_drafts import need_draft, refusal
from gridsvc.actions.prepare_map import prepare_map, prepare_missing
from gridsvc.actions.preview_grid import lost_cases
from gridsvc.db import Conn, ConnPool, transaction
from gridsvc.errors import SetupError
from gridsvc.store import grids
from gridsvc.store.cases import CaseRow


@dataclass(frozen=True)
class Checked:
    """A set as it was found, and everything that is wrong with it."""

    grid_set: grids.GridSet
    defects: list[Defect]
    box: Bounds | None


@dataclass(frozen=True)
class Published:
    """Which set is in force from when; `warnings` is what was found and does not hinder it.

    `lost` are the open cases that the set has no cell for: they keep their own.
    """

    grid_set_id: int
    valid_from: datetime
    warnings: list[Defect]
    lost: int = 0


async def check_grid(pool: ConnPool, name: str) -> Checked:
    """Look at a whole set: codes, overlaps, holes, cells outside their division. Changes nothing.

    105 000 cells take 13 s on two idle cores, most of it to look for overlaps. Raises SetupError where
    there is no such set.
    """
    async with transaction(pool) as (conn, _):
        found = await _look(conn, name)
    return await asyncio.to_thread(_checked, *found)


_Found = tuple[grids.GridSet, Sequence[grids.Cell], Sequence[grids.Division]]


async def _look(conn: Conn, name: str) -> _Found:
    known = await _known(conn, name)
    return known, await grids.cells_of(conn, known.id), await grids.divisions_of(conn, known.id)


def _checked(known: grids.GridSet, cells: Sequence[grids.Cell], divisions: Sequence[grids.Division]) -> Checked:
    return Checked(known, _defects(known, cells, divisions), box_around(cell.outline for cell in cells))


def _defects(
    known: grids.GridSet, cells: Sequence[grids.Cell], divisions: Sequence[grids.Division]
) -> list[Defect]:
    if not cells:
        return [Defect(Kind.NO_ROWS, f"{known.name} has no cells")]
    scheme = scheme_named(known.cell_scheme)
    codes, shapes = [cell.code for cell in cells], [cell.outline for cell in cells]
    outlines = {d.code: d.outline for d in divisions if d.outline is not None}
    faults = ((code, scheme.fault(code)) for code in codes)
    return [
        *(Defect(Kind.MALFORMED_CODE, fault, code=code) for code, fault in faults if fault is not None),
        *overlaps(codes, shapes),
        *holes(shapes),
        *strays(codes, shapes, [cell.division_code for cell in cells], outlines),
    ]


async def publish_grid(
    pool: ConnPool, name: str, valid_from: datetime | None = None, *, accept_lost: bool = False
) -> Published:
    """Check a draft and put it in force from `valid_from` (aware) on, at once where that is None.

    What was decided stays decided: only the very first set may begin in the past. Open cases follow when its hour
    comes. Raises ImportRefused with every defect where one refuses, SetupError where the set is no draft, was changed
    while it was checked, would begin too early, or has no cell for an open case, or no beat of a duty line that has
    some, and that is not accepted.
    """
    checked = await check_grid(pool, name)
    _need_sound(checked)
    async with transaction(pool) as (conn, now):
        return await _put_in_force(conn, checked, valid_from, now, accept_lost=accept_lost)


async def publish_grid_at_once(conn: Conn, name: str, now: datetime, *, accept_lost: bool = False) -> Published:
    """The same from now on, in the caller's transaction as the service: he waits for the check with it."""
    found = await _look(conn, name)
    checked = await asyncio.to_thread(_checked, *found)
    _need_sound(checked)
    return await _put_in_force(conn, checked, None, now, accept_lost=accept_lost)


def _need_sound(checked: Checked) -> None:
    need_draft(checked.grid_set)
    if any(defect.refuses for defect in checked.defects):
        raise refusal(f"{checked.grid_set.name} cannot be published", checked.defects)


async def _put_in_force(
    conn: Conn, checked: Checked, valid_from: datetime | None, now: datetime, *, accept_lost: bool
) -> Published:
    known, name = checked.grid_set, checked.grid_set.name
    await grids.lock(conn)
    if await grids.set_named(conn, name) != known:
        raise SetupError(
            f"{name} was changed by somebody else while it was checked; run it again",
            reason="changed_meanwhile", name=name,
        )  # fmt: skip
    start = valid_from or now
    others = [s for s in await grids.every_set(conn) if s.state != "draft"]
    if start < now and others:
        raise SetupError(
            f"{name} would be valid from {start.isoformat()}; want {now.isoformat()} or later",
            reason="too_early", name=name,
        )  # fmt: skip
    beatless = await grids.lines_without_beats(conn, known.id, now)
    if beatless and not accept_lost:
        raise SetupError(
            f"{name} has no beat of {', '.join(beatless)}: every case that an officer has there would lose its "
            "owner; add them (gridsvc grid beats), or publish with --accept-lost",
            reason="line_without_beats", name=name, given=", ".join(beatless),
        )  # fmt: skip
    lost = await lost_cases(conn, known.id, now)
    if lost and not accept_lost:
        raise SetupError(
            f"{name} has no cell for {len(lost)} open cases: {_named(lost)}; draw their ground, or publish with "
            "--accept-lost: they keep the cell that they have",
            reason="cases_without_cell", name=name, n=len(lost),
        )  # fmt: skip
    assert checked.box is not None  # noqa: S101 - a set without cells was refused above
    await grids.publish(conn, known.id, start, now, checked.box)
    await prepare_map(conn, known.id, now)
    return Published(known.id, start, checked.defects, len(lost))


_NAMED: Final = 10  # of many: gridsvc grid preview lists all


def _named(lost: Sequence[CaseRow]) -> str:
    names = [row.number or str(row.id) for row in lost[:_NAMED]]
    return ", ".join([*names, "…"] if len(lost) > _NAMED else names)


async def rollback_grid(conn: Conn, now: datetime) -> tuple[grids.GridSet, grids.GridSet]:
    """Withdraw the published set that begins last; return it and the one that is in force without it.

    Runs inside the caller's transaction; the map of that one is made anew. Raises SetupError where nothing would be
    in force any more.
    Open cases that were located with the withdrawn set follow back; closed ones keep its cells.
    """
    await grids.lock(conn)
    published = [s for s in await grids.every_set(conn) if s.state == "published"]
    if not published:
        raise SetupError("no grid set is published", reason="no_grid")
    last = max(published, key=lambda s: (s.valid_from or now, s.id))
    await grids.retire(conn, last.id, now)
    left = await grids.in_force(conn, now)
    if left is None:
        raise SetupError(
            f"{last.name} is the only set in force: there is none to go back to", reason="only_set", name=last.name
        )
    await prepare_missing(conn, now)
    return last, next(s for s in published if s.id == left)


async def _known(conn: Conn, name: str) -> grids.GridSet:
    known = await grids.set_named(conn, name)
    if known is None:
        raise SetupError(f"there is no set {name!r}; grid list names them", reason="no_such_set", name=name)
    return known
