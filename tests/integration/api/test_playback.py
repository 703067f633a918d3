"""Playback: what the service says of a moment is what it was at that moment."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from gridsvc.db import transaction
from gridsvc.domain.access import Grant, Role
from tests.conftest import CityClock
from tests.integration.api.conftest import SOUTH
from tests.integration.api.test_reports import Desk, desk
from tests.integration.small_city import INSIDE, STEP

__all__ = ["desk"]  # the fixture

_TOLD = ("version", "state", "severity", "category", "lon", "lat", "cell", "officer", "department", "paused", "number")

_NOW = """
SELECT id::text, version, state, severity, category, ST_X(place) AS lon, ST_Y(place) AS lat, cell_code AS cell,
       officer_id::text AS officer, department, suspended AS paused, number, city_now() AS now
  FROM cases
 WHERE state NOT IN ('closed', 'rejected', 'cancelled', 'merged')
"""

Picture = dict[str, dict[str, Any]]


async def as_it_is(desk: Desk) -> tuple[datetime, Picture]:
    """The open cases as their own rows have them now: what no history is asked for."""
    async with transaction(desk.api.pool) as (conn, now):
        rows = await conn.fetch(_NOW)
    return now, {row["id"]: {name: row[name] for name in _TOLD} for row in rows}


async def as_it_was(desk: Desk, at: datetime) -> Picture:
    """The same as the service plays it back, page by page."""
    found: Picture = {}
    cursor = ""
    while True:
        told = await desk.dispatcher.get(f"/api/v1/cases/at?t={quote(at.isoformat())}&limit=2{cursor}")
        assert told.status == 200, told.body
        for case in told.body["items"]:
            officer = case["officer"] and case["officer"]["id"]
            found[case["id"]] = {name: {**case, "officer": officer}[name] for name in _TOLD}
        if told.body["next"] is None:
            return found
        cursor = f"&cursor={told.body['next']}"


async def test_a_moment_is_played_back_as_it_was(desk: Desk, city_clock: CityClock) -> None:
    """Three cases through locating, correcting, owners, a suspension and their ends, at random distances of time."""
    dice = random.Random(20261127)
    truth: list[tuple[datetime, Picture]] = []
    cases: dict[str, str] = {}

    async def step(by: Any, name: str, move: str, **body: object) -> None:
        async with transaction(desk.api.pool) as (conn, _):
            version = await conn.fetchval("SELECT version FROM cases WHERE id = $1", UUID(cases[name]))
        said = await by.post(f"/api/v1/cases/{cases[name]}/{move}", body or None, If_Match=f'"{version}"')
        assert said.status == 200, (move, said.body)
        await look()

    async def report(by: Any, name: str, **changes: object) -> None:
        said = await by.post("/api/v1/reports", desk.said(**changes))
        assert said.status == 201, said.body
        cases[name] = said.body["case"]["id"]
        await look()

    async def look() -> None:
        truth.append(await as_it_is(desk))
        await city_clock.forward(timedelta(seconds=dice.randint(1, 120)))

    await look()
    await report(desk.officer, "plain")
    await report(desk.acceptor, "lost", location=None, address="东方红广场附近")
    await step(desk.dispatcher, "plain", "assign", officer=str(desk.officer.user_id))
    await step(desk.officer, "plain", "accept")
    await report(desk.officer, "wrong")
    spot = {"lon": INSIDE.lon + STEP / 4, "lat": INSIDE.lat, "datum": "wgs84", "accuracy_m": 5}
    await step(desk.acceptor, "lost", "locate", location=spot)
    until = (truth[-1][0] + timedelta(days=2)).isoformat()
    await step(desk.dispatcher, "plain", "suspend", reason="the road is closed", until=until)
    await step(desk.dispatcher, "wrong", "assign", officer=str(desk.officer.user_id))
    await step(desk.dispatcher, "plain", "resume")
    await step(desk.officer, "wrong", "return", reason="not mine")
    await step(desk.acceptor, "lost", "file")
    await step(desk.acceptor, "wrong", "correct", note="it is across the street", location=spot)
    await step(desk.officer, "plain", "start")
    await step(desk.dispatcher, "wrong", "cancel", reason="a joke")
    await step(desk.dispatcher, "lost", "cancel", reason="it is gone")

    moments = [at + timedelta(microseconds=us) for at, _ in truth for us in (0, dice.randint(1, 900_000))]
    for at in (*moments, datetime(2020, 1, 1, tzinfo=UTC)):
        was = next((picture for seen, picture in reversed(truth) if seen <= at), {})
        assert await as_it_was(desk, at) == was, at.isoformat()
    assert len({str(picture) for _, picture in truth}) == len(truth), "a step that nobody would see"


async def test_what_is_to_come_is_not_played_back_and_a_neighbour_sees_nothing(
    desk: Desk, city_clock: CityClock
) -> None:
    await desk.officer.post("/api/v1/reports", desk.said())
    now, _ = await as_it_is(desk)
    await city_clock.forward(timedelta(minutes=1))
    ahead = quote((now + timedelta(hours=1)).isoformat())
    refused = await desk.dispatcher.get(f"/api/v1/cases/at?t={ahead}")
    assert (refused.status, refused.code, refused.body["field"]) == (400, "bad_request", "t")
    neighbour = await desk.api.somebody(Grant(role=Role.DISPATCHER, division=SOUTH))
    there = await neighbour.get(f"/api/v1/cases/at?t={quote(now.isoformat())}")
    assert (there.status, there.body["items"]) == (200, [])
