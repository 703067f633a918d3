"""One run at a time; what a killed run left is ended, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from gridsvc.errors import CannotStart
from gridsvc.local.home import Home, open_home
from gridsvc.local.processes import Identity, identity
from gridsvc.local.record import end_leftovers, one_run_at_a_time, read_record, write_record

SLEEPER = [sys.executable, "-c", "import signal; signal.pause()"]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return open_home(tmp_path / "home")


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEPER)
    yield process
    process.kill()
    process.wait()


def who(process: subprocess.Popen[bytes]) -> Identity:
    found = identity(process.pid)
    assert found is not None
    return found


def test_a_second_run_is_refused_while_the_first_lasts(home: Home) -> None:
    with one_run_at_a_time(home), pytest.raises(CannotStart, match="up already"), one_run_at_a_time(home):
        pytest.fail("two runs at once")
    with one_run_at_a_time(home):
        pass


def test_what_a_killed_run_left_is_ended_and_said(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    said: list[str] = []
    write_record(home, {"web": who(sleeper)})
    end_leftovers(home, said.append)
    assert sleeper.wait(5) < 0
    assert said == [said[0]]
    assert said[0].endswith("ended without stopping; ending what it left: web")
    assert read_record(home) is None


def test_a_process_that_got_the_pid_later_is_left_alone(home: Home, sleeper: subprocess.Popen[bytes]) -> None:
    said: list[str] = []
    write_record(home, {"web": Identity(sleeper.pid, "at some other time")})
    end_leftovers(home, said.append)
    assert sleeper.poll() is None
    assert "ending what it left" not in said[0]


def test_a_run_that_stopped_properly_leaves_nothing_to_say(home: Home) -> None:
    said: list[str] = []
    end_leftovers(home, said.append)
    assert said == []


def test_what_has_ended_but_was_not_collected_does_not_count_as_living() -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)
        assert identity(ended.pid) is None
