"""Open cases follow the grid set in force into their new cells and beats; some officers lose theirs by that.

Asked by the sweeper in every round: after a set was published or withdrawn, when its hour comes, and for whatever a
move that was under way has left in the set before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from gridsvc.actions.record_move import Recorded, record_moves
from gridsvc.db import Conn
from gridsvc.domain.case import Moved, decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Party, Pool
from gridsvc.domain.regrid import Follows, Ground, follow
from gridsvc.store import cases, grids, regrid
from gridsvc.store.cases import CaseRow, located
from gridsvc.store.cells import Owner, Wanted, owners_of
from gridsvc.store.rulebook import rulebook

SWEEPER: Final = Actor(worker=Party.SWEEPER)


@dataclass(frozen=True)
class Placed:
    """A case beside what it becomes in another set; None where that has no cell for its place."""

    row: CaseRow
    owner: Owner | None
    follows: Follows | None

    def columns(self) -> dict[str, Any]:
        """The columns that say where it lies from now on, and which level holds it."""
        place = self.row.place_of()
        assert place is not None  # noqa: S101 - what lies in a cell has a place
        assert self.owner is not None  # noqa: S101 - asked of what follows alone
        assert self.follows is not None  # noqa: S101
        return {**located(place, self.owner), "held_by": self.follows.held_by}


@dataclass(frozen=True)
class Followed:
    """What one page made: how many cases follow, how many of them went to routing, how many have no cell there."""

    cases: int = 0
    rerouted: int = 0
    lost: int = 0

    @property
    def looked_at(self) -> int:
        """Cases of this page; 0: there is nothing left to follow, or others have it."""
        return self.cases + self.lost


async def follow_grid(conn: Conn, now: datetime, limit: int) -> Followed:
    """Let up to `limit` open cases follow the set in force.

    Cases that somebody else holds are skipped and taken next time; one that has followed is not found again. Runs in
    the caller's transaction as the service.
    """
    force = await grids.in_force(conn, now)
    locked = [] if force is None else await cases.LOCK_TO_FOLLOW.all(conn, force, limit)
    if force is None or not locked:
        return Followed()
    placed = await place_anew(conn, locked, force, now)
    lost = [each.row.id for each in placed if each.follows is None]
    await regrid.mark_lost(conn, lost, force)
    moves = [(each.row, _recorded(each, each.follows, now)) for each in placed if each.follows is not None]
    await record_moves(conn, await rulebook(conn), moves, now)
    rerouted = sum(what.ended_why is not None for _, what in moves)
    return Followed(len(moves), rerouted, len(lost))


async def place_anew(conn: Conn, rows: Sequence[CaseRow], grid_set_id: int, now: datetime) -> list[Placed]:
    """Where each of these open cases lies in a set, by the rule of intake, and what follows of that. Reads only."""
    places = [row.place_of() for row in rows]
    asked = [Wanted(place, row.duty_line) for row, place in zip(rows, places, strict=True) if place is not None]
    owners = await owners_of(conn, asked, now, in_set=grid_set_id)
    holds = await regrid.holds(
        conn, [(row, owner.beat_code if owner else None) for row, owner in zip(rows, owners, strict=True)]
    )
    return [
        Placed(row, owner, None if owner is None else follow(row.case(), _ground(owner), hold))
        for row, owner, hold in zip(rows, owners, holds, strict=True)
    ]


async def where_it_lies_now(conn: Conn, locked: CaseRow, now: datetime) -> dict[str, Any]:
    """The columns of a case that is opened again, by the set in force; none where that says nothing new."""
    force = await grids.in_force(conn, now)
    if force is None or locked.cell_code is None or locked.grid_set_id == force:
        return {}
    [placed] = await place_anew(conn, [locked], force, now)
    return {} if placed.follows is None else placed.columns()


def _ground(owner: Owner) -> Ground:
    return Ground(
        grid_set_id=owner.grid_set_id,
        cell_code=owner.cell_code,
        divisions=owner.divisions,
        beat_code=owner.beat_code,
    )


def _recorded(placed: Placed, follows: Follows, now: datetime) -> Recorded:
    row, columns = placed.row, placed.columns()
    moved = decide(replace(row.case(), loses_owner=follows.loses_owner), Move.REGRID, SWEEPER, Particulars(), now)
    ground, loser = follows.ground, row.officer_id if follows.loses_owner else None
    facts = {
        "grid_set": ground.grid_set_id,
        "cell": ground.cell_code,
        "method": columns["cell_method"],
        "regridded": {
            name: [getattr(row, name), columns[name]] for name in _TOLD if getattr(row, name) != columns[name]
        },
        "keeps": None if follows.keeps is None else str(follows.keeps),
        "taken_from": str(loser) if loser else None,
    }
    return Recorded(
        moved=moved,
        actor=SWEEPER.id,
        facts={name: value for name, value in facts.items() if value is not None},
        ended_why=str(Move.REGRID) if follows.loses_owner else None,
        changes={**columns, "route_again_at": _routed_at(row, moved, follows, now)},
        told={
            "grid_set": ground.grid_set_id, "cell": ground.cell_code, "beat": ground.beat_code, "officer_id": loser,
        },
    )  # fmt: skip


_TOLD: Final = ("grid_set_id", "cell_code", "beat_code", "division_code", "management_level", "held_by")


def _routed_at(row: CaseRow, moved: Moved, follows: Follows, now: datetime) -> datetime | None:
    """When the reconciler sends it to routing: at once what has lost its officer, or waits where others walk now."""
    if follows.loses_owner:
        return now
    waits_for_routing = moved.pool is Pool.DISPATCH and row.route_again_at is not None
    return now if waits_for_routing and follows.other_beat else row.route_again_at
