"""`gridsvc reasons import`: a city's own codes are served, taken, counted, and switched off."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import pytest

from gridsvc.commands import reasons
from tests.integration.api.conftest import settings_for
from tests.integration.api.test_bulk import assigned, bulk, three
from tests.integration.api.test_checks import move
from tests.integration.api.test_reports import Desk, desk

__all__ = ["desk", "three"]  # the fixtures

HEAD = "move,code,name,name_en,wants_words,active\n"


def written(path: Path, rows: str) -> str:
    path.write_text(HEAD + rows, encoding="utf-8")
    return str(path)


async def imported(database: str, path: Path, rows: str) -> int:
    parser = argparse.ArgumentParser()
    reasons.add(parser.add_subparsers())
    return await reasons.run(parser.parse_args(["reasons", "import", written(path, rows)]), settings_for(database))


async def served(desk: Desk) -> dict[str, bool]:
    items = (await desk.dispatcher.get("/api/v1/moves")).body["items"]
    [extend] = [item for item in items if item["move"] == "extend"]
    return {reason["code"]: reason["active"] for reason in extend["reasons"]}


async def test_a_citys_own_reason_from_the_file_to_the_history(
    database: str, desk: Desk, three: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    cases = await assigned(desk, three)
    assert (await move(desk.dispatcher, cases[0], "extend", {"reason_code": "holiday"})).status == 400
    own = tmp_path / "own.csv"
    assert await imported(database, own, "extend,holiday,法定假日,A public holiday,no,yes\n") == 0
    assert "1 reasons, 1 of them new or switched" in capsys.readouterr().out
    assert list(await served(desk))[-2:] == ["holiday", "other"]
    done = await move(desk.dispatcher, cases[0], "extend", {"reason_code": "holiday"})
    assert done.status == 200, done.body
    [*_, last] = (await desk.dispatcher.get(f"/api/v1/cases/{cases[0]['id']}/history")).body["items"]
    assert last["facts"] == {"reason_code": "holiday"}
    assert (await bulk(desk.dispatcher, "extend", cases[1:2], reason_code="holiday")).body["moved"] == 1
    assert await imported(database, own, "extend,holiday,法定假日,A public holiday,no,yes\n") == 0
    assert "0 of them" in capsys.readouterr().out, "twice changes nothing"
    assert await imported(database, own, "extend,holiday,法定假日,A public holiday,no,no\n") == 0
    assert (await served(desk))["holiday"] is False
    assert (await move(desk.dispatcher, cases[2], "extend", {"reason_code": "holiday"})).status == 400
    assert await imported(database, own, "extend,holiday,放假,,,\nextend,new,新,,,\n") == 1
    assert "with another meaning" in capsys.readouterr().err
    assert "new" not in await served(desk), "whole, or not at all"
