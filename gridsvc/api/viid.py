"""GA/T 1400 as devices and platforms speak it, below `/VIID`: register by digest, keep alive, post objects.

What registration proves once is afterwards said by the header User-Identify alone; it counts from the address that
registered. What comes from a device that is not registered is answered 401, and waits in quarantine.
"""

from __future__ import annotations

import hmac
import ipaddress
import os
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Final

from aiohttp import web

from events.intake import digest, gat1400, viid
from events.intake.camera_event import NOT_EVEN_RAW, Parsed, Refused
from events.intake.gat1400 import FAILED, MEDIA_TYPE, REFUSED, Status
from events.intake.nonce import CHANCE_BYTES, make_nonce
from events.intake.viid import Ape
from gridsvc.actions.give_account import REALM
from gridsvc.actions.hear_device import MOST_WAITING, NOT_REGISTERED, Heard, hear_device, names_of
from gridsvc.actions.report_apes import report_apes
from gridsvc.actions.sign_in_device import Attempt, Challenged, Keys, register_device, unregister_device
from gridsvc.actions.take_errands import Errand
from gridsvc.api.camera_desk import CAMERA_DESK
from gridsvc.api.camera_events import as_kept, message_of, take_message
from gridsvc.api.camera_protocols import PROTOCOLS
from gridsvc.api.identity import address_of
from gridsvc.api.parts import SETTINGS
from gridsvc.api.route import PUBLIC, Route
from gridsvc.api.wire import read_bytes
from gridsvc.db import Conn
from gridsvc.sealing import Sealer
from gridsvc.settings import Settings
from gridsvc.store.camera_tokens import Admitted
from gridsvc.store.rulebook import rulebook
from gridsvc.store.viid_accounts import Account

_GAT1400: Final = PROTOCOLS[gat1400.PROTOCOL]
_MOST_OF_A_CALL: Final = 65_536  # bytes of what registers or keeps alive

Signing = Callable[[Conn, Attempt, Keys, datetime], Awaitable[Account | Challenged]]


# -- the system's calls ----------------------------------------------------------------------------


async def _register(request: web.Request) -> web.Response:
    return await _sign(request, register_device)


async def _unregister(request: web.Request) -> web.Response:
    return await _sign(request, unregister_device)


async def _sign(request: web.Request, act: Signing) -> web.Response:
    body, keys = await read_bytes(request, _MOST_OF_A_CALL), keys_of(request.app[SETTINGS])
    peer = _peer(request)
    attempt = Attempt(
        device=viid.device_of(body, _sender(request)) if peer else None, peer=peer or "", method=request.method,
        answer=digest.read_answer(request.headers.get("Authorization", "")), uri=request.path_qs,
    )  # fmt: skip
    async with request.app[CAMERA_DESK].opened() as (conn, now):
        done = await act(conn, attempt, keys, now)
        local = now.astimezone((await rulebook(conn)).zone)
    if isinstance(done, Challenged):
        return _challenge(request, "prove by digest who you are", local, stale=done.stale)
    return _answer_one(request, Status(done.device), local)


async def _keep_alive(request: web.Request) -> web.Response:
    body = await read_bytes(request, _MOST_OF_A_CALL)
    heard, local = await _hear(request, viid.device_of(body, _sender(request)), keeps_alive=True)
    if heard.admitted is None or heard.account is None:
        return _challenge(request, _why_not(heard), local)
    return _answer_one(request, Status(heard.account.device), local)


async def _time(request: web.Request) -> web.Response:
    server = request.app[SETTINGS].viid.server
    return _reply(viid.answer_time(server, await request.app[CAMERA_DESK].moment()))


# -- objects ---------------------------------------------------------------------------------------


async def _take(request: web.Request) -> web.StreamResponse:
    """Objects of one collection: a status for each, all of it committed."""
    heard, local = await _hear(request, viid.device_of(b"", _sender(request)))
    if heard.account is None:
        return _challenge(request, _why_not(heard), local)
    body = await read_bytes(request, min(gat1400.MOST_BYTES, request.app[SETTINGS].http.upload_limit))
    admitted = heard.admitted
    if admitted is None:
        await _set_apart(request, heard, heard.account, body)
        return _challenge(request, _why_not(heard), local)
    if request.match_info["collection"] == viid.CAMERAS and len(request.match_info) == 1:
        return await _report(request, heard.account, admitted, body, local)
    items = _read(request, body)
    names = []
    if len(admitted.cameras) > 1:
        async with request.app[CAMERA_DESK].opened() as (conn, _):
            names = await names_of(conn, heard.account, [item.device for item in items])
    message = message_of(request, gat1400.PROTOCOL, admitted, body)
    taken = await take_message(request, items, admitted, names, message, f"viid:{admitted.id}")
    return _answer_list(request, gat1400.statuses(taken.said), local)


def _read(request: web.Request, body: bytes) -> Sequence[Parsed]:
    collection, sender = request.match_info["collection"], _sender(request)
    if collection == viid.FACES or collection in viid.ABOUT_PEOPLE:
        return viid.of_people(collection, body, sender)
    if request.match_info.get("part", "").lower() == "data":
        return viid.picture_alone(request.match_info["id"], sender)
    if collection in viid.READ and "id" not in request.match_info:
        return _GAT1400.parse(body, "", request.headers)
    return viid.not_taken_in(request.path.removeprefix("/VIID/"), body, sender)


async def _set_apart(request: web.Request, heard: Heard, account: Account, body: bytes) -> None:
    """Keep what a device says that is not registered, unless a rule forbids that, or too much of it waits already."""
    items = _read(request, body)
    if heard.waiting >= MOST_WAITING or any(isinstance(each, Refused) and each.code in NOT_EVEN_RAW for each in items):
        await request.app[CAMERA_DESK].take(Errand([], Counter({("", "rejected", NOT_REGISTERED): len(items)})))
        return
    refused = Refused(
        protocol=gat1400.PROTOCOL, code=NOT_REGISTERED, says=f"{request.method} {request.path}: {_why_not(heard)}"
    )
    message = message_of(request, gat1400.PROTOCOL, Admitted(account.id, gat1400.PROTOCOL, account.cameras), body)
    counted = Counter({("", "quarantined", NOT_REGISTERED): len(items)})
    await request.app[CAMERA_DESK].take(Errand([], counted, [(as_kept(message), refused)]))


async def _report(
    request: web.Request, account: Account, admitted: Admitted, body: bytes, local: datetime
) -> web.Response:
    """What a platform says of its cameras: proposals, and which of them are offline."""
    told = viid.read_apes(body, _sender(request))
    async with request.app[CAMERA_DESK].opened() as (conn, now):
        await report_apes(conn, account, [each for each in told if isinstance(each, Ape)], now)
    unread = [each for each in told if isinstance(each, Refused)]
    if unread:
        message = message_of(request, gat1400.PROTOCOL, admitted, body)
        await take_message(request, unread, admitted, [], message, f"viid:{admitted.id}")
    statuses = [
        Status(each.code) if isinstance(each, Ape) else Status(each.item, FAILED, f"{each.code}: {each.says}")
        for each in told
    ]
    return _answer_list(request, statuses, local)


async def _subscriptions(request: web.Request) -> web.Response:
    heard, local = await _hear(request, viid.device_of(b"", _sender(request)))
    if heard.admitted is None:
        return _challenge(request, _why_not(heard), local)
    return _reply(viid.NO_SUBSCRIPTIONS)


# -- who, and answers ------------------------------------------------------------------------------


def keys_of(settings: Settings) -> Keys:
    """What accounts are sealed with, and challenges signed with."""
    nonces = hmac.digest(settings.identity.secret.encode(), b"gridsvc viid nonces", "sha256")
    return Keys(nonces=nonces, sealer=Sealer.of_secrets(settings.identity.sealing))


async def _hear(request: web.Request, device: str | None, *, keeps_alive: bool = False) -> tuple[Heard, datetime]:
    peer = _peer(request)
    async with request.app[CAMERA_DESK].opened() as (conn, now):
        heard = await hear_device(conn, device if peer else None, peer or "", now, keeps_alive=keeps_alive)
        return heard, now.astimezone((await rulebook(conn)).zone)


def _sender(request: web.Request) -> str:
    return request.headers.get("User-Identify", "")


def _peer(request: web.Request) -> str | None:
    """Where the request comes from; None for what is no address (of a zone, of a proxy's making)."""
    try:
        address = str(ipaddress.ip_address(address_of(request)))
    except ValueError:
        return None
    return None if "%" in address else address


def _why_not(heard: Heard) -> str:
    return f"{heard.standing}: register first"


def _challenge(request: web.Request, says: str, local: datetime, *, stale: bool = False) -> web.Response:
    nonce = make_nonce(keys_of(request.app[SETTINGS]).nonces, local, os.urandom(CHANCE_BYTES))
    answer = _answer_one(request, Status(_sender(request)[:40], REFUSED, says), local)
    answer.set_status(401)
    answer.headers["WWW-Authenticate"] = digest.challenge(REALM, nonce) + (", stale=true" if stale else "")
    return answer


def _answer_one(request: web.Request, status: Status, local: datetime) -> web.Response:
    return _reply(gat1400.answer_one(status, request.path, f"{local:%Y%m%d%H%M%S}"))


def _answer_list(request: web.Request, statuses: Sequence[Status], local: datetime) -> web.Response:
    return _reply(gat1400.answer_list(statuses, request.path, f"{local:%Y%m%d%H%M%S}"))


def _reply(body: bytes) -> web.Response:
    return web.Response(body=body, headers={"Content-Type": MEDIA_TYPE})


ROUTES: Final = (
    Route(
        method="POST", path="/VIID/System/Register", handler=_register, roles=PUBLIC, statuses=(200, 401, 413),
        summary="A device or platform of GA/T 1400 registers by HTTP digest.",
    ),
    Route(
        method="POST", path="/VIID/System/UnRegister", handler=_unregister, roles=PUBLIC, statuses=(200, 401, 413),
        summary="It takes its leave, by digest too.",
    ),
    Route(
        method="POST", path="/VIID/System/Keepalive", handler=_keep_alive, roles=PUBLIC, statuses=(200, 401, 413),
        summary="It says that it is there.",
    ),
    Route(
        method="GET", path="/VIID/System/Time", handler=_time, roles=PUBLIC,
        summary="The city's time, by which devices set their clocks.",
    ),
    Route(
        method="GET", path="/VIID/Subscribes", handler=_subscriptions, roles=PUBLIC, statuses=(200, 401),
        summary="Subscriptions at this platform: none, nothing is published.",
    ),
    *(
        Route(
            method=method, path="/VIID/{collection}", handler=_take, roles=PUBLIC,
            statuses=(200, 401, 413, 415, 429), summary=summary,
        )
        for method, summary in (
            ("POST", "Objects of GA/T 1400 of a device that is registered: a status for each."),
            ("PUT", "The same objects said again."),
        )
    ),
    Route(
        method="PUT", path="/VIID/{collection}/{id}", handler=_take, roles=PUBLIC,
        statuses=(200, 401, 413, 415, 429), summary="One object said again: refused by its status, kept apart.",
    ),
    *(
        Route(
            method=method, path="/VIID/{collection}/{id}/{part}", handler=_take, roles=PUBLIC,
            statuses=(200, 401, 413, 415, 429), summary=summary,
        )
        for method, summary in (
            ("POST", "A picture or film by itself: refused by its status."),
            ("PUT", "The same said again."),
        )
    ),
)  # fmt: skip
