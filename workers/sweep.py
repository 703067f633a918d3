"""What time brings: calls widen, suspensions end, rungs fire, grids come into force, quiet hours and shifts end."""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime
from functools import partial
from typing import Final

from gridsvc.actions.end_shifts import end_shifts
from gridsvc.actions.escalate_case import fire_due_rungs
from gridsvc.actions.follow_grid import follow_grid
from gridsvc.actions.follow_outages import follow_outages
from gridsvc.actions.hand_over_work import hand_over_work
from gridsvc.actions.miss_calendars import miss_calendars
from gridsvc.actions.recompute_clocks import recompute_clocks
from gridsvc.actions.resume_cases import resume_cases
from gridsvc.actions.sign_history import sign_days
from gridsvc.actions.widen_calls import widen_calls
from gridsvc.db import ACQUIRE_SECONDS, SERVICE, Conn, ConnPool, transaction
from gridsvc.settings import FileSettings, WorkerSettings
from gridsvc.signing import Signer
from gridsvc.store import digests, server_clock
from gridsvc.store.clocks import PROVISIONAL
from workers.attachments import (
    COMPARE_SECONDS,
    SWEEP_SECONDS,
    UPLOAD_SECONDS,
    compare_round,
    end_uploads_round,
    sweep_attachments_round,
)
from workers.pace import rest_after
from workers.registry import SEE_SECONDS, WATCH_SECONDS, see_round, watch_round
from workers.runtime import periodically, wait_for_stop
from workers.steady import Steady, Verdict, look

log = logging.getLogger(__name__)

SHIFT_SECONDS: Final = 60.0
QUIET_SECONDS: Final = 5.0  # what waits for the end of quiet hours may wait so much longer
CALENDAR_SECONDS: Final = 5.0  # what a publication left over; it computes the rest itself
FOLLOW_SECONDS: Final = 5.0  # how soon open cases begin to follow a grid set that has come into force
MISSING_SECONDS: Final = 3_600.0  # how often it is said that a year's calendar is missing
SIGN_SECONDS: Final = 300.0  # a finished day is signed within five minutes of its midnight


def since_boot() -> float:
    """Seconds since this machine started, those that it slept included.

    macOS counts its sleep in CLOCK_MONOTONIC and has no CLOCK_BOOTTIME.
    """
    return time.clock_gettime(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC))


@dataclass
class Sweeper:
    """Ends suspensions and fires rungs while the database's clock can be believed by the `witness`.

    Any number of these may run at once.
    """

    pool: ConnPool
    batch: int
    witness: Callable[[], float]
    rate: int = 1_500  # rungs a second, of this sweeper
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    steady: Steady = field(default_factory=Steady)

    async def fire_round(self) -> int:
        """End suspensions that are over, then fire all that is due, `batch` per transaction; how many rungs fired.

        Nothing fires while the clock is in doubt (workers/steady.py): that is logged, and ends by itself. After a
        downtime it goes at `rate`, so that neither the broker nor people are flooded (workers/pace.py).
        """
        if not (await self._look_at_the_clock()).fires:
            return 0
        await self._end_suspensions()
        fired, full = 0, True
        while full:
            began = time.monotonic()
            async with transaction(self.pool, SERVICE) as (conn, now):
                batch = await fire_due_rungs(conn, now, self.batch)
            fired += batch
            full = batch >= self.batch
            if full:
                rest = rest_after(batch, time.monotonic() - began, self.rate, random.random())  # noqa: S311 - spreads load
                full = not await wait_for_stop(self.stop, rest) and (await self._look_at_the_clock()).fires
        if fired:
            log.info("rungs fired", extra={"action": "rungs_fired", "rungs": fired})
        return fired

    async def _end_suspensions(self) -> None:
        resumed = await _in_pages(self.pool, self.batch, resume_cases)
        if resumed:
            log.info("suspensions ended", extra={"action": "suspensions_ended", "cases": resumed})

    async def _look_at_the_clock(self) -> Verdict:
        async with self.pool.acquire(timeout=ACQUIRE_SECONDS) as conn:
            at = await server_clock.read(conn)
        self.steady, verdict = look(self.steady, at.timestamp(), self.witness())
        if verdict not in (Verdict.STEADY, Verdict.DOUBTED):
            log.error("the clock jumped", extra={"action": "clock_jumped", "verdict": verdict, "clock": at.isoformat()})
        return verdict


async def _in_pages(pool: ConnPool, batch: int, page: Callable[[Conn, datetime, int], Awaitable[int]]) -> int:
    """Ask for page after page, each in a transaction of its own, until one is not full; how many all had."""
    done, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            found = await page(conn, now, batch)
        done += found
        full = found >= batch
    return done


async def call_round(pool: ConnPool, batch: int) -> int:
    """Ring the next round of every call that nobody has accepted in time, `batch` per transaction; return how many.

    It does not wait for a clock in doubt: a call that goes further too early costs a few people a look.
    """
    done = await _in_pages(pool, batch, widen_calls)
    if done:
        log.info("calls went further", extra={"action": "calls_widened", "cases": done})
    return done


async def recompute_round(pool: ConnPool, batch: int) -> int:
    """Bring open clocks to the editions of their calendars that are in force; return of how many cases."""
    done, more = 0, True
    while more:
        async with transaction(pool, SERVICE) as (conn, now):
            computed = await recompute_clocks(conn, now, batch)
        done += computed
        more = computed > 0
    if done:
        log.info("clocks follow their calendars", extra={"action": "clocks_recomputed", "cases": done})
    return done


async def follow_round(pool: ConnPool, batch: int) -> int:
    """Let open cases follow the grid set in force, `batch` per transaction; return how many followed."""
    followed, more = 0, True
    while more:
        async with transaction(pool, SERVICE) as (conn, now):
            page = await follow_grid(conn, now, batch)
        followed += page.cases
        more = page.looked_at > 0
    if followed:
        log.info("cases follow the grid set in force", extra={"action": "cases_regridded", "cases": followed})
    return followed


async def outage_round(pool: ConnPool, batch: int) -> int:
    """Make clocks follow outages, `batch` cases per transaction; return how many full pages had."""
    done = await _in_pages(pool, batch, follow_outages)
    if done:
        log.info("clocks follow outages", extra={"action": "outages_followed", "cases": done})
    return done


async def missing_round(pool: ConnPool) -> int:
    """Raise an alarm for each calendar that lacks a year which open clocks reach into; return how many calendars.

    Administrators are told of each calendar and year once, when it should be there and is not.
    """
    async with transaction(pool, SERVICE) as (conn, now):
        missing = await PROVISIONAL.all(conn)
        await miss_calendars(conn, now)
    for each in missing:
        log.warning(
            "a calendar lacks a year",
            extra={"action": "calendar_missing", "calendar": each.calendar, "clocks": each.clocks},
        )
    return len(missing)


async def quiet_round(pool: ConnPool, batch: int) -> int:
    """Tell the digests whose person's quiet hours are over, or who has come on duty; return how many."""
    done = await _in_pages(pool, batch, digests.release)
    if done:
        log.info("quiet hours ended", extra={"action": "notices_released", "notices": done})
    return done


async def end_shifts_round(pool: ConnPool, batch: int) -> int:
    """Take officers off duty whose shift is over or who are absent, then hand over their work; return how many."""
    async with transaction(pool, SERVICE) as (conn, now):
        ended = len(await end_shifts(conn, now))
    done = await _in_pages(pool, batch, hand_over_work)
    if done:
        log.info("work was handed over", extra={"action": "work_handed_over", "cases": done})
    return ended


async def sign_round(pool: ConnPool, signer: Signer) -> int:
    """Sign the finished days that are not signed yet; return how many."""
    async with transaction(pool, SERVICE) as (conn, now):
        days = await sign_days(conn, signer, now)
    for day in days:
        log.info("a day was signed", extra={"action": "head_signed", "day": day.isoformat()})
    return len(days)


async def sweep(
    pool: ConnPool, settings: WorkerSettings, files: FileSettings, signer: Signer, stop: asyncio.Event
) -> None:
    """Take each kind of round in its own rhythm until `stop`."""
    sweeper = Sweeper(pool, settings.sweep_batch, since_boot, settings.sweep_rate, stop)
    async with asyncio.TaskGroup() as group:
        for name, seconds, turn in (
            ("rungs", settings.sweep_seconds, sweeper.fire_round),
            ("calls", settings.sweep_seconds, partial(call_round, pool, settings.sweep_batch)),
            ("calendars", CALENDAR_SECONDS, partial(recompute_round, pool, settings.sweep_batch)),
            ("grid", FOLLOW_SECONDS, partial(follow_round, pool, settings.sweep_batch)),
            ("outages", settings.sweep_seconds, partial(outage_round, pool, settings.sweep_batch)),
            ("missing calendars", MISSING_SECONDS, partial(missing_round, pool)),
            ("quiet hours", QUIET_SECONDS, partial(quiet_round, pool, settings.sweep_batch)),
            ("shifts", SHIFT_SECONDS, partial(end_shifts_round, pool, settings.sweep_batch)),
            ("cameras", WATCH_SECONDS, partial(watch_round, pool, settings.sweep_batch)),
            ("what cameras see", SEE_SECONDS, partial(see_round, pool)),
            ("uploads", UPLOAD_SECONDS, partial(end_uploads_round, pool, files)),
            ("photographs used twice", COMPARE_SECONDS, partial(compare_round, pool)),
            ("attachments", SWEEP_SECONDS, partial(sweep_attachments_round, pool, files)),
            ("signing", SIGN_SECONDS, partial(sign_round, pool, signer)),
        ):
            group.create_task(periodically(name, seconds, turn, stop), name=name)
