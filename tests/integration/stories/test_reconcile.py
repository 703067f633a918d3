"""What makes up for a lost message, a clock that went back, and rows that have had their time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gridsvc.db import SERVICE, transaction
from gridsvc.ids import new_id
from gridsvc.store import failures, inbox, outbox
from gridsvc.store.failures import Message
from tests.conftest import CityClock
from tests.integration.announced import filed
from tests.integration.small_city import category, report
from tests.integration.stories.conftest import Town
from workers.reconcile import LATE, emit_round, outbox_round, remove_round


async def test_a_case_whose_message_was_lost_is_announced_again(town: Town, city_clock: CityClock) -> None:
    async with town.pool.acquire() as conn:
        code = await category(conn, handled_by="officer")
    case = await town.filed(report(town.city.dispatcher, code))
    async with transaction(town.pool, SERVICE) as (conn, _):
        await conn.execute("DELETE FROM outbox")  # sent, and the broker lost its disk

    assert await emit_round(town.pool) == 0, "routing still has time to hear"
    await city_clock.forward(timedelta(minutes=5))
    assert await emit_round(town.pool) == 1
    assert await emit_round(town.pool) == 0, "said once; routing has its time again"

    assert (await town.route(case.id)).officer_id is not None


async def test_news_that_waits_too_long_is_an_alarm(
    town: Town, city_clock: CityClock, caplog: pytest.LogCaptureFixture
) -> None:
    async with transaction(town.pool, SERVICE) as (conn, now):
        await outbox.append(conn, [filed()], now)
    assert await outbox_round(town.pool) < LATE
    await city_clock.forward(LATE)

    assert await outbox_round(town.pool) >= LATE
    assert [getattr(record, "action", "") for record in caplog.records] == ["outbox_late"]


async def test_rows_dated_by_a_clock_that_went_back_go_on(town: Town, city_clock: CityClock) -> None:
    message = Message("routing", new_id(), "case.filed", "{}")
    async with transaction(town.pool, SERVICE) as (conn, now):
        await outbox.append(conn, [filed()], now)
        await failures.put(conn, message, 1, now, "KeyError: x", now)
    await city_clock.forward(timedelta(hours=-2))
    async with transaction(town.pool, SERVICE) as (conn, now):
        assert await outbox.claim(conn, now, 10) == []

    await outbox_round(town.pool)

    async with transaction(town.pool, SERVICE) as (conn, now):
        assert len(await outbox.claim(conn, now, 10)) == 1
        assert await failures.next_due(conn, "routing", now) is not None


async def test_rows_go_when_they_have_had_their_time(town: Town, city_clock: CityClock) -> None:
    user = town.city.dispatcher.user_id
    async with transaction(town.pool, SERVICE) as (conn, now):
        await inbox.first_times(conn, "routing", [known := new_id()], now)
        await conn.execute("INSERT INTO login_failures (subject, at) VALUES ('user:x', $1)", now)
        await conn.execute(
            "INSERT INTO notices (id, user_id, event_id, kind, body, created_at, acknowledged_at)"
            " VALUES ($1, $3, $1, 'k', '{}', $4, $4), ($2, $3, $2, 'k', '{}', $4, NULL)",
            new_id(), new_id(), user, now,
        )  # fmt: skip

    await city_clock.forward(timedelta(days=29))
    assert await remove_round(town.pool) == 1, "the failed sign-in"
    async with transaction(town.pool, SERVICE) as (conn, now):
        # A replay after four weeks still has no effect.
        assert not await inbox.first_times(conn, "routing", [known], now)
    await city_clock.forward(timedelta(days=2))
    assert await remove_round(town.pool) == 2, "the inbox row, and the notice that was acknowledged"

    assert len(await town.rows("SELECT id FROM notices")) == 1
