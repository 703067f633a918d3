"""The measurements run: some seconds of the intake, some due rungs; so `make bench` does not fail when it is needed."""

from __future__ import annotations

import pytest

from bench import intake, sweep
from bench.run import machine, table_of
from bench.town import Size
from tests.servers import FreshDatabase


def test_the_intake_can_be_measured_and_every_report_of_it_is_acknowledged() -> None:
    found = intake.measure(0.5, clients=(4,), rates=(20,), socket_rates=(20,), size=Size())
    for loop in [*found["closed_loop"], *found["open_loop"], *found["with_workers"]]:
        assert loop["per_s"] > 0
        assert loop["not_acknowledged"] == 0
    [socket] = found["to_socket"]
    assert socket["missing"] == 0
    assert socket["arrived"] >= 5
    assert found["straight"]["batched_per_s"] > 0
    document = {"at": "now", "machine": machine(), "seconds_each": 0.5, **found}
    assert "4 clients, closed loop" in table_of(document)


async def test_the_sweep_can_be_measured_and_all_that_is_due_fires(fresh_database: FreshDatabase) -> None:
    found = await sweep.measure(fresh_database.url, fresh_database.owner_url, many=900, due=250, steady_s=1.0)
    assert [found[f"250 due, {sweepers}, fired"] for sweepers in ("1 sweeper", "3 sweepers")] == [250, 250]
    assert found["250 in 1 s, fired"] == 250
    assert 0 <= found["lag p50, s"] <= found["lag p99, s"] <= found["lag at most, s"]
    assert found["250 due, 1 sweeper, of the limit"] == pytest.approx(found["250 due, 1 sweeper, s"] / sweep.LIMIT_S)
