"""Who may declare an outage and who approves it, and which stretch of which clock it takes out."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID, uuid4

import pytest

from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import Clock
from gridsvc.domain.clock import CaseClock, go_on, judged_anew, stop_clock
from gridsvc.domain.deadline import ClockUnit, Pause
from gridsvc.domain.outage import (
    Had,
    Outage,
    OutageState,
    Scene,
    Told,
    approved,
    declared,
    ended,
    refused,
    stretch,
    withdrawn,
)
from gridsvc.errors import BadRequest, GuardFailed, NotAllowed, WrongMoment
from tests.unit.domain.sample_rules import rulebook

NOW: Final = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)  # a Friday, 14:00 in the city
HOUR: Final = timedelta(hours=1)
PATH: Final = ("620100", "620102")
ID: Final = UUID(int=7)
BOOK: Final = rulebook()


def a(role: Role, division: str, **axis: str) -> Caller:
    return Caller(id=f"user:{uuid4()}", grants=(Grant(role=role, division=division, **axis),))


DISTRICT: Final = a(Role.SUPERVISOR, "620102")
CHIEF: Final = a(Role.ADMIN, "620100")


def told(**other: Any) -> Told:
    return replace(
        Told(reason="flood", words="", division="620102", duty_line=None, department=None, kinds=(),
             also_emergencies=False, start=NOW, end=None),
        **other,
    )  # fmt: skip


def an(state: OutageState = OutageState.APPROVED, **other: Any) -> Outage:
    made = declared(ID, told(), DISTRICT, PATH, NOW)
    return replace(made, state=state, **other)


# -- who and when -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("by", "scope", "may"),
    [
        (a(Role.SUPERVISOR, "620102"), {}, True),
        (a(Role.ADMIN, "620100"), {}, True),
        (a(Role.DISPATCHER, "620100"), {}, False),
        (a(Role.SUPERVISOR, "620103"), {}, False),
        (a(Role.SUPERVISOR, "620102", department="water"), {}, False),
        (a(Role.SUPERVISOR, "620102", department="water"), {"department": "water"}, True),
        (a(Role.SUPERVISOR, "620102", department="water"), {"department": "lamps"}, False),
        (a(Role.SUPERVISOR, "620102", duty_line="social"), {"duty_line": "social"}, True),
        (a(Role.SUPERVISOR, "620102", duty_line="social"), {"department": "water"}, False),
    ],
)
def test_who_leads_all_of_the_scope_declares_it(by: Caller, scope: dict[str, str], may: bool) -> None:
    if may:
        assert declared(ID, told(**scope), by, PATH, NOW).state is OutageState.DECLARED
    else:
        with pytest.raises(NotAllowed):
            declared(ID, told(**scope), by, PATH, NOW)


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"reason": "holiday"}, "reason"),
        ({"reason": "other"}, "words"),
        ({"kinds": ("lunch",)}, "clocks"),
        ({"start": NOW - timedelta(days=400)}, "from"),
        ({"end": NOW}, "until"),
    ],
)
def test_what_cannot_be_is_refused_and_says_what_is_wanted(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(BadRequest) as refused_:
        declared(ID, told(**wrong), DISTRICT, PATH, NOW)
    assert refused_.value.facts["field"] == field
    assert "wanted" in refused_.value.facts


def test_another_person_approves_for_the_whole_city_and_never_who_declared_it() -> None:
    waits = an(OutageState.DECLARED)
    assert approved(waits, CHIEF, PATH[0]).approved_by == CHIEF.id
    with pytest.raises(NotAllowed):
        approved(waits, DISTRICT, PATH[0])
    with pytest.raises(NotAllowed):
        approved(waits, a(Role.SUPERVISOR, "620100", department="water"), PATH[0])
    with pytest.raises(GuardFailed):
        approved(replace(waits, declared_by=CHIEF.id), CHIEF, PATH[0])
    with pytest.raises(WrongMoment):
        approved(an(), CHIEF, PATH[0])
    assert refused(waits, CHIEF, PATH[0]).state is OutageState.REFUSED


def test_it_is_ended_and_withdrawn_by_who_leads_its_scope_or_the_city() -> None:
    over = ended(an(), DISTRICT, PATH, PATH[0], NOW + HOUR)
    assert (over.end, over.version) == (NOW + HOUR, 2)
    with pytest.raises(BadRequest):
        ended(an(), DISTRICT, PATH, PATH[0], NOW)
    with pytest.raises(NotAllowed):
        ended(an(), a(Role.SUPERVISOR, "620103"), PATH, PATH[0], NOW + HOUR)
    gone = withdrawn(over, CHIEF, PATH, PATH[0])
    with pytest.raises(WrongMoment):
        withdrawn(gone, CHIEF, PATH, PATH[0])
    with pytest.raises(WrongMoment):
        ended(gone, CHIEF, PATH, PATH[0], NOW + HOUR)


# -- what it takes out --------------------------------------------------------------------------------

SCENE: Final = Scene(
    divisions=("620100", "620102"), duty_line="city", severity="normal", had=(Had(1, "water", NOW - 9 * HOUR, None),)
)


def a_clock(kind: Clock = Clock.HANDLING, *, began: datetime = NOW - HOUR, hours: int = 2) -> CaseClock:
    return CaseClock(
        id=UUID(int=1), case_id=UUID(int=2), cycle=1, kind=kind, ladder="handling", unit=ClockUnit.NATURAL,
        budget_seconds=hours * 3600, calendar=None, edition=None, state="running", started_at=began, stopped_at=None,
        due_at=began + hours * HOUR, provisional=False, fired_level=0, next_level=None, next_fire_at=None,
    )  # fmt: skip


def test_it_takes_out_what_both_last() -> None:
    assert stretch(an(end=NOW + HOUR), SCENE, a_clock(), None) == Pause(NOW, NOW + HOUR, "outage", ID)
    assert stretch(an(), SCENE, a_clock(began=NOW + HOUR), None) == Pause(NOW + HOUR, None, "outage", ID)
    stopped = stop_clock(a_clock(), NOW + HOUR)
    assert stretch(an(), SCENE, stopped, None) == Pause(NOW, NOW + HOUR, "outage", ID)
    assert stretch(an(), SCENE, stop_clock(a_clock(), NOW), None) is None, "over when it began"
    assert stretch(an(end=NOW + HOUR), SCENE, a_clock(began=NOW + HOUR), None) is None


@pytest.mark.parametrize(
    ("outage", "scene", "kind", "within"),
    [
        ({"division": None}, {}, Clock.CHECKING, True),
        ({}, {"divisions": ("620100", "620103")}, Clock.HANDLING, False),
        ({"duty_line": "social"}, {}, Clock.HANDLING, False),
        ({}, {"severity": "emergency"}, Clock.HANDLING, False),
        ({"also_emergencies": True}, {"severity": "emergency"}, Clock.HANDLING, True),
        ({"kinds": frozenset({Clock.CHECKING})}, {}, Clock.HANDLING, False),
        ({"department": "water"}, {}, Clock.HANDLING, True),
        ({"department": "water"}, {}, Clock.CHECKING, False),
        ({"department": "lamps"}, {}, Clock.HANDLING, False),
        ({"department": "water"}, {"had": (Had(1, "water", NOW - 9 * HOUR, NOW),)}, Clock.HANDLING, False),
        ({"department": "water"}, {"had": (Had(2, "water", NOW - 9 * HOUR, None),)}, Clock.HANDLING, False),
        ({"state": OutageState.DECLARED}, {}, Clock.HANDLING, False),
        ({"state": OutageState.WITHDRAWN}, {}, Clock.HANDLING, False),
    ],
)
def test_only_its_scope_stands_still(outage: dict[str, Any], scene: dict[str, Any], kind: Clock, within: bool) -> None:
    found = stretch(an(**outage), replace(SCENE, **scene), a_clock(kind), None)
    assert (found is not None) is within


def test_a_part_stands_still_with_its_own_department() -> None:
    part = replace(a_clock(Clock.CO_HANDLING), co_handling_id=UUID(int=3))
    assert stretch(an(department="lamps"), SCENE, part, "lamps") is not None
    assert stretch(an(department="water"), SCENE, part, "lamps") is None


# -- what that does to a clock ------------------------------------------------------------------------


def test_the_deadline_moves_and_the_fact_stays_beside_it() -> None:
    clock = go_on(a_clock(), BOOK, [Pause(NOW, NOW + 3 * HOUR, "outage", ID)])
    assert (clock.due_at, clock.plain_due_at) == (NOW + 4 * HOUR, NOW + HOUR)
    assert go_on(clock, BOOK, []).plain_due_at is None, "given back"


def test_overlapping_outages_and_suspensions_count_once() -> None:
    pauses = [
        Pause(NOW, NOW + 3 * HOUR, "outage", ID), Pause(NOW + HOUR, NOW + 2 * HOUR, "outage", UUID(int=8)),
        Pause(NOW + 2 * HOUR, NOW + 4 * HOUR, "suspended"),
    ]  # fmt: skip
    clock = go_on(a_clock(), BOOK, pauses)
    assert clock.due_at == NOW + 5 * HOUR
    assert clock.plain_due_at == NOW + HOUR, "the suspension began when it was due: too late"


def test_what_lies_outside_working_hours_moves_nothing() -> None:
    """The city's calendar works from 8 to 12 and from 14 to 18; the outage is the night from Friday to Saturday."""
    calendar = BOOK.calendar("city")
    assert calendar is not None
    work = replace(a_clock(began=NOW, hours=6), unit=ClockUnit.WORK, calendar="city", edition=calendar.edition)
    plain = go_on(work, BOOK, [])
    night = Pause(NOW + 5 * HOUR, NOW + 14 * HOUR, "outage", ID)
    assert go_on(work, BOOK, [night]) == plain
    assert go_on(work, BOOK, [replace(night, start=NOW + 3 * HOUR)]).due_at == plain.due_at + HOUR


def test_an_outage_without_an_end_holds_the_clock_and_a_stopped_one_is_judged_anew() -> None:
    held = go_on(a_clock(), BOOK, [Pause(NOW, None, "outage", ID)])
    assert (held.state, held.next_fire_at) == ("paused", None)
    late = stop_clock(a_clock(), NOW + 2 * HOUR)
    anew = judged_anew(late, None, [Pause(NOW, NOW + 2 * HOUR, "outage", ID)])
    assert (anew.state, anew.stopped_at) == ("stopped", NOW + 2 * HOUR)
    assert anew.due_at == NOW + 3 * HOUR, "in time, as corrected"
    assert anew.plain_due_at == NOW + HOUR, "late, as a fact"
