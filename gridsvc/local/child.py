"""One process of an instance: how it is started, where it writes, how it is ended."""

import contextlib
import os
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from gridsvc.local.home import Account
from gridsvc.local.processes import Identity, identity


class Abandoned(Exception):
    """Somebody asked to stop while a process was still starting."""


@dataclass(kw_only=True)
class Child:
    """A process that we start, in a session of its own: a Ctrl-C at the terminal reaches only us.

    Its output goes straight into `log`, not through a pipe, so that it can go on writing when we die.
    """

    name: str
    command: Sequence[str]
    environment: Mapping[str, str]
    log: Path
    folder: Path
    account: Account | None = None
    stop_signal: signal.Signals = signal.SIGTERM
    started: Callable[[], None] = lambda: None  # told at once, so that a killed supervisor's record has it
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)

    def start(self) -> None:
        """Start it; its predecessor must have ended."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - commands are our own, nothing typed by anyone
                self.command,
                env=dict(self.environment),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                user=self.account.uid if self.account else None,
                group=self.account.gid if self.account else None,
                extra_groups=[] if self.account else None,
            )
        self.started()

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def who(self) -> dict[str, Identity]:
        """The running process by its name, told apart from any later one with its pid; empty if it has ended."""
        who = identity(self._process.pid) if self._process is not None and self.runs() else None
        return {self.name: who} if who else {}

    def runs(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def ending(self) -> str:
        """How it ended, in words: `exit 1`, `killed by SIGKILL`, or `not started`."""
        code = self._process.poll() if self._process else None
        if code is None:
            return "not started" if self._process is None else "still running"
        return f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit {code}"

    def stop(self, patience_s: float) -> bool:
        """Ask it to stop, kill it after `patience_s`; return whether it went by itself. Twice does no harm."""
        if self._process is None:
            return True
        if self._process.poll() is None:
            self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(patience_s)
            return True
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
        finally:
            # Whatever it started itself and left behind is in its session.
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL)
