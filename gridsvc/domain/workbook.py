"""Excel workbooks (.xlsx) as sheets: every value as the text that a person would type, merged ranges kept."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any, Final

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from gridsvc.domain.sheet import MOST_ROWS, Sheet, Unreadable

_MOST_UNPACKED: Final = 256 * 2**20  # bytes: a workbook is an archive, and an archive may be a bomb
_SHORTENED: Final = 1e11  # a number of twelve digits and more is shown, and often kept, as 6.20102E+14


def is_workbook(content: bytes) -> bool:
    """Whether the bytes are an archive, as every .xlsx is."""
    return content.startswith(b"PK\x03\x04")


def read_workbook(file: str, content: bytes) -> list[Sheet]:
    """The visible sheets of a workbook, in order; a formula counts as the value it had. Raises Unreadable."""
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            unpacked = sum(each.file_size for each in archive.infolist())
        if unpacked > _MOST_UNPACKED:
            raise Unreadable(f"{unpacked} bytes unpacked", f"at most {_MOST_UNPACKED}")
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        return [
            _sheet(file, each.name, book.get_sheet_by_name(each.name))
            for each in book.sheets_metadata
            if each.typ is SheetTypeEnum.WorkSheet and each.visible is SheetVisibleEnum.Visible
        ]
    except (CalamineError, zipfile.BadZipFile) as error:
        raise Unreadable(f"no workbook that can be read ({error})", "an .xlsx file or CSV") from None


def _sheet(file: str, name: str, sheet: CalamineSheet) -> Sheet:
    if sheet.total_height > MOST_ROWS:
        raise Unreadable(f"{sheet.total_height} rows in sheet {name}", f"at most {MOST_ROWS}")
    rows = sheet.to_python(skip_empty_area=False)
    return Sheet(
        file,
        name,
        tuple(tuple(_text(value) for value in row) for row in rows),
        dict(_merged(sheet.merged_cell_ranges or [], len(rows), max(map(len, rows), default=0))),
    )


def _merged(
    ranges: list[tuple[tuple[int, int], tuple[int, int]]], height: int, width: int
) -> Iterator[tuple[tuple[int, int], tuple[int, int]]]:
    for (top, left), (bottom, right) in ranges:
        # What is merged to the end of the sheet ends with the data.
        for row in range(top, min(bottom, height - 1) + 1):
            for column in range(left, min(right, width - 1) + 1):
                yield (row, column), (top, left)


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "1" if value else "0"
    if isinstance(value, float) and abs(value) >= _SHORTENED:
        return f"{value:.5E}"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value)
