"""The kept corpus: messages in every shape that a parser knows, made here, for the fuzzer to spoil and for tests.

Where a message was ever found that broke a parser or took it long, it is added here.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from events.intake import cloudevents, dahua, frigate, gat1400, gb28181, hikvision, mapped, onvif, sip, viid
from events.intake.camera_event import Device, Heartbeat, Parsed, Refused
from events.intake.unreadable import Unreadable
from gridsvc.actions.quarantine_message import MOST_BYTES as QUARANTINED

JPEG: Final = b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + bytes(range(256)) + b"\xff\xd9"
PICTURE: Final = base64.b64encode(JPEG).decode("ascii")


@dataclass(frozen=True)
class Target:
    """A parser, how large its messages may be, and the kept messages with the type that they come under.

    `large` makes messages of about the largest size, each chosen to cost as much as it can.
    """

    parse: Callable[[bytes, str], Sequence[Parsed]]
    most_bytes: int
    kept: Sequence[tuple[bytes, str]]
    large: Callable[[int], Iterator[tuple[bytes, str]]]
    usual: str = "CameraEvent"  # what most kept messages are read as


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def _parts(*parts: tuple[str, bytes], boundary: str = "grid", end: bool = True) -> bytes:
    body = b"".join(
        f"--{boundary}\r\nContent-Type: {media_type}\r\nContent-Length: {len(data)}\r\n\r\n".encode() + data + b"\r\n"
        for media_type, data in parts
    )
    return body + (f"--{boundary}--\r\n".encode() if end else b"")


# --- Frigate ------------------------------------------------------------------------------------------

_SEEN = {
    "id": "1766000000.125-gridaa", "camera": "bridge", "frame_time": 1766000003.5, "label": "car",
    "sub_label": ["dust lorry", 0.81], "top_score": 0.93, "false_positive": False, "start_time": 1766000000.125,
    "end_time": None, "score": 0.9, "current_zones": ["no_parking"], "entered_zones": ["kerb", "no_parking"],
    "has_snapshot": True, "stationary": True, "recognized_license_plate": "A00001", "current_estimated_speed": 0.0,
}  # fmt: skip
_REVIEW = {
    "id": "1766000001.5-gridbb", "camera": "gate", "start_time": 1766000001.5, "end_time": 1766000031.5,
    "severity": "alert", "thumb_path": "/media/frigate/clips/review/thumb-gate-1766000001.5-gridbb.webp",
    "data": {
        "detections": ["1766000001.2-x"], "objects": ["person-verified", "bicycle"], "sub_labels": [],
        "zones": ["yard"], "audio": ["glass"],
    },
}  # fmt: skip
FRIGATE: Final = [
    (_json({"type": "new", "before": _SEEN, "after": _SEEN}), "application/json"),
    (_json({"type": "update", "before": _SEEN, "after": _SEEN | {"sub_label": "post"}}), "application/json"),
    (_json({"type": "end", "before": _SEEN, "after": _SEEN | {"end_time": 1766000009.0}}), "application/json"),
    (_json({"type": "end", "before": _REVIEW, "after": _REVIEW}), "application/json"),
    (_json([_SEEN, _REVIEW, _SEEN | {"false_positive": True}]), "application/json"),
    (_json({"type": "classification", "id": "1766000000.1-c", "camera": "site", "model": "helmet", "attribute": "no",
            "score": 0.9, "timestamp": 1766000001.0}), ""),
    (_json({"type": "face", "id": "1766000000.1-c", "name": "somebody", "score": 0.9}), ""),
    (_json({"type": "description", "id": "1766000000.1-c", "description": "a heap of sand"}), ""),
    (_json({"name": "skip_full", "camera": "lane", "event_id": "1766000000.1-d", "score": 0.8}), ""),
    (b"online", "text/plain"),
]  # fmt: skip

# --- Hikvision ----------------------------------------------------------------------------------------

_ALARM = """<EventNotificationAlert version="2.0" xmlns="http://www.isapi.org/ver20/XMLSchema">
<ipAddress>10.0.0.9</ipAddress><macAddress>AA-BB-CC-00-11-22</macAddress><channelID>1</channelID>
<dateTime>2026-11-20T08:09:10+08:00</dateTime><activePostCount>{posts}</activePostCount>
<eventType>{kind}</eventType><eventState>{state}</eventState><eventDescription>越界</eventDescription>
<DetectionRegionList><DetectionRegionEntry><regionID>2</regionID><detectionTarget>vehicle</detectionTarget>
</DetectionRegionEntry></DetectionRegionList><isDataRetransmission>true</isDataRetransmission>
</EventNotificationAlert>"""


def alarm(kind: str = "linedetection", state: str = "active", posts: int = 1) -> bytes:
    """An alarm of Hikvision without a declaration."""
    return _ALARM.format(kind=kind, state=state, posts=posts).encode()


_HIK_JSON = _json({
    "ipAddress": "10.0.0.9", "macAddress": "aa:bb:cc:00:11:22", "dynChannelID": "35",
    "dateTime": "2026-11-20T00:09:10Z", "activePostCount": 3, "eventType": "regionEntrance", "eventState": "active",
    "DetectionRegionList": [{"regionID": 4, "detectionTarget": "human"}],
})  # fmt: skip
HIKVISION: Final = [
    (alarm(), "application/xml"),
    (alarm("videoloss", "inactive", 0), "application/xml"),
    (b'<?xml version="1.0" encoding="GB2312"?>' + _ALARM.format(kind="VMD", state="inactive", posts=9).encode("gb2312"),
     "text/xml"),
    (b"\xef\xbb\xbf" + alarm("IO"), ""),
    (_ALARM.format(kind="shelteralarm", state="active", posts=2).encode("utf-16"), ""),
    (alarm("duration").replace(b"</EventNotificationAlert>", b"<DurationList><Duration><relationEvent>PIR"
     b"</relationEvent></Duration></DurationList></EventNotificationAlert>"), ""),
    (_HIK_JSON, "application/json"),
    (_parts(("image/jpeg", JPEG), ("application/xml", alarm()), ("image/jpeg", JPEG)),
     "multipart/form-data; boundary=grid"),
    (_parts(("application/json", _HIK_JSON), ("image/jpeg", JPEG), ("application/xml", alarm("faceDetection"))), ""),
    (_parts(("application/xml", alarm()), ("image/jpeg", JPEG), end=False)[:-40], 'multipart/mixed; boundary="grid"'),
]  # fmt: skip

# --- ONVIF --------------------------------------------------------------------------------------------

_NOTICE = """<n:NotificationMessage><n:Topic Dialect="d">{topic}</n:Topic><n:Message>
<t:Message UtcTime="2026-11-20T00:00:0{second}Z" {how}="{what}"><t:Source><t:SimpleItem Name="VideoSourceToken"
Value="1"/><t:SimpleItem Name="Rule" Value="kerb"/></t:Source><t:Key><t:SimpleItem Name="ObjectId" Value="7"/></t:Key>
<t:Data><t:SimpleItem Name="IsInside" Value="{value}"/><t:SimpleItem Name="ClassTypes" Value="Vehicle"/></t:Data>
</t:Message></n:Message></n:NotificationMessage>"""
_ENVELOPE = """<s:Envelope xmlns:s="{soap}" xmlns:n="http://docs.oasis-open.org/wsn/b-2"
xmlns:t="http://www.onvif.org/ver10/schema"><s:Body><n:Notify>{inside}</n:Notify></s:Body></s:Envelope>"""


def notice(
    topic: str = "tns1:RuleEngine/FieldDetector/ObjectsInside",
    what: str = "Changed",
    value: str = "true",
    how: str = "PropertyOperation",
    second: int = 1,
) -> str:
    """One notification of ONVIF."""
    return _NOTICE.format(topic=topic, what=what, value=value, how=how, second=second)


def envelope(*notices: str, soap: str = "http://www.w3.org/2003/05/soap-envelope") -> bytes:
    """A Notify with its envelope."""
    return _ENVELOPE.format(soap=soap, inside="".join(notices)).encode()


ONVIF: Final = [
    (envelope(notice()), "application/soap+xml"),
    (envelope(notice(), notice(value="false", second=2), soap="http://schemas.xmlsoap.org/soap/envelope/"), "text/xml"),
    (envelope(notice(what="Initialized")), ""),
    (envelope(notice(how="PropertyType", topic="x:Device/x:Trigger/DigitalInput", value="0")), ""),
    (envelope(notice(what="Deleted"), notice(topic="a:CameraApplicationPlatform/VMD/Camera1Profile1", value="")), ""),
    (envelope(), ""),
    (b'<tt:MetadataStream xmlns:tt="http://www.onvif.org/ver10/schema"/>', ""),
]

# --- Dahua --------------------------------------------------------------------------------------------

_BLOCK = (
    b'Code=CrossLineDetection;action=Start;index=0;data={\n   "Name" : "kerb",\n   "EventID" : 1012,\n'
    b'   "Object" : { "ObjectType" : "Vehicle", "BoundingBox" : [ 1, 2, 3, 4 ] },\n   "UTC" : 1766000000,\n'
    b'   "LocaleTime" : "2026-11-20 08:00:00"\n}\n'
)
DAHUA: Final = [
    (_BLOCK, "text/plain"),
    (b"Code=VideoMotion;action=Stop;index=1\r\nCode=AlarmLocal;action=Pulse;index=2", "text/plain"),
    (b'Code=ParkingDetection;action=Start;index=0;data={ "Name" : "kerb", "UTC" : 1766000000, "broken": [ 1, }', ""),
    (b"Heartbeat", "text/plain"),
    (_parts(("text/plain", _BLOCK), ("image/jpeg", JPEG), ("text/plain", b"Heartbeat"), boundary="myboundary",
            end=False), "multipart/x-mixed-replace; boundary=myboundary"),
    (b"Code=SmartMotionVehicle&action=Start&index=3&data=%7B%22RealUTC%22%3A1766000000%7D",
     "application/x-www-form-urlencoded"),
    (_json({"Events": [{"Code": "WanderDetection", "Action": "Pulse", "Index": 0, "Data": {"Name": "gate"}},
                       {"Code": "FaceDetection", "Action": "Pulse", "Index": 0}]}), "application/json"),
    (b"Code=NTPAdjustTime;action=Pulse;index=0;data={ \"result\" : true }", ""),
]  # fmt: skip

# --- GA/T 1400 ----------------------------------------------------------------------------------------

_VEHICLE = {
    "MotorVehicleID": "620102000011900000010220261120080000000010200001", "DeviceID": "62010200001190000001",
    "LaneNo": 2, "PlateNo": "甘A00001", "PassTime": "20261120080000", "Speed": 0,
    "SubImageList": {"SubImageInfoObject": [
        {"ImageID": "1", "Type": "14", "FileFormat": "Jpeg", "Data": PICTURE},
        {"ImageID": "2", "Type": "11", "FileFormat": "Jpeg", "Data": PICTURE},
        {"ImageID": "3", "Type": "02", "StoragePath": "https://store.example/a.jpg"},
    ]},
}  # fmt: skip
_FACE = {"FaceID": "face-1", "DeviceID": "62010200001190000001", "IDNumber": "secret-number", "Name": "secret-name"}
GAT1400: Final = [
    (_json({"MotorVehicleListObject": {"MotorVehicleObject": [_VEHICLE, _VEHICLE | {"MotorVehicleID": "v2"}]}}), ""),
    (_json({"FaceListObject": {"FaceObject": [_FACE]}}), ""),
    (_json({"PersonListObject": {"PersonObject": [{"PersonID": "p1", "Name": "secret-name", "SourceID": "s"}]}}), ""),
    (_json({"SubscribeNotificationListObject": {"SubscribeNotificationObject": [
        {"NotificationID": "n1", "TriggerTime": "20261120080000",
         "NonMotorVehicleObjectList": {"NonMotorVehicleObject": [{"NonMotorVehicleID": "b1"}]},
         "FaceObjectList": {"FaceObject": [_FACE]}}]}}), ""),
    (_json({"ImageListObject": {"Image": [{"ImageInfo": {"ImageID": "i1", "ShotTime": "20261120080000"},
                                          "Data": PICTURE}]}}), ""),
    (_json({"ThingList": [{"ThingID": "t1"}], "SceneListObject": {"SceneObject": {"SceneID": "s1"}}}), ""),
    (_json({"KeepaliveObject": {"DeviceID": "62010200001190000001"}}), ""),
    (_json({"RegisterObject": {"DeviceID": "62010200001190000001"}}), ""),
]  # fmt: skip

VIID: Final = [
    *GAT1400,
    (_json({"APEListObject": {"APE": [
        {"ApeID": "62010200001190000001", "Name": "路口", "Longitude": "103.83", "Latitude": 36.06, "IsOnline": "2"},
        {"ApeID": "62010200001190000002", "Name": "\u0000", "PlaceCode": None},
    ]}}), ""),
    (_json({"APEObjectList": {"APEObject": {"ApeID": "62010200001190000003"}}}), ""),
    (_json({"UnRegisterObject": {"DeviceID": " 62010200001190000001 "}}), ""),
    (_json({"TollgateListObject": {"TollgateObject": [{"TollgateID": "t1", "Name": "x"}]}}), ""),
    (_json({"DispositionListObject": {"DispositionObject": [{"DispositionID": "d1", "TargetFeature": "y"}]}}), ""),
]  # fmt: skip

# --- GB/T 28181 ---------------------------------------------------------------------------------------

_GB = """<Notify><{cmd}>Alarm</{cmd}><SN>7</SN><DeviceID>62010200001320000001</DeviceID>
<AlarmPriority>2</AlarmPriority><AlarmMethod>{method}</AlarmMethod><AlarmTime>2026-11-20T08:00:00</AlarmTime>
<AlarmDescription>{says}</AlarmDescription><Longitude>103.83</Longitude><Latitude>36.06</Latitude>{type}</Notify>"""


def gb_alarm(
    method: str = "5", kind: str = "<Info><AlarmType>6</AlarmType></Info>", says: str = "闯入", cmd: str = "CmdType"
) -> str:
    """An alarm of GB/T 28181 without a declaration."""
    return _GB.format(method=method, type=kind, says=says, cmd=cmd)


GB28181: Final = [
    (b'<?xml version="1.0" encoding="GB2312"?>' + gb_alarm().encode("gb2312"), "Application/MANSCDP+xml"),
    (b'<?xml version="1.0" encoding="GBK"?>' + gb_alarm("25", "<AlarmType>5</AlarmType>").encode("gbk"), ""),
    (gb_alarm(cmd="cmdType").encode(), ""),
    (gb_alarm(kind="<Info><AlarmType>6</AlarmType><AlarmTypeParam><EventType>2</EventType></AlarmTypeParam></Info>")
     .encode(), ""),
    (b"<Notify><CmdType>Keepalive</CmdType><SN>1</SN><DeviceID>62010200001320000001</DeviceID><Status>OK</Status>"
     b"</Notify>", ""),
    (b"<Notify><CmdType>MobilePosition</CmdType><DeviceID>1</DeviceID></Notify>", ""),
]  # fmt: skip

_SIP = (
    b"MESSAGE sip:62010200002000000001@10.0.0.1:5060 SIP/2.0\r\n"
    b"Via: SIP/2.0/UDP 10.0.0.9:5060;rport;branch=z9hG4bK1\r\n"
    b"From: <sip:62010200001320000001@6201020000>;tag=9\r\nTo: <sip:62010200002000000001@6201020000>\r\n"
    b"Call-ID: c\r\nCSeq: 20\r\n MESSAGE\r\nContent-Type: Application/MANSCDP+xml\r\n\r\n"
)
SIP: Final = [(_SIP + body, "") for body, _ in GB28181]

# --- CloudEvents and other JSON -----------------------------------------------------------------------

PAYLOAD: Final = {
    "kind": "pothole", "phase": "start", "incident": "car-7/88", "device": {"code": "62010200001320000001"},
    "zone": "lane 1", "target": "road", "score": 0.8, "severity": "high",
    "location": {"lon": 103.83, "lat": 36.06, "datum": "wgs84"}, "snapshots": [{"data": PICTURE}],
    "fields": {"depth_cm": 7},
}  # fmt: skip
EVENT: Final = {
    "specversion": "1.0", "id": "e-1", "source": "/survey/7", "type": "cn.grid.camera.pothole.new",
    "time": "2026-11-20T08:00:00+08:00", "subject": "62010200001320000001", "sampledrate": 3, "data": PAYLOAD,
}  # fmt: skip
BINARY: Final = {
    "ce-specversion": "1.0", "ce-id": "e-2", "ce-source": "/survey/7", "ce-type": "cn.grid.camera.litter",
    "ce-time": "2026-11-20T00:00:00Z", "ce-subject": "%E6%A1%A5",
}  # fmt: skip
CLOUDEVENTS: Final = [
    (_json(EVENT), "application/cloudevents+json"),
    (
        _json([EVENT, EVENT | {"id": "e-3", "type": "x", "data": {"kind": "smoke"}}]),
        "application/cloudevents-batch+json",
    ),
    (_json(EVENT | {"data_base64": PICTURE, "data": None}), "application/cloudevents+json; charset=utf-8"),
    (_json(PAYLOAD), "application/json"),
    (b"", "text/plain"),
]
MAPPING: Final[Mapping[str, Any]] = {
    "items": "alarms",
    "rules": {
        "kind": {"path": "what.code", "values": {"17": "fire", "18": "smoke"}},
        "serial": "unit", "time": "when", "lon": "pos[0]", "lat": "pos[1]", "datum": {"constant": "gcj02"},
        "score": "sure", "picture": {"path": ["image", "pics[0].b64"]}, "phase": "state", "field.note": "text",
    },
}  # fmt: skip
OTHER_JSON: Final = [
    (_json({"alarms": [{"what": {"code": 17}, "unit": "U-1", "when": 1766000000, "pos": [103.8, 36.1], "sure": 80,
                        "image": "data:image/jpeg;base64," + PICTURE, "state": "start", "text": "浓烟"}]}), ""),
    (_json({"alarms": [{"what": {"code": "99"}}, {"what": None}, 5]}), ""),
]  # fmt: skip


def _binary_and_not(body: bytes, content_type: str) -> Sequence[Parsed]:
    return cloudevents.parse(body, content_type, BINARY)


def _in_a_datagram(datagram: bytes, _content_type: str) -> Sequence[Parsed]:
    try:
        told = sip.read(datagram)
    except Unreadable as error:
        return (Refused(protocol="sip", code=error.code, says=error.says),)
    if told.method:
        answer = sip.answer(told, 200, "OK", "t", ("192.0.2.1", 5060))
        assert len(answer) < len(datagram) + 200, "an answer that grows is a weapon against whose address was forged"
    return gb28181.parse(told.body)


def _large_sip(most: int) -> Iterator[tuple[bytes, str]]:
    yield from ((_SIP + body, kind) for body, kind in _large_xml(most - len(_SIP)))
    yield _SIP[:-2] + b"\r\n ".join([b"a: b"] * (most // 8)) + b"\r\n\r\n", ""
    yield _SIP.replace(b";rport", b";rport" * 600), ""
    yield _SIP[:-2] + b"a: b\r\n" * (most // 6 - 200) + b"\r\n", ""


def _large_json(most: int) -> Iterator[tuple[bytes, str]]:
    """Large in each way that JSON has: long lists, text, escapes, digits, names, levels, and letters of GB18030."""
    kind = "application/json"
    yield b"[" + b"0," * 49_000 + b"0]", kind
    yield b"[" + b"{}," * 33_000 + b"{}]", kind
    yield b"{" + b",".join(b'"k%d":0' % n for n in range(33_000)) + b"}", kind
    yield b"[" + b"0," * (most // 2 - 2) + b"0]", kind
    yield b'{"after":{"id":"' + b"\\n" * (most // 2 - 20) + b'"}}', kind
    yield b'{"alarms":["' + b"\\u4e2d" * (most // 6 - 10) + b'"]}', kind
    yield b'{"alarms":["' + b"\xd6\xd0" * (most // 2 - 10) + b'"]}', kind
    yield b'{"alarms":["' + "中".encode() * (most // 3 - 10) + b'"]}', kind
    yield b"9" * (most - 1), kind
    yield b"0." + b"9" * (most - 3), kind
    yield b"[" * (most - 1), kind
    yield b"[" * 300 + b"1e999" + b"]" * 300, kind  # found: what is wrong was told with the whole path to it
    yield b" " * (most - 2) + b"{}", kind


def _large_xml(most: int) -> Iterator[tuple[bytes, str]]:
    """Large in each way that XML has."""
    kind = "text/xml"
    yield b"<a>" + b"<b/>" * (most // 4 - 4) + b"</a>", kind
    yield b"<a>" + b"<b>" * 20 + b"x\n" * (most // 2 - 80) + b"</b>" * 20 + b"</a>", kind
    yield b"<a>" + b"&#1;" * (most // 5 - 4) + b"</a>", kind
    yield b"<a>" + b"&amp;" * (most // 5 - 4) + b"</a>", kind
    yield b"<a " + b" ".join(b'a%d="1"' % n for n in range(most // 12)) + b"/>", kind
    yield b"<a b='" + b"&lt;" * (most // 4 - 10) + b"'/>", kind
    yield b"<" + b"a" * (most - 5) + b"/>", kind
    yield b"<!--" + b"-a" * (most // 2 - 10) + b"--><a/>", kind
    yield b"<a>" + b"<![CDATA[x]]>" * (most // 13 - 2) + b"</a>", kind
    yield b'<?xml version="1.0" encoding="gbk"?><a>' + b"\xd6\xd0" * (most // 2 - 40) + b"</a>", kind
    yield (b"<a>" + b"<b>" * 30 + b"<c>1</c>" * 4_900 + b"</b>" * 30 + b"</a>")[:most], kind


def _large_hikvision(most: int) -> Iterator[tuple[bytes, str]]:
    kind = "multipart/form-data; boundary=grid"
    yield from _large_xml(hikvision.MOST_TEXT_BYTES)
    yield from _large_json(hikvision.MOST_TEXT_BYTES)
    yield _parts(("text/xml", alarm()), *[("image/jpeg", JPEG * (most // len(JPEG) // 8 - 10))] * 8), kind
    yield (
        _parts(("text/xml", alarm()), *[("image/jpeg", b"\xff\xd8\xff" + b"\r\n--gri" * (most // 7 // 8 - 100))] * 8),
        kind,
    )
    yield _parts(*[("text/xml", b"<a>" + b"<b/>" * 4_900 + b"</a>")] * 63), kind
    yield _parts(*[("text/xml", b"<a>" + b"&amp;" * 50_000 + b"</a>")] * 63), kind
    yield _parts(*[("text/xml", b"<a>" + alarm() * 60 + b"</a>")] * 63), kind
    yield _parts(*[("application/json", b"[" + b"0," * 49_000 + b"0]")] * 63), kind
    yield b"--grid\r\na: b\r\n\r\n\r\n" * (most // 18), kind
    yield b"--grid\r\n" + b"\r" * (most - 10), kind
    yield b"--grid\r\na: b\r\n\r\n" + b"\r\n--gri" * (most // 7 - 10), kind


def _large_onvif(most: int) -> Iterator[tuple[bytes, str]]:
    yield from _large_xml(most)
    yield envelope(*[notice(second=n % 10) for n in range(199)]), ""


def _large_dahua(most: int) -> Iterator[tuple[bytes, str]]:
    text = dahua.MOST_TEXT_BYTES
    yield b"Code=A;action=Start;index=0\n" * (text // 29), ""
    yield b"\n" * (text - 100) + b"Code=A;action=Start;index=0", ""
    yield b"Code=A" + b"; " * (text // 2 - 10), ""
    yield b"Code=A;data=" + b'"a":' * (text // 4 - 10), ""
    yield b"Code=A;data=" + (b'"' + b"a" * 40) * (text // 41 - 10), ""
    yield b"Code=A;data=" + b'"a" : "' * (text // 7 - 10), ""
    yield (b"Code=A;data={" + b'"a":1;' * 200 + b"\n") * 199, ""
    yield b"Code=A&data=" + b"%7B" * (text // 3 - 10), ""
    yield b"Code=A" + b"&a=1" * (text // 4 - 10), ""
    yield from _large_json(text)
    yield from ((body, kind) for body, kind in _large_hikvision(most) if kind.startswith("multipart"))
    yield _parts(*[("text/plain", b"Code=A;action=Start;index=0\n" * 3)] * 63, boundary="grid"), ""


def _large_gat1400(most: int) -> Iterator[tuple[bytes, str]]:
    yield from _large_json(most)
    picture = base64.b64encode(JPEG * (most * 3 // 4 // len(JPEG) // 8 - 20)).decode()
    shown = {"SubImageInfoObject": [{"Type": "14", "Data": picture}] * 8}
    yield _json({"MotorVehicleListObject": {"MotorVehicleObject": [_VEHICLE | {"SubImageList": shown}]}}), ""
    spread = {"SubImageInfoObject": [{"Type": "14", "Data": " \n" + "A" * (most // 210 // 4)}] * 4}
    yield _json({"MotorVehicleListObject": {"MotorVehicleObject": [_VEHICLE | {"SubImageList": spread}] * 199}}), ""
    yield _json({"MotorVehicleListObject": {"MotorVehicleObject": [_VEHICLE] * 199}}), ""


def _large_cloudevents(most: int) -> Iterator[tuple[bytes, str]]:
    yield from _large_json(most)
    yield from ((body, "application/cloudevents-batch+json") for body, _ in _large_json(most))
    yield _json([EVENT | {"id": str(n)} for n in range(490)]), "application/cloudevents-batch+json"
    picture = base64.b64encode(JPEG * (most * 3 // 4 // len(JPEG) // 2 - 20)).decode()
    shown = EVENT | {"data": PAYLOAD | {"snapshots": [{"data": picture}] * 2}}
    yield _json([shown]), "application/cloudevents-batch+json"
    coded = base64.b64encode(_json(PAYLOAD | {"fields": {"a": "b" * (most * 3 // 4 - 3_000)}})).decode()
    yield (
        _json({name: each for name, each in EVENT.items() if name != "data"} | {"data_base64": coded}),
        ("application/cloudevents+json"),
    )


def _large_other(most: int) -> Iterator[tuple[bytes, str]]:
    yield from _large_json(most)
    one = {"what": {"code": 17}, "unit": "U-1", "when": 1766000000, "pos": [103.8, 36.1], "state": "start"}
    yield _json({"alarms": [one | {"image": PICTURE}] * 199}), ""
    yield _json({"alarms": [one | {"rest": [0] * 300}] * 199}), ""


_READ: Final = mapped.read_mapping(dict(MAPPING))


def _below_viid(body: bytes, _: str) -> tuple[Parsed, ...]:
    """What comes below /VIID beside objects that are taken in, each message by one of the ways; and what is kept of it.

    A camera that a platform reports stands as a heartbeat of that device.
    """
    way = len(body) % 4
    if way == 0:
        told = viid.read_apes(body, "")
        return tuple(
            each if isinstance(each, Refused) else Heartbeat(protocol=gat1400.PROTOCOL, device=Device(code=each.code))
            for each in told
        )
    if way == 1:
        return viid.of_people(viid.FACES, body, "")
    if way == 2:
        device = viid.device_of(body, "")
        return (Heartbeat(protocol=gat1400.PROTOCOL, device=Device(code=device)),)
    return viid.not_taken_in("Tollgates", viid.without_people(body, QUARANTINED), "")

TARGETS: Final[Mapping[str, Target]] = {
    "frigate": Target(frigate.parse, frigate.MOST_BYTES, FRIGATE, _large_json),
    "hikvision": Target(hikvision.parse, hikvision.MOST_BYTES, HIKVISION, _large_hikvision),
    "onvif": Target(onvif.parse, onvif.MOST_BYTES, ONVIF, _large_onvif),
    "dahua": Target(dahua.parse, dahua.MOST_BYTES, DAHUA, _large_dahua),
    "gat1400": Target(gat1400.parse, gat1400.MOST_BYTES, GAT1400, _large_gat1400),
    "viid": Target(_below_viid, gat1400.MOST_BYTES, VIID, _large_gat1400, usual="Heartbeat"),
    "gb28181": Target(gb28181.parse, gb28181.MOST_BYTES, GB28181, _large_xml),
    "sip": Target(_in_a_datagram, sip.MOST_BYTES, SIP, _large_sip),
    "cloudevents": Target(_binary_and_not, cloudevents.MOST_BYTES, CLOUDEVENTS, _large_cloudevents),
    "json": Target(lambda body, kind: mapped.parse(body, kind, _READ), mapped.MOST_BYTES, OTHER_JSON, _large_other),
}
