"""How fast a place finds its owner among 100 000 cells: in memory and in SQL, one by one and in bulk.

Run as `python -m bench.lookup [CELLS_A_SIDE]`; prints a table, and writes it to `bench/results/lookup.json`.
"""

from __future__ import annotations

import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
import shapely
import uvloop

from geo.cells import cut_cells
from geo.locator import Locator
from geo.place import Bounds, Place
from geo.projection import Numbers, areas_m2, fitting_plane
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.local.servers import PrivateServers
from gridsvc.migrate import migrate
from gridsvc.store import grids
from gridsvc.store.cells import Wanted, locator_for, owners_of

SIDE: Final = 320
RESULTS: Final = Path(__file__).parent / "results" / "lookup.json"

_WEST, _SOUTH = 103.6, 35.95
_TIMES: Final = 200  # rounds of each measurement; the median is told
_IN_FORCE: Final = datetime(2020, 1, 1, tzinfo=UTC)


def _city(side: int) -> shapely.Polygon:
    """A square of `side` cells a side, turned a little, so that its border cuts cells."""
    width, height = side * 100 / 90_000, side * 100 / 111_000
    lean = width / 50
    return shapely.Polygon([
        (_WEST, _SOUTH), (_WEST + width, _SOUTH + lean),
        (_WEST + width - lean, _SOUTH + height), (_WEST - lean, _SOUTH + height - lean),
    ])  # fmt: skip


async def _fill(conn: Conn, now: datetime, side: int) -> None:
    outline = _city(side)
    shapes = np.array([c.shape for c in cut_cells(outline, fitting_plane(_WEST, _SOUTH), 100.0)], dtype=object)
    cells = [
        grids.Cell(f"620102{number:06d}", "", "620102", area, shape)
        for number, (area, shape) in enumerate(zip(areas_m2(shapes).tolist(), shapes, strict=True), start=1)
    ]
    grid_set_id = await grids.add_set(conn, "bench", "6+6")
    await grids.add_divisions(
        conn, grid_set_id, [grids.Division("620102", "city", "district", None, ["620102"], 1.0, outline)]
    )
    await grids.add_cells(conn, grid_set_id, cells)
    west, south, east, north = shapely.bounds(outline).tolist()
    await grids.publish(conn, grid_set_id, _IN_FORCE, now, Bounds(west, south, east, north))


def _places(side: int, count: int, random: np.random.Generator) -> tuple[Numbers, Numbers]:
    reach = side * 100 / 111_000 * 0.9
    return random.uniform(_WEST + 0.01, _WEST + reach, count), random.uniform(_SOUTH + 0.01, _SOUTH + reach, count)


async def _median(work: Callable[[], Awaitable[object]], times: int = _TIMES) -> float:
    """Microseconds of the middle one of so many rounds; the first few, which warm up, are left out."""
    took = []
    for _ in range(times + 20):
        began = time.perf_counter()
        await work()
        took.append(time.perf_counter() - began)
    return statistics.median(took[20:]) * 1e6


async def measure(database: str, side: int) -> dict[str, float]:
    """Microseconds for one place, each way."""
    found: dict[str, float] = {}
    random = np.random.default_rng(1)
    async with open_pool(database, scope=SERVICE, size=2, name="bench") as pool:
        began = time.perf_counter()
        async with transaction(pool) as (conn, now):
            await _fill(conn, now, side)
        found["cut and write the set, s"] = time.perf_counter() - began
        async with transaction(pool) as (conn, now):
            set_id = await grids.in_force(conn, now)
            assert set_id is not None
            began = time.perf_counter()
            locator = await locator_for(conn, set_id)
            found["load the locator, s"] = time.perf_counter() - began
            found["cells"] = len(locator)
            found |= await _in_memory(locator, side, random)
            found |= await _in_sql(conn, now, side, random)
    return found


async def _in_memory(locator: Locator, side: int, random: np.random.Generator) -> dict[str, float]:
    async def one() -> None:
        lons, lats = _places(side, 1, random)
        assert locator.locate(Place(float(lons[0]), float(lats[0]))) is not None

    found = {"memory, one place, us": await _median(one)}
    lons, lats = _places(side, 100_000, random)
    began = time.perf_counter()
    assert None not in locator.locate_many(lons, lats)
    found["memory, 100 000 at once, us each"] = (time.perf_counter() - began) * 10
    return found


async def _in_sql(conn: Conn, now: datetime, side: int, random: np.random.Generator) -> dict[str, float]:
    bare = await conn.prepare(
        "SELECT min(code) FROM cells WHERE ST_Covers(outline, ST_SetSRID(ST_MakePoint($1, $2), 4326))"
    )

    async def floor() -> None:
        lons, lats = _places(side, 1, random)
        assert await bare.fetchval(float(lons[0]), float(lats[0])) is not None

    found = {"SQL, bare ST_Covers, us": await _median(floor)}
    for count in (1, 16, 64, 256):

        async def batch(count: int = count) -> None:
            lons, lats = _places(side, count, random)
            asked = [Wanted(Place(*at), "city") for at in zip(lons.tolist(), lats.tolist(), strict=True)]
            assert None not in await owners_of(conn, asked, now)

        found[f"SQL, owners_of {count} at once, us each"] = await _median(batch) / count
    return found


async def _on_private_servers(home: Path, side: int) -> dict[str, float]:
    with PrivateServers(home, broker=False) as servers:
        await migrate(servers.owner_database_url)
        await servers.postgres.let_the_service_in()
        return await measure(servers.database_url, side)


def main() -> None:
    """Measure, print, keep."""
    side = int(sys.argv[1]) if len(sys.argv) > 1 else SIDE
    with (
        tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL may run as another user
        found = runner.run(_on_private_servers(home, side))
    for name, value in found.items():
        print(f"{name:40} {value:12,.1f}")
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps({"cores": os.cpu_count(), **found}, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
