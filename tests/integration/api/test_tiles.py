"""Vector tiles of components, read back by GDAL."""

from __future__ import annotations

from pathlib import Path

import geopandas
import pytest

from geo.tile import Tile, tile_of
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from tests.integration.api.conftest import Api, Said, a

# A hundred by two hundred lamps, 20 000 in all, 9 m apart eastward and 6 m northward.
REGISTER = """
INSERT INTO components (code, name, state, owning, owner_unknown, note, place, surveyed_x, surveyed_y,
                        surveyed_frame, version, changed_at)
SELECT '6201020137' || lpad((row * 100 + col)::text, 6, '0'), '路灯', 'intact', 'lamps', false, '',
       ST_SetSRID(ST_MakePoint(103.8 + col * 0.0001, 36.05 + row * 0.00005), 4326),
       103.8 + col * 0.0001, 36.05 + row * 0.00005, 'wgs84', 1, '2026-01-01'::timestamptz
  FROM generate_series(0, 99) AS col, generate_series(0, 199) AS row
"""
MANY = 20_000


@pytest.fixture
async def register(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute(REGISTER)


async def ask(api: Api, tile: Tile, **headers: str) -> tuple[int, bytes, Said]:
    somebody = await api.somebody(a(Role.OFFICER))
    path = f"/tiles/components/{tile.z}/{tile.x}/{tile.y}.mvt"
    async with api.http.get(api.url + path, headers={**somebody.headers, **headers}) as answer:
        body = await answer.read()
        return answer.status, body, Said(answer.status, None, answer.headers.copy(), {})


def opened(folder: Path, tile: Tile, body: bytes) -> geopandas.GeoDataFrame:
    path = folder / str(tile.z) / str(tile.x) / f"{tile.y}.mvt"
    path.parent.mkdir(parents=True)
    path.write_bytes(body)
    return geopandas.read_file(path, engine="pyogrio", layer="components").to_crs("EPSG:4326")


async def test_every_component_of_a_tile_is_drawn_where_it_stands(api: Api, register: None, tmp_path: Path) -> None:
    tile = tile_of(103.805, 36.055, 17)
    status, body, said = await ask(api, tile)
    assert (status, said.headers["Content-Type"]) == (200, "application/vnd.mapbox-vector-tile")
    drawn = opened(tmp_path, tile, body)
    assert set(drawn.columns) >= {"code", "class", "name", "state", "owner_unknown"}
    async with transaction(api.pool, SERVICE) as (conn, _):
        box = tile.bounds()
        inside = await conn.fetch(
            "SELECT code, ST_X(place) AS lon, ST_Y(place) AS lat FROM components"
            " WHERE place && ST_MakeEnvelope($1, $2, $3, $4, 4326)",
            box.west, box.south, box.east, box.north,
        )  # fmt: skip
    assert len(inside) > 500
    at = {row["code"]: (point.x, point.y) for row, point in zip(drawn.to_dict("records"), drawn.geometry, strict=True)}
    assert {row["code"] for row in inside} <= set(at)
    for row in inside:  # a tile of 305 m has 4096 units: 7 cm each
        assert at[row["code"]] == pytest.approx((row["lon"], row["lat"]), abs=2e-6)


async def test_on_middle_zooms_squares_count_each_component_once(api: Api, register: None, tmp_path: Path) -> None:
    first, counted = tile_of(103.8, 36.06, 14), 0
    for x in (0, 1):
        for y in (0, 1):
            tile = Tile(14, first.x + x, first.y + y)
            status, body, _ = await ask(api, tile)
            if status == 200:
                drawn = opened(tmp_path, tile, body)
                assert len(drawn) <= 64
                counted += int(drawn["point_count"].sum())
    assert counted == MANY


ONE = """
INSERT INTO components (code, name, state, owner_unknown, note, place, surveyed_x, surveyed_y, surveyed_frame, version,
                        changed_at)
VALUES ('6201020137000001', '路灯', 'intact', false, '', ST_SetSRID(ST_MakePoint($1, $2), 4326), $1, $2, 'wgs84', 1,
        '2026-01-01'::timestamptz)
"""


async def test_what_stands_on_the_line_between_two_tiles_counts_in_the_eastern_alone(api: Api) -> None:
    west = tile_of(103.8, 36.06, 14)
    box = west.bounds()
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute(ONE, box.east, (box.south + box.north) / 2)
    assert [(await ask(api, tile))[0] for tile in (west, Tile(14, west.x + 1, west.y))] == [204, 200]


async def test_far_out_and_where_nothing_stands_a_tile_is_empty(api: Api, register: None) -> None:
    for tile in (tile_of(103.805, 36.055, 10), tile_of(104.5, 36.055, 16), Tile(0, 0, 0)):
        status, body, _ = await ask(api, tile)
        assert (status, body) == (204, b"")


async def test_a_tile_that_the_browser_has_is_not_sent_again_until_the_register_changes(
    api: Api, register: None
) -> None:
    tile = tile_of(103.805, 36.055, 16)
    _, _, first = await ask(api, tile)
    status, body, _ = await ask(api, tile, **{"If-None-Match": first.headers["ETag"]})
    assert (status, body) == (304, b"")
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE components SET state = 'lost'")
    status, _, second = await ask(api, tile, **{"If-None-Match": first.headers["ETag"]})
    assert status == 200
    assert second.headers["ETag"] != first.headers["ETag"]


@pytest.mark.parametrize("path", ["lamps/15/1/1.mvt", "components/15/99999/1.mvt", "components/a/1/1.mvt",
                                  "components/99/1/1.mvt", "components/15/-1/1.mvt"])  # fmt: skip
async def test_what_is_no_tile_is_not_there(api: Api, path: str) -> None:
    assert (await (await api.somebody(a(Role.OFFICER))).get(f"/tiles/{path}")).code == "unknown"
