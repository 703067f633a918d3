"""The moves that a case offers: by who asks, its state, and whatever is known before anything is said."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gridsvc.domain.access import Role
from gridsvc.domain.call_back import CallBack
from gridsvc.domain.case import MOVES, decide
from gridsvc.domain.case_state import Actor, Move, Party, Pool, State
from gridsvc.domain.offering import KNOWN_BEFORE, offered
from gridsvc.errors import GuardFailed, NotAllowed, WrongMoment
from tests.unit.domain.sample_case import CITY, DISTRICT, NOW, OFFICER, case_for, case_in, person, saying, who

BY_DISTRICT = CallBack(id=UUID(int=0xC8), case_id=UUID(int=0xC1), level="district", division=DISTRICT)
BY_CITY = replace(BY_DISTRICT, level="city", division=CITY)


@pytest.mark.parametrize("by", [*Role, Party.OWNER, Party.CHECKER, Party.DEPARTMENT, None], ids=str)
@pytest.mark.parametrize("state", State)
def test_what_may_be_made_is_offered_and_what_is_offered_is_refused_for_what_is_said_alone(
    state: State, by: Role | Party | None
) -> None:
    for move in Move:
        case = case_for(move, state)
        rule = MOVES[move]
        waiting = [] if case.call_back is None else [case.call_back]
        is_offered = move in offered(replace(case, call_back=None), who(by), waiting, NOW)
        try:
            decide(case, move, who(by), saying(move), NOW)
            made = True
        except NotAllowed:
            made = False
        except GuardFailed as refused:
            made = refused.facts["guard"] not in {guard.__name__ for guard in KNOWN_BEFORE}
        except WrongMoment:
            made = False
        assert is_offered == (made and rule.over_http), (move, state, by)


@pytest.mark.parametrize(
    ("says", "move", "by", "stands"),
    [
        ("late, it is not extended", Move.EXTEND, Role.DISPATCHER, {"due_at": NOW - timedelta(seconds=1)}),
        ("extended twice, it is not a third time", Move.EXTEND, Role.DISPATCHER, {"extensions": 2}),
        ("suspended once in its life", Move.SUSPEND, Role.DISPATCHER, {"suspensions": 1}),
        ("suspended, nothing is started", Move.START, Party.OWNER, {"suspended": True}),
        ("not suspended, nothing is resumed", Move.RESUME, Role.DISPATCHER, {}),
        ("no order waits for a reply", Move.REPLY, Party.OWNER, {}),
        ("an order waits already", Move.SUPERVISE, Role.SUPERVISOR, {"order_id": UUID(int=1)}),
    ],
)
def test_what_is_known_beforehand_is_not_offered_to_be_refused(
    says: str, move: Move, by: Role | Party, stands: dict[str, Any]
) -> None:
    assert move not in offered(case_in(State.ACCEPTED, **stands), who(by), [], NOW), says


def test_who_handled_a_case_is_not_offered_its_closing() -> None:
    both = Actor(person(Role.ACCEPTOR, user=OFFICER))
    assert Move.CLOSE not in offered(case_in(State.HANDLED), both, [], NOW)
    assert Move.CLOSE in offered(case_in(State.HANDLED), who(Role.ACCEPTOR), [], NOW)


@pytest.mark.parametrize(
    ("says", "move", "stands"),
    [
        ("a part is open, it is not closed", Move.CLOSE, {"co_open": ("lamps",), "co_departments": ("lamps",)}),
        ("handled with its cause, it is unlinked first", Move.REWORK, {"cause_id": UUID(int=0xCA)}),
        ("no effect of another, nothing is unlinked", Move.UNLINK, {}),
    ],
)
def test_what_others_still_do_for_it_is_known_beforehand_too(says: str, move: Move, stands: dict[str, Any]) -> None:
    assert move not in offered(case_in(State.HANDLED, **stands), who(Role.ACCEPTOR), [], NOW), says


def test_a_call_back_is_offered_to_the_desk_that_makes_it() -> None:
    closed = case_in(State.CLOSED)
    district, city = who(Role.ACCEPTOR), Actor(person(Role.ACCEPTOR, CITY))
    assert Move.CALL_BACK not in offered(closed, district, [], NOW)
    assert Move.CALL_BACK in offered(closed, district, [BY_DISTRICT], NOW)
    assert Move.CALL_BACK not in offered(closed, district, [BY_CITY], NOW)
    assert Move.CALL_BACK in offered(closed, district, [BY_CITY, BY_DISTRICT], NOW), "one of them is the district's"
    assert Move.CALL_BACK in offered(closed, city, [BY_CITY], NOW)


def test_what_stands_in_routing_is_not_offered_for_correction() -> None:
    for pool, is_offered in ((Pool.ROUTING, False), (Pool.DISPATCH, True)):
        found = offered(case_in(State.FILED, pool=pool), who(Role.DISPATCHER), [], NOW)
        assert (Move.CORRECT in found) == is_offered
