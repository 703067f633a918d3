"""`gridsvc up`: everything of one instance on this machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Final

from gridsvc.local.city import furnish
from gridsvc.local.up import up
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example: the demo city, on private servers under .grid/
  gridsvc up

example: an empty city of your own, beside it
  gridsvc up --home .grid-lanzhou --no-demo

example: for phones and other desks in this network too, over HTTPS
  gridsvc up --lan
  gridsvc up --lan 192.168.1.10

Starts a private PostgreSQL and a private RabbitMQ on free loopback ports (or uses GRIDSVC_DATABASE_URL and
GRIDSVC_AMQP_URL), migrates, makes the demo city if the database is empty, starts web and workers, and stops
all of it on Ctrl-C. Exit code 0: stopped; 1: could not start, or is up already.

With --lan the web is served on one address of a private network too (HTTPS, GRIDSVC_TLS_PORT), with a certificate
of the instance's own authority; phones enrol by the QR code that is printed (GRIDSVC_ENROL_PORT). Everything else
stays on the loopback address. docs/operations.md has the rest."""


def add(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "up",
        help="everything on this machine: private servers, demo city, web, workers",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--home", type=Path, help="folder of the instance (default: GRIDSVC_HOME, or .grid)")
    lan = "serve HTTPS to the local network too; ADDRESS: which one of this machine (default: the one it goes out by)"
    parser.add_argument("--lan", nargs="?", const="", metavar="ADDRESS", help=lan)
    parser.add_argument("--no-demo", action="store_true", help="make no demo city, and simulate nothing")


def run_blocking(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run until told to stop; the exit code."""
    return up(arguments, settings, furnish)
