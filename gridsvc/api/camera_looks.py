"""Looking through a camera over HTTP: a link that ends by itself, or a picture of now; and who looked, for auditors."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.look_through_camera import LOOKERS, look_through_camera
from gridsvc.api.camera_pictures import CameraPictureOut, pictures_of_looks
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import SETTINGS, caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.wire import Page, Told, Wanted, path_code, read_body, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.errors import Unknown
from gridsvc.sealing import Sealer
from gridsvc.store import camera_gateways, cameras
from gridsvc.store.camera_gateways import LookRow

WATCHES_THE_WATCHERS: Final = frozenset({Role.SUPERVISOR, Role.ADMIN, Role.AUDITOR})


class LookIn(Wanted):
    """Why somebody looks: `kind` play answers a link for `minutes`, snapshot takes one picture."""

    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=400, pattern=r"\S")]
    kind: Literal["play", "snapshot"] = "play"
    minutes: Annotated[int, msgspec.Meta(ge=1, le=60)] = 5


class CameraLookOut(Told):
    """Who looked through a camera, why, and until when; through which gateway."""

    id: UUID
    camera: str
    kind: str
    looked_by: str
    reason: str
    gateway: str
    looked_at: datetime
    until: datetime
    pictures: list[CameraPictureOut]


class LookedOut(Told):
    """The look. `play_url` is good until its end; a snapshot is on its way: ask for `picture` until it is settled."""

    look: CameraLookOut
    play_url: str | None
    picture: UUID | None


class LooksQuery(Wanted):
    """A page of it."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


async def _look(request: web.Request) -> web.Response:
    code, said, caller = path_code(request), await read_body(request, LookIn), caller_of(request)
    sealer = Sealer.of_secrets(request.app[SETTINGS].identity.sealing)

    async def work(conn: Conn, now: datetime) -> Answer:
        done = await look_through_camera(
            conn, caller, code, said.kind, said.reason, timedelta(minutes=said.minutes), sealer, now
        )
        answer = LookedOut(look=_out(done.row, []), play_url=done.play_url, picture=done.picture_id)
        return Answer(answer, status=201, headers={"Cache-Control": "no-store"})

    return await write(request, work)


async def _looks(request: web.Request) -> web.Response:
    code, query = path_code(request), read_query(request, LooksQuery)
    before, last = read_cursor(query.cursor, tuple[datetime, UUID]) if query.cursor else (None, None)
    async with scoped(request) as (conn, _):
        if code not in await cameras.current(conn, [code]):
            raise Unknown(f"no camera {code} in the registry", given=code)
        rows = await camera_gateways.LOOKS.all(conn, code, before, last, query.limit)
        shown = await pictures_of_looks(conn, [row.id for row in rows])
    cursor = write_cursor(rows[-1].looked_at, rows[-1].id) if len(rows) == query.limit else None
    return reply(Page[CameraLookOut](items=[_out(row, shown[row.id]) for row in rows], next=cursor))


def _out(row: LookRow, pictures: list[CameraPictureOut]) -> CameraLookOut:
    return CameraLookOut(**vars(row), pictures=pictures)


ROUTES: Final = (
    Route(
        method="POST", path="/api/v1/cameras/{code}/looks", handler=_look, roles=LOOKERS, reads=LookIn,
        answers=LookedOut, statuses=(201, 404, 409), idempotent=True,
        summary="Look through a camera: a play link that ends by itself, or one picture; who and why is kept.",
    ),
    Route(
        method="GET", path="/api/v1/cameras/{code}/looks", handler=_looks, roles=WATCHES_THE_WATCHERS,
        query=LooksQuery, answers=Page[CameraLookOut], statuses=(200, 404),
        summary="Who looked through a camera, why and until when, the newest first.",
    ),
)  # fmt: skip
