"""The calls of GA/T 1400.4 below `/VIID` beside the objects themselves: who signs in, what is reported of cameras,
what time it is, what is taken in nowhere, and what of a message may be kept where it cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from events.intake.camera_event import Device, Parsed, Refused
from events.intake.gat1400 import MOST_BYTES, MOST_ITEMS, PEOPLE_IN_PICTURES, PROTOCOL
from events.intake.json_value import read_json
from events.intake.unreadable import Unreadable, check_size
from events.intake.values import text

READ: Final = frozenset({
    "MotorVehicles", "NonMotorVehicles", "Persons", "Images", "Things", "Scenes", "SubscribeNotifications",
})  # fmt: skip
"""Collections whose objects are taken in."""

FACES: Final = "Faces"
ABOUT_PEOPLE: Final = frozenset({"Dispositions", "DispositionNotifications"})
"""Who is looked for, and where he was seen: nothing of it is kept."""

CAMERAS: Final = "APEs"

_SIGNING: Final = ("RegisterObject", "UnRegisterObject", "KeepaliveObject", "Register", "UnRegister", "Keepalive")
_DEVICE: Final = re.compile(r"[0-9]{20}", re.ASCII)
_APE_TOLD: Final = (
    "ApeID", "Name", "Model", "Longitude", "Latitude", "PlaceCode", "Place", "OrgCode", "CapDirection",
    "MonitorDirection", "MonitorAreaDesc", "IsOnline", "FunctionType", "PositionType",
)  # fmt: skip
_ONLINE: Final = {"1": True, "2": False}  # 9: not known


def device_of(body: bytes, sender: str) -> str | None:
    """The 20 digits of who signs in or keeps alive: by the header User-Identify, and by the body where it says one.

    None where neither says one, or the two differ.
    """
    said = set() if not sender.strip() else {sender.strip()}
    try:
        message = read_json(body) if body.strip() and len(body) <= MOST_BYTES else None
    except Unreadable:
        message = None
    if isinstance(message, dict):
        for name in _SIGNING:
            inside = message.get(name)
            own = text(inside.get("DeviceID"), 40) if isinstance(inside, dict) else None
            said |= {own} if own else set()
    (device,) = said if len(said) == 1 else (None,)
    return device if device is not None and _DEVICE.fullmatch(device) else None


# -- what is reported of cameras -------------------------------------------------------------------


@dataclass(frozen=True)
class Ape:
    """What a platform says of one camera: short text by the standard's names, never an address or a password."""

    code: str
    facts: Mapping[str, str]
    online: bool | None  # None: it does not say


def read_apes(body: bytes, sender: str) -> tuple[Ape | Refused, ...]:
    """Each camera of an APEListObject, in their order; one refusal where the list cannot be read."""
    by = text(sender, 40)
    try:
        check_size(body, MOST_BYTES)
        message = read_json(body)
        listed = _objects_of(message) if isinstance(message, dict) else []
        if not listed:
            raise Unreadable("unknown_shape", "no list of cameras; want an APEListObject")
        if len(listed) > MOST_ITEMS:
            raise Unreadable("too_many_items", f"{len(listed)} objects; want at most {MOST_ITEMS}")
    except Unreadable as error:
        return (_refused(error.code, error.says, by),)
    return tuple(_ape(each, by) for each in listed)


def _ape(told: Any, by: str | None) -> Ape | Refused:
    if not isinstance(told, dict):
        return _refused("bad_item", "a camera that is no object; want one", by)
    code = text(told.get("ApeID"), 40)
    if code is None:
        return _refused("no_device", "a camera without ApeID; want its 20 digits", by)
    facts = {name: line for name in _APE_TOLD if (line := text(told.get(name))) is not None}
    return Ape(code, facts, _ONLINE.get(facts.get("IsOnline", "")))


# -- what is taken in nowhere ----------------------------------------------------------------------


def not_taken_in(collection: str, body: bytes, sender: str) -> tuple[Parsed, ...]:
    """A refusal for each object of a collection that nobody here reads, by its id."""
    by = text(sender, 40)
    says = f"{text(collection, 60)}: objects that are taken in nowhere here; want one of {', '.join(sorted(READ))}"
    try:
        check_size(body, MOST_BYTES)
        message = read_json(body)
    except Unreadable as error:
        return (_refused(error.code, error.says, by),)
    return tuple(_refused("not_taken_in", says, by, item) for item in _ids_of(message))


def of_people(collection: str, body: bytes, sender: str) -> tuple[Parsed, ...]:
    """A refusal by rule for each object of a collection of faces or of people looked for; only its id is told."""
    by = text(sender, 40)
    try:
        check_size(body, MOST_BYTES)
        items = _ids_of(read_json(body))
    except Unreadable:
        items = [""]
    if collection == FACES:
        return tuple(_refused("faces_refused", "a face; faces are not taken in", by, item) for item in items)
    return tuple(_refused("about_people", "who is looked for is not taken in", by, item) for item in items)


def picture_alone(item: str, sender: str) -> tuple[Parsed, ...]:
    """The refusal of a picture, film or file that is sent by itself: nobody says what it shows."""
    says = "data by itself; want pictures inside of their objects (SubImageList)"
    return (_refused("picture_alone", says, text(sender, 40), text(item, 64) or ""),)


def _objects_of(message: Mapping[str, Any]) -> list[Any]:
    """The objects of the first list that a message holds, however it is spelt; one that stands alone is a list."""
    for name, inside in message.items():
        if isinstance(inside, dict) and name.endswith(("ListObject", "ObjectList", "List")):
            inside = next((value for value in inside.values() if isinstance(value, list | dict)), None)
        if isinstance(inside, list):
            return inside
        if isinstance(inside, dict):
            return [inside]
    return []


def _ids_of(message: Any) -> list[str]:
    """The id of each object of a message, "" for one without; of a message without objects one ""."""
    listed = _objects_of(message)[:MOST_ITEMS] if isinstance(message, dict) else []
    return [_id_of(each) for each in listed or [None]]


def _id_of(told: Any) -> str:
    """An object's own id: the first of its fields that is named like one."""
    if not isinstance(told, dict):
        return ""
    return next((line for name, value in told.items() if name.endswith(("ID", "Id")) and (line := text(value, 64))), "")


def _refused(code: str, says: str, by: str | None, item: str = "") -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says, device=Device(code=by), item=item)


# -- what may be kept of a message that cannot be read ---------------------------------------------

_LONG: Final = re.compile(rb"[A-Za-z0-9+/=\\]{200,}")
_OF_A_PERSON: Final = re.compile(r"person(list|object|$)", re.IGNORECASE)
_KEPT_OF_A_PERSON: Final = frozenset({"PersonID", "SourceID", "DeviceID", "TollgateID", "ShotTime", "PersonAppearTime"})


def without_people(body: bytes, most: int) -> bytes:
    """A message as it may be kept in quarantine: no face, no picture of people, of a person only when and where.

    One of more than `most` bytes loses its other pictures too, so that it can be read again. What is no JSON is cut
    there and keeps no long run of base64; and where it speaks of people, or may, nothing of it is kept.
    """
    try:
        message = read_json(body)
    except Unreadable:
        cut = body[:most]
        lower = cut.lower()
        suspect = any(word in lower for word in (b"face", b"person", b"\\u00", b"\0"))
        return b"" if suspect else _LONG.sub(b"...", cut)
    return msgspec.json.encode(_cleared(message, pictures=len(body) <= most))


def _cleared(value: Any, *, pictures: bool) -> Any:
    if isinstance(value, list):
        return [_cleared(each, pictures=pictures) for each in value if not _shows_people(each)]
    if not isinstance(value, dict):
        return value
    if "FaceID" in value:
        return None
    if "PersonID" in value:
        return _of_a_person(value)
    return {
        name: _of_a_person(inside) if _OF_A_PERSON.match(name) else _cleared(inside, pictures=pictures)
        for name, inside in value.items()
        if not name.lower().startswith("face") and not _shows_people(inside) and (pictures or name != "Data")
    }


def _shows_people(value: Any) -> bool:
    if not isinstance(value, dict) or "Type" not in value:
        return False
    shown = text(value["Type"], 10) in PEOPLE_IN_PICTURES
    return shown and not value.keys().isdisjoint(("Data", "ImageID", "StoragePath"))


def _of_a_person(value: Any) -> Any:
    if isinstance(value, list):
        return [_of_a_person(each) for each in value]
    if not isinstance(value, dict):
        return None
    return dict(_kept_of_a_person(value))


def _kept_of_a_person(value: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, inside in value.items():
        if _OF_A_PERSON.match(name):
            yield name, _of_a_person(inside)
        elif name in _KEPT_OF_A_PERSON and not isinstance(inside, dict | list):
            yield name, inside


# -- answers ---------------------------------------------------------------------------------------


def answer_time(server: str, now: datetime) -> bytes:
    """The answer to `/VIID/System/Time`. `now` is aware, in the city's zone; TimeMode 1 is by the network."""
    away = f"{now:%z}"
    return msgspec.json.encode({
        "SystemTimeObject": {
            "VIIDServerID": server, "TimeMode": "1", "LocalTime": f"{now:%Y%m%d%H%M%S}",
            "TimeZone": f"{away[:3]}:{away[3:]}",
        }
    })  # fmt: skip


NO_SUBSCRIPTIONS: Final = msgspec.json.encode({"SubscribeListObject": {"SubscribeObject": []}})
"""The answer to a look at the subscriptions: nothing is published here, so there are none."""
