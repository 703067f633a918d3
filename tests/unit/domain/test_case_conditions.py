"""The conditions of the moves: each with a case that passes and one that does not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from geo.place import Place
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case import MOVES, check_birth, decide
from gridsvc.domain.case_state import Actor, Case, Move, Particulars, Party, Pool, State, is_owner, leads_department
from gridsvc.errors import BadRequest, GuardFailed, NotAllowed
from tests.unit.domain.sample_case import (
    CALLED,
    CHECKER,
    CITY,
    CLERK,
    COMMUNITY,
    DISTRICT,
    ELSEWHERE,
    HANDLER,
    LEFT_OUT,
    NOW,
    OFFICER,
    ORDER,
    SAID,
    STREET,
    case_for,
    case_in,
    person,
    saying,
    who,
)

DESK = who(Role.SUPERVISOR)
OWNER = who(Party.OWNER)
LATE = {"due_at": NOW - timedelta(seconds=1)}
YEAR = timedelta(days=366)
SENT = UUID(int=0xB1)
CALLED_TO_OWN: dict[str, Any] = {"call_for": "owner", "called": (CALLED,)}
CALLED_TO_HELP: dict[str, Any] = {"call_for": "first_on_scene", "called": (CALLED,)}


@pytest.mark.parametrize(
    ("rule", "guard", "move", "by", "refused", "granted"),
    [
        ("nothing is handled while suspended", "running", Move.ACCEPT, OWNER,
         case_in(State.ASSIGNED, suspended=True), case_in(State.ASSIGNED)),
        ("nobody is found for a suspended case", "running", Move.POOL, who(Party.ROUTER),
         case_in(State.ASSIGNED, suspended=True), case_in(State.ASSIGNED)),
        ("a case is suspended once", "running", Move.SUSPEND, DESK,
         case_in(State.ACCEPTED, suspended=True), case_in(State.ACCEPTED)),
        ("only what is suspended is resumed", "suspended", Move.RESUME, DESK,
         case_in(State.ACCEPTED), case_in(State.ACCEPTED, suspended=True)),
        ("a department finds somebody itself", "an_officers_own", Move.RELIEVE, DESK,
         case_in(State.ACCEPTED, officer_id=None, department="roads"), case_in(State.ACCEPTED)),
        ("what stands still is handed to nobody", "running", Move.RELIEVE, who(Party.SWEEPER),
         case_in(State.ACCEPTED, suspended=True), case_in(State.ACCEPTED)),
        ("what runs is relieved, and not passed on as it stands", "suspended", Move.TAKE_OVER, who(Party.SWEEPER),
         case_in(State.ACCEPTED), case_in(State.ACCEPTED, suspended=True)),
        ("a department's suspended case stays with it", "an_officers_own", Move.TAKE_OVER, who(Party.SWEEPER),
         case_in(State.ACCEPTED, suspended=True, officer_id=None, department="roads"),
         case_in(State.ACCEPTED, suspended=True)),
        ("a suspended case is passed on to another", "to_a_colleague", Move.TAKE_OVER, who(Party.SWEEPER),
         case_in(State.ACCEPTED, suspended=True, officer_id=CHECKER), case_in(State.ACCEPTED, suspended=True)),
        ("what is filed lies in a cell", "lies_in_a_cell", Move.FILE, DESK,
         case_in(State.REPORTED, cell_code=None), case_in(State.REPORTED)),
        ("a closed case is looked at again only where its officer handled it alone", "open_or_self_handled",
         Move.SEND_CHECK, DESK, case_in(State.CLOSED), case_in(State.CLOSED, self_handled=True)),
        ("once late a limit is not extended", "not_late", Move.EXTEND, DESK,
         case_in(State.ACCEPTED, **LATE), case_in(State.ACCEPTED, due_at=NOW)),
        ("once late a case is not suspended", "not_late", Move.SUSPEND, DESK,
         case_in(State.ACCEPTED, **LATE), case_in(State.ACCEPTED, due_at=None)),
        ("a case is suspended once in its life", "never_suspended", Move.SUSPEND, DESK,
         case_in(State.ACCEPTED, suspensions=1), case_in(State.ACCEPTED)),
        ("a case is referred to a level above the one that holds it", "to_a_level_above", Move.REFER_UP, DESK,
         case_in(State.FILED, held_by=DISTRICT), case_in(State.FILED, held_by=STREET)),
        ("a case is handed to a level below the one that holds it", "to_a_level_below", Move.HAND_DOWN, DESK,
         case_in(State.FILED, held_by=DISTRICT), case_in(State.FILED)),
        ("what was given back is not assigned as if it were new", "not_given_back", Move.ASSIGN, DESK,
         case_in(State.FILED, returned_by="department:water"), case_in(State.FILED)),
        ("what nobody gave back is assigned, not forwarded", "given_back", Move.FORWARD, DESK,
         case_in(State.FILED), case_in(State.FILED, returned_by="department:water")),
        ("it does not go back to the very owner who gave it back", "to_another", Move.FORWARD, DESK,
         case_in(State.FILED, returned_by="department:roads"), case_in(State.FILED, returned_by="department:water")),
        ("what is on its way to routing is left alone", "waits_for_a_person", Move.CORRECT, DESK,
         case_in(State.FILED, pool=Pool.ROUTING), case_in(State.FILED, pool=Pool.DISPATCH)),
        ("what rings is corrected too", "waits_for_a_person", Move.CORRECT, DESK,
         case_in(State.FILED, pool=Pool.ROUTING), case_in(State.FILED, pool=Pool.CALL)),
        ("who is called to own a case does not only look", "called_to_help", Move.RESPOND, who(Party.CALLED),
         case_in(State.FILED, **CALLED_TO_OWN), case_in(State.FILED, **CALLED_TO_HELP)),
        ("who is called to help does not take the case from its department", "called_to_own", Move.ANSWER,
         who(Party.CALLED), case_in(State.FILED, **CALLED_TO_HELP), case_in(State.FILED, **CALLED_TO_OWN)),
        ("nobody runs to a suspended case", "running", Move.RESPOND, who(Party.CALLED),
         case_in(State.ASSIGNED, suspended=True, **CALLED_TO_HELP), case_in(State.ASSIGNED, **CALLED_TO_HELP)),
        ("what rings is not rung for a second thing", "nothing_rings", Move.SUMMON, who(Party.ROUTER),
         case_in(State.ASSIGNED, **CALLED_TO_HELP), case_in(State.ASSIGNED)),
        ("for an effect nobody is called: its cause rings", "stands_for_itself", Move.SUMMON, who(Party.ROUTER),
         case_in(State.FILED, pool=Pool.CAUSE, cause_id=UUID(int=0xCA)), case_in(State.FILED)),
        ("only what rings goes further", "rings", Move.WIDEN, who(Party.SWEEPER),
         case_in(State.FILED), case_in(State.FILED, **CALLED_TO_OWN)),
        ("who handled it is not sent to look at it", "looked_at_by_another", Move.SEND_CHECK, DESK,
         case_in(State.HANDLED, handler_id=SENT), case_in(State.HANDLED, handler_id=CLERK)),
        ("who cannot say where it is sends nobody", "lies_in_a_cell", Move.SEND_CHECK, DESK,
         case_in(State.REPORTED, cell_code=None), case_in(State.REPORTED)),
        ("one supervision order at a time", "no_order_waits", Move.SUPERVISE, DESK,
         case_in(State.ACCEPTED, order_id=ORDER), case_in(State.ACCEPTED)),
        ("only an order is replied to", "an_order_waits", Move.REPLY, OWNER,
         case_in(State.ACCEPTED), case_in(State.ACCEPTED, order_id=ORDER)),
        ("only who was late appeals", "was_late", Move.APPEAL, OWNER,
         case_in(State.CLOSED), case_in(State.CLOSED, late=True)),
        ("one appeals once", "never_appealed", Move.APPEAL, OWNER,
         case_in(State.CLOSED, late=True, appeal="refused"), case_in(State.CLOSED, late=True)),
        ("what nobody asked for is not granted", "has_an_open_appeal", Move.SETTLE_APPEAL, DESK,
         case_in(State.CLOSED, late=True), case_in(State.CLOSED, late=True, appeal="open")),
        ("a limit is extended twice at most", "at_most_two", Move.EXTEND, DESK,
         case_in(State.ACCEPTED, extensions=2), case_in(State.ACCEPTED, extensions=1)),
        ("a case is not merged into itself", "not_itself", Move.MERGE, DESK,
         case_in(State.FILED, id=SAID["into"]), case_in(State.FILED)),
    ],
)  # fmt: skip
def test_a_condition_of_the_case(rule: str, guard: str, move: Move, by: Actor, refused: Case, granted: Case) -> None:
    said = saying(move, officer=SENT) if move is Move.SEND_CHECK else saying(move)
    with pytest.raises(GuardFailed) as why:
        decide(refused, move, by, said, NOW)
    assert why.value.facts["guard"] == guard, rule
    assert decide(granted, move, by, said, NOW).version == granted.version + 1, rule


@pytest.mark.parametrize(
    ("rule", "guard", "move", "by", "state", "refused", "granted"),
    [
        ("an assignment names somebody", "names_an_owner", Move.ASSIGN, DESK, State.FILED,
         {"officer": LEFT_OUT}, {"officer": LEFT_OUT, "department": "roads"}),
        ("an assignment names one, not two", "names_an_owner", Move.ASSIGN, DESK, State.FILED,
         {"department": "roads"}, {}),
        ("a case is referred to a level on its own path", "to_a_level_above", Move.REFER_UP, DESK, State.FILED,
         {"division": ELSEWHERE}, {"division": STREET}),
        ("the lowest level is above nobody", "to_a_level_above", Move.REFER_UP, OWNER, State.ACCEPTED,
         {"division": COMMUNITY}, {"division": CITY}),
        ("nothing is handed down to the top", "to_a_level_below", Move.HAND_DOWN, DESK, State.FILED,
         {"division": CITY}, {"division": COMMUNITY}),
        ("who has arrived is near", "at_the_place", Move.ARRIVE, OWNER, State.ACCEPTED,
         {"location": Place(103.8327, 36.06)}, {"location": Place(103.832, 36.06)}),
        ("an inexact position may be further away", "at_the_place", Move.ARRIVE, OWNER, State.ACCEPTED,
         {"location": Place(103.8327, 36.06, 20)}, {"location": Place(103.8327, 36.06, 50)}),
        ("but no more than 100 m further", "at_the_place", Move.ARRIVE, OWNER, State.ACCEPTED,
         {"location": Place(103.834, 36.06, 400)}, {"location": Place(103.833, 36.06, 400)}),
        ("who has arrived says where, or why not", "says_where", Move.ARRIVE, OWNER, State.ACCEPTED,
         {"location": LEFT_OUT}, {"location": LEFT_OUT, "no_fix": "no signal in the shaft"}),
        ("and not both", "says_where", Move.ARRIVE, OWNER, State.ACCEPTED, {"no_fix": "no signal"}, {}),
        ("a position that stands everywhere is none", "exact_enough", Move.ARRIVE, OWNER, State.ACCEPTED,
         {"location": Place(103.83, 36.06, 501)}, {"location": Place(103.83, 36.06, 500)}),
        ("nobody hands a case over to himself", "to_a_colleague", Move.HAND_OVER, OWNER, State.IN_PROGRESS,
         {"officer": OFFICER}, {"officer": HANDLER}),
        ("a suspension ends", "ends_within_a_year", Move.SUSPEND, DESK, State.ACCEPTED,
         {"until": NOW}, {"until": NOW + timedelta(seconds=1)}),
        ("a suspension ends within a year", "ends_within_a_year", Move.SUSPEND, DESK, State.ACCEPTED,
         {"until": NOW + YEAR + timedelta(seconds=1)}, {"until": NOW + YEAR}),
    ],
)  # fmt: skip
def test_a_condition_of_what_is_said(
    rule: str, guard: str, move: Move, by: Actor, state: State, refused: dict[str, Any], granted: dict[str, Any]
) -> None:
    with pytest.raises(GuardFailed) as why:
        decide(case_in(state), move, by, saying(move, **refused), NOW)
    assert why.value.facts["guard"] == guard, rule
    assert decide(case_in(state), move, by, saying(move, **granted), NOW).rule.move is move, rule


@pytest.mark.parametrize(
    ("rule", "guard", "left_out"),
    [
        ("work is handed in with evidence", "brings_evidence", "evidence"),
        ("self-handling needs the photograph from before", "before_and_after", "before"),
        ("self-handling needs the photograph from after", "before_and_after", "evidence"),
    ],
)
def test_proof_by_photographs(rule: str, guard: str, left_out: str) -> None:
    move = Move.HAND_IN if guard == "brings_evidence" else Move.SELF_HANDLE
    [demand] = [each for each in MOVES[move].guards if each.__name__ == guard]
    case = case_in(State.ACCEPTED)
    assert demand(case, OWNER, saying(move, **{left_out: LEFT_OUT}), NOW) is not None, rule
    assert demand(case, OWNER, saying(move), NOW) is None, rule


@pytest.mark.parametrize(
    ("rule", "changes", "said", "guard"),
    [
        ("an officer settles a small thing on the spot", {}, {}, None),
        ("what may hurt somebody is not settled by whoever found it", {"severity": "high"}, {}, "not_grave"),
        ("nor an emergency", {"severity": "emergency"}, {}, "not_grave"),
        ("one photograph does not show before and after", {}, {"before": SAID["evidence"]}, "before_and_after"),
    ],
)
def test_what_is_settled_on_the_spot(
    rule: str, changes: dict[str, Any], said: dict[str, Any], guard: str | None
) -> None:
    officer = Actor(caller=person(Role.OFFICER, STREET, duty_line="city"))
    case = case_in(State.CLOSED, version=1, **changes)
    if guard is None:
        check_birth(case, Move.SELF_HANDLE, officer, saying(Move.SELF_HANDLE, **said), NOW)
        return
    with pytest.raises(GuardFailed) as why:
        check_birth(case, Move.SELF_HANDLE, officer, saying(Move.SELF_HANDLE, **said), NOW)
    assert why.value.facts["guard"] == guard, rule


@pytest.mark.parametrize(
    "caller",
    [person(Role.ACCEPTOR), person(Role.OFFICER, ELSEWHERE, duty_line="city"),
     person(Role.OFFICER, STREET, duty_line="social")],
    ids=["a desk", "an officer of another district", "an officer of another duty line"],
)  # fmt: skip
def test_only_an_officer_of_the_place_and_duty_line_settles_it(caller: Caller) -> None:
    with pytest.raises(NotAllowed):
        check_birth(case_in(State.CLOSED), Move.SELF_HANDLE, Actor(caller), saying(Move.SELF_HANDLE), NOW)


def test_a_reason_of_the_list_needs_no_words() -> None:
    said = Particulars(reason_code="not_ours")
    assert decide(case_in(State.ASSIGNED), Move.RETURN, OWNER, said, NOW).state is State.FILED


@pytest.mark.parametrize(
    ("code", "field"), [("other", "reason"), ("bad_evidence", "reason_code"), ("no such", "reason_code")]
)
def test_a_reason_that_says_nothing_or_belongs_to_another_move_is_refused(code: str, field: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decide(case_in(State.ASSIGNED), Move.RETURN, OWNER, Particulars(reason_code=code), NOW)
    assert refused.value.facts["field"] == field


@pytest.mark.parametrize("move", [Move.CLOSE, Move.REWORK])
@pytest.mark.parametrize(
    ("rule", "changes", "grants", "user", "granted"),
    [
        ("the officer who handled it does not judge it", {}, [Grant(role=Role.ACCEPTOR, division=DISTRICT)], OFFICER,
         False),
        ("the handler who took it for the department does not judge it",
         {"officer_id": None, "department": "roads", "handler_id": HANDLER},
         [Grant(role=Role.ACCEPTOR, division=DISTRICT)], HANDLER, False),
        ("nobody of the handling department judges it", {"officer_id": None, "department": "roads"},
         [Grant(role=Role.ACCEPTOR, division=DISTRICT),
          Grant(role=Role.HANDLER, division=ELSEWHERE, department="roads")], CLERK, False),
        ("a clerk of another department judges it", {"officer_id": None, "department": "roads"},
         [Grant(role=Role.ACCEPTOR, division=DISTRICT),
          Grant(role=Role.HANDLER, division=DISTRICT, department="water")], CLERK, True),
        ("an officer who had nothing to do with it, and sits at the desk, judges it", {},
         [Grant(role=Role.ACCEPTOR, division=DISTRICT),
          Grant(role=Role.OFFICER, division=STREET, duty_line="city")], CLERK, True),
    ],
)  # fmt: skip
def test_who_handles_does_not_judge(
    move: Move, rule: str, changes: dict[str, Any], grants: list[Grant], user: UUID, granted: bool
) -> None:
    """监管分离: who checks is neither the handler nor of its department."""
    judge = Actor(caller=Caller(id=f"user:{user}", user_id=user, grants=tuple(grants)))
    case = case_in(State.HANDLED, **changes)
    if granted:
        assert decide(case, move, judge, saying(move), NOW).rule.move is move, rule
        return
    with pytest.raises(GuardFailed) as why:
        decide(case, move, judge, saying(move), NOW)
    assert why.value.facts["guard"] == "checked_by_another", rule


@pytest.mark.parametrize(
    ("rule", "changes", "caller", "owns"),
    [
        ("the officer owns it", {}, person(None, user=OFFICER), True),
        ("another officer of the same street does not", {},
         person(Role.OFFICER, STREET, duty_line="city"), False),
        ("a handler of the department owns it", {"officer_id": None, "department": "roads"},
         person(Role.HANDLER, CITY, department="roads"), True),
        ("a handler of another department does not", {"officer_id": None, "department": "roads"},
         person(Role.HANDLER, CITY, department="water"), False),
        ("a handler of the department in another district does not", {"officer_id": None, "department": "roads"},
         person(Role.HANDLER, ELSEWHERE, department="roads"), False),
        ("the head of the department, who is no handler, does not", {"officer_id": None, "department": "roads"},
         person(Role.SUPERVISOR, CITY, department="roads"), False),
        ("a handler below the level that holds it does not",
         {"officer_id": None, "department": "roads", "held_by": DISTRICT},
         person(Role.HANDLER, STREET, department="roads"), False),
        ("where an officer owns it his department does not", {"department": "roads"},
         person(Role.HANDLER, CITY, department="roads"), False),
        ("what waits in a pool has no owner", {"officer_id": None}, person(Role.HANDLER, CITY, department="roads"),
         False),
    ],
)  # fmt: skip
def test_who_owns_a_case(rule: str, changes: dict[str, Any], caller: Caller, owns: bool) -> None:
    assert is_owner(case_in(State.ASSIGNED, **changes), caller) is owns, rule


@pytest.mark.parametrize(
    ("rule", "division", "allowed"),
    [
        ("a dispatcher of the community", COMMUNITY, True),
        ("a dispatcher of the street", STREET, True),
        ("a dispatcher of the whole city", CITY, True),
        ("a dispatcher of another district", ELSEWHERE, False),
    ],
)
def test_a_role_moves_only_what_lies_in_its_area(rule: str, division: str, allowed: bool) -> None:
    by = Actor(caller=person(Role.DISPATCHER, division))
    if allowed:
        assert decide(case_in(State.FILED), Move.CANCEL, by, saying(Move.CANCEL), NOW), rule
    else:
        with pytest.raises(NotAllowed):
            decide(case_in(State.FILED), Move.CANCEL, by, saying(Move.CANCEL), NOW)


@pytest.mark.parametrize("move", [move for move in Move if MOVES[move].before])
def test_a_move_needs_all_it_must_be_told(move: Move) -> None:
    rule = MOVES[move]
    state = min(rule.before)
    by = who(sorted(rule.by)[0])
    for name in rule.needs:
        with pytest.raises(BadRequest) as refused:
            decide(case_for(move, state), move, by, saying(move, **{name: LEFT_OUT}), NOW)
        assert refused.value.facts["field"] == name


@pytest.mark.parametrize("move", [move for move in Move if MOVES[move].before])
def test_a_move_takes_nothing_it_would_not_use(move: Move) -> None:
    """What somebody took the trouble to say is never silently dropped."""
    rule = MOVES[move]
    state = min(rule.before)
    by = who(sorted(rule.by)[0])
    for name in vars(Particulars()):
        if name in rule.needs or name in rule.takes or (name == "fix" and "no_fix" in rule.takes):
            continue
        case = case_for(move, state)
        with pytest.raises(BadRequest) as refused:
            decide(case, move, by, saying(move, **{name: SAID[name]}), NOW)
        assert refused.value.facts["field"] == name


def test_who_you_are_is_asked_before_anything_else() -> None:
    """A stranger learns neither the state of a case nor what a move needs."""
    stranger = Actor(caller=person(Role.HANDLER, DISTRICT, department="roads"))
    with pytest.raises(NotAllowed):
        decide(case_in(State.CLOSED), Move.CANCEL, stranger, Particulars(), NOW)


def test_what_is_said_is_looked_at_before_the_conditions() -> None:
    with pytest.raises(BadRequest):
        decide(case_in(State.ACCEPTED, **LATE), Move.SUSPEND, DESK, Particulars(), NOW)


def test_a_correction_corrects_something() -> None:
    with pytest.raises(GuardFailed) as why:
        decide(case_in(State.FILED), Move.CORRECT, DESK, Particulars(note="look again"), NOW)
    assert why.value.facts["guard"] == "corrects_something"


def test_an_appeal_is_granted_or_refused() -> None:
    with pytest.raises(BadRequest) as refused:
        decide(case_for(Move.SETTLE_APPEAL, State.CLOSED), Move.SETTLE_APPEAL, DESK, Particulars(result="maybe"), NOW)
    assert refused.value.facts["wanted"] == ["granted", "refused"]


@pytest.mark.parametrize(
    ("rule", "caller", "leads"),
    [
        ("the department's supervisor leads it", person(Role.SUPERVISOR, CITY, department="roads"), True),
        ("a supervisor of the desk does not", person(Role.SUPERVISOR), False),
        ("its handler does not", person(Role.HANDLER, department="roads"), False),
        ("another department's does not", person(Role.SUPERVISOR, CITY, department="water"), False),
        ("nor its own in another district", person(Role.SUPERVISOR, ELSEWHERE, department="roads"), False),
    ],
)
def test_who_leads_the_department_of_a_case(rule: str, caller: Caller, leads: bool) -> None:
    case = case_in(State.HANDLED, officer_id=None, department="roads")
    assert leads_department(case, caller) is leads, rule


@pytest.mark.parametrize(
    ("rule", "state", "result", "known"),
    [
        ("before filing one says what is there", State.REPORTED, "elsewhere", True),
        ("before closing one says whether it is done", State.HANDLED, "not_done", True),
        ("nothing is done yet before it is filed", State.REPORTED, "not_done", False),
        ("a result is one of the list", State.HANDLED, "fine", False),
    ],
)
def test_what_a_check_may_find(rule: str, state: State, result: str, known: bool) -> None:
    case, said = case_for(Move.CHECK, state), saying(Move.CHECK, result=result)
    if known:
        assert decide(case, Move.CHECK, who(Party.CHECKER), said, NOW).state is state, rule
        return
    with pytest.raises(BadRequest) as refused:
        decide(case, Move.CHECK, who(Party.CHECKER), said, NOW)
    assert refused.value.facts["field"] == "result", rule


@pytest.mark.parametrize(("name", "value"), [("kind", "whim"), ("level", "extreme")])
def test_a_supervision_order_is_of_a_known_kind_and_level(name: str, value: str) -> None:
    with pytest.raises(BadRequest) as refused:
        decide(case_in(State.FILED), Move.SUPERVISE, DESK, saying(Move.SUPERVISE, **{name: value}), NOW)
    assert refused.value.facts["field"] == name


def test_extending_counts_and_other_moves_do_not() -> None:
    case = case_in(State.ACCEPTED, extensions=1)
    assert decide(case, Move.EXTEND, DESK, saying(Move.EXTEND), NOW).extensions == 2
    assert decide(case, Move.REMIND, DESK, saying(Move.REMIND), NOW).extensions == 1


def test_history_names_the_caller_or_the_worker() -> None:
    assert who(Role.ACCEPTOR).id == f"user:{CLERK}"
    assert who(Party.SWEEPER).id == "worker:sweeper"
