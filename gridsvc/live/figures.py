"""The feed's figures for Prometheus."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from gridsvc.live.feed import Feed
from gridsvc.live.snapshots import Snapshots


@dataclass(eq=False)
class LiveFigures(Collector):
    """What the feed of this process has done, and how it stands."""

    feed: Feed
    snapshots: Snapshots

    def collect(self) -> Iterable[Metric]:
        """As Prometheus asks for it."""
        feed, counts = self.feed, self.feed.counts
        for name, says, value in (
            ("watchers", "Clients of the live feed that are connected.", feed.watchers),
            ("ring_deltas", "Deltas that are remembered for whoever comes back.", len(feed.ring)),
            ("ring_bytes", "Bytes of memory that these take, about.", feed.ring.size),
            ("waiting_bytes", "Bytes that wait for the watchers, all together.", feed.waiting_bytes),
            ("seq", "The number that this process has told last.", feed.ring.head),
            ("age_seconds", "How long ago the database was last looked at.", feed.age_s),
        ):
            yield GaugeMetricFamily(f"gridsvc_live_{name}", says, value=value)
        for name, says, many in (
            ("deliveries", "Deltas given to watchers, each counted.", counts.deliveries),
            ("joined", "Watchers that came.", counts.joined),
            ("recovered", "Of them those that went on where they were, without a snapshot.", counts.recovered),
            ("snapshots_built", "Snapshots that were read from the database.", self.snapshots.built),
        ):
            yield CounterMetricFamily(f"gridsvc_live_{name}", says, value=many)
        resyncs = CounterMetricFamily("gridsvc_live_resyncs", "Watchers told to load anew.", labels=["reason"])
        for reason in ("slow", "epoch", "scope"):
            resyncs.add_metric([reason], counts.resyncs[reason])
        yield resyncs
