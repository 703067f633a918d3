"""An emergency comes before anything else: the duty desk is told, and what is filed is called, at once."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from events.catalog import CaseAlarm
from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import Conn


async def raise_alarm(conn: Conn, alarms: Sequence[CaseAlarm], now: datetime) -> None:
    """Route what waits for it, and tell the duty desk of each, without waiting behind ordinary news.

    The ordinary news of the same case finds nothing left to do when its turn comes. Both share the caller's
    transaction; routing is first because it locks the cases in their order, and a notice holds a case by its key.
    """
    await assign_cases(conn, alarms, now)
    await tell_people(conn, alarms, now)
