"""The measurements run: a few seconds of the intake, so that `make bench` does not fail on the day it is needed."""

from __future__ import annotations

from bench import intake
from bench.run import machine, table_of
from bench.town import Size


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
