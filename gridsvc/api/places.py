"""GET /api/v1/places: what somebody says on the telephone, and the places that it may mean."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Annotated, Final

import msgspec
from aiohttp import web

from geo.place import Place
from gridsvc.api.components import read_near
from gridsvc.api.parts import scoped
from gridsvc.api.report_wire import DivisionTold, divisions_told
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, Wanted, read_query, reply
from gridsvc.db import Conn
from gridsvc.domain.gazetteer import Gazetteer, Meant
from gridsvc.store import cells, gazetteer
from gridsvc.store.gazetteer import Edition


class PlacesQuery(Wanted):
    """Words for a place. `near` is lon,lat in `datum`, where the asker looks: of two alike the nearer is meant."""

    q: Annotated[str, msgspec.Meta(min_length=1, max_length=120)]
    near: Annotated[str, msgspec.Meta(max_length=80)] | None = None
    datum: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=20)] = 5


class PlaceTold(Told):
    """A place that the words may mean. Coordinates are WGS-84; `code` is a division's or a component's."""

    kind: str
    name: str
    lon: float
    lat: float
    code: str | None
    cell: str | None
    divisions: list[DivisionTold]
    score: float
    match: str
    why: str


@dataclass(eq=False)
class PlaceBook:
    """The names of places as this process holds them; made anew when they have changed."""

    _edition: Edition | None = None
    _held: Gazetteer = field(default_factory=lambda: Gazetteer(()))
    _turn: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def today(self, conn: Conn, now: datetime) -> Gazetteer:
        """The names in force. Who comes while they are made anew waits for it; the event loop does not."""
        async with self._turn:
            wanted = await gazetteer.edition(conn, now)
            if wanted != self._edition:
                named = await gazetteer.named_places(conn, wanted.grid_set_id)
                self._held = await asyncio.to_thread(Gazetteer, named)
                self._edition = wanted
            return self._held


PLACE_BOOK: Final = web.AppKey("place_book", PlaceBook)


async def place_book(app: web.Application) -> AsyncIterator[None]:
    """Hold the names for as long as the application runs."""
    app[PLACE_BOOK] = PlaceBook()
    yield


async def _places(request: web.Request) -> web.Response:
    asked = read_query(request, PlacesQuery)
    async with scoped(request) as (conn, now):
        near = None if asked.near is None else await read_near(conn, asked.near, asked.datum, now)
        names = await request.app[PLACE_BOOK].today(conn, now)
        meant = await asyncio.to_thread(names.find, asked.q, near, asked.limit)
        items = await _told(conn, meant, now)
    return reply(Page[PlaceTold](items=items))


async def _told(conn: Conn, meant: list[Meant], now: datetime) -> list[PlaceTold]:
    wanted = [cells.Wanted(Place(each.place.lon, each.place.lat), "") for each in meant]
    owners = await cells.owners_of(conn, wanted, now)
    sets = {owner.grid_set_id for owner in owners if owner}
    codes = sorted({code for owner in owners if owner for code in owner.divisions})
    names = await cells.division_names(conn, sets.pop(), codes) if sets else {}
    return [
        PlaceTold(
            kind=each.place.kind, name=each.place.name, lon=each.place.lon, lat=each.place.lat, code=each.place.code,
            cell=owner.cell_code if owner else None,
            divisions=divisions_told(list(owner.divisions), names) if owner else [],
            score=round(each.score, 3), match=each.match, why=each.why,
        )
        for each, owner in zip(meant, owners, strict=True)
    ]  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/places", handler=_places, roles=SIGNED_IN, scope="grid:read",
        query=PlacesQuery, answers=Page[PlaceTold], statuses=(200, 422),
        summary="Places by words: crossings, house numbers, landmarks, components, communities, pinyin.",
    ),
)  # fmt: skip
