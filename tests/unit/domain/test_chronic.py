"""What is chronic: the same class at the same place again, soon after it was closed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from geo.place import Place
from gridsvc.domain.chronic import Seen, Spot, spots_of

DAY = timedelta(days=1)
BEGIN = datetime(2026, 1, 1, tzinfo=UTC)
METRE = 1 / 111_000  # degrees north, near enough
_AT = Place(103.8, 36.06)


def seen(number: int, reported: float, closed: float | None, *, north_m: float = 0.0, category: str = "0101") -> Seen:
    """A case reported and closed so many days into the year, so far north of the place."""
    return Seen(
        id=UUID(int=number), edition="2013", category=category, place=Place(_AT.lon, _AT.lat + north_m * METRE),
        radius_m=50.0, reported_at=BEGIN + reported * DAY, closed_at=None if closed is None else BEGIN + closed * DAY,
    )  # fmt: skip


def numbers(*cases: Seen, days: int = 30) -> list[list[int]]:
    return [[each.id.int for each in spot.members] for spot in spots_of(cases, days * DAY)]


def test_the_same_class_at_the_same_place_again_within_thirty_days_after_closing() -> None:
    assert numbers(seen(1, 0, 2), seen(2, 20, 22), seen(3, 50, 51)) == [[1, 2, 3]]


def test_the_days_are_counted_from_the_closing_and_the_last_of_them_counts() -> None:
    assert numbers(seen(1, 0, 40), seen(2, 70, 71)) == [[1, 2]]
    assert numbers(seen(1, 0, 40), seen(2, 70.001, 71)) == []
    assert numbers(seen(1, 0, 40), seen(2, 60, 61), days=10) == []


def test_another_class_is_another_trouble() -> None:
    assert numbers(seen(1, 0, 1), seen(2, 2, 3, category="0102")) == []


def test_beyond_the_radius_it_is_another_place() -> None:
    assert numbers(seen(1, 0, 1), seen(2, 2, 3, north_m=49)) == [[1, 2]]
    assert numbers(seen(1, 0, 1), seen(2, 2, 3, north_m=51)) == []


def test_a_row_of_near_things_does_not_grow_along_the_street() -> None:
    """Each is 40 m from the one before; the third is 80 m from the first, which says where the place is."""
    assert numbers(seen(1, 0, 1), seen(2, 2, 3, north_m=40), seen(3, 4, 5, north_m=80)) == [[1, 2]]


def test_what_is_reported_while_it_is_still_open_is_the_same_trouble_and_no_new_one() -> None:
    assert numbers(seen(1, 0, None), seen(2, 2, 3)) == []
    assert numbers(seen(1, 0, 10), seen(2, 2, 3), seen(3, 12, 13)) == [[1, 3]]
    assert numbers(seen(1, 0, 10), seen(2, 2, 3), seen(3, 5, 6)) == [], "nor do its duplicates make a spot among them"


def test_the_nearest_spot_has_it_and_on_a_tie_the_older_one() -> None:
    assert numbers(seen(1, 0, 1), seen(2, 1, 2, north_m=60), seen(3, 3, 4, north_m=40)) == [[2, 3]]
    east, west = (_moved(seen(n, n - 1, n), lon) for n, lon in ((1, 0.0003), (2, -0.0003)))
    assert numbers(east, west, seen(3, 3, 4)) == [[1, 3]]


def _moved(case: Seen, lon: float) -> Seen:
    return Seen(**{**vars(case), "place": Place(_AT.lon + lon, _AT.lat)})


def test_a_spot_whose_days_are_over_does_not_keep_another_from_it() -> None:
    """After a quiet half year a new spot begins at the same place, and the old one stays as it was."""
    old = [seen(1, 0, 1), seen(2, 5, 6)]
    new = [seen(3, 200, 201), seen(4, 210, 211)]
    assert numbers(*old, *new) == [[3, 4], [1, 2]]


def test_the_worst_come_first_then_the_latest() -> None:
    three = [seen(n, n, n + 0.5, north_m=1_000) for n in (1, 2, 3)]
    early = [seen(n, n, n + 0.5, north_m=2_000) for n in (11, 12)]
    late = [seen(n, n, n + 0.5, north_m=3_000) for n in (21, 22)]
    assert numbers(*early, *late, *three) == [[1, 2, 3], [21, 22], [11, 12]]


def test_the_order_in_which_cases_are_given_changes_nothing() -> None:
    cases = [seen(n, n, n + 0.5, north_m=13 * (n % 7)) for n in range(40)]
    assert numbers(*cases) == numbers(*reversed(cases))


def test_neighbours_meet_across_a_whole_degree() -> None:
    """Squares of different width on either side would miss each other."""
    places = {1: Place(103.8, 36.9999), 2: Place(103.8, 37.0001)}
    cases = [Seen(**{**vars(seen(n, n, n + 0.5)), "place": place}) for n, place in places.items()]
    [spot] = spots_of(cases, 30 * DAY)
    assert isinstance(spot, Spot)
    assert (spot.anchor.id.int, spot.last.id.int) == (1, 2)


def test_far_in_the_north_where_degrees_are_narrow_a_place_is_as_wide_as_anywhere() -> None:
    east = 45 / 111_320 / 0.5  # 45 m at 60 degrees
    for start in range(20):
        places = {1: Place(10 + start * 0.0001, 60.0), 2: Place(10 + start * 0.0001 + east, 60.0)}
        cases = [Seen(**{**vars(seen(n, n, n + 0.5)), "place": place}) for n, place in places.items()]
        assert len(spots_of(cases, 30 * DAY)) == 1, start


def test_nothing_is_chronic_where_nothing_was_seen() -> None:
    assert spots_of([], 30 * DAY) == []
