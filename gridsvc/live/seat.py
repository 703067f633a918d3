"""One watcher of the feed: what he may see, what he has asked for, and what waits to be sent to him."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection
from typing import Final
from uuid import UUID

from gridsvc.domain.live import View
from gridsvc.live.delta import Frame, resync_frame

FRAME_BYTES: Final = 100  # of a queued frame beside its text, which all watchers share

TAKEN_AT_ONCE: Final = 65_536
"""Bytes on their way to a connection. What is taken is sent; what still waits can be replaced, or dropped."""


class Seat:
    """What waits for one watcher, bounded. One writer takes it; the feed gives and never waits.

    `over` says why it must be closed.
    """

    def __init__(self, user_id: UUID, session_id: UUID, token_ends: float | None, view: View, most_bytes: int) -> None:
        self.user_id = user_id
        self.session_id = session_id
        self.token_ends = token_ends  # seconds since the epoch by the city's clock; None for a cookie
        self.view = view
        self.over: str | None = None
        self._most_bytes = most_bytes
        self._waiting: OrderedDict[tuple[str, str] | int, Frame] = OrderedDict()
        self._bytes = 0
        self._given = 0
        self._woken = asyncio.Event()

    @property
    def waiting_bytes(self) -> int:
        """How much waits to be sent."""
        return self._bytes

    def give(self, frame: Frame) -> bool:
        """Queue a frame at the end; one that it replaces is taken out. False: he is too slow, and must resync."""
        key = frame.replaces or self._next()
        before = self._waiting.pop(key, None)
        if before is not None:
            self._bytes -= len(before.text) + FRAME_BYTES
        self._waiting[key] = frame
        self._bytes += len(frame.text) + FRAME_BYTES
        self._woken.set()
        if self._bytes <= self._most_bytes:
            return True
        self.start_over("slow")
        return False

    def start_over(self, reason: str, *then: Frame) -> None:
        """Drop what waits: he is told to load the snapshot anew, and then what comes."""
        self._waiting.clear()
        self._bytes = 0
        for frame in (resync_frame(reason), *then):
            self._waiting[self._next()] = frame
            self._bytes += len(frame.text) + FRAME_BYTES
        self._woken.set()

    def end(self, why: str) -> None:
        """Ask the writer to close: signed_out, going_away."""
        if self.over is None:
            self.over = why
            self._woken.set()

    async def take(self) -> Collection[Frame]:
        """What waits, in order, as soon as there is something, some of it if it is much; nothing when it is over."""
        while not self._waiting and self.over is None:
            self._woken.clear()
            await self._woken.wait()
        if self.over is not None:
            return ()
        if self._bytes <= TAKEN_AT_ONCE:
            taken = self._waiting.values()
            self._waiting, self._bytes = OrderedDict(), 0
            return taken
        some: list[Frame] = []
        size = 0
        while size < TAKEN_AT_ONCE:
            some.append(self._waiting.popitem(last=False)[1])
            size += len(some[-1].text) + FRAME_BYTES
        self._bytes -= size
        return some

    def _next(self) -> int:
        self._given += 1
        return self._given
