"""A notice that nobody acknowledges is pushed to the person's phones: sealed for each, once, and no further word."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from gridsvc.actions.subscribe_phone import public_key, subscribe_phone
from gridsvc.db import transaction
from gridsvc.domain.reaching import Reach
from gridsvc.ids import new_id
from gridsvc.settings import PushSettings
from gridsvc.store import notice_rules
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.api.conftest import SECRET
from tests.integration.push_service import Phone, PushService, push_service
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_channels import LATER, SEALER, run, tell
from tests.integration.stories.test_move_case import assigned
from workers.reach import reach_round


@pytest.fixture
async def service() -> AsyncIterator[PushService]:
    async with push_service() as made:
        yield made


async def subscribed(town: Town, user: UUID, endpoint: str) -> Phone:
    """A phone of this person that he is signed in on, and that takes push."""
    phone, session = Phone(endpoint), new_id()
    async with transaction(town.pool) as (conn, now):
        await conn.execute(
            "INSERT INTO sessions (id, user_id, kind, refresh_hash, rotated_at, created_at, expires_at)"
            " VALUES ($1, $2, 'browser', $3, $4, $4, $5)", session, user, session.bytes, now, now + timedelta(days=30),
        )  # fmt: skip
        await subscribe_phone(conn, session, user, phone.browser, SEALER, now)
    return phone


async def told(town: Town, database: str) -> CaseRow:
    """An officer has a case and a notice of it, which goes on after two minutes; the city has push, and then SMS."""
    await run(database, "push", "--place", "1")
    async with transaction(town.pool) as (conn, _):
        rules, quiet = await notice_rules.read(conn)
        reach = Reach(kinds=("case.assigned",), after_s=120)
        await notice_rules.replace(conn, type(rules)(**{**vars(rules), "reach": (reach,)}), quiet)
    case = await assigned(town)
    assert case.officer_id is not None
    await tell(town, case, "case.assigned")
    return case


async def test_every_phone_of_the_person_hears_that_something_waits_and_a_lost_one_is_forgotten(
    town: Town, database: str, service: PushService, city_clock: CityClock
) -> None:
    private = PushSettings(private=service.url, contact="mailto:desk@city.example")
    case = await told(town, database)
    assert case.officer_id is not None
    one = await subscribed(town, case.officer_id, f"{service.url}/one")
    await subscribed(town, case.officer_id, f"{service.url}/lost")
    out = await subscribed(town, case.officer_id, f"{service.url}/out")
    async with transaction(town.pool) as (conn, now):
        key = await public_key(conn, SEALER)
        await conn.execute(
            "UPDATE sessions SET ended_at = $1, ended_why = 'signed_out' WHERE id = (SELECT session_id"
            " FROM push_subscriptions WHERE endpoint_hash = sha256($2))", now, out.endpoint.encode(),
        )  # fmt: skip
    service.answers["/lost"] = (410, {})
    await city_clock.forward(LATER)
    assert await reach_round(town.pool, SEALER, private) == 1
    assert sorted(service.paths()) == ["/lost", "/one"], "where he is signed out he hears nothing"
    at = service.paths().index("/one")
    _, headers, body = service.came[at]
    [notice] = await town.rows("SELECT id FROM notices WHERE kind = 'case.assigned'")
    assert one.opened(body) == {"kind": "case.assigned", "id": str(notice["id"])}
    assert (headers["Topic"], headers["Content-Encoding"]) == (notice["id"].hex, "aes128gcm")
    assert (int(headers["TTL"]), headers["Urgency"]) == (3600, "high")
    assert service.signature(at)["key"] == key
    assert service.signature(at)["sub"] == "mailto:desk@city.example"
    tries = await town.rows("SELECT channel, tries, state, outcome FROM channel_tries")
    assert tries == [{"channel": "push", "tries": 1, "state": "sent", "outcome": "201"}]
    kept = await town.rows(
        "SELECT endpoint_hash = sha256($1) AS lost FROM push_subscriptions", b"%s/lost" % service.url.encode()
    )
    assert [row["lost"] for row in kept] == [False, False]
    await run(database, "push", "--place", "3")
    async with transaction(town.pool) as (conn, _):
        assert await public_key(conn, SEALER) == key, "the pair is made once: phones have subscribed with it"


async def test_a_push_service_that_has_us_wait_is_asked_no_earlier_and_does_not_silence_the_others(
    town: Town, database: str, service: PushService, city_clock: CityClock
) -> None:
    private = PushSettings(private=service.url)
    case = await told(town, database)
    assert case.officer_id is not None
    await subscribed(town, case.officer_id, f"{service.url}/busy")
    service.answers["/busy"] = (429, {"Retry-After": "90"})
    await city_clock.forward(LATER)
    await reach_round(town.pool, SEALER, private)
    await city_clock.forward(timedelta(seconds=80))
    assert await reach_round(town.pool, SEALER, private) == 0
    service.answers["/busy"] = (503, {})
    for seconds in (11, 16, 46):
        await city_clock.forward(timedelta(seconds=seconds))
        assert await reach_round(town.pool, SEALER, private) == 1
    [row] = await town.rows("SELECT tries, state, outcome FROM channel_tries")
    assert row == {"tries": 4, "state": "failed", "outcome": "503"}
    [channel] = await town.rows("SELECT failures, rests_until FROM channels WHERE code = 'push'")
    assert channel == {"failures": 0, "rests_until": None}, "it is one service of many"


async def test_a_phone_that_names_an_address_inside_is_asked_nothing(
    town: Town, database: str, service: PushService, city_clock: CityClock
) -> None:
    case = await told(town, database)
    assert case.officer_id is not None
    await subscribed(town, case.officer_id, f"{service.url}/inside")
    await subscribed(town, case.officer_id, "https://localhost/inside")
    await city_clock.forward(LATER)
    await reach_round(town.pool, SEALER, PushSettings())
    assert service.came == []
    [row] = await town.rows("SELECT state, outcome FROM channel_tries")
    assert row == {"state": "failed", "outcome": "address_refused"}


async def test_a_worker_that_dies_after_pushing_pushes_the_same_again_under_the_same_topic(
    town: Town, database: str, service: PushService, city_clock: CityClock
) -> None:
    """kill -9 when the push service has the message and the database does not know: what waits there is replaced."""
    case = await told(town, database)
    assert case.officer_id is not None
    phone = await subscribed(town, case.officer_id, f"{service.url}/one")
    await city_clock.forward(LATER)
    service.door.clear()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.reaching_worker", database, SECRET, service.url,
        cwd=Path(__file__).parents[3],
    )  # fmt: skip
    async with asyncio.timeout(30):  # until the push service has it
        await service.arrived.wait()
    process.kill()
    await process.wait()
    service.door.set()
    private = PushSettings(private=service.url)
    assert await reach_round(town.pool, SEALER, private) == 0, "the try is the dead one's until its lease ends"
    await city_clock.forward(timedelta(seconds=61))
    assert await reach_round(town.pool, SEALER, private) == 1
    assert len({headers["Topic"] for _, headers, _ in service.came}) == 1
    assert [phone.opened(body) for _, _, body in service.came] == [phone.opened(service.came[0][2])] * 2
    assert await town.rows("SELECT tries, state FROM channel_tries") == [{"tries": 2, "state": "sent"}]
