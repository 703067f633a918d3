"""GA/T 1400.4 (视图库): collections of objects as a device or platform posts them to `/VIID/…`, and the answers.

Faces are refused: no field and no picture of one is in what `parse` returns, nor the parts of other objects'
pictures that show a person. Each object is one item, so that each can have a status of its own.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from events.intake.camera_event import CameraEvent, Device, Heartbeat, Parsed, Phase, Refused, Snapshot
from events.intake.json_value import read_json
from events.intake.unreadable import Unreadable, check_size
from events.intake.values import (
    MOST_PICTURE_BYTES,
    MOST_PICTURES,
    Told,
    fields_of,
    name_of,
    number,
    picture,
    picture_at,
    text,
    when,
)  # fmt: skip

PROTOCOL: Final = "gat1400"
MOST_BYTES: Final = 8 * 2**20
MOST_ITEMS: Final = 200

MEDIA_TYPE: Final = "application/VIID+JSON;charset=UTF-8"

_OBJECTS: Final = ("MotorVehicle", "NonMotorVehicle", "Person", "Face", "Thing", "Scene", "Image")
_SPELLINGS: Final = ("ListObject", "ObjectList", "List")  # the standard's, and two that are met
_STATES: Final = {"KeepaliveObject": "", "RegisterObject": "registered", "UnRegisterObject": "unregistered"}
PEOPLE_IN_PICTURES: Final = frozenset({"04", "05", "10", "11", "4", "5"})
"""The driver's face, the one beside, a person, a face: types of pictures that are left out."""

_TIMES: Final = ("PassTime", "ShotTime", "AppearTime", "PersonAppearTime", "MarkTime", "BeginTime", "DisappearTime")
_ADDRESSES: Final = ("StorageUrl1", "StorageUrl2", "StorageUrl3", "StorageUrl4", "StorageUrl5")
_TOLD: Final = {
    "plate": "PlateNo", "plate_class": "PlateClass", "plate_color": "PlateColor", "vehicle_class": "VehicleClass",
    "vehicle_color": "VehicleColor", "brand": "VehicleBrand", "speed": "Speed", "direction": "Direction",
    "road": "NameOfPassedRoad", "tollgate": "TollgateID", "source": "SourceID", "title": "Title", "shape": "Shape",
    "place": "PlaceCode", "scene": "SceneType",
}  # fmt: skip
_OF_ANYBODY: Final = ("tollgate", "source")  # all that is told of an object that is a person


def parse(body: bytes, content_type: str = "", sender: str = "") -> tuple[Parsed, ...]:
    """What one body says: one item for each object, in their order.

    `sender` is the header User-Identify: who posts, where the message names no device.
    """
    by = text(sender, 40)
    try:
        check_size(body, MOST_BYTES)
        message = read_json(body)
        if not isinstance(message, dict):
            raise Unreadable("unknown_shape", "no object; want one with a list, such as MotorVehicleListObject")
        return tuple(_items(message, by))
    except Unreadable as error:
        return (_refused(error.code, error.says, by),)


def _items(message: Mapping[str, Any], by: str | None) -> Iterator[Parsed]:
    for name, state in _STATES.items():
        inside = message.get(name)
        if isinstance(inside, dict):
            device = Device(code=text(inside.get("DeviceID"), 40) or by)
            yield Heartbeat(protocol=PROTOCOL, device=device, at=when(inside.get("CurrentTime")).at, state=state)
            return
    notified = _listed(message, "SubscribeNotification")
    if notified is None:
        objects = list(_objects(message))
        if not objects:
            given = text(next(iter(message), ""), 60)
            raise Unreadable("unknown_shape", f"{given!r}; want a list of objects of GA/T 1400")
        _check_count(objects)
        yield from (_one(kind, each, by, {}) for kind, each in objects)
        return
    _check_count(notified)
    for told in notified:
        if not isinstance(told, dict):
            yield _refused("bad_item", "a notification that is no object; want one", by)
            continue
        inner = list(_objects(told))
        _check_count(inner)
        yield from (_one(kind, each, by, told) for kind, each in inner)
        if not inner:
            own = text(told.get("NotificationID"), 64)
            yield _refused("unknown_shape", "a notification without objects; want at least one", by, own)


def _check_count(listed: Sequence[Any]) -> None:
    if not listed:
        raise Unreadable("empty", "an empty list; want at least one object")
    if len(listed) > MOST_ITEMS:
        raise Unreadable("too_many_items", f"{len(listed)} objects; want at most {MOST_ITEMS}")


def _objects(holder: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for kind in _OBJECTS:
        yield from ((kind, each) for each in _listed(holder, kind) or ())


def _listed(holder: Mapping[str, Any], kind: str) -> list[Any] | None:
    """The objects of one kind, however their list is spelt; one that stands alone counts as a list of one."""
    for spelling in _SPELLINGS:
        inside = holder.get(kind + spelling)
        if isinstance(inside, dict):
            inside = inside.get(kind + "Object", inside.get(kind))
        if isinstance(inside, list):
            return inside
        if isinstance(inside, dict):
            return [inside]
    return None


def _one(kind: str, told: Any, by: str | None, notice: Mapping[str, Any]) -> Parsed:
    item = text(notice.get("NotificationID"), 64)
    if not isinstance(told, dict):
        return _refused("bad_item", f"a {kind} that is no object; want one", by, item)
    if kind == "Image" and isinstance(told.get("ImageInfo"), dict):
        told = told["ImageInfo"] | {"Data": told.get("Data")}
    own = text(told.get(kind + "ID"), 64)
    if kind == "Face":
        return _refused("faces_refused", "a face; faces are not taken in", by, item or own)
    source, zone = text(told.get("SourceID"), 64), text(told.get("LaneNo"), 40)
    code = text(told.get("DeviceID"), 40) or by
    told_at = _moment(told, notice)
    raw = next((text(told.get(name)) for name in _TIMES if text(told.get(name))), None)
    person = kind == "Person"
    fields = fields_of({name: told.get(word) for name, word in _TOLD.items() if not person or name in _OF_ANYBODY})
    pictures, left = ((), 0) if person else _pictures(kind, told)
    return CameraEvent(
        protocol=PROTOCOL,
        device=Device(code=code),
        key=own or name_of(PROTOCOL, code, kind, source, zone, raw, fields.get("plate"), item),
        kind=kind.lower(),
        phase=Phase.PULSE,
        at=told_at.at,
        local_time=told_at.local_time,
        zone=zone,
        score=_percent(told.get("PlateReliability")),
        snapshots=pictures,
        fields=fields | fields_of({
            "object": own, "notification": item, "pictures_left_out": left or None,
        }),
    )  # fmt: skip


def _moment(told: Mapping[str, Any], notice: Mapping[str, Any]) -> Told:
    for value in (*(told.get(name) for name in _TIMES), notice.get("TriggerTime")):
        moment = when(value)
        if moment.at is not None or moment.local_time is not None:
            return moment
    return Told()


def _percent(value: Any) -> float | None:
    read = number(value)
    return read / 100 if read is not None and 0 <= read <= 100 else None


def _pictures(kind: str, told: Mapping[str, Any]) -> tuple[tuple[Snapshot, ...], int]:
    """The pictures of an object, and how many were left out: of people, unreadable, too large, too many."""
    holder = told.get("SubImageList")
    inside = holder.get("SubImageInfoObject") if isinstance(holder, dict) else None
    listed = inside if isinstance(inside, list) else [inside] if isinstance(inside, dict) else []
    if kind == "Image":
        listed = [told]
    found: list[Snapshot] = []
    left = 0
    for each in listed[:100]:
        shown = None
        if isinstance(each, dict) and len(found) < MOST_PICTURES and not _of_people(each):
            shown = _decoded(each.get("Data")) or picture_at(each.get("StoragePath"))
        if shown is None:
            left += 1
        else:
            found.append(shown)
    for name in _ADDRESSES:
        lying = picture_at(told.get(name))
        if lying is not None and lying not in found and len(found) < MOST_PICTURES:
            found.append(lying)
    return tuple(found), left


def _of_people(image: Mapping[str, Any]) -> bool:
    return text(image.get("Type"), 10) in PEOPLE_IN_PICTURES


def _decoded(written: Any) -> Snapshot | None:
    if not isinstance(written, str) or not written or len(written) > MOST_PICTURE_BYTES * 4 // 3 + 4:
        return None
    try:
        return picture(binascii.a2b_base64(written))
    except ValueError:  # binascii.Error is one; text that is no ASCII raises it as well
        return None


def _refused(code: str, says: str, by: str | None, item: str | None = None) -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says, device=Device(code=by), item=item or "")


# --- the answers --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Status:
    """What became of one object: 0 for kept, else a code of the standard, and a word on it."""

    id: str
    code: int = 0
    says: str = "OK"


KEPT, FAILED, REFUSED = 0, 1, 4  # OK, other error, invalid operation
NEVER_HERE: Final = frozenset({"faces_refused", "about_people", "picture_alone", "not_taken_in"})
"""Codes of refusals that sending again does not help."""


def statuses(items: Sequence[Parsed], kept: bool = True) -> tuple[Status, ...]:
    """One status for each object; for a notification one, which is the worst of its objects'.

    `kept` says whether what could be read was made durable.
    """
    found: dict[tuple[str, object], Status] = {}
    for place, item in enumerate(items):
        if isinstance(item, Refused):
            code = REFUSED if item.code in NEVER_HERE else FAILED
            name, status = item.item, Status(item.item, code, f"{item.code}: {item.says}")
        else:
            fields = item.fields if isinstance(item, CameraEvent) else {}
            name = fields.get("notification") or fields.get("object") or item.device.code or ""
            status = Status(name) if kept else Status(name, FAILED, "not kept: send it again")
        where = (name, "" if name else place)
        if where not in found or found[where].code == KEPT:
            found[where] = status
    return tuple(found.values())


def answer_list(told: Sequence[Status], uri: str, local_time: str) -> bytes:
    """The answer to a collection: a ResponseStatusListObject. `local_time` is yyyyMMddHHmmss."""
    return msgspec.json.encode(
        {"ResponseStatusListObject": {"ResponseStatusObject": [_status(each, uri, local_time) for each in told]}}
    )


def answer_one(told: Status, uri: str, local_time: str) -> bytes:
    """The answer to Register, UnRegister and Keepalive: one ResponseStatusObject."""
    return msgspec.json.encode({"ResponseStatusObject": _status(told, uri, local_time)})


def _status(told: Status, uri: str, local_time: str) -> dict[str, Any]:
    return {
        "RequestURL": uri, "StatusCode": told.code, "StatusString": told.says, "Id": told.id, "LocalTime": local_time,
    }  # fmt: skip
