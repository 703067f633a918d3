"""A day of an officer with the phone in the hand: duty, tasks as they come, hand-ins without a network, checks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from playwright.async_api import Page, Playwright, expect

from tests.browser.conftest import BILLS, EMERGENCY, LITTER, PATIENCE_MS, Held, Town
from tests.browser.phone import Phone, line_to, photograph
from tests.browser.test_officer_offline import enter, is_accessible, kept_for_offline, picture
from tests.conftest import CityClock
from tests.integration.patiently import until
from tests.servers import FreshDatabase

expect.set_options(timeout=PATIENCE_MS)

Phones = Callable[..., AbstractAsyncContextManager[Phone]]


@pytest.fixture
def phones(playwright: Playwright, town: Town, tmp_path: Path) -> Phones:
    @asynccontextmanager
    async def at(*, lang: str = "en", theme: str = "light") -> AsyncIterator[Phone]:
        place = town.demo["sample_places"][0]
        async with line_to(town.service.port) as line:
            phone = Phone(playwright, tmp_path / f"{lang}-{theme}", line, lang=lang, theme=theme, place=place)
            try:
                yield phone
            finally:
                await phone.close()
        assert [said for visit in phone.visits for said in visit.unforgiven()] == []

    return at


async def asked(town: Town, username: str, path: str) -> Any:
    return (await town.client.call("GET", path, who=await town.person(username))).body


async def on_duty(page: Page, *, on: bool) -> None:
    switch = page.get_by_role("switch")
    await expect(switch).to_be_enabled()  # which side it is on is known
    if (await switch.get_attribute("aria-checked") == "true") is not on:
        await switch.click()
    await expect(switch).to_have_attribute("aria-checked", "true" if on else "false")


async def given(town: Town, officer: str, category: str = LITTER) -> dict[str, Any]:
    """A case that the dispatcher gives to this officer, whoever had it before."""
    place = town.demo["sample_places"][0]
    case = await town.report(category, location={"lon": place["lon"], "lat": place["lat"], "datum": "wgs84"})
    me = (await town.person(officer)).user_id
    await town.settled(
        case["id"], lambda each: each["pool"] not in {"routing", "filing"} and each["state"] != "reported"
    )
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while (await town.case(case["id"]))["officer"] != me:
            answer = await town.move("dispatcher", case, "assign", officer=me)
            assert answer.status in {200, 409}, answer.body
    return await town.case(case["id"])


async def stands(town: Town, case: dict[str, Any], state: str) -> dict[str, Any]:
    return await town.settled(case["id"], lambda each: each["state"] == state)


async def told_all(town: Town, username: str) -> None:
    """The service knows that the phone has everything."""
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while (await asked(town, username, "/api/v1/me/notices"))["items"]:
            pass


async def seen(town: Town, username: str) -> None:
    """The desk sees where this officer is."""
    me = (await town.person(username)).user_id
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while True:
            items = (await asked(town, "dispatcher", "/api/v1/officers?on_duty=true&limit=500"))["items"]
            if any(each["id"] == me and each["position"] for each in items):
                break


async def go(page: Page, to: str) -> None:
    await page.evaluate("to => { location.hash = '#/' + to }", to)


async def made(page: Page, move: str) -> None:
    """A step that needs no words."""
    await page.click(f"[data-move={move}]")


@pytest.mark.parametrize(("lang", "theme"), [("en", "light"), ("zh-CN", "dark")])
async def test_a_day(phones: Phones, town: Town, city_database: FreshDatabase, lang: str, theme: str) -> None:
    officer = await town.beat_officer(1 if lang == "en" else 2)
    async with phones(lang=lang, theme=theme) as phone:
        page = await phone.open()
        await enter(page, town, officer)
        await kept_for_offline(page)
        await expect(page.locator(".empty")).to_be_visible()
        await on_duty(page, on=True)
        me = (await town.person(officer)).user_id
        await seen(town, officer)

        # A task comes while he looks, and the service knows that he has it.
        case = await given(town, officer)
        row = page.locator(f"[data-task='{case['id']}']")
        await expect(row).to_be_visible()
        await expect(page.locator(".fresh")).to_be_visible()
        await told_all(town, officer)
        await page.wait_for_selector(".beat-map[data-idle]")
        await picture(page, f"home-{lang}-{theme}")
        await is_accessible(page)
        await row.click()
        await page.click(".fresh button.quiet")
        await made(page, "accept")
        await stands(town, case, "accepted")
        await phone.stand(case["lon"], case["lat"])
        await page.click("[data-move=arrive]")
        await expect(page.locator(".here p").first).to_contain_text("±6")
        await picture(page, f"arrive-{lang}-{theme}")
        await page.click(".move-form button.primary")
        await expect(page.locator(".move-form")).to_have_count(0)
        await made(page, "start")
        await stands(town, case, "in_progress")

        # The network goes. He hands in with both photographs; meanwhile rungs fire and an order is laid on it.
        await phone.offline()
        await page.click("[data-move=hand_in]")
        await page.set_input_files("input[name=before]", photograph(1))
        await page.set_input_files("input[name=evidence]", [photograph(2), photograph(3)])
        await expect(page.locator(".small-photo img")).to_have_count(3)
        await picture(page, f"hand-in-{lang}-{theme}")
        await is_accessible(page)
        await page.click(".move-form button.primary")
        await expect(row).to_have_attribute("data-state", "handled")
        await go(page, f"task/{case['id']}")
        await expect(page.locator(".waits li")).to_have_attribute("data-state", "waiting")
        await picture(page, f"waiting-{lang}-{theme}")
        assert (await town.move("supervisor", case, "supervise", reason="市民再次来电")).status == 200
        before = (await town.case(case["id"]))["version"]
        await CityClock(city_database.owner_url).forward(timedelta(hours=30))
        await town.settled(case["id"], lambda each: each["version"] > before)
        await phone.online()
        handled = await stands(town, case, "handled")
        await expect(page.locator(".waits li")).to_have_count(0)
        await expect(page.locator(".choice")).to_have_count(0)
        photos = (await asked(town, "supervisor", f"/api/v1/cases/{case['id']}"))["photos"]
        assert sorted(each["purpose"] for each in photos) == ["after", "after", "before"]
        assert handled["officer"] == me

        # Another he gives back, with why; one he puts right himself.
        other = await given(town, officer)
        await go(page, f"task/{other['id']}")
        await page.click("[data-more]")
        await page.click("[data-move=return]")
        await page.select_option("[name=reason_code]", "not_found")
        await page.click(".move-form button.primary")
        await town.settled(other["id"], lambda each: each["officer"] is None)
        await self_handle(page, lang, theme)

        # Somebody wants to know whether it is there: he goes and looks.
        looked = await to_look_at(town, officer, await town.beat_officer(2 if lang == "en" else 1))
        await go(page, "")
        await page.click(f"[data-errand='{looked['check']}']")
        await page.click("[data-move=check]")
        await page.select_option("[name=result]", "confirmed")
        await page.set_input_files("input[name=evidence]", photograph(6))
        await expect(page.locator(".small-photo img")).to_have_count(1)
        await page.click(".move-form button.primary")
        await town.settled(looked["id"], lambda each: each["checker"] is None)
        await go(page, "notices")
        await picture(page, f"notices-{lang}-{theme}")
        await is_accessible(page)
        await told_all(town, officer)
        await go(page, "")
        await on_duty(page, on=False)
        await expect(page.locator("[data-task], [data-errand]")).to_have_count(0)
        for visit in phone.visits:
            visit.expect_complaints(*GONE)


GONE = (
    "ERR_INTERNET_DISCONNECTED",
    "ERR_CONNECTION",
    "ERR_EMPTY_RESPONSE",
    "ERR_SOCKET",
    "ERR_FAILED",
    "WebSocket connection",
    "status of 40[49]",
)


async def self_handle(page: Page, lang: str, theme: str) -> None:
    await go(page, "self")
    await page.set_input_files("input[name=before]", photograph(4))
    await page.set_input_files("input[name=evidence]", photograph(5))
    await page.fill("[name=category]", "green waste" if lang == "en" else "绿化弃料")
    await page.click(".found .pick >> nth=0")
    await picture(page, f"self-{lang}-{theme}")
    await is_accessible(page)
    await page.click("button.send")
    await expect(page.locator(".sent b")).to_contain_text("Arrived" if lang == "en" else "已送达")


async def to_look_at(town: Town, officer: str, handler: str) -> dict[str, Any]:
    """A case that another officer has handed in; this one is sent to look. With the id of the check."""
    case = await given(town, handler)
    for move, body in (("accept", {}), ("hand_in", {"evidence": [await uploaded(town, handler)]})):
        answer = await town.move(handler, case, move, **body)
        assert answer.status == 200, answer.body
    me = (await town.person(officer)).user_id
    answer = await town.move("acceptor", case, "send_check", officer=me)
    assert answer.status == 200, answer.body
    mine = (await asked(town, officer, "/api/v1/me/checks"))["items"]
    return {**case, "check": next(each["id"] for each in mine if each["case_id"] == case["id"])}


async def uploaded(town: Town, who: str) -> str:
    answer = await town.client.upload(await town.person(who), photograph(9)["buffer"], "done.jpg", str(uuid4()))
    assert answer.good, answer.body
    return str(answer.body["items"][0]["id"])


async def test_notices_come_in_order_and_none_is_lost_over_a_break(phones: Phones, town: Town) -> None:
    officer = await town.beat_officer(1)
    async with phones() as phone:
        page = await phone.open()
        await enter(page, town, officer)
        await on_duty(page, on=True)
        case = await given(town, officer)
        await expect(page.locator(f"[data-task='{case['id']}']")).to_be_visible()
        await told_all(town, officer)
        await go(page, "notices")
        reminders = page.locator(".notice", has_text="Reminder")

        # The line breaks while the phone believes that it has a network. What is told meanwhile comes when it is back.
        phone.line.down()
        for words in ("one", "two", "three"):
            assert (await town.move("supervisor", case, "remind", note=words)).status == 200
        await told(town, officer, 3)
        phone.line.up = True
        await expect(reminders).to_have_count(3)
        await told_all(town, officer)
        seqs = await page.evaluate(SEQS)
        assert seqs == sorted(set(seqs), reverse=True)

        # With the phone in the pocket nothing is acknowledged: nobody has seen it. Shown, it is.
        await page.evaluate(POCKET, "hidden")
        assert (await town.move("supervisor", case, "remind", note="four")).status == 200
        await expect(reminders).to_have_count(4)
        await expect(reminders.first).to_contain_text("not acknowledged yet")
        await told(town, officer, 1)
        await page.evaluate(POCKET, "visible")
        await told_all(town, officer)
        await town.duty(officer, on=False)
        phone.visits[0].expect_complaints(*GONE)


SEQS = """async () => {
  const here = document.querySelector('script[type=module]').src;
  const { heard } = await import(new URL('notices.js', here));
  return heard.peek().map(each => each.seq);
}"""

POCKET = """state => {
  Object.defineProperty(document, 'visibilityState', { value: state, configurable: true });
  document.dispatchEvent(new Event('visibilitychange'));
}"""


async def told(town: Town, username: str, count: int) -> None:
    """So many reminders wait for this person, and no more."""
    waiting: list[str] = []
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while len(waiting) < count:
            items = (await asked(town, username, "/api/v1/me/notices"))["items"]
            waiting = [each["id"] for each in items if each["kind"] == "case.reminded"]
    assert len(waiting) == count


async def test_a_phone_is_asked_where_it_is_within_its_budget_and_never_off_duty(phones: Phones, town: Town) -> None:
    officer = await town.beat_officer(2)
    async with phones() as phone:
        page = await phone.open()
        await page.clock.install()
        await page.context.add_init_script(COUNTED)
        await page.reload()
        assert await page.evaluate(BUDGET) == []
        side, time = Held(), Held()
        await page.route("**/api/v1/officers/me/duty", side)
        await page.route("**/api/v1/time", time)
        await enter(page, town, officer)
        await side.has_come.wait()
        await expect(page.get_by_role("switch")).to_be_disabled()  # pressed now it could say the opposite
        side.let_go()
        await expect(page.get_by_role("switch")).to_be_enabled()
        await expect(page.get_by_role("switch")).to_have_attribute("aria-checked", "false")
        await page.clock.fast_forward(7_200_000)
        assert await page.evaluate("asks") == 0, "off duty nobody asks"
        await on_duty(page, on=True)
        await page.wait_for_function("() => asks === 1")
        await until(partial(kept, page, 1), what="the first fix on the phone")
        for _ in range(3):
            await page.evaluate("async () => { await fetch('/readyz') }")
        assert await page.evaluate("sentFixes") == [], "told by a clock that nobody has compared"
        time.let_go()
        await seen(town, officer)
        await until(partial(kept, page, 0), what="the phone to hear that its first fix has arrived")
        await phone.offline()
        for turn in (1, 2, 3):
            await phone.stand(phone.place["lon"] + turn / 1000, phone.place["lat"])
            await page.clock.fast_forward(31_000)
            await until(partial(kept, page, turn), what=f"{turn} fixes on the phone")
        await phone.online()
        await until(partial(kept, page, 0), what="no fix on the phone any more")
        # One batch, in order, each fix with its own time.
        batch = (await page.evaluate("sentFixes"))[-1]
        assert [round((each["lon"] - phone.place["lon"]) * 1000) for each in batch] == [1, 2, 3]
        times = [datetime.fromisoformat(each["taken_at"]) for each in batch]
        assert all(after - before >= timedelta(seconds=31) for before, after in pairwise(times))
        await on_duty(page, on=False)
        asks = await page.evaluate("asks")
        await page.clock.fast_forward(7_200_000)
        assert await page.evaluate("asks") == asks
        phone.visits[0].expect_complaints(*GONE)


async def kept(page: Page, many: int) -> bool:
    return bool(await page.evaluate("keptFixes()") == many)


COUNTED = """
  window.asks = 0;
  const ask = navigator.geolocation.getCurrentPosition.bind(navigator.geolocation);
  navigator.geolocation.getCurrentPosition = (...how) => { window.asks += 1; ask(...how); };
  const send = window.fetch;
  window.sentFixes = [];
  window.fetch = async (path, how) => {
    const answer = await send(path, how);
    if (path === '/api/v1/positions' && answer.ok) window.sentFixes.push(JSON.parse(how.body).positions);
    return answer;
  };
  window.keptFixes = async () => {
    const here = document.querySelector('script[type=module]').src;
    return (await (await import(new URL('keep.js', here))).fixes(500)).length;
  };
"""

BUDGET = """async () => {
  const here = document.querySelector('script[type=module]').src;
  const { HOUR_MS, MOST_MOVING, MOST_STILL, nextAsk, recent } = await import(new URL('asking.js', here));
  const wrong = [];
  // Ten hours each: who walks, who stands, who stops at every light, whose phone is shaken all the time.
  const walks = { walking: () => true, standing: () => false, stopping: n => n % 4 !== 0, often: n => n % 40 < 20 };
  for (const [name, moves] of Object.entries(walks)) for (const shaken of [false, true]) {
    let asked = [], now = 1e9; const all = [];
    for (let n = 0; now < 1e9 + 10 * HOUR_MS; n++) {
      const due = nextAsk(asked, shaken ? now + 1000 : 0);
      now = Math.max(now + 1, due);
      asked = [...recent(asked, now), { at: now, moved: moves(n) }];
      all.push(asked.at(-1));
    }
    for (let n = 0; n < all.length; n++) {
      const hour = all.filter(each => each.at > all[n].at - HOUR_MS && each.at <= all[n].at);
      if (hour.length > MOST_MOVING) wrong.push(`${name}: ${hour.length} in an hour`);
      if (hour.every(each => !each.moved) && hour.length > MOST_STILL) wrong.push(`${name}: ${hour.length} standing`);
    }
    if (name === 'walking' && all.length < 1100) wrong.push(`walking: only ${all.length} in ten hours`);
    if (name === 'standing' && all.length < 35) wrong.push(`standing: only ${all.length} in ten hours`);
  }
  return wrong;
}"""


async def test_what_was_overtaken_is_explained_and_an_emergency_rings_until_it_is_answered(
    phones: Phones, town: Town
) -> None:
    one, other = await town.beat_officer(1), await town.beat_officer(2)
    async with phones(lang="zh-CN", theme="light") as phone:
        page = await phone.open()
        await enter(page, town, one)
        await kept_for_offline(page)
        await on_duty(page, on=True)
        case = await given(town, one)
        row = page.locator(f"[data-task='{case['id']}']")
        await expect(row).to_be_visible()
        await row.click()
        await expect(page.locator("[data-move=accept]")).to_be_visible()
        await phone.offline()
        await made(page, "accept")
        # Nobody waits for the network: the next step is there, behind the first.
        await made(page, "start")
        await expect(page.locator(".waits li")).to_have_count(2)
        await expect(page.locator(".state")).to_have_text("处置中")
        answer = await town.move("dispatcher", case, "assign", officer=(await town.person(other)).user_id)
        assert answer.status == 200, answer.body
        await phone.online()
        await expect(page.locator(".choice")).to_contain_text("派遣")
        await expect(page.locator(".waits li[data-state=waiting]")).to_contain_text("前一步")
        await picture(page, "conflict-zh-light")
        await is_accessible(page)
        page.on("dialog", lambda asked_: asyncio.ensure_future(asked_.accept()))
        for _ in range(2):  # the second step is refused in its turn: nothing goes without his word
            item = await page.locator(".choice").get_attribute("data-item")
            await page.click(".choice button.hurts")
            await expect(page.locator(f".choice[data-item='{item}']")).to_have_count(0)
        await expect(page.locator(".waits")).to_have_count(0)

        await go(page, "")
        emergency = await town.report(
            EMERGENCY, location={"lon": phone.place["lon"], "lat": phone.place["lat"], "datum": "wgs84"}
        )
        await expect(page.locator(".ringing")).to_be_visible()
        await picture(page, "ringing-zh-light")
        await is_accessible(page)
        await page.click(".ringing button.primary")
        await expect(page.locator(".ringing")).to_have_count(0)
        await town.settled(emergency["id"], lambda each: (each["responder"] or each["officer"]) is not None)
        await on_duty(page, on=False)
        phone.visits[0].expect_complaints(*GONE)


async def test_the_same_thing_gets_my_photograph_and_my_voice_and_no_second_case(phones: Phones, town: Town) -> None:
    officer = await town.beat_officer(1)
    case = await given(town, officer)
    async with phones() as phone:
        phone.microphone = "=deny"
        page = await phone.open("#/report")
        await enter(page, town, officer)
        await kept_for_offline(page)
        # The microphone is refused: it says so in words, and the report goes without it.
        await expect(page.locator(".place-says b")).to_contain_text("±6")
        await page.click(".voice > button")
        await expect(page.locator(".voice .wrong")).to_contain_text("write it in words")
        await choose(page, "green waste")
        await page.fill("[name=description]", "nobody heard it")
        await page.click("button.send")
        await expect(page.locator(".sent b")).to_contain_text("Arrived")

        # Whoever sends while it records sends what was said so far, with this report and not with the next.
        await phone.close()
        phone.microphone = ""
        page = await phone.open("#/report")
        patches: list[str] = []
        page.on("request", lambda sent: patches.append(sent.url) if sent.method == "PATCH" else None)
        await expect(page.locator(".place-says b")).to_contain_text("±6")
        await page.click(".chips button")
        await speaks(page)
        await page.click("button.send")
        await expect(page.locator(".sent b")).to_contain_text("Arrived")
        spoken = (await answers_of(page))[-1]["case"]["id"]
        photos = (await asked(town, "supervisor", f"/api/v1/cases/{spoken}"))["photos"]
        assert [(each["kind"], each["purpose"]) for each in photos] == [("sound", "report")]
        assert patches, "it came by tus"

        # Without a network his own tasks near by are offered. Photograph and voice end there, and no case is made.
        before = await cases_of(town)
        await page.click(".tabs a.main")  # as good as "the next report"
        await expect(page.locator(".voice audio")).to_have_count(0)
        await expect(page.locator(".place-says b")).to_contain_text("±6")
        await phone.offline()
        await page.set_input_files("[name=photo]", photograph(11))
        await expect(page.locator(".photos img")).to_have_count(1)
        await speaks(page)
        await page.click(".voice > button")
        await expect(page.locator(".voice audio")).to_have_count(1)
        await page.click(".chips button")
        alike = page.locator(".alike li", has_text=case["number"])
        await page.evaluate("() => scrollTo(0, document.body.scrollHeight)")  # nothing half below the button
        await picture(page, "alike-offline-en-light")
        await is_accessible(page)
        await alike.get_by_role("button").click()
        item = page.locator(".item", has_text=case["number"])
        await expect(item).to_have_attribute("data-state", "waiting")
        await phone.online()
        await expect(item).to_have_attribute("data-state", "done")
        await expect(item).to_contain_text("arrived")
        photos = (await asked(town, "supervisor", f"/api/v1/cases/{case['id']}"))["photos"]
        assert sorted((each["kind"], each["purpose"]) for each in photos) == [("picture", "note"), ("sound", "note")]
        assert await cases_of(town) == before

        # It is heard from the case.
        await go(page, f"task/{case['id']}")
        await page.wait_for_selector(".sound audio")
        await page.wait_for_function(
            "() => [...document.querySelectorAll('.pictures img')].every(each => each.naturalWidth)"
        )
        assert await page.evaluate(HEARD) > 0
        await picture(page, "sound-en-light")
        await is_accessible(page)
        for visit in phone.visits:
            visit.expect_complaints(*GONE)


HEARD = """() => new Promise((told, failed) => {
  const audio = document.querySelector('.sound audio');
  audio.ontimeupdate = () => audio.currentTime > 0 && told(audio.currentTime);
  audio.onended = () => told(audio.currentTime);
  audio.onerror = () => failed(new Error(audio.error.message));
  audio.play();
})"""

ANSWERS = """async () => {
  const here = document.querySelector('script[type=module]').src;
  return (await (await import(new URL('keep.js', here))).items()).map(each => each.answer);
}"""


async def answers_of(page: Page) -> list[Any]:
    return list(await page.evaluate(ANSWERS))


async def choose(page: Page, category: str) -> None:
    await page.fill("[name=category]", category)
    await page.click(".found .pick >> nth=0")


async def speaks(page: Page) -> None:
    """The phone records, and has heard something."""
    await page.click(".voice > button")
    await expect(page.locator(".voice > button")).to_contain_text(re.compile(r"Stop \([1-9]"))


async def cases_of(town: Town) -> set[str]:
    """All that there are."""
    return {each["id"] for each in (await asked(town, "supervisor", "/api/v1/cases?limit=500"))["items"]}


async def test_every_page_is_large_enough_for_a_thumb_and_legible_in_the_sun(phones: Phones, town: Town) -> None:
    officer = await town.beat_officer(1)
    case = await given(town, officer)
    bills = await town.report(BILLS)
    await town.settled(bills["id"], lambda each: each["state"] == "assigned")
    handler = town.handler("enforcement", bills)
    # A department's handler has the tasks of his department in the same app, and none of what is an officer's alone.
    for who, mine, lang, theme in ((officer, case, "en", "dark"), (handler, bills, "zh-CN", "light")):
        async with phones(lang=lang, theme=theme) as phone:
            page = await phone.open()
            await enter(page, town, who)
            for name, path, there in (
                ("home", "", f"[data-task='{mine['id']}']"), ("task", f"task/{mine['id']}", "[data-move=accept]"),
                ("self", "self", "button.send"), ("notices", "notices", ".page-title"),
            ):  # fmt: skip
                if name == "self" and who == handler:
                    await expect(page.get_by_role("switch")).to_have_count(0)
                    continue
                await go(page, path)
                await page.wait_for_selector(there)
                await picture(page, f"{name}-{lang}-{theme}")
                await is_accessible(page)
                assert await page.evaluate(SMALL) == [], name
                assert await page.evaluate(PALE) == [], name


SMALL = """() => [...document.querySelectorAll('.page button, .page a, .page select, .tabs a, .fresh button')]
  .filter(each => each.offsetParent !== null && !each.closest('.maplibregl-map, .small'))
  .map(each => [each.outerHTML.slice(0, 90), each.getBoundingClientRect()])
  .filter(([, box]) => box.height < 48 || box.width < 48).map(([text, box]) => `${text} ${box.width}x${box.height}`)"""

PALE = """async () => {
  const found = await axe.run('.page', { runOnly: { type: 'rule', values: ['color-contrast-enhanced'] } });
  return found.violations.flatMap(each => each.nodes.map(node => node.html.slice(0, 90) + node.failureSummary));
}"""
