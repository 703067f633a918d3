"""Cameras of the registry: what one may be, what changes, and which cell an event belongs to."""

from __future__ import annotations

from typing import Any

import pytest
import shapely

from geo.place import Bounds, Place
from geo.view import Ground
from gridsvc.domain.camera import (
    BadCamera,
    Camera,
    Known,
    SeenCell,
    cell_of_event,
    cells_seen,
    code_wanted,
    facts_of,
    make_camera,
    what_is_new,
)

CITY = Bounds(103.8, 36.06, 103.803, 36.063)
KNOWN = Known(departments=frozenset({"traffic"}), protocols=frozenset({"onvif", "frigate"}))
CODE = "62010000001320000001"
SAID: dict[str, Any] = {"name": "路口01号", "given": (103.8015, 36.0615, "wgs84"), "protocol": "onvif"}


def made(before: Camera | None = None, **said: object) -> Camera:
    return make_camera(CODE, (SAID | said) if before is None else said, before, KNOWN, CITY)


@pytest.mark.parametrize(
    ("code", "says"),
    [
        (CODE, None),
        ("34020000001110000001", None),  # a recorder
        ("gate-7", None),
        ("6201000000132000001", "20 digits"),
        ("02010000001320000001", "begin with a division"),
        ("62010000002000000001", "111 to 199"),  # a platform
        ("6.201E+19", "rounded"),
        ("gate 7", "1 to 64"),
        ("", "1 to 64"),
        ("６２０１００００００１３２０００００１", "1 to 64"),  # full-width digits
    ],
)
def test_a_code_is_twenty_digits_by_rule_a_or_the_citys_own(code: str, says: str | None) -> None:
    wanted = code_wanted(code)
    assert wanted is None if says is None else says in (wanted or "")


def test_a_camera_of_which_nothing_is_said_sees_all_around_for_sixty_metres() -> None:
    camera = made()
    assert (camera.look.field_deg, camera.look.near_m, camera.look.far_m, camera.height_m) == (360, 3, 60, 6)
    assert made(bearing_deg=90).look.field_deg == 60, "a direction makes a lens"


def test_the_place_is_kept_as_it_was_given_beside_wgs84() -> None:
    camera = made(given=(103.8030, 36.0610, "gcj02"))
    assert camera.given == (103.8030, 36.0610)
    assert camera.frame == "gcj02"
    assert abs(camera.place.lon - 103.8030) > 0.001


def test_what_a_change_does_not_say_stays() -> None:
    first = made(
        serials=["DS-1"], streams=["rtsp://10.0.0.5/live"], zones={"lane": {"datum": "wgs84", "ground": POINT}},
        presets={"gate": {"bearing_deg": 10, "field_deg": 30, "near_m": 5, "far_m": 90}}, bearing_deg=45,
    )  # fmt: skip
    second = made(first, name="北口")
    assert what_is_new(first, second) == {"name": "北口"}
    assert made(first) == first
    assert what_is_new(None, first) == facts_of(first)
    assert made(first, serials=[]).names == ()


POINT = {"type": "Point", "coordinates": [103.8016, 36.0615]}
CROSSED = {"type": "Polygon", "coordinates": [[[103.80, 36.06], [103.801, 36.061], [103.801, 36.06], [103.80, 36.061],
                                               [103.80, 36.06]]]}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "field"),
    [
        ({"given": (36.0615, 103.8015, "wgs84")}, "place"),
        ({"given": (float("nan"), 36.0, "wgs84")}, "place"),
        ({"name": ""}, "name"),
        ({"protocol": "smoke"}, "protocol"),
        ({"state": "lost"}, "state"),
        ({"bearing_deg": 360}, "bearing_deg"),
        ({"near_m": 60}, "far_m"),
        ({"height_m": 0}, "height_m"),
        ({"maintaining": "nobody"}, "maintaining"),
        ({"macs": ["44:19:b6"]}, "macs"),
        ({"streams": ["10.0.0.5"]}, "streams"),
        ({"silent_after_s": 1}, "silent_after_s"),
        ({"presets": {"x": {"bearing_deg": 0, "field_deg": 0, "near_m": 0, "far_m": 9}}}, "presets.x.field_deg"),
        ({"presets": {"*": {"bearing_deg": 0, "field_deg": 9, "near_m": 0, "far_m": 9}}}, "presets"),
        ({"zones": {"lane": {"ground": POINT}}}, "zones.lane"),  # no datum
        ({"zones": {"lane": {"datum": "wgs84", "ground": CROSSED}}}, "zones.lane"),
        ({"zones": {"lane": {"datum": "wgs84", "ground": {"type": "LineString"}}}}, "zones.lane"),
        ({"zones": {"lane": {"datum": "wgs84", "ground": {"type": "Point", "coordinates": [0, 0]}}}}, "zones.lane"),
    ],
)
def test_what_cannot_be_is_refused_and_named(said: dict[str, Any], field: str) -> None:
    with pytest.raises(BadCamera) as refused:
        made(**said)
    assert refused.value.field == field
    assert str(refused.value).startswith(f"{field}: given ")


def test_an_address_that_is_refused_is_not_repeated() -> None:
    """It may hold a password, and refusals are answered and printed."""
    with pytest.raises(BadCamera) as refused:
        made(streams=["rtsp://admin:secret@10.0.0.5/a b"])
    assert "secret" not in str(refused.value)


def test_macs_are_kept_in_one_spelling() -> None:
    assert made(macs=["44-19-B6-01-02-03"]).names == (("mac", "44:19:b6:01:02:03"),)


def test_a_camera_that_turns_is_looked_for_in_all_that_it_can_show() -> None:
    columns = range(3)
    ground = Ground(
        [f"c{i}" for i in columns],
        [shapely.box(103.8 + i / 1000, 36.06, 103.801 + i / 1000, 36.063) for i in columns],
    )
    camera = made(
        ptz=True, bearing_deg=90, field_deg=40, far_m=120,
        presets={"west": {"bearing_deg": 270, "field_deg": 40, "near_m": 0, "far_m": 120}},
        zones={"lane": {"datum": "wgs84", "ground": POINT}},
    )  # fmt: skip
    seen = cells_seen(camera, ground)
    assert {(each.kind, each.cell) for each in seen} == {
        ("view", "c1"), ("view", "c2"), ("preset", "c0"), ("preset", "c1"), ("zone", "c1"),
        ("reach", "c0"), ("reach", "c1"), ("reach", "c2"),
    }  # fmt: skip


HERE = Place(103.8, 36.06)


def cell(kind: str, name: str, code: str, share: float) -> SeenCell:
    return SeenCell(kind=kind, name=name, cell=code, share=share, spot=HERE)


SEEN = (
    cell("view", "", "b", 0.6), cell("view", "", "a", 0.4),
    cell("preset", "gate", "c", 0.5), cell("preset", "gate", "b", 0.5),
    cell("reach", "", "d", 0.7), cell("reach", "", "a", 0.3),
    cell("zone", "fire_lane", "e", 1.0),
)  # fmt: skip


@pytest.mark.parametrize(
    ("zone", "preset", "cell_code", "because"),
    [
        (None, None, "b", "view"),  # the largest share
        ("fire_lane", None, "e", "zone"),  # a fixed place first
        ("Fire_Lane", "gate", "e", "zone"),  # however the device writes it, and whichever way it looks
        ("yard", None, "b", "view"),  # a zone that nobody has placed says nothing
        (None, "gate", "b", "preset"),  # of equal shares the lower code
        (None, "roof", "d", "reach"),  # a preset that nobody has described: wherever it can turn to
    ],
)
def test_an_event_is_where_its_zone_is_else_where_most_is_seen(
    zone: str | None, preset: str | None, cell_code: str, because: str
) -> None:
    spotted = cell_of_event(SEEN, zone, preset)
    assert spotted is not None
    assert (spotted.cell, spotted.because) == (cell_code, because)


def test_the_other_cells_in_view_are_told_as_alternatives() -> None:
    spotted = cell_of_event(SEEN)
    assert spotted is not None
    assert [(each.cell, each.share) for each in spotted.others] == [("a", 0.4)]


def test_a_camera_that_sees_no_cell_leaves_the_place_open() -> None:
    assert cell_of_event([]) is None
    assert cell_of_event([cell("zone", "fire_lane", "e", 1.0)], zone="yard") is None
