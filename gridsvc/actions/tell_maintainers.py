"""Turn news of cameras into notices for those who look after them: one for each street and minute."""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID, uuid5

from events.catalog import CameraNews
from gridsvc.db import Conn
from gridsvc.domain.camera_notice import Together, notice_of, together
from gridsvc.store import hearers, notices

log = logging.getLogger(__name__)


async def tell_maintainers(conn: Conn, news: Sequence[CameraNews], now: datetime) -> None:
    """Tell of each of `news` everybody who maintains the camera, in the caller's transaction.

    What belongs together is one notice, which grows and is told again where more of it comes. The department that
    maintains a camera hears, where it has people over the camera's place; else the administrators. Twice: told once.
    """
    groups: dict[Together, list[CameraNews]] = defaultdict(list)
    for each in news:
        groups[together(each)].append(each)
    told: list[tuple[notices.Message, dict[UUID, UUID]]] = []
    for group, alike in groups.items():
        people = await _people(conn, group.department, alike)
        if not people:
            log.error(
                "nobody in this city can be told",
                extra={"action": "nobody_to_tell", "event_id": str(alike[0].event_id), "type": group.kind},
            )
        message = notices.Message(event_id=group.event_id, case_id=None, kind=group.kind, body=notice_of(alike))
        told.append((message, {person: uuid5(group.event_id, f"{person}/{group.kind}") for person in people}))
    await notices.keep_growing(conn, told, now)


async def _people(conn: Conn, department: str | None, alike: Sequence[CameraNews]) -> list[UUID]:
    """Those who hear of cameras of one department and street."""
    found = await hearers.handlers(conn, department, alike[0].divisions) if department else []
    return list(found or await hearers.admins(conn))
