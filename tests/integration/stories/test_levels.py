"""A case climbs to a level that can settle it, and is handed down again: who sees it, who hears, who may move it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from geo.place import Place
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import Move, Pool, State
from gridsvc.errors import GuardFailed, NotAllowed, Unknown
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import CITY, DISTRICT, STREET, person
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_move_case import assigned, holder


async def desk_of(town: Town, division: str, role: Role = Role.DISPATCHER) -> Caller:
    async with town.pool.acquire() as conn:
        return await person(conn, f"{role}-of-{division}", Grant(role=role, division=division))


async def referred(town: Town) -> CaseRow:
    case = await assigned(town)
    return await town.move(holder(town, case), case, Move.REFER_UP, reason_code="beyond_powers", division=DISTRICT)


async def told_about_last(town: Town, case: CaseRow) -> set[object]:
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, (await town.told(case.id))[-1:], now)
    return {row["user_id"] for row in await town.rows("SELECT user_id FROM notices WHERE kind = 'case.referred'")}


async def test_what_is_referred_up_stands_in_the_pool_of_that_level(town: Town) -> None:
    case = await referred(town)
    assert (case.state, case.pool, case.held_by, case.officer_id) == (State.FILED, Pool.DISPATCH, DISTRICT, None)
    [row] = await town.rows("SELECT facts FROM history WHERE case_id = $1 AND move = 'refer_up'", case.id)
    assert row["facts"] == {"reason_code": "beyond_powers", "division": DISTRICT}


async def test_the_level_below_neither_sees_nor_moves_it_any_more(town: Town) -> None:
    street = await desk_of(town, STREET)
    case = await referred(town)
    with pytest.raises(Unknown):
        await town.move(street, case, Move.ASSIGN, officer=town.city.officers[0].user_id)
    moved = await town.move(town.city.dispatcher, case, Move.ASSIGN, officer=town.city.officers[0].user_id)
    assert (moved.state, moved.held_by) == (State.ASSIGNED, DISTRICT), "it was assigned, and still is the district's"


async def test_the_level_above_it_sees_it_and_may_act(town: Town) -> None:
    city = await desk_of(town, CITY)
    case = await referred(town)
    assert (await town.move(city, case, Move.REFER_UP, reason="全市统筹", division=CITY)).held_by == CITY


async def test_the_dispatcher_of_the_level_that_has_it_hears(town: Town) -> None:
    street, city = await desk_of(town, STREET), await desk_of(town, CITY)
    case = await referred(town)
    assert await told_about_last(town, case) == {town.city.dispatcher.user_id}
    case = await town.move(city, case, Move.HAND_DOWN, division=STREET)
    assert street.user_id in await told_about_last(town, case)
    assert (await town.move(street, case, Move.CANCEL, reason="误报")).state == State.CANCELLED


async def test_a_rung_of_a_case_that_the_city_holds_is_not_heard_below(town: Town, city_clock: CityClock) -> None:
    city = await desk_of(town, CITY)
    case = await town.move(city, await referred(town), Move.REFER_UP, reason="全市统筹", division=CITY)
    await city_clock.forward(timedelta(minutes=1))
    assert await town.sweep() == 1  # share 0 of the pool's ladder, written for the district's dispatcher
    [*_, rung] = await town.told(case.id)
    assert (rung.TYPE, getattr(rung, "division", None)) == ("case.escalated", CITY)


async def test_a_case_is_not_referred_sideways_nor_by_whoever_does_not_own_it(town: Town) -> None:
    case = await assigned(town)
    with pytest.raises(GuardFailed, match="is not above"):
        await town.move(holder(town, case), case, Move.REFER_UP, reason="x", division="620103")
    other = next(each for each in town.city.officers if each.user_id != case.officer_id)
    with pytest.raises(NotAllowed):
        await town.move(other, case, Move.REFER_UP, reason="x", division=DISTRICT)


async def test_a_departments_handlers_answer_at_the_level_that_assigned_it(town: Town) -> None:
    async with town.pool.acquire() as conn:
        below = await person(conn, "below", Grant(role=Role.HANDLER, division=STREET, department="fire"))
        same = await person(conn, "same", Grant(role=Role.HANDLER, division=DISTRICT, department="fire"))
    case = await town.move(town.city.dispatcher, await referred(town), Move.ASSIGN, department="fire")
    with pytest.raises(Unknown):
        await town.move(below, case, Move.ACCEPT)
    assert (await town.move(same, case, Move.ACCEPT)).state == State.ACCEPTED


async def test_a_case_is_suspended_once_in_its_life(town: Town) -> None:
    case = await assigned(town)
    until = await town.now() + timedelta(days=3)
    case = await town.move(town.city.dispatcher, case, Move.SUSPEND, reason_code="parts", until=until)
    case = await town.move(town.city.dispatcher, case, Move.RESUME)
    with pytest.raises(GuardFailed, match="suspended before"):
        await town.move(town.city.dispatcher, case, Move.SUSPEND, reason_code="parts", until=until)


async def test_a_level_does_not_hold_what_turns_out_to_lie_elsewhere(town: Town) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute(NEXT_DISTRICT)
    case = await referred(town)
    there = Place(103.8035, 36.0605)
    moved = await town.move(town.city.dispatcher, case, Move.CORRECT, location=there)
    assert (moved.cell_code, moved.held_by) == ("620103001001001", None)


NEXT_DISTRICT = """
WITH tree AS (
  INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2)
  SELECT id, v.code, v.code, v.level, v.parent, v.path, 1e5
    FROM grid_sets, (VALUES
      ('620103', 'district', '620100', '{620100,620103}'::text[]),
      ('620103001', 'street', '620103', '{620100,620103,620103001}'),
      ('620103001001', 'community', '620103001', '{620100,620103,620103001,620103001001}')
    ) AS v (code, level, parent, path)
)
INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)
SELECT id, '620103001001001', '620103001001', 10000,
       ST_Multi(ST_MakeEnvelope(103.803, 36.06, 103.804, 36.061, 4326))
  FROM grid_sets
"""
