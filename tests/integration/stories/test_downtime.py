"""Escalation that nobody can forget: whoever dies, however many look, whatever the clocks do.

For each (case, clock, cycle, level) one rung: none early, none lost, in the order of levels, each with how late it is.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Final

import asyncpg
import pytest

from gridsvc.actions.escalate_case import fire_due_rungs
from gridsvc.actions.move_case import move_case
from gridsvc.db import DATABASE_AWAY, SERVICE, open_pool, transaction
from gridsvc.domain.access import scope_keys
from gridsvc.domain.case_state import Actor, Move, Particulars, State, WhileAssigned
from gridsvc.store.cases import CaseRow
from gridsvc.store.rung_lags import FIRED, cumulated
from tests.conftest import CityClock
from tests.integration.patiently import until
from tests.integration.small_city import report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_escalate_case import urgent_case
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import uploaded
from workers.sweep import Sweeper, since_boot

MANY: Final = 2_500
"""Cases that nobody routes; the dispatch clock of each has two rungs."""


async def unrouted(town: Town, count: int) -> None:
    """The broker is away: cases are filed, and no routing hears of them."""
    wanted = await code(town)
    for at in range(0, count, 500):
        await town.file(*(report(town.city.officers[0], wanted) for _ in range(min(500, count - at))))


async def assert_each_rung_once_in_order(town: Town, count: int) -> list[datetime]:
    """The rule of this file, over all that fired; returns when each was to fire, in the order in which they fired."""
    rows = await town.rows(
        "SELECT e.case_id, e.clock_id, e.cycle, e.level, e.scheduled_at, e.fired_at, h.version,"
        "       (h.facts ->> 'late_by_s')::float AS late_by"
        "  FROM escalations e JOIN history h ON h.case_id = e.case_id AND h.move = 'escalate'"
        "   AND h.facts ->> 'clock_id' = e.clock_id::text AND (h.facts ->> 'level')::int = e.level"
        " ORDER BY e.fired_at, h.version"
    )
    keys = [(row["case_id"], row["clock_id"], row["cycle"], row["level"]) for row in rows]
    assert len(keys) == len(set(keys)) == count
    levels = defaultdict(list)
    for row in rows:
        levels[row["clock_id"]].append(row["level"])
        assert row["fired_at"] >= row["scheduled_at"], "never early"
        assert row["late_by"] == pytest.approx((row["fired_at"] - row["scheduled_at"]).total_seconds(), abs=0.001)
    assert [each for each in levels.values() if each != sorted(each)] == []
    news = await town.rows("SELECT count(*) FROM outbox WHERE type = 'case.escalated'")
    assert news == [{"count": count}], "each is told once"
    return [row["scheduled_at"] for row in rows]


async def test_after_two_hours_without_workers_three_sweepers_fire_five_thousand_rungs_once(
    town: Town, city_clock: CityClock
) -> None:
    await unrouted(town, MANY)
    await city_clock.forward(timedelta(hours=2))
    sweepers = [Sweeper(town.pool, batch=100, witness=since_boot, rate=100_000) for _ in range(3)]
    fired = await asyncio.gather(*(sweeper.fire_round() for sweeper in sweepers))
    assert sum(fired) == 2 * MANY
    await assert_each_rung_once_in_order(town, 2 * MANY)
    async with transaction(town.pool) as (conn, _):
        lags = await FIRED.all(conn)
    assert sum(each.fired for each in lags) == 2 * MANY
    assert [total for border, total in cumulated(lags) if border in {"3600.0", "+Inf"}] == [0.0, 2.0 * MANY]


async def test_sweepers_side_by_side_have_batches_of_their_own(town: Town, city_clock: CityClock) -> None:
    await unrouted(town, 20)
    await city_clock.forward(timedelta(hours=2))
    async with transaction(town.pool) as (one, now), transaction(town.pool) as (other, _):
        first, second = await fire_due_rungs(one, now, 10), await fire_due_rungs(other, now, 10)
    assert first > 0
    assert second > 0, "what the first one holds is passed over"
    while await town.sweep(10):
        pass
    await assert_each_rung_once_in_order(town, 40)


async def test_what_is_due_longest_fires_first_and_an_emergency_before_all(town: Town, city_clock: CityClock) -> None:
    await unrouted(town, 40)
    await city_clock.forward(timedelta(minutes=1))
    await unrouted(town, 40)
    emergency = await town.filed(report(town.city.officers[0], await emergency_code(town)))
    await city_clock.forward(timedelta(hours=2))
    assert await town.sweep(10) >= 10
    first = await town.rows("SELECT DISTINCT case_id FROM escalations")
    assert emergency.id in [row["case_id"] for row in first]
    while await town.sweep(10):
        pass
    oldest_first = await town.rows(
        "SELECT scheduled_at FROM escalations e JOIN cases c ON c.id = e.case_id"
        " WHERE c.severity <> 'emergency' AND level = 1 ORDER BY fired_at, scheduled_at"
    )
    moments = [row["scheduled_at"] for row in oldest_first]
    assert moments == sorted(moments)


async def emergency_code(town: Town) -> str:
    found = await town.rows(
        "SELECT min(code) AS code FROM categories"
        " WHERE severity = 'emergency' AND files_itself AND duty_line = 'social'"
    )
    return str(found[0]["code"])


async def test_a_backlog_goes_out_at_the_stated_rate(town: Town, city_clock: CityClock) -> None:
    await unrouted(town, 60)
    await city_clock.forward(timedelta(hours=2))
    stop = asyncio.Event()
    slow = Sweeper(town.pool, batch=10, witness=since_boot, rate=1, stop=stop)
    round_ = asyncio.create_task(slow.fire_round())
    await until(lambda: town.rows("SELECT 1 AS fired FROM escalations LIMIT 1"), what="the first batch")
    assert not round_.done(), "it rests for ten seconds at least"
    stop.set()
    assert await round_ == 20, "one batch of ten cases, each with two rungs; who stops does not wait for the rest"
    while await town.sweep():
        pass
    await assert_each_rung_once_in_order(town, 120)


async def test_a_clock_moved_by_an_hour_forward_and_back_fires_each_rung_once_and_none_early(
    town: Town, city_clock: CityClock
) -> None:
    await unrouted(town, 20)
    for minutes in (0, 60, -60, 60, -90, 30, 120):
        await city_clock.forward(timedelta(minutes=minutes))
        while await town.sweep():
            pass
    await assert_each_rung_once_in_order(town, 40)


async def test_a_reopened_case_climbs_anew_and_nothing_of_the_first_time_fires_again(
    town: Town, city_clock: CityClock
) -> None:
    case = await urgent_case(town)
    for cycle in (1, 2):
        await city_clock.forward(timedelta(hours=2, minutes=1))
        while await town.sweep():
            pass
        case = await town.case(case.id)
        if cycle == 1:
            case = await town.move(
                town.city.handler, case, Move.HAND_IN, evidence=(await uploaded(town, town.city.handler.id),)
            )
            case = await town.move(town.city.acceptor, case, Move.CLOSE)
            case = await town.move(town.city.supervisor, case, Move.REOPEN, reason="又坏了")
            case = await town.route(case.id)
            case = await town.move(town.city.handler, case, Move.ACCEPT)
    cycles = await town.rows(
        "SELECT e.cycle, array_agg(e.level ORDER BY e.level) AS levels FROM escalations e"
        "  JOIN clocks k ON k.id = e.clock_id WHERE k.kind = 'handling' GROUP BY e.cycle ORDER BY e.cycle"
    )
    assert cycles == [{"cycle": 1, "levels": [1, 2]}, {"cycle": 2, "levels": [1, 2]}]
    await assert_each_rung_once_in_order(town, 4)


async def handed_in(town: Town, case: CaseRow) -> None:
    async with transaction(town.pool, scope_keys(town.city.handler)) as (conn, now):
        assert case.assignment_id is not None
        await move_case(
            conn, case.id, Move.HAND_IN, Actor(town.city.handler),
            Particulars(evidence=(await uploaded(town, town.city.handler.id),)),
            WhileAssigned(case.assignment_id), town.numbers, now,
        )  # fmt: skip


async def test_a_case_that_is_handed_in_at_the_moment_of_its_rung_is_escalated_or_handed_in_first(
    town: Town, city_clock: CityClock
) -> None:
    """Both hold the case's lock: a rung is in the history before the hand-in, or the clock has stopped without it."""
    cases = [await urgent_case(town) for _ in range(8)]
    await city_clock.forward(timedelta(hours=2, minutes=1))
    await asyncio.gather(*(handed_in(town, case) for case in cases), *(town.sweep(3) for _ in range(6)))
    while await town.sweep():
        pass
    after = await town.rows(
        "SELECT count(*) FROM history e JOIN history h ON h.case_id = e.case_id AND h.move = 'hand_in'"
        " WHERE e.move = 'escalate' AND e.version > h.version AND e.facts ->> 'clock' = 'handling'"
    )
    assert after == [{"count": 0}], "no rung of a clock that has stopped"
    states = await town.rows("SELECT DISTINCT state FROM cases")
    assert states == [{"state": str(State.HANDLED)}]
    [fired] = await town.rows("SELECT count(*) FROM escalations")
    await assert_each_rung_once_in_order(town, fired["count"])


async def end_backend(owner_database: str, pid: int) -> None:
    owner = await asyncpg.connect(owner_database)
    try:
        assert await owner.fetchval("SELECT pg_terminate_backend($1, 10000)", pid)
    finally:
        await owner.close()


async def test_a_sweeper_that_is_cut_off_in_its_transaction_loses_nothing_and_fires_nothing_twice(
    town: Town, city_clock: CityClock, database: str, owner_database: str
) -> None:
    await unrouted(town, 30)
    await city_clock.forward(timedelta(hours=2))
    async with open_pool(database, scope=SERVICE, size=1, name="doomed") as doomed:

        async def sweep_and_be_cut_off() -> None:
            async with transaction(doomed) as (conn, now):
                assert await fire_due_rungs(conn, now, 10) == 20
                pid = await conn.fetchval("SELECT pg_backend_pid()")
                assert await town.sweep(30) == 40, "others take what it has not locked"
                await end_backend(owner_database, pid)

        with pytest.raises(DATABASE_AWAY):
            await sweep_and_be_cut_off()
    await until(town.sweep, what="the cases of the lost sweeper")
    while await town.sweep():
        pass
    await assert_each_rung_once_in_order(town, 60)
