"""What we write for Excel is read back as it was: codes as text, numbers as numbers, and nothing that is computed."""

from __future__ import annotations

import io
import zipfile

from python_calamine import CalamineWorkbook

from gridsvc.domain.sheet import Cell, read_csv, written_csv
from gridsvc.domain.workbook_out import written_workbook

ROWS: list[list[Cell]] = [
    ["code", "name", "rate"], ["0620102001001", "=1+1", 93.72], ["620102", "<&\"'> 甘肃\x07", None], ["1e5", "-2", -3],
]  # fmt: skip


def read_back(content: bytes) -> list[list[object]]:
    return CalamineWorkbook.from_filelike(io.BytesIO(content)).get_sheet_by_index(0).to_python()  # type: ignore[return-value]


def test_codes_are_text_numbers_are_numbers_and_nothing_is_lost() -> None:
    assert read_back(written_workbook(ROWS)) == [
        ["code", "name", "rate"], ["0620102001001", "=1+1", 93.72], ["620102", "<&\"'> 甘肃", ""], ["1e5", "-2", -3],
    ]  # fmt: skip


def test_no_cell_is_a_formula() -> None:
    with zipfile.ZipFile(io.BytesIO(written_workbook(ROWS))) as archive:
        sheet = archive.read("xl/worksheets/sheet1.xml").decode()
    assert "<f>" not in sheet
    assert 't="inlineStr"><is><t xml:space="preserve">=1+1</t>' in sheet


def test_a_number_in_a_column_of_codes_is_text_too() -> None:
    assert read_back(written_workbook([[620102, 1]], frozenset({0}))) == [["620102", 1]]


def test_the_same_table_gives_the_same_bytes() -> None:
    assert written_workbook(ROWS) == written_workbook(ROWS)


def test_csv_has_numbers_plain_and_guards_only_what_people_wrote() -> None:
    content = written_csv(ROWS, frozenset({0}))
    assert content.decode("utf-8-sig").splitlines()[3] == "1e5,'-2,-3", "our own number needs no guard"
    assert "'0620102001001,'=1+1,93.72" in content.decode("utf-8-sig")
    assert read_csv("x.csv", content).rows[1] == ("0620102001001", "=1+1", "93.72")
