"""Files that bring cameras: tables, map files, and the lists of devices of GA/T 1400."""

from __future__ import annotations

from typing import Any

import pytest

from gridsvc.domain.camera_file import Wanted, doubts, opened, read_ape, read_csv, read_features, read_rows
from gridsvc.domain.component import Sheet
from gridsvc.domain.roster import Fault

CODE = "62010000001320000001"


def sheet(read: Sheet | Fault) -> Sheet:
    assert isinstance(read, Sheet), read
    return read


def rows(text: str, encoding: str = "utf-8") -> tuple[list[Wanted], list[Fault]]:
    return read_rows(sheet(read_csv("c.csv", text.encode(encoding))), "gcj02")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_headings_are_read_in_any_encoding_and_blanks_say_nothing(encoding: str) -> None:
    text = (
        "国标编码,名称,经度,纬度,方位角,协议,序列号,云台,状态,备注\n"
        f"{CODE},路口,103.8,36.06,90,ONVIF,A1|A2,是,启用,x\n"
        "gate-7,门,103.8,36.06,,,,,,\n"
    )
    [wanted, gate], faults = rows(text, encoding)
    assert faults == []
    assert gate.said == {"given": (103.8, 36.06, "gcj02"), "name": "门"}
    assert wanted.said == {
        "given": (103.8, 36.06, "gcj02"), "name": "路口", "bearing_deg": 90.0, "protocol": "onvif",
        "serials": ["A1", "A2"], "ptz": True, "state": "active",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("row", "says"),
    [
        (f"{CODE},x,here,36.06,1", "row 2, field x, y: given 'here, 36.06'; want two numbers"),
        (f"{CODE},x,103.8,36.06,north", "row 2, field bearing_deg: given 'north'; want a number"),
        (f"{CODE},x,103.8,36.06,1\n{CODE},y,103.8,36.06,1", "row 3, field code: given '" + CODE),
        (f"{CODE},x,103.8", "row 2: given 3 cells; want 5"),
    ],
)
def test_a_row_that_cannot_be_read_is_named(row: str, says: str) -> None:
    _, [fault] = rows(f"code,name,x,y,bearing\n{row}\n")
    assert str(fault).startswith(f"c.csv, {says}")


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"name,x,y\n", "no column 'code'"),
        (b"code,x,y,lon\n", "two columns that mean x"),
        (b"code,x,y\n", "no rows"),
        (b"\xff\xfe", "bytes that are no such text"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(content: bytes, says: str) -> None:
    read = read_csv("c.csv", content)
    assert isinstance(read, Fault)
    assert says in read.given


def test_features_have_their_points_and_other_shapes_are_refused() -> None:
    read = sheet(read_features("c.geojson", {"code": ["a", "b"], "x": ["1", "2"]}, [(103.8, 36.06), None],
                               ["Point", "Polygon"]))  # fmt: skip
    wanted, faults = read_rows(read, "wgs84", "onvif")
    assert [(each.code, each.said, each.protocol) for each in wanted] == [
        ("a", {"given": (103.8, 36.06, "wgs84")}, "onvif")
    ]
    assert [fault.given for fault in faults] == ["'Polygon'"]


def ape(**more: object) -> dict[str, Any]:
    return {"ApeID": CODE, "Name": "路口", "Longitude": 103.8, "Latitude": "36.06", **more}


@pytest.mark.parametrize(
    "document",
    [
        {"APEListObject": {"APEObject": [ape()]}},
        {"APEList": {"APE": [ape()]}},
        [ape()],
        {"APEObject": ape()},
    ],
)
def test_a_list_of_devices_is_found_however_its_sender_wraps_it(document: object) -> None:
    [wanted], faults = read_rows(sheet(read_ape("a.json", document)), "cgcs2000")
    assert faults == []
    assert wanted.said == {"name": "路口", "given": (103.8, 36.06, "cgcs2000")}
    assert wanted.protocol == "gat1400", "of one that is new; how a known one is heard the list does not know"


@pytest.mark.parametrize(
    ("direction", "bearing"),
    [("1", 90), (2, 270), ("3", 180), ("4", 0), ("5", 45), ("6", 225), ("7", 135), ("8", 315), ("9", None), ("", None)],
)
def test_the_direction_of_a_device_is_numbered_as_gat_1400_does(direction: object, bearing: float | None) -> None:
    """5 is north-east here; in GB/T 28181 the same 5 is south-east."""
    [wanted], _ = read_rows(sheet(read_ape("a.json", [ape(MonitorDirection=direction)])), "wgs84")
    assert wanted.said.get("bearing_deg") == bearing


def test_a_direction_that_is_none_is_refused() -> None:
    _, [fault] = read_rows(sheet(read_ape("a.json", [ape(MonitorDirection="12")])), "wgs84")
    assert str(fault) == "a.json, row 1, field MonitorDirection: given '12'; want 1 to 8, or 9: other"


@pytest.mark.parametrize(("direction", "bearing"), [("1", 90), ("4", 0), ("5", 135), ("6", 45), ("7", 225), ("8", 315)])
def test_a_catalogue_of_gb28181_numbers_the_diagonals_otherwise(direction: str, bearing: float) -> None:
    listed, _ = read_rows(sheet(read_ape("a.json", [ape(DirectionType=direction)])), "wgs84")
    table, _ = rows(f"code,x,y,DirectionType\n{CODE},103.8,36.06,{direction}\n")
    assert [each.said["bearing_deg"] for each in (*listed, *table)] == [bearing, bearing]


def test_degrees_count_before_a_number_and_what_contradicts_is_refused() -> None:
    header = "code,x,y,方位角,监视方向,监视方位\n"
    near, faults = rows(f"{header}{CODE},103.8,36.06,80,1,1\n")
    assert (near[0].said["bearing_deg"], faults) == (80.0, [])
    _, [fault] = rows(f"{header}{CODE},103.8,36.06,80,3,\n")
    assert str(fault).startswith("c.csv, row 2, field MonitorDirection: given '3, which is 180 degrees'; want the 80")
    _, [fault] = rows(f"{header}{CODE},103.8,36.06,,5,5\n")
    assert str(fault).startswith("c.csv, row 2, field DirectionType: given '5, which is 135 degrees'; want the 45")
    north, _ = rows(f"{header}{CODE},103.8,36.06,359,4,0\n")
    assert north[0].said["bearing_deg"] == 359.0, "north is near 359"


def test_passwords_and_addresses_of_a_list_are_not_read_and_said_to_be_ignored() -> None:
    read = sheet(read_ape("a.json", [ape(Password="secret", IPAddr="10.0.0.5", UserId="")]))
    assert read.ignored == ("IPAddr", "Password")
    assert "secret" not in str(read)


def test_a_device_that_its_platform_calls_offline_is_taken_with_a_warning() -> None:
    [wanted], [warning] = read_rows(sheet(read_ape("a.json", [ape(IsOnline="2", PlaceCode="620103")])), "wgs84")
    assert not warning.refuses
    [doubt] = doubts("a.json", [wanted], {CODE: ["6201", "620102", "620102001"]})
    assert (doubt.refuses, doubt.given) == (False, "'620103', which stands in 620102001")
    assert doubts("a.json", [wanted], {CODE: ["6201", "620103"]}) == []


@pytest.mark.parametrize("document", [{}, [], [1], {"APEListObject": {"APEObject": []}}, "text"])
def test_json_without_devices_is_refused(document: object) -> None:
    assert isinstance(read_ape("a.json", document), Fault)


@pytest.mark.parametrize("content", [b"{", b"[" * 100_000, b"\xff\xfe"])
def test_bytes_that_are_no_json_are_refused(content: bytes) -> None:
    assert isinstance(opened("a.json", content), Fault)
