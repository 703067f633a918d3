"""Routing rules of a city's own: a night crew, words, a draft that is rehearsed, published and gone back from."""

from __future__ import annotations

import argparse
import json
import random
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from gridsvc.actions.assign_case import assign_cases
from gridsvc.actions.rehearse_rules import rehearse_rules
from gridsvc.commands import rules
from gridsvc.db import transaction
from gridsvc.domain.access import Caller
from gridsvc.domain.case_state import Pool, State
from gridsvc.domain.rehearsal import Rehearsal
from gridsvc.domain.roster import Team
from gridsvc.domain.routing_rules import DEFAULT, RoutingEdition
from gridsvc.store import routing_rules
from gridsvc.store.cases import CaseRow
from gridsvc.store.rulebook import rulebook
from gridsvc.store.teams import keep_members, keep_teams
from tests.conftest import CityClock
from tests.house.source import ROOT
from tests.integration.api.conftest import settings_for
from tests.integration.small_city import officer, report
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_file_report import code
from tests.unit.domain.routed import rules as edition_of

EXAMPLE = ROOT / "docs/examples/routing/rules.toml"
BEAT = {"code": "beat", "to": "beat_officer"}


async def command(url: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    rules.add(parser.add_subparsers())
    return await rules.run(parser.parse_args(["rules", *words]), settings_for(url))


async def crew(town: Town, name: str = "night", *, skills: tuple[str, ...] = ()) -> Caller:
    """A team of one, who walks no beat."""
    async with transaction(town.pool) as (conn, _):
        member = await officer(conn, f"{name}-1")
        assert member.user_id is not None
        await conn.execute("DELETE FROM officer_beats WHERE officer_id = $1", member.user_id)
        for skill in skills:
            await conn.execute("INSERT INTO officer_skills VALUES ($1, $2)", member.user_id, skill)
        await keep_teams(conn, [Team(code=name, name="夜班队", name_en="Night crew", duty_line="social")])
        await keep_members(conn, [member.user_id], {member.user_id: [name]})
    return member


async def publish(town: Town, edition: RoutingEdition) -> int:
    async with transaction(town.pool) as (conn, now):
        await routing_rules.lock(conn)
        number = await routing_rules.add_draft(conn, edition, "test", now)
        await routing_rules.put_in_force(conn, number, "test", now)
    return number


async def routed(town: Town, words: str = "井盖缺失", handled_by: str = "officer") -> CaseRow:
    said = replace(report(town.city.officers[0], await code(town, handled_by)), description=words)
    return await town.route((await town.filed(said)).id)


async def reasons(town: Town, case: CaseRow) -> dict[str, Any]:
    [row] = await town.rows("SELECT reasons FROM assignments WHERE case_id = $1 AND ended_at IS NULL", case.id)
    return dict(row["reasons"])


async def rehearsed(town: Town, edition: RoutingEdition) -> Rehearsal:
    async with transaction(town.pool, snapshot=True) as (conn, _):
        [first] = await conn.fetch("SELECT min(at) AS at FROM history")
        return await rehearse_rules(conn, edition, first["at"])


async def test_the_migration_writes_what_the_program_says_of_a_new_city(town: Town) -> None:
    async with transaction(town.pool) as (conn, _):
        assert await routing_rules.in_force(conn) == DEFAULT
        assert (await rulebook(conn)).routing == DEFAULT


async def test_words_bring_a_case_to_a_department_and_the_assignment_says_which(town: Town) -> None:
    gas = {"code": "gas", "to": "department", "department": "gas", "when": {"keywords": ["燃气", "gas"]}}
    number = await publish(town, edition_of(gas, BEAT))
    case = await routed(town, "楼道有ＧＡＳ味")
    assert (case.department, case.officer_id) == ("gas", None)
    why = await reasons(town, case)
    assert (why["rule"], why["edition"], why["keywords"]) == ("gas", number, ["gas"])
    assert "ＧＡＳ" not in json.dumps(why, ensure_ascii=False), "people's words stand in the case alone"
    other = await routed(town, "井盖缺失")
    assert (await reasons(town, other))["passed"] == [{"rule": "gas", "because": "keywords"}]


async def test_a_crew_takes_what_its_rule_gives_it_until_it_is_full_and_then_the_beat_does(town: Town) -> None:
    member = await crew(town, skills=("electric",))
    await town.pool.execute("UPDATE officers SET most_open = 2 WHERE user_id = $1", member.user_id)
    team = {"code": "crew", "to": "team", "team": "night", "skills": ["electric"], "else": "next"}
    await publish(town, edition_of(team, BEAT))
    cases = [await routed(town) for _ in range(3)]
    assert [case.officer_id == member.user_id for case in cases] == [True, True, False]
    why = await reasons(town, cases[2])
    assert why["passed"][0]["why"] == "every officer on duty is full or did not take it before"
    assert set(why["kept"]["weighed"]) == {"team:night", "beat:B1"}


async def test_what_a_rule_pools_for_a_person_is_not_tried_again_by_itself(town: Town) -> None:
    hold = {"code": "hold", "to": "pool", "reason": "the desk looks first"}
    await publish(town, edition_of(hold))
    case = await routed(town)
    assert (case.state, case.pool, case.route_again_at) == (State.FILED, Pool.DISPATCH, None)
    await publish(town, edition_of({**hold, "try_again": True}))
    again = await routed(town)
    assert again.route_again_at is not None


async def test_a_published_edition_never_changes_and_one_is_in_force(town: Town) -> None:
    number = await publish(town, edition_of(BEAT))
    for change in ("SET rules = '{}'", "SET name = 'x'", "SET state = 'draft'"):
        with pytest.raises(Exception, match="never changes"):
            await town.pool.execute(f"UPDATE routing_editions {change} WHERE number = $1", number)
    with pytest.raises(Exception, match="never changes"):
        await town.pool.execute("DELETE FROM routing_editions WHERE number = $1", number)
    with pytest.raises(Exception, match="one_routing_edition_in_force"):
        await town.pool.execute("UPDATE routing_editions SET state = 'published' WHERE number = 3")


# --- the command ------------------------------------------------------------------------------------------------


async def test_a_city_writes_rules_rehearses_publishes_and_goes_back(
    town: Town, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = [await routed(town), await routed(town, "楼道有燃气味"), await routed(town, handled_by="department")]
    assert await command(database, "import", str(EXAMPLE)) == 1
    assert "rules.toml: rule night, field team: given 'night'; want one of no teams yet" in capsys.readouterr().err
    await crew(town)
    file = tmp_path / "rules.toml"
    file.write_text(EXAMPLE.read_text(encoding="utf-8").replace('duty_lines = ["city"]\nkeywords', "keywords"))
    assert await command(database, "check", str(file)) == 0
    said = capsys.readouterr()
    assert "nothing was written" in said.out
    assert "warning: rules.toml: rule gas, field department: given 'gas' of city, for cases of" in said.err
    assert await command(database, "import", str(file)) == 0
    assert "6 rules are draft 4" in capsys.readouterr().out

    assert await command(database, "rehearse", "4", "--days", "1", "--json", "--csv", str(tmp_path / "who.csv")) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["decisions"], told["rehearsed"], told["not_kept"]) == (3, 3, {})
    moved = {each["case"]: each["after"] for each in told["changed"]}
    assert moved[str(before[1].id)] == "department gas"
    assert str(before[2].id) not in moved
    assert (tmp_path / "who.csv").read_text(encoding="utf-8-sig").startswith("before,after,cases\n")
    assert await command(database, "rehearse", "3", "--days", "1") == 0
    said = capsys.readouterr()
    assert "3 of 3 decisions rehearsed" in said.out
    assert "0 DIFFER" in said.out
    assert [row["n"] for row in await town.rows("SELECT count(*) AS n FROM assignments")] == [3], "nothing moved"

    assert await command(database, "publish", "4") == 0
    assert (await routed(town, "煤气泄漏")).department == "gas"
    with pytest.raises(Exception, match="edition 4 is published and never changes"):
        await command(database, "publish", "4")
    assert await command(database, "list") == 0
    assert "4: published; 兰州派遣规则 2026 冬; 6 rules" in capsys.readouterr().out
    assert await command(database, "show") == 0
    shown = capsys.readouterr().out
    (tmp_path / "again.toml").write_text(shown)
    assert await command(database, "import", str(tmp_path / "again.toml")) == 0
    capsys.readouterr()
    assert await command(database, "show", "--edition", "5") == 0
    assert capsys.readouterr().out == shown

    assert await command(database, "rollback") == 0
    assert "edition 3 is in force again, and edition 4 no more" in capsys.readouterr().out
    assert (await routed(town, "煤气泄漏")).department is None
    with pytest.raises(Exception, match="edition 3 replaced none"):
        await command(database, "rollback")


async def test_a_draft_whose_team_has_gone_is_not_published(town: Town, database: str) -> None:
    await crew(town)
    assert await command(database, "import", str(EXAMPLE)) == 0
    await town.pool.execute("DELETE FROM team_officers")
    assert await command(database, "publish", "4") == 1
    assert await command(database, "check", "4") == 1


# --- the rehearsal ----------------------------------------------------------------------------------------------


async def stretch(town: Town, clock: CityClock, cases: int) -> None:
    """Some hundred cases: officers come and go, positions age, some are not accepted, some find nobody."""
    dice = random.Random(20261126)
    known = [await code(town), await code(town, "department")]
    people = [each.user_id for each in town.city.officers]
    for number in range(cases // 10):
        for who in people:
            await town.pool.execute("UPDATE officers SET on_duty = $2 WHERE user_id = $1", who, dice.random() < 0.6)
            await town.pool.execute(
                "INSERT INTO officer_positions (officer_id, place, accuracy_m, taken_at, received_at)"
                " VALUES ($1, ST_SetSRID(ST_MakePoint($2, $3), 4326), 5, city_now() - $4::interval, city_now())"
                " ON CONFLICT (officer_id) DO UPDATE SET place = excluded.place, taken_at = excluded.taken_at",
                who, 103.8 + dice.random() * 0.003, 36.06 + dice.random() * 0.003,
                timedelta(minutes=dice.randrange(60)),
            )  # fmt: skip
        filed = [
            await town.filed(report(town.city.officers[0], dice.choice(known), evidence=())) for _ in range(10)
        ]  # fmt: skip
        for case in filed:
            await town.route(case.id)
        if number % 3 == 0:
            await clock.forward(timedelta(minutes=16))
            await town.sweep()
            for case in filed[:4]:
                await town.route(case.id)


async def test_the_rules_in_force_make_every_decision_of_theirs_again(town: Town, city_clock: CityClock) -> None:
    await stretch(town, city_clock, 200)
    told = await rehearsed(town, DEFAULT)
    assert told.decisions > 200
    assert (told.rehearsed, told.differences, told.changed, told.rebuilt) == (told.decisions, [], [], 0)
    assert {"pool", "department water"} < set(told.before)
    assert len([owner for owner in told.before if owner.startswith("officer")]) == 3

    # Somebody improves on the past: it is found, and which input it was.
    [row] = await town.rows(
        "SELECT id, case_id, officer_id, reasons FROM assignments"
        " WHERE rule = 'officer_of_the_beat' AND jsonb_array_length(reasons -> 'candidates') > 1"
        "   AND (SELECT count(*) FROM jsonb_array_elements(reasons -> 'candidates') c"
        "         WHERE (c ->> 'on_duty')::boolean) > 1 ORDER BY assigned_at LIMIT 1"
    )
    changed = row["reasons"]
    for each in changed["kept"]["weighed"]["beat:B1"]:
        if each["officer_id"] == str(row["officer_id"]):
            each["on_duty"] = False
    await town.pool.execute("UPDATE assignments SET reasons = $2 WHERE id = $1", row["id"], changed)
    [found] = (await rehearsed(town, DEFAULT)).differences
    assert found.decision.case_id == row["case_id"]
    assert found.changed == (f"on_duty of officer {row['officer_id']}: kept False, told True",)


async def test_what_was_chosen_in_one_transaction_is_chosen_again_with_what_each_knew_of_those_before(
    town: Town,
) -> None:
    filed = [await town.filed(report(town.city.officers[0], await code(town))) for _ in range(6)]
    news = [(await town.told(case.id))[0] for case in filed]
    async with transaction(town.pool) as (conn, now):
        await assign_cases(conn, news, now)
    told = await rehearsed(town, DEFAULT)
    assert (told.rehearsed, told.differences) == (6, [])
    assert sorted(told.before.values()) == [2, 2, 2]


async def test_a_team_that_was_not_weighed_is_rebuilt_from_the_history(town: Town) -> None:
    member = await crew(town)
    first, second = await routed(town), await routed(town)
    told = await rehearsed(town, edition_of({"code": "crew", "to": "team", "team": "night", "else": "next"}, BEAT))
    assert told.matrix == {
        (f"officer {first.officer_id}", f"officer {member.user_id}"): 1,
        (f"officer {second.officer_id}", f"officer {member.user_id}"): 1,
    }
    assert (told.rebuilt, told.rules) == (2, {"crew": 2})
    monday = "INSERT INTO shifts SELECT $1, day, '00:00', '00:01' FROM generate_series(1, 7) AS day"
    await town.pool.execute(monday, member.user_id)
    off = await rehearsed(town, edition_of({"code": "crew", "to": "team", "team": "night"}))
    assert [each.why for each in off.pooled] == ["no officer of the team is on duty"] * 2, "by the roster he slept"


async def test_a_case_whose_words_were_corrected_is_rehearsed_only_by_rules_that_do_not_ask_for_them(
    town: Town,
) -> None:
    case = await routed(town)
    await town.pool.execute("UPDATE cases SET description = '其实是燃气' WHERE id = $1", case.id)
    words = edition_of({"code": "gas", "to": "department", "department": "gas", "when": {"keywords": ["燃气"]}}, BEAT)
    assert dict((await rehearsed(town, words)).not_kept) == {"description was changed since": 1}
    assert (await rehearsed(town, edition_of(BEAT))).rehearsed == 1


async def test_what_was_decided_before_inputs_were_kept_is_counted_and_still_shown(town: Town) -> None:
    case = await routed(town)
    await town.pool.execute(
        "UPDATE assignments SET edition = 2, reasons = reasons - 'kept' - 'rule' WHERE case_id = $1", case.id
    )
    told = await rehearsed(town, DEFAULT)
    assert dict(told.not_kept) == {"decided before inputs were kept": 1}
    assert (told.decisions, told.rehearsed) == (1, 0)
    assert isinstance(case.officer_id, UUID)
