"""A desk takes everything from an officer at once: his phone is lost, he had an accident."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from gridsvc.actions.change_duty import go_off_duty
from gridsvc.actions.hand_over_work import relieved
from gridsvc.actions.record_move import Recorded, record_moves
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Caller
from gridsvc.domain.case_state import Actor, Particulars
from gridsvc.errors import GridError, Refused
from gridsvc.store import cases, hand_overs
from gridsvc.store.cases import CaseRow
from gridsvc.store.rulebook import rulebook


@dataclass(frozen=True)
class Outcome:
    """What became of one case: how it stands now, or why it stays."""

    case_id: UUID
    became: CaseRow | GridError


async def relieve_officer(conn: Conn, officer_id: UUID, by: Caller, reason: str, now: datetime) -> list[Outcome]:
    """Take the officer off duty and send each of his open cases to routing, also those he has begun.

    Of those that `by` sees, in the order of their ids; what may not be moved (it is suspended) stays, and is told.
    He is off duty first, so that routing does not give him the next one. In the caller's transaction.
    """
    mine = await hand_overs.held(conn, [officer_id])
    await go_off_duty(conn, officer_id, now)
    locked = await cases.lock_many(conn, [each.case_id for each in mine])
    book = await rulebook(conn)
    moves: list[tuple[CaseRow, Recorded]] = []
    refused: list[Outcome] = []
    for row in sorted(locked.values(), key=lambda each: each.id):
        if row.officer_id != officer_id:
            continue  # another was quicker
        try:
            moves.append((row, relieved(row, Actor(by), Particulars(reason=reason), {}, now)))
        except Refused as why:
            refused.append(Outcome(row.id, why))
    await act_as_service(conn)
    moved = await record_moves(conn, book, moves, now)
    return sorted([*refused, *(Outcome(row.id, row) for row in moved)], key=lambda each: each.case_id)
