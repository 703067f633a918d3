"""What a device's word means: which row of the map counts, and how the map is written."""

from __future__ import annotations

import random

import pytest

from events.storm import Mode
from gridsvc.domain.camera_label import KnownWords, Label, Row, Said, find_label, read_row, read_table, table_of
from gridsvc.domain.roster import Fault

SAID = Said(camera="c1", protocol="frigate", kind="car", zone="Fire_Lane", target="truck")
KNOWN = KnownWords(
    cameras=frozenset({"c1"}),
    protocols=frozenset({"frigate", "onvif"}),
    categories=frozenset({("2013", "0101"), ("2007", "0101")}),
    default_edition="2013",
)


def row(number: int, camera: str | None = None, protocol: str = "*", words: str = "car * *", **more: str) -> Label:
    kind, zone, target = words.split()
    return Label(
        id=number, camera=camera, protocol=protocol, kind=kind, zone=zone, target=target,
        edition=more.get("edition", "2013"), category="0101", mode=Mode.AUTOMATIC,
    )  # fmt: skip


# From the weakest to the strongest.
LADDER = (
    row(9, words="* * *"),
    row(8, protocol="frigate", words="* * *"),
    row(7),
    row(6, protocol="frigate"),
    row(5, protocol="frigate", words="car fire_lane *"),
    row(4, protocol="frigate", words="car fire_lane truck"),
    row(3, "c1", words="* * *"),
    row(2, "c1"),
    row(1, "c1", words="car fire_lane truck"),
)


@pytest.mark.parametrize("strongest", range(1, len(LADDER) + 1))
def test_the_most_exact_row_counts_and_a_row_of_the_very_camera_before_all_others(strongest: int) -> None:
    """Surprising: the camera's own row for anything beats a protocol's row for this very word in this very zone."""
    rows = list(LADDER[:strongest])
    random.Random(strongest).shuffle(rows)
    assert find_label(rows, SAID, "2013") == LADDER[strongest - 1]


@pytest.mark.parametrize(
    "other",
    [
        row(1, "c2"),
        row(1, protocol="onvif"),
        row(1, words="bus * *"),
        row(1, words="car yard *"),
        row(1, words="car * bus"),
        row(1, edition="2007"),
    ],
)
def test_a_row_of_something_else_never_counts(other: Label) -> None:
    assert find_label([other], SAID, "2013") is None


def test_of_rows_that_are_as_exact_the_one_written_first_counts() -> None:
    zone, target = row(7, words="car fire_lane *"), row(3, words="car * truck")
    assert find_label([zone, target], SAID, "2013") == target


def test_a_row_that_names_a_zone_needs_an_event_that_tells_one() -> None:
    said = Said(camera="c1", protocol="frigate", kind="car")
    assert find_label([row(1, words="car fire_lane *")], said, "2013") is None


def test_blanks_are_any_word_of_the_default_edition_looked_at_by_a_person() -> None:
    assert read_row({"kind": "Car", "category": "0101"}, 2, "m.csv", KNOWN) == Row(
        row=2, camera=None, protocol="*", kind="car", zone="*", target="*", edition="2013", category="0101",
        mode=Mode.REVIEW,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cells", "field"),
    [
        ({"kind": "car"}, "category"),  # what is not off needs one
        ({"kind": "car", "category": "0999"}, "category"),
        ({"kind": "car", "category": "2007:0999"}, "category"),
        ({"kind": "car", "category": "0101", "camera": "c2"}, "camera"),
        ({"kind": "car", "category": "0101", "camera": "c1", "protocol": "onvif"}, "protocol"),
        ({"kind": "car", "category": "0101", "protocol": "smoke"}, "protocol"),
        ({"kind": "car", "category": "0101", "mode": "maybe"}, "mode"),
        ({"kind": "c\x07r", "category": "0101"}, "kind"),
    ],
)
def test_a_row_that_cannot_be_is_named(cells: dict[str, str], field: str) -> None:
    read = read_row(cells, 2, "m.csv", KNOWN)
    assert isinstance(read, Fault)
    assert str(read).startswith(f"m.csv, row 2, field {field}: given ")


def test_a_word_may_be_switched_off_without_a_category() -> None:
    read = read_row({"kind": "motion", "mode": "off"}, 2, "m.csv", KNOWN)
    assert isinstance(read, Row)
    assert (read.mode, read.category) == (Mode.OFF, "")


def test_the_map_as_a_table_comes_back_as_it_was() -> None:
    rows, faults = read_table("m.csv", table_of(LADDER).encode(), KNOWN)
    assert faults == []
    assert [(each.camera, each.protocol, each.kind, each.zone, each.target) for each in rows] == [
        (each.camera, each.protocol, each.kind, each.zone, each.target) for each in LADDER
    ]


def test_a_word_that_a_table_explains_twice_is_named() -> None:
    _, [fault] = read_table("m.csv", b"kind,category,zone\ncar,0101,*\ncar,0101,lane\nCar,2013:0101,\n", KNOWN)
    assert str(fault) == "m.csv, row 4, field kind: given 'car'; want each word once; row 2 says what it means"


def test_a_table_without_kinds_is_refused() -> None:
    assert len(read_table("m.csv", b"label,category\ncar,0101\n", KNOWN)[1]) == 1
