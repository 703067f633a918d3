"""Moments, addresses and pictures as devices write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from events.intake.values import Told, degrees, mac, picture, picture_at, text, when
from tests.fuzz.corpus import JPEG

EIGHT = datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("2026-11-20T08:00:00Z", Told(EIGHT)),
        ("2026-11-20T16:00:00+08:00", Told(EIGHT)),
        ("2026-11-20T16:00:00+0800", Told(EIGHT)),
        ("2026-11-20 16:00:00+8:00", Told(EIGHT)),
        ("2026-11-20T08:00:00.000000123Z", Told(EIGHT)),
        ("2026/11/20 8:00", Told(local_time="2026-11-20T08:00:00")),
        ("20261120080000", Told(local_time="2026-11-20T08:00:00")),
        ("20261120080000250", Told(local_time="2026-11-20T08:00:00.250000")),
        ("1795161600", Told(EIGHT)),
        ("1795161600000", Told(EIGHT)),
        ("2026-12-31T23:59:60Z", Told(datetime(2026, 12, 31, 23, 59, 59, tzinfo=UTC))),
        ("1970-01-01T00:00:00+08:00", Told()),  # a clock that was never set
        ("2026-02-30T08:00:00Z", Told()),
        ("2026-11-20T08:00:00+25:00", Told()),
        ("yesterday", Told()),
        (None, Told()),
    ],
)
def test_a_moment_is_read_as_devices_write_it(written: str | None, read: Told) -> None:
    assert when(written) == read


@given(
    st.datetimes(datetime(1990, 1, 1), datetime(2110, 1, 1)),  # noqa: DTZ001 - the zone is drawn beside it
    st.integers(-20 * 60, 20 * 60),
    st.sampled_from(("T", " ", "t")),
)
def test_a_moment_with_an_offset_is_the_same_however_it_is_spelled(clock: datetime, minutes: int, mark: str) -> None:
    """The spelling with `T` is read a shorter way than the others."""
    moment = clock.replace(tzinfo=timezone(timedelta(minutes=minutes)))
    believed = 2000 <= clock.year <= 2099 and abs(minutes) < 15 * 60
    assert when(moment.isoformat(sep=mark)) == (Told(moment.astimezone(UTC)) if believed else Told())


def test_a_hardware_address_has_one_form() -> None:
    assert {mac(each) for each in ("AA-BB-CC-00-11-22", "aabb.cc00.1122", "AA:BB:CC:00:11:22")} == {"aa:bb:cc:00:11:22"}
    assert [mac(each) for each in ("00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff", "aa:bb", None)] == [None] * 4


def test_a_text_is_one_short_line() -> None:
    assert text(" a\x00b\nc ") == "a b c"
    assert text("x" * 500) == "x" * 200
    nothing: tuple[object, ...] = ("", " \n", [], {}, None)
    assert [text(each) for each in nothing] == [None] * 5


def test_a_picture_is_what_its_bytes_are() -> None:
    shown = picture(JPEG)
    assert shown is not None
    assert shown.media_type == "image/jpeg"
    assert picture(b"<html>") is None
    assert picture(b"\xff\xd8\xff" + bytes(5 * 2**20)) is None


def test_an_address_with_a_password_in_it_is_not_kept() -> None:
    assert picture_at("http://camera.example/a.png") is not None
    for refused in (
        "http://admin:12345@camera.example/a.jpg",
        "http://admin@camera.example/a.jpg",
        "file:///etc/passwd",
        "ftp://a/b",
        "a.jpg",
        "http://[/",
    ):
        assert picture_at(refused) is None


def test_a_device_without_a_fix_has_no_place() -> None:
    assert degrees("103.83", "36.06", "wgs84") == (103.83, 36.06)
    for lon, lat in (("0.0", "0.0"), ("0", "200"), ("nan", "1"), (None, "36"), ("103.83", "36.06E")):
        assert degrees(lon, lat, "wgs84") is None
    assert degrees(103.83, 36.06, "mars") is None
