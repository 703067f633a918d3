"""How a notice goes on where nobody acknowledges it."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest

from events.catalog import CATALOG
from gridsvc.domain.ladder_file import SEVERITIES
from gridsvc.domain.notice_file import read_notice_rules, write_notice_rules
from gridsvc.domain.reaching import (
    DEAD_AFTER,
    MOST_TRIES,
    Channel,
    Next,
    Reach,
    again_at,
    faults_of_reach,
    faults_of_template,
    fields_of,
    masked,
    next_channel,
    rendered,
    rests_until,
)

NOW: Final = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
SMS: Final = Channel(code="sms", place=1)
WECOM: Final = Channel(code="wecom", place=2)
RESTING: Final = Channel(code="sms", place=1, rests_until=NOW + timedelta(seconds=1))


@pytest.mark.parametrize(
    ("channels", "last", "said", "expected"),
    [
        ([WECOM, SMS], 0, {}, SMS),
        ([WECOM, SMS], 1, {}, WECOM),
        ([WECOM, SMS], 2, {}, Next.NOT_REACHED),
        ([], 0, {}, Next.NOT_REACHED),
        ([WECOM, RESTING], 0, {}, WECOM),
        ([RESTING], 0, {}, Next.NOT_REACHED),
        ([Channel(code="sms", place=1, rests_until=NOW)], 0, {}, Channel(code="sms", place=1, rests_until=NOW)),
        ([SMS], 0, {"acknowledged": True}, Next.REACHED),
        ([SMS], 0, {"over": True}, Next.OVER),
        ([SMS], 1, {"acknowledged": True, "over": True}, Next.REACHED),
    ],
    ids=["the first", "the next", "no more", "none at all", "one that rests is passed over", "only one that rests",
         "rested", "acknowledged", "its case is over", "acknowledged counts first"],
)  # fmt: skip
def test_where_a_notice_goes_next(
    channels: list[Channel], last: int, said: dict[str, bool], expected: Channel | Next
) -> None:
    assert next_channel(channels, last, NOW, **{"acknowledged": False, "over": False} | said) == expected


def test_a_channel_is_tried_again_after_5_15_and_45_seconds_and_then_no_more() -> None:
    waits = [again_at(tries, NOW) for tries in range(1, MOST_TRIES + 1)]
    assert [None if at is None else (at - NOW).total_seconds() for at in waits] == [5, 15, 45, None]


def test_a_channel_rests_after_five_failures_in_a_row() -> None:
    assert rests_until(DEAD_AFTER - 1, NOW) is None
    assert rests_until(DEAD_AFTER, NOW) == NOW + timedelta(minutes=2)


def test_no_value_breaks_out_of_the_text_it_stands_in() -> None:
    nasty = '13800000000", "admin": true, "x": "{text}'
    fields = fields_of("case.assigned", {"number": "620102-20261123-0001"}, "n1", nasty)
    made = rendered(json.loads('{"to": ["{address}"], "content": "[{number}] {text}", "retries": 3}'), fields)
    assert isinstance(made, dict)
    assert made["to"] == [nasty.replace("{text}", fields["text"])]
    assert made["content"].startswith("[620102-20261123-0001] 网格化平台：")
    assert made["retries"] == 3
    assert "admin" not in made


def test_what_is_told_outside_is_that_something_waits_and_no_word_of_a_resident_or_a_place() -> None:
    body = {"number": None, "severity": "high", "description": "张三家门口", "cell": "620102001001001"}
    told = fields_of("case.assigned", body, "n1", "13800000000")
    assert not any("张三" in value or "620102001001001" in value for value in told.values())
    assert told["text"] == "网格化平台：您有一条未确认的通知，请打开应用查看。"


@pytest.mark.parametrize(
    ("address", "shown"), [("13812345678", "138******78"), ("1234567", "*******"), ("", "")]
)
def test_an_address_is_shown_by_its_ends(address: str, shown: str) -> None:
    assert masked(address) == shown


@pytest.mark.parametrize(
    ("written", "good"),
    [('{"to": "{address}"}', True), ('{"to": "me"}', False), ('["{address}"]', False), ("to={address}", False)],
)
def test_a_template_is_an_object_that_names_the_address(written: str, good: bool) -> None:
    assert (faults_of_template(written) == []) is good


@pytest.mark.parametrize(
    "told",
    [
        {"kind": ["case.assigned"]}, {"kinds": ["case.eaten"]}, {"kinds": "case.assigned"}, {"severities": ["grave"]},
        {"urgent": "yes"}, {"after_s": 9}, {"after_s": 86_401}, {"after_s": True}, {"after_s": 60.5},
    ],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(told: dict[str, Any]) -> None:
    assert len(faults_of_reach(told, SEVERITIES, frozenset(CATALOG))) == 1


def test_rules_of_a_file_come_back_as_they_were() -> None:
    written = '[[reach]]\nurgent = true\nafter_s = 30\n[[reach]]\nkinds = ["case.assigned"]\nseverities = ["high"]\n'
    rules, defaults, faults = read_notice_rules("notices.toml", written.encode(), ())
    assert faults == ()
    assert rules.reach == (Reach(urgent=True, after_s=30), Reach(kinds=("case.assigned",), severities=("high",)))
    assert read_notice_rules("again.toml", write_notice_rules(rules, defaults).encode(), ())[0] == rules
