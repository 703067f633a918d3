"""Which of several officers gets a case, and why each of the others did not.

Of those who are there, with room, who have every skill that is wanted and were not tried before in this cycle: first
those who do not leave soon; of them who has used least of his capacity; on a tie who was given fewest since his
shift began; of those the nearest with a fresh position; and at last the lowest id. The same facts always give the
same answer, and all of them are kept in the reasons, so that the choice can be made again from those alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction
from typing import Any, Final
from uuid import UUID

FRESH: Final = timedelta(minutes=30)
"""An older position says nothing about how near an officer is (Resgrid uses the same 1,800 s)."""


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """An officer of the beat. `distance_m` None: no position known; `on_shift` None: he has no shifts."""

    officer_id: UUID
    on_duty: bool
    open_cases: int
    most_open: int
    distance_m: float | None
    position_age: timedelta | None
    already_tried: bool = False
    skills: frozenset[str] = frozenset()
    on_shift: bool | None = None
    overtime: bool = False  # off shift, and switched on since the last one ended
    absent: bool = False
    shift_ends_in: timedelta | None = None
    leaves_soon: bool = False
    given_today: int = 0  # since his shift began; without one since the city's midnight
    fresh_for: timedelta = FRESH  # as the edition of the routing rules says

    @property
    def there(self) -> bool:
        """Whether he may get anything at all now."""
        return self.on_duty and not self.absent and (self.on_shift is not False or self.overtime)

    @property
    def load(self) -> Fraction:
        """The share of his capacity that is in use."""
        return Fraction(self.open_cases, self.most_open)

    @property
    def fresh_distance_m(self) -> float | None:
        """How near, to the tenth of a metre, where the position is fresh enough to say."""
        if self.distance_m is None or self.position_age is None or self.position_age > self.fresh_for:
            return None
        return round(self.distance_m, 1)


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
                **_facts(c),
                "lost_because": _unfit(c, skills) or (None if best is None or c is best else _behind(c, best)),
            }
            for c in sorted(candidates, key=_rank)
        ],
    }
    if best is None:
        return NobodyFree(why=_nobody_because(candidates, whose, skills), reasons=reasons)
    if best.leaves_soon:
        reasons["although"] = "who was chosen leaves soon; nobody else is there"
    return Choice(rule=rule, officer_id=best.officer_id, reasons=reasons)


def _rank(candidate: Candidate) -> tuple[bool, Fraction, int, float, str]:
    distance = candidate.fresh_distance_m
    return (
        candidate.leaves_soon, candidate.load, candidate.given_today,
        float("inf") if distance is None else distance, str(candidate.officer_id),
    )  # fmt: skip


def _facts(candidate: Candidate) -> dict[str, object]:
    """All that was weighed of him, as `candidate_from` reads it back."""
    near, age, ends = candidate.distance_m, candidate.position_age, candidate.shift_ends_in
    return {
        "officer": str(candidate.officer_id),
        "on_duty": candidate.on_duty,
        "on_shift": candidate.on_shift,
        "overtime": candidate.overtime,
        "absent": candidate.absent,
        "shift_ends_in_s": None if ends is None else ends.total_seconds(),
        "leaves_soon": candidate.leaves_soon,
        "open_cases": candidate.open_cases,
        "most_open": candidate.most_open,
        "given_today": candidate.given_today,
        "distance_m": None if near is None else round(near, 1),
        "position_age_s": None if age is None else age.total_seconds(),
        "skills": sorted(candidate.skills),
        "already_tried": candidate.already_tried,
    }


def candidate_from(reason: Mapping[str, Any]) -> Candidate | None:
    """A candidate as he was weighed, from one of the kept `candidates`; None for an old one that lacks facts.

    How old a position may be is of the rules, not of the officer: `fresh_for` is the usual one.
    """
    if not reason.keys() >= _KEPT:
        return None
    age, ends = reason["position_age_s"], reason["shift_ends_in_s"]
    return Candidate(
        officer_id=UUID(reason["officer"]),
        on_duty=reason["on_duty"],
        open_cases=reason["open_cases"],
        most_open=reason["most_open"],
        distance_m=reason["distance_m"],
        position_age=None if age is None else timedelta(seconds=age),
        already_tried=reason["already_tried"],
        skills=frozenset(reason["skills"]),
        on_shift=reason["on_shift"],
        overtime=reason["overtime"],
        absent=reason["absent"],
        shift_ends_in=None if ends is None else timedelta(seconds=ends),
        leaves_soon=reason["leaves_soon"],
        given_today=reason["given_today"],
    )


_KEPT: Final = _facts(
    Candidate(
        officer_id=UUID(int=0), on_duty=False, open_cases=0, most_open=1, distance_m=None, position_age=None
    )
).keys()  # fmt: skip


def _unfit(candidate: Candidate, skills: Sequence[str]) -> str | None:
    if not candidate.on_duty:
        return "absent" if candidate.absent else "off duty"
    if candidate.absent:
        return "absent"
    if not candidate.there:
        return "the shift is over"
    if lacking := sorted(set(skills) - candidate.skills):
        return f"lacks a skill: {', '.join(lacking)}"
    if candidate.already_tried:
        return "did not take it before"
    if candidate.open_cases >= candidate.most_open:
        return f"full: {candidate.open_cases} of {candidate.most_open} open"
    return None


def _behind(candidate: Candidate, best: Candidate) -> str:
    if candidate.leaves_soon and not best.leaves_soon:
        return "leaves soon"
    if candidate.load > best.load:
        mine, theirs = (f"{each.open_cases} of {each.most_open}" for each in (candidate, best))
        return f"{mine} open, the chosen one {theirs}"
    if candidate.given_today > best.given_today:
        return f"was given {candidate.given_today} since the shift began, the chosen one {best.given_today}"
    mine_m, theirs_m = candidate.fresh_distance_m, best.fresh_distance_m
    if mine_m is None and theirs_m is not None:
        return "no fresh position"
    if mine_m is not None and theirs_m is not None and mine_m > theirs_m:
        return f"{mine_m - theirs_m:.0f} m farther"
    return "a full tie goes to the lower id"


def _nobody_because(candidates: Sequence[Candidate], whose: str, skills: Sequence[str]) -> str:
    if not candidates:
        return f"{whose} has no officer"
    there = [c for c in candidates if c.there]
    if not there:
        return f"no officer of {whose} is on duty"
    if skills and not any(c.skills.issuperset(skills) for c in there):
        return f"no officer of {whose} on duty has the skills: {', '.join(sorted(skills))}"
    return "every officer on duty is full or did not take it before"
