"""A measurement that needs a database and no broker: on a private server of its own, printed and kept."""

from __future__ import annotations

import asyncio
import json
import os
import tempfile
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import uvloop

from gridsvc.local.servers import PrivateServers
from gridsvc.migrate import migrate

Measure = Callable[[str, str], Awaitable[Mapping[str, float]]]
"""Figures by name, from the URLs of a migrated, empty database: for the service's login, and for its owner."""


def measure_privately(results: Path, measure: Measure) -> None:
    """Start a server, measure, print a table, and write it to `results` with the number of cores."""
    with (
        tempfile.TemporaryDirectory(prefix="gridsvc-bench-") as folder,
        asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner,
    ):
        home = Path(folder)
        home.chmod(0o755)  # PostgreSQL may run as another user
        found = runner.run(_on_private_servers(home, measure))
    for name, value in found.items():
        print(f"{name:52} {value:12,.2f}")
    results.parent.mkdir(exist_ok=True)
    results.write_text(json.dumps({"cores": os.cpu_count(), **found}, indent=2) + "\n", encoding="utf-8")


async def _on_private_servers(home: Path, measure: Measure) -> Mapping[str, float]:
    with PrivateServers(home, broker=False) as servers:
        await migrate(servers.owner_database_url)
        await servers.postgres.let_the_service_in()
        return await measure(servers.database_url, servers.owner_database_url)
