"""Spoil messages at length: `python -m tests.fuzz [--count 100000] [--seed 1] [parser …]`."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from tests.fuzz.corpus import TARGETS
from tests.fuzz.spoil import run


def main() -> int:
    """Run the chosen parsers; 1 where an input cost more than 100 ms. A broken promise is raised."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("parser", nargs="*", choices=[*TARGETS, []], help="which; all without")
    asked.add_argument("--count", type=int, default=100_000)
    asked.add_argument("--seed", type=int, default=1)
    asked.add_argument("--keep", type=Path, help="a folder for the slowest input of each parser")
    given = asked.parse_args()
    slow = 0
    for name in given.parser or TARGETS:
        began = time.monotonic()
        done = run(name, given.seed, given.count)
        slow += done.over_100_ms
        print(
            f"{name}: {given.count} inputs in {time.monotonic() - began:.0f} s; slowest {done.slowest_ms:.1f} ms of CPU"
            f" ({len(done.slowest)} bytes, {done.slowest_type or 'no type'}, {done.slowest[:40]!r}…);"
            f" {done.over_100_ms} over 100 ms"
        )
        print("  " + ", ".join(f"{kind} {count}" for kind, count in done.answers.items()), flush=True)
        if given.keep is not None:
            given.keep.mkdir(parents=True, exist_ok=True)
            (given.keep / name).write_bytes(done.slowest)
    return 1 if slow else 0


if __name__ == "__main__":
    sys.exit(main())
