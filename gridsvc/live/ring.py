"""The last deltas of the feed in memory, so that whoever comes back is told what he missed without the database."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import islice

from gridsvc.live.delta import Delta


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much is remembered: whichever bound is met first."""

    deltas: int
    size: int  # bytes
    seconds: float


class Ring:
    """Deltas in the order of their numbers, without a gap, of one epoch."""

    def __init__(self, bounds: Bounds) -> None:
        self._bounds = bounds
        self._deltas: deque[Delta] = deque()
        self._ticks: deque[float] = deque()  # when each came; beside them, since a pair is an object more to be walked
        self.size = 0
        self.head = 0

    def __len__(self) -> int:
        return len(self._deltas)

    def begin(self, head: int) -> None:
        """Forget everything; the next delta is the one after `head`."""
        self._deltas.clear()
        self._ticks.clear()
        self.size = 0
        self.head = head

    def add(self, delta: Delta, ticks: float) -> None:
        """Remember the next delta; `ticks` are seconds of any origin. Raises ValueError where it is not the next."""
        if delta.seq != self.head + 1:
            raise ValueError(f"delta {delta.seq} does not follow {self.head}")
        self._deltas.append(delta)
        self._ticks.append(ticks)
        self.size += delta.size
        self.head = delta.seq
        self.forget_old(ticks)

    def forget_old(self, ticks: float) -> None:
        """Drop what is beyond the bounds at `ticks`."""
        deltas, bounds = self._deltas, self._bounds
        while deltas and (
            len(deltas) > bounds.deltas or self.size > bounds.size or self._ticks[0] < ticks - bounds.seconds
        ):
            self._ticks.popleft()
            self.size -= deltas.popleft().size

    def since(self, seq: int) -> list[Delta] | None:
        """All that came after `seq`, in order; None unless every one of them is remembered."""
        missing = self.head - seq
        if missing < 0 or missing > len(self._deltas):
            return None
        return list(islice(self._deltas, len(self._deltas) - missing, None))
