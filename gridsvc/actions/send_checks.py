"""Send somebody to look where nobody has to ask for it: a category's own checks, and the sample of the self-handled."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from events.catalog import CaseCheckUnmanned, CaseNews
from gridsvc.actions.ask_somebody import check_of, columns_of, facts_of_task, keep_task
from gridsvc.actions.assign_case import ROUTER, TRY_AGAIN
from gridsvc.actions.news import news_of
from gridsvc.actions.record_move import Recorded, record_move
from gridsvc.db import Conn
from gridsvc.domain.case import decide
from gridsvc.domain.case_guards import CHECKS
from gridsvc.domain.case_state import Move, Particulars, State
from gridsvc.domain.checking import NobodyToSend, Sent, choose_checker
from gridsvc.domain.rulebook import Rulebook
from gridsvc.store import cases, checks, outbox
from gridsvc.store.cases import CaseRow
from gridsvc.store.rulebook import rulebook


async def send_checks(conn: Conn, news: Sequence[CaseNews], now: datetime) -> None:
    """Send an officer to each case of `news` that wants one and has none out.

    Nobody on duty may go: the desk is told once, and it is tried again each minute and when an officer of the
    beat comes on duty. News that is old or repeated changes nothing; a case that somebody holds is left for the
    reconciler. Runs in the caller's transaction as the service.
    """
    locked = await cases.LOCK_TO_CHECK.all(conn, [each.case_id for each in news])
    if not locked:
        return
    book = await rulebook(conn)
    for row in locked:  # one after the other: each knows whom the one before has sent
        found = choose_checker(await checks.candidates(conn, row.id, now))
        if isinstance(found, NobodyToSend):
            await _unmanned(conn, row, now)
        else:
            await _send(conn, book, row, found, now)


async def _send(conn: Conn, book: Rulebook, row: CaseRow, sent: Sent, now: datetime) -> None:
    moved = decide(row.case(), Move.SEND_CHECK, ROUTER, Particulars(officer=sent.officer_id), now)
    task = check_of(book, row, sent, ROUTER, now)
    what = Recorded(
        moved=moved,
        actor=ROUTER.id,
        facts=facts_of_task(task),
        changes=columns_of(task),
        told={"check_id": task.id, "kind": task.kind, "officer_id": task.officer_id},
    )
    await record_move(conn, book, row, what, now)
    await keep_task(conn, task)


async def _unmanned(conn: Conn, row: CaseRow, now: datetime) -> None:
    if not row.check_unmanned:
        told = CaseCheckUnmanned(**news_of(row, ROUTER.id, now), kind=CHECKS[State(row.state)])
        await outbox.append(conn, [told], now)
    await cases.check_again(conn, [row.id], now + TRY_AGAIN, unmanned=True)
