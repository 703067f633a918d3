"""Whether the video wall survives a night: eight hours of the simulated city in ten minutes, then what the page holds.

Heap and nodes after a forced collection are compared with those of minute 2, when every view has stood. Each is the
least over one turn of the views, so that both are of the same view.
"""

from __future__ import annotations

import asyncio
import os
import sys
import time
from pathlib import Path
from typing import Final

from playwright.async_api import Page

from bench.browser import a_browser, measure_and_keep, run_demo, sign_in
from bench.stage import Stage

RESULTS: Final = Path(__file__).parent / "results/wall.json"
HOURS: Final = 8.0
MINUTES: Final = 10.0
FIRST_LOOK_S: Final = 120.0
TURN_S: Final = 3
VIEWS: Final = ("newest", "duty", "city")
ALLOWED: Final = 1.10
HELD: Final = {"JSHeapUsedSize": "heap", "Nodes": "nodes", "JSEventListeners": "listeners"}


async def _held(page: Page) -> dict[str, float]:
    """What the page holds, the least over one turn of the views."""
    line = await page.context.new_cdp_session(page)
    await line.send("Performance.enable")
    seen: list[dict[str, float]] = []
    for view in VIEWS:
        await page.wait_for_selector(f".wall[data-view={view}]", timeout=60_000)
        for _ in range(2):  # what the first frees lets go of more
            await line.send("HeapProfiler.collectGarbage")
        told = {each["name"]: each["value"] for each in (await line.send("Performance.getMetrics"))["metrics"]}
        seen.append({name: told[metric] for metric, name in HELD.items()})
    await line.detach()
    return {name: min(each[name] for each in seen) for name in HELD.values()}


async def _measure(stage: Stage) -> dict[str, float]:
    await run_demo(stage)
    async with a_browser() as browser:
        page = await sign_in(browser, stage, "supervisor")
        await page.goto(f"{stage.url}/wall?turn={TURN_S}&lang=en")
        await page.wait_for_selector(".wall .age.live")
        began = time.monotonic()
        day = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gridsvc", "simulate", "--hours", str(HOURS), "--from", "22",
            "--speed", str(HOURS * 60 / MINUTES), "--keep-grid",
            env={**os.environ, "GRIDSVC_HOME": str(stage.home), "GRIDSVC_DATABASE_URL": stage.database_url},
        )  # fmt: skip
        await asyncio.sleep(FIRST_LOOK_S - (time.monotonic() - began))
        first, told_first = await _held(page), await _told(stage)
        ended = await day.wait()
        await page.wait_for_selector(".wall .age.live")
        last, told = await _held(page), await _told(stage)
    return {
        "announcements": told,
        "announcements by the first look": told_first,
        "the day ended with": ended,
        **{f"{name} at minute 2": first[name] for name in first},
        **{f"{name} at the end": last[name] for name in last},
        **{f"{name}, times": last[name] / first[name] for name in first},
        "allowed, times": ALLOWED,
    }


async def _told(stage: Stage) -> int:
    """How many deltas the feed has told so far."""
    return await stage.count("(SELECT generate_series(1, seq) FROM live_position) AS told")


if __name__ == "__main__":
    measure_and_keep(_measure, RESULTS)
