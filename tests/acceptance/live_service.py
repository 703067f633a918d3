"""The web process and the workers as processes of their own, on a database and a virtual host of one test."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.acceptance.supervised import until
from tests.servers import FreshDatabase

SECRET = "not a secret: only for tests, 40 characters"


@dataclass(frozen=True)
class Ended:
    """A command that has ended, and what it said."""

    code: int
    said: str


class LiveService:
    """`gridsvc serve` and `gridsvc worker all`; a context manager that ends them."""

    def __init__(self, home: Path, database: FreshDatabase, amqp_url: str) -> None:
        self.home = home
        self.port = _a_free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            **{name: text for name, text in os.environ.items() if not name.startswith("GRIDSVC_")},
            "GRIDSVC_HOME": str(home),
            "GRIDSVC_DATABASE_URL": database.url,
            "GRIDSVC_OWNER_DATABASE_URL": database.owner_url,
            "GRIDSVC_AMQP_URL": amqp_url,
            "GRIDSVC_HTTP_PORT": str(self.port),
            "GRIDSVC_SECRET": SECRET,
            "GRIDSVC_FILES": str(home / "files"),
        }
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> Self:
        self.start("serve")
        self.start("worker", "all")
        until(self.ready, 30, "the service answers /readyz with 200")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for name in list(self._running):
            self.end(name)

    def start(self, *words: str) -> None:
        """Start a command that goes on until it is ended; its name is the first word."""
        assert words[0] not in self._running, f"{words[0]} runs already"
        with (self.home / f"{words[0]}.said").open("ab") as said:
            self._running[words[0]] = subprocess.Popen(
                self._command(words), env=self.environment, stdin=subprocess.DEVNULL, stdout=said, stderr=said
            )

    def end(self, name: str, how: signal.Signals = signal.SIGTERM) -> int:
        """End a command that was started; return its exit code."""
        process = self._running.pop(name)
        process.send_signal(how)
        try:
            return process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
            raise

    def lives(self, name: str) -> bool:
        """Whether a command that was started still runs."""
        return self._running[name].poll() is None

    def said(self, name: str) -> str:
        """What a command that was started has written."""
        return (self.home / f"{name}.said").read_text(encoding="utf-8")

    def run(self, *words: str, patience_s: float = 60) -> Ended:
        """Run a command to its end."""
        done = subprocess.run(
            self._command(words), env=self.environment, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=patience_s, check=False,
        )  # fmt: skip
        return Ended(done.returncode, done.stdout.decode())

    def ready(self) -> bool:
        """Whether /readyz answers 200."""
        line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            line.request("GET", "/readyz")
            return line.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            line.close()

    def _command(self, words: Sequence[str]) -> list[str]:
        return [sys.executable, "-m", "gridsvc", *words]


def _a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
