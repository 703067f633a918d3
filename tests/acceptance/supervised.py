"""A real `gridsvc up` in a process of its own, and what can be seen of it from outside."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from gridsvc.local.ports import answers
from gridsvc.local.processes import Identity, identity, lives

LISTENING = "0A"
LOOPBACKS = ("0100007F", "00000000000000000000000001000000", "0000000000000000FFFF00000100007F")


def until(condition: Callable[[], object], patience_s: float, what: str) -> None:
    """Wait until `condition` holds; fail, saying `what` was awaited, after `patience_s`."""
    pause, deadline = threading.Event(), time.monotonic() + patience_s
    while not condition():
        assert time.monotonic() < deadline, f"not within {patience_s:.0f} s: {what}"
        pause.wait(0.05)


class Supervised:
    """`gridsvc up` on one home, as a terminal would run it: in a process group of its own.

    As a context manager it is stopped at the end, killed if need be, with all that it started.
    """

    def __init__(
        self,
        home: Path,
        *words: str,
        python: str = sys.executable,
        uid: int | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self.home = home
        self._command = [python, "-m", "gridsvc", "up", "--home", str(home), *words]
        self._uid = uid
        self._env = {**os.environ, **(env or {})}
        self._said = home.parent / f"{home.name}-said-{time.monotonic_ns()}.txt"
        self.seen: set[Identity] = set()

    def __enter__(self) -> Self:
        with self._said.open("wb") as said:
            self.process = subprocess.Popen(
                self._command,
                stdin=subprocess.DEVNULL, stdout=said, stderr=said, env=self._env, start_new_session=True,
                user=self._uid, group=self._uid, extra_groups=None if self._uid is None else [],
            )  # fmt: skip
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.look()
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        for who in self.seen:
            if lives(who):
                os.kill(who.pid, signal.SIGKILL)

    @property
    def said(self) -> str:
        """What it has written to the terminal so far."""
        return self._said.read_text(encoding="utf-8")

    @property
    def ports(self) -> dict[str, int]:
        """The ports it remembers."""
        kept: dict[str, int] = json.loads((self.home / "ports.json").read_text(encoding="utf-8"))
        return kept

    def pid_of(self, name: str) -> int | None:
        """The process that the supervisor recorded under `name`; None while there is none, as between two starts."""
        recorded = json.loads((self.home / "up.json").read_text(encoding="utf-8")).get(name)
        return None if recorded is None else int(recorded[0])

    def recorded(self) -> set[str]:
        try:
            return set(json.loads((self.home / "up.json").read_text(encoding="utf-8")))
        except FileNotFoundError:
            return set()

    def await_ready(self, patience_s: float) -> None:
        """Wait until it says that it is ready; fail with what it said instead."""

        def ready_or_ended() -> bool:
            self.look()
            return "ready after" in self.said or self.process.poll() is not None

        try:
            until(ready_or_ended, patience_s, "the line 'ready after'")
        except AssertionError as late:
            raise AssertionError(f"{late}; it said: {self.said}") from late
        assert "ready after" in self.said, f"ended with {self.process.returncode}: {self.said}"
        assert self.readyz() == 200

    def readyz(self) -> int:
        """Status of /readyz; 0 while nobody answers."""
        line = http.client.HTTPConnection("127.0.0.1", self.ports["web"], timeout=2)
        try:
            line.request("GET", "/readyz")
            return line.getresponse().status
        except OSError:
            return 0
        finally:
            line.close()

    def interrupt(self) -> None:
        """Ctrl-C: the terminal signals the whole group."""
        os.killpg(self.process.pid, signal.SIGINT)

    def look(self) -> set[int]:
        """The pids of the tree as it is now; remembers who was seen."""
        tree = tree_of(self.process.pid)
        self.seen |= {who for pid in tree if (who := identity(pid))}
        return tree

    def listening(self) -> list[str]:
        """Which of the remembered ports somebody listens on."""
        return [name for name, port in self.ports.items() if answers(port)]


def tree_of(root: int) -> set[int]:
    """`root` and everything below it, by parents."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text(encoding="utf-8", errors="replace").rpartition(") ")[2].split()
            except OSError:
                continue
            children.setdefault(int(fields[1]), []).append(int(entry.name))
    tree, todo = set(), [root]
    while todo:
        pid = todo.pop()
        tree.add(pid)
        todo.extend(children.get(pid, ()))
    return tree


class ListenerWatch:
    """Samples the listening sockets of a tree of processes, as often as the machine allows."""

    def __init__(self, supervised: Supervised) -> None:
        self._supervised = supervised
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="listener watch")
        self.samples = 0
        self.loopback: set[str] = set()
        self.elsewhere: set[str] = set()

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._done.set()
        self._thread.join()

    def _watch(self) -> None:
        strangers: set[str] = set()  # sockets that are none of the tree's: looked up once
        while not self._done.is_set():
            self.samples += 1
            fresh = {i: a for i, a in listeners().items() if i not in strangers and a not in self.loopback}
            if fresh:
                ours = sockets_of(self._supervised.look())
                for inode, address in fresh.items():
                    if inode not in ours:
                        strangers.add(inode)
                    elif address.partition(":")[0] in LOOPBACKS:
                        self.loopback.add(address)
                    else:
                        self.elsewhere.add(address)
            self._done.wait(0.01)


def listeners() -> dict[str, str]:
    """Every listening TCP socket of the machine: inode and address (hexadecimal, as the kernel writes it)."""
    found = {}
    for table in ("/proc/net/tcp", "/proc/net/tcp6"):
        for line in Path(table).read_text(encoding="ascii").splitlines()[1:]:
            fields = line.split()
            if fields[3] == LISTENING:
                found[fields[9]] = fields[1]
    return found


def sockets_of(pids: set[int]) -> set[str]:
    """The inodes of the sockets that these processes hold open."""
    found = set()
    for pid in pids:
        with suppress(OSError):  # the process ended
            for entry in Path(f"/proc/{pid}/fd").iterdir():
                # One file closed between the listing and the look must not hide the others of its process:
                # the broker opens and closes files all the while it starts.
                with suppress(FileNotFoundError):
                    name = os.readlink(entry)
                    if name.startswith("socket:["):
                        found.add(name[8:-1])
    return found
