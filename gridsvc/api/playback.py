"""Cases as they were at a moment (回放), for whoever asks what was known when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.api.cases import READERS
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.wire import Moment, Page, Told, Wanted, read_cursor, read_query, reply, write_cursor
from gridsvc.domain.access import scope_keys
from gridsvc.errors import BadRequest
from gridsvc.store import past_cases
from gridsvc.store.past_cases import PastCase


class PastQuery(Wanted):
    """The moment, and one page of it."""

    t: Moment
    limit: Annotated[int, msgspec.Meta(ge=1, le=5000)] = 1000
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


class PastOwner(Told):
    """The officer that answered for a case then."""

    id: UUID
    name: str


class PastCaseOut(Told):
    """A case that was open at the moment. `version` and `state` are its last by then, `moved_at` when it got them.

    No owner: it stood in a pool. `late_since`: its limit had passed and the overdue rung had fired. Null place or cell:
    not known yet.
    """

    id: UUID
    number: str | None
    version: int
    state: str
    severity: str
    edition: str
    category: str
    source: str
    duty_line: str
    lon: float | None
    lat: float | None
    cell: str | None
    division: str | None
    officer: PastOwner | None
    department: str | None
    paused: bool
    late_since: datetime | None
    exercise: bool
    occurred_at: datetime
    moved_at: datetime


async def _at(request: web.Request) -> web.Response:
    asked = read_query(request, PastQuery)
    after = read_cursor(asked.cursor, tuple[UUID])[0] if asked.cursor else None
    async with scoped(request) as (conn, now):
        if asked.t > now:
            raise BadRequest(
                "nobody knows yet what will be then; want a moment that has passed",
                field="t", given=asked.t.isoformat(), wanted=f"at most {now.isoformat()}",
            )  # fmt: skip
        found = await past_cases.at(conn, scope_keys(caller_of(request)), asked.t, after, asked.limit)
    cursor = write_cursor(found[-1].id) if len(found) == asked.limit else None
    return reply(Page[PastCaseOut](items=[_told(row) for row in found], next=cursor))


def _told(row: PastCase) -> PastCaseOut:
    fields = {name: value for name, value in vars(row).items() if name not in {"officer_id", "officer_name"}}
    owner = None if row.officer_id is None else PastOwner(id=row.officer_id, name=row.officer_name or "")
    return PastCaseOut(officer=owner, **fields)


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/cases/at", handler=_at, roles=READERS, scope="cases:read", query=PastQuery,
        answers=Page[PastCaseOut],
        summary="The cases that were open at a moment, as the history says: state, owner, place (回放).",
    ),
)  # fmt: skip
