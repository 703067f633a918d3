"""`gridsvc basemap`: roads, water and buildings beneath the map, from files."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final

from tqdm import tqdm

from geo.datum import Datum
from geo.features import OSM, FeatureReading
from gridsvc.actions.import_basemap import GroundOrder, Told, import_basemap
from gridsvc.db import ConnPool, open_pool, transaction
from gridsvc.domain.basemap import LAYERS, Columns
from gridsvc.errors import SetupError
from gridsvc.settings import Settings
from gridsvc.store import basemap

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

OPENSTREETMAP: Final = "© OpenStreetMap contributors"

_SHOWN: Final = 200  # faults printed one by one; the rest is counted

_EXAMPLE: Final = """\
example: an extract of OpenStreetMap, and the survey office's buildings in a Shapefile
  gridsvc basemap import gansu-latest.osm.pbf --edition osm
  gridsvc basemap import buildings.shp --edition survey --attribution "Lanzhou survey office" \\
      --layer buildings --height-field H --levels-field FLOOR --crs EPSG:4544

Which tags become which class, and how heights are read: docs/basemap.md. An import replaces its own edition.
Exit code 0: done, what could not be read is told; 1: nothing was changed; 2: the command itself was wrong."""


def add(subparsers: Subparsers) -> None:
    """Add `basemap` with its own subcommands to the command line."""
    parser = subparsers.add_parser("basemap", help="roads, water and buildings beneath the map")
    commands = parser.add_subparsers(dest="basemap_command", required=True, metavar="COMMAND")
    importing = commands.add_parser(
        "import", help="import files of OpenStreetMap, or other vector files", epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )  # fmt: skip
    importing.add_argument("files", type=Path, nargs="+", metavar="FILE", help=".osm.pbf, .osm, GeoJSON, GeoPackage, "
                           "Shapefile; also in .gz or .zip")  # fmt: skip
    importing.add_argument("--edition", help="what these files are together (default: the first file's name)")
    importing.add_argument("--attribution", help=f"whom the map names for them ({OPENSTREETMAP!r} for .osm and .pbf)")
    frame = importing.add_mutually_exclusive_group()
    frame.add_argument("--datum", type=Datum, choices=list(Datum), help="whose degrees they are")
    frame.add_argument("--crs", metavar="EPSG:…", help="their frame, where the files do not say it")
    importing.add_argument("--layer", choices=LAYERS, help="all of it is this; without, OpenStreetMap's tags are read")
    importing.add_argument("--class-field", metavar="FIELD", help="with --layer: the field of the class")
    importing.add_argument("--name-field", default="name", metavar="FIELD")
    importing.add_argument("--height-field", default="height", metavar="FIELD", help="metres, or feet with their sign")
    importing.add_argument("--levels-field", default="building:levels", metavar="FIELD", help="storeys")
    importing.add_argument("--table", help="which layer of a file that holds several (default: all)")
    importing.add_argument("--everywhere", action="store_true", help="keep what is far from the city too")
    commands.add_parser("list", help="the editions there are, and what they hold")
    removing = commands.add_parser("remove", help="take an edition off the map")
    removing.add_argument("edition")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Run the chosen subcommand; the exit code."""
    async with open_pool(settings.database.url, size=1, name="gridsvc basemap", scope="*") as pool:
        match arguments.basemap_command:
            case "import":
                return await _import(pool, arguments)
            case "list":
                await _list(pool)
            case "remove":
                await _remove(pool, arguments.edition)
    return 0


async def _import(pool: ConnPool, given: argparse.Namespace) -> int:
    order = _order(given)
    with _bars() as told:
        done = await import_basemap(pool, order, told)
    for fault in done.faults[:_SHOWN]:
        print(fault, file=sys.stderr)
    if len(done.faults) > _SHOWN:
        print(f"and {len(done.faults) - _SHOWN} more", file=sys.stderr)
    held = ", ".join(f"{done.kept[layer]} {layer}" for layer in LAYERS)
    print(
        f"{order.edition}: {held}; {done.before} features before; {done.twice} there twice, {done.passed} not drawn, "
        f"{len(done.faults)} told of"
    )
    return 0


def _order(given: argparse.Namespace) -> GroundOrder:
    files: list[Path] = given.files
    attribution = given.attribution
    if attribution is None:
        if not all(path.suffix.lower() in OSM for path in files):
            raise SetupError("whom the map must name is not known; want --attribution")
        attribution = OPENSTREETMAP
    if given.class_field and not given.layer:
        raise SetupError("--class-field names the class of one layer; want --layer with it")
    return GroundOrder(
        files=files,
        edition=given.edition or files[0].name.split(".", 1)[0],
        attribution=attribution,
        columns=Columns(
            layer=given.layer, kind=given.class_field, name=given.name_field, height=given.height_field,
            levels=given.levels_field,
        ),
        reading=FeatureReading(crs=given.crs, datum=given.datum, table=given.table),
        everywhere=given.everywhere,
    )  # fmt: skip


async def _list(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        for one in await basemap.EDITIONS.all(conn):
            held = f"{one.roads} roads, {one.water} water, {one.buildings} buildings"
            print(f"{one.edition}: {held}; of {one.imported_at.isoformat(timespec='seconds')}; {one.attribution}")


async def _remove(pool: ConnPool, edition: str) -> None:
    async with transaction(pool) as (conn, _):
        known = [one.edition for one in await basemap.EDITIONS.all(conn)]
        if not await basemap.remove(conn, edition):
            wanted = f"one of {', '.join(known)}" if known else "one that exists; there is none yet"
            raise SetupError(f"given edition {edition!r}; want {wanted}")
    print(f"{edition}: removed")


@contextmanager
def _bars() -> Iterator[Told]:
    """One bar at a time: reading a file, then writing."""
    with tqdm(unit=" features", disable=None, leave=False) as bar:

        def told(what: str, done: int, of: int) -> None:
            bar.set_description(what, refresh=False)
            bar.total = of
            bar.n = done
            bar.refresh()

        yield told
