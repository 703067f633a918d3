"""GET /api/v1/call-backs: whom my desk still has to ask (回访), the most pressing first."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.route import Route
from gridsvc.api.wire import Page, Told, Wanted, read_cursor, read_query, reply, write_cursor
from gridsvc.domain.access import Caller, Role, scope_keys
from gridsvc.domain.reasons import RESULTS
from gridsvc.store.call_backs import TO_MAKE, ToMake


class AnswerOut(Told):
    """Something that a call-back may end with: `code` is the `result` of the move `call_back`."""

    code: str
    name: str
    name_en: str


class CallBackOut(Told):
    """A reporter to be asked. `version` is the case's; `POST /api/v1/cases/{case_id}/call_back` wants it.

    Name and number are opened by `POST /api/v1/reports/{report}/reporter-openings`, with a reason. `tries` are those
    that counted.
    """

    id: UUID
    level: str
    division: str
    report: UUID
    acceptance_number: str
    case_id: UUID
    number: str | None
    version: int
    cycle: int
    category: str
    category_name: str
    category_name_en: str
    description: str
    address: str
    closed_at: datetime | None
    opened_at: datetime
    due_at: datetime
    overdue: bool
    tries: list[datetime]
    results: list[AnswerOut]


class CallBackQuery(Wanted):
    """Which level's, and whether only those that are late."""

    level: Literal["district", "city"] | None = None
    overdue: bool | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


async def _mine(request: web.Request) -> web.Response:
    query, caller = read_query(request, CallBackQuery), caller_of(request)
    after, last = read_cursor(query.cursor, tuple[datetime, UUID]) if query.cursor else (None, None)
    departments = sorted({grant.department for grant in caller.grants if grant.department is not None})
    async with scoped(request) as (conn, now):
        rows = await TO_MAKE.all(
            conn, scope_keys(caller), _desk_keys(caller), caller.user_id, departments, query.level, query.overdue, now,
            after, last, query.limit,
        )  # fmt: skip
    cursor = write_cursor(rows[-1].due_at, rows[-1].id) if len(rows) == query.limit else None
    return reply(Page[CallBackOut](items=[_out(row, now) for row in rows], next=cursor))


def _desk_keys(caller: Caller) -> list[str]:
    """The keys of the desks where the caller takes calls, and none of his others."""
    desks = Caller(id="", grants=tuple(grant for grant in caller.grants if grant.role is Role.ACCEPTOR))
    return [key for key in scope_keys(desks) if key]


def _out(row: ToMake, now: datetime) -> CallBackOut:
    return CallBackOut(
        id=row.id, level=row.level, division=row.division_code, report=row.report_id,
        acceptance_number=row.acceptance_number, case_id=row.case_id, number=row.number, version=row.version,
        cycle=row.cycle, category=f"{row.edition}:{row.category}", category_name=row.category_name,
        category_name_en=row.category_name_en, description=row.description, address=row.address,
        closed_at=row.closed_at, opened_at=row.opened_at, due_at=row.due_at, overdue=row.due_at < now, tries=row.tries,
        results=[AnswerOut(code=each.code, name=each.name, name_en=each.name_en) for each in RESULTS["call_back"]],
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/call-backs", handler=_mine, roles=frozenset({Role.ACCEPTOR}), query=CallBackQuery,
        answers=Page[CallBackOut],
        summary="Reporters whom my desk still has to ask, the most pressing first.",
    ),
)  # fmt: skip
