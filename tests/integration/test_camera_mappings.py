"""Any other JSON, from a sample to a case: the page is walked word by word, and what goes wrong is seen to."""

from __future__ import annotations

import argparse
import json
import re
import shlex
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from geo.datum import Datum, from_wgs84
from gridsvc.commands import cameras
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.store.numbers import NumberBlocks
from tests.house.source import document
from tests.integration.api.conftest import Api, running, settings_for
from tests.integration.small_city import SOUTH, STEP, WEST, found_small_city
from workers.cameras import decide_round, sort_round

MAPPING = {
    "moving": True,
    "rules": {
        "kind": "what", "time": "t", "lon": "p[0]", "lat": "p[1]", "datum": {"constant": "gcj02"}, "incident": "no",
    },
}  # fmt: skip


@pytest.fixture
async def api(database: str, pool: ConnPool, http: ClientSession) -> AsyncIterator[Api]:
    """The service on the small city, where the starter rules are in force and nothing waits before it is decided."""
    async with transaction(pool, SERVICE) as (conn, _):
        await found_small_city(conn)
        await conn.execute("UPDATE camera_rules SET wait_s = 0")
    async with running(settings_for(database)) as (app, url):
        yield Api(app, http, url, pool)


@pytest.fixture
async def http() -> AsyncIterator[ClientSession]:
    async with ClientSession() as session:
        yield session


async def command(database: str, line: str) -> int:
    parser = argparse.ArgumentParser()
    cameras.add(parser.add_subparsers())
    return await cameras.run(parser.parse_args(shlex.split(line)[1:]), settings_for(database))


async def work(api: Api) -> None:
    await sort_round(api.pool, 1_000)
    await decide_round(api.pool, NumberBlocks(api.pool), 1_000)


async def rows(api: Api, sql: str) -> list[dict[str, Any]]:
    async with transaction(api.pool, SERVICE) as (conn, _):
        return [dict(row) for row in await conn.fetch(sql)]


def read(name: str) -> bytes:
    return Path(name).read_bytes()


def put(name: str, text: str) -> None:
    Path(name).write_text(text, encoding="utf-8")


async def test_the_page_leads_from_a_sample_to_the_first_case(
    api: Api, database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Every file and every line of the walk, in their order; the case is in the cell where the car was."""
    monkeypatch.chdir(tmp_path)
    walk = document("cameras/other-json.md").split("## Ten minutes")[1].split("\n## ")[0]
    steps = re.findall(r"```(\w+)(?: (\S+))?\n(.*?)```", walk, re.DOTALL)
    assert [name for _, name, _ in steps if name] == ["sample.json", "mapping.json", "cameras.csv", "labels.csv"]
    token, proposed, posted = "", {}, 0
    for _, name, text in steps:
        if name:
            put(name, text)
            continue
        for line in text.splitlines():
            if line.startswith("curl"):
                words = shlex.split(line)
                path = words[words.index("POST") + 1].replace("https://grid.example", "").replace("$TOKEN", token)
                said = await api.nobody.ask("POST", path, data=read(words[-1].removeprefix("@")))
                assert (said.status, [each["outcome"] for each in said.body["items"]]) == (200, ["accepted"])
                posted += 1
                continue
            bare, _, into = line.partition(" > ")
            assert await command(database, bare) == 0, line
            told = capsys.readouterr().out
            if into:
                proposed = json.loads(told)
            if "cameras token" in line:
                token = told.split()[1]
            if "mapping try" in line:
                assert "cell 620102001001005" in told
    assert posted == 1
    written = json.loads(read("mapping.json"))
    assert proposed == {name: value for name, value in written.items() if name != "moving"}
    await work(api)
    [case] = await rows(api, "SELECT cell_code, category FROM cases")
    assert case == {"cell_code": "620102001001005", "category": "200110"}
    assert await command(database, "gridsvc cameras mapping list") == 0
    assert "survey-car\t1\tpublished" in capsys.readouterr().out
    assert await command(database, "gridsvc cameras mapping show survey-car") == 0
    assert json.loads(capsys.readouterr().out) == written
    assert await command(database, "gridsvc cameras tokens") == 0
    assert "mapped:survey-car" in capsys.readouterr().out


async def a_car(api: Api, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> str:
    """A car at its depot with a token of the mapping `car`; the secret."""
    (tmp_path / "m.json").write_text(json.dumps(MAPPING))
    table = "code,name,x,y,protocol\nCAR,car,103.8005,36.0605,mapped\n"
    (tmp_path / "cameras.csv").write_text(table)
    (tmp_path / "labels.csv").write_text(
        "camera,protocol,kind,zone,target,edition,category,mode\nCAR,*,refuse,*,*,starter-2026,200110,automatic\n"
    )
    for line in (
        f"mapping publish car {tmp_path}/m.json", f"import {tmp_path}/cameras.csv --datum wgs84",
        f"labels {tmp_path}/labels.csv",
    ):  # fmt: skip
        assert await command(database, f"gridsvc cameras {line}") == 0
    capsys.readouterr()
    assert await command(database, "gridsvc cameras token CAR --protocol mapped --mapping car") == 0
    return capsys.readouterr().out.split()[1]


def sighting(lon: float, lat: float, number: int = 1) -> bytes:
    """What the car says of a place in WGS-84: its receiver tells GCJ-02, as the mapping says."""
    east, north = from_wgs84(lon, lat, Datum.GCJ02)
    return json.dumps({"what": "refuse", "t": "2026-11-20T08:00:00+08:00", "p": [east, north], "no": number}).encode()


async def test_what_carries_its_own_position_is_placed_by_it_and_outside_the_grid_it_ends_visibly(
    api: Api, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """By the datum that the mapping names: unconverted it would be two cells off."""
    token = await a_car(api, database, tmp_path, capsys)
    path = f"/intake/mapped/{token}"
    north_east = sighting(WEST + 2.5 * STEP, SOUTH + 2.5 * STEP)
    assert (await api.nobody.ask("POST", path, data=north_east)).status == 200
    away = await api.nobody.ask("POST", path, data=sighting(WEST + 1.0, SOUTH, 2))
    assert away.body["items"][0]["outcome"] == "accepted", "the message is right; the city ends before it"
    nowhere = await api.nobody.ask("POST", path, data=b'{"what": "refuse", "no": 3}')
    assert (nowhere.status, nowhere.body["reason"]) == (422, "no_place")
    await work(api)
    assert [row["cell_code"] for row in await rows(api, "SELECT cell_code FROM cases")] == ["620102001001009"]
    ends = await rows(api, "SELECT outcome, outcome_reason FROM camera_events ORDER BY received_at, id")
    assert [(row["outcome"], row["outcome_reason"]) for row in ends] == [
        ("opened", ""), ("rejected", "outside_the_grid"),
    ]  # fmt: skip
    again = await api.nobody.ask("POST", path, data=north_east)
    assert again.body["items"][0]["outcome"] == "duplicate"
    capsys.readouterr()
    assert await command(database, "gridsvc cameras ledger --hour") == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("CAR")]
    assert "DOES NOT BALANCE" not in line


async def test_what_waited_in_quarantine_is_replayed_with_the_mapping_of_today(
    api: Api, database: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    token = await a_car(api, database, tmp_path, capsys)
    renamed = sighting(WEST + STEP / 2, SOUTH + STEP / 2).replace(b'"what"', b'"seen"')
    refused = await api.nobody.ask("POST", f"/intake/mapped/{token}", data=renamed)
    assert (refused.status, refused.body["reason"]) == (422, "no_kind")
    [waiting] = await rows(api, "SELECT id FROM camera_quarantine")
    assert await command(database, f"gridsvc cameras quarantine replay {waiting['id']}") == 1
    mended = {**MAPPING, "rules": {**MAPPING["rules"], "kind": {"path": ["what", "seen"]}}}  # type: ignore[dict-item]
    (tmp_path / "m.json").write_text(json.dumps(mended))
    assert await command(database, f"gridsvc cameras mapping publish car {tmp_path}/m.json") == 0
    assert await command(database, f"gridsvc cameras quarantine replay {waiting['id']}") == 0
    assert "accepted" in capsys.readouterr().out
    await work(api)
    assert [row["cell_code"] for row in await rows(api, "SELECT cell_code FROM cases")] == ["620102001001001"]
