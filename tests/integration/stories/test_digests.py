"""A storm of rungs is one digest, quiet hours end with one digest, and nothing in them is lost or told twice."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import time, timedelta
from typing import Any
from uuid import UUID

from events.catalog import CaseEscalated, CaseNews, CasePooled
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller
from gridsvc.ids import new_id
from gridsvc.store import cases, digests, listeners, notices, open_sockets
from tests.conftest import CityClock
from tests.integration.patiently import until
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import TUESDAY, set_time
from tests.integration.stories.test_notices import assigned, filed, rung, same_case
from workers.sweep import quiet_round


async def tell(town: Town, *news: CaseNews) -> None:
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, news, now)


def rungs(news: CaseNews, count: int) -> list[CaseEscalated]:
    one = vars(rung(news, "supervisor", "620102"))
    return [CaseEscalated(**one | {"event_id": new_id()}) for _ in range(count)]


def user(caller: Caller) -> UUID:
    assert caller.user_id is not None
    return caller.user_id


async def listed(town: Town, who: Caller) -> list[notices.Notice]:
    async with transaction(town.pool) as (conn, _):
        return await notices.waiting(conn, user(who), 0, 500)


async def pushed(town: Town, who: Caller) -> list[open_sockets.Waiting]:
    """What a socket that opens now is given."""
    async with transaction(town.pool) as (conn, _):
        return await open_sockets.waiting(conn, {user(who): 0}, 500)


async def items(town: Town, digest: UUID, who: Caller) -> list[digests.Item]:
    async with transaction(town.pool) as (conn, _):
        return await digests.ITEMS.all(conn, user(who), digest, 0, 500)


async def acknowledge(town: Town, who: Caller, seqs: Sequence[int]) -> int:
    async with transaction(town.pool) as (conn, now):
        return await notices.acknowledge(conn, [(user(who), seq) for seq in seqs], now)


async def calm(town: Town, news: CaseNews, severity: str = "normal") -> None:
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE cases SET severity = $2 WHERE id = $1", news.case_id, severity)


async def sleeps(town: Town, who: Caller, since: str, until: str) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute(
            "INSERT INTO quiet_hours VALUES ($1, $2::text::time, $3::text::time, now())", who.user_id, since, until
        )


async def test_a_storm_is_one_digest_that_grows_and_is_acknowledged_whole_or_item_by_item(
    town: Town, city_clock: CityClock
) -> None:
    boss = town.city.supervisor
    news = await filed(town)
    storm = rungs(news, 30)
    await tell(town, *storm[:5])
    assert [each.kind for each in await listed(town, boss)] == ["case.escalated"] * 5, "five are no storm"
    await tell(town, *storm[5:20])
    await tell(town, *storm[15:25])  # ten, of which five were told before
    *_, digest = await listed(town, boss)
    assert (digest.kind, digest.body["count"], digest.body["rings"]) == ("digest", 20, False)
    assert [each.kind for each in await pushed(town, boss)] == ["case.escalated"] * 5 + ["digest"]
    gathered = await items(town, digest.id, boss)
    assert len(gathered) == 20
    assert len(digest.body["worst"]) == 5

    await asyncio.gather(*(tell(town, *storm[20:30]) for _ in range(3)))
    [grown] = [each for each in await listed(town, boss) if each.kind == "digest"]
    assert (grown.id, grown.body["count"]) == (digest.id, 25), "each once, whoever tells it how often"
    assert await acknowledge(town, boss, [digest.seq]) == 0, "what the device has is not what stands there now"
    assert await acknowledge(town, boss, [gathered[0].seq]) == 1
    assert len([each for each in await items(town, digest.id, boss) if each.acknowledged_at is None]) == 24
    assert await acknowledge(town, boss, [grown.seq]) == 1
    assert [each for each in await items(town, digest.id, boss) if each.acknowledged_at is None] == []

    await city_clock.forward(timedelta(minutes=11))
    await tell(town, *rungs(news, 2))
    assert [each.kind for each in await listed(town, boss)] == ["case.escalated"] * 7, "the storm is over"
    await tell(town, *rungs(news, 11))
    *_, second = await listed(town, boss)
    inside = await items(town, second.id, boss)
    assert await acknowledge(town, boss, [each.seq for each in inside[1:]]) == 10
    assert second.id in {each.id for each in await listed(town, boss)}
    assert await acknowledge(town, boss, [inside[0].seq]) == 1
    assert second.id not in {each.id for each in await listed(town, boss)}, "with its last item the digest is seen"


async def test_two_workers_who_meet_one_storm_make_one_digest(town: Town) -> None:
    news = await filed(town)
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, rungs(news, 11), now)
        other = asyncio.create_task(tell(town, *rungs(news, 11)))

        async def waits_or_is_done() -> bool:
            waiting = await conn.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted")
            return bool(waiting) or other.done()

        await until(waits_or_is_done, what="the other worker")
    await other
    [digest] = await listed(town, town.city.supervisor)
    assert digest.body["count"] == 22


async def test_an_emergency_and_an_assignment_stand_alone_in_the_worst_storm(town: Town) -> None:
    news = await assigned(town)
    await tell(town, *rungs(news, 40), news)
    await calm(town, news, "emergency")
    await tell(town, *rungs(news, 1))
    assert [each.kind for each in await listed(town, town.city.supervisor)] == ["digest", "case.escalated"]
    assert {row["user_id"] for row in await town.rows("SELECT user_id FROM notices WHERE kind = 'case.assigned'")} == {
        news.officer_id
    }


async def test_what_comes_in_quiet_hours_is_listed_as_waiting_and_rings_once_when_they_end(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, "2026-09-15 23:00")
    boss = town.city.supervisor
    await sleeps(town, boss, "22:00", "07:00")
    news = await filed(town)
    await calm(town, news)
    await tell(town, *rungs(news, 3))
    await set_time(town, city_clock, "2026-09-16 03:00")
    await tell(town, *rungs(news, 2))
    [waiting] = await listed(town, boss)
    assert (waiting.kind, waiting.body["count"], waiting.told_at) == ("digest", 5, None)
    assert waiting.held_until is not None
    assert await pushed(town, boss) == [], "it does not ring"
    assert await quiet_round(town.pool, 10) == 0

    await calm(town, news, "high")
    await tell(town, *rungs(news, 1))
    assert [each.kind for each in await pushed(town, boss)] == ["case.escalated"], "what is urgent rings"

    await set_time(town, city_clock, "2026-09-16 07:01")
    assert await quiet_round(town.pool, 1) == 1
    assert await quiet_round(town.pool, 1) == 0
    digest = (await pushed(town, boss))[-1]
    assert (digest.kind, digest.body["count"], digest.body["rings"]) == ("digest", 5, True)
    inside = await items(town, digest.id, boss)
    assert {each.told_at for each in inside} == {await town_told(town, digest.id)}
    assert inside[0].told_at is not None
    assert inside[0].told_at - inside[0].created_at > timedelta(hours=8), "when it was due, and when it was told"


async def town_told(town: Town, notice_id: UUID) -> Any:
    [row] = await town.rows("SELECT told_at FROM notices WHERE id = $1", notice_id)
    return row["told_at"]


async def test_who_comes_on_duty_is_told_what_waits(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, "2026-09-15 23:00")
    news = await assigned(town)
    await calm(town, news)
    [officer] = [each for each in town.city.officers if each.user_id == news.officer_id]
    await sleeps(town, officer, "22:00", "07:00")
    await town_duty(town, officer, on_duty=False)
    await tell(town, news)
    assert await pushed(town, officer) == []
    await town_duty(town, officer, on_duty=True)
    assert await quiet_round(town.pool, 10) == 1
    assert [each.kind for each in await pushed(town, officer)] == ["digest"]
    later = same_case(news) | {"assignment_id": news.assignment_id, "officer_id": news.officer_id, "department": None}
    await tell(town, type(news)(**later))
    assert [each.kind for each in await pushed(town, officer)] == ["digest", "case.assigned"], "on duty nobody is quiet"


async def town_duty(town: Town, who: Caller, *, on_duty: bool) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE officers SET on_duty = $2 WHERE user_id = $1", who.user_id, on_duty)


async def test_the_citys_hours_hold_by_role_and_the_deepest_division_has_its_own(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    async with town.pool.acquire() as conn:
        await conn.execute(
            "INSERT INTO quiet_defaults VALUES"
            " ('supervisor', NULL, '08:00', '10:00'), ('acceptor', '620103', '08:00', '10:00'),"
            " ('dispatcher', '620100', '01:00', '02:00'), ('dispatcher', '620102', '08:00', '09:30')"
        )
    desk = (town.city.supervisor, town.city.acceptor, town.city.dispatcher)
    async with transaction(town.pool) as (conn, now):
        there = await listeners.listening(conn, [user(each) for each in desk], now, counted=False)
    assert there is not None
    ends = [[each and each.until for each in there.people[user(who)].by_grant] for who in desk]
    assert ends == [[time(10)], [None], [time(9, 30)]]
    news = await filed(town)
    await calm(town, news)
    await tell(town, *rungs(news, 1))
    [waiting] = await listed(town, town.city.supervisor)
    assert waiting.held_until is not None


async def test_two_hours_of_downtime_are_one_digest_for_the_supervisor(town: Town) -> None:
    news = await filed(town)
    missed = rungs(news, 640)
    for begin in range(0, 640, 64):
        await tell(town, *missed[begin : begin + 64])
    [only] = await listed(town, town.city.supervisor)
    assert only.body["count"] == 640
    assert len(await town.rows("SELECT 1 FROM notices WHERE digest_id = $1", only.id)) == 640


async def test_a_digest_that_grows_while_its_last_item_is_acknowledged_stays(town: Town) -> None:
    boss, news = town.city.supervisor, await filed(town)
    await tell(town, *rungs(news, 11))
    [digest] = await listed(town, boss)
    seqs = [each.seq for each in await items(town, digest.id, boss)]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, rungs(news, 1), now)
        seeing = asyncio.create_task(acknowledge(town, boss, seqs))

        async def waits() -> bool:
            return bool(await conn.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

        await until(waits, what="the acknowledgement to wait for the digest")
    assert await seeing == 11
    [grown] = await listed(town, boss)
    assert (grown.id, grown.body["count"]) == (digest.id, 12)
    assert len([each for each in await items(town, digest.id, boss) if each.acknowledged_at is None]) == 1


async def test_a_batch_of_notices_holds_its_cases_in_the_order_in_which_everybody_does(town: Town) -> None:
    """A move holds the first case and then wants the last; the batch names the last before the first."""
    first, last = sorted([await filed(town), await filed(town)], key=lambda news: news.case_id)
    await tell(town, *rungs(first, 20))

    async def batch_waits() -> bool:
        return bool(await town.rows("SELECT FROM pg_locks WHERE NOT granted"))

    for batch in (
        [CasePooled(**same_case(last), why="nobody"), CasePooled(**same_case(first), why="nobody")],
        [CasePooled(**same_case(last), why="nobody"), *rungs(first, 1)],  # one rings, one is gathered
    ):
        async with transaction(town.pool) as (conn, _):
            await cases.lock_many(conn, [first.case_id])
            telling = asyncio.create_task(tell(town, *batch))
            await until(batch_waits, what="the batch to wait for the first case")
            assert await cases.lock_many(conn, [last.case_id]), "the batch does not hold the last yet"
        async with asyncio.timeout(30):
            await telling
    told = {(each.case_id, each.kind) for each in await listed(town, town.city.dispatcher)}
    assert {(last.case_id, "case.pooled"), (first.case_id, "case.pooled")} <= told
