"""When the simulated dispatchers hand over, and what they write in the book of the shift."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from gridsvc.local.simulate_book import WATCHED, hand_over_of, shift_number
from tests.unit.local.test_simulate_rules import new_case

MORNING = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(("hour", "another"), [(7, True), (8, False), (15, False), (16, True)])
def test_a_shift_begins_at_0_8_and_16_oclock(hour: int, another: bool) -> None:
    assert (shift_number(MORNING.replace(hour=hour)) != shift_number(MORNING)) is another
    assert shift_number(MORNING.replace(day=28)) == shift_number(MORNING) + 3


def test_who_hands_over_says_how_many_are_late_and_names_some_of_them() -> None:
    late = [replace(new_case(number), overdue=True) for number in range(WATCHED + 2)]
    said = hand_over_of([*late, new_case(99)], MORNING)
    assert said["words"] == "08:00 交班：超时未结 7 件，请继续跟进"
    assert said["cases"] == sorted(case.id for case in late)[:WATCHED]
    assert said["hand_over"]


def test_who_leaves_nothing_behind_says_so() -> None:
    said = hand_over_of([], MORNING)
    assert (said["words"], said["cases"]) == ("08:00 交班：超时未结 0 件，无待跟进事项", [])
