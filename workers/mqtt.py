"""What sites publish over MQTT: from the broker's queue to the same rows as over HTTP, then acknowledged to the broker.

A publisher was acknowledged by the broker, and that is the broker's promise alone (docs/cameras/frigate.md); so what
waits in the queue is taken promptly, committed, and only then let go. What the broker hands out twice is known again.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from functools import partial
from typing import Final

from events.broker import Delivery, Subscription, consume
from events.topology import MQTT
from gridsvc.actions.take_site_messages import GIVEN_UP, SiteMessage, keep_apart, take_site_messages
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.settings import BrokerSettings, WorkerSettings
from gridsvc.together import Together
from workers.runtime import hold_session, until_the_database_answers

log = logging.getLogger(__name__)

PACE_S: Final = 0.02


class MqttDesk:
    """Takes what the broker hands out; what waits together shares one commit."""

    def __init__(self, pool: ConnPool, most_together: int) -> None:
        self._pool = pool
        self._together: Together[SiteMessage] = Together(self._commit, most_together, PACE_S)

    async def take(self, delivery: Delivery) -> None:
        """Settle one message: it is kept, counted, or in quarantine; once this returns it may be acknowledged.

        While the database is away this waits. What fails for another reason is kept apart, for a person to replay:
        handed out again it would fail again.
        """
        message = SiteMessage(delivery.key, delivery.body)
        try:
            await until_the_database_answers(partial(self._together, message))
        except Exception as error:
            log.error("a message of a site failed", extra={"action": "mqtt_failed"}, exc_info=error)
            await self._keep_apart(message, "failed", f"taking it in failed with {type(error).__name__}")

    async def take_dead_letter(self, delivery: Delivery) -> None:
        """Settle what the broker gave up on, because each worker that held it was gone: a person looks at it."""
        await self._keep_apart(SiteMessage(delivery.key, delivery.body), GIVEN_UP, "no worker lived to take it in")

    async def _keep_apart(self, message: SiteMessage, code: str, says: str) -> None:
        async def keep() -> None:
            async with transaction(self._pool, SERVICE) as (conn, now):
                await keep_apart(conn, message, code, says, now)

        await until_the_database_answers(keep)

    async def _commit(self, messages: Sequence[SiteMessage]) -> None:
        async with transaction(self._pool, SERVICE) as (conn, now):
            await take_site_messages(conn, messages, now)


async def mqtt(pool: ConnPool, broker: BrokerSettings, settings: WorkerSettings, stop: asyncio.Event) -> None:
    """Consume what sites publish, and its dead letters, until `stop`."""
    desk = MqttDesk(pool, settings.prefetch)
    subscriptions = (
        Subscription(MQTT.name, desk.take, settings.prefetch),  # they share transactions
        Subscription(MQTT.dead, desk.take_dead_letter, 1),
    )

    async def session(ready: Callable[[], None]) -> None:
        await consume(
            broker.url,
            subscriptions,
            prefetch=settings.prefetch,
            stop=stop,
            ready=ready,
            name=f"gridsvc {MQTT.name}",
            heartbeat_s=broker.heartbeat_s,
        )

    await hold_session(MQTT.name, session, stop)
