"""The table of moves: `docs/states.md` says it, and every state × move × who does exactly that."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from typing import Any

import pytest

from gridsvc.domain.access import Role
from gridsvc.domain.case import MOVES, decide
from gridsvc.domain.case_state import FINAL, OPEN, STAGES, Actor, Move, Party, Pool, State
from gridsvc.domain.reasons import OTHER, REASONS
from gridsvc.errors import NotAllowed, WrongMoment
from tests.unit.domain.sample_case import DISTRICT, NOW, OFFICER, case_for, case_in, person, saying, who
from tests.unit.domain.written_states import (
    PAGE,
    reasons_of_the_code,
    table_under,
    tables_of_the_code,
    written_arrows,
    written_rules,
)

EVERYBODY: tuple[Role | Party | None, ...] = (*Role, *Party, None)
PEOPLE = {
    Party.OWNER, Party.DEPARTMENT, Party.CHECKER, Party.CO_OWNER, Party.CALLED, Party.RESPONDER, Party.MAKER,
}  # fmt: skip
ELSEWHERE = {Move.UNDO, Move.VISIT}
"""Moves with a route of their own: a page that was moved is undone as a page, a visit ends with its form."""
WRITTEN = written_rules()


def test_the_page_states_the_very_table_of_the_code() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert all(part in page for part in tables_of_the_code().split("\n\n")), (
        f"docs/states.md and gridsvc/domain/case.py differ. As the code has it:\n\n{tables_of_the_code()}"
    )


def test_every_move_and_every_state_is_on_the_page() -> None:
    assert list(WRITTEN) == [str(move) for move in Move]
    assert list(MOVES) == list(Move)
    states = table_under(PAGE.read_text(encoding="utf-8"), ("state", "中文", "stage", "what it means", "who has it"))
    assert [row[0].strip("`") for row in states] == [str(state) for state in State]
    assert [int(row[2].split()[0]) for row in states] == [STAGES[state] for state in State]


def test_every_condition_is_explained_on_the_page() -> None:
    explained = {row[0].strip("`") for row in table_under(PAGE.read_text("utf-8"), ("condition", "what it demands"))}
    assert explained == {guard for rule in WRITTEN.values() for guard in rule.guards}


def test_every_reason_is_on_the_page() -> None:
    assert reasons_of_the_code() in PAGE.read_text("utf-8"), f"as the code has it:\n\n{reasons_of_the_code()}"


def test_a_move_takes_a_reason_of_a_list_if_and_only_if_it_has_one() -> None:
    assert set(REASONS) == {rule.move for rule in MOVES.values() if "reason_code" in rule.takes}
    for move, reasons in REASONS.items():
        codes = [each.code for each in reasons]
        assert codes[-1] == OTHER.code, f"{move}: whoever finds no reason says his own"
        assert len(set(codes)) == len(codes), move
        assert "reason" in MOVES[Move(move)].needs, move


def test_every_move_of_a_person_can_be_made_over_http() -> None:
    for rule in MOVES.values():
        of_people = any(isinstance(by, Role) or by in PEOPLE for by in rule.by)
        assert rule.over_http == (of_people and bool(rule.before) and rule.move not in ELSEWHERE), rule.move


@pytest.mark.parametrize("by", EVERYBODY, ids=str)
@pytest.mark.parametrize("state", State)
def test_whoever_tries_whatever_in_any_state_gets_what_the_page_says(state: State, by: Role | Party | None) -> None:
    for move in Move:
        written = WRITTEN[move]
        case = case_for(move, state)
        is_one_of_them = by in written.by and not (by is Party.OWNER and case.officer_id is None)
        if not is_one_of_them:
            with pytest.raises(NotAllowed) as refused:
                decide(case, move, who(by), saying(move), NOW)
            assert refused.value.facts["wanted"] == sorted(written.by), (state, move, by)
        elif state not in written.before:
            with pytest.raises(WrongMoment) as refused_now:
                decide(case, move, who(by), saying(move), NOW)
            wanted = sorted(each.move for each in WRITTEN.values() if each.over_http and state in each.before)
            assert refused_now.value.facts["allowed"] == wanted, (state, move, by)
        else:
            moved = decide(case, move, who(by), saying(move), NOW)
            assert moved.state == (written.after or state), (state, move, by)
            assert moved.version == case.version + 1, (state, move, by)
            pool = written.pool if written.after else case.pool
            assert moved.pool == pool, (state, move, by)


@pytest.mark.parametrize("move", Move)
def test_what_follows_a_move_is_what_the_page_says(move: Move) -> None:
    rule, written = MOVES[move], WRITTEN[move]
    assert (rule.needs, rule.takes) == (written.needs, written.takes)
    assert tuple(guard.__name__ for guard in rule.guards) == written.guards
    assert frozenset(map(str, rule.stops)) == written.stops
    assert frozenset(map(str, rule.starts)) == written.starts
    assert (rule.tells.TYPE, rule.over_http) == (written.tells, written.over_http)


def test_the_picture_draws_every_arrow_of_the_table_and_no_other() -> None:
    drawn = {
        (before, after, move)
        for start, after, move in written_arrows()
        for before in (sorted(OPEN) if start == "open" else [start])
    }
    assert drawn == set(_arrows())


def _arrows() -> Iterator[tuple[str, str, str]]:
    for rule in MOVES.values():
        if rule.after is not None:
            yield from ((before, rule.after, rule.move) for before in rule.before or {"[*]"})
    yield "[*]", State.FILED, Move.FILE  # a category that files itself


def test_an_open_case_always_has_an_owner_or_stands_in_a_pool() -> None:
    """After every move of the table: without an owner in 'reported' and 'filed', and only there."""
    for rule in MOVES.values():
        for state in sorted(rule.before):
            after = rule.after or state
            case = case_for(rule.move, state)
            by = sorted(rule.by)[0]
            moved = decide(case, rule.move, who(by), saying(rule.move), NOW)
            assert (moved.pool is not None) == (after in {State.REPORTED, State.FILED}), rule.move


def test_a_move_that_leaves_the_state_leaves_the_pool_too() -> None:
    waiting = case_in(State.REPORTED, pool=Pool.LOCATE, cell_code=None)
    moved = decide(waiting, Move.NOTE, who(Role.ACCEPTOR), saying(Move.NOTE), NOW)
    assert moved.pool is Pool.LOCATE


def test_only_reopening_and_the_undoing_of_a_merge_lead_out_of_a_final_state() -> None:
    out = {
        (state, move)
        for state, move in product(FINAL, Move)
        if state in MOVES[move].before and MOVES[move].after is not None
    }
    assert out == {(State.CLOSED, Move.REOPEN), (State.MERGED, Move.UNMERGE)}


def test_an_appeal_changes_a_flag_and_neither_the_state_nor_that_it_was_late() -> None:
    case = case_for(Move.APPEAL, State.CLOSED)
    asked = decide(case, Move.APPEAL, who(Party.OWNER), saying(Move.APPEAL), NOW)
    assert (asked.state, asked.appeal) == (State.CLOSED, "open")
    granted = decide(
        replace(case, appeal="open"), Move.SETTLE_APPEAL, who(Role.SUPERVISOR), saying(Move.SETTLE_APPEAL), NOW
    )
    assert (granted.state, granted.appeal) == (State.CLOSED, "granted")


def test_what_is_merged_without_a_place_waits_for_one_when_it_is_unmerged() -> None:
    case = case_in(State.MERGED, cell_code=None, place=None)
    assert decide(case, Move.UNMERGE, who(Role.ACCEPTOR), saying(Move.UNMERGE), NOW).pool is Pool.LOCATE


@pytest.mark.parametrize(
    ("owner", "kept"),
    [({}, f"officer:{OFFICER}"), ({"officer_id": None, "department": "roads"}, "department:roads")],
)
def test_who_gave_a_case_back_is_remembered_until_it_is_sent_on(owner: dict[str, Any], kept: str) -> None:
    case = case_in(State.ASSIGNED, **owner)
    mover = who(Party.OWNER) if not owner else Actor(person(Role.HANDLER, department="roads"))
    assert decide(case, Move.RETURN, mover, saying(Move.RETURN), NOW).returned_by == kept
    back = case_in(State.FILED, returned_by=kept)
    for move, said in ((Move.FORWARD, {"department": "water"}), (Move.CORRECT, {}), (Move.REFER_UP, {})):
        assert decide(back, move, who(Role.DISPATCHER), saying(move, **said), NOW).returned_by is None, move
    assert decide(back, Move.NOTE, who(Role.DISPATCHER), saying(Move.NOTE), NOW).returned_by == kept


def test_reopening_begins_a_new_cycle() -> None:
    moved = decide(case_in(State.CLOSED), Move.REOPEN, who(Role.ACCEPTOR), saying(Move.REOPEN), NOW)
    assert (moved.cycle, moved.state, moved.pool) == (2, State.FILED, Pool.ROUTING)


def test_reopening_gives_the_case_back_to_every_level() -> None:
    case = case_in(State.CLOSED, held_by=DISTRICT)
    assert decide(case, Move.REOPEN, who(Role.ACCEPTOR), saying(Move.REOPEN), NOW).held_by is None


def test_every_other_move_stays_in_its_cycle() -> None:
    for rule in MOVES.values():
        for state in sorted(rule.before):
            if rule.move is not Move.REOPEN:
                case = case_for(rule.move, state, cycle=3)
                moved = decide(case, rule.move, who(sorted(rule.by)[0]), saying(rule.move), NOW)
                assert moved.cycle == 3, rule.move


def test_what_is_announced_while_suspended_does_not_resume() -> None:
    case = replace(case_in(State.ACCEPTED), suspended=True)
    for move in (Move.REMIND, Move.NOTE, Move.SUPERVISE, Move.ESCALATE):
        by = Party.SWEEPER if move is Move.ESCALATE else Role.SUPERVISOR
        assert decide(case, move, who(by), saying(move), NOW).suspended, move


def test_a_suspended_case_that_is_called_off_or_merged_is_suspended_no_more() -> None:
    case = replace(case_in(State.ACCEPTED), suspended=True)
    for move in (Move.CANCEL, Move.MERGE):
        assert not decide(case, move, who(Role.SUPERVISOR), saying(move), NOW).suspended, move


def test_a_worker_on_the_order_of_a_person_does_what_the_worker_may_and_the_history_has_the_name() -> None:
    admin = person(Role.ADMIN)
    ordered = Actor(admin, Party.SWEEPER)
    case = case_in(State.ASSIGNED)
    with pytest.raises(NotAllowed):
        decide(case, Move.RELIEVE, Actor(admin), saying(Move.RELIEVE), NOW)
    assert decide(case, Move.RELIEVE, ordered, saying(Move.RELIEVE), NOW).state is State.FILED
    assert ordered.id == admin.id
    with pytest.raises(NotAllowed):
        decide(case, Move.ACCEPT, ordered, saying(Move.ACCEPT), NOW)
