"""Frigate (0.13 to 0.17): events, reviews, triggers and classifications, as it publishes them or posts them on.

`frigate/events` and `frigate/reviews` carry `{type: new|update|end, before, after}`; the lists of its HTTP API
carry the objects alone. A review is Frigate's own summary of objects that were seen together.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote

from events.intake.camera_event import CameraEvent, Device, Heartbeat, Parsed, Phase, Refused, Snapshot
from events.intake.json_value import objects, read_json
from events.intake.unreadable import Unreadable, check_size
from events.intake.values import (
    about_faces,
    fields_of,
    from_epoch,
    joined,
    media_type_of,
    name_of,
    number,
    share,
    text,
    word,
)  # fmt: skip

PROTOCOL: Final = "frigate"
MOST_BYTES: Final = 512 * 1024
MOST_ITEMS: Final = 500

_PHASES: Final = {"new": Phase.START, "update": Phase.UPDATE, "end": Phase.END}
_AVAILABILITY: Final = frozenset({b"online", b"offline", b"stopped"})
_NOTES: Final = frozenset({"description", "lpr"})  # they say more of an object that `events` tells by itself
_MEDIA: Final = "/media/frigate/"


def parse(body: bytes, content_type: str = "") -> tuple[Parsed, ...]:
    """What one message says. The shape decides, not the topic, so that a webhook need not name it."""
    try:
        check_size(body, MOST_BYTES)
        said = body.strip().strip(b'"').lower()
        if said in _AVAILABILITY:
            return (Heartbeat(protocol=PROTOCOL, device=Device(), state=said.decode("ascii")),)
        message = read_json(body)
    except Unreadable as error:
        return (_refused(error.code, error.says),)
    if isinstance(message, list):
        if len(message) > MOST_ITEMS:
            return (_refused("too_many_items", f"{len(message)} objects; want at most {MOST_ITEMS}"),)
        return tuple(_one(each) for each in message) or (_refused("empty", "an empty list; want objects"),)
    return (_one(message),)


def _one(message: Any) -> Parsed:
    if not isinstance(message, dict):
        return _refused("unknown_shape", "no object; want one with before and after, or an event of the API")
    kind = word(message.get("type"))
    told = objects(message.get("after")) or objects(message.get("before"))
    if told:
        if kind not in _PHASES:
            return _refused("no_phase", f"type {kind!r}; want new, update or end")
        return _told(told, _PHASES[kind])
    if kind == "face":
        return _refused("faces_refused", "a recognised face; faces are not taken in")
    if kind in _NOTES:
        return _refused("only_a_note", f"a note ({kind}) on an object that is told by itself; want the object")
    if kind == "classification":
        return _classified(message)
    if "event_id" in message and "name" in message:
        return _triggered(message)
    if "camera" in message and ("label" in message or "severity" in message):
        return _told(message, Phase.PULSE)
    return _refused("unknown_shape", "an object without before and after; want a message of events or reviews")


def _told(told: Mapping[str, Any], phase: Phase) -> Parsed:
    key = text(told.get("id"), 64)
    device = Device(name=text(told.get("camera")))
    if key is None:
        return _refused("no_id", "an object without id; want Frigate's own", device)
    if "severity" in told:
        return _review(told, phase, key, device)
    kind = word(told.get("label"))
    if kind is None:
        return _refused("no_kind", "an object without label; want what was seen", device, key)
    if about_faces(kind):
        return _refused("faces_refused", "an object that is a face; faces are not taken in", device)
    inner = objects(told.get("data"))
    now, entered = _words(told.get("current_zones")), _words(told.get("entered_zones") or told.get("zones"))
    label, sure = _sub_label(told.get("sub_label"))
    return CameraEvent(
        protocol=PROTOCOL,
        device=device,
        key=key,
        kind=kind,
        phase=phase,
        at=_moment(told, phase),
        zone=now[0] if now else entered[-1] if entered else None,
        target=None if kind == "person" else label,  # of a person it is a name
        score=_first_share(told.get("top_score"), told.get("score"), inner.get("top_score"), inner.get("score")),
        false_alarm=told.get("false_positive") is True,
        snapshots=_snapshot_of(key) if told.get("has_snapshot") is True else (),
        fields=fields_of({
            "zones": joined(entered),
            "label_score": None if kind == "person" else sure,
            "plate": told.get("recognized_license_plate"),
            "speed": told.get("current_estimated_speed"),
            "stationary": told.get("stationary"),
        }),
    )  # fmt: skip


def _review(told: Mapping[str, Any], phase: Phase, key: str, device: Device) -> Parsed:
    inner = objects(told.get("data"))
    seen = sorted({each.removesuffix("-verified") for each in _words(inner.get("objects")) if not about_faces(each)})
    heard = _words(inner.get("audio"))
    if not seen and not heard:
        return _refused("no_kind", "a review without objects and sounds; want at least one", device, key)
    zones = _words(inner.get("zones"))
    path = text(told.get("thumb_path"), 500) or ""
    return CameraEvent(
        protocol=PROTOCOL,
        device=device,
        key=key,
        kind=(seen or heard)[0],
        phase=phase,
        at=_moment(told, phase),
        zone=zones[0] if zones else None,
        target="+".join(seen)[:200] or None,
        severity=word(told.get("severity")),
        snapshots=(Snapshot(media_type=media_type_of(path), url="/" + quote(path.removeprefix(_MEDIA))),)
        if path.startswith(_MEDIA)
        else (),
        fields=fields_of({
            "detections": joined(_words(inner.get("detections"))),
            "zones": joined(zones),
            "sub_labels": None if "person" in seen else joined(_words(inner.get("sub_labels"))),
            "sounds": joined(heard),
        }),
    )  # fmt: skip


def _classified(message: Mapping[str, Any]) -> Parsed:
    """A model of the user's own says what an object is: an event of its own, since the object's says nothing of it."""
    model, found = word(message.get("model")), word(message.get("attribute")) or word(message.get("sub_label"))
    device, about = Device(name=text(message.get("camera"))), text(message.get("id"), 64)
    if model is None or found is None or about is None:
        return _refused("no_kind", "a classification without id, model and result; want all three", device)
    if about_faces(model):
        return _refused("faces_refused", "a model of faces; faces are not taken in", device)
    return CameraEvent(
        protocol=PROTOCOL, device=device, key=name_of(about, model, found), kind=model, phase=Phase.PULSE,
        at=from_epoch(message.get("timestamp")), target=found, score=share(message.get("score")),
        fields=fields_of({"object": about}),
    )  # fmt: skip


def _triggered(message: Mapping[str, Any]) -> Parsed:
    kind, about = word(message.get("name")), text(message.get("event_id"), 64)
    device = Device(name=text(message.get("camera")))
    if kind is None or about is None:
        return _refused("no_kind", "a trigger without name and event_id; want both", device)
    if about_faces(kind):
        return _refused("faces_refused", "a trigger for faces; faces are not taken in", device)
    return CameraEvent(
        protocol=PROTOCOL, device=device, key=name_of(about, "trigger", kind), kind=kind, phase=Phase.PULSE,
        at=from_epoch(about.split("-")[0]),  # an id of Frigate begins with the moment of its object
        score=share(message.get("score")), snapshots=_snapshot_of(about), fields=fields_of({"object": about}),
    )  # fmt: skip


def _moment(told: Mapping[str, Any], phase: Phase) -> datetime | None:
    first = {Phase.UPDATE: "frame_time", Phase.END: "end_time"}.get(phase, "start_time")
    for name in (first, "frame_time", "start_time"):
        moment = from_epoch(told.get(name))
        if moment is not None:
            return moment
    return None


def _snapshot_of(key: str) -> tuple[Snapshot, ...]:
    """Frigate sends no pictures: where they lie below its own address, which the registry knows."""
    return (Snapshot(media_type="image/jpeg", url=f"/api/events/{quote(key, safe='')}/snapshot.jpg"),)


def _sub_label(value: Any) -> tuple[str | None, float | None]:
    """Nothing, a word, or a word and how sure Frigate is."""
    if isinstance(value, list) and value:
        return word(value[0]), share(value[1]) if len(value) > 1 else None
    return word(value), None


def _first_share(*values: Any) -> float | None:
    return next((share(each) for each in values if number(each) is not None), None)


def _words(value: Any) -> list[str]:
    return [each for each in map(word, value[:50]) if each] if isinstance(value, list) else []


def _refused(code: str, says: str, device: Device | None = None, item: str = "") -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says, device=device or Device(), item=item)
