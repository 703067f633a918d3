"""Which fixes count, and why another does not; what stock trackers send."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest

from geo.place import Bounds
from gridsvc.domain.position import (
    Claim,
    Outcome,
    Span,
    against_known,
    judge,
    newest,
    slot_of,
    way,
    while_on_duty,
)
from gridsvc.domain.tracker import read_form, read_moment
from gridsvc.errors import BadRequest

NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)
CITY = Bounds(103.5, 35.9, 104.2, 36.4)


def fix(seconds_ago: float = 10, lon: float = 103.83, lat: float = 36.06, datum: str | None = "wgs84") -> Claim:
    return Claim(lon=lon, lat=lat, datum=datum, accuracy_m=8.0, taken_at=NOW - timedelta(seconds=seconds_ago))


@pytest.mark.parametrize(
    ("why", "claim", "outcome", "reason"),
    [
        ("a fresh fix in the city", fix(), Outcome.ACCEPTED, None),
        ("a clock two minutes ahead is borne", fix(-120), Outcome.ACCEPTED, None),
        ("a clock further ahead is not", fix(-121), Outcome.FROM_THE_FUTURE, None),
        ("a receiver that lost its calendar", fix(31 * 86_400), Outcome.TOO_OLD, None),
        ("axes swapped", fix(lon=36.06, lat=103.83), Outcome.BAD_LOCATION, "swapped_axes"),
        ("no fix yet", fix(lon=0, lat=0), Outcome.BAD_LOCATION, "null_island"),
        ("another city", fix(lon=116.4, lat=39.9), Outcome.BAD_LOCATION, "far_away"),
        ("which datum is not guessed", fix(datum=None), Outcome.BAD_LOCATION, "datum_missing"),
        ("not a number", fix(lon=float("nan")), Outcome.BAD_LOCATION, "not_finite"),
    ],
)
def test_a_fix_is_judged_by_time_and_place(why: str, claim: Claim, outcome: Outcome, reason: str | None) -> None:
    judged = judge(claim, NOW, CITY)
    assert (judged.outcome, judged.reason) == (outcome, reason), why


def test_a_fix_from_a_clock_ahead_counts_as_taken_on_receipt() -> None:
    assert judge(fix(-100), NOW, CITY).taken_at == NOW


def test_a_fix_in_another_datum_is_kept_in_wgs84() -> None:
    place = judge(fix(datum="gcj02"), NOW, CITY).place
    assert place is not None
    assert abs(place.lon - 103.83) > 0.001


def test_the_way_has_one_fix_of_each_twenty_seconds_and_leaves_out_what_is_not_exact() -> None:
    vague = Claim(lon=103.83, lat=36.06, datum="wgs84", accuracy_m=101.0, taken_at=NOW - timedelta(seconds=40))
    silent = Claim(lon=103.83, lat=36.06, datum="wgs84", accuracy_m=None, taken_at=NOW - timedelta(seconds=15))
    mocked = Claim(lon=103.9, lat=36.06, datum="wgs84", accuracy_m=3, taken_at=NOW - timedelta(seconds=99), mocked=True)
    for batch in permutations([fix(0, lon=0, lat=0), mocked, fix(95), fix(85), fix(79), vague, silent]):
        kept = way([judge(claim, NOW, CITY) for claim in batch])
        assert [(NOW - each.taken_at).total_seconds() for each in kept.values()] == [95, 79, 15]
        assert list(kept) == [slot_of(each.taken_at) for each in kept.values()]
    assert slot_of(NOW + timedelta(seconds=19.999)) == NOW


def test_a_place_that_a_program_made_up_is_of_the_way_and_never_the_latest() -> None:
    made_up = Claim(lon=103.9, lat=36.06, datum="wgs84", accuracy_m=3, taken_at=NOW, mocked=True)
    judged = [judge(claim, NOW, CITY) for claim in (made_up, fix(30))]
    assert [(each.outcome, each.reason) for each in judged] == [(Outcome.ACCEPTED, "mocked"), (Outcome.ACCEPTED, None)]
    assert newest(judged) == judged[1]
    assert [each.mocked for each in way(judged).values()] == [False, True]


def test_what_counts_is_when_a_fix_was_taken_not_when_it_came() -> None:
    shift = [Span(NOW - timedelta(hours=9), NOW - timedelta(hours=1)), Span(NOW - timedelta(seconds=60), None)]
    judged = [judge(fix(ago), NOW, CITY) for ago in (10, 60, 61, 3_600, 3_601, 9 * 3_600, 9 * 3_600 + 1)]
    outcomes = [each.outcome.value for each in while_on_duty(judged, shift)]
    assert outcomes == ["accepted", "accepted", "off_duty", "off_duty", "accepted", "accepted", "off_duty"]
    assert {each.place for each in while_on_duty(judged, [])} == {None}


def test_of_two_fixes_of_one_moment_the_more_exact_is_the_latest() -> None:
    exact, blurred = fix(10), replace(fix(10), accuracy_m=30.0, lon=103.84)
    for order in permutations([exact, blurred]):
        best = newest([judge(claim, NOW, CITY) for claim in order])
        assert best is not None
        assert best.place is not None
        assert best.place.accuracy_m == 8.0


def test_the_newest_of_a_batch_is_the_same_in_every_order() -> None:
    batch = [fix(50), fix(10), fix(30), fix(20, lon=0, lat=0)]
    known = NOW - timedelta(seconds=40)
    expected = {NOW - timedelta(seconds=n): outcome for n, outcome in
                ((50, "older_than_known"), (10, "accepted"), (30, "accepted"), (20, "bad_location"))}  # fmt: skip
    for order in permutations(batch):
        judged = [judge(claim, NOW, CITY) for claim in order]
        best = newest(judged)
        assert best is not None
        assert best.taken_at == NOW - timedelta(seconds=10)
        assert {j.taken_at: j.outcome.value for j in against_known(judged, known)} == expected


def test_a_fix_that_is_known_is_known_when_it_comes_again() -> None:
    judged = [judge(fix(10), NOW, CITY)]
    assert against_known(judged, NOW - timedelta(seconds=10))[0].outcome is Outcome.OLDER_THAN_KNOWN


def test_nothing_good_is_nothing_to_keep() -> None:
    assert newest([judge(fix(lon=0, lat=0), NOW, CITY)]) is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1795399200", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)),
        ("1795399200000", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)),
        ("2026-11-23T10:00:00+08:00", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)),
        ("2026-11-23T02:00:00.000Z", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)),
        ("2026-11-23 02:00:00", datetime(2026, 11, 23, 2, 0, tzinfo=UTC)),
    ],
)
def test_trackers_write_a_moment_in_four_ways(text: str, moment: datetime) -> None:
    assert read_moment(text) == moment


@pytest.mark.parametrize("text", ["yesterday", "99999999999999999999", "", "²"])
def test_a_moment_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadRequest):
        read_moment(text)


def test_the_osmand_form_is_wgs84_with_hdop_for_accuracy() -> None:
    read = read_form({"deviceid": "d", "lat": "36.06", "lon": "103.83", "hdop": "1.2", "speed": "3"}, NOW)
    assert read.device == "d"
    assert (read.claim.lon, read.claim.lat, read.claim.datum) == (103.83, 36.06, "wgs84")
    assert read.claim.accuracy_m == pytest.approx(6.0)
    assert read.claim.taken_at == NOW


def test_one_parameter_may_hold_both_coordinates_latitude_first() -> None:
    read = read_form({"id": "d", "location": "36.06,103.83", "accuracy": "12"}, NOW)
    assert (read.claim.lon, read.claim.lat, read.claim.accuracy_m) == (103.83, 36.06, 12.0)


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"lat": "36", "lon": "103"}, "id"),
        ({"id": "d", "lon": "103"}, "lat"),
        ({"id": "d", "lat": "x", "lon": "103"}, "lat"),
        ({"id": "d", "lat": "36", "lon": "103", "valid": "false"}, "valid"),
        ({"id": "d", "lat": "36", "lon": "103", "timestamp": "noon"}, "timestamp"),
        ({"id": "d", "lat": "36", "lon": "103", "accuracy": "good"}, "accuracy"),
    ],
)
def test_a_form_without_a_usable_fix_names_what_is_wrong(given: dict[str, str], field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        read_form(given, NOW)
    assert refused.value.facts["field"] == field
