"""What waits together is done in one go: the price of a round trip is paid once for all of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


class Pace:
    """When the next batch may begin: at once after a rest or with a full hand, else `seconds` after the last began.

    Whoever comes alone never waits for it. At a hundred a second and more it gathers what would otherwise
    be a transaction each, and a transaction costs the same whatever it carries (docs/decisions/0037).
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._next_at = float("-inf")
        self._enough = asyncio.Event()

    def wait_s(self, now: float) -> float:
        """How long the pace asks to wait at `now` (seconds, any origin)."""
        return max(0.0, self._next_at - now)

    def begun(self, now: float) -> None:
        """A batch begins at `now`."""
        self._next_at = now + self._seconds

    def enough(self) -> None:
        """A full hand waits: the turn that is waited for, or the next one, comes at once."""
        self._enough.set()

    async def turn(self) -> None:
        """Wait for the next turn and take it."""
        clock = asyncio.get_running_loop().time
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.wait_s(clock())):
                await self._enough.wait()
        self._enough.clear()
        self.begun(clock())


@dataclass(frozen=True, eq=False)
class _Waiting(Generic[T]):
    """One thing that wants to be done, and what became of it."""

    thing: T
    done: asyncio.Future[None]


class Together(Generic[T]):
    """Does things of many callers in batches of at most `most`, one batch at a time, at its `pace`.

    Where things differ in size, `weigh` says how much of `most` each takes; a thing that is larger goes alone.
    What comes while one batch is under way goes into the next; a full batch waits for no pace. `do` does
    all of a batch or nothing of it; where it fails, the things are done one by one, so that one that
    cannot be done does not spoil the others. A batch is a task of its own: a caller that goes away takes
    nobody with it.
    """

    def __init__(
        self,
        do: Callable[[Sequence[T]], Awaitable[object]],
        most: int,
        pace_s: float,
        weigh: Callable[[T], int] = lambda _: 1,
    ) -> None:
        self._do = do
        self._most = most
        self._weigh = weigh
        self._pace = Pace(pace_s)
        self._waiting: deque[_Waiting[T]] = deque()
        self._weight = 0  # of all that waits
        self._at_work: asyncio.Task[None] | None = None

    async def __call__(self, thing: T) -> None:
        """Return when `thing` has been done. Raises what doing it raised.

        Cancelled before its turn, it is not done; in the middle of its batch, it is.
        """
        waiting = _Waiting(thing, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        self._weight += self._weigh(thing)
        if self._weight >= self._most:
            self._pace.enough()
        if self._at_work is None or self._at_work.done():
            self._at_work = asyncio.create_task(self._work(), name="together")
        await waiting.done

    async def _work(self) -> None:
        while self._waiting:
            if self._weight >= self._most:
                self._pace.enough()
            await self._pace.turn()
            await self._settle([each for each in self._hand() if not each.done.done()])  # the others' callers have gone

    def _hand(self) -> list[_Waiting[T]]:
        """What came first, as much as fits, and one thing at least."""
        hand = [self._waiting.popleft()]
        weight = self._weigh(hand[0].thing)
        while self._waiting and weight + self._weigh(self._waiting[0].thing) <= self._most:
            hand.append(self._waiting.popleft())
            weight += self._weigh(hand[-1].thing)
        self._weight -= weight
        return hand

    async def _settle(self, batch: Sequence[_Waiting[T]]) -> None:
        if not batch:
            return
        try:
            await self._do([each.thing for each in batch])
        except Exception as error:
            if len(batch) == 1:
                _answer(batch[0], error)
                return
            for each in batch:
                await self._settle([each])
        except BaseException:  # the process ends: nobody in the batch knows what became of it
            for each in batch:
                each.done.cancel()
            raise
        else:
            for each in batch:
                _answer(each, None)


def _answer(waiting: _Waiting[T], error: Exception | None) -> None:
    if waiting.done.done():  # nobody waits for it any more
        return
    if error is None:
        waiting.done.set_result(None)
    else:
        waiting.done.set_exception(error)
