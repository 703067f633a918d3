"""When a move was made of which a phone tells later, and what the desk should look at twice."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from gridsvc.db import Conn
from gridsvc.domain.captured import Captured, Claimed, Doubt, Floor, doubts_of_fix, judge, ordered, works_out_there
from gridsvc.domain.case_state import Actor, Case, Particulars
from gridsvc.store import assignments, history
from gridsvc.store.cases import CaseRow


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What the history keeps of it, and by which moment clocks are judged; None: by that of its receipt."""

    facts: dict[str, object]
    at: datetime | None = None


async def judge_capture(
    conn: Conn, locked: CaseRow, case: Case, actor: Actor, said: Particulars, claimed: Claimed | None, now: datetime
) -> Judged:
    """Hold the claim of a phone between what is known of the case and `now`.

    Not before the case was given to whoever has it, nor before what the same person did to it last: moves of one
    case are in order. Clocks go by it where the caller is one who works out there (gridsvc/domain/captured.py).
    """
    captured = None if claimed is None else judge(claimed, await _floors(conn, locked, actor), now)
    doubts: list[Doubt] = [*doubts_of_fix(said.fix, captured, now)]
    if said.no_fix is not None:
        doubts.append(Doubt.NO_FIX)
    if captured is None:
        return Judged(facts=facts_of_doubts(doubts))
    counts = works_out_there(case, actor.caller)
    facts = {"captured": {**captured.facts(), "counts": counts}, **facts_of_doubts([*captured.doubts, *doubts])}
    return Judged(facts=facts, at=captured.at if counts else None)


def facts_of_birth(captured: Captured | None) -> dict[str, object]:
    """What the first row of a history keeps of a report that a phone sends later."""
    if captured is None:
        return {}
    return {"captured": captured.facts(), **facts_of_doubts(captured.doubts)}


def facts_of_doubts(doubts: Sequence[Doubt]) -> dict[str, object]:
    """The doubts as the history keeps them; nothing where there are none."""
    return {"doubts": [str(doubt) for doubt in ordered(doubts)]} if doubts else {}


async def _floors(conn: Conn, locked: CaseRow, actor: Actor) -> list[Floor]:
    floors = []
    last = await history.LAST_OF_ACTOR.one(conn, locked.id, actor.id)
    if last is not None:
        floors.append(Floor(at=last.at, doubt=Doubt.OUT_OF_ORDER))
    if locked.assignment_id is not None:
        assignment = await assignments.ONE.one(conn, locked.assignment_id, locked.id)
        if assignment is not None:
            floors.append(Floor(at=assignment.assigned_at, doubt=Doubt.BEFORE_ASSIGNMENT))
    return floors
