"""One thing reported twice is offered as one; merged it stays in sight from both ends, and the merge can be undone."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from tests.conftest import CityClock
from tests.integration.api.conftest import Client
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import INSIDE, STEP

__all__ = ["desk"]  # the fixture

M_NORTH = 1 / 111_000
"""About one metre, in degrees of latitude."""


def at(metres_north: float) -> dict[str, Any]:
    return {"lon": INSIDE.lon, "lat": INSIDE.lat + metres_north * M_NORTH, "datum": "wgs84"}


async def filed(desk: Desk, by: Client | None = None, **changes: Any) -> dict[str, Any]:
    said = await (by or desk.officer).post("/api/v1/reports", desk.said(**changes))
    assert said.status == 201, said.body
    told: dict[str, Any] = said.body
    return told


async def move(by: Client, case: dict[str, Any], name: str, body: object = None) -> dict[str, Any]:
    said = await by.post(f"/api/v1/cases/{case['id']}/{name}", body, If_Match=f'"{case["version"]}"')
    assert said.status == 200, said.body
    told: dict[str, Any] = said.body
    return told


async def detail(by: Client, case: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = (await by.get(f"/api/v1/cases/{case['id']}")).body
    return told


async def test_the_answer_to_a_report_offers_what_it_may_be_the_same_as(desk: Desk) -> None:
    first = await filed(desk)
    assert first["duplicates"] == []
    second = await filed(desk, location=at(30))
    [offered] = second["duplicates"]
    assert (offered["id"], offered["number"]) == (first["case"]["id"], first["case"]["number"])
    assert 29 < offered["distance_m"] < 31


async def test_the_case_offers_it_too_from_both_sides(desk: Desk) -> None:
    first, second = await filed(desk), await filed(desk, location=at(-10))
    for one, other in ((first, second), (second, first)):
        [offered] = (await detail(desk.officer, one["case"]))["duplicates"]
        assert offered["id"] == other["case"]["id"]


@pytest.mark.parametrize(
    ("north", "east", "offered"), [(0, 49, 1), (0, 51, 0), (-49, 0, 1), (51, 0, 0), (35, 35, 1), (-40, 40, 0)]
)
async def test_fifty_metres_are_the_border(desk: Desk, north: float, east: float, offered: int) -> None:
    """On the ellipsoid, in every direction, whichever cell it lies in."""
    await filed(desk)
    place = {**at(north), "lon": INSIDE.lon + east / 90_150}
    assert len((await filed(desk, location=place))["duplicates"]) == offered


async def test_a_day_is_the_window(desk: Desk, city_clock: CityClock) -> None:
    first = await filed(desk)
    await city_clock.forward(timedelta(hours=23))
    assert [each["id"] for each in (await filed(desk))["duplicates"]] == [first["case"]["id"]]
    await city_clock.forward(timedelta(hours=2))
    assert first["case"]["id"] not in [each["id"] for each in (await filed(desk))["duplicates"]]


async def test_a_category_has_its_own_radius_and_window(desk: Desk, city_clock: CityClock) -> None:
    await desk.api.pool.execute("UPDATE categories SET duplicate_radius_m = 20, duplicate_window_h = 1")
    first = await filed(desk)
    assert [each["id"] for each in (await filed(desk, location=at(19)))["duplicates"]] == [first["case"]["id"]]
    assert (await filed(desk, location=at(-21)))["duplicates"] == []
    await city_clock.forward(timedelta(minutes=61))
    assert (await filed(desk, location=at(10)))["duplicates"] == []


async def test_another_category_is_another_thing(desk: Desk) -> None:
    await filed(desk)
    assert (await filed(desk, category="300301"))["duplicates"] == []


async def test_what_was_called_off_is_not_offered(desk: Desk) -> None:
    first = await filed(desk)
    await move(desk.dispatcher, first["case"], "cancel", {"reason_code": "mistake"})
    assert (await filed(desk))["duplicates"] == []


async def test_nobody_is_offered_what_he_may_not_see(desk: Desk) -> None:
    await filed(desk)
    stranger = await desk.api.somebody(Grant(role=Role.DISPATCHER, division="620103"))
    assert (await filed(desk, stranger))["duplicates"] == []


async def test_without_a_place_it_is_like_no_other(desk: Desk) -> None:
    await filed(desk)
    placeless = await filed(desk, desk.acceptor, location=None, address="张掖路 12 号")
    assert placeless["duplicates"] == []


async def test_one_thing_reported_twenty_times_across_a_border_ends_with_one_owner(desk: Desk) -> None:
    """±15 m around the border of two cells: nineteen are merged into the first, and every report is kept."""
    border = INSIDE.lon + STEP / 2
    places = [{"lon": border + (n - 10) * 15 / 10 / 90_150, "lat": INSIDE.lat, "datum": "wgs84"} for n in range(20)]
    told = await asyncio.gather(*(filed(desk, location=place) for place in places))
    assert len({each["case"]["cell"] for each in told}) == 2
    main = min(told, key=lambda each: each["case"]["id"])["case"]
    for each in told:
        if each["case"]["id"] != main["id"]:
            await move(desk.acceptor, each["case"], "merge", {"into": main["id"]})
    seen = await detail(desk.acceptor, main)
    assert (len(seen["merged"]), len(seen["reports"]), seen["duplicates"]) == (19, 20, [])
    assert {each["case"] for each in seen["reports"]} == {each["case"]["id"] for each in told}
    still_open = (await desk.acceptor.get("/api/v1/cases?state=filed")).body["items"]
    assert [case["id"] for case in still_open] == [main["id"]]


async def test_a_merge_keeps_the_sender_and_shows_from_both_ends(desk: Desk) -> None:
    first = await filed(desk, desk.acceptor, reporter={"name": "王先生", "phone": "13800000000"})
    second = await filed(desk, desk.acceptor, reporter={"name": "李女士", "phone": "13900000000"})
    merged = await move(desk.acceptor, second["case"], "merge", {"into": first["case"]["id"]})
    main = await detail(desk.acceptor, first["case"])
    assert [(each["id"], each["merged_into"]) for each in main["merged"]] == [(merged["id"], first["case"]["id"])]
    assert [each["has_reporter"] for each in main["reports"]] == [True, True]
    other = await detail(desk.acceptor, merged)
    assert (other["main"]["id"], other["case"]["merged_into"]) == (first["case"]["id"], first["case"]["id"])
    assert [each["id"] for each in other["reports"]] == [second["id"]]


async def test_what_was_merged_into_a_merged_case_is_found_at_the_last(desk: Desk) -> None:
    one, two, three = [(await filed(desk))["case"] for _ in range(3)]
    await move(desk.acceptor, one, "merge", {"into": two["id"]})
    await move(desk.acceptor, two, "merge", {"into": three["id"]})
    assert (await detail(desk.acceptor, one))["main"]["id"] == three["id"]
    assert [each["id"] for each in (await detail(desk.acceptor, three))["merged"]] == [two["id"], one["id"]]
    assert len((await detail(desk.acceptor, three))["reports"]) == 3


async def test_a_merge_undone_gives_every_report_back_to_its_case(desk: Desk) -> None:
    first, second = (await filed(desk))["case"], (await filed(desk))["case"]
    merged = await move(desk.acceptor, second, "merge", {"into": first["id"]})
    await move(desk.acceptor, merged, "unmerge", {"reason": "两处"})
    main = await detail(desk.acceptor, first)
    assert (main["merged"], len(main["reports"])) == ([], 1)
    assert [each["id"] for each in main["duplicates"]] == [second["id"]], "still near, still offered"
    async with transaction(desk.api.pool) as (conn, _):
        assert await conn.fetchval("SELECT merged_into FROM cases WHERE id = $1", UUID(second["id"])) is None
