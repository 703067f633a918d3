"""Whatever is tried with a case, in whatever order, its life stays on the table."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from geo.place import Place
from gridsvc.domain.access import Role
from gridsvc.domain.case import MOVES, Moved, decide
from gridsvc.domain.case_guards import CHECKS
from gridsvc.domain.case_state import FINAL, OPEN, OWNED, Case, Clock, Move, Party, Pool, State
from gridsvc.domain.report import opening_of
from gridsvc.errors import GuardFailed, NotAllowed, WrongMoment
from tests.unit.domain.sample_case import CALLED, CHECKER, HANDLER, LEFT_OUT, NOW, OFFICER, ORDER, case_in, saying, who
from tests.unit.domain.sample_rules import category

WAITS = {
    State.REPORTED: {Pool.FILING, Pool.LOCATE},
    State.FILED: {Pool.ROUTING, Pool.DISPATCH, Pool.CAUSE, Pool.CALL},
}


def kept(case: Case, moved: Moved, said: dict[str, Any]) -> Case:
    """The case as the decision says it is from now on."""
    after = replace(
        case, state=moved.state, version=moved.version, cycle=moved.cycle, suspended=moved.suspended,
        extensions=moved.extensions, pool=moved.pool, suspensions=moved.suspensions, held_by=moved.held_by,
        returned_by=moved.returned_by, appeal=moved.appeal, cause_id=moved.cause_id,
    )  # fmt: skip
    if moved.pool is not None:
        after = replace(after, officer_id=None, assignment_id=None)
    if Clock.ON_SITE in moved.rule.stops:
        after = replace(after, checker_id=None)
    if Clock.SUPERVISION in moved.rule.stops:
        after = replace(after, order_id=None)
    if Clock.CALL in moved.rule.stops:
        after = replace(after, call_for=None, called=())
    if moved.rule.move in {Move.CALL, Move.SUMMON}:
        wanted = "owner" if moved.rule.move is Move.CALL else "first_on_scene"
        after = replace(after, call_for=wanted, called=(CALLED,))
    if moved.rule.move is Move.ANSWER:
        after = replace(after, officer_id=CALLED, assignment_id=CALLED)
    if moved.rule.move is Move.SEND_CHECK:
        after = replace(after, checker_id=CHECKER)
    if moved.rule.move is Move.SUPERVISE:
        after = replace(after, order_id=ORDER)
    if moved.rule.move in {Move.ASSIGN, Move.FORWARD, Move.HAND_OVER, Move.TAKE_OVER}:
        after = replace(after, officer_id=said["officer"])
    if moved.rule.move is Move.FOLLOW:
        after = replace(after, officer_id=HANDLER)  # who handled the cause
    if moved.rule.move is Move.CO_ASSIGN:
        after = replace(after, co_departments=("water",), co_open=("water",))
    if Clock.CO_HANDLING in moved.rule.stops or after.state in FINAL or after.pool is Pool.CAUSE:
        after = replace(after, co_open=())
    if moved.rule.move is Move.LOCATE:
        after = replace(after, cell_code="620102001001001", place=Place(103.83, 36.06))
    return after


class Life(RuleBasedStateMachine):
    """One case and everybody who tries something with it."""

    case: Case
    made: int
    was_final: bool

    @initialize(located=st.booleans(), files_itself=st.booleans())
    def is_reported(self, located: bool, files_itself: bool) -> None:
        opening = opening_of(category(files_itself=files_itself), located)
        self.case = case_in(
            opening.state, version=1, pool=opening.pool, cell_code="620102001001001" if located else None
        )
        self.made = 0
        self.was_final = False

    @rule(
        move=st.sampled_from(list(Move)),
        by=st.sampled_from([*Role, *Party]),
        officer=st.sampled_from([OFFICER, HANDLER]),
        hours=st.integers(0, 6),
    )
    def anybody_tries_anything(self, move: Move, by: Role | Party, officer: UUID, hours: int) -> None:
        self.attempt(move, by, officer, hours)

    @rule(data=st.data(), officer=st.sampled_from([OFFICER, HANDLER]), hours=st.integers(0, 6))
    def somebody_does_what_the_table_offers(self, data: st.DataObject, officer: UUID, hours: int) -> None:
        offered = [each for each in MOVES.values() if self.case.state in each.before]
        if offered:
            chosen = data.draw(st.sampled_from(offered))
            self.attempt(chosen.move, data.draw(st.sampled_from(sorted(chosen.by))), officer, hours)

    def attempt(self, move: Move, by: Role | Party, officer: UUID, hours: int) -> None:
        named = {Move.ASSIGN, Move.FORWARD, Move.HAND_OVER, Move.TAKE_OVER}
        said: dict[str, Any] = {"officer": officer} if move in named else {}
        if move is Move.FORWARD:
            said["department"] = LEFT_OUT
        before = self.case
        try:
            moved = decide(before, move, who(by), saying(move, **said), NOW + timedelta(hours=hours))
        except (NotAllowed, WrongMoment, GuardFailed):
            return
        self.made += 1
        self.was_final = before.state in FINAL
        self.case = kept(before, moved, said)
        if self.was_final and moved.rule.after is not None:
            assert (move, before.state) in {(Move.REOPEN, State.CLOSED), (Move.UNMERGE, State.MERGED)}

    @invariant()
    def versions_have_no_gap(self) -> None:
        assert self.case.version == 1 + self.made

    @invariant()
    def an_open_case_has_one_owner_or_one_pool(self) -> None:
        if self.case.state in OPEN:
            assert (self.case.officer_id is None) != (self.case.pool is None)
            assert self.case.pool is None or self.case.pool in WAITS[self.case.state]
        else:
            assert self.case.pool is None

    @invariant()
    def what_waits_for_its_cause_names_it(self) -> None:
        assert self.case.pool is not Pool.CAUSE or self.case.cause_id is not None
        assert self.case.cause_id is None or (
            self.case.pool is Pool.CAUSE or self.case.state in {State.HANDLED, State.CLOSED}
        )

    @invariant()
    def a_case_is_closed_with_all_its_parts(self) -> None:
        assert self.case.state is not State.CLOSED or not self.case.co_open

    @invariant()
    def what_is_filed_lies_in_a_cell(self) -> None:
        if self.case.state in OWNED | {State.FILED, State.HANDLED, State.CLOSED}:
            assert self.case.cell_code is not None

    @invariant()
    def only_an_owned_case_is_suspended(self) -> None:
        assert not self.case.suspended or self.case.state in OWNED

    @invariant()
    def a_limit_is_extended_twice_at_most(self) -> None:
        assert self.case.extensions <= 2

    @invariant()
    def a_case_is_suspended_once_at_most(self) -> None:
        assert self.case.suspensions <= 1

    @invariant()
    def nobody_is_out_to_look_at_a_case_that_has_gone_on(self) -> None:
        assert self.case.checker_id is None or self.case.state in CHECKS

    @invariant()
    def no_order_waits_on_a_case_that_is_over(self) -> None:
        assert self.case.order_id is None or self.case.state in OPEN

    @invariant()
    def it_rings_with_somebody_only_while_somebody_is_wanted(self) -> None:
        assert self.case.call_for is None or self.case.state in OWNED | {State.FILED}
        assert self.case.pool is not Pool.CALL or self.case.call_for is not None

    @invariant()
    def only_what_waits_for_a_person_was_given_back(self) -> None:
        assert self.case.returned_by is None or self.case.pool is Pool.DISPATCH


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
