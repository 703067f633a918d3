"""Find who answers for a filed case; where nobody can be found, put it in the pool for all to see."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from events.catalog import CaseNews, CaseUnacknowledged
from gridsvc.actions.record_move import NewOwner, Recorded, record_move
from gridsvc.db import Conn
from gridsvc.domain.case import Actor, Move, Particulars, Party, Pool, State, decide
from gridsvc.domain.routing import EDITION, Choice, NobodyFree, choose_owner
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import assignments, cases, people
from gridsvc.store.beat_lock import hold_beat
from gridsvc.store.cases import CaseRow
from gridsvc.store.rulebook import rulebook

ROUTER: Final = Actor(worker=Party.ROUTER)

TRY_AGAIN: Final = timedelta(seconds=60)
"""How often a pooled case is tried again, besides when an officer of its beat comes on duty."""


async def assign_case(conn: Conn, news: CaseNews, now: datetime) -> None:
    """Give the case of `news` an owner, or pool it and say why.

    News that is old, repeated or overtaken by a person changes nothing. Raises nothing for a case
    that has gone; runs in the caller's transaction as the service.
    """
    locked = await cases.lock(conn, news.case_id)
    if locked is None or not _still_wanted(locked, news):
        return
    if locked.assignment_id is not None:
        # Whoever let his time pass has lost it whatever follows, and is no candidate for it any more.
        await assignments.end(conn, locked.id, now, "unacknowledged")
    book = await rulebook(conn)
    found = await _choose(conn, book, locked, now)
    if isinstance(found, Choice):
        await _assign(conn, book, locked, found, now)
    elif locked.pool == Pool.DISPATCH:
        await cases.route_again(conn, [locked.id], now + TRY_AGAIN)  # it stands in the pool already
    else:
        await _pool(conn, book, locked, found, now)


def _still_wanted(locked: CaseRow, news: CaseNews) -> bool:
    if locked.suspended:
        return False
    if isinstance(news, CaseUnacknowledged):
        return locked.state == State.ASSIGNED and locked.assignment_id == news.assignment_id
    if locked.state != State.FILED:
        return False
    # Given back by a person (no time to route again): for a person to send on.
    return locked.pool == Pool.ROUTING or (locked.pool == Pool.DISPATCH and locked.route_again_at is not None)


async def _choose(conn: Conn, book: Rulebook, locked: CaseRow, now: datetime) -> Choice | NobodyFree:
    category = book.categories[(locked.edition, locked.category)]
    candidates = []
    if category.handled_by == "officer" and locked.beat_code is not None and locked.grid_set_id is not None:
        # Two cases of one beat at the same instant must not both see the same officer as the least loaded.
        await hold_beat(conn, locked.duty_line, locked.beat_code)
        place = locked.place_of()
        candidates = await people.candidates(
            conn,
            grid_set_id=locked.grid_set_id,
            duty_line=locked.duty_line,
            beat_code=locked.beat_code,
            place=(place.lon, place.lat) if place else None,
            case_id=locked.id,
            cycle=locked.cycle,
            now=now,
        )
    return choose_owner(category.handled_by, category.department, locked.beat_code, candidates)


async def _assign(conn: Conn, book: Rulebook, locked: CaseRow, found: Choice, now: datetime) -> None:
    said = Particulars(officer=found.officer_id, department=found.department)
    moved = decide(locked.case(), Move.ASSIGN, ROUTER, said, now)
    owner = NewOwner(
        officer_id=found.officer_id,
        department=found.department,
        rule=found.rule,
        edition=EDITION,
        reasons=found.reasons,
    )
    facts = {
        "officer": str(found.officer_id) if found.officer_id else None,
        "department": found.department,
        "rule": found.rule,
        "edition": EDITION,
    }
    await record_move(
        conn,
        book,
        locked,
        Recorded(moved=moved, actor=ROUTER.id, facts=facts, owner=owner),
        now,
    )


async def _pool(conn: Conn, book: Rulebook, locked: CaseRow, found: NobodyFree, now: datetime) -> None:
    moved = decide(locked.case(), Move.POOL, ROUTER, Particulars(reason=found.why), now)
    await record_move(
        conn,
        book,
        locked,
        Recorded(
            moved=moved,
            actor=ROUTER.id,
            facts={"why": found.why, "reasons": found.reasons},
            changes={"route_again_at": now + TRY_AGAIN},
            told={"why": found.why},
        ),
        now,
    )
