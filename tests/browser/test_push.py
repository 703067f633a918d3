"""Push on a phone: turned on by hand, shown by the service worker in words, and opened at its notice; doubts told."""

from __future__ import annotations

import asyncio
import json
from typing import Any
from uuid import uuid4

from playwright.async_api import Page, Worker, expect

from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.sealing import Sealer
from gridsvc.store import pushes
from gridsvc.webpush import fresh_key
from tests.acceptance.live_service import SECRET
from tests.browser.conftest import BILLS, PATIENCE_MS, Desk, Town
from tests.browser.phone import Phone
from tests.browser.test_officer_offline import Phones, enter, is_accessible, kept_for_offline, phones, picture
from tests.servers import FreshDatabase

__all__ = ["phones"]  # the fixture

expect.set_options(timeout=PATIENCE_MS)


async def pushed(page: Page, said: object) -> None:
    """The browser hears it from its push service."""
    talk = await page.context.new_cdp_session(page)
    found: list[str] = []
    talk.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(each["registrationId"] for each in told["registrations"]),
    )
    await talk.send("ServiceWorker.enable")
    origin = await page.evaluate("location.origin")
    await talk.send(
        "ServiceWorker.deliverPushMessage",
        {"origin": origin, "registrationId": found[-1], "data": json.dumps(said)},
    )
    await talk.detach()


async def listened(phone: Phone) -> Worker:
    """The app's service worker, which from now on remembers what it has the phone show: title, words and tag."""
    assert phone.context is not None
    [worker] = phone.context.service_workers
    await worker.evaluate(
        "() => { self.shown = []; const show = registration.showNotification.bind(registration);"
        " registration.showNotification = (title, how) => {"
        " self.shown.push([title, how.body, how.tag]); return show(title, how); }; }"
    )
    return worker


async def shown(worker: Worker, count: int) -> Any:
    """What it has shown, as soon as that is so many."""
    async with asyncio.timeout(PATIENCE_MS / 1000):  # until it has shown them
        while len(found := await worker.evaluate("self.shown")) < count:
            continue
    return found


async def test_a_phone_says_whether_it_is_pushed_to_and_shows_what_is(
    phones: Phones, town: Town, city_database: FreshDatabase
) -> None:
    async with phones(lang="en") as phone:
        page = await phone.open("#/me")
        await enter(page, town, town.officers()[5])
        await page.click(".tabs a[href='#/me']")
        await expect(page.locator(".push")).to_have_text("Your city has not turned push on.")
        async with open_pool(city_database.url) as pool, transaction(pool, SERVICE) as (conn, _):
            sealer = Sealer.of_secrets([SECRET])
            await pushes.TURN_ON.run(conn, 1, sealer.seal(fresh_key(), pushes.PURPOSE_OF_KEY))
        await page.reload()
        await kept_for_offline(page)
        await page.reload()
        await expect(page.locator(".push")).to_have_text("Push is off.")
        assert phone.context is not None
        await phone.context.grant_permissions(["geolocation", "notifications"])
        await is_accessible(page)
        await picture(page, "push-en")

        worker, notice = await listened(phone), str(uuid4())
        await pushed(page, {"kind": "case.assigned", "id": notice})
        await pushed(page, {"kind": "one.of.tomorrow", "id": notice})
        assert await shown(worker, 2) == [["New task", "Grid officer", notice], ["Notices", "Grid officer", notice]]


NOT_ASKED_YET = """
  delete window.PushManager;
  window.permission = 'default';
  Object.defineProperty(Notification, 'permission', { get: () => window.permission });
  Notification.requestPermission = async () => { window.permission = 'granted'; return 'granted'; };
"""


async def test_a_browser_without_push_says_so_and_may_show_notices_only_once_the_switch_is_pressed(
    phones: Phones, town: Town
) -> None:
    async with phones() as phone:
        page = await phone.open()
        await page.context.add_init_script(NOT_ASKED_YET)
        await page.goto(phone.url + "#/me")
        await page.reload()
        await enter(page, town, town.officers()[5])
        await page.click(".tabs a[href='#/me']")
        await expect(page.locator(".push")).to_contain_text("此浏览器不支持推送")
        allow = page.locator(".allow")
        await expect(allow).to_contain_text("也能显示新任务和催办")
        await page.click(".tabs a[href='#/notices']")
        assert await page.evaluate("permission") == "default", "whoever touches the page is not asked"
        await allow.get_by_role("button").click()
        await expect(allow).to_have_count(0)
        await page.click(".tabs a[href='#/me']")
        await expect(allow).to_contain_text("已允许")
        await expect(allow.get_by_role("button")).to_have_count(0)


async def test_a_desk_sees_in_words_what_is_to_be_looked_at_twice(desk: Desk, town: Town) -> None:
    case = await town.report(BILLS)
    await town.settled(case["id"], lambda each: each["department"] == "enforcement")
    who = town.handler("enforcement", case)
    await town.moved(who, case, "accept")
    await town.moved(who, case, "arrive", no_fix="in the cellar")
    for lang, title, says in (("en", "To be looked at twice", "no location"), ("zh-CN", "存疑", "没有定位")):
        async with desk("supervisor", lang=lang, query=f"panel=cases&case={case['id']}") as visit:
            await expect(visit.page.locator(".doubted h3")).to_contain_text(title)
            await expect(visit.page.locator(".doubted li")).to_contain_text(says)
            await picture(visit.page, f"doubted-{lang}")
