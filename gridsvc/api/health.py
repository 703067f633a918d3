"""Is it alive, can it serve, and how is it doing."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

import asyncpg
from aiohttp import web
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector

from gridsvc.api.identity import DECLARED
from gridsvc.api.parts import POOL, as_service
from gridsvc.api.problems import is_away
from gridsvc.api.route import LOOPBACK, PUBLIC, Handler, Route
from gridsvc.api.wire import Told, reply
from gridsvc.migrate import migrations
from gridsvc.store.camera_labels import COUNT_UNMAPPED
from gridsvc.store.cameras import STANDING
from gridsvc.store.clocks import PROVISIONAL
from gridsvc.store.gauges import APPLIED, OPEN_CASES, REACHABLE, WAITING
from gridsvc.store.intake_counts import COUNTED, Counted
from gridsvc.store.rung_lags import FIRED, Bucket, cumulated

READY_WITHIN_S: Final = 2.0  # a proxy asks every few seconds; an answer later than this is a no

# ---- counting requests --------------------------------------------------------------------------

BUCKETS: Final = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)


@dataclass(eq=False)
class RungLags(Collector):
    """How many rungs fired and how late, by all sweepers together: read from the database, like the gauges."""

    buckets: Sequence[Bucket] = ()

    def collect(self) -> Iterable[Metric]:
        """As Prometheus asks for it."""
        lags = HistogramMetricFamily("gridsvc_rung_lag_seconds", "How late rungs of ladders fired.")
        lags.add_metric([], cumulated(self.buckets), sum(each.lag_seconds for each in self.buckets))
        fired = CounterMetricFamily("gridsvc_rungs_fired", "Rungs that fired since the city began.")
        fired.add_metric([], sum(each.fired for each in self.buckets))
        return [lags, fired]


@dataclass(eq=False)
class IntakeCounts(Collector):
    """Messages of devices that do not come by HTTP, by all workers together: read from the database, too."""

    counted: Sequence[Counted] = ()

    def collect(self) -> Iterable[Metric]:
        """As Prometheus asks for it."""
        messages = CounterMetricFamily(
            "gridsvc_intake_messages", "Messages by MQTT and SIP, by what became of them.", labels=("way", "outcome")
        )
        for each in self.counted:
            messages.add_metric([each.way, each.outcome], each.messages)
        return [messages]


@dataclass
class Metrics:
    """The figures of this process. Several processes on one port each have their own."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    by_outcome: dict[tuple[str, int], Histogram] = field(default_factory=dict)

    def __post_init__(self) -> None:
        def gauge(name: str, says: str, *labels: str) -> Gauge:
            return Gauge(f"gridsvc_{name}", says, labels, registry=self.registry)

        self.requests = Histogram(
            "gridsvc_http_request_seconds", "Time to answer, by route and status.", ("route", "status"),
            buckets=BUCKETS, registry=self.registry,
        )  # fmt: skip
        self.scrapes = Counter("gridsvc_scrapes", "How often these figures were read.", registry=self.registry)
        self.outbox = gauge("outbox_waiting", "Announcements not yet confirmed by the broker.")
        self.outbox_age = gauge("outbox_oldest_seconds", "Age of the oldest of them.")
        self.failures = gauge("failures_waiting", "Messages whose action failed and is tried again.")
        self.dead = gauge("failures_dead", "Messages that wait for a person.")
        self.rungs_due = gauge("rungs_due", "Rungs whose time has come and that no sweep has fired yet.")
        self.to_route = gauge("cases_to_route", "Cases that the reconciler must send to routing again.")
        self.to_follow = gauge("cases_to_follow", "Open cases that have yet to follow the grid set in force.")
        self.calls = gauge("calls_ringing", "Calls to an emergency that nobody has accepted.")
        self.call_age = gauge("calls_oldest_seconds", "Age of the oldest of them.")
        self.cases = gauge("cases_open", "Open cases by state.", "state")
        self.provisional = gauge(
            "clocks_provisional", "Open clocks that reach into a year whose calendar nobody has published.", "calendar"
        )
        self.cameras = gauge("cameras", "Active cameras by what was heard of them.", "health")
        self.unmapped = gauge("camera_labels_unmapped", "Words of devices that nobody has given a meaning.")
        self.camera_events = Counter(
            "gridsvc_camera_events", "Camera events at the door, by what became of them there.", ("outcome",),
            registry=self.registry,
        )  # fmt: skip
        self.camera_backlog = gauge("camera_events_waiting", "Camera events that no worker has looked at yet.")
        self.camera_age = gauge("camera_events_oldest_seconds", "Age of the oldest of them.")
        self.muted = gauge("cameras_muted", "Cameras muted for a kind of event, because they were wrong too often.")
        self.policy = Counter(
            "gridsvc_csp_reports", "What pages were kept from by their policy, by rule.", ("directive",),
            registry=self.registry,
        )  # fmt: skip
        self.refusals: dict[str, int] = {}
        self.camera_pictures = gauge("camera_pictures_waiting", "Pictures of cameras that are not settled yet.")
        self.rungs = RungLags()
        self.registry.register(self.rungs)
        self.intake = IntakeCounts()
        self.registry.register(self.intake)
        self.tiles = Counter(
            "gridsvc_tiles", "Tiles of the map by where they came from.", ("layer", "outcome"), registry=self.registry
        )
        self.tile_seconds = Histogram(
            "gridsvc_tile_seconds", "Time to make a tile, the wait for a connection too.", ("layer",), buckets=BUCKETS,
            registry=self.registry,
        )  # fmt: skip
        self.tile_bytes = gauge("tile_cache_bytes", "Bytes of the tiles that this process keeps.")
        self.pool = gauge("pool_connections", "Connections of the pool for requests.", "use")

    def answered(self, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        histogram = self.by_outcome.get((route, status))
        if histogram is None:
            histogram = self.by_outcome[route, status] = self.requests.labels(route, str(status))
        histogram.observe(seconds)

    def refused_by_policy(self, directive: str) -> int:
        """Count one report of a page that its policy kept from something; return how many of its kind there are."""
        self.policy.labels(directive).inc()
        self.refusals[directive] = self.refusals.get(directive, 0) + 1
        return self.refusals[directive]


METRICS: Final = web.AppKey("metrics", Metrics)


@web.middleware
async def measure(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Time every request, refused ones too; a request for no route of ours counts as route `none`."""
    began = time.perf_counter()
    status = 500
    try:
        answer = await handler(request)
        status = answer.status
        return answer
    except web.HTTPException as redirect:
        status = redirect.status
        raise
    finally:
        route = request.app[DECLARED].get(request.match_info.route)
        request.app[METRICS].answered("none" if route is None else route.name, status, time.perf_counter() - began)


# ---- answers ------------------------------------------------------------------------------------


class Alive(Told):
    """The process answers. It says nothing about the database: restarting this process would not mend that."""

    alive: bool = True


class Ready(Told):
    """Whether requests can be served. `news_age_s` is how old the oldest unsent announcement is.

    It grows while the broker or the relay is away; requests are served all the same. `provisional_deadlines`
    are those of open clocks that reach into a year whose calendar nobody has published; 0 is how it should be.
    """

    ready: bool
    database: bool
    migrated: bool
    news_age_s: float | None
    provisional_deadlines: int | None


async def _alive(_: web.Request) -> web.Response:
    return reply(Alive())


async def _ready(request: web.Request) -> web.Response:
    found = await _look(request)
    return reply(found, 200 if found.ready else 503, None if found.ready else {"Retry-After": "2"})


async def _look(request: web.Request) -> Ready:
    try:
        async with asyncio.timeout(READY_WITHIN_S), as_service(request) as (conn, _):
            reached = await REACHABLE.one(conn)
            provisional = await PROVISIONAL.all(conn)
            applied = {row.number: row.digest for row in await APPLIED.all(conn)}
    except (asyncpg.UndefinedTableError, asyncpg.UndefinedColumnError):
        return Ready(ready=False, database=True, migrated=False, news_age_s=None, provisional_deadlines=None)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError, OSError) as fault:
        if not is_away(fault):
            raise
        return Ready(ready=False, database=False, migrated=False, news_age_s=None, provisional_deadlines=None)
    # A database that is newer than this program is fine: files are only ever added.
    migrated = all(applied.get(wanted.number) == wanted.digest for wanted in _KNOWN)
    return Ready(
        ready=migrated,
        database=True,
        migrated=migrated,
        news_age_s=None if reached is None else reached.oldest_news_s,
        provisional_deadlines=sum(each.clocks for each in provisional),
    )


_KNOWN: Final = migrations()


async def _metrics(request: web.Request) -> web.Response:
    metrics = request.app[METRICS]
    metrics.scrapes.inc()
    pool = request.app[POOL]
    metrics.pool.labels("idle").set(pool.get_idle_size())
    metrics.pool.labels("used").set(pool.get_size() - pool.get_idle_size())
    metrics.pool.labels("most").set(pool.get_max_size())
    async with as_service(request) as (conn, _):
        waiting = await WAITING.one(conn)
        standing = await OPEN_CASES.all(conn)
        provisional = await PROVISIONAL.all(conn)
        watched = await STANDING.all(conn)
        unmapped = await COUNT_UNMAPPED.one(conn)
        metrics.rungs.buckets = await FIRED.all(conn)
        metrics.intake.counted = await COUNTED.all(conn)
    if waiting is not None:
        metrics.outbox.set(waiting.news)
        metrics.outbox_age.set(waiting.oldest_news_s)
        metrics.failures.set(waiting.failures)
        metrics.dead.set(waiting.dead)
        metrics.rungs_due.set(waiting.rungs_due)
        metrics.to_route.set(waiting.cases_to_route)
        metrics.to_follow.set(waiting.cases_to_follow)
        metrics.calls.set(waiting.calls_ringing)
        metrics.call_age.set(waiting.oldest_call_s)
        metrics.camera_backlog.set(waiting.camera_events)
        metrics.camera_age.set(waiting.oldest_camera_event_s)
        metrics.muted.set(waiting.cameras_muted)
        metrics.camera_pictures.set(waiting.camera_pictures)
    metrics.cases.clear()
    for row in standing:
        metrics.cases.labels(row.state).set(row.cases)
    metrics.cameras.clear()
    for camera in watched:
        metrics.cameras.labels(camera.health).set(camera.cameras)
    metrics.unmapped.set(unmapped.labels if unmapped else 0)
    metrics.provisional.clear()
    for each in provisional:
        metrics.provisional.labels(each.calendar).set(each.clocks)
    return web.Response(body=generate_latest(metrics.registry), headers={"Content-Type": CONTENT_TYPE_PLAIN_0_0_4})


class TimeTold(Told):
    """The city's time, in milliseconds since 1970 (UTC): a phone measures by it how far its own clock is off."""

    ms: int


async def _time(request: web.Request) -> web.Response:
    async with as_service(request) as (_, now):
        return reply(TimeTold(ms=round(now.timestamp() * 1_000)), headers={"Cache-Control": "no-store"})


ROUTES: Final = (
    Route(
        method="GET", path="/api/v1/time", handler=_time, roles=PUBLIC, answers=TimeTold,
        summary="The city's time, for measuring a clock by it.",
    ),
    Route(
        method="GET", path="/healthz", handler=_alive, roles=PUBLIC, head=True, answers=Alive,
        summary="The process lives.",
    ),
    Route(
        method="GET", path="/readyz", handler=_ready, roles=PUBLIC, head=True, answers=Ready, statuses=(200, 503),
        summary="Requests can be served: database reachable, schema current.",
    ),
    Route(
        method="GET", path="/metrics", handler=_metrics, roles=LOOPBACK, scope="metrics:read",
        summary="Figures for Prometheus; from this machine, or with a key.",
    ),
)  # fmt: skip
