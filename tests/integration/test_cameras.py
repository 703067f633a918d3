"""The registry of cameras from files to cells, tokens, and what becomes of silent ones: by command and worker."""

from __future__ import annotations

import argparse
import asyncio
import hashlib
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from events.catalog import CameraOffline, CameraOnline
from gridsvc.actions.tell_maintainers import tell_maintainers
from gridsvc.actions.watch_cameras import watch_cameras
from gridsvc.commands import cameras as command
from gridsvc.db import ConnPool, transaction
from gridsvc.domain.access import Grant, Role
from gridsvc.errors import Refused, Unknown
from gridsvc.ids import new_id
from gridsvc.settings import read_settings
from gridsvc.store import camera_labels
from gridsvc.store.camera_tokens import ADMITTED
from gridsvc.store.cameras import HEARD
from tests.integration.small_city import DISTRICT, found_small_city, person
from workers.registry import see_round

Command = Callable[..., Awaitable[int]]

EXAMPLES = Path(__file__).parents[2] / "docs/examples/cameras"
FIRST, SECOND = "62010200001320000001", "62010200001320000002"


@pytest.fixture
def run(database: str) -> Command:
    """Runs `gridsvc cameras …`; the exit code."""
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    settings = read_settings({"GRIDSVC_DATABASE_URL": database})

    async def one(*words: str | Path) -> int:
        return await command.run(parser.parse_args(["cameras", *map(str, words)]), settings)

    return one


@pytest.fixture
async def city(pool: ConnPool) -> None:
    async with transaction(pool) as (conn, _):
        await found_small_city(conn)


async def rows(pool: ConnPool, sql: str) -> list[Mapping[str, Any]]:
    async with transaction(pool) as (conn, _):
        return [dict(row) for row in await conn.fetch(sql)]


async def test_files_of_three_kinds_make_one_registry_and_a_second_time_changes_nothing(
    run: Command, city: None, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await run("import", EXAMPLES / "cameras.csv", "--datum", "wgs84", "--preview") == 0
    assert "2 new and 0 changed cameras would be imported" in capsys.readouterr().out
    assert await rows(pool, "SELECT FROM cameras") == []
    assert await run("import", EXAMPLES / "cameras.csv", "--datum", "wgs84") == 0
    assert "2 new and 0 changed cameras imported" in capsys.readouterr().out
    # The list of devices knows neither lens nor range: it turns the first camera, and leaves those as they were.
    assert await run("import", EXAMPLES / "apes.json", "--datum", "wgs84") == 0
    said = capsys.readouterr()
    assert "1 new and 1 changed cameras imported" in said.out
    assert "bearing_deg: 1 changed" in said.out
    assert "columns that nobody reads: IPAddr, Password" in said.err
    assert await run("import", EXAMPLES / "cameras.geojson", "--datum", "wgs84") == 0
    capsys.readouterr()
    kept = await rows(
        pool,
        "SELECT code, protocol, bearing_deg, field_deg, far_m, version, divisions[4] AS community FROM cameras"
        " ORDER BY code",
    )
    assert [tuple(row.values()) for row in kept] == [
        (FIRST, "hikvision", 45.0, 75.0, 80.0, 2, "620102001001"),
        (SECOND, "frigate", 0.0, 360.0, 60.0, 1, "620102001001"),
        ("62010200001320000003", "gat1400", 180.0, 60.0, 60.0, 1, "620102001001"),
        ("gate-7", "onvif", 270.0, 60.0, 40.0, 1, "620102001001"),
    ]
    shares = await rows(pool, "SELECT camera, sum(share) AS seen FROM camera_cells WHERE kind = 'view' GROUP BY camera")
    assert len(shares) == 4
    assert all(0.9 < row["seen"] <= 1.0001 for row in shares)
    assert await run("export") == 0
    (tmp_path / "out.csv").write_text(capsys.readouterr().out, encoding="utf-8")
    assert await run("import", tmp_path / "out.csv", "--datum", "wgs84") == 0
    assert "0 new and 0 changed cameras imported, 4 as before" in capsys.readouterr().out
    assert await run("list", "--health", "never") == 0
    assert capsys.readouterr().out.count("620102001001\t") == 4
    assert await run("show", FIRST) == 0
    assert '"serials": [\n  "DS-2CD0001"\n ]' in capsys.readouterr().out


async def test_a_bad_row_refuses_the_file_and_the_good_ones_can_be_taken_alone(
    run: Command, city: None, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "c.csv"
    table.write_text(
        "code,name,x,y,protocol\n"
        f"{FIRST},good,103.8005,36.0605,onvif\n{SECOND},far,103.9,36.0605,onvif\n1234,short,103.8005,36.0605,onvif\n",
        encoding="utf-8",
    )
    assert await run("import", table, "--datum", "wgs84") == 1
    said = capsys.readouterr().err
    assert "c.csv, row 3, field place: given lon 103.900000, lat 36.060500 (WGS-84), where no cell is" in said
    assert "c.csv, row 4, field code: given '1234'; want 20 digits" in said
    assert "nothing was imported: 2 faults" in said
    assert await run("import", table, "--datum", "wgs84", "--partial") == 1
    assert [row["code"] for row in await rows(pool, "SELECT code FROM cameras")] == [FIRST]


@pytest.fixture
async def two_cameras(run: Command, city: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert await run("import", EXAMPLES / "cameras.csv", "--datum", "wgs84") == 0
    capsys.readouterr()


async def test_a_token_is_told_once_rotated_and_revoked(
    run: Command, two_cameras: None, pool: ConnPool, capsys: pytest.CaptureFixture[str]
) -> None:
    async def admitted(secret: str, peer: str = "10.20.1.2") -> list[str] | None:
        async with transaction(pool) as (conn, _):
            found = await ADMITTED.one(conn, hashlib.sha256(secret.encode()).digest(), peer)
        return None if found is None else list(found.cameras)

    words = ["--protocol", "frigate", "--label", "market", "--network", "10.20.0.0/16"]
    assert await run("token", SECOND, FIRST, *words) == 0
    token_id, secret = capsys.readouterr().out.split()
    assert len(f"/intake/hikvision/{secret}") <= 128
    assert await admitted(secret) == [FIRST, SECOND]
    assert await admitted(secret, "10.21.0.1") is None, "from another network"
    assert await run("token", "--rotate", token_id, "--grace-hours", "0") == 0
    new_id_, new_secret = capsys.readouterr().out.split()[:2]
    assert await admitted(new_secret) == [FIRST, SECOND]
    assert await admitted(secret) is None, "the grace is over"
    assert await run("tokens") == 0
    told = capsys.readouterr().out
    assert "expired\tmarket\t10.20.0.0/16" in told
    assert secret not in told
    assert await run("token", "--revoke", new_id_) == 0
    assert await admitted(new_secret) is None
    for wrong in (["token", "nobody", "--protocol", "frigate"], ["token", "--revoke", new_id_]):
        with pytest.raises(Unknown):
            await run(*wrong)
    for wrong in (["token", FIRST, "--protocol", "smoke"], ["token", FIRST, *words[:4], "--network", "10.20.0.1/16"]):
        with pytest.raises(Refused):
            await run(*wrong)


async def test_a_table_of_words_settles_what_was_waiting_for_it(
    run: Command, two_cameras: None, pool: ConnPool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async with transaction(pool) as (conn, now):
        await camera_labels.record_unmapped(conn, Counter({(SECOND, "Car", "fire_lane", ""): 1}), now)
    assert await run("unmapped") == 0
    assert f"{SECOND}\t" in capsys.readouterr().out
    table = tmp_path / "labels.csv"
    table.write_text("kind,protocol,category,mode\ncar,frigate,999999,review\n", encoding="utf-8")
    assert await run("labels", table) == 1
    assert "labels.csv, row 2, field category" in capsys.readouterr().err
    table.write_text("kind,protocol,category,mode\ncar,frigate,300302,review\nvmd,*,,off\n", encoding="utf-8")
    assert await run("labels", table) == 0
    assert "2 rows written; 1 words that waited have a meaning now" in capsys.readouterr().out
    assert await run("labels") == 0
    table.write_text(capsys.readouterr().out, encoding="utf-8")
    assert await run("labels", table) == 0
    assert len(await rows(pool, "SELECT FROM camera_labels")) == 2


async def test_another_grid_set_gives_cameras_other_cells_and_a_second_round_finds_nothing_to_do(
    two_cameras: None, pool: ConnPool
) -> None:
    """A city that joins its nine cells into one: whoever had shares of several sees that one."""
    before = await rows(pool, "SELECT DISTINCT cell_code FROM camera_cells")
    assert len(before) > 1
    async with transaction(pool) as (conn, _):
        await conn.execute(
            """
            WITH a_set AS (
              INSERT INTO grid_sets (name, state, cell_scheme, valid_from, published_at)
              VALUES ('next', 'published', '6+3+3+3', '2021-01-01', '2021-01-01') RETURNING id
            ), tree AS (
              INSERT INTO divisions (grid_set_id, code, name, level, parent_code, path, area_m2, outline)
              SELECT s.id, d.code, d.name, d.level, d.parent_code, d.path, d.area_m2, d.outline
                FROM a_set s, divisions d
            )
            INSERT INTO cells (grid_set_id, code, division_code, area_m2, outline)
            SELECT id, '620102001001100', '620102001001', 90000,
                   ST_Multi(ST_MakeEnvelope(103.8, 36.06, 103.803, 36.063, 4326))
              FROM a_set
            """
        )
    rounds = await asyncio.gather(see_round(pool, 1), see_round(pool, 1))
    assert sum(rounds) == 2
    assert await rows(pool, "SELECT DISTINCT cell_code FROM camera_cells") == [{"cell_code": "620102001001100"}]
    assert await see_round(pool) == 0


async def test_a_silent_camera_is_missed_once_and_told_to_who_maintains_it(two_cameras: None, pool: ConnPool) -> None:
    """Hikvision may be silent for 300 s, Frigate for ever: it says nothing while nothing happens."""
    async with transaction(pool) as (conn, now):
        handler = await person(conn, "h", Grant(role=Role.HANDLER, division=DISTRICT, department="traffic"))
        admin = await person(conn, "a", Grant(role=Role.ADMIN, division=DISTRICT))
        await HEARD.run(conn, [FIRST, SECOND], [now, now])
        assert await watch_cameras(conn, now + timedelta(seconds=300), 10) == (0, 0)
        late = now + timedelta(seconds=301)
        assert await watch_cameras(conn, late, 10) == (1, 0)
        assert await watch_cameras(conn, late, 10) == (0, 0), "once"
        await HEARD.run(conn, [FIRST], [late + timedelta(seconds=1)])
        assert await watch_cameras(conn, late + timedelta(seconds=2), 10) == (0, 1)
        await conn.execute("UPDATE cameras SET state = 'maintenance'")
        assert await watch_cameras(conn, late + timedelta(days=9), 10) == (0, 0), "it is not missed while it is mended"
        said = [row["type"] for row in await conn.fetch("SELECT type FROM outbox ORDER BY seq")]
        assert said == ["camera.offline", "camera.online"]
        offline = CameraOffline(
            event_id=new_id(), at=now, camera=FIRST, protocol="hikvision", department="traffic", divisions=(DISTRICT,),
            heard_at=now,
        )  # fmt: skip
        online = CameraOnline(
            event_id=new_id(), at=now, camera=FIRST, protocol="hikvision", department=None, divisions=(DISTRICT,),
            offline_since=now,
        )  # fmt: skip
        for _ in range(2):
            await tell_maintainers(conn, [offline, online], now)
        many = [replace(offline, event_id=new_id(), camera=f"pole {n}") for n in range(20)]
        await tell_maintainers(conn, many, now)
        told = await conn.fetch("SELECT user_id, kind, body FROM notices ORDER BY kind")
    assert [(row["user_id"], row["kind"]) for row in told] == [
        (handler.user_id, "camera.offline"), (admin.user_id, "camera.online"),
    ]  # fmt: skip
    assert told[0]["body"]["camera"] == FIRST
    listed = [each["camera"] for each in told[0]["body"]["cameras"]]
    assert listed == sorted([FIRST, *(f"pole {n}" for n in range(20))]), "a power cut is one notice with all of them"
