"""How a loop goes on after a fault, and yet ends when it is told to."""

from __future__ import annotations

import asyncio


def outlive(fault: Exception) -> None:
    """Return, to go on after `fault`; but end a task that has been cancelled meanwhile (raises CancelledError).

    A cancellation that meets a statement under way waits until the server has let go of it, and if the connection
    is lost there, or the server speaks too late, that error comes out in the place of the cancellation. A loop that
    outlives every error then never ends, and whoever waits for it neither: a web process whose database went away
    did not stop (2 of some 450 stops, measured).
    """
    if told_to_end():
        raise asyncio.CancelledError from fault


def told_to_end() -> bool:
    """Whether this task has been cancelled, whatever came out in the place of its cancellation."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0
