"""Call-backs (回访): which level asks next, of which cases, and which tries count."""

from __future__ import annotations

from datetime import datetime, time
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from gridsvc.domain.calendar import Calendar
from gridsvc.domain.call_back import CallBackRule, ends_with, is_asked, next_level, try_counts

ZONE = ZoneInfo("Asia/Shanghai")
HOURS = ((time(8), time(12)), (time(14), time(18)))
CALENDAR = Calendar(code="city", edition=1, zone=ZONE, slots=dict.fromkeys(range(1, 6), HOURS))
CASE = UUID(int=0xC1)
DESKS = {"district": "620102", "city": "620100"}
BOTH = {level: CallBackRule(level=level, share=1.0, ladder=None) for level in ("district", "city")}


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of November 2026; the 23rd is a Monday."""
    return datetime(2026, 11, day, hour, minute, tzinfo=ZONE)


def test_the_district_asks_first_and_then_the_city() -> None:
    assert next_level(None, BOTH, DESKS, CASE) == "district"
    assert next_level("district", BOTH, DESKS, CASE) == "city"
    assert next_level("city", BOTH, DESKS, CASE) is None


@pytest.mark.parametrize(
    ("rules", "first", "second"),
    [
        ({}, None, None),
        ({"district": BOTH["district"]}, "district", None),
        ({"city": BOTH["city"]}, "city", "city"),
        ({**BOTH, "district": CallBackRule(level="district", share=0.0, ladder=None)}, "city", "city"),
    ],
)
def test_a_level_that_is_switched_off_is_passed_over(
    rules: dict[str, CallBackRule], first: str | None, second: str | None
) -> None:
    assert (next_level(None, rules, DESKS, CASE), next_level("district", rules, DESKS, CASE)) == (first, second)


def test_where_both_levels_are_one_desk_it_asks_once() -> None:
    held_by_the_city = {"district": "620100", "city": "620100"}
    assert next_level(None, BOTH, held_by_the_city, CASE) == "district"
    assert next_level("district", BOTH, held_by_the_city, CASE) is None


def test_a_case_without_a_place_has_no_desk_that_asks() -> None:
    assert next_level(None, BOTH, {}, CASE) is None


def test_a_share_is_drawn_by_the_id_and_each_level_draws_for_itself() -> None:
    cases = [UUID(int=n) for n in range(4_000)]
    drawn = {level: {case for case in cases if is_asked(case, level, 0.25)} for level in BOTH}
    assert all(0.22 < len(each) / len(cases) < 0.28 for each in drawn.values())
    assert drawn["district"] != drawn["city"]
    assert all(is_asked(case, "city", 0.5) for case in drawn["city"]), "a greater share has the smaller in it"
    assert all(is_asked(case, "city", 1.0) and not is_asked(case, "city", 0.0) for case in cases)


@pytest.mark.parametrize(
    ("says", "tries", "now", "counts"),
    [
        ("the first in working time", (), at(23, 9), True),
        ("the desk works at night, the city does not", (), at(23, 21), False),
        ("on a Sunday", (), at(22, 10), False),
        ("at the very opening", (), at(23, 8), True),
        ("at the very close", (), at(23, 12), False),
        ("again in the same morning", (at(23, 8, 5),), at(23, 11, 55), False),
        ("again in the afternoon", (at(23, 11, 55),), at(23, 14, 5), True),
        ("next morning", (at(23, 9), at(23, 15)), at(24, 9), True),
        ("the same morning as the first of two", (at(23, 15), at(24, 9)), at(24, 10), False),
    ],
)
def test_a_try_counts_in_working_time_and_once_in_each_stretch_of_it(
    says: str, tries: tuple[datetime, ...], now: datetime, counts: bool
) -> None:
    assert try_counts(CALENDAR, tries, now) == counts, says


def test_two_mornings_of_a_city_that_works_without_a_pause_are_one_stretch_only_if_nothing_lies_between() -> None:
    long_day = Calendar(code="long", edition=1, zone=ZONE, slots={1: ((time(8), time(18)),), 2: ((time(8), time(18)),)})
    assert not try_counts(long_day, (at(23, 9),), at(23, 17))
    assert try_counts(long_day, (at(23, 17),), at(24, 9))


def test_whoever_answers_ends_it_and_so_does_the_third_try_that_counts() -> None:
    assert [ends_with("unreachable", tries) for tries in (0, 1, 2, 3)] == [False, False, False, True]
    assert all(ends_with(result, 0) for result in ("solved", "not_solved", "no_wish"))
