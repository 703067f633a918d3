"""Sites publish over MQTT to a real broker: what they say ends as it would over HTTP, and nobody speaks for another."""

from __future__ import annotations

import argparse
import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import asyncpg
import pytest

from events.broker import connection, declare, depths
from events.broker_users import hashed
from events.topology import DEVICES, MQTT
from gridsvc.actions.give_site import give_site
from gridsvc.commands.camera_quarantine import run as quarantine
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.errors import GridError, Refused, Unknown
from gridsvc.local.broker_sites import document
from gridsvc.settings import BrokerSettings, WorkerSettings, read_settings
from gridsvc.store import mqtt_sites
from tests.integration.patiently import until
from tests.integration.stories.camera_town import put_up
from tests.mqtt_client import Dropped, SiteClient
from tests.servers import SessionServers
from workers.mqtt import mqtt

CAR = b"""{"type": "new", "before": {}, "after": {"id": "1766000000.5-abc", "camera": "bridge", "label": "car",
 "start_time": 1766000000.5, "top_score": 0.9}}"""
SECRET = "not a secret"


@dataclass(frozen=True)
class Yard:
    """Two sites, `market` of two cameras and `bridge` of one, and the broker that they publish to."""

    pool: ConnPool
    amqp_url: str
    servers: SessionServers

    def site(self, name: str, client_id: str | None = None) -> SiteClient:
        vhost = urlsplit(self.amqp_url).path.removeprefix("/")
        return SiteClient(self.servers.mqtt_port, f"{vhost}:{name}", SECRET, client_id or name)

    async def publish(self, name: str, *messages: tuple[str, bytes]) -> None:
        await asyncio.to_thread(self.site(name).publish, messages)

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        async with transaction(self.pool, SERVICE) as (conn, _):
            return [dict(row) for row in await conn.fetch(sql)]

    async def counts(self) -> dict[str, int]:
        counted = await self.rows("SELECT outcome, messages FROM intake_counts WHERE way = 'mqtt'")
        return {row["outcome"]: row["messages"] for row in counted}

    async def settled(self, messages: int) -> dict[str, int]:
        """What became of so many messages, when all of them are settled."""

        async def all_of_them() -> dict[str, int] | None:
            found = await self.counts()
            return found if sum(found.values()) >= messages else None

        found = await until(all_of_them)
        assert found is not None
        return found

    @asynccontextmanager
    async def working(self) -> AsyncIterator[None]:
        """The worker at work."""
        stop = asyncio.Event()
        task = asyncio.create_task(mqtt(self.pool, BrokerSettings(url=self.amqp_url), WorkerSettings(), stop))
        try:
            yield
        finally:
            stop.set()
            await task


@pytest.fixture
async def yard(pool: ConnPool, amqp_url: str, session_servers: SessionServers) -> Yard:
    digest = hashed(SECRET, b"salt")
    async with transaction(pool, SERVICE) as (conn, now):
        for code in ("gate", "stalls", "bridge"):
            await put_up(conn, code, 103.805, 36.055, "frigate")
            await conn.execute("INSERT INTO camera_names VALUES ($1, 'name', $1)", code)
        await give_site(conn, "market", ["gate", "stalls"], "", digest, "test", now)
        await give_site(conn, "bridge", ["bridge"], "", digest, "test", now)
        users = mqtt_sites.users(await mqtt_sites.LISTED.all(conn))
    session_servers.make_sites(document(users, amqp_url))
    async with connection(amqp_url, name="test") as opened:
        await declare(await opened.channel())
    return Yard(pool, amqp_url, session_servers)


async def test_what_waits_for_a_worker_is_taken_once_and_a_repeat_is_known_again(
    yard: Yard, sample_data: Path
) -> None:
    folder = sample_data / "camera/frigate"
    samples = [
        ("bridge/events", (folder / "doc_00_frigate_events.json").read_bytes()),
        ("bridge/reviews", (folder / "doc_06_frigate_reviews.json").read_bytes()),
        ("bridge/triggers", (folder / "doc_07_frigate_triggers.json").read_bytes()),
        *(
            ("bridge/tracked_object_update", (folder / f"doc_0{n}_frigate_tracked_object_update.json").read_bytes())
            for n in range(1, 6)
        ),
    ]
    await yard.publish("bridge", *samples)
    await yard.publish("bridge", *samples[:2], ("bridge/events", b"{not json"))
    async with yard.working():
        assert await yard.settled(11) == {"taken": 10, "unread": 1}
    kept = await yard.rows("SELECT kind, phase, sent_by FROM camera_events ORDER BY kind")
    assert [(row["kind"], row["phase"]) for row in kept] == [
        ("car", "update"), ("car_trigger", "pulse"), ("helmet_detector", "pulse"), ("person", "update"),
        ("person_classifier", "pulse"),
    ]  # fmt: skip
    assert {row["sent_by"] for row in kept} == {"mqtt:bridge"}
    counted = await yard.rows("SELECT outcome, sum(events)::integer AS n FROM camera_counts GROUP BY outcome")
    assert {row["outcome"]: row["n"] for row in counted} == {
        "received": 11, "duplicate": 2, "rejected": 3, "quarantined": 1,
    }  # fmt: skip
    apart = await yard.rows("SELECT code, peer, headers, cameras FROM camera_quarantine")
    assert apart == [
        {"code": "not_json", "peer": "mqtt", "headers": {"topic": "bridge/events"}, "cameras": ["bridge"]}
    ]
    assert await yard.rows("SELECT messages FROM mqtt_sites WHERE name = 'bridge' AND heard_at IS NOT NULL") == [
        {"messages": 11}
    ]


async def test_the_broker_lets_no_site_speak_below_another_name_and_none_without_a_password(yard: Yard) -> None:
    with pytest.raises(Dropped):
        await yard.publish("market", ("bridge/events", CAR))
    with pytest.raises(Dropped):
        await asyncio.to_thread(yard.site("market", "frigate").publish, [], listen_to="market/+/detect/set")
    with pytest.raises(Dropped):
        await asyncio.to_thread(yard.site("market").publish, [], listen_to="bridge/#")
    wrong = SiteClient(yard.servers.mqtt_port, yard.site("market").user, "guessed", "market")
    with pytest.raises(Dropped):
        await asyncio.to_thread(wrong.publish, [("market/events", CAR)])
    await asyncio.to_thread(
        yard.site("market").publish, [("market/available", b"online")], listen_to="market/#"
    )
    async with yard.working():
        assert await yard.settled(1) == {"taken": 1}
    assert await yard.rows("SELECT FROM camera_events") == []
    assert await yard.rows("SELECT FROM camera_health") == [], "of a site of two cameras it says nothing of either"


async def test_a_site_speaks_for_its_own_cameras_by_their_names(yard: Yard) -> None:
    stalls = CAR.replace(b"bridge", b"stalls")
    await yard.publish("market", ("market/events", stalls), ("market/events", CAR))
    async with yard.working():
        assert await yard.settled(2) == {"taken": 1, "unread": 1}
    assert await yard.rows("SELECT camera FROM camera_events") == [{"camera": "stalls"}]
    assert await yard.rows("SELECT code FROM camera_quarantine") == [{"code": "unknown_camera"}]


async def test_of_a_site_that_was_revoked_nothing_is_kept_whatever_the_broker_still_lets_in(yard: Yard) -> None:
    async with transaction(yard.pool, SERVICE) as (conn, now):
        await mqtt_sites.REVOKE.run(conn, "bridge", now)
    await yard.publish("bridge", ("bridge/events", CAR))
    async with yard.working():
        assert await yard.settled(1) == {"unknown_site": 1}
    assert await yard.rows("SELECT FROM camera_events UNION ALL SELECT FROM camera_quarantine") == []


async def test_what_fails_for_a_fault_of_ours_is_kept_apart_spoils_nothing_else_and_is_replayed(
    yard: Yard, database: str, owner_database: str
) -> None:
    await _as_owner(owner_database, "ALTER TABLE camera_events ADD CONSTRAINT fault CHECK (camera <> 'gate')")
    said = [("market/events", CAR.replace(b"bridge", name)) for name in (b"gate", b"stalls")]
    await yard.publish("market", *said)
    async with yard.working():
        assert await yard.settled(2) == {"failed": 1, "taken": 1}
    assert await yard.rows("SELECT camera FROM camera_events") == [{"camera": "stalls"}]
    assert await yard.rows("SELECT code FROM camera_quarantine") == [{"code": "failed"}]
    await _as_owner(owner_database, "ALTER TABLE camera_events DROP CONSTRAINT fault")
    settings = read_settings({"GRIDSVC_DATABASE_URL": database})
    assert await quarantine(argparse.Namespace(verb="replay", id=None, all=True), settings) == 0
    assert await yard.rows("SELECT camera FROM camera_events ORDER BY camera") == [
        {"camera": "gate"}, {"camera": "stalls"},
    ]  # fmt: skip


async def _as_owner(url: str, statement: str) -> None:
    owner = await asyncpg.connect(url, timeout=10)
    try:
        await owner.execute(statement)
    finally:
        await owner.close()


async def test_what_the_broker_gave_up_on_waits_in_quarantine_for_a_person(yard: Yard) -> None:
    async with connection(yard.amqp_url, name="test") as opened:
        channel = await opened.channel()
        topic = await channel.get_exchange(DEVICES)
        await topic.publish(aio_pika.Message(CAR), "bridge.events")
        queue = await channel.get_queue(MQTT.name)
        letter = await queue.get(timeout=10)
        await letter.reject(requeue=False)  # as after the last of many workers that died with it
    async with yard.working():
        assert await yard.settled(1) == {"given_up": 1}
    [kept] = await yard.rows("SELECT id, code, headers, cameras FROM camera_quarantine")
    assert (kept["code"], kept["headers"], kept["cameras"]) == ("given_up", {"topic": "bridge/events"}, ["bridge"])
    left = await depths(yard.amqp_url, [MQTT.name, MQTT.dead])
    assert [depth.messages for depth in left.values() if depth] == [0, 0]


async def test_a_site_has_a_plain_name_of_its_own_and_a_camera_at_least(yard: Yard) -> None:
    async def give(name: str, *cameras: str) -> str:
        try:
            async with transaction(yard.pool, SERVICE) as (conn, now):
                await give_site(conn, name, cameras, "", "hash", "test", now)
        except GridError as error:
            return type(error).__name__
        return ""

    assert [await give(name, "gate") for name in ("a/b", "Market", "#", "", "a.b")] == [Refused.__name__] * 5
    assert await give("market", "gate") == Refused.__name__, "it stands already"
    assert await give("north", "nowhere") == await give("north") == Unknown.__name__
    async with transaction(yard.pool, SERVICE) as (conn, now):
        await mqtt_sites.REVOKE.run(conn, "market", now)
    assert await give("market", "gate") == "", "one that was revoked begins anew"
    assert await yard.rows("SELECT camera FROM mqtt_site_cameras WHERE site = 'market'") == [{"camera": "gate"}]
