"""Cameras are heard; say once that one has fallen silent, and once that it is there again."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from events.catalog import CameraOffline, CameraOnline
from gridsvc.db import Conn
from gridsvc.ids import new_id
from gridsvc.store import cameras, outbox


async def hear_cameras(conn: Conn, codes: Collection[str], now: datetime) -> None:
    """Something has just come from these cameras, an event, a repeat or a heartbeat. One statement for all of them."""
    if codes:
        await cameras.HEARD.run(conn, sorted(codes), [now] * len(codes))


async def watch_cameras(conn: Conn, now: datetime, batch: int) -> tuple[int, int]:
    """Announce up to `batch` cameras that are offline by now and as many that are back; how many of each.

    As the service. One that is off or in maintenance is not missed, nor one that was never heard.
    """
    silent = await cameras.FALL_SILENT.all(conn, now, batch)
    back = await cameras.SPEAK_AGAIN.all(conn, batch)
    news = [
        CameraOffline(
            event_id=new_id(), at=now, camera=each.camera, protocol=each.protocol, department=each.maintaining,
            divisions=tuple(each.divisions), heard_at=each.heard_at,
        )
        for each in silent
    ]  # fmt: skip
    again = [
        CameraOnline(
            event_id=new_id(), at=now, camera=each.camera, protocol=each.protocol, department=each.maintaining,
            divisions=tuple(each.divisions), offline_since=each.offline_since,
        )
        for each in back
    ]  # fmt: skip
    await outbox.append(conn, [*news, *again], now)
    return len(silent), len(back)
