"""The formulas of evaluation: known figures come out of them, nothing judged is nothing said, halves go up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.evaluation import (
    COUNTS,
    INDICATORS,
    POSTS,
    Asked,
    Belongs,
    By,
    Count,
    Figure,
    Indicator,
    Named,
    Period,
    Profile,
    Scope,
    Subject,
    Whose,
    counts_of,
    cut,
    items_of,
    scope_of,
    sees,
    table,
    value_of,
    values_of,
)
from gridsvc.errors import BadRequest

ZONE = ZoneInfo("Asia/Shanghai")
LEFT_OUT, COUNTED = Profile.SUSPENDED_LEFT_OUT, Profile.SUSPENDED_COUNTED
CITY, DISTRICT, STREET, COMMUNITY = "620100", "620102", "620102001", "620102001001"
PATH = (CITY, DISTRICT, STREET, COMMUNITY)


def value(indicator: str, counts: dict[str, int], profile: Profile = LEFT_OUT) -> float | None:
    return value_of(INDICATORS[indicator], counts, profile).value


# ---- known figures --------------------------------------------------------------------------------

TIANMEN = {"reported": 996, "reported_filed": 996, "due": 972, "due_closed": 911, "due_closed_in_time": 737}
"""December 2016: filed 996, due 972, closed 911, of them on time 737."""


def test_tianmen_in_december_2016() -> None:
    assert value("closing_rate", TIANMEN) == 93.72
    assert value("closing_in_time_rate", TIANMEN) == 75.82


@pytest.mark.parametrize(("closed", "due", "rate"), [(902, 956, 94.35), (9, 16, 56.25)])
def test_tianmens_events_and_components(closed: int, due: int, rate: float) -> None:
    assert value("closing_rate", {"due": due, "due_closed": closed}) == rate


def test_what_is_suspended_is_left_out_or_counted_as_the_profile_says() -> None:
    """Jinhua takes 缓办 off what is due."""
    counts = {"due": 100, "due_suspended": 20, "due_closed": 80, "due_closed_in_time": 60}
    assert (value("closing_rate", counts, LEFT_OUT), value("closing_rate", counts, COUNTED)) == (100, 80)
    assert value("closing_in_time_rate", counts, LEFT_OUT) == 75
    assert value("closing_in_time_rate", counts, COUNTED) == 60


def test_a_granted_appeal_takes_the_case_out_of_timeliness_and_leaves_it_late_and_closed() -> None:
    counts = {"due": 10, "due_closed": 10, "due_closed_in_time": 8, "late": 2, "late_exempt": 1}
    assert value("closing_in_time_rate", counts) == 88.89, "8 of 9"
    assert value("closing_rate", counts) == 100, "10 of 10: closed is closed"
    assert counts_of(Subject.AREA, counts)["late"] == 2, "late it stays"


# ---- nothing to judge, and rounding -----------------------------------------------------------------


@pytest.mark.parametrize("indicator", INDICATORS)
def test_where_nothing_was_there_to_judge_nothing_is_said(indicator: str) -> None:
    assert value(indicator, {}) is None


def test_all_of_it_suspended_is_nothing_to_judge() -> None:
    assert value("closing_rate", {"due": 3, "due_suspended": 3}) is None
    assert value("closing_rate", {"due": 3, "due_suspended": 3}, COUNTED) == 0


@pytest.mark.parametrize(
    ("numerator", "denominator", "rounded"),
    [(1, 3, 33.33), (2, 3, 66.67), (1, 800, 0.13), (1, 20_000, 0.01), (1, 20_001, 0.0), (333, 333, 100), (0, 7, 0)],
)
def test_halves_are_rounded_up_exactly(numerator: int, denominator: int, rounded: float) -> None:
    """0.125 % becomes 0.13 %; a float would have to know how it is stored first."""
    assert value("closing_rate", {"due": denominator, "due_closed": numerator}) == rounded


def test_hours_are_told_to_the_hundredth() -> None:
    assert value("mean_handling_hours", {"handling_seconds": 3 * 5400, "handed_in": 3}) == 1.5
    assert value("mean_handling_hours", {"handling_seconds": 18, "handed_in": 1}) == 0.01, "half a hundredth goes up"
    assert value("mean_handling_hours", {"handling_seconds": 17, "handed_in": 1}) == 0


# ---- the formulas as data ---------------------------------------------------------------------------


def test_every_formula_is_of_counts_that_its_subjects_have() -> None:
    for each in INDICATORS.values():
        for code in (*each.numerator.plus, *each.numerator.minus, *each.denominator.plus, *each.denominator.minus):
            assert each.subjects <= COUNTS[code].subjects, (each.code, code)


def test_numerator_and_denominator_of_a_formula_belong_to_the_same_moment() -> None:
    """Else a month could close more than was due in it."""
    for each in INDICATORS.values():
        named = (*each.numerator.plus, *each.numerator.minus, *each.denominator.plus, *each.denominator.minus)
        assert {COUNTS[code].belongs for code in named} == {each.belongs}, each.code


def test_every_desks_count_names_its_post() -> None:
    assert set(POSTS) == {each.code for each in COUNTS.values() if Subject.POST in each.subjects}


def test_every_moment_decides_something() -> None:
    assert {each.belongs for each in COUNTS.values()} == set(Belongs)


# ---- periods ----------------------------------------------------------------------------------------


def days(first: str, end: str, period: Period) -> list[str]:
    edges = cut(date.fromisoformat(first), date.fromisoformat(end), period, ZONE)
    return [str(edge.astimezone(ZONE).date()) for edge in edges]


@pytest.mark.parametrize(
    ("first", "end", "period", "edges"),
    [
        ("2026-01-01", "2026-03-01", Period.MONTH, ["2026-01-01", "2026-02-01", "2026-03-01"]),
        ("2026-01-15", "2026-03-10", Period.MONTH, ["2026-01-15", "2026-02-01", "2026-03-01", "2026-03-10"]),
        ("2026-12-30", "2027-01-02", Period.YEAR, ["2026-12-30", "2027-01-01", "2027-01-02"]),
        ("2026-11-26", "2026-12-02", Period.WEEK, ["2026-11-26", "2026-11-30", "2026-12-02"]),
        ("2026-02-03", "2026-08-01", Period.QUARTER, ["2026-02-03", "2026-04-01", "2026-07-01", "2026-08-01"]),
        ("2026-02-27", "2026-03-02", Period.DAY, ["2026-02-27", "2026-02-28", "2026-03-01", "2026-03-02"]),
        ("2026-01-01", "2027-01-01", Period.WHOLE, ["2026-01-01", "2027-01-01"]),
    ],
)
def test_a_stretch_is_cut_at_the_citys_midnights(first: str, end: str, period: Period, edges: list[str]) -> None:
    assert days(first, end, period) == edges


def test_midnight_is_the_citys_and_not_greenwichs() -> None:
    assert cut(date(2026, 1, 1), date(2026, 1, 2), Period.WHOLE, ZONE)[0] == datetime(2025, 12, 31, 16, tzinfo=UTC)


def test_a_day_of_twenty_three_hours_is_a_day() -> None:
    first, end = cut(date(2026, 3, 29), date(2026, 3, 30), Period.DAY, ZoneInfo("Europe/Berlin"))
    assert (end - first).total_seconds() == 23 * 3600


def test_a_stretch_that_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(BadRequest, match="want a day after it"):
        cut(date(2026, 1, 1), date(2026, 1, 1), Period.DAY, ZONE)


def test_too_many_pieces_are_refused() -> None:
    assert len(cut(date(2026, 1, 1), date(2027, 1, 1), Period.DAY, ZONE)) == 366
    with pytest.raises(BadRequest, match="more than 400 pieces"):
        cut(date(2026, 1, 1), date(2028, 1, 1), Period.DAY, ZONE)


# ---- who sees what ----------------------------------------------------------------------------------


def caller(*grants: Grant) -> Caller:
    return Caller(id="user:x", user_id=UUID(int=1), grants=grants)


def whose(**more: Any) -> Whose:
    return Whose(path=PATH, duty_line="city", **more)


@pytest.mark.parametrize(
    ("grant", "seen"),
    [
        (Grant(role=Role.SUPERVISOR, division=CITY), {"owned", "lamps", "desk"}),
        (Grant(role=Role.AUDITOR, division=COMMUNITY), {"owned", "lamps", "desk"}),
        (Grant(role=Role.SUPERVISOR, division="620103"), set()),
        (Grant(role=Role.SUPERVISOR, division=CITY, department="water"), {"owned"}),
        (Grant(role=Role.SUPERVISOR, division=CITY, duty_line="social"), set()),
        (Grant(role=Role.DISPATCHER, division=CITY), set()),
        (Grant(role=Role.HANDLER, division=CITY, department="water"), set()),
        (Grant(role=Role.OFFICER, division=STREET, duty_line="city"), {"owned"}),
    ],
)
def test_figures_are_seen_within_area_role_department_and_duty_line(grant: Grant, seen: set[str]) -> None:
    scope = scope_of(caller(grant))
    figures = {
        "owned": whose(department="water", officer=UUID(int=1)),
        "lamps": whose(department="lamps", officer=UUID(int=2)),
        "desk": whose(post="acceptor"),
    }
    assert {name for name, each in figures.items() if sees(scope, each)} == seen


# ---- items ------------------------------------------------------------------------------------------

NAMES = {
    code: Named(code, "", level) for code, level in zip(PATH, ("city", "district", "street", "community"), strict=True)
} | {"620102002": Named("x", "", "street"), "620102002001": Named("y", "", "community")}
HERE, THERE = "/".join(PATH), "/".join((CITY, DISTRICT, "620102002", "620102002001"))


def items(by: By, figures: list[Figure], **more: Any) -> list[tuple[str, int]]:
    asked = Asked(edges=cut(date(2026, 1, 1), date(2026, 3, 1), Period.MONTH, ZONE), by=by,
                  now=datetime(2026, 3, 1, tzinfo=UTC), **{"scope": Scope(everything=True), **more})  # fmt: skip
    return [(item.code, item.counts["due"]) for item in items_of(asked, figures, NAMES)]


def test_areas_are_summed_up_the_tree_and_told_deepest_first() -> None:
    figures = [Figure(1, HERE, "due", 2), Figure(1, THERE, "due", 3)]
    assert items(By.AREA, figures) == [
        (COMMUNITY, 2), ("620102002001", 3), (STREET, 2), ("620102002", 3), (DISTRICT, 5), (CITY, 5),
    ]  # fmt: skip
    assert items(By.STREET, figures) == [(STREET, 2), ("620102002", 3)]


def test_pieces_come_one_after_the_other() -> None:
    assert items(By.CITY, [Figure(2, HERE, "due", 1), Figure(1, HERE, "due", 7)]) == [(CITY, 7), (CITY, 1)]


def test_no_division_is_told_of_which_only_a_part_may_be_seen_or_was_asked_for() -> None:
    """A street's supervisor would read the street's figure under the name of the city."""
    scope = scope_of(caller(Grant(role=Role.SUPERVISOR, division=STREET)))
    assert items(By.AREA, [Figure(1, HERE, "due", 2)], scope=scope) == [(COMMUNITY, 2), (STREET, 2)]
    assert items(By.AREA, [Figure(1, HERE, "due", 2)], division=STREET) == [(COMMUNITY, 2), (STREET, 2)]
    assert items(By.CITY, [Figure(1, HERE, "due", 2)], scope=scope) == []


def test_the_table_has_a_column_for_everything_and_says_nothing_where_nothing_was_judged() -> None:
    asked = Asked(edges=cut(date(2026, 1, 1), date(2026, 2, 1), Period.WHOLE, ZONE), by=By.CITY,
                  now=datetime(2026, 3, 1, tzinfo=UTC), scope=Scope(everything=True))  # fmt: skip
    told = items_of(asked, [Figure(1, HERE, "due", 972), Figure(1, HERE, "due_closed", 911)], NAMES)
    head, row = table(asked, told, ZONE, chinese=True)
    assert len(head) == len(row)
    assert row[:5] == [CITY, "city", CITY, "2026-01-01", "2026-02-01"]
    assert row[head.index("结案率（%）")] == 93.72
    assert row[head.index("返工率（%）")] is None
    assert "closing_rate, %" in table(asked, told, ZONE, chinese=False)[0]


def test_every_subject_is_told_its_own_indicators() -> None:
    assert {"return_rate", "rework_rate"} <= {each.indicator for each in values_of(Subject.DEPARTMENT, {}, LEFT_OUT)}
    assert [each.indicator for each in values_of(Subject.POST, {}, LEFT_OUT)] == [
        "filing_in_time_rate", "dispatch_in_time_rate", "accurate_dispatch_rate", "checking_in_time_rate",
        "order_in_time_rate",
    ]  # fmt: skip


# ---- the page ---------------------------------------------------------------------------------------

PAGE = Path(__file__).parents[3] / "docs/rules/evaluation.md"


def whom(subjects: Iterable[Subject]) -> str:
    return ", ".join(str(subject) for subject in Subject if subject in subjects)


def count_row(each: Count) -> str:
    return f"| `{each.code}` | {each.name} | `{each.belongs}` | {whom(each.subjects)} | {each.name_en} |"


def indicator_row(each: Indicator) -> str:
    return (
        f"| `{each.code}` | {each.name} | {each.numerator} | {each.denominator} | `{each.belongs}` "
        f"| {whom(each.subjects)} | {each.source} |"
    )


def test_the_page_says_every_count_and_every_formula_as_they_are() -> None:
    rows = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| `")]
    wanted = [*map(count_row, COUNTS.values()), *map(indicator_row, INDICATORS.values())]
    moments = len(Belongs)
    assert rows[moments:] == wanted, "docs/rules/evaluation.md should say:\n" + "\n".join(wanted)
    assert [row.split("`")[1] for row in rows[:moments]] == [str(each) for each in Belongs]
