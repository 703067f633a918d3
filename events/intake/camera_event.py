"""What a camera or sensor says that it saw, whatever its protocol: the one form that the service works with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Final


class Phase(StrEnum):
    """Where in its life an incident is, as the device tells it."""

    START = "start"
    UPDATE = "update"  # it goes on; also a device that says the same again
    END = "end"
    PULSE = "pulse"  # a point in time: it has no end


@dataclass(frozen=True, kw_only=True)
class Device:
    """How a message names its sender: what of this it says, in the device's own words.

    The registry finds the camera by the token that the message came with, and by these where one token
    serves a whole site.
    """

    code: str | None = None  # 20 digits (GB/T 28181), or the city's own
    serial: str | None = None
    mac: str | None = None  # lower case, colons between
    channel: str | None = None
    name: str | None = None


@dataclass(frozen=True, kw_only=True)
class Snapshot:
    """A picture that came with an event: its bytes, or where it lies."""

    media_type: str
    data: bytes | None = None
    url: str | None = None


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Where an event says it happened: degrees in `datum`, a name of geo.datum.Datum."""

    lon: float
    lat: float
    datum: str


@dataclass(frozen=True, kw_only=True)
class CameraEvent:
    """One thing that a device says of one incident.

    `key` is the device's own id of the incident where it has one: the same for its start, updates and end, and
    `lane` is None. Where the device numbers nothing, `key` is derived and names one message (the same when it
    is sent twice), and `lane` is what stays the same from start to end: the device, its channel and the kind, and
    the region where an end names it too.
    `kind` and `target` are the vendor's own words, lower case. `at` is aware; a device that tells no zone
    leaves it None and says `local_time`; one that has lost its clock says neither. `count` is how many
    observations it stands for.
    """

    protocol: str
    device: Device
    key: str
    lane: str | None = None
    kind: str
    phase: Phase
    at: datetime | None = None
    local_time: str | None = None
    zone: str | None = None
    target: str | None = None
    score: float | None = None
    severity: str | None = None
    spot: Spot | None = None
    count: int = 1
    resent: bool = False
    false_alarm: bool = False  # the device itself takes it back
    snapshots: tuple[Snapshot, ...] = ()
    fields: Mapping[str, str] = field(default_factory=dict)  # what else a person may want to read, short


@dataclass(frozen=True, kw_only=True)
class Heartbeat:
    """A device says that it is there, and nothing else. `state` is what it tells of itself, "" for nothing.

    `without` are codes of devices below it that it says are out of order.
    """

    protocol: str
    device: Device
    at: datetime | None = None
    state: str = ""
    without: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Refused:
    """A message, or one item of it, that is not kept: a stable code, and what was given and is wanted.

    `item` is the device's own id of the item, "" where it has none or the whole message is meant.
    """

    protocol: str
    code: str
    says: str
    device: Device = Device()
    item: str = ""


NOT_EVEN_RAW: Final = frozenset({"faces_refused", "about_people", "picture_alone", "only_a_note"})
"""Codes of refusals by rule, not by fault: nothing of such a message is kept, not in quarantine either."""

Parsed = CameraEvent | Heartbeat | Refused
