"""Which ladder holds: the most exact use, whatever order they are written in."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.case_state import Clock
from gridsvc.domain.ladder import LadderUse, chosen
from tests.unit.domain.sample_rules import category, rulebook

CITY, DISTRICT, STREET = "620100", "620102", "620102001"
PATH = (CITY, DISTRICT, STREET)


def use(ladder: str, **where: str) -> LadderUse:
    return LadderUse(clock=Clock.HANDLING, ladder=ladder, **where)


def ladder_of(*uses: LadderUse, severity: str = "normal", department: str | None = "water") -> str | None:
    found = chosen(uses, Clock.HANDLING, severity, PATH, "city", department)
    return None if found is None else found.ladder


def test_what_fits_nowhere_holds_nowhere() -> None:
    assert ladder_of(use("x", severity="high"), use("x", division="620103"), use("x", department="gas")) is None
    assert ladder_of(LadderUse(clock=Clock.POOL, ladder="x")) is None


def test_severity_comes_before_department_before_division_before_duty_line() -> None:
    ranked = [
        use("severity", severity="normal"), use("department", department="water"), use("street", division=STREET),
        use("district", division=DISTRICT), use("line", duty_line="city"), use("all"),
    ]  # fmt: skip
    while ranked:
        assert ladder_of(*ranked[::-1]) == ranked[0].ladder
        ranked = ranked[1:]


def test_what_names_more_of_the_same_wins() -> None:
    both = use("both", severity="normal", division=DISTRICT)
    assert ladder_of(use("severity", severity="normal"), both) == "both"
    assert ladder_of(use("deeper", severity="normal", division=STREET), both) == "deeper"


def test_a_case_without_a_department_has_no_departments_ladder() -> None:
    assert ladder_of(use("water", department="water"), department=None) is None


def test_a_category_with_a_ladder_of_its_own_keeps_it() -> None:
    book = rulebook(ladder_uses=(use("calm", severity="normal"),))
    assert book.limit(Clock.HANDLING, category()).ladder == "calm"
    assert book.limit(Clock.HANDLING, category(ladder="own")).ladder == "own"


def test_the_desks_limit_of_an_emergency_brings_its_ladder_whatever_the_division_has() -> None:
    in_street = LadderUse(clock=Clock.POOL, ladder="street", division=STREET)
    book = rulebook(ladder_uses=(in_street,), stage_limits_by_severity={(Clock.POOL, "emergency"): (120, "emergency")})
    assert book.limit(Clock.POOL, category(), divisions=PATH).ladder == "street"
    assert book.limit(Clock.POOL, category(severity="emergency"), divisions=PATH).ladder == "emergency"


SOMETIMES = {
    "severity": st.sampled_from([None, "low", "normal"]),
    "division": st.sampled_from([None, *PATH, "620103"]),
    "duty_line": st.sampled_from([None, "city", "social"]),
    "department": st.sampled_from([None, "water", "gas"]),
}
PLACES = st.lists(st.fixed_dictionaries(SOMETIMES), unique_by=lambda each: tuple(each[name] for name in SOMETIMES))


@given(places=PLACES, severity=st.sampled_from(["low", "normal"]), department=st.sampled_from([None, "water"]),
       deep=st.integers(0, 3), order=st.randoms(use_true_random=False))  # fmt: skip
def test_there_is_always_one_answer_and_the_order_of_rows_does_not_change_it(
    places: list[dict[str, str]], severity: str, department: str | None, deep: int, order: object
) -> None:
    uses = [use(f"ladder{n}", **place) for n, place in enumerate(places)]
    path = PATH[:deep]
    found = chosen(uses, Clock.HANDLING, severity, path, "city", department)
    order.shuffle(uses)  # type: ignore[attr-defined]
    assert chosen(uses, Clock.HANDLING, severity, path, "city", department) == found
    fitting = [
        each
        for each in uses
        if each.severity in {None, severity} and each.duty_line in {None, "city"}
        and each.department in {None, department} and each.division in {None, *path}
    ]  # fmt: skip
    assert (found is None) == (not fitting)
    assert rulebook(ladder_uses=tuple(uses)).limit(
        Clock.HANDLING, category(severity=severity), divisions=path, department=department
    ).ladder == (found.ladder if found else "handling")
