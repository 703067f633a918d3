"""Time limits: checked examples of a real city, and the same answers as counting minute by minute."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
from numpy.typing import NDArray

from gridsvc.domain.calendar import Calendar, Reach, Season, Slots, Why, WorkDay, advance, worked_seconds
from gridsvc.domain.deadline import Budget, ClockUnit, LimitUnit, Pause, budget_of, intervals, reach, reach_share
from tests.unit.domain.sample_rules import SHANGHAI, office, published

BERLIN = ZoneInfo("Europe/Berlin")  # changes its clocks on the last Sundays of March and October
MINUTE = timedelta(minutes=1)

# How the examples name units; the last is 18:00 of the n-th working day after the day it begins on.
UNITS = {
    "urgent_hour": (LimitUnit.URGENT_HOUR, WorkDay.EIGHT_HOURS),
    "work_hour": (LimitUnit.WORK_HOUR, WorkDay.EIGHT_HOURS),
    "work_day_8h": (LimitUnit.WORK_DAY, WorkDay.EIGHT_HOURS),
    "work_day_calendar": (LimitUnit.WORK_DAY, WorkDay.END_OF_DAY),
}


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """A civil time such as '2026-03-06 17:00'."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


# --- checked examples -------------------------------------------------------------------------------


def test_the_checked_examples_of_the_city_come_out_to_the_minute(sample_data: Path) -> None:
    calendar = published(sample_data, 2026)
    examples = _examples(sample_data, "vectors")
    for example in examples:
        found = due(calendar, example)
        assert found.at == datetime.fromisoformat(example["deadline"]), example
        assert not found.provisional, example
    checked = Counter(each["unit"] for each in examples)
    assert checked == {"work_day_8h": 22, "urgent_hour": 12, "work_hour": 8, "work_day_calendar": 8}


def test_a_limit_that_needs_a_calendar_nobody_has_published_is_provisional(sample_data: Path) -> None:
    examples = _examples(sample_data, "needs_2027_calendar")
    assert Counter(each["unit"] for each in examples) == {"work_day_8h": 4, "work_hour": 1, "work_day_calendar": 2}
    calendar = published(sample_data, 2026)
    for example in examples:
        assert due(calendar, example).provisional, example


def due(calendar: Calendar, example: dict[str, Any]) -> Reach:
    """When the example's limit ends."""
    unit, work_day = UNITS[example["unit"]]
    budget = budget_of(example["value"], unit, work_day)
    by = None if budget.unit is ClockUnit.NATURAL else calendar
    return reach_share(by, datetime.fromisoformat(example["start"]), budget, 1, ())


def _examples(folder: Path, part: str) -> list[dict[str, Any]]:
    text = (folder / "taxonomy/deadline_examples.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)[part]
    return found


# --- units ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "unit", "budget"),
    [
        (45, LimitUnit.URGENT_MINUTE, Budget(ClockUnit.NATURAL, 2_700)),
        (2, LimitUnit.URGENT_HOUR, Budget(ClockUnit.NATURAL, 2 * 3_600)),
        (2, LimitUnit.URGENT_DAY, Budget(ClockUnit.NATURAL, 48 * 3_600)),
        (1, LimitUnit.DAY, Budget(ClockUnit.NATURAL, 24 * 3_600)),
        (4, LimitUnit.WORK_HOUR, Budget(ClockUnit.WORK, 4 * 3_600)),
        (5, LimitUnit.WORK_DAY, Budget(ClockUnit.WORK, 40 * 3_600)),
        (0.5, LimitUnit.WORK_DAY, Budget(ClockUnit.WORK, 4 * 3_600)),
        (1 / 3, LimitUnit.URGENT_HOUR, Budget(ClockUnit.NATURAL, 1_200)),
    ],
)
def test_a_working_day_is_eight_working_hours_and_a_natural_day_is_24(
    amount: float, unit: LimitUnit, budget: Budget
) -> None:
    assert budget_of(amount, unit) == budget


@pytest.mark.parametrize(
    ("rule", "start", "days", "pauses", "due"),
    [
        ("the day it begins on is not one of them", "2026-03-06 09:00", 1, [], "2026-03-09 18:00"),
        ("it does not matter when on that day", "2026-03-06 17:59", 1, [], "2026-03-09 18:00"),
        ("a weekend does not count", "2026-03-05 09:00", 2, [], "2026-03-09 18:00"),
        ("a part of a day counts as one", "2026-03-09 09:00", 0.5, [], "2026-03-10 18:00"),
        ("a pause moves it by the working time in it, to the end of a day",
         "2026-03-09 09:00", 2, [("2026-03-10 08:00", "2026-03-10 12:00")], "2026-03-12 18:00"),
        ("a pause of the first day moves nothing",
         "2026-03-09 09:00", 2, [("2026-03-09 10:00", "2026-03-09 16:00")], "2026-03-11 18:00"),
    ],
)  # fmt: skip
def test_where_the_profile_says_so_a_working_day_ends_when_the_office_does(
    rule: str, start: str, days: float, pauses: list[tuple[str, str]], due: str
) -> None:
    budget = budget_of(days, LimitUnit.WORK_DAY, WorkDay.END_OF_DAY)
    assert reach_share(office(), at(start), budget, 1, [pause(*each) for each in pauses]).at == at(due), rule


def test_rungs_of_a_clock_of_ends_of_days_stand_around_its_deadline() -> None:
    """Two days from Monday: Tuesday and Wednesday, sixteen working hours."""
    budget = budget_of(2, LimitUnit.WORK_DAY, WorkDay.END_OF_DAY)
    found = [reach_share(office(), at("2026-03-09 09:00"), budget, share, ()).at for share in (0.5, 0.75, 1, 1.5)]
    assert found == [at("2026-03-10 18:00"), at("2026-03-11 12:00"), at("2026-03-11 18:00"), at("2026-03-12 18:00")]


# --- the working calendar ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("rule", "start", "hours", "due"),
    [
        ("inside a slot", "2026-03-06 09:00", 2, "2026-03-06 11:00"),
        ("over the lunch break", "2026-03-06 11:00", 2, "2026-03-06 15:00"),
        ("used up at the end of a slot ends there, not after lunch", "2026-03-06 08:00", 4, "2026-03-06 12:00"),
        ("from Friday evening into Monday", "2026-03-06 17:00", 2, "2026-03-09 09:00"),
        ("begun in the night, it counts from the morning", "2026-03-06 02:00", 1, "2026-03-06 09:00"),
        ("begun on Saturday, it counts from Monday", "2026-03-07 10:00", 8, "2026-03-09 18:00"),
        ("nothing to use up ends where it began, even at night", "2026-03-07 03:00", 0, "2026-03-07 03:00"),
    ],
)
def test_working_time(rule: str, start: str, hours: float, due: str) -> None:
    assert advance(office(), at(start), hours * 3_600).at == at(due), rule


def test_without_a_calendar_every_second_counts() -> None:
    assert advance(None, at("2026-03-06 23:00"), 2 * 3_600).at == at("2026-03-07 01:00")


def test_a_day_off_does_not_count_and_a_make_up_workday_does() -> None:
    calendar = office(days={date(2026, 3, 6): False, date(2026, 3, 7): True})
    assert advance(calendar, at("2026-03-05 17:00"), 2 * 3_600).at == at("2026-03-07 09:00")


def test_a_make_up_workday_on_a_day_with_slots_of_its_own_keeps_them() -> None:
    slots = {1: ((time(8), time(12)),), 6: ((time(9), time(11)),)}
    calendar = office(slots=slots, days={date(2026, 3, 7): True, date(2026, 3, 8): True})
    assert calendar.slots_of(date(2026, 3, 7)) == ((time(9), time(11)),)
    assert calendar.slots_of(date(2026, 3, 8)) == ((time(8), time(12)),)


def test_a_calendar_that_never_works_is_a_mistake_not_a_limit() -> None:
    with pytest.raises(ValueError, match="calendar city has less than 3600 working seconds"):
        advance(office(slots={}), at("2026-03-06 09:00"), 3_600)


def test_natural_hours_over_a_change_of_the_clocks_are_true_hours() -> None:
    """Two hours from 01:30 in Berlin on the night that has no 02:00 end at 04:30 on the wall."""
    assert advance(None, at("2026-03-29 01:30", BERLIN), 2 * 3_600).at == at("2026-03-29 04:30", BERLIN)
    assert worked_seconds(None, at("2026-10-25 01:30", BERLIN), at("2026-10-25 03:30", BERLIN)) == 3 * 3_600


def test_a_night_shift_on_the_night_that_has_no_two_o_clock_is_an_hour_shorter() -> None:
    nights = office(zone=BERLIN, slots={7: ((time(0), time(6)),)})
    assert worked_seconds(nights, at("2026-03-29 00:00", BERLIN), at("2026-03-29 12:00", BERLIN)) == 5 * 3_600
    assert worked_seconds(nights, at("2026-10-25 00:00", BERLIN), at("2026-10-25 12:00", BERLIN)) == 7 * 3_600


@pytest.mark.parametrize(
    ("rule", "start", "hours", "provisional"),
    [
        ("inside the published year", "2026-12-31 09:00", 2, False),
        ("into a year that is not published", "2026-12-31 17:00", 2, True),
        ("begun in a year that was never published", "2025-12-31 17:00", 2, True),
        ("the last second of the published year", "2026-12-31 16:00", 2, False),
    ],
)
def test_a_deadline_is_provisional(rule: str, start: str, hours: float, provisional: bool) -> None:
    assert advance(office(), at(start), hours * 3_600).provisional is provisional, rule


def test_the_year_is_that_of_the_city_not_of_greenwich() -> None:
    """07:30 on New Year's Day in Shanghai is still the old year in UTC."""
    early = office(slots=dict.fromkeys(range(1, 8), ((time(7), time(8)),)))
    assert advance(early, at("2027-01-01 07:00").astimezone(UTC), 1_800).provisional
    assert not advance(early, at("2026-01-01 07:00").astimezone(UTC), 1_800).provisional


# --- pauses -----------------------------------------------------------------------------------------


def pause(start: str, end: str | None) -> Pause:
    return Pause(at(start), at(end) if end else None, "suspended")


@pytest.mark.parametrize(
    ("rule", "pauses", "due"),
    [
        ("without a pause", [], "2026-03-06 15:00"),
        ("a pause moves the deadline by the working time in it",
         [pause("2026-03-06 09:00", "2026-03-06 10:00")], "2026-03-06 16:00"),
        ("a pause over lunch adds nothing", [pause("2026-03-06 12:00", "2026-03-06 14:00")], "2026-03-06 15:00"),
        ("a pause half in working time adds its working half",
         [pause("2026-03-06 11:30", "2026-03-06 13:00")], "2026-03-06 15:30"),
        ("a pause over the weekend adds what was left of Friday",
         [pause("2026-03-06 10:00", "2026-03-09 08:00")], "2026-03-09 11:00"),
        ("two pauses add up, in whatever order they are given",
         [pause("2026-03-06 14:00", "2026-03-06 14:30"), pause("2026-03-06 09:00", "2026-03-06 10:00")],
         "2026-03-06 16:30"),
        ("overlapping pauses count once",
         [pause("2026-03-06 09:00", "2026-03-06 10:00"), pause("2026-03-06 09:30", "2026-03-06 10:30")],
         "2026-03-06 16:30"),
        ("a pause that begins when the budget is used up comes too late",
         [pause("2026-03-06 15:00", "2026-03-06 16:00")], "2026-03-06 15:00"),
        ("a pause that has not ended is not counted on", [pause("2026-03-06 10:00", None)], "2026-03-06 15:00"),
        ("a pause from the first instant", [pause("2026-03-06 09:00", "2026-03-06 09:45")], "2026-03-06 15:45"),
    ],
)  # fmt: skip
def test_pauses(rule: str, pauses: list[Pause], due: str) -> None:
    """A budget of four working hours that begins on Friday at nine."""
    assert reach(office(), at("2026-03-06 09:00"), 4 * 3_600, pauses).at == at(due), rule


# --- seasons ----------------------------------------------------------------------------------------

SUMMER = Season(name="夏季作息", first=(5, 1), last=(9, 30), slots=dict.fromkeys(range(1, 6), ((time(15), time(19)),)))
WINTER = Season(name="冬季作息", first=(11, 1), last=(2, 28), slots=dict.fromkeys(range(1, 6), ((time(9), time(12)),)))


@pytest.mark.parametrize(
    ("day", "opens"),
    [
        (date(2026, 4, 30), 8), (date(2026, 5, 1), 15), (date(2026, 9, 30), 15), (date(2026, 10, 1), 8),
        (date(2026, 12, 31), 9), (date(2027, 1, 1), 9), (date(2028, 2, 28), 9), (date(2028, 2, 29), 8),
    ],
)  # fmt: skip
def test_a_season_has_other_hours_between_two_days_of_every_year_over_new_year_too(day: date, opens: int) -> None:
    assert office(seasons=(SUMMER, WINTER)).slots_of(day)[0][0] == time(opens)


def test_a_limit_runs_from_one_season_into_the_next() -> None:
    """An hour on the last evening of the summer, the other three on the next morning."""
    assert advance(office(seasons=(SUMMER,)), at("2026-09-30 18:00"), 4 * 3_600).at == at("2026-10-01 11:00")


def test_a_make_up_workday_of_the_summer_has_the_hours_of_the_summer() -> None:
    assert office(seasons=(SUMMER,), days={date(2026, 5, 9): True}).slots_of(date(2026, 5, 9)) == SUMMER.slots[1]


def test_a_slot_that_closes_at_midnight_closes_when_the_day_ends() -> None:
    watch = office(slots=dict.fromkeys(range(1, 8), ((time(16), time(0)),)))
    assert advance(watch, at("2026-03-06 23:00"), 2 * 3_600).at == at("2026-03-07 17:00")


# --- the engine equals a counter of minutes -----------------------------------------------------------

HALF_HOUR = ZoneInfo("Australia/Lord_Howe")  # its summer time is half an hour
MIDNIGHT = ZoneInfo("America/Havana")  # changes its clocks at midnight
CALENDARS, CASES = 100, 1_000
WEEKS = 12


def random_week(random: Random) -> dict[int, Slots]:
    """Slots to the minute, on some weekdays; two to four of them work."""
    week: dict[int, Slots] = {}
    for weekday in random.sample(range(1, 8), random.randint(2, 7)):
        edges = sorted(random.sample(range(24 * 60), 2 * random.randint(1, 3)))
        civil = [time(edge // 60, edge % 60) for edge in edges]
        week[weekday] = tuple(zip(civil[::2], civil[1::2], strict=True))
    return week


def random_calendar(random: Random, first: date) -> Calendar:
    """Any week, perhaps a season, some days off and make-up workdays, in a zone with or without summer time."""
    days = {first + timedelta(days=n): random.random() < 0.4 for n in random.sample(range(7 * WEEKS), 12)}
    seasons: list[Season] = []
    if random.random() < 0.5:
        begins, ends = (first + timedelta(days=random.randrange(7 * WEEKS)) for _ in range(2))
        seasons = [Season(name="season", first=(begins.month, begins.day), last=(ends.month, ends.day),
                          slots=random_week(random))]  # fmt: skip
    zone = random.choice([SHANGHAI, BERLIN, BERLIN, HALF_HOUR, MIDNIGHT])
    return office(zone=zone, slots=random_week(random), days=days, seasons=tuple(seasons))


def working_minutes(calendar: Calendar, first: datetime) -> NDArray[np.bool_]:
    """Of every minute of some weeks whether it is working time: look at the wall, then at the roster."""
    hours: dict[date, set[time]] = {}
    found = np.zeros(WEEKS * 7 * 24 * 60, dtype=np.bool_)
    for index in range(len(found)):
        wall = (first + index * MINUTE).astimezone(calendar.zone)
        if wall.date() not in hours:
            hours[wall.date()] = roster_of(calendar, wall.date())
        found[index] = wall.time() in hours[wall.date()]
    return found


def roster_of(calendar: Calendar, day: date) -> set[time]:
    """The minutes of the wall clock at which somebody works on `day`."""
    week = calendar.slots
    for season in calendar.seasons:
        begins, ends, here = season.first, season.last, (day.month, day.day)
        if begins <= here <= ends or (ends < begins and not ends < here < begins):
            week = season.slots
    own = week.get(day.isoweekday(), ())
    if calendar.days.get(day) is False:
        own = ()
    elif calendar.days.get(day) and not own:
        own = next(week[weekday] for weekday in range(1, 8) if week.get(weekday))
    every = [time(hour, minute) for hour in range(24) for minute in range(60)]
    return {minute for minute in every if any(opens <= minute < closes for opens, closes in own)}


def test_the_engine_equals_a_counter_of_minutes_on_100_000_random_cases() -> None:
    """A hundred calendars around both changes of the clocks; of each a thousand limits, most with pauses."""
    counted = 0
    for seed in range(CALENDARS):
        random = Random(seed)
        first = datetime(2026, random.choice([2, 3, 9, 10, 12]), random.randint(1, 28), tzinfo=UTC)
        calendar = random_calendar(random, first.date())
        works = working_minutes(calendar, first)
        for case in range(CASES):
            start = random.randrange(len(works) // 2)
            minutes = random.randint(1, 3_000)
            pauses, runs = [], works[start:].copy()
            for _ in range(random.choice([0, 1, 1, 3])):
                begins, length = random.randrange(5_000), random.randrange(3_000)
                runs[begins : begins + length] = False
                since = first + (start + begins) * MINUTE
                pauses.append(Pause(since, since + length * MINUTE, "suspended"))
            left = np.flatnonzero(runs)
            if len(left) < minutes:
                continue
            expected = first + (start + int(left[minutes - 1]) + 1) * MINUTE
            found = reach(calendar, first + start * MINUTE, minutes * 60, pauses)
            assert found.at == expected, f"seed {seed}, case {case}"
            so_far = worked_seconds(calendar, first + start * MINUTE, expected)
            assert so_far == 60 * np.count_nonzero(works[start:][: left[minutes - 1] + 1]), f"seed {seed}, case {case}"
            counted += 1
    assert counted > 0.9 * CALENDARS * CASES


# --- every interval -----------------------------------------------------------------------------------


def test_the_intervals_of_a_clock_leave_no_gap_and_count_what_the_engine_counts() -> None:
    for seed in range(60):
        random = Random(seed)
        first = datetime(2026, random.choice([3, 10]), 20, tzinfo=UTC)
        calendar = random_calendar(random, first.date())
        works = working_minutes(calendar, first)
        for _ in range(20):
            start, length = random.randrange(len(works) // 2), random.randrange(1, 20_000)
            runs = works[start : start + length].copy()
            pauses = []
            for _ in range(random.choice([0, 1, 3])):
                begins, lasts = random.randrange(length), random.randrange(3_000)
                runs[begins : begins + lasts] = False
                since = first + (start + begins) * MINUTE
                pauses.append(Pause(since, since + lasts * MINUTE, "suspended"))
            since, until = first + start * MINUTE, first + (start + length) * MINUTE
            found = intervals(calendar, since, until, pauses)
            assert (found[0].start, found[-1].end) == (since, until)
            for before, after in pairwise(found):
                assert before.end == after.start
                assert (before.why, before.name) != (after.why, after.name)
            said = sum((each.end - each.start for each in found if each.counted), timedelta())
            assert said == int(np.count_nonzero(runs)) * MINUTE, f"seed {seed}"


def test_nothing_is_listed_before_a_clock_begins() -> None:
    assert intervals(office(), at("2026-03-06 11:00"), at("2026-03-06 11:00"), []) == []


def test_every_interval_says_why_it_did_not_count() -> None:
    calendar = office(
        days={date(2026, 3, 6): True, date(2026, 3, 9): False},
        names={date(2026, 3, 6): "调休", date(2026, 3, 9): "植树节"},
    )
    found = intervals(calendar, at("2026-03-06 16:00"), at("2026-03-10 09:00"), [])
    assert [(each.start, each.counted, each.why, each.name) for each in found] == [
        (at("2026-03-06 16:00"), True, Why.COUNTED, "调休"),
        (at("2026-03-06 18:00"), False, Why.OUTSIDE_HOURS, ""),
        (at("2026-03-07 00:00"), False, Why.WEEKEND, ""),
        (at("2026-03-09 00:00"), False, Why.DAY_OFF, "植树节"),
        (at("2026-03-10 00:00"), False, Why.OUTSIDE_HOURS, ""),
        (at("2026-03-10 08:00"), True, Why.COUNTED, ""),
    ]


def test_a_pause_is_the_reason_even_in_working_time() -> None:
    found = intervals(office(), at("2026-03-06 11:00"), at("2026-03-06 16:00"), [pause("2026-03-06 15:00", None)])
    assert [(each.start, each.counted, each.why, each.name) for each in found] == [
        (at("2026-03-06 11:00"), True, Why.COUNTED, ""),
        (at("2026-03-06 12:00"), False, Why.OUTSIDE_HOURS, ""),
        (at("2026-03-06 14:00"), True, Why.COUNTED, ""),
        (at("2026-03-06 15:00"), False, Why.PAUSED, "suspended"),
    ]


def test_on_a_clock_of_ends_of_days_the_first_day_does_not_count() -> None:
    found = intervals(office(), at("2026-03-09 16:00"), at("2026-03-10 09:00"), [], ClockUnit.WORK_DAY)
    assert [(each.start, each.counted, each.why) for each in found] == [
        (at("2026-03-09 16:00"), False, Why.FIRST_DAY),
        (at("2026-03-10 00:00"), False, Why.OUTSIDE_HOURS),
        (at("2026-03-10 08:00"), True, Why.COUNTED),
    ]


def test_on_the_natural_clock_everything_counts() -> None:
    [all_of_it] = intervals(None, at("2026-03-06 11:00"), at("2026-03-08 16:00"), [])
    assert (all_of_it.counted, all_of_it.why) == (True, Why.COUNTED)
