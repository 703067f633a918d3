"""The demo city in a real database: complete, in force, and never made over anything."""

from __future__ import annotations

import hashlib
import json
import stat
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import pytest

from events.intake.mapped import read_mapping
from events.intake.signature import secret_bytes
from geo.place import Place
from gridsvc.actions.give_secret import secrets_in_force
from gridsvc.actions.publish_grid import check_grid
from gridsvc.db import SERVICE, ConnPool, open_pool, transaction
from gridsvc.errors import CannotStart
from gridsvc.local.city import furnish, give_missing_tokens, make_if_empty, rewrite_demo_json
from gridsvc.local.city_demo_file import keep_document, kept_document
from gridsvc.local.starter import CATEGORIES
from gridsvc.local.up import Furnishing
from gridsvc.passwords import check_password
from gridsvc.sealing import Sealer
from gridsvc.store.camera_tokens import ADMITTED
from gridsvc.store.cells import Wanted, owners_of
from tests.servers import FreshDatabase, SessionServers

URL = "http://127.0.0.1:8080"
SEALING = "not a secret: only for tests, 40 characters"


@dataclass(frozen=True)
class Made:
    """One demo city for all tests that only look at it."""

    home: Path
    owner_url: str
    pool: ConnPool


@pytest.fixture(scope="module")
def city_database(session_servers: SessionServers) -> Iterator[FreshDatabase]:
    database = session_servers.fresh_database()
    yield database
    session_servers.drop_database(database)


@pytest.fixture(scope="module")
async def made(city_database: FreshDatabase, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Made]:
    home = tmp_path_factory.mktemp("home")
    assert await make_if_empty(city_database.owner_url, home, URL, sealing=[SEALING])
    async with open_pool(city_database.url, scope=SERVICE, size=2, name="test") as pool:
        yield Made(home, city_database.owner_url, pool)


def demo(home: Path) -> Any:
    return json.loads((home / "demo.json").read_text(encoding="utf-8"))


async def test_the_city_is_whole(made: Made) -> None:
    async with transaction(made.pool) as (conn, _):
        counts = await conn.fetchrow(
            """
            SELECT (SELECT count(*) FROM cells) AS cells, (SELECT count(*) FROM officers) AS officers,
                   (SELECT count(*) FROM cameras) AS cameras, (SELECT count(*) FROM categories) AS categories,
                   (SELECT count(*) FROM devices) AS devices, (SELECT count(*) FROM shifts) AS shifts,
                   (SELECT count(DISTINCT layer) FROM basemap_features) AS layers,
                   (SELECT count(*) FROM cells c
                     WHERE (SELECT count(*) FROM beat_cells b WHERE b.cell_code = c.code) <> 3) AS cells_without_beats,
                   (SELECT count(*) FROM officer_beats o
                     WHERE NOT EXISTS (SELECT FROM beats b
                                        WHERE (b.duty_line, b.code) = (o.duty_line, o.beat_code))) AS lost_beats,
                   (SELECT count(*) FROM absences WHERE from_at > city_now()) AS planned,
                   (SELECT count(DISTINCT team) FROM team_officers) AS teams,
                   (SELECT count(DISTINCT skill) FROM officer_skills) AS skills,
                   (SELECT city_name || ' ' || zone FROM instance) AS name
            """
        )
    assert counts is not None
    assert counts["cells"] >= 3_000
    assert counts["officers"] == counts["devices"] >= 60
    assert counts["shifts"] == 7 * counts["officers"]
    assert counts["cameras"] >= 40
    assert counts["categories"] == len(CATEGORIES)
    assert counts["layers"] == 3
    assert (counts["planned"], counts["teams"], counts["skills"]) == (3, 5, 5)
    assert counts["cells_without_beats"] == counts["lost_beats"] == 0
    assert counts["name"] == "兰州市 Asia/Shanghai"


async def test_the_grid_passes_the_check_of_every_grid_without_a_word(made: Made) -> None:
    assert (await check_grid(made.pool, "demo")).defects == []


async def test_whoever_has_a_shift_is_on_duty_and_nobody_else(made: Made) -> None:
    async with transaction(made.pool) as (conn, _):
        wrong = await conn.fetchval(
            """
            SELECT count(*)
              FROM officers o,
                   LATERAL (SELECT bool_or(CASE WHEN starts_at < ends_at THEN local >= starts_at AND local < ends_at
                                                ELSE local >= starts_at OR local < ends_at END) AS has_shift
                              FROM shifts s, (SELECT (city_now() AT TIME ZONE 'Asia/Shanghai')::time AS local) t
                             WHERE s.officer_id = o.user_id) r
             WHERE o.on_duty <> r.has_shift
            """
        )
        present = await conn.fetchval("SELECT count(*) FROM officers WHERE on_duty")
    assert wrong == 0
    assert present >= 20


async def test_the_second_call_changes_nothing(made: Made) -> None:
    before = demo(made.home)
    assert not await make_if_empty(made.owner_url, made.home, URL)
    assert demo(made.home) == before
    async with transaction(made.pool) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM grid_sets") == 1


async def test_a_database_that_holds_anything_gets_no_demo_city(owner_database: str, tmp_path: Path) -> None:
    owner = await asyncpg.connect(owner_database, timeout=10)
    try:
        await owner.execute("INSERT INTO category_editions (code, name) VALUES ('own', 'own')")
        assert not await make_if_empty(owner_database, tmp_path, URL)
        assert await owner.fetchval("SELECT count(*) FROM users") == 0
    finally:
        await owner.close()
    assert not rewrite_demo_json(tmp_path, URL)


async def test_demo_json_is_as_promised_and_for_its_owner_alone(made: Made) -> None:
    told = demo(made.home)
    assert list(told) == [
        "url", "users", "camera_tokens", "mqtt_sites", "api_keys", "signing_secrets", "sample_places",
        "sample_categories",
    ]  # fmt: skip
    assert told["url"] == URL
    assert {tuple(user) for user in told["users"]} == {("username", "password", "role", "division", "device_id")}
    roles = {user["role"] for user in told["users"]}
    assert roles == {"officer", "handler", "acceptor", "dispatcher", "supervisor", "admin", "auditor"}
    assert all((user["device_id"] is not None) == (user["role"] == "officer") for user in told["users"])
    assert {tuple(key) for key in told["api_keys"]} == {("name", "key", "scopes")}
    assert told["sample_categories"] == [category.code for category in CATEGORIES]
    for name in ("demo.json", "demo-secrets.json"):
        assert stat.S_IMODE((made.home / name).stat().st_mode) == 0o600


async def test_passwords_trackers_and_keys_of_demo_json_open_what_they_should(made: Made) -> None:
    told = demo(made.home)
    user = next(user for user in told["users"] if user["role"] == "officer")
    async with transaction(made.pool) as (conn, _):
        kept = await conn.fetchrow("SELECT id, password_hash FROM users WHERE username = $1", user["username"])
        device = hashlib.sha256(user["device_id"].encode()).digest()
        owner = await conn.fetchval("SELECT officer_id FROM devices WHERE secret_hash = $1", device)
        prefix, key_id, secret = told["api_keys"][0]["key"].split("_", 2)
        scopes = await conn.fetchval(
            "SELECT scopes FROM api_keys WHERE replace(id::text, '-', '') = $1 AND secret_hash = $2",
            key_id,
            hashlib.sha256(secret.encode()).digest(),
        )
    assert kept is not None
    assert check_password(kept["password_hash"], user["password"])
    assert owner == kept["id"]
    assert prefix == "gsk"
    assert scopes == told["api_keys"][0]["scopes"]


async def test_a_city_from_before_its_cameras_had_tokens_gets_them_at_the_next_start(made: Made) -> None:
    document = kept_document(made.home)
    assert document is not None
    first, *lost = document["camera_tokens"]
    keep_document(made.home, document | {"camera_tokens": [first]})
    assert await give_missing_tokens(made.owner_url, made.home) == len(lost)
    assert await give_missing_tokens(made.owner_url, made.home) == 0
    rewrite_demo_json(made.home, URL)
    told = demo(made.home)["camera_tokens"]
    assert told[0] == first, "whoever has one keeps it"
    assert sorted((each["protocol"], each["camera"]) for each in told[1:]) == sorted(
        (each["protocol"], each["camera"]) for each in lost
    )
    async with made.pool.acquire() as conn:
        admitted = await ADMITTED.one(conn, hashlib.sha256(told[-1]["token"].encode()).digest(), "127.0.0.1")
    assert admitted is not None
    assert list(admitted.cameras) == [told[-1]["camera"]]


async def test_a_token_of_demo_json_speaks_for_its_camera_and_every_camera_sees_cells(made: Made) -> None:
    told = demo(made.home)["camera_tokens"]
    assert {tuple(token) for token in told} == {("protocol", "camera", "token")}
    assert len(told) >= 40
    async with transaction(made.pool) as (conn, _):
        admitted = await ADMITTED.one(conn, hashlib.sha256(told[0]["token"].encode()).digest(), "127.0.0.1")
        blind = await conn.fetchval(
            """
            SELECT count(*)
              FROM cameras c
             WHERE c.divisions = '{}'
                OR (SELECT abs(sum(s.share) - 1) > 0.001
                      FROM camera_cells s
                     WHERE s.camera = c.code AND s.kind = 'view')
            """
        )
    assert admitted is not None
    assert (admitted.protocol, admitted.cameras) == (told[0]["protocol"], [told[0]["camera"]])
    assert blind == 0


async def test_the_survey_car_posts_by_a_mapping_and_the_analyser_signs(made: Made) -> None:
    told = demo(made.home)
    [car] = [token for token in told["camera_tokens"] if token["protocol"] == "mapped"]
    [signs] = told["signing_secrets"]
    async with transaction(made.pool) as (conn, now):
        admitted = await ADMITTED.one(conn, hashlib.sha256(car["token"].encode()).digest(), "127.0.0.1")
        in_force = await secrets_in_force(conn, UUID(signs["sender"]), Sealer.of_secrets([SEALING]), now)
    assert admitted is not None
    assert admitted.mapping is not None
    assert read_mapping(admitted.mapping).moving
    assert in_force == [secret_bytes(signs["secret"])]
    assert UUID(signs["sender"]).hex in next(key["key"] for key in told["api_keys"] if key["name"] == signs["name"])


async def test_sample_places_lie_in_the_cells_that_demo_json_names(made: Made) -> None:
    places = demo(made.home)["sample_places"]
    async with transaction(made.pool) as (conn, now):
        owners = await owners_of(conn, [Wanted(Place(p["lon"], p["lat"]), "social") for p in places], now)
    assert len(places) >= 20
    assert [owner and owner.cell_code for owner in owners] == [place["cell"] for place in places]
    assert all(owner is not None and owner.beat_code is not None and not owner.border for owner in owners)


def test_another_start_writes_another_address_and_the_same_passwords(tmp_path: Path) -> None:
    keep_document(tmp_path, {"users": [{"username": "ann", "password": "secret"}]})
    for url in (URL, "http://127.0.0.1:9999"):
        assert rewrite_demo_json(tmp_path, url)
        assert demo(tmp_path) == {"url": url, "users": [{"username": "ann", "password": "secret"}]}


def test_a_home_without_a_demo_city_gets_no_demo_json(tmp_path: Path) -> None:
    assert not rewrite_demo_json(tmp_path, URL)
    assert list(tmp_path.iterdir()) == []


def test_damaged_secrets_stop_the_start_with_a_word(tmp_path: Path) -> None:
    (tmp_path / "demo-secrets.json").write_text("{")
    with pytest.raises(CannotStart, match=r"demo-secrets\.json is not whole"):
        rewrite_demo_json(tmp_path, URL)


async def test_a_start_makes_the_city_once_and_tells_the_address_each_time(owner_database: str, tmp_path: Path) -> None:
    first = Furnishing(owner_database, owner_database, URL, tmp_path / "demo.json")
    await furnish(first)
    before = demo(tmp_path)
    await furnish(Furnishing(owner_database, owner_database, "http://127.0.0.1:2", tmp_path / "demo.json"))
    assert demo(tmp_path) == before | {"url": "http://127.0.0.1:2"}
