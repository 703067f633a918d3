"""Photographs that were used before are found, soon after they became evidence of a case."""

from __future__ import annotations

import logging
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.likeness import parts_of, twin_of
from gridsvc.store import attachment_twins
from gridsvc.store.attachment_twins import Candidate, ToCompare

log = logging.getLogger(__name__)


async def find_twins(conn: Conn, now: datetime, limit: int) -> int:
    """Compare up to `limit` photographs with all that were compared before; return how many were compared."""
    new = await attachment_twins.LOCK_TO_COMPARE.all(conn, limit)
    for each in new:
        case_id = await attachment_twins.stands_for(conn, each.case_id)
        parts = parts_of(each.look)
        for earlier in await attachment_twins.CANDIDATES.all(conn, parts, each.original, each.id):
            if not _told_apart(each, earlier, same_case=earlier.case_id == case_id):
                continue
            same_file = earlier.original == each.original
            apart = 0 if same_file else twin_of(each.look, earlier.look)
            if apart is None:
                continue
            await attachment_twins.ADD_TWIN.run(conn, each.id, earlier.id, apart, same_file, now)
            log.info(
                "a photograph was used before",
                extra={"action": "photograph_used_twice", "attachment_id": str(each.id), "case_id": str(case_id)},
            )
        await attachment_twins.ADD_LOOK.run(conn, each.id, each.original, parts)
        await attachment_twins.COMPARED.run(conn, each.id, now)
    return len(new)


def _told_apart(new: ToCompare, earlier: Candidate, *, same_case: bool) -> bool:
    """Within a case it says something only where the purposes differ: how it was cannot look as it is now."""
    return not same_case or new.purpose != earlier.purpose
