"""A person moves a case: one row of the table of moves, made on the version that the person saw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from events.catalog import (
    CaseAppealSettled,
    CaseArrived,
    CaseChecked,
    CaseFiled,
    CaseHandedOver,
    CaseLinked,
    CaseMerged,
    CaseReferred,
    CaseRelieved,
    CaseReopened,
    CaseUnlinked,
    CaseUnmerged,
)
from geo.projection import metres_between
from gridsvc.actions.answer_call import ANSWERS, Answered, check_it_rings, keep_answer
from gridsvc.actions.ask_department import (
    check_evidence,
    facts_of_part,
    part_asked,
    part_ended,
    part_meant,
    told_of_part,
)
from gridsvc.actions.ask_reporters import (
    ask_reporters,
    call_back_answered,
    call_back_meant,
    call_off_for,
    keep_call_back,
    lock_for_unmerging,
)
from gridsvc.actions.ask_somebody import Task, budgets_of, columns_of, facts_of_task, keep_task, task_of
from gridsvc.actions.carry_effects import (
    Held,
    carried,
    check_cause,
    check_heir,
    hold,
    note_effects,
    tell_of_reopened_cause,
)
from gridsvc.actions.explain_conflict import explained, refuse_what_is_over
from gridsvc.actions.file_report import ROUTE_WITHIN
from gridsvc.actions.follow_grid import where_it_lies_now
from gridsvc.actions.hand_over import HANDED_OVER, RELIEVED, check_colleague, handed_over_to
from gridsvc.actions.judge_capture import judge_capture
from gridsvc.actions.record_move import NewOwner, Recorded, record_move
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.attribute import checked, kept
from gridsvc.domain.captured import Claimed
from gridsvc.domain.case import Moved, decide
from gridsvc.domain.case_guards import CHECKS
from gridsvc.domain.case_state import (
    FINAL,
    Actor,
    AtVersion,
    Clock,
    Expected,
    Move,
    Particulars,
    Pool,
    State,
    WhileAssigned,
    WhileCalled,
)
from gridsvc.domain.category import Category, missing_evidence
from gridsvc.domain.checking import SEND_WITHIN, wanted_check
from gridsvc.domain.report import case_number
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import BadRequest, GuardFailed, OutsideTheGrid, Unknown, VersionConflict, WrongMoment
from gridsvc.store import attachments, cases, owners
from gridsvc.store.cases import CaseRow, located
from gridsvc.store.cells import Wanted, owners_of
from gridsvc.store.checks import CheckRow
from gridsvc.store.numbers import NumberBlocks
from gridsvc.store.rulebook import rulebook


async def move_case(
    conn: Conn,
    case_id: UUID,
    move: Move,
    actor: Actor,
    said: Particulars,
    expected: Expected,
    numbers: NumberBlocks,
    now: datetime,
    claimed: Claimed | None = None,
) -> CaseRow:
    """Make `move`, if it may be made; return the case after.

    `claimed` is when a phone says that it was made, where it could tell it only later.

    Raises Unknown for a case outside the caller's scope, CallOver for a call that rings with the caller no more,
    VersionConflict when the case has moved on, NotAllowed, WrongMoment, BadRequest and GuardFailed as the table
    says. A refusal because the case has moved on says what happened meanwhile. In the caller's transaction: whoever
    locks the case first wins, the others see the new version.
    """
    if move in ANSWERS:  # whoever was called hears that it is taken, also where the case has left his sight
        seen = await cases.lock(conn, case_id)
        await check_it_rings(conn, case_id, seen, move, actor)
        if seen is None:
            raise Unknown(f"no case {case_id}", case=str(case_id))
    if move is Move.UNMERGE:
        await lock_for_unmerging(conn, case_id, actor)
    try:
        held = await hold(conn, case_id, move, actor, said)
    except Unknown:
        await refuse_what_is_over(conn, case_id, actor, expected)
        raise
    locked = held.case
    try:
        check_expected(locked, expected)
        waits = await call_back_meant(conn, locked, said)
        case = replace(held.as_decided(), call_back=waits.call_back() if waits else None)
        book = await rulebook(conn)
        moved = decide(case, move, actor, said, now, book.reasons)
    except (VersionConflict, WrongMoment) as refused:
        raise await explained(conn, refused, case_id, expected) from None
    when = await judge_capture(conn, locked, case, actor, said, claimed, now)
    asked_back = call_back_answered(book, locked, waits, said, now)
    _check_category(book.categories[(locked.edition, locked.category)], move, said)
    await _check_named(conn, held, said)
    if move is Move.HAND_OVER:
        await check_colleague(conn, said, now)
    await act_as_service(conn)
    if move is Move.UNMERGE:
        await call_off_for(conn, locked, now)
    task = await task_of(conn, book, locked, move, actor, said, now)
    asked, meant = part_asked(locked, move, actor, said, now), await part_meant(conn, locked, move, actor, said)
    part = asked or meant
    answered = await keep_answer(conn, locked, move, actor, said, now)
    changes = await _changes(conn, book, locked, moved, actor, said, numbers, now)
    if said.evidence or said.before:
        purpose = "check" if move is Move.CHECK else "note" if move in _SAY_SOMETHING else "after"
        was = await attachments.attach(conn, said.before, locked.id, None, "before", actor.id)
        now_is = await attachments.attach(conn, said.evidence, locked.id, None, purpose, actor.id)
        _check_shown(book.categories[(locked.edition, locked.category)], move, before=was, after=now_is)
    facts = facts_of(said, changes) | _facts_of_move(locked, moved, said, changes) | facts_of_task(task)
    told = _told(moved, locked, said, task, answered)
    if part is not None:
        told = told_of_part(part)
    if asked_back is not None:
        facts, told = facts | asked_back.facts(), asked_back.told()
    recorded = Recorded(
        moved=moved,
        actor=actor.id,
        facts={**facts, **facts_of_part(part), **answered.facts, **when.facts},
        owner=answered.owner or _owner_by_hand(book, locked, moved, said),
        ended_why=_ended_why(locked, moved),
        changes={**changes, **columns_of(task), **answered.changes},
        told=told,
        check_result=said.result if move is Move.CHECK else None,
        reply=said.reply,
        answered_by=answered.accepted_by,
        budgets=budgets_of(task),
        asks_part=asked,
        ends_part=part_ended(meant, move, actor, said, when.at),
        captured_at=when.at,
    )
    after = await record_move(conn, book, locked, recorded, now, carried(book, held, move, said.into, actor.id, now))
    await keep_task(conn, task)
    await note_effects(conn, held, move, said)
    if move is Move.REOPEN:
        await tell_of_reopened_cause(conn, locked, actor.id, now)
    if move is Move.CLOSE:
        await ask_reporters(conn, book, after, actor.id, now)
    return await keep_call_back(conn, book, after, asked_back, actor, said, now) if asked_back else after


def check_expected(locked: CaseRow, expected: Expected) -> None:
    """Raise VersionConflict where the case is not what the move was decided on."""
    if not _stands(locked, expected):
        raise VersionConflict(
            f"the case is at version {locked.version} now; read it again and decide anew",
            current_version=locked.version,
            current_assignment=str(locked.assignment_id) if locked.assignment_id else None,
            state=locked.state,
        )


def _stands(locked: CaseRow, expected: Expected) -> bool:
    match expected:
        case AtVersion():
            return locked.version == expected.version
        case WhileCalled():
            return locked.call_id == expected.call_id
        case WhileAssigned():
            return locked.assignment_id == expected.assignment_id


def _check_category(category: Category, move: Move, said: Particulars) -> None:
    """What the case's own category asks of the move, besides the table."""
    if said.condition is not None:
        category.condition(said.condition)
    if move is Move.CO_HAND_IN:
        check_evidence(category, said)
    missing = missing_evidence(category, "before", said.before) if move is Move.HAND_IN else None
    if missing is not None:
        raise BadRequest(missing, field="before", wanted="at least one photograph from before the work")


def _check_shown(category: Category, move: Move, *, before: bool, after: bool) -> None:
    """A voice note says something and shows nothing: where a photograph is wanted, one must be among the files."""
    if move is Move.HAND_IN and not after:
        raise GuardFailed("a voice note shows nothing; want a photograph from after the work", guard="brings_evidence")
    if move is Move.CHECK and not after:
        raise BadRequest("a voice note shows nothing", field="evidence", wanted="at least one photograph")
    if move in {Move.HAND_IN, Move.CO_HAND_IN}:
        for moment, field, there in (("before", "before", before), ("after", "evidence", after)):
            missing = missing_evidence(category, moment, [there] if there else [])
            if missing is not None:
                raise BadRequest(missing, field=field, wanted=f"at least one photograph from {moment} the work")


async def _check_named(conn: Conn, held: Held, said: Particulars) -> None:
    """Whoever and whatever the move names must exist, and be in sight."""
    locked = held.case
    if said.officer is not None and not await owners.is_active_officer(conn, said.officer, locked.duty_line):
        raise Unknown(f"no active officer {said.officer} in duty line {locked.duty_line}", field="officer")
    if said.department is not None and not await owners.department_exists(conn, said.department):
        raise Unknown(f"no department {said.department!r}", field="department")
    if said.into is not None:
        other = await cases.lock(conn, said.into)
        if other is None:
            raise Unknown(f"no case {said.into}", field="into")
        if other.state in FINAL:
            raise GuardFailed(f"the case it is merged into is {other.state}; want one that goes on", guard="goes_on")
        if other.exercise and not locked.exercise:
            raise GuardFailed("the case it is merged into is an exercise; want a real one", guard="goes_on")
        check_heir(other, held)
    if said.cause is not None:
        await check_cause(conn, locked, said.cause)


async def _changes(
    conn: Conn,
    book: Rulebook,
    locked: CaseRow,
    moved: Moved,
    actor: Actor,
    said: Particulars,
    numbers: NumberBlocks,
    now: datetime,
) -> dict[str, Any]:
    """The columns that this very move sets besides what every move sets."""
    move = moved.rule.move
    if move is Move.LOCATE:
        return {**await _placed(conn, locked, said, now), **_to_be_looked_at(book, locked, moved, now, located=True)}
    if move is Move.CHECK:
        return _attributes(book.categories[(locked.edition, locked.category)], locked, said)
    if move is Move.FILE:
        number = locked.number or await _new_number(book, locked, numbers, now)
        said_which = {"condition": said.condition} if said.condition else {}
        said_which |= _attributes(book.categories[(locked.edition, locked.category)], locked, said)
        return {"number": number, "filed_at": locked.filed_at or now, **said_which, **_to_routing(moved, now)}
    if move is Move.CORRECT:
        return {**await _corrected(conn, book, locked, said, now), **_to_routing(moved, now)}
    if move is Move.ACCEPT and locked.department and actor.caller:
        return {"handler_id": actor.caller.user_id}
    if move is Move.REWORK and locked.department:
        return {"handler_id": None}  # the desk sends it to the department, which finds somebody
    if move is Move.SEND_BACK and not await owners.still_handles(conn, locked.handler_id, locked.department):
        return {"handler_id": None}
    if move is Move.UNMERGE:
        anew = await where_it_lies_now(conn, locked, now)
        return {"merged_into": None, **anew, **_to_be_looked_at(book, locked, moved, now)}
    if move is Move.REOPEN:
        anew = await where_it_lies_now(conn, locked, now)
        return {**anew, "held_by": None, **_to_routing(moved, now)}  # a new cycle begins where every case begins
    if move is Move.MERGE:
        return {"merged_into": said.into}
    if move is Move.HAND_IN:
        return _to_be_looked_at(book, locked, moved, now)
    if move is Move.SUSPEND:
        return {"suspended_until": said.until}
    return _to_routing(moved, now)


async def _new_number(book: Rulebook, locked: CaseRow, numbers: NumberBlocks, now: datetime) -> str:
    today = now.astimezone(book.zone)
    division = locked.division_code or ""
    [taken] = await numbers.take("case", division, today.date())
    return case_number(division, today, taken)


def _attributes(category: Category, locked: CaseRow, said: Particulars) -> dict[str, Any]:
    """What is known of the case's attributes once `said` is added; nothing where nothing was said.

    Of what was known under another category, what still holds. Raises BadAttribute.
    """
    known = kept(category.attributes, locked.attributes)
    known |= checked(category.attributes, said.attributes or {})
    return {} if known == locked.attributes else {"attributes": known}


def _to_be_looked_at(
    book: Rulebook, locked: CaseRow, moved: Moved, now: datetime, *, located: bool = False
) -> dict[str, Any]:
    """From when on the reconciler sees to it that somebody is sent, where the category wants that of itself.

    Whoever is out already looks at the new place too.
    """
    if locked.checker_id is not None and Clock.ON_SITE not in moved.rule.stops:
        return {}
    category = book.categories[(locked.edition, locked.category)]
    placed = located or locked.cell_code is not None
    wanted = wanted_check(category, moved.state, locked.source, located=placed)
    return {"check_again_at": now + SEND_WITHIN} if wanted else {}


def _to_routing(moved: Moved, now: datetime) -> dict[str, Any]:
    return {"route_again_at": now + ROUTE_WITHIN} if moved.pool is Pool.ROUTING else {}


async def _placed(conn: Conn, locked: CaseRow, said: Particulars, now: datetime) -> dict[str, Any]:
    assert said.location is not None  # noqa: S101 - the table demands it
    [owner] = await owners_of(conn, [Wanted(said.location, locked.duty_line)], now)
    if owner is None:
        raise OutsideTheGrid(said.location.lon, said.location.lat)
    return located(said.location, owner)


async def _corrected(conn: Conn, book: Rulebook, locked: CaseRow, said: Particulars, now: datetime) -> dict[str, Any]:
    """What is said instead, and what follows by rule: another category or place has its own cell, beat and limits."""
    changes: dict[str, Any] = {
        name: value for name in ("description", "address") if (value := getattr(said, name)) is not None
    }
    category = book.categories[(locked.edition, locked.category)]
    if said.category is not None:
        category = book.category(said.category)
    changes |= _attributes(category, locked, said)
    if said.category is None and said.location is None:
        return changes
    place = said.location or locked.place_of()
    assert place is not None  # noqa: S101 - what is filed has a place
    [owner] = await owners_of(conn, [Wanted(place, category.duty_line)], now)
    if owner is None:
        raise OutsideTheGrid(place.lon, place.lat)
    stays = (category.edition, category.code) == (locked.edition, locked.category)
    return {
        **changes,
        **located(place, owner),
        "edition": category.edition,
        "category": category.code,
        # A condition is one of its category's: under another category nobody has said which it is.
        "condition": locked.condition if stays else None,
        "duty_line": category.duty_line,
        "severity": category.severity,
        "held_by": locked.held_by if locked.held_by in owner.divisions else None,
    }


def _owner_by_hand(book: Rulebook, locked: CaseRow, moved: Moved, said: Particulars) -> NewOwner | None:
    if moved.rule.move is Move.HAND_OVER:
        return handed_over_to(book, locked, said)
    if moved.rule.move not in {Move.ASSIGN, Move.FORWARD}:
        return None
    return NewOwner(
        officer_id=said.officer,
        department=None if said.officer else said.department,
        rule="by_hand",
        edition=book.routing.number,
        reasons={"note": said.note},
    )


def _ended_why(locked: CaseRow, moved: Moved) -> str | None:
    """Why the current assignment ends, if it does: given back, handed to another, or over with the case."""
    if locked.assignment_id is None:
        return None
    if moved.rule.move is Move.ASSIGN:
        return "reassigned"
    if moved.rule.move is Move.HAND_OVER:
        return HANDED_OVER
    if moved.rule.move is Move.RELIEVE:
        return RELIEVED
    if moved.pool is not None:
        return "returned" if moved.rule.move is Move.RETURN else str(moved.rule.move)
    return str(moved.state) if moved.state in FINAL else None


def _told(moved: Moved, locked: CaseRow, said: Particulars, task: Task | None, answered: Answered) -> Mapping[str, Any]:
    if answered.told:
        return answered.told
    if isinstance(task, CheckRow):
        return {"check_id": task.id, "kind": task.kind, "officer_id": task.officer_id}
    if moved.rule.tells is CaseChecked:
        return {"kind": CHECKS[State(locked.state)], "result": said.result}
    if moved.rule.tells is CaseFiled or moved.rule.tells is CaseReopened:
        return {"cycle": moved.cycle}
    if moved.rule.tells is CaseMerged:
        return {"into": said.into}
    if moved.rule.tells is CaseReferred:
        return {"division": said.division}
    if moved.rule.tells is CaseLinked:
        return {"cause_id": said.cause, "officer_id": locked.officer_id, "department": locked.department}
    if moved.rule.tells is CaseHandedOver:
        return {"from_officer": locked.officer_id}
    if moved.rule.tells is CaseRelieved:
        return {"from_officer": locked.officer_id, "why": said.reason}
    if moved.rule.tells is CaseUnlinked:
        return {"cause_id": locked.cause_id}
    if moved.rule.tells is CaseUnmerged:
        return {"out_of": locked.merged_into, "pool": str(moved.pool)}
    if moved.rule.tells is CaseArrived:
        return {"distance_m": None if said.location is None else _distance_m(locked, said)}
    if moved.rule.tells is CaseAppealSettled:
        return {"result": said.result}
    return {}


def _distance_m(locked: CaseRow, said: Particulars) -> float:
    place = locked.place_of()
    assert place is not None  # noqa: S101 - the table demands both
    assert said.location is not None  # noqa: S101
    return round(metres_between(place, said.location), 1)


def _facts_of_move(locked: CaseRow, moved: Moved, said: Particulars, changes: Mapping[str, Any]) -> dict[str, object]:
    """What this very move adds to the history: how things were before, and how far away somebody stood."""
    move = moved.rule.move
    if move is Move.CORRECT:
        return {"corrected": _before_and_after(locked, changes)}
    if move is Move.ARRIVE:
        return _arrived(locked, said)
    if move is Move.CHECK:
        return {"kind": CHECKS[State(locked.state)]}
    if move in {Move.HAND_OVER, Move.RELIEVE}:
        return {"from_officer": str(locked.officer_id)}
    if move is Move.UNLINK:
        return {"cause": str(locked.cause_id)}
    if move is Move.UNMERGE:
        return {"out_of": str(locked.merged_into)}
    return {}


def _arrived(locked: CaseRow, said: Particulars) -> dict[str, object]:
    """How far from the place and how exact; or why the phone could not say."""
    if said.location is None:
        return {"no_fix": said.no_fix}
    taken = said.fix.taken_at if said.fix else None
    return {
        "distance_m": _distance_m(locked, said),
        "accuracy_m": said.location.accuracy_m,
        **({"taken_at": taken.isoformat()} if taken is not None else {}),
        **({"mocked": True} if said.fix and said.fix.mocked else {}),
    }


def _before_and_after(locked: CaseRow, changes: Mapping[str, Any]) -> dict[str, list[object]]:
    """Each column that a correction changes: how it was, how it is. Where it lies is told in degrees."""
    return {
        name: [getattr(locked, name), value]
        for name, value in changes.items()
        if name in _CORRECTED and getattr(locked, name) != value
    }


_SAY_SOMETHING: Final = frozenset({Move.NOTE, Move.ASK_DESK, Move.REPLY, Move.APPEAL})
"""What is attached to these belongs to their words; it does not show the work when it was done."""

_CORRECTED: Final = frozenset(
    {
        "edition", "category", "condition", "duty_line", "severity", "description", "address", "lon", "lat",
        "grid_set_id", "division_code", "management_level", "cell_code", "cell_method", "beat_code", "held_by",
        "attributes",
    }
)  # fmt: skip


def facts_of(said: Particulars, changes: Mapping[str, Any]) -> dict[str, object]:
    """What the history keeps of a move, in JSON's own types; nothing that was not said."""
    facts: dict[str, object] = {
        "reason": said.reason,
        "reason_code": said.reason_code,
        "note": said.note,
        "officer": str(said.officer) if said.officer else None,
        "department": said.department,
        "before": [str(each) for each in said.before],
        "evidence": [str(each) for each in said.evidence],
        "until": said.until.isoformat() if said.until else None,
        "into": str(said.into) if said.into else None,
        "cause": str(said.cause) if said.cause else None,
        "division": said.division,
        "condition": said.condition,
        "result": said.result,
        "wanted": said.wanted,
        "reply": said.reply,
        "satisfaction": said.satisfaction,
        "number": changes.get("number"),
        "cell": changes.get("cell_code"),
        "grid_set": changes.get("grid_set_id"),
        "method": changes.get("cell_method"),
    }
    if "attributes" in changes:
        facts["attributes"] = dict(changes["attributes"])
    return {name: value for name, value in facts.items() if value not in (None, [])}
