"""Alive, ready, and how it is doing."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import asyncpg
import pytest
from aiohttp import ClientSession

from gridsvc.api.app import build_app
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.errors import BadSettings
from gridsvc.ids import new_id
from gridsvc.store import intake_counts, rung_lags
from tests.conftest import CityClock
from tests.integration.api.conftest import SECRET, Api, Client, running, settings_for
from tests.servers import FreshDatabase


async def test_it_is_ready_when_database_and_schema_are(api: Api) -> None:
    assert (await api.nobody.get("/healthz")).body == {"alive": True}
    said = await api.nobody.get("/readyz")
    assert said.status == 200
    assert said.body == {
        "ready": True, "database": True, "migrated": True, "news_age_s": 0.0, "provisional_deadlines": 0,
    }  # fmt: skip


async def test_news_that_waits_is_told_and_does_not_stop_the_service(api: Api, city_clock: CityClock) -> None:
    async with transaction(api.pool, SERVICE) as (conn, now):
        await conn.execute(
            "INSERT INTO outbox (event_id, type, body, created_at, available_at) VALUES ($1, 'x', '', $2, $2)",
            new_id(), now,
        )  # fmt: skip
    await city_clock.forward(timedelta(minutes=1))
    said = await api.nobody.get("/readyz")
    assert said.status == 200
    assert 60 <= said.body["news_age_s"] < 90


async def test_a_schema_that_is_not_todays_is_not_ready(api: Api, owner_database: str) -> None:
    owner = await asyncpg.connect(owner_database)
    try:
        await owner.execute("UPDATE schema_migrations SET digest = 'other'")
    finally:
        await owner.close()
    said = await api.nobody.get("/readyz")
    assert (said.status, said.body["migrated"], said.body["database"]) == (503, False, True)


async def test_without_its_database_it_is_alive_and_not_ready(
    fresh_database: FreshDatabase, http: ClientSession, pool: ConnPool
) -> None:
    async with running(settings_for(fresh_database.url)) as (_, url):
        client = Client(http, url)
        owner = await asyncpg.connect(fresh_database.owner_url)
        login = fresh_database.url.split("//")[1].split(":")[0]
        try:
            await owner.execute(f"ALTER ROLE {login} CONNECTION LIMIT 0")
            await owner.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE usename = $1 AND datname = current_database()", login,
            )  # fmt: skip
            async with asyncio.timeout(10):
                while (said := await client.get("/readyz")).status == 200:
                    pass
            assert (said.status, said.body["database"]) == (503, False)
            assert said.headers["Retry-After"] == "2"
            assert (await client.get("/healthz")).status == 200
        finally:
            await owner.execute(f"ALTER ROLE {login} CONNECTION LIMIT -1")
            await owner.close()


async def test_it_is_told_how_many_rungs_fired_and_how_late(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await rung_lags.add(conn, [0.3, 0.4, 7.0])
        await rung_lags.add(conn, [0.2, 100_000.0])
    said = (await api.nobody.get("/metrics")).body
    assert "gridsvc_rungs_fired_total 5.0" in said
    assert 'gridsvc_rung_lag_seconds_bucket{le="0.5"} 3.0' in said
    assert 'gridsvc_rung_lag_seconds_bucket{le="10.0"} 4.0' in said
    assert 'gridsvc_rung_lag_seconds_bucket{le="+Inf"} 5.0' in said
    assert "gridsvc_rung_lag_seconds_sum 100007.9" in said
    assert "gridsvc_rungs_due 0.0" in said


async def test_it_is_told_what_became_of_messages_that_did_not_come_by_http(api: Api) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await intake_counts.count(conn, "mqtt", {"taken": 2, "unread": 1})
        await intake_counts.count(conn, "mqtt", {"taken": 3})
    said = (await api.nobody.get("/metrics")).body
    assert 'gridsvc_intake_messages_total{outcome="taken",way="mqtt"} 5.0' in said
    assert 'gridsvc_intake_messages_total{outcome="unread",way="mqtt"} 1.0' in said


async def test_figures_are_for_this_machine_and_for_keys_that_may(api: Api) -> None:
    await api.nobody.get("/nowhere")
    said = await api.nobody.get("/metrics")
    assert said.status == 200
    assert 'gridsvc_http_request_seconds_count{route="none",status="404"} 1.0' in said.body
    assert "gridsvc_outbox_waiting 0.0" in said.body
    through_a_proxy = {"X-Forwarded-For": "127.0.0.1"}
    assert (await api.nobody.get("/metrics", **through_a_proxy)).code == "not_signed_in"
    assert (await (await api.program("grid:read")).get("/metrics", **through_a_proxy)).code == "not_allowed"
    assert (await (await api.program("metrics:read")).get("/metrics", **through_a_proxy)).status == 200


@pytest.mark.parametrize("secret", ["", "too short", SECRET[:31]])
def test_it_does_not_start_without_a_secret_worth_the_name(secret: str) -> None:
    with pytest.raises(BadSettings, match="GRIDSVC_SECRET"):
        build_app(settings_for("postgresql://nowhere", GRIDSVC_SECRET=secret))
