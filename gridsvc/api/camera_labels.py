"""The label map over HTTP: what devices' words mean, and those that nobody has given a meaning."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec
from aiohttp import web

from gridsvc.actions.write_labels import write_labels
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, read_body, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Role
from gridsvc.domain.camera_label import ANY, read_row
from gridsvc.domain.roster import Fault
from gridsvc.errors import BadRequest, Unknown
from gridsvc.store import camera_labels
from gridsvc.store.camera_labels import LabelRow

_Word = Annotated[str, msgspec.Meta(min_length=1, max_length=128)]


class LabelWanted(Wanted):
    """What a word means: for one camera, or (`*`) all of a protocol. `category` is edition:code, or of the default."""

    kind: _Word
    camera: _Word = ANY
    protocol: _Word = ANY
    zone: _Word = ANY
    target: _Word = ANY
    category: Annotated[str, msgspec.Meta(max_length=128)] = ""
    mode: Literal["automatic", "review", "off"] = "review"


class LabelGone(Wanted):
    """Which row is taken out of the map."""

    id: int


class LabelsQuery(Wanted):
    """Which rows: of a camera, of a protocol, or all."""

    camera: _Word | None = None
    protocol: _Word | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 500
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class LabelTold(Told):
    """One row of the map, in the order of writing; `category` is null where the mode is off and none is named."""

    id: int
    camera: str
    protocol: str
    kind: str
    zone: str
    target: str
    category: str | None
    mode: str
    written_at: datetime
    written_by: str


class LabelWritten(Told):
    """The row as it is kept, and how many words that had been waiting have a meaning now."""

    label: LabelTold
    settled: int


class UnmappedQuery(Wanted):
    """Words that have no meaning yet, by camera."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 500
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


class UnmappedTold(Told):
    """A word that came `count` times and has no meaning; `zone` and `target` are "" where none was told."""

    camera: str
    camera_name: str
    protocol: str
    kind: str
    zone: str
    target: str
    count: int
    first_at: datetime
    last_at: datetime


async def _labels(request: web.Request) -> web.Response:
    asked = read_query(request, LabelsQuery)
    after = read_cursor(asked.cursor, tuple[int])[0] if asked.cursor else 0
    async with scoped(request) as (conn, _):
        found = await camera_labels.ALL.all(conn, asked.camera, asked.protocol, after, asked.limit + 1)
    page = found[: asked.limit]
    more = write_cursor(page[-1].id) if len(found) > asked.limit else None
    return reply(Page[LabelTold](items=[_told(row) for row in page], next=more))


async def _write(request: web.Request) -> web.Response:
    wanted = await read_body(request, LabelWanted)
    caller = caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        known = await camera_labels.known_words(conn, [wanted.camera])
        cells = {name: getattr(wanted, name) for name in wanted.__struct_fields__}
        row = read_row(cells, 1, "", known)
        if isinstance(row, Fault):
            raise BadRequest(
                f"{row.field}: given {row.given}; want {row.wanted}", field=row.field, given=row.given,
                wanted=row.wanted,
            )  # fmt: skip
        await act_as_service(conn)
        [kept], settled = await write_labels(conn, [row], known.default_edition, caller.id, now)
        return Answer(LabelWritten(label=_told(kept), settled=settled), status=201)

    return await write(request, work)


async def _remove(request: web.Request) -> web.Response:
    wanted = await read_body(request, LabelGone)

    async def work(conn: Conn, _: datetime) -> Answer:
        row = await camera_labels.ONE.one(conn, wanted.id)
        if row is None:
            raise Unknown(f"no row {wanted.id} in the label map", given=wanted.id)
        await camera_labels.REMOVE.run(conn, wanted.id)
        return Answer(_told(row))

    return await write(request, work)


async def _unmapped(request: web.Request) -> web.Response:
    asked = read_query(request, UnmappedQuery)
    after = read_cursor(asked.cursor, tuple[str, str, str, str]) if asked.cursor else ("", "", "", "")
    async with scoped(request) as (conn, _):
        found = await camera_labels.UNMAPPED.all(conn, *after, asked.limit + 1)
    page = found[: asked.limit]
    last = page[-1] if len(found) > asked.limit else None
    more = None if last is None else write_cursor(last.camera, last.kind, last.zone, last.target)
    return reply(
        Page[UnmappedTold](
            items=[
                UnmappedTold(
                    camera=row.camera, camera_name=row.camera_name, protocol=row.protocol, kind=row.kind,
                    zone=row.zone, target=row.target, count=row.count, first_at=row.first_at, last_at=row.last_at,
                )
                for row in page
            ],
            next=more,
        )
    )  # fmt: skip


def _told(row: LabelRow) -> LabelTold:
    return LabelTold(
        id=row.id, camera=row.camera or ANY, protocol=row.protocol, kind=row.kind, zone=row.zone, target=row.target,
        category=None if row.category is None else f"{row.edition}:{row.category}", mode=row.mode,
        written_at=row.written_at, written_by=row.written_by,
    )  # fmt: skip


_ADMIN: Final = frozenset({Role.ADMIN})

ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/camera-labels", handler=_labels, roles=DESK, scope="cameras:read",
        query=LabelsQuery, answers=Page[LabelTold],
        summary="What devices' words mean: the label map, in the order of writing.",
    ),
    Route(
        method="POST", path="/api/v1/camera-labels", handler=_write, roles=_ADMIN, scope="cameras:write",
        reads=LabelWanted, answers=LabelWritten, statuses=(201,), idempotent=True,
        summary="Say what a word means; a row that is there is changed.",
    ),
    Route(
        method="POST", path="/api/v1/camera-labels/remove", handler=_remove, roles=_ADMIN, scope="cameras:write",
        reads=LabelGone, answers=LabelTold, idempotent=True,
        summary="Take a row out of the label map.",
    ),
    Route(
        method="GET", path="/api/v1/unmapped-labels", handler=_unmapped, roles=DESK, scope="cameras:read",
        query=UnmappedQuery, answers=Page[UnmappedTold],
        summary="Words of devices that nobody has given a meaning yet: each is a task.",
    ),
)  # fmt: skip
