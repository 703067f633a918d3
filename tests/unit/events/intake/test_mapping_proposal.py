"""A mapping is proposed from a sample alone, and what no sample can show is asked for."""

from __future__ import annotations

import json
from typing import Any

import pytest

from events.intake.mapped import preview, read_mapping
from events.intake.mapping_proposal import missing, propose
from events.intake.unreadable import Unreadable
from tests.unit.events.intake.read import event

CAR = {
    "car": {"id": "C-7", "speed": 31.5},
    "sightings": [
        {
            "id": "s-88", "type": "pothole", "confidence": 0.83, "at": "2026-11-20T08:00:00+08:00",
            "position": {"lng": 103.83, "lat": 36.06}, "photo": "https://car.example/1.jpg",
        }
    ],
}  # fmt: skip
SMOKE = {
    "alarms": [{"what": {"code": 17}, "unit": "U-1", "when": 1795161600, "pos": [103.83, 36.06], "state": "on"}]
}
DOOR = {"eventType": "door_open", "deviceId": "D1", "timestamp": 1795161600000, "status": "start", "level": "high"}


def rules(sample: Any, datum: str | None = "gcj02") -> Any:
    return propose(json.dumps(sample).encode(), datum).document["rules"]


@pytest.mark.parametrize(
    ("sample", "wanted"),
    [
        (CAR, {
            "kind": "type", "time": "at", "lon": "position.lng", "lat": "position.lat", "score": "confidence",
            "incident": "id", "picture_url": "photo", "datum": {"constant": "gcj02"},
        }),
        (SMOKE, {
            "kind": "what.code", "time": "when", "lon": "pos[0]", "lat": "pos[1]", "code": "unit",
            "datum": {"constant": "gcj02"},
        }),
        (DOOR, {
            "kind": "eventType", "time": "timestamp", "code": "deviceId", "phase": "status", "severity": "level",
        }),
    ],
    ids=["survey car", "smoke", "door"],
)  # fmt: skip
def test_each_thing_is_found_where_it_stands(sample: Any, wanted: dict[str, Any]) -> None:
    assert rules(sample) == wanted


def test_what_is_proposed_reads_the_sample() -> None:
    for sample, kind in ((CAR, "pothole"), (SMOKE, "17"), (DOOR, "door_open")):
        said = json.dumps(sample).encode()
        told = event(preview(said, read_mapping(propose(said, "wgs84").document)).items)
        assert told.kind == kind
        assert told.at is not None


def test_the_list_of_events_is_the_nearest_list_of_objects_or_the_message_itself() -> None:
    assert propose(json.dumps(CAR).encode()).document["items"] == "sightings"
    assert propose(json.dumps(CAR["sightings"]).encode()).document["items"] == ""
    assert "items" not in propose(json.dumps(DOOR).encode()).document


def test_the_id_of_a_device_is_never_that_of_an_incident() -> None:
    """All that the device ever says would be one incident."""
    assert rules({"type": "fall", "dev": {"id": "D1"}}) == {"kind": "type", "code": "dev.id"}
    assert rules({"type": "fall", "gateway": {"id": "G1"}}) == {"kind": "type"}
    assert rules({"type": "fall", "alarm": {"id": "A1"}})["incident"] == "alarm.id"


def test_whose_degrees_a_place_is_in_is_never_guessed() -> None:
    asked = propose(json.dumps(CAR).encode())
    assert not {"lon", "lat", "datum"} & set(asked.document["rules"])
    [said] = asked.open
    assert "position.lng" in said
    assert "datum" not in rules(DOOR), "and without a place it says nothing"
    assert rules({**DOOR, "lng": 103.8, "lat": 36.0, "coordType": "bd09"})["datum"] == "coordType"


def test_a_sample_without_a_kind_says_so_and_one_that_is_no_json_is_refused() -> None:
    assert "kind" in propose(b'{"temperature": 21.5}').open[0]
    with pytest.raises(Unreadable):
        propose(b"<xml/>")


def test_the_other_paths_that_could_be_meant_are_listed() -> None:
    [kind] = [each for each in propose(b'{"event": "fall", "type": "alarm"}').guesses if each.target == "kind"]
    assert (kind.path, kind.found, kind.others) == ("type", "alarm", ("event",))


def test_what_an_item_does_not_say_is_named_with_what_holds_instead() -> None:
    mapping = read_mapping({"rules": {"kind": "k", "phase": "p"}})
    [bare] = preview(b'{"k": "fall", "p": "start"}', mapping).items
    assert [each.split(":")[0] for each in missing(bare, mapping)] == ["time", "camera", "place", "picture", "incident"]
    local = read_mapping({"rules": {"kind": "k", "time": "t"}})
    [clock] = preview(b'{"k": "fall", "t": "2026-11-20 08:00:00"}', local).items
    assert missing(clock, local)[0].startswith("offset of the time")
