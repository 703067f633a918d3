"""Which limit a case gets: by the condition that somebody named and by the level of the area where it lies."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from gridsvc.actions.import_categories import Order, plan_categories, publish_categories
from gridsvc.actions.record_move import Recorded, record_move
from gridsvc.db import transaction
from gridsvc.domain.case import decide
from gridsvc.domain.case_state import Actor, Move, Particulars, Pool, State
from gridsvc.errors import BadRequest, UnknownCondition
from gridsvc.store.cases import CaseRow
from gridsvc.store.rulebook import rulebook
from tests.integration.small_city import INSIDE, photographed, report
from tests.integration.stories.conftest import Town

HEAD = (
    "code,kind,name,department,duty_line,files_itself,dispatches_itself,evidence,"
    "condition,condition_text,is_default,management_level,limit\n"
)
COVER = "cover,event,井盖,,social,yes,yes,,"
RULES = (
    HEAD
    + f"{COVER},,,,40 urgent_hour\n"
    + f"{COVER}missing,缺失,no,,2 urgent_hour\n"
    + f"{COVER}missing,缺失,no,B,5 urgent_hour\n"
    + f"{COVER}cracked,破损,yes,,9 urgent_hour\n"
    + "desk,event,违建,,social,no,yes,,1,在建,no,,3 urgent_hour\n"
    + "desk,event,违建,,social,no,yes,,2,建成,no,,8 urgent_hour\n"
    + "byhand,event,案件,,social,yes,no,,,,,,3 urgent_hour\n"
    + "shown,event,照片,,social,yes,yes,report; before,,,,,3 urgent_hour\n"
)


async def publish(town: Town, edition: str, rules: str = RULES) -> None:
    async with transaction(town.pool) as (conn, now):
        plan = await plan_categories(conn, Order(file=("rules.csv", rules.encode()), edition=edition, units={}))
        assert plan.listing.faults == ()
        await publish_categories(conn, plan, "", "", now, partial=False, default=True)


@pytest.fixture
async def ruled(town: Town) -> Town:
    """The town under rules of its own."""
    await publish(town, "own")
    return town


async def lay_in_level(town: Town, level: str) -> None:
    await town.rows("UPDATE cells SET management_level = $1 RETURNING 1", level)


async def given_hours(town: Town, case: CaseRow) -> float:
    """How long the handling may take, once routing has found an owner."""
    routed = await town.route(case.id)
    assert routed.state == State.ASSIGNED
    [clock] = await town.rows("SELECT * FROM clocks WHERE case_id = $1 AND kind = 'handling'", case.id)
    assert routed.due_at == clock["started_at"] + timedelta(seconds=clock["budget_seconds"])
    return float(clock["budget_seconds"]) / 3600


@pytest.mark.parametrize(
    ("condition", "level", "hours"),
    [("missing", "A", 2), ("missing", "B", 5), ("cracked", "B", 9), (None, "A", 9), (None, "B", 9)],
)
async def test_the_limit_is_that_of_the_condition_and_the_level(
    ruled: Town, condition: str | None, level: str, hours: float
) -> None:
    await lay_in_level(ruled, level)
    case = await ruled.filed(replace(report(ruled.city.officers[0], "cover"), condition=condition))
    assert (case.condition, case.management_level) == (condition, level)
    [first] = await ruled.rows("SELECT facts FROM history WHERE case_id = $1", case.id)
    assert first["facts"]["condition"] == condition
    assert await given_hours(ruled, case) == hours


async def test_an_unknown_condition_is_refused_and_leaves_nothing(ruled: Town) -> None:
    by = ruled.city.officers[0]
    answers = await ruled.file(replace(report(by, "cover"), condition="stolen"), report(by, "cover"))
    assert isinstance(answers[0], UnknownCondition)
    assert answers[0].facts["wanted"] == ["missing: 缺失", "cracked: 破损"]
    assert len(await ruled.rows("SELECT id FROM cases")) == 1


async def test_an_old_case_keeps_its_edition_its_condition_and_its_limit(ruled: Town) -> None:
    case = await ruled.filed(replace(report(ruled.city.officers[0], "cover"), condition="missing"))
    await publish(ruled, "stricter", RULES.replace("2 urgent_hour", "1 urgent_hour"))
    new = await ruled.filed(replace(report(ruled.city.officers[0], "cover"), condition="missing"))
    assert (await given_hours(ruled, case), await given_hours(ruled, new)) == (2, 1)
    kept = await ruled.case(case.id)
    assert (kept.edition, kept.condition) == ("own", "missing")


async def test_a_case_keeps_the_level_of_its_area_when_the_grid_changes(ruled: Town) -> None:
    await lay_in_level(ruled, "B")
    case = await ruled.filed(replace(report(ruled.city.officers[0], "cover"), condition="missing"))
    await lay_in_level(ruled, "A")
    assert await given_hours(ruled, case) == 5


async def test_a_place_that_is_found_later_brings_its_level(ruled: Town) -> None:
    await lay_in_level(ruled, "C")
    case = await ruled.filed(report(ruled.city.acceptor, "desk", None))
    assert case.management_level is None
    placed = await ruled.move(ruled.city.acceptor, case, Move.LOCATE, location=INSIDE)
    assert placed.management_level == "C"


async def test_the_desk_that_files_may_say_which_condition_it_is(ruled: Town) -> None:
    case = await ruled.filed(report(ruled.city.officers[0], "desk"))
    assert case.state == State.REPORTED
    with pytest.raises(UnknownCondition):
        await ruled.move(ruled.city.acceptor, case, Move.FILE, condition="3")
    filed = await ruled.move(ruled.city.acceptor, case, Move.FILE, condition="2")
    assert filed.condition == "2"
    [said] = await ruled.rows("SELECT facts FROM history WHERE case_id = $1 AND move = 'file'", case.id)
    assert said["facts"]["condition"] == "2"
    assert await given_hours(ruled, filed) == 8


async def test_what_the_desk_does_not_say_stays_as_the_reporter_said_it(ruled: Town) -> None:
    case = await ruled.filed(replace(report(ruled.city.officers[0], "desk"), condition="2"))
    filed = await ruled.move(ruled.city.acceptor, case, Move.FILE)
    assert filed.condition == "2"


async def test_an_extension_adds_the_limit_that_the_case_was_given(ruled: Town) -> None:
    case = await ruled.filed(replace(report(ruled.city.officers[0], "cover"), condition="missing"))
    owned = await ruled.route(case.id)
    async with transaction(ruled.pool) as (conn, now):
        moved = decide(owned.case(), Move.EXTEND, Actor(ruled.city.dispatcher), Particulars(reason="雨天"), now)
        what = Recorded(moved=moved, actor=ruled.city.dispatcher.id, facts={"reason": "雨天"})
        extended = await record_move(conn, await rulebook(conn), owned, what, now)
    assert owned.due_at is not None
    assert extended.due_at == owned.due_at + timedelta(hours=2)


async def test_a_category_that_does_not_dispatch_itself_waits_for_a_dispatcher(ruled: Town) -> None:
    case = await ruled.filed(report(ruled.city.officers[0], "byhand"))
    pooled = await ruled.route(case.id)
    assert (pooled.pool, pooled.route_again_at) == (Pool.DISPATCH, None)
    [entry] = await ruled.rows("SELECT facts FROM history WHERE case_id = $1 AND move = 'pool'", case.id)
    assert entry["facts"]["why"] == "a dispatcher sends on every case of this category"
    given = await ruled.move(ruled.city.dispatcher, pooled, Move.ASSIGN, officer=ruled.city.officers[1].user_id)
    assert given.officer_id == ruled.city.officers[1].user_id


async def picture(town: Town, by: str) -> UUID:
    async with town.pool.acquire() as conn:
        return await photographed(conn, by)


async def test_an_officer_s_report_needs_the_photograph_that_its_category_asks_for(ruled: Town) -> None:
    by = ruled.city.officers[0]
    [refused] = await ruled.file(report(by, "shown"))
    assert isinstance(refused, BadRequest)
    assert refused.facts["field"] == "attachments"
    [by_telephone] = await ruled.file(replace(report(ruled.city.acceptor, "shown"), source="hotline"))
    assert not isinstance(by_telephone, BadRequest)  # who calls has no picture to send
    shown = await picture(ruled, by.id)
    await ruled.filed(report(by, "shown", evidence=(shown,)))


async def test_the_work_is_handed_in_with_the_photographs_that_its_category_asks_for(ruled: Town) -> None:
    case = await ruled.filed(replace(report(ruled.city.acceptor, "shown"), source="hotline"))
    owned = await ruled.route(case.id)
    owner = next(each for each in ruled.city.officers if each.user_id == owned.officer_id)
    accepted = await ruled.move(owner, owned, Move.ACCEPT)
    after = await picture(ruled, owner.id)
    with pytest.raises(BadRequest, match="asks for a photograph: before"):
        await ruled.move(owner, accepted, Move.HAND_IN, evidence=(after,))
    before = await picture(ruled, owner.id)
    handled = await ruled.move(owner, accepted, Move.HAND_IN, evidence=(after,), before=(before,))
    assert handled.state == State.HANDLED
