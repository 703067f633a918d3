"""`gridsvc categories`: editions of categories, from a list to being in force and back to a list."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from gridsvc.actions.import_categories import Order, Plan, edition_in_force, plan_categories, publish_categories
from gridsvc.db import ConnPool, open_pool, transaction
from gridsvc.domain.category import Category
from gridsvc.domain.category_file import listed
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.sheet import written_csv
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings
from gridsvc.store import categories

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST_BYTES: Final = 32 * 1024 * 1024  # of one file: the largest list known is 60 kB

_IMPORT_EXAMPLE: Final = """\
example: look first, then publish; the list writes 天 for 工作日 and names departments in words
  gridsvc categories import standards.xlsx --edition 2026 --unit 天=work_day --unit 小时=work_hour \\
      --departments names.csv --preview
  gridsvc categories import standards.xlsx --edition 2026 --name "立案结案标准 2026" --unit 天=work_day \\
      --unit 小时=work_hour --departments names.csv --publish

Columns, rules and an example file: docs/categories-import.md.
Exit code 0: all rows are read (or published); 1: rows were refused; 2: the command itself was wrong."""

_EXPORT_EXAMPLE: Final = """\
example:
  gridsvc categories export categories.csv
  gridsvc categories export old.csv --edition 2007 --headings en

Opens in Excel: UTF-8 with byte-order mark, codes as text, no formulas. `import` reads it as the same edition."""


def add(subparsers: Subparsers) -> None:
    """Add `categories` with its own subcommands to the command line."""
    parser = subparsers.add_parser("categories", help="editions of what may be reported, with limits and handlers")
    commands = parser.add_subparsers(dest="categories_command", required=True, metavar="COMMAND")
    importing = commands.add_parser(
        "import",
        help="read a CSV or XLSX list; preview it or publish it as a new edition",
        epilog=_IMPORT_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("file", type=Path, metavar="FILE", help="the list, .csv or .xlsx")
    importing.add_argument("--edition", required=True, type=_edition, metavar="CODE", help="code of the new edition")
    importing.add_argument("--name", default="", help="its name for people (default: the code)")
    importing.add_argument("--departments", type=Path, metavar="FILE", help="name, department, duty_line: who is meant")
    importing.add_argument(
        "--unit", action="append", default=[], type=_unit, metavar="WORD=UNIT", help="what a word of the limits means"
    )
    importing.add_argument("--calendar", help="working calendar of the limits (default: that of all categories)")
    importing.add_argument("--against", metavar="CODE", help="compare with this edition (default: the one in force)")
    what = importing.add_mutually_exclusive_group(required=True)
    what.add_argument("--preview", action="store_true", help="only say what would change; write nothing")
    what.add_argument("--publish", action="store_true", help="publish; reports mean this edition from now on")
    importing.add_argument("--beside", action="store_true", help="publish beside the edition in force, not instead")
    importing.add_argument("--partial", action="store_true", help="leave out the categories that have a row at fault")
    exporting = commands.add_parser(
        "export",
        help="write an edition as CSV",
        epilog=_EXPORT_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    exporting.add_argument("file", type=Path, metavar="FILE.csv", help="where to write it; must not exist")
    exporting.add_argument("--edition", metavar="CODE", help="which (default: the one in force)")
    exporting.add_argument("--headings", choices=["zh", "en"], default="zh", help="language of the headings")
    commands.add_parser("editions", help="list the editions")


def _edition(code: str) -> str:
    if not 1 <= len(code) <= 32 or not code.isprintable() or any(sign in code for sign in ":/, "):
        raise argparse.ArgumentTypeError(f"{code!r} is no code; want up to 32 characters without : / , and blanks")
    return code


def _unit(given: str) -> tuple[str, LimitUnit]:
    word, _, unit = given.partition("=")
    if not word or unit not in set(LimitUnit):
        raise argparse.ArgumentTypeError(f"{given!r}: want WORD=UNIT, the unit one of {', '.join(LimitUnit)}")
    return word, LimitUnit(unit)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the chosen subcommand; the exit code."""
    async with open_pool(settings.database.url, size=2, name="gridsvc categories") as pool:
        match arguments.categories_command:
            case "import":
                return await _import(pool, arguments)
            case "export":
                return await _export(pool, arguments)
        return await _editions(pool)


async def _import(pool: ConnPool, arguments: argparse.Namespace) -> int:
    order = Order(
        file=(arguments.file.name, _content(arguments.file)),
        edition=arguments.edition,
        departments=(arguments.departments.name, _content(arguments.departments)) if arguments.departments else None,
        units=dict(arguments.unit),
        calendar=arguments.calendar,
        against=arguments.against,
    )
    with tqdm(total=3, desc="categories", disable=None, leave=False) as bar:
        async with transaction(pool) as (conn, now):
            try:
                plan = await plan_categories(conn, order)
                bar.update()
                _say_faults(plan)
                if arguments.publish:
                    await publish_categories(
                        conn, plan, arguments.name, arguments.file.name, now,
                        partial=arguments.partial, default=not arguments.beside,
                    )  # fmt: skip
                bar.update()
            except ImportRefused as refused:
                print(f"gridsvc categories import: {refused.message}", file=sys.stderr)
                return 1
        bar.update()
    for line in _said(plan, arguments.edition, published=arguments.publish, beside=arguments.beside):
        print(line)
    return 1 if plan.listing.faults else 0


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SetupError(f"{path} is larger than {_MOST_BYTES // 2**20} MiB; want a list of categories")
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


def _say_faults(plan: Plan) -> None:
    for fault in plan.listing.faults:
        print(fault, file=sys.stderr)


def _said(plan: Plan, edition: str, *, published: bool, beside: bool) -> Iterable[str]:
    changes = plan.changes
    for new in changes.added:
        yield f"+ {_named(new)}"
    for each in changes.changed:
        yield f"~ {_named(each.after)}: {', '.join(each.fields)}{_standing(plan, each.before)}"
    for gone in changes.removed:
        yield f"- {_named(gone)}{_standing(plan, gone)}"
    count = len(plan.listing.categories)
    limits = sum(len(each.limits) or 1 for each in plan.listing.categories)
    done = "published" if published else "would be published"
    where = f" beside {plan.against}" if beside and plan.against else ""
    yield (
        f"{count} categories with {limits} limits {done} as edition {edition}{where}; against "
        f"{plan.against or 'no edition'}: {len(changes.added)} added, {len(changes.changed)} changed, "
        f"{len(changes.removed)} removed, {changes.same} the same; {len(plan.listing.faults)} refusals; "
        f"{sum(plan.open_cases.values())} open cases stay on {plan.against or 'none'}"
    )


def _named(category: Category) -> str:
    return f"{category.code} {category.name}"


def _standing(plan: Plan, category: Category) -> str:
    cases = plan.open_cases.get(category.code, 0)
    return f" ({cases} open case{'s' if cases > 1 else ''})" if cases else ""


async def _export(pool: ConnPool, arguments: argparse.Namespace) -> int:
    async with transaction(pool, snapshot=True) as (conn, _):
        found = await edition_in_force(conn, arguments.edition)
    rows, codes = listed(found, chinese=arguments.headings == "zh")
    try:
        with arguments.file.open("xb") as out:
            out.write(written_csv(rows, codes))
    except OSError as error:
        raise SetupError(f"{arguments.file} cannot be written: {error.strerror}") from error
    print(f"{len(found)} categories of edition {found[0].edition} in {len(rows) - 1} rows: {arguments.file}")
    return 0


async def _editions(pool: ConnPool) -> int:
    async with transaction(pool, snapshot=True) as (conn, _):
        for each in await categories.EDITIONS.all(conn):
            in_force = " (in force)" if each.is_default else ""
            print(f"{each.code}{in_force}: {each.name}, {each.categories} categories, {each.published_at:%Y-%m-%d}")
    return 0
