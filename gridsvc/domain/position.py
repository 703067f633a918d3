"""Fixes of officers' phones: which may be kept as the latest place, and why another may not.

The outcome of a fix depends on its own time and on what was known before its batch, never on its
place in the batch: late and shuffled data ends in the same latest position.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from geo.place import BadPlace, Bounds, Place, read_place

AHEAD: Final = timedelta(minutes=2)
"""How far a phone's clock may run ahead of ours; such a fix counts as taken on receipt."""

BEHIND: Final = timedelta(days=30)
"""Older fixes come from receivers that lost their calendar (GPS week roll-over, 1970), not from work."""

HDOP_M: Final = 5.0
"""Metres per unit of hdop, where a tracker sends no accuracy: a common consumer receiver's range error."""

TRAIL_APART: Final = timedelta(seconds=20)
"""Fixes of an officer's trail lie at least so far apart in time: 1,440 in a shift of eight hours."""

TRAIL_ACCURACY_M: Final = 100.0
"""A fix that is less exact says nothing of the way: two streets are not so far apart."""


class Outcome(StrEnum):
    """What became of one fix."""

    ACCEPTED = "accepted"
    OLDER_THAN_KNOWN = "older_than_known"
    BAD_LOCATION = "bad_location"
    FROM_THE_FUTURE = "from_the_future"
    TOO_OLD = "too_old"


@dataclass(frozen=True, kw_only=True)
class Claim:
    """One fix as a device wrote it; `taken_at` is aware, by the device's clock."""

    lon: float
    lat: float
    datum: str | None
    accuracy_m: float | None
    taken_at: datetime


@dataclass(frozen=True, kw_only=True)
class Judged:
    """One fix after the checks. `place` is None unless it may be kept; `why` is for people."""

    outcome: Outcome
    taken_at: datetime
    place: Place | None = None
    reason: str | None = None
    why: str | None = None


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
    return Judged(outcome=Outcome.ACCEPTED, taken_at=min(claim.taken_at, now), place=place)


def newest(judged: Sequence[Judged]) -> Judged | None:
    """The fix that may become the latest position: the last taken; of two at one moment the first given."""
    good = [fix for fix in judged if fix.outcome is Outcome.ACCEPTED]
    return max(good, key=lambda fix: fix.taken_at, default=None)


def way(judged: Sequence[Judged]) -> list[Judged]:
    """What of a batch belongs to the officer's trail, in the order of time: exact enough, and not too close together.

    A fix that states no accuracy counts. Of two at one moment the first given.
    """
    kept: list[Judged] = []
    for fix in sorted(judged, key=lambda each: each.taken_at):
        if fix.outcome is not Outcome.ACCEPTED or fix.place is None:
            continue
        if fix.place.accuracy_m is not None and fix.place.accuracy_m > TRAIL_ACCURACY_M:
            continue
        if not kept or fix.taken_at - kept[-1].taken_at >= TRAIL_APART:
            kept.append(fix)
    return kept


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
