"""From a report to the officer's open socket: the load generator and the officers' devices in one process.

Reads a `SocketOrder` from standard input and writes what was seen to standard output. A latency counts
from the moment the report was meant to be sent to the moment the notice of the assignment has arrived.
"""

from __future__ import annotations

import asyncio
import json
import resource
import sys
import time
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass
from typing import Any, Final

import aiohttp
import uvloop

from bench.load import Crew, Order, Seen

_LAST_NOTICE_S: Final = 15.0  # how long notices are waited for after the last report


@dataclass(frozen=True)
class SocketOrder:
    """The reports to send, and the access tokens of the officers whose sockets are open meanwhile."""

    reports: dict[str, Any]
    devices: list[str]


@dataclass(frozen=True)
class SocketSeen:
    """What the generator saw, and the notices: latencies in milliseconds, how many never came."""

    reports: Seen
    to_socket_ms: list[float]
    missing: int
    sockets: int


class _Devices:
    """Every officer's open socket, and when each assignment was first told."""

    def __init__(self) -> None:
        self.meant_at: dict[str, float] = {}
        self.told_at: dict[str, float] = {}

    def filed(self, meant_at: float, answer: bytes) -> None:
        """Remember when the report of this case was meant to be sent."""
        at = answer.find(b'"case":{"id":"') + 14
        self.meant_at[answer[at : at + 36].decode()] = meant_at

    async def listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        async for message in socket:
            now = time.monotonic()
            notice = json.loads(message.data)
            if notice.get("kind") == "case.assigned":
                self.told_at.setdefault(notice["case_id"], now)
                await socket.send_json({"type": "ack", "seqs": [notice["seq"]]})

    def missing(self) -> int:
        return sum(case not in self.told_at for case in self.meant_at)


async def run(order: SocketOrder) -> SocketSeen:
    """Open the sockets, send the reports, wait for the notices."""
    reports, devices = Order(**order.reports), _Devices()
    url = f"http://127.0.0.1:{reports.port}/api/v1/me/notices"
    crew = Crew(reports, hear=devices.filed)
    async with AsyncExitStack() as stack:
        session = await stack.enter_async_context(
            aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0), cookie_jar=aiohttp.DummyCookieJar())
        )
        sockets = [
            await stack.enter_async_context(session.ws_connect(url, headers={"Authorization": f"Bearer {token}"}))
            for token in order.devices
        ]
        listening = [asyncio.create_task(devices.listen(socket)) for socket in sockets]
        seen = await crew.run()
        deadline = time.monotonic() + _LAST_NOTICE_S
        while devices.missing() and time.monotonic() < deadline:  # noqa: ASYNC110 - another process's doing
            await asyncio.sleep(0.05)
        for task in listening:
            task.cancel()
    arrived = [(devices.told_at[case] - at) * 1000 for case, at in devices.meant_at.items() if case in devices.told_at]
    return SocketSeen(seen, arrived, devices.missing(), len(sockets))


def main() -> None:
    """Read an order from standard input, write what was seen to standard output."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (4096, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    order = SocketOrder(**json.load(sys.stdin))
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        json.dump(asdict(runner.run(run(order))), sys.stdout)


if __name__ == "__main__":
    main()
