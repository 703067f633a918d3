"""Dahua: blocks of text, in whatever they come, with whatever is left of their JSON."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from events.intake import dahua
from events.intake.camera_event import CameraEvent, Heartbeat, Phase
from tests.fuzz.corpus import JPEG
from tests.unit.events.intake.read import event, events, heartbeat, refusal

BLOCK = b'Code=CrossLineDetection;action=Start;index=0;data={"Name":"kerb","Object":{"ObjectType":"Vehicle"}}'


def test_a_block_says_what_begins_where() -> None:
    seen = event(dahua.parse(BLOCK))
    assert (seen.kind, seen.phase, seen.device.channel) == ("crosslinedetection", Phase.START, "0")
    assert (seen.zone, seen.target) == ("kerb", "vehicle")


def test_start_and_stop_share_a_lane_even_where_stop_brings_no_data() -> None:
    stop = event(dahua.parse(b"Code=CrossLineDetection;action=Stop;index=0"))
    assert stop.phase is Phase.END
    assert stop.lane == event(dahua.parse(BLOCK)).lane
    assert stop.lane != event(dahua.parse(b"Code=CrossLineDetection;action=Stop;index=1")).lane


def test_a_body_holds_several_blocks() -> None:
    more = b"\r\nCode=VideoMotion;action=Pulse;index=1\r\n\r\nCode=AlarmLocal;action=Stop;index=2"
    told = events(dahua.parse(BLOCK + more))
    assert [(each.kind, each.phase) for each in told] == [
        ("crosslinedetection", Phase.START),
        ("videomotion", Phase.PULSE),
        ("alarmlocal", Phase.END),
    ]


def test_broken_json_costs_no_event() -> None:
    seen = event(dahua.parse(b'Code=ParkingDetection;action=Start;index=0;data={"Name":"kerb", "UTC":1766000000, [1,}'))
    assert (seen.zone, seen.fields["data"]) == ("kerb", "broken")
    assert seen.at == datetime.fromtimestamp(1766000000, UTC)


def test_the_wall_clock_is_believed_before_utc_that_is_often_none() -> None:
    data = b'{"UTC":1766000000,"LocaleTime":"2026-11-20 08:00:00"%s}'
    assert event(dahua.parse(b"Code=A;action=Pulse;index=0;data=" + data % b"")).local_time == "2026-11-20T08:00:00"
    real = event(dahua.parse(b"Code=A;action=Pulse;index=0;data=" + data % b',"RealUTC":1766000001'))
    assert real.at == datetime.fromtimestamp(1766000001, UTC)


def test_a_stream_of_parts_has_events_pictures_and_heartbeats() -> None:
    body = b"".join(
        b"--myboundary\r\nContent-Type: " + kind + b"\r\n\r\n" + data + b"\r\n"
        for kind, data in ((b"text/plain", BLOCK), (b"image/jpeg", JPEG), (b"text/plain", b"Heartbeat"))
    )
    first, second = dahua.parse(body, "multipart/x-mixed-replace; boundary=myboundary")
    assert isinstance(first, CameraEvent)
    assert first.snapshots[0].data == JPEG
    assert isinstance(second, Heartbeat)


@pytest.mark.parametrize(
    "body",
    [
        b"Code=CrossLineDetection&action=Start&index=0&data=%7B%22Name%22%3A%22kerb%22%2C%22Object%22%3A%7B%22ObjectType%22%3A"
        b"%22Vehicle%22%7D%7D",
        b'{"Code":"CrossLineDetection","Action":"Start","Index":0,"Data":{"Name":"kerb","Object":{"ObjectType":"Vehicle"}}}',
        b'{"Events":[{"Code":"CrossLineDetection","Action":"Start","Index":0,"Data":{"Name":"kerb",'
        b'"Object":{"ObjectType":"Vehicle"}}}]}',
    ],
)
def test_a_form_and_json_say_the_same_as_text(body: bytes) -> None:
    assert event(dahua.parse(body)) == event(dahua.parse(BLOCK))


def test_what_a_device_tells_of_itself_is_a_state() -> None:
    assert heartbeat(dahua.parse(b"Code=NTPAdjustTime;action=Pulse;index=0;data={}")).state == "ntpadjusttime"


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"hello", "unknown_shape"),
        (b"Code=;action=Start", "no_kind"),
        (b"Code=A;action=Dance;index=0", "no_phase"),
        (b"Code=FaceDetection;action=Start;index=0;data={}", "faces_refused"),
        (b"Code=A;action=Start;index=0\n" * 300, "too_many_items"),
        (b"Code=" + b"A" * dahua.MOST_TEXT_BYTES, "too_large"),
        (b"", "empty"),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code(body: bytes, code: str) -> None:
    assert refusal(dahua.parse(body)).code == code
