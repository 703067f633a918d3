"""What the registry knows that camera events need: whose a message is, where a camera stands, what its labels mean."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from events.intake.camera_event import Device
from events.storm import Mode
from geo.place import Place
from gridsvc.db import Conn
from gridsvc.domain.camera import SeenCell, cell_of_event
from gridsvc.domain.camera_label import Label, Said, find_label
from gridsvc.store import camera_tokens
from gridsvc.store.camera_tokens import Admitted, Named
from gridsvc.store.cells import Owner, Wanted, owners_of
from gridsvc.store.known_cameras import KNOWN, KnownCamera


@dataclass(frozen=True)
class Meaning:
    """What a word of a camera means here: a category, None where nobody has said, and what is wanted of it."""

    category: str | None
    mode: Mode
    said: bool = True  # False: no row of the map knows the word


UNSAID: Final = Meaning(None, Mode.AUTOMATIC, said=False)


def meaning_of(
    camera: KnownCamera, labels: Iterable[Label], words: tuple[str, str, str], edition: str | None
) -> Meaning:
    """What kind, zone and target of an event mean at this camera, by the row of the map that counts."""
    kind, zone, target = words
    said = Said(camera=camera.code, protocol=camera.protocol, kind=kind, zone=zone, target=target)
    label = find_label(labels, said, edition) if edition is not None else None
    return Meaning(label.category, label.mode) if label is not None else UNSAID


def place_of(camera: KnownCamera, seen: Iterable[SeenCell], zone: str) -> Place:
    """Where an event is that tells no place of its own: what of its zone, else of the picture, lies in most of a cell.

    A camera of which no cell is known stands for what it sees.
    """
    spotted = cell_of_event(seen, zone or None)
    return spotted.spot if spotted is not None else Place(camera.lon, camera.lat)


async def known_cameras(conn: Conn, codes: Sequence[str]) -> dict[str, KnownCamera]:
    """Those of these cameras that stand in the registry, by code."""
    return {row.code: row for row in await KNOWN.all(conn, codes)}


async def owners(conn: Conn, places: Sequence[Place], now: datetime) -> list[Owner | None]:
    """The cell of each place, by the rule that every report goes by; no duty line is asked for."""
    return await owners_of(conn, [Wanted(place, "") for place in places], now)


async def admit(conn: Conn, token: str, peer: str) -> tuple[Admitted, Sequence[Named]] | None:
    """Who a token lets in from `peer`, and what the devices call themselves where it speaks for several.

    None for one that is not valid, or not from there.
    """
    admitted = await camera_tokens.ADMITTED.one(conn, hashlib.sha256(token.encode()).digest(), peer)
    if admitted is None:
        return None
    several = len(admitted.cameras) > 1
    return admitted, await camera_tokens.NAMES.all(conn, admitted.cameras) if several else []


def camera_of(admitted: Admitted, names: Sequence[Named], device: Device) -> str | None:
    """The camera that a message of this token is of; None where its device is none of them.

    A token of one camera speaks for that, whatever the device calls itself. Else the first of code, serial number,
    hardware address, channel and name that exactly one camera goes by decides.
    """
    if len(admitted.cameras) == 1:
        return admitted.cameras[0]
    if device.code in admitted.cameras:
        return device.code
    for scheme in ("code", "serial", "mac", "channel", "name"):
        said = getattr(device, scheme)
        found = {each.camera for each in names if said and each.scheme == scheme and each.value == said}
        if len(found) == 1:
            return found.pop()
    return None
