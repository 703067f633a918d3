"""One burst main and what it brings: its effects wait for it, and what becomes of it becomes of them."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from events.catalog import CaseCauseReopened, CaseLinked
from gridsvc.actions.emit_again import emit_again
from gridsvc.actions.move_case import move_case
from gridsvc.actions.move_cases import Wanted, move_cases
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role, scope_keys
from gridsvc.domain.case_state import Actor, AtVersion, Move, Particulars, Pool, State
from gridsvc.errors import GuardFailed, Unknown, VersionConflict
from gridsvc.store.cases import CaseRow
from gridsvc.store.effects import cause_of, of_cause
from tests.conftest import CityClock
from tests.integration.api.conftest import wait_for_locks
from tests.integration.small_city import DISTRICT, person, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import assigned, holder, uploaded


async def burst_main(town: Town) -> CaseRow:
    """The cause: the water company has accepted it."""
    return await town.move(town.city.handler, await assigned(town, "department"), Move.ACCEPT)


async def linked(town: Town, cause: CaseRow, many: int = 1) -> list[CaseRow]:
    """So many cases of officers, linked to the cause."""
    effects = [await assigned(town) for _ in range(many)]
    return [await town.move(town.city.dispatcher, each, Move.LINK, cause=cause.id) for each in effects]


async def closed(town: Town, cause: CaseRow) -> CaseRow:
    photograph = await uploaded(town, town.city.handler.id)
    cause = await town.move(town.city.handler, await town.case(cause.id), Move.HAND_IN, evidence=(photograph,))
    return await town.move(town.city.acceptor, cause, Move.CLOSE)


async def live_clocks(town: Town, case: CaseRow) -> set[str]:
    rows = await town.rows("SELECT kind FROM clocks WHERE case_id = $1 AND state <> 'stopped'", case.id)
    return {row["kind"] for row in rows}


async def last_entry(town: Town, case: CaseRow) -> dict[str, Any]:
    [row] = await town.rows(
        "SELECT move, actor, facts FROM history WHERE case_id = $1 ORDER BY version DESC LIMIT 1", case.id
    )
    return row


async def test_an_effect_waits_unowned_and_unchased_and_is_handled_with_its_cause(
    town: Town, city_clock: CityClock
) -> None:
    cause = await burst_main(town)
    before = await assigned(town)
    officer = holder(town, before)
    effect = await town.move(town.city.dispatcher, before, Move.LINK, cause=cause.id)
    assert (effect.state, effect.pool, effect.officer_id, effect.due_at) == (State.FILED, Pool.CAUSE, None, None)
    assert await live_clocks(town, effect) == set()
    [news] = [each for each in await town.told(effect.id) if isinstance(each, CaseLinked)]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)
    assert [row["user_id"] for row in await town.rows("SELECT user_id FROM notices")] == [officer.user_id]

    await city_clock.forward(timedelta(days=3))
    await town.sweep()
    async with transaction(town.pool) as (conn, now):
        await emit_again(conn, now, 100)
    assert [each for each in await town.told(effect.id) if each.TYPE in {"case.waiting", "case.escalated"}] == []
    assert (await town.route(effect.id)).pool == Pool.CAUSE, "old news does not route it"
    tried: list[tuple[Move, dict[str, Any]]] = [
        (Move.ASSIGN, {"officer": officer.user_id}),
        (Move.REFER_UP, {"division": DISTRICT, "reason": "x"}),
    ]
    for move, said in tried:
        with pytest.raises(GuardFailed) as refused:
            await town.move(town.city.dispatcher, effect, move, **said)
        assert refused.value.facts["guard"] == "stands_for_itself"

    cause = await closed(town, cause)
    effect = await town.case(effect.id)
    assert (effect.state, effect.department, effect.handler_id) == (State.HANDLED, "water", town.city.handler.user_id)
    assert await live_clocks(town, effect) == {"checking"}
    entry = await last_entry(town, effect)
    assert (entry["move"], entry["actor"]) == ("follow", "worker:cause")
    assert entry["facts"] == {"cause": str(cause.id), "by": town.city.acceptor.id, "department": "water"}
    with pytest.raises(GuardFailed, match="unlink it first"):
        await town.move(town.city.acceptor, effect, Move.REWORK, reason="还在堵")
    effect = await town.move(town.city.acceptor, effect, Move.CLOSE)
    assert (effect.state, effect.cause_id) == (State.CLOSED, cause.id)


async def test_what_is_not_settled_with_its_cause_is_routed_for_itself(town: Town) -> None:
    cause = await burst_main(town)
    [effect] = await linked(town, cause)
    await closed(town, cause)
    effect = await town.move(town.city.acceptor, await town.case(effect.id), Move.UNLINK, note="地下室仍有积水")
    assert (effect.pool, effect.cause_id, effect.department) == (Pool.ROUTING, None, None)
    assert (await town.route(effect.id)).state == State.ASSIGNED


async def test_forty_effects_cost_as_many_round_trips_as_one(town: Town) -> None:
    asked: list[int] = []
    wanted = await code(town)
    for number in (1, 40):
        cause = await burst_main(town)
        effects = [
            each.case for each in await town.file(*(report(town.city.officers[0], wanted) for _ in range(number)))
        ]
        outcomes = await many(town, town.city.dispatcher, Move.LINK, effects, cause=cause.id)
        assert all(isinstance(each, CaseRow) for each in outcomes)
        photograph = await uploaded(town, town.city.handler.id)
        cause = await town.move(town.city.handler, await town.case(cause.id), Move.HAND_IN, evidence=(photograph,))
        async with transaction(town.pool, scope_keys(town.city.acceptor)) as (conn, now):
            questions: list[object] = []
            conn.add_query_logger(questions.append)
            await move_case(
                conn, cause.id, Move.CLOSE, Actor(town.city.acceptor), Particulars(), AtVersion(cause.version),
                town.numbers, now,
            )  # fmt: skip
            conn.remove_query_logger(questions.append)
        asked.append(len(questions))
        assert {(await town.case(each.id)).state for each in effects} == {State.HANDLED}
    assert asked[0] == asked[1]
    assert asked[0] > 0


async def test_what_was_called_off_or_merged_frees_its_effects_or_passes_them_on(town: Town) -> None:
    cancelled = await burst_main(town)
    [freed] = await linked(town, cancelled)
    await town.move(town.city.dispatcher, await town.case(cancelled.id), Move.CANCEL, reason="误报")
    freed = await town.case(freed.id)
    assert (freed.pool, freed.cause_id) == (Pool.ROUTING, None)
    assert (await town.route(freed.id)).state == State.ASSIGNED

    merged, heir = await burst_main(town), await burst_main(town)
    [effect] = await linked(town, merged)
    await town.move(town.city.acceptor, await town.case(merged.id), Move.MERGE, into=heir.id)
    effect = await town.case(effect.id)
    assert (effect.pool, effect.cause_id) == (Pool.CAUSE, heir.id)
    assert (await last_entry(town, effect))["facts"]["merged"] == str(merged.id)
    await closed(town, heir)
    assert (await town.case(effect.id)).state == State.HANDLED


async def test_there_are_no_chains_and_a_cause_is_filed_and_open(town: Town) -> None:
    cause, other = await burst_main(town), await burst_main(town)
    [effect] = await linked(town, cause)
    async with town.pool.acquire() as conn:
        looked_at = await conn.fetchval("SELECT code FROM categories WHERE NOT files_itself LIMIT 1")
    unfiled = await town.filed(report(town.city.officers[0], looked_at))
    over = await town.move(town.city.dispatcher, await burst_main(town), Move.CANCEL, reason="误报")
    lone, drill = await assigned(town), await assigned(town)
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE cases SET exercise = true WHERE id = $1", drill.id)
    for case, to, guard in (
        (cause, other, "has_no_effects"),
        (other, effect, "no_chain"),
        (lone, lone, "not_its_own_cause"),
        (lone, unfiled, "goes_on"),
        (lone, over, "goes_on"),
        (drill, cause, "goes_on"),
        (effect, cause, "not_linked_to_it"),
    ):
        with pytest.raises(GuardFailed) as refused:
            await town.move(town.city.dispatcher, await town.case(case.id), Move.LINK, cause=to.id)
        assert refused.value.facts["guard"] == guard, guard
    for into, guard in ((unfiled, "goes_on"), (effect, "no_chain")):
        with pytest.raises(GuardFailed) as refused:
            await town.move(town.city.acceptor, await town.case(cause.id), Move.MERGE, into=into.id)
        assert refused.value.facts["guard"] == guard
    moved = await town.move(town.city.dispatcher, effect, Move.LINK, cause=other.id)
    assert moved.cause_id == other.id, "linked to another it changes over"


async def test_a_cause_that_is_out_of_sight_is_not_there(town: Town) -> None:
    cause = await burst_main(town)
    effect = await assigned(town)
    async with town.pool.acquire() as conn:
        desk = await person(conn, "desk", Grant(role=Role.DISPATCHER, division=DISTRICT, duty_line="social"))
    with pytest.raises(Unknown):
        await town.move(desk, effect, Move.LINK, cause=cause.id)


async def test_effects_follow_also_where_the_mover_does_not_see_them(town: Town) -> None:
    cause = await burst_main(town)
    [effect] = await linked(town, cause)
    async with town.pool.acquire() as conn:
        desk = await person(conn, "desk", Grant(role=Role.ACCEPTOR, division=DISTRICT, duty_line=cause.duty_line))
    assert cause.duty_line != effect.duty_line
    photograph = await uploaded(town, town.city.handler.id)
    cause = await town.move(town.city.handler, await town.case(cause.id), Move.HAND_IN, evidence=(photograph,))
    await town.move(desk, cause, Move.CLOSE)
    assert (await town.case(effect.id)).state == State.HANDLED


async def test_a_reopened_cause_reopens_nothing_and_the_desk_hears(town: Town) -> None:
    cause = await burst_main(town)
    done, waiting = await linked(town, cause, 2)
    cause = await closed(town, cause)
    done = await town.move(town.city.acceptor, await town.case(done.id), Move.CLOSE)
    await town.move(town.city.acceptor, cause, Move.REOPEN, reason="又漏水了")
    assert [(await town.case(each.id)).state for each in (done, waiting)] == [State.CLOSED, State.HANDLED]
    [news] = [each for each in await town.told(done.id) if isinstance(each, CaseCauseReopened)]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)
    [row] = await town.rows("SELECT user_id, body FROM notices WHERE event_id = $1", news.event_id)
    assert (row["user_id"], row["body"]["cause_id"]) == (town.city.acceptor.user_id, str(cause.id))
    reopened = await town.move(town.city.acceptor, done, Move.REOPEN, reason="又停水")
    assert (reopened.cause_id, reopened.pool) == (None, Pool.ROUTING)


async def many(town: Town, by: Caller, move: Move, cases: list[CaseRow], **said: Any) -> list[Any]:
    async with transaction(town.pool, scope_keys(by)) as (conn, now):
        wanted = [Wanted(each.id, AtVersion(each.version)) for each in cases]
        made = await move_cases(conn, wanted, move, by, Particulars(**said), town.numbers, now)
        return list(made.outcomes)


async def test_many_are_linked_and_closed_at_once_each_with_its_outcome(town: Town) -> None:
    cause = await burst_main(town)
    cases = [await assigned(town) for _ in range(3)]
    outcomes = await many(town, town.city.dispatcher, Move.LINK, [*cases, cause], cause=cause.id)
    assert [getattr(each, "pool", None) for each in outcomes[:3]] == [Pool.CAUSE] * 3
    assert isinstance(outcomes[3], GuardFailed)
    cause = await closed(town, cause)
    lone = await assigned(town)
    lone = await town.move(holder(town, lone), lone, Move.ACCEPT)
    lone = await town.move(
        holder(town, lone), lone, Move.HAND_IN, evidence=(await uploaded(town, holder(town, lone).id),)
    )
    effects = [await town.case(each.id) for each in cases]
    outcomes = await many(town, town.city.handler, Move.CLOSE, effects)
    assert [type(each).__name__ for each in outcomes] == ["NotAllowed"] * 3
    outcomes = await many(town, town.city.acceptor, Move.CLOSE, [*effects, lone])
    assert [getattr(each, "state", None) for each in outcomes[:3]] == [State.CLOSED] * 3
    assert isinstance(outcomes[3], GuardFailed)
    assert outcomes[3].facts["guard"] == "handled_with_its_cause"


async def test_who_links_while_the_cause_is_closed_waits_and_neither_is_lost(town: Town) -> None:
    """Twenty at once on both sides of the cause's closing: no deadlock, and nothing waits for a case that is over."""
    cause = await burst_main(town)
    await linked(town, cause, 3)
    lone = [await assigned(town) for _ in range(6)]
    photograph = await uploaded(town, town.city.handler.id)
    cause = await town.move(town.city.handler, await town.case(cause.id), Move.HAND_IN, evidence=(photograph,))

    async def close() -> str:
        for _ in range(10):
            try:
                await town.move(town.city.acceptor, cause, Move.CLOSE)
            except VersionConflict:
                continue
            return "closed"
        return "never"

    async def link(case: CaseRow) -> str:
        try:
            await town.move(town.city.dispatcher, case, Move.LINK, cause=cause.id)
        except GuardFailed:
            return "too late"
        return "linked"

    said = await asyncio.gather(*(link(each) for each in lone[:3]), close(), *(link(each) for each in lone[3:]))
    assert said[3] == "closed"
    for case, outcome in zip(lone, [*said[:3], *said[4:]], strict=True):
        after = await town.case(case.id)
        assert after.state == (State.HANDLED if outcome == "linked" else State.ASSIGNED), outcome


@pytest.mark.parametrize("had", [0, 1], ids=["the first effect", "one more effect"])
async def test_a_cause_is_not_closed_over_a_case_that_was_linked_while_it_waited(
    town: Town, owner_database: str, had: int
) -> None:
    cause = await burst_main(town)
    await linked(town, cause, had)
    photograph = await uploaded(town, town.city.handler.id)
    cause = await town.move(town.city.handler, await town.case(cause.id), Move.HAND_IN, evidence=(photograph,))
    late_comer = await assigned(town)
    async with transaction(town.pool, scope_keys(town.city.dispatcher)) as (conn, now):
        await move_case(
            conn, late_comer.id, Move.LINK, Actor(town.city.dispatcher), Particulars(cause=cause.id),
            AtVersion(late_comer.version), town.numbers, now,
        )  # fmt: skip
        closing = asyncio.create_task(town.move(town.city.acceptor, cause, Move.CLOSE))
        await wait_for_locks(owner_database, "%FOR UPDATE OF c%", 1)
    with pytest.raises(VersionConflict) as refused:
        await closing
    assert refused.value.facts["current_version"] == cause.version, "nothing but the effect is new"
    await town.move(town.city.acceptor, cause, Move.CLOSE)
    assert (await town.case(late_comer.id)).state == State.HANDLED


async def test_causes_that_are_merged_crosswise_with_their_effects_do_not_wait_in_a_ring(town: Town) -> None:
    one, two = await burst_main(town), await burst_main(town)
    effects = [*await linked(town, one, 2), *await linked(town, two, 2)]
    said = await asyncio.gather(
        town.move(town.city.acceptor, one, Move.MERGE, into=two.id),
        town.move(town.city.acceptor, two, Move.MERGE, into=one.id),
        return_exceptions=True,
    )
    [merged] = [each for each in said if isinstance(each, CaseRow)]
    [refused] = [each for each in said if not isinstance(each, CaseRow)]
    assert isinstance(refused, GuardFailed | VersionConflict), refused
    assert {(await town.case(each.id)).cause_id for each in effects} == {merged.merged_into}


async def test_many_linked_at_once_while_another_desk_closes_and_merges_do_not_wait_in_a_ring(town: Town) -> None:
    cause, other = await burst_main(town), await burst_main(town)
    lone = [await assigned(town) for _ in range(8)]
    said = await asyncio.gather(
        many(town, town.city.dispatcher, Move.LINK, lone[:5], cause=cause.id),
        many(town, town.city.dispatcher, Move.LINK, lone[3:][::-1], cause=cause.id),
        town.move(town.city.acceptor, lone[0], Move.MERGE, into=cause.id),
        town.move(town.city.acceptor, cause, Move.MERGE, into=other.id),
        return_exceptions=True,
    )
    assert all(isinstance(each, list | CaseRow | GuardFailed | VersionConflict) for each in said), said
    for case in lone:
        after = await town.case(case.id)
        assert after.cause_id is None or (await town.case(after.cause_id)).state != State.MERGED


async def test_the_query_itself_shows_no_end_of_a_link_that_the_keys_do_not_open(town: Town) -> None:
    """Asked as the service, so that row-level security does not stand behind it."""
    cause = await burst_main(town)
    [effect] = await linked(town, cause)
    async with transaction(town.pool) as (conn, _):
        for keys, seen in (([DISTRICT], True), ([f"{DISTRICT}/line:none"], False)):
            assert (await cause_of(conn, cause.id, keys) is not None) is seen
            assert [each.id for each in await of_cause(conn, cause.id, keys)] == ([effect.id] if seen else [])
