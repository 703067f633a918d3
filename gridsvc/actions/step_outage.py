"""An outage is approved by another, refused, ended or withdrawn; the sweeper makes the clocks follow."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from gridsvc.actions.declare_outage import path_of
from gridsvc.db import Conn
from gridsvc.domain.access import Caller
from gridsvc.domain.outage import Outage, OutageState, Step, approved, ended, refused, withdrawn
from gridsvc.errors import Unknown, VersionConflict
from gridsvc.store import outages


async def step_outage(
    conn: Conn, outage_id: UUID, step: Step, by: Caller, version: int, note: str, until: datetime | None, now: datetime
) -> Outage:
    """Make a step of the outage as it stood at `version`; the outage after. In the caller's transaction.

    `until` is what END says; left out: now. Raises Unknown, VersionConflict, and what the decisions raise.
    """
    before = await outages.lock(conn, outage_id)
    if before is None:
        raise Unknown(f"no outage {outage_id}", outage=str(outage_id))
    if before.version != version:
        raise VersionConflict(
            f"the outage is at version {before.version}, not {version}; read it again",
            given=version, current_version=before.version,
        )  # fmt: skip
    path = await path_of(conn, before.division, now)
    match step:
        case Step.APPROVE:
            after = approved(before, by, path[0])
        case Step.REFUSE:
            after = refused(before, by, path[0])
        case Step.END:
            after = ended(before, by, path, path[0], until or now)
        case Step.WITHDRAW:
            after = withdrawn(before, by, path, path[0])
        case Step.DECLARE:
            raise AssertionError("a declaration has a story of its own")
    await outages.change(conn, after, step, by.id, note, _follow_from(before, after, now), now)
    return after


def _follow_from(before: Outage, after: Outage, now: datetime) -> datetime | None:
    """From when on the clocks must follow; None where nothing that counts has changed."""
    if OutageState.APPROVED not in {before.state, after.state}:
        return None
    return max(after.start, now)
