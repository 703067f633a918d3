"""Open a reporter's data for one person, who says why."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from gridsvc.db import Conn
from gridsvc.domain.access import Caller, Role, scope_keys
from gridsvc.errors import Unknown
from gridsvc.store import reporters
from gridsvc.store.reporters import Opening

log = logging.getLogger(__name__)

OPENERS: Final = frozenset({Role.ACCEPTOR, Role.DISPATCHER, Role.SUPERVISOR})
"""Who calls a reporter back. Officers, handlers and auditors see masks."""

OPEN_FOR: Final = timedelta(minutes=15)


async def open_reporter(conn: Conn, caller: Caller, opening: Opening, now: datetime) -> datetime:
    """Put the opening on record; return until when its data may be read.

    Raises Unknown when the report has no reporter, or when the caller holds none of OPENERS for its very case.
    """
    held = Caller(id="", grants=tuple(grant for grant in caller.grants if grant.role in OPENERS))
    keys = [key for key in scope_keys(held) if key]
    if not await reporters.open_reporter(conn, opening, keys, now):
        raise Unknown("there is no such reporter, or not for you", given=str(opening.report_id))
    log.info(
        "a reporter's data were opened",
        extra={
            "action": "reporter_opened",
            "report_id": str(opening.report_id),
            "user_id": str(opening.opened_by),
        },
    )
    return now + OPEN_FOR
