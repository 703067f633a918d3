"""CloudEvents 1.0 in its three modes, and the payload of ours."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from events.intake import cloudevents
from events.intake.camera_event import CameraEvent, Phase, Refused, Spot
from events.intake.cloudevents import CloudEvent
from tests.fuzz.corpus import EVENT, JPEG, PAYLOAD
from tests.fuzz.spoil import spoilt
from tests.unit.events.intake.ends import attributes as attributes_of
from tests.unit.events.intake.ends import cases
from tests.unit.events.intake.read import event, refusal

ONE, MANY = "application/cloudevents+json; charset=utf-8", "application/cloudevents-batch+json"
HEADERS = {"CE-SpecVersion": "1.0", "ce-id": "e-1", "ce-source": "/survey/7", "ce-type": "cn.grid.camera.litter.new"}


def said(message: Any) -> bytes:
    return json.dumps(message).encode()


def with_data(**changed: Any) -> bytes:
    return said(EVENT | {"data": PAYLOAD | changed})


def test_the_payload_becomes_a_camera_event() -> None:
    told = event(cloudevents.parse(said(EVENT), ONE))
    assert (told.kind, told.phase, told.device.code) == ("pothole", Phase.START, "62010200001320000001")
    assert told.key == "/survey/7 car-7/88"
    assert told.at == datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
    assert told.spot == Spot(lon=103.83, lat=36.06, datum="wgs84")
    assert (told.zone, told.target, told.score, told.severity) == ("lane 1", "road", 0.8, "high")
    assert told.count == 3, "sampledrate: one stands for three"
    assert told.snapshots[0].data == JPEG
    assert told.fields["depth_cm"] == "7"


def test_the_three_modes_say_the_same() -> None:
    attributes = {name: str(value) for name, value in EVENT.items() if name != "data"}
    binary = cloudevents.read(said(PAYLOAD), "application/json", {f"ce-{name}": v for name, v in attributes.items()})
    structured = cloudevents.read(said(EVENT | {"datacontenttype": "application/json"}), ONE)
    batch = cloudevents.read(said([EVENT | {"datacontenttype": "application/json"}]), MANY)
    assert binary == structured == batch


def test_the_type_may_carry_kind_and_phase() -> None:
    told = event(cloudevents.parse(b"", "", HEADERS))
    assert (told.kind, told.phase) == ("litter", Phase.START)
    last = event(cloudevents.parse(b"", "", HEADERS | {"ce-type": "cn.grid.camera.litter"}))
    assert (last.kind, last.phase) == ("litter", Phase.PULSE)


def test_without_an_incident_the_key_is_source_and_id() -> None:
    assert event(cloudevents.parse(b"", "", HEADERS)).key == "/survey/7 e-1"


def test_headers_are_unquoted_and_percent_decoded_once() -> None:
    (told,) = cloudevents.read(b"", "", HEADERS | {"ce-subject": '"%E6%A1%A5 \\"1\\" %2541"'})
    assert isinstance(told, CloudEvent)
    assert told.subject == '桥 "1" %41'


def test_data_in_base64_is_read_by_its_type() -> None:
    bare = {name: value for name, value in EVENT.items() if name != "data"}
    coded = bare | {"data_base64": base64.b64encode(said(PAYLOAD)).decode(), "datacontenttype": "application/json"}
    assert event(cloudevents.parse(said(coded), ONE)).kind == "pothole"


def test_extensions_are_kept_that_people_read() -> None:
    told = event(cloudevents.parse(said(EVENT | {"sequence": "7", "recordedtime": "x", "severity": "LOW"}), ONE))
    assert (told.fields["sequence"], told.fields["recordedtime"]) == ("7", "x")
    assert told.severity == "high", "the payload goes before the extension"


def test_a_batch_tells_of_each_event_by_itself() -> None:
    first, second, third = cloudevents.parse(said([EVENT, EVENT | {"id": "e-2", "specversion": "0.3"}, 5]), MANY)
    assert isinstance(first, CameraEvent)
    assert isinstance(second, Refused)
    assert (second.code, second.item) == ("wrong_version", "e-2")
    assert isinstance(third, Refused)
    assert third.code == "bad_item"
    assert cloudevents.parse(b"[]", MANY) == ()


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (said({name: value for name, value in EVENT.items() if name != "id"}), ONE, "missing_attribute"),
        (said(EVENT | {"source": ""}), ONE, "missing_attribute"),
        (said(EVENT | {"specversion": "0.3"}), ONE, "wrong_version"),
        (said(EVENT | {"time": "2026-11-20T08:00:00"}), ONE, "bad_time"),
        (said(EVENT | {"data_base64": "AAAA"}), ONE, "bad_data"),
        (said(EVENT | {"sampledrate": 0}), ONE, "bad_attribute"),
        (said(EVENT | {"data": "text"}), ONE, "bad_payload"),
        (with_data(knid="litter"), ONE, "bad_payload"),
        (with_data(score=2), ONE, "bad_payload"),
        (with_data(location={"lon": 103.8, "lat": 36.1, "datum": "mars"}), ONE, "bad_location"),
        (with_data(location={"lon": 0, "lat": 0, "datum": "wgs84"}), ONE, "bad_location"),
        (with_data(snapshots=[{"data": "bm8gcGljdHVyZQ=="}]), ONE, "bad_picture"),
        (said(EVENT | {"type": "x", "data": {}}), ONE, "no_kind"),
        (b"{}", "application/cloudevents+xml", "wrong_format"),
        (b"{}", "application/json", "no_cloudevent"),
        (b"{}", MANY, "unknown_shape"),
        (said([1] * 501), MANY, "too_many_items"),
        (b" " * cloudevents.MOST_BYTES + b"{}", ONE, "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code(body: bytes, content_type: str, code: str) -> None:
    assert refusal(cloudevents.parse(body, content_type)).code == code


@pytest.mark.parametrize("name", ["yaml_v1.0_v1_minimum.yaml", "yaml_v1.yaml"])
def test_the_conformance_cases_are_read_alike_in_every_mode(sample_data: Path, name: str) -> None:
    for case in cases(sample_data / "camera/cloudevents" / name):
        attributes, data = attributes_of(case), case["Data"].strip()
        content_type = attributes.get("datacontenttype", "application/json")
        json_data = "json" in content_type
        headers = {f"ce-{key}": value for key, value in attributes.items()}
        (binary,) = cloudevents.read(data.encode(), content_type, headers)
        attributes |= {"datacontenttype": content_type}
        (structured,) = cloudevents.read(said(attributes | {"data": json.loads(data) if json_data else data}), ONE)
        coded = attributes | {"data_base64": base64.b64encode(data.encode()).decode()}
        (from_base64,) = cloudevents.read(said(coded), ONE)
        assert isinstance(binary, CloudEvent), binary
        assert binary == structured == from_base64
        assert binary.id == attributes["id"]
        assert binary.data == (json.loads(data) if json_data else data)
        assert set(binary.extensions) == set(case["ContextAttributes"].get("Extensions", {}))


@pytest.mark.parametrize("name", ["yaml_v0.3_v03_minimum.yaml", "yaml_v03.yaml"])
def test_an_older_version_is_refused(sample_data: Path, name: str) -> None:
    for case in cases(sample_data / "camera/cloudevents" / name):
        headers = {f"ce-{key}": value for key, value in attributes_of(case).items()}
        assert refusal(cloudevents.parse(case["Data"].encode(), "", headers)).code == "wrong_version"


def test_what_is_usual_is_read_the_short_way_and_all_else_by_the_book() -> None:
    assert cloudevents.parse_usual(said([EVENT] * 3), MANY) == cloudevents.parse_any(said([EVENT] * 3), MANY)
    for unusual in (
        said(EVENT | {"time": "2026-11-20T08:00:00"}), said(EVENT | {"id": 5}), said(EVENT | {"own": "x"}),
        with_data(score=2), said(EVENT | {"source": " "}), b"\xef\xbb\xbf" + said(EVENT),
    ):  # fmt: skip
        assert cloudevents.parse_usual(unusual, ONE) is None


def test_the_short_way_and_the_book_never_tell_two_things() -> None:
    short = 0
    for body, media_type in spoilt("cloudevents", seed=11, count=3_000):
        usual = cloudevents.parse_usual(body, media_type)
        short += usual is not None
        assert usual is None or usual == cloudevents.parse_any(body, media_type), body
    assert short > 200
