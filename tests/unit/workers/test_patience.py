"""How long an attempt waits for the next, and when there is none."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workers.patience import FIRST_WAIT, LONGEST_WAIT, MOST_CRASHES, UNFINISHED, gives_up, wait_after


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 2), (3, 4), (4, 8), (9, 256), (10, 300), (11, 300), (5_000, 300)]
)
def test_each_wait_is_twice_the_one_before_up_to_five_minutes(attempts: int, seconds: int) -> None:
    assert wait_after(attempts, chance=0.0) == timedelta(seconds=seconds)


@given(attempts=st.integers(1, 1_000), chance=st.floats(0, 1))
def test_chance_shortens_a_wait_by_half_at_most(attempts: int, chance: float) -> None:
    full = wait_after(attempts, chance=0.0)

    assert full / 2 <= wait_after(attempts, chance) <= full
    assert FIRST_WAIT <= full <= LONGEST_WAIT


@pytest.mark.parametrize(
    ("why", "attempts", "last_error", "dead"),
    [
        ("an attempt is left", 7, "KeyError: x", False),
        ("no attempt is left", 8, "KeyError: x", True),
        ("two crashes may be chance", MOST_CRASHES - 1, UNFINISHED, False),
        ("a third crash is its doing", MOST_CRASHES, UNFINISHED, True),
        ("a reported failure is no crash", MOST_CRASHES, "KeyError: x", False),
        ("never tried", 0, "the broker gave up on it", False),
    ],
)
def test_when_a_message_is_dead(why: str, attempts: int, last_error: str, dead: bool) -> None:
    assert gives_up(attempts, last_error, most_attempts=8) is dead, why
