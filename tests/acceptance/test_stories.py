"""What people live through, on the real thing: web, workers, PostgreSQL and RabbitMQ as processes of their own."""

from __future__ import annotations

import asyncio
import io
from collections import Counter
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any
from uuid import uuid4

from PIL import Image

from bench.town import desk, officer
from gridsvc.domain.access import Role
from gridsvc.local.service_client import Login
from tests.acceptance.running_city import RunningCity, Told
from tests.integration.patiently import until

STREET = "620102001"
COMMUNITY = "620102001001"
OTHER_STREET = "620103001"
CHARGED_INDOORS = "300303"  # four urgent hours, handled by the officer


async def file_in_the_first_community(city: RunningCity, category: str = CHARGED_INDOORS) -> Told:
    here = next(cell.outline.centroid for cell in city.town.land.cells if cell.division == COMMUNITY)
    reporter = await city.person(officer(COMMUNITY, "city", 1))
    return await city.report(reporter, category, lon=here.x, lat=here.y)


async def owner_of(city: RunningCity, told: Told) -> tuple[Login, dict[str, Any]]:
    """The officer whose case it has become, and the case."""
    supervisor = await city.person(desk(Role.SUPERVISOR, "620100"))

    async def assigned() -> dict[str, Any] | None:
        case = await city.case(supervisor, told.case_id)
        return case if case["officer"] else None

    case = await until(assigned, what="an owner")
    assert case is not None
    return await city.who_is(case["officer"]), case


async def kinds_about(city: RunningCity, username: str, told: Told) -> list[str]:
    """What waits for somebody about this case: effects of rungs, kinds of the others."""
    items = await city.notices(await city.person(username))
    return [item["body"].get("effect", item["kind"]) for item in items if item["case_id"] == told.case_id]


async def test_a_report_reaches_the_socket_of_the_one_officer_who_answers_for_it(city: RunningCity) -> None:
    beat = [await city.person(officer(COMMUNITY, "social", n)) for n in (1, 2, 3)]
    async with AsyncExitStack() as stack:
        sockets = {who.user_id: await stack.enter_async_context(city.socket(who)) for who in beat}
        told = await file_in_the_first_community(city)
        owner, case = await owner_of(city, told)
        # What the officer has not acknowledged from before comes first, in order.
        while (notice := await sockets[owner.user_id].receive_json(timeout=10))["case_id"] != told.case_id:
            pass
        assert (notice["type"], notice["kind"]) == ("notice", "case.assigned")
        assert notice["assignment_id"] == case["assignment"]
        assert notice["number"] == told.number
        await sockets[owner.user_id].send_json({"type": "ack", "seqs": [notice["seq"]]})
        assert (await sockets[owner.user_id].receive_json(timeout=10))["type"] == "acked"
    assert owner.user_id in {who.user_id for who in beat}
    for who in beat:
        assert told.case_id not in [item["case_id"] for item in await city.notices(who)], "acknowledged, or not his"


async def test_an_officer_who_was_offline_hears_when_he_comes_back(city: RunningCity) -> None:
    told = await file_in_the_first_community(city)
    owner, _ = await owner_of(city, told)
    await until(lambda: kinds_about(city, owner.username, told), what="the notice to wait")
    async with city.socket(owner) as socket:
        while (notice := await socket.receive_json(timeout=10))["case_id"] != told.case_id:
            pass
    assert notice["kind"] == "case.assigned"


async def test_a_case_from_report_to_closing_goes_through_the_hands_of_the_right_people(city: RunningCity) -> None:
    told = await file_in_the_first_community(city)
    owner, case = await owner_of(city, told)
    colleague = next(
        who
        for who in [await city.person(officer(COMMUNITY, "social", n)) for n in (1, 2, 3)]
        if who.user_id != owner.user_id
    )
    refused = await city.move(colleague, told.case_id, "accept", f"a:{case['assignment']}")
    assert refused.status in (403, 404), "only the owner accepts"
    for move in ("accept", "start"):
        answer = await city.move(owner, told.case_id, move, f"a:{case['assignment']}")
        assert answer.status == 200, (answer.status, answer.body)
    uploaded = await city.client.upload(owner, a_photograph(), "done.jpg", str(uuid4()))
    assert uploaded.status in (200, 201), (uploaded.status, uploaded.body)
    handed_in = await city.move(
        owner, told.case_id, "hand_in", f"a:{case['assignment']}", {"evidence": [uploaded.body["items"][0]["id"]]}
    )
    assert (handed_in.status, handed_in.body["state"]) == (200, "handled")
    itself = await city.move(owner, told.case_id, "close", str(handed_in.body["version"]))
    assert itself.status == 403, "who handled does not check"
    acceptor = await city.person(desk(Role.ACCEPTOR, "620102"))
    closed = await city.move(acceptor, told.case_id, "close", str(handed_in.body["version"]))
    assert (closed.status, closed.body["state"]) == (200, "closed")
    page = await city.client.call("GET", f"/api/v1/cases/{told.case_id}/history", who=acceptor)
    rows = page.body["items"]
    assert [row["move"] for row in rows] == ["file", "assign", "accept", "start", "hand_in", "close"]
    assert [row["version"] for row in rows] == [1, 2, 3, 4, 5, 6]


async def test_of_fifty_people_who_press_at_once_one_wins_and_the_others_hear_that_they_came_late(
    city: RunningCity,
) -> None:
    told = await file_in_the_first_community(city)
    _, case = await owner_of(city, told)
    people = [await city.person(f"dispatcher-{n}") for n in range(1, 51)]
    officers = [(await city.person(officer(COMMUNITY, "social", n))).user_id for n in (1, 2)]
    answers = await asyncio.gather(
        *(
            city.move(who, told.case_id, "assign", str(case["version"]), {"officer": officers[n % 2]})
            for n, who in enumerate(people)
        )
    )
    assert Counter(answer.status for answer in answers) == {200: 1, 409: 49}
    winner = next(answer for answer in answers if answer.status == 200)
    for late in (answer for answer in answers if answer.status == 409):
        assert (late.code, late.body["current_version"]) == ("version_conflict", winner.body["version"])
    after = await city.case(people[0], told.case_id)
    assert (after["version"], after["officer"]) == (case["version"] + 1, winner.body["officer"])
    await city.settle()
    await city.check()


async def test_who_does_not_accept_in_time_loses_the_case_to_a_colleague(city: RunningCity) -> None:
    told = await file_in_the_first_community(city)
    first, case = await owner_of(city, told)
    await city.later(timedelta(minutes=16))  # a quarter of an hour is given

    async def moved_on() -> str | None:
        now = await city.case(await city.person(desk(Role.SUPERVISOR, "620100")), told.case_id)
        return now["officer"] if now["officer"] != first.user_id else None

    second = await until(moved_on, what="the case to move on")
    assert second is not None
    assert (await city.who_is(second)).username.startswith(f"officer-{COMMUNITY}-social")
    routing = await city.client.call(
        "GET", f"/api/v1/cases/{told.case_id}/routing", who=await city.person(desk(Role.SUPERVISOR, "620100"))
    )
    assert [row["ended_why"] for row in routing.body["items"]] == ["unacknowledged", None]
    late = await city.move(first, told.case_id, "accept", f"a:{case['assignment']}")
    assert late.status in (403, 404, 409)
    told_to = await city.who_is(second)
    await until(lambda: kinds_about(city, told_to.username, told), what="the notice for the colleague")


async def test_a_late_case_climbs_and_at_each_rung_the_right_people_hear(city: RunningCity) -> None:
    told = await file_in_the_first_community(city)
    owner, case = await owner_of(city, told)
    # Who has begun keeps the case when his shift ends: the hours below pass in a moment.
    for move in ("accept", "start"):
        assert (await city.move(owner, told.case_id, move, f"a:{case['assignment']}")).status == 200
    hears = {
        "warning": owner.username,  # at three quarters of four hours
        "overdue": desk(Role.DISPATCHER, STREET),  # at the limit
        "street climbs": desk(Role.SUPERVISOR, STREET),  # at five hours
        "district climbs": desk(Role.SUPERVISOR, "620102"),  # at six
    }
    for hours, rung, who in (
        (3.01, "warning", hears["warning"]),
        (1, "overdue", hears["overdue"]),
        (1, "climb", hears["street climbs"]),
        (1, "climb", hears["district climbs"]),
    ):
        before = await kinds_about(city, who, told)
        assert rung not in before, "never early"
        await city.later(timedelta(hours=hours))

        async def heard(who: str = who, rung: str = rung) -> bool:
            return rung in await kinds_about(city, who, told)

        await until(heard, what=f"{who} to hear of the {rung}")
    assert await kinds_about(city, desk(Role.SUPERVISOR, OTHER_STREET), told) == [], "another street's is not told"
    assert "climb" not in await kinds_about(city, desk(Role.SUPERVISOR, "620100"), told), "the city hears at eight"
    answer = await city.client.call("GET", f"/api/v1/cases/{told.case_id}/clocks", who=owner)
    handling = next(clock for clock in answer.body["items"] if clock["kind"] == "handling")
    assert [rung["level"] for rung in handling["fired"]] == [1, 2, 3, 4], "each once, in order"
    await city.settle()
    await city.check()


def a_photograph() -> bytes:
    out = io.BytesIO()
    Image.effect_noise((320, 240), 40).convert("RGB").save(out, "JPEG")
    return out.getvalue()
