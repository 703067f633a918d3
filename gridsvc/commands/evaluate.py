"""`gridsvc evaluate`: how work is judged, as a table or a file; checked against the history."""

from __future__ import annotations

import argparse
import sys
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from gridsvc.actions.evaluate_work import disagreements, evaluate
from gridsvc.db import ConnPool, open_pool, transaction
from gridsvc.domain.evaluation import CODES, INDICATORS, Asked, By, Item, Period, Profile, Scope, cut, table
from gridsvc.domain.sheet import written_csv
from gridsvc.domain.workbook_out import written_workbook
from gridsvc.errors import SetupError
from gridsvc.settings import Settings
from gridsvc.store.rulebook import rulebook

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
examples:
  gridsvc evaluate --from 2026-01-01 --to 2027-01-01 --by district --period month
  gridsvc evaluate --from 2026-12-01 --to 2027-01-01 --by department --out december.xlsx
  gridsvc evaluate --from 2026-01-01 --to 2027-01-01 --by officer --verify

Days are the city's, --to is not counted. FILE ends in .csv or .xlsx and must not exist. --verify counts everything
once more from the history alone. Formulas: docs/rules/evaluation.md.
Exit code 0: done; 1: refused, or the two counts differ (each difference on a line); 2: the command was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `evaluate` to the command line."""
    parser = subparsers.add_parser(
        "evaluate", help="how work is judged: counts and indicators", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--from", dest="first", required=True, type=_day, metavar="DAY", help="the first day")
    parser.add_argument("--to", dest="end", required=True, type=_day, metavar="DAY", help="the day after the last one")
    parser.add_argument("--by", type=By, default=By.DISTRICT, choices=list(By), help="group by (default %(default)s)")
    parser.add_argument("--period", type=Period, default=Period.WHOLE, choices=list(Period), help="cut into pieces")
    parser.add_argument("--division", metavar="CODE", help="only what lies in it")
    parser.add_argument(
        "--profile", type=Profile, default=Profile.SUSPENDED_LEFT_OUT, choices=list(Profile),
        help="whether what is suspended now counts as due (default %(default)s)",
    )  # fmt: skip
    parser.add_argument("--headings", choices=["zh", "en"], default="zh", help="language of a file's headings")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write .csv or .xlsx instead of printing")
    parser.add_argument("--verify", action="store_true", help="count once more from the history, and compare")


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no day; want one like 2026-12-01") from None


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Evaluate; the exit code."""
    out: Path | None = arguments.out
    if out is not None and out.suffix not in {".csv", ".xlsx"}:
        print(f"gridsvc evaluate: {out} ends in {out.suffix or 'nothing'}; want .csv or .xlsx", file=sys.stderr)
        return 2
    async with open_pool(settings.database.url, size=1, name="gridsvc evaluate") as pool:
        return await _evaluate(pool, arguments, out)


async def _evaluate(pool: ConnPool, given: argparse.Namespace, out: Path | None) -> int:
    async with transaction(pool, snapshot=True) as (conn, now):
        zone = (await rulebook(conn)).zone
        asked = Asked(
            edges=cut(given.first, given.end, given.period, zone), by=given.by, profile=given.profile,
            division=given.division, scope=Scope(everything=True), now=now,
        )  # fmt: skip
        items = await evaluate(conn, asked)
        differences: list[str] = []
        if given.verify:
            with tqdm(unit=" cases", desc="history", disable=None, leave=False) as bar:
                differences = await disagreements(conn, asked, bar.update)
    rows = table(asked, items, zone, chinese=given.headings == "zh")
    if out is None:
        for item, row in zip(items, rows[1:], strict=True):
            print(_line(item, f"{row[3]} – {row[4]}"))
    else:
        _write(out, written_workbook(rows, CODES) if out.suffix == ".xlsx" else written_csv(rows, CODES))
        print(f"{len(items)} rows: {out}")
    for line in differences:
        print(f"DIFFERS {line}", file=sys.stderr)
    if given.verify:
        print(f"{len(differences)} figures differ" if differences else "tables and history agree in every figure")
    return 1 if differences else 0


def _line(item: Item, days: str) -> str:
    values = ", ".join(
        f"{INDICATORS[each.indicator].name} {'–' if each.value is None else f'{each.value:.2f}'}"
        f" ({each.numerator}/{each.denominator})"
        for each in item.values
        if each.denominator
    )
    return f"{days}  {item.level} {item.code} {item.name}: {values or 'nothing to judge'}"


def _write(out: Path, content: bytes) -> None:
    try:
        with out.open("xb") as file:
            file.write(content)
    except OSError as error:
        raise SetupError(f"{out} cannot be written: {error.strerror}") from error
