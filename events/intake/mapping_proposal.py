"""A mapping proposed from a sample alone: which path looks like a moment, a kind, a camera, a place. Pure.

It is a draft for a person to read: whatever could be meant is listed with what stood there, and nothing is guessed
that a sample cannot show, such as whose degrees a pair of numbers is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final

from events.intake.camera_event import CameraEvent, Parsed
from events.intake.json_value import read_json
from events.intake.mapped import MOST_STEPS, FieldMap, reads_as
from events.intake.values import mac, number, picture_at, text

MOST_LEAVES: Final = 400  # values of one event that are looked at
_MOST_PLACES: Final = 3  # of a list that is no list of events


@dataclass(frozen=True)
class Guess:
    """One target: the path that looks most like it, what stands there, and the others that could be meant."""

    target: str
    path: str
    found: str
    others: tuple[str, ...] = ()


@dataclass(frozen=True)
class Proposal:
    """A mapping as it is kept, how each of its rules was found, and what a person must still say."""

    document: Mapping[str, Any]
    guesses: tuple[Guess, ...]
    open: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Leaf:
    path: str
    name: str  # the last name of the path, letters and digits alone
    above: str  # the name before it
    value: Any


def propose(sample: bytes, datum: str | None = None) -> Proposal:
    """A mapping for messages like this one. `datum`: whose degrees its places are. Raises Unreadable for no JSON."""
    message = read_json(sample)
    items, listed = _items(message)
    event = listed[0] if items is not None else message
    leaves = list(islice(_leaves(event), MOST_LEAVES))
    taken: set[str] = set()
    rules: dict[str, Any] = {}
    guesses: list[Guess] = []
    asked: list[str] = []
    for target, looks in _LOOKS:
        found = sorted(
            ((score, leaf) for leaf in leaves if leaf.path not in taken and (score := looks(leaf)) > 0),
            key=lambda each: (-each[0], each[1].path.count("."), len(each[1].path)),
        )
        if found:
            best = found[0][1]
            taken.add(best.path)
            rules[target] = best.path
            others = tuple(leaf.path for _, leaf in found[1:4])
            guesses.append(Guess(target, best.path, text(best.value, 80) or "", others))
    if ("lon" in rules) != ("lat" in rules):
        rules.pop("lon", None)
        rules.pop("lat", None)
    if "lon" in rules:
        if "datum" not in rules and datum is not None:
            rules["datum"] = {"constant": datum}
        elif "datum" not in rules:
            asked.append(
                f"lon at {rules.pop('lon')} and lat at {rules.pop('lat')} look like a place: say whose degrees they"
                " are (wgs84, cgcs2000, gcj02, bd09)"
            )
    else:
        rules.pop("datum", None)
    if "kind" not in rules:
        asked.append("no path looks like a kind: name one, or a constant")
    document = ({} if items is None else {"items": items}) | {"rules": rules}
    return Proposal(document, tuple(each for each in guesses if each.target in rules), tuple(asked))


def missing(told: Parsed, mapping: FieldMap) -> tuple[str, ...]:
    """What an item read with this mapping does not say, and what holds in its place."""
    if not isinstance(told, CameraEvent):
        return ()
    found = []
    if told.at is None and told.local_time is None:
        found.append("time: it counts as of when it came")
    elif told.at is None:
        found.append("offset of the time: it is taken for the city's own")
    if not any(vars(told.device).values()):
        found.append("camera: only a token of one camera can say whose it is")
    if told.spot is None:
        found.append("place: it is where its camera looks")
    if not told.snapshots:
        found.append("picture")
    if told.lane is not None and "phase" in mapping.rules:
        found.append("incident: messages of one device, kind and zone are one that goes on")
    return tuple(found)


# -- what a sample consists of -----------------------------------------------------------------------------


def _items(message: Any) -> tuple[str | None, Sequence[Any]]:
    """Where the list of events lies: the message itself, or the first list of objects, the nearest to the top."""
    if isinstance(message, list) and message and all(isinstance(each, dict) for each in message):
        return "", message
    level: list[tuple[str, Any]] = [("", message)]
    for _ in range(3):
        below: list[tuple[str, Any]] = []
        for path, value in level:
            if not isinstance(value, dict):
                continue
            for name, inside in value.items():
                if not _is_name(name):
                    continue
                at = f"{path}.{name}" if path else name
                if isinstance(inside, list) and inside and all(isinstance(each, dict) for each in inside):
                    return at, inside
                below.append((at, inside))
        level = below
    return None, ()


def _is_name(name: str) -> bool:
    return 0 < len(name) <= 64 and not set(name) & set(".[]")


def _leaves(value: Any, path: str = "", name: str = "", above: str = "", steps: int = 0) -> Iterator[_Leaf]:
    if steps > MOST_STEPS - 1:
        return
    if isinstance(value, dict):
        for key, inside in value.items():
            if _is_name(key):
                at = f"{path}.{key}" if path else key
                yield from _leaves(inside, at, re.sub(r"[^a-z0-9一-鿿]", "", key.lower()), name, steps + 1)
    elif isinstance(value, list):
        for at, inside in enumerate(value[:_MOST_PLACES]):
            yield from _leaves(inside, f"{path}[{at}]", f"{name}[{at}]", name, steps + 1)
    elif value is not None and value != "":
        yield _Leaf(path, name, above, value)


# -- what looks like what ------------------------------------------------------------------------------------
# By the name and by the value; 0: it cannot be. What is asked first takes its path away from those after it.

_TIMES: Final = frozenset({
    "time", "timestamp", "ts", "when", "datetime", "date", "at", "occurredat", "happenedat", "createdat",
    "时间", "报警时间",
})  # fmt: skip
_KINDS: Final = (
    "kind", "eventtype", "alarmtype", "type", "event", "alarm", "label", "category", "class", "code", "what", "name",
    "类型", "事件类型",
)  # fmt: skip
_UNITS: Final = (
    "cameracode", "camera", "cameraid", "deviceid", "devicecode", "device", "devid", "unit", "car", "vehicle", "plate",
    "cam", "id", "code", "设备编号",
)  # fmt: skip
_HOLDERS: Final = frozenset({
    "camera", "cam", "device", "dev", "sensor", "unit", "car", "vehicle", "source", "sender", "drone",
})  # fmt: skip
_INCIDENT_HOLDERS: Final = frozenset({"", "event", "alarm", "incident"})
_PAIRS: Final = frozenset({
    "pos", "position", "location", "coordinates", "coordinate", "coord", "point", "geo", "lnglat", "lonlat", "gps",
})  # fmt: skip
_INCIDENTS: Final = ("incidentid", "incident", "eventid", "alarmid", "trackid")
_NUMBERS: Final = ("uuid", "guid", "no", "id")


def _named(*names: str) -> Callable[[_Leaf], int]:
    """How early the name stands in the list."""
    return lambda leaf: len(names) - names.index(leaf.name) if leaf.name in names else 0


def _time(leaf: _Leaf) -> int:
    if isinstance(leaf.value, bool) or reads_as("time", leaf.value) is None:
        return 0
    named = leaf.name in _TIMES or leaf.name.endswith(("time", "timestamp", "date"))
    value = number(leaf.value)
    return 2 + 2 * named if named or value is None or value > 1e9 else 0


def _kind(leaf: _Leaf) -> int:
    bare = (isinstance(leaf.value, str) and len(leaf.value) <= 64) or (type(leaf.value) is int and leaf.value < 100_000)
    if not bare or leaf.above in _HOLDERS or reads_as("time", leaf.value) is not None:
        return 0
    return _named(*_KINDS)(leaf)


def _code(leaf: _Leaf) -> int:
    if not isinstance(leaf.value, str | int) or isinstance(leaf.value, bool):
        return 0
    if leaf.name in {"id", "code"}:
        return 1 if leaf.above in _HOLDERS else 0
    return _named(*_UNITS)(leaf)


def _incident(leaf: _Leaf) -> int:
    """A bare id is one of the incident only at the top: deeper it is a device's, and all it says would be one."""
    named = _named(*_INCIDENTS, *_NUMBERS)(leaf)
    return 0 if leaf.name in _NUMBERS and leaf.above not in _INCIDENT_HOLDERS else named


def _degrees(most: float, names: frozenset[str], place: int) -> Callable[[_Leaf], int]:
    def looks(leaf: _Leaf) -> int:
        value = number(leaf.value)
        if value is None or not -most <= value <= most:
            return 0
        if leaf.name in names:
            return 2
        bare, _, _ = leaf.name.partition("[")
        return int(bare in _PAIRS and leaf.name == f"{bare}[{place}]")

    return looks


def _picture_url(leaf: _Leaf) -> int:
    return 0 if picture_at(leaf.value) is None else 1


def _if(target: str, looks: Callable[[_Leaf], int]) -> Callable[[_Leaf], int]:
    """Only where what stands there can be read as the target."""
    return lambda leaf: looks(leaf) if reads_as(target, leaf.value) is not None else 0


_LOOKS: Final[Sequence[tuple[str, Callable[[_Leaf], int]]]] = (
    ("picture_url", _picture_url),
    ("picture", lambda leaf: int(isinstance(leaf.value, str) and reads_as("picture", leaf.value) is not None)),
    ("time", _time),
    ("lon", _degrees(180, frozenset({"lon", "lng", "long", "longitude", "经度"}), 0)),
    ("lat", _degrees(90, frozenset({"lat", "latitude", "纬度"}), 1)),
    ("datum", _named("datum", "coordsys", "coordtype", "crs")),
    ("mac", lambda leaf: int("mac" in leaf.name and mac(leaf.value) is not None)),
    ("serial", _named("serial", "serialno", "serialnumber", "sn", "imei", "deviceserial", "devicesn")),
    ("channel", _named("channel", "channelid", "channelno", "chn")),
    ("code", _code),
    ("score", _if("score", _named("score", "confidence", "conf", "probability", "prob", "sure", "置信度"))),
    ("phase", _if("phase", _named("phase", "action", "state", "status", "alarmstate"))),
    ("kind", _kind),
    ("severity", _named("severity", "level", "priority", "alarmlevel")),
    ("zone", _named("zone", "zonename", "region", "area", "roi")),
    ("target", _named("target", "targettype", "object", "objecttype")),
    ("incident", _incident),
)
