"""All workers together: a report finds its officer, and `gridsvc worker` says how things stand."""

from __future__ import annotations

import argparse
import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from uuid import UUID

import pytest

from gridsvc.commands import worker
from gridsvc.db import SERVICE, transaction
from gridsvc.errors import BadSettings
from gridsvc.ids import new_id
from gridsvc.settings import Settings, read_settings
from gridsvc.store import failures, outbox
from gridsvc.store.failures import Message
from tests.integration.announced import filed
from tests.integration.patiently import until
from tests.integration.small_city import category, report
from tests.integration.stories.conftest import Town
from workers.run import KINDS, work


@pytest.fixture
def settings(database: str, amqp_url: str) -> Settings:
    return read_settings(
        {
            "GRIDSVC_DATABASE_URL": database, "GRIDSVC_AMQP_URL": amqp_url, "GRIDSVC_SECRET": "a secret of the test",
            "GRIDSVC_SIP_LISTEN": "127.0.0.1:0", "GRIDSVC_SIP_SERVER": "62010000002000000001",
        }
    )  # fmt: skip


@asynccontextmanager
async def working(settings: Settings, *kinds: str) -> AsyncIterator[None]:
    """These workers, ended by SIGTERM as in production."""
    task = asyncio.create_task(work(kinds, settings))
    try:
        yield
    finally:
        assert not task.done(), task
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(20):
            await task


async def command(settings: Settings, *words: str, everything: bool = False) -> int:
    return await worker.run(argparse.Namespace(words=list(words), all=everything), settings)


async def test_a_report_finds_its_officer_and_he_hears_of_it(town: Town, settings: Settings) -> None:
    async with town.pool.acquire() as conn:
        code = await category(conn, handled_by="officer")

    async def officers_told() -> set[UUID]:
        return {row["user_id"] for row in await town.rows("SELECT user_id FROM notices WHERE kind = 'case.assigned'")}

    async with working(settings, *KINDS):
        case = await town.filed(report(town.city.dispatcher, code))
        told = await until(officers_told, what="the officer's notice")

    assert told == {(await town.case(case.id)).officer_id}


async def test_a_worker_without_what_it_needs_says_so(settings: Settings) -> None:
    with pytest.raises(BadSettings, match="GRIDSVC_AMQP_URL, GRIDSVC_DATABASE_URL, GRIDSVC_SECRET"):
        await work(KINDS, read_settings({}))


async def test_status_shows_what_waits_and_what_is_dead(
    town: Town, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    message = Message("routing", new_id(), "case.filed", "{}")
    async with transaction(town.pool, SERVICE) as (conn, now):
        await outbox.append(conn, [filed()], now)
        await failures.put(conn, message, 8, None, "KeyError: x", now)

    async def consumes() -> bool:
        assert await command(settings, "status") == 0
        return "0 messages, 1 consumers, 0 dead letters; 0 to be tried again, 1 dead" in capsys.readouterr().out

    assert await command(settings, "status") == 0
    before = capsys.readouterr().out
    async with working(settings, "listen"):
        await until(consumes, what="a consumer in the status")

    assert "1 waiting, the oldest for" in before
    assert "routing   not declared yet; 0 to be tried again, 1 dead" in before
    assert str(message.event_id) in before


async def test_status_without_a_broker_shows_the_rows_and_fails(
    town: Town, settings: Settings, database: str, capsys: pytest.CaptureFixture[str]
) -> None:
    away = read_settings({"GRIDSVC_DATABASE_URL": database, "GRIDSVC_AMQP_URL": "amqp://nobody:secret@127.0.0.1:9/"})

    assert await command(away, "status") == 1
    said = capsys.readouterr().out
    assert "broker    away" in said
    assert "secret" not in said
    assert "notices   0 to be tried again, 0 dead" in said


async def test_a_dead_message_is_tried_again_when_a_person_says_so(
    town: Town, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    one, two = (Message("routing", new_id(), "case.filed", "{}") for _ in range(2))
    async with transaction(town.pool, SERVICE) as (conn, now):
        for message in (one, two):
            await failures.put(conn, message, 8, None, "KeyError: x", now)

    assert await command(settings, "replay", "routing", str(one.event_id)) == 0
    assert await command(settings, "replay", "routing", str(one.event_id)) == 1, "it is not dead any more"
    assert await command(settings, "replay", "routing", everything=True) == 0
    assert await command(settings, "replay", "notices", everything=True) == 1
    assert "1 dead messages of routing are tried again" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "everything"),
    [
        (["relais"], False),
        (["relay", "status"], False),
        (["relay"], True),
        (["replay"], False),
        (["replay", "routing"], False),
        (["replay", "routing", "seven"], False),
        (["replay", "elsewhere"], True),
        (["replay", "routing", str(UUID(int=7))], True),
    ],
)
async def test_a_wrong_command_says_what_is_wanted(
    settings: Settings, words: list[str], everything: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    assert await command(settings, *words, everything=everything) == 2
    assert "want" in capsys.readouterr().err
