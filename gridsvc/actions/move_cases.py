"""One move for many cases at once: each is moved or refused for itself, and a refusal keeps the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.actions.move_case import move_case
from gridsvc.db import Conn, act_for
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.domain.case import Actor, Expected, Move, Particulars
from gridsvc.errors import GridError, Refused, Unknown
from gridsvc.store.cases import CaseRow
from gridsvc.store.numbers import NumberBlocks

IN_BULK: Final = (Move.ASSIGN, Move.SUSPEND, Move.EXTEND, Move.REMIND)
"""What a dispatcher does to a page of cases. Whatever needs a look at each (closing, merging) is not among them."""


@dataclass(frozen=True)
class Wanted:
    """One case to be moved, and what that was decided on."""

    case_id: UUID
    expected: Expected


async def move_cases(
    conn: Conn,
    wanted: Sequence[Wanted],
    move: Move,
    by: Caller,
    said: Particulars,
    numbers: NumberBlocks,
    now: datetime,
) -> list[CaseRow | GridError]:
    """Make `move` on each of `wanted`; the case after or why not, in their order.

    In the caller's transaction, one savepoint for each. They are locked in the order of their ids, so that two
    calls that name the same cases never wait for each other in a ring. One that is named twice has moved on the
    second time.
    """
    outcomes: dict[int, CaseRow | GridError] = {}
    for index, each in sorted(enumerate(wanted), key=lambda one: (one[1].case_id, one[0])):
        try:
            async with conn.transaction():
                await act_for(conn, scope_keys(by))  # the move before this one ended as the service
                outcomes[index] = await move_case(
                    conn, each.case_id, move, Actor(by), said, each.expected, numbers, now
                )
        except (Refused, Unknown) as refused:
            outcomes[index] = refused
    return [outcomes[index] for index in range(len(wanted))]
