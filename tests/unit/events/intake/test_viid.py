"""The calls of GA/T 1400 beside the objects: who speaks, what is reported of cameras, what may be set apart."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from events.intake import viid
from events.intake.camera_event import Parsed, Refused
from events.intake.viid import Ape
from tests.fuzz.corpus import PICTURE
from tests.fuzz.spoil import spoilt

DEVICE = "62010200001190000001"
OTHER = "62010200001190000002"
ROOM = 262_144


def said(message: Any) -> bytes:
    return json.dumps(message).encode()


def told(items: tuple[Parsed, ...]) -> list[tuple[str, str]]:
    assert all(isinstance(item, Refused) for item in items)
    return [(item.code, item.item) for item in items if isinstance(item, Refused)]


# -- who -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "sender", "device"),
    [
        (said({"RegisterObject": {"DeviceID": DEVICE}}), DEVICE, DEVICE),
        (said({"KeepaliveObject": {"DeviceID": DEVICE}}), "", DEVICE),
        (said({"Register": {"DeviceID": DEVICE}}), "", DEVICE),
        (b"", DEVICE, DEVICE),
        (b"<a/>", f" {DEVICE} ", DEVICE),
        (said({"RegisterObject": {"DeviceID": OTHER}}), DEVICE, None),
        (said({"RegisterObject": {"DeviceID": "camera 7"}}), "", None),
        (b"", "", None),
        (said([]), "", None),
    ],
)
def test_a_device_is_named_by_header_and_body_which_must_agree(body: bytes, sender: str, device: str | None) -> None:
    assert viid.device_of(body, sender) == device


# -- cameras ---------------------------------------------------------------------------------------

APE = {"ApeID": OTHER, "Name": "北门", "Longitude": 103.8, "Latitude": "36.06", "IsOnline": "1", "MonitorDirection": 5,
       "IPAddr": "10.0.0.9", "Port": 80, "UserId": "admin", "Password": "hush"}  # fmt: skip


def test_of_a_camera_everything_is_told_but_its_address_and_password() -> None:
    (ape,) = viid.read_apes(said({"APEListObject": {"APEObject": [APE]}}), DEVICE)
    assert isinstance(ape, Ape)
    assert (ape.code, ape.online) == (OTHER, True)
    assert ape.facts == {
        "ApeID": OTHER, "Name": "北门", "Longitude": "103.8", "Latitude": "36.06", "MonitorDirection": "5",
        "IsOnline": "1",
    }  # fmt: skip


@pytest.mark.parametrize(("written", "online"), [(1, True), ("2", False), ("9", None), (None, None)])
def test_a_camera_is_online_offline_or_nobody_knows(written: object, online: bool | None) -> None:
    (ape,) = viid.read_apes(said({"APEListObject": {"APEObject": APE | {"IsOnline": written}}}), DEVICE)
    assert isinstance(ape, Ape)
    assert ape.online is online


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "empty"),
        (b"<a/>", "not_json"),
        (said({}), "unknown_shape"),
        (said({"APEListObject": {"APEObject": [7]}}), "bad_item"),
        (said({"APEListObject": {"APEObject": [{"Name": "x"}]}}), "no_device"),
        (said({"APEListObject": {"APEObject": [APE] * 201}}), "too_many_items"),
    ],
)
def test_a_list_of_cameras_that_cannot_be_read_is_refused_by_a_code(body: bytes, code: str) -> None:
    (refused,) = viid.read_apes(body, DEVICE)
    assert isinstance(refused, Refused)
    assert refused.code == code


# -- taken in nowhere ------------------------------------------------------------------------------


def test_each_object_of_a_collection_that_nobody_reads_has_a_status_of_its_own() -> None:
    gates = {"TollgateListObject": {"TollgateObject": [{"TollgateID": "t1"}, {"TollgateID": "t2"}, 7]}}
    assert told(viid.not_taken_in("Tollgates", said(gates), DEVICE)) == [
        ("not_taken_in", "t1"), ("not_taken_in", "t2"), ("not_taken_in", ""),
    ]  # fmt: skip
    assert told(viid.not_taken_in("Tollgates", said({}), DEVICE)) == [("not_taken_in", "")]
    assert told(viid.not_taken_in("Tollgates", b"<a/>", DEVICE)) == [("not_json", "")]


def test_whatever_is_posted_as_a_face_is_refused_as_one() -> None:
    faces = {"FaceListObject": {"FaceObject": [{"FaceID": "f1", "Name": "secret"}]}}
    cars = {"MotorVehicleListObject": {"MotorVehicleObject": [{"MotorVehicleID": "v1"}]}}
    for body, item in ((said(faces), "f1"), (said(cars), "v1"), (b"<a/>", ""), (said({"KeepaliveObject": {}}), "")):
        items = viid.of_people("Faces", body, DEVICE)
        assert told(items) == [("faces_refused", item)]
        assert "secret" not in repr(items)
        assert told(viid.of_people("Dispositions", body, DEVICE)) == [("about_people", item)]


# -- quarantine ------------------------------------------------------------------------------------


def kept(message: Any, most: int = ROOM) -> Any:
    return json.loads(viid.without_people(said(message), most))


def test_of_a_message_in_quarantine_faces_and_pictures_of_people_are_left_out() -> None:
    car = {"MotorVehicleID": "v1", "SubImageList": {"SubImageInfoObject": [
        {"ImageID": "i1", "Type": "14", "Data": PICTURE}, {"ImageID": "i2", "Type": "04", "Data": PICTURE},
    ]}}  # fmt: skip
    message = {
        "MotorVehicleListObject": {"MotorVehicleObject": [car]},
        "FaceListObject": {"FaceObject": [{"FaceID": "f1"}]},
        "Notes": [{"FaceObjectList": {"FaceObject": {"FaceID": "f1"}}}],
    }
    assert kept(message) == {
        "MotorVehicleListObject": {"MotorVehicleObject": [
            {"MotorVehicleID": "v1", "SubImageList": {"SubImageInfoObject": [
                {"ImageID": "i1", "Type": "14", "Data": PICTURE},
            ]}},
        ]},
        "Notes": [{}],
    }  # fmt: skip


def test_of_a_person_in_quarantine_only_when_and_where_is_left() -> None:
    person = {"PersonID": "p1", "DeviceID": DEVICE, "ShotTime": "20261120080000", "Name": "secret", "IDNumber": "1",
              "SubImageList": {"SubImageInfoObject": [{"Type": "14", "Data": PICTURE}]}}  # fmt: skip
    left = {"PersonID": "p1", "DeviceID": DEVICE, "ShotTime": "20261120080000"}
    assert kept({"PersonListObject": {"PersonObject": [person]}}) == {"PersonListObject": {"PersonObject": [left]}}
    assert kept({"A": {"PersonList": [person, 7]}}) == {"A": {"PersonList": [left, None]}}
    assert kept([person, {"FaceID": "f1", "Name": "secret"}]) == [left, None], "also where no list says what they are"


def test_where_a_message_has_no_room_its_other_pictures_are_left_out_so_that_it_can_be_read_again() -> None:
    car = {"MotorVehicleID": "v1", "SubImageList": {"SubImageInfoObject": [{"Type": "14", "Data": PICTURE}]}}
    message = {"MotorVehicleListObject": {"MotorVehicleObject": [car]}}
    (seen,) = kept(message, 100)["MotorVehicleListObject"]["MotorVehicleObject"]
    assert seen["SubImageList"]["SubImageInfoObject"] == [{"Type": "14"}]


@pytest.mark.parametrize(
    "body",
    [
        b'{"FaceListObject": {"FaceObject": [{"FaceID": "f1"',
        b'{"personlist": [',
        b'{"\\u0046aceListObject": [',
        '{"FaceListObject": ['.encode("utf-16"),
    ],
)
def test_what_cannot_be_read_and_may_speak_of_people_is_not_kept_at_all(body: bytes) -> None:
    assert viid.without_people(body, ROOM) == b""


def test_what_cannot_be_read_otherwise_is_kept_without_long_runs_of_base64() -> None:
    cut = b'{"MotorVehicleID": "v1", "Data": "' + b"A" * 300
    assert viid.without_people(cut, ROOM) == b'{"MotorVehicleID": "v1", "Data": "...'


def test_the_time_is_told_in_the_citys_zone() -> None:
    now = datetime(2026, 11, 20, 8, 0, 5, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert json.loads(viid.answer_time(DEVICE, now)) == {
        "SystemTimeObject": {
            "VIIDServerID": DEVICE, "TimeMode": "1", "LocalTime": "20261120080005", "TimeZone": "+08:00",
        }
    }  # fmt: skip


def test_no_spoilt_message_breaks_what_reads_it_beside_the_parser() -> None:
    for body, _ in spoilt("gat1400", 11, 1_000):
        viid.device_of(body, DEVICE)
        assert all(isinstance(each, Ape | Refused) for each in viid.read_apes(body, DEVICE))
        for items in (viid.not_taken_in("Lanes", body, DEVICE), viid.of_people("Faces", body, DEVICE)):
            assert items
            assert all(isinstance(each, Refused) for each in items)
        left = viid.without_people(body, ROOM)
        assert b"FaceObject" not in left
        assert viid.without_people(left, ROOM) == left or not left, "twice takes out no more"
