"""A new grid set comes into force: open cases follow into their new cells and beats, and back where it is withdrawn."""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import random
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from events.catalog import CaseNews, CaseRegridded
from events.codec import decode
from geo.place import Place
from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.emit_again import emit_again
from gridsvc.actions.preview_grid import preview_grid
from gridsvc.actions.publish_grid import publish_grid, rollback_grid
from gridsvc.actions.tell_people import tell_people
from gridsvc.commands import grid
from gridsvc.db import transaction
from gridsvc.domain.access import Caller, Grant, Role, scope_keys
from gridsvc.domain.case_state import Move, State
from gridsvc.errors import SetupError
from gridsvc.settings import read_settings
from gridsvc.store import cases, regrid
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.small_city import (
    BEAT,
    DISTRICT,
    SOUTH,
    STEP,
    STREET,
    WEST,
    category,
    officer,
    person,
    photographed,
    report,
)
from tests.integration.stories.conftest import Town
from workers.sweep import follow_round

_DRAFT = """
WITH a_set AS (
  INSERT INTO grid_sets (name, cell_scheme) VALUES ($1, '6+3+3+3') RETURNING id
), tree AS (
  INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2, outline)
  SELECT a_set.id, d.code, d.name, d.level, d.parent_code, d.path, d.area_m2, d.outline
    FROM a_set, divisions d WHERE d.grid_set_id = grid_set_at(city_now())
), more AS (
  INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2)
  SELECT id, v.code, v.code, v.level, v.parent, v.path::text[], 1e5
    FROM a_set, (VALUES ('620102002', 'street', '620102', '{620100,620102,620102002}'),
                        ('620102002001', 'community', '620102002', '{620100,620102,620102002,620102002001}')
                ) AS v (code, level, parent, path)
   WHERE NOT EXISTS (SELECT FROM divisions d WHERE d.grid_set_id = grid_set_at(city_now()) AND d.code = v.code)
), ground AS (
  INSERT INTO cells (grid_set_id, code, division_code, management_level, area_m2, outline)
  SELECT a_set.id, c.code, c.division_code, c.management_level, c.area_m2, c.outline
    FROM a_set, cells c WHERE c.grid_set_id = grid_set_at(city_now()) AND c.code <> ALL ($2::text[])
), walked AS (
  INSERT INTO beats (grid_set_id, duty_line, code, division_code)
  SELECT a_set.id, l.code, b.code, '620102001' FROM a_set, duty_lines l, unnest(ARRAY['B1', 'B2']) AS b (code)
)
SELECT id FROM a_set
"""

_BEAT_CELLS = """
INSERT INTO beat_cells (grid_set_id, duty_line, cell_code, beat_code)
SELECT c.grid_set_id, l.code, c.code, CASE WHEN c.code = ANY ($2::text[]) THEN 'B2' ELSE 'B1' END
  FROM cells c, duty_lines l WHERE c.grid_set_id = $1
"""


def cell(number: int) -> str:
    return f"620102001001{number:03}"


def middle(number: int) -> Place:
    """The middle of the `number`-th cell, counted from the south-western one eastwards and north."""
    row, column = divmod(number - 1, 3)
    return Place(WEST + (column + 0.5) * STEP, SOUTH + (row + 0.5) * STEP)


async def draft(
    town: Town,
    name: str,
    *,
    to_the_other_beat: Iterable[int] = (),
    without: Iterable[int] = (),
    to_the_other_street: Iterable[int] = (),
) -> int:
    """A draft like the set in force, but for these cells: to the beat B2, not there, to a street of its own."""
    async with transaction(town.pool) as (conn, _):
        grid_set_id = await conn.fetchval(_DRAFT, name, [cell(n) for n in without])
        await conn.execute(_BEAT_CELLS, grid_set_id, [cell(n) for n in to_the_other_beat])
        await conn.execute(
            "UPDATE cells SET division_code = '620102002001' WHERE grid_set_id = $1 AND code = ANY ($2::text[])",
            grid_set_id, [cell(n) for n in to_the_other_street],
        )  # fmt: skip
    return int(grid_set_id)


async def eastern_officer(town: Town, name: str = "east") -> Caller:
    """An officer who walks the beat B2 alone."""
    async with transaction(town.pool) as (conn, _):
        caller = await officer(conn, name)
        await conn.execute("UPDATE officer_beats SET beat_code = 'B2' WHERE officer_id = $1", caller.user_id)
    return caller


async def publish(town: Town, name: str, valid_from: datetime | None = None, **how: bool) -> None:
    await publish_grid(town.pool, name, valid_from, **how)


async def roll_back(town: Town) -> None:
    async with transaction(town.pool) as (conn, now):
        await rollback_grid(conn, now)


async def follow(town: Town) -> int:
    return await follow_round(town.pool, 3)


async def route_what_waits(town: Town) -> None:
    """One round of the reconciler, and routing hears what it says, in its order."""
    async with transaction(town.pool) as (conn, now):
        last = await conn.fetchval("SELECT coalesce(max(seq), 0) FROM outbox")
        await emit_again(conn, now, 1_000)
        bodies = await conn.fetch("SELECT body FROM outbox WHERE seq > $1 ORDER BY seq", last)
        heard = [decode(row["body"]) for row in bodies]
        await assign_cases(conn, [news for news in heard if isinstance(news, CaseNews)], now)


async def in_state(town: Town, state: State, number: int, code: str) -> CaseRow:
    """A case in the middle of the `number`-th cell, brought into `state` by whoever may do it."""
    case = await town.filed(report(town.city.dispatcher, code, middle(number)))
    if state is State.FILED:
        return case
    case = await town.route(case.id)
    by = next(each for each in town.city.officers if each.user_id == case.officer_id)
    for move in (Move.ACCEPT, Move.START):
        if case.state == state:
            return case
        case = await town.move(by, case, move)
    if state is State.HANDLED:
        case = await town.move(by, case, Move.HAND_IN, evidence=(await evidence(town, by.id),))
    return case


async def evidence(town: Town, by: str) -> UUID:
    async with transaction(town.pool) as (conn, _):
        return await photographed(conn, by)


async def social(town: Town) -> str:
    async with transaction(town.pool) as (conn, _):
        return await category(conn, handled_by="officer")


async def test_open_cases_follow_and_whoever_has_begun_keeps_his(town: Town) -> None:
    code, east = await social(town), await eastern_officer(town)
    stays = await in_state(town, State.ASSIGNED, 1, code)
    filed, assigned, accepted, begun, handled = [
        await in_state(town, state, 3, code)
        for state in (State.FILED, State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS, State.HANDLED)
    ]
    closed = await town.move(town.city.acceptor, await in_state(town, State.HANDLED, 3, code), Move.CLOSE)
    new = await draft(town, "new", to_the_other_beat=[3])
    await publish(town, "new")

    assert await follow(town) == 6
    assert await follow(town) == 0

    for before in (stays, begun, handled):
        after = await town.case(before.id)
        assert (after.grid_set_id, after.version) == (new, before.version + 1)
        assert (after.state, after.officer_id, after.due_at) == (before.state, before.officer_id, before.due_at)
    assert (await town.case(begun.id)).beat_code == "B2"
    for before in (assigned, accepted):
        after = await town.case(before.id)
        assert (after.state, after.pool, after.officer_id, after.beat_code) == ("filed", "routing", None, "B2")
        assert after.due_at == before.due_at, "the city's limit goes on"
        clocks = await town.rows(
            "SELECT kind FROM clocks WHERE case_id = $1 AND state = 'running' ORDER BY kind", before.id
        )
        assert [row["kind"] for row in clocks] == ["dispatch", "handling"]
    assert (await town.case(closed.id)).grid_set_id == closed.grid_set_id, "what is closed keeps what it had"
    assert (await town.case(filed.id)).pool == "routing"

    await route_what_waits(town)
    for before in (assigned, accepted):
        after = await town.case(before.id)
        assert (after.state, after.officer_id, after.due_at) == ("assigned", east.user_id, before.due_at)


async def test_the_history_says_how_it_was_and_the_officer_hears_that_he_lost_it(town: Town) -> None:
    code, _ = await social(town), await eastern_officer(town)
    before = await in_state(town, State.ACCEPTED, 3, code)
    new = await draft(town, "new", to_the_other_beat=[3])
    await publish(town, "new")
    await follow(town)

    [row] = await town.rows("SELECT facts, actor FROM history WHERE case_id = $1 AND move = 'regrid'", before.id)
    assert row["actor"] == "worker:sweeper"
    assert row["facts"] == {
        "grid_set": new, "cell": cell(3), "method": "covers", "taken_from": str(before.officer_id),
        "regridded": {"grid_set_id": [before.grid_set_id, new], "beat_code": ["B1", "B2"]},
    }  # fmt: skip
    [news] = [each for each in await town.told(before.id) if isinstance(each, CaseRegridded)]
    assert (news.grid_set, news.cell, news.beat, news.officer_id) == (new, cell(3), "B2", before.officer_id)
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, [news], now)
    told = await town.rows("SELECT user_id, body ->> 'beat' AS beat FROM notices WHERE kind = 'case.regridded'")
    assert [(row["user_id"], row["beat"]) for row in told] == [(before.officer_id, "B2")]


async def test_what_a_person_gave_out_or_a_department_has_stays_where_it_is(town: Town) -> None:
    code, _ = await social(town), await eastern_officer(town)
    async with transaction(town.pool) as (conn, _):
        of_water = await category(conn, handled_by="department")
    by_hand = await in_state(town, State.FILED, 3, code)
    by_hand = await town.move(town.city.dispatcher, by_hand, Move.ASSIGN, officer=town.city.officers[0].user_id)
    water = await town.route((await town.filed(report(town.city.dispatcher, of_water, middle(3)))).id)
    both = await in_state(town, State.ASSIGNED, 3, code)
    async with transaction(town.pool) as (conn, _):
        await conn.execute("INSERT INTO officer_beats VALUES ($1, 'social', 'B2')", both.officer_id)
    await draft(town, "new", to_the_other_beat=[3])
    await publish(town, "new")
    await follow(town)

    rows = await town.rows("SELECT case_id, facts ->> 'keeps' AS keeps FROM history WHERE move = 'regrid'")
    expected = {by_hand.id: "sent_by_hand", water.id: "no_officer", both.id: "walks_there"}
    if both.officer_id == by_hand.officer_id:
        expected[by_hand.id] = "walks_there"
    assert {row["case_id"]: row["keeps"] for row in rows} == expected
    for before in (by_hand, water, both):
        after = await town.case(before.id)
        owner = (before.assignment_id, before.officer_id, before.department)
        assert (after.assignment_id, after.officer_id, after.department) == owner


async def test_an_officer_of_a_team_keeps_his_case_though_he_walks_neither_beat(town: Town) -> None:
    code, _ = await social(town), await eastern_officer(town)
    before = await in_state(town, State.ASSIGNED, 3, code)
    async with transaction(town.pool) as (conn, _):  # as routing leaves it that chose from a team
        chosen = "UPDATE assignments SET reasons = jsonb_build_object('team', 'night') WHERE id = $1"
        await conn.execute(chosen, before.assignment_id)
    await draft(town, "new", to_the_other_beat=[3])
    await publish(town, "new")
    await follow(town)
    after = await town.case(before.id)
    assert (after.beat_code, after.assignment_id, after.officer_id) == ("B2", before.assignment_id, before.officer_id)
    [row] = await town.rows("SELECT facts ->> 'keeps' AS keeps FROM history WHERE move = 'regrid'")
    assert row["keeps"] == "of_a_team"


async def test_a_set_takes_over_at_its_hour_and_not_before(town: Town, city_clock: CityClock) -> None:
    code = await social(town)
    before = await in_state(town, State.ASSIGNED, 3, code)
    new = await draft(town, "new", to_the_other_beat=[3])
    await publish(town, "new", await town.now() + timedelta(hours=1))
    assert await follow(town) == 0
    await city_clock.forward(timedelta(minutes=61))
    assert await follow(town) == 1
    assert (await town.case(before.id)).grid_set_id == new


async def test_the_preview_says_what_publishing_does_and_rolling_back_undoes_it(town: Town) -> None:
    code, _ = await social(town), await eastern_officer(town)
    await many_cases(town, code, 200)
    before = {row.id: row for row in await all_cases(town)}
    await draft(town, "new", to_the_other_beat=[2, 3, 5, 8], to_the_other_street=[5, 9])
    # However many sweepers there are, each case follows once.
    assert await does_what_it_said(town, "new", sweepers=3) > 5
    # Now both beats give and take, and whoever gives cases up has room for others.
    await draft(town, "newer", to_the_other_beat=[1, 2, 3, 4], to_the_other_street=[1])
    assert await does_what_it_said(town, "newer", sweepers=1) > 5

    for _ in range(2):
        await roll_back(town)
        await follow(town)
    for row in await all_cases(town):
        was = before[row.id]
        assert (row.grid_set_id, row.cell_code, row.beat_code, row.divisions, row.number) == (
            was.grid_set_id, was.cell_code, was.beat_code, was.divisions, was.number,
        )  # fmt: skip


async def does_what_it_said(town: Town, name: str, *, sweepers: int) -> int:
    """Preview and publish a draft, hold the one against the other; answers how many cases changed their officer."""
    before = {row.id: row for row in await all_cases(town)}
    async with transaction(town.pool, snapshot=True) as (conn, now):
        preview = await preview_grid(conn, name, now)
    assert {row.id: row for row in await all_cases(town)} == before, "looking changes nothing"
    foretold = {
        each.row.id: (each.owner.cell_code, each.owner.beat_code, each.owner.division_code, each.follows.loses_owner)
        for each in preview.changes
    }
    owners = {each.row.id: each.officer_after for each in preview.changes if each.other_owner}

    await publish(town, name)
    rounds = await asyncio.gather(*(follow_round(town.pool, 7) for _ in range(sweepers)))
    await follow(town)
    assert sum(rounds) == len(before)
    after = {row.id: row for row in await all_cases(town)}
    assert {
        row.id: (row.cell_code, row.beat_code, row.division_code, row.officer_id is None and was.officer_id is not None)
        for row in after.values()
        for was in [before[row.id]]
        if (row.cell_code, row.beat_code, row.division_code, row.officer_id)
        != (was.cell_code, was.beat_code, was.division_code, was.officer_id)
    } == foretold
    await route_what_waits(town)
    assert {each: (await town.case(each)).officer_id for each in owners} == owners
    load = {row["officer_id"]: row["open"] for row in await town.rows(_OPEN_CASES)}
    named = {row["username"]: row["id"] for row in await town.rows("SELECT id, username FROM users")}
    assert preview.loads
    assert {name: load.get(named[name], 0) for name in preview.loads} == {
        name: each.after for name, each in preview.loads.items()
    }
    return len(owners)


async def many_cases(town: Town, code: str, number: int) -> None:
    """Open cases in every state all over the city, some of a department, some suspended, some pooled."""
    rng = random.Random(7)
    async with transaction(town.pool) as (conn, _):
        await conn.execute("UPDATE officers SET most_open = 500")
        by_desk = await category(conn, handled_by="officer", files_itself=False)
        of_water = await category(conn, handled_by="department")
    states = [State.FILED, State.ASSIGNED, State.ASSIGNED, State.ACCEPTED, State.IN_PROGRESS, State.HANDLED]
    for nth in range(number):
        if nth % 10 == 0:
            await town.filed(report(town.city.dispatcher, by_desk, middle(rng.randint(1, 9))))
        elif nth % 10 == 1:
            await town.route((await town.filed(report(town.city.dispatcher, of_water, middle(rng.randint(1, 9))))).id)
        else:
            case = await in_state(town, rng.choice(states), rng.randint(1, 9), code)
            if nth % 10 == 2 and case.state in {"assigned", "accepted"}:
                until = await town.now() + timedelta(days=3)
                await town.move(town.city.dispatcher, case, Move.SUSPEND, reason="parts", until=until)
    async with transaction(town.pool) as (conn, _):
        await conn.execute("UPDATE officers SET on_duty = false")
    for nth in range(6):  # nobody is there: they wait in the pool
        await town.route((await town.filed(report(town.city.dispatcher, code, middle(nth + 1)))).id)
    async with transaction(town.pool) as (conn, _):
        await conn.execute("UPDATE officers SET on_duty = true")


_OPEN_CASES = """
SELECT officer_id, count(*) AS open FROM cases WHERE state IN ('assigned', 'accepted', 'in_progress') GROUP BY 1
"""


async def all_cases(town: Town) -> list[CaseRow]:
    async with transaction(town.pool) as (conn, _):
        return await cases.OPEN_IN_A_CELL.all(conn, UUID(int=0), 10_000)


async def test_a_set_without_a_cell_for_an_open_case_wants_to_be_accepted(town: Town) -> None:
    code = await social(town)
    before = await in_state(town, State.ACCEPTED, 5, code)
    lacking = await draft(town, "lacking", without=[5])
    with pytest.raises(SetupError, match=rf"no cell for 1 open cases: {before.number}"):
        await publish(town, "lacking")
    await publish(town, "lacking", accept_lost=True)
    assert await follow(town) == 0
    after = await town.case(before.id)
    assert after == before, "it keeps everything"
    async with transaction(town.pool) as (conn, _):
        assert await regrid.waiting(conn, lacking) == regrid.Waiting(to_follow=0, lost=1)
    whole = await draft(town, "whole")
    async with transaction(town.pool) as (conn, _):
        await conn.execute(
            "INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)"
            " SELECT $1, code, division_code, area_m2, outline FROM cells WHERE code = $2 AND grid_set_id = $3",
            whole, cell(5), before.grid_set_id,
        )  # fmt: skip
    await publish(town, "whole")
    assert await follow(town) == 1
    assert (await town.case(before.id)).grid_set_id == whole


async def test_what_was_lost_is_lost_no_more_once_its_place_is_corrected(town: Town) -> None:
    code = await social(town)
    case = await in_state(town, State.ASSIGNED, 5, code)
    lacking = await draft(town, "lacking", without=[5])
    await publish(town, "lacking", accept_lost=True)
    await follow(town)
    holder = next(each for each in town.city.officers if each.user_id == case.officer_id)
    case = await town.move(holder, case, Move.RETURN, reason="wrong place")
    case = await town.move(town.city.dispatcher, case, Move.CORRECT, location=middle(1))
    assert case.grid_set_id == lacking
    whole = await draft(town, "whole")
    await publish(town, "whole")
    await follow(town)
    assert (await town.case(case.id)).grid_set_id == whole
    await roll_back(town)
    assert await follow(town) == 1
    assert (await town.case(case.id)).grid_set_id == lacking


async def test_a_set_that_forgot_the_beats_of_a_duty_line_is_not_published_by_mistake(town: Town) -> None:
    code = await social(town)
    before = await in_state(town, State.ASSIGNED, 1, code)
    forgot = await draft(town, "forgot")
    async with transaction(town.pool) as (conn, _):
        await conn.execute("DELETE FROM beats WHERE grid_set_id = $1 AND duty_line = 'social'", forgot)
    with pytest.raises(SetupError, match="forgot has no beat of social"):
        await publish(town, "forgot")
    await publish(town, "forgot", accept_lost=True)
    await follow(town)
    assert (await town.case(before.id)).beat_code is None


async def test_sight_follows_the_case_and_a_level_that_is_gone_gives_way_to_the_one_above(town: Town) -> None:
    code = await social(town)
    async with transaction(town.pool) as (conn, _):
        old = await person(conn, "old street", Grant(role=Role.SUPERVISOR, division=STREET))
        new = await person(conn, "new street", Grant(role=Role.SUPERVISOR, division="620102002"))
    case = await in_state(town, State.IN_PROGRESS, 9, code)
    held = await in_state(town, State.FILED, 9, code)
    held = await town.move(town.city.dispatcher, held, Move.HAND_DOWN, division=STREET)
    await draft(town, "new", to_the_other_street=[9])
    assert [await sees(town, who, case.id) for who in (old, new)] == [True, False]
    await publish(town, "new")
    await follow(town)
    assert [await sees(town, who, case.id) for who in (old, new)] == [False, True]
    after = await town.case(held.id)
    assert (after.pool, after.held_by) == ("dispatch", DISTRICT), "the street is not on its path any more"
    assert [await sees(town, who, held.id) for who in (old, new, town.city.supervisor)] == [False, False, True]


async def sees(town: Town, who: Caller, case_id: UUID) -> bool:
    async with transaction(town.pool, scope_keys(who)) as (conn, _):
        return await cases.read(conn, case_id) is not None


async def test_what_is_opened_again_opens_in_the_set_of_that_day(town: Town) -> None:
    code, east = await social(town), await eastern_officer(town)
    closed = await town.move(town.city.acceptor, await in_state(town, State.HANDLED, 3, code), Move.CLOSE)
    new = await draft(town, "new", to_the_other_beat=[3])
    await publish(town, "new")
    await follow(town)
    assert (await town.case(closed.id)).beat_code == BEAT
    again = await town.move(town.city.acceptor, closed, Move.REOPEN, reason="came back")
    assert (again.grid_set_id, again.beat_code) == (new, "B2")
    assert (await town.route(again.id)).officer_id == east.user_id


async def test_the_commands_tell_what_will_be_and_how_far_it_is(
    town: Town, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _ = await social(town), await eastern_officer(town)
    moving = await in_state(town, State.ASSIGNED, 3, code)
    lost = await in_state(town, State.ASSIGNED, 5, code)
    await draft(town, "drawn", to_the_other_beat=[3], without=[5])
    parser = argparse.ArgumentParser()
    grid.add(parser.add_subparsers())
    settings = read_settings({"GRIDSVC_DATABASE_URL": database})

    async def command(*words: str) -> str:
        assert await grid.run(parser.parse_args(["grid", *words]), settings) == 0
        return capsys.readouterr().out

    as_json, as_csv = tmp_path / "all.json", tmp_path / "cases.csv"
    told = await command("preview", "--set", "drawn", "--json", str(as_json), "--csv", str(as_csv))
    name = (await town.rows("SELECT username FROM users WHERE id = $1", moving.officer_id))[0]["username"]
    assert f"  {moving.number}: {name} (B1) -> east (B2)" in told
    assert f"lost their cell\n  {lost.number}: {cell(5)}" in told
    assert f"  {name}: " in told
    assert "  east: 0 -> 1" in told
    assert [each["number"] for each in json.loads(as_json.read_bytes())["cases"]] == [moving.number]
    rows = list(csv.DictReader(as_csv.read_text("utf-8-sig").splitlines()))
    assert [(row["number"], row["beat_after"], row["officer_after"], row["lost"]) for row in rows] == [
        (moving.number, "B2", "east", ""), (lost.number, "", "", "yes"),
    ]  # fmt: skip
    assert "published" in await command("publish", "--set", "drawn", "--accept-lost")
    assert "2 open cases have yet to follow" in await command("list")
    await follow(town)
    assert "0 open cases have yet to follow, 1 keep an older cell" in await command("list")
    assert "drawn: withdrawn; small is in force" in await command("rollback")
    await follow(town)
    assert "yet to follow" not in await command("list")
    assert (await town.case(moving.id)).beat_code == BEAT


async def test_a_small_change_is_a_copy_with_some_cells_given_away(
    town: Town, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with transaction(town.pool) as (conn, _):
        await conn.execute("UPDATE cells SET management_level = 'B' WHERE code = $1", cell(4))
        await conn.execute(
            "INSERT INTO beats (grid_set_id, duty_line, code, division_code)"
            " SELECT grid_set_id, duty_line, 'B2', division_code FROM beats"
        )
    parser = argparse.ArgumentParser()
    grid.add(parser.add_subparsers())
    settings = read_settings({"GRIDSVC_DATABASE_URL": database})

    async def command(*words: str) -> str:
        assert await grid.run(parser.parse_args(["grid", *words]), settings) == 0
        return capsys.readouterr().out

    assert "9 cells" in await command("copy", "--set", "new", "--from", "small")
    give = ("give", "--set", "new", "--duty-line", "social", "--beat")
    await command(*give, "B2", "--cells", f"{cell(3)},{cell(5)}")
    for wrong, wanted in (
        ((*give, "B9", "--cells", cell(3)), "no beat 'B9'"),
        ((*give, "B2", "--cells", "620102001001099"), "no cells 620102001001099"),
        (("copy", "--set", "new", "--from", "small"), "is there already"),
        (("copy", "--set", "newer", "--from", "none"), "want one of small, new"),
        (("give", "--set", "small", "--duty-line", "social", "--beat", "B2", "--cells", cell(3)), "is published"),
    ):
        with pytest.raises(SetupError, match=wanted):
            await command(*wrong)
    told = await command("preview", "--set", "new")
    assert "added 0 (0.00 km²), removed 0 (0.00 km²), redrawn 0 (0.00 km²), moved 2 (0.02 km²)" in told
