"""A camera floods the city: real processes, one case, one about the camera, every event accounted for, nobody waits."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from bench.town import desk
from gridsvc.actions.see_cells import see_cells_again
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.domain.access import Role
from tests.acceptance.running_city import RunningCity
from tests.integration.patiently import until
from tests.integration.stories.camera_town import VENDOR, give_meanings, put_up

STORMY, CALM = "storm-1", "calm-1"
BATCH = 100
AT_LEAST = 3_000  # events of the flood
QUESTIONS = 5  # that are asked while it storms


async def test_a_flood_of_one_camera_is_one_case_and_one_about_it_and_people_are_answered_meanwhile(
    city: RunningCity,
) -> None:
    await install(city)
    desk_of_the_city = await city.person(desk(Role.SUPERVISOR, "620100"))
    answered = 0
    async with aiohttp.ClientSession(headers={"X-API-Key": key_of_cameras(city)}) as session:

        async def flood() -> int:
            """The same message and ever new ones, by turns, until enough has come and everybody was answered."""
            sent = 0
            while sent < AT_LEAST or answered < QUESTIONS:
                events = [said(STORMY, "same" if n % 2 else f"new{sent + n}") for n in range(BATCH)]
                outcomes = await post(city, session, events)
                assert set(outcomes) <= {"accepted", "duplicate", "suppressed"}
                sent += len(outcomes)
            return sent

        storm = asyncio.create_task(flood())
        for _ in range(QUESTIONS):
            answer = await city.client.call("GET", "/api/v1/cases?limit=5", who=desk_of_the_city)
            assert answer.status == 200
            answered += 1
        assert await post(city, session, [said(CALM, "one")]) == ["accepted"], "another camera is heard all the same"
        sent = await storm

    async def all_is_decided() -> bool:
        waiting = await rows_of(city, "SELECT FROM camera_events WHERE outcome IS NULL")
        return not waiting and bool(await storms(city))

    await until(all_is_decided, what="every event to be decided, and the storm to have its case")
    cases = await rows_of(
        city,
        "SELECT camera, count(DISTINCT case_id) AS cases FROM camera_events WHERE case_id IS NOT NULL GROUP BY camera"
        " ORDER BY camera",
    )
    assert cases == [{"camera": CALM, "cases": 1}, {"camera": STORMY, "cases": 1}]
    [about_the_camera] = await storms(city)
    assert about_the_camera["reported_by"] == f"camera:{STORMY}"

    code, ledger = await asyncio.to_thread(city.stage.tell, "cameras", "ledger")
    assert code == 0, ledger
    accounts = {line.split()[0]: [int(cell) for cell in line.split()[1:]] for line in ledger.splitlines()[1:]}
    received, duplicate, opened, joined, suppressed, *rest = accounts[STORMY]
    assert received == sent
    assert duplicate == sent // 2 - 1, "all but the first of those that are the same"
    assert (opened, rest) == (1, [0, 0, 0, 0])
    assert opened + joined + suppressed == sent // 2 + 1
    assert accounts[CALM][0] == 1
    await city.settle()
    await city.check()


async def install(city: RunningCity) -> None:
    """Two cameras, each in a cell of its own at the far end of the town, with what they see, as the registry has it.

    A camera whose cells nobody has found yet stands for what it sees. The sweeper would find them within seconds, in
    the middle of the storm, and what is seen from then on would be somewhere else: another incident.
    """
    async with (
        open_pool(city.stage.owner_url, size=1, scope=SERVICE, name="install", role=None) as pool,
        transaction(pool) as (owner, now),
    ):
        for code, cell in ((STORMY, city.town.land.cells[-1]), (CALM, city.town.land.cells[-5])):
            place = cell.outline.representative_point()
            await put_up(owner, code, place.x, place.y)
            await give_meanings(owner, code, {"street_vendor": (VENDOR, "automatic")})
        assert await see_cells_again(owner, now, batch=2) == 2
        await owner.execute("UPDATE camera_rules SET burst = 50")


def key_of_cameras(city: RunningCity) -> str:
    assert city.stage.secrets is not None
    [key] = [each.text for each in city.stage.secrets.keys if "camera-events:write" in each.scopes]
    return key


def said(camera: str, incident: str) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": incident, "source": f"/{camera}", "type": "cn.grid.camera", "subject": camera,
        "data": {"kind": "street_vendor", "phase": "start", "incident": incident},
    }  # fmt: skip


async def post(city: RunningCity, session: aiohttp.ClientSession, events: list[dict[str, Any]]) -> list[str]:
    headers = {"Content-Type": "application/cloudevents-batch+json"}
    async with session.post(
        city.stage.url + "/api/v1/camera-events", data=json.dumps(events), headers=headers
    ) as answer:
        assert answer.status == 202, await answer.text()
        return [item["outcome"] for item in (await answer.json())["items"]]


async def rows_of(city: RunningCity, sql: str) -> list[dict[str, Any]]:
    async with city.pool.acquire() as conn:
        return [dict(row) for row in await conn.fetch(sql)]


async def storms(city: RunningCity) -> list[dict[str, Any]]:
    """Cases about a camera that storms."""
    return await rows_of(
        city,
        "SELECT c.reported_by FROM cases c JOIN reports r ON r.case_id = c.id WHERE r.description LIKE '%告警风暴%'",
    )
