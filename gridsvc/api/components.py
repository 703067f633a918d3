"""Components (部件) as everybody may look them up: what stands near by, whose it is, what became of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web

from geo.place import BadPlace, Place, read_place
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, Wanted, path_code, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.domain.access import scope_keys
from gridsvc.errors import BadLocation, BadRequest, Unknown
from gridsvc.store import cells, components
from gridsvc.store.components import ComponentRow, Near

_CASES: Final = 100  # of one component, the newest; more than any lamp will see


class ComponentsQuery(Wanted):
    """Which components. `near` is lon,lat in `datum`: those within `radius_m`, the nearest first; else by code."""

    near: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    datum: str | None = None
    radius_m: Annotated[float, msgspec.Meta(ge=1, le=5_000)] = 100.0
    class_: Annotated[str, msgspec.Meta(pattern="^[0-9]{4}$")] | None = msgspec.field(default=None, name="class")
    q: Annotated[str, msgspec.Meta(min_length=1, max_length=128)] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 50
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ComponentTold(Told):
    """One component. Coordinates are WGS-84; `owner_unknown`: the register says 不明; `cell` answers for its place."""

    code: str
    class_: str = msgspec.field(name="class")
    name: str
    state: str
    supervising: str | None
    owning: str | None
    owner_unknown: bool
    maintaining: str | None
    lon: float
    lat: float
    cell: str | None
    distance_m: float | None


class SurveyTold(Told):
    """The place as the register wrote it."""

    x: float
    y: float
    frame: str


class ChangeTold(Told):
    """What one import changed."""

    version: int
    at: datetime
    actor: str
    source: str
    facts: dict[str, Any]


class CaseOfTold(Told):
    """A case about the component, among those that I may see."""

    id: UUID
    number: str | None
    state: str
    category: str
    category_name: str
    reported_at: datetime
    closed_at: datetime | None


class ComponentDetail(Told):
    """One component with what imports made of it and the newest of its cases."""

    component: ComponentTold
    version: int
    note: str
    surveyed: SurveyTold
    history: list[ChangeTold]
    cases: list[CaseOfTold]


async def _components(request: web.Request) -> web.Response:
    asked = read_query(request, ComponentsQuery)
    words = None if asked.q is None else _as_text(asked.q)
    async with scoped(request) as (conn, now):
        if asked.near is None:
            after = read_cursor(asked.cursor, tuple[str])[0] if asked.cursor else ""
            found = await components.BY_CODE.all(conn, asked.class_, words, after, asked.limit + 1)
        else:
            place = await read_near(conn, asked.near, asked.datum, now)
            farther = read_cursor(asked.cursor, tuple[float, str]) if asked.cursor else (-1.0, "")
            found = await components.NEAREST.all(
                conn, place.lon, place.lat, asked.radius_m, asked.class_, words, *farther, asked.limit + 1
            )
        items = await _told(conn, found[: asked.limit], now)
    more = None
    if len(found) > asked.limit:
        last = items[-1]
        more = write_cursor(last.code) if last.distance_m is None else write_cursor(last.distance_m, last.code)
    return reply(Page[ComponentTold](items=items, next=more))


async def _component(request: web.Request) -> web.Response:
    code = path_code(request)
    async with scoped(request) as (conn, now):
        row = await components.ONE.one(conn, code)
        if row is None:
            raise Unknown(f"no component {code} in the register")
        (told,) = await _told(conn, [_near(row)], now)
        changes = await components.CHANGES.all(conn, code)
        about = await components.CASES.all(conn, code, scope_keys(caller_of(request)), _CASES)
    return reply(
        ComponentDetail(
            component=told,
            version=row.version,
            note=row.note,
            surveyed=SurveyTold(row.surveyed_x, row.surveyed_y, row.surveyed_frame),
            history=[ChangeTold(c.version, c.at, c.actor, c.source, c.facts) for c in changes],
            cases=[
                CaseOfTold(
                    c.id, c.number, c.state, f"{c.edition}:{c.category}", c.category_name, c.reported_at, c.closed_at
                )
                for c in about
            ],
        )
    )


async def read_near(conn: Conn, text: str, datum: str | None, now: datetime) -> Place:
    """`lon,lat` of a query as a place in or near the city. Raises BadRequest and BadLocation."""
    try:
        lon, lat = (float(part) for part in text.split(","))
    except ValueError:
        raise BadRequest(f"near is {text[:80]!r}", field="near", given=text[:80], wanted="lon,lat") from None
    in_force = await cells.bounds_at(conn, now)
    try:
        return read_place(lon, lat, datum, None, in_force[1] if in_force else None)
    except BadPlace as bad:
        raise BadLocation(f"near: {bad}", field="near", reason=bad.reason, given=bad.given, wanted=bad.wanted) from None


async def _told(conn: Conn, found: Sequence[Near], now: datetime) -> list[ComponentTold]:
    owners = await cells.owners_of(conn, [cells.Wanted(Place(row.lon, row.lat), "") for row in found], now)
    return [
        ComponentTold(
            code=row.code, class_=row.class_code, name=row.name, state=row.state, supervising=row.supervising,
            owning=row.owning, owner_unknown=row.owner_unknown, maintaining=row.maintaining, lon=row.lon, lat=row.lat,
            cell=owner.cell_code if owner else None, distance_m=row.distance_m,
        )
        for row, owner in zip(found, owners, strict=True)
    ]  # fmt: skip


def _near(row: ComponentRow) -> Near:
    return Near(
        code=row.code, class_code=row.class_code, name=row.name, state=row.state, supervising=row.supervising,
        owning=row.owning, owner_unknown=row.owner_unknown, maintaining=row.maintaining, lon=row.lon, lat=row.lat,
        distance_m=None,
    )  # fmt: skip


def _as_text(words: str) -> str:
    """What people type is text, not a pattern."""
    return words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/components", handler=_components, roles=SIGNED_IN, scope="grid:read",
        query=ComponentsQuery, answers=Page[ComponentTold], statuses=(200, 422),
        summary="Components near a place, the nearest first, or all by code.",
    ),
    Route(
        method="GET", path="/api/v1/components/{code}", handler=_component, roles=SIGNED_IN, scope="grid:read",
        answers=ComponentDetail,
        summary="One component: whose it is, what imports made of it, and its cases in my sight.",
    ),
)  # fmt: skip
