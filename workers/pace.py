"""How long a sweeper rests between batches, so that a backlog goes out at a rate and not all at once: a pure decision.

Each sweeper keeps its own rate. The rest varies, so that sweepers that were started together do not strike together.
"""

from __future__ import annotations

from typing import Final

VARIES: Final = 0.5
"""By how much of its mean a rest is shorter or longer; on average the rate is kept."""


def rest_after(done: int, took: float, rate: float, dealt: float) -> float:
    """Seconds to rest after a batch of `done` that took `took` seconds, at `rate` a second; never less than nought.

    `dealt` is a random number from 0 to 1.
    """
    rest = max(0.0, done / rate - took)
    return rest * (1 - VARIES + 2 * VARIES * dealt)
