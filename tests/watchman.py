"""Ends what a test process leaves behind when it is killed or gives up: its servers, and what else it started.

A process of its own, which waits for the end of a pipe that the test process alone holds: that ends with it, however
it dies. `python -m tests.watchman FOLDER` ends all that works in FOLDER or below, and removes it.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

from gridsvc.local.processes import LINUX, Identity, end, identity

ROOT = Path(__file__).parents[1]
DONE = b"done"
PATIENCE_S = 5.0


class Watchman:
    """Watches over a folder until it is told that all is well."""

    def __init__(self, folder: Path, *, remove: bool) -> None:
        words = ["--remove", str(folder)] if remove else [str(folder)]
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.watchman", *words], cwd=ROOT, stdin=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C is for us, and so is a signal to our group
        )  # fmt: skip

    def dismiss(self) -> None:
        """Nothing is left behind: it goes home."""
        self._process.communicate(DONE)


def working_below(folder: Path) -> list[Identity]:
    """Processes whose working directory is `folder` or lies in it; none where the machine does not say (macOS)."""
    if not LINUX:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with suppress(OSError):
                works = Path(os.readlink(entry / "cwd"))
                if (works == folder or folder in works.parents) and (who := identity(int(entry.name))):
                    found.append(who)
    return found


def main(words: list[str]) -> None:
    """Wait for the end of standard input; without `done` before it, clear up."""
    folder = Path(words[-1]).resolve()
    if sys.stdin.buffer.read() == DONE:
        return
    # PostgreSQL ends at once and leaves no shared memory; RabbitMQ, its port mapper and our own end too.
    while left := working_below(folder):
        end(left, signal.SIGQUIT, PATIENCE_S)
    if "--remove" in words:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main(sys.argv[1:])
