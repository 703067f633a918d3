"""One delta of the feed, written once for all who hear it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Final

import msgspec

from gridsvc.store.live import LogRow

LAST_VALUE_WINS: Final = frozenset({"officer", "camera"})
"""Kinds of which a watcher that is behind needs the newest only. A case is told in the order of its versions."""


@dataclass(frozen=True, slots=True)
class Frame:
    """One message as it goes out: JSON, the number that whoever has it may resume from, and what it takes the place of.

    `replaces`: of two frames with the same, a watcher needs the later one only. `seq` None: nothing to resume from.
    """

    text: bytes
    seq: int | None = None
    replaces: tuple[str, str] | None = None

    def event(self, epoch: str) -> bytes:
        """The same as a server-sent event."""
        named = b"" if self.seq is None else b"id: %s:%d\n" % (epoch.encode(), self.seq)
        return named + b"data: " + self.text + b"\n\n"


class Delta:
    """One row of the log, and the frames that its hearers get: as it is, or gone.

    Thousands are held for as long as somebody may come back. Each is one object for the collector of garbage
    (slots, key sets shared): when each was eight, a walk over 20,000 of them held all requests up for 50 to
    115 ms every second or two.
    """

    __slots__ = ("_body", "_frame", "_gone", "areas", "at", "keys", "kind", "ref", "seq", "was_areas", "was_keys")

    def __init__(self, row: LogRow) -> None:
        self.seq = row.seq
        self.kind = row.kind
        self.ref = row.ref
        self.at = row.at
        self.keys = _shared(tuple(row.keys))
        self.areas = _shared(tuple(row.areas))
        self.was_keys = _shared(tuple(row.was_keys))
        self.was_areas = _shared(tuple(row.was_areas))
        body = row.body or "null"
        # A line break would end a server-sent event; PostgreSQL writes none within JSON of json_build_object.
        self._body = body.replace("\n", " ").encode()
        self._frame: Frame | None = None
        self._gone: Frame | None = None

    @property
    def size(self) -> int:
        """Bytes that it holds in memory, roughly: the text, and the keys."""
        return len(self._body) + 64 * (len(self.keys) + len(self.was_keys)) + 500

    @property
    def frame(self) -> Frame:
        """What whoever sees it hears."""
        if self._frame is None:
            head = b'{"type":"%s","seq":%d,"at":%s,"%s":' % (
                self.kind.encode(), self.seq, msgspec.json.encode(self.at), self.kind.encode()
            )  # fmt: skip
            self._frame = Frame(head + self._body + b"}", self.seq, self._replaces)
        return self._frame

    @property
    def gone(self) -> Frame:
        """What whoever saw it, and sees it no more, hears."""
        if self._gone is None:
            told = {"type": "gone", "seq": self.seq, "at": self.at, "kind": self.kind, "id": self.ref}
            self._gone = Frame(msgspec.json.encode(told), self.seq, self._replaces)
        return self._gone

    @property
    def _replaces(self) -> tuple[str, str] | None:
        return (self.kind, self.ref) if self.kind in LAST_VALUE_WINS else None


@lru_cache(maxsize=8_192)
def _shared(keys: tuple[str, ...]) -> frozenset[str]:
    """One set for all deltas of the same cell, street or officer."""
    return frozenset(keys)


def position_frame(epoch: str, seq: int, at: datetime, *, recovered: bool) -> Frame:
    """From which number on deltas follow, and whether nothing is missing before it."""
    text = msgspec.json.encode({"type": "position", "epoch": epoch, "seq": seq, "recovered": recovered, "at": at})
    return Frame(text, seq)


def heartbeat_frame(seq: int, at: datetime, age_s: float) -> Frame:
    """Everything up to `seq` has been told. `at`: when the database was last looked at, `age_s` ago."""
    text = msgspec.json.encode({"type": "heartbeat", "seq": seq, "at": at, "age_s": round(age_s, 3)})
    return Frame(text, seq, ("heartbeat", ""))


def resync_frame(reason: str) -> Frame:
    """What you hold cannot be brought up to date: load the snapshot anew."""
    return Frame(msgspec.json.encode({"type": "resync", "reason": reason}))
