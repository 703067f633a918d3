"""A suspension has an end, and ends by itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from gridsvc.actions.resume_cases import resume_cases
from gridsvc.db import transaction
from gridsvc.domain.case_state import Move
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import at, handling, set_time, working_case
from tests.integration.stories.test_file_report import code
from workers.sweep import Sweeper, since_boot

TUESDAY, THURSDAY = "2026-09-15 09:00", "2026-09-17 09:00"


async def suspended(town: Town, city_clock: CityClock, until: str = THURSDAY) -> CaseRow:
    """Sixteen working hours from Tuesday at nine, suspended at once."""
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    return await town.move(town.city.dispatcher, case, Move.SUSPEND, reason="等配件", until=at(until))


async def resume(town: Town, limit: int = 100) -> int:
    async with transaction(town.pool) as (conn, now):
        return await resume_cases(conn, now, limit)


async def last_entry(town: Town, case: CaseRow) -> dict[str, Any]:
    rows = await town.rows("SELECT * FROM history WHERE case_id = $1 ORDER BY version DESC LIMIT 1", case.id)
    return rows[0]


async def test_a_suspended_case_knows_until_when(town: Town, city_clock: CityClock) -> None:
    case = await suspended(town, city_clock)
    assert (await town.case(case.id)).suspended_until == at(THURSDAY)


async def test_it_is_resumed_when_its_time_is_over_and_not_before(town: Town, city_clock: CityClock) -> None:
    case = await suspended(town, city_clock)
    await set_time(town, city_clock, "2026-09-17 08:59")
    assert await resume(town) == 0
    await set_time(town, city_clock, THURSDAY)
    assert await resume(town) == 1
    after = await town.case(case.id)
    assert (after.suspended, after.suspended_until, after.version) == (False, None, case.version + 1)
    assert (await handling(town, case)).state == "running"
    entry = await last_entry(town, case)
    assert (entry["move"], entry["actor"]) == (Move.RESUME, "worker:sweeper")
    assert (await town.told(case.id))[-1].TYPE == "case.resumed"
    assert await resume(town) == 0, "once"


async def test_one_damaged_case_keeps_no_other_suspended(town: Town, city_clock: CityClock) -> None:
    damaged = await suspended(town, city_clock)
    sound = await suspended(town, city_clock)
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE cases SET state = 'cancelled' WHERE id = $1", damaged.id)
    await set_time(town, city_clock, THURSDAY)
    assert await resume(town) == 1
    assert not (await town.case(sound.id)).suspended
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE cases SET state = $2 WHERE id = $1", damaged.id, damaged.state)


async def test_a_sweeper_that_was_down_neither_gives_time_nor_takes_it(town: Town, city_clock: CityClock) -> None:
    """The suspension was granted until Thursday at nine; the workers come back on Thursday afternoon."""
    case = await suspended(town, city_clock)
    await set_time(town, city_clock, "2026-09-17 16:00")
    assert await resume(town) == 1
    after, clock = await town.case(case.id), await handling(town, case)
    # All sixteen hours are left on Thursday at nine: Thursday, Friday, and an hour of the make-up Sunday.
    assert abs(clock.due_at - at("2026-09-20 09:00")) < timedelta(minutes=1)
    assert after.due_at == clock.due_at


async def test_who_is_resumed_by_a_person_is_not_resumed_again(town: Town, city_clock: CityClock) -> None:
    case = await suspended(town, city_clock)
    case = await town.move(town.city.dispatcher, case, Move.RESUME)
    assert case.suspended_until is None
    await set_time(town, city_clock, "2026-09-18 09:00")
    assert await resume(town) == 0


async def test_a_case_that_is_called_off_while_suspended_stays_called_off(town: Town, city_clock: CityClock) -> None:
    case = await suspended(town, city_clock)
    await town.move(town.city.dispatcher, case, Move.CANCEL, reason="重复")
    await set_time(town, city_clock, "2026-09-18 09:00")
    assert await resume(town) == 0
    assert (await town.case(case.id)).suspended_until is None


async def test_sweepers_side_by_side_resume_once(town: Town, city_clock: CityClock) -> None:
    cases = [await suspended(town, city_clock) for _ in range(6)]
    await set_time(town, city_clock, "2026-09-18 09:00")
    rounds = await asyncio.gather(*(resume(town, 4) for _ in range(3)))
    assert sum(rounds) + await resume(town) == len(cases)
    for case in cases:
        assert (await town.case(case.id)).version == case.version + 1


async def test_the_sweeper_resumes_first_and_then_fires_what_is_due(town: Town, city_clock: CityClock) -> None:
    case = await suspended(town, city_clock)
    await set_time(town, city_clock, "2026-09-20 10:00")
    assert await Sweeper(town.pool, batch=100, witness=since_boot).fire_round() == 2, "warning, and overdue"
    moves = await town.rows("SELECT move FROM history WHERE case_id = $1 ORDER BY version DESC LIMIT 3", case.id)
    assert [row["move"] for row in moves] == ["escalate", "escalate", "resume"]


async def test_a_clock_that_runs_by_nature_goes_on_at_the_moment_that_was_granted(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await town.route((await town.filed(report(town.city.officers[0], await code(town, "department")))).id)
    assert case.due_at is not None
    left = case.due_at - await town.now()
    case = await town.move(town.city.dispatcher, case, Move.SUSPEND, reason="等配件", until=at(THURSDAY))
    await set_time(town, city_clock, "2026-09-17 09:30")
    await resume(town)
    after = await town.case(case.id)
    assert after.due_at is not None
    assert abs(after.due_at - (at(THURSDAY) + left)) < timedelta(seconds=30)


async def test_what_is_noted_meanwhile_does_not_end_it(town: Town, city_clock: CityClock) -> None:
    case = await suspended(town, city_clock)
    case = await town.move(town.city.dispatcher, case, Move.NOTE, note="配件周四到")
    assert (case.suspended, case.suspended_until) == (True, at(THURSDAY))
