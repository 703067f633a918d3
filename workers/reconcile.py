"""What makes up for a lost message, a clock that went back, and rows that have had their time."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from functools import partial
from typing import Final

from gridsvc.actions.emit_again import emit_again
from gridsvc.actions.prepare_map import prepare_missing
from gridsvc.actions.want_checks import want_checks
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.settings import WorkerSettings
from gridsvc.store import case_counts, failures, keeping, outbox
from workers.figures import REPAIRS
from workers.runtime import periodically

log = logging.getLogger(__name__)

EMIT_AT_ONCE: Final = 500  # announcements of one transaction
EMIT_PER_ROUND: Final = 5_000  # after a broker that lost its disk: the rest in the next rounds
LATE: Final = timedelta(seconds=30)  # an outbox row older than this is an alarm; a healthy one lives under a second
COUNT_AT_ONCE: Final = 20_000  # noted changes of one transaction: a few seconds where all are new
REMOVE_SECONDS: Final = 60.0
REMOVE_AT_ONCE: Final = 2_000  # rows of each kind; a removal holds no lock that anybody waits for


async def emit_round(pool: ConnPool) -> int:
    """Announce again the cases that have waited too long for routing; return how many."""
    emitted, full = 0, True
    while full and emitted < EMIT_PER_ROUND:
        async with transaction(pool, SERVICE) as (conn, now):
            batch = await emit_again(conn, now, EMIT_AT_ONCE)
        emitted += batch
        full = batch >= EMIT_AT_ONCE
    if emitted:
        REPAIRS.labels("routing").inc(emitted)
        log.info("cases announced again", extra={"action": "case_re_emitted", "cases": emitted})
    return emitted


async def check_round(pool: ConnPool) -> int:
    """Announce again the cases that have waited too long for somebody to look at them; return how many."""
    async with transaction(pool, SERVICE) as (conn, now):
        wanted = await want_checks(conn, now, EMIT_AT_ONCE)
    if wanted:
        REPAIRS.labels("check").inc(wanted)
        log.info("checks wanted again", extra={"action": "check_re_emitted", "cases": wanted})
    return wanted


async def outbox_round(pool: ConnPool) -> timedelta:
    """Free what a clock that went back has stranded, and say when news has waited too long; return how long."""
    async with transaction(pool, SERVICE) as (conn, now):
        await outbox.recall_stranded(conn, now)
        await failures.recall_stranded(conn, now)
        age = await outbox.oldest_age(conn, now)
    if age > LATE:
        log.error("news waits", extra={"action": "outbox_late", "age_s": round(age.total_seconds(), 1)})
    return age


async def remove_round(pool: ConnPool) -> int:
    """Remove rows that have had their time, a batch of each kind; return how many went."""
    async with transaction(pool, SERVICE) as (conn, now):
        removed = await keeping.remove_old(conn, now, REMOVE_AT_ONCE)
    if removed:
        log.info("old rows removed", extra={"action": "old_rows_removed", "rows": removed})
    return removed


async def map_round(pool: ConnPool) -> int:
    """Make the map of a grid set that has none: one that was published before maps were made, or by hand."""
    async with transaction(pool, SERVICE) as (conn, now):
        made = await prepare_missing(conn, now)
    if made:
        log.info("map of a grid set made", extra={"action": "map_prepared"})
    return made


async def count_round(pool: ConnPool) -> int:
    """Add up how many cases each cell has, a batch in one transaction; return how many changes there were."""
    counted, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, _):
            batch = await case_counts.fold(conn, COUNT_AT_ONCE)
        counted += batch
        full = batch >= COUNT_AT_ONCE
    return counted


async def reconcile(pool: ConnPool, settings: WorkerSettings, stop: asyncio.Event) -> None:
    """Take each kind of round in its own rhythm until `stop`."""
    async with asyncio.TaskGroup() as group:
        for name, seconds, turn in (
            ("emit again", settings.reconcile_seconds, partial(emit_round, pool)),
            ("check again", settings.reconcile_seconds, partial(check_round, pool)),
            ("outbox", settings.reconcile_seconds, partial(outbox_round, pool)),
            ("map", settings.reconcile_seconds, partial(map_round, pool)),
            ("count cases", settings.reconcile_seconds, partial(count_round, pool)),
            ("remove old", REMOVE_SECONDS, partial(remove_round, pool)),
        ):
            group.create_task(periodically(name, seconds, turn, stop), name=name)
