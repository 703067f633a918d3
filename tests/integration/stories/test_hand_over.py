"""The hand-over: whose shift ends, who is absent and who asks a colleague; no case is without an owner or a pool."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest

from events.catalog import OfficerLeft
from events.codec import decode
from gridsvc.actions.cancel_absence import cancel_absence
from gridsvc.actions.change_duty import change_duty
from gridsvc.actions.enter_absence import enter_absence
from gridsvc.actions.hand_over_work import hand_over_work
from gridsvc.actions.relieve_officer import relieve_officer
from gridsvc.actions.replace_officer import Order, replace_officer
from gridsvc.actions.resume_cases import resume_cases
from gridsvc.actions.tell_of_leaving import tell_of_leaving
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.domain.case_state import Move, Pool, State
from gridsvc.errors import AbsenceOver, AbsenceOverlaps, BadRequest, GridError, GuardFailed, Refused
from gridsvc.ids import new_id
from gridsvc.store.absences import ONE, AbsenceRow
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import uploaded
from workers.sweep import end_shifts_round

ZONE = ZoneInfo("Asia/Shanghai")
QUARTER = timedelta(minutes=16)


async def given(town: Town, owner: Caller) -> CaseRow:
    """A case that a dispatcher gave to this officer."""
    case = await town.filed(report(town.city.officers[0], await code(town)))
    return await town.move(town.city.dispatcher, case, Move.ASSIGN, officer=owner.user_id)


async def three_cases(town: Town, owner: Caller) -> tuple[CaseRow, CaseRow, CaseRow]:
    """One not accepted yet, one accepted, one begun."""
    waiting, accepted, begun = [await given(town, owner) for _ in range(3)]
    accepted = await town.move(owner, accepted, Move.ACCEPT)
    begun = await town.move(owner, await town.move(owner, begun, Move.ACCEPT), Move.START)
    return waiting, accepted, begun


async def on_shift_for(town: Town, who: Caller, hours: float) -> None:
    """His shift began two hours ago and ends in so many; he is on duty since it began."""
    now = (await town.now()).astimezone(ZONE).replace(second=0, microsecond=0)
    began, ends = now - timedelta(hours=2), now + timedelta(hours=hours)
    await town.rows(
        "INSERT INTO shifts VALUES ($1, $2, $3, $4) RETURNING 1", who.user_id, began.isoweekday(), began.time(),
        ends.time(),
    )  # fmt: skip
    await town.rows("UPDATE officers SET duty_changed_at = $2 WHERE user_id = $1 RETURNING 1", who.user_id, began)


async def duty(town: Town, who: Caller, on_duty: bool) -> None:
    async with transaction(town.pool) as (conn, now):
        assert who.user_id is not None
        await change_duty(conn, who.user_id, on_duty, new_id(), now)


async def left(town: Town) -> list[OfficerLeft]:
    rows = await town.rows("SELECT body FROM outbox WHERE type = 'officer.left' ORDER BY seq")
    heard = [decode(row["body"]) for row in rows]
    return [each for each in heard if isinstance(each, OfficerLeft)]


async def told_of(town: Town, case: CaseRow, kind: str) -> set[UUID]:
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [each for each in await town.told(case.id) if kind == each.TYPE], now)
    rows = await town.rows("SELECT user_id FROM notices WHERE case_id = $1 AND kind = $2", case.id, kind)
    return {row["user_id"] for row in rows}


async def live(town: Town, case: CaseRow) -> dict[str, Any]:
    rows = await town.rows("SELECT * FROM clocks WHERE case_id = $1 AND state <> 'stopped'", case.id)
    return {row["kind"]: row for row in rows}


async def test_a_shift_ends_with_three_cases_in_three_states(town: Town, city_clock: CityClock) -> None:
    ann = town.city.officers[0]
    await on_shift_for(town, ann, 1)
    waiting, accepted, begun = await three_cases(town, ann)
    handling = (await live(town, waiting))["handling"]

    await city_clock.forward(timedelta(hours=1, minutes=1))
    assert await end_shifts_round(town.pool, 100) == 0, "while the grace runs he finishes"
    assert (await town.case(waiting.id)).officer_id == ann.user_id
    await city_clock.forward(QUARTER)
    assert await end_shifts_round(town.pool, 100) == 1

    for case in (waiting, accepted):
        case = await town.case(case.id)
        assert (case.state, case.pool, case.officer_id) == (State.FILED, Pool.ROUTING, None)
        assert case.returned_by is None, "a hand-over is no return"
        assert await told_of(town, case, "case.relieved") == {ann.user_id}
        case = await town.route(case.id)
        assert case.state == State.ASSIGNED
        assert case.officer_id not in {None, ann.user_id}
    clocks = await live(town, waiting)
    assert clocks["handling"]["id"] == handling["id"], "the city's limit goes on"
    assert clocks["acknowledge"]["started_at"] > handling["started_at"], "the new owner has time of his own to accept"
    assert (await town.case(begun.id)).officer_id == ann.user_id
    [news] = await left(town)
    assert (news.officer_id, news.why, news.handed_over, news.stay) == (ann.user_id, "shift_end", 2, (begun.id,))
    async with transaction(town.pool) as (conn, now):
        await tell_of_leaving(conn, [news], now)
        await tell_of_leaving(conn, [news], now)
    heard = await town.rows("SELECT user_id, body FROM notices WHERE kind = 'officer.left'")
    assert [(row["user_id"], row["body"]["stay"]) for row in heard] == [(town.city.dispatcher.user_id, [str(begun.id)])]
    ended = await town.rows("SELECT ended_why FROM assignments WHERE case_id = $1 ORDER BY assigned_at", waiting.id)
    assert [row["ended_why"] for row in ended] == ["relieved", None]

    # His next shift may bring him the same case again: he did not let it pass.
    await town.rows("UPDATE officers SET on_duty = false WHERE user_id <> $1 RETURNING 1", ann.user_id)
    await duty(town, ann, True)
    back = await town.move(town.city.dispatcher, await town.case(waiting.id), Move.RELIEVE, reason="nobody else")
    assert (await town.route(back.id)).officer_id == ann.user_id


async def test_where_nobody_else_comes_what_was_accepted_stays_and_the_dispatcher_hears_once(
    town: Town, city_clock: CityClock
) -> None:
    ann, bob, cem = town.city.officers
    await on_shift_for(town, ann, 1)
    waiting, accepted, begun = await three_cases(town, ann)
    for each in (bob, cem):
        await duty(town, each, False)
    await city_clock.forward(timedelta(hours=1) + QUARTER)
    for _ in range(2):
        await end_shifts_round(town.pool, 100)
    assert (await town.route(waiting.id)).pool == Pool.DISPATCH, "what nobody has accepted waits for all to see"
    assert (await town.case(accepted.id)).officer_id == ann.user_id
    [news] = await left(town)
    assert set(news.stay) == {accepted.id, begun.id}
    await duty(town, bob, True)
    await end_shifts_round(town.pool, 100)
    assert (await town.case(accepted.id)).pool == Pool.ROUTING, "now somebody is there"
    assert (await town.case(begun.id)).officer_id == ann.user_id
    assert len(await left(town)) == 1


async def test_what_a_dispatcher_gives_to_somebody_who_left_stays_with_him(town: Town, city_clock: CityClock) -> None:
    ann = town.city.officers[0]
    await on_shift_for(town, ann, 1)
    await city_clock.forward(timedelta(hours=1) + QUARTER)
    await end_shifts_round(town.pool, 100)
    await city_clock.forward(timedelta(minutes=1))
    case = await given(town, ann)
    await end_shifts_round(town.pool, 100)
    assert (await town.case(case.id)).officer_id == ann.user_id


async def test_who_leaves_is_passed_over_by_routing_by_checks_and_by_calls(town: Town, city_clock: CityClock) -> None:
    ann, bob, cem = town.city.officers
    await on_shift_for(town, ann, 1)
    async with transaction(town.pool) as (conn, now):
        assert bob.user_id is not None
        await enter_absence(conn, bob.user_id, None, now + timedelta(days=2), "sick", "user:x", now)
    # The switch alone is not enough: somebody set it behind the back of the roster.
    await town.rows("UPDATE officers SET on_duty = true WHERE user_id = $1 RETURNING 1", bob.user_id)
    await city_clock.forward(timedelta(hours=1, minutes=1))
    case = await town.route((await town.filed(report(ann, await code(town)))).id)
    assert case.officer_id == cem.user_id
    [row] = await town.rows("SELECT reasons FROM assignments WHERE case_id = $1", case.id)
    lost = {each["officer"]: each["lost_because"] for each in row["reasons"]["candidates"]}
    assert (lost[str(ann.user_id)], lost[str(bob.user_id)]) == ("the shift is over", "absent")
    await duty(town, cem, False)
    looked_at = await town.filed(report(town.city.acceptor, await code(town, files_itself=False)))
    with pytest.raises(GuardFailed, match="no officer on duty"):
        await town.move(town.city.acceptor, looked_at, Move.SEND_CHECK)
    emergency = await town.rows(
        "SELECT code FROM categories WHERE severity = 'emergency' AND handled_by = 'officer' AND files_itself"
        " AND duty_line = 'social' ORDER BY code LIMIT 1"
    )
    alarm = await town.route((await town.filed(report(ann, emergency[0]["code"]))).id)
    assert (alarm.pool, alarm.called) == (Pool.CALL, [])


async def test_an_absence_entered_for_now_takes_off_duty_and_hands_over(town: Town) -> None:
    ann = town.city.officers[0]
    waiting, accepted, begun = await three_cases(town, ann)
    async with transaction(town.pool, scope_keys(town.city.dispatcher)) as (conn, now):
        assert ann.user_id is not None
        row = await enter_absence(conn, ann.user_id, None, now + timedelta(days=3), "sick", "user:d", now)
        before = now
    states = [(await town.case(each.id)).state for each in (waiting, accepted, begun)]
    assert states == [State.FILED, State.FILED, State.IN_PROGRESS]
    [officer] = await town.rows("SELECT on_duty FROM officers WHERE user_id = $1", ann.user_id)
    assert officer == {"on_duty": False}
    assert [news.why for news in await left(town)] == ["absence"]
    with pytest.raises(GuardFailed, match="absent until"):
        await duty(town, ann, True)
    await _refused(town, ann, before - timedelta(minutes=6), before + timedelta(hours=1), BadRequest)
    await _refused(town, ann, before + timedelta(hours=2), before + timedelta(hours=1), BadRequest)
    await _refused(town, ann, before + timedelta(days=1), before + timedelta(days=400), BadRequest)
    await _refused(town, ann, before + timedelta(days=2), before + timedelta(days=5), AbsenceOverlaps)
    async with transaction(town.pool) as (conn, now):
        await enter_absence(conn, ann.user_id, row.until_at, row.until_at + timedelta(days=1), "leave", "user:d", now)
        await cancel_absence(conn, await _read(conn, row), "user:d", now)
    await duty(town, ann, True)
    with pytest.raises(AbsenceOver):
        async with transaction(town.pool) as (conn, now):
            await cancel_absence(conn, await _read(conn, row), "user:d", now)


async def _read(conn: Any, row: AbsenceRow) -> AbsenceRow:
    kept = await ONE.one(conn, row.id)
    assert kept is not None
    return kept


async def _refused(town: Town, who: Caller, from_at: datetime, until: datetime, error: type[Exception]) -> None:
    assert who.user_id is not None
    with pytest.raises(error):
        async with transaction(town.pool) as (conn, now):
            await enter_absence(conn, who.user_id, from_at, until, "leave", "user:d", now)


async def test_a_planned_absence_begins_by_itself(town: Town, city_clock: CityClock) -> None:
    ann = town.city.officers[0]
    waiting, _, _ = await three_cases(town, ann)
    async with transaction(town.pool) as (conn, now):
        assert ann.user_id is not None
        start = now + timedelta(hours=1)
        await enter_absence(conn, ann.user_id, start, start + timedelta(days=1), "training", "user:d", now)
    assert await end_shifts_round(town.pool, 100) == 0
    assert (await town.case(waiting.id)).officer_id == ann.user_id
    await city_clock.forward(timedelta(hours=1, minutes=1))
    assert await end_shifts_round(town.pool, 100) == 1
    assert (await town.case(waiting.id)).pool == Pool.ROUTING


async def test_an_officer_hands_over_to_a_colleague_who_is_there(town: Town) -> None:
    ann, bob, cem = town.city.officers
    case = await town.move(ann, await given(town, ann), Move.ACCEPT)
    due = case.due_at
    await duty(town, cem, False)
    for colleague, why in ((ann, "to_a_colleague"), (cem, "colleague_is_there")):
        with pytest.raises(GuardFailed) as refused:
            await town.move(ann, case, Move.HAND_OVER, officer=colleague.user_id, note="take it")
        assert refused.value.facts["guard"] == why
    after = await town.move(ann, case, Move.HAND_OVER, officer=bob.user_id, note="the key is at the gate")
    assert (after.state, after.officer_id, after.due_at) == (State.ASSIGNED, bob.user_id, due)
    assert "acknowledge" in await live(town, after)
    assert await told_of(town, after, "case.handed_over") == {ann.user_id, bob.user_id}
    rows = await town.rows("SELECT rule, ended_why FROM assignments WHERE case_id = $1 ORDER BY assigned_at", case.id)
    assert [(row["rule"], row["ended_why"]) for row in rows] == [("by_hand", "handed_over"), ("handed_over", None)]
    done = await town.move(bob, await town.move(bob, after, Move.ACCEPT), Move.START)
    done = await town.move(bob, done, Move.HAND_IN, evidence=(await uploaded(town, bob.id),))
    assert done.state == State.HANDLED


async def test_a_lost_phone_everything_is_taken_item_by_item(town: Town) -> None:
    (ann, bob, cem), desk = town.city.officers, town.city.dispatcher
    waiting, accepted, begun = await three_cases(town, ann)
    until = await town.now() + timedelta(days=2)
    suspended = await town.move(desk, accepted, Move.SUSPEND, reason="parts", until=until)
    async with transaction(town.pool, scope_keys(desk)) as (conn, now):
        assert ann.user_id is not None
        outcomes = await relieve_officer(conn, ann.user_id, desk, "phone lost", now)
    became = {each.case_id: each.became for each in outcomes}
    refused = became[suspended.id]
    assert isinstance(refused, GuardFailed)
    assert refused.facts["guard"] == "running"
    for each in (bob, cem):
        await duty(town, each, False)
    for case in (waiting, begun):
        moved = await town.route(case.id)
        assert moved.pool == Pool.DISPATCH, "he is off duty, and does not get it at once again"
    assert (await town.case(suspended.id)).officer_id == ann.user_id


async def test_two_sweepers_at_once_hand_over_once(town: Town, city_clock: CityClock) -> None:
    ann = town.city.officers[0]
    await on_shift_for(town, ann, 1)
    cases = [await given(town, ann) for _ in range(6)]
    begun = await town.move(ann, await town.move(ann, cases[0], Move.ACCEPT), Move.START)
    await city_clock.forward(timedelta(hours=1) + QUARTER)

    async def sweeper() -> int:
        await end_shifts_round(town.pool, 2)
        async with transaction(town.pool) as (conn, now):
            return await hand_over_work(conn, now, 100)

    await asyncio.gather(*(sweeper() for _ in range(4)))
    relieved = await town.rows("SELECT case_id FROM history WHERE move = 'relieve'")
    assert {row["case_id"] for row in relieved} == {each.id for each in cases[1:]}
    assert len(relieved) == 5
    assert [news.stay for news in await left(town)] == [(begun.id,)]


async def test_what_is_suspended_goes_along_and_is_routed_when_it_is_resumed_where_nobody_was_free(
    town: Town, city_clock: CityClock
) -> None:
    (ann, bob, cem), desk = town.city.officers, town.city.supervisor
    begun = await town.move(ann, await town.move(ann, await given(town, ann), Move.ACCEPT), Move.START)
    until = await town.now() + timedelta(days=2)
    still = await town.move(desk, begun, Move.SUSPEND, reason="parts", until=until)

    await duty(town, cem, False)
    after = await replaced(town, ann, desk, leaves=False)
    assert isinstance(after, CaseRow)
    assert (after.officer_id, after.state, after.suspended, after.suspended_until) == (
        bob.user_id, State.IN_PROGRESS, True, still.suspended_until,
    )  # fmt: skip
    assert await told_of(town, after, "case.assigned") >= {bob.user_id}
    stands = await town.rows("SELECT kind, state FROM clocks WHERE case_id = $1 AND state <> 'stopped'", begun.id)
    assert {row["state"] for row in stands} == {"paused"}

    kept = await replaced(town, bob, desk, leaves=True)
    assert isinstance(kept, Refused), "nobody is there to have it"
    await duty(town, cem, True)
    assert await end_shifts_round(town.pool, 100) == 0
    assert (await town.case(begun.id)).officer_id == bob.user_id, "it stands still, with him too"
    await city_clock.forward(timedelta(days=2))
    async with transaction(town.pool) as (conn, now):
        assert await resume_cases(conn, now, 100) == 1
    await end_shifts_round(town.pool, 100)
    resumed = await town.case(begun.id)
    assert (resumed.state, resumed.officer_id, resumed.suspended) == (State.FILED, None, False)
    assert (await town.route(begun.id)).officer_id == cem.user_id


async def replaced(town: Town, officer: Caller, desk: Caller, *, leaves: bool) -> CaseRow | GridError:
    """What becomes of the one case of an officer who is replaced without a successor."""
    assert officer.user_id is not None
    order = Order(officer_id=officer.user_id, successor=None, beats=False, leaves=leaves, reason="retires")
    async with transaction(town.pool, scope_keys(desk)) as (conn, now):
        [outcome] = (await replace_officer(conn, order, desk, now)).outcomes
    return outcome.became
