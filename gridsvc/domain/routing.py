"""Who answers for a case: the rules of one edition in their order, the choice, and why it was not another.

The first rule whose conditions all hold, and whose target finds somebody, decides; what a target that finds nobody
means is the rule's own to say. The same inputs always give the same answer, so a decision can be made again from
what was kept of it (docs/rules/routing.md).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import date, datetime, timedelta
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from gridsvc.domain.candidates import Candidate, Choice, NobodyFree, choose_officer
from gridsvc.domain.component import UNKNOWN, Answering
from gridsvc.domain.routing_rules import (
    Otherwise,
    RoutingEdition,
    RoutingRule,
    Target,
    When,
    folded,
)


@dataclass(frozen=True, kw_only=True)
class Inputs:
    """What conditions may ask of a case, as it is when it is routed. `local` is by the city's clocks, without a zone.

    `words` is what was said; None where only its digest is kept, and it is no more what it was.
    """

    category: str  # edition:code
    of_default: bool  # whether that edition is the one that codes without an edition mean
    major: str | None
    kind: str
    handled_by: str
    dispatches_itself: bool
    department: str | None  # the category's
    duty_line: str
    severity: str
    source: str
    divisions: tuple[str, ...]  # from the top down
    local: datetime
    working_day: bool
    working_day_before: bool  # the day before, to which the hours after midnight may belong
    beat: str | None
    component: Answering | None
    words: str | None

    @property
    def about_component(self) -> bool:
        """Whether the case is about the component that it names: flyers on a lamp are not the lamp's."""
        return self.component is not None and self.kind == "component"

    @cached_property
    def folded(self) -> str:
        """What was said, as keywords are compared. Raises NotKept."""
        if self.words is None:
            raise NotKept("description")
        return folded(self.words)


class NotKept(Exception):
    """A rule asks for an input that was not kept with the decision."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


# -- conditions -------------------------------------------------------------------------------------------------


def why_not(when: When, case: Inputs) -> str | None:
    """The first condition that does not hold; None: all do.

    Asked for every rule of every case, so nothing is built that is not needed (a table of checks took three times
    as long).
    """
    if when.duty_lines and case.duty_line not in when.duty_lines:
        return "duty_lines"
    if when.handled_by and case.handled_by not in when.handled_by:
        return "handled_by"
    if when.dispatches_itself is not None and when.dispatches_itself is not case.dispatches_itself:
        return "dispatches_itself"
    if when.about_component is not None and when.about_component is not case.about_component:
        return "about_component"
    if when.categories and not _named(case.category, case.of_default, when.categories):
        return "categories"
    if when.majors and not _major(case, when.majors):
        return "majors"
    if when.severities and case.severity not in when.severities:
        return "severities"
    if when.sources and case.source not in when.sources:
        return "sources"
    if when.divisions and set(when.divisions).isdisjoint(case.divisions):
        return "divisions"
    if failed := _not_now(when, case):
        return failed
    return "keywords" if when.keywords and not keywords_in(when, case) else None


def keywords_in(when: When, case: Inputs) -> list[str]:
    """Which of the keywords stand in what was said, as parts of it: letters' case and width make no difference."""
    return [word for word in when.keywords if folded(word) in case.folded]


def _named(name: str, of_default: bool, wanted: Sequence[str]) -> bool:
    return name in wanted or (of_default and name.rpartition(":")[2] in wanted)


def _major(case: Inputs, wanted: Sequence[str]) -> bool:
    edition = case.category.rpartition(":")[0]
    return case.major is not None and _named(f"{edition}:{case.major}", case.of_default, wanted)


def _not_now(when: When, case: Inputs) -> str | None:
    """The hours after midnight belong to the day on which their stretch began, as those of a shift do."""
    if not when.hours and not when.weekdays and when.working_day is None:
        return None
    today = case.local.date()
    days: list[date] = [today]
    if when.hours:
        days = [day for each in when.hours if (day := each.day_of(case.local)) is not None]
        if not days:
            return "hours"
    if when.weekdays:
        days = [day for day in days if day.isoweekday() in when.weekdays]
        if not days:
            return "weekdays"
    if when.working_day is not None:
        works = {day: case.working_day if day == today else case.working_day_before for day in days}
        if when.working_day not in works.values():
            return "working_day"
    return None


# -- targets ----------------------------------------------------------------------------------------------------


def source_of(rule: RoutingRule, case: Inputs) -> str | None:
    """Whose officers a rule weighs: `beat:<code>` or `team:<code>`; None: none, or the cell lies in no beat."""
    if rule.to is Target.TEAM:
        return f"team:{rule.team}"
    return f"beat:{case.beat}" if rule.to is Target.BEAT_OFFICER and case.beat is not None else None


def sources_wanted(edition: RoutingEdition, case: Inputs) -> list[str]:
    """Whose officers must be known before `choose_owner` can choose, in the order in which it looks at them."""
    wanted: list[str] = []
    for rule in edition.rules:
        if why_not(rule.when, case) is not None:
            continue
        source = source_of(rule, case)
        if source is not None and source not in wanted:
            wanted.append(source)
        if rule.otherwise is Otherwise.POOL or (source is None and isinstance(_without(rule, case), Choice)):
            break
    return wanted


def choose_owner(
    edition: RoutingEdition, case: Inputs, weighed: Mapping[str, Sequence[Candidate]]
) -> Choice | NobodyFree:
    """Who gets the case by the rules of `edition`; `weighed` are the officers of `sources_wanted`, by their source."""
    passed: list[dict[str, object]] = []
    for rule in edition.rules:
        failed = why_not(rule.when, case)
        if failed is not None:
            passed.append({"rule": rule.code, "because": failed})
            continue
        found = _found(edition, rule, case, weighed)
        if isinstance(found, NobodyFree) and rule.otherwise is Otherwise.NEXT:
            passed.append({"rule": rule.code, "because": "nobody", "why": found.why, **_candidates(found)})
            continue
        return _explained(found, edition, rule, case, passed)
    nobody = NobodyFree(why=f"no rule of edition {edition.number} fits", reasons={})
    return replace(nobody, reasons={"rule": None, "edition": edition.number, "passed": passed})


def _found(
    edition: RoutingEdition, rule: RoutingRule, case: Inputs, weighed: Mapping[str, Sequence[Candidate]]
) -> Choice | NobodyFree:
    source = source_of(rule, case)
    if source is None:
        return _without(rule, case)
    kind, _, code = source.partition(":")
    candidates, fresh_for = weighed[source], edition.fresh_for
    if any(each.fresh_for != fresh_for for each in candidates):
        candidates = [replace(each, fresh_for=fresh_for) for each in candidates]
    found = choose_officer(code, candidates, rule=rule.code, skills=rule.skills, whose=f"the {kind}")
    reasons = found.reasons
    if kind == "team":
        reasons = {"team": code, **{name: value for name, value in reasons.items() if name != "beat"}}
    if rule.skills:
        reasons = {**reasons, "skills": list(rule.skills)}
    return replace(found, reasons=reasons)


def _without(rule: RoutingRule, case: Inputs) -> Choice | NobodyFree:
    """What a target finds that weighs nobody."""
    match rule.to:
        case Target.POOL:
            return NobodyFree(why=rule.reason, reasons={"by_hand": not rule.try_again}, try_again=rule.try_again)
        case Target.DEPARTMENT:
            return _department(rule, rule.department)
        case Target.CATEGORY_DEPARTMENT:
            return _department(rule, case.department)
        case Target.COMPONENT_REGISTER:
            if case.component is None:
                return NobodyFree(why="the case names no component", reasons={"component": None})
            return choose_for_component(case.component, case.department, rule.code)
        case _:
            return NobodyFree(
                why="the cell lies in no beat of this duty line", reasons={"beat": None, "candidates": []}
            )


def _department(rule: RoutingRule, department: str | None) -> Choice | NobodyFree:
    if department is None:
        return NobodyFree(why="the category names no department", reasons={"department": None})
    return Choice(rule=rule.code, department=department, reasons={"department": department})


def choose_for_component(component: Answering, category_department: str | None, rule: str) -> Choice | NobodyFree:
    """The department that answers for a component: who maintains it, else who owns it, else the category's.

    An owner that the register calls unknown is nobody, not the category's department: that would be a guess.
    """
    by, department = "department_of_the_category", category_department
    if component.maintaining is not None:
        by, department = "maintainer_of_the_component", component.maintaining
    elif component.owning is not None:
        by, department = "owner_of_the_component", component.owning
    reasons: dict[str, object] = {
        "by": by,
        "component": component.code,
        "maintaining": component.maintaining,
        "owning": UNKNOWN if component.owner_unknown else component.owning,
        "department_of_the_category": category_department,
    }
    if by == "department_of_the_category" and (component.owner_unknown or department is None):
        why = f"nobody knows whose component {component.code} is ({UNKNOWN})"
        return NobodyFree(why=why, reasons=reasons | {"by": None})
    return Choice(rule=rule, department=department, reasons=reasons)


def _candidates(found: NobodyFree) -> dict[str, object]:
    return {name: found.reasons[name] for name in ("beat", "team", "candidates") if name in found.reasons}


def _explained(
    found: Choice | NobodyFree,
    edition: RoutingEdition,
    rule: RoutingRule,
    case: Inputs,
    passed: list[dict[str, object]],
) -> Choice | NobodyFree:
    said: dict[str, object] = {"rule": rule.code, "edition": edition.number, "passed": passed}
    if rule.when.keywords:
        said["keywords"] = keywords_in(rule.when, case)
    return replace(found, reasons={**found.reasons, **said})


# -- what is kept of a decision ---------------------------------------------------------------------------------

_INPUTS: Final = tuple(each.name for each in fields(Inputs))
_CANONICAL: Final = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def kept(case: Inputs, weighed: Mapping[str, Sequence[Candidate]]) -> dict[str, object]:
    """Everything that the decision may have depended on, in JSON's own types: `decided_on` reads it back.

    Of what was said only a digest: people's words stand in one place, the case.
    """
    facts: dict[str, object] = {
        "inputs": {
            **{name: getattr(case, name) for name in _INPUTS},
            "divisions": list(case.divisions),
            "local": case.local.isoformat(timespec="seconds"),
            "component": None if case.component is None else asdict(case.component),
            "words": words_digest(case.words or ""),
        },
        "weighed": {source: [_candidate_out(each) for each in found] for source, found in weighed.items()},
    }
    return {**facts, "seal": seal(facts)}


def decided_on(facts: Mapping[str, Any], words: str) -> tuple[Inputs, dict[str, list[Candidate]]]:
    """The inputs and candidates of a kept decision; `words` is what the case says today."""
    said = dict(facts["inputs"])
    component = said["component"]
    case = Inputs(
        **{
            **said,
            "divisions": tuple(said["divisions"]),
            "local": datetime.fromisoformat(said["local"]),
            "component": None if component is None else Answering(**component),
            "words": words if words_digest(words) == said["words"] else None,
        }
    )
    return case, {source: [_candidate_in(each) for each in found] for source, found in facts["weighed"].items()}


def words_digest(words: str) -> str:
    """What tells whether a description is still the one that was decided on."""
    return hashlib.sha256(words.encode()).hexdigest()[:32]


def seal(facts: Mapping[str, Any]) -> str:
    """A digest over all that is kept: whoever changes an input afterwards breaks it."""
    text = _CANONICAL.encode([facts["inputs"], facts["weighed"]])
    return hashlib.sha256(text.encode()).hexdigest()[:32]


# What JSON does not have, there and back: by the kind of the field, so that a new one is kept without a word here.
_OUT: Final[dict[str, Any]] = {
    "UUID": str,
    "timedelta": timedelta.total_seconds,
    "datetime": datetime.isoformat,
    "frozenset[str]": sorted,
}
_IN: Final[dict[str, Any]] = {
    "UUID": UUID,
    "timedelta": lambda seconds: timedelta(seconds=seconds),
    "datetime": datetime.fromisoformat,
    "frozenset[str]": frozenset,
}
_KINDS: Final = {
    each.name: str(each.type).removesuffix(" | None") for each in fields(Candidate) if each.name != "fresh_for"
}
# What is as it mostly is, is left out: a field with a default, at its default.
_CANDIDATE_OUT: Final = [
    (each.name, _OUT.get(_KINDS[each.name]), each.default) for each in fields(Candidate) if each.name in _KINDS
]


def _candidate_out(candidate: Candidate) -> dict[str, object]:
    facts = vars(candidate)
    return {
        name: value if out is None or value is None else out(value)
        for name, out, default in _CANDIDATE_OUT
        if (value := facts[name]) != default
    }


def _candidate_in(said: Mapping[str, Any]) -> Candidate:
    return Candidate(
        **{name: value if value is None or _KINDS[name] not in _IN else _IN[_KINDS[name]](value)
           for name, value in said.items()}
    )  # fmt: skip
