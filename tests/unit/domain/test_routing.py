"""Routing: who answers for a case, and why each of the others did not get it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.domain.candidates import FRESH, Candidate, Choice, NobodyFree, choose_officer
from gridsvc.domain.component import Answering
from gridsvc.domain.routing import choose_for_component
from gridsvc.domain.routing import choose_owner as by_rules
from gridsvc.domain.routing_rules import DEFAULT
from tests.unit.domain.routed import case_of

ANN, BOB, CEM = UUID(int=1), UUID(int=2), UUID(int=3)
NAMES = {ANN: "ann", BOB: "bob", CEM: "cem"}
STALE = FRESH + timedelta(seconds=1)


def officer(officer_id: UUID, **changes: Any) -> Candidate:
    """On duty, no open case of twelve, 500 m away a minute ago."""
    facts: dict[str, Any] = {
        "officer_id": officer_id,
        "on_duty": True,
        "open_cases": 0,
        "most_open": 12,
        "distance_m": 500.0,
        "position_age": timedelta(minutes=1),
    }
    return Candidate(**(facts | changes))


def choose_owner(
    handled_by: str, department: str | None, beat: str | None, candidates: Sequence[Candidate]
) -> Choice | NobodyFree:
    """By the rules that a city starts with."""
    case = case_of(handled_by=handled_by, department=department, beat=beat)
    return by_rules(DEFAULT, case, {f"beat:{beat}": candidates})


def chosen(candidates: Sequence[Candidate]) -> str:
    found = choose_owner("officer", None, "B01", candidates)
    if isinstance(found, NobodyFree):
        return found.why
    assert found.rule == "officer_of_the_beat"
    assert found.officer_id is not None
    return NAMES[found.officer_id]


@pytest.mark.parametrize(
    ("rule", "candidates", "expected"),
    [
        ("off duty is never chosen", [officer(ANN, on_duty=False), officer(BOB, open_cases=9)], "bob"),
        ("a smaller load beats a shorter walk",
         [officer(ANN, open_cases=2, distance_m=10), officer(BOB, open_cases=1, distance_m=900)], "bob"),
        ("of the least loaded the nearest goes", [officer(ANN, distance_m=501), officer(BOB, distance_m=500)], "bob"),
        ("a stale position counts as none",
         [officer(ANN, distance_m=1, position_age=STALE), officer(BOB, distance_m=5_000)], "bob"),
        ("a position of exactly thirty minutes is still fresh",
         [officer(ANN, distance_m=1, position_age=FRESH), officer(BOB)], "ann"),
        ("a known position beats none, however far", [officer(ANN, distance_m=None, position_age=None),
         officer(BOB, distance_m=90_000)], "bob"),
        ("without any position the lower id goes",
         [officer(BOB, distance_m=None), officer(ANN, distance_m=None)], "ann"),
        ("a full tie goes to the lower id", [officer(BOB), officer(ANN)], "ann"),
        ("a full officer gets no more", [officer(ANN, open_cases=3, most_open=3), officer(BOB, open_cases=8)], "bob"),
        ("one below his limit still gets one", [officer(ANN, open_cases=2, most_open=3)], "ann"),
        ("who did not take it before is passed over",
         [officer(ANN, already_tried=True), officer(BOB, open_cases=5)], "bob"),
        ("a beat without officers", [], "the beat has no officer"),
        ("a beat that sleeps", [officer(ANN, on_duty=False)], "no officer of the beat is on duty"),
        ("a beat that is full", [officer(ANN, open_cases=12), officer(BOB, already_tried=True),
         officer(CEM, on_duty=False)], "every officer on duty is full or did not take it before"),
    ],
)  # fmt: skip
def test_who_gets_the_case(rule: str, candidates: list[Candidate], expected: str) -> None:
    assert chosen(candidates) == expected, rule


@pytest.mark.parametrize(
    ("loser", "reason"),
    [
        (officer(BOB, on_duty=False), "off duty"),
        (officer(BOB, on_duty=False, already_tried=True), "off duty"),
        (officer(BOB, already_tried=True), "did not take it before"),
        (officer(BOB, open_cases=12), "full: 12 of 12 open"),
        (officer(BOB, open_cases=2), "2 of 12 open, the chosen one 0 of 12"),
        (officer(BOB, distance_m=850), "350 m farther"),
        (officer(BOB, distance_m=None), "no fresh position"),
        (officer(BOB, position_age=STALE), "no fresh position"),
        (officer(BOB), "a full tie goes to the lower id"),
    ],
)
def test_why_another_lost_is_kept(loser: Candidate, reason: str) -> None:
    found = choose_owner("officer", None, "B01", [loser, officer(ANN)])
    assert _reasons(found) == {str(ANN): None, str(BOB): reason}


def test_whoever_lacks_a_skill_that_is_wanted_is_passed_over_and_it_is_said_which() -> None:
    electrician = officer(BOB, skills=frozenset({"electric", "ladder"}), open_cases=5)
    climber = officer(ANN, skills=frozenset({"ladder"}))
    found = choose_officer("B01", [climber, electrician], skills=("ladder", "electric"))
    assert isinstance(found, Choice)
    assert found.officer_id == BOB
    assert _reasons(found) == {str(BOB): None, str(ANN): "lacks a skill: electric"}


def test_where_nobody_is_free_each_reason_is_kept_too() -> None:
    found = choose_owner("officer", None, "B01", [officer(ANN, on_duty=False), officer(BOB, open_cases=12)])
    assert isinstance(found, NobodyFree)
    assert _reasons(found) == {str(ANN): "off duty", str(BOB): "full: 12 of 12 open"}


def test_a_case_of_a_department_goes_to_the_department_whoever_is_on_duty() -> None:
    found = choose_owner("department", "drainage", "B01", [officer(ANN)])
    assert isinstance(found, Choice)
    assert (found.rule, found.department, found.officer_id) == ("department_of_the_category", "drainage", None)


def test_a_department_answers_also_where_no_beat_lies() -> None:
    found = choose_owner("department", "drainage", None, [])
    assert isinstance(found, Choice)
    assert found.department == "drainage"


def test_a_cell_without_a_beat_of_the_duty_line_has_nobody() -> None:
    found = choose_owner("officer", None, None, [officer(ANN)])
    assert isinstance(found, NobodyFree)
    assert found.why == "the cell lies in no beat of this duty line"


def test_a_stale_distance_is_shown_with_its_age() -> None:
    found = choose_owner("officer", None, "B01", [officer(ANN, distance_m=12.34, position_age=STALE)])
    [shown] = _candidates(found)
    assert (shown["distance_m"], shown["position_age_s"]) == (12.3, 1801.0)


facts = st.builds(
    officer,
    st.integers(1, 40).map(lambda n: UUID(int=n)),
    on_duty=st.booleans(),
    open_cases=st.integers(0, 4),
    most_open=st.integers(1, 4),
    distance_m=st.none() | st.sampled_from([0.0, 100.0, 250.0]),
    position_age=st.none() | st.sampled_from([timedelta(), FRESH, STALE]),
    already_tried=st.booleans(),
)
beats = st.lists(facts, max_size=8, unique_by=lambda each: each.officer_id)


@settings(max_examples=200, deadline=None)
@given(data=st.data(), candidates=beats)
def test_the_same_facts_give_the_same_answer_in_any_order(data: st.DataObject, candidates: list[Candidate]) -> None:
    shuffled = data.draw(st.permutations(candidates))
    assert choose_owner("officer", None, "B01", candidates) == choose_owner("officer", None, "B01", shuffled)


@settings(max_examples=200, deadline=None)
@given(candidates=beats)
def test_the_chosen_one_can_take_it_and_nobody_who_can_has_a_smaller_load(candidates: list[Candidate]) -> None:
    found = choose_owner("officer", None, "B01", candidates)
    able = [c for c in candidates if c.on_duty and not c.already_tried and c.open_cases < c.most_open]
    if isinstance(found, NobodyFree):
        assert not able
        return
    [one] = [c for c in candidates if c.officer_id == found.officer_id]
    assert one in able
    assert one.load == min(c.load for c in able)
    assert [reason is None for reason in _reasons(found).values()].count(True) == 1
    assert _reasons(found)[str(one.officer_id)] is None


def _candidates(found: Choice | NobodyFree) -> list[dict[str, Any]]:
    weighed = found.reasons["candidates"]
    assert isinstance(weighed, list)
    return weighed


def _reasons(found: Choice | NobodyFree) -> dict[str, str | None]:
    return {each["officer"]: each["lost_because"] for each in _candidates(found)}


# --- components ---------------------------------------------------------------------------------------


def component(*, maintaining: str | None = None, owning: str | None = None, unknown: bool = False) -> Answering:
    return Answering(code="6201020101000001", owning=owning, owner_unknown=unknown, maintaining=maintaining)


@pytest.mark.parametrize(
    ("rule", "named", "expected"),
    [
        ("who maintains it answers, whoever owns it", component(maintaining="lamps", owning="power"),
         ("maintainer_of_the_component", "lamps")),
        ("even if nobody knows whose it is", component(maintaining="lamps", unknown=True),
         ("maintainer_of_the_component", "lamps")),
        ("else who owns it", component(owning="power"), ("owner_of_the_component", "power")),
        ("what the register does not say the category says", component(), ("department_of_the_category", "water")),
    ],
)  # fmt: skip
def test_the_register_names_who_answers_for_a_component(rule: str, named: Answering, expected: tuple[str, str]) -> None:
    found = choose_for_component(named, "water", "register_of_components")
    assert isinstance(found, Choice), rule
    assert (found.reasons["by"], found.department) == expected, rule
    assert found.reasons["component"] == "6201020101000001"


def test_an_unknown_owner_is_nobody_and_never_a_guess() -> None:
    found = choose_for_component(component(unknown=True), "water", "register_of_components")
    assert isinstance(found, NobodyFree)
    assert found.why == "nobody knows whose component 6201020101000001 is (不明)"
    assert found.reasons["owning"] == "不明"


def test_the_register_is_asked_only_where_the_case_is_about_the_thing_and_departments_handle() -> None:
    lamp = component(maintaining="lamps")

    def owner(kind: str, handled_by: str) -> str:
        case = case_of(kind=kind, handled_by=handled_by, component=lamp)
        found = by_rules(DEFAULT, case, {"beat:B01": [officer(ANN)]})
        assert isinstance(found, Choice)
        return found.rule

    assert owner("component", "department") == "register_of_components"
    assert owner("event", "department") == "department_of_the_category", "flyers on a lamp are not the lamp's"
    assert owner("component", "officer") == "officer_of_the_beat"
