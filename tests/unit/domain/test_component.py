"""The register of components as files bring it: what is read, what is refused and in which words."""

from __future__ import annotations

import pytest

from geo.datum import Datum, from_wgs84
from geo.place import Bounds
from geo.projection import Plane
from gridsvc.domain.component import (
    Component,
    ComponentState,
    KnownDepartments,
    Register,
    class_of,
    farthest_m,
    read_csv,
    read_features,
    read_register,
    what_is_new,
)
from gridsvc.domain.roster import Fault

CITY = Bounds(103.8, 36.06, 103.803, 36.063)
KNOWN = KnownDepartments(codes=frozenset({"water", "lamps"}), by_name={"供水公司": "water", "路灯管理所": "lamps"})
HEAD = "code,name,state,owning,maintaining,lon,lat\n"
GOOD = "6201020101000001,张掖路上水井盖,intact,water,lamps,103.8005,36.0605\n"


def read(text: str, frame: str = "wgs84", encoding: str = "utf-8") -> Register:
    sheet = read_csv("c.csv", text.encode(encoding))
    assert not isinstance(sheet, Fault), sheet
    return read_register(sheet, frame, KNOWN, CITY)


def one(row: str, frame: str = "wgs84") -> Component:
    register = read(HEAD + row, frame)
    assert register.faults == ()
    return register.found[0].component


def refusal(row: str) -> str:
    register = read(HEAD + row)
    assert register.found == ()
    (fault,) = register.faults
    return str(fault)


def test_a_row_says_what_stands_where_and_whose_it_is() -> None:
    found = one(GOOD)
    assert (found.code, found.state, found.owning, found.maintaining) == (
        "6201020101000001", ComponentState.INTACT, "water", "lamps",
    )  # fmt: skip
    assert (class_of(found.code), found.district) == ("0101", "620102")
    assert (found.place.lon, found.place.lat) == (103.8005, 36.0605)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_chinese_headings_states_and_departments_by_name_are_read_in_any_encoding(encoding: str) -> None:
    text = "标识码,名称,状态,权属单位,经度,纬度\n6201020101000001,井盖,破损,供水公司,103.8005,36.0605\n"
    (found,) = read(text, encoding=encoding).found
    assert (found.component.state, found.component.owning) == (ComponentState.DAMAGED, "water")


def test_an_owner_that_nobody_knows_stays_unknown_and_a_blank_stays_unsaid() -> None:
    unknown, unsaid = one(GOOD.replace("water", "不明")), one(GOOD.replace("water", ""))
    assert (unknown.owning, unknown.owner_unknown) == (None, True)
    assert (unsaid.owning, unsaid.owner_unknown) == (None, False)


def test_a_place_is_stored_as_wgs84_and_kept_as_it_was_written() -> None:
    lon, lat = from_wgs84(103.8005, 36.0605, Datum.GCJ02)
    found = one(f"6201020101000001,x,intact,,,{lon!r},{lat!r}\n", "gcj02")
    assert (found.place.lon, found.place.lat) == pytest.approx((103.8005, 36.0605), abs=1e-9)
    assert (found.surveyed, found.frame) == ((lon, lat), "gcj02")


def test_metres_of_a_survey_are_understood_too() -> None:
    x, y = Plane(4544).to_metres([103.8005], [36.0605])  # type: ignore[arg-type]
    found = one(f"6201020101000001,x,intact,,,{float(x[0])!r},{float(y[0])!r}\n", "EPSG:4544")
    assert (found.place.lon, found.place.lat) == pytest.approx((103.8005, 36.0605), abs=1e-9)
    assert found.frame == "EPSG:4544"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("6.20102E+15,x,intact,,,103.8005,36.0605\n",
         "c.csv, row 2, field code: given '6.20102E+15'; want all 16 digits: a spreadsheet has rounded them; "
         "format the column as text"),
        ("62010201,x,intact,,,103.8005,36.0605\n", "c.csv, row 2, field code: given '62010201'; want 16 digits"),
        (GOOD.replace("water", "Water Ltd"), "field owning: given 'Water Ltd'; want code or name of a department"),
        (GOOD.replace("intact", "fine"), "field state: given 'fine'; want one of intact"),
        (GOOD.replace("intact", ""), "field state: given ''; want one of intact"),
        (GOOD.replace("张掖路上水井盖", ""), "field name: given ''"),
        (GOOD.replace("103.8005,36.0605", "36.0605,103.8005"), "(swapped_axes)"),
        (GOOD.replace("103.8005", "east"), "field x, y: given 'east', '36.0605'; want two numbers"),
        (GOOD.replace("103.8005", "nan"), "(not_finite)"),
        (GOOD.replace("\n", ",more\n"), "c.csv, row 2: given 8 cells; want 7, as the header"),
    ],
)  # fmt: skip
def test_a_bad_row_is_named_by_row_field_given_and_wanted(row: str, said: str) -> None:
    assert said in refusal(row)


def test_a_code_twice_is_refused_the_second_time_and_points_at_the_first() -> None:
    register = read(HEAD + GOOD + GOOD)
    assert [found.row for found in register.found] == [2]
    assert "each once; row 2 has it too" in str(register.faults[0])


def test_one_bad_row_does_not_spoil_the_others() -> None:
    register = read(HEAD + "x,x,intact,,,1,1\n" + GOOD)
    assert ([found.row for found in register.found], len(register.faults)) == ([3], 1)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name,state,lon,lat\n", "no column 'code'"),
        ("code,name,state\n6201020101000001,x,intact\n", "no column 'x'"),
        ("code,标识码,name,state,lon,lat\n", "two columns that mean code"),
        ("code,name,state,lon,lat\n", "no rows"),
        ("", "no column 'code'"),
    ],
)
def test_a_file_that_is_no_register_is_refused_as_a_whole(text: str, said: str) -> None:
    sheet = read_csv("c.csv", text.encode())
    assert isinstance(sheet, Fault)
    assert said in str(sheet)


def test_utf16_is_no_text_of_ours() -> None:
    assert isinstance(read_csv("c.csv", (HEAD + GOOD).encode("utf-16")), Fault)


def test_columns_that_nobody_reads_are_named() -> None:
    sheet = read_csv("c.csv", b"code,name,state,lon,lat,material\n6201020101000001,x,intact,103.8005,36.0605,iron\n")
    assert not isinstance(sheet, Fault)
    assert sheet.ignored == ("material",)


def test_a_feature_without_a_point_is_refused_by_its_row() -> None:
    columns = {"ObjID": ["6201020101000001"] * 2, "ObjName": ["a", "b"], "ObjState": ["完好", "完好"]}
    sheet = read_features("c.gpkg", columns, [None, (103.8005, 36.0605)], ["Polygon", "Point"])
    assert not isinstance(sheet, Fault)
    register = read_register(sheet, "wgs84", KNOWN, CITY)
    assert [str(fault) for fault in register.faults] == ["c.gpkg, row 1, field place: given Polygon; want a point"]
    assert [found.row for found in register.found] == [2]


def test_what_is_new_is_all_at_first_and_then_only_what_differs() -> None:
    before, now = one(GOOD), one(GOOD.replace("intact", "lost").replace("water", "不明"))
    assert set(what_is_new(None, before)) == {
        "name", "state", "supervising", "owning", "maintaining", "note", "surveyed",
    }  # fmt: skip
    assert what_is_new(before, now) == {"state": "lost", "owning": "不明"}
    assert what_is_new(now, now) == {}


def test_a_phone_that_knows_little_may_be_farther_from_the_component_but_not_any_distance() -> None:
    assert [farthest_m(accuracy) for accuracy in (None, 0.0, 30.0, 5_000.0)] == [100.0, 100.0, 130.0, 200.0]
