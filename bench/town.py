"""A square town of any size with everybody in it, as a value: what is measured and broken is loaded with this."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import shapely

from geo.codes import beat_code
from gridsvc.domain.access import Grant, Role
from gridsvc.local.city_plan import Beat, Cell, City, Division, Land, Person
from gridsvc.local.starter import DEPARTMENTS

CITY: Final = "620100"
LINES: Final = ("city", "social", "sanitation")

WEST: Final = 103.80
SOUTH: Final = 36.05
_STEP_LON: Final = 0.00111  # 100 m at this latitude
_STEP_LAT: Final = 0.00090  # 100 m


@dataclass(frozen=True, kw_only=True)
class Size:
    """How large a town is: `side` × `side` cells of a hectare per community, `officers` per community and duty line.

    `dispatchers` sit at the city's own desk, numbered from 1.
    """

    districts: int = 2
    streets: int = 2
    communities: int = 1
    side: int = 3
    officers: int = 3
    dispatchers: int = 0


@dataclass(frozen=True)
class _Block:
    """One community and where it lies: blocks stand in one row from west to east."""

    district: str
    street: str
    code: str
    column: int


def make_town(size: Size) -> City:
    """The town; the same size gives the same town."""
    blocks = list(_blocks(size))
    cells = [cell for block in blocks for cell in _cells(block, size.side)]
    divisions = tuple(_divisions(blocks, cells))
    beats = tuple(_beats(blocks, cells))
    return City(
        seed=0,
        land=Land(divisions=divisions, cells=tuple(cells), features=()),
        beats=beats,
        people=tuple(_people(size, divisions, beats)),
        cameras=(),
    )


def _blocks(size: Size) -> Iterator[_Block]:
    column = 0
    for d in range(size.districts):
        district = f"6201{d + 2:02d}"
        for s in range(size.streets):
            street = f"{district}{s + 1:03d}"
            for c in range(size.communities):
                yield _Block(district, street, f"{street}{c + 1:03d}", column)
                column += 1


def _cells(block: _Block, side: int) -> Iterator[Cell]:
    for number in range(side * side):
        row, column = divmod(number, side)
        west = WEST + (block.column * side + column) * _STEP_LON
        south = SOUTH + (side - 1 - row) * _STEP_LAT
        yield Cell(
            code=f"{block.code}{number + 1:03d}",
            division=block.code,
            management_level="A",
            outline=shapely.box(west, south, west + _STEP_LON, south + _STEP_LAT),
        )


def _divisions(blocks: Sequence[_Block], cells: Sequence[Cell]) -> Iterator[Division]:
    levels = {6: "district", 9: "street", 12: "community"}
    yield _division(CITY, "city", None, (CITY,), cells)
    codes = sorted({code for block in blocks for code in (block.district, block.street, block.code)})
    for code in codes:
        parent = code[:-3] if len(code) > 6 else CITY
        path = (CITY, *(code[:n] for n in (6, 9, 12) if n <= len(code)))
        yield _division(code, levels[len(code)], parent, path, cells)


def _division(code: str, level: str, parent: str | None, path: tuple[str, ...], cells: Sequence[Cell]) -> Division:
    inside = [cell.outline for cell in cells if level == "city" or cell.division.startswith(code)]
    return Division(
        code=code, name=code, name_en="", level=level, parent=parent, path=path,
        outline=shapely.multipolygons([shapely.box(*shapely.total_bounds(inside))]),
    )  # fmt: skip


def _beats(blocks: Sequence[_Block], cells: Sequence[Cell]) -> Iterator[Beat]:
    for block in blocks:
        here = tuple(cell.code for cell in cells if cell.division == block.code)
        for line in LINES:
            code = beat_code(block.code, 1)
            yield Beat(duty_line=line, code=code, name=code, division=block.code, cells=here)


def _people(size: Size, divisions: Sequence[Division], beats: Sequence[Beat]) -> Iterator[Person]:
    yield _person("admin", Role.ADMIN, CITY)
    for number in range(1, size.dispatchers + 1):
        yield _person(f"dispatcher-{number}", Role.DISPATCHER, CITY)
    for division in divisions:
        if division.level != "community":
            for role in (Role.SUPERVISOR, Role.DISPATCHER, Role.ACCEPTOR):
                yield _person(desk(role, division.code), role, division.code)
        if division.level == "district":
            for department in DEPARTMENTS:
                name = handler(department.code, division.code)
                yield _person(name, Role.HANDLER, division.code, department.code)
    for beat in beats:
        for number in range(1, size.officers + 1):
            username = officer(beat.division, beat.duty_line, number)
            grant = Grant(role=Role.OFFICER, division=beat.division, duty_line=beat.duty_line)
            yield Person(username=username, display_name=username, grant=grant, beats=(beat.code,))


def desk(role: Role, division: str) -> str:
    """The user name of a desk."""
    return f"{role}-{division}"


def handler(department: str, district: str) -> str:
    """The user name of a department's handler."""
    return f"handler-{department}-{district}"


def officer(community: str, line: str, number: int) -> str:
    """The user name of a community's officer, numbered from 1."""
    return f"officer-{community}-{line}-{number}"


def _person(username: str, role: Role, division: str, department: str | None = None) -> Person:
    grant = Grant(role=role, division=division, department=department)
    return Person(username=username, display_name=username, grant=grant)
