"""The live feed over HTTP: a WebSocket, the same as server-sent events, and the snapshot that both begin with."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from gridsvc.api.health import METRICS
from gridsvc.api.identity import IDENTITY, SESSION, SIGNER, refuse_foreign_pages
from gridsvc.api.parts import POOL, SETTINGS, as_service, caller_of
from gridsvc.api.problems import AWAY, is_away
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Told, Wanted, read_query
from gridsvc.db import SERVICE, open_pool
from gridsvc.domain.live import Interest
from gridsvc.errors import BadRequest, Unavailable
from gridsvc.live.feed import Feed
from gridsvc.live.figures import LiveFigures
from gridsvc.live.seat import Seat
from gridsvc.live.snapshots import Snapshots
from gridsvc.store import live

log = logging.getLogger(__name__)

PING_S: Final = 20.0
SEND_S: Final = 15.0  # for what waits to leave our buffers; a client that takes nothing for so long comes again
MOST_BYTES: Final = 65_536  # of one message from a client
MOST_AREAS: Final = 1000  # of a subscription
SEND_BUFFER: Final = 65_536  # bytes that one connection may hold beneath its seat

FEED: Final = web.AppKey("feed", Feed)
SNAPSHOTS: Final = web.AppKey("snapshots", Snapshots)

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Codes = Annotated[list[_Code], msgspec.Meta(max_length=MOST_AREAS)]


async def live_feed(app: web.Application) -> AsyncIterator[None]:
    """Follow the feed while the application runs."""
    database, settings = app[SETTINGS].database, app[SETTINGS].live
    async with open_pool(database.url, size=1, scope=SERVICE, name="gridsvc web live", by_index=True) as pool:
        feed = Feed(pool, settings, app[IDENTITY].forget_user)
        app[FEED], app[SNAPSHOTS] = feed, Snapshots(app[POOL])
        app[METRICS].registry.register(LiveFigures(feed, app[SNAPSHOTS]))
        running = asyncio.create_task(feed.run(), name="live feed")
        yield
        running.cancel()
        await asyncio.wait([running])


async def send_watchers_away(app: web.Application) -> None:
    """The process stops: watchers find another, and go on there with the number they have."""
    app[FEED].dismiss()


class LiveQuery(Wanted):
    """Where to go on (`epoch` and `seq` of the last message), and what to be told of: codes, comma between."""

    epoch: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None
    divisions: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None
    cells: Annotated[str, msgspec.Meta(max_length=20_000)] | None = None

    def interest(self) -> Interest:
        """What to be told of; nothing named: everything."""
        return Interest(_split(self.divisions), _split(self.cells))


class SnapshotQuery(Wanted):
    """`seq` of the position that you have: the answer is not older than that, and may be another's."""

    epoch: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    seq: Annotated[int, msgspec.Meta(ge=0, le=2**63 - 1)] | None = None


class SnapshotOut(Told):
    """Everything the caller may see as it stands at `seq`: open cases, officers, cameras. See docs/live.md."""

    epoch: str
    seq: int
    at: datetime
    cases: list[dict[str, Any]]
    officers: list[dict[str, Any]]
    cameras: list[dict[str, Any]]


class _Areas(msgspec.Struct, forbid_unknown_fields=True):
    divisions: _Codes = []
    cells: _Codes = []


class _Subscribe(msgspec.Struct, forbid_unknown_fields=True):
    subscribe: _Areas


def _split(codes: str | None) -> frozenset[str]:
    return frozenset(code for code in (codes or "").split(",") if code)


# -- a place in the feed -------------------------------------------------------------------------------


def _seat(request: web.Request) -> Seat:
    feed = request.app[FEED]
    if feed.watchers >= request.app[SETTINGS].live.most_watchers:
        raise Unavailable("this process has as many watchers as it takes; come again in a moment")
    user_id = caller_of(request).user_id
    assert user_id is not None  # noqa: S101 - no API key has these routes
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    access = request.app[SIGNER].read_access_token(token.strip()) if token else None
    return feed.seat(user_id, request[SESSION], None if access is None else access.expires_at)


# -- WebSocket -----------------------------------------------------------------------------------------


async def _live(request: web.Request) -> web.StreamResponse:
    asked = read_query(request, LiveQuery)
    if request.headers.get("Upgrade", "").lower() != "websocket":
        raise BadRequest("this is a WebSocket; want Upgrade: websocket, or GET /api/v1/live/events", wanted="websocket")
    refuse_foreign_pages(request)
    seat = _seat(request)
    socket = web.WebSocketResponse(
        heartbeat=PING_S, max_msg_size=MOST_BYTES, compress=False, writer_limit=SEND_BUFFER
    )  # fmt: skip
    await socket.prepare(request)
    writer = asyncio.create_task(_tell(request, socket, seat, asked), name="live feed to a socket")
    try:
        await _hear(request, socket, seat)
    finally:
        writer.cancel()
        await asyncio.wait([writer])
        if not writer.cancelled() and writer.exception() is not None:
            log.warning("a socket was closed", extra={"action": "socket_failed"}, exc_info=writer.exception())
    return socket


_CLOSING: Final = {
    "signed_out": (WSCloseCode.POLICY_VIOLATION, b"signed out, or the token has run out"),
    "going_away": (WSCloseCode.GOING_AWAY, b"this process stops"),
    "away": (WSCloseCode.TRY_AGAIN_LATER, b"a part is away; come again"),
}


async def _tell(request: web.Request, socket: web.WebSocketResponse, seat: Seat, asked: LiveQuery) -> None:
    """Send what waits until the seat is over, or the client does not take it."""
    try:
        try:
            async with request.app[FEED].taken(seat, asked.interest(), asked.epoch, asked.seq):
                while frames := await seat.take():
                    async with asyncio.timeout(SEND_S):
                        for frame in frames:  # they leave together; what is beyond the buffer is waited for
                            await socket.send_frame(frame.text, WSMsgType.TEXT)
        except AWAY as fault:
            if request.transport is None or not is_away(fault) or seat.view.keys:
                raise
            seat.end("away")
        code, text = _CLOSING[seat.over or "going_away"]
        async with asyncio.timeout(SEND_S):
            await socket.close(code=code, message=text)
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()  # its buffers are full: it would not take a closing word either


async def _hear(request: web.Request, socket: web.WebSocketResponse, seat: Seat) -> None:
    """Take subscriptions until the client is gone."""
    async for message in socket:
        try:
            if message.type is not WSMsgType.TEXT:
                raise msgspec.ValidationError("it is no text")
            said = msgspec.json.decode(message.data, type=_Subscribe).subscribe
        except (msgspec.MsgspecError, UnicodeEncodeError) as wrong:
            detail = f"want {{subscribe: {{divisions: [...], cells: [...]}}}}: {wrong}"
            async with asyncio.timeout(SEND_S):
                await socket.send_frame(msgspec.json.encode({"type": "refused", "detail": detail}), WSMsgType.TEXT)
            continue
        interest = Interest(frozenset(said.divisions), frozenset(said.cells))
        request.app[FEED].subscribe(seat, interest)


# -- server-sent events --------------------------------------------------------------------------------


async def _events(request: web.Request) -> web.StreamResponse:
    asked = read_query(request, LiveQuery)
    epoch, seq = _last_event(request) or (asked.epoch, asked.seq)
    feed, seat = request.app[FEED], _seat(request)
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    async with feed.taken(seat, asked.interest(), epoch, seq):
        await response.prepare(request)
        with contextlib.suppress(ConnectionError):
            try:
                while frames := await seat.take():
                    async with asyncio.timeout(SEND_S):
                        await response.write(_joined(frame.event(feed.epoch) for frame in frames))
                await response.write_eof()
            except TimeoutError:
                if request.transport is not None:
                    request.transport.abort()
    return response


def _joined(events: Iterable[bytes]) -> bytes:
    return b"".join(events)


def _last_event(request: web.Request) -> tuple[str, int] | None:
    """What a browser says when it comes back: the id of the last event it had. One that is none of ours: nothing."""
    epoch, _, seq = request.headers.get("Last-Event-ID", "").partition(":")
    return (epoch, int(seq)) if seq.isascii() and seq.isdigit() and len(seq) <= 18 else None


# -- the snapshot --------------------------------------------------------------------------------------


async def _snapshot(request: web.Request) -> web.Response:
    asked = read_query(request, SnapshotQuery)
    feed = request.app[FEED]
    if asked.seq is not None and asked.epoch == feed.epoch and asked.seq <= feed.ring.head:
        assert feed.at is not None  # noqa: S101 - it has an epoch
        least = live.Position(feed.epoch, asked.seq, feed.at, pending=False)
    else:
        async with as_service(request) as (conn, _):
            least = await live.position(conn)
    built = await request.app[SNAPSHOTS].get(caller_of(request), least)
    headers = {"ETag": built.tag, "Cache-Control": "private, no-cache", "Vary": "Accept-Encoding"}
    if built.tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        headers["Content-Encoding"] = "gzip"
        return web.Response(body=built.packed, headers=headers, content_type="application/json")
    return web.Response(body=built.plain, headers=headers, content_type="application/json")


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/live", handler=_live, roles=SIGNED_IN, query=LiveQuery, statuses=(101,),
        summary="The live feed as a WebSocket: position, then deltas of all that the caller may see (docs/live.md).",
    ),
    Route(
        method="GET", path="/api/v1/live/events", handler=_events, roles=SIGNED_IN, query=LiveQuery,
        summary="The same as server-sent events, with Last-Event-ID.",
    ),
    Route(
        method="GET", path="/api/v1/live/snapshot", handler=_snapshot, roles=SIGNED_IN, query=SnapshotQuery,
        answers=SnapshotOut, statuses=(200, 304),
        summary="What the feed begins with: open cases, officers and cameras of one moment, with its number.",
    ),
)  # fmt: skip
