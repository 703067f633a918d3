"""Tiles that were made once: kept packed, by bytes, the least used go first; what many ask for is made once."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

LOOK_S: Final = 0.1  # how soon it is seen that a client has gone

_OVERHEAD: Final = 400  # bytes of key and record beside the tile's own
_PACK_ASIDE: Final = 65_536  # packing more than this takes some ms: the event loop goes on meanwhile


@dataclass(frozen=True, slots=True)
class TileKey:
    """What makes two requests the same. `scope` is empty where everybody who is signed in sees the same."""

    layer: str
    z: int
    x: int
    y: int
    scope: str
    version: str


@dataclass(frozen=True, slots=True)
class Kept:
    """A tile as it is kept: packed by gzip, with the hash of what is in it. Empty: nothing is drawn."""

    packed: bytes
    digest: str

    def plain(self) -> bytes:
        """The tile as it was made."""
        return gzip.decompress(self.packed) if self.packed else b""


class ClientGone(Exception):
    """Who asked has gone before the tile was there."""


@dataclass(eq=False)
class _Flight:
    """A tile that is being made, and how many wait for it."""

    task: asyncio.Task[Kept]
    waiting: int = 0


@dataclass(eq=False)
class TileCache:
    """The tiles of this process. `most_bytes` bounds what is kept, not what is being made."""

    most_bytes: int
    held: int = 0
    _kept: OrderedDict[TileKey, Kept] = field(default_factory=OrderedDict)
    _flights: dict[TileKey, _Flight] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self._kept)

    def waiting(self) -> dict[TileKey, int]:
        """What is being made, and how many wait for each."""
        return {key: flight.waiting for key, flight in self._flights.items()}

    def known(self, key: TileKey) -> Kept | None:
        """The tile, if it is kept; it counts as used."""
        kept = self._kept.get(key)
        if kept is not None:
            self._kept.move_to_end(key)
        return kept

    async def made(
        self, key: TileKey, make: Callable[[], Awaitable[bytes]], gone: Callable[[], bool]
    ) -> tuple[Kept, bool]:
        """The tile, made now, and whether it was made for this caller rather than for one before.

        Whoever asks while it is made waits for that one. When the last of them is `gone`, making it is cancelled,
        the statement in the database with it. Raises ClientGone, and what `make` raises.
        """
        flight = self._flights.get(key)
        first = flight is None
        if flight is None:
            flight = self._flights[key] = _Flight(asyncio.create_task(self._make(key, make), name="tile"))
        flight.waiting += 1
        try:
            while not flight.task.done():
                await asyncio.wait({flight.task}, timeout=LOOK_S)
                if gone() and not flight.task.done():
                    raise ClientGone
            return flight.task.result(), first
        finally:
            flight.waiting -= 1
            if not flight.waiting and not flight.task.done():
                self._land(key, flight)  # who asks next begins anew
                flight.task.cancel()

    async def _make(self, key: TileKey, make: Callable[[], Awaitable[bytes]]) -> Kept:
        try:
            body = await make()
            kept = await asyncio.to_thread(pack, body) if len(body) > _PACK_ASIDE else pack(body)
            self._keep(key, kept)
            return kept
        finally:
            flight = self._flights.get(key)
            if flight is not None and flight.task is asyncio.current_task():
                self._land(key, flight)

    def _land(self, key: TileKey, flight: _Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _keep(self, key: TileKey, kept: Kept) -> None:
        self._drop(key)
        if _size(kept) > self.most_bytes:
            return
        self._kept[key] = kept
        self.held += _size(kept)
        while self.held > self.most_bytes:
            self._drop(next(iter(self._kept)))

    def _drop(self, key: TileKey) -> None:
        kept = self._kept.pop(key, None)
        if kept is not None:
            self.held -= _size(kept)

    def forget(self, layer: str) -> None:
        """Drop what is kept of a layer: its version has changed, and nobody asks for these any more."""
        for key in [key for key in self._kept if key.layer == layer]:
            self._drop(key)


def pack(body: bytes) -> Kept:
    """A tile ready to be kept; the same bytes give the same digest."""
    if not body:
        return Kept(b"", "")
    return Kept(gzip.compress(body, 5, mtime=0), hashlib.sha256(body).hexdigest()[:32])


def _size(kept: Kept) -> int:
    return len(kept.packed) + _OVERHEAD
