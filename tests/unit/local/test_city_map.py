"""The demo city as the map draws it: at every resolution cells, divisions and beats fit together without a gap."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pytest
import shapely

from gridsvc.actions.prepare_map import Ground, drawn_shapes
from gridsvc.local.city_make import make_city
from gridsvc.local.city_plan import SEED, City
from gridsvc.store import grids
from gridsvc.store.map_shapes import BeatGround, Drawn, MapShapes, NamedDivision


@pytest.fixture(scope="module")
def city() -> City:
    return make_city(SEED)


@pytest.fixture(scope="module")
def drawn(city: City) -> MapShapes:
    return drawn_shapes(
        Ground(
            [NamedDivision(d.code, d.name, d.name_en, d.level, d.outline) for d in city.land.divisions],
            [grids.Cell(c.code, "", c.division, 0.0, c.outline) for c in city.land.cells],
            [BeatGround(b.duty_line, b.code, b.name, list(b.cells)) for b in city.beats],
        )
    )


def coverages(drawn: MapShapes) -> dict[str, list[Drawn]]:
    """Each set of shapes that must fit together: cells, one level of divisions, the beats of one duty line."""
    found = {"cells": [each.drawn for each in drawn.cells]}
    for division in drawn.divisions:
        found.setdefault(f"divisions {division.level}", []).append(division.drawn)
    for beat in drawn.beats:
        found.setdefault(f"beats {beat.duty_line}", []).append(beat.drawn)
    return found


def array(shapes: Iterable[shapely.Geometry]) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
    return np.array(list(shapes), dtype=object)


def test_everything_is_drawn(city: City, drawn: MapShapes) -> None:
    assert {each.code for each in drawn.cells} == {cell.code for cell in city.land.cells}
    assert {each.code for each in drawn.divisions} == {division.code for division in city.land.divisions}
    assert {(each.duty_line, each.code) for each in drawn.beats} == {(b.duty_line, b.code) for b in city.beats}


@pytest.mark.parametrize("resolution", ["shape", "coarse", "coarsest"])
def test_neighbours_share_their_edges_and_leave_no_gap(drawn: MapShapes, resolution: str) -> None:
    for name, shapes in coverages(drawn).items():
        outlines = array(getattr(each, resolution) for each in shapes)
        assert shapely.coverage_is_valid(outlines), name
        assert shapely.is_valid(outlines).all(), name
        whole = shapely.coverage_union_all(outlines)
        holes = [ring for part in shapely.get_parts(whole) for ring in part.interiors]
        assert holes == [], name


def test_what_is_seen_from_afar_has_fewer_corners(drawn: MapShapes) -> None:
    for name, shapes in coverages(drawn).items():
        exact, coarse, coarsest = (
            int(shapely.get_num_coordinates(array(getattr(each, which) for each in shapes)).sum())
            for which in ("shape", "coarse", "coarsest")
        )
        assert exact > coarse >= coarsest, name
        assert coarsest < 0.75 * exact, name


def test_each_name_stands_inside_what_it_names(drawn: MapShapes) -> None:
    for shapes in coverages(drawn).values():
        assert shapely.covers(array(each.shape for each in shapes), array(each.label for each in shapes)).all()
