"""Until when files are kept: loose ones briefly, those of an open case always, the rest by their kind."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.keeping import Keeping, Standing, Why, fate_of

CAME = datetime(2026, 11, 1, tzinfo=UTC)
RULES = Keeping(loose_days=7, picture_days=100, sound_days=30, original_days=20)
DAY = timedelta(days=1)


@pytest.mark.parametrize(
    ("kind", "of_case", "over_day", "on_day", "goes"),
    [
        ("picture", False, None, 6, False),
        ("picture", False, None, 7, True),
        ("sound", False, None, 7, True),
        ("picture", True, None, 3_000, False),  # its case is open
        ("picture", True, 50, 149, False),
        ("picture", True, 50, 150, True),
        ("sound", True, 50, 79, False),
        ("sound", True, 50, 80, True),
    ],
)
def test_an_attachment_goes_when_its_days_are_over(
    kind: str, of_case: bool, over_day: int | None, on_day: int, goes: bool
) -> None:
    over_at = None if over_day is None else CAME + over_day * DAY
    standing = Standing(uploaded_at=CAME, of_case=of_case, over_at=over_at)
    fate = fate_of(standing, kind, False, RULES, CAME + on_day * DAY)
    assert (fate.attachment is not None) == goes
    assert (fate.look_again_at is None) == goes


def test_an_original_goes_before_its_picture_and_never_stays_behind_it() -> None:
    over = Standing(uploaded_at=CAME, of_case=True, over_at=CAME)
    early, later = (fate_of(over, "picture", True, RULES, CAME + days * DAY) for days in (20, 100))
    assert early.original == (Why.CASE_OVER, CAME + 20 * DAY)
    assert early.attachment is None
    assert later.original == later.attachment == (Why.CASE_OVER, CAME + 100 * DAY)
    open_case = Standing(uploaded_at=CAME, of_case=True)
    assert fate_of(open_case, "picture", True, RULES, CAME + 3_000 * DAY).original is None


@given(st.booleans(), st.none() | st.integers(0, 60), st.integers(0, 200), st.sampled_from(["picture", "sound"]))
def test_nothing_goes_early_and_what_stays_is_looked_at_within_a_day(
    of_case: bool, over_day: int | None, on_day: int, kind: str
) -> None:
    now = CAME + on_day * DAY
    over_at = CAME + over_day * DAY if of_case and over_day is not None else None
    standing = Standing(uploaded_at=CAME, of_case=of_case, over_at=over_at)
    fate = fate_of(standing, kind, kind == "picture", RULES, now)
    for goes in (fate.attachment, fate.original):
        assert goes is None or goes[1] <= now
    if fate.attachment is None:
        assert fate.look_again_at is not None
        assert now < fate.look_again_at <= now + DAY
