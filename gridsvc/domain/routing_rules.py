"""Routing rules as data: an edition is an ordered list of rules, each with conditions and a target.

One form serves the file, the table and HTTP: `read_rules` makes an edition of it and names every fault,
`as_document` writes it back. What the conditions mean is decided in gridsvc/domain/routing.py.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from typing import Any, Final, TypeVar

Word = TypeVar("Word", bound=StrEnum)

MOST_RULES: Final = 200
MOST_VALUES: Final = 500
"""Of one condition's list."""

FRESH_SECONDS: Final = 1800
"""How old a position may be unless the edition says otherwise (Resgrid uses the same)."""


class Target(StrEnum):
    """To whom a rule gives what fits it."""

    BEAT_OFFICER = "beat_officer"
    TEAM = "team"
    DEPARTMENT = "department"
    CATEGORY_DEPARTMENT = "category_department"
    COMPONENT_REGISTER = "component_register"
    POOL = "pool"


class Otherwise(StrEnum):
    """What happens where the target finds nobody."""

    NEXT = "next"  # the next rule that fits
    POOL = "pool"


WEIGHS: Final = frozenset({Target.BEAT_OFFICER, Target.TEAM})
"""Targets that choose among officers."""


@dataclass(frozen=True, kw_only=True)
class Hours:
    """A stretch of the day by the city's clocks, without its end; where that comes before the start, past midnight."""

    starts: time
    ends: time

    def day_of(self, local: datetime) -> date | None:
        """The day on which the stretch began in which `local` lies; None: it lies in none."""
        at, day = local.time(), local.date()
        if self.starts < self.ends:
            return day if self.starts <= at < self.ends else None
        if at >= self.starts:
            return day
        return day - timedelta(days=1) if at < self.ends else None

    def __str__(self) -> str:
        return f"{self.starts:%H:%M}-{self.ends:%H:%M}"


@dataclass(frozen=True, kw_only=True)
class When:
    """Conditions, all of which must hold; an empty list and None hold always."""

    categories: tuple[str, ...] = ()  # edition:code, or a code of the default edition
    majors: tuple[str, ...] = ()  # the same of major classes
    divisions: tuple[str, ...] = ()  # each with all below it
    sources: tuple[str, ...] = ()
    severities: tuple[str, ...] = ()
    weekdays: tuple[int, ...] = ()  # ISO: 1 Monday
    hours: tuple[Hours, ...] = ()
    working_day: bool | None = None
    keywords: tuple[str, ...] = ()
    duty_lines: tuple[str, ...] = ()
    handled_by: tuple[str, ...] = ()
    dispatches_itself: bool | None = None
    about_component: bool | None = None


@dataclass(frozen=True, kw_only=True)
class RoutingRule:
    """One rule. `skills` every officer must have who is chosen; `reason` is said of what it pools."""

    code: str
    name: str
    name_en: str
    to: Target
    when: When = When()
    team: str | None = None
    department: str | None = None
    skills: tuple[str, ...] = ()
    reason: str = ""
    try_again: bool = False  # a pooled case is looked at again by itself; else it is for a person to send on
    otherwise: Otherwise = Otherwise.POOL


@dataclass(frozen=True, kw_only=True)
class RoutingEdition:
    """One edition of the rules. `number` 0: not kept yet."""

    number: int
    name: str
    rules: tuple[RoutingRule, ...]
    position_max_age_s: int = FRESH_SECONDS

    @property
    def fresh_for(self) -> timedelta:
        """How old a position may be that says how near an officer is."""
        return timedelta(seconds=self.position_max_age_s)

    def rule(self, code: str) -> RoutingRule | None:
        """The rule of that code; None: there is none."""
        return next((each for each in self.rules if each.code == code), None)


DEFAULT: Final = RoutingEdition(
    number=3,
    name="起步派遣规则",
    rules=(
        RoutingRule(
            code="sent_by_hand", name="须人工派遣的类别", name_en="Categories that a dispatcher sends on",
            when=When(dispatches_itself=False), to=Target.POOL,
            reason="a dispatcher sends on every case of this category",
        ),
        RoutingRule(
            code="register_of_components", name="部件归台账所载部门",
            name_en="What is about a component goes to whom the register names",
            when=When(handled_by=("department",), about_component=True), to=Target.COMPONENT_REGISTER,
        ),
        RoutingRule(
            code="department_of_the_category", name="部门处置的类别归其部门",
            name_en="What a department handles goes to the category's department",
            when=When(handled_by=("department",)), to=Target.CATEGORY_DEPARTMENT,
        ),
        RoutingRule(
            code="officer_of_the_beat", name="其余归责任网格的网格员",
            name_en="All else goes to an officer of the beat", to=Target.BEAT_OFFICER,
        ),
    ),
)  # fmt: skip
"""What a city starts with; the migration writes the same. Editions 1 and 2 were in the code."""


@dataclass(frozen=True, kw_only=True)
class RuleFault:
    """One thing wrong with rules. `rule` None: with the edition as a whole. `refuses` False: a warning."""

    rule: str | None
    field: str
    given: str
    wanted: str
    refuses: bool = True

    def __str__(self) -> str:
        where = f"rule {self.rule}, " if self.rule else ""
        return f"{where}field {self.field}: given {self.given}; want {self.wanted}"


@dataclass(frozen=True, kw_only=True)
class ReadRules:
    """An edition without what is at fault, and the faults."""

    edition: RoutingEdition
    faults: tuple[RuleFault, ...]


def folded(text: str) -> str:
    """How keywords and descriptions are compared: width and case make no difference (NFKC, casefold)."""
    return unicodedata.normalize("NFKC", text).casefold()


# -- reading ----------------------------------------------------------------------------------------------------

_CODE: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_HOURS: Final = re.compile(r"([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)")
_EDITION_FIELDS: Final = ("name", "position_max_age_s", "rules")
_RULE_FIELDS: Final = (
    "code", "name", "name_en", "to", "team", "department", "skills", "reason", "try_again", "else", "when",
)  # fmt: skip
_TEXTS: Final = ("categories", "majors", "divisions", "sources", "severities", "keywords", "duty_lines", "handled_by")
_SWITCHES: Final = ("working_day", "dispatches_itself", "about_component")
_WHEN_FIELDS: Final = tuple(each.name for each in fields(When))
_OF_TARGET: Final = {"team": {Target.TEAM}, "department": {Target.DEPARTMENT}, "reason": {Target.POOL},
                     "try_again": {Target.POOL}, "skills": WEIGHS}  # fmt: skip


class _Reader:
    """Reads one table of values and notes what is wrong with it."""

    def __init__(self, rule: str | None, table: Mapping[str, Any], faults: list[RuleFault], inside: str = "") -> None:
        self.rule, self.table, self.faults, self.inside = rule, table, faults, inside

    def wrong(self, name: str, given: object, wanted: str) -> None:
        text = given if isinstance(given, str) else repr(given)
        self.faults.append(RuleFault(rule=self.rule, field=self.inside + name, given=text[:80], wanted=wanted))

    def only(self, known: Sequence[str]) -> None:
        for name in self.table:
            if name not in known:
                self.wrong(str(name), "a field that rules do not have", f"one of {', '.join(known)}")

    def text(self, name: str, most: int = 200, *, default: str | None = None) -> str:
        given = self.table.get(name, default)
        if not isinstance(given, str) or not (given.isprintable() and len(given) <= most and (given or default == "")):
            self.wrong(name, "nothing" if given is None else given, f"1 to {most} printable characters")
            return ""
        return given

    def code(self, name: str) -> str | None:
        given = self.table.get(name)
        if given is None or (isinstance(given, str) and 1 <= len(given) <= 64 and given.isprintable()):
            return given
        self.wrong(name, given, "a code, as text")
        return None

    def switch(self, name: str) -> bool | None:
        given = self.table.get(name)
        if given is None or isinstance(given, bool):
            return given
        self.wrong(name, given, "true or false")
        return None

    def values(self, name: str, kind: type[Any], wanted: str) -> tuple[Any, ...]:
        given = self.table.get(name, [])
        good = isinstance(given, list | tuple) and len(given) <= MOST_VALUES
        if not good or not all(type(each) is kind and (kind is int or (each and each.isprintable())) for each in given):
            self.wrong(name, given, f"{wanted}, at most {MOST_VALUES}")
            return ()
        return tuple(dict.fromkeys(given))


def read_rules(document: Mapping[str, Any], number: int = 0) -> ReadRules:
    """The edition that a document says, and everything in which it is no edition, by rule and field."""
    faults: list[RuleFault] = []
    top = _Reader(None, document, faults)
    top.only(_EDITION_FIELDS)
    age = document.get("position_max_age_s", FRESH_SECONDS)
    if type(age) is not int or not 60 <= age <= 86_400:
        top.wrong("position_max_age_s", age, "whole seconds, 60 to 86400")
        age = FRESH_SECONDS
    given = document.get("rules", [])
    if not isinstance(given, list | tuple) or not 1 <= len(given) <= MOST_RULES:
        top.wrong("rules", f"{len(given) if isinstance(given, list | tuple) else given!r}", f"1 to {MOST_RULES} rules")
        given = []
    rules: list[RoutingRule] = []
    for place, table in enumerate(given, start=1):
        if not isinstance(table, Mapping):
            top.wrong("rules", table, "a table for each rule")
            continue
        rule = _rule(place, table, faults)
        if any(each.code == rule.code for each in rules):
            faults.append(RuleFault(rule=rule.code, field="code", given=f"{rule.code} twice", wanted="each code once"))
        rules.append(rule)
    edition = RoutingEdition(
        number=number, name=top.text("name", default=""), rules=tuple(rules), position_max_age_s=age
    )
    return ReadRules(edition=edition, faults=tuple(faults))


def _rule(place: int, table: Mapping[str, Any], faults: list[RuleFault]) -> RoutingRule:
    code = table.get("code")
    known = isinstance(code, str) and _CODE.fullmatch(code) is not None
    read = _Reader(str(code) if known else f"number {place}", table, faults)
    if not known:
        read.wrong("code", "nothing" if code is None else code, "a small letter, then small letters, digits and _")
    read.only(_RULE_FIELDS)
    name = read.text("name", 64)
    to = _word(read, "to", Target, None)
    rule = RoutingRule(
        code=str(code) if known else f"rule_{place}", name=name, name_en=read.text("name_en", 120, default=name),
        to=to or Target.POOL, when=_when(read), team=read.code("team"), department=read.code("department"),
        skills=read.values("skills", str, "a list of skills"), reason=read.text("reason", default=""),
        try_again=bool(read.switch("try_again")),
        otherwise=_word(read, "else", Otherwise, Otherwise.POOL) or Otherwise.POOL,
    )  # fmt: skip
    if to is not None:
        _fits_its_target(read, rule)
    return rule


def _fits_its_target(read: _Reader, rule: RoutingRule) -> None:
    for name, targets in _OF_TARGET.items():
        if name in read.table and rule.to not in targets:
            read.wrong(name, f"{name} of a rule to {rule.to}", f"it only with to = {' or '.join(sorted(targets))}")
    for name, target in (("team", Target.TEAM), ("department", Target.DEPARTMENT), ("reason", Target.POOL)):
        if rule.to is target and not read.table.get(name):
            read.wrong(name, "nothing", f"the {name} of a rule to {target}")
    if rule.to is Target.POOL and "else" in read.table:
        read.wrong("else", "else of a rule to pool", "no else: the pool takes everything")


def _word(read: _Reader, name: str, kind: type[Word], default: Word | None) -> Word | None:
    given = read.table.get(name, default)
    if isinstance(given, str) and given in set(kind):
        return kind(given)
    read.wrong(name, "nothing" if given is None else given, f"one of {', '.join(kind)}")
    return None


def _when(rule: _Reader) -> When:
    table = rule.table.get("when", {})
    if not isinstance(table, Mapping):
        rule.wrong("when", table, "a table of conditions")
        table = {}
    read = _Reader(rule.rule, table, rule.faults, "when.")
    read.only(_WHEN_FIELDS)
    weekdays = read.values("weekdays", int, "a list of 1 (Monday) to 7 (Sunday)")
    if not all(1 <= each <= 7 for each in weekdays):
        read.wrong("weekdays", list(weekdays), "1 (Monday) to 7 (Sunday)")
    said: dict[str, Any] = {name: read.values(name, str, "a list of texts") for name in _TEXTS}
    said |= {name: read.switch(name) for name in _SWITCHES}
    return When(
        **said,
        weekdays=weekdays,
        hours=tuple(
            each for text in read.values("hours", str, "a list such as 22:00-06:00")
            if (each := _hours(read, text)) is not None
        ),
    )


def _hours(read: _Reader, text: str) -> Hours | None:
    said = _HOURS.fullmatch(text)
    if said is None or said[1] + said[2] == said[3] + said[4]:
        read.wrong("hours", text, "HH:MM-HH:MM with an end that is not the start; past midnight as 22:00-06:00")
        return None
    return Hours(starts=time(int(said[1]), int(said[2])), ends=time(int(said[3]), int(said[4])))


# -- writing ----------------------------------------------------------------------------------------------------


def as_document(edition: RoutingEdition) -> dict[str, Any]:
    """The edition in the form of files, without its number: reading it gives the same edition."""
    return {
        "name": edition.name,
        "position_max_age_s": edition.position_max_age_s,
        "rules": [_rule_out(rule) for rule in edition.rules],
    }


def _rule_out(rule: RoutingRule) -> dict[str, Any]:
    said: dict[str, Any] = {"code": rule.code, "name": rule.name, "name_en": rule.name_en, "to": str(rule.to)}
    said |= {name: value for name in ("team", "department", "reason") if (value := getattr(rule, name))}
    if rule.skills:
        said["skills"] = list(rule.skills)
    if rule.to is Target.POOL:
        said["try_again"] = rule.try_again
    else:
        said["else"] = str(rule.otherwise)
    when: dict[str, Any] = {}
    for each in fields(When):
        value = getattr(rule.when, each.name)
        if value is not None and value != ():
            when[each.name] = value if isinstance(value, bool) else [_plain(one) for one in value]
    return said | ({"when": when} if when else {})


def _plain(value: str | int | Hours) -> str | int:
    return str(value) if isinstance(value, Hours) else value
