"""The ways of officers: the same in whatever order they come, by day, and the cells they were in."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from gridsvc.actions.change_duty import change_duty
from gridsvc.actions.take_positions import take_positions
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.position import Claim, Outcome
from gridsvc.ids import new_id
from gridsvc.store import positions
from gridsvc.store.keeping import TRAIL_DAYS, remove_old
from tests.integration.small_city import SOUTH, STEP, WEST
from tests.integration.stories.conftest import Town
from workers.sweep import DAYS_AHEAD, stay_round, trail_day_round

METRE = 1 / 111_000
SHIFT = timedelta(hours=20)


def claim(at: datetime, east: float, north: float, accuracy_m: float | None = 8, *, mocked: bool = False) -> Claim:
    """A fix so many cells east and north of the south-western corner of the city."""
    return Claim(
        lon=WEST + east * STEP, lat=SOUTH + north * STEP, datum="wgs84", accuracy_m=accuracy_m, taken_at=at,
        mocked=mocked,
    )  # fmt: skip


def a_days_way(begin: datetime, dice: random.Random) -> list[Claim]:
    """Some hours of a phone: walks and stands, blurs, leaps, goes silent, goes outside, and is made to lie."""
    way, at, east, north = [], begin, 1.5, 1.5
    for _ in range(260):
        at += timedelta(seconds=dice.choice([5, 11, 20, 20, 29, 40, 40, 660 if dice.random() < 0.2 else 30]))
        east = min(3.3, max(-0.3, east + dice.uniform(-0.2, 0.2)))
        north = min(3.3, max(-0.3, north + dice.uniform(-0.2, 0.2)))
        leap = 40.0 if dice.random() < 0.03 else 0.0
        way.append(claim(
            at, east + leap, north, dice.choice([None, 3, 8, 20, 60, 150]), mocked=dice.random() < 0.03,
        ))  # fmt: skip
        if dice.random() < 0.05:
            way.append(claim(at, east, north + 0.2, 5))  # another of the same moment
    return way


async def on_duty(town: Town, officer: UUID | None, since: datetime) -> UUID:
    assert officer is not None
    await town.pool.execute("UPDATE officers SET on_duty = false WHERE user_id = $1", officer)
    await town.pool.execute("DELETE FROM duty_spans WHERE officer_id = $1", officer)
    await town.pool.execute(
        "UPDATE officers SET on_duty = true, duty_changed_at = $2 WHERE user_id = $1", officer, since
    )
    return officer


async def send(town: Town, officer: UUID, claims: Sequence[Claim]) -> list[Outcome]:
    async with transaction(town.pool, "") as (conn, now):
        return [each.outcome for each in await take_positions(conn, officer, claims, None, now)]


async def known(town: Town, officer: UUID) -> dict[str, list[tuple[Any, ...]]]:
    """All that is kept of where an officer was."""
    asked = {
        "latest": "SELECT ST_AsText(place), accuracy_m, taken_at FROM officer_positions WHERE officer_id = $1",
        "way": "SELECT slot_at, taken_at, ST_AsText(place), accuracy_m, mocked FROM officer_trails"
               " WHERE officer_id = $1 ORDER BY slot_at",
        "stays": "SELECT entered_at, left_at, cell_code, fixes FROM cell_stays WHERE officer_id = $1"
                 " ORDER BY entered_at",
    }  # fmt: skip
    return {what: [tuple(row) for row in await town.pool.fetch(sql, officer)] for what, sql in asked.items()}


async def test_the_same_fixes_are_the_same_track_in_any_order_twice_and_a_day_late(town: Town) -> None:
    one, other, _ = town.city.officers
    async with transaction(town.pool) as (_, now):
        begin = now - SHIFT
    for seed in range(4):
        dice = random.Random(seed)
        way = a_days_way(begin + timedelta(minutes=7 * seed), dice)
        first, second = await on_duty(town, one.user_id, begin), await on_duty(town, other.user_id, begin)
        await town.pool.execute(
            "WITH a AS (DELETE FROM officer_trails), b AS (DELETE FROM cell_stays) DELETE FROM officer_positions"
        )

        assert await send(town, first, way), "all at once, in the order of time"
        await stay_round(town.pool)
        expected = await known(town, first)

        shuffled = [*way, *dice.sample(way, 60)]
        dice.shuffle(shuffled)
        while shuffled:
            batch = [shuffled.pop() for _ in range(min(len(shuffled), dice.randrange(1, 40)))]
            await send(town, second, batch)
            if dice.random() < 0.6:
                await stay_round(town.pool)
        await stay_round(town.pool)
        found = await known(town, second)
        for what in expected:
            assert found[what] == expected[what], (seed, what)
        assert len(expected["stays"]) > 10
        assert not await town.pool.fetchval("SELECT EXISTS (SELECT FROM stays_due)")


async def test_where_an_officer_was_off_duty_is_not_kept_however_late_it_comes(town: Town) -> None:
    officer = town.city.officers[0].user_id
    async with transaction(town.pool) as (_, now):
        pass
    officer = await on_duty(town, officer, now - timedelta(hours=6))
    async with transaction(town.pool) as (conn, _):
        await change_duty(conn, officer, False, new_id(), now - timedelta(hours=2))
    away = [claim(now - timedelta(minutes=m), 0.5, 0.5) for m in (10, 119, 361)]
    walked = [claim(now - timedelta(minutes=m), 0.5, 0.5) for m in (121, 359)]
    assert await send(town, officer, [*away, *walked]) == [Outcome.OFF_DUTY] * 3 + [Outcome.ACCEPTED] * 2
    found = await known(town, officer)
    assert [step[1] for step in found["way"]] == sorted(each.taken_at for each in walked)
    assert found["latest"][0][2] == walked[0].taken_at


async def test_days_are_made_ahead_and_dropped_whole_when_their_time_is_over(town: Town) -> None:
    async with transaction(town.pool) as (_, now):
        pass
    officer = await on_duty(town, town.city.officers[0].user_id, now - timedelta(days=29))
    today = now.astimezone(UTC).date()
    await send(town, officer, [claim(now, 0.5, 0.5), claim(now - timedelta(days=20), 0.5, 0.5)])  # no day is made
    await stay_round(town.pool)
    before = await known(town, officer)
    assert len(before["way"]) == len(before["stays"]) == 2

    assert await trail_day_round(town.pool) == (DAYS_AHEAD + 1, 0)
    assert await trail_day_round(town.pool) == (0, 0)
    assert await known(town, officer) == before, "what came before its day was made has moved over"
    parts = await town.pool.fetch("SELECT tableoid::regclass::text AS part FROM officer_trails ORDER BY slot_at")
    assert [row["part"] for row in parts] == ["officer_trails_default", f"officer_trails_{today:%Y%m%d}"]

    long_ago = today - timedelta(days=TRAIL_DAYS + 1)
    async with transaction(town.pool) as (conn, _):
        await positions.make_day(conn, long_ago)
        await positions.make_day(conn, long_ago + timedelta(days=1))
        for day in (long_ago, long_ago + timedelta(days=1)):
            noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
            await conn.execute("INSERT INTO officer_trails SELECT $1, $2, $2, place, 8 FROM officer_trails LIMIT 1",
                               officer, noon)  # fmt: skip
            await conn.execute("INSERT INTO cell_stays VALUES ($1, '620102001001001', $2, $2, 1)", officer, noon)
    assert await trail_day_round(town.pool) == (0, 1)
    left = await known(town, officer)
    assert [len(left["way"]), len(left["stays"])] == [3, 3]
    assert not await town.pool.fetchval("SELECT to_regclass($1) IS NOT NULL", f"officer_trails_{long_ago:%Y%m%d}")

    async with transaction(town.pool, SERVICE) as (conn, _):
        await remove_old(conn, now + timedelta(days=TRAIL_DAYS - 1), 100)
    left = await known(town, officer)
    assert [len(left["way"]), len(left["stays"]), len(left["latest"])] == [1, 1, 1], "what no day was made for goes too"
    async with transaction(town.pool, SERVICE) as (conn, _):
        await remove_old(conn, now + timedelta(days=TRAIL_DAYS, seconds=1), 100)
    assert not (await known(town, officer))["latest"], "the last place of one who has gone is not kept for ever"
