"""GA/T 1400: one item and one status for each object; faces leave no trace."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime
from typing import Any

import pytest

from events.intake import gat1400
from events.intake.camera_event import CameraEvent, Phase, Refused
from events.intake.gat1400 import FAILED, KEPT, REFUSED
from tests.fuzz.corpus import JPEG, PICTURE
from tests.unit.events.intake.read import event, events, heartbeat, refusal

DEVICE = "62010200001190000001"
CAR: dict[str, Any] = {"MotorVehicleID": "v1", "DeviceID": DEVICE, "PlateNo": "甘A00001", "PassTime": "20261120080000"}
FACE = {"FaceID": "f1", "DeviceID": DEVICE, "IDNumber": "secret number", "Name": "secret name",
        "SubImageList": {"SubImageInfoObject": [{"Type": "11", "Data": PICTURE}]}}  # fmt: skip


def said(message: Any) -> bytes:
    return json.dumps(message).encode()


def cars(*objects: Any) -> bytes:
    return said({"MotorVehicleListObject": {"MotorVehicleObject": list(objects)}})


def notified(name: str, **lists: Any) -> dict[str, Any]:
    return {"NotificationID": name, "TriggerTime": "20261120090000", **lists}


def test_each_object_is_one_item_by_its_own_id() -> None:
    first, second = events(gat1400.parse(cars(CAR, CAR | {"MotorVehicleID": "v2"})))
    assert [first.key, second.key] == ["v1", "v2"]
    assert (first.kind, first.phase, first.device.code) == ("motorvehicle", Phase.PULSE, DEVICE)
    assert (first.at, first.local_time) == (None, "2026-11-20T08:00:00")
    assert first.fields["plate"] == "甘A00001"


@pytest.mark.parametrize("spelling", ["MotorVehicleListObject", "MotorVehicleObjectList", "MotorVehicleList"])
def test_every_spelling_of_a_list_is_read(spelling: str) -> None:
    assert event(gat1400.parse(said({spelling: {"MotorVehicleObject": [CAR]}}))).key == "v1"
    assert event(gat1400.parse(said({spelling: {"MotorVehicleObject": CAR}}))).key == "v1"
    assert event(gat1400.parse(said({spelling: [CAR]}))).key == "v1"


@pytest.mark.parametrize("kind", ["NonMotorVehicle", "Thing", "Scene", "Person"])
def test_the_other_collections_are_read(kind: str) -> None:
    told = event(gat1400.parse(said({f"{kind}ListObject": {f"{kind}Object": [{f"{kind}ID": "x1"}]}}), "", DEVICE))
    assert (told.kind, told.key, told.device.code) == (kind.lower(), "x1", DEVICE)


def test_an_image_is_read_in_the_shape_of_the_standard() -> None:
    image = {"ImageInfo": {"ImageID": "i1", "ShotTime": "20261120080000"}, "Data": PICTURE}
    told = event(gat1400.parse(said({"ImageListObject": {"Image": [image]}})))
    assert (told.key, told.snapshots[0].data) == ("i1", JPEG)


def test_pictures_are_decoded_and_those_of_people_left_out() -> None:
    pictures = [
        {"Type": "14", "Data": PICTURE},
        {"Type": "04", "Data": PICTURE},  # the driver's face
        {"Type": "11", "Data": PICTURE},
        {"Type": "02", "Data": base64.b64encode(b"no picture").decode()},
        {"Type": "02", "Data": "ü"},
        {"Type": "02", "StoragePath": "http://store.example/p.jpg"},
    ]
    told = event(gat1400.parse(cars(CAR | {"SubImageList": {"SubImageInfoObject": pictures}})))
    assert [each.data or each.url for each in told.snapshots] == [JPEG, "http://store.example/p.jpg"]
    assert told.fields["pictures_left_out"] == "4"


def test_a_face_is_refused_and_nothing_of_it_is_told() -> None:
    told = refusal(gat1400.parse(said({"FaceListObject": {"FaceObject": [FACE]}})))
    assert (told.code, told.item) == ("faces_refused", "f1")
    assert "secret" not in repr(told)
    assert "JFIF" not in repr(told)


def test_of_a_person_only_when_and_where_is_told() -> None:
    person = {"PersonID": "p1", "Name": "secret", "IDNumber": "secret", "SourceID": "s1", "Title": "secret",
              "SubImageList": {"SubImageInfoObject": [{"Type": "14", "Data": PICTURE}]}}  # fmt: skip
    told = event(gat1400.parse(said({"PersonListObject": {"PersonObject": [person]}})))
    assert "secret" not in repr(told)
    assert (told.snapshots, told.fields) == ((), {"source": "s1", "object": "p1"})


def test_a_notification_holds_objects_of_several_kinds() -> None:
    notice = notified("n1", MotorVehicleObjectList={"MotorVehicleObject": [CAR]}, FaceListObject={"FaceObject": [FACE]})
    body = said({"SubscribeNotificationListObject": {"SubscribeNotificationObject": [notice]}})
    told, face = gat1400.parse(body)
    assert isinstance(told, CameraEvent)
    assert told.fields["notification"] == "n1"
    assert isinstance(face, Refused)
    assert (face.code, face.item) == ("faces_refused", "n1")


def test_a_moment_in_milliseconds_is_aware() -> None:
    told = event(gat1400.parse(cars(CAR | {"PassTime": "1795161600000"})))
    assert told.at == datetime(2026, 11, 20, 8, 0, tzinfo=UTC)


def test_how_sure_a_plate_was_read_is_a_percentage() -> None:
    assert event(gat1400.parse(cars(CAR | {"PlateReliability": "80"}))).score == 0.8
    assert event(gat1400.parse(cars(CAR | {"PlateReliability": ""}))).score is None


def test_an_object_without_an_id_has_the_same_key_when_it_is_sent_twice() -> None:
    one = CAR | {"MotorVehicleID": ""}
    assert event(gat1400.parse(cars(one))).key == event(gat1400.parse(cars(one))).key
    assert event(gat1400.parse(cars(one))).key != event(gat1400.parse(cars(one | {"PlateNo": "甘A00002"}))).key


@pytest.mark.parametrize(
    ("name", "state"), [("KeepaliveObject", ""), ("RegisterObject", "registered"), ("UnRegisterObject", "unregistered")]
)
def test_keepalive_and_register_are_heartbeats(name: str, state: str) -> None:
    told = heartbeat(gat1400.parse(said({name: {"DeviceID": DEVICE}})))
    assert (told.device.code, told.state) == (DEVICE, state)


def test_the_answer_has_one_status_for_each_object() -> None:
    items = gat1400.parse(cars(CAR, 5, CAR | {"MotorVehicleID": "v3"}))
    told = gat1400.statuses(items)
    assert [(each.id, each.code) for each in told] == [("v1", KEPT), ("", FAILED), ("v3", KEPT)]
    answer = json.loads(gat1400.answer_list(told, "/VIID/MotorVehicles", "20261120080001"))
    first = answer["ResponseStatusListObject"]["ResponseStatusObject"][0]
    assert first == {
        "Id": "v1", "StatusCode": 0, "StatusString": "OK", "RequestURL": "/VIID/MotorVehicles",
        "LocalTime": "20261120080001",
    }  # fmt: skip


def test_what_was_not_made_durable_is_never_answered_ok() -> None:
    assert [each.code for each in gat1400.statuses(gat1400.parse(cars(CAR)), kept=False)] == [FAILED]


def test_a_notification_has_one_status_the_worst_of_its_objects() -> None:
    notices = [
        notified("n1", MotorVehicleObjectList=[CAR], FaceObjectList=[FACE]),
        notified("n2", MotorVehicleObjectList=[CAR]),
    ]
    items = gat1400.parse(said({"SubscribeNotificationListObject": {"SubscribeNotificationObject": notices}}))
    assert [(each.id, each.code) for each in gat1400.statuses(items)] == [("n1", REFUSED), ("n2", KEPT)]


def test_a_single_status_answers_the_calls_of_the_system() -> None:
    (status,) = gat1400.statuses(gat1400.parse(said({"KeepaliveObject": {"DeviceID": DEVICE}})))
    told = json.loads(gat1400.answer_one(status, "/VIID/System/Keepalive", "20261120080001"))
    assert told["ResponseStatusObject"]["Id"] == DEVICE


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"[]", "unknown_shape"),
        (said({"APEListObject": {}}), "unknown_shape"),
        (cars(), "unknown_shape"),
        (said({"SubscribeNotificationListObject": {"SubscribeNotificationObject": []}}), "empty"),
        (cars(*[CAR] * 201), "too_many_items"),
        (b"<a/>", "not_json"),
        (b'"' + b"A" * gat1400.MOST_BYTES, "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code(body: bytes, code: str) -> None:
    assert refusal(gat1400.parse(body, "", DEVICE)).code == code
    assert refusal(gat1400.parse(body, "", DEVICE)).device.code == DEVICE
