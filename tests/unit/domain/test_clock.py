"""One clock of a case: started, warned, paused, extended, stopped."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from uuid import UUID

from gridsvc.domain.case_state import Clock
from gridsvc.domain.clock import CaseClock, go_on, pause_clock, start_clock, stop_clock
from gridsvc.domain.deadline import ClockUnit, Pause
from tests.unit.domain.sample_rules import HANDLING, SHANGHAI, category, office, rulebook

FRIDAY = datetime(2026, 3, 6, 9, 0, tzinfo=SHANGHAI)


def at(day: int, hour: int) -> datetime:
    return datetime(2026, 3, day, hour, 0, tzinfo=SHANGHAI)


def handling() -> CaseClock:
    """Four working hours from Friday at nine."""
    limit = rulebook().limit(Clock.HANDLING, category())
    return start_clock(UUID(int=1), UUID(int=2), 1, Clock.HANDLING, limit, HANDLING, FRIDAY)


def test_a_clock_starts_with_its_deadline_and_its_first_rung() -> None:
    clock = handling()
    assert (clock.state, clock.fired_level, clock.budget_seconds) == ("running", 0, 4 * 3_600)
    assert (clock.calendar, clock.edition, clock.unit) == ("city", 1, ClockUnit.WORK)
    assert clock.due_at == at(6, 15)
    assert (clock.next_level, clock.next_fire_at) == (1, at(6, 12))


def test_a_clock_of_a_desk_runs_by_nature() -> None:
    limit = rulebook().limit(Clock.POOL, category())
    night = at(7, 3)
    clock = start_clock(UUID(int=1), UUID(int=2), 1, Clock.POOL, limit, (), night)
    assert (clock.unit, clock.calendar, clock.edition) == (ClockUnit.NATURAL, None, None)
    assert clock.due_at == night + timedelta(minutes=15)
    assert (clock.next_level, clock.next_fire_at) == (None, None)


def test_after_a_downtime_each_missed_rung_is_due_in_turn() -> None:
    """The sweeper fires what is due, moves on, and looks again: 1, 2, 3, 4, each once."""
    clock, late = handling(), at(9, 18)
    fired: list[tuple[int, datetime]] = []
    while clock.next_fire_at is not None and clock.next_fire_at <= late:
        assert clock.next_level is not None
        assert len(fired) < 10, f"the ladder has no top: {fired}"
        fired.append((clock.next_level, clock.next_fire_at))
        clock = go_on(replace(clock, fired_level=clock.next_level), rulebook(), ())
    assert fired == [(1, at(6, 12)), (2, at(6, 15)), (3, at(6, 17)), (4, at(9, 9))]
    assert (clock.next_level, clock.next_fire_at) == (None, None)


def test_a_paused_clock_fires_nothing() -> None:
    paused = pause_clock(handling())
    assert (paused.state, paused.next_fire_at) == ("paused", None)


def test_a_clock_that_goes_on_has_its_pause_in_every_instant() -> None:
    resumed = go_on(pause_clock(handling()), rulebook(), [Pause(at(6, 10), at(6, 11), "suspended")])
    assert resumed.state == "running"
    assert resumed.due_at == at(6, 16)
    assert resumed.next_fire_at == at(6, 14) + timedelta(hours=1)


def test_an_extension_moves_the_deadline_and_does_not_warn_twice() -> None:
    warned = replace(handling(), fired_level=1)
    extended = go_on(replace(warned, budget_seconds=8 * 3_600), rulebook(), ())
    assert extended.due_at == at(9, 9)
    assert (extended.next_level, extended.next_fire_at) == (2, extended.due_at)


def test_a_calendar_published_meanwhile_is_taken_over_with_its_edition() -> None:
    book = rulebook(calendars={"city": office(edition=2, days={FRIDAY.date(): False})})
    moved = go_on(handling(), book, ())
    assert moved.edition == 2
    assert moved.due_at == at(9, 12)


def test_a_stopped_clock_never_fires_again_and_stopping_twice_changes_nothing() -> None:
    stopped = stop_clock(handling(), at(6, 11))
    assert (stopped.state, stopped.stopped_at) == ("stopped", at(6, 11))
    assert (stopped.next_level, stopped.next_fire_at) == (None, None)
    assert stop_clock(stopped, at(6, 12)) is stopped
