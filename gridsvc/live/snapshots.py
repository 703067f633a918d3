"""Whole snapshots of the feed, built once for all who may see the same."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import msgspec

from gridsvc.db import ConnPool, transaction
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.domain.live import watch_keys
from gridsvc.store import live
from gridsvc.store.live import Position, Snapshot

MOST_KEPT_BYTES: Final = 67_108_864
GZIP_LEVEL: Final = 1


@dataclass(frozen=True)
class Built:
    """A snapshot as it is sent."""

    epoch: str
    seq: int
    tag: str
    plain: bytes
    packed: bytes

    @property
    def size(self) -> int:
        """Bytes in memory."""
        return len(self.plain) + len(self.packed)


class Snapshots:
    """The latest snapshot of each area, as long as it is new enough for whoever asks.

    What somebody sees by his grants is the same for all who have them, and is built once. What he sees besides, because
    it is his or he reported it, is read for him and put behind it: it may be newer, and comes as deltas too.
    """

    def __init__(self, pool: ConnPool, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._pool = pool
        self._most_bytes = most_bytes
        self._kept: OrderedDict[frozenset[str], Built] = OrderedDict()
        self._turns: dict[frozenset[str], asyncio.Lock] = {}
        self.built = 0

    async def get(self, caller: Caller, least: Position) -> Built:
        """All that `caller` may see, not older than `least`. Who asks while it is being built waits for it."""
        keys = watch_keys(caller) - {caller.id}
        built = self._new_enough(keys, least)
        if built is None:
            turn = self._turns.setdefault(keys, asyncio.Lock())
            async with turn:
                built = self._new_enough(keys, least) or await self._build(caller, keys)
            if not turn.locked():
                self._turns.pop(keys, None)
        async with transaction(self._pool, [caller.id], snapshot=True) as (conn, now):
            own = await live.cases_of_ones_own(conn, caller.id, keys, now)
        return await asyncio.to_thread(_with, built, own) if own else built

    def _new_enough(self, keys: frozenset[str], least: Position) -> Built | None:
        kept = self._kept.get(keys)
        return kept if kept is not None and kept.epoch == least.epoch and kept.seq >= least.seq else None

    async def _build(self, caller: Caller, keys: frozenset[str]) -> Built:
        scope = [key for key in scope_keys(caller) if key != caller.id]
        async with transaction(self._pool, scope, snapshot=True) as (conn, now):
            found = await live.snapshot(conn, keys, now)
        self.built += 1
        built = await asyncio.to_thread(_written, found, keys)
        self._kept[keys] = built
        self._kept.move_to_end(keys)
        while len(self._kept) > 1 and sum(each.size for each in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)
        return built


def _written(found: Snapshot, keys: frozenset[str]) -> Built:
    at = found.position
    head = msgspec.json.encode({"epoch": at.epoch, "seq": at.seq, "at": at.at})[:-1]
    lists = b"".join(
        b',"%s":[%s]' % (name, _joined(bodies))
        for name, bodies in ((b"officers", found.officers), (b"cameras", found.cameras), (b"cases", found.cases))
    )
    plain = head + lists + b"}"
    # Weak: what is committed and has no number yet may be in one of two that are named alike, and comes as a delta.
    return Built(at.epoch, at.seq, f'W/"{at.epoch}:{at.seq}:{_digest(keys)}"', plain, gzip.compress(plain, GZIP_LEVEL))


def _with(built: Built, own: Sequence[str]) -> Built:
    """The same with further cases, behind the others."""
    begun = built.plain.removesuffix(b"]}")
    plain = begun + (b"" if begun.endswith(b"[") else b",") + _joined(own) + b"]}"
    tag = f'{built.tag.removesuffix(chr(34))}:{_digest(own)}"'
    return Built(built.epoch, built.seq, tag, plain, gzip.compress(plain, GZIP_LEVEL))


def _digest(texts: Iterable[str]) -> str:
    return hashlib.sha256("\n".join(sorted(texts)).encode()).hexdigest()[:12]


def _joined(bodies: Sequence[str]) -> bytes:
    return ",".join(bodies).encode()
