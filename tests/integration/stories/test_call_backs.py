"""Who reported is asked after closing, by the district and then by the city; what is not solved runs again."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import Move, Pool, State
from gridsvc.domain.report import Reporter
from gridsvc.errors import BadRequest, GuardFailed, VersionConflict
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import CITY, person, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import holder, uploaded

ZONE = ZoneInfo("Asia/Shanghai")


@pytest.fixture
async def city_desk(town: Town) -> Caller:
    """The acceptor of the whole city."""
    async with town.pool.acquire() as conn:
        return await person(conn, "city-desk", Grant(role=Role.ACCEPTOR, division=CITY))


async def reported(town: Town, phone: str | None) -> CaseRow:
    said = report(town.city.officers[0], await code(town))
    return await town.filed(said if phone is None else replace(said, reporter=Reporter("张三", phone)))


async def closed(town: Town, case: CaseRow) -> CaseRow:
    case = await town.route(case.id)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    return await town.move(town.city.acceptor, case, Move.CLOSE)


async def asked(town: Town, case: CaseRow) -> list[dict[str, Any]]:
    return await town.rows("SELECT * FROM call_backs WHERE case_id = $1 ORDER BY opened_at, id", case.id)


async def waiting(town: Town, case: CaseRow) -> dict[str, Any]:
    [row] = [each for each in await asked(town, case) if each["ended_at"] is None]
    return row


async def answers(
    town: Town, by: Caller, case: CaseRow, result: str, call_back: UUID | None = None, **said: Any
) -> CaseRow:
    named = call_back or (await waiting(town, case))["id"]
    return await town.move(by, case, Move.CALL_BACK, call_back=named, result=result, **said)


async def live_clocks(town: Town, case: CaseRow) -> list[str]:
    rows = await town.rows("SELECT kind FROM clocks WHERE case_id = $1 AND state <> 'stopped'", case.id)
    return sorted(row["kind"] for row in rows)


async def holds(town: Town) -> None:
    broken, chains = await town.ledger()
    assert (broken, chains) == ({}, [])


async def to_working_time(town: Town, city_clock: CityClock, hour: int = 9) -> None:
    """Forward to `hour` of the next Monday: whatever day it is, the calendar of the starter rules works then."""
    now = (await town.now()).astimezone(ZONE)
    day = (now + timedelta(days=7 - now.weekday())).date()
    await city_clock.forward(datetime(day.year, day.month, day.day, hour, tzinfo=ZONE) - now)


async def test_the_district_asks_then_the_city_and_then_it_is_over(town: Town, city_desk: Caller) -> None:
    case = await closed(town, await reported(town, "138 1234 1234"))
    first = await waiting(town, case)
    assert (first["level"], first["division_code"], first["cycle"]) == ("district", "620102", 1)
    assert await live_clocks(town, case) == ["call_back"]
    await holds(town)
    case = await answers(town, town.city.acceptor, case, "solved", satisfaction=5, note="很快")
    second = await waiting(town, case)
    assert (second["level"], second["division_code"]) == ("city", CITY)
    with pytest.raises(GuardFailed) as refused:
        await answers(town, town.city.acceptor, case, "solved")
    assert refused.value.facts["guard"] == "calls_for_its_level"
    case = await answers(town, city_desk, case, "solved")
    assert (case.state, case.cycle, await live_clocks(town, case)) == (State.CLOSED, 1, [])
    kept = [(row["level"], row["result"], row["satisfaction"], row["made_by"]) for row in await asked(town, case)]
    assert kept == [("district", "solved", 5, town.city.acceptor.id), ("city", "solved", None, city_desk.id)]
    await holds(town)


async def test_not_solved_reopens_in_the_same_act_and_the_history_says_both(town: Town, city_desk: Caller) -> None:
    case = await closed(town, await reported(town, "13812341234"))
    case = await answers(town, town.city.acceptor, case, "solved")
    before = case.version
    case = await answers(town, city_desk, case, "not_solved", satisfaction=1, note="水还在流")
    assert (case.state, case.pool, case.cycle, case.version) == (State.FILED, Pool.ROUTING, 2, before + 2)
    rows = await town.rows("SELECT move, facts FROM history WHERE case_id = $1 AND version > $2 ORDER BY version",
                           case.id, before)  # fmt: skip
    assert [row["move"] for row in rows] == ["call_back", "reopen"]
    assert rows[1]["facts"] == {"reason_code": "reporter_objects", "reason": "水还在流"}
    assert await live_clocks(town, case) == ["dispatch"]
    assert "case.reopened" in [news.TYPE for news in await town.told(case.id)]
    await holds(town)
    again = await closed(town, case)
    assert (await waiting(town, again))["cycle"] == 2, "closed again, asked again"


async def test_who_left_no_number_is_not_asked_and_who_sent_two_reports_is_asked_once(town: Town) -> None:
    assert await asked(town, await closed(town, await reported(town, None))) == []
    assert await asked(town, await closed(town, await reported(town, "不详"))) == []
    main = await town.route((await reported(town, "138-1234-1234")).id)
    for phone in ("13812341234", "13900000000"):
        other = await reported(town, phone)
        await town.move(town.city.acceptor, other, Move.MERGE, into=main.id)
    owner = holder(town, main)
    case = await town.move(owner, main, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    assert len(await asked(town, case)) == 2, "the number of the main report, and the one that came with a merged one"
    assert await live_clocks(town, case) == ["call_back", "call_back"]
    await holds(town)


async def test_a_report_from_another_district_is_asked_about_by_the_desk_that_sees_both(
    town: Town, city_desk: Caller
) -> None:
    main = await town.route((await reported(town, None)).id)
    other = await reported(town, "13922222222")
    async with town.pool.acquire() as conn:  # as if it had been reported across the border
        await conn.execute(
            "UPDATE cases SET divisions = '{620100,620103}', division_code = '620103', seen_by = '{620100}'"
            " WHERE id = $1",
            other.id,
        )
    await town.move(city_desk, await town.case(other.id), Move.MERGE, into=main.id)
    owner = holder(town, main)
    case = await town.move(owner, main, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    row = await waiting(town, case)
    assert (row["division_code"], row["asked_by"]) == (CITY, [CITY, f"{CITY}/line:social"])


async def test_a_merged_case_that_is_none_takes_its_reporter_away(town: Town) -> None:
    main = await town.route((await reported(town, "13811111111")).id)
    other = await reported(town, "13922222222")
    merged = await town.move(town.city.acceptor, other, Move.MERGE, into=main.id)
    owner = holder(town, main)
    case = await town.move(owner, main, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    assert len(await asked(town, case)) == 2
    await town.move(town.city.acceptor, merged, Move.UNMERGE, reason="是两处")
    still = [row for row in await asked(town, case) if row["ended_at"] is None]
    assert (len(still), await live_clocks(town, case)) == (1, ["call_back"])
    await holds(town)


async def test_reopened_by_somebody_else_nobody_is_asked_any_more(town: Town) -> None:
    case = await closed(town, await reported(town, "13812341234"))
    case = await town.move(town.city.supervisor, case, Move.REOPEN, reason_code="came_back")
    [row] = await asked(town, case)
    assert (row["result"], row["ended_at"] is None, await live_clocks(town, case)) == (None, False, ["dispatch"])
    await holds(town)


async def test_three_tries_in_three_stretches_of_working_time_and_it_ends(town: Town, city_clock: CityClock) -> None:
    case = await closed(town, await reported(town, "13812341234"))
    await to_working_time(town, city_clock)
    case = await answers(town, town.city.acceptor, case, "unreachable")
    case = await answers(town, town.city.acceptor, case, "unreachable")  # the same morning: kept, and does not count
    assert len((await waiting(town, case))["tries"]) == 1
    await city_clock.forward(timedelta(hours=6))  # 15:00
    case = await answers(town, town.city.acceptor, case, "unreachable")
    await city_clock.forward(timedelta(hours=6))  # 21:00
    case = await answers(town, town.city.acceptor, case, "unreachable")
    assert len((await waiting(town, case))["tries"]) == 2
    await city_clock.forward(timedelta(hours=12))
    case = await answers(town, town.city.acceptor, case, "unreachable")
    [row] = await asked(town, case)
    assert (row["result"], len(row["tries"]), await live_clocks(town, case)) == ("unreachable", 3, [])
    rows = await town.rows(
        "SELECT facts ->> 'counts' AS counts FROM history WHERE case_id = $1 AND move = 'call_back' ORDER BY version",
        case.id,
    )
    assert [each["counts"] for each in rows] == ["true", "false", "true", "false", "true"]
    await holds(town)


async def test_what_is_said_is_checked(town: Town) -> None:
    case = await closed(town, await reported(town, "13812341234"))
    desk = town.city.acceptor
    with pytest.raises(GuardFailed) as nobody:
        await answers(town, desk, case, "no_wish", satisfaction=3)
    assert nobody.value.facts["guard"] == "was_reached"
    with pytest.raises(GuardFailed) as other:
        await answers(town, desk, case, "solved", call_back=uuid4())
    assert other.value.facts["guard"] == "call_back_waits"
    with pytest.raises(BadRequest, match="does not exist"):
        await answers(town, desk, case, "perhaps")
    async with town.pool.acquire() as conn:
        await conn.execute("INSERT INTO grants VALUES ($1, 'acceptor', $2)", case.officer_id, CITY)
    owner = holder(town, case)
    both = replace(owner, grants=(*owner.grants, Grant(role=Role.ACCEPTOR, division=CITY)))
    with pytest.raises(GuardFailed) as handled:
        await answers(town, both, case, "solved")
    assert handled.value.facts["guard"] == "checked_by_another"
    assert (await waiting(town, case))["tries"] == []


async def test_a_desk_that_does_not_call_is_noticed_and_one_that_calls_twice_at_once_is_heard_once(
    town: Town, city_clock: CityClock
) -> None:
    case = await closed(town, await reported(town, "13812341234"))
    [opened] = [each for each in await town.told(case.id) if each.TYPE == "case.to_call_back"]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [opened], now)
    assert [row["user_id"] for row in await town.rows("SELECT user_id FROM notices")] == [town.city.acceptor.user_id]
    await city_clock.forward(timedelta(days=3, minutes=1))
    assert await town.sweep() == 2, "half of the time, and all of it"
    rungs: list[Any] = [each for each in await town.told(case.id) if each.TYPE == "case.escalated"]
    heard = [(rung.clock, rung.role, rung.division) for rung in rungs]
    assert heard == [("call_back", "acceptor", "620102"), ("call_back", "supervisor", "620102")]
    case = await town.case(case.id)
    named = (await waiting(town, case))["id"]
    both = await asyncio.gather(
        *(answers(town, town.city.acceptor, case, "not_solved", named) for _ in range(2)),
        return_exceptions=True,
    )
    assert [type(each) for each in both if isinstance(each, Exception)] == [VersionConflict]
    assert (await town.case(case.id)).cycle == 2
    await holds(town)


async def test_an_appeal_on_the_closed_case_stops_no_call_back(town: Town, city_clock: CityClock) -> None:
    case = await town.route((await reported(town, "13812341234")).id)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    await city_clock.forward(timedelta(days=60))
    await town.sweep()
    case = await town.case(case.id)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    case = await town.move(owner, case, Move.APPEAL, reason_code="weather")
    assert await live_clocks(town, case) == ["call_back"]
    await holds(town)


async def test_a_city_that_switches_a_level_off_asks_nobody_there(town: Town) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute("DELETE FROM call_back_rules WHERE level = 'city'")
    case = await closed(town, await reported(town, "13812341234"))
    case = await answers(town, town.city.acceptor, case, "solved")
    assert [row["level"] for row in await asked(town, case)] == ["district"]
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE call_back_rules SET share = 0")
    assert await asked(town, await closed(town, await reported(town, "13812341234"))) == []
