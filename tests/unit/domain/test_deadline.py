"""Time limits: checked examples of a real city, and the same answers as counting minute by minute."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gridsvc.domain.calendar import Calendar, advance, worked_seconds
from gridsvc.domain.deadline import Budget, ClockUnit, LimitUnit, Pause, budget_of, intervals, reach
from tests.unit.domain.sample_rules import SHANGHAI, office, published

BERLIN = ZoneInfo("Europe/Berlin")  # changes its clocks on the last Sundays of March and October
MINUTE = timedelta(minutes=1)

COVERED = {"urgent_hour": LimitUnit.URGENT_HOUR, "work_hour": LimitUnit.WORK_HOUR, "work_day_8h": LimitUnit.WORK_DAY}
NOT_COVERED = {"work_day_calendar"}  # "the end of the n-th working day": a profile that does not exist yet


def at(text: str, zone: ZoneInfo = SHANGHAI) -> datetime:
    """A civil time such as '2026-03-06 17:00'."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


# --- checked examples -------------------------------------------------------------------------------


def test_the_checked_examples_of_the_city_come_out_to_the_minute(sample_data: Path) -> None:
    calendar = published(sample_data, 2026)
    checked: Counter[str] = Counter()
    for example in _examples(sample_data, "vectors"):
        checked[example["unit"]] += 1
        if example["unit"] in NOT_COVERED:
            continue
        budget = budget_of(example["value"], COVERED[example["unit"]])
        found = advance(
            calendar if budget.unit is ClockUnit.WORK else None,
            datetime.fromisoformat(example["start"]),
            budget.seconds,
        )
        assert found.at == datetime.fromisoformat(example["deadline"]), example
        assert not found.provisional, example
    assert checked == {"work_day_8h": 22, "urgent_hour": 12, "work_hour": 8, "work_day_calendar": 8}
    assert checked.keys() - COVERED.keys() == NOT_COVERED


def test_a_limit_that_needs_a_calendar_nobody_has_published_is_provisional(sample_data: Path) -> None:
    examples = _examples(sample_data, "needs_2027_calendar")
    assert Counter(each["unit"] for each in examples) == {"work_day_8h": 4, "work_hour": 1, "work_day_calendar": 2}
    calendar = published(sample_data, 2026)
    for example in examples:
        if example["unit"] in NOT_COVERED:
            continue
        budget = budget_of(example["value"], COVERED[example["unit"]])
        start = datetime.fromisoformat(example["start"])
        assert advance(calendar, start, budget.seconds).provisional, example


def _examples(folder: Path, part: str) -> list[dict[str, Any]]:
    text = (folder / "taxonomy/deadline_examples.json").read_text(encoding="utf-8")
    found: list[dict[str, Any]] = json.loads(text)[part]
    return found


# --- units ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("amount", "unit", "budget"),
    [
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


# --- the engine equals a counter of minutes -----------------------------------------------------------


@st.composite
def calendars(draw: st.DrawFn) -> Calendar:
    zone = draw(st.sampled_from([SHANGHAI, BERLIN]))
    slots = {}
    for weekday in range(1, 8):
        hours = sorted(draw(st.sets(st.integers(0, 23), max_size=4)))
        slots[weekday] = tuple(
            (time(opens), time(closes)) for opens, closes in zip(hours[::2], hours[1::2], strict=False)
        )
    slots[3] = slots[3] or ((time(1), time(7)),)
    days = draw(st.dictionaries(st.dates(date(2026, 3, 20), date(2026, 4, 12)), st.booleans(), max_size=4))
    return office(zone=zone, slots=slots, days=days)


# Around the change of Berlin's clocks on 29 March 2026.
starts = st.integers(0, 14 * 24 * 60).map(lambda minutes: datetime(2026, 3, 20, tzinfo=UTC) + minutes * MINUTE)
stretches = st.tuples(st.integers(0, 4_000), st.integers(0, 2_000))


def counts(calendar: Calendar | None, minute: datetime) -> bool:
    """Whether one minute is working time, asked as a person would: look at the wall, then at the roster."""
    if calendar is None:
        return True
    wall = minute.astimezone(calendar.zone)
    own = calendar.slots[wall.isoweekday()]
    works = calendar.days.get(wall.date())
    if works is False:
        return False
    if works and not own:
        own = next(calendar.slots[weekday] for weekday in range(1, 8) if calendar.slots[weekday])
    return any(opens <= wall.time() < closes for opens, closes in own)


def counted_out(calendar: Calendar | None, start: datetime, minutes: int, pauses: list[Pause]) -> datetime | None:
    """When so many minutes have been counted one by one; None if four weeks do not hold them."""
    at_minute = start
    while minutes:
        paused = any(p.end is not None and p.start <= at_minute < p.end for p in pauses)
        minutes -= not paused and counts(calendar, at_minute)
        at_minute += MINUTE
        if at_minute > start + timedelta(weeks=4):
            return None
    return at_minute


@settings(max_examples=250, deadline=None)
@given(
    calendar=st.one_of(calendars(), st.none()),
    start=starts,
    minutes=st.integers(1, 900),
    paused=st.lists(stretches, max_size=3),
)
def test_the_engine_equals_a_counter_of_minutes(
    calendar: Calendar | None, start: datetime, minutes: int, paused: list[tuple[int, int]]
) -> None:
    pauses = [Pause(start + a * MINUTE, start + (a + b) * MINUTE, "suspended") for a, b in paused]
    counted = counted_out(calendar, start, minutes, pauses)
    if counted is not None:
        assert reach(calendar, start, minutes * 60, pauses).at == counted


# --- every interval -----------------------------------------------------------------------------------


@settings(max_examples=150, deadline=None)
@given(
    calendar=st.one_of(calendars(), st.none()),
    start=starts,
    length=st.integers(-60, 4_000),
    paused=st.lists(st.tuples(st.integers(-500, 4_500), st.integers(0, 2_000)), max_size=3),
)
def test_the_intervals_of_a_clock_leave_no_gap_and_count_what_the_engine_counts(
    calendar: Calendar | None, start: datetime, length: int, paused: list[tuple[int, int]]
) -> None:
    until = start + length * MINUTE
    pauses = [Pause(start + a * MINUTE, start + (a + b) * MINUTE, "suspended") for a, b in paused]
    found = intervals(calendar, start, until, pauses)
    if length <= 0:
        assert found == []
        return
    assert (found[0].start, found[-1].end) == (start, until)
    for before, after in pairwise(found):
        assert before.end == after.start
        assert before.why != after.why
    counted = sum((each.end - each.start for each in found if each.counted), timedelta())
    expected = sum(
        counts(calendar, minute) and not any(p.start <= minute < (p.end or until) for p in pauses)
        for minute in (start + n * MINUTE for n in range(length))
    )
    assert counted == expected * MINUTE


def test_every_interval_says_why_it_did_not_count() -> None:
    found = intervals(
        office(), at("2026-03-06 11:00"), at("2026-03-06 16:00"), [pause("2026-03-06 15:00", None)]
    )  # fmt: skip
    assert [(each.start, each.counted, each.why) for each in found] == [
        (at("2026-03-06 11:00"), True, "counted"),
        (at("2026-03-06 12:00"), False, "outside working hours"),
        (at("2026-03-06 14:00"), True, "counted"),
        (at("2026-03-06 15:00"), False, "paused: suspended"),
    ]
