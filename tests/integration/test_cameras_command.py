"""`gridsvc cameras`: the ledger balances or says where not; what could not be read is seen and replayed."""

from __future__ import annotations

import argparse

import pytest

from events.intake.camera_event import Refused
from gridsvc.actions.quarantine_message import Message, quarantine_message
from gridsvc.commands import cameras
from gridsvc.db import ConnPool, transaction
from gridsvc.ids import new_id
from tests.integration.api.conftest import settings_for
from tests.integration.small_city import found_small_city

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
