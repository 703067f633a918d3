"""The map: what there is, and tiles that are right at their borders, kept, shared, let go; a library reads them."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import asyncpg
import mapbox_vector_tile
import pytest

from geo.tile import Tile, tile_of
from gridsvc.actions.prepare_map import prepare_map, prepare_missing
from gridsvc.api.tiles import TILES
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role, Whereabouts, case_keys
from gridsvc.store import case_counts, grids
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, Client, a
from tests.integration.patiently import until

WEST_CELL, EAST_CELL = "620102001001001", "620103001001001"
BORDER = (103.81, 36.055)  # between the two cells

OUTLINES = """
UPDATE divisions d
   SET name = v.name, outline = ST_Multi(ST_MakeEnvelope(v.west, 36.05, v.east, 36.06, 4326))
  FROM (VALUES ('6201', '兰州市', 103.80, 103.82), ('620102', '城关区', 103.80, 103.81),
               ('620103', '七里河区', 103.81, 103.82), ('620102001001', '一社区', 103.80, 103.81))
       AS v (code, name, west, east)
 WHERE d.code = v.code
"""

GROUND = """
INSERT INTO basemap_editions VALUES ('osm', '© OpenStreetMap contributors', now()), ('own', 'City survey', now());
INSERT INTO basemap_features (edition, layer, name, kind, height_m, levels, outline)
VALUES ('osm', 'roads', '张掖路', 'primary', NULL, NULL,
        ST_GeomFromText('LINESTRING(103.79 36.055, 103.83 36.055)', 4326)),
       ('osm', 'roads', '小巷', 'path', NULL, NULL,
        ST_GeomFromText('LINESTRING(103.801 36.054, 103.809 36.054)', 4326)),
       ('osm', 'water', '黄河', 'river', NULL, NULL, ST_MakeEnvelope(103.79, 36.051, 103.83, 36.053, 4326)),
       ('own', 'buildings', '', 'tower', 33.0, 11, ST_MakeEnvelope(103.8097, 36.0551, 103.8099, 36.0552, 4326));
"""


@dataclass(frozen=True)
class Drawn:
    """What a tile held, layer by layer."""

    status: int
    headers: Mapping[str, str]
    layers: dict[str, Any]

    def properties(self, layer: str, name: str) -> list[Any]:
        """One property of every feature of a layer."""
        return [feature["properties"][name] for feature in self.layers.get(layer, {"features": []})["features"]]


async def fetch(who: Client, layer: str, tile: Tile, v: str | None = None, **headers: str) -> Drawn:
    path = f"/tiles/{layer}/{tile.z}/{tile.x}/{tile.y}.mvt" + ("" if v is None else f"?v={v}")
    async with who.http.get(who.url + path, headers={**who.headers, **headers}) as answer:
        body = await answer.read()
        return Drawn(answer.status, answer.headers.copy(), mapbox_vector_tile.decode(body) if body else {})


async def versions(who: Client) -> dict[str, str]:
    told = await who.get("/api/v1/map")
    assert told.status == 200, told.body
    return {name: layer["version"] for name, layer in told.body["layers"].items()}


@pytest.fixture
async def drawn_city(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, now):
        await conn.execute(OUTLINES)
        await conn.execute(GROUND)
        await prepare_map(conn, await conn.fetchval("SELECT id FROM grid_sets"), now)


async def test_the_map_says_what_there_is_and_whom_it_comes_from(api: Api, drawn_city: None) -> None:
    told = (await (await api.somebody(a(Role.OFFICER))).get("/api/v1/map")).body
    assert told["bounds"] == [103.80, 36.05, 103.82, 36.06]
    assert told["attribution"] == "City survey · © OpenStreetMap contributors"
    assert set(told["layers"]) >= {"cells", "beats", "divisions", "components", "roads", "water", "buildings"}
    assert all(layer["minzoom"] <= layer["maxzoom"] <= 22 for layer in told["layers"].values())


async def test_what_lies_on_the_line_between_tiles_is_drawn_in_both(api: Api, drawn_city: None) -> None:
    """A cell, a road and a house that cross a line between tiles; a name in one tile alone."""
    officer = await api.somebody(a(Role.OFFICER))
    for layer, z in (("cells", 15), ("roads", 15), ("water", 14), ("buildings", 16)):
        here = tile_of(*BORDER, z)
        edge = here.bounds().west
        lat = 36.05515 if layer == "buildings" else BORDER[1]
        west, east = tile_of(edge - 1e-7, lat, z), tile_of(edge + 1e-7, lat, z)
        assert (west.y, west.x + 1) == (east.y, east.x)
        sides = [await fetch(officer, layer, tile) for tile in (west, east)]
        assert [side.status for side in sides] == [200, 200], (layer, west, east)


async def test_cells_divisions_and_beats_carry_what_the_map_asks_them_by(api: Api, drawn_city: None) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    cells = await fetch(officer, "cells", tile_of(*BORDER, 12))
    assert sorted(cells.properties("cells", "code")) == [WEST_CELL, EAST_CELL]
    assert sorted(cells.properties("cells", "division")) == ["620102001001", "620103001001"]
    divisions = await fetch(officer, "divisions", tile_of(*BORDER, 12))
    assert sorted(divisions.properties("divisions", "level")) == ["city", "district", "district"]
    near = await fetch(officer, "divisions", tile_of(103.805, 36.055, 13))
    assert "一社区" in near.properties("divisions", "name")
    assert near.properties("labels", "name").count("城关区") == 1
    beats = await fetch(officer, "beats", tile_of(103.805, 36.055, 14))
    assert (beats.properties("beats", "code"), beats.properties("beats", "duty_line")) == (["N1"], ["sanitation"])
    ground = [await fetch(officer, layer, tile_of(*BORDER, 14)) for layer in ("roads", "water", "buildings")]
    assert ground[0].properties("roads", "class") == ["primary"]
    assert ground[1].properties("water", "name") == ["黄河"]
    assert ground[2].properties("buildings", "height_m") == [33.0]
    assert ground[2].properties("buildings", "levels") == [11]


# ---- what is kept, and for whom -----------------------------------------------------------------


async def test_a_tile_of_the_right_version_may_be_kept_for_ever_and_one_of_another_is_asked_for_again(
    api: Api, drawn_city: None
) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    version, tile = (await versions(officer))["cells"], tile_of(*BORDER, 14)
    right = await fetch(officer, "cells", tile, version)
    assert (right.status, right.headers["Cache-Control"]) == (200, "private, max-age=31536000, immutable")
    for other in (None, "g0-0"):
        wrong = await fetch(officer, "cells", tile, other)
        assert (wrong.status, wrong.headers["Cache-Control"]) == (200, "private, no-cache")
        assert wrong.layers == right.layers
    again = await fetch(officer, "cells", tile, version, **{"If-None-Match": right.headers["ETag"]})
    assert (again.status, again.headers["ETag"]) == (304, right.headers["ETag"])
    plain = await fetch(officer, "cells", tile, version, **{"Accept-Encoding": "identity"})
    assert ("Content-Encoding" in plain.headers, plain.layers) == (False, right.layers)
    empty = await fetch(officer, "cells", tile_of(110.0, 30.0, 14), version)
    assert (empty.status, "immutable" in empty.headers["Cache-Control"]) == (204, True)
    assert (await fetch(officer, "cells", tile_of(*BORDER, 10), version)).status == 204


async def test_a_set_that_comes_into_force_changes_the_version_and_the_old_tiles_go(api: Api, drawn_city: None) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    old, tile = (await versions(officer))["cells"], tile_of(103.805, 36.055, 16)
    assert WEST_CELL in (await fetch(officer, "cells", tile, old)).properties("cells", "code")
    async with transaction(api.pool, SERVICE) as (conn, now):
        before = await conn.fetchval("SELECT id FROM grid_sets")
        after = await grids.add_set(conn, "next", "6+3+3+3")
        await grids.copy_content(conn, before, after)
        await conn.execute("DELETE FROM cells WHERE grid_set_id = $1 AND code = $2", after, WEST_CELL)
        await conn.execute(
            "UPDATE grid_sets SET state = 'published', valid_from = $2, published_at = $2 WHERE id = $1", after, now
        )
        assert await prepare_missing(conn, now) == 1
    new = (await versions(officer))["cells"]
    assert new != old
    assert (await fetch(officer, "cells", tile, new)).properties("cells", "code") == []
    stale = await fetch(officer, "cells", tile, old)
    assert (stale.properties("cells", "code"), stale.headers["Cache-Control"]) == ([], "private, no-cache")
    async with transaction(api.pool, SERVICE) as (conn, now):
        assert await prepare_missing(conn, now) == 0  # and lets go of what is in force no more
        assert await conn.fetchval("SELECT count(*) FROM map_sets") == 1


async def test_until_its_shapes_are_made_a_set_has_no_tiles_and_the_map_says_so(api: Api) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    assert "cells" not in await versions(officer)
    empty = await fetch(officer, "cells", tile_of(*BORDER, 14))
    assert (empty.status, empty.headers["Cache-Control"]) == (204, "private, no-cache")
    async with transaction(api.pool, SERVICE) as (conn, now):
        assert await prepare_missing(conn, now) == 1
    assert (await fetch(officer, "cells", tile_of(*BORDER, 14))).status == 200


# ---- cases --------------------------------------------------------------------------------------


async def report(api: Api, lon: float, **more: Any) -> str:
    who = await api.somebody(a(Role.DISPATCHER, CITY))
    said = await who.post(
        "/api/v1/reports",
        {"category": "0101", "description": "x", "location": {"lon": lon, "lat": 36.055, "datum": "wgs84"}, **more},
    )
    assert said.status == 201, said.body
    return str(said.body["case"]["id"])


async def count(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await case_counts.fold(conn, 1000)


async def counted(who: Client, z: int) -> dict[str, int]:
    """What counters say, by cell or division, in all tiles of a zoom that touch the city."""
    found: dict[str, int] = {}
    for tile in {tile_of(lon, lat, z) for lon in (103.80, 103.81, 103.82) for lat in (36.05, 36.06)}:
        for feature in (await fetch(who, "cases", tile)).layers.get("cases", {"features": []})["features"]:
            assert feature["properties"]["code"] not in found, "counted in two tiles"
            found[feature["properties"]["code"]] = feature["properties"]["point_count"]
    return found


async def test_nobody_finds_another_scopes_cases_in_what_is_kept(api: Api, drawn_city: None) -> None:
    """The same tiles, asked for one after the other by people of three areas: points, and counters from afar."""
    north, south = {await report(api, 103.805), await report(api, 103.8051)}, {await report(api, 103.815)}
    await count(api)
    tile = tile_of(103.8099, 36.055, 13)
    for grant, cases, cells in (
        (a(Role.DISPATCHER, CITY), north | south, {WEST_CELL: 2, EAST_CELL: 1}),
        (a(Role.DISPATCHER, SOUTH), south, {EAST_CELL: 1}),
        (a(Role.DISPATCHER, NORTH), north, {WEST_CELL: 2}),
        (a(Role.SUPERVISOR, CITY, line="governance"), set(), {}),
    ):
        who = await api.somebody(grant)
        for _ in range(2):  # the second time from what is kept
            assert set((await fetch(who, "cases", tile)).properties("cases", "id")) == cases, grant
            assert await counted(who, 12) == cells, grant
            assert sum((await counted(who, 8)).values()) == len(cases), grant


async def test_a_case_just_beyond_the_edge_is_drawn_too_so_that_its_mark_is_whole(api: Api, drawn_city: None) -> None:
    """Within 64 of the 4096 units of a tile, also where the next column of squares begins in between."""
    case, who = UUID(await report(api, 103.805)), await api.somebody(a(Role.DISPATCHER))
    first = tile_of(*BORDER, 13)
    for x in range(first.x, first.x + 100):
        tile = Tile(13, x, first.y)
        box, units = tile.bounds(), 4096 / (tile.bounds().east - tile.bounds().west)
        beyond = (math.floor(box.east * 1000) + 1) / 1000 + 1e-6  # in the next column
        if 10 < (beyond - box.east) * units < 60:
            break
    for lon, status in ((beyond, 200), (box.east + 70 / units, 204)):
        async with transaction(api.pool, SERVICE) as (conn, _):
            place = "ST_SetSRID(ST_MakePoint($2, $3), 4326)"
            await conn.execute(f"UPDATE cases SET place = {place} WHERE id = $1", case, lon, BORDER[1])  # noqa: S608
        api.app[TILES].cache.forget("cases")
        assert (await fetch(who, "cases", tile)).status == status


async def test_those_of_one_area_share_a_tile(api: Api, drawn_city: None) -> None:
    await report(api, 103.805)
    tile = tile_of(103.805, 36.055, 14)
    for _ in range(3):
        assert (await fetch(await api.somebody(a(Role.DISPATCHER)), "cases", tile)).status == 200
    assert await figure(api, 'gridsvc_tiles_total{layer="cases",outcome="miss"}') == 1.0
    assert await figure(api, 'gridsvc_tiles_total{layer="cases",outcome="hit"}') == 2.0


async def test_a_case_says_what_it_was_and_when_and_an_exercise_is_nowhere(api: Api, drawn_city: None) -> None:
    case, who = await report(api, 103.805), await api.somebody(a(Role.DISPATCHER))
    drill = await report(api, 103.8051)
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE cases SET exercise = true WHERE id = $1", UUID(drill))
    await count(api)
    (drawn,) = (await fetch(who, "cases", tile_of(103.805, 36.055, 14))).layers["cases"]["features"]
    assert {name: drawn["properties"][name] for name in ("id", "state", "severity", "category")} == {
        "id": case, "state": "filed", "severity": "normal", "category": "0101",
    }  # fmt: skip
    assert drawn["properties"]["reported_at"] > 1_700_000_000
    assert await counted(who, 12) == {WEST_CELL: 1}


async def test_counters_follow_a_case_to_whoever_may_see_it(api: Api, drawn_city: None) -> None:
    """A department sees none of a case until it has it; then it is counted for it, and never twice for the desk."""
    case = UUID(await report(api, 103.805))
    await count(api)
    water = a(Role.HANDLER, NORTH, department="water")
    assert await counted(await api.somebody(water), 12) == {}
    where = Whereabouts(divisions=[CITY, NORTH], duty_line="sanitation", department="water")
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE cases SET seen_by = $2 WHERE id = $1", case, case_keys(where))
        await conn.execute("UPDATE cases SET version = version + 1 WHERE id = $1", case)
        assert await conn.fetchval("SELECT count(*) FROM case_count_changes") == 2
    await count(api)
    async with transaction(api.pool, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT sum(cases) FROM cell_counts") == 1
        assert await conn.fetchval("SELECT sum(cases) FROM division_counts") == 1
        api.app[TILES].cache.forget("cases")  # as half a minute later
    assert await counted(await api.somebody(water), 12) == {WEST_CELL: 1}
    assert await counted(await api.somebody(a(Role.DISPATCHER)), 11) == {"620102001001": 1}


async def test_a_case_in_a_cell_that_is_no_more_is_counted_at_its_community(api: Api, drawn_city: None) -> None:
    await report(api, 103.805)
    await count(api)
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("DELETE FROM map_cells WHERE code = $1", WEST_CELL)
    assert await counted(await api.somebody(a(Role.DISPATCHER)), 12) == {"620102001001": 1}


# ---- many at once, and who goes away ------------------------------------------------------------

MAKING = "SELECT count(*) FROM pg_locks WHERE relation = 'map_cells'::regclass AND NOT granted"


async def figure(api: Api, line: str) -> float:
    said = await (await api.program("metrics:read")).get("/metrics")
    found = [each.rsplit(" ", 1)[1] for each in said.body.splitlines() if each.startswith(line + " ")]
    return float(found[0]) if found else 0.0


@pytest.fixture
async def held_up(api: Api, drawn_city: None, owner_database: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """While this is open no tile of cells can be made; commit to let them."""
    owner = await asyncpg.connect(owner_database)
    try:
        await owner.execute("BEGIN; LOCK TABLE map_cells IN ACCESS EXCLUSIVE MODE")
        yield owner
    finally:
        await owner.close()


async def test_what_many_ask_for_at_once_is_made_once(api: Api, held_up: asyncpg.Connection[Any]) -> None:
    officer, tile = await api.somebody(a(Role.OFFICER)), tile_of(*BORDER, 14)
    version = (await versions(officer))["cells"]
    asking = [asyncio.create_task(fetch(officer, "cells", tile, version)) for _ in range(20)]

    async def being_made() -> bool:
        return bool(await api.pool.fetchval(MAKING))

    await until(being_made, what="the tile to be made")
    await held_up.execute("COMMIT")
    assert {each.status for each in await asyncio.gather(*asking)} == {200}
    assert await figure(api, 'gridsvc_tiles_total{layer="cells",outcome="miss"}') == 1.0
    assert await figure(api, 'gridsvc_tile_seconds_count{layer="cells"}') == 1.0
    assert await figure(api, "gridsvc_tile_cache_bytes") > 100


async def test_who_goes_away_takes_the_statement_along_unless_another_waits(
    api: Api, held_up: asyncpg.Connection[Any]
) -> None:
    officer, tile = await api.somebody(a(Role.OFFICER)), tile_of(*BORDER, 14)
    version = (await versions(officer))["cells"]

    async def making(many: int) -> bool:
        return bool(await api.pool.fetchval(MAKING) == many)

    alone = asyncio.create_task(fetch(officer, "cells", tile_of(*BORDER, 15), version))
    first = asyncio.create_task(fetch(officer, "cells", tile, version))
    await until(lambda: making(2), what="both tiles to be made")
    second = asyncio.create_task(fetch(officer, "cells", tile, version))
    await until(lambda: joined(api, 2), what="the second to wait for the first")
    alone.cancel()
    first.cancel()
    await until(lambda: making(1), what="the statement of who was alone to end")
    await held_up.execute("COMMIT")
    assert (await second).status == 200
    assert await figure(api, 'gridsvc_tiles_total{layer="cells",outcome="gone"}') == 2.0


async def joined(api: Api, many: int) -> bool:
    return many in api.app[TILES].cache.waiting().values()


@pytest.mark.parametrize("path", ["cells/14/1.5/1.mvt", "cells/15/32768/1.mvt", "cells/23/1/1.mvt", "cells/٣/1/1.mvt",
                                  "cell/14/1/1.mvt"])  # fmt: skip
async def test_what_is_no_tile_of_the_map_is_not_there(api: Api, path: str) -> None:
    assert (await (await api.somebody(a(Role.OFFICER))).get(f"/tiles/{path}")).code == "unknown"
