"""What a list of categories may say, and how each thing wrong with one is named."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from gridsvc.domain.attribute import Attribute
from gridsvc.domain.category import Category, CategoryLimit, Condition
from gridsvc.domain.category_changes import changes_between
from gridsvc.domain.category_file import (
    Handler,
    Known,
    Listing,
    Reading,
    listed,
    read_categories,
    read_handlers,
)
from gridsvc.domain.deadline import LimitUnit, longest_limits
from gridsvc.domain.sheet import Sheet, read_csv, written_csv
from gridsvc.domain.workbook import read_workbook
from gridsvc.local.starter_categories import CATEGORIES
from tests.unit.domain.sample_rules import office

UH, UD, WH, WD, DAY = (
    LimitUnit.URGENT_HOUR, LimitUnit.URGENT_DAY, LimitUnit.WORK_HOUR, LimitUnit.WORK_DAY, LimitUnit.DAY,
)  # fmt: skip
KNOWN = Known(
    duty_lines=frozenset({"city", "sanitation"}),
    departments={"roads": "city", "water": "city"},
    calendars=frozenset({"city"}),
    ladders=frozenset({"handling"}),
)
WATER = Handler(department="water", duty_line="city")
READING = Reading(
    edition="2026", handlers={"供水公司": WATER, "环卫": Handler(department=None, duty_line="sanitation")}
)

HEAD = "kind,major,major_name,minor,name,handler,condition_text,closing,limit"
COVER = "部件,1,公用设施,1,上水井盖,供水公司、各产权单位,缺失,恢复,2紧急工作时"


def listing(*rows: str, head: str = HEAD, reading: Reading = READING, known: Known = KNOWN) -> Listing:
    return read_categories([read_csv("list.csv", "\n".join([head, *rows]).encode())], reading, known)


def one(*rows: str, head: str = HEAD) -> Category:
    found = listing(*rows, head=head)
    assert not found.faults
    (category,) = found.categories
    return category


def test_a_row_gives_class_handler_condition_and_limit() -> None:
    cover = one(COVER)
    assert (cover.id, cover.kind, cover.name) == ("2026:100101", "component", "上水井盖")
    assert (cover.major, cover.major_name) == ("1001", "公用设施")
    assert (cover.department, cover.duty_line, cover.handled_by) == ("water", "city", "department")
    assert cover.conditions == (Condition(code="1", says="缺失", closing="恢复", is_default=True),)
    assert (cover.limit_amount, cover.limit_unit) == (2, UH)
    assert (cover.severity, cover.files_itself, cover.calendar, cover.ladder) == ("normal", True, "city", "handling")


def test_a_blank_class_means_as_above_and_conditions_are_counted() -> None:
    cover = one(COVER, ",,,,,,破损,更换,4工作时", ",,,,,,作响,更换,2工作日")
    assert [(each.code, each.says, each.is_default) for each in cover.conditions] == [
        ("1", "缺失", True), ("2", "破损", False), ("3", "作响", False)
    ]  # fmt: skip
    assert [(each.condition, each.amount, each.unit) for each in cover.limits] == [
        ("1", 2, UH), ("2", 4, WH), ("3", 2, WD)
    ]  # fmt: skip


def test_a_new_minor_class_keeps_the_major_one_and_takes_nothing_else() -> None:
    found = listing(
        COVER, ",,,2,污水井盖,供水公司,缺失,恢复,2紧急工作时", ",2,道路设施,1,停车场,供水公司,破损,修复,5工作日"
    )
    assert [(each.code, each.name, each.major_name) for each in found.categories] == [
        ("100101", "上水井盖", "公用设施"), ("100102", "污水井盖", "公用设施"), ("100201", "停车场", "道路设施"),
    ]  # fmt: skip


def test_limits_differ_by_management_level_within_a_condition() -> None:
    head = f"{HEAD},management_level"
    cover = one(f"{COVER},", ",,,,,,缺失,,1紧急工作时,A", ",,,,,,破损,更换,4工作时,", ",,,,,,,,3工作日,C", head=head)
    assert [(each.condition, each.management_level, each.amount) for each in cover.limits] == [
        (None, "C", 3), ("1", None, 2), ("1", "A", 1), ("2", None, 4)
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("limit", "closing", "amount", "unit"),
    [
        ("45紧急分钟", "恢复", 45, LimitUnit.URGENT_MINUTE),
        ("2紧急工作时", "恢复", 2, UH),
        ("1紧急工作时\n", "恢复", 1, UH),
        (" 5工作日", "恢复", 5, WD),
        ("２ 紧急工作日", "恢复", 2, UD),
        ("0.5工作时", "恢复", 0.5, WH),
        ("3自然日", "恢复", 3, DAY),
        ("4work_hour", "恢复", 4, WH),
        ("1紧急工作时制止", "制止", 1, UH),  # what is to be reached by then stands behind the unit
    ],
)
def test_a_limit_is_a_number_and_a_unit(limit: str, closing: str, amount: float, unit: LimitUnit) -> None:
    row = COVER.replace("恢复,2紧急工作时", f'{closing},"{limit}"')
    assert (one(row).limit_amount, one(row).limit_unit) == (amount, unit)


def test_by_when_it_must_be_stopped_is_a_limit_of_its_own_stage() -> None:
    """Where stopping it is all that closes the case, the handling has the same limit; else another row says it."""
    alone = one(COVER.replace("恢复,2紧急工作时", "制止,1紧急工作时制止"))
    assert [(each.stage, each.amount) for each in alone.limits] == [("handling", 1), ("stop_it", 1)]
    both = one(COVER.replace("恢复,2紧急工作时", "制止；查处,1紧急工作时制止"), ",,,,,,缺失,,3工作日")
    assert [(each.stage, each.amount, each.unit) for each in both.limits] == [
        ("handling", 3, WD), ("stop_it", 1, UH)
    ]  # fmt: skip
    (fault,) = listing(COVER.replace("恢复,2紧急工作时", "制止；查处,1紧急工作时制止")).faults
    assert (fault.where, fault.field) == ("list.csv, row 2", "limit")


@pytest.mark.parametrize(
    ("given", "stage"), [("制止", "stop_it"), ("checking", "checking"), ("查处", "handling"), ("现场核查", "on_site")]
)
def test_a_stage_is_a_clock_by_its_name_or_its_chinese_one(given: str, stage: str) -> None:
    read = one(f"{COVER},", f",,,,,,,,5工作时,{given}", head=f"{HEAD},stage")
    own = [(read.limit_amount, "handling")]  # what always holds for the handling is the category's own
    assert (5, stage) in [*own, *((each.amount, each.stage) for each in read.limits)]


def test_a_stage_that_is_no_clock_is_refused_with_those_there_are() -> None:
    (fault,) = listing(f"{COVER},上班", head=f"{HEAD},stage").faults
    assert (fault.where, fault.field, fault.given) == ("list.csv, row 2", "stage", "'上班'")
    assert "stop_it" in fault.wanted
    assert "supervision" not in fault.wanted  # an order says itself how long it waits


@pytest.mark.parametrize(("limit", "longest"), [("1096自然日", "1092自然日"), ("9999工作时", "6240工作时")])
def test_no_limit_is_longer_than_three_years(limit: str, longest: str) -> None:
    known = replace(KNOWN, longest=longest_limits([office()]))
    assert not listing(COVER, known=known).faults
    (fault,) = listing(COVER.replace("2紧急工作时", limit), known=known).faults
    assert (fault.where, fault.field, fault.given) == ("list.csv, row 2", "limit", f"'{limit}'")
    assert longest.removesuffix("自然日").removesuffix("工作时") in fault.wanted


def test_a_category_says_which_checks_it_wants() -> None:
    head = f"{HEAD},checks"
    assert one(f"{COVER},", head=head).checks == ()
    assert one(f"{COVER},结案前; 立案前", head=head).checks == ("pre_filing_check", "closing_check")


@pytest.mark.parametrize(
    ("limit", "wanted"),
    [
        ("1紧急工作时制止", "nothing behind the unit but words of the closing condition"),
        ("种植季节15工作日", "for a season write a condition of its own"),
        ("约2工作日", "nothing before"),
        ("尽快", "a number and a unit"),
        ("2", "a unit behind the number"),
        ("0工作日", "more than nothing"),
        ("", "how long it may take"),
        ("2-3工作日", "say what it means with --unit"),
        ("4小时", "say what it means with --unit 小时=UNIT"),
    ],
)
def test_an_unknown_limit_is_refused_where_it_stands_and_never_becomes_a_default(limit: str, wanted: str) -> None:
    found = listing(COVER, f",,,2,污水井盖,供水公司,,,{limit}")
    (fault,) = found.faults
    assert fault.where == "list.csv, row 3"
    assert fault.field == "limit"
    assert wanted in fault.wanted
    assert [each.code for each in found.categories] == ["100101"]


def test_a_word_that_may_mean_natural_or_working_time_is_told_once_and_read_when_it_is_explained() -> None:
    rows = (COVER.replace("2紧急工作时", "4小时"), ",,,,,,破损,更换,2天", ",,,,,,作响,更换,3天")
    faults = listing(*rows).faults
    assert [fault.given for fault in faults] == ["the unit '小时', in 1 row", "the unit '天', in 2 rows"]
    explained = Reading(edition="2026", handlers=READING.handlers, units={"小时": WH, "天": WD})
    (cover,) = listing(*rows, reading=explained).categories
    assert [(each.amount, each.unit) for each in cover.limits] == [(4, WH), (2, WD), (3, WD)]


def test_a_handler_is_the_whole_cell_or_who_stands_first_in_it() -> None:
    whole = Handler(department="roads", duty_line="city")
    reading = Reading(edition="2026", handlers={**READING.handlers, "供水公司、各产权单位": whole})
    assert listing(COVER, reading=reading).categories[0].department == "roads"
    assert listing(COVER).categories[0].department == "water"
    swept = listing(COVER.replace("供水公司、各产权单位", "环卫")).categories[0]
    assert (swept.department, swept.handled_by, swept.duty_line) == (None, "officer", "sanitation")


def test_an_unmapped_handler_refuses_its_rows_and_is_told_once() -> None:
    found = listing(COVER, ",,,2,污水井盖,街办、供水公司,缺失,恢复,2工作日", ",,,3,雨水井盖,街办,缺失,恢复,2工作日")
    (fault,) = found.faults
    assert (fault.where, fault.field, fault.given) == ("list.csv, row 3", "handler", "'街办', in 2 rows")
    assert [each.code for each in found.categories] == ["100101"]


def test_a_category_with_one_row_at_fault_is_left_out_whole() -> None:
    found = listing(COVER, ",,,,,,破损,更换,尽快", ",,,2,污水井盖,供水公司,缺失,恢复,2工作日")
    assert [each.code for each in found.categories] == ["100102"]
    assert [fault.where for fault in found.faults] == ["list.csv, row 3"]


def test_one_condition_s_limit_never_stands_in_for_another_s() -> None:
    """破损 has a limit in areas of level A only, and nobody has said what holds elsewhere."""
    head = f"{HEAD},management_level"
    (fault,) = listing(f"{COVER},", ",,,,,,破损,更换,4工作时,A", head=head).faults
    assert (fault.where, fault.field) == ("list.csv, row 3", "limit")
    whole = listing(f"{COVER},", *(f",,,,,,破损,更换,4工作时,{level}" for level in "ABC"), head=head)
    assert not whole.faults
    general = listing(f"{COVER},", ",,,,,,,,9工作日,", ",,,,,,破损,更换,4工作时,A", head=head)
    assert not general.faults
    assert general.categories[0].limit_for("2", "B").amount == 9


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("部件,1,公用设施,6.20102E+14,井盖,供水公司,缺失,恢复,2工作日", "minor"),
        ("部件,1,公用设施,123,井盖,供水公司,缺失,恢复,2工作日", "minor"),
        ("部件,一,公用设施,2,井盖,供水公司,缺失,恢复,2工作日", "major"),
        ("设施,1,公用设施,2,井盖,供水公司,缺失,恢复,2工作日", "kind"),
        ("部件,1,公用设施,2,井\x07盖,供水公司,缺失,恢复,2工作日", "name"),
        ("部件,1,公用设施,2,井盖,,缺失,恢复,2工作日", "duty_line"),
        ("部件,1,公共设施,2,井盖,供水公司,缺失,恢复,2工作日", "major_name"),
        ("部件,1,公用设施,2,井盖,供水公司,,恢复,2工作日", "closing"),
        (",,,,下水井盖,,破损,更换,2工作日", "name"),
        (",,,,,,缺失,恢复,3工作日", "limit"),
        (",,,,,,缺失,修好,", "closing"),
    ],
)
def test_a_row_at_fault_is_named_with_its_field(row: str, field: str) -> None:
    found = listing(COVER, row)
    assert [(fault.where, fault.field) for fault in found.faults] == [("list.csv, row 3", field)]
    assert all(fault.given and fault.wanted for fault in found.faults)
    of_the_same = row.startswith(",")  # then the category above is left out with it
    assert [each.code for each in found.categories] == ([] if of_the_same else ["100101"])


def test_a_code_that_excel_has_shortened_is_told_to_be_one() -> None:
    for head, row in (
        (f"{HEAD},code", f"{COVER},6.20102E+14"),
        (HEAD, COVER.replace("公用设施,1,", "公用设施,6.2e14,")),
    ):
        (fault,) = listing(row, head=head).faults
        assert "Excel has shortened it" in fault.wanted


def test_a_new_major_class_does_not_take_the_name_of_the_one_above() -> None:
    (fault,) = listing(COVER, ",2,,1,停车场,供水公司,破损,修复,5工作日").faults
    assert (fault.field, fault.wanted) == ("major_name", "a name of major class 1002")


@pytest.mark.parametrize(
    ("column", "given"),
    [
        ("severity", "terrible"), ("files_itself", "maybe"), ("evidence", "video"), ("duplicate_radius_m", "near"),
        ("checks", "re_check"), ("attributes", "宽度:metres"),
        ("calendar", "moon"), ("ladder", "rope"), ("department", "gas"), ("management_level", "D"), ("stage", "a b"),
        ("condition", "6.20102E+14"), ("code", "6.20102E+14"), ("active", "2"), ("is_default", "perhaps"),
    ],
)  # fmt: skip
def test_every_further_column_is_checked(column: str, given: str) -> None:
    (fault,) = listing(f"{COVER},{given}", head=f"{HEAD},{column}").faults
    assert (fault.where, fault.field) == ("list.csv, row 2", column)


def test_a_header_is_looked_for_below_a_title_and_a_strange_column_refuses_the_table() -> None:
    assert len(listing("", HEAD, COVER, head="某市立案结案标准").categories) == 1
    (fault,) = listing(COVER + ",x", head=HEAD + ",colour").faults
    assert fault.given == "'colour'"
    (fault,) = listing(COVER, head="a,b,c").faults
    assert fault.given == "no header"
    (fault,) = listing(COVER + ",x", head=HEAD + ",name").faults
    assert fault.wanted == "each column once"


def test_who_supervises_a_handler_is_read_past() -> None:
    assert len(listing(COVER + ",城市管理局", head=HEAD + ",主管部门").categories) == 1


def test_a_mapping_of_names_says_who_is_meant_or_is_refused() -> None:
    sheet = read_csv(
        "names.csv", "名称,责任单位,条线\n供水公司,water,\n环卫,,sanitation\n街办,nobody,\n供水公司,roads,\n".encode()
    )
    handlers, faults = read_handlers(sheet, KNOWN)
    assert handlers == READING.handlers
    assert [(fault.where, fault.field) for fault in faults] == [
        ("names.csv, row 4", "department"), ("names.csv, row 5", "name")
    ]  # fmt: skip


MERGED = Sheet(
    "list.xlsx",
    "部件",
    (
        ("大类代码", "大类名称", "小类代码", "小类名称", "处置单位", "立案条件", "结案条件", "处置时限"),
        ("1", "公用设施", "01", "上水井盖", "供水公司", "缺失", "恢复", "2紧急工作时"),
        ("", "", "", "", "", "破损", "", "4工作时"),
        ("", "", "", "", "", "", "", ""),
        ("", "", "2", "污水井盖", "供水公司", "缺失", "恢复", "尽快"),
    ),
    {(2, 4): (1, 4), (2, 6): (1, 6), (3, 5): (2, 5), (3, 7): (2, 7)},
)


def test_a_merged_cell_stands_for_each_row_that_it_covers() -> None:
    found = read_categories([MERGED], READING, KNOWN)
    (cover,) = found.categories
    assert [(each.says, each.closing) for each in cover.conditions] == [("缺失", "恢复"), ("破损", "恢复")]
    assert len(cover.limits) == 2  # the third row is the rest of the second
    (fault,) = found.faults
    assert str(fault).startswith("list.xlsx, sheet 部件, cell H5, field limit: given '尽快'; want ")


ATTRIBUTES = (
    Attribute(name="-权属"),
    Attribute(name="材质", kind="choice", choices=("铸铁", "复合"), required=False),
    Attribute(name="宽度", kind="number"),
)


def test_what_is_written_reads_as_exactly_the_same_edition() -> None:
    known = Known(
        duty_lines=frozenset({"city", "sanitation", "social"}),
        departments={each.department: each.duty_line for each in CATEGORIES if each.department},
        calendars=frozenset({"city", "other"}),
        ladders=frozenset({"handling"}),
    )
    levels = (
        CategoryLimit(amount=0.5, unit=DAY, management_level="B"),
        CategoryLimit(amount=3, unit=WH, condition="x", stage="stop_it"),
        CategoryLimit(amount=2, unit=WH, condition="x", management_level="A"),
    )
    odd = one(COVER, ",,,,,,破损,,5工作日")
    strange = Category(
        **{
            **vars(odd), "edition": "starter-2026", "code": "07", "major": None, "major_name": "", "name": "=1+1",
            "checks": ("closing_check",),
            "attributes": ATTRIBUTES, "evidence": ("report", "after"), "duplicate_radius_m": 12.5,
            "dispatches_itself": False, "active": False, "calendar": "other",
            "conditions": (Condition(code="01", says="+缺失", closing="@", is_default=False),
                           Condition(code="x", says="破损", is_default=True)),
            "limits": (levels[0], levels[2], levels[1]),
        }
    )  # fmt: skip
    edition = (strange, *CATEGORIES)
    for chinese in (True, False):
        rows, codes = listed(edition, chinese=chinese)
        sheet = read_csv("out.csv", written_csv(rows, codes))
        found = read_categories([sheet], Reading(edition="starter-2026"), known)
        assert found.faults == ()
        assert found.categories == tuple(sorted(edition, key=lambda each: each.code))


def test_a_preview_tells_what_is_new_what_differs_and_what_is_gone() -> None:
    before = listing(
        COVER, ",,,2,污水井盖,供水公司,缺失,恢复,2工作日", ",,,3,雨水井盖,供水公司,缺失,恢复,2工作日"
    ).categories
    later = Reading(edition="2027", handlers=READING.handlers)
    after = listing(
        COVER, ",,,2,污水井盖,供水公司,缺失,恢复,3工作日", ",,,4,雨水箅子,供水公司,缺失,恢复,2工作日", reading=later
    ).categories
    changes = changes_between(before, after)
    assert [each.code for each in changes.added] == ["100104"]
    assert [(each.after.code, each.fields) for each in changes.changed] == [("100102", ("limit_amount", "limits"))]
    assert [each.code for each in changes.removed] == ["100103"]
    assert changes.same == 1


# --- a real city's workbook -------------------------------------------------------------------------


def real_workbook(sample_data: Path) -> list[Sheet]:
    path = sample_data / "taxonomy/yuncheng_muban.xlsx"
    return read_workbook(path.name, path.read_bytes())


def test_a_real_workbook_is_refused_until_its_words_are_explained(sample_data: Path) -> None:
    found = read_categories(real_workbook(sample_data), READING, KNOWN)
    assert found.categories == ()
    told = {(fault.field, fault.given) for fault in found.faults}
    assert ("limit", "the unit '天', in 412 rows") in told
    assert ("limit", "the unit '小时', in 61 rows") in told
    assert {field for field, _ in told} == {"limit", "handler"}
    assert len(found.faults) < 30  # and not one for each of 519 rows


def test_a_real_workbook_reads_whole_when_they_are(sample_data: Path) -> None:
    sheets = real_workbook(sample_data)
    unmapped = [fault.given.split("'")[1] for fault in read_categories(sheets, READING, KNOWN).faults
                if fault.field == "handler"]  # fmt: skip
    reading = Reading(edition="y", handlers=dict.fromkeys(unmapped, WATER), units={"天": WD, "小时": WH})
    found = read_categories(sheets, reading, KNOWN)
    assert found.faults == ()
    book = {each.code: each for each in found.categories}
    assert len(book) == 190
    assert [sum(each.kind == kind for each in found.categories) for kind in ("component", "event")] == [92, 98]
    limits = [limit for each in found.categories for limit in each.limits]
    assert [len(limits), sum(each.stage == "stop_it" for each in limits)] == [520, 1]
    assert [sum(each.unit is unit for each in limits) for unit in (WD, WH, UH, UD)] == [412, 61, 43, 4]
    felling = book["200122"].limits[:2]  # 1紧急工作时制止, to be closed when 制止: the handling, and the stopping
    assert [(each.stage, each.amount, each.unit) for each in felling] == [("handling", 1, UH), ("stop_it", 1, UH)]
    assert (book["200501"].limit_amount, book["200501"].limit_unit) == (1, UH)  # 1紧急工作时 and a line break
    assert book["100397"].name == "烟头收集器或灭烟处"
    assert book["200401"].major_name == "街面秩序"
    assert [each.closing for each in book["200198"].conditions] == [
        "发现、初审、处置、移交", "发现、初审、处置、移交、拆除"
    ]  # fmt: skip


def test_the_real_workbook_holds_what_somebody_else_read_from_it(sample_data: Path) -> None:
    """The flat list was made by another program; where a row is the same rule it must say the same."""
    sheets = real_workbook(sample_data)
    unmapped = [fault.given.split("'")[1] for fault in read_categories(sheets, READING, KNOWN).faults
                if fault.field == "handler"]  # fmt: skip
    reading = Reading(edition="y", handlers=dict.fromkeys(unmapped, WATER), units={"天": WD, "小时": WH})
    ours = {
        (each.name, condition.says)
        for each in read_categories(sheets, reading, KNOWN).categories
        for condition in each.conditions
    }
    flat = read_csv("flat.csv", (sample_data / "taxonomy/yuncheng_flat.derived.csv").read_bytes())
    column = {name: place for place, name in enumerate(flat.rows[0])}
    theirs = {
        (" ".join(row[column["small_name"]].replace("\n", "").split()), " ".join(row[column["condition"]].split()))
        for row in flat.rows[1:]
    }
    assert len(theirs & ours) > 500
    assert theirs - ours == set()
