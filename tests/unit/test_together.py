"""What waits together is done in one go, and one that cannot be done does not spoil the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gridsvc.together import Together


class Desk:
    """Does numbers; remembers its batches. Negative ones cannot be done. Stands still until `open`."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.batches: list[list[int]] = []

    async def do(self, numbers: Sequence[int]) -> None:
        await self.open.wait()
        self.batches.append(list(numbers))
        if any(number < 0 for number in numbers):
            raise ValueError(f"{min(numbers)} is negative")


async def test_the_first_goes_alone_and_what_came_meanwhile_goes_together() -> None:
    desk = Desk()
    together = Together(desk.do, most=3)
    waiting = [asyncio.create_task(together(number)) for number in range(6)]
    await asyncio.sleep(0)
    desk.open.set()
    await asyncio.gather(*waiting)
    assert sorted(number for batch in desk.batches for number in batch) == list(range(6))
    assert len(desk.batches) < 6
    assert max(len(batch) for batch in desk.batches) <= 3


async def test_one_that_cannot_be_done_is_told_so_and_the_others_are_done() -> None:
    desk = Desk()
    desk.open.set()
    together = Together(desk.do, most=10)
    outcomes = await asyncio.gather(*(together(number) for number in (1, -2, 3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), ValueError, type(None)]


async def test_who_goes_away_before_its_turn_is_not_done() -> None:
    desk = Desk()
    together = Together(desk.do, most=1)
    first, second = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0)
    second.cancel()
    desk.open.set()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    assert desk.batches == [[1]]


async def test_a_batch_that_is_cancelled_leaves_nobody_waiting() -> None:
    desk = Desk()
    together = Together(desk.do, most=10)
    leader = asyncio.create_task(together(1))
    await asyncio.sleep(0)
    follower = asyncio.create_task(together(2))
    await asyncio.sleep(0)
    leader.cancel()
    desk.open.set()
    with pytest.raises(asyncio.CancelledError):
        await leader
    await follower  # was not in the batch that was cancelled: it had a turn of its own
    assert [2] in desk.batches
