"""A power cut is one notice for each street and minute, and names every camera."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from events.catalog import CameraOffline, CameraOnline
from gridsvc.domain.camera_notice import notice_of, together

EIGHT = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
DARK = CameraOffline(
    event_id=UUID(int=1), at=EIGHT, camera="b", protocol="onvif", department="traffic",
    divisions=("620100", "620102", "620102001", "620102001001"), heard_at=EIGHT - timedelta(minutes=4),
)  # fmt: skip


def test_one_department_street_and_minute_is_one_notice() -> None:
    next_door = (*DARK.divisions[:3], "620102001002")
    neighbour = replace(DARK, camera="a", divisions=next_door, at=EIGHT.replace(second=59))
    assert together(neighbour) == together(DARK)
    assert together(neighbour).event_id == together(DARK).event_id
    assert together(DARK).area == "620102001"


def test_what_lies_elsewhere_or_comes_later_or_is_others_business_is_another() -> None:
    back = CameraOnline(
        event_id=UUID(int=2), at=EIGHT, camera="b", protocol="onvif", department="traffic", divisions=DARK.divisions,
        offline_since=EIGHT,
    )  # fmt: skip
    others = [
        replace(DARK, divisions=(*DARK.divisions[:2], "620102002", "620102002001")),
        replace(DARK, at=EIGHT + timedelta(minutes=1)), replace(DARK, department="water"), back,
    ]  # fmt: skip
    assert len({together(each).event_id for each in (DARK, *others)}) == 5


def test_it_names_each_camera_once_and_when_it_was_heard() -> None:
    told = notice_of([DARK, replace(DARK, camera="a"), DARK])
    heard = "2026-11-26T07:56:00+00:00"
    assert told["cameras"] == [{"camera": "a", "heard_at": heard}, {"camera": "b", "heard_at": heard}]
    assert (told["camera"], told["area"]) == ("a", "620102001")


def test_a_camera_of_a_city_without_streets_has_the_area_that_there_is() -> None:
    assert together(replace(DARK, divisions=("620102",))).area == "620102"
    assert together(replace(DARK, divisions=())).area == ""
