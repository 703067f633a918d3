"""Any other JSON, by a mapping that is data: where in a message the kind stands, the camera, the time, the picture.

A path is names and places: `alarm.objects[0].type`. Nothing in a mapping is run.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import msgspec

from events.intake.camera_event import CameraEvent, Device, Parsed, Phase, Refused, Snapshot, Spot
from events.intake.json_value import read_json
from events.intake.unreadable import Unreadable, check_size
from events.intake.values import (
    MOST_PICTURE_BYTES,
    Told,
    degrees,
    fields_of,
    from_epoch,
    mac,
    name_of,
    number,
    picture,
    picture_at,
    text,
    truth,
    when,
    whole,
    word,
)  # fmt: skip

PROTOCOL: Final = "mapped"
MOST_BYTES: Final = 8 * 2**20
MOST_ITEMS: Final = 200
MOST_STEPS: Final = 16
MOST_VALUES: Final = 500  # rows of a value table
MOST_RULES: Final = 64

TARGETS: Final = (
    "kind", "incident", "phase", "code", "serial", "mac", "channel", "name", "time", "zone", "target", "score",
    "severity", "lon", "lat", "datum", "count", "resent", "false_alarm", "picture", "picture_url",
)  # fmt: skip
"""What a mapping may fill; `field.<name>` fills a field that people read."""

_STEP: Final = re.compile(r"(?:^|\.)([^.\[\]]{1,64})|\[(\d{1,5})\]", re.ASCII)
_PHASES: Final = {
    "start": Phase.START, "new": Phase.START, "begin": Phase.START, "active": Phase.START,
    "update": Phase.UPDATE,
    "end": Phase.END, "stop": Phase.END, "inactive": Phase.END,
    "pulse": Phase.PULSE,
}  # fmt: skip

Path = tuple[str | int, ...]


class BadMapping(ValueError):
    """A mapping that cannot be used; the message names the row, what was given and what is wanted."""


@dataclass(frozen=True)
class Rule:
    """Where one value comes from: the first of `paths` that leads to one, else `constant`; then the value table."""

    paths: tuple[Path, ...] = ()
    constant: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class FieldMap:
    """A mapping that was read: rules by target, and where the list of events lies (None: the message is one).

    `moving`: what sends it stands nowhere, so that an event without a place of its own has none.
    """

    rules: Mapping[str, Rule]
    items: Path | None = None
    moving: bool = False


def read_path(written: str) -> Path:
    """`a.b[2].c` as its steps; `` is the message itself. Raises BadMapping."""
    steps: list[str | int] = []
    at = 0
    while at < len(written):
        found = _STEP.match(written, at)
        if found is None or len(steps) >= MOST_STEPS:
            raise BadMapping(f"path {written[:100]!r}; want names with dots and [n], at most {MOST_STEPS} steps")
        steps.append(found[1] if found[1] is not None else int(found[2]))
        at = found.end()
    return tuple(steps)


def read_mapping(told: Any) -> FieldMap:
    """Read a mapping as it is kept.

    `{"items": path, "moving": true or false,
    "rules": {target: path | {"path": path or list of paths, "constant": text, "values": {…}}}}`.
    Raises BadMapping, which names the row.
    """
    if not isinstance(told, dict) or not isinstance(told.get("rules"), dict):
        raise BadMapping("no rules; want {'rules': {'kind': path, …}}")
    strange = sorted(set(told) - {"items", "moving", "rules"})
    if strange:
        raise BadMapping(f"{strange[0][:60]!r}; want only items, moving and rules")
    items = told.get("items")
    if items is not None and not isinstance(items, str):
        raise BadMapping("items that are no path; want text")
    if len(told["rules"]) > MOST_RULES:
        raise BadMapping(f"{len(told['rules'])} rules; want at most {MOST_RULES}")
    moving = told.get("moving", False)
    if not isinstance(moving, bool):
        raise BadMapping("moving that is neither true nor false; want one of both")
    rules = {name: _rule(name, given) for name, given in told["rules"].items()}
    if "kind" not in rules:
        raise BadMapping("no rule for kind; want a path or a constant")
    if ("lon" in rules or "lat" in rules) and not {"lon", "lat", "datum"} <= set(rules):
        raise BadMapping("a place without all of lon, lat and datum; want the three (datum mostly a constant)")
    if moving and "lon" not in rules:
        raise BadMapping("moving without a place; want rules for lon, lat and datum")
    datum = rules.get("datum")
    if datum is not None and not datum.paths and degrees(*_SOMEWHERE, datum.constant or "") is None:
        raise BadMapping(f"datum {datum.constant!r}; want wgs84, cgcs2000, gcj02 or bd09")
    return FieldMap(rules, None if items is None else read_path(items), moving)


_SOMEWHERE: Final = (103.8, 36.0)  # a place that every datum has


def _rule(name: str, given: Any) -> Rule:
    if name not in TARGETS and not re.fullmatch(r"field\.[a-z][a-z0-9_]{0,39}", name, re.ASCII):
        raise BadMapping(f"rule {name[:60]!r}; want one of {', '.join(TARGETS)}, or field.<name>")
    if isinstance(given, str):
        return Rule((read_path(given),))
    if not isinstance(given, dict) or set(given) - {"path", "constant", "values"}:
        raise BadMapping(f"rule {name!r}; want a path, or an object of path, constant and values")
    paths = given.get("path", [])
    listed = [paths] if isinstance(paths, str) else paths
    if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed) or len(listed) > 8:
        raise BadMapping(f"paths of {name!r}; want one path or a list of at most 8")
    values = given.get("values", {})
    if not isinstance(values, dict) or not all(isinstance(each, str) for each in values.values()):
        raise BadMapping(f"values of {name!r}; want a table of texts")
    if len(values) > MOST_VALUES:
        raise BadMapping(f"values of {name!r}; want a table of at most {MOST_VALUES} texts")
    constant = given.get("constant")
    if constant is not None and not isinstance(constant, str | int | float):
        raise BadMapping(f"constant of {name!r}; want a text, a number, true or false")
    if not listed and constant is None:
        raise BadMapping(f"rule {name!r} with neither path nor constant; want one of both")
    table = {key.strip().lower(): value for key, value in values.items()}
    return Rule(tuple(read_path(each) for each in listed), text(constant), table)


# --- reading with it ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Line:
    """One rule on one item of a sample: where a value was found, and what became of it."""

    target: str
    path: str | None  # None: by the constant, or found nowhere
    found: str | None
    became: str | None
    problem: str = ""


@dataclass(frozen=True)
class Preview:
    """What a sample becomes under a mapping, item by item, and how each value came about."""

    items: tuple[Parsed, ...]
    lines: tuple[tuple[Line, ...], ...]


def parse(body: bytes, content_type: str, mapping: FieldMap) -> tuple[Parsed, ...]:
    """What one message says under a mapping: one item for each event of it."""
    try:
        return tuple(_one(each, mapping) for each in _items(body, mapping))
    except Unreadable as error:
        return (_refused(error.code, error.says),)


def preview(body: bytes, mapping: FieldMap) -> Preview:
    """The same, and path by path what was found and what is missing, for who makes the mapping."""
    try:
        listed = list(_items(body, mapping))
    except Unreadable as error:
        return Preview((_refused(error.code, error.says),), ())
    return Preview(
        tuple(_one(each, mapping) for each in listed), tuple(tuple(_lines(each, mapping)) for each in listed)
    )


def _items(body: bytes, mapping: FieldMap) -> list[Any]:
    check_size(body, MOST_BYTES)
    message = read_json(body)
    if mapping.items is None:
        return [message]
    listed = _at(message, mapping.items)
    if not isinstance(listed, list) or not listed:
        raise Unreadable("unknown_shape", f"no list at {_written(mapping.items)!r}; want one with at least one event")
    if len(listed) > MOST_ITEMS:
        raise Unreadable("too_many_items", f"{len(listed)} events; want at most {MOST_ITEMS}")
    return listed


def _one(item: Any, mapping: FieldMap) -> Parsed:
    given = {name: _value(item, rule)[1] for name, rule in mapping.rules.items()}
    device = Device(
        code=text(given.get("code")), serial=text(given.get("serial")), mac=mac(given.get("mac")),
        channel=text(given.get("channel")), name=text(given.get("name")),
    )  # fmt: skip
    kind = word(given.get("kind"))
    if kind is None:
        return _refused("no_kind", "nothing where the mapping finds the kind; want a word there", device)
    phase = _PHASES.get(word(given.get("phase")) or "pulse")
    if phase is None:
        return _refused("no_phase", f"phase {word(given.get('phase'))!r}; want start, update, end or pulse", device)
    own, zone, target = text(given.get("incident")), text(given.get("zone")), word(given.get("target"))
    moment = _moment(given.get("time"))
    lane = name_of(PROTOCOL, *vars(device).values(), kind, zone)
    spot = degrees(given.get("lon"), given.get("lat"), text(given.get("datum")) or "")
    told_place = given.get("lon") is not None or given.get("lat") is not None
    if spot is None and told_place:
        says = f"lon {text(given.get('lon'), 30)}, lat {text(given.get('lat'), 30)}; want a place on earth, datum known"
        return _refused("bad_location", says, device)
    if spot is None and mapping.moving:
        return _refused("no_place", "nothing where the mapping finds the place of what moves; want lon and lat", device)
    shown = [each for each in (_decoded(given.get("picture")), picture_at(given.get("picture_url"))) if each]
    return CameraEvent(
        protocol=PROTOCOL,
        device=device,
        key=own or name_of(lane, target, text(given.get("time")) or sha256(msgspec.json.encode(item)).hexdigest()),
        lane=None if own else lane,
        kind=kind,
        phase=phase,
        at=moment.at,
        local_time=moment.local_time,
        zone=zone,
        target=target,
        score=_score(given.get("score")),
        severity=word(given.get("severity")),
        spot=None if spot is None else Spot(lon=spot[0], lat=spot[1], datum=text(given.get("datum")) or ""),
        count=whole(given.get("count"), 1, 10**9) or 1,
        resent=truth(given.get("resent")) is True,
        false_alarm=truth(given.get("false_alarm")) is True,
        snapshots=tuple(shown),
        fields=fields_of({name.removeprefix("field."): value for name, value in given.items() if "." in name}),
    )


def _value(item: Any, rule: Rule) -> tuple[Path | None, Any]:
    """The first path that leads to something, what stands there by the value table, else the constant."""
    for path in rule.paths:
        found = _at(item, path)
        if found is not None and found != "":
            return path, rule.values.get((text(found) or "").lower(), found) if rule.values else found
    return None, rule.constant


def _at(value: Any, path: Path) -> Any:
    for step in path:
        if isinstance(step, int):
            value = value[step] if isinstance(value, list) and step < len(value) else None
        else:
            value = value.get(step) if isinstance(value, dict) else None
    return value


def _lines(item: Any, mapping: FieldMap) -> Iterator[Line]:
    for name, rule in mapping.rules.items():
        path, value = _value(item, rule)
        found = None if path is None else text(_at(item, path), 80)
        became = reads_as(name, value)
        problem = ""
        if value is None:
            problem = "nothing there, and no constant"
        elif became is None:
            problem = f"cannot be read as {name}"
        elif rule.values and path is not None and (found or "").lower() not in rule.values:
            problem = "not in the value table; taken as it is"
        yield Line(name, None if path is None else _written(path), found, became, problem)


def reads_as(name: str, value: Any) -> str | None:
    """What a target makes of one value, as text; None where it cannot be read as such."""
    match name:
        case "time":
            moment = _moment(value)
            return moment.at.isoformat() if moment.at else moment.local_time
        case "phase":
            return _PHASES.get(word(value) or "")
        case "mac":
            return mac(value)
        case "score":
            return text(_score(value))
        case "lon" | "lat":
            return text(number(value))
        case "count":
            return text(whole(value, 1, 10**9))
        case "resent" | "false_alarm":
            return text(truth(value))
        case "picture":
            shown = _decoded(value)
            return None if shown is None else f"{shown.media_type}, {len(shown.data or b'')} bytes"
        case "picture_url":
            lying = picture_at(value)
            return None if lying is None else lying.url
        case "kind" | "target" | "severity":
            return word(value)
        case _:
            return text(value)


def _moment(value: Any) -> Told:
    return Told(from_epoch(value)) if isinstance(value, int | float) and not isinstance(value, bool) else when(value)


def _score(value: Any) -> float | None:
    """Between 0 and 1, or a percentage above 1."""
    read = number(value)
    if read is None or not 0 <= read <= 100:
        return None
    return read if read <= 1 else read / 100


def _decoded(written: Any) -> Snapshot | None:
    """Base64, with or without the head of a data URL."""
    if not isinstance(written, str) or not written or len(written) > MOST_PICTURE_BYTES * 4 // 3 + 100:
        return None
    if written.startswith("data:"):
        written = written.partition(",")[2]
    try:
        return picture(binascii.a2b_base64(written))
    except ValueError:
        return None


def _written(path: Sequence[str | int]) -> str:
    line = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path)
    return line.removeprefix(".")


def _refused(code: str, says: str, device: Device | None = None) -> Refused:
    return Refused(protocol=PROTOCOL, code=code, says=says, device=device or Device())
