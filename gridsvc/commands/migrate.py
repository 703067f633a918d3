"""`gridsvc migrate`: bring the database to today's schema."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from gridsvc.errors import BadSettings
from gridsvc.migrate import migrate
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]


def add(subparsers: Subparsers) -> None:
    """Add `migrate` to the command line."""
    subparsers.add_parser(
        "migrate",
        help="bring the database to today's schema",
        description="Apply every migration that the database does not have yet. Twice does no harm.",
        epilog="example: GRIDSVC_OWNER_DATABASE_URL=postgresql://owner:…@host/city gridsvc migrate",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Migrate and say what was applied."""
    if not settings.database.owner:
        raise BadSettings("no database is named; set GRIDSVC_OWNER_DATABASE_URL or GRIDSVC_DATABASE_URL")
    applied = await migrate(settings.database.owner)
    print("\n".join(f"applied {name}" for name in applied) or "nothing to do: the database is up to date")
    return 0
