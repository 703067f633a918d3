"""A worker process ends when told to, and dies whole when a part of it dies."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from events.broker import BrokerAway
from workers.runtime import (
    MISSING_SECONDS,
    RECONNECT_SECONDS,
    ConsumersMissing,
    Standing,
    WorkEnded,
    hold_session,
    periodically,
    until_stopped,
)


async def waits(stop: asyncio.Event) -> None:
    await stop.wait()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_every_work_and_nothing_is_wrong(number: int) -> None:
    ended: list[str] = []

    async def finishes(stop: asyncio.Event) -> None:
        await stop.wait()
        ended.append("finished what it held")

    async def told(stop: asyncio.Event) -> None:
        os.kill(os.getpid(), number)
        await stop.wait()

    await until_stopped(("a", finishes), ("b", told))

    assert ended == ["finished what it held"]


async def test_a_work_that_fails_stops_the_others_and_comes_out() -> None:
    async def fails(_: asyncio.Event) -> None:
        raise ValueError("broken")

    with pytest.raises(ExceptionGroup) as caught:
        await until_stopped(("good", waits), ("bad", fails))

    assert caught.group_contains(ValueError, match="broken")


async def test_a_work_that_just_ends_is_a_failure() -> None:
    async def ends(_: asyncio.Event) -> None:
        return

    with pytest.raises(ExceptionGroup) as caught:
        await until_stopped(("good", waits), ("quiet", ends))

    assert caught.group_contains(WorkEnded, match="quiet")


async def test_a_round_that_fails_is_taken_again() -> None:
    stop = asyncio.Event()
    taken: list[int] = []

    async def turn() -> None:
        taken.append(len(taken))
        if len(taken) == 1:
            raise ValueError("once")
        stop.set()

    await periodically("test", 0.001, turn, stop)

    assert taken == [0, 1]


def lost(*, reached: bool) -> BrokerAway:
    return BrokerAway("gone", reached=reached)


def test_a_broker_that_answers_without_consumers_ends_the_process_after_half_a_minute() -> None:
    standing = Standing()
    standing.failed(lost(reached=True), at=100.0)
    standing.failed(lost(reached=True), at=100.0 + MISSING_SECONDS - 1)

    with pytest.raises(ConsumersMissing):
        standing.failed(lost(reached=True), at=100.0 + MISSING_SECONDS)


def test_a_broker_that_is_down_does_not_end_the_process() -> None:
    standing = Standing()
    for at in range(0, 600, 10):
        standing.failed(lost(reached=False), at=float(at))


def test_consumers_that_stood_in_between_begin_the_count_anew() -> None:
    standing = Standing()
    standing.failed(lost(reached=True), at=0.0)
    standing.ready()
    standing.failed(lost(reached=True), at=MISSING_SECONDS + 1)


async def test_a_lost_session_is_opened_again() -> None:
    stop, opened = asyncio.Event(), []

    async def session(ready: object) -> None:
        opened.append(asyncio.get_running_loop().time())
        if len(opened) == 1:
            raise lost(reached=False)
        stop.set()

    await hold_session("test", session, stop)

    assert len(opened) == 2
    assert opened[1] - opened[0] >= RECONNECT_SECONDS[0] * 0.9


def test_workers_that_lose_the_broker_together_come_back_apart() -> None:
    least, most = RECONNECT_SECONDS

    assert 1 <= least < most <= 2
