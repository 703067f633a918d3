"""In which cells an officer was: no flapping at borders, no impossible jumps, silence is unknown."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from geo.place import Place
from gridsvc.domain.stays import LOOK_BACK, Fix, Located, Stay, jumps, margin_m, resume, stays

NINE = datetime(2026, 11, 27, 1, 0, tzinfo=UTC)
METRE = 1 / 111_000  # of latitude, in degrees; near enough


def fix(second: float, north_m: float = 0, accuracy_m: float | None = 8) -> Fix:
    return Fix(NINE + timedelta(seconds=second), Place(103.8, 36.06 + north_m * METRE, accuracy_m))


def located(at: Fix) -> Located:
    """Three cells of a hundred metres each, one north of the other from 36.06: A, B, C."""
    north_m, margin = (at.place.lat - 36.06) / METRE, margin_m(at.place.accuracy_m)
    codes = [(code, 100 * n) for n, code in enumerate("ABC")]
    inside = [code for code, south in codes if south <= north_m < south + 100]
    near = frozenset(code for code, south in codes if south - margin <= north_m <= south + 100 + margin)
    return Located(inside[0] if inside else None, near)


def walked(fixes: Sequence[Fix], at_first: Stay | None = None) -> list[Stay]:
    return stays(fixes, [located(each) for each in fixes], jumps(fixes), at_first)


def told(found: Sequence[Stay]) -> list[tuple[str, int, int, int]]:
    return [(stay.cell, seconds(stay.entered_at), seconds(stay.left_at), stay.fixes) for stay in found]


def seconds(at: datetime) -> int:
    return int((at - NINE).total_seconds())


def test_a_walk_is_a_stay_in_each_cell_from_its_first_fix_to_its_last() -> None:
    found = walked([fix(0, 20), fix(20, 60), fix(40, 115), fix(60, 160), fix(80, 260)])
    assert told(found) == [("A", 0, 20, 2), ("B", 40, 60, 2), ("C", 80, 80, 1)]


def test_at_a_border_nobody_flaps() -> None:
    dither = [fix(20 * n, 100 + (9 if n % 2 else -9)) for n in range(50)]
    assert told(walked(dither)) == [("A", 0, 980, 50)]


@pytest.mark.parametrize(
    ("accuracy_m", "beyond_m", "left"),
    [(3, 9, False), (3, 11, True), (30, 29, False), (30, 31, True), (None, 19, False), (None, 21, True),
     (95, 49, False), (95, 51, True)],
)  # fmt: skip
def test_a_cell_is_left_when_a_fix_is_further_from_it_than_it_may_be_wrong(
    accuracy_m: float | None, beyond_m: float, left: bool
) -> None:
    found = walked([fix(0, 50), fix(20, 100 + beyond_m, accuracy_m)])
    assert [stay.cell for stay in found] == (["A", "B"] if left else ["A"])


def test_outside_the_grid_he_is_in_no_cell() -> None:
    assert told(walked([fix(0, 10), fix(20, -40), fix(40, -40), fix(60, 50)])) == [("A", 0, 0, 1), ("A", 60, 60, 1)]


def test_after_ten_minutes_of_silence_it_is_not_known_where_he_was() -> None:
    assert told(walked([fix(0, 50), fix(600, 50)])) == [("A", 0, 600, 2)]
    assert told(walked([fix(0, 50), fix(601, 50)])) == [("A", 0, 0, 1), ("A", 601, 601, 1)]


def test_a_place_that_nobody_can_have_come_to_nor_gone_on_from_does_not_count() -> None:
    leap = [fix(0, 50), fix(20, 60), fix(40, 2_000), fix(60, 70), fix(80, 80)]
    assert jumps(leap) == [False, False, True, False, False]
    assert told(walked(leap)) == [("A", 0, 80, 5)]
    assert jumps([fix(0), fix(20, 3_000), fix(40, 3_010), fix(60, 3_020)]) == [True, False, False, False]
    assert jumps([fix(0), fix(20, 1_200)]) == [True, True], "of two alone nobody can say which"
    assert jumps([fix(0), fix(20, 1_000, accuracy_m=50)]) == [False, False], "50 m/s, as exact as they are"
    assert jumps([fix(0), fix(700, 90_000)]) == [False, False], "after a silence nothing is said"
    assert jumps([fix(0)]) == [False]
    assert jumps([fix(0), fix(20, 10), fix(40, 5_000), fix(60, 20)])[-1] is False, "the last is held against two"


def test_it_is_reckoned_anew_from_where_nothing_can_have_changed() -> None:
    steady = [fix(20 * n, 10 * n) for n in range(LOOK_BACK)]
    after = [fix(20 * LOOK_BACK, 60)]
    assert resume(steady, after) == LOOK_BACK - 2
    leap = [*steady[:-2], fix(20 * (LOOK_BACK - 2), 5_000), steady[-1]]
    assert resume(leap, after) == LOOK_BACK - 3
    assert resume(steady, [fix(20 * LOOK_BACK + 600, 60)]) == LOOK_BACK, "a silence: nothing of before counts"
    assert resume(steady[:2], after) == 0
    assert resume([], after) == 0
    wild = [fix(20 * n, 5_000 * n) for n in range(LOOK_BACK)]
    assert resume(wild, after) is None, "nothing to believe: further back"


def test_from_a_stay_that_goes_on_it_comes_to_the_same() -> None:
    way = [fix(20 * n, 40 + 9 * (n % 3) + 4 * n) for n in range(40)]
    whole = walked(way)
    for n in range(1, len(way)):
        begun = walked(way[: n + 1])[-1]
        done = [stay for stay in whole if stay.entered_at < begun.entered_at]
        assert [*done, *walked(way[n:], begun)] == whole
