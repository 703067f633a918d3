"""Waiting for what another task or process does: ask again, with a deadline."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T]], *, seconds: float = 60.0, what: str = "it") -> T:
    """The first answer of `ask` that is true. Fails after `seconds`, naming what was waited for."""
    try:
        async with asyncio.timeout(seconds):
            while not (answer := await ask()):  # noqa: ASYNC110 - what is awaited is another process's doing
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(f"waited {seconds} s in vain for {what}") from None
    return answer
