"""`gridsvc visits`: who or what is visited how often."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from geo.datum import Datum
from gridsvc.actions.import_visits import import_visits
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example: old people who live alone, once a month, from the next working day of the rhythm on
  gridsvc visits import visits.csv --datum wgs84

  category,subject,lon,lat,every,unit,first_on
  300202,ELD-0417,103.8402,36.0571,1,month,2026-12-01

Columns: category (类别), subject (对象编号), lon (经度), lat (纬度), every (间隔), unit (单位), first_on (首次日期),
and if wanted days (日期类型) and active (启用). The subject is a key of your own, never a name. The rules:
docs/rules/visits.md.
Exit code 0: all rows are in; 1: the file was refused, nothing was kept; 2: the command itself was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `visits` with its own subcommand to the command line."""
    parser = subparsers.add_parser("visits", help="who or what is visited how often")
    commands = parser.add_subparsers(dest="visits_command", required=True, metavar="COMMAND")
    importing = commands.add_parser(
        "import",
        help="import visit plans from a CSV file, or end them",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("file", type=Path, metavar="FILE.csv")
    importing.add_argument("--datum", type=Datum, choices=list(Datum), required=True, help="whose degrees they are")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the import; the exit code."""
    path: Path = arguments.file
    content = read_plans(path)
    async with open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc visits") as pool:
        try:
            async with transaction(pool) as (conn, now):
                done = await import_visits(conn, path.name, content, arguments.datum, "command:visits", now)
        except ImportRefused as refused:
            print_refusal("visits", refused)
            return 1
    print(f"{path.name}: {done.rows} visit plans, {done.active} of them active")
    return 0


def read_plans(path: Path) -> bytes:
    """The bytes of a file. Raises SetupError."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


def print_refusal(command: str, refused: ImportRefused) -> None:
    """Every fault on a line of its own, and what became of the file."""
    for defect in refused.defects:
        print(defect.message, file=sys.stderr)
    print(f"gridsvc {command} import: {refused.message}", file=sys.stderr)
