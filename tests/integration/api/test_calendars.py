"""Calendars over HTTP: what is in force and where, what was before, and by when something would be due."""

from __future__ import annotations

from datetime import datetime
from urllib.parse import urlencode

from gridsvc.actions.use_calendar import use_calendar
from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from tests.conftest import CityClock
from tests.integration.api.conftest import Client, Said
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import DISTRICT, STREET
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import notice, publish

__all__ = ["desk"]  # the fixture

NIGHT_SHIFT = b"""{"name": "\xe5\xa4\x9c\xe7\x8f\xad", "slots": "1-5 20:00-24:00",
 "seasons": [{"name": "summer", "first": "05-01", "last": "09-30", "slots": "1-5 21:00-24:00"}]}"""


async def with_two_calendars(desk: Desk, city_clock: CityClock) -> Town:
    """The city's, of two editions of which the sources disagreed; and one of the night, which the street works by."""
    town = Town(desk.city, desk.api.pool, None)  # type: ignore[arg-type]  # nothing here takes numbers
    await city_clock.forward(datetime.fromisoformat("2026-11-02T09:00+08:00") - await town.now())
    says_off, says_works = notice(2026, ("2026-11-04", "停", True)), notice(2026, ("2026-11-05", "停", True))
    await publish(town, ("a.json", says_off), ("b.json", says_works), follow="a.json")
    await publish(town, code="night", hours=("hours.json", NIGHT_SHIFT))
    async with transaction(desk.api.pool) as (conn, now):
        await use_calendar(conn, "night", None, STREET, now)
    return town


async def asks(client: Client, **asked: str) -> Said:
    return await client.get(f"/api/v1/deadlines?{urlencode(asked)}")


async def test_calendars_are_told_with_their_editions_days_and_disagreements(desk: Desk, city_clock: CityClock) -> None:
    await with_two_calendars(desk, city_clock)
    city, night = (await desk.officer.get("/api/v1/calendars")).body["items"]
    assert (city["code"], city["edition"], city["years"], city["missing"]) == ("city", 2, [2026], [2027])
    assert (city["divisions"], city["departments"], city["categories"] > 100) == ([], [], True)
    assert (night["code"], night["divisions"], night["categories"]) == ("night", [STREET], 0)
    told = (await desk.officer.get("/api/v1/calendars/city?year=2026")).body
    assert (told["year"], told["published"]) == (2026, True)
    assert told["slots"]["1"] == [["08:00", "12:00"], ["14:00", "18:00"]]
    assert told["days"] == [{"day": "2026-11-04", "works": False, "name": "停", "notice": 2026}]
    assert told["disputed"] == [
        {"day": "2026-11-04", "said": {"a.json": "day off 停", "b.json": "working day"}},
        {"day": "2026-11-05", "said": {"a.json": "working day", "b.json": "day off 停"}},
    ]
    assert (await desk.officer.get("/api/v1/calendars/city?year=2027")).body["published"] is False
    hours = (await desk.officer.get("/api/v1/calendars/night")).body
    assert hours["slots"]["5"] == [["20:00", "00:00"]]
    assert (hours["seasons"][0]["first"], hours["seasons"][0]["slots"]["1"]) == ("05-01", [["21:00", "00:00"]])
    now, before = (await desk.officer.get("/api/v1/calendars/city/editions")).body["items"]
    assert (now["edition"], now["sources"], now["days"], now["replaced_at"]) == (2, ["a.json", "b.json"], 1, None)
    assert (before["edition"], before["disputed"], before["replaced_at"] is None) == (1, [], False)
    for path in ("/api/v1/calendars/moon", "/api/v1/calendars/moon/editions"):
        assert (await desk.officer.get(path)).status == 404


async def test_by_when_a_case_would_be_due_is_told_with_every_stretch_and_rung(
    desk: Desk, city_clock: CityClock
) -> None:
    await with_two_calendars(desk, city_clock)
    clerk = await desk.api.somebody(Grant(role=Role.ADMIN, division=DISTRICT))
    begun = {"category": "200110", "at": "2026-11-03T16:00:00+08:00"}  # exposed refuse: four working hours
    told = (await asks(clerk, **begun)).body
    assert (told["calendar"], told["calendar_edition"], told["unit"], told["budget_s"]) == ("city", 2, "work", 14_400)
    assert told["due_at"] == "2026-11-05T02:00:00Z", "two hours on Tuesday, Wednesday is off, two on Thursday"
    assert {"day_off", "counted", "outside_hours"} == {each["why"] for each in told["intervals"]}
    assert sum(each["seconds"] for each in told["intervals"] if each["counted"]) == 14_400
    assert [(each["level"], each["share"]) for each in told["rungs"]][:2] == [(1, 0.75), (2, 1.0)]
    assert told["rungs"][1]["at"] == told["due_at"]
    there = (await asks(clerk, **begun, division="620102001001")).body
    assert (there["calendar"], there["due_at"]) == ("night", "2026-11-03T16:00:00Z"), "the deepest division's wins"
    stopping = (await asks(clerk, category="200122", clock="stop_it", at="2026-11-07T03:00:00+08:00")).body
    assert (stopping["calendar"], stopping["due_at"]) == (None, "2026-11-06T20:00:00Z")
    for wrong, field in (({"clock": "supervision"}, "clock"), ({"clock": "stop_it"}, "clock"),
                         ({"management_level": "D"}, "management_level")):  # fmt: skip
        refused = await asks(clerk, **begun, **wrong)
        assert (refused.status, refused.body["code"], refused.body["field"]) == (400, "bad_request", field)
    assert (await asks(clerk, **begun, division="990000")).status == 404
    assert (await asks(desk.officer, **begun)).status == 403


async def test_the_checks_that_wait_for_me_say_what_may_be_found(desk: Desk) -> None:
    """A category says which checks it wants; the re-check of a sampled case has results of its own."""
    items = (await desk.officer.get("/api/v1/categories")).body["items"]
    [felling] = [each for each in items if each["code"] == "200122"]
    assert felling["checks"] == ["pre_filing_check"]
    assert {each["stage"] for each in felling["limits"]} == {"handling", "stop_it"}
