"""Cases over HTTP: lists, one with everything around it, why it is as it is, and the moves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Container, Sequence
from datetime import datetime
from typing import Annotated, Any, Final
from uuid import UUID

import msgspec
from aiohttp import web

from geo.place import Place
from gridsvc.actions.move_case import move_case
from gridsvc.api.captured_wire import captured_of
from gridsvc.api.desk import DESK
from gridsvc.api.idempotency import Answer, write
from gridsvc.api.parts import caller_of, scoped
from gridsvc.api.report_wire import (
    Attributes,
    DivisionTold,
    DuplicateTold,
    FixedLocation,
    Location,
    divisions_told,
    duplicates_told,
    read_location,
)
from gridsvc.api.route import DESK as DESK_ROLES
from gridsvc.api.route import Route
from gridsvc.api.routing_rules import RoutingTold, reasons_told, routing_told
from gridsvc.api.rung_wire import NextRungTold, next_rung_told, up_to
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
from gridsvc.db import Conn
from gridsvc.domain.access import Caller, Role, scope_keys
from gridsvc.domain.attribute import missing
from gridsvc.domain.case import MOVES, STAGES, Actor, Move, Particulars, Party, Rule, State
from gridsvc.domain.category import Category
from gridsvc.domain.deadline import intervals
from gridsvc.domain.fix import Fix
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
from gridsvc.store.cases import CaseRow
from gridsvc.store.cells import division_names
from gridsvc.store.clocks import ClockChange
from gridsvc.store.rulebook import rulebook

_EFFECTS_SHOWN: Final = 200

READERS: Final = frozenset({*DESK_ROLES, Role.OFFICER, Role.HANDLER})
"""Who may read a case at all; which, their scope decides."""


class CaseTold(Told):
    """One case. Coordinates are WGS-84; `overdue` counts the handling limit; `stage` is the national workflow's.

    `late` is a fact of this cycle and stays one; `exempt` leaves it out of the statistics (an appeal was granted).
    `held_by` is the level that has it since it was referred up or handed down. `co_departments` have an open part of
    it; `cause` is the case that it is an effect of. `check_unmanned`: somebody should look at it and nobody on duty
    may; it is tried again. `call` rings with the officers in `called`; `responder` has accepted to be first on the
    scene.
    """

    id: UUID
    number: str | None
    version: int
    cycle: int
    state: str
    stage: int
    suspended: bool
    source: str
    category: str
    category_name: str
    category_name_en: str
    duty_line: str
    severity: str
    description: str
    address: str
    lon: float | None
    lat: float | None
    divisions: list[str]
    cell: str | None
    method: str | None
    border: bool
    neighbours: list[str]
    beat: str | None
    pool: str | None
    assignment: UUID | None
    officer: UUID | None
    department: str | None
    handler: UUID | None
    merged_into: UUID | None
    suspended_until: datetime | None
    extensions: int
    due_at: datetime | None
    overdue: bool
    occurred_at: datetime
    reported_at: datetime
    filed_at: datetime | None
    closed_at: datetime | None
    updated_at: datetime
    condition: str | None
    management_level: str | None
    component: str | None
    held_by: str | None
    suspensions: int
    self_handled: bool
    sampled: bool
    returned_by: str | None
    late: bool
    appeal: str | None
    exempt: bool
    checker: UUID | None
    order: UUID | None
    attributes: dict[str, str]
    co_departments: list[str]
    cause: UUID | None
    exercise: bool
    check_unmanned: bool
    call: UUID | None
    called: list[UUID]
    responder: UUID | None


class AssignmentTold(Told):
    """Who answers, or answered, for the case, by which rule and why."""

    id: UUID
    cycle: int
    officer: UUID | None
    department: str | None
    rule: str
    edition: int
    reasons: dict[str, Any]
    assigned_by: str
    assigned_at: datetime
    ended_at: datetime | None
    ended_why: str | None


class IntervalTold(Told):
    """A stretch of a clock's life, whether it counted, and why: docs/rules/deadlines.md lists the reasons.

    `name` is that of the day off or make-up workday, or the reason of the pause.
    """

    start: datetime
    end: datetime
    counted: bool
    why: str
    name: str
    seconds: float


class RungTold(Told):
    """A rung that fired."""

    level: int
    effect: str
    scheduled_at: datetime
    fired_at: datetime
    ladder: str | None
    ladder_edition: int | None


class ClockChangeTold(Told):
    """What a new edition of its calendar made of the clock while it was open."""

    at: datetime
    calendar_edition: int
    before_edition: int
    due_at: datetime
    before_due_at: datetime
    provisional: bool
    before_provisional: bool


class ClockOutageTold(Told, rename={"start": "from", "end": "to"}):
    """An outage (停机) that took a stretch out of the clock; `to` is null while it has no end."""

    outage: UUID
    start: datetime
    end: datetime | None


class OutageChangeTold(Told):
    """What an outage made of the clock: it `stands`, its deadline was `moved`, or the stretch `taken_back`."""

    at: datetime
    outage: UUID
    what: str
    due_at: datetime
    before_due_at: datetime


class ClockTold(Told):
    """One clock, explained: which calendar and ladder, what counted, what fired, what comes next and who will hear.

    `part` and `department` say whose it is where it is not the whole case's. `plain_due_at` is when it would be due
    had no outage been; null: none has moved it. `judged_at` is when what stopped it was done, where a phone could
    tell it only later: in time is judged by that, and not by `stopped_at`.
    """

    id: UUID
    kind: str
    part: UUID | None
    department: str | None
    cycle: int
    state: str
    unit: str
    budget_s: int
    used_s: float
    calendar: str | None
    calendar_edition: int | None
    started_at: datetime
    stopped_at: datetime | None
    due_at: datetime
    provisional: bool
    ladder: str
    ladder_edition: int
    next_level: int | None
    next_at: datetime | None
    next: NextRungTold | None
    intervals: list[IntervalTold]
    fired: list[RungTold]
    changes: list[ClockChangeTold]
    plain_due_at: datetime | None
    judged_at: datetime | None
    outages: list[ClockOutageTold]
    outage_changes: list[OutageChangeTold]


class ReportTold(Told):
    """A report of the case, or of one that was merged into it; its reporter is shown only as there being one."""

    id: UUID
    case: UUID
    acceptance_number: str
    source: str
    description: str
    address: str
    occurred_at: datetime
    received_at: datetime
    has_reporter: bool
    attributes: dict[str, str]


class LimitTold(Told):
    """How long the handling may take, and for which condition and management level that is written; null: for all."""

    amount: float
    unit: str
    condition: str | None
    management_level: str | None


class LinkedTold(Told):
    """A case at the other end of a merge; `merged_into` names the next one on the way to the one that goes on."""

    id: UUID
    number: str | None
    state: str
    merged_into: UUID | None


class CheckTold(Told):
    """Somebody was sent to look. Ended without a result: called off, because the case went on without it."""

    id: UUID
    cycle: int
    kind: str
    officer: UUID
    rule: str
    reasons: dict[str, Any]
    note: str
    sent_by: str
    sent_at: datetime
    due_at: datetime
    ended_at: datetime | None
    result: str | None


class OrderTold(Told):
    """A supervision order (督办). Ended without a reply: the case was over first."""

    id: UUID
    cycle: int
    kind: str
    level: str
    reason: str
    wanted: str
    ordered_by: str
    ordered_at: datetime
    due_at: datetime
    ended_at: datetime | None
    reply: str | None
    replied_by: str | None


class PartTold(Told):
    """What a further department was asked to do (协办). `overdue` while it is open, `late` when it has ended."""

    id: UUID
    cycle: int
    department: str
    wanted: str
    asked_by: str
    asked_at: datetime
    due_at: datetime
    overdue: bool
    ended_at: datetime | None
    ended_by: str | None
    result: str | None
    reason_code: str | None
    reply: str | None
    before: list[UUID]
    evidence: list[UUID]
    late: bool


class RelatedTold(Told):
    """A case at the other end of a link: the cause, or an effect."""

    id: UUID
    number: str | None
    state: str
    pool: str | None
    category: str


class EffectsTold(Told):
    """What waits for the case or was handled with it, in the caller's sight: how many, and the first 200."""

    count: int
    items: list[RelatedTold]


class CallBackTold(Told):
    """A reporter of the closed case was or is to be asked (回访). Ended without a result: called off."""

    id: UUID
    cycle: int
    report: UUID
    clock: UUID
    level: str
    division: str
    opened_at: datetime
    tries: list[datetime]
    ended_at: datetime | None
    result: str | None
    satisfaction: int | None
    note: str
    made_by: str | None


class TwinTold(Told):
    """The photograph was used before, of another case or for another purpose: `case` and `photo` where I see them.

    `distance` is in how many of 64 bits the two looks differ, 0 to 3; `same_file`: the very file was sent twice.
    """

    case: UUID | None
    photo: UUID | None
    purpose: str | None
    distance: int
    same_file: bool


class PhotoTold(Told):
    """A photograph or voice note of the case: GET /api/v1/attachments/{id}. `kind` is picture or sound.

    `purpose` is report, before, after, note or check. `claimed_*` stand in its EXIF, `told_*` were said by its sender:
    neither proves anything. After `removed_at` no file is left of it.
    """

    id: UUID
    kind: str
    purpose: str | None
    report: UUID | None
    width: int | None
    height: int | None
    uploaded_at: datetime
    claimed_at: str | None
    claimed_lon: float | None
    claimed_lat: float | None
    told_at: datetime | None
    told_lon: float | None
    told_lat: float | None
    removed_at: datetime | None
    used_before: list[TwinTold]


class DoubtTold(Told):
    """A move that the desk should look at twice, and why: docs/rules/offline.md lists the doubts."""

    version: int
    move: str
    actor: str
    at: datetime
    doubts: list[str]


class CaseDetail(Told):
    """One case with its assignment, the limit of its edition and the clocks that run.

    `missing_attributes` are those that its category asks for and nobody has said yet. `cause` is what it is an
    effect of; null without one, and where the caller does not see it. `merged` are those that were merged into it,
    `main` the one that goes on where it was merged itself; `duplicates` may be the same thing, and nobody has said
    so yet.
    """

    case: CaseTold
    missing_attributes: list[str]
    limit: LimitTold
    divisions: list[DivisionTold]
    assignment: AssignmentTold | None
    clocks: list[ClockTold]
    reports: list[ReportTold]
    photos: list[PhotoTold]
    checks: list[CheckTold]
    orders: list[OrderTold]
    parts: list[PartTold]
    cause: RelatedTold | None
    effects: EffectsTold
    call_backs: list[CallBackTold]
    merged: list[LinkedTold]
    main: LinkedTold | None
    duplicates: list[DuplicateTold]
    doubted: list[DoubtTold]
    moves: list[str]


class HistoryTold(Told):
    """One row of the history; `hash` covers it and the hash before it. `actor_name` null: a program or a worker."""

    version: int
    move: str
    from_state: str | None
    to_state: str
    actor: str
    actor_name: str | None
    at: datetime
    facts: dict[str, Any]
    hash: str


class Moved(Told):
    """The case after the move."""

    id: UUID
    number: str | None
    state: str
    version: int
    cycle: int
    pool: str | None
    assignment: UUID | None
    officer: UUID | None
    department: str | None
    due_at: datetime | None
    suspended: bool
    held_by: str | None


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
            assignment=_assignment(current) if current else None,
            clocks=[clock for clock in await _clocks(conn, view, names, now) if clock.state != "stopped"],
            reports=[ReportTold(**vars(row)) for row in await reports.OF_CASE.all(conn, view.id)],
            photos=await _photos(conn, view.id, keys),
            checks=[_check(row) for row in await checks.of_case(conn, view.id)],
            orders=[_order(row) for row in await supervision_orders.of_case(conn, view.id)],
            parts=[_part(row, now) for row in await co_handlings.of_case(conn, view.id)],
            cause=_related(cause) if (cause := await effects.cause_of(conn, view.cause_id, keys)) else None,
            effects=_effects(await effects.of_cause(conn, view.id, keys)),
            merged=[_linked(each) for each in await duplicates.merged_into(conn, view.id, keys)],
            main=_linked(main) if (main := await duplicates.main_of(conn, view.id, keys)) else None,
            duplicates=duplicates_told(alike),
            doubted=[DoubtTold(**vars(each)) for each in await history.DOUBTED.all(conn, view.id)],
            call_backs=[_call_back(row) for row in asked],
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
                changes=[_change(row) for row in changed if row.clock_id == clock.id],
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


def _change(row: ClockChange) -> ClockChangeTold:
    return ClockChangeTold(
        at=row.changed_at, calendar_edition=row.edition, before_edition=row.before_edition, due_at=row.due_at,
        before_due_at=row.before_due_at, provisional=row.provisional, before_provisional=row.before_provisional,
    )  # fmt: skip


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


def _assignment(row: assignments.AssignmentRow) -> AssignmentTold:
    return AssignmentTold(
        id=row.id, cycle=row.cycle, officer=row.officer_id, department=row.department, rule=row.rule,
        edition=row.edition, reasons=reasons_told(row.reasons), assigned_by=row.assigned_by,
        assigned_at=row.assigned_at, ended_at=row.ended_at, ended_why=row.ended_why,
    )  # fmt: skip


def _linked(row: duplicates.Linked) -> LinkedTold:
    return LinkedTold(id=row.id, number=row.number, state=row.state, merged_into=row.merged_into)


def _sought(view: CaseView, keys: list[str]) -> duplicates.Sought:
    return duplicates.Sought(
        case_id=view.id, edition=view.edition, category=view.category, lon=view.lon, lat=view.lat,
        reported_at=view.reported_at, keys=keys,
    )  # fmt: skip


def _check(row: checks.CheckRow) -> CheckTold:
    return CheckTold(
        id=row.id, cycle=row.cycle, kind=row.kind, officer=row.officer_id, rule=row.rule,
        reasons=dict(row.reasons), note=row.note, sent_by=row.sent_by, sent_at=row.sent_at, due_at=row.due_at,
        ended_at=row.ended_at, result=row.result,
    )  # fmt: skip


def _order(row: supervision_orders.OrderRow) -> OrderTold:
    return OrderTold(
        id=row.id, cycle=row.cycle, kind=row.kind, level=row.level, reason=row.reason, wanted=row.wanted,
        ordered_by=row.ordered_by, ordered_at=row.ordered_at, due_at=row.due_at, ended_at=row.ended_at,
        reply=row.reply, replied_by=row.replied_by,
    )  # fmt: skip


def _part(row: co_handlings.PartRow, now: datetime) -> PartTold:
    return PartTold(
        id=row.id, cycle=row.cycle, department=row.department, wanted=row.wanted, asked_by=row.asked_by,
        asked_at=row.asked_at, due_at=row.due_at, overdue=row.state == "running" and row.due_at < now,
        ended_at=row.ended_at, ended_by=row.ended_by, result=row.result, reason_code=row.reason_code,
        reply=row.reply, before=row.before, evidence=row.evidence, late=row.late,
    )  # fmt: skip


def _related(row: effects.Related) -> RelatedTold:
    return RelatedTold(id=row.id, number=row.number, state=row.state, pool=row.pool, category=row.category)


def _effects(rows: Sequence[effects.Related]) -> EffectsTold:
    return EffectsTold(count=len(rows), items=[_related(row) for row in rows[:_EFFECTS_SHOWN]])


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


def _call_back(row: call_backs.CallBackRow) -> CallBackTold:
    return CallBackTold(
        id=row.id, cycle=row.cycle, report=row.report_id, clock=row.clock_id, level=row.level,
        division=row.division_code, opened_at=row.opened_at, tries=row.tries, ended_at=row.ended_at, result=row.result,
        satisfaction=row.satisfaction, note=row.note, made_by=row.made_by,
    )  # fmt: skip


_FIELDS: Final[dict[str, Any]] = {
    "reason": Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)],
    "reason_code": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "note": Annotated[str, msgspec.Meta(max_length=4_000)],
    "officer": UUID,
    "department": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "evidence": Annotated[list[UUID], msgspec.Meta(min_length=1, max_length=20)],
    "before": Annotated[list[UUID], msgspec.Meta(max_length=20)],
    "until": Moment,
    "into": UUID,
    "division": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "location": Location,
    "condition": Annotated[str, msgspec.Meta(min_length=1, max_length=32)],
    "category": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "description": Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)],
    "address": Annotated[str, msgspec.Meta(min_length=1, max_length=400)],
    "attributes": Attributes,
    "result": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "kind": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "level": Annotated[str, msgspec.Meta(min_length=1, max_length=64)],
    "wanted": Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)],
    "reply": Annotated[str, msgspec.Meta(min_length=1, max_length=4_000)],
    "cause": UUID,
    "call_back": UUID,
    "satisfaction": Annotated[int, msgspec.Meta(ge=1, le=5)],
    "no_fix": Annotated[str, msgspec.Meta(min_length=1, max_length=400)],
}
"""How each particular of a move is written; the table of moves tells which of them a move has."""


_FIELDS_OF: Final[dict[Move, dict[str, Any]]] = {Move.ARRIVE: {"location": FixedLocation}}
"""What a move reads in another form than others do."""


def fields_of(rule: Rule) -> list[Any]:
    """What the body of a move holds, by the table: name, type and, where it may be left out, the default."""
    types = _FIELDS | _FIELDS_OF.get(rule.move, {})
    # Where the move has a list of reasons, one of them or words will do; the table looks at both.
    either = {"reason"} if "reason_code" in rule.takes else set()
    fields: list[Any] = [(name, types[name]) for name in rule.needs if name not in either]
    return [*fields, *((name, types[name] | None, None) for name in (*sorted(either), *rule.takes))]


def _body_of(rule: Rule) -> type[Wanted]:
    name = "".join(part.title() for part in str(rule.move).split("_")) + "Said"
    made = msgspec.defstruct(
        name, fields_of(rule), bases=(Wanted,), module=__name__, kw_only=True, forbid_unknown_fields=True
    )
    assert issubclass(made, Wanted)  # noqa: S101 - by its bases
    return made


def _handler_of(rule: Rule, body: type[Wanted]) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def make_move(request: web.Request) -> web.StreamResponse:
        case_id, expected = path_id(request), if_match(request)
        said = await particulars_of(request, await read_body(request, body))
        claimed, desk, actor = captured_of(request), request.app[DESK], Actor(caller_of(request))

        async def work(conn: Conn, now: datetime) -> Answer:
            row = await move_case(conn, case_id, rule.move, actor, said, expected, desk.numbers, now, claimed)
            return Answer(moved_told(row), headers={"ETag": f'"{row.version}"'})

        return await write(request, work)

    make_move.__doc__ = rule.says
    return make_move


async def particulars_of(request: web.Request, body: Wanted, without: Container[str] = ()) -> Particulars:
    """What the body says with a move; `without` names fields that are none of the move's."""
    given = {
        name: value for name, value in msgspec.structs.asdict(body).items() if value is not None and name not in without
    }
    place: Place | None = None
    if "location" in given:
        location = given.pop("location")
        place, _ = read_location(location, await request.app[DESK].city_bounds())
        if isinstance(location, FixedLocation):
            given["fix"] = Fix(taken_at=location.taken_at, mocked=location.mocked)
    for name in {"evidence", "before"} & given.keys():
        given[name] = tuple(dict.fromkeys(given[name]))
    return Particulars(**given, location=place)


def moved_told(row: CaseRow) -> Moved:
    """The case after a move."""
    return Moved(
        id=row.id, number=row.number, state=row.state, version=row.version, cycle=row.cycle, pool=row.pool,
        assignment=row.assignment_id, officer=row.officer_id, department=row.department, due_at=row.due_at,
        suspended=row.suspended, held_by=row.held_by,
    )  # fmt: skip


def callers_of(rule: Rule) -> frozenset[Role]:
    """The roles that may call the move's route at all; the table looks at the case."""
    roles = {by for by in rule.by if isinstance(by, Role)}
    if Party.DEPARTMENT in rule.by:
        roles.add(Role.SUPERVISOR)
    if rule.by & {Party.CHECKER, Party.CALLED, Party.RESPONDER}:
        roles.add(Role.OFFICER)
    if Party.CO_OWNER in rule.by:
        roles.add(Role.HANDLER)
    return frozenset(roles | {Role.OFFICER, Role.HANDLER} if Party.OWNER in rule.by else roles)


def _route_of(move: Move, rule: Rule) -> Route:
    body = _body_of(rule)
    return Route(
        method="POST",
        path=f"/api/v1/cases/{{id}}/{move}",
        handler=_handler_of(rule, body),
        roles=callers_of(rule),
        summary=rule.says,
        reads=body,
        answers=Moved,
        statuses=(200, 409, 422, 428),
        idempotent=True,
        if_match=True,
        captured=True,
    )


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
    *(_route_of(move, rule) for move, rule in MOVES.items() if rule.over_http),
)  # fmt: skip
