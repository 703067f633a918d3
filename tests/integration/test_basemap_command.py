"""`gridsvc basemap`: the same file twice is one ground; editions lie over each other; each says whom it is from."""

from __future__ import annotations

import argparse
import json
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from gridsvc.commands import basemap as command
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.errors import SetupError
from gridsvc.settings import read_settings
from gridsvc.store import basemap
from tests.integration.api.conftest import make_city
from tests.osm_files import Way, osm_pbf

Command = Callable[..., Awaitable[int]]


def house(lon: float, **tags: str) -> Way:
    corners = [(lon, 36.055), (lon + 0.0002, 36.055), (lon + 0.0002, 36.0552), (lon, 36.0552), (lon, 36.055)]
    return Way(corners, {"building": "yes", **{name.replace("_", ":"): value for name, value in tags.items()}})


TOWN = [
    Way([(103.80, 36.055), (103.82, 36.055)], {"highway": "primary", "name": "张掖路"}),
    Way([(103.80, 36.052), (103.82, 36.052)], {"waterway": "river", "name": "黄河"}),
    Way([(103.80, 36.053), (103.82, 36.053)], {"railway": "rail"}),
    Way([(116.30, 39.90), (116.31, 39.90)], {"highway": "primary"}),  # another city
    house(103.803, height="40'"),
    house(103.804, building_levels="G+4"),
]


@pytest.fixture
async def run(database: str, owner_database: str) -> Command:
    """Runs `gridsvc basemap …` on the small city; the exit code."""
    await make_city(owner_database)
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    settings = read_settings({"GRIDSVC_DATABASE_URL": database})

    async def one(*words: str | Path) -> int:
        return await command.run(parser.parse_args(["basemap", *map(str, words)]), settings)

    return one


async def held(pool: ConnPool) -> list[tuple[str, int, int, int]]:
    async with transaction(pool, SERVICE) as (conn, _):
        return [(one.edition, one.roads, one.water, one.buildings) for one in await basemap.EDITIONS.all(conn)]


async def test_a_town_is_imported_twice_and_is_there_once(
    run: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, again = tmp_path / "town.osm.pbf", tmp_path / "overlapping.osm.pbf"
    town.write_bytes(osm_pbf(TOWN))
    again.write_bytes(osm_pbf(TOWN[:1]))
    for before in (0, 4):
        assert await run("import", town, again) == 0
        told = capsys.readouterr()
        assert told.out == (
            f"town: 1 roads, 1 water, 2 buildings; {before} features before; 1 there twice, 1 not drawn, 1 told of\n"
        )
        assert "town.osm.pbf: multipolygons, row 2 (osm_way_id 6): building:levels is 'G+4'; want storeys" in told.err
        assert await held(pool) == [("town", 1, 1, 2)]
    async with transaction(pool, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT height_m FROM basemap_features WHERE height_m IS NOT NULL") == 12.19
        assert await conn.fetchval("SELECT attribution FROM basemap_editions") == command.OPENSTREETMAP
    assert await run("import", town, "--everywhere") == 0
    assert await held(pool) == [("town", 2, 1, 2)]


async def test_another_source_lies_over_it_and_is_taken_off_again(
    run: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    town, survey = tmp_path / "town.osm.pbf", tmp_path / "survey.geojson"
    town.write_bytes(osm_pbf(TOWN))
    outline = {"type": "Polygon", "coordinates": [[[103.81, 36.055], [103.811, 36.055], [103.81, 36.056],
                                                   [103.81, 36.055]]]}  # fmt: skip
    rows = [{"type": "Feature", "geometry": outline, "properties": {"H": 30, "FLOOR": 10}}]
    survey.write_text(json.dumps({"type": "FeatureCollection", "features": rows}), encoding="utf-8")
    assert await run("import", town, "--edition", "osm") == 0
    with pytest.raises(SetupError, match="want --attribution"):
        await run("import", survey)
    with pytest.raises(SetupError, match=r"nothing in survey\.geojson is a road, water or a building near the city"):
        await run("import", survey, "--attribution", "Survey")
    assert await held(pool) == [("osm", 1, 1, 2)]
    fields = ("--layer", "buildings", "--height-field", "H", "--levels-field", "FLOOR")
    assert await run("import", survey, "--attribution", "Survey", *fields) == 0
    assert await held(pool) == [("osm", 1, 1, 2), ("survey", 0, 0, 1)]
    capsys.readouterr()
    assert await run("list") == 0
    assert [line.split(";")[0] for line in capsys.readouterr().out.splitlines()] == [
        "osm: 1 roads, 1 water, 2 buildings", "survey: 0 roads, 0 water, 1 buildings",
    ]  # fmt: skip
    assert await run("remove", "osm") == 0
    assert await held(pool) == [("survey", 0, 0, 1)]
    with pytest.raises(SetupError, match="given edition 'osm'; want one of survey"):
        await run("remove", "osm")


async def test_real_ground_of_a_demo_is_read_by_the_names_of_its_columns(
    run: Command, pool: ConnPool, sample_data: Path
) -> None:
    folder, about = sample_data / "basemap/shanghai_lujiazui_osm", ("--attribution", "OSM", "--everywhere")
    assert await run("import", folder / "buildings.geojson.gz", *about, "--layer", "buildings") == 0
    assert await run("import", folder / "roads.geojson.gz", *about, "--layer", "roads", "--class-field",
                     "kind_detail") == 0  # fmt: skip
    assert await run("import", folder / "water.geojson.gz", *about, "--layer", "water", "--class-field", "kind") == 0
    counts = {edition: sum(many) for edition, *many in await held(pool)}
    assert counts["buildings"] > 900
    assert counts["roads"] > 300
    assert counts["water"] > 10
    async with transaction(pool, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT max(height_m) FROM basemap_features") > 400
