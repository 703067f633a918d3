"""RabbitMQ as the rest of the service meets it: publish and wait for the confirm, consume and acknowledge after.

The only module that knows aio-pika. It holds plain connections: every fault ends the session with
BrokerAway, and the caller opens a new one. What is defended against is in docs/hazards.md.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractConnection, AbstractExchange, AbstractIncomingMessage
from aio_pika.connection import make_url
from aio_pika.exceptions import AMQPError, ChannelInvalidStateError, ChannelPreconditionFailed, DeliveryError
from aiormq.exceptions import ChannelNotFoundEntity

from events.codec import MEDIA_TYPE
from events.topology import DEAD, DEAD_ARGUMENTS, DEVICES, NEWS, QUEUES, is_heard

CONNECT_SECONDS: Final = 10.0
DECLARE_SECONDS: Final = 10.0  # a declaration in a cluster that elects a leader takes seconds
PUBLISH_SECONDS: Final = 10.0  # for a whole batch; well inside the outbox's lease of 30 s
GRACE_SECONDS: Final = 10.0  # for the messages in hand when a session ends
CHECK_SECONDS: Final = 10.0  # between two looks at whether the broker still counts a consumer

# Letters on their way at once. Measured on 3.10.8, quorum: 1,576 a second one by one, 3,638 with 16,
# 8,323 with 64, and no more beyond.
CONFIRM_WINDOW: Final = 64

# All that a lost or refusing broker makes aio-pika raise. TimeoutError is an OSError.
_FAULTS: Final = (AMQPError, ChannelInvalidStateError, OSError)


class BrokerAway(Exception):
    """The broker cannot be reached, or went away, or stopped answering: open a new session.

    `reached` tells whether it had taken the connection.
    """

    def __init__(self, message: str, *, reached: bool = True) -> None:
        super().__init__(message)
        self.reached = reached


class WrongTopology(Exception):
    """An exchange or queue is there with other properties than `events/topology.py` gives it."""


@dataclass(frozen=True)
class Letter:
    """One announcement on its way: the id that readers tell repeats by, its routing key, its bytes."""

    event_id: UUID
    type: str
    body: str


@dataclass(frozen=True)
class Outcome:
    """What became of a batch. Every letter is in exactly one of the three."""

    confirmed: tuple[Letter, ...]  # the broker has it on disk, on a majority of nodes
    refused: tuple[tuple[Letter, str], ...]  # no queue for it, or a full one; with the broker's word
    unknown: tuple[Letter, ...]  # it may be there or not: send it again


@dataclass(frozen=True)
class Delivery:
    """One message as it came. `key` is the routing key that it was published with, also of a dead letter."""

    queue: str
    body: bytes
    redelivered: bool  # an earlier hand-out ended without an acknowledgement
    key: str = ""


Handle = Callable[[Delivery], Awaitable[None]]


@dataclass(frozen=True)
class Subscription:
    """Who takes the messages of one queue, and how many at once."""

    queue: str
    handle: Handle
    at_once: int


@asynccontextmanager
async def connection(url: str, *, name: str, heartbeat_s: int = 10) -> AsyncIterator[AbstractConnection]:
    """A plain connection, closed at the end. Raises BrokerAway (never with the password in its message)."""
    # Not aio_pika.connect(): when it fails, nobody can close what it made, and its finaliser tries to.
    opened = aio_pika.Connection(
        make_url(url, heartbeat=str(heartbeat_s)), client_properties={"connection_name": name}
    )
    try:
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                await opened.connect()
        except _FAULTS as fault:
            raise BrokerAway(f"no connection: {_word(fault)}", reached=False) from fault
        yield opened
    finally:
        with contextlib.suppress(*_FAULTS):
            async with asyncio.timeout(CONNECT_SECONDS):
                await opened.close()


async def declare(channel: AbstractChannel) -> AbstractExchange:
    """Declare the whole topology, dead queues first; return the exchange for news. Twice does no harm.

    Raises WrongTopology where something of the same name exists with other properties: the broker
    compares every argument of `events/topology.py`, and closes the channel. (Policies are not compared.)
    """
    try:
        async with asyncio.timeout(DECLARE_SECONDS):
            news = await channel.declare_exchange(NEWS, aio_pika.ExchangeType.TOPIC, durable=True)
            dead = await channel.declare_exchange(DEAD, aio_pika.ExchangeType.DIRECT, durable=True)
            for queue in QUEUES:
                grave = await channel.declare_queue(queue.dead, durable=True, arguments=dict(DEAD_ARGUMENTS))
                await grave.bind(dead, queue.dead)
                live = await channel.declare_queue(queue.name, durable=True, arguments=dict(queue.arguments))
                for announced in queue.hears:
                    await live.bind(news, announced)
                for topic in queue.topics:
                    await live.bind(DEVICES, topic)
    except ChannelPreconditionFailed as fault:
        raise WrongTopology(
            f"the broker holds another declaration than events/topology.py: {_word(fault)}. "
            "Stop the workers, delete the queue that is named, start again: "
            "what it held is made again from the state of the cases, but for what devices published (mqtt)"
        ) from fault
    except _FAULTS as fault:
        raise BrokerAway(f"cannot declare the topology: {_word(fault)}") from fault
    return news


class Publisher:
    """Sends letters over one channel that it holds. After an unknown outcome, open a new one."""

    def __init__(self, channel: AbstractChannel, news: AbstractExchange, seconds: float) -> None:
        self._channel = channel  # held: a channel nobody refers to is collected and silently gone
        self._news = news
        self._seconds = seconds
        self._window = asyncio.Semaphore(CONFIRM_WINDOW)

    async def send(self, letters: Sequence[Letter]) -> Outcome:
        """Publish `letters`, persistent, in their order, and wait for every confirm, PUBLISH_SECONDS at most for all.

        Never raises for the broker's sake: what it did not confirm is `refused` or `unknown`. A letter
        that some queue of ours hears must be routed; another may find nobody.
        """
        deadline = asyncio.get_running_loop().time() + self._seconds
        answers = await asyncio.gather(*(self._send(letter, deadline) for letter in letters), return_exceptions=True)
        confirmed, refused, unknown = [], [], []
        for letter, answer in zip(letters, answers, strict=True):
            if answer is None:
                confirmed.append(letter)
            elif isinstance(answer, DeliveryError):
                refused.append((letter, _word(answer)))
            elif isinstance(answer, (*_FAULTS, asyncio.CancelledError)):  # a lost channel cancels its waiters
                unknown.append(letter)
            else:
                raise answer
        return Outcome(tuple(confirmed), tuple(refused), tuple(unknown))

    async def _send(self, letter: Letter, deadline: float) -> None:
        message = aio_pika.Message(
            letter.body.encode(),
            message_id=str(letter.event_id),
            type=letter.type,
            content_type=MEDIA_TYPE,
            app_id="gridsvc",
            delivery_mode=aio_pika.DeliveryMode.PERSISTENT,
        )
        async with asyncio.timeout_at(deadline), self._window:
            await self._news.publish(message, routing_key=letter.type, mandatory=is_heard(letter.type))


@asynccontextmanager
async def open_publisher(
    url: str, *, name: str = "gridsvc relay", heartbeat_s: int = 10, publish_seconds: float = PUBLISH_SECONDS
) -> AsyncIterator[Publisher]:
    """A connection for publishing alone: an alarm that blocks it must not block acknowledgements.

    Raises BrokerAway, WrongTopology.
    """
    async with connection(url, name=name, heartbeat_s=heartbeat_s) as opened:
        channel = await _open_channel(opened, confirms=True)
        yield Publisher(channel, await declare(channel), publish_seconds)


async def consume(
    url: str,
    subscriptions: Sequence[Subscription],
    *,
    prefetch: int,
    stop: asyncio.Event,
    ready: Callable[[], None],
    name: str = "gridsvc listen",
    heartbeat_s: int = 10,
    check_seconds: float = CHECK_SECONDS,
) -> None:
    """Hand messages to their subscriptions until `stop`; then finish what is in hand and return.

    A message is acknowledged after its `handle` returned, and otherwise left alone: on a crash, a
    cancellation, a lost connection the broker hands it out again. `ready` is called once all consumers
    stand. Raises BrokerAway when the connection, a channel or a consumer is lost, WrongTopology, and
    whatever a `handle` raises.
    """
    async with connection(url, name=name, heartbeat_s=heartbeat_s) as opened:
        control = await _open_channel(opened)
        await declare(control)
        lost: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        stands = [_Stand(subscription, lost) for subscription in subscriptions]
        try:
            for stand in stands:
                await stand.open(opened, prefetch)
            ready()
            counted = count_consumers(control, [each.queue for each in subscriptions], check_seconds)
            await _watch(opened, counted, stands, lost, stop)
            for stand in stands:
                await stand.take_no_more()
        finally:
            graceful = stop.is_set() and not lost.done()
            await asyncio.gather(*(stand.close(finish=graceful) for stand in stands))


async def count_consumers(control: AbstractChannel, queues: Sequence[str], every_s: float) -> None:
    """Ask the broker every `every_s` seconds whether it counts a consumer of each queue; raise BrokerAway if not."""
    while True:
        await asyncio.sleep(every_s)
        for name in queues:
            try:
                depth = await _depth(control, name)
            except _FAULTS as fault:
                raise BrokerAway(f"cannot look at {name}: {_word(fault)}") from fault
            if depth.consumers == 0:
                raise BrokerAway(f"{name}: the broker counts no consumer")


@dataclass(frozen=True)
class Depth:
    """How full a queue is."""

    messages: int
    consumers: int


async def depths(url: str, names: Iterable[str]) -> dict[str, Depth | None]:
    """How full each queue is, None for one that does not exist. Raises BrokerAway."""
    found: dict[str, Depth | None] = {}
    async with connection(url, name="gridsvc status") as opened:
        for name in names:
            channel = await _open_channel(opened)  # one each: asking for a queue that is not there closes it
            try:
                found[name] = await _depth(channel, name)
            except ChannelNotFoundEntity:
                found[name] = None
            else:
                await channel.close()
    return found


class _Stand:
    """One subscription at work: its channel, its consumer, and the hands that take its messages."""

    def __init__(self, subscription: Subscription, lost: asyncio.Future[str]) -> None:
        self.subscription = subscription
        self._lost = lost
        self._waiting: asyncio.Queue[AbstractIncomingMessage | None] = asyncio.Queue()
        self._channel: AbstractChannel | None = None
        self._tag = ""
        self.hands: list[asyncio.Task[None]] = []

    async def open(self, opened: AbstractConnection, prefetch: int) -> None:
        """Start to consume. The channel lives as long as this object."""
        name = self.subscription.queue
        self._channel = channel = await _open_channel(opened)
        self.hands = [
            asyncio.create_task(self._work(), name=f"{name} {number}") for number in range(self.subscription.at_once)
        ]
        try:
            async with asyncio.timeout(DECLARE_SECONDS):
                await channel.set_qos(prefetch_count=prefetch)  # per consumer: quorum queues take no other
                beneath = await channel.get_underlay_channel()
                beneath.on_consumer_cancel_callbacks.add(self._cancelled_by_broker)
                channel.close_callbacks.add(self._closed)
                queue = await channel.get_queue(name, ensure=False)
                self._tag = await queue.consume(self._take)
        except _FAULTS as fault:
            raise BrokerAway(f"cannot consume from {name}: {_word(fault)}") from fault

    async def take_no_more(self) -> None:
        """Tell the broker to hand out nothing more; what was handed out stays ours."""
        assert self._channel is not None  # noqa: S101 - called after open
        with contextlib.suppress(*_FAULTS):  # a consumer that is gone takes no more either
            async with asyncio.timeout(DECLARE_SECONDS):
                beneath = await self._channel.get_underlay_channel()
                await beneath.basic_cancel(self._tag)

    async def close(self, *, finish: bool) -> None:
        """Let each hand end the message it holds and, if `finish`, those that wait; GRACE_SECONDS at most.

        What is left is not settled, so the broker hands it out again.
        """
        while not finish and not self._waiting.empty():
            self._waiting.get_nowait()
        for _ in self.hands:
            self._waiting.put_nowait(None)
        if self.hands:
            _, busy = await asyncio.wait(self.hands, timeout=GRACE_SECONDS)
            for hand in busy:
                hand.cancel()
            await asyncio.gather(*self.hands, return_exceptions=True)

    async def _take(self, message: AbstractIncomingMessage) -> None:
        self._waiting.put_nowait(message)  # at most `prefetch` of them

    async def _work(self) -> None:
        while (message := await self._waiting.get()) is not None:
            await self.subscription.handle(
                Delivery(self.subscription.queue, message.body, bool(message.redelivered), _key_of(message))
            )
            # On a channel that is gone the acknowledgement is, too: the effect stands, and the message
            # that comes again is known by its id.
            with contextlib.suppress(*_FAULTS):
                await message.ack()

    def _cancelled_by_broker(self, _: object) -> None:
        self._lose("the broker cancelled the consumer")

    def _closed(self, _: object, fault: BaseException | None) -> None:
        self._lose(f"the channel closed: {_word(fault)}")

    def _lose(self, what: str) -> None:
        if not self._lost.done():
            self._lost.set_result(f"{self.subscription.queue}: {what}")


async def _watch(
    opened: AbstractConnection,
    check: Coroutine[Any, Any, None],
    stands: Sequence[_Stand],
    lost: asyncio.Future[str],
    stop: asyncio.Event,
) -> None:
    """Return on `stop`; raise BrokerAway on a fault, or what a hand raised."""
    ends: set[asyncio.Future[Any]] = {
        asyncio.create_task(stop.wait(), name="stop"),
        asyncio.create_task(check, name="count consumers"),
        asyncio.ensure_future(opened.closed()),
    }
    works: set[asyncio.Future[Any]] = {*ends, *(hand for stand in stands for hand in stand.hands)}
    try:
        await asyncio.wait({*works, lost}, return_when=asyncio.FIRST_COMPLETED)
        for end in works:
            if end.done() and end.exception() is not None:
                await end
        if lost.done():
            raise BrokerAway(lost.result())
        if not stop.is_set():
            raise BrokerAway("the connection closed")
    finally:
        for end in ends:
            end.cancel()
        await asyncio.gather(*ends, return_exceptions=True)


async def _depth(channel: AbstractChannel, name: str) -> Depth:
    async with asyncio.timeout(DECLARE_SECONDS):
        beneath = await channel.get_underlay_channel()
        answer = await beneath.queue_declare(name, passive=True)
    return Depth(messages=answer.message_count or 0, consumers=answer.consumer_count or 0)


async def _open_channel(opened: AbstractConnection, *, confirms: bool = False) -> AbstractChannel:
    channel = opened.channel(publisher_confirms=confirms, on_return_raises=confirms)
    try:
        async with asyncio.timeout(DECLARE_SECONDS):
            await channel.initialize()
    except _FAULTS as fault:
        raise BrokerAway(f"no channel: {_word(fault)}") from fault
    return channel


def _key_of(message: AbstractIncomingMessage) -> str:
    """The routing key that a message was published with: where the broker gave up on it, by the note that it left."""
    match message.headers.get("x-death"):
        case [*_, {"routing-keys": [bytes() | str() as first, *_]}]:
            return first.decode() if isinstance(first, bytes) else first
    return message.routing_key or ""


def _word(fault: BaseException | None) -> str:
    """What a fault says, or its class for one that says nothing (a timeout)."""
    return (str(fault) if fault is not None else "") or type(fault).__name__
