"""My digests and my quiet hours over HTTP: what waits can be read, each item by itself, and nobody else's."""

from __future__ import annotations

from typing import Any

import pytest

from gridsvc.actions.ring_people import ring_people
from gridsvc.db import transaction
from gridsvc.ids import new_id
from gridsvc.store import digests
from gridsvc.store.notices import Message
from tests.conftest import CityClock
from tests.integration.api.conftest import Api, Client, a
from tests.integration.api.test_notices import listening, me
from tests.integration.stories.test_calendars import at

QUIET = "/api/v1/me/quiet-hours"


async def rungs(api: Api, *people: Client, count: int = 1, severity: str = "normal") -> None:
    """So many rungs for each of `people`, in one batch as the worker keeps them."""
    body = {"severity": severity, "effect": "overdue", "at": "2026-09-15T12:00:00+08:00"}
    told = [
        (
            Message(event_id=new_id(), case_id=None, kind="case.escalated", body={**body, "level": n}),
            {me(who): new_id() for who in people},
        )
        for n in range(count)
    ]
    async with transaction(api.pool) as (conn, now):
        await ring_people(conn, told, now)


async def put(client: Client, body: object) -> Any:
    return await client.ask("PUT", QUIET, json=body)


async def listed(client: Client) -> list[Any]:
    return list((await client.get("/api/v1/me/notices")).body["items"])


async def set_time(api: Api, city_clock: CityClock, text: str) -> None:
    async with transaction(api.pool) as (_, now):
        pass
    await city_clock.forward(at(text) - now)


async def test_a_digest_comes_over_the_socket_as_one_and_is_given_again_when_it_has_grown(api: Api) -> None:
    ann, bo = await api.somebody(a("supervisor")), await api.somebody(a("supervisor"))
    async with listening(api, ann) as socket:
        await rungs(api, ann, count=30)
        first = await socket.next()
        assert (first["kind"], first["count"], first["rings"], len(first["worst"])) == ("digest", 30, True, 5)
        assert first["by_kind"][0] | {"oldest_at": None} == {
            "kind": "case.escalated", "effect": "overdue", "count": 30, "oldest_at": None,
        }  # fmt: skip
        await rungs(api, ann, count=12)
        again = await socket.next()
        assert (again["id"], again["count"], again["rings"]) == (first["id"], 42, False)
        await rungs(api, ann, severity="emergency")
        assert (await socket.next())["kind"] == "case.escalated", "an emergency is told by itself"

    page = (await ann.get(f"/api/v1/notices/{first['id']}/items?limit=30")).body
    rest = (await ann.get(f"/api/v1/notices/{first['id']}/items?limit=30&cursor={page['next']}")).body
    items = page["items"] + rest["items"]
    assert (len(items), rest["next"]) == (42, None)
    assert (await bo.get(f"/api/v1/notices/{first['id']}/items")).code == "unknown"
    assert (await ann.get(f"/api/v1/notices/{items[0]['id']}/items")).code == "unknown", "no digest"

    await ann.post("/api/v1/me/notices/ack", {"seqs": [items[0]["seq"]]})
    read = (await ann.get(f"/api/v1/notices/{first['id']}/items?limit=500")).body["items"]
    assert sum(each["acknowledged_at"] is not None for each in read) == 1
    async with listening(api, ann) as socket:
        assert [(await socket.next())["kind"] for _ in range(2)] == ["digest", "case.escalated"]
        await socket.acknowledge(again["seq"])
    read = (await ann.get(f"/api/v1/notices/{first['id']}/items?limit=500")).body["items"]
    assert all(each["acknowledged_at"] is not None for each in read)


async def test_what_waits_is_listed_and_rings_as_soon_as_quiet_hours_are_taken_back(
    api: Api, city_clock: CityClock
) -> None:
    await set_time(api, city_clock, "2026-09-15 23:30")
    ann = await api.somebody(a("supervisor"))
    assert (await ann.get(QUIET)).body == {"set_by": "city", "hours": [], "on_duty": False, "quiet_until": None}
    said = (await put(ann, {"from": "22:00", "until": "07:00"})).body
    assert said == {
        "set_by": "own", "hours": [{"from": "22:00", "until": "07:00"}], "on_duty": False,
        "quiet_until": "2026-09-15T23:00:00Z",
    }  # fmt: skip
    async with listening(api, ann) as socket:
        await rungs(api, ann, count=2)
        [waiting] = await listed(ann)
        assert (waiting["kind"], waiting["told_at"], waiting["waiting_until"]) == (
            "digest", None, "2026-09-15T23:00:00Z",
        )  # fmt: skip
        inside = (await ann.get(f"/api/v1/notices/{waiting['id']}/items")).body["items"]
        assert [each["told_at"] for each in inside] == [None, None]
        await rungs(api, ann, severity="high")
        assert (await socket.next())["kind"] == "case.escalated", "what is urgent rings; what waits does not"

        assert (await put(ann, {"from": None, "until": None})).body["quiet_until"] is None
        async with transaction(api.pool) as (conn, now):
            assert await digests.release(conn, now, 10) == 1
        digest = await socket.next()
        assert (digest["kind"], digest["count"], digest["rings"]) == ("digest", 2, True)
    assert (await put(ann, {"use": "city"})).body["set_by"] == "city"


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"from": "22:00"}, "from"),
        ({"from": "22:00", "until": "22:00"}, "until"),
        ({"from": "24:00", "until": "07:00"}, "from"),
        ({"from": "22:00", "until": "seven"}, "until"),
        ({"from": "22:00", "until": "07:00", "use": "city"}, "from"),
    ],
)
async def test_half_a_span_and_times_that_no_clock_shows_are_refused(api: Api, body: object, field: str) -> None:
    ann = await api.somebody(a("supervisor"))
    said = await put(ann, body)
    assert (said.status, said.code, said.body["field"]) == (400, "bad_request", field)
