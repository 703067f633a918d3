"""Whether an officer is there for work at a moment: the switch, the shift and the absence, put together.

Never somebody who is absent; never somebody whose shift is over and who has not switched on since it ended. An
officer without shifts has only the switch. docs/rules/rosters.md says it with examples.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from gridsvc.domain.case_state import State
from gridsvc.domain.shift import Shift, last_end, next_start, span_at

COUNTS_AT_MOST: Final = timedelta(hours=25)
"""How far back is counted what somebody was given: the longest day there is."""


ACCOUNT_ENDED: Final = "account_ended"


class Does(StrEnum):
    """What becomes of a case when its officer leaves: rows of the city's rules."""

    ROUTE = "route"  # at once to whoever is there
    ROUTE_IF_STAFFED = "route_if_staffed"  # where somebody else of the beat is there, or comes soon
    STAY = "stay"  # with him; the dispatcher hears


@dataclass(frozen=True, kw_only=True)
class RosterRules:
    """What the city has decided about shifts."""

    ends_soon: timedelta
    staffed_within: timedelta
    on_leaving: dict[State, Does]


@dataclass(frozen=True, kw_only=True)
class Facts:
    """What is kept of an officer's duty. `switched_at`: when the switch last moved; None: never."""

    on_duty: bool
    switched_at: datetime | None = None
    shifts: tuple[Shift, ...] = ()
    absent_since: datetime | None = None  # of the absence that runs
    absent_until: datetime | None = None
    next_absence: datetime | None = None  # when the next one begins
    account_ended: bool = False


@dataclass(frozen=True, kw_only=True)
class Duty:
    """How an officer stands at a moment. `on_shift` None: he has no shifts.

    `overtime`: off shift, and switched on since the last one ended. `counts_from`: since when what he was given
    counts as given today: since his shift began, else since the midnight of the city.
    """

    on_duty: bool
    on_shift: bool | None
    overtime: bool
    absent_until: datetime | None
    shift_ends_at: datetime | None
    leaves_soon: bool
    counts_from: datetime
    left_at: datetime | None  # since when his work is somebody else's; None: he is there, or only has a break
    left_why: str | None  # shift_end, absence or account_ended
    comes_soon: bool  # his next shift begins soon, and he is not away then

    @property
    def there(self) -> bool:
        """Whether he may get work now."""
        return self.on_duty and self.absent_until is None and (self.on_shift is not False or self.overtime)


def duty_at(facts: Facts, rules: RosterRules, now: datetime, zone: ZoneInfo) -> Duty:
    """How an officer of whom `facts` are kept stands at `now`."""
    now = now.astimezone(UTC)  # of two moments of one zone Python compares the wall clocks
    span, ended, starts = _by_roster(facts.shifts, now, zone)
    absent = facts.absent_until is not None
    on_shift = (span is not None) if facts.shifts else None
    switched = facts.switched_at
    overtime = on_shift is False and facts.on_duty and (ended is None or (switched is not None and switched >= ended))
    leaves = [moment for moment in (span[1] if span else None, facts.next_absence) if moment is not None]
    comes_soon = starts is not None and starts - now <= rules.staffed_within
    away_then = absent or (starts is not None and facts.next_absence is not None and facts.next_absence <= starts)
    left_at, left_why = _left(facts, ended, now, comes_soon=comes_soon)
    return Duty(
        on_duty=facts.on_duty,
        on_shift=on_shift,
        overtime=overtime,
        absent_until=facts.absent_until,
        shift_ends_at=span[1] if span else None,
        leaves_soon=any(moment - now <= rules.ends_soon for moment in leaves),
        counts_from=max(span[0], now - COUNTS_AT_MOST) if span else _midnight(now, zone),
        left_at=left_at,
        left_why=left_why,
        comes_soon=comes_soon and not away_then,
    )


@lru_cache(maxsize=1_024)
def _by_roster(
    shifts: tuple[Shift, ...], now: datetime, zone: ZoneInfo
) -> tuple[tuple[datetime, datetime] | None, datetime | None, datetime | None]:
    """The shift of that moment; off shift, when the last one ended and the next begins. Many have the same roster."""
    span = span_at(shifts, now, zone)
    if span is not None:
        return span, None, None
    return None, last_end(shifts, now, zone), next_start(shifts, now, zone)


def _midnight(now: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(now.astimezone(zone).date(), time(), zone)


def _left(
    facts: Facts, ended: datetime | None, now: datetime, *, comes_soon: bool
) -> tuple[datetime | None, str | None]:
    """When he left his work. While the switch is on he finishes; a break from which he is soon back is none.

    Whose account has ended has left for good, whenever he was given what he has.
    """
    if facts.account_ended:
        return now, ACCOUNT_ENDED
    if facts.absent_since is not None:
        return facts.absent_since, "absence"
    if facts.on_duty or ended is None or comes_soon:
        return None, None
    return max(ended, facts.switched_at or ended), "shift_end"


def on_leaving(rules: RosterRules, state: State, others: Sequence[Duty], left_why: str | None = None) -> Does:
    """What becomes of a case in `state` whose officer has left: `route` or `stay`, seeing who else is of its beat.

    Nothing stays with somebody whose account has ended.
    """
    if left_why == ACCOUNT_ENDED:
        return Does.ROUTE
    does = rules.on_leaving.get(state, Does.STAY)
    if does is not Does.ROUTE_IF_STAFFED:
        return does
    return Does.ROUTE if any(each.there or each.comes_soon for each in others) else Does.STAY
