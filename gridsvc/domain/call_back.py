"""Call-backs (回访): who asks the reporter of a closed case, which tries count, and when asking ends.

The district's desk asks first, then the city's (Lanzhou's double call-back). One who says that it is not solved
has the case reopened; the rest is docs/rules/call-backs.md.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.domain.calendar import Calendar

LEVELS: Final = ("district", "city")
"""In the order in which they ask."""

TRIES: Final = 3
"""So many that counted without an answer, and the reporter is not asked any more."""

SOLVED: Final = "solved"
NOT_SOLVED: Final = "not_solved"
UNREACHABLE: Final = "unreachable"

_PARTS: Final = 10_000  # how finely a share of the cases is told


@dataclass(frozen=True, kw_only=True)
class CallBackRule:
    """Whether a level asks: of which share of the cases, and by which ladder (None: that of the stage limit)."""

    level: str
    share: float
    ladder: str | None


@dataclass(frozen=True, kw_only=True)
class CallBack:
    """A call-back that waits: whose desk asks whom, and when it was tried in vain."""

    id: UUID
    case_id: UUID
    level: str
    division: str
    tries: tuple[datetime, ...] = ()


def next_level(
    after: str | None, rules: Mapping[str, CallBackRule], desks: Mapping[str, str], case_id: UUID
) -> str | None:
    """Which level asks next, after the level `after` (None: nobody has asked yet); None: none.

    `desks` says which division asks at each level. Where the same desk would ask twice, it asks once.
    """
    asked = desks.get(after) if after is not None else None
    for level in LEVELS[0 if after is None else LEVELS.index(after) + 1 :]:
        rule, desk = rules.get(level), desks.get(level)
        if rule is not None and desk is not None and desk != asked and is_asked(case_id, level, rule.share):
            return level
    return None


def is_asked(case_id: UUID, level: str, share: float) -> bool:
    """Whether the case is of the share that a level asks: by its id, which nobody chooses and anybody can check."""
    drawn = int.from_bytes(hashlib.sha256(case_id.bytes + level.encode()).digest()[:8], "big") % _PARTS
    return drawn < round(share * _PARTS)


def try_counts(calendar: Calendar, tries: Sequence[datetime], now: datetime) -> bool:
    """Whether a try at `now` that found nobody counts: in working time, and in another stretch of it than those before.

    The morning and the afternoon of one day are two stretches where a pause lies between them.
    """
    moment = timedelta(microseconds=1)
    if not any(calendar.spans(now, now + moment)):
        return False
    return all(_paused_between(calendar, earlier, now) for earlier in tries)


def _paused_between(calendar: Calendar, earlier: datetime, later: datetime) -> bool:
    worked = [end - start for start, end in calendar.spans(earlier, later)]
    return sum(worked, timedelta()) < later - earlier


def ends_with(result: str, tries: int) -> bool:
    """Whether asking is over after `result`, `tries` of those that counted included."""
    return result != UNREACHABLE or tries >= TRIES
