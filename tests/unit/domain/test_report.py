"""A report and the case it opens, the rules in force, and the numbers things are known by."""

from __future__ import annotations

from datetime import datetime

import pytest

from gridsvc.domain.case import MOVES
from gridsvc.domain.case_state import Clock, Pool, State
from gridsvc.domain.deadline import Budget, ClockUnit, LimitUnit
from gridsvc.domain.report import acceptance_number, case_number, opening_of
from gridsvc.domain.rulebook import Limit, Rulebook
from gridsvc.errors import UnknownCategory
from tests.unit.domain.sample_rules import HANDLING, SHANGHAI, category, office, rulebook

TODAY = datetime(2026, 11, 23, 23, 59, tzinfo=SHANGHAI)


@pytest.mark.parametrize(
    ("rule", "files_itself", "located", "state", "pool", "clock"),
    [
        ("a category that files itself goes straight to routing", True, True, State.FILED, Pool.ROUTING,
         Clock.DISPATCH),
        ("another waits for the acceptor", False, True, State.REPORTED, Pool.FILING, Clock.FILING),
        ("without a place nothing files itself", True, False, State.REPORTED, Pool.LOCATE, Clock.FILING),
        ("without a place it waits to be located", False, False, State.REPORTED, Pool.LOCATE, Clock.FILING),
    ],
)  # fmt: skip
def test_how_a_case_begins(
    rule: str, files_itself: bool, located: bool, state: State, pool: Pool, clock: Clock
) -> None:
    opening = opening_of(category(files_itself=files_itself), located)
    assert (opening.state, opening.pool, opening.clock) == (state, pool, clock), rule
    assert MOVES[opening.move].after == opening.state, rule
    assert MOVES[opening.move].starts == (opening.clock,), rule


@pytest.mark.parametrize(
    ("source", "state"),
    [("officer", State.FILED), ("hotline", State.REPORTED), ("partner", State.REPORTED), ("camera", State.REPORTED)],
)
def test_what_wants_a_look_before_the_filing_does_not_file_itself_unless_an_officer_saw_it(
    source: str, state: State
) -> None:
    assert opening_of(category(checks=("pre_filing_check",)), True, source).state is state
    assert opening_of(category(checks=("closing_check",)), True, source).state is State.FILED


def test_a_case_number_carries_division_full_date_and_sequence() -> None:
    assert case_number("620102", TODAY, 147) == "620102-20261123-0147"


def test_the_ten_thousandth_case_of_a_day_gets_a_longer_number_not_an_old_one() -> None:
    assert case_number("620102", TODAY, 10_147) == "620102-20261123-10147"
    assert acceptance_number(TODAY, 1_000_147) == "R20261123-1000147"


def test_an_acceptance_number_carries_date_and_sequence() -> None:
    assert acceptance_number(TODAY, 147) == "R20261123-000147"


# --- the rules in force -------------------------------------------------------------------------------


def test_a_bare_code_means_the_default_edition() -> None:
    assert rulebook().category("0110").id == "2026:0110"


def test_an_edition_is_named_before_the_code_and_may_contradict_another() -> None:
    """The editions of 2007 and 2013 swap classes 04 and 05: the same code, another thing and another limit."""
    assert rulebook().category("2007:0110").name == "道路破损"


@pytest.mark.parametrize("name", ["0000", "2026:0000", "1999:0110", "", ":", "2026:", "2026:0999", "2026:0110:"])
def test_what_is_not_in_force_is_unknown(name: str) -> None:
    with pytest.raises(UnknownCategory) as refused:
        rulebook().category(name)
    assert refused.value.facts["given"] == name


def test_without_a_default_edition_a_bare_code_is_unknown() -> None:
    with pytest.raises(UnknownCategory):
        rulebook(default_edition=None).category("0110")


@pytest.mark.parametrize(
    ("amount", "unit", "calendar"),
    [(2, LimitUnit.URGENT_HOUR, None), (4, LimitUnit.WORK_HOUR, "city"), (1, LimitUnit.DAY, None)],
)
def test_handling_has_the_limit_of_its_category(amount: float, unit: LimitUnit, calendar: str | None) -> None:
    limit = rulebook().limit(Clock.HANDLING, category(limit_amount=amount, limit_unit=unit))
    assert limit.ladder == "handling"
    assert (limit.calendar.code if limit.calendar else None) == calendar
    assert (limit.budget.unit is ClockUnit.WORK) == (calendar is not None)


@pytest.mark.parametrize("clock", [clock for clock in Clock if clock not in {Clock.HANDLING, Clock.CO_HANDLING}])
def test_every_desk_has_a_limit_of_its_own_that_runs_by_nature(clock: Clock) -> None:
    limit = rulebook().limit(clock, category())
    assert (limit.budget, limit.ladder, limit.calendar) == (Budget(ClockUnit.NATURAL, 900), "desk", None)


def test_an_emergency_has_limits_of_its_own_where_the_city_has_set_them_and_else_those_of_all() -> None:
    book = rulebook(stage_limits_by_severity={(Clock.POOL, "emergency"): (120, "emergency")})
    grave = category(severity="emergency")
    assert book.limit(Clock.POOL, grave) == Limit(Budget(ClockUnit.NATURAL, 120), "emergency", None)
    assert book.limit(Clock.CHECKING, grave).budget.seconds == 900
    assert book.limit(Clock.POOL, category(severity="high")).budget.seconds == 900


def test_a_ladder_nobody_has_written_has_no_rungs() -> None:
    book: Rulebook = rulebook()
    assert book.ladder("handling") == HANDLING
    assert book.ladder("none") == ()


def test_a_clock_without_a_calendar_has_none_and_a_named_one_is_todays() -> None:
    book = rulebook(calendars={"city": office(edition=3)})
    assert book.calendar(None) is None
    found = book.calendar("city")
    assert found is not None
    assert found.edition == 3
