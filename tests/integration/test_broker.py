"""What a lost connection, a cancelled consumer or a wrong queue does to consuming: never a lost message."""

from __future__ import annotations

import asyncio
import contextlib
import gc
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any

import aio_pika
import pytest

from events.broker import (
    BrokerAway,
    Delivery,
    Subscription,
    WrongTopology,
    connection,
    consume,
    count_consumers,
    declare,
    depths,
    open_publisher,
)
from events.codec import decode
from events.topology import NEWS, QUEUES, ROUTING
from tests.integration.announced import filed, letter_of
from tests.integration.patiently import until
from tests.integration.wire import wire_to
from workers.runtime import hold_session


class Hands:
    """Takes messages and remembers them."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.redelivered: list[bool] = []
        self.busy = self.most_busy = 0
        self.free = asyncio.Event()
        self.free.set()

    async def take(self, delivery: Delivery) -> None:
        self.busy += 1
        self.most_busy = max(self.busy, self.most_busy)
        try:
            await self.free.wait()
            self.taken.append(str(decode(delivery.body).event_id))
            self.redelivered.append(delivery.redelivered)
        finally:
            self.busy -= 1

    async def has(self, count: int) -> bool:
        return len(self.taken) >= count


@asynccontextmanager
async def consuming(
    url: str, hands: Hands, *, prefetch: int = 16, at_once: int = 8
) -> AsyncIterator[asyncio.Task[None]]:
    """One session of a consumer of "routing" that stands; ends gracefully, or as it ended before."""
    stop, stands = asyncio.Event(), asyncio.Event()
    task = asyncio.create_task(
        consume(
            url,
            [Subscription("routing", hands.take, at_once)],
            prefetch=prefetch,
            stop=stop,
            ready=stands.set,
        )
    )
    try:
        async with asyncio.timeout(15):
            await asyncio.wait({task, asyncio.ensure_future(stands.wait())}, return_when=asyncio.FIRST_COMPLETED)
        yield task
    finally:
        stop.set()
        stands.set()
        with contextlib.suppress(BrokerAway, asyncio.CancelledError):
            await task


async def publish(url: str, count: int) -> list[str]:
    letters = [letter_of(filed()) for _ in range(count)]
    async with open_publisher(url) as publisher:
        assert (await publisher.send(letters)).confirmed == tuple(letters)
    return [str(letter.event_id) for letter in letters]


async def left_in(url: str, queue: str) -> int:
    depth = (await depths(url, [queue]))[queue]
    assert depth is not None
    return depth.messages


async def is_empty(url: str, queue: str) -> bool:
    return await left_in(url, queue) == 0


# --- consuming ---------------------------------------------------------------------------------------


async def test_what_is_taken_is_acknowledged(amqp_url: str) -> None:
    sent, hands = await publish(amqp_url, 50), Hands()
    async with consuming(amqp_url, hands):
        await until(lambda: hands.has(50))

    assert sorted(hands.taken) == sorted(sent)
    assert await left_in(amqp_url, "routing") == 0


async def test_no_more_messages_are_at_work_than_agreed(amqp_url: str) -> None:
    await publish(amqp_url, 60)
    hands = Hands()
    hands.free.clear()
    async with consuming(amqp_url, hands, prefetch=10, at_once=4):
        await until(lambda: _equals(hands, 4))
        await until(lambda: _ready(amqp_url, 50), what="all but the prefetched to stay with the broker")
        hands.free.set()
        await until(lambda: hands.has(60))

    assert hands.most_busy == 4


async def test_a_consumer_survives_the_garbage_collector(amqp_url: str) -> None:
    hands = Hands()
    async with consuming(amqp_url, hands):
        gc.collect()
        await publish(amqp_url, 1)
        await until(lambda: hands.has(1))


async def test_told_to_stop_it_ends_what_it_holds(amqp_url: str) -> None:
    await publish(amqp_url, 12)
    hands = Hands()
    hands.free.clear()
    async with consuming(amqp_url, hands, at_once=2):
        await until(lambda: _ready(amqp_url, 0), what="all to be handed out")
        await until(lambda: _equals(hands, 2))
        asyncio.get_running_loop().call_later(0.1, hands.free.set)

    assert len(hands.taken) == 12, "those at work and those that waited in the process"
    assert await left_in(amqp_url, "routing") == 0


async def test_a_cancelled_worker_loses_no_message(amqp_url: str) -> None:
    sent, hands = await publish(amqp_url, 3), Hands()
    hands.free.clear()
    async with consuming(amqp_url, hands) as task:
        await until(lambda: _equals(hands, 3))
        task.cancel()
        # The hands get their time to end; here they do not use it for anything but to be cancelled.
        for hand in [each for each in asyncio.all_tasks() if each.get_name().startswith("routing ")]:
            hand.cancel()

    again = Hands()
    async with consuming(amqp_url, again):
        await until(lambda: again.has(3))

    assert hands.taken == []
    assert sorted(again.taken) == sorted(sent)
    assert all(again.redelivered)


async def test_a_handler_that_fails_ends_the_session_and_its_message_comes_again(amqp_url: str) -> None:
    await publish(amqp_url, 1)

    async def fails(_: Delivery) -> None:
        raise KeyError("a fault of ours")

    with pytest.raises(KeyError):
        await consume(
            amqp_url,
            [Subscription("routing", fails, 1)],
            prefetch=1,
            stop=asyncio.Event(),
            ready=lambda: None,
        )

    hands = Hands()
    async with consuming(amqp_url, hands):
        await until(lambda: hands.has(1))


# --- faults ------------------------------------------------------------------------------------------


async def test_a_cut_connection_ends_the_session_and_the_message_in_hand_comes_again(amqp_url: str) -> None:
    sent, hands = await publish(amqp_url, 1), Hands()
    hands.free.clear()
    async with wire_to(amqp_url) as wire, consuming(wire.url, hands) as task:
        await until(lambda: _equals(hands, 1))
        await wire.cut()
        hands.free.set()
        with pytest.raises(BrokerAway):
            await task
    assert hands.taken == sent, "it ended what it held; only the acknowledgement found no channel"

    again = Hands()
    async with consuming(amqp_url, again):
        await until(lambda: again.has(1))
    assert again.taken == sent
    assert again.redelivered == [True]


async def test_a_consumer_that_the_broker_cancels_comes_back(amqp_url: str) -> None:
    hands, stop, stood = Hands(), asyncio.Event(), asyncio.Semaphore(0)

    async def session(ready: object) -> None:
        subscriptions = [Subscription("routing", hands.take, 1)]
        # Not noticed by asking the broker, but by its own word.
        await consume(amqp_url, subscriptions, prefetch=1, stop=stop, ready=stood.release, check_seconds=60)

    working = asyncio.create_task(hold_session("test", session, stop))
    await stood.acquire()
    async with await aio_pika.connect(amqp_url) as other:
        queue = await (await other.channel()).get_queue("routing")
        await queue.delete(if_unused=False, if_empty=False)
    async with asyncio.timeout(15):
        await stood.acquire()
    await publish(amqp_url, 1)
    await until(lambda: hands.has(1))
    stop.set()
    await working


async def test_consumers_stand_again_after_every_cut(amqp_url: str) -> None:
    hands, stop, stood = Hands(), asyncio.Event(), asyncio.Semaphore(0)
    async with wire_to(amqp_url) as wire:

        async def session(ready: object) -> None:
            subscriptions: Sequence[Subscription] = [Subscription("routing", hands.take, 1)]
            await consume(wire.url, subscriptions, prefetch=1, stop=stop, ready=stood.release)

        working = asyncio.create_task(hold_session("test", session, stop))
        for cuts in range(3):
            async with asyncio.timeout(15):
                await stood.acquire()
            await publish(amqp_url, 1)
            await until(partial(hands.has, cuts + 1))
            await wire.drop()
        async with asyncio.timeout(15):
            await stood.acquire()
        stop.set()
        await working


async def test_a_broker_that_is_away_at_the_start_is_waited_for(amqp_url: str) -> None:
    hands, stop, stands = Hands(), asyncio.Event(), asyncio.Event()
    async with wire_to(amqp_url) as wire:
        await wire.cut()

        async def session(ready: object) -> None:
            subscriptions = [Subscription("routing", hands.take, 1)]
            await consume(wire.url, subscriptions, prefetch=1, stop=stop, ready=stands.set)

        working = asyncio.create_task(hold_session("test", session, stop))
        asyncio.get_running_loop().call_later(0.2, lambda: asyncio.ensure_future(wire.mend()))
        async with asyncio.timeout(15):
            await stands.wait()
        stop.set()
        await working


async def test_a_broker_that_counts_no_consumer_ends_the_session(amqp_url: str) -> None:
    async with connection(amqp_url, name="test") as opened:
        channel = opened.channel()
        await channel.initialize()
        await declare(channel)

        with pytest.raises(BrokerAway, match="routing: the broker counts no consumer"):
            await asyncio.wait_for(count_consumers(channel, ["routing"], every_s=0.01), 5)


async def test_a_dead_peer_is_noticed_by_the_heartbeat(amqp_url: str) -> None:
    async with connection(amqp_url, name="test", heartbeat_s=10) as opened:
        assert opened.transport is not None
        assert opened.transport.connection.connection_tune.heartbeat == 10


# --- the topology ------------------------------------------------------------------------------------


async def test_declaring_twice_does_no_harm(amqp_url: str) -> None:
    async with connection(amqp_url, name="test") as opened:
        channel = opened.channel()
        await channel.initialize()
        await declare(channel)
        await declare(channel)

    names = [name for queue in QUEUES for name in (queue.name, queue.dead)]
    assert {name: depth is not None for name, depth in (await depths(amqp_url, names)).items()} == dict.fromkeys(
        names, True
    )


@pytest.mark.parametrize(
    ("other", "value"),
    [
        ("x-overflow", "drop-head"),
        ("x-delivery-limit", 5),
        ("x-dead-letter-exchange", "elsewhere"),
        ("x-dead-letter-strategy", "at-most-once"),
        ("x-queue-type", "classic"),
    ],
)
async def test_a_queue_with_other_arguments_is_refused_by_name(amqp_url: str, other: str, value: str | int) -> None:
    arguments: dict[str, Any] = {**ROUTING.arguments, other: value}
    if value == "classic":
        arguments = {"x-queue-type": "classic"}  # it takes none of the others
    async with await aio_pika.connect(amqp_url) as earlier:
        await (await earlier.channel()).declare_queue("routing", durable=True, arguments=arguments)

    with pytest.raises(WrongTopology, match="routing"):
        async with open_publisher(amqp_url):
            pass


async def test_what_the_broker_gives_up_on_lies_in_the_dead_queue(amqp_url: str) -> None:
    sent = await publish(amqp_url, 1)
    async with await aio_pika.connect(amqp_url) as other:
        channel = await other.channel()
        message = await (await channel.get_queue("routing")).get()
        assert message is not None
        await message.reject(requeue=False)
        dead = await channel.get_queue("routing.dead")
        there = await until(lambda: dead.get(fail=False), what="the dead letter")
        assert there is not None
        await there.ack()

    assert there.message_id == sent[0]


async def test_a_queue_that_does_not_exist_has_no_depth(amqp_url: str) -> None:
    await publish(amqp_url, 2)

    found = await depths(amqp_url, ["nowhere", "routing"])

    assert found["nowhere"] is None
    assert found["routing"] is not None
    assert found["routing"].messages == 2


async def test_every_type_of_the_table_reaches_its_queue(amqp_url: str) -> None:
    async with open_publisher(amqp_url) as publisher:
        for announced in sorted({each for queue in QUEUES for each in queue.hears}):  # two queues may hear one
            letter = letter_of(filed())
            outcome = await publisher.send([type(letter)(letter.event_id, announced, letter.body)])
            assert outcome.confirmed, f"{announced} over {NEWS}"

    for queue in QUEUES:
        assert await left_in(amqp_url, queue.name) == len(queue.hears)


async def _equals(hands: Hands, busy: int) -> bool:
    return hands.busy == busy


async def _ready(url: str, messages: int) -> bool:
    return await left_in(url, "routing") == messages
