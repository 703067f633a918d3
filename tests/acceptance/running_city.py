"""A small city in real processes, people who use it over HTTP, and the log of what they were told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count, cycle
from typing import Any, Final
from uuid import UUID, uuid4

import aiohttp

from bench.stage import Stage
from bench.town import Size, make_town
from events.broker import BrokerAway, depths
from events.topology import QUEUES
from gridsvc.actions.verify_city import broken_chains, broken_invariants
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.local.city_plan import City
from gridsvc.local.service_client import Answer, Login, ServiceClient
from tests.integration.patiently import until

CATEGORIES: Final = ("300301", "200110", "300201", "200201", "200112", "300101")
"""Handled by officers, but for 200201 (a department) and 300101 (a desk files it first)."""

ASKED: Final = {"300303": {"充电位置": "楼道"}}
"""What a report of the category must say besides."""

WORKERS: Final = ("relay", "listen", "notices", "urgent", "sweep", "reconcile", "cameras", "mqtt")
WEBS: Final = ("web", "web2")

QUICK: Final = {
    "GRIDSVC_RELAY_POLL_MS": "20",
    "GRIDSVC_SWEEP_SECONDS": "0.2",
    "GRIDSVC_RECONCILE_SECONDS": "0.5",
    "GRIDSVC_AMQP_HEARTBEAT": "5",
    "GRIDSVC_DATABASE_POOL": "6",
}

PATIENCE_S: Final = 60.0  # of a client: longer than any one thing takes to come back
SETTLE_S: Final = 90.0
# What a killed process held is free again when its lease ends, by the city's clock: 30 s for a letter,
# 60 s for an attempt. Nobody waits for that here: time is moved on.
LEASE: Final = timedelta(seconds=31)
LEASE_EVERY_S: Final = 4.0


@dataclass(frozen=True)
class Told:
    """What a client was told: this report, sent under this key, is this case."""

    key: str
    words: str
    case_id: str
    number: str | None
    acceptance_number: str


@dataclass
class History:
    """Everything that clients were told, for the checker."""

    reports: list[Told] = field(default_factory=list)
    accepted: list[tuple[str, str]] = field(default_factory=list)  # case and the officer whose accept was granted


class RunningCity:
    """The city as the tests see it; `stage` has its processes, `pool` its database."""

    def __init__(self, stage: Stage, town: City, client: ServiceClient, pool: ConnPool) -> None:
        self.stage = stage
        self.town = town
        self.client = client
        self.pool = pool
        self.history = History()
        self._logins: dict[str, Login] = {}
        self._names: dict[str, str] = {}  # user name by id
        self._places = cycle([cell.outline.centroid for cell in town.land.cells])
        self._categories = cycle(CATEGORIES)
        self._numbers = count(1)

    # -- people -------------------------------------------------------------------------------

    async def person(self, username: str) -> Login:
        """Sign in, once."""
        if username not in self._logins:
            assert self.stage.secrets is not None
            login = Login(username, self.stage.secrets.password)
            await self.client.sign_in(login)
            self._logins[username], self._names[login.user_id] = login, username
        return self._logins[username]

    async def officers(self) -> list[Login]:
        return [await self.person(p.username) for p in self.town.people if p.grant.role == "officer"]

    async def who_is(self, user_id: str) -> Login:
        """The signed-in person with that id; every officer is signed in when the city begins."""
        return self._logins[self._names[user_id]]

    async def report(self, who: Login, category: str, *, lon: float, lat: float, twice: bool = False) -> Told:
        """File a report, again and again under one key until it is acknowledged; `twice`: two at once."""
        key, words = str(uuid4()), f"楼道堆物 {next(self._numbers)} {uuid4()}"
        body = {
            "category": category,
            "description": words,
            "location": {"lon": lon, "lat": lat, "datum": "wgs84", "accuracy_m": 10},
            "attributes": ASKED.get(category, {}),
        }
        sent = [
            self.client.call("POST", "/api/v1/reports", who=who, body=body, key=key) for _ in range(2 if twice else 1)
        ]
        answers = await asyncio.gather(*sent)
        for answer in answers:
            assert answer.status == 201, (answer.status, answer.body)
            assert answer.body == answers[0].body, "one key, two answers"
        case = answers[0].body["case"]
        told = Told(key, words, case["id"], case["number"], answers[0].body["acceptance_number"])
        self.history.reports.append(told)
        return told

    async def report_anywhere(self, who: Login) -> Told:
        """Of any kind, anywhere in town; each seventh is sent twice at once."""
        place, number = next(self._places), next(self._numbers)
        return await self.report(who, next(self._categories), lon=place.x, lat=place.y, twice=number % 7 == 0)

    async def case(self, who: Login, case_id: str) -> dict[str, Any]:
        """The case as `who` sees it."""
        answer = await self.client.call("GET", f"/api/v1/cases/{case_id}", who=who)
        assert answer.status == 200, (answer.status, answer.body)
        return dict(answer.body["case"])

    async def move(self, who: Login, case_id: str, move: str, expected: str, body: object | None = None) -> Answer:
        """One move, under a key of its own; `expected` is a version, or `a:` and an assignment."""
        return await self.client.call(
            "POST", f"/api/v1/cases/{case_id}/{move}", who=who, body=body or {}, key=str(uuid4()),
            if_match=f'"{expected}"',
        )  # fmt: skip

    async def accept_if_assigned(self, desk: Login, case_id: str) -> None:
        """The officer takes on the case, if it is an officer's by now. Overtaken by others: nothing happens."""
        case = await self.case(desk, case_id)
        if case["state"] != "assigned" or case["officer"] is None:
            return
        officer = await self.who_is(case["officer"])
        answer = await self.move(officer, case_id, "accept", f"a:{case['assignment']}")
        assert answer.status in (200, 403, 404, 409), (answer.status, answer.body)
        if answer.status == 200:
            self.history.accepted.append((case_id, officer.user_id))

    @asynccontextmanager
    async def socket(self, who: Login) -> AsyncIterator[aiohttp.ClientWebSocketResponse]:
        """The open socket of somebody's device."""
        await self.client.call("GET", "/api/v1/me/notices", who=who)  # renews a token that has run out
        headers = {"Authorization": f"Bearer {who.access}"}
        async with (
            aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as session,
            session.ws_connect(self.stage.url + "/api/v1/me/notices", headers=headers) as opened,
        ):
            yield opened

    async def notices(self, who: Login) -> list[dict[str, Any]]:
        """All that waits for somebody, what a storm of rungs has gathered in a digest too."""
        told = await self._pages(who, "/api/v1/me/notices")
        for digest in [each for each in told if each["kind"] == "digest"]:
            told += await self._pages(who, f"/api/v1/notices/{digest['id']}/items")
        return told

    async def _pages(self, who: Login, path: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        page: str | None = ""
        while page is not None:
            answer = await self.client.call("GET", f"{path}?limit=500{page}", who=who)
            assert answer.status == 200, (answer.status, answer.body)
            items += answer.body["items"]
            page = f"&cursor={answer.body['next']}" if answer.body["next"] else None
        return items

    # -- load and time ------------------------------------------------------------------------

    async def under_load(
        self, fault: Callable[[], Awaitable[object]], *, reports: int = 120, clients: int = 8, strike_at: int = 30
    ) -> list[Told]:
        """Let `clients` send `reports`, and `fault` happen when `strike_at` of them are acknowledged."""
        officers, desk = await self.officers(), await self.person("supervisor-620100")
        numbers, struck, told = iter(range(reports)), asyncio.Event(), list[Told]()

        async def one(who: Login) -> None:
            for number in numbers:
                told.append(await self.report_anywhere(who))
                if len(told) >= strike_at:
                    struck.set()
                if number % 4 == 0 and len(told) > 20:
                    await self.accept_if_assigned(desk, told[-20].case_id)

        async with asyncio.TaskGroup() as group:
            for who in officers[:clients]:
                group.create_task(one(who))
            await struck.wait()
            await fault()
        assert len(told) == reports
        return told

    async def do(self, work: Callable[..., None], *names: str) -> None:
        """A step of the stage, beside the clients."""
        for name in names:
            await asyncio.to_thread(work, name)

    async def later(self, by: timedelta) -> None:
        """Let the city's time pass."""
        await self.stage.shift_clock(by)

    async def settle(self) -> None:
        """Wait until nothing is under way any more; leases are not waited for, time is moved on."""
        lease_at = time.monotonic() + LEASE_EVERY_S

        async def settled() -> bool:
            nonlocal lease_at
            if not await self._under_way():
                return True
            if time.monotonic() > lease_at:
                lease_at = time.monotonic() + LEASE_EVERY_S
                await self.later(LEASE)
            return False

        try:
            await until(settled, seconds=SETTLE_S, what="everything under way to come to rest")
        except AssertionError as late:
            raise AssertionError(f"{late}: {await self._under_way()}") from None

    async def _under_way(self) -> list[str]:
        """What is still to come, in words; empty when all is at rest."""
        async with transaction(self.pool, SERVICE) as (conn, _):
            found = [f"{row['n']} {row['what']}" for row in await conn.fetch(_UNDER_WAY) if row["n"]]
        names = [name for queue in QUEUES for name in (queue.name, queue.dead)]
        try:
            waiting = await depths(self.stage.amqp_url, names)
        except BrokerAway as away:
            return [*found, str(away)]
        return found + [
            f"{depth.messages} messages in {name}" if depth else f"no queue {name}"
            for name, depth in waiting.items()
            if depth is None or depth.messages
        ]

    # -- the checker --------------------------------------------------------------------------

    async def check(self) -> None:
        """Everything that was acknowledged is there, once, and all that must hold does."""
        async with transaction(self.pool, SERVICE) as (conn, _):
            kept = {row["description"]: row for row in await conn.fetch(_KEPT)}
            twice = [row["description"] for row in await conn.fetch(_TWICE)]
            accepts = {str(row["case_id"]): row["n"] for row in await conn.fetch(_ACCEPTS)}
            unlike = [f"{row['case_id']}: {row['rules']}" for row in await conn.fetch(_MORE_ASSIGNMENTS_THAN_REASONS)]
            broken = await broken_invariants(conn)
            chains = await broken_chains(conn)
        missing = [told for told in self.history.reports if told.words not in kept]
        assert not missing, f"{len(missing)} acknowledged reports are gone: {missing[:3]}"
        for told in self.history.reports:
            row = kept[told.words]
            assert (str(row["case_id"]), row["acceptance_number"]) == (told.case_id, told.acceptance_number)
            assert told.number is None or told.number == row["number"]
        assert not twice, f"reports that became two: {twice[:3]}"
        lost = [case for case, _ in self.history.accepted if accepts.get(case, 0) < 1]
        assert not lost, f"accepts that were granted and are gone: {lost[:3]}"
        assert not unlike, f"assigned more often than there were reasons for: {unlike[:3]}"
        assert broken == {}
        assert chains == []


_UNDER_WAY: Final = """
    SELECT 'letters in the outbox' AS what, count(*) AS n FROM outbox
    UNION ALL SELECT 'failures to be tried again', count(*) FROM failures WHERE next_attempt_at IS NOT NULL
    UNION ALL SELECT 'cases on their way to an owner', count(*) FROM cases WHERE pool = 'routing'
    UNION ALL SELECT 'rungs due', count(*) FROM clocks WHERE next_fire_at <= city_now()
    UNION ALL SELECT 'owners who have not been told', count(*)
      FROM assignments a JOIN cases c ON c.id = a.case_id
     WHERE a.ended_at IS NULL AND a.officer_id IS NOT NULL
       AND NOT EXISTS (SELECT FROM notices n
                        WHERE n.user_id = a.officer_id AND n.case_id = a.case_id
                          AND n.body ->> 'assignment_id' = a.id::text)
"""

_KEPT: Final = """
    SELECT r.description, r.case_id, r.acceptance_number, c.number
      FROM reports r JOIN cases c ON c.id = r.case_id
"""

_TWICE: Final = "SELECT description FROM reports GROUP BY description HAVING count(*) > 1"

_ACCEPTS: Final = "SELECT case_id, count(*) AS n FROM history WHERE move = 'accept' GROUP BY case_id"

# An owner is chosen once for a filing, once more for each who let his time pass, and by hand.
_MORE_ASSIGNMENTS_THAN_REASONS: Final = """
    SELECT c.id AS case_id, (SELECT array_agg(a.rule ORDER BY a.assigned_at) FROM assignments a
                              WHERE a.case_id = c.id) || (SELECT array_agg(h.move ORDER BY h.version) FROM history h
                              WHERE h.case_id = c.id) AS rules
      FROM cases c
     WHERE (SELECT count(*) FROM assignments a WHERE a.case_id = c.id AND a.rule <> 'by_hand')
           > c.cycle + (SELECT count(*) FROM escalations e WHERE e.case_id = c.id AND e.effect = 'move_on')
                     + (SELECT count(*) FROM history h WHERE h.case_id = c.id AND h.move = 'relieve')
"""


def ids(items: Iterable[dict[str, Any]], kind: str) -> list[UUID]:
    """The cases that notices of one kind speak of."""
    return [UUID(item["case_id"]) for item in items if item["kind"] == kind]


def start(stage: Stage) -> None:
    """Two web processes on one port and each worker as a process of its own."""
    for web in WEBS:
        stage.run(web, "serve", "--reuse-port")
    for kind in WORKERS:
        stage.run(kind, "worker", kind)
    stage.await_up(*WEBS, *WORKERS)


def small_town() -> City:
    """Four streets of two districts, nine cells each; three officers per street and duty line."""
    return make_town(Size(districts=2, streets=2, communities=1, side=3, officers=3, dispatchers=50))
