"""A rehearsal: decisions of routing made again by other rules, from what was kept of them, and what differs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gridsvc.domain.candidates import Candidate, Choice, NobodyFree
from gridsvc.domain.routing import Inputs, seal

POOL: Final = "pool"


@dataclass(frozen=True, kw_only=True)
class Decision:
    """One decision of routing in the history. `reasons` hold what was kept; `facts` are the case's today."""

    case_id: UUID
    version: int
    at: datetime
    officer_id: UUID | None
    department: str | None
    why: str | None  # of what was pooled
    rule: str | None
    edition: int | None
    reasons: Mapping[str, Any]
    facts: Mapping[str, Any]

    @property
    def owner(self) -> str:
        """Who got it: `officer <id>`, `department <code>`, or the pool."""
        return owner_of(self.officer_id, self.department)


@dataclass(frozen=True, kw_only=True)
class Rehearsed:
    """What the other rules make of one decision. `rebuilt`: from the state of officers as the history has it."""

    decision: Decision
    after: str
    rule: str | None
    why: str | None
    rebuilt: bool
    changed: tuple[str, ...] = ()  # inputs that are not what they were, where the same edition decides otherwise
    differs: bool = False  # the edition that decided decides otherwise now


@dataclass(kw_only=True)
class Rehearsal:
    """Everything that a rehearsal found."""

    edition: int
    decisions: int = 0
    not_kept: Counter[str] = field(default_factory=Counter)  # what was missing -> decisions
    matrix: Counter[tuple[str, str]] = field(default_factory=Counter)  # owner before, owner after
    rules: Counter[str] = field(default_factory=Counter)  # which rules decide
    rebuilt: int = 0
    pooled: list[Rehearsed] = field(default_factory=list)  # by these rules, and not before
    changed: list[Rehearsed] = field(default_factory=list)  # another owner
    differences: list[Rehearsed] = field(default_factory=list)  # where the same edition does not agree with itself

    @property
    def rehearsed(self) -> int:
        """How many decisions could be made again."""
        return self.decisions - self.not_kept.total()

    @property
    def before(self) -> Counter[str]:
        """How many cases each owner got."""
        return self._load(0)

    @property
    def after(self) -> Counter[str]:
        """How many each would have got."""
        return self._load(1)

    def _load(self, side: int) -> Counter[str]:
        load: Counter[str] = Counter()
        for pair, count in self.matrix.items():
            load[pair[side]] += count
        return load

    def add(self, one: Rehearsed) -> None:
        """Count one decision that could be made again."""
        before, after = one.decision.owner, one.after
        self.matrix[before, after] += 1
        self.rules[one.rule or "-"] += 1
        self.rebuilt += one.rebuilt
        if after != before:
            self.changed.append(one)
        if after == POOL != before:
            self.pooled.append(one)
        if one.differs:
            self.differences.append(one)


def owner_of(officer: UUID | None, department: str | None) -> str:
    """How a matrix calls an owner."""
    if officer is not None:
        return f"officer {officer}"
    return f"department {department}" if department is not None else POOL


def compared(decision: Decision, found: Choice | NobodyFree, edition: int, *, rebuilt: bool) -> Rehearsed:
    """What `found` makes of a decision, and, where the edition that decided it does not agree, what was changed."""
    after, why = POOL, None
    if isinstance(found, Choice):
        after = owner_of(found.officer_id, found.department)
    else:
        why = found.why
    rule = found.reasons["rule"]
    agrees = (after, rule, why) == (decision.owner, decision.reasons.get("rule"), decision.why)
    differs = decision.edition == edition and not agrees
    return Rehearsed(
        decision=decision, after=after, rule=None if rule is None else str(rule), why=why, rebuilt=rebuilt,
        differs=differs, changed=changed_inputs(decision) if differs else (),
    )  # fmt: skip


_TOLD: Final = ("on_duty", "open_cases", "most_open")
"""What of a candidate stands twice: as it was weighed, and as it was told."""

_OF_CASE: Final = ("category", "duty_line", "severity", "source", "beat")


def changed_inputs(decision: Decision) -> tuple[str, ...]:
    """The inputs that are not what they were when it was decided; empty: all of them are."""
    kept = decision.reasons["kept"]
    if seal(kept) == kept.get("seal"):
        return ()
    told = {each["officer"]: each for each in _told(decision.reasons)}
    found = [
        f"{name} of officer {each['officer_id']}: kept {each[name]}, told {told[each['officer_id']][name]}"
        for officers in kept["weighed"].values()
        for each in officers
        if each["officer_id"] in told
        for name in _TOLD
        if each.get(name) != told[each["officer_id"]].get(name)
    ]
    found += [
        f"{name}: kept {kept['inputs'].get(name)}, the case says {decision.facts[name]}"
        for name in _OF_CASE
        if kept["inputs"].get(name) != decision.facts[name]
    ]
    return tuple(found) or ("an input that is kept once only: the seal is broken",)


def _told(reasons: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    stages = [reasons, *reasons.get("passed", [])]
    return [each for stage in stages for each in stage.get("candidates", [])]


@dataclass(frozen=True, kw_only=True)
class Rebuilding:
    """A decision for which officers must be rebuilt: of these sources nobody was kept."""

    decision: Decision
    case: Inputs
    weighed: Mapping[str, Sequence[Candidate]]
    missing: tuple[str, ...]
