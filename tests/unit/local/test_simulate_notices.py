"""How simulated supervisors read their notices."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from gridsvc.local.city_ladders import OWN, USES
from gridsvc.local.simulate_notices import read, rest


def notice(seq: int, kind: str = "case.escalated", waiting: str | None = None, count: int = 0) -> dict[str, Any]:
    return {"seq": seq, "id": f"id{seq}", "kind": kind, "waiting_until": waiting, "body": {"count": count}}


def test_digests_are_opened_and_all_that_was_told_is_acknowledged() -> None:
    page = [notice(1), notice(2, "digest", count=40), notice(3, "digest", waiting="2026-03-07T07:00:00+08:00", count=5)]
    reading = read(page)
    assert (reading.acknowledge, reading.open) == ((1, 2), ("id2",))
    assert dict(reading.seen) == {"alone": 1, "digests": 1, "in digests": 40}


def test_a_rest_has_begun_and_may_go_over_midnight() -> None:
    assert rest(datetime(2026, 3, 6, 23, 55)) == {"from": "23:54", "until": "00:05"}  # noqa: DTZ001 - the wall's clock


def test_every_ladder_of_the_demo_city_is_used() -> None:
    assert {use.ladder for use in USES} == set(OWN)
