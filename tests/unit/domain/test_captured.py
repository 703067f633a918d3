"""When something was done that a phone tells later: corrected, held between what can be, and doubted aloud."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Final
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.access import Role
from gridsvc.domain.captured import (
    CLOCKS_DIFFER,
    JUDGED,
    Claimed,
    Doubt,
    Floor,
    doubts_of_fix,
    judge,
    judged_at,
    works_out_there,
)
from gridsvc.domain.case_state import Clock, State
from gridsvc.domain.fix import Fix
from tests.unit.domain.sample_case import CHECKER, OFFICER, case_in, person

NOW: Final = datetime(2026, 11, 23, 17, 0, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
HOUR: Final = timedelta(hours=1)


def said(ago: timedelta, **more: timedelta | None) -> Claimed:
    contact = more.pop("contact", None)
    skew = more.pop("skew", timedelta())
    return Claimed(at=NOW - ago, skew=skew, last_contact=None if contact is None else NOW - contact)


def test_what_a_phone_says_counts_where_nothing_speaks_against_it() -> None:
    captured = judge(said(3 * HOUR, contact=4 * HOUR), [Floor(at=NOW - 5 * HOUR, doubt=Doubt.BEFORE_ASSIGNMENT)], NOW)
    assert (captured.at, captured.doubts) == (NOW - 3 * HOUR, ())


def test_a_wrong_clock_is_put_right_by_what_was_measured_and_doubted() -> None:
    captured = judge(said(5 * HOUR, skew=2 * HOUR), [], NOW)
    assert (captured.at, captured.doubts) == (NOW - 3 * HOUR, (Doubt.CLOCK_WRONG,))


@pytest.mark.parametrize(
    ("claimed", "floors", "at", "doubts"),
    [
        (said(-HOUR), [], NOW, (Doubt.IN_THE_FUTURE,)),
        (said(-MINUTE), [], NOW, ()),
        (said(2 * HOUR, contact=HOUR), [], NOW - HOUR, (Doubt.BEFORE_CONTACT,)),
        (said(2 * HOUR, contact=2 * HOUR - MINUTE), [], NOW - 2 * HOUR + MINUTE, ()),
        (said(2 * HOUR), [(HOUR, Doubt.BEFORE_ASSIGNMENT)], NOW - HOUR, (Doubt.BEFORE_ASSIGNMENT,)),
        (said(2 * HOUR), [(HOUR, Doubt.OUT_OF_ORDER), (90 * MINUTE, Doubt.BEFORE_ASSIGNMENT)], NOW - HOUR,
         (Doubt.BEFORE_ASSIGNMENT, Doubt.OUT_OF_ORDER)),
        (said(HOUR), [(HOUR, Doubt.OUT_OF_ORDER)], NOW - HOUR, ()),
        (said(24 * HOUR), [], NOW - 24 * HOUR, ()),
        (said(24 * HOUR + MINUTE), [], NOW - 24 * HOUR - MINUTE, (Doubt.LONG_OFFLINE,)),
        (said(HOUR, skew=None), [], NOW - HOUR, (Doubt.SKEW_UNKNOWN,)),
        (said(HOUR, contact=-HOUR), [], NOW, (Doubt.BEFORE_CONTACT,)),
    ],
    ids=["ahead", "a minute ahead", "before the last contact", "as near to it as clocks differ", "before it was his",
         "between two floors", "a tie", "a day", "more than a day", "never measured", "contact in the future"],
)  # fmt: skip
def test_a_claim_is_held_between_what_came_before_and_now(
    claimed: Claimed, floors: list[tuple[timedelta, Doubt]], at: datetime, doubts: tuple[Doubt, ...]
) -> None:
    captured = judge(claimed, [Floor(at=NOW - ago, doubt=doubt) for ago, doubt in floors], NOW)
    assert (captured.at, captured.doubts) == (at, doubts)


_SPAN = st.timedeltas(min_value=-timedelta(days=40), max_value=timedelta(days=40))
_FLOOR = st.tuples(_SPAN, st.sampled_from([Doubt.BEFORE_ASSIGNMENT, Doubt.OUT_OF_ORDER]))


@given(ago=_SPAN, skew=st.none() | _SPAN, contact=st.none() | _SPAN, floors=st.lists(_FLOOR, max_size=3))
def test_whatever_is_claimed_lies_within_its_bounds(
    ago: timedelta, skew: timedelta | None, contact: timedelta | None, floors: list[tuple[timedelta, Doubt]]
) -> None:
    """Never after now, never before what it cannot precede; in any order; and a claim that was far off is doubted."""
    claimed = Claimed(at=NOW - ago, skew=skew, last_contact=None if contact is None else NOW - contact)
    bounds = [Floor(at=NOW - span, doubt=doubt) for span, doubt in floors]
    captured = judge(claimed, bounds, NOW)
    assert captured.at <= NOW
    assert all(captured.at >= min(floor.at, NOW) for floor in bounds)
    corrected = claimed.at + (skew or timedelta())
    heard = [] if claimed.last_contact is None else [claimed.last_contact + (skew or timedelta())]
    assert captured.at == min(max([corrected, *heard, *(floor.at for floor in bounds)]), NOW)
    if abs(captured.at - corrected) > CLOCKS_DIFFER:
        assert captured.doubts
    assert all(judge(claimed, list(each), NOW) == captured for each in permutations(bounds))


def test_clocks_of_whoever_is_out_there_are_judged_by_it_and_those_of_desks_are_not() -> None:
    began, done = NOW - 4 * HOUR, NOW - HOUR
    assert {kind for kind in Clock if judged_at(kind, began, done, NOW) == done} == JUDGED
    assert {kind for kind in Clock if judged_at(kind, began, done, NOW) is None} == set(Clock) - JUDGED


def test_nothing_is_judged_before_it_was_asked_for_or_after_it_was_told() -> None:
    assert judged_at(Clock.HANDLING, NOW - HOUR, NOW - 2 * HOUR, NOW) == NOW - HOUR
    assert judged_at(Clock.HANDLING, NOW - HOUR, NOW, NOW) is None
    assert judged_at(Clock.HANDLING, NOW - HOUR, None, NOW) is None


def test_the_time_of_a_phone_counts_for_who_works_out_there_and_not_for_a_desk() -> None:
    case = case_in(State.IN_PROGRESS)
    assert works_out_there(case, person(Role.OFFICER, user=OFFICER, duty_line="city"))
    assert not works_out_there(case, person(Role.DISPATCHER))
    assert not works_out_there(case, None)
    sent = replace(case, checker_id=CHECKER)
    assert works_out_there(sent, person(Role.OFFICER, user=CHECKER, duty_line="city"))
    assert not works_out_there(sent, person(Role.OFFICER, user=UUID(int=0xF1), duty_line="city"))


def test_a_made_up_place_and_an_old_one_are_doubted_by_the_phones_own_clock() -> None:
    away = judge(said(5 * HOUR, skew=2 * HOUR), [], NOW)
    assert doubts_of_fix(Fix(taken_at=NOW - 5 * HOUR), away, NOW) == (), "both times are by the wrong clock"
    assert doubts_of_fix(Fix(taken_at=NOW - 3 * HOUR), away, NOW) == (Doubt.OLD_FIX,)
    assert doubts_of_fix(Fix(taken_at=NOW - 3 * MINUTE), None, NOW) == (Doubt.OLD_FIX,)
    assert doubts_of_fix(Fix(taken_at=NOW - MINUTE, mocked=True), None, NOW) == (Doubt.MOCKED,)
    assert doubts_of_fix(None, None, NOW) == ()
