"""News that comes twice has its effect once, and news whose action fails is never lost."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path

import aio_pika
import pytest

from events.broker import Delivery, open_publisher
from events.catalog import Announcement, CaseFiled, OfficerDutyChanged
from events.codec import encode
from events.topology import QUEUES
from gridsvc.db import SERVICE, Conn, ConnPool, open_pool, transaction
from gridsvc.ids import new_id
from gridsvc.settings import BrokerSettings, WorkerSettings
from gridsvc.store import failures, outbox
from gridsvc.store.failures import Failure
from tests.integration.announced import filed, letter_of, noted
from tests.integration.patiently import until
from tests.integration.poisoned_worker import KILLED
from tests.integration.wire import wire_to
from workers.hear import Ears, hear, retry_round, take, take_dead_letter
from workers.listen import LISTENERS, ears_of, listen
from workers.patience import MOST_CRASHES


@dataclass
class Action:
    """Leaves one announcement in the outbox per effect; fails as often as it is told to, after the effect."""

    failures: int = 0
    runs: int = 0

    async def __call__(self, conn: Conn, news: Sequence[CaseFiled], now: datetime) -> None:
        self.runs += len(news)
        effects = [
            OfficerDutyChanged(event_id=new_id(), at=now, officer_id=each.event_id, on_duty=True) for each in news
        ]
        await outbox.append(conn, effects, now)
        if self.failures > 0:
            self.failures -= 1
            raise ValueError("Mrs Wang's gate is locked")


def ears(pool: ConnPool, action: Action, most_attempts: int = 8) -> Ears:
    return Ears(pool, "routing", {CaseFiled: action}, most_attempts, most_together=16)


def delivery(news: Announcement, *, redelivered: bool = False) -> Delivery:
    return Delivery("routing", encode(news).encode(), redelivered)


async def effects(pool: ConnPool) -> int:
    async with transaction(pool, SERVICE) as (conn, _):
        return (await outbox.waiting(conn)).waiting


async def failed(pool: ConnPool, news: Announcement) -> Failure | None:
    async with transaction(pool, SERVICE) as (conn, _):
        return await failures.get(conn, "routing", news.event_id)


async def make_due(pool: ConnPool) -> None:
    async with transaction(pool, SERVICE) as (conn, now):
        await conn.execute("UPDATE failures SET next_attempt_at = $1 WHERE next_attempt_at IS NOT NULL", now)


# --- twice is once -----------------------------------------------------------------------------------


async def test_news_that_comes_twice_has_its_effect_once(pool: ConnPool) -> None:
    action, news = Action(), filed()
    hearing = ears(pool, action)

    assert await hear(hearing, [news]) == 1
    assert await hear(hearing, [news]) == 0
    await take(hearing, delivery(news, redelivered=True))

    assert await effects(pool) == 1
    assert await failed(pool, news) is None


async def test_two_processes_that_get_the_same_news_at_once_have_one_effect(pool: ConnPool) -> None:
    action, news = Action(), filed()

    acted = await asyncio.gather(*(hear(ears(pool, action), [news]) for _ in range(6)))

    assert sorted(acted) == [0] * 5 + [1]
    assert await effects(pool) == 1


async def test_each_queue_hears_for_itself(pool: ConnPool) -> None:
    action, news = Action(), filed()
    hearing = ears(pool, action)

    assert await hear(hearing, [news]) == 1
    assert await hear(replace(hearing, queue="notices"), [news]) == 1

    assert await effects(pool) == 2


async def test_an_effect_whose_action_fails_leaves_nothing(pool: ConnPool) -> None:
    news = filed()

    with pytest.raises(ValueError, match="gate"):
        await hear(ears(pool, Action(failures=1)), [news])

    assert await effects(pool) == 0
    assert await hear(ears(pool, Action()), [news]) == 1, "the inbox forgot it together with the effect"


async def test_news_that_waits_together_shares_one_transaction(pool: ConnPool) -> None:
    action, news = Action(), [filed() for _ in range(20)]

    hearing = ears(pool, action)
    await asyncio.gather(*(take(hearing, delivery(each)) for each in news))

    assert action.runs == 20
    assert await effects(pool) == 20
    async with transaction(pool, SERVICE) as (conn, _):
        transactions = await conn.fetchval("SELECT count(DISTINCT xmin::text) FROM inbox")
    assert transactions < 20


async def test_one_that_fails_does_not_spoil_those_that_wait_with_it(pool: ConnPool) -> None:
    news = [filed() for _ in range(10)]
    bad = news[4].event_id

    class Picky(Action):
        async def __call__(self, conn: Conn, told: Sequence[CaseFiled], now: datetime) -> None:
            await super().__call__(conn, told, now)
            if any(each.event_id == bad for each in told):
                raise ValueError("this one cannot be")

    hearing = ears(pool, Picky())
    await asyncio.gather(*(take(hearing, delivery(each)) for each in news))

    assert await effects(pool) == 9
    assert [each for each in news if await failed(pool, each) is not None] == [news[4]]


# --- failures by row ---------------------------------------------------------------------------------


async def test_a_failed_action_waits_as_a_row_and_is_tried_again(pool: ConnPool) -> None:
    action, news = Action(failures=2), filed()
    hearing = ears(pool, action)

    await take(hearing, delivery(news))
    first = await failed(pool, news)
    assert await retry_round(hearing) == 0, "not before its time"
    await make_due(pool)
    assert await retry_round(hearing) == 1
    second = await failed(pool, news)
    await make_due(pool)
    await retry_round(hearing)

    assert first is not None
    assert first.next_attempt_at is not None
    assert (first.attempts, first.last_error) == (1, "ValueError: Mrs Wang's gate is locked")
    assert second is not None
    assert (second.attempts, second.first_failed_at) == (2, first.first_failed_at)
    assert await failed(pool, news) is None
    assert await effects(pool) == 1


async def test_the_pause_before_the_next_attempt_grows(pool: ConnPool) -> None:
    news = filed()
    hearing = ears(pool, Action(failures=9))
    await take(hearing, delivery(news))
    pauses = []
    for _ in range(3):
        await make_due(pool)
        await retry_round(hearing)
        async with transaction(pool, SERVICE) as (conn, now):
            row = await failures.get(conn, "routing", news.event_id)
        assert row is not None
        assert row.next_attempt_at is not None
        pauses.append(row.next_attempt_at - now)

    assert pauses[0] < timedelta(seconds=2.1)
    assert timedelta(seconds=3) < pauses[2] <= timedelta(seconds=8)


async def test_after_the_last_attempt_a_message_is_dead_until_a_person_revives_it(pool: ConnPool) -> None:
    action, news = Action(failures=3), filed()
    hearing = ears(pool, action, most_attempts=3)
    await take(hearing, delivery(news))
    for _ in range(5):
        await make_due(pool)
        await retry_round(hearing)
    dead = await failed(pool, news)
    runs = action.runs

    async with transaction(pool, SERVICE) as (conn, now):
        assert await failures.revive(conn, "routing", None, now) == 1
        assert await failures.revive(conn, "routing", None, now) == 0
    assert await retry_round(hearing) == 1

    assert dead is not None
    assert dead.next_attempt_at is None
    assert runs == 3
    assert await effects(pool) == 1
    assert await failed(pool, news) is None


async def test_a_dead_message_that_the_broker_hands_out_again_is_left_dead(pool: ConnPool) -> None:
    action, news = Action(failures=1), filed()
    hearing = ears(pool, action, most_attempts=1)

    await take(hearing, delivery(news))
    await take(hearing, delivery(news, redelivered=True))

    assert action.runs == 1
    dead = await failed(pool, news)
    assert dead is not None
    assert dead.next_attempt_at is None


@pytest.mark.parametrize(
    ("body", "why"),
    [
        (b"\x00\xff not ours", "no CloudEvent"),
        (b"{}", "no CloudEvent"),
        (encode(noted()).encode(), "case.noted has no action"),
        (encode(filed()).replace("case.filed.v1", "case.filed.v9").encode(), "case.filed.v9"),
    ],
)
async def test_what_nobody_here_can_read_is_kept_as_dead(pool: ConnPool, body: bytes, why: str) -> None:
    hearing = ears(pool, Action())

    await take(hearing, Delivery("routing", body, redelivered=False))
    await take(hearing, Delivery("routing", body, redelivered=True))

    async with transaction(pool, SERVICE) as (conn, _):
        (dead,) = await failures.dead(conn, 10)
    assert why in dead.last_error
    assert await retry_round(hearing) == 0


async def test_a_dead_letter_of_the_broker_gets_its_attempts(pool: ConnPool) -> None:
    action, innocent, heard = Action(), filed(), filed()
    hearing = ears(pool, action)
    await hear(hearing, [heard])

    for news in (innocent, heard, innocent):
        await take_dead_letter(hearing, delivery(news))
    await retry_round(hearing)

    assert action.runs == 2
    assert await failed(pool, innocent) is None
    assert await failed(pool, heard) is None


async def test_while_the_database_is_away_a_message_waits(database: str, pool: ConnPool) -> None:
    action, news = Action(failures=1), filed()
    async with wire_to(database) as wire, open_pool(wire.url, scope=SERVICE, size=2) as behind_the_wire:
        await wire.cut()
        taking = asyncio.create_task(take(ears(behind_the_wire, action), delivery(news)))
        done, _ = await asyncio.wait({taking}, timeout=0.5)
        assert not done, "it must neither give up nor be acknowledged"
        await wire.mend()
        async with asyncio.timeout(15):
            await taking
    row = await failed(pool, news)
    assert row is not None, "kept as soon as the database answered"


# --- with the broker ---------------------------------------------------------------------------------


@asynccontextmanager
async def listening(pool: ConnPool, amqp_url: str, hearing: Ears) -> AsyncIterator[None]:
    stop = asyncio.Event()
    working = asyncio.create_task(listen(hearing, BrokerSettings(url=amqp_url), WorkerSettings(), stop))
    try:
        yield
    finally:
        stop.set()
        await working


async def send(amqp_url: str, *news: Announcement) -> None:
    async with open_publisher(amqp_url) as publisher:
        outcome = await publisher.send([letter_of(each) for each in news])
    assert len(outcome.confirmed) == len(news)


async def test_repeats_over_the_broker_have_one_effect_each(pool: ConnPool, amqp_url: str) -> None:
    action, told = Action(), [filed() for _ in range(30)]
    for _ in range(3):
        await send(amqp_url, *told)

    async with listening(pool, amqp_url, ears(pool, action)):
        await until(lambda: _drained(amqp_url), what="the queue to be empty")

    assert await effects(pool) == 30


async def test_what_failed_over_the_broker_succeeds_by_row(pool: ConnPool, amqp_url: str) -> None:
    action = Action(failures=1)
    async with listening(pool, amqp_url, ears(pool, action)):
        await send(amqp_url, filed())
        await until(lambda: _has_effects(pool, 1), what="the second attempt")

    assert action.runs == 2
    assert await _drained(amqp_url), "never returned to the queue"


async def test_dead_letters_come_back_by_themselves(pool: ConnPool, amqp_url: str) -> None:
    await send(amqp_url, filed())
    async with await aio_pika.connect(amqp_url) as other:
        queue = await (await other.channel()).get_queue("routing")
        message = await queue.get()
        assert message is not None
        await message.reject(requeue=False)

    async with listening(pool, amqp_url, ears(pool, Action())):
        await until(lambda: _has_effects(pool, 1), what="the dead letter to be acted on")


async def test_a_message_that_kills_its_process_takes_no_other_with_it(
    database: str, pool: ConnPool, amqp_url: str
) -> None:
    good, poison = [filed() for _ in range(60)], filed()
    await send(amqp_url, *good[:30], poison, *good[30:])
    program = [sys.executable, "-m", "tests.integration.poisoned_worker", database, amqp_url, str(poison.event_id)]
    deaths = 0
    while not await _is_dead(pool, poison):
        process = await asyncio.create_subprocess_exec(*program, cwd=Path(__file__).parents[2])
        try:
            await until(partial(_ended_or_done, process, pool, poison), seconds=30, what="a death, or the end")
        finally:
            if process.returncode is None:
                process.kill()
        deaths += await process.wait() == KILLED
        assert deaths <= MOST_CRASHES + 1, "it is not stopped"

    assert await effects(pool) == 60, "the others, each once"
    assert deaths == MOST_CRASHES + 1, "the first hand-out, and then the attempts that were counted"


async def _ended_or_done(process: asyncio.subprocess.Process, pool: ConnPool, poison: Announcement) -> bool:
    return process.returncode is not None or (await _is_dead(pool, poison) and await effects(pool) == 60)


# --- the table ---------------------------------------------------------------------------------------


def test_every_binding_has_its_listener_and_every_listener_its_binding() -> None:
    bound = {(queue.name, announced) for queue in QUEUES for announced in queue.hears}
    listening = [(each.queue.name, each.announcement.TYPE) for each in LISTENERS]

    assert set(listening) == bound
    assert len(listening) == len(bound), "two actions on one announcement need two queues"


async def test_ears_are_made_from_the_table(pool: ConnPool) -> None:
    for queue in QUEUES:
        made = ears_of(queue, pool, WorkerSettings(), asyncio.Lock())
        assert {kind.TYPE for kind in made.actions} == set(queue.hears)


async def _drained(amqp_url: str) -> bool:
    async with await aio_pika.connect(amqp_url) as other:
        queue = await (await other.channel()).declare_queue("routing", passive=True)
        return queue.declaration_result.message_count == 0


async def _has_effects(pool: ConnPool, count: int) -> bool:
    return await effects(pool) == count


async def _is_dead(pool: ConnPool, news: Announcement) -> bool:
    row = await failed(pool, news)
    return row is not None and row.next_attempt_at is None
