"""Outages (停机申报) over HTTP: declared by who leads the scope, approved by another, ended, withdrawn."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.actions.declare_outage import declare_outage
from gridsvc.actions.step_outage import step_outage
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import as_service, caller_of, scoped
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import (
    Moment,
    Page,
    Told,
    Wanted,
    if_match,
    path_id,
    read_body,
    read_cursor,
    read_query,
    reply,
    write_cursor,
)
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Role
from gridsvc.domain.case_state import AtVersion
from gridsvc.domain.outage import OUTAGE_REASONS, Outage, Step
from gridsvc.domain.outage import Told as Declared
from gridsvc.errors import BadRequest, Unknown
from gridsvc.store import outages
from gridsvc.store.outages import Reached, StepRow

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
_Words = Annotated[str, msgspec.Meta(max_length=2_000)]


class OutageSaid(Wanted, rename={"start": "from", "end": "until"}):
    """What could not work, and since when. What is left out of the scope narrows nothing: the whole city, all clocks.

    `until` left out: nobody knows yet. `clocks` are kinds of clocks. Emergencies stay out unless `also_emergencies`.
    """

    reason: _Code
    start: Moment
    end: Moment | None = None
    words: _Words = ""
    division: _Code | None = None
    duty_line: _Code | None = None
    department: _Code | None = None
    clocks: Annotated[list[_Code], msgspec.Meta(max_length=20)] = msgspec.field(default_factory=list)
    also_emergencies: bool = False


class OutageNote(Wanted):
    """What is said with it."""

    note: _Words = ""


class OutageRefusal(Wanted):
    """Why it is refused."""

    note: Annotated[str, msgspec.Meta(min_length=1, max_length=2_000)]


class OutageEnd(Wanted):
    """Until when it lasted, or will; left out: until now."""

    until: Moment | None = None
    note: _Words = ""


class OutageStepOut(Told):
    """Who did what with it; `until` is its end as it was then."""

    version: int
    step: str
    by: str
    at: datetime
    until: datetime | None
    note: str


class OutageOut(Told, rename={"start": "from", "end": "until"}):
    """An outage as it stands. Only one that is `approved` counts.

    `clocks_reached` are those that stood or stand still, `deadlines_moved` those of them with another deadline now.
    """

    id: UUID
    version: int
    state: str
    reason: str
    reason_name: str
    reason_name_en: str
    words: str
    division: str | None
    duty_line: str | None
    department: str | None
    clocks: list[str]
    also_emergencies: bool
    start: datetime
    end: datetime | None
    declared_by: str
    declared_at: datetime
    approved_by: str | None
    clocks_reached: int
    deadlines_moved: int
    steps: list[OutageStepOut]


class OutageQuery(Wanted):
    """Which declarations; left out: all."""

    state: Literal["declared", "approved", "refused", "withdrawn"] | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


async def _list(request: web.Request) -> web.Response:
    query = read_query(request, OutageQuery)
    before = read_cursor(query.cursor, tuple[datetime, UUID]) if query.cursor else None
    async with as_service(request) as (conn, _):
        found = await outages.listed(conn, query.state, before, query.limit)
        told = await _told(conn, found)
    cursor = write_cursor(found[-1].declared_at, found[-1].id) if len(found) == query.limit else None
    return reply(Page[OutageOut](items=told, next=cursor))


async def _one(request: web.Request) -> web.Response:
    outage_id = path_id(request)
    async with scoped(request) as (conn, _):
        found = await outages.read(conn, outage_id)
        if found is None:
            raise Unknown(f"no outage {outage_id}", outage=str(outage_id))
    async with as_service(request) as (conn, _):
        [told] = await _told(conn, [found])
    return reply(told, headers={"ETag": f'"{found.version}"'})


async def _declare(request: web.Request) -> web.StreamResponse:
    said, caller = await read_body(request, OutageSaid), caller_of(request)
    told = Declared(
        reason=said.reason, words=said.words, division=said.division, duty_line=said.duty_line,
        department=said.department, kinds=said.clocks, also_emergencies=said.also_emergencies, start=said.start,
        end=said.end,
    )  # fmt: skip

    async def work(conn: Conn, now: datetime) -> Answer:
        return await _answer(conn, await declare_outage(conn, told, caller, now), 201)

    return await write(request, work)


def _stepping(step: Step, body: type[Wanted]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def make_step(request: web.Request) -> web.StreamResponse:
        outage_id, caller, expected = path_id(request), caller_of(request), if_match(request)
        said = await read_body(request, body)
        if not isinstance(expected, AtVersion):
            raise BadRequest(
                "If-Match names no version; want the version of the outage",
                field="If-Match", wanted='"<version>"',
            )  # fmt: skip
        note, until = getattr(said, "note", ""), getattr(said, "until", None)

        async def work(conn: Conn, now: datetime) -> Answer:
            after = await step_outage(conn, outage_id, step, caller, expected.version, note, until, now)
            return await _answer(conn, after, 200)

        return await write(request, work)

    return make_step


async def _answer(conn: Conn, outage: Outage, status: int) -> Answer:
    await act_as_service(conn)  # how many clocks it reached is no secret, whoever may see their cases
    [told] = await _told(conn, [outage])
    return Answer(told, status, {"ETag": f'"{outage.version}"'})


async def _told(conn: Conn, found: Sequence[Outage]) -> list[OutageOut]:
    ids = [outage.id for outage in found]
    steps, reached = await outages.steps(conn, ids), await outages.reached(conn, ids)
    return [_out(each, steps.get(each.id, ()), reached.get(each.id, Reached(each.id, 0, 0))) for each in found]


def _out(outage: Outage, steps: Sequence[StepRow], reached: Reached) -> OutageOut:
    reason = OUTAGE_REASONS[outage.reason]
    return OutageOut(
        id=outage.id, version=outage.version, state=outage.state, reason=reason.code, reason_name=reason.name,
        reason_name_en=reason.name_en, words=outage.words, division=outage.division, duty_line=outage.duty_line,
        department=outage.department, clocks=sorted(outage.kinds), also_emergencies=outage.also_emergencies,
        start=outage.start, end=outage.end, declared_by=outage.declared_by, declared_at=outage.declared_at,
        approved_by=outage.approved_by, clocks_reached=reached.clocks, deadlines_moved=reached.moved,
        steps=[
            OutageStepOut(row.version, row.step, row.made_by, row.made_at, row.until_at, row.note) for row in steps
        ],
    )  # fmt: skip


_LEADERS: Final = frozenset({Role.SUPERVISOR, Role.ADMIN})


def _step(step: Step, body: type[Wanted], summary: str) -> Route:
    return Route(
        method="POST", path=f"/api/v1/outages/{{id}}/{step}", handler=_stepping(step, body), roles=_LEADERS,
        reads=body, answers=OutageOut, statuses=(200, 409, 422, 428), idempotent=True, if_match=True, summary=summary,
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/outages", handler=_list, roles=DESK, query=OutageQuery, answers=Page[OutageOut],
        summary="What could not work: declarations, the newest first.",
    ),
    Route(
        method="POST", path="/api/v1/outages", handler=_declare, roles=_LEADERS, reads=OutageSaid, answers=OutageOut,
        statuses=(201, 409), idempotent=True,
        summary="Declare that a part of the city could not work (停机申报); it counts once another has approved it.",
    ),
    Route(
        method="GET", path="/api/v1/outages/{id}", handler=_one, roles=DESK, answers=OutageOut,
        summary="One outage: its scope, its steps, how many clocks it reached.",
    ),
    _step(Step.APPROVE, OutageNote, "Approve what another has declared: the clocks of its scope stand still (审批)."),
    _step(Step.REFUSE, OutageRefusal, "Refuse what another has declared (驳回)."),
    _step(Step.END, OutageEnd, "Say until when it lasted, or will (恢复)."),
    _step(Step.WITHDRAW, OutageNote, "Take it back: its clocks are computed as if it had never been (撤回)."),
)  # fmt: skip
