"""A bulk move is undone: each case that nobody has touched since stands as it stood; a refusal keeps the others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from gridsvc.actions.file_report import ROUTE_WITHIN
from gridsvc.actions.move_case import check_expected
from gridsvc.actions.record_move import NewOwner, Recorded, record_move
from gridsvc.db import Conn, act_as_service, act_for
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.domain.case import MOVES, decide, may_make
from gridsvc.domain.case_state import Actor, AtVersion, Clock, Move, Particulars, Pool
from gridsvc.domain.clock import go_on
from gridsvc.domain.rulebook import Rulebook
from gridsvc.domain.undoing import Undoing
from gridsvc.errors import GridError, GuardFailed, Refused, Unknown
from gridsvc.store import bulk_moves, cases, clocks, owners
from gridsvc.store.bulk_moves import BulkRow, ItemRow
from gridsvc.store.cases import CaseRow
from gridsvc.store.rulebook import rulebook

UNDONE: Final = "undone"
"""The rule by which somebody has a case again, and why the assignment before that ended."""


@dataclass(frozen=True)
class Outcome:
    """What became of one case: its item, undone now or before, or why it was not."""

    item: ItemRow
    refused: GridError | None = None


async def undo_bulk(conn: Conn, bulk_id: UUID, by: Caller, now: datetime) -> tuple[BulkRow, list[Outcome]]:
    """Undo what the bulk move made, an outcome for each case that it moved, in the order of their ids.

    Raises Unknown for one that the caller neither made nor sees any case of. What was undone before is answered
    as it was then, so twice changes nothing. In the caller's transaction, one savepoint for each case.
    """
    bulk = await bulk_moves.lock(conn, bulk_id)
    if bulk is None:
        raise Unknown(f"no bulk move {bulk_id}", bulk=str(bulk_id))
    book = await rulebook(conn)
    await act_as_service(conn)
    outcomes = []
    for item in await bulk_moves.items_of(conn, bulk_id):
        if item.undone_version is not None:
            outcomes.append(Outcome(item))
            continue
        try:
            async with conn.transaction():
                await act_for(conn, scope_keys(by))
                outcomes.append(Outcome(await _undo(conn, book, bulk, item, Actor(by), now)))
        except (Refused, Unknown) as refused:
            outcomes.append(Outcome(item, refused))
    return bulk, outcomes


async def _undo(conn: Conn, book: Rulebook, bulk: BulkRow, item: ItemRow, actor: Actor, now: datetime) -> ItemRow:
    locked = await cases.lock(conn, item.case_id)
    if locked is None:
        raise Unknown(f"no case {item.case_id}", case=str(item.case_id))
    check_expected(locked, AtVersion(item.version))
    undoing = await _undoing(conn, book, bulk, item, locked, actor)
    moved = decide(replace(locked.case(), undoing=undoing), Move.UNDO, actor, Particulars(), now)
    await act_as_service(conn)
    owner = await _owner_before(conn, book, locked, undoing)
    taken = undoing.move == Move.ASSIGN
    changes: dict[str, Any] = {"route_again_at": now + ROUTE_WITHIN} if moved.pool is Pool.ROUTING else {}
    after = await record_move(
        conn,
        book,
        locked,
        Recorded(
            moved=moved,
            actor=actor.id,
            facts=_facts(undoing),
            owner=owner,
            ended_why=UNDONE if taken else None,
            changes=changes,
            told={
                "bulk_id": bulk.id,
                "undone": bulk.move,
                "officer_id": locked.officer_id if taken else None,
                "department": locked.department if taken else None,
            },
            undone=undoing,
        ),
        now,
    )
    kept = replace(item, undone_version=after.version, undone_by=actor.id, undone_at=now)
    await bulk_moves.undone(conn, kept)
    return kept


async def _undoing(
    conn: Conn, book: Rulebook, bulk: BulkRow, item: ItemRow, locked: CaseRow, actor: Actor
) -> Undoing:
    may_still = may_make(MOVES[Move(bulk.move)], locked.case(), actor)
    return Undoing(
        bulk_id=bulk.id,
        move=bulk.move,
        made_by=bulk.made_by if may_still else None,
        made_at=bulk.made_at,
        state=item.state,
        pool=item.pool,
        officer_id=item.officer_id,
        department=item.department,
        handler_id=item.handler_id,
        budget_seconds=item.budget_seconds,
        due_without=await _due_without(conn, book, item, locked) if bulk.move == Move.EXTEND else None,
    )


async def _due_without(conn: Conn, book: Rulebook, item: ItemRow, locked: CaseRow) -> datetime | None:
    """When the case is due once the extension is gone."""
    live = [clock for clock in await clocks.live(conn, [locked.id]) if clock.kind is Clock.HANDLING]
    if not live or item.budget_seconds is None:
        return None
    [clock] = live
    stood_still = await clocks.pauses(conn, [clock.id])
    return go_on(replace(clock, budget_seconds=item.budget_seconds), book, stood_still.get(clock.id, ())).due_at


async def _owner_before(conn: Conn, book: Rulebook, locked: CaseRow, undoing: Undoing) -> NewOwner | None:
    """Who has the case again; None where nobody had it, or nobody lost it. Raises GuardFailed for one who has left."""
    if undoing.move != Move.ASSIGN or undoing.pool is not None:
        return None
    officer, handler = undoing.officer_id, undoing.handler_id
    if officer is not None and not await owners.is_active_officer(conn, officer, locked.duty_line):
        raise GuardFailed(
            f"officer {officer}, who had the case before, is there no more; assign it to another",
            move=str(Move.UNDO), guard="owner_before_is_there",
        )  # fmt: skip
    if handler is not None and not await owners.still_handles(conn, handler, undoing.department):
        handler = None  # the department finds another
    return NewOwner(
        officer_id=officer,
        department=undoing.department,
        rule=UNDONE,
        edition=book.routing.number,
        reasons={"bulk": str(undoing.bulk_id)},
        handler_id=handler,
    )


def _facts(undoing: Undoing) -> Mapping[str, object]:
    facts: dict[str, object] = {"bulk": str(undoing.bulk_id), "undone": undoing.move}
    if undoing.move == Move.ASSIGN:
        facts |= {
            "officer": str(undoing.officer_id) if undoing.officer_id else None,
            "department": undoing.department,
            "pool": undoing.pool,
        }
    return {name: value for name, value in facts.items() if value is not None}
