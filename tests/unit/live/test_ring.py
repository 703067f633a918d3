"""What is remembered for whoever comes back: all of a gap, or nothing."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from gridsvc.live.delta import Delta
from gridsvc.live.ring import Bounds, Ring
from gridsvc.store.live import LogRow


def delta(seq: int, body: str = "{}") -> Delta:
    at = datetime(2026, 11, 27, tzinfo=UTC)
    return Delta(
        LogRow(seq=seq, at=at, kind="case", ref=str(seq), keys=["a"], areas=[], was_keys=[], was_areas=[], body=body)
    )


def ring(first: int, last: int, *, deltas: int = 100, size: int = 10**9, seconds: float = 60) -> Ring:
    found = Ring(Bounds(deltas=deltas, size=size, seconds=seconds))
    found.begin(first - 1)
    for seq in range(first, last + 1):
        found.add(delta(seq), ticks=seq)
    return found


def seqs(found: list[Delta] | None) -> list[int] | None:
    return None if found is None else [each.seq for each in found]


def test_what_was_missed_is_there_whole() -> None:
    assert seqs(ring(11, 15).since(13)) == [14, 15]
    assert seqs(ring(11, 15).since(10)) == [11, 12, 13, 14, 15]


def test_whoever_has_all_has_missed_nothing() -> None:
    assert seqs(ring(11, 15).since(15)) == []


def test_a_gap_that_is_not_whole_is_no_recovery() -> None:
    assert ring(11, 15).since(9) is None


def test_a_number_that_was_never_given_is_no_recovery() -> None:
    assert ring(11, 15).since(16) is None


@pytest.mark.parametrize("bounds", [{"deltas": 3}, {"size": 3 * delta(1).size}, {"seconds": 2.0}])
def test_what_is_beyond_a_bound_is_forgotten_the_oldest_first(bounds: dict[str, float]) -> None:
    found = ring(1, 10, **bounds)  # type: ignore[arg-type]
    assert seqs(found.since(7)) == [8, 9, 10]
    assert found.since(6) is None
    assert found.size == 3 * delta(1).size


def test_time_passes_without_news_too() -> None:
    found = ring(1, 3, seconds=2.0)
    found.forget_old(ticks=10)
    assert seqs(found.since(3)) == []
    assert found.since(2) is None
    assert found.size == 0


def test_a_hole_is_never_taken_for_nothing() -> None:
    with pytest.raises(ValueError, match="17 does not follow 15"):
        ring(11, 15).add(delta(17), ticks=17)
