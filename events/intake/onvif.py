"""ONVIF: WS-BaseNotification `Notify` in SOAP 1.1 or 1.2, and the metadata stream that carries the same messages.

`Initialized` says how things stand when somebody subscribes: it is a state and no event. Taking it for one
makes a storm out of every reconnect.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from events.intake.camera_event import CameraEvent, Device, Heartbeat, Parsed, Phase, Refused
from events.intake.unreadable import Unreadable, check_size
from events.intake.values import about_faces, fields_of, name_of, share, text, truth, when, word
from events.intake.xml_tree import Node, read_xml

PROTOCOL: Final = "onvif"
MOST_BYTES: Final = 256 * 1024
MOST_ITEMS: Final = 200

# What a device does by itself or by its operator's hand, not what it sees.
_OF_THE_DEVICE: Final = (
    "ptzcontroller/", "videosource/daynightvision", "device/light/", "lightcontrol/", "monitoring/",
)  # fmt: skip
_APPLICATION: Final = "cameraapplicationplatform/"  # of Axis: application, then the profile that it watches by

_ZONES: Final = ("rule", "rulename", "areaid", "region", "port", "sensor", "inputtoken", "relaytoken", "disk_id")
_CHANNELS: Final = (
    "videosourceconfigurationtoken", "videosourcetoken", "videosource", "source", "channel", "ptzconfigurationtoken",
)  # fmt: skip
_STATES: Final = ("state", "active", "ismotion", "isinside", "triggered", "alert", "logicalstate")
_TARGETS: Final = ("classtypes", "objecttype", "classtype", "class")


def parse(body: bytes, content_type: str = "") -> tuple[Parsed, ...]:
    """What one body says: one item for each notification, in their order."""
    try:
        check_size(body, MOST_BYTES)
        root = read_xml(body)
    except Unreadable as error:
        return (_refused(error.code, error.says),)
    told = list(root.everywhere("notificationmessage"))
    if len(told) > MOST_ITEMS:
        return (_refused("too_many_items", f"{len(told)} notifications; want at most {MOST_ITEMS}"),)
    if told:
        return tuple(_one(each) for each in told)
    if root.name == "metadatastream" or next(root.everywhere("notify"), None) is not None:
        return (Heartbeat(protocol=PROTOCOL, device=Device()),)
    return (_refused("unknown_shape", f"{_inner(root)!r}; want Notify with NotificationMessage"),)


def _one(told: Node) -> Parsed:
    topic = _topic(told.value("topic"))
    message = next((each for each in told.everywhere("message") if "utctime" in each.attributes), None)
    if topic is None:
        return _refused("no_kind", "a notification without Topic; want one")
    if message is None:
        return _refused("no_message", f"topic {topic!r} without a Message that has UtcTime; want one")
    about, data = _items(message, "source") | _items(message, "key"), _items(message, "data")
    device = Device(channel=_first(about, _CHANNELS))
    moment = when(message.attributes.get("utctime"))
    done = word(message.attributes.get("propertyoperation") or message.attributes.get("propertytype"))
    name, value = _state(data)
    if done == "initialized" or topic.startswith(_OF_THE_DEVICE):
        state = " ".join([topic, *(f"{key}={given}" for key, given in data.items())])
        return Heartbeat(protocol=PROTOCOL, device=device, at=moment.at, state=text(state) or topic)
    if about_faces(topic):
        return _refused("faces_refused", "a notification of faces; faces are not taken in", device)
    kind, zone = topic, _first(about, _ZONES)
    if topic.startswith(_APPLICATION) and topic.count("/") >= 2:
        application, _, profile = topic.removeprefix(_APPLICATION).partition("/")
        kind, zone = _APPLICATION + application, zone or profile
    lane = name_of(PROTOCOL, topic, *sorted(about.items()))
    return CameraEvent(
        protocol=PROTOCOL,
        device=device,
        key=name_of(lane, message.attributes["utctime"]),
        lane=lane,
        kind=kind,
        phase=Phase.END if done == "deleted" else _PHASES[value],
        at=moment.at,
        local_time=moment.local_time,
        zone=zone,
        target=word(_first(data, _TARGETS)),
        score=share(_first(data, ("likelihood", "confidence"))),
        fields=fields_of([
            ("producer", _producer(told)),
            *((key, given) for key, given in (about | data).items() if key != name),
        ]),
    )  # fmt: skip


_PHASES: Final[Mapping[bool | None, Phase]] = {True: Phase.START, False: Phase.END, None: Phase.PULSE}


def _topic(written: str | None) -> str | None:
    """A topic in lower case, each step without the prefix that the device chose for its namespace."""
    line = text(written)
    if line is None:
        return None
    steps = [step.rsplit(":", 1)[-1].strip() for step in line.split("/")]
    return "/".join(step for step in steps if step).lower() or None


def _items(message: Node, group: str) -> dict[str, str]:
    """The simple items of Source, Key or Data, by their names in lower case."""
    found: dict[str, str] = {}
    for holder in message.children:
        if holder.name != group:
            continue
        for item in holder.children:
            name, value = word(item.attributes.get("name")), text(item.attributes.get("value"))
            if item.name == "simpleitem" and name is not None and value is not None and len(found) < 30:
                found[name[:40]] = value
    return found


def _state(data: Mapping[str, str]) -> tuple[str, bool | None]:
    """Which item says that something begins or ends, and which of the two; ("", None) where none does."""
    for name in (*_STATES, *(each for each in data if each.startswith(("is", "has", "on_")))):
        value = truth(data.get(name))
        if value is not None:
            return name, value
    return "", None


def _first(items: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((items[name] for name in names if name in items), None)


def _producer(told: Node) -> str | None:
    return next((node.text.strip() for node in told.everywhere("address") if node.text.strip()), None)


def _inner(root: Node) -> str:
    """What an envelope holds, or the document itself."""
    body = root.first("body")
    return text((body.children[0] if body is not None and body.children else root).name, 60) or ""


def _refused(code: str, says: str, device: Device | None = None) -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says, device=device or Device())
