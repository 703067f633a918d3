"""`gridsvc people`: departments and people from files, and the trackers that officers carry."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import secrets
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from gridsvc.actions.import_people import Imported, Plan, import_people, plan_import
from gridsvc.db import ConnPool, open_pool, transaction
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.passwords import hash_password
from gridsvc.settings import Settings
from gridsvc.store import people, positions

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST_BYTES: Final = 64 * 1024 * 1024  # of one file: 200 000 rows of 300 bytes
_HASHERS: Final = 2  # each takes 19 MiB and one core for 35 ms

_IMPORT_EXAMPLE: Final = """\
example:
  gridsvc people import departments.csv people.csv --check
  gridsvc people import departments.csv people.csv

Which file is which the header says. Columns: docs/people-import.md; examples: docs/examples/people/.
Exit code 0: all rows are in; 1: rows were refused; 2: the command itself was wrong."""

_DEVICE_EXAMPLE: Final = """\
example:
  gridsvc people device wang.fang --label "Traccar on the spare phone"

Prints the id once; type it into the tracker as its device identifier, with the
address https://…/positions/osmand. The database keeps only its hash."""


def add(subparsers: Subparsers) -> None:
    """Add `people` with its own subcommands to the command line."""
    parser = subparsers.add_parser("people", help="departments, people, beats and shifts; officers' trackers")
    commands = parser.add_subparsers(dest="people_command", required=True, metavar="COMMAND")
    importing = commands.add_parser(
        "import",
        help="import departments and people from CSV files",
        epilog=_IMPORT_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("files", nargs="+", type=Path, metavar="FILE.csv", help="departments and people, any order")
    importing.add_argument("--partial", action="store_true", help="import the good rows even when others are refused")
    importing.add_argument("--check", action="store_true", help="only say what is wrong; write nothing")
    device = commands.add_parser(
        "device",
        help="give an officer's tracker (OsmAnd, Traccar Client) its secret id",
        epilog=_DEVICE_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    device.add_argument("username", help="the officer's user name")
    device.add_argument("--label", default="", help="what the device is, for lists")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the chosen subcommand; the exit code."""
    async with open_pool(settings.database.url, size=2, name="gridsvc people") as pool:
        if arguments.people_command == "device":
            return await _device(pool, arguments.username, arguments.label)
        return await _import(pool, arguments.files, partial=arguments.partial, check=arguments.check)


async def _import(pool: ConnPool, paths: Sequence[Path], *, partial: bool, check: bool) -> int:
    files = [(path.name, _content(path)) for path in paths]
    try:
        async with transaction(pool) as (conn, now):
            plan = await plan_import(conn, files, partial=partial or check, now=now)
    except ImportRefused as refused:
        _print_lines([defect.message for defect in refused.defects])
        print(f"gridsvc people import: {refused.message}", file=sys.stderr)
        return 1
    _print_lines([str(fault) for fault in plan.roster.faults])
    if check:
        _say(plan, None)
        return 1 if plan.roster.refused else 0
    hashes = await _hashes(plan)
    async with transaction(pool) as (conn, now):  # another one: hashing takes seconds, and no transaction waits for it
        imported = await import_people(conn, plan, hashes, now)
    _say(plan, imported)
    return 1 if plan.roster.refused else 0


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SetupError(f"{path} is larger than {_MOST_BYTES // 2**20} MiB; divide it")
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error


async def _hashes(plan: Plan) -> dict[str, str]:
    wanted = set(plan.need_hash)
    given = [(p.username, p.password) for p in plan.roster.people if p.username in wanted and p.password is not None]
    loop = asyncio.get_running_loop()
    bar = tqdm(total=len(given), desc="passwords", disable=len(given) < 50 or None)
    with ThreadPoolExecutor(_HASHERS) as threads, bar:
        work = [loop.run_in_executor(threads, hash_password, password) for _, password in given]
        made = []
        for one in work:
            made.append(await one)
            bar.update()
    return dict(zip((name for name, _ in given), made, strict=True))


def _print_lines(lines: Sequence[str]) -> None:
    for line in lines:
        print(line, file=sys.stderr)


def _say(plan: Plan, imported: Imported | None) -> None:
    departments, persons = len(plan.roster.departments), len(plan.roster.people)
    refused, warned = len(plan.roster.refused), len(plan.roster.faults) - len(plan.roster.refused)
    done = "would be imported" if imported is None else f"imported, {imported.changes} changes"
    teams = f", {len(plan.roster.teams)} teams" if plan.roster.teams else ""
    print(f"{departments} departments{teams} and {persons} people {done}; {refused} refusals, {warned} warnings")


async def _device(pool: ConnPool, username: str, label: str) -> int:
    secret = secrets.token_urlsafe(24)
    async with transaction(pool) as (conn, now):
        users = await people.known_users(conn, [username])
        if username not in users or not await positions.add_device(
            conn, hashlib.sha256(secret.encode()).digest(), users[username].id, label, now
        ):
            raise SetupError(f"{username!r} is no officer; want the user name of one")
    print(secret)
    return 0
