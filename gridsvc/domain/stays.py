"""Which cells an officer was in, from the fixes of his way: entered and left with hysteresis.

Pure, and a function of what is known of the way, never of the order in which it came to be known. A border is no place
to flap at: he stays in a cell until a fix is further from it than that fix may be wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final

from geo.place import Place
from geo.projection import metres_between

UNKNOWN_AFTER: Final = timedelta(minutes=10)
"""Where he was between two fixes that are further apart is not known: a stay ends with the fix before."""

FASTEST_M_S: Final = 50.0
"""Nobody goes faster through a city: 180 km/h."""

LEAST_MARGIN_M: Final = 10.0
MOST_MARGIN_M: Final = 50.0
USUAL_ACCURACY_M: Final = 20.0
"""Of a fix that states none."""

LOOK_BACK: Final = 6
"""So many fixes before the first change are read again, to find one that can be believed for itself."""


@dataclass(frozen=True, slots=True)
class Fix:
    """One fix of an officer's way, not mocked."""

    taken_at: datetime
    place: Place


@dataclass(frozen=True, slots=True)
class Located:
    """The cell that covers a fix, None outside the grid; and all cells it may be in, as exact as it is."""

    cell: str | None
    near: frozenset[str]


@dataclass(frozen=True, slots=True)
class Stay:
    """He was in the cell from its first fix to its last; `fixes` of his way lie between, both counted."""

    cell: str
    entered_at: datetime
    left_at: datetime
    fixes: int


def margin_m(accuracy_m: float | None) -> float:
    """How far from a cell a fix may lie and still be of it: its own accuracy, 10 m to 50 m."""
    return min(MOST_MARGIN_M, max(LEAST_MARGIN_M, USUAL_ACCURACY_M if accuracy_m is None else accuracy_m))


def jumps(fixes: Sequence[Fix]) -> list[bool]:
    """Which fixes nobody can have come to, nor gone on from: impossible jumps. `fixes` are in the order of time.

    Each is held against the fix before and the one after, as far as they lie within ten minutes; the first and the last
    of such a run against the two that are next. One that stands alone is believed; of two alone that contradict each
    other neither is.
    """
    runs = [0, *(n for n, (one, other) in enumerate(pairwise(fixes), 1) if _silent(one, other)), len(fixes)]
    found: list[bool] = []
    for begin, end in pairwise(runs):
        for n in range(begin, end):
            beside = {begin: (n + 1, n + 2), end - 1: (n - 1, n - 2)}.get(n, (n - 1, n + 1))
            others = [m for m in beside if begin <= m < end]
            found.append(bool(others) and not any(_can_go(fixes[min(n, m)], fixes[max(n, m)]) for m in others))
    return found


def _silent(one: Fix, other: Fix) -> bool:
    return other.taken_at - one.taken_at > UNKNOWN_AFTER


def _can_go(one: Fix, other: Fix) -> bool:
    """Whether somebody can have gone from here to there in time, as exact as both are."""
    took = other.taken_at - one.taken_at
    blur = sum(USUAL_ACCURACY_M if at.accuracy_m is None else at.accuracy_m for at in (one.place, other.place))
    return metres_between(one.place, other.place) - blur <= FASTEST_M_S * took.total_seconds()


def resume(before: Sequence[Fix], after: Sequence[Fix]) -> int | None:
    """Where to begin anew, of the last LOOK_BACK fixes `before` the first change and those `after`, counted together.

    After a silence nothing of before counts; else it is the last fix whose belief no change can touch (the one after it
    is there too) and that is believed. None: further back.
    """
    whole, leap = [*before, *after[:1]], jumps(before)
    for n in range(len(whole) - 1, 0, -1):
        if _silent(whole[n - 1], whole[n]):
            return n
        if n <= len(before) - 2 and not leap[n]:
            return n
    return 0 if len(before) < LOOK_BACK else None


def stays(fixes: Sequence[Fix], located: Sequence[Located], leaps: Sequence[bool], at_first: Stay | None) -> list[Stay]:
    """The stays of a way, in time's order, from its first fix on.

    `at_first`: the stay that the first fix belongs to, up to that fix, where it has begun before.
    """
    done: list[Stay] = []
    now_in = at_first
    entered = 1 - at_first.fixes if at_first is not None else 0  # which fix he came in with, counted from the first
    for n, (fix, where, leap) in enumerate(zip(fixes, located, leaps, strict=True)):
        if n and now_in is not None and _silent(fixes[n - 1], fix):
            done.append(now_in)
            now_in = None
        if leap or (n == 0 and at_first is not None):
            continue
        if now_in is not None and now_in.cell in where.near:
            now_in = replace(now_in, left_at=fix.taken_at, fixes=n - entered + 1)
            continue
        if now_in is not None:
            done.append(now_in)
        now_in = None if where.cell is None else Stay(where.cell, fix.taken_at, fix.taken_at, 1)
        entered = n
    return done if now_in is None else [*done, now_in]
