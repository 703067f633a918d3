"""How fast tiles of the map are made at 105,000 cells and 1,000,000 cases, and how many need not be made at all.

Run as `python -m bench.tiles [CASES]`; prints a table, and writes it to `bench/results/tiles.json`. Beside it, in the
same run and on the same tables, TiPg (PyPI `tipg`), installed into an environment of its own: without a network it is
left out, and the table says so.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from pathlib import Path
from typing import Final

import aiohttp
import numpy as np
import shapely

from bench.private import measure_privately
from geo.place import Bounds
from geo.tile import Tile, tile_of
from gridsvc.actions.prepare_map import prepare_map
from gridsvc.api.tokens import ApiKey
from gridsvc.db import SERVICE, Conn, open_pool, transaction
from gridsvc.ids import new_id
from gridsvc.store import api_keys, case_counts, grids

COLUMNS: Final = 350
ROWS: Final = 300
CASES: Final = 1_000_000
RESULTS: Final = Path(__file__).parent / "results" / "tiles.json"

_WEST, _SOUTH = 103.5, 35.9
_EAST_M, _NORTH_M = 1 / 90_163, 1 / 110_950  # degrees of a metre there
_BOX: Final = Bounds(_WEST, _SOUTH, _WEST + COLUMNS * 100 * _EAST_M, _SOUTH + ROWS * 100 * _NORTH_M)
_ASKED: Final = 60  # tiles of each layer and zoom, each asked for once
_DISTRICTS: Final = 5
_CITY: Final = "6201"

_ZOOMS: Final = {
    "divisions": (8, 10, 12, 14), "cells": (11, 12, 13, 14, 16), "beats": (11, 13, 15),
    "cases": (8, 10, 12, 13, 14, 16), "buildings": (14, 15, 16), "roads": (11, 13, 15),
}  # fmt: skip

# What TiPg draws of the same: the table, its column of shapes, the columns of its features.
_TIPG: Final = {
    "divisions": ("map_divisions", "shape", "code,name,level"),
    "cells": ("map_cells", "shape", "code,division_code"),
    "beats": ("map_beats", "shape", "code,name,duty_line"),
    "cases": ("cases", "place", "id,state,severity,category"),
    "buildings": ("basemap_features", "shape", "height_m,levels,name"),
}


# -- the city -------------------------------------------------------------------------------------

RULES: Final = """
INSERT INTO duty_lines VALUES ('sanitation', '环卫', '', 'city_management'), ('order', '秩序', '', 'city_management'),
                              ('roads', '道路', '', 'city_management');
INSERT INTO departments (code, name, duty_line) SELECT 'of-' || code, code, code FROM duty_lines;
INSERT INTO calendars (code, name, slots) VALUES ('city', 'city', '{"1": [["08:00","12:00"]]}');
INSERT INTO category_editions VALUES ('2013', 'GB/T 30428.2-2013', true);
INSERT INTO categories (edition, code, kind, name, name_en, duty_line, department, limit_amount, limit_unit, calendar)
SELECT '2013', '010' || n, 'event', 'x', '', line, NULL, 4, 'urgent_hour', 'city'
  FROM unnest(ARRAY['sanitation', 'order', 'roads']) WITH ORDINALITY AS l (line, n);
"""

# As the service would have written them: 95 of 100 are closed; who may see each is its areas, line and department.
CASES_SQL: Final = """
INSERT INTO cases (id, number, version, state, source, edition, category, duty_line, severity, description, place,
                   grid_set_id, division_code, divisions, cell_code, cell_method, pool, reported_by, occurred_at,
                   reported_at, filed_at, closed_at, updated_at, seen_by, head)
SELECT gen_random_uuid(), 'bench-' || n, 3, CASE WHEN n % 20 = 0 THEN 'filed' ELSE 'closed' END, 'bench', '2013',
       '010' || l.kind, l.line, (ARRAY['low', 'normal', 'high', 'emergency'])[1 + n % 4], '',
       ST_SetSRID(ST_MakePoint(ST_XMin(c.outline) + random() * (ST_XMax(c.outline) - ST_XMin(c.outline)),
                               ST_YMin(c.outline) + random() * (ST_YMax(c.outline) - ST_YMin(c.outline))), 4326),
       c.grid_set_id, c.division_code, d.path, c.code, 'covers', CASE WHEN n % 20 = 0 THEN 'dispatch' END, 'bench',
       t.at, t.at, t.at, CASE WHEN n % 20 <> 0 THEN t.at + interval '5 hours' END, t.at, k.keys, sha256('x')
  FROM generate_series(1, $1::integer) AS n
  JOIN (SELECT *, row_number() OVER (ORDER BY code) AS turn FROM cells) c
    ON c.turn = 1 + (n::bigint * 7919) % $2::integer
  JOIN divisions d ON d.grid_set_id = c.grid_set_id AND d.code = c.division_code
  JOIN (VALUES (0, 1, 'sanitation'), (1, 2, 'order'), (2, 3, 'roads')) AS l (turn, kind, line) ON l.turn = n % 3
 CROSS JOIN LATERAL (SELECT now() - n * interval '30 seconds' AS at) t
 CROSS JOIN LATERAL (
       SELECT array_agg(key ORDER BY key) AS keys
         FROM unnest(d.path) AS area,
              unnest(ARRAY[area, area || '/line:' || l.line, area || '/dept:of-' || l.line]) AS key) k
"""

GROUND: Final = """
INSERT INTO basemap_editions VALUES ('bench', '', now());
INSERT INTO basemap_features (edition, layer, name, kind, height_m, levels, outline)
SELECT 'bench', 'buildings', '', 'apartments', 18, 6,
       ST_MakeEnvelope(ST_XMin(outline) + s * 0.0002 + 0.0001, ST_YMin(outline) + 0.0002,
                       ST_XMin(outline) + s * 0.0002 + 0.0002, ST_YMin(outline) + 0.0007, 4326)
  FROM cells, generate_series(0, 3) AS s;
INSERT INTO basemap_features (edition, layer, name, kind, outline)
SELECT 'bench', 'roads', code,
       (ARRAY['primary', 'secondary', 'residential', 'residential'])[1 + row_number() OVER () % 4],
       ST_ExteriorRing(ST_GeometryN(outline, 1))
  FROM cells;
"""


def _lattice() -> tuple[list[grids.Division], list[grids.Cell]]:
    """Crooked cells of a hundred metres on one lattice, seven by fourteen communities of 50 to each street."""
    shake = np.random.default_rng(1).uniform(-12, 12, (COLUMNS + 1, ROWS + 1, 2))
    shake[:, :, 0] *= _EAST_M
    shake[:, :, 1] *= _NORTH_M
    x, y = np.meshgrid(np.arange(COLUMNS + 1) * 100 * _EAST_M, np.arange(ROWS + 1) * 100 * _NORTH_M, indexing="ij")
    at = np.round(np.stack([_WEST + x, _SOUTH + y], axis=-1) + shake, 9)
    cells: list[grids.Cell] = []
    inside: dict[str, list[shapely.Polygon]] = {}
    for i in range(COLUMNS):
        for j in range(ROWS):
            community = f"62010{1 + i // 70}{1 + j // 20:03d}{1 + i % 70 // 10 * 4 + j % 20 // 5:03d}"
            shape = shapely.Polygon([at[i, j], at[i + 1, j], at[i + 1, j + 1], at[i, j + 1]])
            cells.append(grids.Cell(f"{community}{1 + i % 10 * 5 + j % 5:03d}", "", community, 10_000.0, shape))
            for code in (community, community[:9], community[:6], _CITY):
                inside.setdefault(code, []).append(shape)
    return [_division(code, shapes) for code, shapes in sorted(inside.items())], cells


def _division(code: str, shapes: list[shapely.Polygon]) -> grids.Division:
    path = [part for part in (code[:4], code[:6], code[:9], code) if len(part) <= len(code)]
    path = list(dict.fromkeys(path))
    level = {4: "city", 6: "district", 9: "street", 12: "community"}[len(code)]
    above = path[-2] if len(path) > 1 else None
    return grids.Division(code, code, level, above, path, 1.0, shapely.coverage_union_all(shapes))


@contextmanager
def _timed(found: dict[str, float], name: str) -> Iterator[None]:
    began = time.perf_counter()
    yield
    found[name] = time.perf_counter() - began
    print(f"{name}: {found[name]:.1f}", flush=True)


async def _fill(conn: Conn, cases: int, found: dict[str, float]) -> None:
    await conn.execute("SET statement_timeout = 0")
    await conn.execute("SET maintenance_work_mem = '512MB'")
    now = await conn.fetchval("SELECT now()")
    divisions, cells = _lattice()
    with _timed(found, "cells written, s"):
        await conn.execute(RULES)
        grid_set_id = await grids.add_set(conn, "bench", "6+3+3+3")
        await grids.add_divisions(conn, grid_set_id, divisions)
        await grids.add_cells(conn, grid_set_id, cells)
        for line in ("sanitation", "order", "roads"):
            beats: dict[str, list[str]] = {}
            for cell in cells:
                beats.setdefault(cell.division_code, []).append(cell.code)
            rows = [grids.Beat(f"{code}-{line}", code, code, codes) for code, codes in beats.items()]
            await grids.add_beats(conn, grid_set_id, line, rows)
        await grids.publish(conn, grid_set_id, now, now, _BOX)
        await conn.execute(GROUND)
    with _timed(found, "map prepared, s"):
        await prepare_map(conn, grid_set_id, now)
    # Indexes and triggers come after the rows: a bench has no hours for them one by one.
    indexes = await conn.fetch("SELECT indexname, indexdef FROM pg_indexes WHERE tablename = 'cases'"
                               " AND indexname NOT LIKE '%key' AND indexname NOT LIKE '%pkey'")  # fmt: skip
    with _timed(found, "cases written, s"):
        await conn.execute("ALTER TABLE cases DISABLE TRIGGER USER")
        for index in indexes:
            await conn.execute(f"DROP INDEX {index['indexname']}")
        await conn.execute(CASES_SQL, cases, len(cells))
        for index in indexes:
            await conn.execute(index["indexdef"])
        await conn.execute("ALTER TABLE cases ENABLE TRIGGER USER")
    await conn.execute(
        "INSERT INTO case_count_changes (cell_code, divisions, keys, cases)"
        " SELECT cell_code, divisions, case_area_keys(seen_by, divisions), 1 FROM cases"
    )
    with _timed(found, "cases counted, s"):
        while await case_counts.fold(conn, 50_000):
            pass
    found["counters of cells"] = await conn.fetchval("SELECT count(*) FROM cell_counts")
    found["audiences"] = await conn.fetchval("SELECT count(*) FROM case_audiences")


async def _writing(conn: Conn, found: dict[str, float]) -> None:
    """What the counting adds to a case that is written: with its trigger, and without, in turns."""
    took: dict[str, list[float]] = {"ENABLE": [], "DISABLE": []}
    copied = await conn.fetchval(
        "SELECT string_agg(quote_ident(attname), ', ' ORDER BY attnum) FROM pg_attribute"
        " WHERE attrelid = 'cases'::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''"
        " AND attname NOT IN ('id', 'number')"
    )
    for turn in range(6):
        how = ("ENABLE", "DISABLE")[turn % 2]
        await conn.execute(f"ALTER TABLE cases {how} TRIGGER count_case")
        began = time.perf_counter()
        await conn.execute(
            f"INSERT INTO cases (id, number, {copied})"  # noqa: S608 - names of our own columns
            f" SELECT gen_random_uuid(), 'again-{turn}-' || row_number() OVER (), {copied} FROM cases LIMIT 2000"
        )
        took[how].append((time.perf_counter() - began) / 2000 * 1e6)
    await conn.execute("ALTER TABLE cases ENABLE TRIGGER count_case")
    found["case written, us, counting"] = min(took["ENABLE"])
    found["case written, us, not counting"] = min(took["DISABLE"])


# -- who is asked ---------------------------------------------------------------------------------


def _port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def _process(command: list[str], environment: Mapping[str, str], url: str, folder: Path) -> AsyncIterator[str]:
    """A server as a process of its own, once it answers `url`."""
    with (folder / "log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *command, env={**os.environ, **environment}, stdout=log, stderr=log, cwd=folder
        )
        try:
            await _answers(url, process)
            yield url
        finally:
            process.terminate()
            await process.wait()


async def _answers(url: str, process: asyncio.subprocess.Process) -> None:
    async with aiohttp.ClientSession() as http:
        for _ in range(600):
            assert process.returncode is None, f"the server for {url} has ended"
            try:
                async with http.get(url) as answer:
                    if answer.status == 200:
                        return
            except aiohttp.ClientError:
                pass
            await asyncio.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def _tipg(folder: Path) -> Path | None:
    """The Python of an environment that has TiPg; None where it cannot be installed."""
    python = folder / "bin" / "python"
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    done = subprocess.run([str(python), "-m", "pip", "install", "--quiet", "tipg", "uvicorn"], capture_output=True)
    return python if done.returncode == 0 else None


def _some_tiles(z: int, seed: str) -> list[Tile]:
    """Tiles that touch the city, each once: as many as there are, at most _ASKED."""
    first, last = tile_of(_BOX.west, _BOX.north, z), tile_of(_BOX.east, _BOX.south, z)
    all_of_them = [Tile(z, x, y) for x in range(first.x, last.x + 1) for y in range(first.y, last.y + 1)]
    return random.Random(seed).sample(all_of_them, min(_ASKED, len(all_of_them)))


async def _cold(
    http: aiohttp.ClientSession, url: str, path: str, headers: Mapping[str, str], tiles: list[Tile]
) -> tuple[float, float, float]:
    """Milliseconds of the middle tile and of the one in a hundred, and bytes on average; one after the other."""
    took, size = [], []
    for tile in tiles:
        began = time.perf_counter()
        async with http.get(url + path.format(z=tile.z, x=tile.x, y=tile.y), headers=headers) as answer:
            body = await answer.read()
            assert answer.status in {200, 204}, (answer.status, path, body[:200])
        took.append((time.perf_counter() - began) * 1e3)
        size.append(len(body))
    took.sort()
    return took[len(took) // 2], took[min(len(took) - 1, int(len(took) * 0.99))], float(np.mean(size))


async def _walk(url: str, keys: list[str], versions: Mapping[str, str]) -> dict[str, float]:
    """Fifty viewers look around for twenty steps each: what share of their tiles was there already."""
    rng, asked = random.Random("walk"), Counter[int]()
    centres = [(rng.uniform(_BOX.west, _BOX.east), rng.uniform(_BOX.south, _BOX.north)) for _ in range(6)]

    async def viewer(http: aiohttp.ClientSession, number: int) -> None:
        mine = random.Random(number)
        lon, lat = mine.choice(centres)  # people look where something is
        z = 14
        for _ in range(20):
            z = min(16, max(11, z + mine.choice((-1, 0, 0, 0, 1))))
            width = 360 / (1 << z)
            lon, lat = lon + mine.uniform(-1, 1) * width, lat + mine.uniform(-0.7, 0.7) * width
            here = tile_of(lon, lat, z)
            for layer in ("cells", "divisions", "cases", "buildings", "roads"):
                for x in (-1, 0, 1):
                    for y in (0, 1):
                        path = f"/tiles/{layer}/{z}/{here.x + x}/{here.y + y}.mvt?v={versions[layer]}"
                        async with http.get(url + path, headers={"X-API-Key": keys[number % len(keys)]}) as answer:
                            await answer.read()
                            asked[answer.status] += 1

    began = time.perf_counter()
    async with aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0)) as http:
        await asyncio.gather(*(viewer(http, number) for number in range(50)))
    took = time.perf_counter() - began
    assert set(asked) <= {200, 204}, asked
    return {"walk, tiles": float(sum(asked.values())), "walk, tiles a second": sum(asked.values()) / took}


async def _outcomes(http: aiohttp.ClientSession, url: str) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    async with http.get(f"{url}/metrics") as answer:
        text = await answer.text()
    for line in text.splitlines():
        if line.startswith("gridsvc_tiles_total{"):
            layer, outcome = line.split('"')[1], line.split('"')[3]
            found.setdefault(layer, Counter())[outcome] += int(float(line.rsplit(" ", 1)[1]))
    return found


async def _keys(database: str) -> list[str]:
    """One that sees the city and one for each district."""
    made = []
    async with open_pool(database, scope=SERVICE, size=1, name="bench") as pool, transaction(pool) as (conn, now):
        for division in (_CITY, *(f"62010{n + 1}" for n in range(_DISTRICTS))):
            key = ApiKey.new(new_id())
            await api_keys.ADD.run(
                conn, key.id, division, key.digest, ["grid:read", "cases:read"], division, None, None, now, None
            )
            made.append(key.text)
    return made


# -- the measurement ------------------------------------------------------------------------------


async def measure(database: str, owner_url: str, cases: int) -> dict[str, float]:
    """Milliseconds of each layer and zoom, hit rates, and what TiPg takes for the same."""
    found: dict[str, float] = {}
    async with open_pool(
        owner_url, size=1, scope=SERVICE, name="bench", role=None, statement_s=1800
    ) as pool, pool.acquire() as conn:
        await _fill(conn, cases, found)
        await _writing(conn, found)
        await conn.execute("VACUUM ANALYZE")
    keys = await _keys(database)
    port = _port()
    environment = {
        "GRIDSVC_DATABASE_URL": database, "GRIDSVC_HTTP_PORT": str(port), "GRIDSVC_SECRET": "x" * 40,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder:
        url = f"http://127.0.0.1:{port}"
        command = [sys.executable, "-m", "gridsvc", "serve"]
        async with _process(command, environment, f"{url}/readyz", Path(folder)), aiohttp.ClientSession() as http:
            await _ours(http, url, keys, found)
        python = await asyncio.to_thread(_tipg, Path(folder) / "tipg")
        if python is None:
            print("TiPg could not be installed: left out", flush=True)
            return found
        await _theirs(python, owner_url, Path(folder), found)
    return found


async def _ours(http: aiohttp.ClientSession, url: str, keys: list[str], found: dict[str, float]) -> None:
    async with http.get(f"{url}/api/v1/map", headers={"X-API-Key": keys[0]}) as answer:
        versions = {name: layer["version"] for name, layer in (await answer.json())["layers"].items()}
    for layer, zooms in _ZOOMS.items():
        for z in zooms:
            path = f"/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt?v={versions[layer]}"
            for key in keys[:2] if layer == "cases" else keys[:1]:  # the second sees a district
                await _cold(http, url, path, {"X-API-Key": key}, [Tile(z, 0, 0)])  # the statement is prepared
                p50, p99, size = await _cold(http, url, path, {"X-API-Key": key}, _some_tiles(z, layer))
                whose = "" if layer != "cases" else ", the city's" if key == keys[0] else ", a district's"
                _note(found, f"{layer} z{z}{whose}", p50, p99, size)
    before = await _outcomes(http, url)
    async with http.get(f"{url}/api/v1/map", headers={"X-API-Key": keys[0]}) as answer:
        versions = {name: layer["version"] for name, layer in (await answer.json())["layers"].items()}
    found |= await _walk(url, keys, versions)
    for layer, after in (await _outcomes(http, url)).items():
        new = after - before.get(layer, Counter())
        if new:
            found[f"walk, {layer}: share not made"] = 1 - new["miss"] / sum(new.values())


async def _theirs(python: Path, owner_url: str, folder: Path, found: dict[str, float]) -> None:
    port = _port()
    url = f"http://127.0.0.1:{port}"
    tables = json.dumps([f"public.{table}" for table, _, _ in _TIPG.values()])
    environment = {
        "DATABASE_URL": owner_url, "TIPG_DB_TABLES": tables, "TIPG_MAX_FEATURES_PER_TILE": "1000000",
        "TIPG_MAX_FEATURES_PER_QUERY": "1000000", "TIPG_TILE_BUFFER": "64", "TIPG_DB_SPATIAL_EXTENT": "false",
        "TIPG_DB_DATETIME_EXTENT": "false",
    }  # fmt: skip
    command = [str(python), "-m", "uvicorn", "--port", str(port), "--log-level", "error", "tipg.main:app"]
    async with _process(command, environment, f"{url}/healthz", folder), aiohttp.ClientSession() as http:
        for layer, (table, column, properties) in _TIPG.items():
            for z in _ZOOMS[layer]:
                path = (
                    f"/collections/public.{table}/tiles/WebMercatorQuad/{{z}}/{{x}}/{{y}}?geom-column={column}"
                    f"&properties={properties}"
                )
                tiles = _some_tiles(z, layer)[: 3 if z < 13 else _ASKED]  # a tile of the whole city takes seconds
                await _cold(http, url, path, {}, [Tile(z, 0, 0)])
                p50, p99, size = await _cold(http, url, path, {}, tiles)
                _note(found, f"TiPg {layer} z{z}", p50, p99, size)
                ours = found[f"{layer} z{z}{', the city' + chr(39) + 's' if layer == 'cases' else ''}, p50 ms"]
                found[f"ratio {layer} z{z}: TiPg to ours, p50"] = p50 / ours


def _note(found: dict[str, float], what: str, p50: float, p99: float, size: float) -> None:
    found |= {f"{what}, p50 ms": p50, f"{what}, p99 ms": p99, f"{what}, bytes": size}
    print(f"{what:32} p50 {p50:8.1f} ms  p99 {p99:8.1f} ms  {size:12,.0f} bytes", flush=True)


def main() -> None:
    """Measure, print, keep."""
    cases = int(sys.argv[1]) if len(sys.argv) > 1 else CASES
    measure_privately(RESULTS, partial(measure, cases=cases))


if __name__ == "__main__":
    main()
