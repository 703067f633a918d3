"""Who comes too late with a move hears what happened meanwhile: who, which move, when."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, TypeVar
from uuid import UUID

from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Role
from gridsvc.domain.case_state import Actor, AtVersion, Expected, WhileAssigned
from gridsvc.errors import GridError, VersionConflict
from gridsvc.store import assignments, history, users
from gridsvc.store.assignments import AssignmentRow

E = TypeVar("E", bound=GridError)

MOST: Final = 20
"""The newest of them; whoever wants the rest reads the history."""

_EVER: Final = datetime(1, 1, 2, tzinfo=UTC)
_FOREVER: Final = datetime(9999, 12, 30, tzinfo=UTC)


async def explained(conn: Conn, refused: E, case_id: UUID, expected: Expected) -> E:
    """The refusal with `meanwhile`: what the case has seen since the move was decided on; as it was where nothing.

    The caller sees the case, so he may read its history. Leaves the transaction as the service: it is to be
    rolled back.
    """
    await act_as_service(conn)
    version, since = 0, _EVER
    match expected:
        case AtVersion():
            version = expected.version
        case WhileAssigned():
            assignment = await assignments.ONE.one(conn, expected.assignment_id, case_id)
            since = assignment.assigned_at if assignment else _EVER
    rows = await history.MEANWHILE.all(conn, case_id, version, since, _FOREVER, MOST)
    return await _with(conn, refused, rows)


async def refuse_what_is_over(conn: Conn, case_id: UUID, actor: Actor, expected: Expected) -> None:
    """Raise VersionConflict where the case has left the caller's sight because an assignment of his own has ended.

    He hears how it ended and what was done up to then, and nothing of what came after. Anything else is as if the
    case were not there. Leaves the transaction as the service: it is to be rolled back.
    """
    if not isinstance(expected, WhileAssigned) or actor.caller is None:
        return
    await act_as_service(conn)
    assignment = await assignments.ONE.one(conn, expected.assignment_id, case_id)
    if assignment is None or assignment.ended_at is None or not _was_his(assignment, actor):
        return
    over = VersionConflict(
        f"the case is not yours any more: {assignment.ended_why} at {assignment.ended_at.isoformat()}",
        ended_why=assignment.ended_why,
        ended_at=assignment.ended_at.isoformat(),
    )
    rows = await history.MEANWHILE.all(conn, case_id, 0, assignment.assigned_at, assignment.ended_at, MOST)
    raise await _with(conn, over, rows)


def _was_his(assignment: AssignmentRow, actor: Actor) -> bool:
    caller = actor.caller
    if caller is None:
        return False
    if assignment.officer_id is not None:
        return assignment.officer_id == caller.user_id
    return any(grant.role is Role.HANDLER and grant.department == assignment.department for grant in caller.grants)


async def _with(conn: Conn, refused: E, rows: list[history.Meanwhile]) -> E:
    if not rows:
        return refused
    names = await users.names(conn, {row.actor for row in rows})
    told = [
        {
            "version": row.version,
            "move": row.move,
            "actor": row.actor,
            "actor_name": names.get(row.actor),
            "at": row.at.isoformat(),
        }
        for row in rows
    ]
    return type(refused)(refused.message, **refused.facts, meanwhile=told)
