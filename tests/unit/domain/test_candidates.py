"""Which officer gets a case: who is there, fair load by capacity, and that the kept reasons tell all of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.domain.candidates import FRESH, Candidate, Choice, NobodyFree, candidate_from, choose_officer

ANN, BOB, CEM = UUID(int=1), UUID(int=2), UUID(int=3)
NAMES = {ANN: "ann", BOB: "bob", CEM: "cem"}


def officer(officer_id: UUID, **changes: Any) -> Candidate:
    """On duty and on shift, no open case of twelve, 500 m away a minute ago."""
    facts: dict[str, Any] = {
        "officer_id": officer_id,
        "on_duty": True,
        "open_cases": 0,
        "most_open": 12,
        "distance_m": 500.0,
        "position_age": timedelta(minutes=1),
        "on_shift": True,
        "shift_ends_in": timedelta(hours=3),
    }
    return Candidate(**(facts | changes))


def told(found: Choice | NobodyFree) -> dict[str, str | None]:
    weighed: Any = found.reasons["candidates"]
    return {NAMES[UUID(each["officer"])]: each["lost_because"] for each in weighed}


SOON = {"leaves_soon": True, "shift_ends_in": timedelta(minutes=12)}


@pytest.mark.parametrize(
    ("rule", "loser", "because"),
    [
        ("never somebody absent, whatever the switch says", {"absent": True}, "absent"),
        ("never somebody whose shift is over", {"on_shift": False}, "the shift is over"),
        ("nothing new for who leaves soon", SOON, "leaves soon"),
        ("who has used more of what he can take waits", {"open_cases": 3, "most_open": 4},
         "3 of 4 open, the chosen one 2 of 6"),
        ("of equal loads who was given fewer goes first", {"open_cases": 4, "given_today": 9},
         "was given 9 since the shift began, the chosen one 5"),
    ],
)  # fmt: skip
def test_why_an_officer_is_passed_over(rule: str, loser: dict[str, Any], because: str) -> None:
    best = officer(BOB, open_cases=2, most_open=6, given_today=5, distance_m=4_000)
    found = choose_officer("B01", [officer(ANN, **loser), best])
    assert isinstance(found, Choice), rule
    assert told(found) == {"bob": None, "ann": because}, rule


@pytest.mark.parametrize(
    ("rule", "only"),
    [
        ("who switched on after his shift works overtime", {"on_shift": False, "overtime": True}),
        ("without shifts the switch alone counts", {"on_shift": None, "shift_ends_in": None}),
        ("who leaves soon gets it where nobody else is there", SOON),
    ],
)
def test_who_may_get_a_case_all_the_same(rule: str, only: dict[str, Any]) -> None:
    found = choose_officer("B01", [officer(ANN, **only), officer(BOB, absent=True)])
    assert isinstance(found, Choice), rule
    assert found.officer_id == ANN, rule
    assert ("although" in found.reasons) is (only is SOON), rule


def test_where_nobody_has_the_skills_that_is_what_is_said() -> None:
    boatman = officer(BOB, skills=frozenset({"boat"}), on_shift=False)
    found = choose_officer("B01", [officer(ANN), boatman], skills=["boat"])
    assert isinstance(found, NobodyFree)
    assert found.why == "no officer of the beat on duty has the skills: boat"


def test_a_beat_whose_officers_are_absent_or_off_shift_has_nobody_on_duty() -> None:
    found = choose_officer("B01", [officer(ANN, absent=True), officer(BOB, on_shift=False)])
    assert isinstance(found, NobodyFree)
    assert found.why == "no officer of the beat is on duty"


def test_how_old_a_position_may_be_is_for_the_rules_to_say() -> None:
    near = officer(ANN, distance_m=10, position_age=timedelta(minutes=10))
    far = officer(BOB, distance_m=900, position_age=timedelta(minutes=1))
    assert _officer(choose_officer("B01", [near, far])) == ANN
    strict = [replace(each, fresh_for=timedelta(minutes=5)) for each in (near, far)]
    assert _officer(choose_officer("B01", strict)) == BOB


def _officer(found: Choice | NobodyFree) -> UUID | None:
    return found.officer_id if isinstance(found, Choice) else None


# --- the reasons tell all ------------------------------------------------------------------------------

seconds = st.floats(0, 90_000, allow_nan=False).map(lambda s: timedelta(seconds=s))
candidates = st.builds(
    Candidate,
    officer_id=st.integers(1, 40).map(lambda n: UUID(int=n)),
    on_duty=st.booleans(),
    open_cases=st.integers(0, 4),
    most_open=st.integers(1, 5),
    distance_m=st.none() | st.floats(0, 20_000, allow_nan=False) | st.sampled_from([100.01, 100.04, 100.06]),
    position_age=st.none() | seconds | st.just(FRESH),
    already_tried=st.booleans(),
    skills=st.frozensets(st.sampled_from(["boat", "ladder"])),
    on_shift=st.none() | st.booleans(),
    overtime=st.booleans(),
    absent=st.booleans(),
    shift_ends_in=st.none() | seconds,
    leaves_soon=st.booleans(),
    given_today=st.integers(0, 3),
)
beats = st.lists(candidates, max_size=8, unique_by=lambda each: each.officer_id)
wanted = st.sampled_from([(), ("boat",), ("boat", "ladder")])
ages = st.sampled_from([timedelta(minutes=5), FRESH, timedelta(hours=2)])


@settings(max_examples=300, deadline=None)
@given(candidates=beats, skills=wanted, fresh=ages)
def test_the_kept_reasons_alone_give_the_same_choice_again(
    candidates: list[Candidate], skills: Sequence[str], fresh: timedelta
) -> None:
    found = choose_officer("B01", [replace(each, fresh_for=fresh) for each in candidates], skills=skills)
    kept = json.loads(json.dumps(found.reasons))
    again = [candidate_from(reason) for reason in kept["candidates"]]
    assert None not in again
    weighed = [replace(each, fresh_for=fresh) for each in again if each is not None]
    assert choose_officer("B01", weighed, skills=skills) == found


@settings(max_examples=200, deadline=None)
@given(candidates=beats, skills=wanted)
def test_nobody_is_chosen_who_is_not_there_and_every_loser_has_a_reason(
    candidates: list[Candidate], skills: Sequence[str]
) -> None:
    found = choose_officer("B01", candidates, skills=skills)
    weighed: Any = found.reasons["candidates"]
    chosen = _officer(found)
    for each in candidates:
        because = next(told["lost_because"] for told in weighed if told["officer"] == str(each.officer_id))
        assert (because is None) is (each.officer_id == chosen)
        if each.officer_id == chosen:
            assert each.there
            assert each.skills >= set(skills)


def test_an_assignment_of_an_older_edition_cannot_be_read_back() -> None:
    old = {"officer": str(ANN), "on_duty": True, "open_cases": 0, "most_open": 12, "distance_m": 5.0,
           "lost_because": None}  # fmt: skip
    assert candidate_from(old) is None


def test_what_is_kept_as_equally_far_counts_as_equally_far() -> None:
    """Kept to the tenth of a metre, and weighed so: the kept reasons could not tell otherwise who was nearer."""
    assert _officer(choose_officer("B01", [officer(BOB, distance_m=100.01), officer(ANN, distance_m=100.04)])) == ANN


# --- fair load -----------------------------------------------------------------------------------------


def test_over_a_day_nobody_carries_much_more_of_what_he_can_take_than_the_others() -> None:
    """Four officers, of whom one may have half as much open and one twice as much; a case a minute for eight hours.

    Each case stays open for about half an hour. Loads are measured every minute of the day, without the first hour.
    """
    most = {UUID(int=1): 6, UUID(int=2): 12, UUID(int=3): 12, UUID(int=4): 24}
    closes: list[tuple[int, UUID]] = []
    given: Counter[UUID] = Counter()
    carried: Counter[UUID] = Counter()
    for minute in range(480):
        closes = [each for each in closes if each[0] > minute]
        held = Counter(who for _, who in closes)
        carried.update(held if minute >= 60 else {})
        beat = [
            officer(who, open_cases=held[who], most_open=cap, given_today=given[who], distance_m=100.0 * who.int)
            for who, cap in most.items()
        ]
        chosen = _officer(choose_officer("B01", beat))
        assert chosen is not None
        given[chosen] += 1
        closes.append((minute + 25 + minute * 7 % 11, chosen))
    loads = [carried[who] / 420 / cap for who, cap in most.items()]
    mean = sum(carried.values()) / 420 / sum(most.values())
    assert max(loads) / mean < 1.25, loads
    assert min(loads) / mean > 0.85, loads


def test_officers_who_close_at_once_are_given_as_many_each() -> None:
    given: Counter[UUID] = Counter()
    for _ in range(300):
        beat = [officer(who, given_today=given[who], distance_m=100.0 * who.int) for who in (ANN, BOB, CEM)]
        chosen = _officer(choose_officer("B01", beat))
        assert chosen is not None
        given[chosen] += 1
    assert set(given.values()) == {100}


def test_a_leaver_is_not_better_for_standing_nearer() -> None:
    near = replace(officer(ANN), distance_m=1.0, leaves_soon=True)
    assert _officer(choose_officer("B01", [near, officer(BOB, open_cases=11)])) == BOB
