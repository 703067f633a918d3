"""`gridsvc starter`: the starter rules for an instance that has none."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from gridsvc.db import SERVICE, Nothing, Statement, open_pool, transaction
from gridsvc.errors import SetupError
from gridsvc.local.starter import CALENDARS, DUTY_LINES, load_starter
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_EXAMPLE: Final = """\
example: a Chinese city: all duty lines, the State Council's days off
  gridsvc starter --city 兰州市

example: a city elsewhere, one duty line, Monday to Friday
  gridsvc starter --city "Los Angeles" --zone America/Los_Angeles --calendar weekdays --duty-line sanitation

Loads duty lines, departments, a working calendar, categories, ladders and stage limits, and names the city.
Uses the owner's login (GRIDSVC_OWNER_DATABASE_URL), since name and zone are the owner's. An instance that has
rules already is refused, exit 1: nothing that a city has set is overwritten."""


def add(subparsers: Subparsers) -> None:
    """Add the command to the command line."""
    parser = subparsers.add_parser(
        "starter",
        help="load the starter rules into an empty city",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    lines = [line.code for line in DUTY_LINES]
    parser.add_argument("--duty-line", action="append", default=[], choices=lines, help="only these; default: all")
    parser.add_argument("--calendar", choices=sorted(CALENDARS), default="china", help="days off (default: china)")
    parser.add_argument("--zone", type=_zone, default="Asia/Shanghai", help="civil time (default: Asia/Shanghai)")
    parser.add_argument("--city", default="", help="name of the city")


def _zone(name: str) -> str:
    try:
        return ZoneInfo(name).key
    except (ZoneInfoNotFoundError, ValueError):
        raise argparse.ArgumentTypeError(f"{name!r} is no IANA zone such as America/Los_Angeles") from None


_NAME_CITY = Statement(Nothing, "UPDATE instance SET city_name = $1::text, zone = $2::text")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Load the rules in one transaction; 0. Raises SetupError where there are rules already."""
    if not settings.database.owner:
        raise SetupError("no database is set; want GRIDSVC_OWNER_DATABASE_URL, or GRIDSVC_DATABASE_URL")
    async with (
        open_pool(settings.database.owner, size=1, scope=SERVICE, name="gridsvc starter", role=None) as pool,
        transaction(pool) as (conn, _),
    ):
        count = await load_starter(conn, CALENDARS[arguments.calendar], arguments.duty_line)
        await _NAME_CITY.run(conn, arguments.city, arguments.zone)
    print(f"{count} categories, calendar {arguments.calendar}, zone {arguments.zone}")
    return 0
