"""Hikvision ISAPI: whatever the firmware, the same alarm."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from events.intake import hikvision
from events.intake.camera_event import CameraEvent, Phase
from tests.fuzz.corpus import JPEG, alarm
from tests.unit.events.intake.read import event, heartbeat, refusal

NAMESPACES = (
    b"http://www.hikvision.com/ver20/XMLSchema", b"http://www.isapi.org/ver20/XMLSchema", b"urn:psialliance-org", b"",
)  # fmt: skip


def in_parts(*parts: bytes) -> bytes:
    return b"".join(b"--MIME\r\nContent-Type: x/y\r\n\r\n" + part + b"\r\n" for part in parts) + b"--MIME--\r\n"


def changed(old: bytes, new: bytes) -> bytes:
    assert old in alarm()
    return alarm().replace(old, new)


@pytest.mark.parametrize("namespace", NAMESPACES)
def test_the_namespace_makes_no_difference(namespace: bytes) -> None:
    assert event(hikvision.parse(changed(b"http://www.isapi.org/ver20/XMLSchema", namespace))) == _ignoring_bytes()


def _ignoring_bytes() -> CameraEvent:
    return event(hikvision.parse(alarm()))


def test_an_alarm_says_who_when_what_and_where() -> None:
    seen = event(hikvision.parse(alarm()))
    assert (seen.device.mac, seen.device.channel) == ("aa:bb:cc:00:11:22", "1")
    assert seen.at == datetime(2026, 11, 20, 0, 9, 10, tzinfo=UTC)
    assert (seen.kind, seen.zone, seen.target) == ("linedetection", "2", "vehicle")
    assert seen.resent
    assert seen.fields["description"] == "越界"


def test_repeats_and_the_end_keep_the_lane_of_the_start() -> None:
    start, repeat = (event(hikvision.parse(alarm(posts=posts))) for posts in (1, 174))
    ends = event(hikvision.parse(alarm(state="inactive").replace(b"<regionID>2</regionID>", b"")))
    assert [each.phase for each in (start, repeat, ends)] == [Phase.START, Phase.UPDATE, Phase.END]
    assert start.lane == repeat.lane == ends.lane is not None
    assert start.lane != event(hikvision.parse(changed(b"<channelID>1<", b"<channelID>2<"))).lane


def test_the_same_message_twice_has_one_key_and_another_moment_another() -> None:
    assert event(hikvision.parse(alarm())).key == event(hikvision.parse(alarm())).key
    later = changed(b"08:09:10", b"08:09:11")
    assert event(hikvision.parse(later)).key != event(hikvision.parse(alarm())).key


@pytest.mark.parametrize(
    ("written", "kind"),
    [
        ("VMD", "motiondetection"),
        ("VMDHumanVehicle", "motiondetection"),
        ("shelteralarm", "tamperdetection"),
        ("PIR", "pir"),
    ],
)
def test_a_type_has_one_name(written: str, kind: str) -> None:
    assert event(hikvision.parse(alarm(written))).kind == kind


def test_an_alarm_that_lasts_names_its_real_type_further_in() -> None:
    inner = b"<DurationList><Duration><relationEvent>fielddetection</relationEvent></Duration></DurationList><isData"
    assert event(hikvision.parse(alarm("duration").replace(b"<isData", inner))).kind == "fielddetection"
    assert event(hikvision.parse(alarm("duration"))).kind == "duration"


def test_no_loss_of_video_is_how_it_says_that_it_is_there() -> None:
    assert heartbeat(hikvision.parse(alarm("videoloss", "inactive"))).device.mac == "aa:bb:cc:00:11:22"
    assert event(hikvision.parse(alarm("videoloss", "active"))).kind == "videoloss"


def test_a_camera_of_a_recorder_is_channel_33_and_more() -> None:
    seen = event(hikvision.parse(changed(b"channelID>1</channelID", b"dynChannelID>34</dynChannelID")))
    assert (seen.device.channel, seen.fields["camera_of_recorder"]) == ("34", "2")


@pytest.mark.parametrize("order", [(0, 1, 2), (1, 0, 2), (1, 2, 0)])
def test_pictures_belong_to_the_alarm_in_whatever_order_they_come(order: tuple[int, ...]) -> None:
    parts = (alarm(), JPEG, JPEG)
    seen = event(hikvision.parse(in_parts(*(parts[n] for n in order)), "multipart/form-data; boundary=MIME"))
    assert [each.data for each in seen.snapshots] == [JPEG, JPEG]


def test_of_several_alarms_each_has_the_pictures_that_follow_it() -> None:
    first, second = hikvision.parse(in_parts(alarm(), JPEG, alarm("io")), "multipart/mixed; boundary=MIME")
    assert isinstance(first, CameraEvent)
    assert isinstance(second, CameraEvent)
    assert (len(first.snapshots), len(second.snapshots)) == (1, 0)


def test_json_says_the_same_as_xml() -> None:
    body = (
        b'{"macAddress":"AA-BB-CC-00-11-22","channelID":1,"dateTime":"2026-11-20T08:09:10+08:00","activePostCount":1,'
        b'"eventType":"linedetection","eventState":"active","eventDescription":"\xe8\xb6\x8a\xe7\x95\x8c",'
        b'"ipAddress":"10.0.0.9","isDataRetransmission":true,'
        b'"DetectionRegionList":[{"DetectionRegionEntry":{"regionID":2,"detectionTarget":"vehicle"}}]}'
    )
    assert event(hikvision.parse(body)) == event(hikvision.parse(alarm()))


def test_a_device_that_lost_its_clock_says_no_moment() -> None:
    seen = event(hikvision.parse(changed(b"2026-11-20T08:09:10+08:00", b"1970-01-01T08:00:07+08:00")))
    assert (seen.at, seen.local_time) == (None, None)
    assert seen.fields["clock"] == "1970-01-01T08:00:07+08:00"


def test_faces_are_refused_and_nothing_of_them_is_told() -> None:
    told = refusal(hikvision.parse(in_parts(alarm("faceSnap"), JPEG), "multipart/form-data; boundary=MIME"))
    assert told.code == "faces_refused"
    assert "JFIF" not in repr(told)


@pytest.mark.parametrize(
    ("body", "content_type", "code"),
    [
        (b"<a/>", "", "unknown_shape"),
        (b"hello", "", "not_xml"),
        (b"{}", "", "unknown_shape"),
        (alarm("").replace(b"<eventType></eventType>", b""), "", "no_kind"),
        (in_parts(JPEG), "multipart/form-data; boundary=MIME", "no_alarm"),
        (in_parts(*[alarm()] * 5), "", "too_large"),
        (b"<a>" + b"x" * hikvision.MOST_TEXT_BYTES, "", "too_large"),
        (b"<" + bytes(hikvision.MOST_BYTES), "", "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code(body: bytes, content_type: str, code: str) -> None:
    assert refusal(hikvision.parse(body, content_type)).code == code
