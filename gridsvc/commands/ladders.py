"""`gridsvc ladders`: who hears when time runs out, in editions of the city's own."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridsvc.actions.publish_ladders import (
    check_ladders,
    import_ladders,
    preview_ladders,
    publish_ladders,
    read_edition,
    roll_back_ladders,
)
from gridsvc.actions.recompute_clocks import recompute_clocks
from gridsvc.db import ConnPool, open_pool, transaction
from gridsvc.domain.ladder_file import write_ladders
from gridsvc.domain.roster import Fault
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings
from gridsvc.store import ladders

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST_BYTES: Final = 1024 * 1024
_BATCH: Final = 500  # cases whose clocks follow in one transaction

_EXAMPLES: Final = {
    "import": """\
example: begin with what is in force, change it, and look before it holds
  gridsvc ladders show > ladders.toml
  gridsvc ladders import ladders.toml
  gridsvc ladders preview 2
  gridsvc ladders publish 2""",
    "check": """\
example:
  gridsvc ladders check ladders.toml""",
    "show": """\
examples: the edition in force, and an older one
  gridsvc ladders show
  gridsvc ladders show 1""",
    "list": """\
example:
  gridsvc ladders list""",
    "publish": """\
example:
  gridsvc ladders publish 2""",
    "rollback": """\
example:
  gridsvc ladders rollback""",
    "preview": """\
example: how many rungs would fire at once?
  gridsvc ladders preview 2""",
}
_CODES: Final = (
    "\n\nThe form of the file, and which ladder holds where: docs/rules/escalation.md."
    "\nExit code 0: done; 1: refused, nothing was kept; 2: the command itself was wrong."
)


def add(subparsers: Subparsers) -> None:
    """Add `ladders` with its own subcommands to the command line."""
    parser = subparsers.add_parser("ladders", help="who hears when time runs out: editions, preview, publish")
    commands = parser.add_subparsers(dest="ladders_command", required=True, metavar="COMMAND")
    importing = _command(commands, "import", "keep a file as a draft")
    importing.add_argument("file", type=Path, metavar="FILE.toml")
    checking = _command(commands, "check", "name every fault of a file; keep nothing")
    checking.add_argument("file", type=Path, metavar="FILE.toml")
    showing = _command(commands, "show", "print an edition as a file")
    showing.add_argument("edition", type=int, nargs="?", help="its number (default: the one in force)")
    _command(commands, "list", "all editions")
    publishing = _command(commands, "publish", "put an edition in force; open clocks follow")
    publishing.add_argument("edition", type=int)
    _command(commands, "rollback", "put the edition before in force again")
    previewing = _command(commands, "preview", "say what an edition would make of the open clocks; change nothing")
    previewing.add_argument("edition", type=int)


def _command(commands: Subparsers, name: str, what: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=what, description=what, epilog=_EXAMPLES[name] + _CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the chosen subcommand; the exit code."""
    commands = {
        "import": _import, "check": _check, "show": _show, "list": _list, "publish": _publish,
        "rollback": _rollback, "preview": _preview,
    }  # fmt: skip
    async with open_pool(settings.database.url, size=2, name="gridsvc ladders") as pool:
        try:
            await commands[arguments.ladders_command](pool, arguments)
        except ImportRefused as refused:
            for defect in refused.defects:
                print(f"refused: {defect.message}", file=sys.stderr)
            print(f"gridsvc ladders {arguments.ladders_command}: {refused.message}", file=sys.stderr)
            return 1
    return 0


async def _import(pool: ConnPool, given: argparse.Namespace) -> None:
    content = _content(given.file)
    async with transaction(pool) as (conn, now):
        edition, checked = await import_ladders(conn, given.file.name, content, "command", now)
    _warn(checked.warnings)
    print(f"edition {edition} is a draft: {checked.ladders.name}; what it changes: gridsvc ladders preview {edition}")


async def _check(pool: ConnPool, given: argparse.Namespace) -> None:
    content = _content(given.file)
    async with transaction(pool) as (conn, now):
        checked = await check_ladders(conn, given.file.name, content, now)
    _warn(checked.warnings)
    rungs = sum(len(each) for each in checked.ladders.ladders.values())
    print(
        f"{given.file.name}: {len(checked.ladders.ladders)} ladders, {rungs} rungs, {len(checked.ladders.uses)} uses; "
        "it can be imported"
    )


async def _show(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, _):
        edition = await read_edition(conn, given.edition)
    print(write_ladders(edition.name, edition.ladders, edition.uses), end="")


async def _list(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, _):
        found = await ladders.EDITIONS.all(conn)
    for each in found:
        since = "" if each.published_at is None else f" since {each.published_at.isoformat()} by {each.published_by}"
        until = "" if each.retired_at is None else f" until {each.retired_at.isoformat()}"
        print(
            f"{each.edition}: {each.name}; {each.state}{since}{until}; made {each.made_at.isoformat()} by "
            f"{each.made_by}; {each.ladders} ladders, {each.rungs} rungs, {each.uses} uses; "
            f"{each.open_clocks} open clocks"
        )


async def _publish(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, now):
        before = await publish_ladders(conn, given.edition, "command", now)
    await _follow(pool, f"edition {given.edition} is in force, {before} is retired")


async def _rollback(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, now):
        before, edition = await roll_back_ladders(conn, "command", now)
    await _follow(pool, f"edition {edition} is in force again, {before} is retired")


async def _follow(pool: ConnPool, said: str) -> None:
    done, more = 0, True
    while more:
        async with transaction(pool) as (conn, now):
            batch = await recompute_clocks(conn, now, _BATCH)
        done += batch
        more = batch > 0
    print(f"{said}; the clocks of {done} cases follow it; what somebody holds now follows within seconds")


async def _preview(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, now):
        effect = await preview_ladders(conn, given.edition, now)
    print(
        f"{effect.open} open clocks: {effect.other_ladder} on another ladder; next rung earlier on {effect.earlier}, "
        f"later or never on {effect.later}"
    )
    print(f"{sum(effect.at_once.values())} rungs would fire at once")
    for ladder, count in effect.at_once.items():
        print(f"  {ladder}: {count}")


def _warn(warnings: tuple[Fault, ...]) -> None:
    for fault in warnings:
        print(f"warning: {fault}", file=sys.stderr)


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SetupError(f"{path} is larger than {_MOST_BYTES // 2**20} MiB; want the ladders of one city")
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
