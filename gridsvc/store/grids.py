"""Grid sets as they are kept: versions of the city's divisions, cells and beats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import shapely

from geo.place import Bounds
from gridsvc.db import Conn, Nothing, Statement


@dataclass(frozen=True)
class GridSet:
    """One version of the grid. `changes` counts what was imported or made in it so far."""

    id: int
    name: str
    state: str
    cell_scheme: str
    valid_from: datetime | None
    published_at: datetime | None
    retired_at: datetime | None
    divisions: int
    cells: int
    beats: int
    changes: int


@dataclass(frozen=True)
class Division:
    """One division of a set; `path` are codes from the top down to its own. `outline` None: known by code only."""

    code: str
    name: str
    level: str
    parent_code: str | None
    path: list[str]
    area_m2: float
    outline: shapely.Geometry | None


@dataclass(frozen=True)
class Cell:
    """One cell of a set, with its area on the ellipsoid."""

    code: str
    name: str
    division_code: str
    area_m2: float
    outline: shapely.Geometry


@dataclass(frozen=True)
class Beat:
    """One beat of a duty line, and the codes of its cells."""

    code: str
    name: str
    division_code: str
    cells: Sequence[str]


_LOCK = Statement(Nothing, "SELECT pg_advisory_xact_lock(hashtext('gridsvc.grid_sets'))")


async def lock(conn: Conn) -> None:
    """Let one transaction at a time change grid sets; held until it ends. Reading never waits for it."""
    await _LOCK.run(conn)


ALL = Statement(
    GridSet,
    """
    SELECT s.id, s.name, s.state, s.cell_scheme, s.valid_from, s.published_at, s.retired_at,
           (SELECT count(*)::integer FROM divisions d WHERE d.grid_set_id = s.id) AS divisions,
           (SELECT count(*)::integer FROM cells c WHERE c.grid_set_id = s.id) AS cells,
           (SELECT count(*)::integer FROM beats b WHERE b.grid_set_id = s.id) AS beats,
           jsonb_array_length(s.provenance) AS changes
      FROM grid_sets s
     WHERE $1::text IS NULL OR s.name = $1::text
     ORDER BY s.id
    """,
)


async def every_set(conn: Conn) -> list[GridSet]:
    """All sets, the oldest first."""
    return await ALL.all(conn, None)


@dataclass(frozen=True)
class _Name:
    name: str


_NAME = Statement(_Name, "SELECT name FROM grid_sets WHERE id = $1::integer")


async def name_of(conn: Conn, grid_set_id: int) -> str:
    """What a set is called that cases or places name."""
    row = await _NAME.one(conn, grid_set_id)
    assert row is not None  # noqa: S101 - sets are never removed
    return row.name


async def set_named(conn: Conn, name: str) -> GridSet | None:
    """The set of that name, or None."""
    return await ALL.one(conn, name)


@dataclass(frozen=True)
class _Id:
    id: int


_ADD_SET = Statement(
    _Id,
    """
    INSERT INTO grid_sets (name, cell_scheme)
    VALUES ($1::text, $2::text)
    RETURNING id
    """,
)


async def add_set(conn: Conn, name: str, cell_scheme: str) -> int:
    """Begin a draft; return its id. A name that is taken raises asyncpg.UniqueViolationError."""
    row = await _ADD_SET.one(conn, name, cell_scheme)
    assert row is not None  # noqa: S101 - an insert returns its row
    return row.id


_NOTE = Statement(
    Nothing,
    """
    UPDATE grid_sets
       SET provenance = provenance || jsonb_build_array($2::jsonb)
     WHERE id = $1::integer
    """,
)


async def note_change(conn: Conn, grid_set_id: int, what: dict[str, Any]) -> None:
    """Write down where a set's content came from: file, frame, repairs, warnings."""
    await _NOTE.run(conn, grid_set_id, what)


DIVISIONS = Statement(
    Division,
    """
    SELECT code, name, level, parent_code, path, area_m2, outline
      FROM divisions
     WHERE grid_set_id = $1::integer
     ORDER BY code
    """,
)

CELLS = Statement(
    Cell,
    """
    SELECT code, name, division_code, area_m2, outline
      FROM cells
     WHERE grid_set_id = $1::integer
     ORDER BY code
    """,
)


async def divisions_of(conn: Conn, grid_set_id: int) -> list[Division]:
    """Every division of a set, by code."""
    return await DIVISIONS.all(conn, grid_set_id)


async def cells_of(conn: Conn, grid_set_id: int) -> list[Cell]:
    """Every cell of a set, by code. 105 000 cells: about 2 s and 100 MB."""
    return await CELLS.all(conn, grid_set_id)


# Rows by COPY: 17 000 cells a second with their indexes, on two cores that were busy otherwise.
_AT_ONCE: Final = 10_000  # rows in one COPY, so that progress can be told

Told = Callable[[str, int, int], None]
"""Hears how far a long step has come: what, done, of how many."""


def untold(what: str, done: int, of: int) -> None:
    """For callers who do not watch."""


async def add_divisions(conn: Conn, grid_set_id: int, divisions: Sequence[Division], told: Told = untold) -> None:
    """Add divisions to a set; parents may come in any order."""
    columns = ["grid_set_id", "code", "name", "level", "parent_code", "path", "area_m2", "outline"]
    rows = [
        (grid_set_id, d.code, d.name, d.level, d.parent_code, d.path, d.area_m2, _multi(d.outline)) for d in divisions
    ]
    await _copy(conn, "divisions", columns, rows, told)


async def add_cells(conn: Conn, grid_set_id: int, cells: Sequence[Cell], told: Told = untold) -> None:
    """Add cells to a set; their divisions must be in it when the transaction ends."""
    columns = ["grid_set_id", "code", "name", "division_code", "area_m2", "outline"]
    rows = [(grid_set_id, c.code, c.name, c.division_code, c.area_m2, _multi(c.outline)) for c in cells]
    await _copy(conn, "cells", columns, rows, told)


async def add_beats(
    conn: Conn, grid_set_id: int, duty_line: str, beats: Sequence[Beat], told: Told = untold
) -> None:
    """Add the beats of a duty line, and say which cells each has."""
    columns = ["grid_set_id", "duty_line", "code", "name", "division_code"]
    rows = [(grid_set_id, duty_line, b.code, b.name, b.division_code) for b in beats]
    await _copy(conn, "beats", columns, rows, told)
    columns = ["grid_set_id", "duty_line", "cell_code", "beat_code"]
    pairs = [(grid_set_id, duty_line, cell, b.code) for b in beats for cell in b.cells]
    await _copy(conn, "beat_cells", columns, pairs, told)


async def _copy(conn: Conn, table: str, columns: list[str], rows: Sequence[tuple[Any, ...]], told: Told) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        await conn.copy_records_to_table(table, records=part, columns=columns)
        told(f"write {table}", start + len(part), len(rows))


def _multi(outline: shapely.Geometry | None) -> shapely.Geometry | None:
    return shapely.MultiPolygon([outline]) if isinstance(outline, shapely.Polygon) else outline


# In the order in which they name each other.
_COPIES: Final = tuple(
    Statement(Nothing, sql)
    for sql in (
        """
        INSERT INTO divisions (grid_set_id, code, name, name_en, level, parent_code, path, area_m2, outline)
        SELECT $2::integer, code, name, name_en, level, parent_code, path, area_m2, outline
          FROM divisions
         WHERE grid_set_id = $1::integer
        """,
        """
        INSERT INTO cells (grid_set_id, code, name, division_code, management_level, area_m2, outline)
        SELECT $2::integer, code, name, division_code, management_level, area_m2, outline
          FROM cells
         WHERE grid_set_id = $1::integer
        """,
        """
        INSERT INTO beats (grid_set_id, duty_line, code, name, division_code)
        SELECT $2::integer, duty_line, code, name, division_code
          FROM beats
         WHERE grid_set_id = $1::integer
        """,
        """
        INSERT INTO beat_cells (grid_set_id, duty_line, cell_code, beat_code)
        SELECT $2::integer, duty_line, cell_code, beat_code
          FROM beat_cells
         WHERE grid_set_id = $1::integer
        """,
    )
)


async def copy_content(conn: Conn, from_set: int, to_set: int) -> None:
    """Put all that one set holds into another that is empty. 100 000 cells: some seconds."""
    for statement in _COPIES:
        await statement.run(conn, from_set, to_set)


@dataclass(frozen=True)
class _Code:
    code: str


_CELL_CODES = Statement(
    _Code,
    """
    SELECT code
      FROM cells
     WHERE grid_set_id = $1::integer
       AND code = ANY ($2::text[])
     ORDER BY code
    """,
)


async def known_cells(conn: Conn, grid_set_id: int, codes: Sequence[str]) -> list[str]:
    """Those of `codes` that are cells of a set."""
    return [row.code for row in await _CELL_CODES.all(conn, grid_set_id, list(codes))]


_GIVE_CELLS = Statement(
    Nothing,
    """
    INSERT INTO beat_cells (grid_set_id, duty_line, cell_code, beat_code)
    SELECT $1::integer, $2::text, cell, $3::text
      FROM unnest($4::text[]) AS cell
        ON CONFLICT (grid_set_id, duty_line, cell_code) DO UPDATE
       SET beat_code = excluded.beat_code
    """,
)


async def give_cells(conn: Conn, grid_set_id: int, duty_line: str, beat: str, cells: Sequence[str]) -> None:
    """Let a beat have these cells of the set in its duty line, whichever had them."""
    await _GIVE_CELLS.run(conn, grid_set_id, duty_line, beat, list(cells))


@dataclass(frozen=True)
class BorderCell:
    """A cell of one beat that touches another beat of its division, and how many open cases lie in it."""

    duty_line: str
    cell: str
    beat: str
    neighbour: str
    open_cases: int


BORDER_CELLS = Statement(
    BorderCell,
    """
    SELECT DISTINCT ON (busy.open_cases, busy.duty_line, busy.cell_code)
           busy.duty_line, busy.cell_code AS cell, b.beat_code AS beat, n.beat_code AS neighbour, busy.open_cases
      FROM (SELECT c.duty_line, c.cell_code, count(*)::integer AS open_cases
              FROM cases c
             WHERE c.grid_set_id = $1::integer
               AND c.state IN ('filed', 'assigned', 'accepted', 'in_progress', 'handled')
             GROUP BY c.duty_line, c.cell_code) busy
      JOIN cells o ON o.grid_set_id = $1::integer AND o.code = busy.cell_code
      JOIN beat_cells b ON b.grid_set_id = o.grid_set_id AND b.duty_line = busy.duty_line AND b.cell_code = o.code
      JOIN cells t ON t.outline && o.outline AND t.grid_set_id + 0 = o.grid_set_id AND t.division_code = o.division_code
      JOIN beat_cells n ON n.grid_set_id = t.grid_set_id AND n.duty_line = b.duty_line AND n.cell_code = t.code
                       AND n.beat_code <> b.beat_code
     ORDER BY busy.open_cases DESC, busy.duty_line, busy.cell_code, n.beat_code
     LIMIT $2::integer
    """,
)


_DUTY_LINES = Statement(_Code, "SELECT code FROM duty_lines ORDER BY code")

_BEAT_CODES = Statement(
    _Code,
    """
    SELECT code
      FROM beats
     WHERE grid_set_id = $1::integer
       AND duty_line = $2::text
     ORDER BY code
    """,
)


async def duty_lines(conn: Conn) -> list[str]:
    """The codes of all duty lines."""
    return [row.code for row in await _DUTY_LINES.all(conn)]


async def beat_codes(conn: Conn, grid_set_id: int, duty_line: str) -> list[str]:
    """The codes of the beats that a duty line has in a set."""
    return [row.code for row in await _BEAT_CODES.all(conn, grid_set_id, duty_line)]


_LINES_WITHOUT_BEATS = Statement(
    _Code,
    """
    SELECT DISTINCT b.duty_line AS code
      FROM beats b
     WHERE b.grid_set_id = grid_set_at($2::timestamptz)
       AND NOT EXISTS (SELECT
                         FROM beats n
                        WHERE n.grid_set_id = $1::integer
                          AND n.duty_line = b.duty_line)
     ORDER BY b.duty_line
    """,
)


async def lines_without_beats(conn: Conn, grid_set_id: int, at: datetime) -> list[str]:
    """The duty lines that have beats in the set in force and none in this one."""
    return [row.code for row in await _LINES_WITHOUT_BEATS.all(conn, grid_set_id, at)]


PUBLISH = Statement(
    Nothing,
    """
    UPDATE grid_sets
       SET state = 'published', valid_from = $2::timestamptz, published_at = $3::timestamptz,
           west = $4::float8, south = $5::float8, east = $6::float8, north = $7::float8
     WHERE id = $1::integer
    """,
)


_LEARN_STATISTICS = Statement(Nothing, "SELECT FROM learn_grid_statistics()")


async def publish(conn: Conn, grid_set_id: int, valid_from: datetime, now: datetime, box: Bounds) -> None:
    """Put a draft in force from `valid_from` on; `box` is that of its cells. The planner learns its size at once."""
    await PUBLISH.run(conn, grid_set_id, valid_from, now, box.west, box.south, box.east, box.north)
    await _LEARN_STATISTICS.run(conn)


_RETIRE = Statement(
    Nothing, "UPDATE grid_sets SET state = 'retired', retired_at = $2::timestamptz WHERE id = $1::integer"
)


async def retire(conn: Conn, grid_set_id: int, now: datetime) -> None:
    """Take a published set out of force from `now` on; its cells stay, because cases name them."""
    await _RETIRE.run(conn, grid_set_id, now)


@dataclass(frozen=True)
class _InForce:
    id: int | None


_IN_FORCE = Statement(_InForce, "SELECT grid_set_at($1::timestamptz) AS id")


async def in_force(conn: Conn, at: datetime) -> int | None:
    """The id of the set that owns places at a moment, or None."""
    row = await _IN_FORCE.one(conn, at)
    return None if row is None else row.id
