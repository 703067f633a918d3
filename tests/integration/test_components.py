"""The register of components from a file to the database, by the command line."""

from __future__ import annotations

import argparse
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Any

import geopandas
import pytest
import shapely

from gridsvc.commands import components as command
from gridsvc.db import ConnPool, transaction
from gridsvc.errors import SetupError
from gridsvc.settings import read_settings
from gridsvc.store.components import hold_register
from tests.integration.small_city import found_small_city

Command = Callable[..., Awaitable[int]]

EXAMPLES = Path(__file__).parents[2] / "docs/examples/components"
HEAD = "code,name,state,owning,maintaining,lon,lat\n"
LAMP = "6201020137000001,路灯 01,intact,lighting,,103.8005,36.0605\n"
COVER = "6201020101000001,上水井盖,intact,water,,103.8006,36.0605\n"


@pytest.fixture
async def city(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        await found_small_city(conn)


@pytest.fixture
def run(database: str, city: None) -> Command:
    """Runs `gridsvc components import …` on a small city; the exit code."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    settings = read_settings({"GRIDSVC_DATABASE_URL": database})

    async def one(*words: str | Path) -> int:
        return await command.run(parser.parse_args(["components", "import", *map(str, words)]), settings)

    return one


def table(folder: Path, *rows: str) -> Path:
    path = folder / "register.csv"
    path.write_text(HEAD + "".join(rows), encoding="utf-8")
    return path


async def rows(pool: ConnPool, sql: str) -> list[Mapping[str, Any]]:
    async with transaction(pool) as (conn, _):
        return [dict(row) for row in await conn.fetch(sql)]


REGISTER = "SELECT code, state, owning, owner_unknown, version FROM components ORDER BY code"


@pytest.mark.parametrize("file", ["components.csv", "components.gb18030.csv"])
async def test_the_example_files_import_and_a_second_time_changes_nothing(
    run: Command, pool: ConnPool, file: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(EXAMPLES / file, "--datum", "wgs84") == 0
    assert "4 new and 0 changed components imported" in capsys.readouterr().out
    assert await run(EXAMPLES / file, "--datum", "wgs84") == 0
    assert "0 new and 0 changed components imported, 4 as before" in capsys.readouterr().out
    kept = await rows(pool, REGISTER)
    assert [(row["code"][-10:], row["owning"], row["owner_unknown"]) for row in kept] == [
        ("0101000001", "water", False), ("0102000001", None, True),
        ("0123000001", None, True), ("0137000001", "lighting", False),
    ]  # fmt: skip
    assert len(await rows(pool, "SELECT FROM component_changes")) == 4


async def test_a_preview_says_what_would_change_and_writes_nothing(
    run: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(table(tmp_path, LAMP), "--datum", "wgs84", "--preview") == 0
    assert "1 new and 0 changed components would be imported" in capsys.readouterr().out
    assert await rows(pool, REGISTER) == []


async def test_a_newer_file_leaves_a_trace_of_what_it_changed_and_lets_the_others_stand(
    run: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(table(tmp_path, LAMP, COVER), "--datum", "wgs84") == 0
    assert await run(table(tmp_path, LAMP.replace("intact", "damaged")), "--datum", "wgs84") == 0
    assert "state: 1 changed" in capsys.readouterr().out
    assert [(row["state"], row["version"]) for row in await rows(pool, REGISTER)] == [("intact", 1), ("damaged", 2)]
    traces = await rows(pool, "SELECT version, facts, source, actor FROM component_changes ORDER BY component, version")
    assert traces[-1] == {
        "version": 2, "facts": {"state": "damaged"}, "source": "register.csv", "actor": "command:components",
    }  # fmt: skip


BAD = "6.20102E+15,路灯,intact,,,103.8005,36.0605\n"


async def test_one_bad_row_refuses_the_whole_file_and_is_named(
    run: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(table(tmp_path, LAMP, BAD), "--datum", "wgs84") == 1
    said = capsys.readouterr().err
    assert "register.csv, row 3, field code: given '6.20102E+15'" in said
    assert "nothing was imported: 1 fault" in said
    assert await rows(pool, REGISTER) == []


async def test_the_good_rows_can_be_taken_alone(run: Command, pool: ConnPool, tmp_path: Path) -> None:
    assert await run(table(tmp_path, LAMP, BAD), "--datum", "wgs84", "--partial") == 1
    assert len(await rows(pool, REGISTER)) == 1


async def test_a_component_outside_every_cell_is_refused(
    run: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(table(tmp_path, LAMP.replace("103.8005", "103.81")), "--datum", "wgs84") == 1
    assert "field place: given lon 103.810000, lat 36.060500 (WGS-84), where no cell is" in capsys.readouterr().err


async def test_a_code_of_another_district_is_taken_with_a_warning(
    run: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run(table(tmp_path, LAMP.replace("620102", "620104")), "--datum", "wgs84") == 0
    assert "given '6201040137000001', which stands in 620102" in capsys.readouterr().err


@pytest.mark.parametrize(("suffix", "encoding"), [("geojson", None), ("gpkg", None), ("shp", "gb18030")])
async def test_map_files_are_read_as_they_come_gbk_tables_among_them(
    run: Command, pool: ConnPool, tmp_path: Path, suffix: str, encoding: str | None
) -> None:
    file = tmp_path / f"manholes.{suffix}"
    frame = geopandas.GeoDataFrame(
        {"ObjID": ["6201020101000001"], "ObjName": ["张掖路上水井盖"], "ObjState": ["完好"], "DeptCode2": ["供水公司"]},
        geometry=[shapely.Point(103.8005, 36.0605)], crs="EPSG:4326",
    )  # fmt: skip
    frame.to_file(file, **({"encoding": "gbk"} if encoding else {}))
    file.with_suffix(".cpg").unlink(missing_ok=True)
    words = ["--encoding", encoding] if encoding else []
    assert await run(file, "--datum", "cgcs2000", *words) == 0
    (row,) = await rows(pool, "SELECT name, owning, surveyed_frame, ST_AsText(place) AS at FROM components")
    assert row == {
        "name": "张掖路上水井盖", "owning": "water", "surveyed_frame": "cgcs2000", "at": "POINT(103.8005 36.0605)",
    }  # fmt: skip


async def test_two_imports_at_once_are_one_and_a_refusal(run: Command, pool: ConnPool, tmp_path: Path) -> None:
    async with transaction(pool) as (conn, _):
        assert await hold_register(conn)
        with pytest.raises(SetupError, match="another import of components is at work"):
            await run(table(tmp_path, LAMP), "--datum", "wgs84")
    assert await run(table(tmp_path, LAMP), "--datum", "wgs84") == 0


async def test_without_a_grid_set_no_component_lies_anywhere(database: str, tmp_path: Path) -> None:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    words = ["components", "import", str(table(tmp_path, LAMP)), "--datum", "wgs84"]
    with pytest.raises(SetupError, match="no grid set is in force"):
        await command.run(parser.parse_args(words), read_settings({"GRIDSVC_DATABASE_URL": database}))


async def test_without_a_datum_nothing_is_imported(run: Command, tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        await run(table(tmp_path, LAMP))
    assert ended.value.code == 2


async def test_a_file_that_is_none_says_so(run: Command, tmp_path: Path) -> None:
    with pytest.raises(SetupError, match="cannot be read"):
        await run(tmp_path / "nothing.gpkg", "--datum", "wgs84")
    (tmp_path / "words.csv").write_text("just words\n")
    with pytest.raises(SetupError, match="no column 'code'"):
        await run(tmp_path / "words.csv", "--datum", "wgs84")


async def test_the_service_adds_to_the_history_of_components_and_changes_nothing_in_it(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        grants = await conn.fetch(
            "SELECT privilege_type FROM information_schema.role_table_grants"
            " WHERE table_name = 'component_changes' AND grantee = 'gridsvc_app'"
        )
    assert {row["privilege_type"] for row in grants} == {"SELECT", "INSERT"}
