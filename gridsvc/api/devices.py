"""Where I am signed in, and signing a device out that is not at hand."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from aiohttp import web

from gridsvc.actions.end_device import end_device
from gridsvc.api.identity import IDENTITY, SESSION
from gridsvc.api.parts import as_service, caller_of
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, path_id, reply
from gridsvc.errors import Unknown
from gridsvc.store import sessions


class DeviceOut(Told):
    """One session of mine. `label` is what was said at signing in; `current`: the one that asks."""

    id: UUID
    kind: str
    label: str
    created_at: datetime
    expires_at: datetime
    current: bool


async def _devices(request: web.Request) -> web.Response:
    user_id = caller_of(request).user_id
    assert user_id is not None  # noqa: S101 - no API key has this route
    async with as_service(request) as (conn, now):
        found = await sessions.STANDING_OF.all(conn, user_id, now)
    own = request[SESSION]
    return reply(Page[DeviceOut](items=[DeviceOut(**vars(each), current=each.id == own) for each in found]))


async def _end(request: web.Request) -> web.Response:
    user_id = caller_of(request).user_id
    assert user_id is not None  # noqa: S101 - no API key has this route
    session_id = path_id(request, "id")
    async with as_service(request) as (conn, now):
        own = await end_device(conn, user_id, session_id, now)
    if not own:
        raise Unknown(f"no session {session_id} of yours", given=str(session_id))
    request.app[IDENTITY].forget(session_id)
    return web.Response(status=204)


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/auth/sessions", handler=_devices, roles=SIGNED_IN, answers=Page[DeviceOut],
        summary="Where I am signed in: at most the newest 100 sessions that stand.",
    ),
    Route(
        method="DELETE", path="/api/v1/auth/sessions/{id}", handler=_end, roles=SIGNED_IN, statuses=(204, 404),
        summary="End a session of mine: a phone is lost, or was left signed in.",
    ),
)  # fmt: skip
