"""How a rung that is still to come is told: when, by what, and who will hear."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from gridsvc.api.wire import Told
from gridsvc.domain.clock import CaseClock
from gridsvc.domain.escalation import Rung, division_at, step
from gridsvc.domain.ladder_file import after_text
from gridsvc.domain.rulebook import Rulebook


class HearsTold(Told):
    """Who hears: `role` of `division`, the nearest above where nobody is there; 'owner' is whoever answers for it."""

    role: str
    level: str | None
    division: str | None
    axis: str


class NextRungTold(Told):
    """The rung that fires next if nobody acts: at a share of the limit, or so long after the rung before."""

    level: int
    at: datetime | None
    effect: str
    share: float | None
    after: str | None
    repeats_left: int
    hears: list[HearsTold]


def next_rung_told(book: Rulebook, clock: CaseClock, above: Sequence[tuple[str, str]]) -> NextRungTold | None:
    """What comes next on `clock`; None at the top of its ladder. `above`: code and level of the case's divisions."""
    rung = step(book.ladder(clock.ladder), clock.next_level)
    if rung is None or clock.state == "stopped":
        return None
    return NextRungTold(
        level=rung.level,
        at=clock.next_fire_at,
        effect=rung.effect,
        share=rung.share,
        after=None if rung.after is None else after_text(rung.after),
        repeats_left=_last_level(book, clock, rung) - rung.level,
        hears=[
            HearsTold(each.role, each.division_level, division_at(each.division_level, above), each.axis)
            for each in rung.hearings
        ],
    )


def _last_level(book: Rulebook, clock: CaseClock, rung: Rung) -> int:
    return next(each.last_level for each in book.ladder(clock.ladder) if each.level <= rung.level <= each.last_level)


def up_to(divisions: Sequence[str], held_by: str | None) -> Sequence[str]:
    """The divisions that hear of a case, from the top down: none below the level that holds it."""
    return divisions[: divisions.index(held_by) + 1] if held_by in divisions else divisions
