"""The notices of everybody who is connected to this process: one reading per wake, whoever many they are.

PostgreSQL's NOTIFY wakes the board at once and may be lost; every POLL_S it looks by itself. Rows carry
the truth: what is not acknowledged is shown again to the next socket.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import asyncpg

from gridsvc.api.problems import is_away
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.live.signed_out import end_signed_out
from gridsvc.outlive import outlive
from gridsvc.store import notices, open_sockets
from gridsvc.store.notices import CHANNEL
from gridsvc.store.open_sockets import Waiting
from gridsvc.together import Pace, Together

log = logging.getLogger(__name__)

POLL_S: Final = 2.0  # what a lost hint costs at most
CHECK_S: Final = 10.0  # how soon after its end a session's socket is closed
ACKED_TOGETHER: Final = 64  # devices whose acknowledgements share a transaction
PACE_S: Final = 0.02  # between two readings, and between two such transactions; the first after a rest is at once
RETRY_S: Final = 1.0  # between attempts to listen; the poll carries meanwhile
PAGE: Final = 200
MOST_QUEUED: Final = 256  # notices that a slow client may leave in our memory, about 1 kB each

SETTLED: Final = timedelta(seconds=120)
"""No transaction stays open that long (gridsvc/db.py). Numbers are taken before the commit, so a lower one may
appear after a higher one; below the highest number that is this old, none appears any more."""


class Seat:
    """One open socket: what it has been given, and what waits to be sent. `over` says why it must be closed."""

    def __init__(self, user_id: UUID, session_id: UUID, token_ends: float | None) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.token_ends = token_ends  # seconds since the epoch by the city's clock; None for a cookie
        self.queue: asyncio.Queue[Waiting | None] = asyncio.Queue()
        self.over: str | None = None
        self.floor = 0
        self._given: set[int] = set()

    def new_to_it(self, page: Sequence[Waiting], now: datetime) -> list[Waiting]:
        """Those of `page` that this socket has not been given before; they count as given from here on."""
        fresh = [notice for notice in page if notice.seq > self.floor and notice.seq not in self._given]
        self._given.update(notice.seq for notice in fresh)
        self.floor = max([self.floor, *(notice.seq for notice in page if notice.created_at < now - SETTLED)])
        self._given = {seq for seq in self._given if seq > self.floor}
        return fresh

    def give(self, page: Sequence[Waiting], now: datetime) -> None:
        """Queue what is new to this socket; a queue that grows too long ends it."""
        for notice in self.new_to_it(page, now):
            self.queue.put_nowait(notice)
        if self.queue.qsize() > MOST_QUEUED:
            self.end("slow")

    def end(self, why: str) -> None:
        """Ask the socket's writer to close: slow, signed_out, going_away."""
        if self.over is None:
            self.over = why
            self.queue.put_nowait(None)


class NoticeBoard:
    """Every seat of this process. `run` must run while seats are taken."""

    def __init__(self, pool: ConnPool, database_url: str, *, poll_s: float = POLL_S, check_s: float = CHECK_S) -> None:
        self._pool = pool
        self._database_url = database_url
        self._poll_s = poll_s
        self._check_s = check_s
        self._seats: dict[UUID, set[Seat]] = {}
        self._hinted: set[UUID] = set()
        self._woken = asyncio.Event()
        self._closing = False
        self._pace = Pace(PACE_S)
        self.acknowledge = Together(self._acknowledge, ACKED_TOGETHER, PACE_S)
        """Keep that a device has these notices (user, seq); what is acknowledged meanwhile shares the transaction."""

    async def backlog(self, seat: Seat) -> AsyncIterator[Waiting]:
        """Everything that waits for the person of `seat`, oldest first, read page by page as it is sent."""
        after: int | None = 0
        while after is not None:
            async with transaction(self._pool, SERVICE) as (conn, now):
                page = await open_sockets.waiting(conn, {seat.user_id: after}, PAGE)
            for notice in seat.new_to_it(page, now):
                yield notice
            after = page[-1].seq if len(page) == PAGE else None

    @asynccontextmanager
    async def taken(self, seat: Seat) -> AsyncIterator[None]:
        """While this lasts, `seat` is given what comes, and what came since its backlog was read."""
        self._seats.setdefault(seat.user_id, set()).add(seat)
        self._wake({seat.user_id})
        if self._closing:
            seat.end("going_away")
        try:
            yield
        finally:
            self._seats[seat.user_id].discard(seat)
            if not self._seats[seat.user_id]:
                del self._seats[seat.user_id]

    async def _acknowledge(self, devices: Sequence[Sequence[tuple[UUID, int]]]) -> None:
        async with transaction(self._pool, SERVICE) as (conn, now):
            await notices.acknowledge(conn, [notice for had in devices for notice in had], now)

    def dismiss(self) -> None:
        """End every seat: the process stops."""
        self._closing = True
        for seat in self._all():
            seat.end("going_away")

    async def run(self) -> None:
        """Look for notices on every hint and every `poll_s`, and for ended sessions every `check_s`, for ever."""
        async with asyncio.TaskGroup() as group:
            group.create_task(self._hear_hints(), name="notice hints")
            group.create_task(self._look_for_ever(), name="notices")
            group.create_task(self._check_for_ever(), name="sessions of sockets")

    def _all(self) -> list[Seat]:
        return [seat for seats in self._seats.values() for seat in seats]

    def _wake(self, users: set[UUID]) -> None:
        self._hinted |= users
        self._woken.set()

    async def _look_for_ever(self) -> None:
        while True:
            try:
                async with asyncio.timeout(self._poll_s):
                    await self._woken.wait()
                await self._pace.turn()
                users = self._hinted & self._seats.keys()
            except TimeoutError:
                users = set(self._seats)
            self._woken.clear()
            self._hinted = set()
            if users:
                await _survive(self._look(users))

    async def _look(self, users: set[UUID]) -> None:
        """Give each seat of `users` what is new to it; one reading per page for all of them."""
        after = {user: min(seat.floor for seat in self._seats[user]) for user in users}
        while after:
            async with transaction(self._pool, SERVICE) as (conn, now):
                found = await open_sockets.waiting(conn, after, PAGE)
            pages: dict[UUID, list[Waiting]] = {}
            for notice in found:
                pages.setdefault(notice.user_id, []).append(notice)
            for user, page in pages.items():
                for seat in self._seats.get(user, ()):
                    seat.give(page, now)
            log.debug("notices were read for open sockets", extra={"action": "notices_pushed", "notices": len(found)})
            after = {user: page[-1].seq for user, page in pages.items() if len(page) == PAGE}

    async def _check_for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._check_s)
            if self._seats:
                await _survive(self.look_at_sessions())

    async def look_at_sessions(self) -> None:
        """End the seats whose session or token has ended."""
        await end_signed_out(self._pool, self._all())  # whoever sits down meanwhile was not asked about

    async def _hear_hints(self) -> None:
        while True:
            await _survive(self._listen())
            await asyncio.sleep(RETRY_S)

    async def _listen(self) -> None:
        """Hear hints until the connection is lost."""
        lost = asyncio.Event()
        conn = await asyncpg.connect(self._database_url, timeout=10, server_settings=_NAME)
        try:
            conn.add_termination_listener(lambda _: lost.set())
            await conn.add_listener(CHANNEL, self._hint)
            self._wake(set(self._seats))  # whatever was hinted while nobody listened
            await lost.wait()
        finally:
            await conn.close(timeout=2)

    def _hint(self, _conn: object, _pid: int, _channel: str, payload: object) -> None:
        self._wake({UUID(user) for user in str(payload).split(",")})


_NAME: Final = {"application_name": "gridsvc web notices"}


async def _survive(work: Awaitable[None]) -> None:
    """Await one round of a loop that must go on whatever one round meets."""
    try:
        await work
    except Exception as fault:
        outlive(fault)
        action = "database_lost" if is_away(fault) else "round_failed"
        log.warning("a look for notices failed", extra={"action": action}, exc_info=not is_away(fault))
