"""The squares of web maps."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from geo.tile import MOST_ZOOM, NORTHERNMOST, Tile, tile_of

ZOOMS = st.integers(0, MOST_ZOOM)


def test_the_whole_world_is_one_tile() -> None:
    world = Tile(0, 0, 0).bounds()
    assert (world.west, world.east) == (-180, 180)
    assert world.north == -world.south == NORTHERNMOST == pytest.approx(85.0511287798066)


def test_the_middle_of_lanzhou_lies_in_the_tile_that_every_map_asks_for() -> None:
    assert tile_of(103.8343, 36.0611, 15) == Tile(15, 25835, 12860)


@given(ZOOMS, st.floats(-179.9, 179.9), st.floats(-85, 85))
def test_a_place_lies_in_its_tile(z: int, lon: float, lat: float) -> None:
    box = tile_of(lon, lat, z).bounds(margin=1e-9)
    assert box.west <= lon <= box.east
    assert box.south <= lat <= box.north


@given(ZOOMS, st.data())
def test_the_middle_of_a_tile_belongs_to_it(z: int, data: st.DataObject) -> None:
    many = (1 << z) - 1
    tile = Tile(z, data.draw(st.integers(0, many)), data.draw(st.integers(0, many)))
    box = tile.bounds()
    assert tile_of((box.west + box.east) / 2, (box.south + box.north) / 2, z) == tile


def test_edges_are_those_of_the_projection() -> None:
    """By pyproj, which knows nothing of our formulas."""
    half = 20037508.342789244
    to_degrees = Transformer.from_crs("EPSG:3857", "EPSG:4326", always_xy=True)
    tile, side = Tile(12, 3229, 1606), 2 * half / (1 << 12)
    west, north = to_degrees.transform(-half + 3229 * side, half - 1606 * side)
    assert (tile.bounds().west, tile.bounds().north) == pytest.approx((west, north), abs=1e-9)


def test_neighbours_share_their_edge() -> None:
    assert Tile(9, 5, 7).bounds().east == Tile(9, 6, 7).bounds().west
    assert Tile(9, 5, 7).bounds().south == Tile(9, 5, 8).bounds().north


def test_beyond_the_ends_of_the_map_is_the_nearest_tile() -> None:
    assert tile_of(0, 90, 3).y == 0
    assert tile_of(0, -90, 3).y == 7
    assert tile_of(180, 0, 3).x == 7


@pytest.mark.parametrize("wrong", [(-1, 0, 0), (MOST_ZOOM + 1, 0, 0), (3, 8, 0), (3, 0, 8), (3, -1, 0)])
def test_what_is_no_tile_is_refused(wrong: tuple[int, int, int]) -> None:
    with pytest.raises(ValueError, match="is no tile"):
        Tile(*wrong)
