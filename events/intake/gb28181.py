"""GB/T 28181: the MANSCDP bodies `Alarm` and `Keepalive` of a MESSAGE, and the answer to an alarm.

Which transport brought them is not asked here. AlarmTime has no zone; the encoding is GB2312 or UTF-8.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Final
from xml.sax.saxutils import escape

from events.intake.camera_event import CameraEvent, Device, Heartbeat, Parsed, Phase, Refused, Spot
from events.intake.unreadable import Unreadable, check_size
from events.intake.values import degrees, fields_of, name_of, text, when, word
from events.intake.xml_tree import Node, read_xml

PROTOCOL: Final = "gb28181"
MOST_BYTES: Final = 64 * 1024
MEDIA_TYPE: Final = "Application/MANSCDP+xml"
DATUM: Final = "wgs84"  # the text names none; devices write what their receiver says

# Where the country lies, generously: the standard is a national one.
_WEST, _EAST, _SOUTH, _NORTH = 72.0, 138.0, 0.8, 55.9

METHODS: Final = {
    "1": "phone_alarm", "2": "device_alarm", "3": "sms_alarm", "4": "gps_alarm", "5": "video_alarm",
    "6": "device_fault", "7": "other_alarm",
}  # fmt: skip
"""AlarmMethod: by which way an alarm came."""

TYPES: Final = {
    ("2", "1"): "video_loss", ("2", "2"): "tamper", ("2", "3"): "disk_full", ("2", "4"): "high_temperature",
    ("2", "5"): "low_temperature",
    ("5", "1"): "manual", ("5", "2"): "motion", ("5", "3"): "object_left", ("5", "4"): "object_removed",
    ("5", "5"): "tripwire", ("5", "6"): "intrusion", ("5", "7"): "wrong_way", ("5", "8"): "loitering",
    ("5", "9"): "flow_count", ("5", "10"): "density", ("5", "11"): "video_abnormal", ("5", "12"): "fast_movement",
    ("6", "1"): "disk_fault", ("6", "2"): "fan_fault",
}  # fmt: skip
"""AlarmType: what was seen; its number means another thing with each method."""

_DIRECTIONS: Final = {"1": "enter", "2": "leave"}


def parse(body: bytes, content_type: str = "") -> tuple[Parsed, ...]:
    """What one body says: one item."""
    try:
        check_size(body, MOST_BYTES)
        root = read_xml(body)
    except Unreadable as error:
        return (_refused(error.code, error.says, Device()),)
    device = Device(code=text(root.value("deviceid"), 40))
    command = word(root.value("cmdtype"))
    if root.name == "notify" and command == "keepalive":
        return (_keepalive(root, device),)
    if root.name == "notify" and (command == "alarm" or (command is None and root.first("alarmmethod"))):
        return (_alarm(root, device, sha256(body).hexdigest()),)
    given = f"{text(root.name, 40)} {text(command, 40) or 'without CmdType'}"
    return (_refused("unknown_shape", f"{given}; want Notify with CmdType Alarm or Keepalive", device),)


def _keepalive(root: Node, device: Device) -> Heartbeat:
    """Info names the devices below it that are out of order (2016, A.2.5)."""
    info = root.first("info") or Node("info")
    broken = [text(each.text, 40) for each in info.children if each.name == "deviceid"]
    return Heartbeat(
        protocol=PROTOCOL, device=device, state=word(root.value("status")) or "",
        without=tuple(each for each in broken if each),
    )  # fmt: skip


def _alarm(root: Node, device: Device, digest: str) -> Parsed:
    if device.code is None:
        return _refused("no_device", "an alarm without DeviceID; want 20 digits", device)
    info = root.first("info") or Node("info")
    param = info.first("alarmtypeparam") or root.first("alarmtypeparam") or Node("alarmtypeparam")
    methods = [digit for digit in (text(root.value("alarmmethod"), 20) or "") if digit in METHODS]
    # Where both are told, the nested one is the 2016 text's, and the one that fits the description.
    number = text(info.value("alarmtype") or root.value("alarmtype"), 10)
    direction = text(param.value("eventtype") or info.value("eventtype") or root.value("eventtype"), 10)
    kind = _kind(methods, number)
    if kind is None:
        return _refused("no_kind", "an alarm without AlarmMethod and AlarmType; want at least the method", device)
    told = when(root.value("alarmtime"))
    lon, lat = root.value("longitude"), root.value("latitude")
    spot = _spot(lon, lat)
    return CameraEvent(
        protocol=PROTOCOL,
        device=device,
        key=name_of(PROTOCOL, device.code, kind, direction, text(root.value("alarmtime")) or digest),
        kind=kind,
        phase=Phase.PULSE,
        at=told.at,
        local_time=told.local_time,
        target=_DIRECTIONS.get(direction or "") if kind == "intrusion" else None,
        severity=text(root.value("alarmpriority"), 10),
        spot=spot,
        fields=fields_of({
            "number": root.value("sn"),
            "description": root.value("alarmdescription") or param.value("alarmdescription"),
            "methods": "".join(methods) or None,
            "type": number,
            "place_left_out": f"{text(lon, 20)}, {text(lat, 20)}" if spot is None and lon and lat else None,
        }),
    )  # fmt: skip


def _kind(methods: list[str], number: str | None) -> str | None:
    """The first method with which the number means something; without one, the method itself."""
    for method in methods:
        if (method, number) in TYPES:
            return TYPES[method, number or ""]
    if not methods:
        return None if number is None else f"type_{number.lower()}"
    return METHODS[methods[0]] if number is None else f"{METHODS[methods[0]]}_{number.lower()}"


def _spot(lon: str | None, lat: str | None) -> Spot | None:
    pair = degrees(lon, lat, DATUM)
    if pair is None or not (_WEST <= pair[0] <= _EAST and _SOUTH <= pair[1] <= _NORTH):
        return None
    return Spot(lon=pair[0], lat=pair[1], datum=DATUM)


def answer(number: str, device: str) -> bytes:
    """The answer to an alarm, to be sent as a MESSAGE of its own; its text is GB2312 as the standard has it."""
    return (
        '<?xml version="1.0" encoding="GB2312"?>\r\n<Response>\r\n<CmdType>Alarm</CmdType>\r\n'
        f"<SN>{escape(text(number, 20) or '')}</SN>\r\n<DeviceID>{escape(text(device, 40) or '')}</DeviceID>\r\n"
        "<Result>OK</Result>\r\n</Response>\r\n"
    ).encode("gb2312", "xmlcharrefreplace")


def _refused(code: str, says: str, device: Device) -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says, device=device)
