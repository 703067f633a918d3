"""`gridsvc calendar`: a notice is looked at, published once, and refused whole when something is wrong with it."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from gridsvc.commands import calendar
from gridsvc.db import ConnPool, transaction
from gridsvc.errors import SetupError
from gridsvc.local.starter import load_starter
from tests.integration.api.conftest import settings_for


@pytest.fixture
async def rules(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        await load_starter(conn)


async def command(database: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    calendar.add(parser.add_subparsers())
    return await calendar.run(parser.parse_args(["calendar", *words]), settings_for(database))


async def editions(pool: ConnPool) -> dict[str, int]:
    return {row["code"]: row["edition"] for row in await pool.fetch("SELECT code, edition FROM calendars")}


async def test_the_notices_of_four_years_are_published_and_say_what_changes(
    database: str, pool: ConnPool, rules: None, sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(sample_data / f"calendar/{year}.json") for year in (2023, 2024, 2025, 2026)]
    assert await command(database, "import", *files) == 0
    told = capsys.readouterr().out
    assert "  2023-01-28 Sat  weekend -> make-up workday 春节" in told
    assert "and 43 days more" in told
    assert "103 days change; years new: 2023, 2024, 2025" in told, "2026 stands as the starter rules have it"
    assert "city: edition 2 is in force" in told
    assert await pool.fetchval("SELECT years FROM calendars") == [2023, 2024, 2025, 2026]
    assert await pool.fetchval("SELECT notice FROM calendar_days WHERE day = '2022-12-31'") == 2023
    [past] = await pool.fetch("SELECT edition, jsonb_array_length(days) AS days FROM calendar_editions")
    assert tuple(past) == (1, 39)


async def test_twice_does_no_harm(
    database: str, pool: ConnPool, rules: None, sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(sample_data / "calendar/2025.json")
    assert await command(database, "import", file) == 0
    assert await command(database, "import", file) == 0
    assert "nothing changes; edition 2 stays in force" in capsys.readouterr().out
    assert await editions(pool) == {"city": 2}


async def test_a_check_writes_nothing(
    database: str, pool: ConnPool, rules: None, sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(database, "import", str(sample_data / "calendar/2025.json"), "--check") == 0
    assert "edition 2 could be published; nothing was written" in capsys.readouterr().out
    assert await editions(pool) == {"city": 1}


async def test_a_year_that_is_not_published_is_refused(
    database: str, pool: ConnPool, rules: None, sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [str(sample_data / f"calendar/{year}.json") for year in (2025, 2027)]
    assert await command(database, "import", *files) == 1
    assert "2027.json, field days: given none; want the days of 2027, once published" in capsys.readouterr().err
    assert await editions(pool) == {"city": 1}, "2025 is not imported alone"


async def test_file_and_packages_agree_about_2026(
    database: str, pool: ConnPool, rules: None, sample_data: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = str(sample_data / "calendar/2026.json")
    assert await command(database, "import", file, "chinesecalendar", "holidays:CN", "--years", "2026") == 0
    told = capsys.readouterr()
    assert told.err == ""
    assert "nothing changes" in told.out


async def test_sources_that_disagree_are_refused_and_one_may_be_followed(
    database: str, pool: ConnPool, rules: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "2026.json"
    days = [{"name": "劳动节", "date": f"2026-05-0{n}", "isOffDay": True} for n in range(1, 4)]
    file.write_text(json.dumps({"year": 2026, "days": days}), encoding="utf-8")
    words = ["import", str(file), "chinesecalendar", "--years", "2026"]
    assert await command(database, *words) == 1
    said = capsys.readouterr().err
    assert f"refused: 2026-05-04: {file}: working day; chinesecalendar: day off Labour Day" in said
    assert f"refused: 2026-05-09: {file}: weekend; chinesecalendar: make-up workday Labour Day" in said
    assert await editions(pool) == {"city": 1}
    assert await command(database, *words, "--follow", "chinesecalendar") == 0
    assert "warning: sources disagree: 2026-05-04" in capsys.readouterr().err
    assert await editions(pool) == {"city": 2}


async def test_hours_begin_a_calendar_that_then_holds_for_a_department(
    database: str, pool: ConnPool, rules: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = tmp_path / "water.json"
    summer = {"name": "夏季作息", "first": "05-01", "last": "09-30", "slots": "1-7 07:00-11:00 16:00-20:00"}
    hours.write_text(json.dumps({"name": "供水", "slots": "1-7 00:00-24:00", "seasons": [summer]}), encoding="utf-8")
    assert await command(database, "import", "--calendar", "water", "--hours", str(hours)) == 0
    assert await command(database, "use", "water", "--department", "water") == 0
    assert await command(database, "list") == 0
    told = capsys.readouterr().out
    assert "water: 供水; edition 1" in told
    assert "department water: water" in told
    assert await command(database, "use", "--none", "--department", "water") == 0
    assert await pool.fetchval("SELECT count(*) FROM calendar_uses") == 0


async def test_a_key_that_a_file_of_hours_does_not_have_is_named(
    database: str, pool: ConnPool, rules: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    hours = tmp_path / "hours.json"
    hours.write_text('{"slots": "1-5 08:00-12:00 11:00-15:00"}', encoding="utf-8")
    assert await command(database, "import", "--hours", str(hours)) == 1
    assert f"{hours}, field slots: given 1 11:00-15:00; want shifts that do not overlap" in capsys.readouterr().err
    assert await editions(pool) == {"city": 1}


async def test_a_file_that_is_not_there_is_named(database: str, rules: None) -> None:
    with pytest.raises(SetupError, match=r"2099\.json cannot be read"):
        await command(database, "import", "2099.json")


async def test_a_use_of_nothing_is_a_wrong_command(database: str, rules: None) -> None:
    assert await command(database, "use", "--department", "water") == 2
