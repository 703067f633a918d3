"""Which of a session's cookies count: the newest that was used, whatever is newer, and for a minute the one before."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridsvc.domain.turning import GRACE, Standing, standing_of

SINCE = datetime(2026, 11, 27, 8, 0, tzinfo=UTC)
LATER = timedelta(milliseconds=1)


@pytest.mark.parametrize(
    ("turn", "newest", "after", "worth"),
    [
        (0, 0, timedelta(0), Standing.GOOD),
        (4, 4, timedelta(days=20), Standing.GOOD),
        (5, 4, timedelta(days=1), Standing.FIRST_USE),
        (9, 4, timedelta(days=1), Standing.FIRST_USE),  # the database was put back to an older state
        (3, 4, GRACE, Standing.GOOD),
        (3, 4, GRACE + LATER, Standing.SPENT),
        (2, 4, LATER, Standing.SPENT),
        (0, 1, timedelta(0), Standing.GOOD),
    ],
)
def test_what_a_cookie_is_worth(turn: int, newest: int, after: timedelta, worth: Standing) -> None:
    assert standing_of(turn, newest, SINCE, SINCE + after) is worth


def test_a_session_whose_cookie_never_turned_takes_the_first_one_for_ever() -> None:
    assert standing_of(0, 0, None, SINCE) is Standing.GOOD
