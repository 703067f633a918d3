"""Devices of GB/T 28181 over UDP, with a socket of their own: they register, are heard, and their alarms are kept."""

from __future__ import annotations

import asyncio
import random
import re
import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from gridsvc.actions.give_sip_device import give_sip_device, rotate_sip_device
from gridsvc.db import SERVICE, ConnPool, transaction
from gridsvc.errors import BadSettings, GridError, Refused, Unknown
from gridsvc.sealing import Sealer
from gridsvc.settings import SipSettings, read_settings
from gridsvc.store import sip_devices
from tests.conftest import CityClock
from tests.fuzz.spoil import spoilt
from tests.house.source import document
from tests.integration.stories.camera_town import put_up
from tests.sip_device import REALM, SERVER, SipDevice, switched_on
from workers.registry import watch_round
from workers.run import every_kind
from workers.sip import MOST_DATAGRAM, sip_service

RECORDER, CAMERA, OTHER = "62010200001180000001", "34020000001320000001", "62010200001320000002"
OF_CORPUS = b"62010200001320000001"
STRANGER = "62010200001180000009"
SEALER = Sealer.of_secrets(["not a secret: only for tests, 40 characters"])

ALARM = """<?xml version="1.0" encoding="GB2312"?>\r
<Notify>\r
<CmdType>Alarm</CmdType>\r
<SN>17</SN>\r
<DeviceID>{device}</DeviceID>\r
<AlarmPriority>2</AlarmPriority>\r
<AlarmMethod>5</AlarmMethod>\r
<AlarmTime>2026-11-20T08:00:00</AlarmTime>\r
<Info><AlarmType>6</AlarmType></Info>\r
</Notify>\r
"""


def alarm(device: str = CAMERA) -> bytes:
    return ALARM.format(device=device).encode("gb2312")


@dataclass(frozen=True)
class Watch:
    """A recorder of two cameras that may register, and the service that listens for it."""

    pool: ConnPool
    password: str

    @asynccontextmanager
    async def listening(self) -> AsyncIterator[tuple[str, int]]:
        """The service at work, on a free port."""
        stop, where = asyncio.Event(), asyncio.get_running_loop().create_future()
        settings = SipSettings(listen="127.0.0.1:0", server=SERVER)
        task = asyncio.create_task(sip_service(self.pool, SEALER, settings, stop, where.set_result))
        try:
            yield await where
        finally:
            stop.set()
            await task

    @asynccontextmanager
    async def recorder(self, *, qop: bool = True) -> AsyncIterator[SipDevice]:
        """The recorder before a service that has just begun."""
        async with AsyncExitStack() as stack:
            server = await stack.enter_async_context(self.listening())
            yield await stack.enter_async_context(switched_on(RECORDER, self.password, server, qop=qop))

    async def rows(self, sql: str) -> list[dict[str, Any]]:
        async with transaction(self.pool, SERVICE) as (conn, _):
            return [dict(row) for row in await conn.fetch(sql)]

    async def counts(self) -> dict[str, int]:
        counted = await self.rows("SELECT outcome, messages FROM intake_counts WHERE way = 'sip'")
        return {row["outcome"]: row["messages"] for row in counted}


@pytest.fixture
async def watch(pool: ConnPool) -> Watch:
    async with transaction(pool, SERVICE) as (conn, now):
        for code in (CAMERA, OTHER):
            await put_up(conn, code, 103.805, 36.055, "gb28181")
        password = await give_sip_device(conn, RECORDER, [CAMERA, OTHER], "yard", SEALER, "test", now)
    return Watch(pool, password)


@pytest.mark.parametrize("qop", [True, False])
async def test_a_device_proves_its_password_and_each_answer_is_good_once(watch: Watch, qop: bool) -> None:
    async with watch.recorder(qop=qop) as device:
        assert (await device.ask(device.keepalive())).status == 403, "nobody is heard before it has registered"
        challenged = await device.ask(device.register())
        assert challenged.status == 401
        told = challenged.header("WWW-Authenticate")
        proof = device.register(told)
        answered = await device.ask(proof)
        assert answered.status == 200
        assert answered.header("Expires") == "3600"
        assert answered.header("Date").startswith("20"), "devices set their clocks by it"
        assert "received=127.0.0.1" in answered.header("Via")
        assert (await device.ask(proof)).text == answered.text, "a repeat is answered the same"
        again = await device.ask(device.register(told))
        assert (again.status, "stale=true" in again.header("WWW-Authenticate")) == (401, True)
        assert (await device.ask(device.keepalive())).status == 200
    [row] = await watch.rows("SELECT host, registered_until - registered_at AS long FROM sip_devices")
    assert row == {"host": "127.0.0.1", "long": timedelta(hours=1)}


async def test_who_does_not_prove_his_password_is_nobody(watch: Watch) -> None:
    async with watch.listening() as server:
        async with switched_on(RECORDER, "guessed", server) as thief:
            told = (await thief.ask(thief.register())).header("WWW-Authenticate")
            assert (await thief.ask(thief.register(told))).status == 403
            assert (await thief.ask(thief.register(told.replace(REALM, "0000000000")))).status == 401
        async with switched_on(STRANGER, watch.password, server) as stranger:
            for asked in (stranger.register(), stranger.keepalive(), stranger.request("INVITE")):
                assert (await stranger.ask(asked)).status == 403
        async with switched_on(RECORDER, watch.password, server) as device:
            assert (await device.registered()).status == 200
            assert (await device.ask(device.request("INVITE"))).status == 405
            assert "MESSAGE" in (await device.ask(device.request("OPTIONS"))).header("Allow")
        async with switched_on(RECORDER, watch.password, server, host="127.0.0.2") as elsewhere:
            assert (await elsewhere.ask(elsewhere.message(alarm()))).status == 403, "it did not register from there"
    assert await watch.rows("SELECT FROM camera_events UNION ALL SELECT FROM camera_quarantine") == []
    assert (await watch.counts())["unknown_device"] == 3


async def test_an_alarm_is_kept_before_it_is_answered_and_a_repeat_changes_nothing(watch: Watch) -> None:
    async with watch.recorder() as device:
        await device.registered()
        said = device.message(alarm())
        answered, own = await device.ask(said), await device.next()
        assert answered.status == 200
        assert [row["kind"] for row in await watch.rows("SELECT kind FROM camera_events")] == ["intrusion"]
        assert own.text.startswith(f"MESSAGE sip:{RECORDER}@127.0.0.1:")
        assert own.header("From").startswith(f"<sip:{SERVER}@127.0.0.1:{device.server[1]}>")
        told = {"CmdType": "Alarm", "SN": "17", "DeviceID": CAMERA, "Result": "OK"}
        assert all(f"<{name}>{value}</{name}>" in own.body for name, value in told.items())
        device.send(own.text.replace(own.text.splitlines()[0], "SIP/2.0 200 OK").encode())
        assert (await device.ask(said)).text == answered.text
        assert device.came.empty(), "a repeat of the datagram is answered, and no more"
        assert (await device.ask(device.message(alarm()))).status == 200
        assert (await device.next()).body == own.body, "the same alarm in another message is answered again"
    assert await watch.rows("SELECT camera, sent_by, severity FROM"
                            " (SELECT camera, sent_by, convert_from(raw, 'UTF8')::jsonb ->> 'severity' AS severity"
                            "    FROM camera_events) e") == [
        {"camera": CAMERA, "sent_by": f"sip:{RECORDER}", "severity": "2"}
    ]  # fmt: skip
    counted = await watch.rows("SELECT outcome, events::integer FROM camera_counts ORDER BY outcome")
    assert {row["outcome"]: row["events"] for row in counted} == {"duplicate": 1, "received": 2}


async def test_after_a_restart_devices_are_still_registered_and_what_they_repeat_is_known(watch: Watch) -> None:
    async with watch.recorder() as device:
        await device.registered()
        await device.ask(device.message(alarm()))
        said = device.message(alarm(OTHER))
    async with watch.recorder() as device:
        assert (await device.ask(device.message(alarm()))).status == 200
        assert (await device.next()).header("CSeq") == "1 MESSAGE"
        assert (await device.ask(said)).status == 200
    kept = await watch.rows("SELECT camera FROM camera_events ORDER BY camera")
    assert [row["camera"] for row in kept] == [CAMERA, OTHER]


async def test_a_device_that_says_nothing_for_three_heartbeats_is_missed_and_comes_back(
    watch: Watch, city_clock: CityClock
) -> None:
    async def missing() -> list[str]:
        await watch_round(watch.pool, 100)
        rows = await watch.rows("SELECT camera FROM camera_health WHERE offline_since IS NOT NULL ORDER BY camera")
        return [row["camera"] for row in rows]

    async with watch.recorder() as device:
        await device.registered()
        for _ in range(3):
            await city_clock.forward(timedelta(seconds=60))
            broken = f"<Info>\r\n<DeviceID>{OTHER}</DeviceID>\r\n</Info>\r\n"
            assert (await device.ask(device.keepalive(broken))).status == 200
        assert await missing() == []
        await city_clock.forward(timedelta(seconds=61))
        await device.ask(device.keepalive(broken))
        assert await missing() == [OTHER], "the recorder says itself that it is out of order"
        await city_clock.forward(timedelta(seconds=241))
        assert await missing() == sorted([CAMERA, OTHER])
        await device.ask(device.keepalive())
        assert await missing() == []
        await city_clock.forward(timedelta(hours=1))
        assert (await device.ask(device.keepalive())).status == 403, "its registration has run out"
        assert (await device.registered("0")).status == 200
        assert (await device.registered("90")).header("Expires") == "90"
        assert (await device.ask(device.keepalive())).status == 200
        assert (await device.registered("0")).status == 200
        assert (await device.ask(device.keepalive())).status == 403, "it has signed off"
        challenged = (await device.ask(device.register())).header("WWW-Authenticate")
        assert (await device.ask(device.register(challenged, expires="59"))).header("Min-Expires") == "60"
        challenged = (await device.ask(device.register())).header("WWW-Authenticate")
        assert (await device.ask(device.register(challenged, expires="soon"))).status == 400


async def test_what_cannot_be_taken_is_said_and_waits_in_quarantine(watch: Watch) -> None:
    catalog = alarm().replace(b"Alarm<", b"MediaStatus<")
    async with watch.recorder() as device:
        await device.registered()
        answers = [
            await device.ask(device.message(b"<Notify><CmdType>Alarm")),
            await device.ask(device.message(alarm(), "text/plain")),
            await device.ask(device.message(catalog)),
            await device.ask(device.message(alarm(STRANGER))),
            await device.ask(device.message(alarm()).replace(b"Content-Length: ", b"Content-Length: 9")),
        ]
        assert [each.status for each in answers] == [400, 415, 488, 404, 400]
        device.send(b"SIP/2.0 or not\r\n\r\n")
        device.send(b"\r\n\r\n")
        device.send(device.message(b" " * MOST_DATAGRAM))
        assert (await device.ask(device.keepalive())).status == 200, "none of these is answered, and nothing has died"
    assert await watch.rows("SELECT FROM camera_events") == []
    apart = await watch.rows("SELECT code, peer, cameras FROM camera_quarantine ORDER BY received_at")
    assert [row["code"] for row in apart] == ["not_xml", "unknown_shape", "unknown_shape", "unknown_camera"]
    assert {(row["peer"], *row["cameras"]) for row in apart} == {("127.0.0.1", *sorted([CAMERA, OTHER]))}
    counts = await watch.counts()
    assert {name: counts[name] for name in ("unread", "wrong_media", "not_wanted", "unknown_camera")} == {
        "unread": 1, "wrong_media": 1, "not_wanted": 1, "unknown_camera": 1,
    }  # fmt: skip
    assert (counts["unreadable"], counts["too_large"]) == (2, 1)


async def test_real_alarms_end_as_they_would_over_http(watch: Watch, sample_data: Path) -> None:
    async with watch.recorder() as device:
        await device.registered()
        ends = []
        for name in ("wvp_test_alarm_2", "wvp_test_alarm_3", "alarm_wvp_doc_bad_longitude", "wvp_test_alarm_1"):
            body = (sample_data / f"camera/gb28181/{name}.xml").read_bytes()
            ends.append((await device.ask(device.message(body))).status)
    assert ends == [200, 200, 404, 404], "the last two are of other cameras"
    kept = await watch.rows("SELECT kind, lon FROM camera_events ORDER BY kind")
    assert [(row["kind"], row["lon"]) for row in kept] == [("motion", 116.397), ("video_loss", 116.397)]


async def test_while_the_database_is_away_nothing_is_answered_and_the_repeat_is_taken(watch: Watch) -> None:
    async with watch.recorder() as device:
        await device.registered()
        async with transaction(watch.pool, SERVICE) as (conn, _):
            await conn.execute("LOCK TABLE camera_events IN ACCESS EXCLUSIVE MODE")
            said = device.message(alarm())
            device.send(said)
            device.send(said)
            assert (await device.ask(device.request("OPTIONS"))).status == 200
            assert device.came.empty(), "nothing is acknowledged that is not committed"
        assert (await device.next()).status == 200
    assert len(await watch.rows("SELECT FROM camera_events")) == 1
    assert (await watch.counts())["repeated"] == 1


async def test_a_new_password_ends_what_was_proven_with_the_old_one(watch: Watch) -> None:
    async with watch.recorder() as device:
        await device.registered()
        async with transaction(watch.pool, SERVICE) as (conn, now):
            password = await rotate_sip_device(conn, RECORDER, SEALER, now)
        assert (await device.ask(device.keepalive())).status == 403
    async with watch.recorder() as device:
        assert (await device.registered()).status == 403
        device.password = password
        assert (await device.registered()).status == 200
        async with transaction(watch.pool, SERVICE) as (conn, now):
            await sip_devices.REVOKE.run(conn, RECORDER, now)
        assert (await device.ask(device.keepalive())).status == 403
        assert (await device.registered()).status == 403, "it is not forgotten yet, and nothing is kept of it"
    async with watch.recorder() as device:
        assert (await device.ask(device.register())).status == 403


async def test_the_program_of_the_page_imitates_a_device(watch: Watch, tmp_path: Path) -> None:
    program = tmp_path / "device.py"
    found = re.search(r"```python\n(.*?)```", document("cameras/gb28181.md"), re.DOTALL)
    assert found is not None
    program.write_text(found[1], encoding="utf-8")
    async with watch.listening() as (host, port):
        words = [host, str(port), SERVER, RECORDER, watch.password, CAMERA]
        said = await asyncio.create_subprocess_exec(sys.executable, program, *words, stdout=asyncio.subprocess.PIPE)
        told, _ = await said.communicate()
    lines = told.decode().splitlines()
    assert lines[:2] == ["REGISTER SIP/2.0 401 Unauthorized", "REGISTER SIP/2.0 200 OK"]
    assert lines[2:4] == ["MESSAGE SIP/2.0 200 OK"] * 2
    assert lines[4].startswith(f"MESSAGE sip:{RECORDER}@")
    assert await watch.rows("SELECT kind FROM camera_events") == [{"kind": "intrusion"}]


async def test_no_datagram_harms_the_socket(watch: Watch) -> None:
    rng = random.Random(28181)
    async with transaction(watch.pool, SERVICE) as (conn, _):
        await conn.execute("UPDATE camera_rules SET burst = 1000")
    async with watch.recorder() as device:
        await device.registered()
        whole = [datagram.replace(OF_CORPUS, RECORDER.encode()) for datagram, _ in spoilt("sip", 28181, 400)]
        bodies = [device.message(body, media_type) for body, media_type in spoilt("gb28181", 28181, 400)]
        chance = [rng.randbytes(rng.randrange(2_000)) for _ in range(100)]
        for number, datagram in enumerate([*whole, *bodies, *chance]):
            if len(datagram) < 60_000:
                device.send(datagram)
            if number % 20 == 0:
                await settled(device)
        await settled(device)
    assert (await watch.counts()).get("failed", 0) == 0


async def settled(device: SipDevice) -> None:
    """Wait until what was sent before has been looked at: an answer to something whole comes after it."""
    asked = device.request("OPTIONS")
    name = f"{device.code}{device.number}@192.0.2.7"
    device.send(asked)
    while (await device.next()).header("Call-ID") != name:
        pass


async def test_a_device_has_twenty_digits_and_a_camera_at_least(watch: Watch) -> None:
    async def give(code: str, *cameras: str) -> type[GridError] | None:
        try:
            async with transaction(watch.pool, SERVICE) as (conn, now):
                await give_sip_device(conn, code, cameras, "", SEALER, "test", now)
        except GridError as error:
            return type(error)
        return None

    assert await give("6201", CAMERA) is await give(RECORDER, CAMERA) is Refused
    assert await give(STRANGER) is await give(STRANGER, "nowhere") is Unknown
    assert await give(STRANGER, CAMERA) is None
    with pytest.raises(Unknown):
        async with transaction(watch.pool, SERVICE) as (conn, now):
            await rotate_sip_device(conn, "6" * 20, SEALER, now)
    sealed = await watch.rows("SELECT secret FROM sip_devices")
    assert all(watch.password.encode() not in row["secret"] for row in sealed)


def test_without_an_address_all_workers_leave_it_out_and_alone_it_says_what_is_missing() -> None:
    quiet = read_settings({})
    assert "sip" not in every_kind(quiet)
    told = {"GRIDSVC_SIP_LISTEN": "[::]:5060", "GRIDSVC_SIP_SERVER": SERVER}
    assert "sip" in every_kind(read_settings(told))
    assert read_settings(told).sip.address == ("::", 5060)
    for name, wrong in (
        ("GRIDSVC_SIP_LISTEN", "5060"), ("GRIDSVC_SIP_LISTEN", "0.0.0.0:70000"), ("GRIDSVC_SIP_SERVER", "6201"),
    ):  # fmt: skip
        with pytest.raises(BadSettings, match=name):
            read_settings({**told, name: wrong})


async def test_an_address_that_is_taken_is_said(watch: Watch) -> None:
    async with watch.listening() as (host, port):
        taken = SipSettings(listen=f"{host}:{port}", server=SERVER)
        with pytest.raises(BadSettings, match="cannot be had"):
            await sip_service(watch.pool, SEALER, taken, asyncio.Event())
