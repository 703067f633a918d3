"""People as routing meets them and as an import writes them."""

from __future__ import annotations

import argparse
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import pytest

from gridsvc.actions.end_shifts import end_shifts
from gridsvc.actions.import_people import Imported, import_people, plan_import
from gridsvc.commands import people as command
from gridsvc.db import Conn, ConnPool, city_now, transaction
from gridsvc.domain.candidates import Candidate
from gridsvc.domain.roster import read_roster
from gridsvc.errors import ImportRefused, SetupError
from gridsvc.ids import new_id
from gridsvc.passwords import check_password, hash_password
from gridsvc.settings import read_settings
from gridsvc.store import people
from tests.integration import bare_grid

EXAMPLES = Path(__file__).parents[2] / "docs/examples/people"
NOW = datetime(2026, 11, 23, 4, 30, tzinfo=UTC)  # Monday, 12:30 in the city


async def candidates(conn: Conn, grid_set_id: int, case_id: UUID, now: datetime) -> dict[UUID, Candidate]:
    vacancy = people.Vacancy(
        grid_set_id=grid_set_id, duty_line="city", beat_code="B001", place=(103.805, 36.055), case_id=case_id, cycle=1
    )
    nowhere = replace(vacancy, beat_code="no such beat")
    nobody, found = await people.candidates(conn, [nowhere, vacancy], now)
    assert nobody == []
    return {candidate.officer_id: candidate for candidate in found}


async def test_every_officer_of_the_beat_is_weighed_with_load_distance_and_age(conn: Conn) -> None:
    grid = await bare_grid.lay_out(conn)
    near, away, off = [await bare_grid.officer(conn, n, on_duty=n != "off") for n in ("near", "away", "off")]
    await bare_grid.officer(conn, "elsewhere", beat="B002")
    await conn.execute(
        "INSERT INTO officer_positions VALUES ($1, ST_SetSRID(ST_MakePoint(103.815, 36.055), 4326), 5, $2, $2)",
        near, NOW - timedelta(minutes=3),
    )  # fmt: skip
    await bare_grid.case(conn, NOW, officer_id=near)
    case_id = await bare_grid.case(conn, NOW)
    found = await candidates(conn, grid, case_id, NOW)
    assert set(found) == {near, away, off}
    assert found[near].open_cases == 1
    # 0.01 degrees of longitude at latitude 36.055 on the WGS-84 ellipsoid: 901.1 m
    assert found[near].distance_m == pytest.approx(901.1, abs=0.5)
    assert found[near].position_age == timedelta(minutes=3)
    assert (found[away].distance_m, found[away].position_age, found[away].open_cases) == (None, None, 0)
    assert (found[near].on_duty, found[off].on_duty) == (True, False)


async def test_an_officer_who_may_not_sign_in_any_more_is_not_on_duty(conn: Conn) -> None:
    grid = await bare_grid.lay_out(conn)
    gone = await bare_grid.officer(conn, "gone")
    await conn.execute("UPDATE users SET active = false WHERE id = $1", gone)
    found = await candidates(conn, grid, await bare_grid.case(conn, NOW), NOW)
    assert not found[gone].on_duty


@pytest.mark.parametrize(
    ("why", "cycle", "tried"),
    [("unacknowledged", 1, True), ("returned", 1, True), ("reassigned", 1, False), ("returned", 2, False)],
)
async def test_who_let_this_case_pass_in_this_cycle_has_been_tried(
    conn: Conn, why: str, cycle: int, tried: bool
) -> None:
    grid = await bare_grid.lay_out(conn)
    ann = await bare_grid.officer(conn, "ann")
    case_id = await bare_grid.case(conn, NOW)
    await conn.execute(
        "INSERT INTO assignments VALUES ($1, $2, $3, $4, NULL, 'r', 1, '{}', 'worker:router', $5, $5, $6)",
        new_id(), case_id, cycle, ann, NOW, why,
    )  # fmt: skip
    assert (await candidates(conn, grid, case_id, NOW))[ann].already_tried is tried


async def test_the_case_that_an_officer_is_losing_is_not_counted_against_him(conn: Conn) -> None:
    grid = await bare_grid.lay_out(conn)
    ann = await bare_grid.officer(conn, "ann")
    case_id = await bare_grid.case(conn, NOW, officer_id=ann)
    assert (await candidates(conn, grid, case_id, NOW))[ann].open_cases == 0


async def test_the_switch_goes_off_after_the_shift_and_word_of_it_is_left(conn: Conn) -> None:
    await bare_grid.lay_out(conn)
    early, late, free = [await bare_grid.officer(conn, name) for name in ("early", "late", "free")]
    for who, starts, ends in ((early, "08:00", "12:00"), (late, "12:00", "18:00")):
        await conn.execute("INSERT INTO shifts VALUES ($1, 1, $2::text::time, $3::text::time)", who, starts, ends)
    news = await end_shifts(conn, NOW)
    assert [(n.officer_id, n.on_duty) for n in news] == [(early, False)]
    on_duty = {row["user_id"] for row in await conn.fetch("SELECT user_id FROM officers WHERE on_duty")}
    assert on_duty == {late, free}
    assert await conn.fetchval("SELECT count(*) FROM outbox WHERE type = 'officer.duty_changed'") == 1
    assert await end_shifts(conn, NOW) == []


async def test_an_officer_who_touched_the_switch_meanwhile_has_the_last_word(conn: Conn) -> None:
    await bare_grid.lay_out(conn)
    ann = await bare_grid.officer(conn, "ann")
    await conn.execute("INSERT INTO shifts VALUES ($1, 1, '08:00', '12:00')", ann)
    seen = await people.on_duty(conn)
    await conn.execute("UPDATE officers SET duty_changed_at = $2 WHERE user_id = $1", ann, NOW)
    assert await people.end_duty(conn, seen, NOW) == []


async def imported(conn: Conn, *files: tuple[str, bytes], partial: bool = False) -> Imported:
    plan = await plan_import(conn, files, partial=partial, now=NOW)
    given = {person.username: person.password for person in plan.roster.people}
    hashes = {name: hash_password(given[name] or "") for name in plan.need_hash}
    return await import_people(conn, plan, hashes, NOW)


def example(*names: str) -> list[tuple[str, bytes]]:
    return [(name, (EXAMPLES / name).read_bytes()) for name in names]


@pytest.mark.parametrize("list_of_people", ["people.csv", "people.gb18030.csv"])
async def test_the_example_files_import_and_a_second_time_changes_nothing(conn: Conn, list_of_people: str) -> None:
    await bare_grid.lay_out(conn)
    files = example("departments.csv", list_of_people)
    first = await imported(conn, *files)
    assert (first.departments, first.people) == (2, 5)
    assert first.changes > 0
    assert (await imported(conn, *files)).changes == 0
    row = await conn.fetchrow("SELECT id, display_name, password_hash FROM users WHERE username = 'wang.fang'")
    assert row is not None
    assert row["display_name"] == "王芳"
    assert check_password(row["password_hash"], "change-me-soon")
    beats = await conn.fetch("SELECT beat_code FROM officer_beats WHERE officer_id = $1 ORDER BY 1", row["id"])
    assert [beat["beat_code"] for beat in beats] == ["B001", "B002"]
    assert await conn.fetchval("SELECT count(*) FROM shifts WHERE officer_id = $1", row["id"]) == 11
    roles = await conn.fetch(
        "SELECT role FROM grants JOIN users ON id = user_id WHERE username = 'liu.yang' ORDER BY role"
    )
    assert [role["role"] for role in roles] == ["acceptor", "dispatcher"]


HEAD = b"username,display_name,role,division,duty_line,beats,shifts,password\n"
ANN = b"ann,Ann,officer,620102001,city,B001,1 08:00-12:00,first-password\n"
BO = b"bo,Bo,dispatcher,620102,,,,\n"


async def test_people_who_are_not_in_the_file_stay_as_they_are(conn: Conn) -> None:
    await bare_grid.lay_out(conn)
    await imported(conn, ("p.csv", HEAD + ANN))
    await imported(conn, ("p.csv", HEAD + BO))
    assert await conn.fetchval("SELECT count(*) FROM officer_beats") == 1
    assert await conn.fetchval("SELECT count(*) FROM grants") == 2


async def test_a_person_in_the_file_has_afterwards_what_the_file_says_and_the_password_of_before(conn: Conn) -> None:
    await bare_grid.lay_out(conn)
    await imported(conn, ("p.csv", HEAD + ANN))
    await conn.execute("UPDATE officers SET on_duty = true")
    changed = ANN.replace(b"officer,620102001,city,B001,1 08:00-12:00,first", b"auditor,620102,,,,other")
    await imported(conn, ("p.csv", HEAD + changed))
    roles = await conn.fetch("SELECT role, division_code FROM grants")
    assert [tuple(role) for role in roles] == [("auditor", "620102")]
    assert await conn.fetchval("SELECT count(*) FROM officer_beats") == 0
    assert await conn.fetchval("SELECT count(*) FROM shifts") == 0
    assert await conn.fetchval("SELECT on_duty FROM officers") is False
    assert await conn.fetchval("SELECT count(*) FROM outbox WHERE type = 'officer.duty_changed'") == 1
    assert check_password(await conn.fetchval("SELECT password_hash FROM users"), "first-password")


async def test_skills_and_teams_are_afterwards_what_the_file_says(conn: Conn) -> None:
    grid = await bare_grid.lay_out(conn)
    teams = ("t.csv", "team,name,name_en,duty_line\nnight,夜班,Night,city\nday,白班,,city\n".encode())
    head = b"username,display_name,role,division,duty_line,beats,skills,teams\n"
    files = [teams, ("p.csv", head + b"ann,Ann,officer,620102001,city,B001,boat;electric,night;day\n")]
    assert (await imported(conn, *files)).teams == 2
    assert (await imported(conn, *files)).changes == 0
    [ann] = (await candidates(conn, grid, await bare_grid.case(conn, NOW), NOW)).values()
    assert ann.skills == {"boat", "electric"}
    changes = await imported(conn, ("p.csv", head + b"ann,Ann,officer,620102001,city,B001,boat,night\n"))
    assert changes.changes == 2
    assert [row["team"] for row in await conn.fetch("SELECT team FROM team_officers")] == ["night"]
    await imported(conn, ("p.csv", HEAD + ANN))
    assert await conn.fetchval("SELECT count(*) FROM officer_skills") == 0, "an import says all of a person"
    assert await conn.fetchval("SELECT count(*) FROM teams") == 2


async def test_one_row_at_fault_refuses_the_whole_import_and_partial_takes_the_rest(conn: Conn) -> None:
    await bare_grid.lay_out(conn)
    file = ("p.csv", HEAD + ANN + BO.replace(b"dispatcher", b"mayor"))
    with pytest.raises(ImportRefused) as refused:
        await imported(conn, file)
    (defect,) = refused.value.defects
    assert (defect.row, defect.field) == (3, "role")
    assert "p.csv" in defect.message
    assert await conn.fetchval("SELECT count(*) FROM users") == 0
    assert (await imported(conn, file, partial=True)).people == 1


async def test_the_published_grid_is_what_rows_may_name(conn: Conn) -> None:
    await bare_grid.lay_out(conn)
    known = await people.known(conn, await city_now(conn))
    assert known.divisions["620102001"] == ("6201", "620102", "620102001")
    assert known.beats == {("city", "B001"): "620102001", ("city", "B002"): "620102001"}
    assert not read_roster([("p.csv", HEAD + ANN)], known).faults


@pytest.fixture
async def grid(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        await bare_grid.lay_out(conn)


async def gridsvc_people(database: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    return await command.run(parser.parse_args(["people", *words]), read_settings({"GRIDSVC_DATABASE_URL": database}))


async def test_the_command_checks_without_writing_then_imports(
    database: str, pool: ConnPool, grid: None, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(EXAMPLES / name) for name in ("departments.csv", "people.csv")]
    assert await gridsvc_people(database, "import", *files, "--check") == 0
    assert await pool.fetchval("SELECT count(*) FROM users") == 0
    assert await gridsvc_people(database, "import", *files) == 0
    assert await pool.fetchval("SELECT count(*) FROM users") == 5
    assert "5 people imported" in capsys.readouterr().out


async def test_the_command_says_what_is_wrong_and_fails(
    database: str, pool: ConnPool, grid: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(HEAD + ANN + BO.replace(b"dispatcher", b"mayor"))
    assert await gridsvc_people(database, "import", str(path)) == 1
    assert await pool.fetchval("SELECT count(*) FROM users") == 0
    assert "people.csv, row 3, field role: given 'mayor'; want one of" in capsys.readouterr().err
    assert await gridsvc_people(database, "import", str(path), "--partial") == 1
    assert await pool.fetchval("SELECT count(*) FROM users") == 1


async def test_a_tracker_s_id_is_printed_once_and_kept_as_a_hash(
    database: str, pool: ConnPool, grid: None, capsys: pytest.CaptureFixture[str]
) -> None:
    async with transaction(pool) as (conn, _):
        await bare_grid.officer(conn, "ann")
    assert await gridsvc_people(database, "device", "ann") == 0
    secret = capsys.readouterr().out.strip()
    assert len(secret) == 32
    assert secret.encode() not in await pool.fetchval("SELECT secret_hash FROM devices")
    with pytest.raises(SetupError, match="no officer"):
        await gridsvc_people(database, "device", "nobody")
