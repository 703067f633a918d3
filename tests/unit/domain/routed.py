"""A case as routing rules see it, and rules in one line, for tests."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

from gridsvc.domain.routing import Inputs
from gridsvc.domain.routing_rules import RoutingEdition, read_rules

CASE = Inputs(
    category="starter-2026:200110",
    of_default=True,
    major="02",
    kind="event",
    handled_by="officer",
    dispatches_itself=True,
    department="water",
    duty_line="social",
    severity="normal",
    source="officer",
    divisions=("620100", "620102", "620102001", "620102001001"),
    local=datetime(2026, 11, 25, 10, 0),  # noqa: DTZ001 - the city's own clocks; a Wednesday
    working_day=True,
    working_day_before=True,
    beat="B01",
    component=None,
    words="垃圾箱满溢",
)


def case_of(**changes: Any) -> Inputs:
    """A full bin on a Wednesday at ten, for an officer of beat B01, but for `changes`."""
    return replace(CASE, **changes)


def rules(*tables: dict[str, Any], number: int = 7, **settings: Any) -> RoutingEdition:
    """An edition of these rules, each named by its code; names and the catch-all are left out."""
    named = [{"name": str(table["code"]), **table} for table in tables]
    read = read_rules({"name": "试行", "rules": named, **settings}, number)
    assert read.faults == (), read.faults
    return read.edition
