"""What `gridsvc bench` and `make bench` do: measure, print a table, keep the figures with the machine they are of."""

from __future__ import annotations

import argparse
import json
import os
import platform
import subprocess
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from bench import intake
from gridsvc.local.postgres import binaries_for

RESULTS: Final = Path(__file__).parent / "results"
PARTS: Final = (
    "intake", "lookup", "carry", "deadlines", "components", "evaluation", "sweep", "cameras", "tiles", "live",
    "review", "positions", "screen", "wall",
)  # fmt: skip
"""All but `intake` are programs of their own, which print and keep what they find."""

SECONDS: Final = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """What one may ask for."""
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"{', '.join(PARTS)}; none named: all of them")
    parser.add_argument("--seconds", type=float, default=SECONDS, help="of each run of the intake (%(default)s)")


def main(words: Sequence[str]) -> int:
    """Run from the command line; 0, or 2 for a part that does not exist."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    add_arguments(parser)
    return run(parser.parse_args(words))


def run(arguments: argparse.Namespace) -> int:
    """Measure the parts that are named, one after the other."""
    strangers = sorted(set(arguments.parts) - set(PARTS))
    if strangers:
        print(f"bench: no part {', '.join(strangers)}; want {', '.join(PARTS)}", file=sys.stderr)
        return 2
    for part in arguments.parts or PARTS:
        print(f"== {part}", flush=True)
        if part == "intake":
            keep(intake.measure(arguments.seconds), arguments.seconds)
        else:
            subprocess.run([sys.executable, "-m", f"bench.{part}"], check=True)
    return 0


def keep(found: dict[str, Any], seconds: float) -> Path:
    """Print the figures of the intake and write them beside what they were measured on; return the file."""
    now = datetime.now(UTC)
    document = {"at": now.isoformat(timespec="seconds"), "machine": machine(), "seconds_each": seconds, **found}
    print(table_of(document))
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{now:%Y-%m-%d}-intake.json"
    file.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    file.with_suffix(".txt").write_text(table_of(document) + "\n", encoding="utf-8")
    return file


def machine() -> dict[str, Any]:
    """What the figures depend on: processor, memory, versions, and how busy the machine was with other things."""
    postgres = binaries_for(Path("/nonexistent")) / "postgres"
    version = subprocess.run([str(postgres), "--version"], capture_output=True, text=True, check=True).stdout.strip()
    return {
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "processor": _from_proc("/proc/cpuinfo", "model name"),
        "memory": _from_proc("/proc/meminfo", "MemTotal"),
        "system": platform.platform(),
        "python": platform.python_version(),
        "postgres": version,
        "fsync": "on",
        "load_average_at_the_end": [round(load, 2) for load in os.getloadavg()],
    }


def _from_proc(file: str, name: str) -> str:
    try:
        lines = Path(file).read_text(encoding="utf-8").splitlines()
    except OSError:
        return "unknown"
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "unknown")


def table_of(document: dict[str, Any]) -> str:
    """The figures for people."""
    machine, straight = document["machine"], document["straight"]
    lines = [
        f"{document['at']}  {machine['cores']} cores, {machine['processor']}, {machine['postgres']}, "
        f"fsync {machine['fsync']}, {document['cells']} cells; {document['seconds_each']:g} s each",
        "",
        f"{'':34}{'ack/s':>8}{'p50 ms':>9}{'p95 ms':>9}{'p99 ms':>9}{'lost':>6}   CPU us per report: "
        f"{'load':>5}{'web':>7}{'postgres':>10}",
    ]
    for title in ("closed_loop", "open_loop", "with_workers"):
        lines += [_line(loop) for loop in document[title]]
    lines += [
        "",
        *(_socket_line(each) for each in document["to_socket"]),
        f"the same rows straight through asyncpg: {straight['one_by_one_per_s']:.0f}/s one to a transaction, "
        f"{straight['batched_per_s']:.0f}/s 64 to one",
        *(f"ratio {name}: {value:.2f}" for name, value in document["ratios"].items()),
        f"rows at the end: {', '.join(f'{name} {count}' for name, count in document['rows_at_the_end'].items())}",
        f"load average at the end: {machine['load_average_at_the_end']}",
    ]
    return "\n".join(lines)


def _socket_line(seen: dict[str, Any]) -> str:
    return (
        f"report to officer's socket at {seen['rate']:g}/s: p50 {seen['p50_ms']:.0f}, p95 {seen['p95_ms']:.0f}, "
        f"p99 {seen['p99_ms']:.0f} ms; {seen['arrived']} arrived on {seen['sockets']} sockets, "
        f"{seen['missing']} missing"
    )


def _line(loop: dict[str, Any]) -> str:
    what = f"{loop['clients']} clients, closed loop" if loop["clients"] else f"{loop['rate']:g}/s, open loop"
    what += ", workers on" if loop["workers"] else ""
    return (
        f"{what:34}{loop['per_s']:8.0f}{loop['p50_ms']:9.1f}{loop['p95_ms']:9.1f}{loop['p99_ms']:9.1f}"
        f"{loop['not_acknowledged']:6}{'':22}{loop['generator_us']:5.0f}{loop['web_us']:7.0f}{loop['database_us']:10.0f}"
    )
