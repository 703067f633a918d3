"""Headers of resumable uploads: what they say, what is refused, and how much one caller may have on its way."""

from __future__ import annotations

import base64
import contextlib
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.upload import Allowance, may_open, read_checksum, read_length, read_metadata, read_number, told_by
from gridsvc.errors import BadRequest, TooLarge

ALLOWED = Allowance(most_open=3, most_bytes=1_000, kept_for=timedelta(hours=72))


def pair(key: str, value: str) -> str:
    return f"{key} {base64.b64encode(value.encode()).decode()}"


@given(st.dictionaries(st.from_regex(r"[a-z_]{1,20}", fullmatch=True), st.text(max_size=40), max_size=5))
def test_metadata_are_read_as_they_were_written(said: dict[str, str]) -> None:
    assert read_metadata(",".join(pair(key, value) for key, value in said.items())) == said


@given(st.text(max_size=80))
def test_whatever_stands_in_the_headers_is_read_or_refused(text: str) -> None:
    for read in (read_metadata, read_checksum, lambda said: read_number("Upload-Offset", said)):
        with contextlib.suppress(BadRequest):
            read(text)


@pytest.mark.parametrize(
    ("said", "taken_at", "place"),
    [
        ({}, None, (None, None)),
        ({"filename": "x.jpg"}, None, (None, None)),
        ({"taken_at": "2026-11-23T10:00:00+08:00"}, datetime(2026, 11, 23, 2, tzinfo=UTC), (None, None)),
        ({"lon": "103.834", "lat": "36.061"}, None, (103.834, 36.061)),
        ({"lon": "", "lat": ""}, None, (None, None)),
    ],
)
def test_time_and_place_are_what_the_sender_says(
    said: dict[str, str], taken_at: datetime | None, place: tuple[float | None, float | None]
) -> None:
    told = told_by(said)
    assert (told.taken_at, (told.lon, told.lat)) == (taken_at, place)


@pytest.mark.parametrize(
    "said",
    [
        {"taken_at": "2026-11-23T10:00:00"},  # no offset: nobody knows when that was
        {"taken_at": "now"},
        {"lon": "103.8"},
        {"lon": "36", "lat": "103.8"},
        {"lon": "inf", "lat": "0"},
        {"lon": "nan", "lat": "nan"},
    ],
)
def test_half_a_place_and_a_time_without_its_offset_are_refused(said: dict[str, str]) -> None:
    with pytest.raises(BadRequest):
        told_by(said)


def test_a_file_of_nothing_and_one_too_large_are_not_begun() -> None:
    assert read_length("1000", 1_000) == 1_000
    with pytest.raises(TooLarge):
        read_length("1001", 1_000)
    for text in (None, "", "0", "-1", "1.5", "١"):
        with pytest.raises(BadRequest):
            read_length(text, 1_000)


@pytest.mark.parametrize(
    ("length", "uploads", "there", "may"),
    [(1_000, 0, 0, True), (1_001, 0, 0, False), (1, 2, 999, True), (1, 2, 1_000, False), (1, 3, 3, False)],
)
def test_a_caller_has_so_many_uploads_and_so_many_bytes_on_the_way(
    length: int, uploads: int, there: int, may: bool
) -> None:
    assert (may_open(length, uploads, there, ALLOWED) is None) == may
