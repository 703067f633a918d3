"""`gridsvc components`: the register of components (部件台账) from a file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from pyproj import CRS
from pyproj.exceptions import CRSError
from tqdm import tqdm

from geo.boundaries import UnreadablePoints, read_points
from geo.datum import Datum
from gridsvc.actions.import_components import Plan, Told, import_components, plan_components
from gridsvc.db import ConnPool, open_pool, transaction
from gridsvc.domain.component import Sheet, read_csv, read_features
from gridsvc.domain.roster import Fault
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

ACTOR: Final = "command:components"
_SHOWN: Final = 200  # faults printed one by one; the rest is counted

_EXAMPLE: Final = """\
example: a table from the survey office, coordinates from a domestic Chinese map
  gridsvc components import components.csv --datum gcj02 --preview
  gridsvc components import components.csv --datum gcj02

example: metres of the city's own frame, in a Shapefile whose table is GBK
  gridsvc components import manholes.zip --crs EPSG:4544 --encoding gb18030

Columns, states and what is refused: docs/components-import.md; an example file: docs/examples/components/.
Exit code 0: all rows are in; 1: rows were refused; 2: the command itself was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `components` with its own subcommand to the command line."""
    parser = subparsers.add_parser("components", help="the register of components: what stands where, and whose it is")
    commands = parser.add_subparsers(dest="components_command", required=True, metavar="COMMAND")
    importing = commands.add_parser(
        "import",
        help="import components from CSV, GeoJSON, GeoPackage or Shapefile",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    importing.add_argument("file", type=Path, metavar="FILE", help="what the survey office sends")
    frame = importing.add_mutually_exclusive_group(required=True)
    frame.add_argument("--datum", type=Datum, choices=list(Datum), help="whose degrees the coordinates are")
    frame.add_argument("--crs", type=_crs, metavar="EPSG:…", help="or which survey's metres")
    importing.add_argument("--preview", action="store_true", help="only say what would change; write nothing")
    importing.add_argument("--partial", action="store_true", help="import the good rows even when others are refused")
    importing.add_argument("--encoding", help="of a Shapefile without .cpg, e.g. gb18030")
    importing.add_argument("--table", help="which layer of a file that holds several")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the import; the exit code."""
    sheet = read_sheet(arguments.file, arguments.encoding, arguments.table)
    if isinstance(sheet, Fault):
        raise SetupError(str(sheet))
    async with open_pool(settings.database.url, size=1, name="gridsvc components") as pool:
        try:
            plan = await _import(pool, sheet, arguments)
        except ImportRefused as refused:
            _print_some([defect.message for defect in refused.defects])
            print(f"gridsvc components import: {refused.message}", file=sys.stderr)
            return 1
    _print_some([str(fault) for fault in plan.faults])
    _say(plan, sheet, preview=arguments.preview)
    return 1 if plan.refused else 0


def read_sheet(path: Path, encoding: str | None = None, table: str | None = None) -> Sheet | Fault:
    """The rows of a file by its kind: what is no table of commas is a map file. Raises SetupError if unreadable."""
    try:
        if path.suffix.lower() in {".csv", ".txt"}:
            return read_csv(path.name, path.read_bytes())
        points = read_points(path, encoding, table)
    except (OSError, UnreadablePoints) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise SetupError(f"{path} cannot be read: {reason}") from error
    return read_features(path.name, points.columns, points.at, points.shapes)


async def _import(pool: ConnPool, sheet: Sheet, given: argparse.Namespace) -> Plan:
    async with transaction(pool) as (conn, now):
        with progress() as told:
            plan = await plan_components(
                conn, sheet, str(given.datum or given.crs), partial=given.partial or given.preview, now=now, told=told
            )
            if not given.preview:
                await import_components(conn, plan, ACTOR, now, told)
    return plan


def _say(plan: Plan, sheet: Sheet, *, preview: bool) -> None:
    if sheet.ignored:
        print(f"warning: columns that nobody reads: {', '.join(sheet.ignored)}", file=sys.stderr)
    for name, count in sorted(plan.changed_fields.items()):
        print(f"{name}: {count} changed")
    done = "would be imported" if preview else "imported"
    warnings = len(plan.faults) - len(plan.refused)
    print(
        f"{plan.added} new and {plan.changed} changed components {done}, {plan.unchanged} as before; "
        f"{len(plan.refused)} refusals, {warnings} warnings"
    )


def _print_some(lines: Sequence[str]) -> None:
    for line in lines[:_SHOWN]:
        print(line, file=sys.stderr)
    if len(lines) > _SHOWN:
        print(f"… and {len(lines) - _SHOWN} more", file=sys.stderr)


@contextmanager
def progress() -> Iterator[Told]:
    """Progress bars, one for each step that tells of itself; a pipe sees none."""
    bars: dict[str, tqdm[NoReturn]] = {}

    def told(what: str, done: int, of: int) -> None:
        if what not in bars:
            bars[what] = tqdm(total=of, desc=what, disable=None)
        bars[what].update(done - bars[what].n)

    try:
        yield told
    finally:
        for bar in bars.values():
            bar.close()


def _crs(text: str) -> str:
    try:
        epsg = CRS.from_user_input(text).to_epsg()
    except CRSError:
        epsg = None
    if epsg is None:
        raise argparse.ArgumentTypeError(f"{text!r}; want a frame of the register, e.g. EPSG:4544")
    return f"EPSG:{epsg}"
