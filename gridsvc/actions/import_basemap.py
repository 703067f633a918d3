"""Import the ground that the map shows from vector files; an edition is replaced as a whole."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Final

import shapely

from geo.features import Feature, FeatureReading, Unfit, UnreadableFeatures, read_features
from geo.place import Bounds
from gridsvc.db import ConnPool, transaction
from gridsvc.domain.basemap import LAYERS, Columns, Ground, ground_of
from gridsvc.errors import SetupError
from gridsvc.store import basemap, cells

AROUND_DEG: Final = 0.05
"""How far beyond the city's box the ground is drawn: some five kilometres."""

Told = Callable[[str, int, int], None]


@dataclass(frozen=True, kw_only=True)
class GroundOrder:
    """Which files to import, as which edition, whom the map must name for them, and how they are read."""

    files: Sequence[Path]
    edition: str
    attribution: str
    columns: Columns
    reading: FeatureReading
    everywhere: bool = False


@dataclass
class ImportedGround:
    """What was kept by layer, what of it was there twice, and what is to be known: file, layer, row, field."""

    kept: Counter[str] = field(default_factory=Counter)
    twice: int = 0
    passed: int = 0
    faults: list[str] = field(default_factory=list)
    before: int = 0


async def import_basemap(pool: ConnPool, order: GroundOrder, told: Told) -> ImportedGround:
    """Read the files, and let what they hold be all of their edition, in one transaction.

    What lies beyond the city's surroundings is left out, unless `everywhere`, or where no grid set is in force. The
    same shape of the same kind counts once. A value that cannot be read is told and its feature drawn without it.
    Raises SetupError where a file cannot be read, or nothing in them is drawn: then nothing is changed.
    """
    async with transaction(pool) as (conn, now):
        city = None if order.everywhere else await cells.bounds_at(conn, now)
    reading = order.reading if city is None else replace(order.reading, box=_around(city[1]))
    features, done = await asyncio.to_thread(_read, order, reading, told)
    if not features:
        raise SetupError(
            f"nothing in {', '.join(path.name for path in order.files)} is a road, water or a building"
            f"{'' if city is None else ' near the city'}; {done.passed} features are something else. "
            "Say --layer for a file without OpenStreetMap's tags, --everywhere for one of another place"
        )
    async with transaction(pool) as (conn, now):
        done.before = await basemap.replace(conn, order.edition, order.attribution, features, now, told)
    return done


def _around(box: Bounds) -> Bounds:
    return Bounds(box.west - AROUND_DEG, box.south - AROUND_DEG, box.east + AROUND_DEG, box.north + AROUND_DEG)


def _read(order: GroundOrder, reading: FeatureReading, told: Told) -> tuple[list[basemap.Feature], ImportedGround]:
    kept: dict[tuple[str, str, bytes], basemap.Feature] = {}
    done = ImportedGround()
    for path in order.files:
        try:
            for each in read_features(path, reading, partial(told, f"read {path.name}")):
                _take(each, path, order.columns, kept, done)
        except UnreadableFeatures as unreadable:
            raise SetupError(str(unreadable)) from unreadable
    done.kept.update(dict.fromkeys(LAYERS, 0))
    done.kept.update(feature.layer for feature in kept.values())
    return list(kept.values()), done


def _take(
    read: Feature | Unfit, path: Path, columns: Columns, kept: dict[tuple[str, str, bytes], basemap.Feature],
    done: ImportedGround,
) -> None:  # fmt: skip
    where = f"{path.name}: {read.layer}, row {read.row}"
    if isinstance(read, Feature) and (known_as := _id_of(read.fields)):
        where += f" ({known_as})"
    if isinstance(read, Unfit):
        done.faults.append(f"{where}: left out: {read.why}")
        return
    ground, unread = ground_of(read.fields, area=read.area, columns=columns)
    if ground is None:
        done.passed += 1
        return
    done.faults += [f"{where}: {each.field} is {each.given!r}; want {each.wanted}" for each in unread]
    key = (ground.layer, ground.kind, shapely.to_wkb(read.shape))
    done.twice += key in kept
    kept.setdefault(key, _kept(ground, read.shape))


def _id_of(fields: Mapping[str, str]) -> str:
    """What OpenStreetMap, or another source, knows a feature by; empty where it has no such field."""
    return next((f"{name} {fields[name]}" for name in ("osm_id", "osm_way_id", "@id", "id") if fields.get(name)), "")


def _kept(ground: Ground, shape: shapely.Geometry) -> basemap.Feature:
    return basemap.Feature(ground.layer, ground.name, ground.kind, ground.height_m, ground.levels, shape)
