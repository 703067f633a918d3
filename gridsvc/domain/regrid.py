"""What becomes of an open case when another grid set is in force, and what a new set changes (grid-versions.md).

A case follows into the cell, the beat and the divisions that its place has there. Whoever has it keeps it unless
it is an officer whom routing chose for a beat that the case has left.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from gridsvc.domain.case_state import Case, State


class Keeps(StrEnum):
    """Why whoever has the case keeps it."""

    NO_OFFICER = "no_officer"  # it stands in a pool, or a department has it: that has no beat
    SAME_BEAT = "same_beat"
    WALKS_THERE = "walks_there"  # the officer walks the new beat too
    BEGUN = "begun"  # work on the spot has begun, or is handed in
    SUSPENDED = "suspended"
    SENT_BY_HAND = "sent_by_hand"  # a person chose the officer, or the officer answered a call
    OF_A_TEAM = "of_a_team"  # routing chose him from a team, which has no beat


@dataclass(frozen=True, kw_only=True)
class Ground:
    """Where a place lies in a set; `divisions` from the top down."""

    grid_set_id: int
    cell_code: str
    divisions: tuple[str, ...]
    beat_code: str | None


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What binds the officer of a case to it: the new beat is his too; a person, or a rule of a team, chose him."""

    walks_there: bool = False
    sent_by_hand: bool = False
    of_a_team: bool = False


@dataclass(frozen=True, kw_only=True)
class Follows:
    """What a case becomes in another set. `keeps` None: its officer loses it, and it goes to routing."""

    ground: Ground
    held_by: str | None
    keeps: Keeps | None
    other_cell: bool
    other_beat: bool

    @property
    def loses_owner(self) -> bool:
        """Whether another officer is looked for."""
        return self.keeps is None


_BEGUN: Final = frozenset({State.IN_PROGRESS, State.HANDLED})


def follow(case: Case, ground: Ground, hold: Hold) -> Follows:
    """What `case`, which is open and lies in a cell of another set, becomes on `ground`."""
    other_beat = case.beat_code != ground.beat_code
    return Follows(
        ground=ground,
        held_by=_held_by(case, ground.divisions),
        keeps=_keeps(case, hold, other_beat=other_beat),
        other_cell=case.cell_code != ground.cell_code,
        other_beat=other_beat,
    )


def _keeps(case: Case, hold: Hold, *, other_beat: bool) -> Keeps | None:
    if case.officer_id is None:
        return Keeps.NO_OFFICER
    if not other_beat:
        return Keeps.SAME_BEAT
    if hold.walks_there:
        return Keeps.WALKS_THERE
    if case.state in _BEGUN:
        return Keeps.BEGUN
    if case.suspended:
        return Keeps.SUSPENDED
    if hold.sent_by_hand:
        return Keeps.SENT_BY_HAND
    return Keeps.OF_A_TEAM if hold.of_a_team else None


def _held_by(case: Case, divisions: Sequence[str]) -> str | None:
    """The level that holds the case: the same, or where that is gone the nearest above it, at last the topmost."""
    if case.held_by is None:
        return None
    upwards = reversed(case.divisions[: case.divisions.index(case.held_by) + 1])
    return next((code for code in upwards if code in divisions), divisions[0])


@dataclass(frozen=True, kw_only=True)
class Load:
    """How many open cases an officer has, and would have."""

    before: int
    after: int

    @property
    def change_percent(self) -> int | None:
        """By how much, in whole percent; None where there was nothing to compare with."""
        return None if self.before == 0 else round((self.after - self.before) * 100 / self.before)
