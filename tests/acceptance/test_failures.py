"""Every part is killed while reports come in, one after the other in one city: nothing is lost, nothing done twice.

`kill -9` does not show what a power cut does: what the kernel holds survives it.
"""

from __future__ import annotations

import asyncio
import json
import shutil
from datetime import timedelta
from pathlib import Path

import pytest

from events.broker import Letter, open_publisher
from events.broker_users import hashed
from gridsvc.actions.give_site import give_site
from gridsvc.actions.give_token import give_token
from gridsvc.db import SERVICE, transaction
from gridsvc.ids import new_id
from tests.acceptance.running_city import WEBS, WORKERS, RunningCity
from tests.integration.patiently import until
from tests.integration.stories.camera_town import put_up
from tests.mqtt_client import SiteClient


async def test_three_sweepers_that_wake_to_hours_of_lateness_fire_each_rung_once(city: RunningCity) -> None:
    await city.do(city.stage.hold_down, "sweep")
    await city.under_load(lambda: ready(city), reports=50)
    await city.later(timedelta(hours=3))
    for name in ("sweep2", "sweep3"):
        await asyncio.to_thread(city.stage.run, name, "worker", "sweep")
    await city.do(city.stage.release, "sweep")
    await city.do(city.stage.await_up, "sweep2", "sweep3")
    await city.settle()
    await city.check()
    async with transaction(city.pool, SERVICE) as (conn, _):
        fired = await conn.fetchval("SELECT count(*) FROM escalations WHERE fired_at - scheduled_at > '1 hour'")
        unordered = await conn.fetchval(
            """
            SELECT count(*)
              FROM escalations a JOIN escalations b ON b.clock_id = a.clock_id AND b.level = a.level + 1
             WHERE b.fired_at < a.fired_at OR b.scheduled_at < a.scheduled_at
            """
        )
    assert fired > 0
    assert unordered == 0


@pytest.mark.parametrize("part", [*WEBS, *WORKERS, "rabbitmq", "postgres"])
async def test_a_part_that_is_killed_costs_nobody_a_report(city: RunningCity, part: str) -> None:
    await city.under_load(lambda: city.do(city.stage.kill, part))
    await city.do(city.stage.await_up, part)
    await city.settle()
    await city.check()


async def test_when_everything_dies_in_the_same_instant_all_of_it_comes_back(city: RunningCity) -> None:
    everything = [*WEBS, *WORKERS, "rabbitmq", "postgres"]
    await city.under_load(lambda: asyncio.gather(*(city.do(city.stage.kill, part) for part in everything)))
    await city.do(city.stage.await_up, *everything)
    await city.settle()
    await city.check()


async def test_while_the_broker_is_down_reports_are_taken_and_go_out_when_it_is_back(city: RunningCity) -> None:
    await city.do(city.stage.hold_down, "rabbitmq")
    told = await city.under_load(lambda: ready(city), reports=60)
    assert await letters_waiting(city) >= len(told)
    await city.do(city.stage.release, "rabbitmq")
    await city.settle()
    await city.check()


async def test_a_broker_that_lost_its_disk_loses_no_case(city: RunningCity) -> None:
    await city.do(city.stage.hold_down, "listen", "notices")
    told = await city.under_load(lambda: ready(city), reports=60)

    async def all_handed_to_the_broker() -> bool:
        return await letters_waiting(city) == 0

    await until(all_handed_to_the_broker, seconds=30, what="the relay to hand everything to the broker")
    assert await waiting_for_an_owner(city) > 0, "nobody listens, so these are in the broker alone"
    await city.do(city.stage.hold_down, "rabbitmq")
    shutil.rmtree(city.stage.broker_data)
    await city.do(city.stage.release, "rabbitmq", "listen", "notices")
    await city.settle()
    await city.check()
    assert await waiting_for_an_owner(city) == 0
    assert len(told) == 60


async def test_a_message_that_nobody_can_read_stops_none_of_the_others(city: RunningCity) -> None:
    poison = Letter(new_id(), "case.filed", '{"specversion": "1.0", "type": "case.filed", "data": {}')

    async def publish_it() -> None:
        async with open_publisher(city.stage.amqp_url) as publisher:
            outcome = await publisher.send([poison])
        assert outcome.confirmed == (poison,)

    await city.under_load(publish_it, reports=60)
    await city.settle()
    await city.check()
    async with transaction(city.pool, SERVICE) as (conn, _):
        dead = await conn.fetch("SELECT queue, body FROM failures WHERE next_attempt_at IS NULL")
    assert [(row["queue"], row["body"]) for row in dead] == [("routing", poison.body)], "kept once, for a person to see"


async def test_what_a_site_published_survives_broker_and_worker_and_over_http_it_is_the_same(
    city: RunningCity, sample_data: Path
) -> None:
    digest = hashed("not a secret", b"salt")
    async with transaction(city.pool, SERVICE) as (conn, now):
        await put_up(conn, "front-door", 103.805, 36.055, "frigate")
        await give_site(conn, "yard", ["front-door"], "", digest, "test", now)
        _, token = await give_token(conn, ["front-door"], "frigate", "", "test", now)
        await conn.execute("UPDATE camera_rules SET burst = 1000")
    await asyncio.to_thread(city.stage.tell_broker, [("yard", digest)])
    yard = SiteClient(city.stage.mqtt_port, "yard", "not a secret", "yard")
    seen = json.loads((sample_data / "camera/frigate/events_front_door.json").read_text(encoding="utf-8"))
    said = [
        ("yard/events", json.dumps({"type": kind, "before": each, "after": each}).encode())
        for each in seen for kind in ("new", "end")
    ]  # fmt: skip
    first, second = said[: len(said) // 2], said[len(said) // 2 :]
    await city.do(city.stage.hold_down, "mqtt")
    await asyncio.to_thread(yard.publish_in_the_end, first)
    await city.do(city.stage.kill, "rabbitmq")
    await asyncio.to_thread(yard.publish_in_the_end, [*second, *first[:5]])
    await city.do(city.stage.release, "mqtt")
    await city.do(city.stage.kill, "mqtt")
    await city.settle()

    async def in_rows() -> int:
        async with transaction(city.pool, SERVICE) as (conn, _):
            return int(await conn.fetchval("SELECT count(*) FROM camera_events WHERE camera = 'front-door'"))

    async def all_are_in() -> bool:
        return await in_rows() == len(said)

    assert len({body for _, body in said}) == len(said)
    await until(all_are_in, what="every message that the broker has taken to be a row")
    for _, body in said[:10]:
        answer = await city.client.call("POST", f"/intake/frigate/{token}", body=json.loads(body))
        assert answer.body["items"][0]["outcome"] == "duplicate", answer.body
    assert await in_rows() == len(said)
    await city.check()


async def test_everything_is_restarted_in_turn_and_nobody_notices(city: RunningCity) -> None:
    async def rolling() -> None:
        await city.do(city.stage.restart, *WEBS, *WORKERS)

    await city.under_load(rolling, reports=200)
    await city.settle()
    await city.check()


async def ready(city: RunningCity) -> None:
    """The service says that it can serve: reports need neither broker nor workers."""
    answer = await city.client.call("GET", "/readyz")
    assert (answer.status, answer.body["ready"]) == (200, True)


async def letters_waiting(city: RunningCity) -> int:
    async with transaction(city.pool, SERVICE) as (conn, _):
        return int(await conn.fetchval("SELECT count(*) FROM outbox"))


async def waiting_for_an_owner(city: RunningCity) -> int:
    async with transaction(city.pool, SERVICE) as (conn, _):
        return int(await conn.fetchval("SELECT count(*) FROM cases WHERE pool = 'routing'"))
