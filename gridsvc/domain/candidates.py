"""Which of several officers gets a case, and why each of the others did not.

Of those on duty, with room, who have every skill that is wanted and were not tried before in this cycle: the least
loaded, among those the nearest with a fresh position, and on a tie the lowest id. The same facts always give the
same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

FRESH: Final = timedelta(minutes=30)
"""An older position says nothing about how near an officer is (Resgrid uses the same 1,800 s)."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An officer of the beat. `distance_m` None: no position known."""

    officer_id: UUID
    on_duty: bool
    open_cases: int
    most_open: int
    distance_m: float | None
    position_age: timedelta | None
    already_tried: bool = False
    skills: frozenset[str] = frozenset()
    fresh_for: timedelta = FRESH  # as the edition of the routing rules says

    @property
    def fresh_distance_m(self) -> float | None:
        """How near, where the position is fresh enough to say."""
        if self.distance_m is None or self.position_age is None or self.position_age > self.fresh_for:
            return None
        return self.distance_m


@dataclass(frozen=True, kw_only=True)
class Choice:
    """Who, by which rule, and everything that was weighed (JSON's own types)."""

    rule: str
    reasons: dict[str, object]
    officer_id: UUID | None = None
    department: str | None = None


@dataclass(frozen=True, kw_only=True)
class NobodyFree:
    """Nobody can take the case: it waits in the pool, and why is told."""

    why: str
    reasons: dict[str, object]
    try_again: bool = True  # by itself; else it is for a person to send on


def choose_officer(
    beat: str,
    candidates: Sequence[Candidate],
    *,
    rule: str = "officer_of_the_beat",
    skills: Sequence[str] = (),
    whose: str = "the beat",
) -> Choice | NobodyFree:
    """Pick one of the `candidates` of a beat by what the module says; whoever lacks one of `skills` is out.

    `whose` is said where nobody is left: of a beat, or of a team.

    NobodyFree where none is left, also of no candidates at all.
    """
    free = [c for c in candidates if _unfit(c, skills) is None]
    best = min(free, key=_rank) if free else None
    reasons: dict[str, object] = {
        "beat": beat,
        "candidates": [
            {
                "officer": str(c.officer_id),
                "on_duty": c.on_duty,
                "open_cases": c.open_cases,
                "most_open": c.most_open,
                "distance_m": None if c.fresh_distance_m is None else round(c.fresh_distance_m, 1),
                "lost_because": _unfit(c, skills) or (None if best is None or c is best else _behind(c, best)),
            }
            for c in sorted(candidates, key=_rank)
        ],
    }
    if best is None:
        return NobodyFree(why=_nobody_because(candidates, whose, skills), reasons=reasons)
    return Choice(rule=rule, officer_id=best.officer_id, reasons=reasons)


def _rank(candidate: Candidate) -> tuple[int, float, str]:
    distance = candidate.fresh_distance_m
    return candidate.open_cases, float("inf") if distance is None else distance, str(candidate.officer_id)


def _unfit(candidate: Candidate, skills: Sequence[str]) -> str | None:
    if not candidate.on_duty:
        return "off duty"
    if lacking := sorted(set(skills) - candidate.skills):
        return f"lacks a skill: {', '.join(lacking)}"
    if candidate.already_tried:
        return "did not take it before"
    if candidate.open_cases >= candidate.most_open:
        return f"full: {candidate.open_cases} of {candidate.most_open} open"
    return None


def _behind(candidate: Candidate, best: Candidate) -> str:
    if candidate.open_cases > best.open_cases:
        return f"{candidate.open_cases} open cases, the chosen one {best.open_cases}"
    mine, theirs = candidate.fresh_distance_m, best.fresh_distance_m
    if mine is None and theirs is not None:
        return "no fresh position"
    if mine is not None and theirs is not None and mine > theirs:
        return f"{mine - theirs:.0f} m farther"
    return "a full tie goes to the lower id"


def _nobody_because(candidates: Sequence[Candidate], whose: str, skills: Sequence[str]) -> str:
    if not candidates:
        return f"{whose} has no officer"
    if not any(c.on_duty for c in candidates):
        return f"no officer of {whose} is on duty"
    if skills and not any(c.on_duty and c.skills.issuperset(skills) for c in candidates):
        return f"no officer of {whose} on duty has the skills: {', '.join(sorted(skills))}"
    return "every officer on duty is full or did not take it before"
