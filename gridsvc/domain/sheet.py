"""A table as an office made it: cells of text, each with the address at which a person finds it.

CSV in UTF-8 (with or without byte-order mark) or GB18030; workbooks are read by gridsvc/domain/workbook.py.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

MOST_ROWS: Final = 100_000
"""A table of more rows is a mistake: the largest list of categories known has 519."""

_GUARDED: Final = tuple("=+-@\t\r'＝＋－＠")
_TWO_CHINESE: Final = re.compile(r"(?<=[^\x00-\x7f])\s*\n\s*(?=[^\x00-\x7f])")


class Unreadable(ValueError):
    """A file that is no table: what was given and what is wanted."""

    def __init__(self, given: str, wanted: str) -> None:
        super().__init__(f"given {given}; want {wanted}")
        self.given, self.wanted = given, wanted


@dataclass(frozen=True)
class Sheet:
    """One table. `merged` maps a cell that a merged range covers to the range's first one; rows and columns from 0."""

    file: str
    name: str | None  # None: CSV, which has rows and no named sheet
    rows: tuple[tuple[str, ...], ...]
    merged: dict[tuple[int, int], tuple[int, int]] = field(default_factory=dict)

    def text(self, row: int, column: int) -> str:
        """What stands in the cell, or in the merged range that covers it; empty outside the table."""
        row, column = self.merged.get((row, column), (row, column))
        return self.rows[row][column] if row < len(self.rows) and column < len(self.rows[row]) else ""

    def where(self, row: int, column: int | None = None) -> str:
        """The address as a person finds it: `list.csv, row 3`, or `list.xlsx, sheet 事件, cell I29`."""
        if self.name is None:
            return f"{self.file}, row {row + 1}"
        if column is None:
            return f"{self.file}, sheet {self.name}, row {row + 1}"
        return f"{self.file}, sheet {self.name}, cell {column_letters(column)}{row + 1}"


def column_letters(column: int) -> str:
    """The name of a column counted from 0: A, B, … Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def decoded(content: bytes) -> str:
    """The text of a file in UTF-8, with or without byte-order mark, or in GB18030. Raises Unreadable."""
    if content.startswith((b"\xff\xfe", b"\xfe\xff")):  # UTF-16, which GB18030 would read as other characters
        raise Unreadable("UTF-16", "UTF-8 or GB18030")
    for encoding in ("utf-8-sig", "gb18030"):
        try:
            text = content.decode(encoding)
        except UnicodeDecodeError:
            continue
        if "\0" in text:
            raise Unreadable("text with NUL characters", "text")
        return text
    raise Unreadable("neither UTF-8 nor GB18030", "UTF-8 or GB18030")


def read_csv(file: str, content: bytes) -> Sheet:
    """The table of a CSV file. Raises Unreadable."""
    try:
        rows = tuple(
            tuple(unguarded(cell) for cell in line) for line in csv.reader(io.StringIO(decoded(content), newline=""))
        )
    except csv.Error as error:
        raise Unreadable(f"text that is no CSV ({error})", "comma-separated values") from None
    if len(rows) > MOST_ROWS:
        raise Unreadable(f"{len(rows)} rows", f"at most {MOST_ROWS}")
    return Sheet(file, None, rows)


Cell = str | int | float | None
"""What a table that we write holds; None: nothing."""


def written_csv(rows: Iterable[Sequence[Cell]], codes: frozenset[int] = frozenset()) -> bytes:
    """Rows as a CSV file that opens in Excel: UTF-8 with byte-order mark, CRLF, no cell that would be a formula.

    In the columns `codes` (counted from 0) digits stay text: leading noughts stay, nothing is rounded.
    """
    out = io.StringIO(newline="")
    csv.writer(out, lineterminator="\r\n").writerows(
        [_as_text(cell, code=column in codes) for column, cell in enumerate(row)] for row in rows
    )
    return b"\xef\xbb\xbf" + out.getvalue().encode()


def _as_text(cell: Cell, *, code: bool) -> str:
    """Numbers are our own and need no guard: a negative one is no formula."""
    if isinstance(cell, str):
        return guarded(cell, code=code)
    return "" if cell is None else str(cell)


def guarded(cell: str, *, code: bool = False) -> str:
    """The cell with an apostrophe before what Excel would run as a formula or, in a code, take for a number."""
    return f"'{cell}" if cell.startswith(_GUARDED) or (code and cell.isdigit()) else cell


def unguarded(cell: str) -> str:
    """The cell without its guarding apostrophe, if it has one."""
    return cell[1:] if cell.startswith("'") else cell


def tidy(cell: str) -> str:
    """The words of a cell: no blanks at the ends; a line break between Chinese characters is none, else a blank."""
    return " ".join(_TWO_CHINESE.sub("", cell.replace("\r", "\n")).split())
