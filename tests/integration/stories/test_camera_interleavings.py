"""One case per incident, whatever happens at the same instant: transactions that are held open by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import pytest

from gridsvc.actions.open_camera_cases import open_camera_cases
from gridsvc.actions.sort_camera_events import sort_camera_events
from gridsvc.db import Conn, transaction
from tests.conftest import CityClock
from tests.integration.patiently import until
from tests.integration.stories.camera_town import VENDOR, Cameras, seen
from tests.integration.stories.conftest import Town
from workers.cameras import decide_round, sort_round, storm_round

WAIT = timedelta(seconds=5)


@pytest.fixture
async def streets(town: Town) -> Cameras:
    cameras = Cameras(town)
    for code in ("c1", "c2"):
        await cameras.install(code, 0, {"street_vendor": (VENDOR, "automatic")})
    return cameras


class Died(Exception):
    """What a worker dies of in the middle of its transaction."""


@asynccontextmanager
async def a_worker(town: Town, *, dies: bool = False) -> AsyncIterator[tuple[Conn, datetime]]:
    """The transaction of a worker, which commits at the end of the block, or dies there."""
    try:
        async with transaction(town.pool) as (conn, now):
            yield conn, now
            if dies:
                raise Died
    except Died:
        pass


async def waits_for_a_lock(town: Town, task: asyncio.Task[int]) -> None:
    """Wait until the other worker stands before a lock of the first."""

    async def blocked() -> bool:
        assert not task.done(), "it went on, though another holds what it needs"
        return bool(await town.rows("SELECT FROM pg_locks WHERE NOT granted"))

    await until(blocked, what="the second worker to wait for the first")


async def test_an_incident_is_one_case_on_both_sides_of_every_commit(streets: Cameras, city_clock: CityClock) -> None:
    """It begins in two transactions, is decided in the middle of a third, and a worker dies over it."""
    town = streets.town
    await streets.say(seen("c1", "a"))
    async with a_worker(town) as (conn, now):
        assert await sort_camera_events(conn, now, 100) == 1
        await streets.say(seen("c2", "b"))
        other = asyncio.create_task(sort_round(town.pool, 100))
        await waits_for_a_lock(town, other)
    assert await other == 1
    assert len(await town.rows("SELECT FROM camera_incidents")) == 1, "what began twice is one"

    # The wait is over while an event is being sorted: who sorts has it, and nobody decides without it.
    await city_clock.forward(WAIT)
    await streets.say(seen("c1", "c"))
    async with a_worker(town) as (conn, now):
        assert await sort_camera_events(conn, now, 100) == 1
        assert await decide_round(town.pool, town.numbers, 100) == 0
    assert await streets.outcomes() == {"waiting": 3}

    # Who decides it dies; what came meanwhile waits with it for the next worker.
    await streets.say(seen("c2", "d"))
    async with a_worker(town, dies=True) as (conn, now):
        assert await open_camera_cases(conn, town.numbers, now, 100) == 1
        other = asyncio.create_task(sort_round(town.pool, 100))
        await waits_for_a_lock(town, other)
        assert await decide_round(town.pool, town.numbers, 100) == 0, "what another decides is passed over"
    assert await other == 1
    assert await streets.cases() == []

    # The same once more, and he lives: what came meanwhile joins the case that it could not see before.
    await streets.say(seen("c1", "e"))
    async with a_worker(town) as (conn, now):
        assert await open_camera_cases(conn, town.numbers, now, 100) == 1
        other = asyncio.create_task(sort_round(town.pool, 100))
        await waits_for_a_lock(town, other)
        assert await decide_round(town.pool, town.numbers, 100) == 0
    assert await other == 1
    assert await streets.outcomes() == {"opened": 1, "joined": 4}
    assert len(await streets.cases()) == 1


async def test_a_message_that_comes_twice_at_once_is_known_again(streets: Cameras) -> None:
    answers = await asyncio.gather(*(streets.say(seen("c1", "a")) for _ in range(4)))
    assert sorted(str(each.outcome) for [each] in answers) == ["accepted", "duplicate", "duplicate", "duplicate"]


async def test_a_storm_that_two_workers_see_is_one_case_about_the_camera(
    streets: Cameras, city_clock: CityClock
) -> None:
    town = streets.town
    await streets.rules(burst=1, rate_per_s=0.01, storm_after=10)
    await streets.say(*(seen("c1", f"n{n}") for n in range(20)))
    await asyncio.gather(*(storm_round(town.pool) for _ in range(3)))
    async with a_worker(town) as (conn, now):
        assert await open_camera_cases(conn, town.numbers, now, 100) == 1
        other = asyncio.create_task(storm_round(town.pool))
        await waits_for_a_lock(town, other)
    assert await other == 1
    await city_clock.forward(timedelta(seconds=1))
    await streets.work()
    storms = [each for each in await streets.cases() if "告警风暴" in each["description"]]
    assert len(storms) == 1, "it is opened once, though its case could not be seen while it was being opened"
