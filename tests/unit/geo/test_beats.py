"""Cells grouped into beats."""

from __future__ import annotations

import pytest
import shapely

from geo.beats import group_cells

ROW = [shapely.box(i * 0.001, 36, (i + 1) * 0.001, 36.001) for i in range(10)]


def test_each_cell_is_in_one_group_that_hangs_together() -> None:
    cells = [shapely.box(x * 0.001, y * 0.001, (x + 1) * 0.001, (y + 1) * 0.001) for y in range(12) for x in range(12)]
    groups = group_cells(cells, 12)
    assert sorted(cell for group in groups for cell in group) == list(range(144))
    for group in groups:
        assert shapely.union_all([cells[i] for i in group]).geom_type == "Polygon"
        assert 6 <= len(group) <= 24


def test_groups_begin_with_the_first_free_cell() -> None:
    assert group_cells(ROW, 5) == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]


def test_a_crumb_joins_its_smallest_neighbour() -> None:
    assert group_cells(ROW, 9) == [list(range(10))]


def test_islands_stay_groups_of_their_own() -> None:
    assert group_cells([ROW[0], ROW[5]], 6) == [[0], [1]]
    assert group_cells([], 6) == []


def test_a_beat_has_at_least_one_cell() -> None:
    with pytest.raises(ValueError, match="1 or more"):
        group_cells(ROW, 0)
