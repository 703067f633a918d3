"""The officer's app on a phone: reports in a few taps, without a network, through kills and cuts."""

from __future__ import annotations

import asyncio
import contextlib
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Error, Page, Playwright, Route, expect

from gridsvc.db import SERVICE, open_pool, transaction
from tests.acceptance.live_service import LiveService
from tests.acceptance.supervised import until
from tests.browser.conftest import LITTER, PATIENCE_MS, PICTURES, Town, axe_script
from tests.browser.phone import TAKEN, TAKEN_AT, Phone, line_to, photograph
from tests.conftest import ROOT
from tests.integration import patiently
from tests.servers import FreshDatabase

expect.set_options(timeout=PATIENCE_MS)

Phones = Callable[..., AbstractAsyncContextManager[Phone]]


@pytest.fixture
def phones(playwright: Playwright, town: Town, tmp_path: Path) -> Phones:
    @asynccontextmanager
    async def at(*, lang: str = "zh-CN", theme: str = "light") -> AsyncIterator[Phone]:
        place = town.demo["sample_places"][0]
        async with line_to(town.service.port) as line:
            phone = Phone(playwright, tmp_path / "profile", line, lang=lang, theme=theme, place=place)
            try:
                yield phone
            finally:
                await phone.close()
        assert [said for visit in phone.visits for said in visit.unforgiven()] == []

    return at


async def enter(page: Page, town: Town, username: str, device: str = "值班手机 7") -> None:
    await page.fill("[name=username]", username)
    await page.fill("[name=password]", town.password(username))
    await page.fill("[name=device]", device)
    await page.click("form button.primary")
    await page.wait_for_selector(".tabs")


async def kept_for_offline(page: Page) -> None:
    """The service worker has everything that the app is made of."""
    await page.evaluate("navigator.serviceWorker.ready")
    await page.wait_for_function("() => caches.keys().then(names => names.some(name => name.startsWith('app-')))")


async def is_accessible(page: Page) -> None:
    await page.evaluate(axe_script())
    found = await page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    assert [f"{each['id']}: {node['target']} {node['failureSummary']}"
            for each in found["violations"] for node in each["nodes"]] == []  # fmt: skip
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"


async def picture(page: Page, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    await page.screenshot(path=PICTURES / f"officer-{name}.png")


async def measured(page: Page) -> None:
    await expect(page.locator(".place-says b")).to_contain_text("±6")


async def test_a_report_takes_at_most_five_taps_and_no_typed_character(phones: Phones, town: Town) -> None:
    async with phones(lang="en", theme="dark") as phone:
        page = await phone.open()
        await enter(page, town, town.officers()[0], "duty phone 7")
        await page.click(".tabs a.main")
        await measured(page)

        # The first time the category is searched: in Chinese, by the first letters of its pinyin, or in English.
        told = await town.client.call("GET", f"/api/v1/categories/{LITTER}", who=await town.person("supervisor"))
        sound = told.body["pinyin"].split()
        for typed in (told.body["name"], "".join(each[0] for each in sound), "".join(sound), told.body["name_en"]):
            await page.fill("[name=category]", typed)
            await expect(page.locator(".found .pick").first).to_contain_text(told.body["name_en"])
        await picture(page, "search-en-dark")

        # "Send" is never dumb: it says what is missing.
        await page.fill("[name=category]", "")
        await page.click("button.send")
        await expect(page.locator(".missing li")).to_have_text(["a category", "a photograph, a voice note or words"])
        await is_accessible(page)
        await picture(page, "missing-en-dark")
        await page.fill("[name=category]", told.body["name"])
        await page.locator(".found .pick").first.click()
        await page.fill("[name=description]", "first of the day")
        await page.click("button.send")
        await expect(page.locator(".sent [role=status]")).to_contain_text("Arrived")
        await picture(page, "sent-en-dark")

        # From opening the app to sent with what was used before.
        await page.goto(phone.url)
        await page.wait_for_selector(".tabs")
        await page.evaluate(
            "['pointerup', 'keydown'].forEach(kind => { window[kind] = 0;"
            " addEventListener(kind, () => { window[kind] += 1; }, true); })"
        )
        await page.tap(".tabs a.main")
        async with page.expect_file_chooser() as chooser:
            await page.tap(".take")
        await (await chooser.value).set_files(photograph(1))
        await page.tap(".chips button")
        await measured(page)
        await expect(page.locator(".photos img")).to_have_count(1)
        await picture(page, "report-en-dark")
        await page.tap("button.send")
        await expect(page.locator(".sent [role=status]")).to_contain_text("Arrived")
        assert await page.evaluate("[pointerup, keydown]") == [4, 0]


async def test_a_poor_fix_wants_the_pin_and_what_is_reported_already_is_offered(phones: Phones, town: Town) -> None:
    officer = town.officers()[3]
    place = {key: town.demo["sample_places"][1][key] for key in ("lon", "lat")} | {"datum": "wgs84"}
    answer = await town.client.call(
        "POST", "/api/v1/reports", who=await town.person(officer), key=str(uuid4()),
        body={"category": LITTER, "description": "早上的", "location": place},
    )  # fmt: skip
    before = answer.body["case"]
    seen = await town.case(before["id"])
    async with phones() as phone:
        page = await phone.open("#/report")
        await enter(page, town, officer)
        await phone.stand(seen["lon"], seen["lat"], accuracy_m=140)
        await page.click("text=重新定位")
        # The circle is drawn at its true size, and nobody sends before the place is confirmed.
        await expect(page.locator(".place [role=alert]")).to_contain_text("±140")
        await page.wait_for_selector(".pinmap[data-idle]")
        await picture(page, "poor-zh-light")
        await is_accessible(page)
        await page.fill("[name=category]", LITTER)
        await page.locator(".found .pick").first.click()
        await page.fill("[name=description]", "就在这里")
        await page.click("button.send")
        await expect(page.locator(".missing li")).to_contain_text(["±140"])
        # By the arrows, as by a tap: now it was put by hand, and somebody has reported the same near by.
        await page.get_by_role("button", name="向北").click()
        await page.get_by_role("button", name="向南").click()
        await expect(page.locator(".place-says b")).to_have_text("手动位置")
        await expect(page.locator(".place-says .cell")).to_contain_text(seen["cell"])
        await expect(page.locator(".alike")).to_contain_text(before["number"])
        await page.locator(".alike li", has_text=before["number"]).get_by_role("button").click()
        await expect(page.locator(".alike .wrong")).to_contain_text("由受理员合并")
        await picture(page, "alike-zh-light")
        await page.click("button.send")
        await expect(page.locator(".sent [role=status]")).to_contain_text("已送达")


async def test_twenty_reports_made_offline_arrive_once_and_whole_through_a_kill_and_a_cut(
    phones: Phones, town: Town, city_database: FreshDatabase
) -> None:
    places = town.demo["sample_places"]
    async with phones() as phone:
        page = await phone.open()
        await enter(page, town, town.officers()[0])
        await kept_for_offline(page)
        await phone.close()  # Chromium writes its cookies down every 30 s, or when it is shut
        page = await phone.open("#/report")
        await measured(page)
        await page.fill("[name=category]", LITTER)
        await page.locator(".found .pick").first.click()
        await phone.offline()

        async def report(n: int) -> None:
            place = places[n % len(places)]
            await phone.stand(place["lon"], place["lat"])
            await page.click("text=重新定位")
            await measured(page)
            await page.locator(".chips button").first.click()
            size = (1600, 1200) if n == 0 else (640, 480)
            await page.set_input_files("[name=photo]", photograph(100 + n, size, claims=n == 1))
            await expect(page.locator(".photos img")).to_have_count(1)
            await page.fill("[name=description]", f"离线上报之{n}")
            await page.click("button.send")
            await expect(page.locator(".sent [role=status]")).to_contain_text("已保存在本机")

        for n in range(10):
            await report(n)
            if n < 9:
                await page.click(".sent button.primary")
        # A draft is begun, and the phone dies.
        await page.click(".sent button.primary")
        await page.fill("[name=description]", "写到一半")
        await page.set_input_files("[name=photo]", photograph(99))
        await expect(page.locator(".photos img")).to_have_count(1)
        await phone.kill()

        page = await phone.open("#/report")
        await phone.offline()
        await expect(page.locator("[name=description]")).to_have_value("写到一半")
        await expect(page.locator(".photos img")).to_have_count(1)
        await page.locator(".photos button").click()
        await expect(page.locator(".net")).to_contain_text("10")
        for n in range(10, 20):
            await report(n)
            if n < 19:
                await page.click(".sent button.primary")
        await page.click(".tabs a[href='#/outbox']")
        await expect(page.locator(".item[data-state=waiting]")).to_have_count(20)
        await is_accessible(page)
        await picture(page, "outbox-offline-zh-light")
        photos = await page.evaluate(
            "new Promise(done => { indexedDB.open('gridsvc.officer').onsuccess = opened => {"
            " opened.target.result.transaction('photos').objectStore('photos').getAll().onsuccess = got =>"
            " done(got.target.result.map(each => [each.sha256, each.blob.size])); }; })"
        )
        assert len(photos) == 21, "twenty in the outbox, and that of the draft, which is let go an hour later"
        del photos[10]

        # The network comes back and breaks in the middle of the first photograph, then it stays.
        whole = photos[0][1]
        phone.line.breaks_after = whole // 2
        await phone.online()
        async with asyncio.timeout(PATIENCE_MS / 1000):
            await phone.line.broke.wait()
        await phone.offline()
        await expect(page.locator(".item").first).to_contain_text("连不上服务器")
        sent = phone.line.sent
        await phone.online()
        await expect(page.locator(".item[data-state=done]")).to_have_count(20)
        await picture(page, "outbox-sent-zh-light")
        assert phone.line.sent - sent < sum(size for _, size in photos), "what had arrived was sent again"
        for visit in phone.visits:
            visit.expect_complaints("ERR_", "Failed to load resource", "WebSocket")

    answer = await town.client.call("GET", "/api/v1/cases?q=离线上报之&limit=100", who=await town.person("supervisor"))
    described = sorted(each["description"] for each in answer.body["items"])
    assert described == sorted(f"离线上报之{n}" for n in range(20))
    async with open_pool(city_database.url) as pool, transaction(pool, SERVICE) as (conn, _):
        rows = await conn.fetch(
            "SELECT encode(a.original, 'hex') AS sha256, told_at, told_lon, told_lat"
            " FROM cases c JOIN attachments a ON a.case_id = c.id"
            " WHERE c.description LIKE '离线上报之%'"
        )
    assert sorted(row["sha256"] for row in rows) == sorted(digest for digest, _ in photos)
    # What the camera wrote into a photograph is told apart from it: the picture that was sent has none of it.
    [told] = [row for row in rows if row["told_at"] is not None]
    assert told["told_at"] == datetime.fromisoformat(TAKEN)
    assert (told["told_lon"], told["told_lat"]) == pytest.approx(TAKEN_AT, abs=1e-6)


@contextmanager
def newer_service(service: LiveService, folder: Path) -> Iterator[int]:
    """The same service with one word changed in its pages, on a port of its own."""
    for name in ("gridsvc", "geo", "events", "workers"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("node_modules", "__pycache__"))
    words = folder / "gridsvc/web/officer/words/en.js"
    text = words.read_text(encoding="utf-8")
    words.write_text(
        text.replace('"report.title": "Report"', '"report.title": "Report, as it is now"'), encoding="utf-8"
    )
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "gridsvc", "serve"], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, env=service.environment | {"GRIDSVC_HTTP_PORT": str(port)},
    )  # fmt: skip
    try:
        until(lambda: serves(port), 30, "the newer service listens")
        yield port
    finally:
        process.terminate()
        process.wait(15)


def serves(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


async def test_a_newer_app_is_offered_and_taken_without_losing_the_draft(
    phones: Phones, town: Town, tmp_path: Path
) -> None:
    async with phones(lang="en") as phone:
        page = await phone.open("#/report")
        await enter(page, town, town.officers()[1], "")
        await kept_for_offline(page)
        await page.reload()
        await page.fill("[name=description]", "half a sentence")
        old = await page.get_attribute("script[type=module]", "src")
        with newer_service(town.service, tmp_path) as port:
            phone.line.to_port = port
            phone.line.down()  # whoever was connected asks the new one
            phone.line.up = True
            # The old page goes on with its own files, and finds the new ones by itself.
            await page.reload()
            assert await page.get_attribute("script[type=module]", "src") == old
            await expect(page.locator(".newer")).to_contain_text("A new version is here")
            await page.evaluate("() => scrollTo(0, document.body.scrollHeight)")  # nothing half below the bar
            await is_accessible(page)
            await picture(page, "newer-en-light")
            async with page.expect_navigation():
                await page.click(".newer button")
            await expect(page.locator("h1")).to_have_text("Report, as it is now")
            await expect(page.locator("[name=description]")).to_have_value("half a sentence")
            assert await page.get_attribute("script[type=module]", "src") != old
            assert (
                len(await page.evaluate("caches.keys().then(all => all.filter(name => name.startsWith('app-')))")) == 1
            )
            await page.wait_for_selector(".net.on")
        phone.visits[0].expect_complaints("ERR_", "WebSocket")


async def test_a_lost_phone_is_signed_out_from_another(phones: Phones, town: Town) -> None:
    username = town.officers()[2]
    answer = await town.client.call(
        "POST",
        "/api/v1/auth/login",
        body={"username": username, "password": town.password(username), "label": "旧手机"},
    )
    async with phones() as phone:
        page = await phone.open("#/me")
        await page.fill("[name=username]", "half a na")
        for _ in range(2):  # the door is drawn anew, in the other language and back
            await page.click(".door button.quiet")
        await expect(page.locator("[name=username]")).to_have_value("half a na")
        await enter(page, town, username)
        await expect(page.locator(".device").first).to_contain_text("本机")
        await expect(page.locator(".device")).to_have_count(2)
        await is_accessible(page)
        await picture(page, "me-zh-light")
        await page.locator(".device", has_text="旧手机").get_by_role("button").click()
        await expect(page.locator(".device")).to_have_count(1)
        spent = await town.client.call(
            "POST", "/api/v1/auth/refresh", body={"refresh_token": answer.body["refresh_token"]}
        )
        assert spent.status == 401

        # Without a network it opens all the same, as whoever was in; the page says so.
        await kept_for_offline(page)
        await phone.offline()
        await page.reload()
        await expect(page.locator(".net.off")).to_be_visible()
        await expect(page.locator(".me b").first).to_be_visible()

        # A report is made, and meanwhile somebody ends this phone's session: it says so at the door, and loses nothing.
        await page.click(".tabs a.main")
        await measured(page)
        await choose(page)
        await page.fill("[name=description]", "断网时写的")
        await page.click("button.send")
        await expect(page.locator(".sent [role=status]")).to_contain_text("已保存在本机")
        await ended_from_elsewhere(town, username)
        await phone.online()
        await expect(page.locator(".door")).to_contain_text("登录已失效")
        await expect(page.locator(".door")).to_contain_text("本机有 1 条待发送")
        await picture(page, "revoked-zh-light")
        await is_accessible(page)
        # Whoever else takes this phone sees that something waits, and does not send it.
        await enter(page, town, town.officers()[4])
        await page.click(".tabs a[href='#/outbox']")
        await expect(page.locator(".item")).to_contain_text("属于另一位用户")
        await expect(page.locator(".item button")).to_have_count(0)
        page.on("dialog", lambda asked: asyncio.ensure_future(asked.accept()))
        await page.click(".tabs a[href='#/me']")
        await page.get_by_role("button", name="退出登录").click()
        await enter(page, town, username)
        await page.click(".tabs a[href='#/outbox']")
        await expect(page.locator(".item")).to_have_attribute("data-state", "done")
        assert await filed(town, "断网时写的") == [(await town.person(username)).user_id]
        # The cookie is another every day: here the day is over at once.
        before = await cookies_of(page)
        await page.evaluate(_A_DAY_AGO)
        async with page.expect_response("**/api/v1/auth/session/renew") as renewed:
            await page.reload()
        assert (await renewed.value).status == 204
        assert await cookies_of(page) != before
        await page.reload()
        await expect(page.locator(".net.on")).to_be_visible()
        phone.visits[0].expect_complaints("ERR_", "status of 401", "WebSocket")


_A_DAY_AGO = """() => new Promise((done, failed) => {
  const opened = indexedDB.open('gridsvc.officer');
  opened.onerror = failed;
  opened.onsuccess = () => {
    const change = opened.result.transaction('facts', 'readwrite');
    change.objectStore('facts').put({name: 'renewed', value: 0});
    change.oncomplete = () => { opened.result.close(); done(true); };
  };
})"""


async def cookies_of(page: Page) -> set[str]:
    return {each.get("value", "") for each in await page.context.cookies()}


async def ended_from_elsewhere(town: Town, username: str) -> None:
    """Every session of this person that is a phone's is ended."""
    who = await town.person(username)
    answer = await town.client.call("GET", "/api/v1/auth/sessions", who=who)
    for each in answer.body["items"]:
        if each["label"] == "值班手机 7":
            gone = await town.client.call("DELETE", f"/api/v1/auth/sessions/{each['id']}", who=who, key=str(uuid4()))
            assert gone.good, gone.body


async def filed(town: Town, words: str) -> list[str]:
    """Who reported each case that says this."""
    who = await town.person("supervisor")
    found = await town.client.call("GET", f"/api/v1/cases?q={words}", who=who)
    rows = [
        await town.client.call("GET", f"/api/v1/cases/{each['id']}/history", who=who) for each in found.body["items"]
    ]
    return [each.body["items"][0]["actor"].removeprefix("user:") for each in rows]


async def choose(page: Page) -> None:
    await page.fill("[name=category]", LITTER)
    await page.locator(".found .pick").first.click()


async def test_what_was_taken_and_not_answered_is_sent_again_by_the_same_name_also_by_a_worker_alone(
    phones: Phones, town: Town
) -> None:
    async with phones() as phone:
        page = await phone.open("#/report")
        await enter(page, town, town.officers()[0])
        await kept_for_offline(page)
        await phone.close()  # Chromium writes its cookies down
        page = await phone.open("#/report")
        taken, died = asyncio.Event(), asyncio.Event()

        async def unanswered(route: Route) -> None:
            answer = await route.fetch()
            assert answer.status == 201
            taken.set()  # and the phone never hears of it
            await died.wait()
            with contextlib.suppress(Error):
                await route.abort()

        await page.route("**/api/v1/reports", unanswered)
        await measured(page)
        await choose(page)
        await page.fill("[name=description]", "没听到回答")
        await page.click("button.send")
        async with asyncio.timeout(PATIENCE_MS / 1000):
            await taken.wait()
        await phone.kill()
        died.set()
        page = await phone.open("#/outbox")
        await expect(page.locator(".item")).to_have_attribute("data-state", "done")
        assert len(await filed(town, "没听到回答")) == 1

        # An answer that breaks off on a page that lives is the same.
        taken.clear()

        async def broken(route: Route) -> None:
            answer = await route.fetch()
            assert answer.status == 201
            await (route.abort() if not taken.is_set() else route.fulfill(response=answer))
            taken.set()

        await page.route("**/api/v1/reports", broken)
        await page.click(".tabs a.main")
        await measured(page)
        await choose(page)
        await page.fill("[name=description]", "回答断了")
        await page.click("button.send")
        await page.click(".tabs a[href='#/outbox']")
        await expect(page.locator(".item[data-state=done]")).to_have_count(2)
        await expect(page.locator(".outbox")).to_contain_text(re.compile(r"已用 [\d,]+ MB，可用 [1-9][\d,]* MB"))
        assert len(await filed(town, "回答断了")) == 1

        # No page of the app is open any more: the browser wakes the worker when there is a network (Background Sync).
        await page.click(".tabs a.main")
        await measured(page)
        await choose(page)
        await page.fill("[name=description]", "由后台送出")
        await phone.offline()
        # A browser without a screen has this switched off for pages: it only tells what it was asked for.
        await page.evaluate("() => { SyncManager.prototype.register = async tag => { window.tag = tag; }; }")
        await page.click("button.send")
        await expect(page.locator(".sent [role=status]")).to_contain_text("已保存在本机")
        await page.wait_for_function("() => window.tag !== undefined")
        sync = await background_sync(page, await page.evaluate("tag"))
        await page.goto("about:blank")
        await phone.online()
        assert await filed(town, "由后台送出") == []
        await sync()
        await patiently.until(partial(filed, town, "由后台送出"), what="the report to be sent by the worker")
        assert len(await filed(town, "由后台送出")) == 1
        for visit in phone.visits:
            visit.expect_complaints("ERR_", "Failed to load resource", "WebSocket")


async def background_sync(page: Page, tag: str) -> Callable[[], Awaitable[Any]]:
    """What wakes the worker, as the browser does when the network is back."""
    talk = await page.context.new_cdp_session(page)
    found: list[str] = []
    talk.on(
        "ServiceWorker.workerRegistrationUpdated",
        lambda told: found.extend(each["registrationId"] for each in told["registrations"]),
    )
    await talk.send("ServiceWorker.enable")
    which = {"origin": await page.evaluate("location.origin"), "registrationId": found[-1], "tag": tag}
    return partial(talk.send, "ServiceWorker.dispatchSyncEvent", {**which, "lastChance": False})


# A cheap phone: no WebGL 2, and every Chinese character is the same box to it.
POOR = """
  const context = HTMLCanvasElement.prototype.getContext;
  HTMLCanvasElement.prototype.getContext = function (kind, ...how) {
    return kind === 'webgl2' ? null : context.call(this, kind, ...how);
  };
  const fill = OffscreenCanvasRenderingContext2D.prototype.fillText;
  OffscreenCanvasRenderingContext2D.prototype.fillText = function (text, ...at) {
    fill.call(this, /[网格]/.test(text) ? '?' : text, ...at);
  };
"""

BOXES = """async () => {
  const boxes = [];
  for (const letter of new Set(document.body.innerText)) {
    await document.fonts.load(`16px 'Noto Sans SC Variable'`, letter).catch(() => boxes.push(letter));
  }
  return boxes;
}"""

OLDER = """async () => {
  const kept = await caches.open('fonts');
  for (const { url } of (await kept.keys()).filter((_, n) => n % 2)) {
    await kept.put(url.replace(/static\\/[^/]+/, 'static/0000'), await kept.match(url));
    await kept.delete(url);
  }
}"""

LETTERS = """async () => {
  const here = document.querySelector('script[type=module]').src;
  const of = each => import(new URL(each, here));
  const { slicesOf } = await of('letters.js');
  const { zh } = await of('words/zh-CN.js'), { zh: shared } = await of('../shared/words/zh-CN.js');
  const answers = await (await of('keep.js')).answers();
  if (!answers.some(each => each.path === '/api/v1/categories')) return { missing: -1 };
  const wanted = slicesOf(JSON.stringify([zh, shared, answers]));
  const kept = await caches.open('fonts');
  let bytes = 0, missing = 0;
  for (const file of wanted) {
    const there = await kept.match(new URL(`../vendor/noto-sans-sc/${file}`, here));
    if (there) bytes += (await there.arrayBuffer()).byteLength; else missing += 1;
  }
  return { slices: wanted.length, missing, bytes };
}"""


BEFORE = re.compile("1 小时.*前测的")

MEASURED_BEFORE = """async ([lon, lat]) => {
  const here = document.querySelector('script[type=module]').src;
  const { draft, putDraft, drafts } = await import(new URL('keep.js', here));
  const [{ by }] = (await drafts()).filter(each => each.name === 'report');
  const place = { lon, lat, accuracy_m: 6, taken_at: Date.now() - 3_600_000, by: 'gps' };
  await putDraft('report', by, { ...await draft('report', by), place });
}"""


async def test_a_phone_without_webgl_and_without_a_chinese_font_draws_map_and_words_also_offline(
    phones: Phones, town: Town
) -> None:
    place = town.demo["sample_places"][0]
    cell = (await town.client.call(
        "GET", f"/api/v1/cells?lon={place['lon']}&lat={place['lat']}&datum=wgs84", who=await town.person("dispatcher")
    )).body  # fmt: skip
    async with phones() as phone:
        page = await phone.open()
        await page.context.add_init_script(POOR)
        await page.reload()
        await enter(page, town, f"officer-{cell['divisions'][2]}-sanitation-1")
        await kept_for_offline(page)
        await expect(page.locator(".home [role=note]")).to_contain_text("WebGL 2")
        assert await page.locator(".plain-cell").count() > 5
        await picture(page, "plain-home-zh-light")
        await is_accessible(page)

        async def letters() -> tuple[int, int] | None:
            found = await page.evaluate(LETTERS)
            return None if found["missing"] else (found["slices"], found["bytes"])

        cost = await patiently.until(letters, what="every letter of the app to be kept")
        assert cost is not None
        slices, size = cost
        assert slices <= 40, "of 101: those that its words, its tasks and the city's categories are written in"
        assert size < 2_200_000

        # Offline, and with the browser's own cache gone, pages that were never looked at are words and not boxes,
        # also by letters that an older app had kept.
        await page.evaluate(OLDER)
        talk = await page.context.new_cdp_session(page)
        await talk.send("Network.clearBrowserCache")
        await phone.offline()
        await page.reload()
        for path in ("visits", "patrol", "outbox", "me", "self", "report"):
            await page.evaluate("to => { location.hash = '#/' + to }", path)
            await page.wait_for_selector(".page-title")
            await expect(page.locator("[role=status]:has-text('载入')")).to_have_count(0)
            assert await page.evaluate(BOXES) == [], path

        # The report's pin is put on the plain map, under a circle of the true size.
        await phone.stand(place["lon"], place["lat"], accuracy_m=140)
        await page.click("text=重新定位")
        await page.wait_for_selector(".plain-fix")
        await page.locator(".plain-pin").evaluate("pin => pin.scrollIntoView({ block: 'center' })")
        await page.locator(".plain-pin").click()
        await expect(page.locator(".place-says b")).to_have_text("手动位置")
        await expect(page.locator(".place-says .cell")).to_contain_text(cell["cell"][:9])
        await picture(page, "plain-pin-zh-light")
        await is_accessible(page)

        # A place that was measured an hour before, when no fix comes now: it is never sent unsaid.
        await page.evaluate(MEASURED_BEFORE, [place["lon"], place["lat"]])
        assert phone.context is not None
        await phone.context.set_geolocation(None)
        await page.reload()
        await expect(page.locator(".place [role=alert]")).to_contain_text(BEFORE)
        await page.click("button.send")
        await expect(page.locator(".missing")).to_contain_text(BEFORE)
        await picture(page, "before-zh-light")
        await page.get_by_role("button", name="位置正确").click()
        await expect(page.locator(".missing")).not_to_contain_text(BEFORE)
        await expect(page.locator(".place-says b")).to_have_text("手动位置")
        phone.visits[0].expect_complaints("ERR_", "WebSocket")
