"""The control centre as people use it: a real browser before real processes."""

from __future__ import annotations

import random
import signal
from datetime import timedelta
from typing import Any

import pytest
from playwright.async_api import Playwright, expect

from gridsvc.db import SERVICE, open_pool, transaction
from tests.acceptance.running_city import ASKED
from tests.browser.conftest import (
    BILLS,
    EMERGENCY,
    LITTER,
    PATIENCE_MS,
    PICTURES,
    Desk,
    Town,
    Visit,
    axe_script,
    chromium,
    sign_in,
    visiting,
)
from tests.conftest import CityClock
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
        visit.expect_complaints("status of 401")
        await sign_in(visit, town, "dispatcher")
        await visit.page.click(".who-button")
        await visit.page.click("text=Sign out")
        await expect(visit.page.locator("form [name=password]")).to_be_visible()
        await visit.page.reload()
        await expect(visit.page.locator("form [name=password]")).to_be_visible()


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


async def test_who_was_overtaken_has_the_choice_and_keeps_his_words(desk: Desk, town: Town) -> None:
    case = await town.report(BILLS)
    await town.settled(case["id"], lambda each: each["state"] == "assigned")
    async with desk("dispatcher", query=f"panel=cases&case={case['id']}") as visit:
        page = visit.page
        await page.get_by_role("button", name="Assign", exact=True).click()
        await page.select_option("[name=department]", "cleansing")
        await page.fill("[name=note]", "before the market opens")
        assert (await town.move("supervisor", case, "note", note="seen from the bridge")).status == 200
        await expect(page.locator(".drawer .history")).to_contain_text("seen from the bridge")
        await page.click(".move-form button.primary")
        await expect(page.locator(".conflict")).to_contain_text("Somebody changed the case just now.")
        visit.expect_complaints("status of 409")
        await page.get_by_role("button", name="Do it all the same").click()
        await expect(page.locator(".drawer .history")).to_contain_text("before the market opens")
        assert (await town.case(case["id"]))["department"] == "cleansing"


async def test_an_emergency_stands_over_the_map_until_somebody_has_seen_it(desk: Desk, town: Town) -> None:
    async with desk("supervisor") as first, desk("dispatcher", lang="zh-CN") as second:
        case = await town.report(EMERGENCY)
        await expect(first.page.locator(".alarm.emergency")).to_contain_text("Emergency")
        await expect(second.page.locator(".alarm.emergency")).to_contain_text("紧急案卷")
        await first.page.get_by_role("button", name="Open the case").click()
        await expect(first.page.locator(".drawer .number")).to_have_text(case["number"])
        await first.page.get_by_role("button", name="Acknowledge", exact=True).click()
        for visit in (first, second):
            await expect(visit.page.locator(".alarms")).to_have_count(0)


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
            if width > PHONE[0]:
                await page.click(".legend > button")
                await page.wait_for_selector(".map[data-idle]")
            await _is_accessible(visit)
            await picture(visit, f"{name}-list")
            await page.goto(f"{town.service.url}/?panel=cases&case={case['id']}")
            await page.wait_for_selector(".drawer .moves button")
            if width > PHONE[0]:
                await page.wait_for_selector(".map[data-idle]")
            await picture(visit, f"{name}-case")
            await page.click(".drawer .moves button.primary")
            await _is_accessible(visit)
            assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"
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
    async with open_pool(database.url, scope=SERVICE, size=1, name="test") as pool, transaction(pool) as (_, now):
        pass
    for username in town.officers()[:16]:
        place = next(town.places)
        fix = {
            "lon": place["lon"],
            "lat": place["lat"],
            "datum": "wgs84",
            "accuracy_m": 12,
            "taken_at": now.isoformat(),
        }
        officer = await town.person(username)
        await town.client.call("POST", "/api/v1/positions", who=officer, body={"positions": [fix]}, key=username)
    _MORNING.append(case)
    return case


async def _is_accessible(visit: Visit) -> None:
    await visit.page.evaluate(axe_script())
    found = await visit.page.evaluate(
        "axe.run(document, {runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa']})"
    )
    told = [
        f"{each['id']}: {node['target']} {node['failureSummary']}"
        for each in found["violations"]
        for node in each["nodes"]
    ]
    assert told == []


async def test_no_page_was_kept_from_anything_by_its_policy(town: Town) -> None:
    """The last of these tests: what all pages before it have reported."""
    figures = await town.client.call("GET", "/metrics")
    assert "gridsvc_csp_reports_total{" not in str(figures.body)
