"""A file of cases: its columns, as data, and what stands in each (docs/export.md).

The same columns are a row of CSV and the properties of GeoJSON. Nothing of who reported leaves in a file.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from gridsvc.domain.sheet import Cell


@dataclass(frozen=True)
class Column:
    """One column; `read` takes the row and the city's zone. Of a `code` the digits stay text in a spreadsheet."""

    code: str
    name: str
    read: Callable[[Any, ZoneInfo], str | float | bool | None]
    is_code: bool = False


def _plain(name: str) -> Callable[[Any, ZoneInfo], Any]:
    return lambda row, _: getattr(row, name)


def _moment(name: str) -> Callable[[Any, ZoneInfo], str | None]:
    def read(row: Any, zone: ZoneInfo) -> str | None:
        at: datetime | None = getattr(row, name)
        return None if at is None else at.astimezone(zone).isoformat(timespec="seconds")

    return read


COLUMNS: Final = (
    Column("number", "案卷号", _plain("number"), is_code=True),
    Column("acceptance_number", "受理号", _plain("acceptance_number"), is_code=True),
    Column("state", "状态", _plain("state")),
    Column("severity", "严重程度", _plain("severity")),
    Column("pool", "待处理池", _plain("pool")),
    Column("category", "类别代码", lambda row, _: f"{row.edition}:{row.category}", is_code=True),
    Column("category_name", "类别", _plain("category_name")),
    Column("category_name_en", "类别（英文）", _plain("category_name_en")),
    Column("duty_line", "条线", _plain("duty_line")),
    Column("source", "来源", _plain("source")),
    Column("description", "说明", _plain("description")),
    Column("address", "地址", _plain("address")),
    Column("division", "区划代码", _plain("division"), is_code=True),
    Column("division_name", "区划", _plain("division_name")),
    Column("cell", "单元网格", _plain("cell"), is_code=True),
    Column("officer", "人员", _plain("officer_name")),
    Column("department", "部门代码", _plain("department"), is_code=True),
    Column("department_name", "部门", _plain("department_name")),
    Column("occurred_at", "发生时间", _moment("occurred_at")),
    Column("reported_at", "上报时间", _moment("reported_at")),
    Column("filed_at", "立案时间", _moment("filed_at")),
    Column("due_at", "到期时间", _moment("due_at")),
    Column("overdue", "超时", _plain("overdue")),
    Column("suspended", "挂账", _plain("suspended")),
    Column("closed_at", "结案时间", _moment("closed_at")),
    Column("exercise", "演练", _plain("exercise")),
    Column("lon", "经度（WGS-84）", _plain("lon")),
    Column("lat", "纬度（WGS-84）", _plain("lat")),
)
"""Every column, in the order of the file."""

CODES: Final = frozenset(n for n, column in enumerate(COLUMNS) if column.is_code)
"""The places of the columns that hold codes."""


def headings(*, chinese: bool) -> list[Cell]:
    """The first row of the file."""
    return [column.name if chinese else column.code for column in COLUMNS]


def rows(cases: Sequence[Any], zone: ZoneInfo, *, chinese: bool) -> list[list[Cell]]:
    """The cases as rows; yes and no in words, times in the city's zone."""
    yes, no = ("是", "否") if chinese else ("yes", "no")
    return [
        [
            (yes if value else no) if isinstance(value, bool) else value
            for value in (column.read(case, zone) for column in COLUMNS)
        ]
        for case in cases
    ]


def feature(case: Any, zone: ZoneInfo) -> dict[str, Any]:
    """The case as a GeoJSON feature; `geometry` null while its place is unknown."""
    return {
        "type": "Feature",
        "id": str(case.id),
        "geometry": None if case.lon is None else {"type": "Point", "coordinates": [case.lon, case.lat]},
        "properties": {
            column.code: column.read(case, zone) for column in COLUMNS if column.code not in {"lon", "lat"}
        },
    }
