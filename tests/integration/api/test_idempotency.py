"""A write happens once, however often and however close together it is sent."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import datetime

import pytest
from aiohttp import ClientSession, web

from gridsvc.api.idempotency import Answer, write
from gridsvc.api.route import SIGNED_IN, Route
from gridsvc.api.routes import ROUTES
from gridsvc.api.wire import Wanted, read_body
from gridsvc.db import SERVICE, Conn, ConnPool, transaction
from gridsvc.domain.access import Role
from gridsvc.errors import GuardFailed
from gridsvc.ids import new_id
from gridsvc.store.idempotency_keys import (
    Answered,
    Claim,
    Conflict,
    Fresh,
    Stored,
    Twin,
    claim_many,
    forget_many,
    once,
    remember_many,
)
from tests.integration.api.conftest import Api, Client, a, running, settings_for, wait_for_locks

DUTY = "/api/v1/officers/me/duty"


# ---- over HTTP ----------------------------------------------------------------------------------


async def test_a_write_without_a_key_is_refused_and_so_is_a_key_that_is_none(api: Api) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    async with api.http.post(api.url + DUTY, json={"on_duty": True}, headers=officer.headers) as answer:
        assert answer.status == 400
        assert (await answer.json())["code"] == "idempotency_key_required"
    for key in ("", "a b", "x" * 201, "é"):
        said = await officer.post(DUTY, {"on_duty": True}, Idempotency_Key=key)
        assert said.code == "bad_request", key


async def test_the_same_key_and_body_give_the_same_answer_and_no_second_effect(api: Api) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    first = await officer.post(DUTY, {"on_duty": True}, Idempotency_Key="k1")
    assert first.status == 200
    assert "Idempotent-Replayed" not in first.headers
    assert (await officer.post(DUTY, {"on_duty": False}, Idempotency_Key="k2")).body["on_duty"] is False
    again = await officer.ask("POST", DUTY, data=b'{ "on_duty" : true }', headers={"Idempotency-Key": "k1"})
    assert (again.status, again.body) == (first.status, first.body)
    assert again.headers["Idempotent-Replayed"] == "true"
    async with transaction(api.pool, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT on_duty FROM officers") is False, "the repeat changed nothing"
        assert await conn.fetchval("SELECT count(*) FROM outbox WHERE type = 'officer.duty_changed'") == 2


async def test_another_body_under_the_same_key_is_refused(api: Api) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    await officer.post(DUTY, {"on_duty": True}, Idempotency_Key="k1")
    said = await officer.post(DUTY, {"on_duty": False}, Idempotency_Key="k1")
    assert (said.status, said.code) == (409, "idempotency_key_reused")


async def test_keys_are_the_callers_own(api: Api) -> None:
    for _ in range(2):
        officer = await api.somebody(a(Role.OFFICER))
        said = await officer.post(DUTY, {"on_duty": True}, Idempotency_Key="k1")
        assert "Idempotent-Replayed" not in said.headers


async def test_every_write_but_signing_in_and_out_asks_for_a_key(api: Api) -> None:
    without = [
        route.name
        for route in ROUTES
        if route.method not in {"GET", "HEAD", "OPTIONS"} and route.path.startswith("/api/v1/") and not route.idempotent
    ]
    # A camera event carries its own key: what was sent before is known again (docs/rules/storms.md).
    by_content = {"POST /api/v1/camera-events", "POST /api/v1/camera-events/{sender}"}
    writes_nothing = {"POST /api/v1/camera-mappings/try"}
    # An upload says where it goes on, and ends once (tus 1.0.0 knows no key); a session ends once, as by signing out.
    by_nature = {f"{method} /api/v1/attachments/{{id}}" for method in ("PATCH", "DELETE")} | {
        "DELETE /api/v1/auth/sessions/{id}"
    }
    exempt = by_content | writes_nothing | by_nature
    assert [name for name in without if not name.startswith("POST /api/v1/auth/") and name not in exempt] == []


# ---- races, on a route that can be held in the middle -------------------------------------------


class NoteIn(Wanted):
    text: str


class Held:
    """A write that waits in its transaction until it is let go."""

    def __init__(self) -> None:
        self.entered = asyncio.Event()
        self.go = asyncio.Event()
        self.refuse = False
        self.times = 0

    async def handle(self, request: web.Request) -> web.Response:
        note = await read_body(request, NoteIn)

        async def work(conn: Conn, now: datetime) -> Answer:
            self.times += 1
            await conn.execute("INSERT INTO departments VALUES ($1, 'x', 'x', 'sanitation')", note.text)
            self.entered.set()
            await self.go.wait()
            if self.refuse:
                self.refuse = False
                raise GuardFailed("not now", guard="test")
            return Answer({"made": note.text, "time": self.times}, status=201, headers={"ETag": '"1"'})

        return await write(request, work)


@pytest.fixture
def held() -> Held:
    return Held()


@pytest.fixture
async def officer(database: str, pool: ConnPool, city: None, http: ClientSession, held: Held) -> AsyncIterator[Client]:
    route = Route(
        method="POST", path="/api/v1/notes", handler=held.handle, roles=SIGNED_IN, idempotent=True, summary=""
    )
    async with running(settings_for(database), routes=(route,)) as (app, url):
        yield await Api(app, http, url, pool).somebody(a(Role.OFFICER))


async def test_two_at_once_are_done_once_and_the_second_gets_the_firsts_answer(
    officer: Client, held: Held, owner_database: str
) -> None:
    async with asyncio.TaskGroup() as group:
        first = group.create_task(officer.post("/api/v1/notes", {"text": "d"}, Idempotency_Key="k"))
        await held.entered.wait()
        second = group.create_task(officer.post("/api/v1/notes", {"text": "d"}, Idempotency_Key="k"))
        other = group.create_task(officer.post("/api/v1/notes", {"text": "e"}, Idempotency_Key="k"))
        await wait_for_locks(owner_database, "%idempotency_keys%", 2)
        held.go.set()
    assert held.times == 1
    assert first.result().status == second.result().status == 201
    assert first.result().body == second.result().body == {"made": "d", "time": 1}
    assert second.result().headers["Idempotent-Replayed"] == "true"
    assert second.result().headers["ETag"] == '"1"'
    assert other.result().code == "idempotency_key_reused"


async def test_when_the_first_is_refused_the_second_is_done(officer: Client, held: Held, owner_database: str) -> None:
    held.refuse = True
    async with asyncio.TaskGroup() as group:
        first = group.create_task(officer.post("/api/v1/notes", {"text": "d"}, Idempotency_Key="k"))
        await held.entered.wait()
        second = group.create_task(officer.post("/api/v1/notes", {"text": "d"}, Idempotency_Key="k"))
        await wait_for_locks(owner_database, "%idempotency_keys%", 1)
        held.go.set()
    assert first.result().code == "guard_failed"
    assert second.result().body == {"made": "d", "time": 2}


async def test_a_refused_write_leaves_its_key_free(officer: Client, held: Held, pool: ConnPool) -> None:
    held.refuse = True
    held.go.set()
    assert (await officer.post("/api/v1/notes", {"text": "d"}, Idempotency_Key="k")).code == "guard_failed"
    async with transaction(pool, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM idempotency_keys") == 0
        assert await conn.fetchval("SELECT count(*) FROM departments WHERE code = 'd'") == 0
    assert (await officer.post("/api/v1/notes", {"text": "d"}, Idempotency_Key="k")).status == 201


async def test_a_caller_who_hangs_up_is_answered_when_he_asks_again(
    officer: Client, held: Held, pool: ConnPool
) -> None:
    asking = asyncio.ensure_future(officer.post("/api/v1/notes", {"text": "d"}, Idempotency_Key="k"))
    await held.entered.wait()
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    held.go.set()
    said = await officer.post("/api/v1/notes", {"text": "d"}, Idempotency_Key="k")
    assert said.body["made"] == "d"
    async with transaction(pool, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM departments WHERE code = 'd'") == 1


# ---- in batches, as the intake desk uses them ---------------------------------------------------


def claim(key: str, body: str = "a") -> Claim:
    return Claim(caller="user:1", key=key, fingerprint=body.encode())


def answered(key: str) -> Answered:
    return Answered(caller="user:1", key=key, status=201, body=f'{{"key":"{key}"}}', headers={"ETag": '"1"'})


async def test_a_batch_tells_fresh_stored_conflicting_and_doubled_claims_apart(conn: Conn, pool: ConnPool) -> None:
    now = await conn.fetchval("SELECT now()")
    assert await claim_many(conn, [claim("old"), claim("used")], now) == [Fresh(), Fresh()]
    await remember_many(conn, [answered("old"), answered("used")])
    outcomes = await claim_many(
        conn, [claim("z"), claim("old"), claim("used", "b"), claim("z"), claim("z", "b"), claim("b")], now
    )
    kept = Stored(status=201, body='{"key": "old"}', headers={"ETag": '"1"'})
    assert outcomes == [Fresh(), kept, Conflict(), Twin(0), Conflict(), Fresh()]


async def test_a_refused_claim_of_a_batch_is_given_back_and_others_are_not(conn: Conn) -> None:
    now = await conn.fetchval("SELECT now()")
    await claim_many(conn, [claim("done"), claim("refused")], now)
    await remember_many(conn, [answered("done")])
    await forget_many(conn, [claim("done"), claim("refused")])
    assert isinstance(await once(conn, claim("done"), now), Stored), "what was answered is never forgotten"
    assert await once(conn, claim("refused"), now) == Fresh()


async def test_an_empty_batch_asks_for_nothing(conn: Conn) -> None:
    assert await claim_many(conn, [], await conn.fetchval("SELECT now()")) == []


async def test_batches_with_the_same_keys_in_any_order_wait_and_do_not_deadlock(pool: ConnPool) -> None:
    keys = [str(n) for n in range(40)]

    async def desk(order: list[str]) -> int:
        async with transaction(pool, SERVICE) as (conn, now):
            outcomes = await claim_many(conn, [claim(key) for key in order], now)
            fresh = [key for key, outcome in zip(order, outcomes, strict=True) if isinstance(outcome, Fresh)]
            await remember_many(conn, [answered(key) for key in fresh])
            return len(fresh)

    fresh = await asyncio.gather(*(desk(keys[n:] + keys[:n]) for n in range(0, 40, 7)), desk(keys[::-1]))
    assert sum(fresh) == 40


async def test_a_key_of_an_api_key_and_one_of_a_user_never_meet(api: Api) -> None:
    officer = await api.somebody(a(Role.OFFICER))
    await officer.post(DUTY, {"on_duty": True}, Idempotency_Key="k")
    async with transaction(api.pool, SERVICE) as (conn, now):
        assert await once(conn, Claim(caller=f"key:{new_id()}", key="k", fingerprint=b"x"), now) == Fresh()


def test_clients_of_the_tests_send_a_fresh_key_each_time() -> None:
    """Otherwise every test above would be of replays."""
    assert "Idempotency-Key" not in replace(Client(http=None, url="")).headers  # type: ignore[arg-type]
