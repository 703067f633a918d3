"""Photographs and voice notes over HTTP: uploads as forms, answered part by part; what is looked at before it is kept.

What is shown of a photograph is always our own drawing. Resumable uploads: gridsvc/api/uploads.py.
"""

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
from gridsvc.api.signatures import SEALER
from gridsvc.api.wire import Told, path_id, reply
from gridsvc.db import Conn
from gridsvc.domain.access import scope_keys
from gridsvc.domain.picture import HEAD, accepted_kind
from gridsvc.domain.sound import SUFFIXES, seems_sound, sound_kind
from gridsvc.domain.upload import Told as ToldOfFile
from gridsvc.errors import BadRequest, GridError, TooLarge, UnacceptedMedia, Unavailable, Unknown
from gridsvc.files import CAMERAS, ORIGINALS, PICTURE, SEALED, THUMB, FileStore, PartFiles
from gridsvc.ids import new_id
from gridsvc.picture_desk import Drawn, PictureDesk
from gridsvc.shelves import files_of
from gridsvc.store import attachment_files, attachments
from gridsvc.store.attachments import NewAttachment, Seen

log = logging.getLogger(__name__)

MOST_PARTS: Final = 10  # photographs of one form: a report needs one to three
_CHUNK: Final = 256 * 1024
_DRAINED: Final = 4  # times the limit are read of a file that is too large, so that the files after it are not lost
_WITHIN_S: Final = 300.0  # for a whole form: 20 MB over a poor mobile link

FILES: Final = web.AppKey("files", FileStore)
CAMERA_FILES: Final = web.AppKey("camera_files", FileStore)
ORIGINAL_FILES: Final = web.AppKey("original_files", FileStore)
PART_FILES: Final = web.AppKey("part_files", PartFiles)
PICTURE_DESK: Final = web.AppKey("picture_desk", PictureDesk)


async def files_and_desk(app: web.Application) -> AsyncIterator[None]:
    """What uploads need while the application runs."""
    settings = app[SETTINGS].files
    app[FILES] = files_of(settings)
    app[CAMERA_FILES] = files_of(settings, CAMERAS)
    app[ORIGINAL_FILES] = files_of(settings, ORIGINALS)
    app[PART_FILES] = PartFiles(settings.directory)
    app[PICTURE_DESK] = PictureDesk(settings.most_pixels)
    yield


class ItemProblem(Told):
    """Why one file was not kept."""

    code: str
    detail: str


class ItemOut(Told):
    """One file of the form, in order. `id` null: it was not kept, and `problem` says why.

    The claims are what the EXIF says of time (as written, often without zone) and place (WGS-84); they prove
    nothing. `original_sha256` is of the bytes that were sent. `kind` is picture or sound.
    """

    id: UUID | None
    original_sha256: str
    problem: ItemProblem | None = None
    kind: str | None = None
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


async def upload_form(request: web.Request) -> web.Response:
    """Keep the files of a form."""
    claim_of(request, b"")  # a form without its key is refused before its megabytes arrive
    received: list[_Received] = []
    try:
        await _receive(request, received)
        outcomes = [await take_file(request, each.file, each.size, each.sha256.digest()) for each in received]
    finally:
        for each in received:
            each.file.close()
    new = [outcome for outcome in outcomes if isinstance(outcome, NewAttachment)]
    items = [_item(each, outcome) for each, outcome in zip(received, outcomes, strict=True)]
    if not new:
        raise _none_kept(items, outcomes)
    answer = UploadOut(id=items[0].id if len(items) == 1 else None, items=items)
    # A form sent again has another boundary: what makes it the same are its files.
    same = b"".join(each.sha256.digest() for each in received)
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await keep_attachments(conn, new, caller.id, now)
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


async def take_file(
    request: web.Request, file: IO[bytes], size: int, digest: bytes, told: ToldOfFile | None = None
) -> NewAttachment | GridError:
    """What was sent, looked at and on the disk, to be kept as an attachment; or why it was refused.

    `size` and `digest` (SHA-256) are of the whole file, `told` is what its sender says of it. Raises Unavailable:
    the same file may come again.
    """
    limit = request.app[SETTINGS].http.upload_limit
    if size > limit:
        return _too_large(limit)
    file.seek(0)
    head = file.read(HEAD)
    try:
        if seems_sound(head):
            return await _take_sound(request, file, size, digest, told or ToldOfFile())
        accepted_kind(head)
        drawn = await request.app[PICTURE_DESK].draw(file)
    except (UnacceptedMedia, TooLarge) as refused:
        extra = {"action": "picture_refused", "caller": caller_of(request).id, "original": digest.hex()}
        log.info("an upload was refused", extra=extra)
        return refused
    return await _keep_picture(request, file, size, digest, drawn, told or ToldOfFile())


def _too_large(limit: int) -> TooLarge:
    return TooLarge(f"the file is larger than {limit} bytes", wanted=f"at most {limit} bytes")


async def _take_sound(
    request: web.Request, file: IO[bytes], size: int, digest: bytes, told: ToldOfFile
) -> NewAttachment:
    """A voice note, kept as it came. Raises UnacceptedMedia, or TooLarge."""
    limit = request.app[SETTINGS].files.sound_limit
    if size > limit:
        raise _too_large(limit)
    file.seek(0)
    content = await asyncio.to_thread(file.read)
    media_type = await asyncio.to_thread(sound_kind, content)
    async with scoped(request) as (conn, now):  # first: what lies in the store stands in the table
        await attachment_files.add(conn, [(digest, "sound", size)], now)
    await asyncio.to_thread(request.app[FILES].put, digest, SUFFIXES[media_type], content)
    return NewAttachment(
        id=new_id(), sha256=digest, original=digest, size_bytes=size, kind="sound", media_type=media_type, told=told
    )


async def _keep_picture(
    request: web.Request, file: IO[bytes], size: int, original: bytes, drawn: Drawn, told: ToldOfFile
) -> NewAttachment:
    """Our drawing, and what was sent sealed beside it where the city keeps originals."""
    digest = hashlib.sha256(drawn.shown).digest()
    keeps = request.app[SETTINGS].files.originals == "on"
    rows = [(digest, "picture", len(drawn.shown)), *([(original, "original", size)] if keeps else [])]
    async with scoped(request) as (conn, now):  # first: what lies in the store stands in the table
        await attachment_files.add(conn, rows, now)
    await asyncio.to_thread(request.app[FILES].keep, drawn.shown, (THUMB, drawn.thumb))
    if keeps:
        file.seek(0)
        sealed = request.app[SEALER].seal(await asyncio.to_thread(file.read), purpose_of_original(original))
        await asyncio.to_thread(request.app[ORIGINAL_FILES].put, original, SEALED, sealed)
    return NewAttachment(
        id=new_id(), sha256=digest, original=original, size_bytes=len(drawn.shown), width=drawn.width,
        height=drawn.height, claimed_at=drawn.claims.taken_at, claimed_lon=drawn.claims.lon,
        claimed_lat=drawn.claims.lat, told=told, look=drawn.look, original_kept=keeps,
    )  # fmt: skip


def purpose_of_original(original: bytes) -> str:
    """For what an original is sealed."""
    return f"original {original.hex()}"


def _none_kept(items: list[ItemOut], outcomes: list[NewAttachment | GridError]) -> GridError:
    """A form of which nothing was kept is refused as its first file was; `items` tell of the others."""
    first = next(outcome for outcome in outcomes if isinstance(outcome, GridError))
    if len(outcomes) == 1:
        return first
    kind = TooLarge if all(isinstance(outcome, TooLarge) for outcome in outcomes) else UnacceptedMedia
    return kind(f"none of the {len(outcomes)} files could be kept; the first: {first.message}", items=items)


def _item(each: _Received, outcome: NewAttachment | GridError) -> ItemOut:
    sent = each.sha256.hexdigest()
    if isinstance(outcome, GridError):
        problem = ItemProblem(code=outcome.code, detail=outcome.message)
        return ItemOut(id=None, problem=problem, original_sha256=sent)
    return ItemOut(
        id=outcome.id, kind=outcome.kind, width=outcome.width, height=outcome.height, size_bytes=outcome.size_bytes,
        sha256=outcome.sha256.hex(), original_sha256=sent, claimed_at=outcome.claimed_at,
        claimed_lon=outcome.claimed_lon, claimed_lat=outcome.claimed_lat,
    )  # fmt: skip


class FactsOut(Told):
    """What is known of an attachment. `kind` is picture or sound.

    `claimed_*` stand in the file (EXIF), `told_*` were said by the sender; neither proves anything. `sha256` is of
    what is shown, `original_sha256` of what was sent. Once `removed_at` is set its time is over and no file is left.
    """

    id: UUID
    kind: str
    media_type: str
    size_bytes: int
    width: int | None
    height: int | None
    sha256: str
    original_sha256: str
    original_kept: bool
    claimed_at: str | None
    claimed_lon: float | None
    claimed_lat: float | None
    told_at: datetime | None
    told_lon: float | None
    told_lat: float | None
    case: UUID | None
    purpose: str | None
    uploaded_at: datetime
    removed_at: datetime | None


async def _facts(request: web.Request) -> web.Response:
    seen = await _seen(request)
    return reply(
        FactsOut(
            id=seen.id, kind=seen.kind, media_type=seen.media_type, size_bytes=seen.size_bytes, width=seen.width,
            height=seen.height, sha256=seen.sha256.hex(), original_sha256=seen.original.hex(),
            original_kept=seen.original_kept, claimed_at=seen.claimed_at, claimed_lon=seen.claimed_lon,
            claimed_lat=seen.claimed_lat, told_at=seen.told_at, told_lon=seen.told_lon, told_lat=seen.told_lat,
            case=seen.case_id, purpose=seen.purpose, uploaded_at=seen.uploaded_at, removed_at=seen.removed_at,
        )
    )  # fmt: skip


async def _file_bytes(request: web.Request) -> web.Response:
    seen = await _there(request)
    if seen.kind == "sound":
        return await _hear(request, seen)
    return await show_picture(request, request.app[FILES], seen.sha256, PICTURE, seen.media_type)


async def _thumb_bytes(request: web.Request) -> web.Response:
    seen = await _there(request)
    if seen.kind != "picture":
        raise Unknown("a voice note has no thumbnail", given=str(seen.id))
    return await show_picture(request, request.app[FILES], seen.sha256, THUMB, seen.media_type)


async def _seen(request: web.Request) -> Seen:
    wanted = path_id(request)
    async with scoped(request) as (conn, _):
        seen = await attachments.seen(conn, wanted, scope_keys(caller_of(request)))
    if seen is None:
        raise Unknown("there is no such attachment, or not for you", given=str(wanted))
    return seen


async def _there(request: web.Request) -> Seen:
    seen = await _seen(request)
    if seen.removed_at is not None:
        raise Unknown(
            f"the file was removed on {seen.removed_at.date()}, its time was over", given=str(seen.id),
            removed_at=seen.removed_at.isoformat(),
        )  # fmt: skip
    return seen


# Bytes of somebody else, checked and not decoded: a page may play them, and a browser never opens them in a tab.
_AS_SOUND: Final = {
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",
}


async def _hear(request: web.Request, seen: Seen) -> web.Response:
    suffix = SUFFIXES[seen.media_type]
    etag = f'"{seen.sha256.hex()[:32]}{suffix}"'
    headers = {**_AS_SOUND, "ETag": etag, "Content-Disposition": f'attachment; filename="{seen.id}{suffix}"'}
    if etag in [tag.strip().removeprefix("W/") for tag in request.headers.get("If-None-Match", "").split(",")]:
        return web.Response(status=304, headers=headers)
    body = await asyncio.to_thread(request.app[FILES].read, seen.sha256, suffix)
    return web.Response(body=body, content_type=seen.media_type, headers=headers)


# Shown in place, because every byte of it was drawn by us as JPEG; the sandbox and nosniff stand behind that.
_AS_PICTURE: Final = {
    "Content-Disposition": "inline",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cache-Control": "private, no-cache",  # kept by the browser, asked for again: rights end at once
}


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
        method="GET", path="/api/v1/attachments/{id}", handler=_file_bytes, roles=SIGNED_IN,
        scope="attachments:read", statuses=(200, 304),
        summary="A photograph as JPEG, at most 2560 pixels wide or high, without its EXIF; a voice note as it came.",
    ),
    Route(
        method="GET", path="/api/v1/attachments/{id}/thumb", handler=_thumb_bytes, roles=SIGNED_IN,
        scope="attachments:read", statuses=(200, 304),
        summary="A photograph, at most 320 pixels wide or high.",
    ),
    Route(
        method="GET", path="/api/v1/attachments/{id}/facts", handler=_facts, roles=SIGNED_IN,
        scope="attachments:read", answers=FactsOut,
        summary="What is known of an attachment: digests, what its EXIF claims, what its sender said, its case.",
    ),
)  # fmt: skip
