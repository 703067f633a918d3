"""The shapes of a grid set as the map draws them: written once per set, read by tiles."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import shapely

from gridsvc.db import Conn, Nothing, Statement
from gridsvc.store.grids import Told, untold


@dataclass(frozen=True)
class Drawn:
    """One outline at three resolutions, and the point that its name stands at; all in EPSG:3857."""

    shape: shapely.Geometry
    coarse: shapely.Geometry
    coarsest: shapely.Geometry
    label: shapely.Geometry


@dataclass(frozen=True)
class MapDivision:
    """A division as it is drawn."""

    code: str
    name: str
    name_en: str
    level: str
    drawn: Drawn


@dataclass(frozen=True)
class MapCell:
    """A cell as it is drawn."""

    code: str
    name: str
    division_code: str
    drawn: Drawn


@dataclass(frozen=True)
class MapBeat:
    """A beat of one duty line as it is drawn."""

    duty_line: str
    code: str
    name: str
    drawn: Drawn


@dataclass(frozen=True)
class MapShapes:
    """All that a map shows of one grid set."""

    divisions: Sequence[MapDivision]
    cells: Sequence[MapCell]
    beats: Sequence[MapBeat]


@dataclass(frozen=True)
class NamedDivision:
    """What a division is called, and its outline in degrees."""

    code: str
    name: str
    name_en: str
    level: str
    outline: shapely.Geometry


NAMED_DIVISIONS: Final = Statement(
    NamedDivision,
    """
    SELECT code, name, name_en, level, outline
      FROM divisions
     WHERE grid_set_id = $1::integer
       AND outline IS NOT NULL
     ORDER BY code
    """,
)


@dataclass(frozen=True)
class BeatGround:
    """A beat and the codes of its cells."""

    duty_line: str
    code: str
    name: str
    cells: list[str]


BEAT_GROUNDS: Final = Statement(
    BeatGround,
    """
    SELECT b.duty_line, b.code, b.name, array_agg(c.cell_code ORDER BY c.cell_code) AS cells
      FROM beats b
      JOIN beat_cells c ON c.grid_set_id = b.grid_set_id AND c.duty_line = b.duty_line AND c.beat_code = b.code
     WHERE b.grid_set_id = $1::integer
     GROUP BY b.duty_line, b.code, b.name
     ORDER BY b.duty_line, b.code
    """,
)


@dataclass(frozen=True)
class _Id:
    id: int


_UNPREPARED = Statement(
    _Id,
    """
    SELECT s.id
      FROM grid_sets s
     WHERE (s.id = grid_set_at($1::timestamptz) OR (s.state = 'published' AND s.valid_from > $1::timestamptz))
       AND NOT EXISTS (SELECT FROM map_sets m WHERE m.grid_set_id = s.id)
     ORDER BY s.valid_from, s.id
    """,
)


async def unprepared(conn: Conn, now: datetime) -> list[int]:
    """The sets in force, or to be, that no map can be drawn of yet."""
    return [row.id for row in await _UNPREPARED.all(conn, now)]


_FORGET = Statement(Nothing, "DELETE FROM map_sets WHERE grid_set_id = $1::integer")

_NOTE = Statement(
    Nothing, "INSERT INTO map_sets (grid_set_id, prepared_at) VALUES ($1::integer, $2::timestamptz)"
)


async def keep(conn: Conn, grid_set_id: int, shapes: MapShapes, now: datetime, told: Told = untold) -> None:
    """Let these be the shapes of a set, whatever was kept of it before."""
    await _FORGET.run(conn, grid_set_id)
    await _NOTE.run(conn, grid_set_id, now)
    drawn = ["shape", "coarse", "coarsest", "label"]
    await _copy(
        conn, "map_divisions", ["grid_set_id", "code", "name", "name_en", "level", *drawn],
        [(grid_set_id, d.code, d.name, d.name_en, d.level, *_four(d.drawn)) for d in shapes.divisions], told,
    )  # fmt: skip
    await _copy(
        conn, "map_cells", ["grid_set_id", "code", "name", "division_code", *drawn],
        [(grid_set_id, c.code, c.name, c.division_code, *_four(c.drawn)) for c in shapes.cells], told,
    )  # fmt: skip
    await _copy(
        conn, "map_beats", ["grid_set_id", "duty_line", "code", "name", *drawn],
        [(grid_set_id, b.duty_line, b.code, b.name, *_four(b.drawn)) for b in shapes.beats], told,
    )  # fmt: skip


_AT_ONCE: Final = 10_000  # rows in one COPY


async def _copy(conn: Conn, table: str, columns: list[str], rows: Sequence[tuple[Any, ...]], told: Told) -> None:
    for start in range(0, len(rows), _AT_ONCE):
        part = rows[start : start + _AT_ONCE]
        await conn.copy_records_to_table(table, records=part, columns=columns)
        told(f"write {table}", start + len(part), len(rows))


def _four(drawn: Drawn) -> tuple[shapely.Geometry, ...]:
    shapes = (drawn.shape, drawn.coarse, drawn.coarsest, drawn.label)
    return tuple(shapely.set_srid(shape, WEB_MERCATOR) for shape in shapes)


WEB_MERCATOR: Final = 3857

_FORGET_OLD = Statement(
    Nothing,
    """
    DELETE FROM map_sets m
     USING grid_sets s
     WHERE s.id = m.grid_set_id
       AND s.id IS DISTINCT FROM grid_set_at($1::timestamptz)
       AND NOT (s.state = 'published' AND s.valid_from > $1::timestamptz)
    """,
)


async def forget_old(conn: Conn, now: datetime) -> int:
    """Let go of the shapes of sets that are not in force any more; return of how many."""
    return await _FORGET_OLD.run(conn, now)
