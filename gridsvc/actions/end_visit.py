"""A visit ends: the officer says what he found, its case is closed, and the plan knows when the next one is."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from geo.place import Place
from geo.projection import metres_between
from gridsvc.actions.file_report import CLOCKS_DIFFER
from gridsvc.actions.judge_capture import judge_capture
from gridsvc.actions.move_case import facts_of
from gridsvc.actions.record_move import Recorded, record_move
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Caller
from gridsvc.domain.attribute import checked, refuse_missing
from gridsvc.domain.captured import Claimed
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, State
from gridsvc.domain.rulebook import Rulebook
from gridsvc.domain.visit import next_after
from gridsvc.errors import BadRequest, Unknown
from gridsvc.sealing import Sealer
from gridsvc.store import cases, visit_plans, visits
from gridsvc.store.cases import CaseRow
from gridsvc.store.rulebook import rulebook
from gridsvc.store.visits import Ended, VisitRow

WITH_A_FORM: Final = frozenset({"made", "trouble"})
"""Results whose form must be whole: somebody stood there and saw."""


@dataclass(frozen=True, kw_only=True)
class VisitSaid:
    """What the officer says. `attributes` and `note` are the form, which is sealed.

    `visited_at` None: by what the phone says of the time (`claimed`), or now.
    """

    result: str
    visited_at: datetime | None = None
    attributes: Mapping[str, str | int | float]
    note: str = ""
    location: Place | None = None
    claimed: Claimed | None = None


async def end_visit(
    conn: Conn, visit_id: UUID, said: VisitSaid, by: Caller, sealer: Sealer, now: datetime
) -> CaseRow:
    """Close the case of the visit with its result; return it. In the caller's transaction.

    Raises Unknown for a visit outside the caller's scope, NotAllowed for whoever does not answer for it, WrongMoment
    and GuardFailed as the table of moves says, BadAttribute and BadRequest for a form that cannot be.
    """
    visit = await visits.ONE.one(conn, visit_id)
    locked = None if visit is None else await cases.lock(conn, visit.case_id)
    if visit is None or locked is None:
        raise Unknown(f"no visit {visit_id}", given=str(visit_id))
    book = await rulebook(conn)
    particulars = Particulars(result=said.result)
    case, actor = locked.case(), Actor(by)
    moved = decide(case, Move.VISIT, actor, particulars, now, book.reasons)
    when = await judge_capture(conn, locked, case, actor, particulars, said.claimed, now)
    visited_at = _visited_at(visit, said, when.at, now)
    sealed = sealer.seal(msgspec.json.encode(_form(book, locked, said)), purpose_of(visit.id))
    assert by.user_id is not None  # noqa: S101 - an owner is a person
    await act_as_service(conn)
    # The history attests to the form without telling it: a hash of what is sealed, which is other each time.
    facts = {
        **facts_of(particulars, {}), "visit": str(visit.id), "visited_at": visited_at.isoformat(),
        "form": hashlib.sha256(sealed).hexdigest(), **when.facts,
    }  # fmt: skip
    recorded = Recorded(
        moved=moved, actor=by.id, facts=facts, ended_why=str(State.CLOSED),
        told={"visit_id": visit.id, "result": said.result}, captured_at=when.at,
    )  # fmt: skip
    after = await record_move(conn, book, locked, recorded, now)
    how = Ended(
        id=visit.id, ended_at=now, visited_at=visited_at, result=said.result, officer_id=by.user_id,
        distance_m=_distance_m(locked, said), form_sealed=sealed,
    )  # fmt: skip
    await visits.end(conn, how)
    await _plan_next(conn, book, visit, after, how)
    return after


def purpose_of(visit_id: UUID) -> str:
    """What a form is sealed for."""
    return f"visit:{visit_id}"


def _form(book: Rulebook, locked: CaseRow, said: VisitSaid) -> dict[str, object]:
    category = book.categories[locked.edition, locked.category]
    attributes = checked(category.attributes, said.attributes)
    if said.result in WITH_A_FORM:
        refuse_missing(category.attributes, attributes)
    return {"attributes": attributes, "note": said.note}


def _visited_at(visit: VisitRow, said: VisitSaid, captured_at: datetime | None, now: datetime) -> datetime:
    """When it was made: by the phone's word, which may run a little ahead, and not before the visit was due."""
    at = said.visited_at or captured_at or now
    if not visit.opened_at <= at <= now + CLOCKS_DIFFER:
        raise BadRequest(
            f"visited_at is {at.isoformat()}; the visit was opened at {visit.opened_at.isoformat()}, and it is "
            f"{now.isoformat()} now",
            field="visited_at", given=at.isoformat(), wanted="a moment since the visit was opened, or none",
        )  # fmt: skip
    return min(at, now)


def _distance_m(locked: CaseRow, said: VisitSaid) -> float | None:
    place = locked.place_of()
    if place is None or said.location is None:
        return None
    return round(metres_between(place, said.location), 1)


async def _plan_next(conn: Conn, book: Rulebook, visit: VisitRow, case: CaseRow, how: Ended) -> None:
    plan = await visit_plans.LOCK.one(conn, visit.plan_id)
    if plan is None or plan.next_on is None:  # somebody has ended it meanwhile
        return
    calendar = book.calendar_for(book.categories[case.edition, case.category], case.divisions, None)
    visited_on = how.visited_at.astimezone(book.zone).date()
    day = next_after(plan.rhythm(), visited_on, visit.due_on, how.result, calendar)
    await visit_plans.go_on(conn, {plan.id: (day, plan.fault)})
