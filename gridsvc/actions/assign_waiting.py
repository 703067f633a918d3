"""Officers come on duty: what waits in the pool of their beats is routed at once, and who is wanted there is sent."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from events.catalog import OfficerDutyChanged
from gridsvc.db import Conn
from gridsvc.store import cases


async def assign_waiting_cases(conn: Conn, news: Sequence[OfficerDutyChanged], now: datetime) -> None:
    """Let the reconciler's next round route the pooled cases of the officers' beats, and try the checks again there.

    Off duty changes nothing.
    """
    for each in news:
        if each.on_duty:
            await cases.route_beats_now(conn, each.officer_id, now)
            await cases.check_beats_now(conn, each.officer_id, now)
