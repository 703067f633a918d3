"""The demo city on a stage, and a real browser before it."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from playwright.async_api import Browser, Page, async_playwright

from bench.stage import Stage
from gridsvc.local.service_client import ServiceClient
from gridsvc.local.simulate_crowd import Demo

CHROMIUMS: Final = ("chromium-headless-shell", "chromium", "google-chrome")


async def run_demo(stage: Stage) -> None:
    """The demo city with web process and workers, ready for requests."""
    await stage.furnish_demo()
    stage.run("web", "serve")
    stage.run("workers", "worker", "all")
    stage.await_up("web", "workers")
    async with ServiceClient(stage.url) as client:  # which waits for a service that is away
        assert (await client.call("GET", "/readyz")).good


@asynccontextmanager
async def a_browser() -> AsyncIterator[Browser]:
    """A Chromium of this machine, closed at the end."""
    at = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    assert at is not None, "no Chromium here; run make browser"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=at)
        yield browser
        await browser.close()


async def sign_in(browser: Browser, stage: Stage, username: str) -> Page:
    """A page of the control centre in English, signed in and live."""
    page = await browser.new_page(viewport={"width": 1920, "height": 1080}, locale="en")
    await page.goto(stage.url)
    await page.fill("[name=username]", username)
    await page.fill("[name=password]", Demo.read(stage.home).passwords[username])
    await page.click("form button.primary")
    await page.wait_for_selector(".is-live .age.live")
    return page


def measure_and_keep(measure: Callable[[Stage], Coroutine[Any, Any, dict[str, float]]], results: Path) -> None:
    """Measure on a stage of its own, print the figures, and keep them in `results`."""
    with tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder:
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL may run as another user
        with Stage(home) as stage:
            found = asyncio.run(measure(stage))
    for name, value in found.items():
        print(f"{name:45} {value:14,.2f}")
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({"cores": os.cpu_count(), **found}, indent=2) + "\n", encoding="utf-8")
