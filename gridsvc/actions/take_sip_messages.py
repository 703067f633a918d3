"""What devices of GB/T 28181 say by SIP: they register, keep alive, and tell alarms, which go the way of all events."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

from events.intake import gb28181
from events.intake.camera_event import CameraEvent, Heartbeat, Parsed, Refused
from gridsvc.actions.quarantine_message import Message
from gridsvc.actions.take_errands import Errand, errand_of, of_its_camera, take_errands
from gridsvc.actions.watch_cameras import hear_cameras
from gridsvc.db import Conn
from gridsvc.store import camera_tokens, sip_devices
from gridsvc.store.camera_tokens import Admitted, Named
from gridsvc.store.rulebook import rulebook
from gridsvc.store.sip_devices import Registered

_NO_TOKEN: Final = UUID(int=0)


class Verdict(StrEnum):
    """What became of a MESSAGE."""

    TAKEN = "taken"
    UNREAD = "unread"  # nobody can read it; it is in quarantine
    WRONG_MEDIA = "wrong_media"  # its body is of another kind than the standard's; it is in quarantine
    NOT_WANTED = "not_wanted"  # it can be read and is nothing that is taken in; it is in quarantine
    UNKNOWN_CAMERA = "unknown_camera"  # of a camera that the device does not speak for; it is in quarantine
    UNREGISTERED = "unregistered"  # its sender is not registered, or not from there


@dataclass(eq=False)
class SipMessage:
    """The body of one MESSAGE: who sent it, from which address, and what became of it when it is committed."""

    device: str
    host: str
    content_type: str
    body: bytes
    verdict: Verdict = Verdict.UNREGISTERED
    alarm: tuple[str, str] | None = None  # the number and the device of an alarm, which wants an answer of its own


@dataclass(frozen=True)
class Registration:
    """A device that has proven its secret: from where, and for how many seconds, 0 to end it."""

    device: str
    host: str
    seconds: int


async def register_sip_device(conn: Conn, given: Registration, now: datetime) -> datetime | None:
    """Keep a registration, or its end; the moment in the city's zone. None where the device was revoked meanwhile.

    A device that registers is there, and so are its cameras.
    """
    if given.seconds == 0:
        kept = await sip_devices.UNREGISTER.run(conn, given.device, now)
    else:
        until = now + timedelta(seconds=given.seconds)
        kept = await sip_devices.REGISTER.run(conn, given.device, now, until, given.host)
        registered = await sip_devices.REGISTERED.one(conn, [given.device], now)
        await hear_cameras(conn, registered.cameras if registered else [], now)
    return now.astimezone(await _zone(conn)) if kept else None


async def take_sip_messages(conn: Conn, messages: Sequence[SipMessage], now: datetime) -> None:
    """Take in all of these in the caller's transaction; each gets its `verdict`.

    Only of devices that are registered now, and from the host that they registered from: what comes otherwise is
    not looked at. What cannot be read is put into quarantine.
    """
    found = await sip_devices.REGISTERED.all(conn, sorted({each.device for each in messages}), now)
    standing = {each.code: each for each in found}
    names = await _names(conn, found)
    errands = []
    heard = set()
    for message in messages:
        device = standing.get(message.device)
        if device is None or device.host != message.host:
            continue
        heard.add(device.code)
        errands.append(_errand_of(message, device, names[device.code]))
    await take_errands(conn, errands, now)
    if heard:
        await sip_devices.HEARD.run(conn, sorted(heard), now)


def _errand_of(message: SipMessage, device: Registered, names: Sequence[Named]) -> Errand:
    """What a message brings; its verdict and whether it wants an answer are written down."""
    right = message.content_type.partition(";")[0].strip().lower() in ("", gb28181.MEDIA_TYPE.lower())
    [item] = gb28181.parse(message.body) if right else [_of_another_kind(message.content_type)]
    if isinstance(item, Heartbeat):
        message.verdict = Verdict.TAKEN
        broken = {each.camera for each in names if each.scheme == "code" and each.value in item.without}
        return Errand([], heard=[code for code in device.cameras if code not in broken | set(item.without)])
    admitted = Admitted(_NO_TOKEN, gb28181.PROTOCOL, device.cameras)
    camera, item = of_its_camera(item, admitted, names)
    message.verdict = _verdict(item) if right else Verdict.WRONG_MEDIA
    if isinstance(item, CameraEvent) and (number := item.fields.get("number")):
        message.alarm = number, item.device.code or ""
    kept = Message(
        protocol=gb28181.PROTOCOL, token_id=None, cameras=list(device.cameras), peer=message.host,
        content_type=message.content_type[:200], headers={"from": device.code}, body=message.body,
    )  # fmt: skip
    return errand_of([(camera, item)], admitted, kept, f"sip:{device.code}")[0]


def _of_another_kind(content_type: str) -> Refused:
    says = f"a body of {content_type[:80]!r}; want {gb28181.MEDIA_TYPE}"
    return Refused(protocol=gb28181.PROTOCOL, code="unknown_shape", says=says)


def _verdict(item: Parsed) -> Verdict:
    if not isinstance(item, Refused):
        return Verdict.TAKEN
    known = {"unknown_shape": Verdict.NOT_WANTED, "unknown_camera": Verdict.UNKNOWN_CAMERA}
    return known.get(item.code, Verdict.UNREAD)


async def _names(conn: Conn, devices: Sequence[Registered]) -> dict[str, list[Named]]:
    """What the cameras of each device call themselves."""
    codes = sorted({camera for each in devices for camera in each.cameras})
    owned = await camera_tokens.NAMES.all(conn, codes) if codes else []
    found: dict[str, list[Named]] = defaultdict(list)
    for device in devices:
        found[device.code] = [each for each in owned if each.camera in device.cameras]
    return found


async def _zone(conn: Conn) -> ZoneInfo:
    return (await rulebook(conn)).zone
