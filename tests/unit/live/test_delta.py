"""What may take the place of what: of an officer and a camera the newest is enough, of a case every version counts."""

from __future__ import annotations

import gc
from datetime import UTC, datetime

import pytest

from gridsvc.live.delta import Delta
from gridsvc.store.live import LogRow


def delta(kind: str) -> Delta:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    row = LogRow(seq=7, at=at, kind=kind, ref="x", keys=[], areas=[], was_keys=[], was_areas=[], body="{}")
    return Delta(row)


@pytest.mark.parametrize("kind", ["officer", "camera"])
def test_of_what_moves_the_newest_is_enough_gone_or_not(kind: str) -> None:
    assert delta(kind).frame.replaces == delta(kind).gone.replaces == (kind, "x")


@pytest.mark.parametrize("kind", ["case", "alarm"])
def test_cases_and_alarms_are_told_one_by_one(kind: str) -> None:
    assert (delta(kind).frame.replaces, delta(kind).gone.replaces) == (None, None)


def test_a_delta_is_one_object_for_the_collector_of_garbage_what_it_holds_is_shared() -> None:
    first, second = delta("case"), delta("case")
    of_its_own = [each for each in gc.get_referents(first) if gc.is_tracked(each) and each is not Delta]
    shared = {id(each) for each in gc.get_referents(second)}
    assert [each for each in of_its_own if id(each) not in shared] == []
    assert first.keys is second.keys
