"""Lists of categories become editions: previewed, published, exported, and kept apart from one another."""

from __future__ import annotations

import argparse
import csv
import io
from collections.abc import Sequence
from pathlib import Path

import asyncpg
import pytest

from gridsvc.actions.file_report import file_reports
from gridsvc.actions.import_categories import Order, Plan, plan_categories, publish_categories
from gridsvc.commands import categories as command
from gridsvc.db import Conn, ConnPool, city_now, transaction
from gridsvc.domain.deadline import LimitUnit
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.local.starter import load_starter
from gridsvc.local.starter_categories import CATEGORIES, EDITION
from gridsvc.settings import read_settings
from gridsvc.store.numbers import NumberBlocks
from gridsvc.store.rulebook import rulebook
from tests.integration.small_city import found_small_city, report

EXAMPLES = Path(__file__).parents[2] / "docs/examples/categories"
UNITS = {"天": LimitUnit.WORK_DAY, "小时": LimitUnit.WORK_HOUR}


def example(name: str) -> tuple[str, bytes]:
    return name, (EXAMPLES / name).read_bytes()


async def planned(conn: Conn, file: tuple[str, bytes], edition: str = "2026", **more: object) -> Plan:
    order: dict[str, object] = {"departments": example("departments.csv"), "units": UNITS} | more
    return await plan_categories(conn, Order(file=file, edition=edition, **order))  # type: ignore[arg-type]


async def published(conn: Conn, file: tuple[str, bytes], edition: str = "2026", *, default: bool = True) -> Plan:
    plan = await planned(conn, file, edition)
    await publish_categories(conn, plan, "", file[0], await city_now(conn), partial=False, default=default)
    return plan


async def test_the_example_file_reads_whole_and_is_in_force_when_it_is_published(conn: Conn) -> None:
    await load_starter(conn)
    plan = await published(conn, example("categories.csv"))
    assert plan.listing.faults == ()
    book = await rulebook(conn)
    assert book.default_edition == "2026"
    cover = book.category("100101")
    assert cover.id == "2026:100101"
    assert tuple(each for each in book.categories.values() if each.edition == "2026") == plan.listing.categories
    found = cover.limit_for("1", "A")
    assert (found.amount, found.unit, found.management_level) == (1, "urgent_hour", "A")
    assert (cover.limit_for("1", "B").amount, cover.limit_for("2", "A").amount) == (2, 4)


async def test_old_editions_stay_and_may_be_named(conn: Conn) -> None:
    await load_starter(conn)
    await published(conn, example("categories.csv"))
    book = await rulebook(conn)
    assert book.category(f"{EDITION}:200113").name == "道路破损"
    assert tuple(each for each in book.categories.values() if each.edition == EDITION) == CATEGORIES


async def test_an_edition_may_stand_beside_the_one_in_force(conn: Conn) -> None:
    await load_starter(conn)
    await published(conn, example("categories.csv"), default=False)
    book = await rulebook(conn)
    assert book.default_edition == EDITION
    assert book.category("2026:100101").edition == "2026"


async def test_a_published_edition_never_changes(conn: Conn) -> None:
    await load_starter(conn)
    await published(conn, example("categories.csv"))
    with pytest.raises(SetupError, match="never changes"):
        await published(conn, example("categories.csv"))
    for table in ("category_majors", "category_conditions", "category_limits"):
        for change in (f"DELETE FROM {table}", f"UPDATE {table} SET edition = 'x'"):  # noqa: S608 - words of this file
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                async with conn.transaction():
                    await conn.execute(change)


CLASSES_2007 = (
    "事件,04,突发事件,01,路面塌陷,塌陷,修复,2紧急工作时\n事件,05,街面秩序,01,无照经营游商,摆摊,取缔,2紧急工作时\n"
)
CLASSES_2013 = (
    "事件,04,街面秩序,01,无照经营游商,摆摊,取缔,2紧急工作时\n事件,05,突发事件,05,路面塌陷,塌陷,修复,2紧急工作时\n"
)
CLASS_HEAD = "类型,大类代码,大类名称,小类代码,小类名称,立案条件,结案条件,处置时限,责任单位\n"


def class_system(rows: str) -> bytes:
    return (CLASS_HEAD + rows.replace("\n", ",roads\n")).encode("gb18030")


async def test_class_systems_that_swap_two_classes_live_side_by_side(conn: Conn) -> None:
    """2007 numbers emergencies 04 and street order 05, 2013 the other way round: the same code, another matter."""
    await load_starter(conn)
    await published(conn, ("2007.csv", class_system(CLASSES_2007)), "2007", default=False)
    await published(conn, ("2013.csv", class_system(CLASSES_2013)), "2013")
    book = await rulebook(conn)
    assert book.category("200401").name == book.category("2013:200401").name == "无照经营游商"
    assert book.category("2007:200401").name == "路面塌陷"
    assert book.category("2007:200501").name == "无照经营游商"
    majors = {(each.edition, each.major): each.major_name for each in book.categories.values()}
    assert majors["2007", "2004"] == majors["2013", "2005"] == "突发事件"
    plan = await planned(conn, ("2007.csv", class_system(CLASSES_2007)), "2007b", against="2013")
    [changed] = plan.changes.changed
    assert (changed.before.name, changed.after.name) == ("无照经营游商", "路面塌陷")
    assert {"name", "major_name"} <= set(changed.fields)


async def test_rows_at_fault_refuse_the_edition_unless_their_categories_are_left_out(conn: Conn) -> None:
    await load_starter(conn)
    broken = example("categories.csv")[1].replace("1天".encode(), "尽快".encode())
    plan = await planned(conn, ("list.csv", broken))
    with pytest.raises(ImportRefused) as refused:
        await publish_categories(conn, plan, "", "", await city_now(conn), partial=False, default=True)
    assert [defect.message.partition(":")[0] for defect in refused.value.defects] == ["list.csv, row 7, field limit"]
    assert (await rulebook(conn)).default_edition == EDITION
    await publish_categories(conn, plan, "", "", await city_now(conn), partial=True, default=True)
    book = await rulebook(conn)
    assert ("2026", "100137") not in book.categories
    assert ("2026", "100101") in book.categories


async def test_a_file_that_is_no_table_is_refused(conn: Conn) -> None:
    await load_starter(conn)
    for content in (b"PK\x03\x04broken", "代码".encode("utf-16")):
        with pytest.raises(ImportRefused, match="list: given"):
            await planned(conn, ("list", content))


async def test_a_real_workbook_becomes_an_edition_and_comes_back_the_same(conn: Conn, sample_data: Path) -> None:
    await load_starter(conn)
    path = sample_data / "taxonomy/yuncheng_muban.xlsx"
    file = (path.name, path.read_bytes())
    first = await planned(conn, file, departments=None)
    names = sorted({fault.given.split("'")[1] for fault in first.listing.faults})
    mapping = ("names.csv", ("name,department\n" + "".join(f"{name},roads\n" for name in names)).encode())
    plan = await planned(conn, file, departments=mapping)
    assert plan.listing.faults == ()
    await publish_categories(conn, plan, "运城", path.name, await city_now(conn), partial=False, default=True)
    kept = tuple(each for each in (await rulebook(conn)).categories.values() if each.edition == "2026")
    assert kept == plan.listing.categories
    assert len(kept) == 190
    counts = await conn.fetchrow(
        "SELECT (SELECT count(*) FROM category_conditions WHERE edition = '2026') AS conditions,"
        "       (SELECT count(*) FROM category_limits WHERE edition = '2026') AS limits"
    )
    assert counts is not None
    assert tuple(counts) == (519, 520), "1紧急工作时制止 is a limit to stop it and one to close it"


# --- the command -------------------------------------------------------------------------------------


async def gridsvc_categories(database: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    arguments = parser.parse_args(["categories", *words])
    return await command.run(arguments, read_settings({"GRIDSVC_DATABASE_URL": database}))


LIST = str(EXAMPLES / "categories.csv")
HOW: Sequence[str] = (
    "--departments",
    str(EXAMPLES / "departments.csv"),
    "--unit",
    "天=work_day",
    "--unit",
    "小时=work_hour",
)


@pytest.fixture
async def starter(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        await load_starter(conn)


async def test_a_preview_says_what_would_change_and_writes_nothing(
    database: str, pool: ConnPool, starter: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await gridsvc_categories(database, "import", LIST, *HOW, "--edition", "2026", "--preview") == 0
    said = capsys.readouterr().out.splitlines()
    assert [line for line in said if line.startswith("~ 100101")] == [
        "~ 100101 上水井盖: name_en, major_name_en, conditions, limits"
    ]
    assert "- 200113 道路破损" in said
    assert said[-1] == (
        "4 categories with 12 limits would be published as edition 2026; against starter-2026: 0 added, 4 changed, "
        "163 removed, 0 the same; 0 refusals; 0 open cases stay on starter-2026"
    )
    assert await pool.fetchval("SELECT count(*) FROM category_editions") == 1


async def test_a_preview_counts_the_open_cases_that_stay_where_they_are(
    database: str, pool: ConnPool, capsys: pytest.CaptureFixture[str]
) -> None:
    async with transaction(pool) as (conn, now):
        city = await found_small_city(conn)
        said = [report(city.acceptor, code) for code in ("200113", "200113", "300101")]
        await file_reports(conn, said, NumberBlocks(pool), now)
        await conn.execute("UPDATE cases SET state = 'cancelled', pool = NULL WHERE category = '300101'")
    assert await gridsvc_categories(database, "import", LIST, *HOW, "--edition", "2026", "--preview") == 0
    told = capsys.readouterr().out
    assert "- 200113 道路破损 (2 open cases)" in told
    assert told.endswith("2 open cases stay on starter-2026\n")


async def test_words_that_nobody_has_explained_are_refused_with_their_cells(
    database: str, pool: ConnPool, starter: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await gridsvc_categories(database, "import", LIST, "--edition", "2026", "--publish") == 1
    said = capsys.readouterr().err
    assert "categories.csv, row 2, field handler: given '供水公司', in 4 rows; want a row for it" in said
    assert "categories.csv, row 6, field limit: given the unit '天', in 3 rows; want one of" in said
    assert await pool.fetchval("SELECT count(*) FROM category_editions") == 1


async def test_an_export_opens_in_excel_and_comes_back_as_the_same_edition(
    database: str, pool: ConnPool, starter: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.csv"
    assert await gridsvc_categories(database, "export", str(out)) == 0
    content = out.read_bytes()
    assert content.startswith(b"\xef\xbb\xbf")
    cells = [cell for row in csv.reader(io.StringIO(content.decode("utf-8-sig"))) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\t", "\r"))]
    assert "'100101" in cells
    with pytest.raises(SetupError, match="cannot be written"):  # what is there is not overwritten
        await gridsvc_categories(database, "export", str(out))
    assert await gridsvc_categories(database, "import", str(out), "--edition", "again", "--publish") == 0
    assert "0 added, 0 changed, 0 removed, 167 the same" in capsys.readouterr().out
    assert await gridsvc_categories(database, "editions") == 0
    listed = capsys.readouterr().out
    assert listed.startswith("again (in force): again, 167 categories, ")
    assert "starter-2026: 起步类别 2026" in listed


async def test_an_edition_beside_is_not_what_reports_mean(database: str, pool: ConnPool, starter: None) -> None:
    assert await gridsvc_categories(database, "import", LIST, *HOW, "--edition", "2026", "--publish", "--beside") == 0
    assert await pool.fetchval("SELECT code FROM category_editions WHERE is_default") == EDITION


@pytest.mark.parametrize(
    "words",
    [
        ["--edition", "2026"],
        ["--preview"],
        ["--edition", "a:b", "--preview"],
        ["--edition", "x", "--preview", "--publish"],
        ["--edition", "x", "--preview", "--unit", "天=long"],
    ],
)
async def test_a_command_that_is_wrong_itself_ends_with_two(database: str, words: list[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        await gridsvc_categories(database, "import", LIST, *words)
    assert ended.value.code == 2
