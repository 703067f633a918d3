"""Parts of a case that further departments do (协办): kept when they are asked for, ended when they are over.

A part ends by its own moves, and it is called off where the case goes on without it: the case is over, its
department gets the lead, or the case becomes an effect of another and needs nobody of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from events.catalog import CaseCoCalledOff
from gridsvc.actions.news import news_of
from gridsvc.db import Conn
from gridsvc.domain.case_state import FINAL, Pool
from gridsvc.store import co_handlings
from gridsvc.store.cases import CaseRow
from gridsvc.store.co_handlings import AskedPart, EndedPart, PartName


def with_parts(after: CaseRow, asked: AskedPart | None, ended: EndedPart | None) -> CaseRow:
    """The case with the departments that have a part after the move, and those whose part is open."""
    if asked is not None:
        everybody = sorted({*after.co_departments, asked.department})
        return replace(after, co_departments=everybody, co_open=sorted({*after.co_open, asked.department}))
    if not after.co_open:
        return after
    over = set(goes_on_without(after)) | ({ended.department} if ended is not None else set())
    return replace(after, co_open=[each for each in after.co_open if each not in over])


def goes_on_without(after: CaseRow) -> list[str]:
    """The departments of `co_open` whose part a case that stands as `after` wants no more."""
    if after.state in FINAL or after.pool == Pool.CAUSE:
        return list(after.co_open)
    return [each for each in after.co_open if each == after.department]


def called_off(before: CaseRow, after: CaseRow, said: EndedPart | None) -> list[str]:
    """The departments whose part ends with a move that does not say so itself; the history names them."""
    over = [each for each in before.co_open if each not in after.co_open]
    return [each for each in over if said is None or said.department != each]


async def end_parts(
    conn: Conn, ended: Sequence[tuple[CaseRow, CaseRow, EndedPart | None]], actors: Sequence[str], now: datetime
) -> tuple[list[PartName], list[CaseCoCalledOff]]:
    """End what the moves end, for (before, after, said) of each: the parts that ended, and news of those called off.

    What a move says for itself is announced by the move.
    """
    rows: list[EndedPart] = []
    unsaid: dict[tuple[object, str], tuple[CaseRow, str]] = {}
    for (before, after, said), actor in zip(ended, actors, strict=True):
        if said is not None:
            rows.append(said)
        for department in called_off(before, after, said):
            rows.append(EndedPart(case_id=before.id, department=department, result="called_off", ended_by=actor))
            unsaid[before.id, department] = (after, actor)
    parts = await co_handlings.end(conn, rows, now)
    news = []
    for part in parts:
        if (part.case_id, part.department) in unsaid:
            after, actor = unsaid[part.case_id, part.department]
            news.append(CaseCoCalledOff(**news_of(after, actor, now), part_id=part.id, department=part.department))
    return parts, news
