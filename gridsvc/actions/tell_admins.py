"""Turn news of the city's rules into notices for its administrators."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from uuid import uuid5

from events.catalog import CalendarYearMissing, OutageDeclared
from gridsvc.actions.ring_people import ring_people
from gridsvc.db import Conn
from gridsvc.store import hearers, notices

log = logging.getLogger(__name__)


async def tell_admins(conn: Conn, news: Sequence[CalendarYearMissing | OutageDeclared], now: datetime) -> None:
    """Keep one notice of each of `news` for every administrator, in the caller's transaction. Twice: told once."""
    admins = await hearers.admins(conn)
    told = []
    for each in news:
        if not admins:
            log.error(
                "nobody in this city can be told",
                extra={"action": "nobody_to_tell", "event_id": str(each.event_id), "type": each.TYPE},
            )
        message = notices.Message(event_id=each.event_id, case_id=None, kind=each.TYPE, body=_body(each))
        told.append((message, {admin: uuid5(each.event_id, f"{admin}/{each.TYPE}") for admin in admins}))
    await ring_people(conn, told, now)


def _body(news: CalendarYearMissing | OutageDeclared) -> dict[str, object]:
    at = {"at": news.at.isoformat()}
    if isinstance(news, CalendarYearMissing):
        return {"calendar": news.calendar, "year": news.year, **at}
    return {
        "outage": str(news.outage_id), "reason": news.reason, "division": news.division, "duty_line": news.duty_line,
        "department": news.department, **at,
    }  # fmt: skip
