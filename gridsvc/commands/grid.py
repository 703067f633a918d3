"""`gridsvc grid`: versions of the city's divisions, cells and beats, from outline files to being in force."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final, NoReturn

from tqdm import tqdm

from geo.boundaries import Reading
from geo.codes import LEVELS
from geo.datum import Datum
from geo.defects import Defect, as_geojson
from gridsvc.actions.grid_drafts import refusal
from gridsvc.actions.import_grid import Order, import_grid
from gridsvc.actions.make_beats import BeatOrder, make_beats
from gridsvc.actions.make_cells import CellOrder, make_cells
from gridsvc.actions.preview_grid import lost_cases
from gridsvc.actions.publish_grid import check_grid, publish_grid, rollback_grid
from gridsvc.actions.redraw_grid import copy_grid, give_cells
from gridsvc.commands.grid_preview import show_preview
from gridsvc.db import Conn, ConnPool, open_pool, transaction
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import Settings
from gridsvc.store import grids, regrid
from gridsvc.store.grids import Told

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

_CODES: Final = "\nExit code 0: done; 1: refused, nothing was kept; 2: the command itself was wrong."

_EXAMPLES: Final = {
    "import": """\
example: the districts of a city from a domestic Chinese map, whose file says WGS-84 and is GCJ-02
  gridsvc grid import districts.json --layer divisions --set 2026 --scheme 6+6 --datum gcj02 \\
      --code-field adcode --name-field name --level-field level --division 620100=兰州市 --repair

example: police divisions as cells with codes of their own
  gridsvc grid import lapd.geojson --layer cells --set 2026 --scheme free --division LA="Los Angeles" \\
      --code-field PREC --name-field APREC

What is refused and what only warns: docs/rules/grid-import.md.""",
    "make-cells": """\
example:
  gridsvc grid make-cells --set 2026 --inside district --codes 620102,620103,620104,620105 --size 100""",
    "beats": """\
example:
  gridsvc grid beats --set 2026 --duty-line city --cells-per-beat 12""",
    "check": """\
example:
  gridsvc grid check --set 2026 --defects defects.geojson""",
    "copy": """\
example:
  gridsvc grid copy --set 2027 --from 2026
  gridsvc grid give --set 2027 --duty-line city --beat B7 --cells 620102001001003,620102001001004

Begins a draft with all that another set holds, so that a small change needs no files.""",
    "give": """\
example:
  gridsvc grid give --set 2027 --duty-line city --beat B7 --cells 620102001001003,620102001001004

Gives cells of a draft to a beat, whichever had them in that duty line.""",
    "preview": """\
example:
  gridsvc grid preview --set 2027 --json preview.json --csv cases.csv

Compares a draft with the set in force over the open cases as they are now, and changes nothing. What each figure
means: docs/rules/grid-versions.md.""",
    "publish": """\
example:
  gridsvc grid publish --set 2026
  gridsvc grid publish --set 2027 --valid-from 2027-01-01T00:00:00+08:00

Open cases follow into the cells and beats of the set when its hour comes; `gridsvc grid list` says how many have
yet to. See before what that does: gridsvc grid preview.""",
    "rollback": """\
example:
  gridsvc grid rollback

Withdraws the published set that begins last. Open cases follow back; closed ones keep what they had.""",
    "list": """\
example:
  gridsvc grid list""",
}


def add(subparsers: Subparsers) -> None:
    """Add `grid` with its own subcommands to the command line."""
    parser = subparsers.add_parser("grid", help="versions of the grid: from outline files to being in force")
    commands = parser.add_subparsers(dest="grid_command", required=True, metavar="COMMAND")
    _add_import(_command(commands, "import", "import divisions, cells or beats from an outline file"))
    making = _command(commands, "make-cells", "cut unit cells inside divisions of a draft")
    making.add_argument("--inside", choices=["district", "community"], required=True, help="which divisions to cut")
    making.add_argument("--codes", type=_codes, default=[], help="only these, separated by commas; default: all")
    making.add_argument("--size", type=_metres, default=100.0, help="metres a side (default: 100)")
    beats = _command(commands, "beats", "group the cells of a draft into beats of a duty line")
    beats.add_argument("--duty-line", required=True, help="code of the duty line")
    beats.add_argument("--cells-per-beat", type=_count, default=12, help="about how many cells (default: 12)")
    copying = _command(commands, "copy", "begin a draft as a copy of another set")
    copying.add_argument("--from", dest="of", required=True, metavar="NAME", help="the set that is copied")
    giving = _command(commands, "give", "give cells of a draft to another beat")
    giving.add_argument("--duty-line", required=True, help="code of the duty line")
    giving.add_argument("--beat", required=True, help="code of the beat that gets them")
    giving.add_argument("--cells", type=_codes, required=True, help="codes of cells, separated by commas")
    checking = _command(commands, "check", "say everything that is wrong with a set; changes nothing")
    publishing = _command(commands, "publish", "check a draft and put it in force")
    publishing.add_argument("--valid-from", type=_moment, help="moment with offset; default: now")
    accepted = "publish though the set has no cell for some open cases, or no beats of a duty line"
    publishing.add_argument("--accept-lost", action="store_true", help=accepted)
    previewing = _command(commands, "preview", "say what publishing a draft would do to the open cases")
    previewing.add_argument("--json", type=Path, metavar="OUT.json", help="write all of it as JSON")
    previewing.add_argument("--csv", type=Path, metavar="OUT.csv", help="write the cases that it touches as CSV")
    for command in (checking, publishing):
        command.add_argument("--defects", type=Path, metavar="OUT.geojson", help="write the defects as GeoJSON")
    _command(commands, "rollback", "withdraw the set published last", of_set=False)
    _command(commands, "list", "all sets and what they hold", of_set=False)


def _command(commands: Subparsers, name: str, what: str, *, of_set: bool = True) -> argparse.ArgumentParser:
    epilog = _EXAMPLES[name] + "\n" + _CODES
    kind = argparse.RawDescriptionHelpFormatter
    parser = commands.add_parser(name, help=what, description=what, epilog=epilog, formatter_class=kind)
    if of_set:
        parser.add_argument("--set", required=True, metavar="NAME", help="name of the grid set")
    return parser


def _add_import(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    add("file", type=Path, metavar="FILE", help="GeoJSON, GeoPackage or Shapefile, bare or in a zip")
    add("--layer", choices=["divisions", "cells", "beats"], required=True, help="what the rows are")
    add("--code-field", required=True, help="field that holds the code")
    add("--name-field", help="field that holds the name")
    add("--level-field", help="divisions: field that says province, city, district, street or community")
    add("--level", choices=LEVELS, help="divisions: level of all rows, where neither code nor field tells it")
    add("--parent-field", help="divisions: field with the code of the division above; default: from the code")
    add("--division", metavar="CODE[=NAME]", help="what all rows lie in; with a name it is added, around them")
    add("--division-level", choices=LEVELS, default="city", help="level of an added --division (default: city)")
    add("--duty-line", help="beats: whose beats these are")
    add("--scheme", help="how cells are numbered: 6+3+3+3 (default), 6+6, free; only when the set is begun")
    add("--crs", metavar="EPSG:…", help="frame of the coordinates; overrides what the file says")
    add("--datum", type=Datum, choices=list(Datum), help="whose degrees they are; overrides what the file says")
    add("--encoding", help="of a Shapefile without .cpg, e.g. gb18030")
    add("--table", help="which layer of a file that holds several")
    add("--repair", action="store_true", help="mend invalid polygons, and say which")
    add("--defects", type=Path, metavar="OUT.geojson", help="write the defects as GeoJSON")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the chosen subcommand; the exit code."""
    commands: dict[str, Callable[[ConnPool, argparse.Namespace], Awaitable[None]]] = {
        "import": _import, "make-cells": _make_cells, "beats": _beats, "check": _check,
        "copy": _copy, "give": _give, "preview": _preview, "publish": _publish, "rollback": _rollback, "list": _list,
    }  # fmt: skip
    async with open_pool(settings.database.url, size=2, name="gridsvc grid") as pool:
        try:
            await commands[arguments.grid_command](pool, arguments)
        except ImportRefused as refused:
            found = refused.facts["found"]
            assert isinstance(found, tuple)  # noqa: S101 - grid sets are refused with their defects
            _report(found, getattr(arguments, "defects", None))
            print(f"gridsvc grid {arguments.grid_command}: {refused.message}", file=sys.stderr)
            return 1
    return 0


async def _import(pool: ConnPool, given: argparse.Namespace) -> None:
    reading = Reading(
        code_field=given.code_field, name_field=given.name_field, level_field=given.level_field,
        parent_field=given.parent_field, crs=given.crs, datum=given.datum, encoding=given.encoding,
        table=given.table, repair=given.repair,
    )  # fmt: skip
    order = Order(
        file=given.file, layer=given.layer, set_name=given.set, reading=reading, scheme=given.scheme,
        division=given.division, division_level=given.division_level, level=given.level, duty_line=given.duty_line,
    )  # fmt: skip
    with _bars() as told:
        imported = await import_grid(pool, order, told)
    _report(imported.warnings, given.defects)
    print(f"{given.set}: {imported.rows} {given.layer} imported; coordinates taken as {imported.frame}")


async def _make_cells(pool: ConnPool, given: argparse.Namespace) -> None:
    order = CellOrder(set_name=given.set, inside=given.inside, codes=given.codes, side_m=given.size)
    with _bars() as told:
        made = await make_cells(pool, order, told)
    for code, cells in made.by_division.items():
        print(f"{code}: {cells} cells")
    print(f"{given.set}: {sum(made.by_division.values())} cells made along the lines of EPSG:{made.epsg}")


async def _beats(pool: ConnPool, given: argparse.Namespace) -> None:
    order = BeatOrder(set_name=given.set, duty_line=given.duty_line, cells_per_beat=given.cells_per_beat)
    with _bars() as told:
        made = await make_beats(pool, order, told)
    print(f"{given.set}: {made} beats of {given.duty_line} made")


async def _copy(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, now):
        copied = await copy_grid(conn, given.set, given.of, now.isoformat())
    held = f"{copied.divisions} divisions, {copied.cells} cells, {copied.beats} beats"
    print(f"{given.set}: a draft with all of {copied.name}: {held}")


async def _give(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, now):
        await give_cells(conn, given.set, given.duty_line, given.beat, given.cells, now.isoformat())
    print(f"{given.set}: {len(set(given.cells))} cells given to beat {given.beat} of {given.duty_line}")


async def _check(pool: ConnPool, given: argparse.Namespace) -> None:
    checked = await check_grid(pool, given.set)
    if any(defect.refuses for defect in checked.defects):
        raise refusal(f"{given.set} could not be published", checked.defects)
    _report(checked.defects, given.defects)
    held = checked.grid_set
    print(f"{given.set}: {held.divisions} divisions, {held.cells} cells, {held.beats} beats; it can be published")


async def _preview(pool: ConnPool, given: argparse.Namespace) -> None:
    await show_preview(pool, given.set, given.json, given.csv)


async def _publish(pool: ConnPool, given: argparse.Namespace) -> None:
    published = await publish_grid(pool, given.set, given.valid_from, accept_lost=given.accept_lost)
    _report(published.warnings, given.defects)
    if published.lost:
        print(f"warning: {published.lost} open cases have no cell in {given.set} and keep theirs", file=sys.stderr)
    print(f"{given.set}: published, valid from {published.valid_from.isoformat()}")


async def _rollback(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, now):
        withdrawn, left = await rollback_grid(conn, now)
        lost = len(await lost_cases(conn, left.id, now))
    if lost:
        print(f"warning: {lost} open cases have no cell in {left.name} and keep theirs", file=sys.stderr)
    print(f"{withdrawn.name}: withdrawn; {left.name} is in force")


async def _list(pool: ConnPool, given: argparse.Namespace) -> None:
    async with transaction(pool) as (conn, now):
        force = await grids.in_force(conn, now)
        for one in await grids.every_set(conn):
            state = "in force" if one.id == force else one.state
            since = "" if one.valid_from is None else f" from {one.valid_from.isoformat()}"
            held = f"{one.divisions} divisions, {one.cells} cells, {one.beats} beats"
            print(f"{one.name}: {state}{since}; {held}; codes {one.cell_scheme}{await _still(conn, one, force)}")


async def _still(conn: Conn, one: grids.GridSet, force: int | None) -> str:
    """How far the open cases have followed the set in force; nothing where all have."""
    waiting = await regrid.waiting(conn, one.id) if one.id == force else None
    if waiting is None or waiting.to_follow == waiting.lost == 0:
        return ""
    lost = f", {waiting.lost} keep an older cell because it has none for them" if waiting.lost else ""
    return f"; {waiting.to_follow} open cases have yet to follow{lost}"


@contextmanager
def _bars() -> Iterator[Told]:
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


_SHOWN: Final = 10  # warnings of a kind; the rest is counted, and in --defects


def _report(defects: Sequence[Defect], out: Path | None) -> None:
    """Every defect that refuses, the first warnings of each kind; all of them as GeoJSON where asked for."""
    shown: Counter[str] = Counter()
    for defect in sorted(defects, key=lambda d: not d.refuses):
        shown[defect.kind] += 1
        if defect.refuses or shown[defect.kind] <= _SHOWN:
            print(f"{'refused' if defect.refuses else 'warning'}: {defect}", file=sys.stderr)
    warnings = Counter(str(d.kind) for d in defects if not d.refuses)
    for kind, count in sorted(warnings.items()):
        if count > _SHOWN:
            print(f"warning: {kind}: {count - _SHOWN} more; --defects writes all", file=sys.stderr)
    if out is not None:
        try:
            out.write_text(as_geojson(defects), encoding="utf-8")
        except OSError as error:
            raise SetupError(f"{out} cannot be written: {error.strerror}") from error


def _codes(text: str) -> list[str]:
    return [code.strip() for code in text.split(",") if code.strip()]


def _metres(text: str) -> float:
    size = float(text)
    if not 10 <= size <= 10_000:
        raise argparse.ArgumentTypeError(f"{text} m; want 10 to 10000")
    return size


def _count(text: str) -> int:
    count = int(text)
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text} cells; want 1 or more")
    return count


def _moment(text: str) -> datetime:
    moment: datetime | None = None
    with suppress(ValueError):
        moment = datetime.fromisoformat(text)
    if moment is None or moment.tzinfo is None:
        raise argparse.ArgumentTypeError(f"{text!r}; want a moment with offset, as 2027-01-01T00:00:00+08:00")
    return moment
