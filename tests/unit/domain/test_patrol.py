"""Patrols: what is walked, open, unknown or missed; whatever order the facts come in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from random import Random
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.patrol import APART, Gap, Passage, Patrol, Walked, coverage, judge
from gridsvc.domain.patrol_file import read_patrols

HEAD = "code,duty_line,beat,shifts,cells,times,stay_min,warn_min,active\n"
BEGIN = datetime(2026, 11, 27, 6, tzinfo=UTC)
END = BEGIN + timedelta(hours=8)
ONE, TWO = UUID(int=1), UUID(int=2)
PATROL = Patrol(from_at=BEGIN, until_at=END, cells=("a", "b"), times=1, stay=timedelta(minutes=2))


def at(minutes: float) -> datetime:
    return BEGIN + timedelta(minutes=minutes)


def was_in(cell: str, since: float, until: float, who: UUID = ONE) -> Passage:
    return Passage(who, cell, at(since), at(until))


def states(*passages: Passage, gaps: tuple[Gap, ...] = (), now: datetime = END, patrol: Patrol = PATROL) -> list[str]:
    return [str(each.state) for each in judge(patrol, passages, gaps, now).values()]


def test_a_cell_is_walked_open_or_missed() -> None:
    passage = was_in("a", 10, 15)
    assert states(passage, now=at(60)) == ["walked", "open"]
    assert states(passage, now=END - timedelta(seconds=1)) == ["walked", "open"], "until the end nothing is missed"
    assert states(passage) == ["walked", "missed"]
    assert judge(PATROL, [passage], [], END)["a"].officers == (ONE,)


def test_what_nobody_can_know_is_unknown_and_never_missed() -> None:
    dark = Gap(ONE, at(100), at(130))
    assert states(was_in("a", 10, 15), gaps=(dark,)) == ["walked", "unknown"]
    assert states(gaps=(dark,), now=at(200)) == ["open", "open"]
    assert states(gaps=(Gap(ONE, at(-60), at(0)),)) == ["missed", "missed"], "a silence before the shift hides nothing"
    assert states(gaps=(Gap(ONE, END, at(600)),)) == ["missed", "missed"], "nor does one after it"


@pytest.mark.parametrize(
    ("passage", "state"),
    [
        (was_in("a", 10, 12), "walked"),
        (was_in("a", 10, 11.9), "missed"),  # across a corner
        (was_in("a", -10, 1), "missed"),  # only what lies in the shift counts
        (was_in("a", -10, 2), "walked"),
        (was_in("a", 479, 490), "missed"),
        (was_in("a", 481, 490), "missed"),
    ],
)
def test_a_cell_is_walked_by_who_stays_long_enough_within_the_shift(passage: Passage, state: str) -> None:
    assert states(passage)[0] == state


def test_twice_is_twice_only_with_time_between_whoever_walks() -> None:
    twice = Patrol(from_at=BEGIN, until_at=END, cells=("a",), times=2, stay=timedelta(minutes=2))
    first, soon = was_in("a", 10, 15), was_in("a", 20, 25, TWO)
    later = was_in("a", 15 + APART.total_seconds() / 60, 60, TWO)
    assert states(first, soon, patrol=twice) == ["missed"]
    assert states(first, later, patrol=twice) == ["walked"]
    assert judge(twice, [first, soon, later], [], END)["a"].officers == (ONE, TWO)
    whole = was_in("a", 5, 120)  # who sits there all the time takes nothing from those who come and go
    assert states(whole, first, later, patrol=twice) == ["walked"]


def test_coverage_is_a_share_of_what_is_known() -> None:
    walks = judge(PATROL, [was_in("a", 10, 15)], [], END)
    assert coverage(walks) == 0.5
    dark = judge(PATROL, [was_in("a", 10, 15)], [Gap(ONE, at(100), at(130))], END)
    assert coverage(dark) == 1.0
    assert coverage(judge(PATROL, [], [Gap(ONE, at(0), at(60))], END)) is None


PASSAGES = st.lists(
    st.builds(
        lambda cell, since, length, who: was_in(cell, since, since + length, who),
        st.sampled_from(["a", "b", "elsewhere"]), st.integers(-60, 540), st.integers(0, 90),
        st.sampled_from([ONE, TWO]),
    ),
    max_size=12,
)  # fmt: skip
GAPS = st.lists(
    st.builds(
        lambda since, length: Gap(ONE, at(since), at(since + length)), st.integers(-90, 540), st.integers(11, 90)
    ),
    max_size=3,
)


@given(PASSAGES, GAPS, st.integers(0, 600), st.randoms(use_true_random=False), st.integers(1, 3))
def test_the_same_facts_in_any_order_are_judged_alike(
    passages: list[Passage], gaps: list[Gap], minute: int, chance: Random, times: int
) -> None:
    patrol = Patrol(from_at=BEGIN, until_at=END, cells=("a", "b"), times=times, stay=timedelta(minutes=2))
    mixed, dark = list(passages), list(gaps)
    chance.shuffle(mixed)
    chance.shuffle(dark)
    assert judge(patrol, mixed, dark, at(minute)) == judge(patrol, passages, gaps, at(minute))


@given(PASSAGES, GAPS)
def test_a_gap_makes_no_walked_cell_unwalked_and_lets_no_cell_be_missed(
    passages: list[Passage], gaps: list[Gap]
) -> None:
    light, dark = judge(PATROL, passages, [], END), judge(PATROL, passages, gaps, END)
    inside = any(gap.until_at > BEGIN and gap.from_at < END for gap in gaps)
    for cell, walk in light.items():
        assert (walk.state is Walked.WALKED) == (dark[cell].state is Walked.WALKED)
        assert not inside or dark[cell].state is not Walked.MISSED


@given(PASSAGES, PASSAGES, st.integers(1, 3))
def test_what_comes_to_be_known_later_never_takes_a_walk_away(
    known: list[Passage], late: list[Passage], times: int
) -> None:
    patrol = Patrol(from_at=BEGIN, until_at=END, cells=("a", "b"), times=times, stay=timedelta(minutes=2))
    once = judge(patrol, known, [], END)
    more = judge(patrol, [*known, *late], [], END)
    assert all(more[cell].state is Walked.WALKED for cell, walk in once.items() if walk.state is Walked.WALKED)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("P 1,social,B1,1-5 08:00-12:00,,,,,\n", "code"),
        ("P1,social,B9,1-5 08:00-12:00,,,,,\n", "beat"),
        ("P1,social,B1,8-12,,,,,\n", "shifts"),
        ("P1,social,B1,,,,,,\n", "shifts"),
        ("P1,social,B1,1-5 08:00-12:00,620102001001001;620103001001001,,,,\n", "cells"),
        ("P1,social,B1,1-5 08:00-12:00,,0,,,\n", "times"),
        ("P1,social,B1,1-5 08:00-12:00,,,,3,\n", "warn_min"),
    ],
)
def test_a_row_at_fault_is_named(row: str, field: str) -> None:
    known: dict[tuple[str, str], frozenset[str]] = {("social", "B1"): frozenset({"620102001001001"})}
    good = "P9,social,B1,1-7 22:00-06:00,620102001001001,2,0,30,否\n"
    read = read_patrols("patrols.csv", (HEAD + good + row).encode(), known)
    assert [(plan.code, plan.times, plan.active) for plan in read.plans] == [("P9", 2, False)]
    assert [(fault.row, fault.field) for fault in read.faults] == [(3, field)]
