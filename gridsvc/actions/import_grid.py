"""Import an outline file into a draft of the grid: all of it or nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final, Literal

import shapely

from geo.boundaries import Outline, Reading, read_outlines
from geo.codes import FREE, LEVELS, Level, Scheme, division_fault, level_of, parent_code, scheme_named
from geo.coverage import box_around, holes, overlaps, strays
from geo.defects import Defect, Kind
from geo.locator import Locator
from geo.projection import area_m2
from gridsvc import errors
from gridsvc.actions.grid_drafts import need_draft, need_duty_line, refusal
from gridsvc.db import Conn, ConnPool, transaction
from gridsvc.store import grids
from gridsvc.store.grids import Told, untold

Layer = Literal["divisions", "cells", "beats"]


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to import, and as what.

    `division` (`CODE`, or `CODE=NAME` to add it as a `division_level` around all rows) is what rows lie
    in whose code does not tell. `level` is for divisions whose code and row tell none. `scheme` may be
    left out where the draft exists. `duty_line` is needed for beats alone.
    """

    file: Path
    layer: Layer
    set_name: str
    reading: Reading
    scheme: str | None = None
    division: str | None = None
    division_level: Level = "city"
    level: Level | None = None
    duty_line: str | None = None


@dataclass(frozen=True)
class Imported:
    """What was kept, and what is to be known about it."""

    grid_set_id: int
    rows: int
    frame: str
    warnings: list[Defect]


@dataclass(frozen=True)
class _Draft:
    """The set as it was found; `known` is None where the import begins it."""

    known: grids.GridSet | None
    scheme: Scheme
    divisions: list[grids.Division] = field(default_factory=list)
    cells: list[grids.Cell] = field(default_factory=list)
    taken_beats: frozenset[str] = frozenset()


@dataclass(frozen=True)
class _Content:
    """What the file adds to the draft."""

    divisions: list[grids.Division] = field(default_factory=list)
    cells: list[grids.Cell] = field(default_factory=list)
    beats: list[grids.Beat] = field(default_factory=list)


async def import_grid(pool: ConnPool, order: Order, told: Told = untold) -> Imported:
    """Read the file, check it against itself and the draft, and keep it in one transaction.

    Begins the draft where there is none of that name. Opens its own transactions: reading and
    checking may take a minute, and none is open meanwhile. Raises ImportRefused with every defect
    (`facts["found"]` has them with place and shape) and keeps nothing where one of them refuses;
    also when the set is published or was changed meanwhile.
    """
    async with transaction(pool) as (conn, _):
        draft = await _look(conn, order)
    content, frame, defects = await asyncio.to_thread(_decide, order, draft, told)
    if any(defect.refuses for defect in defects):
        raise refusal(f"{order.file.name} is refused: nothing of it was kept", defects)
    async with transaction(pool) as (conn, now):
        await grids.lock(conn)
        grid_set_id = await _same_draft(conn, order, draft)
        await grids.add_divisions(conn, grid_set_id, content.divisions, told)
        await grids.add_cells(conn, grid_set_id, content.cells, told)
        await grids.add_beats(conn, grid_set_id, order.duty_line or "", content.beats, told)
        rows = len(content.cells or content.beats or content.divisions)
        await grids.note_change(conn, grid_set_id, _provenance(order, rows, frame, defects, now.isoformat()))
    return Imported(grid_set_id, rows, frame, defects)


# ------------------------------------------------------------------------------------------- look


async def _look(conn: Conn, order: Order) -> _Draft:
    known = await grids.set_named(conn, order.set_name)
    scheme = _scheme(order, known)
    if order.layer == "beats":
        await need_duty_line(conn, order.duty_line)
    if known is None:
        return _Draft(None, scheme)
    need_draft(known)
    beats = await grids.beat_codes(conn, known.id, order.duty_line) if order.duty_line else []
    return _Draft(
        known,
        scheme,
        await grids.divisions_of(conn, known.id),
        [] if order.layer == "divisions" else await grids.cells_of(conn, known.id),
        frozenset(beats),
    )


def _scheme(order: Order, known: grids.GridSet | None) -> Scheme:
    name = order.scheme or (known.cell_scheme if known else "6+3+3+3")
    try:
        scheme = scheme_named(name)
    except ValueError as error:
        raise errors.SetupError(str(error)) from error
    if known is not None and known.cell_scheme != scheme.name:
        raise errors.SetupError(f"{known.name} numbers its cells by {known.cell_scheme}; given {scheme.name}")
    return scheme


async def _same_draft(conn: Conn, order: Order, draft: _Draft) -> int:
    known = await grids.set_named(conn, order.set_name)
    if known is None and draft.known is None:
        return await grids.add_set(conn, order.set_name, draft.scheme.name)
    if known is None or known != draft.known:
        raise errors.SetupError(f"{order.set_name} was changed by somebody else meanwhile; run the import again")
    return known.id


# ----------------------------------------------------------------------------------------- decide


def _decide(order: Order, draft: _Draft, told: Told) -> tuple[_Content, str, list[Defect]]:
    told("read", 0, 3)
    near = box_around(d.outline for d in draft.divisions if d.outline is not None)
    read = read_outlines(order.file, replace(order.reading, code_fault=_code_fault(order, draft.scheme), near=near))
    told("check", 1, 3)
    top, wrong = _top_division(order, draft, read.rows)
    match order.layer:
        case "divisions":
            content, found = _divisions(order, draft, read.rows, top)
        case "cells":
            content, found = _cells(draft, read.rows, top)
        case "beats":
            content, found = _beats(draft, read.rows, top)
    told("check", 3, 3)
    return content, read.frame, [*read.defects, *wrong, *found]


def _code_fault(order: Order, scheme: Scheme) -> Any:
    if order.layer == "divisions":
        return lambda code: division_fault(code, scheme)
    return scheme.fault if order.layer == "cells" else FREE.fault


def _top_division(
    order: Order, draft: _Draft, rows: Sequence[Outline]
) -> tuple[tuple[grids.Division, bool] | None, list[Defect]]:
    """The division given with the order, and whether it is new."""
    if order.division is None:
        return None, []
    code, _, name = order.division.partition("=")
    for division in draft.divisions:
        if division.code == code:
            return (division, False), []
    if not name:
        words = f"division {code!r} is not in the set; --division {code}=NAME would add it"
        return None, [Defect(Kind.UNKNOWN_DIVISION, words)]
    fault = division_fault(code, draft.scheme)
    if fault is not None:
        return None, [Defect(Kind.MALFORMED_CODE, f"--division: {fault}", code=code)]
    outline = shapely.union_all([row.shape for row in rows]) if rows else None
    level = level_of(code) or order.division_level
    area = 0.0 if outline is None else area_m2(outline)
    return (grids.Division(code, name, level, None, [code], area, outline), True), []


def _divisions(
    order: Order, draft: _Draft, rows: Sequence[Outline], top: tuple[grids.Division, bool] | None
) -> tuple[_Content, list[Defect]]:
    levels, defects = _levels(order, rows)
    known = {d.code: d for d in draft.divisions} | ({top[0].code: top[0]} if top else {})
    defects += [_taken(row) for row in rows if row.code in known]
    made = dict(known)
    for row in sorted(rows, key=lambda row: LEVELS.index(levels.get(row.row, "community"))):
        if row.row not in levels or row.code in known:
            continue
        parent, found = _parent(row, levels[row.row], made, top[0].code if top else None)
        defects += found
        path = [*(parent.path if parent else []), row.code]
        above = parent.code if parent else None
        made[row.code] = grids.Division(row.code, row.name, levels[row.row], above, path, area_m2(row.shape), row.shape)
    new = [d for code, d in made.items() if code not in known or (top and top[1] and code == top[0].code)]
    return _Content(divisions=new), [*defects, *_lie_together(rows, levels, draft), *_leave_parents(rows, made)]


def _levels(order: Order, rows: Sequence[Outline]) -> tuple[dict[int, Level], list[Defect]]:
    levels: dict[int, Level] = {}
    defects = []
    for row in rows:
        level = row.level or level_of(row.code) or order.level
        if level is None:
            words = f"neither {row.code} nor a field tells its level; say --level-field or --level"
            defects.append(Defect(Kind.UNKNOWN_LEVEL, words, row=row.row, code=row.code))
        else:
            levels[row.row] = level
    return levels, defects


def _parent(
    row: Outline, level: Level, made: dict[str, grids.Division], top: str | None
) -> tuple[grids.Division | None, list[Defect]]:
    if row.parent is not None and row.parent not in made:
        words = f"its parent {row.parent} is neither in the set nor in the file; --division {row.parent}=NAME adds it"
        return None, [Defect(Kind.UNKNOWN_PARENT, words, row=row.row, code=row.code)]
    above = row.parent or parent_code(row.code)
    while above is not None and above not in made:
        above = parent_code(above)
    parent = made.get(above or top or "")
    if parent is not None and LEVELS.index(parent.level) >= LEVELS.index(level):
        words = f"its parent {parent.code} is a {parent.level}, which is not above a {level}"
        return None, [Defect(Kind.UNKNOWN_PARENT, words, row=row.row, code=row.code)]
    return parent, []


def _taken(row: Outline) -> Defect:
    return Defect(Kind.DUPLICATE_CODE, f"{row.code} is in the set already", row=row.row, code=row.code)


def _lie_together(rows: Sequence[Outline], levels: dict[int, Level], draft: _Draft) -> list[Defect]:
    """Divisions of one level may not share ground; what they leave uncovered is told."""
    defects: list[Defect] = []
    for level in LEVELS:
        new = [row for row in rows if levels.get(row.row) == level]
        old = [d for d in draft.divisions if d.level == level and d.outline is not None]
        if new:
            shapes = [*(row.shape for row in new), *(d.outline for d in old if d.outline is not None)]
            codes = [*(row.code for row in new), *(d.code for d in old)]
            numbers = [*(row.row for row in new), *(None for _ in old)]
            defects += [*overlaps(codes, shapes, numbers), *holes(shapes)]
    return defects


def _leave_parents(rows: Sequence[Outline], made: dict[str, grids.Division]) -> list[Defect]:
    inside = [row for row in rows if row.code in made and made[row.code].parent_code is not None]
    owners = [made[row.code].parent_code or "" for row in inside]
    return strays(
        [r.code for r in inside], [r.shape for r in inside], owners, _outlines(made), [r.row for r in inside]
    )


def _outlines(divisions: dict[str, grids.Division]) -> dict[str, shapely.Geometry]:
    return {code: d.outline for code, d in divisions.items() if d.outline is not None}


def _cells(
    draft: _Draft, rows: Sequence[Outline], top: tuple[grids.Division, bool] | None
) -> tuple[_Content, list[Defect]]:
    divisions = {d.code: d for d in draft.divisions} | ({top[0].code: top[0]} if top else {})
    taken = {cell.code for cell in draft.cells}
    owners = [draft.scheme.division_of(row.code) or (top[0].code if top else None) for row in rows]
    defects = [_taken(row) for row in rows if row.code in taken]
    defects += [_no_division(row, owner) for row, owner in zip(rows, owners, strict=True) if owner not in divisions]
    codes = [*(row.code for row in rows), *(cell.code for cell in draft.cells)]
    shapes = [*(row.shape for row in rows), *(cell.outline for cell in draft.cells)]
    numbers = [*(row.row for row in rows), *(None for _ in draft.cells)]
    defects += [*overlaps(codes, shapes, numbers), *holes(shapes)]
    own = [owner or "" for owner in owners]
    defects += strays(codes[: len(rows)], shapes[: len(rows)], own, _outlines(divisions), [r.row for r in rows])
    cells = [grids.Cell(r.code, r.name, o, area_m2(r.shape), r.shape) for r, o in zip(rows, own, strict=True)]
    return _Content(divisions=[top[0]] if top and top[1] else [], cells=cells), defects


def _no_division(row: Outline, owner: str | None) -> Defect:
    words = "its code names no division; say --division" if owner is None else f"its division {owner} is not in the set"
    return Defect(Kind.UNKNOWN_DIVISION, words, row=row.row, code=row.code)


def _beats(
    draft: _Draft, rows: Sequence[Outline], top: tuple[grids.Division, bool] | None
) -> tuple[_Content, list[Defect]]:
    """A cell belongs to the beat in which a point within it lies (border rule: the lowest code)."""
    defects = [_taken(row) for row in rows if row.code in draft.taken_beats]
    defects += overlaps([row.code for row in rows], [row.shape for row in rows], [row.row for row in rows])
    middles = shapely.get_coordinates(shapely.point_on_surface([cell.outline for cell in draft.cells]))
    found = Locator([row.code for row in rows], [row.shape for row in rows]).locate_many(middles[:, 0], middles[:, 1])
    cells: dict[str, list[grids.Cell]] = {row.code: [] for row in rows}
    for cell, beat in zip(draft.cells, found, strict=True):
        if beat is None or beat.method != "covers":
            defects.append(Defect(Kind.CELL_IN_NO_BEAT, f"cell {cell.code} lies in no beat", False, code=cell.code))
        else:
            cells[beat.code].append(cell)
    paths = {d.code: d.path for d in draft.divisions}
    beats = []
    for row in rows:
        common = _common_path([paths[cell.division_code] for cell in cells[row.code]])
        division = common[-1] if common else top[0].code if top and not top[1] else None
        if not cells[row.code]:
            words = f"beat {row.code} holds no cell of the set"
            defects.append(Defect(Kind.BEAT_WITHOUT_CELLS, words, row=row.row, code=row.code))
        elif division is None:
            words = f"the cells of beat {row.code} have no division in common; say --division"
            defects.append(Defect(Kind.UNKNOWN_DIVISION, words, row=row.row, code=row.code))
        else:
            beats.append(grids.Beat(row.code, row.name, division, [cell.code for cell in cells[row.code]]))
    return _Content(beats=beats), defects


def _common_path(paths: Sequence[Sequence[str]]) -> list[str]:
    common = []
    for codes in zip(*paths, strict=False):
        if len(set(codes)) > 1:
            break
        common.append(codes[0])
    return common


# ------------------------------------------------------------------------------------------- keep

_MOST_NOTED: Final = 200  # warnings written into the set; a city with 558 sliver gaps does not need each one there


def _provenance(order: Order, rows: int, frame: str, defects: Sequence[Defect], at: str) -> dict[str, Any]:
    return {
        "what": f"import {order.layer}",
        "file": order.file.name,
        "frame": frame,
        "rows": rows,
        "repairs": [str(d) for d in defects if d.kind is Kind.REPAIRED],
        "warnings": [str(d) for d in defects if d.kind is not Kind.REPAIRED][:_MOST_NOTED],
        "warning_count": sum(d.kind is not Kind.REPAIRED for d in defects),
        "at": at,
    }
