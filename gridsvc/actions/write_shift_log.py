"""Somebody at a desk writes into the book of the shift: what is going on, and what whoever comes must watch."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.access import Caller, case_keys
from gridsvc.domain.shift_log import of_desk, own_desk
from gridsvc.errors import BadRequest
from gridsvc.ids import new_id
from gridsvc.store import shift_log
from gridsvc.store.cells import division_path
from gridsvc.store.shift_log import Entry


async def write_shift_log(
    conn: Conn, by: Caller, division: str | None, words: str, cases: Sequence[UUID], *, hand_over: bool, now: datetime
) -> Entry:
    """Keep an entry of the desk over `division` (None: the writer's own), with the desk's figures of this moment.

    In the caller's transaction and scope. Raises NotAllowed at a desk that is not his, BadRequest for a division or
    case that is not there.
    """
    own, line = own_desk(by)
    path = await division_path(conn, division or own, now)
    if path is None:
        raise BadRequest(
            f"no division {division!r} in this city", field="division", given=division, wanted="the code of a division"
        )
    where = of_desk(by, path, line)
    if missing := await shift_log.unseen(conn, cases):
        raise BadRequest(
            f"no case {missing[0]} in your sight", field="cases", given=str(missing[0]), wanted="ids of cases"
        )
    stands = await shift_log.figures(conn, path[-1], line, now)
    entry_id, user_id = new_id(), by.user_id
    assert user_id is not None  # noqa: S101 - no API key has this route
    await shift_log.add(
        conn, entry_id, path[-1], line, case_keys(where), hand_over=hand_over, words=words, cases=cases,
        as_it_stood=stands, written_by=user_id, now=now,
    )  # fmt: skip
    written = await shift_log.one(conn, entry_id)
    assert written is not None  # noqa: S101 - just written, in the writer's own scope
    return written
