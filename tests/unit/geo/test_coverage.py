"""How outlines lie together."""

from __future__ import annotations

import pytest
import shapely
import shapely.affinity

from geo.coverage import adjacent, box_around, holes, overlaps, polygons_of, strays
from geo.defects import Kind
from geo.place import Bounds
from geo.projection import area_m2

# A degree is about 90 km by 111 km here: 1e-5 degrees are about 0.9 m by 1.1 m.
STEP = 1e-5


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    """A box in steps of about a metre from a corner in Lanzhou."""
    return shapely.box(103.8 + west * STEP, 36 + south * STEP, 103.8 + east * STEP, 36 + north * STEP)


@pytest.mark.parametrize(
    ("why", "east_of_second", "kind", "refuses"),
    [
        ("half of it is shared", 50, Kind.OVERLAP, True),
        ("a strip of 100 m by 4 cm is above 2 m2", 99.95, Kind.OVERLAP, True),
        ("a strip of 100 m by 1 cm is a sliver", 99.99, Kind.SLIVER_OVERLAP, False),
    ],
)
def test_ground_that_two_outlines_share(why: str, east_of_second: float, kind: Kind, refuses: bool) -> None:
    shapes = [box(0, 0, 100, 100), box(east_of_second, 0, 200, 100)]
    (found,) = overlaps(["1", "2"], shapes, [7, 9])
    assert (found.kind, found.refuses, found.row) == (kind, refuses, 7), why
    assert found.area_m2 == pytest.approx(area_m2(shapely.intersection(shapes[0], shapes[1])))
    assert "1 and 2 (row 9)" in found.message
    assert found.place is not None
    assert shapely.covers(shapes[0], shapely.Point(found.place))


def test_neighbours_that_only_touch_do_not_overlap() -> None:
    assert overlaps(["1", "2", "3"], [box(0, 0, 10, 10), box(10, 0, 20, 10), box(10, 10, 20, 20)]) == []


def test_overlaps_that_refuse_are_told_first_the_largest_before() -> None:
    shapes = [box(0, 0, 100, 100), box(99.99, 0, 200, 100), box(0, 90, 99, 200), box(0, 150, 99, 300)]
    found = overlaps(["1", "2", "3", "4"], shapes)
    assert [(d.code, d.refuses) for d in found] == [("3", True), ("1", True), ("1", False)]


def test_a_corner_more_on_a_long_border_makes_no_overlap() -> None:
    west, east = box(-9000, 0, 0, 9000), box(0, 0, 9000, 9000)
    tilted = [shapely.affinity.rotate(shape, 30, origin=(103.8, 36.0)) for shape in (west, east)]
    finer = shapely.segmentize(tilted[1], 0.013)
    assert overlaps(["1", "2"], [tilted[0], finer]) == []


def test_a_hole_and_a_gap_are_told_apart_by_size() -> None:
    ring = shapely.difference(box(0, 0, 100, 100), shapely.union_all([box(10, 10, 40, 40), box(60, 60, 61, 61)]))
    found = holes([ring])
    assert [(d.kind, d.refuses) for d in found] == [(Kind.HOLE, False), (Kind.SLIVER_GAP, False)]
    assert found[0].area_m2 == pytest.approx(area_m2(box(10, 10, 40, 40)), rel=1e-6)


def test_a_hole_that_another_outline_fills_is_none() -> None:
    hole = box(10, 10, 40, 40)
    assert holes([shapely.difference(box(0, 0, 100, 100), hole), hole]) == []


def test_a_cell_that_leaves_its_division_is_told() -> None:
    cells = [box(0, 0, 10, 10), box(90, 0, 110, 10), box(0, 90, 10, 100.05)]
    found = strays(["1", "2", "3"], cells, ["d", "d", "d"], {"d": box(0, 0, 100, 100)})
    assert [(d.kind, d.code, d.refuses) for d in found] == [(Kind.OUTSIDE_ITS_DIVISION, "2", False)]


def test_a_shared_corner_makes_no_neighbours() -> None:
    assert adjacent([box(0, 0, 10, 10), box(10, 0, 20, 10), box(20, 10, 30, 20)]) == [(0, 1)]


def test_a_repair_keeps_the_areas_alone() -> None:
    mixed = shapely.GeometryCollection([box(0, 0, 1, 1), shapely.Point(0, 0), shapely.MultiPolygon([box(5, 5, 6, 6)])])
    assert len(polygons_of(mixed).geoms) == 2


def test_the_box_around_nothing_is_none() -> None:
    assert box_around([]) is None
    assert box_around([shapely.box(1, 2, 3, 4), shapely.box(0, 3, 1, 5)]) == Bounds(0, 2, 3, 5)
