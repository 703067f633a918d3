"""A locked phone is silent: what nobody acknowledges goes on to gateways, once, and at last the desk hears."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import pytest
from aiohttp import web

from events.intake.signature import secret_bytes, sign
from gridsvc.actions.tell_people import tell_people
from gridsvc.commands import channels as command
from gridsvc.db import transaction
from gridsvc.domain.access import scope_keys
from gridsvc.domain.reaching import Reach
from gridsvc.errors import SetupError
from gridsvc.sealing import Sealer
from gridsvc.store import channels, notice_rules, notices
from gridsvc.store.cases import CaseRow
from tests.conftest import CityClock
from tests.integration.api.conftest import SECRET, settings_for
from tests.integration.stories.conftest import Town
from tests.integration.stories.test_move_case import assigned, holder
from workers.reach import reach_round

SEALER: Final = Sealer.of_secrets([SECRET])
SIGNS: Final = "whsec_" + "c2VjcmV0IG9mIHRoZSBnYXRld2F5LCAzMiBieXRlcyE="
PHONE: Final = "13812345678"
LATER: Final = timedelta(seconds=121)


@dataclass
class Gateway:
    """A small gateway: what came, in order; what it answers, by path; and a door that a test may hold shut."""

    url: str = ""
    came: list[tuple[str, dict[str, str], Any, bytes]] = field(default_factory=list)
    answers: dict[str, int] = field(default_factory=dict)
    arrived: asyncio.Event = field(default_factory=asyncio.Event)
    door: asyncio.Event = field(default_factory=asyncio.Event)

    async def take(self, request: web.Request) -> web.Response:
        raw = await request.read()
        self.came.append((request.path, dict(request.headers), json.loads(raw), raw))
        self.arrived.set()
        await self.door.wait()
        return web.Response(status=self.answers.get(request.path, 202))

    def paths(self) -> list[str]:
        return [path for path, _, _, _ in self.came]


@pytest.fixture
async def gateway() -> AsyncIterator[Gateway]:
    made = Gateway()
    made.door.set()
    app = web.Application()
    app.router.add_post("/{channel}", made.take)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    made.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield made
    made.door.set()
    await runner.cleanup()


async def told(town: Town, database: str, gateway: Gateway, tmp_path: Path) -> CaseRow:
    """An officer has a case and a notice of it, an address by SMS and one by WeCom; notices go on after two minutes."""
    (tmp_path / "template.json").write_text('{"to": "{address}", "content": "{text}"}', encoding="utf-8")
    (tmp_path / "headers.json").write_text('{"X-App-Key": "k1"}', encoding="utf-8")
    (tmp_path / "secret").write_text(SIGNS, encoding="utf-8")
    case = await assigned(town)
    [user] = await town.rows("SELECT username FROM users WHERE id = $1", case.officer_id)
    people = "".join(f"{user['username']},{channel},{PHONE}\n" for channel in ("sms", "wecom"))
    (tmp_path / "phones.csv").write_text("username,channel,address\n" + people, encoding="utf-8")
    for place, channel in enumerate(("sms", "wecom"), start=1):
        await run(
            database, "put", channel, f"{gateway.url}/{channel}", "--place", str(place), "--template-file",
            str(tmp_path / "template.json"), "--headers-file", str(tmp_path / "headers.json"), "--secret-file",
            str(tmp_path / "secret"),
        )  # fmt: skip
    with pytest.raises(SetupError, match="--place 1 is that of sms"):  # the second of two would never be tried
        await run(database, "push", "--place", "1")
    await run(database, "addresses", str(tmp_path / "phones.csv"))
    async with transaction(town.pool) as (conn, _):
        rules, quiet = await notice_rules.read(conn)
        reach = Reach(kinds=("case.assigned",), after_s=120)
        await notice_rules.replace(conn, type(rules)(**{**vars(rules), "reach": (reach,)}), quiet)
    await tell(town, case, "case.assigned")
    return case


async def run(database: str, *words: str) -> None:
    parser = argparse.ArgumentParser()
    command.add(parser.add_subparsers())
    assert await command.run(parser.parse_args(["channels", *words]), settings_for(database)) == 0


async def tell(town: Town, case: CaseRow, kind: str) -> None:
    news = [each for each in await town.told(case.id) if kind == each.TYPE]
    async with transaction(town.pool) as (conn, now):
        await tell_people(conn, news, now)


async def test_what_nobody_acknowledges_goes_on_from_channel_to_channel_and_at_last_the_desk_hears(
    town: Town, database: str, gateway: Gateway, tmp_path: Path, city_clock: CityClock
) -> None:
    case = await told(town, database, gateway, tmp_path)
    assert await reach_round(town.pool, SEALER) == 0, "the app has two minutes"
    await city_clock.forward(LATER)
    assert await reach_round(town.pool, SEALER) == 1
    [(path, headers, body, raw)] = gateway.came
    assert (path, body["to"], headers["X-App-Key"]) == ("/sms", PHONE, "k1")
    assert body["content"] == f"网格化平台：您有一条未确认的通知（案卷 {case.number}），请打开应用查看。"
    key = secret_bytes(SIGNS)
    assert key is not None
    assert headers["webhook-id"] == headers["Idempotency-Key"]
    assert headers["webhook-signature"] == sign(key, headers["webhook-id"], int(headers["webhook-timestamp"]), raw)
    await city_clock.forward(LATER)
    await reach_round(town.pool, SEALER)
    assert gateway.paths() == ["/sms", "/wecom"]
    await city_clock.forward(LATER)
    await reach_round(town.pool, SEALER)
    await tell(town, case, "case.not_reached")
    [heard] = await town.rows(
        "SELECT n.user_id, n.body FROM notices n WHERE n.kind = 'case.not_reached' AND n.user_id = $1",
        town.city.dispatcher.user_id,
    )
    assert heard["body"]["user_id"] == str(case.officer_id)
    async with transaction(town.pool) as (conn, now):
        keys = scope_keys(town.city.dispatcher)
        [listed] = await channels.NOT_REACHED.all(conn, keys, now, town.city.dispatcher.user_id, 10)
    assert (listed.case_id, listed.channels) == (case.id, ["sms:sent", "wecom:sent"])
    await city_clock.forward(timedelta(hours=1))
    await reach_round(town.pool, SEALER)
    assert len(gateway.came) == 2, "who was told of it is not pursued himself, and nothing is sent twice"
    kept = await town.rows("SELECT encode(address_sealed, 'escape') AS text, masked FROM channel_addresses")
    assert [row["masked"] for row in kept] == ["138******78"] * 2
    assert not any(PHONE in row["text"] for row in kept)


async def test_what_was_acknowledged_or_is_over_goes_to_nobody(
    town: Town, database: str, gateway: Gateway, tmp_path: Path, city_clock: CityClock
) -> None:
    case = await told(town, database, gateway, tmp_path)
    owner = holder(town, case)
    assert owner.user_id is not None
    await city_clock.forward(LATER)
    async with transaction(town.pool) as (conn, now):
        [waiting] = await notices.waiting(conn, owner.user_id, 0, 10)
        await conn.execute("UPDATE notices SET acknowledged_at = $1 WHERE id = $2", now, waiting.id)
    await reach_round(town.pool, SEALER)
    assert gateway.came == []
    assert await town.rows("SELECT state FROM reachings") == [{"state": "reached"}]


async def test_a_gateway_that_fails_is_tried_four_times_then_the_next_one_and_rests_when_it_is_dead(
    town: Town, database: str, gateway: Gateway, tmp_path: Path, city_clock: CityClock
) -> None:
    gateway.answers["/sms"] = 500
    await told(town, database, gateway, tmp_path)
    await city_clock.forward(LATER)
    for seconds in (5, 15, 45, 1):
        await reach_round(town.pool, SEALER)
        await city_clock.forward(timedelta(seconds=seconds))
    await reach_round(town.pool, SEALER)
    assert gateway.paths() == ["/sms"] * 4 + ["/wecom"]
    assert len({headers["Idempotency-Key"] for _, headers, _, _ in gateway.came[:4]}) == 1
    assert await town.rows("SELECT channel, tries, state, outcome FROM channel_tries ORDER BY channel") == [
        {"channel": "sms", "tries": 4, "state": "failed", "outcome": "500"},
        {"channel": "wecom", "tries": 1, "state": "sent", "outcome": "202"},
    ]
    gateway.answers["/sms"] = 503
    again = await assigned(town)
    async with transaction(town.pool) as (conn, now):
        await conn.execute("UPDATE channels SET rests_until = $1 WHERE code = 'sms'", now + timedelta(hours=1))
        await conn.execute(
            "INSERT INTO channel_addresses SELECT $1, channel, address_sealed, masked, set_at FROM channel_addresses"
            " ON CONFLICT DO NOTHING", again.officer_id,
        )  # fmt: skip
    await tell(town, again, "case.assigned")
    await city_clock.forward(LATER)
    await reach_round(town.pool, SEALER)
    assert gateway.paths().count("/sms") == 4, "one that rests is passed over"


async def test_a_worker_that_dies_between_sending_and_keeping_sends_the_same_try_again_and_no_other(
    town: Town, database: str, gateway: Gateway, tmp_path: Path, city_clock: CityClock
) -> None:
    """kill -9 when the gateway has the message and the database does not know: one row, one key."""
    await told(town, database, gateway, tmp_path)
    await city_clock.forward(LATER)
    gateway.door.clear()
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.integration.reaching_worker", database, SECRET, cwd=Path(__file__).parents[3]
    )
    async with asyncio.timeout(30):  # until the gateway has it
        await gateway.arrived.wait()
    process.kill()
    await process.wait()
    gateway.door.set()
    assert await reach_round(town.pool, SEALER) == 0, "the try belongs to the dead one until its lease ends"
    await city_clock.forward(timedelta(seconds=58))
    await reach_round(town.pool, SEALER)
    await city_clock.forward(timedelta(seconds=3))
    await reach_round(town.pool, SEALER)
    by_sms = [headers["Idempotency-Key"] for path, headers, _, _ in gateway.came if path == "/sms"]
    assert (len(by_sms), len(set(by_sms))) == (2, 1)
    [row] = await town.rows("SELECT id::text, tries, state FROM channel_tries WHERE channel = 'sms'")
    assert row == {"id": by_sms[0], "tries": 2, "state": "sent"}
