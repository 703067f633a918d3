"""What is wrong with routing rules in a city, all in one answer: unknown names, rules never reached, gaps."""

from __future__ import annotations

import re
from dataclasses import fields, replace
from typing import Any

import pytest

from gridsvc.domain.category import Category
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.routing_check import Known, KnownTeam, check_rules
from gridsvc.domain.routing_file import read_file, written_file
from gridsvc.domain.routing_rules import DEFAULT, RoutingEdition, RuleFault, Target, When
from tests.house.source import ROOT, document
from tests.unit.domain.routed import rules

BIN = Category(
    edition="now", code="200110", kind="event", name="垃圾箱满溢", name_en="full bin", duty_line="social",
    department=None, handled_by="officer", severity="normal", files_itself=True, limit_amount=4,
    limit_unit=LimitUnit.WORK_HOUR, calendar="city", ladder="handling", active=True, major="02",
)  # fmt: skip
COVER = replace(BIN, code="100101", kind="component", duty_line="city", department="water", handled_by="department",
                major="01")  # fmt: skip
QUARREL = replace(BIN, code="300101", severity="high", major="03", dispatches_itself=False)
OLD = replace(BIN, edition="2007")
CATEGORIES = (BIN, COVER, QUARREL)

KNOWN = Known(
    divisions={"6201": ("6201",), "620102": ("6201", "620102"), "620103": ("6201", "620103"),
               "620102001": ("6201", "620102", "620102001")},
    departments={"water": "city", "gas": "city", "fire": "social"},
    duty_lines=frozenset({"city", "social"}),
    sources=frozenset({"drone"}),
    skills=frozenset({"electric", "boat"}),
    teams={
        "night": KnownTeam(duty_line="social", officers=(frozenset({"electric"}), frozenset())),
        "empty": KnownTeam(duty_line="social"),
    },
)  # fmt: skip
LAST = {"code": "last", "to": "beat_officer"}


def found(edition: RoutingEdition, categories: tuple[Category, ...] = CATEGORIES) -> list[RuleFault]:
    return check_rules(edition, KNOWN, categories, "now")


def faults(*tables: dict[str, Any]) -> list[str]:
    """Rule, field, and whether it only warns."""
    return [f"{each.rule or ''}:{each.field}{'' if each.refuses else '?'}" for each in found(rules(*tables))]


def test_the_rules_that_a_city_starts_with_have_nothing_wrong() -> None:
    assert found(DEFAULT) == []


@pytest.mark.parametrize(
    ("says", "table", "expected"),
    [
        ("a category nobody knows", {"when": {"categories": ["999999"]}}, ["it:when.categories", "it:when?"]),
        ("a code of another edition without its name", {"when": {"categories": ["2007:999"]}},
         ["it:when.categories", "it:when?"]),
        ("a category that there is", {"when": {"categories": ["now:200110"]}}, []),
        ("a major class nobody knows", {"when": {"majors": ["09"]}}, ["it:when.majors", "it:when?"]),
        ("a division nobody knows", {"when": {"divisions": ["999"]}}, ["it:when.divisions"]),
        ("a source nobody knows", {"when": {"sources": ["rumour"]}}, ["it:when.sources"]),
        ("a source that cases came from", {"when": {"sources": ["drone"]}}, []),
        ("a severity nobody knows", {"when": {"severities": ["mild"]}}, ["it:when.severities", "it:when?"]),
        ("a duty line nobody knows", {"when": {"duty_lines": ["x"]}}, ["it:when.duty_lines", "it:when?"]),
        ("a team nobody knows", {"to": "team", "team": "day", "else": "next"}, ["it:team"]),
        ("a team without officers", {"to": "team", "team": "empty", "else": "next",
                                     "when": {"duty_lines": ["social"]}}, ["it:team"]),
        ("a skill nobody has", {"skills": ["climb"], "else": "next"}, ["it:skills"]),
        ("a skill nobody of the team has", {"to": "team", "team": "night", "skills": ["boat"], "else": "next",
                                            "when": {"duty_lines": ["social"]}}, ["it:skills"]),
        ("a department nobody knows", {"to": "department", "department": "x", "when": {"keywords": ["x"]}},
         ["it:department"]),
        ("a department of another duty line", {"to": "department", "department": "gas", "when": {"majors": ["02"]}},
         ["it:department?"]),
        ("a team of another duty line", {"to": "team", "team": "night", "else": "next"}, ["it:team?"]),
    ],
)  # fmt: skip
def test_what_is_wrong_with_a_rule(says: str, table: dict[str, Any], expected: list[str]) -> None:
    assert faults({"code": "it", "to": "beat_officer", **table}, LAST) == expected, says


def test_every_fault_of_every_rule_is_in_one_answer() -> None:
    said = faults(
        {"code": "a", "to": "team", "team": "x", "when": {"divisions": ["1"], "sources": ["y"]}},
        {"code": "b", "to": "department", "department": "z", "when": {"keywords": ["k"]}},
        LAST,
    )
    assert said == ["a:when.divisions", "a:when.sources", "a:team", "b:department"]


@pytest.mark.parametrize(
    ("says", "earlier", "later", "reached"),
    [
        ("one without conditions takes everything", {}, {"severities": ["high"]}, False),
        ("the same again", {"keywords": ["gas"]}, {"keywords": ["gas"]}, False),
        ("a wider place takes a narrower one", {"divisions": ["620102"]}, {"divisions": ["620102001"]}, False),
        ("a narrower one does not", {"divisions": ["620102001"]}, {"divisions": ["620102"]}, True),
        ("the whole city is no condition", {"divisions": ["6201"]}, {}, False),
        ("a shorter keyword takes a longer one", {"keywords": ["gas"]}, {"keywords": ["Gas leak"]}, False),
        ("a longer one does not", {"keywords": ["gas leak"]}, {"keywords": ["gas"]}, True),
        ("longer hours take shorter", {"hours": ["20:00-08:00"]}, {"hours": ["22:00-06:00"]}, False),
        ("shorter do not", {"hours": ["22:00-06:00"]}, {"hours": ["20:00-08:00"]}, True),
        ("two stretches that meet take one", {"hours": ["22:00-02:00", "02:00-06:00"]}, {"hours": ["23:00-05:00"]},
         False),
        ("Sunday's night takes Monday before dawn", {"weekdays": [7], "hours": ["22:00-06:00"]},
         {"weekdays": [1], "hours": ["01:00-05:00"]}, False),
        ("and not Tuesday", {"weekdays": [7], "hours": ["22:00-06:00"]},
         {"weekdays": [2], "hours": ["01:00-05:00"]}, True),
        ("nights of working days do not take mornings of working days: Monday's belongs to Sunday",
         {"working_day": True, "hours": ["22:00-06:00"]}, {"working_day": True, "hours": ["00:00-06:00"]}, True),
        ("nor the other way round: Friday's night ends on Saturday",
         {"working_day": True, "hours": ["22:00-00:00", "00:00-06:00"]},
         {"working_day": True, "hours": ["23:00-05:00"]}, True),
        ("the same nights again", {"working_day": True, "hours": ["22:00-06:00"]},
         {"working_day": True, "hours": ["22:00-06:00"], "weekdays": [5]}, False),
        ("every day but one does not take all", {"weekdays": [1, 2, 3, 4, 5, 6]}, {}, True),
        ("a major class takes its category", {"majors": ["02"]}, {"categories": ["200110"]}, False),
        ("and not another's", {"majors": ["02"]}, {"categories": ["100101"]}, True),
        ("one source does not take all", {"sources": ["officer"]}, {}, True),
        ("all do not take one that nobody named", {"sources": ["officer", "desk"]}, {"sources": ["desk"]}, False),
        ("working days do not take days off", {"working_day": True}, {"working_day": False}, True),
    ],
)  # fmt: skip
def test_a_rule_that_is_never_reached_is_refused(
    says: str, earlier: dict[str, Any], later: dict[str, Any], reached: bool
) -> None:
    it = {"code": "it", "to": "pool", "reason": "ask"}
    said = faults({"code": "first", "to": "pool", "reason": "ask", "when": earlier}, {**it, "when": later})
    assert ("it:when" not in said) == reached, says


def test_whoever_goes_on_where_nobody_is_found_leaves_cases_to_the_next() -> None:
    night = {"code": "night", "to": "team", "team": "night", "when": {"duty_lines": ["social"]}}
    beat = {"code": "beat", "to": "beat_officer", "when": {"duty_lines": ["social"]}}
    assert "beat:when" in faults({**night, "else": "pool"}, beat, LAST)
    assert "beat:when" not in faults({**night, "else": "next"}, beat, LAST)


def test_several_rules_together_can_take_everything_and_are_named() -> None:
    edition = rules(
        {"code": "officers", "to": "beat_officer", "when": {"handled_by": ["officer"]}},
        {"code": "departments", "to": "category_department", "when": {"handled_by": ["department"]}},
        {"code": "rest", "to": "pool", "reason": "never"},
    )
    [fault] = found(edition)
    assert (fault.rule, fault.given) == (
        "rest", "conditions of which officers, departments before it take everything",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("says", "when", "gap"),
    [
        ("a class that nobody takes", {"majors": ["01"]}, "no rule that takes now:200110, now:300101"),
        ("hours that nobody takes", {"hours": ["06:00-22:00"]},
         "no rule that takes now:200110, now:100101, now:300101 at Mon 00:00 among other times"),
        ("days that nobody takes", {"working_day": True},
         "no rule that takes now:200110, now:100101, now:300101 on days off"),
        ("cases without a component", {"about_component": True, "handled_by": ["department"]},
         "no rule that takes now:100101 without a component"),
        ("words that decide", {"keywords": ["gas"]}, "no rule that takes now:200110, now:100101, now:300101"),
        ("a district alone", {"divisions": ["620102"]}, "no rule that takes now:200110, now:100101, now:300101"),
    ],
)  # fmt: skip
def test_cases_that_no_rule_takes_are_named(says: str, when: dict[str, Any], gap: str) -> None:
    said = [each.given for each in found(rules({"code": "it", "to": "beat_officer", "when": when}))]
    assert gap in said, says


def test_working_days_and_days_off_together_leave_no_gap() -> None:
    by_day = {"code": "day", "to": "beat_officer", "when": {"working_day": True}}
    off = {"code": "off", "to": "beat_officer", "when": {"working_day": False}}
    assert faults(by_day, off) == []


def test_a_category_out_of_use_leaves_no_gap() -> None:
    edition = rules({"code": "it", "to": "beat_officer", "when": {"categories": ["now:200110"]}})
    assert found(edition, (BIN, replace(COVER, active=False))) == []


def test_the_page_says_every_condition_and_every_target() -> None:
    _, conditions, targets = re.split(r"^### (?:Conditions|Targets)$", document("rules/routing.md"), flags=re.MULTILINE)
    row = re.compile(r"^\| `(\w+)` \|", re.MULTILINE)
    assert set(row.findall(conditions)) - {"when"} == {each.name for each in fields(When)}
    assert set(Target) <= set(row.findall(targets))


# --- the file ---------------------------------------------------------------------------------------------------


def test_the_example_reads_and_writes_itself() -> None:
    text = (ROOT / "docs/examples/routing/rules.toml").read_text(encoding="utf-8")
    read = read_file(text.encode())
    assert read.faults == ()
    again = read_file(written_file(read.edition).encode())
    assert (again.faults, again.edition) == ((), read.edition)
    assert [rule.code for rule in read.edition.rules][1] == "gas"


def test_what_is_no_toml_or_no_text_is_said_with_its_place() -> None:
    [no_toml] = read_file(b'name = "x"\nto = team\n').faults
    assert "line 2" in no_toml.given
    [no_text] = read_file("规则".encode("gb18030")).faults
    assert no_text.wanted == "a text file in UTF-8"


def test_quotes_and_backslashes_survive_the_file() -> None:
    edition = rules({"code": "it", "to": "pool", "reason": 'say "now" \\ or 从不'})
    assert read_file(written_file(edition).encode()).edition.rules == edition.rules
