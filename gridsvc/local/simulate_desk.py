"""What the desks of the simulated city do beside their cases: they call back, err, tend cameras, judge.

Pure and without memory, as gridsvc/local/simulate_rules.py is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from gridsvc.local.city_plan import dice
from gridsvc.local.simulate_rules import MARK, SeenCase

WITH_NUMBER: Final = 0.75  # of those who telephone; the others want to stay unknown

# What somebody says who is called back, as shares of all calls. Whoever does not answer is called again.
_ANSWERS: Final = ((0.10, "not_solved"), (0.16, "no_wish"), (0.34, "unreachable"), (1.01, "solved"))
_CONTENT: Final = {"not_solved": (1, 2), "solved": (3, 4, 5)}

WRONG_PAGE_EVERY: Final = 15  # looks
ON_A_PAGE: Final = 3

TEND_EVERY: Final = 10  # looks
A_WORD_MEANS: Final = "200110"  # what the administrator writes for a word that he meets, for a person to look at

REPLACE_EVERY: Final = 12  # looks

LEFT_WAITING: Final = 6  # reviews, for whoever tries the bench
AT_A_SITTING: Final = 4

# What a person finds of what a camera saw, as shares of all.
_FINDS: Final = ((0.68, "real"), (0.92, "false"), (1.01, "duplicate"))


@dataclass(frozen=True, kw_only=True)
class Call:
    """A call-back as a desk makes it."""

    case: str
    version: int
    said: dict[str, object]


def number_of(report: str) -> str | None:
    """The telephone number that a caller leaves, or None; a number that nobody has."""
    rng = dice(f"number {report}")
    return f"0931-{rng.randrange(10_000_000):07d}" if rng.random() < WITH_NUMBER else None


def calls(listed: Sequence[dict[str, Any]], seed: int, most: int) -> list[Call]:
    """What a desk makes of its list of call-backs: the first `most` of simulated reports, one of each case."""
    made: dict[str, Call] = {}
    for item in listed:
        if item["description"].startswith(MARK) and item["case_id"] not in made and len(made) < most:
            said = answer(item["id"], item["version"], seed)
            made[item["case_id"]] = Call(case=item["case_id"], version=item["version"], said=said)
    return list(made.values())


def answer(call_back: str, version: int, seed: int) -> dict[str, object]:
    """The body of the move: by the version, so that who does not answer today does another time."""
    rng = dice(f"{seed}/{call_back}/{version}")
    roll = rng.random()
    result = next(result for share, result in _ANSWERS if roll < share)
    said: dict[str, object] = {"call_back": call_back, "result": result}
    if result in _CONTENT:
        said["satisfaction"] = rng.choice(_CONTENT[result])
    return said | ({"note": "反映人称问题仍然存在"} if result == "not_solved" else {})


def wrong_page(cases: Sequence[SeenCase], look: int) -> list[SeenCase]:
    """Now and then a dispatcher marks cases of one district that he does not mean; empty at most looks."""
    if look % WRONG_PAGE_EVERY:
        return []
    owned = [case for case in cases if case.state in {"accepted", "in_progress"} and len(case.divisions) > 1]
    districts = sorted({case.divisions[1] for case in owned})
    if not districts:
        return []
    district = districts[look // WRONG_PAGE_EVERY % len(districts)]
    return sorted((case for case in owned if case.divisions[1] == district), key=lambda case: case.id)[:ON_A_PAGE]


@dataclass(frozen=True, kw_only=True)
class Tending:
    """What the administrator changes about a camera."""

    camera: str
    version: int
    state: str


def tended(listed: Sequence[dict[str, Any]], look: int) -> Tending | None:
    """Now and then a camera is taken down to be cleaned, and next time put up again; None at most looks."""
    if look % TEND_EVERY or not listed:
        return None
    down = [each for each in listed if each["state"] == "maintenance"]
    chosen = down[0] if down else listed[look // TEND_EVERY % len(listed)]
    return Tending(camera=chosen["code"], version=chosen["version"], state="active" if down else "maintenance")


def meaning(word: dict[str, Any]) -> dict[str, object]:
    """The row of the label map that the administrator writes for a word that has no meaning yet."""
    return {"kind": word["kind"], "protocol": word["protocol"], "category": A_WORD_MEANS, "mode": "review"}


@dataclass(frozen=True)
class Replacing:
    """An officer whose phone is lost, and the colleague of his duty line who gets all that he has."""

    username: str
    path: str
    said: dict[str, str]


def replaced(people: Sequence[dict[str, Any]], look: int) -> Replacing | None:
    """Now and then somebody on duty who has work is replaced by who has least; None at most looks."""
    if look % REPLACE_EVERY:
        return None
    there = [each for each in people if each["active"] and each["officer"] and each["officer"]["on_duty"]]
    busy = sorted((each for each in there if each["officer"]["open_cases"]), key=lambda each: str(each["id"]))
    if not busy:
        return None
    lost = busy[look // REPLACE_EVERY % len(busy)]
    line = lost["officer"]["duty_line"]
    others = [each for each in there if each is not lost and each["officer"]["duty_line"] == line]
    if not others:
        return None
    takes = min(others, key=lambda each: (each["officer"]["open_cases"], str(each["id"])))
    said = {"successor": takes["id"], "reason": "手机丢失"}
    return Replacing(lost["username"], f"/api/v1/officers/{lost['id']}", said)


@dataclass(frozen=True)
class Judging:
    """What an acceptor says of something that a camera saw."""

    review: str
    said: dict[str, str]


def verdicts(waiting: Sequence[dict[str, Any]], seed: int) -> list[Judging]:
    """The verdicts of a sitting, on those that have waited longest; a few are left for others."""
    made = []
    for item in waiting[: max(0, min(AT_A_SITTING, len(waiting) - LEFT_WAITING))]:
        roll = dice(f"{seed}/review {item['id']}").random()
        said = {"verdict": next(verdict for share, verdict in _FINDS if roll < share)}
        if said["verdict"] == "real" and item["category"] is None:
            said["category"] = A_WORD_MEANS
        made.append(Judging(item["id"], said))
    return made
