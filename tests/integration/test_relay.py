"""The relay sends every row at least once and forgets it only after the broker's word."""

from __future__ import annotations

import asyncio

import aio_pika
import pytest

from events.broker import BrokerAway, Letter, Publisher, declare, open_publisher
from events.topology import NEWS
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.settings import BrokerSettings, WorkerSettings
from gridsvc.store import outbox
from tests.integration.announced import filed, letter_of, noted
from tests.integration.patiently import until
from tests.integration.wire import wire_to
from workers.relay import relay, relay_once


async def tell(pool: ConnPool, count: int) -> list[str]:
    told = [filed() for _ in range(count)]
    async with transaction(pool, SERVICE) as (conn, now):
        await outbox.append(conn, told, now)
    return [str(news.event_id) for news in told]


async def backlog(pool: ConnPool) -> outbox.Backlog:
    async with transaction(pool, SERVICE) as (conn, _):
        return await outbox.waiting(conn)


async def read_all(url: str, queue: str) -> list[aio_pika.abc.AbstractIncomingMessage]:
    """Take every message of `queue`, for good."""
    found = []
    async with await aio_pika.connect(url) as connection:
        channel = await connection.channel()
        there = await channel.get_queue(queue)
        while (message := await there.get(fail=False)) is not None:
            await message.ack()
            found.append(message)
    return found


async def test_a_confirmed_letter_is_in_the_queue_and_out_of_the_outbox(pool: ConnPool, amqp_url: str) -> None:
    told = await tell(pool, 200)

    async with open_publisher(amqp_url) as publisher:
        assert await relay_once(pool, publisher, 128) == 128
        assert await relay_once(pool, publisher, 128) == 72
        assert await relay_once(pool, publisher, 128) == 0

    messages = await read_all(amqp_url, "routing")
    assert [message.message_id for message in messages] == told, "in the order in which it was told"
    assert (await backlog(pool)).waiting == 0


async def test_a_letter_survives_a_restart_of_the_broker(pool: ConnPool, amqp_url: str) -> None:
    await tell(pool, 1)
    async with open_publisher(amqp_url) as publisher:
        await relay_once(pool, publisher, 10)

    (message,) = await read_all(amqp_url, "routing")
    assert message.delivery_mode is aio_pika.DeliveryMode.PERSISTENT


async def test_a_relay_that_died_after_sending_sends_again_when_its_lease_ends(pool: ConnPool, amqp_url: str) -> None:
    (told,) = await tell(pool, 1)
    async with open_publisher(amqp_url) as publisher:
        async with transaction(pool, SERVICE) as (conn, now):
            (row,) = await outbox.claim(conn, now, 10)
        await publisher.send([Letter(row.event_id, row.type, row.body)])  # and here it died
        assert await relay_once(pool, publisher, 10) == 0, "the row is still leased"

        async with transaction(pool, SERVICE) as (conn, now):
            await conn.execute("UPDATE outbox SET available_at = available_at - $1::interval", outbox.LEASE)
        assert await relay_once(pool, publisher, 10) == 1

    assert [message.message_id for message in await read_all(amqp_url, "routing")] == [told, told]


async def test_news_that_must_be_heard_and_finds_no_queue_stays(pool: ConnPool, amqp_url: str) -> None:
    await tell(pool, 1)
    async with open_publisher(amqp_url) as publisher:
        async with await aio_pika.connect(amqp_url) as connection:
            queue = await (await connection.channel()).get_queue("routing")
            await queue.unbind(NEWS, "case.filed")

        await relay_once(pool, publisher, 10)

    left = await backlog(pool)
    assert (left.waiting, left.refused) == (1, 1)


async def test_news_that_nobody_has_to_hear_is_sent_and_forgotten(pool: ConnPool, amqp_url: str) -> None:
    async with transaction(pool, SERVICE) as (conn, now):
        await outbox.append(conn, [noted()], now)
    async with open_publisher(amqp_url) as publisher:
        await relay_once(pool, publisher, 10)

    assert (await backlog(pool)).waiting == 0


async def test_while_the_broker_is_away_rows_stay_and_then_go_out(pool: ConnPool, amqp_url: str) -> None:
    stop = asyncio.Event()
    async with wire_to(amqp_url) as wire:
        await wire.cut()
        with pytest.raises(BrokerAway) as away:
            async with open_publisher(wire.url):
                pass
        assert not away.value.reached

        working = asyncio.create_task(relay(pool, BrokerSettings(url=wire.url), WorkerSettings(), stop))
        told = await tell(pool, 20)
        assert (await backlog(pool)).waiting == 20
        await wire.mend()
        await until(lambda: _is_empty(pool), what="the outbox to be empty")
        stop.set()
        await working

    assert {message.message_id for message in await read_all(amqp_url, "routing")} == set(told)


async def test_a_broker_that_stops_answering_does_not_hold_the_relay(pool: ConnPool, amqp_url: str) -> None:
    await tell(pool, 5)
    async with wire_to(amqp_url) as wire, open_publisher(wire.url, publish_seconds=0.3) as publisher:
        wire.freeze()
        async with asyncio.timeout(5):
            with pytest.raises(BrokerAway):
                await relay_once(pool, publisher, 10)
        assert (await backlog(pool)).waiting == 5
        async with transaction(pool, SERVICE) as (conn, now):
            assert len(await outbox.claim(conn, now, 10)) == 5, "free again at once, not when the lease ends"
        await wire.cut()


async def test_a_lost_connection_leaves_the_outcome_unknown(amqp_url: str) -> None:
    async with wire_to(amqp_url) as wire, open_publisher(wire.url) as publisher:
        wire.freeze()
        async with asyncio.timeout(5):
            outcome, _ = await asyncio.gather(publisher.send([letter_of(filed()) for _ in range(3)]), wire.cut())

    assert outcome.confirmed == ()
    assert len(outcome.unknown) == 3


async def test_a_publish_that_was_cancelled_does_not_spoil_the_next(amqp_url: str) -> None:
    async with open_publisher(amqp_url) as publisher:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(publisher.send([letter_of(filed()) for _ in range(100)]), 0.002)

        outcome = await publisher.send(letters := [letter_of(filed()) for _ in range(100)])

    assert outcome.confirmed == tuple(letters)
    assert set(map(str, (letter.event_id for letter in letters))) <= {
        message.message_id for message in await read_all(amqp_url, "routing")
    }


async def test_one_channel_carries_every_batch(amqp_url: str) -> None:
    async with await aio_pika.connect(amqp_url) as connection:
        channel = await connection.channel(publisher_confirms=True, on_return_raises=True)
        publisher = Publisher(channel, await declare(channel), 10.0)
        assert connection.transport is not None
        for _ in range(5):
            await publisher.send([letter_of(filed()) for _ in range(3)])

        assert len(connection.transport.connection.channels) == 1


async def _is_empty(pool: ConnPool) -> bool:
    return (await backlog(pool)).waiting == 0
