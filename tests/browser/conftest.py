"""A demo city in real processes, people who call it, and a real browser whose every complaint is a failure."""

from __future__ import annotations

import asyncio
import itertools
import json
import re
import shutil
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final
from uuid import uuid4

import aiohttp
import asyncpg
import pytest
from playwright.async_api import Browser, Page, Playwright, Route, async_playwright

from gridsvc.local.city import make_if_empty
from gridsvc.local.service_client import Answer, Login, ServiceClient
from tests.acceptance.live_service import LiveService
from tests.conftest import ROOT
from tests.servers import FreshDatabase, SessionServers

PICTURES: Final = Path(__file__).parent / "pictures"
"""What the pages looked like in this run; ignored by git, for people to look at."""

CHROMIUMS: Final = (
    "chromium-headless-shell", "chromium", "google-chrome",
    "/Applications/Chromium.app/Contents/MacOS/Chromium",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
)  # fmt: skip

PATIENCE_MS: Final = 30_000  # of the page, on a machine that does much else

LITTER: Final = "200118"  # for officers
BILLS: Final = "200201"  # for a department
EMERGENCY: Final = "200501"  # a burst water main

POLICY_IS_HEARD: Final = """
  document.addEventListener("securitypolicyviolation", broken =>
    console.error(`policy: ${broken.effectiveDirective} kept the page from ${broken.blockedURI}`));
"""
"""Whatever the Content-Security-Policy keeps a page from is a complaint of its console, and fails its test."""

# Chromium says so of its software renderer; it is about no page.
_NO_COMPLAINT: Final = re.compile(r"GL Driver Message")


@dataclass
class Town:
    """The running city, and ways to be somebody in it without a browser."""

    service: LiveService
    client: ServiceClient
    demo: dict[str, Any]
    logins: dict[str, Login] = field(default_factory=dict)
    places: Iterator[dict[str, Any]] = field(default_factory=lambda: iter(()))
    brought_about: dict[str, float] = field(default_factory=dict)
    """Rules of the policy that a test has had broken on purpose, and how often."""

    async def broken_rules(self) -> dict[str, float]:
        """What browsers have reported to the service that their policy kept them from, by rule."""
        async with aiohttp.ClientSession() as http, http.get(f"{self.service.url}/metrics") as answer:
            figures = await answer.text()
        assert "# TYPE gridsvc_csp_reports_total counter" in figures
        told = re.findall(r'^gridsvc_csp_reports_total\{directive="([^"]+)"\} (\S+)$', figures, re.MULTILINE)
        return {rule: float(times) for rule, times in told}

    def password(self, username: str) -> str:
        return str(next(each["password"] for each in self.demo["users"] if each["username"] == username))

    async def person(self, username: str) -> Login:
        """Signed in, once."""
        if username not in self.logins:
            login = Login(username, self.password(username))
            await self.client.sign_in(login)
            self.logins[username] = login
        return self.logins[username]

    async def beat_officer(self, number: int, place: Mapping[str, Any] | None = None) -> str:
        """One of those who walk at a place of the demo city; at the first, where the phones of the tests are."""
        at = place or self.demo["sample_places"][0]
        path = f"/api/v1/cells?lon={at['lon']}&lat={at['lat']}&datum=wgs84"
        cell = await self.client.call("GET", path, who=await self.person("dispatcher"))
        return f"officer-{cell.body['divisions'][2]}-sanitation-{number}"

    async def duty(self, username: str, *, on: bool) -> None:
        """An officer goes on duty, or home."""
        answer = await self.client.call(
            "POST", "/api/v1/officers/me/duty", who=await self.person(username), body={"on_duty": on}, key=str(uuid4())
        )
        assert answer.good, answer.body

    async def name(self, username: str) -> str:
        """What the pages call somebody."""
        people = await self.client.call("GET", f"/api/v1/users?q={username}", who=await self.person("admin"))
        return str(next(each["display_name"] for each in people.body["items"] if each["username"] == username))

    async def report(self, category: str = LITTER, **more: object) -> dict[str, Any]:
        """An acceptor takes a report down; the case as it was answered."""
        place = next(self.places)
        body = {
            "category": category, "description": "道路旁有杂物",
            "location": {"lon": place["lon"], "lat": place["lat"], "datum": "wgs84"}, **more,
        }  # fmt: skip
        answer = await self.client.call(
            "POST", "/api/v1/reports", who=await self.person("acceptor"), body=body, key=str(uuid4())
        )
        assert answer.status == 201, answer.body
        return dict(answer.body["case"])

    async def case(self, case_id: str) -> dict[str, Any]:
        answer = await self.client.call("GET", f"/api/v1/cases/{case_id}", who=await self.person("supervisor"))
        return dict(answer.body["case"])

    def officers(self) -> list[str]:
        return [each["username"] for each in self.demo["users"] if each["role"] == "officer"]

    def handler(self, department: str, case: dict[str, Any]) -> str:
        """Who handles for a department in the district of the case."""
        return f"handler-{department}-{case['divisions'][1]['code']}"

    async def given_back(self) -> dict[str, Any]:
        """Illegal bills that the department has given back."""
        case = await self.report(BILLS)
        await self.settled(case["id"], lambda each: each["department"] == "enforcement")
        answer = await self.move(self.handler("enforcement", case), case, "return", reason="not our wall")
        assert answer.status == 200, answer.body
        return case

    async def settled(self, case_id: str, when: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """The case, once routing has made of it what is awaited."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            while not when(case := await self.case(case_id)):
                await self.client.call("GET", "/readyz")  # a round trip more for what goes on
        return case

    async def move(self, who: str, case: dict[str, Any], move: str, **body: object) -> Answer:
        """Somebody else makes a move on the case as it stands now."""
        version = (await self.case(case["id"]))["version"]
        return await self.client.call(
            "POST", f"/api/v1/cases/{case['id']}/{move}", who=await self.person(who), body=body, key=str(uuid4()),
            if_match=f'"{version}"',
        )  # fmt: skip

    async def moved(self, who: str, case: dict[str, Any], move: str, **body: object) -> None:
        """The move is made, whoever else moves the case meanwhile: routing and calls go on by themselves."""
        async with asyncio.timeout(PATIENCE_MS / 1000):
            answer = await self.move(who, case, move, **body)
            while answer.status == 409 and "current_version" in answer.body:
                answer = await self.move(who, case, move, **body)
        assert answer.status == 200, answer.body


@dataclass
class Visit:
    """One page and everything it complained about."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    forgiven: list[str] = field(default_factory=list)

    def expect_complaints(self, *patterns: str) -> None:
        """Forgive those that a test has brought about itself; a browser may tell of them a moment later."""
        self.forgiven += patterns

    def unforgiven(self) -> list[str]:
        """What the page complained about and nobody expected."""
        return [each for each in self.complaints if not any(re.search(p, each) for p in self.forgiven)]


Desk = Callable[..., Any]
"""`async with desk("dispatcher", lang="en") as visit`: somebody who is signed in, before a page."""


@pytest.fixture(scope="module")
def city_database(session_servers: SessionServers) -> Iterator[FreshDatabase]:
    database = session_servers.fresh_database()
    yield database
    session_servers.drop_database(database)


async def _send_home(owner_url: str) -> None:
    """Who has a shift at this hour is on duty in a new demo city, and these tests know no hour."""
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute("UPDATE officers SET on_duty = false")
    finally:
        await owner.close()


@pytest.fixture(scope="module")
def service(
    session_servers: SessionServers, city_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[LiveService]:
    """One service on one demo city for the tests of a file. Nobody is on duty there until a test says so."""
    home, vhost = tmp_path_factory.mktemp("home"), session_servers.fresh_vhost()
    live = LiveService(home, city_database, vhost)
    assert asyncio.run(make_if_empty(city_database.owner_url, home, live.url))
    asyncio.run(_send_home(city_database.owner_url))
    with live:
        yield live
    session_servers.drop_vhost(vhost)


@pytest.fixture(scope="module")
async def town(service: LiveService) -> AsyncIterator[Town]:
    demo = json.loads((service.home / "demo.json").read_text(encoding="utf-8"))
    async with ServiceClient(service.url) as client:
        there = Town(service, client, demo, places=itertools.cycle(demo["sample_places"]))
        yield there
        # Also what no page sees, as in a service worker.
        assert await there.broken_rules() == there.brought_about


@pytest.fixture(scope="session")
async def playwright() -> AsyncIterator[Playwright]:
    async with async_playwright() as started:
        yield started


def chromium() -> str:
    """Where a Chromium is; `make browser` installs one."""
    found = next((path for name in CHROMIUMS if (path := shutil.which(name))), None)
    assert found is not None, "no Chromium here; run make browser"
    return found


@pytest.fixture(scope="session")
async def browser(playwright: Playwright) -> AsyncIterator[Browser]:
    opened = await playwright.chromium.launch(executable_path=chromium())
    yield opened
    await opened.close()


@asynccontextmanager
async def visiting(
    browser: Browser, town: Town, *, lang: str, theme: str, size: tuple[int, int]
) -> AsyncIterator[Visit]:
    """A page before the door. Errors of its console, uncaught ones, and requests to elsewhere fail the test."""
    width, height = size
    context = await browser.new_context(viewport={"width": width, "height": height}, locale=lang)
    context.set_default_timeout(PATIENCE_MS)
    await context.add_init_script(f"localStorage['gridsvc.theme'] ??= '{theme}'")
    await context.add_init_script(POLICY_IS_HEARD)
    page = await context.new_page()
    visit = Visit(page)
    page.on("console", lambda said: complain(visit, said.type, said.text))
    page.on("pageerror", lambda error: visit.complaints.append(f"uncaught: {error}"))
    page.on("request", lambda sent: stay_home(visit, town.service.url, sent.url))
    try:
        await page.goto(town.service.url)
        yield visit
    finally:
        await context.close()
    assert visit.unforgiven() == []


class Held:
    """What a page asks, as a route: it has come, and its answer waits until it is let go. `status`: what it is then."""

    def __init__(self, status: int = 200) -> None:
        self._status = status
        self._go = asyncio.Event()
        self.has_come = asyncio.Event()

    async def __call__(self, route: Route) -> None:
        self.has_come.set()
        await self._go.wait()
        if self._status == 200:
            await route.continue_()
        else:
            await route.fulfill(status=self._status, json={})

    def let_go(self) -> None:
        """Answer it, and whatever is asked from here on."""
        self._go.set()


def complain(visit: Visit, kind: str, text: str) -> None:
    if kind in {"error", "warning"} and not _NO_COMPLAINT.search(text):
        visit.complaints.append(f"{kind}: {text}")


def stay_home(visit: Visit, home: str, url: str) -> None:
    if not url.startswith((home, home.replace("http", "ws", 1), "data:", "blob:")):
        visit.complaints.append(f"left the origin: {url}")


async def sign_in(visit: Visit, town: Town, username: str) -> None:
    """Through the door, until the picture is live."""
    page = visit.page
    await page.fill("[name=username]", username)
    await page.fill("[name=password]", town.password(username))
    await page.click("form button.primary")
    await page.wait_for_selector(".is-live .age.live")


@pytest.fixture(scope="module")
def desk(browser: Browser, town: Town) -> Desk:
    @asynccontextmanager
    async def at(
        username: str, *, lang: str = "en", theme: str = "dark", size: tuple[int, int] = (1280, 720), query: str = ""
    ) -> AsyncIterator[Visit]:
        async with visiting(browser, town, lang=lang, theme=theme, size=size) as visit:
            await sign_in(visit, town, username)
            if query:
                await visit.page.goto(f"{town.service.url}/?{query}")
                await visit.page.wait_for_selector(".is-live .age.live")
            yield visit

    return at


def axe_script() -> str:
    """axe-core, that the test alone brings into the page."""
    return (ROOT / "gridsvc/web/node_modules/axe-core/axe.min.js").read_text(encoding="utf-8")
