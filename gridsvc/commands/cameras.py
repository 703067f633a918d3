"""`gridsvc cameras`: what they have sent, and what of it could not be read."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gridsvc.commands import camera_ledger, camera_quarantine
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add(subparsers: Subparsers) -> None:
    """Add `cameras` with its parts to the command line."""
    parser = subparsers.add_parser("cameras", help="what cameras have sent, and what of it could not be read")
    parts = parser.add_subparsers(dest="part", required=True, metavar="COMMAND")
    camera_ledger.add_to(parts)
    camera_quarantine.add_to(parts)


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the part; its exit code."""
    if arguments.part == camera_ledger.NAME:
        return await camera_ledger.run(arguments, settings)
    return await camera_quarantine.run(arguments, settings)
