"""A visit that is due is a case: filed, routed, chased and closed by what stands; its form is sealed."""

from __future__ import annotations

import logging
from datetime import date, timedelta
from typing import Any

import pytest

from geo.datum import Datum
from gridsvc.actions.end_visit import VisitSaid, end_visit
from gridsvc.actions.evaluate_work import disagreements, evaluate
from gridsvc.actions.import_visits import import_visits
from gridsvc.actions.open_visits import open_visits
from gridsvc.actions.tell_people import tell_people
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, scope_keys
from gridsvc.domain.case_state import Move, State
from gridsvc.domain.evaluation import Asked, By, Scope
from gridsvc.errors import BadAttribute, BadRequest, GuardFailed, ImportRefused, NotAllowed, Unknown
from gridsvc.sealing import Sealer
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import INSIDE
from tests.integration.stories.conftest import Town

SEALER = Sealer.of_secrets(["only for tests"])
HEAD = "category,subject,lon,lat,every,unit,first_on,days,active\n"
FORM = {"身体状况": "需就医", "居家安全": "良好", "需要的服务": "每周送饭两次"}
SECRETS = ("需就医", "每周送饭两次", "降压药已停")


async def planned(town: Town, *subjects: str, first_on: date, active: str = "yes") -> None:
    rows = "".join(
        f"300202,{subject},{INSIDE.lon},{INSIDE.lat},1,month,{first_on},any,{active}\n" for subject in subjects
    )
    async with transaction(town.pool) as (conn, now):
        await import_visits(conn, "visits.csv", (HEAD + rows).encode(), Datum.WGS84, "command:visits", now)


async def opened(town: Town) -> list[dict[str, Any]]:
    async with transaction(town.pool) as (conn, now):
        await open_visits(conn, town.numbers, now, 10)
    return await town.rows("SELECT * FROM visits ORDER BY opened_at, subject")


async def today(town: Town) -> date:
    [row] = await town.rows("SELECT (city_now() AT TIME ZONE zone)::date AS day FROM instance")
    day: date = row["day"]
    return day


async def plan(town: Town, subject: str = "ELD-0417") -> dict[str, Any]:
    [row] = await town.rows("SELECT * FROM visit_plans WHERE subject = $1", subject)
    return row


async def ended(town: Town, visit: dict[str, Any], by: Caller, result: str = "made", **said: Any) -> CaseRow:
    form = VisitSaid(result=result, **{"attributes": FORM, "note": "降压药已停", **said})
    async with transaction(town.pool, scope_keys(by)) as (conn, now):
        return await end_visit(conn, visit["id"], form, by, SEALER, now)


def owner(town: Town, case: CaseRow) -> Caller:
    return next(each for each in town.city.officers if each.user_id == case.officer_id)


async def test_a_due_visit_is_routed_chased_and_closed_with_its_result_and_the_next_one_is_planned(
    town: Town, city_clock: CityClock, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    first = await today(town)
    await planned(town, "ELD-0417", "ELD-0418", first_on=first)
    [visit, other] = await opened(town)
    assert [each["id"] for each in await opened(town)] == [visit["id"], other["id"]], "what is open is not opened again"
    case = await town.route(visit["case_id"])
    assert (case.state, case.source, case.number is None) == (State.ASSIGNED, "visit", False)
    assert case.description == "独居老人月度走访"
    assert (await plan(town))["next_on"] > first

    await city_clock.forward(timedelta(days=30))
    await town.sweep()
    rungs = [each for each in await town.told(case.id) if each.TYPE == "case.escalated"]
    assert {getattr(rung, "effect", None) for rung in rungs} >= {"warning", "overdue", "climb"}, "missed, it climbs"
    case, by = await town.case(case.id), owner(town, case)

    stranger = next(each for each in town.city.officers if each is not by)
    for refused, who, said in (
        (NotAllowed, stranger, {}),
        (NotAllowed, town.city.dispatcher, {}),
        (BadAttribute, by, {"attributes": {"居家安全": "良好"}}),
        (BadRequest, by, {"result": "perhaps"}),
        (BadRequest, by, {"visited_at": await town.now() + timedelta(hours=1)}),
        (BadRequest, by, {"visited_at": visit["opened_at"] - timedelta(seconds=1)}),
    ):
        with pytest.raises(refused):
            await ended(town, visit, who, **said)
    accepted = await town.move(by, case, Move.ACCEPT)
    with pytest.raises(GuardFailed, match="is a visit"):
        await town.move(by, accepted, Move.HAND_IN, evidence=(visit["id"],))

    was_there = await town.now() - timedelta(hours=3)
    closed = await ended(town, visit, by, "trouble", visited_at=was_there, location=INSIDE)
    assert (closed.state, closed.late, closed.pool) == (State.CLOSED, True, None)
    [kept] = await town.rows("SELECT * FROM visits WHERE id = $1", visit["id"])
    assert (kept["result"], kept["visited_at"], kept["distance_m"]) == ("trouble", was_there, 0.0)
    assert (await plan(town))["next_on"] > (await today(town)), "what passed meanwhile is not made up for"

    news = [each for each in await town.told(case.id) if each.TYPE == "case.visited"]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, news, now)
    told = await town.rows("SELECT user_id, body FROM notices WHERE kind = 'case.visited'")
    assert [(row["user_id"], row["body"]["result"]) for row in told] == [(town.city.dispatcher.user_id, "trouble")]
    now = await town.now()
    asked = Asked(edges=[now - timedelta(days=60), now + timedelta(days=1)], by=By.OFFICER, now=now,
                  scope=Scope(everything=True))  # fmt: skip
    async with transaction(town.pool) as (conn, _):
        assert await disagreements(conn, asked) == [], "tables and history count a visit alike"
        figures = {item.code: item.counts for item in await evaluate(conn, asked)}
    assert figures[str(by.user_id)]["closed"] == 1
    assert await found_in_the_clear(town, "独居老人月度走访"), "the search finds what is there"
    for secret in SECRETS:
        shown = set(await found_in_the_clear(town, secret)) - {"categories"}  # which lists what may be chosen
        assert shown == set(), f"{secret} stands in the open"
        assert secret not in caplog.text


async def found_in_the_clear(town: Town, words: str) -> list[str]:
    """Every table that shows these words to whoever reads its rows."""
    tables = await town.rows(
        "SELECT c.relname AS name FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " WHERE n.nspname = 'public' AND c.relkind = 'r' AND has_table_privilege(c.oid, 'SELECT')"
        "   AND c.relname <> 'spatial_ref_sys' ORDER BY 1"
    )
    found = []
    for table in tables:
        asked = f'SELECT 1 FROM "{table["name"]}" t WHERE position($1 IN t::text) > 0 LIMIT 1'  # noqa: S608 - our own
        hits = await town.rows(asked, words)
        found += [table["name"]] if hits else []
    return found


async def test_what_was_not_met_is_tried_again_soon_and_what_is_gone_is_visited_no_more(
    town: Town, city_clock: CityClock
) -> None:
    first = await today(town)
    await planned(town, "ELD-0417", first_on=first)
    [visit] = await opened(town)
    case = await town.route(visit["case_id"])
    await ended(town, visit, owner(town, case), "not_met", attributes={}, note="")
    assert (await plan(town))["next_on"] == first + timedelta(days=3)
    await city_clock.forward(timedelta(days=3))
    [_, again] = await opened(town)
    assert again["due_on"] == first + timedelta(days=3)
    case = await town.route(again["case_id"])
    await ended(town, again, owner(town, case), "gone", attributes={}, note="")
    assert (await plan(town))["next_on"] is None
    await city_clock.forward(timedelta(days=60))
    assert len(await opened(town)) == 2


async def test_a_visit_that_the_desk_calls_off_or_reopens_disturbs_no_plan(town: Town, city_clock: CityClock) -> None:
    first = await today(town)
    await planned(town, "ELD-0417", "ELD-0418", first_on=first)
    one, two = await opened(town)
    case = await town.route(one["case_id"])
    await town.move(town.city.dispatcher, case, Move.CANCEL, reason="住院")
    case = await town.route(two["case_id"])
    closed = await ended(town, two, owner(town, case))
    reopened = await town.move(town.city.acceptor, closed, Move.REOPEN, reason="记录有误")
    await town.route(reopened.id)
    again = await town.case(two["case_id"])
    assert (await ended(town, two, owner(town, again), "refused", attributes={})).state == State.CLOSED
    await city_clock.forward(timedelta(days=31))
    assert [each["subject"] for each in await opened(town)] == ["ELD-0417", "ELD-0418", "ELD-0417", "ELD-0418"]


async def test_plans_are_imported_whole_or_not_at_all_and_imported_again_they_keep_their_next_day(town: Town) -> None:
    first = await today(town) + timedelta(days=5)
    rows = f"300202,E-1,{INSIDE.lon},{INSIDE.lat},1,month,{first},,\n300202,E-2,103.9,36.2,1,month,{first},,\n"
    async with transaction(town.pool) as (conn, now):
        with pytest.raises(ImportRefused) as refused:
            await import_visits(conn, "visits.csv", (HEAD + rows).encode(), Datum.WGS84, "test", now)
    assert [(fault.row, fault.field) for fault in refused.value.defects] == [(3, "lon, lat")]
    assert await town.rows("SELECT 1 FROM visit_plans") == []
    await planned(town, "ELD-0417", first_on=first)
    before = await plan(town)
    await planned(town, "ELD-0417", first_on=first)
    assert (await plan(town))["next_on"] == before["next_on"] == first
    await planned(town, "ELD-0417", first_on=first, active="no")
    assert (await plan(town))["next_on"] is None
    [plan_row] = await town.rows("SELECT count(*) AS plans FROM visit_plans")
    assert plan_row["plans"] == 1


async def test_a_plan_whose_case_is_refused_rests_until_it_is_imported_anew(town: Town) -> None:
    first = await today(town)
    await planned(town, "ELD-0417", first_on=first)
    await town.rows("UPDATE categories SET active = false WHERE code = '300202' RETURNING 1")
    await town.rows("UPDATE rulebook SET revision = revision + 1 RETURNING 1")
    assert await opened(town) == []
    assert ((await plan(town))["fault"], (await plan(town))["next_on"]) == ("unknown_category", first)


async def test_a_visit_out_of_sight_is_not_there(town: Town) -> None:
    await planned(town, "ELD-0417", first_on=await today(town))
    [visit] = await opened(town)
    elsewhere = Caller(id="user:x", user_id=town.city.officers[0].user_id, grants=())
    with pytest.raises(Unknown):
        await ended(town, visit, elsewhere)
