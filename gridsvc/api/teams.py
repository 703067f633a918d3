"""GET /api/v1/teams: named teams of officers (队)."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.api.parts import scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, read_query, reply
from gridsvc.store import teams


class TeamsQuery(Wanted):
    """Which teams; left out: those of every duty line."""

    duty_line: Annotated[str, msgspec.Meta(max_length=64)] | None = None


class TeamOut(Told):
    """One team and who is in it."""

    code: str
    name: str
    name_en: str
    duty_line: str
    officers: list[UUID]


async def _teams(request: web.Request) -> web.Response:
    asked = read_query(request, TeamsQuery)
    async with scoped(request) as (conn, _):
        found = await teams.ALL.all(conn, asked.duty_line)
    return reply(Page[TeamOut](items=[TeamOut(**vars(row)) for row in found]))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/teams", handler=_teams, roles=DESK, scope="officers:read", query=TeamsQuery,
        answers=Page[TeamOut],
        summary="Named teams of officers, and who is in them.",
    ),
)  # fmt: skip
