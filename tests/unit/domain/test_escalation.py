"""Ladders: which rung is due when, and whose division hears it."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gridsvc.domain.calendar import Calendar
from gridsvc.domain.deadline import Budget, ClockUnit, LimitUnit, Pause
from gridsvc.domain.escalation import (
    After,
    Axis,
    Effect,
    Hearing,
    Last,
    NextRung,
    Rung,
    deadline,
    division_at,
    next_rung,
    step,
)
from tests.unit.domain.sample_rules import HANDLING, SHANGHAI, office, rung

FOUR_HOURS = Budget(ClockUnit.WORK, 4 * 3_600)
START = datetime(2026, 3, 6, 9, 0, tzinfo=SHANGHAI)  # a Friday


def test_rungs_come_in_the_order_of_their_levels() -> None:
    due = [next_rung(HANDLING, fired, START, FOUR_HOURS, None, ()) for fired in range(4)]
    assert due == [
        NextRung(1, START + timedelta(hours=3)),
        NextRung(2, START + timedelta(hours=4)),
        NextRung(3, START + timedelta(hours=6)),
        NextRung(4, START + timedelta(hours=8)),
    ]


def test_the_top_of_the_ladder_is_the_end() -> None:
    assert next_rung(HANDLING, 4, START, FOUR_HOURS, None, ()) is None


def test_a_ladder_without_rungs_never_fires() -> None:
    assert next_rung((), 0, START, FOUR_HOURS, None, ()) is None


def test_the_order_in_which_rungs_are_written_does_not_matter() -> None:
    assert next_rung(HANDLING[::-1], 1, START, FOUR_HOURS, None, ()) == NextRung(2, START + timedelta(hours=4))


def test_a_rung_at_share_0_fires_the_moment_its_clock_starts_even_at_night() -> None:
    night = datetime(2026, 3, 7, 3, 0, tzinfo=SHANGHAI)
    assert next_rung((rung(1, 0.0),), 0, night, Budget(ClockUnit.WORK, 900), office(), ()) == NextRung(1, night)


def test_rungs_beyond_the_limit_stand_on_the_clocks_own_time() -> None:
    """Half a budget beyond four working hours is two more working hours: over lunch and the weekend."""
    overdue = next_rung(HANDLING, 1, START, FOUR_HOURS, office(), ())
    climb = next_rung(HANDLING, 2, START, FOUR_HOURS, office(), ())
    top = next_rung(HANDLING, 3, START, FOUR_HOURS, office(), ())
    assert overdue == NextRung(2, datetime(2026, 3, 6, 15, 0, tzinfo=SHANGHAI))
    assert climb == NextRung(3, datetime(2026, 3, 6, 17, 0, tzinfo=SHANGHAI))
    assert top == NextRung(4, datetime(2026, 3, 9, 9, 0, tzinfo=SHANGHAI))


def test_a_pause_moves_every_rung_that_is_still_to_come() -> None:
    pauses = [Pause(START + timedelta(hours=1), START + timedelta(hours=3), "suspended")]
    moved = [next_rung(HANDLING, fired, START, FOUR_HOURS, None, pauses) for fired in range(4)]
    plain = [next_rung(HANDLING, fired, START, FOUR_HOURS, None, ()) for fired in range(4)]
    for later, sooner in zip(moved, plain, strict=True):
        assert later is not None
        assert sooner is not None
        assert later.at - sooner.at == timedelta(hours=2)


def test_a_pause_after_a_rungs_time_leaves_it_where_it_was() -> None:
    pauses = [Pause(START + timedelta(hours=3), START + timedelta(hours=5), "suspended")]
    assert next_rung(HANDLING, 0, START, FOUR_HOURS, None, pauses) == NextRung(1, START + timedelta(hours=3))
    assert next_rung(HANDLING, 1, START, FOUR_HOURS, None, pauses) == NextRung(2, START + timedelta(hours=6))


def test_a_rung_whose_share_lies_below_the_one_before_waits_for_its_turn() -> None:
    """Levels are the order. A careless ladder fires late, never out of order."""
    careless = (rung(1, 1.0), rung(2, 0.5))
    assert next_rung(careless, 0, START, FOUR_HOURS, None, ()) == NextRung(1, START + timedelta(hours=4))
    assert next_rung(careless, 1, START, FOUR_HOURS, None, ()) == NextRung(2, START + timedelta(hours=2))


def test_the_deadline_is_the_rung_at_share_1() -> None:
    overdue = next_rung(HANDLING, 1, START, FOUR_HOURS, office(), ())
    assert overdue is not None
    assert deadline(START, FOUR_HOURS, office(), ()).at == overdue.at


WHOLE = [("620100", "city"), ("620102", "district"), ("620102001", "street"), ("620102001001", "community")]
NO_STREET = [("620100", "city"), ("620102", "district"), ("620102001001", "community")]


@pytest.mark.parametrize(
    ("rule", "level", "divisions", "expected"),
    [
        ("the level itself", "street", WHOLE, "620102001"),
        ("the nearest above where the level is missing", "street", NO_STREET, "620102"),
        ("never one below", "city", WHOLE, "620100"),
        ("the topmost where there is none above", "city", WHOLE[1:], "620102"),
        ("a rung without a level belongs to the owner", None, WHOLE, None),
        ("a case without a place has no division", "street", [], None),
    ],
)
def test_whose_division_hears(
    rule: str, level: str | None, divisions: list[tuple[str, str]], expected: str | None
) -> None:
    assert division_at(level, divisions) == expected, rule


# --- rungs that wait for the one before ---------------------------------------------------------------


def waiting(level: int, amount: float, unit: LimitUnit, repeats: int = 0) -> Rung:
    return replace(rung(level, 0), share=None, after=After(amount=amount, unit=unit), repeats=repeats)


OVERDUE = rung(1, 1.0, Effect.OVERDUE)
TWO_WORKING_HOURS = waiting(2, 2, LimitUnit.WORK_HOUR, repeats=3)


def next_after(fired: int, at: datetime, calendar: Calendar | None, *pauses: Pause) -> NextRung | None:
    """What comes after the level that fired at `at`, on a clock of four natural hours of a case with office hours."""
    limit = Budget(ClockUnit.NATURAL, 4 * 3_600)
    return next_rung((OVERDUE, TWO_WORKING_HOURS), fired, START, limit, None, pauses, Last(at, calendar))


def test_a_rung_that_waits_counts_from_when_the_one_before_fired() -> None:
    late = START + timedelta(hours=6)  # 15:00; it should have been 13:00
    assert next_after(1, late, office()) == NextRung(2, START + timedelta(hours=8))


def test_it_waits_in_working_time_by_the_cases_calendar_on_a_natural_clock_too() -> None:
    friday_evening = datetime(2026, 3, 6, 20, 0, tzinfo=SHANGHAI)
    assert next_after(1, friday_evening, office()) == NextRung(2, datetime(2026, 3, 9, 10, 0, tzinfo=SHANGHAI))


def test_it_repeats_as_levels_of_its_own_and_then_is_silent() -> None:
    monday = datetime(2026, 3, 9, 8, 0, tzinfo=SHANGHAI)
    levels = [next_after(fired, monday, office()) for fired in range(1, 6)]
    assert levels == [*(NextRung(level, monday + timedelta(hours=2)) for level in (2, 3, 4, 5)), None]
    assert [step((OVERDUE, TWO_WORKING_HOURS), level) for level in (5, 6)] == [
        replace(TWO_WORKING_HOURS, level=5), None,
    ]  # fmt: skip


def test_a_pause_that_ended_before_the_rung_fired_does_not_make_the_next_one_wait() -> None:
    fired = START + timedelta(hours=5, minutes=30)  # 14:30
    before = Pause(START, START + timedelta(hours=1), "suspended")
    since = Pause(fired + timedelta(minutes=30), fired + timedelta(hours=1), "suspended")
    assert next_after(1, fired, office(), before) == NextRung(2, fired + timedelta(hours=2))
    assert next_after(1, fired, office(), before, since) == NextRung(2, fired + timedelta(hours=2, minutes=30))


def test_the_first_rung_may_wait_for_the_start_of_the_clock() -> None:
    first = waiting(1, 30, LimitUnit.URGENT_MINUTE)
    assert next_rung((first,), 0, START, FOUR_HOURS, office(), ()) == NextRung(1, START + timedelta(minutes=30))


def test_a_rung_names_everybody_who_hears_it() -> None:
    also = Hearing(role="supervisor", division_level="city", axis=Axis.LINE)
    assert replace(OVERDUE, also=(also,)).hearings == (Hearing(role="supervisor", division_level="street"), also)
