"""A part that ends is started again, later and later; the terminal hears of it, with the end of its log."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from gridsvc.errors import CannotStart
from gridsvc.local.child import Child
from gridsvc.local.logfile import last_lines, trim
from gridsvc.local.processes import Identity
from gridsvc.local.supervisor import ServiceProcess, Tended, wait_before


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor() as pool:
        yield pool


def test_waits_double_from_half_a_second_to_half_a_minute() -> None:
    assert [wait_before(n) for n in range(1, 9)] == [0.5, 1, 2, 4, 8, 16, 30, 30]


class ByHand:
    """A part under a clock that the test moves: each `pass_s` is one look of the supervisor."""

    def __init__(self, tmp_path: Path, program: str, threads: ThreadPoolExecutor) -> None:
        self.said: list[str] = []
        self.now = 0.0
        self._threads = threads
        self.child = Child(
            name="web",
            command=[sys.executable, "-c", program],
            environment={},
            log=tmp_path / "web.log",
            folder=tmp_path,
        )
        self.tended = Tended(ServiceProcess(self.child), lambda: True, self.said.append)

    def look(self, after_s: float = 0.0) -> None:
        self.now += after_s
        self.tended.tend(self.now, self._threads, threading.Event())
        if self.tended.starting is not None:
            self.tended.starting.result()
            self.tended.tend(self.now, self._threads, threading.Event())

    def await_end(self) -> None:
        assert self.child._process is not None
        self.child._process.wait(10)


def test_a_part_that_keeps_ending_is_shown_with_the_end_of_its_log(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    part = ByHand(tmp_path, "print('no such table'); raise SystemExit(3)", threads)
    for wait_s in (0.0, 0.5, 1.0):
        part.look(wait_s)  # starts
        part.await_end()
        part.look()  # sees that it ended
    assert part.said == [
        "web ended (exit 3); starting it again in 0.5 s",
        "web ended (exit 3); starting it again in 1 s",
        "web ended (exit 3); starting it again in 2 s",
        f"web ended 3 times in a row; the end of {part.child.log}:",
        *["  no such table"] * 3,
    ]


def test_nothing_is_started_before_its_wait_is_over(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    part = ByHand(tmp_path, "", threads)
    part.look()
    part.await_end()
    part.look()
    first = part.child.pid
    part.look(0.4)
    assert part.child.pid == first
    part.look(0.2)
    assert part.child.pid != first
    part.await_end()


def test_an_end_after_a_steady_run_counts_as_the_first(tmp_path: Path, threads: ThreadPoolExecutor) -> None:
    part = ByHand(tmp_path, "", threads)
    for wait_s in (0.0, 0.5):
        part.look(wait_s)
        part.await_end()
        part.look()
    part.look(1.0)
    part.await_end()
    part.look(61.0)
    assert part.said[-1] == "web ended (exit 0); starting it again in 0.5 s"


class NeverStarts:
    """A server whose start fails, as with a port that is taken."""

    name, log = "postgres", Path("postgres.log")

    def start(self, abandon: threading.Event) -> None:
        raise CannotStart("no PostgreSQL on this machine")

    def runs(self) -> bool:
        return False

    def ending(self) -> str:
        return "not started"

    def who(self) -> dict[str, Identity]:
        return {}

    def stop(self) -> None:
        pass


def test_a_first_start_that_fails_is_final(threads: ThreadPoolExecutor) -> None:
    tended = Tended(NeverStarts(), lambda: True, print)
    tended.tend(0.0, threads, threading.Event())
    assert tended.starting is not None
    with pytest.raises(CannotStart):
        tended.starting.result()
    with pytest.raises(CannotStart, match="no PostgreSQL"):
        tended.tend(0.1, threads, threading.Event())


def test_a_full_log_is_moved_aside_while_its_writer_writes_on(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    with log.open("ab", buffering=0) as writer:
        for run in (b"first\n", b"second\n", b"third\n", b"fourth\n", b"fifth\n"):
            writer.write(run)
            assert trim(log, most_bytes=3)
        writer.write(b"now\n")
    older = [(tmp_path / f"web.log.{age}").read_text() for age in (1, 2, 3)]
    assert (log.read_text(), older) == ("now\n", ["fifth\n", "fourth\n", "third\n"])
    assert not (tmp_path / "web.log.4").exists()


def test_a_small_log_stays(tmp_path: Path) -> None:
    log = tmp_path / "web.log"
    log.write_text("a\nb\nc\n")
    assert not trim(log)
    assert last_lines(log, 2) == ["b", "c"]
    assert last_lines(tmp_path / "none.log") == []
