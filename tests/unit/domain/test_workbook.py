"""Excel workbooks as sheets. The ones here are written by hand, part by part, as Excel writes them."""

from __future__ import annotations

import io
import zipfile
from xml.sax.saxutils import escape

import pytest

from gridsvc.domain.sheet import Unreadable
from gridsvc.domain.workbook import is_workbook, read_workbook

_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_REL = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"


def workbook(*sheets: tuple[str, str, str], more: dict[str, bytes] | None = None) -> bytes:
    """An .xlsx file of `sheets`: name, state (visible or hidden), and the XML within the worksheet."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="xml" '
        'ContentType="application/xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="r" Type="{_REL}/'
        'officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_REL}"><sheets>'
        + "".join(
            f'<sheet name="{name}" sheetId="{n}" state="{state}" r:id="r{n}"/>'
            for n, (name, state, _) in enumerate(sheets, 1)
        )
        + "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        + "".join(
            f'<Relationship Id="r{n}" Type="{_REL}/worksheet" Target="worksheets/sheet{n}.xml"/>'
            for n in range(1, len(sheets) + 1)
        )
        + "</Relationships>",
        **{
            f"xl/worksheets/sheet{n}.xml": f'<worksheet xmlns="{_MAIN}">{xml}</worksheet>'
            for n, (_, _, xml) in enumerate(sheets, 1)
        },
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
        for name, content in (more or {}).items():
            archive.writestr(name, content)
    return out.getvalue()


def text(at: str, words: str) -> str:
    return f'<c r="{at}" t="inlineStr"><is><t xml:space="preserve">{escape(words)}</t></is></c>'


def number(at: str, value: str) -> str:
    return f'<c r="{at}"><v>{value}</v></c>'


def test_values_are_the_text_that_a_person_would_type() -> None:
    row = f'<row r="2">{text("A2", "01")}{number("B2", "1")}{number("C2", "2.5")}<c r="D2"><f>1+1</f><v>2</v></c></row>'
    [sheet] = read_workbook("w.xlsx", workbook(("部件", "visible", f"<sheetData>{row}</sheetData>")))
    assert sheet.rows == (("", "", "", ""), ("01", "1", "2.5", "2"))
    assert sheet.where(1, 1) == "w.xlsx, sheet 部件, cell B2"


def test_a_number_of_twelve_digits_and_more_is_seen_as_excel_shows_it() -> None:
    row = f'<row r="1">{number("A1", "620102001001001")}{number("B1", "62010212345")}</row>'
    [sheet] = read_workbook("w.xlsx", workbook(("x", "visible", f"<sheetData>{row}</sheetData>")))
    assert sheet.rows == (("6.20102E+14", "62010212345"),)


def test_a_merged_range_stands_for_each_of_its_cells() -> None:
    xml = (
        f'<sheetData><row r="1">{text("A1", "公用设施")}{text("B1", "缺失")}</row><row r="2">{text("B2", "破损")}</row>'
        '<row r="3"/></sheetData><mergeCells count="1"><mergeCell ref="A1:A1048576"/></mergeCells>'
    )
    title = f'<sheetData><row r="1">{text("A1", "标准")}</row></sheetData>'
    wide = f'{title}<mergeCells><mergeCell ref="A1:XFD9"/></mergeCells>'
    assert len(read_workbook("w.xlsx", workbook(("x", "visible", wide)))[0].merged) == 1
    [sheet] = read_workbook("w.xlsx", workbook(("x", "visible", xml)))
    assert [sheet.text(n, 0) for n in range(2)] == ["公用设施", "公用设施"]
    assert sheet.text(1, 1) == "破损"
    assert len(sheet.merged) == len(sheet.rows)  # and not a million


def test_hidden_sheets_are_not_read() -> None:
    empty = "<sheetData/>"
    sheets = read_workbook("w.xlsx", workbook(("部件", "visible", empty), ("草稿", "hidden", empty)))
    assert [sheet.name for sheet in sheets] == ["部件"]


def test_what_is_no_workbook_is_refused() -> None:
    assert is_workbook(workbook(("x", "visible", "<sheetData/>")))
    assert not is_workbook(b"code,name\n")
    for content in (b"PK\x03\x04 and no more", workbook(("x", "visible", "<sheetData><row"))):
        with pytest.raises(Unreadable):
            read_workbook("w.xlsx", content)


def test_an_archive_that_unpacks_to_more_than_a_workbook_can_be_is_refused_unread() -> None:
    bomb = workbook(("x", "visible", "<sheetData/>"), more={"xl/media/x.bin": bytes(257 * 2**20)})
    assert len(bomb) < 2**20
    with pytest.raises(Unreadable, match="bytes unpacked"):
        read_workbook("w.xlsx", bomb)
