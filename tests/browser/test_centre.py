"""The control centre as people use it: a real browser before real processes."""

from __future__ import annotations

import asyncio
import json
import random
import signal
from datetime import timedelta
from typing import Any

import aiohttp
import pytest
from playwright.async_api import Page, Playwright, expect

from gridsvc.db import SERVICE, open_pool, transaction
from tests.acceptance.running_city import ASKED
from tests.browser.conftest import (
    BILLS,
    EMERGENCY,
    LITTER,
    PATIENCE_MS,
    PICTURES,
    Desk,
    Held,
    Town,
    Visit,
    axe_script,
    chromium,
    sign_in,
    visiting,
)
from tests.conftest import CityClock
from tests.integration.patiently import until
from tests.servers import FreshDatabase

expect.set_options(timeout=PATIENCE_MS)


def row(visit: Visit, case: dict[str, Any]) -> Any:
    return visit.page.locator(f"[data-case='{case['id']}']")


async def picture(visit: Visit, name: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    await visit.page.screenshot(path=PICTURES / f"{name}.png")


async def test_who_gives_a_wrong_password_is_told_and_tries_again(browser: Any, town: Town) -> None:
    async with visiting(browser, town, lang="en", theme="light", size=(1280, 720)) as visit:
        await visit.page.fill("[name=username]", "dispatcher")
        await visit.page.fill("[name=password]", "not this one")
        await visit.page.click("form button.primary")
        await expect(visit.page.locator(".wrong")).to_have_text("Name and password do not go together.")
        await is_accessible(visit, *BOTH)
        visit.expect_complaints("status of 401")
        await sign_in(visit, town, "dispatcher")
        await visit.page.click(".who-button")
        await visit.page.click("text=Sign out")
        await expect(visit.page.locator("form [name=password]")).to_be_visible()
        await visit.page.reload()
        await expect(visit.page.locator("form [name=password]")).to_be_visible()


async def test_a_refusal_to_a_session_before_does_not_end_the_next(desk: Desk, town: Town) -> None:
    late = Held(status=401)
    async with desk("acceptor") as visit:
        page = visit.page
        await page.route("**/api/v1/held", late)
        await page.evaluate(_ASKED_IN_THE_SESSION_BEFORE)
        await late.has_come.wait()
        await page.click(".who-button")
        await page.click("text=Sign out")
        await sign_in(visit, town, "dispatcher")
        late.let_go()
        assert await page.evaluate("() => answered") == {"status": 401, "still_in": "dispatcher"}
        visit.expect_complaints("status of 401")


_ASKED_IN_THE_SESSION_BEFORE = """async () => {
  const here = document.querySelector('script[type=module]').src;
  const { ask, person } = await import(new URL('../shared/service.js', here));
  window.answered = ask('/api/v1/held').catch(({status}) => ({status, still_in: person.peek()?.username ?? null}));
}"""


async def test_a_dispatcher_sends_on_what_is_given_back_by_keyboard_and_sees_it_come_again(
    desk: Desk, town: Town
) -> None:
    async with desk("dispatcher") as visit:
        page = visit.page
        await expect(page.locator(".empty")).to_contain_text("Nothing waits for you.")
        # Somebody reports, and a department gives it back: it appears here, and the page is not loaded anew.
        case = await town.given_back()
        await expect(row(visit, case)).to_contain_text("to dispatch")
        await page.keyboard.press("j")
        await page.keyboard.press("Enter")
        await expect(page.locator(".drawer h2")).to_contain_text("Illegal bills")
        await expect(page.locator(".drawer .history")).to_contain_text("not our wall")

        await page.get_by_role("button", name="Forward", exact=True).click()
        await expect(page.locator(".move-form")).to_contain_text("Sends what was given back to another owner")
        await page.click(".move-form button.primary")
        await expect(page.locator(".move-form .wrong")).to_have_text(
            "Choose an officer or a department, and only one of them."
        )
        visit.expect_complaints("status of 422", "status of 409")  # a rung may have fired meanwhile: nobody is asked
        await page.select_option("[name=department]", "cleansing")
        await page.click(".move-form button.primary")
        await expect(page.locator(".said")).to_contain_text("Forward: done")
        visit.expect_complaints("status of 409")
        await expect(row(visit, case)).to_have_count(0)
        await expect(page.locator(".drawer .state")).to_have_text("assigned")

        answer = await town.move(town.handler("cleansing", case), case, "return", reason="belongs to somebody else")
        assert answer.status == 200, answer.body
        await expect(row(visit, case)).to_contain_text("to dispatch")
        await expect(page.locator(".drawer .history")).to_contain_text("belongs to somebody else")
        await page.keyboard.press("Escape")
        await expect(page.locator(".drawer")).to_have_count(0)


async def test_of_two_who_change_one_case_the_second_has_the_choice_and_keeps_his_words(desk: Desk, town: Town) -> None:
    case = await town.report(BILLS)
    await town.settled(case["id"], lambda each: each["state"] == "assigned")
    here = f"panel=cases&case={case['id']}"
    async with desk("dispatcher", query=here) as visit, desk("supervisor", lang="zh-CN", query=here) as other:
        page, theirs = visit.page, other.page
        await page.get_by_role("button", name="Assign", exact=True).click()
        await page.select_option("[name=department]", "cleansing")
        await page.fill("[name=note]", "before the market opens")
        await theirs.get_by_role("button", name="派遣", exact=True).click()
        await theirs.select_option("[name=department]", "water")
        await theirs.fill("[name=note]", "桥上有人看见")
        await theirs.click(".move-form button.primary")
        await expect(page.locator(".drawer .history")).to_contain_text("桥上有人看见")

        # The second is told who did what, and decides: his own all the same, or to look at theirs first.
        await page.click(".move-form button.primary")
        choice = page.locator(".conflict")
        await expect(choice).to_contain_text("Somebody changed the case just now.")
        await expect(choice).to_contain_text(f"Assign {await town.name('supervisor')}")
        visit.expect_complaints("status of 409")
        assert (await town.case(case["id"]))["department"] == "water"
        await expect(page.locator("[name=note]")).to_have_value("before the market opens")
        await expect(page.get_by_role("button", name="Do it all the same")).to_be_in_viewport(ratio=1)
        await is_accessible(visit)
        await picture(visit, "conflict")
        await page.get_by_role("button", name="Do it all the same").click()
        await expect(page.locator(".drawer .history")).to_contain_text("before the market opens")
        assert (await town.case(case["id"]))["department"] == "cleansing"

        # What is possible no more takes away no words either: they can be read, and theirs looked at.
        await theirs.get_by_role("button", name="派遣", exact=True).click()
        await theirs.fill("[name=note]", "请先去北门")
        await town.moved("dispatcher", case, "cancel", reason="reported twice")
        await expect(theirs.locator(".conflict")).to_contain_text("不能再做此操作")
        await expect(theirs.locator("[name=note]")).to_have_value("请先去北门")
        await theirs.get_by_role("button", name="先看新的情况").click()
        await expect(theirs.locator(".conflict, .move-form")).to_have_count(0)
        await expect(theirs.locator(".drawer .history")).to_contain_text("reported twice")


async def test_an_alarm_is_seen_and_heard_until_somebody_acknowledges_it_by_name(
    desk: Desk, town: Town, city_database: FreshDatabase
) -> None:
    late = await town.report(BILLS)
    await town.settled(late["id"], lambda each: each["state"] == "assigned")
    async with desk("supervisor") as first, desk("dispatcher", lang="zh-CN", theme="light") as second:
        for visit in (first, second):
            await visit.page.add_init_script(_COUNTS)
            await visit.page.goto(f"{town.service.url}/?panel=cases")
            await visit.page.wait_for_selector(".is-live .age.live")
            await visit.page.keyboard.press("j")  # a browser lets no page sound that nobody has touched
        page = first.page

        await _storm(town)
        for visit, words in ((first, "Camera storm"), (second, "摄像机事件激增")):
            await expect(visit.page.locator(".alarm.camera_storm")).to_contain_text(words)
            await until_heard(visit.page, [660])
        await CityClock(city_database.owner_url).forward(timedelta(days=6))
        for visit, words in ((first, "Escalation"), (second, "升级")):
            await expect(visit.page.locator(".alarm.escalation").first).to_contain_text(words)
            await until_heard(visit.page, [660])

        # One desk is muted by somebody whose name it remembers; the other is loud.
        await second.page.locator(".bell > button").click()
        await second.page.get_by_label("本机播放提示音").uncheck()
        await second.page.reload()
        await second.page.wait_for_selector(".is-live .age.live")
        await second.page.keyboard.press("j")
        case = await town.report(EMERGENCY)
        emergency = f".alarm.emergency:has-text('{case['number']}')"
        await until_heard(page, [880, 660])
        await expect(second.page.locator(emergency)).to_contain_text("紧急案卷")
        muted_by = f"提示音已由{await town.name('dispatcher')}在本机关闭"
        await expect(second.page.locator(".alarms")).to_contain_text(muted_by)
        assert await second.page.evaluate("() => heard") == []
        await is_accessible(first)
        await is_accessible(second)
        await picture(first, "alarms-en-dark")
        await picture(second, "alarms-zh-light")

        # Nothing on the page flashes more than three times in a second, however much comes at once.
        await page.goto(f"{town.service.url}/?panel=cases&order=newest")
        await page.wait_for_selector(".is-live .age.live")
        at_once = await asyncio.gather(*(town.report(LITTER) for _ in range(8)))
        for each in at_once:
            await expect(row(first, each)).to_be_visible()
        assert 0 < await page.evaluate(_MOST_FLASHES) <= 3
        for each in at_once:
            await town.moved("supervisor", each, "cancel", reason="an exercise")

        await page.locator(emergency).get_by_role("button", name="Open the case").click()
        await expect(page.locator(".drawer .number")).to_have_text(case["number"])
        await page.set_viewport_size({"width": PHONE[0], "height": PHONE[1]})
        assert await page.evaluate(_RINGS_ABOVE), "what rings lies over the case"
        await fits(first)
        await picture(first, "alarms-en-dark-360")
        await page.set_viewport_size({"width": DESK[0], "height": DESK[1]})
        await page.locator(emergency).get_by_role("button", name="Acknowledge", exact=True).click()
        name = await town.name("supervisor")
        for visit, words in ((first, f"{name} has acknowledged it"), (second, f"{name}已确认知晓")):
            await expect(visit.page.locator(emergency)).to_have_count(0)
            await expect(visit.page.locator(".said")).to_contain_text(words)
        await second.page.locator(".bell > button").click()
        await expect(second.page.locator(".bell-menu")).to_contain_text(f"{name}已确认知晓")
        await expect(second.page.get_by_label("本机播放提示音")).not_to_be_checked()
        await is_accessible(second)


# What an oscillator sounds, tone by tone, and when something on the page begins to move.
_COUNTS = """
  globalThis.heard = [];
  globalThis.flashed = [];
  const start = OscillatorNode.prototype.start;
  OscillatorNode.prototype.start = function (at) { heard.push(this.frequency.value); start.call(this, at); };
  document.addEventListener("animationstart", () => flashed.push(performance.now()));
"""

# Of all that has begun to move, and of each thing that goes on moving: the most in any one second.
_MOST_FLASHES = """() => {
  const within = flashed.map(from => flashed.filter(at => at >= from && at < from + 1000).length);
  const going = document.getAnimations().map(each => {
    const { duration, iterations } = each.effect.getComputedTiming();
    return Math.min(iterations, Math.ceil(1000 / Math.max(1, duration)));
  });
  return Math.max(0, ...within, ...going);
}"""


_RINGS_ABOVE = """() => {
  const [rings, drawer] = [".alarms", ".drawer"].map(each => document.querySelector(each).getBoundingClientRect());
  return rings.bottom <= drawer.top && drawer.height > innerHeight / 3;
}"""


async def until_heard(page: Page, tones: list[int]) -> None:
    """The desk has sounded these, one after the other; what it has heard before is forgotten then."""
    await page.wait_for_function(
        "tones => { const at = heard.join().indexOf(tones.join()); if (at >= 0) heard.length = 0; return at >= 0; }",
        arg=tones,
    )


async def _storm(town: Town) -> None:
    """One camera says ever new things, many more than it may."""
    cameras = await town.client.call("GET", "/api/v1/cameras?limit=1", who=await town.person("admin"))
    key = next(each["key"] for each in town.demo["api_keys"] if "camera-events:write" in each["scopes"])
    events = [
        {
            "specversion": "1.0", "id": f"storm-{n}", "source": "/storm", "type": "cn.grid.camera",
            "subject": cameras.body["items"][0]["code"], "data": {"kind": "crowd", "phase": "pulse", "zone": f"z{n}"},
        }
        for n in range(100)
    ]  # fmt: skip
    headers = {"X-API-Key": key, "Content-Type": "application/cloudevents-batch+json"}
    async with aiohttp.ClientSession(headers=headers) as http:
        for batch in range(7):
            said = json.dumps([{**each, "id": f"{each['id']}-{batch}"} for each in events])
            async with http.post(f"{town.service.url}/api/v1/camera-events", data=said) as answer:
                assert answer.status == 202, await answer.text()


async def test_what_is_listed_is_what_is_on_the_map(desk: Desk, town: Town) -> None:
    """Not two readings of one store: the rows that stand in the page, and what the map has painted."""
    cases = [await town.report(category) for category in (LITTER, BILLS, LITTER, BILLS, LITTER)]
    dice = random.Random(20261127)
    async with desk("supervisor", size=(1100, 700), query="panel=cases") as visit:
        page = visit.page
        await page.wait_for_selector(".map[data-idle]")
        divisions = await page.evaluate("[...document.querySelectorAll('.where option')].map(each => each.value)")
        places = await page.evaluate(_PLACES)
        some = 0
        for _ in range(20):
            near = dice.choice(places)
            query = {
                "state": dice.choice(["filed", "assigned", "filed,assigned", "filed,assigned", "handled"]),
                "severity": dice.choice(["low", "low,normal", "low,normal", "emergency"]),
                "division": dice.choice(divisions),
                "late": "1",
                "cell": cases[0]["cell"][:9],
                "area": f"circle,{near[0]:.5f},{near[1]:.5f},1500",
            }
            some_of_them = dice.sample(sorted(query), dice.choice([1, 1, 2, 3]))
            words = "&".join(f"{name}={query[name]}" for name in some_of_them if query[name])
            listed, drawn = await page.evaluate(_BOTH, words)
            assert listed == drawn, words
            some += bool(listed)
        listed, drawn = await page.evaluate(_BOTH, "")
        assert listed == drawn
        assert {each["id"] for each in cases} <= set(listed)
        assert some >= 4, "the dice have compared little but empty lists"


_PLACES = """async () => {
  const map = document.querySelector('.map').map;
  return (await map.getSource('cases').getData()).features.map(each => each.geometry.coordinates);
}"""

# The page has the rows in sight alone: the list is scrolled through. On the map a bubble stands for what it is made of.
_BOTH = """async words => {
  history.replaceState(null, '', '?panel=cases&' + words);
  dispatchEvent(new Event('popstate'));
  const drawnOnce = () => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)));
  await drawnOnce();
  const rows = new Set(), list = document.querySelector('#list');
  for (let top = 0; list !== null && top <= list.scrollHeight; top += 200) {
    list.scrollTop = top;
    await drawnOnce();
    for (const each of document.querySelectorAll('#list [data-case]')) rows.add(each.dataset.case);
  }
  const map = document.querySelector('.map').map;
  const idle = new Promise(done => map.once('idle', done));
  map.triggerRepaint();
  await idle;
  const painted = new Set(), source = map.getSource('cases');
  for (const each of map.queryRenderedFeatures({ layers: ['cases', 'emergencies', 'clusters'] })) {
    const { cluster_id: bubble, point_count: many, id } = each.properties;
    if (bubble === undefined) painted.add(id);
    else for (const leaf of await source.getClusterLeaves(bubble, many, 0)) painted.add(leaf.properties.id);
  }
  return [[...rows].sort(), [...painted].sort()];
}"""


async def test_what_breaks_says_how_old_it_is_and_goes_on_where_it_was(desk: Desk, town: Town) -> None:
    async with desk("supervisor", query="panel=cases") as visit:
        page = visit.page
        town.service.end("serve", signal.SIGKILL)
        await expect(page.locator(".age")).to_contain_text("offline, as of")
        await expect(page.locator(".room.is-stale")).to_be_visible()
        town.service.start("serve")
        await page.wait_for_selector(".is-live .age.live")
        case = await town.report(LITTER)
        await expect(row(visit, case)).to_be_visible()
        visit.expect_complaints(
            "ERR_CONNECTION", "WebSocket connection", "ERR_EMPTY_RESPONSE", "ERR_SOCKET", "font face"
        )


async def test_without_webgl_the_plain_map_and_the_forms_work(playwright: Playwright, town: Town) -> None:
    case = await town.report(BILLS)
    plain = await playwright.chromium.launch(executable_path=chromium(), args=["--disable-3d-apis"])
    try:
        async with visiting(plain, town, lang="en", theme="light", size=(1280, 720)) as visit:
            await sign_in(visit, town, "supervisor")
            await visit.page.get_by_role("button", name="Cases", exact=True).click()
            await expect(visit.page.locator(".map-note")).to_contain_text("no WebGL 2")
            await expect(visit.page.locator(".plain-case").first).to_be_visible()
            await row(visit, case).click()
            await visit.page.get_by_role("button", name="Assign", exact=True).click()
            await expect(visit.page.locator(".move-form")).to_be_visible()
            await picture(visit, "without-webgl")
    finally:
        await plain.close()


_DUE = "2026-11-27T10:00:00Z"
_CASE: dict[str, Any] = {
    "state": "assigned", "severity": "normal", "pool": None, "paused": False, "provisional": False, "overdue": False,
    "due_at": _DUE, "since": "2026-11-27T04:00:00Z", "occurred_at": "2026-11-27T01:00:00Z", "officer": None,
    "department": None,
}  # fmt: skip


async def test_the_bar_is_one_decision_and_the_queue_a_table(browser: Any, town: Town) -> None:
    """The rules themselves, in the browser that they run in."""
    bars: list[tuple[dict[str, Any], str, str, float]] = [
        ({}, "2026-11-27T04:00:00Z", "plenty", 1.0),
        ({}, "2026-11-27T07:59:59Z", "plenty", 1 / 3),
        ({}, "2026-11-27T08:00:01Z", "soon", 1 / 3),
        ({}, _DUE, "late", 0.0),
        ({"since": None}, "2026-11-27T05:30:00Z", "plenty", 0.5),  # from when it happened
        ({"paused": True}, "2026-11-27T07:00:00Z", "paused", 0.5),
        ({"paused": True}, "2026-11-28T07:00:00Z", "paused", 0.0),
        ({"due_at": None}, _DUE, "none", 0.0),
        ({"state": "closed"}, _DUE, "over", 0.0),
    ]
    queue: list[tuple[dict[str, Any], str, str | None]] = [
        ({"state": "reported", "pool": "filing"}, "acceptor", "file"),
        ({"state": "reported", "pool": "locate"}, "acceptor", "locate"),
        ({"state": "handled"}, "acceptor", "check"),
        ({"state": "filed", "pool": "dispatch"}, "acceptor", None),
        ({"state": "filed", "pool": "dispatch"}, "dispatcher", "dispatch"),
        ({"state": "filed", "pool": "routing"}, "dispatcher", None),  # routing has it
        ({"overdue": True}, "dispatcher", "late"),
        ({"overdue": True, "paused": True}, "dispatcher", None),
        ({"severity": "emergency"}, "supervisor", "emergency"),
        ({"severity": "emergency"}, "auditor", None),
        ({"department": "water"}, "handler", "department"),
        ({"department": "lamps"}, "handler", None),
        ({"officer": {"id": "me", "name": "x"}}, "officer", "mine"),
    ]
    async with visiting(browser, town, lang="en", theme="dark", size=(1280, 720)) as visit:
        told_bars, told_queue = await visit.page.evaluate(
            """async ([bars, queue]) => {
              const here = document.querySelector('script[type=module]').src;
              const { timeLeft } = await import(new URL('../shared/timeleft.js', here));
              const { waitsFor } = await import(new URL('queue.js', here));
              const ours = role => role === 'handler' ? 'water' : null;
              const person = role => ({ id: 'me', roles: [{ role, division: '6201', department: ours(role) }] });
              return [
                bars.map(([of, now]) => timeLeft(of, Date.parse(now))),
                queue.map(([of, role]) => waitsFor(of, person(role))),
              ];
            }""",
            [
                [[{**_CASE, **of}, now] for of, now, _, _ in bars],
                [[{**_CASE, **of}, role] for of, role, _ in queue],
            ],
        )
    assert [each["standing"] for each in told_bars] == [standing for _, _, standing, _ in bars]
    assert [each["share"] for each in told_bars] == pytest.approx([share for _, _, _, share in bars], abs=1e-3)
    assert told_queue == [why for _, _, why in queue]


async def test_an_auditor_may_look_and_is_told_that_there_is_nothing_to_do(desk: Desk, town: Town) -> None:
    case = await town.report(LITTER)
    async with desk("auditor", query=f"case={case['id']}") as visit:
        await expect(visit.page.locator(".moves")).to_contain_text("nothing for you to do")
        await expect(visit.page.locator(".rail")).not_to_contain_text("My queue")


WIDE, DESK, PHONE = (1920, 1080), (1280, 720), (360, 640)


@pytest.mark.parametrize(
    ("lang", "theme", "sizes"),
    [
        ("zh-CN", "dark", [WIDE, PHONE]), ("en", "light", [WIDE, PHONE]),
        ("en", "dark", [DESK]), ("zh-CN", "light", [DESK]),
    ],
)  # fmt: skip
async def test_it_looks_and_reads_right(
    desk: Desk, town: Town, city_database: FreshDatabase, lang: str, theme: str, sizes: list[tuple[int, int]]
) -> None:
    case = await _a_morning(town, city_database)
    async with desk("supervisor", lang=lang, theme=theme, size=sizes[0]) as visit:
        page = visit.page
        assert await page.evaluate("document.documentElement.lang") == lang
        for width, height in sizes:
            name = f"{lang}-{theme}-{width}x{height}"
            await page.set_viewport_size({"width": width, "height": height})
            await page.goto(f"{town.service.url}/?panel=cases")
            await page.wait_for_selector(".row")
            await fits(visit)
            if width > PHONE[0]:
                await page.click(".legend > button")
                await page.wait_for_selector(".map[data-idle]")
            await is_accessible(visit)
            await picture(visit, f"{name}-list")
            await page.goto(f"{town.service.url}/?panel=cases&case={case['id']}")
            await page.wait_for_selector(".drawer .moves button")
            if width > PHONE[0]:
                await page.wait_for_selector(".map[data-idle]")
            await picture(visit, f"{name}-case")
            await page.click(".drawer .moves button.primary")
            await is_accessible(visit)
            await fits(visit)
            await picture(visit, f"{name}-form")


_MORNING: list[dict[str, Any]] = []


async def _a_morning(town: Town, database: FreshDatabase) -> dict[str, Any]:
    """Reports of many kinds, some of them late by now, and officers on their way; made once for all the pictures."""
    if _MORNING:
        return _MORNING[0]
    for category in ("300301", "200110", "300201", LITTER, "300101", "200110", LITTER):
        await town.report(category)
    case = await town.report(BILLS)
    await town.settled(case["id"], lambda each: each["state"] == "assigned")
    await CityClock(database.owner_url).forward(timedelta(hours=3))
    for category in ("300303", "200118", "300201", "200110", "200201", "300301"):
        await town.report(category, attributes=ASKED.get(category, {}))
    for username in town.officers()[:16]:
        place, officer = next(town.places), await town.person(username)
        await town.duty(username, on=True)
        async with open_pool(database.url, scope=SERVICE, size=1, name="test") as pool, transaction(pool) as (_, now):
            pass
        fix = {
            "lon": place["lon"],
            "lat": place["lat"],
            "datum": "wgs84",
            "accuracy_m": 12,
            "taken_at": now.isoformat(),
        }
        await town.client.call("POST", "/api/v1/positions", who=officer, body={"positions": [fix]}, key=username)
    _MORNING.append(case)
    return case


async def is_accessible(visit: Visit, *themes: str) -> None:
    """axe finds nothing; in each of the themes, where some are named."""
    await visit.page.evaluate(axe_script())
    told = [fault for theme in themes or ("",) for fault in await visit.page.evaluate(_FAULTS, theme)]
    assert told == []


# Colours that are on their way to the other theme are neither.
_FAULTS = """async theme => {
  const root = document.documentElement, before = root.dataset.theme;
  if (theme !== "") root.dataset.theme = theme;
  await Promise.allSettled(document.getAnimations().map(each => each.finished));
  const found = await axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"] });
  root.dataset.theme = before;
  const say = (id, { target, failureSummary }) => `${theme} ${id}: ${target} ${failureSummary}`;
  return found.violations.flatMap(each => each.nodes.map(node => say(each.id, node)));
}"""

BOTH = ("dark", "light")


async def fits(visit: Visit) -> None:
    """Nothing of the room stands beyond the screen's edge; what scrolls by itself may."""
    beyond = await visit.page.evaluate(_BEYOND)
    assert beyond == []


_BEYOND = """() => [...document.querySelectorAll(".room > *, .topbar > *, .panel > *, .drawer > *")]
  .filter(each => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth + 0.5)
  .map(each => each.className)"""


async def test_what_the_policy_keeps_a_page_from_fails_its_test(browser: Any, town: Town) -> None:
    """The check of the checks: an eye from elsewhere is not fetched, is heard on the page, and is counted."""
    async with visiting(browser, town, lang="en", theme="dark", size=(1280, 720)) as visit:
        failed: list[str | None] = []
        visit.page.on("requestfailed", lambda sent: failed.append(sent.failure))
        await visit.page.evaluate("() => { new Image().src = 'https://elsewhere.invalid/eye.png'; }")

        async def heard_and_counted() -> bool:
            heard = any(each.startswith("error: policy: img-src kept the page") for each in visit.complaints)
            return heard and await town.broken_rules() == {"img-src": 1} and failed == ["csp"]

        await until(heard_and_counted, what="the page and the service to tell of it")
        visit.expect_complaints("policy: img-src", "elsewhere.invalid")
    town.brought_about["img-src"] = 1
