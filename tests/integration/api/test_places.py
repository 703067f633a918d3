"""Places by words over HTTP, and the command that brings landmarks and house numbers."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

from gridsvc.commands import gazetteer as command
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.access import Role
from gridsvc.errors import SetupError
from gridsvc.settings import read_settings
from tests.integration.api.conftest import Api, a

Command = Callable[..., Awaitable[int]]

EXAMPLES = Path(__file__).parents[3] / "docs/examples/gazetteer"

# Two roads that cross in the cell of NORTH.
ROADS = """
INSERT INTO basemap_editions VALUES ('test', '', now());
INSERT INTO basemap_features (edition, layer, name, kind, outline)
VALUES ('test', 'roads', '张掖路', 'primary', ST_GeomFromText('LINESTRING(103.801 36.055, 103.809 36.055)', 4326)),
       ('test', 'roads', '酒泉路', 'primary', ST_GeomFromText('LINESTRING(103.805 36.051, 103.805 36.059)', 4326))
"""


@pytest.fixture
def run(database: str, city: None) -> Command:
    """Runs `gridsvc gazetteer import …` on the city of the service; the exit code."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    settings = read_settings({"GRIDSVC_DATABASE_URL": database})

    async def one(*words: str | Path) -> int:
        return await command.run(parser.parse_args(["gazetteer", "import", *map(str, words)]), settings)

    return one


async def places(api: Api, query: str) -> list[dict[str, Any]]:
    said = await (await api.somebody(a(Role.ACCEPTOR))).get(f"/api/v1/places?{query}")
    assert said.status == 200, said.body
    items: list[dict[str, Any]] = said.body["items"]
    return items


async def test_a_crossing_of_two_roads_has_its_place_its_cell_and_a_reason(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute(ROADS)
    found = (await places(api, "q=张掖路和酒泉路交叉口"))[0]
    assert (found["kind"], found["lon"], found["lat"]) == ("crossing", 103.805, 36.055)
    assert found["cell"] == "620102001001001"
    assert [division["code"] for division in found["divisions"]][-1] == "620102001001"
    assert (found["score"], found["match"], found["why"]) == (1.0, "exact", "the crossing of 张掖路 and 酒泉路")


async def test_what_an_import_brings_is_found_at_once(api: Api, run: Command, tmp_path: Path) -> None:
    assert await places(api, "q=东方红广场") == []
    points = tmp_path / "landmarks.csv"
    points.write_text("name,lon,lat\n东方红广场,103.804,36.054\n", encoding="utf-8")
    assert await run(points, "--datum", "wgs84") == 0
    found = (await places(api, "q=dongfanghong guangchang"))[0]
    assert (found["name"], found["match"], found["cell"]) == ("东方红广场", "sounds_like", "620102001001001")


async def test_the_example_file_imports_and_the_same_source_is_replaced(
    run: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(EXAMPLES / "points.csv", "--datum", "wgs84") == 0
    assert "points: 4 points imported, 0 before" in capsys.readouterr().out
    (tmp_path / "fewer.csv").write_text("name,lon,lat\n学校,103.8005,36.0605\n", encoding="utf-8")
    assert await run(tmp_path / "fewer.csv", "--datum", "wgs84", "--source", "points") == 0
    assert "points: 1 points imported, 4 before" in capsys.readouterr().out
    async with transaction(pool) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM gazetteer_points") == 1


async def test_one_bad_row_refuses_the_file_unless_the_good_ones_are_asked_for(
    run: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    points = tmp_path / "p.csv"
    points.write_text("name,lon,lat\n学校,103.8005,36.0605\n,103.8005,36.0605\n", encoding="utf-8")
    assert await run(points, "--datum", "wgs84") == 1
    assert "p.csv, row 3, field name" in capsys.readouterr().err
    async with transaction(pool) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM gazetteer_points") == 0
    assert await run(points, "--datum", "wgs84", "--partial") == 1
    async with transaction(pool) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM gazetteer_points") == 1


async def test_a_file_that_is_not_there_says_so(run: Command, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        await run(tmp_path / "nothing.csv", "--datum", "wgs84")


async def test_near_needs_its_datum_and_words_must_be_words(api: Api) -> None:
    somebody = await api.somebody(a(Role.ACCEPTOR))
    assert (await somebody.get("/api/v1/places?q=x&near=103.8,36.05")).code == "bad_location"
    assert (await somebody.get("/api/v1/places")).code == "bad_request"
    assert (await somebody.get("/api/v1/places?q=")).code == "bad_request"
    assert (await api.nobody.get("/api/v1/places?q=x")).code == "not_signed_in"
