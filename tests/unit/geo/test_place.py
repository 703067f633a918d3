"""What may be called a place."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.datum import Datum, from_wgs84
from geo.place import BadPlace, Bounds, Place, read_place

LANZHOU = Bounds(103.0, 35.5, 104.6, 37.0)


@pytest.mark.parametrize(
    ("why", "lon", "lat", "datum", "accuracy_m", "city", "reason"),
    [
        ("a phone that swaps", 36.06, 103.83, "wgs84", None, LANZHOU, "swapped_axes"),
        ("a swapped pair of a shifted map", 36.06, 103.83, "gcj02", None, LANZHOU, "swapped_axes"),
        ("a receiver without a fix", 0.0, 0.0, "wgs84", None, LANZHOU, "null_island"),
        ("a receiver with noise", 0.005, -0.005, "wgs84", None, None, "null_island"),
        ("another city", 116.4, 39.9, "wgs84", None, LANZHOU, "far_away"),
        ("beyond the margin", 103.8, 38.0, "wgs84", None, LANZHOU, "far_away"),
        ("not a number", math.nan, 36.0, "wgs84", None, LANZHOU, "not_finite"),
        ("infinite", 103.8, math.inf, "wgs84", None, None, "not_finite"),
        ("accuracy is not a number", 103.8, 36.0, "wgs84", math.nan, None, "not_finite"),
        ("accuracy below nothing", 103.8, 36.0, "wgs84", -1.0, None, "out_of_range"),
        ("no datum", 103.8, 36.0, None, None, LANZHOU, "datum_missing"),
        ("a datum nobody knows", 103.8, 36.0, "WGS84", None, LANZHOU, "datum_missing"),
        ("off the globe", 171.3, 200.0, "wgs84", None, LANZHOU, "out_of_range"),
        ("off the globe, no city to compare", 36.06, 103.83, "wgs84", None, None, "out_of_range"),
    ],
)
def test_what_is_no_place_says_why(
    why: str, lon: float, lat: float, datum: str | None, accuracy_m: float | None, city: Bounds | None, reason: str
) -> None:
    with pytest.raises(BadPlace) as refused:
        read_place(lon, lat, datum, accuracy_m, city)
    assert refused.value.reason == reason, why
    assert refused.value.given
    assert refused.value.wanted
    assert refused.value.given in str(refused.value)
    assert refused.value.wanted in str(refused.value)


def test_a_place_in_the_outskirts_is_one() -> None:
    assert read_place(103.8, 37.8, "wgs84", 12.5, LANZHOU) == Place(103.8, 37.8, 12.5)


def test_a_place_keeps_wgs84_whatever_it_was_told_in() -> None:
    for datum in Datum:
        place = read_place(*from_wgs84(103.834, 36.061, datum), str(datum), None, LANZHOU)
        assert (place.lon, place.lat) == pytest.approx((103.834, 36.061), abs=1e-9)


@given(lon=st.floats(), lat=st.floats(), datum=st.sampled_from([*map(str, Datum), None, ""]))
def test_any_two_numbers_are_a_place_nearby_or_refused(lon: float, lat: float, datum: str | None) -> None:
    try:
        place = read_place(lon, lat, datum, None, LANZHOU)
    except BadPlace:
        return
    assert LANZHOU.reaches(place.lon, place.lat, 100_000)
