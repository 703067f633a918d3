"""The rules of storms (docs/rules/storms.md), without a database: what is let in, what is one thing, what is muted."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.storm import (
    Bucket,
    Entry,
    Known,
    Message,
    Mode,
    Next,
    Rules,
    Sighting,
    Silence,
    Suppressed,
    ToGroup,
    ToReview,
    Traits,
    Waiting,
    Why,
    after_the_wait,
    fate_of,
    full_bucket,
    heard,
    is_blind,
    next_of,
    precision,
    silenced_by,
    take,
    to_be_muted,
)

NOW = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)

RULES = Rules(
    wait=timedelta(seconds=5), interval=timedelta(seconds=60), repeat=timedelta(hours=4),
    resolve=timedelta(minutes=5), rate_per_s=5, burst=50, sample_every=100, storm_after=500, storm_category="200150",
    blinding=frozenset({"tamper", "videoloss", "offline"}), repeats=timedelta(days=1), mute_after=20, mute_below=0.2,
)  # fmt: skip

VENDOR = Known(
    traits=Traits(camera="c1", kind="street_vendor", zone="gate", target="person", category="200401", cell="A1"),
    mode=Mode.AUTOMATIC,
)


def after(seconds: float) -> datetime:
    return NOW + timedelta(seconds=seconds)


# -- the token bucket --------------------------------------------------------------------------------


def test_a_camera_that_was_silent_may_send_a_burst_and_then_its_rate() -> None:
    bucket, entries = take(full_bucket(RULES, NOW), RULES, 50, NOW)
    assert entries == [Entry.LET_IN] * 50
    bucket, entries = take(bucket, RULES, 10, after(1))
    assert entries.count(Entry.LET_IN) == 5


def test_of_ten_thousand_at_once_fifty_are_let_in_and_one_in_a_hundred_of_the_rest_is_kept() -> None:
    bucket, entries = take(full_bucket(RULES, NOW), RULES, 10_000, NOW)
    assert (entries.count(Entry.LET_IN), entries.count(Entry.SAMPLE), entries.count(Entry.OVER)) == (50, 100, 9_850)
    assert bucket.over == 9_950
    assert entries[50] is Entry.SAMPLE, "the first beyond the rate is kept"


def test_a_storm_is_over_when_the_bucket_is_full_again() -> None:
    bucket, _ = take(full_bucket(RULES, NOW), RULES, 60, NOW)
    assert take(bucket, RULES, 0, after(9))[0].over == 10
    assert take(bucket, RULES, 0, after(10))[0].over == 0


def test_a_clock_that_went_back_fills_nothing() -> None:
    bucket, _ = take(full_bucket(RULES, NOW), RULES, 50, NOW)
    later, entries = take(bucket, RULES, 1, after(-3_600))
    assert entries == [Entry.SAMPLE]
    assert later.filled_at == NOW, "or the hour would be given twice"


@given(st.lists(st.tuples(st.floats(0, 30), st.integers(0, 200)), max_size=30))
def test_every_event_is_let_in_or_counted_and_never_more_than_burst_and_rate(arrivals: list[tuple[float, int]]) -> None:
    bucket, at, let_in = full_bucket(RULES, NOW), 0.0, 0
    for passed, events in arrivals:
        at += passed
        bucket, entries = take(bucket, RULES, events, after(at))
        assert len(entries) == events
        let_in += entries.count(Entry.LET_IN)
        assert 0 <= bucket.tokens <= RULES.burst
    assert let_in <= RULES.burst + RULES.rate_per_s * at + 1


@given(st.lists(st.integers(0, 150), min_size=1, max_size=10))
def test_one_camera_in_many_small_messages_is_as_one_in_a_large_one(parts: list[int]) -> None:
    whole, at_once = take(full_bucket(RULES, NOW), RULES, sum(parts), NOW)
    bucket, in_parts = full_bucket(RULES, NOW), []
    for events in parts:
        bucket, entries = take(bucket, RULES, events, NOW)
        in_parts += entries
    assert in_parts == at_once
    assert bucket == whole


# -- one incident as its device tells it ---------------------------------------------------------------

SCRIPT = (
    Message(at=after(0), heard_at=after(1)),
    Message(at=after(4), heard_at=after(5)),
    Message(at=after(9), heard_at=after(9), ended=True),
    Message(at=after(6), heard_at=after(30)),  # an update that comes after the end
    Message(at=after(0), heard_at=after(31)),  # sent again
)


def told(messages: list[Message]) -> Sighting:
    sighting = None
    for message in messages:
        sighting = heard(sighting, message)
    assert sighting is not None
    return sighting


@given(st.permutations(SCRIPT))
def test_any_order_of_the_same_messages_ends_the_same(messages: list[Message]) -> None:
    assert told(messages) == told(list(SCRIPT))


UNNUMBERED = (
    Message(at=after(0), heard_at=after(1), unnumbered=True),
    Message(at=after(4), heard_at=after(5), unnumbered=True, ended=True),
    Message(at=after(9), heard_at=after(9), unnumbered=True),
)


@given(st.permutations(UNNUMBERED))
def test_where_a_device_numbers_nothing_the_last_word_holds_in_any_order(messages: list[Message]) -> None:
    assert told(messages) == told(list(UNNUMBERED))
    assert not told(messages).ended, "it has begun again"
    over = replace(UNNUMBERED[0], at=after(9), ended=True)
    assert told([*messages, over]).ended
    assert told([over, *messages]).ended, "of two at once the end holds"


def test_an_update_after_the_end_does_not_begin_it_again() -> None:
    sighting = told(list(SCRIPT))
    assert sighting.ended
    assert (sighting.first_at, sighting.last_at, sighting.messages) == (after(0), after(9), 5)


# -- what becomes of an event --------------------------------------------------------------------------

WORKS = Silence(
    id=UUID(int=1), matchers={"cell": ["A1", "A2"], "category": ["200401"]}, starts_at=after(-60), ends_at=after(60)
)


def fate(known: Known, *silences: Silence) -> Suppressed | ToReview | ToGroup:
    return fate_of(known, RULES, silences, NOW)


def test_what_is_seen_at_a_place_is_grouped_by_cell_and_category_whichever_camera_sees_it() -> None:
    other = replace(VENDOR, traits=replace(VENDOR.traits, camera="c2", kind="vendor_detected", zone="north"))
    assert fate(VENDOR) == fate(other) == ToGroup("A1/200401", "200401")


def test_a_label_that_stands_in_no_map_is_a_task_for_a_person_and_no_loss() -> None:
    assert fate(replace(VENDOR, traits=replace(VENDOR.traits, category=""))) == ToReview("unmapped")


@pytest.mark.parametrize(
    ("known", "wanted"),
    [
        (replace(VENDOR, camera_off=True), Suppressed(Why.CAMERA_OFF)),
        (replace(VENDOR, mode=Mode.OFF), Suppressed(Why.OFF)),
        (replace(VENDOR, taken_back=True), Suppressed(Why.TAKEN_BACK)),
        (replace(VENDOR, blind=True), Suppressed(Why.INHIBITED)),
        (replace(VENDOR, muted=True), Suppressed(Why.MUTED)),
        (replace(VENDOR, mode=Mode.REVIEW), ToReview("mode")),
        (replace(VENDOR, mode=Mode.REVIEW, muted=True), Suppressed(Why.MUTED)),
    ],
)
def test_each_reason_for_nothing_to_come_of_it(known: Known, wanted: object) -> None:
    assert fate(known) == wanted


def test_a_silence_mutes_what_matches_in_every_field_while_it_lasts() -> None:
    assert fate(VENDOR, WORKS) == Suppressed(Why.SILENCED)
    assert fate(replace(VENDOR, traits=replace(VENDOR.traits, cell="A3")), WORKS) == ToGroup("A3/200401", "200401")
    assert silenced_by([WORKS], VENDOR.traits, after(-60)) is WORKS
    assert silenced_by([WORKS], VENDOR.traits, after(60)) is None, "its end is its first moment without it"
    assert silenced_by([WORKS], VENDOR.traits, after(-61)) is None


def test_a_silence_that_names_nothing_silences_nothing() -> None:
    everything = replace(WORKS, matchers={})
    assert fate(VENDOR, everything) == ToGroup("A1/200401", "200401")


def test_a_camera_that_says_that_it_is_blind_is_believed_even_so_and_becomes_a_case_about_itself() -> None:
    tampered = replace(VENDOR, blind=True, traits=replace(VENDOR.traits, kind="tamper", category=""))
    assert fate(tampered) == ToGroup("camera:c1/200150", "200150")
    other = replace(tampered, traits=replace(tampered.traits, camera="c2"))
    assert fate(other) == ToGroup("camera:c2/200150", "200150"), "two dead cameras on one pole are two cases"


def test_a_camera_is_blind_until_it_says_otherwise_or_falls_silent() -> None:
    assert is_blind("tamper", False, after(-299), RULES, NOW)
    assert not is_blind("tamper", False, after(-300), RULES, NOW)
    assert not is_blind("tamper", True, after(-1), RULES, NOW)
    assert not is_blind("street_vendor", False, after(-1), RULES, NOW)


# -- when the wait is over -----------------------------------------------------------------------------


def waiting(number: int, seconds: float, *, taken_back: bool = False, blind: bool = False) -> Waiting:
    return Waiting(
        id=UUID(int=number), camera="c1", at=after(seconds), kind="street_vendor", taken_back=taken_back, blind=blind
    )


def test_what_inhibits_may_come_after_what_it_mutes_within_the_wait() -> None:
    left, gone = after_the_wait([waiting(1, 0, blind=True), waiting(2, 1)], RULES)
    assert [each.id for each in left] == [UUID(int=2)]
    assert gone == {UUID(int=1): Why.INHIBITED}


def test_what_a_device_takes_back_within_the_wait_opens_nothing() -> None:
    left, gone = after_the_wait([waiting(1, 0, taken_back=True), waiting(2, 1, taken_back=True)], RULES)
    assert left == []
    assert set(gone.values()) == {Why.TAKEN_BACK}


@given(st.permutations([waiting(n, n * 7 % 5) for n in range(6)]))
def test_the_earliest_is_the_first_whatever_came_first(events: list[Waiting]) -> None:
    left, _ = after_the_wait(events, RULES)
    assert all((one.at, one.id) < (other.at, other.id) for one, other in pairwise(left))


def test_an_open_case_takes_what_goes_on_and_a_closed_one_lets_a_new_one_come_four_hours_later() -> None:
    assert next_of(False, after(-86_400), RULES, NOW) is Next.JOIN
    assert next_of(True, after(-4 * 3_600 + 1), RULES, NOW) is Next.SUPPRESS
    assert next_of(True, after(-4 * 3_600), RULES, NOW) is Next.OPEN_AGAIN


# -- how far a camera is to be trusted -----------------------------------------------------------------


def test_a_camera_is_muted_only_after_enough_verdicts_and_below_the_threshold() -> None:
    assert not to_be_muted(0, 19, RULES)
    assert to_be_muted(3, 17, RULES)
    assert not to_be_muted(4, 16, RULES), "exactly the threshold is still trusted"
    assert precision(0, 0) is None


def test_a_bucket_knows_nothing_of_other_cameras() -> None:
    assert full_bucket(RULES, NOW) == Bucket(tokens=50.0, filled_at=NOW)
