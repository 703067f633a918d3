"""Reporters over HTTP: masked beside the case; whole for a quarter of an hour, to one person, who said why.

An opening is a write of its own and its answer holds no name: answers of writes are kept with their key.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.open_reporter import OPEN_FOR, OPENERS, open_reporter
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, Wanted, path_id, read_body, reply
from gridsvc.db import Conn
from gridsvc.domain.access import scope_keys
from gridsvc.errors import Unknown
from gridsvc.ids import new_id
from gridsvc.store import reporters
from gridsvc.store.reporters import Opening


class MaskedOut(Told):
    """The reporter of one report, masked: 张**, 138****1234."""

    report_id: UUID
    name: str
    phone: str


class OpeningIn(Wanted):
    """Why I need to know who reported; it stays on record."""

    reason: Annotated[str, msgspec.Meta(min_length=4, max_length=500, pattern=r"\S")]


class OpeningOut(Told):
    """The opening on record. GET /api/v1/reporter-openings/{id} shows the data until `open_until`."""

    id: UUID
    report_id: UUID
    opened_at: datetime
    open_until: datetime


class ReporterOut(Told):
    """Who reported."""

    report_id: UUID
    name: str
    phone: str
    open_until: datetime


async def _masked(request: web.Request) -> web.Response:
    case_id = path_id(request)
    async with scoped(request) as (conn, _):
        found = await reporters.masked(conn, case_id, scope_keys(caller_of(request)))
    if found is None:
        raise Unknown("there is no such case, or not for you", given=str(case_id))
    items = [MaskedOut(report_id=row.report_id, name=row.name, phone=row.phone) for row in found]
    return reply(Page[MaskedOut](items=items))


async def _open(request: web.Request) -> web.Response:
    said = await read_body(request, OpeningIn)
    caller, report_id = caller_of(request), path_id(request)
    assert caller.user_id is not None  # noqa: S101 - no API key has this route
    opening = Opening(id=new_id(), report_id=report_id, opened_by=caller.user_id, reason=said.reason)

    async def work(conn: Conn, now: datetime) -> Answer:
        until = await open_reporter(conn, caller, opening, now)
        told = OpeningOut(id=opening.id, report_id=report_id, opened_at=now, open_until=until)
        return Answer(told, status=201)

    return await write(request, work)


async def _opened(request: web.Request) -> web.Response:
    caller, opening_id = caller_of(request), path_id(request)
    assert caller.user_id is not None  # noqa: S101 - no API key has this route
    async with scoped(request) as (conn, now):
        found = await reporters.opened(conn, opening_id, caller.user_id, now - OPEN_FOR)
    if found is None:
        raise Unknown("there is no such opening of yours, or it has ended; open it again", given=str(opening_id))
    until = found.opened_at + OPEN_FOR
    return reply(ReporterOut(report_id=found.report_id, name=found.name, phone=found.phone, open_until=until))


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/cases/{id}/reporters", handler=_masked, roles=SIGNED_IN,
        answers=Page[MaskedOut],
        summary="Who reported the case, and what was merged into it, masked.",
    ),
    Route(
        method="POST", path="/api/v1/reports/{id}/reporter-openings", handler=_open, roles=OPENERS,
        reads=OpeningIn, answers=OpeningOut, statuses=(201,), idempotent=True,
        summary="Open the reporter of one report to me, with a reason that stays on record.",
    ),
    Route(
        method="GET", path="/api/v1/reporter-openings/{id}", handler=_opened, roles=OPENERS, answers=ReporterOut,
        summary="Name and phone, for a quarter of an hour after my own opening.",
    ),
)  # fmt: skip
