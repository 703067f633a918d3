"""Open the form of a visit for one person, who says why."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.access import Caller, Role, scope_keys
from gridsvc.errors import Unknown
from gridsvc.store import visits

log = logging.getLogger(__name__)

OPENERS: Final = frozenset({Role.DISPATCHER, Role.SUPERVISOR})
"""Who sees to what a visit found. Nobody else reads a form, not who wrote it either: he has his phone."""

OPEN_FOR: Final = timedelta(minutes=15)


async def open_visit_form(
    conn: Conn, caller: Caller, opening_id: UUID, visit_id: UUID, reason: str, now: datetime
) -> datetime:
    """Put the opening on record; return until when the form may be read.

    Raises Unknown when the visit has no form, or when the caller holds none of OPENERS for its very case.
    """
    held = Caller(id="", grants=tuple(grant for grant in caller.grants if grant.role in OPENERS))
    keys = [key for key in scope_keys(held) if key]
    if not await visits.OPEN.run(conn, opening_id, visit_id, caller.user_id, reason, now, keys):
        raise Unknown("there is no such form of a visit, or not for you", given=str(visit_id))
    log.info(
        "the form of a visit was opened",
        extra={"action": "visit_opened", "visit_id": str(visit_id), "user_id": str(caller.user_id)},
    )
    return now + OPEN_FOR
