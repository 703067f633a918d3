"""A whole city on this machine in a folder of its own: private servers, a town, and the service's real processes.

The processes are kept running as `gridsvc up` keeps them; one can be killed, held down or asked to stop.
"""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import asyncpg

from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.ids import new_id
from gridsvc.local.broker_sites import tell_broker
from gridsvc.local.child import Child
from gridsvc.local.city import load_city, make_if_empty
from gridsvc.local.city_demo_file import KEYS, DemoSecrets, make_secrets
from gridsvc.local.city_plan import City
from gridsvc.local.servers import PrivateServers
from gridsvc.local.supervisor import Part, ServiceProcess, Tended
from gridsvc.migrate import migrate

_TICK_S: Final = 0.05
PATIENCE_S: Final = 60.0


class Stage:
    """The servers of one city and its processes. A context manager: at the end nothing of it runs.

    `settings` are GRIDSVC_… names for every process; `say` hears what a person at the terminal would.
    """

    def __init__(
        self,
        home: Path,
        settings: Mapping[str, str] | None = None,
        say: Callable[[str], None] = lambda _: None,
    ) -> None:
        self.home = home
        self._say = say
        self._servers = PrivateServers(home, durable=True)
        self._given = dict(settings or {})
        self._tended: dict[str, Tended] = {}
        self._held: set[str] = set()
        self._abandon = threading.Event()
        self._threads = ThreadPoolExecutor(max_workers=8, thread_name_prefix="part")
        self._turn = threading.Lock()
        self._done = threading.Event()
        self._keeper = threading.Thread(target=self._keep, name="keeper")
        self.secrets: DemoSecrets | None = None

    def __enter__(self) -> Self:
        for server in self._servers.all:
            self._tend(server)
        self._keeper.start()
        try:
            self.await_up("postgres", "rabbitmq")
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End every process, the service's first. Twice does no harm."""
        self._done.set()
        self._abandon.set()
        self._keeper.join()
        self._threads.shutdown(wait=True)
        for name in (*(n for n in self._tended if n not in ("postgres", "rabbitmq")), "rabbitmq", "postgres"):
            if name in self._tended:
                self._tended[name].part.stop()

    # -- addresses ----------------------------------------------------------------------------

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._servers.ports.web}"

    @property
    def port(self) -> int:
        return self._servers.ports.web

    @property
    def database_url(self) -> str:
        return self._servers.database_url

    @property
    def owner_url(self) -> str:
        return self._servers.owner_database_url

    @property
    def amqp_url(self) -> str:
        return self._servers.amqp_url

    @property
    def mqtt_port(self) -> int:
        return self._servers.ports.mqtt

    def tell_broker(self, users: Sequence[tuple[str, str]]) -> None:
        """Make users of the broker for sites that publish over MQTT, by name and hash."""
        tell_broker(self._servers.rabbitmq, users)

    @property
    def secret(self) -> str:
        """What the service signs with."""
        return self._servers.credentials.token_key

    @property
    def broker_data(self) -> Path:
        """Where RabbitMQ keeps everything that it must not lose."""
        return self._servers.home.rabbitmq / "mnesia"

    # -- the city -----------------------------------------------------------------------------

    async def furnish(self, town: City, *, is_test: bool, most_open: int = 12) -> None:
        """Migrate, load `town`, and put every officer on duty. `is_test`: its clock may be shifted."""
        await migrate(self.owner_url)
        await self._servers.postgres.let_the_service_in()
        self.secrets = make_secrets(town.people, [new_id() for _ in KEYS])
        async with (
            open_pool(self.owner_url, size=1, scope=SERVICE, name="furnish", role=None) as pool,
            transaction(pool) as (conn, now),
        ):
            await load_city(conn, town, self.secrets, now)
            await conn.execute("UPDATE instance SET is_test = $1", is_test)
            await conn.execute("UPDATE officers SET on_duty = true, most_open = $1", most_open)
            await conn.execute("ANALYZE")  # as autovacuum would within a minute

    async def furnish_demo(self) -> None:
        """Migrate and make the demo city with its demo.json, as `gridsvc up` does."""
        await migrate(self.owner_url)
        await self._servers.postgres.let_the_service_in()
        await make_if_empty(self.owner_url, self.home, self.url)

    async def count(self, table: str) -> int:
        """How many rows a table has."""
        owner = await asyncpg.connect(self.owner_url, timeout=10)
        try:
            return int(await owner.fetchval(f"SELECT count(*) FROM {table}"))  # noqa: S608 - our own tables
        finally:
            await owner.close()

    async def shift_clock(self, by: timedelta) -> None:
        """Let the city's time jump ahead, for every process at once."""
        owner = await asyncpg.connect(self.owner_url, timeout=10)
        try:
            await owner.execute("UPDATE instance SET time_shift = time_shift + $1", by)
        finally:
            await owner.close()

    # -- processes ----------------------------------------------------------------------------

    def run(self, name: str, *words: str, settings: Mapping[str, str] | None = None) -> None:
        """Start `gridsvc <words>` and keep it running under `name`."""
        child = Child(
            name=name,
            command=[sys.executable, "-m", "gridsvc", *words],
            environment={**self._environment(), **(settings or {})},
            log=self._servers.home.log(name),
            folder=Path.cwd(),
        )
        self._tend(ServiceProcess(child))

    def tell(self, *words: str) -> tuple[int, str]:
        """Run `gridsvc <words>` to its end; its exit code, and what it said."""
        done = subprocess.run(
            [sys.executable, "-m", "gridsvc", *words], env=self._environment(), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        return done.returncode, done.stdout.decode()

    def await_up(self, *names: str, patience_s: float = PATIENCE_S) -> None:
        """Wait until these have been started (again); fail with what they last wrote."""
        self._until(lambda: all(self._tended[name].up for name in names), patience_s, f"{', '.join(names)} up")

    def pid(self, name: str) -> int:
        """The process that runs under `name` now."""
        return self._tended[name].part.who()[name].pid

    def runs(self, name: str) -> bool:
        """Whether it runs at this moment."""
        return self._tended[name].part.runs()

    def kill(self, name: str) -> None:
        """kill -9; it is started again as a supervisor would. Returns when it is gone."""
        with self._turn:
            part = self._tended[name].part
            pid = self.pid(name)
            os.kill(pid, signal.SIGKILL)
        self._until(lambda: not part.runs() or self._pid_or_none(name) != pid, PATIENCE_S, f"{name} gone")

    def restart(self, name: str) -> None:
        """SIGTERM, wait for its end, and let it be started again; fail if it had to be killed."""
        with self._turn:
            part = self._tended[name].part
            os.kill(self.pid(name), signal.SIGTERM)
            deadline = time.monotonic() + 20
            while part.runs():
                assert time.monotonic() < deadline, f"{name} did not end within 20 s of SIGTERM"
                self._done.wait(_TICK_S)
        self.await_up(name)

    def hold_down(self, name: str) -> None:
        """Kill it and keep it down until `release`."""
        self._held.add(name)
        self.kill(name)

    def release(self, name: str) -> None:
        """Let it be started again; returns when it is up."""
        self._held.discard(name)
        self.await_up(name)

    def log_of(self, name: str) -> str:
        """What the process wrote so far."""
        return self._tended[name].part.log.read_text(encoding="utf-8", errors="replace")

    def _tend(self, part: Part) -> None:
        name = part.name
        with self._turn:
            self._tended[name] = Tended(part, lambda: name not in self._held, self._say)

    def _keep(self) -> None:
        while not self._done.wait(_TICK_S):
            with self._turn:
                for one in self._tended.values():
                    one.tend(time.monotonic(), self._threads, self._abandon)

    def _pid_or_none(self, name: str) -> int | None:
        who = self._tended[name].part.who().get(name)
        return who.pid if who else None

    def _until(self, condition: Callable[[], bool], patience_s: float, what: str) -> None:
        deadline = time.monotonic() + patience_s
        while not condition():
            if time.monotonic() > deadline or not self._keeper.is_alive():
                logs = "\n".join(f"{name}: {self.log_of(name)[-1500:]}" for name in self._tended)
                raise TimeoutError(f"not within {patience_s:.0f} s: {what}\n{logs}")
            threading.Event().wait(_TICK_S)

    def _environment(self) -> dict[str, str]:
        kept = {name: text for name, text in os.environ.items() if not name.startswith("GRIDSVC_")}
        return kept | {
            "GRIDSVC_HOME": str(self.home),
            "GRIDSVC_DATABASE_URL": self.database_url,
            "GRIDSVC_OWNER_DATABASE_URL": self.owner_url,
            "GRIDSVC_AMQP_URL": self.amqp_url,
            "GRIDSVC_HTTP_PORT": str(self.port),
            "GRIDSVC_SECRET": self.secret,
            "GRIDSVC_FILES": str(self.home / "files"),
        } | self._given  # fmt: skip


def furnish_now(stage: Stage, town: City, *, is_test: bool, most_open: int = 12) -> None:
    """`Stage.furnish` where no event loop runs."""
    asyncio.run(stage.furnish(town, is_test=is_test, most_open=most_open))
