"""Which of a category's limits holds: the written order of docs/rules/categories.md."""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from gridsvc.domain.case_state import Clock
from gridsvc.domain.category import Category, CategoryLimit, Condition, missing_evidence
from gridsvc.domain.deadline import Budget, ClockUnit, LimitUnit
from gridsvc.errors import UnknownCondition
from tests.unit.domain.sample_rules import category, rulebook

UH, WH, WD = LimitUnit.URGENT_HOUR, LimitUnit.WORK_HOUR, LimitUnit.WORK_DAY


def limit(amount: float, condition: str | None = None, level: str | None = None, **more: str) -> CategoryLimit:
    return CategoryLimit(amount=amount, unit=WH, condition=condition, management_level=level, **more)


def cover(**changes: Any) -> Category:
    """A manhole cover: missing is worse than damaged, and both are worse in an area of level A."""
    conditions = (
        Condition(code="missing", says="井盖缺失"),
        Condition(code="damaged", says="井盖破损", is_default=True),
        Condition(code="noisy", says="井盖作响"),
    )
    limits = (limit(30, None, "B"), limit(2, "missing", "A"), limit(4, "missing"), limit(8, "damaged", "A"))
    return replace(category(limit_amount=40, limit_unit=WH, conditions=conditions, limits=limits), **changes)


@pytest.mark.parametrize(
    ("condition", "level", "amount", "given_by"),
    [
        ("missing", "A", 2, ("missing", "A")),
        ("missing", "B", 4, ("missing", None)),  # the condition is more exact than the level
        ("missing", None, 4, ("missing", None)),
        ("noisy", "B", 30, (None, "B")),
        ("noisy", "C", 40, (None, None)),
        (None, "A", 8, ("damaged", "A")),  # nobody said which: the default condition counts
        (None, "B", 30, (None, "B")),
        (None, None, 40, (None, None)),
    ],
)
def test_the_most_exact_limit_holds_and_says_what_it_was_given_for(
    condition: str | None, level: str | None, amount: float, given_by: tuple[str | None, str | None]
) -> None:
    found = cover().limit_for(condition, level)
    assert (found.amount, (found.condition, found.management_level)) == (amount, given_by)


def test_a_category_without_exact_limits_has_its_own_whatever_is_said() -> None:
    plain = category()
    for condition, level in product((None, "missing"), (None, "A", "B", "C")):
        found = plain.limit_for(condition, level)
        assert (found.amount, found.unit) == (plain.limit_amount, plain.limit_unit)


def test_a_limit_of_another_stage_never_drives_the_handling() -> None:
    stops = cover(limits=(limit(1, "missing", "A", stage="stop_it"), limit(4, "missing")))
    assert stops.limit_for("missing", "A").amount == 4


STAGES_OF_THEIR_OWN = (
    limit(1, "missing", "A", stage="stop_it"), limit(2, "missing", stage="stop_it"),
    limit(3, None, "B", stage="checking"), limit(6, stage="checking"),
)  # fmt: skip


@pytest.mark.parametrize(
    ("rule", "clock", "condition", "level", "hours"),
    [
        ("condition and level first", Clock.STOP_IT, "missing", "A", 1),
        ("then the condition", Clock.STOP_IT, "missing", "B", 2),
        ("the default condition has none", Clock.STOP_IT, None, "A", None),
        ("the level", Clock.CHECKING, "missing", "B", 3),
        ("the category's own for that stage", Clock.CHECKING, None, "C", 6),
        ("a stage that nobody has written of", Clock.FILING, None, "C", None),
    ],
)
def test_a_stage_has_its_most_exact_limit_or_none(
    rule: str, clock: Clock, condition: str | None, level: str | None, hours: float | None
) -> None:
    found = cover(limits=STAGES_OF_THEIR_OWN).stage_limit(clock, condition, level)
    assert (found.amount if found else None) == hours, rule


def test_a_clock_asks_its_category_first_and_then_the_desk() -> None:
    """A category's limit in working hours runs on the calendar of the place, and keeps the desk's ladder."""
    book, own = rulebook(), cover(limits=STAGES_OF_THEIR_OWN)
    checking = book.limit(Clock.CHECKING, own, management_level="B")
    assert (checking.budget, checking.ladder) == (Budget(ClockUnit.WORK, 3 * 3600), "desk")
    assert checking.calendar is not None
    filing = book.limit(Clock.FILING, own, management_level="B")
    assert (filing.budget, filing.calendar) == (Budget(ClockUnit.NATURAL, 900), None)


def test_what_must_be_stopped_has_a_clock_only_where_a_limit_is_set_for_it() -> None:
    own = cover(limits=STAGES_OF_THEIR_OWN)
    book = rulebook(stage_limits={})
    assert book.runs(Clock.STOP_IT, own, "missing", "A")
    assert not book.runs(Clock.STOP_IT, own, "noisy", "A")
    assert book.limit(Clock.STOP_IT, own, condition="missing").ladder == "stop_it"


def test_the_handling_clock_gets_the_exact_limit_and_the_others_the_desk_s() -> None:
    book = rulebook()
    assert book.limit(Clock.HANDLING, cover(), condition="missing", management_level="A").budget.seconds == 2 * 3600
    assert book.limit(Clock.HANDLING, cover(), condition=None, management_level="A").budget.seconds == 8 * 3600
    assert book.limit(Clock.FILING, cover(), condition="missing", management_level="A").budget.seconds == 900


def test_a_limit_on_the_natural_clock_has_no_calendar_even_where_the_category_s_own_has_one() -> None:
    burst = cover(limits=(CategoryLimit(amount=1, unit=UH, condition="missing"),))
    assert rulebook().limit(Clock.HANDLING, burst, condition="missing").calendar is None
    assert rulebook().limit(Clock.HANDLING, burst, condition="noisy").calendar is not None


def test_an_unknown_condition_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UnknownCondition) as refused:
        cover().condition("stolen")
    assert refused.value.facts["given"] == "stolen"
    assert refused.value.facts["wanted"] == ["missing: 井盖缺失", "damaged: 井盖破损", "noisy: 井盖作响"]


@pytest.mark.parametrize(
    ("moment", "given", "missing"), [("before", (), True), ("before", ("p",), False), ("after", (), False)]
)
def test_a_photograph_is_asked_for_where_the_category_says_so(
    moment: str, given: tuple[str, ...], missing: bool
) -> None:
    assert (missing_evidence(category(evidence=("before",)), moment, given) is not None) == missing
