"""The history of a case, counted: who had it, what waits for its check, which clocks count, and what was undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import pytest

from gridsvc.domain.case_state import Clock, Move, State
from gridsvc.domain.history import Entry
from gridsvc.domain.recount import Happened, Known, happened_in
from tests.unit.domain.sample_case import HANDLER, NOW, OFFICER, OTHER_CASE

CASE: Final = UUID(int=0xC1)
DESK: Final = f"user:{UUID(int=0xA9)}"
HOUR: Final = timedelta(hours=1)
LIMIT: Final = timedelta(hours=4)
LATER: Final = NOW + timedelta(days=30)

Said = tuple[Move, State, dict[str, object]]


def due_of(case_id: UUID, kind: Clock, started_at: datetime) -> tuple[datetime, datetime]:
    assert kind not in {Clock.STOP_IT, Clock.CO_HANDLING, Clock.CALL, Clock.CALL_BACK}, "the history does not tell"
    return started_at + LIMIT, started_at + LIMIT


KNOWN: Final = Known(
    due_of=due_of, paths={(1, "cell"): ("620100", "620102")}, lines={"1:300301": "social"}, sources={"r": "staff"}
)

REPORTED: Final[Said] = (Move.REPORT, State.REPORTED, {"report": "r", "category": "1:300301"})
FILED: Final[Said] = (Move.FILE, State.FILED, {"cell": "cell", "grid_set": 1})
POOLED: Final[Said] = (Move.POOL, State.FILED, {"reason": "nobody"})
HANDED_IN: Final[Said] = (Move.HAND_IN, State.HANDLED, {})
CLOSED: Final[Said] = (Move.CLOSE, State.CLOSED, {})


def assigned(officer: UUID) -> Said:
    return Move.ASSIGN, State.ASSIGNED, {"officer": str(officer)}


def undone(move: Move, state: State = State.ASSIGNED, **facts: object) -> Said:
    return Move.UNDO, state, {"bulk": "b", "undone": str(move), **facts}


def told(*said: Said, actors: dict[Move, str] | None = None, apart: timedelta = HOUR) -> list[Happened]:
    """What counts in a history of these moves, an hour apart."""
    entries: list[Entry] = []
    for number, (move, state, facts) in enumerate([REPORTED, FILED, *said]):
        entries.append(
            Entry(
                case_id=CASE, version=number + 1, move=move, from_state=None, to_state=state,
                actor=(actors or {}).get(move, DESK), at=NOW + number * apart, facts=facts, before=b"",
            )
        )  # fmt: skip
    return list(happened_in(entries, KNOWN, LATER))


def numbers(happened: Sequence[Happened]) -> Counter[str]:
    return Counter(each.what for each in happened)


def whose(happened: Sequence[Happened], what: str) -> UUID | str | None:
    [one] = [each.whose for each in happened if each.what == what]
    return one.officer or one.department


# -- undone -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("move", "counts"),
    [(Move.SUSPEND, ("suspended", "due_suspended")), (Move.EXTEND, ("extended", "due_extended"))],
)
def test_what_was_undone_counts_nowhere(move: Move, counts: tuple[str, ...]) -> None:
    standing = numbers(told(assigned(OFFICER), (move, State.ASSIGNED, {})))
    assert [standing[count] for count in counts] == [1, 1]
    gone = numbers(told(assigned(OFFICER), (move, State.ASSIGNED, {}), undone(move)))
    assert [gone[count] for count in counts] == [0, 0]


def test_one_of_two_extensions_stands_where_the_other_was_undone() -> None:
    extended: Said = (Move.EXTEND, State.ASSIGNED, {})
    counts = numbers(told(assigned(OFFICER), extended, extended, undone(Move.EXTEND)))
    assert (counts["extended"], counts["due_extended"]) == (1, 1)


def test_a_reminder_that_is_undone_takes_no_mark_back() -> None:
    said: tuple[Said, ...] = ((Move.EXTEND, State.ASSIGNED, {}), (Move.REMIND, State.ASSIGNED, {}), undone(Move.REMIND))
    assert numbers(told(assigned(OFFICER), *said))["extended"] == 1


def test_an_assignment_that_was_undone_was_received_by_nobody_and_he_before_has_the_case_on() -> None:
    back = undone(Move.ASSIGN, officer=str(OFFICER))
    happened = told(assigned(OFFICER), assigned(HANDLER), back, HANDED_IN, CLOSED)
    counts = numbers(happened)
    assert (counts["received"], counts["dispatched"], counts["handed_in_passed"], counts["due"]) == (1, 1, 1, 1)
    assert {whose(happened, what) for what in ("received", "handed_in", "closed", "due")} == {OFFICER}


def test_a_return_after_an_undoing_is_one_of_what_was_received_before() -> None:
    back = undone(Move.ASSIGN, officer=str(OFFICER))
    happened = told(assigned(OFFICER), assigned(HANDLER), back, (Move.RETURN, State.FILED, {}))
    counts = numbers(happened)
    assert (counts["received"], counts["received_returned"], counts["dispatched_returned"]) == (1, 1, 1)
    assert whose(happened, "received_returned") == OFFICER


def test_the_limit_that_an_undone_assignment_began_is_nobodys_and_the_pools_begins_anew() -> None:
    happened = told(POOLED, assigned(OFFICER), undone(Move.ASSIGN, State.FILED, pool="dispatch"), apart=5 * HOUR)
    counts = numbers(happened)
    assert (counts["received"], counts["due"], counts["late"], counts["pool_due"]) == (0, 0, 0, 2)
    rung = numbers(told(assigned(OFFICER), undone(Move.ASSIGN, State.FILED, pool="call")))
    assert rung["pool_due"] == 0, "what rang goes to routing"


# -- who has it ---------------------------------------------------------------------------------------


def test_who_answers_a_call_has_the_case_and_nobody_dispatched_it() -> None:
    rings: Said = (Move.CALL, State.FILED, {"call": "k"})
    answered: Said = (Move.ANSWER, State.ACCEPTED, {"call": "k"})
    happened = told(rings, answered, HANDED_IN, CLOSED, actors={Move.ANSWER: f"user:{OFFICER}"})
    assert {whose(happened, what) for what in ("received", "handed_in", "closed", "due")} == {OFFICER}
    assert numbers(happened)["dispatched"] == 0


def test_a_case_that_is_handed_over_is_received_by_both_and_returned_by_neither() -> None:
    over: Said = (Move.HAND_OVER, State.ASSIGNED, {"officer": str(OFFICER), "from_officer": str(HANDLER)})
    happened = told(assigned(HANDLER), over, HANDED_IN, CLOSED)
    counts = numbers(happened)
    assert (counts["received"], counts["received_returned"], counts["dispatched"], counts["due"]) == (2, 0, 1, 1)
    assert {whose(happened, what) for what in ("handed_in", "closed", "due")} == {OFFICER}


def test_what_passes_to_a_successor_by_the_name_of_a_person_was_not_dispatched() -> None:
    move, state, facts = assigned(OFFICER)
    passed: Said = (move, state, {**facts, "rule": "handed_over", "from_officer": str(HANDLER)})
    counts = numbers(told(assigned(HANDLER), (Move.RELIEVE, State.FILED, {}), passed, HANDED_IN))
    assert (counts["received"], counts["dispatched"]) == (2, 1)


def test_a_suspended_case_that_another_takes_over_is_received_by_both_and_nobody_dispatched_it() -> None:
    still: Said = (Move.SUSPEND, State.ASSIGNED, {"reason": "parts"})
    over: Said = (Move.TAKE_OVER, State.ASSIGNED, {"officer": str(OFFICER), "from_officer": str(HANDLER)})
    happened = told(assigned(HANDLER), still, over)
    counts = numbers(happened)
    assert (counts["received"], counts["received_returned"], counts["dispatched"]) == (2, 0, 1)
    assert (whose(happened, "due"), counts["due_suspended"]) == (OFFICER, 1)


def test_a_case_whose_officer_left_keeps_its_limit_with_the_next() -> None:
    routed = {Move.ASSIGN: "worker:router"}
    happened = told(assigned(HANDLER), (Move.RELIEVE, State.FILED, {}), assigned(OFFICER), HANDED_IN, actors=routed)
    counts = numbers(happened)
    assert (counts["received"], counts["received_returned"], counts["due"], counts["pool_due"]) == (2, 0, 1, 0)
    assert {whose(happened, what) for what in ("handed_in", "due")} == {OFFICER}


def followed(**owner: object) -> Said:
    return Move.FOLLOW, State.HANDLED, {"cause": str(OTHER_CASE), **owner}


LINKED: Final[Said] = (Move.LINK, State.FILED, {"cause": str(OTHER_CASE)})


@pytest.mark.parametrize("owner", [{"officer": str(OFFICER)}, {"department": "water"}])
def test_what_is_handled_with_its_cause_is_closed_by_whoever_had_the_cause(owner: dict[str, object]) -> None:
    happened = told(LINKED, followed(**owner), CLOSED)
    assert str(whose(happened, "closed")) in owner.values()
    counts = numbers(happened)
    assert (counts["received"], counts["handed_in"], counts["handed_in_passed"]) == (0, 0, 0), "it was handled already"
    assert (counts["checking_due"], counts["due"]) == (1, 0)


def test_who_had_an_effect_before_its_cause_has_received_it_and_the_turn_is_the_causes() -> None:
    happened = told(assigned(HANDLER), LINKED, followed(officer=str(OFFICER)), CLOSED)
    assert whose(happened, "received") == HANDLER
    assert {whose(happened, what) for what in ("due", "closed")} == {OFFICER}


def test_what_was_sent_back_once_does_not_pass_where_it_is_closed_with_its_cause() -> None:
    reworked: Said = (Move.REWORK, State.ASSIGNED, {})
    counts = numbers(told(assigned(HANDLER), HANDED_IN, reworked, LINKED, followed(officer=str(OFFICER)), CLOSED))
    assert (counts["handed_in"], counts["handed_in_reworked"], counts["handed_in_passed"]) == (1, 1, 0)
    assert counts["closed"] == 1


# -- clocks -------------------------------------------------------------------------------------------


def test_clocks_that_run_only_sometimes_or_several_at_once_are_not_looked_at() -> None:
    said: tuple[Said, ...] = (
        (Move.CALL, State.FILED, {}), assigned(OFFICER), (Move.CO_ASSIGN, State.ASSIGNED, {}),
        (Move.CO_HAND_IN, State.ASSIGNED, {}), HANDED_IN, CLOSED, (Move.CALL_BACK, State.CLOSED, {}),
    )  # fmt: skip
    assert numbers(told(*said))["due_closed"] == 1


def test_a_look_again_at_a_closed_case_goes_on_whatever_is_noted_meanwhile() -> None:
    sent: Said = (Move.SEND_CHECK, State.CLOSED, {"officer": str(OFFICER)})
    said: tuple[Said, ...] = (assigned(HANDLER), HANDED_IN, CLOSED, sent, (Move.ESCALATE, State.CLOSED, {}))
    counts = numbers(told(*said, (Move.CHECK, State.CLOSED, {})))
    assert (counts["checks_due"], counts["checks_done"], counts["checks_in_time"]) == (1, 1, 1)
    called_off = numbers(told(*said, (Move.REOPEN, State.FILED, {})))
    assert called_off["checks_due"] == 0
