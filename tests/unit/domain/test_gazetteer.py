"""Places by words: what is said, and what it may mean."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st
from pypinyin import lazy_pinyin

from geo.place import Bounds, Place
from gridsvc.domain.gazetteer import LEAST, Gazetteer, Match, Meant, Named, PlaceKind, normal, syllables
from gridsvc.domain.gazetteer_file import Points, read_points

CITY = ("兰州市", "城关区")


def named(kind: PlaceKind, name: str, lon: float = 103.8, lat: float = 36.06, **more: object) -> Named:
    return Named(kind=kind, name=name, lon=lon, lat=lat, **{"divisions": CITY, **more})  # type: ignore[arg-type]


def crossing(one: str, other: str, lon: float = 103.8) -> Named:
    return named(PlaceKind.CROSSING, f"{one}/{other}", lon, roads=(one, other))


def house(road: str, number: int) -> Named:
    return named(PlaceKind.ADDRESS, f"{road}{number}号", 103.8 + number * 1e-4, roads=(road,), house=number)


NAMES = Gazetteer(
    [
        named(PlaceKind.DIVISION, "城关区", code="620102", divisions=("兰州市",)),
        named(PlaceKind.DIVISION, "七里河区", code="620103", divisions=("兰州市",)),
        named(PlaceKind.DIVISION, "张掖路街道", code="620102002"),
        named(PlaceKind.ROAD, "张掖路"),
        named(PlaceKind.ROAD, "酒泉路"),
        named(PlaceKind.ROAD, "民主路"),
        crossing("张掖路", "酒泉路"),
        crossing("民主路", "酒泉路", 103.81),
        crossing("民主路", "天水路", 103.82),
        Named(
            kind=PlaceKind.CROSSING,
            name="民主路/天水路",
            lon=103.7,
            lat=36.06,
            divisions=("兰州市", "七里河区"),
            roads=("民主路", "天水路"),
        ),
        house("张掖路", 1),
        house("张掖路", 12),
        house("张掖路", 21),
        house("张掖路", 22),
        named(PlaceKind.LANDMARK, "金河社区卫生服务中心", aliases=("金河医院",)),
        named(PlaceKind.COMPONENT, "张掖路路灯012号", code="6201020137000012", aliases=("6201020137000012",)),
    ]
)


def best(words: str, near: Place | None = None) -> Meant:
    found = NAMES.find(words, near)
    assert found, words
    return found[0]


@pytest.mark.parametrize(
    "words",
    [
        "张掖路和酒泉路交叉口",
        "酒泉路与张掖路路口",
        "张掖路酒泉路口",
        "张掖 酒泉十字",
        "张掖路/酒泉路",
        "城关区张掖路酒泉路附近",
        "zhangyelu jiuquanlu",
        "ZhangyeLu he JiuquanLu lukou",
        "张叶路与酒全路",
        "张掖路跟jiuquan路口",
    ],
)
def test_a_crossing_is_found_however_its_roads_are_joined(words: str) -> None:
    assert best(words).place.name == "张掖路/酒泉路"


@pytest.mark.parametrize(
    ("words", "name", "match"),
    [
        ("张掖路12号", "张掖路12号", Match.EXACT),
        ("张掖路 十二 号 门口", "张掖路12号", Match.EXACT),
        ("张掖路12", "张掖路12号", Match.EXACT),
        ("张掖路二十一号", "张掖路21号", Match.EXACT),
        ("zhangyelu 12 hao", "张掖路12号", Match.SOUNDS_LIKE),
        ("张掖路14号", "张掖路12号", Match.NEAREST_NUMBER),
        ("张掖路500号", "张掖路22号", Match.NEAREST_NUMBER),
    ],
)
def test_a_house_number_is_found_or_the_nearest_on_its_side_of_the_street(words: str, name: str, match: Match) -> None:
    found = best(words)
    assert (found.place.name, found.match) == (name, match)


def test_an_odd_number_prefers_the_odd_side() -> None:
    """23 is next to 22 and 21: the 21 is across no street."""
    assert best("张掖路23号").place.name == "张掖路21号"


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("张掖路", "张掖路"),
        ("张掖", "张掖路"),
        ("张掖路街道", "张掖路街道"),
        ("张掖路街道办", "张掖路街道"),
        ("城关", "城关区"),
        ("金河卫生服务中心", "金河社区卫生服务中心"),
        ("金河医院", "金河社区卫生服务中心"),
        ("jinhe yiyuan", "金河社区卫生服务中心"),
        ("今河卫生中心", "金河社区卫生服务中心"),
        ("张掖路路灯12号", "张掖路路灯012号"),
        ("6201020137000012", "张掖路路灯012号"),
    ],
)
def test_names_are_found_shortened_spelled_in_letters_and_misspelled(words: str, name: str) -> None:
    assert best(words).place.name == name


def test_a_division_that_is_named_beside_decides_between_two_of_one_name() -> None:
    assert best("七里河区民主路天水路口").place.lon == 103.7
    assert best("城关区民主路天水路口").place.lon == 103.82


def test_of_two_roads_that_do_not_meet_each_is_answered_alone() -> None:
    found = NAMES.find("张掖路和民主路交叉口")
    assert {meant.place.name for meant in found[:2]} == {"张掖路", "民主路"}
    assert found[0].why == "one of the roads named, which do not meet"


def test_a_road_whose_name_stands_in_anothers_is_heard_behind_it() -> None:
    names = Gazetteer(
        [crossing("新永安路", "永安路"), named(PlaceKind.ROAD, "新永安路"), named(PlaceKind.ROAD, "永安路")]
    )
    for words in ("新永安路和永安路交叉口", "永安路新永安路口", "xinyonganlu yonganlu"):
        assert names.find(words)[0].place.name == "新永安路/永安路", words


def test_one_crossing_of_two_carriageways_is_answered_once() -> None:
    twice = Gazetteer(
        [crossing("甲子路", "乙丑路"), crossing("甲子路", "乙丑路", 103.8002), crossing("甲子路", "乙丑路", 103.9)]
    )
    assert [meant.place.lon for meant in twice.find("甲子路乙丑路口")] == [103.8, 103.9]


def test_crossings_of_a_real_city_are_found(sample_data: Path) -> None:
    """Real names bite: 永安路 beside 新永安路, 大道 and 弄, pieces cut at the edges of tiles."""
    features = json.loads(
        gzip.decompress((sample_data / "basemap/shanghai_lujiazui_osm/roads.geojson.gz").read_bytes())
    )
    lines = [
        (f["properties"].get("name") or "", shapely.from_geojson(json.dumps(f["geometry"])))
        for f in features["features"]
    ]
    roads = [(name, line) for name, line in lines if name.endswith(("路", "街", "大道", "弄"))]
    met = {
        (one, other): shapely.intersection(line, another).representative_point()
        for i, (one, line) in enumerate(roads)
        for other, another in roads[i + 1 :]
        if one < other and shapely.intersects(line, another)
    }
    assert len(met) > 100
    names = Gazetteer(
        [
            *(crossing(one, other, point.x) for (one, other), point in met.items()),
            *(named(PlaceKind.ROAD, name, line.representative_point().x) for name, line in roads),
        ]
    )
    missed = [
        words
        for one, other in met
        for words in (
            f"{one}和{other}交叉口",
            f"{other}{one}口",
            f"{one.removesuffix('路')}、{other}",
            sound(one + other),
        )
        if f"{one}/{other}" not in {meant.place.name for meant in names.find(words, None, 3)}
    ]
    assert len(missed) <= 0.02 * 4 * len(met), missed


def sound(words: str) -> str:
    return "".join(lazy_pinyin(words))


def test_so_does_where_the_asker_looks() -> None:
    assert best("民主路天水路口", Place(103.71, 36.06)).place.lon == 103.7
    assert best("民主路天水路口", Place(103.81, 36.06)).place.lon == 103.82


def test_a_named_division_weighs_more_than_the_middle_of_the_map() -> None:
    assert best("城关区民主路天水路口", Place(103.7, 36.06)).place.lon == 103.82


@pytest.mark.parametrize("words", ["", "  ", "!!", "xyzzy", "某某大厦"])
def test_words_that_mean_no_place_here_find_none(words: str) -> None:
    assert NAMES.find(words) == []


def test_every_answer_says_how_and_why_it_fits() -> None:
    assert best("张掖路酒泉路口").why == "the crossing of 张掖路 and 酒泉路"
    assert best("张掖路14号").why == "the nearest number known to 14"
    assert (best("张掖").match, best("张掖").why) == (Match.PARTIAL, "the name without its last word")
    assert (best("zhangyelu").match, best("zhangyelu").why) == (Match.SOUNDS_LIKE, "sounds like the name")


@given(st.text(max_size=40))
def test_any_words_are_answered_and_the_scores_fall(words: str) -> None:
    found = NAMES.find(words, None, 20)
    assert all(LEAST <= meant.score <= 1.0 for meant in found)
    assert found == NAMES.find(words, None, 20)
    assert len({(meant.place.name, meant.place.lon) for meant in found}) == len(found)


@pytest.mark.parametrize(
    ("words", "plain"),
    [
        ("张掖路 十二号", "张掖路12号"),
        ("一百零五号", "105号"),
        ("一百一十号", "110号"),
        ("十号", "10号"),
        ("二〇一号", "201号"),
        ("100号", "100号"),
        ("路灯007号", "路灯7号"),
        ("Ｚhang－Ye", "zhangye"),
        ("一只船街", "一只船街"),
    ],
)
def test_words_are_compared_in_one_form(words: str, plain: str) -> None:
    assert normal(words) == plain


# --- the file -------------------------------------------------------------------------------------------

BOX = Bounds(103.8, 36.06, 103.803, 36.063)
HEAD = "name,aliases,road,house,lon,lat\n"


def read(rows: str) -> Points:
    return read_points("p.csv", (HEAD + rows).encode(), "wgs84", BOX)


def test_a_row_is_a_landmark_with_its_other_names_or_a_house_number() -> None:
    landmark, address = read("小学,一小；二小,,,103.8005,36.0605\n,,张掖路,12号,103.8006,36.0606\n").points
    assert (landmark.kind, landmark.name, landmark.aliases) == (PlaceKind.LANDMARK, "小学", ("一小", "二小"))
    assert (address.kind, address.name, address.road, address.house) == (PlaceKind.ADDRESS, "张掖路12号", "张掖路", 12)


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",,,,103.8005,36.0605\n", "p.csv, row 2, field name: given ''"),
        ("x,,,12,103.8005,36.0605\n", "field road: given ''; want the road of number 12"),
        ("x,,张掖路,甲12,103.8005,36.0605\n", "field house: given '甲12'"),
        ("x,,,,36.0605,103.8005\n", "(swapped_axes)"),
        ("x,,,,here,36.0605\n", "field x, y: given 'here', '36.0605'; want two numbers"),
        ("x,,,,103.8005\n", "field row: given 5 cells; want 6, as the header"),
    ],
)
def test_a_bad_row_of_points_is_named_by_row_field_given_and_wanted(row: str, said: str) -> None:
    found = read(row)
    assert found.points == ()
    assert said in str(found.faults[0])


def test_a_file_without_names_or_places_is_refused() -> None:
    assert "no column 'name'" in str(read_points("p.csv", b"road,house\n", "wgs84", BOX).faults[0])
    assert "no such text" in str(read_points("p.csv", "名称".encode("utf-16"), "wgs84", BOX).faults[0])


@pytest.mark.parametrize(
    ("words", "sound"),
    [
        ("井盖缺失", "jing gai que shi"),
        ("重庆路", "chong qing lu"),  # a phrase: 重 alone would be zhong
        ("LED 路灯（坏）", "led lu deng huai"),
        ("", ""),
    ],
)
def test_words_are_spelled_syllable_by_syllable_for_who_types_initials(words: str, sound: str) -> None:
    assert syllables(words) == sound
