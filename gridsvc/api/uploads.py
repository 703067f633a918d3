"""Resumable uploads by tus 1.0.0: begun, continued from where they were cut, and kept as soon as they are whole.

What arrived lies in a file that one request at a time may write to; how much of it counts stands in the database.
The last byte counts when the file was looked at and is kept, or refused: before that an upload is never whole.
"""

from __future__ import annotations

import asyncio
import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from email.utils import format_datetime
from typing import IO, Final
from uuid import UUID

import msgspec
from aiohttp import ClientError, web
from aiohttp.http_exceptions import HttpProcessingError

from gridsvc.actions.keep_attachment import keep_attachments
from gridsvc.actions.open_upload import open_upload
from gridsvc.api.attachments import PART_FILES, UploadOut, take_file, upload_form
from gridsvc.api.idempotency import Answer, claim_of, write
from gridsvc.api.parts import SETTINGS, caller_of, scoped
from gridsvc.api.route import PUBLIC, SIGNED_IN, Route
from gridsvc.api.wire import path_id
from gridsvc.db import Conn
from gridsvc.domain.upload import (
    ALGORITHMS,
    EXTENSIONS,
    VERSION,
    Allowance,
    Checksum,
    read_checksum,
    read_length,
    read_metadata,
    read_number,
    told_by,
)
from gridsvc.errors import (
    ChecksumMismatch,
    GridError,
    ProtocolVersion,
    TooLarge,
    UnacceptedMedia,
    Unavailable,
    Unknown,
    UploadBusy,
    WrongOffset,
)
from gridsvc.files import digest_of, flushed, write_at
from gridsvc.ids import new_id
from gridsvc.store import uploads
from gridsvc.store.uploads import NewUpload, Upload

OFFSET_TYPE: Final = "application/offset+octet-stream"

_CHUNK: Final = 256 * 1024
_EVERY_BYTES: Final = 1024 * 1024  # so much is lost at most when this process dies; a flush of the disk takes 5 ms
_EVERY_S: Final = 1.0  # over a poor link less than that much comes
_WITHIN_S: Final = 300.0  # for one request, however slowly it comes: what arrived counts, and it is taken up again

PLACE: Final = "/api/v1/attachments"

_OFFSET: Final = web.RequestKey("upload_offset", int)
"""From which byte on the upload may go on: said with a refusal too."""


# -- what every answer says ---------------------------------------------------------------------------------


async def say_version(request: web.Request, response: web.StreamResponse) -> None:
    """On every answer of the protocol: its version, and the offset where it is known."""
    speaks = "Tus-Resumable" in request.headers or request.method in {"OPTIONS", "HEAD", "PATCH"}
    if request.path.startswith(PLACE) and speaks:
        response.headers["Tus-Resumable"] = VERSION
        if response.status == 412:
            response.headers["Tus-Version"] = VERSION
        if _OFFSET in request:
            response.headers["Upload-Offset"] = str(request[_OFFSET])


def _check_version(request: web.Request) -> None:
    spoken = request.headers.get("Tus-Resumable")
    if spoken != VERSION:
        raise ProtocolVersion(
            f"Tus-Resumable is {(spoken or 'missing')[:20]}; want {VERSION}", given=(spoken or "")[:20], wanted=VERSION
        )


async def _options(request: web.Request) -> web.Response:
    headers = {
        "Tus-Version": VERSION, "Tus-Extension": EXTENSIONS, "Tus-Checksum-Algorithm": ",".join(ALGORITHMS),
        "Tus-Max-Size": str(request.app[SETTINGS].http.upload_limit),
    }  # fmt: skip
    return web.Response(status=204, headers=headers)


# -- beginning ----------------------------------------------------------------------------------------------


async def _post(request: web.Request) -> web.Response:
    """A form of files, or the beginning of a resumable upload."""
    if request.headers.keys() & {"Tus-Resumable", "Upload-Length", "Upload-Defer-Length"}:
        return await _create(request)
    return await upload_form(request)


async def _create(request: web.Request) -> web.Response:
    _check_version(request)
    claim_of(request, b"")  # without its key it is refused before anything of it is read
    length = read_length(request.headers.get("Upload-Length"), request.app[SETTINGS].http.upload_limit)
    metadata = request.headers.get("Upload-Metadata", "")
    told = told_by(read_metadata(metadata))
    brings = request.body_exists and request.content_length != 0
    if brings:
        _check_media(request)
    checksum = read_checksum(request.headers.get("Upload-Checksum"))
    caller = caller_of(request)
    new = NewUpload(id=new_id(), uploaded_by=caller.id, length=length, metadata=metadata, told=told)

    async def work(conn: Conn, now: datetime) -> Answer:
        expires_at = await open_upload(conn, new, _allowance(request), now)
        headers = {"Location": f"{PLACE}/{new.id}", "Upload-Expires": _http_date(expires_at)}
        return Answer(None, status=201, headers=headers)

    answer = await write(request, work, f"{length}\n{metadata}".encode())
    if brings:
        upload_id = UUID(answer.headers["Location"].rpartition("/")[2])
        async with _held(request, upload_id) as (upload, file):
            # Sent again after it had begun already: it goes on from what is there, with a PATCH.
            ends = upload if upload.received else await _append(request, upload, file, 0, checksum)
        answer.headers["Upload-Offset"] = str(ends.received)
    return answer


def _allowance(request: web.Request) -> Allowance:
    files = request.app[SETTINGS].files
    return Allowance(
        most_open=files.most_uploads, most_bytes=files.upload_bytes, kept_for=timedelta(hours=files.upload_hours)
    )


def _http_date(moment: datetime) -> str:
    return format_datetime(moment, usegmt=True)


# -- going on -----------------------------------------------------------------------------------------------


async def _head(request: web.Request) -> web.Response:
    _check_version(request)
    upload = await _mine(request, path_id(request))
    if upload.state == "refused":
        raise _refusal(upload)
    headers = {
        "Upload-Offset": str(upload.received), "Upload-Length": str(upload.length),
        "Upload-Expires": _http_date(upload.expires_at), "Cache-Control": "no-store",
    }  # fmt: skip
    if upload.metadata:
        headers["Upload-Metadata"] = upload.metadata
    return web.Response(headers=headers)


async def _patch(request: web.Request) -> web.Response:
    _check_version(request)
    _check_media(request)
    offset = read_number("Upload-Offset", request.headers.get("Upload-Offset"))
    checksum = read_checksum(request.headers.get("Upload-Checksum"))
    async with _held(request, path_id(request)) as (upload, file):
        ends = await _append(request, upload, file, offset, checksum)
    headers = {"Upload-Offset": str(ends.received), "Upload-Expires": _http_date(ends.expires_at)}
    return web.Response(status=204, headers=headers)


async def _delete(request: web.Request) -> web.Response:
    _check_version(request)
    upload_id = path_id(request)
    async with _held(request, upload_id), scoped(request) as (conn, _):
        await uploads.END.run(conn, upload_id, caller_of(request).id)
    await asyncio.to_thread(request.app[PART_FILES].remove, upload_id)
    return web.Response(status=204)


def _check_media(request: web.Request) -> None:
    if request.content_type != OFFSET_TYPE:
        raise UnacceptedMedia(
            f"the body is {request.content_type}; want {OFFSET_TYPE}", given=request.content_type, wanted=OFFSET_TYPE
        )
    if "Content-Encoding" in request.headers:
        raise UnacceptedMedia("the body is packed; want it plain", wanted="identity")


async def _mine(request: web.Request, upload_id: UUID) -> Upload:
    async with scoped(request) as (conn, now):
        upload = await uploads.of_caller(conn, upload_id, caller_of(request).id, now)
    if upload is None:
        raise _gone(upload_id)
    return upload


def _gone(upload_id: UUID) -> Unknown:
    return Unknown("there is no such upload of yours, or its time is over; begin it anew", given=str(upload_id))


@asynccontextmanager
async def _held(request: web.Request, upload_id: UUID) -> AsyncIterator[tuple[Upload, IO[bytes]]]:
    """The upload as it stands, and its file, which nobody else writes to meanwhile. Raises UploadBusy, Unknown."""
    await _mine(request, upload_id)  # before a file is made for it
    file = await asyncio.to_thread(request.app[PART_FILES].hold, upload_id)
    if file is None:
        raise UploadBusy("another request writes to this upload; ask again for its offset", retry_after_s=1)
    try:
        yield await _mine(request, upload_id), file
    finally:
        file.close()


def _refusal(upload: Upload) -> GridError:
    """Why the whole file was refused, as it was said the first time."""
    said = msgspec.json.decode(upload.refusal or "{}", type=dict[str, str])
    kind = TooLarge if said.get("code") == TooLarge.code else UnacceptedMedia
    return kind(said.get("detail", ""), **{name: said[name] for name in ("given", "wanted") if name in said})


@dataclass
class _Progress:
    """How far this request has come: `at` is written, `upload.received` counts."""

    upload: Upload
    at: int
    counted_s: float


async def _append(
    request: web.Request, upload: Upload, file: IO[bytes], offset: int, checksum: Checksum | None
) -> Upload:
    """Put the body behind what is there, look at the file once it is whole; the upload as it then stands.

    Raises WrongOffset, ChecksumMismatch, TooLarge, the refusal of the whole file, Unavailable when the body was cut.
    """
    if upload.state == "refused":
        raise _refusal(upload)
    request[_OFFSET] = upload.received
    if offset != upload.received:
        raise WrongOffset(
            f"Upload-Offset is {offset}; want {upload.received}", given=offset, wanted=upload.received,
            offset=upload.received,
        )  # fmt: skip
    left = upload.length - offset
    if (request.content_length or 0) > left:
        raise TooLarge(f"the body has {request.content_length} bytes; want at most the {left} left", wanted=left)
    if upload.state == "kept":
        return upload
    if await asyncio.to_thread(flushed, file) < offset:
        raise Unavailable(
            "what arrived is not on this disk; an operator must look", upload=str(upload.id)
        )
    progress = _Progress(upload, offset, asyncio.get_running_loop().time())
    await _receive(request, progress, file, left, checksum)
    await _count(request, progress, file)
    if progress.at < upload.length:
        return progress.upload
    return await _settle(request, progress.upload, file)


# What a body that ends too early is to aiohttp: a closed connection, a chunk without end, or nothing for too long.
_CUT: Final = (ConnectionError, ClientError, HttpProcessingError, TimeoutError)


async def _receive(
    request: web.Request, progress: _Progress, file: IO[bytes], left: int, checksum: Checksum | None
) -> None:
    """Stream the body into the file. Bytes under a checksum count all together or not at all."""
    offset, sums = progress.at, None if checksum is None else checksum.started()
    try:
        async with asyncio.timeout(_WITHIN_S):
            while chunk := await _next_chunk(request, progress, None if checksum else file):
                if progress.at - offset + len(chunk) > left:
                    raise TooLarge(f"the body goes on behind the {left} bytes that are left", wanted=left)
                await asyncio.to_thread(write_at, file, progress.at, chunk)
                progress.at += len(chunk)
                if sums is not None:
                    sums.update(chunk)
                elif _is_due(progress):
                    await _count(request, progress, file)
    except _CUT:
        if sums is None:
            await _count(request, progress, file)
        raise Unavailable("the body was cut; ask for the offset with HEAD and go on", retry_after_s=1) from None
    if checksum is not None and sums is not None and not hmac.compare_digest(sums.digest(), checksum.digest):
        raise ChecksumMismatch(
            f"the bytes give another {checksum.algorithm}; none of them is kept", given=sums.hexdigest(),
            wanted=checksum.digest.hex(), offset=offset,
        )  # fmt: skip


async def _next_chunk(request: web.Request, progress: _Progress, file: IO[bytes] | None) -> bytes:
    """Whatever comes next; while nothing comes, what is in the file is counted. Raises TimeoutError in the end."""
    async with asyncio.timeout(request.app[SETTINGS].http.body_seconds):
        while True:
            try:
                async with asyncio.timeout(_EVERY_S):
                    return await request.content.read(_CHUNK)
            except TimeoutError:
                if file is not None and progress.at > progress.upload.received:
                    await _count(request, progress, file)


def _is_due(progress: _Progress) -> bool:
    waited = asyncio.get_running_loop().time() - progress.counted_s
    return progress.at - progress.upload.received >= _EVERY_BYTES or waited >= _EVERY_S


async def _count(request: web.Request, progress: _Progress, file: IO[bytes]) -> None:
    """Bring what was written to the disk, then say so in the database; never the last byte."""
    upload = progress.upload
    received = min(progress.at, upload.length - 1)
    await asyncio.to_thread(flushed, file)
    async with scoped(request) as (conn, now):
        expires_at = now + _allowance(request).kept_for
        if not await uploads.ADVANCE.run(conn, upload.id, upload.received, received, expires_at):
            raise _gone(upload.id)
    progress.upload = replace(upload, received=received, expires_at=expires_at)
    progress.counted_s = asyncio.get_running_loop().time()
    request[_OFFSET] = received


async def _settle(request: web.Request, upload: Upload, file: IO[bytes]) -> Upload:
    """Look at the whole file: it is an attachment from now on, or was refused for good."""
    file.truncate(upload.length)
    digest = await asyncio.to_thread(digest_of, file)
    outcome = await take_file(request, file, upload.length, digest, upload.told)
    async with scoped(request) as (conn, now):
        if isinstance(outcome, GridError):
            await uploads.refused(conn, upload.id, _said(outcome))
        else:
            await keep_attachments(conn, [replace(outcome, id=upload.id)], caller_of(request).id, now)
            await uploads.KEPT.run(conn, upload.id)
    await asyncio.to_thread(file.truncate, 0)  # the name goes with the row
    request[_OFFSET] = upload.length
    if isinstance(outcome, GridError):
        raise outcome
    return replace(upload, received=upload.length, state="kept")


def _said(refusal: GridError) -> dict[str, object]:
    facts = {name: str(refusal.facts[name]) for name in ("given", "wanted") if name in refusal.facts}
    return {"code": refusal.code, "detail": refusal.message, **facts}


ROUTES: Final = (
    Route(
        method="OPTIONS", path=PLACE, handler=_options, roles=PUBLIC, statuses=(204,),
        summary="What of tus 1.0.0 is spoken here: versions, extensions, checksums, the largest file.",
    ),
    Route(
        method="POST", path=PLACE, handler=_post, roles=SIGNED_IN, scope="attachments:write",
        answers=UploadOut, statuses=(201, 409, 412, 413, 415, 423, 429, 460), idempotent=True,
        summary="Upload photographs and voice notes as multipart/form-data, parts named file, one outcome per file; "
        "or begin a resumable upload with Tus-Resumable and Upload-Length.",
    ),
    Route(
        method="HEAD", path=PLACE + "/{id}", handler=_head, roles=SIGNED_IN, scope="attachments:write",
        statuses=(200, 412, 413, 415),
        summary="How much of my upload arrived: Upload-Offset and Upload-Length.",
    ),
    Route(
        method="PATCH", path=PLACE + "/{id}", handler=_patch, roles=SIGNED_IN, scope="attachments:write",
        statuses=(204, 409, 412, 413, 415, 423, 429, 460),
        summary="Go on with my upload from Upload-Offset; its last byte makes it an attachment, or is refused.",
    ),
    Route(
        method="DELETE", path=PLACE + "/{id}", handler=_delete, roles=SIGNED_IN, scope="attachments:write",
        statuses=(204, 412, 423),
        summary="End my upload and forget what arrived of it; an attachment that came of it stays.",
    ),
)  # fmt: skip
