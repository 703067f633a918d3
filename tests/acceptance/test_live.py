"""The live feed through a kill -9 of the web process, under load: all end with what the database says."""

from __future__ import annotations

import asyncio
import hashlib
import signal
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from gridsvc.api.tokens import RefreshToken, Signer
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.ids import new_id
from gridsvc.store import sessions
from tests.acceptance.live_service import SECRET, LiveService
from tests.integration.small_city import SmallCity, category, found_small_city
from tests.servers import FreshDatabase

REPORTERS, WATCHERS, KILLS = 8, 6, 2
PATIENCE_S = 60.0


@dataclass
class Watcher:
    """A client as docs/live.md says one should be."""

    service: LiveService
    http: aiohttp.ClientSession
    headers: Mapping[str, str]
    cases: dict[str, int] = field(default_factory=dict)
    epoch: str = ""
    seq: int = 0
    came: int = 0
    recovered: int = 0

    async def watch(self) -> None:
        while True:
            with suppress(aiohttp.ClientError, OSError, TimeoutError):
                await self._connected()

    async def _connected(self) -> None:
        query = f"?epoch={self.epoch}&seq={self.seq}" if self.epoch else ""
        async with self.http.ws_connect(f"{self.service.url}/api/v1/live{query}", headers=self.headers) as ws:
            self.came += 1
            async for message in ws:
                await self._hear(message.json())

    async def _hear(self, said: Any) -> None:
        if said["type"] == "position":
            self.recovered += said["recovered"]
            if not said["recovered"]:
                await self._load(said)
        elif said["type"] == "resync":
            await self._load({})
        elif said["type"] == "case":
            case = said["case"]
            assert case["version"] >= self.cases.get(case["id"], 0), "a case never goes back"
            self.cases[case["id"]] = case["version"]
        self.seq = max(self.seq, said.get("seq", 0))

    async def _load(self, position: Any) -> None:
        where = {name: str(position[name]) for name in ("epoch", "seq") if name in position}
        url = f"{self.service.url}/api/v1/live/snapshot"
        async with self.http.get(url, params=where, headers=self.headers) as answer:
            assert answer.status == 200, await answer.text()
            snapshot = await answer.json()
        self.cases = {case["id"]: case["version"] for case in snapshot["cases"]}
        self.epoch, self.seq = snapshot["epoch"], snapshot["seq"]


def digest(cases: Mapping[str, int]) -> str:
    """The hash of the set of (id, version)."""
    return hashlib.sha256("\n".join(f"{case} {cases[case]}" for case in sorted(cases)).encode()).hexdigest()


@dataclass
class Desk:
    """Reports without end; what the service did not answer is sent again with its key."""

    service: LiveService
    http: aiohttp.ClientSession
    headers: Mapping[str, str]
    category: str
    accepted: int = 0

    async def report(self) -> None:
        while True:
            key = str(new_id())
            body = {
                "category": self.category, "description": "x", "occurred_at": datetime.now(UTC).isoformat(),
                "location": {"lon": 103.8005, "lat": 36.0605, "datum": "wgs84"},
            }  # fmt: skip
            while not await self._sent(key, body):
                pass
            self.accepted += 1

    async def _sent(self, key: str, body: object) -> bool:
        with suppress(aiohttp.ClientError, OSError):
            async with self.http.post(
                f"{self.service.url}/api/v1/reports", json=body, headers={**self.headers, "Idempotency-Key": key}
            ) as answer:
                assert answer.status in {201, 503}, await answer.text()
                return answer.status == 201
        return False


@pytest.fixture
async def city(database: str) -> AsyncIterator[tuple[ConnPool, SmallCity, str]]:
    async with open_pool(database, scope=SERVICE, size=2, name="test") as pool:
        async with transaction(pool) as (conn, _):
            small = await found_small_city(conn)
            kind = await category(conn, handled_by="officer")
        yield pool, small, kind


async def test_after_a_kill_every_watcher_ends_with_what_the_database_says(
    tmp_path: Path, fresh_database: FreshDatabase, city: tuple[ConnPool, SmallCity, str]
) -> None:
    """The web process dies under load, twice; no broker and no worker is there at all."""
    pool, small, kind = city
    service = LiveService(tmp_path, fresh_database, "amqp://nobody@127.0.0.1:1/")
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        service.start("serve")
        try:
            headers = await signed_in(pool, small)
            desk = Desk(service, http, headers, kind)
            watchers = [Watcher(service, http, headers) for _ in range(WATCHERS)]
            tasks = [asyncio.create_task(desk.report()) for _ in range(REPORTERS)]
            watching = [asyncio.create_task(watcher.watch()) for watcher in watchers]
            for n in range(1, KILLS + 1):
                await until(partial(has_gone_on, desk, watchers, n), watching, tasks)
                service.end("serve", signal.SIGKILL)
                service.start("serve")
            await until(partial(has_gone_on, desk, watchers, KILLS + 1), watching, tasks)
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
            wanted = await settled(pool)
            await until(lambda: {digest(watcher.cases) for watcher in watchers} == {digest(wanted)}, watching)
            assert len(wanted) >= desk.accepted
            assert sum(watcher.recovered for watcher in watchers) > 0, "the log outlives the process"
            for task in watching:
                task.cancel()
            await asyncio.wait(watching)
        finally:
            service.end("serve")


def has_gone_on(desk: Desk, watchers: list[Watcher], times: int) -> bool:
    """Whether so much more was reported, and every watcher is there again."""
    return desk.accepted >= 40 * times and all(watcher.came >= times for watcher in watchers)


async def until(true: Callable[[], bool], *running: list[asyncio.Task[None]]) -> None:
    """Wait until something is so, or a task has failed."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():
            for task in (each for tasks in running for each in tasks):
                if task.done():
                    task.result()
            await asyncio.sleep(0.02)


async def signed_in(pool: ConnPool, small: SmallCity) -> dict[str, str]:
    """Headers of a dispatcher."""
    refresh = RefreshToken.first(new_id())
    user_id = small.dispatcher.user_id
    assert user_id is not None
    async with transaction(pool) as (conn, now):
        await sessions.ADD.run(
            conn, refresh.session_id, user_id, "app", "", refresh.digest, now, now + timedelta(days=1)
        )
    token = Signer.from_secret(SECRET).access_token(user_id, refresh.session_id, now, timedelta(minutes=10))
    return {"Authorization": f"Bearer {token}"}


async def settled(pool: ConnPool) -> dict[str, int]:
    """What is open, when all of it has a number."""
    async with asyncio.timeout(PATIENCE_S):
        while True:
            async with transaction(pool) as (conn, _):
                waiting = await conn.fetchval("SELECT count(*) FROM live_changes")
                rows = await conn.fetch(
                    "SELECT id, version FROM cases WHERE state NOT IN ('closed', 'rejected', 'cancelled', 'merged')"
                )
            if not waiting:
                return {str(row["id"]): row["version"] for row in rows}
            await asyncio.sleep(0.02)
