"""Patrols (巡查): which cells of a beat were walked in a shift, and of which nobody can say. docs/rules/patrols.md.

Pure, and a function of the stays and gaps that are known, never of the order in which they came. Where an officer on
duty sent nothing, nobody knows where he was: what he may have walked then is unknown, and never missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final
from uuid import UUID

APART: Final = timedelta(minutes=30)
"""Who comes again sooner than this after he left has not walked the cell once more."""

SETTLES_AFTER: Final = timedelta(hours=25)
"""Phones send what is a day old: so long after its end a patrol is judged once more, and then for good."""


class Walked(StrEnum):
    """How a cell of a patrol stands."""

    WALKED = "walked"
    OPEN = "open"  # not yet; the shift goes on
    UNKNOWN = "unknown"  # not seen to be walked, and for a part of the shift nobody knows
    MISSED = "missed"


@dataclass(frozen=True, kw_only=True)
class Patrol:
    """What is wanted of one shift: each of `cells` so many `times`, each time for at least `stay`."""

    from_at: datetime
    until_at: datetime
    cells: tuple[str, ...]
    times: int
    stay: timedelta


@dataclass(frozen=True)
class Passage:
    """An officer was in a cell."""

    officer_id: UUID
    cell: str
    entered_at: datetime
    left_at: datetime


@dataclass(frozen=True)
class Gap:
    """An officer of the beat was on duty, and nothing was heard of where he is."""

    officer_id: UUID
    from_at: datetime
    until_at: datetime


@dataclass(frozen=True)
class CellWalk:
    """How one cell stands: how often it was walked, and everybody who was there long enough."""

    state: Walked
    times: int
    officers: tuple[UUID, ...]


def judge(patrol: Patrol, passages: Iterable[Passage], gaps: Iterable[Gap], now: datetime) -> dict[str, CellWalk]:
    """How each cell of the patrol stands at `now`, by its code."""
    there: dict[str, list[Passage]] = {cell: [] for cell in patrol.cells}
    for each in passages:
        if each.cell in there and _long_enough(patrol, each):
            there[each.cell].append(each)
    in_the_dark = any(gap.until_at > patrol.from_at and gap.from_at < patrol.until_at for gap in gaps)
    return {cell: _walk(patrol, walks, now, in_the_dark=in_the_dark) for cell, walks in there.items()}


def _long_enough(patrol: Patrol, passage: Passage) -> bool:
    inside = min(passage.left_at, patrol.until_at) - max(passage.entered_at, patrol.from_at)
    return inside >= max(patrol.stay, timedelta(0))


def _times(walks: Iterable[Passage]) -> int:
    """The most passages that lie apart, whoever it was: the earliest end first, so that more never makes fewer."""
    times, last = 0, None
    for each in sorted(walks, key=lambda one: one.left_at):
        if last is None or each.entered_at - last >= APART:
            times, last = times + 1, each.left_at
    return times


def _walk(patrol: Patrol, walks: Sequence[Passage], now: datetime, *, in_the_dark: bool) -> CellWalk:
    times = _times(walks)
    if times >= patrol.times:
        state = Walked.WALKED
    elif now < patrol.until_at:
        state = Walked.OPEN
    else:
        state = Walked.UNKNOWN if in_the_dark else Walked.MISSED
    return CellWalk(state, times, tuple(sorted({each.officer_id for each in walks})))


def coverage(walks: Mapping[str, CellWalk]) -> float | None:
    """The share of cells that were walked, of those of which it is known; None where it is known of none."""
    known = [each for each in walks.values() if each.state is not Walked.UNKNOWN]
    return round(sum(each.state is Walked.WALKED for each in known) / len(known), 4) if known else None
