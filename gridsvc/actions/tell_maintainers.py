"""Turn news of cameras into notices for those who look after them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from events.catalog import CameraNews, CameraOffline
from gridsvc.db import Conn
from gridsvc.store import hearers, notices

log = logging.getLogger(__name__)


async def tell_maintainers(conn: Conn, news: Sequence[CameraNews], now: datetime) -> None:
    """Keep one notice of each of `news` for everybody who maintains the camera, in the caller's transaction.

    The department that maintains it hears, where it has people over the camera's place; else the administrators.
    Twice: told once.
    """
    told: list[tuple[notices.Message, dict[UUID, UUID]]] = []
    for each in news:
        people = await hearers.handlers(conn, each.department, each.divisions) if each.department else []
        people = people or await hearers.admins(conn)
        if not people:
            log.error(
                "nobody in this city can be told",
                extra={"action": "nobody_to_tell", "event_id": str(each.event_id), "type": each.TYPE},
            )
        body = {"camera": each.camera, "at": each.at.isoformat()}
        if isinstance(each, CameraOffline):
            body["heard_at"] = each.heard_at.isoformat()
        message = notices.Message(event_id=each.event_id, case_id=None, kind=each.TYPE, body=body)
        told.append((message, {person: uuid5(each.event_id, f"{person}/{each.TYPE}") for person in people}))
    await notices.keep_all(conn, told, now)
