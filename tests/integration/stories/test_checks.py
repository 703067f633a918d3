"""Officers are sent to look, and orders want a reply: each with a clock, and each ends when the case goes on."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller
from gridsvc.domain.case_state import Move, State
from gridsvc.errors import GuardFailed, NotAllowed, Unknown
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import INSIDE, officer, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import assigned, holder, uploaded


async def waits_at_the_desk(town: Town) -> CaseRow:
    async with town.pool.acquire() as conn:
        wanted = await conn.fetchval(
            "SELECT code FROM categories WHERE duty_line = 'social' AND NOT files_itself AND handled_by = 'officer'"
        )
    return await town.filed(report(town.city.officers[0], wanted))


async def handed_in(town: Town) -> CaseRow:
    case = await assigned(town)
    owner = holder(town, case)
    case = await town.move(owner, case, Move.ACCEPT)
    return await town.move(owner, case, Move.HAND_IN, evidence=(await uploaded(town, owner.id),))


async def stands(town: Town, who: Caller, metres_north: float) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute(
            "INSERT INTO officer_positions (officer_id, place, taken_at, received_at)"
            " VALUES ($1, ST_SetSRID(ST_MakePoint($2, $3), 4326), city_now(), city_now())",
            who.user_id, INSIDE.lon, INSIDE.lat + metres_north / 111_000,
        )  # fmt: skip


async def checks_of(town: Town, case: CaseRow) -> list[dict[str, Any]]:
    return await town.rows("SELECT * FROM checks WHERE case_id = $1 ORDER BY sent_at, id", case.id)


async def live_clocks(town: Town, case: CaseRow) -> set[str]:
    rows = await town.rows("SELECT kind FROM clocks WHERE case_id = $1 AND state <> 'stopped'", case.id)
    return {row["kind"] for row in rows}


async def test_the_nearest_officer_is_sent_before_filing_and_says_what_he_found(town: Town) -> None:
    one, two, _ = town.city.officers
    await stands(town, one, 500)
    await stands(town, two, 100)
    case = await town.move(town.city.acceptor, await waits_at_the_desk(town), Move.SEND_CHECK)
    assert (case.state, case.checker_id) == (State.REPORTED, two.user_id)
    assert await live_clocks(town, case) == {"filing", "on_site"}
    [news] = [each for each in await town.told(case.id) if each.TYPE == "case.check_sent"]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)
    assert [row["user_id"] for row in await town.rows("SELECT user_id FROM notices")] == [two.user_id]
    case = await town.move(two, case, Move.CHECK, result="confirmed", evidence=(await uploaded(town, two.id),))
    assert (case.state, case.checker_id) == (State.REPORTED, None)
    [kept] = await checks_of(town, case)
    assert (kept["kind"], kept["rule"], kept["result"]) == ("pre_filing_check", "nearest", "confirmed")
    assert await live_clocks(town, case) == {"filing"}


async def test_who_handled_it_is_not_sent_before_closing(town: Town) -> None:
    case = await handed_in(town)
    await stands(town, holder(town, case), 1)
    sent = await town.move(town.city.acceptor, case, Move.SEND_CHECK)
    assert sent.checker_id is not None
    assert sent.checker_id != case.officer_id
    with pytest.raises(GuardFailed, match="is not sent to check it"):
        await town.move(town.city.acceptor, sent, Move.SEND_CHECK, officer=case.officer_id)


async def test_only_the_officer_who_was_sent_answers_and_wherever_he_belongs_he_sees_the_case(town: Town) -> None:
    async with town.pool.acquire() as conn:
        stranger = await officer(conn, "stranger")
        await conn.execute("UPDATE grants SET division_code = '620103' WHERE user_id = $1", stranger.user_id)
    far = type(stranger)(id=stranger.id, user_id=stranger.user_id, grants=())
    case = await town.move(town.city.acceptor, await waits_at_the_desk(town), Move.SEND_CHECK, officer=stranger.user_id)
    photograph = (await uploaded(town, far.id),)
    with pytest.raises(NotAllowed):
        await town.move(town.city.officers[0], case, Move.CHECK, result="confirmed", evidence=photograph)
    case = await town.move(far, case, Move.CHECK, result="not_found", evidence=photograph)
    with pytest.raises(Unknown):
        await town.move(far, case, Move.CHECK, result="not_found", evidence=photograph)


async def test_nobody_on_duty_is_said_with_everybody_who_was_weighed(town: Town) -> None:
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE officers SET on_duty = false")
    with pytest.raises(GuardFailed) as refused:
        await town.move(town.city.acceptor, await waits_at_the_desk(town), Move.SEND_CHECK)
    assert (refused.value.facts["guard"], refused.value.facts["candidates"]) == ("somebody_to_send", [])


async def test_a_check_that_nobody_waits_for_any_more_is_called_off(town: Town) -> None:
    case = await town.move(town.city.acceptor, await handed_in(town), Move.SEND_CHECK)
    closed = await town.move(town.city.acceptor, case, Move.CLOSE)
    [kept] = await checks_of(town, closed)
    assert (closed.checker_id, kept["result"], kept["ended_at"] is None) == (None, None, False)
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [each for each in await town.told(case.id) if each.TYPE == "case.check_sent"], now)
    assert await town.rows("SELECT 1 FROM notices") == [], "news of a check that is over reaches nobody"


async def test_sent_again_the_first_is_called_off_and_the_clock_begins_anew(town: Town) -> None:
    one, two, _ = town.city.officers
    case = await town.move(town.city.acceptor, await waits_at_the_desk(town), Move.SEND_CHECK, officer=one.user_id)
    case = await town.move(town.city.acceptor, case, Move.SEND_CHECK, officer=two.user_id)
    first, second = await checks_of(town, case)
    assert (first["ended_at"] is None, second["ended_at"], case.checker_id) == (False, None, two.user_id)
    assert len(await town.rows("SELECT 1 FROM clocks WHERE case_id = $1 AND kind = 'on_site'", case.id)) == 2


async def test_who_does_not_go_is_noticed_by_the_acceptor(town: Town, city_clock: CityClock) -> None:
    case = await town.move(town.city.acceptor, await handed_in(town), Move.SEND_CHECK)
    await city_clock.forward(timedelta(minutes=31))
    assert await town.sweep() == 2  # the desk's own check, and the officer's look
    rungs = [each for each in await town.told(case.id) if each.TYPE == "case.escalated"]
    assert {getattr(rung, "clock", None) for rung in rungs} == {"checking", "on_site"}


async def orders_of(town: Town, case: CaseRow) -> list[dict[str, Any]]:
    return await town.rows("SELECT * FROM supervision_orders WHERE case_id = $1 ORDER BY ordered_at", case.id)


async def test_an_order_has_its_own_clock_and_keeps_its_reply(town: Town) -> None:
    case = await assigned(town)
    ordered_at = await town.now()
    said: dict[str, Any] = {"reason": "市长热线", "kind": "leader", "level": "urgent", "wanted": "原因和时间"}
    case = await town.move(town.city.supervisor, case, Move.SUPERVISE, **said)
    [order] = await orders_of(town, case)
    assert (case.order_id, order["kind"], order["wanted"]) == (order["id"], "leader", "原因和时间")
    [clock] = await town.rows("SELECT * FROM clocks WHERE case_id = $1 AND kind = 'supervision'", case.id)
    assert (clock["budget_seconds"], clock["due_at"]) == (7200, order["due_at"])
    assert order["due_at"] - ordered_at < timedelta(hours=2, minutes=1)
    with pytest.raises(GuardFailed, match="still waits"):
        await town.move(town.city.supervisor, case, Move.SUPERVISE, reason="再催")
    owner = holder(town, case)
    case = await town.move(owner, case, Move.REPLY, reply="管道破裂，16:30 前修好")
    [order] = await orders_of(town, case)
    assert (order["reply"], order["replied_by"], case.order_id) == ("管道破裂，16:30 前修好", owner.id, None)
    assert "supervision" not in await live_clocks(town, case)
    assert (await town.move(town.city.supervisor, case, Move.SUPERVISE, reason="再催")).order_id is not None


async def test_an_order_that_nobody_replied_to_before_the_case_was_over_says_so(town: Town) -> None:
    case = await town.move(town.city.supervisor, await assigned(town), Move.SUPERVISE, reason="超时")
    case = await town.move(town.city.dispatcher, case, Move.CANCEL, reason="误报")
    [order] = await orders_of(town, case)
    assert (order["kind"], order["level"], order["reply"]) == ("important", "ordinary", None)
    assert (order["ended_at"] is None, case.order_id) == (False, None)


async def test_a_case_without_an_owner_is_answered_for_by_the_dispatcher(town: Town) -> None:
    case = await town.filed(report(town.city.officers[0], await code(town)))
    case = await town.move(town.city.supervisor, case, Move.SUPERVISE, reason="超时")
    assert (await town.move(town.city.dispatcher, case, Move.REPLY, reply="已派遣")).order_id is None
