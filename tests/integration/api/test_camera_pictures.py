"""Pictures of cameras from the device to whoever may see them: evidence, reviews, refusals, hosts, and their end."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import io
from collections.abc import AsyncIterator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from aiohttp import ClientSession, web
from PIL import Image

from gridsvc.actions.verify_city import broken_files, broken_invariants
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.access import Role
from gridsvc.domain.camera_picture import LEASE
from gridsvc.files import CAMERAS, FileStore
from gridsvc.ids import new_id
from gridsvc.picture_desk import PictureDesk
from gridsvc.sealing import Sealer
from gridsvc.store import camera_pictures
from gridsvc.store.numbers import NumberBlocks
from tests import hostile
from tests.conftest import CityClock
from tests.integration.api.conftest import SECRET, SOUTH, Api, Client, Said, a, running, settings_for
from tests.integration.picture_server import PictureServer, picture_server
from tests.integration.stories.camera_town import give_meanings, put_up
from workers.camera_pictures import PictureWork, purpose_of_host
from workers.cameras import decide_round, sort_round

LABELS = {
    "street_vendor": ("0201", "automatic"), "crowd": ("0201", "review"), "noise": ("0201", "off"),
    "fielddetection": ("0201", "automatic"), "person": ("0201", "automatic"), "motorvehicle": ("0201", "automatic"),
}  # fmt: skip
BATCH = {"Content-Type": "application/cloudevents-batch+json"}
JPEG = hostile.photograph(400, 300, comment=b"made by camera 7")


@pytest.fixture
def files(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / CAMERAS)


@pytest.fixture
async def api(database: str, pool: ConnPool, city: None, http: ClientSession, tmp_path: Path) -> AsyncIterator[Api]:
    """The service with files of this test's own; cameras that speak CloudEvents, Hikvision's way and GA/T 1400."""
    async with transaction(pool, SERVICE) as (conn, now):
        for code in ("cloudevents", "hikvision", "gat1400", "frigate"):
            await put_up(conn, code, 103.805, 36.055, code)
            await conn.execute("UPDATE cameras SET divisions = '{6201,620102}' WHERE code = $1", code)
            await give_meanings(conn, code, LABELS)
            token = new_id()
            await conn.execute(
                "INSERT INTO camera_tokens (id, secret_hash, protocol, created_at, created_by)"
                " VALUES ($1, $2, $3, $4, 'test')",
                token, hashlib.sha256((code * 2).encode()).digest(), code, now,
            )  # fmt: skip
            await conn.execute("INSERT INTO camera_token_cameras VALUES ($1, $2)", token, code)
        await conn.execute("UPDATE camera_rules SET wait_s = 0, sample_every = 2")
    async with running(settings_for(database, GRIDSVC_FILES=str(tmp_path))) as (app, url):
        yield Api(app, http, url, pool)


@pytest.fixture
async def server() -> AsyncIterator[PictureServer]:
    async with picture_server() as running_server:
        yield running_server


class Pictures:
    """Cameras that send, and the worker that looks at what they sent."""

    def __init__(self, api: Api, files: FileStore) -> None:
        self.api = api
        self.files = files
        self.sealer = Sealer.of_secrets([SECRET])
        self.worker = PictureWork(pool=api.pool, files=files, desk=PictureDesk(50_000_000), sealer=self.sealer)

    async def say(self, *events: dict[str, Any]) -> Said:
        said = await self.api.nobody.ask(
            "POST", f"/intake/cloudevents/{'cloudevents' * 2}", data=msgspec.json.encode(events), headers=BATCH
        )
        assert said.status == 200, said.body
        return said

    async def work(self) -> None:
        await sort_round(self.api.pool, 1_000)
        await decide_round(self.api.pool, NumberBlocks(self.api.pool), 1_000)
        await self.worker.draw_round()
        await self.worker.fetch_round()

    async def rows(self, sql: str, *given: object) -> list[dict[str, Any]]:
        async with transaction(self.api.pool, SERVICE) as (conn, _):
            return [dict(row) for row in await conn.fetch(sql, *given)]

    async def states(self) -> list[str]:
        """How the pictures stand, in the order in which they came."""
        rows = await self.rows("SELECT state, reason FROM camera_pictures ORDER BY received_at, number, id")
        return [" ".join(filter(None, row.values())) for row in rows]

    async def counted(self) -> dict[str, int]:
        rows = await self.rows(
            "SELECT outcome || ' ' || reason AS how, sum(pictures) AS n FROM camera_picture_counts GROUP BY 1"
        )
        return {row["how"].strip(): int(row["n"]) for row in rows}

    async def list_host(self, server: PictureServer, code: str = "here", credential: str | None = None) -> None:
        sealed = None if credential is None else self.sealer.seal(credential.encode(), purpose_of_host(code))
        async with transaction(self.api.pool, SERVICE) as (conn, _):
            await conn.execute(
                "INSERT INTO camera_hosts (code, scheme, host, port, path_prefix, networks, cameras,"
                "                          authorization_sealed)"
                " VALUES ($1, 'http', 'localhost', $2, '/', '{127.0.0.0/8}', '{frigate}', $3)",
                code, server.port, sealed,
            )  # fmt: skip

    async def holds(self) -> None:
        """The ledger balances, and the disk is what the table says."""
        async with transaction(self.api.pool, SERVICE) as (conn, _):
            assert await broken_invariants(conn) == {}
            assert await broken_files(conn, self.files) == []


@pytest.fixture
def pictures(api: Api, files: FileStore) -> Pictures:
    return Pictures(api, files)


def event(number: int, kind: str = "street_vendor", *shown: bytes | str, **data: Any) -> dict[str, Any]:
    """What a camera saw, with pictures by bytes or by address."""
    snapshots = [
        {"url": each} if isinstance(each, str) else {"data": base64.b64encode(each).decode()} for each in shown
    ]
    return {
        "specversion": "1.0", "id": f"e{number}", "source": "/analyser", "type": "cn.grid.camera",
        "data": {"kind": kind, "phase": "start", "snapshots": snapshots, **data},
    }  # fmt: skip


async def shown(client: Client, path: str) -> tuple[int, bytes, Mapping[str, str]]:
    async with client.http.get(client.url + path, headers=client.headers) as answer:
        return answer.status, await answer.read(), answer.headers.copy()


async def test_pictures_that_real_devices_send_are_evidence_of_the_case(
    api: Api, pictures: Pictures, server: PictureServer, sample_data: Path
) -> None:
    await pictures.list_host(server)
    alarm = (sample_data / "camera/hikvision/fielddetection_human.xml").read_bytes()
    parts = (("application/xml", alarm), ("image/jpeg", JPEG), ("image/jpeg", hostile.photograph(200, 200)))
    body = b"".join(b"--grid\r\nContent-Type: %s\r\n\r\n%s\r\n" % (kind.encode(), data) for kind, data in parts)
    said = await api.nobody.ask(
        "POST", f"/intake/hikvision/{'hikvision' * 2}", data=body + b"--grid--\r\n",
        headers={"Content-Type": "multipart/form-data; boundary=grid"},
    )  # fmt: skip
    assert said.status == 200, said.body
    vehicle = (sample_data / "camera/gat1400/gat1400_motorvehicle.json").read_text(encoding="utf-8")
    inside = msgspec.json.decode(vehicle.replace("localhost:9080", f"localhost:{server.port}"))
    first = inside["MotorVehicleListObject"]["MotorVehicleObject"][0]["SubImageList"]["SubImageInfoObject"]
    path = first[0]["StoragePath"].partition(str(server.port))[2]
    server.has(path, JPEG)
    first.append({"ImageID": "2", "Type": "02", "FileFormat": "Jpeg", "Data": base64.b64encode(JPEG).decode()})
    said = await api.nobody.ask(
        "POST", f"/intake/gat1400/{'gat1400' * 2}", data=msgspec.json.encode(inside),
        headers={"Content-Type": "application/VIID+JSON"},
    )  # fmt: skip
    assert said.status == 200, said.body
    person = msgspec.json.decode((sample_data / "camera/frigate/doc_00_frigate_events.json").read_bytes())
    person["after"]["has_snapshot"] = True
    server.has(f"/api/events/{person['after']['id']}/snapshot.jpg", JPEG)
    said = await api.nobody.ask("POST", f"/intake/frigate/{'frigate' * 2}", data=msgspec.json.encode(person))
    assert said.status == 200, said.body
    await pictures.say(event(1, "street_vendor", JPEG))
    assert await pictures.worker.draw_round() == await pictures.worker.fetch_round() == 0, "nothing came of it yet"
    assert await pictures.states() == ["waiting"] * 6, "intake waits for nobody"
    await pictures.work()
    assert await pictures.states() == ["kept"] * 6
    await pictures.holds()

    dispatcher, foreigner = await api.somebody(a(Role.DISPATCHER)), await api.somebody(a(Role.DISPATCHER, SOUTH))
    [case] = await pictures.rows("SELECT id FROM cases")
    seen = await dispatcher.get(f"/api/v1/cases/{case['id']}/camera-pictures")
    assert {item["camera"] for item in seen.body["items"]} == {"hikvision", "gat1400", "frigate", "cloudevents"}
    assert len(seen.body["items"]) == 6
    evidence = await dispatcher.get(f"/api/v1/cases/{case['id']}/camera-events")
    assert sorted(len(item["pictures"]) for item in evidence.body["items"]) == [1, 1, 2, 2]
    of_event = await dispatcher.get(f"/api/v1/camera-events/{evidence.body['items'][0]['id']}/pictures")
    one = of_event.body["items"][0]
    assert (one["state"], one["case"]) == ("kept", str(case["id"]))

    status, image, headers = await shown(dispatcher, one["image"])
    assert (status, headers["Content-Type"], headers["Cache-Control"]) == (200, "image/jpeg", "private, no-cache")
    with Image.open(io.BytesIO(image), formats=("JPEG",)) as opened:
        assert opened.size[0] in (400, 200)
    assert b"made by camera 7" not in image, "nothing of the device's own bytes is in what is shown"
    assert (await dispatcher.get(one["image"], **{"If-None-Match": headers["ETag"]})).status == 304
    assert (await shown(dispatcher, one["thumb"]))[0] == 200
    for path in (one["image"], one["thumb"], f"/api/v1/camera-pictures/{one['id']}"):
        assert (await foreigner.get(path)).status == 404
    assert (await foreigner.get(f"/api/v1/camera-events/{one['event']}/pictures")).status == 404
    assert (await foreigner.get(f"/api/v1/cases/{case['id']}/camera-pictures")).body["items"] == []
    assert (await (await api.somebody(a(Role.OFFICER))).get(one["image"])).status == 403

    last = await dispatcher.get("/api/v1/cameras/gat1400/picture")
    assert last.body["picture"]["camera"] == "gat1400"
    assert 0 <= last.body["age_s"] < 60
    assert {(row["outcome"], row["pictures"]) for row in last.body["day"]} == {("received", 2), ("kept", 2)}
    assert (await foreigner.get("/api/v1/cameras/gat1400/picture")).status == 404


async def test_a_review_shows_what_the_camera_saw_and_what_is_false_goes_after_its_days(
    api: Api, pictures: Pictures, files: FileStore, city_clock: CityClock
) -> None:
    await pictures.say(event(1, "crowd", JPEG), event(2, "crowd", JPEG))
    await pictures.work()
    acceptor = await api.somebody(a(Role.ACCEPTOR))
    [review] = (await acceptor.get("/api/v1/camera-reviews")).body["items"]
    assert [picture["state"] for picture in review["pictures"]] == ["kept", "kept"]
    assert (await shown(acceptor, review["pictures"][0]["image"]))[0] == 200
    judged = await acceptor.post(f"/api/v1/camera-reviews/{review['id']}/verdict", {"verdict": "false"})
    assert len(judged.body["review"]["pictures"]) == 2

    assert len(list(files.digests())) == 1, "two that are alike are one file"
    await city_clock.forward(timedelta(days=6.9))
    assert await pictures.worker.sweep_round() == 0
    await city_clock.forward(timedelta(days=0.2))
    assert await pictures.worker.sweep_round() == 2
    assert list(files.digests()) == []
    assert await pictures.counted() == {"received": 2, "removed false": 2}
    await pictures.holds()
    later = await api.somebody(a(Role.ACCEPTOR))  # the session of a week ago is over
    assert (await later.get(review["pictures"][0]["image"])).status == 404


async def test_what_a_person_found_real_is_evidence_of_the_case_it_led_to(api: Api, pictures: Pictures) -> None:
    await pictures.say(event(1, "crowd", JPEG))
    await pictures.work()
    acceptor = await api.somebody(a(Role.ACCEPTOR))
    [review] = (await acceptor.get("/api/v1/camera-reviews")).body["items"]
    await acceptor.post(f"/api/v1/camera-reviews/{review['id']}/verdict", {"verdict": "real"})
    await pictures.work()
    [case] = await pictures.rows("SELECT id FROM cases")
    [item] = (await acceptor.get(f"/api/v1/cases/{case['id']}/camera-pictures")).body["items"]
    assert (item["review"], item["state"]) == (review["id"], "kept")
    await pictures.holds()


async def test_what_is_no_picture_is_refused_and_its_event_is_not_lost(api: Api, pictures: Pictures) -> None:
    bomb = hostile.png_of(60_000, 60_000)
    await pictures.say(event(1, "street_vendor", bomb, JPEG[: len(JPEG) // 2], JPEG))
    await pictures.work()
    assert await pictures.states() == ["refused not_a_picture", "refused not_a_picture", "kept"]
    [kept] = await pictures.rows("SELECT outcome FROM camera_events")
    assert kept["outcome"] == "opened"
    assert await pictures.rows("SELECT FROM camera_picture_bytes") == [], "bytes that nobody can draw are not kept"
    [refused, *_] = await pictures.rows("SELECT id FROM camera_pictures WHERE state = 'refused'")
    dispatcher = await api.somebody(a(Role.DISPATCHER))
    assert (await dispatcher.get(f"/api/v1/camera-pictures/{refused['id']}")).body["reason"] == "not_a_picture"
    assert (await dispatcher.get(f"/api/v1/camera-pictures/{refused['id']}/image")).status == 404
    await pictures.holds()


async def test_a_worker_that_dies_loses_no_picture_and_one_that_kills_workers_is_given_up(
    api: Api, pictures: Pictures, city_clock: CityClock
) -> None:
    await pictures.say(event(1, "crowd", JPEG), event(2, "crowd", JPEG))
    await sort_round(api.pool, 1_000)
    async with transaction(api.pool, SERVICE) as (conn, now):  # and here a worker dies
        one, other = await camera_pictures.CLAIM_SENT.all(conn, now, LEASE, 2)
        await conn.execute("UPDATE camera_pictures SET attempts = 5 WHERE id = $1", other.id)
    assert await pictures.worker.draw_round() == 0, "they are another's until his lease ends"
    await city_clock.forward(LEASE)
    assert await pictures.worker.draw_round() == 2
    rows = await pictures.rows("SELECT id, state, reason FROM camera_pictures")
    assert {row["id"]: (row["state"], row["reason"]) for row in rows} == {
        one.id: ("kept", ""), other.id: ("refused", "breaks_its_worker"),
    }  # fmt: skip
    await pictures.holds()


async def test_a_storm_fills_no_disk_and_what_was_dropped_is_counted(api: Api, pictures: Pictures) -> None:
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE camera_rules SET burst = 3")
        await conn.execute("UPDATE camera_picture_rules SET of_event = 1, of_hour = 4")
    await pictures.say(event(1, "noise", JPEG), event(1, "noise", JPEG), event(2, "street_vendor", JPEG, JPEG))
    await pictures.say(*(event(number, "crowd", JPEG) for number in range(3, 9)))
    await pictures.work()
    # 1: its label is off; again: a duplicate; 2: one of two; 3: let in; 4 to 8 are beyond the rate, 4, 6 and 8 samples,
    # of which the last finds the hour full.
    assert await pictures.counted() == {
        "received": 7, "dropped too_many_of_event": 1, "dropped too_many_of_hour": 2, "dropped nothing_came": 1,
    }  # fmt: skip
    assert await pictures.states() == ["kept"] * 3
    await pictures.holds()
    dispatcher = await api.somebody(a(Role.DISPATCHER))
    told = await dispatcher.get("/api/v1/cameras/cloudevents/picture")
    assert {(row["outcome"], row["reason"]) for row in told.body["day"]} >= {
        ("dropped", "too_many_of_hour"), ("dropped", "nothing_came"), ("received", ""),
    }  # fmt: skip


async def test_an_address_is_fetched_from_the_list_alone_and_not_for_ever(
    api: Api, pictures: Pictures, server: PictureServer, city_clock: CityClock
) -> None:
    await pictures.list_host(server, credential="Basic YTpi")
    server.has("/there.jpg", JPEG)
    server.has("/page", b"<html>sign in</html>")
    await pictures.say(
        event(1, "street_vendor", f"http://localhost:{server.port}/there.jpg", "http://elsewhere/1.jpg"),
        event(2, "street_vendor", f"http://localhost:{server.port}/page", f"http://localhost:{server.port}/late.jpg"),
    )
    await pictures.work()
    assert sorted(await pictures.states()) == ["kept", "refused not_a_picture", "waiting bad_answer"]
    assert (await pictures.counted())["dropped host_not_listed"] == 1
    assert {said for _, said in server.asked} == {"Basic YTpi"}
    for _ in range(6):
        await city_clock.forward(timedelta(minutes=20))
        await pictures.worker.fetch_round()
    assert [path for path, _ in server.asked].count("/late.jpg") == 5
    assert "refused bad_answer" in await pictures.states()
    await pictures.holds()


async def test_a_host_is_asked_for_two_at_once_by_one_worker_at_a_time(
    api: Api, pictures: Pictures, server: PictureServer
) -> None:
    await pictures.list_host(server)
    asked, answers = asyncio.Event(), asyncio.Event()

    async def slowly(_: web.Request) -> web.StreamResponse:
        asked.set()
        await answers.wait()
        return web.Response(body=JPEG)

    server.answers["/slow.jpg"] = slowly
    slow = f"http://localhost:{server.port}/slow.jpg"
    await pictures.say(*(event(number, "street_vendor", slow, slow, slow, slow) for number in range(3)))
    await sort_round(api.pool, 1_000)
    await decide_round(api.pool, NumberBlocks(api.pool), 1_000)
    first = asyncio.create_task(pictures.worker.fetch_round())
    await asked.wait()
    assert await pictures.worker.fetch_round() == 0, "another worker asks this host"
    answers.set()
    assert await first == 8
    assert server.busiest == 2
    assert await pictures.worker.fetch_round() == 4, "the rest is the next round's"
