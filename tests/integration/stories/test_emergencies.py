"""An emergency rings with the nearest, goes further while nobody comes, and whoever accepts first has it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from events.catalog import CaseAlarm, CaseAnswered, CaseCalled, CaseCallEnded, CaseNews
from gridsvc.actions.raise_alarm import raise_alarm
from gridsvc.actions.tell_people import tell_people
from gridsvc.actions.widen_calls import widen_calls
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role
from gridsvc.domain.case_state import Move, Pool, State, WhileCalled
from gridsvc.errors import CallOver, NotAllowed, Unknown
from gridsvc.store import outbox
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import CITY, INSIDE, officer, person, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import uploaded
from workers.sweep import call_round

SLOPE = "300401"  # officers handle it
GAS = "200502"  # a department does


async def stands(town: Town, who: Caller, metres_north: float, minutes_ago: float = 0) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute(
            "INSERT INTO officer_positions (officer_id, place, taken_at, received_at)"
            " VALUES ($1, ST_SetSRID(ST_MakePoint($2, $3), 4326), city_now() - $4::interval, city_now())",
            who.user_id, INSIDE.lon, INSIDE.lat + metres_north / 111_000, timedelta(minutes=minutes_ago),
        )  # fmt: skip


async def emergency(town: Town, category: str = SLOPE) -> CaseRow:
    """Filed, and heard by the worker of urgent news."""
    case = await town.filed(report(town.city.dispatcher, category))
    await alarm(town, case)
    return await town.case(case.id)


async def alarm(town: Town, case: CaseRow) -> None:
    [*_, news] = [each for each in await town.told(case.id) if isinstance(each, CaseAlarm)]
    async with transaction(town.pool) as (conn, now):
        await raise_alarm(conn, [news], now)


async def tell(town: Town, news: CaseNews) -> set[UUID]:
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)
    rows = await town.rows("SELECT user_id, body FROM notices WHERE event_id = $1", news.event_id)
    assert all(row["body"]["urgent"] for row in rows)
    return {row["user_id"] for row in rows}


async def widen(town: Town) -> int:
    async with transaction(town.pool) as (conn, now):
        return await widen_calls(conn, now, 10)


async def called(town: Town, case: CaseRow) -> dict[UUID, dict[str, Any]]:
    rows = await town.rows("SELECT * FROM called WHERE case_id = $1", case.id)
    return {row["officer_id"]: row for row in rows}


async def last(town: Town, case: CaseRow, kind: type[CaseNews]) -> Any:
    return [each for each in await town.told(case.id) if isinstance(each, kind)][-1]


def ids(*people: Caller) -> set[UUID]:
    return {each.user_id for each in people if each.user_id is not None}


async def answer(town: Town, by: Caller, case: CaseRow, move: Move = Move.ANSWER, **said: Any) -> CaseRow:
    """As a phone does it, on the call that rings there."""
    assert case.call_id is not None
    return await town.move(by, case, move, WhileCalled(case.call_id), **said)


async def test_the_nearest_are_called_at_once_and_the_first_who_accepts_owns_it(
    town: Town, city_clock: CityClock
) -> None:
    one, two, three = town.city.officers
    await stands(town, one, 300)
    await stands(town, two, 100)
    await stands(town, three, 900)
    chief = await _person(town, "city.chief", Role.SUPERVISOR, CITY)
    case = await emergency(town)
    assert (case.state, case.pool, case.call_for) == (State.FILED, Pool.CALL, "owner")
    assert set(case.called) == ids(one, two)
    assert await tell(town, await last(town, case, CaseCalled)) == ids(one, two)
    desk = ids(town.city.dispatcher, town.city.supervisor, chief)
    assert await tell(town, await last(town, case, CaseAlarm)) == desk, "the city's own hear it too, at once"

    # A minute later the third is called as well; the case's version moves under the phones of the others.
    await city_clock.forward(timedelta(seconds=61))
    assert await widen(town) == 1
    assert set((await town.case(case.id)).called) == ids(one, two, three)
    assert await tell(town, await last(town, case, CaseCalled)) == ids(three), "who knows already is not told again"

    taken = await answer(town, two, case)
    assert (taken.state, taken.officer_id, taken.pool, taken.call_id, taken.called) == (
        State.ACCEPTED, two.user_id, None, None, [],
    )  # fmt: skip
    [kept] = await town.rows("SELECT rule, reasons FROM assignments WHERE case_id = $1", case.id)
    assert kept["rule"] == "answered_the_call"
    lost = {each["officer"]: each["lost_because"] for each in kept["reasons"]["candidates"]}
    behind = dict.fromkeys((str(one.user_id), str(three.user_id)), "another accepted first")
    assert lost == {**behind, str(two.user_id): None}
    assert await tell(town, await last(town, case, CaseCallEnded)) == ids(one, three)
    assert await tell(town, await last(town, case, CaseAnswered)) == desk
    live = await town.rows("SELECT kind, unit FROM clocks WHERE case_id = $1 AND state <> 'stopped'", case.id)
    assert [(row["kind"], row["unit"]) for row in live] == [("handling", "natural")]
    assert taken.due_at is not None
    with pytest.raises(CallOver, match="another officer has accepted") as refused:
        await answer(town, one, case)
    assert (refused.value.facts["taken"], refused.value.facts["by_you"]) == (True, False)
    stranger = await _officer(town, "stranger", "620199")
    with pytest.raises(Unknown):
        await answer(town, stranger, case)


async def test_two_who_accept_at_the_same_instant_are_one_owner_and_one_who_is_told(town: Town) -> None:
    case = await emergency(town)
    results = await asyncio.gather(*(answer(town, each, case) for each in town.city.officers), return_exceptions=True)
    assert sorted(type(each).__name__ for each in results) == ["CallOver", "CallOver", "CaseRow"]
    accepted = [row for row in (await called(town, case)).values() if row["answer"] == "accepted"]
    assert len(accepted) == 1


async def test_three_sweepers_at_once_widen_once(town: Town, city_clock: CityClock) -> None:
    await stands(town, town.city.officers[0], 10)
    for far in town.city.officers[1:]:
        await stands(town, far, 1_000)
    cases = [await emergency(town) for _ in range(3)]
    await city_clock.forward(timedelta(seconds=61))
    rounds = await asyncio.gather(*(call_round(town.pool, 1) for _ in range(3)))
    assert sum(rounds) + await call_round(town.pool, 10) == 3
    assert await widen(town) == 0, "the second round has its minute"
    rung = await town.rows("SELECT case_id, round, officers FROM call_widenings ORDER BY round, case_id")
    wanted = {(case.id, number, officers) for case in cases for number, officers in ((1, 1), (2, 2))}
    assert {(row["case_id"], row["round"], row["officers"]) for row in rung} == wanted
    assert len(rung) == len(wanted)


async def test_nobody_accepts_and_nothing_is_forgotten(town: Town, city_clock: CityClock) -> None:
    one, two, three = town.city.officers
    case = await emergency(town)
    assert {row["because"] for row in (await called(town, case)).values()} == {"of_the_beat"}, "nobody sees them"
    # All have no position, so the later rounds find nobody new: the call is through after the first minute.
    await city_clock.forward(timedelta(seconds=61))
    assert await widen(town) == 1
    case = await town.case(case.id)
    assert (case.pool, set(case.called)) == (Pool.DISPATCH, ids(one, two, three))
    alarmed = await last(town, case, CaseAlarm)
    assert alarmed.why == "nobody_answered"
    assert await tell(town, alarmed) == ids(town.city.dispatcher, town.city.supervisor)
    for times in (3, 4):
        await city_clock.forward(timedelta(seconds=301))
        assert await widen(town) == 1, "it rings on, every five minutes"
        assert {row["rung"] for row in (await called(town, case)).values()} == {times}
    assert await tell(town, await last(town, case, CaseCalled)) == ids(one, two, three)
    assert await town.sweep() > 0, "the ladder of the call climbs beside it"
    assert (await answer(town, three, await town.case(case.id))).officer_id == three.user_id


async def test_who_says_no_is_not_called_again_and_if_all_do_it_goes_further_at_once(
    town: Town, city_clock: CityClock
) -> None:
    one, two, three = town.city.officers
    await stands(town, one, 10)
    await stands(town, two, 1_000)
    await stands(town, three, 1_001)
    case = await emergency(town)
    assert case.called == [one.user_id]
    declined = await answer(town, one, case, Move.DECLINE, reason_code="on_another")
    assert (declined.called, declined.pool) == ([], Pool.CALL)
    assert await widen(town) == 1, "no minute is lost on those who have said no"
    assert set((await town.case(case.id)).called) == ids(two, three)
    with pytest.raises(CallOver, match="you have declined"):
        await answer(town, one, case)
    await city_clock.forward(timedelta(seconds=601))
    assert await widen(town) == 1
    assert set((await town.case(case.id)).called) == ids(two, three)
    [row] = await town.rows("SELECT reason_code FROM called WHERE answer = 'declined'")
    assert row["reason_code"] == "on_another"


@pytest.mark.parametrize(
    ("move", "said"),
    [
        (Move.ASSIGN, {"officer": 1}),
        (Move.CANCEL, {"reason": "误报"}),
        (Move.MERGE, {"into": 1}),
        (Move.CORRECT, {"description": "是另一处"}),
        (Move.REFER_UP, {"reason": "超出本级权限", "division": CITY}),
    ],
)
async def test_whoever_takes_it_in_hand_ends_the_call_and_those_called_are_told(
    town: Town, move: Move, said: dict[str, Any]
) -> None:
    case = await emergency(town)
    if "officer" in said:
        said = {"officer": town.city.officers[1].user_id}
    if "into" in said:
        said = {"into": (await town.filed(report(town.city.dispatcher, await code(town)))).id}
    moved = await town.move(town.city.supervisor, case, move, **said)
    assert (moved.call_id, moved.called) == (None, [])
    [row] = await town.rows("SELECT ended_why, answered_by FROM calls WHERE case_id = $1", case.id)
    assert (row["ended_why"], row["answered_by"]) == (str(move), None)
    assert await tell(town, await last(town, case, CaseCallEnded)) == ids(*town.city.officers)
    assert await tell(town, await last(town, case, CaseCalled)) == set(), "nobody is called to what is over"
    with pytest.raises(CallOver):
        await answer(town, town.city.officers[0], case)
    if move is Move.CORRECT:  # routed by the rules anew: it rings anew
        await alarm(town, moved)
        assert (await town.case(case.id)).call_id not in {None, case.call_id}


async def test_for_a_department_the_nearest_come_first_and_the_department_keeps_it(town: Town) -> None:
    one, two, _ = town.city.officers
    await stands(town, one, 50)
    await stands(town, two, 400)
    case = await emergency(town, GAS)
    assert (case.state, case.department, case.call_for) == (State.ASSIGNED, "gas", "first_on_scene")
    assert set(case.called) == ids(one, two), "of another duty line, since its own has nobody near"
    going = await answer(town, two, case, Move.RESPOND)
    assert (going.state, going.department, going.responder_id, going.call_id) == (
        State.ASSIGNED, "gas", two.user_id, None,
    )  # fmt: skip
    arrived = await town.move(two, going, Move.ARRIVE, location=INSIDE)
    noted = await town.move(two, arrived, Move.NOTE, note="已拉警戒线", evidence=(await uploaded(town, two.id),))
    assert noted.state == State.ASSIGNED
    with pytest.raises(NotAllowed):
        await town.move(two, noted, Move.ACCEPT)
    with pytest.raises(CallOver):
        await answer(town, one, case, Move.RESPOND)


async def test_what_a_desk_must_file_first_rings_the_desk_at_once_and_is_called_when_it_is_filed(town: Town) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE categories SET files_itself = false WHERE code = $1", SLOPE)
    case = await emergency(town)
    assert (case.state, case.call_id) == (State.REPORTED, None)
    desk = ids(town.city.dispatcher, town.city.supervisor)
    assert await tell(town, await last(town, case, CaseAlarm)) == desk
    [clock] = await town.rows("SELECT kind, budget_seconds, ladder FROM clocks WHERE case_id = $1", case.id)
    assert tuple(clock.values()) == ("filing", 120, "emergency")
    filed = await town.move(town.city.acceptor, case, Move.FILE)
    await alarm(town, filed)
    assert (await town.case(case.id)).pool == Pool.CALL


async def test_an_emergency_overtakes_what_waits_in_the_outbox(town: Town) -> None:
    ordinary = await code(town)
    await town.file(*(report(town.city.dispatcher, ordinary) for _ in range(5)))
    await town.filed(report(town.city.dispatcher, SLOPE))
    async with transaction(town.pool) as (conn, now):
        first, *_ = await outbox.claim(conn, now, 1)
    assert first.type == "case.alarm"


async def test_an_emergency_with_nobody_on_duty_is_the_citys_within_a_second(town: Town) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE officers SET on_duty = false")
    case = await emergency(town)
    assert (case.pool, case.called) == (Pool.CALL, [])
    assert await widen(town) == 1
    assert (await town.case(case.id)).pool == Pool.DISPATCH
    assert (await last(town, case, CaseAlarm)).why == "nobody_answered"


async def _person(town: Town, name: str, role: Role, division: str) -> Caller:
    async with town.pool.acquire() as conn:
        return await person(conn, name, Grant(role=role, division=division))


async def _officer(town: Town, name: str, division: str) -> Caller:
    async with town.pool.acquire() as conn:
        new = await officer(conn, name)
        await conn.execute("UPDATE grants SET division_code = $2 WHERE user_id = $1", new.user_id, division)
    grant = Grant(role=Role.OFFICER, division=division, duty_line="social")
    return Caller(id=new.id, user_id=new.user_id, grants=(grant,))
