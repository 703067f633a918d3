"""`gridsvc gazetteer`: landmarks and house numbers, so that a place can be found by words."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from geo.datum import Datum
from gridsvc.actions.import_gazetteer import import_gazetteer
from gridsvc.db import open_pool, transaction
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example:
  gridsvc gazetteer import landmarks.csv --datum gcj02
  gridsvc gazetteer import houses-2027.csv --datum cgcs2000 --source houses

Columns: name (名称), aliases (别名, with ; between), road (道路), house (门牌号), lon (经度), lat (纬度).
An import replaces what the same source brought before; the source is the file's name unless it is named.
An example file: docs/examples/gazetteer/; how words find places: docs/rules/places.md.
Exit code 0: all rows are in; 1: rows were refused; 2: the command itself was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `gazetteer` with its own subcommand to the command line."""
    parser = subparsers.add_parser("gazetteer", help="landmarks and house numbers: places that are found by words")
    commands = parser.add_subparsers(dest="gazetteer_command", required=True, metavar="COMMAND")
    importing = commands.add_parser(
        "import",
        help="import points from a CSV file",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("file", type=Path, metavar="FILE.csv")
    importing.add_argument("--datum", type=Datum, choices=list(Datum), required=True, help="whose degrees they are")
    importing.add_argument("--source", help="whose points these are (default: the file's name without .csv)")
    importing.add_argument("--partial", action="store_true", help="import the good rows even when others are refused")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the import; the exit code."""
    path: Path = arguments.file
    content = _content(path)
    source = arguments.source or path.stem
    async with open_pool(settings.database.url, size=1, name="gridsvc gazetteer") as pool:
        try:
            async with transaction(pool) as (conn, now):
                done = await import_gazetteer(
                    conn, path.name, content, str(arguments.datum), source, partial=arguments.partial, now=now
                )
        except ImportRefused as refused:
            for defect in refused.defects:
                print(defect.message, file=sys.stderr)
            print(f"gridsvc gazetteer import: {refused.message}", file=sys.stderr)
            return 1
    for fault in done.read.faults:
        print(fault, file=sys.stderr)
    print(f"{source}: {len(done.read.points)} points imported, {done.before} before; {len(done.read.faults)} refusals")
    return 1 if done.read.faults else 0


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
