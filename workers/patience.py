"""How long to wait between attempts, and when to give up: pure decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import Final

FIRST_WAIT: Final = timedelta(seconds=1)
LONGEST_WAIT: Final = timedelta(minutes=5)

UNFINISHED: Final = "the attempt did not end: its process was gone"
"""What a failure says while an attempt runs. Found by a later attempt, it means what it says."""

# An attempt that kills its process stops everything else there, each time: fewer of those are allowed.
MOST_CRASHES: Final = 3


def wait_after(attempts: int, chance: float) -> timedelta:
    """How long to wait after the n-th failed attempt (1, 2, …): doubling, LONGEST_WAIT at most.

    `chance` from 0 to 1 shortens it by up to half, so that what failed together does not come together again.
    """
    doublings = min(attempts - 1, 20)  # beyond, the product would overflow and LONGEST_WAIT holds anyway
    return min(LONGEST_WAIT, FIRST_WAIT * (1 << doublings)) * (1 - chance / 2)


def gives_up(attempts: int, last_error: str, most_attempts: int) -> bool:
    """Whether a message that was tried `attempts` times is dead.

    An attempt that never reported back is taken for the cause of a crash. Such attempts are made one
    at a time per process, so the one that was running is known.
    """
    return attempts >= most_attempts or (last_error == UNFINISHED and attempts >= MOST_CRASHES)
