"""People move cases: on the version they saw, one after the other, and the history says all of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID

import pytest

from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import AtVersion, Clock, Move, Pool, State, WhileAssigned
from gridsvc.errors import GuardFailed, NotAllowed, Unknown, VersionConflict, WrongMoment
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.patiently import until
from tests.integration.small_city import DISTRICT, person, photographed, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code


async def assigned(town: Town, handled_by: str = "officer") -> CaseRow:
    case = await town.filed(report(town.city.officers[0], await code(town, handled_by)))
    return await town.route(case.id)


def holder(town: Town, case: CaseRow) -> Caller:
    return next(each for each in town.city.officers if each.user_id == case.officer_id)


async def uploaded(town: Town, by: str) -> UUID:
    async with town.pool.acquire() as conn:
        return await photographed(conn, by)


async def test_from_report_to_closed_by_the_officer_and_the_desk(town: Town) -> None:
    case = await assigned(town)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    case = await town.move(owner, case, Move.START)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    assert case.state == State.HANDLED
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    assert (case.state, case.version) == (State.CLOSED, 6)
    moves = [
        row["move"] for row in await town.rows("SELECT move FROM history WHERE case_id = $1 ORDER BY version", case.id)
    ]
    assert moves == ["file", "assign", "accept", "start", "hand_in", "close"]
    assert await town.rows("SELECT id FROM clocks WHERE case_id = $1 AND state <> 'stopped'", case.id) == []


async def test_the_handling_clock_runs_from_assignment_to_hand_in(town: Town) -> None:
    case = await assigned(town)
    assert case.due_at is not None
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    kinds = {
        row["kind"]: row["state"]
        for row in await town.rows("SELECT kind, state FROM clocks WHERE case_id = $1", case.id)
    }
    assert kinds == {
        Clock.DISPATCH: "stopped",
        Clock.ACKNOWLEDGE: "stopped",
        Clock.HANDLING: "stopped",
        Clock.CHECKING: "running",
    }


async def test_who_handled_a_case_does_not_close_it(town: Town) -> None:
    """监管分离, although the person holds the desk's role too."""
    case = await assigned(town)
    async with town.pool.acquire() as conn:
        await conn.execute("INSERT INTO grants VALUES ($1, 'supervisor', $2)", case.officer_id, DISTRICT)
    owner = holder(town, case)
    both = type(owner)(
        id=owner.id, user_id=owner.user_id, grants=(*owner.grants, Grant(role=Role.SUPERVISOR, division=DISTRICT))
    )
    case = await town.move(both, case, Move.ACCEPT)
    case = await town.move(both, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    with pytest.raises(GuardFailed, match="does not close it"):
        await town.move(both, case, Move.CLOSE)


async def test_a_department_gives_a_case_back_and_nothing_entered_is_lost(town: Town) -> None:
    case = await assigned(town, "department")
    assert (case.department, case.officer_id) == ("water", None)
    case = await town.move(town.city.handler, case, Move.RETURN, reason="不是我们的井")
    assert (case.state, case.pool, case.department, case.due_at) == (State.FILED, Pool.DISPATCH, None, None)
    assert case.description == "井盖缺失"
    [row] = await town.rows("SELECT ended_why FROM assignments WHERE case_id = $1", case.id)
    assert row["ended_why"] == "returned"


async def test_what_a_person_gave_back_waits_for_a_person(town: Town) -> None:
    case = await assigned(town, "department")
    case = await town.move(town.city.handler, case, Move.RETURN, reason="不是我们的井")
    assert (await town.route(case.id)).pool == Pool.DISPATCH
    case = await town.move(town.city.dispatcher, case, Move.FORWARD, department="drainage")
    assert (case.state, case.department) == (State.ASSIGNED, "drainage")


async def test_a_case_outside_the_callers_area_is_not_there(town: Town) -> None:
    case = await assigned(town)
    async with town.pool.acquire() as conn:
        stranger = await person(conn, "stranger", Grant(role=Role.DISPATCHER, division="620103"))
    with pytest.raises(Unknown):
        await town.move(stranger, case, Move.CANCEL, reason="test")


async def test_a_handler_of_another_department_does_not_see_a_neighbours_case(town: Town) -> None:
    case = await assigned(town, "department")
    async with town.pool.acquire() as conn:
        neighbour = await person(conn, "neighbour", Grant(role=Role.HANDLER, division="620100", department="gas"))
    with pytest.raises(Unknown):
        await town.move(neighbour, case, Move.ACCEPT)


async def test_an_officer_who_does_not_own_the_case_may_not_accept_it(town: Town) -> None:
    case = await assigned(town)
    other = next(each for each in town.city.officers if each.user_id != case.officer_id)
    with pytest.raises(NotAllowed):
        await town.move(other, case, Move.ACCEPT)


async def test_fifty_people_pressing_at_once_make_one_winner_and_clear_conflicts(town: Town) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town)))
    target = town.city.officers[1].user_id
    answers = await asyncio.gather(
        *(town.move(town.city.dispatcher, case, Move.ASSIGN, officer=target) for _ in range(50)),
        return_exceptions=True,
    )
    losers = [answer for answer in answers if isinstance(answer, VersionConflict)]
    assert len(losers) == 49
    assert {loser.facts["current_version"] for loser in losers} == {2}
    assert len(await town.rows("SELECT id FROM assignments WHERE case_id = $1", case.id)) == 1


async def test_a_rung_between_reading_and_pressing_does_not_void_a_move_on_the_assignment(
    town: Town, city_clock: CityClock
) -> None:
    case = await assigned(town)
    owner = holder(town, case)
    await city_clock.forward(timedelta(minutes=8))  # half of the 15 minutes to acknowledge: a warning
    assert await town.sweep() == 1
    assert case.assignment_id is not None
    with pytest.raises(VersionConflict):
        await town.move(owner, case, Move.ACCEPT, AtVersion(case.version))
    moved = await town.move(owner, case, Move.ACCEPT, WhileAssigned(case.assignment_id))
    assert moved.state == State.ACCEPTED


async def test_a_closed_case_cannot_be_accepted_and_says_what_can_be_done(town: Town) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town)))
    case = await town.move(town.city.dispatcher, case, Move.CANCEL, reason="重复")
    with pytest.raises(WrongMoment) as refused:
        await town.move(town.city.dispatcher, case, Move.ASSIGN, department="water")
    assert refused.value.facts["state"] == State.CANCELLED
    assert refused.value.facts["allowed"] == []


async def test_a_reopened_case_runs_in_a_new_cycle(town: Town) -> None:
    case = await assigned(town)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    case = await town.move(town.city.supervisor, case, Move.REOPEN, reason="又坏了")
    assert (case.cycle, case.state, case.pool) == (2, State.FILED, Pool.ROUTING)
    assert (await town.route(case.id)).state == State.ASSIGNED


async def test_a_merged_case_names_the_one_that_goes_on(town: Town) -> None:
    known = await code(town)
    one, other = [await town.filed(report(town.city.officers[0], known)) for _ in range(2)]
    merged = await town.move(town.city.acceptor, other, Move.MERGE, into=one.id)
    assert (merged.state, merged.merged_into) == (State.MERGED, one.id)


async def test_failed_check_goes_back_to_the_same_owner(town: Town) -> None:
    case = await assigned(town)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    back = await town.move(town.city.acceptor, case, Move.REWORK, reason="照片看不清")
    assert (back.state, back.officer_id, back.assignment_id) == (State.ASSIGNED, owner.user_id, case.assignment_id)
    assert back.due_at is not None


async def test_two_who_merge_crosswise_never_wait_for_each_other_in_a_ring(town: Town) -> None:
    """Whoever waits for the lower of two cases does not hold the other one yet."""
    known = await code(town)
    filed = [await town.filed(report(town.city.officers[0], known)) for _ in range(2)]
    lower, higher = sorted(filed, key=lambda case: case.id)
    async with town.pool.acquire() as busy, town.pool.acquire() as looker:
        async with busy.transaction():
            await busy.execute("SELECT FROM cases WHERE id = $1 FOR UPDATE", lower.id)
            merging = asyncio.create_task(town.move(town.city.acceptor, higher, Move.MERGE, into=lower.id))

            async def waits() -> bool:
                return bool(await looker.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"))

            await until(waits, what="the merge to wait for the lower case")
            async with looker.transaction():
                free = await looker.fetchval("SELECT id FROM cases WHERE id = $1 FOR UPDATE SKIP LOCKED", higher.id)
        assert (await merging).merged_into == lower.id
    assert free == higher.id


async def test_a_case_is_not_merged_into_one_that_is_over(town: Town) -> None:
    known = await code(town)
    one, other = [await town.filed(report(town.city.officers[0], known)) for _ in range(2)]
    await town.move(town.city.dispatcher, one, Move.CANCEL, reason="误报")
    with pytest.raises(GuardFailed, match="want one that goes on"):
        await town.move(town.city.acceptor, other, Move.MERGE, into=one.id)


async def test_each_extension_adds_one_original_limit_and_a_reopened_case_begins_anew(town: Town) -> None:
    case = await assigned(town)
    [(budget,)] = [tuple(row.values()) for row in await town.rows(
        "SELECT budget_seconds FROM clocks WHERE case_id = $1 AND kind = 'handling'", case.id)]  # fmt: skip
    for times in (2, 3):
        case = await town.move(town.city.dispatcher, case, Move.EXTEND, reason="缺材料")
        [clock] = await town.rows(
            "SELECT budget_seconds, due_at FROM clocks WHERE case_id = $1 AND kind = 'handling'", case.id
        )
        assert (clock["budget_seconds"], clock["due_at"]) == (times * budget, case.due_at)
    with pytest.raises(GuardFailed, match="twice already"):
        await town.move(town.city.dispatcher, case, Move.EXTEND, reason="再来")
    case = await town.move(holder(town, case), case, Move.ACCEPT)
    case = await town.move(
        holder(town, case), case, Move.HAND_IN, evidence=(await uploaded(town, holder(town, case).id),)
    )
    case = await town.move(town.city.acceptor, case, Move.CLOSE)
    assert (await town.move(town.city.supervisor, case, Move.REOPEN, reason="又坏了")).extensions == 0


async def test_a_suspended_case_stands_still_and_goes_on_with_what_was_left(town: Town, city_clock: CityClock) -> None:
    case = await town.move(town.city.handler, await assigned(town, "department"), Move.ACCEPT)
    due = case.due_at
    until = await town.now() + timedelta(days=3)
    case = await town.move(town.city.dispatcher, case, Move.SUSPEND, reason="等配件", until=until)
    await city_clock.forward(timedelta(days=1))
    assert await town.sweep() == 0
    case = await town.move(town.city.dispatcher, case, Move.RESUME)
    assert due is not None
    assert case.due_at is not None
    assert timedelta(days=1) <= case.due_at - due <= timedelta(days=1, minutes=1)
