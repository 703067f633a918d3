"""`gridsvc rules`: who gets which case, in editions: drafted from a file, rehearsed, published, gone back from."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from uuid import UUID

from tqdm import tqdm

from gridsvc.actions.publish_rules import (
    draft_rules,
    edition_row,
    faults_of,
    publish_rules,
    refused,
    roll_back_rules,
)
from gridsvc.actions.rehearse_rules import rehearse_rules
from gridsvc.db import ConnPool, open_pool, transaction
from gridsvc.domain.rehearsal import Rehearsal, Rehearsed
from gridsvc.domain.routing_file import read_file, written_file
from gridsvc.domain.sheet import written_csv
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings
from gridsvc.store import rehearsal, routing_rules

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_MOST_BYTES: Final = 1024 * 1024
_SHOWN: Final = 20  # of each list; --json has all

_EXAMPLES: Final = {
    "import": """\
example: make a draft of a file; how rules are written: docs/rules/routing.md, docs/examples/routing/rules.toml
  gridsvc rules import rules.toml""",
    "check": """\
examples: a file before it is imported; a draft once more
  gridsvc rules check rules.toml
  gridsvc rules check 4""",
    "show": """\
example: the edition in force as a file, to be changed and imported again
  gridsvc rules show > rules.toml
  gridsvc rules show --edition 3""",
    "list": """\
example:
  gridsvc rules list""",
    "publish": """\
example: route by edition 4 from now on
  gridsvc rules publish 4""",
    "rollback": """\
example: route by the edition again that the present one replaced; twice goes back further
  gridsvc rules rollback""",
    "rehearse": """\
examples: what edition 4 would have made of the last 30 days; the same for a machine, or a table of who to whom
  gridsvc rules rehearse 4 --days 30
  gridsvc rules rehearse 4 --days 7 --json
  gridsvc rules rehearse 4 --csv moved.csv

The edition in force must make every decision of its own again: what differs is listed with the input that was
changed since, and the exit code is 1. What is exact and what is rebuilt: docs/rules/routing.md.""",
}
_CODES: Final = "\n\nExit code 0: done; 1: refused or differing, nothing was kept; 2: the command itself was wrong."


def add(subparsers: Subparsers) -> None:
    """Add `rules` with its own subcommands to the command line."""
    parser = subparsers.add_parser("rules", help="who gets which case: routing rules in editions")
    commands = parser.add_subparsers(dest="rules_command", required=True, metavar="COMMAND")
    _command(commands, "import", "make a draft of a file of rules").add_argument("file", type=Path, metavar="FILE.toml")
    _command(commands, "check", "say what is wrong with a file, or an edition, in this city").add_argument(
        "what", metavar="FILE.toml|EDITION", help="a file, or the number of an edition"
    )
    showing = _command(commands, "show", "print an edition as a file")
    showing.add_argument("--edition", type=int, metavar="NUMBER", help="default: the one in force")
    _command(commands, "list", "all editions, and when each was in force")
    _command(commands, "publish", "put a draft in force").add_argument("edition", type=int, metavar="DRAFT")
    _command(commands, "rollback", "put the edition in force again that the present one replaced")
    rehearsing = _command(commands, "rehearse", "make the decisions of the last days again by an edition")
    rehearsing.add_argument("edition", type=int, metavar="EDITION")
    rehearsing.add_argument("--days", type=_days, default=30, metavar="DAYS", help="how far back (default 30)")
    rehearsing.add_argument("--json", action="store_true", help="print everything as JSON")
    rehearsing.add_argument("--csv", type=Path, metavar="FILE", help="write who got cases from whom as a table")


def _command(commands: Subparsers, name: str, what: str) -> argparse.ArgumentParser:
    return commands.add_parser(
        name, help=what, description=what, epilog=_EXAMPLES[name] + _CODES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip


def _days(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 3660:
        raise argparse.ArgumentTypeError(f"{text!r}; want days, 1 to 3660")
    return int(text)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the chosen subcommand; the exit code."""
    commands = {
        "import": _import, "check": _check, "show": _show, "list": _list, "publish": _publish, "rollback": _rollback,
        "rehearse": _rehearse,
    }  # fmt: skip
    async with open_pool(settings.database.url, size=1, name="gridsvc rules") as pool:
        try:
            return await commands[arguments.rules_command](pool, arguments)
        except ImportRefused as found:
            for defect in found.defects:
                print(defect.message, file=sys.stderr)
            print(f"gridsvc rules {arguments.rules_command}: {found.message}", file=sys.stderr)
            return 1


async def _import(pool: ConnPool, given: argparse.Namespace) -> int:
    read = read_file(_content(given.file))
    async with transaction(pool) as (conn, now):
        drafted = await draft_rules(conn, read, "command", now, file=given.file.name)
    for warning in drafted.warnings:
        print(f"warning: {given.file.name}: {warning}", file=sys.stderr)
    print(f"{given.file.name}: {len(read.edition.rules)} rules are draft {drafted.number}; "
          f"see what they change: gridsvc rules rehearse {drafted.number}")  # fmt: skip
    return 0


async def _check(pool: ConnPool, given: argparse.Namespace) -> int:
    async with transaction(pool, snapshot=True) as (conn, now):
        if given.what.isdecimal():
            name, found, edition = f"edition {given.what}", [], (await edition_row(conn, int(given.what))).edition()
        else:
            path = Path(given.what)
            read = read_file(_content(path))
            name, found, edition = path.name, list(read.faults), read.edition
        found += await faults_of(conn, edition, now)
    for each in found:
        if not each.refuses:
            print(f"warning: {name}: {each}", file=sys.stderr)
    if faults := [each for each in found if each.refuses]:
        raise refused(faults, name)
    print(f"{name}: {len(edition.rules)} rules, {len(found)} warnings; nothing was written")
    return 0


async def _show(pool: ConnPool, given: argparse.Namespace) -> int:
    async with transaction(pool, snapshot=True) as (conn, _):
        edition = (
            await routing_rules.in_force(conn)
            if given.edition is None
            else (await edition_row(conn, given.edition)).edition()
        )
    print(written_file(edition), end="")
    return 0


async def _list(pool: ConnPool, _: argparse.Namespace) -> int:
    async with transaction(pool, snapshot=True) as (conn, _now):
        editions = await routing_rules.EDITIONS.all(conn)
        publications = await routing_rules.PUBLICATIONS.all(conn)
    for row in editions:
        print(f"{row.number}: {row.state}; {row.name or 'no name'}; {len(row.rules['rules'])} rules; "
              f"drafted {row.drafted_at:%Y-%m-%d %H:%M} by {row.drafted_by}")  # fmt: skip
        for each in publications:
            if each.edition == row.number:
                back = f", back from {each.rolled_back}" if each.rolled_back is not None else ""
                print(f"   in force since {each.published_at:%Y-%m-%d %H:%M} by {each.published_by}{back}")
    return 0


async def _publish(pool: ConnPool, given: argparse.Namespace) -> int:
    async with transaction(pool) as (conn, now):
        before = await publish_rules(conn, given.edition, "command", now)
    print(f"edition {given.edition} is in force, and edition {before} no more; what is assigned stays where it is")
    return 0


async def _rollback(pool: ConnPool, _: argparse.Namespace) -> int:
    async with transaction(pool) as (conn, now):
        left, back = await roll_back_rules(conn, "command", now)
    print(f"edition {back} is in force again, and edition {left} no more")
    return 0


# -- the rehearsal ----------------------------------------------------------------------------------------------


async def _rehearse(pool: ConnPool, given: argparse.Namespace) -> int:
    async with transaction(pool, snapshot=True) as (conn, now):
        edition = (await edition_row(conn, given.edition)).edition()
        since = now - timedelta(days=given.days)
        total = await rehearsal.count(conn, since)
        with tqdm(total=total, unit=" decisions", disable=None, leave=False) as bar:
            told = await rehearse_rules(conn, edition, since, bar.update)
        names = await rehearsal.usernames(conn, _officers(told))
    if given.csv is not None:
        _write_csv(given.csv, told, names)
    if given.json:
        print(json.dumps(_as_json(told, names), ensure_ascii=False, indent=2))
    else:
        _print(told, names, given.days)
    return 1 if told.differences else 0


def _officers(told: Rehearsal) -> set[UUID]:
    owners = {owner for pair in told.matrix for owner in pair}
    return {UUID(owner.removeprefix("officer ")) for owner in owners if owner.startswith("officer ")}


def _named(owner: str, names: Mapping[str, str]) -> str:
    kind, _, which = owner.partition(" ")
    return f"{kind} {names.get(which, which)}" if kind == "officer" else owner


def _print(told: Rehearsal, names: Mapping[str, str], days: int) -> None:
    print(f"edition {told.edition}, the last {days} days: {told.rehearsed} of {told.decisions} decisions rehearsed, "
          f"{told.rebuilt} of them with officers rebuilt from the history")  # fmt: skip
    for why, count in told.not_kept.most_common():
        print(f"  not rehearsed  {count}: {why}")
    for rule, count in told.rules.most_common():
        print(f"  rule           {count}: {rule}")
    moved = sorted(((before, after), n) for (before, after), n in told.matrix.items() if before != after)
    print(f"{len(told.changed)} cases would have had another owner")
    for (before, after), count in sorted(moved, key=lambda each: -each[1]):
        print(f"  {count:6}  {_named(before, names)} -> {_named(after, names)}")
    print("load before and after")
    for owner in sorted(told.before | told.after):
        print(f"  {told.before[owner]:6} -> {told.after[owner]:6}  {_named(owner, names)}")
    _print_some("would stand in the pool", told.pooled, names)
    _print_some("DIFFER: the same edition decides otherwise", told.differences, names)


def _print_some(what: str, found: list[Rehearsed], names: Mapping[str, str]) -> None:
    print(f"{len(found)} {what}")
    for each in found[:_SHOWN]:
        why = "; ".join(each.changed) or each.why or f"rule {each.rule}"
        print(f"  {each.decision.case_id}: {_named(each.decision.owner, names)} -> {_named(each.after, names)}: {why}")
    if len(found) > _SHOWN:
        print(f"  … and {len(found) - _SHOWN} more")


def _as_json(told: Rehearsal, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "edition": told.edition,
        "decisions": told.decisions,
        "rehearsed": told.rehearsed,
        "rebuilt": told.rebuilt,
        "not_kept": dict(told.not_kept),
        "rules": dict(told.rules),
        "matrix": [
            {"before": _named(before, names), "after": _named(after, names), "cases": count}
            for (before, after), count in sorted(told.matrix.items())
        ],
        "load": {
            _named(owner, names): {"before": told.before[owner], "after": told.after[owner]}
            for owner in sorted(told.before | told.after)
        },
        "changed": [_one(each, names) for each in told.changed],
        "pooled": [_one(each, names) for each in told.pooled],
        "differences": [_one(each, names) for each in told.differences],
    }


def _one(each: Rehearsed, names: Mapping[str, str]) -> dict[str, Any]:
    return {
        "case": str(each.decision.case_id),
        "at": each.decision.at.isoformat(),
        "before": _named(each.decision.owner, names),
        "after": _named(each.after, names),
        "rule": each.rule,
        "why": each.why,
        "rebuilt": each.rebuilt,
        "changed": list(each.changed),
    }


def _write_csv(path: Path, told: Rehearsal, names: Mapping[str, str]) -> None:
    rows: list[list[str | int]] = [["before", "after", "cases"]]
    for (before, after), count in sorted(told.matrix.items()):
        rows.append([_named(before, names), _named(after, names), count])
    try:
        with path.open("xb") as file:
            file.write(written_csv(rows))
    except OSError as error:
        raise SetupError(f"{path} cannot be written: {error.strerror}") from error


def _content(path: Path) -> bytes:
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise SetupError(f"{path} is larger than {_MOST_BYTES // 2**20} MiB; want one file of rules")
        return path.read_bytes()
    except OSError as error:
        raise SetupError(f"{path} cannot be read: {error.strerror}") from error
