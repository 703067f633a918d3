"""What becomes of simulated officers beside their cases: some are away for an hour, some lose their phone, and who
goes home hands a part of his work to a colleague. And how the service's choices look afterwards.

Pure and without memory, as gridsvc/local/simulate_rules.py is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from gridsvc.domain.candidates import candidate_from
from gridsvc.local.city_plan import dice

AWAY: Final = 0.03  # of officers, in each hour of the simulated day
LOST: Final = 0.01  # of officers, in each hour: the phone
HANDED: Final = 0.5  # of what somebody has accepted and not begun when he goes home


def is_away(username: str, local: datetime, seed: int) -> bool:
    """Whether the officer is on leave, ill or in training in this hour of the simulated day."""
    return _roll(username, local, seed, "away") < AWAY


def loses_phone(username: str, local: datetime, seed: int) -> bool:
    """Whether the officer's phone is lost in this hour."""
    return _roll(username, local, seed, "phone") < LOST


def _roll(username: str, local: datetime, seed: int, what: str) -> float:
    return dice(f"{seed}/{username}/{what} {local:%Y-%m-%d %H}").random()


@dataclass(frozen=True, kw_only=True)
class Handed:
    """A case that an officer hands over to a colleague, and on which version of it."""

    case: str
    version: int
    said: dict[str, object]


def handed(told: dict[str, Any], simulated: Iterable[str], seed: int) -> list[Handed]:
    """What an officer who goes home gives to a colleague himself, of `GET /api/v1/officers/me/handover`.

    Simulated cases that he has accepted and not begun; nothing where no colleague is there.
    """
    colleagues, known = told["colleagues"], set(simulated)
    if not colleagues:
        return []
    return [
        Handed(
            case=item["case"], version=item["version"],
            said={"officer": colleagues[item["version"] % len(colleagues)]["id"], "note": "交班，请继续跟进"},
        )
        for item in told["items"]
        if item["case"] in known and item["state"] == "accepted"
        and dice(f"{seed}/{item['case']}/handed {item['version']}").random() < HANDED
    ]  # fmt: skip


def is_all_simulated(told: dict[str, Any], simulated: Iterable[str]) -> bool:
    """Whether nothing that he has in hand is anybody's but the simulation's: else he is left in peace."""
    return {item["case"] for item in told["items"]} <= set(simulated)


@dataclass
class Choices:
    """What was seen of assignments: how many routing chose, how many of them wrongly, and how cases changed hands."""

    cases: int = 0
    chosen: int = 0
    not_there: list[str] = field(default_factory=list)  # to somebody off duty, off shift or absent
    given: Counter[str] = field(default_factory=Counter)  # by officer
    handed_on: Counter[str] = field(default_factory=Counter)  # handed_over, relieved

    def add(self, assignments: Sequence[dict[str, Any]]) -> None:
        """What `GET /api/v1/cases/{id}/routing` tells of one case."""
        self.cases += 1
        for each in assignments:
            if each["ended_why"] in {"handed_over", "relieved"}:
                self.handed_on[each["ended_why"]] += 1
            if each["officer"] is None or each["assigned_by"] != "worker:router":
                continue
            weighed = [told for told in each["reasons"].get("candidates", ()) if told["officer"] == each["officer"]]
            kept = [candidate for told in weighed if (candidate := candidate_from(told)) is not None]
            if kept:
                self.chosen += 1
                self.given[each["officer"]] += 1
                self.not_there += [each["id"] for candidate in kept if not candidate.there]

    def summary(self) -> str:
        """In one line."""
        on = ", ".join(f"{name} {count}" for name, count in sorted(self.handed_on.items())) or "none"
        most, mean = max(self.given.values(), default=0), self.chosen / max(1, len(self.given))
        return (
            f"{self.chosen} choices among officers in {self.cases} cases, {len(self.not_there)} of them of somebody "
            f"off duty, off shift or absent; at most {most} for one officer, {mean:.1f} on average; handed on: {on}"
        )
