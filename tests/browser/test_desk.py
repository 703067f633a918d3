"""What a desk does beside looking: reports by telephone, files of what is listed, figures."""

from __future__ import annotations

import json
from typing import Any

from playwright.async_api import Route, expect

from gridsvc.domain.sheet import read_csv
from tests.browser.conftest import BILLS, LITTER, PATIENCE_MS, Desk, Town, Visit
from tests.browser.test_centre import BOTH, fits, is_accessible, picture

expect.set_options(timeout=PATIENCE_MS)


async def reported(town: Town, words: str) -> list[dict[str, Any]]:
    """The cases whose description has these words."""
    answer = await town.client.call("GET", f"/api/v1/cases?q={words}", who=await town.person("supervisor"))
    return list(answer.body["items"])


async def choose(visit: Visit, field: str, words: str) -> None:
    """Type into a field with a list, and take the first of what it offers."""
    await visit.page.fill(f"#{field}", "")
    await visit.page.keyboard.type(words)
    await expect(visit.page.locator(f"#{field}-list li").first).to_be_visible()
    await visit.page.keyboard.press("Enter")


async def test_a_call_is_taken_down_by_keyboard_and_filed_once_though_the_answer_was_lost(
    desk: Desk, town: Town
) -> None:
    before = await town.report(LITTER)
    seen = await town.case(before["id"])
    async with desk("acceptor", lang="zh-CN") as visit:
        page = visit.page
        await page.keyboard.press("n")
        await expect(page.locator("#intake-category")).to_be_focused()

        # Nothing is sent before it is whole, and the first field that is wanting is where one writes next.
        await page.keyboard.press("Control+Enter")
        await expect(page.locator("#intake-category-wrong")).to_have_text("请从列表中选择类别。")
        await expect(page.locator("#intake-category")).to_be_focused()
        await choose(visit, "intake-category", LITTER)
        await choose(visit, "intake-place", "zhangyelu")
        await expect(page.locator(".intake-place")).to_contain_text("网格")
        await page.fill(".intake [name=description]", "纸箱堆在门口")
        await page.fill(".intake [name=name]", "张三丰")
        await page.fill(".intake [name=phone]", "13800001234")
        await is_accessible(visit)
        await picture(visit, "intake-zh-dark")

        # What was written is there after a reload.
        await page.reload()
        await page.wait_for_selector(".is-live .age.live")
        await expect(page.locator(".intake [name=phone]")).to_have_value("13800001234")
        await expect(page.locator(".intake-place")).to_contain_text("网格")

        # The place is where somebody has reported the same: it is offered before anything is filed.
        await page.get_by_role("button", name="在地图上选").click()
        await page.evaluate(
            "async place => { const { asksForPlace } = await import(document.querySelector('script[type=module]').src"
            ".replace('main.js', 'view.js')); asksForPlace.value(place.lon, place.lat); }",
            {"lon": seen["lon"], "lat": seen["lat"]},
        )
        await expect(page.locator(".intake-alike")).to_contain_text(before["number"])

        async def lose(route: Route) -> None:
            await route.fetch()  # it was kept, and nobody hears so
            await route.abort()

        await page.route("**/api/v1/reports", lose)
        await page.click(".intake button.primary")
        await expect(page.locator(".intake [role=alert]")).to_contain_text("不会重复立案")
        visit.expect_complaints("ERR_FAILED")
        await page.unroute("**/api/v1/reports")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".intake dd.number")).to_be_visible()
        await expect(page.locator(".intake-alike")).to_contain_text(before["number"])
        await picture(visit, "intake-done-zh-dark")
        assert len(await reported(town, "纸箱堆在门口")) == 1

        # The next one is a key away, and nothing of the last is left: words alone will do.
        await page.keyboard.press("Enter")
        await expect(page.locator("#intake-category")).to_be_focused()
        await expect(page.locator(".intake [name=phone]")).to_have_value("")
        await choose(visit, "intake-category", LITTER)
        await page.fill("#intake-place", "老百货后面的巷子")
        await page.fill(".intake [name=description]", "旧沙发")
        await page.keyboard.press("Control+Enter")
        await expect(page.locator(".intake dl")).to_contain_text("待定位")
        [case] = await reported(town, "旧沙发")
        assert (case["pool"], case["source"]) == ("locate", "hotline")


async def test_who_takes_no_reports_is_told_so(desk: Desk) -> None:
    async with desk("auditor", query="panel=intake") as visit:
        await expect(visit.page.locator(".panel")).to_contain_text("Your role takes no reports.")
        await visit.page.keyboard.press("n")
        await expect(visit.page.locator(".rail")).not_to_contain_text("Intake")


async def test_what_is_listed_leaves_as_a_file_or_on_paper_and_comes_back_by_its_name(desk: Desk, town: Town) -> None:
    for category in (LITTER, BILLS, BILLS):
        await town.report(category)
    async with desk("supervisor", query="panel=cases&q=bills") as visit:
        page = visit.page
        await expect(page.locator(".row").first).to_be_visible()
        listed = int(await page.locator(".panel-count").inner_text())
        await page.get_by_role("button", name="More", exact=True).click()
        await page.fill("[name=view]", "bills of the day")
        await page.keyboard.press("Enter")
        await is_accessible(visit)
        await picture(visit, "views-en-dark")
        for form in ("CSV", "GeoJSON"):
            async with page.expect_download() as coming:
                await page.get_by_role("link", name=form, exact=True).click()
            raw = (await (await coming.value).path()).read_bytes()
            if form == "CSV":
                assert raw.startswith(b"\xef\xbb\xbf")
                assert len(read_csv("cases.csv", raw).rows) == 1 + listed
            else:
                assert len(json.loads(raw)["features"]) == listed
        await page.keyboard.press("Escape")

        # On paper stands every row, though the screen draws those in sight alone.
        await page.evaluate("dispatchEvent(new Event('beforeprint'))")
        await page.emulate_media(media="print")
        await expect(page.locator("#sheet tbody tr")).to_have_count(listed)
        await expect(page.locator(".room")).to_be_hidden()
        await picture(visit, "printed-en")
        await page.evaluate("dispatchEvent(new Event('afterprint'))")
        await page.emulate_media(media="screen")

        await page.get_by_role("button", name="Clear filters").first.click()
        await expect(page.locator(".panel-count")).not_to_have_text(str(listed))
        await page.reload()
        await page.wait_for_selector(".is-live .age.live")
        await page.get_by_role("button", name="More", exact=True).click()
        # Deleted by a slip of the finger, it is brought back.
        await page.get_by_role("button", name="Forget the view “bills of the day”").click()
        await expect(page.get_by_role("button", name="bills of the day", exact=True)).to_have_count(0)
        await page.get_by_role("button", name="Bring it back").click()
        await page.get_by_role("button", name="bills of the day", exact=True).click()
        await expect(page.locator(".panel-count")).to_have_text(str(listed))


async def test_what_is_done_to_many_is_taken_back_or_asked_before(desk: Desk, town: Town) -> None:
    cases = [await town.report(BILLS) for _ in range(2)]
    for each in cases:
        await town.settled(each["id"], lambda case: case["department"] == "enforcement")
    async with desk("dispatcher", query="panel=cases") as visit:
        page = visit.page
        for each in cases:
            await page.locator(f"[data-case='{each['id']}']").click(modifiers=["Control"])
        bulk = page.locator(".bulk")
        await bulk.get_by_role("button", name="Assign", exact=True).click()
        await bulk.locator("[name=department]").select_option("water")
        await bulk.locator("button.primary").click()
        await expect(page.locator(".said")).to_contain_text("2 done, 0 refused")
        assert {(await town.case(each["id"]))["department"] for each in cases} == {"water"}
        await is_accessible(visit, *BOTH)
        await picture(visit, "bulk-done")
        await page.get_by_role("button", name="Take it back").click()
        await expect(page.locator(".said")).to_contain_text("2 stand as before, 0 refused")
        assert {(await town.case(each["id"]))["department"] for each in cases} == {"enforcement"}
        await expect(page.locator(".last-bulk")).to_have_count(0)
    # What is not taken back is asked before; one that cannot be closed says why, and stays picked.
    async with desk("acceptor", lang="zh-CN", query="panel=cases") as visit:
        page = visit.page
        await page.locator(f"[data-case='{cases[0]['id']}']").click(modifiers=["Control"])
        bulk = page.locator(".bulk")
        await bulk.get_by_role("button", name="结案", exact=True).click()
        await bulk.get_by_role("button", name="结案（1 件）…").click()
        await expect(bulk.locator(".sure")).to_contain_text("共 1 件。")
        await page.keyboard.press("Escape")
        await expect(bulk.locator(".sure")).to_have_count(0)
        await bulk.get_by_role("button", name="结案（1 件）…").click()
        await bulk.locator(".sure .primary").click()
        await expect(bulk.locator(".wrong")).to_have_text("只有随主因处置的案卷可一并结案。")
        await expect(bulk).to_contain_text("已选 1 件")
        assert (await town.case(cases[0]["id"]))["state"] == "assigned"


async def test_what_the_shift_leaves_is_taken_over_by_name(desk: Desk, town: Town) -> None:
    case = await town.report(LITTER)
    async with desk("dispatcher", query="panel=cases") as visit, desk("supervisor", lang="zh-CN") as other:
        page, theirs = visit.page, other.page
        await expect(page.locator(f"[data-case='{case['id']}']")).to_be_visible()
        await page.locator(f"[data-case='{case['id']}']").click(modifiers=["Control"])
        await page.get_by_role("button", name="Shift", exact=True).click()
        await page.get_by_role("button", name="Hand over", exact=True).click()
        await expect(page.locator(".shift-form .wrong")).to_be_visible()
        await is_accessible(visit, *BOTH)
        await page.fill("#shift-words", "the bridge is closed until noon")
        await page.get_by_role("button", name="Hand over", exact=True).click()
        await expect(page.locator(".shift-entry")).to_contain_text("the bridge is closed until noon")
        await theirs.get_by_role("button", name="交接班", exact=True).click()
        entry = theirs.locator(".shift-entry", has_text="the bridge is closed until noon")
        await is_accessible(other, *BOTH)
        await picture(other, "shift-zh-dark")
        await entry.get_by_role("button", name="接班", exact=True).click()
        await expect(entry.locator(".sure")).to_contain_text("签字后不能撤回")
        await is_accessible(other, *BOTH)
        await theirs.keyboard.press("Escape")
        await expect(entry).to_contain_text("尚未接班")
        await entry.get_by_role("button", name="接班", exact=True).click()
        await entry.get_by_role("button", name="确认接班").click()
        await expect(entry).to_contain_text(f"{await town.name('supervisor')} 已接班")
        await expect(entry.locator("button.primary")).to_have_count(0)
        await entry.locator(".shift-cases button").click()
        await expect(theirs.locator(".drawer .number")).to_have_text(case["number"])
        await fits(other)


async def test_figures_stand_beside_their_plot_and_lead_to_the_cases(desk: Desk, town: Town) -> None:
    case = await town.report(LITTER)
    district = case["divisions"][1]
    answer = await town.client.call("GET", "/api/v1/divisions?level=district", who=await town.person("supervisor"))
    told = next(each for each in answer.body["items"] if each["code"] == district["code"])
    names = {"en": told["name_en"], "zh-CN": told["name"]}
    for lang, theme, size in (("en", "dark", (1920, 1080)), ("zh-CN", "light", (1280, 720))):
        async with desk("supervisor", lang=lang, theme=theme, size=size, query="panel=board") as visit:
            page = visit.page
            await expect(page.locator(".board-table tbody tr").first).to_be_visible()
            await page.locator(".board-controls select").nth(1).select_option("filing_rate")
            row = page.locator(".board-table tr", has_text=names[lang])
            await expect(row).to_contain_text("/")
            await expect(page.locator(".board-plot canvas")).to_be_visible()
            await is_accessible(visit)
            await picture(visit, f"board-{lang}-{theme}")
            await row.get_by_role("button").click()
            await expect(page.locator(f"[data-case='{case['id']}']")).to_be_visible()
            assert f"division={district['code']}" in page.url
