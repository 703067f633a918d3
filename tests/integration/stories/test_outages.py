"""Declared and approved outages are taken out of clocks: while they run, afterwards, and back again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from events.catalog import OutageDeclared
from events.codec import decode
from gridsvc.actions.declare_outage import declare_outage
from gridsvc.actions.follow_outages import follow_outages
from gridsvc.actions.step_outage import step_outage
from gridsvc.actions.tell_admins import tell_admins
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role, scope_keys
from gridsvc.domain.case_state import Move
from gridsvc.domain.outage import Outage, Step, Told
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import CITY, DISTRICT, person, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_downtime import emergency_code
from tests.integration.stories.test_escalate_case import urgent_case
from tests.integration.stories.test_file_report import code
from tests.integration.stories.test_move_case import uploaded

HOUR = timedelta(hours=1)


@dataclass(frozen=True)
class Desk:
    """The small city with who approves, and the sweeper that makes clocks follow."""

    town: Town
    clock: CityClock
    chief: Caller

    async def declared(self, start: datetime, end: datetime | None = None, **scope: Any) -> Outage:
        told = {"reason": "system_down", "words": "", "division": DISTRICT, "duty_line": None, "department": None,
                "kinds": (), "also_emergencies": False, **scope}  # fmt: skip
        async with transaction(self.town.pool, scope_keys(self.town.city.supervisor)) as (conn, now):
            return await declare_outage(conn, Told(start=start, end=end, **told), self.town.city.supervisor, now)

    async def step(self, outage: Outage, step: Step, until: datetime | None = None) -> Outage:
        async with transaction(self.town.pool, scope_keys(self.chief)) as (conn, now):
            after = await step_outage(conn, outage.id, step, self.chief, outage.version, "", until, now)
        await self.follow()
        return after

    async def approved(self, start: datetime, end: datetime | None = None, **scope: Any) -> Outage:
        return await self.step(await self.declared(start, end, **scope), Step.APPROVE)

    async def follow(self, page: int = 100) -> int:
        """All pages that are to be gone through; how many."""
        pages, more = 0, 1
        while more:
            async with transaction(self.town.pool) as (conn, now):
                more = await follow_outages(conn, now, page)
            pages += 1
        return pages

    async def handling(self, case: CaseRow) -> dict[str, Any]:
        """The last handling clock of the case, moments as time since it began."""
        [row] = await self.town.rows(
            "SELECT state, due_at - started_at AS due, plain_due_at - started_at AS plain, next_fire_at, started_at"
            "  FROM clocks WHERE case_id = $1 AND kind = 'handling' ORDER BY started_at DESC LIMIT 1", case.id,
        )  # fmt: skip
        return row

    async def handed_in(self, case: CaseRow) -> CaseRow:
        case = await self.town.case(case.id)
        handler = self.town.city.handler
        return await self.town.move(handler, case, Move.HAND_IN, evidence=(await uploaded(self.town, handler.id),))

    async def fired(self, case: CaseRow) -> int:
        return len(await self.town.rows("SELECT 1 AS rung FROM escalations WHERE case_id = $1", case.id))

    async def adjusted(self, case: CaseRow) -> list[list[str]]:
        """What the history of the case says that outages made of its handling clock."""
        rows = await self.town.rows(
            "SELECT facts FROM history WHERE case_id = $1 AND move = 'adjust' ORDER BY version", case.id
        )
        told = [[each for each in row["facts"]["clocks"] if each["clock"] == "handling"] for row in rows]
        return [[each["what"] for each in clocks] for clocks in told if clocks]


@pytest.fixture
async def desk(town: Town, city_clock: CityClock) -> Desk:
    async with transaction(town.pool) as (conn, _):
        chief = await person(conn, "chief", Grant(role=Role.ADMIN, division=CITY))
    return Desk(town, city_clock, chief)


async def test_an_outage_without_an_end_stops_the_clocks_until_it_ends_and_is_given_back_when_it_is_withdrawn(
    desk: Desk,
) -> None:
    open_, done, began = await urgent_case(desk.town), await urgent_case(desk.town), await desk.town.now()
    await desk.clock.forward(timedelta(hours=2, minutes=20))
    assert await desk.town.sweep() == 4, "both are late, and both have been warned"
    done = await desk.handed_in(done)
    assert done.late

    outage = await desk.approved(began + HOUR, department="water")
    stands, judged = await desk.handling(open_), await desk.handling(done)
    assert (stands["state"], stands["next_fire_at"]) == ("paused", None)
    assert (await desk.town.case(open_.id)).due_at is None, "nobody knows yet, so nobody calls it overdue"
    assert judged["due"] > timedelta(hours=3, minutes=19), "from one hour on it stood still until it was handed in"
    assert (await desk.town.case(done.id)).late, "late is the fact, and stays"
    await desk.clock.forward(5 * HOUR)
    assert await desk.town.sweep() == 2, "the desk's own clock, of the closing check: that department does not stop it"
    assert await desk.fired(open_) == 2, "what stands still does not climb"

    outage = await desk.step(outage, Step.END, began + 4 * HOUR)
    for case in (open_, done):
        clock = await desk.handling(case)
        assert abs(clock["due"] - 5 * HOUR) < timedelta(seconds=9)
        assert clock["plain"] == 2 * HOUR, "the fact beside it"
    assert await desk.town.sweep() == 3, "levels 3 to 5, of the one that is still open; what fired stays fired"
    assert await desk.fired(open_) == 5
    assert (await desk.town.case(open_.id)).due_at == (await desk.handling(open_))["started_at"] + (
        await desk.handling(open_)
    )["due"]

    await desk.step(outage, Step.WITHDRAW)
    for case in (open_, done):
        clock = await desk.handling(case)
        assert (clock["due"], clock["plain"]) == (2 * HOUR, None)
    assert await desk.adjusted(open_) == [["stands"], ["moved"], ["taken_back"]]
    assert await desk.town.sweep() == 0


async def test_what_begins_while_it_runs_stands_still_too_and_is_not_late_when_it_is_handed_in(desk: Desk) -> None:
    outage = await desk.approved(await desk.town.now() - HOUR, department="water")
    case = await urgent_case(desk.town)
    await desk.clock.forward(3 * HOUR)
    assert await desk.town.sweep() == 0, "nothing has covered it yet, and no rung fires all the same"
    assert (await desk.handling(case))["state"] == "paused"
    case = await desk.handed_in(case)
    assert not case.late
    assert (await desk.handling(case))["state"] == "stopped"
    assert (await desk.handling(case))["due"] > 5 * HOUR - timedelta(seconds=9)
    # A look in every round finds what has begun since the last one.
    second = await urgent_case(desk.town)
    await desk.follow()
    assert (await desk.handling(second))["state"] == "paused"
    await desk.step(outage, Step.END, await desk.town.now())
    assert (await desk.handling(second))["state"] == "running"


async def test_only_the_scope_stands_still_and_an_emergency_only_where_it_is_said(desk: Desk) -> None:
    water = await urgent_case(desk.town)
    other = await desk.town.route((await desk.town.filed(report(desk.town.city.officers[0], await code(desk.town)))).id)
    emergency = await desk.town.filed(report(desk.town.city.officers[0], await emergency_code(desk.town)))
    start = await desk.town.now() - HOUR
    one = await desk.approved(start, department="water", kinds=("handling",))
    states = await desk.town.rows("SELECT case_id, kind FROM clocks WHERE state = 'paused'")
    assert states == [{"case_id": water.id, "kind": "handling"}]
    await desk.step(one, Step.WITHDRAW)
    line = await desk.approved(start, duty_line="social")
    paused = await desk.town.rows("SELECT DISTINCT case_id FROM clocks WHERE state = 'paused'")
    assert paused == [{"case_id": other.id}]
    await desk.approved(start, duty_line="social", also_emergencies=True)
    paused = await desk.town.rows("SELECT DISTINCT case_id FROM clocks WHERE state = 'paused'")
    assert {row["case_id"] for row in paused} == {other.id, emergency.id}
    await desk.step(line, Step.WITHDRAW)
    paused = await desk.town.rows("SELECT DISTINCT case_id FROM clocks WHERE state = 'paused'")
    assert {row["case_id"] for row in paused} == {other.id, emergency.id}, "the second outage still holds both"


async def test_a_suspension_within_an_outage_counts_once(desk: Desk) -> None:
    case, began = await urgent_case(desk.town), await desk.town.now()
    await desk.clock.forward(HOUR)
    until = began + 4 * HOUR
    case = await desk.town.move(desk.town.city.dispatcher, case, Move.SUSPEND, reason="等材料", until=until)
    await desk.approved(began + timedelta(minutes=30), began + 3 * HOUR, department="water")
    assert (await desk.handling(case))["state"] == "paused", "the outage has an end, the suspension goes on"
    case = await desk.town.case(case.id)
    await desk.clock.forward(3 * HOUR)
    case = await desk.town.move(desk.town.city.dispatcher, case, Move.RESUME)
    clock = await desk.handling(case)
    assert clock["state"] == "running"
    # From half past until four hours, three and a half; of the suspension alone it would be three.
    assert abs(clock["due"] - timedelta(hours=5, minutes=30)) < timedelta(seconds=9)
    assert abs(clock["plain"] - 5 * HOUR) < timedelta(seconds=9)


async def test_a_pass_goes_in_pages_and_a_page_that_is_lost_is_done_again_and_nothing_twice(desk: Desk) -> None:
    cases = [await urgent_case(desk.town) for _ in range(5)]
    outage = await desk.declared(await desk.town.now() - HOUR, department="water")
    async with transaction(desk.town.pool, scope_keys(desk.chief)) as (conn, now):
        await step_outage(conn, outage.id, Step.APPROVE, desk.chief, 1, "", None, now)

    async def lose_a_page() -> None:
        async with transaction(desk.town.pool) as (conn, now):
            assert await follow_outages(conn, now, 2) == 2
            raise RuntimeError("cut off")

    with pytest.raises(RuntimeError, match="cut off"):
        await lose_a_page()
    assert await desk.follow(2) == 3
    assert await desk.follow(2) == 1
    assert [await desk.adjusted(case) for case in cases] == [[["stands"]]] * 5
    trace = await desk.town.rows("SELECT what, count(*) FROM outage_changes GROUP BY what ORDER BY what")
    assert trace == [{"what": "moved", "count": 5}, {"what": "stands", "count": 5}], "acknowledged in it; handled"


async def test_administrators_are_told_once_that_something_waits_for_approval(desk: Desk) -> None:
    outage = await desk.declared(await desk.town.now() - HOUR, department="water")
    [row] = await desk.town.rows("SELECT body FROM outbox WHERE type = 'outage.declared'")
    news = decode(row["body"])
    assert isinstance(news, OutageDeclared)
    for _ in range(2):
        async with transaction(desk.town.pool) as (conn, now):
            await tell_admins(conn, [news], now)
    [notice] = await desk.town.rows("SELECT user_id, case_id, body FROM notices WHERE kind = 'outage.declared'")
    assert (notice["user_id"], notice["case_id"]) == (desk.chief.user_id, None)
    assert (notice["body"]["outage"], notice["body"]["department"]) == (str(outage.id), "water")


async def outages_of(town: Town) -> set[UUID]:
    return {row["outage_id"] for row in await town.rows("SELECT outage_id FROM clock_outages")}


async def test_what_is_declared_and_refused_moves_nothing(desk: Desk) -> None:
    case = await urgent_case(desk.town)
    outage = await desk.declared(await desk.town.now() - HOUR, await desk.town.now() + HOUR)
    await desk.follow()
    await desk.step(outage, Step.REFUSE)
    assert (await desk.handling(case))["due"] == 2 * HOUR
    assert await outages_of(desk.town) == set()
