"""Codes of divisions, cells and beats."""

from __future__ import annotations

from itertools import islice

import pytest

from geo.codes import BY_DISTRICT, FREE, NATIONAL, beat_code, division_fault, level_of, parent_code, scheme_named


@pytest.mark.parametrize(
    ("scheme", "code", "well_formed"),
    [
        ("6+3+3+3", "370102010002002", True),  # a cell of Jinan Lixia, seen in its system
        ("6+3+3+3", "37010201000200", False),
        ("6+3+3+3", "37010201000200A", False),
        ("6+3+3+3", "370102010002000", False),
        ("6+3+3+3", "３70102010002002", False),  # a full-width digit
        ("6+6", "620102000001", True),
        ("6+6", "620102010002002", False),
        ("free", "W-12.b", True),
        ("free", "", False),
        ("free", "a b", False),
        ("free", "x" * 33, False),
    ],
)
def test_a_code_follows_its_scheme(scheme: str, code: str, well_formed: bool) -> None:
    assert (scheme_named(scheme).fault(code) is None) == well_formed


@pytest.mark.parametrize("name", ["", "6", "6+", "+6", "6-3", "0+3", "six", "6+3+0"])
def test_a_scheme_that_cannot_be_one_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match="no scheme of codes"):
        scheme_named(name)


def test_a_cell_names_its_division_and_counts_on() -> None:
    assert NATIONAL.division_of("370102010002002") == "370102010002"
    assert list(islice(NATIONAL.next_codes("370102010002", 998), 5)) == ["370102010002999"]
    assert list(islice(BY_DISTRICT.next_codes("620102"), 2)) == ["620102000001", "620102000002"]
    assert FREE.division_of("620102000001") is None


def test_cells_are_not_numbered_in_a_division_of_another_length() -> None:
    with pytest.raises(ValueError, match="12 digits"):
        next(NATIONAL.next_codes("620102"))
    with pytest.raises(ValueError, match="free scheme"):
        next(FREE.next_codes("LA"))


@pytest.mark.parametrize(
    ("code", "level", "parent"),
    [
        ("620102001003", "community", "620102001"),
        ("620102001", "street", "620102"),
        ("620102", "district", "620100"),
        ("620100", "city", "620000"),
        ("620000", "province", None),
        ("LA", None, None),
        ("62010", None, None),
    ],
)
def test_a_division_code_tells_level_and_parent(code: str, level: str | None, parent: str | None) -> None:
    assert level_of(code) == level
    assert parent_code(code) == parent


@pytest.mark.parametrize(
    ("code", "well_formed"), [("620102", True), ("620102001", True), ("62010", False), ("LA", False)]
)
def test_division_codes_are_6_9_or_12_digits_where_cells_have_digits(code: str, well_formed: bool) -> None:
    assert (division_fault(code, NATIONAL) is None) == well_formed


def test_a_free_scheme_takes_any_division() -> None:
    assert division_fault("LA", FREE) is None


def test_beats_count_inside_their_division() -> None:
    assert beat_code("620102", 7) == "620102B007"
