"""A file of cases: nothing in it runs in a spreadsheet, codes stay text, and nobody who reported is in it."""

from __future__ import annotations

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gridsvc.domain.export import CODES, COLUMNS, feature, headings, rows
from gridsvc.domain.sheet import read_csv, written_csv
from tests.conftest import ROOT

CITY = ZoneInfo("Asia/Shanghai")
CODES_OF = [column.code for column in COLUMNS]


def case(**changes: Any) -> Any:
    told = {
        "id": "018f", "number": "0012", "acceptance_number": "S1", "state": "filed", "severity": "low", "pool": None,
        "edition": "2013", "category": "0101", "category_name": "上水井盖", "category_name_en": "Water manhole",
        "duty_line": "city_management", "source": "hotline", "description": "x", "address": "", "lon": 103.8,
        "lat": 36.0, "division": "620102001001", "division_name": "大众巷社区", "cell": "620102001001001",
        "officer_name": None, "department": None, "department_name": "",
        "occurred_at": datetime(2026, 3, 1, 20, tzinfo=UTC),
        "reported_at": datetime(2026, 3, 1, 20, tzinfo=UTC), "filed_at": None, "due_at": None, "overdue": False,
        "suspended": True, "closed_at": None, "exercise": False,
    }  # fmt: skip
    return SimpleNamespace(**{**told, **changes})


def cell(code: str, **changes: Any) -> str:
    raw = written_csv([headings(chinese=True), *rows([case(**changes)], CITY, chinese=True)], CODES)
    return raw.decode("utf-8-sig").splitlines()[1].split(",")[CODES_OF.index(code)]


@pytest.mark.parametrize("typed", ['=1+1', "+1", "-1", "@A1", "＝1", "\t=1"])
def test_what_somebody_typed_is_no_formula(typed: str) -> None:
    assert cell("description", description=typed) == f"'{typed}"


def test_a_longitude_in_the_west_is_a_number_and_no_formula() -> None:
    assert cell("lon", lon=-71.06) == "-71.06"


def test_codes_stay_text_so_that_no_nought_and_no_digit_is_lost() -> None:
    assert cell("number") == "'0012"
    assert cell("cell") == "'620102001001001"


def test_times_are_the_city_s_and_yes_and_no_are_words() -> None:
    assert cell("reported_at") == "2026-03-02T04:00:00+08:00"
    assert (cell("suspended"), cell("overdue")) == ("是", "否")


def test_what_was_written_reads_back_as_it_was() -> None:
    raw = written_csv([headings(chinese=False), *rows([case(description="=a,\"b\"")], CITY, chinese=False)], CODES)
    sheet = read_csv("cases.csv", raw)
    assert sheet.rows[0] == tuple(CODES_OF)
    assert sheet.rows[1][CODES_OF.index("description")] == '=a,"b"'


def test_a_case_without_a_place_has_no_geometry() -> None:
    assert feature(case(lon=None, lat=None), CITY)["geometry"] is None
    told = feature(case(), CITY)
    assert told["geometry"] == {"type": "Point", "coordinates": [103.8, 36.0]}
    assert set(told["properties"]) == set(CODES_OF) - {"lon", "lat"}


def test_nothing_of_who_reported_is_a_column() -> None:
    assert [code for code in CODES_OF if "reporter" in code or "phone" in code] == []


def test_the_page_says_what_every_column_holds() -> None:
    page = (ROOT / "docs/export.md").read_text(encoding="utf-8")
    told = [line.split(" | ")[:2] for line in page.splitlines() if line.startswith("| `")]
    assert told == [[f"| `{column.code}`", column.name] for column in COLUMNS]
