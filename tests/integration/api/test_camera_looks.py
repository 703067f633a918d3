"""Looking through a camera: a signed link or a picture of now, by a real gateway; who looked, and why, is kept."""

from __future__ import annotations

import hashlib
import hmac
from argparse import ArgumentParser
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import datetime, timedelta
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from aiohttp import ClientSession, web

from gridsvc.commands import cameras as command
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.domain.access import Role
from gridsvc.errors import SetupError
from gridsvc.files import CAMERAS, FileStore
from gridsvc.picture_desk import PictureDesk
from gridsvc.sealing import Sealer
from tests import hostile
from tests.integration.api.conftest import CITY, NORTH, SECRET, SOUTH, Api, a, running, settings_for
from tests.integration.picture_server import PictureServer, picture_server
from tests.integration.stories.camera_town import put_up
from workers.camera_pictures import PictureWork

KEY = b"the key of the gateway"
WHY = {"reason": "a caller reports a fight at the crossing"}

Run = Callable[..., Awaitable[int]]


@pytest.fixture
async def gateway() -> AsyncIterator[PictureServer]:
    """A gateway as a city runs one: it plays whoever brings a link that is signed and not over."""

    async def play(request: web.Request) -> web.StreamResponse:
        code, expires = request.path.removeprefix("/play/"), request.query["until"]
        wanted = hmac.new(KEY, f"{code}\n{expires}".encode(), hashlib.sha256).hexdigest()
        return web.Response(text="moving pictures", status=200 if request.query["sig"] == wanted else 403)

    async with picture_server() as running_gateway:
        running_gateway.answers["/play/north"] = running_gateway.answers["/play/south"] = play
        running_gateway.has("/api/frame.jpeg", hostile.photograph(400, 300))
        yield running_gateway


@pytest.fixture
async def api(database: str, pool: ConnPool, city: None, http: ClientSession, tmp_path: Path) -> AsyncIterator[Api]:
    """The service, a camera in each district, and one that is off."""
    async with transaction(pool, SERVICE) as (conn, _):
        for code, district in (("north", NORTH), ("off", NORTH), ("south", SOUTH)):
            await put_up(conn, code, 103.805, 36.055)
            await conn.execute("UPDATE cameras SET divisions = $2 WHERE code = $1", code, [CITY, district])
        await conn.execute("UPDATE cameras SET state = 'off' WHERE code = 'off'")
    async with running(settings_for(database, GRIDSVC_FILES=str(tmp_path))) as (app, url):
        yield Api(app, http, url, pool)


@pytest.fixture
def run(database: str, tmp_path: Path) -> Run:
    """Run a part of `gridsvc cameras`; files named KEY and HEADER hold secrets."""
    (tmp_path / "KEY").write_bytes(KEY + b"\n")
    (tmp_path / "HEADER").write_text("Basic Z2F0ZTprZXk=\n", encoding="ascii")

    async def go(*words: str) -> int:
        parser = ArgumentParser()
        command.add(parser.add_subparsers())
        given = [str(tmp_path / word) if word in ("KEY", "HEADER") else word for word in ("cameras", *words)]
        return await command.run(parser.parse_args(given), settings_for(database))

    return go


async def set_up(run: Run, gateway: PictureServer) -> None:
    """What an administrator types."""
    below = ("gate", f"{gateway.url}/api/", "--network", "127.0.0.0/8")
    assert await run("hosts", "put", *below, "--authorization-file", "HEADER") == 0
    assert await run(
        "gateways", "put", "go2rtc", "--key-file", "KEY",
        "--play", gateway.url + "/play/{camera}?until={expires}&sig={signature}",
        "--snapshot", gateway.url + "/api/frame.jpeg?src={camera}",
    ) == 0  # fmt: skip


async def test_a_link_opens_one_camera_until_it_ends_and_the_look_is_listed(
    api: Api, gateway: PictureServer, run: Run
) -> None:
    await set_up(run, gateway)
    async with transaction(api.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE cameras SET streams = ARRAY[$1]", f"{gateway.url}/stream-of-the-camera")
    dispatcher, auditor = await api.somebody(a(Role.DISPATCHER)), await api.somebody(a(Role.AUDITOR))
    said = await dispatcher.post("/api/v1/cameras/north/looks", {**WHY, "minutes": 3})
    assert (said.status, said.headers["Cache-Control"]) == (201, "no-store")
    link, look = said.body["play_url"], said.body["look"]
    lasts = datetime.fromisoformat(look["until"]) - datetime.fromisoformat(look["looked_at"])
    assert lasts == timedelta(minutes=3)
    expires = int(parse_qs(urlsplit(link).query)["until"][0])
    assert expires == int(datetime.fromisoformat(look["until"]).timestamp())
    async with api.http.get(link) as played:
        assert (played.status, await played.text()) == (200, "moving pictures")
    for forged in (link.replace(str(expires), str(expires + 60)), link.replace("north", "south")):
        async with api.http.get(forged) as played:
            assert played.status == 403

    [listed] = (await auditor.get("/api/v1/cameras/north/looks")).body["items"]
    assert listed == look
    assert (listed["looked_by"], listed["reason"], listed["gateway"], listed["kind"]) == (
        f"user:{dispatcher.user_id}", WHY["reason"], "go2rtc", "play",
    )  # fmt: skip
    assert (await dispatcher.get("/api/v1/cameras/north/looks")).status == 403
    assert "/stream-of-the-camera" not in [path for path, _ in gateway.asked], "the camera itself is never asked"


async def test_a_snapshot_is_taken_by_the_worker_with_a_credential_that_nobody_sees(
    api: Api, gateway: PictureServer, run: Run, tmp_path: Path
) -> None:
    await set_up(run, gateway)
    supervisor = await api.somebody(a(Role.SUPERVISOR))
    said = await supervisor.post("/api/v1/cameras/north/looks", {**WHY, "kind": "snapshot"})
    assert (said.status, said.body["play_url"]) == (201, None)
    assert gateway.asked == [], "the request waits for nobody"
    picture = f"/api/v1/camera-pictures/{said.body['picture']}"
    assert (await supervisor.get(picture)).body["state"] == "waiting"
    files, desk = FileStore(tmp_path / CAMERAS), PictureDesk(50_000_000)
    await PictureWork(pool=api.pool, files=files, desk=desk, sealer=Sealer.of_secrets([SECRET])).fetch_round()
    assert gateway.asked == [("/api/frame.jpeg?src=north", "Basic Z2F0ZTprZXk=")]
    seen = await supervisor.get(picture)
    assert (seen.body["state"], seen.body["look"]) == ("kept", said.body["look"]["id"])
    async with api.http.get(api.url + seen.body["image"], headers=supervisor.headers) as image:
        assert (image.status, image.content_type) == (200, "image/jpeg")
    [listed] = (await supervisor.get("/api/v1/cameras/north/looks")).body["items"]
    assert [each["id"] for each in listed["pictures"]] == [said.body["picture"]]
    assert (await (await api.somebody(a(Role.DISPATCHER, SOUTH))).get(picture)).status == 404


async def test_who_may_not_what_is_off_and_what_no_gateway_shows_is_refused_and_nobody_has_looked(
    api: Api, gateway: PictureServer, run: Run
) -> None:
    dispatcher = await api.somebody(a(Role.DISPATCHER))
    nothing_set = await dispatcher.post("/api/v1/cameras/north/looks", WHY)
    assert (nothing_set.status, nothing_set.code) == (409, "no_gateway")
    await set_up(run, gateway)
    off = await dispatcher.post("/api/v1/cameras/off/looks", WHY)
    assert (off.status, off.code) == (409, "camera_off")
    assert (await dispatcher.post("/api/v1/cameras/south/looks", WHY)).status == 404
    assert (await dispatcher.post("/api/v1/cameras/north/looks", {"reason": " "})).status == 400
    assert (await dispatcher.post("/api/v1/cameras/north/looks", {})).status == 400
    assert (await (await api.somebody(a(Role.OFFICER))).post("/api/v1/cameras/north/looks", WHY)).status == 403
    both = await api.somebody(a(Role.DISPATCHER, SOUTH), a(Role.AUDITOR))
    assert (await both.post("/api/v1/cameras/north/looks", WHY)).code == "not_allowed", "his desk is another district's"
    async with transaction(api.pool, SERVICE) as (conn, _):
        assert await conn.fetchval("SELECT count(*) FROM camera_looks") == 0


async def test_a_host_or_gateway_that_reaches_or_shows_too_much_is_not_set(
    api: Api, gateway: PictureServer, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    await set_up(run, gateway)
    play = gateway.url + "/play/{camera}?until={expires}&sig={signature}"
    for words in (
        ("hosts", "put", "x", "rtsp://camera/stream"),
        ("hosts", "put", "x", "http://user:word@camera/"),
        ("hosts", "put", "x", "http://camera/", "--network", "everywhere"),
        ("gateways", "put", "x"),
        ("gateways", "put", "x", "--play", play),
        ("gateways", "put", "x", "--play", gateway.url + "/play/{camera}", "--key-file", "KEY"),
        ("gateways", "put", "x", "--snapshot", "http://elsewhere/{camera}"),
        ("hosts", "remove", "gate"),
    ):
        with pytest.raises(SetupError):
            await run(*words)
    assert await run("hosts", "put", "x") == 2
    assert await run("gateways", "list") == await run("hosts", "list") == 0
    listed = capsys.readouterr().out
    assert '"key_sealed": true' in listed
    assert '"authorization_sealed": true' in listed
    assert "Z2F0ZTprZXk" not in listed
    assert await run("gateways", "remove", "go2rtc") == await run("hosts", "remove", "gate") == 0
    assert await run("hosts", "remove", "gate") == 1
