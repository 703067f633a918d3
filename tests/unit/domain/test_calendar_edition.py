"""Editions of a calendar: which source gives a day, where they disagree, and what a file of hours may say."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, time

import pytest

from gridsvc.domain.calendar import WorkDay
from gridsvc.domain.calendar_edition import (
    CalendarDay,
    DayChange,
    Edition,
    Hours,
    Source,
    changes,
    disagreements,
    missing_years,
    next_edition,
    read_hours,
)
from gridsvc.domain.roster import Fault
from tests.unit.domain.sample_rules import OFFICE_HOURS, SHANGHAI

FRIDAY, SATURDAY, SUNDAY = date(2026, 10, 2), date(2026, 10, 3), date(2026, 10, 4)
NEW_YEARS_EVE = date(2026, 12, 31)


def off(day: date, name: str = "国庆节", notice: int = 2026) -> CalendarDay:
    return CalendarDay(day=day, works=False, name=name, notice=notice)


def works(day: date) -> CalendarDay:
    return CalendarDay(day=day, works=True, name="国庆节", notice=2026)


def source(name: str, *days: CalendarDay, years: tuple[int, ...] = (2026,)) -> Source:
    return Source(name=name, years=frozenset(years), days=days)


EMPTY = Edition(code="city", number=3, name="city", slots=dict.fromkeys(range(1, 6), OFFICE_HOURS))


def drafted(*sources: Source, base: Edition = EMPTY, follow: str | None = None) -> Edition:
    return next_edition(base, Hours(), sources, follow)


def test_a_new_edition_has_the_next_number_the_days_of_its_source_and_says_which_that_was() -> None:
    edition = drafted(source("a", off(FRIDAY)))
    assert (edition.number, edition.years, edition.sources) == (4, frozenset({2026}), ("a",))
    assert edition.days == (off(FRIDAY),)


@pytest.mark.parametrize(
    ("rule", "published", "today", "missing"),
    [
        ("this year's is there", {2026}, date(2026, 10, 31), []),
        ("from November on the next year's is missed too", {2026}, date(2026, 11, 1), [2027]),
        ("both are there", {2026, 2027}, date(2026, 12, 31), []),
        ("nothing is", set(), date(2026, 11, 1), [2026, 2027]),
        ("a year that is over is not missed", {2025}, date(2026, 1, 1), [2026]),
    ],
)
def test_which_years_are_missed(rule: str, published: set[int], today: date, missing: list[int]) -> None:
    assert missing_years(frozenset(published), today) == missing, rule


def test_a_year_that_is_imported_again_replaces_its_days_and_no_other_years() -> None:
    before = replace(EMPTY, years=frozenset({2025, 2026}), days=(off(date(2025, 10, 1), notice=2025), off(FRIDAY)))
    assert drafted(source("a", off(SUNDAY)), base=before).days == (off(date(2025, 10, 1), notice=2025), off(SUNDAY))


def test_a_day_at_the_turn_of_the_year_belongs_to_the_notice_that_set_it() -> None:
    before = replace(EMPTY, years=frozenset({2027}), days=(off(NEW_YEARS_EVE, "元旦", notice=2027),))
    assert off(NEW_YEARS_EVE, "元旦", notice=2027) in drafted(source("a", off(FRIDAY)), base=before).days


def test_the_first_source_gives_the_days_unless_another_is_followed() -> None:
    first, second = source("a", off(FRIDAY, "National Day")), source("b", off(FRIDAY), works(SATURDAY))
    assert drafted(first, second).days == first.days
    assert drafted(first, second, follow="b").days == second.days


def test_hours_and_profile_are_taken_over_and_what_is_not_said_stays() -> None:
    edition = next_edition(EMPTY, Hours(work_day=WorkDay.END_OF_DAY), [], None)
    assert (edition.work_day, edition.slots, edition.name) == (WorkDay.END_OF_DAY, EMPTY.slots, "city")


# --- disagreement -----------------------------------------------------------------------------------


def test_sources_disagree_about_a_day_when_one_works_and_the_other_does_not() -> None:
    sources = [source("a", off(FRIDAY)), source("b", off(SUNDAY))]
    [found] = disagreements(drafted(*sources), sources)
    assert (found.day, found.said) == (FRIDAY, {"a": "day off 国庆节", "b": "working day"})


def test_a_weekend_that_one_lists_as_a_day_off_and_the_other_does_not_is_no_disagreement() -> None:
    sources = [source("a", off(FRIDAY), off(SATURDAY)), source("b", off(FRIDAY, "National Day"))]
    assert disagreements(drafted(*sources), sources) == []


def test_a_make_up_workday_that_one_does_not_know_is_a_disagreement() -> None:
    sources = [source("a", works(SATURDAY)), source("b", off(FRIDAY))]
    found = {each.day: each.said for each in disagreements(drafted(*sources), sources)}
    assert found[SATURDAY] == {"a": "make-up workday 国庆节", "b": "weekend"}


def test_a_source_is_not_asked_about_years_that_it_does_not_publish() -> None:
    sources = [source("a", off(FRIDAY)), source("b", off(date(2027, 10, 1), notice=2027), years=(2027,))]
    assert disagreements(drafted(*sources), sources) == []


# --- what changes -----------------------------------------------------------------------------------


def test_the_preview_names_each_day_that_becomes_another() -> None:
    before = replace(EMPTY, days=(off(FRIDAY),)).calendar(SHANGHAI)
    after = replace(EMPTY, days=(works(SATURDAY), off(SUNDAY))).calendar(SHANGHAI)
    assert changes(before, after) == [
        DayChange(FRIDAY, "day off 国庆节", "working day"),
        DayChange(SATURDAY, "weekend", "make-up workday 国庆节"),
        DayChange(SUNDAY, "weekend", "day off 国庆节"),
    ]


def test_a_first_edition_changes_what_it_lists() -> None:
    after = replace(EMPTY, days=(off(FRIDAY),)).calendar(SHANGHAI)
    assert changes(None, after) == [DayChange(FRIDAY, "working day", "day off 国庆节")]


# --- a file of hours --------------------------------------------------------------------------------

SUMMER = {"name": "夏季作息", "first": "05-01", "last": "09-30", "slots": "1-5 08:30-12:00 15:00-18:30"}


def read(said: object) -> tuple[Hours, list[str]]:
    faults: list[Fault] = []
    hours = read_hours("hours.json", json.dumps(said).encode(), faults)
    return hours, [str(fault) for fault in faults]


def test_a_file_of_hours_says_name_profile_slots_and_seasons() -> None:
    slots = "1-5 08:00-12:00; 6 20:00-24:00"
    hours, faults = read({"name": "城市工作日历", "work_day": "end_of_day", "slots": slots, "seasons": [SUMMER]})
    assert faults == []
    assert (hours.name, hours.work_day) == ("城市工作日历", WorkDay.END_OF_DAY)
    assert hours.slots is not None
    assert hours.slots[5] == ((time(8), time(12)),)
    assert hours.slots[6] == ((time(20), time(0)),)
    assert hours.seasons is not None
    assert hours.seasons[0].slots[1] == ((time(8, 30), time(12)), (time(15), time(18, 30)))


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"slot": "1-5 08:00-12:00"}, "field slot: given 1-5 08:00-12:00; want one of name, work_day, slots, seasons"),
        ({"slots": "1-5 22:00-06:00"}, "field slots: given 1 22:00-06:00; want text such as '1-5 08:00-12:00"),
        ({"slots": "1-5 8-12"}, "field slots: given 8-12; want a span such as 08:00-12:00"),
        ({"slots": ""}, "field slots: given ; want text such as"),
        ({"work_day": "24h"}, "field work_day: given 24h; want eight_hours or end_of_day"),
        ({"seasons": [{**SUMMER, "first": "02-30"}]}, "field seasons[0].first: given 02-30; want a day of the year"),
        ({"seasons": [{**SUMMER, "from": "05-01"}]}, "field seasons[0].from: given 05-01; want one of name, first"),
        ({"seasons": [SUMMER, {**SUMMER, "name": "x", "first": "09-30", "last": "10-31"}]},
         "field seasons[1]: given x; want seasons that do not overlap; 夏季作息 is there already"),
        ({"seasons": [{"name": "x"}]}, "field seasons[0].first: given nothing; want a value"),
        ([], "given []; want an object with some of name, work_day, slots, seasons"),
    ],
)  # fmt: skip
def test_what_a_file_of_hours_may_not_say_is_named_by_its_key(said: object, fault: str) -> None:
    _, faults = read(said)
    assert len(faults) == 1
    assert fault in faults[0]
