"""What real devices send goes in over HTTP and ends where docs/cameras says; each is answered as it wants."""

from __future__ import annotations

import hashlib
import io
import re
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from events.intake.camera_event import NOT_EVEN_RAW
from gridsvc.api.camera_protocols import PROTOCOLS
from gridsvc.db import SERVICE, transaction
from gridsvc.ids import new_id
from tests.house.source import document
from tests.integration.api.conftest import Api, Said
from tests.integration.stories.camera_town import give_meanings, put_up
from tests.unit.events.intake.ends import attributes, cases
from workers.cameras import sort_round
from workers.registry import watch_round

TYPES = {
    "frigate": "application/json", "gat1400": "application/VIID+JSON", "gb28181": "Application/MANSCDP+xml",
    "hikvision": "application/xml", "onvif": "application/soap+xml",
}  # fmt: skip


@pytest.fixture
async def devices(api: Api) -> None:
    """A camera for each protocol, of that name, with a token that is the name twice."""
    async with transaction(api.pool, SERVICE) as (conn, now):
        for code in PROTOCOLS:
            await put_up(conn, code, 103.805, 36.055, code)
            token = new_id()
            await conn.execute(
                "INSERT INTO camera_tokens (id, secret_hash, protocol, created_at, created_by)"
                " VALUES ($1, $2, $3, $4, 'test')",
                token, hashlib.sha256((code * 2).encode()).digest(), code, now,
            )  # fmt: skip
            await conn.execute("INSERT INTO camera_token_cameras VALUES ($1, $2)", token, code)
        await conn.execute("UPDATE camera_rules SET burst = 1000")


async def send(
    api: Api, protocol: str, body: bytes, content_type: str, headers: Mapping[str, str] | None = None
) -> Said:
    sent = {**(headers or {}), "Content-Type": content_type}
    return await api.nobody.ask("POST", f"/intake/{protocol}/{protocol * 2}", data=body, headers=sent)


async def rows(api: Api, sql: str) -> list[dict[str, Any]]:
    async with transaction(api.pool, SERVICE) as (conn, _):
        return [dict(row) for row in await conn.fetch(sql)]


async def end_of(api: Api, protocol: str, body: bytes, content_type: str, headers: Mapping[str, str]) -> Counter[str]:
    """Where a message ended, by what the database holds of it, in the words of the table."""
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("DELETE FROM camera_events; DELETE FROM camera_quarantine; DELETE FROM camera_health")
    said = await send(api, protocol, body, content_type, headers)
    kept = await rows(api, "SELECT kind, phase FROM camera_events")
    apart = await rows(api, "SELECT code FROM camera_quarantine")
    heard = await rows(api, "SELECT FROM camera_health")
    ends = Counter(f"event `{row['kind']}`, {row['phase']}" for row in kept)
    ends.update(f"refused `{row['code']}`" for row in apart)
    if said.status != 200:
        assert (said.status, said.code, len(apart), kept) == (422, "camera_message_refused", 1, [])
    elif not kept and heard:
        ends["heartbeat"] += 1
    elif not kept:
        reasons = [item["reason"] for item in said.body["items"]]
        assert set(reasons) <= NOT_EVEN_RAW
        ends.update(f"refused `{reason}`" for reason in reasons)
    assert bool(heard) == bool(kept or ends["heartbeat"]), "whoever says something is heard"
    return ends


def told(end: str) -> Counter[str]:
    """A cell of the table: what its items end as; a state of a device is a heartbeat."""
    ends: Counter[str] = Counter()
    for many, each in re.findall(r"(?:(\d+) × )?((?:event|refused) `[^`]+`(?:, \w+)?|heartbeat)", end):
        ends[each] += int(many or 1)
    return ends


async def test_every_sample_of_real_devices_ends_where_the_table_says(
    api: Api, devices: None, sample_data: Path
) -> None:
    table = re.findall(r"^\| `([a-z0-9_]+/[^`]+)` \| (.+) \|$", document("cameras/README.md"), re.MULTILINE)
    assert len(table) > 60
    wrong = []
    for name, end in table:
        path = sample_data / "camera" / name
        protocol = path.parent.name.removesuffix("_axis")
        ends: Counter[str] = Counter()
        if path.suffix == ".yaml":
            for case in cases(path):
                said = attributes(case)
                headers = {f"ce-{key}": value for key, value in said.items()}
                media_type = said.get("datacontenttype", "application/json")
                ends += await end_of(api, protocol, case["Data"].strip().encode(), media_type, headers)
        else:
            ends = await end_of(api, protocol, path.read_bytes(), TYPES[protocol], {})
        if ends != told(end):
            wrong.append((name, ends, end))
    assert wrong == []


async def test_each_device_is_answered_as_its_protocol_wants(api: Api, devices: None) -> None:
    line = b'Code=CrossLineDetection;action=Start;index=0;data={"Name":"kerb"}'
    dahua = await send(api, "dahua", line, "text/plain")
    assert (dahua.status, dahua.body) == (200, "OK")
    vehicle = {"MotorVehicleID": "v1", "DeviceID": "gat1400", "PlateNo": "甘A00001", "PassTime": "20261120080000"}
    both = {
        "MotorVehicleListObject": {"MotorVehicleObject": [vehicle, 7]},
        "FaceListObject": {"FaceObject": [{"FaceID": "f1", "Name": "somebody"}]},
    }
    platform = await send(api, "gat1400", msgspec.json.encode(both), "application/VIID+JSON")
    assert platform.status == 200
    answered = msgspec.json.decode(platform.body) if isinstance(platform.body, str) else platform.body
    statuses = answered["ResponseStatusListObject"]["ResponseStatusObject"]
    assert {each["Id"]: each["StatusCode"] for each in statuses} == {"v1": 0, "": 1, "f1": 4}
    assert await rows(api, "SELECT FROM camera_quarantine") == [], "a message with a face is not kept, not even raw"
    kept = await rows(api, "SELECT camera, kind, raw FROM camera_events ORDER BY camera")
    assert [(row["camera"], row["kind"]) for row in kept] == [
        ("dahua", "crosslinedetection"), ("gat1400", "motorvehicle"),
    ]  # fmt: skip
    assert all(b"somebody" not in row["raw"] for row in kept)


async def test_a_message_larger_than_other_bodies_is_taken_up_to_the_limit_of_its_protocol(
    api: Api, devices: None
) -> None:
    picture = b"\xff\xd8\xff\xe0" + bytes(2 * 2**20)
    alarm = (
        b"<EventNotificationAlert><channelID>1</channelID><eventType>linedetection</eventType>"
        b"<eventState>active</eventState></EventNotificationAlert>"
    )
    body = b"\r\n".join((
        b"--b", b'Content-Disposition: form-data; name="alarm"', b"Content-Type: application/xml", b"", alarm,
        b"--b", b'Content-Disposition: form-data; name="picture"', b"Content-Type: image/jpeg", b"", picture,
        b"--b--", b"",
    ))  # fmt: skip
    url = f"{api.nobody.url}/intake/hikvision/{'hikvision' * 2}"
    parts = {"Content-Type": "multipart/form-data; boundary=b"}
    async with api.nobody.http.post(url, data=io.BytesIO(body), headers=parts) as answer:
        said = msgspec.json.decode(await answer.read())
    assert (answer.status, [item["outcome"] for item in said["items"]]) == (200, ["accepted"])
    large = await send(api, "frigate", b" " * (PROTOCOLS["frigate"].most_bytes + 1), "application/json")
    assert (large.status, large.code) == (413, "too_large")


async def test_a_word_without_a_meaning_waits_for_a_person_and_a_zone_says_where_it_is(api: Api, devices: None) -> None:
    """The row of the very camera counts before that of all; what the camera sees of a zone is the event's place."""
    async with transaction(api.pool, SERVICE) as (conn, _):
        await give_meanings(conn, "frigate", {"car": ("0201", "review")})
        await conn.execute(
            "INSERT INTO camera_cells (camera, kind, name, cell_code, grid_set_id, share, spot)"
            " SELECT 'frigate', v.kind, v.name, c.code, c.grid_set_id, v.share, ST_PointOnSurface(c.outline)"
            "   FROM (SELECT row_number() OVER (ORDER BY code) AS n, * FROM cells) AS c"
            "        JOIN (VALUES (1, 'view', '', 0.9), (2, 'view', '', 0.1), (2, 'zone', 'lane', 1.0))"
            "          AS v (n, kind, name, share) USING (n)"
        )
        cells = [row["code"] for row in await conn.fetch("SELECT code FROM cells ORDER BY code LIMIT 2")]
    for number, (label, zones) in enumerate((("car", []), ("car", ["lane"]), ("hedgehog", []), ("hedgehog", []))):
        seen = {"id": f"{number}", "camera": "x", "label": label, "start_time": 1.0, "current_zones": zones}
        body = msgspec.json.encode({"type": "new", "before": {}, "after": seen})
        assert (await send(api, "frigate", body, "application/json")).status == 200
    await sort_round(api.pool, 1_000)
    asked = await rows(api, "SELECT kind, zone, why, cell_code FROM camera_reviews ORDER BY kind, zone")
    assert [tuple(row.values()) for row in asked] == [
        ("car", "", "mode", cells[0]), ("car", "lane", "mode", cells[1]), ("hedgehog", "", "unmapped", cells[0]),
    ]  # fmt: skip
    counted = await rows(api, "SELECT camera, kind, count FROM unmapped_labels")
    assert counted == [{"camera": "frigate", "kind": "hedgehog", "count": 2}]


async def test_a_repeat_or_a_heartbeat_brings_back_a_camera_that_was_missed(api: Api, devices: None) -> None:
    line = b"Code=CrossLineDetection;action=Start;index=0;data={}"
    beat = b"Heartbeat"
    assert (await send(api, "dahua", line, "text/plain")).status == 200
    for said in (line, beat):
        async with transaction(api.pool, SERVICE) as (conn, _):
            await conn.execute("UPDATE camera_health SET heard_at = heard_at - interval '1 day'")
        await watch_round(api.pool, 100)
        assert (await send(api, "dahua", said, "text/plain")).status == 200
        await watch_round(api.pool, 100)
    news = await rows(api, "SELECT type FROM outbox WHERE type LIKE 'camera.o%' ORDER BY seq")
    assert [row["type"] for row in news] == ["camera.offline", "camera.online"] * 2
    assert len(await rows(api, "SELECT FROM camera_events")) == 1, "a repeat and a heartbeat are no events"
