"""What simulated officers do when they go home, and how the service's choices are looked at afterwards."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

from gridsvc.domain.candidates import Candidate, Choice, choose_officer
from gridsvc.local.simulate_rota import AWAY, LOST, Choices, handed, is_all_simulated, is_away, loses_phone

NOON = datetime(2026, 11, 23, 12, 0, tzinfo=ZoneInfo("Asia/Shanghai"))
ANN, BOB = str(UUID(int=1)), str(UUID(int=2))


def held(number: int, state: str = "accepted") -> dict[str, Any]:
    return {"case": f"case-{number}", "version": number, "state": state}


def test_some_are_away_in_an_hour_and_the_same_whenever_it_is_asked() -> None:
    names = [f"officer-{n}" for n in range(2_000)]
    away = [name for name in names if is_away(name, NOON, 1)]
    assert 0.5 * AWAY < len(away) / len(names) < 1.5 * AWAY
    assert away == [name for name in names if is_away(name, NOON + timedelta(minutes=59), 1)]
    assert away != [name for name in names if is_away(name, NOON + timedelta(hours=1), 1)]
    assert 0.3 * LOST < sum(loses_phone(name, NOON, 1) for name in names) / len(names) < 2 * LOST


def test_who_goes_home_hands_some_of_what_he_has_not_begun_to_colleagues() -> None:
    items = [*(held(n) for n in range(40)), held(90, "assigned"), held(91, "in_progress"), held(92)]
    told = {"items": items, "colleagues": [{"id": ANN}, {"id": BOB}]}
    given = handed(told, (each["case"] for each in items[:-1]), seed=1)
    assert 10 < len(given) < 30
    assert {each.said["officer"] for each in given} == {ANN, BOB}
    assert not {each.case for each in given} & {"case-90", "case-91", "case-92"}
    assert handed({**told, "colleagues": []}, [], seed=1) == []


def test_whoever_has_a_case_that_is_not_simulated_is_left_in_peace() -> None:
    told = {"items": [held(1), held(2)]}
    assert is_all_simulated(told, ["case-1", "case-2", "case-3"])
    assert not is_all_simulated(told, ["case-1"])


def chosen(**changes: Any) -> dict[str, Any]:
    """An assignment by routing as the service tells it; `changes` are facts of whom it chose."""
    facts: dict[str, Any] = {
        "officer_id": UUID(ANN), "on_duty": True, "open_cases": 0, "most_open": 12, "distance_m": None,
        "position_age": None, "on_shift": True,
    }  # fmt: skip
    found = choose_officer("B1", [Candidate(**facts)])
    assert isinstance(found, Choice)
    told: Any = found.reasons["candidates"]
    return {
        "id": "a-1", "officer": ANN, "assigned_by": "worker:router", "ended_why": None,
        "reasons": {"candidates": [{**told[0], **changes}]},
    }  # fmt: skip


def test_a_choice_of_somebody_who_is_not_there_is_found() -> None:
    seen = Choices()
    seen.add([chosen(), {**chosen(), "ended_why": "handed_over"}, {**chosen(), "ended_why": "relieved"}])
    seen.add([{**chosen(absent=True), "assigned_by": "user:x"}])
    assert (seen.cases, seen.chosen, seen.not_there, seen.handed_on.total()) == (2, 3, [], 2)
    for wrong in ({"absent": True}, {"on_duty": False}, {"on_shift": False}):
        seen.add([chosen(**wrong)])
    assert seen.not_there == ["a-1"] * 3
    assert "6 choices among officers in 5 cases, 3 of them of somebody" in seen.summary()
