"""One place, one cell."""

from __future__ import annotations

import math

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.locator import BORDER_DEG, Found, Locator, tolerance_m
from geo.place import Place
from geo.projection import ELLIPSOID

# Two by two squares of about 90 m by 111 m; "10" sorts before "9", as bytes do.
CELLS = {
    "10": shapely.box(103.800, 36.000, 103.801, 36.001),
    "9": shapely.box(103.801, 36.000, 103.802, 36.001),
    "a": shapely.box(103.800, 36.001, 103.801, 36.002),
    "b": shapely.box(103.801, 36.001, 103.802, 36.002),
}
LOCATOR = Locator(list(CELLS), list(CELLS.values()))


def north_of(metres: float) -> Place:
    """So many metres north of the middle of the northern edge of "a"."""
    lon, lat, _ = ELLIPSOID.fwd(103.8005, 36.002, 0, metres)
    return Place(lon, lat)


@pytest.mark.parametrize(
    ("why", "place", "expected"),
    [
        ("inside", Place(103.8005, 36.0005), Found("10", "covers", False, (), 0.0)),
        ("on the line between two", Place(103.801, 36.0005), Found("10", "covers", True, ("9",), 0.0)),
        ("where four meet", Place(103.801, 36.001), Found("10", "covers", True, ("9", "a", "b"), 0.0)),
        ("a hair beside the line", Place(103.801 + BORDER_DEG / 2, 36.0005), Found("10", "covers", True, ("9",), 0.0)),
        ("beside the line", Place(103.801 + BORDER_DEG * 2, 36.0005), Found("9", "covers", False, (), 0.0)),
        ("on the outer edge", Place(103.8005, 36.002), Found("a", "covers", False, (), 0.0)),
        ("15 m outside", north_of(15), Found("a", "snapped", False, (), 15.0)),
        ("21 m outside", north_of(21), None),
        ("far outside", Place(104.5, 36.0), None),
    ],
)
def test_who_owns_a_place(why: str, place: Place, expected: Found | None) -> None:
    assert LOCATOR.locate(place) == expected, why


@pytest.mark.parametrize(
    ("accuracy_m", "expected"), [(None, 20.0), (0.0, 20.0), (5.0, 20.0), (35.0, 35.0), (100.0, 100.0), (5_000.0, 100.0)]
)
def test_tolerance_is_the_stated_accuracy_between_20_and_100_metres(accuracy_m: float | None, expected: float) -> None:
    assert tolerance_m(accuracy_m) == expected


def test_a_vague_place_may_lie_further_out_but_never_beyond_100_metres() -> None:
    for metres, accuracy, snapped in ((60, 70.0, True), (60, 50.0, False), (99, 500.0, True), (101, 500.0, False)):
        place = north_of(metres)
        found = LOCATOR.locate(Place(place.lon, place.lat, accuracy))
        assert (found is not None) == snapped, (metres, accuracy)


def test_a_shared_nearest_corner_goes_to_the_lower_code() -> None:
    lon, lat, _ = ELLIPSOID.fwd(103.801, 36.002, 0, 10)
    assert LOCATOR.locate(Place(lon, lat)) == Found("a", "snapped", False, (), 10.0)


def test_distance_is_to_the_nearest_point_on_the_ellipsoid_not_in_degrees() -> None:
    # Nearer in degrees to the edge north of it, nearer in metres to the one east of it: a degree of longitude is short.
    edge = [(0.0, 60.0001), (0.00015, 60.0001), (0.00015, 59.999)]
    shape = shapely.Polygon([*edge, (0.001, 59.999), (0.001, 60.001), (0.0, 60.001)])
    found = Locator(["only"], [shape]).locate(Place(0.0, 60.0, None))
    assert found is not None
    expected = min(ELLIPSOID.inv(0, 60, 0.00015, 60)[2], ELLIPSOID.inv(0, 60, 0, 60.0001)[2])
    assert found.distance_m == pytest.approx(expected, abs=0.002)
    assert expected < 9


def test_a_set_without_cells_owns_nothing() -> None:
    assert Locator([], []).locate(Place(103.8, 36.0)) is None


@given(lon=st.floats(103.8, 103.802), lat=st.floats(36.0, 36.002))
def test_every_place_in_the_outline_has_exactly_one_owner(lon: float, lat: float) -> None:
    found = LOCATOR.locate(Place(lon, lat))
    assert found is not None
    assert found.method == "covers"
    column, row = ("10", "a") if lon <= 103.801 else ("9", "b"), lat > 36.001
    plainly = abs(lon - 103.801) > 2 * BORDER_DEG and abs(lat - 36.001) > 2 * BORDER_DEG
    assert not plainly or found.code == column[row]


@given(places=st.lists(st.tuples(st.floats(103.799, 103.803), st.floats(35.999, 36.003)), max_size=8))
def test_many_at_once_are_located_as_one_by_one(places: list[tuple[float, float]]) -> None:
    many = LOCATOR.locate_many([p[0] for p in places], [p[1] for p in places], [math.pi * 10] * len(places))
    assert many == [LOCATOR.locate(Place(*p, math.pi * 10)) for p in places]


def test_as_many_codes_as_outlines() -> None:
    with pytest.raises(ValueError, match="1 codes and 0 outlines"):
        Locator(["1"], [])
