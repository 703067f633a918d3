"""Reckon in which cells officers were, of those whose way has changed."""

from __future__ import annotations

from uuid import UUID

from gridsvc.db import Conn
from gridsvc.domain.position import TRAIL_SLOT, slot_of
from gridsvc.domain.stays import Stay, jumps, resume
from gridsvc.domain.stays import stays as stays_of
from gridsvc.store import stays


async def reckon_stays(conn: Conn, after: UUID | None, limit: int) -> list[UUID]:
    """Bring the stays of up to `limit` officers, by id `after` one, to what is known of their ways; who they were.

    Only what a change can touch is reckoned, and it comes to the same as if all were reckoned from the beginning:
    from the last fix before it that is beyond doubt to the next silence. Nobody while another process is at it.
    As the service.
    """
    if not await stays.my_turn(conn):
        return []
    due = await stays.DUE.all(conn, after, limit)
    ways = await stays.ways(conn, due)
    begins = {who: resume(way.before, way.after) for who, way in ways.items()}
    known = await stays.at(
        conn, [(who, ways[who].before[n].taken_at) for who, n in begins.items() if n and n < len(ways[who].before)]
    )
    parts = {who: [*way.before, *way.after][begins[who] :] for who, way in ways.items() if begins[who] is not None}
    located = iter(await stays.locate(conn, [fix for part in parts.values() for fix in part]))
    found: list[tuple[UUID, Stay]] = []
    spans = []
    for who, part in parts.items():
        if not part:
            continue
        where = [next(located) for _ in part]
        leaps = jumps([*ways[who].before, *ways[who].after])[begins[who] :]
        found += [(who, stay) for stay in stays_of(part, where, leaps, known.get(who))]
        since = known[who].entered_at if who in known else part[0].taken_at
        spans.append((who, since, slot_of(part[-1].taken_at) + TRAIL_SLOT))
    await stays.replace(conn, spans, found)
    for who in ways.keys() - parts.keys():
        await stays.EARLIER.run(conn, who, slot_of(ways[who].before[0].taken_at))
    await stays.DONE.run(
        conn, [each.officer_id for each in due if each.officer_id in parts],
        [each.changes for each in due if each.officer_id in parts],
    )  # fmt: skip
    return [each.officer_id for each in due]
