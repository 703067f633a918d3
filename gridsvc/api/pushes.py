"""Web Push to the phone of this session: the key to subscribe with, and whether it is subscribed (手机推送)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.subscribe_phone import browser_of, public_key, subscribe_phone
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.identity import SESSION
from gridsvc.api.parts import SETTINGS, as_service, caller_of
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.signatures import SEALER
from gridsvc.api.wire import Told, Wanted, read_body, reply
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.pushing import private_hosts
from gridsvc.errors import NotAllowed
from gridsvc.store import pushes


class PushKeys(Wanted):
    """The browser's keys, in base64url as it has them."""

    p256dh: Annotated[str, msgspec.Meta(max_length=200)]
    auth: Annotated[str, msgspec.Meta(max_length=100)]


class PushWanted(Wanted):
    """Where a browser is reached, as `PushSubscription.toJSON()` says it."""

    endpoint: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    keys: PushKeys


class PushKeyOut(Told):
    """The instance's public key (`applicationServerKey`), and whether this session's phone is subscribed.

    `key` null: the city has no push.
    """

    key: str | None
    subscribed: bool


class PushOut(Told):
    """Whether this session's phone is subscribed."""

    subscribed: bool


async def _key(request: web.Request) -> web.Response:
    async with as_service(request) as (conn, _):
        key = await public_key(conn, request.app[SEALER])
        there = await pushes.OF_SESSION.one(conn, _session(request))
    return reply(PushKeyOut(key=key, subscribed=there is not None))


async def _subscribe(request: web.Request) -> web.Response:
    wanted, session_id, sealer = await read_body(request, PushWanted), _session(request), request.app[SEALER]
    user_id = caller_of(request).user_id
    assert user_id is not None  # noqa: S101 - no API key has these routes
    hosts = private_hosts(request.app[SETTINGS].push.private)
    browser = browser_of(wanted.endpoint, wanted.keys.p256dh, wanted.keys.auth, hosts)

    async def work(conn: Conn, now: datetime) -> Answer:
        await act_as_service(conn)
        await subscribe_phone(conn, session_id, user_id, browser, sealer, now)
        return Answer(PushOut(subscribed=True))

    return await write(request, work)


async def _unsubscribe(request: web.Request) -> web.Response:
    session_id = _session(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await act_as_service(conn)
        await pushes.REMOVE.run(conn, session_id)
        return Answer(PushOut(subscribed=False))

    return await write(request, work)


def _session(request: web.Request) -> UUID:
    session_id: UUID | None = request.get(SESSION)
    if session_id is None:
        raise NotAllowed("an API key has no phone; want a session")
    return session_id


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/push-key", handler=_key, roles=SIGNED_IN, answers=PushKeyOut,
        summary="The key that a phone subscribes to Web Push with, and whether this one has.",
    ),
    Route(
        method="POST", path="/api/v1/me/push-subscriptions", handler=_subscribe, roles=SIGNED_IN, reads=PushWanted,
        answers=PushOut, statuses=(200, 404), idempotent=True,
        summary="Push to the phone of this session, until it is signed out.",
    ),
    Route(
        method="DELETE", path="/api/v1/me/push-subscriptions", handler=_unsubscribe, roles=SIGNED_IN, answers=PushOut,
        idempotent=True, summary="Push no more to the phone of this session.",
    ),
)  # fmt: skip
