"""Let what asks for a person at once stand as an alarm, until somebody says that he has seen it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from events.catalog import Announcement, CaseNews
from gridsvc.db import Conn
from gridsvc.domain.alarm import Named, alarm_of
from gridsvc.ids import new_id
from gridsvc.store import alarms
from gridsvc.store.cases import CaseRow


async def sound_alarms(conn: Conn, news: Sequence[Announcement], cases: Iterable[CaseRow], now: datetime) -> None:
    """Raise the alarms of what is announced of `cases`, in the transaction that announces it; most raise none."""
    named = {case.id: Named(number=case.number, cell=case.cell_code, exercise=case.exercise) for case in cases}
    about = (each for each in news if isinstance(each, CaseNews) and each.case_id in named)
    raised = [alarm for each in about if (alarm := alarm_of(each, named[each.case_id])) is not None]
    await alarms.raise_all(conn, {new_id(): alarm for alarm in raised}, now)
