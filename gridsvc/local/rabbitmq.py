"""A private RabbitMQ node with a port mapper of its own, on loopback ports alone."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

from gridsvc.errors import CannotStart
from gridsvc.local import processes
from gridsvc.local.child import Abandoned, Child
from gridsvc.local.cpus import cpus, on_all_cpus, on_one_cpu
from gridsvc.local.credentials import Credentials
from gridsvc.local.home import Home
from gridsvc.local.keep import write_private
from gridsvc.local.logfile import last_lines
from gridsvc.local.ports import LOOPBACK, Ports, answers

USER: Final = "gridsvc"
NODE: Final = "gridsvc@localhost"  # needs no name of its own per instance: each has its own port mapper

START_S: Final = 60.0  # on two cores the first start takes 9 s, later ones 4 s
STOP_S: Final = 6.0  # 1 to 2 s measured
_MAPPER_S: Final = 5.0
_CONTROL_S: Final = 60.0  # 2 s measured

_SCRIPTS: Final = ("/usr/lib/rabbitmq/bin", "/opt/homebrew/opt/rabbitmq/sbin", "/usr/local/opt/rabbitmq/sbin")

_CONFIG: Final = """\
# Written at every start by gridsvc; changes here are lost.
listeners.tcp.1 = {loopback}:{amqp}
mqtt.listeners.tcp.1 = {loopback}:{mqtt}
mqtt.allow_anonymous = false
default_user = {user}
default_pass = {password}
# The 50 MB that RabbitMQ keeps free by default fill within one log segment.
disk_free_limit.absolute = 1GB
vm_memory_high_watermark.absolute = 1GB
# Quorum queues hold three to four times their write-ahead log in memory; its default is 512 MB.
raft.wal_max_size_bytes = 33554432
log.console = true
log.console.level = info
log.console.use_colors = off
log.file = false
"""

_MANAGEMENT: Final = """\
management.tcp.ip = {loopback}
management.tcp.port = {management}
"""


class RabbitMQ:
    """One node of one home. `management=True` adds the HTTP interface (tests make virtual hosts with it)."""

    def __init__(
        self,
        home: Home,
        ports: Ports,
        credentials: Credentials,
        say: Callable[[str], None],
        *,
        management: bool = False,
        started: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = "rabbitmq"
        self.log = home.log(self.name)
        self._folder = home.rabbitmq
        self._ports = ports
        self._credentials = credentials
        self._say = say
        self._management = management
        self._mapper = Child(
            name="epmd",
            command=[epmd(), "-port", str(ports.epmd), "-address", LOOPBACK],
            environment=self._environment(),
            log=home.log("epmd"),
            folder=home.path,
            started=started,
        )
        self._node = Child(
            name=self.name,
            command=[str(scripts() / "rabbitmq-server")],
            environment=self._environment(),
            log=self.log,
            folder=home.path,
            started=started,
        )

    @property
    def url(self) -> str:
        return f"amqp://{USER}:{self._credentials.broker_password}@{LOOPBACK}:{self._ports.amqp}/"

    @property
    def management_url(self) -> str:
        """The HTTP interface with its login; there only with `management=True`."""
        return f"http://{USER}:{self._credentials.broker_password}@{LOOPBACK}:{self._ports.management}"

    @property
    def mqtt_url(self) -> str:
        """Where sites publish; each has a login of its own."""
        return f"mqtt://{LOOPBACK}:{self._ports.mqtt}"

    def control(self, *words: str, given: bytes = b"") -> None:
        """Run RabbitMQ's own tool on the node with `given` as its input. Raises CannotStart with what it said."""
        try:
            done = subprocess.run(  # noqa: S603 - our own words
                [scripts() / "rabbitmqctl", "--quiet", *words],
                env=self._environment(), input=given, capture_output=True, timeout=_CONTROL_S, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired as late:
            raise CannotStart(f"rabbitmqctl {words[0]} did not end within {_CONTROL_S:.0f} s") from late
        if done.returncode:
            said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
            raise CannotStart(f"rabbitmqctl {words[0]} failed: {said[0] if said else done.returncode}")

    def runs(self) -> bool:
        return self._node.runs() and self._mapper.runs()

    def ending(self) -> str:
        """How the node ended, or its port mapper if that is what is missing."""
        return self._node.ending() if not self._node.runs() else f"its port mapper: {self._mapper.ending()}"

    def who(self) -> dict[str, processes.Identity]:
        """Its processes: the node and its port mapper."""
        return self._node.who() | self._mapper.who()

    def start(self, abandon: threading.Event) -> None:
        """Start what does not run of port mapper and node; wait until it speaks AMQP.

        A node that runs keeps running: it finds a new port mapper by itself.
        Raises CannotStart with the end of the log, Abandoned when told to stop.
        """
        self._write_files()
        if not self._mapper.runs():
            self._mapper.start()
            self._wait(lambda: answers(self._ports.epmd), self._mapper, _MAPPER_S, abandon)
        if not self._node.runs():
            with on_one_cpu():
                self._node.start()
        self._wait(lambda: _speaks_amqp(self._ports.amqp), self._node, START_S, abandon)
        if self._node.pid is not None:
            on_all_cpus(self._node.pid)

    def stop(self) -> None:
        """Stop the node, then its port mapper; kill what takes too long. Twice does no harm."""
        # Its HTTP interface alone waits 5 s before it closes; only tests have it, and theirs need no clean end.
        self._node.stop(1.0 if self._management else STOP_S)
        self._mapper.stop(1.0)

    def _wait(
        self, ready: Callable[[], bool], child: Child, patience_s: float, abandon: threading.Event
    ) -> None:
        until = time.monotonic() + patience_s
        while not ready():
            why = None
            if not child.runs():
                why = f"{child.name} ended while starting ({child.ending()})"
            elif time.monotonic() > until:
                why = f"{child.name} was not ready after {patience_s:.0f} s"
            if why is not None:
                raise CannotStart("\n  ".join([f"{why}; the end of {child.log}:", *last_lines(child.log)]))
            if abandon.wait(0.05):
                raise Abandoned

    def _write_files(self) -> None:
        self._folder.mkdir(mode=0o700, exist_ok=True)
        values = {
            "loopback": LOOPBACK,
            "amqp": self._ports.amqp,
            "mqtt": self._ports.mqtt,
            "management": self._ports.management,
            "user": USER,
            "password": self._credentials.broker_password,
        }
        config = _CONFIG + (_MANAGEMENT if self._management else "")
        write_private(self._folder / "rabbitmq.conf", config.format(**values))
        plugins = "[rabbitmq_mqtt,rabbitmq_management]." if self._management else "[rabbitmq_mqtt]."
        write_private(self._folder / "enabled_plugins", plugins + "\n")
        # Erlang reads the cookie from HOME and insists on the mode.
        write_private(self._folder / ".erlang.cookie", self._credentials.erlang_cookie, mode=0o400)

    def _environment(self) -> dict[str, str]:
        """Nothing of the caller's, and nothing of /etc/rabbitmq: settings of the system's own node stay its own."""
        folder = self._folder
        return {
            "PATH": os.environ.get("PATH", "/usr/bin:/bin"),
            "LANG": "C.UTF-8",
            "HOME": str(folder),
            "RABBITMQ_NODENAME": NODE,
            "RABBITMQ_CONFIG_FILE": str(folder / "rabbitmq.conf"),
            "RABBITMQ_CONFIG_FILES": str(folder / "conf.d/*.conf"),
            "RABBITMQ_ADVANCED_CONFIG_FILE": str(folder / "advanced.config"),
            "RABBITMQ_CONF_ENV_FILE": os.devnull,
            "RABBITMQ_ENABLED_PLUGINS_FILE": str(folder / "enabled_plugins"),
            "RABBITMQ_MNESIA_BASE": str(folder / "mnesia"),
            "RABBITMQ_LOG_BASE": str(folder),
            "RABBITMQ_PID_FILE": str(folder / "node.pid"),
            "RABBITMQ_DIST_PORT": str(self._ports.distribution),
            "ERL_EPMD_PORT": str(self._ports.epmd),
            "ERL_EPMD_ADDRESS": LOOPBACK,
            # In the configuration file it would come too late: the first moments would listen everywhere.
            # Without +S a node that starts on one CPU would schedule on one for ever.
            "ERL_ZFLAGS": f"-kernel inet_dist_use_interface {{127,0,0,1}} +S {cpus()}:{cpus()}",
            "ERL_CRASH_DUMP": os.devnull,
            # Replaces the shell script by the node itself: the pid we hold is the node's, its signals arrive.
            "RUNNING_UNDER_SYSTEMD": "true",
        }


def scripts() -> Path:
    """Where RabbitMQ's own scripts are (Debian's in /usr/sbin would switch user). Raises CannotStart."""
    for folder in _SCRIPTS:
        if Path(folder, "rabbitmq-server").exists():
            return Path(folder)
    raise CannotStart("no RabbitMQ on this machine: run gridsvc/local/install-packages.sh")


def epmd() -> str:
    """Erlang's port mapper. Raises CannotStart."""
    found = shutil.which("epmd") or next((str(p) for p in Path("/usr/lib/erlang").glob("erts-*/bin/epmd")), None)
    if found is None:
        raise CannotStart("Erlang's port mapper epmd is not on this machine: run gridsvc/local/install-packages.sh")
    return found


def _speaks_amqp(port: int) -> bool:
    """Whether a broker answers the protocol header with its first frame, not just accepts a connection."""
    with contextlib.suppress(OSError), socket.create_connection((LOOPBACK, port), timeout=1) as line:
        line.settimeout(2)
        line.sendall(b"AMQP\x00\x00\x09\x01")
        return line.recv(1) == b"\x01"
    return False
