"""Cameras as the registry has them: what one may be, and which cell an event of it belongs to."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import shapely

from geo.place import BadPlace, Bounds, Place, read_place
from geo.view import BadView, Ground, Look, outline
from gridsvc.domain.component import in_degrees


class CameraState(StrEnum):
    """How a camera is managed. What it says counts in every state; only an active one is missed when it is silent."""

    ACTIVE = "active"
    OFF = "off"
    MAINTENANCE = "maintenance"


class Health(StrEnum):
    """Whether a camera is there, by what was heard of it."""

    NEVER = "never"  # nothing was ever heard of it
    ONLINE = "online"
    OFFLINE = "offline"


@dataclass(frozen=True, kw_only=True)
class Camera:
    """One camera as the registry has it.

    `place` is WGS-84; `given` is the pair of numbers as somebody wrote it, in `frame`. `names` are what its device
    calls itself, as (scheme, value). `presets` are where it looks when it stands in one; `zones` are parts of its
    picture and what of the ground they show, a point or a polygon in WGS-84.
    """

    code: str
    name: str
    place: Place
    given: tuple[float, float]
    frame: str
    height_m: float
    look: Look
    protocol: str
    state: CameraState = CameraState.ACTIVE
    vendor: str = ""
    model: str = ""
    names: tuple[tuple[str, str], ...] = ()
    owning: str | None = None
    maintaining: str | None = None
    ptz: bool = False
    streams: tuple[str, ...] = ()
    silent_after_s: int | None = None
    presets: Mapping[str, Look] = field(default_factory=dict)
    zones: Mapping[str, shapely.Geometry] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Known:
    """What a camera may name: departments by code, protocols by code."""

    departments: frozenset[str]
    protocols: frozenset[str]


class BadCamera(ValueError):
    """A camera that cannot be: which field, what was given, what is wanted."""

    def __init__(self, field: str, given: object, wanted: str) -> None:
        super().__init__(f"{field}: given {given!r}; want {wanted}")
        self.field = field
        self.given = given
        self.wanted = wanted


NAMES: Final[Mapping[str, str]] = {
    "codes": "code", "serials": "serial", "macs": "mac", "channels": "channel", "device_names": "name",
}  # fmt: skip
"""How a device may call itself: the field of the registry, and the scheme that it is kept under."""

DEFAULTS: Final[Mapping[str, object]] = {"height_m": 6.0, "near_m": 3.0, "far_m": 60.0}
"""What a new camera has where nobody says it: a pole of the street, and how far it makes out a bin."""

FIELD_DEG: Final = 60.0
"""The lens of a camera whose direction is known and whose lens is not. Without a direction it sees all around."""

FIELDS: Final = (
    "name", "given", "height_m", "bearing_deg", "field_deg", "near_m", "far_m", "protocol", "state", "vendor", "model",
    *NAMES, "owning", "maintaining", "ptz", "streams", "silent_after_s", "presets", "zones",
)  # fmt: skip

_OWN_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_MAC: Final = re.compile(r"[0-9a-f]{2}(:[0-9a-f]{2}){5}")
_STREAM: Final = re.compile(r"[a-z][a-z0-9+.-]{1,15}://[^\s]{1,400}")
_MOST_NAMES: Final = 32
_MOST_PARTS: Final = 100  # presets, and zones, of one camera
_MOST_POINTS: Final = 200  # of one zone


def code_wanted(code: str) -> str | None:
    """What is wanted instead of `code`, or None where it is good.

    GB/T 28181, rule A: 8 digits of the centre (its division first), 2 of the trade, 3 of the kind of device,
    7 of the number. 111 to 199 are devices that stand there; 200 and more are platforms and users.
    """
    if code.isdigit() and code.isascii():
        if len(code) != 20:
            return "20 digits (GB/T 28181), or a code of the city's own with a letter in it"
        if code[0] == "0":
            return "20 digits whose first eight begin with a division (GB/T 2260)"
        if not 111 <= int(code[10:13]) <= 199:
            return "20 digits whose 11th to 13th are the kind of a device, 111 to 199 (131 camera, 132 network camera)"
        return None
    if _OWN_CODE.fullmatch(code):
        return None
    if re.fullmatch(r"[0-9]+(\.[0-9]+)?[eE]\+?[0-9]+", code):
        return "all 20 digits: a spreadsheet has rounded them; format the column as text"
    return "20 digits (GB/T 28181), or 1 to 64 of A-Z a-z 0-9 . _ -, the first a letter or digit"


def make_camera(code: str, said: Mapping[str, Any], before: Camera | None, known: Known, city: Bounds | None) -> Camera:
    """The camera that `said` (by FIELDS) makes of `before`: what it does not say stays, or is as DEFAULTS.

    `given` is [x, y, frame]; `presets` map names to looks, `zones` to {"datum", "ground": GeoJSON}. Raises BadCamera.
    """
    wanted = code_wanted(code)
    if wanted is not None:
        raise BadCamera("code", code[:80], wanted)
    facts = {**_blank(said), **(facts_of(before) if before else {}), **said}
    if "given" not in said and before is not None:
        place, given, frame = before.place, before.given, before.frame
    else:
        place, given, frame = _place(facts.get("given"), city)
    zones = before.zones if before is not None and "zones" not in said else _zones(facts["zones"], city)
    return Camera(
        code=code,
        name=_text(facts, "name", 1, 128),
        place=place,
        given=given,
        frame=frame,
        height_m=_number(facts, "height_m", 0, 1_000),
        look=_look(facts, ""),
        protocol=_one_of(facts, "protocol", known.protocols),
        state=CameraState(_one_of(facts, "state", [str(state) for state in CameraState])),
        vendor=_text(facts, "vendor", 0, 64),
        model=_text(facts, "model", 0, 64),
        names=_names(facts),
        owning=_department(facts, "owning", known),
        maintaining=_department(facts, "maintaining", known),
        ptz=bool(facts["ptz"]),
        streams=tuple(_streams(facts["streams"])),
        silent_after_s=_seconds(facts["silent_after_s"]),
        presets={name: _look(look, f"presets.{name}.") for name, look in _parts(facts, "presets")},
        zones=zones,
    )


def _blank(said: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": "", **DEFAULTS, "bearing_deg": 0.0, "field_deg": FIELD_DEG if "bearing_deg" in said else 360.0,
        "protocol": "", "state": "active", "vendor": "", "model": "", **dict.fromkeys(NAMES, ()), "owning": None,
        "maintaining": None, "ptz": False, "streams": (), "silent_after_s": None, "presets": {}, "zones": {},
    }  # fmt: skip


def facts_of(camera: Camera) -> dict[str, Any]:
    """Everything that the registry says of a camera, as its history keeps it (JSON's own types)."""
    return {
        "name": camera.name,
        "given": [*camera.given, camera.frame],
        "height_m": camera.height_m,
        **_look_facts(camera.look),
        "protocol": camera.protocol,
        "state": str(camera.state),
        "vendor": camera.vendor,
        "model": camera.model,
        **{name: [value for of, value in camera.names if of == scheme] for name, scheme in NAMES.items()},
        "owning": camera.owning,
        "maintaining": camera.maintaining,
        "ptz": camera.ptz,
        "streams": list(camera.streams),
        "silent_after_s": camera.silent_after_s,
        "presets": {name: _look_facts(look) for name, look in camera.presets.items()},
        "zones": {name: json.loads(shapely.to_geojson(ground)) for name, ground in camera.zones.items()},
    }


def what_is_new(before: Camera | None, now: Camera) -> dict[str, Any]:
    """What `now` says that `before` did not; all of it where there was nothing before."""
    said = facts_of(now)
    if before is None:
        return said
    knew = facts_of(before)
    return {name: value for name, value in said.items() if value != knew[name]}


def _look_facts(look: Look) -> dict[str, float]:
    return {
        "bearing_deg": look.bearing_deg, "field_deg": look.field_deg, "near_m": look.near_m, "far_m": look.far_m,
    }  # fmt: skip


def _place(given: Any, city: Bounds | None) -> tuple[Place, tuple[float, float], str]:
    if given is None:
        raise BadCamera("place", None, "two numbers and the datum that they are in")
    x, y, frame = given
    if not (math.isfinite(x) and math.isfinite(y)):
        raise BadCamera("place", f"{x}, {y}", "two finite numbers")
    [(lon, lat)] = in_degrees([(x, y)], frame)
    return _ground_point(lon, lat, "wgs84" if frame.startswith("EPSG:") else frame, city, "place"), (x, y), frame


def _ground_point(lon: float, lat: float, datum: str | None, city: Bounds | None, at: str) -> Place:
    try:
        return read_place(lon, lat, datum, None, city)
    except BadPlace as bad:
        raise BadCamera(at, f"{bad.given} ({bad.reason})", bad.wanted) from None


def _zones(given: Any, city: Bounds | None) -> dict[str, shapely.Geometry]:
    zones: dict[str, shapely.Geometry] = {}
    for name, zone in _parts({"zones": given}, "zones"):
        at = f"zones.{name}"
        try:
            shape = shapely.from_geojson(json.dumps(zone["ground"]))
        except (shapely.GEOSException, ValueError) as wrong:
            raise BadCamera(at, "no geometry", "a GeoJSON Point or Polygon") from wrong
        if shape is None or shape.geom_type not in {"Point", "Polygon"} or shape.is_empty:
            raise BadCamera(at, getattr(shape, "geom_type", None), "a GeoJSON Point or Polygon")
        if shapely.get_num_coordinates(shape) > _MOST_POINTS:
            raise BadCamera(at, f"{shapely.get_num_coordinates(shape)} points", f"at most {_MOST_POINTS}")
        points = [_ground_point(x, y, zone.get("datum"), city, at) for x, y in shapely.get_coordinates(shape)]
        ground = shapely.set_coordinates(shapely.force_2d(shape), [(each.lon, each.lat) for each in points])
        if not ground.is_valid:
            raise BadCamera(at, shapely.is_valid_reason(ground), "a polygon that does not cross itself")
        zones[name] = ground
    return zones


def _parts(facts: Mapping[str, Any], name: str) -> list[tuple[str, Any]]:
    parts = sorted(facts[name].items())
    if len(parts) > _MOST_PARTS:
        raise BadCamera(name, f"{len(parts)} of them", f"at most {_MOST_PARTS}")
    for each, _ in parts:
        if not 1 <= len(each) <= 64 or not each.isprintable() or each == "*":
            raise BadCamera(name, each[:80], "names of 1 to 64 printable characters, other than *")
    return parts


def _look(facts: Mapping[str, Any], at: str) -> Look:
    try:
        return Look(*(float(facts[name]) for name in ("bearing_deg", "field_deg", "near_m", "far_m")))
    except BadView as bad:
        raise BadCamera(at + bad.field, bad.given, bad.wanted) from None


def _text(facts: Mapping[str, Any], name: str, least: int, most: int) -> str:
    value = str(facts[name])
    if not least <= len(value) <= most or not value.isprintable():
        raise BadCamera(name, value[:80], f"{least} to {most} printable characters")
    return value


def _number(facts: Mapping[str, Any], name: str, above: float, most: float) -> float:
    value = float(facts[name])
    if not above < value <= most:
        raise BadCamera(name, value, f"more than {above:g}, at most {most:g}")
    return value


def _one_of(facts: Mapping[str, Any], name: str, known: Iterable[str]) -> str:
    if facts[name] not in known:
        raise BadCamera(name, str(facts[name] or "")[:80], f"one of {', '.join(sorted(known))}")
    return str(facts[name])


def _department(facts: Mapping[str, Any], name: str, known: Known) -> str | None:
    if facts[name] is not None and facts[name] not in known.departments:
        raise BadCamera(name, str(facts[name])[:80], "the code of a department, or none")
    return None if facts[name] is None else str(facts[name])


def _seconds(value: Any) -> int | None:
    if value is not None and not 10 <= value <= 31 * 86_400:
        raise BadCamera("silent_after_s", value, "10 to 2678400 seconds, or none: as its protocol")
    return None if value is None else int(value)


def _names(facts: Mapping[str, Any]) -> tuple[tuple[str, str], ...]:
    names = set()
    for name, scheme in NAMES.items():
        for value in facts[name]:
            told = value.lower().replace("-", ":") if scheme == "mac" else value
            if scheme == "mac" and not _MAC.fullmatch(told):
                raise BadCamera(name, value[:80], "six pairs of hexadecimal digits, as 44:19:b6:01:02:03")
            if not 1 <= len(told) <= 128 or not told.isprintable():
                raise BadCamera(name, value[:80], "1 to 128 printable characters")
            names.add((scheme, told))
    if len(names) > _MOST_NAMES:
        raise BadCamera("names", f"{len(names)} of them", f"at most {_MOST_NAMES}")
    return tuple(sorted(names))


def _streams(given: Sequence[str]) -> Sequence[str]:
    for each in given:
        if not _STREAM.fullmatch(each):
            raise BadCamera("streams", "an address that is none", "scheme://…, as rtsp://10.0.0.5/live, without spaces")
    if len(given) > 8:
        raise BadCamera("streams", f"{len(given)} of them", "at most 8")
    return given


# -- which cell ----------------------------------------------------------------------------------


@dataclass(frozen=True, kw_only=True)
class SeenCell:
    """One cell that a camera sees.

    `kind` is zone, preset, view (as it usually looks) or reach (wherever it can turn to); `name` the zone or preset.
    `share` is of all that it sees so; `spot` a place in the cell that is seen.
    """

    kind: str
    name: str
    cell: str
    share: float
    spot: Place


@dataclass(frozen=True, kw_only=True)
class Spotted:
    """The cell that an event belongs to, and why: by zone, preset, view or reach. `others` are seen as well."""

    cell: str
    spot: Place
    share: float
    because: str
    others: tuple[SeenCell, ...]


def parts_of(camera: Camera) -> dict[tuple[str, str], shapely.Geometry]:
    """Everything that a camera may show of the ground, by kind and name as in SeenCell, in WGS-84 degrees."""
    parts: dict[tuple[str, str], shapely.Geometry] = {("view", ""): outline(camera.place, camera.look)}
    if camera.ptz:
        parts["reach", ""] = outline(camera.place, camera.look.around())
    parts |= {("preset", name): outline(camera.place, look) for name, look in camera.presets.items()}
    return parts | {("zone", name): ground for name, ground in camera.zones.items()}


def cells_seen(camera: Camera, ground: Ground) -> list[SeenCell]:
    """Which cells of `ground` lie in each part of what a camera may show."""
    return [
        SeenCell(kind=kind, name=name, cell=each.code, share=each.share, spot=each.spot)
        for (kind, name), shape in parts_of(camera).items()
        for each in ground.shares(shape)
    ]


def cell_of_event(seen: Iterable[SeenCell], zone: str | None = None, preset: str | None = None) -> Spotted | None:
    """Where an event of a camera is: the fixed place of its zone, else the cell of which most is in view.

    A camera that stands in a preset sees what that shows; one that says a preset which nobody has described may look
    anywhere it can turn to. Of equal shares the lower code. None where it sees no cell: the case waits for a place.
    """
    by_part: dict[tuple[str, str], list[SeenCell]] = {}
    for each in seen:
        by_part.setdefault((each.kind, each.name.lower()), []).append(each)  # devices write names as they like
    order = [("zone", zone), ("preset", preset), *([("reach", "")] if preset else []), ("view", "")]
    for kind, name in order:
        cells = by_part.get((kind, name.lower())) if name is not None else None
        if cells:
            first, *others = sorted(cells, key=lambda each: (-each.share, each.cell))
            return Spotted(cell=first.cell, spot=first.spot, share=first.share, because=kind, others=tuple(others))
    return None
