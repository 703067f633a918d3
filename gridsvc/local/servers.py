"""PostgreSQL and RabbitMQ of one home, started together: for `gridsvc up`, the tests and the bench."""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from gridsvc.errors import CannotStart
from gridsvc.local.credentials import Credentials, settle_credentials
from gridsvc.local.home import open_home
from gridsvc.local.ports import Ports, settle
from gridsvc.local.postgres import Postgres
from gridsvc.local.rabbitmq import RabbitMQ


def _say_nothing(_: str) -> None:
    pass


class PrivateServers:
    """Both servers as a context manager, or by `start` and `stop`.

    `database=False` or `broker=False` leaves that one out (one that exists is used instead).
    `durable=False` and `management=True` are for tests; `started` is told whenever a process was started.
    The home must not be in use by another run.
    """

    def __init__(
        self,
        home: Path,
        *,
        database: bool = True,
        broker: bool = True,
        durable: bool = True,
        management: bool = False,
        web: int | None = None,
        say: Callable[[str], None] = _say_nothing,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        self.home = open_home(home)
        self.credentials: Credentials = settle_credentials(self.home.secrets)
        needed = {"web"} if web is None else set()
        needed |= {"postgres"} if database else set()
        needed |= {"amqp", "mqtt", "distribution", "epmd"} if broker else set()
        needed |= {"management"} if management else set()
        self.ports: Ports = settle(self.home.ports, say, needed=needed, web=web)
        self._postgres = (
            Postgres(self.home, self.ports.postgres, self.credentials, say, durable=durable, started=started)
            if database
            else None
        )
        self._rabbitmq = (
            RabbitMQ(self.home, self.ports, self.credentials, say, management=management, started=started)
            if broker
            else None
        )

    @property
    def postgres(self) -> Postgres:
        if self._postgres is None:
            raise CannotStart("this instance has no private PostgreSQL: GRIDSVC_DATABASE_URL names another")
        return self._postgres

    @property
    def rabbitmq(self) -> RabbitMQ:
        if self._rabbitmq is None:
            raise CannotStart("this instance has no private RabbitMQ: GRIDSVC_AMQP_URL names another")
        return self._rabbitmq

    @property
    def database_url(self) -> str:
        """The service's login. It may do nothing before `postgres.let_the_service_in()`, after migrating."""
        return self.postgres.service_url

    @property
    def owner_database_url(self) -> str:
        """The login that owns and migrates the database."""
        return self.postgres.owner_url

    @property
    def amqp_url(self) -> str:
        return self.rabbitmq.url

    @property
    def all(self) -> list[Postgres | RabbitMQ]:
        """The servers of this instance, in the order in which they are started."""
        return [server for server in (self._postgres, self._rabbitmq) if server is not None]

    def start(self, abandon: threading.Event | None = None) -> None:
        """Start both at once and wait for both; on the first failure stop both and raise it."""
        signal = abandon or threading.Event()
        with contextlib.ExitStack() as undo:
            undo.callback(self.stop)
            with ThreadPoolExecutor(thread_name_prefix="start") as threads:
                for done in [threads.submit(server.start, signal) for server in self.all]:
                    done.result()
            undo.pop_all()

    def stop(self) -> None:
        """Stop both at once; twice does no harm."""
        with ThreadPoolExecutor(thread_name_prefix="stop") as threads, contextlib.ExitStack() as waits:
            for server in self.all:
                waits.callback(threads.submit(server.stop).result)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
