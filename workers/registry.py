"""What happens to cameras because time passes: silent ones are missed, another grid set gives them other cells."""

from __future__ import annotations

import logging
from typing import Final

from gridsvc.actions.see_cells import see_cells_again
from gridsvc.actions.watch_cameras import watch_cameras
from gridsvc.db import SERVICE, ConnPool, transaction

log = logging.getLogger(__name__)

WATCH_SECONDS: Final = 10.0  # short beside the minutes that a camera may be silent
SEE_SECONDS: Final = 5.0  # what a publication of a grid set left over
AT_ONCE: Final = 100  # cameras to one look at the ground: some thousand cells


async def watch_round(pool: ConnPool, batch: int) -> int:
    """Announce what has fallen silent and what is there again, `batch` per transaction; return how many cameras."""
    offline, online, full = 0, 0, True
    while full:
        async with transaction(pool, SERVICE) as (conn, now):
            silent, back = await watch_cameras(conn, now, batch)
        offline, online = offline + silent, online + back
        full = max(silent, back) >= batch
    if offline or online:
        log.info("cameras changed", extra={"action": "cameras_changed", "offline": offline, "online": online})
    return offline + online


async def see_round(pool: ConnPool, batch: int = AT_ONCE) -> int:
    """Find anew which cells cameras see whose cells are of another grid set, `batch` per transaction; how many."""
    done, more = 0, True
    while more:
        async with transaction(pool, SERVICE) as (conn, now):
            seen = await see_cells_again(conn, now, batch)
        done += seen
        more = seen > 0
    if done:
        log.info("cameras follow the grid", extra={"action": "cameras_placed", "cameras": done})
    return done
