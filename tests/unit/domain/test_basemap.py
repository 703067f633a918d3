"""What is drawn of a thing on the ground, by its tags: the tables of docs/basemap.md, and heights as people write."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from gridsvc.domain.basemap import ROADS, WATER, Columns, Ground, ground_of

OSM = Columns()
PAGE = (Path(__file__).parents[3] / "docs/basemap.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("tags", "area", "drawn"),
    [
        ({"highway": "trunk_link", "name": "北滨河路"}, False, Ground("roads", "motorway", "北滨河路")),
        ({"highway": "footway"}, False, Ground("roads", "path", "")),
        ({"highway": "proposed"}, False, None),
        ({"highway": "pedestrian"}, True, None),  # a square is no line
        ({"natural": "water", "water": "river", "name": "黄河"}, True, Ground("water", "river", "黄河")),
        ({"natural": "water"}, True, Ground("water", "water", "")),
        ({"waterway": "stream"}, False, Ground("water", "stream", "")),
        ({"waterway": "dam"}, False, None),
        ({"landuse": "reservoir"}, True, Ground("water", "reservoir", "")),
        ({"landuse": "forest"}, True, None),
        ({"building": "yes"}, True, Ground("buildings", "yes", "")),
        ({"building": "no"}, True, None),
        ({"building": "yes"}, False, None),  # a wall that was never closed
        ({"amenity": "school"}, True, None),
    ],
)
def test_what_a_thing_is(tags: dict[str, str], area: bool, drawn: Ground | None) -> None:
    assert ground_of(tags, area=area, columns=OSM) == (drawn, [])


@pytest.mark.parametrize(
    ("tags", "height_m", "levels"),
    [
        ({}, None, None),
        ({"height": "12"}, 12.0, None),
        ({"height": "12,5 m"}, 12.5, None),
        ({"height": "33米"}, 33.0, None),
        ({"height": "40'"}, 12.19, None),
        ({"height": "40' 6\""}, 12.34, None),
        ({"height": "100 ft"}, 30.48, None),
        ({"building:levels": "6"}, 18.0, 6),
        ({"building:levels": "2.5"}, 9.0, 3),  # a floor under the roof is a floor
        ({"building:levels": "6", "height": "20"}, 20.0, 6),  # who measured knows better
    ],
)
def test_how_high_a_building_is(tags: dict[str, str], height_m: float | None, levels: int | None) -> None:
    ground, unread = ground_of({"building": "yes", **tags}, area=True, columns=OSM)
    assert (ground, unread) == (Ground("buildings", "yes", "", height_m, levels), [])


@pytest.mark.parametrize(
    ("field", "text"),
    [("height", "high"), ("height", "-3"), ("height", "0"), ("height", "8848"), ("height", "nan"),
     ("building:levels", "G+4"), ("building:levels", "0"), ("building:levels", "1e9"), ("building:levels", "500")],
)  # fmt: skip
def test_a_height_that_is_none_is_told_and_the_building_stands_without(field: str, text: str) -> None:
    ground, unread = ground_of({"building": "yes", field: text}, area=True, columns=OSM)
    assert ground == Ground("buildings", "yes", "")
    assert [(each.field, each.given) for each in unread] == [(field, text)]


def test_columns_of_other_files_are_read_by_the_names_that_are_given() -> None:
    survey = Columns(layer="buildings", kind="USE", name="NAME", height="H", levels="FLOOR")
    tags = {"USE": "Office", "NAME": "大厦", "H": "99", "FLOOR": "30", "highway": "primary"}
    assert ground_of(tags, area=True, columns=survey)[0] == Ground("buildings", "office", "大厦", 99.0, 30)
    roads = Columns(layer="roads", kind="kind_detail")
    assert ground_of({"kind_detail": "tertiary"}, area=False, columns=roads)[0] == Ground("roads", "secondary", "")
    assert ground_of({"kind_detail": "rail"}, area=False, columns=roads)[0] is None
    assert ground_of({}, area=False, columns=Columns(layer="roads"))[0] == Ground("roads", "residential", "")
    assert ground_of({}, area=True, columns=Columns(layer="water"))[0] == Ground("water", "water", "")


@pytest.mark.parametrize(("layer", "table"), [("highway", ROADS), ("water", WATER)])
def test_the_page_has_every_row_of_the_tables(layer: str, table: dict[str, str]) -> None:
    for kind in sorted(set(table.values())):
        (row,) = [line for line in PAGE.splitlines() if re.match(rf"\| `{kind}` \| {layer}", line)]
        assert set(re.findall(r"`([a-z_]+)`", row.split("|", 3)[3])) == {word for word in table if table[word] == kind}
