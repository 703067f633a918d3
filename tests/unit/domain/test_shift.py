"""The rules of the roster: reading it, being on shift, and when the switch goes off by itself."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest

from gridsvc.domain.shift import GRACE, BadShift, Shift, duty_has_ended, last_end, on_shift, read_shifts

CITY = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")


def at(text: str, zone: ZoneInfo = CITY) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def test_a_roster_text_names_days_and_times() -> None:
    shifts = read_shifts("1-5 08:00-12:00 14:00-18:00; 6 09:00-12:00")
    assert len(shifts) == 11
    assert Shift(1, time(14), time(18)) in shifts
    assert shifts[-1] == Shift(6, time(9), time(12))


@pytest.mark.parametrize(
    ("why", "text"),
    [
        ("full-width signs count as plain ones", "1－5 08：00－12：00 14：00－18：00； 6 09：00－12：00"),
        ("days may be listed", "1,2,3,4,5 08:00-12:00 14:00-18:00;6 09:00-12:00;"),
    ],
)
def test_the_same_roster_may_be_written_otherwise(why: str, text: str) -> None:
    assert read_shifts(text) == read_shifts("1-5 08:00-12:00 14:00-18:00; 6 09:00-12:00"), why


def test_no_text_is_no_shift() -> None:
    assert read_shifts(" ; ") == ()


@pytest.mark.parametrize(
    ("text", "given"),
    [
        ("8 08:00-12:00", "8"),
        ("5-1 08:00-12:00", "5-1"),
        ("1-5", "1-5"),
        ("1-5 8-12", "8-12"),
        ("1 08:00-08:00", "08:00-08:00"),
        ("1 25:00-26:00", "25:00-26:00"),
        ("1 24:30-25:00", "24:30-25:00"),
        ("1 08:00-12:00 11:59-14:00", "1 11:59-14:00"),
        ("1 22:00-06:00; 2 05:00-09:00", "2 05:00-09:00"),
        ("7 22:00-06:00; 1 05:00-09:00", "1 05:00-09:00"),
    ],
)
def test_a_text_that_is_no_roster_is_refused_with_the_piece_at_fault(text: str, given: str) -> None:
    with pytest.raises(BadShift) as refused:
        read_shifts(text)
    assert refused.value.given == given


def test_shifts_that_touch_do_not_overlap() -> None:
    assert len(read_shifts("7 16:00-24:00; 1 00:00-08:00; 1 08:00-16:00")) == 3


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        ("2026-11-23 07:59", False),
        ("2026-11-23 08:00", True),
        ("2026-11-23 11:59", True),
        ("2026-11-23 12:00", False),  # the end belongs to what follows
        ("2026-11-24 09:00", False),  # a Tuesday
    ],
)
def test_a_start_belongs_to_its_shift_and_an_end_does_not(moment: str, expected: bool) -> None:
    assert on_shift(read_shifts("1 08:00-12:00"), at(moment), CITY) is expected


@pytest.mark.parametrize(
    ("moment", "expected"),
    [("2026-11-22 22:00", True), ("2026-11-23 05:59", True), ("2026-11-23 06:00", False), ("2026-11-23 22:30", False)],
)
def test_a_shift_may_pass_midnight_and_the_end_of_the_week(moment: str, expected: bool) -> None:
    assert on_shift(read_shifts("7 22:00-06:00"), at(moment), CITY) is expected


def test_the_city_s_zone_decides_not_utc() -> None:
    assert on_shift(read_shifts("1 08:00-12:00"), datetime(2026, 11, 23, 0, 30, tzinfo=UTC), CITY)
    assert not on_shift(read_shifts("1 08:00-12:00"), datetime(2026, 11, 23, 8, 30, tzinfo=UTC), CITY)


def test_a_night_shift_over_a_clock_change_lasts_by_the_wall_clock() -> None:
    night = read_shifts("6 22:00-06:00")  # summer time ends on Sunday 2026-10-25 at 03:00
    ended = last_end(night, at("2026-10-25 12:00", BERLIN), BERLIN)
    assert ended == at("2026-10-25 06:00", BERLIN)
    start, end = night[0].on(at("2026-10-24", BERLIN).date(), BERLIN)
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=9)


def test_the_last_end_may_lie_a_week_back() -> None:
    assert last_end(read_shifts("1 08:00-12:00"), at("2026-11-30 11:00"), CITY) == at("2026-11-23 12:00")
    assert last_end((), at("2026-11-30 11:00"), CITY) is None


@pytest.mark.parametrize(
    ("why", "switched", "moment", "expected"),
    [
        ("inside the shift the switch stays", "2026-11-23 08:00", "2026-11-23 11:00", False),
        ("within the grace a job is finished", "2026-11-23 08:00", "2026-11-23 12:14", False),
        ("after the grace it goes off", "2026-11-23 08:00", "2026-11-23 12:15", True),
        ("switched on after the end: overtime", "2026-11-23 12:05", "2026-11-23 13:00", False),
        ("overtime ends with the next shift", "2026-11-23 12:05", "2026-11-30 12:15", True),
        ("the next shift has begun: it stays", "2026-11-23 08:00", "2026-11-30 08:00", False),
    ],
)
def test_when_the_roster_switches_off(why: str, switched: str, moment: str, expected: bool) -> None:
    shifts = read_shifts("1 08:00-12:00")
    assert duty_has_ended(shifts, at(switched), at(moment), CITY) is expected, why


def test_without_a_roster_nobody_is_switched_off() -> None:
    assert not duty_has_ended((), None, at("2026-11-23 12:00"), CITY)


def test_a_switch_that_never_moved_counts_as_older_than_any_shift() -> None:
    assert duty_has_ended(read_shifts("1 08:00-12:00"), None, at("2026-11-23 12:00") + GRACE, CITY)
