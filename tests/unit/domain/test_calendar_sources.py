"""Days off as others publish them: read to the day, and refused where a source does not really know."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

import pytest

from gridsvc.domain.calendar_edition import Source
from gridsvc.domain.calendar_notice import read_holiday_cn
from gridsvc.domain.calendar_sources import read_icalendar, read_package
from gridsvc.domain.roster import Fault


def days_of(source: Source | None) -> dict[str, tuple[bool, str]]:
    assert source is not None
    return {each.day.isoformat(): (each.works, each.name) for each in source.days}


def refused(faults: list[Fault]) -> str:
    [fault] = faults
    return str(fault)


# --- holiday-cn -------------------------------------------------------------------------------------


def test_a_notice_of_the_state_council_is_read_to_the_day(sample_data: Path) -> None:
    for year, days in ((2023, 34), (2024, 36), (2025, 33), (2026, 39)):
        faults: list[Fault] = []
        found = read_holiday_cn(f"{year}.json", (sample_data / f"calendar/{year}.json").read_bytes(), faults)
        assert faults == []
        assert found is not None
        assert (found.years, len(found.days)) == (frozenset({year}), days)
        assert {each.notice for each in found.days} == {year}


def test_new_years_eve_may_stand_in_the_notice_of_the_year_that_begins(sample_data: Path) -> None:
    found = read_holiday_cn("2023.json", (sample_data / "calendar/2023.json").read_bytes(), [])
    assert days_of(found)["2022-12-31"] == (False, "元旦")


def test_a_year_that_is_not_published_yet_is_refused_not_taken_for_one_without_holidays(sample_data: Path) -> None:
    faults: list[Fault] = []
    assert read_holiday_cn("2027.json", (sample_data / "calendar/2027.json").read_bytes(), faults) is None
    assert refused(faults) == "2027.json, field days: given none; want the days of 2027, once published"


NATIONAL_DAY = {"name": "国庆节", "date": "2026-10-01", "isOffDay": True}


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ({"year": 2026, "days": [{**NATIONAL_DAY, "date": "1 October"}]},
         "row 1, field days[0].date: given '1 October'; want a day such as 2026-10-01"),
        ({"year": 2026, "days": [NATIONAL_DAY, {**NATIONAL_DAY, "date": "2026-10-02", "isOffDay": "yes"}]},
         "row 2, field days[1].isOffDay: given 'yes'; want true or false"),
        ({"year": 2026, "days": [{**NATIONAL_DAY, "date": "2028-10-01"}]},
         "row 1, field days[0].date: given '2028-10-01'; want a day of 2026, or of the month before or after it"),
        ({"year": 2026, "days": [NATIONAL_DAY, {**NATIONAL_DAY, "isOffDay": False}]},
         "field date: given 2026-10-01: 国庆节 and 国庆节; want a day off or a workday, not both"),
        ({"days": []}, "given year None; want an object with year and days"),
    ],
)  # fmt: skip
def test_what_cannot_be_read_names_file_row_key_given_and_wanted(said: object, fault: str) -> None:
    faults: list[Fault] = []
    assert read_holiday_cn("x.json", json.dumps(said).encode(), faults) is None
    assert refused(faults) == f"x.json, {fault}".replace("x.json, given", "x.json: given")


# --- iCalendar --------------------------------------------------------------------------------------


def ics(*events: str) -> bytes:
    body = "".join(f"BEGIN:VEVENT\r\nUID:{n}\r\n{event}\r\nEND:VEVENT\r\n" for n, event in enumerate(events))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:test\r\n{body}END:VCALENDAR\r\n".encode()


def event(summary: str, first: str, end: str) -> str:
    return f"SUMMARY:{summary}\r\nDTSTART;VALUE=DATE:{first}\r\nDTEND;VALUE=DATE:{end}"


SPRING_FESTIVAL = ics(
    event("春节假期", "20260215", "20260224"),
    event("上班(补春节假期)", "20260214", "20260215"),
    event("妇女节", "20260308", "20260309"),
    event("元旦假期", "20270101", "20270104"),
)


def test_an_event_is_a_day_off_for_each_of_its_days_and_with_ban_in_its_name_a_make_up_workday() -> None:
    faults: list[Fault] = []
    found = days_of(read_icalendar("x.ics", SPRING_FESTIVAL, [2026], faults))
    assert faults == []
    assert found["2026-02-14"] == (True, "春节")
    assert found["2026-02-15"] == found["2026-02-23"] == (False, "春节")
    assert len(found) == 10


def test_where_events_are_marked_those_without_a_mark_are_ordinary_days() -> None:
    assert "2026-03-08" not in days_of(read_icalendar("x.ics", SPRING_FESTIVAL, [2026], []))


def test_without_marks_every_event_is_a_day_off() -> None:
    found = days_of(read_icalendar("x.ics", ics(event("Good Friday", "20260403", "20260404")), [2026], []))
    assert found == {"2026-04-03": (False, "Good Friday")}


@pytest.mark.parametrize(
    ("content", "years", "fault"),
    [
        (SPRING_FESTIVAL, [], "field years: given none; want the years that it publishes"),
        (SPRING_FESTIVAL, [2025], "field years: given no day of 2025; want at least one"),
        (ics("SUMMARY:x\r\nDTSTART:20260101T090000Z"), [2026], "row 1, field DTSTART: given 2026-01-01 09:00:00+00:00"),
        (ics(event("x", "20260101", "20260102") + "\r\nRRULE:FREQ=YEARLY"), [2026], "field RRULE: given FREQ=YEARLY"),
        (ics(event("x", "20260101", "20260401")), [2026], "row 1, field DTEND: given 2026-04-01; want a day after"),
        (b"not a calendar", [2026], "want an iCalendar file"),
    ],
)
def test_what_is_no_holiday_is_refused(content: bytes, years: list[int], fault: str) -> None:
    faults: list[Fault] = []
    assert read_icalendar("x.ics", content, years, faults) is None
    assert fault in refused(faults)


# --- packages ---------------------------------------------------------------------------------------


def test_two_packages_and_the_notice_see_the_same_working_days_in_2026(sample_data: Path) -> None:
    notice = read_holiday_cn("2026.json", (sample_data / "calendar/2026.json").read_bytes(), [])
    assert notice is not None
    works = {each.day for each in notice.days if each.works}
    off = {each.day for each in notice.days if not each.works and each.day.isoweekday() < 6}
    for name in ("chinesecalendar", "holidays:CN"):
        found = read_package(name, [2026], [])
        assert found is not None
        assert {each.day for each in found.days if each.works} == works, name
        assert {each.day for each in found.days if not each.works and each.day.isoweekday() < 6} == off, name


@pytest.mark.parametrize("name", ["chinesecalendar", "holidays:CN"])
def test_a_package_that_lacks_the_notice_of_a_year_is_refused_although_it_knows_the_festivals(name: str) -> None:
    """New Year's Day of 2090 is no secret; which Saturdays will be worked that year is."""
    faults: list[Fault] = []
    assert read_package(name, [2026, 2090], faults) is None
    assert f"{name}, field years: given 2090; want" in refused(faults)


def test_other_countries_and_their_parts_have_days_off_too() -> None:
    found = days_of(read_package("holidays:DE-BY", [2026], []))
    assert found["2026-01-06"] == (False, "Heilige Drei Könige")
    assert date(2026, 10, 3).isoformat() in found


def test_a_country_that_the_package_does_not_know_is_named() -> None:
    faults: list[Fault] = []
    assert read_package("holidays:XX", [2026], faults) is None
    assert "holidays:XX, field country: given XX; want a country that the package knows" in refused(faults)
