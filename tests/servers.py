"""The private servers of a test session: started on first use, a fresh database and virtual host for each test."""

from __future__ import annotations

import asyncio
import base64
import http.client
import os
import shutil
import tempfile
import threading
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncpg

from gridsvc.local.postgres import OWNER, SERVICE
from gridsvc.local.servers import PrivateServers
from gridsvc.migrate import migrate
from tests.watchman import Watchman

TEMPLATE = "template_city"

IN_MEMORY = Path("/dev/shm")  # noqa: S108 - a folder of Linux in memory; the one that is made in it is this session's
ROOM_NEEDED = 4 << 30  # a session holds some 150 MB, and a test of real processes has its own


@dataclass(frozen=True)
class FreshDatabase:
    """One cloned database, as the service's login sees it and as its owner does."""

    name: str
    url: str
    owner_url: str


class SessionServers:
    """One PostgreSQL and one RabbitMQ for a whole test session, each started when first asked for.

    The databases are careless about power loss. `close` removes every trace, and if this process is killed before,
    its watchman does.
    """

    def __init__(self) -> None:
        self._home = Path(tempfile.mkdtemp(prefix="gridsvc-test-", dir=_in_memory()))
        self._home.chmod(0o755)  # PostgreSQL may run as another user and must reach its folder
        self._watchman = Watchman(self._home, remove=True)
        self._servers = PrivateServers(self._home, durable=False, management=True)
        self._numbers = count(1)
        self._has_template = False
        self._has_broker = False

    def fresh_database(self) -> FreshDatabase:
        """Clone the template, which is migrated and marked as a test's: its clock may be shifted."""
        self._need_template()
        name = f"city_{next(self._numbers)}"
        # Copying files beats writing the clone through the log here: 90 ms against 290 ms.
        self._as_owner("postgres", f"CREATE DATABASE {name} TEMPLATE {TEMPLATE} STRATEGY file_copy")
        # A city of its own: processes keep a city's rules by its id, and clones would share one.
        self._as_owner(name, "UPDATE instance SET instance_id = gen_random_uuid()")
        postgres = self._servers.postgres
        return FreshDatabase(name, postgres.url(SERVICE, name), postgres.url(OWNER, name))

    def drop_database(self, database: FreshDatabase) -> None:
        """Drop it, sessions of processes that a test killed included."""
        self._as_owner("postgres", f"DROP DATABASE {database.name} WITH (FORCE)")

    def fresh_vhost(self) -> str:
        """Make a virtual host of the broker; return its AMQP URL."""
        if not self._has_broker:
            self._servers.rabbitmq.start(threading.Event())
            self._has_broker = True
        name = f"test_{next(self._numbers)}"
        self._ask_broker("PUT", f"/api/vhosts/{name}")
        self._ask_broker("PUT", f"/api/permissions/{name}/gridsvc", '{"configure":".*","write":".*","read":".*"}')
        return self._servers.amqp_url + name

    def drop_vhost(self, url: str) -> None:
        self._ask_broker("DELETE", f"/api/vhosts/{urlsplit(url).path.removeprefix('/')}")

    @property
    def home(self) -> Path:
        """The folder in which the servers work."""
        return self._home

    @property
    def mqtt_port(self) -> int:
        """Where the broker takes MQTT; a user names his virtual host before his name, with a colon."""
        return self._servers.ports.mqtt

    def make_sites(self, document: str) -> None:
        """Make users of the broker by a document of definitions."""
        self._ask_broker("POST", "/api/definitions", document)

    def close(self) -> None:
        self._servers.stop()
        data = self._servers.home.postgres
        if data.exists():
            shutil.rmtree(data.resolve())  # elsewhere, if the temporary folder is closed to the database's user
        shutil.rmtree(self._home)
        self._watchman.dismiss()

    def _need_template(self) -> None:
        if self._has_template:
            return
        postgres = self._servers.postgres
        postgres.start(threading.Event())
        self._as_owner("postgres", f"CREATE DATABASE {TEMPLATE}")
        _apart(migrate(postgres.url(OWNER, TEMPLATE)))
        _apart(postgres.let_the_service_in(TEMPLATE))
        self._as_owner(TEMPLATE, "UPDATE instance SET is_test = true")
        self._has_template = True

    def _as_owner(self, database: str, statement: str) -> None:
        async def run() -> None:
            conn = await asyncpg.connect(self._servers.postgres.url(OWNER, database), timeout=10)
            try:
                await conn.execute(statement, timeout=60)
            finally:
                await conn.close()

        _apart(run())

    def _ask_broker(self, method: str, path: str, body: str = "") -> None:
        where = urlsplit(self._servers.rabbitmq.management_url)
        login = base64.b64encode(f"{where.username}:{where.password}".encode()).decode()
        line = http.client.HTTPConnection(str(where.hostname), where.port, timeout=30)
        try:
            headers = {"Authorization": f"Basic {login}", "Content-Type": "application/json"}
            line.request(method, path, body, headers)
            answer = line.getresponse()
            text = answer.read().decode()
            assert answer.status < 300, f"{method} {path}: {answer.status} {text}"
        finally:
            line.close()


def _in_memory() -> Path | None:
    """Where files cost no disk, if this machine has room there: cloning a database takes 110 ms instead of 375."""
    roomy = IN_MEMORY.is_dir() and shutil.disk_usage(IN_MEMORY).free >= ROOM_NEEDED
    return IN_MEMORY if roomy and os.access(IN_MEMORY, os.W_OK) else None


def _apart(work: Coroutine[Any, Any, object]) -> None:
    """Run `work` on a loop and thread of its own: the session's loop may be running in this one."""
    with ThreadPoolExecutor(max_workers=1) as thread:
        thread.submit(asyncio.run, work).result()
