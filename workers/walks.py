"""What plans bring: visits that are due become cases."""

from __future__ import annotations

import logging
from typing import Final

from gridsvc.actions.open_visits import open_visits
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.store.numbers import NumberBlocks

log = logging.getLogger(__name__)

VISIT_SECONDS: Final = 60.0  # a visit is due on a day: a minute after its midnight is soon enough


async def visit_round(pool: ConnPool, numbers: NumberBlocks, batch: int) -> int:
    """Open every visit that is due, `batch` per transaction; return how many plans were seen to."""
    done, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            opened = await open_visits(conn, numbers, now, batch)
        done += opened
        full = opened >= batch
    if done:
        log.info("visits are due", extra={"action": "visits_opened", "visits": done})
    return done
