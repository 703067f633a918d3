"""`gridsvc cameras ledger`: what each camera has sent, and what became of it."""

from __future__ import annotations

import argparse
import dataclasses
from collections import defaultdict
from datetime import timedelta
from typing import TYPE_CHECKING, Final

from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.settings import Settings
from gridsvc.store import camera_events
from gridsvc.store.camera_events import Balance, balances, totals

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

NAME: Final = "ledger"

_EXAMPLE: Final = """\
examples:
  gridsvc cameras ledger                   the last day, a line for each camera
  gridsvc cameras ledger --hour --hours 3  a line for each camera and hour

received is what came; the other columns are what became of it, waiting is not decided yet.
Exit code 0: it balances; 1: some line does not, and is marked."""

_COLUMNS: Final = tuple(field.name for field in dataclasses.fields(Balance) if field.name not in ("camera", "hour"))


def add_to(parts: Subparsers) -> None:
    """Add `ledger` to the parts of `gridsvc cameras`."""
    parser = parts.add_parser(
        NAME, help="what each camera has sent, and what became of it", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    parser.add_argument("--hour", action="store_true", help="a line for each hour")
    parser.add_argument("--hours", type=int, default=24, help="so far back (24)")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Print the ledger; the exit code says whether it balances."""
    async with (
        open_pool(settings.database.url, size=1, scope=SERVICE, name="gridsvc cameras ledger") as pool,
        transaction(pool, snapshot=True) as (conn, now),
    ):
        since = now.replace(minute=0, second=0, microsecond=0) - timedelta(hours=arguments.hours)
        rows = await camera_events.BALANCES.all(conn, since)
    print(" ".join(("camera".ljust(24), *(["hour".ljust(16)] if arguments.hour else []), *_COLUMNS)))
    shown = rows if arguments.hour else _by_camera(rows)
    for row in shown:
        print(_line(row, arguments.hour))
    print("all".ljust(25 + 17 * arguments.hour) + " ".join(_cell(name, many) for name, many in totals(rows).items()))
    return 0 if all(balances(row) for row in rows) else 1


def _by_camera(rows: list[Balance]) -> list[Balance]:
    found: dict[str, list[Balance]] = defaultdict(list)
    for row in rows:
        found[row.camera].append(row)
    return [Balance(camera, each[0].hour, **totals(each)) for camera, each in sorted(found.items())]


def _line(row: Balance, hourly: bool) -> str:
    begins = (row.camera or "(nobody's)").ljust(24) + (f" {row.hour:%Y-%m-%d %H:%M}" if hourly else "")
    cells = " ".join(_cell(name, getattr(row, name)) for name in _COLUMNS)
    return f"{begins} {cells}" + ("" if balances(row) else "  DOES NOT BALANCE")


def _cell(name: str, many: int) -> str:
    return str(many).rjust(len(name))
