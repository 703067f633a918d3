"""Several departments work on one case: one leads, others have parts with clocks of their own, it closes once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from events.catalog import CaseCoAssigned, CaseCoCalledOff, CaseCoDeclined, CaseEscalated, CaseNews
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import Move, State
from gridsvc.errors import GuardFailed, NotAllowed, Unknown
from gridsvc.store.cases import CaseRow
from gridsvc.store.co_handlings import TASKS
from tests.conftest import CityClock
from tests.integration.small_city import CITY, DISTRICT, person
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import (
    AFTERNOONS,
    SHANGHAI,
    TUESDAY,
    publish,
    set_time,
    use,
    working_case,
)
from tests.integration.stories.test_move_case import assigned, uploaded


@dataclass(frozen=True)
class People:
    """Handlers and heads of the departments beside `water`, which leads."""

    roads: Caller
    gas: Caller
    heating: Caller
    head_of_roads: Caller
    head_of_water: Caller


async def people(town: Town) -> People:
    async with town.pool.acquire() as conn:
        return People(
            roads=await person(conn, "roads", Grant(role=Role.HANDLER, division=DISTRICT, department="roads")),
            gas=await person(conn, "gas", Grant(role=Role.HANDLER, division=DISTRICT, department="gas")),
            heating=await person(conn, "heating", Grant(role=Role.HANDLER, division=DISTRICT, department="heating")),
            head_of_roads=await person(
                conn, "head of roads", Grant(role=Role.SUPERVISOR, division=CITY, department="roads")
            ),
            head_of_water=await person(
                conn, "head of water", Grant(role=Role.SUPERVISOR, division=CITY, department="water")
            ),
        )


async def burst_main(town: Town) -> CaseRow:
    """A case that the water company leads and has accepted."""
    case = await assigned(town, "department")
    assert case.department == "water"
    return await town.move(town.city.handler, case, Move.ACCEPT)


async def with_parts(town: Town, case: CaseRow, *departments: str) -> CaseRow:
    for department in departments:
        case = await town.move(
            town.city.dispatcher, case, Move.CO_ASSIGN, department=department, wanted="围挡并恢复路面"
        )
    return case


async def parts_of(town: Town, case: CaseRow) -> dict[str, dict[str, Any]]:
    rows = await town.rows(
        "SELECT p.*, k.state AS clock, k.due_at, k.id AS clock_id FROM co_handlings p"
        " JOIN clocks k ON k.co_handling_id = p.id WHERE p.case_id = $1 ORDER BY p.asked_at, p.id",
        case.id,
    )
    return {row["department"]: row for row in rows}


async def hear(town: Town, *news: CaseNews) -> set[UUID]:
    """Who gets a notice of these news."""
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, news, now)
    rows = await town.rows("SELECT user_id FROM notices WHERE event_id = ANY ($1)", [each.event_id for each in news])
    return {row["user_id"] for row in rows}


async def newest(town: Town, case: CaseRow, kind: type[CaseNews]) -> CaseNews:
    return [each for each in await town.told(case.id) if isinstance(each, kind)][-1]


def ids(*callers: Caller) -> set[UUID | None]:
    return {caller.user_id for caller in callers}


async def test_one_leads_others_have_parts_and_the_case_is_closed_once(town: Town) -> None:
    them = await people(town)
    case = await with_parts(town, await burst_main(town), "roads", "gas")
    assert (case.department, case.co_open) == ("water", ["gas", "roads"])
    asked = await newest(town, case, CaseCoAssigned)
    assert await hear(town, asked) == ids(them.gas)
    [notice] = await town.rows("SELECT body FROM notices WHERE event_id = $1", asked.event_id)
    assert notice["body"]["due_at"] == (await parts_of(town, case))["gas"]["due_at"].isoformat()

    case = await town.move(them.roads, case, Move.CO_HAND_IN, reply="已围挡")
    with pytest.raises(NotAllowed):
        await town.move(them.roads, case, Move.CO_HAND_IN, reply="再次")
    assert {name: part["clock"] for name, part in (await parts_of(town, case)).items()} == {
        "roads": "stopped",
        "gas": "running",
    }
    with pytest.raises(NotAllowed):
        await town.move(them.gas, case, Move.HAND_IN, evidence=(await uploaded(town, them.gas.id),))
    photograph = await uploaded(town, town.city.handler.id)
    case = await town.move(town.city.handler, case, Move.HAND_IN, evidence=(photograph,))
    with pytest.raises(GuardFailed) as refused:
        await town.move(town.city.acceptor, case, Move.CLOSE)
    assert refused.value.facts["guard"] == "parts_are_over"

    case = await town.move(them.gas, case, Move.CO_DECLINE, reason_code="not_ours")
    assert await hear(town, await newest(town, case, CaseCoDeclined)) == ids(town.city.dispatcher)
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    parts = await parts_of(town, case)
    assert {name: (part["result"], part["clock"]) for name, part in parts.items()} == {
        "roads": ("done", "stopped"),
        "gas": ("declined", "stopped"),
    }
    assert (parts["gas"]["reason_code"], parts["roads"]["reply"], parts["roads"]["ended_by"]) == (
        "not_ours", "已围挡", them.roads.id,
    )  # fmt: skip


async def test_who_has_a_part_sees_the_case_while_and_after_it_and_his_neighbour_never(town: Town) -> None:
    them = await people(town)
    case = await with_parts(town, await burst_main(town), "roads")
    with pytest.raises(Unknown):
        await town.move(them.gas, case, Move.CO_HAND_IN, reply="不是我们的")
    for move in (Move.RETURN, Move.START, Move.CO_CALL_OFF):
        with pytest.raises(NotAllowed):
            await town.move(them.roads, case, move)
    with pytest.raises(NotAllowed):  # the head of a further department is no supervisor of the lead's
        await town.move(them.head_of_roads, case, Move.SUSPEND, reason="x", until=await town.now() + timedelta(days=1))
    case = await town.move(them.roads, case, Move.CO_HAND_IN, reply="已围挡")
    with pytest.raises(NotAllowed):
        await town.move(them.roads, case, Move.CO_HAND_IN, reply="再次")


async def test_a_part_goes_to_a_further_department_once_at_a_time_and_is_done_again_by_asking_again(
    town: Town,
) -> None:
    them = await people(town)
    case = await burst_main(town)
    for department, guard in (("water", "not_the_leads_own"), ("roads", "has_no_open_part")):
        with pytest.raises(GuardFailed) as refused:
            await with_parts(town, await with_parts(town, case, "roads") if department == "roads" else case, department)
        assert refused.value.facts["guard"] == guard
    case = await town.case(case.id)
    case = await town.move(them.roads, case, Move.CO_HAND_IN, reply="已围挡")
    case = await town.move(town.city.handler, case, Move.CO_ASSIGN, department="roads", wanted="围挡已倒，重设")
    assert case.co_open == ["roads"]
    rows = await town.rows("SELECT result FROM co_handlings WHERE case_id = $1 ORDER BY asked_at, id", case.id)
    assert [row["result"] for row in rows] == ["done", None]


async def test_the_clocks_of_the_parts_stand_still_with_the_case_and_are_not_extended_with_the_lead(
    town: Town, city_clock: CityClock
) -> None:
    await people(town)
    case = await with_parts(town, await burst_main(town), "roads", "gas")
    before = await parts_of(town, case)
    assert case.due_at is not None
    lead = case.due_at
    case = await town.move(town.city.dispatcher, case, Move.EXTEND, reason="管道埋深大")
    assert case.due_at is not None
    assert case.due_at > lead
    assert (await parts_of(town, case))["roads"]["due_at"] == before["roads"]["due_at"]
    until = await town.now() + timedelta(days=2)
    case = await town.move(town.city.dispatcher, case, Move.SUSPEND, reason="暴雨", until=until)
    assert {part["clock"] for part in (await parts_of(town, case)).values()} == {"paused"}
    await city_clock.forward(timedelta(days=1))
    case = await town.move(town.city.dispatcher, case, Move.RESUME)
    after = await parts_of(town, case)
    assert {part["clock"] for part in after.values()} == {"running"}
    assert after["roads"]["due_at"] > before["roads"]["due_at"]


async def test_a_late_part_is_chased_and_kept_as_late_and_the_lead_is_not(town: Town, city_clock: CityClock) -> None:
    them = await people(town)
    case = await with_parts(town, await burst_main(town), "roads", "gas")
    photograph = await uploaded(town, town.city.handler.id)
    case = await town.move(town.city.handler, case, Move.HAND_IN, evidence=(photograph,))
    case = await town.move(them.gas, case, Move.CO_HAND_IN, reply="已关阀")
    await city_clock.forward(timedelta(days=30))
    assert await town.sweep() > 0
    rungs = [
        each for each in await town.told(case.id) if isinstance(each, CaseEscalated) and each.clock == "co_handling"
    ]
    assert [(rung.level, rung.department) for rung in rungs] == [(level, "roads") for level in (1, 2, 3, 4)]
    assert await hear(town, *[rung for rung in rungs if rung.role == "owner"]) == ids(them.roads)
    supervisors = await hear(town, *[rung for rung in rungs if rung.role == "supervisor"])
    assert supervisors == ids(town.city.supervisor, them.head_of_roads), "and not the head of the lead"
    assert await town.sweep() == 0, "each rung once"
    case = await town.move(them.roads, await town.case(case.id), Move.CO_HAND_IN, reply="完成")
    parts = await parts_of(town, case)
    assert (parts["roads"]["late"], parts["gas"]["late"], case.late) == (True, False, False)
    assert (await town.move(town.city.acceptor, case, Move.CLOSE)).late is False


async def test_a_department_that_had_a_part_does_not_close_the_case(town: Town) -> None:
    await people(town)
    async with town.pool.acquire() as conn:
        both = await person(
            conn,
            "both",
            Grant(role=Role.ACCEPTOR, division=DISTRICT),
            Grant(role=Role.HANDLER, division=DISTRICT, department="roads"),
        )
    case = await with_parts(town, await burst_main(town), "roads")
    case = await town.move(both, case, Move.CO_HAND_IN, reply="已围挡")
    photograph = await uploaded(town, town.city.handler.id)
    case = await town.move(town.city.handler, case, Move.HAND_IN, evidence=(photograph,))
    with pytest.raises(GuardFailed) as refused:
        await town.move(both, case, Move.CLOSE)
    assert refused.value.facts["guard"] == "checked_by_another"


async def test_parts_go_on_under_another_lead_and_are_called_off_with_the_case(town: Town) -> None:
    them = await people(town)
    case = await with_parts(town, await burst_main(town), "roads", "gas")
    case = await town.move(town.city.handler, case, Move.RETURN, reason="不是供水管")
    assert (case.state, case.co_open) == (State.FILED, ["gas", "roads"])
    case = await town.move(town.city.dispatcher, case, Move.FORWARD, department="roads")
    assert case.co_open == ["gas"], "who has the lead has no part beside it"
    assert (await parts_of(town, case))["roads"]["result"] == "called_off"
    case = await town.move(town.city.dispatcher, case, Move.CANCEL, reason="误报")
    assert case.co_open == []
    [row] = await town.rows("SELECT facts FROM history WHERE case_id = $1 AND version = $2", case.id, case.version)
    assert row["facts"]["called_off"] == ["gas"]
    assert await hear(town, await newest(town, case, CaseCoCalledOff)) == ids(them.gas)
    assert {part["clock"] for part in (await parts_of(town, case)).values()} == {"stopped"}


async def test_who_handles_for_two_departments_says_which_part_he_means(town: Town) -> None:
    async with town.pool.acquire() as conn:
        both = await person(
            conn, "both", *(Grant(role=Role.HANDLER, division=DISTRICT, department=each) for each in ("roads", "gas"))
        )
    case = await with_parts(town, await burst_main(town), "roads", "gas")
    with pytest.raises(GuardFailed) as refused:
        await town.move(both, case, Move.CO_HAND_IN, reply="完成")
    assert refused.value.facts["guard"] == "means_one_part"
    case = await town.move(both, case, Move.CO_HAND_IN, department="gas", reply="完成")
    case = await town.move(both, case, Move.CO_HAND_IN, reply="完成")
    assert case.co_open == []


async def test_a_part_runs_on_the_calendar_of_its_department(town: Town, city_clock: CityClock) -> None:
    """Two working hours from 09:00: the city keeps office hours, roads work in the afternoon alone."""
    await people(town)
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town, hours=2)
    await publish(town, code="afternoons", hours=("a.json", AFTERNOONS))
    await use(town, "afternoons", department="roads")
    parts = await parts_of(town, await with_parts(town, case, "roads", "gas"))
    due = {name: part["due_at"].astimezone(SHANGHAI).strftime("%H:%M") for name, part in parts.items()}
    assert due == {"roads": "16:00", "gas": "11:00"}


async def test_the_query_itself_lists_the_parts_of_ones_own_departments_and_area_alone(town: Town) -> None:
    """Asked as the service, so that row-level security does not stand behind it."""
    await people(town)
    case = await with_parts(town, await burst_main(town), "roads")
    async with transaction(town.pool) as (conn, now):
        for keys, department, many in (
            ([f"{DISTRICT}/dept:roads"], "roads", 1),
            (["620103/dept:roads"], "roads", 0),
            ([f"{DISTRICT}/dept:roads"], "gas", 0),
        ):
            tasks = await TASKS.all(conn, keys, [department], now, 10)
            assert [task.case_id for task in tasks] == [case.id] * many, (keys, department)
