"""Who is told what of the live feed."""

from __future__ import annotations

from uuid import UUID

import pytest

from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.live import Interest, Told, View, told, watch_keys

NORTH, SOUTH, CELL = "620102", "620103", "620102001001001"


def caller(*grants: Grant) -> Caller:
    return Caller(id="user:x", user_id=UUID(int=1), grants=grants)


def test_the_desk_sees_cases_officers_cameras_and_reviews_of_its_division() -> None:
    keys = watch_keys(caller(Grant(role=Role.DISPATCHER, division=NORTH)))
    assert keys == {"user:x", NORTH, f"cameras@{NORTH}", f"officers@{NORTH}", f"reviews@{NORTH}"}


def test_a_desk_of_one_duty_line_sees_the_officers_of_the_line() -> None:
    keys = watch_keys(caller(Grant(role=Role.SUPERVISOR, division=NORTH, duty_line="social")))
    assert f"officers@{NORTH}/line:social" in keys
    assert f"officers@{NORTH}" not in keys
    assert f"reviews@{NORTH}/line:social" in keys
    assert f"reviews@{NORTH}" not in keys


@pytest.mark.parametrize("role", [Role.OFFICER, Role.HANDLER])
def test_whoever_may_not_list_officers_is_not_told_where_they_are(role: Role) -> None:
    keys = watch_keys(caller(Grant(role=role, division=NORTH, duty_line="social")))
    assert not any(key.startswith(("officers@", "reviews@")) for key in keys)
    assert f"cameras@{NORTH}" in keys


def test_a_department_has_no_officers() -> None:
    keys = watch_keys(caller(Grant(role=Role.DISPATCHER, division=NORTH, department="water")))
    assert not any(key.startswith("officers@") for key in keys)


EVERYTHING, OF_THE_CELL = Interest(), Interest(cells=frozenset({CELL}))


@pytest.mark.parametrize(
    ("keys", "areas", "was_keys", "was_areas", "interest", "hears"),
    [
        ([NORTH], [NORTH], [], [], EVERYTHING, Told.AS_IT_IS),
        ([SOUTH], [SOUTH], [], [], EVERYTHING, Told.NOTHING),
        ([SOUTH], [SOUTH], [NORTH], [NORTH], EVERYTHING, Told.GONE),  # it has moved out of his division
        ([], [], [NORTH], [NORTH], EVERYTHING, Told.GONE),  # it is there no more
        ([NORTH], [NORTH, CELL], [], [], OF_THE_CELL, Told.AS_IT_IS),
        ([NORTH], [NORTH, "other"], [], [], OF_THE_CELL, Told.NOTHING),
        ([NORTH], [NORTH, "other"], [NORTH], [NORTH, CELL], OF_THE_CELL, Told.GONE),  # out of what he asked for
        ([SOUTH], [SOUTH], [SOUTH], [SOUTH, CELL], OF_THE_CELL, Told.NOTHING),  # asking opens nothing
        ([NORTH], [], [], [], OF_THE_CELL, Told.AS_IT_IS),  # an officer lies in no cell
    ],
)
def test_what_a_watcher_hears(
    keys: list[str], areas: list[str], was_keys: list[str], was_areas: list[str], interest: Interest, hears: Told
) -> None:
    assert told(View(frozenset({NORTH}), interest), keys, areas, was_keys, was_areas) is hears


@pytest.mark.parametrize(
    ("now", "before", "nothing_is_missing"),
    [
        (EVERYTHING, EVERYTHING, True),
        (OF_THE_CELL, EVERYTHING, True),
        (EVERYTHING, OF_THE_CELL, False),
        (OF_THE_CELL, OF_THE_CELL, True),
        (Interest(cells=frozenset({CELL, "other"})), OF_THE_CELL, False),
        (Interest(divisions=frozenset({NORTH})), OF_THE_CELL, False),
    ],
)
def test_whoever_asks_for_less_misses_nothing(now: Interest, before: Interest, nothing_is_missing: bool) -> None:
    assert now.within(before) is nothing_is_missing
