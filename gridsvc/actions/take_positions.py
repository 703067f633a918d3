"""Take a batch of an officer's fixes: judge each, keep the newest, and the way while he is on duty."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from geo.place import Bounds
from gridsvc.db import Conn
from gridsvc.domain.position import Claim, Judged, against_known, judge, newest, way
from gridsvc.errors import NotAllowed
from gridsvc.store import positions


async def take_positions(
    conn: Conn, officer_id: UUID, claims: Sequence[Claim], city: Bounds | None, now: datetime
) -> list[Judged]:
    """Judge every fix, in order; the newest good one becomes the latest place if it is newer than the known.

    One round trip, none when no fix is good. Raises NotAllowed when the user is no officer.
    """
    judged = [judge(claim, now, city) for claim in claims]
    best = newest(judged)
    if best is None:
        return judged
    before = await positions.keep(conn, officer_id, best, way(judged), now)
    if not before.is_officer:
        raise NotAllowed("positions are kept of officers only; this user is none")
    return against_known(judged, before.taken_at)
