"""When something was done that a phone tells later: by its own clock, corrected, within what can be (离线).

A phone without a network keeps what its officer does and sends it when it can (docs/rules/offline.md). What it says
of the time is a claim: corrected by how far its clock was off, held between what came before and now, and doubted
aloud where that changes it by more than clocks differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Final

from gridsvc.domain.access import Caller
from gridsvc.domain.case_state import Case, Clock, is_owner, parts_of
from gridsvc.domain.fix import Fix

CLOCKS_DIFFER: Final = timedelta(minutes=2)
"""By how much a claim may be put right without a word: measuring a skew over a bad network is no better."""

SKEW_MOST: Final = timedelta(minutes=10)
"""A phone whose clock is off by more has no clock that the network sets."""

OFFLINE_MOST: Final = timedelta(hours=24)
"""A day without a network is work; what is told later than that is looked at."""

JUDGED: Final = frozenset(
    {Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.STOP_IT, Clock.ON_SITE, Clock.SUPERVISION, Clock.CO_HANDLING}
)
"""Clocks of whoever is out in the city: in time is what was done in time. Those of desks and calls know only receipt:
a desk has a network, and who accepts a call first is whose acceptance comes first."""


class Doubt(StrEnum):
    """Why the desk should look twice; the move is made all the same."""

    SKEW_UNKNOWN = "skew_unknown"  # the phone never said how far its clock was off
    CLOCK_WRONG = "clock_wrong"  # off by more than SKEW_MOST
    IN_THE_FUTURE = "in_the_future"
    BEFORE_CONTACT = "before_contact"  # earlier than the phone had last heard the server
    BEFORE_ASSIGNMENT = "before_assignment"
    OUT_OF_ORDER = "out_of_order"  # earlier than what the same person did to the case before
    LONG_OFFLINE = "long_offline"
    MOCKED = "mocked"  # the phone says that its place is an app's, and not a receiver's
    OLD_FIX = "old_fix"  # the place was not taken when the move was made
    NO_FIX = "no_fix"  # there was none, in words


@dataclass(frozen=True, kw_only=True)
class Claimed:
    """What the phone says: all by its own clock. `skew` is server minus phone, as last measured."""

    at: datetime
    skew: timedelta | None = None
    last_contact: datetime | None = None  # when it had last heard the server before it did this


@dataclass(frozen=True, kw_only=True)
class Captured:
    """When it was done, by the city's clock, as far as that can be believed; and what is doubted."""

    at: datetime
    claimed: Claimed
    doubts: tuple[Doubt, ...] = ()

    def facts(self) -> dict[str, object]:
        """What the history keeps beside the moment at which it was received."""
        claimed = self.claimed
        return {
            "at": _text(self.at),
            "claimed": _text(claimed.at),
            "skew_ms": None if claimed.skew is None else round(claimed.skew / timedelta(milliseconds=1)),
            "last_contact": None if claimed.last_contact is None else _text(claimed.last_contact),
        }


@dataclass(frozen=True, kw_only=True)
class Floor:
    """A moment before which it cannot have been, and what a claim before it is called."""

    at: datetime
    doubt: Doubt


def judge(claimed: Claimed, floors: Iterable[Floor], now: datetime) -> Captured:
    """The moment that counts: the claim, corrected by the skew, not before any floor and not after `now`.

    Between two floors the later one counts; a floor that lies after `now` is `now`. Where nothing moves it beyond
    CLOCKS_DIFFER nobody is told. The order of the floors does not matter.
    """
    skew = claimed.skew or timedelta()
    said = claimed.at + skew
    every = [*floors]
    if claimed.last_contact is not None:
        every.append(Floor(at=claimed.last_contact + skew, doubt=Doubt.BEFORE_CONTACT))
    at = min(max([said, *(floor.at for floor in every)]), now)
    doubts = {floor.doubt for floor in every if min(floor.at, now) - said > CLOCKS_DIFFER}
    if claimed.skew is None:
        doubts.add(Doubt.SKEW_UNKNOWN)
    if abs(skew) > SKEW_MOST:
        doubts.add(Doubt.CLOCK_WRONG)
    if said - now > CLOCKS_DIFFER:
        doubts.add(Doubt.IN_THE_FUTURE)
    if now - at > OFFLINE_MOST:
        doubts.add(Doubt.LONG_OFFLINE)
    return Captured(at=at, claimed=claimed, doubts=ordered(doubts))


def ordered(doubts: Iterable[Doubt]) -> tuple[Doubt, ...]:
    """Each once, in the order of the list."""
    given = set(doubts)
    return tuple(doubt for doubt in Doubt if doubt in given)


def works_out_there(case: Case, caller: Caller | None) -> bool:
    """Whether clocks go by the time that the caller captured: who does the work, has a part, or was sent there."""
    if caller is None:
        return False
    sent = caller.user_id is not None and caller.user_id in {case.checker_id, case.responder_id}
    return sent or is_owner(case, caller) or bool(parts_of(case, caller))


def judged_at(kind: Clock, started_at: datetime, captured_at: datetime | None, now: datetime) -> datetime | None:
    """By which moment a clock that stops `now` is in time or late, where that is not `now` itself.

    Never before the clock began: what was done before anybody asked for it was done at once.
    """
    if captured_at is None or kind not in JUDGED or captured_at >= now:
        return None
    return max(captured_at, started_at)


FIX_APART: Final = timedelta(minutes=2)
"""How far from the move its fix may have been taken; more, and it says where somebody was before."""


def doubts_of_fix(fix: Fix | None, captured: Captured | None, now: datetime) -> tuple[Doubt, ...]:
    """What is doubted of a fix. Its time is by the phone's clock, as the move's own is."""
    if fix is None:
        return ()
    made_at = now if captured is None else captured.claimed.at
    old = fix.taken_at is not None and abs(made_at - fix.taken_at) > FIX_APART
    return ordered([*([Doubt.MOCKED] if fix.mocked else []), *([Doubt.OLD_FIX] if old else [])])


def _text(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")
