"""Visits over HTTP: what is due, what came of it, the plans; the form of a visit opens with a reason on record."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from geo.datum import Datum
from gridsvc.actions.end_visit import WITH_A_FORM, VisitSaid, end_visit, purpose_of
from gridsvc.actions.import_visits import import_visits
from gridsvc.actions.open_visit_form import OPEN_FOR, OPENERS, open_visit_form
from gridsvc.api.captured_wire import captured_of
from gridsvc.api.categories import AttributeOut
from gridsvc.api.checks import FindingOut
from gridsvc.api.desk import DESK as FILING
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import SETTINGS, caller_of, scoped
from gridsvc.api.report_wire import Attributes, Line, Location, Words, read_location
from gridsvc.api.route import DESK, Route
from gridsvc.api.wire import (
    Moment,
    Page,
    Told,
    Wanted,
    path_id,
    read_body,
    read_cursor,
    read_query,
    reply,
    write_cursor,
)
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Caller, Role
from gridsvc.domain.reasons import RESULTS
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import ImportRefused, PlanRefused, Unknown
from gridsvc.ids import new_id
from gridsvc.sealing import Sealer
from gridsvc.store import visit_plans, visits
from gridsvc.store.rulebook import rulebook
from gridsvc.store.visit_plans import PlanRow
from gridsvc.store.visits import VisitView

_Code = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]


class VisitOut(Told):
    """A visit with its case. `subject` is a key that the city alone can read; what the form says is not told here.

    `late`: it was due (`due_at`, of the handling clock) before it was made, or is overdue now.
    """

    id: UUID
    case_id: UUID
    number: str | None
    version: int
    state: str
    category: str
    category_name: str
    category_name_en: str
    subject: str
    due_on: date
    due_at: datetime | None
    late: bool
    lon: float
    lat: float
    cell: str
    beat: str | None
    officer_id: UUID | None
    officer_name: str | None
    opened_at: datetime
    ended_at: datetime | None
    visited_at: datetime | None
    result: str | None
    distance_m: float | None


class VisitResultOut(FindingOut):
    """What a visit may end with. `wants_form`: what the form must say is wanted with it."""

    wants_form: bool


class MyVisitOut(VisitOut):
    """A visit that I am to make, with its form: `attributes` of the category, and what may be its `result`."""

    attributes: list[AttributeOut]
    results: list[VisitResultOut]


class VisitsQuery(Wanted):
    """Which visits; what is left out narrows nothing. `open`: not ended yet.

    `order`: as they were opened, or what is due first, first; what has no limit comes last then.
    """

    open: bool | None = None
    late: bool | None = None
    beat: _Code | None = None
    division: _Code | None = None
    order: Literal["opened", "due"] = "opened"
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class ResultIn(Wanted):
    """What came of a visit. `visited_at`: when I was there, if not when it was said; `location`: where I stood.

    `attributes` and `note` are the form: kept sealed, in no list, export, notice or log.
    """

    result: Annotated[str, msgspec.Meta(min_length=1, max_length=32)]
    visited_at: Moment | None = None
    attributes: Attributes = msgspec.field(default_factory=dict)
    note: Words = ""
    location: Location | None = None


class FormOpeningIn(Wanted):
    """Why I need to know what the form says; it stays on record."""

    reason: Annotated[str, msgspec.Meta(min_length=4, max_length=500, pattern=r"\S")]


class FormOpeningOut(Told):
    """The opening on record. GET /api/v1/visit-openings/{id} shows the form until `open_until`."""

    id: UUID
    visit_id: UUID
    opened_at: datetime
    open_until: datetime


class FormOut(Told):
    """What the officer wrote."""

    visit_id: UUID
    attributes: dict[str, str]
    note: str
    open_until: datetime


class PlansQuery(Wanted):
    """Which plans. `at_fault`: no case could be opened for them."""

    division: _Code | None = None
    at_fault: bool | None = None
    limit: Annotated[int, msgspec.Meta(ge=1, le=500)] = 100
    cursor: Annotated[str, msgspec.Meta(max_length=200)] | None = None


class PlanOut(Told):
    """One plan. `next_on` null: it has ended. `fault`: the code of what refused its last case."""

    id: UUID
    category: str
    subject: str
    lon: float
    lat: float
    every: int
    unit: str
    first_on: date
    working_days: bool
    next_on: date | None
    fault: str | None


class PlansIn(Wanted):
    """Plans as `gridsvc visits import` reads them: the text of a CSV file, and whose degrees it has."""

    csv: Annotated[str, msgspec.Meta(min_length=1, max_length=1_000_000)]
    datum: Datum
    file: Line = "visits.csv"


class PlansImported(Told):
    """How many plans the file has, and how many of them are to be visited."""

    rows: int
    active: int


async def _mine(request: web.Request) -> web.Response:
    caller = caller_of(request)
    async with scoped(request) as (conn, now):
        found = await visits.MINE.all(conn, now, caller.user_id)
        book = await rulebook(conn)
    return reply(Page[MyVisitOut](items=[_my(row, book) for row in found]))


async def _visits(request: web.Request) -> web.Response:
    asked = read_query(request, VisitsQuery)
    async with scoped(request) as (conn, now):
        found = await _listed(conn, asked, now)
    cursor = None
    if len(found) > asked.limit:
        last = found[asked.limit - 1]
        cursor = write_cursor(last.id) if asked.order == "opened" else write_cursor(last.id, last.due_at)
    return reply(Page[VisitOut](items=[VisitOut(**_fields(row)) for row in found[: asked.limit]], next=cursor))


async def _listed(conn: Conn, asked: VisitsQuery, now: datetime) -> list[VisitView]:
    """One more than is shown."""
    which, many = (asked.open, asked.late, asked.beat, asked.division), asked.limit + 1
    if asked.order == "opened":
        after = None if asked.cursor is None else read_cursor(asked.cursor, tuple[UUID])[0]
        return await visits.LISTED.all(conn, now, *which, after, many)
    last, due = (None, None) if asked.cursor is None else read_cursor(asked.cursor, tuple[UUID, datetime | None])
    return await visits.LISTED_BY_DUE.all(conn, now, *which, last, due, many)


async def _result(request: web.Request) -> web.Response:
    said = await read_body(request, ResultIn)
    caller, visit_id = caller_of(request), path_id(request)
    stood = None
    if said.location is not None:
        stood, _ = read_location(said.location, await request.app[FILING].city_bounds())
    visit = VisitSaid(
        result=said.result, visited_at=said.visited_at, attributes=said.attributes, note=said.note, location=stood,
        claimed=captured_of(request),
    )  # fmt: skip
    sealer = _sealer(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        after = await end_visit(conn, visit_id, visit, caller, sealer, now)
        row = await visits.SHOWN.one(conn, now, visit_id)
        assert row is not None  # noqa: S101 - it has just ended
        return Answer(VisitOut(**_fields(row)), headers={"ETag": f'"{after.version}"'})

    return await write(request, work)


async def _open(request: web.Request) -> web.Response:
    said = await read_body(request, FormOpeningIn)
    caller, visit_id, opening_id = caller_of(request), path_id(request), new_id()

    async def work(conn: Conn, now: datetime) -> Answer:
        until = await open_visit_form(conn, caller, opening_id, visit_id, said.reason, now)
        told = FormOpeningOut(id=opening_id, visit_id=visit_id, opened_at=now, open_until=until)
        return Answer(told, status=201)

    return await write(request, work)


async def _opened(request: web.Request) -> web.Response:
    caller, opening_id = caller_of(request), path_id(request)
    async with scoped(request) as (conn, now):
        found = await visits.OPENED.one(conn, opening_id, caller.user_id, now - OPEN_FOR)
    if found is None:
        raise Unknown("there is no such opening of yours, or it has ended; open it again", given=str(opening_id))
    form = msgspec.json.decode(_sealer(request).unseal(found.form_sealed, purpose_of(found.visit_id)))
    until = found.opened_at + OPEN_FOR
    return reply(
        FormOut(visit_id=found.visit_id, attributes=form["attributes"], note=form["note"], open_until=until)
    )


async def _plans(request: web.Request) -> web.Response:
    asked = read_query(request, PlansQuery)
    after = None if asked.cursor is None else read_cursor(asked.cursor, tuple[UUID])[0]
    async with scoped(request) as (conn, _):
        found = await visit_plans.LISTED.all(conn, asked.division, asked.at_fault, after, asked.limit + 1)
    cursor = write_cursor(found[asked.limit - 1].id) if len(found) > asked.limit else None
    return reply(Page[PlanOut](items=[_plan(row) for row in found[: asked.limit]], next=cursor))


async def _import(request: web.Request) -> web.Response:
    said, caller = await read_body(request, PlansIn), caller_of(request)

    async def work(conn: Conn, now: datetime) -> Answer:
        await act_as_service(conn)
        try:
            done = await import_visits(
                conn, said.file, said.csv.encode(), said.datum, caller.id, now, administered(caller)
            )
        except ImportRefused as refused:
            raise plan_refused(refused) from refused
        return Answer(PlansImported(rows=done.rows, active=done.active))

    return await write(request, work)


def administered(caller: Caller) -> list[str]:
    """The divisions in which the caller may plan: those that he administers, on all axes."""
    return [
        grant.division
        for grant in caller.grants
        if grant.role is Role.ADMIN and not (grant.department or grant.duty_line)
    ]


def plan_refused(refused: ImportRefused) -> PlanRefused:
    """The refusal of a file of plans, with every fault."""
    return PlanRefused(
        refused.message, faults=[each.message for each in refused.defects], wanted="a file without faults"
    )


def _sealer(request: web.Request) -> Sealer:
    return Sealer.of_secrets(request.app[SETTINGS].identity.sealing)


def _my(row: VisitView, book: Rulebook) -> MyVisitOut:
    category = book.categories[row.edition, row.category]
    return MyVisitOut(
        **_fields(row),
        attributes=[AttributeOut.of(each) for each in category.attributes],
        results=[
            VisitResultOut(code=each.code, name=each.name, name_en=each.name_en, wants_form=each.code in WITH_A_FORM)
            for each in RESULTS["visit"]
        ],
    )


def _fields(row: VisitView) -> dict[str, Any]:
    told = {name: value for name, value in vars(row).items() if name != "edition"}
    return told | {"category": f"{row.edition}:{row.category}"}


def _plan(row: PlanRow) -> PlanOut:
    return PlanOut(
        id=row.id, category=f"{row.edition}:{row.category}", subject=row.subject, lon=row.lon, lat=row.lat,
        every=row.every_count, unit=row.every_unit, first_on=row.first_on, working_days=row.working_days,
        next_on=row.next_on, fault=row.fault or None,
    )  # fmt: skip


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/me/visits", handler=_mine, roles=frozenset({Role.OFFICER}),
        answers=Page[MyVisitOut],
        summary="Visits that I am to make, with their forms, the most pressing first.",
    ),
    Route(
        method="GET", path="/api/v1/visits", handler=_visits, roles=DESK, query=VisitsQuery, answers=Page[VisitOut],
        summary="Visits of my area, open and ended; never what their forms say.",
    ),
    Route(
        method="POST", path="/api/v1/visits/{id}/result", handler=_result, roles=frozenset({Role.OFFICER}),
        reads=ResultIn, answers=VisitOut, statuses=(200, 409, 422), idempotent=True, captured=True,
        summary="What came of a visit of mine; its case is closed, and the next visit is planned.",
    ),
    Route(
        method="POST", path="/api/v1/visits/{id}/openings", handler=_open, roles=OPENERS, reads=FormOpeningIn,
        answers=FormOpeningOut, statuses=(201,), idempotent=True,
        summary="Open the form of one visit to me, with a reason that stays on record.",
    ),
    Route(
        method="GET", path="/api/v1/visit-openings/{id}", handler=_opened, roles=OPENERS, answers=FormOut,
        summary="What the form says, for a quarter of an hour after my own opening.",
    ),
    Route(
        method="GET", path="/api/v1/visit-plans", handler=_plans, roles=DESK, query=PlansQuery,
        answers=Page[PlanOut],
        summary="Who or what is visited how often in my area, by keys.",
    ),
    Route(
        method="POST", path="/api/v1/visit-plans", handler=_import, roles=frozenset({Role.ADMIN}), reads=PlansIn,
        answers=PlansImported, statuses=(200, 422), idempotent=True,
        summary="Import visit plans from the text of a CSV file: whole, or not at all.",
    ),
)  # fmt: skip
