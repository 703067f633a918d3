"""The load generator: raw HTTP/1.1 in a process of its own, closed loop or open loop, and what it saw.

Requests are prebuilt but for their place and key, answers are cut by their length and not parsed, so
that the generator costs as little of the shared CPU as it can. In the open loop a latency counts from
the moment a request was meant to be sent, not from when a connection was free for it.
"""

from __future__ import annotations

import asyncio
import json
import random
import resource
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from typing import Final, cast
from uuid import uuid4

import uvloop

_TICK_S: Final = 0.001  # how often the open loop looks what is due
_DRAIN_S: Final = 10.0  # how long the last answers are waited for


@dataclass(frozen=True, kw_only=True)
class Order:
    """What to send: with `rate` (per second) an open loop over `connections`, without it a closed loop of that many.

    The first `warm_up_s` seconds are sent and not counted.
    """

    port: int
    tokens: Sequence[str]
    categories: Sequence[str]
    box: tuple[float, float, float, float]  # west, south, east, north: places are drawn inside
    seconds: float
    connections: int
    rate: float | None = None
    warm_up_s: float = 1.0


@dataclass(kw_only=True)
class Seen:
    """What came back. Latencies are in milliseconds; `cpu_s` is the generator's own time over `wall_s`."""

    statuses: dict[str, int] = field(default_factory=dict)
    acknowledged_in_time: int = 0  # 201 before the run's end: what counts as a rate
    latencies_ms: list[float] = field(default_factory=list)
    sent: int = 0
    unanswered: int = 0
    wall_s: float = 0.0
    cpu_s: float = 0.0
    words: list[str] = field(default_factory=list)  # the first few refusals, as they came


_DESCRIPTION: Final = "小区门口垃圾桶满溢，已影响行人通行，请尽快处理。附近有居民反映多次，照片已拍。"


def requests_of(order: Order, seed: int) -> Iterator[bytes]:
    """POST /api/v1/reports, each with a fresh key and a place of its own."""
    rng = random.Random(seed)
    west, south, east, north = order.box
    heads = [
        f"POST /api/v1/reports HTTP/1.1\r\nHost: 127.0.0.1:{order.port}\r\nAuthorization: Bearer {token}\r\n"
        "Content-Type: application/json\r\nIdempotency-Key: ".encode()
        for token in order.tokens
    ]
    words = json.dumps(_DESCRIPTION, ensure_ascii=False)
    bodies = [f'{{"category":"{code}","description":{words},"location":{{"lon":'.encode() for code in order.categories]
    run = uuid4().hex
    number = 0
    while True:
        number += 1
        lon, lat = rng.uniform(west, east), rng.uniform(south, north)
        body = bodies[number % len(bodies)] + b'%.7f,"lat":%.7f,"datum":"wgs84","accuracy_m":8}}' % (lon, lat)
        yield heads[number % len(heads)] + b"%s-%d\r\nContent-Length: %d\r\n\r\n" % (
            run.encode(), number, len(body),
        ) + body  # fmt: skip


class _Line(asyncio.Protocol):
    """One connection with at most one request under way."""

    def __init__(self, crew: Crew) -> None:
        self._crew = crew
        self._buffer = b""
        self._meant_at = 0.0
        self._wanted = 0  # length of the whole answer; 0: its head has not come yet
        self.transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast(asyncio.Transport, transport)  # uvloop's own class is none of asyncio's

    def send(self, request: bytes, meant_at: float) -> None:
        self._meant_at, self._wanted, self._buffer = meant_at, 0, b""
        assert self.transport is not None
        self.transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        if not self._wanted:
            end = self._buffer.find(b"\r\n\r\n")
            if end < 0:
                return
            at = self._buffer.index(b"Content-Length: ") + 16
            self._wanted = end + 4 + int(self._buffer[at : self._buffer.index(b"\r", at)])
        if len(self._buffer) >= self._wanted:
            self._crew.answered(self, self._meant_at, self._buffer)

    def connection_lost(self, error: Exception | None) -> None:
        self._crew.lost(self)


class Crew:
    """All connections, what they are to send, and what they have seen.

    `hear` is told of every answer that counts: when its request was meant to be sent, and its bytes.
    """

    def __init__(
        self, order: Order, seed: int = 1, hear: Callable[[float, bytes], object] = lambda meant_at, answer: None
    ) -> None:
        self._order = order
        self._hear = hear
        self._requests = requests_of(order, seed)
        self._statuses: Counter[str] = Counter()
        self._due: deque[float] = deque()
        self._idle: list[_Line] = []
        self.seen = Seen()
        self.under_way = 0
        self.begin = 0.0
        self.end = 0.0

    async def connect(self) -> None:
        loop = asyncio.get_running_loop()
        for _ in range(self._order.connections):
            _, line = await loop.create_connection(lambda: _Line(self), "127.0.0.1", self._order.port)
            self._idle.append(line)

    def answered(self, line: _Line, meant_at: float, answer: bytes) -> None:
        now = time.monotonic()
        self.under_way -= 1
        if meant_at >= self.begin:
            status = answer[9:12].decode()
            self._statuses[status] += 1
            self.seen.acknowledged_in_time += status == "201" and now <= self.end
            self.seen.latencies_ms.append((now - meant_at) * 1000)
            self._hear(meant_at, answer)
            if status != "201" and len(self.seen.words) < 5:
                self.seen.words.append(answer[-400:].decode(errors="replace"))
        if self._order.rate is None:
            if now < self.end:
                self._send(line, now)
        elif self._due:
            self._send(line, self._due.popleft())
        else:
            self._idle.append(line)

    def lost(self, line: _Line) -> None:
        if line in self._idle:
            self._idle.remove(line)

    def _send(self, line: _Line, meant_at: float) -> None:
        self.under_way += 1
        self.seen.sent += 1
        line.send(next(self._requests), meant_at)

    async def closed_loop(self) -> None:
        for line in self._idle:
            self._send(line, time.monotonic())
        await asyncio.sleep(self.end - time.monotonic())

    async def open_loop(self, rate: float) -> None:
        pause, next_at = 1 / rate, time.monotonic()
        while next_at < self.end:
            now = time.monotonic()
            while next_at <= now:
                if self._idle:
                    self._send(self._idle.pop(), next_at)
                else:
                    self._due.append(next_at)
                next_at += pause
            await asyncio.sleep(_TICK_S)

    async def run(self) -> Seen:
        """Send what the order says and tell what was seen."""
        order = self._order
        await self.connect()
        now, cpu = time.monotonic(), time.process_time()
        self.begin, self.end = now + order.warm_up_s, now + order.warm_up_s + order.seconds
        await (self.closed_loop() if order.rate is None else self.open_loop(order.rate))
        self.seen.wall_s = order.seconds
        await self.drain()
        self.seen.cpu_s = (time.process_time() - cpu) * order.seconds / (order.seconds + order.warm_up_s)
        return self.seen

    async def drain(self) -> None:
        deadline = time.monotonic() + _DRAIN_S
        while (self.under_way or self._due) and time.monotonic() < deadline:  # noqa: ASYNC110 - no callback more
            await asyncio.sleep(0.01)
        self.seen.unanswered = self.under_way + len(self._due)
        self.seen.statuses = dict(self._statuses)


def main() -> None:
    """Read an order from standard input, write what was seen to standard output."""
    order = Order(**json.load(sys.stdin))
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(asdict(runner.run(Crew(order).run())), sys.stdout)


if __name__ == "__main__":
    main()
