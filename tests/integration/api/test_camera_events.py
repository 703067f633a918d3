"""What cameras say over HTTP: acknowledged when it is committed, each event with its outcome, nothing lost unread."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec
import pytest

from gridsvc.api import camera_desk
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from gridsvc.ids import new_id
from gridsvc.store.numbers import NumberBlocks
from tests.integration.api.conftest import CITY, NORTH, SOUTH, Api, Client, Said, a
from tests.integration.stories.camera_town import give_meanings, put_up
from workers.cameras import decide_round, sort_round

STRUCTURED = {"Content-Type": "application/cloudevents+json"}
BATCH = {"Content-Type": "application/cloudevents-batch+json"}

PLACES = {"north": 103.805, "south": 103.815}
TOKEN = "a token of thirty-two characters!"


def event(camera: str = "north", number: int = 1, **data: Any) -> dict[str, Any]:
    return {
        "specversion": "1.0", "id": f"e{number}", "source": f"/analyser/{camera}", "type": "cn.grid.camera",
        "subject": camera, "time": "2026-11-26T08:00:00Z", "data": {"kind": "street_vendor", "phase": "start", **data},
    }  # fmt: skip


@pytest.fixture
async def cameras(api: Api) -> None:
    """A camera in each district, and a token of the northern one."""
    async with transaction(api.pool, SERVICE) as (conn, now):
        for code, lon in PLACES.items():
            await put_up(conn, code, lon, 36.055)
            divisions = [CITY, NORTH if code == "north" else SOUTH]
            await conn.execute("UPDATE cameras SET divisions = $2 WHERE code = $1", code, divisions)
            await give_meanings(conn, code, {"street_vendor": ("0201", "automatic"), "crowd": ("0201", "review")})
        token = new_id()
        await conn.execute(
            "INSERT INTO camera_tokens (id, secret_hash, protocol, created_at, created_by)"
            " VALUES ($1, $2, 'cloudevents', $3, 'test')",
            token, hashlib.sha256(TOKEN.encode()).digest(), now,
        )  # fmt: skip
        await conn.execute("INSERT INTO camera_token_cameras VALUES ($1, 'north')", token)
        await conn.execute("UPDATE camera_rules SET wait_s = 0")


async def post(client: Client, body: object, headers: dict[str, str], path: str = "/api/v1/camera-events") -> Said:
    data = body if isinstance(body, bytes) else msgspec.json.encode(body)
    return await client.ask("POST", path, data=data, headers=headers)


async def work(api: Api) -> None:
    await sort_round(api.pool, 1_000)
    await decide_round(api.pool, NumberBlocks(api.pool), 1_000)


async def rows(api: Api, sql: str) -> list[dict[str, Any]]:
    async with transaction(api.pool, SERVICE) as (conn, _):
        return [dict(row) for row in await conn.fetch(sql)]


async def test_structured_binary_and_batch_are_taken_in_and_answered_item_by_item(api: Api, cameras: None) -> None:
    program = await api.program("camera-events:write")
    one = await post(program, event(), STRUCTURED)
    assert (one.status, [item["outcome"] for item in one.body["items"]]) == (202, ["accepted"])
    [kept] = await rows(api, "SELECT * FROM camera_events")
    assert kept["id"] == UUID(one.body["items"][0]["id"])
    assert (kept["camera"], kept["kind"], kept["phase"]) == ("north", "street_vendor", "start")
    assert msgspec.json.decode(kept["raw"]) == event()

    said = event(number=2)
    headers = {f"ce-{name}": value for name, value in said.items() if name != "data"}
    binary = await post(program, said["data"], {**headers, "Content-Type": "application/json"})
    assert [item["outcome"] for item in binary.body["items"]] == ["accepted"]

    batch = [event(), event(number=3), event("south"), {"specversion": "0.3"}, event("nobody"), event(number=3)]
    several = await post(program, batch, BATCH)
    assert several.status == 202
    assert [(item["outcome"], item["reason"]) for item in several.body["items"]] == [
        ("duplicate", None), ("accepted", None), ("rejected", "unknown_camera"), ("rejected", "wrong_version"),
        ("rejected", "unknown_camera"), ("duplicate", None),
    ]  # fmt: skip
    await work(api)
    counted = await rows(api, "SELECT camera, outcome, sum(events)::integer AS n FROM camera_counts GROUP BY 1, 2")
    assert {(row["camera"], row["outcome"]): row["n"] for row in counted} == {
        ("", "received"): 3, ("", "rejected"): 3, ("north", "received"): 5, ("north", "duplicate"): 2,
    }  # fmt: skip


async def test_a_case_shows_what_cameras_saw_and_only_to_whom_it_is_shown(api: Api, cameras: None) -> None:
    program = await api.program("camera-events:write")
    await post(program, [event(), event(number=2)], BATCH)
    await work(api)
    [case] = await rows(api, "SELECT id, source FROM cases")
    assert case["source"] == "camera"
    dispatcher, foreigner = await api.somebody(a(Role.DISPATCHER)), await api.somebody(a(Role.DISPATCHER, SOUTH))
    seen = await dispatcher.get(f"/api/v1/cases/{case['id']}/camera-events?limit=1")
    assert [item["outcome"] for item in seen.body["items"]] == ["opened"]
    rest = await dispatcher.get(f"/api/v1/cases/{case['id']}/camera-events?cursor={seen.body['next']}")
    assert [item["outcome"] for item in rest.body["items"]] == ["joined"]
    assert (await foreigner.get(f"/api/v1/cases/{case['id']}/camera-events")).status == 404


async def test_what_cannot_be_read_is_refused_by_its_code(api: Api, cameras: None) -> None:
    program = await api.program("camera-events:write")
    broken = await post(program, b"\x00\xff{", STRUCTURED)
    assert (broken.status, broken.code, broken.body["reason"]) == (422, "camera_message_refused", "wrong_encoding")
    assert (await post(program, event(), {"Content-Type": "text/plain"})).status == 415
    other = await api.program("reports:write")
    assert (await post(other, event(), STRUCTURED)).status == 403
    officer = await api.somebody(a(Role.OFFICER))
    assert (await post(officer, event(), STRUCTURED)).status == 403


async def test_a_token_speaks_for_its_camera_and_what_cannot_be_read_waits_in_quarantine(
    api: Api, cameras: None
) -> None:
    path = f"/intake/cloudevents/{TOKEN}"
    said = await post(api.nobody, event("whatever it calls itself"), STRUCTURED, path)
    assert (said.status, [item["outcome"] for item in said.body["items"]]) == (200, ["accepted"])
    [kept] = await rows(api, "SELECT camera, sent_by FROM camera_events")
    assert kept["camera"] == "north"
    assert kept["sent_by"].startswith("token:")

    broken = await post(api.nobody, b"<not json/>", {**STRUCTURED, "X-API-Key": "gsk_secret"}, path)
    assert (broken.status, broken.code) == (422, "camera_message_refused")
    [quarantined] = await rows(api, "SELECT * FROM camera_quarantine")
    assert quarantined["body"] == b"<not json/>"
    assert (quarantined["protocol"], quarantined["code"], quarantined["cameras"]) == (
        "cloudevents", "not_json", ["north"],
    )  # fmt: skip
    assert "gsk_secret" not in str(quarantined["headers"])
    assert TOKEN not in str(dict(quarantined))

    for wrong in (f"/intake/hikvision/{TOKEN}", "/intake/cloudevents/guessed"):
        assert (await post(api.nobody, event(), STRUCTURED, wrong)).status == 404
    assert len(await rows(api, "SELECT FROM camera_events")) == 1


async def test_many_at_once_share_commits_and_each_gets_its_own_answer(api: Api, cameras: None) -> None:
    program = await api.program("camera-events:write", division=CITY)
    said = await asyncio.gather(
        *(post(program, event("north" if n % 2 else "south", n), STRUCTURED) for n in range(60))
    )
    ids = {item["id"] for each in said for item in each.body["items"]}
    assert len(ids) == 60
    moments = await rows(api, "SELECT DISTINCT received_at FROM camera_events")
    assert len(moments) < 60, "what arrived together was kept together"


async def test_beyond_what_may_wait_a_sender_is_told_to_come_again(
    api: Api, cameras: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(camera_desk, "MOST_WAITING", 3)
    program = await api.program("camera-events:write")
    said = await post(program, [event(number=n) for n in range(4)], BATCH)
    assert (said.status, said.code, said.headers["Retry-After"]) == (429, "too_many_tries", "1")
    monkeypatch.setattr(camera_desk, "MOST_PICTURE_BYTES", 100)
    large = event(snapshots=[{"data": base64.b64encode(b"\xff\xd8\xff" + bytes(100)).decode()}])
    said = await post(program, large, STRUCTURED)
    assert (said.status, said.code) == (429, "too_many_tries"), "bytes of pictures count by themselves"
    assert await rows(api, "SELECT FROM camera_events") == []


# -- silences, reviews, mutes --------------------------------------------------------------------------


async def test_a_silence_holds_what_matches_until_it_is_ended(api: Api, cameras: None) -> None:
    program, dispatcher = await api.program("camera-events:write"), await api.somebody(a(Role.DISPATCHER))
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    asked = {"matchers": {"camera": ["north"], "category": ["0201"]}, "reason": "庙会 market day", "until": until}
    made = await dispatcher.post("/api/v1/camera-silences", asked)
    assert made.status == 201, made.body
    await post(program, event(), STRUCTURED)
    await work(api)
    assert await rows(api, "SELECT outcome, outcome_reason FROM camera_events") == [
        {"outcome": "suppressed", "outcome_reason": "silenced"}
    ]
    path = f"/api/v1/camera-silences/{made.body['id']}/expire"
    assert (await dispatcher.post(path)).body["expired_by"].startswith("user:")
    assert (await dispatcher.post(path)).code == "wrong_moment"
    await post(program, event(number=2), STRUCTURED)
    await work(api)
    assert len(await rows(api, "SELECT FROM cases")) == 1
    listed = await dispatcher.get("/api/v1/camera-silences?active=false")
    assert [item["id"] for item in listed.body["items"]] == [made.body["id"]]
    wrongs: list[dict[str, Any]] = [
        {"matchers": {"colour": ["red"]}}, {"matchers": {}}, {"until": "2020-01-01T00:00:00Z"}
    ]  # fmt: skip
    for wrong in wrongs:
        assert (await dispatcher.post("/api/v1/camera-silences", asked | wrong)).status == 400


async def test_what_a_person_finds_real_goes_the_way_of_all_and_what_is_false_mutes_the_camera(
    api: Api, cameras: None
) -> None:
    program, acceptor = await api.program("camera-events:write"), await api.somebody(a(Role.ACCEPTOR))
    admin, foreigner = await api.somebody(a(Role.ADMIN)), await api.somebody(a(Role.ACCEPTOR, SOUTH))
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE camera_rules SET mute_after = 3, mute_below = 0.5")
    # Two that no label map knows, of which one is real; two crowds that are none.
    await post(program, [event(kind="strange"), event(kind="strange", number=2)], BATCH)
    await work(api)
    [waiting] = (await acceptor.get("/api/v1/camera-reviews")).body["items"]
    assert (waiting["why"], waiting["events"], waiting["category"]) == ("unmapped", 2, None)
    assert (await foreigner.get("/api/v1/camera-reviews")).body["items"] == []
    path = f"/api/v1/camera-reviews/{waiting['id']}/verdict"
    assert (await foreigner.post(path, {"verdict": "false"})).status == 404
    assert (await acceptor.post(path, {"verdict": "real"})).body["field"] == "category"
    judged = await acceptor.post(path, {"verdict": "real", "category": "0201"})
    assert (judged.status, judged.body["precision"]) == (200, 1.0)
    assert (await acceptor.post(path, {"verdict": "false"})).code == "wrong_moment"
    await work(api)
    assert sorted(row["outcome"] for row in await rows(api, "SELECT outcome FROM camera_events")) == [
        "joined", "opened",
    ]  # fmt: skip

    for n in range(3):
        await post(program, event(kind="crowd", number=10 + n), STRUCTURED)
        await work(api)
        [waiting] = (await acceptor.get("/api/v1/camera-reviews")).body["items"]
        judged = await acceptor.post(f"/api/v1/camera-reviews/{waiting['id']}/verdict", {"verdict": "false"})
    assert (judged.body["seen_false"], judged.body["precision"]) == (3, 0.0)
    [mute] = (await acceptor.get("/api/v1/camera-mutes")).body["items"]
    assert (mute["camera"], mute["kind"]) == ("north", "crowd")
    assert (await foreigner.get("/api/v1/camera-mutes")).body["items"] == []
    told = await rows(api, "SELECT user_id, body FROM notices WHERE kind = 'camera.muted'")
    assert [(row["user_id"], row["body"]["camera"]) for row in told] == [(admin.user_id, "north")]
    await post(program, event(kind="crowd", number=20), STRUCTURED)
    await work(api)
    last = await rows(api, "SELECT outcome_reason FROM camera_events ORDER BY received_at DESC LIMIT 1")
    assert last == [{"outcome_reason": "muted"}]
    lifted = await admin.post(f"/api/v1/camera-mutes/{mute['id']}/lift")
    assert lifted.body["lifted_by"] == f"user:{admin.user_id}"
    assert (await acceptor.get("/api/v1/camera-mutes")).body["items"] == []
    await post(program, event(kind="crowd", number=21), STRUCTURED)
    await work(api)
    assert len((await acceptor.get("/api/v1/camera-reviews")).body["items"]) == 1
