"""What a worker process counts of itself, and the listener that shows it to Prometheus where one is wanted."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable
from typing import Final

from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from gridsvc.db import DATABASE_AWAY, SERVICE, ConnPool, transaction
from gridsvc.errors import BadSettings
from gridsvc.settings import WorkerSettings
from gridsvc.store import failures
from gridsvc.store.failures import Count
from gridsvc.store.gauges import BACKLOG, Backlog

LAGS: Final = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 30.0, 60.0, 300.0, 1_800.0)

REGISTRY: Final = CollectorRegistry()
"""Of this process: a worker process is one, whatever kinds run in it."""

ProcessCollector(registry=REGISTRY)

MESSAGES: Final = Counter(
    "gridsvc_worker_messages", "Messages that this process settled, by queue and by what became of them.",
    ("queue", "outcome"), registry=REGISTRY,
)  # fmt: skip
LAG: Final = Histogram(
    "gridsvc_worker_message_lag_seconds", "From what an announcement tells to its effect, in the city's time.",
    ("queue",), buckets=LAGS, registry=REGISTRY,
)  # fmt: skip
ROUNDS: Final = Counter(
    "gridsvc_worker_rounds", "Rounds that this process took, by name and by how they ended.", ("round", "outcome"),
    registry=REGISTRY,
)  # fmt: skip
ROUND_ENDED: Final = Gauge(
    "gridsvc_worker_round_success_timestamp_seconds", "When a round of this name last ended well.", ("round",),
    registry=REGISTRY,
)  # fmt: skip
REPAIRS: Final = Counter(
    "gridsvc_reconcile_repairs", "What the reconciler of this process said again, because it had waited too long.",
    ("kind",), registry=REGISTRY,
)  # fmt: skip


def round_ended(name: str, *, well: bool) -> None:
    """Count one round."""
    ROUNDS.labels(name, "done" if well else "failed").inc()
    if well:
        ROUND_ENDED.labels(name).set(time.time())


class Waiting(Collector):
    """What waits for all workers together, as it was read for this answer; None: the database is away."""

    def __init__(self, backlog: Backlog | None, counts: Iterable[Count]) -> None:
        self._backlog = backlog
        self._counts = counts

    def collect(self) -> Iterable[Metric]:
        """As Prometheus asks for it."""
        up = 0 if self._backlog is None else 1
        yield GaugeMetricFamily("gridsvc_worker_database_up", "Whether this process reaches the database.", value=up)
        if self._backlog is None:
            return
        for name, says, value in (
            ("gridsvc_outbox_waiting", "Announcements not yet confirmed by the broker.", self._backlog.news),
            ("gridsvc_outbox_oldest_seconds", "Age of the oldest of them.", self._backlog.oldest_news_s),
            ("gridsvc_sweep_lag_seconds", "How late the rung is that is due for longest.", self._backlog.oldest_rung_s),
        ):
            yield GaugeMetricFamily(name, says, value=value)
        waiting = GaugeMetricFamily(
            "gridsvc_worker_failures_waiting", "Messages whose action failed and is tried again.", labels=("queue",)
        )
        dead = GaugeMetricFamily("gridsvc_worker_failures_dead", "Messages that wait for a person.", labels=("queue",))
        for each in self._counts:
            waiting.add_metric([each.queue], each.waiting)
            dead.add_metric([each.queue], each.dead)
        yield waiting
        yield dead


async def show_figures(pool: ConnPool, settings: WorkerSettings, stop: asyncio.Event) -> None:
    """Answer `GET /metrics` on the address of the settings until `stop`. Raises BadSettings where it is taken."""

    async def metrics(_: web.Request) -> web.Response:
        text = generate_latest(REGISTRY) + generate_latest(await _waiting(pool))
        return web.Response(body=text, headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})

    app = web.Application()
    app.router.add_get("/metrics", metrics)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    try:
        await web.TCPSite(runner, settings.metrics_host, settings.metrics_port).start()
        await stop.wait()
    except OSError as error:
        raise BadSettings(
            f"GRIDSVC_METRICS_PORT is {settings.metrics_port}, which cannot be had on {settings.metrics_host} "
            f"({error.strerror}); want a free port, each worker process its own, or 0: none"
        ) from error
    finally:
        await runner.cleanup()


async def _waiting(pool: ConnPool) -> CollectorRegistry:
    registry = CollectorRegistry()
    try:
        async with transaction(pool, SERVICE) as (conn, _):
            registry.register(Waiting(await BACKLOG.one(conn), await failures.COUNTS.all(conn)))
    except DATABASE_AWAY:
        registry.register(Waiting(None, ()))
    return registry
