"""What becomes of a cause becomes of its effects (主因与关联案卷): they are handled, freed or passed on with it.

A cause and all that waits for it are locked by one statement, in the order of their ids, before anything is
decided; forty effects cost as many round trips as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from events.catalog import CaseCauseReopened
from gridsvc.actions.file_report import ROUTE_WITHIN
from gridsvc.actions.news import news_of
from gridsvc.actions.record_move import NewOwner, Recorded
from gridsvc.db import Conn, act_as_service, act_for
from gridsvc.domain.access import scope_keys
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import FINAL, Actor, Case, Move, Particulars, Party, Pool, State
from gridsvc.domain.checking import SEND_WITHIN, wanted_check
from gridsvc.domain.rulebook import Rulebook
from gridsvc.domain.visit import VISIT
from gridsvc.errors import GuardFailed, Unknown, VersionConflict
from gridsvc.store import cases, outbox
from gridsvc.store.cases import CaseRow

CAUSE: Final = Actor(worker=Party.CAUSE)

WITH_ITS_CAUSE: Final = "with_its_cause"
"""The rule of an assignment that says: who handled the cause handled the effect."""

_MOVE_OF_EFFECTS: Final = {Move.CLOSE: Move.FOLLOW, Move.CANCEL: Move.UNLINK, Move.MERGE: Move.LINK}
"""What each move of a cause makes of the effects that wait for it."""


@dataclass(frozen=True)
class Held:
    """A case under its lock, and what waits for it: `effects` are locked too where the move carries them."""

    case: CaseRow
    effects: Sequence[CaseRow] = ()
    waiting: int = 0

    def as_decided(self) -> Case:
        """The case as the decision about the move sees it."""
        return replace(self.case.case(), effects=self.waiting)


async def hold(conn: Conn, case_id: UUID, move: Move, actor: Actor, said: Particulars) -> Held:
    """The case for `move`, with every other case that it names or carries, locked in one order.

    Effects are carried whether the caller sees them or not. Raises Unknown for a case that is not there for this
    scope, VersionConflict when another was linked to it this very moment.
    """
    named = [each for each in (said.into, said.cause) if each is not None]
    carries = move in _MOVE_OF_EFFECTS and await cases.had_effects(conn, case_id)
    effects: list[CaseRow] = []
    if carries:
        effects = await _lock_family(conn, case_id, named, actor)
    elif named:  # in one order: two who merge crosswise would wait for each other in a ring
        await cases.lock_many(conn, [case_id, *named])
    locked = await cases.lock(conn, case_id)
    if locked is None:
        raise Unknown(f"no case {case_id}", case=str(case_id))
    if move in _MOVE_OF_EFFECTS and locked.had_effects and not carries:
        raise _just_linked(locked)
    waiting = len(effects)
    if move is Move.LINK and locked.had_effects:
        await act_as_service(conn)
        waiting = len(await cases.waiting_effects(conn, case_id))
        await _act_as(conn, actor)
    return Held(locked, effects, waiting)


async def _lock_family(conn: Conn, case_id: UUID, named: Sequence[UUID], actor: Actor) -> list[CaseRow]:
    await act_as_service(conn)
    family = await cases.lock_family(conn, [case_id, *named], case_id)
    effects = [row for row in family.values() if row.cause_id == case_id and row.pool == Pool.CAUSE]
    # Who links holds the cause, so from here on nothing is added; what came while we waited for the lock was missed.
    if await cases.waiting_effects(conn, case_id) != {row.id for row in effects}:
        raise _just_linked(family[case_id])
    await _act_as(conn, actor)
    return effects


async def _act_as(conn: Conn, actor: Actor) -> None:
    if actor.caller is not None:
        await act_for(conn, scope_keys(actor.caller))


def _just_linked(cause: CaseRow) -> VersionConflict:
    return VersionConflict(
        "another case was linked to this one this very moment; read it again and decide anew",
        current_version=cause.version,
        current_assignment=str(cause.assignment_id) if cause.assignment_id else None,
        state=cause.state,
    )


async def check_cause(conn: Conn, effect: CaseRow, cause_id: UUID) -> None:
    """Whether a case may be the cause of `effect`: there for this scope, filed, open, and no effect itself.

    An exercise and a real case are never linked: one of the two would be chased for the other's sake.
    """
    cause = await cases.lock(conn, cause_id)
    if cause is None:
        raise Unknown(f"no case {cause_id}", field="cause")
    if cause.state in FINAL or cause.state == State.REPORTED:
        raise GuardFailed(f"the cause is {cause.state}; want one that is filed and goes on", guard="goes_on")
    if cause.exercise != effect.exercise:
        raise GuardFailed("one of the two is an exercise; want both or none", guard="goes_on")
    if cause.source == VISIT:
        raise GuardFailed("the cause is a visit, which ends with its result; want another case", guard="no_visit")
    if cause.cause_id is not None:
        raise GuardFailed("the cause is an effect of another case; link to that one", guard="no_chain")


def check_heir(into: CaseRow, held: Held) -> None:
    """Whether the case that another is merged into can take over what waits for that one."""
    if held.effects and into.state == State.REPORTED:
        raise GuardFailed("the case has effects; want one to merge into that is filed", guard="goes_on")
    if held.effects and into.cause_id is not None:
        raise GuardFailed("the case has effects; want one to merge into that is no effect itself", guard="no_chain")


def carried(
    book: Rulebook, held: Held, move: Move, into: UUID | None, by: str, now: datetime
) -> list[tuple[CaseRow, Recorded]]:
    """What `move` of the cause makes of each effect, for `record_moves`; the histories name the cause."""
    if move not in _MOVE_OF_EFFECTS:
        return []
    follows = _MOVE_OF_EFFECTS[move]
    return [(effect, _recorded(book, held.case, effect, follows, into, by, now)) for effect in held.effects]


def _recorded(
    book: Rulebook, cause: CaseRow, effect: CaseRow, move: Move, into: UUID | None, by: str, now: datetime
) -> Recorded:
    names = into if move is Move.LINK else cause.id
    said = Particulars() if move is Move.UNLINK else Particulars(cause=names)
    told: dict[str, object] = {"cause_id": names}
    return Recorded(
        moved=decide(effect.case(), move, CAUSE, said, now),
        actor=CAUSE.id,
        facts={"cause": str(names), "by": by, **_facts(cause, move)},
        owner=_who_handled(book, cause) if move is Move.FOLLOW else None,
        changes=_columns(book, effect, move, now),
        told=told | ({"officer_id": None, "department": None} if move is Move.LINK else {}),
    )


def _facts(cause: CaseRow, move: Move) -> dict[str, object]:
    """What the history says besides, in JSON's own types: into what the cause went, or who has the effect with it."""
    if move is Move.LINK:
        return {"merged": str(cause.id)}
    if move is not Move.FOLLOW:
        return {}
    owner = {"officer": str(cause.officer_id) if cause.officer_id else None, "department": cause.department}
    return {name: value for name, value in owner.items() if value is not None}


def _columns(book: Rulebook, effect: CaseRow, move: Move, now: datetime) -> dict[str, Any]:
    """Who is freed is routed; who is handled is looked at unasked where its own category wants that."""
    if move is Move.UNLINK:
        return {"route_again_at": now + ROUTE_WITHIN}
    category = book.categories[(effect.edition, effect.category)]
    if move is Move.FOLLOW and wanted_check(category, State.HANDLED, effect.source, located=True):
        return {"check_again_at": now + SEND_WITHIN}
    return {}


def _who_handled(book: Rulebook, cause: CaseRow) -> NewOwner:
    return NewOwner(
        officer_id=cause.officer_id,
        department=cause.department,
        handler_id=cause.handler_id,
        rule=WITH_ITS_CAUSE,
        edition=book.routing.number,
        reasons={"cause": str(cause.id)},
    )


async def note_effects(conn: Conn, held: Held, move: Move, said: Particulars) -> None:
    """Note on the case that is a cause from now on that it is one."""
    if move is Move.LINK and said.cause is not None:
        await cases.note_effects(conn, said.cause)
    if move is Move.MERGE and held.effects and said.into is not None:
        await cases.note_effects(conn, said.into)


async def tell_of_reopened_cause(conn: Conn, cause: CaseRow, by: str, now: datetime) -> None:
    """What was handled with `cause` stands; its desks hear that the cause runs again."""
    if cause.had_effects:
        effects = await cases.handled_effects(conn, cause.id)
        news = [CaseCauseReopened(**news_of(effect, by, now), cause_id=cause.id) for effect in effects]
        await outbox.append(conn, news, now)
