"""How long a report of the evaluation takes over a year of 100,000 cases, and how long the search for chronic spots.

Run as `python -m bench.evaluation [MANY]`; prints a table, and writes it to `bench/results/evaluation.json`.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

from bench.private import measure_privately
from bench.town import Size, make_town
from geo.place import Place
from gridsvc.actions.evaluate_work import evaluate
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.domain.chronic import Seen, spots_of
from gridsvc.domain.evaluation import Asked, By, Period, Scope, cut
from gridsvc.ids import new_id
from gridsvc.local.city import load_city
from gridsvc.local.city_demo_file import KEYS, make_secrets
from gridsvc.store import chronic_spots

MANY: Final = 100_000
LIMIT_S: Final = 1.0
"""What a report may take."""

RESULTS: Final = Path(__file__).parent / "results" / "evaluation.json"

_ROUNDS: Final = 5
_ZONE: Final = ZoneInfo("Asia/Shanghai")
_BEGIN: Final = datetime(2026, 1, 1, tzinfo=_ZONE)
_END: Final = datetime(2027, 1, 1, tzinfo=_ZONE).astimezone(UTC)

# One case in 8 is late, one in 20 is given back once, one in 25 is sent back once, one in 50 is still open, one in 12
# was filed by a desk: as many rows of clocks and assignments as such a year leaves.
_CASES = """
INSERT INTO cases (id, number, version, state, source, edition, category, duty_line, severity, description, place,
                   grid_set_id, division_code, divisions, cell_code, cell_method, reported_by, occurred_at,
                   reported_at, filed_at, closed_at, updated_at, seen_by, head, late, department, assignment_id)
SELECT gen_random_uuid(), 'B' || n, 6, CASE WHEN n % 50 = 0 THEN 'handled' ELSE 'closed' END,
       CASE WHEN n % 3 = 0 THEN 'staff' ELSE 'officer' END, g.edition, g.code, g.duty_line, g.severity, '井盖缺失',
       ST_PointOnSurface(c.outline), c.grid_set_id, c.division_code, d.path, c.code, 'covers',
       'user:' || o.user_id, at, at, at + interval '20 minutes',
       CASE WHEN n % 50 = 0 THEN NULL ELSE at + interval '9 hours' END, at, d.path, decode(repeat('00', 32), 'hex'),
       n % 8 = 0, g.department, CASE WHEN n % 50 = 0 THEN gen_random_uuid() END
  FROM generate_series(1, $1::integer) AS n
 CROSS JOIN LATERAL (SELECT $2::timestamptz + n * interval '1 year' / ($1::integer + 1) AS at) AS moment
  JOIN (SELECT *, row_number() OVER (ORDER BY code) - 1 AS nth, count(*) OVER () AS of FROM cells) AS c
    ON c.nth = (hashint4(n) & 1073741823) % c.of
  JOIN divisions d ON d.grid_set_id = c.grid_set_id AND d.code = c.division_code
  JOIN (SELECT *, row_number() OVER (ORDER BY code) - 1 AS nth, count(*) OVER () AS of
          FROM categories WHERE department IS NOT NULL) AS g ON g.nth = (hashint4(-n) & 1073741823) % g.of
  JOIN (SELECT *, row_number() OVER (ORDER BY user_id) - 1 AS nth, count(*) OVER () AS of FROM officers) AS o
    ON o.nth = n % o.of
"""

_ASSIGNMENTS = """
INSERT INTO assignments (id, case_id, cycle, department, rule, edition, reasons, assigned_by, assigned_at, ended_at,
                         ended_why)
SELECT coalesce(c.assignment_id, gen_random_uuid()), c.id, 1, c.department, 'category', 1, '{}'::jsonb, 'worker:router',
       c.filed_at + interval '1 second', c.closed_at, CASE WHEN c.closed_at IS NOT NULL THEN 'closed' END
  FROM cases c
UNION ALL
SELECT gen_random_uuid(), c.id, 1, c.department, 'category', 1, '{}'::jsonb, 'worker:router',
       c.filed_at - interval '9 minutes', c.filed_at, 'returned'
  FROM cases c WHERE substr(c.number, 2)::integer % 20 = 0
"""

_CLOCKS = """
INSERT INTO clocks (id, case_id, cycle, kind, ladder, unit, budget_seconds, state, started_at, stopped_at, due_at)
SELECT gen_random_uuid(), c.id, 1, k.kind, k.kind, 'natural', 3600,
       CASE WHEN k.ends IS NULL OR (k.kind = 'checking' AND c.closed_at IS NULL) THEN 'running' ELSE 'stopped' END,
       c.filed_at + k.begins, CASE WHEN k.kind <> 'checking' OR c.closed_at IS NOT NULL THEN c.filed_at + k.ends END,
       c.filed_at + k.due
  FROM cases c
 CROSS JOIN LATERAL (VALUES
       ('dispatch', interval '0', interval '1 second', interval '5 minutes'),
       ('acknowledge', interval '1 second', interval '9 minutes', interval '15 minutes'),
       ('handling', interval '1 second', interval '7 hours',
        CASE WHEN c.late THEN interval '4 hours' ELSE interval '8 hours' END),
       ('checking', interval '7 hours', interval '8 hours 40 minutes', interval '9 hours')
       ) AS k (kind, begins, ends, due)
UNION ALL
SELECT gen_random_uuid(), c.id, 1, v.kind, v.kind, 'natural', 3600, 'stopped', c.filed_at - interval '9 minutes',
       c.filed_at - v.before, c.filed_at + interval '1 hour'
  FROM cases c
 CROSS JOIN LATERAL (VALUES ('handling', interval '5 minutes', 20), ('pool', interval '0', 20),
                            ('filing', interval '0', 12)) AS v (kind, before, every)
 WHERE substr(c.number, 2)::integer % v.every = 0
"""

_MARKS = """
INSERT INTO case_marks (case_id, version, cycle, mark, at, assignment_id)
SELECT c.id, 5, 1, CASE WHEN substr(c.number, 2)::integer % 2 = 0 THEN 'reworked' ELSE 'extended' END,
       c.filed_at + interval '8 hours', a.id
  FROM cases c JOIN assignments a ON a.case_id = c.id AND a.ended_why IS DISTINCT FROM 'returned'
 WHERE substr(c.number, 2)::integer % 25 = 0
"""


async def _prepare(owner_url: str, many: int) -> None:
    town = make_town(Size(districts=4, streets=4, communities=4, side=8))
    async with open_pool(owner_url, size=1, scope=SERVICE, name="bench", role=None) as pool:
        async with transaction(pool) as (conn, now):
            await load_city(conn, town, make_secrets(town.people, [new_id() for _ in KEYS]), now)
        async with transaction(pool) as (conn, _):
            await conn.execute("SET LOCAL statement_timeout = 0")
            await conn.execute(_CASES, many, _BEGIN, timeout=600)
            for sql in (_ASSIGNMENTS, _CLOCKS, _MARKS):
                await conn.execute(sql, timeout=600)
        async with pool.acquire() as conn:
            await conn.execute("ANALYZE", timeout=600)


def _asked(by: By, first: date, end: date, period: Period) -> Asked:
    later = _END + timedelta(days=9)
    return Asked(edges=cut(first, end, period, _ZONE), by=by, scope=Scope(everything=True), now=later)


async def _told(name: str, work: Callable[[], Awaitable[int]]) -> dict[str, float]:
    """Seconds of the middle round, against the limit; and how many rows came back."""
    took, rows = [], 0
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        rows = await work()
        took.append(time.perf_counter() - began)
    middle = statistics.median(took)
    return {f"{name}, s": middle, f"{name}, of the limit": middle / LIMIT_S, f"{name}, rows": float(rows)}


async def _measure(conn: Conn) -> dict[str, float]:
    year, december = (date(2026, 1, 1), date(2027, 1, 1)), (date(2026, 12, 1), date(2027, 1, 1))
    found: dict[str, float] = {}
    for by, stretch, period in (
        (By.AREA, year, Period.MONTH), (By.AREA, december, Period.WHOLE), (By.DEPARTMENT, year, Period.MONTH),
        (By.POST, year, Period.MONTH), (By.OFFICER, year, Period.WHOLE), (By.CITY, year, Period.DAY),
    ):  # fmt: skip
        wanted = _asked(by, *stretch, period)

        async def report(wanted: Asked = wanted) -> int:
            return len(await evaluate(conn, wanted))

        what = "the year" if stretch == year else "December"
        found |= await _told(f"{what} by {by}, in pieces of {period}", report)

    async def spots() -> int:
        rows = await chronic_spots.filed(conn, ["620100"], _BEGIN, _END, None)
        seen = [
            Seen(id=row.id, edition=row.edition, category=row.category, place=Place(row.lon, row.lat),
                 radius_m=row.radius_m, reported_at=row.reported_at, closed_at=row.closed_at)
            for row in rows
        ]  # fmt: skip
        return len(await asyncio.to_thread(spots_of, seen, timedelta(days=30)))

    return found | await _told("chronic spots of the year", spots)


async def measure(database: str, owner_url: str, many: int) -> dict[str, float]:
    """Seconds of each report, in a city whose requests read tables by index as the web process's do."""
    await _prepare(owner_url, many)
    async with (
        open_pool(database, scope=SERVICE, size=1, name="bench", by_index=True) as pool,
        transaction(pool) as (conn, _),
    ):
        return {"cases": float(many), **await _measure(conn)}


def main() -> None:
    """Measure, print, keep."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    measure_privately(RESULTS, partial(measure, many=many))


if __name__ == "__main__":
    main()
