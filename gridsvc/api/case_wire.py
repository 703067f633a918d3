"""Cases as they are told: one in a list, one with everything around it, its history and its clocks."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gridsvc.api.report_wire import DivisionTold, DuplicateTold
from gridsvc.api.routing_rules import reasons_told
from gridsvc.api.rung_wire import NextRungTold
from gridsvc.api.wire import Told
from gridsvc.store import assignments, call_backs, checks, co_handlings, duplicates, effects, supervision_orders
from gridsvc.store.cases import CaseRow
from gridsvc.store.clocks import ClockChange

_EFFECTS_SHOWN: Final = 200


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


def change_told(row: ClockChange) -> ClockChangeTold:
    return ClockChangeTold(
        at=row.changed_at, calendar_edition=row.edition, before_edition=row.before_edition, due_at=row.due_at,
        before_due_at=row.before_due_at, provisional=row.provisional, before_provisional=row.before_provisional,
    )  # fmt: skip


def assignment_told(row: assignments.AssignmentRow) -> AssignmentTold:
    return AssignmentTold(
        id=row.id, cycle=row.cycle, officer=row.officer_id, department=row.department, rule=row.rule,
        edition=row.edition, reasons=reasons_told(row.reasons), assigned_by=row.assigned_by,
        assigned_at=row.assigned_at, ended_at=row.ended_at, ended_why=row.ended_why,
    )  # fmt: skip


def linked_told(row: duplicates.Linked) -> LinkedTold:
    return LinkedTold(id=row.id, number=row.number, state=row.state, merged_into=row.merged_into)


def check_told(row: checks.CheckRow) -> CheckTold:
    return CheckTold(
        id=row.id, cycle=row.cycle, kind=row.kind, officer=row.officer_id, rule=row.rule,
        reasons=dict(row.reasons), note=row.note, sent_by=row.sent_by, sent_at=row.sent_at, due_at=row.due_at,
        ended_at=row.ended_at, result=row.result,
    )  # fmt: skip


def order_told(row: supervision_orders.OrderRow) -> OrderTold:
    return OrderTold(
        id=row.id, cycle=row.cycle, kind=row.kind, level=row.level, reason=row.reason, wanted=row.wanted,
        ordered_by=row.ordered_by, ordered_at=row.ordered_at, due_at=row.due_at, ended_at=row.ended_at,
        reply=row.reply, replied_by=row.replied_by,
    )  # fmt: skip


def part_told(row: co_handlings.PartRow, now: datetime) -> PartTold:
    return PartTold(
        id=row.id, cycle=row.cycle, department=row.department, wanted=row.wanted, asked_by=row.asked_by,
        asked_at=row.asked_at, due_at=row.due_at, overdue=row.state == "running" and row.due_at < now,
        ended_at=row.ended_at, ended_by=row.ended_by, result=row.result, reason_code=row.reason_code,
        reply=row.reply, before=row.before, evidence=row.evidence, late=row.late,
    )  # fmt: skip


def related_told(row: effects.Related) -> RelatedTold:
    return RelatedTold(id=row.id, number=row.number, state=row.state, pool=row.pool, category=row.category)


def effects_told(rows: Sequence[effects.Related]) -> EffectsTold:
    return EffectsTold(count=len(rows), items=[related_told(row) for row in rows[:_EFFECTS_SHOWN]])


def call_back_told(row: call_backs.CallBackRow) -> CallBackTold:
    return CallBackTold(
        id=row.id, cycle=row.cycle, report=row.report_id, clock=row.clock_id, level=row.level,
        division=row.division_code, opened_at=row.opened_at, tries=row.tries, ended_at=row.ended_at, result=row.result,
        satisfaction=row.satisfaction, note=row.note, made_by=row.made_by,
    )  # fmt: skip


def moved_told(row: CaseRow) -> Moved:
    """The case after a move."""
    return Moved(
        id=row.id, number=row.number, state=row.state, version=row.version, cycle=row.cycle, pool=row.pool,
        assignment=row.assignment_id, officer=row.officer_id, department=row.department, due_at=row.due_at,
        suspended=row.suspended, held_by=row.held_by,
    )  # fmt: skip
