"""What is wrong with an edition of routing rules in this city: names nobody knows, rules that are never reached, gaps.

Faults refuse an edition, warnings do not; all are found at once, each with its rule and field.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import time
from itertools import product
from typing import Final

from gridsvc.domain.category import Category
from gridsvc.domain.routing_rules import (
    Otherwise,
    RoutingEdition,
    RoutingRule,
    RuleFault,
    Target,
    When,
    folded,
)

SOURCES: Final = frozenset({"officer", "desk", "hotline", "partner", "camera", "resident"})
"""Sources of reports that are known although no case may have come from them yet."""

SEVERITIES: Final = ("low", "normal", "high", "emergency")
HANDLERS: Final = ("officer", "department")


@dataclass(frozen=True, kw_only=True)
class KnownTeam:
    """A team, and of each of its officers who can be chosen what he can do."""

    duty_line: str
    officers: tuple[frozenset[str], ...] = ()


@dataclass(frozen=True, kw_only=True)
class Known:
    """What rules may name. `divisions`: code -> codes from the top down to it; `departments`: code -> duty line."""

    divisions: Mapping[str, tuple[str, ...]]
    departments: Mapping[str, str]
    duty_lines: frozenset[str]
    sources: frozenset[str]
    skills: frozenset[str] = frozenset()
    teams: Mapping[str, KnownTeam] = field(default_factory=dict)


def check_rules(
    edition: RoutingEdition, known: Known, categories: Sequence[Category], default_edition: str | None
) -> list[RuleFault]:
    """Every fault and every warning of `edition`, in the order of its rules; `categories` are all there are."""
    active = [each for each in categories if each.active]
    covers = [_covers(rule.when, active, default_edition) for rule in edition.rules]
    faults: list[RuleFault] = []
    for place, rule in enumerate(edition.rules):
        faults += _names(rule, known, categories, default_edition)
        faults += _target(rule, known, covers[place])
        if not covers[place]:
            faults.append(_warning(rule, "when", "conditions that no category fits", "a category that fits them"))
        elif (earlier := _taken_by(edition, place, covers, known)) is not None:
            faults.append(
                _fault(
                    rule, "when", f"conditions of which {', '.join(earlier)} before it take everything",
                    "a place before them, or other conditions: it is never reached",
                )
            )  # fmt: skip
    return [*faults, *_gaps(edition, active, covers, known)]


def _fault(rule: RoutingRule | None, name: str, given: str, wanted: str) -> RuleFault:
    return RuleFault(rule=rule.code if rule else None, field=name, given=given, wanted=wanted)


def _warning(rule: RoutingRule | None, name: str, given: str, wanted: str) -> RuleFault:
    return RuleFault(rule=rule.code if rule else None, field=name, given=given, wanted=wanted, refuses=False)


# -- names ------------------------------------------------------------------------------------------------------


def _names(
    rule: RoutingRule, known: Known, categories: Sequence[Category], default_edition: str | None
) -> Iterator[RuleFault]:
    ids = {each.id for each in categories} | {each.code for each in categories if each.edition == default_edition}
    majors = {f"{each.edition}:{each.major}" for each in categories if each.major} | {
        each.major for each in categories if each.major and each.edition == default_edition
    }
    sources = known.sources | SOURCES
    wanted: tuple[tuple[str, Sequence[str], object, str], ...] = (
        ("categories", rule.when.categories, ids, "edition:code, or a code of the default edition"),
        ("majors", rule.when.majors, majors, "edition:code of a major class, or a code of the default edition"),
        ("divisions", rule.when.divisions, known.divisions, "a division of the grid set in force"),
        ("sources", rule.when.sources, sources, f"one of {', '.join(sorted(sources))}"),
        ("severities", rule.when.severities, SEVERITIES, f"one of {', '.join(SEVERITIES)}"),
        ("duty_lines", rule.when.duty_lines, known.duty_lines, f"one of {', '.join(sorted(known.duty_lines))}"),
        ("handled_by", rule.when.handled_by, HANDLERS, "officer or department"),
    )
    for name, given, there, what in wanted:
        for each in given:
            if each not in there:  # type: ignore[operator]
                yield _fault(rule, f"when.{name}", repr(each), what)


def _target(rule: RoutingRule, known: Known, covers: Sequence[Category]) -> Iterator[RuleFault]:
    for skill in rule.skills:
        if skill not in known.skills:
            yield _fault(rule, "skills", repr(skill), "a skill that somebody has")
    lines = {each.duty_line for each in covers}
    if rule.to is Target.TEAM:
        team = known.teams.get(rule.team or "")
        if team is None:
            yield _fault(rule, "team", repr(rule.team), f"one of {', '.join(sorted(known.teams)) or 'no teams yet'}")
        elif not team.officers:
            yield _fault(rule, "team", f"{rule.team!r}, which has no officer", "a team with officers")
        elif known.skills.issuperset(rule.skills) and not any(each.issuperset(rule.skills) for each in team.officers):
            yield _fault(rule, "skills", f"{', '.join(rule.skills)}, which nobody of {rule.team!r} has", "others")
        if team is not None and (others := sorted(lines - {team.duty_line})):
            yield _warning(rule, "team", f"{rule.team!r} of {team.duty_line}, for cases of {', '.join(others)}",
                           "a team of their duty line: it finds nobody for them")  # fmt: skip
    if rule.to is Target.DEPARTMENT:
        line = known.departments.get(rule.department or "")
        if line is None:
            yield _fault(rule, "department", repr(rule.department), "the code of a department")
        elif others := sorted(lines - {line}):
            yield _warning(rule, "department", f"{rule.department!r} of {line}, for cases of {', '.join(others)}",
                           "a department of their duty line")  # fmt: skip


# -- what a rule takes ------------------------------------------------------------------------------------------

_DAY: Final = 24 * 60
_WEEK: Final = 7 * _DAY
_ALWAYS: Final = (1 << _WEEK) - 1


def _covers(when: When, categories: Sequence[Category], default_edition: str | None) -> list[Category]:
    """The categories whose cases may fit, whatever else is asked of them."""
    return [
        each
        for each in categories
        if (not when.duty_lines or each.duty_line in when.duty_lines)
        and (not when.handled_by or each.handled_by in when.handled_by)
        and when.dispatches_itself in {None, each.dispatches_itself}
        and (when.about_component is not True or each.kind == "component")
        and (not when.severities or each.severity in when.severities)
        and (not when.categories or _is_named(each, each.code, when.categories, default_edition))
        and (not when.majors or (each.major is not None and _is_named(each, each.major, when.majors, default_edition)))
    ]


def _is_named(category: Category, code: str, wanted: Sequence[str], default_edition: str | None) -> bool:
    return f"{category.edition}:{code}" in wanted or (category.edition == default_edition and code in wanted)


@dataclass(frozen=True, kw_only=True)
class _Minutes:
    """The minutes of a week that fit, as bits by the clock; those after midnight belong to the day before."""

    own: int
    after_midnight: int
    when: When

    def left_by(self, earlier: _Minutes) -> _Minutes:
        """What a rule before leaves of these. On whether it is a working day the two must ask the same day."""
        taken = earlier.own | earlier.after_midnight
        if earlier.when.working_day is None or _same_nights(earlier.when, self.when):
            return replace(self, own=self.own & ~taken, after_midnight=self.after_midnight & ~taken)
        after = self.after_midnight if self.when.working_day is not None else self.after_midnight & ~earlier.own
        return replace(self, own=self.own & ~earlier.own, after_midnight=after)


def _same_nights(earlier: When, later: When) -> bool:
    days = set(range(1, 8))
    return (
        earlier.working_day == later.working_day
        and bool(later.hours)
        and set(later.hours) <= set(earlier.hours)
        and set(later.weekdays or days) <= set(earlier.weekdays or days)
    )


def _minutes(when: When) -> _Minutes:
    own = after_midnight = 0
    for day in when.weekdays or range(1, 8):
        begins = (day - 1) * _DAY
        for hours in when.hours or (None,):
            if hours is None:
                own |= ((1 << _DAY) - 1) << begins
                continue
            start, length = _of_day(hours.starts), (_of_day(hours.ends) - _of_day(hours.starts)) % _DAY
            before = min(length, _DAY - start)
            own |= ((1 << before) - 1) << (begins + start)
            after_midnight |= ((1 << length - before) - 1) << ((begins + _DAY) % _WEEK)
    return _Minutes(own=own, after_midnight=after_midnight, when=when)


def _of_day(at: time) -> int:
    return at.hour * 60 + at.minute


def _ends(rule: RoutingRule, category: Category) -> bool:
    """Whether a case of `category` that fits the rule never goes on to the next one."""
    if rule.otherwise is Otherwise.POOL or rule.to in {Target.POOL, Target.DEPARTMENT}:
        return True
    return rule.to is Target.CATEGORY_DEPARTMENT and category.department is not None


@dataclass(frozen=True, kw_only=True)
class _Atom:
    """Cases that no condition but those on place, words and time tells apart."""

    category: Category
    about_component: bool
    working_day: bool
    source: str | None  # None: any that no rule names


def _atoms(edition: RoutingEdition, when: When, categories: Sequence[Category]) -> Iterator[_Atom]:
    named: set[str | None] = {None, *(source for rule in edition.rules for source in rule.when.sources)}
    sources = sorted((named & set(when.sources)) if when.sources else named, key=str)
    days = sorted({rule.when.working_day for rule in edition.rules} - {None}, key=str) and (False, True)
    for category, source in product(categories, sources):
        about = (False, True) if category.kind == "component" else (False,)
        for is_about, works in product(about, days or (True,)):
            if when.about_component in {None, is_about} and when.working_day in {None, works}:
                yield _Atom(category=category, about_component=is_about, working_day=works, source=source)


def _fits(when: When, atom: _Atom) -> bool:
    """What `_covers` does not ask."""
    return (
        when.about_component in {None, atom.about_component}
        and when.working_day in {None, atom.working_day}
        and (not when.sources or atom.source in when.sources)
    )


def _holds_everywhere(when: When, inside: When, known: Known) -> bool:
    """Whether the conditions on place and words hold wherever those of `inside` do."""
    return _places(when, inside.divisions, known) and (
        not when.keywords
        or (
            bool(inside.keywords)
            and all(any(folded(mine) in folded(word) for mine in when.keywords) for word in inside.keywords)
        )
    )


def _places(when: When, inside: Sequence[str], known: Known) -> bool:
    if not when.divisions:
        return True
    tops = [code for code, path in known.divisions.items() if len(path) == 1]
    return all(
        any(mine in known.divisions.get(each, (each,)) for mine in when.divisions) for each in (inside or tops or [""])
    )


def _taken_by(
    edition: RoutingEdition, place: int, covers: Sequence[Sequence[Category]], known: Known
) -> list[str] | None:
    """The rules before it that together take every case that would fit the rule; None: some are left to it."""
    mine = edition.rules[place].when
    before = [
        (rule, {each.id for each in covers[at]}, _minutes(rule.when))
        for at, rule in enumerate(edition.rules[:place])
        if _holds_everywhere(rule.when, mine, known)
    ]
    wanted, taking = _minutes(mine), set()
    for atom in _atoms(edition, mine, covers[place]):
        left = wanted
        for rule, ids, minutes in before:
            if atom.category.id not in ids or not _fits(rule.when, atom) or not _ends(rule, atom.category):
                continue
            rest = left.left_by(minutes)
            if rest != left:
                left = rest
                taking.add(rule.code)
        if left.own | left.after_midnight:
            return None
    return [rule.code for rule in edition.rules[:place] if rule.code in taking]


# -- gaps -------------------------------------------------------------------------------------------------------

_SHOWN: Final = 5


def _gaps(
    edition: RoutingEdition, categories: Sequence[Category], covers: Sequence[Sequence[Category]], known: Known
) -> Iterator[RuleFault]:
    """Cases that every rule may pass by, by category and condition; they would stand in the pool without a rule."""
    anybody = When()
    rules = [
        (rule, {each.id for each in covers[at]}, _minutes(rule.when))
        for at, rule in enumerate(edition.rules)
        if _holds_everywhere(rule.when, anybody, known)
    ]
    gaps: dict[str, list[str]] = defaultdict(list)
    for atom in _atoms(edition, anybody, categories):
        rest = _minutes(anybody)
        for rule, ids, minutes in rules:
            if atom.category.id in ids and _fits(rule.when, atom) and _ends(rule, atom.category):
                rest = rest.left_by(minutes)
        left = rest.own
        # What nobody takes from wherever it comes need not be said of each source.
        texts = {_words(each, left, edition) for each in (replace(atom, source=None), atom)}
        if left and not any(atom.category.id in gaps.get(text, ()) for text in texts):
            gaps[_words(atom, left, edition)].append(atom.category.id)
    for text, names in gaps.items():
        shown = ", ".join(names[:_SHOWN]) + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")
        yield _warning(None, "rules", f"no rule that takes {shown}{text}", "a last rule without conditions")


def _words(atom: _Atom, left: int, edition: RoutingEdition) -> str:
    said = ""
    if any(rule.when.about_component is not None for rule in edition.rules) and atom.category.kind == "component":
        said += " about a component" if atom.about_component else " without a component"
    if any(rule.when.working_day is not None for rule in edition.rules):
        said += " on working days" if atom.working_day else " on days off"
    if atom.source is not None:
        said += f" from {atom.source}"
    return said + ("" if left == _ALWAYS else f" at {_moment(left)} among other times")


def _moment(left: int) -> str:
    first = (left & -left).bit_length() - 1
    day, minute = divmod(first, 24 * 60)
    return f"{('Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat', 'Sun')[day]} {minute // 60:02d}:{minute % 60:02d}"
