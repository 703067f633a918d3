"""Signed camera events: an independent sender signs, the city judges; each way of being wrong has its code."""

from __future__ import annotations

import asyncio
import os
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import msgspec
import pytest
from standardwebhooks.webhooks import Webhook

from gridsvc.actions.give_secret import give_secret
from gridsvc.api.signatures import SEALER
from gridsvc.api.tokens import ApiKey
from gridsvc.db import SERVICE, city_now, transaction
from gridsvc.errors import Refused
from gridsvc.ids import new_id
from gridsvc.store import api_keys, signing_secrets
from tests.conftest import CityClock
from tests.house.source import document
from tests.integration.api.conftest import NORTH, Api, Said, running, settings_for
from tests.integration.stories.camera_town import put_up

EVENTS = "/api/v1/camera-events"
ONE = "application/cloudevents+json"


def event(number: int = 1, camera: str = "north", **more: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"e{number}", "source": "/analyser", "type": "cn.grid.camera.fire.new",
        "subject": camera, **more,
    }  # fmt: skip


@dataclass
class Sender:
    """A program that signs with the library of Standard Webhooks, by the city's clock."""

    api: Api
    key: ApiKey
    secret: str
    now: datetime
    headers: dict[str, str] = field(default_factory=dict)

    def signed(self, body: bytes, name: str, *, late_s: float = 0, secret: str = "") -> dict[str, str]:
        moment = self.now - timedelta(seconds=late_s)
        signature = Webhook(secret or self.secret).sign(name, moment, body.decode())
        return {
            "Content-Type": ONE, "webhook-id": name, "webhook-timestamp": str(int(moment.timestamp())),
            "webhook-signature": signature,
        }  # fmt: skip

    async def post(self, said: object, name: str = "msg_1", *, path: str = "", **how: Any) -> Said:
        body = said if isinstance(said, bytes) else msgspec.json.encode(said)
        headers = {**self.signed(body, name, **how), **self.headers}
        return await self.api.nobody.ask("POST", path or f"{EVENTS}/{self.key.id}", data=body, headers=headers)


@pytest.fixture
async def sender(api: Api) -> Sender:
    """A key with one secret, and a camera in its area; it posts without the key, and names itself in the path."""
    key = ApiKey.new(new_id())
    async with transaction(api.pool, SERVICE) as (conn, now):
        await put_up(conn, "north", 103.805, 36.055)
        scopes = ["camera-events:write"]
        await api_keys.ADD.run(conn, key.id, "analyser", key.digest, scopes, NORTH, None, None, now, None)
        _, secret = await give_secret(conn, key.id, api.app[SEALER], "test", now)
    return Sender(api, key, secret, now.replace(microsecond=0, tzinfo=UTC))


async def kept(api: Api) -> list[dict[str, Any]]:
    async with transaction(api.pool, SERVICE) as (conn, _):
        return [dict(row) for row in await conn.fetch("SELECT key, sent_by FROM camera_events")]


async def test_what_an_independent_library_signs_is_taken_and_is_its_keys(api: Api, sender: Sender) -> None:
    said = await sender.post(event())
    assert (said.status, said.body["items"][0]["outcome"]) == (202, "accepted")
    [row] = await kept(api)
    assert row["sent_by"] == f"key:{sender.key.id}"
    async with transaction(api.pool, SERVICE) as (conn, _):
        sealed = await conn.fetchval("SELECT sealed FROM signing_secrets")
    assert sender.secret.startswith("whsec_")
    assert Webhook(sender.secret)._whsecret not in sealed, "a copy of the database opens nothing"


async def test_each_way_of_being_wrong_has_its_code_and_keeps_nothing(api: Api, sender: Sender) -> None:
    body = msgspec.json.encode(event())
    good = sender.signed(body, "msg_1")

    async def code(headers: dict[str, str], path: str = "", said: bytes = body) -> str:
        answer = await api.nobody.ask("POST", path or f"{EVENTS}/{sender.key.id}", data=said, headers=headers)
        assert answer.status == 401, answer
        return answer.code

    assert await code({"Content-Type": ONE}) == "signature_missing"
    for name in ("webhook-id", "webhook-timestamp", "webhook-signature"):
        assert await code({each: value for each, value in good.items() if each != name}) == "signature_missing"
    assert await code({**good, "webhook-timestamp": "soon"}) == "signature_malformed"
    assert await code({**good, "webhook-signature": "v2,AAAA"}) == "signature_malformed"
    assert await code(sender.signed(body, "msg_1", late_s=330)) == "signature_too_old"
    assert await code(sender.signed(body, "msg_1", late_s=-330)) == "signature_too_new"
    other = "whsec_" + "A" * 43 + "="
    assert await code(sender.signed(body, "msg_1", secret=other)) == "signature_wrong"
    assert await code(good, said=body.replace(b"fire", b"calm")) == "signature_wrong"
    assert await code({**good, "webhook-id": "msg_2"}) == "signature_wrong"
    assert await code(good, path=f"{EVENTS}/{new_id()}") == "signature_wrong"
    assert await code(good, path=f"{EVENTS}/somebody") == "signature_wrong"
    assert await kept(api) == []
    for late_s in (270, -270):
        assert (await sender.post(event(), f"msg_{late_s}", late_s=late_s)).status == 202


async def test_a_signature_covers_the_body_alone_so_attributes_in_headers_are_refused(
    api: Api, sender: Sender
) -> None:
    attributes = {f"ce-{name}": str(value) for name, value in event().items()}
    sender.headers = {**attributes, "Content-Type": "application/json"}
    said = await sender.post({"kind": "fire"})
    assert (said.status, said.code) == (401, "signature_too_narrow")


async def test_the_same_id_again_is_a_duplicate_and_another_message_by_it_is_refused(
    api: Api, sender: Sender
) -> None:
    """Whatever the rules say of repeats: the row that would tell the event itself again is taken away."""
    first = await sender.post(event())
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE camera_events SET digest = gen_random_uuid()")
    copied = await sender.post(event())
    retried = await sender.post(event(), late_s=60)
    assert [each.body["items"][0]["outcome"] for each in (first, copied, retried)] == [
        "accepted", "duplicate", "duplicate",
    ]  # fmt: skip
    assert copied.body["items"][0]["reason"] == "webhook_id"
    other = await sender.post(event(2))
    assert (other.status, other.code) == (409, "idempotency_key_reused")
    assert len(await kept(api)) == 1
    async with transaction(api.pool, SERVICE) as (conn, _):
        counted = await conn.fetch("SELECT outcome, sum(events)::int FROM camera_counts GROUP BY 1 ORDER BY 1")
    assert [tuple(row) for row in counted] == [("duplicate", 2), ("received", 3)]


async def test_what_was_refused_in_part_may_come_again_by_the_same_id(
    api: Api, sender: Sender, database: str
) -> None:
    sender.headers = {"Content-Type": "application/cloudevents-batch+json"}
    batch = [event(1), event(2, "south")]
    before = await sender.post(batch)
    assert [item["outcome"] for item in before.body["items"]] == ["accepted", "rejected"]
    async with transaction(api.pool, SERVICE) as (conn, _):
        await put_up(conn, "south", 103.806, 36.055)
    async with running(settings_for(database)) as (_, url):  # a process that has not looked for the camera yet
        again = await replace(sender, api=Api(api.app, api.http, url, api.pool)).post(batch)
    assert [item["outcome"] for item in again.body["items"]] == ["duplicate", "accepted"]


async def test_a_key_may_be_told_that_it_must_sign_and_what_is_signed_is_judged_anyway(
    api: Api, sender: Sender
) -> None:
    by_key = {"X-API-Key": sender.key.text, "Content-Type": ONE}
    body = msgspec.json.encode(event())
    assert (await api.nobody.ask("POST", EVENTS, data=body, headers=by_key)).status == 202
    sender.headers = {"X-API-Key": sender.key.text}
    assert (await sender.post(event(2), "msg_2", path=EVENTS)).status == 202
    wrong = await sender.post(event(3), "msg_3", path=EVENTS, secret="whsec_" + "A" * 43 + "=")
    assert (wrong.status, wrong.code) == (401, "signature_wrong"), "no signature is passed over"

    strict = ApiKey.new(new_id())
    async with transaction(api.pool, SERVICE) as (conn, now):
        scopes = ["camera-events:write"]
        await api_keys.ADD.run(conn, strict.id, "strict", strict.digest, scopes, NORTH, None, None, now, None)
        _, secret = await give_secret(conn, strict.id, api.app[SEALER], "test", now)
        await api_keys.REQUIRE_SIGNATURES.run(conn, strict.id, True)
    unsigned = await api.nobody.ask("POST", EVENTS, data=body, headers={**by_key, "X-API-Key": strict.text})
    assert (unsigned.status, unsigned.code) == (401, "signature_missing")
    sender.headers = {"X-API-Key": strict.text}
    assert (await sender.post(event(4), "msg_4", path=EVENTS, secret=secret)).status == 202


async def test_two_secrets_hold_while_one_replaces_the_other_and_a_revoked_one_never(
    api: Api, sender: Sender
) -> None:
    async with transaction(api.pool, SERVICE) as (conn, now):
        [first] = await signing_secrets.IN_FORCE.all(conn, sender.key.id, now)
        _, newer = await give_secret(
            conn, sender.key.id, api.app[SEALER], "test", now, grace=timedelta(hours=24)
        )  # fmt: skip
        with pytest.raises(Refused, match="2 secrets"):
            await give_secret(conn, sender.key.id, api.app[SEALER], "test", now)
        assert len(await signing_secrets.IN_FORCE.all(conn, sender.key.id, now + timedelta(hours=23))) == 2
        assert len(await signing_secrets.IN_FORCE.all(conn, sender.key.id, now + timedelta(hours=24))) == 1
    assert (await sender.post(event(1), "msg_1")).status == 202
    assert (await sender.post(event(2), "msg_2", secret=newer)).status == 202
    async with transaction(api.pool, SERVICE) as (conn, now):
        await signing_secrets.REVOKE.run(conn, first.id, now)
    assert (await sender.post(event(3), "msg_3")).code == "signature_wrong"
    assert (await sender.post(event(4), "msg_4", secret=newer)).status == 202
    async with transaction(api.pool, SERVICE) as (conn, now):
        await api_keys.REVOKE.run(conn, sender.key.id, await city_now(conn))
    assert (await sender.post(event(5), "msg_5", secret=newer)).code == "signature_wrong"


async def test_a_key_without_the_scope_is_not_let_in_by_its_signature(api: Api, sender: Sender) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE api_keys SET scopes = '{reports:write}' WHERE id = $1", sender.key.id)
    assert (await sender.post(event())).status == 403


async def test_the_curl_of_the_page_is_a_sender(api: Api, sender: Sender) -> None:
    """Run as it stands, by a shell, but that what `curl` would send is sent by the test."""
    blocks = re.findall(r"```sh\n(.*?)```", document("cameras/cloudevents.md"), re.DOTALL)
    [block] = [each for each in blocks if "openssl" in each]
    script = 'curl() { printf "%s\\0" "$@"; }\n' + block
    shell = await asyncio.create_subprocess_exec(
        "sh", "-euc", script, stdout=asyncio.subprocess.PIPE,
        env={"PATH": os.environ["PATH"], "SENDER": str(sender.key.id), "SECRET": sender.secret},
    )  # fmt: skip
    told, _ = await shell.communicate()
    assert shell.returncode == 0
    words = told.decode().split("\0")
    headers = dict(each.split(": ", 1) for flag, each in pairwise(words) if flag == "-H")
    path = next(each for each in words if each.startswith("https://")).removeprefix("https://grid.example")
    body = words[words.index("-d") + 1].encode()
    async with transaction(api.pool, SERVICE) as (conn, _):
        await put_up(conn, "62010200001320000001", 103.805, 36.055)
    said = await api.nobody.ask("POST", path, data=body, headers=headers)
    assert (said.status, said.body["items"][0]["outcome"]) == (202, "accepted")


async def test_the_window_is_the_citys_clocks(api: Api, sender: Sender, city_clock: CityClock) -> None:
    """Ten minutes on by the city's time the same request is too old, whatever the process's clock says."""
    assert (await sender.post(event())).status == 202
    await city_clock.forward(timedelta(minutes=10))
    late = await sender.post(event())
    assert late.code == "signature_too_old"
    assert 599 <= late.body["age_s"] <= 660
    await city_clock.forward(timedelta(minutes=-20))
    assert (await sender.post(event())).code == "signature_too_new"
