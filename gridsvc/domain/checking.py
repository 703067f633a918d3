"""Who goes and looks (核实、核查): when somebody is sent unasked, whom, by which rule, and why each other was not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from gridsvc.domain.candidates import FRESH
from gridsvc.domain.case_guards import CHECKS
from gridsvc.domain.case_state import State
from gridsvc.domain.category import Category

NEAR_M: Final = 2_000.0
"""Farther away than this nobody is the nearest, and the beat's own officer goes."""

BY_HAND: Final = "by_hand"

SEND_WITHIN: Final = timedelta(seconds=15)
"""If nobody has been sent by then who is wanted, the reconciler says it again."""


def wanted_check(category: Category, state: State, source: str, *, located: bool, sampled: bool = False) -> str | None:
    """The check that the service sends somebody for by itself in this state; None: none, or one for the desk to ask.

    Before the filing only where no officer has seen it yet: whoever telephones, and a camera, may be mistaken.
    """
    kind = CHECKS.get(state)
    if state is State.CLOSED:
        return kind if sampled else None
    if kind not in category.checks or not located:
        return None
    return None if state is State.REPORTED and source == "officer" else kind


@dataclass(frozen=True, kw_only=True)
class Checker:
    """An officer on duty in the case's duty line. `distance_m` None: no position known."""

    officer_id: UUID
    of_the_beat: bool
    open_checks: int
    distance_m: float | None
    position_age: timedelta | None
    handled_it: bool  # he, or a department that he belongs to

    @property
    def near_m(self) -> float | None:
        """How near, where the position is fresh and near enough to count."""
        if self.distance_m is None or self.position_age is None or self.position_age > FRESH:
            return None
        return self.distance_m if self.distance_m <= NEAR_M else None


@dataclass(frozen=True, kw_only=True)
class Sent:
    """Who is sent, by which rule, and what was weighed (JSON's own types)."""

    officer_id: UUID
    rule: str
    reasons: dict[str, object]


@dataclass(frozen=True, kw_only=True)
class NobodyToSend:
    """Nobody on duty may go and look."""

    reasons: dict[str, object]


def choose_checker(candidates: Sequence[Checker]) -> Sent | NobodyToSend:
    """The nearest officer with a fresh position; where nobody is near, the beat's own with the fewest checks.

    Neither who handled the case nor anybody of the department that did (监管分离). On a tie the lowest id.
    """
    others = [each for each in candidates if not each.handled_it]
    near = min(
        (each for each in others if each.near_m is not None),
        key=lambda each: (each.near_m or 0.0, each.open_checks, str(each.officer_id)),
        default=None,
    )
    of_beat = min(
        (each for each in others if each.of_the_beat),
        key=lambda each: (each.open_checks, str(each.officer_id)),
        default=None,
    )
    best = near or of_beat
    reasons: dict[str, object] = {
        "candidates": [
            {
                "officer": str(each.officer_id),
                "of_the_beat": each.of_the_beat,
                "distance_m": None if each.near_m is None else round(each.near_m, 1),
                "open_checks": each.open_checks,
                "not_sent_because": _why_not(each, best),
            }
            for each in sorted(candidates, key=lambda each: str(each.officer_id))
        ]
    }
    if best is None:
        return NobodyToSend(reasons=reasons)
    return Sent(officer_id=best.officer_id, rule="nearest" if near else "of_the_beat", reasons=reasons)


def _why_not(candidate: Checker, best: Checker | None) -> str | None:
    if candidate.handled_it:
        return "handled the case, or is of the department that did"
    if best is None or candidate is best:
        return None if best else "no fresh position near by, and not of the beat"
    return "another is nearer" if best.near_m is not None else "another of the beat has fewer checks"
