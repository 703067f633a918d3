"""The map: what there is, and tiles that are right at their borders, kept, shared, and let go. Read by another library."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mapbox_vector_tile
import pytest

from geo.tile import Tile, tile_of
from gridsvc.actions.prepare_map import prepare_map
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from tests.integration.api.conftest import Api, Client, a

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
