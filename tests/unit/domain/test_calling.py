"""Who is called to an emergency: the nearest first, then further and more, in the end everybody, again and again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gridsvc.domain.calling import CallRound, Reachable, is_called, is_summoned, next_ringing
from gridsvc.domain.candidates import FRESH
from gridsvc.domain.case_state import State
from tests.unit.domain.sample_case import RESPONDER, case_in
from tests.unit.domain.sample_rules import category

ROUNDS = (
    CallRound(round=1, radius_m=500, most=3, wait=timedelta(seconds=60)),
    CallRound(round=2, radius_m=1_500, most=5, wait=timedelta(seconds=60)),
    CallRound(round=3, radius_m=5_000, most=10, wait=timedelta(seconds=120)),
    CallRound(round=4, radius_m=None, most=None, wait=timedelta(seconds=300)),
)


def one(number: int, distance_m: float | None = None, **changes: Any) -> Reachable:
    """An officer on duty of the line, of another beat of the district, seen a minute ago if his distance is known."""
    standing: dict[str, Any] = {
        "of_the_line": True,
        "of_the_beat": False,
        "in_the_district": True,
        "position_age": None if distance_m is None else timedelta(minutes=1),
    }
    return Reachable(officer_id=UUID(int=number), distance_m=distance_m, **(standing | changes))


def rung(candidates: list[Reachable], after: int = 0) -> tuple[int, list[int], bool]:
    """The round that rings, with whom, and whether the rounds are through."""
    ringing = next_ringing(ROUNDS, after, candidates)
    return ringing.round, [each.officer_id.int for each in ringing.picked], ringing.is_over


@pytest.mark.parametrize(
    ("rule", "candidates", "after", "wanted"),
    [
        ("the nearest three, the nearest first", [one(1, 400), one(2, 300), one(3, 200), one(4, 100)], 0,
         (1, [4, 3, 2], False)),
        ("on a tie the lower id", [one(2, 100), one(1, 100)], 0, (1, [1, 2], False)),
        ("at the very radius counts, beyond it does not", [one(1, 500), one(2, 500.1)], 0, (1, [1], False)),
        ("an old position says nothing", [one(1, 10, position_age=FRESH + timedelta(seconds=1)), one(2, 400)], 0,
         (1, [2], False)),
        ("a position of half an hour still counts", [one(1, 10, position_age=FRESH)], 0, (1, [1], False)),
        ("the beat's own whom nobody sees come behind who is near", [one(1, of_the_beat=True), one(2, 499)], 0,
         (1, [2, 1], False)),
        ("whom nobody sees and who is of another beat does not come", [one(1), one(2, 499)], 0, (1, [2], False)),
        ("a round that finds nobody costs no time", [one(1, 1_400)], 0, (2, [1], False)),
        ("the next round calls who is new", [one(1, 100, called=True), one(2, 900)], 1, (2, [2], False)),
        ("who has said no is not called again", [one(1, 100, declined=True), one(2, 900)], 0, (2, [2], False)),
        ("officers of the line come before nearer ones of another", [one(1, 10, of_the_line=False), one(2, 400)], 0,
         (1, [2], False)),
        ("where the line has nobody near, those of the others come", [one(1, 10, of_the_line=False), one(2, 900)], 0,
         (1, [1], False)),
        ("a neighbour across the border of the district comes if he is near", [one(1, 90, in_the_district=False)], 0,
         (1, [1], False)),
        ("at last everybody of the district", [one(1, 9_000), one(2), one(3, in_the_district=False)], 3,
         (4, [1, 2], False)),
        ("then everybody again, but for who has said no",
         [one(1, 10, called=True), one(2, called=True), one(3, 5, declined=True)], 4, (5, [1, 2], True)),
        ("and again", [one(1, 10, called=True)], 7, (8, [1], True)),
        ("nobody at all is said at once", [], 0, (5, [], True)),
    ],
)  # fmt: skip
def test_who_is_called(rule: str, candidates: list[Reachable], after: int, wanted: tuple[int, list[int], bool]) -> None:
    assert rung(candidates, after) == wanted, rule


def test_each_round_waits_as_long_as_it_says_and_the_last_for_ever_so() -> None:
    waits = [next_ringing(ROUNDS, n, [one(1, 10), one(2)]).wait.total_seconds() for n in (0, 3, 4, 9)]
    assert waits == [60, 300, 300, 300]


def test_the_order_in_which_officers_are_read_changes_nothing() -> None:
    crowd = [one(n, float(n * 37 % 500)) for n in range(1, 20)]
    assert rung(crowd) == rung(crowd[::-1])


@pytest.mark.parametrize(
    ("rule", "severity", "handled_by", "dispatches_itself", "called", "summoned"),
    [
        ("officers are called to own what officers handle", "emergency", "officer", True, True, False),
        ("and to be first on the scene where a department handles", "emergency", "department", True, False, True),
        ("what is less grave is given to one by load", "high", "officer", True, False, False),
        ("where a dispatcher sends on every case nobody is called", "emergency", "officer", False, False, False),
    ],
)  # fmt: skip
def test_what_is_called(
    rule: str, severity: str, handled_by: str, dispatches_itself: bool, called: bool, summoned: bool
) -> None:
    case = case_in(State.FILED, severity=severity)
    rules = category(severity=severity, handled_by=handled_by, dispatches_itself=dispatches_itself)
    assert (is_called(case, rules, ROUNDS), is_summoned(case, rules, ROUNDS)) == (called, summoned), rule
    assert not is_called(case, rules, ()), "a city without rounds routes it as it routes everything"


def test_who_is_on_the_way_is_not_joined_by_another() -> None:
    case = case_in(State.ASSIGNED, severity="emergency", responder_id=RESPONDER)
    assert not is_summoned(case, category(severity="emergency", handled_by="department"), ROUNDS)


@pytest.mark.parametrize(
    ("rule", "case"),
    [
        ("who is called already is not called again", {"call_for": "first_on_scene"}),
        ("an effect waits: its cause's own case rings", {"cause_id": UUID(int=0xCA)}),
    ],
)
def test_nobody_is_called_to_the_scene_for_what_rings_or_waits_for_its_cause(rule: str, case: dict[str, Any]) -> None:
    rules = category(severity="emergency", handled_by="department")
    assert is_summoned(case_in(State.FILED, severity="emergency"), rules, ROUNDS)
    assert not is_summoned(case_in(State.FILED, severity="emergency", **case), rules, ROUNDS), rule
