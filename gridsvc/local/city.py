"""The demo city in a database: written once into an empty one, and never beside anything else."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, time, timedelta
from pathlib import Path
from typing import Final
from uuid import UUID
from zoneinfo import ZoneInfo

import shapely

from events.storm import Mode
from geo.place import Bounds
from geo.projection import area_m2
from gridsvc.actions.give_secret import give_secret
from gridsvc.actions.know_cameras import known_cameras
from gridsvc.actions.prepare_map import prepare_map
from gridsvc.actions.see_cells import see_cells
from gridsvc.actions.write_mapping import draft_mapping, publish_mapping
from gridsvc.db import SERVICE, Conn, Nothing, Statement, open_pool, transaction
from gridsvc.domain import roster
from gridsvc.domain.camera import Camera
from gridsvc.domain.camera import what_is_new as new_of_camera
from gridsvc.domain.camera_label import ANY, Row
from gridsvc.domain.component import what_is_new
from gridsvc.domain.shift import on_shift
from gridsvc.ids import new_id
from gridsvc.local import city_names as names
from gridsvc.local.city_demo_file import (
    KEYS,
    SIGNS,
    DemoCamera,
    DemoSecrets,
    demo_document,
    keep_document,
    kept_document,
    make_secrets,
    make_token,
    tokens_document,
    write_demo_file,
)
from gridsvc.local.city_ground import STOREY_M
from gridsvc.local.city_hours import load_hours
from gridsvc.local.city_ladders import load_ladders
from gridsvc.local.city_make import make_city
from gridsvc.local.city_people import CAMERAS, IN_TRAINING, LABELS, SURVEY_CAR, TEAMS, camera_code
from gridsvc.local.city_plan import SEED, City, Feature, Person
from gridsvc.local.city_rules import load_rules
from gridsvc.local.city_walks import load_walks
from gridsvc.local.simulate_survey import MAPPING, MAPPING_NAME
from gridsvc.local.starter import load_starter
from gridsvc.local.starter_categories import EDITION
from gridsvc.local.up import Furnishing
from gridsvc.passwords import hash_password
from gridsvc.sealing import Sealer
from gridsvc.store import (
    absences,
    api_keys,
    basemap,
    camera_labels,
    camera_tokens,
    cameras,
    components,
    gazetteer,
    grids,
    mqtt_sites,
    people,
    teams,
)
from gridsvc.store.absences import AbsenceRow
from gridsvc.store.mqtt_sites import Site

GRID_SET: Final = "demo"
EDITION_OF_GROUND: Final = "demo"
ATTRIBUTION: Final = "gridsvc demo city"
ACTOR: Final = "command:up"
SCHEME: Final = "6+3+3+3"
ZONE: Final = ZoneInfo("Asia/Shanghai")


async def furnish(instance: Furnishing) -> None:
    """What `gridsvc up` calls at every start: make the city if there is nothing, and write demo.json in any case."""
    home = instance.file.parent
    made = await make_if_empty(
        instance.owner_database_url, home, instance.web_url, sealing=instance.sealing, mqtt_url=instance.mqtt_url
    )
    if not made:
        await give_missing_tokens(instance.owner_database_url, home)
        rewrite_demo_json(home, instance.web_url, instance.mqtt_url)


async def make_if_empty(
    owner_url: str, home: Path, url: str, seed: int = SEED, *, sealing: Sequence[str] = (), mqtt_url: str = ""
) -> bool:
    """Make the demo city in a database that holds nothing yet, and write demo.json; False where it holds something.

    One transaction: whole or not at all. `owner_url` is the login that owns the database, since the city's
    name and zone are the owner's. Twice does no harm: the second call finds the first one's city. `sealing`: what
    the instance seals kept secrets with; without, nobody of the demo city signs.
    """
    async with (
        open_pool(owner_url, size=1, scope=SERVICE, name="gridsvc demo city", role=None) as pool,
        transaction(pool) as (conn, now),
    ):
        await grids.lock(conn)
        if await _holds_something(conn):
            return False
        city = make_city(seed)
        given = make_secrets(city.people, [new_id() for _ in KEYS], [*city.cameras, *city.cars])
        await load_city(conn, city, given, now)
        if sealing:
            [signs] = [key.id for key in given.keys if key.name == SIGNS]
            _, secret = await give_secret(conn, signs, Sealer.of_secrets(sealing), ACTOR, now)
            given = replace(given, signing={SIGNS: secret})
        # Before the commit: a city whose passwords nobody knows would be of no use to anybody.
        keep_document(home, demo_document(city, given))
    return write_demo_file(home, url, mqtt_url)


async def give_missing_tokens(owner_url: str, home: Path) -> int:
    """Give a token to each camera of the demo city of which demo.json knows none; how many.

    A city that was made before its cameras had tokens gets them so. What is committed and not written down yet is
    good for nobody: the next start gives others.
    """
    document = kept_document(home)
    if document is None:
        return 0
    told = document.get("camera_tokens", [])
    wanted = {camera_code(number) for number in range(1, CAMERAS + 1)} | {SURVEY_CAR}
    lacking = wanted - {each["camera"] for each in told}
    if not lacking:
        return 0
    async with (
        open_pool(owner_url, size=1, scope=SERVICE, name="gridsvc demo city", role=None) as pool,
        transaction(pool) as (conn, now),
    ):
        found = await known_cameras(conn, sorted(lacking))
        given = [make_token(each.code, each.protocol) for each in found.values()]
        await _add_tokens(conn, given, now)
    if not given:
        return 0
    keep_document(home, document | {"camera_tokens": [*told, *tokens_document(given)]})
    return len(given)


def rewrite_demo_json(home: Path, url: str, mqtt_url: str = "") -> bool:
    """Write demo.json again with today's addresses; False where this home has no demo city."""
    return write_demo_file(home, url, mqtt_url)


@dataclass(frozen=True)
class _Holding:
    something: bool


_HOLDS_SOMETHING = Statement(
    _Holding,
    """
    SELECT EXISTS (SELECT FROM grid_sets)
        OR EXISTS (SELECT FROM users)
        OR EXISTS (SELECT FROM category_editions)
        OR EXISTS (SELECT FROM cases) AS something
    """,
)


async def _holds_something(conn: Conn) -> bool:
    holding = await _HOLDS_SOMETHING.one(conn)
    return holding is None or holding.something


async def load_city(conn: Conn, city: City, given: DemoSecrets, now: datetime) -> None:
    """Write a city into an empty database, in the caller's transaction; who has a shift `now` is on duty."""
    await _NAME_CITY.run(conn, names.CITY[1], ZONE.key)
    await load_starter(conn)
    await load_hours(conn, now)
    await load_ladders(conn, now)
    await _load_grid(conn, city, now)
    await _load_features(conn, city.land.features, now)
    ids = await _load_people(conn, city.people, hash_password(given.password), now)
    await load_rules(conn, city.people, ids, now)
    await _load_devices(conn, given, ids, now)
    await _load_cameras(conn, [*city.cameras, *city.cars], given, now)
    await _load_things(conn, city, now)
    await load_walks(conn, city, now.astimezone(ZONE).date(), now)
    for key in given.keys:
        await api_keys.ADD.run(
            conn, key.id, key.name, key.digest, list(key.scopes), names.CITY[0], None, None, now, None
        )


_NAME_CITY = Statement(Nothing, "UPDATE instance SET city_name = $1::text, zone = $2::text")


# -- space ------------------------------------------------------------------------------------

_NAME_IN_ENGLISH = Statement(
    Nothing,
    """
    UPDATE divisions d
       SET name_en = e.name_en
      FROM unnest($2::text[], $3::text[]) AS e (code, name_en)
     WHERE d.grid_set_id = $1::integer AND d.code = e.code
    """,
)

_GRADE_CELLS = Statement(
    Nothing,
    """
    UPDATE cells
       SET management_level = $2::text
     WHERE grid_set_id = $1::integer AND code = ANY ($3::text[])
    """,
)


async def _load_grid(conn: Conn, city: City, now: datetime) -> None:
    grid_set = await grids.add_set(conn, GRID_SET, SCHEME)
    divisions, cells = city.land.divisions, city.land.cells
    await grids.add_divisions(
        conn,
        grid_set,
        [
            grids.Division(d.code, d.name, d.level, d.parent, list(d.path), area_m2(d.outline), d.outline)
            for d in divisions
        ],
    )
    english = [d for d in divisions if d.name_en]
    await _NAME_IN_ENGLISH.run(conn, grid_set, [d.code for d in english], [d.name_en for d in english])
    await grids.add_cells(
        conn, grid_set, [grids.Cell(c.code, "", c.division, area_m2(c.outline), c.outline) for c in cells]
    )
    for level in ("B", "C"):
        await _GRADE_CELLS.run(conn, grid_set, level, [c.code for c in cells if c.management_level == level])
    for duty_line in sorted({beat.duty_line for beat in city.beats}):
        beats = [beat for beat in city.beats if beat.duty_line == duty_line]
        await grids.add_beats(
            conn, grid_set, duty_line, [grids.Beat(b.code, b.name, b.division, b.cells) for b in beats]
        )
    await grids.note_change(conn, grid_set, {"step": "made by the demo city", "seed": city.seed})
    box = Bounds(*shapely.total_bounds([cell.outline for cell in cells]).tolist())
    await grids.publish(conn, grid_set, now, now, box)
    await prepare_map(conn, grid_set, now)


async def _load_features(conn: Conn, features: Sequence[Feature], now: datetime) -> None:
    ground = [
        basemap.Feature(f.layer, f.name, f.kind, f.height_m, _storeys(f), f.outline)
        for f in features
    ]
    await basemap.replace(conn, EDITION_OF_GROUND, ATTRIBUTION, ground, now)


def _storeys(feature: Feature) -> int | None:
    return None if feature.height_m is None else round(feature.height_m / STOREY_M)


# -- people and cameras -----------------------------------------------------------------------

_BEGIN_DUTY = Statement(
    Nothing,
    """
    UPDATE officers
       SET on_duty = true, duty_changed_at = $2::timestamptz
     WHERE user_id = ANY ($1::uuid[])
    """,
)

_ADD_DEVICES = Statement(
    Nothing,
    """
    INSERT INTO devices (secret_hash, officer_id, label, created_at)
    SELECT d.secret_hash, d.officer_id, 'demo', $3::timestamptz
      FROM unnest($1::bytea[], $2::uuid[]) AS d (secret_hash, officer_id)
    """,
)


async def _load_people(conn: Conn, persons: Sequence[Person], password_hash: str, now: datetime) -> dict[str, UUID]:
    """Everybody with one and the same password; ids by user name."""
    ids = {person.username: new_id() for person in persons}
    keeping = [
        people.Keeping(id=ids[person.username], person=_as_imported(person), password_hash=password_hash)
        for person in persons
    ]
    await teams.keep_teams(conn, TEAMS)
    await people.keep_people(conn, keeping, now)
    present = [ids[person.username] for person in persons if on_shift(person.shifts, now, ZONE)]
    await _BEGIN_DUTY.run(conn, present, now)
    await _send_to_training(conn, ids, now)
    return ids


async def _send_to_training(conn: Conn, ids: dict[str, UUID], now: datetime) -> None:
    """A few planned absences: from eight to six on the day after."""
    day = (now.astimezone(ZONE) + timedelta(days=1)).date()
    begins, ends = datetime.combine(day, time(8), ZONE), datetime.combine(day, time(18), ZONE)
    line, number = IN_TRAINING
    away = sorted(name for name in ids if name.startswith("officer-") and name.endswith(f"-{line}-{number}"))
    for username in away[:3]:
        row = AbsenceRow(
            id=new_id(), officer_id=ids[username], from_at=begins, until_at=ends, reason="training",
            entered_by="command:up", entered_at=now,
        )  # fmt: skip
        await absences.add(conn, row)


def _as_imported(person: Person) -> roster.Person:
    post = None
    if person.grant.duty_line is not None:
        post = roster.Post(
            duty_line=person.grant.duty_line, beats=person.beats, most_open=roster.MOST_OPEN, shifts=person.shifts,
            skills=person.skills, teams=person.teams,
        )  # fmt: skip
    return roster.Person(
        username=person.username, display_name=person.display_name, password=None, grants=(person.grant,), post=post
    )


async def _load_devices(conn: Conn, given: DemoSecrets, ids: dict[str, UUID], now: datetime) -> None:
    hashes = [hashlib.sha256(device_id.encode()).digest() for device_id in given.device_ids.values()]
    await _ADD_DEVICES.run(conn, hashes, [ids[username] for username in given.device_ids], now)


async def _load_cameras(conn: Conn, some: Sequence[Camera], given: DemoSecrets, now: datetime) -> None:
    writing = [
        cameras.Writing(camera=each, version=1, facts=new_of_camera(None, each), divisions=[]) for each in some
    ]  # fmt: skip
    await cameras.keep(conn, writing, ACTOR, GRID_SET, now)
    await see_cells(conn, some, now)
    rows = [
        Row(
            row=at, camera=None, protocol=protocol, kind=kind, zone=zone, target=ANY, edition=EDITION,
            category=category, mode=Mode(mode),
        )
        for at, (protocol, kind, zone, category, mode) in enumerate(LABELS, start=1)
    ]  # fmt: skip
    await camera_labels.keep(conn, rows, ACTOR, now)
    mapping = await draft_mapping(conn, MAPPING_NAME, MAPPING, ACTOR, now)
    await publish_mapping(conn, mapping.name, mapping.version, ACTOR, now)
    await _add_tokens(conn, given.cameras, now)
    for site in given.sites:
        await mqtt_sites.add(conn, Site(site.name, list(site.cameras)), site.password.digest, "demo", ACTOR, now)


async def _add_tokens(conn: Conn, given: Sequence[DemoCamera], now: datetime) -> None:
    for each in given:
        token = camera_tokens.Token(
            id=each.id, digest=each.digest, label="demo", protocol=each.protocol, cameras=[each.camera],
            mapping=MAPPING_NAME if each.protocol == "mapped" else None,
        )  # fmt: skip
        await camera_tokens.add(conn, token, ACTOR, now)


async def _load_things(conn: Conn, city: City, now: datetime) -> None:
    writing = [components.Writing(component=each, version=1, facts=what_is_new(None, each)) for each in city.components]
    await components.keep(conn, writing, ACTOR, GRID_SET, now)
    if city.points:
        await gazetteer.replace_points(conn, GRID_SET, city.points)
