"""Cases over HTTP: lists, one with everything around it, and why it is as it is."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Final, Literal
from uuid import UUID

import msgspec
from aiohttp import web

from gridsvc.api.case_wire import (
    CaseDetail,
    CaseTold,
    ClockOutageTold,
    ClockTold,
    DoubtTold,
    HistoryTold,
    IntervalTold,
    LimitTold,
    OutageChangeTold,
    PhotoTold,
    ReportTold,
    RungTold,
    TwinTold,
    assignment_told,
    call_back_told,
    change_told,
    check_told,
    effects_told,
    linked_told,
    order_told,
    part_told,
    related_told,
)
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.report_wire import divisions_told, duplicates_told
from gridsvc.api.route import DESK as DESK_ROLES
from gridsvc.api.route import Route
from gridsvc.api.routing_rules import RoutingTold, routing_told
from gridsvc.api.rung_wire import next_rung_told, up_to
from gridsvc.api.wire import Moment, Page, Wanted, path_id, read_cursor, read_query, reply, write_cursor
from gridsvc.db import Conn
from gridsvc.domain.access import Caller, Role, scope_keys
from gridsvc.domain.attribute import missing
from gridsvc.domain.case_state import STAGES, Actor, State
from gridsvc.domain.category import Category
from gridsvc.domain.deadline import intervals
from gridsvc.domain.offering import offered
from gridsvc.errors import BadRequest, Unknown
from gridsvc.store import (
    assignments,
    attachment_twins,
    attachments,
    calendars,
    call_backs,
    case_views,
    cases,
    checks,
    clocks,
    co_handlings,
    duplicates,
    effects,
    history,
    outages,
    reports,
    supervision_orders,
    users,
)
from gridsvc.store.case_views import CaseView, Filters
from gridsvc.store.cells import division_names
from gridsvc.store.rulebook import rulebook

READERS: Final = frozenset({*DESK_ROLES, Role.OFFICER, Role.HANDLER})
"""Who may read a case at all; which, their scope decides."""

_Limit = Annotated[int, msgspec.Meta(ge=1, le=500)]

_Code = Annotated[str, msgspec.Meta(max_length=64)]


class CaseQuery(Wanted):
    """How a list of cases is narrowed. `bbox` is west,south,east,north; `state` and `category` as in the answers."""

    state: Annotated[list[_Code], msgspec.Meta(max_length=10)] | _Code | None = None
    category: _Code | None = None
    cell: _Code | None = None
    beat: _Code | None = None
    division: _Code | None = None
    officer: UUID | None = None
    department: _Code | None = None
    pool: _Code | None = None
    source: _Code | None = None
    overdue: bool | None = None
    bbox: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    q: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    updated_after: Moment | None = None
    held_by: _Code | None = None
    self_handled: bool | None = None
    sampled: bool | None = None
    late: bool | None = None
    appeal: _Code | None = None
    co_department: _Code | None = None
    cause: UUID | None = None
    severity: Literal["low", "normal", "high", "emergency"] | None = None
    limit: _Limit = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


class PageQuery(Wanted):
    """One page of a case's history."""

    limit: _Limit = 100
    cursor: Annotated[str, msgspec.Meta(max_length=400)] | None = None


async def get_cases(request: web.Request) -> web.Response:
    """Cases in the caller's sight, newest first; with updated_after, by change, oldest first."""
    query = read_query(request, CaseQuery)
    filters = _filters(query)
    keys = scope_keys(caller_of(request))
    async with scoped(request) as (conn, now):
        if query.updated_after is None:
            before = read_cursor(query.cursor, tuple[UUID])[0] if query.cursor else None
            views = await case_views.newest(conn, keys, now, filters, before, query.limit)
            cursor = write_cursor(views[-1].id) if len(views) == query.limit else None
        else:
            after = (query.updated_after, UUID(int=0))
            if query.cursor:
                after = read_cursor(query.cursor, tuple[datetime, UUID])
            views = await case_views.updated_since(conn, keys, now, filters, after, query.limit)
            cursor = write_cursor(views[-1].updated_at, views[-1].id) if len(views) == query.limit else None
    return reply(Page(items=[_told(view) for view in views], next=cursor))


async def get_case(request: web.Request) -> web.Response:
    """One case: what and where, who and why, how long, what was said, and which moves this caller may try."""
    caller = caller_of(request)
    async with scoped(request) as (conn, now):
        view = await _view(conn, caller, now, path_id(request))
        held = await assignments.of_case(conn, view.id)
        current = next((row for row in held if row.ended_at is None), None)
        names = await division_names(conn, view.grid_set_id, view.divisions) if view.grid_set_id else {}
        keys = scope_keys(caller)
        category = (await rulebook(conn)).categories[(view.edition, view.category)]
        [alike] = await duplicates.near(conn, [_sought(view, keys)])
        asked = await call_backs.OF_CASE.all(conn, view.id)
        detail = CaseDetail(
            case=_told(view),
            missing_attributes=missing(category.attributes, view.attributes),
            limit=_limit(category, view),
            divisions=divisions_told(view.divisions, names),
            assignment=assignment_told(current) if current else None,
            clocks=[clock for clock in await _clocks(conn, view, names, now) if clock.state != "stopped"],
            reports=[ReportTold(**vars(row)) for row in await reports.OF_CASE.all(conn, view.id)],
            photos=await _photos(conn, view.id, keys),
            checks=[check_told(row) for row in await checks.of_case(conn, view.id)],
            orders=[order_told(row) for row in await supervision_orders.of_case(conn, view.id)],
            parts=[part_told(row, now) for row in await co_handlings.of_case(conn, view.id)],
            cause=related_told(cause) if (cause := await effects.cause_of(conn, view.cause_id, keys)) else None,
            effects=effects_told(await effects.of_cause(conn, view.id, keys)),
            merged=[linked_told(each) for each in await duplicates.merged_into(conn, view.id, keys)],
            main=linked_told(main) if (main := await duplicates.main_of(conn, view.id, keys)) else None,
            duplicates=duplicates_told(alike),
            doubted=[DoubtTold(**vars(each)) for each in await history.DOUBTED.all(conn, view.id)],
            call_backs=[call_back_told(row) for row in asked],
            moves=await _moves(conn, view.id, caller, asked, now),
        )
    return reply(detail, headers={"ETag": f'"{view.version}"'})


async def _photos(conn: Conn, case_id: UUID, keys: Sequence[str]) -> list[PhotoTold]:
    found = await attachments.of_case(conn, case_id)
    twins = await attachment_twins.of_case(conn, case_id, keys) if found else []
    return [
        PhotoTold(
            id=row.id, kind=row.kind, purpose=row.purpose, report=row.report_id, width=row.width, height=row.height,
            uploaded_at=row.uploaded_at, claimed_at=row.claimed_at, claimed_lon=row.claimed_lon,
            claimed_lat=row.claimed_lat, told_at=row.told_at, told_lon=row.told_lon, told_lat=row.told_lat,
            removed_at=row.removed_at,
            used_before=[
                TwinTold(
                    case=twin.case_id, photo=twin.earlier_id, purpose=twin.purpose, distance=twin.distance,
                    same_file=twin.same_file,
                )
                for twin in twins
                if twin.attachment_id == row.id
            ],
        )
        for row in found
    ]  # fmt: skip


async def get_history(request: web.Request) -> web.Response:
    """Everything that happened to the case, oldest first."""
    query = read_query(request, PageQuery)
    async with scoped(request) as (conn, now):
        view = await _view(conn, caller_of(request), now, path_id(request))
        after = read_cursor(query.cursor, tuple[int])[0] if query.cursor else 0
        rows = await history.OF_CASE.all(conn, view.id, after, query.limit)
        names = await users.names(conn, {row.actor for row in rows})
    told = [
        HistoryTold(
            version=row.version,
            move=row.move,
            from_state=row.from_state,
            to_state=row.to_state,
            actor=row.actor,
            actor_name=names.get(row.actor),
            at=row.at,
            facts=dict(row.facts),
            hash=row.hash.hex(),
        )
        for row in rows
    ]
    return reply(Page(items=told, next=write_cursor(rows[-1].version) if len(rows) == query.limit else None))


async def get_clocks(request: web.Request) -> web.Response:
    """Every clock of the case, with every stretch that counted and every one that did not, and why."""
    async with scoped(request) as (conn, now):
        view = await _view(conn, caller_of(request), now, path_id(request))
        names = await division_names(conn, view.grid_set_id, view.divisions) if view.grid_set_id else {}
        told = await _clocks(conn, view, names, now)
    return reply(Page(items=told))


async def get_routing(request: web.Request) -> web.Response:
    """Every assignment of the case and every time that it went to the pool: by which rule, on which inputs, and why."""
    async with scoped(request) as (conn, now):
        view = await _view(conn, caller_of(request), now, path_id(request))
        told = await routing_told(conn, view.id)
    return reply(told)


async def _view(conn: Conn, caller: Caller, now: datetime, case_id: UUID) -> CaseView:
    view = await case_views.one(conn, scope_keys(caller), now, case_id)
    if view is None:
        raise Unknown(f"no case {case_id}", case=str(case_id))
    return view


def _limit(category: Category, view: CaseView) -> LimitTold:
    given = category.limit_for(view.condition, view.management_level)
    return LimitTold(given.amount, given.unit, given.condition, given.management_level)


async def _clocks(conn: Conn, view: CaseView, names: dict[str, tuple[str, str]], now: datetime) -> list[ClockTold]:
    book = await rulebook(conn)
    kept = await clocks.of_case(conn, view.id)
    above = [(code, names[code][1]) for code in up_to(view.divisions, view.held_by) if code in names]
    stood_still = await clocks.pauses(conn, [clock.id for clock in kept])
    fired = await clocks.ESCALATIONS_OF_CASE.all(conn, view.id)
    changed = await clocks.CHANGES_OF_CASE.all(conn, view.id)
    moved = await outages.CHANGES_OF_CASE.all(conn, view.id)
    by = await calendars.of_clocks(conn, book, kept)
    parts = await co_handlings.departments(conn, [c.co_handling_id for c in kept if c.co_handling_id is not None])
    told = []
    for clock in kept:
        spans = [
            IntervalTold(i.start, i.end, i.counted, i.why, i.name, (i.end - i.start).total_seconds())
            for i in intervals(
                by[clock.id],
                clock.started_at,
                clock.ended_at or now,
                stood_still.get(clock.id, ()),
                clock.unit,
            )
        ]
        told.append(
            ClockTold(
                id=clock.id,
                kind=clock.kind,
                part=clock.co_handling_id,
                department=parts[clock.co_handling_id] if clock.co_handling_id is not None else None,
                cycle=clock.cycle,
                state=clock.state,
                unit=clock.unit,
                budget_s=clock.budget_seconds,
                used_s=sum(span.seconds for span in spans if span.counted),
                calendar=clock.calendar,
                calendar_edition=clock.edition,
                started_at=clock.started_at,
                stopped_at=clock.stopped_at,
                due_at=clock.due_at,
                provisional=clock.provisional,
                ladder=clock.ladder,
                ladder_edition=clock.ladder_edition,
                next_level=clock.next_level,
                next_at=clock.next_fire_at,
                next=next_rung_told(book, clock, above),
                intervals=spans,
                fired=[
                    RungTold(row.level, row.effect, row.scheduled_at, row.fired_at, row.ladder, row.ladder_edition)
                    for row in fired
                    if row.clock_id == clock.id
                ],
                changes=[change_told(row) for row in changed if row.clock_id == clock.id],
                plain_due_at=clock.plain_due_at,
                judged_at=clock.judged_at,
                outages=[
                    ClockOutageTold(each.outage, each.start, each.end)
                    for each in stood_still.get(clock.id, ())
                    if each.outage is not None
                ],
                outage_changes=[
                    OutageChangeTold(row.changed_at, row.outage_id, row.what, row.due_at, row.before_due_at)
                    for row in moved
                    if row.clock_id == clock.id
                ],
            )
        )
    return told


def _told(view: CaseView) -> CaseTold:
    return CaseTold(
        id=view.id, number=view.number, version=view.version, cycle=view.cycle, state=view.state,
        stage=STAGES[State(view.state)], suspended=view.suspended, source=view.source,
        category=f"{view.edition}:{view.category}", category_name=view.category_name,
        category_name_en=view.category_name_en, duty_line=view.duty_line, severity=view.severity,
        description=view.description, address=view.address, lon=view.lon, lat=view.lat,
        divisions=view.divisions, cell=view.cell_code, method=view.cell_method, border=view.on_border,
        neighbours=view.neighbours, beat=view.beat_code, pool=view.pool, assignment=view.assignment_id,
        officer=view.officer_id, department=view.department, handler=view.handler_id,
        merged_into=view.merged_into, suspended_until=view.suspended_until,
        extensions=view.extensions, due_at=view.due_at, overdue=view.overdue,
        occurred_at=view.occurred_at, reported_at=view.reported_at, filed_at=view.filed_at,
        closed_at=view.closed_at, updated_at=view.updated_at, condition=view.condition,
        management_level=view.management_level, component=view.component, held_by=view.held_by,
        suspensions=view.suspensions, self_handled=view.self_handled, sampled=view.sampled,
        returned_by=view.returned_by, late=view.late, appeal=view.appeal, exempt=view.appeal == "granted",
        checker=view.checker_id, order=view.order_id, attributes=view.attributes,
        co_departments=view.co_open, cause=view.cause_id, exercise=view.exercise, check_unmanned=view.check_unmanned,
        call=view.call_id, called=view.called, responder=view.responder_id,
    )  # fmt: skip


def _sought(view: CaseView, keys: list[str]) -> duplicates.Sought:
    return duplicates.Sought(
        case_id=view.id, edition=view.edition, category=view.category, lon=view.lon, lat=view.lat,
        reported_at=view.reported_at, keys=keys,
    )  # fmt: skip


def _filters(query: CaseQuery) -> Filters:
    states = [query.state] if isinstance(query.state, str) else query.state
    for state in states or ():
        if state not in set(State):
            raise BadRequest(
                f"state {state!r} does not exist", field="state", given=state, wanted=[str(each) for each in State]
            )
    edition, _, code = (query.category or "").rpartition(":")
    return Filters(
        states=states,
        category=code or None,
        edition=edition or None,
        cell=query.cell,
        beat=query.beat,
        division=query.division,
        officer=query.officer,
        department=query.department,
        pool=query.pool,
        source=query.source,
        overdue=query.overdue,
        bbox=_bbox(query.bbox),
        words=query.q or None,
        held_by=query.held_by,
        self_handled=query.self_handled,
        sampled=query.sampled,
        late=query.late,
        appeal=query.appeal,
        co_department=query.co_department,
        cause=query.cause,
        severity=query.severity,
    )


def _bbox(text: str | None) -> tuple[float, float, float, float] | None:
    if text is None:
        return None
    wanted = "west,south,east,north in WGS-84 degrees"
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise BadRequest(f"bbox is {text[:80]!r}", field="bbox", given=text[:80], wanted=wanted) from None
    if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
        raise BadRequest(f"bbox {text[:80]} is no box", field="bbox", given=text[:80], wanted=wanted)
    return west, south, east, north


async def _moves(
    conn: Conn, case_id: UUID, caller: Caller, asked: Sequence[call_backs.CallBackRow], now: datetime
) -> list[str]:
    row = await cases.read(conn, case_id)
    if row is None:
        return []
    waiting = [each.call_back() for each in asked if each.ended_at is None]
    return [str(move) for move in offered(row.case(), Actor(caller), waiting, now)]


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/cases", handler=get_cases, roles=READERS, scope="cases:read",
        summary="Cases in sight, filtered.", query=CaseQuery, answers=Page[CaseTold],
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}", handler=get_case, roles=READERS, scope="cases:read",
        summary="One case with assignment and running clocks.", answers=CaseDetail,
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}/history", handler=get_history, roles=READERS, scope="cases:read",
        summary="Everything that happened to a case, chained.", query=PageQuery, answers=Page[HistoryTold],
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}/clocks", handler=get_clocks, roles=READERS, scope="cases:read",
        summary="Every clock, explained to the minute.", answers=Page[ClockTold],
    ),
    Route(
        method="GET", path="/api/v1/cases/{id}/routing", handler=get_routing, roles=READERS, scope="cases:read",
        summary="Who answers for a case, and why.", answers=RoutingTold,
    ),
)  # fmt: skip
