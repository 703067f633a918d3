"""My notices: over a WebSocket as they come, or as a list; each stays until it is acknowledged."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import WSCloseCode, WSMsgType, web

from gridsvc.api.idempotency import Answer, write
from gridsvc.api.identity import SESSION, SIGNER, refuse_foreign_pages
from gridsvc.api.notice_board import NoticeBoard, Seat
from gridsvc.api.parts import SERVICE_POOL, SETTINGS, caller_of, scoped
from gridsvc.api.problems import AWAY, is_away
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.wire import Page, Told, Wanted, path_id, read_body, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.errors import Unknown
from gridsvc.store import digests, notices
from gridsvc.store.open_sockets import Waiting

log = logging.getLogger(__name__)

HEARTBEAT_S: Final = 20.0  # mobile networks forget a silent connection after 30 s or more
SEND_S: Final = 10.0  # for one message to leave our buffers
MOST_BYTES: Final = 65_536  # of one message from a client
MOST_ACKED: Final = 1000

BOARD: Final = web.AppKey("notice_board", NoticeBoard)


async def notice_board(app: web.Application) -> AsyncIterator[None]:
    """Keep the board running while the application runs."""
    board = NoticeBoard(app[SERVICE_POOL], app[SETTINGS].database.url)
    app[BOARD] = board
    running = asyncio.create_task(board.run(), name="notice board")
    yield
    running.cancel()
    await asyncio.wait([running])


async def close_sockets(app: web.Application) -> None:
    """Send every socket away: the process stops, and their clients find another."""
    app[BOARD].dismiss()


class NoticeOut(Told):
    """One notice. `kind` is the announcement's type; `body` holds ids, codes and times.

    One of the kind `digest` gathers others: how many, of which kinds, the worst by name. `waiting_until`: it is told
    when the quiet hours end, and `told_at` is null until then.
    """

    seq: int
    id: UUID
    kind: str
    case_id: UUID | None
    at: datetime
    told_at: datetime | None
    waiting_until: datetime | None
    body: dict[str, Any]


class NoticeItemOut(Told):
    """One notice within a digest; `acknowledged_at` is null while it is still to be seen."""

    seq: int
    id: UUID
    kind: str
    case_id: UUID | None
    at: datetime
    told_at: datetime | None
    acknowledged_at: datetime | None
    body: dict[str, Any]


class NoticesQuery(Wanted):
    """Which page of what waits."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class AckIn(Wanted):
    """What my device has: numbers as `seq` named them."""

    seqs: Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]], msgspec.Meta(max_length=MOST_ACKED)]


class AckOut(Told):
    """How many of them were waiting until now."""

    acknowledged: int


class _AckMessage(msgspec.Struct, forbid_unknown_fields=True):
    type: Literal["ack"]
    seqs: Annotated[list[Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]], msgspec.Meta(max_length=MOST_ACKED)]


async def _notices(request: web.Request) -> web.StreamResponse:
    if request.headers.get("Upgrade", "").lower() == "websocket":
        return await _socket(request)
    asked = read_query(request, NoticesQuery)
    after = 0 if asked.cursor is None else read_cursor(asked.cursor, tuple[int])[0]
    async with scoped(request) as (conn, _):
        found = await notices.waiting(conn, _me(request), after, asked.limit + 1)
    items = [
        NoticeOut(seq=n.seq, id=n.id, kind=n.kind, case_id=n.case_id, at=n.created_at, told_at=n.told_at,
                  waiting_until=n.held_until, body=n.body)
        for n in found[: asked.limit]
    ]  # fmt: skip
    return reply(Page[NoticeOut](items=items, next=write_cursor(items[-1].seq) if len(found) > asked.limit else None))


async def _items(request: web.Request) -> web.Response:
    asked, digest_id = read_query(request, NoticesQuery), path_id(request)
    after = 0 if asked.cursor is None else read_cursor(asked.cursor, tuple[int])[0]
    async with scoped(request) as (conn, _):
        if not await digests.is_digest(conn, _me(request), digest_id):
            raise Unknown(f"no digest {digest_id} among your notices", notice=str(digest_id))
        found = await digests.ITEMS.all(conn, _me(request), digest_id, after, asked.limit + 1)
    items = [
        NoticeItemOut(seq=n.seq, id=n.id, kind=n.kind, case_id=n.case_id, at=n.created_at, told_at=n.told_at,
                      acknowledged_at=n.acknowledged_at, body=n.body)
        for n in found[: asked.limit]
    ]  # fmt: skip
    more = len(found) > asked.limit
    return reply(Page[NoticeItemOut](items=items, next=write_cursor(items[-1].seq) if more else None))


async def _acknowledge(request: web.Request) -> web.Response:
    acked = await read_body(request, AckIn)

    async def work(conn: Conn, now: datetime) -> Answer:
        had = [(_me(request), seq) for seq in acked.seqs]
        return Answer(AckOut(acknowledged=await notices.acknowledge(conn, had, now)))

    return await write(request, work)


def _me(request: web.Request) -> UUID:
    user_id = caller_of(request).user_id
    assert user_id is not None  # noqa: S101 - no API key has these routes
    return user_id


async def _socket(request: web.Request) -> web.WebSocketResponse:
    refuse_foreign_pages(request)
    socket = web.WebSocketResponse(heartbeat=HEARTBEAT_S, max_msg_size=MOST_BYTES, compress=False)
    await socket.prepare(request)
    seat = Seat(_me(request), request[SESSION], _token_ends(request))
    writer = asyncio.create_task(_tell(request, socket, seat), name="notices to a socket")
    try:
        await _hear(request, socket)
    except AWAY as fault:
        if not is_away(fault):
            raise
        await socket.close(code=WSCloseCode.TRY_AGAIN_LATER, message=b"a part is away; come again")
    finally:
        writer.cancel()
        await asyncio.wait([writer])
        if not writer.cancelled() and writer.exception() is not None:
            log.warning("a socket was closed", extra={"action": "socket_failed"}, exc_info=writer.exception())
    return socket


def _token_ends(request: web.Request) -> float | None:
    """When the access token behind the socket runs out; None for a cookie, whose session is looked at instead."""
    _, _, token = request.headers.get("Authorization", "").partition(" ")
    access = request.app[SIGNER].read_access_token(token.strip()) if token else None
    return None if access is None else access.expires_at


_CLOSING: Final = {
    "slow": (WSCloseCode.TRY_AGAIN_LATER, b"too slow; what you missed is still waiting"),
    "signed_out": (WSCloseCode.POLICY_VIOLATION, b"signed out, or the token has run out"),
    "going_away": (WSCloseCode.GOING_AWAY, b"this process stops"),
}


async def _tell(request: web.Request, socket: web.WebSocketResponse, seat: Seat) -> None:
    """Send what waits and what comes, until the seat is over or the client does not take it."""
    board = request.app[BOARD]
    try:
        async for waiting in board.backlog(seat):
            await _send(socket, _message(waiting))
        async with board.taken(seat):
            while seat.over is None and (notice := await seat.queue.get()) is not None:
                await _send(socket, _message(notice))
        code, text = _CLOSING[seat.over or "going_away"]
        async with asyncio.timeout(SEND_S):
            await socket.close(code=code, message=text)
    except (TimeoutError, ConnectionError):
        if request.transport is not None:
            request.transport.abort()  # its buffers are full: it would not take a closing word either


def _message(notice: Waiting) -> dict[str, object]:
    return {
        **notice.body,
        "type": "notice", "seq": notice.seq, "id": notice.id, "kind": notice.kind, "case_id": notice.case_id,
        "at": notice.created_at,
    }  # fmt: skip


async def _send(socket: web.WebSocketResponse, message: dict[str, object]) -> None:
    async with asyncio.timeout(SEND_S):
        await socket.send_str(msgspec.json.encode(message).decode())


async def _hear(request: web.Request, socket: web.WebSocketResponse) -> None:
    """Take acknowledgements until the client is gone."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            await _send(socket, {"type": "refused", "detail": "want text: {type: ack, seqs: [...]}"})
            continue
        try:
            ack = msgspec.json.decode(message.data, type=_AckMessage)
        except (msgspec.MsgspecError, UnicodeEncodeError) as wrong:
            await _send(socket, {"type": "refused", "detail": f"want {{type: ack, seqs: [...]}}: {wrong}"})
            continue
        await request.app[BOARD].acknowledge([(_me(request), seq) for seq in ack.seqs])
        await _send(socket, {"type": "acked", "seqs": ack.seqs})


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/notices", handler=_notices, roles=SIGNED_IN, query=NoticesQuery,
        answers=Page[NoticeOut],
        summary="What I have not acknowledged; asked as a WebSocket: that, and then what comes, as it comes.",
    ),
    Route(
        method="GET", path="/api/v1/notices/{id}/items", handler=_items, roles=SIGNED_IN, query=NoticesQuery,
        answers=Page[NoticeItemOut],
        summary="What a digest of mine gathers, one by one, oldest first; each may be acknowledged by itself.",
    ),
    Route(
        method="POST", path="/api/v1/me/notices/ack", handler=_acknowledge, roles=SIGNED_IN, reads=AckIn,
        answers=AckOut, idempotent=True,
        summary="My device has these: do not tell me again.",
    ),
)  # fmt: skip
