"""The book of the shift (交接班日志) over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.take_shift import take_shift
from gridsvc.actions.write_shift_log import write_shift_log
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import Page, Told, Wanted, path_id, read_body, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.domain.shift_log import WRITERS
from gridsvc.store import shift_log
from gridsvc.store.shift_log import Entry


class ShiftLogQuery(Wanted):
    """Which entries, the newest first. `waiting`: hand-overs that nobody has signed for, or all others."""

    division: Annotated[str, msgspec.Meta(max_length=64)] | None = None
    waiting: bool | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=200)] = 50
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ShiftLogSaid(Wanted):
    """An entry; `division` left out: of my own desk. `cases` are to be watched. A hand-over wants a signature."""

    words: Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)]
    hand_over: bool = False
    division: Annotated[str, msgspec.Meta(min_length=1, max_length=64)] | None = None
    cases: Annotated[list[UUID], msgspec.Meta(max_length=100)] = msgspec.field(default_factory=list)


class PersonAt(Told):
    """Who, and when."""

    id: UUID
    name: str
    at: datetime


class EntryOut(Told):
    """One entry. `figures` are the desk's as they stood: open, late, emergencies, pooled, alarms nobody had seen."""

    id: UUID
    division: str
    duty_line: str | None
    hand_over: bool
    words: str
    cases: list[UUID]
    figures: dict[str, int]
    written: PersonAt
    taken: PersonAt | None


async def _list(request: web.Request) -> web.Response:
    asked = read_query(request, ShiftLogQuery)
    before, last = read_cursor(asked.cursor, tuple[datetime, UUID]) if asked.cursor else (None, None)
    async with scoped(request) as (conn, _):
        found = await shift_log.LIST.all(conn, asked.division, asked.waiting, before, last, asked.limit + 1)
    page = found[: asked.limit]
    cursor = write_cursor(page[-1].written_at, page[-1].id) if len(found) > asked.limit else None
    return reply(Page[EntryOut](items=[_out(row) for row in page], next=cursor))


async def _write(request: web.Request) -> web.StreamResponse:
    said, caller = await read_body(request, ShiftLogSaid), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        entry = await write_shift_log(
            conn, caller, said.division, said.words, said.cases, hand_over=said.hand_over, now=now
        )
        return Answer(_out(entry), 201)

    return await write(request, work)


async def _take(request: web.Request) -> web.StreamResponse:
    entry_id, user_id = path_id(request), caller_of(request).user_id
    await read_body(request, Wanted)
    assert user_id is not None  # noqa: S101 - no API key has this route

    async def work(conn: Conn, now: datetime) -> Answer:
        return Answer(_out(await take_shift(conn, entry_id, user_id, now)))

    return await write(request, work)


def _out(row: Entry) -> EntryOut:
    taken = None
    if row.taken_by is not None and row.taken_at is not None:
        taken = PersonAt(id=row.taken_by, name=row.taken_by_name or "", at=row.taken_at)
    return EntryOut(
        id=row.id, division=row.division_code, duty_line=row.duty_line, hand_over=row.hand_over, words=row.words,
        cases=row.cases, figures=row.figures,
        written=PersonAt(id=row.written_by, name=row.written_by_name, at=row.written_at), taken=taken,
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/shift-log", handler=_list, roles=DESK, query=ShiftLogQuery, answers=Page[EntryOut],
        summary="The book of the shift (交接班日志) of my desks, the newest first.",
    ),
    Route(
        method="POST", path="/api/v1/shift-log", handler=_write, roles=WRITERS, reads=ShiftLogSaid, answers=EntryOut,
        statuses=(201, 409, 415, 422), idempotent=True,
        summary="Write a note or a hand-over of my desk; its figures are kept with it.",
    ),
    Route(
        method="POST", path="/api/v1/shift-log/{id}/take", handler=_take, roles=WRITERS, reads=Wanted, answers=EntryOut,
        statuses=(200, 409, 415, 422), idempotent=True,
        summary="Sign for a hand-over: the shift is mine; who was first has it (接班).",
    ),
)  # fmt: skip
