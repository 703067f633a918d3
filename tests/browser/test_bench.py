"""What cameras saw and people judge, cameras and their health, officers and duty: in a real browser."""

from __future__ import annotations

import asyncio
import base64
import itertools
from datetime import timedelta
from typing import Final
from uuid import uuid4

import aiohttp
import pytest
from playwright.async_api import expect

from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.local.simulate_picture import picture as drawn_picture
from tests.browser.conftest import LITTER, PATIENCE_MS, Desk, Town, Visit
from tests.browser.test_centre import BOTH, fits, is_accessible, picture
from tests.conftest import CityClock
from tests.servers import FreshDatabase

VERDICTS: Final = {"r": "real", "f": "false", "d": "duplicate"}

_numbers = itertools.count()


async def see(town: Town, kinds: list[str], *, pictures: bool = False) -> None:
    """A program tells what cameras have seen, one each; waits until all of it is before people."""
    shown = {"snapshots": [{"data": base64.b64encode(drawn_picture(3)).decode()}]} if pictures else {}
    before = (await tally(town))["waiting"]
    cameras = await town.client.call("GET", "/api/v1/cameras?limit=48", who=await town.person("admin"))
    codes = itertools.cycle([each["code"] for each in cameras.body["items"] if each["state"] == "active"])
    events = [
        {
            "specversion": "1.0", "id": f"seen-{n}", "source": "/test", "type": "cn.grid.camera", "subject": code,
            "data": {"kind": kind, "zone": f"z{n}", "phase": "pulse", **shown},
        }
        for kind, code, n in ((kind, next(codes), next(_numbers)) for kind in kinds)
    ]  # fmt: skip
    key = next(each["key"] for each in town.demo["api_keys"] if "camera-events:write" in each["scopes"])
    async with (
        aiohttp.ClientSession() as http,
        http.post(
            f"{town.service.url}/api/v1/camera-events", json=events,
            headers={"X-API-Key": key, "Content-Type": "application/cloudevents-batch+json"},
        ) as answer,
    ):  # fmt: skip
        assert answer.status < 300, await answer.text()
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while (await tally(town))["waiting"] < before + len(kinds):
            await town.client.call("GET", "/readyz")


async def tally(town: Town) -> dict[str, int]:
    return dict((await town.client.call("GET", "/api/v1/camera-reviews/tally", who=await town.person("acceptor"))).body)


async def nothing_waits(town: Town) -> None:
    """Somebody elsewhere has judged all of it."""
    acceptor = await town.person("acceptor")
    page = await town.client.call("GET", "/api/v1/camera-reviews?limit=500", who=acceptor)
    for each in page.body["items"]:
        path = f"/api/v1/camera-reviews/{each['id']}/verdict"
        await town.client.call("POST", path, who=acceptor, body={"verdict": "duplicate"}, key=str(uuid4()))


async def judged(town: Town) -> dict[str, str]:
    """Every review that somebody has judged, and how."""
    path = "/api/v1/camera-reviews?judged=true&limit=500"
    page = await town.client.call("GET", path, who=await town.person("acceptor"))
    return {each["id"]: each["verdict"] for each in page.body["items"]}


async def shown(visit: Visit) -> str:
    return str(await visit.page.locator(".bench").get_attribute("data-review"))


async def press(visit: Visit, key: str) -> str:
    """Judge what is shown by one key; which it was. The next is there, or nothing is left."""
    was = await shown(visit)
    await visit.page.keyboard.press(key)
    await expect(visit.page.locator(f"[data-review='{was}']")).to_have_count(0)
    return was


async def kept(town: Town, wanted: dict[str, str]) -> None:
    async with asyncio.timeout(PATIENCE_MS / 1000):
        while not wanted.items() <= (found := await judged(town)).items():
            assert all(found.get(each, verdict) == verdict for each, verdict in wanted.items())


async def test_twenty_are_judged_by_keys_alone_and_every_verdict_is_kept(desk: Desk, town: Town) -> None:
    await see(town, ["street_vendor"] * 24)
    async with desk("acceptor", query="panel=review") as visit, desk("dispatcher", query="panel=review") as other:
        page = visit.page
        await expect(page.locator(".bench h3")).to_contain_text("street vendor")
        await expect(page.locator(".picture")).to_contain_text("There is no picture.")
        said = {await press(visit, key): VERDICTS[key] for key in "rfdrf" * 4}
        assert len(said) == 20
        # A slip of the finger: it is taken back, and judged otherwise.
        slip = await press(visit, "d")
        await page.keyboard.press("u")
        await expect(page.locator(f"[data-review='{slip}']")).to_be_visible()
        said[await press(visit, "f")] = "false"
        assert said[slip] == "false"
        await page.get_by_role("button", name="Cases", exact=True).click()
        await kept(town, said)
        await expect(page.locator(".rail")).to_contain_text("3")

        # Two at one bench: what one has judged is taken from the other, who is told by whom.
        await page.get_by_role("button", name="Review", exact=False).first.click()
        here = await shown(visit)
        await expect(other.page.locator(f"[data-review='{here}']")).to_be_visible()
        await press(other, "f")
        await other.page.get_by_role("button", name="Cases", exact=True).click()
        await expect(page.locator(".said")).to_contain_text("has judged it already: false")
        await expect(page.locator(f"[data-review='{here}']")).to_have_count(0)
        await kept(town, {here: "false"})

        # A word that stands in no label map: real is a category, and the next of its kind has it already.
        await see(town, ["stray_dog", "stray_dog"])
        for _ in range(2):
            await press(visit, "f")
        await expect(page.locator(".bench")).to_contain_text("no label map knows this word")
        await page.keyboard.press("r")
        await expect(page.locator(".bench .wrong")).to_contain_text("Choose what it is")
        await page.select_option(".bench select", index=3)
        first = await press(visit, "r")
        second = await press(visit, "r")
        await expect(page.locator(".empty")).to_contain_text("Nothing waits.")
        await kept(town, {first: "real", second: "real"})
    async with desk("auditor", query="panel=review") as visit:
        await expect(visit.page.locator(".empty")).to_be_visible()
        await see(town, ["street_vendor"])
        await expect(visit.page.locator(".bench")).to_contain_text("Your role may look")
        await expect(visit.page.locator(".verdicts")).to_have_count(0)


async def test_a_supervisor_lets_a_camera_speak_again_and_silences_another(
    desk: Desk, town: Town, city_database: FreshDatabase
) -> None:
    await see(town, ["crowd"])
    async with (
        open_pool(city_database.url, scope=SERVICE, size=1, name="test") as pool,
        transaction(pool) as (conn, now),
    ):
        rows = await conn.fetch("SELECT code FROM cameras WHERE state = 'active' ORDER BY code DESC LIMIT 2")
        quiet, wrong = (row["code"] for row in rows)
        await conn.execute(
            "INSERT INTO camera_health VALUES ($1, $2, $3)"
            " ON CONFLICT (camera) DO UPDATE SET heard_at = $2, offline_since = $3",
            quiet, now - timedelta(hours=3), now - timedelta(hours=2),
        )  # fmt: skip
        await conn.execute(
            "INSERT INTO camera_mutes (id, camera, kind, seen_real, seen_false, muted_at)"
            " VALUES (gen_random_uuid(), $1, 'smoke', 1, 19, $2)",
            wrong, now,
        )  # fmt: skip
    async with desk("supervisor", query="panel=cameras") as visit:
        page = visit.page
        await expect(page.locator(f"[data-camera='{quiet}']")).to_contain_text("for 2 h")
        await expect(page.locator(f"[data-camera='{wrong}']")).to_contain_text("1 muted")
        await page.locator(f"[data-camera='{wrong}'] .link").click()
        await expect(page.locator(".panel-body")).to_contain_text("muted since")
        await page.get_by_role("button", name="Lift").click()
        await expect(page.locator(".said")).to_contain_text("smoke: heard again")
        await expect(page.get_by_role("button", name="Lift")).to_have_count(0)

        await page.get_by_role("button", name="Make a silence").click()
        await is_accessible(visit, *BOTH)
        await page.fill("[name=reason]", "road works until noon")
        await page.get_by_role("button", name="Begin").click()
        await expect(page.locator(".said")).to_contain_text("Silent until")
        await page.get_by_role("button", name="Back to all cameras").click()
        await page.get_by_role("button", name="Silences").click()
        await expect(page.locator(".plain-row")).to_contain_text("road works until noon")
        await expect(page.locator(".plain-row")).to_contain_text(wrong)
        await page.get_by_role("button", name="End now").click()
        await page.get_by_role("button", name="End the silence").click()
        await expect(page.locator(".empty")).to_contain_text("No silence is in force")
    async with desk("admin", query="panel=cameras") as visit:
        page = visit.page
        await page.get_by_role("button", name="Words").click()
        task = page.locator(".plain-row", has_text="crowd")
        await task.get_by_role("button", name="Give it a meaning").click()
        await is_accessible(visit, *BOTH)
        await task.locator("[name=category]").select_option(index=2)
        await task.get_by_role("button", name="Keep").click()
        await expect(page.locator(".said")).to_contain_text("have a meaning now")
        await expect(task).to_have_count(0)


async def walk(town: Town, database: FreshDatabase, username: str, minutes: int) -> None:
    """An officer goes on duty and walks for so long, a fix a minute: what was before his duty is nobody's affair."""
    place, officer = next(town.places), await town.person(username)
    await town.duty(username, on=True)
    await CityClock(database.owner_url).forward(timedelta(minutes=minutes + 1))
    async with open_pool(database.url, scope=SERVICE, size=1, name="test") as pool, transaction(pool) as (_, now):
        pass
    fixes = [
        {
            "lon": place["lon"] + 0.0002 * n, "lat": place["lat"] + 0.0001 * (n % 3), "datum": "wgs84",
            "accuracy_m": 9, "taken_at": (now - timedelta(minutes=minutes - n)).isoformat(),
        }
        for n in range(minutes)
    ]  # fmt: skip
    said = await town.client.call("POST", "/api/v1/positions", who=officer, body={"positions": fixes}, key=username)
    assert said.status == 200, said.body


async def test_who_is_on_duty_where_with_how_much_and_who_takes_over(
    desk: Desk, town: Town, city_database: FreshDatabase
) -> None:
    one, two = town.officers()[20:22]
    await walk(town, city_database, one, 6)
    await walk(town, city_database, two, 2)
    case = await town.report(LITTER)
    officers = await town.client.call("GET", "/api/v1/officers?on_duty=true", who=await town.person("supervisor"))
    his = max(officers.body["items"], key=lambda each: (each["position"] or {"taken_at": ""})["taken_at"])
    async with desk("supervisor", query="panel=officers") as visit:
        page = visit.page
        await expect(page.locator(f"[data-officer='{his['id']}']")).to_contain_text("±9 m")
        await expect(page.locator(f"[data-officer='{his['id']}']")).to_contain_text(f"of {his['most_open']}")
        await page.locator(f"[data-officer='{his['id']}'] .link").click()
        await expect(page.locator(".panel-body")).to_contain_text("fixes since")
        await expect(page.locator(".panel-body")).to_contain_text("Who takes over")
        await page.get_by_role("button", name="Back to all officers").click()
        await page.get_by_role("button", name="Absent").click()
        await page.goto(f"{town.service.url}/?panel=cases&case={case['id']}")
        await expect(page.locator(".drawer .near").first).to_contain_text(f"of {his['most_open']}")


@pytest.mark.parametrize(
    ("lang", "theme", "size"),
    [
        ("zh-CN", "dark", (1920, 1080)), ("en", "light", (1280, 720)), ("zh-CN", "light", (1280, 720)),
        ("en", "dark", (360, 640)),
    ],
)  # fmt: skip
async def test_bench_cameras_and_officers_look_and_read_right(
    desk: Desk, town: Town, lang: str, theme: str, size: tuple[int, int]
) -> None:
    await nothing_waits(town)
    await see(town, ["street_vendor", "stray_dog"], pictures=True)
    name = f"{lang}-{theme}-{size[0]}x{size[1]}"
    async with desk("supervisor", lang=lang, theme=theme, size=size, query="panel=review") as visit:
        page = visit.page
        for panel, ready in (("review", ".bench"), ("officers", ".plain-row"), ("cameras", ".plain-row")):
            if panel != "review":
                await page.locator(".rail-item").nth({"officers": 3, "cameras": 5}[panel]).click()
            await page.wait_for_selector(ready)
            if panel == "review":
                await page.wait_for_function("() => document.querySelector('.picture img')?.naturalWidth > 0")
            if size[0] > 720:
                await page.wait_for_selector(".map[data-idle]")
            await is_accessible(visit)
            await picture(visit, f"{name}-{panel}")
            if panel != "review":
                await page.locator(".plain-row .link").first.click()
                await page.wait_for_selector(".panel-body .facts")
                if size[0] > 720:
                    await page.wait_for_selector(".map[data-idle]")
                await is_accessible(visit)
                await picture(visit, f"{name}-{panel}-one")
            await fits(visit)
