"""Ladders in editions: which one holds where, who hears along which chain, and what a new edition leaves as it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from events.catalog import CaseEscalated
from gridsvc.actions.publish_ladders import (
    import_ladders,
    preview_ladders,
    publish_ladders,
    read_edition,
    roll_back_ladders,
)
from gridsvc.actions.recompute_clocks import recompute_clocks
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import Clock, Move
from gridsvc.domain.deadline import LimitUnit
from gridsvc.domain.escalation import After, Axis, Effect, Hearing, Rung
from gridsvc.domain.ladder import LadderUse
from gridsvc.domain.ladder_file import write_ladders
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import CITY, STREET, person
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import set_time
from tests.integration.stories.test_co_handling import people, with_parts
from tests.integration.stories.test_escalate_case import fired, urgent_case
from tests.integration.stories.test_move_case import assigned

OWNER = Hearing(role="owner")


def at_share(level: int, share: float, effect: Effect, *hears: Hearing, ladder: str = "handling") -> Rung:
    first, *also = hears
    return Rung(
        ladder=ladder, level=level, share=share, effect=effect, role=first.role, division_level=first.division_level,
        axis=first.axis, also=tuple(also),
    )  # fmt: skip


def someone(role: str, level: str, axis: Axis = Axis.BLOCK) -> Hearing:
    return Hearing(role=role, division_level=level, axis=axis)


async def draft(town: Town, ladders: Mapping[str, Sequence[Rung]], *uses: LadderUse) -> int:
    """A draft that is the edition in force with these ladders instead of, or beside, its own."""
    async with transaction(town.pool) as (conn, now):
        base = await read_edition(conn, None)
        text = write_ladders("next", {**base.ladders, **ladders}, [*base.uses, *uses])
        edition, _ = await import_ladders(conn, "ladders.toml", text.encode(), "test", now)
        return edition


async def publish(town: Town, edition: int) -> None:
    async with transaction(town.pool) as (conn, now):
        await publish_ladders(conn, edition, "test", now)
    await follow(town)


async def follow(town: Town) -> None:
    async with transaction(town.pool) as (conn, now):
        rounds = [await recompute_clocks(conn, now, 100) for _ in range(3)]
    assert rounds[-1] == 0, "what was computed anew is up to date"


async def last_rung(town: Town, case: CaseRow) -> CaseEscalated:
    return [each for each in await town.told(case.id) if isinstance(each, CaseEscalated)][-1]


async def hearers(town: Town, news: CaseEscalated) -> set[UUID]:
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)
    return {row["user_id"] for row in await town.rows("SELECT user_id FROM notices WHERE event_id = $1", news.event_id)}


def ids(*callers: Caller) -> set[UUID | None]:
    return {caller.user_id for caller in callers}


async def clock(town: Town, case: CaseRow, kind: Clock = Clock.HANDLING) -> dict[str, Any]:
    [row] = await town.rows(
        "SELECT * FROM clocks WHERE case_id = $1 AND kind = $2 AND state <> 'stopped'", case.id, str(kind)
    )
    return row


async def test_a_department_has_its_own_ladder_and_its_own_chain_hears_beside_the_division(
    town: Town, city_clock: CityClock
) -> None:
    async with town.pool.acquire() as conn:
        head = await person(conn, "head", Grant(role=Role.SUPERVISOR, division=CITY, department="water"))
        await person(conn, "other head", Grant(role=Role.SUPERVISOR, division=CITY, department="gas"))
    water = (
        at_share(1, 0.5, Effect.OVERDUE, someone("supervisor", "street", Axis.LINE), ladder="water"),
        at_share(2, 1.0, Effect.OVERDUE, someone("supervisor", "street", Axis.BOTH), OWNER, ladder="water"),
        at_share(3, 1.5, Effect.CLIMB, someone("acceptor", "district", Axis.LINE), ladder="water"),
    )
    calm = (at_share(1, 3.0, Effect.WARNING, OWNER, ladder="calm"),)
    uses = (
        LadderUse(clock=Clock.HANDLING, ladder="water", department="water"),
        LadderUse(clock=Clock.HANDLING, ladder="calm", severity="low"),
        LadderUse(clock=Clock.HANDLING, ladder="calm", division=STREET),
    )
    await publish(town, await draft(town, {"water": water, "calm": calm}, *uses))
    case = await urgent_case(town)
    assert (case.department, (await clock(town, case))["ladder"]) == ("water", "water")
    officers = await assigned(town)
    officers = await town.move(town.city.officers[0], officers, Move.ACCEPT)
    assert (await clock(town, officers))["ladder"] == "calm", "the street's, since no department has it"

    await city_clock.forward(timedelta(minutes=61))
    await town.sweep()
    assert await hearers(town, await last_rung(town, case)) == ids(head), "the line: next above, in its own chain"
    await city_clock.forward(timedelta(minutes=60))
    await town.sweep()
    both = await hearers(town, await last_rung(town, case))
    assert both == ids(head, town.city.supervisor, town.city.handler), "block, line and owner, each once"
    await city_clock.forward(timedelta(minutes=60))
    await town.sweep()
    block = await hearers(town, await last_rung(town, case))
    assert block == ids(town.city.acceptor), "nobody accepts for water itself: the division's desk hears"


async def test_a_new_edition_moves_what_has_not_fired_and_repeats_and_loses_nothing(
    town: Town, city_clock: CityClock
) -> None:
    early, late = await urgent_case(town), None
    await city_clock.forward(timedelta(minutes=91))  # 0.75 of two hours
    assert await town.sweep() == 1
    late = await urgent_case(town)
    edition = await draft(
        town,
        {"handling": [at_share(n, share, Effect.WARNING, OWNER) for n, share in enumerate((0.4, 0.5, 0.9), start=1)]},
    )
    async with transaction(town.pool) as (conn, now):
        effect = await preview_ladders(conn, edition, now)
    assert (effect.open, effect.earlier, effect.later, effect.at_once) == (2, 2, 0, {"handling": 1})

    await publish(town, edition)
    assert await town.sweep() == 1, "level 2 of the early one stands at half the limit, which has passed"
    await city_clock.forward(timedelta(minutes=61))
    assert await town.sweep() == 3
    assert [row["level"] for row in await fired(town, early)] == [1, 2, 3]
    assert [row["level"] for row in await fired(town, late)] == [1, 2]
    editions = await town.rows(
        "SELECT level, ladder, ladder_edition FROM escalations WHERE case_id = $1 ORDER BY level", early.id
    )
    assert [(row["level"], row["ladder_edition"]) for row in editions] == [(1, 1), (2, edition), (3, edition)]

    async with transaction(town.pool) as (conn, now):
        assert await roll_back_ladders(conn, "test", now) == (edition, 1)
    await follow(town)
    again = await clock(town, early)
    assert (again["ladder_edition"], again["fired_level"], again["next_level"]) == (1, 3, 4)
    assert again["next_fire_at"] - again["started_at"] == timedelta(hours=3), "1.5 of two hours, as it was before"
    async with transaction(town.pool) as (conn, now):
        with pytest.raises(SetupError, match="no edition"):
            await roll_back_ladders(conn, "test", now)
        with pytest.raises(SetupError, match="in force already"):
            await publish_ladders(conn, 1, "test", now)


async def test_clocks_that_nobody_computed_anew_follow_before_they_fire(town: Town, city_clock: CityClock) -> None:
    case = await urgent_case(town)
    edition = await draft(town, {"handling": [at_share(1, 1.0, Effect.OVERDUE, OWNER)]})
    async with transaction(town.pool) as (conn, now):
        await publish_ladders(conn, edition, "test", now)
    await city_clock.forward(timedelta(minutes=91))
    assert await town.sweep() == 0, "0.75 was a rung of the edition before"
    await city_clock.forward(timedelta(minutes=30))
    assert await town.sweep() == 1
    assert [row["level"] for row in await fired(town, case)] == [1]


async def test_a_rung_repeats_by_working_hours_until_the_case_moves(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, "2026-09-15 09:00")
    overdue = at_share(1, 1.0, Effect.OVERDUE, OWNER)
    again = replace(
        at_share(2, 0, Effect.CLIMB, someone("supervisor", "district")),
        share=None, after=After(amount=4, unit=LimitUnit.WORK_HOUR), repeats=2,
    )  # fmt: skip
    await publish(town, await draft(town, {"handling": [overdue, again]}))
    case = await urgent_case(town)
    other = await urgent_case(town)
    assert (await clock(town, case))["rung_calendar"] == "city", "a natural limit whose rungs wait in working time"

    levels = []
    for hour in ("11:01", "15:02", "15:03", "16:58"):  # 11:01 + 4 working hours without the lunch: 17:01
        await set_time(town, city_clock, f"2026-09-15 {hour}")
        await town.sweep()
        levels.append([row["level"] for row in await fired(town, case)])
    assert levels == [[1]] * 4
    await set_time(town, city_clock, "2026-09-15 17:02")
    await town.sweep()
    await town.move(town.city.dispatcher, await town.case(other.id), Move.CANCEL, reason="重复")
    await set_time(town, city_clock, "2026-09-18 09:00")
    assert await town.sweep() == 1, "three days nobody swept, and it rings once"
    await set_time(town, city_clock, "2026-09-30 17:00")
    await town.sweep()
    await set_time(town, city_clock, "2026-10-30 17:00")
    assert await town.sweep() == 0
    assert [row["level"] for row in await fired(town, case)] == [1, 2, 3, 4]
    assert [row["level"] for row in await fired(town, other)] == [1, 2]


async def test_a_day_off_that_is_published_later_moves_a_rung_that_waits_in_working_time(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, "2026-09-15 16:00")
    wait = replace(at_share(1, 0, Effect.WARNING, OWNER), share=None, after=After(amount=4, unit=LimitUnit.WORK_HOUR))
    await publish(town, await draft(town, {"handling": [wait]}))
    case = await urgent_case(town)
    before = (await clock(town, case))["next_fire_at"]
    async with town.pool.acquire() as conn:
        await conn.execute("INSERT INTO calendar_days VALUES ('city', '2026-09-16', false, '停工')")
        await conn.execute("UPDATE calendars SET edition = edition + 1")
    await follow(town)
    assert (await clock(town, case))["next_fire_at"] == before + timedelta(days=1)


async def test_reminders_come_at_each_share_once_to_the_owner_and_to_who_has_a_part(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, "2026-09-15 09:00")
    shares = list(enumerate((0.5, 0.75, 0.9), start=1))
    reminders = {
        name: [at_share(n, share, Effect.WARNING, OWNER, ladder=name) for n, share in shares]
        for name in ("handling", "co_handling")
    }
    await publish(town, await draft(town, reminders))
    roads = (await people(town)).roads
    case = await urgent_case(town)
    case = await with_parts(town, case, "roads")
    heard: list[tuple[str, int, set[UUID]]] = []
    for _ in range(40):
        await city_clock.forward(timedelta(minutes=6))
        if await town.sweep():
            rungs = [each for each in await town.told(case.id) if isinstance(each, CaseEscalated)]
            heard += [(each.clock, each.level, await hearers(town, each)) for each in rungs[len(heard) :]]
    assert sorted(heard, key=lambda each: each[:2]) == [
        *(("co_handling", level, ids(roads)) for level in (1, 2, 3)),
        *(("handling", level, ids(town.city.handler)) for level in (1, 2, 3)),
    ]


async def test_an_edition_that_the_limits_have_outgrown_is_not_published(town: Town) -> None:
    edition = await draft(town, {})
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE stage_limits SET ladder = 'patient' WHERE kind = 'pool'")
    async with transaction(town.pool) as (conn, now):
        with pytest.raises(ImportRefused) as refused:
            await publish_ladders(conn, edition, "test", now)
    assert ["patient" in defect.message for defect in refused.value.defects] == [True]
