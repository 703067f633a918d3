"""What cameras have said becomes one case per incident: sorted, grouped, decided, and old days dropped."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, timedelta
from functools import partial
from typing import Final

from gridsvc.actions.open_camera_cases import open_camera_cases, see_storms
from gridsvc.actions.sort_camera_events import sort_camera_events
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.settings import WorkerSettings
from gridsvc.store import camera_events, camera_incidents, camera_keeping, camera_meters
from gridsvc.store.numbers import NumberBlocks
from workers.camera_pictures import DRAW_SECONDS, SWEEP_SECONDS, PictureWork
from workers.runtime import periodically

log = logging.getLogger(__name__)

STORM_SECONDS: Final = 1.0
SILENT_SECONDS: Final = 5.0
DAY_SECONDS: Final = 600.0
DAYS_AHEAD: Final = 3  # a worker that is away for two days costs nothing but a default partition
REMOVE_AT_ONCE: Final = 5_000


async def sort_round(pool: ConnPool, batch: int) -> int:
    """Sort all events that wait, `batch` per transaction; return how many."""
    done, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            sorted_now = await sort_camera_events(conn, now, batch)
        done += sorted_now
        full = sorted_now >= batch
    return done


async def decide_round(pool: ConnPool, numbers: NumberBlocks, batch: int) -> int:
    """Decide every incident whose wait is over, `batch` per transaction; return how many."""
    done, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            decided = await open_camera_cases(conn, numbers, now, batch)
        done += decided
        full = decided >= batch
    if done:
        log.info("incidents decided", extra={"action": "camera_incidents_decided", "incidents": done})
    return done


async def carry_round(pool: ConnPool, numbers: NumberBlocks, settings: WorkerSettings) -> int:
    """Sort what came, then decide what is due; return how many events and incidents that were."""
    return await sort_round(pool, settings.camera_batch) + await decide_round(pool, numbers, settings.camera_batch)


async def storm_round(pool: ConnPool) -> int:
    """See to cameras that send far too much; return how many do."""
    async with transaction(pool, SERVICE) as (conn, now):
        storming = await see_storms(conn, now)
    if storming:
        log.warning("cameras storm", extra={"action": "camera_storms", "cameras": storming})
    return storming


async def silent_round(pool: ConnPool) -> int:
    """End incidents of which nothing is heard any more; return how many."""
    async with transaction(pool, SERVICE) as (conn, now):
        rules = await camera_meters.rules(conn)
        return await camera_incidents.END_SILENT.run(conn, now, now - rules.resolve)


async def day_round(pool: ConnPool) -> tuple[int, int]:
    """Make the days ahead, drop those past their time and remove what else is; return how many days of each."""
    made = dropped = 0
    async with transaction(pool, SERVICE) as (conn, now):
        _, keep_days = await camera_meters.rules_and_keeping(conn)
        today = now.astimezone(UTC).date()
        known = await camera_events.days(conn)
    for ahead in range(DAYS_AHEAD + 1):
        day = today + timedelta(days=ahead)
        if day not in known:
            async with transaction(pool, SERVICE) as (conn, now):
                made += await camera_events.make_day(conn, day)
    for day in known:
        if day < today - timedelta(days=keep_days):
            async with transaction(pool, SERVICE) as (conn, now):
                dropped += await camera_events.drop_day(conn, day)
    async with transaction(pool, SERVICE) as (conn, now):
        await camera_keeping.remove_old(conn, now, REMOVE_AT_ONCE)
    if made or dropped:
        log.info("days of camera events", extra={"action": "camera_days", "made": made, "dropped": dropped})
    return made, dropped


async def cameras(
    url: str, pool: ConnPool, settings: WorkerSettings, pictures: PictureWork, stop: asyncio.Event
) -> None:
    """Take each kind of round in its own rhythm until `stop`. Numbers of cases come over connections of their own."""
    async with open_pool(url, size=2, name="gridsvc numbers") as blocks, asyncio.TaskGroup() as group:
        numbers = NumberBlocks(blocks)
        for name, seconds, turn in (
            ("camera days", DAY_SECONDS, partial(day_round, pool)),
            ("camera events", settings.camera_seconds, partial(carry_round, pool, numbers, settings)),
            ("camera storms", STORM_SECONDS, partial(storm_round, pool)),
            ("camera silence", SILENT_SECONDS, partial(silent_round, pool)),
            ("camera pictures", DRAW_SECONDS, pictures.draw_round),
            ("camera pictures elsewhere", DRAW_SECONDS, pictures.fetch_round),
            ("camera pictures past their time", SWEEP_SECONDS, pictures.sweep_round),
        ):
            group.create_task(periodically(name, seconds, turn, stop), name=name)
