"""What waits for one watcher: bounded, in order, and of what moves the newest only."""

from __future__ import annotations

import msgspec
import pytest

from gridsvc.domain.live import View
from gridsvc.ids import new_id
from gridsvc.live.delta import Frame
from gridsvc.live.seat import FRAME_BYTES, TAKEN_AT_ONCE, Seat


def seat(most_bytes: int = 10**6) -> Seat:
    return Seat(new_id(), new_id(), None, View(frozenset({"a"})), most_bytes)


def of_case(seq: int, size: int = 10) -> Frame:
    return Frame(b"x" * size, seq)


def of_officer(seq: int, name: str) -> Frame:
    return Frame(b"x" * 10, seq, ("officer", name))


async def taken(seat: Seat) -> list[int | None]:
    return [frame.seq for frame in await seat.take()]


async def test_cases_come_one_by_one_in_their_order() -> None:
    somebody = seat()
    for seq in (1, 2, 3):
        assert somebody.give(of_case(seq))
    assert await taken(somebody) == [1, 2, 3]
    assert somebody.waiting_bytes == 0


async def test_of_a_position_the_newest_comes_and_never_before_what_was_told_earlier() -> None:
    """Whoever has a number has all before it: the newer position goes to the end, not to the place of the older."""
    somebody = seat()
    for frame in (of_officer(1, "wang"), of_officer(2, "li"), of_case(3), of_officer(4, "wang")):
        somebody.give(frame)
    assert await taken(somebody) == [2, 3, 4]


async def test_whoever_does_not_take_what_comes_is_told_to_load_anew_and_nothing_older_is_kept() -> None:
    somebody = seat(most_bytes=3 * (10 + FRAME_BYTES))
    assert all(somebody.give(of_case(seq)) for seq in (1, 2, 3))
    assert not somebody.give(of_case(4))
    assert somebody.give(of_case(5))
    first, *rest = await somebody.take()
    assert msgspec.json.decode(first.text) == {"type": "resync", "reason": "slow"}
    assert [frame.seq for frame in rest] == [5]


async def test_much_is_taken_in_parts_so_that_the_rest_can_still_be_dropped() -> None:
    somebody = seat()
    for seq in range(1, 5):
        somebody.give(of_case(seq, size=TAKEN_AT_ONCE // 2))
    assert await taken(somebody) == [1, 2]
    somebody.start_over("scope")
    assert await taken(somebody) == [None]


@pytest.mark.parametrize("why", ["signed_out", "going_away"])
async def test_a_seat_that_is_over_is_told_nothing_more(why: str) -> None:
    somebody = seat()
    somebody.give(of_case(1))
    somebody.end(why)
    assert list(await somebody.take()) == []
    assert somebody.over == why
