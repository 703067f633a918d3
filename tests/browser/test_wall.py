"""The video wall: nobody touches it, an emergency takes it, and a night leaves nothing behind."""

from __future__ import annotations

import asyncio
import re
import signal
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import pytest
from playwright.async_api import Page, expect

from gridsvc.db import SERVICE, open_pool, transaction
from tests.browser.conftest import BILLS, EMERGENCY, LITTER, PATIENCE_MS, Desk, Town, Visit
from tests.browser.test_centre import is_accessible, picture
from tests.conftest import CityClock
from tests.servers import FreshDatabase

expect.set_options(timeout=PATIENCE_MS)

_BROKEN = ("ERR_CONNECTION", "WebSocket connection", "ERR_EMPTY_RESPONSE", "ERR_SOCKET", "font face", "status of 50")


async def wall(visit: Visit, town: Town, query: str = "turn=1&lang=en") -> Page:
    await visit.page.goto(f"{town.service.url}/wall?{query}")
    await visit.page.wait_for_selector(".wall .age.live")
    return visit.page


async def at(town: Town, database: FreshDatabase, officer: str, lon: float, lat: float) -> None:
    """The officer's phone says where he is; a minute passes first, so that the fix is a new one."""
    await CityClock(database.owner_url).forward(timedelta(minutes=1))
    async with open_pool(database.url, scope=SERVICE, size=1, name="test") as pool, transaction(pool) as (_, now):
        pass
    fix = {"lon": lon, "lat": lat, "datum": "wgs84", "accuracy_m": 8, "taken_at": now.isoformat()}
    who = await town.person(officer)
    answer = await town.client.call(
        "POST", "/api/v1/positions", who=who, body={"positions": [fix]}, key=str(uuid4())
    )  # fmt: skip
    assert answer.status < 300, answer.body


async def _left(page: Page) -> dict[str, float]:
    """What the page holds once all that it has let go of is collected."""
    line = await page.context.new_cdp_session(page)
    await line.send("Performance.enable")
    for _ in range(2):
        await line.send("HeapProfiler.collectGarbage")
    told = await line.send("Performance.getMetrics")
    await line.detach()
    return {each["name"]: each["value"] for each in told["metrics"]}


async def _least(page: Page) -> dict[str, float]:
    """The least of two rounds: it is of the same view each time, however fast the page turns meanwhile."""
    samples = []
    for _ in range(2):
        for view in ("newest", "duty", "city"):
            await page.wait_for_selector(f".wall[data-view={view}]")
            samples.append(await _left(page))
    return {name: min(each[name] for each in samples) for name in samples[0]}


async def _round(page: Page) -> None:
    """Every view has stood once more, and the first stands again."""
    await page.wait_for_selector(".wall[data-view=newest]")
    await page.wait_for_selector(".wall[data-view=duty]")
    await page.wait_for_selector(".wall[data-view=city]")


async def test_the_views_take_turns_without_controls_and_leave_nothing_behind(desk: Desk, town: Town) -> None:
    for _ in range(9):
        await town.report(LITTER)
    async with desk("auditor", size=(1920, 1080)) as visit:
        page = await wall(visit, town)
        assert await page.locator(".wall :is(button, input, select, a)").evaluate_all(
            "all => all.filter(each => each.checkVisibility() && !each.closest('[inert]')).length"
        ) == 0  # fmt: skip
        smallest = await page.evaluate(_SMALLEST)
        assert smallest >= 1080 / 45, "type that nobody reads from five metres"
        before = await _least(page)
        for _ in range(3):
            await asyncio.gather(*(town.report(category) for category in (LITTER, BILLS, LITTER)))
            await _round(page)
        after = await _least(page)
    assert after["JSEventListeners"] <= before["JSEventListeners"], (before, after)
    assert after["Nodes"] <= before["Nodes"] + 40, (before, after)  # words that are longer by a node
    assert after["Documents"] <= before["Documents"]


_SMALLEST = """() => Math.min(...[...document.querySelectorAll('.wall *')]
  .filter(each => each.checkVisibility({visibilityProperty: true}) && !each.closest('svg')
    && [...each.childNodes].some(child => child.nodeType === 3 && child.data.trim() !== '') && !each.closest('.unseen'))
  .map(each => parseFloat(getComputedStyle(each).fontSize)))"""


async def test_an_emergency_takes_the_wall_and_who_goes_there_comes_closer(
    desk: Desk, town: Town, city_database: FreshDatabase
) -> None:
    async with desk("supervisor", size=(1920, 1080)) as visit:
        page = await wall(visit, town)
        case = await town.report(EMERGENCY)
        await expect(page.locator(".wall-emergency")).to_contain_text("nobody has acknowledged it")
        officer = town.officers()[0]
        await town.duty(officer, on=True)
        place = await town.case(case["id"])
        await at(town, city_database, officer, place["lon"] + 0.02, place["lat"])
        user_id = await _user_id(city_database, officer)
        await town.moved("supervisor", case, "assign", officer=user_id)
        far = page.locator(".wall-far")
        await expect(far.first).to_contain_text("1.8 km")
        await at(town, city_database, officer, place["lon"] + 0.01, place["lat"])
        await expect(far.first).to_contain_text("closing")
        await expect(far.first).to_contain_text(re.compile(r"\b(89|90)\d m"))
        await is_accessible(visit)
        await picture(visit, "wall-emergency")
        await page.set_viewport_size({"width": 2560, "height": 720})
        await picture(visit, "wall-emergency-32x9")
        # Acknowledged it stays until somebody is at work there.
        await _acknowledge_all(town)
        await expect(page.locator(".wall-emergency")).not_to_contain_text("nobody has acknowledged it")
        await town.moved(officer, case, "accept")
        await town.moved(officer, case, "start")
        await expect(page.locator(".wall-emergency")).to_have_count(0)
        await town.duty(officer, on=False)


async def _user_id(database: FreshDatabase, username: str) -> str:
    async with open_pool(database.url, scope=SERVICE, size=1, name="test") as pool, transaction(pool) as (conn, _):
        return str(await conn.fetchval("SELECT id FROM users WHERE username = $1", username))


async def _acknowledge_all(town: Town) -> None:
    who = await town.person("dispatcher")
    standing = await town.client.call("GET", "/api/v1/alarms?acknowledged=false&limit=500", who=who)
    for each in standing.body["items"]:
        path = f"/api/v1/alarms/{each['id']}/acknowledge"
        assert (await town.client.call("POST", path, who=who, body={}, key=str(uuid4()))).status == 200


async def test_after_a_break_wall_and_desk_have_what_the_database_has(
    desk: Desk, town: Town, city_database: FreshDatabase
) -> None:
    """The web process is killed, the city goes on, and it comes back: nobody touches either page."""
    async with desk("supervisor", query="panel=cases&order=newest") as first, desk("auditor") as second:
        page = await wall(second, town)
        quiet = await town.report(LITTER)
        town.service.end("serve", signal.SIGKILL)
        for visit in (first, second):
            await expect(visit.page.locator(".age")).to_contain_text("offline, as of")
        # Meanwhile: a case ends, and an alarm is raised, and the feed's log is lost, so that nothing can be resumed.
        await _meanwhile(city_database, quiet["id"])
        town.service.start("serve")
        for visit in (first, second):
            await visit.page.wait_for_selector(".age.live")
            await expect(visit.page.locator("[role=status]", has_text="not whole yet")).to_have_count(0)
        late = await town.report(BILLS)
        await expect(first.page.locator(f"[data-case='{late['id']}']")).to_be_visible()
        wanted = await _open_cases(city_database)
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while (seen := await first.page.evaluate(_SEEN)) != wanted:
                await town.client.call("GET", "/readyz")
                wanted = await _open_cases(city_database)
        assert seen == wanted
        assert quiet["id"] not in {each[0] for each in seen}
        await expect(first.page.locator(".alarm.escalation")).to_contain_text("while nobody heard")
        await expect(page.locator(".wall-alarms, .wall-emergency").first).to_be_visible()
        await _acknowledge_all(town)
        await expect(first.page.locator(".alarm.escalation")).to_have_count(0)
        for visit in (first, second):
            visit.expect_complaints(*_BROKEN)


_SEEN = """async () => {
  const here = document.querySelector('script[type=module]').src;
  const { cases } = await import(new URL('city.js', here));
  return [...cases.peek().values()].map(each => [each.id, each.version]).sort((a, b) => a[0] < b[0] ? -1 : 1);
}"""


async def _open_cases(database: FreshDatabase) -> list[list[Any]]:
    async with open_pool(database.url, scope=SERVICE, size=1, name="test") as pool, transaction(pool) as (conn, _):
        rows = await conn.fetch(
            "SELECT id, version FROM cases WHERE state NOT IN ('closed', 'rejected', 'cancelled', 'merged') ORDER BY id"
        )
    return [[str(row["id"]), row["version"]] for row in rows]


async def _meanwhile(database: FreshDatabase, case_id: str) -> None:
    owner = await asyncpg.connect(database.owner_url)
    try:
        await owner.execute(
            "UPDATE cases SET state = 'cancelled', pool = NULL, version = version + 1, updated_at = city_now()"
            " WHERE id = $1::uuid", UUID(case_id),
        )  # fmt: skip
        await owner.execute(
            "INSERT INTO alarms (id, kind, case_id, severity, says, says_en, raised_at)"
            " SELECT gen_random_uuid(), 'escalation', id, 'normal', '无人听见时', 'while nobody heard', city_now()"
            "  FROM cases WHERE state NOT IN ('closed', 'rejected', 'cancelled', 'merged') LIMIT 1"
        )
        await owner.execute("TRUNCATE live_log")
    finally:
        await owner.close()


@pytest.mark.parametrize(("lang", "size"), [("zh-CN", (1920, 1080)), ("en", (1280, 720)), ("zh-CN", (2560, 720))])
async def test_every_view_is_looked_at(desk: Desk, town: Town, lang: str, size: tuple[int, int]) -> None:
    async with desk("supervisor", size=size) as visit:
        page = await wall(visit, town, f"turn=2&lang={lang}")
        await page.wait_for_selector(".map[data-idle]")
        for view in ("city", "newest", "duty"):
            await page.wait_for_selector(f".wall[data-view={view}]")
            await is_accessible(visit)  # dark alone: a wall has no other theme
            await picture(visit, f"wall-{view}-{lang}-{size[0]}")
        assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth")
