"""Undoing a bulk move: who, until when, and what an assignment that is undone leaves behind."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from gridsvc.domain.access import Role
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Case, Clock, Move, Party, Pool, State
from gridsvc.domain.evaluation import mark_of
from gridsvc.errors import GuardFailed, NotAllowed
from tests.unit.domain.sample_case import NOW, case_for, saying, who

MAKER = who(Party.MAKER)


def after_a_bulk(move: Move, *, before: dict[str, Any] | None = None, **changes: Any) -> Case:
    """A case that a bulk move has moved, and how it stood before."""
    case = case_for(Move.UNDO, State.ASSIGNED)
    assert case.undoing is not None
    return replace(case, undoing=replace(case.undoing, move=move, **(before or {})), **changes)


def guard(case: Case, by: Actor = MAKER) -> object:
    with pytest.raises(GuardFailed) as refused:
        decide(case, Move.UNDO, by, saying(Move.UNDO), NOW)
    return refused.value.facts["guard"]


OF_AN_OWNER = {Clock.ACKNOWLEDGE, Clock.HANDLING, Clock.STOP_IT, Clock.CALL}


@pytest.mark.parametrize(
    ("before", "state", "pool", "starts", "stops"),
    [
        ({"state": "filed", "pool": "dispatch"}, State.FILED, Pool.DISPATCH, {Clock.POOL}, OF_AN_OWNER),
        ({"state": "filed", "pool": "routing"}, State.FILED, Pool.ROUTING, {Clock.DISPATCH}, OF_AN_OWNER),
        ({"state": "filed", "pool": "call"}, State.FILED, Pool.ROUTING, {Clock.DISPATCH}, OF_AN_OWNER),
        ({"state": "assigned"}, State.ASSIGNED, None, {Clock.ACKNOWLEDGE}, {Clock.ACKNOWLEDGE}),
        ({"state": "accepted"}, State.ACCEPTED, None, set(), {Clock.ACKNOWLEDGE}),
        ({"state": "in_progress"}, State.IN_PROGRESS, None, set(), {Clock.ACKNOWLEDGE}),
    ],
)  # fmt: skip
def test_an_assignment_that_is_undone_leaves_the_case_where_it_stood(
    before: dict[str, Any], state: State, pool: Pool | None, starts: set[Clock], stops: set[Clock]
) -> None:
    moved = decide(after_a_bulk(Move.ASSIGN, before=before), Move.UNDO, MAKER, saying(Move.UNDO), NOW)
    assert (moved.state, moved.pool) == (state, pool)
    assert (set(moved.rule.starts), set(moved.rule.stops)) == (starts, stops)


def test_what_was_suspended_may_be_suspended_again_and_what_was_extended_extended() -> None:
    suspended = after_a_bulk(Move.SUSPEND, suspended=True, suspensions=1)
    moved = decide(suspended, Move.UNDO, MAKER, saying(Move.UNDO), NOW)
    assert (moved.suspended, moved.suspensions, moved.state) == (False, 0, State.ASSIGNED)
    extended = decide(after_a_bulk(Move.EXTEND, extensions=2), Move.UNDO, MAKER, saying(Move.UNDO), NOW)
    assert (extended.extensions, extended.suspensions) == (1, 0)
    reminded = decide(after_a_bulk(Move.REMIND, extensions=2), Move.UNDO, MAKER, saying(Move.UNDO), NOW)
    assert (reminded.extensions, reminded.suspended) == (2, False)


def test_half_an_hour_and_not_a_second_more() -> None:
    in_time = after_a_bulk(Move.REMIND, before={"made_at": NOW - timedelta(minutes=30)})
    assert decide(in_time, Move.UNDO, MAKER, saying(Move.UNDO), NOW).version == in_time.version + 1
    too_late = after_a_bulk(Move.REMIND, before={"made_at": NOW - timedelta(minutes=30, seconds=1)})
    assert guard(too_late) == "in_time_to_undo"


def test_an_extension_stays_where_the_case_would_be_late_at_once() -> None:
    late = after_a_bulk(Move.EXTEND, extensions=1, before={"due_without": NOW - timedelta(seconds=1)})
    assert guard(late) == "not_late_without_it"
    just = after_a_bulk(Move.EXTEND, extensions=1, before={"due_without": NOW})
    assert decide(just, Move.UNDO, MAKER, saying(Move.UNDO), NOW).extensions == 0


def test_undone_is_what_a_bulk_move_made_by_its_maker_or_a_supervisor() -> None:
    nothing = replace(after_a_bulk(Move.REMIND), undoing=None)
    assert guard(nothing, who(Role.SUPERVISOR)) == "can_be_undone"
    for by in (Role.DISPATCHER, Role.ACCEPTOR, Party.OWNER):
        with pytest.raises(NotAllowed):
            decide(after_a_bulk(Move.REMIND), Move.UNDO, who(by), saying(Move.UNDO), NOW)
    may_no_more = after_a_bulk(Move.REMIND, before={"made_by": None})
    with pytest.raises(NotAllowed):
        decide(may_no_more, Move.UNDO, MAKER, saying(Move.UNDO), NOW)


@pytest.mark.parametrize(
    ("move", "mark"), [(Move.SUSPEND, "undone"), (Move.EXTEND, "undone"), (Move.ASSIGN, None), (Move.REMIND, None)]
)
def test_what_left_a_mark_has_it_taken_back(move: Move, mark: str | None) -> None:
    moved = decide(after_a_bulk(move), Move.UNDO, MAKER, saying(Move.UNDO), NOW)
    assert mark_of(moved, move) == mark
