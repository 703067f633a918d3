"""A picture of a camera that somebody looked at becomes evidence, is refused for good, or is tried again."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.camera_picture import Dropped, Refusal, ask_again_at
from gridsvc.store import camera_pictures
from gridsvc.store.camera_pictures import Claimed


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """A picture that was drawn anew, and whose files lie on the disk."""

    sha256: bytes
    original: bytes
    width: int
    height: int


async def keep_drawn(conn: Conn, picture_id: UUID, drawn: Evidence, now: datetime) -> bool:
    """Let the picture be evidence, and forget the bytes that it came as; False where it is settled already."""
    kept = await camera_pictures.KEEP.run(
        conn, picture_id, drawn.sha256, drawn.original, drawn.width, drawn.height, now
    )
    await camera_pictures.REMOVE_BYTES.run(conn, picture_id)
    return kept > 0


async def refuse_picture(conn: Conn, claimed: Claimed, why: Refusal, now: datetime) -> bool:
    """Refuse it, or let it be tried again later; whether it was refused for good."""
    rules = await camera_pictures.rules(conn)
    again_at = ask_again_at(claimed.attempts, rules.attempts, why, now)
    if again_at is not None:
        await camera_pictures.TRY_AGAIN.run(conn, claimed.id, str(why), again_at)
        return False
    await camera_pictures.REFUSE.run(conn, claimed.id, str(why), now)
    await camera_pictures.REMOVE_BYTES.run(conn, claimed.id)
    return True


async def drop_of_nothing(conn: Conn, now: datetime, limit: int) -> int:
    """Let go of pictures of whose events nothing came; each is counted. How many."""
    gone = await camera_pictures.DROP_OF_NOTHING.all(conn, now, limit)
    counted = Counter((each.camera, each.received_at, "dropped", str(Dropped.NOTHING_CAME)) for each in gone)
    await camera_pictures.count(conn, counted)
    return len(gone)
