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
        self.begun = asyncio.Event()
        self.batches: list[list[int]] = []

    async def do(self, numbers: Sequence[int]) -> None:
        self.begun.set()
        await self.open.wait()
        self.batches.append(list(numbers))
        if any(number < 0 for number in numbers):
            raise ValueError(f"{min(numbers)} is negative")


def test_who_comes_alone_never_waits() -> None:
    pace = Pace(0.02)
    for now in (0.0, 0.02, 1.0):
        assert pace.wait_s(now) == 0.0
        pace.begun(now)


def test_a_batch_begins_no_sooner_after_the_last_than_the_pace() -> None:
    pace = Pace(0.02)
    pace.begun(10.0)
    assert pace.wait_s(10.005) == pytest.approx(0.015)


async def test_a_full_hand_waits_for_no_pace() -> None:
    desk = Desk()
    desk.open.set()
    together = Together(desk.do, most=2, pace_s=3_600)
    await together(1)  # the first begins at once; the next alone would wait an hour
    await asyncio.gather(together(2), together(3))
    alone = asyncio.create_task(together(4))
    await asyncio.sleep(0)
    await asyncio.gather(together(5), alone)
    assert desk.batches == [[1], [2, 3], [4, 5]]


async def test_things_of_different_size_fill_a_batch_by_their_weight_and_one_too_large_goes_alone() -> None:
    desk = Desk()
    together = Together(desk.do, most=10, pace_s=0, weigh=lambda number: number)
    waiting = [asyncio.create_task(together(number)) for number in (4, 6, 1, 25, 9, 1, 1)]
    await asyncio.sleep(0)
    desk.open.set()
    await asyncio.gather(*waiting)
    assert desk.batches == [[4, 6], [1], [25], [9, 1], [1]]


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
    await desk.begun.wait()
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
    await desk.begun.wait()
    [at_work] = [task for task in asyncio.all_tasks() if task.get_name() == "together"]
    at_work.cancel()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(outcome) for outcome in outcomes] == [asyncio.CancelledError] * 2
