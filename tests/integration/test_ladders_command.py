"""`gridsvc ladders`: a file is checked, kept as a draft, looked at, published and taken back."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from gridsvc.commands import ladders
from gridsvc.db import ConnPool, transaction
from gridsvc.errors import SetupError
from gridsvc.local.starter import RUNGS, load_starter
from tests.integration.api.conftest import settings_for


@pytest.fixture
async def rules(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        await load_starter(conn)


async def command(database: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    ladders.add(parser.add_subparsers())
    return await ladders.run(parser.parse_args(["ladders", *words]), settings_for(database))


async def test_what_is_shown_can_be_changed_imported_previewed_published_and_rolled_back(
    database: str, pool: ConnPool, rules: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(database, "show") == 0
    shown = capsys.readouterr().out
    file = tmp_path / "ladders.toml"
    file.write_text(shown, encoding="utf-8")
    assert await command(database, "check", str(file)) == 0
    assert f"{len({rung.ladder for rung in RUNGS})} ladders, {len(RUNGS)} rungs" in capsys.readouterr().out

    file.write_text(shown + '\n[[use]]\nclock = "handling"\nladder = "stop_it"\nseverity = "high"\n', encoding="utf-8")
    assert await command(database, "import", str(file)) == 0
    said = capsys.readouterr()
    assert "edition 2 is a draft" in said.out
    assert "whom nobody is" in said.err, "nobody works in this city yet: warnings"
    assert await command(database, "preview", "2") == 0
    assert "0 open clocks" in capsys.readouterr().out
    assert await command(database, "publish", "2") == 0
    assert await command(database, "list") == 0
    told = capsys.readouterr().out.splitlines()
    assert [line.split(";")[1].split()[0] for line in told if line[:1].isdigit()] == ["retired", "published"]
    assert await command(database, "show", "2") == 0
    assert 'severity = "high"' in capsys.readouterr().out
    assert await command(database, "rollback") == 0
    assert "edition 1 is in force again" in capsys.readouterr().out
    with pytest.raises(SetupError, match="no edition 9"):
        await command(database, "preview", "9")


async def test_a_file_at_fault_keeps_nothing_and_every_fault_is_named(
    database: str, pool: ConnPool, rules: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "ladders.toml"
    file.write_text('name = ""\n[[ladder]]\ncode = "A"\n', encoding="utf-8")
    assert await command(database, "import", str(file)) == 1
    said = capsys.readouterr().err
    assert "field name" in said
    assert "ladder 1, code" in said
    assert "no 'handling'" in said
    assert await pool.fetchval("SELECT count(*) FROM ladder_editions") == 1
    with pytest.raises(SetupError, match="cannot be read"):
        await command(database, "check", str(tmp_path / "none.toml"))
