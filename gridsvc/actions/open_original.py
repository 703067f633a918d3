"""Open what was sent, before it was drawn anew, to one person, who says why."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import Final

from gridsvc.db import Conn
from gridsvc.domain.access import Caller, Role, scope_keys
from gridsvc.errors import Unknown
from gridsvc.store import attachment_files
from gridsvc.store.attachment_files import Opening

log = logging.getLogger(__name__)

OPENERS: Final = frozenset({Role.SUPERVISOR, Role.AUDITOR})
"""Who judges evidence that is doubted. An original says where a phone was, and which."""

OPEN_FOR: Final = timedelta(minutes=15)


async def open_original(conn: Conn, caller: Caller, opening: Opening, now: datetime) -> datetime:
    """Put the opening on record; return until when the original may be read.

    Raises Unknown when no original is kept, or when the caller holds none of OPENERS for its very case.
    """
    held = Caller(id="", grants=tuple(grant for grant in caller.grants if grant.role in OPENERS))
    keys = [key for key in scope_keys(held) if key]
    if not await attachment_files.open_original(conn, opening, keys, now):
        raise Unknown("no original is kept of it, or it is not for you", given=str(opening.attachment_id))
    log.info(
        "an original was opened",
        extra={
            "action": "original_opened",
            "attachment_id": str(opening.attachment_id),
            "user_id": str(opening.opened_by),
        },
    )
    return now + OPEN_FOR
