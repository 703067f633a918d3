"""A phone subscribes for its own session, with the city's key, and at a push service that may be one."""

from __future__ import annotations

from typing import Any

from gridsvc.db import transaction
from gridsvc.sealing import Sealer
from gridsvc.store import pushes
from gridsvc.webpush import fresh_key, private_key, public_bytes, read, written
from tests.integration.api.conftest import SECRET
from tests.integration.api.test_reports import Desk, desk

__all__ = ["desk"]  # the fixture

KEY, SUBSCRIPTIONS = "/api/v1/me/push-key", "/api/v1/me/push-subscriptions"


def said(endpoint: str = "https://push.example.net/send/abc", **keys: str) -> dict[str, Any]:
    point = written(public_bytes(private_key(fresh_key())))
    return {"endpoint": endpoint, "keys": {"p256dh": point, "auth": written(bytes(16)), **keys}}


async def test_a_phone_is_subscribed_until_it_says_otherwise_and_by_one_person_at_a_time(desk: Desk) -> None:
    me, other, sealer = desk.officer, desk.dispatcher, Sealer.of_secrets([SECRET])
    assert (await me.get(KEY)).body == {"key": None, "subscribed": False}, "the city has not turned it on"
    assert (await me.post(SUBSCRIPTIONS, said())).status == 404
    async with transaction(desk.api.pool) as (conn, _):
        await pushes.TURN_ON.run(conn, 1, sealer.seal(fresh_key(), pushes.PURPOSE_OF_KEY))
    told = (await me.get(KEY)).body
    assert (len(read(told["key"]) or b""), told["subscribed"]) == (65, False)
    mine = said()
    for _ in range(2):
        assert (await me.post(SUBSCRIPTIONS, mine)).body == {"subscribed": True}
    assert (await me.get(KEY)).body["subscribed"]
    [channel] = (await me.get("/api/v1/me/channels")).body["items"]
    assert (channel["code"], "push.example.net" in str(channel)) == ("push", False)
    async with transaction(desk.api.pool) as (conn, _):
        kept = await conn.fetch("SELECT encode(sealed, 'escape') AS text FROM push_subscriptions")
    assert len(kept) == 1
    assert "push.example.net" not in kept[0]["text"]
    assert (await other.post(SUBSCRIPTIONS, mine)).status == 200
    assert [(await each.get(KEY)).body["subscribed"] for each in (me, other)] == [False, True]
    assert (await other.ask("DELETE", SUBSCRIPTIONS)).body == {"subscribed": False}
    assert not (await other.get(KEY)).body["subscribed"]


async def test_what_is_no_push_service_or_no_key_is_refused_with_the_field(desk: Desk) -> None:
    for field, wrong in (
        ("endpoint", said("http://push.example.net/x")),
        ("endpoint", said("https://127.0.0.1/x")),
        ("endpoint", said("https://169.254.169.254/latest")),
        ("endpoint", said("https://push.example.net:8443/x")),
        ("keys", said(auth=written(bytes(15)))),
        ("keys", said(p256dh="!")),
        ("keys", said(p256dh=written(bytes(65)))),
    ):
        answer = await desk.officer.post(SUBSCRIPTIONS, wrong)
        assert (answer.status, answer.code, answer.body["field"]) == (400, "bad_request", field), wrong
