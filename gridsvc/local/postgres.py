"""A private PostgreSQL cluster with PostGIS: found, made, started, stopped, started again after a crash."""

import asyncio
import os
import re
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

import asyncpg

from gridsvc.errors import CannotStart
from gridsvc.local import processes
from gridsvc.local.child import Abandoned, Child
from gridsvc.local.credentials import Credentials
from gridsvc.local.home import Account, Home, database_account, short_name
from gridsvc.local.logfile import last_lines
from gridsvc.local.ports import LOOPBACK

OWNER: Final = "gridsvc"
SERVICE: Final = "gridsvc_service"
DATABASE: Final = "gridsvc"

START_S: Final = 60.0  # recovery after a crash replays at most max_wal_size: 4 s measured for 1 GB
STOP_S: Final = 6.0  # a fast shutdown writes one checkpoint: 0.3 s on the demo city

_SETTINGS: Final = {
    "listen_addresses": LOOPBACK,
    "unix_socket_directories": "",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "log_line_prefix": "%m [%p] ",
    # The details of an error quote whole rows, and rows hold residents' names and phones.
    "log_error_verbosity": "terse",
    "log_min_error_statement": "panic",
    # Read once by the server rather than by each session: opening one takes 10 ms instead of 18.
    "shared_preload_libraries": "postgis-3",
    "shared_buffers": "256MB",
    "max_connections": "200",
    "random_page_cost": "1.1",
    "jit": "off",
    "wal_compression": "on",
    "checkpoint_completion_target": "0.9",
    # A city that has just begun outgrows the plans made for its empty tables within seconds; ANALYZE renews them.
    "autovacuum_naptime": "10s",
    # Statements of ours are longer than the usual 1 kB, and whoever looks at one that hangs wants its end.
    "track_activity_query_size": "4kB",
}

# For tests: a machine that loses power may lose the tests' databases.
_CARELESS: Final = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "autovacuum": "off"}

_HOMEBREW: Final = ("/opt/homebrew/opt", "/usr/local/opt")


class Postgres:
    """One cluster of one home, on one loopback port, without a socket file.

    `durable=False` gives up safety against power loss for speed, for tests.
    """

    def __init__(
        self,
        home: Home,
        port: int,
        credentials: Credentials,
        say: Callable[[str], None],
        *,
        durable: bool = True,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = "postgres"
        self.port = port
        self.log = home.log(self.name)
        self._home = home
        self._credentials = credentials
        self._say = say
        self._durable = durable
        self._started = started
        self._account = database_account()
        self._child: Child | None = None

    @property
    def owner_url(self) -> str:
        """The login that owns the database and migrates it."""
        return self.url(OWNER, DATABASE)

    @property
    def service_url(self) -> str:
        """The login that the service works with; it owns nothing."""
        return self.url(SERVICE, DATABASE)

    def url(self, user: str, database: str) -> str:
        password = self._credentials.owner_password if user == OWNER else self._credentials.service_password
        return f"postgresql://{user}:{password}@{LOOPBACK}:{self.port}/{database}"

    def runs(self) -> bool:
        return self._child is not None and self._child.runs()

    def ending(self) -> str:
        return self._child.ending() if self._child else "not started"

    def who(self) -> dict[str, processes.Identity]:
        return self._child.who() if self._child else {}

    def start(self, abandon: threading.Event) -> None:
        """Make the cluster if there is none, start it, wait until it answers; roles and database are there then.

        After a crash it recovers first. Raises CannotStart with the end of the log, Abandoned when told to stop.
        """
        data = self._folder() / "data"
        binaries = binaries_for(data)
        if not (data / "PG_VERSION").exists():
            self._make(data, binaries)
        _end_orphans(data, self._say)
        self._child = Child(
            name=self.name,
            command=self._command(data, binaries),
            environment=_environment(),
            log=self.log,
            folder=data,
            account=self._account,
            stop_signal=signal.SIGINT,  # fast: ends sessions, writes a checkpoint; SIGTERM would wait for clients
            started=self._started,
        )
        self._child.start()
        self._wait_until_ready(data, abandon)
        asyncio.run(self._make_roles())

    def stop(self) -> None:
        """Shut it down; kill it after STOP_S. The data is safe either way. Twice does no harm."""
        if self._child is not None:
            self._child.stop(STOP_S)

    async def let_the_service_in(self, database: str = DATABASE) -> None:
        """Give the service's login the application role that the first migration makes. Twice does no harm."""
        conn = await asyncpg.connect(self.url(OWNER, database), timeout=10)
        try:
            await conn.execute(f"GRANT gridsvc_app TO {SERVICE}")
        finally:
            await conn.close()

    def _command(self, data: Path, binaries: Path) -> list[str]:
        settings = _SETTINGS | {"port": str(self.port)} | ({} if self._durable else _CARELESS)
        words = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [str(binaries / "postgres"), "-D", str(data), *words]

    def _folder(self) -> Path:
        """The folder of the cluster, open to the account it runs as."""
        place = self._home.postgres
        if not place.exists():
            place.unlink(missing_ok=True)  # a link whose target is gone
            place.mkdir(mode=0o700)
            if self._account is not None:
                os.chown(place, self._account.uid, self._account.gid)
                if not _may_work_in(place, self._account):
                    place.rmdir()
                    place.symlink_to(_folder_elsewhere(self._home, self._account))
        real = place.resolve()
        wanted = self._account.uid if self._account else os.geteuid()
        if real.stat().st_uid != wanted:
            raise CannotStart(
                f"the database in {real} belongs to user {real.stat().st_uid}, this start would run it as user "
                f"{wanted}: start as the user who made it, or name another home (GRIDSVC_HOME)"
            )
        if real != self._home.path.resolve() / "postgres":
            self._say(f"the home is closed to user 'postgres', so the database lies in {real}")
        return real

    def _make(self, data: Path, binaries: Path) -> None:
        """Make the cluster beside its place and move it there whole: a kill in between leaves no half of one."""
        self._say("making a private PostgreSQL cluster")
        draft = Path(tempfile.mkdtemp(prefix="making-", dir=data.parent))
        password_file = draft.with_suffix(".password")
        password_file.touch(mode=0o600)
        password_file.write_text(self._credentials.owner_password + "\n", encoding="ascii")
        if self._account is not None:
            os.chown(draft, self._account.uid, self._account.gid)
            os.chown(password_file, self._account.uid, self._account.gid)
        try:
            command = [
                str(binaries / "initdb"), "-D", str(draft), "-U", OWNER, "-A", "scram-sha-256",
                f"--pwfile={password_file}", "-E", "UTF8", *_locale(), *([] if self._durable else ["--no-sync"]),
            ]  # fmt: skip
            made = _run_as(self._account, command, data.parent)
        finally:
            password_file.unlink()
        if made.returncode != 0:
            raise CannotStart(f"initdb could not make a cluster in {draft}: {made.stderr.strip()}")
        draft.rename(data)

    def _wait_until_ready(self, data: Path, abandon: threading.Event) -> None:
        until = time.monotonic() + START_S
        while not self._says_ready(data):
            if not self.runs():
                raise CannotStart(_with_log(f"PostgreSQL ended while starting ({self.ending()})", self.log))
            if time.monotonic() > until:
                raise CannotStart(_with_log(f"PostgreSQL was not ready after {START_S:.0f} s", self.log))
            if abandon.wait(0.02):
                raise Abandoned

    def _says_ready(self, data: Path) -> bool:
        """Whether our own process says so in its file: line 1 its pid, line 8 its state (as pg_ctl reads it)."""
        try:
            lines = (data / "postmaster.pid").read_text(encoding="utf-8", errors="replace").splitlines()
        except FileNotFoundError:
            return False
        ours = self._child is not None and len(lines) >= 8 and lines[0].strip() == str(self._child.pid)
        return ours and lines[7].strip() == "ready"

    async def _make_roles(self) -> None:
        """The service's login and the database, where they are missing; passwords as the credentials say."""
        conn = await asyncpg.connect(self.url(OWNER, "postgres"), timeout=10)
        try:
            if not await conn.fetchval("SELECT 1 FROM pg_roles WHERE rolname = $1", SERVICE):
                # A password cannot be a parameter here. Ours is made of letters, digits, - and _ alone.
                await conn.execute(f"CREATE ROLE {SERVICE} LOGIN PASSWORD '{self._credentials.service_password}'")
            if not await conn.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", DATABASE):
                await conn.execute(f"CREATE DATABASE {DATABASE}")
        finally:
            await conn.close()


def binaries_for(data: Path) -> Path:
    """Where the PostgreSQL programs for this cluster are: its own major version, or the newest with PostGIS.

    Raises CannotStart naming what is missing.
    """
    found = [folder for folder in _installed() if _has_postgis(folder)]
    version_file = data / "PG_VERSION"
    if version_file.exists():
        major = version_file.read_text(encoding="ascii").strip()
        fitting = [folder for folder in found if _major(folder) == major]
        if not fitting:
            raise CannotStart(
                f"the database in {data} was made by PostgreSQL {major}, and this machine has no PostgreSQL {major} "
                f"with PostGIS: install it, or carry the data over with pg_upgrade"
            )
        return fitting[0]
    if not found:
        raise CannotStart("no PostgreSQL with PostGIS on this machine: run gridsvc/local/install-packages.sh")
    return found[0]


def _installed() -> list[Path]:
    """Folders that hold PostgreSQL's programs, newest first."""
    debian = Path("/usr/lib/postgresql").glob("*/bin")
    homebrew = [folder for root in _HOMEBREW for folder in Path(root).glob("postgresql*/bin")]
    those = [folder for folder in (*debian, *homebrew) if (folder / "initdb").exists()]
    return sorted(those, key=lambda folder: -int(_major(folder) or 0))


def _major(folder: Path) -> str:
    """The major version, from the folder's name where it tells (15, postgresql@17), else from the program."""
    named = re.search(r"(?:postgresql[@/])(\d+)", str(folder))
    if named:
        return named.group(1)
    answer = _run_as(None, [str(folder / "postgres"), "--version"], Path("/")).stdout
    told = re.search(r"(\d+)", answer)
    return told.group(1) if told else ""


def _has_postgis(folder: Path) -> bool:
    debian = Path("/usr/share/postgresql") / folder.parent.name / "extension/postgis.control"
    if debian.exists():
        return True
    if not (folder / "pg_config").exists():
        return False
    share = _run_as(None, [str(folder / "pg_config"), "--sharedir"], Path("/")).stdout.strip()
    return bool(share) and Path(share, "extension/postgis.control").exists()


def _locale() -> list[str]:
    """Order by code point, letters of every script known; macOS has no C.UTF-8 before version 15."""
    if processes.LINUX:
        return ["--locale=C.UTF-8"]
    return ["--locale=C", "--lc-ctype=UTF-8"]


def _environment() -> dict[str, str]:
    """Nothing of the caller's: a PGPORT or PGDATA set for another server must not reach ours."""
    return {"PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8" if processes.LINUX else "C", "TZ": "UTC"}


def _run_as(account: Account | None, command: Sequence[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(  # noqa: S603 - commands are our own, nothing typed by anyone
        command,
        cwd=folder,
        env=_environment(),
        user=account.uid if account else None,
        group=account.gid if account else None,
        extra_groups=[] if account else None,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def _may_work_in(folder: Path, account: Account) -> bool:
    tried = _run_as(account, ["/bin/sh", "-c", 'cd "$1" && test -w .', "sh", str(folder)], Path("/"))
    return tried.returncode == 0


def _folder_elsewhere(home: Home, account: Account) -> Path:
    """A folder under /var/lib for the cluster of a home that the account cannot enter (a root's, say)."""
    shared = Path("/var/lib/gridsvc")
    shared.mkdir(mode=0o755, exist_ok=True)
    # A new one each time: an older one of the same name holds data whose passwords nobody knows any more.
    made = Path(tempfile.mkdtemp(prefix=f"{short_name(home)}-", dir=shared))
    os.chown(made, account.uid, account.gid)
    return made


def _end_orphans(data: Path, say: Callable[[str], None]) -> None:
    """End what still works in this cluster's folder, then clear the lock file if it names nobody of ours.

    PostgreSQL itself refuses to start beside backends of a killed server, and beside any process of
    this user that has by chance the pid in the lock file. It is right about the first; we wait for those.
    """
    # Backends work in the data folder, as their server does: so both are found, on Linux.
    orphans = processes.working_in(data)
    if orphans:
        say(f"ending {len(orphans)} processes of a PostgreSQL that an earlier run left behind")
        processes.end(orphans, signal.SIGINT, STOP_S)
    lock = data / "postmaster.pid"
    if processes.LINUX and lock.exists() and not processes.working_in(data):
        lock.unlink()


def _with_log(text: str, log: Path) -> str:
    return "\n  ".join([f"{text}; the end of {log}:", *last_lines(log)])
