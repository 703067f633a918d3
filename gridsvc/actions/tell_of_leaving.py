"""Tell the dispatcher which cases stay with an officer who left."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid5

from events.catalog import OfficerLeft
from gridsvc.db import Conn
from gridsvc.store import hearers, notices

log = logging.getLogger(__name__)


async def tell_of_leaving(conn: Conn, news: Sequence[OfficerLeft], now: datetime) -> None:
    """Keep one notice of each of `news` for whoever dispatches nearest to the officer's area. Twice: told once.

    Where nobody does: the acceptors there, at last the administrators.
    """
    told = []
    for each in news:
        people = await hearers.of_officer(conn, each.officer_id, ("dispatcher", "acceptor"), now)
        people = people or await hearers.admins(conn)
        if not people:
            log.error(
                "nobody in this city can be told",
                extra={"action": "nobody_to_tell", "event_id": str(each.event_id), "type": each.TYPE},
            )
        body = {
            "officer_id": str(each.officer_id),
            "why": each.why,
            "left_at": each.left_at.isoformat(),
            "handed_over": each.handed_over,
            "stay": [str(case_id) for case_id in each.stay],
            "at": each.at.isoformat(),
        }
        message = notices.Message(event_id=each.event_id, case_id=None, kind=each.TYPE, body=body)
        told.append((message, {person: uuid5(each.event_id, f"{person}/{each.TYPE}") for person in people}))
    await notices.keep_all(conn, told, now)
