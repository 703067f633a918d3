"""Outbox -> broker: every row at least once, confirmed, in the order in which it was written where nothing fails."""

from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Callable
from datetime import datetime

from events.broker import BrokerAway, Letter, Outcome, Publisher, open_publisher
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.outlive import outlive
from gridsvc.settings import BrokerSettings, WorkerSettings
from gridsvc.store import outbox
from gridsvc.store.outbox import Leased, Setback
from workers.patience import wait_after
from workers.runtime import hold_session, wait_for_stop

log = logging.getLogger(__name__)


async def relay(pool: ConnPool, broker: BrokerSettings, settings: WorkerSettings, stop: asyncio.Event) -> None:
    """Send what is in the outbox until `stop`, with a new session whenever the broker was lost."""

    async def session(ready: Callable[[], None]) -> None:
        async with open_publisher(broker.url, heartbeat_s=broker.heartbeat_s) as publisher:
            ready()
            await _send_until_stopped(pool, publisher, settings, stop)

    await hold_session("relay", session, stop)


async def _send_until_stopped(
    pool: ConnPool, publisher: Publisher, settings: WorkerSettings, stop: asyncio.Event
) -> None:
    clock, poll_s = asyncio.get_running_loop().time, settings.relay_poll_ms / 1000
    while not stop.is_set():
        began = clock()
        try:
            sent = await relay_once(pool, publisher, settings.relay_batch)
        except BrokerAway:
            raise
        except Exception as error:  # the database is away: what was claimed is free again when its lease ends
            outlive(error)
            log.error("a round failed", extra={"action": "round_failed", "round": "relay"}, exc_info=error)
            await wait_for_stop(stop, 1.0)
            continue
        if sent < settings.relay_batch:  # what comes meanwhile shares the next round
            await wait_for_stop(stop, max(0.0, began + poll_s - clock()))


async def relay_once(pool: ConnPool, publisher: Publisher, batch: int) -> int:
    """Send one batch; return how many rows were claimed.

    Three steps, and no transaction is open while the broker is asked: lease, send, mark. Dying between
    the last two sends the batch again when the lease ends, so readers must expect repeats. Raises
    BrokerAway when an outcome is unknown, after marking the others.
    """
    async with transaction(pool, SERVICE) as (conn, now):
        claimed = await outbox.claim(conn, now, batch)
    if not claimed:
        return 0
    outcome = await publisher.send([Letter(row.event_id, row.type, row.body) for row in claimed])
    async with transaction(pool, SERVICE) as (conn, now):
        seqs = {row.event_id: row.seq for row in claimed}
        await outbox.confirm(conn, [seqs[letter.event_id] for letter in outcome.confirmed])
        if outcome.unknown:
            await outbox.release(conn, [seqs[letter.event_id] for letter in outcome.unknown], now)
        if outcome.refused:
            await outbox.fail(conn, _setbacks(claimed, outcome, now))
    _say(outcome)
    if outcome.unknown:
        raise BrokerAway(f"{len(outcome.unknown)} of {len(claimed)} letters were not answered")
    return len(claimed)


def _setbacks(claimed: list[Leased], outcome: Outcome, now: datetime) -> list[Setback]:
    rows = {row.event_id: row for row in claimed}
    return [
        Setback(row.seq, word, now + wait_after(row.attempts + 1, random.random()))  # noqa: S311 - spreads load
        for letter, word in outcome.refused
        for row in (rows[letter.event_id],)
    ]


def _say(outcome: Outcome) -> None:
    if outcome.confirmed:
        log.debug("letters sent", extra={"action": "letters_sent", "letters": len(outcome.confirmed)})
    for letter, word in outcome.refused:
        log.error(
            "the broker refused a letter",
            extra={"action": "letter_refused", "event_id": str(letter.event_id), "type": letter.type, "why": word},
        )
