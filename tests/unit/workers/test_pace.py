"""A backlog goes out at a rate, and sweepers do not strike together."""

from __future__ import annotations

import pytest

from workers.pace import VARIES, rest_after


def test_the_rest_makes_up_what_the_batch_did_not_take() -> None:
    assert rest_after(200, 0.0, 100.0, 0.5) == pytest.approx(2.0)
    assert rest_after(200, 1.5, 100.0, 0.5) == pytest.approx(0.5)


def test_who_is_slower_than_the_rate_does_not_rest() -> None:
    assert rest_after(200, 3.0, 100.0, 0.9) == 0.0


def test_rests_differ_and_keep_the_rate_on_average() -> None:
    dealt = [each / 100 for each in range(101)]
    rests = [rest_after(200, 0.0, 100.0, each) for each in dealt]
    assert min(rests) == pytest.approx(2.0 * (1 - VARIES))
    assert max(rests) == pytest.approx(2.0 * (1 + VARIES))
    assert sum(rests) / len(rests) == pytest.approx(2.0)
