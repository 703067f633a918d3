"""The same rows, inserted straight through asyncpg: what PostgreSQL and the driver do without the service.

The rows are copied from reports that the service has just filed, with new ids, keys and numbers; plain
INSERT statements, in one transaction per report over eight connections, and 64 reports to a transaction
over two, which is what the service does.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Sequence
from typing import Any, Final
from uuid import uuid4

import asyncpg

from gridsvc.db import SERVICE, ConnPool, open_pool
from gridsvc.ids import new_id

TABLES: Final = {
    "cases": "id",
    "reports": "case_id",
    "history": "case_id",
    "clocks": "case_id",
    "outbox": "case_id",
    "idempotency_keys": None,
}
"""In the order of the foreign keys, with the column that names the case."""

CONNECTIONS: Final = 8
BATCH: Final = 64
BATCH_CONNECTIONS: Final = 2

Rows = dict[str, tuple[Any, ...]]  # one report: its row in each table


async def straight(url: str, reports: int) -> dict[str, float]:
    """Reports per second, one to a transaction and 64 to one. Needs at least one report that was filed."""
    async with open_pool(url, size=CONNECTIONS, scope=SERVICE, name="bench straight") as pool:
        statements, models = await _models(pool)
        return {
            "one_by_one_per_s": await _measure(pool, statements, models, reports, 1, CONNECTIONS),
            "batched_per_s": await _measure(pool, statements, models, reports, BATCH, BATCH_CONNECTIONS),
        }


async def _models(pool: ConnPool) -> tuple[dict[str, str], list[dict[str, dict[str, Any]]]]:
    """An INSERT for each table, and some filed reports as rows by column."""
    async with pool.acquire() as conn:
        columns = {table: await _columns(conn, table) for table in TABLES}
        ids = await conn.fetch("SELECT case_id FROM outbox WHERE type = 'case.filed' ORDER BY seq DESC LIMIT 500")
        models = [
            {
                table: dict(await conn.fetchrow(_one(table, columns[table], key), row["case_id"]) or {})
                for table, key in TABLES.items()
            }
            for row in ids
        ]
    statements = {
        table: f"INSERT INTO {table} ({', '.join(names)}) VALUES ({_places(len(names))})"  # noqa: S608 - our own names
        for table, names in columns.items()
    }
    return statements, models


async def _columns(conn: asyncpg.pool.PoolConnectionProxy[asyncpg.Record], table: str) -> list[str]:
    rows = await conn.fetch(
        "SELECT attname FROM pg_attribute WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped"
        " AND attidentity = '' AND attgenerated = '' ORDER BY attnum",
        table,
    )
    return [row["attname"] for row in rows]


def _one(table: str, columns: Sequence[str], key: str | None) -> str:
    # A key's row holds the case in its answer, and there alone.
    where = f"{key} = $1" if key else "answer -> 'body' -> 'case' ->> 'id' = $1::uuid::text"
    return f"SELECT {', '.join(columns)} FROM {table} WHERE {where}"  # noqa: S608 - our own names


def _places(count: int) -> str:
    return ", ".join(f"${n + 1}" for n in range(count))


def _fresh(model: dict[str, dict[str, Any]], number: int) -> Rows:
    case, report, run = new_id(), new_id(), uuid4().hex
    new: dict[str, dict[str, Any]] = {
        "cases": {"id": case, "number": f"bench-{run}"},
        "reports": {"id": report, "case_id": case, "acceptance_number": f"bench-{run}"},
        "history": {"case_id": case},
        "clocks": {"id": new_id(), "case_id": case},
        "outbox": {"event_id": new_id(), "case_id": case},
        "idempotency_keys": {"key": f"bench-{run}-{number}"},
    }
    return {table: tuple({**model[table], **new[table]}.values()) for table in TABLES}


async def _measure(
    pool: ConnPool, statements: dict[str, str], models: Sequence[dict[str, dict[str, Any]]],
    reports: int, batch: int, connections: int,
) -> float:  # fmt: skip
    rows = [_fresh(models[n % len(models)], n) for n in range(reports)]
    batches = iter([rows[n : n + batch] for n in range(0, reports, batch)])

    async def work() -> None:
        async with pool.acquire() as conn:
            for each in batches:
                async with conn.transaction():
                    for table in TABLES:
                        await conn.executemany(statements[table], [row[table] for row in each])

    began = time.perf_counter()
    await asyncio.gather(*(work() for _ in range(connections)))
    return reports / (time.perf_counter() - began)
