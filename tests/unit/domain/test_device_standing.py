"""A device that registered is known until it unregisters or misses three keep-alives, and from its address alone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from gridsvc.domain.device_standing import Registration, Standing, standing_of

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
THREE = timedelta(seconds=240)
SECOND = timedelta(seconds=1)


def registered(heard_at: datetime = NOON) -> Registration:
    return Registration(at=NOON, peer="10.0.0.7", heard_at=heard_at)


def test_one_that_registered_is_known() -> None:
    assert standing_of(registered(), THREE, NOON, "10.0.0.7") is Standing.REGISTERED


def test_one_that_never_registered_or_took_its_leave_is_not() -> None:
    assert standing_of(Registration(), THREE, NOON) is Standing.NEVER
    assert standing_of(Registration(heard_at=NOON), THREE, NOON) is Standing.NEVER


def test_one_that_was_silent_for_three_keep_alives_is_not_and_at_their_very_end_it_is_still() -> None:
    assert standing_of(registered(), THREE, NOON + THREE) is Standing.REGISTERED
    assert standing_of(registered(), THREE, NOON + THREE + SECOND) is Standing.SILENT
    assert standing_of(registered(NOON + SECOND), THREE, NOON + THREE + SECOND) is Standing.REGISTERED


def test_where_the_protocol_names_no_time_it_may_be_silent_for_ever() -> None:
    assert standing_of(registered(), None, NOON + timedelta(days=900)) is Standing.REGISTERED


def test_from_another_address_it_is_not_registered() -> None:
    assert standing_of(registered(), THREE, NOON, "10.0.0.8") is Standing.ELSEWHERE
    assert standing_of(registered(), THREE, NOON) is Standing.REGISTERED, "who only looks asks from nowhere"
