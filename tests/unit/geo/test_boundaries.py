"""Outline files as cities have them."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas
import numpy as np
import pytest
import shapely

from geo import boundaries
from geo.boundaries import Outlines, Reading, read_outlines
from geo.datum import Datum, all_from_wgs84
from geo.defects import Kind, as_geojson
from geo.place import Bounds

EAST, WEST = shapely.box(103.81, 36.0, 103.82, 36.01), shapely.box(103.80, 36.0, 103.81, 36.01)
BOW_TIE = shapely.Polygon([(103.8, 36.0), (103.81, 36.01), (103.81, 36.0), (103.8, 36.01)])


def geojson(folder: Path, *rows: tuple[Any, Any], **members: Any) -> Path:
    """A file of rows (code, geometry as shape or GeoJSON)."""
    features = [
        {
            "type": "Feature",
            "properties": {"code": code, "name": f"名 {code}"},
            "geometry": json.loads(shapely.to_geojson(shape)) if isinstance(shape, shapely.Geometry) else shape,
        }
        for code, shape in rows
    ]
    path = folder / "cells.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": features, **members}), encoding="utf-8")
    return path


def read(path: Path, **how: Any) -> Outlines:
    return read_outlines(path, Reading(**{"code_field": "code", **how}))


def kinds(outlines: Outlines) -> list[tuple[Kind, int | None]]:
    return [(defect.kind, defect.row) for defect in outlines.defects]


def test_rows_come_with_code_name_and_multipolygon(tmp_path: Path) -> None:
    outlines = read(geojson(tmp_path, ("a", WEST), (2, EAST)), name_field="name")
    assert not outlines.defects
    assert [(r.row, r.code, r.name) for r in outlines.rows] == [(1, "a", "名 a"), (2, "2", "名 2")]
    assert all(r.shape.geom_type == "MultiPolygon" for r in outlines.rows)


@pytest.mark.parametrize(
    ("why", "rows", "expected"),
    [
        ("a bow tie", [("a", WEST), ("b", BOW_TIE)], [(Kind.INVALID, 2)]),
        ("no outline", [("a", None)], [(Kind.EMPTY, 1)]),
        ("an empty outline", [("a", {"type": "Polygon", "coordinates": []})], [(Kind.EMPTY, 1)]),
        ("a line", [("a", shapely.LineString([(103.8, 36), (103.9, 36)]))], [(Kind.NOT_A_POLYGON, 1)]),
        ("a code twice", [("a", WEST), ("b", EAST), ("a", EAST)], [(Kind.DUPLICATE_CODE, 3)]),
        ("no code", [(None, WEST)], [(Kind.MISSING_CODE, 1)]),
        ("blanks for a code", [("  ", WEST)], [(Kind.MISSING_CODE, 1)]),
        ("latitude first", [("a", shapely.box(36.0, 103.8, 36.01, 103.81))], [(Kind.SWAPPED_AXES, None)]),
        ("metres in GeoJSON", [("a", shapely.box(122000, 487000, 123000, 488000))], [(Kind.WRONG_CRS, None)]),
    ],
)
def test_a_defect_refuses_and_names_its_row(
    tmp_path: Path, why: str, rows: Sequence[tuple[Any, Any]], expected: list[tuple[Kind, int | None]]
) -> None:
    outlines = read(geojson(tmp_path, *rows))
    assert kinds(outlines) == expected, why
    assert outlines.refused


def test_a_coordinate_that_is_no_number_is_refused(tmp_path: Path) -> None:
    with np.errstate(invalid="ignore"):
        shape = shapely.from_wkt("POLYGON ((103.8 36, nan 36, 103.9 36.1, 103.8 36))")
    frame = geopandas.GeoDataFrame({"code": ["a"]}, geometry=[shape], crs=4326)
    frame.to_file(tmp_path / "cells.gpkg", layer="cells")
    assert (Kind.NOT_FINITE, 1) in kinds(read(tmp_path / "cells.gpkg"))


def test_a_malformed_code_says_what_is_wanted(tmp_path: Path) -> None:
    fault = {"a": None, "b": "'b' is not 15 digits"}
    outlines = read(geojson(tmp_path, ("a", WEST), ("b", EAST)), code_fault=fault.__getitem__)
    assert kinds(outlines) == [(Kind.MALFORMED_CODE, 2)]
    assert "code: 'b' is not 15 digits" in str(outlines.defects[0])


def test_an_invalid_outline_names_its_place_and_is_mended_only_when_asked(tmp_path: Path) -> None:
    path = geojson(tmp_path, ("b", BOW_TIE))
    refused = read(path)
    assert refused.defects[0].place == pytest.approx((103.805, 36.005))
    assert refused.rows == []
    mended = read(path, repair=True)
    assert [(d.kind, d.refuses) for d in mended.defects] == [(Kind.REPAIRED, False)]
    assert mended.rows[0].shape.is_valid
    assert "in 2 parts" in mended.defects[0].message


def test_heights_are_dropped_and_told(tmp_path: Path) -> None:
    outlines = read(geojson(tmp_path, ("a", shapely.force_3d(WEST, 1520.0))))
    assert [(d.kind, d.refuses) for d in outlines.defects] == [(Kind.THREE_D, False)]
    assert not outlines.rows[0].shape.has_z


def test_a_field_that_is_not_there_names_those_that_are(tmp_path: Path) -> None:
    outlines = read(geojson(tmp_path, ("a", WEST)), name_field="title")
    assert kinds(outlines) == [(Kind.MISSING_FIELD, None)]
    assert "code, name" in outlines.defects[0].message


def test_a_layer_in_another_city_is_refused(tmp_path: Path) -> None:
    path = geojson(tmp_path, ("a", WEST))
    assert kinds(read(path, near=Bounds(4.8, 52.3, 5.0, 52.4))) == [(Kind.FAR_FROM_THE_SET, None)]
    assert kinds(read(path, near=Bounds(36.0, 103.0, 36.5, 104.0))) == [(Kind.SWAPPED_AXES, None)]
    assert not read(path, near=Bounds(103.5, 35.8, 104.2, 36.3)).refused


def test_degrees_of_a_chinese_map_are_moved_back(tmp_path: Path) -> None:
    shifted = shapely.transform(WEST, lambda at: np.column_stack(all_from_wgs84(at[:, 0], at[:, 1], Datum.GCJ02)))
    outlines = read(geojson(tmp_path, ("a", shifted)), datum=Datum.GCJ02)
    assert shapely.equals_exact(outlines.rows[0].shape.geoms[0], WEST, tolerance=1e-9)
    assert outlines.frame == "degrees of gcj02 as told"


def test_metres_of_a_stated_frame_become_degrees(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"code": ["a"]}, geometry=[WEST], crs=4326).to_crs(4544)
    frame.to_file(tmp_path / "cells.gpkg", layer="cells")
    outlines = read(tmp_path / "cells.gpkg")
    assert outlines.frame == "EPSG:4544 as the file says"
    assert shapely.equals_exact(outlines.rows[0].shape.geoms[0].normalize(), WEST.normalize(), tolerance=1e-9)
    assert kinds(read(tmp_path / "cells.gpkg", datum=Datum.GCJ02)) == [(Kind.WRONG_CRS, None)]


def test_metres_without_a_frame_name_what_to_try(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"code": ["a"]}, geometry=[WEST], crs=4326).to_crs(4523)
    frame.to_file(tmp_path / "cells.shp")
    (tmp_path / "cells.prj").unlink()
    outlines = read(tmp_path / "cells.shp")
    assert kinds(outlines) == [(Kind.MISSING_CRS, None)]
    assert "EPSG:4523 (CGCS2000, 3-degree zone 35)" in outlines.defects[0].message
    assert not read(tmp_path / "cells.shp", crs="EPSG:4523").refused
    assert kinds(read(tmp_path / "cells.shp", crs="EPSG:nothing")) == [(Kind.WRONG_CRS, None)]


@pytest.fixture
def shapefile(tmp_path: Path) -> Path:
    folder = tmp_path / "shape"
    folder.mkdir()
    rows = {"code": ["a", "b"], "name": ["城关区", "安宁区"]}
    geopandas.GeoDataFrame(rows, geometry=[WEST, EAST], crs=4326).to_file(folder / "cells.shp", encoding="gb18030")
    return folder / "cells.shp"


def zipped(folder: Path, into: Path) -> Path:
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in folder.iterdir():
            archive.write(path, f"a folder/{path.name}")
    return into


def test_a_shapefile_in_a_zip_is_read_with_its_encoding(shapefile: Path, tmp_path: Path) -> None:
    outlines = read(zipped(shapefile.parent, tmp_path / "cells.zip"), name_field="name")
    assert [r.name for r in outlines.rows] == ["城关区", "安宁区"]


def test_a_shapefile_without_its_encoding_is_not_guessed(shapefile: Path) -> None:
    shapefile.with_suffix(".cpg").unlink()
    outlines = read(shapefile, name_field="name")
    assert kinds(outlines) == [(Kind.ENCODING_UNKNOWN, 1)]
    assert "gb18030 gives '城关区'" in outlines.defects[0].message
    assert read(shapefile, name_field="name", encoding="gb18030").rows[0].name == "城关区"


def test_a_zip_that_unpacks_to_too_much_is_refused(
    shapefile: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(boundaries, "MOST_UNPACKED", 100)
    assert kinds(read(zipped(shapefile.parent, tmp_path / "bomb.zip"))) == [(Kind.UNREADABLE, None)]


def test_a_zip_with_two_data_files_is_refused_naming_them(shapefile: Path, tmp_path: Path) -> None:
    geojson(shapefile.parent, ("a", WEST))
    outlines = read(zipped(shapefile.parent, tmp_path / "two.zip"))
    assert kinds(outlines) == [(Kind.UNREADABLE, None)]
    assert "cells.geojson, cells.shp" in outlines.defects[0].message


def test_a_file_of_several_layers_wants_one_named(tmp_path: Path) -> None:
    frame = geopandas.GeoDataFrame({"code": ["a"]}, geometry=[WEST], crs=4326)
    frame.to_file(tmp_path / "cells.gpkg", layer="cells")
    frame.to_file(tmp_path / "cells.gpkg", layer="streets")
    outlines = read(tmp_path / "cells.gpkg")
    assert kinds(outlines) == [(Kind.UNREADABLE, None)]
    assert "cells, streets" in outlines.defects[0].message
    assert not read(tmp_path / "cells.gpkg", table="streets").refused


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("no.geojson", b"{"),
        ("no.json", b"[1, 2]"),
        ("no.shp", b""),
        ("no.zip", b"PK\x03\x04"),
        ("no.gpkg", b"SQLite format 3\x00"),
    ],
)
def test_what_cannot_be_read_is_refused(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    assert kinds(read(tmp_path / name)) == [(Kind.UNREADABLE, None)]


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert kinds(read(tmp_path / "nothing.geojson")) == [(Kind.UNREADABLE, None)]


def test_a_file_without_rows_is_refused(tmp_path: Path) -> None:
    assert read(geojson(tmp_path)).refused


def test_a_record_of_a_web_service_is_read_but_says_no_frame(tmp_path: Path) -> None:
    path = tmp_path / "record.json"
    path.write_text(json.dumps({"code": "A", "geometrie": json.loads(shapely.to_geojson(WEST)), "more": {"x": 1}}))
    assert kinds(read(path)) == [(Kind.MISSING_CRS, None)]
    assert read(path, crs="EPSG:4326").rows[0].code == "A"


def test_defects_can_be_laid_over_a_map(tmp_path: Path) -> None:
    outlines = read(geojson(tmp_path, ("b", BOW_TIE), ("a", None)))
    features = json.loads(as_geojson(outlines.defects))["features"]
    assert [f["properties"]["kind"] for f in features] == ["invalid", "empty"]
    assert features[0]["geometry"]["coordinates"] == pytest.approx([103.805, 36.005])
    assert features[1]["geometry"] is None


# ---------------------------------------------------------------------------- files of real cities


def test_lanzhou_is_refused_for_one_district_and_mended_when_asked(sample_data: Path) -> None:
    file = sample_data / "boundaries/lanzhou_districts.gcj02.json"
    fields = {"code_field": "adcode", "name_field": "name", "level_field": "level", "parent_field": "parent"}
    refused = read(file, datum=Datum.GCJ02, **fields)
    assert kinds(refused) == [(Kind.INVALID, 5)]
    mended = read(file, datum=Datum.GCJ02, repair=True, **fields)
    assert kinds(mended) == [(Kind.REPAIRED, 5)]
    assert [(r.code, r.name, r.level, r.parent) for r in mended.rows][4] == ("620111", "红古区", "district", "620100")
    # The same file, converted, repaired and rounded to 1e-6 degrees by others.
    known = geopandas.read_file(sample_data / "boundaries/lanzhou_districts.wgs84.geojson").geometry
    for row, other in zip(mended.rows, known, strict=True):
        assert shapely.symmetric_difference(row.shape, other).area / other.area < 1e-4


def test_amsterdam_without_its_frame_is_refused_with_the_likely_cause(sample_data: Path) -> None:
    file = sample_data / "boundaries/amsterdam_centrum_epsg28992.json"
    refused = read(file)
    assert kinds(refused) == [(Kind.MISSING_CRS, None)]
    assert "EPSG:28992 (Amersfoort / RD New)" in refused.defects[0].message
    (row,) = read(file, crs="EPSG:28992").rows
    assert shapely.covers(row.shape, shapely.Point(4.9, 52.37))
