"""Open a case for each visit that is due: filed, routed, clocked and escalated by what stands for every case."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import Final
from uuid import UUID

from gridsvc.actions.file_report import Taken, file_reports
from gridsvc.db import Conn
from gridsvc.domain.report import Claim, Report
from gridsvc.domain.rulebook import Rulebook
from gridsvc.domain.visit import VISIT, next_on
from gridsvc.ids import new_id
from gridsvc.store import visit_plans, visits
from gridsvc.store.numbers import NumberBlocks
from gridsvc.store.rulebook import rulebook
from gridsvc.store.visit_plans import PlanRow
from gridsvc.store.visits import NewVisit

log = logging.getLogger(__name__)

ACTOR: Final = "worker:visits"


async def open_visits(conn: Conn, numbers: NumberBlocks, now: datetime, limit: int) -> int:
    """Open up to `limit` visits that are due today or were before; how many plans were seen to. As the service.

    What another worker opens at this moment is passed over; a plan whose last visit is open waits for its end. One
    of which no case can be opened rests with the code of the refusal until it is imported anew.
    """
    book = await rulebook(conn)
    today = now.astimezone(book.zone).date()
    due = await visit_plans.LOCK_DUE.all(conn, today, limit)
    if not due:
        return 0
    answers = await file_reports(conn, [_report(plan, book) for plan in due], numbers, now)
    opened: list[NewVisit] = []
    changed: dict[UUID, tuple[date | None, str]] = {}
    for plan, answer in zip(due, answers, strict=True):
        assert plan.next_on is not None  # noqa: S101 - it is due
        if isinstance(answer, Taken):
            opened.append(
                NewVisit(
                    id=new_id(), plan_id=plan.id, case_id=answer.case.id, subject=plan.subject, due_on=plan.next_on
                )
            )
            calendar = book.calendar_for(answer.category, answer.case.divisions, None)
            changed[plan.id] = (next_on(plan.rhythm(), max(today, plan.next_on), calendar), "")
        else:
            changed[plan.id] = (plan.next_on, answer.code)
            log.error(
                "a visit cannot be opened",
                extra={"action": "visit_refused", "plan_id": str(plan.id), "code": answer.code},
            )
    await visits.add(conn, opened, now)
    await visit_plans.go_on(conn, changed)
    return len(due)


def _report(plan: PlanRow, book: Rulebook) -> Report:
    """What is said of the visit: its category and place, and nothing of who or what is visited."""
    category = book.categories[plan.edition, plan.category]
    return Report(
        id=new_id(), case_id=new_id(), source=VISIT, reported_by=ACTOR, category=category.id,
        description=category.name, address="", place=plan.place(), claim=Claim(plan.lon, plan.lat, "wgs84"),
        occurred_at=None,
    )  # fmt: skip
