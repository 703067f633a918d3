"""The command line: `gridsvc COMMAND …`; each command imports its part when it is chosen.

Exit codes: 0 done, 1 refused or failed (the reason is on standard error), 2 the command was used wrongly.
"""

from __future__ import annotations

import argparse
import asyncio
import importlib
import sys
from collections.abc import Sequence
from typing import Final

import uvloop

from gridsvc.db import DATABASE_AWAY
from gridsvc.errors import GridError
from gridsvc.settings import read_settings

COMMANDS: Final[dict[str, str]] = {
    "up": "everything on this machine: private servers, demo city, web, workers",
    "serve": "the web process",
    "worker": "the processes that are not the web server",
    "migrate": "bring the database to today's schema",
    "grid": "versions of divisions, cells and beats",
    "people": "officers, departments, shifts",
    "ladders": "who hears when time runs out, in editions of the city's own",
    "notices": "when notices ring: digests and quiet hours",
    "channels": "ways to people beside the app: gateways for SMS, WeCom and the like",
    "calendar": "working hours, days off, and where they hold",
    "categories": "editions of what may be reported, their limits and handlers",
    "reasons": "why a move is made, in the city's own codes",
    "rules": "who gets which case: routing rules in editions",
    "components": "the register of components: manholes, lamps, trees",
    "cameras": "the registry of cameras, their tokens, what their words mean, and what they have sent",
    "basemap": "roads, water and buildings beneath the map",
    "gazetteer": "landmarks and house numbers: places that are found by words",
    "patrols": "which cells of a beat are walked in which shift",
    "visits": "who or what is visited how often",
    "outage": "what could not work, and what that moved",
    "starter": "load the starter rules into an empty city",
    "user": "accounts and API keys",
    "replay": "rows of a service-request file become reports",
    "simulate": "play a day on the city",
    "evaluate": "how work was judged in a stretch of time, as a table; checked against the history",
    "verify": "check the history chain and the ledger",
    "bench": "measure, and compare in the same run",
}
"""Every command with what it is for; its module is `gridsvc/commands/<name>.py`."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit code."""
    arguments = _parser(_chosen(argv)).parse_args(argv)
    try:
        settings = read_settings()
        module = importlib.import_module(f"gridsvc.commands.{arguments.command}")
        if hasattr(module, "run_blocking"):  # a command that is itself the parent of processes
            return int(module.run_blocking(arguments, settings))
        if not settings.database.url:
            settings = importlib.import_module("gridsvc.local.embedded").with_embedded_servers(settings)
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            return int(runner.run(module.run(arguments, settings)))
    except GridError as error:
        print(f"gridsvc {arguments.command}: {error.message}", file=sys.stderr)
        return 1
    except DATABASE_AWAY as error:
        print(f"gridsvc {arguments.command}: a server is away: {error or type(error).__name__}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _chosen(argv: Sequence[str] | None) -> str | None:
    given = sys.argv[1:] if argv is None else argv
    return next((word for word in given if word in COMMANDS), None)


def _parser(chosen: str | None) -> argparse.ArgumentParser:
    """The parser; only the chosen command's own part is imported, the others show their line of help."""
    parser = argparse.ArgumentParser(
        prog="gridsvc",
        description="The event system of a city that is managed by grids.",
        epilog="example: gridsvc up        then open the address that it prints",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, summary in COMMANDS.items():
        if name == chosen:
            importlib.import_module(f"gridsvc.commands.{name}").add(commands)
        else:
            commands.add_parser(name, help=summary, add_help=False)
    return parser


if __name__ == "__main__":
    sys.exit(main())
