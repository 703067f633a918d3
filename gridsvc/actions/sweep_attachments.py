"""Attachments and originals whose time is over go: the record first, then the row, then the file."""

from __future__ import annotations

from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.keeping import Why, fate_of
from gridsvc.ids import new_id
from gridsvc.store import attachment_files
from gridsvc.store.attachment_files import Removal, ToSweep


async def sweep_attachments(conn: Conn, now: datetime, limit: int) -> tuple[int, int]:
    """Look at up to `limit` attachments: how many were looked at, how many removals came of it. Files go afterwards."""
    due = await attachment_files.LOCK_TO_SWEEP.all(conn, now, limit)
    keeping = await attachment_files.rules(conn)
    removals: list[Removal] = []
    later, gone, bare = [], list[ToSweep](), []
    for each in due:
        fate = fate_of(each.standing, each.kind, each.original_kept, keeping, now)
        if fate.original is not None:
            removals.append(_removal(each, "original", fate.original))
            bare.append(each.id)
        if fate.attachment is not None:
            removals.append(_removal(each, each.kind, fate.attachment))
            gone.append(each)
        else:
            later.append((each.id, fate.look_again_at))
    if removals:
        await attachment_files.removed(conn, removals, now)
    if bare:
        await attachment_files.LET_ORIGINALS_GO.run(conn, bare)
    if later:
        await attachment_files.SWEEP_LATER.run(conn, [each for each, _ in later], [at for _, at in later])
    if gone:
        await attachment_files.FORGET_LOOKS.run(conn, [each.id for each in gone])
        await attachment_files.REMOVE_LOOSE.run(conn, [each.id for each in gone if each.case_id is None])
        await attachment_files.REMOVE_OF_CASES.run(conn, [each.id for each in gone if each.case_id is not None], now)
    return len(due), len(removals)


def _removal(each: ToSweep, kind: str, fate: tuple[Why, datetime]) -> Removal:
    why, until = fate
    return Removal(
        id=new_id(), attachment_id=each.id, case_id=each.case_id, kind=kind, why=str(why),
        sha256=each.original if kind == "original" else each.sha256, kept_until=until,
    )  # fmt: skip
