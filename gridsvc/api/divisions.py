"""The city's space as everybody may look it up: divisions, cells, and who answers for a place."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from aiohttp import web

from geo.place import BadPlace, read_place
from gridsvc.api.parts import scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Moment, Page, Told, Wanted, path_code, read_cursor, read_query, reply, write_cursor
from gridsvc.errors import BadLocation, BadRequest, OutsideTheGrid, Unknown
from gridsvc.store import cells, grids
from gridsvc.store.listings import DIVISIONS


class DivisionsQuery(Wanted):
    """Which divisions: below one parent, of one level, or all."""

    parent: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    level: Literal["province", "city", "district", "street", "community"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 500
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class DivisionOut(Told):
    """One division; `path` are codes from the top down to it."""

    code: str
    name: str
    name_en: str
    level: str
    parent: str | None
    path: list[str]
    area_m2: float


class PlaceQuery(Wanted):
    """A place: degrees in `datum`, accuracy in metres; `at`: who answered for it then, or will (default: now)."""

    lon: float
    lat: float
    datum: str | None = None
    accuracy_m: float | None = None
    at: Moment | None = None


class OwnerOut(Told):
    """Which cell answers for a place, and how that was found (docs/rules/place.md); `grid_set` owned places then.

    `lon` and `lat` are the place in WGS-84, whatever datum it was asked in.
    """

    lon: float
    lat: float
    grid_set: str
    cell: str
    division: str
    divisions: list[str]
    management_level: str
    beats: dict[str, str]
    method: str
    border: bool
    neighbours: list[str]
    distance_m: float


class CellOut(Told):
    """One cell; `beats` maps duty lines to beats, `outline` is a GeoJSON geometry in WGS-84."""

    code: str
    name: str
    division: str
    divisions: list[str]
    management_level: str
    area_m2: float
    beats: dict[str, str]
    outline: dict[str, Any]


class OutlinesQuery(Wanted):
    """Which cells: up to 200 codes with commas between."""

    codes: Annotated[str, msgspec.Meta(min_length=1, max_length=7_000)]


class OutlineOut(Told):
    """A cell as it is drawn: a GeoJSON geometry in WGS-84."""

    code: str
    outline: dict[str, Any]


_MOST_OUTLINES: Final = 200  # 15 digits each: what fits into the line of a request


async def _divisions(request: web.Request) -> web.Response:
    asked = read_query(request, DivisionsQuery)
    after = None if asked.cursor is None else read_cursor(asked.cursor, tuple[str])[0]
    async with scoped(request) as (conn, now):
        found = await DIVISIONS.all(conn, now, asked.parent, asked.level, after, asked.limit + 1)
    items = [
        DivisionOut(
            code=row.code, name=row.name, name_en=row.name_en, level=row.level,
            parent=row.parent_code, path=row.path, area_m2=row.area_m2,
        )
        for row in found[: asked.limit]
    ]  # fmt: skip
    more = write_cursor(items[-1].code) if len(found) > asked.limit else None
    return reply(Page[DivisionOut](items=items, next=more))


async def _owner_of_place(request: web.Request) -> web.Response:
    asked = read_query(request, PlaceQuery)
    async with scoped(request) as (conn, now):
        at = asked.at or now
        in_force = await cells.bounds_at(conn, at)
        if in_force is None:
            raise OutsideTheGrid(asked.lon, asked.lat)
        try:
            place = read_place(asked.lon, asked.lat, asked.datum, asked.accuracy_m, in_force[1])
        except BadPlace as bad:
            raise BadLocation(str(bad), reason=bad.reason, given=bad.given, wanted=bad.wanted) from bad
        (owner,) = await cells.owners_of(conn, [cells.Wanted(place, "")], at)
        detail = None if owner is None else await cells.cell(conn, owner.cell_code, at)
        grid_set = await grids.name_of(conn, in_force[0])
    if owner is None or detail is None:
        raise OutsideTheGrid(place.lon, place.lat)
    return reply(
        OwnerOut(
            lon=place.lon, lat=place.lat,
            grid_set=grid_set, cell=owner.cell_code, division=owner.division_code, divisions=list(owner.divisions),
            management_level=owner.management_level, beats=detail.beats, method=owner.method,
            border=owner.border, neighbours=list(owner.neighbours), distance_m=owner.distance_m,
        )
    )  # fmt: skip


async def _cell(request: web.Request) -> web.Response:
    code = path_code(request)
    async with scoped(request) as (conn, now):
        found = await cells.cell(conn, code, now)
    if found is None:
        raise Unknown(f"the grid set in force has no cell {code}")
    return reply(
        CellOut(
            code=found.code, name=found.name, division=found.division_code, divisions=found.divisions,
            management_level=found.management_level, area_m2=found.area_m2, beats=found.beats, outline=found.outline,
        )
    )  # fmt: skip


async def _outlines(request: web.Request) -> web.Response:
    codes = sorted({code for each in read_query(request, OutlinesQuery).codes.split(",") if (code := each.strip())})
    if not 1 <= len(codes) <= _MOST_OUTLINES:
        raise BadRequest(
            f"codes names {len(codes)} cells; want 1 to {_MOST_OUTLINES}, with commas between",
            field="codes", given=len(codes), wanted=f"1 to {_MOST_OUTLINES} codes of cells",
        )  # fmt: skip
    async with scoped(request) as (conn, now):
        found = await cells.OUTLINES_OF.all(conn, codes, now)
    return reply(Page[OutlineOut](items=[OutlineOut(code=row.code, outline=row.outline) for row in found]))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/divisions", handler=_divisions, roles=SIGNED_IN, scope="grid:read",
        query=DivisionsQuery, answers=Page[DivisionOut],
        summary="Divisions of the grid set in force.",
    ),
    Route(
        method="GET", path="/api/v1/cells", handler=_owner_of_place, roles=SIGNED_IN, scope="grid:read",
        query=PlaceQuery, answers=OwnerOut, statuses=(200, 422),
        summary="Which cell answers for a place, now or at a moment.",
    ),
    Route(
        method="GET", path="/api/v1/cells/{code}", handler=_cell, roles=SIGNED_IN, scope="grid:read",
        answers=CellOut,
        summary="One cell with its outline and beats.",
    ),
    Route(
        method="GET", path="/api/v1/cell-outlines", handler=_outlines, roles=SIGNED_IN, scope="grid:read",
        query=OutlinesQuery, answers=Page[OutlineOut],
        summary="Outlines of many cells at once; a code that the grid set in force has not is left out.",
    ),
)  # fmt: skip
