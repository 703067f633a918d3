"""Playback in the control centre: the past is seen, and nothing can be done in it."""

from __future__ import annotations

from datetime import timedelta

from playwright.async_api import expect

from tests.browser.conftest import BILLS, LITTER, PATIENCE_MS, Desk, Town
from tests.browser.test_centre import BOTH, fits, is_accessible, picture, row
from tests.conftest import CityClock
from tests.servers import FreshDatabase

expect.set_options(timeout=PATIENCE_MS)


async def test_the_past_is_seen_as_it_was_and_one_key_leads_back(
    desk: Desk, town: Town, city_database: FreshDatabase
) -> None:
    before = await town.report(BILLS)
    await town.settled(before["id"], lambda each: each["state"] == "assigned")
    await CityClock(city_database.owner_url).forward(timedelta(minutes=90))
    after = await town.report(LITTER)
    async with desk("supervisor", query="panel=cases") as visit:
        page = visit.page
        await expect(row(visit, after)).to_be_visible()
        await page.get_by_role("button", name="Playback").click()
        await expect(page.locator(".playback-banner")).to_contain_text("nothing can be done")
        await expect(row(visit, after)).to_have_count(0)
        await expect(row(visit, before)).to_be_visible()
        await expect(page.locator(".room.is-stale")).to_be_visible()
        await is_accessible(visit, *BOTH)
        await row(visit, before).click()
        await expect(page.locator(".drawer .history")).to_contain_text("assigned")
        await expect(page.locator(".drawer .moves, .drawer form")).to_have_count(0)
        assert await page.evaluate(_WRITE) == "playback"
        await is_accessible(visit, *BOTH)
        await fits(visit)
        await picture(visit, "playback")
        await page.get_by_role("slider").focus()
        await page.keyboard.press("n")
        await expect(page.locator(".playback")).to_have_count(0)
        await expect(row(visit, after)).to_be_visible()
        await expect(page.locator(".room.is-live")).to_be_visible()


_WRITE = """async () => {
  const here = document.querySelector('script[type=module]').src;
  const { write } = await import(new URL('../shared/service.js', here));
  return write('POST', '/api/v1/reports', {}).then(() => 'written', refused => refused.code);
}"""
