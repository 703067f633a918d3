"""What goes on after every fault still ends when it is told to, whatever comes out in the place of its cancellation."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, NoReturn, cast

import pytest

from events.broker import BrokerAway
from gridsvc.api.desk import FilingDesk
from gridsvc.api.notice_board import NoticeBoard
from gridsvc.db import ConnPool
from gridsvc.live.feed import Feed
from gridsvc.outlive import outlive, told_to_end
from gridsvc.settings import LiveSettings
from gridsvc.store.idempotency_keys import Claim
from gridsvc.store.numbers import NumberBlocks
from workers.runtime import hold_session, periodically, until_the_database_answers

NO_POOL = cast(ConnPool, None)  # what is asked of the database here is lost before it is asked


class LostConnection:
    """Waits as a statement does; cancelled, it loses its connection and says that instead."""

    def __init__(self) -> None:
        self.waiting = asyncio.Event()

    async def __call__(self, *_: object) -> NoReturn:
        self.waiting.set()
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionResetError("lost while the statement was cancelled") from None
        raise AssertionError("nobody sets that event")


def following(monkeypatch: pytest.MonkeyPatch, lost: LostConnection) -> Awaitable[None]:
    monkeypatch.setattr(Feed, "look", lost)
    return Feed(NO_POOL, LiveSettings()).run()


def seeing_to_sessions(monkeypatch: pytest.MonkeyPatch, lost: LostConnection) -> Awaitable[None]:
    monkeypatch.setattr("gridsvc.live.feed.end_signed_out", lost)
    monkeypatch.setattr(Feed, "look", lambda _: asyncio.Event().wait())
    return Feed(NO_POOL, LiveSettings(), check_s=0.0).run()


def listening_for_hints(monkeypatch: pytest.MonkeyPatch, lost: LostConnection) -> Awaitable[None]:
    monkeypatch.setattr(NoticeBoard, "_listen", lost)
    return NoticeBoard(NO_POOL, "").run()


def filing(monkeypatch: pytest.MonkeyPatch, lost: LostConnection) -> Awaitable[None]:
    monkeypatch.setattr(FilingDesk, "_commit", lost)

    async def file() -> None:
        desk = FilingDesk(NO_POOL, NumberBlocks(NO_POOL))
        claim = Claim(caller="user:x", key="k", fingerprint=b"")
        answer = asyncio.create_task(desk.file(claim, cast(Any, None), ()))
        try:
            await desk.work()
        finally:
            with pytest.raises(ConnectionResetError):
                await answer

    return file()


def taking_rounds(monkeypatch: pytest.MonkeyPatch, lost: LostConnection) -> Awaitable[None]:
    return periodically("test", 0.0, lost, asyncio.Event())


def waiting_for_the_database(monkeypatch: pytest.MonkeyPatch, lost: LostConnection) -> Awaitable[None]:
    return until_the_database_answers(lost)


def holding_a_session(monkeypatch: pytest.MonkeyPatch, lost: LostConnection) -> Awaitable[None]:
    async def session(_: Callable[[], None]) -> None:
        try:
            await lost()
        except ConnectionResetError as error:
            raise BrokerAway("lost") from error

    return hold_session("test", session, asyncio.Event())


@pytest.mark.parametrize(
    "loop",
    [
        following, seeing_to_sessions, listening_for_hints, filing, taking_rounds, holding_a_session,
        waiting_for_the_database,
    ],
)  # fmt: skip
async def test_a_loop_ends_although_its_connection_is_lost_while_it_is_told_to(
    monkeypatch: pytest.MonkeyPatch,
    loop: Callable[[pytest.MonkeyPatch, LostConnection], Awaitable[None]],
) -> None:
    lost = LostConnection()
    task = asyncio.ensure_future(loop(monkeypatch, lost))
    await asyncio.wait({task, asyncio.create_task(lost.waiting.wait())}, return_when=asyncio.FIRST_COMPLETED)
    assert not task.done(), task

    task.cancel()
    ended, _ = await asyncio.wait([task], timeout=30)

    assert ended, "it goes on for ever, and so does who waits for it"


async def test_a_fault_without_a_cancellation_is_outlived() -> None:
    outlive(ConnectionResetError())

    assert not told_to_end()


async def test_a_time_that_has_run_out_is_no_cancellation() -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0):
            await asyncio.Event().wait()

    outlive(TimeoutError())

    assert not told_to_end()
