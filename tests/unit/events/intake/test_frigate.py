"""Frigate: one incident for an object or a review from `new` to `end`, by Frigate's own id."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from events.intake import frigate
from events.intake.camera_event import NOT_EVEN_RAW, Phase
from tests.unit.events.intake.read import event, events, heartbeat, refusal

SEEN: dict[str, Any] = {
    "id": "1766000000.5-abc", "camera": "bridge", "label": "car", "start_time": 1766000000.5, "end_time": None,
    "frame_time": 1766000003.0, "current_zones": ["no_parking"], "entered_zones": ["kerb", "no_parking"],
    "top_score": 0.9, "false_positive": False, "has_snapshot": True,
}  # fmt: skip


def said(message: Any) -> bytes:
    return json.dumps(message).encode()


def told(kind: str, **changed: Any) -> bytes:
    return said({"type": kind, "before": SEEN, "after": SEEN | changed})


def test_new_update_and_end_are_one_incident() -> None:
    three = [event(frigate.parse(told(kind, end_time=1766000009.0))) for kind in ("new", "update", "end")]
    assert {each.key for each in three} == {"1766000000.5-abc"}
    assert [each.phase for each in three] == [Phase.START, Phase.UPDATE, Phase.END]
    assert [each.at for each in three] == [
        datetime.fromtimestamp(second, UTC) for second in (1766000000.5, 1766000003.0, 1766000009.0)
    ]
    assert all(each.lane is None for each in three)


def test_an_event_says_where_in_its_picture_and_where_its_snapshot_lies() -> None:
    seen = event(frigate.parse(told("update")))
    assert (seen.device.name, seen.kind, seen.zone, seen.score) == ("bridge", "car", "no_parking", 0.9)
    assert seen.snapshots[0].url == "/api/events/1766000000.5-abc/snapshot.jpg"
    assert event(frigate.parse(told("update", current_zones=[]))).zone == "no_parking", "the last that it entered"


def test_a_false_positive_is_taken_back_by_the_device() -> None:
    assert event(frigate.parse(told("end", false_positive=True))).false_alarm


@pytest.mark.parametrize(("sub_label", "target"), [(None, None), ("Post", "post"), (["Post", 0.8], "post"), ([], None)])
def test_a_sub_label_is_a_word_or_a_word_with_its_score(sub_label: Any, target: str | None) -> None:
    assert event(frigate.parse(told("update", sub_label=sub_label))).target == target


def test_the_name_of_a_person_is_left_out() -> None:
    whole = repr(frigate.parse(told("update", label="person", sub_label=["John Smith", 0.8])))
    assert "ohn" not in whole


def test_a_review_names_its_detections_and_its_severity() -> None:
    review = {
        "id": "1766000001.0-r", "camera": "gate", "severity": "alert", "start_time": 1766000001.0, "end_time": None,
        "thumb_path": "/media/frigate/clips/review/thumb-gate.webp",
        "data": {"detections": ["d1", "d2"], "objects": ["truck", "car-verified"], "zones": ["yard"]},
    }  # fmt: skip
    seen = event(frigate.parse(said({"type": "new", "before": review, "after": review})))
    assert (seen.kind, seen.target, seen.severity, seen.zone) == ("car", "car+truck", "alert", "yard")
    assert seen.fields["detections"] == "d1, d2"
    assert seen.snapshots[0].url == "/clips/review/thumb-gate.webp"


def test_a_list_of_the_api_is_one_point_in_time_for_each_object() -> None:
    listed = events(frigate.parse(said([SEEN, SEEN | {"id": "other", "end_time": 1766000009.0}])))
    assert [each.phase for each in listed] == [Phase.PULSE, Phase.PULSE]
    assert {each.at for each in listed} == {datetime.fromtimestamp(1766000000.5, UTC)}


def test_a_classification_is_an_event_of_its_own() -> None:
    message = {"type": "classification", "id": "o1", "camera": "site", "model": "Helmet", "attribute": "No"}
    seen = event(frigate.parse(said(message)))
    assert (seen.kind, seen.target, seen.phase, seen.fields["object"]) == ("helmet", "no", Phase.PULSE, "o1")
    assert seen.key == event(frigate.parse(said(message))).key


def test_a_face_is_refused_and_nothing_of_it_is_told() -> None:
    told_face = refusal(frigate.parse(said({"type": "face", "id": "o1", "name": "John", "camera": "gate"})))
    assert told_face.code == "faces_refused"
    assert "John" not in repr(told_face)
    assert refusal(frigate.parse(said({"type": "lpr", "id": "o1", "plate": "A1"}))).code in NOT_EVEN_RAW


@pytest.mark.parametrize("state", ["online", "offline", "stopped"])
def test_availability_is_a_heartbeat(state: str) -> None:
    assert heartbeat(frigate.parse(state.encode())).state == state


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (said({"type": "moved", "before": SEEN, "after": SEEN}), "no_phase"),
        (said({"type": "new", "after": {"camera": "a", "label": "car"}}), "no_id"),
        (said({"type": "new", "after": {"id": "a"}}), "no_kind"),
        (said({"a": 1}), "unknown_shape"),
        (said([]), "empty"),
        (b"", "empty"),
        (b"<a/>", "not_json"),
        (b" " * frigate.MOST_BYTES + b"{}", "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code(body: bytes, code: str) -> None:
    assert refusal(frigate.parse(body)).code == code
