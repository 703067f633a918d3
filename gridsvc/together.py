"""What waits together is done in one go: the price of a round trip is paid once for all of it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Waiting(Generic[T]):
    """One thing that wants to be done, and what became of it."""

    thing: T
    done: asyncio.Future[None]


class Together(Generic[T]):
    """Does things of many callers in batches of at most `most`, one batch at a time.

    Nothing is held back to make a batch fuller: what comes while one is under way goes into the next.
    `do` does all of a batch or nothing of it; where it fails, the things are done one by one, so that
    one that cannot be done does not spoil the others.
    """

    def __init__(self, do: Callable[[Sequence[T]], Awaitable[object]], most: int) -> None:
        self._do = do
        self._most = most
        self._waiting: deque[_Waiting[T]] = deque()
        self._turn = asyncio.Lock()

    async def __call__(self, thing: T) -> None:
        """Return when `thing` has been done. Raises what doing it raised."""
        waiting = _Waiting(thing, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            async with self._turn:
                if not waiting.done.done():
                    await self._settle([self._waiting.popleft() for _ in range(min(self._most, len(self._waiting)))])
            await waiting.done
        finally:
            if waiting in self._waiting:  # its caller went away before its turn
                self._waiting.remove(waiting)

    async def _settle(self, batch: Sequence[_Waiting[T]]) -> None:
        try:
            await self._do([each.thing for each in batch])
        except Exception as error:
            if len(batch) == 1:
                _answer(batch[0], error)
                return
            for each in batch:
                await self._settle([each])
        except BaseException:  # cancelled in the middle: nobody in the batch knows what became of it
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
