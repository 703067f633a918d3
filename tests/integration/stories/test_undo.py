"""A bulk move is taken back: each case that nobody has touched since stands as it stood, and the history says both."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest

from gridsvc.actions.move_cases import Made, Wanted, move_cases
from gridsvc.actions.tell_people import tell_people
from gridsvc.actions.undo_bulk import Outcome, undo_bulk
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role, scope_keys
from gridsvc.domain.case_state import AtVersion, Move, Particulars, Pool, State
from gridsvc.errors import GridError, Unknown
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import CITY, DISTRICT, person, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_calendars import at, handling, set_time, working_case
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import assigned, holder

TUESDAY = "2026-09-15 09:00"


async def bulk(town: Town, by: Caller, move: Move, cases: list[CaseRow], **said: Any) -> UUID:
    wanted = [Wanted(case.id, AtVersion(case.version)) for case in cases]
    async with transaction(town.pool, scope_keys(by)) as (conn, now):
        made: Made = await move_cases(conn, wanted, move, by, Particulars(**said), town.numbers, now)
    refused = [each for each in made.outcomes if isinstance(each, GridError)]
    assert refused == []
    return made.id


async def undo(town: Town, by: Caller, bulk_id: UUID) -> list[Outcome]:
    async with transaction(town.pool, scope_keys(by)) as (conn, now):
        _, outcomes = await undo_bulk(conn, bulk_id, by, now)
    return outcomes


async def undone(town: Town, by: Caller, bulk_id: UUID) -> CaseRow:
    """The one case of a bulk move, after that was undone."""
    [outcome] = await undo(town, by, bulk_id)
    assert outcome.refused is None, outcome.refused
    return await town.case(outcome.item.case_id)


def guard(outcome: Outcome) -> object:
    assert outcome.refused is not None
    return outcome.refused.facts.get("guard", outcome.refused.code)


async def holds(town: Town) -> None:
    assert await town.ledger() == ({}, [])


@dataclass(frozen=True)
class Standing:
    """What an undoing must bring back."""

    state: str
    pool: str | None
    officer: UUID | None
    department: str | None
    handler: UUID | None
    suspended: bool
    suspensions: int
    extensions: int

    @classmethod
    def of(cls, row: CaseRow) -> Standing:
        return cls(
            row.state, row.pool, row.officer_id, row.department, row.handler_id, row.suspended, row.suspensions,
            row.extensions,
        )  # fmt: skip


async def test_what_was_taken_from_an_owner_who_had_begun_is_his_again_as_it_was(town: Town) -> None:
    case = await assigned(town)
    owner = holder(town, case)
    other = next(each for each in town.city.officers if each.user_id != case.officer_id)
    case = await town.move(owner, await town.move(owner, case, Move.ACCEPT), Move.START)
    made = await bulk(town, town.city.dispatcher, Move.ASSIGN, [case], officer=other.user_id)
    after = await undone(town, town.city.dispatcher, made)
    assert Standing.of(after) == Standing.of(case)
    assert (after.version, after.due_at) == (case.version + 2, case.due_at)
    held = await town.rows(
        "SELECT officer_id, rule, ended_why FROM assignments WHERE case_id = $1 ORDER BY assigned_at, id", case.id
    )
    assert [(row["officer_id"], row["ended_why"]) for row in held] == [
        (owner.user_id, "reassigned"), (other.user_id, "undone"), (owner.user_id, None),
    ]  # fmt: skip
    assert held[2]["rule"] == "undone"
    live = await town.rows("SELECT kind FROM clocks WHERE case_id = $1 AND state <> 'stopped'", case.id)
    assert [row["kind"] for row in live] == ["handling"], "he had accepted: nothing waits for that again"
    [news] = [each for each in await town.told(case.id) if each.TYPE == "case.undone"]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)
    told = {row["user_id"] for row in await town.rows("SELECT user_id FROM notices WHERE kind = 'case.undone'")}
    assert told == {owner.user_id, other.user_id}, "who has it again, and who has it no more"
    await holds(town)


async def test_what_stood_in_a_pool_stands_there_again_without_a_limit_of_its_own(town: Town) -> None:
    new = await town.filed(report(town.city.officers[0], await code(town)))
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE officers SET on_duty = false")
    pooled = await town.route((await town.filed(report(town.city.officers[0], await code(town)))).id)
    assert (new.pool, pooled.pool) == (Pool.ROUTING, Pool.DISPATCH)
    made = await bulk(town, town.city.dispatcher, Move.ASSIGN, [new, pooled], officer=town.city.officers[0].user_id)
    for outcome in await undo(town, town.city.dispatcher, made):
        assert outcome.refused is None
    for before, kind in ((new, "dispatch"), (pooled, "pool")):
        after = await town.case(before.id)
        assert (Standing.of(after), after.due_at, after.assignment_id) == (Standing.of(before), None, None)
        live = await town.rows("SELECT kind FROM clocks WHERE case_id = $1 AND state <> 'stopped'", before.id)
        assert [row["kind"] for row in live] == [kind]
    assert (await town.case(new.id)).route_again_at is not None, "routing takes it again"
    await holds(town)


async def test_a_suspension_is_given_back_and_the_pause_stays_explained(town: Town, city_clock: CityClock) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    said: dict[str, Any] = {"reason_code": "parts", "until": at("2026-09-17 09:00")}
    made = await bulk(town, town.city.dispatcher, Move.SUSPEND, [case], **said)
    await city_clock.forward(timedelta(minutes=20))
    after = await undone(town, town.city.dispatcher, made)
    assert (after.suspended, after.suspensions, after.suspended_until) == (False, 0, None)
    assert case.due_at is not None
    assert after.due_at is not None
    assert timedelta(minutes=20) <= after.due_at - case.due_at < timedelta(minutes=21)
    clock = await handling(town, case)
    [pause] = await town.rows("SELECT to_at - from_at AS lasted FROM clock_pauses WHERE clock_id = $1", clock.id)
    assert pause["lasted"] == after.due_at - case.due_at
    again = await town.move(town.city.dispatcher, after, Move.SUSPEND, **said)
    assert again.suspensions == 1, "it may be suspended once, and has not been"
    await holds(town)


async def test_an_extension_is_taken_back_unless_the_case_would_be_late_at_once(
    town: Town, city_clock: CityClock
) -> None:
    await set_time(town, city_clock, TUESDAY)
    case = await working_case(town)
    made = await bulk(town, town.city.dispatcher, Move.EXTEND, [case], reason_code="parts")
    assert (await town.case(case.id)).due_at != case.due_at
    after = await undone(town, town.city.dispatcher, made)
    assert (after.due_at, after.extensions) == (case.due_at, 0)
    assert case.due_at is not None
    await city_clock.forward(case.due_at - await town.now() - timedelta(minutes=5))
    await town.sweep()
    case = await town.case(case.id)
    made = await bulk(town, town.city.dispatcher, Move.EXTEND, [case], reason_code="parts")
    await city_clock.forward(timedelta(minutes=6))
    [outcome] = await undo(town, town.city.dispatcher, made)
    assert guard(outcome) == "not_late_without_it"
    assert (await town.case(case.id)).extensions == 1
    await holds(town)


async def test_a_reminder_cannot_be_unsaid_and_the_owner_hears_that_it_is_withdrawn(town: Town) -> None:
    case = await assigned(town)
    made = await bulk(town, town.city.acceptor, Move.REMIND, [case], note="请尽快")
    after = await undone(town, town.city.acceptor, made)
    assert Standing.of(after) == Standing.of(case)
    [news] = [each for each in await town.told(case.id) if each.TYPE == "case.undone"]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)
    [notice] = await town.rows("SELECT user_id, body ->> 'undone' AS undone FROM notices WHERE kind = 'case.undone'")
    assert (notice["user_id"], notice["undone"]) == (case.officer_id, "remind")


async def test_what_somebody_touched_since_is_left_alone_and_the_others_are_undone(town: Town) -> None:
    one, two = await assigned(town), await assigned(town)
    made = await bulk(town, town.city.dispatcher, Move.REMIND, [one, two])
    touched = await town.move(holder(town, one), await town.case(one.id), Move.ACCEPT)
    outcomes = {each.item.case_id: each for each in await undo(town, town.city.dispatcher, made)}
    assert guard(outcomes[one.id]) == "version_conflict"
    assert outcomes[two.id].item.undone_version == two.version + 2
    assert (await town.case(one.id)).version == touched.version


async def test_twice_changes_nothing_and_answers_the_same(town: Town) -> None:
    case = await assigned(town)
    made = await bulk(town, town.city.dispatcher, Move.EXTEND, [case], reason_code="parts")
    [first] = await undo(town, town.city.dispatcher, made)
    [second] = await undo(town, town.city.dispatcher, made)
    assert first == second
    assert (await town.case(case.id)).version == case.version + 2


async def test_who_may_undo_and_until_when(town: Town, city_clock: CityClock) -> None:
    case = await assigned(town)
    made = await bulk(town, town.city.dispatcher, Move.REMIND, [case])
    async with town.pool.acquire() as conn:
        other = await person(conn, "other", Grant(role=Role.DISPATCHER, division=DISTRICT))
        far = await person(conn, "far", Grant(role=Role.SUPERVISOR, division="620103"))
        above = await person(conn, "above", Grant(role=Role.SUPERVISOR, division=CITY))
    [outcome] = await undo(town, other, made)
    assert guard(outcome) == "not_allowed"
    with pytest.raises(Unknown):
        await undo(town, far, made)
    lost = Caller(id=town.city.dispatcher.id, user_id=town.city.dispatcher.user_id, grants=other.grants[:0])
    [gone] = await undo(town, lost, made)
    assert guard(gone) == "unknown", "who holds no role over the case any more does not see it"
    now_accepts = Caller(
        id=town.city.dispatcher.id, user_id=town.city.dispatcher.user_id,
        grants=(Grant(role=Role.AUDITOR, division=DISTRICT),),
    )  # fmt: skip
    [demoted] = await undo(town, now_accepts, made)
    assert guard(demoted) == "not_allowed", "who may not remind any more does not undo a reminder either"
    await city_clock.forward(timedelta(minutes=31))
    await town.sweep()
    late = await bulk(town, town.city.dispatcher, Move.REMIND, [await town.case(case.id)])
    assert (await undo(town, above, late))[0].refused is None
    again = await bulk(town, town.city.dispatcher, Move.REMIND, [await town.case(case.id)])
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE bulk_moves SET made_at = made_at - interval '31 minutes' WHERE id = $1", again)
    [too_late] = await undo(town, town.city.dispatcher, again)
    assert guard(too_late) == "in_time_to_undo"


async def test_who_has_left_does_not_get_the_case_back(town: Town) -> None:
    case = await assigned(town)
    other = next(each for each in town.city.officers if each.user_id != case.officer_id)
    made = await bulk(town, town.city.dispatcher, Move.ASSIGN, [case], officer=other.user_id)
    async with town.pool.acquire() as conn:
        await conn.execute("UPDATE users SET active = false WHERE id = $1", case.officer_id)
    [outcome] = await undo(town, town.city.dispatcher, made)
    assert guard(outcome) == "owner_before_is_there"
    assert (await town.case(case.id)).officer_id == other.user_id


async def test_a_department_gets_its_case_back_with_the_handler_who_had_taken_it(town: Town) -> None:
    case = await town.move(town.city.handler, await assigned(town, "department"), Move.ACCEPT)
    made = await bulk(town, town.city.dispatcher, Move.ASSIGN, [case], department="drainage")
    after = await undone(town, town.city.dispatcher, made)
    assert Standing.of(after) == Standing.of(case)
    assert (after.state, after.handler_id) == (State.ACCEPTED, town.city.handler.user_id)
    await holds(town)
