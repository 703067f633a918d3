"""`gridsvc bench`: measure this machine. Only in a checkout: the measurements are not part of the wheel."""

from __future__ import annotations

import argparse
import importlib
import importlib.util
from typing import TYPE_CHECKING, Final

from gridsvc.errors import SetupError
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
examples:
  gridsvc bench                        everything, some minutes
  gridsvc bench intake --seconds 5     reports per second and their latency
  gridsvc bench lookup carry           which cell owns a place; relay and consumer

Starts private servers of its own on free loopback ports and leaves nothing behind but bench/results.
Needs the machine for itself: what else runs shows in the figures (bench/README.md)."""


def add(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "bench", help="measure, and compare in the same run", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parts = "intake, lookup, carry, deadlines, components, evaluation, tiles …; none named: all of them"
    parser.add_argument("parts", nargs="*", metavar="PART", help=parts)
    parser.add_argument("--seconds", type=float, default=10.0, help="of each run of the intake (default %(default)s)")


def run_blocking(arguments: argparse.Namespace, settings: Settings) -> int:
    """Measure; 0, or 2 for a part that does not exist. Raises SetupError where there is no checkout."""
    if importlib.util.find_spec("bench") is None:
        raise SetupError("bench is not installed with the service; run it in a checkout of the source")
    return int(importlib.import_module("bench.run").run(arguments))
