"""Patrols and visits in the control centre: what was walked is seen on the map, what is due opens its case."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

from playwright.async_api import Locator, Page, Route, expect
from shapely.geometry import shape

from gridsvc.actions.open_visits import open_visits
from gridsvc.actions.walk_patrols import begin_patrols, judge_patrols
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.local.starter_categories import PLANNED
from gridsvc.store.numbers import NumberBlocks
from tests.browser.conftest import PATIENCE_MS, Desk, Town
from tests.browser.test_centre import is_accessible, picture
from tests.conftest import CityClock
from tests.servers import FreshDatabase

expect.set_options(timeout=PATIENCE_MS)

ZONE: Final = ZoneInfo("Asia/Shanghai")


async def _called(town: Town, who: str, method: str, path: str, **body: object) -> Any:
    answer = await town.client.call(
        method, path, who=await town.person(who), body=body or None, key=str(uuid4()) if body else None
    )
    assert answer.good, answer.body
    return answer.body


async def _planned(town: Town, database: FreshDatabase) -> tuple[str, dict[str, Any]]:
    """A beat is to be walked in a shift of now, and two visits are due today; whose beat it is, and the beat."""
    people = (await _called(town, "admin", "GET", "/api/v1/users?role=officer&limit=500"))["items"]
    officer = next(each for each in people if each["officer"]["duty_line"] == "social" and each["officer"]["beats"])
    beat = (await _called(town, officer["username"], "GET", "/api/v1/me/beats"))["items"][0]
    async with open_pool(database.url, scope=SERVICE, size=1, name="test") as pool:
        async with transaction(pool) as (_, now):
            here = now.astimezone(ZONE)
        shift = f"1-7 {here - timedelta(hours=2):%H:%M}-{here + timedelta(hours=6):%H:%M}"
        plan = f"code,duty_line,beat,shifts,stay_min\nP-TEST,social,{beat['code']},{shift},0\n"
        await _called(town, "admin", "POST", "/api/v1/patrol-plans", csv=plan)
        spot = shape(beat["cells"][0]["outline"]).representative_point()
        rows = [
            f"{category.code},{subject},{spot.x:.6f},{spot.y:.6f},1,month,{here.date()},any"
            for category, subject in zip(PLANNED, ("ELD-0417", "HAZ-0009"), strict=False)
        ]
        visits = "\n".join(["category,subject,lon,lat,every,unit,first_on,days", *rows])
        await _called(town, "admin", "POST", "/api/v1/visit-plans", csv=visits, datum="wgs84")
        async with open_pool(database.url, size=1, name="numbers") as numbers, transaction(pool) as (conn, now):
            await begin_patrols(conn, now)
            await open_visits(conn, NumberBlocks(numbers), now, 10)
    return officer["username"], beat


async def _walks(town: Town, officer: str, beat: dict[str, Any], clock: CityClock) -> None:
    """He goes on duty and sends his way through the first two cells; told when the service knows it."""
    duty = await _called(town, officer, "POST", "/api/v1/officers/me/duty", on_duty=True)
    since = datetime.fromisoformat(duty["duty_changed_at"])
    await clock.forward(timedelta(minutes=6))
    fixes = []
    for number, cell in enumerate(beat["cells"][:2]):
        at = shape(cell["outline"]).representative_point()
        taken = since + timedelta(minutes=1 + 3 * number)
        fixes.append({"lon": at.x, "lat": at.y, "datum": "wgs84", "accuracy_m": 10, "taken_at": taken.isoformat()})
    await _called(town, officer, "POST", "/api/v1/positions", positions=fixes)
    async with asyncio.timeout(PATIENCE_MS / 1000):
        counts = {"walked": 0}
        while counts["walked"] < 2:
            [patrol] = (await _called(town, "dispatcher", "GET", f"/api/v1/patrols?beat={beat['code']}"))["items"]
            counts = patrol["counts"]


async def _one_by_one(route: Route) -> None:
    """A page of visits holds one."""
    await route.continue_(url=route.request.url.replace("limit=500", "limit=1"))


def row_of(page: Page, beat: dict[str, Any]) -> Locator:
    return page.locator(f"[data-patrol='{beat['code']}']").first


async def test_a_patrol_that_is_walked_is_seen_on_the_map_and_what_is_due_to_be_visited_is_opened(
    desk: Desk, town: Town, city_database: FreshDatabase
) -> None:
    clock = CityClock(city_database.owner_url)
    officer, beat = await _planned(town, city_database)
    await _walks(town, officer, beat, clock)
    cells = len(beat["cells"])
    async with desk("dispatcher", lang="en", theme="dark", query="panel=patrols") as visit:
        page = visit.page
        row = row_of(page, beat)
        await expect(row).to_contain_text(f"2 walked · {cells - 2} open")
        await row.locator(".link").focus()
        await page.keyboard.press("Enter")
        await expect(row.locator("[data-cell]")).to_have_count(cells)
        await expect(row.locator(f"[data-cell='{beat['cells'][1]['code']}']")).to_contain_text("walked")
        await expect(row.locator(f"[data-cell='{beat['cells'][2]['code']}']")).to_contain_text("open")
        await expect(page.locator(f".map[data-plan='{cells}'][data-idle]")).to_have_count(1)
        await is_accessible(visit)
        await picture(visit, "patrols-en-dark-1280")
        await page.keyboard.press("Enter")
        await expect(page.locator(".map[data-plan='0']")).to_have_count(1)

        await page.route("**/api/v1/visits?*limit=500*", _one_by_one)
        await page.get_by_role("button", name="Visits", exact=True).click()
        await expect(page.locator("[data-visit]")).to_have_count(1)
        await page.get_by_role("button", name="more").click()
        await expect(page.locator("[data-visit]")).to_have_count(2)
        due = page.locator("[data-visit='ELD-0417']")
        await expect(due.locator(".timebar")).to_contain_text("left")
        await due.locator(".link").press("Enter")
        await expect(page.locator(".drawer")).to_contain_text(PLANNED[0].name_en)
        await picture(visit, "visits-en-dark-1280")

        await clock.forward(timedelta(hours=7))
        await page.get_by_role("group", name="Patrols, visits or figures").get_by_role("button", name="Patrols").click()
        await page.get_by_role("button", name="Ended in the last day").press("Enter")
        await expect(row).to_contain_text(f"2 walked · {cells - 2} unknown")
        await row.locator(".link").press("Enter")
        await expect(page.locator(f".map[data-plan='{cells}'][data-idle]")).to_have_count(1)
        await is_accessible(visit)
        await picture(visit, "patrols-over-en-dark-1280")

    await clock.forward(timedelta(days=5, hours=-7))  # the same shift, five days on
    async with (
        open_pool(city_database.url, scope=SERVICE, size=1, name="test") as pool,
        transaction(pool) as (conn, now),
    ):
        await begin_patrols(conn, now)
        await judge_patrols(conn, now, 100)
    town.logins.clear()
    async with desk("supervisor", lang="zh-CN", theme="light", size=(1920, 1080), query="panel=patrols") as visit:
        page = visit.page
        await row_of(page, beat).locator(".link").click()
        await expect(page.locator(f".map[data-plan='{cells}'][data-idle]")).to_have_count(1)
        await picture(visit, "patrols-zh-light-1920")
        await page.get_by_role("button", name="走访", exact=True).click()
        late = page.locator("[data-visit='HAZ-0009']")
        await expect(late.locator(".timebar.late")).to_contain_text("超时")
        await is_accessible(visit)
        await picture(visit, "visits-zh-light-1920")
        await page.get_by_role("button", name="统计", exact=True).click()
        await page.get_by_label("统计对象").select_option("cell")
        await page.get_by_label("时间").select_option("30")
        walked = page.locator("tr", has_text=beat["cells"][0]["code"])
        await expect(walked).to_contain_text("100%")
        await is_accessible(visit)
        await picture(visit, "walks-zh-light-1920")
        async with page.expect_download() as told:
            await page.get_by_label("下载 CSV").click()
        assert beat["cells"][0]["code"] in (await (await told.value).path()).read_text(encoding="utf-8")
    async with desk(officer, lang="en", query="panel=patrols") as visit:
        await expect(visit.page.locator(".panel .empty")).to_contain_text("your role may not see them")
        await expect(visit.page.get_by_role("button", name="Patrols", exact=True)).to_have_count(0)
