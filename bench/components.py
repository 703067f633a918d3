"""How fast components are found and drawn: 20 000 of them in one city.

Run as `python -m bench.components [MANY]`; prints a table, and writes it to `bench/results/components.json`.
"""

from __future__ import annotations

import itertools
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np

from bench.private import measure_privately
from geo.place import Place
from geo.tile import Tile, tile_of
from gridsvc.actions.import_components import Plan, import_components, plan_components
from gridsvc.db import SERVICE, Conn, ConnPool, open_pool, transaction
from gridsvc.domain.component import read_csv
from gridsvc.domain.gazetteer import Gazetteer
from gridsvc.domain.roster import Fault
from gridsvc.ids import new_id
from gridsvc.local.city import load_city
from gridsvc.local.city_demo_file import KEYS, make_secrets
from gridsvc.local.city_make import make_city
from gridsvc.store import components
from gridsvc.store.gazetteer import edition, named_places
from gridsvc.store.tiles import components_tile

MANY: Final = 20_000
RESULTS: Final = Path(__file__).parent / "results" / "components.json"

_ROUNDS: Final = 200
_MIDDLE: Final = (103.83, 36.06)
_AROUND: Final = (0.06, 0.008)  # degrees east and north of the middle in which they stand


async def _prepare(owner_url: str) -> None:
    town = make_city()
    async with (
        open_pool(owner_url, size=1, scope=SERVICE, name="bench", role=None) as pool,
        transaction(pool) as (conn, now),
    ):
        await load_city(conn, town, make_secrets(town.people, [new_id() for _ in KEYS]), now)


def _register(many: int, random: np.random.Generator) -> bytes:
    """Lamps strewn over the middle of the demo city, numbered on from those that it has."""
    east, north = _AROUND
    lons = random.uniform(_MIDDLE[0] - east, _MIDDLE[0] + east, many)
    lats = random.uniform(_MIDDLE[1] - north, _MIDDLE[1] + north, many)
    rows = [
        f"6201020137{500_000 + n:06d},路灯 {n},intact,lighting,lighting,{lon:.7f},{lat:.7f}"
        for n, (lon, lat) in enumerate(zip(lons.tolist(), lats.tolist(), strict=True))
    ]
    return ("code,name,state,owning,maintaining,lon,lat\n" + "\n".join(rows) + "\n").encode()


async def _import(pool: ConnPool, content: bytes) -> tuple[Plan, float]:
    began = time.perf_counter()
    sheet = read_csv("bench.csv", content)
    assert not isinstance(sheet, Fault)
    async with transaction(pool) as (conn, now):
        plan = await plan_components(conn, sheet, "wgs84", partial=True, now=now, told=_nobody)
        await import_components(conn, plan, "bench", now, _nobody)
    return plan, time.perf_counter() - began


def _nobody(what: str, done: int, of: int) -> None:
    """Progress, to nobody."""


async def _told(name: str, work: Callable[[], Awaitable[int]]) -> dict[str, float]:
    """Milliseconds of the middle round and of the one in a hundred; and how much came back, on average."""
    took, size = [], []
    for _ in range(_ROUNDS + 10):
        began = time.perf_counter()
        size.append(await work())
        took.append((time.perf_counter() - began) * 1e3)
    took, size = sorted(took[10:]), size[10:]
    return {
        f"{name}, p50 ms": statistics.median(took),
        f"{name}, p99 ms": took[int(len(took) * 0.99)],
        f"{name}, size": statistics.mean(size),
    }


async def _measure(conn: Conn, random: np.random.Generator) -> dict[str, float]:
    def somewhere() -> Place:
        return Place(
            float(random.uniform(_MIDDLE[0] - _AROUND[0], _MIDDLE[0] + _AROUND[0])),
            float(random.uniform(_MIDDLE[1] - _AROUND[1], _MIDDLE[1] + _AROUND[1])),
        )

    def tile(z: int) -> Tile:
        place = somewhere()
        return tile_of(place.lon, place.lat, z)

    found: dict[str, float] = {}
    for z in (11, 13, 14, 15, 16, 17):

        async def drawn(z: int = z) -> int:
            return len(await components_tile(conn, tile(z)))

        found |= await _told(f"tile of zoom {z} (bytes)", drawn)
    for radius in (50.0, 100.0, 1_000.0, 5_000.0):

        async def near(radius: float = radius) -> int:
            place = somewhere()
            rows = await components.NEAREST.all(conn, place.lon, place.lat, radius, None, None, -1.0, "", 51)
            return len(rows)

        found |= await _told(f"50 nearest within {radius:.0f} m (rows)", near)

    async def by_name() -> int:
        return len(await components.BY_CODE.all(conn, None, f"路灯 {random.integers(MANY)}", "", 51))

    async def by_code() -> int:
        return len(await components.BY_CODE.all(conn, None, f"6201020137{500_000 + random.integers(MANY)}", "", 51))

    found |= await _told("search by name (rows)", by_name)
    return found | await _told("search by code (rows)", by_code)


async def _words(conn: Conn, now: datetime) -> dict[str, float]:
    """Seconds to read and to prepare the names of the city, milliseconds to find a place by words."""
    began = time.perf_counter()
    named = await named_places(conn, (await edition(conn, now)).grid_set_id)
    read = time.perf_counter()
    names = Gazetteer(named)
    found = {
        "names of places": float(len(named)),
        "names read, s": read - began,
        "names prepared, s": time.perf_counter() - read,
    }
    said = itertools.cycle(
        ("庆阳路和酒泉路交叉口", "庆阳路十二号", "城关区庆阳路口", "qingyanglu jiuquanlu", "路灯 4711 附近")
    )

    async def by_words() -> int:
        return len(names.find(next(said)))

    return found | await _told("place by words (places)", by_words)


async def measure(database: str, owner_url: str, many: int) -> dict[str, float]:
    """Seconds of the import, milliseconds of each tile and search."""
    random = np.random.default_rng(1)
    await _prepare(owner_url)
    async with open_pool(database, scope=SERVICE, size=1, name="bench", by_index=True) as pool:
        plan, took = await _import(pool, _register(many, random))
        found = {"components imported": float(plan.added), "import, s": took}
        async with transaction(pool) as (conn, now):
            return found | await _measure(conn, random) | await _words(conn, now)


def main() -> None:
    """Measure, print, keep."""
    many = int(sys.argv[1]) if len(sys.argv) > 1 else MANY
    measure_privately(RESULTS, partial(measure, many=many))


if __name__ == "__main__":
    main()
