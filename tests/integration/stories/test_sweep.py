"""Rungs fire by the database's time: whatever the workers' number, and not while that clock is in doubt."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from gridsvc.signing import Signer
from tests.conftest import CityClock
from tests.integration.small_city import category, report
from tests.integration.stories.conftest import Town
from workers.steady import DOUBT_SECONDS, MOST_SECONDS
from workers.sweep import Sweeper, end_shifts_round, sign_round, since_boot

HOUR = 3600.0


async def late_cases(town: Town, clock: CityClock, count: int) -> None:
    async with town.pool.acquire() as conn:
        code = await category(conn, handled_by="officer")
    await town.file(*(report(town.city.dispatcher, code) for _ in range(count)))
    await clock.forward(timedelta(days=40))


async def fired(town: Town) -> list[tuple[object, ...]]:
    rows = await town.rows("SELECT case_id, clock_id, cycle, level FROM escalations")
    return [tuple(row.values()) for row in rows]


async def test_sweepers_side_by_side_fire_each_rung_once(town: Town, city_clock: CityClock) -> None:
    await late_cases(town, city_clock, 12)
    sweepers = [Sweeper(town.pool, batch=3, witness=since_boot) for _ in range(3)]

    rounds = await asyncio.gather(*(sweeper.fire_round() for sweeper in sweepers))
    rest = await sweepers[0].fire_round()

    keys = await fired(town)
    assert len(keys) >= 12
    assert len(keys) == len(set(keys)) == sum(rounds) + rest


async def test_a_shift_of_the_citys_time_is_no_jump_of_the_clock(town: Town, city_clock: CityClock) -> None:
    sweeper = Sweeper(town.pool, batch=100, witness=since_boot)
    await sweeper.fire_round()
    await late_cases(town, city_clock, 1)

    assert await sweeper.fire_round() >= 1


async def test_a_clock_that_jumps_ahead_fires_nothing_until_it_is_believed(
    town: Town, city_clock: CityClock, caplog: pytest.LogCaptureFixture
) -> None:
    passed = HOUR
    sweeper = Sweeper(town.pool, batch=100, witness=lambda: passed)
    await sweeper.fire_round()
    await late_cases(town, city_clock, 1)

    passed = HOUR - MOST_SECONDS - 1  # less time has passed than the server's clock says
    assert await sweeper.fire_round() == 0
    assert await sweeper.fire_round() == 0
    assert await fired(town) == []
    passed += DOUBT_SECONDS
    # By the witness ten minutes have gone, by the server's clock none: it is right again.
    assert await sweeper.fire_round() >= 1
    assert [getattr(record, "verdict", None) for record in caplog.records].count("jumped") == 1


async def test_officers_whose_shift_is_over_go_off_duty_once(town: Town) -> None:
    assert await end_shifts_round(town.pool, 100) == 0, "nobody has a roster here"


async def test_a_finished_day_is_signed_once(town: Town, city_clock: CityClock) -> None:
    async with town.pool.acquire() as conn:
        code = await category(conn, handled_by="officer")
    await town.filed(report(town.city.dispatcher, code))
    signer = Signer.of_secret("a secret of the test")

    assert await sign_round(town.pool, signer) == 0, "today is not over"
    await city_clock.forward(timedelta(days=1))
    assert await sign_round(town.pool, signer) == 1
    assert await sign_round(town.pool, signer) == 0
