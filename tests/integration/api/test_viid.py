"""GA/T 1400 as devices and platforms speak it: an independent digest client registers, keeps alive and posts."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shlex
from collections.abc import AsyncIterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from gridsvc.actions.hear_device import MOST_WAITING
from gridsvc.db import SERVICE, transaction
from gridsvc.domain.access import Role
from tests.conftest import CityClock
from tests.fuzz.corpus import PICTURE
from tests.house.source import document
from tests.integration.api.conftest import CITY, SOUTH, Api, Client, a
from tests.integration.stories.camera_town import put_up
from tests.integration.test_cameras_command import command
from workers.registry import watch_round

DEVICE = "62010200001190000001"
PLATFORM = "62010000005030000001"
GATES = ("62010200001320000001", "62010200001320000002")

MEDIA = "application/VIID+JSON;charset=UTF-8"


class Device:
    """What a camera or platform does, by a client that knows nothing of ours."""

    def __init__(self, url: str, code: str, secret: str, username: str = "") -> None:
        self.code = code
        self.auth = httpx.DigestAuth(username or code, secret)
        self.http = httpx.AsyncClient(base_url=url, headers={"User-Identify": code, "Content-Type": MEDIA})

    async def call(
        self, method: str, path: str, message: Any = None, *, auth: httpx.Auth | None = None, **headers: str
    ) -> httpx.Response:
        body = message if isinstance(message, bytes) else json.dumps(message).encode()
        return await self.http.request(method, path, content=body, auth=auth, headers=headers)

    async def sign(self, verb: str) -> httpx.Response:
        message = {f"{verb}Object": {"DeviceID": self.code}}
        return await self.call("POST", f"/VIID/System/{verb}", message, auth=self.auth)

    async def keep_alive(self) -> httpx.Response:
        return await self.call("POST", "/VIID/System/Keepalive", {"KeepaliveObject": {"DeviceID": self.code}})

    async def post(self, collection: str, message: Any, method: str = "POST") -> dict[str, int]:
        """The status of each object, by its id."""
        said = await self.call(method, f"/VIID/{collection}", message)
        assert (said.status_code, said.headers["Content-Type"]) == (200, MEDIA), said.text
        listed = said.json()["ResponseStatusListObject"]["ResponseStatusObject"]
        return {each["Id"]: each["StatusCode"] for each in listed}


def cars(*ids: str, device: str = DEVICE, **more: Any) -> dict[str, Any]:
    car = {"DeviceID": device, "PlateNo": "甘A00001", "PassTime": "20261120080000", **more}
    return {"MotorVehicleListObject": {"MotorVehicleObject": [{"MotorVehicleID": each, **car} for each in ids]}}


@pytest.fixture
async def admin(api: Api) -> Client:
    """Who administers the city; the cameras stand in its northern district."""
    async with transaction(api.pool, SERVICE) as (conn, _):
        for code in (DEVICE, *GATES):
            await put_up(conn, code, 103.805, 36.055, "gat1400")
        await conn.execute("UPDATE cameras SET divisions = '{6201,620102}'; UPDATE camera_rules SET burst = 1000")
    return await api.somebody(a(Role.ADMIN, CITY))


@pytest.fixture
async def account(api: Api, admin: Client) -> dict[str, Any]:
    """The account of one camera, with its secret."""
    said = await admin.post("/api/v1/viid-accounts", {"device": DEVICE, "cameras": [DEVICE], "label": "crossing 1"})
    assert said.status == 201, said.body
    body: dict[str, Any] = said.body
    return body


@pytest.fixture
async def device(api: Api, account: dict[str, Any]) -> AsyncIterator[Device]:
    """That camera, not registered yet."""
    made = Device(api.url, DEVICE, account["secret"])
    async with made.http:
        yield made


async def rows(api: Api, sql: str, *arguments: object) -> list[dict[str, Any]]:
    async with transaction(api.pool, SERVICE) as (conn, _):
        return [dict(row) for row in await conn.fetch(sql, *arguments)]


async def apart(api: Api) -> list[str]:
    """The codes of what waits in quarantine."""
    return [row["code"] for row in await rows(api, "SELECT code FROM camera_quarantine ORDER BY received_at, id")]


async def health(api: Api) -> list[str]:
    found = await rows(
        api,
        "SELECT camera_stands(h.heard_at, h.offline_since) AS health FROM cameras c"
        "  LEFT JOIN camera_health h ON h.camera = c.code ORDER BY c.code",
    )
    return [row["health"] for row in found]


# -- one camera ------------------------------------------------------------------------------------


async def test_a_device_registers_keeps_alive_posts_and_takes_its_leave(api: Api, device: Device) -> None:
    first = await device.call("POST", "/VIID/System/Register", {"RegisterObject": {"DeviceID": DEVICE}})
    assert first.status_code == 401
    assert first.headers["WWW-Authenticate"].startswith('Digest realm="viid"')
    assert first.json()["ResponseStatusObject"]["StatusCode"] == 4

    said = await device.sign("Register")
    status = said.json()["ResponseStatusObject"]
    assert (said.status_code, said.headers["Content-Type"]) == (200, MEDIA)
    assert (status["Id"], status["StatusCode"], status["RequestURL"]) == (DEVICE, 0, "/VIID/System/Register")
    assert (await device.keep_alive()).json()["ResponseStatusObject"]["StatusCode"] == 0
    assert await health(api) == ["online", "never", "never"]

    picture = {"SubImageInfoObject": [{"Type": "14", "Data": PICTURE}, {"Type": "04", "Data": PICTURE}]}
    assert await device.post("MotorVehicles", cars("v1", "v2", SubImageList=picture)) == {"v1": 0, "v2": 0}
    assert await device.post("MotorVehicles", cars("v1", SubImageList=picture), "PUT") == {"v1": 0}
    image = {"ImageInfo": {"ImageID": "i1", "ShotTime": "20261120080000"}, "Data": PICTURE}
    assert await device.post("Images", {"ImageListObject": {"Image": [image]}}) == {"i1": 0}
    notice = {"NotificationID": "n1", **cars("v3"), **{"NonMotorVehicleObjectList": [{"NonMotorVehicleID": "b1"}]}}
    told = {"SubscribeNotificationListObject": {"SubscribeNotificationObject": [notice]}}
    assert await device.post("SubscribeNotifications", told) == {"n1": 0}
    kept = await rows(api, "SELECT camera, kind, key, sent_by FROM camera_events ORDER BY key")
    assert [(row["kind"], row["key"]) for row in kept] == [
        ("nonmotorvehicle", "b1"), ("image", "i1"), ("motorvehicle", "v1"), ("motorvehicle", "v2"),
        ("motorvehicle", "v3"),
    ]  # fmt: skip
    assert {row["camera"] for row in kept} == {DEVICE}
    assert all(row["sent_by"].startswith("viid:") for row in kept)
    counted = await rows(api, "SELECT sum(events)::integer AS n FROM camera_counts WHERE outcome = 'duplicate'")
    assert counted == [{"n": 1}], "what is said again is known again"

    clock = (await device.http.get("/VIID/System/Time")).json()["SystemTimeObject"]
    assert (len(clock["LocalTime"]), clock["TimeZone"]) == (14, "+08:00")
    assert (await device.http.get("/VIID/Subscribes")).json() == {"SubscribeListObject": {"SubscribeObject": []}}

    assert (await device.sign("UnRegister")).status_code == 200
    assert (await device.keep_alive()).status_code == 401


async def test_who_does_not_know_the_secret_is_not_let_in(api: Api, admin: Client, account: dict[str, Any]) -> None:
    """Nor who guesses the name, nor whom nobody knows, nor a foreign network, nor after revocation."""
    for code, secret, username in (
        (DEVICE, "wrong", ""), (DEVICE, account["secret"], "somebody"), (PLATFORM, account["secret"], ""),
    ):  # fmt: skip
        stranger = Device(api.url, code, secret, username)
        async with stranger.http:
            assert (await stranger.sign("Register")).status_code == 401
    inside = await admin.post(
        "/api/v1/viid-accounts", {"device": PLATFORM, "cameras": list(GATES), "networks": ["10.20.0.0/16"]}
    )
    outside = Device(api.url, PLATFORM, inside.body["secret"])
    async with outside.http:
        assert (await outside.sign("Register")).status_code == 401

    known = Device(api.url, DEVICE, account["secret"])
    async with known.http:
        assert (await known.sign("Register")).status_code == 200
        said = await admin.post(f"/api/v1/viid-accounts/{account['id']}/revoke")
        assert (said.status, said.body["standing"]) == (200, "not_registered")
        assert (await known.keep_alive()).status_code == 401
        assert (await known.call("POST", "/VIID/MotorVehicles", cars("v1"))).status_code == 401
        assert (await known.sign("Register")).status_code == 401
    assert await apart(api) == [], "whoever has no account has nothing kept"


async def test_an_answer_to_a_challenge_counts_once_and_not_for_ever(
    api: Api, device: Device, account: dict[str, Any], city_clock: CityClock
) -> None:
    """A count that was used is refused, with the word that only the nonce was at fault; so is an old nonce."""

    path = "/VIID/System/Register"

    async def sent(nonce: str, count: str, qop: str = "auth", to: str = path) -> httpx.Response:
        secret = _md5(f"{DEVICE}:viid:{account['secret']}")
        middle = f"{count}:c0:auth:" if qop else ""
        proof = _md5(f"{secret}:{nonce}:{middle}{_md5(f'POST:{to}')}")
        header = f'Digest username="{DEVICE}", realm="viid", nonce="{nonce}", uri="{to}", response="{proof}"'
        if qop:
            header += f', qop=auth, nc={count}, cnonce="c0"'
        return await device.call("POST", path, {"RegisterObject": {"DeviceID": DEVICE}}, Authorization=header)

    async def fresh() -> str:
        said = await device.call("POST", "/VIID/System/Register", {})
        return str(said.headers["WWW-Authenticate"].split('nonce="')[1].split('"')[0])

    nonce = await fresh()
    assert (await sent(nonce, "00000001")).status_code == 200
    again = await sent(nonce, "00000001")
    assert again.status_code == 401
    assert again.headers["WWW-Authenticate"].endswith("stale=true")
    assert (await sent(nonce, "00000002")).status_code == 200
    assert (await sent(nonce, "not hex!")).status_code == 401
    assert (await sent(nonce, "00000003", to=api.url + path)).status_code == 200, "some write the whole address"
    assert (await sent(nonce, "00000004", to="/VIID/System/UnRegister")).status_code == 401, "it is for one call"
    assert (await sent("0" * 60, "00000001")).status_code == 401

    old = await fresh()
    assert (await sent(old, "", qop="")).status_code == 200, "old devices answer without a count"
    assert (await sent(old, "", qop="")).status_code == 401
    assert (await sent(old, "00000007")).status_code == 401

    old = await fresh()
    await city_clock.forward(timedelta(minutes=6))
    assert (await sent(old, "00000001")).headers["WWW-Authenticate"].endswith("stale=true")
    assert await rows(api, "SELECT FROM viid_nonces") != []
    assert (await sent(await fresh(), "00000001")).status_code == 200
    assert len(await rows(api, "SELECT FROM viid_nonces")) == 1, "what is over is forgotten"


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


async def test_a_rotated_secret_is_good_for_its_grace(
    api: Api, account: dict[str, Any], city_clock: CityClock
) -> None:
    async def rotated(grace_hours: int) -> str:
        whoever = await api.somebody(a(Role.ADMIN, CITY))  # sessions end while the clock is moved
        said = await whoever.post(f"/api/v1/viid-accounts/{account['id']}/rotate", {"grace_hours": grace_hours})
        assert said.status == 200
        return str(said.body["secret"])

    async def lets_in(secret: str) -> bool:
        known = Device(api.url, DEVICE, secret)
        async with known.http:
            return (await known.sign("Register")).status_code == 200

    first, second = account["secret"], await rotated(1)
    assert [await lets_in(secret) for secret in (first, second)] == [True, True]
    await city_clock.forward(timedelta(minutes=61))
    assert [await lets_in(secret) for secret in (first, second)] == [False, True]
    third = await rotated(0)
    said = await (await api.somebody(a(Role.ADMIN, CITY))).get("/api/v1/viid-accounts")
    assert said.body["items"][0]["standing"] == "not_registered", "without a grace who was let in by it is out"
    assert [await lets_in(secret) for secret in (second, third)] == [False, True]
    stored = await rows(api, "SELECT v::text AS text FROM viid_accounts v")
    stored += await rows(api, "SELECT k::text AS text FROM idempotency_keys k")
    for secret in (first, second, third):
        assert all(secret not in row["text"] for row in stored), "a secret is nowhere to be read"


async def test_the_secret_is_told_once_even_to_whoever_asks_again(api: Api, admin: Client) -> None:
    wanted = {"device": PLATFORM, "cameras": list(GATES)}
    first = await admin.post("/api/v1/viid-accounts", wanted, Idempotency_Key="k1")
    again = await admin.post("/api/v1/viid-accounts", wanted, Idempotency_Key="k1")
    assert (first.status, again.status) == (201, 201)
    assert first.body["secret"] is not None
    assert again.body == {**first.body, "secret": None}
    other = await admin.post("/api/v1/viid-accounts", wanted)
    assert (other.status, other.code) == (409, "account_taken")
    neighbour = await api.somebody(a(Role.ADMIN, SOUTH))
    refused = await neighbour.post("/api/v1/viid-accounts", {"device": DEVICE, "cameras": [GATES[0]]})
    assert refused.code == "unknown", "a camera of the neighbour's"
    assert (await neighbour.get("/api/v1/viid-accounts")).body["items"] == []
    for wrong in ({"device": "7", "cameras": [DEVICE]}, {"device": DEVICE, "cameras": [DEVICE], "username": 'a"b'}):
        assert (await admin.post("/api/v1/viid-accounts", wrong)).code == "bad_request"


async def test_what_comes_from_a_device_that_is_not_registered_waits_and_is_taken_in_afterwards(
    api: Api, database: str, device: Device, city_clock: CityClock
) -> None:
    """It never registered; or was silent for three keep-alives, when its camera is missed as others are."""
    said = await device.call("POST", "/VIID/MotorVehicles", cars("v1"))
    assert (said.status_code, said.json()["ResponseStatusObject"]["StatusCode"]) == (401, 4)
    assert "WWW-Authenticate" in said.headers
    assert await apart(api) == ["not_registered"]

    await device.sign("Register")
    await city_clock.forward(timedelta(seconds=239))
    assert (await device.keep_alive()).status_code == 200
    await city_clock.forward(timedelta(seconds=239))
    assert await device.post("MotorVehicles", cars("v2")) == {"v2": 0}, "each word is a sign of life"
    await watch_round(api.pool, 100)
    assert (await health(api))[0] == "online"
    await city_clock.forward(timedelta(seconds=241))
    await watch_round(api.pool, 100)
    assert (await health(api))[0] == "offline"
    assert (await device.keep_alive()).status_code == 401
    assert (await device.call("POST", "/VIID/MotorVehicles", cars("v3"))).status_code == 401
    assert await apart(api) == ["not_registered"] * 2

    assert await command(database, "quarantine", "replay", "--all") == 0
    kept = await rows(api, "SELECT key FROM camera_events ORDER BY key")
    assert [row["key"] for row in kept] == ["v1", "v2", "v3"]


async def test_the_name_of_a_device_is_no_proof_so_not_more_than_some_messages_wait(api: Api, device: Device) -> None:
    await rows(
        api,
        "INSERT INTO camera_quarantine (id, received_at, protocol, token_id, peer, content_type, headers, body, bytes,"
        "                               code, says)"
        " SELECT gen_random_uuid(), now(), 'gat1400', v.id, '', '', '{}', '', 0, 'not_registered', ''"
        "   FROM viid_accounts v, generate_series(2, $1) RETURNING 1",
        MOST_WAITING,
    )
    for _ in range(2):
        assert (await device.call("POST", "/VIID/MotorVehicles", cars("v1"))).status_code == 401
    assert len(await apart(api)) == MOST_WAITING
    counted = await rows(api, "SELECT outcome, events FROM camera_counts WHERE outcome <> 'received' ORDER BY outcome")
    assert [tuple(row.values()) for row in counted] == [("quarantined", 1), ("rejected", 1)], "none is lost uncounted"


async def test_from_another_address_a_device_is_not_registered(api: Api, device: Device) -> None:
    await device.sign("Register")
    await rows(api, "UPDATE viid_accounts SET registered_from = '10.9.9.9' RETURNING 1")
    said = await device.keep_alive()
    assert (said.status_code, said.json()["ResponseStatusObject"]["StatusString"]) == (401, "elsewhere: register first")
    assert (await device.sign("Register")).status_code == 200
    assert (await device.keep_alive()).status_code == 200


# -- people ----------------------------------------------------------------------------------------

SECRET_NAME = "ZHANG-SAN-OF-THE-TEST"
FACE_TEXT = "the face of somebody"
FACE_BYTES = base64.b64encode(b"\xff\xd8\xff\xe0" + FACE_TEXT.encode() * 20).decode()


async def test_of_a_face_no_byte_is_in_any_table(api: Api, device: Device) -> None:
    """As an object, in a notification, beside a vehicle, in what cannot be read, registered or not."""
    face = {"FaceID": "f1", "DeviceID": DEVICE, "Name": SECRET_NAME,
            "SubImageList": {"SubImageInfoObject": [{"Type": "11", "Data": FACE_BYTES}]}}  # fmt: skip
    person = {"PersonID": "p1", "Name": SECRET_NAME, "SubImageList": face["SubImageList"]}
    faces, people = {"FaceListObject": {"FaceObject": [face]}}, {"PersonListObject": {"PersonObject": [person]}}
    driver = {"SubImageInfoObject": [{"Type": "04", "Data": FACE_BYTES, "ImageID": "i1"}]}
    both = {**faces, **cars("v1")}
    notice = {"NotificationID": "n1", **faces}
    told = {"SubscribeNotificationListObject": {"SubscribeNotificationObject": [notice]}}
    spoilt = json.dumps(faces).encode()[:-9]
    for registered in (False, True):
        if registered:
            await device.sign("Register")
            assert await device.post("Faces", faces) == {"f1": 4}
            assert await device.post("Faces", spoilt) == {"": 4}
            assert await device.post("MotorVehicles", both) == {"v1": 0, "f1": 4}
            assert await device.post("SubscribeNotifications", told) == {"n1": 4}
            assert await device.post("MotorVehicles", spoilt) == {"": 1}
            assert await device.post("Persons", people) == {"p1": 0}
            assert await device.post("MotorVehicles", [cars("v2", SubImageList=driver), person, faces]) == {"": 1}
            sought = {"DispositionListObject": [{"DispositionID": "d1", "Name": SECRET_NAME}]}
            assert await device.post("Dispositions", sought) == {"d1": 4}
            assert await device.post("Tollgates", {"TollgateList": [{"TollgateID": "t1"}], **faces}) == {"t1": 4}
            assert await device.post("Images/i1/Data", FACE_BYTES.encode()) == {"i1": 4}
        for path, message in (
            ("Faces", faces), ("Faces", spoilt), ("MotorVehicles", both), ("Persons", people),
            ("MotorVehicles", cars("v9", SubImageList=driver)), ("Images/i1/Data", FACE_BYTES.encode()),
        ):  # fmt: skip
            await device.call("POST", f"/VIID/{path}", message)
    assert {row["kind"] for row in await rows(api, "SELECT kind FROM camera_events")} == {"motorvehicle", "person"}
    assert set(await apart(api)) == {"not_registered", "not_json", "unknown_shape", "not_taken_in"}
    tables = await rows(
        api,
        "SELECT relname FROM pg_class c WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace"
        "   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')"
        "   AND has_table_privilege(oid, 'SELECT')",
    )
    assert len(tables) > 100
    secrets = [SECRET_NAME, FACE_BYTES[:60], FACE_TEXT]
    secrets += [secret.encode().hex() for secret in secrets]  # as the database spells bytes
    for table in tables:
        name = table["relname"]
        for row in await rows(api, f"SELECT t::text AS text FROM {name} t"):  # noqa: S608 - names of ours
            assert [secret for secret in secrets if secret in row["text"]] == [], name


# -- a platform ------------------------------------------------------------------------------------


async def test_a_platform_speaks_for_its_cameras_and_what_it_reports_is_a_proposal(
    api: Api, admin: Client, database: str, city_clock: CityClock, capsys: pytest.CaptureFixture[str]
) -> None:
    given = await admin.post("/api/v1/viid-accounts", {"device": PLATFORM, "cameras": list(GATES)})
    platform = Device(api.url, PLATFORM, given.body["secret"])
    new = "62010200001320000009"
    async with platform.http:
        await platform.sign("Register")
        assert await health(api) == ["never", "online", "online"]
        assert await platform.post("MotorVehicles", cars("v1", device=GATES[1])) == {"v1": 0}
        assert await platform.post("MotorVehicles", cars("v2", device=new)) == {"v2": 1}
        assert await rows(api, "SELECT camera FROM camera_events") == [{"camera": GATES[1]}]
        assert await apart(api) == ["unknown_camera"], "a camera that the platform has no account for"

        apes = [
            {"ApeID": GATES[0], "Name": "north", "IsOnline": "2"},
            {"ApeID": new, "Name": "new", "Longitude": 103.805, "Latitude": 36.055, "MonitorDirection": "5",
             "Password": "hush", "IPAddr": "10.1.1.1"},
            {"Name": "nameless"},
        ]  # fmt: skip
        assert await platform.post("APEs", {"APEListObject": {"APEObject": apes}}) == {GATES[0]: 0, new: 0, "": 1}
        assert await rows(api, "SELECT FROM cameras WHERE code = $1", new) == [], "nobody has entered it"
        reported = (await admin.get("/api/v1/reported-cameras?limit=1")).body
        assert [(each["code"], each["known"]) for each in reported["items"]] == [(GATES[0], True)]
        more = (await admin.get(f"/api/v1/reported-cameras?cursor={reported['next']}")).body
        assert [(each["code"], each["known"]) for each in more["items"]] == [(new, False)]
        assert "hush" not in json.dumps(more)

        await city_clock.forward(timedelta(seconds=200))
        await platform.keep_alive()
        await city_clock.forward(timedelta(seconds=60))
        await watch_round(api.pool, 100)
        assert await health(api) == ["never", "offline", "online"], (
            "the one that its platform reports offline is missed"
        )
        await platform.post("APEs", {"APEListObject": {"APEObject": [{"ApeID": GATES[0], "IsOnline": "1"}]}})
        await watch_round(api.pool, 100)
        assert await health(api) == ["never", "online", "online"]

        gates = {"TollgateListObject": {"TollgateObject": [{"TollgateID": "t1"}, {"TollgateID": "t2"}]}}
        assert await platform.post("Tollgates", gates) == {"t1": 4, "t2": 4}
        wanted = {"SubscribeListObject": {"SubscribeObject": [{"SubscribeID": "s1"}]}}
        assert await platform.post("Subscribes", wanted) == {"s1": 4}
        assert (await apart(api))[-2:] == ["not_taken_in", "not_taken_in"]

    capsys.readouterr()
    assert await command(database, "reported", "--new", "--json") == 0
    assert [each["ApeID"] for each in json.loads(capsys.readouterr().out)] == [new]
    said = await admin.post(f"/api/v1/viid-accounts/{given.body['id']}/cameras", {"cameras": [GATES[0]]})
    assert (said.status, said.body["cameras"]) == (200, [GATES[0]])


async def test_every_sample_of_the_protocol_passes_where_devices_post_it(
    api: Api, device: Device, sample_data: Path
) -> None:
    await device.sign("Register")
    posted = {"motorvehicle": "MotorVehicles", "subscribe_notification": "SubscribeNotifications"}
    for name, collection in posted.items():
        body = (sample_data / f"camera/gat1400/gat1400_{name}.json").read_bytes()
        assert list((await device.post(collection, body)).values()) == [0], name
    kept = await rows(api, "SELECT camera, kind FROM camera_events")
    assert kept == [{"camera": DEVICE, "kind": "motorvehicle"}] * 2


# -- the page --------------------------------------------------------------------------------------


async def test_the_curls_of_the_page_do_what_it_says(api: Api, device: Device, account: dict[str, Any]) -> None:
    """Register, keep alive, post: as they stand there, but for the host and the secret."""
    shown = re.findall(r"^curl .*?(?<!\\)\n(?=curl|```)", document("cameras/gat1400.md"), re.MULTILINE | re.DOTALL)
    paths = []
    for command_line in shown:
        words = shlex.split(command_line.replace("SECRET", account["secret"]))
        given = {"-X": "", "-d": "", "--data": "", "-u": ""}
        headers: dict[str, str] = {}
        for flag, value in pairwise(words):
            if flag == "-H":
                name, _, said_of_it = value.partition(": ")
                headers[name] = said_of_it
            elif flag in given:
                given[flag] = value
        (address,) = (word for word in words if word.startswith("https://grid.example/"))
        assert ("--digest" in words) == bool(given["-u"])
        username, _, secret = given["-u"].partition(":")
        auth = httpx.DigestAuth(username, secret) if username else None
        said = await device.http.request(
            given["-X"], address.removeprefix("https://grid.example"), content=given["-d"] or given["--data"],
            headers=headers, auth=auth,
        )  # fmt: skip
        assert (said.status_code, '"StatusCode":0' in said.text) == (200, True), (address, said.text)
        paths.append(address.rsplit("/", 1)[-1])
    assert paths == ["Register", "Keepalive", "MotorVehicles"]


# -- the command -----------------------------------------------------------------------------------


async def test_an_operator_gives_rotates_changes_and_revokes_from_the_command_line(
    api: Api, admin: Client, database: str, city_clock: CityClock, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(database, "account", PLATFORM, "--camera", GATES[0], "--username", "plat", "--days", "30") == 0
    account_id, username, secret = capsys.readouterr().out.split()
    assert username == "plat"
    platform = Device(api.url, PLATFORM, secret, "plat")
    async with platform.http:
        assert (await platform.sign("Register")).status_code == 200
    assert await command(database, "accounts") == 0
    line = capsys.readouterr().out
    assert ("registered\t127.0.0.1" in line, secret in line) == (True, False)
    await city_clock.forward(timedelta(days=31))
    assert await command(database, "accounts") == 0
    assert "expired\t127.0.0.1" in capsys.readouterr().out
    later = await api.somebody(a(Role.ADMIN, CITY))
    assert (await later.get("/api/v1/viid-accounts")).body["items"][0]["standing"] == "not_registered"
    assert await command(database, "account", "--change", account_id, "--camera", GATES[1]) == 0
    assert await command(database, "account", "--rotate", account_id, "--grace-hours", "0") == 0
    assert secret not in capsys.readouterr().out
    assert await command(database, "account", "--revoke", account_id) == 0
    assert await command(database, "accounts") == 0
    assert f"revoked\t-\t\tanywhere\t{GATES[1]}" in capsys.readouterr().out
