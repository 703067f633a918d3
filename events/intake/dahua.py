"""Dahua: text blocks `Code=…;action=Start|Stop|Pulse;index=N;data={…}`, alone, in parts, as a form or as JSON.

The JSON after `data=` is often broken; what can be read of it is, and the event stands without it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Final
from urllib.parse import parse_qsl

from events.intake.camera_event import CameraEvent, Device, Heartbeat, Parsed, Phase, Refused, Snapshot
from events.intake.json_value import objects, read_json
from events.intake.parts import is_multipart, read_parts
from events.intake.unreadable import Unreadable, check_size
from events.intake.values import (
    MOST_PICTURES,
    Told,
    about_faces,
    fields_of,
    from_epoch,
    joined,
    name_of,
    picture,
    text,
    when,
    word,
)  # fmt: skip

PROTOCOL: Final = "dahua"
MOST_BYTES: Final = 8 * 2**20
MOST_TEXT_BYTES: Final = 256 * 1024  # of all parts of text together
MOST_DATA_BYTES: Final = 64 * 1024
MOST_ITEMS: Final = 200

# What a device tells of its own life when it is asked for all codes.
_OF_THE_DEVICE: Final = frozenset({
    "timechange", "ntpadjusttime", "rtspsessiondisconnect", "newfile", "updatefile", "recordchange", "recorddelete",
    "systemstate", "reboot", "dhcpsuccess", "intelliframe", "configchange", "loginsuccess", "videomotioninfo",
})  # fmt: skip
_PHASES: Final = {"start": Phase.START, "stop": Phase.END, "pulse": Phase.PULSE}

_BLOCK: Final = re.compile(r"(?:^|(?<=\n))[ \t]{0,8}Code=", re.IGNORECASE)
_DATA: Final = re.compile(r";[ \t\r\n]{0,8}data=", re.IGNORECASE)
_PAIR: Final = re.compile(
    r'"([A-Za-z_]{1,40})"\s{0,4}:\s{0,4}(?:"([^"\\\n]{0,200})"|(-?\d{1,18}(?:\.\d{1,9})?)(?=[\s,}\]]))', re.ASCII
)


def parse(body: bytes, content_type: str = "") -> tuple[Parsed, ...]:
    """What one body says: one item for each block, in their order."""
    try:
        check_size(body, MOST_BYTES)
        said = _of_parts(body, content_type) if is_multipart(body, content_type) else _of_text(body)
        if len(said) > MOST_ITEMS:
            raise Unreadable("too_many_items", f"{len(said)} blocks; want at most {MOST_ITEMS}")
    except Unreadable as error:
        return (_refused(error.code, error.says),)
    return tuple(said)


def _of_parts(body: bytes, content_type: str) -> list[Parsed]:
    said: list[Parsed] = []
    early: list[Snapshot] = []
    written = 0
    for part in read_parts(body, content_type):
        shown = picture(part.data)
        if shown is not None and said:
            said[-1] = _with(said[-1], [shown])
        elif shown is not None:
            early.append(shown)
        elif part.data.strip() and not part.media_type.startswith(("image/", "video/", "audio/")):
            written += len(part.data)
            if written > MOST_TEXT_BYTES:
                raise Unreadable("too_large", f"{written} bytes of text in parts; want at most {MOST_TEXT_BYTES}")
            try:
                said += _of_text(part.data)
            except Unreadable as error:
                said.append(_refused(error.code, error.says))
    if not said:
        raise Unreadable("no_alarm", "parts without a block; want one that begins with Code= or is Heartbeat")
    said[0] = _with(said[0], early)
    return said


def _with(item: Parsed, pictures: Sequence[Snapshot]) -> Parsed:
    if not isinstance(item, CameraEvent):
        return item
    return replace(item, snapshots=(*item.snapshots, *pictures)[:MOST_PICTURES])


def _of_text(body: bytes) -> list[Parsed]:
    if len(body) > MOST_TEXT_BYTES:
        raise Unreadable("too_large", f"{len(body)} bytes of text; want at most {MOST_TEXT_BYTES}")
    bare = body.strip()
    if bare.lower() == b"heartbeat":
        return [Heartbeat(protocol=PROTOCOL, device=Device())]
    if bare[:1] in (b"{", b"["):
        return _of_json(read_json(bare))
    try:
        written = bare.decode("utf-8")
    except UnicodeDecodeError:
        written = bare.decode("gb18030", "replace")
    if "&" in written and written[:5].lower() == "code=" and ";" not in written.split("&", 1)[0]:
        return _of_form(written)
    starts = [found.end() for found in _BLOCK.finditer(written)]
    if not starts:
        raise Unreadable("unknown_shape", "text without Code=; want Code=…;action=…;index=…")
    if len(starts) > MOST_ITEMS:
        raise Unreadable("too_many_items", f"{len(starts)} blocks; want at most {MOST_ITEMS}")
    ends = [_BLOCK.search(written, start) for start in starts]
    return [
        _block(written[start : end.start() if end else len(written)]) for start, end in zip(starts, ends, strict=True)
    ]


def _block(written: str) -> Parsed:
    split = _DATA.search(written)
    head, data = (written, "") if split is None else (written[: split.start()], written[split.end() :])
    code, *rest = head.strip().split(";", 20)
    given = {"code": code}
    for each in rest:
        name, _, value = each.partition("=")
        given[name.strip().lower()] = value.strip()
    return _one(given.get("code"), given.get("action"), given.get("index"), _data(data.strip()))


def _data(written: str) -> Mapping[str, Any]:
    """The JSON of a block; where it is broken, the plain pairs that stand in it."""
    if not written:
        return {}
    cut = written[:MOST_DATA_BYTES]
    try:
        read = read_json(cut.encode("utf-8", "replace"))
        if isinstance(read, dict):
            return read
    except Unreadable:
        pass
    found = {"broken": True}
    return found | {name: quoted or plain for name, quoted, plain in _PAIR.findall(cut)[:200]}


def _of_form(written: str) -> list[Parsed]:
    try:
        given = {name.lower(): value for name, value in parse_qsl(written, max_num_fields=50)}
    except ValueError as error:
        raise Unreadable("unknown_shape", "a form of more than 50 fields; want code, action, index, data") from error
    return [_one(given.get("code"), given.get("action"), given.get("index"), _data(given.get("data", "")))]


def _of_json(message: Any) -> list[Parsed]:
    """`{Events: [{Code, Action, Index, Data}]}` as its newer upload sends it, a list of these, or one alone."""
    inside = message.get("Events", message) if isinstance(message, dict) else message
    listed = inside if isinstance(inside, list) else [inside]
    if len(listed) > MOST_ITEMS:
        raise Unreadable("too_many_items", f"{len(listed)} events; want at most {MOST_ITEMS}")
    return list(_each_of(listed)) or [_refused("empty", "no events; want at least one")]


def _each_of(listed: list[Any]) -> Iterator[Parsed]:
    for each in listed:
        if not isinstance(each, dict):
            yield _refused("unknown_shape", "no object; want one with Code and Action")
            continue
        given = {name[:40].lower(): value for name, value in each.items()}
        data = objects(given.get("data")) or given
        yield _one(given.get("code"), given.get("action"), given.get("index"), data)


def _one(code: object, action: object, index: object, data: Mapping[str, Any]) -> Parsed:
    kind, done = word(code), word(action)
    device = Device(channel=text(index, 40))
    if kind is None:
        return _refused("no_kind", "a block without a code; want Code=", device)
    if kind == "heartbeat":
        return Heartbeat(protocol=PROTOCOL, device=device)
    told = _moment(data)
    if kind in _OF_THE_DEVICE or done == "state":
        return Heartbeat(protocol=PROTOCOL, device=device, at=told.at, state=kind)
    if about_faces(kind):
        return _refused("faces_refused", "a code of faces; faces are not taken in", device)
    if done is not None and done not in _PHASES:
        return _refused("no_phase", f"action {done!r}; want Start, Stop or Pulse", device)
    regions = data.get("RegionName")
    zone = text(regions[0] if isinstance(regions, list) and regions else None) or text(data.get("Name"))
    seen = objects(data.get("Object"))
    target = word(seen.get("ObjectType")) or word(data.get("ObjectType"))
    moment = text(data.get("RealUTC")) or text(data.get("LocaleTime")) or text(data.get("UTC"))
    numbered = text(data.get("EventID"), 64)
    lane = name_of(PROTOCOL, device.channel, kind)  # a Stop often comes without data
    return CameraEvent(
        protocol=PROTOCOL,
        device=device,
        key=name_of(lane, zone, target, numbered, moment or sorted((name, text(each)) for name, each in data.items())),
        lane=lane,
        kind=kind,
        phase=Phase.PULSE if done is None else _PHASES[done],
        at=told.at,
        local_time=told.local_time,
        zone=zone,
        target=target,
        fields=fields_of({
            "regions": joined(regions[:20]) if isinstance(regions, list) and len(regions) > 1 else None,
            "plate": (seen.get("Text") if kind.startswith("traffic") else None) or data.get("PlateNumber"),
            "rule": data.get("Class"),
            "event_id": numbered,
            "direction": data.get("Direction"),
            "speed": data.get("Speed"),
            "data": "broken" if data.get("broken") is True else None,
        }),
    )  # fmt: skip


def _moment(data: Mapping[str, Any]) -> Told:
    """`UTC` of older firmware is the wall clock counted as if it were UTC, so it comes last."""
    real = from_epoch(data.get("RealUTC"))
    if real is not None:
        return Told(real)
    local = when(data.get("LocaleTime"))
    if local.at is not None or local.local_time is not None:
        return local
    return Told(from_epoch(data.get("UTC")))


def _refused(code: str, says: str, device: Device | None = None) -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says, device=device or Device())
