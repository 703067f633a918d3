"""Who is sent to look at a case: the nearest, or the beat's own; never who handled it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gridsvc.domain.case_state import State
from gridsvc.domain.checking import Checker, NobodyToSend, Sent, choose_checker, wanted_check
from tests.unit.domain.sample_rules import category

CHEN, MA, QIAN = UUID(int=1), UUID(int=2), UUID(int=3)
FRESH, OLD = timedelta(minutes=4), timedelta(minutes=31)


def officer(who: UUID, **changes: Any) -> Checker:
    standing: dict[str, Any] = {
        "of_the_beat": False, "open_checks": 0, "distance_m": None, "position_age": None, "handled_it": False,
    }  # fmt: skip
    return Checker(officer_id=who, **{**standing, **changes})


def near(who: UUID, metres: float, age: timedelta = FRESH, **changes: Any) -> Checker:
    return officer(who, distance_m=metres, position_age=age, **changes)


@pytest.mark.parametrize(
    ("rule", "candidates", "sent", "by"),
    [
        ("the nearest goes", [near(MA, 300), near(QIAN, 200)], QIAN, "nearest"),
        ("the nearest goes before the beat's own", [near(MA, 1_900), officer(QIAN, of_the_beat=True)], MA, "nearest"),
        ("an old position says nothing", [near(MA, 50, OLD), officer(QIAN, of_the_beat=True)], QIAN, "of_the_beat"),
        ("nobody is near at more than 2 km", [near(MA, 2_001), officer(QIAN, of_the_beat=True)], QIAN, "of_the_beat"),
        ("of the beat the one with fewer checks",
         [officer(MA, of_the_beat=True, open_checks=1), officer(QIAN, of_the_beat=True)], QIAN, "of_the_beat"),
        ("on a tie the lower id", [near(QIAN, 100), near(MA, 100)], MA, "nearest"),
        ("equally near: the one with fewer checks", [near(MA, 100, open_checks=2), near(QIAN, 100)], QIAN, "nearest"),
        ("who handled it is not sent, however near", [near(CHEN, 1, handled_it=True), near(MA, 900)], MA, "nearest"),
        ("whoever is far and of another beat is not sent", [near(MA, 5_000)], None, None),
        ("nobody is there", [], None, None),
        ("only who handled it is there", [near(CHEN, 1, of_the_beat=True, handled_it=True)], None, None),
    ],
)  # fmt: skip
def test_who_is_sent(rule: str, candidates: list[Checker], sent: UUID | None, by: str | None) -> None:
    found = choose_checker(candidates)
    if sent is None:
        assert isinstance(found, NobodyToSend), rule
        return
    assert isinstance(found, Sent)
    assert (found.officer_id, found.rule) == (sent, by), rule


BOTH = ("pre_filing_check", "closing_check")


@pytest.mark.parametrize(
    ("rule", "checks", "state", "source", "facts", "wanted"),
    [
        ("before the filing of what a caller said", BOTH, State.REPORTED, "hotline", {}, "pre_filing_check"),
        ("an officer has seen it himself", BOTH, State.REPORTED, "officer", {}, None),
        ("without a place nobody can go", BOTH, State.REPORTED, "hotline", {"located": False}, None),
        ("before the closing, whoever reported it", BOTH, State.HANDLED, "officer", {}, "closing_check"),
        ("the category does not ask", ("pre_filing_check",), State.HANDLED, "hotline", {}, None),
        ("a sampled case, whatever its category", (), State.CLOSED, "officer", {"sampled": True}, "re_check"),
        ("nobody goes back to the others", BOTH, State.CLOSED, "hotline", {}, None),
        ("nor to a case that is being handled", BOTH, State.IN_PROGRESS, "hotline", {}, None),
    ],
)
def test_when_somebody_is_sent_unasked(
    rule: str, checks: tuple[str, ...], state: State, source: str, facts: dict[str, bool], wanted: str | None
) -> None:
    said = {"located": True, **facts}
    assert wanted_check(category(checks=checks), state, source, **said) == wanted, rule


def test_each_other_one_is_told_why_not() -> None:
    found = choose_checker([near(CHEN, 1, handled_it=True), near(MA, 300), officer(QIAN, of_the_beat=True)])
    told = found.reasons["candidates"]
    assert isinstance(told, list)
    assert [each["not_sent_because"] for each in told] == [
        "handled the case, or is of the department that did", None, "another is nearer",
    ]  # fmt: skip
