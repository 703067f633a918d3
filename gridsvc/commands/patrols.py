"""`gridsvc patrols`: which cells of a beat are walked in which shift."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridsvc.actions.import_patrols import import_patrols
from gridsvc.commands.visits import print_refusal, read_plans
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.errors import ImportRefused
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example: every cell of a beat once in the morning and once in the afternoon, on working days
  gridsvc patrols import patrols.csv

  code,duty_line,beat,shifts
  P-S001,social,S001,1-5 08:00-12:00 14:00-18:00

Columns: code (代码), duty_line (条线), beat (责任网格), shifts (班次), and if wanted
cells (单元网格, with ; between them), times (次数), stay_min (停留分钟), warn_min (提醒分钟) and active (启用).
The rules: docs/rules/patrols.md.
Exit code 0: all rows are in; 1: the file was refused, nothing was kept; 2: the command itself was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `patrols` with its own subcommand to the command line."""
    parser = subparsers.add_parser("patrols", help="which cells of a beat are walked in which shift")
    commands = parser.add_subparsers(dest="patrols_command", required=True, metavar="COMMAND")
    importing = commands.add_parser(
        "import",
        help="import patrol plans from a CSV file, or end them",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("file", type=Path, metavar="FILE.csv")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the import; the exit code."""
    path: Path = arguments.file
    content = read_plans(path)
    async with open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc patrols") as pool:
        try:
            async with transaction(pool) as (conn, now):
                done = await import_patrols(conn, path.name, content, "command:patrols", now)
        except ImportRefused as refused:
            print_refusal("patrols", refused)
            return 1
    print(f"{path.name}: {done.rows} patrol plans, {done.active} of them active")
    return 0
