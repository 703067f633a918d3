"""What every worker process does: run until told to stop, end what it holds, and die of what it cannot mend."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from events.broker import BrokerAway
from gridsvc.db import DATABASE_AWAY
from gridsvc.outlive import outlive
from workers.figures import round_ended

log = logging.getLogger(__name__)

GRACE_SECONDS: Final = 15.0  # a session takes up to 10 s to end what it holds, and a moment to close

RECONNECT_SECONDS: Final = (1.0, 2.0)  # drawn anew each time: workers that lost the broker together come back apart

# A broker that takes connections and yet gives no consumers for this long is not mended by asking again.
MISSING_SECONDS: Final = 30.0

Work = Callable[[asyncio.Event], Awaitable[None]]
Session = Callable[[Callable[[], None]], Awaitable[None]]
T = TypeVar("T")


class WorkEnded(Exception):
    """A work returned although nobody had told it to stop."""


class ConsumersMissing(Exception):
    """The broker answers, and what this process needs from it has not stood for MISSING_SECONDS."""


async def until_stopped(*works: tuple[str, Work]) -> None:
    """Run `works` side by side until SIGINT or SIGTERM, or until one of them fails.

    Each gets the event that tells it to stop and has GRACE_SECONDS to return. A failure stops the
    others and comes out as an ExceptionGroup: a process with a dead half is worse than one that its
    supervisor starts again.
    """
    async with _stop_on_signals() as stop, asyncio.TaskGroup() as group:
        tasks = [group.create_task(_must_not_end(name, work, stop), name=name) for name, work in works]
        await stop.wait()
        log.info("stopping", extra={"action": "process_stopping"})
        _, busy = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in busy:
            task.cancel()


@asynccontextmanager
async def _stop_on_signals() -> AsyncIterator[asyncio.Event]:
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        yield stop
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _must_not_end(name: str, work: Work, stop: asyncio.Event) -> None:
    await work(stop)
    if not stop.is_set():
        raise WorkEnded(f"{name} returned although it was not told to stop")


async def wait_for_stop(stop: asyncio.Event, seconds: float) -> bool:
    """Wait `seconds`, or until `stop`; return whether it is time to stop."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()
    return stop.is_set()


async def periodically(name: str, seconds: float, turn: Callable[[], Awaitable[object]], stop: asyncio.Event) -> None:
    """Take a turn every `seconds` until `stop`. A turn that fails is logged; the next one tries again."""
    while not stop.is_set():
        try:
            await turn()
            round_ended(name, well=True)
        except Exception as error:
            outlive(error)
            round_ended(name, well=False)
            log.error("a round failed", extra={"action": "round_failed", "round": name}, exc_info=error)
        await wait_for_stop(stop, seconds)


async def until_the_database_answers(step: Callable[[], Awaitable[T]]) -> T:
    """Take `step`, and again for as long as the database is away; return what it returns, raise what else it raises."""
    while True:
        try:
            return await step()
        except DATABASE_AWAY as error:
            outlive(error)
            log.warning("the database is away", extra={"action": "database_lost"}, exc_info=error)
            await asyncio.sleep(random.uniform(0.5, 1.5))  # noqa: S311 - spreads load


class Standing:
    """Since when the broker answers and yet what is needed does not stand."""

    def __init__(self) -> None:
        self._missing_since: float | None = None

    def ready(self) -> None:
        """All stands."""
        self._missing_since = None

    def failed(self, fault: BrokerAway, at: float) -> None:
        """A session ended at `at` (seconds, any origin). Raises ConsumersMissing after MISSING_SECONDS of these.

        A broker that cannot be reached does not count: a new process would not reach it either.
        """
        if not fault.reached:
            self._missing_since = None
        elif self._missing_since is None:
            self._missing_since = at
        elif at - self._missing_since >= MISSING_SECONDS:
            raise ConsumersMissing(f"for {at - self._missing_since:.0f} s: {fault}") from fault


async def hold_session(name: str, session: Session, stop: asyncio.Event) -> None:
    """Keep one session with the broker until `stop`: when it is lost, wait a moment and open another.

    `session` gets a function to call once all stands, and returns only on `stop`. Raises
    ConsumersMissing, and whatever a session raises other than BrokerAway.
    """
    standing, clock = Standing(), asyncio.get_running_loop().time

    def ready() -> None:
        standing.ready()
        log.info("connected", extra={"action": "broker_connected", "part": name})

    while not stop.is_set():
        try:
            await session(ready)
        except BrokerAway as fault:
            outlive(fault)
            log.warning("broker lost", extra={"action": "broker_lost", "part": name, "why": str(fault)})
            standing.failed(fault, clock())
            await wait_for_stop(stop, random.uniform(*RECONNECT_SECONDS))  # noqa: S311 - spreads load, hides nothing
