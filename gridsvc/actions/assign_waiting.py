"""An officer comes on duty: what waits in the pool of his beats is routed at once."""

from __future__ import annotations

from datetime import datetime

from events.catalog import OfficerDutyChanged
from gridsvc.db import Conn
from gridsvc.store import cases


async def assign_waiting_cases(conn: Conn, news: OfficerDutyChanged, now: datetime) -> None:
    """Let the reconciler's next round route the pooled cases of the officer's beats; off duty changes nothing."""
    if news.on_duty:
        await cases.route_beats_now(conn, news.officer_id, now)
