"""What devices brought is taken in, whatever way it came: what was read, what could not be, and who was heard."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from events.intake.camera_event import NOT_EVEN_RAW, CameraEvent, Device, Heartbeat, Parsed, Refused
from gridsvc.actions.know_cameras import camera_of
from gridsvc.actions.know_signed import REPEATED, Twice, known_again
from gridsvc.actions.quarantine_message import Message, quarantine_message
from gridsvc.actions.take_camera_events import Answer, Incoming, spelled, take_camera_events
from gridsvc.actions.watch_cameras import hear_cameras
from gridsvc.db import Conn
from gridsvc.store.camera_events import Count
from gridsvc.store.camera_tokens import Admitted, Named
from gridsvc.store.signed_requests import Signed


@dataclass(eq=False)
class Errand:
    """What one message brings.

    Events, what is no event (counted), what could not be read (kept apart), and cameras that only say that they are
    there (`heard`). `signed` is the name of a signed request, to be known again; `reused` says, when it is taken in,
    that the name was another request's: then nothing of it was kept.
    """

    incoming: Sequence[Incoming]
    unkept: Counter[Count] = field(default_factory=Counter)
    unread: Sequence[tuple[Message, Refused]] = ()
    heard: Sequence[str] = ()
    signed: Signed | None = None
    reused: bool = False
    answers: list[Answer] = field(default_factory=list)


async def take_errands(conn: Conn, errands: Sequence[Errand], now: datetime) -> None:
    """Take in all of these in the caller's transaction; each gets its `answers`, one for each of its events."""
    for errand in errands:
        for message, refused in errand.unread:
            await quarantine_message(conn, message, refused, now)
    before = await known_again(conn, [errand.signed for errand in errands], now)
    incoming = [each for errand, twice in zip(errands, before, strict=True) if not twice for each in errand.incoming]
    unkept: Counter[Count] = Counter()
    for errand, twice in zip(errands, before, strict=True):
        unkept.update(errand.unkept)
        if twice is Twice.SAME:
            unkept.update((each.camera, "duplicate", REPEATED) for each in errand.incoming)
    answers = iter(await take_camera_events(conn, incoming, unkept, now))
    heard = {each.camera for each in incoming} | {code for errand in errands for code in errand.heard}
    await hear_cameras(conn, heard, now)
    for errand, twice in zip(errands, before, strict=True):
        errand.reused = twice is Twice.OTHER
        repeated = Answer("duplicate", REPEATED)
        errand.answers = [repeated if twice else next(answers) for _ in errand.incoming]


def of_its_camera(item: Parsed, admitted: Admitted, names: Sequence[Named]) -> tuple[str, Parsed]:
    """An item with the code of its camera; a refusal where whoever sent it speaks for no such device.

    A heartbeat that names nobody is of the site: it is nobody's camera, and no fault.
    """
    if isinstance(item, Refused):
        return "", item
    camera = camera_of(admitted, names, item.device)
    if camera is not None:
        return camera, item
    if isinstance(item, Heartbeat) and item.device == Device():
        return "", item
    says = "whoever sent it speaks for no such device"
    return "", Refused(protocol=item.protocol, code="unknown_camera", says=says, device=item.device, item=id_of(item))


def errand_of(
    items: Sequence[tuple[str, Parsed]], admitted: Admitted, message: Message, sent_by: str
) -> tuple[Errand, list[Refused]]:
    """What is to be kept of a message, and what of it could not be read.

    Events are kept in our own form, not as they came: what a reader leaves out by rule is in no row. Where something
    was refused by a rule, the message does not go into quarantine either.
    """
    refused = [item for _, item in items if isinstance(item, Refused)]
    unread = [item for item in refused if item.code not in NOT_EVEN_RAW]
    by_rule, owner = len(unread) < len(refused), admitted.cameras[0] if len(admitted.cameras) == 1 else ""
    unkept: Counter[Count] = Counter((owner, "rejected" if by_rule else "quarantined", each.code) for each in refused)
    incoming = [
        Incoming(camera=camera, event=item, raw=spelled(item), sent_by=sent_by)
        for camera, item in items
        if isinstance(item, CameraEvent)
    ]
    heard = [camera for camera, item in items if isinstance(item, Heartbeat) and camera]
    kept_apart = [] if by_rule else [(message, each) for each in unread[:1]]
    return Errand(incoming, unkept, kept_apart, heard), unread


def id_of(item: CameraEvent | Heartbeat) -> str:
    """The device's own id of an item, "" where it has none."""
    fields = item.fields if isinstance(item, CameraEvent) else {}
    return fields.get("notification") or fields.get("object") or ""
