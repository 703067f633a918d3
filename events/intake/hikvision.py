"""Hikvision ISAPI: what a camera or recorder posts to its alarm host, XML or JSON, alone or with pictures.

Namespaces, declarations and spelling differ by model and firmware, so names are read without prefix and case.
A device repeats an alarm about once a second (`activePostCount`) until it says that it is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from hashlib import sha256
from typing import Final

from events.intake.camera_event import CameraEvent, Device, Heartbeat, Parsed, Phase, Refused, Snapshot
from events.intake.json_value import as_tree, read_json
from events.intake.parts import is_multipart, read_parts
from events.intake.unreadable import Unreadable, check_size
from events.intake.values import (
    MOST_PICTURES,
    about_faces,
    fields_of,
    joined,
    mac,
    name_of,
    picture,
    share,
    text,
    truth,
    when,
    whole,
    word,
)  # fmt: skip
from events.intake.xml_tree import Node, read_xml

PROTOCOL: Final = "hikvision"
MOST_BYTES: Final = 16 * 2**20
MOST_TEXT_BYTES: Final = 256 * 1024  # of all XML and JSON parts together
MOST_DOCUMENTS: Final = 4  # of one body
MOST_ITEMS: Final = 64

_ALIASES: Final = {
    "vmd": "motiondetection",
    "vmdhumanvehicle": "motiondetection",
    "motion": "motiondetection",
    "shelteralarm": "tamperdetection",
    "tamper": "tamperdetection",
}
_FIRST_OF_A_RECORDER: Final = 33  # the network camera n of a recorder is channel 32 + n


def parse(body: bytes, content_type: str = "") -> tuple[Parsed, ...]:
    """What one posted message says: usually one item; one for each alarm in a body of several parts."""
    try:
        check_size(body, MOST_BYTES)
        if is_multipart(body, content_type):
            return _of_parts(body, content_type)
        return _of_text(body)
    except Unreadable as error:
        return (_refused(error.code, error.says),)


def _of_parts(body: bytes, content_type: str) -> tuple[Parsed, ...]:
    """Pictures belong to the alarm before them, the first ones to the first alarm: parts come in any order."""
    said: list[Parsed] = []
    pictures: list[list[Snapshot]] = []
    early: list[Snapshot] = []
    strange = written = documents = 0
    for part in read_parts(body, content_type):
        shown = picture(part.data)
        if shown is not None:
            (pictures[-1] if pictures else early).append(shown)
        elif part.media_type.startswith(("image/", "video/", "audio/")):
            strange += 1
        elif part.data.strip():
            written, documents = written + len(part.data), documents + 1
            if written > MOST_TEXT_BYTES or documents > MOST_DOCUMENTS:
                limits = f"at most {MOST_DOCUMENTS} with {MOST_TEXT_BYTES}"
                raise Unreadable("too_large", f"{documents} parts of text with {written} bytes; want {limits}")
            try:
                read = _of_text(part.data)
            except Unreadable as error:
                read = (_refused(error.code, error.says),)
            said += read
            pictures += [[] for _ in read]
    if not said:
        raise Unreadable("no_alarm", "parts without XML and JSON; want one with the alarm")
    if len(said) > MOST_ITEMS:
        raise Unreadable("too_many_items", f"{len(said)} alarms; want at most {MOST_ITEMS}")
    pictures[0] = early + pictures[0]
    return tuple(_with(item, shown, strange) for item, shown in zip(said, pictures, strict=True))


def _with(item: Parsed, pictures: Sequence[Snapshot], strange: int) -> Parsed:
    if not isinstance(item, CameraEvent):
        return item
    left = strange + max(0, len(pictures) - MOST_PICTURES)
    told = {**item.fields, "pictures_left_out": str(left)} if left else item.fields
    return replace(item, snapshots=tuple(pictures[:MOST_PICTURES]), fields=told)


def _of_text(body: bytes) -> tuple[Parsed, ...]:
    if len(body) > MOST_TEXT_BYTES:
        raise Unreadable("too_large", f"{len(body)} bytes of text; want at most {MOST_TEXT_BYTES}")
    root = as_tree(read_json(body)) if body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"{", b"[") else read_xml(body)
    alarms = list(root.everywhere("eventnotificationalert"))
    if not alarms and root.first("eventtype") is not None:
        alarms = [root]  # JSON carries the alarm without its name
    if not alarms:
        raise Unreadable("unknown_shape", f"{text(root.name, 60) or 'JSON'!r}; want EventNotificationAlert")
    if len(alarms) > MOST_ITEMS:
        raise Unreadable("too_many_items", f"{len(alarms)} alarms; want at most {MOST_ITEMS}")
    digest = sha256(body).hexdigest()
    return tuple(_one(alarm, f"{digest} {place}") for place, alarm in enumerate(alarms))


def _one(alarm: Node, digest: str) -> Parsed:
    device = _device(alarm)
    kind = _kind(alarm)
    if kind is None:
        return _refused("no_kind", "an alarm without eventType; want one", device)
    told = when(alarm.value("datetime"))
    state = word(alarm.value("eventstate"))
    if kind == "heartbeat" or (kind == "videoloss" and state == "inactive"):
        return Heartbeat(protocol=PROTOCOL, device=device, at=told.at)
    if about_faces(kind) or kind == "alarmresult":
        return _refused("faces_refused", "an alarm of faces; faces are not taken in", device)
    posts = whole(alarm.value("activepostcount"), 0, 10**9)
    zones = list(dict.fromkeys(_values(alarm, "regionid") or _values(alarm, "inputioportid")))
    zone = zones[0] if zones else None
    target = word(next(iter(_values(alarm, "detectiontarget") or _values(alarm, "targettype")), None))
    lane = name_of(PROTOCOL, device.mac or device.serial, device.channel, kind)  # an end often names no region
    channel = whole(device.channel, _FIRST_OF_A_RECORDER, 10_000)
    return CameraEvent(
        protocol=PROTOCOL,
        device=device,
        key=name_of(lane, zone, target, text(alarm.value("datetime")) or digest),
        lane=lane,
        kind=kind,
        phase=_phase(state, posts),
        at=told.at,
        local_time=told.local_time,
        zone=zone,
        target=target,
        score=share(next(iter(_values(alarm, "confidence")), None)),
        resent=truth(alarm.value("isdataretransmission")) is True,
        fields=fields_of({
            "description": alarm.value("eventdescription"),
            "address": alarm.value("ipaddress"),
            "posts": posts,
            "zones": joined(zones) if len(zones) > 1 else None,
            "camera_of_recorder": None if channel is None else channel - 32,
            "clock": alarm.value("datetime") if told.at is None and told.local_time is None else None,
        }),
    )  # fmt: skip


def _device(alarm: Node) -> Device:
    return Device(
        serial=next(iter(_values(alarm, "serialnumber") or _values(alarm, "deviceserialnumber")), None),
        mac=mac(alarm.value("macaddress")),
        channel=text(alarm.value("channelid", "dynchannelid"), 40),
        name=text(alarm.value("channelname")),
    )


def _kind(alarm: Node) -> str | None:
    """The alarm's type in ISAPI's words; one that lasts names its real type further in."""
    kind = word(alarm.value("eventtype"))
    if kind == "duration":
        kind = word(next(iter(_values(alarm, "relationevent")), None)) or kind
    return None if kind is None else _ALIASES.get(kind, kind)


def _phase(state: str | None, posts: int | None) -> Phase:
    if state == "inactive":
        return Phase.END
    if state == "active":
        return Phase.UPDATE if posts is not None and posts > 1 else Phase.START
    return Phase.PULSE


def _values(alarm: Node, name: str) -> list[str]:
    return [line for node in alarm.everywhere(name) if (line := text(node.text)) is not None]


def _refused(code: str, says: str, device: Device | None = None) -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says, device=device or Device())
