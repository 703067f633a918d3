"""Each rung once, never early, in order, whatever number of sweepers look and however long nobody did."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from events.catalog import CaseEscalated
from gridsvc.actions.acknowledge_alarm import acknowledge_alarm
from gridsvc.db import transaction
from gridsvc.domain.case_state import Move, State
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import CITY, DISTRICT, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import uploaded


async def urgent_case(town: Town) -> CaseRow:
    """Handled by a department within two natural hours, accepted: only its handling clock runs."""
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town, "department")))).id)
    return await town.move(town.city.handler, case, Move.ACCEPT)


async def fired(town: Town, case: CaseRow) -> list[dict[str, Any]]:
    return await town.rows(
        "SELECT k.kind, e.level, e.effect, e.scheduled_at, e.fired_at"
        " FROM escalations e JOIN clocks k ON k.id = e.clock_id"
        " WHERE e.case_id = $1 ORDER BY e.fired_at, e.scheduled_at",
        case.id,
    )


async def test_nothing_fires_before_its_time(town: Town, city_clock: CityClock) -> None:
    case = await urgent_case(town)
    await city_clock.forward(timedelta(minutes=89))
    assert await town.sweep() == 0
    await city_clock.forward(timedelta(minutes=2))
    assert await town.sweep() == 1
    assert [(row["level"], row["effect"]) for row in await fired(town, case)] == [(1, "warning")]


async def test_a_late_case_climbs_rung_by_rung(town: Town, city_clock: CityClock) -> None:
    case = await urgent_case(town)
    heard = []
    for minutes in (91, 30, 30, 30, 60):
        await city_clock.forward(timedelta(minutes=minutes))
        await town.sweep()
        news = (await town.told(case.id))[-1]
        heard.append((getattr(news, "level", None), getattr(news, "role", None), getattr(news, "division", None)))
    assert heard == [
        (1, "owner", None),
        (2, "dispatcher", "620102001"),
        (3, "supervisor", "620102001"),
        (4, "supervisor", "620102"),
        (5, "supervisor", "620100"),
    ]
    await city_clock.forward(timedelta(days=30))
    assert await town.sweep() == 0, "the ladder has ended"


async def test_a_late_case_rings_once_until_somebody_has_seen_it(town: Town, city_clock: CityClock) -> None:
    """A warning rings for nobody; overdue does; the rungs after it change what it says, not how often it rings."""
    case = await urgent_case(town)
    rings = "SELECT id, raised_at, acknowledged_at IS NULL AS rings, says_en FROM alarms ORDER BY raised_at, id"
    heard = []
    for minutes in (91, 30, 30):
        await city_clock.forward(timedelta(minutes=minutes))
        await town.sweep()
        heard.append([(row["rings"], row["says_en"].partition(":")[0]) for row in await town.rows(rings)])
    assert heard == [[], [(True, "Overdue")], [(True, "Escalated to rung 3")]]
    [first] = await town.rows(rings)
    assert town.city.supervisor.user_id is not None
    async with transaction(town.pool) as (conn, now):
        await acknowledge_alarm(conn, first["id"], town.city.supervisor.user_id, now)
    await city_clock.forward(timedelta(minutes=30))
    await town.sweep()
    assert [(row["rings"], row["says_en"]) for row in await town.rows(rings)] == [
        (False, f"Escalated to rung 3: case {case.number}"), (True, f"Escalated to rung 4: case {case.number}"),
    ]  # fmt: skip


async def test_what_nobody_has_placed_climbs_from_its_desk_to_those_above(town: Town, city_clock: CityClock) -> None:
    case = await town.filed(report(town.city.acceptor, await code(town), None))
    async with transaction(town.pool) as (conn, _):
        await conn.execute("UPDATE rungs SET division_level = 'city' WHERE ladder = 'filing' AND level = 2")
    await city_clock.forward(timedelta(days=1))
    await town.sweep()
    heard = [news.division for news in await town.told(case.id) if isinstance(news, CaseEscalated)]
    assert heard == [DISTRICT, CITY]


async def test_what_was_missed_while_nobody_swept_fires_once_each_in_order_and_says_how_late(
    town: Town, city_clock: CityClock
) -> None:
    case = await urgent_case(town)
    await city_clock.forward(timedelta(hours=3, minutes=1))
    assert await town.sweep() == 4
    assert [row["level"] for row in await fired(town, case)] == [1, 2, 3, 4]
    late = [row["facts"]["late_by_s"] for row in await town.rows(
        "SELECT facts FROM history WHERE case_id = $1 AND move = 'escalate' ORDER BY version", case.id)]  # fmt: skip
    assert late == sorted(late, reverse=True)
    assert 91 * 60 <= late[0] <= 92 * 60


async def test_three_sweepers_at_once_fire_each_rung_once(town: Town, city_clock: CityClock) -> None:
    cases = [await urgent_case(town) for _ in range(12)]
    await city_clock.forward(timedelta(hours=3, minutes=1))
    rounds = await asyncio.gather(*(town.sweep(5) for _ in range(3)))
    while (more := await town.sweep(5)) > 0:
        rounds.append(more)
    assert sum(rounds) == 4 * len(cases)
    for case in cases:
        assert [row["level"] for row in await fired(town, case)] == [1, 2, 3, 4]


async def test_a_closed_case_is_not_escalated(town: Town, city_clock: CityClock) -> None:
    case = await urgent_case(town)
    await town.move(town.city.dispatcher, case, Move.CANCEL, reason="重复")
    await city_clock.forward(timedelta(days=2))
    assert await town.sweep() == 0


async def test_a_reopened_case_may_climb_again(town: Town, city_clock: CityClock) -> None:
    case = await urgent_case(town)
    await city_clock.forward(timedelta(minutes=91))
    await town.sweep()
    case = await town.case(case.id)
    case = await town.move(
        town.city.handler, case, Move.HAND_IN, evidence=(await uploaded(town, town.city.handler.id),)
    )
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    case = await town.move(town.city.supervisor, case, Move.REOPEN, reason="又坏了")
    case = await town.route(case.id)
    assert case.state == State.ASSIGNED
    case = await town.move(town.city.handler, case, Move.ACCEPT)
    await city_clock.forward(timedelta(minutes=91))
    await town.sweep()
    cycles = await town.rows("SELECT cycle FROM escalations WHERE case_id = $1 AND level = 1 ORDER BY cycle", case.id)
    assert [row["cycle"] for row in cycles] == [1, 2]


async def test_a_clock_set_back_fires_nothing_twice(town: Town, city_clock: CityClock) -> None:
    case = await urgent_case(town)
    await city_clock.forward(timedelta(minutes=91))
    await town.sweep()
    await city_clock.forward(timedelta(hours=-1))
    assert await town.sweep() == 0
    await city_clock.forward(timedelta(hours=1))
    assert await town.sweep() == 0
    assert len(await fired(town, case)) == 1


async def test_a_case_that_nobody_routes_is_not_forgotten(town: Town, city_clock: CityClock) -> None:
    """The broker is away for an hour: the desk hears although no message ever moved."""
    case = await town.filed(report(town.city.officers[0], await code(town)))
    await city_clock.forward(timedelta(minutes=16))
    assert await town.sweep() == 1
    news = (await town.told(case.id))[-1]
    assert (getattr(news, "clock", None), getattr(news, "role", None)) == ("dispatch", "dispatcher")


async def test_a_rewritten_ladder_goes_on_with_the_rung_that_there_is_now(town: Town, city_clock: CityClock) -> None:
    case = await urgent_case(town)
    async with town.pool.acquire() as conn:
        await conn.execute("DELETE FROM rungs WHERE ladder = 'handling' AND level IN (1, 2)")
    await city_clock.forward(timedelta(minutes=151))
    while await town.sweep():
        pass
    async with town.pool.acquire() as conn:  # levels are counted without gap by the ledger, which asks the ladder
        rungs = await conn.fetch("SELECT level FROM escalations WHERE case_id = $1", case.id)
    assert [row["level"] for row in rungs] == [3]


async def test_one_damaged_case_does_not_stop_the_others_from_climbing(town: Town, city_clock: CityClock) -> None:
    damaged, sound = await urgent_case(town), await urgent_case(town)
    async with town.pool.acquire() as conn:
        state = await conn.fetchval("SELECT state FROM cases WHERE id = $1", damaged.id)
        await conn.execute("UPDATE cases SET state = 'cancelled' WHERE id = $1", damaged.id)
    await city_clock.forward(timedelta(minutes=91))
    assert await town.sweep() == 1
    assert len(await fired(town, sound)) == 1
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE cases SET state = $2 WHERE id = $1", damaged.id, state)
