"""What a camera sees: the sector on the ground, and how the cells share it."""

from __future__ import annotations

import math

import numpy as np
import pytest
import shapely
from hypothesis import example, given
from hypothesis import strategies as st

from geo.place import Place
from geo.projection import ELLIPSOID, area_m2, metres_between
from geo.view import ALL_AROUND_DEG, ARC_POINTS, BadView, Ground, Look, outline

FOOT = Place(103.8, 36.06)

looks = st.builds(
    Look,
    st.floats(0, 359.999),
    st.floats(1, 360),
    st.floats(0, 50),
    st.floats(51, 2_000),
)


# Square cells of a thousandth of a degree on all sides of FOOT, without gaps.
CELLS = {
    f"{i + 30:03d}{j + 30:03d}": shapely.box(
        FOOT.lon + i / 1000, FOOT.lat + j / 1000, FOOT.lon + (i + 1) / 1000, FOOT.lat + (j + 1) / 1000
    )
    for i in range(-30, 30)
    for j in range(-30, 30)
}
EVERYWHERE = Ground(list(CELLS), list(CELLS.values()))
WEST = {code: cell for code, cell in CELLS.items() if cell.bounds[2] <= FOOT.lon + 1e-9}
TO_THE_WEST = Ground(list(WEST), list(WEST.values()))


def by_formula(look: Look) -> float:
    """Area of the figure that is drawn: triangles between the points of an arc, without those of the near arc."""
    chords = ARC_POINTS if look.field_deg >= ALL_AROUND_DEG else ARC_POINTS - 1
    triangle = math.sin(math.radians(look.field_deg) / chords) / 2
    return chords * triangle * (look.far_m**2 - look.near_m**2)


@given(looks)
def test_the_area_is_that_of_the_sector(look: Look) -> None:
    assert area_m2(outline(FOOT, look)) == pytest.approx(by_formula(look), rel=1e-3)
    sector = math.radians(look.field_deg) / 2 * (look.far_m**2 - look.near_m**2)
    assert by_formula(look) == pytest.approx(sector, rel=0.0125), "24 points are enough"


@given(looks)
@example(Look(0.0, math.nextafter(360.0, 0.0), 1.0, 51.0))  # a gap that doubles cannot draw
def test_a_view_is_a_whole_figure_within_its_range(look: Look) -> None:
    seen = outline(FOOT, look)
    assert seen.is_valid
    assert not seen.is_empty
    corners = [Place(lon, lat) for lon, lat in seen.exterior.coords]
    assert max(metres_between(FOOT, corner) for corner in corners) == pytest.approx(look.far_m, abs=0.01)


@given(looks, st.floats(0, 359))
def test_turning_the_camera_turns_what_it_sees_and_changes_nothing_else(look: Look, turn: float) -> None:
    turned = Look((look.bearing_deg + turn) % 360, look.field_deg, look.near_m, look.far_m)
    assert area_m2(outline(FOOT, turned)) == pytest.approx(area_m2(outline(FOOT, look)), rel=1e-3)
    if look.field_deg < 180:
        middle = ELLIPSOID.fwd(FOOT.lon, FOOT.lat, turned.bearing_deg, (look.near_m + look.far_m) / 2)
        assert outline(FOOT, turned).covers(shapely.Point(middle[0], middle[1]))


@given(looks)
def test_no_share_is_lost_and_none_is_negative(look: Look) -> None:
    shares = EVERYWHERE.shares(outline(FOOT, look))
    assert all(each.share > 0 for each in shares)
    assert [each.share for each in shares] == sorted((each.share for each in shares), reverse=True)
    assert sum(each.share for each in shares) == pytest.approx(1, abs=1e-4)


@given(looks)
def test_shares_sum_to_what_lies_inside_the_grid(look: Look) -> None:
    """The grid ends on the meridian of the camera: what it sees east of it belongs to nobody."""
    seen = outline(FOOT, look)
    inside = shapely.intersection(seen, shapely.box(FOOT.lon - 0.03, FOOT.lat - 0.03, FOOT.lon, FOOT.lat + 0.03))
    assert sum(each.share for each in TO_THE_WEST.shares(seen)) == pytest.approx(
        area_m2(inside) / area_m2(seen), abs=1e-4
    )


@given(looks)
def test_the_spot_of_a_share_lies_in_its_cell_and_in_view(look: Look) -> None:
    seen = outline(FOOT, look)
    for each in EVERYWHERE.shares(seen)[:5]:
        spot = shapely.Point(each.spot.lon, each.spot.lat)
        assert shapely.dwithin(seen, spot, 1e-9)
        assert shapely.dwithin(CELLS[each.code], spot, 1e-9)


def test_north_is_true_north() -> None:
    """A projected frame would be turned by 0.7 degrees here: at 500 m that is 6 m."""
    seen = outline(FOOT, Look(0, 10, 0, 500))
    tip = np.asarray(seen.exterior.coords)[:ARC_POINTS].mean(axis=0)
    assert tip[0] == pytest.approx(FOOT.lon, abs=1e-9)
    assert tip[1] > FOOT.lat


def test_a_camera_that_looks_all_around_does_not_see_its_own_foot() -> None:
    seen = outline(FOOT, Look(0, 360, 5, 50))
    assert len(seen.interiors) == 1
    assert not seen.covers(shapely.Point(FOOT.lon, FOOT.lat))
    assert outline(FOOT, Look(90, 60, 5, 50)).covers(shapely.Point(FOOT.lon, FOOT.lat)) is False
    assert Look(90, 60, 5, 50).around() == Look(0, 360, 5, 50)


def test_a_point_has_the_cell_that_it_lies_in_and_of_several_the_lowest() -> None:
    inside = EVERYWHERE.shares(shapely.Point(FOOT.lon + 0.0005, FOOT.lat + 0.0005))
    assert [(each.code, each.share) for each in inside] == [("030030", 1.0)]
    ground = Ground(["b", "a"], [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1)])
    assert [each.code for each in ground.shares(shapely.Point(1, 0.5))] == ["a"]


def test_outside_the_grid_nothing_is_seen() -> None:
    assert EVERYWHERE.shares(outline(Place(10, 10), Look(0, 60, 0, 100))) == []


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ((360, 60, 0, 100), "bearing_deg"),
        ((-1, 60, 0, 100), "bearing_deg"),
        ((math.nan, 60, 0, 100), "bearing_deg"),
        ((0, 0, 0, 100), "field_deg"),
        ((0, 361, 0, 100), "field_deg"),
        ((0, 60, -1, 100), "near_m"),
        ((0, 60, 100, 100), "far_m"),
        ((0, 60, 0, 80_000), "far_m"),
        ((0, 60, 0, math.inf), "far_m"),
    ],
)
def test_what_no_camera_has_is_refused_by_name(values: tuple[float, float, float, float], field: str) -> None:
    with pytest.raises(BadView) as refused:
        Look(*values)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: given ")
