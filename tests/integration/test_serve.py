"""`gridsvc serve` as a process: it comes up, and goes down without dropping a request that it has begun."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg

from tests.integration.api.conftest import SECRET

BODY = b'{"username": "nobody", "password": "not a password"}'


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port


@asynccontextmanager
async def serving(database: str, port: int, **more: str) -> AsyncIterator[Process]:
    """The real process; yields it once it says that it is up, and makes sure that it ends."""
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("GRIDSVC_")},
        "GRIDSVC_DATABASE_URL": database, "GRIDSVC_SECRET": SECRET, "GRIDSVC_HTTP_PORT": str(port), **more,
    }  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "gridsvc", "serve", env=environment, stderr=PIPE
    )
    try:
        async with asyncio.timeout(30):
            await said(process, "process_started")
        yield process
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        await process.communicate()


async def said(process: Process, action: str) -> None:
    """Wait until the process has logged `action`."""
    assert process.stderr is not None
    while line := await process.stderr.readline():
        if json.loads(line)["action"] == action:
            return
    raise AssertionError(f"the process ended before it said {action}")


async def test_a_request_that_has_begun_is_finished_and_no_new_one_is_taken(database: str, owner_database: str) -> None:
    port, owner = free_port(), await asyncpg.connect(owner_database)
    async with serving(database, port) as process, asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        async with owner.transaction():
            await owner.execute("LOCK TABLE login_failures")  # the request waits for it
            head = f"POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Length: {len(BODY)}\r\n"
            writer.write(head.encode() + b"Content-Type: application/json\r\n\r\n" + BODY)
            while not await owner.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
                pass
            process.send_signal(signal.SIGTERM)
            await said(process, "process_stopping")
            while await listens(port):
                pass
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 401")
        writer.close()
        assert await process.wait() == 0
    await owner.close()


async def listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except ConnectionError:  # refused, or reset in the instant in which the listener closes
        return False
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return True


async def test_a_body_that_does_not_come_is_not_waited_for(database: str) -> None:
    port = free_port()
    async with serving(database, port, GRIDSVC_BODY_SECONDS="1"), asyncio.timeout(20):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = (
            "POST /api/v1/auth/login HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
        )
        writer.write(head.encode() + b"{")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 503")
        writer.close()


async def test_a_taken_port_is_said_in_one_line(database: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        environment = {**os.environ, "GRIDSVC_DATABASE_URL": database, "GRIDSVC_SECRET": SECRET}
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "gridsvc", "serve",
            env={**environment, "GRIDSVC_HTTP_PORT": str(port)}, stderr=PIPE,
        )  # fmt: skip
        async with asyncio.timeout(30):
            _, errors = await process.communicate()
    assert process.returncode == 1
    assert f"cannot serve on 127.0.0.1:{port}" in errors.decode().splitlines()[-1]
