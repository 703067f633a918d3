"""Degrees of Chinese maps and back."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from geo.datum import Datum, all_from_wgs84, all_to_wgs84, from_wgs84, to_wgs84
from geo.projection import ELLIPSOID

LANZHOU = (103.834, 36.061)
SHIFTED = [Datum.GCJ02, Datum.BD09]

in_china = st.tuples(st.floats(73.5, 135.1), st.floats(18.0, 53.6))
on_earth = st.tuples(st.floats(-180, 180), st.floats(-90, 90))


def metres(one: tuple[float, float], other: tuple[float, float]) -> float:
    return float(ELLIPSOID.inv(*one, *other)[2])


@pytest.mark.parametrize(
    ("datum", "distance_m", "bearing_deg"), [(Datum.GCJ02, 219.6, 99.5), (Datum.BD09, 1015.2, 52.5)]
)
def test_lanzhou_is_displaced_as_measured(datum: Datum, distance_m: float, bearing_deg: float) -> None:
    bearing, _, distance = ELLIPSOID.inv(*LANZHOU, *from_wgs84(*LANZHOU, datum))
    assert distance == pytest.approx(distance_m, abs=0.1)
    assert bearing == pytest.approx(bearing_deg, abs=0.1)


@pytest.mark.parametrize("datum", SHIFTED)
@given(place=in_china)
@example(place=LANZHOU)
@example(place=(105.0, 35.0))  # the formula has a square root with its corner here
@example(place=(105.0 + 1e-12, 35.0))
def test_back_and_forth_loses_less_than_a_millimetre_in_china(datum: Datum, place: tuple[float, float]) -> None:
    assert metres(place, to_wgs84(*from_wgs84(*place, datum), datum)) < 0.001


@pytest.mark.parametrize("datum", SHIFTED)
@pytest.mark.parametrize("place", [(72.004, 30.0), (137.8347, 30.0), (110.0, 0.8293), (110.0, 55.8271)])
def test_the_rim_of_the_box_comes_back_too(datum: Datum, place: tuple[float, float]) -> None:
    assert metres(place, to_wgs84(*from_wgs84(*place, datum), datum)) < 0.001


@pytest.mark.parametrize("datum", SHIFTED)
@pytest.mark.parametrize(
    "place", [(-118.24, 34.05), (4.9, 52.37), (139.69, 35.69), (0.0, 0.0), (-180.0, -90.0), (120.0, 90.0)]
)
def test_outside_china_maps_are_not_shifted(datum: Datum, place: tuple[float, float]) -> None:
    assert from_wgs84(*place, datum) == place
    assert to_wgs84(*place, datum) == place


@given(place=on_earth)
def test_cgcs2000_counts_as_wgs84(place: tuple[float, float]) -> None:
    assert to_wgs84(*place, Datum.CGCS2000) == from_wgs84(*place, Datum.CGCS2000) == place


@pytest.mark.parametrize("datum", list(Datum))
@given(places=st.lists(st.one_of(in_china, on_earth), max_size=20))
def test_arrays_are_converted_as_single_places_are(datum: Datum, places: list[tuple[float, float]]) -> None:
    lons, lats = np.array([p[0] for p in places], float), np.array([p[1] for p in places], float)
    for many, one in ((all_to_wgs84, to_wgs84), (all_from_wgs84, from_wgs84)):
        there = np.column_stack(many(lons, lats, datum))
        singly = np.array([one(*p, datum) for p in places]).reshape(-1, 2)
        assert np.allclose(there, singly, rtol=0, atol=1e-11)
    assert [tuple(p) for p in np.column_stack([lons, lats])] == places  # what was given is left as it was
