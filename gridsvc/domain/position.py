"""Fixes of officers' phones: which may be kept as the latest place, and why another may not.

The outcome of a fix depends on its own time and on what was known before its batch, never on its
place in the batch: late and shuffled data ends in the same latest position.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from geo.place import BadPlace, Bounds, Place, read_place

AHEAD: Final = timedelta(minutes=2)
"""How far a phone's clock may run ahead of ours; such a fix counts as taken on receipt."""

BEHIND: Final = timedelta(days=30)
"""Older fixes come from receivers that lost their calendar (GPS week roll-over, 1970), not from work."""

HDOP_M: Final = 5.0
"""Metres per unit of hdop, where a tracker sends no accuracy: a common consumer receiver's range error."""

TRAIL_SLOT: Final = timedelta(seconds=20)
"""An officer's trail keeps one fix of each slot of this length: 1,440 in a shift of eight hours."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

TRAIL_ACCURACY_M: Final = 100.0
"""A fix that is less exact says nothing of the way: two streets are not so far apart."""


class Outcome(StrEnum):
    """What became of one fix."""

    ACCEPTED = "accepted"
    OLDER_THAN_KNOWN = "older_than_known"
    BAD_LOCATION = "bad_location"
    FROM_THE_FUTURE = "from_the_future"
    TOO_OLD = "too_old"
    OFF_DUTY = "off_duty"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One fix as a device wrote it; `taken_at` is aware, by the device's clock.

    `mocked`: the phone says that a program made it up.
    """

    lon: float
    lat: float
    datum: str | None
    accuracy_m: float | None
    taken_at: datetime
    mocked: bool = False


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One fix after the checks. `place` is None unless it may be kept; `why` is for people."""

    outcome: Outcome
    taken_at: datetime
    place: Place | None = None
    reason: str | None = None
    why: str | None = None
    mocked: bool = False


@dataclass(frozen=True, slots=True)
class Span:
    """A time on duty: from the first moment to before the second, None while it lasts."""

    since: datetime
    until: datetime | None

    def holds(self, at: datetime) -> bool:
        """Whether he was on duty at this moment."""
        return self.since <= at and (self.until is None or at < self.until)


def judge(claim: Claim, now: datetime, city: Bounds | None) -> Judged:
    """Check one fix by itself: its time against `now`, its place against the city's bounds."""
    if claim.taken_at > now + AHEAD:
        ahead = (claim.taken_at - now).total_seconds()
        return Judged(
            outcome=Outcome.FROM_THE_FUTURE,
            taken_at=claim.taken_at,
            why=f"taken {ahead:.0f} s from now; want at most {AHEAD.total_seconds():.0f} s: set the phone's clock",
        )
    if claim.taken_at < now - BEHIND:
        return Judged(
            outcome=Outcome.TOO_OLD, taken_at=claim.taken_at, why=f"want a fix of the last {BEHIND.days} days"
        )
    try:
        place = read_place(claim.lon, claim.lat, claim.datum, claim.accuracy_m, city)
    except BadPlace as bad:
        return Judged(outcome=Outcome.BAD_LOCATION, taken_at=claim.taken_at, reason=bad.reason, why=str(bad))
    taken_at = min(claim.taken_at, now)
    if claim.mocked:
        why = "the phone says that a program made this place up: kept in the trail as such, and never as the latest"
        return Judged(
            outcome=Outcome.ACCEPTED, taken_at=taken_at, place=place, reason="mocked", why=why, mocked=True
        )  # fmt: skip
    return Judged(outcome=Outcome.ACCEPTED, taken_at=taken_at, place=place)


def while_on_duty(judged: Sequence[Judged], spans: Sequence[Span]) -> list[Judged]:
    """Where he was off duty is nobody's business: good fixes of no span come back without their place.

    What counts is when a fix was taken, not when it came.
    """
    return [
        replace(fix, outcome=Outcome.OFF_DUTY, place=None, reason=None, why="taken off duty: not kept")
        if fix.outcome is Outcome.ACCEPTED and not any(span.holds(fix.taken_at) for span in spans)
        else fix
        for fix in judged
    ]


def newest(judged: Sequence[Judged]) -> Judged | None:
    """The fix that may become the latest place: the last taken that is not mocked.

    Of two at one moment the more exact one, then the one further east and north: the same whichever came first.
    """
    good = [fix for fix in judged if fix.outcome is Outcome.ACCEPTED and not fix.mocked]
    return max(good, key=_later, default=None)


def way(judged: Sequence[Judged]) -> dict[datetime, Judged]:
    """What of a batch belongs to the officer's trail: the best fix of each slot, by the beginning of the slot.

    Exact enough only; one that states no accuracy counts. The best is no mocked one, then the first taken.
    """
    kept: dict[datetime, Judged] = {}
    for fix in judged:
        if fix.outcome is not Outcome.ACCEPTED or fix.place is None:
            continue
        if fix.place.accuracy_m is not None and fix.place.accuracy_m > TRAIL_ACCURACY_M:
            continue
        slot = slot_of(fix.taken_at)
        if slot not in kept or _better(fix) < _better(kept[slot]):
            kept[slot] = fix
    return dict(sorted(kept.items()))


def slot_of(at: datetime) -> datetime:
    """The beginning of the slot that holds this moment; slots are counted from 1970."""
    return at - (at - _EPOCH) % TRAIL_SLOT


# Both orders stand in SQL too (gridsvc/store/positions.py): what is known already is held against what comes.
def _later(fix: Judged) -> tuple[datetime, float, float, float]:
    accuracy_m, lon, lat = _place(fix)
    return fix.taken_at, -accuracy_m, lon, lat


def _better(fix: Judged) -> tuple[bool, datetime, float, float, float]:
    return fix.mocked, fix.taken_at, *_place(fix)


def _place(fix: Judged) -> tuple[float, float, float]:
    assert fix.place is not None  # noqa: S101 - only a fix that was judged good has a rank
    return math.inf if fix.place.accuracy_m is None else fix.place.accuracy_m, fix.place.lon, fix.place.lat


def against_known(judged: Sequence[Judged], known: datetime | None) -> list[Judged]:
    """Say of each good fix whether it is newer than the one `known` before the batch.

    A fix of the very moment that is known counts as known: sending a batch twice changes nothing.
    """
    if known is None:
        return list(judged)
    return [
        replace(fix, outcome=Outcome.OLDER_THAN_KNOWN, place=None, why=f"a fix of {known.isoformat()} is known")
        if fix.outcome is Outcome.ACCEPTED and fix.taken_at <= known
        else fix
        for fix in judged
    ]
