"""Photographs over HTTP: uploads as forms, answered part by part; what is shown is always our own drawing."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import IO, Final
from uuid import UUID

from aiohttp import BodyPartReader, MultipartReader, web
from aiohttp.http_exceptions import HttpProcessingError

from gridsvc.actions.keep_attachment import keep_attachments
from gridsvc.api.idempotency import Answer, claim_of, write
from gridsvc.api.parts import SETTINGS, caller_of, scoped
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Told, path_id
from gridsvc.db import Conn
from gridsvc.domain.access import scope_keys
from gridsvc.domain.picture import HEAD, accepted_kind
from gridsvc.errors import BadRequest, GridError, TooLarge, UnacceptedMedia, Unavailable, Unknown
from gridsvc.files import CAMERAS, PICTURE, THUMB, FileStore
from gridsvc.ids import new_id
from gridsvc.picture_desk import Drawn, PictureDesk
from gridsvc.store import attachments
from gridsvc.store.attachments import Picture

log = logging.getLogger(__name__)

MOST_PARTS: Final = 10  # photographs of one form: a report needs one to three
_CHUNK: Final = 256 * 1024
_DRAINED: Final = 4  # times the limit are read of a file that is too large, so that the files after it are not lost
_WITHIN_S: Final = 300.0  # for a whole form: 20 MB over a poor mobile link

FILES: Final = web.AppKey("files", FileStore)
CAMERA_FILES: Final = web.AppKey("camera_files", FileStore)
PICTURE_DESK: Final = web.AppKey("picture_desk", PictureDesk)


async def files_and_desk(app: web.Application) -> AsyncIterator[None]:
    """What uploads need while the application runs."""
    settings = app[SETTINGS].files
    app[FILES] = FileStore(settings.directory)
    app[CAMERA_FILES] = FileStore(settings.directory / CAMERAS)
    app[PICTURE_DESK] = PictureDesk(settings.most_pixels)
    yield


class ItemProblem(Told):
    """Why one file was not kept."""

    code: str
    detail: str


class ItemOut(Told):
    """One file of the form, in order. `id` null: it was not kept, and `problem` says why.

    The claims are what the EXIF says of time (as written, often without zone) and place (WGS-84); they prove
    nothing. `original_sha256` is of the bytes that were sent, which are not kept themselves.
    """

    id: UUID | None
    original_sha256: str
    problem: ItemProblem | None = None
    width: int | None = None
    height: int | None = None
    size_bytes: int | None = None
    sha256: str | None = None
    claimed_at: str | None = None
    claimed_lon: float | None = None
    claimed_lat: float | None = None


class UploadOut(Told):
    """One outcome per file. `id` is the upload's own where the form held one file, else null."""

    id: UUID | None
    items: list[ItemOut]


@dataclass(eq=False)
class _Received:
    file: IO[bytes]
    sha256: hashlib._Hash = field(default_factory=hashlib.sha256)
    size: int = 0


async def _upload(request: web.Request) -> web.Response:
    claim_of(request, b"")  # a form without its key is refused before its megabytes arrive
    received: list[_Received] = []
    try:
        await _receive(request, received)
        outcomes = [await _look_at(request, each) for each in received]
    finally:
        for each in received:
            each.file.close()
    pictures = [outcome for outcome in outcomes if isinstance(outcome, Picture)]
    items = [_item(each, outcome) for each, outcome in zip(received, outcomes, strict=True)]
    if not pictures:
        raise _none_kept(items, outcomes)
    answer = UploadOut(id=items[0].id if len(items) == 1 else None, items=items)
    # A form sent again has another boundary: what makes it the same are its files.
    same = b"".join(each.sha256.digest() for each in received)
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await keep_attachments(conn, pictures, caller.id, now)
        return Answer(answer, status=201)

    return await write(request, work, same)


async def _receive(request: web.Request, received: list[_Received]) -> None:
    """Stream every file of the form to the disk; whoever called closes what was received, error or not."""
    if request.content_type != "multipart/form-data":
        raise UnacceptedMedia(
            f"the body is {request.content_type}; want multipart/form-data with parts named file",
            given=request.content_type, wanted="multipart/form-data",
        )  # fmt: skip
    if "Content-Encoding" in request.headers:
        raise UnacceptedMedia("the body is packed; want it plain", wanted="identity")
    try:
        async with asyncio.timeout(_WITHIN_S):
            async for part in await request.multipart():
                await _take_part(request, part, received)
    except TimeoutError:
        raise Unavailable("the form did not arrive in time", retry_after_s=1) from None
    except _BROKEN_FORM as broken:
        raise BadRequest(f"the form cannot be read: {broken}"[:300], wanted="multipart/form-data") from None
    if not received:
        raise BadRequest("the form holds no file", field="file", wanted="one or more parts named file")


# What aiohttp's reader raises for a form that is none: no boundary, a part without end, a header too long.
_BROKEN_FORM: Final = (ValueError, AssertionError, RuntimeError, HttpProcessingError)


async def _take_part(
    request: web.Request, part: BodyPartReader | MultipartReader | None, received: list[_Received]
) -> None:
    if not isinstance(part, BodyPartReader) or part.name != "file":
        given = part.name if isinstance(part, BodyPartReader) else "a form in the form"
        raise BadRequest(f"a part is named {(given or 'nothing')[:80]}; want file", field="name", wanted="file")
    if len(received) == MOST_PARTS:
        raise TooLarge(f"the form holds more than {MOST_PARTS} files; send another", wanted=f"at most {MOST_PARTS}")
    limits = request.app[SETTINGS].http
    each = _Received(file=await asyncio.to_thread(request.app[FILES].incoming))
    received.append(each)
    while True:
        async with asyncio.timeout(limits.body_seconds):
            chunk = await part.read_chunk(_CHUNK)
        if not chunk:
            return
        each.size += len(chunk)
        each.sha256.update(chunk)
        if each.size <= limits.upload_limit:
            await asyncio.to_thread(each.file.write, chunk)
        elif each.size > _DRAINED * limits.upload_limit:
            raise _too_large(limits.upload_limit)


async def _look_at(request: web.Request, each: _Received) -> Picture | GridError:
    """The picture drawn anew and on the disk, or why it was refused. Unavailable is raised: the form may come again."""
    limit = request.app[SETTINGS].http.upload_limit
    if each.size > limit:
        return _too_large(limit)
    try:
        each.file.seek(0)
        accepted_kind(each.file.read(HEAD))
        drawn = await request.app[PICTURE_DESK].draw(each.file)
    except UnacceptedMedia as refused:
        extra = {"action": "picture_refused", "caller": caller_of(request).id, "original": each.sha256.hexdigest()}
        log.info("an upload was refused", extra=extra)
        return refused
    digest = await asyncio.to_thread(request.app[FILES].keep, drawn.shown, (THUMB, drawn.thumb))
    return _picture(drawn, digest, each)


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the file is larger than {limit} bytes", wanted=f"at most {limit} bytes")


def _picture(drawn: Drawn, digest: bytes, each: _Received) -> Picture:
    return Picture(
        id=new_id(),
        sha256=digest,
        original=each.sha256.digest(),
        size_bytes=len(drawn.shown),
        width=drawn.width,
        height=drawn.height,
        claimed_at=drawn.claims.taken_at,
        claimed_lon=drawn.claims.lon,
        claimed_lat=drawn.claims.lat,
    )


def _none_kept(items: list[ItemOut], outcomes: list[Picture | GridError]) -> GridError:
    """A form of which nothing was kept is refused as its first file was; `items` tell of the others."""
    first = next(outcome for outcome in outcomes if isinstance(outcome, GridError))
    if len(outcomes) == 1:
        return first
    kind = TooLarge if all(isinstance(outcome, TooLarge) for outcome in outcomes) else UnacceptedMedia
    return kind(f"none of the {len(outcomes)} files could be kept; the first: {first.message}", items=items)


def _item(each: _Received, outcome: Picture | GridError) -> ItemOut:
    sent = each.sha256.hexdigest()
    if isinstance(outcome, GridError):
        problem = ItemProblem(code=outcome.code, detail=outcome.message)
        return ItemOut(id=None, problem=problem, original_sha256=sent)
    return ItemOut(
        id=outcome.id, width=outcome.width, height=outcome.height, size_bytes=outcome.size_bytes,
        sha256=outcome.sha256.hex(), original_sha256=sent, claimed_at=outcome.claimed_at,
        claimed_lon=outcome.claimed_lon, claimed_lat=outcome.claimed_lat,
    )  # fmt: skip


async def _picture_bytes(request: web.Request) -> web.Response:
    return await _show(request, PICTURE)


async def _thumb_bytes(request: web.Request) -> web.Response:
    return await _show(request, THUMB)


# Shown in place, because every byte of it was drawn by us as JPEG; the sandbox and nosniff stand behind that.
_AS_PICTURE: Final = {
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",  # kept by the browser, asked for again: rights end at once
}


async def _show(request: web.Request, which: str) -> web.Response:
    wanted = path_id(request)
    async with scoped(request) as (conn, _):
        seen = await attachments.seen(conn, wanted, scope_keys(caller_of(request)))
    if seen is None:
        raise Unknown("there is no such attachment, or not for you", given=str(wanted))
    return await show_picture(request, request.app[FILES], seen.sha256, which, seen.media_type)


async def show_picture(
    request: web.Request, files: FileStore, digest: bytes, which: str, media_type: str = "image/jpeg"
) -> web.Response:
    """A picture of ours, or 304 where the caller has it still; whoever asks has shown that he may see it."""
    etag = f'"{digest.hex()[:32]}{which}"'
    headers = {**_AS_PICTURE, "ETag": etag}
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]:
        return web.Response(status=304, headers=headers)
    body = await asyncio.to_thread(files.read, digest, which)
    return web.Response(body=body, content_type=media_type, headers=headers)


ROUTES: Final = (
    Route(
        method="POST", path="/api/v1/attachments", handler=_upload, roles=SIGNED_IN, scope="attachments:write",
        answers=UploadOut, statuses=(201, 413, 415, 429), idempotent=True,
        summary="Upload photographs as multipart/form-data, parts named file; one outcome per file.",
    ),
    Route(
        method="GET", path="/api/v1/attachments/{id}", handler=_picture_bytes, roles=SIGNED_IN,
        scope="attachments:read", statuses=(200, 304),
        summary="A photograph as JPEG, at most 2560 pixels wide or high, without its EXIF.",
    ),
    Route(
        method="GET", path="/api/v1/attachments/{id}/thumb", handler=_thumb_bytes, roles=SIGNED_IN,
        scope="attachments:read", statuses=(200, 304),
        summary="The same, at most 320 pixels wide or high.",
    ),
)  # fmt: skip
