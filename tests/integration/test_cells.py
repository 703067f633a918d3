"""The owner of a place by SQL, and that memory is of the same mind."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import shapely

from geo.boundaries import Reading, read_outlines
from geo.cells import cut_cells
from geo.locator import Found, Locator
from geo.place import Bounds, Place
from geo.projection import fitting_plane
from gridsvc.db import Conn, city_now
from gridsvc.store import grids
from gridsvc.store.cells import Owner, Wanted, bounds_at, cell, division_names, locator_for, owners_of

BOX = Bounds(103.70, 36.00, 103.73, 36.02)
AGO = datetime(2020, 1, 1, tzinfo=UTC)

# Irregular, as outlines are, with a lake in it.
OUTLINE = shapely.Polygon(
    [
        (103.7003, 36.0004),
        (103.7295, 36.0011),
        (103.7271, 36.0107),
        (103.7298, 36.0196),
        (103.7111, 36.0179),
        (103.7, 36.02),
    ],
    [[(103.712, 36.007), (103.7163, 36.0068), (103.7158, 36.0109), (103.7124, 36.0101)]],
)


async def a_set(conn: Conn, shapes: dict[str, shapely.Geometry], valid_from: datetime = AGO, name: str = "one") -> int:
    """A published set with these cells in one district, of which the first is in a beat."""
    grid_set_id = await grids.add_set(conn, name, "free")
    outline = shapely.union_all(list(shapes.values()))
    city = grids.Division("620100", "兰州市", "city", None, ["620100"], 1.0, None)
    district = grids.Division("620102", "城关区", "district", "620100", ["620100", "620102"], 1.0, outline)
    await grids.add_divisions(conn, grid_set_id, [district, city])
    await grids.add_cells(
        conn, grid_set_id, [grids.Cell(code, "", "620102", 1.0, shape) for code, shape in shapes.items()]
    )
    await conn.execute("INSERT INTO duty_lines VALUES ('city', '城管', '', 'city_management') ON CONFLICT DO NOTHING")
    await grids.add_beats(conn, grid_set_id, "city", [grids.Beat("B1", "一号", "620102", [min(shapes)])])
    west, south, east, north = outline.bounds
    await grids.publish(conn, grid_set_id, valid_from, valid_from, Bounds(west, south, east, north))
    return grid_set_id


def cut(outline: shapely.Geometry = OUTLINE) -> dict[str, shapely.Geometry]:
    cells = cut_cells(outline, fitting_plane(103.7, 36.0), 100.0)
    return {f"{number:04d}": c.shape for number, c in enumerate(cells, start=1)}


def wanted(
    lons: Sequence[float], lats: Sequence[float], accuracy_m: Sequence[float | None] | None = None
) -> list[Wanted]:
    accuracies = accuracy_m or [None] * len(lons)
    return [Wanted(Place(*p), "city") for p in zip(lons, lats, accuracies, strict=True)]


def as_found(owner: Owner | None) -> Found | None:
    if owner is None:
        return None
    return Found(owner.cell_code, owner.method, owner.border, owner.neighbours, owner.distance_m)


async def assert_of_one_mind(conn: Conn, locator: Locator, asked: list[Wanted], now: datetime) -> list[Found | None]:
    in_memory = locator.locate_many(
        [w.place.lon for w in asked], [w.place.lat for w in asked], [w.place.accuracy_m for w in asked]
    )
    for start in range(0, len(asked), 2_000):
        in_sql = [as_found(o) for o in await owners_of(conn, asked[start : start + 2_000], now)]
        differ = [(w.place, s, m) for w, s, m in zip(asked[start:], in_sql, in_memory[start:], strict=False) if s != m]
        assert not differ, f"{len(differ)} of {len(asked)} differ, the first: {differ[0]}"
    return in_memory


async def test_an_owner_carries_all_that_a_case_keeps(conn: Conn) -> None:
    west, east = shapely.box(103.80, 36.0, 103.81, 36.01), shapely.box(103.81, 36.0, 103.82, 36.01)
    grid_set_id = await a_set(conn, {"1": west, "2": east})
    now = await city_now(conn)
    inside, border, near, lost = await owners_of(
        conn, wanted([103.805, 103.81, 103.82015, 103.9], [36.005, 36.005, 36.005, 36.005]), now
    )
    path = ("620100", "620102")
    assert inside == Owner(grid_set_id, "1", "620102", path, "A", "B1", "covers", False, (), 0.0)
    assert border == Owner(grid_set_id, "1", "620102", path, "A", "B1", "covers", True, ("2",), 0.0)
    assert near == Owner(grid_set_id, "2", "620102", path, "A", None, "snapped", False, (), 13.524)
    assert lost is None


async def test_a_duty_line_without_a_beat_there_has_none(conn: Conn) -> None:
    await a_set(conn, {"1": shapely.box(103.80, 36.0, 103.81, 36.01)})
    (owner,) = await owners_of(conn, [Wanted(Place(103.805, 36.005), "sanitation")], await city_now(conn))
    assert owner is not None
    assert owner.beat_code is None


async def test_places_are_owned_by_the_set_in_force_at_the_moment(conn: Conn) -> None:
    now = await city_now(conn)
    shape = shapely.box(103.80, 36.0, 103.81, 36.01)
    old = await a_set(conn, {"1": shape}, now - timedelta(days=2), "old")
    new = await a_set(conn, {"7": shape}, now + timedelta(days=2), "new")
    asked = wanted([103.805], [36.005])
    for moment, expected in ((now, (old, "1")), (now + timedelta(days=3), (new, "7"))):
        (owner,) = await owners_of(conn, asked, moment)
        assert owner is not None
        assert (owner.grid_set_id, owner.cell_code) == expected
    assert await owners_of(conn, asked, now - timedelta(days=3)) == [None]
    assert await bounds_at(conn, now - timedelta(days=3)) is None


async def test_without_a_set_nobody_owns_anything(conn: Conn) -> None:
    now = await city_now(conn)
    assert await owners_of(conn, wanted([103.805], [36.005]), now) == [None]
    assert await owners_of(conn, [], now) == []
    assert await bounds_at(conn, now) is None


async def test_the_bounds_are_those_of_the_cells_written_down_or_not(conn: Conn) -> None:
    grid_set_id = await a_set(conn, {"1": shapely.box(103.80, 36.0, 103.81, 36.01)})
    now = await city_now(conn)
    expected = (grid_set_id, Bounds(103.80, 36.0, 103.81, 36.01))
    assert await bounds_at(conn, now) == expected
    await conn.execute("UPDATE grid_sets SET west = NULL, south = NULL, east = NULL, north = NULL")
    assert await bounds_at(conn, now) == expected


async def test_a_cell_and_its_divisions_are_told_by_code(conn: Conn) -> None:
    grid_set_id = await a_set(conn, {"1": shapely.box(103.80, 36.0, 103.81, 36.01)})
    detail = await cell(conn, "1", await city_now(conn))
    assert detail is not None
    assert (detail.divisions, detail.beats) == (["620100", "620102"], {"city": "B1"})
    assert detail.outline["type"] == "MultiPolygon"
    assert await cell(conn, "2", await city_now(conn)) is None
    names = await division_names(conn, grid_set_id, ["620102", "620100", "999999"])
    assert names == {"620100": ("兰州市", "city"), "620102": ("城关区", "district")}


async def test_sql_and_memory_agree_on_100_000_random_places(conn: Conn) -> None:
    grid_set_id = await a_set(conn, cut())
    locator = await locator_for(conn, grid_set_id)
    random = np.random.default_rng(20_261_123)
    lons = random.uniform(BOX.west - 0.002, BOX.east + 0.002, 100_000)
    lats = random.uniform(BOX.south - 0.002, BOX.north + 0.002, 100_000)
    accuracies = [None if a < 10 else float(a) for a in random.uniform(0, 150, 100_000)]
    asked = wanted(lons.tolist(), lats.tolist(), accuracies)
    found = await assert_of_one_mind(conn, locator, asked, await city_now(conn))
    inside = shapely.contains_xy(OUTLINE, lons, lats)
    assert all(f is not None and f.method == "covers" for f, within in zip(found, inside, strict=True) if within)
    assert 2_000 < sum(f is not None and f.method == "snapped" for f in found) < 30_000


async def test_sql_and_memory_agree_on_every_corner_and_the_middle_of_every_edge(conn: Conn) -> None:
    shapes = cut()
    grid_set_id = await a_set(conn, shapes)
    locator = await locator_for(conn, grid_set_id)
    rings = [shapely.get_coordinates(ring) for shape in shapes.values() for ring in shapely.get_rings(shape)]
    corners = np.vstack(rings)
    middles = np.vstack([(ring[:-1] + ring[1:]) / 2 for ring in rings])
    asked = wanted(*np.vstack([corners, middles]).T.tolist())
    found = await assert_of_one_mind(conn, locator, asked, await city_now(conn))
    assert all(f is not None and f.method == "covers" for f in found)
    points = shapely.points([(w.place.lon, w.place.lat) for w in asked])
    inner = [f for f, d in zip(found, shapely.distance(OUTLINE.boundary, points), strict=True) if d > 1e-6]
    assert len(inner) > 1_000
    assert all(f is not None and f.border and f.neighbours for f in inner)


async def test_sql_and_memory_agree_on_corners_and_edges_of_a_real_city(conn: Conn, sample_data: Path) -> None:
    rows = read_outlines(sample_data / "boundaries/lapd_divisions.geojson", Reading(code_field="PREC")).rows
    grid_set_id = await a_set(conn, {row.code: row.shape for row in rows})
    rings = [shapely.get_coordinates(ring) for row in rows for ring in shapely.get_rings(shapely.get_parts(row.shape))]
    at = np.vstack([*rings, *((ring[:-1] + ring[1:]) / 2 for ring in rings)])
    sample = np.random.default_rng(7).choice(at, 3_000, replace=False)
    locator = await locator_for(conn, grid_set_id)
    found = await assert_of_one_mind(conn, locator, wanted(*sample.T.tolist()), await city_now(conn))
    assert all(f is not None and f.method == "covers" for f in found)
