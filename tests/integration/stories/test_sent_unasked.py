"""Somebody is sent to look without being asked for: before the filing, before the closing, and again after a sample."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from events.catalog import OfficerDutyChanged
from gridsvc.actions.assign_waiting import assign_waiting_cases
from gridsvc.actions.self_handle import self_handle
from gridsvc.actions.send_checks import send_checks
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import scope_keys
from gridsvc.domain.case_state import Move, Particulars, State
from gridsvc.domain.self_handling import is_sampled
from gridsvc.ids import new_id
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import INSIDE, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_checks import checks_of, live_clocks, stands
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import assigned, holder, uploaded
from workers.reconcile import check_round

SMALL = "300301"
"""A stairway blocked by belongings, of normal severity."""


async def send(town: Town, case_id: UUID) -> CaseRow:
    """Let the worker hear all that was told about the case so far, in order."""
    for news in await town.told(case_id):
        if news.TYPE in {"case.reported", "case.handed_in", "case.self_handled", "case.check_wanted", "case.located"}:
            async with transaction(town.pool) as (conn, now):
                await send_checks(conn, [news], now)
    return await town.case(case_id)


async def told_of(town: Town, case: CaseRow, kind: str) -> list[dict[str, object]]:
    """Who heard of that news of the case, and what."""
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [each for each in await town.told(case.id) if kind == each.TYPE], now)
    return await town.rows("SELECT user_id, body FROM notices WHERE case_id = $1 AND kind = $2", case.id, kind)


async def called_in(town: Town) -> CaseRow:
    """A caller tells of something that a desk looks at first."""
    said = report(town.city.acceptor, await code(town, files_itself=False))
    return await town.filed(replace(said, source="hotline"))


async def test_what_a_caller_says_is_looked_at_before_the_desk_files_it(town: Town) -> None:
    one, two, _ = town.city.officers
    await stands(town, one, 900)
    await stands(town, two, 40)
    case = await called_in(town)
    assert (case.state, case.check_again_at is None) == (State.REPORTED, False)
    case = await send(town, case.id)
    assert (case.checker_id, case.check_again_at, case.check_unmanned) == (two.user_id, None, False)
    assert await live_clocks(town, case) == {"filing", "on_site"}
    [check] = await checks_of(town, case)
    assert (check["kind"], check["rule"], check["sent_by"]) == ("pre_filing_check", "nearest", "worker:router")
    assert (await send(town, case.id)).version == case.version, "the same news again sends nobody again"
    case = await town.move(two, case, Move.CHECK, result="confirmed", evidence=(await uploaded(town, two.id),))
    assert (case.state, case.check_again_at) == (State.REPORTED, None), "the desk decides"
    assert (await send(town, case.id)).checker_id is None
    assert (await town.move(town.city.acceptor, case, Move.FILE)).state == State.FILED


async def test_a_report_may_be_located_anew_while_somebody_is_on_his_way(town: Town) -> None:
    case = await send(town, (await called_in(town)).id)
    assert case.checker_id is not None
    located = await town.move(town.city.acceptor, case, Move.LOCATE, location=INSIDE)
    assert (located.checker_id, located.check_again_at) == (case.checker_id, None)


async def test_an_officer_has_seen_what_he_reports(town: Town) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town, files_itself=False)))
    assert (case.check_again_at, (await send(town, case.id)).checker_id) == (None, None)


async def test_before_the_closing_another_than_who_handled_it_is_sent_each_time(town: Town) -> None:
    await town.rows("UPDATE categories SET checks = '{closing_check}' RETURNING 1")
    case = await assigned(town)
    owner = holder(town, case)
    for _ in range(2):
        case = await town.move(owner, case, Move.ACCEPT)
        case = await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))
        case = await send(town, case.id)
        assert case.checker_id not in {None, owner.user_id}
        case = await town.move(town.city.acceptor, case, Move.REWORK, reason_code="half_done")
        assert (case.checker_id, case.check_again_at) == (None, None)
    assert [each["kind"] for each in await checks_of(town, case)] == ["closing_check"] * 2


async def test_where_nobody_is_free_the_desk_hears_once_and_it_is_tried_until_somebody_comes(
    town: Town, city_clock: CityClock
) -> None:
    await town.rows("UPDATE officers SET on_duty = false RETURNING 1")
    case = await called_in(town)
    assert await check_round(town.pool) == 0, "the worker still has time to hear"
    await city_clock.forward(timedelta(seconds=16))
    assert await check_round(town.pool) == 1, "the message was lost, and the row says it again"
    for _ in range(2):
        case = await send(town, case.id)
        assert (case.checker_id, case.check_unmanned, case.version) == (None, True, 1)
        await city_clock.forward(timedelta(seconds=61))
        assert await check_round(town.pool) == 1
    [heard] = await told_of(town, case, "case.check_unmanned")
    assert heard["user_id"] == town.city.acceptor.user_id
    comes = town.city.officers[1]
    await town.rows("UPDATE officers SET on_duty = true WHERE user_id = $1 RETURNING 1", comes.user_id)
    async with transaction(town.pool) as (conn, now):
        assert comes.user_id is not None
        news = OfficerDutyChanged(event_id=new_id(), at=now, officer_id=comes.user_id, on_duty=True)
        await assign_waiting_cases(conn, [news], now)
    assert await check_round(town.pool) == 1, "not after a minute: at once"
    case = await send(town, case.id)
    assert (case.checker_id, case.check_unmanned) == (comes.user_id, False)


async def test_a_desk_that_names_somebody_itself_is_not_gone_over(town: Town) -> None:
    one, two, _ = town.city.officers
    await stands(town, two, 10)
    case = await town.move(town.city.acceptor, await called_in(town), Move.SEND_CHECK, officer=one.user_id)
    assert (await send(town, case.id)).checker_id == one.user_id


async def self_handled(town: Town, *, sampled: bool) -> CaseRow:
    one = town.city.officers[0]
    said = report(one, SMALL)
    while is_sampled(said.case_id) != sampled:
        said = replace(said, case_id=new_id())
    photographs = Particulars(before=(await uploaded(town, one.id),), evidence=(await uploaded(town, one.id),))
    async with transaction(town.pool, scope_keys(one)) as (conn, now):
        return (await self_handle(conn, said, one, photographs, town.numbers, now)).case


async def test_a_sampled_case_is_looked_at_again_by_another_and_the_desk_hears_what_does_not_hold(
    town: Town, city_clock: CityClock
) -> None:
    plain = await self_handled(town, sampled=False)
    assert (await send(town, plain.id)).checker_id is None
    case = await send(town, (await self_handled(town, sampled=True)).id)
    assert case.checker_id not in {None, town.city.officers[0].user_id}
    assert (case.state, await live_clocks(town, case)) == (State.CLOSED, {"on_site"})
    closed_at = case.closed_at
    await city_clock.forward(timedelta(minutes=31))
    assert await town.sweep() == 1, "who does not go is noticed, although the case is closed"
    case = await town.case(case.id)
    checker = next(each for each in town.city.officers if each.user_id == case.checker_id)
    case = await town.move(
        checker, case, Move.CHECK, result="not_confirmed", evidence=(await uploaded(town, checker.id),)
    )
    assert (case.state, case.closed_at, case.checker_id) == (State.CLOSED, closed_at, None)
    assert await live_clocks(town, case) == set()
    [heard] = await told_of(town, case, "case.checked")
    assert heard["user_id"] == town.city.acceptor.user_id
    assert isinstance(heard["body"], dict)
    assert (heard["body"]["kind"], heard["body"]["offers"]) == ("re_check", "reopen")
    case = await town.move(town.city.acceptor, case, Move.REOPEN, reason_code="closed_wrongly")
    assert (case.state, case.cycle) == (State.FILED, 2)


async def test_a_case_that_is_reopened_before_anybody_has_looked_calls_him_off(town: Town) -> None:
    case = await send(town, (await self_handled(town, sampled=True)).id)
    case = await town.move(town.city.acceptor, case, Move.REOPEN, reason_code="came_back")
    [check] = await checks_of(town, case)
    assert (check["kind"], check["result"], check["ended_at"] is None) == ("re_check", None, False)
    assert "on_site" not in await live_clocks(town, case)
