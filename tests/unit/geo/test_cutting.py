"""Unit cells cut inside an outline, and what areas they have."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.cells import REMAINDER_SHARE, UnitCell, cut_cells
from geo.projection import Plane, area_m2, areas_m2, fitting_plane

PLANE = fitting_plane(103.8, 36.05)


def outline_in_metres(*corners: tuple[float, float], hole: list[tuple[float, float]] | None = None) -> shapely.Polygon:
    """A polygon in degrees from corners in metres, counted from a corner of the grid."""
    flat = shapely.Polygon([(x, y) for x, y in corners], [hole] if hole else None)
    at = shapely.get_coordinates(flat)
    lon, lat = PLANE.to_degrees(at[:, 0] + 400_000, at[:, 1] + 3_990_000)
    return shapely.set_coordinates(flat, np.column_stack([lon, lat]))


def assert_tiles(cells: list[UnitCell], outline: shapely.Geometry) -> None:
    shapes = np.array([cell.shape for cell in cells], dtype=object)
    assert shapely.is_valid(shapes).all()
    assert shapely.coverage_is_valid(shapes)  # all borders match corner by corner: no gap, no overlap
    assert area_m2(shapely.symmetric_difference(shapely.union_all(shapes), outline)) < 1e-3


def test_a_frame_is_a_cgcs2000_zone_in_china_and_utm_elsewhere() -> None:
    assert fitting_plane(103.8, 36.05) == Plane(4544)
    assert fitting_plane(-118.3, 34.05) == Plane(32611)
    assert fitting_plane(18.4, -33.9) == Plane(32734)
    assert fitting_plane(-180.0, 10.0) == Plane(32601)


def test_areas_are_those_on_the_ground() -> None:
    square = outline_in_metres((0, 0), (1000, 0), (1000, 1000), (0, 1000))
    # The frame's own scale is 1.0003 in area here; EPSG:3857 would read 1 530 000.
    assert area_m2(square) == pytest.approx(1_000_000, rel=0.001)
    pond = [(100.0, 100.0), (200.0, 100.0), (200.0, 200.0), (100.0, 200.0)]
    hollow = outline_in_metres((0, 0), (1000, 0), (1000, 1000), (0, 1000), hole=pond)
    assert area_m2(square) - area_m2(hollow) == pytest.approx(10_000, rel=0.001)
    assert area_m2(shapely.MultiPolygon([square])) == area_m2(square)


def test_whole_squares_are_cells_of_10000_square_metres() -> None:
    outline = outline_in_metres((0, 0), (500, 0), (500, 300), (0, 300))
    cells = cut_cells(outline, PLANE, 100.0)
    assert len(cells) == 15
    assert_tiles(cells, outline)
    assert areas_m2(np.array([c.shape for c in cells], dtype=object)) == pytest.approx(np.full(15, 10_000), rel=0.001)


def test_cells_are_numbered_west_to_east_then_north_to_south() -> None:
    cells = cut_cells(outline_in_metres((10, 10), (290, 10), (290, 190), (10, 190)), PLANE, 100.0)
    middles = [shapely.get_coordinates(shapely.centroid(cell.shape))[0] for cell in cells]
    rows = [middles[:3], middles[3:]]
    assert all(row[0][0] < row[1][0] < row[2][0] for row in rows)
    assert min(at[1] for at in rows[0]) > max(at[1] for at in rows[1])


def test_a_small_remainder_joins_the_neighbour_with_the_longest_border() -> None:
    # 20 m stick out to the east of two squares: 2 000 m2 each, below a quarter of a cell.
    outline = outline_in_metres((0, 0), (120, 0), (120, 200), (0, 200))
    cells = cut_cells(outline, PLANE, 100.0)
    assert [round(area_m2(c.shape), -2) for c in cells] == [12_000, 12_000]
    assert_tiles(cells, outline)


def test_a_remainder_of_a_quarter_stays_a_cell() -> None:
    cells = cut_cells(outline_in_metres((0, 0), (126, 0), (126, 100), (0, 100)), PLANE, 100.0)
    assert [round(area_m2(c.shape), -2) for c in cells] == [10_000, 2_600]


def test_an_outline_smaller_than_a_remainder_is_one_cell() -> None:
    outline = outline_in_metres((95, 95), (105, 95), (105, 105), (95, 105))
    cells = cut_cells(outline, PLANE, 100.0)
    assert len(cells) == 1
    assert_tiles(cells, outline)


def test_an_outline_of_two_parts_has_no_cell_in_both() -> None:
    west = outline_in_metres((0, 0), (90, 0), (90, 90), (0, 90))
    parts = [west, outline_in_metres((95, 0), (99, 0), (99, 90), (95, 90))]
    cells = cut_cells(shapely.MultiPolygon(parts), PLANE, 100.0)
    assert len(cells) == 2
    assert_tiles(cells, shapely.MultiPolygon(parts))


def test_neighbouring_outlines_share_the_corners_on_their_border() -> None:
    west = outline_in_metres((0, 0), (500, 33), (431, 700), (0, 700))
    east = outline_in_metres((500, 33), (900, 0), (900, 700), (431, 700))
    shapes = [c.shape for outline in (west, east) for c in cut_cells(outline, PLANE, 100.0)]
    both = shapely.union_all([west, east])
    assert area_m2(shapely.symmetric_difference(shapely.union_all(shapes), both)) < 1e-3
    overlap = sum(area_m2(s) for s in shapes) - area_m2(both)
    assert abs(overlap) < 1e-4


def test_an_outline_too_large_for_its_cells_is_refused() -> None:
    with pytest.raises(ValueError, match="squares of 10 m"):
        cut_cells(shapely.box(103, 35, 104, 36), PLANE, 10.0)


@settings(deadline=None, max_examples=40)
@given(
    reaches=st.lists(st.floats(60, 900), min_size=3, max_size=14),
    shift=st.floats(0, 100),
    hollow=st.booleans(),
)
def test_whatever_the_outline_its_cells_tile_it(reaches: list[float], shift: float, hollow: bool) -> None:
    angles = np.linspace(0, 2 * np.pi, len(reaches), endpoint=False)
    rays = [(float(np.cos(a)), float(np.sin(a))) for a in angles]
    around = [(shift + r * x, shift + r * y) for r, (x, y) in zip(reaches, rays, strict=True)]
    hole = [(shift + 5 * x, shift + 5 * y) for x, y in rays] if hollow else None
    outline = outline_in_metres(*around, hole=hole)
    if not outline.is_valid:
        return
    cells = cut_cells(outline, PLANE, 100.0)
    assert_tiles(cells, outline)
    if len(cells) > 1 and outline.geom_type == "Polygon":
        least = min(area_m2(cell.shape) for cell in cells)
        assert least > REMAINDER_SHARE * 10_000 * 0.99
