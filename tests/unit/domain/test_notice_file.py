"""A file of the rules of ringing: what it may say, and every fault of it in one answer."""

from __future__ import annotations

import re
from datetime import time, timedelta

import pytest

from gridsvc.domain.notice import Hours, NoticeRules
from gridsvc.domain.notice_file import QuietDefault, read_notice_rules, write_notice_rules
from tests.house.source import document

DIVISIONS = {"620100", "620102"}


def test_the_example_of_the_page_is_read_and_written_again() -> None:
    [example] = re.findall(r"```toml\n(.*?)```", document("rules/notices.md"), re.DOTALL)
    rules, defaults, faults = read_notice_rules("x", example.encode(), DIVISIONS)
    assert faults == ()
    assert rules == NoticeRules(loud_effects=frozenset({"climb"}))
    assert defaults[1] == QuietDefault(role="supervisor", division="620102", hours=Hours(time(23), time(6)))
    assert read_notice_rules("x", write_notice_rules(rules, defaults).encode(), DIVISIONS) == (rules, defaults, ())


def test_what_a_file_leaves_out_is_as_a_new_city_has_it() -> None:
    rules, defaults, faults = read_notice_rules("x", b"digest_window_s = 60", ())
    assert (rules, defaults, faults) == (NoticeRules(digest_window=timedelta(minutes=1)), (), ())


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("digest_most = 0", "digest_most"),
        ("digest_window_s = 5", "digest_window_s"),
        ("undigested_severities = []", "undigested_severities"),
        ('loud_severities = ["high"]', "loud_severities"),
        ('loud_effects = ["jump"]', "loud_effects"),
        ("quiet = 3", "quiet"),
        ("most = 3", "file"),
        ("digest_most", "file"),
        ('[[quiet]]\nrole = "mayor"\nfrom = "22:00"\nuntil = "07:00"', "quiet 1, role"),
        ('[[quiet]]\nrole = "admin"\ndivision = "1"\nfrom = "22:00"\nuntil = "07:00"', "quiet 1, division"),
        ('[[quiet]]\nrole = "admin"\nfrom = "25:00"\nuntil = "07:00"', "quiet 1, from"),
        ('[[quiet]]\nrole = "admin"\nfrom = "07:00"\nuntil = "07:00"', "quiet 1, until"),
        ('[[quiet]]\nrole = "admin"\nfrom = "07:00"', "quiet 1, until"),
        ('[[quiet]]\nrole = "admin"\nfrom = "22:00"\nuntil = "07:00"\nx = 1', "quiet 1"),
        (2 * '[[quiet]]\nrole = "admin"\nfrom = "22:00"\nuntil = "07:00"\n', "quiet 2"),
    ],
)
def test_a_fault_is_named_with_its_place(text: str, field: str) -> None:
    _, _, faults = read_notice_rules("x", text.encode(), DIVISIONS)
    assert [fault.field for fault in faults] == [field]
