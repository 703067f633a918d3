"""How soon rungs fire that are due together, among a million open clocks, and how late they are in a steady minute.

Run as `python -m bench.sweep [OPEN [DUE]]`; prints a table, and writes it to `bench/results/sweep.json`.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import statistics
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final

import uvloop

from bench.private import measure_privately
from bench.town import Size, make_town
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.ids import new_id
from gridsvc.local.city import load_city
from gridsvc.local.city_demo_file import KEYS, make_secrets
from gridsvc.settings import WorkerSettings
from gridsvc.store.cases import LOCK_DUE
from workers.sweep import Sweeper, since_boot

OPEN: Final = 1_000_000
DUE: Final = 10_000
LIMIT_S: Final = 10.0
"""By then all that is due together must have fired, at the rate that is set unless somebody sets another."""

STEADY_S: Final = 60.0
SWEEPERS: Final = (1, 3)
RESULTS: Final = Path(__file__).parent / "results" / "sweep.json"

# Open cases that a department has, each with its handling clock: ten days long, so that none is due while we measure.
_CASES = """
INSERT INTO cases (id, number, version, state, source, edition, category, duty_line, severity, description, place,
                   grid_set_id, division_code, divisions, cell_code, cell_method, reported_by, occurred_at,
                   reported_at, filed_at, updated_at, seen_by, head, department, assignment_id, due_at)
SELECT gen_random_uuid(), 'B' || n, 3, 'accepted', 'officer', g.edition, g.code, g.duty_line,
       CASE WHEN n % 5000 = 0 THEN 'emergency' WHEN n % 20 = 0 THEN 'high' ELSE 'normal' END, '井盖缺失',
       c.point, c.grid_set_id, c.division_code, d.path, c.code, 'covers', 'user:bench', at, at, at,
       at, d.path, decode(repeat('00', 32), 'hex'), g.department, gen_random_uuid(), at + interval '10 days'
  FROM generate_series($1::integer, $2::integer) AS n
 CROSS JOIN (SELECT city_now() - interval '1 hour' AS at) AS moment
  JOIN (SELECT *, ST_PointOnSurface(outline) AS point, row_number() OVER (ORDER BY code) - 1 AS nth,
               count(*) OVER () AS of FROM cells) AS c
    ON c.nth = (hashint4(n) & 1073741823) % c.of
  JOIN divisions d ON d.grid_set_id = c.grid_set_id AND d.code = c.division_code
  JOIN (SELECT *, row_number() OVER (ORDER BY code) - 1 AS nth, count(*) OVER () AS of
          FROM categories WHERE department IS NOT NULL) AS g ON g.nth = (hashint4(-n) & 1073741823) % g.of
"""

_CLOCKS = """
INSERT INTO clocks (id, case_id, cycle, kind, ladder, ladder_edition, unit, budget_seconds, state, started_at, due_at,
                    next_level, next_fire_at)
SELECT gen_random_uuid(), c.id, 1, 'handling', 'handling', l.edition, 'natural', 864000, 'running', c.filed_at,
       c.due_at, 1, c.filed_at + interval '180 hours'
  FROM cases c
  JOIN ladder_editions l ON l.state = 'published'
 WHERE c.number = ANY ($1::text[])
"""

# Two hours of limit, of which three quarters are over within the seconds that are asked for.
_MAKE_DUE = """
WITH chosen AS (
  SELECT k.id, row_number() OVER () AS nth
    FROM clocks k
   WHERE k.fired_level = 0 AND k.budget_seconds = 864000
   LIMIT $1::integer
)
UPDATE clocks k
   SET budget_seconds = 7200, started_at = at - interval '90 minutes', due_at = at + interval '30 minutes',
       next_fire_at = at
  FROM chosen
 CROSS JOIN LATERAL (SELECT city_now() + $2::interval + ($3::interval * chosen.nth / $1::integer) AS at) AS moment
 WHERE k.id = chosen.id
"""

_LATER = """
SELECT indexdef FROM pg_indexes WHERE indexname IN ('cases_seen_by', 'cases_place', 'cases_alike')
"""

_LAGS = """
SELECT extract(epoch FROM fired_at - scheduled_at)::float8 AS lag FROM escalations WHERE scheduled_at >= $1 ORDER BY 1
"""

_AT_ONCE: Final = 25_000


async def _prepare(pool: ConnPool, many: int) -> dict[str, float]:
    town = make_town(Size(districts=4, streets=4, communities=4, side=8))
    began = time.perf_counter()
    async with transaction(pool) as (conn, now):
        await load_city(conn, town, make_secrets(town.people, [new_id() for _ in KEYS]), now)
    empty = await _bytes(pool)
    async with pool.acquire() as conn:  # built afterwards, which takes a third of the time
        later = [row["indexdef"] for row in await conn.fetch(_LATER)]
        await conn.execute("DROP INDEX cases_seen_by, cases_place, cases_alike")
    pages = iter(range(1, many + 1, _AT_ONCE))

    async def fill() -> None:
        for first in pages:
            last = min(first + _AT_ONCE - 1, many)
            async with transaction(pool) as (conn, _):
                await conn.execute("SET LOCAL statement_timeout = 0")
                await conn.execute(_CASES, first, last, timeout=600)
                await conn.execute(_CLOCKS, [f"B{n}" for n in range(first, last + 1)], timeout=600)

    await asyncio.gather(fill(), fill())
    async with pool.acquire() as conn:
        await conn.execute("SET statement_timeout = 0")
        for index in later:
            await conn.execute(index, timeout=600)
        await conn.execute("VACUUM ANALYZE cases, clocks", timeout=600)
    return {
        "open clocks": float(many), "made in, s": time.perf_counter() - began,
        "on disk, MB": (await _bytes(pool) - empty) / 1e6,
    }  # fmt: skip


async def _bytes(pool: ConnPool) -> float:
    async with pool.acquire() as conn:
        return float(await conn.fetchval("SELECT pg_database_size(current_database())"))


async def _make_due(pool: ConnPool, many: int, begins: timedelta, within: timedelta) -> None:
    async with transaction(pool) as (conn, _):
        await conn.execute("SET LOCAL statement_timeout = 0")
        await conn.execute(_MAKE_DUE, many, begins, within, timeout=600)


async def _plan(pool: ConnPool, batch: int) -> dict[str, float]:
    """Milliseconds to find and lock a batch of what is due, and how many rows were read on the way."""
    async with pool.acquire() as conn:
        undone = conn.transaction()
        await undone.start()
        now = await conn.fetchval("SELECT city_now()")
        [[told]] = await conn.fetch(f"EXPLAIN (ANALYZE, FORMAT JSON) {LOCK_DUE.sql}", now, batch)
        await undone.rollback()
    [plan] = json.loads(told) if isinstance(told, str) else told
    return {"to find and lock a batch, ms": plan["Execution Time"]}


def _one_sweeper(database: str, settings: WorkerSettings, seconds: float) -> int:
    """A process of its own: rounds until nothing is due, at least for so many seconds; how many rungs it fired."""
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_rounds(database, settings, seconds))


async def _rounds(database: str, settings: WorkerSettings, seconds: float) -> int:
    async with open_pool(database, size=2, scope=SERVICE, name="bench sweeper") as pool:
        sweeper = Sweeper(pool, settings.sweep_batch, since_boot, settings.sweep_rate)
        ends, fired, last = time.monotonic() + seconds, 0, 1
        while last or time.monotonic() < ends:
            last = await sweeper.fire_round()
            fired += last
            if seconds:
                await asyncio.sleep(settings.sweep_seconds)
    return fired


async def _sweepers(database: str, many: int, seconds: float = 0.0) -> tuple[int, float]:
    """So many sweepers side by side; how many rungs fired, and in how many seconds."""
    settings, loop = WorkerSettings(), asyncio.get_running_loop()
    with ProcessPoolExecutor(many, multiprocessing.get_context("spawn")) as processes:
        # Started before the clock runs: a worker stands ready.
        await asyncio.gather(*(loop.run_in_executor(processes, since_boot) for _ in range(many)))
        began = time.perf_counter()
        work = [loop.run_in_executor(processes, _one_sweeper, database, settings, seconds) for _ in range(many)]
        fired = sum(await asyncio.gather(*work))
        return fired, time.perf_counter() - began


async def measure(database: str, owner_url: str, many: int, due: int, steady_s: float) -> dict[str, float]:
    """Seconds until all that is due has fired, and lags of a steady minute."""
    async with open_pool(owner_url, size=2, scope=SERVICE, name="bench", role=None) as pool:
        found = await _prepare(pool, many)
        for sweepers in SWEEPERS:
            await _make_due(pool, due, timedelta(minutes=-1), timedelta(minutes=1))
            if sweepers == SWEEPERS[0]:
                found |= await _plan(pool, WorkerSettings().sweep_batch)
            fired, took = await _sweepers(database, sweepers)
            name = f"{due:,} due, {sweepers} sweeper{'s' if sweepers > 1 else ''}"
            found |= {f"{name}, fired": float(fired), f"{name}, s": took, f"{name}, of the limit": took / LIMIT_S}
        async with pool.acquire() as conn:
            began = await conn.fetchval("SELECT city_now() + interval '2 seconds'")
        await _make_due(pool, due, timedelta(seconds=2), timedelta(seconds=steady_s))
        fired, _ = await _sweepers(database, 1, steady_s + 4)
        async with pool.acquire() as conn:
            lags = [row["lag"] for row in await conn.fetch(_LAGS, began)]
    return found | {
        f"{due:,} in {steady_s:.0f} s, fired": float(fired), "lag p50, s": statistics.median(lags),
        "lag p99, s": lags[int(len(lags) * 0.99)], "lag at most, s": lags[-1],
    }  # fmt: skip


def main() -> None:
    """Measure, print, keep."""
    many, due = (int(given) if given else default for given, default in zip(
        [*sys.argv[1:3], "", ""], (OPEN, DUE), strict=False))  # fmt: skip
    measure_privately(RESULTS, partial(measure, many=many, due=due, steady_s=STEADY_S))


if __name__ == "__main__":
    main()
