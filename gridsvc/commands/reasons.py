"""`gridsvc reasons`: why a move is made, in a city's own codes."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridsvc.actions.import_reasons import import_reasons
from gridsvc.db import open_pool, transaction
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example:
  gridsvc reasons import reasons.csv

Columns: move (操作), code (代码), name (名称), and if wanted name_en (英文名称), wants_words (须说明), active (启用).
A code that is there keeps its meaning; active no switches it off. The rules: docs/rules/reasons.md.
Exit code 0: all rows are in; 1: the file was refused, nothing was kept; 2: the command itself was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `reasons` with its own subcommand to the command line."""
    parser = subparsers.add_parser("reasons", help="why a move is made, in the city's own codes")
    commands = parser.add_subparsers(dest="reasons_command", required=True, metavar="COMMAND")
    importing = commands.add_parser(
        "import",
        help="add reasons from a CSV file, or switch them",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("file", type=Path, metavar="FILE.csv")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the import; the exit code."""
    path: Path = arguments.file
    content = _content(path)
    async with open_pool(settings.database.url, size=1, name="gridsvc reasons") as pool:
        try:
            async with transaction(pool) as (conn, _):
                done = await import_reasons(conn, path.name, content)
        except ImportRefused as refused:
            for defect in refused.defects:
                print(defect.message, file=sys.stderr)
            print(f"gridsvc reasons import: {refused.message}", file=sys.stderr)
            return 1
    print(f"{path.name}: {done.rows} reasons, {done.changed} of them new or switched")
    return 0


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
