"""What somebody who was called says: he comes, or he cannot. The first who comes has it; the others are told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gridsvc.actions.record_move import NewOwner
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.calling import EDITION, RULE
from gridsvc.domain.case_state import Actor, Move, Particulars
from gridsvc.errors import CallOver
from gridsvc.store import calls
from gridsvc.store.cases import CaseRow

ANSWERS: Final = frozenset({Move.ANSWER, Move.RESPOND, Move.DECLINE})


@dataclass(frozen=True, kw_only=True)
class Answered:
    """What an answer makes of the case, beside what every move does. All of it is empty for any other move."""

    accepted_by: UUID | None = None
    owner: NewOwner | None = None
    changes: Mapping[str, Any] = field(default_factory=dict)
    told: Mapping[str, Any] = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)


async def check_it_rings(conn: Conn, case_id: UUID, locked: CaseRow | None, move: Move, actor: Actor) -> None:
    """Raise CallOver where `actor` was called and it rings with him no more, before anything else is asked.

    Whoever was called may know that much, also when the case has left his sight since: a second who accepts
    is told that it is taken, not that there is no such case.
    """
    caller = actor.caller
    if move not in ANSWERS or caller is None or caller.user_id is None:
        return
    if locked is not None and caller.user_id in locked.called:
        return
    await act_as_service(conn)
    call = await calls.last_of_officer(conn, case_id, caller.user_id)
    if call is not None:
        raise CallOver(_words(call.ended_why, call.answered_by, caller.user_id), **_facts(call, caller.user_id))


def _words(ended_why: str | None, answered_by: UUID | None, me: UUID) -> str:
    if answered_by == me:
        return "you have accepted this call already"
    if answered_by is not None:
        return "another officer has accepted this call"
    if ended_why is None:
        return "you have declined this call"
    return f"the call rings no more: {ended_why}"


def _facts(call: calls.CallRow, me: UUID) -> dict[str, object]:
    return {
        "call": str(call.id),
        "taken": call.answered_by is not None,
        "by_you": call.answered_by == me,
        "ended_why": call.ended_why,
    }


async def keep_answer(
    conn: Conn, locked: CaseRow, move: Move, actor: Actor, said: Particulars, now: datetime
) -> Answered:
    """Keep what a called officer says, and what follows for the case. As the service, on a move that was decided."""
    if move not in ANSWERS or locked.call_id is None or actor.caller is None or actor.caller.user_id is None:
        return Answered()
    me = actor.caller.user_id
    told: dict[str, Any] = {"call_id": locked.call_id, "officer_id": me}
    facts = {"call": str(locked.call_id)}
    if move is Move.DECLINE:
        await calls.answer(conn, locked.call_id, me, "declined", said.reason_code, now)
        others = [each for each in locked.called if each != me]
        if not others:
            await calls.hurry(conn, locked.call_id, now)
        return Answered(changes={"called": others}, told=told, facts=facts)
    await calls.answer(conn, locked.call_id, me, "accepted", None, now)
    owner = await _owner(conn, locked, me) if move is Move.ANSWER else None
    changes = {"responder_id": me} if move is Move.RESPOND else {}
    told |= {"wanted": locked.call_for}
    return Answered(accepted_by=me, owner=owner, changes=changes, told=told, facts=facts)


async def _owner(conn: Conn, locked: CaseRow, me: UUID) -> NewOwner:
    """Why he: everybody who was called, from how far, and what each said."""
    called = [row for row in await calls.CALLED_OF_CASE.all(conn, locked.id) if row.call_id == locked.call_id]
    return NewOwner(
        officer_id=me,
        department=None,
        rule=RULE,
        edition=EDITION,
        reasons={
            "call": str(locked.call_id),
            "candidates": [
                {
                    "officer": str(row.officer_id),
                    "round": row.round,
                    "because": row.because,
                    "distance_m": None if row.distance_m is None else round(row.distance_m, 1),
                    "answer": row.answer,
                    "lost_because": None if row.officer_id == me else _why_not(row.answer),
                }
                for row in called
            ],
        },
    )


def _why_not(said: str | None) -> str:
    return "declined" if said == "declined" else "another accepted first"
