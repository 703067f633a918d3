"""When a notice rings: at once, gathered with others, or after quiet hours."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gridsvc.domain.notice import (
    WORST,
    Hours,
    Listener,
    NoticeRules,
    Way,
    grown,
    may_be_gathered,
    quiet_until,
    rings_again,
    ways,
)
from tests.unit.domain.sample_rules import SHANGHAI

RULES = NoticeRules()
NIGHT = Hours(time(22), time(7))
LUNCH = Hours(time(12), time(14))
NOON = datetime(2026, 3, 6, 12, 30, tzinfo=SHANGHAI)
MIDNIGHT = datetime(2026, 3, 7, 0, 0, tzinfo=SHANGHAI)
BERLIN = ZoneInfo("Europe/Berlin")


def somebody(**said: Any) -> Listener:
    return Listener(user_id=UUID(int=1), **said)


def rung(severity: str = "normal", effect: str = "climb", **said: Any) -> tuple[str, dict[str, Any]]:
    return "case.escalated", {"severity": severity, "effect": effect, "at": NOON.isoformat(), **said}


def assignment(severity: str = "normal") -> tuple[str, dict[str, Any]]:
    return "case.assigned", {"severity": severity, "at": NOON.isoformat()}


def way(message: tuple[str, dict[str, Any]], who: Listener, at: datetime, rules: NoticeRules = RULES) -> Way:
    [found] = ways([message], who, rules, SHANGHAI, at)
    return found


# --- quiet hours --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("at", "end"),
    [
        ("2026-03-06 21:59", None),
        ("2026-03-06 22:00", "2026-03-07 07:00"),
        ("2026-03-07 00:00", "2026-03-07 07:00"),
        ("2026-03-07 06:59", "2026-03-07 07:00"),
        ("2026-03-07 07:00", None),
    ],
)
def test_quiet_hours_go_over_midnight_and_end_when_they_end(at: str, end: str | None) -> None:
    now = datetime.fromisoformat(at).replace(tzinfo=SHANGHAI)
    wanted = None if end is None else datetime.fromisoformat(end).replace(tzinfo=SHANGHAI)
    assert quiet_until(somebody(has_own=True, own=NIGHT), SHANGHAI, now) == wanted


def test_quiet_hours_that_end_in_the_hour_that_summer_time_skips_end_when_the_clocks_go_forward() -> None:
    who = somebody(has_own=True, own=Hours(time(22), time(2, 30)))
    evening = datetime(2026, 3, 28, 23, 0, tzinfo=BERLIN)
    end = quiet_until(who, BERLIN, evening)
    assert end is not None
    assert (end - evening, end.astimezone(BERLIN).hour) == (timedelta(hours=3, minutes=30), 3)


def test_quiet_hours_that_end_in_the_hour_that_comes_twice_end_at_the_next_one() -> None:
    who = somebody(has_own=True, own=Hours(time(22), time(2, 30)))
    first = datetime(2026, 10, 25, 0, 15, tzinfo=UTC)  # 02:15 summer time
    again = datetime(2026, 10, 25, 1, 15, tzinfo=UTC)  # 02:15 winter time
    assert quiet_until(who, BERLIN, first) == first + timedelta(minutes=15)
    assert quiet_until(who, BERLIN, again) == again + timedelta(minutes=15)


@given(since=st.times(), until=st.times(), minutes=st.integers(0, 2 * 365 * 24 * 60))
def test_quiet_hours_always_end_within_a_day_and_an_hour(since: time, until: time, minutes: int) -> None:
    now = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=minutes)
    end = quiet_until(somebody(has_own=True, own=Hours(since, until)), BERLIN, now)
    assert end is None or now < end <= now + timedelta(hours=25)


def test_own_hours_count_before_the_citys_and_may_be_none() -> None:
    assert quiet_until(somebody(by_grant=(NIGHT,)), SHANGHAI, MIDNIGHT) is not None
    assert quiet_until(somebody(by_grant=(NIGHT,), has_own=True), SHANGHAI, MIDNIGHT) is None
    assert quiet_until(somebody(by_grant=(NIGHT,), has_own=True, own=LUNCH), SHANGHAI, MIDNIGHT) is None


def test_who_has_two_roles_is_quiet_when_both_are_and_until_the_first_is_not() -> None:
    early = Hours(time(21), time(5))
    assert quiet_until(somebody(by_grant=(NIGHT, None)), SHANGHAI, MIDNIGHT) is None
    assert quiet_until(somebody(by_grant=(NIGHT, early)), SHANGHAI, MIDNIGHT) == MIDNIGHT + timedelta(hours=5)
    assert quiet_until(somebody(by_grant=()), SHANGHAI, MIDNIGHT) is None


def test_who_is_on_duty_is_not_quiet() -> None:
    sleeping = somebody(has_own=True, own=NIGHT)
    assert way(assignment(), sleeping, MIDNIGHT) is Way.HOLD
    assert way(assignment(), somebody(has_own=True, own=NIGHT, on_duty=True), MIDNIGHT) is Way.RING


def test_what_is_urgent_rings_at_night_and_a_city_may_let_overdue_rungs_ring_too() -> None:
    sleeping = somebody(has_own=True, own=NIGHT)
    for severity, wanted in (("low", Way.HOLD), ("normal", Way.HOLD), ("high", Way.RING), ("emergency", Way.RING)):
        assert way(assignment(severity), sleeping, MIDNIGHT) is wanted
    assert way(("case.called", {"urgent": True}), sleeping, MIDNIGHT) is Way.RING
    strict = NoticeRules(loud_effects=frozenset({"overdue", "climb"}))
    assert way(rung(effect="climb"), sleeping, MIDNIGHT) is Way.HOLD
    assert way(rung(effect="climb"), sleeping, MIDNIGHT, strict) is Way.RING
    assert way(rung(effect="warning"), sleeping, MIDNIGHT, strict) is Way.HOLD


# --- digests ------------------------------------------------------------------------------------------


def test_the_tenth_within_the_window_rings_and_the_eleventh_is_gathered() -> None:
    assert way(rung(), somebody(recent=9), NOON) is Way.RING
    assert way(rung(), somebody(recent=10), NOON) is Way.GATHER


def test_more_than_the_most_at_once_are_gathered_whole() -> None:
    assert ways([rung()] * 10, somebody(), RULES, SHANGHAI, NOON) == [Way.RING] * 10
    assert ways([rung()] * 11, somebody(), RULES, SHANGHAI, NOON) == [Way.GATHER] * 11


def test_only_rungs_and_reminders_are_gathered_and_no_emergency_is() -> None:
    storm = [*[rung()] * 11, rung("emergency"), assignment()]
    assert ways(storm, somebody(recent=50), RULES, SHANGHAI, NOON)[11:] == [Way.RING, Way.RING]
    assert may_be_gathered(*rung("high"), RULES)
    assert not may_be_gathered(*rung("high"), NoticeRules(undigested_severities=frozenset({"emergency", "high"})))


def test_a_digest_counts_by_kind_oldest_first_and_names_the_worst() -> None:
    def at(minute: int) -> str:
        return (NOON + timedelta(minutes=minute)).astimezone(UTC).isoformat()

    first = grown({}, [rung(effect="overdue", at=at(5), level=2, late_by_s=9.0, number="A")], rings=True)
    second = grown(
        first,
        [
            rung(effect="climb", at=at(1), level=3, late_by_s=1.0, number="B"),
            rung("high", effect="overdue", at=at(3), level=1, number="C"),
            ("case.reminded", {"severity": "low", "at": at(2)}),
            *[rung("low", at=at(6), number="D")] * 9,
        ],
        rings=False,
    )
    assert (first["count"], first["rings"], second["count"], second["rings"]) == (1, True, 13, False)
    assert [(each["kind"], each["effect"], each["count"]) for each in second["by_kind"]] == [
        ("case.escalated", "climb", 10), ("case.reminded", None, 1), ("case.escalated", "overdue", 2),
    ]  # fmt: skip
    assert second["by_kind"][2]["oldest_at"] == at(3)
    assert [each["number"] for each in second["worst"]] == ["C", "B", "A", None, "D"], "equals as they came"
    assert len(second["worst"]) == WORST


@given(cuts=st.lists(st.integers(0, 30), max_size=5), levels=st.lists(st.integers(1, 9), min_size=30, max_size=30))
def test_a_digest_says_the_same_however_its_items_came(cuts: list[int], levels: list[int]) -> None:
    items = [rung(level=level, number=str(n), late_by_s=float(n)) for n, level in enumerate(levels)]
    body: dict[str, Any] = {}
    edges = [0, *sorted(cuts), len(items)]
    for begin, end in pairwise(edges):
        body = grown(body, items[begin:end], rings=False)
    assert body == grown({}, items, rings=False)


def test_a_digest_that_grows_rings_again_only_after_a_whole_quiet_window() -> None:
    assert not rings_again(NOON, RULES, NOON + timedelta(minutes=10))
    assert rings_again(NOON, RULES, NOON + timedelta(minutes=10, seconds=1))
