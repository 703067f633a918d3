"""One message, one effect: the inbox makes twice once, and what fails is tried again by row, never by requeueing."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import random
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property, partial
from typing import Any, Final
from uuid import UUID, uuid5

from events.broker import Delivery
from events.catalog import Announcement
from events.codec import Unreadable, decode
from gridsvc.db import SERVICE, Conn, ConnPool, transaction
from gridsvc.store import failures, inbox
from gridsvc.store.failures import Failure, Message
from gridsvc.together import Together
from workers.figures import LAG, MESSAGES
from workers.patience import UNFINISHED, gives_up, wait_after
from workers.runtime import until_the_database_answers

log = logging.getLogger(__name__)

Action = Callable[[Conn, Sequence[Any], datetime], Awaitable[object]]
"""Acts on announcements inside the caller's transaction; of which classes, the table in `workers/listen.py` says."""

PACE_S: Final = 0.02  # between the beginnings of two such transactions; the first after a rest begins at once

ATTEMPT: Final = timedelta(seconds=60)  # after this an attempt counts as gone; PostgreSQL ends a statement after 30 s

RETRIES_PER_ROUND: Final = 200

_UNREADABLE: Final = UUID("6f1c1b7e-6f0a-5b52-9d3e-0c8f6a3d9b11")  # name space for the ids of what carries none
_LONGEST_BODY: Final = 65_536  # characters kept of a message that nobody can read
_LONGEST_WORD: Final = 500


@dataclass(frozen=True)
class Ears:
    """What one queue listens with: which action for which announcement, and how often it tries.

    `most_together` are the messages of one transaction: as many as are handed out unanswered, so that a full
    hand waits for no pace. A round trip costs 0.1 to 0.2 ms of a core on each side, whatever it carries.
    `careful` is one lock per process: of the attempts that may have ended a process before, one runs
    at a time, so if this process dies, the row says of which.
    """

    pool: ConnPool
    queue: str
    actions: Mapping[type[Announcement], Action]
    most_attempts: int
    most_together: int
    careful: asyncio.Lock = field(default_factory=asyncio.Lock)

    @cached_property
    def hear_together(self) -> Together[Announcement]:
        """Hears an announcement in one transaction with whatever else waits by then."""
        return Together(partial(hear, self), self.most_together, PACE_S)


async def hear(ears: Ears, announcements: Sequence[Announcement], *, failed_before: bool = False) -> int:
    """Act on those of `announcements` that this queue has not acted on yet, all or none; how many those are.

    One transaction holds the inbox rows, the effects and, if they `failed_before`, the ends of their failures.
    """
    async with transaction(ears.pool, SERVICE) as (conn, now):
        first = await inbox.first_times(conn, ears.queue, [each.event_id for each in announcements], now)
        fresh = {each.event_id: each for each in announcements if each.event_id in first}
        for action, news in _by_action(ears, fresh.values()):
            await action(conn, news, now)
        if failed_before:
            for each in announcements:
                await failures.remove(conn, ears.queue, each.event_id)
    MESSAGES.labels(ears.queue, "heard").inc(len(fresh))
    MESSAGES.labels(ears.queue, "repeated").inc(len(announcements) - len(fresh))
    for each in fresh.values():
        LAG.labels(ears.queue).observe(max(0.0, (now - each.at).total_seconds()))
    return len(fresh)


def _by_action(ears: Ears, announcements: Iterable[Announcement]) -> list[tuple[Action, list[Announcement]]]:
    """What each action is told, in the order in which it came."""
    grouped: dict[int, tuple[Action, list[Announcement]]] = {}
    for each in announcements:
        action = ears.actions[type(each)]
        grouped.setdefault(id(action), (action, []))[1].append(each)
    return list(grouped.values())


async def take(ears: Ears, delivery: Delivery) -> None:
    """Settle one message from the broker; once this returns it may be acknowledged.

    It has had its effect, or had it before, or a row says when it is tried again or that it is dead.
    While the database is away this waits: the message stays unacknowledged.
    """
    try:
        announcement = _read(ears, delivery.body)
    except Unreadable as error:
        await _bury(ears, _illegible(ears, delivery.body), str(error))
        return
    message = _message(ears, announcement, delivery.body)
    if delivery.redelivered:
        async with ears.careful:
            attempts = await until_the_database_answers(partial(_begin, ears, message))
            await _attempt(ears, message, attempts)
        return
    try:
        await ears.hear_together(announcement)
    except Exception as error:
        await until_the_database_answers(partial(_put_off, ears, message, 1, error))


async def take_dead_letter(ears: Ears, delivery: Delivery) -> None:
    """Settle one message that the broker gave up on: keep it as a row that is due now.

    It may be innocent, taken along by a neighbour that ended the process, so it gets its attempts. One
    that was heard already ends there without effect; one that is kept already stays as it is.
    """
    try:
        announcement = _read(ears, delivery.body)
    except Unreadable as error:
        await _bury(ears, _illegible(ears, delivery.body), str(error))
        return
    message = _message(ears, announcement, delivery.body)
    log.warning("a dead letter was kept", extra={"action": "dead_letter_kept", **_ids(message)})

    async def keep() -> None:
        async with transaction(ears.pool, SERVICE) as (conn, now):
            if await failures.get(conn, message.queue, message.event_id) is None:
                await failures.put(conn, message, 0, now, "the broker gave up on it", now)

    await until_the_database_answers(keep)


async def retry_round(ears: Ears) -> int:
    """Try again what is due, one after the other, RETRIES_PER_ROUND at most; return how many were tried."""
    for tried in range(RETRIES_PER_ROUND):
        async with ears.careful:
            async with transaction(ears.pool, SERVICE) as (conn, now):
                due = await failures.next_due(conn, ears.queue, now)
                if due is None:
                    return tried
                attempts = await _count_attempt(ears, conn, due.message, due, now)
            await _attempt(ears, due.message, attempts)
    return RETRIES_PER_ROUND


async def _begin(ears: Ears, message: Message) -> int | None:
    async with transaction(ears.pool, SERVICE) as (conn, now):
        known = await failures.get(conn, message.queue, message.event_id)
        return await _count_attempt(ears, conn, message, known, now)


async def _count_attempt(ears: Ears, conn: Conn, message: Message, known: Failure | None, now: datetime) -> int | None:
    """Count one more attempt before it is made; return its number, or None if there is none left."""
    attempts = 0 if known is None else known.attempts
    if known is not None and known.next_attempt_at is None:
        return None
    if known is not None and gives_up(attempts, known.last_error, ears.most_attempts):
        await failures.put(conn, message, attempts, None, known.last_error, now)
        MESSAGES.labels(message.queue, "dead").inc()
        log.error("a message is dead", extra={"action": "message_dead", "attempts": attempts, **_ids(message)})
        return None
    await failures.put(conn, message, attempts + 1, now + ATTEMPT, UNFINISHED, now)
    return attempts + 1


async def _attempt(ears: Ears, message: Message, attempts: int | None) -> None:
    if attempts is None:
        return
    try:
        await hear(ears, [_read(ears, message.body)], failed_before=True)
    except Unreadable as error:
        await _bury(ears, message, str(error))
    except Exception as error:
        await until_the_database_answers(partial(_put_off, ears, message, attempts, error))


async def _put_off(ears: Ears, message: Message, attempts: int, error: Exception) -> None:
    """Keep that the n-th attempt failed, and when the next one is due, if there is one."""
    dead = gives_up(attempts, "", ears.most_attempts)
    async with transaction(ears.pool, SERVICE) as (conn, now):
        due = None if dead else now + wait_after(attempts, random.random())  # noqa: S311 - spreads load
        await failures.put(conn, message, attempts, due, _word(error), now)
    action = "message_dead" if dead else "message_failed"
    MESSAGES.labels(message.queue, "dead" if dead else "failed").inc()
    log.error("an action failed", extra={"action": action, "attempts": attempts, **_ids(message)}, exc_info=error)


async def _bury(ears: Ears, message: Message, why: str) -> None:
    """Keep a message that no attempt can help: nobody here can read it. A newer program may (`worker replay`)."""

    async def put() -> None:
        async with transaction(ears.pool, SERVICE) as (conn, now):
            await failures.put(conn, message, 0, None, why[:_LONGEST_WORD].replace("\0", ""), now)

    await until_the_database_answers(put)
    MESSAGES.labels(message.queue, "dead").inc()
    log.error("unreadable message", extra={"action": "message_unreadable", **_ids(message)})


def _read(ears: Ears, body: bytes | str) -> Announcement:
    """The announcement; Unreadable also where this queue has no action for it, as with a binding left over."""
    announcement = decode(body)
    if type(announcement) not in ears.actions:
        raise Unreadable(f"{announcement.TYPE} has no action on the queue {ears.queue}")
    return announcement


def _message(ears: Ears, announcement: Announcement, body: bytes) -> Message:
    return Message(ears.queue, announcement.event_id, announcement.TYPE, body.decode())


def _illegible(ears: Ears, body: bytes) -> Message:
    """A row for bytes that carry no id: the same bytes twice are one row."""
    digest = hashlib.sha256(body).hexdigest()
    text = body.decode(errors="replace").replace("\0", "\N{REPLACEMENT CHARACTER}")[:_LONGEST_BODY]
    return Message(ears.queue, uuid5(_UNREADABLE, digest), "unreadable", text)


def _ids(message: Message) -> dict[str, str]:
    return {"queue": message.queue, "event_id": str(message.event_id), "type": message.type}


def _word(error: Exception) -> str:
    """What a row says of an error: without the rejected row that PostgreSQL adds as detail."""
    text = getattr(error, "message", None) or str(error)
    return f"{type(error).__name__}: {text}"[:_LONGEST_WORD].replace("\0", "")
