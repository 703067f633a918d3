"""Whether the database's clock runs as time does, or has jumped: a pure decision.

A rung that fires is not taken back, so a clock that is suddenly hours ahead must not fire everything
that would have been due by then. The witness is the time since this machine started, which goes on
while it sleeps: after an ordinary suspend or outage both have moved by the same, and nothing is doubted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

MOST_SECONDS: Final = 300.0  # a jump beyond this is one; less is a correction

# How long a doubted clock must run steadily until it is believed. A wrong clock is corrected in this
# time, by its time service or by whoever reads the log; and where the witness was wrong (a virtual
# machine that was frozen), the ladder is late by this much and nobody has to come.
DOUBT_SECONDS: Final = 600.0


class Verdict(StrEnum):
    """What one look at the clocks says."""

    STEADY = "steady"
    BACK = "back"  # the clock went back: believed at once, nothing fires early by it, and nothing twice
    JUMPED = "jumped"  # it went forward: doubted from now on
    DOUBTED = "doubted"
    BELIEVED = "believed"  # it was doubted long enough

    @property
    def fires(self) -> bool:
        """Whether rungs may fire."""
        return self not in (Verdict.JUMPED, Verdict.DOUBTED)


@dataclass(frozen=True)
class Steady:
    """By how many seconds the database's clock is ahead of the witness, as far as that is believed.

    `doubted` is another lead, seen since `since` (by the witness) and not believed yet.
    """

    lead: float | None = None
    doubted: float | None = None
    since: float = 0.0


def look(steady: Steady, clock: float, witness: float) -> tuple[Steady, Verdict]:
    """One more look at both clocks (seconds); return what is believed from now on, and the verdict.

    The first look believes. Small differences are followed, so that slow corrections never add up.
    """
    lead = clock - witness
    if steady.lead is None or abs(lead - steady.lead) <= MOST_SECONDS:
        return Steady(lead), Verdict.STEADY
    if lead < steady.lead:
        return Steady(lead), Verdict.BACK
    if steady.doubted is None or abs(lead - steady.doubted) > MOST_SECONDS:
        return replace(steady, doubted=lead, since=witness), Verdict.JUMPED
    if witness - steady.since >= DOUBT_SECONDS:
        return Steady(lead), Verdict.BELIEVED
    return steady, Verdict.DOUBTED
