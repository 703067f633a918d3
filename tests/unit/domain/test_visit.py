"""Visits: the days of a rhythm, what a result makes of the next one, and what may name who is visited."""

from __future__ import annotations

from datetime import date, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.datum import Datum
from geo.place import Bounds
from gridsvc.domain.calendar import Calendar
from gridsvc.domain.visit import Every, Rhythm, Unit, is_subject, next_after, next_on
from gridsvc.domain.visit_file import read_visits
from tests.unit.domain.sample_rules import category, rulebook

HOURS = ((time(8), time(12)), (time(14), time(18)))
CITY = Calendar(
    code="city", edition=1, zone=ZoneInfo("Asia/Shanghai"), slots=dict.fromkeys(range(1, 6), HOURS),
    days={date(2026, 10, day): False for day in range(1, 8)}, years=frozenset({2026, 2027}),
)  # fmt: skip
MONTHLY = Rhythm(date(2026, 1, 31), Every(1, Unit.MONTH))


@pytest.mark.parametrize(
    ("after", "day"),
    [
        (date(2026, 1, 1), date(2026, 2, 2)),  # 31 January is a Saturday
        (date(2026, 2, 2), date(2026, 3, 2)),  # 28 February too: a month that lacks the day has its last
        (date(2026, 3, 2), date(2026, 3, 31)),
        (date(2026, 8, 31), date(2026, 9, 30)),
        (date(2026, 9, 30), date(2026, 11, 2)),  # 31 October is a Saturday
    ],
)
def test_a_monthly_visit_keeps_its_day_of_the_month_and_gives_way_to_working_days(after: date, day: date) -> None:
    assert next_on(MONTHLY, after, CITY) == day


def test_days_off_are_no_working_days_and_a_rhythm_may_do_without_them() -> None:
    holiday = date(2026, 10, 2)
    assert next_on(Rhythm(holiday, Every(1, Unit.WEEK)), holiday - timedelta(days=1), CITY) == date(2026, 10, 8)
    assert next_on(Rhythm(holiday, Every(1, Unit.WEEK), working_days=False), date(2026, 9, 1), CITY) == holiday


@pytest.mark.parametrize(
    ("result", "visited_on", "day"),
    [
        ("made", date(2026, 3, 31), date(2026, 4, 30)),
        ("made", date(2026, 4, 9), date(2026, 4, 30)),  # late: the next one is not later for that
        ("made", date(2026, 5, 20), date(2026, 6, 1)),  # what passed meanwhile is not made up for
        ("trouble", date(2026, 3, 31), date(2026, 4, 30)),
        ("refused", date(2026, 3, 31), date(2026, 4, 30)),
        ("not_met", date(2026, 3, 31), date(2026, 4, 3)),
        ("not_met", date(2026, 4, 1), date(2026, 4, 6)),  # the third day is a Saturday
        ("not_met", date(2026, 4, 29), date(2026, 4, 30)),  # the rhythm is sooner
        ("gone", date(2026, 3, 31), None),
    ],
)
def test_what_the_visit_found_says_when_the_next_one_is(result: str, visited_on: date, day: date | None) -> None:
    assert next_after(MONTHLY, visited_on, date(2026, 3, 31), result, CITY) == day


@given(
    st.builds(
        Rhythm,
        st.dates(date(2025, 1, 1), date(2026, 6, 1)),
        st.builds(Every, st.integers(1, 24), st.sampled_from(Unit)),
        st.booleans(),
    ),
    st.dates(date(2025, 1, 1), date(2027, 6, 1)),
)
def test_the_next_day_is_the_first_of_all_that_counting_from_the_first_day_finds(rhythm: Rhythm, after: date) -> None:
    found = next_on(rhythm, after, CITY)
    counted: list[date] = []
    times = 0
    while len(counted) < 2 or counted[-1] <= after:
        day = _nth(rhythm, times)
        while rhythm.working_days and not CITY.slots_of(day):
            day += timedelta(days=1)
        counted.append(day)
        times += 1
    assert found == min(day for day in counted if day > after)


def _nth(rhythm: Rhythm, times: int) -> date:
    count = rhythm.every.count * times
    if rhythm.every.unit is not Unit.MONTH:
        return rhythm.first_on + timedelta(days=count * (7 if rhythm.every.unit is Unit.WEEK else 1))
    month = rhythm.first_on.year * 12 + rhythm.first_on.month - 1 + count
    last = date((month + 1) // 12, (month + 1) % 12 + 1, 1) - timedelta(days=1)
    return last.replace(day=min(last.day, rhythm.first_on.day))


@pytest.mark.parametrize("text", ["ELD-0417", "HZ-62-0001", "A1", "X" * 32])
def test_a_key_names_who_is_visited(text: str) -> None:
    assert is_subject(text)


@pytest.mark.parametrize(
    "text", ["张桂兰", "Zhang Guilan", "zhang", "13893112233", "ID-620102195001011234", "A", "-A", "X" * 33, ""]
)
def test_a_name_a_telephone_and_an_identity_number_do_not(text: str) -> None:
    assert not is_subject(text)


HEAD = "category,subject,lon,lat,every,unit,first_on,days,active\n"
AROUND = Bounds(103.7, 36.0, 103.9, 36.1)
BOOK = rulebook(categories={("2026", "300202"): category(code="300202")})


@pytest.mark.parametrize(
    ("row", "field", "wanted"),
    [
        ("999999,E-1,103.8,36.06,1,month,2026-12-01,,", "category", "a category in force"),
        ("300202,张桂兰,103.8,36.06,1,month,2026-12-01,,", "subject", "never a name"),
        ("300202,E-1,103.8,x,1,month,2026-12-01,,", "lon, lat", "two numbers"),
        ("300202,E-1,36.06,103.8,1,month,2026-12-01,,", "lon, lat", "longitude first"),
        ("300202,E-1,103.8,36.06,0,month,2026-12-01,,", "every", "1 to 366 days"),
        ("300202,E-1,103.8,36.06,1,year,2026-12-01,,", "unit", "day, week or month"),
        ("300202,E-1,103.8,36.06,1,month,1.12.2026,,", "first_on", "2026-12-01"),
        ("300202,E-1,103.8,36.06,1,month,2026-12-01,sundays,", "days", "work or any"),
        ("300202,E-1,103.8,36.06,1,month,2026-12-01,,perhaps", "active", "yes or no"),
    ],
)
def test_a_row_at_fault_is_named_and_the_others_are_read(row: str, field: str, wanted: str) -> None:
    good = "300202,E-9,103.8,36.06,2,周,2026-12-01,每日,否\n"
    read = read_visits("visits.csv", (HEAD + good + row).encode(), Datum.WGS84, BOOK, AROUND)
    assert [(plan.subject, plan.rhythm.working_days, plan.active) for plan in read.plans] == [("E-9", False, False)]
    [fault] = read.faults
    assert (fault.row, fault.field) == (3, field)
    assert wanted in fault.wanted
    assert "张桂兰" not in str(fault), "what may be somebody's name is not repeated"


def test_a_subject_comes_once_and_a_file_without_its_columns_is_refused_whole() -> None:
    row = "300202,E-1,103.8,36.06,1,month,2026-12-01,,\n"
    twice = read_visits("visits.csv", (HEAD + row + row).encode(), Datum.WGS84, BOOK, AROUND)
    assert [(fault.row, fault.field) for fault in twice.faults] == [(3, "subject")]
    [fault] = read_visits("visits.csv", b"subject,lon\n", Datum.WGS84, BOOK, AROUND).faults
    assert (fault.row, fault.given) == (1, "no column 'category'")
