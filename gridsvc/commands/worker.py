"""`gridsvc worker`: run workers, see what waits and what is dead, let the dead be tried again."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final
from uuid import UUID

from events.broker import BrokerAway, Depth, WrongTopology, depths
from events.topology import QUEUES
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.logs import start_logging
from gridsvc.settings import Settings
from gridsvc.store import failures, outbox
from gridsvc.store.failures import Count, Failure
from gridsvc.store.outbox import Backlog
from workers.run import KINDS, every_kind, work
from workers.runtime import ConsumersMissing

if TYPE_CHECKING:
    Subparsers = argparse._SubParsersAction[argparse.ArgumentParser]

log = logging.getLogger(__name__)

_EXAMPLE: Final = f"""\
kinds: {" ".join(KINDS)}, or all

examples:
  gridsvc worker all                     every kind in one process
  gridsvc worker listen                  one kind, as often as you like
  gridsvc worker status                  what waits, what failed, what is dead
  gridsvc worker replay routing 01890000-0000-7000-8000-000000000001
  gridsvc worker replay routing --all    let every dead message of a queue be tried again

Exit code 0: done; 1: a worker failed, the broker is away, or nothing dead was found; 2: the command was wrong."""

_DEAD_SHOWN: Final = 20


def add(subparsers: Subparsers) -> None:
    """Add `worker` to the command line."""
    parser = subparsers.add_parser(
        "worker",
        help="run workers; show what waits; try dead messages again",
        epilog=_EXAMPLE,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="+", metavar="KIND | status | replay QUEUE [EVENT_ID]")
    parser.add_argument("--all", action="store_true", help="with replay: every dead message of the queue")


async def run(arguments: argparse.Namespace, settings: Settings) -> int:
    """Do what the words say; return the exit code."""
    words: list[str] = arguments.words
    if words == ["status"]:
        return await _status(settings)
    if words[0] == "replay":
        return await _replay(words[1:], arguments.all, settings)
    kinds = every_kind(settings) if words == ["all"] else tuple(dict.fromkeys(words))
    strangers = [kind for kind in kinds if kind not in KINDS]
    if strangers or arguments.all:
        return _misused(f"{' '.join(strangers) or '--all'} is no kind of worker; want {', '.join(KINDS)}, or all")
    return await _work(kinds, settings)


async def _work(kinds: Sequence[str], settings: Settings) -> int:
    start_logging(settings.logs.level)
    ended = 0
    try:
        await work(kinds, settings)
    except* (WrongTopology, ConsumersMissing) as group:  # what no traceback would explain better
        for fault in group.exceptions:
            log.error("ended", extra={"action": "consumers_missing", "why": str(fault)})
        ended = 1
    return ended


async def _status(settings: Settings) -> int:
    async with (
        open_pool(settings.database.url, size=2, scope=SERVICE, name="gridsvc worker status") as pool,
        transaction(pool, SERVICE) as (conn, now),
    ):
        backlog = await outbox.waiting(conn)
        counts = {count.queue: count for count in await failures.counts(conn)}
        dead = await failures.dead(conn, _DEAD_SHOWN)
    print(_outbox_line(backlog, now))
    try:
        found = await depths(settings.broker.url, [name for queue in QUEUES for name in (queue.name, queue.dead)])
    except BrokerAway as fault:
        print(f"broker    away: {fault}")
        found = None
    for queue in QUEUES:
        print(_queue_line(queue.name, found, counts.get(queue.name, Count(queue.name, 0, 0))))
    for failure in dead:
        print(_dead_line(failure))
    return 0 if found is not None else 1


def _outbox_line(backlog: Backlog, now: datetime) -> str:
    if backlog.oldest_at is None:
        return "outbox    empty"
    age = max(now - backlog.oldest_at, timedelta(0)).total_seconds()
    return f"outbox    {backlog.waiting} waiting, the oldest for {age:.1f} s; {backlog.refused} were refused before"


def _queue_line(name: str, found: dict[str, Depth | None] | None, count: Count) -> str:
    rows = f"{count.waiting} to be tried again, {count.dead} dead"
    if found is None:
        return f"{name:9} {rows}"
    live, grave = found[name], found[f"{name}.dead"]
    if live is None or grave is None:
        return f"{name:9} not declared yet; {rows}"
    return f"{name:9} {live.messages} messages, {live.consumers} consumers, {grave.messages} dead letters; {rows}"


def _dead_line(failure: Failure) -> str:
    since = failure.first_failed_at.isoformat(timespec="seconds")
    return f"dead      {failure.queue} {failure.event_id} {failure.type} since {since}: {failure.last_error}"


async def _replay(words: list[str], everything: bool, settings: Settings) -> int:
    if everything != (len(words) == 1) or not 1 <= len(words) <= 2:
        return _misused("want: replay QUEUE EVENT_ID, or replay QUEUE --all")
    queue, event_id = words[0], None
    if queue not in {known.name for known in QUEUES}:
        return _misused(f"{queue} is no queue; want one of {', '.join(known.name for known in QUEUES)}")
    if not everything:
        try:
            event_id = UUID(words[1])
        except ValueError:
            return _misused(f"{words[1]} is no event id; want a UUID, as `gridsvc worker status` shows it")
    async with (
        open_pool(settings.database.url, size=2, scope=SERVICE, name="gridsvc worker replay") as pool,
        transaction(pool, SERVICE) as (conn, now),
    ):
        revived = await failures.revive(conn, queue, event_id, now)
    print(f"{revived} dead messages of {queue} are tried again")
    return 0 if revived else 1


def _misused(message: str) -> int:
    print(f"gridsvc worker: {message}", file=sys.stderr)
    return 2
