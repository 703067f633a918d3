"""What an owner gives back is sent on or put right, never treated as new; and nothing that was entered is lost."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

import pytest

from geo.place import Place
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import Move, Pool, State
from gridsvc.errors import GuardFailed, NotAllowed, OutsideTheGrid, UnknownCategory
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import CITY, COMMUNITY, DISTRICT, INSIDE, STEP, person, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import assigned, holder, uploaded

STAIRWAY = "300301"
"""A category of the duty line `social` that officers handle, one natural day."""


async def given_back(town: Town) -> CaseRow:
    """A case that the water company says is none of its own."""
    return await town.move(town.city.handler, await assigned(town, "department"), Move.RETURN, reason_code="not_ours")


async def facts_of_last(town: Town, case: CaseRow) -> dict[str, object]:
    [row] = await town.rows("SELECT facts FROM history WHERE case_id = $1 ORDER BY version DESC LIMIT 1", case.id)
    facts: dict[str, object] = row["facts"]
    return facts


async def heard(town: Town, case: CaseRow) -> set[object]:
    """Who hears the last that was announced of the case."""
    last = (await town.told(case.id))[-1]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [last], now)
    return {row["user_id"] for row in await town.rows("SELECT user_id FROM notices WHERE kind = $1", last.TYPE)}


async def test_what_was_given_back_is_not_assigned_as_if_it_were_new(town: Town) -> None:
    case = await given_back(town)
    assert case.returned_by == "department:water"
    with pytest.raises(GuardFailed, match="was given back"):
        await town.move(town.city.dispatcher, case, Move.ASSIGN, department="drainage")


async def test_it_is_forwarded_to_another_and_that_one_has_the_whole_limit(town: Town) -> None:
    case = await given_back(town)
    with pytest.raises(GuardFailed, match="gave the case back"):
        await town.move(town.city.dispatcher, case, Move.FORWARD, department="water")
    case = await town.move(town.city.dispatcher, case, Move.FORWARD, department="drainage", note="应为污水井盖")
    assert (case.state, case.department, case.returned_by) == (State.ASSIGNED, "drainage", None)
    assert case.due_at is not None
    rules = await town.rows("SELECT rule, department FROM assignments WHERE case_id = $1 ORDER BY assigned_at", case.id)
    assert [(row["rule"], row["department"]) for row in rules][1:] == [("by_hand", "drainage")]


async def test_a_corrected_category_brings_its_own_beat_owner_and_limit(town: Town) -> None:
    case = await given_back(town)
    before = (case.category, case.duty_line)
    case = await town.move(town.city.dispatcher, case, Move.CORRECT, category=STAIRWAY)
    assert (case.category, case.duty_line, case.beat_code, case.pool) == (STAIRWAY, "social", "B1", Pool.ROUTING)
    assert (await facts_of_last(town, case))["corrected"] == {
        "category": [before[0], STAIRWAY], "duty_line": [before[1], "social"], "severity": ["high", "normal"],
    }  # fmt: skip
    case = await town.route(case.id)
    assert case.officer_id in {officer.user_id for officer in town.city.officers}
    [clock] = await town.rows(
        "SELECT budget_seconds FROM clocks WHERE case_id = $1 AND kind = 'handling' AND state = 'running'", case.id
    )
    assert clock["budget_seconds"] == 24 * 3600


async def test_a_condition_ends_with_its_category_and_the_history_keeps_it(town: Town) -> None:
    case = await given_back(town)
    async with town.pool.acquire() as conn:
        condition = await conn.fetchval(
            "SELECT code FROM category_conditions WHERE edition = $1 AND category = $2 LIMIT 1",
            case.edition, case.category,
        )  # fmt: skip
        assert condition is not None, f"{case.category} has no condition to lose"
        await conn.execute("UPDATE cases SET condition = $2 WHERE id = $1", case.id, condition)
    case = await town.move(town.city.dispatcher, case, Move.CORRECT, category=case.category, address="东岗西路口")
    assert case.condition == condition, "the same category said again"
    assert (await facts_of_last(town, case))["corrected"] == {"address": ["", "东岗西路口"]}
    case = await given_back(town)
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE cases SET condition = $2 WHERE id = $1", case.id, condition)
    case = await town.move(town.city.dispatcher, case, Move.CORRECT, category=STAIRWAY)
    assert case.condition is None
    [kept] = await town.rows(
        "SELECT facts -> 'corrected' -> 'condition' ->> 0 AS before FROM history WHERE case_id = $1 AND version = $2",
        case.id, case.version,
    )  # fmt: skip
    assert kept["before"] == condition


async def test_a_corrected_place_has_its_own_cell_and_the_report_keeps_what_was_said(town: Town) -> None:
    case = await given_back(town)
    there = Place(INSIDE.lon + STEP, INSIDE.lat)
    case = await town.move(
        town.city.acceptor, case, Move.CORRECT, location=there, description="井盖破裂", address="东岗西路口"
    )
    assert (case.cell_code, case.description, case.address) == ("620102001001002", "井盖破裂", "东岗西路口")
    corrected = (await facts_of_last(town, case))["corrected"]
    assert corrected == {
        "lon": [INSIDE.lon, there.lon], "cell_code": ["620102001001001", "620102001001002"],
        "description": ["井盖缺失", "井盖破裂"], "address": ["", "东岗西路口"],
    }  # fmt: skip
    [kept] = await town.rows("SELECT description, ST_X(place) AS lon FROM reports WHERE case_id = $1", case.id)
    assert (kept["description"], kept["lon"]) == ("井盖缺失", INSIDE.lon)


async def test_a_correction_that_cannot_be_is_refused_whole(town: Town) -> None:
    case = await given_back(town)
    with pytest.raises(OutsideTheGrid):
        await town.move(town.city.dispatcher, case, Move.CORRECT, location=Place(103.9, 36.06))
    with pytest.raises(UnknownCategory):
        await town.move(town.city.dispatcher, case, Move.CORRECT, category="999999")
    assert (await town.case(case.id)).version == case.version


async def test_an_officer_says_that_he_is_there_and_his_position_is_kept(town: Town) -> None:
    case = await assigned(town)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    with pytest.raises(GuardFailed, match="m from the case"):
        await town.move(owner, case, Move.ARRIVE, location=Place(INSIDE.lon + 0.02, INSIDE.lat))
    case = await town.move(owner, case, Move.ARRIVE, location=Place(INSIDE.lon + STEP, INSIDE.lat, 12.0))
    assert case.state == State.ACCEPTED
    assert await facts_of_last(town, case) == {"distance_m": 90.1, "accuracy_m": 12.0}


async def handed_in(town: Town, handled_by: str = "department") -> CaseRow:
    case = await assigned(town, handled_by)
    by = town.city.handler if handled_by == "department" else holder(town, case)
    case = await town.move(by, case, Move.ACCEPT)
    return await town.move(by, case, Move.HAND_IN, evidence=(await uploaded(town, by.id),))


async def head_of_water(town: Town) -> Caller:
    async with town.pool.acquire() as conn:
        return await person(conn, "head", Grant(role=Role.SUPERVISOR, division=CITY, department="water"))


async def test_the_desk_sends_work_back_to_the_department_which_finds_somebody(town: Town) -> None:
    case = await handed_in(town)
    back = await town.move(town.city.acceptor, case, Move.REWORK, reason_code="half_done")
    assert (back.state, back.department, back.handler_id) == (State.ASSIGNED, "water", None)
    assert await heard(town, back) == {town.city.handler.user_id}


async def test_the_departments_head_sends_work_back_to_the_same_handler(town: Town) -> None:
    case = await handed_in(town)
    with pytest.raises(NotAllowed):
        await town.move(town.city.supervisor, case, Move.SEND_BACK, reason_code="half_done")
    back = await town.move(await head_of_water(town), case, Move.SEND_BACK, reason_code="half_done")
    assert (back.state, back.handler_id) == (State.ASSIGNED, town.city.handler.user_id)
    assert await heard(town, back) == {town.city.handler.user_id}


async def test_a_handler_who_has_left_gets_nothing_back(town: Town) -> None:
    case = await handed_in(town)
    async with town.pool.acquire() as conn:
        colleague = await person(conn, "colleague", Grant(role=Role.HANDLER, division=CITY, department="water"))
        await conn.execute("UPDATE users SET active = false WHERE id = $1", town.city.handler.user_id)
    back = await town.move(await head_of_water(town), case, Move.SEND_BACK, reason="没有清理干净")
    assert back.handler_id is None
    assert await heard(town, back) == {colleague.user_id}


async def late_and_closed(town: Town, city_clock: CityClock) -> CaseRow:
    case = await town.move(town.city.handler, await assigned(town, "department"), Move.ACCEPT)
    await city_clock.forward(timedelta(days=1))
    photograph = await uploaded(town, town.city.handler.id)
    case = await town.move(town.city.handler, case, Move.HAND_IN, evidence=(photograph,))
    return await town.move(town.city.acceptor, case, Move.CLOSE)


async def test_an_appeal_spares_the_statistics_and_late_it_stays(town: Town, city_clock: CityClock) -> None:
    case = await late_and_closed(town, city_clock)
    assert case.late
    closed_at = case.closed_at
    async with town.pool.acquire() as conn:
        await person(conn, "own", Grant(role=Role.SUPERVISOR, division=COMMUNITY, department="water"))
    case = await town.move(town.city.handler, case, Move.APPEAL, reason_code="access")
    assert await heard(town, case) == {town.city.supervisor.user_id}, "not the department's own, however near"
    case = await town.move(town.city.supervisor, case, Move.SETTLE_APPEAL, result="granted", note="核实无法进入")
    assert (case.state, case.appeal, case.late) == (State.CLOSED, "granted", True)
    assert case.closed_at == closed_at, "asking about a closing does not move it"
    assert await heard(town, case) == {town.city.handler.user_id}
    with pytest.raises(GuardFailed, match="made already"):
        await town.move(town.city.handler, case, Move.APPEAL, reason_code="access")


async def test_who_was_in_time_has_nothing_to_appeal_against(town: Town) -> None:
    case = await town.move(town.city.acceptor, await handed_in(town), Move.CLOSE)
    assert not case.late
    with pytest.raises(GuardFailed, match="was not late"):
        await town.move(town.city.handler, case, Move.APPEAL, reason_code="access")


async def test_who_gives_a_case_back_when_it_is_overdue_was_late_too(town: Town, city_clock: CityClock) -> None:
    case = await assigned(town, "department")
    await city_clock.forward(timedelta(days=1))
    assert (await town.move(town.city.handler, case, Move.RETURN, reason_code="not_ours")).late


async def test_a_new_cycle_may_be_in_time_again(town: Town, city_clock: CityClock) -> None:
    case = await late_and_closed(town, city_clock)
    case = await town.move(town.city.handler, case, Move.APPEAL, reason_code="access")
    again = await town.move(town.city.acceptor, case, Move.REOPEN, reason_code="came_back")
    assert (again.late, again.appeal) == (False, None)


async def test_a_merge_is_undone_and_the_case_keeps_its_number(town: Town) -> None:
    known = await code(town)
    one, other = [await town.filed(report(town.city.officers[0], known)) for _ in range(2)]
    merged = await town.move(town.city.acceptor, other, Move.MERGE, into=one.id)
    again = await town.move(town.city.acceptor, merged, Move.UNMERGE, reason="是两处不同的问题")
    assert (again.state, again.pool, again.merged_into) == (State.REPORTED, Pool.FILING, None)
    assert (await facts_of_last(town, again))["out_of"] == str(one.id)
    assert await heard(town, again) == {town.city.acceptor.user_id}
    filed = await town.move(town.city.acceptor, again, Move.FILE)
    assert (filed.number, filed.filed_at, filed.pool) == (other.number, other.filed_at, Pool.ROUTING)


async def test_only_the_desk_of_the_area_undoes_a_merge(town: Town) -> None:
    known = await code(town)
    one, other = [await town.filed(report(town.city.officers[0], known)) for _ in range(2)]
    merged = await town.move(town.city.acceptor, other, Move.MERGE, into=one.id)
    with pytest.raises(NotAllowed):
        await town.move(town.city.officers[0], merged, Move.UNMERGE, reason="x")
    assert isinstance(merged.merged_into, UUID)
    assert DISTRICT in merged.divisions
