"""A shift of a beat: what is walked, what is told before its end, and what nobody can know until a phone speaks."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from gridsvc.actions.import_patrols import import_patrols
from gridsvc.actions.walk_patrols import SHORT
from gridsvc.db import transaction
from gridsvc.domain.position import Claim
from gridsvc.errors import ImportRefused
from gridsvc.store import patrols
from tests.conftest import CityClock
from tests.integration.small_city import BEAT
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_trails import claim, on_duty, send
from workers.sweep import stay_round
from workers.walks import patrol_round

HEAD = "code,duty_line,beat,shifts,cells,times,stay_min,warn_min,active\n"
ZONE = ZoneInfo("Asia/Shanghai")


async def planned(town: Town, *rows: str) -> None:
    async with transaction(town.pool) as (conn, now):
        await import_patrols(conn, "patrols.csv", (HEAD + "".join(rows)).encode(), "test", now)


def walk(begin: datetime, cells: int, minutes: int, first: int = 0) -> list[Claim]:
    """A fix a minute: five minutes in each of so many of the nine cells, and then in the last of them."""
    way = []
    for minute in range(minutes):
        cell = first + min(minute // 5, cells - 1)
        way.append(claim(begin + timedelta(minutes=minute), cell % 3 + 0.5, cell // 3 + 0.5))
    return way


async def states(town: Town) -> dict[str, int]:
    rows = await town.rows("SELECT state, count(*)::integer AS cells FROM patrol_cells GROUP BY state")
    return {row["state"]: row["cells"] for row in rows}


async def test_a_shift_is_walked_told_and_judged_and_what_a_phone_sends_late_still_counts(
    town: Town, city_clock: CityClock
) -> None:
    one, *others = town.city.officers
    now = (await town.now()).replace(second=0, microsecond=0)
    begin, end = now - timedelta(hours=3), now + timedelta(hours=2)
    spans = f"{begin.astimezone(ZONE):%H:%M}-{end.astimezone(ZONE):%H:%M}"
    await planned(town, f"P-1,social,{BEAT},1-7 {spans},,1,2,180,\n", f"P-2,social,{BEAT},1-7 {spans},,1,2,5,no\n")
    for other in others:
        await town.pool.execute("UPDATE officers SET on_duty = false WHERE user_id = $1", other.user_id)
        await town.pool.execute("DELETE FROM duty_spans WHERE officer_id = $1", other.user_id)
    walker = await on_duty(town, one.user_id, begin)
    await send(town, walker, walk(begin, 5, 180))
    await stay_round(town.pool)

    assert await patrol_round(town.pool) == 1
    assert await patrol_round(town.pool) == 0, "told once"
    told = await town.rows("SELECT user_id, body FROM notices WHERE kind = $1", SHORT)
    assert {row["user_id"] for row in told} == {walker, town.city.supervisor.user_id}, "the officer and his leader"
    assert (told[0]["body"]["open"], told[0]["body"]["wanted"]) == (4, 9)
    assert await town.rows("SELECT 1 FROM patrol_cells") == [], "nothing is missed before the end"

    await city_clock.forward(timedelta(hours=2, minutes=4))
    assert await patrol_round(town.pool) == 1
    assert await states(town) == {"walked": 5, "unknown": 4}, "his phone was silent: what he walked then nobody knows"

    await city_clock.forward(timedelta(hours=18))
    await send(town, walker, walk(now, 1, 121, first=5))
    await stay_round(town.pool)
    assert await patrol_round(town.pool) == 0
    await city_clock.forward(timedelta(hours=8))
    assert await patrol_round(town.pool) == 1
    assert await states(town) == {"walked": 6, "missed": 3}, "he stood in the sixth cell all the time"
    assert await patrol_round(town.pool) == 0, "settled"
    await check_tallies(town, walker, begin, end)


async def check_tallies(town: Town, walker: UUID, begin: datetime, end: datetime) -> None:
    async with transaction(town.pool) as (conn, _):
        [his] = await patrols.BY_OFFICER.all(conn, begin, end, None)
        cells = await patrols.BY_CELL.all(conn, begin, end, "620102")
        nowhere = await patrols.BY_CELL.all(conn, begin, end, "620103")
    assert (his.key, his.patrols, his.wanted, his.walked_by, his.missed) == (str(walker), 1, 9, 6, 3)
    assert [(each.walked, each.missed) for each in cells] == [(1, 0)] * 6 + [(0, 1)] * 3
    assert nowhere == []


async def test_plans_are_imported_whole_or_not_at_all(town: Town) -> None:
    good, bad = f"P1,social,{BEAT},1-5 08:00-12:00,,,,,\n", "P2,social,B9,1-5 08:00-12:00,,,,,\n"
    with pytest.raises(ImportRefused, match="1 fault"):
        await planned(town, good, bad)
    assert await town.rows("SELECT 1 FROM patrol_plans") == []
    await planned(town, good)
    await planned(town, good.replace(",,,,,", ",,3,,,"))
    rows: list[dict[str, Any]] = await town.rows("SELECT code, times FROM patrol_plans")
    assert rows == [{"code": "P1", "times": 3}]
