"""The rules in force: categories, calendars, ladders and the limits of the desks, as one value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from gridsvc.domain.calendar import Calendar
from gridsvc.domain.case import Clock
from gridsvc.domain.category import Category
from gridsvc.domain.deadline import Budget, ClockUnit, budget_of
from gridsvc.domain.escalation import Rung
from gridsvc.errors import Unavailable, UnknownCategory


@dataclass(frozen=True)
class Limit:
    """The budget of one clock and the ladder that stands beside it."""

    budget: Budget
    ladder: str
    calendar: Calendar | None


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
        self, clock: Clock, category: Category, condition: str | None = None, management_level: str | None = None
    ) -> Limit:
        """How long `clock` may run for a case of `category`, under its condition, in an area of its level."""
        if clock is Clock.HANDLING:
            given = category.limit_for(condition, management_level)
            budget = budget_of(given.amount, given.unit)
            calendar = self.calendars[category.calendar] if budget.unit is ClockUnit.WORK else None
            return Limit(budget, category.ladder, calendar)
        if clock not in self.stage_limits:
            raise Unavailable(f"nobody has set how long {clock} may take; load the starter rules: gridsvc starter")
        seconds, ladder = self.stage_limits[clock]
        return Limit(Budget(ClockUnit.NATURAL, seconds), ladder, None)

    def calendar(self, code: str | None) -> Calendar | None:
        """The calendar of a clock; None for a clock that runs by nature."""
        return None if code is None else self.calendars[code]

    def ladder(self, name: str) -> tuple[Rung, ...]:
        """The rungs of a ladder from the lowest up; empty for one that nobody has written."""
        return self.ladders.get(name, ())
