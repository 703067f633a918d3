"""Patrols and visits on the phone: cells that turn walked by themselves, and a visit made without a network."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

from playwright.async_api import Page, Playwright, expect
from shapely.geometry import shape

from gridsvc.db import open_pool
from gridsvc.local.city_walks import WALKED
from gridsvc.store.numbers import NumberBlocks
from tests.browser.conftest import PATIENCE_MS, Town
from tests.browser.phone import Phone, line_to
from tests.browser.test_officer_day import GONE, PALE, SMALL, asked, go, on_duty
from tests.browser.test_officer_offline import enter, is_accessible, kept_for_offline, picture
from tests.conftest import CityClock
from tests.servers import FreshDatabase
from workers.sweep import stay_round
from workers.walks import patrol_round, visit_round

expect.set_options(timeout=PATIENCE_MS)

ZONE = ZoneInfo("Asia/Shanghai")
SECRET = "降压药已停"


async def test_a_patrol_turns_walked_by_itself_and_a_visit_made_offline_arrives_once(
    playwright: Playwright, town: Town, city_database: FreshDatabase, tmp_path: Path
) -> None:
    place, officer, beat = await where_nothing_else_is_walked(town)
    async with line_to(town.service.port) as line:
        phone = Phone(playwright, tmp_path / "profile", line, place=place)
        try:
            page = await phone.open()
            await page.clock.install()
            await enter(page, town, officer)
            await kept_for_offline(page)
            await on_duty(page, on=True)
            here = f"lon={place['lon']}&lat={place['lat']}&datum=wgs84"
            mine = (await asked(town, "dispatcher", f"/api/v1/cells?{here}"))["cell"]
            cells = [each for each in beat["cells"] if each["code"] != mine][:3]
            visit = await planned(town, city_database, officer, beat, cells, place)

            await go(page, "")
            await expect(page.locator(".walks [href='#/patrol']")).to_contain_text("巡查 0/3 格")
            await expect(page.locator(".walks [href='#/visits']")).to_contain_text("走访 1 项")
            await looks_right(page, "walks-home-zh-light")
            await go(page, "visits")
            await page.click(f"[data-visit='{visit['id']}']")
            before = await form_offline(page, phone, town, visit)

            # Seven minutes pass, in the city and on the phone.
            await CityClock(city_database.owner_url).forward(timedelta(minutes=7))
            await page.clock.fast_forward(420_000)
            await walked(town, city_database, officer, cells[:2])
            await phone.online()
            await ended(town, visit, before)
            await go(page, "patrol")
            for cell, state in zip(cells, ("walked", "walked", "open"), strict=True):
                await expect(page.locator(f"[data-cell='{cell['code']}']")).to_have_attribute("data-state", state)
            await expect(page.locator(".patrol-share")).to_contain_text("已巡 2/3 格")
            await page.wait_for_selector(".beat-map[data-idle]")
            await looks_right(page, "patrol-zh-light")
            assert SECRET not in str(await page.evaluate(KEPT)), "what arrived is not on the phone any more"
            await in_english_at_night(page)
        finally:
            await phone.close()
    for each in phone.visits:
        each.expect_complaints(*GONE)
        assert each.unforgiven() == []


async def where_nothing_else_is_walked(town: Town) -> tuple[dict[str, Any], str, dict[str, Any]]:
    """A place outside the district whose beats the demo city walks, the social officer there and his beat."""
    for place in town.demo["sample_places"]:
        here = f"lon={place['lon']}&lat={place['lat']}&datum=wgs84"
        cell = await asked(town, "dispatcher", f"/api/v1/cells?{here}")
        street = cell["divisions"][2]
        names = sorted(each for each in town.officers() if each.startswith(f"officer-{street}-social-"))
        for name in names if not street.startswith(WALKED) else []:
            for beat in (await asked(town, name, "/api/v1/me/beats"))["items"]:
                if cell["cell"] in {each["code"] for each in beat["cells"]}:
                    return place, name, beat
    raise AssertionError("every sample place is walked already")


async def planned(
    town: Town, database: FreshDatabase, officer: str, beat: dict[str, Any], cells: Sequence[dict[str, Any]],
    place: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """An administrator plans a patrol of this shift and a visit of today; the officer's visit, once it is his."""
    now = datetime.now(ZONE)
    span = f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=3):%H:%M}"
    codes = ";".join(each["code"] for each in cells)
    patrol = f"code,duty_line,beat,shifts,cells\nP-T,social,{beat['code']},1-7 {span},{codes}\n"
    row = f"300202,ELD-9417,{place['lon']},{place['lat']},1,month,{now.date()},any\n"
    for path, body in (
        ("/api/v1/patrol-plans", {"csv": patrol}),
        ("/api/v1/visit-plans", {"csv": f"category,subject,lon,lat,every,unit,first_on,days\n{row}", "datum": "wgs84"}),
    ):
        said = await town.client.call("POST", path, who=await town.person("admin"), body=body, key=str(uuid4()))
        assert said.status == 200, said.body
    async with open_pool(database.url) as pool, open_pool(database.url, size=1) as numbers:
        await patrol_round(pool)
        await visit_round(pool, NumberBlocks(numbers), 50)
    [visit] = (await asked(town, "dispatcher", "/api/v1/visits?open=true"))["items"]
    me, case_id = (await town.person(officer)).user_id, visit["case_id"]
    case = await town.settled(case_id, lambda each: each["state"] == "assigned")
    if case["officer"] != me:  # several walk the beat
        await town.moved("dispatcher", case, "assign", officer=me)
    return dict(visit)


async def form_offline(page: Page, phone: Phone, town: Town, visit: dict[str, Any]) -> datetime:
    """What is missing is said; the rest goes into the outbox and nowhere else. The city's time by then."""
    await phone.offline()
    await page.select_option("[name=result]", "trouble")
    await page.fill("[name=note]", SECRET)
    await page.click(".move-form button.primary")
    await expect(page.locator(".missing li")).to_have_text(["身体状况", "居家安全"])
    await expect(page.locator(".visit")).to_contain_text("±6")
    await looks_right(page, "visit-zh-light")
    await page.select_option("[name=身体状况]", "需就医")
    await page.select_option("[name=居家安全]", "良好")
    drafts = await page.evaluate(DRAFTS)
    assert [each["name"] for each in drafts if SECRET in str(each)] == [f"visit.{visit['id']}"]
    await page.click(".move-form button.primary")
    await expect(page.locator(f"[data-visit='{visit['id']}']")).to_have_attribute("data-said", "waiting")
    assert await page.evaluate(DRAFTS) == []
    await picture(page, "visits-zh-light")
    await go(page, f"task/{visit['case_id']}")
    await expect(page.locator(".waits li")).to_have_attribute("data-state", "waiting")
    told = await town.client.call("GET", "/api/v1/time")
    return datetime.fromtimestamp(told.body["ms"] / 1000, ZONE)


async def walked(town: Town, database: FreshDatabase, officer: str, cells: Sequence[dict[str, Any]]) -> None:
    """Two minutes in each of these cells, and the phone of then tells it."""
    told = await town.client.call("GET", "/api/v1/time")
    at, positions = datetime.fromtimestamp(told.body["ms"] / 1000, ZONE) - timedelta(minutes=5), []
    for cell in cells:
        inside = shape(cell["outline"]).representative_point()
        for _ in range(7):
            fix = {"lon": inside.x, "lat": inside.y, "datum": "wgs84", "accuracy_m": 5}
            positions.append({**fix, "taken_at": at.isoformat()})
            at += timedelta(seconds=20)
    said = await town.client.call(
        "POST", "/api/v1/positions", who=await town.person(officer), body={"positions": positions}, key=str(uuid4())
    )
    assert said.status == 200, said.body
    async with open_pool(database.url) as pool:
        await stay_round(pool)


async def ended(town: Town, visit: dict[str, Any], before: datetime) -> None:
    """It has arrived once, and was made when the officer said so."""
    await town.settled(visit["case_id"], lambda case: case["state"] == "closed")
    over = (await asked(town, "dispatcher", "/api/v1/visits?open=false"))["items"]
    [kept] = [each for each in over if each["id"] == visit["id"]]
    assert kept["result"] == "trouble"
    # Nothing of the seven minutes that pass until it arrives; a phone's clock is measured to a second or so.
    made = datetime.fromisoformat(kept["visited_at"])
    assert made <= before + timedelta(seconds=60), "when it was made, not when it arrived"
    rows = (await asked(town, "supervisor", f"/api/v1/cases/{visit['case_id']}/history"))["items"]
    assert [each["move"] for each in rows].count("visit") == 1


async def in_english_at_night(page: Page) -> None:
    await go(page, "me")
    await page.get_by_role("button", name="深色").click()
    await page.click(".standing button.quiet")
    await go(page, "patrol")
    await expect(page.locator(".patrol-share")).to_contain_text("2 of 3 cells walked")
    await page.wait_for_selector(".beat-map[data-idle]")
    await looks_right(page, "patrol-en-dark")
    await go(page, "visits")
    await expect(page.locator(".visits .empty")).to_be_visible()
    await looks_right(page, "visits-en-dark")
    await go(page, "")
    await looks_right(page, "walks-home-en-dark")


async def looks_right(page: Page, name: str) -> None:
    await picture(page, name)
    await is_accessible(page)
    assert await page.evaluate(SMALL) == [], name
    assert await page.evaluate(PALE) == [], name


TABLE = """new Promise((told, failed) => {
  const asked = indexedDB.open('gridsvc.officer');
  asked.onerror = failed;
  asked.onsuccess = () => {
    const all = asked.result.transaction('%s').objectStore('%s').getAll();
    all.onsuccess = () => { asked.result.close(); told(all.result); };
  };
})"""
DRAFTS = TABLE % ("drafts", "drafts")
KEPT = TABLE % ("items", "items")
