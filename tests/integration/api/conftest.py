"""The real web application on a loopback port, a small city behind it, and people who may call it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import asyncpg
import msgspec
import pytest
from aiohttp import ClientSession, DummyCookieJar, TCPConnector, web

from gridsvc import passwords
from gridsvc.api.app import build_app
from gridsvc.api.identity import SIGNER
from gridsvc.api.route import Route
from gridsvc.api.routes import ROUTES
from gridsvc.api.tokens import ApiKey, RefreshToken
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.ids import new_id
from gridsvc.settings import Settings, read_settings
from gridsvc.store import api_keys, sessions, users
from tests.servers import FreshDatabase, SessionServers

NORTH = "620102"
"""The district of most tests; SOUTH is the neighbour that its people must not see."""

SOUTH = "620103"

CITY = "6201"

SANITATION = "sanitation"

GOVERNANCE = "governance"

SECRET = "not a secret: only for tests, 40 characters"

CITY_SQL = """
INSERT INTO duty_lines VALUES ('sanitation', '环卫', 'Sanitation', 'city_management'),
                              ('governance', '综治', 'Social governance', 'social_governance');
INSERT INTO departments VALUES ('water', '供水', 'Water', 'sanitation'), ('lamps', '路灯', 'Lamps', 'sanitation');
INSERT INTO grid_sets (name, state, cell_scheme, valid_from, published_at)
VALUES ('test', 'published', '6+3+3+3', '2020-01-01', '2020-01-01');
INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2)
SELECT id, v.code, v.code, v.level, v.parent, v.path, 1e6
  FROM grid_sets, (VALUES
    ('6201', 'city', NULL, '{6201}'::text[]),
    ('620102', 'district', '6201', '{6201,620102}'),
    ('620103', 'district', '6201', '{6201,620103}'),
    ('620102001', 'street', '620102', '{6201,620102,620102001}'),
    ('620103001', 'street', '620103', '{6201,620103,620103001}'),
    ('620102001001', 'community', '620102001', '{6201,620102,620102001,620102001001}'),
    ('620103001001', 'community', '620103001', '{6201,620103,620103001,620103001001}')
  ) AS v (code, level, parent, path);
INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)
SELECT id, v.code, v.division, 10000, ST_Multi(ST_MakeEnvelope(v.west, 36.05, v.west + 0.01, 36.06, 4326))
  FROM grid_sets, (VALUES ('620102001001001', '620102001001', 103.80), ('620103001001001', '620103001001', 103.81))
       AS v (code, division, west);
INSERT INTO beats (grid_set_id, duty_line, code, division_code)
SELECT id, 'sanitation', 'N1', '620102001' FROM grid_sets;
INSERT INTO beat_cells (grid_set_id, duty_line, cell_code, beat_code)
SELECT id, 'sanitation', '620102001001001', 'N1' FROM grid_sets;
INSERT INTO calendars (code, name, slots) VALUES ('city', 'city', '{"1": [["08:00","12:00"],["14:00","18:00"]]}');
INSERT INTO category_editions VALUES ('2013', 'GB/T 30428.2-2013', true);
INSERT INTO categories (edition, code, kind, name, name_en, duty_line, department, limit_amount, limit_unit, calendar)
VALUES ('2013', '0101', 'component', '上水井盖', 'Water manhole', 'sanitation', 'water', 4, 'urgent_hour', 'city'),
       ('2013', '0201', 'event', '占道经营', 'Street vending', 'governance', NULL, 1, 'work_day', 'city');
INSERT INTO rungs VALUES ('handling', 1, 1.0, 'overdue', 'owner', NULL),
                         ('desk', 1, 1.0, 'overdue', 'dispatcher', NULL);
INSERT INTO stage_limits
SELECT kind, 3600, 'desk' FROM unnest('{filing,dispatch,pool,acknowledge,checking}'::text[]) AS kind;
"""


@dataclass(frozen=True)
class Said:
    """What the service said."""

    status: int
    body: Any  # the parsed JSON, or the text where it is none
    headers: Mapping[str, str]
    cookies: Mapping[str, str]

    @property
    def code(self) -> str:
        """The problem's code; asserts that it is a problem."""
        assert self.headers["Content-Type"].startswith("application/problem+json"), (self.status, self.body)
        assert self.body["status"] == self.status
        return str(self.body["code"])


@dataclass(frozen=True)
class Client:
    """Somebody who calls. Writes carry a fresh Idempotency-Key unless one is given."""

    http: ClientSession
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    user_id: UUID | None = None
    session_id: UUID | None = None

    async def ask(
        self, method: str, path: str, *, json: object = None, data: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Said:  # fmt: skip
        sent = {**self.headers, **(headers or {})}
        if method not in {"GET", "HEAD"}:
            sent.setdefault("Idempotency-Key", str(new_id()))
        if data is None and json is not None:
            data = msgspec.json.encode(json)
        if data is not None:
            sent.setdefault("Content-Type", "application/json")
        async with self.http.request(method, self.url + path, data=data, headers=sent, allow_redirects=False) as answer:
            raw = await answer.read()
            parsed = msgspec.json.decode(raw) if "json" in answer.content_type and raw else raw.decode()
            cookies = {name: morsel.value for name, morsel in answer.cookies.items()}
            return Said(answer.status, parsed, answer.headers.copy(), cookies)

    async def get(self, path: str, **headers: str) -> Said:
        return await self.ask("GET", path, headers=headers)

    async def post(self, path: str, json: object = None, **headers: str) -> Said:
        return await self.ask("POST", path, json=json, headers={k.replace("_", "-"): v for k, v in headers.items()})


class Api:
    """The running service, and ways to become somebody."""

    def __init__(self, app: web.Application, http: ClientSession, url: str, pool: ConnPool) -> None:
        self.app = app
        self.http = http
        self.url = url
        self.pool = pool
        self.nobody = Client(http, url)

    async def user(self, *grants: Grant, username: str = "", password: str | None = None) -> UUID:
        """A user with these roles; an officer is one in the roster too."""
        user_id = new_id()
        name = username or f"user-{user_id.hex[-12:]}"
        hashed = None if password is None else passwords.hash_password(password)
        async with transaction(self.pool, SERVICE) as (conn, now):
            await users.ADD.run(conn, user_id, name, name.title(), hashed, now)
            await users.add_grants(conn, user_id, grants)
            for grant in grants:
                if grant.role is Role.OFFICER:
                    await users.ADD_OFFICER.run(conn, user_id, grant.duty_line)
        return user_id

    async def somebody(self, *grants: Grant) -> Client:
        """A client signed in as a fresh user with these roles (by token; test_auth signs in by password)."""
        user_id, refresh = await self.user(*grants), RefreshToken.first(new_id())
        async with transaction(self.pool, SERVICE) as (conn, now):
            await sessions.ADD.run(
                conn, refresh.session_id, user_id, "app", "", refresh.digest, now, now + timedelta(days=1)
            )
        token = self.app[SIGNER].access_token(user_id, refresh.session_id, now, timedelta(minutes=10))
        return replace(
            self.nobody, headers={"Authorization": f"Bearer {token}"}, user_id=user_id, session_id=refresh.session_id
        )

    async def program(self, *scopes: str, division: str = NORTH) -> Client:
        """A client with a fresh API key."""
        key = ApiKey.new(new_id())
        async with transaction(self.pool, SERVICE) as (conn, now):
            await api_keys.ADD.run(conn, key.id, "test", key.digest, list(scopes), division, None, None, now, None)
        return replace(self.nobody, headers={"X-API-Key": key.text})


def a(role: Role | str, division: str = NORTH, line: str | None = None, department: str | None = None) -> Grant:
    """A grant, with the axis that its role cannot be without."""
    role = Role(role)
    if role is Role.OFFICER and line is None:
        line = SANITATION
    if role is Role.HANDLER and department is None:
        department = "water"
    return Grant(role=role, division=division, duty_line=line, department=department)


def settings_for(database: str, **more: str) -> Settings:
    """Settings of a web process on that database."""
    return read_settings({"GRIDSVC_DATABASE_URL": database, "GRIDSVC_SECRET": SECRET, **more})


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    routes: Sequence[Route] = ROUTES,
    identity_s: float = 10.0,
    extend: Callable[[web.Application], None] = lambda _: None,
) -> AsyncIterator[tuple[web.Application, str]]:
    """The application on a free loopback port; yields it and its address."""
    app = build_app(settings, routes=routes, identity_s=identity_s)
    extend(app)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=5.0, auto_decompress=False)
    await runner.setup()
    try:
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        yield app, f"http://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    """An HTTP client that keeps no cookies: who calls is said in every test."""
    async with ClientSession(cookie_jar=DummyCookieJar(), connector=TCPConnector(limit=0)) as session:
        yield session


async def make_city(owner_url: str) -> None:
    """Two districts of one cell each, two duty lines, two categories."""
    owner = await asyncpg.connect(owner_url)
    try:
        await owner.execute(CITY_SQL)
    finally:
        await owner.close()


@pytest.fixture
async def city(owner_database: str) -> None:
    """The small city in the test's own database."""
    await make_city(owner_database)


@pytest.fixture
async def api(database: str, pool: ConnPool, city: None, http: ClientSession) -> AsyncIterator[Api]:
    """The service on the small city."""
    async with running(settings_for(database)) as (app, url):
        yield Api(app, http, url, pool)


@pytest.fixture(scope="module")
def module_database(session_servers: SessionServers) -> Iterator[FreshDatabase]:
    """A database for a whole module, whose tests do not disturb each other."""
    fresh = session_servers.fresh_database()
    yield fresh
    session_servers.drop_database(fresh)


@asynccontextmanager
async def shared_api(fresh: FreshDatabase) -> AsyncIterator[Api]:
    """The service on a small city in `fresh`."""
    await make_city(fresh.owner_url)
    async with (
        open_pool(fresh.url, scope=SERVICE, size=4, name="test") as pool,
        ClientSession(cookie_jar=DummyCookieJar(), connector=TCPConnector(limit=0)) as http,
        running(settings_for(fresh.url)) as (app, url),
    ):
        yield Api(app, http, url, pool)


async def wait_for_locks(owner_url: str, query: str, many: int) -> None:
    """Until `many` statements like `query` wait for a lock in this database; only its owner may see them."""
    owner = await asyncpg.connect(owner_url)
    try:
        async with asyncio.timeout(10):
            while await owner.fetchval(_WAITING, query) < many:
                pass
    finally:
        await owner.close()


_WAITING = """
SELECT count(*) FROM pg_stat_activity
 WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE $1
"""
