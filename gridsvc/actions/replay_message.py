"""A message from quarantine is read once more, as if it came now: its reader was mended, or its camera registered."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from events.intake.camera_event import CameraEvent, Parsed, Refused
from gridsvc.actions.take_camera_events import Answer, Incoming, spelled, take_camera_events
from gridsvc.actions.take_errands import of_its_camera
from gridsvc.db import Conn
from gridsvc.store import camera_quarantine, camera_tokens
from gridsvc.store.camera_quarantine import Kept
from gridsvc.store.camera_tokens import Admitted


@dataclass(frozen=True)
class StillUnread:
    """It cannot be read yet; nothing of it was taken in."""

    code: str
    says: str


async def replay_message(conn: Conn, kept: Kept, items: Sequence[Parsed], now: datetime) -> list[Answer] | StillUnread:
    """Take in what `items` (the message, read anew) say; one answer for each event.

    Where an item cannot be read still, nothing is taken in. What was kept of the message before is a duplicate.
    """
    admitted = Admitted(kept.token_id or UUID(int=0), kept.protocol, kept.cameras)
    names = await camera_tokens.NAMES.all(conn, kept.cameras)
    incoming = []
    for camera, item in (of_its_camera(each, admitted, names) for each in items):
        if isinstance(item, Refused):
            return StillUnread(item.code, item.says)
        if isinstance(item, CameraEvent):
            incoming.append(Incoming(camera=camera, event=item, raw=spelled(item), sent_by=f"replay:{kept.id}"))
    answers = await take_camera_events(conn, incoming, Counter(), now)
    told = Counter(answer.outcome for answer in answers)
    await camera_quarantine.REPLAYED.run(
        conn, kept.id, now, ", ".join(f"{many} {outcome}" for outcome, many in sorted(told.items())) or "no events"
    )
    return answers
