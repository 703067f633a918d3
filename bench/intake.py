"""How many reports a second are acknowledged, how fast, and what the same rows cost without the service.

Everything is on this machine: PostgreSQL with the settings of `gridsvc up`, RabbitMQ, web, workers and
the load generator share its cores. What each of them used is measured beside the rates.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import shapely

from bench.load import Order, Seen
from bench.stage import Stage, furnish_now
from bench.straight import straight
from bench.town import Size, make_town
from gridsvc.local.city_plan import City
from gridsvc.local.service_client import Login, ServiceClient

SIZE: Final = Size(districts=4, streets=4, communities=4, side=8, officers=2)
CATEGORIES: Final = ("200110", "200112", "200192", "300301", "300201")  # all handled by officers
CLIENTS: Final = (1, 8, 32, 128)
RATES: Final = (300, 1000, 1500, 2000)
SOCKET_RATES: Final = (50, 100, 150, 200, 300)
REPORTERS: Final = 16
CONNECTIONS: Final = 256  # of the open loop: enough that no request waits for one at a healthy latency

_CATCH_UP_S: Final = 120.0

AIMS: Final = {"acknowledged_per_s": 2_000.0, "p99_ms_at_1000": 60.0, "to_socket_p99_ms_at_300": 300.0}


@dataclass(frozen=True, kw_only=True)
class Loop:
    """One run of the generator. Latencies in milliseconds; CPU in microseconds per report, by who used it."""

    clients: int | None  # closed loop
    rate: float | None  # open loop: reports meant to be sent per second
    workers: bool  # whether they routed meanwhile
    per_s: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    not_acknowledged: int
    generator_us: float
    web_us: float
    database_us: float


@dataclass(frozen=True)
class ToSocket:
    """From the moment a report was meant to be sent to its notice on the officer's socket."""

    rate: float
    p50_ms: float
    p95_ms: float
    p99_ms: float
    arrived: int
    missing: int
    sockets: int


def measure(
    seconds: float,
    *,
    clients: Sequence[int] = CLIENTS,
    rates: Sequence[float] = RATES,
    socket_rates: Sequence[float] = SOCKET_RATES,
    size: Size = SIZE,
) -> dict[str, Any]:
    """Run everything, `seconds` each; what was found, as JSON's own types."""
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL may run as another user and must reach its folder
        town = make_town(size)
        with Stage(home, {"GRIDSVC_ACCESS_SECONDS": "3600"}) as stage:
            furnish_now(stage, town, is_test=True, most_open=200)
            stage.run("web", "serve")
            stage.run("workers", "worker", "all")
            stage.await_up("web", "workers")
            return _Measurement(stage, town, seconds).run(clients, rates, socket_rates)


class _Measurement:
    def __init__(self, stage: Stage, town: City, seconds: float) -> None:
        self._stage = stage
        self._town = town
        self._seconds = seconds
        self._tokens = asyncio.run(self._sign_in())
        self._order = Order(
            port=stage.port,
            tokens=self._tokens[:REPORTERS],
            categories=CATEGORIES,
            box=tuple(shapely.total_bounds([cell.outline for cell in town.land.cells]).tolist()),
            seconds=seconds,
            connections=1,
        )

    def run(
        self, clients: Sequence[int], rates: Sequence[float], socket_rates: Sequence[float]
    ) -> dict[str, Any]:
        # The sockets first: in a city that has nothing else to route.
        sockets = [self._to_socket(each) for each in socket_rates]
        busy = [self._loop(max(clients)), self._loop(None, rates[0])]
        self._stage.hold_down("workers")
        closed = [self._loop(each) for each in clients]
        opened = [self._loop(None, each) for each in rates]
        bare = asyncio.run(straight(self._stage.database_url, int(500 * self._seconds)))
        rows = asyncio.run(self._rows())
        best = max(loop.per_s for loop in closed)
        return {
            "cells": len(self._town.land.cells),
            "rows_at_the_end": rows,
            "closed_loop": [asdict(loop) for loop in closed],
            "open_loop": [asdict(loop) for loop in opened],
            "with_workers": [asdict(loop) for loop in busy],
            "to_socket": [asdict(each) for each in sockets],
            "straight": bare,
            "ratios": {
                "best / straight, one by one": best / bare["one_by_one_per_s"],
                "best / straight, batched": best / bare["batched_per_s"],
            },
            "aims": AIMS,
        }

    async def _sign_in(self) -> list[str]:
        """Access tokens of every officer of the lines that handle."""
        assert self._stage.secrets is not None
        password, tokens = self._stage.secrets.password, []
        async with ServiceClient(self._stage.url) as client:
            for person in self._town.people:
                if person.grant.role == "officer" and person.grant.duty_line != "city":
                    login = Login(person.username, password)
                    await client.sign_in(login)
                    tokens.append(login.access)
        return tokens

    def _loop(self, clients: int | None, rate: float | None = None) -> Loop:
        order = replace(self._order, connections=clients or CONNECTIONS, rate=rate)
        web, database = self._web_cpu(), self._database_cpu()
        seen = Seen(**_apart("bench.load", asdict(order)))
        answered = max(1, len(seen.latencies_ms))
        p50, p95, p99 = (quantile(seen.latencies_ms, share) for share in (0.50, 0.95, 0.99))
        return Loop(
            clients=clients,
            rate=rate,
            workers=self._stage.runs("workers"),
            per_s=seen.acknowledged_in_time / seen.wall_s,
            p50_ms=p50,
            p95_ms=p95,
            p99_ms=p99,
            not_acknowledged=seen.unanswered + sum(n for status, n in seen.statuses.items() if status != "201"),
            generator_us=seen.cpu_s * 1e6 / answered,
            web_us=(self._web_cpu() - web) * 1e6 / seen.sent,
            database_us=(self._database_cpu() - database) * 1e6 / seen.sent,
        )

    def _to_socket(self, rate: float) -> ToSocket:
        self._await_quiet()
        order = {
            "reports": asdict(replace(self._order, connections=CONNECTIONS, rate=rate)),
            "devices": self._tokens,
        }
        seen = _apart("bench.sockets", order)
        p50, p95, p99 = (quantile(seen["to_socket_ms"], share) for share in (0.50, 0.95, 0.99))
        return ToSocket(rate, p50, p95, p99, len(seen["to_socket_ms"]), seen["missing"], seen["sockets"])

    def _await_quiet(self) -> None:
        """Wait until routing and notices have caught up with what came before."""
        deadline = time.monotonic() + _CATCH_UP_S
        while asyncio.run(self._stage.count("outbox")):
            if time.monotonic() > deadline:
                raise TimeoutError(f"news still waits after {_CATCH_UP_S:.0f} s: is the relay running?")
            time.sleep(0.2)

    async def _rows(self) -> dict[str, int]:
        return {table: await self._stage.count(table) for table in ("cases", "history", "outbox", "notices")}

    def _web_cpu(self) -> float:
        return cpu_s(self._stage.pid("web"))

    def _database_cpu(self) -> float:
        return database_cpu_s(self._stage.pid("postgres"))


def quantile(values: Sequence[float], share: float) -> float:
    """The value that `share` of them do not exceed; NaN where there are none."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))] if values else float("nan")


def _apart(module: str, order: dict[str, Any]) -> dict[str, Any]:
    """Run one of our programs with an order and return what it saw."""
    done = subprocess.run(
        [sys.executable, "-m", module], input=json.dumps(order), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise RuntimeError(f"{module} failed: {done.stderr[-2000:]}")
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


_TICKS: Final = os.sysconf("SC_CLK_TCK")


def database_cpu_s(server: int) -> float:
    """CPU seconds of a PostgreSQL with all its backends, by the id of its first process."""
    while True:
        # The server's own figure has the backends that have ended; those that live are its children.
        ended, living = cpu_s(server, with_ended=True), _children_cpu_s(server)
        if cpu_s(server, with_ended=True) - ended < 0.05:  # none ended in between
            return ended + living


def cpu_s(pid: int, *, with_ended: bool = False) -> float:
    """CPU seconds of a process, with those of its children that have ended if wanted."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(") ")[2].split()
    return sum(int(field) for field in fields[11 : 15 if with_ended else 13]) / _TICKS


def _children_cpu_s(parent: int) -> float:
    """CPU seconds of every process that `parent` has now."""
    total = 0
    for entry in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):  # it has ended meanwhile
            fields = entry.read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
            total += int(fields[11]) + int(fields[12]) if int(fields[1]) == parent else 0
    return total / _TICKS
