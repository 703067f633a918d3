"""Pictures of cameras over HTTP: how each stands, and what is shown is always our own drawing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.api.attachments import CAMERA_FILES, show_picture
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, path_code, path_id, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.domain.access import scope_keys
from gridsvc.errors import Unknown
from gridsvc.files import PICTURE, THUMB
from gridsvc.store import camera_pictures, cameras
from gridsvc.store.camera_pictures import PictureRow

_DAY: Final = timedelta(days=1)


class CameraPictureOut(Told):
    """One picture of a camera. `state` is waiting, kept or refused; `reason` says why, or why not yet.

    `came_as`: sent with the event, an address that it named, or a look. Of what is kept, `image` and `thumb` say where
    it is shown.
    """

    id: UUID
    camera: str
    came_as: str
    received_at: datetime
    state: str
    reason: str
    event: UUID | None
    look: UUID | None
    review: UUID | None
    case: UUID | None
    width: int | None
    height: int | None
    sha256: str | None
    image: str | None
    thumb: str | None


class PictureCountOut(Told):
    """So many pictures ended so."""

    outcome: str
    reason: str
    pictures: int


class LastPictureOut(Told):
    """The newest picture of a camera that the caller may see, and how old it is; what became of those of a day."""

    picture: CameraPictureOut | None
    age_s: float | None
    day: list[PictureCountOut]


class CameraPicturesQuery(Wanted):
    """A page of it."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


def picture_out(row: PictureRow) -> CameraPictureOut:
    """A picture in words."""
    at = f"/api/v1/camera-pictures/{row.id}" if row.sha256 is not None else None
    return CameraPictureOut(
        id=row.id, camera=row.camera, came_as=row.came_as, received_at=row.received_at, state=row.state,
        reason=row.reason, event=row.event_id, look=row.look_id, review=row.review_id, case=row.case_id,
        width=row.width, height=row.height, sha256=row.sha256.hex() if row.sha256 is not None else None,
        image=f"{at}/image" if at else None, thumb=f"{at}/thumb" if at else None,
    )  # fmt: skip


async def pictures_of_events(conn: Conn, events: Sequence[UUID]) -> Mapping[UUID, list[CameraPictureOut]]:
    """The pictures of each of these events, those that the caller may see."""
    return _by((row.event_id, row) for row in await camera_pictures.OF_EVENTS.all(conn, events))


async def pictures_of_reviews(conn: Conn, reviews: Sequence[UUID]) -> Mapping[UUID, list[CameraPictureOut]]:
    """The newest few pictures of each of these reviews."""
    return _by((row.review_id, row) for row in await camera_pictures.OF_REVIEWS.all(conn, reviews))


async def pictures_of_looks(conn: Conn, looks: Sequence[UUID]) -> Mapping[UUID, list[CameraPictureOut]]:
    """The picture of each of these looks."""
    return _by((row.look_id, row) for row in await camera_pictures.OF_LOOKS.all(conn, looks))


def _by(rows: Iterable[tuple[UUID | None, PictureRow]]) -> Mapping[UUID, list[CameraPictureOut]]:
    found: dict[UUID, list[CameraPictureOut]] = defaultdict(list)
    for of, row in rows:
        if of is not None:
            found[of].append(picture_out(row))
    return found


async def _of_event(request: web.Request) -> web.Response:
    event_id = path_id(request)
    async with scoped(request) as (conn, _):
        rows = await camera_pictures.OF_EVENT.all(conn, event_id)
    if not rows:
        raise Unknown("there are no pictures of such an event, or not for you", given=str(event_id))
    return reply(Page[CameraPictureOut](items=[picture_out(row) for row in rows], next=None))


async def _of_case(request: web.Request) -> web.Response:
    case_id, query = path_id(request), read_query(request, CameraPicturesQuery)
    after, last = read_cursor(query.cursor, tuple[datetime, UUID]) if query.cursor else (None, None)
    async with scoped(request) as (conn, _):
        rows = await camera_pictures.OF_CASE.all(
            conn, case_id, scope_keys(caller_of(request)), after, last, query.limit
        )
    cursor = write_cursor(rows[-1].received_at, rows[-1].id) if len(rows) == query.limit else None
    return reply(Page[CameraPictureOut](items=[picture_out(row) for row in rows], next=cursor))


async def _of_camera(request: web.Request) -> web.Response:
    code = path_code(request)
    async with scoped(request) as (conn, now):
        if code not in await cameras.current(conn, [code]):
            raise Unknown(f"no camera {code} in the registry", given=code)
        last = await camera_pictures.LAST_OF_CAMERA.one(conn, code)
        counted = await camera_pictures.COUNTED.all(conn, code, now - _DAY)
    age_s = (now - last.received_at).total_seconds() if last is not None else None
    day = [PictureCountOut(row.outcome, row.reason, row.pictures) for row in counted]
    return reply(LastPictureOut(picture_out(last) if last is not None else None, age_s, day))


async def _seen(request: web.Request) -> PictureRow:
    wanted = path_id(request)
    async with scoped(request) as (conn, _):
        row = await camera_pictures.ONE.one(conn, wanted)
    if row is None:
        raise Unknown("there is no such picture, or not for you", given=str(wanted))
    return row


async def _one(request: web.Request) -> web.Response:
    return reply(picture_out(await _seen(request)))


async def _image(request: web.Request) -> web.Response:
    return await _show(request, PICTURE)


async def _thumb(request: web.Request) -> web.Response:
    return await _show(request, THUMB)


async def _show(request: web.Request, which: str) -> web.Response:
    row = await _seen(request)
    if row.sha256 is None:
        raise Unknown(f"of this picture nothing is kept: it is {row.state} {row.reason}".rstrip(), given=str(row.id))
    return await show_picture(request, request.app[CAMERA_FILES], row.sha256, which)


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/camera-events/{id}/pictures", handler=_of_event, roles=DESK, scope="cases:read",
        answers=Page[CameraPictureOut], statuses=(200, 404),
        summary="Pictures that came with a camera event, and how each stands.",
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}/camera-pictures", handler=_of_case, roles=DESK, scope="cases:read",
        query=CameraPicturesQuery, answers=Page[CameraPictureOut],
        summary="Pictures of cameras that are evidence of a case, the earliest first.",
    ),
    Route(
        method="GET", path="/api/v1/cameras/{code}/picture", handler=_of_camera, roles=DESK, scope="cameras:read",
        answers=LastPictureOut, statuses=(200, 404),
        summary="The newest picture of a camera with its age, and what became of those of a day.",
    ),
    Route(
        method="GET", path="/api/v1/camera-pictures/{id}", handler=_one, roles=DESK, scope="cases:read",
        answers=CameraPictureOut, statuses=(200, 404),
        summary="How a picture of a camera stands: waiting, kept or refused.",
    ),
    Route(
        method="GET", path="/api/v1/camera-pictures/{id}/image", handler=_image, roles=DESK, scope="cases:read",
        statuses=(200, 304, 404),
        summary="A picture of a camera as JPEG, drawn anew, at most 2560 pixels wide or high.",
    ),
    Route(
        method="GET", path="/api/v1/camera-pictures/{id}/thumb", handler=_thumb, roles=DESK, scope="cases:read",
        statuses=(200, 304, 404),
        summary="The same, at most 320 pixels wide or high.",
    ),
)  # fmt: skip
