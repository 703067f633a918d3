"""What is written to the bus can be read back, and what is not ours is refused by name."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from events.catalog import CATALOG, Announcement, CaseFiled, OfficerDutyChanged
from events.codec import Unreadable, decode, encode

FILED = CaseFiled(
    event_id=UUID("01890000-0000-7000-8000-000000000001"),
    at=datetime(2026, 11, 23, 14, 5, 6, 789000, tzinfo=UTC),
    case_id=UUID("01890000-0000-7000-8000-000000000002"),
    version=2,
    state="filed",
    duty_line="city_management",
    severity="normal",
    divisions=("62", "6201", "620102"),
    actor="worker:filing",
    cycle=1,
)

# Fixed offsets: Python holds a moment in a zone's repeated hour to be equal to no moment of another zone.
OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
# Not the first and last years: UTC, a day away, has no name for them.
MOMENTS = st.builds(lambda seconds, zone: datetime.fromtimestamp(seconds, zone), st.integers(0, 4 * 10**9), OFFSETS)

st.register_type_strategy(datetime, MOMENTS)
st.register_type_strategy(float, st.floats(allow_nan=False, allow_infinity=False))


@pytest.mark.parametrize("kind", CATALOG.values(), ids=CATALOG.keys())
@settings(max_examples=25)  # for each of 25 classes
@given(data=st.data())
def test_what_is_announced_arrives_unchanged(kind: type[Announcement], data: st.DataObject) -> None:
    announcement = data.draw(st.from_type(kind))

    arrived = decode(encode(announcement))

    assert type(arrived) is kind
    assert arrived == announcement


def test_the_envelope_is_a_cloud_event() -> None:
    letter = json.loads(encode(FILED))

    assert {k: v for k, v in letter.items() if k != "data"} == {
        "specversion": "1.0",
        "id": "01890000-0000-7000-8000-000000000001",
        "source": "gridsvc",
        "type": "case.filed.v1",
        "time": "2026-11-23T14:05:06.789000Z",
        "datacontenttype": "application/json",
        "subject": "01890000-0000-7000-8000-000000000002",
    }
    assert letter["data"]["divisions"] == ["62", "6201", "620102"]
    assert "event_id" not in letter["data"]


def test_news_of_an_officer_has_no_case_for_a_subject() -> None:
    news = OfficerDutyChanged(event_id=FILED.event_id, at=FILED.at, officer_id=FILED.case_id, on_duty=True)

    assert "subject" not in json.loads(encode(news))


def test_an_older_reader_survives_fields_of_a_newer_writer() -> None:
    letter = json.loads(encode(FILED))
    letter["traceparent"] = "00-aa-bb-01"
    letter["data"]["weather"] = "rain"

    assert decode(json.dumps(letter)) == FILED


@pytest.mark.parametrize(
    ("why", "change", "named"),
    [
        ("another version", {"type": "case.filed.v2"}, "case.filed.v1"),
        ("an unknown type", {"type": "case.eaten.v1"}, "case.eaten.v1"),
        ("a type without version", {"type": "case.filed"}, "case.filed"),
        ("another envelope", {"specversion": "0.3"}, "0.3"),
        ("a time without zone", {"time": "2026-11-23T14:05:06"}, "zone"),
        ("an id that is none", {"id": "seven"}, "id"),
        ("no data", {"data": None}, "case.filed.v1"),
        ("a field of another kind", {"data": {"cycle": "first"}}, "cycle"),
    ],
)
def test_what_is_not_ours_is_refused_by_name(why: str, change: dict[str, Any], named: str) -> None:
    letter = json.loads(encode(FILED))
    data = letter["data"]
    letter.update(change)
    if isinstance(change.get("data"), dict):
        letter["data"] = data | change["data"]

    with pytest.raises(Unreadable, match=named):
        decode(json.dumps(letter))
    assert why


@pytest.mark.parametrize("field", ["case_id", "version", "divisions", "cycle"])
def test_a_missing_field_is_named(field: str) -> None:
    letter = json.loads(encode(FILED))
    del letter["data"][field]

    with pytest.raises(Unreadable, match=field):
        decode(json.dumps(letter))


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"[]", b"null", b'{"id": 3}', b"case.filed"])
def test_bytes_that_are_no_event_are_unreadable(body: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(body)


@given(body=st.binary(max_size=200))
def test_no_bytes_raise_anything_but_unreadable(body: bytes) -> None:
    try:
        decode(body)
    except Unreadable:
        return
    raise AssertionError(body)


def test_a_moment_without_zone_is_not_announced() -> None:
    naive = OfficerDutyChanged(
        event_id=FILED.event_id, at=FILED.at.replace(tzinfo=None), officer_id=FILED.case_id, on_duty=False
    )

    with pytest.raises(ValueError, match="zone"):
        encode(naive)


def test_a_moment_keeps_its_instant_whatever_its_offset() -> None:
    there = FILED.at.astimezone(timezone(timedelta(hours=8)))
    news = OfficerDutyChanged(event_id=FILED.event_id, at=there, officer_id=FILED.case_id, on_duty=False)

    assert decode(encode(news)).at - FILED.at == timedelta(0)
