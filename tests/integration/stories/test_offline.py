"""What was done without a network is judged by when it was done; who comes too late hears what happened meanwhile."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from gridsvc.domain.access import Grant, Role
from gridsvc.domain.captured import Claimed
from gridsvc.domain.case_state import Move, State, WhileAssigned
from gridsvc.domain.fix import Fix
from gridsvc.errors import Unknown, VersionConflict, WrongMoment
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import INSIDE, person, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_escalate_case import urgent_case
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import assigned, holder, uploaded

MINUTE = timedelta(minutes=1)


def his(case: CaseRow) -> WhileAssigned:
    assert case.assignment_id is not None
    return WhileAssigned(case.assignment_id)


async def clock(town: Town, case: CaseRow, kind: str) -> dict[str, Any]:
    [row] = await town.rows("SELECT * FROM clocks WHERE case_id = $1 AND kind = $2", case.id, kind)
    return row


async def facts(town: Town, case: CaseRow, move: Move) -> dict[str, Any]:
    [row] = await town.rows("SELECT facts FROM history WHERE case_id = $1 AND move = $2", case.id, str(move))
    return dict(row["facts"])


async def test_a_hand_in_made_offline_lands_though_rungs_an_order_and_a_reminder_came_between(
    town: Town, city_clock: CityClock
) -> None:
    """It is in time by when it was made; what fired stays fired; the desk's clock begins when it is received."""
    case = await urgent_case(town)  # a handler has it, with two hours
    handler = town.city.handler
    began = await town.now()
    expected = his(case)
    await city_clock.forward(timedelta(hours=2, minutes=1))
    assert await town.sweep() == 2, "warned, and overdue"
    case = await town.move(town.city.supervisor, await town.case(case.id), Move.SUPERVISE, reason="超时")
    case = await town.move(town.city.dispatcher, case, Move.REMIND)
    picture = await uploaded(town, handler.id)
    phone = Claimed(at=began + 90 * MINUTE - MINUTE, skew=MINUTE, last_contact=began)
    case = await town.move(handler, case, Move.HAND_IN, expected, phone, evidence=(picture,))
    assert (case.state, case.late) == (State.HANDLED, False)
    handling, checking = await clock(town, case, "handling"), await clock(town, case, "checking")
    assert handling["judged_at"] == pytest.approx(began + 90 * MINUTE, abs=timedelta(seconds=1))
    assert handling["judged_at"] < handling["due_at"] < handling["stopped_at"] == checking["started_at"]
    fired = await town.rows("SELECT level FROM escalations WHERE clock_id = $1 ORDER BY level", handling["id"])
    assert [row["level"] for row in fired] == [1, 2]
    kept = await facts(town, case, Move.HAND_IN)
    assert (kept["captured"]["skew_ms"], kept["captured"]["counts"], kept.get("doubts")) == (60_000, True, None)
    order = await clock(town, case, "supervision")
    assert order["stopped_at"] is None, "the order still wants its reply"


async def test_moves_of_one_case_are_in_order_whatever_the_phone_says(town: Town, city_clock: CityClock) -> None:
    case = await assigned(town)
    owner, expected, began = holder(town, case), his(case), await town.now()
    await city_clock.forward(timedelta(hours=1))
    case = await town.move(owner, case, Move.ACCEPT, expected, Claimed(at=began + 10 * MINUTE, skew=timedelta()))
    assert (await clock(town, case, "acknowledge"))["judged_at"] is not None
    case = await town.move(owner, case, Move.START, expected, Claimed(at=began + 10 * MINUTE, skew=timedelta()))
    before_all = Claimed(at=began - 30 * MINUTE, skew=timedelta())
    case = await town.move(owner, case, Move.NOTE, expected, before_all, note="x")
    moments = [
        datetime.fromisoformat((await facts(town, case, move))["captured"]["at"])
        for move in (Move.ACCEPT, Move.START, Move.NOTE)
    ]
    assert moments[0] == moments[1] == moments[2]
    assert (await facts(town, case, Move.START)).get("doubts") is None, "a tie is in order"
    assert (await facts(town, case, Move.NOTE))["doubts"] == ["before_assignment", "out_of_order"]


async def test_the_clock_of_a_desk_knows_only_receipt(town: Town, city_clock: CityClock) -> None:
    case = await assigned(town)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
    await city_clock.forward(timedelta(hours=1))
    claimed = Claimed(at=await town.now() - 40 * MINUTE, skew=timedelta())
    case = await town.move(town.city.acceptor, case, Move.CLOSE, None, claimed)
    assert (await clock(town, case, "checking"))["judged_at"] is None
    assert (await facts(town, case, Move.CLOSE))["captured"]["counts"] is False


async def test_who_lost_the_case_meanwhile_hears_who_did_what_and_when_up_to_then(
    town: Town, city_clock: CityClock
) -> None:
    """Also where the case has left his sight; and nothing of what came after it was taken from him."""
    case = await assigned(town, "department")
    handler, expected = town.city.handler, his(case)
    await city_clock.forward(timedelta(minutes=1))
    given = await town.move(town.city.dispatcher, case, Move.ASSIGN, department="drainage")
    await city_clock.forward(timedelta(minutes=1))
    await town.move(town.city.dispatcher, given, Move.REMIND)
    with pytest.raises(VersionConflict) as refused:
        await town.move(handler, case, Move.ACCEPT, expected, Claimed(at=await town.now(), skew=timedelta()))
    told = refused.value.facts["meanwhile"]
    assert isinstance(told, list)
    assert [(row["move"], row["actor"]) for row in told] == [
        ("assign", "worker:router"), ("assign", town.city.dispatcher.id)
    ]  # fmt: skip
    assert told[-1]["actor_name"]
    assert refused.value.facts["ended_why"] == "reassigned"
    async with town.pool.acquire() as conn:
        stranger = await person(conn, "stranger", Grant(role=Role.DISPATCHER, division="620103"))
    with pytest.raises(Unknown):
        await town.move(stranger, case, Move.ACCEPT, expected)


async def test_who_comes_second_of_a_department_hears_that_a_colleague_was_first(town: Town) -> None:
    case = await assigned(town, "department")
    expected = his(case)
    case = await town.move(town.city.handler, case, Move.ACCEPT, expected)
    with pytest.raises(WrongMoment) as refused:
        await town.move(town.city.handler, case, Move.ACCEPT, expected)
    told = refused.value.facts["meanwhile"]
    assert isinstance(told, list)
    assert told[-1]["move"] == "accept"


async def test_who_arrives_with_a_made_up_place_or_none_is_let_in_and_the_desk_sees_it(town: Town) -> None:
    case = await assigned(town)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    fix = Fix(taken_at=await town.now() - 10 * MINUTE, mocked=True)
    case = await town.move(owner, case, Move.ARRIVE, location=INSIDE, fix=fix)
    kept = await facts(town, case, Move.ARRIVE)
    assert (kept["doubts"], kept["mocked"], kept["distance_m"]) == (["mocked", "old_fix"], True, 0.0)
    case = await town.move(owner, case, Move.ARRIVE, no_fix="地下室无信号")
    [_, row] = await town.rows(
        "SELECT facts FROM history WHERE case_id = $1 AND move = 'arrive' ORDER BY version", case.id
    )
    assert (row["facts"]["doubts"], row["facts"]["no_fix"]) == (["no_fix"], "地下室无信号")


async def test_a_report_made_offline_happened_when_it_was_captured_and_begins_when_it_is_known(
    town: Town, city_clock: CityClock
) -> None:
    now = await town.now()
    said = report(town.city.officers[0], await code(town))
    phone = Claimed(at=now - timedelta(hours=30), skew=timedelta())
    case = await town.filed(type(said)(**{**vars(said), "occurred_at": None, "claimed": phone}))
    assert (case.occurred_at, case.reported_at > now) == (now - timedelta(hours=30), True)
    assert (await facts(town, case, Move.FILE))["doubts"] == ["long_offline"]
    [kept] = await town.rows("SELECT occurred_at FROM reports WHERE case_id = $1", case.id)
    assert kept["occurred_at"] == case.occurred_at
