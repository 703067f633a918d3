"""Another grid set is in force: who keeps an open case, and which level holds it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Clock, Move, Party, Pool, State
from gridsvc.domain.regrid import Ground, Hold, Keeps, Load, follow
from tests.unit.domain.sample_case import CITY, COMMUNITY, DISTRICT, NOW, STREET, case_in, saying, who

OTHER_STREET = "620102002"
THERE = Ground(
    grid_set_id=2, cell_code="620102001001001", divisions=(CITY, DISTRICT, STREET, COMMUNITY), beat_code="B02"
)
HERE = replace(THERE, beat_code="B01")


@pytest.mark.parametrize("state", [State.ASSIGNED, State.ACCEPTED])
def test_an_officer_of_the_old_beat_loses_what_he_has_not_begun(state: State) -> None:
    follows = follow(case_in(state), THERE, Hold())
    assert follows.loses_owner
    assert (follows.other_beat, follows.other_cell) == (True, False)


@pytest.mark.parametrize(
    ("state", "changes", "ground", "hold", "keeps"),
    [
        (State.FILED, {}, THERE, Hold(), Keeps.NO_OFFICER),
        (State.ASSIGNED, {"officer_id": None, "department": "water"}, THERE, Hold(), Keeps.NO_OFFICER),
        (State.ASSIGNED, {}, HERE, Hold(), Keeps.SAME_BEAT),
        (State.ASSIGNED, {}, THERE, Hold(walks_there=True), Keeps.WALKS_THERE),
        (State.IN_PROGRESS, {}, THERE, Hold(), Keeps.BEGUN),
        (State.HANDLED, {}, THERE, Hold(), Keeps.BEGUN),
        (State.ACCEPTED, {"suspended": True}, THERE, Hold(), Keeps.SUSPENDED),
        (State.ACCEPTED, {}, THERE, Hold(sent_by_hand=True), Keeps.SENT_BY_HAND),
        (State.ASSIGNED, {}, THERE, Hold(of_a_team=True), Keeps.OF_A_TEAM),
    ],
    ids=str,
)
def test_everybody_else_keeps_it_and_it_is_said_why(
    state: State, changes: dict[str, object], ground: Ground, hold: Hold, keeps: Keeps
) -> None:
    assert follow(case_in(state, **changes), ground, hold).keeps == keeps


def test_a_place_that_comes_into_no_beat_is_another_beat() -> None:
    assert follow(case_in(State.ASSIGNED), replace(THERE, beat_code=None), Hold()).loses_owner


@pytest.mark.parametrize(
    ("held_by", "divisions", "then"),
    [
        (None, (CITY, DISTRICT, OTHER_STREET), None),
        (STREET, (CITY, DISTRICT, STREET), STREET),
        (STREET, (CITY, DISTRICT, OTHER_STREET), DISTRICT),
        (DISTRICT, (CITY, "620105"), CITY),
        (CITY, ("620000", "620105"), "620000"),
    ],
)
def test_a_level_that_is_not_on_the_new_path_gives_way_to_the_nearest_above(
    held_by: str | None, divisions: tuple[str, ...], then: str | None
) -> None:
    case = case_in(State.FILED, held_by=held_by)
    assert follow(case, replace(THERE, divisions=divisions), Hold()).held_by == then


def test_who_loses_it_leaves_it_to_routing_and_its_limit_goes_on() -> None:
    moved = decide(case_in(State.ACCEPTED, loses_owner=True), Move.REGRID, who(Party.SWEEPER), saying(Move.REGRID), NOW)
    assert (moved.state, moved.pool) == (State.FILED, Pool.ROUTING)
    assert moved.rule.starts == (Clock.DISPATCH,)
    assert set(moved.rule.stops) == {Clock.ACKNOWLEDGE, Clock.CALL}


def test_following_while_suspended_does_not_resume() -> None:
    case = case_in(State.ACCEPTED, suspended=True)
    assert decide(case, Move.REGRID, who(Party.SWEEPER), saying(Move.REGRID), NOW).suspended


def test_a_load_is_compared_where_there_was_one() -> None:
    assert [Load(before=before, after=after).change_percent for before, after in ((13, 17), (4, 1), (0, 3))] == [
        31, -75, None,
    ]  # fmt: skip
