"""Starting a process on one CPU and letting it spread afterwards, where the machine can do that.

An Erlang node that starts opens some 50 000 files, each by handing the call to another thread. On
virtual machines waking a thread on another, idle CPU is dear: on two virtual cores RabbitMQ took 6 to
21 s to start when spread over both, and 3.5 to 4.4 s when kept on one.
"""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path


def cpus() -> int:
    """How many CPUs this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@contextlib.contextmanager
def on_one_cpu() -> Iterator[None]:
    """Within it, this thread and what it starts stay on one CPU; nothing happens on macOS."""
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    allowed = os.sched_getaffinity(0)
    # Not always the same one: several instances may start at once.
    os.sched_setaffinity(0, {sorted(allowed)[os.getpid() % len(allowed)]})
    try:
        yield
    finally:
        os.sched_setaffinity(0, allowed)


def on_all_cpus(pid: int) -> None:
    """Let every thread of this process use whatever CPUs we may use; nothing happens if it has gone."""
    if not hasattr(os, "sched_setaffinity"):
        return
    allowed = os.sched_getaffinity(0)
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            with contextlib.suppress(ProcessLookupError):
                os.sched_setaffinity(int(thread.name), allowed)
