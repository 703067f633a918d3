"""What a move asks of somebody: an officer goes and looks, or a supervision order wants a reply. Each has a clock."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from gridsvc.db import Conn
from gridsvc.domain.case_guards import CHECKS
from gridsvc.domain.case_state import Actor, Clock, Move, Particulars, State
from gridsvc.domain.checking import BY_HAND, NobodyToSend, Sent, choose_checker
from gridsvc.domain.escalation import deadline
from gridsvc.domain.rulebook import Rulebook
from gridsvc.domain.supervision import KIND, LEVEL, reply_within
from gridsvc.errors import GuardFailed
from gridsvc.ids import new_id
from gridsvc.store import checks, supervision_orders
from gridsvc.store.cases import CaseRow
from gridsvc.store.checks import CheckRow
from gridsvc.store.supervision_orders import OrderRow

Task = CheckRow | OrderRow

NOBODY: Final = "somebody_to_send"


@dataclass(frozen=True)
class _Asking:
    """Who asks, on which case, when."""

    locked: CaseRow
    actor: Actor
    said: Particulars
    now: datetime


async def task_of(
    conn: Conn, book: Rulebook, locked: CaseRow, move: Move, actor: Actor, said: Particulars, now: datetime
) -> Task | None:
    """What `move` asks of somebody, not kept yet; None for a move that asks nothing.

    Raises GuardFailed when nobody on duty may be sent, or the named officer handled the case. As the service.
    """
    asking = _Asking(locked, actor, said, now)
    if move is Move.SEND_CHECK:
        return await _check(conn, book, asking)
    if move is Move.SUPERVISE:
        return _order(asking)
    return None


async def keep_task(conn: Conn, task: Task | None) -> None:
    """Keep what was asked; whatever was asked before it has ended."""
    if isinstance(task, CheckRow):
        await checks.add(conn, task)
    elif task is not None:
        await supervision_orders.add(conn, task)


def columns_of(task: Task | None) -> dict[str, object]:
    """What the case says of it."""
    if isinstance(task, CheckRow):
        return {"checker_id": task.officer_id}
    return {} if task is None else {"order_id": task.id}


def facts_of_task(task: Task | None) -> dict[str, object]:
    """What the history says of it, in JSON's own types."""
    if isinstance(task, CheckRow):
        return {"check": str(task.id), "kind": task.kind, "officer": str(task.officer_id), "rule": task.rule}
    return {} if task is None else {"order": str(task.id), "kind": task.kind, "level": task.level}


def budgets_of(task: Task | None) -> dict[Clock, timedelta]:
    """How long it may take, where it says so itself."""
    return {Clock.SUPERVISION: reply_within(task.level)} if isinstance(task, OrderRow) else {}


def check_of(
    book: Rulebook, locked: CaseRow, sent: Sent, actor: Actor, now: datetime, note: str | None = None
) -> CheckRow:
    """The check that the officer who is `sent` shall make, not kept yet; due when its clock is."""
    limit = locked.limit(book, Clock.ON_SITE)
    return CheckRow(
        id=new_id(),
        case_id=locked.id,
        cycle=locked.cycle,
        kind=CHECKS[State(locked.state)],
        officer_id=sent.officer_id,
        rule=sent.rule,
        reasons=sent.reasons,
        note=note or "",
        sent_by=actor.id,
        sent_at=now,
        due_at=deadline(now, limit.budget, limit.calendar, ()).at,
    )


async def _check(conn: Conn, book: Rulebook, asking: _Asking) -> CheckRow:
    locked, said = asking.locked, asking.said
    candidates = await checks.candidates(conn, locked.id, asking.now)
    sent: Sent | NobodyToSend
    if said.officer is None:
        sent = choose_checker(candidates)
    elif any(each.officer_id == said.officer and each.handled_it for each in candidates):
        raise GuardFailed(
            "who belongs to the department that handled the case is not sent to check it",
            move=str(Move.SEND_CHECK), guard="looked_at_by_another",
        )  # fmt: skip
    else:
        sent = Sent(officer_id=said.officer, rule=BY_HAND, reasons={})
    if isinstance(sent, NobodyToSend):
        raise GuardFailed(
            "no officer on duty is near, or of the beat, who did not handle the case; name one, or wait",
            move=str(Move.SEND_CHECK), guard=NOBODY, **sent.reasons,
        )  # fmt: skip
    return check_of(book, locked, sent, asking.actor, asking.now, said.note)


def _order(asking: _Asking) -> OrderRow:
    level = asking.said.level or LEVEL
    return OrderRow(
        id=new_id(),
        case_id=asking.locked.id,
        cycle=asking.locked.cycle,
        kind=asking.said.kind or KIND,
        level=level,
        reason=asking.said.reason or "",
        wanted=asking.said.wanted or "",
        ordered_by=asking.actor.id,
        ordered_at=asking.now,
        due_at=asking.now + reply_within(level),
    )
