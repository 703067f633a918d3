"""Take a batch of an officer's fixes: judge each, keep the latest, and the way, of what was taken on duty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from geo.place import Bounds
from gridsvc.db import Conn
from gridsvc.domain.position import Claim, Judged, Outcome, against_known, judge, newest, way, while_on_duty
from gridsvc.errors import NotAllowed
from gridsvc.store import positions


async def take_positions(
    conn: Conn, officer_id: UUID, claims: Sequence[Claim], city: Bounds | None, now: datetime
) -> list[Judged]:
    """Judge every fix, in order; the last good one becomes the latest place if it is later than the known.

    Kept is what was taken on duty, whenever it comes. In whatever order batches come, and how often, the same is kept.
    Two round trips, one when nothing is kept, none when no fix is good. Raises NotAllowed when the user is no officer.
    """
    judged = [judge(claim, now, city) for claim in claims]
    good = [fix.taken_at for fix in judged if fix.outcome is Outcome.ACCEPTED]
    if not good:
        return judged
    before = await positions.before(conn, officer_id, min(good), max(good))
    if not before.is_officer:
        raise NotAllowed("positions are kept of officers only; this user is none")
    judged = while_on_duty(judged, before.on_duty)
    latest, went = newest(judged), way(judged)
    if latest is not None or went:
        await positions.keep(conn, officer_id, latest, went, now)
    return against_known(judged, before.taken_at)
