"""How many verdicts an hour one scripted person gives at the review bench, in a real browser.

It presses a key as soon as the next is shown, so that what is left is what the page and the service take. A person
looks besides: at 600 an hour that is six seconds for each, less what is measured here.
"""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from bench.browser import a_browser, measure_and_keep, run_demo, sign_in
from bench.stage import Stage
from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.ids import new_id

RESULTS: Final = Path(__file__).parent / "results/review.json"
WANTED_PER_HOUR: Final = 600
VERDICTS: Final = 200
WARM_UP: Final = 20


async def _fill(stage: Stage, many: int) -> None:
    """So many reviews wait, of all cameras of the demo city in turn."""
    async with (
        open_pool(stage.owner_url, size=1, scope=SERVICE, name="review", role=None) as pool,
        transaction(pool) as (conn, now),
    ):
        cameras = await conn.fetch(
            "SELECT code, ST_X(place) AS lon, ST_Y(place) AS lat, divisions FROM cameras WHERE state = 'active'"
        )
        await conn.executemany(
            "INSERT INTO camera_reviews (id, camera, kind, zone, target, why, category, lon, lat, cell_code,"
            " division_code, seen_by, first_at, last_at, events, opened_at)"
            " VALUES ($1, $2, 'street_vendor', $3, '', 'mode', NULL, $4, $5, 'c', $6, $7, $8, $8, 1, $8)",
            [
                (new_id(), of["code"], f"zone {n}", of["lon"], of["lat"], of["divisions"][-1], of["divisions"], now)
                for n in range(many)
                for of in (cameras[n % len(cameras)],)
            ],
        )


async def _judge(page: Page, many: int) -> None:
    """False, false, duplicate, and so on; each as soon as the one before has gone."""
    for n in range(many):
        was = await page.locator(".bench").get_attribute("data-review")
        await page.keyboard.press("ffd"[n % 3])
        await page.wait_for_function("was => document.querySelector('.bench')?.dataset.review !== was", arg=was)


async def _measure(stage: Stage) -> dict[str, float]:
    await run_demo(stage)
    await _fill(stage, VERDICTS + WARM_UP + 1)
    async with a_browser() as browser:
        page = await sign_in(browser, stage, "acceptor")
        await page.goto(f"{stage.url}/?panel=review")
        await page.wait_for_selector(".bench")
        await _judge(page, WARM_UP)
        began = time.monotonic()
        await _judge(page, VERDICTS)
        took_s = time.monotonic() - began
        await page.goto("about:blank")  # what is held is sent
    kept = 0
    for _ in range(300):
        kept = await stage.count("camera_reviews WHERE verdict IS NOT NULL")
        if kept == VERDICTS + WARM_UP:
            break
        await asyncio.sleep(0.1)
    return {
        "verdicts kept": kept,
        "verdicts an hour, scripted": VERDICTS / took_s * 3600,
        "verdicts an hour, wanted": WANTED_PER_HOUR,
        "page and service, ms for each": took_s / VERDICTS * 1000,
        "left for a look at 600 an hour, s": 3600 / WANTED_PER_HOUR - took_s / VERDICTS,
    }


if __name__ == "__main__":
    measure_and_keep(_measure, RESULTS)
