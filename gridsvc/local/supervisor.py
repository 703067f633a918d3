"""One process that starts everything of an instance in order, keeps it running, and stops it in order."""

import contextlib
import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol

from gridsvc.errors import CannotStart
from gridsvc.local.child import Child
from gridsvc.local.logfile import last_lines, trim
from gridsvc.local.processes import Identity

TICK_S: Final = 0.1
STEADY_S: Final = 60.0  # a part that ran this long is healthy: its next end counts as the first
BACK_S: Final = 2.0  # what runs this long after its end is said to be up again
LONGEST_WAIT_S: Final = 30.0
REPORTED_AT: Final = 3  # ends in a row after which the end of the log is shown
SERVICE_STOP_S: Final = 5.0  # web and workers finish what they hold; with the servers' 7 s this stays below 15 s
_TRIM_EVERY_S: Final = 30.0


class Part(Protocol):
    """What the supervisor keeps running: a server or a process of the service."""

    name: str
    log: Path

    def start(self, abandon: threading.Event) -> None:
        """Start and wait until it works. Raises CannotStart, or Abandoned once `abandon` is set."""

    def runs(self) -> bool: ...

    def ending(self) -> str:
        """How it ended, in words."""

    def who(self) -> Mapping[str, Identity]:
        """Its living processes, by name."""

    def stop(self) -> None:
        """Stop it, at the latest by killing it."""


class ServiceProcess:
    """A process of the service itself as a part: started when its program is."""

    def __init__(self, child: Child) -> None:
        self.name = child.name
        self.log = child.log
        self._child = child

    def start(self, abandon: threading.Event) -> None:
        if not abandon.is_set():
            self._child.start()

    def runs(self) -> bool:
        return self._child.runs()

    def ending(self) -> str:
        return self._child.ending()

    def who(self) -> Mapping[str, Identity]:
        return self._child.who()

    def stop(self) -> None:
        self._child.stop(SERVICE_STOP_S)


def wait_before(ends_in_a_row: int) -> float:
    """Seconds to wait before starting a part again: 0.5 after its first end, doubling, 30 at most."""
    doubled: float = 0.5 * 2 ** min(ends_in_a_row - 1, 10)
    return min(doubled, LONGEST_WAIT_S)


@dataclass
class Tended:
    """One part, when it may start, and what became of it so far."""

    part: Part
    may_start: Callable[[], bool]
    say: Callable[[str], None]
    worked: bool = False  # has been up at least once
    _starting: Future[None] | None = None
    _began: float | None = None
    _due: float = 0.0
    _ends: int = 0
    _ended_before: bool = False

    @property
    def up(self) -> bool:
        return self._starting is None and self._began is not None and self.part.runs()

    @property
    def starting(self) -> Future[None] | None:
        return self._starting

    def tend(self, now: float, threads: ThreadPoolExecutor, abandon: threading.Event) -> None:
        """Start it if it may, note that it has started, or that it has ended. Never blocks.

        Raises CannotStart when the very first start fails: that will not mend itself.
        """
        if self._starting is not None:
            if self._starting.done():
                self._note_start(now)
        elif self._began is None:
            if now >= self._due and self.may_start():
                self._starting = threads.submit(self.part.start, abandon)
        elif not self.part.runs():
            self._note_end(now, self.part.ending())
        elif self._ended_before and now - self._began > BACK_S:
            self._ended_before = False
            self.say(f"{self.part.name} is up again")

    def _note_start(self, now: float) -> None:
        done, self._starting = self._starting, None
        try:
            if done is not None:
                done.result()
        except CannotStart as trouble:
            if not self.worked:
                raise
            self._began = now
            self._note_end(now, str(trouble))
            return
        self._began, self.worked = now, True

    def _note_end(self, now: float, how: str) -> None:
        if self._began is not None and now - self._began > STEADY_S:
            self._ends = 0
        self._ends += 1
        self._ended_before = True
        self._began, self._due = None, now + wait_before(self._ends)
        self.say(f"{self.part.name} ended ({how}); starting it again in {wait_before(self._ends):g} s")
        # The third end in a row is shown, then every tenth: a terminal is read by a person.
        if self._ends == REPORTED_AT or self._ends % 10 == 0:
            self.say(f"{self.part.name} ended {self._ends} times in a row; the end of {self.part.log}:")
            for line in last_lines(self.part.log):
                self.say(f"  {line}")


@dataclass
class Supervisor:
    """Keeps the given parts running from the first tick until somebody asks to stop.

    `stop_order` names groups of parts: those of a group stop side by side, one group after the other.
    """

    tended: Sequence[Tended]
    stop_order: Sequence[Sequence[str]]
    on_tick: Callable[[float], None] = lambda _: None
    abandon: threading.Event = field(default_factory=threading.Event)
    _trim_at: float = 0.0

    def run(self) -> None:
        """Run until SIGINT, SIGTERM or SIGHUP, then stop everything. Raises CannotStart, all stopped, too."""
        with signals_heard() as heard, ThreadPoolExecutor(thread_name_prefix="part") as threads:
            try:
                while not heard.within(TICK_S):
                    self._tick(time.monotonic(), threads)
            finally:
                self._stop()

    def _tick(self, now: float, threads: ThreadPoolExecutor) -> None:
        for one in self.tended:
            one.tend(now, threads, self.abandon)
        self.on_tick(now)
        if now >= self._trim_at:
            self._trim_at = now + _TRIM_EVERY_S
            for one in self.tended:
                trim(one.part.log)

    def _stop(self) -> None:
        self.abandon.set()
        wait([one.starting for one in self.tended if one.starting is not None])
        troubles: list[BaseException] = []
        for names in self.stop_order:
            parts = [one.part for one in self.tended if one.part.name in names]
            # Side by side: the slowest of a group is what counts. One that fails does not spare the others.
            with ThreadPoolExecutor(thread_name_prefix="stop") as stopping:
                stopped = [stopping.submit(part.stop) for part in parts]
            troubles += [trouble for done in stopped if (trouble := done.exception()) is not None]
        for trouble in troubles:
            raise trouble


class Signals:
    """Whether somebody asked this process to stop."""

    def __init__(self, pipe: int) -> None:
        self._pipe = pipe
        self.asked = False

    def within(self, seconds: float) -> bool:
        """Wait up to `seconds`; True as soon as a signal has come, and ever after."""
        if not self.asked and select.select([self._pipe], [], [], seconds)[0]:
            self.asked = True
        return self.asked


@contextlib.contextmanager
def signals_heard() -> Iterator[Signals]:
    """Within it SIGINT, SIGTERM and SIGHUP are noted instead of ending the process. Main thread only."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    before = {sig: signal.signal(sig, lambda *_: None) for sig in wanted}
    # Through a pipe: a handler that takes a lock may find it held by the very code it interrupts.
    earlier = signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
    try:
        yield Signals(reader)
    finally:
        signal.set_wakeup_fd(earlier)
        for sig, handler in before.items():
            signal.signal(sig, handler)
        os.close(reader)
        os.close(writer)
