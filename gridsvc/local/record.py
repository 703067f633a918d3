"""What runs for one instance: one run at a time, its processes written down, so that the next can end them."""

import contextlib
import fcntl
import json
import os
import signal
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from gridsvc.errors import CannotStart
from gridsvc.local import processes
from gridsvc.local.home import Home
from gridsvc.local.keep import write_private
from gridsvc.local.processes import Identity

# The order in which leftovers are ended; what is not named goes first.
_LAST: Final = ("rabbitmq", "postgres"), ("epmd",)
_PATIENCE_S: Final = 6.0


@contextlib.contextmanager
def one_run_at_a_time(home: Home) -> Iterator[None]:
    """Hold the instance. Raises CannotStart, naming who has it, when another run does.

    The lock ends with this process however it ends, so a killed run never stands in the way.
    """
    with home.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise CannotStart(
                f"gridsvc is up already on {home.path} (process {lock.read().strip() or 'unknown'}); "
                f"stop that one, or name another home (--home)"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield


@dataclass(frozen=True)
class Record:
    """The supervisor of a run and every process it started, by name."""

    supervisor: Identity
    processes: Mapping[str, Identity]


def write_record(home: Home, named: Mapping[str, Identity]) -> None:
    """Note what runs now under this process."""
    me = processes.identity(os.getpid())
    if me is None:
        raise CannotStart("this machine does not tell when a process began (/proc or ps is needed)")
    lines = {"supervisor": [me.pid, me.began], **{name: [who.pid, who.began] for name, who in named.items()}}
    write_private(home.record, json.dumps(lines, indent=2) + "\n")


def forget_record(home: Home) -> None:
    """This run has stopped everything it started."""
    home.record.unlink(missing_ok=True)


def read_record(home: Home) -> Record | None:
    """What an earlier run left written: it did not stop properly. None if it did, or never ran."""
    try:
        kept = {name: Identity(pid, began) for name, (pid, began) in _load(home).items()}
        return Record(kept.pop("supervisor"), kept)
    except FileNotFoundError:
        return None
    except (KeyError, TypeError, ValueError, AttributeError):
        # Written in one step, so only a person can have spoilt it. The servers' own checks remain.
        return None


def _load(home: Home) -> dict[str, tuple[int, str]]:
    loaded: dict[str, tuple[int, str]] = json.loads(home.record.read_text(encoding="utf-8"))
    return loaded


def end_leftovers(home: Home, say: Callable[[str], None]) -> None:
    """End what an earlier run left running because it was killed, and say so. Nothing left: nothing said.

    Only a process with the recorded pid and the recorded moment of its start is touched.
    """
    record = read_record(home)
    if record is None:
        return
    alive = {name: who for name, who in record.processes.items() if processes.lives(who)}
    found = f"; ending what it left: {', '.join(sorted(alive))}" if alive else ""
    say(f"the last run (process {record.supervisor.pid}) ended without stopping{found}")
    for names in _in_order(alive):
        for name in names:
            processes.send(alive[name], signal.SIGINT if name == "postgres" else signal.SIGTERM)
        killed = processes.end([alive[name] for name in names], signal.SIGCONT, _PATIENCE_S)
        for name in names:
            if alive[name] in killed:
                say(f"{name} did not stop by itself and was killed")
    forget_record(home)


def _in_order(alive: Mapping[str, Identity]) -> Iterator[Sequence[str]]:
    last = {name for names in _LAST for name in names}
    yield [name for name in alive if name not in last]
    for names in _LAST:
        yield [name for name in names if name in alive]
