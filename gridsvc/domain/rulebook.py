"""The rules in force: categories, calendars, ladders and the limits of the desks, as one value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from gridsvc.domain.calendar import Calendar
from gridsvc.domain.call_back import CallBackRule
from gridsvc.domain.calling import CallRound
from gridsvc.domain.case_state import Clock
from gridsvc.domain.category import Category
from gridsvc.domain.deadline import Budget, ClockUnit, budget_of
from gridsvc.domain.escalation import Rung
from gridsvc.domain.ladder import GENERAL, LadderUse, chosen
from gridsvc.domain.reasons import REASONS, Reasons
from gridsvc.domain.routing_rules import DEFAULT, RoutingEdition
from gridsvc.errors import Unavailable, UnknownCategory


@dataclass(frozen=True)
class Limit:
    """The budget of one clock and the ladder that stands beside it."""

    budget: Budget
    ladder: str
    calendar: Calendar | None
    case_calendar: Calendar | None = field(default=None, compare=False)  # by which rungs wait on a natural clock
    ladder_edition: int = field(default=1, compare=False)


@dataclass(frozen=True, kw_only=True)
class CalendarUses:
    """Where another calendar than the category's own holds, by code."""

    by_department: Mapping[str, str] = field(default_factory=dict)
    by_division: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Rulebook:
    """Everything of the rules that a decision may ask for; `revision` tells one state of it from another."""

    revision: int
    zone: ZoneInfo
    default_edition: str | None
    categories: Mapping[tuple[str, str], Category]
    calendars: Mapping[str, Calendar]
    ladders: Mapping[str, tuple[Rung, ...]]
    stage_limits: Mapping[Clock, tuple[int, str]]
    calendar_uses: CalendarUses = field(default_factory=CalendarUses)
    stage_limits_by_severity: Mapping[tuple[Clock, str], tuple[int, str]] = field(default_factory=dict)
    call_rounds: tuple[CallRound, ...] = ()
    call_backs: Mapping[str, CallBackRule] = field(default_factory=dict)  # by level
    reasons: Reasons = field(default_factory=lambda: REASONS)  # by move
    routing: RoutingEdition = DEFAULT
    ladder_edition: int = 1
    ladder_uses: tuple[LadderUse, ...] = ()

    def category(self, name: str) -> Category:
        """The active category named `edition:code`, or `code` of the default edition.

        Raises UnknownCategory, also for one that is no longer active.
        """
        edition, _, code = name.rpartition(":")
        edition = edition or self.default_edition or ""
        found = self.categories.get((edition, code))
        if found is None or not found.active:
            raise UnknownCategory(
                f"no category {name!r} is in force", given=name, wanted="a code of GET /api/v1/categories"
            )
        return found

    def limit(
        self,
        clock: Clock,
        category: Category,
        *,
        condition: str | None = None,
        management_level: str | None = None,
        divisions: Sequence[str] = (),
        department: str | None = None,
    ) -> Limit:
        """How long `clock` may run for a case of `category`.

        `condition` and `management_level` choose among the category's limits, `divisions` (from the top
        down) and `department` the calendar: that of a part is the calendar of the department that does it.
        """
        given = (
            category.limit_for(condition, management_level)
            if clock in {Clock.HANDLING, Clock.CO_HANDLING}
            else category.stage_limit(clock, condition, management_level)
        )
        calendar = self.calendar_for(category, divisions, department)
        ladder = self.ladder_for(clock, category, divisions, department)
        if given is None:
            budget = self._stage_limit(clock, category.severity)
        else:
            budget = budget_of(given.amount, given.unit, calendar.work_day)
        runs_by = None if budget.unit is ClockUnit.NATURAL else calendar
        return Limit(budget, ladder, runs_by, calendar, self.ladder_edition)

    def _stage_limit(self, clock: Clock, severity: str) -> Budget:
        """The city's own limit of a stage: that of the severity, else the one for all others."""
        given = self.stage_limits_by_severity.get((clock, severity)) or self.stage_limits.get(clock)
        if given is None:
            raise Unavailable(f"nobody has set how long {clock} may take; load the starter rules: gridsvc starter")
        return Budget(ClockUnit.NATURAL, given[0])

    def ladder_for(
        self, clock: Clock, category: Category, divisions: Sequence[str], department: str | None
    ) -> str:
        """The ladder beside `clock`: a category's own, else the most exact of the uses, else that of the limit.

        The desks' limit of one severity counts as a use for that severity.
        """
        if clock is Clock.HANDLING and category.ladder != GENERAL:
            return category.ladder
        uses = self.ladder_uses
        of_severity = self.stage_limits_by_severity.get((clock, category.severity))
        if of_severity is not None:
            uses = (*uses, LadderUse(clock=clock, severity=category.severity, ladder=of_severity[1]))
        use = chosen(uses, clock, category.severity, divisions, category.duty_line, department)
        if use is not None:
            return use.ladder
        given = self.stage_limits.get(clock)
        return category.ladder if clock is Clock.HANDLING else str(clock) if given is None else given[1]

    def runs(self, clock: Clock, category: Category, condition: str | None, management_level: str | None) -> bool:
        """Whether a clock that runs only where somebody has set a limit for it (BESIDE) runs for such a case."""
        return clock in self.stage_limits or category.stage_limit(clock, condition, management_level) is not None

    def calendar_for(self, category: Category, divisions: Sequence[str], department: str | None) -> Calendar:
        """The calendar that holds where a case lies: the most specific one wins.

        The department's; else that of the deepest of `divisions` (codes from the top down) that has one;
        else the category's own, which is the city's.
        """
        uses = self.calendar_uses
        if department is not None and department in uses.by_department:
            return self.calendars[uses.by_department[department]]
        deepest = next((code for code in reversed(divisions) if code in uses.by_division), None)
        return self.calendars[category.calendar if deepest is None else uses.by_division[deepest]]

    def calendar(self, code: str | None) -> Calendar | None:
        """The calendar of a clock; None for a clock that runs by nature."""
        return None if code is None else self.calendars[code]

    def ladder(self, name: str) -> tuple[Rung, ...]:
        """The rungs of a ladder from the lowest up; empty for one that nobody has written."""
        return self.ladders.get(name, ())
