"""The rules of pictures of cameras (docs/cameras/pictures.md): which are taken in, from where, and for how long."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gridsvc.domain.camera_picture import (
    FOR_EVER,
    Dropped,
    Host,
    Keeping,
    Kind,
    Limits,
    Refusal,
    Room,
    Standing,
    ask_again_at,
    look_again_at,
    may_connect,
    on_list,
    take_in,
    whole_url,
)

NOW = datetime(2026, 11, 26, 8, tzinfo=UTC)
LIMITS = Limits(of_event=2, of_hour=3, waiting_bytes=100)

VMS = Host(code="vms", scheme="https", host="vms.example", port=443, path_prefix="/pictures")
FRIGATE = Host(
    code="frigate", scheme="http", host="10.0.0.9", port=5000, path_prefix="/api/", networks=["10.0.0.0/24"],
    cameras=["c1"],
)  # fmt: skip


# -- which are taken in ------------------------------------------------------------------------------


def test_an_event_keeps_its_first_pictures_and_the_rest_is_counted() -> None:
    room = Room(taken={}, waiting_bytes=0)
    assert take_in("c1", [10, 10, 10], room, LIMITS) == [None, None, Dropped.OF_EVENT]
    assert (room.taken, room.waiting_bytes) == ({"c1": 2}, 20)


def test_a_camera_that_storms_fills_its_hour_and_nobody_elses() -> None:
    room = Room(taken={"c1": 2}, waiting_bytes=0)
    assert take_in("c1", [1, 1], room, LIMITS) == [None, Dropped.OF_HOUR]
    assert take_in("c2", [1], room, LIMITS) == [None]


def test_what_waits_fills_no_disk_and_a_smaller_one_still_fits() -> None:
    room = Room(taken={}, waiting_bytes=60)
    assert take_in("c1", [41, 40], room, LIMITS) == [Dropped.WAITING, None]


def test_an_address_that_nobody_may_ask_takes_no_room() -> None:
    room = Room(taken={}, waiting_bytes=0)
    assert take_in("c1", [None, 0, 0], room, LIMITS) == [Dropped.NOT_LISTED, None, None]


# -- from where --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    [
        "https://vms.example/pictures/1.jpg",
        "https://vms.example:443/pictures/1.jpg?size=2",
        "https://VMS.example/pictures",
    ],
)
def test_an_address_below_the_prefix_of_a_host_is_on_the_list(url: str) -> None:
    assert on_list(url, [FRIGATE, VMS]) == VMS


@pytest.mark.parametrize(
    "url",
    [
        "http://vms.example/pictures/1.jpg",
        "https://vms.example:8443/pictures/1.jpg",
        "https://vms.example.evil.example/pictures/1.jpg",
        "https://vms.example@evil.example/pictures/1.jpg",
        "https://user:word@vms.example/pictures/1.jpg",
        "https://vms.example/picturesque/1.jpg",
        "https://vms.example/pictures/../admin",
        "https://vms.example/pictures/%2e%2e/admin",
        "https://vms.example/pictures/%252e%252e/admin",
        "https://vms.example/pictures/..\\admin",
        "https://vms.example/pictures/a b",
        "https://vms.example/pictures/\r\nHost: evil.example",
        "https://vms.example:nought/pictures/1.jpg",
        "https://[::1/pictures/1.jpg",
        "ftp://vms.example/pictures/1.jpg",
        "file:///etc/passwd",
        "//vms.example/pictures/1.jpg",
        "rtsp://vms.example/pictures/1",
        "",
    ],
)
def test_nothing_else_is(url: str) -> None:
    assert on_list(url, [FRIGATE, VMS]) is None


def test_an_address_without_a_host_is_of_the_host_that_names_the_camera() -> None:
    told = "/api/events/1/snapshot.jpg"
    assert whole_url(told, "c1", [VMS, FRIGATE]) == (f"http://10.0.0.9:5000{told}", FRIGATE)
    assert whole_url(told, "c2", [VMS, FRIGATE]) is None
    assert whole_url("/admin", "c1", [VMS, FRIGATE]) is None
    assert whole_url("//evil.example/api/", "c1", [VMS, FRIGATE]) is None


def test_the_longer_prefix_counts() -> None:
    inner = Host(code="inner", scheme="https", host="vms.example", port=443, path_prefix="/pictures/inner")
    assert on_list("https://vms.example/pictures/inner/1", [VMS, inner]) == inner


@pytest.mark.parametrize(
    ("address", "may"),
    [
        ("93.184.216.34", True), ("2606:2800:220:1::1", True),
        ("127.0.0.1", False), ("10.0.0.9", False), ("192.168.1.1", False), ("169.254.169.254", False),
        ("100.64.0.1", False), ("0.1.2.3", False), ("224.0.0.1", False), ("::1", False), ("fe80::1%eth0", False),
        ("::ffff:127.0.0.1", False), ("::ffff:93.184.216.34", True), ("64:ff9b::7f00:1", False),
        ("2002:7f00:1::", False),
        ("not an address", False),
    ],
)  # fmt: skip
def test_a_name_stands_for_public_addresses_alone(address: str, may: bool) -> None:
    assert may_connect(address, VMS) is may


def test_or_for_those_of_its_networks() -> None:
    assert may_connect("10.0.0.77", FRIGATE)
    assert may_connect("::ffff:10.0.0.77", FRIGATE)
    assert not may_connect("10.0.1.77", FRIGATE)


# -- again -------------------------------------------------------------------------------------------


def test_what_is_away_is_asked_for_ever_less_often_and_not_for_ever() -> None:
    waits = [ask_again_at(tried, 5, Refusal.UNREACHABLE, NOW) for tried in range(1, 6)]
    assert [wait and wait - NOW for wait in waits] == [
        timedelta(seconds=15), timedelta(seconds=60), timedelta(seconds=240), timedelta(seconds=960), None,
    ]  # fmt: skip


@pytest.mark.parametrize("why", sorted(FOR_EVER))
def test_what_asking_again_does_not_change_is_not_asked_again(why: Refusal) -> None:
    assert ask_again_at(1, 5, why, NOW) is None


# -- until when --------------------------------------------------------------------------------------

KEEPING = Keeping({Kind.OPEN: 100, Kind.CLOSED: 50, Kind.FALSE: 7, Kind.NOTHING: 3, Kind.LOOK: 30})


def came(days_ago: float, **what: object) -> Standing:
    return Standing(received_at=NOW - timedelta(days=days_ago), **what)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("standing", "kind"),
    [
        (came(3), Kind.NOTHING),
        (came(99, case_over=False), None),
        (came(100, case_over=False), Kind.OPEN),
        (came(99, case_over=True, case_over_at=NOW - timedelta(days=50)), Kind.CLOSED),
        (came(99, case_over=True, case_over_at=NOW - timedelta(days=49)), None),
        (came(99, reviewed=True), None),
        (came(99, reviewed=True, verdict="false", verdict_at=NOW - timedelta(days=7)), Kind.FALSE),
        (came(99, reviewed=True, verdict="duplicate", verdict_at=NOW - timedelta(days=6)), None),
        (came(2, reviewed=True, verdict="real", verdict_at=NOW), None),
        (came(3, reviewed=True, verdict="real", verdict_at=NOW), Kind.NOTHING),
        (came(30, look=True), Kind.LOOK),
        (came(29.9, look=True), None),
    ],
)
def test_a_picture_is_kept_by_what_it_hangs_on(standing: Standing, kind: Kind | None) -> None:
    answer = look_again_at(standing, KEEPING, NOW)
    assert (answer if isinstance(answer, Kind) else None) == kind


def test_what_stays_is_looked_at_when_its_time_comes_and_at_the_latest_in_a_day() -> None:
    assert look_again_at(came(2.5), KEEPING, NOW) == NOW + timedelta(days=0.5)
    assert look_again_at(came(0), KEEPING, NOW) == NOW + timedelta(days=1)
