"""Who is called to an emergency (紧急呼叫), round by round: the nearest first, then further and more.

The rounds are rows of the city's rules. After the last of them everybody in the district is called again and
again, until somebody accepts or takes the case in hand. The same facts always call the same people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from gridsvc.domain.candidates import FRESH
from gridsvc.domain.case_state import Case
from gridsvc.domain.category import Category

EMERGENCY: Final = "emergency"
"""The severity that is called, not assigned by load."""

EDITION: Final = 1
"""Of these rules; kept on the assignment of whoever accepts."""

RULE: Final = "answered_the_call"

OWNER: Final = "owner"
FIRST_ON_SCENE: Final = "first_on_scene"
"""What is wanted of whoever accepts: to answer for the case, or to be there before the department is (先期处置)."""


@dataclass(frozen=True, kw_only=True)
class CallRound:
    """One round: how far, how many, and how long until the next. None: the whole district; all of them."""

    round: int
    radius_m: float | None
    most: int | None
    wait: timedelta


@dataclass(frozen=True, kw_only=True)
class Reachable:
    """An officer on duty. `distance_m` None: no position known; `called`: by this call, and has not answered."""

    officer_id: UUID
    of_the_line: bool
    of_the_beat: bool
    in_the_district: bool
    distance_m: float | None
    position_age: timedelta | None
    called: bool = False
    declined: bool = False  # in this cycle: nobody is asked twice who has said no

    @property
    def near_m(self) -> float | None:
        """How near, where the position is fresh enough to say."""
        if self.distance_m is None or self.position_age is None or self.position_age > FRESH:
            return None
        return self.distance_m


@dataclass(frozen=True, kw_only=True)
class Picked:
    """Somebody who is called, and what made him one of them: near, of_the_beat or in_the_district."""

    officer_id: UUID
    because: str
    distance_m: float | None
    position_age: timedelta | None


@dataclass(frozen=True, kw_only=True)
class Ringing:
    """A round of a call: whom it rings with from now on, and how long it waits for them.

    `is_over` says that the rounds are through without an answer: this one rings with everybody, again.
    """

    round: int
    picked: tuple[Picked, ...]
    wait: timedelta
    is_over: bool


def is_called(case: Case, category: Category, rounds: Sequence[CallRound]) -> bool:
    """Whether an officer is called to own the case: an emergency that officers handle, in a city with rounds."""
    by_officers = category.dispatches_itself and category.handled_by == "officer"
    return bool(rounds) and case.severity == EMERGENCY and by_officers


def is_summoned(case: Case, category: Category, rounds: Sequence[CallRound]) -> bool:
    """Whether officers are called to be first on the scene: an emergency that a department handles.

    Not while they ring already, and not for what waits for its cause: of that the cause's own case rings.
    """
    by_a_department = category.dispatches_itself and category.handled_by == "department"
    free = case.responder_id is None and case.call_for is None and case.cause_id is None
    return bool(rounds) and case.severity == EMERGENCY and by_a_department and free


def next_ringing(rounds: Sequence[CallRound], after: int, candidates: Sequence[Reachable]) -> Ringing:
    """The round that follows the `after`-th: the first that finds somebody new.

    A round that finds nobody costs no time: the next one is taken at once. Beyond the last one everybody in the
    district rings again, who has not said no.
    """
    for each in sorted(rounds, key=lambda one: one.round):
        if each.round > after and (picked := _pick(each, candidates)):
            return Ringing(round=each.round, picked=picked, wait=each.wait, is_over=False)
    last = max(rounds, key=lambda one: one.round)
    everybody = [candidate for candidate in candidates if not candidate.declined]
    return Ringing(round=max(after, last.round) + 1, picked=_in_the_district(everybody), wait=last.wait, is_over=True)


def _pick(each: CallRound, candidates: Sequence[Reachable]) -> tuple[Picked, ...]:
    """Officers of the duty line; where it has nobody new in reach, those of the others."""
    fresh = [candidate for candidate in candidates if not (candidate.called or candidate.declined)]
    for of_the_line in (True, False):
        mine = [candidate for candidate in fresh if candidate.of_the_line is of_the_line]
        picked = _in_the_district(mine) if each.radius_m is None else _around(each.radius_m, mine)
        if picked:
            return picked[: each.most]
    return ()


def _around(radius_m: float, candidates: Sequence[Reachable]) -> tuple[Picked, ...]:
    """Who is near, the nearest first; then the beat's own whom nobody sees. On a tie the lower id."""
    near = [each for each in candidates if each.near_m is not None and each.near_m <= radius_m]
    near.sort(key=lambda each: (each.near_m or 0.0, str(each.officer_id)))
    unseen = [each for each in candidates if each.near_m is None and each.of_the_beat]
    unseen.sort(key=lambda each: str(each.officer_id))
    return (*(_picked(each, "near") for each in near), *(_picked(each, "of_the_beat") for each in unseen))


def _in_the_district(candidates: Sequence[Reachable]) -> tuple[Picked, ...]:
    there = [each for each in candidates if each.in_the_district or each.of_the_beat]
    there.sort(key=lambda each: (float("inf") if each.near_m is None else each.near_m, str(each.officer_id)))
    return tuple(_picked(each, "in_the_district") for each in there)


def _picked(candidate: Reachable, because: str) -> Picked:
    seen = candidate.near_m is not None
    return Picked(
        officer_id=candidate.officer_id,
        because=because,
        distance_m=candidate.near_m,
        position_age=candidate.position_age if seen else None,
    )
