"""The search on top: what no list on the screen has is found from one field, by keyboard."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.async_api import Page, expect

from tests.browser.conftest import LITTER, PATIENCE_MS, Desk, Town
from tests.browser.test_centre import BOTH, is_accessible, picture

expect.set_options(timeout=PATIENCE_MS)


async def _ask(page: Page, words: str) -> None:
    await page.keyboard.press("/")
    await page.fill("#search", words)


def _found(page: Page, kind: str) -> Any:
    return page.locator("#search-list li", has=page.locator(".search-kind", has_text=kind))


async def test_cases_places_people_cells_coordinates_and_commands_are_found_from_one_field(
    desk: Desk, town: Town
) -> None:
    closed = await town.report(LITTER)
    await town.moved("supervisor", closed, "cancel", reason="made by mistake")
    there = await town.report(LITTER)
    cell = str(there["cell"])
    async with desk("supervisor", lang="en", query="panel=cases") as visit:
        page = visit.page
        # A case that is closed stands in no list; its number opens it.
        await _ask(page, str(closed["number"]))
        await expect(_found(page, "closed case")).to_have_count(1)
        await is_accessible(visit, *BOTH)
        await picture(visit, "search-en")
        await page.keyboard.press("ArrowDown")
        await page.keyboard.press("Enter")
        await expect(page.locator(".drawer")).to_contain_text(str(closed["number"]))
        await expect(page.locator("#search")).to_have_value("")

        # An officer by the initials of his name: his cases are listed.
        officer = await _an_officer(town)
        await _ask(page, officer["display_name"])
        await _found(page, "officer").first.click()
        await expect(page).to_have_url(re.compile(f"officer={officer['id']}"))

        # The same place in another datum is the same cell: forgotten, it would be two cells away.
        case = await town.case(there["id"])
        await _ask(page, f"{case['lon']:.6f}, {case['lat']:.6f}")
        await expect(_found(page, "place").first).to_contain_text(cell)
        visit.expect_complaints("status of 422")  # 500 m on there may be no grid any more
        await _ask(page, f"{case['lat']:.6f} {case['lon']:.6f} gcj02")
        await expect(_found(page, "place").first).to_be_visible()
        await expect(_found(page, "place").first).not_to_contain_text(f"cell {cell} ")
        await _ask(page, cell)
        await expect(_found(page, "cell")).to_contain_text(cell)
        await page.keyboard.press("Escape")

        # Commands in words of both languages; a word alone narrows the list, a command does not.
        await _ask(page, "show cameras")
        await page.keyboard.press("Enter")
        await expect(page.locator(".panel.cameras")).to_be_visible()
        await _ask(page, "显示 案卷")
        await page.keyboard.press("Enter")
        await expect(page.locator(".panel.cases")).to_be_visible()
        await _ask(page, "nothing is called so")
        await expect(page.locator(".search-state")).to_have_text("Nothing else by these words")


@pytest.mark.parametrize("lang", ["zh-CN", "en"])
async def test_a_place_is_found_as_it_is_written_and_as_it_sounds(desk: Desk, town: Town, lang: str) -> None:
    name = str((await town.report(LITTER))["divisions"][-1]["name"])
    async with desk("dispatcher", lang=lang, theme="light") as visit:
        await _ask(visit.page, name)
        places = _found(visit.page, "place" if lang == "en" else "地点")
        await expect(places.first).to_contain_text(name)
        await picture(visit, f"search-{lang}-light")


async def _an_officer(town: Town) -> dict[str, Any]:
    who = await town.person("supervisor")
    answer = await town.client.call("GET", "/api/v1/officers?limit=1", who=who)
    return dict(answer.body["items"][0])
