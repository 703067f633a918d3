"""What one web process carries of the live feed: watchers, deliveries, how late, and all of them coming back at once.

Run as `python -m bench.live [WATCHERS]`; prints a table, and writes it to `bench/results/live.json`. The watchers and
whoever changes the cases are this process, the web process is another; both and PostgreSQL share the machine.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import os
import re
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Final, cast
from uuid import UUID

import aiohttp

from bench.private import measure_privately
from bench.town import Size, make_town
from gridsvc.api.tokens import RefreshToken, Signer
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.ids import new_id
from gridsvc.local.city import load_city
from gridsvc.local.city_demo_file import KEYS, make_secrets
from gridsvc.store import sessions, users

WATCHERS: Final = 1_000
OPEN_CASES: Final = 10_000
RATES: Final = (4, 20, 40)
SECONDS: Final = 6.0
RESULTS: Final = Path(__file__).parent / "results" / "live.json"

LIMITS: Final = {"CPU at 4/s": 0.30, "p99 s": 1.0, "back s": 5.0, "memory kB": 18.0}
"""What is promised or was measured elsewhere: of one core, seconds, seconds, kB of an idle client."""

_USERS: Final = 20
SECRET: Final = "not a secret: only for measuring, 40 signs"  # noqa: S105
_SEQ: Final = re.compile(rb'"type":"case","seq":(\d+)')
_LONGEST: Final = 64  # bytes of what is looked for

_CASES = """
INSERT INTO cases (id, number, version, state, source, edition, category, duty_line, severity, description, place,
                   grid_set_id, division_code, divisions, cell_code, cell_method, pool, reported_by, occurred_at,
                   reported_at, filed_at, updated_at, seen_by, head)
SELECT gen_random_uuid(), 'L' || n, 2, 'filed', 'officer', g.edition, g.code, g.duty_line, g.severity, 'x',
       ST_PointOnSurface(c.outline), c.grid_set_id, c.division_code, d.path, c.code, 'covers', 'dispatch', 'user:x',
       now(), now(), now(), now(), d.path, decode(repeat('00', 32), 'hex')
  FROM generate_series(1, $1::integer) AS n
  JOIN (SELECT *, row_number() OVER (ORDER BY code) - 1 AS nth, count(*) OVER () AS of FROM cells) AS c
    ON c.nth = n % c.of
  JOIN divisions d ON d.grid_set_id = c.grid_set_id AND d.code = c.division_code
 CROSS JOIN (SELECT * FROM categories ORDER BY code LIMIT 1) AS g
"""


@dataclass(eq=False)
class _Line(asyncio.Protocol):
    """One watcher's connection: when which number came. It speaks as much WebSocket as it must."""

    path: str
    token: str
    heard: list[tuple[int, float]]
    up: asyncio.Future[bytes]
    _tail: bytes = b""
    _head: bytes | None = b""
    transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's is no subclass
        key = base64.b64encode(os.urandom(16)).decode()
        self.transport.write(
            f"GET {self.path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {self.token}\r\nUpgrade: websocket\r\n"
            f"Connection: Upgrade\r\nSec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
        )

    def data_received(self, data: bytes) -> None:
        now = time.monotonic()
        if self._head is not None:
            self._head += data
            if b'"recovered":' in self._head and not self.up.done():
                self.up.set_result(self._head)
                data, self._head = self._head, None
            else:
                return
        looked = self._tail + data
        for found in _SEQ.finditer(looked):
            if found.end() > len(self._tail):
                self.heard.append((int(found[1]), now))
        self._tail = looked[-_LONGEST:]

    def connection_lost(self, error: Exception | None) -> None:
        if not self.up.done():
            self.up.set_exception(error or ConnectionError("closed"))


@dataclass
class _Crowd:
    """All watchers."""

    port: int
    tokens: Sequence[str]
    many: int
    lines: list[_Line] = field(default_factory=list)

    async def connect(self, query: str = "") -> list[float]:
        """Connect everybody at once; seconds until each has its position, sorted."""
        began = time.monotonic()
        self.lines = []

        async def one(n: int) -> float:
            loop = asyncio.get_running_loop()
            line = _Line(f"/api/v1/live{query}", self.tokens[n % len(self.tokens)], [], loop.create_future())
            await loop.create_connection(lambda: line, "127.0.0.1", self.port)
            self.lines.append(line)
            await line.up
            return time.monotonic() - began

        return sorted(await asyncio.gather(*(one(n) for n in range(self.many))))

    def leave(self) -> None:
        """Break all connections."""
        for line in self.lines:
            if line.transport is not None:
                line.transport.abort()

    def heard(self) -> list[tuple[int, float]]:
        """What all of them heard since the last time: number, moment."""
        found = [each for line in self.lines for each in line.heard]
        for line in self.lines:
            line.heard.clear()
        return found


async def measure(
    database_url: str, owner_url: str, *, watchers: int = WATCHERS, open_cases: int = OPEN_CASES,
    rates: Sequence[int] = RATES, seconds: float = SECONDS,
) -> dict[str, float]:  # fmt: skip
    """Every figure by name."""
    found: dict[str, float] = {"watchers": watchers, "open cases": open_cases}
    async with open_pool(owner_url, size=2, scope=SERVICE, name="bench", role=None) as pool:
        tokens = await _furnish(pool, open_cases)
        async with web_process(database_url) as (pid, port), aiohttp.ClientSession() as http:
            await _all_numbered(pool)
            crowd = _Crowd(port, tokens, watchers)
            before = _rss_kb(pid)
            await crowd.connect()
            found["memory of an idle client, kB"] = (_rss_kb(pid) - before) / watchers
            for rate in rates:
                loaded = await _load(pool, crowd, pid, rate, seconds)
                found |= {f"{rate}/s, {name}": value for name, value in loaded.items()}
            found |= await _storm(pool, http, crowd, pid)
            found |= await _snapshots(http, crowd)
            crowd.leave()
    first = rates[0]
    found[f"{first}/s, CPU of the limit"] = found[f"{first}/s, CPU of a core"] / LIMITS["CPU at 4/s"]
    found[f"{rates[-1]}/s, p99 of the limit"] = found[f"{rates[-1]}/s, p99 ms"] / 1000 / LIMITS["p99 s"]
    found["everybody back, of the limit"] = found["everybody back, s"] / LIMITS["back s"]
    found["memory of a client, of the limit"] = found["memory of an idle client, kB"] / LIMITS["memory kB"]
    return found


async def _load(pool: ConnPool, crowd: _Crowd, pid: int, rate: int, seconds: float) -> dict[str, float]:
    """Change `rate` cases a second, one commit each; from before each statement to each watcher."""
    async with pool.acquire() as conn:
        rows = await conn.fetch("SELECT id FROM cases ORDER BY id LIMIT $1", int(rate * seconds) + 1)
        cases = [row["id"] for row in rows]
        begin = await conn.fetchval("SELECT seq FROM live_position")
        crowd.heard()
        sent: dict[UUID, float] = {}
        cpu, began = cpu_of_s(pid), time.monotonic()
        for n, case in enumerate(cases):
            await asyncio.sleep(max(0.0, began + n / rate - time.monotonic()))
            sent[case] = time.monotonic()
            await conn.execute("UPDATE cases SET version = version + 1, updated_at = now() WHERE id = $1", case)
        took = time.monotonic() - began
        await asyncio.sleep(1.0)
        cpu = cpu_of_s(pid) - cpu
        numbers = await conn.fetch("SELECT seq, ref FROM live_log WHERE seq > $1 AND kind = 'case'", begin)
    meant = {row["seq"]: sent[UUID(row["ref"])] for row in numbers}
    late = sorted(at - meant[seq] for seq, at in crowd.heard())
    return {
        "deliveries a second": len(late) / took,
        "missing": float(len(cases) * crowd.many - len(late)),
        "CPU of a core": cpu / took,
        "p50 ms": 1000 * statistics.median(late),
        "p99 ms": 1000 * late[int(len(late) * 0.99)],
    }


async def _storm(pool: ConnPool, http: aiohttp.ClientSession, crowd: _Crowd, pid: int) -> dict[str, float]:
    """Everybody loses the connection, something changes, everybody comes back at once."""
    epoch, seq = await _position(http, crowd)
    crowd.leave()
    async with pool.acquire() as conn:
        await conn.execute("UPDATE cases SET version = version + 1 WHERE id IN (SELECT id FROM cases LIMIT 50)")
    await _all_numbered(pool)
    await asyncio.sleep(0.3)
    cpu = cpu_of_s(pid)
    back = await crowd.connect(f"?epoch={epoch}&seq={seq}")
    recovered = sum(b'"recovered":true' in line.up.result() for line in crowd.lines)
    return {
        "everybody back, s": back[-1],
        "half of them back, s": back[len(back) // 2],
        "of them without a snapshot": float(recovered),
        "CPU of it, s": cpu_of_s(pid) - cpu,
    }


async def _snapshots(http: aiohttp.ClientSession, crowd: _Crowd) -> dict[str, float]:
    """Everybody asks for a snapshot at once."""
    epoch, seq = await _position(http, crowd)
    url = f"http://127.0.0.1:{crowd.port}/api/v1/live/snapshot?epoch={epoch}&seq={seq}"
    sizes: list[int] = []

    async def one(n: int) -> None:
        sent = {"Authorization": f"Bearer {crowd.tokens[n % len(crowd.tokens)]}", "Accept-Encoding": "gzip"}
        async with http.get(url, headers=sent) as answer:
            assert answer.status == 200, answer.status
            sizes.append(int(answer.headers["Content-Length"]))
            await answer.release()

    began = time.monotonic()
    await one(0)
    first = time.monotonic() - began
    built = partial(_figure, http, crowd.port, "gridsvc_live_snapshots_built_total")
    before = await built()
    began = time.monotonic()
    await asyncio.gather(*(one(n) for n in range(crowd.many)))
    return {
        "first snapshot, s": first,
        "snapshot, kB": sizes[0] / 1000,
        "snapshots for everybody, s": time.monotonic() - began,
        "of these read from the database": await built() - before,
    }


# -- what it needs -----------------------------------------------------------------------------------


async def _furnish(pool: ConnPool, open_cases: int) -> list[str]:
    """A town with open cases, and people who watch; their access tokens."""
    town = make_town(Size(districts=4, streets=4, communities=4, side=8))
    signer, tokens = Signer.from_secret(SECRET), []
    async with transaction(pool) as (conn, now):
        await load_city(conn, town, make_secrets(town.people, [new_id() for _ in KEYS]), now)
        await conn.execute(_CASES, open_cases)
        city = await conn.fetchval("SELECT code FROM divisions WHERE parent_code IS NULL")
        for n in range(_USERS):
            user_id, refresh = new_id(), RefreshToken.first(new_id())
            await users.ADD.run(conn, user_id, f"watcher-{n}", f"Watcher {n}", None, now)
            await users.add_grants(conn, user_id, [Grant(role=Role.DISPATCHER, division=city)])
            await sessions.ADD.run(
                conn, refresh.session_id, user_id, "app", "", refresh.digest, now, now + timedelta(days=1)
            )
            tokens.append(signer.access_token(user_id, refresh.session_id, now, timedelta(hours=1)))
    async with pool.acquire() as conn:
        await conn.execute("ANALYZE")
    return tokens


@asynccontextmanager
async def web_process(database_url: str) -> AsyncIterator[tuple[int, int]]:
    """`gridsvc serve` on a free port: its pid and its port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as home:
        environment = {name: text for name, text in os.environ.items() if not name.startswith("GRIDSVC_")} | {
            "GRIDSVC_HOME": home, "GRIDSVC_DATABASE_URL": database_url, "GRIDSVC_HTTP_PORT": str(port),
            "GRIDSVC_SECRET": SECRET, "GRIDSVC_FILES": f"{home}/files", "GRIDSVC_LOG_LEVEL": "WARNING",
            "GRIDSVC_LIVE_WATCHERS": "100000",
        }  # fmt: skip
        process = await asyncio.create_subprocess_exec(sys.executable, "-m", "gridsvc", "serve", env=environment)
        try:
            async with aiohttp.ClientSession() as http, asyncio.timeout(60):
                while not await _answers(http, port):  # noqa: ASYNC110 - another process's doing
                    await asyncio.sleep(0.05)
            yield process.pid, port
        finally:
            process.terminate()
            await process.wait()


async def _answers(http: aiohttp.ClientSession, port: int) -> bool:
    with contextlib.suppress(aiohttp.ClientError):
        async with http.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status == 200
    return False


async def _all_numbered(pool: ConnPool) -> None:
    async with asyncio.timeout(120):
        while True:
            async with pool.acquire() as conn:
                if not await conn.fetchval("SELECT EXISTS (SELECT FROM live_changes)"):
                    return
            await asyncio.sleep(0.05)


async def _position(http: aiohttp.ClientSession, crowd: _Crowd) -> tuple[str, int]:
    headers = {"Authorization": f"Bearer {crowd.tokens[0]}"}
    async with http.ws_connect(f"http://127.0.0.1:{crowd.port}/api/v1/live", headers=headers) as ws:
        said = await ws.receive_json()
        return str(said["epoch"]), int(said["seq"])


async def _figure(http: aiohttp.ClientSession, port: int, name: str) -> float:
    async with http.get(f"http://127.0.0.1:{port}/metrics") as answer:
        text = await answer.text()
    return float(next(line.split()[1] for line in text.splitlines() if line.startswith(f"{name} ")))


def cpu_of_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return sum(int(field) for field in fields[11:13]) / os.sysconf("SC_CLK_TCK")


def _rss_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line.split()[1] for line in lines if line.startswith("VmRSS")))


if __name__ == "__main__":
    measure_privately(RESULTS, partial(measure, watchers=int(sys.argv[1]) if len(sys.argv) > 1 else WATCHERS))
