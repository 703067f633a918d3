"""Originals of photographs over HTTP: as they were sent, for a quarter of an hour, to one person, who said why."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.open_original import OPEN_FOR, OPENERS, open_original
from gridsvc.api.attachments import ORIGINAL_FILES, purpose_of_original
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.signatures import SEALER
from gridsvc.api.wire import Told, Wanted, path_id, read_body
from gridsvc.db import Conn
from gridsvc.errors import Unknown
from gridsvc.files import SEALED
from gridsvc.ids import new_id
from gridsvc.store import attachment_files
from gridsvc.store.attachment_files import Opening


class OriginalOpeningIn(Wanted):
    """Why I need to see what was sent; it stays on record."""

    reason: Annotated[str, msgspec.Meta(min_length=4, max_length=500, pattern=r"\S")]


class OriginalOpeningOut(Told):
    """The opening on record. GET /api/v1/original-openings/{id} gives the file until `open_until`."""

    id: UUID
    attachment_id: UUID
    opened_at: datetime
    open_until: datetime


async def _open(request: web.Request) -> web.Response:
    said = await read_body(request, OriginalOpeningIn)
    caller, attachment_id = caller_of(request), path_id(request)
    assert caller.user_id is not None  # noqa: S101 - no API key has this route
    opening = Opening(id=new_id(), attachment_id=attachment_id, opened_by=caller.user_id, reason=said.reason)

    async def work(conn: Conn, now: datetime) -> Answer:
        until = await open_original(conn, caller, opening, now)
        told = OriginalOpeningOut(id=opening.id, attachment_id=attachment_id, opened_at=now, open_until=until)
        return Answer(told, status=201)

    return await write(request, work)


async def _opened(request: web.Request) -> web.Response:
    caller, opening_id = caller_of(request), path_id(request)
    assert caller.user_id is not None  # noqa: S101 - no API key has this route
    async with scoped(request) as (conn, now):
        found = await attachment_files.OPENED.one(conn, opening_id, caller.user_id, now - OPEN_FOR)
    if found is None:
        raise Unknown("there is no such opening of yours, or it has ended; open it again", given=str(opening_id))
    sealed = await asyncio.to_thread(request.app[ORIGINAL_FILES].read, found.original, SEALED)
    content = request.app[SEALER].unseal(sealed, purpose_of_original(found.original))
    # Nobody has drawn it anew: it is a file to be saved, and never a picture of a page.
    headers = {
        "Content-Disposition": f'attachment; filename="{found.attachment_id}.original"',
        "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
        "Cache-Control": "no-store",
    }
    return web.Response(body=content, content_type="application/octet-stream", headers=headers)


ROUTES: Final = (
    Route(
        method="POST", path="/api/v1/attachments/{id}/original-openings", handler=_open, roles=OPENERS,
        reads=OriginalOpeningIn, answers=OriginalOpeningOut, statuses=(201,), idempotent=True,
        summary="Open the original of a photograph of a case to me, with a reason that stays on record.",
    ),
    Route(
        method="GET", path="/api/v1/original-openings/{id}", handler=_opened, roles=OPENERS,
        summary="The photograph as it was sent, EXIF and all, for a quarter of an hour after my own opening.",
    ),
)  # fmt: skip
