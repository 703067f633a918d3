"""An emergency rings with the nearest officers: who accepts first owns it, or is first on the scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from gridsvc.actions.record_move import Recorded, record_move
from gridsvc.db import Conn
from gridsvc.domain.calling import FIRST_ON_SCENE, OWNER, Picked, Ringing, next_ringing
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Party
from gridsvc.domain.rulebook import Rulebook
from gridsvc.ids import new_id
from gridsvc.store import calls
from gridsvc.store.calls import CalledRow, CallRow, WideningRow
from gridsvc.store.cases import CaseRow

ROUTER: Final = Actor(worker=Party.ROUTER)

WANTED: Final = {Move.CALL: OWNER, Move.SUMMON: FIRST_ON_SCENE}


async def call_officers(conn: Conn, book: Rulebook, locked: Sequence[CaseRow], move: Move, now: datetime) -> None:
    """Begin to ring for each of `locked`, by `move` (CALL or SUMMON); one for which it rings already is left alone.

    Where no round finds anybody the call begins all the same and its rounds are over at once: the sweeper tells
    the city's desk and goes on ringing. In the caller's transaction, as the service.
    """
    for row in locked:
        if row.call_id is None:
            await _begin(conn, book, row, move, now)


async def _begin(conn: Conn, book: Rulebook, row: CaseRow, move: Move, now: datetime) -> None:
    ringing = next_ringing(book.call_rounds, 0, await calls.reachable(conn, row.id, now))
    if ringing.is_over:
        ringing = replace(ringing, round=ringing.round - 1, picked=(), wait=timedelta(0))
    call = CallRow(
        id=new_id(), case_id=row.id, cycle=row.cycle, wanted=WANTED[move], round=ringing.round, started_at=now,
        next_round_at=now + ringing.wait,
    )  # fmt: skip
    await calls.add(conn, call)
    await ring(conn, call, ringing, now, now)
    what = Recorded(
        moved=decide(row.case(), move, ROUTER, Particulars(), now),
        actor=ROUTER.id,
        facts=facts_of(call.id, call.wanted, ringing),
        changes={"call_id": call.id, "call_for": call.wanted, "called": [each.officer_id for each in ringing.picked]},
        told=told_of(call.id, call.wanted, ringing),
    )
    await record_move(conn, book, row, what, now)


async def ring(conn: Conn, call: CallRow, ringing: Ringing, scheduled_at: datetime, now: datetime) -> None:
    """Keep a round of `call` and who is called in it; the next one is due when those have had their time."""
    await calls.ring(
        conn,
        WideningRow(
            call_id=call.id, case_id=call.case_id, round=ringing.round, scheduled_at=scheduled_at, fired_at=now,
            officers=len(ringing.picked),
        ),
        [_called(call, ringing.round, each, now) for each in ringing.picked],
        now + ringing.wait,
    )  # fmt: skip


def told_of(call_id: UUID, wanted: str, ringing: Ringing) -> dict[str, object]:
    """What the announcement of a round says besides what all say."""
    officers = tuple(each.officer_id for each in ringing.picked)
    return {"call_id": call_id, "wanted": wanted, "round": ringing.round, "officers": officers}


def facts_of(call_id: UUID, wanted: str, ringing: Ringing) -> dict[str, object]:
    """What the history keeps of a round, in JSON's own types."""
    return {
        "call": str(call_id),
        "wanted": wanted,
        "round": ringing.round,
        "officers": [
            {
                "officer": str(each.officer_id),
                "because": each.because,
                "distance_m": None if each.distance_m is None else round(each.distance_m, 1),
            }
            for each in ringing.picked
        ],
    }


def _called(call: CallRow, round_: int, picked: Picked, now: datetime) -> CalledRow:
    age = picked.position_age
    return CalledRow(
        call_id=call.id, case_id=call.case_id, officer_id=picked.officer_id, round=round_, because=picked.because,
        distance_m=picked.distance_m, position_age_s=None if age is None else age.total_seconds(), called_at=now,
        rung_at=now,
    )  # fmt: skip
