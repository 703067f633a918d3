"""How cameras stand: silent since when, how far each kind is to be trusted, muted, in a storm."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from events.storm import precision
from gridsvc.api.parts import as_service, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, read_cursor, read_query, reply, write_cursor
from gridsvc.domain.camera import Health
from gridsvc.store.camera_meters import STORMING
from gridsvc.store.camera_standings import KINDS, STANDINGS


class StandingsQuery(Wanted):
    """A page of it."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 500
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class KindOut(Told):
    """How far a camera is to be trusted with one kind. `precision` null: not judged; `mute` null: heard."""

    kind: str
    seen_real: int
    seen_false: int
    precision: float | None
    mute: UUID | None
    muted_at: datetime | None


class StandingOut(Told):
    """One camera. `over`: so many events beyond its rate while it storms; null: it does not."""

    camera: str
    health: Health
    heard_at: datetime | None
    offline_since: datetime | None
    over: int | None
    kinds: list[KindOut]


async def _standings(request: web.Request) -> web.Response:
    asked = read_query(request, StandingsQuery)
    after = read_cursor(asked.cursor, tuple[str])[0] if asked.cursor else ""
    async with as_service(request) as (conn, now):
        storms = {row.camera: row.over for row in await STORMING.all(conn, now)}
    async with scoped(request) as (conn, _):
        found = await STANDINGS.all(conn, after, list(storms), asked.limit + 1)
        page = found[: asked.limit]
        kinds: dict[str, list[KindOut]] = defaultdict(list)
        for row in await KINDS.all(conn, [each.camera for each in page]):
            share = precision(row.seen_real, row.seen_false)
            kinds[row.camera].append(KindOut(row.kind, row.seen_real, row.seen_false, share, row.mute, row.muted_at))
    items = [
        StandingOut(
            camera=row.camera, health=Health(row.health), heard_at=row.heard_at, offline_since=row.offline_since,
            over=storms.get(row.camera), kinds=kinds[row.camera],
        )
        for row in page
    ]  # fmt: skip
    more = write_cursor(page[-1].camera) if len(found) > asked.limit else None
    return reply(Page[StandingOut](items=items, next=more))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/camera-standings", handler=_standings, roles=DESK, query=StandingsQuery,
        answers=Page[StandingOut],
        summary="Cameras that are silent, judged, muted or in a storm: since when, and how far to be trusted.",
    ),
)  # fmt: skip
