"""Who answers for a case: the choice, its reason, and why each other candidate lost.

Where the category is handled by a department, the department owns it; a case about a component goes to the
department that the register names for it. Otherwise one officer of the
cell's beat: on duty, with room, not already tried in this cycle; the least loaded of them, among
those the nearest with a fresh position, and on a tie the lowest id. The same facts always give the
same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

from gridsvc.domain.component import UNKNOWN, Answering

EDITION: Final = 2
"""Of these rules; kept on every assignment."""

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

    @property
    def fresh_distance_m(self) -> float | None:
        """How near, where the position is fresh enough to say."""
        if self.distance_m is None or self.position_age is None or self.position_age > FRESH:
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


BY_HAND: Final = NobodyFree(why="a dispatcher sends on every case of this category", reasons={"by_hand": True})
"""What is said of a case whose category does not dispatch itself: a person chooses."""


def choose_owner(
    handled_by: str, department: str | None, beat: str | None, candidates: Sequence[Candidate]
) -> Choice | NobodyFree:
    """Pick who answers for a case of a category that is `handled_by` officer or department."""
    if handled_by == "department":
        return Choice(rule="department_of_the_category", department=department, reasons={"department": department})
    if beat is None:
        return NobodyFree(why="the cell lies in no beat of this duty line", reasons={"beat": None, "candidates": []})
    return _choose_officer(beat, candidates)


def asks_the_register(kind: str, handled_by: str) -> bool:
    """Whether the component that a case names decides its department: it is about the thing, and departments handle."""
    return kind == "component" and handled_by == "department"


def choose_for_component(component: Answering, category_department: str | None) -> Choice | NobodyFree:
    """The department that answers for a component: who maintains it, else who owns it, else the category's.

    An owner that the register calls unknown is nobody, not the category's department: that would be a guess.
    """
    reasons: dict[str, object] = {
        "component": component.code,
        "maintaining": component.maintaining,
        "owning": UNKNOWN if component.owner_unknown else component.owning,
        "department_of_the_category": category_department,
    }
    if component.maintaining is not None:
        return Choice(rule="maintainer_of_the_component", department=component.maintaining, reasons=reasons)
    if component.owning is not None:
        return Choice(rule="owner_of_the_component", department=component.owning, reasons=reasons)
    if component.owner_unknown:
        return NobodyFree(why=f"nobody knows whose component {component.code} is ({UNKNOWN})", reasons=reasons)
    return Choice(rule="department_of_the_category", department=category_department, reasons=reasons)


def _choose_officer(beat: str, candidates: Sequence[Candidate]) -> Choice | NobodyFree:
    free = [c for c in candidates if _unfit(c) is None]
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
                "lost_because": _unfit(c) or (None if best is None or c is best else _behind(c, best)),
            }
            for c in sorted(candidates, key=_rank)
        ],
    }
    if best is None:
        return NobodyFree(why=_nobody_because(candidates), reasons=reasons)
    return Choice(rule="officer_of_the_beat", officer_id=best.officer_id, reasons=reasons)


def _rank(candidate: Candidate) -> tuple[int, float, str]:
    distance = candidate.fresh_distance_m
    return candidate.open_cases, float("inf") if distance is None else distance, str(candidate.officer_id)


def _unfit(candidate: Candidate) -> str | None:
    if not candidate.on_duty:
        return "off duty"
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


def _nobody_because(candidates: Sequence[Candidate]) -> str:
    if not candidates:
        return "the beat has no officer"
    if not any(c.on_duty for c in candidates):
        return "no officer of the beat is on duty"
    return "every officer on duty is full or did not take it before"
