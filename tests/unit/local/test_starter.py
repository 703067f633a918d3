"""The starter rules fit together, and fit the published facts."""

from __future__ import annotations

import json
from collections import Counter
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

from gridsvc.domain.case_state import BESIDE, Clock
from gridsvc.domain.deadline import LimitUnit, budget_of
from gridsvc.local.starter import (
    CALL_BACKS,
    CALL_ROUNDS,
    CATEGORIES,
    CHINA,
    DEPARTMENTS,
    DUTY_LINES,
    RUNGS,
    STAGE_LIMITS,
)
from gridsvc.local.starter_categories import MAJORS


def test_both_kinds_of_category_are_there_under_codes_of_their_own() -> None:
    kinds = Counter(category.kind for category in CATEGORIES)
    assert min(kinds["component"], kinds["event"]) >= 8
    assert len({category.code for category in CATEGORIES}) == len(CATEGORIES)
    assert all(c.code.startswith("10") == (c.kind == "component") for c in CATEGORIES)


def test_every_category_names_a_handler_of_its_own_duty_line() -> None:
    line_of = {department.code: department.duty_line for department in DEPARTMENTS}
    for category in CATEGORIES:
        assert (category.department is None) == (category.handled_by == "officer"), category.code
        if category.department is not None:
            assert line_of[category.department] == category.duty_line, category.code


def test_officers_handle_only_where_the_profile_of_the_line_says_so() -> None:
    profile = {line.code: line.profile for line in DUTY_LINES}
    assert {profile[c.duty_line] for c in CATEGORIES if c.handled_by == "officer"} == {"social_governance"}
    assert {c.handled_by for c in CATEGORIES if profile[c.duty_line] == "city_management"} == {"department"}


def test_some_categories_wait_for_the_acceptor() -> None:
    waiting = [category.code for category in CATEGORIES if not category.files_itself]
    assert 3 <= len(waiting) <= len(CATEGORIES) // 3


def test_every_major_class_of_the_standard_is_there_with_both_names() -> None:
    there = {c.major: (c.major_name, c.major_name_en) for c in CATEGORIES}
    assert {major for major in there if major and not major.startswith("30")} == {
        *(f"100{n}" for n in range(1, 6)), *(f"200{n}" for n in range(1, 7))
    }  # fmt: skip
    assert there == MAJORS
    assert all(c.name and c.name_en for c in CATEGORIES)
    # The numbering of 2013; that of 2007 has these two the other way round.
    assert (MAJORS["2004"][0], MAJORS["2005"][0]) == ("街面秩序", "突发事件")


def test_a_category_with_conditions_has_one_default_whose_limit_is_its_own() -> None:
    for category in (each for each in CATEGORIES if each.conditions):
        [default] = [each for each in category.conditions if each.is_default]
        own = category.limit_for(default.code, "A")
        assert (own.amount, own.unit) == (category.limit_amount, category.limit_unit)
        assert {each.condition for each in category.limits} == {each.code for each in category.conditions}


def test_limits_are_those_of_the_deployed_city_where_they_are_known() -> None:
    book = {category.code: category for category in CATEGORIES}
    cover = [(each.amount, each.unit) for each in book["100101"].limits]
    assert cover == [(2, "urgent_hour"), (4, "work_hour"), (2, "work_day"), (5, "work_day")]
    assert book["100106"].limits[1].unit == "work_day"  # the same damage, a longer limit than on a water cover
    blocked = book["100104"].limit_for(None, None)
    assert (blocked.amount, blocked.unit, blocked.condition) == (1, "work_day", "2")


def test_emergencies_run_on_the_natural_clock_and_are_the_shortest() -> None:
    emergencies = [c for c in CATEGORIES if c.severity == "emergency"]
    assert emergencies
    for category in emergencies:
        assert category.limit_unit in {"urgent_hour", "urgent_minute"}
        assert budget_of(category.limit_amount, LimitUnit(category.limit_unit)).seconds <= 2 * 3600


def test_every_limit_is_of_a_known_unit() -> None:
    assert all(budget_of(c.limit_amount, LimitUnit(c.limit_unit)).seconds > 0 for c in CATEGORIES)


def test_rungs_of_a_ladder_climb_one_after_the_other() -> None:
    for ladder in {rung.ladder for rung in RUNGS}:
        steps = [rung for rung in RUNGS if rung.ladder == ladder]
        assert [rung.level for rung in steps] == list(range(1, len(steps) + 1))
        assert all(low.share < high.share for low, high in pairwise(steps))


def test_every_clock_without_a_category_has_a_limit_and_a_ladder() -> None:
    own = {Clock.HANDLING, Clock.CO_HANDLING} | BESIDE
    assert {limit.kind for limit in STAGE_LIMITS if limit.severity is None} == set(Clock) - own
    ladders = {limit.ladder for limit in STAGE_LIMITS} | {"handling", "co_handling"} | BESIDE
    ladders |= {rule.ladder for rule in CALL_BACKS if rule.ladder is not None}
    assert ladders == {rung.ladder for rung in RUNGS}


def test_what_a_desk_looks_at_is_looked_at_on_the_spot_before_and_an_emergency_after() -> None:
    for each in CATEGORIES:
        assert ("pre_filing_check" in each.checks) == (not each.files_itself), each.code
        assert ("closing_check" in each.checks) == (each.severity == "emergency"), each.code


def test_who_fells_a_tree_this_moment_is_stopped_within_an_hour_beside_the_handling() -> None:
    felling = next(each for each in CATEGORIES if each.code == "200122")
    stop = felling.stage_limit(Clock.STOP_IT, None, "B")
    assert stop is not None
    assert (stop.amount, stop.unit, stop.condition) == (1, LimitUnit.URGENT_HOUR, "1")
    assert felling.stage_limit(Clock.STOP_IT, "2", "B") is None


def test_the_desks_of_an_emergency_have_minutes_where_others_have_a_quarter_of_an_hour() -> None:
    usual = {limit.kind: limit.budget_seconds for limit in STAGE_LIMITS if limit.severity is None}
    urgent = {limit.kind: limit.budget_seconds for limit in STAGE_LIMITS if limit.severity == "emergency"}
    assert set(urgent) == {"filing", "dispatch", "pool", "acknowledge"}
    assert all(seconds <= 180 < usual[kind] for kind, seconds in urgent.items())


def test_each_round_of_a_call_goes_further_and_to_more_and_the_last_to_everybody() -> None:
    assert [each.round for each in CALL_ROUNDS] == list(range(1, len(CALL_ROUNDS) + 1))
    assert all((low.radius_m or 0) < (high.radius_m or 1e9) for low, high in pairwise(CALL_ROUNDS))
    assert all((low.most or 0) < (high.most or 1e9) for low, high in pairwise(CALL_ROUNDS))
    assert (CALL_ROUNDS[-1].radius_m, CALL_ROUNDS[-1].most) == (None, None)


def test_the_calendar_of_2026_is_the_published_one(sample_data: Path) -> None:
    published = json.loads((sample_data / "calendar/2026.json").read_text(encoding="utf-8"))["days"]
    assert {day.day.isoformat(): day.works for day in CHINA.days} == {d["date"]: not d["isOffDay"] for d in published}
    assert {day.day.isoformat(): day.name for day in CHINA.days} == {d["date"]: d["name"] for d in published}


def test_make_up_workdays_are_weekend_days_of_published_years() -> None:
    assert {day.day.year for day in CHINA.days} == set(CHINA.years) == {2026}
    assert all(day.day.isoweekday() > 5 for day in CHINA.days if day.works)
    days = [day.day for day in CHINA.days]
    assert len(set(days)) == len(days)
    longest = [d.day for d in CHINA.days if d.name == "春节" and not d.works]
    assert longest[-1] - longest[0] == timedelta(days=8)
