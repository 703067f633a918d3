"""Cookies that turn: each has one successor, and one that a newer has replaced is a copy in other hands. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

GRACE: Final = timedelta(seconds=60)
"""For so long after a newer one was first used the one before it still counts: requests were under way with it."""


class Standing(StrEnum):
    """What a cookie is worth."""

    GOOD = "good"
    FIRST_USE = "first_use"  # of a newer one: from now on the one before runs out
    SPENT = "spent"


def standing_of(turn: int, newest: int, since: datetime | None, now: datetime) -> Standing:
    """What the cookie of `turn` is worth where `newest` is the highest that was used, since `since` (None: ever).

    A turn beyond the newest is good whatever it is: only we sign them. So a lost answer costs nothing, and a database
    that was put back to yesterday's state signs nobody out.
    """
    if turn > newest:
        return Standing.FIRST_USE
    if turn == newest or (turn == newest - 1 and since is not None and now - since <= GRACE):
        return Standing.GOOD
    return Standing.SPENT
