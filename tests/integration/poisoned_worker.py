"""A worker on the queue "routing" whose action ends the process at one message: run as a program by a test."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Sequence
from datetime import datetime

from events.catalog import CaseFiled, OfficerDutyChanged
from gridsvc.db import SERVICE, Conn, open_pool
from gridsvc.ids import new_id
from gridsvc.settings import BrokerSettings, WorkerSettings
from gridsvc.store import outbox
from workers.hear import Ears
from workers.listen import listen

KILLED = 66


async def work(database: str, amqp_url: str, poison: str) -> None:
    """Listen until killed; each message leaves one announcement in the outbox, and `poison` ends it all."""

    async def act(conn: Conn, news: Sequence[CaseFiled], now: datetime) -> None:
        for each in news:
            if str(each.event_id) == poison:
                os._exit(KILLED)
            effect = OfficerDutyChanged(event_id=new_id(), at=now, officer_id=each.event_id, on_duty=True)
            await outbox.append(conn, [effect], now)

    async with open_pool(database, scope=SERVICE, size=8) as pool:
        ears = Ears(pool, "routing", {CaseFiled: act}, most_attempts=8, most_together=16)
        await listen(ears, BrokerSettings(url=amqp_url), WorkerSettings(), asyncio.Event())


if __name__ == "__main__":
    asyncio.run(work(*sys.argv[1:]))
