"""From an event to the pixel, and from a cold start to the picture: what a person before the screen waits for.

A report is sent by one person; it counts from before its request to the frame in which its row stands in another's
list. The cold start is a browser without a cache, from the address to the moment at which the picture is live.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from statistics import median
from typing import Any, Final
from uuid import uuid4

from playwright.async_api import Browser, Page

from bench.browser import a_browser, measure_and_keep, run_demo, sign_in
from bench.intake import quantile
from bench.stage import Stage
from gridsvc.local.service_client import Login, ServiceClient
from gridsvc.local.simulate_crowd import Demo

RESULTS: Final = Path(__file__).parent / "results/screen.json"
REPORTS: Final = 100
VISITS: Final = 5  # of a browser without a cache; the first of them meets a service that nobody has asked yet
TO_PIXEL_MS: Final = 1_000.0
COLD_MS: Final = 2_000.0
LITTER: Final = "200118"

# Notes, by case, when the frame that shows it is about to be painted.
_WATCH: Final = """() => {
  window.shown = {};
  const note = () => {
    for (const row of document.querySelectorAll('[data-case]')) {
      const id = row.dataset.case;
      if (id in window.shown) continue;
      window.shown[id] = 0;
      requestAnimationFrame(() => { window.shown[id] = Date.now(); });
    }
  };
  new MutationObserver(note).observe(document.body, {subtree: true, childList: true, attributes: true});
}"""


async def _to_pixel(browser: Browser, stage: Stage) -> list[float]:
    """Milliseconds from before each report's request to its row in another person's list."""
    page = await sign_in(browser, stage, "supervisor")
    await page.goto(f"{stage.url}/?panel=cases&order=newest")
    await page.wait_for_selector(".is-live .age.live")
    await page.evaluate(_WATCH)
    demo = json.loads((stage.home / "demo.json").read_text(encoding="utf-8"))
    who, waited = Login("acceptor", Demo.read(stage.home).passwords["acceptor"]), []
    async with ServiceClient(stage.url) as client:
        await client.sign_in(who)
        for n in range(REPORTS):
            place = demo["sample_places"][n % len(demo["sample_places"])]
            body = {
                "category": LITTER, "description": "道路旁有杂物",
                "location": {"lon": place["lon"], "lat": place["lat"], "datum": "wgs84"},
            }  # fmt: skip
            began = time.time() * 1000
            answer = await client.call("POST", "/api/v1/reports", who=who, body=body, key=str(uuid4()))
            waited.append(await _shown(page, answer.body["case"]["id"]) - began)
    await page.close()
    return waited


async def _shown(page: Page, case: str) -> float:
    await page.wait_for_function("id => window.shown[id] > 0", arg=case)
    return float(await page.evaluate("id => window.shown[id]", case))


async def _cold(browser: Browser, stage: Stage) -> dict[str, float]:
    """A first visit: to the door, and from the door to the live picture; what was loaded."""
    context = await browser.new_context(viewport={"width": 1920, "height": 1080}, locale="en")
    page = await context.new_page()
    loaded: list[Any] = []
    page.on("requestfinished", lambda sent: loaded.append(sent))
    began = time.monotonic()
    await page.goto(stage.url)
    await page.wait_for_selector("[name=username]")
    door_s = time.monotonic() - began
    await page.fill("[name=username]", "supervisor")
    await page.fill("[name=password]", Demo.read(stage.home).passwords["supervisor"])
    began = time.monotonic()
    await page.click("form button.primary")
    await page.wait_for_selector(".is-live .age.live")
    live_s = time.monotonic() - began
    sizes = [await each.sizes() for each in loaded]
    await context.close()
    return {
        "door": door_s * 1000,
        "live": live_s * 1000,
        "files": float(len(loaded)),
        "kb": sum(each["responseBodySize"] for each in sizes) / 1000,
    }


async def _measure(stage: Stage) -> dict[str, float]:
    await run_demo(stage)
    async with a_browser() as browser:
        cold = [await _cold(browser, stage) for _ in range(VISITS)]
        waited = await _to_pixel(browser, stage)
    p50, p99 = quantile(waited, 0.50), quantile(waited, 0.99)
    return {
        "report to pixel, p50 ms": p50,
        "report to pixel, p99 ms": p99,
        "of the second that is promised, times": p99 / TO_PIXEL_MS,
        **{f"cold, first, {name}": value for name, value in _told(cold[0]).items()},
        **{f"cold, median of {VISITS}, {name}": value for name, value in _told(*cold).items()},
    }


def _told(*visits: dict[str, float]) -> dict[str, float]:
    """What the visits waited for, each figure the median of them."""
    return {
        "to the door, ms": median(each["door"] for each in visits),
        "to the live picture, ms": median(each["live"] for each in visits),
        "of both 2,000 at most, times": median(each["door"] + each["live"] for each in visits) / COLD_MS,
        "files": median(each["files"] for each in visits),
        "kB over the line": median(each["kb"] for each in visits),
    }


if __name__ == "__main__":
    measure_and_keep(_measure, RESULTS)
