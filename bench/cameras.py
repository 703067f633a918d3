"""How many camera events a second are durably taken in, how soon each is a case, and what a storm does to the others.

Everything is on this machine: the service's own processes (`serve`, `worker cameras`), a private PostgreSQL that
flushes, and the generator. The same rows are inserted straight beside it, in the same run. Rates say what the machine
had left; events for each second of CPU (of web process and PostgreSQL together) say what the service costs.

    python -m bench.cameras [--seconds 5] [--small]
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp
import asyncpg

from bench.intake import cpu_s, database_cpu_s, quantile
from bench.run import RESULTS, machine
from bench.stage import Stage
from bench.town import Size, make_town
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.ids import new_id
from gridsvc.local.city_plan import City
from gridsvc.local.service_client import ServiceClient
from gridsvc.store import camera_events
from gridsvc.store.camera_events import NewEvent
from workers.cameras import day_round

CAMERAS: Final = 50
BATCH: Final = 100
WAIT_S: Final = 1.0  # of the group, in the runs that measure the way to the case
BATCHED_PER_S: Final = 10_000.0
BEYOND_THE_WAIT_MS: Final = 2_000.0  # p99 from an event to its case
RATIO_IN_A_STORM: Final = 2.0  # of that p99, for the cameras beside the one that storms

_PATH: Final = "/api/v1/camera-events"
_CATCH_UP_S: Final = 60.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How long each run takes, and how large the storm is."""

    seconds: float = 5.0
    clients: int = 64  # that send singly; an eighth of them sends batches
    storm: int = 10_000
    storm_s: float = 10.0
    calm: int = 4  # rounds in which each of the other cameras sees something new


def measure(plan: Plan) -> dict[str, Any]:
    """Run everything; what was found, as JSON's own types."""
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL may run as another user and must reach its folder
        with Stage(home) as stage:
            town = make_town(Size(side=8))
            asyncio.run(stage.furnish(town, is_test=True))
            asyncio.run(_install(stage, town))
            stage.run("web", "serve")
            stage.await_up("web")
            asyncio.run(_await_serving(stage))
            found = asyncio.run(_doors(stage, plan))
            stage.run("workers", "worker", "cameras")
            stage.await_up("workers")
            found |= asyncio.run(_ways(stage, plan))
            return {**found, "limits": _limits(found, plan)}


def _limits(found: dict[str, Any], plan: Plan) -> dict[str, str]:
    """What is promised, what was found, and whether it held."""
    most_ms = BEYOND_THE_WAIT_MS + WAIT_S * 1e3
    said = {
        f"taken in batches of {BATCH}: at least {BATCHED_PER_S:,.0f}/s": (
            f"{found['batched']['per_s']:,.0f}/s", found["batched"]["per_s"] >= BATCHED_PER_S
        ),
        f"event to case, calm: p99 at most {most_ms:,.0f} ms": (
            f"{found['calm']['p99_ms']:,.0f} ms", found["calm"]["p99_ms"] <= most_ms
        ),
    }  # fmt: skip
    for name in ("duplicates", "distinct"):
        storm = found["storms"][name]
        said |= {
            f"beside {name}: p99 at most {most_ms:,.0f} ms": (
                f"{storm['beside']['p99_ms']:,.0f} ms", storm["beside"]["p99_ms"] <= most_ms
            ),
            f"beside {name}: p99 at most {RATIO_IN_A_STORM:g} times the calm one": (
                f"{storm['p99_ratio']:.2f}", storm["p99_ratio"] <= RATIO_IN_A_STORM
            ),
            f"{name}: {plan.storm:,} received, each accounted for, one case": (
                f"{storm['ledger']}, {storm['cases']} cases",
                storm["ledger"]["received"] == plan.storm and storm["balances"] and storm["cases"] == 1,
            ),
        }  # fmt: skip
    return {what: f"{found_now}: {'held' if held else 'NOT HELD'}" for what, (found_now, held) in said.items()}


async def _await_serving(stage: Stage) -> None:
    async with ServiceClient(stage.url) as client:  # which waits for a service that is away
        assert (await client.call("GET", "/readyz")).good


async def _install(stage: Stage, town: City) -> None:
    """Fifty cameras in cells of their own, each in the middle of its hectare: farther apart than duplicates lie."""
    places = [cell.outline.representative_point() for cell in town.land.cells[:CAMERAS]]
    owner = await asyncpg.connect(stage.owner_url, timeout=10)
    try:
        await owner.executemany(
            "INSERT INTO cameras (code, name, place, height_m, bearing_deg, field_deg, far_m, protocol,"
            "                     given_x, given_y, given_frame, changed_at)"
            " VALUES ($1, $1, ST_SetSRID(ST_MakePoint($2, $3), 4326), 6, 0, 60, 80, 'cloudevents', $2, $3, 'wgs84',"
            "         now())",
            [(_code(n), place.x, place.y) for n, place in enumerate(places)],
        )
        await owner.execute(
            "INSERT INTO camera_labels (protocol, kind, zone, target, edition, category, mode, written_at, written_by)"
            " SELECT '*', 'vendor', '*', '*', edition, code, 'automatic', now(), 'bench' FROM categories"
            "  WHERE code = '300301'"
        )
    finally:
        await owner.close()


def _code(number: int) -> str:
    return f"bench{number:03d}"


async def _rules(stage: Stage, **values: object) -> None:
    owner = await asyncpg.connect(stage.owner_url, timeout=10)
    try:
        columns = ", ".join(f"{name} = ${n}" for n, name in enumerate(values, start=1))
        await owner.execute(f"UPDATE camera_rules SET {columns}", *values.values())  # noqa: S608 - our own columns
    finally:
        await owner.close()


# -- the door ----------------------------------------------------------------------------------------


async def _doors(stage: Stage, plan: Plan) -> dict[str, Any]:
    """Events a second, single and in batches, with no worker beside; and the same rows straight."""
    await _rules(stage, rate_per_s=1e9, burst=2_000_000_000)  # the door itself, not the bucket
    async with open_pool(stage.database_url, size=1, scope=SERVICE, name="bench days") as pool:
        await day_round(pool)
    await _door(stage, replace(plan, seconds=1.0), BATCH, plan.clients // 8)  # until all is warm
    batched = await _door(stage, plan, BATCH, plan.clients // 8)
    single = await _door(stage, plan, 1, plan.clients)
    unnested, copied = await _unnested(stage, plan), await _copied(stage, plan)
    return {
        "batched": batched, "single": single, "straight, unnest": unnested, "straight, COPY": copied,
        "ratios by CPU": {
            "batched / unnest": batched["per_cpu_s"] / unnested["per_cpu_s"],
            "batched / COPY": batched["per_cpu_s"] / copied["per_cpu_s"],
        },
    }  # fmt: skip


@dataclass
class _Spent:
    """CPU seconds of the web process and of PostgreSQL since it was made."""

    stage: Stage
    with_web: bool = True

    def __post_init__(self) -> None:
        self._before = self._now()

    def _now(self) -> tuple[float, float]:
        web = cpu_s(self.stage.pid("web")) if self.with_web else time.process_time()
        return web, database_cpu_s(self.stage.pid("postgres"))

    def per(self, events: int, seconds: float) -> dict[str, float]:
        """What `events` that took `seconds` cost each."""
        web, database = (now - before for now, before in zip(self._now(), self._before, strict=True))
        return {
            "per_s": events / seconds, "per_cpu_s": events / max(web + database, 1e-6),
            "client_us" if not self.with_web else "web_us": web * 1e6 / events, "database_us": database * 1e6 / events,
        }  # fmt: skip


async def _door(stage: Stage, plan: Plan, batch: int, clients: int) -> dict[str, float]:
    numbers = itertools.count()
    took: list[float] = []
    wrong = kept = 0

    async def post(session: aiohttp.ClientSession) -> None:
        nonlocal wrong, kept
        while time.perf_counter() < end:
            body, kind = _message([_event(_code(n % CAMERAS), n) for n in itertools.islice(numbers, batch)])
            began = time.perf_counter()
            async with session.post(stage.url + _PATH, data=body, headers={"Content-Type": kind}) as answer:
                said = await answer.read()
            took.append((time.perf_counter() - began) * 1e3)
            accepted = said.count(b'"accepted"')
            kept += accepted
            wrong += batch - accepted

    async with _session(stage, clients) as session:
        spent, began = _Spent(stage), time.perf_counter()
        end = began + plan.seconds
        await asyncio.gather(*(post(session) for _ in range(clients)))
        costs = spent.per(kept, time.perf_counter() - began)
    return {**costs, "p99_ms": quantile(took, 0.99), "not_accepted": wrong}


def _session(stage: Stage, connections: int) -> aiohttp.ClientSession:
    assert stage.secrets is not None
    [key] = [key.text for key in stage.secrets.keys if "camera-events:write" in key.scopes]
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections), headers={"X-API-Key": key},
        timeout=aiohttp.ClientTimeout(total=60),
    )  # fmt: skip


def _event(camera: str, number: int, incident: str = "", at: str = "") -> dict[str, Any]:
    now = at or datetime.now(UTC).isoformat()
    return {
        "specversion": "1.0", "id": f"{number}", "source": f"/bench/{camera}", "type": "cn.grid.camera",
        "subject": camera, "time": now,
        "data": {"kind": "vendor", "phase": "start", "zone": "gate", "score": 0.87, "target": "person",
                 "incident": incident or f"i{number}"},
    }  # fmt: skip


def _message(events: Sequence[dict[str, Any]]) -> tuple[bytes, str]:
    if len(events) == 1:
        return json.dumps(events[0]).encode(), "application/cloudevents+json"
    return json.dumps(events).encode(), "application/cloudevents-batch+json"


async def _unnested(stage: Stage, plan: Plan) -> dict[str, float]:
    """The same rows by the same INSERT … unnest, in transactions of 1,000 over one connection."""
    rows = 0
    async with open_pool(stage.database_url, size=1, scope=SERVICE, name="bench straight") as pool:
        spent, began = _Spent(stage, with_web=False), time.perf_counter()
        while time.perf_counter() - began < plan.seconds:
            events = [_row(rows + n) for n in range(1_000)]
            async with transaction(pool) as (conn, now):
                await camera_events.add(conn, events, now)
            rows += 1_000
        return spent.per(rows, time.perf_counter() - began)


async def _copied(stage: Stage, plan: Plan) -> dict[str, float]:
    """The same rows by COPY, as the owner: the application may not, since row-level security binds it."""
    rows, owner = 0, await asyncpg.connect(stage.owner_url, timeout=10)
    columns = [{"stands_for": "count"}.get(name, name) for name in NewEvent._fields]
    try:
        spent, began = _Spent(stage, with_web=False), time.perf_counter()
        while time.perf_counter() - began < plan.seconds:
            now = datetime.now(UTC)
            events = [(*_row(rows + n)._replace(snapshots=[]), now) for n in range(1_000)]  # type: ignore[arg-type]
            await owner.copy_records_to_table("camera_events", records=events, columns=[*columns, "received_at"])
            rows += 1_000
        return spent.per(rows, time.perf_counter() - began)
    finally:
        await owner.close()


def _row(number: int) -> NewEvent:
    said = _event(_code(number % CAMERAS), number)
    return NewEvent(
        id=new_id(), camera=said["subject"], protocol="cloudevents", key=said["data"]["incident"], kind="vendor",
        phase="start", at=datetime.now(UTC), zone="gate", target="person", score=0.87, lon=None, lat=None, stands_for=1,
        taken_back=False, snapshots="", digest=uuid4(), raw=json.dumps(said).encode(), sent_by="key:bench",
        outcome="suppressed", outcome_reason="rate",
    )  # fmt: skip


# -- the way to the case -------------------------------------------------------------------------------


async def _ways(stage: Stage, plan: Plan) -> dict[str, Any]:
    """From the moment an event is posted to its case: calm, and beside two storms of the first camera."""
    await _empty(stage)
    await _rules(stage, rate_per_s=5.0, burst=50, wait_s=WAIT_S)
    storms = {}
    async with _session(stage, 64) as session:
        await _rounds(stage, session, 1)  # until the worker works
        calm = await _rounds(stage, session, plan.calm)
        for name in ("duplicates", "distinct"):
            sent, beside = await asyncio.gather(
                _storm(stage, session, plan, distinct=name == "distinct"), _rounds(stage, session, plan.calm)
            )
            storms[name] = {
                "sent": sent, "beside": _quantiles(beside), **await _accounts(stage, _code(0)),
                "p99_ratio": quantile(beside, 0.99) / quantile(calm, 0.99),
            }  # fmt: skip
            await _empty(stage)
            await _close_all(stage)
    return {"wait_ms": WAIT_S * 1e3, "calm": _quantiles(calm), "storms": storms}


def _quantiles(took: Sequence[float]) -> dict[str, float]:
    return {"events": len(took), "p50_ms": quantile(took, 0.5), "p99_ms": quantile(took, 0.99)}


async def _empty(stage: Stage) -> None:
    owner = await asyncpg.connect(stage.owner_url, timeout=60)
    try:
        await owner.execute("TRUNCATE camera_events, camera_counts, camera_meters, camera_sightings, camera_incidents")
    finally:
        await owner.close()


_SEEN: Final = itertools.count(1)


async def _rounds(stage: Stage, session: aiohttp.ClientSession, rounds: int) -> list[float]:
    """Each camera but the first sees something new, each in its own cell, in each round; milliseconds to its case."""
    took: list[float] = []
    for _ in range(rounds):
        began: dict[str, float] = {}

        async def see(camera: str, began: dict[str, float]) -> None:
            number = next(_SEEN)
            body, kind = _message([_event(camera, 10_000_000 + number)])
            began[camera] = time.perf_counter()
            async with session.post(stage.url + _PATH, data=body, headers={"Content-Type": kind}) as answer:
                said = await answer.text()
            assert '"accepted"' in said, said

        cameras = [_code(n) for n in range(1, CAMERAS)]
        await asyncio.gather(*(see(camera, began) for camera in cameras))
        took += await _until_cases(stage, began)
        await _over(stage)
    return took


async def _until_cases(stage: Stage, began: dict[str, float]) -> list[float]:
    """Wait until each camera's last event has its case; how long each took."""
    owner = await asyncpg.connect(stage.owner_url, timeout=10)
    took: dict[str, float] = {}
    try:
        deadline = time.perf_counter() + _CATCH_UP_S
        while len(took) < len(began):
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{len(began) - len(took)} events have no case after {_CATCH_UP_S:.0f} s")
            done = await owner.fetch(
                "SELECT DISTINCT camera FROM camera_events WHERE case_id IS NOT NULL AND key LIKE '% i1_______'"
                "   AND camera = ANY ($1::text[])",
                [camera for camera in began if camera not in took],
            )
            now = time.perf_counter()
            took |= {row["camera"]: (now - began[row["camera"]]) * 1e3 for row in done}
            await asyncio.sleep(0.01)
    finally:
        await owner.close()
    return list(took.values())


async def _over(stage: Stage) -> None:
    """What was seen is over, and its cases are exercises: what comes next opens cases of its own."""
    owner = await asyncpg.connect(stage.owner_url, timeout=10)
    try:
        await owner.execute(
            "UPDATE camera_incidents SET over_at = now() WHERE over_at IS NULL AND due_at IS NULL AND camera <> $1",
            _code(0),
        )
        await owner.execute("UPDATE cases SET exercise = true WHERE reported_by <> 'camera:' || $1", _code(0))
        await owner.execute("DELETE FROM camera_events WHERE case_id IS NOT NULL AND camera <> $1", _code(0))
    finally:
        await owner.close()


async def _storm(stage: Stage, session: aiohttp.ClientSession, plan: Plan, *, distinct: bool) -> dict[str, Any]:
    """One camera sends the same event over and over, or ever new ones, spread evenly over the storm's time."""
    answers: dict[str, int] = {}
    numbers = itertools.count(1)
    began = time.perf_counter()

    async def part(moments: Iterator[float]) -> None:
        for moment in moments:
            await asyncio.sleep(max(0.0, began + moment - time.perf_counter()))
            body, kind = _message([_event(_code(0), 1, f"storm{next(numbers) if distinct else ''}", _STORM_AT)])
            async with session.post(stage.url + _PATH, data=body, headers={"Content-Type": kind}) as answer:
                said = json.loads(await answer.read())
            outcome = said["items"][0]["outcome"] if answer.status == 202 else f"status {answer.status}"
            answers[outcome] = answers.get(outcome, 0) + 1

    moments = [n * plan.storm_s / plan.storm for n in range(plan.storm)]
    await asyncio.gather(*(part(iter(moments[n::16])) for n in range(16)))
    return {"events": plan.storm, "seconds": time.perf_counter() - began, "answers": answers}


_STORM_AT: Final = datetime.now(UTC).isoformat()  # the same message is the same to its last letter


async def _accounts(stage: Stage, camera: str) -> dict[str, Any]:
    """What the ledger says of one camera when nothing of it waits any more, and how many cases its events led to."""
    deadline = time.perf_counter() + _CATCH_UP_S
    async with open_pool(stage.database_url, size=1, scope=SERVICE, name="bench accounts") as pool:
        while True:
            async with transaction(pool) as (conn, now):
                everything = await camera_events.BALANCES.all(conn, now.replace(year=2000))
                cases = await conn.fetchval(
                    "SELECT count(DISTINCT case_id) FROM camera_events WHERE camera = $1 AND case_id IS NOT NULL",
                    camera,
                )
            said = [each for each in everything if each.camera == camera]
            sums = camera_events.totals(said)
            if sums["waiting"] == 0:
                balanced = all(camera_events.balances(each) for each in said)
                return {"ledger": {k: n for k, n in sums.items() if n}, "balances": balanced, "cases": cases}
            if time.perf_counter() > deadline:
                raise TimeoutError(f"{sums['waiting']} camera events still wait")
            await asyncio.sleep(0.05)


async def _close_all(stage: Stage) -> None:
    """What the cases of a storm were about is an exercise from here on: the next storm opens its own."""
    owner = await asyncpg.connect(stage.owner_url, timeout=10)
    try:
        await owner.execute("UPDATE cases SET exercise = true")
    finally:
        await owner.close()


def main() -> None:
    """Measure, print and keep what was found."""
    parser = argparse.ArgumentParser(prog="python -m bench.cameras", description=__doc__)
    parser.add_argument("--seconds", type=float, default=5.0, help="of each run of the door (%(default)s)")
    parser.add_argument("--small", action="store_true", help="a storm of 500 in 2 s, to see that it runs")
    arguments = parser.parse_args()
    plan = Plan(seconds=arguments.seconds)
    if arguments.small:
        plan = Plan(seconds=arguments.seconds, storm=500, storm_s=2.0, calm=1)
    now = datetime.now(UTC)
    found = {"at": now.isoformat(timespec="seconds"), "machine": machine(), **measure(plan)}
    print(json.dumps(found, indent=2))
    for what, held in found["limits"].items():
        print(f"{what}: {held}")
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{now:%Y-%m-%d}-cameras.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
