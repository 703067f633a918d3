"""Shapes drawn small: where web maps put them, and neighbours that still fit together."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geo.drawing import label_points, simplified, united, web_mercator
from geo.tile import NORTHERNMOST

SPHERE = Transformer.from_crs(4326, 3857, always_xy=True)


@given(st.floats(-180, 180), st.floats(-NORTHERNMOST, NORTHERNMOST))
def test_metres_of_web_maps_are_those_of_proj(lon: float, lat: float) -> None:
    (point,) = web_mercator([shapely.Point(lon, lat)])
    assert (point.x, point.y) == pytest.approx(SPHERE.transform(lon, lat), abs=1e-4)


def test_what_lies_beyond_the_ends_of_the_map_lies_on_them() -> None:
    (point,) = web_mercator([shapely.Point(0, 90)])
    assert point.y == pytest.approx(20037508.34, abs=0.01)


def wavy(seed: int, columns: int = 6, rows: int = 5, steps: int = 12) -> list[shapely.Polygon]:
    """Squares of 100 m whose common edges are jagged lines, the same for both."""
    rng = np.random.default_rng(seed)

    def line(x0: float, y0: float, x1: float, y1: float) -> list[tuple[float, float]]:
        share = np.linspace(0, 1, steps + 1)[:-1]
        aside = rng.uniform(-1, 1, steps) * np.minimum(8, 40 * np.minimum(share, 1 - share))  # no line meets another
        xs = x0 + (x1 - x0) * share + (aside if x0 == x1 else 0)
        ys = y0 + (y1 - y0) * share + (aside if y0 == y1 else 0)
        return list(zip(xs.tolist(), ys.tolist(), strict=True))

    flat = {(i, j): line(i * 100, j * 100, i * 100 + 100, j * 100) for i in range(columns) for j in range(rows + 1)}
    steep = {(i, j): line(i * 100, j * 100, i * 100, j * 100 + 100) for i in range(columns + 1) for j in range(rows)}

    def back(points: list[tuple[float, float]], end: tuple[float, float]) -> list[tuple[float, float]]:
        return [end, *reversed(points[1:])]

    return [
        shapely.Polygon(
            flat[i, j] + steep[i + 1, j]
            + back(flat[i, j + 1], (i * 100 + 100, j * 100 + 100)) + back(steep[i, j], (i * 100, j * 100 + 100))
        )
        for i in range(columns) for j in range(rows)
    ]  # fmt: skip


@given(st.integers(0, 10_000), st.sampled_from([2.5, 10.0, 15.0, 150.0]))
def test_neighbours_keep_their_common_edges_and_none_vanishes(seed: int, tolerance: float) -> None:
    shapes = np.array(wavy(seed), dtype=object)
    assert shapely.coverage_is_valid(shapes)
    fewer = simplified(shapes, tolerance)
    assert shapely.coverage_is_valid(fewer)
    assert not shapely.is_empty(fewer).any()
    whole = united(fewer)
    assert isinstance(whole, shapely.Polygon)
    assert len(whole.interiors) == 0
    assert shapely.get_num_coordinates(fewer).sum() <= shapely.get_num_coordinates(shapes).sum()


def test_one_that_is_smaller_than_the_tolerance_is_still_there() -> None:
    alone = np.array([shapely.box(0, 0, 1, 1)], dtype=object)
    assert shapely.area(simplified(alone, 1000.0))[0] > 0


def test_what_overlaps_is_united_all_the_same() -> None:
    whole = united(np.array([shapely.box(0, 0, 2, 2), shapely.box(1, 1, 3, 3)], dtype=object))
    assert shapely.area(whole) == 7


def test_a_name_stands_inside() -> None:
    ring = shapely.Point(0, 0).buffer(10).difference(shapely.Point(0, 0).buffer(9))
    (label,) = label_points(np.array([ring], dtype=object))
    assert ring.contains(label)
