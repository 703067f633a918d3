"""CloudEvents 1.0 over HTTP, binary, structured and in batches; and the payload of ours that makes one a camera event.

`read` knows nothing of cameras: it is what the CloudEvents texts ask. `parse` adds the payload.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Annotated, Any, Final, Literal
from urllib.parse import unquote_to_bytes

import msgspec

from events.intake.camera_event import CameraEvent, Device, Parsed, Phase, Refused, Snapshot, Spot
from events.intake.json_value import MOST_VALUES, marks_in, read_json
from events.intake.unreadable import Unreadable
from events.intake.values import (
    MOST_PICTURE_BYTES,
    MOST_PICTURES,
    degrees,
    exact_moment,
    fields_of,
    mac,
    name_of,
    picture,
    picture_at,
    text,
    when,
    word,
)  # fmt: skip

PROTOCOL: Final = "cloudevents"
MOST_BYTES: Final = 8 * 2**20
MOST_ITEMS: Final = 500
TYPE_PREFIX: Final = "cn.grid.camera."
"""A type may carry kind and phase: `cn.grid.camera.<kind>.<new|update|end|pulse>`."""

_BATCH: Final = "application/cloudevents-batch"
_STRUCTURED: Final = "application/cloudevents"
_NAME: Final = re.compile(r"[a-z0-9]{1,64}", re.ASCII)
_RFC3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_JSON: Final = re.compile(r"[a-z0-9.-]+/(?:json|[a-z0-9.-]+\+json)", re.ASCII)
_CHARSET: Final = re.compile(r";\s*charset\s*=\s*\"?([a-z0-9._-]+)\"?", re.ASCII)
_UTF_8: Final = ("utf-8", "utf8", "us-ascii")
_COUNT: Final = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)
_CORE: Final = ("id", "source", "specversion", "type", "subject", "time", "datacontenttype", "dataschema")
_KEPT_EXTENSIONS: Final = ("sequence", "recordedtime", "traceparent")
_PHASES: Final = {
    "new": Phase.START, "start": Phase.START, "update": Phase.UPDATE, "end": Phase.END, "pulse": Phase.PULSE,
}  # fmt: skip


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event as the CloudEvents texts define it. `data` is a JSON value, text, bytes, or None for none.

    `at` is the moment of `time`.
    """

    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    at: datetime | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    data: Any = None
    extensions: Mapping[str, str] = {}


def parse(body: bytes, content_type: str = "", headers: Mapping[str, str] | None = None) -> tuple[Parsed, ...]:
    """What one request says: one item for each event, in their order."""
    usual = parse_usual(body, content_type)
    return usual if usual is not None else parse_any(body, content_type, headers)


def parse_any(body: bytes, content_type: str = "", headers: Mapping[str, str] | None = None) -> tuple[Parsed, ...]:
    """The same, by the book, whatever it is."""
    told = read(body, content_type, headers)
    return tuple(each if isinstance(each, Refused) else _camera_event(each) for each in told)


def read(
    body: bytes, content_type: str = "", headers: Mapping[str, str] | None = None
) -> tuple[CloudEvent | Refused, ...]:
    """The events of one request. The mode is told by the beginning of the media type, as the texts have it."""
    media_type = content_type.strip().lower()
    try:
        if len(body) > MOST_BYTES:
            raise Unreadable("too_large", f"{len(body)} bytes; want at most {MOST_BYTES}")
        if media_type.startswith(_STRUCTURED):
            batch = media_type.startswith(_BATCH)
            form = media_type.removeprefix(_BATCH if batch else _STRUCTURED).split(";")[0].strip()
            if form not in ("", "+json"):
                raise Unreadable("wrong_format", f"events as {text(form, 40)!r}; want +json")
            return tuple(_structured_all(_json(body, media_type), batch))
        return (_binary(body, content_type, headers or {}),)
    except Unreadable as error:
        return (_refused(error.code, error.says),)


def _structured_all(message: Any, batch: bool) -> Iterator[CloudEvent | Refused]:
    if batch and not isinstance(message, list):
        raise Unreadable("unknown_shape", "a batch that is no list; want a list of events")
    listed = message if batch else [message]
    if len(listed) > MOST_ITEMS:
        raise Unreadable("too_many_items", f"{len(listed)} events; want at most {MOST_ITEMS}")
    for each in listed:
        yield _structured(each)


def _structured(message: Any) -> CloudEvent | Refused:
    if not isinstance(message, dict):
        return _refused("bad_item", "an event that is no object; want one")
    attributes = {
        name: value
        for name, given in message.items()
        if name not in ("data", "data_base64") and _NAME.fullmatch(name) and (value := text(given, 2_000)) is not None
    }
    problem = _problem(attributes)
    if problem is not None:
        return problem
    data = message.get("data")
    if "data_base64" in message:
        coded = message["data_base64"]
        if not isinstance(coded, str) or "data" in message:
            return _refused("bad_data", "data_base64 that is no text, or beside data; want one of both", attributes)
        try:
            plain = binascii.a2b_base64(coded.encode("ascii"), strict_mode=True)
            data = _read_data(plain, attributes.get("datacontenttype", ""))
        except (ValueError, Unreadable) as error:
            return _refused("bad_data", f"data_base64 that cannot be read: {text(str(error))}; want base64", attributes)
    return _event(attributes, data)


def _binary(body: bytes, content_type: str, headers: Mapping[str, str]) -> CloudEvent | Refused:
    attributes: dict[str, str] = {}
    for name, value in headers.items():
        bare = name.lower().removeprefix("ce-")
        if name.lower().startswith("ce-") and _NAME.fullmatch(bare) and bare != "datacontenttype":
            attributes[bare] = text(_unescaped(value), 2_000) or ""
    if "specversion" not in attributes:
        raise Unreadable("no_cloudevent", "no ce-specversion and no type of CloudEvents; want one of both")
    if content_type:
        attributes["datacontenttype"] = content_type.strip()[:200]
    problem = _problem(attributes)
    if problem is not None:
        return problem
    try:
        return _event(attributes, _read_data(body, content_type) if body else None)
    except Unreadable as error:
        return _refused(error.code, error.says, attributes)


def _unescaped(value: str) -> str:
    """A header as its sender meant it: quotation marks off, then one round of percent-decoding."""
    bare = value.strip()[:8_000]
    if len(bare) >= 2 and bare[0] == bare[-1] == '"':
        bare = re.sub(r"\\(.)", r"\1", bare[1:-1])
    return unquote_to_bytes(bare.encode("utf-8", "replace")).decode("utf-8", "replace")


def is_json(media_type: str) -> bool:
    """Whether data of this type, without its parameters, is JSON."""
    return _JSON.fullmatch(media_type.strip().lower()) is not None


def _json(body: bytes, content_type: str) -> Any:
    """JSON in the letters that the type names: UTF-8, or one of the Chinese national ones. Raises Unreadable."""
    named = _CHARSET.search(content_type)
    charset = named[1] if named else "utf-8"
    if charset in ("gb18030", "gbk", "gb2312"):
        try:
            return read_json(body.decode("gb18030").encode())
        except UnicodeDecodeError as error:
            raise Unreadable("wrong_encoding", f"bytes that are no {charset} at {error.start}; want it") from error
    if charset not in _UTF_8:
        raise Unreadable("wrong_encoding", f"letters as {charset[:20]}; want utf-8 or gb18030")
    return read_json(body)


def _read_data(body: bytes, content_type: str) -> Any:
    media_type, _, rest = content_type.lower().partition(";")
    if not media_type.strip() or is_json(media_type):
        return _json(body, content_type.lower())
    if not media_type.strip().startswith("text/") and "charset" not in rest and "xml" not in media_type:
        return body
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return body


def _problem(attributes: Mapping[str, str]) -> Refused | None:
    """What is wrong with the attributes, which are looked at before the data."""
    version = attributes.get("specversion")
    if version != "1.0":
        return _refused("wrong_version", f"specversion {text(version, 20)!r}; want '1.0'", attributes)
    missing = [name for name in ("id", "source", "type") if not attributes.get(name)]
    if missing:
        says = f"no {', '.join(missing)}; want id, source, specversion and type"
        return _refused("missing_attribute", says, attributes)
    told = attributes.get("time")
    if told is not None and (not _RFC3339.fullmatch(told) or when(told).at is None):
        return _refused("bad_time", f"time {text(told, 40)!r}; want RFC 3339 with an offset", attributes)
    return None


def _event(attributes: Mapping[str, str], data: Any) -> CloudEvent:
    return CloudEvent(
        **{name: attributes[name] for name in _CORE if name in attributes and name != "specversion"},
        at=when(attributes["time"]).at if attributes.get("time") else None,
        data=data,
        extensions={name: value for name, value in attributes.items() if name not in _CORE},
    )


# --- the payload --------------------------------------------------------------------------------------

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class _Device(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    code: _Text | None = None
    serial: _Text | None = None
    mac: _Text | None = None
    channel: _Text | int | None = None
    name: _Text | None = None


class _Location(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    lon: float
    lat: float
    datum: str


class _Picture(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    url: Annotated[str, msgspec.Meta(max_length=2_000)] | None = None
    data: Annotated[str, msgspec.Meta(max_length=MOST_PICTURE_BYTES * 4 // 3 + 4)] | None = None


class _Payload(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What `data` holds. docs/cameras/cloudevents.md says the same in words."""

    kind: _Text | None = None
    phase: Literal["new", "start", "update", "end", "pulse"] | None = None
    incident: _Text | None = None
    device: _Device = _Device()
    zone: _Text | None = None
    target: _Text | None = None
    score: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    severity: _Text | None = None
    location: _Location | None = None
    resent: bool = False
    false_alarm: bool = False
    snapshots: Annotated[list[_Picture], msgspec.Meta(max_length=MOST_PICTURES)] = []
    fields: dict[Annotated[str, msgspec.Meta(max_length=40)], str | int | float | bool | None] = {}


PAYLOAD_FIELDS: Final = _Payload.__struct_fields__
"""What `data` may hold."""


def _camera_event(event: CloudEvent) -> Parsed:
    if event.data is not None and not isinstance(event.data, dict):
        return _not_ours(event, "bad_payload", "data that is no JSON object; want one with kind")
    try:
        told = msgspec.convert(event.data or {}, _Payload)
    except msgspec.ValidationError as error:
        return _not_ours(event, "bad_payload", f"data: {text(str(error), 150)}")
    return _with_payload(event, told)


def _with_payload(event: CloudEvent, told: _Payload) -> Parsed:
    kind, phase = _from_type(event.type)
    kind, phase = word(told.kind) or kind, _PHASES.get(told.phase or "", phase)
    if kind is None:
        return _not_ours(event, "no_kind", f"no kind in data and none in type; want one, or a type {TYPE_PREFIX}<kind>")
    spot = told.location
    if spot is not None and degrees(spot.lon, spot.lat, spot.datum) is None:
        return _not_ours(event, "bad_location", "a location that is no place on earth, or without a known datum")
    shown = [_picture(each) for each in told.snapshots]
    pictures = tuple(each for each in shown if each is not None)
    if len(pictures) < len(shown):
        return _not_ours(event, "bad_picture", "a snapshot that is no picture; want url (http, https) or data (base64)")
    count = event.extensions.get("sampledrate", "1")
    if count != "1" and not _COUNT.fullmatch(count):
        return _not_ours(event, "bad_attribute", f"sampledrate {text(count, 20)!r}; want a whole number from 1")
    key = f"{event.source} {text(told.incident) or event.id}"
    return CameraEvent(
        protocol=PROTOCOL,
        device=_device(event, told),
        key=key if len(key) <= 200 else name_of(key),
        kind=kind,
        phase=phase,
        at=event.at,
        zone=text(told.zone),
        target=word(told.target),
        score=told.score,
        severity=word(told.severity or event.extensions.get("severity") or event.extensions.get("severitytext")),
        spot=None if spot is None else Spot(lon=spot.lon, lat=spot.lat, datum=spot.datum),
        count=int(count),
        resent=told.resent,
        false_alarm=told.false_alarm,
        snapshots=pictures,
        fields=fields_of({
            "id": event.id,
            "source": event.source,
            **{name: event.extensions[name] for name in _KEPT_EXTENSIONS if name in event.extensions},
            **{name: value for name, value in told.fields.items() if text(name) == name},
        }),
    )  # fmt: skip


class _Usual(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An event in the structured mode as nearly all are: attributes that we know, and our payload."""

    specversion: Literal["1.0"]
    id: str
    source: str
    type: str
    subject: str | None = None
    time: str | None = None
    datacontenttype: str | None = None
    dataschema: str | None = None
    data: _Payload | None = None
    sampledrate: str | int | None = None
    severity: str | None = None
    severitytext: str | None = None
    sequence: str | int | None = None
    recordedtime: str | None = None
    traceparent: str | None = None


_ONE: Final = msgspec.json.Decoder(_Usual)
_MANY: Final = msgspec.json.Decoder(list[_Usual])
_EXTENSIONS: Final = ("sampledrate", "severity", "severitytext", *_KEPT_EXTENSIONS)
_USUAL_BYTES: Final = 2**20  # what is larger carries pictures, and gains nothing


def parse_usual(body: bytes, content_type: str) -> tuple[Parsed, ...] | None:
    """A message in which nothing is unusual, read straight into its types: what `parse_any` gives, or None.

    Half of its time (docs/decisions/0180).
    """
    media_type = content_type.partition(";")[0].strip().lower().removesuffix("+json")
    letters = _CHARSET.search(content_type.lower())
    if letters is not None and letters[1] not in _UTF_8:
        return None
    if media_type not in (_STRUCTURED, _BATCH) or len(body) > _USUAL_BYTES or marks_in(body) > MOST_VALUES:
        return None
    try:
        listed = _MANY.decode(body) if media_type == _BATCH else [_ONE.decode(body)]
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return None
    if len(listed) > MOST_ITEMS:
        return None
    made = []
    for each in listed:
        event = _usual_event(each)
        if event is None:
            return None
        made.append(_with_payload(event, each.data or _NO_PAYLOAD))
    return tuple(made)


_NO_PAYLOAD: Final = _Payload()


def _usual_event(told: _Usual) -> CloudEvent | None:
    name, source, kind = text(told.id, 2_000), text(told.source, 2_000), text(told.type, 2_000)
    at = exact_moment(told.time) if told.time is not None else None
    if not name or not source or not kind or (told.time is not None and at is None):
        return None
    said = ((name, text(getattr(told, name), 2_000)) for name in _EXTENSIONS)
    return CloudEvent(
        id=name, source=source, type=kind, subject=text(told.subject, 2_000), time=told.time, at=at,
        extensions={name: value for name, value in said if value is not None},
    )  # fmt: skip


def _device(event: CloudEvent, told: _Payload) -> Device:
    named = told.device
    return Device(
        code=text(named.code) or text(event.subject),
        serial=text(named.serial),
        mac=mac(named.mac),
        channel=text(named.channel),
        name=text(named.name),
    )


def _from_type(kind: str) -> tuple[str | None, Phase]:
    if not kind.lower().startswith(TYPE_PREFIX):
        return None, Phase.PULSE
    rest = kind.lower().removeprefix(TYPE_PREFIX)
    name, _, last = rest.rpartition(".")
    return (word(name), _PHASES[last]) if name and last in _PHASES else (word(rest), Phase.PULSE)


def _picture(told: _Picture) -> Snapshot | None:
    if (told.url is None) == (told.data is None):
        return None
    if told.url is not None:
        return picture_at(told.url)
    try:
        return picture(binascii.a2b_base64((told.data or "").encode("ascii")))
    except ValueError:
        return None


def _not_ours(event: CloudEvent, code: str, says: str) -> Refused:
    return _refused(code, says, {"id": event.id, "subject": event.subject or ""})


def _refused(code: str, says: str, attributes: Mapping[str, str] | None = None) -> Refused:
    told = attributes or {}
    device = Device(code=text(told.get("subject")))
    return Refused(protocol=PROTOCOL, code=code, says=says, device=device, item=text(told.get("id")) or "")
