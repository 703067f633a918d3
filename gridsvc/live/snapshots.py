"""Whole snapshots of the feed, built once for all who may see the same."""

from __future__ import annotations

import asyncio
import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
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
    """The latest snapshot of each scope, as long as it is new enough for whoever asks."""

    def __init__(self, pool: ConnPool, most_bytes: int = MOST_KEPT_BYTES) -> None:
        self._pool = pool
        self._most_bytes = most_bytes
        self._kept: OrderedDict[frozenset[str], Built] = OrderedDict()
        self._turns: dict[frozenset[str], asyncio.Lock] = {}
        self.built = 0

    async def get(self, caller: Caller, least: Position) -> Built:
        """All that `caller` may see, not older than `least`. Who asks while one is being built waits for it."""
        keys = watch_keys(caller)
        kept = self._new_enough(keys, least)
        if kept is not None:
            return kept
        turn = self._turns.setdefault(keys, asyncio.Lock())
        async with turn:
            kept = self._new_enough(keys, least) or await self._build(caller, keys)
            self._keep(keys, kept)
        if not turn.locked():
            self._turns.pop(keys, None)
        return kept

    def _new_enough(self, keys: frozenset[str], least: Position) -> Built | None:
        kept = self._kept.get(keys)
        return kept if kept is not None and kept.epoch == least.epoch and kept.seq >= least.seq else None

    async def _build(self, caller: Caller, keys: frozenset[str]) -> Built:
        async with transaction(self._pool, scope_keys(caller), snapshot=True) as (conn, now):
            found = await live.snapshot(conn, keys, now)
        self.built += 1
        return await asyncio.to_thread(_written, found, keys)

    def _keep(self, keys: frozenset[str], built: Built) -> None:
        self._kept[keys] = built
        self._kept.move_to_end(keys)
        while len(self._kept) > 1 and sum(each.size for each in self._kept.values()) > self._most_bytes:
            self._kept.popitem(last=False)


def _written(found: Snapshot, keys: frozenset[str]) -> Built:
    at = found.position
    head = msgspec.json.encode({"epoch": at.epoch, "seq": at.seq, "at": at.at})[:-1]
    lists = b"".join(
        b',"%s":[%s]' % (name, _joined(bodies))
        for name, bodies in ((b"cases", found.cases), (b"officers", found.officers), (b"cameras", found.cameras))
    )
    plain = head + lists + b"}"
    who = hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:12]
    # Weak: what is committed and has no number yet may be in one of two that are named alike, and comes as a delta.
    return Built(at.epoch, at.seq, f'W/"{at.epoch}:{at.seq}:{who}"', plain, gzip.compress(plain, GZIP_LEVEL))


def _joined(bodies: Sequence[str]) -> bytes:
    return ",".join(bodies).encode()
