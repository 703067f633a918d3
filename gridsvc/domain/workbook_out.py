"""A table as an Excel workbook (.xlsx) of one sheet: text stays text, so codes keep noughts and nothing is computed."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable, Sequence
from typing import Final
from xml.sax.saxutils import escape

from gridsvc.domain.sheet import Cell, column_letters

_TYPES: Final = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">\
<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>\
<Default Extension="xml" ContentType="application/xml"/>\
<Override PartName="/xl/workbook.xml" \
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet.main+xml"/>\
<Override PartName="/xl/worksheets/sheet1.xml" \
ContentType="application/vnd.openxmlformats-officedocument.spreadsheetml.worksheet+xml"/></Types>"""

_RELATIONS: Final = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">\
<Relationship Id="rId1" \
Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships/{kind}" Target="{target}"/></Relationships>"""

_BOOK: Final = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" \
xmlns:r="http://schemas.openxmlformats.org/officeDocument/2006/relationships">\
<sheets><sheet name="1" sheetId="1" r:id="rId1"/></sheets></workbook>"""

_SHEET: Final = """<?xml version="1.0" encoding="UTF-8" standalone="yes"?>
<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>{rows}</sheetData></worksheet>"""

_MADE: Final = (2000, 1, 1, 0, 0, 0)  # of every part: the same table gives the same bytes
_UNKEEPABLE: Final = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")  # XML has no way to say them


def written_workbook(rows: Iterable[Sequence[Cell]], codes: frozenset[int] = frozenset()) -> bytes:
    """`rows` as one sheet: text as text whatever it looks like, numbers as numbers, None as an empty cell.

    In the columns `codes` (counted from 0) a number is written as text too.
    """
    lines = "".join(
        f'<row r="{number}">'
        + "".join(
            _cell(f"{column_letters(at)}{number}", str(cell) if at in codes and cell is not None else cell)
            for at, cell in enumerate(row)
        )
        + "</row>"
        for number, row in enumerate(rows, start=1)
    )  # fmt: skip
    parts = {
        "[Content_Types].xml": _TYPES,
        "_rels/.rels": _RELATIONS.format(kind="officeDocument", target="xl/workbook.xml"),
        "xl/workbook.xml": _BOOK,
        "xl/_rels/workbook.xml.rels": _RELATIONS.format(kind="worksheet", target="worksheets/sheet1.xml"),
        "xl/worksheets/sheet1.xml": _SHEET.format(rows=lines),
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, text in parts.items():
            archive.writestr(zipfile.ZipInfo(path, _MADE), text.encode(), zipfile.ZIP_DEFLATED)
    return out.getvalue()


def _cell(at: str, value: Cell) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        text = escape(_UNKEEPABLE.sub("", value))
        return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'
    return f'<c r="{at}"><v>{value!r}</v></c>'
