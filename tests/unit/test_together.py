"""What waits together is done in one go, and one that cannot be done does not spoil the others."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from gridsvc.together import Pace, Together


class Desk:
    """Does numbers; remembers its batches. Negative ones cannot be done. Stands still until `open`."""

    def __init__(self) -> None:
        self.open = asyncio.Event()
        self.begun = False
        self.batches: list[list[int]] = []

    async def do(self, numbers: Sequence[int]) -> None:
        self.begun = True
        await self.open.wait()
        self.batches.append(list(numbers))
        if any(number < 0 for number in numbers):
            raise ValueError(f"{min(numbers)} is negative")


def test_who_comes_alone_never_waits() -> None:
    pace = Pace(0.02)
    assert [pace.begin(now) for now in (0.0, 0.02, 1.0)] == [0.0, 0.0, 0.0]


def test_batches_begin_no_closer_than_the_pace() -> None:
    pace = Pace(0.02)
    waits = [pace.begin(now) for now in (10.0, 10.005, 10.02)]
    assert waits == pytest.approx([0.0, 0.015, 0.02])


async def test_what_comes_at_once_goes_together_up_to_the_most() -> None:
    desk = Desk()
    together = Together(desk.do, most=3, pace_s=0)
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
    together = Together(desk.do, most=10, pace_s=0)
    outcomes = await asyncio.gather(*(together(number) for number in (1, -2, 3)), return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [type(None), ValueError, type(None)]


async def test_who_goes_away_before_its_turn_is_not_done() -> None:
    desk = Desk()
    together = Together(desk.do, most=1, pace_s=0)
    first, second = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    await asyncio.sleep(0)
    second.cancel()
    desk.open.set()
    await first
    with pytest.raises(asyncio.CancelledError):
        await second
    assert desk.batches == [[1]]


async def test_who_goes_away_in_the_middle_takes_nobody_with_it() -> None:
    desk = Desk()
    together = Together(desk.do, most=10, pace_s=0)
    goes, stays = asyncio.create_task(together(1)), asyncio.create_task(together(2))
    while not desk.begun:
        await asyncio.sleep(0)
    goes.cancel()
    desk.open.set()
    with pytest.raises(asyncio.CancelledError):
        await goes
    await stays
    assert desk.batches == [[1, 2]]


async def test_when_everybody_goes_away_before_their_turn_nothing_is_done() -> None:
    desk = Desk()
    desk.open.set()
    together = Together(desk.do, most=10, pace_s=0)
    gone = asyncio.create_task(together(1))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.gather(gone, return_exceptions=True)
    await together(2)
    assert desk.batches == [[2]]


async def test_what_ends_the_process_in_the_middle_of_a_batch_leaves_nobody_waiting() -> None:
    desk = Desk()
    together = Together(desk.do, most=10, pace_s=0)
    waiting = [asyncio.create_task(together(number)) for number in (1, 2)]
    while not desk.begun:
        await asyncio.sleep(0)
    [at_work] = [task for task in asyncio.all_tasks() if task.get_name() == "together"]
    at_work.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
