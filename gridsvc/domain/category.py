"""What may be reported: a class of component (部件) or event (事件) of one edition, with its rules.

A category belongs to its edition; editions contradict each other and stand side by side. Which of a
category's limits holds is written in docs/rules/categories.md and decided by `Category.limit_for`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from gridsvc.domain.attribute import Attribute
from gridsvc.domain.case_state import Clock
from gridsvc.domain.deadline import LimitUnit
from gridsvc.errors import UnknownCondition

HANDLING: Final = "handling"
"""The stage that every category has a limit for; limits of the other stages (STAGES) are asked before the desks'."""

STAGES: Final = tuple(str(clock) for clock in Clock if clock is not Clock.SUPERVISION)
"""Stages that a category may set a limit for: the clocks by their names. An order says itself how long it waits."""

CHECKS: Final = ("pre_filing_check", "closing_check")
"""Checks that a category may ask for, so that the service sends somebody by itself."""

LEVELS: Final = ("A", "B", "C")
"""Management levels of an area (管理级别), the most demanding first."""

EVIDENCE: Final = ("report", "before", "after")
"""Photographs that a category may ask for: with the report, from before the work, from after it."""

DUPLICATE_RADIUS_M: Final = 50.0
DUPLICATE_WINDOW_H: Final = 24.0
"""The same class within 50 m and 24 h is likely the same matter: what a deployed city in Shanxi asks."""


@dataclass(frozen=True, kw_only=True)
class Condition:
    """One filing condition (立案条件) and what must be so to close (结案条件)."""

    code: str  # within its category
    says: str
    closing: str = ""
    is_default: bool = False  # whose limit holds where nobody has said which condition it is


@dataclass(frozen=True, kw_only=True)
class CategoryLimit:
    """A limit and what it holds for; None: whatever the condition, on every management level."""

    amount: float
    unit: LimitUnit
    condition: str | None = None
    management_level: str | None = None
    stage: str = HANDLING


@dataclass(frozen=True, kw_only=True)
class Category:
    """What may be reported, who handles it and by when. `limits` are those more exact than its own."""

    edition: str
    code: str
    kind: str  # component | event
    name: str
    name_en: str
    duty_line: str
    department: str | None
    handled_by: str  # officer | department
    severity: str
    files_itself: bool
    limit_amount: float
    limit_unit: LimitUnit
    calendar: str
    ladder: str
    active: bool
    major: str | None = None
    major_name: str = ""
    major_name_en: str = ""
    dispatches_itself: bool = True
    attributes: tuple[Attribute, ...] = ()  # what a report says besides its words
    evidence: tuple[str, ...] = ()  # of EVIDENCE
    duplicate_radius_m: float = DUPLICATE_RADIUS_M
    duplicate_window_h: float = DUPLICATE_WINDOW_H
    checks: tuple[str, ...] = ()  # of CHECKS
    conditions: tuple[Condition, ...] = ()
    limits: tuple[CategoryLimit, ...] = ()

    @property
    def id(self) -> str:
        """edition:code, as reports may name it."""
        return f"{self.edition}:{self.code}"

    @property
    def default_condition(self) -> Condition | None:
        """The condition that counts where nobody has said which it is."""
        return next((each for each in self.conditions if each.is_default), None)

    def condition(self, code: str) -> Condition:
        """The condition of that code. Raises UnknownCondition, which lists those there are."""
        found = next((each for each in self.conditions if each.code == code), None)
        if found is None:
            raise UnknownCondition(
                f"category {self.id} has no condition {code!r}",
                field="condition",
                given=code,
                wanted=[f"{each.code}: {each.says}" for each in self.conditions] or "none: leave it out",
            )
        return found

    def limit_for(self, condition: str | None, management_level: str | None) -> CategoryLimit:
        """The most exact limit of the handling: condition and level, the condition, the level, the category's own.

        Without a condition the default one counts. The answer says what it was given for.
        """
        own = CategoryLimit(amount=self.limit_amount, unit=self.limit_unit)
        return self.stage_limit(HANDLING, condition, management_level) or own

    def stage_limit(self, stage: str, condition: str | None, management_level: str | None) -> CategoryLimit | None:
        """The most exact limit that is written for `stage`, in the same order; None: none is."""
        default = self.default_condition
        counts = condition or (default.code if default else None)
        for wanted in ((counts, management_level), (counts, None), (None, management_level), (None, None)):
            for each in self.limits:
                if (each.condition, each.management_level, each.stage) == (*wanted, stage):
                    return each
        return None


def missing_evidence(category: Category, moment: str, given: Sequence[object]) -> str | None:
    """What is missing where `given` was brought for `moment` (one of EVIDENCE); None: nothing is."""
    if given or moment not in category.evidence:
        return None
    return f"category {category.id} asks for a photograph: {moment}"
