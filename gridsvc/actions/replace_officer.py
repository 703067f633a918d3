"""An officer is replaced in one act: his open work, his beats and his account, and what that would do beforehand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from gridsvc.actions.assign_case import choose_owners
from gridsvc.actions.change_duty import go_off_duty
from gridsvc.actions.hand_over import HANDED_OVER, RELIEVED
from gridsvc.actions.hand_over_work import relieved
from gridsvc.actions.record_move import NewOwner, Recorded, record_moves
from gridsvc.actions.relieve_officer import Outcome
from gridsvc.db import Conn, act_as_service
from gridsvc.domain.access import Caller
from gridsvc.domain.calling import is_called
from gridsvc.domain.candidates import Choice
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Party, State
from gridsvc.domain.rulebook import Rulebook
from gridsvc.errors import BadRequest, Refused, Unknown
from gridsvc.store import cases, hand_overs, replacing
from gridsvc.store.cases import CaseRow
from gridsvc.store.replacing import Takes
from gridsvc.store.rulebook import rulebook

_NOBODY: Final = "the case is suspended, and nobody else is free to have it"


@dataclass(frozen=True, kw_only=True)
class Order:
    """Who is replaced, and how. `successor` None: his work is routed anew, by the rules.

    `beats`: the successor walks his beats from now on. `leaves`: he does not come back; his account ends.
    """

    officer_id: UUID
    successor: UUID | None
    beats: bool
    leaves: bool
    reason: str


@dataclass(frozen=True, kw_only=True)
class Replaced:
    """What became of each case, in the order of their ids, and which beats went to the successor."""

    outcomes: Sequence[Outcome]
    beats: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Foreseen:
    """What a replacement would do now. `next_owner`: whom routing would choose for a case; None: nobody is free."""

    replaced: Replaced
    next_owner: Mapping[UUID, UUID | None]


async def replace_officer(conn: Conn, order: Order, by: Caller, now: datetime) -> Replaced:
    """Take the officer off duty and give each of his open cases to the successor, or to routing; begun ones too.

    Of those that `by` sees, in the order of their ids. What is suspended goes along and stands still as before; without
    a successor to whom routing would choose now, and where nobody is free it stays, and is told. Beats go before the
    work does, so that routing knows. Ends as the service. In the caller's transaction.
    Raises Unknown for a successor who is no active officer, BadRequest for one of another duty line.
    """
    mine = await hand_overs.held(conn, [order.officer_id])
    successor = await _successor(conn, order)
    await go_off_duty(conn, order.officer_id, now)
    locked = await cases.lock_many(conn, [each.case_id for each in mine])
    book = await rulebook(conn)
    moves: list[tuple[CaseRow, Recorded]] = []
    still: list[CaseRow] = []
    stays: list[Outcome] = []
    said = Particulars(reason=order.reason)
    for row in sorted(locked.values(), key=lambda each: each.id):
        if row.officer_id != order.officer_id:
            continue  # another was quicker
        if row.suspended:
            still.append(row)
            continue
        try:
            moves.append((row, relieved(row, Actor(by, Party.SWEEPER), said, {}, now)))
        except Refused as why:
            stays.append(Outcome(row.id, why))
    await act_as_service(conn)
    beats: list[str] = []
    if order.beats and successor is not None:
        beats = await replacing.pass_beats(conn, order.officer_id, successor.id)
    moved = await record_moves(conn, book, moves, now)
    if successor is not None:
        given = [(row, _given(book, row, order, successor, by, now)) for row in moved]
        moved = await record_moves(conn, book, given, now)
    stays += await _pass_on(conn, book, still, order, by, now)
    if order.leaves:
        await replacing.end_account(conn, order.officer_id, now)
    outcomes = sorted([*stays, *(Outcome(row.id, row) for row in moved)], key=lambda each: each.case_id)
    return Replaced(outcomes=outcomes, beats=beats)


async def preview_replacement(conn: Conn, order: Order, by: Caller, now: datetime) -> Foreseen:
    """Do it, ask routing what it would make of the rest, and take all of it back: the preview is what happens."""
    attempt = conn.transaction()
    await attempt.start()
    try:
        replaced = await replace_officer(conn, order, by, now)
        book = await rulebook(conn)
        rows = [each.became for each in replaced.outcomes if isinstance(each.became, CaseRow)]
        routed = [row for row in rows if row.state == State.FILED and not _rings(book, row)]
        found = await choose_owners(conn, book, routed, now, only_ask=True)
    finally:
        await attempt.rollback()
    chosen = {
        row.id: choice.officer_id if isinstance(choice, Choice) else None
        for row, choice in zip(routed, found, strict=True)
    }
    return Foreseen(replaced=replaced, next_owner=chosen)


async def _successor(conn: Conn, order: Order) -> Takes | None:
    if order.successor is None:
        if order.beats:
            raise BadRequest(
                "beats go to somebody; want a successor", field="successor", given=None, wanted="an officer"
            )
        return None
    found = await replacing.TAKES.one(conn, order.successor)
    if found is None or found.id == order.officer_id:
        raise Unknown(f"no other officer {order.successor}", field="successor", given=str(order.successor))
    his = await replacing.TAKES.one(conn, order.officer_id)
    if his is not None and his.duty_line != found.duty_line:
        raise BadRequest(
            f"the successor works in {found.duty_line}; want an officer of {his.duty_line}",
            field="successor", given=found.duty_line, wanted=his.duty_line,
        )  # fmt: skip
    return found


def _given(book: Rulebook, row: CaseRow, order: Order, successor: Takes, by: Caller, now: datetime) -> Recorded:
    """The case as the successor's: as routing gives one, and on the order of a person."""
    actor = Actor(by, Party.ROUTER)
    moved = decide(row.case(), Move.ASSIGN, actor, Particulars(officer=successor.id), now)
    return Recorded(
        moved=moved,
        actor=actor.id,
        facts={
            "officer": str(successor.id), "department": None, "rule": HANDED_OVER, "edition": book.routing.number,
            "from_officer": str(order.officer_id), "reason": order.reason,
        },
        owner=_takes_over(book, order, successor.id),
    )  # fmt: skip


async def _pass_on(
    conn: Conn, book: Rulebook, still: Sequence[CaseRow], order: Order, by: Caller, now: datetime
) -> list[Outcome]:
    """Give what is suspended to the successor, or to whom routing would choose; what nobody is free for stays."""
    owners = await _owners(conn, book, still, order, now)
    moves = [(row, _passed(row, owners[row.id], order, by, now)) for row in still if row.id in owners]
    passed = await record_moves(conn, book, moves, now)
    nobody = [Outcome(row.id, Refused(_NOBODY)) for row in still if row.id not in owners]
    return [*nobody, *(Outcome(row.id, row) for row in passed)]


async def _owners(
    conn: Conn, book: Rulebook, still: Sequence[CaseRow], order: Order, now: datetime
) -> dict[UUID, NewOwner]:
    if order.successor is not None:
        return dict.fromkeys([row.id for row in still], _takes_over(book, order, order.successor))
    found = await choose_owners(conn, book, still, now)
    return {
        row.id: NewOwner(
            officer_id=choice.officer_id, department=None, rule=choice.rule, edition=book.routing.number,
            reasons=choice.reasons,
        )
        for row, choice in zip(still, found, strict=True)
        if isinstance(choice, Choice) and choice.officer_id is not None
    }  # fmt: skip


def _passed(row: CaseRow, owner: NewOwner, order: Order, by: Caller, now: datetime) -> Recorded:
    actor, said = Actor(by, Party.SWEEPER), Particulars(officer=owner.officer_id, reason=order.reason)
    return Recorded(
        moved=decide(row.case(), Move.TAKE_OVER, actor, said, now),
        actor=actor.id,
        facts={
            "officer": str(owner.officer_id), "department": None, "rule": owner.rule, "edition": owner.edition,
            "from_officer": str(order.officer_id), "reason": order.reason,
        },
        owner=owner,
        ended_why=RELIEVED,
    )  # fmt: skip


def _takes_over(book: Rulebook, order: Order, successor: UUID) -> NewOwner:
    return NewOwner(
        officer_id=successor, department=None, rule=HANDED_OVER, edition=book.routing.number,
        reasons={"from_officer": str(order.officer_id), "why": "replaced"},
    )  # fmt: skip


def _rings(book: Rulebook, row: CaseRow) -> bool:
    return is_called(row.case(), book.categories[(row.edition, row.category)], book.call_rounds)

