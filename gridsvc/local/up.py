"""`gridsvc up`: everything of one instance, from nothing to a page that answers, until Ctrl-C."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import http.client
import json
import os
import threading
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

import asyncpg

from gridsvc.db import SERVICE, open_pool, transaction
from gridsvc.errors import CannotStart, SetupError
from gridsvc.local import processes
from gridsvc.local.broker_sites import tell_broker
from gridsvc.local.child import Child
from gridsvc.local.home import Home, open_home, python
from gridsvc.local.keep import write_private
from gridsvc.local.lan import Lan, check_free, host_name, lan_address
from gridsvc.local.processes import Identity
from gridsvc.local.record import end_leftovers, forget_record, one_run_at_a_time, write_record
from gridsvc.local.servers import PrivateServers
from gridsvc.local.supervisor import ServiceProcess, Supervisor, Tended
from gridsvc.migrate import migrate
from gridsvc.settings import Settings
from gridsvc.store import mqtt_sites

_RENEW_S: Final = 3_600.0  # how often it is looked whether the certificate ends soon
_PATIENCE_S: Final = 60.0  # after it a start that is not ready says why


@dataclass(frozen=True)
class Furnishing:
    """What the maker of the demo city is given."""

    database_url: str
    owner_database_url: str
    web_url: str
    file: Path
    sealing: Sequence[str] = ()  # what kept secrets are sealed with; none: none are kept
    mqtt_url: str = ""  # of the private broker


Furnish = Callable[[Furnishing], Awaitable[None]]


def up(arguments: argparse.Namespace, settings: Settings, furnish: Furnish) -> int:
    """Bring the instance up and keep it so until Ctrl-C; return the exit code (0 stopped, 1 could not).

    `arguments.home` overrides GRIDSVC_HOME; with `arguments.no_demo` the demo city is neither made nor played.
    `arguments.lan`: an address of a local network on which the web is served too, "" the one that this machine goes
    out by, None none.
    `furnish` makes it: called at every start on a private database, after migrating; it looks for itself
    whether there is anything to do.
    """
    try:
        home = open_home(Path(arguments.home) if arguments.home else settings.instance.home)
        with one_run_at_a_time(home):
            end_leftovers(home, say)
            lan = None if arguments.lan is None else _settle_lan(home, settings, arguments.lan)
            _Instance(home, settings, None if arguments.no_demo else furnish, lan).run()
        return 0
    except SetupError as trouble:
        say(f"cannot start: {trouble.message}")
        return 1


def say(text: str) -> None:
    """One line for the person at the terminal; a terminal that has gone is no trouble."""
    with contextlib.suppress(OSError):
        print(text, flush=True)


def _settle_lan(home: Home, settings: Settings, given: str) -> Lan:
    http = settings.http
    lan = Lan(home.lan, lan_address(given), host_name(), http.tls_port, http.enrol_port)
    check_free(lan.address, lan.port, "GRIDSVC_TLS_PORT")
    check_free(lan.address, lan.enrol_port, "GRIDSVC_ENROL_PORT")
    lan.settle(datetime.now(UTC), say)
    return lan


class _Instance:
    """One run of one instance."""

    def __init__(self, home: Home, settings: Settings, furnish: Furnish | None, lan: Lan | None) -> None:
        self._lan = lan
        self._renew_at = time.monotonic() + _RENEW_S
        self._home = home
        self._settings = settings
        self._furnish = furnish
        self._began = time.monotonic() - (processes.age_s(os.getpid()) or 0.0)
        self._prepared: Future[None] | None = None
        self._told: Future[None] | None = None
        self._is_ready = False
        self._complain_at = self._began + _PATIENCE_S
        self._tended: list[Tended] = []
        self._noting = threading.Lock()  # servers start in threads of their own
        self._servers = PrivateServers(
            home.path,
            database=not settings.database.url,
            broker=not settings.broker.url,
            web=settings.http.port if "GRIDSVC_HTTP_PORT" in os.environ else None,
            say=say,
            started=self._write_record,
        )
        self._database = settings.database.url or self._servers.database_url
        self._owner = settings.database.owner or self._servers.owner_database_url
        self._broker = settings.broker.url or self._servers.amqp_url
        write_private(home.token_key, self._servers.credentials.token_key + "\n")
        self._tended = self._parts()

    def run(self) -> None:
        self._write_record()
        supervisor = Supervisor(
            self._tended,
            stop_order=[["simulation", "web", "workers"], ["postgres", "rabbitmq"]],
            on_tick=self._look,
        )
        try:
            supervisor.run()
        finally:
            forget_record(self._home)
            say("stopped")

    def _parts(self) -> list[Tended]:
        servers = [Tended(server, lambda: True, say) for server in self._servers.all]
        return [
            *servers,
            # The web does not wait for the broker: reports are kept without it.
            Tended(self._service("web", "serve"), self._database_is_ready, say),
            Tended(self._service("workers", "worker", "all"), lambda: self._all_is_ready(servers), say),
            Tended(self._service("simulation", "simulate", "--gentle"), self._may_simulate, say),
        ]

    def _service(self, name: str, *words: str) -> ServiceProcess:
        child = Child(
            name=name,
            command=[python(), "-m", "gridsvc", *words],
            environment=self._environment(),
            log=self._home.log(name),
            folder=Path.cwd(),
            started=self._write_record,
        )
        return ServiceProcess(child)

    def _environment(self) -> Mapping[str, str]:
        """What the service's processes are told; what the caller set stays, but for the addresses chosen here."""
        chosen = {
            "GRIDSVC_HOME": str(self._home.path),
            "GRIDSVC_DATABASE_URL": self._database,
            "GRIDSVC_OWNER_DATABASE_URL": self._owner,
            "GRIDSVC_AMQP_URL": self._broker,
            "GRIDSVC_HTTP_PORT": str(self._servers.ports.web),
        }
        if self._lan is not None:
            chosen |= {"GRIDSVC_TLS_HOST": str(self._lan.address), "GRIDSVC_TLS_FOLDER": str(self._lan.folder)}
            if not self._settings.http.public_url:
                chosen["GRIDSVC_PUBLIC_URL"] = self._lan.url
        if not self._settings.identity.secret:
            chosen["GRIDSVC_SECRET_FILE"] = str(self._home.token_key)
        if "GRIDSVC_FILES" not in os.environ:
            chosen["GRIDSVC_FILES"] = str(self._home.path / "files")
        kept = {name: text for name, text in os.environ.items() if name.removesuffix("_FILE") not in chosen}
        return kept | chosen

    def _database_is_ready(self) -> bool:
        """Whether the database is migrated; sets about it when PostgreSQL is up. Raises what went wrong."""
        if self._prepared is None:
            if not all(one.up for one in self._tended if one.part.name == "postgres"):
                return False
            self._prepared = _aside(self._prepare)
        if not self._prepared.done():
            return False
        self._prepared.result()
        return True

    def _all_is_ready(self, servers: list[Tended]) -> bool:
        return all(one.up for one in servers) and self._database_is_ready()

    def _may_simulate(self) -> bool:
        """Whether there is a demo city to keep alive, and it is wanted."""
        wanted = self._furnish is not None and self._settings.instance.simulate == "on"
        return wanted and self._is_ready and self._home.demo.exists()

    async def _prepare(self) -> None:
        try:
            applied = await migrate(self._owner)
        except (OSError, asyncpg.PostgresError) as trouble:
            where = urlsplit(self._owner)
            raise CannotStart(f"the database at {where.hostname}:{where.port} cannot be used: {trouble}") from trouble
        if applied:
            say(f"database brought to today's schema: {', '.join(applied)}")
        if self._settings.database.url:
            return  # what others look after is migrated and not furnished
        await self._servers.postgres.let_the_service_in()
        if self._furnish is not None:
            sealing = [each for each in self._settings.identity.sealing if each]
            if not sealing:
                sealing = [self._servers.credentials.token_key]
            await self._furnish(
                Furnishing(self._database, self._owner, self._url, self._home.demo, sealing, self._mqtt_url)
            )

    @property
    def _url(self) -> str:
        host = self._settings.http.host
        return self._settings.http.public_url or f"http://{host}:{self._servers.ports.web}"

    @property
    def _mqtt_url(self) -> str:
        return "" if self._settings.broker.url else self._servers.rabbitmq.mqtt_url

    async def _tell_broker(self) -> None:
        """The private broker learns its sites at every start: one that lost its disk knows none."""
        try:
            async with (
                open_pool(self._owner, size=1, scope=SERVICE, name="gridsvc up", role=None) as pool,
                transaction(pool) as (conn, _),
            ):
                users = mqtt_sites.users(await mqtt_sites.LISTED.all(conn))
            await asyncio.to_thread(tell_broker, self._servers.rabbitmq, users)
        except (SetupError, OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as trouble:
            say(f"sites cannot publish over MQTT until the next start: {trouble}")

    def _look(self, now: float) -> None:
        """Once per tick, until it is ready: is it?"""
        if self._told is None and self._mqtt_url and self._all_is_ready(self._tended[: len(self._servers.all)]):
            self._told = _aside(self._tell_broker)
        if self._lan is not None and now >= self._renew_at:
            self._renew_at = now + _RENEW_S
            if self._lan.renew(datetime.now(UTC)):
                say("the certificate for the local network was renewed")
        if self._is_ready or not any(one.up for one in self._tended if one.part.name == "web"):
            return
        status, why = _ask_readyz(self._settings.http.host, self._servers.ports.web)
        if status == 200:
            self._is_ready = True
            self._welcome(time.monotonic() - self._began)
        elif now >= self._complain_at:
            self._complain_at = now + _PATIENCE_S
            say(f"not ready after {now - self._began:.0f} s: {why}; see {self._home.logs}")

    def _welcome(self, took_s: float) -> None:
        say(f"ready after {took_s:.1f} s")
        # With an address in the network, browsers on this machine use it too: cookies are bound to HTTPS then.
        say(f"  service  服务             {self._url if self._lan is None else self._lan.url}/")
        for line in self._lan.welcome() if self._lan is not None else ():
            say(f"  {line}")
        if self._mqtt_url:
            say(f"  MQTT for sites            {self._mqtt_url}")
        for line in _who_to_be(self._home):
            say(f"  {line}")
        say(f"  data and logs             {self._home.path}")
        say("  stop                      Ctrl-C")

    def _write_record(self) -> None:
        with self._noting:
            named: dict[str, Identity] = {}
            for one in self._tended:
                named.update(one.part.who())
            write_record(self._home, named)


def _aside(work: Callable[[], Coroutine[Any, Any, None]]) -> Future[None]:
    """Run `work` on a loop and thread of its own, which does not keep a process that stops from ending."""
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="prepare", daemon=True).start()
    outcome = asyncio.run_coroutine_threadsafe(work(), loop)
    outcome.add_done_callback(lambda _: loop.call_soon_threadsafe(loop.stop))
    return outcome


def _ask_readyz(host: str, port: int) -> tuple[int, str]:
    """Status and text of /readyz; 0 and a reason while nobody answers."""
    asked = "127.0.0.1" if host in {"", "0.0.0.0", "::"} else host  # noqa: S104 - compared, not bound
    line = http.client.HTTPConnection(asked, port, timeout=0.5)
    try:
        line.request("GET", "/readyz")
        answer = line.getresponse()
        return answer.status, answer.read(500).decode("utf-8", errors="replace")
    except (OSError, http.client.HTTPException) as trouble:
        return 0, f"/readyz gives no answer ({trouble})"
    finally:
        line.close()


def _who_to_be(home: Home) -> list[str]:
    """One user of each role of the demo city, to sign in as."""
    try:
        users = json.loads(home.demo.read_text(encoding="utf-8"))["users"]
    except FileNotFoundError:
        return ["no demo city: make the first user with  gridsvc user add"]
    first: dict[str, str] = {}
    for user in users:
        first.setdefault(user["role"], f"{user['username']} / {user['password']}")
    return [*(f"{role:<24}  {login}" for role, login in first.items()), f"all of them               {home.demo}"]
