"""Ways to people beside the app: mine, as far as they may be shown, and who was reached by none (未触达)."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.api.parts import as_service, caller_of
from gridsvc.api.route import DESK, SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, Wanted, read_cursor, read_query, reply, write_cursor
from gridsvc.domain.access import scope_keys
from gridsvc.store import channels


class ChannelOut(Told):
    """A channel of mine, in the order in which they are tried.

    Of the address only what may be shown, of `push` the phone's name.
    """

    code: str
    place: int
    address: str
    set_at: datetime


class NotReachedQuery(Wanted):
    """A page of the list."""

    cursor: str | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50


class NotReachedOut(Told):
    """A notice of a case that its person has acknowledged nowhere. `channels`: each that was tried, and its state."""

    notice: UUID
    user_id: UUID
    name: str
    case_id: UUID
    number: str | None
    kind: str
    told_at: datetime
    not_reached_at: datetime
    channels: list[str]


async def _mine(request: web.Request) -> web.Response:
    async with as_service(request) as (conn, now):
        rows = await channels.MINE.all(conn, caller_of(request).user_id, now)
    return reply(Page[ChannelOut](items=[ChannelOut(row.code, row.place, row.masked, row.set_at) for row in rows]))


_LAST: Final = (datetime(9999, 1, 1, tzinfo=UTC), UUID(int=2**128 - 1))


async def _not_reached(request: web.Request) -> web.Response:
    asked = read_query(request, NotReachedQuery)
    at, after = read_cursor(asked.cursor, tuple[datetime, UUID]) if asked.cursor else _LAST
    async with as_service(request) as (conn, _):
        keys = scope_keys(caller_of(request))
        rows = await channels.NOT_REACHED.all(conn, keys, at, after, asked.limit + 1)
    items = [NotReachedOut(**vars(row)) for row in rows[: asked.limit]]
    more = write_cursor(items[-1].not_reached_at, items[-1].notice) if len(rows) > asked.limit else None
    return reply(Page[NotReachedOut](items=items, next=more))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/channels", handler=_mine, roles=SIGNED_IN, answers=Page[ChannelOut],
        summary="My channels beside the app, in their order; addresses are masked.",
    ),
    Route(
        method="GET", path="/api/v1/notices/not-reached", handler=_not_reached, roles=DESK, query=NotReachedQuery,
        answers=Page[NotReachedOut],
        summary="Notices of cases in sight that were acknowledged nowhere by their person, the newest first.",
    ),
)  # fmt: skip
