"""How much news the relay and a consumer carry, beside what the database and the broker do alone.

Run as `python -m bench.carry [LETTERS]`; prints a table, and writes it to `bench/results/carry.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import aio_pika
import asyncpg
import uvloop

from events.broker import Letter, open_publisher
from events.catalog import CaseFiled
from events.codec import encode
from gridsvc.db import SERVICE, Conn, ConnPool, open_pool, transaction
from gridsvc.ids import new_id
from gridsvc.local.servers import PrivateServers
from gridsvc.migrate import migrate
from gridsvc.settings import BrokerSettings, WorkerSettings
from gridsvc.store import outbox
from workers.hear import Ears
from workers.listen import listen
from workers.relay import relay, relay_once

LETTERS: Final = 10_000
RESULTS: Final = Path(__file__).parent / "results" / "carry.json"


def _filed() -> CaseFiled:
    return CaseFiled(
        event_id=new_id(), at=datetime.now(UTC), case_id=new_id(), version=2, state="filed", duty_line="city",
        severity="normal", divisions=("620100", "620102", "620102001"), actor="worker:bench", cycle=1,
    )  # fmt: skip


async def _tell(pool: ConnPool, count: int) -> None:
    for at in range(0, count, 500):
        async with transaction(pool, SERVICE) as (conn, now):
            await outbox.append(conn, [_filed() for _ in range(min(500, count - at))], now)


async def _rate(letters: int, work: Callable[[], Awaitable[object]]) -> dict[str, float]:
    """Letters a second, and how many microseconds of this process's own time each took."""
    began, own = time.perf_counter(), time.process_time()
    await work()
    return {
        "per_s": letters / (time.perf_counter() - began),
        "own_us": (time.process_time() - own) / letters * 1e6,
    }


async def _nothing(conn: Conn, news: Sequence[CaseFiled], now: datetime) -> None:
    """The action that costs nothing: what is left is the price of hearing once."""


async def _settled(pool: ConnPool, letters: int) -> None:
    async with asyncio.timeout(300):
        while True:
            async with pool.acquire() as conn:
                if await conn.fetchval("SELECT count(*) FROM inbox") >= letters:
                    return
            await asyncio.sleep(0.02)


async def _consume(pool: ConnPool, amqp_url: str, letters: int) -> dict[str, float]:
    stop = asyncio.Event()
    ears = Ears(pool, "routing", {CaseFiled: _nothing}, most_attempts=8, most_together=WorkerSettings().prefetch)
    working = asyncio.create_task(listen(ears, BrokerSettings(url=amqp_url), WorkerSettings(), stop))
    rate = await _rate(letters, lambda: _settled(pool, letters))
    stop.set()
    await working
    return rate


async def _latencies(pool: ConnPool, amqp_url: str, letters: int) -> list[float]:
    """Seconds from the commit that told to the commit that heard, with relay and consumer running."""
    stop, taken = asyncio.Event(), {}

    async def note(conn: Conn, news: Sequence[CaseFiled], now: datetime) -> None:
        taken.update(dict.fromkeys((each.event_id for each in news), time.perf_counter()))

    ears = Ears(pool, "routing", {CaseFiled: note}, most_attempts=8, most_together=WorkerSettings().prefetch)
    broker, settings, told = BrokerSettings(url=amqp_url), WorkerSettings(), {}
    works = [
        asyncio.create_task(relay(pool, broker, settings, stop)),
        asyncio.create_task(listen(ears, broker, settings, stop)),
    ]
    await asyncio.sleep(1)  # both stand
    for _ in range(letters):
        news = _filed()
        async with transaction(pool, SERVICE) as (conn, now):
            await outbox.append(conn, [news], now)
        told[news.event_id] = time.perf_counter()
        await asyncio.sleep(1 / 300)
    async with asyncio.timeout(60):
        while len(taken) < letters:  # noqa: ASYNC110 - the last one may come over the retry loop
            await asyncio.sleep(0.02)
    stop.set()
    await asyncio.gather(*works)
    return sorted(taken[each] - at for each, at in told.items())


async def measure(database: str, amqp_url: str, letters: int) -> dict[str, dict[str, float]]:
    """Letters a second of each step, and milliseconds of the whole way at 300 a second."""
    found: dict[str, dict[str, float]] = {}
    async with open_pool(database, scope=SERVICE, size=12, name="bench") as pool:
        await _tell(pool, letters)

        async def alone() -> None:
            while True:
                async with transaction(pool, SERVICE) as (conn, now):
                    rows = await outbox.claim(conn, now, 128)
                if not rows:
                    return
                async with transaction(pool, SERVICE) as (conn, now):
                    await outbox.confirm(conn, [row.seq for row in rows])

        found["outbox claim and confirm, no broker"] = await _rate(letters, alone)
        async with open_publisher(amqp_url) as publisher:
            for_the_broker = [Letter(n.event_id, n.TYPE, encode(n)) for n in (_filed() for _ in range(letters))]

            async def publish() -> None:
                for at in range(0, letters, 128):
                    await publisher.send(for_the_broker[at : at + 128])

            found["publish and confirm, no database"] = await _rate(letters, publish)
            await _purge(amqp_url)
            await _tell(pool, letters)

            async def both() -> None:
                while await relay_once(pool, publisher, 128):
                    pass

            found["relay"] = await _rate(letters, both)
        found["consumer, hearing once"] = await _consume(pool, amqp_url, letters)
        latencies = await _latencies(pool, amqp_url, 1_500)
        found["told to heard at 300/s, ms"] = {
            f"p{share}": 1000 * latencies[len(latencies) * share // 100] for share in (50, 95, 99)
        }
    return found


async def _purge(amqp_url: str) -> None:
    async with await aio_pika.connect(amqp_url) as connection:
        await (await (await connection.channel()).get_queue("routing")).purge()


async def _on_servers(servers: PrivateServers, letters: int) -> dict[str, dict[str, float]]:
    await migrate(servers.owner_database_url)
    await servers.postgres.let_the_service_in()
    return await measure(servers.database_url, servers.amqp_url, letters)


def main() -> None:
    """Measure, print, keep."""
    letters = int(sys.argv[1]) if len(sys.argv) > 1 else LETTERS
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as home:
        Path(home).chmod(0o755)  # PostgreSQL may run as another user and must reach its folder
        with PrivateServers(Path(home)) as servers, asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            found = runner.run(_on_servers(servers, letters))
    for name, values in found.items():
        print(f"{name:40}", *(f"{value:10,.1f} {unit}" for unit, value in values.items()))
    RESULTS.parent.mkdir(exist_ok=True)
    kept = {"letters": letters, "cores": os.cpu_count(), "asyncpg": asyncpg.__version__, **found}
    RESULTS.write_text(json.dumps(kept, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
