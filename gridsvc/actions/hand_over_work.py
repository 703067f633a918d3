"""The work of officers who left goes on without them (交接班): to routing, or the dispatcher hears what stays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from events.catalog import OfficerLeft
from gridsvc.actions.file_report import ROUTE_WITHIN
from gridsvc.actions.hand_over import RELIEVED
from gridsvc.actions.record_move import Recorded, record_moves
from gridsvc.db import Conn
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Party, State
from gridsvc.domain.duty import Does, on_leaving
from gridsvc.ids import new_id
from gridsvc.store import cases, duty, hand_overs, outbox
from gridsvc.store.cases import CaseRow
from gridsvc.store.duty import Standing
from gridsvc.store.hand_overs import HandOverRow, Held
from gridsvc.store.rulebook import rulebook

SWEEPER: Final = Actor(worker=Party.SWEEPER)


@dataclass(frozen=True, kw_only=True)
class _Left:
    """An officer who left, and what becomes of each case that he had then."""

    officer_id: UUID
    at: datetime
    why: str
    goes_on: Sequence[Held]
    stays: Sequence[Held]


async def hand_over_work(conn: Conn, now: datetime, limit: int, officers: Sequence[UUID] | None = None) -> int:
    """Hand over what is open with officers who left, `limit` cases or a few more; return how many moved.

    A shift that ended counts once the switch is off, an absence when it begins. What was given to somebody after
    he left stays: a person wanted it so. Twice, or by two sweepers at once, does no harm. In the caller's
    transaction as the service; `officers`: of these alone.
    """
    left = await _look(conn, now, limit, officers)
    locked = await cases.lock_many(conn, [each.case_id for one in left for each in one.goes_on])
    moves = [
        (row, relieved(row, SWEEPER, Particulars(reason=one.why), {"left_at": one.at.isoformat()}, now))
        for one in left
        for each in one.goes_on
        if (row := locked.get(each.case_id)) is not None and _stands(row, each)
    ]
    await record_moves(conn, await rulebook(conn), moves, now)
    await _tell(conn, [one for one in left if one.stays], now)
    return len(moves)


async def _look(conn: Conn, now: datetime, limit: int, officers: Sequence[UUID] | None) -> list[_Left]:
    who = officers if officers is not None else await hand_overs.perhaps_left(conn, now)
    if not who:
        return []
    held = [each for each in await hand_overs.held(conn, who) if not each.suspended]
    standing = await duty.standings(conn, [*who, *(other for each in held for other in each.others)], now)
    found: list[_Left] = []
    more = 0
    for officer_id in sorted(who):
        mine = [each for each in held if each.officer_id == officer_id]
        one = _left(officer_id, mine, standing)
        if one is not None and more < limit:
            found.append(one)
            more += len(one.goes_on)
    return found


def _left(officer_id: UUID, mine: Sequence[Held], standing: Mapping[UUID, Standing]) -> _Left | None:
    his = standing[officer_id]
    at, why = his.duty.left_at, his.duty.left_why
    if at is None or why is None:
        return None
    then = [each for each in mine if each.since < at]
    goes_on = [each for each in then if becomes(each, standing) is Does.ROUTE]
    return _Left(
        officer_id=officer_id, at=at, why=why, goes_on=goes_on, stays=[each for each in then if each not in goes_on]
    )


def becomes(held: Held, standing: Mapping[UUID, Standing]) -> Does:
    """Whether a case is routed anew or stays when its officer leaves, by the city's rules."""
    his, others = standing[held.officer_id], [standing[other].duty for other in held.others]
    return on_leaving(his.rules, State(held.state), others, his.duty.left_why)


def _stands(row: CaseRow, seen: Held) -> bool:
    return row.assignment_id == seen.assignment_id and row.state == seen.state and not row.suspended


def relieved(
    row: CaseRow, actor: Actor, said: Particulars, facts: Mapping[str, object], now: datetime
) -> Recorded:
    """What it makes of a case that its officer loses it to routing; raises what the table of moves refuses."""
    moved = decide(row.case(), Move.RELIEVE, actor, said, now)
    noted = {} if said.note is None else {"note": said.note}
    return Recorded(
        moved=moved,
        actor=actor.id,
        facts={"reason": said.reason, **noted, "from_officer": str(row.officer_id), **facts},
        ended_why=RELIEVED,
        changes={"route_again_at": now + ROUTE_WITHIN},
        told={"from_officer": row.officer_id, "why": said.reason},
    )


async def _tell(conn: Conn, left: Sequence[_Left], now: datetime) -> None:
    """The dispatcher hears once for each time that somebody left what stays with him."""
    rows = [
        HandOverRow(
            id=new_id(), officer_id=one.officer_id, why=one.why, left_at=one.at, at=now,
            handed_over=len(one.goes_on), stay=tuple(each.case_id for each in one.stays),
        )
        for one in left
    ]  # fmt: skip
    first = await hand_overs.add(conn, rows)
    news = [
        OfficerLeft(
            event_id=new_id(), at=now, officer_id=row.officer_id, why=row.why, left_at=row.left_at,
            handed_over=row.handed_over, stay=tuple(row.stay),
        )
        for row in rows
        if row.officer_id in first
    ]  # fmt: skip
    await outbox.append(conn, news, now)
