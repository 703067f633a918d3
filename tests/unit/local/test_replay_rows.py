"""Rows of a request file: which of them become reports, when they happened, and why others do not."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from gridsvc.errors import SetupError
from gridsvc.local.replay_rows import (
    Moment,
    Reading,
    Row,
    Unusable,
    in_pace,
    moment_of,
    read_columns,
    read_row,
    read_rows,
)

LOS_ANGELES = ZoneInfo("America/Los_Angeles")

READING = Reading(
    columns={"id": "sr", "lon": "x", "lat": "y", "occurred": "at", "category": "what"},
    zone=LOS_ANGELES,
    categories={"graffiti": "200201"},
    truth="area",
)

ROW = {"sr": "1-15", "x": "-118.3", "y": "34.1", "at": "2020-01-01 00:05:00", "what": "Graffiti", "area": "MISSION"}


def read(**other: str) -> Row | Unusable:
    return read_row({**ROW, **other}, 2, READING, "file")


def good(**other: str) -> Row:
    row = read(**other)
    assert isinstance(row, Row)
    return row


@pytest.mark.parametrize(
    ("why", "text", "expected"),
    [
        ("a wall clock's time is of the zone", "2020-01-01 00:05:00", Moment(datetime(2020, 1, 1, 8, 5, tzinfo=UTC))),
        ("an offset is believed", "2020-01-01T00:05:00+08:00", Moment(datetime(2019, 12, 31, 16, 5, tzinfo=UTC))),
        ("American forms are read", "01/31/2020 05:05:00 PM", Moment(datetime(2020, 2, 1, 1, 5, tzinfo=UTC))),
        (
            "a time shown twice is the first of the two",
            "2020-11-01 01:30:00",
            Moment(datetime(2020, 11, 1, 8, 30, tzinfo=UTC), "ambiguous"),
        ),
        (
            "a time never shown comes out after the gap",
            "2020-03-08 02:30:00",
            Moment(datetime(2020, 3, 8, 10, 30, tzinfo=UTC), "nonexistent"),
        ),
    ],
)
def test_local_times(why: str, text: str, expected: Moment) -> None:
    assert moment_of(text, LOS_ANGELES) == expected, why


def test_a_text_that_is_no_time_is_refused_with_what_is_wanted() -> None:
    with pytest.raises(ValueError, match="'yesterday' is no time; want 2020-01-31 17:05:00"):
        moment_of("yesterday", LOS_ANGELES)


def test_a_row_says_place_time_category_and_its_own_area() -> None:
    row = good()
    assert row.place == (-118.3, 34.1)
    assert row.occurred == datetime(2020, 1, 1, 8, 5, tzinfo=UTC)
    assert row.category == "200201"
    assert row.description == "Graffiti"
    assert row.truth == "MISSION"


def test_the_key_is_of_the_row_s_own_id_and_of_nothing_else() -> None:
    assert good().key == good(x="-118.4", area="").key
    assert good().key != good(sr="1-16").key
    assert len(good().key) <= 200


def test_rows_without_an_id_have_keys_by_line() -> None:
    next_line = read_row({**ROW, "sr": ""}, 3, READING, "file")
    assert isinstance(next_line, Row)
    assert good(sr="").key != next_line.key


def test_no_coordinates_are_no_place_and_half_of_them_are_a_fault() -> None:
    assert good(x="", y="").place is None
    assert read(x="") == Unusable(2, "bad_coordinates", "'', '34.1'")
    assert read(x="nan") == Unusable(2, "bad_coordinates", "'nan', '34.1'")


def test_a_word_that_the_mapping_does_not_know_is_counted() -> None:
    assert read(what="Bees") == Unusable(2, "unknown_category", "Bees")
    assert good(what=" GRAFFITI ").category == "200201"


def test_a_bad_time_is_counted() -> None:
    row = read(at="soon")
    assert isinstance(row, Unusable)
    assert row.reason == "bad_time"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("lon=x,lat=y", "which column is occurred"),
        ("lon=x,lat=y,when=at", "'when=at'; want field=column"),
        ("lon,lat=y,occurred=at", "'lon'; want field=column"),
    ],
)
def test_a_wrong_mapping_of_columns_is_named(text: str, said: str) -> None:
    with pytest.raises(SetupError, match=said):
        read_columns(text)


def file_of(folder: Path, text: str) -> Path:
    path = folder / "requests.csv.gz"
    path.write_bytes(gzip.compress(text.encode("utf-8-sig")))
    return path


def test_a_packed_file_with_a_byte_order_mark_is_read(tmp_path: Path) -> None:
    path = file_of(tmp_path, "sr,x,y,at,what,area\n1,2,3,2020-01-01 00:00:00,graffiti,A\n2,,,bad,graffiti,\n")
    first, second = read_rows(path, READING)
    assert isinstance(first, Row)
    assert isinstance(second, Unusable)
    assert second.line == 3


def test_a_missing_column_is_named_with_those_that_are_there(tmp_path: Path) -> None:
    path = file_of(tmp_path, "sr,x,y,at,what\n")
    with pytest.raises(SetupError, match="no column area; it has sr, x, y, at, what"):
        list(read_rows(path, READING))


def test_a_file_cut_off_in_the_middle_is_an_error_not_a_short_file(tmp_path: Path) -> None:
    path = file_of(tmp_path, "sr,x,y,at,what,area\n" + "1,2,3,2020-01-01 00:00:00,graffiti,A\n" * 1000)
    path.write_bytes(path.read_bytes()[:-20])
    with pytest.raises(SetupError, match="cannot be read"):
        list(read_rows(path, READING))


def rows_at(*times: str) -> Iterator[Row]:
    return (good(at=f"2020-01-01 {time}") for time in times)


def test_rows_come_so_many_times_as_fast_as_they_happened() -> None:
    due = [after for after, _ in in_pace(rows_at("10:00:00", "10:01:00", "11:00:00"), 60)]
    assert due == [timedelta(), timedelta(seconds=1), timedelta(minutes=1)]


def test_a_row_older_than_its_forerunner_comes_with_it() -> None:
    due = [after for after, _ in in_pace(rows_at("10:00:00", "10:01:00", "09:00:00"), 1)]
    assert due == [timedelta(), timedelta(minutes=1), timedelta(minutes=1)]


def test_without_a_speed_all_rows_come_at_once() -> None:
    assert {after for after, _ in in_pace(rows_at("10:00:00", "11:00:00"), None)} == {timedelta()}
