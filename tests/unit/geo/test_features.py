"""Lines and areas of files: OpenStreetMap's own formats, other frames, what is left out and why."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import shapely

from geo.datum import Datum
from geo.features import Feature, FeatureReading, Unfit, UnreadableFeatures, read_features
from geo.place import Bounds
from tests.osm_files import Way, osm_pbf, osm_xml

HOUSE = [(103.80, 36.05), (103.801, 36.05), (103.801, 36.051), (103.80, 36.051), (103.80, 36.05)]
WAYS = [
    Way([(103.80, 36.05), (103.81, 36.05)], {"highway": "primary", "name": '张掖路 "A"', "lanes": "4"}),
    Way(HOUSE, {"building": "apartments", "height": "33 m", "building:levels": "11"}),
]


def read(path: Path, **how: Any) -> list[Feature | Unfit]:
    return list(read_features(path, FeatureReading(**how), lambda done, of: None))


@pytest.mark.parametrize(("name", "write"), [("city.osm", osm_xml), ("city.osm.pbf", osm_pbf)])
def test_openstreetmap_is_read_with_every_tag(tmp_path: Path, name: str, write: Callable[[list[Way]], bytes]) -> None:
    (tmp_path / name).write_bytes(write(WAYS))
    road, house = read(tmp_path / name)
    assert isinstance(road, Feature)
    assert isinstance(house, Feature)
    assert (road.layer, road.area, road.fields["highway"], road.fields["lanes"]) == ("lines", False, "primary", "4")
    assert road.fields["name"] == '张掖路 "A"'
    assert shapely.get_coordinates(road.shape).tolist() == [[103.80, 36.05], [103.81, 36.05]]
    assert (house.layer, house.area) == ("multipolygons", True)
    assert (house.fields["height"], house.fields["building:levels"]) == ("33 m", "11")
    assert shapely.equals(house.shape, shapely.Polygon(HOUSE))


def geojson(*features: tuple[dict[str, Any] | None, dict[str, Any]], crs: str | None = None) -> bytes:
    whole: dict[str, Any] = {
        "type": "FeatureCollection",
        "features": [{"type": "Feature", "geometry": shape, "properties": fields} for shape, fields in features],
    }
    if crs:
        whole["crs"] = {"type": "name", "properties": {"name": crs}}
    return json.dumps(whole, ensure_ascii=False).encode()


LINE = {"type": "LineString", "coordinates": [[103.80, 36.05], [103.81, 36.05]]}


def test_what_has_no_shape_or_no_degrees_is_named_and_a_point_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "mixed.geojson"
    bow = {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}
    path.write_bytes(
        geojson(
            ({"type": "Point", "coordinates": [103.8, 36]}, {}), (None, {}), (LINE, {"tags": {"highway": "path"}}),
            ({"type": "LineString", "coordinates": [[35488000, 3990000], [35489000, 3990000]]}, {}), (bow, {"n": 2.0}),
        )
    )  # fmt: skip
    nothing, line, far, mended = read(path)
    assert (isinstance(nothing, Unfit) and nothing.row, isinstance(far, Unfit) and far.row) == (2, 4)
    assert isinstance(far, Unfit)
    assert "--crs" in far.why
    assert isinstance(line, Feature)
    assert line.fields["highway"] == "path"
    assert isinstance(mended, Feature)
    assert (mended.area, mended.fields["n"], len(shapely.get_parts(mended.shape))) == (True, "2", 2)


def test_metres_and_a_domestic_datum_become_wgs84(tmp_path: Path) -> None:
    metres = {"type": "LineString", "coordinates": [[500_000, 3_990_000], [500_100, 3_990_000]]}
    path = tmp_path / "metres.geojson"
    path.write_bytes(geojson((metres, {}), crs="urn:ogc:def:crs:EPSG::4544"))
    (line,) = read(path)
    assert isinstance(line, Feature)
    assert shapely.get_coordinates(line.shape)[0] == pytest.approx((105.0, 36.036), abs=0.01)
    path.write_bytes(geojson((LINE, {})))
    (moved,) = read(path, datum=Datum.GCJ02)
    assert isinstance(moved, Feature)
    assert 0.001 < 103.80 - shapely.get_coordinates(moved.shape)[0][0] < 0.004


def test_what_lies_beyond_the_box_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "roads.geojson.gz"
    path.write_bytes(gzip.compress(geojson((LINE, {}))))
    assert len(read(path, box=Bounds(103, 35, 104, 37))) == 1
    assert read(path, box=Bounds(110, 35, 111, 37)) == []


def test_a_file_that_is_none_says_what_is_wanted(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFeatures, match="is not there"):
        read(tmp_path / "none.osm.pbf")
    (tmp_path / "words.osm.pbf").write_bytes(b"these are words")
    with pytest.raises(UnreadableFeatures, match=r"cannot be read.*want GeoJSON"):
        read(tmp_path / "words.osm.pbf")
    (tmp_path / "line.geojson").write_bytes(geojson((LINE, {})))
    with pytest.raises(UnreadableFeatures, match="no layer 'roads'"):
        read(tmp_path / "line.geojson", table="roads")
    with pytest.raises(UnreadableFeatures, match="no frame that is known"):
        read(tmp_path / "line.geojson", crs="EPSG:0")
