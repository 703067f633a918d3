"""Mappings of any other JSON over HTTP: drafted, tried on a sample, published; a published one never changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from aiohttp import web

from events.intake.camera_event import CameraEvent
from gridsvc.actions.try_mapping import Item, Tried, try_mapping
from gridsvc.actions.write_mapping import change_mapping, draft_mapping, publish_mapping
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import (
    Page,
    Told,
    Wanted,
    path_code,
    read_body,
    read_cursor,
    read_query,
    reply,
    write_cursor,
)
from gridsvc.db import Conn
from gridsvc.domain.access import Role
from gridsvc.errors import BadRequest, Unknown
from gridsvc.store import camera_mappings
from gridsvc.store.camera_mappings import MappingRow

_Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class MappingWanted(Wanted):
    """A new draft: its name, and where in a message each thing stands (docs/cameras/other-json.md)."""

    name: _Name
    document: dict[str, Any]


class MappingChange(Wanted):
    """What a draft says from now on."""

    document: dict[str, Any]


class MappingsQuery(Wanted):
    """Versions of one name, or of all."""

    name: _Name | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


class MappingTold(Told):
    """One version; a draft while `published_at` is null. The highest published one of a name reads what comes."""

    name: str
    version: int
    document: dict[str, Any]
    drafted_at: datetime
    drafted_by: str
    published_at: datetime | None
    published_by: str | None


class TryWanted(Wanted):
    """A sample (any JSON; a text is taken as the message itself), and a mapping to read it with.

    With neither `document` nor `name` one is proposed; `datum` says whose degrees its places are.
    """

    sample: Any
    document: dict[str, Any] | None = None
    name: _Name | None = None
    datum: Annotated[str, msgspec.Meta(max_length=16)] | None = None


class LineTold(Told):
    """One rule on one item: the path that led to something, what stood there, what became of it."""

    target: str
    path: str | None
    found: str | None
    became: str | None
    problem: str


class ItemTold(Told):
    """One item: what is read of it, or why it is refused; what it does not say; the cell of the place it carries."""

    read: dict[str, Any] | None
    refused: str | None
    detail: str | None
    lines: list[LineTold]
    missing: list[str]
    cell: str | None


class GuessTold(Told):
    """How a rule was proposed: the path, what stands there, and the others that could be meant."""

    target: str
    path: str
    found: str
    others: list[str]


class MappingTried(Told):
    """What a sample becomes. Nothing was written. `open` is what a person must still say of a proposed mapping."""

    document: dict[str, Any]
    proposed: bool
    guesses: list[GuessTold]
    open: list[str]
    items: list[ItemTold]


async def _mappings(request: web.Request) -> web.Response:
    asked = read_query(request, MappingsQuery)
    after = read_cursor(asked.cursor, tuple[str, int]) if asked.cursor else ("", 0)
    async with scoped(request) as (conn, _):
        found = await camera_mappings.LISTED.all(conn, asked.name, *after, asked.limit + 1)
    page = found[: asked.limit]
    more = write_cursor(page[-1].name, page[-1].version) if len(found) > asked.limit else None
    return reply(Page[MappingTold](items=[_told(row) for row in page], next=more))


async def _mapping(request: web.Request) -> web.Response:
    name, version = _named(request)
    async with scoped(request) as (conn, _):
        row = await camera_mappings.ONE.one(conn, name, version)
    if row is None:
        raise Unknown(f"no version {version} of a mapping {name}", given=f"{name} {version}")
    return reply(_told(row))


async def _draft(request: web.Request) -> web.Response:
    wanted, caller = await read_body(request, MappingWanted), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        return Answer(_told(await draft_mapping(conn, wanted.name, wanted.document, caller.id, now)), status=201)

    return await write(request, work)


async def _change(request: web.Request) -> web.Response:
    (name, version), wanted = _named(request), await read_body(request, MappingChange)
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        return Answer(_told(await change_mapping(conn, name, version, wanted.document, caller.id, now)))

    return await write(request, work)


async def _publish(request: web.Request) -> web.Response:
    name, version = _named(request)
    await read_body(request, Wanted)
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        return Answer(_told(await publish_mapping(conn, name, version, caller.id, now)))

    return await write(request, work)


async def _try(request: web.Request) -> web.Response:
    wanted = await read_body(request, TryWanted)
    if wanted.document is not None and wanted.name is not None:
        raise BadRequest("both document and name; want one of both", field="name", wanted="document or name")
    sample = wanted.sample.encode() if isinstance(wanted.sample, str) else msgspec.json.encode(wanted.sample)
    async with scoped(request) as (conn, now):
        document = wanted.document
        if wanted.name is not None:
            document = (await _best(conn, wanted.name)).document
        tried = await try_mapping(conn, sample, document, wanted.datum, now)
    return reply(_tried(tried, proposed=document is None))


async def _best(conn: Conn, name: str) -> MappingRow:
    """The draft of a name where there is one, else what is in force."""
    row = await camera_mappings.DRAFT.one(conn, name) or await camera_mappings.IN_FORCE.one(conn, name)
    if row is None:
        raise Unknown(f"no mapping {name}", given=name)
    return row


def _named(request: web.Request) -> tuple[str, int]:
    version = request.match_info["version"]
    if not version.isascii() or not version.isdigit() or len(version) > 6:
        raise Unknown(f"{version[:20]!r} is no version", given=version[:20])
    return path_code(request, "name"), int(version)


def _told(row: MappingRow) -> MappingTold:
    return MappingTold(**vars(row))


def _tried(tried: Tried, *, proposed: bool) -> MappingTried:
    guesses = [GuessTold(each.target, each.path, each.found, list(each.others)) for each in tried.guesses]
    return MappingTried(
        document=dict(tried.document), proposed=proposed, guesses=guesses, open=list(tried.open),
        items=[_item(each) for each in tried.items],
    )  # fmt: skip


def _item(item: Item) -> ItemTold:
    told = item.told
    event = told if isinstance(told, CameraEvent) else None
    return ItemTold(
        read=None if event is None else read_of(event),
        refused=None if event is not None else getattr(told, "code", None),
        detail=None if event is not None else getattr(told, "says", None),
        lines=[LineTold(each.target, each.path, each.found, each.became, each.problem) for each in item.lines],
        missing=list(item.missing), cell=item.cell,
    )  # fmt: skip


def read_of(event: CameraEvent) -> dict[str, Any]:
    """What was read of an event, without its pictures' bytes and without what it does not say."""
    said: dict[str, Any] = {
        "kind": event.kind, "phase": str(event.phase), "time": event.at or event.local_time,
        "device": {name: value for name, value in vars(event.device).items() if value is not None},
        "incident": None if event.lane else event.key, "zone": event.zone, "target": event.target,
        "score": event.score, "severity": event.severity, "count": event.count if event.count > 1 else None,
        "place": None if event.spot is None else vars(event.spot), "pictures": len(event.snapshots),
        "fields": dict(event.fields),
    }  # fmt: skip
    return {name: value for name, value in said.items() if value not in (None, {}, 0)}


_ADMIN: Final = frozenset({Role.ADMIN})

ROUTES: Final[Sequence[Route]] = (
    Route(
        method="GET", path="/api/v1/camera-mappings", handler=_mappings, roles=DESK, scope="cameras:read",
        query=MappingsQuery, answers=Page[MappingTold],
        summary="How foreign JSON is read: every version of every mapping.",
    ),
    Route(
        method="POST", path="/api/v1/camera-mappings", handler=_draft, roles=_ADMIN, scope="cameras:write",
        reads=MappingWanted, answers=MappingTold, statuses=(201, 422), idempotent=True,
        summary="A new draft of a mapping; one at a time for each name.",
    ),
    Route(
        method="POST", path="/api/v1/camera-mappings/try", handler=_try, roles=_ADMIN, scope="cameras:write",
        reads=TryWanted, answers=MappingTried, statuses=(200, 404, 422),
        summary="What a sample becomes under a mapping, or under one proposed from it; writes nothing.",
    ),
    Route(
        method="GET", path="/api/v1/camera-mappings/{name}/{version}", handler=_mapping, roles=DESK,
        scope="cameras:read", answers=MappingTold,
        summary="One version of a mapping.",
    ),
    Route(
        method="PUT", path="/api/v1/camera-mappings/{name}/{version}", handler=_change, roles=_ADMIN,
        scope="cameras:write", reads=MappingChange, answers=MappingTold, statuses=(200, 422), idempotent=True,
        summary="Say a draft anew; a published version never changes.",
    ),
    Route(
        method="POST", path="/api/v1/camera-mappings/{name}/{version}/publish", handler=_publish, roles=_ADMIN,
        scope="cameras:write", reads=Wanted, answers=MappingTold, statuses=(200, 422), idempotent=True,
        summary="Put a draft in force: tokens of its name are read with it within 10 seconds.",
    ),
)  # fmt: skip
