"""Simulated people: whatever they decide is a move that the table knows, and together they bring cases everywhere."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import datetime
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from gridsvc.domain.access import Role
from gridsvc.domain.case import MOVES, Rule
from gridsvc.domain.case_state import FINAL, Clock, Move, Party, Pool, State
from gridsvc.local.simulate_rules import (
    By,
    Kind,
    SeenCase,
    Source,
    Step,
    is_main,
    next_step,
    report_number,
    reports_owed,
    reports_per_hour,
    told_later,
)
from gridsvc.local.starter import CATEGORIES

LANZHOU = ZoneInfo("Asia/Shanghai")

KINDS = [
    Kind(ref=c.code, name=c.name, duty_line=c.duty_line, department=c.department, severity=c.severity)
    for c in CATEGORIES
]

PARTY = {
    By.OWNER: Party.OWNER,
    By.ACCEPTOR: Role.ACCEPTOR,
    By.DISPATCHER: Role.DISPATCHER,
    By.SUPERVISOR: Role.SUPERVISOR,
    By.CHECKER: Party.CHECKER,
    By.CO_OWNER: Party.CO_OWNER,
    By.CALLED: Party.CALLED,
    By.RESPONDER: Party.RESPONDER,
}

NEEDED = {
    "picture": "evidence", "place": "location", "another case": "into", "owner": "officer", "another owner": "officer",
    "another officer": "officer", "its place": "location", "another department": "department", "a main": "cause",
}  # fmt: skip


def new_case(number: int, pool: str | None = None) -> SeenCase:
    state = "reported" if pool else "filed"
    return SeenCase(
        id=str(UUID(int=number)), version=1, cycle=1, state=state, pool=pool or "routing", category="starter:100101",
        duty_line="city", divisions=("620100", "620102", "620102001", "620102001001"), assignment=None,
        officer=None, department=None, overdue=False, place=(103.83, 36.06),
    )  # fmt: skip


def made(case: SeenCase, step: Step) -> SeenCase:
    """What the service makes of a step, by the table of moves."""
    rule = MOVES[Move(step.move)]
    assert State(case.state) in rule.before, f"{step.move} from {case.state}"
    assert PARTY[step.by] in rule.by, f"{step.move} by {step.by}"
    given = {*step.said, *([NEEDED[step.needs]] if step.needs else [])}
    needs = set(rule.needs) - ({"reason"} if "reason_code" in given else set())
    assert needs <= given <= {*rule.needs, *rule.takes}, f"{step.move} says {given}"
    reassigned = step.move in ("assign", "forward", "rework")
    returned_by = case.returned_by if rule.after is None else None
    if step.move == "return":
        returned_by = "department:roads" if case.version % 2 else f"officer:{case.id}"
    called = () if Clock.CALL in rule.stops else case.called[1:] if step.move == "decline" else case.called
    return replace(
        case,
        called=called,
        responder="1" if step.move == "respond" else case.responder,
        version=case.version + 1,
        cycle=case.cycle + (step.move == "reopen"),
        state=str(rule.after or case.state),
        pool=case.pool if rule.after is None else rule.pool and str(rule.pool),
        assignment=f"{case.id} {case.version}" if reassigned else case.assignment,
        returned_by=returned_by,
        extensions=case.extensions + (step.move == "extend"),
        checker="1" if step.move == "send_check" else None if Clock.ON_SITE in rule.stops else case.checker,
        co_departments=("roads",) if step.move == "co_assign" else _still_open(case, rule),
        cause="1" if step.move == "link" else case.cause if rule.after is None or step.move == "close" else None,
        order="1" if step.move == "supervise" else None if step.move == "reply" else case.order,
    )


def _still_open(case: SeenCase, rule: Rule) -> tuple[str, ...]:
    over = Clock.CO_HANDLING in rule.stops or rule.after in FINAL or rule.pool is Pool.CAUSE
    return () if over else case.co_departments


def lived(case: SeenCase, *, overdue: bool = False, rings: bool = False) -> list[tuple[SeenCase, str | None]]:
    """The whole life of a case, state by state, with the moves; the routing worker stood in for."""
    life: list[tuple[SeenCase, str | None]] = []
    for _ in range(60):
        if case.state == "assigned" and case.responder is None and rings:
            case = replace(case, called=("1", "2"))
        if case.state == "filed" and case.pool == Pool.ROUTING:
            case = replace(
                case, state="assigned", pool=None, assignment=f"{case.id} {case.version}", version=case.version + 1
            )
        if case.pool == Pool.CAUSE and next_step(case, 1) is None:  # its cause is closed
            life.append((case, "follow"))
            case = replace(case, state="handled", pool=None, version=case.version + 1)
        case = replace(case, overdue=overdue and case.state == "in_progress")
        step = next_step(case, seed=1)
        life.append((case, step.move if step else None))
        if step is None:
            return life
        case = made(case, step)
    pytest.fail(f"case {case.id} never ends")


def test_a_day_of_cases_sees_every_state_and_ends_in_a_final_one() -> None:
    seen: Counter[str] = Counter()
    for number in range(600):
        life = lived(new_case(number, pool=("filing", "locate", None, None)[number % 4]))
        seen.update({case.state for case, _ in life})
        assert State(life[-1][0].state) in FINAL
    assert set(seen) == set(State)


@pytest.mark.parametrize(
    ("state", "accepts"), [("filed", "answer"), ("assigned", "respond"), ("in_progress", "respond")]
)
def test_officers_who_are_called_come_or_say_that_they_cannot_and_come_in_minutes(state: str, accepts: str) -> None:
    waits: dict[str, list[float]] = {accepts: [], "decline": []}
    for number in range(200):
        rings = replace(new_case(number), state=state, pool="call" if state == "filed" else None, called=("1", "2"))
        step = next_step(rings, seed=1)
        assert step is not None
        assert step.by is By.CALLED
        made(rings, step)
        waits[step.move].append(step.after_minutes)
    assert len(waits[accepts]) > len(waits["decline"]) > 20
    quick = [wait for wait in waits[accepts] if wait <= 2]
    assert 0.75 < len(quick) / len(waits[accepts]) < 1, "and now and then nobody hears it for long"


def test_every_move_that_people_make_happens() -> None:
    moves: Counter[str | None] = Counter()
    for number in range(600):
        case = new_case(number, pool=("filing", "locate", None, None)[number % 4])
        life = lived(case, overdue=True, rings=number % 9 == 0)
        moves.update(move for _, move in life)
    wanted = {
        "file", "reject", "locate", "return", "accept", "start", "hand_in", "rework",
        "close", "reopen", "cancel", "merge", "remind", "supervise", "reply", "forward", "correct",
        "arrive", "send_check", "check", "co_assign", "co_hand_in", "co_decline", "link", "unlink", "follow",
        "respond", "decline",
    }  # fmt: skip
    assert wanted <= set(moves)
    assert moves["close"] > 400


def test_what_others_are_linked_to_goes_on_to_its_end() -> None:
    mains = [case for n in range(600) if is_main(case := replace(new_case(n), state="assigned", assignment="1"), 1)]
    assert 40 < len(mains) < 160
    steps = {step.move for each in mains if (step := next_step(each, 1)) is not None}
    assert steps == {"accept", "return"}


def test_some_limits_are_extended_before_they_are_over_and_never_a_third_time() -> None:
    slow = [replace(new_case(n), state="in_progress", pool=None, version=n % 7) for n in range(600)]
    asked = [step for each in slow if (step := next_step(each, 1)) is not None and step.move == "extend"]
    assert 5 < len(asked) < 60
    thrice = [next_step(replace(each, extensions=2), 1) for each in slow]
    assert not any(step is not None and step.move == "extend" for step in thrice)


def test_some_who_are_slow_ask_the_desk_for_more_time_and_nobody_who_has_been_given_some() -> None:
    slow = [replace(new_case(n), state="in_progress", pool=None, version=n % 7) for n in range(600)]
    asked = [step for each in slow if (step := next_step(each, 1)) is not None and step.move == "ask_desk"]
    assert 5 < len(asked) < 60
    assert {step.by for step in asked} == {By.OWNER}
    given = [next_step(replace(each, extensions=1), 1) for each in slow]
    assert not any(step is not None and step.move == "ask_desk" for step in given)


def test_who_was_sent_to_look_goes_before_the_desk_decides_and_some_find_nothing() -> None:
    out = [replace(new_case(n, pool="filing"), checker="1") for n in range(200)]
    steps = [step for each in out if (step := next_step(each, 1)) is not None]
    assert {(step.move, step.by) for step in steps} == {("check", By.CHECKER)}
    assert {step.said["result"] for step in steps} == {"confirmed", "not_found"}
    assert {made(each, step).state for each, step in zip(out, steps, strict=True)} == {"reported"}


def test_a_sampled_case_is_looked_at_again_and_what_does_not_hold_is_reopened() -> None:
    moves: Counter[str] = Counter()
    for number in range(200):
        case = replace(new_case(number), state="closed", pool=None, sampled=True, checker="1", version=2)
        looked = next_step(case, 1)
        assert looked is not None
        assert (looked.move, looked.by) == ("check", By.CHECKER)
        after = made(case, looked)
        again = next_step(after, 1)
        moves[looked.said["result"]] += 1
        if looked.said["result"] == "not_confirmed":
            assert again is not None
            assert again.move == "reopen"
    assert min(moves["confirmed"], moves["not_confirmed"]) > 20
    assert next_step(replace(new_case(1), state="closed", pool=None, sampled=True), 1) is None, "nobody was sent yet"


def test_an_officer_puts_right_on_the_spot_only_what_is_his_and_no_danger() -> None:
    coming = [report_number(n, KINDS, seed=4) for n in range(600)]
    there = [each.kind for each in coming if each.on_the_spot]
    assert len(there) > 40
    assert all(kind.department is None and kind.severity in {"low", "normal"} for kind in there)


def test_the_same_case_meets_the_same_decision_whoever_remembers_what() -> None:
    case = new_case(5, pool="filing")
    assert next_step(case, 1) == next_step(case, 1)


def test_what_the_service_does_itself_is_left_to_it() -> None:
    assert next_step(new_case(1), 1) is None


def test_nobody_touches_a_case_that_is_over() -> None:
    for state in FINAL - {State.CLOSED}:
        assert next_step(replace(new_case(1), state=str(state), pool=None), 1) is None


def test_some_cases_are_handled_too_late_and_most_in_time() -> None:
    waits = [next_step(replace(new_case(n), state="in_progress", pool=None), 1) for n in range(500)]
    late = [step for step in waits if step is not None and step.after_minutes > 120]
    assert 20 < len(late) < 120


def test_some_of_what_owners_do_is_told_later_and_nothing_of_what_desks_do() -> None:
    owned = [replace(new_case(n), state="accepted", pool=None, assignment="1") for n in range(500)]
    steps = [(case, step) for case in owned if (step := next_step(case, 1)) is not None]
    later = [step.by for case, step in steps if told_later(case, step, 1)]
    assert 10 < len(later) < 80
    assert set(later) == {By.OWNER}


def test_some_let_the_time_to_acknowledge_lapse() -> None:
    waits = [next_step(replace(new_case(n), state="assigned", pool=None, assignment="1"), 1) for n in range(500)]
    lapsed = [step for step in waits if step is not None and step.move == "accept" and step.after_minutes > 15]
    assert 5 < len(lapsed) < 60


def test_every_third_report_is_for_an_officer_and_every_category_comes_once_in_its_round() -> None:
    for_officers = [kind.ref for kind in KINDS if kind.department is None]
    for_departments = [kind.ref for kind in KINDS if kind.department is not None]
    coming = [report_number(n, KINDS, seed=4) for n in range(3 * len(for_departments))]
    officers = [each.kind.ref for each in coming[::3]]
    departments = [each.kind.ref for n, each in enumerate(coming) if n % 3]
    for first in range(0, len(departments), len(for_departments)):
        assert sorted(departments[first : first + len(for_departments)]) == sorted(for_departments)
    for first in range(0, len(officers) - len(for_officers), len(for_officers)):
        assert sorted(officers[first : first + len(for_officers)]) == sorted(for_officers)


def test_where_nobody_but_officers_handles_their_categories_come_once_in_a_round() -> None:
    alone = [kind for kind in KINDS if kind.department is None]
    coming = [report_number(n, alone, seed=4) for n in range(2 * len(alone))]
    assert sorted(each.kind.ref for each in coming) == sorted(2 * [kind.ref for kind in alone])


def test_reports_come_from_everywhere_and_say_that_they_are_simulated() -> None:
    coming = [report_number(n, KINDS, seed=4) for n in range(400)]
    assert {each.source for each in coming} == set(Source)
    assert all(each.words.startswith("【模拟】") for each in coming)


def test_the_night_is_quiet_and_the_morning_is_not() -> None:
    night = reports_per_hour(datetime(2026, 11, 23, 3, tzinfo=LANZHOU), 40)
    morning = reports_per_hour(datetime(2026, 11, 23, 9, tzinfo=LANZHOU), 40)
    assert 0 < night < 5
    assert morning == 40


def test_nothing_is_reported_while_too_many_cases_are_open() -> None:
    open_cases, owed = 0, 0.0
    for _ in range(2_000):
        owed = reports_owed(owed, rate=600, seconds=3, open_cases=open_cases, most_open=50)
        open_cases, owed = open_cases + int(owed), owed - int(owed)
    assert open_cases == 50


def test_what_could_not_be_reported_is_not_made_up_for() -> None:
    assert reports_owed(0.5, rate=600, seconds=3600, open_cases=50, most_open=50) == 0
    assert reports_owed(0.0, rate=600, seconds=6, open_cases=49, most_open=50) == 1
