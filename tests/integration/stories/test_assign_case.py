"""Routing: a filed case finds one owner and says why, or stands in the pool for all to see."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

from events.catalog import CaseFiled, OfficerDutyChanged
from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.assign_waiting import assign_waiting_cases
from gridsvc.actions.emit_again import emit_again
from gridsvc.db import transaction
from gridsvc.domain.case_state import Move, Pool, State
from gridsvc.ids import new_id
from tests.conftest import CityClock
from tests.integration.small_city import report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code


async def off_duty(town: Town) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE officers SET on_duty = false")


async def test_the_case_goes_to_an_officer_of_the_beat_who_hears_of_it(town: Town) -> None:
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    assert (case.state, case.pool) == (State.ASSIGNED, None)
    assert case.officer_id in {each.user_id for each in town.city.officers}
    assert [news.TYPE for news in await town.told(case.id)] == ["case.filed", "case.assigned"]


async def test_every_assignment_says_by_which_rule_and_why_the_others_lost(town: Town) -> None:
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    [row] = await town.rows("SELECT * FROM assignments WHERE case_id = $1", case.id)
    assert row["rule"] == "officer_of_the_beat"
    lost = {c["officer"]: c["lost_because"] for c in row["reasons"]["candidates"]}
    assert lost.pop(str(case.officer_id)) is None
    assert set(lost.values()) == {"a full tie goes to the lower id"}


async def test_six_cases_at_once_are_shared_fairly_among_three_officers(town: Town) -> None:
    known = await code(town)
    filed = [await town.filed(report(town.city.officers[0], known)) for _ in range(6)]
    await asyncio.gather(*(town.route(case.id) for case in filed))
    shares = await town.rows("SELECT count(*) AS n FROM assignments GROUP BY officer_id")
    assert [share["n"] for share in shares] == [2, 2, 2]


async def test_six_cases_in_one_transaction_are_shared_as_fairly(town: Town) -> None:
    known = await code(town)
    filed = [await town.filed(report(town.city.officers[0], known)) for _ in range(6)]
    news = [(await town.told(case.id))[0] for case in filed]
    async with transaction(town.pool) as (conn, now):
        await assign_cases(conn, news, now)
    shares = await town.rows("SELECT count(*) AS n FROM assignments GROUP BY officer_id")
    assert [share["n"] for share in shares] == [2, 2, 2]
    states = await town.rows("SELECT state, version FROM cases")
    assert {(row["state"], row["version"]) for row in states} == {("assigned", 2)}


async def test_two_news_of_one_case_in_one_transaction_assign_it_once(town: Town) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town)))
    [filed] = await town.told(case.id)
    async with transaction(town.pool) as (conn, now):
        await assign_cases(conn, [filed, replace(filed, event_id=new_id())], now)
    assert len(await town.rows("SELECT id FROM assignments")) == 1


async def test_a_department_answers_for_what_its_category_says(town: Town) -> None:
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town, "department")))).id)
    assert (case.department, case.officer_id) == ("water", None)


async def test_nobody_on_duty_puts_the_case_in_the_pool_and_the_ladder_says_so_at_once(town: Town) -> None:
    await off_duty(town)
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    assert (case.state, case.pool) == (State.FILED, Pool.DISPATCH)
    assert [news.TYPE for news in await town.told(case.id)][-1] == "case.pooled"
    assert await town.sweep() == 1
    told = (await town.told(case.id))[-1]
    assert (told.TYPE, getattr(told, "role", None), getattr(told, "clock", None)) == (
        "case.escalated",
        "dispatcher",
        "pool",
    )


async def test_news_heard_twice_assigns_once(town: Town) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town)))
    await town.route(case.id)
    before = await town.case(case.id)
    await town.route(case.id)
    assert await town.case(case.id) == before
    assert len(await town.rows("SELECT id FROM assignments")) == 1


async def test_news_of_a_case_that_is_gone_changes_nothing(town: Town) -> None:
    async with transaction(town.pool) as (conn, now):
        gone = CaseFiled(
            event_id=new_id(), at=now, case_id=new_id(), version=1, state="filed", duty_line="social",
            severity="normal", divisions=(), actor="user:x", cycle=1,
        )  # fmt: skip
        await assign_cases(conn, [gone], now)
    assert await town.rows("SELECT id FROM assignments") == []


async def test_who_does_not_acknowledge_in_time_loses_the_case_to_another(town: Town, city_clock: CityClock) -> None:
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    first, due = case.officer_id, case.due_at
    await city_clock.forward(timedelta(minutes=16))
    await town.sweep()
    assert "case.unacknowledged" in [news.TYPE for news in await town.told(case.id)]
    moved_on = await town.route(case.id)
    assert moved_on.officer_id not in {None, first}
    assert moved_on.due_at == due, "the city's own limit goes on"
    ended = await town.rows("SELECT ended_why FROM assignments WHERE officer_id = $1", first)
    assert [row["ended_why"] for row in ended] == ["unacknowledged"]


async def test_when_nobody_acknowledges_the_case_ends_in_the_pool(town: Town, city_clock: CityClock) -> None:
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    for _ in range(3):
        await city_clock.forward(timedelta(minutes=16))
        await town.sweep()
        case = await town.route(case.id)
    assert (case.state, case.pool, case.officer_id) == (State.FILED, Pool.DISPATCH, None)


async def test_the_reconciler_repeats_what_routing_never_heard(town: Town, city_clock: CityClock) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town)))
    async with transaction(town.pool) as (conn, now):
        assert await emit_again(conn, now, 10) == 0, "fifteen seconds are routing's own"
    await city_clock.forward(timedelta(seconds=16))
    async with transaction(town.pool) as (conn, now):
        assert await emit_again(conn, now, 10) == 1
    assert [news.TYPE for news in await town.told(case.id)] == ["case.filed", "case.waiting"]
    assert (await town.route(case.id)).state == State.ASSIGNED
    await city_clock.forward(timedelta(minutes=5))
    async with transaction(town.pool) as (conn, now):
        assert await emit_again(conn, now, 10) == 0, "it has an owner"


async def test_the_reconciler_repeats_a_time_out_that_routing_never_heard(town: Town, city_clock: CityClock) -> None:
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    await city_clock.forward(timedelta(minutes=16))
    await town.sweep()
    await city_clock.forward(timedelta(seconds=16))
    async with transaction(town.pool) as (conn, now):
        assert await emit_again(conn, now, 10) == 1
    assert [news.TYPE for news in await town.told(case.id)].count("case.unacknowledged") == 2
    assert (await town.route(case.id)).officer_id != case.officer_id


async def test_an_officer_coming_on_duty_empties_the_pool_of_his_beat(town: Town) -> None:
    await off_duty(town)
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    newcomer = town.city.officers[2].user_id
    assert newcomer is not None
    async with transaction(town.pool) as (conn, now):
        await conn.execute("UPDATE officers SET on_duty = true WHERE user_id = $1", newcomer)
        await assign_waiting_cases(
            conn, [OfficerDutyChanged(event_id=new_id(), at=now, officer_id=newcomer, on_duty=True)], now
        )
    async with transaction(town.pool) as (conn, now):
        assert await emit_again(conn, now, 10) == 1
    assert (await town.route(case.id)).officer_id == newcomer


async def test_a_dispatcher_may_take_a_case_from_one_and_give_it_to_another(town: Town) -> None:
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    other = next(each.user_id for each in town.city.officers if each.user_id != case.officer_id)
    moved = await town.move(town.city.dispatcher, case, Move.ASSIGN, officer=other)
    assert moved.officer_id == other
    why = await town.rows("SELECT rule, ended_why FROM assignments WHERE case_id = $1 ORDER BY assigned_at", case.id)
    assert [(row["rule"], row["ended_why"]) for row in why] == [
        ("officer_of_the_beat", "reassigned"),
        ("by_hand", None),
    ]
