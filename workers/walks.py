"""What plans bring: visits that are due become cases, patrols begin, warn and are judged."""

from __future__ import annotations

import logging
from typing import Final

from gridsvc.actions.open_visits import open_visits
from gridsvc.actions.walk_patrols import begin_patrols, judge_patrols
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.store.numbers import NumberBlocks

log = logging.getLogger(__name__)

VISIT_SECONDS: Final = 60.0  # a visit is due on a day: a minute after its midnight is soon enough
PATROL_SECONDS: Final = 60.0
_PATROLS_AT_ONCE: Final = 50  # each reads the ways of some officers in a whole shift


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


async def patrol_round(pool: ConnPool) -> int:
    """Let patrols begin, then see to all that warn or are over; return how many were seen to."""
    async with transaction(pool, SERVICE) as (conn, now):
        await begin_patrols(conn, now)
    done, full = 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            judged = await judge_patrols(conn, now, _PATROLS_AT_ONCE)
        done += judged
        full = judged >= _PATROLS_AT_ONCE
    if done:
        log.info("patrols were seen to", extra={"action": "patrols_judged", "patrols": done})
    return done
