"""Whether an officer is there: switch, shift, overtime and absence, over midnight and clock changes too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from gridsvc.domain.case_state import State
from gridsvc.domain.duty import ACCOUNT_ENDED, Does, Duty, Facts, RosterRules, duty_at, on_leaving
from gridsvc.domain.shift import next_start, read_shifts, span_at

CITY = ZoneInfo("Asia/Shanghai")
BERLIN = ZoneInfo("Europe/Berlin")
RULES = RosterRules(
    ends_soon=timedelta(minutes=15),
    staffed_within=timedelta(minutes=30),
    on_leaving={
        State.ASSIGNED: Does.ROUTE,
        State.ACCEPTED: Does.ROUTE_IF_STAFFED,
        State.IN_PROGRESS: Does.STAY,
    },
)
DAY = "1-5 08:00-12:00 14:00-18:00"  # 2026-11-23 is a Monday


def at(text: str, zone: ZoneInfo = CITY) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone)


def duty(moment: str, *, shifts: str = DAY, switched: str | None = None, zone: ZoneInfo = CITY, **facts: Any) -> Duty:
    kept: dict[str, Any] = {
        "on_duty": True,
        "switched_at": None if switched is None else at(switched, zone),
        "shifts": read_shifts(shifts),
    }
    return duty_at(Facts(**(kept | facts)), RULES, at(moment, zone), zone)


@pytest.mark.parametrize(
    ("rule", "moment", "switched", "there"),
    [
        ("in his shift", "2026-11-23 09:00", "2026-11-23 08:00", True),
        ("at its very end no more", "2026-11-23 12:00", "2026-11-23 08:00", False),
        ("while the grace of the switch runs he finishes, and gets nothing", "2026-11-23 12:10", "2026-11-23 08:00",
         False),
        ("who switched on after its end works overtime", "2026-11-23 12:10", "2026-11-23 12:05", True),
        ("who comes early has switched on since the last shift", "2026-11-24 07:50", "2026-11-24 07:45", True),
        ("a switch that never moved is no overtime", "2026-11-23 12:10", None, False),
    ],
)  # fmt: skip
def test_who_is_there_by_his_shift(rule: str, moment: str, switched: str | None, there: bool) -> None:
    assert duty(moment, switched=switched).there is there, rule


def test_who_is_off_duty_is_not_there_in_the_middle_of_his_shift() -> None:
    assert not duty("2026-11-23 09:00", on_duty=False).there


def test_an_officer_without_shifts_has_only_the_switch() -> None:
    free = duty("2026-11-23 03:00", shifts="")
    assert free.there
    assert free.on_shift is None
    assert (free.leaves_soon, free.left_at) == (False, None)
    assert free.counts_from == at("2026-11-23 00:00")


def test_who_is_absent_is_not_there_and_left_when_it_began() -> None:
    away = duty(
        "2026-11-23 09:00", absent_since=at("2026-11-23 08:30"), absent_until=at("2026-11-25 00:00")
    )  # fmt: skip
    assert not away.there
    assert (away.left_at, away.left_why) == (at("2026-11-23 08:30"), "absence")


@pytest.mark.parametrize(
    ("rule", "moment", "facts", "soon"),
    [
        ("a quarter of an hour before the end", "2026-11-23 11:45", {}, True),
        ("a minute earlier not yet", "2026-11-23 11:44", {}, False),
        ("before an absence too", "2026-11-23 09:00", {"next_absence": at("2026-11-23 09:10")}, True),
        ("shifts that meet are one", "2026-11-23 11:45", {"shifts": "1 08:00-12:00 12:00-16:00"}, False),
    ],
)
def test_who_leaves_soon(rule: str, moment: str, facts: dict[str, Any], soon: bool) -> None:
    assert duty(moment, switched="2026-11-23 08:00", **facts).leaves_soon is soon, rule


@pytest.mark.parametrize(
    ("rule", "moment", "on_duty", "switched", "left"),
    [
        ("in his shift nobody has left", "2026-11-23 09:00", False, None, None),
        ("while the switch is on he finishes", "2026-11-23 18:10", True, "2026-11-23 14:00", None),
        ("switched off at the end he left then", "2026-11-23 18:20", False, "2026-11-23 18:15", "2026-11-23 18:15"),
        ("who left early left when the shift ended", "2026-11-23 18:20", False, "2026-11-23 17:00",
         "2026-11-23 18:00"),
        ("after overtime he left when he switched off", "2026-11-23 21:00", False, "2026-11-23 20:30",
         "2026-11-23 20:30"),
        ("over a long break he has left", "2026-11-23 12:20", False, "2026-11-23 12:15", "2026-11-23 12:15"),
        ("who is back within half an hour only has a break", "2026-11-23 13:40", False, "2026-11-23 12:15", None),
    ],
)  # fmt: skip
def test_when_an_officer_has_left(
    rule: str, moment: str, on_duty: bool, switched: str | None, left: str | None
) -> None:
    found = duty(moment, on_duty=on_duty, switched=switched)
    assert found.left_at == (None if left is None else at(left)), rule
    assert found.left_why == (None if left is None else "shift_end"), rule


def test_a_shift_over_midnight_began_yesterday() -> None:
    night = duty("2026-11-24 02:00", shifts="1 22:00-06:00", switched="2026-11-23 22:00")
    assert night.there
    assert night.counts_from == at("2026-11-23 22:00")
    assert night.shift_ends_at == at("2026-11-24 06:00")


def test_a_night_over_the_end_of_summer_time_is_an_hour_longer() -> None:
    """Sunday 2026-10-25 in Berlin: 03:00 becomes 02:00. At 05:44 the shift still has sixteen minutes."""
    shifts = read_shifts("6 22:00-06:00")
    before = datetime(2026, 10, 25, 4, 44, tzinfo=UTC)  # 05:44 in winter time
    facts = Facts(on_duty=True, switched_at=at("2026-10-24 22:00", BERLIN), shifts=shifts)
    assert not duty_at(facts, RULES, before, BERLIN).leaves_soon
    assert duty_at(facts, RULES, before + timedelta(minutes=1), BERLIN).leaves_soon
    assert duty_at(facts, RULES, before - timedelta(hours=6, minutes=44), BERLIN).counts_from == at(
        "2026-10-24 22:00", BERLIN
    )
    span = span_at(shifts, before, BERLIN)
    assert span is not None
    assert span[1].astimezone(UTC) - span[0].astimezone(UTC) == timedelta(hours=9)


def test_between_two_and_three_of_that_night_an_hour_is_left_that_no_wall_clock_shows() -> None:
    """02:58 in summer time, and the shift ends at 03:10 in winter time: 72 minutes, not 12."""
    facts = Facts(on_duty=True, switched_at=at("2026-10-24 22:00", BERLIN), shifts=read_shifts("6 22:00-03:10"))
    moment = datetime(2026, 10, 25, 2, 58, tzinfo=BERLIN)
    assert not duty_at(facts, RULES, moment, BERLIN).leaves_soon
    assert duty_at(facts, RULES, moment.replace(fold=1), BERLIN).leaves_soon


def test_the_next_shift_may_be_a_week_away() -> None:
    shifts = read_shifts("1 08:00-12:00")
    assert next_start(shifts, at("2026-11-23 09:00"), CITY) == at("2026-11-30 08:00")
    assert next_start((), at("2026-11-23 09:00"), CITY) is None


@pytest.mark.parametrize(
    ("rule", "state", "others", "becomes"),
    [
        ("not accepted: at once, whoever is there", State.ASSIGNED, [], Does.ROUTE),
        ("accepted, and another is there", State.ACCEPTED, [duty("2026-11-23 09:00", shifts="")], Does.ROUTE),
        ("accepted, and another comes within half an hour", State.ACCEPTED,
         [duty("2026-11-23 13:31", on_duty=False)], Does.ROUTE),
        ("accepted, and the next comes later", State.ACCEPTED, [duty("2026-11-23 13:29", on_duty=False)], Does.STAY),
        ("accepted, and the next is on leave", State.ACCEPTED,
         [duty("2026-11-23 13:45", on_duty=False, absent_since=at("2026-11-23 00:00"),
               absent_until=at("2026-11-24 00:00"))], Does.STAY),
        ("begun work stays", State.IN_PROGRESS, [duty("2026-11-23 09:00", shifts="")], Does.STAY),
    ],
)  # fmt: skip
def test_what_becomes_of_a_case_whose_officer_leaves(
    rule: str, state: State, others: list[Duty], becomes: Does
) -> None:
    assert on_leaving(RULES, state, others) is becomes, rule


def test_whose_account_has_ended_has_left_for_good_and_nothing_stays_with_him() -> None:
    gone = duty("2026-11-23 09:00", shifts="", on_duty=False, account_ended=True)
    assert (gone.left_at, gone.left_why) == (at("2026-11-23 09:00"), ACCOUNT_ENDED)
    for state in (State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS):
        assert on_leaving(RULES, state, [], gone.left_why) is Does.ROUTE
