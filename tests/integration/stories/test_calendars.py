"""A calendar is published in editions, and every open clock follows it, with a trace and without a step back."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from events.catalog import CalendarYearMissing
from events.codec import decode
from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.publish_calendar import Order, Plan, plan_calendar, publish_calendar
from gridsvc.actions.tell_admins import tell_admins
from gridsvc.actions.use_calendar import use_calendar
from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.domain.calendar_sources import read_source
from gridsvc.domain.case_state import Clock, Move
from gridsvc.domain.clock import CaseClock
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.store import calendars, clocks
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import COMMUNITY, DISTRICT, person, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import uploaded
from workers.sweep import missing_round, recompute_round

SHANGHAI = ZoneInfo("Asia/Shanghai")
TUESDAY = "2026-09-15 09:00"  # an ordinary week


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


async def set_time(town: Town, city_clock: CityClock, text: str) -> None:
    """Let it be that time in the city, some milliseconds past."""
    await city_clock.forward(at(text) - await town.now())


async def working_case(town: Town, *, hours: float = 16) -> CaseRow:
    """Accepted by the water company; its handling clock has so many working hours."""
    kind = await code(town, "department", one_limit=True)
    async with town.pool.acquire() as conn:
        await conn.execute(
            "UPDATE categories SET limit_amount = $2, limit_unit = 'work_hour' WHERE code = $1", kind, hours
        )
    case = await town.route((await town.filed(report(town.city.officers[0], kind))).id)
    return await town.move(town.city.handler, case, Move.ACCEPT)


async def handling(town: Town, case: CaseRow) -> CaseClock:
    async with transaction(town.pool) as (conn, _):
        [clock] = [each for each in await clocks.of_case(conn, case.id) if each.kind is Clock.HANDLING]
    return clock


def notice(year: int, *days: tuple[str, str, bool]) -> bytes:
    said = [{"name": name, "date": day, "isOffDay": off} for day, name, off in days]
    return json.dumps({"year": year, "days": said}).encode()


# What is known of 2026 by then: one day off in the week, and nothing else.
WEDNESDAY_OFF = notice(2026, ("2026-09-16", "抗震日", True))


async def plan(town: Town, *sources: tuple[str, bytes | None], **more: Any) -> Plan:
    async with transaction(town.pool) as (conn, _):
        return await plan_calendar(conn, order(*sources, **more), read_source)


def order(*sources: tuple[str, bytes | None], **more: Any) -> Order:
    given: dict[str, Any] = {"code": "city", "sources": sources, "hours": None, "years": [], "follow": None, **more}
    return Order(**given)


async def publish(town: Town, *sources: tuple[str, bytes | None], **more: Any) -> Plan:
    """As the command does it, up to where clocks begin to follow."""
    async with transaction(town.pool) as (conn, now):
        planned = await plan_calendar(conn, order(*sources, **more), read_source)
        await publish_calendar(conn, planned, "test", now)
    return planned


async def follow(town: Town) -> int:
    return await recompute_round(town.pool, batch=100)


def roughly(moment: datetime | None, text: str) -> bool:
    """To the seconds that the test itself takes."""
    assert moment is not None
    return abs(moment - at(text)) < timedelta(minutes=1)


# --- open clocks follow -----------------------------------------------------------------------------


async def test_a_day_off_that_is_published_moves_the_deadlines_that_it_lies_in(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    assert roughly(case.due_at, "2026-09-17 09:00")
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    assert await follow(town) == 1
    clock, after = await handling(town, case), await town.case(case.id)
    assert roughly(clock.due_at, "2026-09-18 09:00")
    assert roughly(clock.next_fire_at, "2026-09-17 15:00")
    assert (clock.edition, after.due_at) == (2, clock.due_at)
    assert after.version == case.version, "nobody made a move: what a phone holds is still right"


async def test_what_a_publication_moved_leaves_a_trace_and_is_told(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    await follow(town)
    [trace] = await town.rows("SELECT * FROM clock_changes")
    assert (trace["before_edition"], trace["edition"]) == (1, 2)
    assert roughly(trace["before_due_at"], "2026-09-17 09:00")
    assert roughly(trace["due_at"], "2026-09-18 09:00")
    news = (await town.told(case.id))[-1]
    assert (news.TYPE, getattr(news, "due_at", None), news.version) == (
        "case.rescheduled",
        trace["due_at"],
        case.version,
    )


async def test_a_clock_that_nothing_moves_only_learns_its_edition(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town, hours=2)
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    assert await follow(town) == 1
    assert (await handling(town, case)).edition == 2
    assert await town.rows("SELECT * FROM clock_changes") == []
    assert await follow(town) == 0, "once is enough"


async def test_a_rung_never_fires_early_even_before_the_clocks_have_followed(town: Town, city_clock: CityClock) -> None:
    """The notice comes an hour before the warning would fire, and the sweeper looks first."""
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    await set_time(town, city_clock, "2026-09-16 15:30")  # by the first edition the warning was due at 15:00
    assert await town.sweep() == 0
    assert roughly((await handling(town, case)).next_fire_at, "2026-09-17 15:00")
    assert len(await town.rows("SELECT * FROM clock_changes")) == 1
    await set_time(town, city_clock, "2026-09-17 15:01")
    assert await town.sweep() == 1


async def test_a_rung_that_has_fired_stays_fired_and_does_not_fire_again(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    await set_time(town, city_clock, "2026-09-16 15:01")
    assert await town.sweep() == 1
    await publish(town, ("2026.json", notice(2026, ("2026-09-17", "抗震日", True))))
    await follow(town)
    clock = await handling(town, case)
    assert (clock.fired_level, clock.next_level) == (1, 2)
    assert roughly(clock.next_fire_at, "2026-09-18 09:00")


async def test_an_edition_that_brings_a_deadline_forward_into_the_past_fires_at_once_and_says_how_late(
    town: Town, city_clock: CityClock
) -> None:
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    assert roughly(case.due_at, "2026-09-18 09:00")
    await set_time(town, city_clock, "2026-09-17 12:00")
    await publish(town, ("2026.json", notice(2026, ("2026-01-01", "元旦", True))))  # Wednesday was worked after all
    await follow(town)
    assert await town.sweep() == 2, "the warning and the deadline itself"
    [warning, overdue] = await town.rows("SELECT facts FROM history WHERE move = 'escalate' ORDER BY version")
    assert warning["facts"]["late_by_s"] > overdue["facts"]["late_by_s"] > 3 * 3_600 - 60
    assert (await town.case(case.id)).version == case.version + 2


async def test_a_suspended_case_stays_suspended_and_goes_on_by_the_new_edition(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    case = await town.move(town.city.dispatcher, case, Move.SUSPEND, reason="等配件", until=at("2026-12-01 09:00"))
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    await follow(town)
    clock = await handling(town, case)
    assert (clock.state, clock.next_fire_at, clock.edition) == ("paused", None, 2)
    await set_time(town, city_clock, "2026-09-15 15:00")
    case = await town.move(town.city.dispatcher, case, Move.RESUME)
    assert roughly(case.due_at, "2026-09-18 15:00"), "a day off, and the four working hours of the pause"


async def test_a_case_that_somebody_holds_is_taken_in_the_next_round(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, TUESDAY)
    case, other = await working_case(town), await working_case(town)
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    async with transaction(town.pool) as (conn, _):
        await conn.execute("SELECT FROM cases WHERE id = $1 FOR UPDATE", case.id)
        assert await follow(town) == 1
        assert (await handling(town, other)).edition == 2
    assert await follow(town) == 1
    assert (await handling(town, case)).edition == 2


async def test_a_clock_that_has_stopped_keeps_the_edition_it_was_computed_with(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    picture = await uploaded(town, town.city.handler.id)
    await town.move(town.city.handler, case, Move.HAND_IN, evidence=(picture,))
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    assert await follow(town) == 0
    clock = await handling(town, case)
    assert (clock.edition, clock.due_at) == (1, case.due_at)
    async with transaction(town.pool) as (conn, _):
        past = await calendars.past(conn, [("city", 1)])
    assert date(2026, 10, 1) in past["city", 1].calendar(SHANGHAI).days, "the edition of the starter rules"


# --- a year that nobody has published ---------------------------------------------------------------


async def test_a_missing_year_makes_deadlines_provisional_is_said_aloud_and_healed_by_its_import(
    town: Town, city_clock: CityClock, caplog: pytest.LogCaptureFixture
) -> None:
    assert await missing_round(town.pool) == 0
    await set_time(town, city_clock, "2026-12-31 16:00")
    case = await working_case(town, hours=4)
    assert (await handling(town, case)).provisional
    with caplog.at_level(logging.WARNING):
        assert await missing_round(town.pool) == 1
    [alarm] = [each for each in caplog.records if getattr(each, "action", "") == "calendar_missing"]
    assert (getattr(alarm, "calendar", ""), getattr(alarm, "clocks", 0)) == ("city", 1)
    await publish(town, ("2027.json", notice(2027, ("2027-01-01", "元旦", True))))
    await follow(town)
    clock = await handling(town, case)
    assert (clock.provisional, await missing_round(town.pool)) == (False, 0)
    assert roughly(clock.due_at, "2027-01-04 10:00"), "New Year's Day is a Friday"
    [trace] = await town.rows("SELECT before_provisional, provisional FROM clock_changes")
    assert trace == {"before_provisional": True, "provisional": False}


async def test_administrators_hear_once_of_a_year_that_nobody_has_published(town: Town, city_clock: CityClock) -> None:
    """From 1 November on, each of them, and not again when the hour or the worker comes round."""
    async with town.pool.acquire() as conn:
        admins = {(await person(conn, name, Grant(role=Role.ADMIN, division=DISTRICT))).user_id for name in "ab"}
    for moment, told in (("2026-10-31 23:00", []), ("2026-11-01 00:30", [2027]), ("2027-01-02 09:00", [2027])):
        await set_time(town, city_clock, moment)
        for _ in range(2):
            await missing_round(town.pool)
        rows = await town.rows("SELECT body FROM outbox WHERE type = 'calendar.year_missing' ORDER BY seq")
        heard = [decode(row["body"]) for row in rows]
        assert [each.year for each in heard if isinstance(each, CalendarYearMissing)] == told, moment
    news = [each for each in heard if isinstance(each, CalendarYearMissing)]
    for _ in range(2):
        async with transaction(town.pool) as (conn, now):
            await tell_admins(conn, news, now)
    kept = await town.rows("SELECT user_id, case_id, body FROM notices WHERE kind = 'calendar.year_missing'")
    assert {row["user_id"] for row in kept} == admins
    assert len(kept) == 2
    assert kept[0]["case_id"] is None
    assert (kept[0]["body"]["calendar"], kept[0]["body"]["year"]) == ("city", 2027)


# --- preview and refusal ----------------------------------------------------------------------------


async def test_the_preview_says_which_days_change_and_how_many_clocks_move_and_writes_nothing(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    await working_case(town)
    await working_case(town, hours=2)
    planned = await plan(town, ("2026.json", WEDNESDAY_OFF))
    assert ("2026-09-16", "working day", "day off 抗震日") in [
        (str(each.day), each.before, each.after) for each in planned.days
    ]
    assert (planned.effect.open, planned.effect.later, planned.effect.earlier) == (2, 1, 0)
    assert [row["edition"] for row in await town.rows("SELECT edition FROM calendars")] == [1]


async def test_what_is_in_force_already_makes_no_new_edition(town: Town) -> None:
    await publish(town, ("2026.json", WEDNESDAY_OFF))
    assert (await plan(town, ("2026.json", WEDNESDAY_OFF))).changes_nothing


TWO_SOURCES: Sequence[tuple[str, bytes]] = (
    ("a.json", WEDNESDAY_OFF),
    ("b.json", notice(2026, ("2026-09-16", "抗震日", True), ("2026-09-20", "国庆节", False))),
)


async def test_sources_that_disagree_are_refused_day_by_day_until_one_is_followed(town: Town) -> None:
    with pytest.raises(ImportRefused, match="sources disagree about 1 day; name the one") as refused:
        await publish(town, *TWO_SOURCES)
    assert [each.message for each in refused.value.defects] == [
        "2026-09-20: a.json: weekend; b.json: make-up workday 国庆节"
    ]
    assert [row["edition"] for row in await town.rows("SELECT edition FROM calendars")] == [1], "nothing is kept"
    planned = await publish(town, *TWO_SOURCES, follow="b.json")
    assert [str(each.day) for each in planned.overruled] == ["2026-09-20"]
    [day] = await town.rows("SELECT works FROM calendar_days WHERE day = '2026-09-20'")
    assert day["works"]


async def test_a_file_with_one_bad_day_is_refused_whole_and_named(town: Town) -> None:
    bad = notice(2026, ("2026-09-16", "抗震日", True), ("16.9.2026", "抗震日", True))
    with pytest.raises(ImportRefused) as refused:
        await publish(town, ("2026.json", bad))
    [defect] = refused.value.defects
    assert (defect.row, defect.field) == (2, "days[1].date")
    assert len(await town.rows("SELECT FROM calendar_days")) == 39, "the starter's days stand as they were"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "nothing is said of city"),
        ({"sources": [("a", WEDNESDAY_OFF), ("a", WEDNESDAY_OFF)]}, "named twice"),
        ({"sources": [("a", WEDNESDAY_OFF)], "follow": "b"}, "--follow b is none of the sources; want one of a"),
        ({"sources": [("a", WEDNESDAY_OFF)], "code": "new"}, "calendar new has no working hours yet"),
    ],
)
async def test_an_order_that_makes_no_calendar_is_refused(town: Town, more: dict[str, Any], says: str) -> None:
    given = {"sources": (), **more}
    with pytest.raises(SetupError, match=says):
        await plan(town, *given.pop("sources"), **given)


async def test_an_edition_by_which_an_open_clock_would_never_end_is_refused(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, TUESDAY)
    await working_case(town)
    every = [
        notice(y, *((f"{date(y, 1, 1) + timedelta(n)}", "停", True) for n in range(366))) for y in range(2026, 2030)
    ]
    with pytest.raises(SetupError, match="open clocks would never end: calendar city has less than"):
        await publish(town, *((f"{n}.json", content) for n, content in enumerate(every)))


async def test_a_clock_that_a_move_starts_while_an_edition_is_published_follows_too(
    town: Town, city_clock: CityClock
) -> None:
    """The move has read the rules before the publication, and commits after it."""
    await set_time(town, city_clock, TUESDAY)
    await working_case(town)  # sets the limit
    filed = await town.filed(report(town.city.officers[0], await code(town, "department", one_limit=True)))
    [news] = await town.told(filed.id)
    async with transaction(town.pool) as (conn, now):
        await assign_cases(conn, [news], now)
        await publish(town, ("2026.json", WEDNESDAY_OFF))
    assert (await handling(town, filed)).edition == 1
    assert await follow(town) == 2
    assert roughly((await handling(town, filed)).due_at, "2026-09-18 09:00")


# --- where a calendar holds -------------------------------------------------------------------------

AFTERNOONS = json.dumps({"name": "下午", "slots": "1-5 14:00-18:00"}).encode()
EVENINGS = json.dumps({"name": "晚上", "slots": "1-7 18:00-22:00"}).encode()


async def use(town: Town, calendar: str | None, *, department: str | None = None, division: str | None = None) -> None:
    async with transaction(town.pool) as (conn, now):
        await use_calendar(conn, calendar, department, division, now)


async def test_the_departments_calendar_wins_then_the_deepest_divisions_then_the_citys(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    await publish(town, code="afternoons", hours=("a.json", AFTERNOONS))
    await publish(town, code="evenings", hours=("e.json", EVENINGS))
    assert (await handling(town, await working_case(town))).calendar == "city"
    await use(town, "afternoons", division=DISTRICT)
    assert (await handling(town, await working_case(town))).calendar == "afternoons"
    await use(town, "evenings", division=COMMUNITY)
    case = await working_case(town, hours=5)
    assert (await handling(town, case)).calendar == "evenings"
    assert case.due_at == at("2026-09-16 19:00")
    await use(town, "afternoons", department="water")
    assert (await handling(town, await working_case(town))).calendar == "afternoons"
    await use(town, None, department="water")
    assert (await handling(town, await working_case(town))).calendar == "evenings"


async def test_a_clock_that_runs_keeps_its_calendar(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, TUESDAY)
    await publish(town, code="evenings", hours=("e.json", EVENINGS))
    case = await working_case(town)
    await use(town, "evenings", department="water")
    assert await follow(town) == 0
    assert (await handling(town, case)).calendar == "city"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"calendar": "moon", "department": "water"}, "no calendar 'moon'"),
        ({"calendar": "city", "department": "nobody"}, "no department 'nobody'"),
        ({"calendar": "city", "division": "999999"}, "no division '999999'"),
        ({"calendar": None, "department": "water"}, "no calendar of its own holds for water"),
    ],
)
async def test_what_does_not_exist_has_no_calendar(town: Town, given: dict[str, Any], says: str) -> None:
    with pytest.raises(SetupError, match=says):
        await use(town, **given)


# --- ends of working days ---------------------------------------------------------------------------


async def test_where_a_working_day_ends_with_the_office_the_deadline_is_an_end_of_a_day(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    await publish(town, hours=("h.json", b'{"work_day": "end_of_day"}'))
    kind = await code(town, "department", one_limit=True)
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE categories SET limit_amount = 2, limit_unit = 'work_day' WHERE code = $1", kind)
    case = await town.route((await town.filed(report(town.city.officers[0], kind))).id)
    assert case.due_at == at("2026-09-17 18:00")
    case = await town.move(town.city.dispatcher, case, Move.EXTEND, reason="等配件")
    assert case.due_at == at("2026-09-20 18:00"), "two days more: Friday, and the Sunday that is a make-up workday"
