"""A file of ladders: what it may say, and every fault of it in one answer."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, replace

import pytest

from gridsvc.domain.case_state import Clock
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.escalation import After, Axis, Hearing
from gridsvc.domain.ladder import LadderUse
from gridsvc.domain.ladder_file import KnownOfCity, Ladders, read_ladders, write_ladders
from gridsvc.domain.roster import Fault
from tests.house.source import document

KNOWN = KnownOfCity(
    departments=frozenset({"water"}),
    duty_lines=frozenset({"city", "social"}),
    divisions=frozenset({"620100", "620102"}),
    holders=frozenset({"supervisor street", "supervisor district", "supervisor city", "dispatcher street"}),
    named=frozenset({"handling"}),
    limited=frozenset(str(clock) for clock in Clock),
)

GOOD = """
name = "two ladders"
[[ladder]]
code = "handling"
  [[ladder.rung]]
  share = 0.75
  effect = "warning"
  hears = [{ role = "owner" }]
  [[ladder.rung]]
  share = 1
  effect = "overdue"
  hears = [{ role = "dispatcher", level = "street" }, { role = "supervisor", level = "city", axis = "line" }]
  [[ladder.rung]]
  after = "4 work_hour"
  effect = "climb"
  hears = [{ role = "supervisor", level = "district", axis = "both" }]
  repeats = 5
[[ladder]]
code = "water"
  [[ladder.rung]]
  share = 1
  effect = "overdue"
  hears = [{ role = "owner" }]
[[use]]
clock = "handling"
ladder = "water"
severity = "low"
division = "620102"
duty_line = "city"
department = "water"
"""


def read(text: str, known: KnownOfCity = KNOWN) -> tuple[Ladders, Sequence[Fault]]:
    return read_ladders("ladders.toml", text.encode(), known)


def test_a_good_file_is_read_whole() -> None:
    ladders, faults = read(GOOD)
    assert faults == ()
    last = ladders.ladders["handling"][-1]
    assert (last.level, last.share, last.after, last.repeats) == (
        3, None, After(amount=4, unit=LimitUnit.WORK_HOUR), 5,
    )  # fmt: skip
    assert ladders.ladders["handling"][1].also == (Hearing(role="supervisor", division_level="city", axis=Axis.LINE),)
    assert ladders.uses == (
        LadderUse(clock=Clock.HANDLING, ladder="water", severity="low", division="620102", duty_line="city",
                  department="water"),
    )  # fmt: skip


def test_what_is_written_is_read_again() -> None:
    ladders, _ = read(GOOD)
    again, faults = read(write_ladders(ladders.name, ladders.ladders, ladders.uses))
    assert faults == ()
    assert asdict(again) == asdict(ladders)


def test_a_role_without_a_level_is_the_nearest_and_stays_so() -> None:
    ladders, faults = read(GOOD.replace('{ role = "dispatcher", level = "street" }', '{ role = "dispatcher" }'))
    assert faults == ()
    assert ladders.ladders["handling"][1].division_level is None
    assert asdict(read(write_ladders(ladders.name, ladders.ladders, ladders.uses))[0]) == asdict(ladders)


@pytest.mark.parametrize(
    ("before", "after", "field", "given"),
    [
        ('share = 1\n  effect = "overdue"\n  hears = [{ role = "dispatcher"', 'share = 0.5\n  effect = "overdue"\n'
         '  hears = [{ role = "dispatcher"', "ladder 'handling', rung 2, share", "0.5"),
        ('after = "4 work_hour"', "share = 2", "ladder 'handling', rung 3, repeats", "5"),
        ('after = "4 work_hour"', 'after = "4 fortnight"', "ladder 'handling', rung 3, after", "4 fortnight"),
        ('effect = "climb"', 'effect = "jump"', "ladder 'handling', rung 3, effect", "'jump'"),
        ('role = "dispatcher"', 'role = "mayor"', "ladder 'handling', rung 2, hears, role", "'mayor'"),
        ('level = "street"', 'level = "moon"', "ladder 'handling', rung 2, hears, level", "'moon'"),
        ('axis = "both"', 'axis = "cross"', "ladder 'handling', rung 3, hears, axis", "'cross'"),
        ('clock = "handling"', 'clock = "tea"', "use 1, clock", "'tea'"),
        ('ladder = "water"', 'ladder = "wine"', "use 1, ladder", "'wine'"),
        ('severity = "low"', 'severity = "mild"', "use 1, severity", "'mild'"),
        ('division = "620102"', 'division = "1"', "use 1, division", "1"),
        ('duty_line = "city"', 'duty_line = "sea"', "use 1, duty_line", "sea"),
        ('department = "water"', 'department = "air"', "use 1, department", "air"),
        ('code = "water"', 'code = "handling"', "ladder 'handling'", "the code twice"),
        ("repeats = 5", "repeats = 500", "ladder 'handling', rung 3, repeats", "500"),
        ("name =", "nome =", "file", "the key 'nome'"),
    ],
)  # fmt: skip
def test_a_fault_is_named_with_its_place(before: str, after: str, field: str, given: str) -> None:
    assert before in GOOD
    _, faults = read(GOOD.replace(before, after, 1))
    assert (field, given) in [(fault.field, fault.given) for fault in faults if fault.refuses], faults


def test_every_fault_is_named_in_one_answer() -> None:
    broken = GOOD.replace('"low"', '"mild"').replace('"climb"', '"jump"').replace('"620102"', '"1"')
    assert len([fault for fault in read(broken)[1] if fault.refuses]) == 3


def test_repetitions_are_for_the_last_rung_and_a_share_does_not_follow_a_wait() -> None:
    more = GOOD.replace(
        "  repeats = 5\n",
        '  repeats = 5\n  [[ladder.rung]]\n  share = 3\n  effect = "climb"\n  hears = [{ role = "owner" }]\n',
    )
    fields = {fault.field for fault in read(more)[1]}
    assert fields == {"ladder 'handling', rung 3, repeats", "ladder 'handling', rung 4, share"}


def test_a_clock_without_a_ladder_is_a_fault() -> None:
    known = replace(KNOWN, named=frozenset({"handling", "pool"}), limited=frozenset({"pool"}))
    missing = {fault.given.split(",")[0] for fault in read(GOOD, known)[1] if fault.refuses}
    assert missing == {f"no {str(clock)!r}" for clock in Clock if clock is not Clock.HANDLING}


def test_two_uses_of_the_same_place_are_a_fault() -> None:
    twice = GOOD + GOOD[GOOD.index("[[use]]") :].replace('ladder = "water"', 'ladder = "handling"')
    assert [fault.field for fault in read(twice)[1]] == ["use 2"]


def test_whom_nobody_is_and_what_nobody_uses_are_warnings() -> None:
    known = replace(KNOWN, holders=KNOWN.holders - {"supervisor city"})
    _, faults = read(GOOD[: GOOD.index("[[use]]")], known)
    assert [(fault.field, fault.refuses) for fault in faults] == [
        ("ladder 'handling', rung 2, hears", False),
        ("ladder 'water'", False),
    ]


@pytest.mark.parametrize("text", ["", "name = ", "name = 'x'\nladder = 3", "\udcff"])
def test_what_is_no_file_of_ladders_is_refused(text: str) -> None:
    content = text.encode(errors="surrogateescape")
    _, faults = read_ladders("x", content, KNOWN)
    assert any(fault.refuses for fault in faults)


def test_the_example_of_the_page_is_good() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", document("rules/escalation.md"), re.DOTALL)
    codes = frozenset(re.findall(r'^code = "(\w+)"', example, re.MULTILINE))
    known = replace(KNOWN, named=codes - {"calm", "water"}, limited=frozenset({"acknowledge"}))
    _, faults = read(example, known)
    refusing = [fault for fault in faults if fault.refuses and not fault.given.startswith("no ")]
    assert refusing == []
