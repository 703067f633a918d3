"""Any other JSON: a mapping is data, and a preview says what a sample becomes."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from events.intake import mapped
from events.intake.camera_event import CameraEvent, Phase, Spot
from events.intake.mapped import BadMapping, Line, read_mapping, read_path
from tests.fuzz.corpus import JPEG, PICTURE
from tests.unit.events.intake.read import event, events, refusal

ONE: dict[str, Any] = {
    "what": {"code": 17}, "unit": "U-1", "when": 1795161600, "pos": [103.83, 36.06], "sure": 80,
    "pics": [{"b64": "data:image/jpeg;base64," + PICTURE}], "state": "on", "note": "浓烟",
}  # fmt: skip
RULES: dict[str, Any] = {
    "kind": {"path": "what.code", "values": {"17": "fire"}}, "serial": "unit", "time": "when",
    "lon": "pos[0]", "lat": "pos[1]", "datum": {"constant": "gcj02"}, "score": "sure",
    "picture": {"path": ["image", "pics[0].b64"]}, "phase": {"path": "state", "values": {"on": "start", "off": "end"}},
    "field.note": "note",
}  # fmt: skip


def said(message: Any) -> bytes:
    return json.dumps(message).encode()


def read(message: Any, rules: dict[str, Any] | None = None, items: str | None = None) -> Any:
    given = {"rules": rules or RULES} | ({"items": items} if items is not None else {})
    return mapped.parse(said(message), "application/json", read_mapping(given))


def test_a_mapping_finds_kind_camera_moment_place_and_picture() -> None:
    told = event(read(ONE))
    assert (told.kind, told.device.serial, told.phase) == ("fire", "U-1", Phase.START)
    assert told.at == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)
    assert told.spot == Spot(lon=103.83, lat=36.06, datum="gcj02")
    assert (told.score, told.fields) == (0.8, {"note": "浓烟"})
    assert told.snapshots[0].data == JPEG


def test_start_and_end_share_a_lane_unless_the_message_numbers_its_incidents() -> None:
    start, end = event(read(ONE)), event(read(ONE | {"state": "off", "when": 1795161660}))
    assert (end.phase, end.lane) == (Phase.END, start.lane)
    own = event(read(ONE | {"no": "i-1"}, RULES | {"incident": "no"}))
    assert (own.key, own.lane) == ("i-1", None)


def test_one_message_may_hold_several_events() -> None:
    told = events(read({"a": {"list": [ONE, ONE | {"unit": "U-2"}]}}, items="a.list"))
    assert [each.device.serial for each in told] == ["U-1", "U-2"]
    assert refusal(read({"a": 1}, items="a.list")).code == "unknown_shape"


def test_a_value_that_is_not_in_the_table_is_taken_as_it_is() -> None:
    assert event(read(ONE | {"what": {"code": "Flood"}})).kind == "flood"


def test_nothing_where_the_kind_should_be_is_refused() -> None:
    assert refusal(read({"what": {}})).code == "no_kind"
    assert refusal(read(ONE | {"state": "maybe"})).code == "no_phase"


def test_a_preview_says_path_by_path_what_becomes_of_a_sample() -> None:
    sample = ONE | {"sure": "very", "note": None, "what": {"code": 99}}
    told = mapped.preview(said(sample), read_mapping({"rules": RULES}))
    lines = {line.target: line for line in told.lines[0]}
    assert isinstance(told.items[0], CameraEvent)
    assert lines["serial"] == Line("serial", "unit", "U-1", "U-1")
    assert lines["datum"] == Line("datum", None, None, "gcj02")
    assert lines["time"].became == "2026-11-20T08:00:00+00:00"
    assert lines["picture"].path == "pics[0].b64"
    assert lines["picture"].became == f"image/jpeg, {len(JPEG)} bytes"
    assert lines["kind"].problem == "not in the value table; taken as it is"
    assert lines["score"].problem == "cannot be read as score"
    assert lines["field.note"].problem == "nothing there, and no constant"


def test_a_preview_of_no_json_says_so() -> None:
    told = mapped.preview(b"{", read_mapping({"rules": RULES}))
    assert (refusal(told.items).code, told.lines) == ("not_json", ())


@pytest.mark.parametrize(
    ("written", "path"),
    [("", ()), ("a", ("a",)), ("a.b[2].c", ("a", "b", 2, "c")), ("[0][1]", (0, 1)), ("事件.类型", ("事件", "类型"))],
)
def test_a_path_is_names_and_places(written: str, path: tuple[str | int, ...]) -> None:
    assert read_path(written) == path


@pytest.mark.parametrize("written", ["a..b", ".", "a[", "a[x]", "a[-1]", "a.", "[0]a", ".".join("a" * 17)])
def test_anything_else_is_no_path(written: str) -> None:
    with pytest.raises(BadMapping):
        read_path(written)


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "no rules"),
        ({"rules": {}}, "no rule for kind"),
        ({"rules": {"kind": "a", "colour": "b"}}, "rule 'colour'"),
        ({"rules": {"kind": {"run": "rm"}}}, "rule 'kind'"),
        ({"rules": {"kind": {}}}, "neither path nor constant"),
        ({"rules": {"kind": {"path": "a", "values": {"1": 2}}}}, "values of 'kind'"),
        ({"rules": {"kind": "a", "lon": "x", "lat": "y"}}, "datum"),
        ({"rules": {"kind": "a"}, "code": "x"}, "'code'"),
        ({"rules": {"kind": "a"}, "items": 5}, "items"),
    ],
)
def test_a_mapping_that_cannot_be_used_is_refused_by_its_row(given: Any, says: str) -> None:
    with pytest.raises(BadMapping, match=says):
        read_mapping(given)


CAR: dict[str, Any] = {"kind": "k", "lon": "lon", "lat": "lat", "datum": {"constant": "gcj02"}}


def test_what_moves_is_never_placed_where_it_does_not_say_that_it_was() -> None:
    moving = read_mapping({"moving": True, "rules": CAR})
    standing = read_mapping({"rules": CAR})
    nowhere, lost, half = {"k": "pothole"}, {"k": "pothole", "lon": 0, "lat": 0}, {"k": "pothole", "lon": 103.8}
    assert refusal(mapped.parse(said(nowhere), "", moving)).code == "no_place"
    assert event(mapped.parse(said(nowhere), "", standing)).spot is None
    for told in (lost, half):
        for mapping in (moving, standing):
            assert refusal(mapped.parse(said(told), "", mapping)).code == "bad_location"


@pytest.mark.parametrize(
    "wrong",
    [
        {"moving": True, "rules": {"kind": "k"}},
        {"moving": "yes", "rules": CAR},
        {"rules": CAR | {"datum": {"constant": "mars"}}},
        {"rules": CAR | {f"field.f{number}": "x" for number in range(61)}},
    ],
)
def test_a_mapping_of_places_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(BadMapping):
        read_mapping(wrong)
