"""A grid set from an outline file to being in force, by the command line."""

from __future__ import annotations

import argparse
import json
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import shapely

from geo.place import Place
from geo.projection import area_m2
from gridsvc.actions.publish_grid import publish_grid
from gridsvc.commands import grid
from gridsvc.db import ConnPool, city_now, transaction
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.settings import read_settings
from gridsvc.store import grids
from gridsvc.store.cells import Wanted, bounds_at, locator_for, owners_of

Command = Callable[..., Awaitable[int]]


@pytest.fixture
def command(database: str) -> Command:
    """Runs `gridsvc grid …` on the test's own database; the exit code."""
    parser = argparse.ArgumentParser()
    grid.add(parser.add_subparsers())
    settings = read_settings({"GRIDSVC_DATABASE_URL": database})

    async def run(*words: str | Path) -> int:
        return await grid.run(parser.parse_args(["grid", *map(str, words)]), settings)

    return run


def file_of(folder: Path, cells: Mapping[str, shapely.Geometry]) -> Path:
    path = folder / f"{len(list(folder.iterdir()))}.geojson"
    features = [
        {"type": "Feature", "properties": {"code": code}, "geometry": json.loads(shapely.to_geojson(shape))}
        for code, shape in cells.items()
    ]
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    return path


def square(column: int, row: int = 0, width: float = 1) -> shapely.Polygon:
    return shapely.box(103.8 + column * 0.001, 36 + row * 0.001, 103.8 + (column + width) * 0.001, 36.001 + row * 0.001)


AS_CELLS = ("--layer", "cells", "--code-field", "code", "--scheme", "free", "--division", "LZ=Lanzhou")


async def held(pool: ConnPool, name: str) -> grids.GridSet | None:
    async with transaction(pool) as (conn, _):
        return await grids.set_named(conn, name)


async def test_cells_become_a_set_that_owns_places(command: Command, pool: ConnPool, tmp_path: Path) -> None:
    file = file_of(tmp_path, {"1": square(0), "2": square(1)})
    assert await command("import", file, "--set", "first", *AS_CELLS) == 0
    async with transaction(pool) as (conn, now):
        assert await owners_of(conn, [Wanted(Place(103.8005, 36.0005), "city")], now) == [None]  # a draft owns nothing
    assert await command("publish", "--set", "first") == 0
    async with transaction(pool) as (conn, now):
        (owner,) = await owners_of(conn, [Wanted(Place(103.8005, 36.0005), "city")], now)
        assert owner is not None
        assert (owner.cell_code, owner.divisions) == ("1", ("LZ",))
        found = await bounds_at(conn, now)
        assert found is not None
        assert (found[1].west, found[1].north) == (103.8, 36.001)


async def test_a_file_with_one_bad_row_leaves_nothing_behind(
    command: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_of(tmp_path, {"1": square(0), "2": square(0, width=1.5)})
    report = tmp_path / "defects.geojson"
    assert await command("import", file, "--set", "first", *AS_CELLS, "--defects", report) == 1
    assert await held(pool, "first") is None
    assert "refused: overlap: row 1 at 103.8005" in capsys.readouterr().err
    (feature,) = json.loads(report.read_text())["features"]
    assert shapely.from_geojson(json.dumps(feature["geometry"])).area == pytest.approx(square(0).area)


async def test_a_draft_grows_but_never_overlaps_itself(command: Command, pool: ConnPool, tmp_path: Path) -> None:
    assert await command("import", file_of(tmp_path, {"1": square(0)}), "--set", "first", *AS_CELLS) == 0
    more = ("--set", "first", "--layer", "cells", "--code-field", "code", "--division", "LZ")
    assert await command("import", file_of(tmp_path, {"2": square(1)}), *more) == 0
    assert await command("import", file_of(tmp_path, {"3": square(1, width=2)}), *more) == 1
    assert await command("import", file_of(tmp_path, {"2": square(5)}), *more) == 1  # its code is taken
    grown = await held(pool, "first")
    assert grown is not None
    assert (grown.cells, grown.changes) == (2, 2)


async def test_a_cell_needs_a_division_of_the_set(
    command: Command, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = file_of(tmp_path, {"620102000001": square(0)})
    words = ("import", file, "--set", "first", "--layer", "cells", "--code-field", "code", "--scheme", "6+6")
    assert await command(*words) == 1
    assert "unknown_division: row 1: its division 620102 is not in the set" in capsys.readouterr().err


async def test_divisions_find_their_parents(command: Command, pool: ConnPool, tmp_path: Path) -> None:
    file = file_of(tmp_path, {"620102001": square(0), "620102": square(0, width=2), "620102002": square(1)})
    words = ("--layer", "divisions", "--code-field", "code", "--division", "620100=兰州市")
    assert await command("import", file, "--set", "first", *words) == 0
    draft = await held(pool, "first")
    assert draft is not None
    async with transaction(pool) as (conn, _):
        paths = {d.code: (d.level, d.path) for d in await grids.divisions_of(conn, draft.id)}
    assert paths == {
        "620100": ("city", ["620100"]),
        "620102": ("district", ["620100", "620102"]),
        "620102001": ("street", ["620100", "620102", "620102001"]),
        "620102002": ("street", ["620100", "620102", "620102002"]),
    }


async def test_what_is_published_does_not_change_any_more(command: Command, tmp_path: Path) -> None:
    await command("import", file_of(tmp_path, {"1": square(0)}), "--set", "first", *AS_CELLS)
    await command("publish", "--set", "first")
    with pytest.raises(SetupError, match="first is published"):
        await command("import", file_of(tmp_path, {"2": square(1)}), "--set", "first", *AS_CELLS)
    with pytest.raises(SetupError, match="first is published"):
        await command("publish", "--set", "first")


async def test_a_set_that_overlaps_cannot_be_published(command: Command, pool: ConnPool, tmp_path: Path) -> None:
    await command("import", file_of(tmp_path, {"1": square(0)}), "--set", "first", *AS_CELLS)
    draft = await held(pool, "first")
    assert draft is not None
    async with transaction(pool) as (conn, _):
        await grids.add_cells(conn, draft.id, [grids.Cell("2", "", "LZ", 1.0, square(0, width=3))])
    with pytest.raises(ImportRefused) as refused:
        await publish_grid(pool, "first")
    assert [d.code for d in refused.value.defects if d.refuses] == ["overlap"]
    assert await command("check", "--set", "first") == 1


async def test_an_empty_set_cannot_be_published(command: Command, tmp_path: Path) -> None:
    file = file_of(tmp_path, {"620102": square(0)})
    await command("import", file, "--set", "first", "--layer", "divisions", "--code-field", "code")
    assert await command("publish", "--set", "first") == 1


async def test_a_later_set_takes_over_at_its_hour_and_can_be_taken_back(
    command: Command, pool: ConnPool, tmp_path: Path
) -> None:
    async with transaction(pool) as (_, now):
        later = now + timedelta(days=1)
    for name, start in (("old", None), ("new", later)):
        await command("import", file_of(tmp_path, {name: square(0)}), "--set", name, *AS_CELLS)
        await publish_grid(pool, name, start)

    async def owner(at: datetime) -> str:
        async with transaction(pool) as (conn, _):
            (found,) = await owners_of(conn, [Wanted(Place(103.8005, 36.0005), "city")], at)
            assert found is not None
            return found.cell_code

    async with transaction(pool) as (conn, _):
        assert await owner(await city_now(conn)) == "old"
    assert await owner(later) == "new"
    assert await command("rollback") == 0
    assert await owner(later) == "old"
    with pytest.raises(SetupError, match="none to go back to"):
        await command("rollback")
    assert await owner(later) == "old"


async def test_what_was_decided_stays_decided(command: Command, pool: ConnPool, tmp_path: Path) -> None:
    for name in ("old", "new"):
        await command("import", file_of(tmp_path, {name: square(0)}), "--set", name, *AS_CELLS)
    await publish_grid(pool, "old", datetime(2020, 1, 1, tzinfo=UTC))  # the first may begin in the past
    with pytest.raises(SetupError, match="or later"):
        await publish_grid(pool, "new", datetime(2021, 1, 1, tzinfo=UTC))


async def test_cells_are_cut_and_grouped_into_beats(
    command: Command, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    districts = {"620102": square(0, width=12), "620103": square(0, 1, width=12)}
    file = file_of(tmp_path, districts)
    words = ("--layer", "divisions", "--code-field", "code", "--scheme", "6+6")
    assert await command("import", file, "--set", "first", *words) == 0
    assert await command("make-cells", "--set", "first", "--inside", "district") == 0
    with pytest.raises(SetupError, match="has cells already"):
        await command("make-cells", "--set", "first", "--inside", "district", "--codes", "620102")
    with pytest.raises(SetupError, match="want one that exists"):
        await command("beats", "--set", "first", "--duty-line", "city")
    async with transaction(pool) as (conn, _):
        await conn.execute("INSERT INTO duty_lines VALUES ('city', '城管', '', 'city_management')")
    assert await command("beats", "--set", "first", "--duty-line", "city", "--cells-per-beat", "5") == 0
    assert await command("publish", "--set", "first") == 0
    made = await held(pool, "first")
    assert made is not None
    async with transaction(pool) as (conn, now):
        cells = await grids.cells_of(conn, made.id)
        middles = shapely.get_coordinates(shapely.point_on_surface([c.outline for c in cells]))
        asked = [Wanted(Place(lon, lat), "city") for lon, lat in middles.tolist()]
        owners = await owners_of(conn, asked, now)
    assert [o.cell_code for o in owners if o] == [c.code for c in cells]
    assert all(o and o.beat_code and o.beat_code.startswith(o.division_code + "B") for o in owners)
    assert sum(c.area_m2 for c in cells) == pytest.approx(sum(map(area_m2, districts.values())), rel=1e-9)
    assert "it can be published" not in capsys.readouterr().out
    assert await command("list") == 0
    assert f"first: in force from {made.valid_from.isoformat() if made.valid_from else ''}" in capsys.readouterr().out


async def test_beats_from_a_file_take_the_cells_within(command: Command, pool: ConnPool, tmp_path: Path) -> None:
    async with transaction(pool) as (conn, _):
        await conn.execute("INSERT INTO duty_lines VALUES ('city', '城管', '', 'city_management')")
    await command("import", file_of(tmp_path, {str(n): square(n) for n in range(4)}), "--set", "first", *AS_CELLS)
    beats = file_of(tmp_path, {"west": square(0, width=2), "east": square(2)})
    words = ("--set", "first", "--layer", "beats", "--code-field", "code", "--duty-line", "city")
    assert await command("import", beats, *words) == 0
    assert await command("publish", "--set", "first") == 0
    async with transaction(pool) as (conn, now):
        asked = [Wanted(Place(103.8005 + n * 0.001, 36.0005), "city") for n in range(4)]
        assert [o.beat_code for o in await owners_of(conn, asked, now) if o] == ["west", "west", "east", None]


# -------------------------------------------------------------------------------- real cities


LANZHOU = (
    "--layer", "divisions", "--set", "lanzhou", "--scheme", "6+6", "--datum", "gcj02", "--code-field", "adcode",
    "--name-field", "name", "--level-field", "level", "--parent-field", "parent", "--division", "620100=兰州市",
)  # fmt: skip


async def test_lanzhou_comes_into_force(
    command: Command, pool: ConnPool, sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sample_data / "boundaries/lanzhou_districts.gcj02.json"
    assert await command("import", file, *LANZHOU) == 1
    assert await held(pool, "lanzhou") is None
    assert "invalid: row 5 at 102.83" in capsys.readouterr().err
    assert await command("import", file, *LANZHOU, "--repair") == 0
    told = capsys.readouterr().err
    assert "repaired: row 5" in told
    assert "hole: at 102.83" in told
    assert await command("make-cells", "--set", "lanzhou", "--inside", "district", "--codes", "620105") == 0
    assert await command("publish", "--set", "lanzhou") == 0
    lanzhou = await held(pool, "lanzhou")
    assert lanzhou is not None
    assert (lanzhou.divisions, lanzhou.cells) == (9, 8_323)
    async with transaction(pool) as (conn, now):
        cells = await grids.cells_of(conn, lanzhou.id)
        (owner,) = await owners_of(conn, [Wanted(Place(103.719, 36.104), "city")], now)
        locator = await locator_for(conn, lanzhou.id)
    assert owner is not None
    assert owner.divisions == ("620100", "620105")
    assert locator.locate(Place(103.719, 36.104)) is not None
    assert sum(c.area_m2 for c in cells) == pytest.approx(82.09e6, rel=0.001)
    assert [c.code for c in cells] == [f"620105{n:06d}" for n in range(1, 8_324)]
    areas = sorted(c.area_m2 for c in cells)
    assert areas[len(areas) // 2] == pytest.approx(10_000, rel=0.001)


async def test_the_police_divisions_of_los_angeles_are_accepted_with_warnings(
    command: Command, pool: ConnPool, sample_data: Path, tmp_path: Path
) -> None:
    file, report = sample_data / "boundaries/lapd_divisions.geojson", tmp_path / "defects.geojson"
    words = ("--layer", "cells", "--code-field", "PREC", "--name-field", "APREC", "--scheme", "free")
    told = ("--division", "LA=Los Angeles", "--defects", report)
    assert await command("import", file, "--set", "lapd", *words, *told) == 0
    defects = [feature["properties"] for feature in json.loads(report.read_text())["features"]]
    slivers = [d for d in defects if d["kind"] == "sliver_overlap"]
    assert len(slivers) == 14
    assert 1.2 < max(d["area_m2"] for d in slivers) < 1.3
    assert max(d["area_m2"] for d in defects if d["kind"] == "hole") > 25e6
    assert await command("publish", "--set", "lapd") == 0
    published = await held(pool, "lapd")
    assert published is not None
    assert published.cells == 21


async def test_the_neighbourhood_councils_are_refused_with_each_overlap_named(
    command: Command, pool: ConnPool, sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sample_data / "boundaries/la_neighborhood_councils_overlapping.geojson"
    words = ("--layer", "cells", "--code-field", "nc_id", "--scheme", "free", "--division", "LA=Los Angeles")
    assert await command("import", file, "--set", "nc", *words) == 1
    refused = [line for line in capsys.readouterr().err.splitlines() if line.startswith("refused: ")]
    assert sum("overlap: row" in line for line in refused) == 123
    assert sum("invalid: row 35" in line for line in refused) == 1
    assert await held(pool, "nc") is None


async def test_amsterdam_without_its_frame_is_refused_with_the_likely_cause(
    command: Command, pool: ConnPool, sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = sample_data / "boundaries/amsterdam_centrum_epsg28992.json"
    words = ("--layer", "cells", "--code-field", "code", "--scheme", "free", "--division", "A=Amsterdam")
    assert await command("import", file, "--set", "a", *words) == 1
    told = capsys.readouterr().err
    assert "missing_crs" in told
    assert "EPSG:28992" in told
    assert await command("import", file, "--set", "a", *words, "--crs", "EPSG:28992") == 0
    assert await command("publish", "--set", "a") == 0
    async with transaction(pool) as (conn, now):
        (owner,) = await owners_of(conn, [Wanted(Place(4.9, 52.37), "city")], now)
    assert owner is not None
    assert owner.cell_code == "A"
