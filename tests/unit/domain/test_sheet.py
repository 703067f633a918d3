"""Tables as offices make them: encodings, addresses, and what is written so that Excel leaves it alone."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.sheet import Sheet, Unreadable, column_letters, guarded, read_csv, tidy, unguarded, written_csv


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_list_is_read_in_the_encodings_of_chinese_offices(encoding: str) -> None:
    assert read_csv("list.csv", "代码,名称\r\n0101,井盖\r\n".encode(encoding)).rows[1] == ("0101", "井盖")


@pytest.mark.parametrize("content", ["代码".encode("utf-16"), b"\xff\xff\xff", b"a\0b", b'a,"b\nc' + b"x" * 200_000])
def test_what_is_no_table_is_refused(content: bytes) -> None:
    with pytest.raises(Unreadable):
        read_csv("list.csv", content)


def test_a_cell_has_the_address_by_which_a_person_finds_it() -> None:
    assert Sheet("list.csv", None, ()).where(2, 8) == "list.csv, row 3"
    assert Sheet("list.xlsx", "事件", ()).where(28, 8) == "list.xlsx, sheet 事件, cell I29"
    assert [column_letters(n) for n in (0, 25, 26, 51, 52, 701, 702)] == ["A", "Z", "AA", "AZ", "BA", "ZZ", "AAA"]


def test_a_line_break_between_chinese_characters_is_none_and_elsewhere_a_blank() -> None:
    assert tidy(" 烟头收集器\n或灭烟处 ") == "烟头收集器或灭烟处"
    assert tidy("Street\r\nlamp") == "Street lamp"


@pytest.mark.parametrize("cell", ["=1+1", "+86", "-1", "@SUM(A1)", "\tx", "\rx", "'x", "＝1"])
def test_no_cell_is_a_formula(cell: str) -> None:
    assert guarded(cell) == f"'{cell}"


def test_codes_stay_text_and_words_stay_words() -> None:
    written = written_csv([["0101", "0101", "井盖"]], codes=frozenset({0}))
    assert written == "\ufeff'0101,0101,井盖\r\n".encode()


@given(
    st.lists(
        st.lists(
            st.text(st.characters(exclude_characters="\0\r\n", exclude_categories=["Cs"])), min_size=2, max_size=2
        ),
        min_size=1,
    )
)
def test_what_is_written_reads_as_the_same(rows: list[list[str]]) -> None:
    written = written_csv(rows, codes=frozenset({1}))
    assert [list(row) for row in read_csv("x.csv", written).rows] == rows


@given(st.text())
def test_guarding_is_undone_whatever_stands_there(cell: str) -> None:
    assert unguarded(guarded(cell)) == cell
    assert unguarded(guarded(cell, code=True)) == cell
