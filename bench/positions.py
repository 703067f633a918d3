"""How many positions a second are accepted durably with 10,000 officers, and what they cost on the live feed.

Run as `python -m bench.positions [OFFICERS]`; prints a table, and writes it to `bench/results/positions.json`. Phones
and trackers are this process, the web process is another; both and PostgreSQL share the machine.
"""

from __future__ import annotations

import asyncio
import statistics
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Final, cast
from uuid import UUID

import aiohttp
import asyncpg

from bench.live import SECRET, cpu_of_s, web_process
from bench.private import measure_privately
from bench.town import SOUTH, WEST, Size, make_town
from gridsvc.api.tokens import RefreshToken, Signer
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.ids import new_id
from gridsvc.local.city import load_city
from gridsvc.local.city_demo_file import KEYS, make_secrets
from gridsvc.store import sessions, users
from workers.sweep import stay_round, trail_day_round

OFFICERS: Final = 10_000
SECONDS: Final = 8.0
LINES: Final = 64
RESULTS: Final = Path(__file__).parent / "results" / "positions.json"

MOST_AN_HOUR: Final = 120
"""Fixes that the app asks for while its officer moves: so many of each officer an hour are to be borne."""

_PHONES: Final = 200  # of these with a session, for batches
_BATCH: Final = 10
_TRACCAR_S: Final = 60  # the load pattern of Traccar's own test: 200 devices, one fix a second each, for a minute

_PEOPLE: Final = """
WITH made AS (
  INSERT INTO users (id, username, display_name, created_at)
  SELECT gen_random_uuid(), 'walker-' || n, 'Walker', now() FROM generate_series(1, $1::integer) AS n RETURNING id
), walk AS (
  INSERT INTO officers (user_id, duty_line, on_duty, duty_changed_at)
  SELECT id, 'city', true, now() - interval '1 day' FROM made RETURNING user_id
), granted AS (
  INSERT INTO grants (user_id, role, division_code, duty_line) SELECT user_id, 'officer', $2::text, 'city' FROM walk
), given AS (
  INSERT INTO devices (secret_hash, officer_id, label, created_at)
  SELECT sha256(user_id::text::bytea), user_id, '', now() FROM walk
)
SELECT user_id FROM walk
"""


@dataclass
class _Answers:
    """What the requests of one load came to."""

    took_s: float
    late_ms: list[float]
    refused: int

    def told(self, name: str, fixes: int = 1) -> dict[str, float]:
        late = sorted(self.late_ms)
        return {
            f"{name}, a second": fixes * len(late) / self.took_s,
            f"{name}, p50 ms": statistics.median(late),
            f"{name}, p99 ms": late[int(len(late) * 0.99)],
            f"{name}, refused": float(self.refused),
        }


async def measure(database_url: str, owner_url: str, *, officers: int = OFFICERS) -> dict[str, float]:
    """Every figure by name."""
    wanted = officers * MOST_AN_HOUR / 3_600
    found: dict[str, float] = {"officers": officers, "wanted a second": wanted}
    async with open_pool(owner_url, size=10, scope=SERVICE, name="bench", role=None) as pool:
        walkers, tokens, watcher = await _furnish(pool, officers)
        async with (
            web_process(database_url) as (pid, port),
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=LINES)) as http,
            _watched(http, port, watcher) as told,
        ):
            one = partial(_tracker, http, port)
            found |= (await _closed(one, walkers, LINES, SECONDS)).told("single fixes")
            found |= (await _closed(partial(_phone, http, port), tokens, 8, SECONDS)).told("fixes in tens", _BATCH)
            told.clear()
            with_feed = await _paced(pool, pid, one, walkers, wanted)
            deltas = len(told)
            async with pool.acquire() as conn:
                await conn.execute("ALTER TABLE officer_positions DISABLE TRIGGER live_changed_position")
            without = await _paced(pool, pid, one, walkers, wanted)
            async with pool.acquire() as conn:
                await conn.execute("ALTER TABLE officer_positions ENABLE TRIGGER live_changed_position")
            found |= {f"at {wanted:.0f}/s, {name}": value for name, value in with_feed.items()}
            found |= {f"at {wanted:.0f}/s without the feed, {name}": value for name, value in without.items()}
            found["deltas that a watcher had"] = float(deltas)
            found["the feed's share at that rate, of a core"] = sum(
                with_feed[name] - without[name] for name in ("web, of a core", "PostgreSQL, of a core")
            )
            found |= await _traccar(pool, one, walkers[:200])
        found |= await _stays(pool, officers)
        found["rows straight, one a commit, a second"] = await _straight(owner_url, walkers)
    found["single fixes of what is wanted"] = found["single fixes, a second"] / wanted
    found["single fixes of rows straight"] = (
        found["single fixes, a second"] / found["rows straight, one a commit, a second"]
    )
    return found


# -- loads -------------------------------------------------------------------------------------------

_Send = Callable[[str, float], Awaitable[bool]]


async def _closed(send: _Send, whose: Sequence[str], lines: int, seconds: float) -> _Answers:
    """So many at once, each sends as soon as it is answered; one who sends is the next of `whose`."""
    late: list[float] = []
    refused, began, turn = 0, time.monotonic(), iter(range(10**9))

    async def line() -> None:
        nonlocal refused
        while time.monotonic() - began < seconds:
            meant = time.monotonic()
            good = await send(whose[next(turn) % len(whose)], meant)
            late.append(1000 * (time.monotonic() - meant))
            refused += not good

    await asyncio.gather(*(line() for _ in range(lines)))
    return _Answers(time.monotonic() - began, late, refused)


async def _open(send: _Send, whose: Sequence[str], rate: float, seconds: float) -> _Answers:
    """At a rate, whether the last was answered or not; a latency counts from when it was meant to be sent."""
    late: list[float] = []
    refused, began = 0, time.monotonic()

    async def one(n: int) -> None:
        nonlocal refused
        meant = began + n / rate
        await asyncio.sleep(max(0.0, meant - time.monotonic()))
        refused += not await send(whose[n % len(whose)], meant)
        late.append(1000 * (time.monotonic() - meant))

    await asyncio.gather(*(one(n) for n in range(int(rate * seconds))))
    return _Answers(time.monotonic() - began, late, refused)


async def _paced(pool: ConnPool, pid: int, send: _Send, whose: Sequence[str], rate: float) -> dict[str, float]:
    """What that rate costs."""
    web, database = cpu_of_s(pid), await _postgres_s(pool)
    answers = await _open(send, whose, rate, SECONDS)
    web, database = cpu_of_s(pid) - web, await _postgres_s(pool) - database
    late = sorted(answers.late_ms)
    return {
        "web, of a core": web / answers.took_s, "PostgreSQL, of a core": database / answers.took_s,
        "p50 ms": statistics.median(late), "p99 ms": late[int(len(late) * 0.99)], "refused": float(answers.refused),
    }  # fmt: skip


async def _postgres_s(pool: ConnPool) -> float:
    """CPU of the server's processes that run now; the pools of both sides hold theirs."""
    async with pool.acquire() as conn:
        rows = await conn.fetch("SELECT pid FROM pg_stat_activity WHERE backend_type = 'client backend'")
    return sum(cpu_of_s(row["pid"]) for row in rows)


async def _tracker(http: aiohttp.ClientSession, port: int, who: str, at: float) -> bool:
    place = {"lon": f"{WEST + 0.02 * ((at * 7) % 1):.7f}", "lat": f"{SOUTH + 0.02 * ((at * 11) % 1):.7f}"}
    asked = {"id": who, "accuracy": "8", "timestamp": str(int(time.time() * 1000)), **place}
    async with http.get(f"http://127.0.0.1:{port}/positions/osmand", params=asked) as answer:
        await answer.read()
        return answer.status == 200


async def _phone(http: aiohttp.ClientSession, port: int, token: str, at: float) -> bool:
    now = time.time()
    fixes = [
        {"lon": WEST + 0.02 * (at % 1), "lat": SOUTH + 0.0001 * n, "datum": "wgs84", "accuracy_m": 8,
         "taken_at": datetime.fromtimestamp(now - n, tz=UTC).isoformat()}
        for n in range(_BATCH)
    ]  # fmt: skip
    headers = {"Authorization": f"Bearer {token}", "Idempotency-Key": str(new_id())}
    body = {"positions": fixes}
    async with http.post(f"http://127.0.0.1:{port}/api/v1/positions", json=body, headers=headers) as answer:
        await answer.read()
        return answer.status == 200


async def _traccar(pool: ConnPool, send: _Send, whose: Sequence[str]) -> dict[str, float]:
    """200 devices at one fix a second: all answered 200, the last of each its latest place, its way without a hole."""
    began = await pool.fetchval("SELECT city_now()")
    answers = await _open(send, whose, len(whose), _TRACCAR_S)
    row = await pool.fetchrow(
        "SELECT count(*) FILTER (WHERE p.taken_at > city_now() - interval '3 s') AS latest,"
        "       (SELECT count(*) FROM officer_trails t WHERE t.officer_id = ANY ($1::uuid[]) AND t.taken_at >= $2)"
        "  AS steps FROM officer_positions p WHERE p.officer_id = ANY ($1::uuid[])", list(whose), began,
    )  # fmt: skip
    assert row is not None
    return {
        **answers.told("200 trackers at 1 Hz for a minute"),
        "of these answered": float(len(answers.late_ms)),
        "trackers whose last fix is their latest place": float(row["latest"]),
        "steps of their ways, one in twenty seconds": float(row["steps"]),
    }


async def _stays(pool: ConnPool, officers: int) -> dict[str, float]:
    """Every officer has walked a step: how long the sweeper takes to say in which cells they were."""
    await stay_round(pool)
    await pool.execute(
        "INSERT INTO officer_trails (officer_id, slot_at, taken_at, place, accuracy_m)"
        " SELECT officer_id, max(slot_at) + interval '20 s', max(slot_at) + interval '20 s', min(place), 8"
        "   FROM officer_trails GROUP BY officer_id"
    )
    await pool.execute(
        "INSERT INTO stays_due (officer_id, from_at, until_at)"
        " SELECT officer_id, max(slot_at), max(slot_at) FROM officer_trails GROUP BY officer_id"
    )
    began = time.monotonic()
    done = await stay_round(pool)
    return {"stays of officers reckoned a second": done / (time.monotonic() - began), "of officers": float(officers)}


async def _straight(owner_url: str, whose: Sequence[str]) -> float:
    """The peer: the same two rows by asyncpg alone, one fix to a commit, over ten connections."""
    began, done = time.monotonic(), 0
    turn = iter(range(10**9))

    async def line() -> None:
        nonlocal done
        conn = await asyncpg.connect(owner_url)
        try:
            while time.monotonic() - began < SECONDS / 2:
                n = next(turn)
                await conn.execute(_STRAIGHT, whose[n % len(whose)], WEST + (n % 977) / 50_000, SOUTH)
                done += 1
        finally:
            await conn.close()

    await asyncio.gather(*(line() for _ in range(10)))
    return done / (time.monotonic() - began)


_STRAIGHT: Final = """
WITH latest AS (
  INSERT INTO officer_positions VALUES ($1::uuid, ST_SetSRID(ST_MakePoint($2, $3), 4326), 8, clock_timestamp(), now())
  ON CONFLICT (officer_id) DO UPDATE SET place = excluded.place, taken_at = excluded.taken_at
)
INSERT INTO officer_trails
VALUES ($1::uuid, clock_timestamp(), clock_timestamp(), ST_SetSRID(ST_MakePoint($2, $3), 4326), 8)
ON CONFLICT DO NOTHING
"""


# -- what it needs -----------------------------------------------------------------------------------


async def _furnish(pool: ConnPool, officers: int) -> tuple[list[str], list[str], str]:
    """A town and its officers: the secret ids of their trackers, the tokens of some phones, and that of a watcher."""
    town = make_town(Size(districts=4, streets=4, communities=4, side=8))
    signer, tokens = Signer.from_secret(SECRET), []
    async with transaction(pool) as (conn, now):
        await load_city(conn, town, make_secrets(town.people, [new_id() for _ in KEYS]), now)
        city = await conn.fetchval("SELECT code FROM divisions WHERE parent_code IS NULL")
        walkers = [str(row["user_id"]) for row in await conn.fetch(_PEOPLE, officers, city)]
        desk = new_id()
        await users.ADD.run(conn, desk, "watcher", "Watcher", None, now)
        await users.add_grants(conn, desk, [Grant(role=Role.DISPATCHER, division=city)])
        for who in (*(UUID(walker) for walker in walkers[-_PHONES:]), desk):
            refresh = RefreshToken.first(new_id())
            await sessions.ADD.run(
                conn, refresh.session_id, who, "app", "", refresh.digest, now, now + timedelta(days=1)
            )
            tokens.append(signer.access_token(who, refresh.session_id, now, timedelta(hours=1)))
    await trail_day_round(pool)
    async with pool.acquire() as conn:
        await conn.execute("ANALYZE")
    return walkers, tokens[:-1], tokens[-1]


@asynccontextmanager
async def _watched(http: aiohttp.ClientSession, port: int, token: str) -> AsyncIterator[list[str]]:
    """Somebody watches the feed: the kinds of what he was told, filled as it comes."""
    told: list[str] = []

    async def listen() -> None:
        headers = {"Authorization": f"Bearer {token}"}
        async with http.ws_connect(f"http://127.0.0.1:{port}/api/v1/live", headers=headers) as ws:
            while True:
                told.append(cast(str, (await ws.receive_json())["type"]))

    task = asyncio.create_task(listen())
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.wait([task])


if __name__ == "__main__":
    measure_privately(RESULTS, partial(measure, officers=int(sys.argv[1]) if len(sys.argv) > 1 else OFFICERS))
