"""`gridsvc cameras`: the ledger balances or says where not; what could not be read is seen and replayed."""

from __future__ import annotations

import argparse
import base64
import json

import pytest

from events.broker_users import hashed
from events.intake.camera_event import Refused
from gridsvc.actions.quarantine_message import Message, quarantine_message
from gridsvc.actions.take_sip_messages import Registration, register_sip_device
from gridsvc.commands import cameras
from gridsvc.db import ConnPool, transaction
from gridsvc.errors import Unknown
from gridsvc.ids import new_id
from tests.integration.api.conftest import settings_for
from tests.integration.small_city import found_small_city
from tests.integration.stories.camera_town import put_up

BODY = b'{"specversion":"1.0","id":"1","source":"/c1","type":"x","data":{"kind":"street_vendor"}}'


async def command(database: str, *words: str) -> int:
    parser = argparse.ArgumentParser()
    cameras.add(parser.add_subparsers())
    return await cameras.run(parser.parse_args(["cameras", *words]), settings_for(database))


async def test_what_could_not_be_read_is_listed_shown_and_replayed_once_its_reader_is_mended(
    database: str, pool: ConnPool, capsys: pytest.CaptureFixture[str]
) -> None:
    async with transaction(pool) as (conn, now):
        await found_small_city(conn)
        token = new_id()
        kept = {}
        for name, body, content_type in (
            ("mended", BODY, "application/cloudevents+json"), ("broken", b"<x>", "application/cloudevents+json"),
        ):  # fmt: skip
            message = Message(
                protocol="cloudevents", token_id=token, cameras=["c1"], peer="10.0.0.1", content_type=content_type,
                headers={"Authorization": "Bearer secret", "Content-Type": content_type}, body=body,
            )  # fmt: skip
            refused = Refused(protocol="cloudevents", code="bad_item", says="no idea")
            kept[name] = str(await quarantine_message(conn, message, refused, now))
    assert await command(database, "quarantine", "list") == 0
    assert capsys.readouterr().out.count("waits") == 2
    assert await command(database, "quarantine", "show", kept["broken"]) == 0
    shown = capsys.readouterr().out
    assert "<x>" in shown
    assert "secret" not in shown
    assert await command(database, "quarantine", "replay", "--all") == 1, "one of them cannot be read still"
    told = capsys.readouterr()
    assert f"{kept['mended']}: 1 events, accepted" in told.out
    assert f"{kept['broken']}: not_json" in told.err
    assert await command(database, "quarantine", "list") == 0
    assert kept["mended"] not in capsys.readouterr().out
    assert await pool.fetchval("SELECT camera FROM camera_events") == "c1"
    assert await command(database, "quarantine", "show", str(new_id())) == 1
    assert await command(database, "quarantine", "show") == 2

    assert await command(database, "ledger", "--hour") == 0
    [line] = [line for line in capsys.readouterr().out.splitlines() if line.startswith("c1")]
    assert line.split()[3:] == ["1", "0", "0", "0", "0", "0", "0", "0", "1"]
    await pool.execute("UPDATE camera_counts SET events = 5")
    assert await command(database, "ledger") == 1
    assert "DOES NOT BALANCE" in capsys.readouterr().out


async def test_a_site_gets_a_user_of_the_broker_another_password_and_an_end(
    database: str, pool: ConnPool, capsys: pytest.CaptureFixture[str]
) -> None:
    async with transaction(pool) as (conn, _):
        await put_up(conn, "gate", 103.805, 36.055, "frigate")
    assert await command(database, "site", "add", "market", "gate", "--label", "hall") == 0
    name, first = capsys.readouterr().out.splitlines()[0].split("\t")
    assert (name, len(first)) == ("market", 32)

    async def kept() -> str:
        assert await command(database, "site", "definitions") == 0
        [user] = json.loads(capsys.readouterr().out)["users"]
        return str(user["password_hash"])

    before = await kept()
    salt = base64.b64decode(before)[:4]
    assert before == hashed(first, salt)
    assert await command(database, "site", "rotate", "market") == 0
    assert first not in (told := capsys.readouterr().out)
    assert "site definitions | rabbitmqctl import_definitions" in told
    assert await kept() != before
    assert await command(database, "site", "list") == 0
    assert capsys.readouterr().out.split("\t")[:4] == ["market", "active", "hall", "heard never"]
    assert await command(database, "site", "revoke", "market") == 0
    assert "rabbitmqctl delete_user market" in capsys.readouterr().out
    with pytest.raises(Unknown):
        await command(database, "site", "rotate", "market")
    with pytest.raises(Unknown):
        await command(database, "site", "revoke", "market")
    assert await command(database, "site", "definitions") == 0
    assert json.loads(capsys.readouterr().out)["users"] == []
    for wrong in (("add", "market"), ("rotate",), ("list", "market"), ("revoke", "market", "gate")):
        assert await command(database, "site", *wrong) == 2


async def test_a_device_by_sip_gets_a_password_another_one_and_an_end(
    database: str, pool: ConnPool, capsys: pytest.CaptureFixture[str]
) -> None:
    code = "62010200001180000001"
    async with transaction(pool) as (conn, _):
        await put_up(conn, "gate", 103.805, 36.055, "gb28181")
    assert await command(database, "sip", "add", code, "gate", "--label", "hall") == 0
    first = capsys.readouterr().out.strip().split("\t")
    assert (first[0], len(first[1])) == (code, 16)
    assert await command(database, "sip", "rotate", code) == 0
    assert capsys.readouterr().out.strip().split("\t")[1] != first[1]
    assert await command(database, "sip", "list") == 0
    assert capsys.readouterr().out.split("\t")[:4] == [code, "not registered", "hall", "heard never"]
    async with transaction(pool) as (conn, now):
        await register_sip_device(conn, Registration(code, "192.0.2.7", 3_600), now)
    assert await command(database, "sip", "list") == 0
    assert f"{code}\tregistered from 192.0.2.7 until " in capsys.readouterr().out
    assert await command(database, "sip", "revoke", code) == 0
    assert await command(database, "sip", "list") == 0
    assert capsys.readouterr().out.splitlines()[-1].split("\t")[1] == "revoked"
    with pytest.raises(Unknown):
        await command(database, "sip", "revoke", code)
    for wrong in (("add", code), ("rotate",), ("list", code), ("revoke", code, "gate")):
        assert await command(database, "sip", *wrong) == 2
