"""The simulated afternoon: a department cannot work, another person approves it, and it ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final

from gridsvc.domain.outage import OUTAGE_REASONS
from gridsvc.local.simulate_outages import moved, next_outage_step
from gridsvc.local.simulate_rules import MARK
from tests.unit.local.test_simulate_rules import new_case

NOW: Final = datetime(2026, 3, 6, 6, 0, tzinfo=UTC)
CASE: Final = replace(new_case(1), department="water", divisions=("620100", "620102"))


def at(hour: int) -> datetime:
    return datetime(2026, 3, 6, hour, 30)  # noqa: DTZ001 - what the simulated day's clock shows


def an_outage(**other: Any) -> dict[str, Any]:
    said = {"id": "o", "version": 1, "state": "declared", "words": f"{MARK}2026-03-06 下午系统中断", "until": None,
            "division": "620102", "clocks_reached": 5, "deadlines_moved": 3}  # fmt: skip
    return {**said, **other}


def test_it_is_declared_in_the_afternoon_for_a_department_that_has_a_case_and_once_a_day() -> None:
    assert next_outage_step([], [CASE], at(9), NOW) is None
    assert next_outage_step([], [new_case(1)], at(14), NOW) is None
    step = next_outage_step([], [CASE], at(14), NOW)
    assert step is not None
    assert (step.what, step.who, step.said["department"]) == ("declare", "supervisor-620102", "water")
    assert step.said["reason"] in OUTAGE_REASONS
    assert next_outage_step([an_outage(words=step.said["words"], state="refused")], [CASE], at(15), NOW) is None


def test_another_approves_it_and_who_declared_it_ends_it() -> None:
    approve = next_outage_step([an_outage()], [CASE], at(14), NOW)
    assert approve is not None
    assert (approve.path, approve.who, approve.version) == ("/api/v1/outages/o/approve", "supervisor", 1)
    approved = an_outage(state="approved", version=2)
    assert next_outage_step([approved], [CASE], at(15), NOW) is None, "it runs"
    end = next_outage_step([approved], [CASE], at(16), NOW)
    assert end is not None
    assert (end.path, end.who, end.version) == ("/api/v1/outages/o/end", "supervisor-620102", 2)


def test_what_people_declared_is_left_alone_and_the_output_counts_all_that_was_approved() -> None:
    theirs = an_outage(words="停电")
    assert next_outage_step([theirs], [CASE], at(9), NOW) is None
    told = moved([an_outage(state="approved"), an_outage(state="approved"), theirs])
    assert told == "2 approved; 10 clocks stood still, 6 deadlines moved"
