"""`gridsvc outage`: what could not work, and what that moved."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo

from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.domain.outage import OUTAGE_REASONS, Outage, OutageState
from gridsvc.settings import Settings
from gridsvc.store import outages
from gridsvc.store.outages import Reached
from gridsvc.store.rulebook import rulebook

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example:
  gridsvc outage list --state approved

One line for each, the newest first: id, state, when, scope, reason, clocks reached and deadlines moved. Outages are
declared and approved by people, over HTTP: docs/rules/outages.md.
Exit code 0; 2: the command itself was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `outage` with its own subcommand to the command line."""
    parser = subparsers.add_parser("outage", help="what could not work, and what that moved")
    commands = parser.add_subparsers(dest="outage_command", required=True, metavar="COMMAND")
    listing = commands.add_parser(
        "list", help="declarations, the newest first", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    listing.add_argument("--state", choices=[str(each) for each in OutageState], help="only those")
    listing.add_argument("--limit", type=int, default=50, help="at most so many (%(default)s)")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the list; the exit code."""
    async with (
        open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc outage") as pool,
        transaction(pool, snapshot=True) as (conn, _),
    ):
        zone = (await rulebook(conn)).zone
        found = await outages.listed(conn, arguments.state, None, arguments.limit)
        reached = await outages.reached(conn, [each.id for each in found])
    for each in found:
        print(_line(each, reached.get(each.id, Reached(each.id, 0, 0)), zone))
    print(f"{len(found)} outages")
    return 0


def _line(outage: Outage, reached: Reached, zone: ZoneInfo) -> str:
    scope = "/".join(each or "*" for each in (outage.division, outage.duty_line, outage.department))
    begins, ends = (
        "open" if each is None else f"{each.astimezone(zone):%Y-%m-%d %H:%M}" for each in (outage.start, outage.end)
    )
    reason = OUTAGE_REASONS[outage.reason]
    return (
        f"{outage.id}  {outage.state:9}  {begins} – {ends}  {scope}  {reason.name} {reason.code}  "
        f"{reached.clocks} clocks, {reached.moved} deadlines moved"
    )
