"""POST /api/v1/camera-events and POST /intake/{protocol}/{token}: what cameras say, by programs and by devices.

Both answer when all of it is committed, and not before. What cannot be read is refused and never answered as if it
were kept: a program is told which item and why, a device's message is put into quarantine besides.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from events.intake import cloudevents
from events.intake.camera_event import CameraEvent, Heartbeat, Parsed, Refused
from gridsvc.actions.quarantine_message import MOST_BYTES, Message
from gridsvc.actions.take_camera_events import Answer, Incoming, Outcome, spelled
from gridsvc.actions.take_errands import Errand, errand_of, id_of, of_its_camera
from gridsvc.api.camera_desk import CAMERA_DESK
from gridsvc.api.camera_pictures import CameraPictureOut, pictures_of_events
from gridsvc.api.camera_protocols import PROTOCOLS, Done, protocol_of
from gridsvc.api.health import METRICS
from gridsvc.api.identity import address_of
from gridsvc.api.parts import SETTINGS, caller_of, scoped
from gridsvc.api.route import DESK, PUBLIC, Route
from gridsvc.api.signatures import judged, refuse_unsigned, sender_of
from gridsvc.api.wire import Page, Told, Wanted, path_id, read_bytes, read_cursor, read_query, reply, write_cursor
from gridsvc.domain.access import Caller, Role, scope_keys
from gridsvc.errors import CameraMessageRefused, KeyReused, UnacceptedMedia, Unknown
from gridsvc.store import camera_events, camera_incidents
from gridsvc.store.camera_tokens import Admitted, Named

_SCOPE: Final = "camera-events:write"
_READABLE: Final = ("application/cloudevents+json", "application/cloudevents-batch+json", "application/json")


class CameraEventOutcome(Told):
    """What became of one event. `id` is that of its row, where one is kept; `reason` is stable, `detail` for people."""

    outcome: Outcome
    reason: str | None = None
    id: UUID | None = None
    detail: str | None = None


class CameraEventsTaken(Told):
    """One outcome per event, in the order of the message. All of it is committed."""

    items: list[CameraEventOutcome]


async def _take(request: web.Request) -> web.Response:
    """A program's events: each names its camera, which must stand in the program's area."""
    caller = caller_of(request)
    refuse_unsigned(request, needed=caller.signed_only)
    return await _take_of(request, caller)


async def _take_signed(request: web.Request) -> web.Response:
    """The same from a sender that the path names and the signature proves: for programs that can set no header."""
    refuse_unsigned(request, needed=True)
    return await _take_of(request, await sender_of(request, request.match_info["sender"], _SCOPE))


async def _take_of(request: web.Request, caller: Caller) -> web.Response:
    if not _is_readable(request):
        raise UnacceptedMedia(
            f"the body is {request.content_type}; want {', '.join(_READABLE)}",
            given=request.content_type, wanted=", ".join(_READABLE),
        )  # fmt: skip
    body = await read_bytes(request, _most(request, cloudevents.MOST_BYTES))
    signed = await judged(request, caller, body)
    items = cloudevents.parse(body, request.headers.get("Content-Type", ""), request.headers)
    desk = request.app[CAMERA_DESK]
    areas = await desk.divisions_of([e.device.code for e in items if isinstance(e, CameraEvent) and e.device.code])
    errand = Errand([])
    refused: dict[int, CameraEventOutcome] = {}
    incoming: list[Incoming] = []
    for index, item in enumerate(items):
        wrong = _wrong_of(item, areas, caller)
        if wrong is None and isinstance(item, CameraEvent):
            raw = body if len(items) == 1 else spelled(item)
            incoming.append(Incoming(camera=item.device.code or "", event=item, raw=raw, sent_by=caller.id))
        elif wrong is not None:
            errand.unkept["", "rejected", wrong.reason or ""] += 1
            refused[index] = wrong
    errand.incoming = incoming
    errand.signed = signed if not refused else None  # what was refused may come again, and be taken then
    kept = iter(await desk.take(errand))
    if errand.reused:
        raise KeyReused("the webhook-id was another request's; a new message needs a new id")
    told = [refused.get(index) or _told(next(kept)) for index in range(len(items))]
    _count(request, told)
    if len(items) == 1 and isinstance(items[0], Refused):
        raise CameraMessageRefused(items[0].says[:400], reason=items[0].code)
    return reply(CameraEventsTaken(items=told), 202)


def _is_readable(request: web.Request) -> bool:
    """One of ours, or what binary mode allows besides: any kind of JSON, and no body at all."""
    if request.content_type in _READABLE:
        return True
    binary = "ce-specversion" in request.headers
    return binary and ("Content-Type" not in request.headers or cloudevents.is_json(request.content_type))


def _count(request: web.Request, told: Sequence[CameraEventOutcome]) -> None:
    kinds = ("heartbeat" if each.reason == "heartbeat" else each.outcome for each in told)
    for outcome, many in Counter(kinds).items():
        request.app[METRICS].camera_events.labels(outcome).inc(many)


def _wrong_of(item: Parsed, areas: Mapping[str, Sequence[str] | None], caller: Caller) -> CameraEventOutcome | None:
    if isinstance(item, Refused):
        return CameraEventOutcome(outcome="rejected", reason=item.code, detail=item.says[:400])
    divisions = areas.get(item.device.code or "")
    if divisions is None or not {grant.division for grant in caller.grants} & set(divisions):
        return CameraEventOutcome(
            outcome="rejected", reason="unknown_camera", detail=f"no camera {item.device.code!r} in your area"
        )
    return None


def _told(answer: Answer) -> CameraEventOutcome:
    return CameraEventOutcome(outcome=answer.outcome, reason=answer.reason, id=answer.id)


# -- devices -----------------------------------------------------------------------------------------


async def _take_from_device(request: web.Request) -> web.StreamResponse:
    """A device's message. The token says whose it is; what cannot be read waits in quarantine.

    What is refused by a rule (faces) is answered as what is kept: sent again it would be refused again.
    """
    name, peer, desk = request.match_info["protocol"], address_of(request), request.app[CAMERA_DESK]
    found = await desk.admitted(request.match_info["token"][:200], peer)
    protocol = protocol_of(name, found[0].mapping) if found is not None else None
    if protocol is None or found is None or found[0].protocol != name:
        raise Unknown("there is nothing here: no such protocol, or a token that is not valid for it from here")
    admitted, names = found
    body, content_type = await read_bytes(request, _most(request, protocol.most_bytes)), _content_type(request)
    items = protocol.parse(body, content_type, request.headers)
    message = message_of(request, name, admitted, body)
    taken = await take_message(request, items, admitted, names, message, f"token:{admitted.id}")
    if taken.unread and not protocol.by_item:
        raise CameraMessageRefused(taken.unread[0].says[:400], reason=taken.unread[0].code, kept=taken.events)
    if protocol.answer is None:
        return reply(CameraEventsTaken(items=taken.told))
    return protocol.answer(Done(items=taken.said, path=f"/intake/{name}", now=await desk.moment()))


@dataclass(frozen=True, kw_only=True)
class Taken:
    """A message that is committed: an outcome for each item, in order, and the item as it is answered.

    `said` has a refusal in the place of each item that was not kept; `unread` are those that could not be read.
    """

    told: list[CameraEventOutcome]
    said: Sequence[Parsed]
    unread: Sequence[Refused]
    events: int


async def take_message(
    request: web.Request, items: Sequence[Parsed], admitted: Admitted, names: Sequence[Named], message: Message,
    sent_by: str,
) -> Taken:  # fmt: skip
    """Take in what a device's message says, as `sent_by`, for the cameras of `admitted`; the rest is set apart."""
    owned = [of_its_camera(item, admitted, names) for item in items]
    errand, unread = errand_of(owned, admitted, message, sent_by)
    errand.unread = [(as_kept(each), why) for each, why in errand.unread]
    kept = iter(await request.app[CAMERA_DESK].take(errand))
    told = [_told(next(kept)) if isinstance(item, CameraEvent) else _said_of(item) for _, item in owned]
    _count(request, told)
    said = [_as_done(item, outcome) for (_, item), outcome in zip(owned, told, strict=True)]
    return Taken(told=told, said=said, unread=unread, events=len(errand.incoming))


def message_of(request: web.Request, protocol: str, admitted: Admitted, body: bytes) -> Message:
    """A device's message as it came."""
    return Message(
        protocol=protocol, token_id=admitted.id, cameras=list(admitted.cameras), peer=address_of(request),
        content_type=_content_type(request)[:200], headers=dict(request.headers), body=body,
    )  # fmt: skip


def as_kept(message: Message) -> Message:
    """A message as quarantine keeps it: what of it may not be kept is left out."""
    protocol = PROTOCOLS.get(message.protocol)
    if protocol is None or protocol.kept_raw is None:
        return message
    return replace(message, body=protocol.kept_raw(message.body, MOST_BYTES), came=len(message.body))


def _content_type(request: web.Request) -> str:
    return request.headers.get("Content-Type", "")


def _most(request: web.Request, most_bytes: int) -> int:
    """Bytes of a message that are read: pictures make one larger than other bodies, but not than an upload."""
    return min(most_bytes, request.app[SETTINGS].http.upload_limit)


def _said_of(item: Heartbeat | Refused) -> CameraEventOutcome:
    if isinstance(item, Heartbeat):
        return CameraEventOutcome(outcome="accepted", reason="heartbeat")
    return CameraEventOutcome(outcome="rejected", reason=item.code, detail=item.says[:400])


def _as_done(item: Parsed, outcome: CameraEventOutcome) -> Parsed:
    if isinstance(item, Refused) or outcome.outcome != "rejected":
        return item
    reason = outcome.reason or ""
    return Refused(protocol=item.protocol, code=reason, says="it was not kept", device=item.device, item=id_of(item))


# -- what led to a case --------------------------------------------------------------------------------


class EvidenceOut(Told):
    """One camera event that led to the case. `snapshots` are addresses as the device told them, `pictures` evidence."""

    id: UUID
    camera: str
    kind: str
    phase: str
    zone: str
    target: str
    score: float | None
    at: datetime
    received_at: datetime
    outcome: str
    snapshots: list[str]
    pictures: list[CameraPictureOut]


class EvidenceQuery(Wanted):
    """A page of it."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


async def _of_case(request: web.Request) -> web.Response:
    case_id, query = path_id(request), read_query(request, EvidenceQuery)
    after, last = read_cursor(query.cursor, tuple[datetime, UUID]) if query.cursor else (None, None)
    keys = scope_keys(caller_of(request))
    async with scoped(request) as (conn, _):
        rows = await camera_events.OF_CASE.all(conn, case_id, keys, after, last, query.limit)
        if not rows and not await camera_incidents.OF_CASE.all(conn, case_id, keys):
            raise Unknown("no camera has seen such a case", given=str(case_id))
        shown = await pictures_of_events(conn, [row.id for row in rows])
    cursor = write_cursor(rows[-1].at, rows[-1].id) if len(rows) == query.limit else None
    items = [EvidenceOut(**vars(row), pictures=shown[row.id]) for row in rows]
    return reply(Page[EvidenceOut](items=items, next=cursor))


ROUTES: Final = (
    Route(
        method="POST", path="/api/v1/camera-events", handler=_take, roles=frozenset({Role.ADMIN}),
        scope=_SCOPE, answers=CameraEventsTaken, statuses=(202, 409, 413, 415, 422, 429),
        summary="Camera events as CloudEvents: structured, in batches, binary; one outcome per event.",
    ),
    Route(
        method="POST", path="/api/v1/camera-events/{sender}", handler=_take_signed, roles=PUBLIC,
        answers=CameraEventsTaken, statuses=(202, 409, 413, 415, 422, 429),
        summary="The same, signed (Standard Webhooks): the path names the key, the signature proves it.",
    ),
    Route(
        method="POST", path="/intake/{protocol}/{token}", handler=_take_from_device, roles=PUBLIC,
        answers=CameraEventsTaken, statuses=(200, 404, 413, 415, 422, 429),
        summary="What a device sends, in its own protocol; the token in the path says whose it is.",
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}/camera-events", handler=_of_case, roles=DESK, query=EvidenceQuery,
        answers=Page[EvidenceOut], scope="cases:read",
        summary="Camera events that led to the case, the earliest first.",
    ),
)  # fmt: skip
