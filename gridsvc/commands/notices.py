"""`gridsvc notices`: how many rungs are a storm, what rings at night, and when roles are quiet."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridsvc.actions.import_notice_rules import import_notice_rules
from gridsvc.db import open_pool, transaction
from gridsvc.domain.notice_file import write_notice_rules
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings
from gridsvc.store import notice_rules

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example: change what holds
  gridsvc notices show > notices.toml
  gridsvc notices import notices.toml

The form of the file, and what it means: docs/rules/notices.md.
Exit code 0: done; 1: the file was refused, nothing was kept; 2: the command itself was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `notices` with its own subcommands to the command line."""
    parser = subparsers.add_parser("notices", help="when notices ring: digests and quiet hours")
    commands = parser.add_subparsers(dest="notices_command", required=True, metavar="COMMAND")
    for name, what in (("show", "print the rules that hold as a file"), ("import", "put the rules of a file in force")):
        command = commands.add_parser(
            name, help=what, description=what, epilog=_EXAMPLE, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        if name == "import":
            command.add_argument("file", type=Path, metavar="FILE.toml")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the chosen subcommand; the exit code."""
    async with open_pool(settings.database.url, size=1, name="gridsvc notices") as pool:
        if arguments.notices_command == "show":
            async with transaction(pool) as (conn, _):
                print(write_notice_rules(*await notice_rules.read(conn)), end="")
            return 0
        path: Path = arguments.file
        content = _content(path)
        try:
            async with transaction(pool) as (conn, now):
                quiet = await import_notice_rules(conn, path.name, content, now)
        except ImportRefused as refused:
            for defect in refused.defects:
                print(f"refused: {defect.message}", file=sys.stderr)
            print(f"gridsvc notices import: {refused.message}", file=sys.stderr)
            return 1
    print(f"{path.name}: in force, with quiet hours for {quiet} roles and divisions")
    return 0


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
