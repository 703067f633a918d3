"""Which process is which: a pid together with the moment it began, so that a reused pid is never mistaken."""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

LINUX = sys.platform.startswith("linux")


@dataclass(frozen=True)
class Identity:
    """One process for ever: `began` differs for every process that ever has the same pid, reboots included."""

    pid: int
    began: str


def identity(pid: int) -> Identity | None:
    """Who has this pid now; None when nobody has, or only a zombie that waits to be collected."""
    return _from_proc(pid) if LINUX else _from_ps(pid)


def _stat_fields(pid: int) -> list[str] | None:
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    # The second field is the command in brackets and may hold blanks and brackets itself.
    return text[text.rindex(")") + 2 :].split()


def _from_proc(pid: int) -> Identity | None:
    fields = _stat_fields(pid)
    if fields is None or fields[0] in "ZX":
        return None
    # Ticks since boot come again after a reboot; with the boot's own id they do not.
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    return Identity(pid, f"{boot}/{fields[19]}")


def _from_ps(pid: int) -> Identity | None:
    answer = subprocess.run(  # noqa: S603 - fixed words and a number
        ["/bin/ps", "-o", "stat=,lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    state, _, began = answer.stdout.strip().partition(" ")
    return Identity(pid, began.strip()) if began and not state.startswith("Z") else None


def lives(who: Identity) -> bool:
    """Whether exactly this process still runs."""
    return identity(who.pid) == who


def age_s(pid: int) -> float | None:
    """How long ago the process began, in seconds; None where the machine does not say."""
    fields = _stat_fields(pid)
    if fields is None:
        return None
    uptime_s = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return uptime_s - int(fields[19]) / os.sysconf("SC_CLK_TCK")


def working_in(folder: Path) -> list[Identity]:
    """Processes whose working directory is `folder`; none where the machine does not say (macOS)."""
    if not LINUX:
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                if Path(os.readlink(entry / "cwd")) == folder and (who := identity(int(entry.name))):
                    found.append(who)
    return found


def send(who: Identity, sig: signal.Signals) -> None:
    """Signal this process; nothing happens if it is gone or its pid is another's by now."""
    if lives(who):
        with contextlib.suppress(ProcessLookupError):
            os.kill(who.pid, sig)


def end(those: Iterable[Identity], ask: signal.Signals, patience_s: float) -> list[Identity]:
    """Ask these processes to stop, kill those that still run after `patience_s`; return the killed ones.

    They need not be children of ours. On an empty list nothing happens.
    """
    remaining = [who for who in those if lives(who)]
    for who in remaining:
        send(who, ask)
    remaining = _wait_for(remaining, patience_s)
    for who in remaining:
        send(who, signal.SIGKILL)
    _wait_for(remaining, 2.0)
    return remaining


def _wait_for(those: list[Identity], patience_s: float) -> list[Identity]:
    until = time.monotonic() + patience_s
    while (those := [who for who in those if lives(who)]) and time.monotonic() < until:
        time.sleep(0.02)
    return those
