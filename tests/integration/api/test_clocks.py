"""GET …/clocks: every stretch that counted and every one that did not, by which edition, and what a publication did."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from gridsvc.actions.assign_case import assign_cases
from gridsvc.db import transaction
from gridsvc.domain.case_state import Move
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import category
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import follow, notice, publish

__all__ = ["desk"]  # the fixture


async def routed(desk: Desk, city_clock: CityClock, since: str) -> tuple[Town, CaseRow]:
    """A case of the water company that was assigned then: sixteen working hours."""
    town = Town(desk.city, desk.api.pool, None)  # type: ignore[arg-type]  # routing takes no numbers
    await city_clock.forward(datetime.fromisoformat(since) - await town.now())
    async with transaction(desk.api.pool) as (conn, _):
        code = await category(conn, handled_by="department", one_limit=True)
        await conn.execute("UPDATE categories SET limit_amount = 2, limit_unit = 'work_day' WHERE code = $1", code)
    said = await desk.officer.post("/api/v1/reports", desk.said(category=code))
    case_id = UUID(said.body["case"]["id"])
    async with transaction(desk.api.pool) as (conn, now):
        await assign_cases(conn, await town.told(case_id), now)
    return town, await town.case(case_id)


async def clock_of(desk: Desk, case: CaseRow) -> dict[str, Any]:
    said = await desk.dispatcher.get(f"/api/v1/cases/{case.id}/clocks")
    assert said.status == 200, said.body
    [clock] = [each for each in said.body["items"] if each["kind"] == "handling"]
    return dict(clock)


def told(clock: dict[str, Any]) -> list[tuple[str, bool, str, str]]:
    """Each stretch with the minute at which it begins, in the city's time."""
    return [
        (_minute(each["start"]), each["counted"], each["why"], each["name"])
        for each in clock["intervals"]
    ]  # fmt: skip


def _minute(text: str) -> str:
    moment = datetime.fromisoformat(text)
    return (moment + timedelta(hours=8)).strftime("%d %H:%M")  # answers are in UTC


async def test_every_stretch_says_whether_it_counted_and_why_not(desk: Desk, city_clock: CityClock) -> None:
    """From the Wednesday before the National Day to the Friday after it."""
    town, case = await routed(desk, city_clock, "2026-09-30T16:00+08:00")
    case = await town.move(desk.city.dispatcher, case, Move.SUSPEND, reason="等配件",
                           until=datetime.fromisoformat("2026-11-01T00:00+08:00"))  # fmt: skip
    await city_clock.forward(timedelta(hours=1))
    await town.move(desk.city.dispatcher, case, Move.RESUME)
    await city_clock.forward(datetime.fromisoformat("2026-10-10T09:00+08:00") - await town.now())
    clock = await clock_of(desk, case)
    assert (clock["calendar"], clock["calendar_edition"], clock["provisional"]) == ("city", 1, False)
    first, *rest = told(clock)
    assert first[1:] in {(True, "counted", ""), (False, "paused", "suspended")}
    assert [each for each in rest if each[0] >= "30 17" or each[0] < "30"] == [
        ("30 17:00", True, "counted", ""),
        ("30 18:00", False, "outside_hours", ""),
        ("01 00:00", False, "day_off", "国庆节"),
        ("08 00:00", False, "outside_hours", ""),
        ("08 08:00", True, "counted", ""),
        ("08 12:00", False, "outside_hours", ""),
        ("08 14:00", True, "counted", ""),
        ("08 18:00", False, "outside_hours", ""),
        ("09 08:00", True, "counted", ""),
        ("09 12:00", False, "outside_hours", ""),
        ("09 14:00", True, "counted", ""),
        ("09 18:00", False, "outside_hours", ""),
        ("10 08:00", True, "counted", "国庆节"),  # the make-up Saturday
    ]
    assert sum(each["seconds"] for each in clock["intervals"] if each["counted"]) == clock["used_s"]


async def test_what_a_new_edition_made_of_the_clock_stands_with_it(desk: Desk, city_clock: CityClock) -> None:
    town, case = await routed(desk, city_clock, "2026-09-15T09:00+08:00")
    await publish(town, ("2026.json", notice(2026, ("2026-09-16", "抗震日", True))))
    await follow(town)
    clock = await clock_of(desk, case)
    [change] = clock["changes"]
    assert (change["before_edition"], change["calendar_edition"], clock["calendar_edition"]) == (1, 2, 2)
    moved = datetime.fromisoformat(change["due_at"]) - datetime.fromisoformat(change["before_due_at"])
    assert (change["due_at"], moved) == (clock["due_at"], timedelta(days=1))


async def test_a_stopped_clock_is_explained_by_the_edition_of_its_time(desk: Desk, city_clock: CityClock) -> None:
    town, case = await routed(desk, city_clock, "2026-09-30T16:00+08:00")
    await city_clock.forward(timedelta(days=2))
    await town.move(desk.city.dispatcher, case, Move.CANCEL, reason="重复")
    before = await clock_of(desk, case)
    await publish(town, ("2026.json", notice(2026, ("2026-01-01", "元旦", True))))  # no National Day any more
    await follow(town)
    after = await clock_of(desk, case)
    assert after == before
    assert ("01 00:00", False, "day_off", "国庆节") in told(after)


async def test_what_comes_next_says_when_by_what_and_who_will_hear(desk: Desk, city_clock: CityClock) -> None:
    _, case = await routed(desk, city_clock, "2026-09-15T09:00+08:00")
    clock = await clock_of(desk, case)
    assert (clock["ladder"], clock["ladder_edition"]) == ("handling", 1)
    assert clock["next"] == {
        "level": 1, "at": clock["next_at"], "effect": "warning", "share": 0.75, "after": None, "repeats_left": 0,
        "hears": [{"role": "owner", "level": None, "division": None, "axis": "block"}],
    }  # fmt: skip
    async with transaction(desk.api.pool) as (conn, _):
        await conn.execute(
            "UPDATE rungs SET share = NULL, after_amount = 4, after_unit = 'work_hour', repeats = 3, axis = 'line',"
            " role = 'supervisor', division_level = 'district' WHERE ladder = 'handling' AND level = 1"
        )
    upcoming = (await clock_of(desk, case))["next"]
    assert (upcoming["share"], upcoming["after"], upcoming["repeats_left"]) == (None, "4 work_hour", 3)
    assert upcoming["hears"] == [{"role": "supervisor", "level": "district", "division": "620102", "axis": "line"}]
    ahead = (await desk.dispatcher.get(f"/api/v1/deadlines?category={case.category}&clock=handling")).body["rungs"]
    assert (ahead[0]["share"], ahead[0]["after"], ahead[0]["repeats"]) == (None, "4 work_hour", 3)
