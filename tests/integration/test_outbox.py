"""News leaves with the commit that made it true, and no two relays hold the same row."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gridsvc.db import SERVICE, ConnPool, city_now, transaction
from gridsvc.store import outbox
from gridsvc.store.outbox import LEASE, LONGEST_WAIT, Setback
from tests.integration.announced import filed, noted, reported


async def test_news_of_a_transaction_that_fails_never_leaves(pool: ConnPool) -> None:
    async def tell_and_fail() -> None:
        async with transaction(pool, SERVICE) as (conn, now):
            await outbox.append(conn, [filed()], now)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await tell_and_fail()

    async with transaction(pool, SERVICE) as (conn, _):
        assert (await outbox.waiting(conn)).waiting == 0


async def test_news_leaves_in_the_order_in_which_it_was_told(pool: ConnPool) -> None:
    told = [filed(), noted(), reported(), filed()]
    async with transaction(pool, SERVICE) as (conn, now):
        await outbox.append(conn, told, now)
        await outbox.append(conn, [], now)

    async with transaction(pool, SERVICE) as (conn, now):
        claimed = await outbox.claim(conn, now, 10)

    assert [row.event_id for row in claimed] == [news.event_id for news in told]
    assert [row.type for row in claimed] == ["case.filed", "case.noted", "case.reported", "case.filed"]


async def test_two_relays_never_hold_the_same_row_within_a_lease(pool: ConnPool) -> None:
    async with transaction(pool, SERVICE) as (conn, now):
        await outbox.append(conn, [filed() for _ in range(6)], now)

    async with transaction(pool, SERVICE) as (one, now):
        first = await outbox.claim(one, now, 3)  # not committed yet
        async with transaction(pool, SERVICE) as (other, later):
            second = await outbox.claim(other, later, 6)
    async with transaction(pool, SERVICE) as (conn, now):
        third = await outbox.claim(conn, now, 6)
        after_the_lease = await outbox.claim(conn, now + LEASE, 6)

    assert len(first) == 3
    assert len(second) == 3
    assert not {row.seq for row in first} & {row.seq for row in second}
    assert third == []
    assert len(after_the_lease) == 6, "the lease of a dead relay ends"


async def test_a_claim_takes_no_more_than_it_asked_for(pool: ConnPool) -> None:
    async with transaction(pool, SERVICE) as (conn, now):
        await outbox.append(conn, [filed() for _ in range(300)], now)
        await conn.execute("ANALYZE outbox")

        assert len(await outbox.claim(conn, now, 7)) == 7


async def test_news_that_commits_late_is_not_skipped(pool: ConnPool) -> None:
    async with transaction(pool, SERVICE) as (slow, now):
        await outbox.append(slow, [early := filed()], now)
        async with transaction(pool, SERVICE) as (quick, then):
            await outbox.append(quick, [late := filed()], then)
        async with transaction(pool, SERVICE) as (relay, then):
            seen = await outbox.claim(relay, then, 10)
            await outbox.confirm(relay, [row.seq for row in seen])
    async with transaction(pool, SERVICE) as (relay, then):
        rest = await outbox.claim(relay, then, 10)

    assert [row.event_id for row in seen] == [late.event_id]
    assert [row.event_id for row in rest] == [early.event_id]
    assert rest[0].seq < seen[0].seq, "a cursor over seq would never have come back to it"


async def test_what_the_broker_has_is_forgotten_and_what_it_refused_waits(pool: ConnPool) -> None:
    async with transaction(pool, SERVICE) as (conn, now):
        await outbox.append(conn, [filed() for _ in range(3)], now)
        sent, refused, unknown = await outbox.claim(conn, now, 10)
        await outbox.confirm(conn, [sent.seq])
        await outbox.fail(conn, [Setback(refused.seq, "NO_ROUTE", now + timedelta(seconds=4))])
        await outbox.release(conn, [unknown.seq], now)

        at_once = await outbox.claim(conn, now, 10)
        in_time = await outbox.claim(conn, now + timedelta(seconds=4), 10)
        backlog = await outbox.waiting(conn)

    assert [(row.seq, row.attempts) for row in at_once] == [(unknown.seq, 0)]
    assert [(row.seq, row.attempts) for row in in_time] == [(refused.seq, 1)]
    assert (backlog.waiting, backlog.refused) == (2, 1)


async def test_the_oldest_news_says_how_long_it_has_waited(pool: ConnPool) -> None:
    async with transaction(pool, SERVICE) as (conn, now):
        assert await outbox.oldest_age(conn, now) == timedelta(0)
        await outbox.append(conn, [filed()], now)
        await outbox.append(conn, [filed()], now + timedelta(seconds=60))

        assert await outbox.oldest_age(conn, now + timedelta(seconds=90)) == timedelta(seconds=90)


async def test_news_dated_by_a_clock_that_went_back_is_not_stranded(pool: ConnPool) -> None:
    async with transaction(pool, SERVICE) as (conn, _):
        now = await city_now(conn)
        await outbox.append(conn, [filed()], now + timedelta(hours=2))
        await outbox.append(conn, [leased := filed()], now)
        await outbox.claim(conn, now, 10)

        assert await outbox.recall_stranded(conn, now) == 1
        assert leased.event_id not in {row.event_id for row in await outbox.claim(conn, now, 10)}
        assert LEASE < LONGEST_WAIT
