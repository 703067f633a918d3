"""GB/T 28181: what a number means depends on the method; places that are none are left out."""

from __future__ import annotations

import pytest

from events.intake import gb28181
from events.intake.camera_event import Phase, Spot
from events.intake.xml_tree import read_xml
from tests.fuzz.corpus import gb_alarm
from tests.unit.events.intake.read import event, heartbeat, refusal


def test_an_alarm_says_who_when_where_and_how_bad() -> None:
    told = event(gb28181.parse(gb_alarm().encode()))
    assert (told.device.code, told.kind, told.phase) == ("62010200001320000001", "intrusion", Phase.PULSE)
    assert (told.at, told.local_time) == (None, "2026-11-20T08:00:00")
    assert told.spot == Spot(lon=103.83, lat=36.06, datum="wgs84")
    assert (told.severity, told.fields["description"]) == ("2", "闯入")


@pytest.mark.parametrize("encoding", ["gb2312", "gbk", "utf-8"])
def test_every_encoding_says_the_same(encoding: str) -> None:
    body = f'<?xml version="1.0" encoding="{encoding}"?>' + gb_alarm()
    assert event(gb28181.parse(body.encode(encoding))) == event(gb28181.parse(gb_alarm().encode()))


@pytest.mark.parametrize(
    ("method", "number", "kind"),
    [
        ("2", "1", "video_loss"),
        ("5", "2", "motion"),
        ("6", "1", "disk_fault"),
        ("5", "1", "manual"),
        ("12", "1", "video_loss"),  # by phone and from the device: only the second knows the number
        ("25", "2", "tamper"),
        ("5", "99", "video_alarm_99"),
        ("7", "", "other_alarm"),
    ],
)
def test_a_number_means_what_the_method_makes_it(method: str, number: str, kind: str) -> None:
    assert event(gb28181.parse(gb_alarm(method, f"<AlarmType>{number}</AlarmType>").encode())).kind == kind


def test_the_nested_type_goes_before_the_flat_one() -> None:
    both = "<AlarmType>9</AlarmType><Info><AlarmType>2</AlarmType></Info>"
    assert event(gb28181.parse(gb_alarm("5", both).encode())).kind == "motion"


def test_an_intrusion_says_which_way() -> None:
    inner = "<Info><AlarmType>6</AlarmType><AlarmTypeParam><EventType>{}</EventType></AlarmTypeParam></Info>"
    told = [event(gb28181.parse(gb_alarm("5", inner.format(way)).encode())) for way in "12"]
    assert [each.target for each in told] == ["enter", "leave"]
    assert told[0].key != told[1].key


def test_the_command_in_lower_case_and_none_at_all_are_alarms() -> None:
    whole = event(gb28181.parse(gb_alarm().encode()))
    assert event(gb28181.parse(gb_alarm(cmd="cmdType").encode())) == whole
    assert event(gb28181.parse(gb_alarm().replace("<CmdType>Alarm</CmdType>", "").encode())) == whole


@pytest.mark.parametrize(("lon", "lat"), [("0.000", "0.000"), ("171.3", "34.2"), ("36.06", "103.83"), ("x", "y")])
def test_a_place_that_is_none_is_left_out_and_said(lon: str, lat: str) -> None:
    told = event(gb28181.parse(gb_alarm().replace("36.06", lat).replace("103.83<", f"{lon}<", 1).encode()))
    assert told.spot is None
    assert told.fields["place_left_out"] == f"{lon}, {lat}"


def test_a_keepalive_is_a_heartbeat() -> None:
    body = b"<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>62</DeviceID><Status>OK</Status></Notify>"
    told = heartbeat(gb28181.parse(body))
    assert (told.device.code, told.state, told.without) == ("62", "ok", ())
    broken = b"<Info><DeviceID>6201</DeviceID><DeviceID>6202</DeviceID><DeviceID/></Info></Notify>"
    assert heartbeat(gb28181.parse(body.replace(b"</Notify>", broken))).without == ("6201", "6202")


def test_the_answer_names_the_alarm_that_it_answers() -> None:
    root = read_xml(gb28181.answer("17", "6201<&"))
    assert root.name == "response"
    assert [root.value(name) for name in ("cmdtype", "sn", "deviceid", "result")] == ["Alarm", "17", "6201<&", "OK"]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (gb_alarm().replace("62010200001320000001", ""), "no_device"),
        (gb_alarm("", ""), "no_kind"),
        ("<Notify><CmdType>Catalog</CmdType></Notify>", "unknown_shape"),
        ("<Response><CmdType>Alarm</CmdType></Response>", "unknown_shape"),
        ("nothing", "not_xml"),
        ("<a>" + "x" * gb28181.MOST_BYTES, "too_large"),
    ],
)
def test_what_cannot_be_read_is_refused_by_a_code(body: str, code: str) -> None:
    assert refusal(gb28181.parse(body.encode())).code == code
