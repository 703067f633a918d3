"""What the moves of co-handling (协办) make of a part: it is asked for, done, declined or called off."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from gridsvc.db import Conn
from gridsvc.domain.case_state import Actor, Move, Particulars, parts_of
from gridsvc.domain.category import Category, missing_evidence
from gridsvc.errors import BadRequest
from gridsvc.ids import new_id
from gridsvc.store import co_handlings
from gridsvc.store.cases import CaseRow
from gridsvc.store.co_handlings import AskedPart, EndedPart, PartName

_RESULTS: Final = {Move.CO_HAND_IN: "done", Move.CO_DECLINE: "declined", Move.CO_CALL_OFF: "called_off"}


def part_asked(locked: CaseRow, move: Move, actor: Actor, said: Particulars, now: datetime) -> AskedPart | None:
    """The part that `move` asks for; None for every other move."""
    if move is not Move.CO_ASSIGN:
        return None
    assert said.department is not None  # noqa: S101 - the table demands both
    assert said.wanted is not None  # noqa: S101
    return AskedPart(
        id=new_id(),
        case_id=locked.id,
        cycle=locked.cycle,
        department=said.department,
        wanted=said.wanted,
        asked_by=actor.id,
        asked_at=now,
    )


async def part_meant(conn: Conn, locked: CaseRow, move: Move, actor: Actor, said: Particulars) -> PartName | None:
    """The open part that `move` ends; None for a move that ends none."""
    if move not in _RESULTS:
        return None
    department = said.department
    if department is None:
        assert actor.caller is not None  # noqa: S101 - the table: who does not name it is a handler with one part
        [department] = parts_of(locked.case(), actor.caller)
    return await co_handlings.open_part(conn, locked.id, department)


def part_ended(
    part: PartName | None, move: Move, actor: Actor, said: Particulars, captured_at: datetime | None
) -> EndedPart | None:
    """How `part` ends by `move`; `captured_at` is when that was done, where a phone could tell it only later."""
    if part is None:
        return None
    return EndedPart(
        case_id=part.case_id,
        department=part.department,
        result=_RESULTS[move],
        ended_by=actor.id,
        reason_code=said.reason_code,
        reply=said.reply or said.reason or said.note,
        before=said.before,
        evidence=said.evidence,
        judged_at=captured_at,
    )


def check_evidence(category: Category, said: Particulars) -> None:
    """A part is proved as the category asks of the work: with photographs from before and after, where it does."""
    for moment, given in (("before", said.before), ("after", said.evidence)):
        missing = missing_evidence(category, moment, given)
        if missing is not None:
            field = "before" if moment == "before" else "evidence"
            raise BadRequest(missing, field=field, wanted=f"at least one photograph from {moment} the work")


def facts_of_part(part: AskedPart | PartName | None) -> dict[str, object]:
    """What the history says of it, in JSON's own types."""
    return {} if part is None else {"part": str(part.id), "department": part.department}


def told_of_part(part: AskedPart | PartName) -> dict[str, Any]:
    """What the announcement says of it."""
    return {"part_id": part.id, "department": part.department}
