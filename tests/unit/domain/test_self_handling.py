"""Which self-handled cases are looked at again: one in ten, by an id that nobody chooses."""

from __future__ import annotations

from uuid import UUID

import pytest

from gridsvc.domain.self_handling import ONE_IN, is_sampled


def test_about_one_in_ten_is_sampled() -> None:
    ids = [UUID(int=(0x0189 << 112) + number) for number in range(10_000)]
    assert ONE_IN == 10
    assert 900 <= sum(map(is_sampled, ids)) <= 1_100


@pytest.mark.parametrize(("last", "sampled"), [("01", False), ("06", True), ("17", True)])
def test_the_examples_of_the_page(last: str, sampled: bool) -> None:
    """docs/rules/self-handling.md: 23 in decimal is 17 in the id."""
    assert is_sampled(UUID(f"01890000-0000-7000-8000-0000000000{last}")) is sampled
