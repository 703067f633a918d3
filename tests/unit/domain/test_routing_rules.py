"""Routing rules as data: what fits, who is asked, what a city starts with, and how a file says it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.domain.candidates import Candidate, Choice, NobodyFree, choose_officer
from gridsvc.domain.component import Answering
from gridsvc.domain.routing import Inputs, NotKept, choose_owner, decided_on, kept, seal, sources_wanted, why_not
from gridsvc.domain.routing_rules import DEFAULT, When, as_document, read_rules
from tests.unit.domain.routed import CASE, case_of, rules
from tests.unit.domain.test_routing import ANN, BOB, beats, officer

BEAT = {"code": "beat", "to": "beat_officer"}
NIGHT = {"code": "night", "to": "team", "team": "night", "when": {"hours": ["22:00-06:00"]}, "else": "next"}


def at(text: str) -> dict[str, Any]:
    """The city's clocks show this."""
    return {"local": datetime.fromisoformat(text)}


# --- conditions -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("says", "when", "case", "failed"),
    [
        ("no condition holds always", {}, {}, None),
        ("a code means that of the default edition", {"categories": ["200110"]}, {}, None),
        ("and not the same code of another", {"categories": ["200110"]},
         {"category": "2007:200110", "of_default": False}, "categories"),
        ("which is named with it", {"categories": ["2007:200110"]},
         {"category": "2007:200110", "of_default": False}, None),
        ("a major class takes its categories", {"majors": ["02"]}, {}, None),
        ("a category without a major class has none", {"majors": ["02"]}, {"major": None}, "majors"),
        ("a division takes what lies below it", {"divisions": ["620102"]}, {}, None),
        ("and not its neighbour", {"divisions": ["620103", "620104"]}, {}, "divisions"),
        ("any of the sources", {"sources": ["hotline", "officer"]}, {}, None),
        ("none of the sources", {"sources": ["camera"]}, {}, "sources"),
        ("another severity", {"severities": ["high"]}, {}, "severities"),
        ("all conditions must hold", {"sources": ["officer"], "severities": ["high"]}, {}, "severities"),
        ("a weekday", {"weekdays": [3]}, {}, None),
        ("another weekday", {"weekdays": [4]}, {}, "weekdays"),
        ("hours hold from their start", {"hours": ["10:00-11:00"]}, {}, None),
        ("and no more at their end", {"hours": ["09:00-10:00"]}, {}, "hours"),
        ("hours past midnight hold before it", {"hours": ["22:00-06:00"]}, at("2026-11-25T23:59"), None),
        ("and after it", {"hours": ["22:00-06:00"]}, at("2026-11-26T05:59:59"), None),
        ("and not by day", {"hours": ["22:00-06:00"]}, at("2026-11-26T06:00"), "hours"),
        ("Saturday at two belongs to Friday's night", {"hours": ["22:00-06:00"], "weekdays": [5]},
         at("2026-11-28T02:00"), None),
        ("and Friday at two does not", {"hours": ["22:00-06:00"], "weekdays": [5]}, at("2026-11-27T02:00"), "weekdays"),
        ("a day off", {"working_day": False}, {"working_day": False}, None),
        ("a working day is none", {"working_day": False}, {}, "working_day"),
        ("the night that began on a working day is its own", {"working_day": True, "hours": ["22:00-06:00"]},
         {**at("2026-11-28T02:00"), "working_day": False, "working_day_before": True}, None),
        ("a keyword stands anywhere in what was said", {"keywords": ["燃气", "满溢"]}, {}, None),
        ("whatever its case and width", {"keywords": ["gas"]}, {"words": "有ＧＡＳ味"}, None),
        ("also inside a longer word", {"keywords": ["gas"]}, {"words": "Gasoline on the road"}, None),
        ("and none of them", {"keywords": ["燃气"]}, {}, "keywords"),
        ("another duty line", {"duty_lines": ["city"]}, {}, "duty_lines"),
        ("a component that is named and meant", {"about_component": True}, {}, "about_component"),
    ],
)  # fmt: skip
def test_when_a_rule_fits(says: str, when: dict[str, Any], case: dict[str, Any], failed: str | None) -> None:
    edition = rules({"code": "it", "to": "beat_officer", "when": when})
    assert why_not(edition.rules[0].when, case_of(**case)) == failed, says


# --- targets ----------------------------------------------------------------------------------------------------


def test_the_first_rule_that_fits_decides_and_those_before_it_say_why_they_did_not() -> None:
    edition = rules(
        {"code": "gas", "to": "department", "department": "gas", "when": {"keywords": ["燃气"]}},
        {"code": "parks", "to": "department", "department": "green", "when": {"divisions": ["620102"]}},
        BEAT,
    )
    found = choose_owner(edition, case_of(), {})
    assert isinstance(found, Choice)
    assert (found.rule, found.department) == ("parks", "green")
    assert found.reasons["passed"] == [{"rule": "gas", "because": "keywords"}]
    assert (found.reasons["rule"], found.reasons["edition"]) == ("parks", 7)


def test_a_matched_keyword_is_told_as_the_rule_spells_it() -> None:
    edition = rules({"code": "gas", "to": "department", "department": "gas", "when": {"keywords": ["燃气", "Gas"]}})
    found = choose_owner(edition, case_of(words="GAS smell"), {})
    assert found.reasons["keywords"] == ["Gas"]


def test_a_team_that_has_nobody_free_lets_the_next_rule_choose_and_says_why() -> None:
    edition = rules(NIGHT, BEAT)
    night = case_of(**at("2026-11-25T23:00"))
    assert sources_wanted(edition, night) == ["team:night", "beat:B01"]
    found = choose_owner(edition, night, {"team:night": [officer(BOB, on_duty=False)], "beat:B01": [officer(ANN)]})
    assert isinstance(found, Choice)
    assert (found.rule, found.officer_id) == ("beat", ANN)
    passed: dict[str, Any] = found.reasons["passed"][0]  # type: ignore[index]
    assert passed["why"] == "no officer of the team is on duty"
    assert [each["lost_because"] for each in passed["candidates"]] == ["off duty"]


def test_a_team_that_has_nobody_free_pools_the_case_where_the_rule_says_so() -> None:
    edition = rules({**NIGHT, "else": "pool"}, BEAT)
    night = case_of(**at("2026-11-25T23:00"))
    assert sources_wanted(edition, night) == ["team:night"]
    found = choose_owner(edition, night, {"team:night": []})
    assert isinstance(found, NobodyFree)
    assert (found.why, found.reasons["rule"], found.try_again) == ("the team has no officer", "night", True)


def test_whoever_lacks_a_skill_that_the_rule_wants_is_passed_over() -> None:
    edition = rules({**BEAT, "skills": ["electric"]})
    found = choose_owner(edition, CASE, {"beat:B01": [officer(ANN), officer(BOB, skills=frozenset({"electric"}))]})
    assert isinstance(found, Choice)
    assert found.officer_id == BOB
    nobody = choose_owner(edition, CASE, {"beat:B01": [officer(ANN)]})
    assert isinstance(nobody, NobodyFree)
    assert nobody.why == "no officer of the beat on duty has the skills: electric"


def test_how_old_a_position_may_be_is_the_editions_to_say() -> None:
    stale = officer(ANN, distance_m=1, position_age=timedelta(minutes=10))
    patient, strict = rules(BEAT), rules(BEAT, position_max_age_s=300)
    weighed = {"beat:B01": [stale, officer(BOB)]}
    assert [_owner(choose_owner(each, CASE, weighed)) for each in (patient, strict)] == [str(ANN), str(BOB)]


def test_what_a_rule_pools_waits_for_a_person_unless_it_says_otherwise() -> None:
    pool = {"code": "hold", "to": "pool", "reason": "the river is high"}
    found = [choose_owner(rules(each), CASE, {}) for each in (pool, {**pool, "try_again": True})]
    assert [isinstance(each, NobodyFree) and each.try_again for each in found] == [False, True]


def test_a_case_that_no_rule_fits_stands_in_the_pool_and_is_tried_again() -> None:
    found = choose_owner(rules({**BEAT, "when": {"severities": ["high"]}}), CASE, {})
    assert isinstance(found, NobodyFree)
    assert (found.why, found.try_again) == ("no rule of edition 7 fits", True)
    assert found.reasons["passed"] == [{"rule": "beat", "because": "severities"}]


def test_only_those_are_looked_at_whom_the_rules_may_choose() -> None:
    department = {"code": "all", "to": "category_department"}
    assert sources_wanted(rules(department, BEAT), CASE) == []
    assert sources_wanted(rules({**department, "else": "next"}, BEAT), CASE) == [], "it has a department"
    assert sources_wanted(rules({**department, "else": "next"}, BEAT), case_of(department=None)) == ["beat:B01"]
    assert sources_wanted(rules(BEAT), case_of(beat=None)) == []


# --- what a city starts with ------------------------------------------------------------------------------------


def as_before(case: Inputs, candidates: Sequence[Candidate]) -> tuple[str, str | None]:
    """What the code said before rules were data (edition 2): an owner, or why there is none."""
    if not case.dispatches_itself:
        return "a dispatcher sends on every case of this category", None
    if case.component is not None and case.kind == "component" and case.handled_by == "department":
        if case.component.maintaining is not None:
            return "department", case.component.maintaining
        if case.component.owning is not None:
            return "department", case.component.owning
        if case.component.owner_unknown:
            return f"nobody knows whose component {case.component.code} is (不明)", None
        return "department", case.department
    if case.handled_by == "department":
        return "department", case.department
    if case.beat is None:
        return "the cell lies in no beat of this duty line", None
    found = choose_officer(case.beat, candidates)
    return (found.why, None) if isinstance(found, NobodyFree) else ("officer", str(found.officer_id))


components = st.builds(
    Answering,
    code=st.just("6201020101000001"),
    owning=st.none() | st.just("power"),
    owner_unknown=st.booleans(),
    maintaining=st.none() | st.just("lamps"),
)
anything = st.builds(
    case_of,
    kind=st.sampled_from(["component", "event"]),
    handled_by=st.sampled_from(["officer", "department"]),
    dispatches_itself=st.booleans(),
    beat=st.none() | st.just("B01"),
    component=st.none() | components,
    severity=st.sampled_from(["low", "normal", "high", "emergency"]),
    source=st.sampled_from(["officer", "hotline"]),
)


@settings(max_examples=400, deadline=None)
@given(case=anything, candidates=beats)
def test_the_rules_that_a_city_starts_with_decide_as_the_code_did(case: Inputs, candidates: list[Candidate]) -> None:
    weighed = dict.fromkeys(sources_wanted(DEFAULT, case), candidates)
    found = choose_owner(DEFAULT, case, weighed)
    before = as_before(case, candidates)
    if isinstance(found, NobodyFree):
        assert before == (found.why, None)
        assert found.try_again == case.dispatches_itself
    else:
        assert before == ("officer" if found.officer_id else "department", _owner(found))


def _owner(found: Choice | NobodyFree) -> str | None:
    return found.why if isinstance(found, NobodyFree) else found.department or str(found.officer_id)


# --- what is kept of a decision ---------------------------------------------------------------------------------


@settings(max_examples=200, deadline=None)
@given(case=anything, candidates=beats)
def test_a_decision_can_be_made_again_from_what_was_kept_of_it(case: Inputs, candidates: list[Candidate]) -> None:
    weighed = dict.fromkeys(sources_wanted(DEFAULT, case), candidates)
    facts = json.loads(json.dumps(kept(case, weighed)))
    again, officers = decided_on(facts, case.words or "")
    assert (again, officers) == (case, weighed)
    assert seal(facts) == facts["seal"]
    assert choose_owner(DEFAULT, again, officers) == choose_owner(DEFAULT, case, weighed)


def test_who_changes_an_input_afterwards_breaks_the_seal() -> None:
    facts = json.loads(json.dumps(kept(CASE, {"beat:B01": [officer(ANN)]})))
    facts["weighed"]["beat:B01"][0]["open_cases"] = 5
    assert seal(facts) != facts["seal"]


def test_of_what_was_said_only_a_digest_is_kept_and_rules_without_keywords_do_not_need_it() -> None:
    facts = json.loads(json.dumps(kept(CASE, {})))
    assert str(CASE.words) not in json.dumps(facts, ensure_ascii=False)
    corrected, _ = decided_on(facts, "其实是井盖")
    assert why_not(When(severities=("normal",)), corrected) is None
    with pytest.raises(NotKept, match="description"):
        why_not(When(keywords=("井盖",)), corrected)


# --- the form ---------------------------------------------------------------------------------------------------


def test_a_document_read_and_written_is_the_same_edition() -> None:
    edition = rules(
        NIGHT,
        {"code": "gas", "name_en": "Gas", "to": "department", "department": "gas",
         "when": {"keywords": ["燃气"], "weekdays": [6, 7], "working_day": False, "about_component": True}},
        {"code": "hold", "to": "pool", "reason": "ask", "try_again": True, "when": {"sources": ["hotline"]}},
        {**BEAT, "skills": ["electric"]}, position_max_age_s=600,
    )  # fmt: skip
    assert read_rules(as_document(edition), 7).edition == edition


@pytest.mark.parametrize(
    ("table", "field", "given"),
    [
        ({"code": "Gas"}, "code", "Gas"),
        ({"to": "officer"}, "to", "officer"),
        ({"to": "team"}, "team", "nothing"),
        ({"to": "department"}, "department", "nothing"),
        ({"to": "pool"}, "reason", "nothing"),
        ({"to": "pool", "reason": "x", "else": "next"}, "else", "else of a rule to pool"),
        ({"team": "night"}, "team", "team of a rule to beat_officer"),
        ({"skills": "electric"}, "skills", "electric"),
        ({"else": "wait"}, "else", "wait"),
        ({"weekdays": [1]}, "weekdays", "a field that rules do not have"),
        ({"when": {"weekdays": [0]}}, "when.weekdays", "[0]"),
        ({"when": {"weekdays": [True]}}, "when.weekdays", "[True]"),
        ({"when": {"hours": ["25:00-06:00"]}}, "when.hours", "25:00-06:00"),
        ({"when": {"hours": ["06:00-06:00"]}}, "when.hours", "06:00-06:00"),
        ({"when": {"working_day": "yes"}}, "when.working_day", "yes"),
        ({"when": {"category": ["x"]}}, "when.category", "a field that rules do not have"),
        ({"when": []}, "when", "[]"),
    ],
)
def test_what_is_no_rule_is_named_by_rule_and_field(table: dict[str, Any], field: str, given: str) -> None:
    read = read_rules({"name": "x", "rules": [{"code": "it", "name": "it", "to": "beat_officer", **table}]})
    assert [(each.field, each.given) for each in read.faults] == [(field, given)]


def test_every_fault_is_in_one_answer() -> None:
    tables = [{"code": "a", "to": "x"}, {"code": "a", "name": "n"}]
    read = read_rules({"position_max_age_s": 1, "rules": tables, "v": 2})
    assert {(each.rule, each.field) for each in read.faults} == {
        (None, "v"), (None, "position_max_age_s"), ("a", "name"), ("a", "to"), ("a", "code"),
    }  # fmt: skip


def test_without_rules_there_is_no_edition() -> None:
    assert [each.field for each in read_rules({"name": "x", "rules": []}).faults] == ["rules"]
