"""One move for many cases at once: each is moved or refused for itself, and a refusal keeps the others.

What each case was like before is kept, so that the whole can be undone (gridsvc/actions/undo_bulk.py).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.actions.move_case import move_case
from gridsvc.db import Conn, act_as_service, act_for
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.domain.case_state import Actor, Clock, Expected, Move, Particulars
from gridsvc.errors import GridError, GuardFailed, Refused, Unknown
from gridsvc.ids import new_id
from gridsvc.store import bulk_moves, cases, clocks
from gridsvc.store.bulk_moves import BulkRow, ItemRow
from gridsvc.store.cases import CaseRow
from gridsvc.store.numbers import NumberBlocks

IN_BULK: Final = (Move.ASSIGN, Move.CLOSE, Move.SUSPEND, Move.EXTEND, Move.LINK, Move.UNLINK, Move.REMIND)
"""What a desk does to a page of cases. What needs a look at each is not among them: of those that wait for their
check only effects are closed so, since their cause was looked at."""


@dataclass(frozen=True)
class Wanted:
    """One case to be moved, and what that was decided on."""

    case_id: UUID
    expected: Expected


@dataclass(frozen=True)
class Made:
    """A bulk move by its id, and the case after or why not for each that was named, in their order."""

    id: UUID
    outcomes: Sequence[CaseRow | GridError]


async def move_cases(
    conn: Conn,
    wanted: Sequence[Wanted],
    move: Move,
    by: Caller,
    said: Particulars,
    numbers: NumberBlocks,
    now: datetime,
) -> Made:
    """Make `move` on each of `wanted`; the case after or why not, in their order.

    In the caller's transaction, one savepoint for each. They are locked in the order of their ids, so that two
    calls that name the same cases never wait for each other in a ring. One that is named twice has moved on the
    second time.
    """
    outcomes: dict[int, CaseRow | GridError] = {}
    if said.cause is not None:  # it is held with all of them, so its place in the order is asked for at once
        await cases.lock_many(conn, [said.cause, *(each.case_id for each in wanted)])
    bulk = BulkRow(id=new_id(), move=move, made_by=by.id, made_at=now)
    items: list[ItemRow] = []
    for index, each in sorted(enumerate(wanted), key=lambda one: (one[1].case_id, one[0])):
        try:
            async with conn.transaction():
                await act_for(conn, scope_keys(by))  # the move before this one ended as the service
                if move is Move.CLOSE:
                    await _check_handled_with_its_cause(conn, each.case_id)
                before = await _before(conn, bulk, each.case_id)
                after = await move_case(conn, each.case_id, move, Actor(by), said, each.expected, numbers, now)
        except (Refused, Unknown) as refused:
            outcomes[index] = refused
        else:
            outcomes[index] = after
            items.append(replace(before, version=after.version))
    await act_as_service(conn)
    await bulk_moves.add(conn, bulk, items)
    return Made(bulk.id, [outcomes[index] for index in range(len(wanted))])


async def _before(conn: Conn, bulk: BulkRow, case_id: UUID) -> ItemRow:
    """How the case stands before it is moved."""
    row = await cases.lock(conn, case_id)
    if row is None:
        raise Unknown(f"no case {case_id}", case=str(case_id))
    budget = None
    if bulk.move == Move.EXTEND:
        live = await clocks.live(conn, [case_id])
        budget = next((clock.budget_seconds for clock in live if clock.kind is Clock.HANDLING), None)
    return ItemRow(
        bulk_id=bulk.id,
        case_id=case_id,
        version=row.version,
        state=row.state,
        pool=row.pool,
        officer_id=row.officer_id,
        department=row.department,
        handler_id=row.handler_id,
        budget_seconds=budget,
    )


async def _check_handled_with_its_cause(conn: Conn, case_id: UUID) -> None:
    locked = await cases.lock(conn, case_id)
    if locked is not None and locked.cause_id is None:
        raise GuardFailed(
            "only what was handled with its cause is closed together; look at this one by itself",
            move=str(Move.CLOSE), guard="handled_with_its_cause",
        )  # fmt: skip
