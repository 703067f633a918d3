"""How many camera events a second are durably taken in, how soon each is a case, and what a storm does to the others.

Everything is on this machine: the service's own processes (`serve`, `worker cameras`), a private PostgreSQL that
flushes, and the generator. The same rows are inserted straight beside it, in the same run.

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
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp
import asyncpg

from bench.intake import quantile
from bench.run import RESULTS, machine
from bench.stage import Stage
from bench.town import Size, make_town
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.ids import new_id
from gridsvc.local.city_plan import City
from gridsvc.local.service_client import ServiceClient
from gridsvc.store import camera_events
from gridsvc.store.camera_events import NewEvent

CAMERAS: Final = 50
BATCH: Final = 100
AIMS: Final = {"batched_per_s": 10_000.0, "to_case_p99_ms_beyond_the_wait": 2_000.0, "p99_ratio_in_a_storm": 2.0}
WAIT_S: Final = 1.0  # of the group, in the runs that measure the way to the case

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
            print(json.dumps(found, indent=2), flush=True)
            stage.run("workers", "worker", "cameras")
            stage.await_up("workers")
            return {**found, **asyncio.run(_ways(stage, plan)), "aims": AIMS}


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
    batched = await _door(stage, plan, BATCH, plan.clients // 8)
    single = await _door(stage, plan, 1, plan.clients)
    straight = await _straight(stage, plan)
    return {
        "single_per_s": single["per_s"], "single_p99_ms": single["p99_ms"], "batched_per_s": batched["per_s"],
        "batched_p99_ms": batched["p99_ms"], "not_accepted": single["wrong"] + batched["wrong"],
        "straight_per_s": straight, "ratio batched / straight": batched["per_s"] / straight,
    }  # fmt: skip


async def _door(stage: Stage, plan: Plan, batch: int, clients: int) -> dict[str, float]:
    numbers = itertools.count()
    took: list[float] = []
    wrong = kept = 0
    end = time.perf_counter() + plan.seconds

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

    began = time.perf_counter()
    async with _session(stage, clients) as session:
        await asyncio.gather(*(post(session) for _ in range(clients)))
    return {"per_s": kept / (time.perf_counter() - began), "p99_ms": quantile(took, 0.99), "wrong": wrong}


def _session(stage: Stage, connections: int) -> aiohttp.ClientSession:
    assert stage.secrets is not None
    [key] = [key.text for key in stage.secrets.keys if "camera-events:write" in key.scopes]
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=connections), headers={"X-API-Key": key},
        timeout=aiohttp.ClientTimeout(total=60),
    )  # fmt: skip


def _event(camera: str, number: int, incident: str = "") -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
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


async def _straight(stage: Stage, plan: Plan) -> float:
    """The same rows by the same INSERT … unnest, in transactions of 1,000 over one connection; rows a second."""
    rows = 0
    async with open_pool(stage.database_url, size=1, scope=SERVICE, name="bench straight") as pool:
        began = time.perf_counter()
        while time.perf_counter() - began < plan.seconds:
            events = [_row(rows + n) for n in range(1_000)]
            async with transaction(pool) as (conn, now):
                await camera_events.add(conn, events, now)
            rows += 1_000
        return rows / (time.perf_counter() - began)


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
    """From the moment an event is posted to its case, calm and beside a storm of one camera."""
    await _empty(stage)
    await _rules(stage, rate_per_s=5.0, burst=50, wait_s=WAIT_S)
    async with _session(stage, 64) as session:
        await _rounds(stage, session, 1)  # until the worker works
        calm = await _rounds(stage, session, plan.calm)
        storm, beside = await asyncio.gather(_storm(stage, session, plan), _rounds(stage, session, plan.calm, first=1))
    counted = await _counts(stage, _code(0))
    return {
        "wait_ms": WAIT_S * 1e3,
        "to_case_p50_ms": quantile(calm, 0.5), "to_case_p99_ms": quantile(calm, 0.99), "calm_events": len(calm),
        "storm": storm, "storm_counts": counted,
        "beside_the_storm_p50_ms": quantile(beside, 0.5), "beside_the_storm_p99_ms": quantile(beside, 0.99),
        "p99_ratio_in_a_storm": quantile(beside, 0.99) / quantile(calm, 0.99),
    }  # fmt: skip


async def _empty(stage: Stage) -> None:
    owner = await asyncpg.connect(stage.owner_url, timeout=60)
    try:
        await owner.execute("TRUNCATE camera_events, camera_counts, camera_meters, camera_sightings, camera_incidents")
    finally:
        await owner.close()


_SEEN: Final = itertools.count(1)


async def _rounds(stage: Stage, session: aiohttp.ClientSession, rounds: int, first: int = 0) -> list[float]:
    """Each camera sees something new, each in its own cell, in each round; milliseconds to its case."""
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

        cameras = [_code(n) for n in range(first, CAMERAS)]
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


async def _storm(stage: Stage, session: aiohttp.ClientSession, plan: Plan) -> dict[str, Any]:
    """One camera sends the same event over and over, as fast as spread over the storm's time."""
    body, kind = _message([_event(_code(0), 1, "stuck")])
    answers: dict[str, int] = {}
    began = time.perf_counter()

    async def part(moments: Iterator[float]) -> None:
        for moment in moments:
            await asyncio.sleep(max(0.0, began + moment - time.perf_counter()))
            async with session.post(stage.url + _PATH, data=body, headers={"Content-Type": kind}) as answer:
                said = json.loads(await answer.read())
            outcome = said["items"][0]["outcome"] if answer.status == 202 else f"status {answer.status}"
            answers[outcome] = answers.get(outcome, 0) + 1

    moments = [n * plan.storm_s / plan.storm for n in range(plan.storm)]
    await asyncio.gather(*(part(iter(moments[n::16])) for n in range(16)))
    return {"sent": plan.storm, "seconds": time.perf_counter() - began, "answers": answers}


async def _counts(stage: Stage, camera: str) -> dict[str, int]:
    """What the ledger says of one camera, and how many cases its storm made."""
    deadline = time.perf_counter() + _CATCH_UP_S
    owner = await asyncpg.connect(stage.owner_url, timeout=10)
    try:
        while await owner.fetchval("SELECT count(*) FROM camera_events WHERE outcome IS NULL"):
            if time.perf_counter() > deadline:
                raise TimeoutError("camera events still wait")
            await asyncio.sleep(0.05)
        counted = await owner.fetch(
            "SELECT outcome, sum(events) AS n FROM camera_counts WHERE camera = $1 GROUP BY outcome", camera
        )
        rows = await owner.fetch(
            "SELECT outcome, count(*) AS n FROM camera_events WHERE camera = $1 GROUP BY outcome", camera
        )
        cases = await owner.fetchval(
            "SELECT count(DISTINCT case_id) FROM camera_events WHERE camera = $1 AND key LIKE '% stuck'", camera
        )
    finally:
        await owner.close()
    return {**{row["outcome"]: int(row["n"]) for row in [*counted, *rows]}, "cases": cases}


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
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / f"{now:%Y-%m-%d}-cameras.json").write_text(json.dumps(found, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
