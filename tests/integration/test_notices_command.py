"""`gridsvc notices`: the rules of ringing are shown, changed, and refused whole when something is wrong with them."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from gridsvc.commands import notices
from gridsvc.db import ConnPool
from tests.integration.api.conftest import settings_for


async def command(database: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    notices.add(parser.add_subparsers())
    return await notices.run(parser.parse_args(["notices", *words]), settings_for(database))


async def test_what_is_shown_can_be_changed_and_imported(
    database: str, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(database, "show") == 0
    shown = capsys.readouterr().out
    file = tmp_path / "notices.toml"
    quiet = '[[quiet]]\nrole = "supervisor"\nfrom = "22:00"\nuntil = "07:00"\n'
    file.write_text(shown.replace("digest_most = 10", "digest_most = 3") + quiet, encoding="utf-8")
    assert await command(database, "import", str(file)) == 0
    assert await command(database, "show") == 0
    assert capsys.readouterr().out.endswith('from = "22:00"\nuntil = "07:00"\n')
    assert await pool.fetchval("SELECT digest_most FROM notice_rules") == 3

    file.write_text("digest_most = 0\nloud_severities = []\n", encoding="utf-8")
    assert await command(database, "import", str(file)) == 1
    said = capsys.readouterr().err
    assert "field digest_most" in said
    assert "field loud_severities" in said
    assert await pool.fetchval("SELECT count(*) FROM quiet_defaults") == 1
