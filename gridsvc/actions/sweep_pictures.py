"""Pictures of cameras whose time is over go: the row first, then the file; counts say how many, and of what."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.camera_picture import Kind, look_again_at
from gridsvc.store import camera_pictures
from gridsvc.store.camera_pictures import PictureCount


async def sweep_pictures(conn: Conn, now: datetime, limit: int) -> tuple[int, int]:
    """Look at up to `limit` pictures: how many were looked at, and how many are gone. Files go afterwards."""
    due = await camera_pictures.LOCK_TO_SWEEP.all(conn, now, limit)
    keeping = (await camera_pictures.rules(conn)).keeping
    later, gone = [], []
    counted: Counter[PictureCount] = Counter()
    for each in due:
        answer = look_again_at(each.standing, keeping, now)
        if isinstance(answer, Kind):
            gone.append(each.id)
            counted[each.camera, each.received_at, "removed", str(answer)] += 1
        else:
            later.append((each.id, answer))
    if later:
        await camera_pictures.SWEEP_LATER.run(conn, [each for each, _ in later], [at for _, at in later])
    if gone:
        await camera_pictures.REMOVE.run(conn, gone)
    await camera_pictures.count(conn, counted)
    return len(due), len(gone)
