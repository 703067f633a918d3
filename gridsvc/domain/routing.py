"""Who answers for a case: the choice, its reason, and why each other candidate lost.

Where the category is handled by a department, the department owns it; a case about a component goes to the
department that the register names for it. Otherwise one officer of the
cell's beat (gridsvc/domain/candidates.py). The same facts always give the same answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from gridsvc.domain.candidates import Candidate, Choice, NobodyFree, choose_officer
from gridsvc.domain.component import UNKNOWN, Answering

EDITION: Final = 3
"""Of these rules; kept on every assignment."""

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
    return choose_officer(beat, candidates)


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
