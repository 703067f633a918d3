"""The logs of an instance's processes: bounded, and quoted at the terminal when something dies."""

import os
import shutil
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 10_000_000  # per file; a busy day of the demo city writes about 2 MB
KEPT: Final = 3  # older ones, .1 the newest

_TAIL_BYTES: Final = 16_384


def trim(log: Path, most_bytes: int = MOST_BYTES) -> bool:
    """Move a log that has grown over `most_bytes` aside as `.1`; return whether it did.

    The file is copied and emptied, not renamed, because its writers hold it open (to append)
    and know nothing of us: they also write on when the supervisor is killed. What they write in
    the microseconds between copy and emptying is lost.
    """
    try:
        if log.stat().st_size <= most_bytes:
            return False
    except FileNotFoundError:
        return False
    older = [log.with_name(f"{log.name}.{age}") for age in range(1, KEPT + 1)]
    for newer, aged in zip(reversed(older[:-1]), reversed(older[1:]), strict=True):
        if newer.exists():
            newer.replace(aged)
    shutil.copyfile(log, older[0])
    os.truncate(log, 0)
    return True


def last_lines(log: Path, lines: int = 10) -> list[str]:
    """The end of a log, for a person's eyes; nothing if there is none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL_BYTES))
            return file.read().decode("utf-8", errors="replace").splitlines()[-lines:]
    except FileNotFoundError:
        return []
