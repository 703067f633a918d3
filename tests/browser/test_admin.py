"""Administration: an officer is replaced in a minute, and what changes the city is looked at before it is done."""

from __future__ import annotations

from typing import Any

from playwright.async_api import Page, expect

from tests.browser.conftest import LITTER, PATIENCE_MS, Desk, Town
from tests.browser.test_centre import is_accessible, picture

expect.set_options(timeout=PATIENCE_MS)

LIST = "类别代码,大类名称,小类名称,类型,条线,处置时限\n200290,街面秩序,夜市噪声,事件,sanitation,3工作日\n"


async def asked(town: Town, path: str, who: str = "admin") -> Any:
    answer = await town.client.call("GET", path, who=await town.person(who))
    assert answer.status == 200, answer.body
    return answer.body


async def drawn(page: Page, things: int) -> None:
    """The map shows so many things that would change."""
    await expect(page.locator(f".map[data-plan='{things}']")).to_have_count(1)


async def _given(town: Town, place: dict[str, Any]) -> dict[str, Any]:
    """A case that goes to whoever walks there, since he is on duty."""
    await town.duty(await town.beat_officer(1, place), on=True)
    return await town.report(LITTER, location={"lon": place["lon"], "lat": place["lat"], "datum": "wgs84"})


async def test_an_officer_who_leaves_is_replaced_with_work_beats_and_account(desk: Desk, town: Town) -> None:
    case = await _given(town, town.demo["sample_places"][0])
    held = await town.settled(case["id"], lambda each: each["officer"] is not None)
    people = (await asked(town, "/api/v1/users?role=officer&limit=500"))["items"]
    ann = next(each for each in people if each["id"] == held["officer"])
    bob = next(
        each
        for each in people
        if each["id"] != ann["id"] and each["officer"]["duty_line"] == ann["officer"]["duty_line"]
    )
    async with desk("admin", query="panel=admin", size=(1920, 1080)) as visit:
        page = visit.page
        await page.fill("#people-q", ann["username"])
        await page.locator(f"[data-user='{ann['username']}'] .link").click()
        await page.get_by_role("radio", name="Leaving").check()
        await expect(page.locator(".admin-body")).to_contain_text("Without a successor nobody walks these beats")
        await page.fill("#replace-by", "")
        await page.locator("#replace-by").press_sequentially(bob["username"])
        await expect(page.locator("#replace-by-list li").first).to_contain_text(bob["display_name"])
        await page.keyboard.press("Enter")
        await expect(page.locator(".admin-table")).to_contain_text(f"handed over: {bob['display_name']}")
        await drawn(page, 1)
        await expect(page.get_by_role("button", name="Replace…")).to_be_disabled()
        await page.fill("#replace-reason", "retires")
        await is_accessible(visit)
        await page.get_by_role("button", name="Replace…").press("Enter")
        await expect(page.locator(".sure")).to_contain_text(f"The account of {ann['display_name']} ends.")
        await expect(page.locator(".map[data-idle]")).to_have_count(1)
        await picture(visit, "admin-people-en-dark-1920")
        await page.keyboard.press("Escape")
        await expect(page.get_by_role("button", name="Replace…")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".sure .primary")).to_be_focused()
        await page.keyboard.press("Enter")
        await expect(page.locator(".admin-body [role=status]")).to_contain_text("is replaced. Cases moved: 1.")
        await picture(visit, "admin-replaced-en-dark-1920")
    assert (await town.case(case["id"]))["officer"] == bob["id"]
    [gone] = (await asked(town, f"/api/v1/users?q={ann['username']}"))["items"]
    assert (gone["active"], gone["officer"]["beats"]) == (False, [])


async def test_a_draft_of_the_grid_is_drawn_on_the_map_published_and_withdrawn(desk: Desk, town: Town) -> None:
    one = next(town.places)
    here = await asked(town, f"/api/v1/cells?lon={one['lon']}&lat={one['lat']}&datum=wgs84")
    line = sorted(here["beats"])[0]
    there = here
    while there["beats"][line] == here["beats"][line]:
        place = next(town.places)
        there = await asked(town, f"/api/v1/cells?lon={place['lon']}&lat={place['lat']}&datum=wgs84")
    async with desk("admin", lang="zh-CN", theme="light", query="panel=admin") as visit:
        page = visit.page
        await page.locator("#admin-people").press("ArrowRight")
        await expect(page.locator("#admin-grids")).to_be_focused()
        await page.fill("#grid-name", "autumn")
        await page.get_by_role("button", name="新建", exact=True).click()
        await expect(page.locator(".admin-body")).to_contain_text("草案与生效版本相同")
        await page.fill("#grid-cells", here["cell"])
        await page.locator(".admin-row select").select_option(line)
        await page.fill("#grid-beat", "没有这个")
        await page.get_by_role("button", name="划给", exact=True).click()
        await expect(page.locator(".admin-part [role=alert]").last).to_have_text("autumn 没有责任网格 没有这个")
        visit.expect_complaints("status of 422")
        await page.fill("#grid-beat", there["beats"][line])
        await page.get_by_role("button", name="划给", exact=True).click()
        await expect(page.locator(".admin-table").first).to_contain_text(
            f"{here['beats'][line]} → {there['beats'][line]}"
        )
        await drawn(page, 1)
        await is_accessible(visit)
        await page.get_by_role("button", name="发布…").click()
        await picture(visit, "admin-grids-zh-light-1280")
        await page.get_by_role("button", name="现在发布").click()
        await expect(page.locator("tr", has_text="autumn")).to_contain_text("生效中")
        await drawn(page, 0)
        await page.get_by_role("button", name="退回").click()
        await expect(page.locator(".sure")).to_contain_text("撤回 autumn")
        await page.locator(".sure .primary").click()
        await expect(page.locator("tr", has_text="autumn")).to_contain_text("已撤回")


async def test_an_edition_of_the_rules_is_rehearsed_published_and_gone_back_from(desk: Desk, town: Town) -> None:
    case = await _given(town, town.demo["sample_places"][-1])
    await town.settled(case["id"], lambda each: each["state"] == "assigned")
    before = (await asked(town, "/api/v1/routing-rules"))["edition"]["number"]
    hold = (
        '[{"code": "hold", "name": "先看", "name_en": "Look first", "to": "pool", "reason": "the desk looks first",'
        ' "when": {"sources": ["desk", "hotline"]}},'
        ' {"code": "all", "name": "责任网格", "name_en": "The beat", "to": "beat_officer"}]'
    )
    async with desk("admin", query="panel=admin", theme="light") as visit:
        page = visit.page
        await page.click("#admin-rules")
        await page.get_by_role("button", name="Write a new edition").click()
        await page.fill("#rules-text", "[{]")
        await page.get_by_role("button", name="Check").click()
        await expect(page.locator(".admin-body [role=alert]")).to_contain_text("This is not JSON")
        await page.fill("#rules-text", hold)
        await page.fill("#rules-name", "Trial")
        await page.get_by_role("button", name="Check").click()
        await expect(page.locator(".admin-body [role=status]")).to_have_text("These rules can be used.")
        await page.get_by_role("button", name="Save as a draft").click()
        await page.get_by_role("button", name="7 days").click()
        await expect(page.locator(".admin-body [role=status]")).to_contain_text("Gone elsewhere: ")
        await is_accessible(visit)
        await expect(page.locator(".map[data-plan]:not([data-plan='0'])")).to_have_count(1)
        await picture(visit, "admin-rules-en-light-1280")
        await page.get_by_role("button", name="Publish…").click()
        await page.get_by_role("button", name="Publish now").click()
        await expect(page.locator("tr", has_text="Trial")).to_contain_text("in force")
        await page.get_by_role("button", name=f"Go back to edition {before}…").click()
        await page.locator(".sure .primary").click()
        await expect(page.locator("tr", has_text="Trial")).to_contain_text("retired")
    assert (await asked(town, "/api/v1/routing-rules"))["edition"]["number"] == before


async def test_categories_and_calendars_are_previewed_and_who_may_not_change_them_is_told(
    desk: Desk, town: Town
) -> None:
    async with desk("admin", lang="zh-CN", query="panel=admin", size=(1920, 1080)) as visit:
        page = visit.page
        await page.click("#admin-categories")
        await page.get_by_role("button", name="查看").first.click()
        await expect(page.locator(".admin-table")).to_contain_text(LITTER)
        await picture(visit, "admin-categories-zh-dark-1920")
        await page.get_by_role("button", name="返回").click()
        await page.set_input_files(
            "#categories-file", {"name": "list.csv", "mimeType": "text/csv", "buffer": LIST.encode()}
        )
        await page.fill("#categories-edition", "next")
        await page.get_by_role("button", name="预览").click()
        await expect(page.locator(".admin-table", has_text="夜市噪声")).to_contain_text("新增")
        await is_accessible(visit)
        await picture(visit, "admin-list-zh-dark-1920")
        await page.get_by_role("button", name="发布…").click()
        await expect(page.locator(".sure")).to_contain_text("上报使用版本 next")
        await page.keyboard.press("Escape")

        await page.click("#admin-calendars")
        await expect(page.locator(".admin-table").first).to_contain_text("08:00–12:00")
        sources = [
            {"name": name, "mimeType": "application/json", "buffer": said.encode()}
            for name, said in (
                ("one.json", '{"year": 2028, "days": [{"name": "元旦", "date": "2028-01-03", "isOffDay": true}]}'),
                ("two.json", '{"year": 2028, "days": [{"name": "元旦", "date": "2028-01-04", "isOffDay": true}]}'),
            )
        ]
        await page.set_input_files("#calendar-files", sources)
        await page.get_by_role("button", name="预览").click()
        await expect(page.locator(".admin-table", has_text="2028-01-03")).to_contain_text("one.json")
        visit.expect_complaints("status of 422")
        await page.select_option("#calendar-follow", "one.json")
        await page.get_by_role("button", name="预览").click()
        await expect(page.locator(".admin-body [role=status]")).to_contain_text("2028")
        await is_accessible(visit)
        await picture(visit, "admin-calendars-zh-dark-1920")

    async with desk("supervisor", query="panel=admin") as visit:
        page = visit.page
        await page.click("#admin-grids")
        await expect(page.locator(".admin-body")).to_contain_text("Administrators change this; you may look.")
        await expect(page.get_by_role("button", name="Look")).to_have_count(0)
        await picture(visit, "admin-supervisor-en-dark-1280")
    async with desk("acceptor", query="panel=admin") as visit:
        await expect(visit.page.locator(".panel")).to_contain_text("Your role administers nothing here.")
        await expect(visit.page.locator(".rail")).not_to_contain_text("Admin")
