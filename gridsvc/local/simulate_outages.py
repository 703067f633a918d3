"""An afternoon's outage of one department in the simulated city: declared, approved by another, ended.

Pure and without memory, as gridsvc/local/simulate_rules.py is: what is to be done next follows from the list of outages
and the time of the simulated day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from gridsvc.local.city_people import CITY, desk_name
from gridsvc.local.simulate_rules import MARK, By, SeenCase

DECLARED_AT: Final = 14
"""The hour of the simulated day from which on somebody says that a department cannot work."""

ENDED_AT: Final = 16

_BEFORE: Final = timedelta(minutes=5)  # it is said a little late


@dataclass(frozen=True, kw_only=True)
class OutageStep:
    """What somebody does: `who` by user name, `path` and body of the call, the version it was decided on."""

    what: str
    who: str
    path: str
    said: Mapping[str, object]
    version: int | None = None


def next_outage_step(
    listed: Sequence[Mapping[str, Any]], cases: Sequence[SeenCase], local: datetime, now: datetime
) -> OutageStep | None:
    """The next step of the day's outage, or None. `listed`: outages as the service lists them; `now`: its time."""
    ours = [each for each in listed if each["words"].startswith(MARK)]
    for each in ours:
        if each["state"] == "declared":
            return _step(each, "approve", desk_name(By.SUPERVISOR, CITY))
        if each["state"] == "approved" and each["until"] is None and not DECLARED_AT <= local.hour < ENDED_AT:
            return _step(each, "end", desk_name(By.SUPERVISOR, each["division"]))
    words = f"{MARK}{local:%Y-%m-%d} 下午系统中断"
    if not DECLARED_AT <= local.hour < ENDED_AT or any(each["words"] == words for each in ours):
        return None
    struck = [case for case in cases if case.department is not None and len(case.divisions) > 1]
    if not struck:
        return None
    first = min(struck, key=lambda case: case.id)
    said = {
        "reason": "system_down", "words": words, "division": first.divisions[1], "department": first.department,
        "from": (now - _BEFORE).isoformat(),
    }  # fmt: skip
    who = desk_name(By.SUPERVISOR, first.divisions[1])
    return OutageStep(what="declare", who=who, path="/api/v1/outages", said=said)


def _step(outage: Mapping[str, Any], what: str, who: str) -> OutageStep:
    path = f"/api/v1/outages/{outage['id']}/{what}"
    return OutageStep(what=what, who=who, path=path, said={}, version=outage["version"])


def moved(listed: Sequence[Mapping[str, Any]]) -> str:
    """How many outages there were, and what they moved."""
    counted = [each for each in listed if each["state"] == "approved"]
    clocks, deadlines = (sum(each[name] for each in counted) for name in ("clocks_reached", "deadlines_moved"))
    return f"{len(counted)} approved; {clocks} clocks stood still, {deadlines} deadlines moved"
