"""Camera events over HTTP as our own CloudEvents payload has them: structured, in batches, and binary."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from events.intake.camera_event import CameraEvent, Device, Parsed, Phase, Refused, Snapshot, Spot

PROTOCOL: Final = "cloudevents"
MOST_ITEMS: Final = 500

BATCH: Final = "application/cloudevents-batch+json"
STRUCTURED: Final = "application/cloudevents+json"
BINARY: Final = "application/json"

_Text = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
_PHASES: Final = {"new": Phase.START, **{str(phase): phase for phase in Phase}}


class _Device(msgspec.Struct):
    code: _Text | None = None
    serial: _Text | None = None
    mac: _Text | None = None
    channel: _Text | None = None
    name: _Text | None = None


class _Location(msgspec.Struct):
    lon: float
    lat: float
    datum: str


class _Picture(msgspec.Struct):
    url: Annotated[str, msgspec.Meta(max_length=2_000, pattern="^https?://[^\\s]+$")]
    media_type: str = "image/jpeg"


class _Payload(msgspec.Struct):
    kind: _Text
    phase: Literal["new", "start", "update", "end", "pulse"] = "pulse"
    incident: _Text | None = None
    device: _Device | None = None
    zone: _Text | None = None
    target: _Text | None = None
    score: Annotated[float, msgspec.Meta(ge=0, le=1)] | None = None
    location: _Location | None = None
    false_alarm: bool = False
    snapshots: Annotated[list[_Picture], msgspec.Meta(max_length=20)] = []


class _Event(msgspec.Struct):
    specversion: Literal["1.0"]
    id: _Text
    source: _Text
    type: _Text
    data: _Payload
    subject: _Text | None = None
    time: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    sampledrate: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)] = 1


_LIST: Final = msgspec.json.Decoder(list[msgspec.Raw])
_EVENT: Final = msgspec.json.Decoder(_Event)
_PAYLOAD: Final = msgspec.json.Decoder(_Payload)


def parse(body: bytes, content_type: str, headers: Mapping[str, str]) -> tuple[Parsed, ...]:
    """What one request says: one item for each event, in their order."""
    media_type = content_type.partition(";")[0].strip().lower()
    if media_type != BATCH:
        return (_structured(body) if media_type == STRUCTURED else _binary(body, headers),)
    try:
        items = _LIST.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return (_refused("unknown_shape", f"the batch is no JSON list: {error}"),)
    if len(items) > MOST_ITEMS:
        return (_refused("too_many_items", f"{len(items)} events; want at most {MOST_ITEMS}"),)
    return tuple(_structured(item) for item in items)


def _structured(item: bytes | msgspec.Raw) -> Parsed:
    try:
        return _camera_event(_EVENT.decode(item))
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _refused("bad_item", str(error))


def _binary(body: bytes, headers: Mapping[str, str]) -> Parsed:
    said = {name.lower()[3:]: value for name, value in headers.items() if name.lower().startswith("ce-")}
    try:
        event = msgspec.convert({**said, "data": {"kind": "-"}}, _Event, strict=False)
        event.data = _PAYLOAD.decode(body)
        return _camera_event(event)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        return _refused("bad_item", str(error))


def _camera_event(event: _Event) -> CameraEvent:
    said, spot = event.data, event.data.location
    device = said.device or _Device()
    return CameraEvent(
        protocol=PROTOCOL,
        device=Device(
            code=device.code or event.subject, serial=device.serial, mac=device.mac, channel=device.channel,
            name=device.name,
        ),
        key=f"{event.source} {said.incident or event.id}",
        kind=said.kind.lower(),
        phase=_PHASES[said.phase],
        at=event.time,
        zone=said.zone,
        target=said.target.lower() if said.target else None,
        score=said.score,
        spot=Spot(lon=spot.lon, lat=spot.lat, datum=spot.datum) if spot else None,
        count=event.sampledrate,
        false_alarm=said.false_alarm,
        snapshots=tuple(Snapshot(media_type=each.media_type, url=each.url) for each in said.snapshots),
    )  # fmt: skip


def _refused(code: str, says: str) -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says)
